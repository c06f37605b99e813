#include "judge/grpc.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>

#include "judge/grpc_rpc.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define MESSAGE_BYTES_DEFAULT (16 << 20)
#define CALLS_DEFAULT         1024
#define THREADS_DEFAULT       8
#define REQUEST_MS_DEFAULT    20000
#define SWEEP_MS              500
#define THREADS_MAX           64
#define PEM_BYTES_MAX         (1 << 20)

struct grpc_front {
	struct rpc_home home;
	grpc_resource_quota *quota;
	int port;
	unsigned nthreads;
	_Atomic int64_t sweep_us; /* when the next sweep is due, CLOCK_MONOTONIC */
	pthread_t threads[THREADS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int stopped; /* the core says that no call is left */
};

/* The core's own complaints, in our log. */
static void core_log(gpr_log_func_args *args)
{
	static const enum log_level levels[] = {[GPR_LOG_SEVERITY_DEBUG] = LOG_DEBUG,
						[GPR_LOG_SEVERITY_INFO] = LOG_DEBUG,
						[GPR_LOG_SEVERITY_ERROR] = LOG_WARN};

	log_event(levels[args->severity], "grpc_core", "message=%s", log_q(args->message));
}

/* One of the threads every SWEEP_MS, however busy or idle they are. */
static gpr_timespec sweep_now_and_then(struct grpc_front *f)
{
	int64_t now = io_monotonic_us();
	int64_t due = f->sweep_us;

	if (now >= due &&
	    atomic_compare_exchange_strong(&f->sweep_us, &due, now + SWEEP_MS * 1000LL))
		rpc_sweep(&f->home);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			    gpr_time_from_millis(SWEEP_MS, GPR_TIMESPAN));
}

static void *serve(void *arg)
{
	struct grpc_front *f = arg;

	for (;;) {
		grpc_event ev =
			grpc_completion_queue_next(f->home.queue, sweep_now_and_then(f), NULL);

		if (ev.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (ev.type != GRPC_OP_COMPLETE)
			continue;
		if (ev.tag != f) {
			rpc_event(ev.tag, ev.success);
			continue;
		}
		pthread_mutex_lock(&f->lock);
		f->stopped = 1;
		pthread_cond_signal(&f->changed);
		pthread_mutex_unlock(&f->lock);
	}
}

static grpc_server_credentials *tls_credentials(const char *cert, const char *key, struct err *e)
{
	AUTO_FREE char *cert_pem = NULL;
	AUTO_FREE char *key_pem = NULL;
	grpc_ssl_pem_key_cert_pair pair;
	grpc_server_credentials *c;
	size_t len, key_len;

	if (!cert || !key) {
		err_set(e, "TLS needs a certificate and a key; the %s is missing",
			cert ? "key" : "certificate");
		return NULL;
	}
	if (io_read_file(cert, PEM_BYTES_MAX, &cert_pem, &len, e) < 0 ||
	    io_read_file(key, PEM_BYTES_MAX, &key_pem, &key_len, e) < 0)
		return NULL;
	pair.cert_chain = cert_pem;
	pair.private_key = key_pem;
	c = grpc_ssl_server_credentials_create(NULL, &pair, 1, 0, NULL);
	explicit_bzero(key_pem, key_len);
	if (!c)
		err_set(e, "%s, %s: not a PEM certificate and its key", cert, key);
	return c;
}

static grpc_arg int_arg(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_server *make_server(const struct grpc_front_options *o, unsigned calls,
				grpc_resource_quota *quota)
{
	size_t message = o->message_bytes ? o->message_bytes : MESSAGE_BYTES_DEFAULT;
	grpc_arg args[] = {
		int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
			message < INT_MAX ? (int)message : INT_MAX),
		int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)calls),
		int_arg(GRPC_ARG_MAX_METADATA_SIZE, 16384),
		/* Two servers on one port would each get half of the calls: the second one is to fail. */
		int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
		/* A compressed request could unpack to far more than the limit. */
		int_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			1 << GRPC_COMPRESS_NONE),
		/* Peers that vanished are noticed within 80 s; clients may ping every 10 s. */
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 60000),
		int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000),
		int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000),
		int_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20000),
		int_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
		{.type = GRPC_ARG_POINTER,
		 .key = (char *)GRPC_ARG_RESOURCE_QUOTA,
		 .value.pointer = {quota, grpc_resource_quota_arg_vtable()}},
	};
	grpc_channel_args all = {.num_args = ARRAY_LEN(args), .args = args};

	return grpc_server_create(&all, NULL);
}

static int bind_port(struct grpc_front *f, const struct grpc_front_options *o, struct err *e)
{
	grpc_server_credentials *c = o->cert || o->key ? tls_credentials(o->cert, o->key, e)
						       : grpc_insecure_server_credentials_create();

	if (!c)
		return -1;
	f->port = grpc_server_add_http2_port(f->home.server, o->listen, c);
	grpc_server_credentials_release(c);
	if (f->port == 0)
		return err_set(e, "cannot listen on %s: not HOST:PORT, in use or not allowed%s",
			       o->listen,
			       o->cert ? ", or the certificate does not fit the key" : "");
	return 0;
}

static int start_threads(struct grpc_front *f, unsigned n, struct err *e)
{
	for (f->nthreads = 0; f->nthreads < n; f->nthreads++) {
		errno = pthread_create(&f->threads[f->nthreads], NULL, serve, f);
		if (errno != 0)
			return err_sys(e, "start a thread");
	}
	for (unsigned i = 0; i < 4 * n; i++)
		if (rpc_accept(&f->home) < 0)
			return err_set(e, "out of memory");
	return 0;
}

static int start(struct grpc_front *f, const struct grpc_front_options *o, struct err *e)
{
	unsigned threads = o->threads ? o->threads : THREADS_DEFAULT;

	f->home.calls_max = o->calls ? o->calls : CALLS_DEFAULT;
	f->home.request_ms = o->request_ms ? o->request_ms : REQUEST_MS_DEFAULT;
	f->home.streams_max = f->home.calls_max - f->home.calls_max / 4;
	/* All that the core buffers for connections: a full load of the longest messages, within reason. */
	f->quota = grpc_resource_quota_create("gavel");
	grpc_resource_quota_resize(f->quota, (size_t)512 << 20);
	f->home.queue = grpc_completion_queue_create_for_next(NULL);
	f->home.server = make_server(o, f->home.calls_max, f->quota);
	grpc_server_register_completion_queue(f->home.server, f->home.queue, NULL);
	if (bind_port(f, o, e) < 0)
		return -1;
	grpc_server_start(f->home.server);
	return start_threads(f, threads < THREADS_MAX ? threads : THREADS_MAX, e);
}

struct grpc_front *grpc_front_open(const struct grpc_front_options *o, struct api *api,
				   struct err *e)
{
	struct grpc_front *f = calloc(1, sizeof(*f));
	pthread_condattr_t monotonic;
	sigset_t all, before;
	int rc;

	if (!f) {
		err_sys(e, "grpc");
		return NULL;
	}
	f->home.api = api;
	pthread_mutex_init(&f->home.lock, NULL);
	pthread_cond_init(&f->home.none_alive, NULL);
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	/* Signals are for main: neither our threads nor the core's take any. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	gpr_set_log_function(core_log);
	grpc_init();
	rc = start(f, o, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return f;
	err_wrap(e, "grpc");
	grpc_front_close(f, 0);
	return NULL;
}

int grpc_front_port(const struct grpc_front *f)
{
	return f->port;
}

/* 1 when no call is left. */
static int wait_stopped(struct grpc_front *f, int timeout_ms)
{
	struct timespec until;
	int stopped;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&f->lock);
	while (!f->stopped && pthread_cond_timedwait(&f->changed, &f->lock, &until) != ETIMEDOUT)
		;
	stopped = f->stopped;
	pthread_mutex_unlock(&f->lock);
	return stopped;
}

static void stop_server(struct grpc_front *f, int grace_ms)
{
	rpc_drain(&f->home);
	if (f->nthreads == 0) { /* opening failed half-way: nobody serves the queue */
		grpc_server_shutdown_and_notify(f->home.server, f->home.queue, f);
		while (grpc_completion_queue_next(f->home.queue, gpr_inf_future(GPR_CLOCK_REALTIME),
						  NULL)
			       .tag != f)
			;
		return;
	}
	grpc_server_shutdown_and_notify(f->home.server, f->home.queue, f);
	if (!wait_stopped(f, grace_ms)) {
		log_event(LOG_WARN, "grpc_calls_cancelled", "after_ms=%d", grace_ms);
		grpc_server_cancel_all_calls(f->home.server);
		while (!wait_stopped(f, 1000))
			;
	}
	rpc_wait_gone(&f->home);
}

void grpc_front_close(struct grpc_front *f, int grace_ms)
{
	if (!f)
		return;
	if (f->home.server)
		stop_server(f, grace_ms);
	if (f->home.queue)
		grpc_completion_queue_shutdown(f->home.queue);
	for (unsigned i = 0; i < f->nthreads; i++)
		pthread_join(f->threads[i], NULL);
	if (f->home.queue)
		grpc_completion_queue_destroy(f->home.queue);
	if (f->home.server)
		grpc_server_destroy(f->home.server);
	if (f->quota)
		grpc_resource_quota_unref(f->quota);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->home.none_alive);
	pthread_mutex_destroy(&f->home.lock);
	grpc_shutdown();
	free(f);
}
