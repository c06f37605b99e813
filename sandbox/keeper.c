#include "sandbox/keeper.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "sandbox/privilege.h"
#include "sandbox/rules.h"

#define PROTOCOL_VERSION 1

static int allowed(const struct keeper *k, int sock, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, peer, &len) < 0)
		return 0;
	for (size_t i = 0; i < k->nallow; i++)
		if (k->allow[i] == peer->uid)
			return 1;
	return 0;
}

/* Waits for a client that may connect.  All keepers of a pool wait on one socket; the kernel lets one of them win. */
static int await_client(const struct keeper *k, const struct cell *c, struct err *e)
{
	struct pollfd p[] = {{k->listen_fd, POLLIN, 0}, {c->init_pidfd, POLLIN, 0}};
	struct ucred peer = {0};

	for (;;) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (p[1].revents)
			return err_set(e, "the cell's init died while idle");
		AUTO_CLOSE int sock = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (sock < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			return err_sys(e, "accept");
		if (sock < 0)
			continue;
		if (allowed(k, sock, &peer))
			return fd_steal(&sock);
		log_event(LOG_WARN, "refused", "pool=%s uid=%u peer_pid=%d", k->pool, peer.uid,
			  (int)peer.pid);
	}
}

static int welcome(const struct keeper *k, int sock, struct err *e)
{
	Sandbox__Welcome w = SANDBOX__WELCOME__INIT;
	const char *layers[CELL_LAYERS_MAX];

	w.protocol = PROTOCOL_VERSION;
	w.cell = (char *)k->cell.name;
	w.pool = (char *)k->pool;
	w.rules_hash = (char *)k->cell.rules->hash;
	w.runs_queue = k->cell.cpus != NULL;
	w.layers = (char **)layers;
	w.n_layers = cell_layers(k->cell.cgroups, layers);
	return channel_send(sock, &w.base, NULL, 0, e);
}

static int answer(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	return channel_send(*(const int *)arg, &r->base, fds, nfds, e);
}

/* One request; a malformed one ends the connection. */
static int serve_one(struct cell *c, int sock, struct channel_frame *f, struct err *e)
{
	Sandbox__Request *rq =
		(Sandbox__Request *)channel_unpack(f, &sandbox__request__descriptor, e);
	int status;

	if (!rq)
		return -1;
	status = cell_request(c, rq, f->fds, f->nfds, answer, &sock, e);
	sandbox__request__free_unpacked(rq, NULL);
	return status;
}

/* Until the client asks for something, or there is nothing left to do. */
static int rest(struct cell *c, int sock, struct err *e)
{
	struct pollfd p = {sock, POLLIN, 0};
	int more = 1;

	while (more > 0 && poll(&p, 1, 0) == 0)
		more = cell_rest(c, e);
	return more < 0 ? -1 : 0;
}

static int serve(const struct keeper *k, struct cell *c, int sock, struct err *e)
{
	static struct channel_frame f;
	int n;

	c->ties.client = sock;
	if (welcome(k, sock, e) < 0)
		return -1;
	while ((n = rest(c, sock, e)) == 0 && (n = channel_receive(sock, -1, &f, e)) == 1) {
		int status = serve_one(c, sock, &f, e);

		channel_frame_release(&f);
		if (status < 0)
			return -1;
	}
	return n;
}

_Noreturn void keeper_main(const struct keeper *k)
{
	static struct cell c;
	struct err e = {0};
	int sock;
	int status;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != k->master)
		_exit(KEEPER_BROKEN);
	/* The seat's last keeper may have been killed before it could tidy up. */
	cell_watch_first();
	if (privilege_reduce(PRIVILEGE_KEEPER, &e) < 0 ||
	    cgroup_cell_clear(k->cell.cgroups, k->cell.name, &e) < 0 ||
	    cell_open(&c, &k->cell, &e) < 0) {
		log_event(LOG_ERROR, "no_cell", "cell=%s reason=%s", k->cell.name, log_q(e.msg));
		_exit(KEEPER_NO_CELL);
	}
	sock = await_client(k, &c, &e);
	status = sock < 0 ? -1 : serve(k, &c, sock, &e);
	if (status < 0)
		log_event(LOG_WARN, "cell_ended", "cell=%s reason=%s", k->cell.name, log_q(e.msg));
	/* The client sees its end first: it need not wait for the wiping. */
	if (sock >= 0)
		(void)close(sock);
	cell_close(&c);
	if (sock < 0)
		_exit(KEEPER_NO_CELL);
	_exit(status < 0 ? KEEPER_BROKEN : KEEPER_SERVED);
}
