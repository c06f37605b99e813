/*
 * sandbox - runs one program in one cell, without a server; see sandbox(1).
 *
 * The same code as a keeper of sandboxd, with a command line instead of a socket: options become the requests of
 * sandbox.proto, and what is refused there is refused here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "proto/version.h"
#include "sandbox/box.h"
#include "sandbox/cell.h"
#include "sandbox/copy.h"
#include "sandbox/doctor.h"
#include "sandbox/inspect.h"
#include "sandbox/oci.h"
#include "sandbox/options.h"
#include "sandbox/ps.h"
#include "sandbox/report.h"
#include "sandbox/request.h"
#include "sandbox/rights.h"
#include "sandbox/rules.h"
#include "sandbox/selftest.h"
#include "sandbox/setting.h"
#include "sandbox/streams.h"

static volatile sig_atomic_t caught; /* the signal that ends us */
static int hang_up = -1; /* shutting it down ends the run, as a client's going away would */

struct session {
	const struct options *o;
	struct streams streams;
	struct cell cell;
	struct cgroup_host cgroups;
	Sandbox__Reply reply; /* of the run; its texts are those below */
	char message[512], syscall[64];
	const struct options_pair *fetching;
	size_t fetched;
	struct err why; /* the sandbox failed */
	int trouble;    /* something of what the run left could not be delivered */
};

static struct rules rules;

static void on_signal(int sig)
{
	int num = errno;

	caught = sig;
	(void)shutdown(hang_up, SHUT_RDWR);
	errno = num;
}

/* Pair of sockets: the run watches one, on_signal() shuts the other down. */
static int catch_signals(int *watched, struct err *e)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction end = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	*watched = pair[0];
	hang_up = pair[1];
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		(void)sigaction(ends[i], &end, NULL);
	(void)sigaction(SIGPIPE, &ignore,
			NULL); /* a reader that goes away ends its output, not us */
	return 0;
}

/* Nothing that our caller left open may reach the cell, and 0, 1, 2 must not become something of ours. */
static int tidy_descriptors(struct err *e)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd < 0)
		return err_sys(e, "open /dev/null");
	(void)close_range(3, ~0U, 0);
	return 0;
}

static uint64_t box_bytes(const struct options *o)
{
	return o->box_bytes ? o->box_bytes : BOX_DEFAULT;
}

/* What the program did stands; but it must not look as if all went well. */
static void complain(struct session *s, const struct err *e)
{
	fprintf(stderr, "sandbox: %s\n", e->msg);
	s->trouble = 1;
}

/* Keeps the report, and delivers the output while its descriptors are there. */
static int on_report(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	struct session *s = arg;
	struct err late;

	if (r->error[0])
		return err_set(e, "%s", r->error);
	s->reply = *r;
	snprintf(s->message, sizeof(s->message), "%s", r->message);
	snprintf(s->syscall, sizeof(s->syscall), "%s", r->syscall);
	s->reply.message = s->message;
	s->reply.syscall = s->syscall;
	s->reply.error = (char *)"";
	if (streams_deliver(&s->streams, fds, nfds, &late) < 0)
		complain(s, &late);
	return 0;
}

static int same_name(const char *a, const char *b)
{
	return strncmp(a, b, strcspn(b, "=") + 1) == 0;
}

static int is_given(const struct options *o, const char *variable)
{
	for (size_t i = 0; i < o->nenv; i++)
		if (same_name(o->env[i], variable))
			return 1;
	return 0;
}

static int is_in_image(const struct root *root, const char *variable)
{
	for (size_t at = 0; at < root->env_len; at += strlen(root->env + at) + 1)
		if (same_name(root->env + at, variable))
			return 1;
	return 0;
}

/* The given environment; what the image of the root says where it does not, and PATH and HOME where neither does. */
static size_t environment(const struct options *o, char **env)
{
	static char *const standard[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/box"};
	const struct root *root = rules_root(&rules, "default");
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (!is_given(o, standard[i]) && !is_in_image(root, standard[i]))
			env[n++] = standard[i];
	for (size_t at = 0; at < root->env_len; at += strlen(root->env + at) + 1)
		if (!is_given(o, root->env + at))
			env[n++] = root->env + at;
	for (size_t i = 0; i < o->nenv; i++)
		env[n++] = o->env[i];
	return n;
}

static int run(struct session *s, struct err *e)
{
	const struct options *o = s->o;
	Sandbox__Request rq = request_run(o);
	char *env[OPTIONS_ENV_MAX + OCI_ENV_MAX + 2];
	char cwd[PATH_MAX] = "/box";

	if (o->chdir)
		snprintf(cwd, sizeof(cwd), "%s%s", *o->chdir == '/' ? "" : "/box/", o->chdir);
	rq.argv = o->argv;
	rq.n_argv = o->argc;
	rq.env = env;
	rq.n_env = environment(o, env);
	rq.cwd = cwd;
	rq.stdin_pipe = s->streams.input_is_pipe;
	return request_send(&s->cell, &rq, &s->streams.input, 1, on_report, s, e);
}

static int on_files(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	struct session *s = arg;

	if (r->error[0])
		return err_set(e, "%s", r->error);
	if (r->n_names != nfds || r->n_modes != nfds)
		return err_set(e, "the cell sent %zu names for %zu files", r->n_names, nfds);
	for (size_t i = 0; i < nfds; i++)
		if (copy_out(s->fetching->from, s->fetching->to, r->names[i], r->modes[i], fds[i],
			     e) < 0)
			return -1;
	s->fetched += nfds;
	return 0;
}

static int fetch(struct session *s, const struct options_pair *pair, struct err *e)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	char *path = (char *)pair->from;

	s->fetching = pair;
	s->fetched = 0;
	rq.kind = SANDBOX__REQUEST__KIND__FETCH;
	rq.paths = &path;
	rq.n_paths = strcmp(path, ".") != 0; /* none: everything */
	rq.fetch_bytes = box_bytes(s->o);
	if (request_send(&s->cell, &rq, NULL, 0, on_files, s, e) < 0)
		return -1;
	return s->fetched > 0 ? 0 : err_set(e, "%s: there is no such file", path);
}

/* After the run, whatever became of it: one copy that fails does not stop the others. */
static void copy_all_out(struct session *s)
{
	for (size_t i = 0; i < s->o->copy_out.n; i++) {
		struct err e;

		if (fetch(s, &s->o->copy_out.at[i], &e) == 0)
			continue;
		err_wrap(&e, "--copy-out");
		complain(s, &e);
	}
}

static int in_cell(struct session *s, struct err *e)
{
	if (request_copy_in(&s->cell, s->o, box_bytes(s->o), e) < 0 ||
	    streams_start(&s->streams, e) < 0 || run(s, e) < 0)
		return -1;
	copy_all_out(s);
	return 0;
}

static int with_cgroups(struct session *s, int watched, struct err *e)
{
	struct cell_options co = {
		.name = "sandbox", .once = 1, .rules = &rules, .cgroups = &s->cgroups};
	struct err late;
	int status;

	if (cgroup_host_open(&s->cgroups, e) < 0)
		return -1;
	cell_watch_first();
	status = cell_open(&s->cell, &co, e);
	if (status == 0) {
		s->cell.ties =
			(struct run_ties){s->streams.stdout_sink, s->streams.stderr_sink, watched};
		status = in_cell(s, e);
		cell_close(&s->cell);
	}
	streams_stop(&s->streams); /* before the cgroups: on v2 it is in them */
	if (cgroup_host_close(&s->cgroups, &late) < 0)
		fprintf(stderr, "sandbox: %s\n", late.msg);
	return status;
}

static int session(struct session *s, struct err *e)
{
	int watched = -1;
	int status;

	if (rights_obtain(0, 0, e) < 0)
		return -1;
	if (catch_signals(&watched, e) < 0 || setting_load(s->o, &rules, e) < 0 ||
	    streams_open(&s->streams, s->o, e) < 0)
		return -1;
	status = with_cgroups(s, watched, e);
	streams_close(&s->streams);
	return status;
}

/* What a person at a terminal wants to know when the exit status alone leaves it open. */
static void explain(const Sandbox__Reply *r)
{
	static const char *const limits[] = {
		[SANDBOX__STATUS__CPU_TIME_LIMIT] = "used more CPU time than --time allows",
		[SANDBOX__STATUS__WALL_TIME_LIMIT] = "took longer than --wall allows",
		[SANDBOX__STATUS__MEMORY_LIMIT] = "needed more memory than --memory allows",
		[SANDBOX__STATUS__OUTPUT_LIMIT] = "wrote more than --output allows",
	};

	if (r->error[0])
		fprintf(stderr, "sandbox: %s\n", r->error);
	else if (r->status == SANDBOX__STATUS__FORBIDDEN_SYSCALL)
		fprintf(stderr, "sandbox: made a system call that --policy forbids: %s\n",
			r->syscall);
	else if ((size_t)r->status < ARRAY_LEN(limits) && limits[r->status])
		fprintf(stderr, "sandbox: %s\n", limits[r->status]);
	else if (r->status == SANDBOX__STATUS__SANDBOX_ERROR)
		fprintf(stderr, "sandbox: %s\n", r->message);
}

static int report_open(const char *path, struct err *e)
{
	int fd;

	if (strcmp(path, "-") == 0)
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	return fd < 0 ? err_sys(e, "--report: open %s", path) : fd;
}

/* The whole of `sandbox run`; returns the exit status. */
static int run_command(const struct options *o)
{
	static struct session s;
	struct err e = {0};
	AUTO_CLOSE int report_fd = -1;

	s = (struct session){.o = o, .reply = SANDBOX__REPLY__INIT};
	if (tidy_descriptors(&e) < 0 ||
	    (o->report && (report_fd = report_open(o->report, &e)) < 0)) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		return REPORT_FAILED;
	}
	log_open("sandbox", LOG_WARN);
	if (session(&s, &s.why) < 0)
		s.reply.error = s.why.msg;
	if (caught)
		return REPORT_FAILED;
	explain(&s.reply);
	int status = report_exit_status(&s.reply);

	if (report_fd >= 0 && report_write(report_fd, &s.reply, &e) < 0) {
		err_wrap(&e, "--report");
		complain(&s, &e);
	}
	return status == 0 && s.trouble ? REPORT_FAILED : status;
}

/* The commands beside run; each reads its own arguments and returns the exit status. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"doctor", doctor_command},
	{"ps", ps_command},
	{"inspect", inspect_command},
	{"selftest", selftest_command},
};

int main(int argc, char **argv)
{
	struct options o;
	struct err e;
	int status = 0;

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (options_parse(&o, argc, argv, &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		return REPORT_FAILED;
	}
	if (o.action == OPTIONS_HELP)
		options_usage(stdout);
	else if (o.action == OPTIONS_VERSION)
		puts("sandbox " GAVEL_VERSION);
	else
		status = run_command(&o);
	if (caught) { /* everything is clean: end as the signal would have ended us */
		(void)sigaction(caught, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		(void)raise(caught);
	}
	return status;
}
