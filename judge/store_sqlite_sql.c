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

/*
 * What must never happen is refused here too: a second end of a judgement (event_end), a second current judgement, a verdict
 * without an end, a change to what is immutable.  A job row exists while its judgement waits (no lease) or runs (lease).
 * lease_until_us is of the monotonic clock: a lease never outlives the process that gave it, so clock steps cannot end one.
 */
const char sql_schema[] =
	"CREATE TABLE store (\n"
	"  one INTEGER PRIMARY KEY CHECK (one = 1),\n"
	"  key BLOB NOT NULL,\n"
	"  incarnation INTEGER NOT NULL\n"
	") STRICT;\n"
	"CREATE TABLE blob (\n"
	"  hash TEXT PRIMARY KEY NOT NULL CHECK (length(hash) = 64),\n"
	"  data BLOB NOT NULL\n"
	") STRICT;\n"
	"CREATE TABLE problem_version (\n"
	"  name TEXT NOT NULL,\n"
	"  version TEXT NOT NULL,\n"
	"  title TEXT NOT NULL,\n"
	"  manifest TEXT NOT NULL,\n"
	"  summary BLOB NOT NULL,\n" /* judge.v1.Problem */
	"  added_at_us INTEGER NOT NULL,\n"
	"  PRIMARY KEY (name, version)\n"
	") STRICT;\n"
	"CREATE TABLE problem (\n"
	"  name TEXT PRIMARY KEY NOT NULL,\n"
	"  version TEXT NOT NULL,\n"
	"  FOREIGN KEY (name, version) REFERENCES problem_version (name, version)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE submission (\n"
	"  n INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"  id TEXT NOT NULL UNIQUE CHECK (length(id) = 32),\n"
	"  problem TEXT NOT NULL,\n"
	"  problem_version TEXT NOT NULL,\n"
	"  language TEXT NOT NULL,\n"
	"  author TEXT NOT NULL,\n"
	"  request_id TEXT UNIQUE,\n"
	"  content TEXT NOT NULL,\n" /* store_hash_content() */
	"  tests_total INTEGER NOT NULL,\n"
	"  submitted_at_us INTEGER NOT NULL,\n"
	"  FOREIGN KEY (problem, problem_version) REFERENCES problem_version (name, version)\n"
	") STRICT;\n"
	"CREATE INDEX submission_author ON submission (author);\n"
	"CREATE INDEX submission_problem ON submission (problem);\n"
	"CREATE TABLE source (\n"
	"  submission INTEGER NOT NULL REFERENCES submission (n),\n"
	"  position INTEGER NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  hash TEXT NOT NULL REFERENCES blob (hash),\n"
	"  PRIMARY KEY (submission, position)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE judgement (\n"
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"  submission INTEGER NOT NULL REFERENCES submission (n),\n"
	"  current INTEGER NOT NULL CHECK (current IN (0, 1)),\n"
	"  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),\n"
	"  attempt INTEGER NOT NULL DEFAULT 0,\n"
	"  verdict INTEGER NOT NULL DEFAULT 0 CHECK (verdict BETWEEN 0 AND 9),\n"
	"  message TEXT NOT NULL DEFAULT '',\n"
	"  compiler_message TEXT NOT NULL DEFAULT '',\n"
	"  evidence BLOB,\n" /* judge.v1.Evidence */
	"  cpu_time_us INTEGER NOT NULL DEFAULT 0,\n"
	"  memory_peak_bytes INTEGER NOT NULL DEFAULT 0,\n"
	"  finished_at_us INTEGER NOT NULL DEFAULT 0,\n"
	"  CHECK ((state = 3) = (verdict <> 0))\n"
	") STRICT;\n"
	"CREATE UNIQUE INDEX judgement_current ON judgement (submission) WHERE current = 1;\n"
	"CREATE INDEX judgement_verdict ON judgement (verdict, submission) WHERE current = 1;\n"
	"CREATE TABLE job (\n"
	"  judgement INTEGER PRIMARY KEY REFERENCES judgement (id),\n"
	"  faults INTEGER NOT NULL DEFAULT 0,\n"
	"  lost_leases INTEGER NOT NULL DEFAULT 0,\n"
	"  reason TEXT NOT NULL DEFAULT '',\n" /* why it waits again */
	"  worker TEXT,\n"
	"  incarnation INTEGER,\n"
	"  lease_until_us INTEGER,\n"
	"  CHECK ((lease_until_us IS NULL) = (worker IS NULL)),\n"
	"  CHECK ((lease_until_us IS NULL) = (incarnation IS NULL))\n"
	") STRICT;\n"
	"CREATE TABLE event (\n"
	"  submission INTEGER NOT NULL REFERENCES submission (n),\n"
	"  seq INTEGER NOT NULL CHECK (seq > 0),\n"
	"  judgement INTEGER NOT NULL REFERENCES judgement (id),\n"
	"  attempt INTEGER NOT NULL,\n"
	"  kind INTEGER NOT NULL,\n"
	"  body BLOB NOT NULL,\n" /* judge.v1.Event */
	"  PRIMARY KEY (submission, seq)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE UNIQUE INDEX event_end ON event (judgement) WHERE kind IN (6, 7);\n"
	"CREATE TABLE run (\n"
	"  judgement INTEGER NOT NULL REFERENCES judgement (id),\n"
	"  position INTEGER NOT NULL,\n"
	"  body BLOB NOT NULL,\n" /* judge.v1.Run */
	"  PRIMARY KEY (judgement, position)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TRIGGER blob_immutable BEFORE UPDATE ON blob\n"
	"  BEGIN SELECT raise(ABORT, 'a blob never changes'); END;\n"
	"CREATE TRIGGER problem_version_immutable BEFORE UPDATE ON problem_version\n"
	"  BEGIN SELECT raise(ABORT, 'a problem version never changes'); END;\n"
	"CREATE TRIGGER submission_immutable BEFORE UPDATE ON submission\n"
	"  BEGIN SELECT raise(ABORT, 'a submission never changes'); END;\n"
	"CREATE TRIGGER event_immutable BEFORE UPDATE ON event\n"
	"  BEGIN SELECT raise(ABORT, 'an event never changes'); END;\n"
	"CREATE TRIGGER judgement_final BEFORE UPDATE ON judgement WHEN old.state IN (3, 4)\n"
	"  AND (new.state, new.verdict, new.attempt) <> (old.state, old.verdict, old.attempt)\n"
	"  BEGIN SELECT raise(ABORT, 'an ended judgement never changes'); END;\n";

#define SUBMISSION_COLUMNS                                                                         \
	"SELECT s.n, j.id, s.id, s.problem, s.problem_version, s.language, s.author, "             \
	"s.submitted_at_us, j.state, j.verdict, s.tests_total, j.attempt, j.compiler_message, "    \
	"j.message, j.finished_at_us, j.cpu_time_us, j.memory_peak_bytes, s.request_id, "          \
	"j.evidence "

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
	"SELECT s.n, s.id, s.tests_total, j.id, j.attempt, j.state, o.faults, o.lost_leases"
#define BY_JOB                                                                                     \
	"job o CROSS JOIN judgement j ON j.id = o.judgement "                                      \
	"CROSS JOIN submission s ON s.n = j.submission"
#define BY_SUBMISSION "submission s CROSS JOIN judgement j ON j.submission = s.n"

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
	[SQL_NEXT_JOB] = HELD_COLUMNS ", o.lease_until_us IS NOT NULL, o.reason, s.problem, "
				      "s.problem_version, s.language FROM " BY_JOB
				      " WHERE o.lease_until_us IS NULL OR o.lease_until_us <= ?1 "
				      "ORDER BY o.judgement LIMIT 1",
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
			      "memory_peak_bytes = ?8, finished_at_us = ?9 WHERE id = ?1",
};
