#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/rights.h"
#include "tests/cell_fixture.h"

#define MS  1000ULL
#define MIB (1ULL << 20)

/* Pages by which init may grow in 200 runs.  AddressSanitizer keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_MAX 65536
#else
#define GROWTH_MAX 256
#endif

#define EXITED    SANDBOX__STATUS__EXITED
#define SIGNALED  SANDBOX__STATUS__SIGNALED
#define CPU       SANDBOX__STATUS__CPU_TIME_LIMIT
#define WALL      SANDBOX__STATUS__WALL_TIME_LIMIT
#define MEMORY    SANDBOX__STATUS__MEMORY_LIMIT
#define OUTPUT    SANDBOX__STATUS__OUTPUT_LIMIT
#define FORBIDDEN SANDBOX__STATUS__FORBIDDEN_SYSCALL

/* One run of a shell script with limits: 0 keeps what fixture_shell() has. */
struct limits {
	uint64_t cpu_us, wall_us, memory, output, box;
	unsigned processes;
	const char *policy, *network;
	int same_box, merge;
};

static void run(struct fixture *f, const char *script, struct limits l, struct answer *a)
{
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, script);

	rq.cpu_time_us = l.cpu_us;
	rq.wall_time_us = l.wall_us ? l.wall_us : rq.wall_time_us;
	rq.memory_bytes = l.memory;
	rq.output_bytes = l.output;
	rq.box_bytes = l.box;
	rq.processes = l.processes;
	rq.same_box = l.same_box;
	rq.merge_stderr = l.merge;
	if (l.policy)
		rq.policy = (char *)l.policy;
	if (l.network)
		rq.network = strdup(l.network);
	fixture_send(f, &rq, "", a);
}

#define expect_status(a, want)                                                                     \
	cr_expect_eq((a).status, (want), "status %d: %s %s %s", (a).status, (a).error,             \
		     (a).message, (a).err_text)

/* A C program as /program/probe for the runs to come. */
static void keep_program(struct fixture *f, const char *source)
{
	struct answer a;

	fixture_put(f, "probe.c", 0644, source, &a);
	cr_assert_str_eq(a.error, "");
	fixture_run(f, "gcc -static -O1 -pthread -o probe probe.c", &a);
	cr_assert_eq(a.exit_code, 0, "%s%s", a.error, a.err_text);
	fixture_paths(f, SANDBOX__REQUEST__KIND__KEEP, "probe", &a);
	cr_assert_str_eq(a.error, "");
}

Test(cell, ends_by_itself, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f, "exit 0", &a);
	expect_status(a, EXITED);
	cr_expect_eq(a.exit_code, 0);
	fixture_run(&f, "echo out; echo err >&2; exit 255", &a);
	expect_status(a, EXITED);
	cr_expect_eq(a.exit_code, 255);
	cr_expect_str_eq(a.out, "out\n");
	cr_expect_str_eq(a.err_text, "err\n");
	cr_expect_eq(a.output_bytes, 8);
	for (int sig = 1; sig < 32; sig++) {
		char script[32];

		if (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT ||
		    sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
			continue;
		snprintf(script, sizeof(script), "kill -%d $$", sig);
		fixture_run(&f, script, &a);
		expect_status(a, SIGNALED); /* SIGSYS, too: nobody made a forbidden call */
		cr_expect_eq(a.signal, sig);
		cr_expect_str_eq(a.syscall, "");
		fixture_paths(&f, SANDBOX__REQUEST__KIND__FETCH, NULL, &a);
		cr_expect_eq(a.fetched, 0, "signal %d left a core", sig);
	}
	fixture_close(&f);
}

Test(cell, cpu_time, .timeout = 60)
{
	static const char *const burners[] = {
		"while :; do :; done",
		"(while :; do :; done) & (while :; do :; done) & wait",
		"sh -c 'sh -c \"while :; do :; done\"'",
		"/program/probe",
	};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	keep_program(&f, "#include <pthread.h>\n#include <time.h>\n"
			 "static void *burn(void *x) { for (;;) ; return x; }\n"
			 "int main(int argc, char **argv) { pthread_t t;\n"
			 "if (argc > 1) { while (clock() < CLOCKS_PER_SEC / 4) ; return 0; }\n"
			 "for (int i = 0; i < 3; i++)\n"
			 "pthread_create(&t, 0, burn, 0); pthread_exit(argv == 0); }\n");
	for (size_t i = 0; i < ARRAY_LEN(burners); i++) {
		run(&f, burners[i], (struct limits){.cpu_us = 200 * MS}, &a);
		expect_status(a, CPU);
		cr_expect_geq(a.cpu_time_us, 200 * MS, "%s", burners[i]);
		cr_expect_lt(a.cpu_time_us, 700 * MS, "%s: %llu", burners[i],
			     (unsigned long long)a.cpu_time_us);
	}
	/* What one run used is not counted against the next. */
	for (int i = 0; i < 3; i++) {
		run(&f, "/program/probe 250ms", (struct limits){.cpu_us = 500 * MS}, &a);
		expect_status(a, EXITED);
		cr_expect_geq(a.cpu_time_us, 240 * MS);
		cr_expect_lt(a.cpu_time_us, 500 * MS);
	}
	fixture_close(&f);
}

/* Any limit but 1 would have the kernel start the host's core handler: core(5). */
Test(cell, limit_of_cores_stays, .timeout = 60)
{
	static const char script[] = "import resource as r\n"
				     "print(r.getrlimit(r.RLIMIT_CORE))\n"
				     "try: r.setrlimit(r.RLIMIT_CORE, (0, 1)); print('lowered')\n"
				     "except (ValueError, OSError): print('refused')\n"
				     "r.setrlimit(r.RLIMIT_NOFILE, (64, 64))\n"
				     "print(r.getrlimit(r.RLIMIT_CORE))\n";
	struct fixture f;
	struct answer a;
	char command[600];

	fixture_open(&f, NULL);
	snprintf(command, sizeof(command),
		 "python3 -c \"%s\"; ulimit -c 0 2>/dev/null && echo lowered", script);
	fixture_run(&f, command, &a);
	cr_expect_str_eq(a.out, "(1, 1)\nrefused\n(1, 1)\n", "%s%s", a.out, a.err_text);
	fixture_close(&f);
}

Test(cell, wall_time, .timeout = 60)
{
	static const char *const waiters[] = {"sleep 50", "kill -STOP $$", "sleep 50 & wait",
					      "sleep 50 | cat"};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(waiters); i++) {
		run(&f, waiters[i], (struct limits){.wall_us = 200 * MS}, &a);
		expect_status(a, WALL);
		cr_expect_geq(a.wall_time_us, 200 * MS);
		cr_expect_lt(a.wall_time_us, 5000 * MS);
	}
	fixture_close(&f);
}

/* Eight processes that want the same CPU as the program; they end with the test. */
static void crowd_cpu_0(pid_t *crowd, size_t n)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	for (size_t i = 0; i < n; i++) {
		crowd[i] = fork();
		if (crowd[i] == 0) {
			alarm(40);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sched_setaffinity(0, sizeof(first), &first);
			for (;;)
				;
		}
	}
}

Test(cell, a_busy_machine_is_not_the_programs_fault, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	pid_t crowd[8];

	fixture_open(&f, NULL);
	crowd_cpu_0(crowd, ARRAY_LEN(crowd));
	Sandbox__Request rq =
		fixture_shell(argv, "import time\nwhile time.process_time() < 1.2: pass");

	argv[0] = (char *)"/usr/bin/python3";
	rq.policy = (char *)"managed";
	rq.pin_cpu = 1; /* CPU 0 */
	rq.wall_time_us = 1500 * MS;
	fixture_send(&f, &rq, "", &a);
	expect_status(a, EXITED);
	cr_expect_gt(a.wall_time_us, 1500 * MS, "nobody was in its way: %d us",
		     (int)a.wall_time_us);
	/* Who sleeps waits for nobody. */
	rq = fixture_shell(argv, "sleep 50");
	rq.pin_cpu = 1;
	rq.wall_time_us = 1500 * MS;
	fixture_send(&f, &rq, "", &a);
	expect_status(a, WALL);
	cr_expect_lt(a.wall_time_us, 9000 * MS);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
		kill(crowd[i], SIGKILL);
		waitpid(crowd[i], NULL, 0);
	}
	fixture_close(&f);
}

Test(cell, memory, .timeout = 90)
{
	static const char *const eaters[] = {
		"python3 -c 'b = bytearray(200 << 20)'",
		"python3 -c 'b = bytearray(200 << 20)'; exit 0", /* only a child dies */
		"head -c 60M /dev/zero > /box/f",
		"head -c 60M /dev/zero > /dev/shm/f; exit 0",
		"head -c 60M /dev/zero > /tmp/f; exit 0",
	};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(eaters); i++) {
		run(&f, eaters[i], (struct limits){.memory = 40 * MIB, .box = 64 * MIB}, &a);
		expect_status(a, MEMORY);
		cr_expect_leq(a.memory_peak_bytes, 41 * MIB);
		run(&f, "head -c 20M /dev/zero > f", (struct limits){.memory = 40 * MIB}, &a);
		expect_status(a, EXITED);
	}
	/* A full box is the program's to notice. */
	run(&f, "head -c 20M /dev/zero > f", (struct limits){.box = 10 * MIB}, &a);
	expect_status(a, EXITED);
	cr_expect_neq(a.exit_code, 0);
	cr_expect_not_null(strstr(a.err_text, "No space left"));
	fixture_close(&f);
}

Test(cell, output, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	run(&f, "yes", (struct limits){.output = 10000}, &a);
	expect_status(a, OUTPUT);
	cr_expect_eq(a.output_bytes, 10000);
	run(&f, "yes >&2", (struct limits){.output = 10000}, &a);
	expect_status(a, OUTPUT);
	cr_expect_eq(a.output_bytes, 10000);
	run(&f, "head -c 6000 /dev/zero; head -c 6000 /dev/zero >&2",
	    (struct limits){.output = 10000}, &a);
	expect_status(a, OUTPUT);
	cr_expect_eq(a.output_bytes, 10000);
	run(&f, "head -c 5000 /dev/zero; head -c 5000 /dev/zero >&2",
	    (struct limits){.output = 10000}, &a);
	expect_status(a, EXITED);
	cr_expect_eq(a.output_bytes, 10000);
	/* Pouring without end does not put off the clock. */
	run(&f, "yes", (struct limits){.output = 4096 * MIB, .cpu_us = 100 * MS}, &a);
	expect_status(a, CPU);
	run(&f, "echo a; echo b >&2; echo c", (struct limits){.merge = 1}, &a);
	cr_expect_str_eq(a.out, "a\nb\nc\n");
	cr_expect_str_eq(a.err_text, "");
	run(&f, "echo a > /dev/stdout; echo b > /dev/stderr", (struct limits){0}, &a);
	expect_status(a, EXITED);
	cr_expect_str_eq(a.out, "a\n");
	cr_expect_str_eq(a.err_text, "b\n");
	fixture_close(&f);
}

Test(cell, forbidden_calls_are_named, .timeout = 60)
{
	static const char *const calls[][2] = {
		{"unshare -U true", "unshare"},
		{"unshare -U true; exit 0", "unshare"},
		{"sleep 60 & unshare -U true & wait", "unshare"},
		{"mount -t tmpfs none /tmp", "mount"},
		{"python3 -c 'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'", "ptrace"},
	};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		fixture_run(&f, calls[i][0], &a);
		if (i == 3 && a.status == EXITED)
			continue; /* mount(8) may look whether it is root first */
		expect_status(a, FORBIDDEN);
		cr_expect_str_eq(a.syscall, calls[i][1]);
	}
	fixture_close(&f);
}

Test(cell, nothing_outlives_a_run, .timeout = 60)
{
	static const char *const runaways[] = {
		"sleep 1000 & exit 0",
		"setsid -f sleep 1000; exit 0",
		"(trap '' TERM HUP INT; setsid sh -c 'while :; do sleep 1; done') & exit 0",
		"python3 -c 'import os\nfor i in range(20):\n if os.fork() == 0: os.setsid(); "
		"os.fork()\n"
		"import time; time.sleep(0.01)'",
		"sh -c 'kill -STOP $$' & exit 0",
	};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(runaways); i++) {
		fixture_run(&f, runaways[i], &a);
		expect_status(a, EXITED);
		cr_expect_lt(a.wall_time_us, 20000 * MS);
		fixture_run(&f, "echo /proc/[0-9]*; echo $$", &a);
		cr_expect_str_eq(a.out, "/proc/2\n2\n", "after %s: %s", runaways[i], a.out);
	}
	/* Orphans are reaped as they die: their zombies do not count. */
	run(&f,
	    "i=0; while [ $i -lt 50 ]; do setsid -f true || exit 1; i=$((i+1)); done; sleep 0.1",
	    (struct limits){.processes = 20}, &a);
	cr_expect_eq(a.exit_code, 0, "%s", a.err_text);
	run(&f, "for i in 1 2 3 4 5 6; do sleep 30 & done", (struct limits){.processes = 4}, &a);
	cr_expect_neq(a.exit_code, 0);
	cr_expect_leq(a.processes_peak, 4);
	fixture_close(&f);
}

Test(cell, bombs, .timeout = 90)
{
	static const char *const bombs[] = {
		"b() { b | b & }; b; sleep 50",
		"python3 -c 'import os\nwhile True:\n try:\n  if os.fork() == 0: os.setsid()\n "
		"except OSError: pass'",
		"python3 -c 'import os\nwhile True:\n try: os.fork()\n except OSError: pass'",
		"python3 -c 'import os\nb = bytearray(8 << 20)\nwhile True:\n try:\n  os.fork()\n"
		"  b = bytearray(8 << 20)\n except OSError: pass'",
	};
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		run(&f, bombs[i],
		    (struct limits){.cpu_us = 400 * MS,
				    .wall_us = 1000 * MS,
				    .processes = 50,
				    .memory = 128 * MIB},
		    &a);
		cr_expect(a.status == CPU || a.status == WALL || a.status == MEMORY, "%s: %d %s",
			  bombs[i], a.status, a.error);
		cr_expect_leq(a.processes_peak, 50);
		fixture_run(&f, "echo /proc/[0-9]*", &a);
		cr_expect_str_eq(a.out, "/proc/2\n");
	}
	fixture_close(&f);
}

/* Two cells at work at once share no id, no limit and no file. */
Test(cell, cells_are_strangers, .timeout = 60)
{
	struct fixture f;
	struct fixture other;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_open(&other, NULL);
	cr_expect_neq(f.cell.ids.program, other.cell.ids.program);
	cr_expect_neq(f.cell.ids.init, other.cell.ids.init);
	fixture_put(&f, "mine", 0644, "x", &a);
	fixture_run(&other, "ls -A /box", &a);
	cr_expect_str_eq(a.out, "");
	fixture_run(&f, "ls -A /box", &a);
	cr_expect_str_eq(a.out, "mine\n");
	fixture_close(&f);
	fixture_run(&other, "echo alive", &a);
	cr_expect_str_eq(a.out, "alive\n");
	fixture_close(&other);
}

Test(cell, inputs, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	struct err e = {0};
	char *argv[3];
	int fds[] = {io_memfd_of("one\n", 4, &e), io_memfd_of("two\n", 4, &e),
		     io_memfd_of("three\n", 6, &e)};

	fixture_open(&f, NULL);
	for (int i = 0; i < 2; i++) { /* no offset is shared with the run before */
		Sandbox__Request rq = fixture_shell(
			argv,
			"cat; cat /dev/fd/3; cat <&4; cat /proc/self/fd/4; ls -x /proc/self/fd");

		fixture_send_fds(&f, &rq, fds, 3, &a);
		cr_expect_str_eq(a.out, "one\ntwo\nthree\nthree\n0  1  2  3  4  5\n", "%s%s", a.out,
				 a.err_text);
	}
	Sandbox__Request rq = fixture_shell(argv, "echo x > /dev/fd/3; echo y >> /proc/self/fd/0; "
						  "chmod 777 /dev/fd/3; cat /dev/fd/3");

	fixture_send_fds(&f, &rq, fds, 2, &a);
	cr_expect_str_eq(a.out, "two\n");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	fixture_close(&f);
}

Test(cell, pipes_of_the_client, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	char text[32] = "";
	int in[2];
	int out[2];

	fixture_open(&f, NULL);
	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(write(in[1], "hello\n", 6), 6);
	(void)close(in[1]);
	int fds[] = {in[0], out[1]};
	Sandbox__Request rq = fixture_shell(argv, "tr a-z A-Z; echo done >&2");

	rq.stdin_pipe = rq.stdout_pipe = 1;
	fixture_send_fds(&f, &rq, fds, 2, &a);
	expect_status(a, EXITED);
	cr_expect_str_eq(a.out, "done\n"); /* the only stream that was collected */
	(void)close(out[1]);
	cr_expect_eq(read(out[0], text, sizeof(text) - 1), 6);
	cr_expect_str_eq(text, "HELLO\n");
	cr_expect_eq(read(out[0], text, sizeof(text)), 0, "somebody holds the writing end");

	/* Ends that point the wrong way, or are no pipes. */
	int wrong[] = {out[0], in[0]};

	rq = fixture_shell(argv, "true");
	rq.stdin_pipe = rq.stdout_pipe = 1;
	fixture_send_fds(&f, &rq, wrong, 2, &a);
	cr_expect_not_null(strstr(a.error, "stdout: must be the writing end of a pipe"));
	rq = fixture_shell(argv, "true");
	fixture_send_fds(&f, &rq, in, 1, &a);
	cr_expect_not_null(strstr(a.error, "descriptor 0: not a regular file"), "%s", a.error);
	(void)close(in[0]);
	(void)close(out[0]);
	fixture_close(&f);
}

Test(cell, command_is_exact, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[] = {"printf", "%s|", "a", "b c", "", "*", NULL};
	char *env[] = {"PATH=/nowhere:/usr/bin", "X=1 2", "EMPTY="};
	char *env_argv[] = {"/usr/bin/env"};
	char *shell[3];

	fixture_open(&f, NULL);
	Sandbox__Request rq = fixture_shell(shell, "");

	rq.argv = argv;
	rq.n_argv = 6;
	rq.env = env;
	rq.n_env = 3;
	fixture_send(&f, &rq, "", &a);
	cr_expect_str_eq(a.out, "a|b c||*|", "%s %s", a.out, a.message);
	rq = fixture_shell(shell, "");
	rq.argv = env_argv;
	rq.n_argv = 1;
	rq.env = env;
	rq.n_env = 3;
	fixture_send(&f, &rq, "", &a);
	cr_expect_str_eq(a.out, "PATH=/nowhere:/usr/bin\nX=1 2\nEMPTY=\n", "%s", a.out);
	rq = fixture_shell(shell, "pwd");
	rq.cwd = strdup("/tmp");
	fixture_send(&f, &rq, "", &a);
	cr_expect_str_eq(a.out, "/tmp\n");
	rq = fixture_shell(shell, "pwd");
	rq.cwd = strdup("/box/../tmp");
	fixture_send(&f, &rq, "", &a);
	cr_expect_neq(a.error[0], '\0');
	fixture_run(&f, "pwd; hostname; umask; trap; grep -c 'core.*1  *1  *b' /proc/self/limits",
		    &a);
	cr_expect_str_eq(a.out, "/box\ngavel\n0022\n1\n", "%s", a.out);
	fixture_close(&f);
}

Test(cell, host_is_not_visible, .timeout = 60)
{
	static const char script[] =
		"for p in /etc/shadow /etc/hostname /etc/ssh /etc/resolv.conf /root /home /var/log "
		"/sys "
		"/run /boot /mnt /opt /srv /media /proc/1 /proc/sys /proc/meminfo /proc/cmdline "
		"/proc/kallsyms /proc/net /dev/kmsg /dev/mem /dev/tty /dev/pts /dev/vda /work; do "
		"ls -d $p 2>/dev/null; done\n"
		"for p in / /usr /bin /etc /program /proc /dev /box/..; do\n"
		"touch $p/x 2>/dev/null && echo wrote $p; done\n"
		"echo x 2>/dev/null > /etc/passwd && echo wrote passwd\n"
		"chmod 777 / 2>/dev/null && echo changed root\n"
		"kill -0 1 2>/dev/null && echo may signal init\n"
		"mknod /box/n c 1 1 2>/dev/null && echo made a device\n"
		"grep -v : /proc/self/cgroup; grep -E '^(Cap...|NoNewPrivs|Groups|Seccomp):' "
		"/proc/self/status | tr -d ' \\t'; id; ls /dev /dev/shm; cat /proc/self/cgroup "
		"| "
		"grep -v ':/$'";
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f, script, &a);
	cr_expect_str_eq(
		a.out,
		"Groups:\nCapInh:0000000000000000\nCapPrm:0000000000000000\n"
		"CapEff:0000000000000000\nCapBnd:0000000000000000\nCapAmb:0000000000000000\n"
		"NoNewPrivs:1\nSeccomp:2\n"
		"uid=1000(sandbox) gid=1000(sandbox) groups=1000(sandbox)\n"
		"/dev:\nfd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\nurandom\nzero\n\n"
		"/dev/shm:\n",
		"%s", a.out);
	fixture_close(&f);
}

Test(cell, every_run_begins_anew, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (int i = 0; i < 3; i++) {
		fixture_run(
			&f,
			"ls -A /box /tmp /dev/shm; ipcs -m | grep -c 0x; stat -c %a /box /tmp; "
			"touch /box/a /tmp/b /dev/shm/c; mkdir -p /box/d/e; chmod 700 /tmp /box; "
			"ipcmk -M 4096 >/dev/null",
			&a);
		cr_expect_str_eq(a.out, "/box:\n\n/dev/shm:\n\n/tmp:\n0\n755\n755\n", "%s%s", a.out,
				 a.err_text);
	}
	run(&f, "ls -A /box /tmp /dev/shm", (struct limits){.same_box = 1}, &a);
	cr_expect_str_eq(a.out, "/box:\na\nd\n\n/dev/shm:\n\n/tmp:\n", "%s", a.out);
	run(&f, "ls -A /box", (struct limits){.same_box = 1}, &a);
	cr_expect_str_eq(a.out, "a\nd\n");
	run(&f, "ls -A /box", (struct limits){0}, &a);
	cr_expect_str_eq(a.out, "");
	/* Nothing in a folder but its own attributes changed. */
	run(&f, "chattr +d /box 2>/dev/null; touch -d 2001-01-01 /box; cd /; chmod 711 /box /tmp",
	    (struct limits){0}, &a);
	run(&f,
	    "stat -c '%a %Y' /box | grep -v '^755 [12]...'; lsattr -d /box 2>/dev/null | grep d-",
	    (struct limits){0}, &a);
	cr_expect_str_eq(a.out, "");
	fixture_close(&f);
}

/* A listening socket whose only reference is in flight inside a socket that is in flight inside it. */
static const char leave_a_socket[] =
	"import socket as s, array\n"
	"l = s.socket(s.AF_UNIX, s.SOCK_STREAM); l.bind(b'\\0left behind'); l.listen()\n"
	"a, b = s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)\n"
	"a.sendmsg([b'x'], [(s.SOL_SOCKET, s.SCM_RIGHTS, array.array('i', [l.fileno(), b.fileno(),"
	" a.fileno()]))])\n"
	"b.sendmsg([b'x'], [(s.SOL_SOCKET, s.SCM_RIGHTS, array.array('i', [a.fileno()]))])\n";

Test(cell, sockets_do_not_survive, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char script[1024];

	fixture_open(&f, NULL);
	snprintf(script, sizeof(script), "python3 -c \"%s\"", leave_a_socket);
	for (int i = 0; i < 5; i++) {
		run(&f, script, (struct limits){.policy = "network"}, &a);
		cr_assert_eq(a.exit_code, 0, "%s", a.err_text);
		run(&f, "cat /proc/self/net/unix", (struct limits){.policy = "network"}, &a);
		cr_expect_null(strchr(strchr(a.out, '\n') + 1, '\n'), "%s", a.out);
	}
	fixture_close(&f);
}

static const char talk[] =
	"import socket, os\n"
	"l = socket.socket(); l.bind(('127.0.0.1', 4711)); l.listen()\n"
	"c = socket.create_connection(('127.0.0.1', 4711)); s, p = l.accept()\n"
	"s.close(); c.close(); print('ok', len(os.listdir('/proc/self/net')) > 5)\n";

Test(cell, network, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char script[1024];

	fixture_open(&f, NULL);
	snprintf(script, sizeof(script), "python3 -c \"%s\"", talk);
	for (int i = 0; i < 3; i++) { /* the port is free again: no connection lingers */
		run(&f, script, (struct limits){.policy = "network", .network = "loopback"}, &a);
		cr_expect_str_eq(a.out, "ok True\n", "%s%s", a.error, a.err_text);
		run(&f, "grep -c . /proc/self/net/tcp; grep lo: /proc/self/net/dev | tr -s ' '",
		    (struct limits){.policy = "network", .network = "loopback"}, &a);
		cr_expect_str_eq(a.out, "1\n lo: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", "%s", a.out);
	}
	run(&f, "true", (struct limits){.network = "none"}, &a);
	cr_expect_not_null(strstr(a.error, "network"), "%s", a.error);
	fixture_close(&f);

	fixture_open(&f, NULL);
	run(&f, script, (struct limits){.policy = "network"}, &a);
	cr_expect_not_null(strstr(a.err_text, "Network is unreachable"), "%s", a.err_text);
	run(&f, script, (struct limits){0}, &a);
	cr_expect_neq(a.exit_code, 0);
	fixture_close(&f);
}

static int open_descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

static int folders_in(int dir)
{
	int n = 0;
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	for (struct dirent *x; d && (x = readdir(d));)
		n += x->d_type == DT_DIR;
	closedir(d);
	return n;
}

/* Descriptors of init, seen from outside; and its memory in pages. */
static int init_descriptors(struct fixture *f)
{
	char path[64];
	int n = 0;
	struct answer a;

	/* Init tidies up after its reply to a run; once it answers the next request, that is over. */
	fixture_paths(f, SANDBOX__REQUEST__KIND__FETCH, "missing", &a);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)f->cell.init_pid);
	DIR *d = opendir(path);

	if (!d && rights_user() != 0)
		return 0; /* it cannot be looked into: its memory is the host root's business */
	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

static long init_memory(const struct fixture *f)
{
	char path[64];
	long size = 0;
	long resident = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)f->cell.init_pid);
	FILE *in = fopen(path, "r");

	cr_assert_eq(fscanf(in, "%ld %ld", &size, &resident), 2);
	(void)fclose(in);
	return resident;
}

static ino_t network_of(const struct fixture *f)
{
	char path[64];
	struct stat st = {0};

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)f->cell.init_pid);
	if (stat(path, &st) < 0 && rights_user() == 0)
		cr_assert_fail("%s", path);
	return st.st_ino;
}

/* What is done between two runs at some moment or other has been done. */
static void rest(struct fixture *f)
{
	struct err e = {0};
	int more;

	while ((more = cell_rest(&f->cell, &e)) > 0)
		continue;
	cr_assert_eq(more, 0, "%s", e.msg);
}

Test(cell, two_hundred_runs_leave_nothing, .timeout = 120)
{
	static const char *const scripts[] = {"true", "echo x; touch a; sleep 100 &",
					      "exec /nonexistent", "kill -9 $$", "unshare -U true"};
	struct fixture f;
	struct answer a;
	int own = 0, inits = 0, groups = 0;
	long memory = 0;

	fixture_open(&f, NULL);
	ino_t network = network_of(&f);

	for (int i = 0; i < 200; i++) {
		fixture_run(&f, scripts[(size_t)i % ARRAY_LEN(scripts)], &a);
		cr_assert_str_eq(a.error, "");
		if (i != 20)
			continue;
		rest(&f);
		own = open_descriptors();
		inits = init_descriptors(&f);
		groups = folders_in(f.cell.cgroup.dirs[0]);
		memory = init_memory(&f);
	}
	rest(&f);
	cr_expect_eq(network_of(&f), network, "the namespace was replaced without need");
	cr_expect_eq(open_descriptors(), own);
	cr_expect_eq(init_descriptors(&f), inits);
	cr_expect_eq(folders_in(f.cell.cgroup.dirs[0]), groups);
	cr_expect_lt(init_memory(&f), memory + GROWTH_MAX, "init grew from %ld pages to %ld",
		     memory, init_memory(&f));
	fixture_close(&f);
}

/* Refused at every stage, over and over: no descriptor stays behind either. */
Test(cell, refusals_leave_nothing, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	int own = 0, inits = 0;

	fixture_open(&f, NULL);
	for (int i = 0; i < 20; i++) {
		Sandbox__Request rq = fixture_shell(argv, "true");

		rq.cwd = strdup("/missing");
		fixture_send(&f, &rq, "", &a);
		cr_expect_not_null(strstr(a.error, "cwd"), "%s", a.error);
		rq = fixture_shell(argv, "true");
		rq.attach = 1;
		fixture_send(&f, &rq, "", &a);
		cr_expect_not_null(strstr(a.error, "attach"), "%s", a.error);
		rq = fixture_shell(argv, "true");
		rq.policy = (char *)"../x";
		fixture_send(&f, &rq, "", &a);
		cr_expect_not_null(strstr(a.error, "policy"), "%s", a.error);
		fixture_paths(&f, SANDBOX__REQUEST__KIND__FETCH, "missing", &a);
		cr_expect_eq(a.error_number, ENOENT);
		fixture_put(&f, "a", 0644, "x", &a);
		fixture_put(&f, "a/b", 0644, "x", &a);
		cr_expect_neq(a.error[0], '\0');
		if (i == 0) {
			fixture_run(&f, "true", &a);
			rest(&f);
			own = open_descriptors();
			inits = init_descriptors(&f);
		}
	}
	fixture_run(&f, "ls", &a);
	cr_expect_str_eq(a.out, "", "half of the files of a PUT that failed: %s", a.out);
	fixture_run(&f, "true", &a);
	rest(&f);
	cr_expect_eq(open_descriptors(), own);
	cr_expect_eq(init_descriptors(&f), inits);
	fixture_close(&f);
}

Test(cell, usage_is_the_programs_own, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	keep_program(&f, "#include <stdlib.h>\n#include <string.h>\n#include <time.h>\n"
			 "int main(int n, char **v) { struct timespec t; (void)v;\n"
			 "if (n == 2) for (volatile char *m = malloc(50 << 20), *p = m; p < m + "
			 "(50 << 20); p += 4096) *p = 1;\n"
			 "if (n == 3) do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);\n"
			 "while (!t.tv_sec && t.tv_nsec < 300000000);\n"
			 "return 0; }\n");
	run(&f, "exec /program/probe", (struct limits){0}, &a);
	cr_expect_lt(a.memory_peak_bytes, 2 * MIB);
	cr_expect_lt(a.cpu_time_us, 100 * MS);
	cr_expect_geq(a.processes_peak, 1);
	run(&f, "exec /program/probe 50", (struct limits){0}, &a);
	cr_expect_geq(a.memory_peak_bytes, 50 * MIB);
	cr_expect_lt(a.memory_peak_bytes, 60 * MIB);
	run(&f, "exec /program/probe burn it", (struct limits){0}, &a);
	cr_expect_geq(a.cpu_time_us, 290 * MS);
	cr_expect_lt(a.cpu_time_us, 600 * MS);
	cr_expect_eq(a.user_time_us + a.system_time_us, a.cpu_time_us);
	cr_expect_geq(a.wall_time_us, 290 * MS);
	run(&f, "exec /program/probe", (struct limits){0}, &a);
	cr_expect_lt(a.memory_peak_bytes, 2 * MIB, "the run before is still counted");
	cr_expect_lt(a.cpu_time_us, 100 * MS);
	fixture_close(&f);
}

Test(cell, smallest_limits, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	run(&f, "exit 3", (struct limits){.memory = 4 * MIB, .processes = 1, .box = 4096}, &a);
	expect_status(a, EXITED);
	cr_expect_eq(a.exit_code, 3);
	run(&f, "while :; do :; done", (struct limits){.cpu_us = 1000}, &a);
	expect_status(a, CPU);
	run(&f, "sleep 5", (struct limits){.wall_us = 1000}, &a);
	expect_status(a, WALL);
	fixture_close(&f);
}

Test(cell, a_client_that_is_gone_ends_the_run, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	int ends[2];
	int64_t before;

	fixture_open(&f, NULL);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	f.cell.ties.client = ends[0];
	(void)close(ends[1]);
	before = io_monotonic_us();
	fixture_run(&f, "sleep 50", &a);
	cr_expect(a.broken);
	cr_expect_not_null(strstr(a.error, "the client went away"), "%s", a.error);
	cr_expect_lt(io_monotonic_us() - before, 20 * 1000000);
	(void)close(ends[0]);
	fixture_close(&f);
}

static int die(struct jail_program *p, struct err *e)
{
	(void)p;
	(void)raise(SIGKILL);
	return err_set(e, "still alive");
}

static int *shared; /* how often it was reached, by all children of init */

static int die_once(struct jail_program *p, struct err *e)
{
	if ((*shared)++ == 0)
		return die(p, e);
	for (size_t i = 0; i < jail_program_nsteps; i++)
		if (strcmp(jail_program_steps[i].name, "verify") == 0)
			return jail_program_steps[i].run(p, e);
	return err_set(e, "no such step");
}

static int die_before_exec(struct jail_program *p, struct err *e)
{
	if ((*shared)++ == 0) {
		(void)poll(NULL, 0, 100); /* until it has been seen in its cgroup */
		return die(p, e);
	}
	return jail_program_steps[jail_program_nsteps - 1].run(p, e);
}

static void replace_step(struct jail_program_step *steps, const char *name, jail_program_fn *fn)
{
	memcpy(steps, jail_program_steps, jail_program_nsteps * sizeof(*steps));
	for (size_t i = 0; i < jail_program_nsteps; i++)
		if (strcmp(steps[i].name, name) == 0)
			steps[i].run = fn;
}

Test(cell, death_in_the_jail_is_a_refusal, .timeout = 60)
{
	struct jail_program_step steps[32];
	struct jail_tables tables = {jail_cell_steps, jail_cell_nsteps, steps, jail_program_nsteps};
	struct fixture f;
	struct answer a;

	shared = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	replace_step(steps, "verify", die_once);
	fixture_open(&f, &tables);
	fixture_run(&f, "true", &a);
	cr_expect_not(a.broken);
	cr_expect_str_eq(a.error, "jail: killed during set-up");
	fixture_run(&f, "echo fine", &a);
	cr_expect_str_eq(a.out, "fine\n", "%s", a.error);
	fixture_close(&f);

	/* After it was ready and the request had come: the program never was. */
	*shared = 0;
	replace_step(steps, "exec", die_before_exec);
	fixture_open(&f, &tables);
	fixture_run(&f, "true", &a);
	cr_expect_not(a.broken);
	cr_expect_str_eq(a.error, "jail: killed during set-up");
	fixture_run(&f, "echo fine", &a);
	cr_expect_str_eq(a.out, "fine\n", "%s", a.error);
	fixture_close(&f);
}

static int leave_the_session_only(struct jail_program *p, struct err *e)
{
	(void)p;
	return setsid() < 0 ? err_sys(e, "setsid") : 0;
}

/* A keyring lives as long as somebody holds it; init would hold one for all runs of its cell. */
Test(cell, each_run_has_a_session_keyring_of_its_own, .timeout = 60)
{
	struct jail_program_step steps[32];
	struct jail_tables tables = {jail_cell_steps, jail_cell_nsteps, steps, jail_program_nsteps};
	struct fixture f;
	struct answer a;

	if (jail_session_keyring() < 0)
		cr_skip_test("needs keyrings");
	replace_step(steps, "session", leave_the_session_only);
	fixture_open(&f, &tables);
	fixture_run(&f, "true", &a);
	cr_expect_str_eq(a.error, "jail: verify: has the session keyring of init");
	fixture_close(&f);
}

/* A message is cut to fit; that must not break the frame it travels in. */
Test(cell, messages_are_utf8, .timeout = 60)
{
	static char path[2][600] = {"/x", "/xx"};
	struct fixture f;
	struct answer a;
	char *argv[3];

	fixture_open(&f, NULL);
	for (size_t i = 0; i < 2; i++) {
		while (strlen(path[i]) < 500)
			strncat(path[i], "\xc3\xa9", 3);
		Sandbox__Request rq = fixture_shell(argv, "");

		argv[0] = path[i];
		fixture_send(&f, &rq, "", &a);
		cr_expect_neq(a.exec_errno, 0);
		cr_expect_eq(wire_utf8_prefix((const uint8_t *)a.message, strlen(a.message)),
			     strlen(a.message));
		rq = fixture_shell(argv, "true");
		rq.cwd = strdup(path[i]);
		fixture_send(&f, &rq, "", &a);
		cr_expect_not(a.broken, "%s", a.error);
		cr_expect_neq(a.error_number, 0);
		cr_expect_eq(wire_utf8_prefix((const uint8_t *)a.error, strlen(a.error)),
			     strlen(a.error));
	}
	fixture_close(&f);
}

Test(cell, a_dead_init_is_noticed, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	cr_assert_eq(kill(f.cell.init_pid, SIGKILL), 0);
	fixture_run(&f, "true", &a);
	cr_expect(a.broken, "%s", a.error);
	fixture_close(&f);
}
