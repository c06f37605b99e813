#include "sandbox/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "sandbox/bridge.h"
#include "sandbox/privilege.h"
#include "sandbox/rights.h"
#include "sandbox/root_cache.h"
#include "sandbox/rules.h"

#define BACKLOG        128
#define BACKOFF_MIN_US 50000
#define BACKOFF_MAX_US 5000000

/* A seat is taken by one keeper after the other. */
struct seat {
	char name[32];
	struct keeper keeper;
	pid_t pid; /* 0: empty */
	int64_t not_before_us, backoff_us;
};

struct pool {
	const char *name;
	char path[512];
	int listen_fd;
};

struct master {
	const struct serve_options *options;
	struct rules rules;
	struct cgroup_host cgroups;
	struct pool pools[2];
	struct seat seats[SERVE_CELLS_MAX];
	size_t nseats;
	int signals;
	char instance[32];
	int made_dir; /* the folder of the sockets is ours to remove */
};

static void add_seats(struct master *m, size_t pool, unsigned count)
{
	for (unsigned i = 0; i < count && m->nseats < SERVE_CELLS_MAX; i++) {
		struct seat *s = &m->seats[m->nseats++];

		snprintf(s->name, sizeof(s->name), "%s-%u", m->pools[pool].name, i + 1);
		s->keeper = (struct keeper){.cell = {.name = s->name,
						     .rules = &m->rules,
						     .cgroups = &m->cgroups,
						     .cpus = m->options->cpus,
						     .ids_base = m->options->ids_base,
						     .ids_count = m->options->ids_count,
						     .instance = m->instance},
					    .pool = m->pools[pool].name,
					    .listen_fd = m->pools[pool].listen_fd,
					    .nallow = 1};
		for (size_t a = 0; a < m->options->nallow; a++)
			s->keeper.allow[s->keeper.nallow++] = m->options->allow[a];
	}
}

/* Opens and closes one cell, so that a machine that cannot confine is told so before any client comes. */
static int try_cell(const struct master *m, struct err *e)
{
	struct cell c;
	struct cell_options o = {.name = "try",
				 .rules = &m->rules,
				 .cgroups = &m->cgroups,
				 .cpus = m->options->cpus,
				 .ids_base = m->options->ids_base,
				 .ids_count = m->options->ids_count};

	if (cell_open(&c, &o, e) < 0)
		return -1;
	cell_close(&c);
	return 0;
}

/*
 * Who may connect is decided by SO_PEERCRED; but strangers who are turned away could fill the backlog before.  A socket has one
 * owner, so with several peers it stays open to all.
 */
static int close_to_strangers(const char *path, const struct serve_options *o, struct err *e)
{
	if (o->nallow > 1)
		return 0;
	AUTO_CLOSE int file = channel_file(path, 0600, e);

	if (file < 0)
		return -1;
	if (fchownat(file, "", o->nallow ? o->allow[0] : 0, 0, AT_EMPTY_PATH) < 0)
		return err_sys(e, "owner of %s", path);
	return 0;
}

static int open_pool(struct pool *p, const struct serve_options *o, const char *name, struct err *e)
{
	const char *dir = o->socket_dir;

	p->name = name;
	p->listen_fd = -1;
	if (snprintf(p->path, sizeof(p->path), "%s/%s.sock", dir, name) >= (int)sizeof(p->path))
		return err_set(e, "--socket: the path is too long");
	p->listen_fd = channel_listen(p->path, BACKLOG, e);
	if (p->listen_fd < 0)
		return -1;
	if (close_to_strangers(p->path, o, e) < 0)
		return -1;
	/* Keepers race for connections; the losers must not hang in accept. */
	if (fcntl(p->listen_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "%s", p->path);
	return 0;
}

/* Who could write to it could put sockets of his own there, and judged would believe them; root may serve in another's folder. */
static int check_folder(const char *dir, struct err *e)
{
	struct stat st;

	if (rights_user() == 0)
		return 0;
	if (stat(dir, &st) < 0)
		return err_sys(e, "%s", dir);
	if (st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	return err_set(e, "%s: must belong to user %u, and nobody else may write to it", dir,
		       rights_user());
}

static int open_pools(struct master *m, struct err *e)
{
	const char *dir = m->options->socket_dir;

	m->made_dir = mkdir(dir, 0755) == 0;
	if (!m->made_dir && errno != EEXIST)
		return err_sys(e, "mkdir %s", dir);
	if (check_folder(dir, e) < 0 || open_pool(&m->pools[0], m->options, "program", e) < 0 ||
	    open_pool(&m->pools[1], m->options, "jury", e) < 0)
		return -1;
	return 0;
}

static int open_signals(struct master *m, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "sigprocmask");
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? err_sys(e, "signalfd") : 0;
}

static void start_keeper(struct seat *s)
{
	sigset_t none;

	s->keeper.master = getpid();
	s->pid = fork();
	if (s->pid == 0) {
		sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		keeper_main(&s->keeper);
	}
	if (s->pid < 0) {
		log_event(LOG_ERROR, "fork", "reason=%s", log_q(strerror(errno)));
		s->pid = 0;
		s->not_before_us = io_monotonic_us() + BACKOFF_MAX_US;
	}
}

/* Fills empty seats whose time has come; returns how long until the next one, -1 for ever. */
static int fill_seats(struct master *m)
{
	int64_t now = io_monotonic_us();
	int64_t wait = -1;

	for (size_t i = 0; i < m->nseats; i++) {
		struct seat *s = &m->seats[i];

		if (s->pid == 0 && s->not_before_us <= now)
			start_keeper(s);
		if (s->pid == 0 && (wait < 0 || s->not_before_us - now < wait))
			wait = s->not_before_us - now;
	}
	return wait < 0 ? -1 : (int)(wait / 1000) + 1;
}

/*
 * A keeper that never got a cell, or was killed, is started again ever more slowly: whatever is wrong will not mend in a loop.
 */
static void seat_emptied(struct seat *s, int status)
{
	int no_cell = WIFSIGNALED(status) || WEXITSTATUS(status) == KEEPER_NO_CELL;

	s->pid = 0;
	s->backoff_us = no_cell ? s->backoff_us * 2 : 0;
	if (no_cell && s->backoff_us < BACKOFF_MIN_US)
		s->backoff_us = BACKOFF_MIN_US;
	if (s->backoff_us > BACKOFF_MAX_US)
		s->backoff_us = BACKOFF_MAX_US;
	s->not_before_us = io_monotonic_us() + s->backoff_us;
	if (WIFSIGNALED(status))
		log_event(LOG_WARN, "keeper_killed", "cell=%s signal=%d", s->name,
			  WTERMSIG(status));
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		for (size_t i = 0; i < m->nseats; i++)
			if (m->seats[i].pid == pid)
				seat_emptied(&m->seats[i], status);
}

/* Returns 1 when it is time to stop. */
static int take_signals(struct master *m)
{
	struct signalfd_siginfo si;
	int stop = 0;

	while (read(m->signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
		stop |= si.ssi_signo != SIGCHLD;
	reap(m);
	return stop;
}

static int watch_keepers(struct master *m, struct err *e)
{
	struct pollfd p = {.fd = m->signals, .events = POLLIN};

	for (;;) {
		int wait_ms = fill_seats(m);

		if (poll(&p, 1, wait_ms) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (take_signals(m))
			return 0;
	}
}

/* Their inits die with them and, the master being the subreaper, are reaped here too. */
static void stop_keepers(struct master *m)
{
	for (size_t i = 0; i < m->nseats; i++)
		if (m->seats[i].pid > 0)
			(void)kill(m->seats[i].pid, SIGKILL);
	while (waitpid(-1, NULL, __WALL) >= 0 || errno == EINTR)
		;
}

static void close_pools(struct master *m)
{
	for (size_t i = 0; i < ARRAY_LEN(m->pools); i++) {
		if (m->pools[i].listen_fd < 0)
			continue;
		(void)unlink(m->pools[i].path);
		(void)close(m->pools[i].listen_fd);
	}
	if (m->made_dir)
		(void)rmdir(m->options->socket_dir);
}

/* Descriptors: a run needs about thirty beside those of its request. */
static void raise_open_files(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static int run_master(struct master *m, struct err *e)
{
	/* The cell that is tried shows that it is enough. */
	for (size_t i = 0; i < m->rules.nnetworks; i++)
		if (network_rule_leads_out(&m->rules.networks[i]))
			privilege_with_network();
	if (privilege_reduce(PRIVILEGE_MASTER, e) < 0 || try_cell(m, e) < 0 || open_pools(m, e) < 0)
		return -1;
	add_seats(m, 0, m->options->program_cells);
	add_seats(m, 1, m->options->jury_cells);
	log_event(LOG_INFO, "ready", "socket=%s program_cells=%u jury_cells=%u rules=%.12s",
		  log_q(m->options->socket_dir), m->options->program_cells, m->options->jury_cells,
		  m->rules.hash);
	return watch_keepers(m, e);
}

/* Before any keeper: they share the mounts of images, and unpacking is ended by any signal. */
static int use_roots(struct master *m, struct err *e)
{
	const struct root_cache_options cache = {
		.dir = m->options->root_cache,
		.ids_base = m->options->ids_base,
		.ids_count = m->options->ids_count,
	};

	return rules_use_from(&m->rules, NULL, &cache, e);
}

/* Better no start than refusing every run. */
static int check_pin(const struct master *m, struct err *e)
{
	if (!m->options->cpus || m->cgroups.controllers & 1U << CGROUP_CPUSET)
		return 0;
	return err_set(e, "--pin cannot be enforced: %s", m->cgroups.why_not_cpuset);
}

/*
 * A plain user's sandboxd serves that user alone, who is 0 in its user namespace: others are all the same nobody there, and could
 * not be told apart.
 */
static int check_peers(const struct serve_options *o, struct err *e)
{
	for (size_t i = 0; i < o->nallow && rights_user() != 0; i++)
		if (o->allow[i] != rights_user())
			return err_set(e,
				       "--allow-uid %u: started by user %u, sandboxd can serve "
				       "nobody else; start it as root",
				       o->allow[i], rights_user());
	return 0;
}

int serve(const struct serve_options *given, struct err *e)
{
	static struct master m;
	static struct serve_options own;
	const struct serve_options *o = &own;
	struct err closing = {0};
	char kind[128];
	int status;

	m = (struct master){
		.options = o, .pools = {{.listen_fd = -1}, {.listen_fd = -1}}, .signals = -1};
	own = *given;
	if (rights_obtain(o->ids_base, o->ids_count, e) < 0 || check_peers(o, e) < 0)
		return -1;
	if (rights_user() != 0)
		own.nallow = 0;
	/* The init of a keeper that was killed becomes ours to reap, on machines whose pid 1 does not. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, "prctl(PR_SET_CHILD_SUBREAPER)");
	snprintf(m.instance, sizeof(m.instance), "sandboxd-%d", (int)getpid());
	raise_open_files();
	if (rules_load(&m.rules, o->rules_dir, e) < 0)
		return -1;
	if (use_roots(&m, e) < 0) {
		rules_release(&m.rules);
		return -1;
	}
	/* Before there is anything that a signal could leave behind. */
	if (open_signals(&m, e) < 0) {
		rules_release(&m.rules);
		return -1;
	}
	if (cgroup_host_sweep(&closing) < 0)
		log_event(LOG_WARN, "stale_cgroup_kept", "error=%s", log_q(closing.msg));
	if (cgroup_host_open(&m.cgroups, e) < 0) {
		rules_release(&m.rules);
		return -1;
	}
	cgroup_host_describe(&m.cgroups, kind, sizeof(kind));
	log_event(LOG_INFO, "cgroups", "kind=%s", log_q(kind));
	status = check_pin(&m, e) < 0 ? -1 : run_master(&m, e);
	stop_keepers(&m);
	bridge_sweep();
	close_pools(&m);
	if (cgroup_host_close(&m.cgroups, &closing) < 0)
		log_event(LOG_WARN, "cgroups_left", "reason=%s", log_q(closing.msg));
	rules_release(&m.rules);
	if (m.signals >= 0)
		(void)close(m.signals);
	return status;
}
