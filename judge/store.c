#include "judge/store.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "judge/store_ops.h"
#include "proto/err.h"
#include "proto/scope.h"

static const struct store_ops *const kinds[] = {&store_sqlite_ops};

/* SHA-256 over fields, each with its length in front, so that no two lists of fields give the same bytes. */
struct digest {
	EVP_MD_CTX *ctx;
	int failed;
};

static void digest_begin(struct digest *d)
{
	d->ctx = EVP_MD_CTX_new();
	d->failed = !d->ctx || !EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL);
}

static void digest_add(struct digest *d, const void *data, size_t len)
{
	uint64_t size = len;

	d->failed = d->failed || !EVP_DigestUpdate(d->ctx, &size, sizeof(size)) ||
		    !EVP_DigestUpdate(d->ctx, data, len);
}

static void digest_add_text(struct digest *d, const char *text)
{
	digest_add(d, text ? text : "", text ? strlen(text) : 0);
}

static void hex(const uint8_t *bytes, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * n] = '\0';
}

static int digest_end(struct digest *d, char *hash, struct err *e)
{
	uint8_t sum[STORE_HASH_LEN / 2];

	d->failed = d->failed || !EVP_DigestFinal_ex(d->ctx, sum, NULL);
	EVP_MD_CTX_free(d->ctx);
	if (d->failed)
		return err_set(e, "store: SHA-256 failed");
	hex(sum, sizeof(sum), hash);
	return 0;
}

int store_refuse(struct err *e, int num, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)err_set(e, "%s", text);
	e->num = num;
	return -1;
}

int store_make_id(char *id, struct err *e)
{
	uint8_t bytes[STORE_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "store: getrandom");
	hex(bytes, sizeof(bytes), id);
	return 0;
}

int store_hash_content(const struct store_submission *sub, char *hash, struct err *e)
{
	struct digest d;

	digest_begin(&d);
	digest_add_text(&d, sub->problem);
	digest_add_text(&d, sub->language);
	digest_add_text(&d, sub->author);
	for (size_t i = 0; i < sub->nsources; i++) {
		digest_add_text(&d, sub->sources[i]->name);
		digest_add(&d, sub->sources[i]->content.data, sub->sources[i]->content.len);
	}
	return digest_end(&d, hash, e);
}

int store_hash_rejudging(const struct store_rejudging *r, char *hash, struct err *e)
{
	size_t len = judge__v1__submission_filter__get_packed_size(r->filter);
	AUTO_FREE uint8_t *filter = malloc(len + 1);
	struct digest d;

	if (!filter)
		return err_sys(e, "store: %zu bytes", len);
	judge__v1__submission_filter__pack(r->filter, filter);
	digest_begin(&d);
	digest_add(&d, filter, len);
	digest_add_text(&d, r->reason);
	digest_add_text(&d, r->same_version ? "same" : "current");
	return digest_end(&d, hash, e);
}

int store_position_make(const uint8_t *key, const struct store_filter *f, int64_t row, char *text,
			struct err *e)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char hash[STORE_HASH_LEN + 1];
	struct digest d;

	digest_begin(&d);
	digest_add_text(&d, f->problem);
	digest_add_text(&d, f->language);
	digest_add_text(&d, f->author);
	digest_add(&d, &f->state, sizeof(f->state));
	digest_add(&d, &f->verdict, sizeof(f->verdict));
	digest_add(&d, &row, sizeof(row));
	if (digest_end(&d, hash, e) < 0)
		return -1;
	if (!HMAC(EVP_sha256(), key, STORE_KEY_LEN, (const uint8_t *)hash, STORE_HASH_LEN, mac,
		  NULL))
		return err_set(e, "store: HMAC failed");
	(void)snprintf(text, 17, "%016llx", (unsigned long long)row);
	hex(mac, (STORE_POSITION_LEN - 16) / 2, text + 16);
	return 0;
}

int store_position_read(const uint8_t *key, const struct store_filter *f, const char *text,
			int64_t *row, struct err *e)
{
	char digits[17] = "", right[STORE_POSITION_LEN + 1];

	if (strlen(text) != STORE_POSITION_LEN)
		return store_refuse(e, EINVAL, "not a position of this list");
	memcpy(digits, text, 16);
	*row = (int64_t)strtoull(digits, NULL, 16);
	if (store_position_make(key, f, *row, right, e) < 0)
		return -1;
	if (CRYPTO_memcmp(text, right, STORE_POSITION_LEN) != 0)
		return store_refuse(e, EINVAL, "not a position of this list with these filters");
	return 0;
}

struct store *store_open(const char *url, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i]->kind);

		if (strncmp(url, kinds[i]->kind, n) == 0 && url[n] == ':')
			return kinds[i]->open(url + n + 1, e);
	}
	(void)store_refuse(e, EINVAL, "store '%s': not a kind of store; write %s", url,
			   kinds[0]->url);
	return NULL;
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

const char *store_kind(const struct store *s)
{
	return s->ops->kind;
}

const char *store_folder(const struct store *s)
{
	return s->folder;
}

void store_on_commit(struct store *s, store_hook *hook, void *arg)
{
	s->ops->on_commit(s, hook, arg);
}

int store_put_blob(struct store *s, const void *data, size_t len, char *hash, struct err *e)
{
	return s->ops->put_blob(s, data, len, hash, e);
}

int store_get_blob(struct store *s, const char *hash, char **data, size_t *len, struct err *e)
{
	return s->ops->get_blob(s, hash, data, len, e);
}

int store_add_problem(struct store *s, const struct store_problem *p, struct err *e)
{
	return s->ops->add_problem(s, p, e);
}

int store_get_problem(struct store *s, const char *name, const char *version,
		      struct store_problem *out, struct err *e)
{
	return s->ops->get_problem(s, name, version, out, e);
}

int store_list_problems(struct store *s, const char *after_name, uint32_t max,
			Judge__V1__Problem ***out, size_t *n, struct err *e)
{
	return s->ops->list_problems(s, after_name, max, out, n, e);
}

void store_problem_release(struct store_problem *p)
{
	free(p->name);
	free(p->title);
	free(p->manifest);
	judge__v1__problem__free_unpacked(p->summary, NULL);
	*p = (struct store_problem){0};
}

int store_submit(struct store *s, const struct store_submission *sub, char *id, int *existed,
		 struct err *e)
{
	return s->ops->submit(s, sub, id, existed, e);
}

int store_get_submission(struct store *s, const char *id, int with_sources,
			 Judge__V1__Submission **out, struct err *e)
{
	return s->ops->get_submission(s, id, with_sources, out, e);
}

int store_list_submissions(struct store *s, const struct store_filter *f, const char *before,
			   uint32_t max, Judge__V1__Submission ***out, size_t *n, char **next,
			   struct err *e)
{
	return s->ops->list_submissions(s, f, before, max, out, n, next, e);
}

int store_cancel(struct store *s, const char *id, struct err *e)
{
	return s->ops->cancel(s, id, e);
}

int store_events(struct store *s, const char *id, uint64_t after_seq, uint32_t max,
		 Judge__V1__Event ***out, size_t *n, int *ended, struct err *e)
{
	return s->ops->events(s, id, after_seq, max, out, n, ended, e);
}

int store_counts(struct store *s, uint32_t *queued, uint32_t *running, struct err *e)
{
	return s->ops->counts(s, queued, running, e);
}

int store_claim(struct store *s, const char *worker, int64_t lease_us, struct store_job *job,
		struct err *e)
{
	return s->ops->claim(s, worker, lease_us, job, e);
}

void store_job_release(struct store_job *job)
{
	free(job->problem);
	free(job->problem_version);
	free(job->language);
	for (size_t i = 0; i < job->nsources; i++)
		judge__v1__source_file__free_unpacked(job->sources[i], NULL);
	free(job->sources);
	*job = (struct store_job){0};
}

int store_renew(struct store *s, const struct store_job *job, int64_t lease_us, struct err *e)
{
	return s->ops->renew(s, job, lease_us, e);
}

int store_append_events(struct store *s, const struct store_job *job,
			Judge__V1__Event *const *events, size_t n, struct err *e)
{
	return s->ops->append_events(s, job, events, n, e);
}

int store_finish(struct store *s, const struct store_job *job, const struct store_result *r,
		 struct err *e)
{
	return s->ops->finish(s, job, r, e);
}

int store_hand_back(struct store *s, const struct store_job *job, struct err *e)
{
	return s->ops->hand_back(s, job, e);
}

int store_fault(struct store *s, const struct store_job *job, const char *reason, struct err *e)
{
	return s->ops->fault(s, job, reason, e);
}

int store_create_rejudging(struct store *s, const struct store_rejudging *r,
			   struct store_rejudging_made *out, struct err *e)
{
	return s->ops->create_rejudging(s, r, out, e);
}

int store_get_rejudging(struct store *s, const char *id, Judge__V1__Rejudging **out, struct err *e)
{
	return s->ops->get_rejudging(s, id, out, e);
}

int store_list_rejudgings(struct store *s, const char *before, uint32_t max,
			  Judge__V1__Rejudging ***out, size_t *n, struct err *e)
{
	return s->ops->list_rejudgings(s, before, max, out, n, e);
}

int store_list_rejudged(struct store *s, const char *id, const char *after, int only_changed,
			uint32_t max, Judge__V1__RejudgedSubmission ***out, size_t *n,
			struct err *e)
{
	return s->ops->list_rejudged(s, id, after, only_changed, max, out, n, e);
}

int store_list_changes(struct store *s, const char *id, Judge__V1__VerdictChange ***out, size_t *n,
		       struct err *e)
{
	return s->ops->list_changes(s, id, out, n, e);
}

int store_apply_rejudging(struct store *s, const char *id, int allow_judge_errors, struct err *e)
{
	return s->ops->apply_rejudging(s, id, allow_judge_errors, e);
}

int store_cancel_rejudging(struct store *s, const char *id, struct err *e)
{
	return s->ops->cancel_rejudging(s, id, e);
}

int store_list_judgements(struct store *s, const char *id, int with_runs,
			  Judge__V1__Judgement ***out, size_t *n, struct err *e)
{
	return s->ops->list_judgements(s, id, with_runs, out, n, e);
}
