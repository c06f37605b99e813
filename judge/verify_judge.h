/*
 * verify_judge.h - judges the submissions of one package, in the unprivileged process.
 */
#ifndef VERIFY_JUDGE_H
#define VERIFY_JUDGE_H

#include <jansson.h>

#include "judge/language.h"
#include "judge/verify.h"

struct blob_cache;
struct store;
struct verify_host;

#define VERIFY_JOBS_MAX 64

struct verify_world { /* what the packages have in common; borrowed, but for what verify.c owns */
	const struct verify_host *host;
	struct languages languages;
	struct store *store;
	struct blob_cache *blobs;
	unsigned jobs; /* at the same time, 1 to VERIFY_JOBS_MAX */
};

/* From folder to report: printed, or added to json if that is not NULL. */
enum verify_exit verify_package(struct verify_world *w, const char *dir, json_t *json);

#endif
