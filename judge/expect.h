/*
 * expect.h - what a package says of its example submissions, and whether they behave.
 *
 * Three places speak of a submission, and all of them must hold: the folder it lies in, submissions/submissions.yaml (2025-09),
 * and @EXPECTED_RESULTS@ or @EXPECTED_SCORE@ in its own text (DOMjudge).  Each becomes rules: which verdicts tests may have,
 * which some test must have, what the submission as a whole must get.
 *
 * Sets of verdicts have a bit for each Judge__V1__Verdict.  A verdict fits a set when it or the one that ICPC rules know for it
 * (grade_fold()) is in the set.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stddef.h>
#include <stdint.h>

#include "judge/score.h"

struct doc;
struct doc_node;
struct err;

/* Bit of a Judge__V1__Verdict in a set. */
#define EXPECT_BIT(v) (1U << (v))

/* What a submission's times say of the time limit. */
enum expect_time {
	EXPECT_TIME_DERIVED, /* as its sets imply */
	EXPECT_TIME_UNUSED,
	EXPECT_TIME_LOWER, /* the limit must be well above them */
	EXPECT_TIME_UPPER, /* and well below these */
};

struct expect_rule {
	char **tests;       /* patterns (pattern.h) of the tests it is about; NULL: all of them */
	uint32_t permitted; /* each of those tests has one of these; 0: anything */
	uint32_t required;  /* one of those tests at least has one of these; 0: nothing */
	uint32_t verdict;   /* the submission itself has one of these; 0: anything */
	char *message; /* occurs in what the validator told the judges of some test; NULL: nothing */
	enum expect_time time;
	int has_score, partial; /* partial: less than the best score */
	struct score score_low, score_high;
};

struct expect_rules { /* released by expect_release() */
	struct expect_rule *items;
	size_t n;
};

void expect_release(struct expect_rules *rules);

/* Appends a rule that says nothing yet; NULL: out of memory. */
struct expect_rule *expect_add(struct expect_rules *rules);

/*
 * The rules of a folder of submissions/; `legacy` has fewer, and others mean more than in 2025-09.  1: appended, 0: the format does
 * not know this folder, -1: out of memory.
 */
int expect_folder(const char *folder, int legacy, struct expect_rules *rules, struct err *e);

/*
 * Finds the tags in a submission's text and appends their rule.  1: there is one, 0: there is none.  -1: two of them, or a word
 * that is no verdict; the message begins with the file.
 */
int expect_tag(const char *file, const char *text, size_t len, struct expect_rules *rules,
	       struct err *e);

/* submissions.yaml, read.  Released by expect_file_release(). */
struct expect_file {
	struct expect_entry {
		char *key;       /* as it is written */
		char **patterns; /* of paths under submissions/, as pattern.h has them */
		unsigned line;
		char *language, *entrypoint;     /* NULL: not given */
		struct expect_rules rules;       /* the first one is about all tests */
		int has_permitted, has_required; /* whether the file gives them for all tests */
		int used;                        /* matched a submission */
	} * entries;
	size_t n;
};

int expect_file_parse(const char *text, size_t len, struct expect_file *out, struct err *e);
void expect_file_release(struct expect_file *f);

struct expect_applied { /* what submissions.yaml says besides rules; borrowed from the file */
	const char *language, *entrypoint;
};

/*
 * Appends the rules for the submission at a path under submissions/ ("accepted/a.py").  A key that is the name of a known folder
 * changes that folder's rule, which is to be in *rules already, instead of adding one.  -1: two entries that contradict each other.
 */
int expect_file_apply(struct expect_file *f, const char *path, struct expect_rules *rules,
		      struct expect_applied *out, struct err *e);

struct expect_run { /* one test that was judged; borrowed */
	const char *test;
	int verdict;         /* Judge__V1__Verdict */
	const char *message; /* for the judges; may be NULL */
};

enum expect_state {
	EXPECT_MET,
	EXPECT_OPEN,   /* tests that have not been judged could still meet it */
	EXPECT_BROKEN, /* whatever comes; why says how */
};

#define EXPECT_WHY_MAX 200

/*
 * Looks at the tests judged so far.  verdict: of the submission, 0 as long as it is not known.  At the end, when no more tests
 * come, EXPECT_OPEN means that something required did not happen; why has EXPECT_WHY_MAX bytes and says that too.
 */
enum expect_state expect_check(const struct expect_rules *rules, const struct expect_run *runs,
			       size_t n, int verdict, char *why);

struct expect_group {      /* borrowed */
	const char *name;  /* "" for the submission */
	const char *score; /* as score_format() writes it; "": it has none */
};

/*
 * Looks at the scores of groups and of the submission, which is to be among them.  best is the problem's best score, NULL if
 * there is none.  EXPECT_MET or EXPECT_BROKEN.
 */
enum expect_state expect_check_scores(const struct expect_rules *rules,
				      const struct expect_group *groups, size_t n,
				      const struct score *best, char *why);

/* Whether a test's verdict is worth having after the submission has failed: some rule is about single tests. */
int expect_wants_all(const struct expect_rules *rules);

/* 1 if the time of this test bounds the time limit from below (EXPECT_TIME_LOWER) or from above (EXPECT_TIME_UPPER). */
int expect_bounds(const struct expect_rules *rules, enum expect_time which, const char *test);

/* The set to show for a submission: what its verdict may be. */
uint32_t expect_shown(const struct expect_rules *rules);

/* "AC" or "TLE or RTE", for people. */
void expect_set_text(uint32_t set, char *out, size_t size);

#endif
