#include "sandbox/selftest_warm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cell.h"
#include "sandbox/copy.h"
#include "sandbox/options.h"
#include "sandbox/report.h"
#include "sandbox/request.h"
#include "sandbox/rights.h"
#include "sandbox/rules.h"
#include "sandbox/setting.h"

#define PROGRAM_MAX (64ULL << 20)

static struct rules rules;

struct warm {
	struct cell cell;
	const struct options *line; /* of the run on its way */
	const char *input;
};

static int hang_up = -1; /* shutting it down ends the run, as a client's going away would */

static void on_end(int sig)
{
	int num = errno;

	(void)sig;
	(void)shutdown(hang_up, SHUT_RDWR);
	errno = num;
}

/* The end that a run watches: SIGTERM ends it, and the cell is put away as always. */
static int watched(struct err *e)
{
	struct sigaction end = {.sa_handler = on_end};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	hang_up = pair[1];
	(void)sigaction(SIGTERM, &end, NULL);
	return pair[0];
}

/* As judged does with what a compiler made. */
static int keep_program(struct warm *w, struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;

	if (request_copy_in(&w->cell, w->line, PROGRAM_MAX, e) < 0)
		return -1;
	rq.kind = SANDBOX__REQUEST__KIND__KEEP;
	return request_do(&w->cell, &rq, NULL, 0, e);
}

static int create(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

static int on_report(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	const struct options *o = ((const struct warm *)arg)->line;
	AUTO_CLOSE int out = create(o->stdout_path, e);
	AUTO_CLOSE int err_out = out < 0 ? -1 : create(o->stderr_path, e);
	AUTO_CLOSE int report = err_out < 0 ? -1 : create(o->report, e);

	if (report < 0)
		return -1;
	if (nfds == 2 && (copy_bytes(fds[0], out, e) < 0 || copy_bytes(fds[1], err_out, e) < 0))
		return -1;
	return report_write(report, r, e);
}

/* "./name" has become "/program/name". */
static int run_line(struct warm *w, struct err *e)
{
	const struct options *o = w->line;
	Sandbox__Request rq = request_run(o);
	const char *name = strrchr(o->copy_in.at[0].from, '/') + 1; /* ours are absolute */
	AUTO_FREE char *program = NULL;
	AUTO_FREE char **argv = calloc(o->argc + 1, sizeof(*argv));
	AUTO_CLOSE int input = io_memfd_of(w->input, strlen(w->input), e);

	if (input < 0)
		return -1;
	if (!argv || asprintf(&program, "/program/%s", name) < 0)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < o->argc; i++)
		argv[i] = strstr(o->argv[i], name) ? program : o->argv[i];
	rq.argv = argv;
	rq.n_argv = o->argc;
	rq.env = (char **)o->env;
	rq.n_env = o->nenv;
	rq.cwd = (char *)"/box";
	return request_send(&w->cell, &rq, &input, 1, on_report, w, e);
}

/* All that a cell does while nobody asks for anything. */
static int rest(struct cell *c, struct err *e)
{
	int more = 1;

	while (more > 0)
		more = cell_rest(c, e);
	return more;
}

static int in_cell(struct warm *w, const struct options *lines, size_t n, struct err *e)
{
	if (keep_program(w, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->line = &lines[i];
		if (rest(&w->cell, e) < 0 || run_line(w, e) < 0)
			return -1;
	}
	return 0;
}

int warm_run(const struct options *lines, size_t n, const char *input, struct err *e)
{
	static struct warm w;
	struct cgroup_host cgroups = {0};
	struct cell_options co = {.name = "selftest", .rules = &rules, .cgroups = &cgroups};
	struct err late;
	int client = watched(e);
	int status;

	w.line = lines;
	w.input = input;
	if (client < 0 || rights_obtain(0, 0, e) < 0 || setting_load(lines, &rules, e) < 0 ||
	    cgroup_host_open(&cgroups, e) < 0)
		return -1;
	cell_watch_first();
	status = cell_open(&w.cell, &co, e);
	if (status == 0) {
		w.cell.ties = (struct run_ties){-1, -1, client};
		status = in_cell(&w, lines, n, e);
		cell_close(&w.cell);
	}
	if (cgroup_host_close(&cgroups, &late) < 0 && status == 0) {
		*e = late;
		status = -1;
	}
	return status;
}
