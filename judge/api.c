#include "judge/api.h"

#include <errno.h>

#include "judge/api_internal.h"
#include "judge/language.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define EVENTS_AT_ONCE 64

static api_handler get_submission, cancel_submission, get_problem, list_languages, get_server_info;

#define REQUEST(name) &judge__v1__##name##_request__descriptor
#define REPLY(name)   &judge__v1__##name##__descriptor
/* clang-format off */
const struct api_method api_methods[] = {
	{"Submit", REQUEST(submit), REPLY(submit_response), api_submit},
	{"GetSubmission", REQUEST(get_submission), REPLY(submission), get_submission},
	{"ListSubmissions", REQUEST(list_submissions), REPLY(list_submissions_response), api_list_submissions},
	{"CancelSubmission", REQUEST(cancel_submission), REPLY(submission), cancel_submission},
	{"ListProblems", REQUEST(list_problems), REPLY(list_problems_response), api_list_problems},
	{"GetProblem", REQUEST(get_problem), REPLY(problem), get_problem},
	{"ListLanguages", REQUEST(list_languages), REPLY(list_languages_response), list_languages},
	{"GetServerInfo", REQUEST(get_server_info), REPLY(server_info), get_server_info},
	{"ListJudgements", REQUEST(list_judgements), REPLY(list_judgements_response), api_list_judgements},
	{"CreateRejudging", REQUEST(create_rejudging), REPLY(rejudging), api_create_rejudging},
	{"GetRejudging", REQUEST(get_rejudging), REPLY(get_rejudging_response), api_get_rejudging},
	{"ListRejudgings", REQUEST(list_rejudgings), REPLY(list_rejudgings_response), api_list_rejudgings},
	{"ApplyRejudging", REQUEST(apply_rejudging), REPLY(rejudging), api_apply_rejudging},
	{"CancelRejudging", REQUEST(cancel_rejudging), REPLY(rejudging), api_cancel_rejudging},
};
/* clang-format on */
const size_t api_nmethods = ARRAY_LEN(api_methods);

int api_store_failed(struct api_status *st, const struct err *e, const char *what)
{
	switch (e->num) {
	case ENOENT:
		return api_fail(st, API_NOT_FOUND, "%s: unknown", what);
	case EALREADY:
		return api_fail(st, API_FAILED_PRECONDITION, "%s: finished already", what);
	case EEXIST:
		return api_fail(st, API_ALREADY_EXISTS,
				"request_id: was used for a submission with other content");
	case ENOSPC:
		return api_fail(st, API_RESOURCE_EXHAUSTED, "too many submissions are waiting");
	case EINVAL:
		return api_fail(st, API_INVALID_ARGUMENT, "%s: not made by this server", what);
	default:
		log_event(LOG_ERROR, "store_failed", "error=%s", log_q(e->msg));
		return api_fail(st, API_INTERNAL, "the store failed; the server's log says why");
	}
}

int api_check_id(const char *text, struct api_status *st)
{
	if (strlen(text) != STORE_ID_LEN || strspn(text, "0123456789abcdef") != STORE_ID_LEN)
		return api_fail(st, API_INVALID_ARGUMENT,
				"id: must be %d lower-case hexadecimal digits", STORE_ID_LEN);
	return 0;
}

int api_check_text(const char *field, const char *text, size_t max, struct api_status *st)
{
	size_t len = strlen(text);

	if (len > max)
		return api_fail(st, API_INVALID_ARGUMENT, "%s: is %zu bytes long, at most %zu",
				field, len, max);
	return 0;
}

void *api_alloc(size_t n, size_t size, struct api_status *st)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		api_fail(st, API_INTERNAL, "out of memory");
	return p;
}

char *api_strdup(const char *text, struct api_status *st)
{
	char *copy = strdup(text ? text : "");

	if (!copy)
		api_fail(st, API_INTERNAL, "out of memory");
	return copy;
}

static ProtobufCMessage *fetch_submission(struct api *a, const char *id, int with_sources,
					  struct api_status *st)
{
	Judge__V1__Submission *sub = NULL;
	struct err e = {0};

	if (store_get_submission(a->config.store, id, with_sources, &sub, &e) < 0) {
		api_store_failed(st, &e, "id");
		return NULL;
	}
	return &sub->base;
}

static ProtobufCMessage *get_submission(struct api *a, const ProtobufCMessage *request,
					struct api_status *st)
{
	const Judge__V1__GetSubmissionRequest *q = (const void *)request;

	if (api_check_id(q->id, st) < 0)
		return NULL;
	return fetch_submission(a, q->id, q->with_sources, st);
}

static ProtobufCMessage *cancel_submission(struct api *a, const ProtobufCMessage *request,
					   struct api_status *st)
{
	const Judge__V1__CancelSubmissionRequest *q = (const void *)request;
	struct err e = {0};

	if (api_check_id(q->id, st) < 0)
		return NULL;
	if (store_cancel(a->config.store, q->id, &e) < 0) {
		api_store_failed(st, &e, "id");
		return NULL;
	}
	return fetch_submission(a, q->id, 0, st);
}

static ProtobufCMessage *get_problem(struct api *a, const ProtobufCMessage *request,
				     struct api_status *st)
{
	const Judge__V1__GetProblemRequest *q = (const void *)request;
	struct store_problem p = {0};
	Judge__V1__Problem *summary;
	struct err e = {0};

	if (!*q->name) {
		api_fail(st, API_INVALID_ARGUMENT, "name: is empty");
		return NULL;
	}
	if (store_get_problem(a->config.store, q->name, NULL, &p, &e) < 0) {
		if (e.num == ENOENT)
			api_fail(st, API_NOT_FOUND, "name: no problem is called %s",
				 log_q(q->name));
		else
			api_store_failed(st, &e, "name");
		return NULL;
	}
	summary = ptr_steal(&p.summary);
	store_problem_release(&p);
	return &summary->base;
}

/* A heap copy for messages that are freed as if they had been unpacked. */
static int copy_strings(const char *const *from, size_t n, char ***to, size_t *nto,
			struct api_status *st)
{
	*to = api_alloc(n, sizeof(char *), st);
	if (!*to)
		return -1;
	for (*nto = 0; *nto < n; ++*nto) {
		(*to)[*nto] = api_strdup(from[*nto], st);
		if (!(*to)[*nto])
			return -1;
	}
	return 0;
}

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* What ListLanguages says of one language, found, missing or broken. */
struct language_entry {
	const char *name, *title, *version, *reason, *code;
	const char *const *extensions;
};

static struct language_entry entry_of(const struct languages *all, size_t i)
{
	const struct language *l = &all->items[i];

	if (i >= all->n)
		return (struct language_entry){.name = all->broken[i - all->n].name,
					       .title = all->broken[i - all->n].name,
					       .reason = all->broken[i - all->n].reason};
	return (struct language_entry){.name = l->name,
				       .title = l->title,
				       .code = l->code,
				       .version = l->available ? l->found : NULL,
				       .reason = l->available ? NULL : l->reason,
				       .extensions = (const char *const *)l->extensions};
}

static Judge__V1__Language *describe_language(struct language_entry l, struct api_status *st)
{
	Judge__V1__Language *m = api_alloc(1, sizeof(*m), st);

	if (!m)
		return NULL;
	judge__v1__language__init(m);
	m->available = l.version != NULL;
	m->name = api_strdup(l.name, st);
	m->title = api_strdup(l.title, st);
	m->version = api_strdup(l.version, st);
	m->reason = api_strdup(l.reason, st);
	m->code = api_strdup(l.code, st);
	if (m->name && m->title && m->version && m->reason && m->code &&
	    copy_strings(l.extensions, count_strings(l.extensions), &m->extensions,
			 &m->n_extensions, st) == 0)
		return m;
	judge__v1__language__free_unpacked(m, NULL);
	return NULL;
}

static ProtobufCMessage *list_languages(struct api *a, const ProtobufCMessage *request,
					struct api_status *st)
{
	const struct languages *all = a->config.languages;
	Judge__V1__ListLanguagesResponse *r = api_alloc(1, sizeof(*r), st);
	size_t n = all->n + all->nbroken;

	(void)request;
	if (!r)
		return NULL;
	judge__v1__list_languages_response__init(r);
	r->languages = api_alloc(n, sizeof(Judge__V1__Language *), st);
	for (size_t i = 0; r->languages && i < n; i++) {
		r->languages[i] = describe_language(entry_of(all, i), st);
		if (!r->languages[i])
			break;
		r->n_languages++;
	}
	if (r->languages && r->n_languages == n)
		return &r->base;
	judge__v1__list_languages_response__free_unpacked(r, NULL);
	return NULL;
}

static int fill_server_info(struct api *a, Judge__V1__ServerInfo *r, struct api_status *st)
{
	struct err e = {0};
	int copied;

	if (store_counts(a->config.store, &r->queued, &r->running, &e) < 0)
		return api_store_failed(st, &e, "store");
	r->workers = a->config.workers;
	r->started_at_us = a->started_at_us;
	r->version = api_strdup(a->config.version, st);
	r->api = api_strdup("judge.v1", st);
	r->store = api_strdup(store_kind(a->config.store), st);
	pthread_mutex_lock(&a->layers_lock);
	copied = copy_strings((const char *const *)a->layers, a->nlayers, &r->layers, &r->n_layers,
			      st);
	pthread_mutex_unlock(&a->layers_lock);
	return copied < 0 || !r->version || !r->api || !r->store ? -1 : 0;
}

static ProtobufCMessage *get_server_info(struct api *a, const ProtobufCMessage *request,
					 struct api_status *st)
{
	Judge__V1__ServerInfo *r = api_alloc(1, sizeof(*r), st);

	(void)request;
	if (!r)
		return NULL;
	judge__v1__server_info__init(r);
	if (fill_server_info(a, r, st) == 0)
		return &r->base;
	judge__v1__server_info__free_unpacked(r, NULL);
	return NULL;
}

int api_check_watch(const Judge__V1__WatchSubmissionRequest *q, struct api_status *st)
{
	return api_check_id(q->id, st);
}

int api_events(struct api *a, const char *id, uint64_t after_seq, struct api_events *out,
	       struct api_status *st)
{
	struct err e = {0};

	*out = (struct api_events){0};
	if (store_events(a->config.store, id, after_seq, EVENTS_AT_ONCE, &out->items, &out->n,
			 &out->ended, &e) == 0)
		return 0;
	*out = (struct api_events){0};
	return api_store_failed(st, &e, "id");
}

void api_events_release(struct api_events *events)
{
	for (size_t i = 0; i < events->n; i++)
		judge__v1__event__free_unpacked(events->items[i], NULL);
	free(events->items);
	*events = (struct api_events){0};
}

static void free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void api_set_layers(struct api *a, const char *const *layers)
{
	struct api_status st;
	char **copy = NULL, **old;
	size_t n = 0, nold;

	if (copy_strings(layers, count_strings(layers), &copy, &n, &st) < 0) {
		free_strings(copy, n);
		return;
	}
	pthread_mutex_lock(&a->layers_lock);
	old = a->layers;
	nold = a->nlayers;
	a->layers = copy;
	a->nlayers = n;
	pthread_mutex_unlock(&a->layers_lock);
	free_strings(old, nold);
}

struct api *api_new(const struct api_config *config, struct err *e)
{
	struct api *a = calloc(1, sizeof(*a));

	if (!a) {
		err_sys(e, "api");
		return NULL;
	}
	a->config = *config;
	a->started_at_us = io_realtime_us();
	pthread_mutex_init(&a->layers_lock, NULL);
	if (api_hub_start(&a->hub, e) < 0) {
		free(a);
		return NULL;
	}
	return a;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	api_hub_stop(&a->hub);
	free_strings(a->layers, a->nlayers);
	pthread_mutex_destroy(&a->layers_lock);
	free(a);
}
