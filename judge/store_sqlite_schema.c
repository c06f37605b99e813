#include "judge/store_sqlite_sql.h"

/*
 * What must never happen is refused here too: a second end of a judgement (event_end), a second current judgement, a verdict
 * without an end, a change to what is immutable.  A job row exists while its judgement waits (no lease) or runs (lease).
 * lease_until_us is of the monotonic clock: a lease never outlives the process that gave it, so clock steps cannot end one.
 *
 * The schema is the sum of its steps: a new store goes through all of them, one that an older Gavel made through those that
 * it lacks.  A step that has been released is never edited.
 */
static const char first[] =
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

/*
 * A judgement of a rejudging names it, and the problem version and number of tests when they need not be the submission's.
 * rejudged.open: no other rejudging may take this submission, and what is left to do when the rejudging ends (tell
 * the watchers, drop the job) has not been done for it.  Its verdicts are copies, so that the difference is one scan.
 */
static const char rejudgings[] =
	"CREATE TABLE rejudging (\n"
	"  n INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"  id TEXT NOT NULL UNIQUE CHECK (length(id) = 32),\n"
	"  request_id TEXT UNIQUE,\n"
	"  content TEXT NOT NULL,\n" /* hash of what makes it the same when the request comes again */
	"  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),\n" /* 0: submissions are being added */
	"  filter BLOB NOT NULL,\n"                                 /* judge.v1.SubmissionFilter */
	"  reason TEXT NOT NULL,\n"
	"  same_version INTEGER NOT NULL CHECK (same_version IN (0, 1)),\n"
	"  created_at_us INTEGER NOT NULL,\n"
	"  ended_at_us INTEGER NOT NULL DEFAULT 0,\n"
	"  total INTEGER NOT NULL DEFAULT 0,\n"
	"  judged INTEGER NOT NULL DEFAULT 0 CHECK (judged BETWEEN 0 AND total),\n"
	"  changed INTEGER NOT NULL DEFAULT 0 CHECK (changed BETWEEN 0 AND judged),\n"
	"  judge_errors INTEGER NOT NULL DEFAULT 0 CHECK (judge_errors BETWEEN 0 AND judged),\n"
	"  left_out INTEGER NOT NULL DEFAULT 0,\n"
	"  CHECK (state NOT IN (2, 3) OR judged = total),\n"
	"  CHECK ((state IN (3, 4)) = (ended_at_us <> 0))\n"
	") STRICT;\n"
	"CREATE INDEX rejudging_state ON rejudging (state);\n"
	"ALTER TABLE judgement ADD COLUMN rejudging INTEGER REFERENCES rejudging (n);\n"
	"ALTER TABLE judgement ADD COLUMN problem_version TEXT;\n"
	"ALTER TABLE judgement ADD COLUMN tests_total INTEGER;\n"
	"CREATE INDEX judgement_submission ON judgement (submission);\n"
	"CREATE TABLE rejudged (\n"
	"  rejudging INTEGER NOT NULL REFERENCES rejudging (n),\n"
	"  submission INTEGER NOT NULL REFERENCES submission (n),\n"
	"  before INTEGER NOT NULL REFERENCES judgement (id),\n"
	"  after INTEGER REFERENCES judgement (id),\n" /* NULL: waits */
	"  problem_version TEXT NOT NULL,\n"
	"  old_verdict INTEGER NOT NULL CHECK (old_verdict BETWEEN 1 AND 9),\n"
	"  new_verdict INTEGER NOT NULL DEFAULT 0 CHECK (new_verdict BETWEEN 0 AND 9),\n"
	"  changed INTEGER NOT NULL DEFAULT 0 CHECK (changed IN (0, 1)),\n"
	"  open INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),\n"
	"  PRIMARY KEY (rejudging, submission)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE UNIQUE INDEX rejudged_open ON rejudged (submission) WHERE open = 1;\n"
	"CREATE INDEX rejudged_unsettled ON rejudged (rejudging) WHERE open = 1;\n"
	"CREATE INDEX rejudged_waiting ON rejudged (rejudging) WHERE open = 1 AND after IS NULL;\n"
	"ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;\n" /* 1: of a rejudging */
	"CREATE INDEX job_order ON job (priority);\n"
	"CREATE UNIQUE INDEX event_rejudged ON event (judgement) WHERE kind = 8;\n"
	"CREATE TRIGGER rejudging_final BEFORE UPDATE ON rejudging WHEN old.state IN (3, 4)\n"
	"  AND (new.state, new.ended_at_us) <> (old.state, old.ended_at_us)\n"
	"  BEGIN SELECT raise(ABORT, 'an ended rejudging never changes'); END;\n";

static const char scores[] =
	"ALTER TABLE judgement ADD COLUMN score BLOB;\n" /* judge.v1.Score; NULL: none */
	"CREATE TRIGGER judgement_score_final BEFORE UPDATE OF score ON judgement\n"
	"  WHEN old.state IN (3, 4) AND new.score IS NOT old.score\n"
	"  BEGIN SELECT raise(ABORT, 'the score of an ended judgement never changes'); END;\n";

const char *const sql_schema[SQL_SCHEMA_VERSION] = {first, rejudgings, scores};
