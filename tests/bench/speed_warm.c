#include "tests/bench/speed.h"

#include <stdio.h>
#include <stdlib.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "tests/bench/daemon.h"
#include "tests/bench/jailed.h"

struct warm {
	struct jailed jailed;
	struct daemon daemon;
	struct sandbox_client *client;
};

static int warm_open(struct warm *w, struct err *e)
{
	if (jailed_open(&w->jailed, NULL, e) < 0 || jailed_keep(&w->jailed, NOTHING, e) < 0)
		return -1;
	if (daemon_start(&w->daemon, DAEMON, 2, NULL, e) < 0)
		return -1;
	w->client = daemon_connect(w->daemon.program, e);
	return w->client ? speed_keep(w->client, NOTHING, e) : -1;
}

static int warm_close(struct warm *w, struct err *e)
{
	sandbox_client_close(w->client);
	jailed_close(&w->jailed);
	return daemon_stop(&w->daemon, e);
}

static int in_cell(struct warm *w, struct jailed_report *r, struct err *e)
{
	char *const argv[] = {"/program/nothing", NULL};
	struct jailed_run what = {.argv = argv, .policy = "native"};

	if (jailed_run(&w->jailed, &what, r, e) < 0)
		return -1;
	if (r->status != SANDBOX__STATUS__EXITED || r->exit_code != 0)
		return err_set(e, "in-process cell: status %d %s", r->status, r->text);
	return 0;
}

enum { ONE_BARE, ONE_CELL, ONE_SOCKET, KINDS };

static void shuffle(int *order, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)random() % i;
		int kept = order[i - 1];

		order[i - 1] = order[j];
		order[j] = kept;
	}
}

static void note_beside(struct row *r, struct row *bare)
{
	snprintf(r->note, sizeof(r->note), "%.2fx the bare runs in between",
		 series_percentile(&r->runs, 50) / series_percentile(&bare->runs, 50));
}

static int warm_rounds(struct bench *b, struct warm *w, struct err *e)
{
	struct row *bare = table_row(&b->table, "bare_between",
				     "bare fork+exec+wait between the others, random order");
	struct row *cell = speed_jail_row(
		b, "cell", "warm cell, in process: request to report, random order", 1.3);
	struct row *ready = speed_jail_row(b, "cell_ready",
					   "warm cell, in process: until the next may come", 0);
	struct row *sock = speed_jail_row(
		b, "socket", "warm cell of sandboxd, through its socket, random order", 1.3);
	struct jailed_report r;
	int order[KINDS] = {ONE_BARE, ONE_CELL, ONE_SOCKET};
	double ms;

	bare->baseline = b->floor_ms;
	for (unsigned i = 0; i < b->plan.runs; i++) {
		shuffle(order, KINDS);
		for (size_t k = 0; k < KINDS; k++) {
			if (order[k] == ONE_BARE) {
				if (bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0)
					return -1;
				series_add(&bare->runs, ms);
			} else if (order[k] == ONE_CELL) {
				if (in_cell(w, &r, e) < 0)
					return -1;
				series_add(&cell->runs, r.reply_ms);
				series_add(&ready->runs, r.ready_ms);
			} else {
				if (speed_run(w->client, "/program/nothing", -1, NULL, &ms, e) < 0)
					return -1;
				series_add(&sock->runs, ms);
			}
		}
	}
	note_beside(cell, bare);
	note_beside(sock, bare);
	return 0;
}

static int warm_stream(struct bench *b, struct warm *w, struct err *e)
{
	struct row *r = speed_jail_row(b, "socket_stream",
				       "sandboxd's socket, one run right after the other", 0);
	double ms;

	for (unsigned i = 0; i < b->plan.runs; i++) {
		if (speed_run(w->client, "/program/nothing", -1, NULL, &ms, e) < 0)
			return -1;
		series_add(&r->runs, ms);
	}
	return 0;
}

/* As a judge asks that looks at each answer first: what follows a reply is over when the next run comes. */
static int warm_paced(struct bench *b, struct warm *w, struct err *e)
{
	struct row *bare = table_row(&b->table, "bare_paced",
				     "bare fork+exec+wait, each after a pause of 2 ms");
	struct row *sock = speed_jail_row(b, "socket_paced",
					  "sandboxd's socket, each after a pause of 2 ms", 1.3);
	int order[] = {ONE_BARE, ONE_SOCKET};
	double ms;

	bare->baseline = b->floor_ms;
	for (unsigned i = 0; i < b->plan.runs; i++) {
		shuffle(order, ARRAY_LEN(order));
		for (size_t k = 0; k < ARRAY_LEN(order); k++) {
			int is_bare = order[k] == ONE_BARE;

			speed_pause_ms(2);
			if (is_bare ? bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0
				    : speed_run(w->client, "/program/nothing", -1, NULL, &ms, e) <
					      0)
				return -1;
			series_add(is_bare ? &bare->runs : &sock->runs, ms);
		}
	}
	note_beside(sock, bare);
	return 0;
}

int speed_warm(struct bench *b, struct err *e)
{
	struct warm w = {0};
	struct err closing;

	speed_progress("warm cells");
	int status = warm_open(&w, e);

	if (status == 0)
		status = warm_rounds(b, &w, e);
	if (status == 0)
		status = warm_paced(b, &w, e);
	if (status == 0)
		status = warm_stream(b, &w, e);
	if (warm_close(&w, status == 0 ? e : &closing) < 0)
		status = -1;
	return status;
}
