#include "sandbox/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/landlock.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/box.h"
#include "sandbox/init.h"
#include "sandbox/network.h"
#include "sandbox/rules.h"
#include "sandbox/spec.h"

#define INIT_MS        20000
#define INIT_PROCESSES 8

#define CELL_NAMESPACES                                                                            \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP)

/* What every cell has: without one of these it does not open. */
static const char *const layers_always[] = {
	"user namespace",   "pid namespace",
	"mount namespace",  "network namespace",
	"ipc namespace",    "uts namespace",
	"cgroup namespace", "pivot_root",
	"read-only root",   "own uid and gid",
	"no capabilities",  "no_new_privs",
	"seccomp",          "memory limit",
	"no swap",          "process limit",
	"cpu time limit",   "cpu quota",
	"output limit",     "box size and inode limits",
	"resource limits",  "first to die of memory",
	"read-only /proc",  "no shared keyring",
};

size_t cell_layers(const struct cgroup_host *h, const char *layers[CELL_LAYERS_MAX])
{
	size_t n = ARRAY_LEN(layers_always);

	memcpy(layers, layers_always, sizeof(layers_always));
	if (landlock_abi() > 0)
		layers[n++] = "landlock";
	if (h->controllers & 1U << CGROUP_DEVICES)
		layers[n++] = "device list";
	return n;
}

static const struct jail_tables *real_tables(void)
{
	static struct jail_tables tables;

	tables = (struct jail_tables){jail_cell_steps, jail_cell_nsteps, jail_program_steps,
				      jail_program_nsteps};
	return &tables;
}

/* The parent's ends of what it shares with init. */
struct birth {
	int sock[2]; /* 0: keeper's, 1: init's */
	int go[2];   /* 0: init's, 1: keeper's */
	int last_pid;
};

static void birth_close(struct birth *b)
{
	int fds[] = {b->sock[0], b->sock[1], b->go[0], b->go[1], b->last_pid};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	*b = (struct birth){{-1, -1}, {-1, -1}, -1};
}

static int birth_open(struct birth *b, struct err *e)
{
	*b = (struct birth){{-1, -1}, {-1, -1}, -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, b->sock) < 0)
		return err_sys(e, "socketpair");
	if (pipe2(b->go, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	b->last_pid = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (b->last_pid < 0)
		return err_sys(e, "open /proc/sys/kernel/ns_last_pid");
	return 0;
}

_Noreturn static void be_init(struct cell *c, struct birth *b, const struct jail_namespaces *host)
{
	struct init in = {
		.tables = c->options.tables,
		.rules = c->options.rules,
		.cell = {.root = c->root,
			 .network = c->network,
			 .host = *host,
			 .procs_fds = c->cgroup.procs_fds,
			 .nprocs_fds = c->cgroup.nprocs_fds,
			 .go_fd = b->go[0]},
		.sock = b->sock[1],
		.last_pid_fd = b->last_pid,
	};

	(void)close(b->sock[0]);
	(void)close(b->go[1]); /* or init would wait for ever for a keeper that is dead */
	init_main(&in);
}

/* Init's first words: all steps done, or which one failed. */
static int await_hello(struct cell *c, struct err *e)
{
	static struct channel_frame f;
	int n = channel_receive(c->init_sock, INIT_MS, &f, e);
	Sandbox__Reply *hello;
	int status = 0;

	if (n == 0)
		return err_set(e, "cell: init died during set-up");
	if (n < 0)
		return err_wrap(e, "cell: init");
	hello = (Sandbox__Reply *)channel_unpack(&f, &sandbox__reply__descriptor, e);
	channel_frame_release(&f);
	if (!hello)
		return -1;
	if (hello->error[0])
		status = err_set(e, "%s", hello->error);
	sandbox__reply__free_unpacked(hello, NULL);
	return status;
}

static void stop_init(struct cell *c)
{
	if (c->init_sock >= 0)
		(void)close(c->init_sock);
	c->init_sock = -1;
	if (c->init_pidfd < 0)
		return;
	/* The kernel takes every process of the pid namespace along. */
	(void)syscall(SYS_pidfd_send_signal, c->init_pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)c->init_pidfd, &(siginfo_t){0}, WEXITED | __WALL) < 0 &&
	       errno == EINTR)
		;
	(void)close(c->init_pidfd);
	c->init_pidfd = -1;
}

/* Before init does anything: it waits for its ids. */
static int plug_first(struct cell *c, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->init_pid);
	AUTO_CLOSE int ns = open(path, O_RDONLY | O_CLOEXEC);

	return ns < 0 ? err_sys(e, "open %s", path) : bridge_plug(&c->bridge, ns, e);
}

static int start_init(struct cell *c, const struct root *root, const char *network, struct err *e)
{
	struct birth b;
	struct jail_namespaces host;
	int pidfd = -1;
	struct clone_args args = {.flags = CELL_NAMESPACES | CLONE_PIDFD,
				  .pidfd = (uintptr_t)&pidfd,
				  .exit_signal = SIGCHLD};
	long pid;
	int status;

	c->root = root;
	c->network = network;
	if (jail_namespaces_read(&host, e) < 0)
		return -1;
	if (birth_open(&b, e) < 0) {
		birth_close(&b);
		return -1;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		be_init(c, &b, &host);
	if (pid < 0) {
		err_sys(e, "clone3 with all namespaces");
		birth_close(&b);
		return -1;
	}
	c->init_pid = (pid_t)pid;
	c->init_pidfd = pidfd;
	c->init_sock = fd_steal(&b.sock[0]);
	status = ids_map(&c->ids, c->init_pid, e);
	if (status == 0 && c->bridge.rule)
		status = plug_first(c, e);
	if (status == 0 && write(b.go[1], "g", 1) != 1)
		status = err_sys(e, "start init");
	birth_close(&b);
	if (status < 0 || await_hello(c, e) < 0 ||
	    cgroup_check_joined(c->cgroup.procs_fds, c->cgroup.nprocs_fds, e) < 0) {
		stop_init(c);
		return -1;
	}
	return 0;
}

int cell_open(struct cell *c, const struct cell_options *o, struct err *e)
{
	const struct root *root = rules_root(o->rules, "default");
	struct err ignored = {0};

	*c = (struct cell){.options = *o,
			   .ids.claim = -1,
			   .init_sock = -1,
			   .init_pidfd = -1,
			   .park = PARK_EMPTY,
			   .online = sysconf(_SC_NPROCESSORS_ONLN),
			   .box = {1, BOX_DEFAULT, BOX_INODES_DEFAULT},
			   .ties = {-1, -1, -1}};
	if (!c->options.tables)
		c->options.tables = real_tables();
	if (!root)
		return err_set(e, "rules: there is no root named 'default'");
	if (geteuid() != 0)
		return err_set(e, "cells need the rights of root, or of rights_obtain()");
	if (o->cpus)
		c->cpus = *o->cpus;
	else if (sched_getaffinity(0, sizeof(c->cpus), &c->cpus) < 0)
		return err_sys(e, "sched_getaffinity");
	if (getgroups(0, NULL) != 0)
		return err_set(e, "refusing to run with supplementary groups");
	if (ids_claim(&c->ids, o->ids_base, o->ids_count, e) < 0)
		return -1;
	if (cgroup_cell_open(o->cgroups, o->name, INIT_PROCESSES, &c->cgroup, e) < 0) {
		ids_release(&c->ids);
		return -1;
	}
	if (start_init(c, root, "none", e) < 0) {
		(void)cgroup_cell_close(&c->cgroup, &ignored);
		ids_release(&c->ids);
		return -1;
	}
	return 0;
}

void cell_close(struct cell *c)
{
	struct err ignored = {0};

	stop_init(c);
	(void)park_bury(c, &ignored);
	bridge_close(&c->bridge);
	(void)cgroup_cell_close(&c->cgroup, &ignored);
	ids_release(&c->ids);
}

static int goes_first; /* this process has asked for it, and was allowed to */

void cell_watch_first(void)
{
	struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

	goes_first = sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) == 0;
}

/* With a run over, whoever waited for it comes first: often it shares our CPU. */
static void step_back(void)
{
	struct sched_param none = {0};

	if (goes_first && sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) == 0)
		(void)sched_yield();
}

/* The private network that a checked request asks for, or NULL. */
static const struct network_rule *network_of(const struct cell *c, const Sandbox__Request *rq)
{
	size_t len = strlen(NETWORK_BRIDGE);

	return strncmp(rq->network, NETWORK_BRIDGE, len) == 0
		       ? rules_network(c->options.rules, rq->network + len)
		       : NULL;
}

/* The root and the network belong to the cell's set-up: another choice needs another init, and only before anything is in it. */
static int ensure_place(struct cell *c, const Sandbox__Request *rq, struct err *e)
{
	const struct root *root = rules_root(c->options.rules, rq->root);
	struct err late;
	const struct network_rule *rule = network_of(c, rq);
	const char *network = rule                                   ? "bridge"
			      : strcmp(rq->network, "loopback") == 0 ? "loopback"
								     : "none";

	if (root == c->root && strcmp(network, c->network) == 0 && rule == c->bridge.rule &&
	    (!rule || strcmp(rq->network_group, c->bridge.group) == 0))
		return 0;
	if (c->touched) {
		err_set(e,
			"root and network: are fixed by the first request that has files or runs");
		return 1;
	}
	stop_init(c);
	if (park_bury(c, e) < 0)
		return -1;
	c->box = (struct cell_box){1, BOX_DEFAULT, BOX_INODES_DEFAULT};
	bridge_close(&c->bridge);
	if (!rule)
		return start_init(c, root, network, e);
	if (bridge_open(&c->bridge, rule, rq->network_group,
			c->options.instance ? c->options.instance : "run", e) == 0 &&
	    start_init(c, root, network, e) == 0)
		return 0;
	/* A network that cannot be had is the request's trouble, not the cell's. */
	bridge_close(&c->bridge);
	return start_init(c, root, "none", &late) < 0 ? -1 : 1;
}

static int refuse(const struct err *why, cell_reply *reply, void *arg, struct err *e)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	struct err clean = *why;

	wire_make_utf8(clean.msg);
	r.error = clean.msg;
	r.error_number = why->num;
	r.last = 1;
	return reply(arg, &r, NULL, 0, e);
}

static Sandbox__Reply *hear(struct cell *c, int timeout_ms, struct channel_frame *f, struct err *e)
{
	int n = channel_receive(c->init_sock, timeout_ms, f, e);
	Sandbox__Reply *r;

	if (n == 0)
		err_set(e, "the cell's init died");
	r = n == 1 ? (Sandbox__Reply *)channel_unpack(f, &sandbox__reply__descriptor, e) : NULL;
	if (!r)
		channel_frame_release(f);
	return r;
}

Sandbox__Reply *cell_hear(struct cell *c, int timeout_ms, struct channel_frame *f, struct err *e)
{
	Sandbox__Reply *r;

	while ((r = hear(c, timeout_ms, f, e)) &&
	       r->status != SANDBOX__STATUS__STATUS_UNSPECIFIED) {
		c->ended = 1;
		sandbox__reply__free_unpacked(r, NULL);
		channel_frame_release(f);
	}
	return r;
}

Sandbox__Reply *cell_hear_end(struct cell *c, int timeout_ms, struct channel_frame *f,
			      struct err *e)
{
	Sandbox__Reply *r = hear(c, timeout_ms, f, e);

	if (!r || r->status != SANDBOX__STATUS__STATUS_UNSPECIFIED)
		return r;
	err_set(e, "init: %s", r->error[0] ? r->error : "answered what nobody asked");
	sandbox__reply__free_unpacked(r, NULL);
	channel_frame_release(f);
	return NULL;
}

/* What a request may have done to the folders: a child that is armed knows those that were there before. */
static int note_box(struct cell *c, const Sandbox__Request *rq, const Sandbox__Reply *r,
		    struct err *e)
{
	int put = rq->kind == SANDBOX__REQUEST__KIND__PUT;
	struct cell_box *box = &c->box;
	int kept = put && box->ready && !r->error[0];

	if (rq->kind == SANDBOX__REQUEST__KIND__FETCH || (put && rq->n_names == 0))
		return 0;
	box->ready = put && !r->error[0] && (box->ready || !rq->same_box);
	box->bytes = put && rq->box_bytes ? rq->box_bytes : BOX_DEFAULT;
	box->inodes = put && rq->box_inodes ? rq->box_inodes : BOX_INODES_DEFAULT;
	return kept || c->park.listener < 0 ? 0 : park_drop(c, e);
}

/* PUT, FETCH and KEEP are init's work: the frame goes there, its answers come back. */
static int relay(struct cell *c, const Sandbox__Request *rq, const int *fds, size_t nfds,
		 cell_reply *reply, void *arg, struct err *e)
{
	static struct channel_frame f;
	int last = 0;
	int status = channel_send(c->init_sock, &rq->base, fds, nfds, e);

	while (status == 0 && !last) {
		Sandbox__Reply *r = cell_hear(c, INIT_MS, &f, e);

		if (!r)
			return -1;
		last = r->last;
		status = reply(arg, r, f.fds, f.nfds, e);
		if (status == 0)
			status = note_box(c, rq, r, e);
		sandbox__reply__free_unpacked(r, NULL);
		channel_frame_release(&f);
	}
	return status;
}

static int plug_in(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	if (r->error[0] || nfds != 1)
		return err_set(e, "init gave no network namespace: %s", r->error);
	return bridge_plug(arg, fds[0], e);
}

/* After a run, init leaves the network namespace for a new one.  When it answers it has, and the new one is plugged in. */
static int plug_again(struct cell *c, struct err *e)
{
	Sandbox__Request nothing = SANDBOX__REQUEST__INIT;

	if (!c->bridge.rule || c->runs == 0)
		return 0;
	nothing.kind = SANDBOX__REQUEST__KIND__PUT;
	return relay(c, &nothing, NULL, 0, plug_in, &c->bridge, e);
}

static int run(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds, cell_reply *reply,
	       void *arg, struct err *e)
{
	struct run_result result;
	struct err why = {0};
	int status;

	if (plug_again(c, e) < 0)
		return -1;
	if (goes_first)
		cell_watch_first();
	status = run_request(c, rq, fds, nfds, &c->ties, &result, &why);

	if (status < 0) {
		*e = why;
		return -1;
	}
	if (status == 1)
		status = refuse(&why, reply, arg, e);
	else
		status = reply(arg, &result.reply, result.fds, result.nfds, e);
	step_back();
	for (size_t i = 0; i < result.nfds; i++)
		(void)close(result.fds[i]);
	return status < 0 ? -1 : run_settle(c, rq->policy, e);
}

int cell_request(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		 cell_reply *reply, void *arg, struct err *e)
{
	struct err why = {0};
	int status;

	if (spec_check(rq, fds, nfds, c->options.rules, &why) < 0)
		return refuse(&why, reply, arg, e);
	if (rq->kind == SANDBOX__REQUEST__KIND__PUT || rq->kind == SANDBOX__REQUEST__KIND__RUN) {
		status = ensure_place(c, rq, &why);
		if (status > 0)
			return refuse(&why, reply, arg, e);
		if (status < 0) {
			*e = why;
			return -1;
		}
		c->touched = 1;
	}
	if (rq->kind == SANDBOX__REQUEST__KIND__RUN)
		return run(c, rq, fds, nfds, reply, arg, e);
	return relay(c, rq, fds, nfds, reply, arg, e);
}

int cell_rest(struct cell *c, struct err *e)
{
	return c->park.cgroup.cell ? park_chore(c, &c->park.cgroup.limits, e) : 0;
}
