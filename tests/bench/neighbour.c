#include "tests/bench/neighbour.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "tests/bench/jailed.h"

/* Ends when the other end of sock is closed, which ends the run as a client's going away would. */
static _Noreturn void be_busy(int sock, const char *spin)
{
	static struct jailed j;
	char *const argv[] = {"/program/spin", "memory", "1", NULL};
	struct jailed_run what = {.argv = argv,
				  .policy = "native",
				  .cpu_time_us = 3600000000,
				  .wall_time_us = 3600000000,
				  .memory_bytes = 64 << 20};
	struct jailed_report r;
	struct err e = {0};

	cell_watch_first();
	int ready = jailed_open(&j, NULL, &e) == 0 && jailed_keep(&j, spin, &e) == 0;

	if (!ready)
		fprintf(stderr, "neighbour: %s\n", e.msg);
	if (send(sock, ready ? "y" : "n", 1, MSG_NOSIGNAL) == 1 && ready) {
		j.cell.ties.client = sock;
		(void)jailed_run(&j, &what, &r, &e);
	}
	jailed_close(&j);
	_exit(0);
}

int neighbour_open(struct neighbour *n, const char *spin, struct err *e)
{
	int pair[2];
	char word = 'n';

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	n->pid = fork();
	if (n->pid < 0)
		return err_sys(e, "fork");
	if (n->pid == 0) {
		(void)close(pair[0]);
		be_busy(pair[1], spin);
	}
	(void)close(pair[1]);
	n->sock = pair[0];
	if (recv(n->sock, &word, 1, 0) == 1 && word == 'y')
		return 0;
	neighbour_close(n);
	return err_set(e, "a busy cell could not be opened");
}

void neighbour_close(struct neighbour *n)
{
	if (n->pid <= 0)
		return;
	(void)close(n->sock);
	(void)waitpid(n->pid, NULL, 0);
	n->pid = 0;
}
