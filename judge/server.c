#include "judge/server.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "judge/api.h"
#include "judge/compile_cache.h"
#include "judge/config.h"
#include "judge/grpc.h"
#include "judge/jury.h"
#include "judge/language.h"
#include "judge/measure.h"
#include "judge/names.h"
#include "judge/probe.h"
#include "judge/problem.h"
#include "judge/queue.h"
#include "judge/sandbox_client.h"
#include "judge/store.h"
#include "judge/unpack.h"
#include "judge/worker.h"
#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "proto/version.h"

#define CACHE_BYTES    (256ULL << 20)
#define CELL_WAIT_MS   2000
#define SANDBOX_RETRY  1     /* seconds */
#define BUILD_WAIT_MS  60000 /* for a jury cell */
#define JOBS_GRACE_MS  7000
#define CALLS_GRACE_MS 2000

struct server {
	const struct config *config;
	struct languages languages;
	struct store *store;
	struct api *_Atomic api; /* the hook may run before it is there */
	struct queue bell;
	struct compile_cache *compiled;
	struct worker_pool *workers;
	struct grpc_front *front;
};

static unsigned worker_count(const struct config *c)
{
	return c->workers ? c->workers : config_physical_cores();
}

/* 1 if a signal came that ends the server; waits at most so many seconds, -1 for ever. */
static int signal_came(int seconds)
{
	struct timespec wait = {seconds, 0};
	sigset_t ends;
	int sig;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	do {
		sig = seconds < 0 ? sigwaitinfo(&ends, NULL) : sigtimedwait(&ends, NULL, &wait);
	} while (sig < 0 && errno == EINTR);
	if (sig > 0)
		log_event(LOG_INFO, "stopping", "signal=%d", sig);
	return sig > 0;
}

static int load_rules(struct server *s, struct err *e)
{
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/languages", s->config->rules);
	if (languages_load(dir, &s->languages, e) < 0)
		return -1;
	for (size_t i = 0; i < s->languages.nbroken; i++)
		log_event(LOG_ERROR, "rule_refused", "language=%s reason=%s",
			  log_q(s->languages.broken[i].name), log_q(s->languages.broken[i].reason));
	return 0;
}

static void on_commit(void *arg, enum store_change change, const char *submission)
{
	struct server *s = arg;
	struct api *api = s->api;

	if (change == STORE_QUEUED)
		queue_ring(&s->bell);
	if (api)
		api_committed(api, submission);
}

static int open_store(struct server *s, struct err *e)
{
	struct api_config a = {
		.languages = &s->languages,
		.max_queued = s->config->queue_length,
		.source_bytes = s->config->source_bytes,
		.workers = worker_count(s->config),
		.version = GAVEL_VERSION,
	};

	s->store = store_open(s->config->state, e);
	if (!s->store)
		return -1;
	store_on_commit(s->store, on_commit, s);
	a.store = s->store;
	s->api = api_new(&a, e);
	return s->api ? 0 : -1;
}

static void log_languages(const struct languages *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct language *l = &all->items[i];

		if (l->available)
			log_event(LOG_INFO, "language", "name=%s version=%s", l->name,
				  log_q(l->found));
		else
			log_event(LOG_WARN, "language_missing", "name=%s reason=%s", l->name,
				  log_q(l->reason));
	}
}

/* Asks sandboxd once: 1 if all is known, 0 if it does not answer yet. */
static int ask_sandbox(struct server *s)
{
	struct sandbox_client *c;
	struct err e;
	int known;

	c = sandbox_client_open(s->config->program_socket, CELL_WAIT_MS, &e);
	known = c && probe_languages(c, &s->languages, &e) == 0;
	if (known)
		api_set_layers(s->api, sandbox_client_layers(c));
	else
		log_event(LOG_WARN, "waiting_for_sandboxd", "reason=%s", log_q(e.msg));
	sandbox_client_close(c);
	return known;
}

/* Nothing can be judged, built or even offered without it.  0: a signal came first. */
static int await_sandbox(struct server *s)
{
	while (!ask_sandbox(s))
		if (signal_came(SANDBOX_RETRY))
			return 0;
	log_languages(&s->languages);
	return 1;
}

static void import_package(struct server *s, const char *dir)
{
	struct jury_builder b = {s->config->jury_socket, &s->languages, BUILD_WAIT_MS,
				 s->config->program_socket};
	const struct problem_makers make = {jury_build, measure_time_limit, &b};
	char version[PROBLEM_HASH_LEN + 1];
	struct err e;
	int changed;

	if (problem_import(s->store, dir, &make, version, &changed, &e) < 0)
		log_event(LOG_ERROR, "problem_refused", "folder=%s reason=%s", log_q(dir),
			  log_q(e.msg));
	else
		log_event(LOG_INFO, changed ? "problem_imported" : "problem_known",
			  "folder=%s version=%.12s", log_q(dir), version);
}

static int is_package(const struct dirent *d)
{
	return d->d_name[0] != '.' && (d->d_type == DT_DIR || d->d_type == DT_UNKNOWN ||
				       (d->d_type == DT_REG && unpack_is_archive(d->d_name)));
}

/* Both would be the same problem, and each the one that follows the other. */
static int beside_its_folder(const char *path, const char *name)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%.*s%.*s", (int)(strlen(path) - strlen(name)), path,
		 (int)names_stem_len(name), name);
	if (!unpack_is_archive(name) || access(folder, F_OK) < 0)
		return 0;
	log_event(LOG_ERROR, "problem_refused", "folder=%s reason=%s", log_q(path),
		  log_q("there is a folder of the same name: keep one of the two"));
	return 1;
}

/* 1 if a signal came meanwhile: building validators takes its time. */
static int import_folder(struct server *s, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_package, alphasort);
	int ended = 0;

	if (n < 0) {
		log_event(LOG_ERROR, "problems_unreadable", "folder=%s reason=%s", log_q(dir),
			  log_q(strerrordesc_np(errno)));
		return 0;
	}
	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		ended = ended || signal_came(0);
		if (!ended && !beside_its_folder(path, entries[i]->d_name))
			import_package(s, path);
		free(entries[i]);
	}
	free(entries);
	return ended;
}

static int start(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	struct worker_config w = {
		.store = s->store,
		.bell = &s->bell,
		.program_socket = c->program_socket,
		.jury_socket = c->jury_socket,
		.languages = &s->languages,
		.workers = worker_count(c),
		.lease_us = (int64_t)c->lease_us,
		.transcript_bytes = c->transcript_bytes,
		.cache_bytes = CACHE_BYTES,
		.compiled = s->compiled,
	};
	struct grpc_front_options g = {
		.listen = c->listen,
		.cert = c->tls_cert,
		.key = c->tls_key,
		.message_bytes = (size_t)c->message_bytes,
	};

	s->front = grpc_front_open(&g, s->api, e);
	if (!s->front)
		return -1;
	s->workers = worker_pool_open(&w, e);
	if (!s->workers)
		return -1;
	log_event(LOG_INFO, "ready", "port=%d listen=%s workers=%u store=%s",
		  grpc_front_port(s->front), log_q(c->listen), w.workers, store_kind(s->store));
	return 0;
}

/* Judging goes on without it. */
static void open_compiled(struct server *s)
{
	char dir[4096];
	struct compile_cache_options o = {.dir = dir,
					  .max_bytes = s->config->compile_cache,
					  .toolchain = s->languages.toolchain};
	const char *folder = store_folder(s->store);
	struct err e;

	if (o.max_bytes == 0 || !folder)
		return;
	snprintf(dir, sizeof(dir), "%s/compiled", folder);
	s->compiled = compile_cache_open(&o, &e);
	if (!s->compiled)
		log_event(LOG_WARN, "no_compile_cache", "reason=%s", log_q(e.msg));
}

static int serve(struct server *s, struct err *e)
{
	if (load_rules(s, e) < 0 || open_store(s, e) < 0)
		return -1;
	if (!await_sandbox(s))
		return 0;
	for (char **dir = s->config->problems; *dir; dir++)
		if (import_folder(s, *dir))
			return 0;
	open_compiled(s);
	if (start(s, e) < 0)
		return -1;
	(void)signal_came(-1);
	return 0;
}

/* Watchers are told of what still finishes, so the calls end after the jobs.  The store's hook uses api and bell to its end. */
static void shut_down(struct server *s)
{
	worker_pool_close(s->workers, JOBS_GRACE_MS);
	compile_cache_close(s->compiled);
	grpc_front_close(s->front, CALLS_GRACE_MS);
	if (s->store)
		store_close(s->store);
	if (s->api)
		api_free(s->api);
	queue_release(&s->bell);
	languages_release(&s->languages);
	log_event(LOG_INFO, "stopped", "%s", "");
}

int server_run(const struct config *c, struct err *e)
{
	struct server s = {.config = c};
	int rc;

	queue_init(&s.bell);
	rc = serve(&s, e);
	shut_down(&s);
	return rc;
}
