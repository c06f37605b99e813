#include "sandbox/core.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define CORES_MAX 256
#define WAITERS   4096 /* more than all cells of some instances */
#define DEAF_MS                                                                                    \
	5000 /* a claim that nobody listens at is about to come or to go: no longer than that */

/* A core that would do. */
struct candidate {
	int cpu, name;   /* name: its lowest hyper-thread */
	int queue;       /* where we stand in line, -1: nowhere yet */
	int64_t deaf_us; /* since when its claim has been there without a line, 0: it has not */
};

struct search {
	struct candidate at[CORES_MAX];
	size_t n;
};

/* The lowest CPU of the core that this one is a thread of. */
static int core_of(int cpu)
{
	char path[96];
	char text[32] = "";

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
		 cpu);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return cpu; /* no such file: no hyper-threads */
	return (int)strtol(text, NULL, 10);
}

static void add(struct search *s, int cpu)
{
	int name = core_of(cpu);

	for (size_t i = 0; i < s->n; i++)
		if (s->at[i].name == name)
			return;
	if (s->n < CORES_MAX)
		s->at[s->n++] = (struct candidate){cpu, name, -1, 0};
}

static void address(int name, struct sockaddr_un *a, socklen_t *len)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "gavel/core/%d", name);

	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int is_ours(int sock)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static int new_socket(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_sys(e, "socket") : fd;
}

/* The claim, if the core is nobody's; -1 with *e->num EADDRINUSE if it is. */
static int take(int name, struct err *e)
{
	AUTO_CLOSE int fd = new_socket(e);
	struct sockaddr_un a;
	socklen_t len;

	address(name, &a, &len);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, WAITERS) < 0)
		return err_sys(e, "claim core %d", name);
	return fd_steal(&fd);
}

/* Stands in line.  *e->num is ECONNREFUSED if the claim has just been given up, or is about to be there. */
static int queue_up(int name, struct err *e)
{
	AUTO_CLOSE int fd = new_socket(e);
	struct sockaddr_un a;
	socklen_t len;

	address(name, &a, &len);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, len) < 0)
		return err_sys(e, "wait for core %d", name);
	if (!is_ours(fd))
		return err_set(e, "core %d: its claim is held by another user", name);
	return fd_steal(&fd);
}

/* What came through the queue: the claim, or -1, its end. */
static int receive_claim(int queue)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(queue, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&h) : NULL;
	int claim = -1;

	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&claim, CMSG_DATA(c), sizeof(int));
	return claim;
}

static int send_claim(int to, int claim)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {(char *)"c", 1};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &claim, sizeof(int));
	return sendmsg(to, &h, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* Whether somebody has bound the name who will never listen: no keeper does that. */
static int is_squatted(struct candidate *k)
{
	int64_t now = io_monotonic_us();

	if (k->deaf_us == 0)
		k->deaf_us = now;
	return now - k->deaf_us > DEAF_MS * 1000LL;
}

/* One candidate: 1 claimed, 0 in line or to be tried again, -1 failure. */
static int try_one(struct core *c, struct candidate *k, struct err *e)
{
	static const struct timespec moment = {.tv_nsec = 50000};

	if (k->queue >= 0)
		return 0;
	c->claim = take(k->name, e);
	if (c->claim >= 0) {
		c->cpu = k->cpu;
		return 1;
	}
	if (e->num != EADDRINUSE)
		return -1;
	k->queue = queue_up(k->name, e);
	if (k->queue >= 0) {
		k->deaf_us = 0;
		return 0;
	}
	if (e->num != ECONNREFUSED)
		return -1;
	if (is_squatted(k))
		return err_set(e, "core %d: its claim is held by somebody who hands nothing on",
			       k->name);
	(void)nanosleep(&moment, NULL);
	return 0;
}

/* Sleeps until something happens: 1 a claim came, 0 a line has ended, -1 the client has. */
static int await(struct core *c, struct search *s, int client, struct err *e)
{
	struct pollfd p[CORES_MAX + 1];
	int try_again = 0;

	for (size_t i = 0; i < s->n; i++) {
		p[i] = (struct pollfd){s->at[i].queue, POLLIN, 0};
		try_again |= s->at[i].queue < 0;
	}
	p[s->n] = (struct pollfd){client, POLLRDHUP, 0};
	if (poll(p, s->n + 1, try_again ? 0 : -1) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	if (p[s->n].revents)
		return err_set(e, "the client went away");
	for (size_t i = 0; i < s->n; i++) {
		if (!p[i].revents)
			continue;
		c->claim = receive_claim(s->at[i].queue);
		c->cpu = s->at[i].cpu;
		if (c->claim >= 0)
			return 1;
		(void)close(fd_steal(&s->at[i].queue));
	}
	return 0;
}

static int find(struct core *c, struct search *s, int client, struct err *e)
{
	for (;;) {
		for (size_t i = 0; i < s->n; i++) {
			int status = try_one(c, &s->at[i], e);

			if (status != 0)
				return status < 0 ? 1 : 0;
		}
		int status = await(c, s, client, e);

		if (status != 0)
			return status < 0 ? -1 : 0;
	}
}

static int has(const cpu_set_t *cpus, int cpu)
{
	return cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET((size_t)cpu, cpus);
}

static void add_all(struct search *s, const cpu_set_t *among, int like)
{
	if (has(among, like))
		add(s, like);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (has(among, i))
			add(s, i);
}

int core_claim(struct core *c, int cpu, const cpu_set_t *among, int like, int client, struct err *e)
{
	struct search s = {.n = 0};
	int status;

	*c = (struct core){-1, -1};
	if (cpu == CORE_ANY)
		add_all(&s, among, like);
	else if (has(among, cpu))
		add(&s, cpu);
	if (s.n == 0) {
		err_set(e, "pin_cpu: CPU %d is not one of those that runs may have", cpu);
		return 1;
	}
	status = find(c, &s, client, e);
	/* Who has two claims now gives the second one back: closing ends that line, and all in it come anew. */
	for (size_t i = 0; i < s.n; i++)
		scope_close(&s.at[i].queue);
	if (status != 0)
		*c = (struct core){-1, -1};
	return status;
}

void core_release(struct core *c)
{
	int waiter;

	if (c->claim < 0)
		return;
	/* Strangers, who get nothing, could come for ever: then the line ends, and all in it come anew. */
	for (int i = 0; i < WAITERS; i++) {
		waiter = accept4(c->claim, NULL, NULL, SOCK_CLOEXEC);
		if (waiter < 0)
			break;
		int given = is_ours(waiter) && send_claim(waiter, c->claim) == 0;

		(void)close(waiter);
		if (given)
			break;
	}
	(void)close(c->claim);
	*c = (struct core){-1, -1};
}

/* "3" or "3-5" at the start of the text; returns what follows, NULL if it is neither. */
static const char *parse_range(const char *text, long *first, long *last)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*first = *last = strtol(text, &end, 10);
	if (*end != '-')
		return end;
	if (!isdigit((unsigned char)end[1]))
		return NULL;
	*last = strtol(end + 1, &end, 10);
	return end;
}

/* Adds a range of CPUs that the caller has. */
static int add_range(long first, long last, const cpu_set_t *own, cpu_set_t *cpus, struct err *e)
{
	for (long cpu = first; cpu <= last; cpu++) {
		if (cpu >= CPU_SETSIZE || !has(own, (int)cpu))
			return err_set(e, "there is no CPU %ld, or it is not ours to use", cpu);
		CPU_SET((size_t)cpu, cpus);
	}
	return 0;
}

int core_list_parse(const char *text, cpu_set_t *cpus, struct err *e)
{
	const char *at = text;
	cpu_set_t own;

	if (sched_getaffinity(0, sizeof(own), &own) < 0)
		return err_sys(e, "sched_getaffinity");
	*cpus = own;
	if (strcmp(text, "all") == 0)
		return 0;
	CPU_ZERO(cpus);
	do {
		long first = 0;
		long last = 0;

		at = parse_range(at, &first, &last);
		if (!at || first > last || (*at && *at != ','))
			return err_set(e, "'%.60s' is not a list of CPUs (examples: 0-3,8; all)",
				       text);
		if (add_range(first, last, &own, cpus, e) < 0)
			return -1;
	} while (*at++ == ',');
	return 0;
}
