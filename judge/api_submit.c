/* Submit: every rule that judge.proto has about a SubmitRequest, then the store. */
#include <errno.h>

#include "judge/answers.h"
#include "judge/api_internal.h"
#include "judge/compile.h"
#include "judge/language.h"
#include "judge/names.h"
#include "judge/source.h"
#include "proto/err.h"
#include "proto/log.h"

#define SOURCES_MAX    64
#define REQUEST_ID_MAX 128
#define AUTHOR_MAX     256

static int check_name(const Judge__V1__SubmitRequest *q, size_t i, struct api_status *st)
{
	const char *name = q->sources[i]->name;
	size_t len = strlen(name);
	struct err e = {0};

	if (len == 0 && q->n_sources == 1)
		return 0;
	if (len == 0)
		return api_fail(st, API_INVALID_ARGUMENT,
				"sources[%zu].name: is empty; only a single file needs no name", i);
	if (names_source(name, &e) < 0)
		return api_fail(st, API_INVALID_ARGUMENT, "sources[%zu].name: %s", i, e.msg);
	for (size_t k = 0; k < i; k++)
		if (strcmp(q->sources[k]->name, name) == 0)
			return api_fail(st, API_INVALID_ARGUMENT,
					"sources[%zu].name: %s is the name of sources[%zu] too", i,
					log_q(name), k);
	return 0;
}

static int check_fields(const Judge__V1__SubmitRequest *q, struct api_status *st)
{
	if (!*q->problem)
		return api_fail(st, API_INVALID_ARGUMENT, "problem: is empty");
	if (api_check_text("request_id", q->request_id, REQUEST_ID_MAX, st) < 0 ||
	    api_check_text("author", q->author, AUTHOR_MAX, st) < 0)
		return -1;
	if (q->n_sources < 1 || q->n_sources > SOURCES_MAX)
		return api_fail(st, API_INVALID_ARGUMENT, "sources: %zu files, must be 1 to %d",
				q->n_sources, SOURCES_MAX);
	for (size_t i = 0; i < q->n_sources; i++) {
		if (check_name(q, i, st) < 0)
			return -1;
		if (q->sources[i]->content.len == 0)
			return api_fail(st, API_INVALID_ARGUMENT, "sources[%zu].content: is empty",
					i);
	}
	return 0;
}

static int check_size(const struct api *a, const Judge__V1__SubmitRequest *q,
		      const Judge__V1__Problem *p, struct api_status *st)
{
	uint64_t total = 0;

	for (size_t i = 0; i < q->n_sources; i++)
		total += q->sources[i]->content.len;
	if (a->config.source_bytes && total > a->config.source_bytes)
		return api_fail(
			st, API_RESOURCE_EXHAUSTED, "sources: %llu bytes, this server allows %llu",
			(unsigned long long)total, (unsigned long long)a->config.source_bytes);
	if (p->code_limit_bytes && total > p->code_limit_bytes)
		return api_fail(st, API_RESOURCE_EXHAUSTED,
				"sources: %llu bytes, problem %s allows %llu",
				(unsigned long long)total, log_q(q->problem),
				(unsigned long long)p->code_limit_bytes);
	return 0;
}

static int takes_answers(const Judge__V1__Problem *p)
{
	for (size_t i = 0; i < p->n_types; i++)
		if (strcmp(p->types[i], "submit-answer") == 0)
			return 1;
	return 0;
}

static const struct language *no_language(const Judge__V1__SubmitRequest *q, struct api_status *st)
{
	if (*q->language && strcmp(q->language, ANSWERS_LANGUAGE) != 0)
		api_fail(st, API_INVALID_ARGUMENT,
			 "language: problem %s takes outputs, not programs: expected "
			 "\"" ANSWERS_LANGUAGE "\" or nothing",
			 log_q(q->problem));
	else if (!*q->sources[0]->name)
		api_fail(st, API_INVALID_ARGUMENT,
			 "sources[0].name: is empty; expected TEST.out, for the test that it "
			 "answers");
	else
		return answers_language();
	return NULL;
}

static const struct language *
choose_language(const struct api *a, const Judge__V1__SubmitRequest *q, struct api_status *st)
{
	const struct languages *all = a->config.languages;
	const struct language *l;
	struct err e = {0};

	if (!*q->language) {
		l = languages_by_file(all, q->sources[0]->name, 0, &e);
		if (!l)
			api_fail(st, API_INVALID_ARGUMENT, "language: is empty; %s", e.msg);
		return l;
	}
	l = languages_find(all, q->language);
	if (l && l->available)
		return l;
	if (l)
		api_fail(st, API_FAILED_PRECONDITION, "language: %s is not available: %s", l->name,
			 l->reason ? l->reason : "not found");
	else
		api_fail(st, API_NOT_FOUND, "language: no language is called %s",
			 log_q(q->language));
	for (size_t i = 0; !l && i < all->nbroken; i++)
		if (strcmp(all->broken[i].name, q->language) == 0)
			api_fail(st, API_FAILED_PRECONDITION,
				 "language: %s is not available: its rule is broken: %s",
				 all->broken[i].name, all->broken[i].reason);
	return NULL;
}

static int check_allowed(const Judge__V1__Problem *p, const struct language *l,
			 struct api_status *st)
{
	char list[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < p->n_languages; i++) {
		if (language_has_code(l, p->languages[i]))
			return 0;
		if (at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
					       p->languages[i]);
	}
	if (p->n_languages == 0)
		return 0;
	return api_fail(st, API_FAILED_PRECONDITION, "language: problem %s takes %s only, not %s",
			log_q(p->name), list, l->name);
}

/* The name in "cpp/driver.cpp", if that is for this language. */
static const char *included_name(const char *path, const struct language *l)
{
	const char *slash = strchr(path, '/');
	char code[64];

	if (!slash)
		return NULL;
	snprintf(code, sizeof(code), "%.*s", (int)(slash - path), path);
	return strcmp(code, "default") == 0 || language_has_code(l, code) ? slash + 1 : NULL;
}

static size_t add_name(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return n;
	names[n] = name;
	return n + 1;
}

/* It may begin in a file that the problem adds. */
/* A program or an archive was handed in by mistake: giving it back is worth more than a verdict. */
static int check_text_files(const struct store_submission *sub, struct api_status *st)
{
	struct err e = {0};

	for (size_t i = 0; i < sub->nsources; i++) {
		const Judge__V1__SourceFile *s = sub->sources[i];
		struct compile_source source = {s->name, s->content.data, s->content.len};

		if (source_check(&source, &e) < 0)
			return api_fail(st, API_INVALID_ARGUMENT, "sources[%zu].content: %s", i,
					e.msg);
	}
	return 0;
}

static int check_main(const struct store_submission *sub, const Judge__V1__Problem *p,
		      const struct language *l, struct api_status *st)
{
	const char **names = api_alloc(sub->nsources + p->n_includes + 1, sizeof(*names), st);
	struct err e = {0};
	size_t n = 0, index;
	int rc;

	if (!names)
		return -1;
	for (size_t i = 0; i < sub->nsources; i++)
		names[n++] = sub->sources[i]->name;
	for (size_t i = 0; i < p->n_includes; i++) {
		const char *name = included_name(p->includes[i], l);

		if (name)
			n = add_name(names, n, name);
	}
	rc = language_main(l, names, n, &index, &e);
	free(names);
	return rc < 0 ? api_fail(st, API_INVALID_ARGUMENT, "sources: %s", e.msg) : 0;
}

static ProtobufCMessage *store_it(struct api *a, const struct store_submission *sub,
				  struct api_status *st)
{
	Judge__V1__SubmitResponse *r = api_alloc(1, sizeof(*r), st);
	struct err e = {0};
	int existed = 0;

	if (!r)
		return NULL;
	judge__v1__submit_response__init(r);
	r->id = api_alloc(1, STORE_ID_LEN + 1, st);
	if (!r->id || store_submit(a->config.store, sub, r->id, &existed, &e) < 0) {
		if (r->id)
			api_store_failed(st, &e, "problem");
		judge__v1__submit_response__free_unpacked(r, NULL);
		return NULL;
	}
	r->existed = existed;
	return &r->base;
}

/* The files keep their names, but a single one without gets its language's usual one. */
static ProtobufCMessage *submit_to(struct api *a, const Judge__V1__SubmitRequest *q,
				   const struct store_problem *p, struct api_status *st)
{
	const struct language *l;
	char name[NAMES_SOURCE_MAX + 1];
	Judge__V1__SourceFile named;
	Judge__V1__SourceFile *single = &named;
	struct store_submission sub = {.problem = q->problem,
				       .problem_version = p->version,
				       .author = q->author,
				       .request_id = q->request_id,
				       .tests_total = p->summary->tests,
				       .sources = q->sources,
				       .nsources = q->n_sources,
				       .max_queued = a->config.max_queued};

	if (check_size(a, q, p->summary, st) < 0)
		return NULL;
	l = takes_answers(p->summary) ? no_language(q, st) : choose_language(a, q, st);
	if (!l || (l != answers_language() && check_allowed(p->summary, l, st) < 0))
		return NULL;
	sub.language = l->name;
	if (!*q->sources[0]->name) {
		named = *q->sources[0];
		language_default_name(l, name, sizeof(name));
		named.name = name;
		sub.sources = &single;
	}
	/* Answers may be any bytes, in files of any name. */
	if (l != answers_language() &&
	    (check_main(&sub, p->summary, l, st) < 0 || check_text_files(&sub, st) < 0))
		return NULL;
	return store_it(a, &sub, st);
}

ProtobufCMessage *api_submit(struct api *a, const ProtobufCMessage *request, struct api_status *st)
{
	const Judge__V1__SubmitRequest *q = (const void *)request;
	struct store_problem p = {0};
	ProtobufCMessage *reply;
	struct err e = {0};

	if (check_fields(q, st) < 0)
		return NULL;
	if (store_get_problem(a->config.store, q->problem, NULL, &p, &e) < 0) {
		if (e.num == ENOENT)
			api_fail(st, API_NOT_FOUND, "problem: no problem is called %s",
				 log_q(q->problem));
		else
			api_store_failed(st, &e, "problem");
		return NULL;
	}
	reply = submit_to(a, q, &p, st);
	store_problem_release(&p);
	return reply;
}
