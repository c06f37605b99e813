#include "judge/store_sqlite_judgement.h"

#include <errno.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "judge/store_sqlite_rejudge.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

int judgement_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct judgement *j = arg;
	AUTO_FREE char *id = db_get_text(row, 1, e);

	if (!id)
		return -1;
	j->submission = db_get_int(row, 0);
	memcpy(j->id, id, strnlen(id, STORE_ID_LEN));
	j->tests_total = (uint32_t)db_get_int(row, 2);
	j->judgement = db_get_int(row, 3);
	j->attempt = (uint32_t)db_get_int(row, 4);
	j->state = db_get_int(row, 5);
	j->faults = db_get_int(row, 6);
	j->lost_leases = db_get_int(row, 7);
	j->rejudging = db_get_int(row, 8);
	return 0;
}

int judgement_held(struct db *db, const struct store_job *job, struct judgement *j, struct err *e)
{
	int n;

	*j = (struct judgement){0};
	n = db_each(db, SQL_HELD, DB_ARGS(db_int(job->judgement), db_int(job->attempt)),
		    judgement_row, j, e);
	if (n == 0)
		return store_refuse(e, ESTALE,
				    "attempt %u of submission %s is not the current one any more",
				    job->attempt, job->submission);
	return n < 0 ? -1 : 0;
}

static int last_seq_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	*(int64_t *)arg = db_get_int(row, 0);
	return 0;
}

int judgement_say(struct store_sqlite *s, const struct judgement *j, const Judge__V1__Event *given,
		  struct err *e)
{
	struct db *db = &s->writer.db;
	Judge__V1__Event event = *given;
	int64_t last = 0;
	size_t len;

	if (j->rejudging && given->kind != JUDGE__V1__EVENT__KIND__REJUDGED)
		return 0;
	if (db_each(db, SQL_LAST_SEQ, DB_ARGS(db_int(j->submission)), last_seq_row, &last, e) < 0)
		return -1;
	event.seq = (uint64_t)last + 1;
	event.at_us = io_realtime_us();
	event.attempt = j->attempt;
	event.tests_total = j->tests_total;
	AUTO_FREE uint8_t *body = db_pack(&event.base, &len, e);
	if (!body || db_run(db, SQL_PUT_EVENT,
			    DB_ARGS(db_int(j->submission), db_int(last + 1), db_int(j->judgement),
				    db_int(j->attempt), db_int(event.kind), db_blob(body, len)),
			    e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_EVENTS, j->id, e);
}

int judgement_say_kind(struct store_sqlite *s, const struct judgement *j,
		       Judge__V1__Event__Kind kind, const char *message, struct err *e)
{
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;

	event.kind = kind;
	event.message = (char *)message;
	return judgement_say(s, j, &event, e);
}

int judgement_end(struct store_sqlite *s, const struct judgement *j,
		  const struct judgement_ending *end, struct err *e)
{
	struct db *db = &s->writer.db;
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT;
	AUTO_FREE uint8_t *score = NULL;
	size_t score_len = 0;

	if (end->score) {
		score = db_pack(&end->score->base, &score_len, e);
		if (!score)
			return -1;
	}
	event.kind = end->state == JUDGE__V1__STATE__FINISHED ? JUDGE__V1__EVENT__KIND__FINISHED
							      : JUDGE__V1__EVENT__KIND__CANCELLED;
	event.verdict = end->verdict;
	event.message = (char *)end->message;
	event.score = (Judge__V1__Score *)end->score;
	if (db_run(db, SQL_DROP_JOB, DB_ARGS(db_int(j->judgement)), e) < 0 ||
	    db_run(db, SQL_END_JUDGEMENT,
		   DB_ARGS(db_int(j->judgement), db_int(end->state), db_int(end->verdict),
			   db_text(end->message), db_text(end->compiler_message),
			   db_blob(end->evidence, end->evidence_len),
			   db_int((int64_t)end->cpu_time_us),
			   db_int((int64_t)end->memory_peak_bytes), db_int(io_realtime_us()),
			   db_blob(score, score_len)),
		   e) < 0)
		return -1;
	if (j->rejudging && end->verdict)
		return rejudging_judged(db, j, end->verdict, e);
	return judgement_say(s, j, &event, e);
}

int judgement_break(struct store_sqlite *s, const struct judgement *j, const char *reason,
		    struct err *e)
{
	const struct judgement_ending end = {
		.state = JUDGE__V1__STATE__FINISHED,
		.verdict = JUDGE__V1__VERDICT__JUDGE_ERROR,
		.message = reason,
		.compiler_message = "",
	};

	return judgement_end(s, j, &end, e);
}

int judgement_park(struct store_sqlite *s, const struct judgement *j, const char *reason,
		   struct err *e)
{
	struct db *db = &s->writer.db;

	if (db_run(db, SQL_PARK_JOB,
		   DB_ARGS(db_int(j->judgement), db_int(j->faults), db_int(j->lost_leases),
			   db_text(reason)),
		   e) < 0 ||
	    db_run(db, SQL_SET_QUEUED, DB_ARGS(db_int(j->judgement)), e) < 0)
		return -1;
	return writer_tell(&s->writer, STORE_QUEUED, j->id, e);
}

int judgement_lost(struct store_sqlite *s, struct judgement *j, const char *reason, struct err *e)
{
	j->lost_leases++;
	if (j->lost_leases < STORE_MAX_LOST_LEASES)
		return judgement_park(s, j, reason, e);
	return judgement_break(s, j, "the judge lost its worker too often while judging this", e);
}
