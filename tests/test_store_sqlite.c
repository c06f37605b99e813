/* What only the SQLite store has: its folder, its lock, its file, and what happens when the disk is full or lies. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge/store_sqlite_sql.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "tests/store_fixture.h"

static int mounted; /* box.dir is a file system of its own */

static void clean(void)
{
	store_close(box.s);
	box.s = NULL;
	if (mounted)
		(void)umount2(box.dir, MNT_DETACH);
	shelf_close();
}

TestSuite(store_sqlite, .fini = clean, .timeout = 120);

static void assert_refused(int num, const char *says)
{
	struct store *s = store_open(box.url, &box.e);

	cr_assert_null(s);
	cr_assert_eq(box.e.num, num, "%d: %s", box.e.num, box.e.msg);
	cr_assert_not_null(strstr(box.e.msg, says), "%s", box.e.msg);
}

/* An empty folder for a store that is not open. */
static void shelf_empty(void)
{
	shelf_open("sqlite");
	store_close(box.s);
	box.s = NULL;
}

static const char *file_in_box(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", box.dir, name);
	return path;
}

/* Runs SQL on the file of a closed store, as somebody with a tool would. */
static int tamper(const char *sql)
{
	sqlite3 *db;
	int rc = sqlite3_open(file_in_box("gavel.db"), &db);

	cr_assert_eq(rc, SQLITE_OK);
	rc = sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	return rc;
}

Test(store_sqlite, makes_a_private_folder)
{
	struct stat st;

	shelf_empty();
	cr_assert_eq(unlink(file_in_box("gavel.db")), 0);
	cr_assert_eq(unlink(file_in_box("lock")), 0);
	cr_assert_eq(rmdir(box.dir), 0);
	(void)umask(0);
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
	cr_assert_eq(stat(box.dir, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
}

Test(store_sqlite, folders_that_are_refused)
{
	static const mode_t modes[] = {0755, 0750, 0701, 0500, 01700, 0777};

	shelf_empty();
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		cr_assert_eq(chmod(box.dir, modes[i]), 0);
		assert_refused(EPERM, "must be 0700");
	}
	cr_assert_eq(chmod(box.dir, 0700), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(box.dir, 12345, 12345), 0);
		assert_refused(EPERM, "belongs to uid 12345");
		cr_assert_eq(chown(box.dir, 0, 0), 0);
	}
	(void)snprintf(box.url, sizeof(box.url), "sqlite:%s", file_in_box("lock"));
	assert_refused(ENOTDIR, "must be a folder");
	cr_assert_eq(symlink(box.dir, file_in_box("link")), 0);
	(void)snprintf(box.url, sizeof(box.url), "sqlite:%s", file_in_box("link"));
	assert_refused(ENOTDIR, "not a link");
	(void)snprintf(box.url, sizeof(box.url), "sqlite:%s", file_in_box("no/such"));
	assert_refused(ENOENT, "no/such");
}

Test(store_sqlite, one_process_at_a_time)
{
	int status;
	pid_t pid;

	shelf_open("sqlite");
	assert_refused(EBUSY, "in use");
	pid = fork();
	if (pid == 0)
		_exit(store_open(box.url, &box.e) == NULL && box.e.num == EBUSY ? 0 : 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	shelf_reopen();
}

#define NUMBER_(n) #n
#define NUMBER(n)  NUMBER_(n)

Test(store_sqlite, newer_schema_is_refused)
{
	shelf_empty();
	cr_assert_eq(tamper("PRAGMA user_version = 99"), SQLITE_OK);
	assert_refused(EIO, "newer Gavel: its schema has version 99");
	cr_assert_eq(tamper("PRAGMA user_version = " NUMBER(SQL_SCHEMA_VERSION)), SQLITE_OK);
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
}

/* Puts a closed store in place that the first version of the schema made; sql: what happened to it since. */
static void shelf_of_version_1(const char *sql)
{
	AUTO_FREE char *dump = NULL;
	size_t len;

	shelf_empty();
	cr_assert_eq(unlink(file_in_box("gavel.db")), 0);
	cr_assert_eq(io_read_file("tests/store_v1.sql", 1 << 20, &dump, &len, &box.e), 0, "%s",
		     box.e.msg);
	cr_assert_eq(tamper(dump), SQLITE_OK);
	cr_assert_eq(tamper(sql), SQLITE_OK);
}

static int add_row(void *text, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	(void)strncat(text, values[0] ? values[0] : "", 32767 - strlen(text));
	return 0;
}

/* What a query of one column answers, all rows together, from the file of a closed store. */
static const char *ask(const char *sql)
{
	static char text[2][32768];
	static int turn;
	char *out = text[turn++ % 2];
	sqlite3 *db;

	*out = '\0';
	cr_assert_eq(sqlite3_open(file_in_box("gavel.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, add_row, out, NULL), SQLITE_OK, "%s", sql);
	(void)sqlite3_close(db);
	return out;
}

#define SCHEMA "SELECT name || ': ' || sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name"

Test(store_sqlite, older_schema_is_upgraded)
{
	Judge__V1__SubmissionFilter all = JUDGE__V1__SUBMISSION_FILTER__INIT;
	const struct store_rejudging r = {.filter = &all, .reason = "", .request_id = ""};
	static const char *const finished = "5b0c5af174c830e7414174d92be3cba1";
	struct store_rejudging_made made;
	const char *fresh, *upgraded;
	struct store_job job;

	shelf_empty();
	fresh = ask(SCHEMA);
	shelf_close();
	shelf_of_version_1("");
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
	cr_assert_eq(shelf_life(finished).verdict, JUDGE__V1__VERDICT__WRONG_ANSWER);
	cr_assert_eq(shelf_life("13911a3ea1368b9302f89dc7b464ffa9").state,
		     JUDGE__V1__STATE__CANCELLED);
	for (int i = 0; i < 2; i++) {
		shelf_claim(&job);
		cr_assert_str_eq(job.submission, i ? "9ea18cb231aa09dc4a60ae28530e204e"
						   : "1ec8fb15a1620b223456db58fcc556a0");
		cr_assert_eq(job.attempt, i ? 1 : 2);
		cr_assert_str_eq(job.problem_version, shelf_version);
		cr_assert_eq(job.nsources, 2);
		cr_assert_eq(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED), 0, "%s", box.e.msg);
		store_job_release(&job);
	}
	all.all = 1;
	cr_assert_eq(store_create_rejudging(box.s, &r, &made, &box.e), 0, "%s", box.e.msg);
	for (int i = 0; i < 3; i++) {
		shelf_claim(&job);
		cr_assert_eq(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED), 0, "%s", box.e.msg);
		store_job_release(&job);
	}
	cr_assert_eq(store_apply_rejudging(box.s, made.id, 0, &box.e), 0, "%s", box.e.msg);
	cr_assert_eq(shelf_life(finished).verdict, JUDGE__V1__VERDICT__ACCEPTED);
	store_close(box.s);
	box.s = NULL;
	upgraded = ask(SCHEMA);
	cr_assert(strlen(fresh) > 5000 && strcmp(fresh, upgraded) == 0, "%s\n---\n%s", fresh,
		  upgraded);
	cr_assert_str_eq(ask("PRAGMA user_version"), NUMBER(SQL_SCHEMA_VERSION));
}

Test(store_sqlite, an_upgrade_that_fails_changes_nothing)
{
	const char *before, *after;

	shelf_of_version_1("CREATE TABLE rejudged (cake)");
	before = ask(SCHEMA);
	assert_refused(EIO, "already exists");
	after = ask(SCHEMA);
	cr_assert_str_eq(before, after);
	cr_assert_str_eq(ask("PRAGMA user_version"), "1");
}

Test(store_sqlite, database_of_somebody_else_is_refused)
{
	shelf_empty();
	cr_assert_eq(unlink(file_in_box("gavel.db")), 0);
	cr_assert_eq(tamper("CREATE TABLE recipes (cake)"), SQLITE_OK);
	assert_refused(EIO, "not one of Gavel");
}

/* Overwrites the file from this offset on with nonsense. */
static void damage(off_t from, size_t len)
{
	AUTO_CLOSE int fd = open(file_in_box("gavel.db"), O_WRONLY | O_CLOEXEC);
	char *junk = malloc(len);

	cr_assert_geq(fd, 0);
	memset(junk, 0xa5, len);
	cr_assert_eq(pwrite(fd, junk, len, from), (ssize_t)len);
	free(junk);
}

Test(store_sqlite, file_that_is_no_database)
{
	shelf_empty();
	damage(0, 4096);
	assert_refused(EIO, "not a database");
}

Test(store_sqlite, damaged_pages_are_errors)
{
	struct store_submission sub;
	char id[STORE_ID_LEN + 1], first[STORE_ID_LEN + 1];
	Judge__V1__Submission *s;
	struct stat st;
	int existed;

	shelf_open("sqlite");
	memcpy(first, shelf_submit(""), sizeof(first));
	store_close(box.s);
	cr_assert_eq(stat(file_in_box("gavel.db"), &st), 0);
	damage(4096, (size_t)st.st_size - 4096); /* all but the list of tables */
	box.s = store_open(box.url, &box.e);
	if (!box.s) {
		cr_assert_eq(box.e.num, EIO);
		return;
	}
	sub = shelf_submission("", "");
	cr_assert_eq(store_submit(box.s, &sub, id, &existed, &box.e), -1);
	cr_assert_eq(box.e.num, EIO);
	cr_assert_not_null(strstr(box.e.msg, "malformed"), "%s", box.e.msg);
	cr_assert_eq(store_get_submission(box.s, first, 0, &s, &box.e), -1);
	cr_assert_eq(box.e.num, EIO);
}

Test(store_sqlite, damaged_blob_is_an_error)
{
	char hash[STORE_HASH_LEN + 1], *data;
	size_t len;

	shelf_open("sqlite");
	cr_assert_eq(store_put_blob(box.s, "1 2\n", 4, hash, &box.e), 0);
	store_close(box.s);
	cr_assert_eq(tamper("DROP TRIGGER blob_immutable; UPDATE blob SET data = x'00' "
			    "WHERE length(data) = 4"),
		     SQLITE_OK);
	box.s = store_open(box.url, &box.e);
	cr_assert_eq(store_get_blob(box.s, hash, &data, &len, &box.e), -1);
	cr_assert_eq(box.e.num, EIO);
	cr_assert_not_null(strstr(box.e.msg, "damaged"), "%s", box.e.msg);
}

Test(store_sqlite, the_schema_refuses_what_must_not_be)
{
	static const char *const wrong[] = {
		/* a second end of one judgement */
		"INSERT INTO event SELECT submission, seq + 1, judgement, attempt, kind, body "
		"FROM event WHERE kind = 6",
		"INSERT INTO event SELECT submission, seq + 1, judgement, attempt, 7, body "
		"FROM event WHERE kind = 6",
		/* a second current judgement, a verdict that changes, a result without a verdict */
		"INSERT INTO judgement (submission, current, state) VALUES (1, 1, 1)",
		"UPDATE judgement SET verdict = 1",
		"UPDATE judgement SET state = 1, verdict = 0",
		"INSERT INTO judgement (submission, current, state) VALUES (1, 0, 3)",
		/* what is immutable */
		"UPDATE submission SET author = 'me'",
		"UPDATE event SET kind = 1",
		"UPDATE blob SET data = x'00'",
		"UPDATE problem_version SET manifest = ''",
		/* what a rejudging must not do twice, or too early */
		"INSERT INTO event SELECT submission, seq + i, judgement, attempt, 8, body "
		"FROM event, (SELECT 1 AS i UNION SELECT 2) WHERE kind = 6",
		"INSERT INTO rejudged (rejudging, submission, before, problem_version, "
		"old_verdict) "
		"SELECT 1 + i, 1, 1, '', 2 FROM (SELECT 0 AS i UNION SELECT 1)",
		"UPDATE rejudging SET state = 3, ended_at_us = 1 WHERE n = 1",
		"UPDATE rejudging SET state = 1, ended_at_us = 0 WHERE n = 2",
		/* references */
		"DELETE FROM blob",
		"DELETE FROM problem_version",
		"INSERT INTO job (judgement) VALUES (77)",
		"UPDATE submission SET n = 5",
		/* types */
		"UPDATE store SET incarnation = 'x'",
	};
	struct store_job job;

	shelf_open("sqlite");
	(void)shelf_submit("");
	shelf_claim(&job);
	cr_assert_eq(shelf_finish(&job, JUDGE__V1__VERDICT__WRONG_ANSWER), 0);
	store_job_release(&job);
	store_close(box.s);
	box.s = NULL;
	cr_assert_eq(tamper("INSERT INTO rejudging (n, id, content, state, filter, reason, "
			    "same_version, created_at_us, total, ended_at_us) VALUES "
			    "(1, '00000000000000000000000000000001', '', 1, x'', '', 0, 1, 1, 0), "
			    "(2, '00000000000000000000000000000002', '', 4, x'', '', 0, 1, 1, 9)"),
		     SQLITE_OK);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_eq(tamper(wrong[i]), SQLITE_CONSTRAINT, "%s", wrong[i]);
}

/* A store on a file system of its own with this many kilobytes, seen by this process alone. */
static void shelf_on_small_disk(const char *size)
{
	shelf_empty();
	if (unshare(CLONE_NEWNS) < 0)
		cr_skip_test("needs a mount namespace");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", box.dir, "tmpfs", 0, size), 0);
	mounted = 1;
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
	cr_assert_eq(shelf_add_problem("sum", shelf_version), 0);
}

Test(store_sqlite, read_only_disk)
{
	shelf_on_small_disk("size=8m,mode=0700");
	store_close(box.s);
	box.s = NULL;
	cr_assert_eq(mount(NULL, box.dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_refused(EROFS, "Read-only file system");
}

/* Puts different blobs until none fits; returns how many did. */
static int fill(size_t size)
{
	char *data = calloc(1, size), hash[STORE_HASH_LEN + 1];
	int n = 0;

	while (n < 1000 &&
	       (memcpy(data, &n, sizeof(n)), store_put_blob(box.s, data, size, hash, &box.e) == 0))
		n++;
	free(data);
	return n;
}

Test(store_sqlite, full_disk)
{
	const char *id;
	char spare[STORE_HASH_LEN + 1];
	AUTO_CLOSE int ballast = -1;
	struct store_job job;

	shelf_on_small_disk("size=8m,mode=0700");
	ballast = open(file_in_box("ballast"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(posix_fallocate(ballast, 0, 2 << 20), 0);
	id = shelf_submit("");
	cr_assert_gt(fill(200000), 3);
	cr_assert_eq(box.e.num, EIO, "%d %s", box.e.num, box.e.msg);
	cr_assert_not_null(strstr(box.e.msg, "full"), "%s", box.e.msg);
	(void)fill(16);
	cr_assert_eq(shelf_life(id).events, 1); /* what was there can be read */
	cr_assert_eq(ftruncate(ballast, 0), 0);
	cr_assert_eq(store_put_blob(box.s, "x", 1, spare, &box.e), 0, "%s", box.e.msg);
	shelf_claim(&job);
	cr_assert_eq(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED), 0, "%s", box.e.msg);
	store_job_release(&job);
	shelf_reopen();
	cr_assert_eq(shelf_life(id).verdict, JUDGE__V1__VERDICT__ACCEPTED);
}

/* Many callers at a disk on which only small things fit: the big ones must not take the small ones with them. */
static atomic_int small_ok, small_lost, big_ok;

static void *put_small(void *arg)
{
	struct err e;
	char hash[STORE_HASH_LEN + 1];

	for (int i = 0; i < 20; i++) {
		int rc = store_put_blob(arg, &i, sizeof(i), hash, &e);

		(void)atomic_fetch_add(rc == 0 ? &small_ok : &small_lost, 1);
	}
	return NULL;
}

static void *put_big(void *arg)
{
	static char data[16 << 20];
	char hash[STORE_HASH_LEN + 1];
	struct err e;

	for (int i = 0; i < 5; i++)
		if (store_put_blob(arg, data, sizeof(data), hash, &e) == 0)
			(void)atomic_fetch_add(&big_ok, 1);
	return NULL;
}

Test(store_sqlite, a_lost_transaction_spoils_nobody_else)
{
	pthread_t threads[6];

	shelf_on_small_disk("size=8m,mode=0700");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, i % 3 ? put_small : put_big, box.s),
			     0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	cr_assert_eq(big_ok, 0);
	cr_assert_eq(small_lost, 0);
	cr_assert_eq(small_ok, 80);
}

#ifdef FAILPOINTS
/* Submits three times on a fresh store with this failpoint set; returns how many a new process finds. */
static uint32_t submitted_before_death(const char *failpoint)
{
	uint32_t queued = 0, running;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)setenv("GAVEL_FAILPOINT", failpoint, 1);
		box.s = store_open(box.url, &box.e);
		if (!box.s || shelf_add_problem("sum", shelf_version) < 0)
			_exit(1);
		for (int i = 0; i < 3; i++)
			(void)shelf_submit("");
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (strchr(failpoint, ':'))
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
	else
		cr_assert_eq(status, 0);
	pid = fork();
	if (pid == 0) {
		box.s = store_open(box.url, &box.e);
		if (!box.s || store_counts(box.s, &queued, &running, &box.e) < 0)
			_exit(99);
		_exit((int)queued);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return (uint32_t)WEXITSTATUS(status);
}

Test(store_sqlite, failpoints_kill_where_they_say)
{
	static const struct {
		const char *failpoint;
		uint32_t left;
	} cases[] = {{"submit.before:1", 0},
		     {"submit.before:3", 2},
		     {"submit.after:1", 1},
		     {"submit.after:3", 3},
		     {"submit.after", 3}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(box.dir, sizeof(box.dir), "/tmp/gavel-store-XXXXXX");
		cr_assert_not_null(mkdtemp(box.dir));
		(void)snprintf(box.url, sizeof(box.url), "sqlite:%s", box.dir);
		cr_assert_eq(submitted_before_death(cases[i].failpoint), cases[i].left, "%s",
			     cases[i].failpoint);
		shelf_close();
	}
}
#endif
