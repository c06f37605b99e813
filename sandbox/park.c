#include "sandbox/park.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "sandbox/cell.h"

static int same_limits(const struct cgroup_limits *a, const struct cgroup_limits *b)
{
	return a->memory_bytes == b->memory_bytes && a->processes == b->processes &&
	       a->cpu_milli == b->cpu_milli && a->cpu == b->cpu;
}

int park_read_word(int sync, int timeout_ms, struct jail_message *m, int *listener, struct err *e)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct pollfd p = {.fd = sync, .events = POLLIN};
	struct cmsghdr *c;
	ssize_t n;

	if (timeout_ms > 0 && poll(&p, 1, timeout_ms) != 1)
		return err_set(e, "the jail was not ready after %d s", timeout_ms / 1000);
	n = recvmsg(sync, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* A child that died with something unread leaves this error in front of its last word: unix(7). */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(sync, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return err_sys(e, "hear from the jail");
	c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(listener, CMSG_DATA(c), sizeof(int));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*m))
		return err_set(e, "the jail's report is cut short");
	m->err.msg[sizeof(m->err.msg) - 1] = '\0';
	return 1;
}

static void pipe_close(struct park_pipe *p)
{
	if (p->end >= 0)
		(void)close(fd_steal(&p->end));
	output_close(&p->output);
}

/* A program may open /dev/stdout and /dev/stderr, which asks for the owner of the pipe. */
static int pipe_open(const struct cell *c, struct park_pipe *p, struct err *e)
{
	if (output_open(&p->output, -1, &p->end, e) < 0)
		return -1;
	if (fchown(p->end, c->ids.program, c->ids.program) < 0)
		return err_sys(e, "owner of a pipe");
	return 0;
}

static int open_cgroup(struct cell *c, const struct cgroup_limits *limits, struct err *e)
{
	char name[32];

	snprintf(name, sizeof(name), "run-%u", ++c->runs);
	return cgroup_open(&c->cgroup, name, limits, &c->park.cgroup, e);
}

static void park_clear(struct park *p)
{
	int *fds[] = {&p->pidfd, &p->sync, &p->child_sync, &p->listener};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			(void)close(fd_steal(fds[i]));
	pipe_close(&p->out);
	pipe_close(&p->err_out);
}

static int open_lines(struct cell *c, struct err *e)
{
	struct park *p = &c->park;
	int sync[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync) < 0)
		return err_sys(e, "socketpair");
	p->sync = sync[0];
	p->child_sync = sync[1];
	return pipe_open(c, &p->out, e) < 0 || pipe_open(c, &p->err_out, e) < 0 ? -1 : 0;
}

int park_chore(struct cell *c, const struct cgroup_limits *limits, struct err *e)
{
	if (c->spent[0].cell)
		return cgroup_close(&c->spent[0], e) < 0 ? -1 : 1;
	if (c->park.cgroup.cell || c->options.once)
		return 0;
	/* Refused for want of something, it will be asked for again when it is needed, and be explained. */
	if (open_cgroup(c, limits, e) < 0)
		return 0;
	return open_lines(c, e);
}

int park_order(struct cell *c, const char *policy, struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	struct park *p = &c->park;
	int fds[1 + CGROUP_TREES];
	size_t n = 0;

	if (p->child_sync < 0)
		return 0; /* nothing is made, or all of it was sent already */
	fds[n++] = p->child_sync;
	for (int i = 0; i < p->cgroup.nprocs_fds; i++)
		fds[n++] = p->cgroup.procs_fds[i];
	rq.kind = SANDBOX__REQUEST__KIND__PARK;
	rq.attach = (uint32_t)p->cgroup.nprocs_fds;
	rq.policy = p->policy;
	snprintf(p->policy, sizeof(p->policy), "%s", policy);
	int status = channel_send(c->init_sock, &rq.base, fds, n, e);

	(void)close(fd_steal(&p->child_sync));
	return status;
}

/* Init was told to clone, and has not answered yet. */
static int is_ordered(const struct park *p)
{
	return p->sync >= 0 && p->child_sync < 0 && p->pidfd < 0;
}

/* What init says about the child it made: 0, or 1 if it has none and has to be asked again. */
static int take_child(struct cell *c, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *r = cell_hear(c, PARK_MS, &f, e);
	int again;

	if (!r)
		return -1;
	again = r->again;
	if (r->error[0])
		err_set(e, "%s", r->error);
	else if (!again && f.nfds != 1)
		err_set(e, "the cell's init sent no pidfd");
	else if (!again)
		c->park.pidfd = fd_steal(&f.fds[0]);
	if (c->park.pidfd >= 0)
		f.nfds = 0;
	c->box.ready = r->box_ready;
	sandbox__reply__free_unpacked(r, NULL);
	channel_frame_release(&f);
	return again ? 1 : c->park.pidfd < 0 ? -1 : 0;
}

/* 0 armed, 1 the jail refused with *e. */
static int await_armed(struct park *p, struct err *e)
{
	struct jail_message m = {0};
	int n = park_read_word(p->sync, PARK_MS, &m, &p->listener, e);

	if (n < 0)
		return -1;
	if (n == 0) {
		err_set(e, "jail: killed during set-up");
		return 1;
	}
	if (m.word != JAIL_READY || p->listener < 0) {
		*e = m.err;
		if (m.word == JAIL_READY)
			err_set(e, "jail: seccomp: no listener came");
		return 1;
	}
	if (cgroup_check_joined(p->cgroup.procs_fds, p->cgroup.nprocs_fds, e) < 0) {
		err_wrap(e, "jail: attach");
		return 1;
	}
	/* From here the child does nothing but wait, so this reading is complete. */
	return cgroup_cpu_usage_us(&p->cgroup, &p->cpu_base_us, e);
}

/* A child that the jail refuses is of no use. */
static int armed(struct cell *c, struct err *e)
{
	struct err dropping = {0};
	int status = await_armed(&c->park, e);

	if (status > 0 && park_drop(c, &dropping) < 0) {
		*e = dropping;
		return -1;
	}
	return status;
}

static int arm(struct cell *c, const char *policy, struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	struct park *p = &c->park;
	struct err gone = {0};

	rq.kind = SANDBOX__REQUEST__KIND__PARK;
	rq.policy = p->policy;
	snprintf(p->policy, sizeof(p->policy), "%s", policy);
	/* A child that is dead already has said why. */
	(void)channel_send(p->sync, &rq.base, NULL, 0, &gone);
	return armed(c, e);
}

/* Goes on from wherever the park is to a child that init has cloned: 0, 1 refused, -1. */
static int have_child(struct cell *c, const struct cgroup_limits *limits, const char *policy,
		      struct err *e)
{
	struct park *p = &c->park;
	int again;

	do {
		if (!p->cgroup.cell && open_cgroup(c, limits, e) < 0)
			return 1;
		if (p->sync < 0 && open_lines(c, e) < 0)
			return -1;
		if (!is_ordered(p) && park_order(c, policy, e) < 0)
			return -1;
		again = take_child(c, e);
		if (again <= 0)
			return again;
		/* No two children on one line. */
		park_clear(p);
	} while (cgroup_close(&p->cgroup, e) == 0);
	return -1;
}

/* The child is armed, if the box is as new.  Returns as park_ready() does. */
static int park_child(struct cell *c, const struct cgroup_limits *limits, const char *policy,
		      struct err *e)
{
	int status = have_child(c, limits, policy, e);

	return status == 0 && c->box.ready ? armed(c, e) : status;
}

/* When the machine runs out of memory, a child that does nothing but wait is among the first to go. */
static int is_dead(const struct park *p)
{
	struct pollfd end = {p->pidfd, POLLIN, 0};

	return poll(&end, 1, 0) == 1;
}

/* Whether what there is serves a run with these limits and this policy. */
static int is_fit(const struct cell *c, const struct cgroup_limits *limits, const char *policy)
{
	const struct park *p = &c->park;

	return !c->ended && !is_dead(p) && same_limits(&p->cgroup.limits, limits) &&
	       (strcmp(p->policy, policy) == 0 || (p->listener < 0 && !is_ordered(p)));
}

int park_ahead(struct cell *c, const struct cgroup_limits *limits, const char *policy,
	       struct err *e)
{
	if (c->park.cgroup.cell && !is_fit(c, limits, policy) && park_drop(c, e) < 0)
		return -1;
	return c->park.pidfd >= 0 ? 0 : park_child(c, limits, policy, e);
}

int park_ready(struct cell *c, const struct cgroup_limits *limits, const char *policy,
	       struct err *e)
{
	int status = park_ahead(c, limits, policy, e);

	return status != 0 || c->park.listener >= 0 ? status : arm(c, policy, e);
}

/* Kills the child and hears from init that nothing of it is left. */
static int end_child(struct cell *c, struct err *e)
{
	static struct channel_frame f;
	Sandbox__Reply *ended;

	(void)syscall(SYS_pidfd_send_signal, c->park.pidfd, SIGKILL, NULL, 0);
	if (c->ended) { /* it was dead already, and we have heard of it */
		c->ended = 0;
		return 0;
	}
	ended = cell_hear_end(c, PARK_MS, &f, e);
	if (!ended)
		return -1;
	sandbox__reply__free_unpacked(ended, NULL);
	channel_frame_release(&f);
	return 0;
}

int park_drop(struct cell *c, struct err *e)
{
	struct park *p = &c->park;
	int status = 0;

	if (is_ordered(p))
		status = take_child(c, e);
	if (p->pidfd >= 0)
		status = end_child(c, e);
	park_clear(p);
	return cgroup_close(&p->cgroup, e) < 0 || status < 0 ? -1 : 0;
}

int park_bury(struct cell *c, struct err *e)
{
	struct cgroup *left[] = {&c->park.cgroup, &c->spent[0], &c->spent[1]};
	int status = 0;

	park_clear(&c->park);
	c->ended = 0;
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (cgroup_close(left[i], e) < 0)
			status = -1;
	return status;
}
