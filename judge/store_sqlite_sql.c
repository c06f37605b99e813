#include "judge/store_sqlite_sql.h"

#include <assert.h>

#include "proto/judge.pb-c.h"

/* The numbers written into the SQL below. */
static_assert(JUDGE__V1__STATE__QUEUED == 1, "state");
static_assert(JUDGE__V1__STATE__RUNNING == 2, "state");
static_assert(JUDGE__V1__STATE__FINISHED == 3, "state");
static_assert(JUDGE__V1__STATE__CANCELLED == 4, "state");
static_assert(JUDGE__V1__EVENT__KIND__FINISHED == 6, "kind");
static_assert(JUDGE__V1__EVENT__KIND__CANCELLED == 7, "kind");

static_assert(JUDGE__V1__EVENT__KIND__REJUDGED == 8, "kind");
static_assert(JUDGE__V1__VERDICT__JUDGE_ERROR == 9, "verdict");
static_assert(JUDGE__V1__REJUDGING__STATE__JUDGING == 1, "rejudging");
static_assert(JUDGE__V1__REJUDGING__STATE__READY == 2, "rejudging");
static_assert(JUDGE__V1__REJUDGING__STATE__APPLIED == 3, "rejudging");
static_assert(JUDGE__V1__REJUDGING__STATE__CANCELLED == 4, "rejudging");

/* What a judgement is by: its own, if it is of a rejudging. */
#define VERSION "ifnull(j.problem_version, s.problem_version)"
#define TESTS   "ifnull(j.tests_total, s.tests_total)"

#define SUBMISSION_COLUMNS                                                                         \
	"SELECT s.n, j.id, s.id, s.problem, " VERSION ", s.language, s.author, "                   \
	"s.submitted_at_us, j.state, j.verdict, " TESTS ", j.attempt, j.compiler_message, "        \
	"j.message, j.finished_at_us, j.cpu_time_us, j.memory_peak_bytes, s.request_id, "          \
	"j.evidence, j.score "

/* One list, entered by the filter that narrows it most; CROSS JOIN keeps SQLite to that order. */
#define LIST(from, first)                                                                          \
	SUBMISSION_COLUMNS "FROM " from " WHERE " first " AND j.current = 1 AND s.n < ?1 "         \
			   "AND (?2 IS NULL OR s.problem = ?2) "                                   \
			   "AND (?3 IS NULL OR s.language = ?3) "                                  \
			   "AND (?4 IS NULL OR s.author = ?4) "                                    \
			   "AND (?5 = 0 OR j.state = ?5) AND (?6 = 0 OR j.verdict = ?6) "          \
			   "ORDER BY s.n DESC LIMIT ?7"

/* What the worker's verbs need to know of a judgement; read by judgement_row(). */
#define HELD_COLUMNS                                                                               \
	"SELECT s.n, s.id, " TESTS ", j.id, j.attempt, j.state, o.faults, o.lost_leases, "         \
	"j.rejudging"
#define BY_JOB                                                                                     \
	"job o CROSS JOIN judgement j ON j.id = o.judgement "                                      \
	"CROSS JOIN submission s ON s.n = j.submission"
#define BY_SUBMISSION "submission s CROSS JOIN judgement j ON j.submission = s.n"

/* The submissions of a filter: number, state, id, the open rejudging that has it, the problem version to judge it by. */
#define MATCH(from, first)                                                                         \
	"SELECT s.n, j.state, s.id, g.id, iif(?8, " VERSION ", p.version) FROM " from              \
	" CROSS JOIN problem p ON p.name = s.problem LEFT JOIN rejudged r "                        \
	"ON r.submission = s.n AND r.open = 1 LEFT JOIN rejudging g ON g.n = r.rejudging "         \
	"WHERE " first " AND j.current = 1 AND (?1 IS NULL OR s.problem = ?1) "                    \
	"AND (?2 IS NULL OR s.language = ?2) AND (?3 IS NULL OR s.author = ?3) "                   \
	"AND (?4 = 0 OR j.verdict = ?4) AND s.submitted_at_us >= ?5 "                              \
	"AND (?6 = 0 OR s.submitted_at_us < ?6) AND (?7 IS NULL OR s.id = ?7) ORDER BY s.n"

/* Read by rejudging_row(). */
#define REJUDGING_COLUMNS                                                                          \
	"SELECT id, filter, reason, same_version, state, created_at_us, ended_at_us, total, "      \
	"judged, changed, judge_errors, left_out, request_id, n FROM rejudging "

const char *const sql_text[SQL_COUNT_] = {
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_SAVEPOINT] = "SAVEPOINT verb",
	[SQL_ROLLBACK_TO] = "ROLLBACK TO verb",
	[SQL_RELEASE] = "RELEASE verb",

	[SQL_PUT_STORE] = "INSERT INTO store (one, key, incarnation) VALUES (1, ?1, 0) "
			  "ON CONFLICT DO NOTHING",
	[SQL_NEXT_INCARNATION] = "UPDATE store SET incarnation = incarnation + 1",
	[SQL_STORE] = "SELECT key, incarnation FROM store",

	[SQL_PUT_BLOB] = "INSERT INTO blob (hash, data) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[SQL_BLOB] = "SELECT data FROM blob WHERE hash = ?1",
	[SQL_PUT_VERSION] = "INSERT INTO problem_version (name, version, title, manifest, summary, "
			    "added_at_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
	[SQL_PUT_PROBLEM] = "INSERT INTO problem (name, version) VALUES (?1, ?2) "
			    "ON CONFLICT DO UPDATE SET version = excluded.version",
	[SQL_HAS_VERSION] = "SELECT 1 FROM problem_version WHERE name = ?1 AND version = ?2",
	[SQL_VERSION] = "SELECT name, title, version, manifest, summary FROM problem_version "
			"WHERE name = ?1 AND version = ?2",
	[SQL_CURRENT_VERSION] = "SELECT v.name, v.title, v.version, v.manifest, v.summary "
				"FROM problem p JOIN problem_version v USING (name, version) "
				"WHERE p.name = ?1",
	[SQL_LIST_PROBLEMS] = "SELECT v.summary FROM problem p JOIN problem_version v "
			      "USING (name, version) WHERE p.name > ?1 ORDER BY p.name LIMIT ?2",

	[SQL_REQUEST] = "SELECT id, content FROM submission WHERE request_id = ?1",
	[SQL_PUT_SUBMISSION] = "INSERT INTO submission (id, problem, problem_version, language, "
			       "author, request_id, content, tests_total, submitted_at_us) "
			       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_PUT_SOURCE] = "INSERT INTO source (submission, position, name, hash) "
			   "VALUES (?1, ?2, ?3, ?4)",
	[SQL_PUT_JUDGEMENT] =
		"INSERT INTO judgement (submission, current, state) VALUES (?1, 1, 1)",
	[SQL_PUT_JOB] = "INSERT INTO job (judgement) VALUES (?1)",
	[SQL_PUT_EVENT] = "INSERT INTO event (submission, seq, judgement, attempt, kind, body) "
			  "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_PUT_RUN] = "INSERT INTO run (judgement, position, body) VALUES (?1, ?2, ?3)",

	[SQL_SUBMISSION] =
		SUBMISSION_COLUMNS "FROM " BY_SUBMISSION " WHERE s.id = ?1 AND j.current = 1",
	[SQL_SOURCES] = "SELECT c.name, b.data FROM source c JOIN blob b USING (hash) "
			"WHERE c.submission = ?1 ORDER BY c.position",
	[SQL_RUNS] = "SELECT body FROM run WHERE judgement = ?1 ORDER BY position",
	[SQL_LIST_ALL] = LIST(BY_SUBMISSION, "1"),
	[SQL_LIST_AUTHOR] = LIST(BY_SUBMISSION, "s.author = ?4"),
	[SQL_LIST_PROBLEM] = LIST(BY_SUBMISSION, "s.problem = ?2"),
	[SQL_LIST_VERDICT] = LIST("judgement j CROSS JOIN submission s ON s.n = j.submission",
				  "j.verdict = ?6 AND j.submission < ?1"),
	[SQL_LIST_OPEN] = LIST(BY_JOB, "j.state = ?5"),
	[SQL_EVENTS_OF] =
		"SELECT s.n, j.state FROM " BY_SUBMISSION " WHERE s.id = ?1 AND j.current = 1",
	[SQL_EVENTS] = "SELECT body FROM event WHERE submission = ?1 AND seq > ?2 "
		       "ORDER BY seq LIMIT ?3",
	[SQL_LAST_SEQ] = "SELECT ifnull(max(seq), 0) FROM event WHERE submission = ?1",
	[SQL_COUNTS] = "SELECT count(*) - count(lease_until_us), count(lease_until_us) FROM job",

	[SQL_JUDGEMENT_OF] =
		HELD_COLUMNS " FROM " BY_SUBMISSION " LEFT JOIN job o ON o.judgement = j.id "
			     "WHERE s.id = ?1 AND j.current = 1",
	[SQL_HELD] = HELD_COLUMNS " FROM " BY_JOB " WHERE o.judgement = ?1 AND j.attempt = ?2 "
				  "AND o.lease_until_us IS NOT NULL",
	[SQL_NEXT_JOB] = HELD_COLUMNS
	", o.lease_until_us IS NOT NULL, o.reason, s.problem, " VERSION ", s.language FROM " BY_JOB
	" WHERE o.lease_until_us IS NULL OR o.lease_until_us <= ?1 "
	"ORDER BY o.priority, o.judgement LIMIT 1",
	[SQL_NEXT_ORPHAN] = HELD_COLUMNS " FROM " BY_JOB " WHERE o.incarnation <> ?1 "
					 "ORDER BY o.judgement LIMIT 1",
	[SQL_TAKE_JOB] = "UPDATE job SET worker = ?2, incarnation = ?3, lease_until_us = ?4, "
			 "reason = '' WHERE judgement = ?1",
	[SQL_PARK_JOB] = "UPDATE job SET worker = NULL, incarnation = NULL, lease_until_us = NULL, "
			 "faults = ?2, lost_leases = ?3, reason = ?4 WHERE judgement = ?1",
	[SQL_RENEW_JOB] = "UPDATE job SET lease_until_us = ?2 WHERE judgement = ?1",
	[SQL_DROP_JOB] = "DELETE FROM job WHERE judgement = ?1",
	[SQL_SET_RUNNING] = "UPDATE judgement SET state = 2, attempt = ?2 WHERE id = ?1",
	[SQL_SET_QUEUED] = "UPDATE judgement SET state = 1 WHERE id = ?1",
	[SQL_END_JUDGEMENT] = "UPDATE judgement SET state = ?2, verdict = ?3, message = ?4, "
			      "compiler_message = ?5, evidence = ?6, cpu_time_us = ?7, "
			      "memory_peak_bytes = ?8, finished_at_us = ?9, score = ?10 "
			      "WHERE id = ?1",

	[SQL_MATCH_ALL] = MATCH(BY_SUBMISSION, "1"),
	[SQL_MATCH_AUTHOR] = MATCH(BY_SUBMISSION, "s.author = ?3"),
	[SQL_MATCH_PROBLEM] = MATCH(BY_SUBMISSION, "s.problem = ?1"),
	[SQL_MATCH_VERDICT] = MATCH("judgement j CROSS JOIN submission s ON s.n = j.submission",
				    "j.verdict = ?4"),
	[SQL_MATCH_ID] = MATCH(BY_SUBMISSION, "s.id = ?7"),
	[SQL_STATE_OF] = "SELECT j.state FROM " BY_SUBMISSION " WHERE s.id = ?1 AND j.current = 1",
	[SQL_REJUDGING_REQUEST] = "SELECT id, content, state FROM rejudging WHERE request_id = ?1",
	[SQL_PUT_REJUDGING] = "INSERT INTO rejudging (id, request_id, content, state, filter, "
			      "reason, same_version, created_at_us, left_out) "
			      "VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8)",
	[SQL_OPENED_BY] = "SELECT s.id, g.id FROM rejudged r "
			  "JOIN rejudging g ON g.n = r.rejudging JOIN submission s "
			  "ON s.n = r.submission WHERE r.submission = ?1 AND r.open = 1",
	[SQL_PUT_REJUDGED] =
		"INSERT INTO rejudged (rejudging, submission, before, problem_version, "
		"old_verdict) SELECT ?1, submission, id, ?3, verdict FROM judgement "
		"WHERE submission = ?2 AND current = 1 AND state = 3",
	[SQL_OPEN_REJUDGING] = "UPDATE rejudging SET state = 1, total = ?2 "
			       "WHERE n = ?1 AND state = 0",
	[SQL_DROP_REJUDGED] = "DELETE FROM rejudged WHERE rejudging = ?1 AND submission IN "
			      "(SELECT submission FROM rejudged WHERE rejudging = ?1 LIMIT ?2)",
	[SQL_DROP_REJUDGING] = "DELETE FROM rejudging WHERE n = ?1 AND state = 0",
	[SQL_UNFINISHED_REJUDGING] = "SELECT n FROM rejudging WHERE state = 0 LIMIT 1",
	[SQL_NEXT_REJUDGED] =
		"SELECT r.rejudging, r.submission, s.problem, r.problem_version FROM rejudging g "
		"CROSS JOIN rejudged r INDEXED BY rejudged_waiting ON r.rejudging = g.n "
		"CROSS JOIN submission s ON s.n = r.submission "
		"WHERE g.state = 1 AND r.open = 1 AND r.after IS NULL "
		"ORDER BY g.n, r.submission LIMIT 1",
	[SQL_PUT_REJUDGEMENT] = "INSERT INTO judgement (submission, current, state, rejudging, "
				"problem_version, tests_total) VALUES (?1, 0, 1, ?2, ?3, ?4)",
	[SQL_PUT_REJUDGE_JOB] = "INSERT INTO job (judgement, priority) VALUES (?1, 1)",
	[SQL_SET_AFTER] = "UPDATE rejudged SET after = ?3 WHERE rejudging = ?1 AND submission = ?2 "
			  "AND after IS NULL",
	[SQL_SET_NEW_VERDICT] = "UPDATE rejudged SET new_verdict = ?3, changed = old_verdict <> ?3 "
				"WHERE rejudging = ?1 AND submission = ?2 AND new_verdict = 0",
	[SQL_COUNT_JUDGED] =
		"UPDATE rejudging SET judged = judged + 1, judge_errors = judge_errors + (?3 = 9), "
		"changed = changed + (SELECT changed FROM rejudged WHERE rejudging = ?1 "
		"AND submission = ?2), state = iif(state = 1 AND judged + 1 = total, 2, state) "
		"WHERE n = ?1",
	[SQL_CLEAR_CURRENT] = "UPDATE judgement SET current = 0 WHERE current = 1 AND id IN "
			      "(SELECT before FROM rejudged WHERE rejudging = ?1)",
	[SQL_MAKE_CURRENT] = "UPDATE judgement SET current = 1 WHERE state = 3 AND id IN "
			     "(SELECT after FROM rejudged WHERE rejudging = ?1)",
	[SQL_END_REJUDGING] = "UPDATE rejudging SET state = ?2, ended_at_us = ?3 WHERE n = ?1",
	[SQL_NEXT_UNSETTLED] = HELD_COLUMNS
	", j.verdict FROM rejudged r INDEXED BY rejudged_unsettled CROSS JOIN submission s ON s.n "
	"= r.submission "
	"LEFT JOIN judgement j ON j.id = r.after LEFT JOIN job o ON o.judgement = j.id "
	"WHERE r.rejudging = ?1 AND r.open = 1 LIMIT 1",
	[SQL_UNSETTLED_REJUDGING] =
		"SELECT n, state, reason FROM rejudging g WHERE state IN (3, 4) AND EXISTS "
		"(SELECT 1 FROM rejudged r INDEXED BY rejudged_unsettled WHERE r.rejudging = g.n "
		"AND r.open = 1) LIMIT 1",
	[SQL_CANCEL_REJUDGEMENT] =
		"UPDATE judgement SET state = 4 WHERE id = ?1 AND state IN (1, 2)",
	[SQL_CLOSE_REJUDGED] =
		"UPDATE rejudged SET open = 0 WHERE rejudging = ?1 AND submission = ?2",
	[SQL_REJUDGING] = REJUDGING_COLUMNS "WHERE id = ?1 AND state > 0",
	[SQL_REJUDGINGS] = REJUDGING_COLUMNS
	"WHERE state > 0 AND n < ifnull((SELECT n FROM rejudging WHERE id = ?1), 1 << 62) "
	"ORDER BY n DESC LIMIT ?2",
	[SQL_REJUDGED] =
		"SELECT s.id, s.problem, s.language, s.author, r.old_verdict, r.new_verdict "
		"FROM rejudged r CROSS JOIN submission s ON s.n = r.submission "
		"WHERE r.rejudging = ?1 "
		"AND r.submission > ifnull((SELECT n FROM submission WHERE id = ?2), 0) "
		"AND (?3 = 0 OR r.changed = 1) "
		"ORDER BY r.submission LIMIT ?4",
	[SQL_CHANGES] = "SELECT old_verdict, new_verdict, count(*) FROM rejudged "
			"WHERE rejudging = ?1 AND new_verdict <> 0 GROUP BY 1, 2 ORDER BY 1, 2",
	[SQL_JUDGEMENTS] =
		"SELECT j.id, j.current, g.id, j.state, j.verdict, " VERSION ", " TESTS ", "
		"j.attempt, j.message, j.compiler_message, j.finished_at_us, j.cpu_time_us, "
		"j.memory_peak_bytes, j.evidence, j.score FROM " BY_SUBMISSION
		" LEFT JOIN rejudging g ON g.n = j.rejudging WHERE s.id = ?1 ORDER BY j.id",
};
