/* The calls about rejudgings: what is refused, what is shown, each against the real store. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "tests/api_world.h"

#define AC JUDGE__V1__VERDICT__ACCEPTED
#define WA JUDGE__V1__VERDICT__WRONG_ANSWER

#define UNKNOWN "00000000000000000000000000000000"

static struct world w;

static void setup(void)
{
	world_open(&w);
}

static void teardown(void)
{
	world_close(&w);
}

TestSuite(api_rejudge, .init = setup, .fini = teardown, .timeout = 60);

static void *call(const char *name, const void *request, struct api_status *st)
{
	for (size_t i = 0; i < api_nmethods; i++)
		if (strcmp(api_methods[i].name, name) == 0)
			return api_methods[i].handler(w.api, request, st);
	cr_fatal("no method %s", name);
	return NULL;
}

/* One that is judged; good until four more are. */
static const char *judged(Judge__V1__Verdict verdict)
{
	static char ids[4][STORE_ID_LEN + 1];
	static int turn;
	char *id = ids[turn++ % 4];
	struct store_job job;

	memcpy(id, world_submit(&w, "a.c", "text"), STORE_ID_LEN + 1);
	world_claim(&w, &job);
	world_finish(&w, &job, verdict);
	return id;
}

static void judge_again(Judge__V1__Verdict verdict)
{
	struct store_job job;

	world_claim(&w, &job);
	world_finish(&w, &job, verdict);
}

static size_t count_rejudgings(void)
{
	Judge__V1__ListRejudgingsRequest q = JUDGE__V1__LIST_REJUDGINGS_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListRejudgingsResponse *r = call("ListRejudgings", &q, &st);
	size_t n;

	cr_assert(r != NULL, "%s", st.message);
	n = r->n_rejudgings;
	judge__v1__list_rejudgings_response__free_unpacked(r, NULL);
	return n;
}

/* Of all submissions; returns the id. */
static const char *make(const char *reason)
{
	static char id[STORE_ID_LEN + 1];
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	struct api_status st = {0};
	Judge__V1__Rejudging *r;

	f.all = 1;
	q.filter = &f;
	q.reason = (char *)reason;
	r = call("CreateRejudging", &q, &st);
	cr_assert(r != NULL, "%s", st.message);
	memcpy(id, r->id, sizeof(id));
	cr_expect_str_eq(r->reason, reason);
	judge__v1__rejudging__free_unpacked(r, NULL);
	return id;
}

static char long_text[2000];

Test(api_rejudge, filters_that_are_refused)
{
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	char *unknown[] = {UNKNOWN}, *bad[] = {UNKNOWN, "12"}, *many[1001], *waits[1];
	struct api_status st = {0};

#define F PROTOBUF_C_MESSAGE_INIT(&judge__v1__submission_filter__descriptor)
	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = UNKNOWN;
	(void)judged(AC);
	waits[0] = (char *)world_submit(&w, "a.c", "text");
	/* clang-format off */
	struct {
		Judge__V1__SubmissionFilter f;
		enum api_code code;
		const char *says;
	} cases[] = {
		{{F, 0, NULL, "", "", "", 0, 0, 0, 0}, API_INVALID_ARGUMENT, "filter: is empty; set all"},
		{{F, 0, NULL, "aplusb", "", "", 0, 0, 0, 1}, API_INVALID_ARGUMENT, "filter.all: is set, but"},
		{{F, 0, NULL, "nosuch", "", "", 0, 0, 0, 0}, API_NOT_FOUND, "filter.problem: no problem is called \"nosuch\""},
		{{F, 0, NULL, "", "cobol", "", 0, 0, 0, 0}, API_NOT_FOUND, "filter.language: no language is called"},
		{{F, 0, NULL, "", "", long_text, 0, 0, 0, 0}, API_INVALID_ARGUMENT, "filter.author: is 1999 bytes long"},
		{{F, 0, NULL, "", "", "", 77, 0, 0, 0}, API_INVALID_ARGUMENT, "filter.verdict: 77 is no value"},
		{{F, 0, NULL, "", "", "", 0, -1, 0, 0}, API_INVALID_ARGUMENT, "filter.submitted_since_us: is negative"},
		{{F, 0, NULL, "", "", "", 0, 0, -1, 0}, API_INVALID_ARGUMENT, "filter.submitted_until_us: is negative"},
		{{F, 0, NULL, "", "", "", 0, 9, 9, 0}, API_INVALID_ARGUMENT, "filter.submitted_until_us: is not after"},
		{{F, 2, bad, "", "", "", 0, 0, 0, 0}, API_INVALID_ARGUMENT, "filter.submissions[1]: must be 32 "},
		{{F, 1001, many, "", "", "", 0, 0, 0, 0}, API_INVALID_ARGUMENT, "filter.submissions: 1001 ids, at most 1000"},
		{{F, 1, unknown, "", "", "", 0, 0, 0, 0}, API_NOT_FOUND, "filter.submissions: no submission '" UNKNOWN "'"},
		{{F, 1, waits, "", "", "", 0, 0, 0, 0}, API_FAILED_PRECONDITION, "filter: submission "},
		{{F, 0, NULL, "zeta", "", "", 0, 0, 0, 0}, API_NOT_FOUND, "filter: no submission that has a verdict matches"},
		{{F, 0, NULL, "", "rust", "", 0, 0, 0, 0}, API_NOT_FOUND, "filter: no submission that has a verdict matches"},
	};
	/* clang-format on */
	for (size_t i = 0; i <= ARRAY_LEN(cases); i++) {
		size_t which = i < ARRAY_LEN(cases) ? i : 0; /* at last, none at all */

		q.filter = i < ARRAY_LEN(cases) ? &cases[i].f : NULL;
		cr_expect(eq(ptr, call("CreateRejudging", &q, &st), NULL), "case %zu", i);
		cr_expect(eq(int, st.code, cases[which].code), "case %zu: %s", i, st.message);
		cr_expect(strncmp(st.message, cases[which].says, strlen(cases[which].says)) == 0,
			  "case %zu: %s", i, st.message);
	}
	q.filter = &cases[0].f;
	q.filter->all = 1;
	q.reason = long_text;
	cr_expect(eq(ptr, call("CreateRejudging", &q, &st), NULL));
	cr_expect(eq(str, st.message, "reason: is 1999 bytes long, at most 1000"));
	q.reason = "";
	q.request_id = long_text;
	cr_expect(eq(ptr, call("CreateRejudging", &q, &st), NULL));
	cr_expect(eq(str, st.message, "request_id: is 1999 bytes long, at most 128"));
	cr_expect(eq(sz, count_rejudgings(), 0));
}

Test(api_rejudge, counted_only)
{
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	struct api_status st = {0};
	Judge__V1__Rejudging *r;

	(void)judged(AC);
	(void)judged(WA);
	(void)world_submit(&w, "a.c", "text");
	f.problem = "aplusb";
	q.filter = &f;
	q.validate_only = 1;
	r = call("CreateRejudging", &q, &st);
	cr_assert(r != NULL, "%s", st.message);
	cr_expect(r->total == 2 && r->left_out == 1 && !*r->id && r->state == 0);
	judge__v1__rejudging__free_unpacked(r, NULL);
	cr_expect(eq(sz, count_rejudgings(), 0));
}

/* Calls Apply or Cancel; the state after it, or 0 with *st. */
static int end(const char *call_name, const char *id, struct api_status *st)
{
	Judge__V1__ApplyRejudgingRequest apply = JUDGE__V1__APPLY_REJUDGING_REQUEST__INIT;
	Judge__V1__CancelRejudgingRequest cancel = JUDGE__V1__CANCEL_REJUDGING_REQUEST__INIT;
	Judge__V1__Rejudging *r;
	int state;

	apply.id = cancel.id = (char *)id;
	r = call(call_name, *call_name == 'A' ? (void *)&apply : (void *)&cancel, st);
	if (!r)
		return 0;
	state = (int)r->state;
	judge__v1__rejudging__free_unpacked(r, NULL);
	return state;
}

static Judge__V1__Verdict shown(const char *id)
{
	Judge__V1__GetSubmissionRequest q = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__Submission *s;
	Judge__V1__Verdict verdict;

	q.id = (char *)id;
	s = call("GetSubmission", &q, &st);
	cr_assert(s != NULL, "%s", st.message);
	verdict = s->verdict;
	judge__v1__submission__free_unpacked(s, NULL);
	return verdict;
}

Test(api_rejudge, applied_once_and_for_all)
{
	const char *submission = judged(WA), *id = make("the data was wrong");
	struct api_status st = {0};

	cr_expect(eq(int, end("ApplyRejudging", id, &st), 0));
	cr_expect(eq(int, st.code, API_FAILED_PRECONDITION));
	cr_expect(eq(str, st.message, "id: 1 of its 1 submissions are still to be judged"));
	judge_again(AC);
	cr_expect(eq(int, shown(submission), WA));
	for (int i = 0; i < 2; i++)
		cr_expect(eq(int, end("ApplyRejudging", id, &st),
			     JUDGE__V1__REJUDGING__STATE__APPLIED));
	cr_expect(eq(int, shown(submission), AC));
	cr_expect(eq(int, end("CancelRejudging", id, &st), 0));
	cr_expect(eq(int, st.code, API_FAILED_PRECONDITION));
	cr_expect(eq(str, st.message, "id: this rejudging was applied"));
}

Test(api_rejudge, cancelled_for_all)
{
	const char *submission = judged(WA), *id = make("");
	struct api_status st = {0};

	judge_again(AC);
	for (int i = 0; i < 2; i++)
		cr_expect(eq(int, end("CancelRejudging", id, &st),
			     JUDGE__V1__REJUDGING__STATE__CANCELLED));
	cr_expect(eq(int, end("ApplyRejudging", id, &st), 0));
	cr_expect(eq(int, st.code, API_FAILED_PRECONDITION));
	cr_expect(eq(int, shown(submission), WA));
	cr_expect(eq(int, end("ApplyRejudging", UNKNOWN, &st), 0));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	cr_expect(eq(int, end("CancelRejudging", "12", &st), 0));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
}

Test(api_rejudge, new_judge_errors_must_be_wanted)
{
	const char *submission = judged(AC), *id = make("");
	Judge__V1__ApplyRejudgingRequest q = JUDGE__V1__APPLY_REJUDGING_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__Rejudging *r;

	judge_again(JUDGE__V1__VERDICT__JUDGE_ERROR);
	cr_expect(eq(int, end("ApplyRejudging", id, &st), 0));
	cr_expect(eq(str, st.message, "id: 1 of its 1 new verdicts are judge errors"));
	q.id = (char *)id;
	q.allow_judge_errors = 1;
	r = call("ApplyRejudging", &q, &st);
	cr_assert(r != NULL, "%s", st.message);
	cr_expect(r->judge_errors == 1);
	judge__v1__rejudging__free_unpacked(r, NULL);
	cr_expect(eq(int, shown(submission), JUDGE__V1__VERDICT__JUDGE_ERROR));
}

Test(api_rejudge, the_difference_in_pages)
{
	Judge__V1__GetRejudgingRequest q = JUDGE__V1__GET_REJUDGING_REQUEST__INIT;
	Judge__V1__GetRejudgingResponse *r, *next;
	struct api_status st = {0};

	for (int i = 0; i < 3; i++)
		(void)judged(WA);
	q.id = (char *)make("");
	for (int i = 0; i < 3; i++)
		judge_again(i ? AC : WA);
	q.page_size = 1;
	q.only_changed = 1;
	r = call("GetRejudging", &q, &st);
	cr_assert(r != NULL, "%s", st.message);
	cr_expect(r->rejudging->state == JUDGE__V1__REJUDGING__STATE__READY &&
		  r->rejudging->total == 3 && r->rejudging->changed == 2);
	cr_assert(r->n_changes == 2 && r->n_submissions == 1);
	cr_expect(r->changes[0]->new_verdict == AC && r->changes[0]->count == 2);
	cr_expect(r->submissions[0]->old_verdict == WA && r->submissions[0]->new_verdict == AC);
	q.page_token = r->next_page_token;
	next = call("GetRejudging", &q, &st);
	cr_assert(next != NULL, "%s", st.message);
	cr_expect(next->n_submissions == 1 && next->n_changes == 0 && !*next->next_page_token);
	cr_expect(strcmp(next->submissions[0]->id, r->submissions[0]->id) != 0);
	q.only_changed = 0; /* another list */
	cr_expect(eq(ptr, call("GetRejudging", &q, &st), NULL));
	cr_expect(strncmp(st.message, "page_token: ", 12) == 0, "%s", st.message);
	judge__v1__get_rejudging_response__free_unpacked(r, NULL);
	judge__v1__get_rejudging_response__free_unpacked(next, NULL);
	q.page_token = "";
	q.page_size = 501;
	cr_expect(eq(ptr, call("GetRejudging", &q, &st), NULL));
	q.page_size = 0;
	q.id = UNKNOWN;
	cr_expect(eq(ptr, call("GetRejudging", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
}

Test(api_rejudge, listed_newest_first_without_their_ids)
{
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	Judge__V1__ListRejudgingsRequest list = JUDGE__V1__LIST_REJUDGINGS_REQUEST__INIT;
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	Judge__V1__ListRejudgingsResponse *first, *second;
	struct api_status st = {0};
	char *ids[1];

	q.filter = &f;
	f.submissions = ids;
	f.n_submissions = 1;
	for (int i = 0; i < 2; i++) {
		Judge__V1__Rejudging *r;

		ids[0] = (char *)judged(WA);
		q.reason = i ? "second" : "first";
		r = call("CreateRejudging", &q, &st);
		cr_assert(r && r->filter->n_submissions == 1, "%s", st.message);
		judge__v1__rejudging__free_unpacked(r, NULL);
		judge_again(AC);
	}
	cr_expect(eq(ptr, call("CreateRejudging", &q, &st), NULL)); /* it is in an open one */
	cr_expect(eq(int, st.code, API_FAILED_PRECONDITION));
	list.page_size = 1;
	first = call("ListRejudgings", &list, &st);
	cr_assert(first && first->n_rejudgings == 1, "%s", st.message);
	cr_expect_str_eq(first->rejudgings[0]->reason, "second");
	cr_expect(eq(sz, first->rejudgings[0]->filter->n_submissions, 0));
	list.page_token = first->next_page_token;
	second = call("ListRejudgings", &list, &st);
	cr_assert(second && second->n_rejudgings == 1, "%s", st.message);
	cr_expect_str_eq(second->rejudgings[0]->reason, "first");
	cr_expect_str_empty(second->next_page_token);
	judge__v1__list_rejudgings_response__free_unpacked(first, NULL);
	judge__v1__list_rejudgings_response__free_unpacked(second, NULL);
}

Test(api_rejudge, request_id_makes_one)
{
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	struct api_status st = {0};
	Judge__V1__Rejudging *first, *again;

	(void)judged(WA);
	f.all = 1;
	q.filter = &f;
	q.request_id = "r";
	first = call("CreateRejudging", &q, &st);
	cr_assert(first != NULL, "%s", st.message);
	again = call("CreateRejudging", &q, &st);
	cr_assert(again != NULL, "%s", st.message);
	cr_expect_str_eq(first->id, again->id);
	q.reason = "another";
	cr_expect(eq(ptr, call("CreateRejudging", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_ALREADY_EXISTS));
	judge__v1__rejudging__free_unpacked(first, NULL);
	judge__v1__rejudging__free_unpacked(again, NULL);
}

Test(api_rejudge, judgements_of_a_submission)
{
	Judge__V1__ListJudgementsRequest q = JUDGE__V1__LIST_JUDGEMENTS_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListJudgementsResponse *r;

	q.id = (char *)judged(WA);
	(void)make("");
	judge_again(AC);
	r = call("ListJudgements", &q, &st);
	cr_assert(r && r->n_judgements == 2, "%s", st.message);
	cr_expect(r->judgements[0]->current && r->judgements[0]->verdict == WA);
	cr_expect(r->judgements[1]->verdict == AC && !r->judgements[1]->current);
	judge__v1__list_judgements_response__free_unpacked(r, NULL);
	q.id = UNKNOWN;
	cr_expect(eq(ptr, call("ListJudgements", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	q.id = "x";
	cr_expect(eq(ptr, call("ListJudgements", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
}
