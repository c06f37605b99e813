#include "tests/bench/speed.h"

#include <stdio.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "tests/bench/daemon.h"
#include "tests/bench/peers.h"

#define CELLS 16

static const struct peer {
	size_t command;
	const char *path, *name, *what;
} peers[] = {
	{RUN_BWRAP, PEER_BWRAP, "bwrap", "bwrap --unshare-all --ro-bind / /, whole process"},
	{RUN_ISOLATE, PEER_ISOLATE, "isolate", "isolate --run (box made before), whole process"},
	{RUN_NSJAIL, PEER_NSJAIL, "nsjail", "nsjail -Mo --chroot /, whole process"},
	{RUN_RUNC, PEER_RUNC, "runc", "runc run of a bundle, whole process"},
};

int speed_cold(struct bench *b, struct err *e)
{
	struct row *own = table_row(&b->table, "sandbox_run", "sandbox run, cold, whole process");
	struct row *rows[ARRAY_LEN(peers)];
	double ms;

	speed_progress("cold, beside other sandboxes");
	own->verify = "on";
	own->target = 2.0;
	for (size_t k = 0; k < ARRAY_LEN(peers); k++) {
		rows[k] = table_row(&b->table, peers[k].name, peers[k].what);
		if (access(peers[k].path, X_OK) < 0)
			snprintf(rows[k]->note, sizeof(rows[k]->note), "not installed");
	}
	for (unsigned i = 0; i < b->plan.cold_runs; i++) {
		if (bare_run(&b->bare, BARE_FORK, RUN_SANDBOX, 1, &ms, e) < 0)
			return -1;
		series_add(&own->runs, ms);
		for (size_t k = 0; k < ARRAY_LEN(peers); k++) {
			struct err peer;

			if (rows[k]->note[0])
				continue;
			if (bare_run(&b->bare, BARE_FORK, peers[k].command, 1, &ms, &peer) < 0)
				snprintf(rows[k]->note, sizeof(rows[k]->note), "%s", peer.msg);
			else
				series_add(&rows[k]->runs, ms);
		}
	}
	return 0;
}

struct sixteen {
	struct row *start, *fresh, *used;
};

static int welcome_all(const struct daemon *d, struct sandbox_client **c, struct err *e)
{
	for (unsigned i = 0; i < CELLS; i++)
		if (!(c[i] = daemon_connect(i < CELLS - 1 ? d->program : d->jury, e)))
			return -1;
	return 0;
}

/* Once what was begun is over. */
static int add_memory(const struct daemon *d, struct row *r, struct err *e)
{
	double bytes = 0;
	unsigned processes = 0;

	speed_pause_ms(300);
	if (daemon_pss(d->pid, &bytes, &processes, e) < 0)
		return -1;
	series_add(&r->runs, bytes / (1 << 20));
	snprintf(r->note, sizeof(r->note), "%u processes", processes);
	return 0;
}

static int one_life(const struct daemon *d, struct sandbox_client **c, double began,
		    struct sixteen *s, struct err *e)
{
	double ms;

	if (welcome_all(d, c, e) < 0)
		return -1;
	series_add(&s->start->runs, speed_now_ms() - began);
	if (add_memory(d, s->fresh, e) < 0)
		return -1;
	for (unsigned i = 0; i < CELLS - 1; i++)
		if (speed_keep(c[i], NOTHING, e) < 0 ||
		    speed_run(c[i], "/program/nothing", -1, NULL, &ms, e) < 0)
			return -1;
	return add_memory(d, s->used, e);
}

static int one_start(struct sixteen *s, struct err *e)
{
	struct daemon d = {0};
	struct sandbox_client *c[CELLS] = {0};
	struct err closing;
	double began = speed_now_ms();
	int status = daemon_start(&d, DAEMON, CELLS, NULL, e);

	if (status == 0)
		status = one_life(&d, c, began, s, e);
	for (unsigned i = 0; i < CELLS; i++)
		sandbox_client_close(c[i]);
	if (daemon_stop(&d, status == 0 ? e : &closing) < 0)
		status = -1;
	return status;
}

static struct row *memory_row(struct bench *b, const char *name, const char *what)
{
	struct row *r = table_row(&b->table, name, what);

	r->verify = "on";
	r->unit = "MiB";
	r->target = 16;
	return r;
}

int speed_sixteen(struct bench *b, struct err *e)
{
	struct sixteen s = {
		table_row(&b->table, "start16",
			  "start of sandboxd with 16 cells, to the welcome of all"),
		memory_row(b, "memory16",
			   "memory of sandboxd, 16 cells idle from the start (PSS of all)"),
		memory_row(b, "memory16_used",
			   "memory of sandboxd, 16 cells idle after a run (PSS of all)"),
	};

	speed_progress("sixteen cells");
	s.start->verify = "on";
	s.start->target = 200;
	for (unsigned i = 0; i < b->plan.starts; i++)
		if (one_start(&s, e) < 0)
			return -1;
	return 0;
}
