#include "sandbox/park.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "sandbox/cell.h"

#define PARK_MS 10000 /* for init to clone, on a machine that is very busy */

static int same_limits(const struct cgroup_limits *a, const struct cgroup_limits *b)
{
	return a->memory_bytes == b->memory_bytes && a->processes == b->processes &&
	       a->cpu_milli == b->cpu_milli && a->cpu == b->cpu;
}

/* The descriptor of the child in init's answer. */
static int take_pidfd(struct cell *c, struct err *e)
{
	static struct channel_frame f;
	int n = channel_receive(c->init_sock, PARK_MS, &f, e);
	Sandbox__Reply *r;

	if (n == 0)
		err_set(e, "the cell's init died");
	r = n == 1 ? (Sandbox__Reply *)channel_unpack(&f, &sandbox__reply__descriptor, e) : NULL;
	if (!r)
		return -1;
	if (r->error[0])
		err_set(e, "%s", r->error);
	else if (f.nfds != 1)
		err_set(e, "the cell's init sent no pidfd");
	else
		c->park.pidfd = fd_steal(&f.fds[0]);
	if (c->park.pidfd >= 0)
		f.nfds = 0;
	sandbox__reply__free_unpacked(r, NULL);
	channel_frame_release(&f);
	return c->park.pidfd < 0 ? -1 : 0;
}

static int ask_init(struct cell *c, struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	int fds[1 + CGROUP_TREES];
	int sync[2];
	size_t n = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
		return err_sys(e, "socketpair");
	AUTO_CLOSE int child_sync = sync[1];

	c->park.sync = sync[0];
	fds[n++] = child_sync;
	for (int i = 0; i < c->park.cgroup.nprocs_fds; i++)
		fds[n++] = c->park.cgroup.procs_fds[i];
	rq.kind = SANDBOX__REQUEST__KIND__PARK;
	rq.attach = (uint32_t)c->park.cgroup.nprocs_fds;
	if (channel_send(c->init_sock, &rq.base, fds, n, e) < 0)
		return -1;
	return take_pidfd(c, e);
}

int park_ready(struct cell *c, const struct cgroup_limits *limits, struct err *e)
{
	struct err ignored = {0};
	char name[32];

	if (c->park.sync >= 0 && same_limits(&c->park.cgroup.limits, limits))
		return 0;
	if (park_drop(c, e) < 0)
		return -1;
	snprintf(name, sizeof(name), "run-%u", ++c->runs);
	if (cgroup_open(&c->cgroup, name, limits, &c->park.cgroup, e) < 0)
		return 1;
	if (ask_init(c, e) == 0)
		return 0;
	if (c->park.sync < 0)
		(void)cgroup_close(&c->park.cgroup, &ignored);
	else
		(void)park_drop(c, &ignored);
	return -1;
}

int park_drop(struct cell *c, struct err *e)
{
	if (c->park.sync < 0)
		return 0;
	if (c->park.pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, c->park.pidfd, SIGKILL, NULL, 0);
		(void)close(fd_steal(&c->park.pidfd));
	}
	(void)close(fd_steal(&c->park.sync));
	return cgroup_close(&c->park.cgroup, e);
}
