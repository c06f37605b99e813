#include "tests/store_fixture.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct shelf box;

const char shelf_version[STORE_HASH_LEN + 1] =
	"1111111111111111111111111111111111111111111111111111111111111111";

static Judge__V1__SourceFile files[2];
static Judge__V1__SourceFile *sources[2] = {&files[0], &files[1]};

void shelf_open(const char *kind)
{
	(void)snprintf(box.dir, sizeof(box.dir), "/tmp/gavel-store-XXXXXX");
	cr_assert_not_null(mkdtemp(box.dir));
	(void)snprintf(box.url, sizeof(box.url), "%s:%s", kind, box.dir);
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
	cr_assert_eq(shelf_add_problem("sum", shelf_version), 0, "%s", box.e.msg);
}

void shelf_reopen(void)
{
	store_close(box.s);
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void shelf_close(void)
{
	store_close(box.s);
	box.s = NULL;
	if (*box.dir)
		(void)nftw(box.dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	*box.dir = '\0';
}

int shelf_add_problem(const char *name, const char *version)
{
	Judge__V1__Problem summary = JUDGE__V1__PROBLEM__INIT;
	struct store_problem p = {
		.name = (char *)name, .title = "A title", .manifest = "{}", .summary = &summary};

	summary.name = (char *)name;
	summary.version = (char *)version;
	summary.tests = 3;
	memcpy(p.version, version, STORE_HASH_LEN);
	return store_add_problem(box.s, &p, &box.e);
}

struct store_submission shelf_submission(const char *author, const char *request_id)
{
	static const char text[] = "int main(void) { return 0; }";

	judge__v1__source_file__init(&files[0]);
	judge__v1__source_file__init(&files[1]);
	files[0].name = "main.c";
	files[0].content = (ProtobufCBinaryData){sizeof(text) - 1, (uint8_t *)text};
	files[1].name = "nul.h";
	files[1].content = (ProtobufCBinaryData){3, (uint8_t *)"a\0b"};
	return (struct store_submission){
		.problem = "sum",
		.problem_version = shelf_version,
		.language = "c",
		.author = author,
		.request_id = request_id,
		.tests_total = 3,
		.sources = sources,
		.nsources = 2,
	};
}

const char *shelf_submit(const char *author)
{
	static char ids[8][STORE_ID_LEN + 1];
	static int turn;
	struct store_submission sub = shelf_submission(author, "");
	char *id = ids[turn++ % 8];
	int existed = 1;

	cr_assert_eq(store_submit(box.s, &sub, id, &existed, &box.e), 0, "%s", box.e.msg);
	cr_assert_eq(existed, 0);
	return id;
}

void shelf_claim(struct store_job *job)
{
	int rc = store_claim(box.s, "worker", BOX_LEASE_US, job, &box.e);

	cr_assert_eq(rc, 1, "claim gave %d: %s", rc, box.e.msg);
}

int shelf_finish(const struct store_job *job, Judge__V1__Verdict verdict)
{
	Judge__V1__Usage usage[2] = {JUDGE__V1__USAGE__INIT, JUDGE__V1__USAGE__INIT};
	Judge__V1__Run run[2] = {JUDGE__V1__RUN__INIT, JUDGE__V1__RUN__INIT};
	Judge__V1__Run *runs[2] = {&run[0], &run[1]};
	Judge__V1__Evidence evidence = JUDGE__V1__EVIDENCE__INIT;
	Judge__V1__Score score = JUDGE__V1__SCORE__INIT;
	Judge__V1__GroupResult group = JUDGE__V1__GROUP_RESULT__INIT;
	Judge__V1__GroupResult *groups[] = {&group};
	struct store_result r = {
		.verdict = verdict,
		.message = "why",
		.compiler_message = "warning: x",
		.runs = runs,
		.nruns = 2,
		.evidence = &evidence,
		.score = &score,
	};

	evidence.host = "here";
	score.score = "33.333333333";
	score.groups = groups;
	score.n_groups = 1;
	group.name = "secret/1";
	group.score = "33.333333333";
	for (int i = 0; i < 2; i++) {
		usage[i].cpu_time_us = 1000 - (uint64_t)i;
		usage[i].memory_peak_bytes = 2000 + (uint64_t)i;
		run[i].usage = &usage[i];
		run[i].test = (uint32_t)i + 1;
		run[i].verdict = verdict;
	}
	return store_finish(box.s, job, &r, &box.e);
}

int shelf_progress(const struct store_job *job)
{
	Judge__V1__Event events[3] = {JUDGE__V1__EVENT__INIT, JUDGE__V1__EVENT__INIT,
				      JUDGE__V1__EVENT__INIT};
	Judge__V1__Event *list[3] = {&events[0], &events[1], &events[2]};
	Judge__V1__Run run = JUDGE__V1__RUN__INIT;

	events[0].kind = JUDGE__V1__EVENT__KIND__COMPILING;
	events[1].kind = JUDGE__V1__EVENT__KIND__COMPILED;
	events[2].kind = JUDGE__V1__EVENT__KIND__TEST;
	events[2].run = &run;
	run.test = 1;
	return store_append_events(box.s, job, list, 3, &box.e);
}

static void life_add(struct shelf_life *life, const Judge__V1__Event *e)
{
	cr_assert_eq(e->seq, ++life->events, "event %u follows %zu", (unsigned)e->seq,
		     life->events - 1);
	cr_assert(life->ends == 0 || e->kind == JUDGE__V1__EVENT__KIND__REJUDGED,
		  "an event after the end");
	life->rejudged += e->kind == JUDGE__V1__EVENT__KIND__REJUDGED;
	life->last = e->verdict;
	life->restarts += e->kind == JUDGE__V1__EVENT__KIND__RESTARTED;
	life->ends += e->kind == JUDGE__V1__EVENT__KIND__FINISHED ||
		      e->kind == JUDGE__V1__EVENT__KIND__CANCELLED;
}

struct shelf_life shelf_life(const char *id)
{
	Judge__V1__Submission *s;
	Judge__V1__Event **events;
	struct shelf_life life = {0};
	size_t n;
	int ended;

	cr_assert_eq(store_get_submission(box.s, id, 0, &s, &box.e), 0, "%s", box.e.msg);
	life.state = s->state;
	life.verdict = s->verdict;
	life.attempt = s->attempt;
	(void)snprintf(life.message, sizeof(life.message), "%s", s->message);
	judge__v1__submission__free_unpacked(s, NULL);
	do {
		cr_assert_eq(store_events(box.s, id, life.events, 2, &events, &n, &ended, &box.e),
			     0, "%s", box.e.msg);
		for (size_t i = 0; i < n; i++) {
			life_add(&life, events[i]);
			judge__v1__event__free_unpacked(events[i], NULL);
		}
		free(events);
	} while (n > 0);
	cr_assert_eq(ended, life.ends == 1);
	return life;
}
