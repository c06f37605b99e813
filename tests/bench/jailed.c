#include "tests/bench/jailed.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static char *const environment[] = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C"};

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int jailed_open(struct jailed *j, const struct jail_tables *tables, struct err *e)
{
	struct cell_options o = {
		.name = "bench", .rules = &j->rules, .cgroups = &j->cgroups, .tables = tables};
	struct err ignored;

	j->open = 0;
	if (setgroups(0, NULL) < 0)
		return err_sys(e, "setgroups: run this as root");
	if (rules_load(&j->rules, "rules", e) < 0)
		return -1;
	if (cgroup_host_open(&j->cgroups, e) < 0) {
		rules_release(&j->rules);
		return -1;
	}
	if (cell_open(&j->cell, &o, e) < 0) {
		(void)cgroup_host_close(&j->cgroups, &ignored);
		rules_release(&j->rules);
		return -1;
	}
	j->open = 1;
	return 0;
}

void jailed_close(struct jailed *j)
{
	struct err e;

	if (!j->open)
		return;
	cell_close(&j->cell);
	if (cgroup_host_close(&j->cgroups, &e) < 0)
		fprintf(stderr, "bench: %s\n", e.msg);
	rules_release(&j->rules);
	j->open = 0;
}

struct waiting {
	struct jailed_report *report;
	double start;
};

static int on_reply(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	struct waiting *w = arg;

	(void)fds;
	(void)nfds;
	(void)e;
	w->report->reply_ms = now_ms() - w->start;
	w->report->status = (int)r->status;
	w->report->exit_code = r->exit_code;
	w->report->cpu_time_us = r->cpu_time_us;
	w->report->wall_time_us = r->wall_time_us;
	w->report->memory_peak_bytes = r->memory_peak_bytes;
	w->report->file_bytes = r->file_bytes;
	snprintf(w->report->text, sizeof(w->report->text), "%s",
		 r->error[0] ? r->error : r->message);
	return r->error[0] ? 1 : 0;
}

static int ask(struct jailed *j, Sandbox__Request *rq, const int *fds, size_t nfds,
	       struct jailed_report *r, struct err *e)
{
	struct waiting w = {r, now_ms()};

	*r = (struct jailed_report){0};
	/* What spec_check() would put there in heap memory. */
	rq->root = (char *)"default";
	rq->network = (char *)"none";
	rq->cwd = (char *)"/box";
	if (cell_request(&j->cell, rq, fds, nfds, on_reply, &w, e) < 0)
		return -1;
	r->ready_ms = now_ms() - w.start;
	return 0;
}

int jailed_keep(struct jailed *j, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *name = (char *)(slash ? slash + 1 : path);
	uint32_t mode = 0555;
	Sandbox__Request put = SANDBOX__REQUEST__INIT;
	Sandbox__Request keep = SANDBOX__REQUEST__INIT;
	struct jailed_report r;
	AUTO_FREE char *data = NULL;
	size_t len;

	if (io_read_file(path, 64 << 20, &data, &len, e) < 0)
		return -1;
	AUTO_CLOSE int fd = io_memfd_of(data, len, e);

	put.kind = SANDBOX__REQUEST__KIND__PUT;
	put.names = &name;
	put.modes = &mode;
	put.n_names = put.n_modes = 1;
	keep.kind = SANDBOX__REQUEST__KIND__KEEP;
	if (fd < 0 || ask(j, &put, &fd, 1, &r, e) < 0)
		return -1;
	if (r.text[0])
		return err_set(e, "put %s: %s", path, r.text);
	if (ask(j, &keep, NULL, 0, &r, e) < 0)
		return -1;
	return r.text[0] ? err_set(e, "keep %s: %s", path, r.text) : 0;
}

int jailed_run(struct jailed *j, const struct jailed_run *what, struct jailed_report *r,
	       struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	AUTO_CLOSE int in = io_memfd_of("", 0, e);

	if (in < 0)
		return -1;
	rq.kind = SANDBOX__REQUEST__KIND__RUN;
	rq.policy = (char *)what->policy;
	rq.argv = (char **)what->argv;
	while (what->argv[rq.n_argv])
		rq.n_argv++;
	rq.env = (char **)environment;
	rq.n_env = ARRAY_LEN(environment);
	rq.cpu_time_us = what->cpu_time_us;
	rq.wall_time_us = what->wall_time_us;
	rq.memory_bytes = what->memory_bytes;
	rq.processes = what->processes;
	rq.cpu_milli = what->cpu_milli;
	rq.pin_cpu = what->pin_cpu;
	if (ask(j, &rq, &in, 1, r, e) < 0)
		return -1;
	return r->status == 0 ? err_set(e, "%s: %s", what->argv[0], r->text) : 0;
}

int jailed_refuses_without(const char *step, char *why, size_t size, struct err *e)
{
	struct jail_program_step rows[64];
	struct jail_tables t = {jail_cell_steps, jail_cell_nsteps, rows, 0};
	char *const argv[] = {"/bin/true", NULL};
	struct jailed_run what = {.argv = argv, .policy = "native"};
	struct jailed_report r = {0};
	struct jailed j;

	for (size_t i = 0; i < jail_program_nsteps && t.nprogram < ARRAY_LEN(rows); i++)
		if (strcmp(jail_program_steps[i].name, step) != 0)
			rows[t.nprogram++] = jail_program_steps[i];
	if (t.nprogram != jail_program_nsteps - 1)
		return err_set(e, "the jail has no step %s", step);
	if (jailed_open(&j, &t, e) < 0)
		return -1;
	int ran = jailed_run(&j, &what, &r, e) == 0;

	jailed_close(&j);
	if (ran)
		return err_set(e, "a program ran although the jail left out the step %s", step);
	if (!strstr(e->msg, "verify"))
		return err_wrap(e, "the jail without %s was refused, but not by verify", step);
	snprintf(why, size, "%s", e->msg);
	return 0;
}
