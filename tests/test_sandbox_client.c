#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"

/*
 * The other end of the wire, played by a thread of the test: it accepts one connection, and a script says what happens on it.
 * So every way a sandboxd could misbehave can be had at will.
 */
struct peer {
	char dir[32], path[64];
	int listener;
	pthread_t thread;
	void (*script)(int sock);
};

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	AUTO_CLOSE int sock = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

	if (sock >= 0)
		p->script(sock);
	return NULL;
}

static void peer_start(struct peer *p, void (*script)(int sock))
{
	struct err e;

	*p = (struct peer){.dir = "/tmp/gavel-client-XXXXXX", .script = script};
	cr_assert(ne(ptr, mkdtemp(p->dir), NULL));
	snprintf(p->path, sizeof(p->path), "%s/sock", p->dir);
	p->listener = channel_listen(p->path, 1, &e);
	cr_assert(ge(int, p->listener, 0), "%s", e.msg);
	cr_assert(zero(int, pthread_create(&p->thread, NULL, peer_main, p)));
}

static void peer_stop(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	unlink(p->path);
	rmdir(p->dir);
}

static void say(int sock, const void *message, const int *fds, size_t n)
{
	struct err e;

	(void)channel_send(sock, message, fds, n, &e);
}

static int runs_queue; /* what the peer says of itself */

static void say_welcome(int sock)
{
	char *layers[] = {"seccomp", "cgroup v2"};
	Sandbox__Welcome w = SANDBOX__WELCOME__INIT;

	w.protocol = 1;
	w.cell = "cell-0";
	w.pool = "program";
	w.layers = layers;
	w.n_layers = 2;
	w.rules_hash = "c0ffee";
	w.runs_queue = runs_queue;
	say(sock, &w, NULL, 0);
}

/* The next request and its descriptors; NULL when the client is gone. */
static Sandbox__Request *hear(int sock, struct channel_frame *f)
{
	struct err e;

	if (channel_receive(sock, 10000, f, &e) != 1)
		return NULL;
	return (Sandbox__Request *)channel_unpack(f, &sandbox__request__descriptor, &e);
}

static int memfd_of(const char *text)
{
	struct err e;
	int fd = io_memfd_of(text, strlen(text), &e);

	cr_assert(ge(int, fd, 0), "%s", e.msg);
	return fd;
}

static void read_text(int fd, char *out, size_t size)
{
	struct err e;
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	n = io_read_full(fd, out, size - 1, &e);
	out[n > 0 ? n : 0] = '\0';
}

static struct sandbox_client *connect_to(struct peer *p)
{
	struct err e;
	struct sandbox_client *c = sandbox_client_open(p->path, 5000, &e);

	cr_assert(ne(ptr, c, NULL), "%s", e.msg);
	return c;
}

static const char *const argv_true[] = {"/bin/true", "--", NULL};
static const char *const env_c[] = {"LANG=C", NULL};

static struct sandbox_spec spec_of(uint64_t wall_us)
{
	return (struct sandbox_spec){.policy = "native",
				     .argv = argv_true,
				     .env = env_c,
				     .cpu_time_us = 1000000,
				     .wall_time_us = wall_us,
				     .memory_bytes = 1 << 20,
				     .processes = 7,
				     .stdin_fd = -1};
}

/* One run against a script, which must fail and lose the connection; returns the message. */
static const char *failing_run(void (*script)(int sock))
{
	static struct err e;
	struct sandbox_spec s = spec_of(1000000);
	struct sandbox_report r;
	struct sandbox_client *c;
	struct peer p;

	peer_start(&p, script);
	c = connect_to(&p);
	cr_expect(eq(int, sandbox_client_run(c, &s, &r, &e), -1));
	cr_expect(eq(int, sandbox_client_lost(c), 1));
	struct err again;

	cr_expect(eq(int, sandbox_client_run(c, &s, &r, &again), -1));
	cr_expect(eq(int, again.num, ECONNRESET));
	sandbox_client_close(c);
	peer_stop(&p);
	return e.msg;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void script_echo_run(int sock)
{
	static struct channel_frame f;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	char text[64];

	say_welcome(sock);
	Sandbox__Request *q = hear(sock, &f);

	cr_assert(ne(ptr, q, NULL));
	cr_expect(eq(int, (int)q->kind, SANDBOX__REQUEST__KIND__RUN));
	cr_expect(eq(str, q->root, "default"));
	cr_expect(eq(str, q->policy, "native"));
	cr_expect(eq(str, q->network, "none"));
	cr_expect(eq(sz, q->n_argv, 2));
	cr_expect(eq(str, q->argv[0], "/bin/true"));
	cr_expect(eq(sz, q->n_env, 1));
	cr_expect(eq(u64, q->wall_time_us, 1000000));
	cr_expect(eq(u32, q->processes, 7));
	cr_expect(eq(sz, f.nfds, 2));
	read_text(f.fds[1], text, sizeof(text));
	cr_expect(eq(str, text, "third"));

	int out = memfd_of("hello");
	int err = memfd_of("oops");

	r.status = SANDBOX__STATUS__SIGNALED;
	r.signal = 11;
	r.cpu_time_us = 1234;
	r.processes_peak = 2;
	r.message = "it\xc3\xa4";
	say(sock, &r, (int[]){out, err}, 2);
	close(out);
	close(err);
	sandbox__request__free_unpacked(q, NULL);
	channel_frame_release(&f);
}

Test(sandbox_client, run_carries_everything_there_and_back, .timeout = 30)
{
	struct sandbox_spec s = spec_of(1000000);
	struct sandbox_report r;
	struct peer p;
	struct err e;
	char text[64];
	AUTO_CLOSE int extra = memfd_of("third");

	peer_start(&p, script_echo_run);
	struct sandbox_client *c = connect_to(&p);

	s.extra_fds = &extra;
	s.nextra_fds = 1;
	cr_expect(eq(str, (char *)sandbox_client_rules_hash(c), "c0ffee"));
	cr_expect(eq(str, (char *)sandbox_client_layers(c)[1], "cgroup v2"));
	cr_expect(eq(ptr, (void *)sandbox_client_layers(c)[2], NULL));
	cr_assert(zero(int, sandbox_client_run(c, &s, &r, &e)), "%s", e.msg);
	cr_expect(eq(int, (int)r.status, RUN_SIGNALED));
	cr_expect(eq(int, r.signal, 11));
	cr_expect(eq(u64, r.cpu_time_us, 1234));
	cr_expect(eq(str, r.message, "it\xc3\xa4"));
	read_text(r.stdout_fd, text, sizeof(text));
	cr_expect(eq(str, text, "hello"));
	read_text(r.stderr_fd, text, sizeof(text));
	cr_expect(eq(str, text, "oops"));
	sandbox_report_release(&r);
	sandbox_client_close(c);
	peer_stop(&p);
}

static void script_refuse_then_merge(int sock)
{
	static struct channel_frame f;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	int out = memfd_of("both");

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
	r.error = "policy: no rule has this name";
	r.error_number = ENOENT;
	say(sock, &r, NULL, 0);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
	r.error = "";
	r.status = SANDBOX__STATUS__EXITED;
	say(sock, &r, &out, 1);
	close(out);
}

Test(sandbox_client, a_refusal_leaves_the_cell_usable, .timeout = 30)
{
	struct sandbox_spec s = spec_of(1000000);
	struct sandbox_report r;
	struct peer p;
	struct err e;

	peer_start(&p, script_refuse_then_merge);
	struct sandbox_client *c = connect_to(&p);

	s.merge_stderr = 1;
	cr_expect(eq(int, sandbox_client_run(c, &s, &r, &e), -1));
	cr_expect(eq(str, e.msg, "sandbox: policy: no rule has this name"));
	cr_expect(eq(int, e.num, ENOENT));
	cr_expect(zero(int, sandbox_client_lost(c)));
	cr_assert(zero(int, sandbox_client_run(c, &s, &r, &e)), "%s", e.msg);
	cr_expect(eq(int, r.stderr_fd, -1));
	sandbox_report_release(&r);
	sandbox_client_close(c);
	peer_stop(&p);
}

static void script_close(int sock)
{
	static struct channel_frame f;

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
}

static void script_garbage(int sock)
{
	static const char bytes[] = "\xff\xff\xff\xff not protobuf";
	static struct channel_frame f;

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
	(void)send(sock, bytes, sizeof(bytes), MSG_NOSIGNAL);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
}

static void reply_run_with(int sock, const int *fds, size_t n, Sandbox__Status status)
{
	static struct channel_frame f;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
	r.status = status;
	r.exit_code = 1;
	say(sock, &r, fds, n);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
}

static void script_unsealed(int sock)
{
	AUTO_CLOSE int good = memfd_of("x");
	AUTO_CLOSE int bad = memfd_create("gavel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	fchmod(bad, 0444);
	reply_run_with(sock, (int[]){good, bad}, 2, SANDBOX__STATUS__EXITED);
}

static void script_disk_file(int sock)
{
	AUTO_CLOSE int good = memfd_of("x");
	AUTO_CLOSE int bad = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	reply_run_with(sock, (int[]){bad, good}, 2, SANDBOX__STATUS__EXITED);
}

static void script_pipe(int sock)
{
	AUTO_CLOSE int good = memfd_of("x");
	int ends[2];

	cr_assert(zero(int, pipe2(ends, O_CLOEXEC)));
	reply_run_with(sock, (int[]){good, ends[0]}, 2, SANDBOX__STATUS__EXITED);
	close(ends[0]);
	close(ends[1]);
}

static void script_one_fd(int sock)
{
	AUTO_CLOSE int fd = memfd_of("x");

	reply_run_with(sock, &fd, 1, SANDBOX__STATUS__EXITED);
}

static void script_many_fds(int sock)
{
	AUTO_CLOSE int fd = memfd_of("x");
	int fds[CHANNEL_FDS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = fd;
	reply_run_with(sock, fds, ARRAY_LEN(fds), SANDBOX__STATUS__EXITED);
}

static void script_odd_status(int sock)
{
	AUTO_CLOSE int fd = memfd_of("x");

	reply_run_with(sock, (int[]){fd, fd}, 2, (Sandbox__Status)77);
}

static void script_no_status(int sock)
{
	AUTO_CLOSE int fd = memfd_of("x");

	reply_run_with(sock, (int[]){fd, fd}, 2, SANDBOX__STATUS__STATUS_UNSPECIFIED);
}

Test(sandbox_client, misbehaving_peers_are_named_and_left, .timeout = 60)
{
	static const struct {
		void (*script)(int sock);
		const char *says;
	} cases[] = {
		{script_close, "closed the connection"},
		{script_garbage, "reply"},
		{script_unsealed, "descriptor 1 of the reply: not a sealed memfd"},
		{script_disk_file, "descriptor 0 of the reply: not a sealed memfd"},
		{script_pipe, "descriptor 1 of the reply: not a regular file"},
		{script_one_fd, "with 1 descriptors, not 2"},
		{script_many_fds, "with 200 descriptors, not 2"},
		{script_odd_status, "status 77"},
		{script_no_status, "status 0"},
	};
	int before = open_fds();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *msg = failing_run(cases[i].script);

		cr_expect(ne(ptr, strstr(msg, cases[i].says), NULL), "%s: got \"%s\"",
			  cases[i].says, msg);
	}
	cr_expect(eq(int, open_fds(), before), "descriptors leak");
}

static void script_silent(int sock)
{
	char byte;

	(void)recv(sock, &byte, 1, 0);
}

Test(sandbox_client, waiting_for_a_cell_has_a_deadline, .timeout = 30)
{
	struct peer p;
	struct err e;

	peer_start(&p, script_silent);
	cr_expect(eq(ptr, sandbox_client_open(p.path, 50, &e), NULL));
	cr_expect(eq(int, e.num, ETIMEDOUT), "%s", e.msg);
	peer_stop(&p);
}

Test(sandbox_client, a_full_backlog_has_a_deadline_too, .timeout = 30)
{
	char dir[] = "/tmp/gavel-client-XXXXXX";
	char path[64];
	int queued[16];
	struct err e = {0};
	size_t n = 0;

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	snprintf(path, sizeof(path), "%s/sock", dir);
	AUTO_CLOSE int listener = channel_listen(path, 1, &e);

	while (n < ARRAY_LEN(queued) && (queued[n] = channel_connect_within(path, 20, &e)) >= 0)
		n++;
	cr_expect(lt(sz, n, ARRAY_LEN(queued)));
	cr_expect(eq(ptr, sandbox_client_open(path, 20, &e), NULL));
	cr_expect(eq(int, e.num, ETIMEDOUT), "%s", e.msg);
	while (n > 0)
		close(queued[--n]);
	unlink(path);
	rmdir(dir);
}

static void script_other_protocol(int sock)
{
	Sandbox__Welcome w = SANDBOX__WELCOME__INIT;

	w.protocol = 2;
	say(sock, &w, NULL, 0);
}

Test(sandbox_client, another_protocol_is_refused, .timeout = 30)
{
	struct peer p;
	struct err e;

	peer_start(&p, script_other_protocol);
	cr_expect(eq(ptr, sandbox_client_open(p.path, 5000, &e), NULL));
	cr_expect(ne(ptr, strstr(e.msg, "speaks protocol 2, this is 1"), NULL), "%s", e.msg);
	peer_stop(&p);
}

Test(sandbox_client, nobody_there)
{
	struct err e;

	cr_expect(eq(ptr, sandbox_client_open("/nonexistent/sock", 100, &e), NULL));
	cr_expect(eq(int, e.num, ENOENT));
}

static void script_silent_after_welcome(int sock)
{
	static struct channel_frame f;

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	channel_frame_release(&f);
	script_silent(sock);
}

static void *abort_soon(void *c)
{
	usleep(100000);
	sandbox_client_abort(c);
	return NULL;
}

Test(sandbox_client, abort_ends_a_run_that_is_going_on, .timeout = 10)
{
	struct sandbox_spec s = spec_of(60000000);
	struct sandbox_report r;
	struct peer p;
	struct err e;
	pthread_t t;

	peer_start(&p, script_silent_after_welcome);
	struct sandbox_client *c = connect_to(&p);

	cr_assert(zero(int, pthread_create(&t, NULL, abort_soon, c)));
	cr_expect(eq(int, sandbox_client_run(c, &s, &r, &e), -1));
	cr_expect(eq(int, sandbox_client_lost(c), 1));
	pthread_join(t, NULL);
	sandbox_client_close(c);
	peer_stop(&p);
}

Test(sandbox_client, runs_that_queue_for_a_cpu_are_given_time, .timeout = 10)
{
	int ms[2];

	for (runs_queue = 0; runs_queue < 2; runs_queue++) {
		struct peer p;

		peer_start(&p, script_silent_after_welcome);
		struct sandbox_client *c = connect_to(&p);

		ms[runs_queue] = sandbox_client_patience_ms(c, 2000000);
		sandbox_client_close(c);
		peer_stop(&p);
	}
	cr_expect(eq(int, ms[0], 2000 + 15000));
	cr_expect(eq(int, ms[1], ms[0] + 3600000));
}

Test(sandbox_client, a_run_needs_a_wall_limit, .timeout = 10)
{
	struct sandbox_spec s = spec_of(0);
	struct sandbox_report r;
	struct peer p;
	struct err e;

	peer_start(&p, script_silent_after_welcome);
	struct sandbox_client *c = connect_to(&p);

	cr_expect(eq(int, sandbox_client_run(c, &s, &r, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "wall time limit"), NULL), "%s", e.msg);
	cr_expect(zero(int, sandbox_client_lost(c)));
	sandbox_client_close(c);
	peer_stop(&p);
}

static size_t put_files, put_folders, put_frames, put_disorder;

static void script_count_puts(int sock)
{
	static struct channel_frame f;
	Sandbox__Reply done = SANDBOX__REPLY__INIT;
	Sandbox__Request *q;

	say_welcome(sock);
	while ((q = hear(sock, &f))) {
		size_t fds = 0;

		put_frames++;
		for (size_t i = 0; i < q->n_names; i++) {
			int folder = q->names[i][strlen(q->names[i]) - 1] == '/';

			put_folders += (size_t)folder;
			put_files += (size_t)!folder;
			fds += (size_t)!folder;
			put_disorder += !folder && put_folders > 0;
		}
		cr_expect(eq(sz, fds, f.nfds));
		cr_expect(eq(sz, q->n_modes, q->n_names));
		sandbox__request__free_unpacked(q, NULL);
		channel_frame_release(&f);
		done.last = 1; /* a reply without any field set would be an empty packet */
		say(sock, &done, NULL, 0);
	}
}

Test(sandbox_client, put_is_split_into_frames_with_folders_last, .timeout = 30)
{
	struct sandbox_file files[260];
	struct peer p;
	struct err e;
	AUTO_CLOSE int fd = memfd_of("x");

	peer_start(&p, script_count_puts);
	struct sandbox_client *c = connect_to(&p);

	files[0] = (struct sandbox_file){.name = "out/", .mode = 0755, .fd = -1};
	for (size_t i = 1; i < ARRAY_LEN(files); i++)
		files[i] = (struct sandbox_file){.name = "name", .mode = 0444, .fd = fd};
	cr_expect(zero(int, sandbox_client_put(c, files, ARRAY_LEN(files), 0, &e)), "%s", e.msg);
	sandbox_client_close(c);
	peer_stop(&p);
	cr_expect(eq(sz, put_files, 259));
	cr_expect(eq(sz, put_folders, 1));
	cr_expect(eq(sz, put_frames, 3));
	cr_expect(zero(sz, put_disorder));
}

/* Answers one FETCH with the names in two frames. */
static void reply_fetch(int sock, char *first, char *second)
{
	static struct channel_frame f;
	AUTO_CLOSE int fd = memfd_of("12345");
	uint32_t mode = 0444;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	say_welcome(sock);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
	r.names = &first;
	r.modes = &mode;
	r.n_names = r.n_modes = 1;
	say(sock, &r, &fd, 1);
	r.names = &second;
	r.last = 1;
	say(sock, &r, &fd, 1);
	sandbox__request__free_unpacked(hear(sock, &f), NULL);
}

static void script_fetch_good(int sock)
{
	reply_fetch(sock, "main", "d/other");
}

static void script_fetch_escape(int sock)
{
	reply_fetch(sock, "main", "../other");
}

static void script_fetch_absolute(int sock)
{
	reply_fetch(sock, "/etc/passwd", "x");
}

static void script_fetch_folder(int sock)
{
	reply_fetch(sock, "ok", "folder/");
}

static int fetch_from(void (*script)(int sock), uint64_t max_bytes, size_t *n, struct err *e)
{
	const char *const paths[] = {"main", "d", NULL};
	struct sandbox_file *files = NULL;
	struct peer p;
	int rc;

	peer_start(&p, script);
	struct sandbox_client *c = connect_to(&p);

	rc = sandbox_client_fetch(c, paths, max_bytes, &files, n, e);
	if (rc == 0) {
		cr_expect(eq(str, files[1].name, "d/other"));
		sandbox_files_free(files, *n);
	}
	sandbox_client_close(c);
	peer_stop(&p);
	return rc;
}

Test(sandbox_client, fetch_gathers_all_frames, .timeout = 30)
{
	size_t n = 0;
	struct err e;
	int before = open_fds();

	cr_assert(zero(int, fetch_from(script_fetch_good, 10, &n, &e)), "%s", e.msg);
	cr_expect(eq(sz, n, 2));
	cr_expect(eq(int, open_fds(), before), "descriptors leak");
}

Test(sandbox_client, fetch_refuses_names_that_lead_elsewhere_and_too_much, .timeout = 30)
{
	struct err e;
	size_t n;
	int before = open_fds();

	cr_expect(eq(int, fetch_from(script_fetch_escape, 10, &n, &e), -1));
	cr_expect(eq(int, fetch_from(script_fetch_absolute, 10, &n, &e), -1));
	cr_expect(eq(int, fetch_from(script_fetch_folder, 10, &n, &e), -1));
	cr_expect(eq(int, fetch_from(script_fetch_good, 9, &n, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "more than was asked"), NULL), "%s", e.msg);
	cr_expect(eq(int, open_fds(), before), "descriptors leak");
}

static void script_keep_missing(int sock)
{
	static struct channel_frame f;
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	say_welcome(sock);
	Sandbox__Request *q = hear(sock, &f);

	cr_expect(eq(int, (int)q->kind, SANDBOX__REQUEST__KIND__KEEP));
	cr_expect(eq(sz, q->n_paths, 1));
	sandbox__request__free_unpacked(q, NULL);
	r.error = "main: no such file in the box";
	r.error_number = ENOENT;
	say(sock, &r, NULL, 0);
	(void)hear(sock, &f);
}

Test(sandbox_client, keep_says_that_a_file_is_missing, .timeout = 30)
{
	struct peer p;
	struct err e;

	peer_start(&p, script_keep_missing);
	struct sandbox_client *c = connect_to(&p);

	cr_expect(eq(int, sandbox_client_keep(c, (const char *const[]){"main", NULL}, &e), -1));
	cr_expect(eq(int, e.num, ENOENT));
	cr_expect(zero(int, sandbox_client_lost(c)));
	sandbox_client_close(c);
	peer_stop(&p);
}
