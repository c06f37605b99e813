/* The contract of store.h: every store must pass all of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/scope.h"
#include "tests/store_contract.h"

static void assert_counts(uint32_t queued, uint32_t running)
{
	uint32_t q, r;

	OK(store_counts(box.s, &q, &r, &box.e));
	cr_assert_eq(q, queued, "%u queued, expected %u", q, queued);
	cr_assert_eq(r, running, "%u running, expected %u", r, running);
}

static void assert_no_job(void)
{
	struct store_job job;

	OK(store_claim(box.s, "worker", BOX_LEASE_US, &job, &box.e));
}

Test(store, url_of_no_store)
{
	FAILS(EINVAL, store_open("mysql:x", &box.e) ? 0 : -1);
	FAILS(EINVAL, store_open("", &box.e) ? 0 : -1);
	FAILS(EINVAL, store_open("sqlite:", &box.e) ? 0 : -1);
	cr_assert_not_null(strstr(box.e.msg, "sqlite:DIR"));
}

CONTRACT(blobs)
{
	static const char *const texts[] = {"", "a", "a\0b"};
	static const size_t sizes[] = {0, 1, 3};
	char hash[STORE_HASH_LEN + 1], again[STORE_HASH_LEN + 1];

	for (size_t i = 0; i < 3; i++) {
		char *data;
		size_t len;

		OK(store_put_blob(box.s, texts[i], sizes[i], hash, &box.e));
		OK(store_put_blob(box.s, texts[i], sizes[i], again, &box.e));
		cr_assert_str_eq(hash, again);
		OK(store_get_blob(box.s, hash, &data, &len, &box.e));
		cr_assert_eq(len, sizes[i]);
		cr_assert_arr_eq(data, texts[i], sizes[i] + 1);
		free(data);
	}
	OK(store_put_blob(box.s, "", 0, hash, &box.e)); /* the hash is SHA-256 and no other */
	cr_assert_str_eq(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

CONTRACT(unknown_blob)
{
	char *data;
	size_t len;

	FAILS(ENOENT, store_get_blob(box.s, shelf_version, &data, &len, &box.e));
	FAILS(ENOENT, store_get_blob(box.s, "x", &data, &len, &box.e));
}

CONTRACT(big_blob)
{
	size_t size = 20U << 20, len;
	char *data = malloc(size), *back;
	char hash[STORE_HASH_LEN + 1];

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 2654435761U >> 13);
	OK(store_put_blob(box.s, data, size, hash, &box.e));
	OK(store_get_blob(box.s, hash, &back, &len, &box.e));
	cr_assert_eq(len, size);
	cr_assert_eq(memcmp(data, back, size), 0);
	free(data);
	free(back);
}

CONTRACT(problem_versions)
{
	static const char second[] =
		"2222222222222222222222222222222222222222222222222222222222222222";
	struct store_problem p;

	OK(shelf_add_problem("sum", second));
	OK(store_get_problem(box.s, "sum", NULL, &p, &box.e));
	cr_assert_str_eq(p.version, second);
	cr_assert_str_eq(p.name, "sum");
	cr_assert_str_eq(p.title, "A title");
	cr_assert_str_eq(p.manifest, "{}");
	cr_assert_eq(p.summary->tests, 3);
	store_problem_release(&p);
	OK(store_get_problem(box.s, "sum", shelf_version, &p, &box.e));
	cr_assert_str_eq(p.version, shelf_version);
	store_problem_release(&p);
	OK(shelf_add_problem("sum", shelf_version)); /* back to the first */
	OK(store_get_problem(box.s, "sum", NULL, &p, &box.e));
	cr_assert_str_eq(p.version, shelf_version);
	store_problem_release(&p);
	FAILS(ENOENT, store_get_problem(box.s, "nix", NULL, &p, &box.e));
	FAILS(ENOENT, store_get_problem(box.s, "sum", NO_SUCH_ID, &p, &box.e));
}

CONTRACT(list_problems)
{
	static const char *const names[] = {"b", "a", "sun", "c"};
	static const char *const sorted[] = {"a", "b", "c", "sum", "sun"};
	const char *after = "";
	char last[8] = "";
	size_t seen = 0, n;
	Judge__V1__Problem **list;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		OK(shelf_add_problem(names[i], shelf_version));
	do {
		OK(store_list_problems(box.s, after, 2, &list, &n, &box.e));
		cr_assert_leq(n, 2);
		for (size_t i = 0; i < n; i++) {
			cr_assert_str_eq(list[i]->name, sorted[seen++]);
			memcpy(last, list[i]->name, strlen(list[i]->name) + 1);
			judge__v1__problem__free_unpacked(list[i], NULL);
		}
		free(list);
		after = last;
	} while (n > 0);
	cr_assert_eq(seen, 5);
}

CONTRACT(submission_as_stored)
{
	struct store_submission sub = shelf_submission("team 1", "req-1");
	char id[STORE_ID_LEN + 1];
	Judge__V1__Submission *s;
	int existed;

	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	cr_assert_eq(strspn(id, "0123456789abcdef"), STORE_ID_LEN);
	OK(store_get_submission(box.s, id, 0, &s, &box.e));
	cr_assert_eq(s->n_sources, 0);
	judge__v1__submission__free_unpacked(s, NULL);
	OK(store_get_submission(box.s, id, 1, &s, &box.e));
	cr_assert_str_eq(s->id, id);
	cr_assert_str_eq(s->problem, "sum");
	cr_assert_str_eq(s->problem_version, shelf_version);
	cr_assert_str_eq(s->language, "c");
	cr_assert_str_eq(s->author, "team 1");
	cr_assert_str_eq(s->request_id, "req-1");
	cr_assert_eq(s->state, JUDGE__V1__STATE__QUEUED);
	cr_assert_eq(s->verdict, JUDGE__V1__VERDICT__VERDICT_UNSPECIFIED);
	cr_assert_eq(s->tests_total, 3);
	cr_assert_eq(s->attempt, 0);
	cr_assert_gt(s->submitted_at_us, 1500000000000000);
	cr_assert_eq(s->n_sources, 2);
	cr_assert_str_eq(s->sources[1]->name, "nul.h");
	cr_assert_eq(s->sources[1]->content.len, 3);
	cr_assert_arr_eq(s->sources[1]->content.data, "a\0b", 3);
	judge__v1__submission__free_unpacked(s, NULL);
	FAILS(ENOENT, store_get_submission(box.s, NO_SUCH_ID, 0, &s, &box.e));
	FAILS(ENOENT, store_get_submission(box.s, "' OR 1=1 --", 0, &s, &box.e));
}

CONTRACT(submit_to_unknown_problem)
{
	struct store_submission sub = shelf_submission("", "");
	char id[STORE_ID_LEN + 1];
	int existed;

	sub.problem = "nix";
	FAILS(ENOENT, store_submit(box.s, &sub, id, &existed, &box.e));
	sub = shelf_submission("", "");
	sub.problem_version = NO_SUCH_ID;
	FAILS(ENOENT, store_submit(box.s, &sub, id, &existed, &box.e));
	assert_counts(0, 0);
}

CONTRACT(queue_limit)
{
	struct store_submission sub = shelf_submission("", "r");
	char id[STORE_ID_LEN + 1];
	struct store_job job;
	int existed;

	sub.max_queued = 2;
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	sub.request_id = "";
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	FAILS(ENOSPC, store_submit(box.s, &sub, id, &existed, &box.e));
	assert_counts(2, 0);
	sub.request_id = "r"; /* a repeated one is not a new one */
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	cr_assert_eq(existed, 1);
	shelf_claim(&job); /* one that runs does not wait */
	store_job_release(&job);
	sub.request_id = "";
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
}

CONTRACT(request_id)
{
	static const char second[] =
		"2222222222222222222222222222222222222222222222222222222222222222";
	struct store_submission sub = shelf_submission("team", "r");
	char first[STORE_ID_LEN + 1], id[STORE_ID_LEN + 1];
	int existed;

	OK(store_submit(box.s, &sub, first, &existed, &box.e));
	cr_assert_eq(existed, 0);
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	cr_assert_eq(existed, 1);
	cr_assert_str_eq(id, first);
	shelf_reopen();
	OK(shelf_add_problem("sum",
			     second)); /* the problem was replaced: still the same submission */
	sub.problem_version = second;
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	cr_assert_str_eq(id, first);
	assert_counts(1, 0);

	sub.author = "other";
	FAILS(EEXIST, store_submit(box.s, &sub, id, &existed, &box.e));
	sub = shelf_submission("team", "r");
	sub.language = "cpp";
	FAILS(EEXIST, store_submit(box.s, &sub, id, &existed, &box.e));
	sub = shelf_submission("team", "r");
	sub.nsources = 1;
	FAILS(EEXIST, store_submit(box.s, &sub, id, &existed, &box.e));
	sub = shelf_submission("team", "r");
	sub.sources[0]->content.len--;
	FAILS(EEXIST, store_submit(box.s, &sub, id, &existed, &box.e));
	assert_counts(1, 0);
}

CONTRACT(claim_in_order_and_finish)
{
	char first[STORE_ID_LEN + 1];
	struct store_job job;
	struct shelf_life life;
	Judge__V1__Submission *s;
	Judge__V1__Event **events;
	size_t n;
	int ended;

	assert_no_job();
	memcpy(first, shelf_submit("1"), sizeof(first));
	(void)shelf_submit("2");
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, first);
	cr_assert_eq(job.attempt, 1);
	cr_assert_eq(job.lost_leases, 0);
	cr_assert_eq(job.tests_total, 3);
	cr_assert_str_eq(job.problem, "sum");
	cr_assert_str_eq(job.problem_version, shelf_version);
	cr_assert_str_eq(job.language, "c");
	cr_assert_eq(job.nsources, 2);
	cr_assert_str_eq(job.sources[0]->name, "main.c");
	cr_assert_arr_eq(job.sources[1]->content.data, "a\0b", 3);
	assert_counts(1, 1);
	OK(shelf_progress(&job));
	OK(store_renew(box.s, &job, BOX_LEASE_US, &box.e));
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__WRONG_ANSWER));
	assert_counts(1, 0);
	life = shelf_life(first);
	cr_assert_eq(life.state, JUDGE__V1__STATE__FINISHED);
	cr_assert_eq(life.verdict, JUDGE__V1__VERDICT__WRONG_ANSWER);
	cr_assert_eq(life.events, 5);
	cr_assert_eq(life.ends, 1);
	OK(store_get_submission(box.s, first, 0, &s, &box.e));
	cr_assert_eq(s->n_runs, 2);
	cr_assert_eq(s->runs[1]->test, 2);
	cr_assert_eq(s->cpu_time_us, 1000);
	cr_assert_eq(s->memory_peak_bytes, 2001);
	cr_assert_str_eq(s->compiler_message, "warning: x");
	cr_assert_str_eq(s->message, "why");
	cr_assert_str_eq(s->evidence->host, "here");
	cr_assert_str_eq(s->score->score, "33.333333333");
	cr_assert_str_eq(s->score->groups[0]->name, "secret/1");
	cr_assert_geq(s->finished_at_us, s->submitted_at_us);
	judge__v1__submission__free_unpacked(s, NULL);
	store_job_release(&job);
	OK(store_events(box.s, first, 4, 10, &events, &n, &ended, &box.e));
	cr_assert_eq(n, 1);
	cr_assert_str_eq(events[0]->score->score, "33.333333333");
	judge__v1__event__free_unpacked(events[0], NULL);
	free(events);
}

CONTRACT(result_without_a_verdict)
{
	struct store_job job;

	(void)shelf_submit("");
	shelf_claim(&job);
	FAILS(EINVAL, shelf_finish(&job, JUDGE__V1__VERDICT__VERDICT_UNSPECIFIED));
	FAILS(EINVAL, shelf_finish(&job, (Judge__V1__Verdict)10));
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	store_job_release(&job);
}

CONTRACT(workers_write_no_ends)
{
	static const Judge__V1__Event__Kind kept[] = {
		JUDGE__V1__EVENT__KIND__KIND_UNSPECIFIED, JUDGE__V1__EVENT__KIND__QUEUED,
		JUDGE__V1__EVENT__KIND__RESTARTED, JUDGE__V1__EVENT__KIND__FINISHED,
		JUDGE__V1__EVENT__KIND__CANCELLED};
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT, *list = &event;
	struct store_job job;

	(void)shelf_submit("");
	shelf_claim(&job);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		event.kind = kept[i];
		FAILS(EINVAL, store_append_events(box.s, &job, &list, 1, &box.e));
	}
	store_job_release(&job);
}

static void assert_stale(const struct store_job *job)
{
	FAILS(ESTALE, shelf_finish(job, JUDGE__V1__VERDICT__ACCEPTED));
	FAILS(ESTALE, shelf_progress(job));
	FAILS(ESTALE, store_renew(box.s, job, BOX_LEASE_US, &box.e));
	FAILS(ESTALE, store_hand_back(box.s, job, &box.e));
	FAILS(ESTALE, store_fault(box.s, job, "late", &box.e));
}

CONTRACT(late_result_of_an_old_attempt)
{
	const char *id = shelf_submit("");
	struct store_job old, job;
	struct shelf_life life;

	cr_assert_eq(store_claim(box.s, "slow", 0, &old, &box.e),
		     1);          /* a lease that is over at once */
	OK(shelf_progress(&old)); /* but nobody else took it yet */
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, id);
	cr_assert_eq(job.attempt, 2);
	cr_assert_eq(job.lost_leases, 1);
	assert_stale(&old);
	life = shelf_life(id);
	cr_assert_eq(life.restarts, 1);
	cr_assert_eq(life.state, JUDGE__V1__STATE__RUNNING);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	assert_stale(&old);
	assert_stale(&job);
	life = shelf_life(id);
	cr_assert_eq(life.verdict, JUDGE__V1__VERDICT__ACCEPTED);
	cr_assert_eq(life.events, 6); /* queued, 3 of progress, restarted, finished */
	store_job_release(&old);
	store_job_release(&job);
}

CONTRACT(a_renewed_lease_holds)
{
	struct store_job job;

	(void)shelf_submit("");
	cr_assert_eq(store_claim(box.s, "w", 0, &job, &box.e), 1);
	OK(store_renew(box.s, &job, BOX_LEASE_US, &box.e));
	assert_no_job();
	OK(store_renew(box.s, &job, 0, &box.e));
	store_job_release(&job);
	shelf_claim(&job);
	store_job_release(&job);
}

CONTRACT(lost_leases_have_a_limit)
{
	const char *id = shelf_submit("");
	struct store_job job;
	struct shelf_life life;

	for (uint32_t i = 0; i < STORE_MAX_LOST_LEASES; i++) {
		cr_assert_eq(store_claim(box.s, "w", 0, &job, &box.e), 1);
		cr_assert_eq(job.lost_leases, i);
		cr_assert_eq(job.attempt, i + 1);
		store_job_release(&job);
	}
	assert_no_job();
	life = shelf_life(id);
	cr_assert_eq(life.verdict, JUDGE__V1__VERDICT__JUDGE_ERROR);
	cr_assert_eq(life.ends, 1);
	cr_assert_not_null(strstr(life.message, "lost"), "%s", life.message);
	assert_counts(0, 0);
}

CONTRACT(faults_have_a_limit)
{
	const char *id = shelf_submit("");
	struct store_job job;
	struct shelf_life life;

	for (int i = 0; i < STORE_MAX_FAULTS; i++) {
		shelf_claim(&job);
		OK(store_fault(box.s, &job, "the validator burns", &box.e));
		FAILS(ESTALE, shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
		store_job_release(&job);
	}
	assert_no_job();
	life = shelf_life(id);
	cr_assert_eq(life.verdict, JUDGE__V1__VERDICT__JUDGE_ERROR);
	cr_assert_str_eq(life.message, "the validator burns");
	cr_assert_eq(life.restarts, STORE_MAX_FAULTS - 1);
	cr_assert_eq(life.ends, 1);
}

CONTRACT(handing_back_is_free)
{
	const char *id = shelf_submit("");
	struct store_job job;

	for (int i = 0; i < STORE_MAX_FAULTS + STORE_MAX_LOST_LEASES; i++) {
		shelf_claim(&job);
		cr_assert_eq(job.lost_leases, 0);
		OK(store_hand_back(box.s, &job, &box.e));
		assert_stale(&job);
		cr_assert_eq(shelf_life(id).state, JUDGE__V1__STATE__QUEUED);
		store_job_release(&job);
	}
	shelf_claim(&job);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	store_job_release(&job);
}

CONTRACT(restart_releases_leases)
{
	char done[STORE_ID_LEN + 1], held[STORE_ID_LEN + 1];
	struct store_job old, job;

	memcpy(done, shelf_submit("1"), sizeof(done));
	memcpy(held, shelf_submit("2"), sizeof(held));
	shelf_claim(&job);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	store_job_release(&job);
	shelf_claim(&old);
	cr_assert_str_eq(old.submission, held);
	shelf_reopen();
	assert_counts(1, 0);
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, held);
	cr_assert_eq(job.attempt, 2);
	cr_assert_eq(job.lost_leases, 1);
	assert_stale(&old);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	cr_assert_eq(shelf_life(done).events, 2);
	cr_assert_eq(shelf_life(held).ends, 1);
	store_job_release(&old);
	store_job_release(&job);
}

CONTRACT(restarts_have_a_limit)
{
	const char *id = shelf_submit("");
	struct store_job job;

	for (int i = 0; i < STORE_MAX_LOST_LEASES; i++) {
		shelf_claim(&job);
		store_job_release(&job);
		shelf_reopen();
	}
	assert_no_job();
	cr_assert_eq(shelf_life(id).verdict, JUDGE__V1__VERDICT__JUDGE_ERROR);
}

CONTRACT(cancel)
{
	char waiting[STORE_ID_LEN + 1], running[STORE_ID_LEN + 1];
	struct store_job job;
	struct shelf_life life;

	memcpy(running, shelf_submit("1"), sizeof(running));
	memcpy(waiting, shelf_submit("2"), sizeof(waiting));
	shelf_claim(&job);
	OK(store_cancel(box.s, running, &box.e));
	OK(store_cancel(box.s, waiting, &box.e));
	OK(store_cancel(box.s, waiting, &box.e));
	assert_stale(&job);
	assert_no_job();
	assert_counts(0, 0);
	life = shelf_life(running);
	cr_assert_eq(life.state, JUDGE__V1__STATE__CANCELLED);
	cr_assert_eq(life.verdict, JUDGE__V1__VERDICT__VERDICT_UNSPECIFIED);
	cr_assert_eq(life.ends, 1);
	FAILS(ENOENT, store_cancel(box.s, NO_SUCH_ID, &box.e));
	store_job_release(&job);
}

CONTRACT(cancel_after_the_result)
{
	const char *id = shelf_submit("");
	struct store_job job;

	shelf_claim(&job);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	FAILS(EALREADY, store_cancel(box.s, id, &box.e));
	cr_assert_eq(shelf_life(id).verdict, JUDGE__V1__VERDICT__ACCEPTED);
	store_job_release(&job);
}

CONTRACT(events_resume)
{
	const char *id = shelf_submit("");
	Judge__V1__Event **events;
	struct store_job job;
	size_t n;
	int ended;

	shelf_claim(&job);
	OK(shelf_progress(&job));
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	OK(store_events(box.s, id, 2, 2, &events, &n, &ended, &box.e));
	cr_assert_eq(n, 2);
	cr_assert_eq(ended, 0);
	cr_assert_eq(events[0]->seq, 3);
	cr_assert_eq(events[0]->kind, JUDGE__V1__EVENT__KIND__COMPILED);
	cr_assert_eq(events[0]->attempt, 1);
	cr_assert_eq(events[0]->tests_total, 3);
	cr_assert_gt(events[0]->at_us, 1500000000000000);
	cr_assert_eq(events[1]->run->test, 1);
	for (size_t i = 0; i < n; i++)
		judge__v1__event__free_unpacked(events[i], NULL);
	free(events);
	OK(store_events(box.s, id, 4, 2, &events, &n, &ended, &box.e));
	cr_assert_eq(n, 1);
	cr_assert_eq(ended, 1);
	cr_assert_eq(events[0]->verdict, JUDGE__V1__VERDICT__ACCEPTED);
	judge__v1__event__free_unpacked(events[0], NULL);
	free(events);
	OK(store_events(box.s, id, UINT64_MAX, 2, &events, &n, &ended, &box.e));
	cr_assert_eq(n, 0);
	cr_assert_eq(ended, 1);
	free(events);
	FAILS(ENOENT, store_events(box.s, NO_SUCH_ID, 0, 2, &events, &n, &ended, &box.e));
	store_job_release(&job);
}

/* Walks the list by pages; returns how many it saw, asserting that they go from new to old. */
static size_t walk(const struct store_filter *f, uint32_t page)
{
	AUTO_FREE char *next = strdup("");
	size_t seen = 0, n;
	int64_t last = INT64_MAX;

	do {
		Judge__V1__Submission **list;
		AUTO_FREE char *before = ptr_steal(&next);

		OK(store_list_submissions(box.s, f, before, page, &list, &n, &next, &box.e));
		cr_assert_leq(n, page);
		for (size_t i = 0; i < n; i++) {
			cr_assert_leq(list[i]->submitted_at_us, last);
			last = list[i]->submitted_at_us;
			cr_assert_eq(list[i]->n_runs + list[i]->n_sources, 0);
			cr_assert_str_empty(list[i]->compiler_message);
			judge__v1__submission__free_unpacked(list[i], NULL);
		}
		seen += n;
		free(list);
	} while (*next);
	return seen;
}

CONTRACT(list_with_filters)
{
	struct store_submission sub;
	struct store_job job;
	char id[STORE_ID_LEN + 1];
	int existed;

	OK(shelf_add_problem("max", shelf_version));
	cr_assert_eq(walk(NULL, 3), 0);
	for (int i = 0; i < 20; i++) {
		sub = shelf_submission(i % 2 ? "odd" : "even", "");
		sub.problem = i % 4 ? "sum" : "max";
		sub.language = i % 5 ? "c" : "go";
		OK(store_submit(box.s, &sub, id, &existed, &box.e));
	}
	for (int i = 0; i < 6; i++) {
		shelf_claim(&job);
		OK(shelf_finish(&job, i % 2 ? JUDGE__V1__VERDICT__ACCEPTED
					    : JUDGE__V1__VERDICT__WRONG_ANSWER));
		store_job_release(&job);
	}
	shelf_claim(&job);
	store_job_release(&job);
	OK(store_cancel(box.s, id, &box.e));

	const struct {
		struct store_filter f;
		size_t n;
	} cases[] = {
		{{0}, 20},
		{{.problem = "", .language = "", .author = ""}, 20},
		{{.problem = "max"}, 5},
		{{.problem = "nix"}, 0},
		{{.language = "go"}, 4},
		{{.author = "odd"}, 10},
		{{.author = "odd", .problem = "max"}, 0},
		{{.author = "even", .problem = "max", .language = "go"}, 1},
		{{.state = JUDGE__V1__STATE__QUEUED}, 12},
		{{.state = JUDGE__V1__STATE__RUNNING}, 1},
		{{.state = JUDGE__V1__STATE__FINISHED}, 6},
		{{.state = JUDGE__V1__STATE__CANCELLED}, 1},
		{{.state = JUDGE__V1__STATE__QUEUED, .author = "odd"}, 6},
		{{.verdict = JUDGE__V1__VERDICT__ACCEPTED}, 3},
		{{.verdict = JUDGE__V1__VERDICT__ACCEPTED, .author = "even"}, 0},
		{{.verdict = JUDGE__V1__VERDICT__WRONG_ANSWER, .problem = "max"}, 2},
		{{.verdict = JUDGE__V1__VERDICT__JUDGE_ERROR}, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (uint32_t page = 1; page <= 20; page += 19) {
			size_t n = walk(&cases[i].f, page);

			cr_expect_eq(n, cases[i].n, "case %zu: %zu, expected %zu", i, n,
				     cases[i].n);
		}
}

CONTRACT(positions_of_others)
{
	const struct store_filter odd = {.author = "odd"};
	Judge__V1__Submission **list;
	AUTO_FREE char *next = NULL;
	char *unused;
	size_t n;

	for (int i = 0; i < 3; i++)
		(void)shelf_submit("odd");
	OK(store_list_submissions(box.s, &odd, "", 1, &list, &n, &next, &box.e));
	cr_assert_eq(n, 1);
	judge__v1__submission__free_unpacked(list[0], NULL);
	free(list);
	FAILS(EINVAL, store_list_submissions(box.s, NULL, next, 1, &list, &n, &unused, &box.e));
	FAILS(EINVAL, store_list_submissions(box.s, &odd, "x", 1, &list, &n, &unused, &box.e));
	shelf_reopen(); /* a position outlives the process */
	OK(store_list_submissions(box.s, &odd, next, 1, &list, &n, &unused, &box.e));
	judge__v1__submission__free_unpacked(list[0], NULL);
	free(list);
	free(unused);
	next[15] ^= 1;
	FAILS(EINVAL, store_list_submissions(box.s, &odd, next, 1, &list, &n, &unused, &box.e));
}

static atomic_int queued, appended;

static void count(void *arg, enum store_change change, const char *submission)
{
	if (strcmp(submission, arg) == 0)
		(void)atomic_fetch_add(change == STORE_QUEUED ? &queued : &appended, 1);
}

/* The hook runs after the verb has returned, so that its count may still be on its way. */
static void assert_hooked(int q, int a)
{
	for (int i = 0; i < 1000 && (queued != q || appended != a); i++)
		(void)usleep(1000);
	cr_assert_eq(queued, q);
	cr_assert_eq(appended, a);
}

CONTRACT(hook)
{
	struct store_submission sub = shelf_submission("", "r");
	char id[STORE_ID_LEN + 1] = NO_SUCH_ID;
	struct store_job job;
	int existed;

	queued = appended = 0;
	store_on_commit(box.s, count, id);
	sub.problem = "nix";
	FAILS(ENOENT, store_submit(box.s, &sub, id, &existed, &box.e));
	store_on_commit(box.s, NULL, NULL);
	sub.problem = "sum";
	OK(store_submit(box.s, &sub, id, &existed, &box.e));
	OK(store_counts(box.s, &(uint32_t){0}, &(uint32_t){0}, &box.e));
	store_on_commit(box.s, count, id);
	shelf_claim(&job);
	assert_hooked(0, 0);
	OK(store_hand_back(box.s, &job, &box.e));
	assert_hooked(1, 0);
	store_job_release(&job);
	shelf_claim(&job); /* restarted */
	assert_hooked(1, 1);
	OK(shelf_progress(&job));
	assert_hooked(1, 4);
	OK(shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	assert_hooked(1, 5);
	FAILS(ESTALE, shelf_finish(&job, JUDGE__V1__VERDICT__ACCEPTED));
	OK(store_put_blob(box.s, "x", 1, (char[STORE_HASH_LEN + 1]){0}, &box.e));
	assert_hooked(1, 5);
	store_job_release(&job);
}

#define JOBS    200
#define THREADS 8

static atomic_int claimed, finished, failed;

static void *claim_all(void *arg)
{
	struct store_job job;
	struct err e;
	int rc;

	while ((rc = store_claim(arg, "w", BOX_LEASE_US, &job, &e)) == 1) {
		const struct store_result r = {.verdict = JUDGE__V1__VERDICT__ACCEPTED};

		(void)atomic_fetch_add(&claimed, 1);
		if (job.attempt == 1 && store_finish(arg, &job, &r, &e) == 0)
			(void)atomic_fetch_add(&finished, 1);
		store_job_release(&job);
	}
	if (rc < 0)
		(void)atomic_fetch_add(&failed, 1);
	return NULL;
}

static void *submit_some(void *arg)
{
	const struct store_submission sub = *(struct store_submission *)arg;
	char id[STORE_ID_LEN + 1];
	struct err e;
	int existed;

	for (int i = 0; i < JOBS / THREADS; i++)
		if (store_submit(box.s, &sub, id, &existed, &e) < 0 || existed)
			(void)atomic_fetch_add(&failed, 1);
	return NULL;
}

static void run_threads(void *(*fn)(void *), void *arg)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, fn, arg), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

CONTRACT(threads_share_the_queue)
{
	struct store_submission sub = shelf_submission("", "");

	claimed = finished = failed = 0;
	run_threads(submit_some, &sub);
	assert_counts(JOBS, 0);
	run_threads(claim_all, box.s);
	cr_assert_eq(failed, 0);
	cr_assert_eq(claimed, JOBS);
	cr_assert_eq(finished, JOBS);
	assert_counts(0, 0);
	cr_assert_eq(walk(&(struct store_filter){.verdict = JUDGE__V1__VERDICT__ACCEPTED}, 500),
		     JOBS);
}

static void *submit_same(void *arg)
{
	const struct store_submission sub = *(struct store_submission *)arg;
	char id[STORE_ID_LEN + 1];
	struct err e;
	int existed;

	if (store_submit(box.s, &sub, id, &existed, &e) < 0)
		(void)atomic_fetch_add(&failed, 1);
	else
		(void)atomic_fetch_add(existed ? &finished : &claimed, 1);
	return NULL;
}

CONTRACT(threads_repeat_one_request)
{
	struct store_submission sub = shelf_submission("", "one");

	claimed = finished = failed = 0;
	run_threads(submit_same, &sub);
	cr_assert_eq(failed, 0);
	cr_assert_eq(claimed, 1);
	cr_assert_eq(finished, THREADS - 1);
	assert_counts(1, 0);
}

/* One finishes and the rest cancel, all at once: one end, and everybody was told the truth about it. */
static struct store_job raced;
static atomic_int entrants, won_finish, won_cancel, lost_finish, lost_cancel;

static void *race(void *arg)
{
	const struct store_result r = {.verdict = JUDGE__V1__VERDICT__ACCEPTED};
	struct err e;
	int first = atomic_fetch_add(&entrants, 1) == 0;

	(void)pthread_barrier_wait(arg);
	if (first && store_finish(box.s, &raced, &r, &e) == 0)
		(void)atomic_fetch_add(&won_finish, 1);
	else if (first)
		(void)atomic_fetch_add(e.num == ESTALE ? &lost_finish : &failed, 1);
	else if (store_cancel(box.s, raced.submission, &e) == 0)
		(void)atomic_fetch_add(&won_cancel, 1);
	else
		(void)atomic_fetch_add(e.num == EALREADY ? &lost_cancel : &failed, 1);
	return NULL;
}

CONTRACT(cancel_races_the_result)
{
	pthread_barrier_t start;

	failed = 0;
	for (int i = 0; i < 30; i++) {
		struct shelf_life life;

		(void)shelf_submit("");
		shelf_claim(&raced);
		entrants = won_finish = won_cancel = lost_finish = lost_cancel = 0;
		OK(pthread_barrier_init(&start, NULL, THREADS));
		run_threads(race, &start);
		OK(pthread_barrier_destroy(&start));
		life = shelf_life(raced.submission);
		cr_assert_eq(failed, 0);
		cr_assert_eq(life.ends, 1);
		cr_assert_eq(life.state,
			     won_finish ? JUDGE__V1__STATE__FINISHED : JUDGE__V1__STATE__CANCELLED);
		cr_assert_eq(won_finish ? lost_cancel : won_cancel, THREADS - 1);
		cr_assert_eq(won_finish + lost_finish, 1);
		store_job_release(&raced);
	}
}

/* Dies without closing as soon as the store said that it has it. */
_Noreturn static void submit_and_die(int pipe)
{
	struct store_submission sub = shelf_submission("", "");
	char id[STORE_ID_LEN + 1];
	int existed;

	box.s = store_open(box.url, &box.e);
	if (box.s && store_submit(box.s, &sub, id, &existed, &box.e) == 0)
		(void)!write(pipe, id, sizeof(id));
	(void)kill(getpid(), SIGKILL);
	_exit(1);
}

CONTRACT(acknowledged_means_durable)
{
	char ids[5][STORE_ID_LEN + 1];
	int pipes[2];

	store_close(box.s);
	box.s = NULL;
	cr_assert_eq(pipe(pipes), 0);
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0)
			submit_and_die(pipes[1]);
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		cr_assert_eq(read(pipes[0], ids[i], sizeof(ids[i])), sizeof(ids[i]));
	}
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	box.s = store_open(box.url, &box.e);
	cr_assert_not_null(box.s, "%s", box.e.msg);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(shelf_life(ids[i]).events, 1);
	assert_counts(5, 0);
}
