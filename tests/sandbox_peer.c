#include "tests/sandbox_peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"

#define TEXT_MAX 65536

struct cell {
	struct peer *peer;
	int sock;
	char sources[TEXT_MAX]; /* all that was PUT, one after the other */
	struct channel_frame frame;
};

static int says(const struct cell *c, const char *word)
{
	return strstr(c->sources, word) != NULL;
}

static void append_text(int fd, char *out)
{
	struct err e;
	size_t used = strlen(out);
	AUTO_CLOSE int own = io_reopen(fd, &e);
	ssize_t n = own < 0 ? 0 : io_read_full(own, out + used, TEXT_MAX - 1 - used, &e);

	out[used + (n > 0 ? (size_t)n : 0)] = '\0';
}

static int reply(const struct cell *c, const Sandbox__Reply *r, const int *fds, size_t n)
{
	struct err e;

	return channel_send(c->sock, &r->base, fds, n, &e);
}

static int reply_done(const struct cell *c)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.last = 1;
	return reply(c, &r, NULL, 0);
}

static int reply_run(const struct cell *c, const Sandbox__Request *q, Sandbox__Reply *r,
		     const char *out)
{
	struct err e;
	AUTO_CLOSE int fd = io_memfd_of(out, strlen(out), &e);

	r->last = 1;
	r->cpu_time_us = 1000;
	r->memory_peak_bytes = 4096;
	if (!r->status)
		r->status = SANDBOX__STATUS__EXITED;
	return reply(c, r, (int[]){fd, fd}, q->merge_stderr ? 1 : 2);
}

static int compile(const struct cell *c, const Sandbox__Request *q)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	int bad = says(c, "ce");

	r.exit_code = bad;
	return reply_run(c, q, &r, bad ? "main.c:1: no \x1b[31m\xff" : "");
}

static int validate(const struct cell *c, const Sandbox__Request *q)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	static _Thread_local char output[TEXT_MAX], answer[TEXT_MAX];

	output[0] = answer[0] = '\0';
	append_text(c->frame.fds[0], output);
	append_text(c->frame.fds[2], answer);
	r.exit_code = says(c, "confused") ? 1 : strcmp(output, answer) == 0 ? 42 : 43;
	return reply_run(c, q, &r, "");
}

/* Until the client goes away, or the time is over: 1. */
static int wait_us(const struct cell *c, int64_t us)
{
	struct pollfd p = {.fd = c->sock, .events = POLLIN};
	int64_t until = io_monotonic_us() + us;

	while (!c->peer->stopping && io_monotonic_us() < until)
		if (poll(&p, 1, 20) > 0)
			return 0;
	return !c->peer->stopping;
}

static int behave(struct cell *c, const Sandbox__Request *q)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	static _Thread_local char input[TEXT_MAX];

	input[0] = '\0';
	append_text(c->frame.fds[0], input);
	if (says(c, "die") && (!says(c, "die_first") || c->peer->deaths == 0)) {
		c->peer->deaths++;
		return -1;
	}
	if (says(c, "refused")) {
		r.error = "policy: no rule";
		return reply(c, &r, NULL, 0);
	}
	if (says(c, "broken")) {
		r.status = SANDBOX__STATUS__SANDBOX_ERROR;
		r.message = "out of order";
	}
	if (says(c, "library")) {
		r.status = SANDBOX__STATUS__SANDBOX_ERROR;
		r.message = "/program/program: Permission denied";
		r.exec_errno = EACCES;
	}
	if (says(c, "crash")) {
		r.status = SANDBOX__STATUS__SIGNALED;
		r.signal = 11;
	}
	if (says(c, "hang") && !wait_us(c, 3600000000))
		return -1;
	if (says(c, "slow") && !wait_us(c, PEER_SLOW_US))
		return -1;
	return reply_run(c, q, &r, says(c, "wrong") ? "no" : input);
}

static int run(struct cell *c, const Sandbox__Request *q)
{
	struct peer *p = c->peer;
	int now;
	int most;
	int rc;

	for (size_t i = 0; i < q->n_argv; i++)
		if (strcmp(q->argv[i], "/box/feedback/") == 0)
			return validate(c, q);
	if (strncmp(q->argv[0], "/program/", 9) != 0)
		return compile(c, q);
	p->runs++;
	now = ++p->running;
	most = p->most;
	while (now > most && !atomic_compare_exchange_weak(&p->most, &most, now))
		;
	p->solo += says(c, "solo");
	p->crowded += p->solo > 0 && now > 1;
	rc = behave(c, q);
	p->crowded += p->solo > 0 && p->running > 1;
	p->solo -= says(c, "solo");
	p->running--;
	return rc;
}

/* What the compiler left, or what the validator wrote. */
static int fetch(const struct cell *c, const Sandbox__Request *q)
{
	int feedback = strncmp(q->paths[0], "feedback/", 9) == 0;
	char *name = feedback ? "feedback/judgemessage.txt" : "program";
	const char *text = feedback ? "said the validator" : c->sources;
	uint32_t mode = 0555;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	struct err e;
	AUTO_CLOSE int fd = io_memfd_of(text, strlen(text), &e);

	r.names = &name;
	r.modes = &mode;
	r.n_names = r.n_modes = 1;
	r.last = 1;
	return reply(c, &r, &fd, 1);
}

static int refuse_keep(const struct cell *c)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.error = "files are larger than allowed: a\x1b[31m";
	return reply(c, &r, NULL, 0);
}

static int serve_one(struct cell *c, const Sandbox__Request *q)
{
	switch (q->kind) {
	case SANDBOX__REQUEST__KIND__PUT:
		for (size_t i = 0; i < c->frame.nfds; i++)
			append_text(c->frame.fds[i], c->sources);
		return reply_done(c);
	case SANDBOX__REQUEST__KIND__RUN:
		return run(c, q);
	case SANDBOX__REQUEST__KIND__FETCH:
		return fetch(c, q);
	default:
		return says(c, "untidy") ? refuse_keep(c) : reply_done(c);
	}
}

static void serve(struct cell *c)
{
	Sandbox__Welcome w = SANDBOX__WELCOME__INIT;
	struct err e;
	int going = 1;

	if (c->peer->mute) {
		(void)wait_us(c, 3600000000);
		return;
	}
	w.protocol = 1;
	w.rules_hash = "c0ffee";
	if (channel_send(c->sock, &w.base, NULL, 0, &e) < 0)
		return;
	while (going && channel_receive(c->sock, -1, &c->frame, &e) == 1) {
		Sandbox__Request *q = (Sandbox__Request *)channel_unpack(
			&c->frame, &sandbox__request__descriptor, &e);

		going = q && serve_one(c, q) == 0;
		if (q)
			sandbox__request__free_unpacked(q, NULL);
		channel_frame_release(&c->frame);
	}
}

static void *cell_main(void *arg)
{
	struct cell *c = arg;
	struct peer *p = c->peer;

	serve(c);
	close(c->sock);
	free(c);
	p->cells--;
	return NULL;
}

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	int sock;

	while ((sock = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct cell *c = calloc(1, sizeof(*c));
		pthread_t t;

		cr_assert_not_null(c);
		c->peer = p;
		c->sock = sock;
		p->cells++;
		cr_assert_eq(pthread_create(&t, NULL, cell_main, c), 0);
		pthread_detach(t);
	}
	return NULL;
}

void peer_open(struct peer *p, const char *path)
{
	struct err e;

	*p = (struct peer){.listener = -1};
	snprintf(p->path, sizeof(p->path), "%s", path);
	p->listener = channel_listen(path, 16, &e);
	cr_assert_geq(p->listener, 0, "%s", e.msg);
	cr_assert_eq(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

/* Cells whose client is still connected would stay: close the clients first. */
void peer_close(struct peer *p)
{
	p->stopping = 1;
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	unlink(p->path);
	for (int i = 0; p->cells > 0 && i < 500; i++)
		usleep(10000);
	cr_expect_eq(p->cells, 0, "a client never closed its cell");
}
