#include "sandbox/core.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

/* CPUs that no machine has here: each is a core of its own. */
enum { CPU_A = 900, CPU_B = 901 };

static cpu_set_t both(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(CPU_A, &cpus);
	CPU_SET(CPU_B, &cpus);
	return cpus;
}

/* Abstract names belong to a network namespace: in one of its own a test meets nobody. */
static void alone(void)
{
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs root");
}

/* How many sockets have the core's name: the claim itself and those that stand in line. */
static int in_line(int cpu)
{
	char name[64];
	char line[512];
	int n = 0;
	FILE *f = fopen("/proc/net/unix", "r");

	snprintf(name, sizeof(name), " @gavel/core/%d\n", cpu);
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, name) != NULL;
	if (f)
		fclose(f);
	return n;
}

static void await_line(int cpu, int n)
{
	while (in_line(cpu) != n) /* the test's time limit ends this */
		(void)poll(NULL, 0, 1);
}

struct helper {
	pid_t pid;
	int said; /* its words come here */
	int hear; /* a word here tells the helper to go on */
};

/* A process that claims a core, says which CPU it got ('?': none), waits until it is told to, and gives it back. */
static struct helper claim_in_helper(int cpu, uid_t uid)
{
	int said[2];
	int hear[2];
	struct helper h;

	cr_assert_eq(pipe(said), 0);
	cr_assert_eq(pipe(hear), 0);
	h.pid = fork();
	if (h.pid == 0) {
		cpu_set_t cpus;
		struct core c;
		struct err e;
		char byte = '?';

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(said[0]);
		(void)close(hear[1]);
		CPU_ZERO(&cpus);
		CPU_SET((size_t)cpu, &cpus);
		if (uid != geteuid() && (setgroups(0, NULL) < 0 || setuid(uid) < 0))
			_exit(1);
		if (core_claim(&c, cpu, &cpus, -1, -1, &e) == 0 && c.cpu == cpu)
			byte = 'y';
		(void)!write(said[1], &byte, 1);
		(void)!read(hear[0], &byte, 1);
		core_release(&c);
		_exit(0);
	}
	(void)close(said[1]);
	(void)close(hear[0]);
	h.said = said[0];
	h.hear = hear[1];
	return h;
}

static char word(const struct helper *h, int timeout_ms)
{
	struct pollfd p = {h->said, POLLIN, 0};
	char byte = '-';

	if (poll(&p, 1, timeout_ms) == 1)
		(void)!read(h->said, &byte, 1);
	return byte;
}

static void let_go(struct helper *h)
{
	(void)!write(h->hear, "g", 1); /* closing is not enough: later helpers have a copy */
	(void)close(h->hear);
	waitpid(h->pid, NULL, 0);
	(void)close(h->said);
}

Test(core, who_comes_first_is_served_first, .timeout = 60, .init = alone)
{
	cpu_set_t cpus = both();
	struct helper h[4];
	struct core c;
	struct err e;

	cr_assert_eq(core_claim(&c, CPU_A, &cpus, -1, -1, &e), 0, "%s", e.msg);
	cr_expect_eq(c.cpu, CPU_A);
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		h[i] = claim_in_helper(CPU_A, geteuid());
		await_line(CPU_A, 2 + (int)i);
	}
	cr_expect_eq(word(&h[0], 50), '-', "two have one core");
	core_release(&c);
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		cr_expect_eq(word(&h[i], 20000), 'y', "%zu is not next", i);
		for (size_t k = i + 1; k < ARRAY_LEN(h); k++)
			cr_expect_eq(word(&h[k], 0), '-', "%zu came before %zu", k, i);
		let_go(&h[i]);
	}
	cr_expect_eq(in_line(CPU_A), 0);
}

Test(core, death_frees_a_core, .timeout = 60, .init = alone)
{
	struct helper first = claim_in_helper(CPU_A, geteuid());
	struct helper second;
	struct helper third;

	cr_assert_eq(word(&first, 20000), 'y');
	second = claim_in_helper(CPU_A, geteuid());
	await_line(CPU_A, 2);
	third = claim_in_helper(CPU_A, geteuid());
	await_line(CPU_A, 3);
	/* Who waits may die too: the claim must not go to the dead. */
	kill(second.pid, SIGKILL);
	let_go(&second);
	kill(first.pid, SIGKILL);
	cr_expect_eq(word(&third, 20000), 'y');
	let_go(&first);
	let_go(&third);
	cr_expect_eq(in_line(CPU_A), 0);
}

Test(core, any_takes_what_is_free, .timeout = 60, .init = alone)
{
	cpu_set_t cpus = both();
	struct helper a = claim_in_helper(CPU_A, geteuid());
	struct helper b;
	struct core c;
	struct err e;

	cr_assert_eq(word(&a, 20000), 'y');
	cr_assert_eq(core_claim(&c, CORE_ANY, &cpus, CPU_A, -1, &e), 0, "%s", e.msg);
	cr_expect_eq(c.cpu, CPU_B);
	core_release(&c);
	let_go(&a);
	cr_assert_eq(core_claim(&c, CORE_ANY, &cpus, CPU_B, -1, &e), 0, "%s", e.msg);
	cr_expect_eq(c.cpu, CPU_B, "it likes the other one");
	core_release(&c);
	/* Both taken: whichever comes free first is ours, and the line for the other one goes on without us. */
	a = claim_in_helper(CPU_A, geteuid());
	cr_assert_eq(word(&a, 20000), 'y');
	b = claim_in_helper(CPU_B, geteuid());
	cr_assert_eq(word(&b, 20000), 'y');
	pid_t pid = fork();

	if (pid == 0) {
		int got = core_claim(&c, CORE_ANY, &cpus, -1, -1, &e);

		core_release(&c);
		_exit(got == 0 && c.claim == -1 ? 0 : 1);
	}
	int status = 1;

	await_line(CPU_A, 2);
	await_line(CPU_B, 2);
	let_go(&b);
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	cr_expect_eq(in_line(CPU_B), 0);
	let_go(&a);
	cr_expect_eq(in_line(CPU_A), 0);
}

Test(core, a_client_that_is_gone_waits_no_longer, .timeout = 60, .init = alone)
{
	cpu_set_t cpus = both();
	struct helper a = claim_in_helper(CPU_A, geteuid());
	struct core c;
	struct err e;
	int ends[2];

	cr_assert_eq(word(&a, 20000), 'y');
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)close(ends[1]);
	cr_expect_eq(core_claim(&c, CPU_A, &cpus, -1, ends[0], &e), -1);
	cr_expect_str_eq(e.msg, "the client went away");
	cr_expect_eq(c.claim, -1);
	(void)close(ends[0]);
	let_go(&a);
}

Test(core, strangers_neither_give_nor_get, .timeout = 60, .init = alone)
{
	cpu_set_t cpus = both();
	struct helper stranger = claim_in_helper(CPU_A, 65534);
	struct helper ours;
	struct core c;
	struct err e;

	cr_assert_eq(word(&stranger, 20000), 'y');
	cr_expect_eq(core_claim(&c, CPU_A, &cpus, -1, -1, &e), 1);
	cr_expect_str_eq(e.msg, "core 900: its claim is held by another user");
	let_go(&stranger);

	/* Connects, and is told the name belongs to another: it stands in no line. */
	cr_assert_eq(core_claim(&c, CPU_A, &cpus, -1, -1, &e), 0, "%s", e.msg);
	stranger = claim_in_helper(CPU_A, 65534);
	cr_expect_eq(word(&stranger, 20000), '?');
	/* One that stays in line in spite of that is passed over. */
	pid_t pid = fork();

	if (pid == 0) {
		static const char name[] = "\0gavel/core/900";
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		char byte;

		memcpy(a.sun_path, name, sizeof(name) - 1);
		if (fd < 0 || setuid(65534) < 0 ||
		    connect(fd, (struct sockaddr *)&a,
			    offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1) < 0)
			_exit(2);
		_exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 1); /* the end, not a byte */
	}
	await_line(CPU_A, 3); /* the one that was refused is still in the backlog */
	ours = claim_in_helper(CPU_A, geteuid());
	await_line(CPU_A, 4);
	core_release(&c);
	cr_expect_eq(word(&ours, 20000), 'y');
	int status = 1;

	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0, "%x", status);
	let_go(&ours);
	let_go(&stranger);
}

/* Nobody can stand in that line, and it never ends: who waits is told so. */
Test(core, a_name_without_a_line_is_no_claim, .timeout = 60, .init = alone)
{
	static const char name[] = "\0gavel/core/900";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_CLOSE int squatter = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cpu_set_t cpus = both();
	struct core c;
	struct err e;

	memcpy(a.sun_path, name, sizeof(name) - 1);
	cr_assert_eq(bind(squatter, (struct sockaddr *)&a,
			  offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1),
		     0);
	cr_expect_eq(core_claim(&c, CPU_A, &cpus, -1, -1, &e), 1);
	cr_expect_str_eq(e.msg, "core 900: its claim is held by somebody who hands nothing on");
	cr_expect_eq(c.cpu, -1);
}

Test(core, lists)
{
	static const char *const wrong[] = {"",    "x",  "0-", "0,",    ",0",
					    "1-0", "0 ", "-1", "0-0-0", "none"};
	cpu_set_t own;
	cpu_set_t cpus;
	struct err e;

	cr_assert_eq(sched_getaffinity(0, sizeof(own), &own), 0);
	cr_assert_eq(core_list_parse("all", &cpus, &e), 0);
	cr_expect(CPU_EQUAL(&cpus, &own));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cr_expect_eq(core_list_parse(wrong[i], &cpus, &e), -1, "'%s'", wrong[i]);
		cr_expect_not_null(strstr(e.msg, "is not a list of CPUs"), "%s", e.msg);
	}
	cr_expect_eq(core_list_parse("1023,1024", &cpus, &e), -1);
	cr_expect_not_null(strstr(e.msg, "there is no CPU"), "%s", e.msg);
	if (!CPU_ISSET(0, &own) || !CPU_ISSET(1, &own))
		cr_skip_test("needs CPUs 0 and 1");
	cr_assert_eq(core_list_parse("1,0-1", &cpus, &e), 0, "%s", e.msg);
	cr_expect_eq(CPU_COUNT(&cpus), 2);
	cr_assert_eq(core_list_parse("1", &cpus, &e), 0, "%s", e.msg);
	cr_expect(CPU_COUNT(&cpus) == 1 && CPU_ISSET(1, &cpus));
}

Test(core, a_cpu_outside_the_list_is_refused)
{
	cpu_set_t cpus = both();
	struct core c;
	struct err e;

	cr_expect_eq(core_claim(&c, 902, &cpus, -1, -1, &e), 1);
	cr_expect_str_eq(e.msg, "pin_cpu: CPU 902 is not one of those that runs may have");
	cr_expect_eq(core_claim(&c, 5000, &cpus, -1, -1, &e), 1);
}
