/* Rejudgings, and the judgements that a submission has had. */
#include <errno.h>

#include "judge/api_internal.h"
#include "judge/language.h"
#include "proto/err.h"
#include "proto/log.h"

#define SUBMISSIONS_MAX 1000
#define REASON_MAX      1000
#define REQUEST_ID_MAX  128
#define AUTHOR_MAX      256

/* The store's own words hold nothing but ids and numbers. */
static int rejudge_failed(struct api_status *st, const struct err *e, const char *what)
{
	switch (e->num) {
	case ENOENT:
	case ENODATA:
		return api_fail(st, API_NOT_FOUND, "%s: %s", what, e->msg);
	case EBUSY:
	case EALREADY:
		return api_fail(st, API_FAILED_PRECONDITION, "%s: %s", what, e->msg);
	case EEXIST:
		return api_fail(st, API_ALREADY_EXISTS,
				"request_id: was used for a rejudging with other content");
	case EAGAIN:
		return api_fail(st, API_UNAVAILABLE, "request_id: %s", e->msg);
	default:
		return api_store_failed(st, e, what);
	}
}

static int check_ids(const Judge__V1__SubmissionFilter *f, struct api_status *st)
{
	struct api_status wrong;

	if (f->n_submissions > SUBMISSIONS_MAX)
		return api_fail(st, API_INVALID_ARGUMENT, "filter.submissions: %zu ids, at most %d",
				f->n_submissions, SUBMISSIONS_MAX);
	for (size_t i = 0; i < f->n_submissions; i++)
		if (api_check_id(f->submissions[i], &wrong) < 0)
			return api_fail(st, API_INVALID_ARGUMENT, "filter.submissions[%zu]: %s", i,
					strchr(wrong.message, ' ') + 1);
	return 0;
}

static int check_times(const Judge__V1__SubmissionFilter *f, struct api_status *st)
{
	if (f->submitted_since_us < 0 || f->submitted_until_us < 0)
		return api_fail(st, API_INVALID_ARGUMENT, "filter.submitted_%s_us: is negative",
				f->submitted_since_us < 0 ? "since" : "until");
	if (f->submitted_until_us && f->submitted_until_us <= f->submitted_since_us)
		return api_fail(st, API_INVALID_ARGUMENT,
				"filter.submitted_until_us: is not after submitted_since_us");
	return 0;
}

/* Asking for everything must be meant. */
static int check_extent(const Judge__V1__SubmissionFilter *f, struct api_status *st)
{
	int narrowed = f->n_submissions || *f->problem || *f->language || *f->author ||
		       f->verdict || f->submitted_since_us || f->submitted_until_us;

	if (!f->all && !narrowed)
		return api_fail(st, API_INVALID_ARGUMENT,
				"filter: is empty; set all to take every submission");
	if (f->all && narrowed)
		return api_fail(st, API_INVALID_ARGUMENT,
				"filter.all: is set, but so are other fields");
	return 0;
}

static int check_problem(struct api *a, const char *name, struct api_status *st)
{
	struct store_problem p = {0};
	struct err e = {0};
	int rc;

	if (!*name)
		return 0;
	rc = store_get_problem(a->config.store, name, NULL, &p, &e);
	store_problem_release(&p);
	if (rc == 0)
		return 0;
	if (e.num != ENOENT)
		return api_store_failed(st, &e, "filter.problem");
	return api_fail(st, API_NOT_FOUND, "filter.problem: no problem is called %s", log_q(name));
}

static int check_language(const struct api *a, const char *name, struct api_status *st)
{
	const struct languages *all = a->config.languages;
	int known = !*name || languages_find(all, name);

	for (size_t i = 0; !known && i < all->nbroken; i++)
		known = strcmp(all->broken[i].name, name) == 0;
	if (known)
		return 0;
	return api_fail(st, API_NOT_FOUND, "filter.language: no language is called %s",
			log_q(name));
}

static int check_filter(struct api *a, const Judge__V1__SubmissionFilter *f, struct api_status *st)
{
	if (check_extent(f, st) < 0 || check_ids(f, st) < 0 || check_times(f, st) < 0 ||
	    api_check_text("filter.author", f->author, AUTHOR_MAX, st) < 0 ||
	    api_check_enum("filter.verdict", &judge__v1__verdict__descriptor, (int)f->verdict, st) <
		    0)
		return -1;
	return check_problem(a, f->problem, st) < 0 || check_language(a, f->language, st) < 0 ? -1
											      : 0;
}

static Judge__V1__Rejudging *fetch_rejudging(struct api *a, const char *id, struct api_status *st)
{
	Judge__V1__Rejudging *r = NULL;
	struct err e = {0};

	if (store_get_rejudging(a->config.store, id, &r, &e) == 0)
		return r;
	rejudge_failed(st, &e, "id");
	return NULL;
}

static ProtobufCMessage *only_counted(const struct store_rejudging_made *made,
				      struct api_status *st)
{
	Judge__V1__Rejudging *r = api_alloc(1, sizeof(*r), st);

	if (!r)
		return NULL;
	judge__v1__rejudging__init(r);
	r->total = made->total;
	r->left_out = made->left_out;
	return &r->base;
}

static ProtobufCMessage *answer(Judge__V1__Rejudging *r)
{
	return r ? &r->base : NULL;
}

ProtobufCMessage *api_create_rejudging(struct api *a, const ProtobufCMessage *request,
				       struct api_status *st)
{
	static const Judge__V1__SubmissionFilter none = JUDGE__V1__SUBMISSION_FILTER__INIT;
	const Judge__V1__CreateRejudgingRequest *q = (const void *)request;
	const struct store_rejudging r = {.filter = q->filter ? q->filter : &none,
					  .reason = q->reason,
					  .request_id = q->request_id,
					  .same_version = q->same_version,
					  .validate_only = q->validate_only};
	struct store_rejudging_made made;
	struct err e = {0};

	if (check_filter(a, r.filter, st) < 0 ||
	    api_check_text("reason", q->reason, REASON_MAX, st) < 0 ||
	    api_check_text("request_id", q->request_id, REQUEST_ID_MAX, st) < 0)
		return NULL;
	if (store_create_rejudging(a->config.store, &r, &made, &e) < 0) {
		rejudge_failed(st, &e, e.num == ENOENT ? "filter.submissions" : "filter");
		return NULL;
	}
	return q->validate_only ? only_counted(&made, st) : answer(fetch_rejudging(a, made.id, st));
}

/* The page of submissions; the changes only with the first one. */
static int fill_page(struct api *a, const Judge__V1__GetRejudgingRequest *q,
		     Judge__V1__GetRejudgingResponse *r, struct api_status *st)
{
	const char *scope[] = {"rejudged", q->id, q->only_changed ? "changed" : "all", NULL};
	char after[API_POSITION_MAX];
	const char *next = "";
	uint32_t size = 0;
	struct err e = {0};

	if (api_page_size(q->page_size, &size, st) < 0 ||
	    api_read_token(q->page_token, scope, after, st) < 0)
		return -1;
	if (store_list_rejudged(a->config.store, q->id, after, q->only_changed, size + 1,
				&r->submissions, &r->n_submissions, &e) < 0 ||
	    (!*after &&
	     store_list_changes(a->config.store, q->id, &r->changes, &r->n_changes, &e) < 0))
		return rejudge_failed(st, &e, "id");
	if (r->n_submissions > size) {
		judge__v1__rejudged_submission__free_unpacked(r->submissions[size], NULL);
		r->n_submissions = size;
		next = r->submissions[size - 1]->id;
	}
	r->next_page_token = api_make_token(scope, next, st);
	return r->next_page_token ? 0 : -1;
}

ProtobufCMessage *api_get_rejudging(struct api *a, const ProtobufCMessage *request,
				    struct api_status *st)
{
	const Judge__V1__GetRejudgingRequest *q = (const void *)request;
	Judge__V1__GetRejudgingResponse *r;

	if (api_check_id(q->id, st) < 0)
		return NULL;
	r = api_alloc(1, sizeof(*r), st);
	if (!r)
		return NULL;
	judge__v1__get_rejudging_response__init(r);
	r->rejudging = fetch_rejudging(a, q->id, st);
	if (r->rejudging && fill_page(a, q, r, st) == 0)
		return &r->base;
	judge__v1__get_rejudging_response__free_unpacked(r, NULL);
	return NULL;
}

/* A list of rejudgings with a thousand ids each would be too large an answer. */
static void drop_ids(Judge__V1__SubmissionFilter *f)
{
	for (size_t i = 0; i < f->n_submissions; i++)
		free(f->submissions[i]);
	free(f->submissions);
	f->submissions = NULL;
	f->n_submissions = 0;
}

static int fill_list(struct api *a, const Judge__V1__ListRejudgingsRequest *q,
		     Judge__V1__ListRejudgingsResponse *r, struct api_status *st)
{
	const char *scope[] = {"rejudgings", NULL};
	char before[API_POSITION_MAX];
	const char *next = "";
	uint32_t size = 0;
	struct err e = {0};

	if (api_page_size(q->page_size, &size, st) < 0 ||
	    api_read_token(q->page_token, scope, before, st) < 0)
		return -1;
	if (store_list_rejudgings(a->config.store, before, size + 1, &r->rejudgings,
				  &r->n_rejudgings, &e) < 0)
		return rejudge_failed(st, &e, "page_token");
	for (size_t i = 0; i < r->n_rejudgings; i++)
		drop_ids(r->rejudgings[i]->filter);
	if (r->n_rejudgings > size) {
		judge__v1__rejudging__free_unpacked(r->rejudgings[size], NULL);
		r->n_rejudgings = size;
		next = r->rejudgings[size - 1]->id;
	}
	r->next_page_token = api_make_token(scope, next, st);
	return r->next_page_token ? 0 : -1;
}

ProtobufCMessage *api_list_rejudgings(struct api *a, const ProtobufCMessage *request,
				      struct api_status *st)
{
	Judge__V1__ListRejudgingsResponse *r = api_alloc(1, sizeof(*r), st);

	if (!r)
		return NULL;
	judge__v1__list_rejudgings_response__init(r);
	if (fill_list(a, (const void *)request, r, st) == 0)
		return &r->base;
	judge__v1__list_rejudgings_response__free_unpacked(r, NULL);
	return NULL;
}

ProtobufCMessage *api_apply_rejudging(struct api *a, const ProtobufCMessage *request,
				      struct api_status *st)
{
	const Judge__V1__ApplyRejudgingRequest *q = (const void *)request;
	struct err e = {0};

	if (api_check_id(q->id, st) < 0)
		return NULL;
	if (store_apply_rejudging(a->config.store, q->id, q->allow_judge_errors, &e) == 0)
		return answer(fetch_rejudging(a, q->id, st));
	rejudge_failed(st, &e, "id");
	return NULL;
}

ProtobufCMessage *api_cancel_rejudging(struct api *a, const ProtobufCMessage *request,
				       struct api_status *st)
{
	const Judge__V1__CancelRejudgingRequest *q = (const void *)request;
	struct err e = {0};

	if (api_check_id(q->id, st) < 0)
		return NULL;
	if (store_cancel_rejudging(a->config.store, q->id, &e) == 0)
		return answer(fetch_rejudging(a, q->id, st));
	rejudge_failed(st, &e, "id");
	return NULL;
}

ProtobufCMessage *api_list_judgements(struct api *a, const ProtobufCMessage *request,
				      struct api_status *st)
{
	const Judge__V1__ListJudgementsRequest *q = (const void *)request;
	Judge__V1__ListJudgementsResponse *r;
	struct err e = {0};

	if (api_check_id(q->id, st) < 0)
		return NULL;
	r = api_alloc(1, sizeof(*r), st);
	if (!r)
		return NULL;
	judge__v1__list_judgements_response__init(r);
	if (store_list_judgements(a->config.store, q->id, q->with_runs, &r->judgements,
				  &r->n_judgements, &e) == 0)
		return &r->base;
	judge__v1__list_judgements_response__free_unpacked(r, NULL);
	api_store_failed(st, &e, "id");
	return NULL;
}
