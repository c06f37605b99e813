#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/io.h"
#include "proto/landlock.h"
#include "proto/log.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "sandbox/privilege.h"
#include "sandbox/rights.h"
#include "sandbox/serve.h"
#include "tests/cell_fixture.h"

#define SOON_MS      20000
#define FRIEND       54321 /* uids that may connect; STRANGER may not */
#define OTHER_FRIEND 54320
#define STRANGER     54322

/* A sandboxd of our own in a folder of its own. */
struct server {
	char dir[64], sockets[80], program[100], jury[100];
	pid_t pid;
	size_t friends; /* how many users besides root may connect */
};

static const cpu_set_t *pin; /* of the servers to come */

_Noreturn static void be_server(const struct server *s, unsigned cells)
{
	struct serve_options o = {.socket_dir = s->sockets,
				  .rules_dir = "rules",
				  .program_cells = cells,
				  .jury_cells = 1,
				  .cpus = pin,
				  .allow = {FRIEND, OTHER_FRIEND},
				  .nallow = s->friends};
	struct err e = {0};

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	log_open("sandboxd", LOG_ERROR);
	_exit(serve(&o, &e) < 0);
}

static void server_start(struct server *s, unsigned cells)
{
	s->pid = fork();
	cr_assert_geq(s->pid, 0);
	if (s->pid == 0)
		be_server(s, cells);
}

static void server_open_for(struct server *s, unsigned cells, size_t friends)
{
	fixture_rights();
	*s = (struct server){.dir = "/tmp/gavel-test-XXXXXX",
			     .friends = rights_user() ? 0 : friends};
	cr_assert_not_null(mkdtemp(s->dir));
	cr_assert_eq(chmod(s->dir, 0755), 0);
	snprintf(s->sockets, sizeof(s->sockets), "%s/run", s->dir);
	snprintf(s->program, sizeof(s->program), "%s/program.sock", s->sockets);
	snprintf(s->jury, sizeof(s->jury), "%s/jury.sock", s->sockets);
	server_start(s, cells);
}

static void server_open(struct server *s, unsigned cells)
{
	server_open_for(s, cells, 1);
}

static int server_end(const struct server *s)
{
	int status = -1;

	cr_expect_eq(kill(s->pid, SIGTERM), 0);
	cr_expect_eq(waitpid(s->pid, &status, 0), s->pid);
	return status;
}

static void server_close(struct server *s)
{
	cr_expect_eq(server_end(s), 0);
	cr_expect_eq(rmdir(s->dir), 0, "sandboxd left something in its folder");
}

/* A connection once it has a cell. */
static int client_open(const char *path)
{
	static struct channel_frame f;
	struct err e = {0};
	int sock = -1;

	for (int i = 0; sock < 0 && i < SOON_MS / 10; i++) { /* the server may be starting */
		sock = channel_connect(path, &e);
		if (sock < 0)
			(void)poll(NULL, 0, 10);
	}
	cr_assert_geq(sock, 0, "%s", e.msg);
	cr_assert_eq(channel_receive(sock, SOON_MS, &f, &e), 1, "no welcome: %s", e.msg);
	channel_frame_release(&f);
	return sock;
}

static Sandbox__Request shell(char **argv, const char *script)
{
	static char *env[] = {"PATH=/usr/bin:/bin"};
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;

	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)script;
	rq.kind = SANDBOX__REQUEST__KIND__RUN;
	rq.policy = (char *)"compiler";
	rq.argv = argv;
	rq.n_argv = 3;
	rq.env = env;
	rq.n_env = 1;
	rq.wall_time_us = 60000000;
	return rq;
}

struct reply {
	int status, exit_code;
	char error[300], out[1024];
	size_t nfds;
};

/* 1: *r is the reply.  0: the connection has ended. */
static int reply_read(int sock, struct reply *r)
{
	static struct channel_frame f;
	struct err e = {0};
	int n = channel_receive(sock, SOON_MS, &f, &e);
	Sandbox__Reply *m;

	*r = (struct reply){0};
	cr_assert(n >= 0 || e.num == ECONNRESET, "%s", e.msg);
	if (n <= 0)
		return 0;
	m = (Sandbox__Reply *)channel_unpack(&f, &sandbox__reply__descriptor, &e);
	cr_assert_not_null(m, "%s", e.msg);
	r->status = (int)m->status;
	r->exit_code = m->exit_code;
	snprintf(r->error, sizeof(r->error), "%s", m->error);
	r->nfds = f.nfds;
	if (f.nfds > 0)
		cr_expect_geq(pread(f.fds[0], r->out, sizeof(r->out) - 1, 0), 0);
	sandbox__reply__free_unpacked(m, NULL);
	channel_frame_release(&f);
	return 1;
}

static int client_run(int sock, const char *script, struct reply *r)
{
	struct err e = {0};
	char *argv[3];
	Sandbox__Request rq = shell(argv, script);
	AUTO_CLOSE int in = io_memfd_of("", 0, &e);

	cr_assert_eq(channel_send(sock, &rq.base, &in, 1, &e), 0, "%s", e.msg);
	return reply_read(sock, r);
}

static void expect_works(int sock)
{
	struct reply r;

	cr_expect_eq(client_run(sock, "echo fine", &r), 1);
	cr_expect_str_eq(r.out, "fine\n", "%s", r.error);
}

static void expect_serves(const char *path)
{
	AUTO_CLOSE int sock = client_open(path);

	expect_works(sock);
}

/* The children of a process, and theirs. */
static size_t descendants(pid_t pid, pid_t *out, size_t max)
{
	char path[64];
	size_t n = 0;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");

	while (f && n < max && fscanf(f, "%d", &child) == 1) {
		out[n++] = child;
		n += descendants(child, out + n, max - n);
	}
	if (f)
		(void)fclose(f);
	return n;
}

/* Dead or a zombie that nobody has reaped yet. */
static int is_gone(pid_t pid)
{
	char path[64];
	char state = 'Z';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");

	if (f) {
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		(void)fclose(f);
	}
	return state == 'Z' || state == 'X';
}

static void expect_gone(const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < SOON_MS / 10 && !is_gone(pids[i]); k++)
			(void)poll(NULL, 0, 10);
		cr_expect(is_gone(pids[i]), "process %d is still there", (int)pids[i]);
	}
}

/* Folders of the instance that a process belongs to, in whichever hierarchy, as paths in the file system. */
struct folders {
	char path[16][600];
	size_t n;
};

static void add_folder(struct folders *f, const char *group)
{
	char line[4096];
	char where[512];
	char type[32];
	FILE *mounts = fopen("/proc/self/mounts", "r");

	while (mounts && fgets(line, sizeof(line), mounts)) {
		struct stat st;

		if (sscanf(line, "%*s %511s %31s", where, type) != 2 ||
		    strncmp(type, "cgroup", 6) != 0 || f->n == ARRAY_LEN(f->path))
			continue;
		snprintf(f->path[f->n], sizeof(f->path[0]), "%s%s", where, group);
		f->n += stat(f->path[f->n], &st) == 0;
	}
	if (mounts)
		(void)fclose(mounts);
}

static void find_folders(struct folders *f, pid_t pid)
{
	char path[64];
	char line[4096];

	f->n = 0;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	FILE *in = fopen(path, "r");

	while (in && fgets(line, sizeof(line), in)) {
		char *group = strchr(strchr(line, ':') + 1, ':') + 1;
		char *ours = strstr(group, "/gavel-");

		if (!ours)
			continue;
		ours[1 + strcspn(ours + 1, "/\n")] = '\0';
		add_folder(f, group);
	}
	if (in)
		(void)fclose(in);
}

static void expect_no_folders(const struct folders *f)
{
	struct stat st;

	for (size_t i = 0; i < f->n; i++)
		cr_expect_neq(stat(f->path[i], &st), 0, "%s is left", f->path[i]);
}

static int names_layer(const Sandbox__Welcome *w, const char *name)
{
	for (size_t i = 0; i < w->n_layers; i++)
		if (strcmp(w->layers[i], name) == 0)
			return 1;
	return 0;
}

/* The hexadecimal number behind a key of /proc/PID/status. */
static uint64_t status_number(pid_t pid, const char *key)
{
	AUTO_FREE char *text = NULL;
	char path[64];
	struct err e = {0};
	size_t len;
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	cr_assert_eq(io_read_file(path, 1 << 16, &text, &len, &e), 0, "%s", e.msg);
	at = strstr(text, key);
	cr_assert_not_null(at, "%s", key);
	return strtoull(at + strlen(key), NULL, 16);
}

static void expect_privilege(pid_t pid, enum privilege who)
{
	static const char *const sets[] = {"\nCapPrm:", "\nCapEff:", "\nCapBnd:"};
	uint64_t most = privilege_mask(who);

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		cr_expect_eq(status_number(pid, sets[i]) & ~most, 0, "%s of %s", sets[i],
			     who == PRIVILEGE_MASTER ? "the master" : "a keeper");
	cr_expect_eq(status_number(pid, "\nCapInh:"), 0);
	cr_expect_eq(status_number(pid, "\nCapAmb:"), 0);
	cr_expect_eq(status_number(pid, "\nNoNewPrivs:"), 1);
}

/* What is left of root's rights, in the process that never sees a client and in those that do. */
Test(serve, capabilities_are_those_of_the_table, .timeout = 60)
{
	struct server s;
	char path[64];
	int sock, jury, keepers = 0;
	FILE *children;
	int pid;

	server_open(&s, 1);
	sock = client_open(s.program);
	jury = client_open(s.jury); /* so every keeper has come as far as its client */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)s.pid, (int)s.pid);
	expect_privilege(s.pid, PRIVILEGE_MASTER);
	children = fopen(path, "re");
	cr_assert_not_null(children);
	for (; fscanf(children, "%d", &pid) == 1; keepers++)
		expect_privilege(pid, PRIVILEGE_KEEPER);
	cr_expect_gt(keepers, 0);
	(void)fclose(children);
	(void)close(jury);
	(void)close(sock);
	server_close(&s);
}

Test(serve, welcomes_and_runs, .timeout = 60)
{
	static struct channel_frame f;
	struct server s;
	struct err e = {0};
	const char *const pools[] = {"program", "jury"};

	server_open(&s, 1);
	expect_serves(s.program);
	for (size_t i = 0; i < 2; i++) {
		AUTO_CLOSE int sock = channel_connect(i ? s.jury : s.program, &e);

		cr_assert_eq(channel_receive(sock, SOON_MS, &f, &e), 1);
		Sandbox__Welcome *w =
			(Sandbox__Welcome *)channel_unpack(&f, &sandbox__welcome__descriptor, &e);

		cr_assert_not_null(w);
		cr_expect_eq(w->protocol, 1);
		cr_expect_str_eq(w->pool, pools[i]);
		cr_expect_eq(strncmp(w->cell, pools[i], strlen(pools[i])), 0);
		cr_expect_eq(strlen(w->rules_hash), 64);
		cr_expect_gt(w->n_layers, 15);
		cr_expect(names_layer(w, "seccomp"));
		cr_expect_eq(names_layer(w, "landlock"), landlock_abi() > 0);
		cr_expect_eq(w->runs_queue, 0);
		sandbox__welcome__free_unpacked(w, NULL);
		channel_frame_release(&f);
		expect_works(sock);
	}
	server_close(&s);
}

static int can_pin(void)
{
	struct cgroup_host h = {0};
	struct err e = {0};

	fixture_rights();
	cr_assert_eq(cgroup_host_open(&h, &e), 0, "%s", e.msg);
	int can = (h.controllers & 1U << CGROUP_CPUSET) != 0;

	cr_expect_eq(cgroup_host_close(&h, &e), 0, "%s", e.msg);
	return can;
}

Test(serve, gives_runs_a_cpu_or_does_not_start, .timeout = 60)
{
	static struct channel_frame f;
	cpu_set_t first;
	struct server s;
	struct reply r;
	char *argv[3];
	struct err e = {0};
	int can = can_pin();

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	pin = &first;
	server_open(&s, 1);
	if (!can) {
		int status = 0;

		cr_expect_eq(waitpid(s.pid, &status, 0), s.pid);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
		cr_expect_eq(rmdir(s.dir), 0);
		return;
	}
	expect_serves(s.program);
	AUTO_CLOSE int sock = channel_connect(s.program, &e);

	cr_assert_eq(channel_receive(sock, SOON_MS, &f, &e), 1);
	Sandbox__Welcome *w =
		(Sandbox__Welcome *)channel_unpack(&f, &sandbox__welcome__descriptor, &e);

	cr_assert_not_null(w);
	cr_expect_eq(w->runs_queue, 1);
	sandbox__welcome__free_unpacked(w, NULL);
	channel_frame_release(&f);
	Sandbox__Request rq = shell(argv, "grep Cpus_allowed_list /proc/self/status");
	AUTO_CLOSE int input = io_memfd_of("", 0, &e);

	cr_assert_eq(channel_send(sock, &rq.base, &input, 1, &e), 0);
	cr_assert(reply_read(sock, &r));
	cr_expect_str_eq(r.out, "Cpus_allowed_list:\t0\n", "%s", r.error);
	(void)close(fd_steal(&sock));
	server_close(&s);
}

enum { TURNED_AWAY, WELCOMED, NO_USER, NO_CONNECTION };

/* What becomes of a process of this uid that connects. */
static int welcomed_as(const struct server *s, uid_t uid)
{
	static struct channel_frame f;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = {0};

		if (setgroups(0, NULL) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(NO_USER);
		int sock = channel_connect(s->program, &e);

		_exit(sock < 0 ? NO_CONNECTION : channel_receive(sock, SOON_MS, &f, &e));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

Test(serve, knows_its_peers, .timeout = 60)
{
	struct server s;

	fixture_rights();
	if (rights_user() != 0)
		cr_skip_test("needs root: sandboxd of a plain user has no other friends");
	server_open_for(&s, 1, 2);
	expect_serves(s.program);
	cr_expect_eq(welcomed_as(&s, STRANGER), TURNED_AWAY);
	cr_expect_eq(welcomed_as(&s, FRIEND), WELCOMED);
	cr_expect_eq(welcomed_as(&s, OTHER_FRIEND), WELCOMED);
	cr_expect_eq(welcomed_as(&s, STRANGER), TURNED_AWAY);
	expect_serves(s.program);
	server_close(&s);
}

/* With no more than one friend, nobody else can even wait at the door. */
Test(serve, keeps_strangers_out_of_the_backlog, .timeout = 60)
{
	struct server s;
	struct ids nobody; /* the worst of strangers: what a program that broke out would be */
	struct err e = {0};

	fixture_rights();
	cr_assert_eq(ids_claim(&nobody, 0, 0, &e), 0, "%s", e.msg);
	for (size_t friends = 0; friends < (rights_user() ? 1 : 2); friends++) {
		server_open_for(&s, 1, friends);
		expect_serves(s.program);
		cr_expect_eq(welcomed_as(&s, nobody.program), NO_CONNECTION);
		if (rights_user() != 0) {
			server_close(&s);
			continue;
		}
		cr_expect_eq(welcomed_as(&s, STRANGER), NO_CONNECTION);
		cr_expect_eq(welcomed_as(&s, FRIEND), friends ? WELCOMED : NO_CONNECTION);
		expect_serves(s.jury);
		server_close(&s);
	}
	ids_release(&nobody);
}

/* clang-format off */
static const struct { const char *bytes; size_t len; } garbage[] = {
#define BYTES(s) { s, sizeof(s) - 1 }
	BYTES(""),                             /* an empty packet */
	BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	BYTES("\x08"),                         /* kind, and no value */
	BYTES("\x08\x02\x62\x05sh"),           /* argv longer than the frame */
	BYTES("\x08\x02\x62\x03s\0h"),         /* a NUL in argv */
	BYTES("\x08\x02\x62\x02\xc3\x28"),     /* argv is not UTF-8 */
	BYTES("\x0a\x02hi"),                   /* kind as a string */
	BYTES("\x0b\x0c"),                     /* a group */
	BYTES("\x00\x01"),                     /* field 0 */
	BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), /* a number of more than 64 bits */
	BYTES("\x1a\x03\x80\x80\x80"),         /* modes, packed, cut short */
	BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
};
/* clang-format on */

static int ends(int sock)
{
	struct reply r;

	return reply_read(sock, &r) == 0;
}

Test(serve, garbage_ends_only_its_own_connection, .timeout = 120)
{
	static uint8_t large[CHANNEL_FRAME_MAX + 1];
	struct server s;

	server_open(&s, 2);
	AUTO_CLOSE int steady = client_open(s.program);

	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		AUTO_CLOSE int sock = client_open(s.program);

		cr_expect_eq(send(sock, garbage[i].bytes, garbage[i].len, MSG_NOSIGNAL),
			     (ssize_t)garbage[i].len);
		cr_expect(ends(sock), "garbage %zu", i);
		expect_works(steady);
	}
	for (unsigned round = 0; round < 10; round++) {
		AUTO_CLOSE int sock = client_open(s.program);
		uint8_t noise[200];
		struct reply r;

		srandom(round);
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)random();
		cr_expect_geq(send(sock, noise, sizeof(noise), MSG_NOSIGNAL), 0);
		if (reply_read(sock, &r)) /* by chance a message, but no request */
			cr_expect_neq(r.error[0], '\0');
	}
	AUTO_CLOSE int sock = client_open(s.program);

	cr_expect_geq(send(sock, large, sizeof(large), MSG_NOSIGNAL), 0);
	cr_expect(ends(sock), "a packet that is too long");
	expect_works(steady);
	server_close(&s);
}

static ssize_t send_fds(int sock, const int *fds, size_t n)
{
	static const char bytes[] = "\x08\x02";
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 253)];
	} control = {0};
	struct iovec iov = {(void *)bytes, 2};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * n);
	return sendmsg(sock, &m, MSG_NOSIGNAL);
}

Test(serve, descriptors_are_not_trusted, .timeout = 60)
{
	struct server s;
	struct reply r;
	struct err e = {0};
	char *argv[3];
	int many[253];
	int pair[2];
	int pipes[2];

	server_open(&s, 2);
	AUTO_CLOSE int sock = client_open(s.program);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
	int open_mode = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int unsealed = io_memfd(&e);
	int half_sealed = io_memfd(&e);

	cr_assert_eq(io_memfd_seal(open_mode, &e), 0);
	cr_assert_eq(fcntl(half_sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
		     0);
	int wrong[] = {open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		       open("/proc/self/status", O_RDONLY | O_CLOEXEC),
		       open("/etc/passwd", O_RDONLY | O_CLOEXEC),
		       open("/etc/passwd", O_PATH | O_CLOEXEC),
		       open("/dev/zero", O_RDWR | O_CLOEXEC),
		       eventfd(0, EFD_CLOEXEC),
		       dup(pair[0]),
		       dup(sock), /* its own end of the connection */
		       dup(pipes[0]),
		       open_mode,
		       unsealed,
		       half_sealed};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		Sandbox__Request rq = shell(argv, "cat");
		AUTO_CLOSE int good = io_memfd_of("", 0, &e);
		int second[] = {good, wrong[i]};
		uint32_t mode = 0644;
		char *name = (char *)"file";

		cr_assert_eq(channel_send(sock, &rq.base, &wrong[i], 1, &e), 0, "%s", e.msg);
		cr_assert_eq(reply_read(sock, &r), 1);
		cr_expect_not_null(strstr(r.error, "descriptor 0"), "%zu: %s", i, r.error);
		cr_assert_eq(channel_send(sock, &rq.base, second, 2, &e), 0);
		cr_assert_eq(reply_read(sock, &r), 1);
		cr_expect_not_null(strstr(r.error, "descriptor 1"), "%zu: %s", i, r.error);
		rq = (Sandbox__Request)SANDBOX__REQUEST__INIT;
		rq.kind = SANDBOX__REQUEST__KIND__PUT;
		rq.names = &name;
		rq.modes = &mode;
		rq.n_names = rq.n_modes = 1;
		cr_assert_eq(channel_send(sock, &rq.base, &wrong[i], 1, &e), 0);
		cr_assert_eq(reply_read(sock, &r), 1);
		cr_expect_not_null(strstr(r.error, "descriptor 0"), "%zu: %s", i, r.error);
	}
	expect_works(sock);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = unsealed;
	cr_expect_eq(send_fds(sock, many, CHANNEL_FDS_MAX), 2);
	cr_expect_eq(reply_read(sock, &r), 1); /* refused for what it says, not for their number */
	cr_expect_neq(r.error[0], '\0');
	cr_expect_eq(send_fds(sock, many, CHANNEL_FDS_MAX + 1), 2);
	cr_expect(ends(sock));
	expect_serves(s.program);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		(void)close(wrong[i]);
	for (size_t i = 0; i < 2; i++) {
		(void)close(pair[i]);
		(void)close(pipes[i]);
	}
	server_close(&s);
}

/* Does something of everything until it is killed. */
_Noreturn static void busy_client(const struct server *s)
{
	struct err e = {0};
	int sock = channel_connect(s->program, &e);
	int in = io_memfd_of("text", 4, &e);
	uint32_t mode = 0644;
	char *name = (char *)"file";
	char *argv[3];

	for (;;) {
		Sandbox__Request put = SANDBOX__REQUEST__INIT;
		Sandbox__Request fetch = SANDBOX__REQUEST__INIT;
		Sandbox__Request run = shell(argv, "cat /dev/zero");

		put.kind = SANDBOX__REQUEST__KIND__PUT;
		put.names = &name;
		put.modes = &mode;
		put.n_names = put.n_modes = 1;
		fetch.kind = SANDBOX__REQUEST__KIND__FETCH;
		fetch.fetch_bytes = 1 << 20;
		(void)channel_send(sock, &put.base, &in, 1, &e);
		(void)channel_send(sock, &fetch.base, NULL, 0, &e);
		(void)channel_send(sock, &run.base, &in, 1, &e);
	}
}

Test(serve, clients_may_die_at_any_point, .timeout = 120)
{
	struct server s;

	fixture_rights();
	if (rights_user() != 0)
		cr_skip_test("needs root: descriptors in flight are counted by user, and the "
			     "clients would "
			     "use up those of sandboxd");
	server_open(&s, 2);
	AUTO_CLOSE int steady = client_open(s.program);

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0)
			busy_client(&s);
		(void)poll(NULL, 0, i * 2);
		cr_expect_eq(kill(pid, SIGKILL), 0);
		cr_expect_eq(waitpid(pid, NULL, 0), pid);
		if (i % 5 == 0)
			expect_works(steady);
	}
	expect_serves(s.program);
	server_close(&s);
}

Test(serve, silent_clients_hold_only_their_own_cell, .timeout = 60)
{
	struct server s;
	struct err e = {0};
	struct pollfd p;

	server_open(&s, 2);
	AUTO_CLOSE int silent = client_open(s.program);

	expect_serves(s.program);
	expect_serves(s.program);
	/* With both cells taken the next one waits, and gets the first that is free. */
	AUTO_CLOSE int second = client_open(s.program);
	AUTO_CLOSE int waiting = channel_connect(s.program, &e);

	p = (struct pollfd){waiting, POLLIN, 0};
	cr_expect_eq(poll(&p, 1, 300), 0, "a cell was given away twice");
	expect_serves(s.jury);
	(void)close(fd_steal(&second));
	cr_expect_eq(poll(&p, 1, SOON_MS), 1);
	expect_works(silent);
	server_close(&s);
}

/* Nothing of one client reaches the next one in the same cell's seat. */
Test(serve, closing_wipes_the_cell, .timeout = 60)
{
	struct server s;
	struct reply r;

	server_open(&s, 1);
	for (int i = 0; i < 3; i++) {
		AUTO_CLOSE int sock = client_open(s.program);

		cr_expect_eq(client_run(sock,
					"ls -A /box /tmp /dev/shm /program | grep -v :; "
					"touch /box/a /tmp/b",
					&r),
			     1);
		cr_expect_str_eq(r.out, "\n\n\n");
	}
	server_close(&s);
}

Test(serve, replaces_keepers_that_die, .timeout = 60)
{
	struct server s;
	pid_t pids[16];

	server_open(&s, 1);
	for (int i = 0; i < 3; i++) {
		AUTO_CLOSE int sock = client_open(s.program);
		/* Each keeper is followed by its init; which of the two has our cell does not matter. */
		size_t n = descendants(s.pid, pids, ARRAY_LEN(pids));

		cr_assert_geq(n, 2);
		for (size_t k = 0; k < n; k++)
			if (i > 0 || k % 2 == 0) /* also the inits alone */
				(void)kill(pids[k], SIGKILL);
		cr_expect(ends(sock));
		expect_gone(pids, n);
		expect_serves(s.program);
		expect_serves(s.jury);
	}
	server_close(&s);
}

Test(serve, an_idle_cell_whose_init_died_is_replaced, .timeout = 60)
{
	struct server s;
	pid_t pids[16];
	size_t n;

	server_open(&s, 1);
	expect_serves(s.program);
	do
		n = descendants(s.pid, pids, ARRAY_LEN(pids));
	while (n < 4);
	for (size_t i = 1; i < n; i += 2)
		(void)kill(pids[i], SIGKILL);
	expect_serves(s.program);
	expect_serves(s.jury);
	server_close(&s);
}

static void run_in_background(int sock, const char *script)
{
	struct err e = {0};
	char *argv[3];
	Sandbox__Request rq = shell(argv, script);
	AUTO_CLOSE int in = io_memfd_of("", 0, &e);

	cr_assert_eq(channel_send(sock, &rq.base, &in, 1, &e), 0);
	(void)poll(NULL, 0, 300);
}

Test(serve, sigterm_leaves_nothing, .timeout = 60)
{
	struct server s;
	struct folders folders;
	pid_t pids[32];

	server_open(&s, 2);
	AUTO_CLOSE int sock = client_open(s.program);

	run_in_background(sock, "sleep 100 & sleep 100");
	size_t n = descendants(s.pid, pids, ARRAY_LEN(pids));

	cr_expect_geq(n, 6, "%zu", n);
	find_folders(&folders, pids[1]);
	cr_expect_geq(folders.n, 1);
	cr_expect_eq(server_end(&s), 0);
	expect_gone(pids, n);
	expect_no_folders(&folders);
	cr_expect(ends(sock));
	cr_expect_eq(rmdir(s.dir), 0, "sockets are left");
}

Test(serve, a_killed_master_takes_all_along, .timeout = 60)
{
	struct server s;
	struct folders folders;
	pid_t pids[32];

	server_open(&s, 2);
	AUTO_CLOSE int sock = client_open(s.program);

	run_in_background(sock, "setsid sleep 100 & sleep 100");
	size_t n = descendants(s.pid, pids, ARRAY_LEN(pids));

	find_folders(&folders, pids[1]);
	cr_expect_geq(folders.n, 1);
	cr_expect_eq(kill(s.pid, SIGKILL), 0);
	cr_expect_eq(waitpid(s.pid, NULL, 0), s.pid);
	expect_gone(pids, n);
	cr_expect(ends(sock));
	/* The next one finds a dead socket and dead cgroups, and removes both. */
	server_start(&s, 1);
	expect_serves(s.program);
	expect_no_folders(&folders);
	cr_expect_eq(server_end(&s), 0);
	/* The folder was there when the second one started, so it left that. */
	cr_expect_eq(rmdir(s.sockets), 0);
	cr_expect_eq(rmdir(s.dir), 0);
}

/* As in a container: pid 1 of a pid namespace, with a /proc of it. */
_Noreturn static void be_a_container(const struct server *s)
{
	int status;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(90);
	pid_t pid = fork();

	if (pid == 0) {
		if (mount("proc", "/proc", "proc", 0, NULL) < 0)
			_exit(91);
		be_server(s, 1);
	}
	_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 93);
}

Test(serve, works_as_pid_1, .timeout = 60)
{
	struct server s;
	struct server inner;
	int status;

	server_open(&s, 1); /* for its folder; it leaves the sockets to the one in the container */
	expect_serves(s.program);
	cr_expect_eq(server_end(&s), 0);
	inner = s;
	pid_t pid = fork();

	if (pid == 0)
		be_a_container(&inner);
	expect_serves(s.program);
	expect_serves(s.program);
	pid_t pids[16];

	cr_assert_geq(descendants(pid, pids, ARRAY_LEN(pids)), 1);
	cr_expect_eq(kill(pids[0], SIGTERM), 0);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(WEXITSTATUS(status), 0);
	cr_expect_eq(rmdir(s.dir), 0);
}

Test(serve, refuses_a_folder_in_use, .timeout = 60)
{
	struct server s;
	struct server other;
	int status;

	server_open(&s, 1);
	expect_serves(s.program);
	other = s;
	server_start(&other, 1);
	cr_expect_eq(waitpid(other.pid, &status, 0), other.pid);
	cr_expect_neq(status, 0);
	expect_serves(s.program);
	server_close(&s);
}
