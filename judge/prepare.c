#include "judge/prepare.h"

#include <pthread.h>
#include <sys/stat.h>

#include "judge/compile.h"
#include "judge/hash.h"
#include "judge/language.h"
#include "judge/names.h"
#include "judge/program_cache.h"
#include "judge/sandbox_client.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define HELD_MAX (768ULL << 20) /* bytes in memory; a precompiled header of C++ has 100 to 120 MB */
#define SAID_MAX 300

enum state {
	ABSENT, /* never tried, or dropped from memory */
	BUSY,   /* one thread makes it */
	READY,
	FAILED,
};

struct entry {
	struct entry *next;
	char key[HASH_LEN + 1];
	enum state state;
	unsigned asked;
	int fd; /* of a READY one */
	uint64_t bytes, used;
};

struct prepare {
	pthread_mutex_t lock;
	pthread_cond_t settled; /* some entry is not BUSY any more */
	struct program_cache *programs;
	unsigned patience;
	struct entry *first; /* as many as there are rules with a file */
	uint64_t bytes, clock;
};

struct prepare *prepare_new(struct program_cache *programs, unsigned patience)
{
	struct prepare *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->settled, NULL);
	p->programs = programs;
	p->patience = patience;
	return p;
}

static void let_go(struct prepare *p, struct entry *x)
{
	(void)close(x->fd);
	x->fd = -1;
	x->state = ABSENT;
	p->bytes -= x->bytes;
}

void prepare_free(struct prepare *p)
{
	if (!p)
		return;
	while (p->first) {
		struct entry *x = p->first;

		p->first = x->next;
		if (x->state == READY)
			let_go(p, x);
		free(x);
	}
	pthread_cond_destroy(&p->settled);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int is_wanted(const struct compile_job *job)
{
	const struct language *l = job->language;
	const char *when = l->compile.prepare.when;

	if (!l->compile.prepare.command)
		return 0;
	for (size_t i = 0; when && i < job->nsources; i++)
		if (memmem(job->sources[i].data, job->sources[i].len, when, strlen(when)))
			return 1;
	return !when;
}

static int key_of(const struct language *l, const char *toolchain, const char *sandbox_rules,
		  char *key)
{
	AUTO_FREE char *text = NULL;
	struct err ignored;

	if (asprintf(&text, "prepared file\n%s\n%s\n%s\n%s\n%s", l->name, l->hash,
		     l->found ? l->found : "", toolchain, sandbox_rules) < 0) {
		text = NULL;
		return -1;
	}
	return hash_bytes(text, strlen(text), key, &ignored);
}

static struct entry *entry_of(struct prepare *p, const char *key)
{
	struct entry *x = p->first;

	while (x && strcmp(x->key, key) != 0)
		x = x->next;
	if (x)
		return x;
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	memcpy(x->key, key, sizeof(x->key));
	x->fd = -1;
	x->next = p->first;
	p->first = x;
	return x;
}

/* Those that were not used for the longest time go until the rest fits; the one at hand stays. */
static void make_room(struct prepare *p, const struct entry *keep)
{
	while (p->bytes > HELD_MAX) {
		struct entry *oldest = NULL;

		for (struct entry *x = p->first; x; x = x->next)
			if (x != keep && x->state == READY && (!oldest || x->used < oldest->used))
				oldest = x;
		if (!oldest)
			return;
		let_go(p, oldest);
	}
}

static int put_source(struct sandbox_client *c, const struct language *l, struct err *e)
{
	char name[NAMES_SOURCE_MAX + 1];
	const char *text = l->compile.prepare.source ? l->compile.prepare.source : "";
	struct sandbox_file f = {.name = name, .mode = 0444};
	int rc;

	language_default_name(l, name, sizeof(name));
	f.fd = io_memfd_of(text, strlen(text), e);
	if (f.fd < 0)
		return -1;
	rc = sandbox_client_put(c, &f, 1, 0, e);
	(void)close(f.fd);
	return rc;
}

static int check_run(const struct sandbox_report *r, struct err *e)
{
	AUTO_FREE char *said = NULL;
	struct err ignored;

	if (r->status == RUN_EXITED && r->exit_code == 0)
		return 0;
	if (r->stdout_fd < 0 || text_clean_fd(r->stdout_fd, SAID_MAX, &said, &ignored) < 0)
		said = NULL;
	return err_set(e, "status %d, exit code %d: %s%s", (int)r->status, r->exit_code, r->message,
		       said ? said : "");
}

static int run_command(struct sandbox_client *c, const struct language *l, struct err *e)
{
	struct sandbox_spec s = {
		.policy = l->compile.policy,
		.argv = (const char *const *)l->compile.prepare.command,
		.env = (const char *const *)l->compile.env,
		.cpu_time_us = l->compile.time_us,
		.wall_time_us = 4 * l->compile.time_us,
		.memory_bytes = l->compile.memory_bytes,
		.output_bytes = l->compile.output_bytes,
		.box_bytes = l->compile.box_bytes,
		.processes = l->compile.processes,
		.stdin_fd = -1,
		.same_box = 1, /* the one with the source */
		.merge_stderr = 1,
	};
	struct sandbox_report r;
	int rc;

	if (sandbox_client_run(c, &s, &r, e) < 0)
		return -1;
	rc = check_run(&r, e);
	sandbox_report_release(&r);
	return rc;
}

/* Puts it into the cache, and hands out what then is in it, or what was made where that has no room. */
static int make(struct prepare *p, struct sandbox_client *c, const struct language *l,
		const char *key, struct compile_result *out, struct err *e)
{
	const char *const paths[] = {l->compile.prepare.file, NULL};
	struct compile_result r = {.status = COMPILE_OK, .output = strdup("")};

	if (!r.output)
		return err_set(e, "out of memory");
	if (put_source(c, l, e) < 0 || run_command(c, l, e) < 0 ||
	    sandbox_client_fetch(c, paths, COMPILE_ARTIFACTS_MAX, &r.files, &r.nfiles, e) < 0) {
		compile_result_release(&r);
		return -1;
	}
	program_cache_put(p->programs, key, &r);
	if (!program_cache_get(p->programs, key, out)) {
		*out = r;
		return 0;
	}
	compile_result_release(&r);
	return 0;
}

/* Outside the lock.  The descriptor, or -1; only *lost says that the cell is of no use any more. */
static int find_or_make(struct prepare *p, struct sandbox_client *c, const struct language *l,
			const struct entry *x, int may_make, int *lost, struct err *e)
{
	struct compile_result r = {.output = NULL};
	int fd = -1;

	if (!program_cache_get(p->programs, x->key, &r) &&
	    (!may_make || make(p, c, l, x->key, &r, e) < 0)) {
		*lost = sandbox_client_lost(c);
		if (may_make && !*lost)
			log_event(LOG_WARN, "not_prepared", "language=%s reason=%s", l->name,
				  log_q(e->msg));
		return -1;
	}
	if (r.nfiles == 1)
		fd = fd_steal(&r.files[0].fd);
	compile_result_release(&r);
	return fd;
}

static void settle(struct prepare *p, struct entry *x, int fd, int may_make, int lost)
{
	struct stat st = {0};

	x->state = fd >= 0 ? READY : may_make && !lost ? FAILED : ABSENT;
	x->fd = fd;
	if (fd >= 0) {
		(void)fstat(fd, &st);
		x->bytes = (uint64_t)st.st_size;
		p->bytes += x->bytes;
		make_room(p, x);
	}
	(void)pthread_cond_broadcast(&p->settled);
}

/* With the lock held: the entry is READY, FAILED or ABSENT after this. */
static int ensure(struct prepare *p, struct entry *x, struct sandbox_client *c,
		  const struct language *l, struct err *e)
{
	int may_make = ++x->asked > p->patience;
	int lost = 0, fd;

	while (x->state == BUSY)
		(void)pthread_cond_wait(&p->settled, &p->lock);
	if (x->state != ABSENT)
		return 0;
	x->state = BUSY;
	(void)pthread_mutex_unlock(&p->lock);
	fd = find_or_make(p, c, l, x, may_make, &lost, e);
	(void)pthread_mutex_lock(&p->lock);
	settle(p, x, fd, may_make, lost);
	return lost ? -1 : 0;
}

int prepare_take(struct prepare *p, struct sandbox_client *c, const struct compile_job *job,
		 const char *toolchain, int *fd, struct err *e)
{
	char key[HASH_LEN + 1];
	struct err ignored;
	struct entry *x;
	int rc = 0;

	*fd = -1;
	if (!is_wanted(job) ||
	    key_of(job->language, toolchain, sandbox_client_rules_hash(c), key) < 0)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	x = entry_of(p, key);
	if (x)
		rc = ensure(p, x, c, job->language, e);
	if (x && x->state == READY) {
		x->used = ++p->clock;
		*fd = io_reopen(x->fd, &ignored);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return rc;
}
