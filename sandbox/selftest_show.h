/*
 * selftest_show.h - what came of the attacks, for a person and for a program.
 */
#ifndef SELFTEST_SHOW_H
#define SELFTEST_SHOW_H

#include <stddef.h>
#include <stdint.h>

struct attack;
struct attack_list;

enum outcome { NOT_CHOSEN, WAITING, HELD, NOT_HELD, NOT_TRIED };

struct result {
	enum outcome outcome;
	int64_t us;
	char what[252]; /* happened, or stood in the way; may have output of the attack in it */
};

struct tally {
	size_t tried, held, skipped;
};

/* results has an element for each attack of the list, in all of these. */
struct tally show_count(const struct attack_list *list, const struct result *results);

/* One attack as it ends: what happened, or what it tried. */
void show_result(const struct attack *a, const struct result *r);

/* By group and layer; then those that were not tried, and those that were not held. */
void show_table(const struct attack_list *list, const struct result *results);

/* Returns the exit status. */
int show_json(const struct attack_list *list, const struct result *results);

#endif
