#include "sandbox/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/see.h"
#include "sandbox/selftest_list.h"
#include "sandbox/selftest_show.h"
#include "sandbox/selftest_trial.h"

#define JOBS_MAX   16
#define JOBS_USUAL 4 /* more gain little, and may want more memory than there is */
#define PYTHON     "/usr/bin/python3"
#define TEMPLATE   "/tmp/gavel-selftest-XXXXXX"

static const char usage[] =
	"usage: sandbox selftest [--json] [--verbose] [--jobs N] [--attacks DIR] [--rules DIR] "
	"[NAME | GROUP | LAYER]...\n"
	"Runs the attacks that come with Gavel on this machine and shows what was tried and what "
	"held.\n"
	"Exits 0 if all of them were held, 1 if not.\n";

/* One attack in flight: its process, and the end of the pipe on which that says what came of it. */
struct flight {
	pid_t pid; /* 0: none */
	int says;
	size_t index;
	int64_t began_us, ends_us;
	struct trial_place place;
};

struct selftest {
	struct see_options see;
	int verbose;
	long jobs;
	char *attacks;
	char **names;
	size_t nnames;
	struct attack_list list;
	struct result *results; /* of each in the list */
	char folder[PATH_MAX], work[32];
	struct flight flights[JOBS_MAX];
	size_t next, done, chosen;
};

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

/* ---- the command line */

static int take_number(const char *text, long *n, struct err *e)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	if (errno || *end || end == text || *n < 1 || *n > JOBS_MAX)
		return err_set(e, "selftest: --jobs '%s': expected a number from 1 to %d",
			       see_q(text), JOBS_MAX);
	return 0;
}

/* Options with a value; 1 if this is none of them. */
static int take_valued(struct selftest *s, char **argv, int *i, struct err *e)
{
	const char *option = argv[*i];
	char *value = argv[*i + 1];
	char **wanted = strcmp(option, "--attacks") == 0 ? &s->attacks
			: strcmp(option, "--rules") == 0 ? &s->see.rules
							 : NULL;

	if (!wanted && strcmp(option, "--jobs") != 0)
		return 1;
	if (!value)
		return err_set(e, "selftest: %s needs a value", option);
	(*i)++;
	if (!wanted)
		return take_number(value, &s->jobs, e);
	*wanted = value;
	return 0;
}

static int parse(struct selftest *s, int argc, char **argv, struct err *e)
{
	s->names = calloc((size_t)argc, sizeof(*s->names));
	if (!s->names)
		return err_set(e, "out of memory");
	for (int i = 1; i < argc; i++) {
		int status = take_valued(s, argv, &i, e);

		if (status < 0)
			return -1;
		if (status == 0)
			continue;
		if (strcmp(argv[i], "--json") == 0)
			s->see.json = 1;
		else if (strcmp(argv[i], "--verbose") == 0)
			s->verbose = 1;
		else if (strcmp(argv[i], "--help") == 0)
			s->see.help = 1;
		else if (argv[i][0] == '-')
			return err_set(e, "selftest: '%s' is no option; see --help",
				       see_q(argv[i]));
		else
			s->names[s->nnames++] = argv[i];
	}
	return 0;
}

/* Beside the program, installed or in its build folder; never in the current folder. */
static int find_attacks(struct selftest *s, struct err *e)
{
	static const char *const places[] = {"../lib/gavel/attacks", "../../lib/gavel/attacks"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	AUTO_FREE char *given = s->attacks ? realpath(s->attacks, NULL) : NULL;

	if (s->attacks && !given)
		return err_sys(e, "selftest: --attacks: %s", see_q(s->attacks));
	if (given && snprintf(s->folder, sizeof(s->folder), "%s", given) < (int)sizeof(s->folder))
		return 0;
	if (n < 0)
		return err_sys(e, "readlink /proc/self/exe");
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0'; /* the link is an absolute path */
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (snprintf(s->folder, sizeof(s->folder), "%s/%s", exe, places[i]) <
			    (int)sizeof(s->folder) &&
		    access(s->folder, F_OK) == 0)
			return 0;
	return err_set(e, "no attacks found beside the program in %.150s; name them with --attacks",
		       exe);
}

/* Marks the attacks that one of the names stands for, all of them without a name. */
static int choose(struct selftest *s, struct err *e)
{
	for (size_t i = 0; i < s->list.n; i++)
		s->results[i].outcome = s->nnames ? NOT_CHOSEN : WAITING;
	for (size_t k = 0; k < s->nnames; k++) {
		int found = 0;

		for (size_t i = 0; i < s->list.n; i++)
			if (attack_is_called(&s->list.at[i], s->names[k])) {
				s->results[i].outcome = WAITING;
				found = 1;
			}
		if (!found)
			return err_set(e, "selftest: '%s': no attack, group or layer is called so",
				       see_q(s->names[k]));
	}
	return 0;
}

/* What this machine cannot try. */
static void set_aside(struct selftest *s)
{
	int python = access(PYTHON, X_OK) == 0;

	for (size_t i = 0; i < s->list.n; i++) {
		struct result *r = &s->results[i];

		if (r->outcome == WAITING && !python && attack_is_python(&s->list.at[i])) {
			r->outcome = NOT_TRIED;
			snprintf(r->what, sizeof(r->what), "there is no " PYTHON);
		}
		s->chosen += r->outcome == WAITING;
	}
}

/* ---- one attack in flight */

static int forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

_Noreturn static void fly(const struct selftest *s, const struct flight *f, int says)
{
	struct result r = {.outcome = HELD};
	struct err e = {0};

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (trial_run(&s->list.at[f->index], &f->place, &e) < 0) {
		r.outcome = NOT_HELD;
		snprintf(r.what, sizeof(r.what), "%s", e.msg);
	}
	_exit(io_write_all(says, &r, sizeof(r), &e) < 0);
}

static int take_off(struct selftest *s, struct flight *f, struct err *e)
{
	int ends[2];

	f->index = s->next++;
	f->began_us = io_monotonic_us();
	f->ends_us = f->began_us + trial_patience_ms(&s->list.at[f->index]) * 1000LL;
	f->place = (struct trial_place){.programs = s->folder, .rules = s->see.rules};
	snprintf(f->place.work, sizeof(f->place.work), "%s/%zu", s->work, f->index);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	f->pid = fork();
	if (f->pid == 0)
		fly(s, f, ends[1]);
	(void)close(ends[1]);
	f->says = ends[0];
	return f->pid < 0 ? err_sys(e, "fork") : 0;
}

static void land(struct selftest *s, struct flight *f)
{
	struct result *r = &s->results[f->index];
	struct err e;

	if (io_read_full(f->says, r, sizeof(*r), &e) != (ssize_t)sizeof(*r)) {
		*r = (struct result){.outcome = NOT_HELD};
		snprintf(r->what, sizeof(r->what), "the trial itself did not come to an end");
	}
	r->us = io_monotonic_us() - f->began_us;
	(void)close(f->says);
	(void)kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	f->pid = 0;
	s->done++;
	(void)nftw(f->place.work, forget, 16, FTW_DEPTH | FTW_PHYS);
}

static void show_progress(const struct selftest *s, const char *name)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (name)
		fprintf(stderr, "\r\033[K%zu of %zu: %s", s->done, s->chosen, see_q(name));
	else
		fputs("\r\033[K", stderr);
}

/* One that has ended is taken down; one that is late, or that a signal to us ends, is told to stop first. */
static void attend(struct selftest *s, struct flight *f, int has_ended)
{
	int stop = caught || io_monotonic_us() > f->ends_us;

	if (stop)
		(void)kill(f->pid, SIGTERM);
	else if (!has_ended)
		return;
	land(s, f);
	if (s->verbose && !s->see.json) {
		show_progress(s, NULL);
		show_result(&s->list.at[f->index], &s->results[f->index]);
	}
}

static void await(struct selftest *s)
{
	struct pollfd p[JOBS_MAX];

	for (size_t i = 0; i < JOBS_MAX; i++)
		p[i] = (struct pollfd){.fd = s->flights[i].pid ? s->flights[i].says : -1,
				       .events = POLLIN};
	(void)poll(p, JOBS_MAX, 1000);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (s->flights[i].pid)
			attend(s, &s->flights[i], p[i].revents);
}

/* Starts what there is room for; returns how many are in flight. */
static int fill(struct selftest *s, struct err *e)
{
	int flying = 0;

	for (long i = 0; i < s->jobs; i++) {
		while (s->next < s->list.n && s->results[s->next].outcome != WAITING)
			s->next++;
		if (!s->flights[i].pid && s->next < s->list.n && !caught) {
			show_progress(s, s->list.at[s->next].name);
			if (take_off(s, &s->flights[i], e) < 0)
				return -1;
		}
		flying += s->flights[i].pid != 0;
	}
	return flying;
}

static int fly_all(struct selftest *s, struct err *e)
{
	int flying;

	while ((flying = fill(s, e)) > 0)
		await(s);
	show_progress(s, NULL);
	if (flying == 0 && caught)
		return err_set(e, "selftest: stopped by a signal");
	return flying;
}

/* ---- all of it */

static void catch_signals(void)
{
	/* The last: a reader who has seen enough; what is in flight must be put away all the same. */
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction end = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		(void)sigaction(ends[i], &end, NULL);
}

/* Without a working sandbox every attack would fail in the same way. */
static int check_sandbox(const struct selftest *s, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		char *argv[] = {(char *)"sandbox",
				(char *)"run",
				(char *)"--stdin",
				(char *)"/dev/null",
				(char *)(s->see.rules ? "--rules" : "--"),
				s->see.rules ? s->see.rules : (char *)"/bin/true",
				(char *)(s->see.rules ? "--" : NULL),
				(char *)"/bin/true",
				NULL};

		execv("/proc/self/exe", argv);
		_exit(127);
	}
	if (pid < 0)
		return err_sys(e, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, "selftest: no cell can be opened; 'sandbox doctor' says what is missing");
}

static int try_all(struct selftest *s, struct err *e)
{
	int status;

	if (find_attacks(s, e) < 0 || attack_list_read(&s->list, s->folder, e) < 0)
		return -1;
	s->results = calloc(s->list.n, sizeof(*s->results));
	if (!s->results)
		return err_set(e, "out of memory");
	if (choose(s, e) < 0 || check_sandbox(s, e) < 0)
		return -1;
	set_aside(s);
	snprintf(s->work, sizeof(s->work), TEMPLATE);
	if (!mkdtemp(s->work))
		return err_sys(e, "mkdtemp %s", s->work);
	(void)chmod(s->work, 0755);
	catch_signals();
	status = fly_all(s, e);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (s->flights[i].pid > 0)
			land(s, &s->flights[i]);
	(void)nftw(s->work, forget, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}

static int conclude(const struct selftest *s)
{
	struct tally all = show_count(&s->list, s->results);
	int status = SEE_OK;

	if (s->see.json)
		status = show_json(&s->list, s->results);
	else
		show_table(&s->list, s->results);
	return status == SEE_OK && all.tried > 0 && all.held == all.tried ? SEE_OK : SEE_FAILED;
}

int selftest_command(int argc, char **argv)
{
	static struct selftest s;
	struct err e;
	int status = SEE_FAILED;

	s.jobs = sysconf(_SC_NPROCESSORS_ONLN);
	s.jobs = s.jobs > JOBS_USUAL ? JOBS_USUAL : s.jobs;
	if (parse(&s, argc, argv, &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		free(s.names);
		return SEE_USAGE;
	}
	if (s.see.help) {
		fputs(usage, stdout);
		status = SEE_OK;
	} else if (try_all(&s, &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
	} else {
		status = conclude(&s);
	}
	attack_list_release(&s.list);
	free(s.results);
	free(s.names);
	return status;
}
