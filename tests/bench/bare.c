#include "tests/bench/bare.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

struct order {
	enum bare_how how;
	size_t which;
	unsigned times;
};

struct done {
	int failed;
	double ms;
	struct err err;
};

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int reap(pid_t pid, const char *path, struct err *e)
{
	int status;

	if (pid < 0)
		return err_sys(e, "fork");
	if (waitpid(pid, &status, 0) != pid)
		return err_sys(e, "wait");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, "%s ended with status 0x%x", path, (unsigned)status);
}

static int by_fork(const char *const *argv, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return reap(pid, argv[0], e);
}

static int by_vfork(const char *const *argv, struct err *e)
{
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	return reap(pid, argv[0], e);
}

static int with_pipes(const char *const *argv, struct err *e)
{
	int in[2];
	int out[2];
	char text[64];
	size_t got = 0;
	ssize_t n;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid_t pid = fork();

	if (pid == 0) {
		if (dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1)
			(void)execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	n = write(in[1], BARE_INPUT, strlen(BARE_INPUT));
	(void)close(in[1]);
	while (n > 0 && got < sizeof(text) &&
	       (n = read(out[0], text + got, sizeof(text) - got)) > 0)
		got += (size_t)n;
	(void)close(out[0]);
	if (reap(pid, argv[0], e) < 0)
		return -1;
	if (got != strlen(BARE_ANSWER) || memcmp(text, BARE_ANSWER, got) != 0)
		return err_set(e, "%s gave the wrong answer", argv[0]);
	return 0;
}

static void obey(const struct order *o, const char *const *argv, struct done *d)
{
	int (*const how[])(const char *const *, struct err *) = {by_fork, by_vfork, with_pipes};
	double start = now_ms();

	for (unsigned i = 0; i < o->times && !d->failed; i++)
		d->failed = how[o->how](argv, &d->err) < 0;
	d->ms = now_ms() - start;
}

static _Noreturn void serve(int sock, const char *const *const *commands)
{
	struct order o;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	while (recv(sock, &o, sizeof(o), 0) == (ssize_t)sizeof(o)) {
		struct done d = {0};

		obey(&o, commands[o.which], &d);
		if (send(sock, &d, sizeof(d), MSG_NOSIGNAL) != (ssize_t)sizeof(d))
			break;
	}
	_exit(0);
}

int bare_open(struct bare *b, const char *const *const *commands, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	b->pid = fork();
	if (b->pid < 0)
		return err_sys(e, "fork");
	if (b->pid == 0) {
		(void)close(pair[0]);
		serve(pair[1], commands);
	}
	(void)close(pair[1]);
	b->sock = pair[0];
	return 0;
}

void bare_close(struct bare *b)
{
	if (b->pid <= 0)
		return;
	(void)close(b->sock);
	(void)waitpid(b->pid, NULL, 0);
	b->pid = 0;
}

int bare_run(struct bare *b, enum bare_how how, size_t which, unsigned times, double *ms,
	     struct err *e)
{
	struct order o = {how, which, times};
	struct done d;

	if (send(b->sock, &o, sizeof(o), MSG_NOSIGNAL) != (ssize_t)sizeof(o) ||
	    recv(b->sock, &d, sizeof(d), 0) != (ssize_t)sizeof(d))
		return err_set(e, "the process that measures the baseline is gone");
	if (d.failed) {
		*e = d.err;
		return -1;
	}
	*ms = d.ms;
	return 0;
}
