#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/job.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/measure.h"
#include "judge/problem.h"
#include "judge/queue.h"
#include "judge/store.h"
#include "judge/worker.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "tests/sandbox_peer.h"

/*
 * A real store, real rules and real packages; only the sandbox is a peer that fails on demand.  One world a process: Criterion
 * runs each test in its own.
 */
static struct {
	char dir[32], program[64], jury[64];
	struct store *store;
	struct languages languages;
	struct queue bell;
	struct peer program_peer, jury_peer;
	struct worker_pool *pool;
	char version[2][PROBLEM_HASH_LEN + 1]; /* of "plain" and "judged" */
} world;

static void write_file(const char *path, const char *text)
{
	char full[256];
	struct err e;

	snprintf(full, sizeof(full), "%s/%s", world.dir, path);
	for (char *p = full + strlen(world.dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	AUTO_CLOSE int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	cr_assert(ge(int, fd, 0), "%s", full);
	cr_assert(zero(int, io_write_all(fd, text, strlen(text), &e)));
}

static void write_package(const char *name, const char *yaml)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{".timelimit", "1\n"},
		{"data/sample/1.in", "one\n"},
		{"data/sample/1.ans", "one\n"},
		{"data/secret/1.in", "two\n"},
		{"data/secret/1.ans", "two\n"},
		{"data/secret/2.in", "three\n"},
		{"data/secret/2.ans", "three\n"},
		{"submissions/accepted/a.c", "right"},
	};
	char path[128];

	snprintf(path, sizeof(path), "%s/problem.yaml", name);
	write_file(path, yaml);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i].path);
		write_file(path, files[i].text);
	}
}

static void import(const char *name, char *version)
{
	struct jury_builder b = {world.jury, &world.languages, 5000, world.program};
	const struct problem_makers make = {jury_build, measure_time_limit, &b};
	char path[128];
	struct err e;
	int changed;

	snprintf(path, sizeof(path), "%s/%s", world.dir, name);
	cr_assert(zero(int, problem_import(world.store, path, &make, version, &changed, &e)), "%s",
		  e.msg);
}

static void ring(void *arg, enum store_change change, const char *submission)
{
	(void)arg;
	(void)submission;
	if (change == STORE_QUEUED)
		queue_ring(&world.bell);
}

/* Apart from the rest: what fails there is cleaned up by close_world(), what fails here is not. */
static void make_folder(void)
{
	snprintf(world.dir, sizeof(world.dir), "/tmp/gavel-worker-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(world.dir), NULL));
}

static void open_world(void)
{
	char url[64];
	struct err e;

	snprintf(url, sizeof(url), "sqlite:%s/state", world.dir);
	snprintf(world.program, sizeof(world.program), "%s/program.sock", world.dir);
	snprintf(world.jury, sizeof(world.jury), "%s/jury.sock", world.dir);
	queue_init(&world.bell);
	cr_assert(zero(int, languages_load("rules/languages", &world.languages, &e)), "%s", e.msg);
	for (size_t i = 0; i < world.languages.n; i++)
		if (strcmp(world.languages.items[i].name, "c") == 0)
			language_set_found(&world.languages.items[i], "peer 1.0", 8);
	world.store = store_open(url, &e);
	cr_assert(ne(ptr, world.store, NULL), "%s", e.msg);
	store_on_commit(world.store, ring, NULL);
	peer_open(&world.jury_peer, world.jury);
	write_package("plain", "name: Plain\n");
	import("plain", world.version[0]);
}

static void open_peer(void)
{
	peer_open(&world.program_peer, world.program);
}

static void open_pool(unsigned workers, int64_t lease_us)
{
	struct worker_config c = {
		.store = world.store,
		.bell = &world.bell,
		.program_socket = world.program,
		.jury_socket = world.jury,
		.languages = &world.languages,
		.workers = workers,
		.lease_us = lease_us,
		.cache_bytes = 1 << 20,
	};
	struct err e;

	world.pool = worker_pool_open(&c, &e);
	cr_assert(ne(ptr, world.pool, NULL), "%s", e.msg);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void close_world(void)
{
	worker_pool_close(world.pool, 0);
	if (world.program_peer.path[0])
		peer_close(&world.program_peer);
	if (world.jury_peer.path[0])
		peer_close(&world.jury_peer);
	if (world.store)
		store_close(world.store);
	languages_release(&world.languages);
	nftw(world.dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *submit_to(int problem, const char *text)
{
	static char ids[64][STORE_ID_LEN + 1];
	static size_t n;
	char *id = ids[n++ % ARRAY_LEN(ids)];
	Judge__V1__SourceFile file = JUDGE__V1__SOURCE_FILE__INIT;
	Judge__V1__SourceFile *files[] = {&file};
	struct store_submission s = {.problem = problem ? "judged" : "plain",
				     .problem_version = world.version[problem],
				     .language = "c",
				     .author = "",
				     .request_id = "",
				     .tests_total = 3,
				     .sources = files,
				     .nsources = 1};
	struct err e;
	int existed;

	file.name = "main.c";
	file.content = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
	cr_assert(zero(int, store_submit(world.store, &s, id, &existed, &e)), "%s", e.msg);
	return id;
}

static const char *submit(const char *text)
{
	return submit_to(0, text);
}

static Judge__V1__Submission *look(const char *id)
{
	Judge__V1__Submission *s;
	struct err e;

	cr_assert(zero(int, store_get_submission(world.store, id, 0, &s, &e)), "%s", e.msg);
	return s;
}

static void forget(Judge__V1__Submission *s)
{
	judge__v1__submission__free_unpacked(s, NULL);
}

/* Waits until the submission is in this state; the caller forgets it. */
static Judge__V1__Submission *await(const char *id, Judge__V1__State state)
{
	for (int i = 0; i < 2000; i++) {
		Judge__V1__Submission *s = look(id);

		if (s->state == state)
			return s;
		forget(s);
		usleep(10000);
	}
	cr_fatal("never came to state %d", (int)state);
	return NULL;
}

/* "Q C D T T F" for QUEUED, COMPILING, COMPILED, two TEST, FINISHED; R is RESTARTED. */
static const char *events_of(const char *id)
{
	static const char letters[] = "?QCDTRFX";
	static char out[256];
	Judge__V1__Event **events;
	struct err e;
	size_t n;
	int ended;

	out[0] = '\0';
	cr_assert(zero(int, store_events(world.store, id, 0, 100, &events, &n, &ended, &e)));
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(out);

		snprintf(out + used, sizeof(out) - used, "%c", letters[events[i]->kind]);
		judge__v1__event__free_unpacked(events[i], NULL);
	}
	free(events);
	return out;
}

static void expect_verdict(const char *text, Judge__V1__Verdict verdict, size_t runs,
			   const char *events)
{
	const char *id = submit(text);
	Judge__V1__Submission *s = await(id, JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, (int)verdict), "%s", text);
	cr_expect(eq(sz, s->n_runs, runs), "%s", text);
	cr_expect(eq(str, (char *)events_of(id), (char *)events), "%s", text);
	forget(s);
}

TestSuite(worker, .init = make_folder, .fini = close_world, .timeout = 60);

Test(worker, tests_run_in_order_up_to_the_first_failure)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	expect_verdict("right", JUDGE__V1__VERDICT__ACCEPTED, 3, "QCDTTTF");
	expect_verdict("wrong", JUDGE__V1__VERDICT__WRONG_ANSWER, 1, "QCDTF");
	expect_verdict("crash", JUDGE__V1__VERDICT__RUN_TIME_ERROR, 1, "QCDTF");
	expect_verdict("ce", JUDGE__V1__VERDICT__COMPILE_ERROR, 0, "QCDF");
	cr_expect(eq(int, world.program_peer.runs, 5));
}

Test(worker, a_result_comes_with_its_evidence)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit("right"), JUDGE__V1__STATE__FINISHED);

	cr_assert(eq(sz, s->n_runs, 3));
	cr_expect(eq(str, s->runs[0]->name, "sample/1"));
	cr_expect(eq(str, s->runs[2]->name, "secret/2"));
	cr_expect(eq(u64, s->runs[0]->usage->cpu_time_us, 1000));
	cr_expect(eq(u64, s->memory_peak_bytes, 4096));
	cr_assert(ne(ptr, s->evidence, NULL));
	cr_expect(eq(str, s->evidence->compiler_version, "peer 1.0"));
	cr_expect(eq(str, s->evidence->sandbox_rules_hash, "c0ffee"));
	cr_expect(eq(sz, strlen(s->evidence->language_rule_hash), 64));
	cr_expect(gt(u64, s->evidence->cpu_limit_us, 0));
	cr_expect(eq(u64, s->evidence->wall_limit_us, 2 * s->evidence->cpu_limit_us + 1000000));
	forget(s);
}

Test(worker, what_the_compiler_says_is_made_harmless)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit("ce"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(str, s->compiler_message, "main.c:1: no \xef\xbf\xbd[31m\xef\xbf\xbd"), "%s",
		  s->compiler_message);
	forget(s);
}

Test(worker, a_cell_that_dies_once_is_replaced_unseen)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	const char *id = submit("right die_first");
	Judge__V1__Submission *s = await(id, JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	cr_expect(eq(u32, s->attempt, 1));
	cr_expect(eq(str, (char *)events_of(id), "QCDTTTF"));
	cr_expect(eq(int, world.program_peer.deaths, 1));
	forget(s);
}

Test(worker, a_job_that_kills_every_cell_ends_as_judge_error)
{
	open_world();
	open_peer();
	open_pool(2, 30000000);
	Judge__V1__Submission *s = await(submit("die"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__JUDGE_ERROR));
	cr_expect(eq(u32, s->attempt, STORE_MAX_FAULTS));
	cr_expect(ne(ptr, strstr(s->message, "sandboxd closed the connection"), NULL), "%s",
		  s->message);
	cr_expect(eq(int, world.program_peer.deaths, STORE_MAX_FAULTS *JOB_LOSSES_MAX));
	forget(s);
	expect_verdict("right", JUDGE__V1__VERDICT__ACCEPTED, 3, "QCDTTTF");
}

Test(worker, faults_of_the_sandbox_itself_are_tried_again_and_named)
{
	static const struct {
		const char *text, *says;
	} cases[] = {{"broken", "test sample/1: out of order"},
		     {"refused", "test sample/1: sandbox: policy: no rule"}};

	open_world();
	open_peer();
	open_pool(1, 30000000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Judge__V1__Submission *s = await(submit(cases[i].text), JUDGE__V1__STATE__FINISHED);

		cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__JUDGE_ERROR));
		cr_expect(eq(u32, s->attempt, STORE_MAX_FAULTS));
		cr_expect(ne(ptr, strstr(s->message, cases[i].says), NULL), "%s", s->message);
		forget(s);
	}
}

Test(worker, a_program_that_cannot_be_executed_is_its_authors_fault)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit("library"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__RUN_TIME_ERROR));
	cr_expect(eq(u32, s->attempt, 1));
	cr_assert(eq(sz, s->n_runs, 1));
	cr_expect(eq(int, s->runs[0]->usage->exit_code, 126));
	cr_expect(ne(ptr, strstr(s->runs[0]->message, "Permission denied"), NULL), "%s",
		  s->runs[0]->message);
	forget(s);
}

Test(worker, a_program_that_cannot_be_kept_is_a_compile_error_made_harmless)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit("untidy"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__COMPILE_ERROR));
	cr_expect(ne(ptr, strstr(s->compiler_message, "files are larger than allowed: a"), NULL),
		  "%s", s->compiler_message);
	cr_expect(eq(ptr, strchr(s->compiler_message, '\x1b'), NULL));
	forget(s);
}

Test(worker, a_language_that_is_not_here_is_named)
{
	open_world();
	open_peer();
	for (size_t i = 0; i < world.languages.n; i++)
		if (strcmp(world.languages.items[i].name, "c") == 0)
			language_set_missing(&world.languages.items[i], "no compiler");
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit("right"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__JUDGE_ERROR));
	cr_expect(
		ne(ptr, strstr(s->message, "language c is not available here: no compiler"), NULL),
		"%s", s->message);
	forget(s);
}

Test(worker, without_sandboxd_jobs_wait_and_are_not_blamed)
{
	open_world();
	open_pool(2, 30000000);
	const char *id = submit("right");

	usleep(1000000);
	Judge__V1__Submission *s = look(id);

	cr_expect(ne(int, (int)s->state, JUDGE__V1__STATE__FINISHED));
	/* Claimed at most once by each worker before they knew; then they ask before they claim. */
	cr_expect(le(u32, s->attempt, 2));
	forget(s);
	open_peer();
	s = await(id, JUDGE__V1__STATE__FINISHED);
	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	forget(s);
}

Test(worker, a_cancelled_job_is_dropped_while_it_runs)
{
	struct err e;

	open_world();
	open_peer();
	open_pool(1, 1000000);
	const char *id = submit("hang");

	while (world.program_peer.running == 0)
		usleep(1000);
	cr_assert(zero(int, store_cancel(world.store, id, &e)), "%s", e.msg);
	/* The only worker must come free for this one. */
	expect_verdict("right", JUDGE__V1__VERDICT__ACCEPTED, 3, "QCDTTTF");
	cr_expect(eq(str, (char *)events_of(id), "QCDX"));
}

Test(worker, leases_are_renewed_while_a_job_runs)
{
	open_world();
	open_peer();
	open_pool(2, 1000000);
	const char *id = submit("slow"); /* three times longer than the lease */
	Judge__V1__Submission *s = await(id, JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	cr_expect(eq(u32, s->attempt, 1));
	cr_expect(eq(str, (char *)events_of(id), "QCDTTTF"));
	forget(s);
}

Test(worker, draining_gives_back_what_does_not_finish)
{
	open_world();
	open_peer();
	open_pool(2, 30000000);
	const char *id = submit("hang");
	const char *quick;
	int64_t before;

	while (world.program_peer.running == 0)
		usleep(1000);
	before = io_monotonic_us();
	worker_pool_close(world.pool, 200);
	world.pool = NULL;
	cr_expect(lt(i64, io_monotonic_us() - before, 10000000));
	Judge__V1__Submission *s = look(id);

	cr_expect(eq(int, (int)s->state, JUDGE__V1__STATE__QUEUED));
	forget(s);
	quick = submit("right");
	s = look(quick);
	cr_expect(eq(int, (int)s->state, JUDGE__V1__STATE__QUEUED));
	forget(s);
}

Test(worker, draining_does_not_wait_for_a_cell)
{
	open_world();
	open_peer();
	world.program_peer.mute = 1;
	open_pool(1, 30000000);
	const char *id = submit("right");
	int64_t before;

	while (world.program_peer.cells == 0)
		usleep(1000);
	before = io_monotonic_us();
	worker_pool_close(world.pool, 100);
	world.pool = NULL;
	cr_expect(lt(i64, io_monotonic_us() - before, 10000000));
	Judge__V1__Submission *s = look(id);

	cr_expect(eq(int, (int)s->state, JUDGE__V1__STATE__QUEUED));
	forget(s);
}

Test(worker, draining_lets_finish_what_can)
{
	open_world();
	open_peer();
	open_pool(1, 30000000);
	const char *id = submit("slow");

	while (world.program_peer.running == 0)
		usleep(1000);
	worker_pool_close(world.pool, 30000);
	world.pool = NULL;
	Judge__V1__Submission *s = look(id);

	cr_expect(eq(int, (int)s->state, JUDGE__V1__STATE__FINISHED));
	forget(s);
}

Test(worker, many_jobs_each_get_one_verdict)
{
	static const char *const texts[] = {"right", "wrong", "ce"};
	const char *ids[36];
	int all[8] = {0};

	open_world();
	open_peer();
	open_pool(3, 30000000);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = submit(texts[i % 3]);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		Judge__V1__Submission *s = await(ids[i], JUDGE__V1__STATE__FINISHED);
		const char *seen = events_of(ids[i]);

		cr_expect(eq(str, (char *)seen,
			     i % 3 == 0   ? "QCDTTTF"
			     : i % 3 == 1 ? "QCDTF"
					  : "QCDF"));
		all[i % 3]++;
		forget(s);
	}
	cr_expect(eq(int, all[0] + all[1] + all[2], 36));
	cr_expect(le(int, world.program_peer.most, 3));
}

/* Loses a job's lease: somebody claims it and is never heard of again. */
static void lose_lease(const char *id)
{
	struct store_job job;
	struct err e;
	int got = 0;

	for (int i = 0; i < 500 && got == 0; i++) {
		got = store_claim(world.store, "gone", 1, &job, &e);
		if (got == 0)
			usleep(10000);
	}
	cr_assert(eq(int, got, 1), "%s", e.msg);
	cr_expect(eq(str, job.submission, (char *)id));
	store_job_release(&job);
	usleep(20000);
}

Test(worker, a_job_that_was_lost_twice_runs_alone)
{
	const char *lost;
	const char *others[4];

	open_world();
	open_peer();
	lost = submit("slow solo");
	lose_lease(lost);
	lose_lease(lost);
	lose_lease(lost);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		others[i] = submit("slow");
	open_pool(3, 30000000);
	Judge__V1__Submission *s = await(lost, JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	cr_expect(eq(u32, s->attempt, 4));
	forget(s);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		forget(await(others[i], JUDGE__V1__STATE__FINISHED));
	cr_expect(zero(int, world.program_peer.crowded));
	cr_expect(gt(int, world.program_peer.most, 1), "the others ran side by side");
}

Test(worker, a_job_ends_before_its_lease_when_the_store_is_stuck)
{
	char path[128];
	sqlite3 *db;
	int64_t since;

	open_world();
	open_peer();
	open_pool(1, 2000000);
	const char *id = submit("hang");

	while (world.program_peer.running == 0)
		usleep(1000);
	snprintf(path, sizeof(path), "%s/state/gavel.db", world.dir);
	cr_assert(eq(int, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK));
	cr_assert(eq(int, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK));
	since = io_monotonic_us();
	while (world.program_peer.running > 0 && io_monotonic_us() - since < 20000000)
		usleep(1000);
	/* Nobody told the worker: its own clock did. */
	cr_expect(zero(int, world.program_peer.running));
	cr_assert(eq(int, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK));
	sqlite3_close(db);
	for (int i = 0; i < 2000 && world.program_peer.runs < 2; i++)
		usleep(10000);
	Judge__V1__Submission *s = look(id);

	cr_expect(gt(u32, s->attempt, 1));
	forget(s);
}

static void open_judged(const char *validator)
{
	write_package("judged", "name: Judged\nvalidation: custom\n");
	write_file("judged/output_validators/validate.c", validator);
	import("judged", world.version[1]);
}

Test(worker, a_validator_of_the_problem_decides)
{
	open_world();
	open_peer();
	open_judged("int main(void) { return 42; }");
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit_to(1, "right"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	cr_assert(eq(sz, s->n_runs, 3));
	cr_expect(eq(str, s->runs[1]->message, "said the validator"));
	forget(s);
	s = await(submit_to(1, "wrong"), JUDGE__V1__STATE__FINISHED);
	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__WRONG_ANSWER));
	cr_expect(eq(sz, s->n_runs, 1));
	forget(s);
}

Test(worker, without_the_jurys_pool_nothing_is_claimed_over_and_over)
{
	open_world();
	open_peer();
	open_judged("int main(void) { return 42; }");
	peer_close(&world.jury_peer);
	open_pool(1, 30000000);
	const char *id = submit_to(1, "right");

	sleep(2);
	Judge__V1__Submission *s = look(id);

	cr_expect(eq(int, (int)s->state, JUDGE__V1__STATE__QUEUED));
	cr_expect(le(u32, s->attempt, 2));
	forget(s);
	peer_open(&world.jury_peer, world.jury);
	s = await(id, JUDGE__V1__STATE__FINISHED);
	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__ACCEPTED));
	forget(s);
}

Test(worker, a_confused_validator_is_a_judge_error_with_its_words)
{
	open_world();
	open_peer();
	open_judged("confused");
	open_pool(1, 30000000);
	Judge__V1__Submission *s = await(submit_to(1, "right"), JUDGE__V1__STATE__FINISHED);

	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__JUDGE_ERROR));
	cr_expect(ne(ptr, strstr(s->message, "exit code 1, neither 42 nor 43"), NULL), "%s",
		  s->message);
	cr_expect(ne(ptr, strstr(s->message, "said the validator"), NULL), "%s", s->message);
	forget(s);
	/* A program that fails by itself is not shown to the validator. */
	s = await(submit_to(1, "crash"), JUDGE__V1__STATE__FINISHED);
	cr_expect(eq(int, (int)s->verdict, JUDGE__V1__VERDICT__RUN_TIME_ERROR));
	forget(s);
}
