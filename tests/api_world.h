/*
 * api_world.h - a store, languages and an api in a folder of their own, for tests: all real.
 *
 * Languages: c ("main.c"), cpp17 and cpp20 (both .cpp), python3; rust has a rule but is not on the machine, and the rule
 * of "odd" is broken.  Problems: aplusb (3 tests, 1000 bytes of source) and zeta (1 test, no limit of its own).
 */
#ifndef API_WORLD_H
#define API_WORLD_H

#include "judge/api.h"
#include "judge/language.h"

struct world {
	char dir[64];
	struct languages languages;
	struct store *store;
	struct api *api;
	_Atomic int mute; /* commits are not told to the api, as if another process had made them */
};

/* Fails the test when it cannot. */
void world_open(struct world *w);
void world_close(struct world *w);

/* Submits one file to aplusb through the api; returns the id, good until the next call. */
const char *world_submit(struct world *w, const char *name, const char *content);

/* Does what a worker does: claims the oldest job, tells of each test and finishes with the verdict of the last. */
void world_claim(struct world *w, struct store_job *job);
void world_test(struct world *w, const struct store_job *job, uint32_t test,
		Judge__V1__Verdict verdict);
void world_finish(struct world *w, struct store_job *job, Judge__V1__Verdict verdict);

#endif
