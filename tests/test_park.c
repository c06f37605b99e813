/* The child that waits for the next run: thrown away, dead before its time, or used, it takes nothing along and leaves nothing. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/cell_fixture.h"

#define MIB (1ULL << 20)

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* As the kernel does it when the machine runs out of memory. */
static void kill_parked(struct fixture *f)
{
	struct pollfd end = {f->cell.park.pidfd, POLLIN, 0};

	cr_assert(syscall(SYS_pidfd_send_signal, end.fd, SIGKILL, NULL, 0) == 0 &&
		  poll(&end, 1, 10000) == 1);
}

static void run_with(struct fixture *f, const char *script, uint64_t memory, struct answer *a)
{
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, script);

	rq.memory_bytes = memory;
	fixture_send(f, &rq, "", a);
}

Test(park, a_child_that_died_waiting_is_replaced, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f, "true", &a);
	for (int i = 0; i < 3; i++) {
		kill_parked(&f);
		fixture_run(&f, "echo fine; echo $$", &a);
		cr_expect_str_eq(a.out, "fine\n2\n", "%s", a.error);
	}
	fixture_close(&f);
}

/* Nobody has used the box, so nothing in it may be wiped. */
Test(park, files_stay_when_the_child_dies_waiting, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f, "true", &a);
	fixture_put(&f, "a", 0644, "x", &a);
	kill_parked(&f);
	fixture_put(&f, "b", 0644, "x", &a);
	cr_expect_str_eq(a.error, "");
	fixture_run(&f, "ls; touch c", &a);
	cr_expect_str_eq(a.out, "a\nb\n", "%s", a.error);
	fixture_run(&f, "ls", &a);
	cr_expect_str_eq(a.out, "", "the box of the run before: %s", a.out);
	fixture_close(&f);
}

/* A child for other limits is thrown away with the files in place; what a run has used is wiped as ever. */
Test(park, files_stay_when_the_child_is_dropped, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f, "true", &a);
	for (uint64_t i = 0; i < 4; i++) {
		fixture_put(&f, "a", 0644, "x", &a);
		fixture_put(&f, "b", 0644, "x", &a);
		run_with(&f, "ls; touch c /tmp/d", (40 + i) * MIB, &a);
		cr_expect_str_eq(a.out, "a\nb\n", "%s", a.error);
		run_with(&f, "ls . /tmp", (40 + i) * MIB, &a);
		cr_expect_str_eq(a.out, ".:\n\n/tmp:\n", "%s", a.error);
	}
	fixture_close(&f);
}

/* A box that is too small for what is in it is refused: the child that waited is of no use to the next PUT, which drops it. */
Test(park, files_stay_when_put_drops_the_child, .timeout = 60)
{
	static char text[3 * 4096];
	struct fixture f;
	struct answer a;
	char *argv[3];
	Sandbox__Request rq;

	memset(text, 'x', sizeof(text) - 1);
	fixture_open(&f, NULL);
	fixture_run(&f, "true", &a);
	fixture_put(&f, "a", 0644, text, &a);
	rq = fixture_shell(argv, "true");
	rq.box_bytes = 4096;
	fixture_send(&f, &rq, "", &a);
	cr_expect_neq(a.error[0], '\0');
	cr_expect_geq(f.cell.park.listener, 0, "no child was armed: there is nothing to see");
	fixture_put(&f, "a", 0644, "x", &a);
	cr_expect_lt(f.cell.park.pidfd, 0, "the child was not dropped");
	fixture_put(&f, "b", 0644, "x", &a);
	fixture_run(&f, "ls", &a);
	cr_expect_str_eq(a.out, "a\nb\n", "%s", a.error);
	fixture_close(&f);
}

Test(park, pipes_that_nobody_wants_are_closed, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	int before = 0;

	fixture_open(&f, NULL);
	for (int i = 0; i < 12; i++) {
		Sandbox__Request rq = fixture_shell(argv, "echo out; echo err >&2");

		rq.merge_stderr = 1;
		fixture_send(&f, &rq, "", &a);
		cr_expect_str_eq(a.out, "out\nerr\n", "%s", a.error);
		if (i == 3)
			before = open_descriptors();
	}
	cr_expect_eq(open_descriptors(), before);
	fixture_close(&f);
}
