#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge/game.h"
#include "judge/transcript.h"
#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"

/*
 * Both cells are played by threads of the test: an actor is given the ends of the pipes as a program would be, does what its script
 * says, and its report is sent when the script is over.  So who ends when, and what each can see, is in the test's hand.
 */
struct actor {
	char path[64];
	int listener;
	pthread_t thread;
	int (*script)(struct actor *a); /* returns the exit code; below 0 the cell dies instead */
	int in, out;
	int sock;
};

static struct stage {
	char dir[32];
	struct actor program, interactor;
	struct sandbox_client *clients[2];
	struct game game;
	atomic_int reported; /* the other side's report is on its way */
	int fds;             /* open before anything was */
} stage;

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void drop_ends(struct actor *a)
{
	if (a->in >= 0)
		close(a->in);
	if (a->out >= 0)
		close(a->out);
	a->in = a->out = -1;
}

static void report(const struct actor *a, int code)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;
	struct err e;
	int err_out = io_memfd_of("", 0, &e);

	r.status = SANDBOX__STATUS__EXITED;
	r.exit_code = code;
	r.last = 1;
	cr_expect(zero(int, channel_send(a->sock, &r.base, &err_out, 1, &e)));
	close(err_out);
}

static void act(struct actor *a)
{
	static _Thread_local struct channel_frame f;
	Sandbox__Welcome w = SANDBOX__WELCOME__INIT;
	Sandbox__Request *q;
	struct err e;
	int code;

	w.protocol = 1;
	w.rules_hash = "c0ffee";
	if (channel_send(a->sock, &w.base, NULL, 0, &e) < 0 ||
	    channel_receive(a->sock, 20000, &f, &e) != 1)
		return;
	q = (Sandbox__Request *)channel_unpack(&f, &sandbox__request__descriptor, &e);
	cr_assert(ne(ptr, q, NULL), "%s", e.msg);
	cr_expect(q->stdin_pipe && q->stdout_pipe);
	cr_assert(eq(sz, f.nfds, 2));
	sandbox__request__free_unpacked(q, NULL);
	a->in = f.fds[0];
	a->out = f.fds[1];
	f.nfds = 0;
	code = a->script(a);
	drop_ends(a);
	if (code >= 0)
		report(a, code);
	/* Until the client has had it. */
	if (code >= 0)
		(void)channel_receive(a->sock, 20000, &f, &e);
}

static void *actor_main(void *arg)
{
	struct actor *a = arg;

	a->in = a->out = -1;
	a->sock = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
	if (a->sock >= 0) {
		act(a);
		close(a->sock);
	}
	return NULL;
}

static struct sandbox_client *raise_curtain(struct actor *a, const char *name,
					    int (*script)(struct actor *a))
{
	struct sandbox_client *c;
	struct err e;

	a->script = script;
	snprintf(a->path, sizeof(a->path), "%s/%s", stage.dir, name);
	a->listener = channel_listen(a->path, 1, &e);
	cr_assert(ge(int, a->listener, 0), "%s", e.msg);
	cr_assert(zero(int, pthread_create(&a->thread, NULL, actor_main, a)));
	c = sandbox_client_open(a->path, 5000, &e);
	cr_assert(ne(ptr, c, NULL), "%s", e.msg);
	return c;
}

static void open_stage(int (*program)(struct actor *a), int (*interactor)(struct actor *a))
{
	signal(SIGPIPE, SIG_IGN);
	stage.fds = open_fds();
	snprintf(stage.dir, sizeof(stage.dir), "/tmp/gavel-game-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(stage.dir), NULL));
	stage.clients[0] = raise_curtain(&stage.program, "program", program);
	stage.clients[1] = raise_curtain(&stage.interactor, "interactor", interactor);
}

static void close_actor(struct actor *a, struct sandbox_client *c)
{
	sandbox_client_close(c);
	pthread_join(a->thread, NULL);
	close(a->listener);
	unlink(a->path);
}

static void close_stage(void)
{
	sandbox_report_release(&stage.game.program_report);
	sandbox_report_release(&stage.game.interactor_report);
	close_actor(&stage.program, stage.clients[0]);
	close_actor(&stage.interactor, stage.clients[1]);
	rmdir(stage.dir);
	cr_expect(eq(int, open_fds(), stage.fds), "descriptors are left open");
}

static int play(struct transcript *t, struct err *e)
{
	static const char *const argv[] = {"/program/x", NULL};
	static const char *const env[] = {NULL};
	struct sandbox_spec specs[2] = {{.policy = "native",
					 .argv = argv,
					 .env = env,
					 .cpu_time_us = 1000000,
					 .wall_time_us = 5000000,
					 .memory_bytes = 1 << 20,
					 .processes = 1}};

	specs[1] = specs[0];
	stage.game = (struct game){.program = stage.clients[0],
				   .interactor = stage.clients[1],
				   .program_spec = &specs[0],
				   .interactor_spec = &specs[1],
				   .said = grade_icpc_exit,
				   .transcript = t};
	return game_play(&stage.game, e);
}

static void expect_played(int program_code, int interactor_code, int interactor_first)
{
	struct err e;

	cr_assert(zero(int, play(NULL, &e)), "%s", e.msg);
	cr_expect(eq(int, stage.game.program_report.exit_code, program_code));
	cr_expect(eq(int, stage.game.interactor_report.exit_code, interactor_code));
	cr_expect(eq(int, stage.game.interactor_first, interactor_first));
	cr_expect(zero(int, stage.game.interactor_lost));
	close_stage();
}

static void say(const struct actor *a, const char *text)
{
	struct err e;

	cr_expect(zero(int, io_write_all(a->out, text, strlen(text), &e)), "%s: %s", text, e.msg);
}

/* Reads so much, or to the end. */
static void expect_heard(const struct actor *a, const char *text)
{
	char got[256] = "";
	struct err e;
	ssize_t n = io_read_full(a->in, got, strlen(text) + (*text ? 0 : 1), &e);

	cr_expect(eq(sz, (size_t)n, strlen(text)));
	cr_expect(eq(str, got, (char *)text));
}

/* Writes until it is told that nobody will read it; returns how much went. */
static size_t flood(const struct actor *a, size_t max)
{
	static const char nonsense[65536] = "x";
	size_t sent = 0;

	while (sent < max) {
		ssize_t n = write(a->out, nonsense, sizeof(nonsense));

		if (n < 0) {
			cr_expect(eq(int, errno, EPIPE));
			break;
		}
		sent += (size_t)n;
	}
	return sent;
}

static int asks(struct actor *a)
{
	say(a, "one\n");
	expect_heard(a, "two\n");
	say(a, "three\n");
	return 0;
}

static int answers(struct actor *a)
{
	expect_heard(a, "one\n");
	say(a, "two\n");
	expect_heard(a, "three\n");
	return 42;
}

Test(game, what_one_says_the_other_hears, .timeout = 60)
{
	struct err e;

	open_stage(asks, answers);
	cr_assert(zero(int, play(NULL, &e)), "%s", e.msg);
	cr_expect(eq(int, stage.game.interactor_report.exit_code, 42));
	close_stage();
}

Test(game, a_transcript_has_all_of_it, .timeout = 60)
{
	struct transcript t;
	struct err e;
	char *text;

	open_stage(asks, answers);
	cr_assert(zero(int, transcript_init(&t, 1000, &e)));
	cr_assert(zero(int, play(&t, &e)), "%s", e.msg);
	text = transcript_text(&t);
	cr_expect(eq(str, text, ">one\n<two\n>three\n"));
	free(text);
	transcript_release(&t);
	close_stage();
}

/* Closes its ends as a process does that ends, but its report takes a while. */
static int ends_slowly(struct actor *a, int code)
{
	drop_ends(a);
	usleep(200000);
	stage.reported = 1;
	return code;
}

static int wrong_slowly(struct actor *a)
{
	return ends_slowly(a, 43);
}

static int leaves_slowly(struct actor *a)
{
	return ends_slowly(a, 0);
}

static int waits_for_the_end(struct actor *a)
{
	expect_heard(a, "");
	cr_expect(eq(int, stage.reported, 1), "told of the end before the report was there");
	return 7;
}

static int waits_then_43(struct actor *a)
{
	(void)waits_for_the_end(a);
	return 43;
}

Test(game, nobody_learns_of_an_end_before_the_report, .timeout = 60)
{
	open_stage(waits_for_the_end, wrong_slowly);
	expect_played(7, 43, 1);
	stage.reported = 0;
	open_stage(leaves_slowly, waits_then_43);
	expect_played(0, 43, 0);
}

static int waits_then_floods(struct actor *a)
{
	expect_heard(a, "");
	return flood(a, GAME_DISCARD_BYTES * 2) < GAME_DISCARD_BYTES ? 1 : 43;
}

static int waits_then_talks(struct actor *a)
{
	expect_heard(a, "");
	return flood(a, 1 << 20) == 1 << 20 ? 42 : 1;
}

static int leaves(struct actor *a)
{
	(void)a;
	return 0;
}

Test(game, an_interactor_may_talk_to_the_dead_but_not_for_ever, .timeout = 60)
{
	open_stage(leaves, waits_then_talks);
	expect_played(0, 42, 0);
	open_stage(leaves, waits_then_floods);
	expect_played(0, 43, 0);
}

static int right(struct actor *a)
{
	(void)a;
	return 42;
}

static int wrong(struct actor *a)
{
	(void)a;
	return 43;
}

static int thanks(struct actor *a)
{
	expect_heard(a, "");
	return flood(a, 1 << 20) == 1 << 20 ? 0 : 1;
}

static int insists(struct actor *a)
{
	expect_heard(a, "");
	return flood(a, 1 << 20) == 0 ? 9 : 1;
}

Test(game, what_is_said_after_right_is_lost_and_after_wrong_an_error, .timeout = 60)
{
	open_stage(thanks, right);
	expect_played(0, 42, 1);
	open_stage(insists, wrong);
	expect_played(9, 43, 1);
}

static int crashes(struct actor *a)
{
	(void)a;
	return 1;
}

static int never_ends(struct actor *a)
{
	struct pollfd p = {a->sock, POLLRDHUP, 0};

	cr_expect(eq(int, poll(&p, 1, 4 * GAME_LINGER_MS), 1));
	return -1;
}

Test(game, an_interactor_that_is_not_needed_any_more_is_not_waited_for, .timeout = 60)
{
	int64_t began = io_monotonic_us();
	struct err e;

	open_stage(crashes, never_ends);
	cr_assert(zero(int, play(NULL, &e)), "%s", e.msg);
	cr_expect(eq(int, stage.game.interactor_lost, 1));
	cr_expect(eq(int, sandbox_client_lost(stage.clients[1]), 1));
	cr_expect(zero(int, sandbox_client_lost(stage.clients[0])));
	cr_expect(ge(i64, io_monotonic_us() - began, GAME_LINGER_MS * 1000));
	cr_expect(lt(i64, io_monotonic_us() - began, GAME_LINGER_MS * 2000));
	close_stage();
}

static int dies(struct actor *a)
{
	(void)a;
	return -1;
}

Test(game, when_a_cell_dies_both_are_given_up, .timeout = 60)
{
	struct err e;

	open_stage(dies, never_ends);
	cr_expect(eq(int, play(NULL, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "closed the connection"), NULL), "%s", e.msg);
	cr_expect(sandbox_client_lost(stage.clients[0]) && sandbox_client_lost(stage.clients[1]));
	close_stage();
	open_stage(never_ends, dies);
	cr_expect(eq(int, play(NULL, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "interactor: "), NULL), "%s", e.msg);
	cr_expect(sandbox_client_lost(stage.clients[0]) && sandbox_client_lost(stage.clients[1]));
	close_stage();
}

static void *abort_soon(void *arg)
{
	usleep(200000);
	sandbox_client_abort(arg);
	return NULL;
}

Test(game, it_can_be_stopped, .timeout = 60)
{
	pthread_t t;
	struct err e;

	open_stage(never_ends, never_ends);
	cr_assert(zero(int, pthread_create(&t, NULL, abort_soon, stage.clients[0])));
	cr_expect(eq(int, play(NULL, &e), -1));
	pthread_join(t, NULL);
	close_stage();
}

Test(transcript, lines_sides_and_bounds)
{
	struct transcript t;
	struct err e;
	char *text;

	cr_assert(zero(int, transcript_init(&t, 24, &e)));
	transcript_add(&t, TRANSCRIPT_PROGRAM, "a", 1);
	transcript_add(&t, TRANSCRIPT_PROGRAM, "b\nc", 3);
	transcript_add(&t, TRANSCRIPT_INTERACTOR, "\x1b\n", 2);
	transcript_pass(&t);
	transcript_add(&t, TRANSCRIPT_PROGRAM, "d", 1);
	text = transcript_text(&t);
	cr_expect(eq(str, text, ">ab\n>c\n<\xef\xbf\xbd\n---\n>d\n"));
	free(text);
	transcript_add(&t, TRANSCRIPT_PROGRAM, "0123456789", 10);
	transcript_add(&t, TRANSCRIPT_INTERACTOR, "lost\n", 5);
	text = transcript_text(&t);
	cr_expect(
		eq(str, text, ">ab\n>c\n<\xef\xbf\xbd\n---\n>d01234567\n[the rest is left out]\n"),
		"%s", text);
	free(text);
	transcript_release(&t);
}
