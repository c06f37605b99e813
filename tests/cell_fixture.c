#include "tests/cell_fixture.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/rights.h"

static char *environment[] = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C"};

static struct err why_not; /* a plain user could not have the rights */

/*
 * A plain user has to take them while the process has one thread: Criterion's process of a test, which is known by this variable,
 * gets a second one before the test begins.
 */
__attribute__((constructor)) static void take_rights(void)
{
	if (geteuid() != 0 && getenv("GAVEL_ROOTLESS") && getenv("BXFI_MAP"))
		(void)rights_obtain(0, 0, &why_not);
}

void fixture_rights(void)
{
	struct err e = {0};

	if (geteuid() != 0 && !getenv("GAVEL_ROOTLESS"))
		cr_skip_test("needs root");
	cr_assert_eq(geteuid(), 0, "%s", why_not.msg);
	cr_assert_eq(rights_obtain(0, 0, &e), 0, "%s", e.msg);
}

int fixture_try(struct fixture *f, const struct jail_tables *tables, struct err *e)
{
	struct cell_options o = {
		.name = "test", .rules = &f->rules, .cgroups = &f->cgroups, .tables = tables};
	struct err ignored = {0};

	f->open = 0;
	fixture_rights();
	cr_assert_eq(rules_load(&f->rules, "rules", e), 0, "%s", e->msg);
	cr_assert_eq(cgroup_host_open(&f->cgroups, e), 0, "%s", e->msg);
	if (cell_open(&f->cell, &o, e) < 0) {
		cr_expect_eq(cgroup_host_close(&f->cgroups, &ignored), 0);
		rules_release(&f->rules);
		return -1;
	}
	f->open = 1;
	return 0;
}

void fixture_open(struct fixture *f, const struct jail_tables *tables)
{
	struct err e = {0};

	cr_assert_eq(fixture_try(f, tables, &e), 0, "%s", e.msg);
}

void fixture_close(struct fixture *f)
{
	struct err e = {0};

	if (!f->open)
		return;
	cell_close(&f->cell);
	cr_expect_eq(cgroup_host_close(&f->cgroups, &e), 0, "%s", e.msg);
	rules_release(&f->rules);
	f->open = 0;
}

static void read_text(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[n < 0 ? 0 : n] = '\0';
}

static void take_files(struct answer *a, const Sandbox__Reply *r, const int *fds)
{
	for (size_t i = 0; i < r->n_names && a->nfiles < ARRAY_LEN(a->names); i++, a->nfiles++) {
		snprintf(a->names[a->nfiles], sizeof(a->names[0]), "%s", r->names[i]);
		read_text(fds[i], a->contents[a->nfiles], sizeof(a->contents[0]));
	}
}

static int keep(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	struct answer *a = arg;

	(void)e;
	a->replies++;
	a->error_number = r->error_number;
	a->user_time_us = r->user_time_us;
	a->system_time_us = r->system_time_us;
	a->status = (int)r->status;
	a->exit_code = r->exit_code;
	a->signal = r->signal;
	a->exec_errno = r->exec_errno;
	a->cpu_time_us = r->cpu_time_us;
	a->wall_time_us = r->wall_time_us;
	a->memory_peak_bytes = r->memory_peak_bytes;
	a->output_bytes = r->output_bytes;
	a->processes_peak = r->processes_peak;
	snprintf(a->error, sizeof(a->error), "%s", r->error);
	snprintf(a->syscall, sizeof(a->syscall), "%s", r->syscall);
	snprintf(a->message, sizeof(a->message), "%s", r->message);
	a->fetched += r->n_names;
	if (r->n_names > 0) {
		take_files(a, r, fds);
		return 0;
	}
	if (nfds > 0)
		read_text(fds[0], a->out, sizeof(a->out));
	if (nfds > 1)
		read_text(fds[1], a->err_text, sizeof(a->err_text));
	return 0;
}

Sandbox__Request fixture_shell(char **argv, const char *script)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;

	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)script;
	rq.kind = SANDBOX__REQUEST__KIND__RUN;
	rq.policy = (char *)"compiler";
	rq.argv = argv;
	rq.n_argv = 3;
	rq.env = environment;
	rq.n_env = ARRAY_LEN(environment);
	rq.wall_time_us =
		60000000; /* the machine may be busy; what is tested is not the wall clock */
	return rq;
}

void fixture_send_fds(struct fixture *f, Sandbox__Request *rq, const int *fds, size_t nfds,
		      struct answer *a)
{
	struct err e = {0};

	*a = (struct answer){0};
	a->broken = cell_request(&f->cell, rq, fds, nfds, keep, a, &e) < 0;
	if (a->broken)
		snprintf(a->error, sizeof(a->error), "broken: %s", e.msg);
	if (rq->root != protobuf_c_empty_string)
		free(rq->root);
	if (rq->network != protobuf_c_empty_string)
		free(rq->network);
	if (rq->cwd != protobuf_c_empty_string)
		free(rq->cwd);
}

void fixture_send(struct fixture *f, Sandbox__Request *rq, const char *input, struct answer *a)
{
	struct err e = {0};
	AUTO_CLOSE int in = io_memfd_of(input, strlen(input), &e);

	cr_assert_geq(in, 0, "%s", e.msg);
	fixture_send_fds(f, rq, &in, 1, a);
}

void fixture_run(struct fixture *f, const char *script, struct answer *a)
{
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, script);

	fixture_send(f, &rq, "", a);
}

void fixture_put(struct fixture *f, const char *name, unsigned mode, const char *text,
		 struct answer *a)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	struct err e = {0};
	uint32_t modes[] = {mode};
	char *names[] = {(char *)name};
	AUTO_CLOSE int fd = io_memfd_of(text, strlen(text), &e);

	rq.kind = SANDBOX__REQUEST__KIND__PUT;
	rq.names = names;
	rq.modes = modes;
	rq.n_names = rq.n_modes = 1;
	fixture_send_fds(f, &rq, &fd, name[0] && name[strlen(name) - 1] == '/' ? 0 : 1, a);
}

void fixture_paths(struct fixture *f, Sandbox__Request__Kind kind, const char *path,
		   struct answer *a)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	char *paths[] = {(char *)path};

	rq.kind = kind;
	rq.paths = paths;
	rq.n_paths = path ? 1 : 0;
	rq.fetch_bytes = 1 << 20;
	fixture_send_fds(f, &rq, NULL, 0, a);
}
