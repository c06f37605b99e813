/*
 * store_ops.h - what an implementation of the store fills in, and the helpers they share.
 *
 * store.c sends each verb of store.h to the same-named row of the table, unchanged: the contract of each is in store.h.  To
 * add a store, write one table and add it to the list in store.c; tests/test_store*.c say whether it is one.
 */
#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "judge/store.h"

struct store { /* the first member of the implementation's own struct */
	const struct store_ops *ops;
	char *folder; /* of store_folder(); the implementation owns it */
};

struct store_ops {
	const char *kind; /* also the scheme of the URL: "sqlite" of "sqlite:DIR" */
	const char *url;  /* how the URL is written, for errors */
	struct store *(*open)(const char *where, struct err *e); /* where: behind the colon */
	void (*close)(struct store *s);
	void (*on_commit)(struct store *s, store_hook *hook, void *arg);

	int (*put_blob)(struct store *s, const void *data, size_t len, char *hash, struct err *e);
	int (*get_blob)(struct store *s, const char *hash, char **data, size_t *len, struct err *e);

	int (*add_problem)(struct store *s, const struct store_problem *p, struct err *e);
	int (*get_problem)(struct store *s, const char *name, const char *version,
			   struct store_problem *out, struct err *e);
	int (*list_problems)(struct store *s, const char *after_name, uint32_t max,
			     Judge__V1__Problem ***out, size_t *n, struct err *e);

	int (*submit)(struct store *s, const struct store_submission *sub, char *id, int *existed,
		      struct err *e);
	int (*get_submission)(struct store *s, const char *id, int with_sources,
			      Judge__V1__Submission **out, struct err *e);
	int (*list_submissions)(struct store *s, const struct store_filter *f, const char *before,
				uint32_t max, Judge__V1__Submission ***out, size_t *n, char **next,
				struct err *e);
	int (*cancel)(struct store *s, const char *id, struct err *e);
	int (*events)(struct store *s, const char *id, uint64_t after_seq, uint32_t max,
		      Judge__V1__Event ***out, size_t *n, int *ended, struct err *e);
	int (*counts)(struct store *s, uint32_t *queued, uint32_t *running, struct err *e);

	int (*claim)(struct store *s, const char *worker, int64_t lease_us, struct store_job *job,
		     struct err *e);
	int (*renew)(struct store *s, const struct store_job *job, int64_t lease_us, struct err *e);
	int (*append_events)(struct store *s, const struct store_job *job,
			     Judge__V1__Event *const *events, size_t n, struct err *e);
	int (*finish)(struct store *s, const struct store_job *job, const struct store_result *r,
		      struct err *e);
	int (*hand_back)(struct store *s, const struct store_job *job, struct err *e);
	int (*fault)(struct store *s, const struct store_job *job, const char *reason,
		     struct err *e);

	int (*create_rejudging)(struct store *s, const struct store_rejudging *r,
				struct store_rejudging_made *out, struct err *e);
	int (*get_rejudging)(struct store *s, const char *id, Judge__V1__Rejudging **out,
			     struct err *e);
	int (*list_rejudgings)(struct store *s, const char *before, uint32_t max,
			       Judge__V1__Rejudging ***out, size_t *n, struct err *e);
	int (*list_rejudged)(struct store *s, const char *id, const char *after, int only_changed,
			     uint32_t max, Judge__V1__RejudgedSubmission ***out, size_t *n,
			     struct err *e);
	int (*list_changes)(struct store *s, const char *id, Judge__V1__VerdictChange ***out,
			    size_t *n, struct err *e);
	int (*apply_rejudging)(struct store *s, const char *id, int allow_judge_errors,
			       struct err *e);
	int (*cancel_rejudging)(struct store *s, const char *id, struct err *e);
	int (*list_judgements)(struct store *s, const char *id, int with_runs,
			       Judge__V1__Judgement ***out, size_t *n, struct err *e);
};

extern const struct store_ops store_sqlite_ops;

/* Fails with this errno value: `return store_refuse(e, ENOENT, "no submission has this id")`. */
int store_refuse(struct err *e, int num, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A new random id; id has STORE_ID_LEN + 1 bytes. */
int store_make_id(char *id, struct err *e);

/*
 * The hash of what makes a submission the same when its request id comes again: problem, language, author and sources.  The
 * problem's version is not in it: a client that repeats a Submit while the problem is being replaced means the same.
 */
int store_hash_content(const struct store_submission *sub, char *hash, struct err *e);

/* The same for a rejudging: filter, reason and which version. */
int store_hash_rejudging(const struct store_rejudging *r, char *hash, struct err *e);

/*
 * Positions in a list: the row number and a MAC over it and the filter, so that only what this store made for this filter is
 * taken.  made by ..._make() into STORE_POSITION_LEN + 1 bytes; ..._read() fails with EINVAL for anything else.
 */
#define STORE_POSITION_LEN 48
#define STORE_KEY_LEN      32 /* bytes of the random key that the store keeps */
int store_position_make(const uint8_t *key, const struct store_filter *f, int64_t row, char *text,
			struct err *e);
int store_position_read(const uint8_t *key, const struct store_filter *f, const char *text,
			int64_t *row, struct err *e);

#endif
