#include "judge/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "judge/answers.h"
#include "judge/blob_cache.h"
#include "judge/grade.h"
#include "judge/job.h"
#include "judge/language.h"
#include "judge/problem.h"
#include "judge/queue.h"
#include "judge/sandbox_client.h"
#include "judge/script.h"
#include "judge/store.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define POLL_MS         1000 /* for jobs whose lease ran out, or that another node queued */
#define ALONE_LOSSES    2    /* lost leases from which on a job has the node for itself */
#define BACKOFF_MIN_MS  100
#define BACKOFF_MAX_MS  5000
#define PROBE_MS        2000
#define FINISH_ATTEMPTS 5

struct worker {
	struct worker_pool *pool;
	pthread_t thread;
	char name[96];
	/*
	 * The job that is going on, for the two threads that look after it.  Two locks, because renewing waits for the store and
	 * stopping must not.
	 */
	pthread_mutex_t job_lock, lease_lock;
	struct job *job;                 /* under job_lock */
	const struct store_job *claimed; /* under lease_lock */
	_Atomic int64_t lease_ends_us;   /* CLOCK_MONOTONIC */
	atomic_int stale;                /* no longer ours: cancelled, or given to another */
};

struct worker_pool {
	struct worker_config config;
	char host[64];
	struct blob_cache *blobs;
	pthread_rwlock_t alone; /* held for writing by a job that runs alone */
	unsigned started;
	pthread_t lease_thread, watch_thread;
	int lease_started, watch_started;
	atomic_int stopping; /* claim no more */
	atomic_int aborting; /* end what is going on */
	atomic_int ended;    /* all workers have ended */
	atomic_uint active;
	atomic_int backoff_ms; /* sandboxd did not answer; 0: it did */
	struct worker workers[];
};

static void stop_job(struct worker *w)
{
	pthread_mutex_lock(&w->job_lock);
	if (w->job)
		job_abort(w->job);
	pthread_mutex_unlock(&w->job_lock);
}

static void set_job(struct worker *w, struct job *job)
{
	pthread_mutex_lock(&w->job_lock);
	w->job = job;
	if (job && w->pool->aborting)
		job_abort(job);
	pthread_mutex_unlock(&w->job_lock);
}

static void set_claimed(struct worker *w, const struct store_job *claimed)
{
	pthread_mutex_lock(&w->lease_lock);
	w->claimed = claimed;
	pthread_mutex_unlock(&w->lease_lock);
}

/* Logs what became of a write for the job; with ESTALE the job is not ours any more. */
static int wrote(struct worker *w, const struct store_job *sj, const char *what, int rc,
		 const struct err *e)
{
	if (rc == 0)
		return 0;
	if (e->num == ESTALE && atomic_exchange(&w->stale, 1) == 0)
		log_event(LOG_INFO, "job_dropped", "submission=%s attempt=%u verb=%s",
			  sj->submission, sj->attempt, what);
	else if (e->num != ESTALE)
		log_event(LOG_ERROR, "store_failed", "submission=%s attempt=%u verb=%s reason=%s",
			  sj->submission, sj->attempt, what, log_q(e->msg));
	return -1;
}

static int on_event(void *arg, Judge__V1__Event *event, struct err *e)
{
	struct worker *w = arg;

	return wrote(w, w->claimed, "append_events",
		     store_append_events(w->pool->config.store, w->claimed, &event, 1, e), e);
}

/* The result must not be lost to a database that hiccups: the lease still runs, so try again. */
static void finish(struct worker *w, const struct store_job *sj, const struct job_result *r)
{
	struct store_result result = {
		.verdict = r->verdict,
		.message = r->message ? r->message : "",
		.compiler_message = r->compiler_message ? r->compiler_message : "",
		.runs = r->runs,
		.nruns = r->nruns,
		.evidence = r->evidence,
		.score = r->score,
	};
	struct err e;

	for (int i = 0; i < FINISH_ATTEMPTS; i++) {
		if (wrote(w, sj, "finish", store_finish(w->pool->config.store, sj, &result, &e),
			  &e) == 0) {
			log_event(LOG_INFO, "judged",
				  "submission=%s attempt=%u verdict=%s runs=%zu", sj->submission,
				  sj->attempt, grade_code(r->verdict), r->nruns);
			return;
		}
		if (w->stale || w->pool->aborting)
			return;
		usleep(100000U << i);
	}
}

static void hand_back(struct worker *w, const struct store_job *sj, const char *why)
{
	struct err e;

	log_event(LOG_INFO, "handed_back", "submission=%s attempt=%u reason=%s", sj->submission,
		  sj->attempt, log_q(why));
	wrote(w, sj, "hand_back", store_hand_back(w->pool->config.store, sj, &e), &e);
}

static void fault(struct worker *w, const struct store_job *sj, const char *why)
{
	struct err e;

	log_event(LOG_WARN, "job_fault", "submission=%s attempt=%u reason=%s", sj->submission,
		  sj->attempt, log_q(why));
	wrote(w, sj, "fault", store_fault(w->pool->config.store, sj, why, &e), &e);
}

/* Nothing is claimed for a while, longer each time. */
static void sandbox_is_away(struct worker_pool *p, const char *why)
{
	int ms = p->backoff_ms;

	ms = ms == 0 ? BACKOFF_MIN_MS : ms * 2 < BACKOFF_MAX_MS ? ms * 2 : BACKOFF_MAX_MS;
	p->backoff_ms = ms;
	log_event(LOG_WARN, "sandboxd_away", "retry_ms=%d reason=%s", ms, log_q(why));
}

static void settle(struct worker *w, const struct store_job *sj, enum job_end end,
		   struct job_result *r, const struct err *e)
{
	if (w->stale) {
		/* said already */
	} else if (end == JOB_DONE) {
		w->pool->backoff_ms = 0;
		finish(w, sj, r);
	} else if (end == JOB_NO_SANDBOX) {
		sandbox_is_away(w->pool, e->msg);
		hand_back(w, sj, "sandboxd does not answer");
	} else if (end == JOB_FAULT) {
		fault(w, sj, e->msg);
	} else if (w->pool->aborting) {
		hand_back(w, sj, "shutting down");
	} else {
		/* An event could not be stored, or the lease ran out under us: it will be claimed again. */
		log_event(LOG_WARN, "job_let_go", "submission=%s attempt=%u reason=%s",
			  sj->submission, sj->attempt, log_q(e->msg));
	}
	if (end == JOB_DONE)
		job_result_release(r);
}

static struct compile_source *sources_of(const struct store_job *sj)
{
	struct compile_source *out = calloc(sj->nsources + 1, sizeof(*out));

	for (size_t i = 0; out && i < sj->nsources; i++) {
		const Judge__V1__SourceFile *s = sj->sources[i];

		out[i] = (struct compile_source){s->name, s->content.data, s->content.len};
	}
	return out;
}

static const struct language *need_language(const struct worker *w, const char *name, struct err *e)
{
	const struct language *l = script_or_rule(w->pool->config.languages, name);

	if (l && l->available)
		return l;
	err_set(e, "language %s is not available here%s%s", name, l && l->reason ? ": " : "",
		l && l->reason ? l->reason : "");
	return NULL;
}

static enum job_end run_problem(struct worker *w, const struct store_job *sj,
				const struct problem *p, struct job_result *r, struct err *e)
{
	struct compile_source *sources = sources_of(sj);
	struct job_config c = {
		.program_socket = w->pool->config.program_socket,
		.jury_socket = w->pool->config.jury_socket,
		.blobs = w->pool->blobs,
		.compiled = w->pool->config.compiled,
		.host = w->pool->host,
		.problem = p,
		.languages = w->pool->config.languages,
		.language = p->kind & PROBLEM_SUBMIT_ANSWER ? answers_language()
							    : need_language(w, sj->language, e),
		.sources = sources,
		.nsources = sj->nsources,
		.transcript_bytes = w->pool->config.transcript_bytes,
		.event = on_event,
		.event_arg = w,
	};
	enum job_end end = JOB_FAULT;
	struct job job;

	if (c.language && p->custom)
		c.validator = need_language(w, p->validator.language, e);
	if (c.language && p->grader.language)
		c.grader = need_language(w, p->grader.language, e);
	if (!sources)
		err_set(e, "out of memory");
	if (sources && c.language && (!p->custom || c.validator) &&
	    (!p->grader.language || c.grader)) {
		job_init(&job, &c);
		set_job(w, &job);
		end = job_run(&job, r, e);
		set_job(w, NULL);
		job_release(&job);
	}
	free(sources);
	return end;
}

static enum job_end load_and_run(struct worker *w, const struct store_job *sj, struct job_result *r,
				 struct err *e)
{
	struct store_problem stored;
	struct problem p = {.dir = -1};
	enum job_end end = JOB_FAULT;

	if (store_get_problem(w->pool->config.store, sj->problem, sj->problem_version, &stored, e) <
	    0)
		return e->num == ENOENT ? JOB_FAULT : JOB_STOPPED;
	if (problem_from_manifest(stored.manifest, &p, e) == 0)
		end = run_problem(w, sj, &p, r, e);
	problem_release(&p);
	store_problem_release(&stored);
	return end;
}

/* A job that was lost again and again may be what brings nodes down: it gets this one to itself. */
static void run_claimed(struct worker *w, const struct store_job *sj)
{
	struct job_result r = {.nruns = 0};
	struct err e = {0};
	enum job_end end;

	log_event(LOG_INFO, "claimed", "submission=%s attempt=%u worker=%s", sj->submission,
		  sj->attempt, w->name);
	w->stale = 0;
	set_claimed(w, sj);
	if (sj->lost_leases >= ALONE_LOSSES)
		pthread_rwlock_wrlock(&w->pool->alone);
	else
		pthread_rwlock_rdlock(&w->pool->alone);
	end = load_and_run(w, sj, &r, &e);
	pthread_rwlock_unlock(&w->pool->alone);
	set_claimed(
		w, NULL); /* the lease is long enough for the last write: no renewal may cross it */
	settle(w, sj, end, &r, &e);
}

/*
 * Is sandboxd back, with both of its pools?  Asked before claiming, so that jobs are not claimed only to be given back, again and
 * again the same one.
 */
static int sandbox_answers(struct worker *w)
{
	const char *const sockets[] = {w->pool->config.program_socket, w->pool->config.jury_socket};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		struct sandbox_client *c = sandbox_client_open(sockets[i], PROBE_MS, &e);

		/* All cells taken is an answer too. */
		if (!c && e.num != ETIMEDOUT) {
			sandbox_is_away(w->pool, e.msg);
			return 0;
		}
		sandbox_client_close(c);
	}
	w->pool->backoff_ms = 0;
	log_event(LOG_INFO, "sandboxd_back", "worker=%s", w->name);
	return 1;
}

/* One look into the store: 1 if there was a job. */
static int turn(struct worker *w)
{
	struct worker_pool *p = w->pool;
	struct store_job sj;
	struct err e;
	int64_t now = io_monotonic_us();
	int got;

	if (p->backoff_ms > 0 && !sandbox_answers(w))
		return 0;
	p->active++;
	got = p->stopping ? 0 : store_claim(p->config.store, w->name, p->config.lease_us, &sj, &e);
	if (got > 0) {
		w->lease_ends_us = now + p->config.lease_us;
		run_claimed(w, &sj);
		store_job_release(&sj);
	} else if (got < 0) {
		log_event(LOG_ERROR, "claim_failed", "reason=%s", log_q(e.msg));
	}
	p->active--;
	return got > 0;
}

/* Sleeps in slices, so that it ends soon when *over becomes true. */
static void pause_us(int64_t us, const atomic_int *over)
{
	int64_t until = io_monotonic_us() + us;

	while (!*over && io_monotonic_us() < until)
		usleep(us < 50000 ? (unsigned)us : 50000);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct worker_pool *p = w->pool;

	while (!p->stopping) {
		uint64_t seen = queue_count(p->config.bell);

		if (turn(w))
			continue;
		if (p->backoff_ms > 0)
			pause_us(p->backoff_ms * 1000LL, &p->stopping);
		else if (!p->stopping)
			queue_wait(p->config.bell, seen, POLL_MS);
	}
	return NULL;
}

static void renew(struct worker *w)
{
	const struct worker_config *c = &w->pool->config;
	int64_t now = io_monotonic_us();
	struct err e;

	pthread_mutex_lock(&w->lease_lock);
	if (w->claimed && !w->stale &&
	    wrote(w, w->claimed, "renew", store_renew(c->store, w->claimed, c->lease_us, &e), &e) ==
		    0)
		w->lease_ends_us = now + c->lease_us;
	pthread_mutex_unlock(&w->lease_lock);
	if (w->stale)
		stop_job(w);
}

static void *lease_main(void *arg)
{
	struct worker_pool *p = arg;

	while (!p->ended) {
		pause_us(p->config.lease_us / 4, &p->ended);
		for (unsigned i = 0; i < p->config.workers && !p->ended; i++)
			renew(&p->workers[i]);
	}
	return NULL;
}

static void *watch_main(void *arg)
{
	struct worker_pool *p = arg;
	int64_t margin = p->config.lease_us / 8;

	while (!p->ended) {
		pause_us(margin / 2, &p->ended);
		for (unsigned i = 0; i < p->config.workers; i++)
			if (io_monotonic_us() > p->workers[i].lease_ends_us - margin)
				stop_job(&p->workers[i]);
	}
	return NULL;
}

static int start_thread(pthread_t *t, void *(*entry)(void *), void *arg, struct err *e)
{
	int rc = pthread_create(t, NULL, entry, arg);

	if (rc == 0)
		return 0;
	errno = rc;
	return err_sys(e, "start a thread");
}

static void worker_init(struct worker_pool *p, unsigned i)
{
	struct worker *w = &p->workers[i];

	w->pool = p;
	snprintf(w->name, sizeof(w->name), "%s/%d/%u", p->host, (int)getpid(), i);
	pthread_mutex_init(&w->job_lock, NULL);
	pthread_mutex_init(&w->lease_lock, NULL);
}

static int start_all(struct worker_pool *p, struct err *e)
{
	if (start_thread(&p->lease_thread, lease_main, p, e) < 0)
		return -1;
	p->lease_started = 1;
	if (start_thread(&p->watch_thread, watch_main, p, e) < 0)
		return -1;
	p->watch_started = 1;
	for (; p->started < p->config.workers; p->started++)
		if (start_thread(&p->workers[p->started].thread, worker_main,
				 &p->workers[p->started], e) < 0)
			return -1;
	return 0;
}

static void pool_init(struct worker_pool *p, const struct worker_config *config)
{
	pthread_rwlockattr_t attr;

	p->config = *config;
	if (gethostname(p->host, sizeof(p->host) - 1) < 0)
		snprintf(p->host, sizeof(p->host), "unknown");
	/* Otherwise a job that wants to be alone would wait for ever while others come and go. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&p->alone, &attr);
	pthread_rwlockattr_destroy(&attr);
}

struct worker_pool *worker_pool_open(const struct worker_config *config, struct err *e)
{
	struct worker_pool *p = calloc(1, sizeof(*p) + config->workers * sizeof(p->workers[0]));

	if (!p) {
		err_set(e, "out of memory");
		return NULL;
	}
	pool_init(p, config);
	for (unsigned i = 0; i < config->workers; i++)
		worker_init(p, i);
	p->blobs = blob_cache_new(config->store, config->cache_bytes);
	if (!p->blobs)
		err_set(e, "out of memory");
	if (!p->blobs || start_all(p, e) < 0) {
		worker_pool_close(p, 0);
		return NULL;
	}
	return p;
}

static void end_jobs(struct worker_pool *p, int grace_ms)
{
	int64_t until = io_monotonic_us() + (int64_t)grace_ms * 1000;

	p->stopping = 1;
	queue_ring(p->config.bell);
	while (p->active > 0 && io_monotonic_us() < until)
		usleep(10000);
	p->aborting = 1;
	for (unsigned i = 0; i < p->started; i++)
		stop_job(&p->workers[i]);
	for (unsigned i = 0; i < p->started; i++)
		pthread_join(p->workers[i].thread, NULL);
	p->ended = 1;
}

void worker_pool_close(struct worker_pool *p, int grace_ms)
{
	if (!p)
		return;
	end_jobs(p, grace_ms);
	if (p->lease_started)
		pthread_join(p->lease_thread, NULL);
	if (p->watch_started)
		pthread_join(p->watch_thread, NULL);
	for (unsigned i = 0; i < p->config.workers; i++) {
		pthread_mutex_destroy(&p->workers[i].job_lock);
		pthread_mutex_destroy(&p->workers[i].lease_lock);
	}
	blob_cache_free(p->blobs);
	pthread_rwlock_destroy(&p->alone);
	free(p);
}
