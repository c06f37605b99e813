/*
 * store_sqlite_judgement.h - what several writing verbs do to a judgement.  For the writer's thread, inside its transaction.
 */
#ifndef STORE_SQLITE_JUDGEMENT_H
#define STORE_SQLITE_JUDGEMENT_H

#include "judge/store.h"

struct db;
struct sqlite3_stmt;
struct store_sqlite;

/* A judgement as the verbs need it, with its submission and its job. */
struct judgement {
	int64_t submission; /* its number */
	char id[STORE_ID_LEN + 1];
	uint32_t tests_total;
	int64_t judgement;
	uint32_t attempt;
	int64_t state;
	int64_t faults, lost_leases;
	int64_t rejudging; /* number of the one it belongs to; 0: none */
};

/* The row function that fills one from HELD_COLUMNS. */
int judgement_row(struct sqlite3_stmt *row, void *arg, struct err *e);

/* The judgement of this claimed job; ESTALE unless a worker holds it in just this attempt. */
int judgement_held(struct db *db, const struct store_job *job, struct judgement *j, struct err *e);

/*
 * Appends one event with the next number, the time, the attempt and the number of tests, and tells the watchers.  A judgement of a
 * rejudging is not the submission's yet: nothing of it is told but that it is now (REJUDGED).
 */
int judgement_say(struct store_sqlite *s, const struct judgement *j, const Judge__V1__Event *event,
		  struct err *e);
int judgement_say_kind(struct store_sqlite *s, const struct judgement *j,
		       Judge__V1__Event__Kind kind, const char *message, struct err *e);

/* How a judgement ends, and with it its job.  No second end is possible: see the schema. */
struct judgement_ending {
	Judge__V1__State state;
	Judge__V1__Verdict verdict;
	const char *message, *compiler_message;
	const uint8_t *evidence;
	size_t evidence_len;
	const Judge__V1__Score *score; /* NULL: none */
	uint64_t cpu_time_us, memory_peak_bytes;
};
int judgement_end(struct store_sqlite *s, const struct judgement *j,
		  const struct judgement_ending *end, struct err *e);

/* Ends it as a JUDGE_ERROR. */
int judgement_break(struct store_sqlite *s, const struct judgement *j, const char *reason,
		    struct err *e);

/* Its job waits again, with j's faults and lost leases; the next attempt will say the reason. */
int judgement_park(struct store_sqlite *s, const struct judgement *j, const char *reason,
		   struct err *e);

/* Counts a lost lease and parks the job; the last one allowed ends it as a JUDGE_ERROR. */
int judgement_lost(struct store_sqlite *s, struct judgement *j, const char *reason, struct err *e);

#endif
