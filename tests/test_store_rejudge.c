/* The contract of store.h, its part about rejudgings: every store must pass all of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/store_contract.h"

#define AC JUDGE__V1__VERDICT__ACCEPTED
#define WA JUDGE__V1__VERDICT__WRONG_ANSWER
#define JE JUDGE__V1__VERDICT__JUDGE_ERROR

#define JUDGING   JUDGE__V1__REJUDGING__STATE__JUDGING
#define READY     JUDGE__V1__REJUDGING__STATE__READY
#define APPLIED   JUDGE__V1__REJUDGING__STATE__APPLIED
#define CANCELLED JUDGE__V1__REJUDGING__STATE__CANCELLED

static const char second[] = "2222222222222222222222222222222222222222222222222222222222222222";

/* Claims the next job, which must be of this submission, and ends it so. */
static void judge(const char *id, Judge__V1__Verdict verdict)
{
	struct store_job job;

	shelf_claim(&job);
	cr_assert_str_eq(job.submission, id);
	OK(shelf_progress(&job));
	OK(shelf_finish(&job, verdict));
	store_job_release(&job);
}

static const char *judged(const char *author, Judge__V1__Verdict verdict)
{
	const char *id = shelf_submit(author);

	judge(id, verdict);
	return id;
}

static void assert_no_job(void)
{
	struct store_job job;

	OK(store_claim(box.s, "worker", BOX_LEASE_US, &job, &box.e));
}

static Judge__V1__SubmissionFilter all(void)
{
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;

	f.all = 1;
	return f;
}

/* The last one that was made. */
static struct store_rejudging_made made;

static int make(const Judge__V1__SubmissionFilter *f)
{
	const struct store_rejudging r = {.filter = f, .reason = "why", .request_id = ""};

	return store_create_rejudging(box.s, &r, &made, &box.e);
}

static int make_of(const char *id)
{
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	char *ids[] = {(char *)id};

	f.submissions = ids;
	f.n_submissions = 1;
	return make(&f);
}

static const char *make_all(void)
{
	const Judge__V1__SubmissionFilter f = all();
	static char ids[4][STORE_ID_LEN + 1];
	static int turn;
	char *id = ids[turn++ % 4];

	OK(make(&f));
	memcpy(id, made.id, sizeof(made.id));
	return id;
}

static void assert_rejudging(const char *id, Judge__V1__Rejudging__State state, uint32_t judged_,
			     uint32_t changed)
{
	Judge__V1__Rejudging *r;

	OK(store_get_rejudging(box.s, id, &r, &box.e));
	cr_assert_eq(r->state, state, "state %d, expected %d", (int)r->state, (int)state);
	cr_assert_eq(r->judged, judged_, "%u judged, expected %u", r->judged, judged_);
	cr_assert_eq(r->changed, changed, "%u changed, expected %u", r->changed, changed);
	cr_assert_eq(r->ended_at_us != 0, state == APPLIED || state == CANCELLED);
	judge__v1__rejudging__free_unpacked(r, NULL);
}

static size_t rejudgings(void)
{
	Judge__V1__Rejudging **list;
	size_t n;

	OK(store_list_rejudgings(box.s, "", 100, &list, &n, &box.e));
	for (size_t i = 0; i < n; i++)
		judge__v1__rejudging__free_unpacked(list[i], NULL);
	free(list);
	return n;
}

static void assert_shown(const char *id, Judge__V1__Verdict verdict, const char *version)
{
	Judge__V1__Submission *s;

	OK(store_get_submission(box.s, id, 0, &s, &box.e));
	cr_assert_eq(s->state, JUDGE__V1__STATE__FINISHED);
	cr_assert_eq(s->verdict, verdict);
	cr_assert_str_eq(s->problem_version, version);
	cr_assert_eq(s->n_runs, 2);
	judge__v1__submission__free_unpacked(s, NULL);
}

CONTRACT(a_verdict_that_changes)
{
	const char *id = judged("", WA), *rejudging;
	struct store_job job;
	struct shelf_life life;

	OK(shelf_add_problem("sum", second));
	rejudging = make_all();
	assert_rejudging(rejudging, JUDGING, 0, 0);
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, id);
	cr_assert_str_eq(job.problem_version, second);
	cr_assert_eq(job.attempt, 1);
	cr_assert_eq(job.tests_total, 3);
	cr_assert_eq(job.nsources, 2);
	OK(shelf_progress(&job));
	OK(store_renew(box.s, &job, BOX_LEASE_US, &box.e));
	FAILS(EBUSY, store_apply_rejudging(box.s, rejudging, 0, &box.e));
	OK(shelf_finish(&job, AC));
	FAILS(ESTALE, shelf_finish(&job, AC));
	store_job_release(&job);
	assert_no_job();

	assert_rejudging(rejudging, READY, 1, 1); /* but nothing is shown yet */
	assert_shown(id, WA, shelf_version);
	cr_assert_eq(shelf_life(id).events, 5);
	OK(store_apply_rejudging(box.s, rejudging, 0, &box.e));
	OK(store_apply_rejudging(box.s, rejudging, 0, &box.e));
	assert_rejudging(rejudging, APPLIED, 1, 1);
	assert_shown(id, AC, second);
	life = shelf_life(id);
	cr_assert_eq(life.events, 6);
	cr_assert_eq(life.rejudged, 1);
	cr_assert_eq(life.last, AC);
	FAILS(EALREADY, store_cancel_rejudging(box.s, rejudging, &box.e));
	FAILS(EALREADY, store_cancel(box.s, id, &box.e));
	assert_no_job();
}

CONTRACT(old_results_are_kept)
{
	const char *id = judged("", WA), *rejudging;
	Judge__V1__Judgement **list;
	size_t n;

	OK(shelf_add_problem("sum", second));
	for (int i = 0; i < 2; i++) {
		rejudging = make_all();
		judge(id, i ? JE : AC);
		OK(store_apply_rejudging(box.s, rejudging, 1, &box.e));
	}
	OK(store_list_judgements(box.s, id, 1, &list, &n, &box.e));
	cr_assert_eq(n, 3);
	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(list[i]->current, i == 2);
		cr_assert_eq(list[i]->verdict, i == 0 ? WA : i == 1 ? AC : JE);
		cr_assert_str_eq(list[i]->problem_version, i ? second : shelf_version);
		cr_assert_eq(list[i]->n_runs, 2);
		cr_assert_eq(list[i]->runs[0]->verdict, list[i]->verdict);
		cr_assert_str_eq(list[i]->evidence->host, "here");
		cr_assert_str_eq(list[i]->score->score, "33.333333333");
		cr_assert_eq(strlen(list[i]->rejudging), i ? STORE_ID_LEN : 0);
		judge__v1__judgement__free_unpacked(list[i], NULL);
	}
	free(list);
	OK(store_list_judgements(box.s, id, 0, &list, &n, &box.e));
	cr_assert_eq(list[2]->n_runs, 0);
	for (size_t i = 0; i < n; i++)
		judge__v1__judgement__free_unpacked(list[i], NULL);
	free(list);
	FAILS(ENOENT, store_list_judgements(box.s, NO_SUCH_ID, 0, &list, &n, &box.e));
}

CONTRACT(the_same_version)
{
	Judge__V1__SubmissionFilter f = all();
	const struct store_rejudging r = {
		.filter = &f, .reason = "", .request_id = "", .same_version = 1};
	struct store_job job;

	(void)judged("", WA);
	OK(shelf_add_problem("sum", second));
	OK(store_create_rejudging(box.s, &r, &made, &box.e));
	shelf_claim(&job);
	cr_assert_str_eq(job.problem_version, shelf_version);
	store_job_release(&job);
}

CONTRACT(cancelled_rejudging)
{
	char ids[3][STORE_ID_LEN + 1];
	const char *rejudging;
	Judge__V1__Judgement **list;
	struct store_job job;
	size_t n;

	for (int i = 0; i < 3; i++)
		memcpy(ids[i], judged("", WA), sizeof(ids[i]));
	rejudging = make_all();
	judge(ids[0], AC);
	shelf_claim(&job);
	OK(store_cancel_rejudging(box.s, rejudging, &box.e));
	OK(store_cancel_rejudging(box.s, rejudging, &box.e));
	FAILS(ESTALE, shelf_progress(&job));
	FAILS(ESTALE, shelf_finish(&job, AC));
	store_job_release(&job);
	assert_no_job();
	FAILS(EALREADY, store_apply_rejudging(box.s, rejudging, 0, &box.e));
	assert_rejudging(rejudging, CANCELLED, 1, 1);
	for (int i = 0; i < 3; i++) {
		assert_shown(ids[i], WA, shelf_version);
		cr_assert_eq(shelf_life(ids[i]).events, 5);
		OK(store_list_judgements(box.s, ids[i], 0, &list, &n, &box.e));
		cr_assert_eq(n, i == 2 ? 1 : 2);
		cr_assert(i != 1 || list[1]->state == JUDGE__V1__STATE__CANCELLED);
		cr_assert_eq(list[0]->current, 1);
		while (n-- > 0)
			judge__v1__judgement__free_unpacked(list[n], NULL);
		free(list);
	}
	rejudging = make_all(); /* they are free again */
	for (int i = 0; i < 3; i++)
		judge(ids[i], AC);
	assert_rejudging(rejudging, READY, 3, 3);
	OK(store_cancel_rejudging(box.s, rejudging, &box.e));
	assert_shown(ids[0], WA, shelf_version);
}

CONTRACT(fresh_submissions_come_first)
{
	const char *old = judged("old", WA), *fresh;
	uint32_t queued, running;
	struct store_job job;

	(void)make_all();
	OK(store_counts(box.s, &queued, &running, &box.e));
	cr_assert_eq(queued + running, 0); /* they fill no queue */
	fresh = judged("fresh", AC);
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, old);
	OK(store_hand_back(box.s, &job, &box.e));
	store_job_release(&job);
	cr_assert_str_neq(fresh, old);
	(void)judged("fresher", AC); /* before the one that was given back */
	judge(old, WA);
	assert_no_job();
}

CONTRACT(a_rejudged_job_breaks)
{
	const char *id = judged("", WA), *rejudging = make_all();
	struct store_job job;

	for (int i = 0; i < STORE_MAX_FAULTS; i++) {
		shelf_claim(&job);
		cr_assert_eq(job.attempt, i + 1);
		OK(store_fault(box.s, &job, "the validator burns", &box.e));
		store_job_release(&job);
	}
	assert_no_job();
	assert_rejudging(rejudging, READY, 1, 1);
	cr_assert_eq(shelf_life(id).events, 5);
	FAILS(EBUSY, store_apply_rejudging(box.s, rejudging, 0, &box.e));
	cr_assert_not_null(strstr(box.e.msg, "judge error"), "%s", box.e.msg);
	assert_rejudging(rejudging, READY, 1, 1);
	OK(store_apply_rejudging(box.s, rejudging, 1, &box.e));
	cr_assert_eq(shelf_life(id).verdict, JE);
	cr_assert_eq(shelf_life(id).last, JE);
}

CONTRACT(a_restart_goes_on_with_it)
{
	char ids[2][STORE_ID_LEN + 1];
	const char *rejudging;
	struct store_job job;

	for (int i = 0; i < 2; i++)
		memcpy(ids[i], judged("", WA), sizeof(ids[i]));
	rejudging = make_all();
	shelf_claim(&job);
	store_job_release(&job);
	shelf_reopen();
	shelf_claim(&job);
	cr_assert_str_eq(job.submission, ids[0]);
	cr_assert_eq(job.attempt, 2);
	OK(shelf_finish(&job, AC));
	store_job_release(&job);
	judge(ids[1], WA);
	shelf_reopen();
	assert_rejudging(rejudging, READY, 2, 1);
	OK(store_apply_rejudging(box.s, rejudging, 0, &box.e));
	shelf_reopen();
	for (int i = 0; i < 2; i++)
		cr_assert_eq(shelf_life(ids[i]).rejudged, 1);
}

CONTRACT(overlapping_rejudgings_are_refused)
{
	char ids[2][STORE_ID_LEN + 1];

	for (int i = 0; i < 2; i++)
		memcpy(ids[i], judged("", WA), sizeof(ids[i]));
	OK(make_of(ids[1]));
	FAILS(EBUSY, make(&(Judge__V1__SubmissionFilter){
			     PROTOBUF_C_MESSAGE_INIT(&judge__v1__submission_filter__descriptor),
			     .problem = "sum", .language = "", .author = ""}));
	cr_assert_not_null(strstr(box.e.msg, ids[1]), "%s", box.e.msg);
	cr_assert_eq(rejudgings(), 1);
	OK(make_of(ids[0]));
	cr_assert_eq(rejudgings(), 2);
	judge(ids[1], AC); /* the one that was made first */
	judge(ids[0], AC);
}

CONTRACT(what_a_filter_matches)
{
	struct store_submission sub;
	char id[STORE_ID_LEN + 1];
	int64_t times[6];
	int existed;

	OK(shelf_add_problem("max", shelf_version));
	for (int i = 0; i < 6; i++) {
		Judge__V1__Submission *s;

		sub = shelf_submission(i % 2 ? "odd" : "even", "");
		sub.problem = i < 4 ? "sum" : "max";
		sub.language = i == 0 || i == 4 ? "go" : "c";
		OK(store_submit(box.s, &sub, id, &existed, &box.e));
		judge(id, i % 3 ? AC : WA);
		OK(store_get_submission(box.s, id, 0, &s, &box.e));
		times[i] = s->submitted_at_us;
		judge__v1__submission__free_unpacked(s, NULL);
	}
	(void)shelf_submit("waits");
	OK(store_cancel(box.s, shelf_submit("cancelled"), &box.e));

	const struct {
		const char *problem, *language, *author;
		int verdict;
		int64_t since, until;
		uint32_t n, left_out;
	} cases[] = {
		{"", "", "", 0, 0, 0, 6, 1},
		{"sum", "", "", 0, 0, 0, 4, 1},
		{"max", "", "", 0, 0, 0, 2, 0},
		{"", "go", "", 0, 0, 0, 2, 0},
		{"sum", "go", "", 0, 0, 0, 1, 0},
		{"", "", "odd", 0, 0, 0, 3, 0},
		{"max", "c", "odd", AC, 0, 0, 1, 0},
		{"", "", "", WA, 0, 0, 2, 0},
		{"sum", "", "", WA, 0, 0, 2, 0},
		{"", "", "", 0, times[2], 0, 4, 1},
		{"", "", "", 0, 0, times[2], 2, 0},
		{"", "", "", 0, times[1], times[5], 4, 0},
		{"sum", "c", "", 0, times[3], 0, 1, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
		const struct store_rejudging r = {
			.filter = &f, .reason = "", .request_id = "", .validate_only = 1};

		f.problem = (char *)cases[i].problem;
		f.language = (char *)cases[i].language;
		f.author = (char *)cases[i].author;
		f.verdict = (Judge__V1__Verdict)cases[i].verdict;
		f.submitted_since_us = cases[i].since;
		f.submitted_until_us = cases[i].until;
		OK(store_create_rejudging(box.s, &r, &made, &box.e));
		cr_expect_eq(made.total, cases[i].n, "case %zu: %u", i, made.total);
		cr_expect_eq(made.left_out, cases[i].left_out, "case %zu: %u left out", i,
			     made.left_out);
		cr_expect_str_empty(made.id);
	}
	cr_assert_eq(rejudgings(), 0);
}

CONTRACT(what_cannot_be_judged_again)
{
	Judge__V1__SubmissionFilter f = all();
	char *ids[3];
	char waiting[STORE_ID_LEN + 1], running[STORE_ID_LEN + 1], done[STORE_ID_LEN + 1];
	const char *cancelled;
	struct store_job job;

	FAILS(ENODATA, make(&f));
	memcpy(done, judged("", AC), sizeof(done));
	memcpy(running, shelf_submit(""), sizeof(running));
	memcpy(waiting, shelf_submit(""), sizeof(waiting));
	cancelled = shelf_submit("");
	OK(store_cancel(box.s, cancelled, &box.e));
	shelf_claim(&job);
	FAILS(EBUSY, make_of(running));
	FAILS(EBUSY, make_of(waiting));
	cr_assert_not_null(strstr(box.e.msg, "no verdict yet"), "%s", box.e.msg);
	FAILS(EBUSY, make_of(cancelled));
	cr_assert_not_null(strstr(box.e.msg, "cancelled"), "%s", box.e.msg);
	FAILS(ENOENT, make_of(NO_SUCH_ID));
	FAILS(ENOENT, make_of("' OR 1 = 1 --"));
	f.all = 0;
	f.submissions = ids;
	f.n_submissions = 3;
	ids[0] = ids[1] = done;
	ids[2] = NO_SUCH_ID;
	FAILS(ENOENT, make(&f));
	cr_assert_eq(rejudgings(), 0);
	ids[2] = running; /* also when the rest of the filter leaves it out */
	f.author = "nobody";
	FAILS(EBUSY, make(&f));
	f.n_submissions = 2;
	FAILS(ENODATA, make(&f));
	f.author = "";
	OK(make(&f)); /* the same one twice is one */
	OK(shelf_finish(&job, AC));
	store_job_release(&job);
	judge(waiting, AC);
	judge(done, AC);
	assert_rejudging(made.id, READY, 1, 0);
	FAILS(ENOENT, store_apply_rejudging(box.s, NO_SUCH_ID, 0, &box.e));
	FAILS(ENOENT, store_cancel_rejudging(box.s, NO_SUCH_ID, &box.e));
}

CONTRACT(rejudge_request_id)
{
	Judge__V1__SubmissionFilter f = all();
	struct store_rejudging r = {.filter = &f, .reason = "a", .request_id = "r"};
	struct store_rejudging_made again;

	(void)judged("", WA);
	OK(store_create_rejudging(box.s, &r, &made, &box.e));
	shelf_reopen();
	OK(store_create_rejudging(box.s, &r, &again, &box.e));
	cr_assert_str_eq(again.id, made.id);
	r.reason = "b";
	FAILS(EEXIST, store_create_rejudging(box.s, &r, &again, &box.e));
	r.reason = "a";
	r.same_version = 1;
	FAILS(EEXIST, store_create_rejudging(box.s, &r, &again, &box.e));
	r.same_version = 0;
	f.author = "x";
	FAILS(EEXIST, store_create_rejudging(box.s, &r, &again, &box.e));
	cr_assert_eq(rejudgings(), 1);
}

CONTRACT(the_difference_in_pages)
{
	static const Judge__V1__Verdict verdicts[5][2] = {
		{WA, AC}, {AC, AC}, {WA, WA}, {WA, AC}, {AC, WA}};
	char ids[5][STORE_ID_LEN + 1], after[STORE_ID_LEN + 1] = "";
	Judge__V1__RejudgedSubmission **list;
	Judge__V1__VerdictChange **changes;
	const char *rejudging;
	size_t n, seen = 0;

	for (int i = 0; i < 5; i++)
		memcpy(ids[i], judged("me", verdicts[i][0]), sizeof(ids[i]));
	rejudging = make_all();
	for (int i = 0; i < 4; i++)
		judge(ids[i], verdicts[i][1]);
	do {
		OK(store_list_rejudged(box.s, rejudging, after, 0, 2, &list, &n, &box.e));
		for (size_t i = 0; i < n; i++, seen++) {
			cr_assert_str_eq(list[i]->id, ids[seen]);
			cr_assert_str_eq(list[i]->author, "me");
			cr_assert_eq(list[i]->old_verdict, verdicts[seen][0]);
			cr_assert_eq(list[i]->new_verdict, seen < 4 ? verdicts[seen][1] : 0);
			memcpy(after, list[i]->id, sizeof(after));
			judge__v1__rejudged_submission__free_unpacked(list[i], NULL);
		}
		free(list);
	} while (n > 0);
	cr_assert_eq(seen, 5);
	OK(store_list_rejudged(box.s, rejudging, ids[0], 1, 9, &list, &n, &box.e));
	cr_assert_eq(n, 1);
	cr_assert_str_eq(list[0]->id, ids[3]);
	judge__v1__rejudged_submission__free_unpacked(list[0], NULL);
	free(list);
	judge(ids[4], verdicts[4][1]);
	OK(store_list_changes(box.s, rejudging, &changes, &n, &box.e));
	cr_assert_eq(n, 4);
	for (size_t i = 0; i < n; i++) {
		int fixed = changes[i]->old_verdict == WA && changes[i]->new_verdict == AC;

		cr_assert_eq(changes[i]->count, fixed ? 2 : 1);
		judge__v1__verdict_change__free_unpacked(changes[i], NULL);
	}
	free(changes);
	FAILS(ENOENT, store_list_rejudged(box.s, NO_SUCH_ID, "", 0, 2, &list, &n, &box.e));
	FAILS(ENOENT, store_list_changes(box.s, NO_SUCH_ID, &changes, &n, &box.e));
}

CONTRACT(rejudgings_newest_first)
{
	Judge__V1__Rejudging **list, *one;
	char ids[3][STORE_ID_LEN + 1];
	size_t n;

	for (int i = 0; i < 3; i++) {
		OK(make_of(judged("", WA)));
		memcpy(ids[i], made.id, sizeof(ids[i]));
		judge(shelf_submit(""), WA);
	}
	OK(store_list_rejudgings(box.s, ids[2], 5, &list, &n, &box.e));
	cr_assert_eq(n, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_str_eq(list[i]->id, ids[1 - i]);
		cr_assert_str_eq(list[i]->reason, "why");
		cr_assert_eq(list[i]->filter->n_submissions, 1);
		judge__v1__rejudging__free_unpacked(list[i], NULL);
	}
	free(list);
	FAILS(ENOENT, store_get_rejudging(box.s, NO_SUCH_ID, &one, &box.e));
}

/* Many at once, of the same submissions: one gets them, and every verdict comes in once. */
#define THREADS 6
static atomic_int won, lost, failed, finished, entrants, by_second;

static void *make_same(void *arg)
{
	const Judge__V1__SubmissionFilter f = all();
	const struct store_rejudging r = {.filter = &f, .reason = "", .request_id = ""};
	struct store_rejudging_made m;
	struct err e;

	if (store_create_rejudging(arg, &r, &m, &e) == 0) {
		(void)atomic_fetch_add(&won, 1);
		memcpy(made.id, m.id, sizeof(m.id));
	} else {
		(void)atomic_fetch_add(e.num == EBUSY ? &lost : &failed, 1);
	}
	return NULL;
}

/* One replaces the problem again and again while the others rejudge. */
static void *make_or_replace(void *arg)
{
	Judge__V1__Problem summary = JUDGE__V1__PROBLEM__INIT;
	struct store_problem p = {
		.name = "sum", .title = "A title", .manifest = "{}", .summary = &summary};
	struct err e;

	if (atomic_fetch_add(&entrants, 1) > 0)
		return make_same(arg);
	for (int i = 0; i < 40; i++) {
		memcpy(p.version, i % 2 ? shelf_version : second, STORE_HASH_LEN);
		if (store_add_problem(arg, &p, &e) < 0)
			(void)atomic_fetch_add(&failed, 1);
	}
	return NULL;
}

static void *finish_all(void *arg)
{
	const struct store_result r = {.verdict = AC};
	struct store_job job;
	struct err e;

	while (store_claim(arg, "w", BOX_LEASE_US, &job, &e) == 1) {
		(void)atomic_fetch_add(&by_second, strcmp(job.problem_version, second) == 0);
		if (store_finish(arg, &job, &r, &e) == 0)
			(void)atomic_fetch_add(&finished, 1);
		store_job_release(&job);
	}
	return NULL;
}

static void *apply_same(void *arg)
{
	struct err e;

	if (store_apply_rejudging(arg, made.id, 0, &e) < 0)
		(void)atomic_fetch_add(&failed, 1);
	return NULL;
}

static void run_threads(void *(*fn)(void *))
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, fn, box.s), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

CONTRACT(threads_rejudge_the_same)
{
	char ids[250][STORE_ID_LEN + 1];
	const uint32_t n = ARRAY_LEN(ids);

	won = lost = failed = finished = entrants = by_second = 0;
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i], judged("", WA), sizeof(ids[i]));
	OK(shelf_add_problem("sum", second));
	run_threads(make_or_replace);
	cr_assert_eq(failed, 0);
	cr_assert_leq(won, 1); /* two that meet halfway may both give way */
	if (won == 0)
		make_same(box.s);
	cr_assert_eq(won, 1);
	cr_assert_eq(rejudgings(), 1);
	run_threads(finish_all);
	cr_assert_eq(finished, n);
	cr_assert(by_second == 0 || by_second == (int)n, "%d of %u by the second version",
		  (int)by_second, n);
	assert_rejudging(made.id, READY, n, n);
	run_threads(apply_same);
	cr_assert_eq(failed, 0);
	for (size_t i = 0; i < n; i++) {
		struct shelf_life life = shelf_life(ids[i]);

		cr_assert_eq(life.rejudged, 1);
		cr_assert_eq(life.verdict, AC);
	}
}

/*
 * A long random life: submitting, judging, restarts, rejudgings of one or of all that are made, applied and cancelled at
 * any moment.  What the store shows must be what a few lines that know no database say.
 */
#define SUBMISSIONS 16
#define REJUDGINGS  200
#define STEPS       1500
#define REOPENINGS  (STORE_MAX_LOST_LEASES - 1)

struct member { /* a submission */
	char id[STORE_ID_LEN + 1];
	Judge__V1__State state;
	Judge__V1__Verdict shown, coming; /* coming: of the open rejudging */
	int open;                         /* number of the rejudging that has it, or -1 */
	size_t rejudged;
};

struct life {
	unsigned seed;
	struct member members[SUBMISSIONS];
	int n;
	char rejudgings[REJUDGINGS][STORE_ID_LEN + 1];
	Judge__V1__Rejudging__State ended[REJUDGINGS]; /* 0: open */
	int made;
	struct store_job held;
	int holds, reopened;
};

static int chance(struct life *l, int n)
{
	return (int)((unsigned)rand_r(&l->seed) % (unsigned)n);
}

static struct member *member_of(struct life *l, const char *id)
{
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->members[i].id, id) == 0)
			return &l->members[i];
	cr_assert(0, "no member %s", id);
	return NULL;
}

static void live_submit(struct life *l)
{
	struct member *m = &l->members[l->n];

	if (l->n == SUBMISSIONS)
		return;
	l->n++;
	*m = (struct member){.state = JUDGE__V1__STATE__QUEUED, .open = -1};
	memcpy(m->id, shelf_submit(""), sizeof(m->id));
}

/* Whether something waits; fresh ones come first. */
static int waits(const struct life *l, int *fresh)
{
	int rejudged = 0;

	*fresh = 0;
	for (int i = 0; i < l->n; i++) {
		const struct member *m = &l->members[i];

		*fresh += m->state == JUDGE__V1__STATE__QUEUED;
		rejudged += m->open >= 0 && m->coming == 0;
	}
	return *fresh + rejudged;
}

static void live_claim(struct life *l)
{
	int fresh, any = waits(l, &fresh);
	struct member *m;

	if (l->holds)
		return;
	cr_assert_eq(store_claim(box.s, "w", BOX_LEASE_US, &l->held, &box.e), any > 0);
	if (!any)
		return;
	l->holds = 1;
	m = member_of(l, l->held.submission);
	cr_assert_eq(m->state == JUDGE__V1__STATE__QUEUED, fresh > 0);
	if (fresh)
		m->state = JUDGE__V1__STATE__RUNNING;
	else
		cr_assert(m->open >= 0 && m->coming == 0);
}

/* Gives the job back or ends it; whether it is still wanted depends on what was cancelled meanwhile. */
static void live_let_go(struct life *l, int finish)
{
	static const Judge__V1__Verdict verdicts[] = {AC, WA, JE};
	Judge__V1__Verdict verdict = verdicts[chance(l, 3)];
	struct member *m;
	int wanted;

	if (!l->holds)
		return;
	m = member_of(l, l->held.submission);
	wanted = m->state == JUDGE__V1__STATE__RUNNING ||
		 (m->open >= 0 && m->coming == 0 && m->state == JUDGE__V1__STATE__FINISHED);
	if (finish)
		cr_assert_eq(shelf_finish(&l->held, verdict), wanted ? 0 : -1, "%s", box.e.msg);
	else
		cr_assert_eq(store_hand_back(box.s, &l->held, &box.e), wanted ? 0 : -1);
	if (wanted && finish && m->state == JUDGE__V1__STATE__RUNNING) {
		m->state = JUDGE__V1__STATE__FINISHED;
		m->shown = verdict;
	} else if (wanted && finish) {
		m->coming = verdict;
	} else if (wanted && m->state == JUDGE__V1__STATE__RUNNING) {
		m->state = JUDGE__V1__STATE__QUEUED;
	}
	store_job_release(&l->held);
	l->holds = 0;
}

static void live_cancel(struct life *l)
{
	struct member *m = l->n ? &l->members[chance(l, l->n)] : NULL;

	if (!m || chance(l, 4))
		return;
	cr_assert_eq(store_cancel(box.s, m->id, &box.e),
		     m->state == JUDGE__V1__STATE__FINISHED ? -1 : 0);
	if (m->state != JUDGE__V1__STATE__FINISHED)
		m->state = JUDGE__V1__STATE__CANCELLED;
}

static void live_rejudge(struct life *l, struct member *one)
{
	const Judge__V1__SubmissionFilter f = all();
	int finished_ = 0, taken = 0, num;

	if (l->made == REJUDGINGS)
		return;
	for (int i = 0; i < l->n; i++) {
		const struct member *m = &l->members[i];

		finished_ += m->state == JUDGE__V1__STATE__FINISHED && (!one || one == m);
		taken += m->open >= 0 && (!one || one == m);
	}
	num = taken ? EBUSY : finished_ ? 0 : one ? EBUSY : ENODATA;
	if (num != 0) {
		FAILS(num, one ? make_of(one->id) : make(&f));
		return;
	}
	OK(one ? make_of(one->id) : make(&f));
	for (int i = 0; i < l->n; i++) {
		struct member *m = &l->members[i];

		if (m->state != JUDGE__V1__STATE__FINISHED || (one && one != m))
			continue;
		m->open = l->made;
		m->coming = 0;
	}
	memcpy(l->rejudgings[l->made++], made.id, sizeof(made.id));
}

static void live_end(struct life *l, int apply)
{
	int r = l->made ? chance(l, l->made) : -1, waiting = 0;
	Judge__V1__Rejudging__State state = apply ? APPLIED : CANCELLED;
	int num = 0;

	if (r < 0)
		return;
	for (int i = 0; i < l->n; i++)
		waiting += l->members[i].open == r && l->members[i].coming == 0;
	if (l->ended[r] && l->ended[r] != state)
		num = EALREADY;
	else if (!l->ended[r] && apply && waiting)
		num = EBUSY;
	if (num != 0) {
		FAILS(num, apply ? store_apply_rejudging(box.s, l->rejudgings[r], 1, &box.e)
				 : store_cancel_rejudging(box.s, l->rejudgings[r], &box.e));
		return;
	}
	OK(apply ? store_apply_rejudging(box.s, l->rejudgings[r], 1, &box.e)
		 : store_cancel_rejudging(box.s, l->rejudgings[r], &box.e));
	l->ended[r] = state;
	for (int i = 0; i < l->n; i++) {
		struct member *m = &l->members[i];

		if (m->open != r)
			continue;
		m->open = -1;
		m->rejudged += apply;
		m->shown = apply ? m->coming : m->shown;
	}
}

static void live_reopen(struct life *l)
{
	if (l->reopened == REOPENINGS || chance(l, 20))
		return;
	l->reopened++;
	if (l->holds) { /* the worker is gone, the job waits again */
		struct member *m = member_of(l, l->held.submission);

		if (m->state == JUDGE__V1__STATE__RUNNING)
			m->state = JUDGE__V1__STATE__QUEUED;
		store_job_release(&l->held);
		l->holds = 0;
	}
	shelf_reopen();
}

static void live_check(const struct life *l)
{
	for (int i = 0; i < l->n; i++) {
		const struct member *m = &l->members[i];
		struct shelf_life is = shelf_life(m->id);

		cr_assert_eq(is.state, m->state, "%d, not %d", (int)is.state, (int)m->state);
		cr_assert_eq(is.verdict, m->shown, "%d, not %d", (int)is.verdict, (int)m->shown);
		cr_assert_eq(is.rejudged, m->rejudged);
	}
}

static void live(unsigned seed)
{
	struct life *l = calloc(1, sizeof(*l));

	l->seed = seed;
	for (int i = 0; i < STEPS; i++) {
		int what = chance(l, 100);

		if (what < 5)
			live_submit(l);
		else if (what < 40)
			live_claim(l);
		else if (what < 75)
			live_let_go(l, what < 70);
		else if (what < 77)
			live_cancel(l);
		else if (what < 88)
			live_rejudge(l, l->n && what < 85 ? &l->members[chance(l, l->n)] : NULL);
		else if (what < 98)
			live_end(l, what < 95);
		else
			live_reopen(l);
		if (i % 50 == 0 || i == STEPS - 1)
			live_check(l);
	}
	cr_assert_eq(l->n, SUBMISSIONS);
	cr_assert_gt(l->made, 20);
	if (l->holds)
		store_job_release(&l->held);
	free(l);
}

CONTRACT(a_random_life)
{
	live(1);
}

CONTRACT(another_random_life)
{
	live(20261123);
}
