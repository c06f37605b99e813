#include "sandbox/selftest_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/options.h"
#include "sandbox/selftest_judge.h"
#include "sandbox/selftest_list.h"
#include "sandbox/selftest_traps.h"
#include "sandbox/selftest_warm.h"

#define ARGV_MAX   96
#define BESIDE_MAX 4
#define ROUNDS_MAX 4
#define SLACK_MS   30000 /* for the sandbox itself, on a machine that is busy */
#define WALL_SLACK_S                                                                               \
	10 /* far beyond the CPU limit, so that a busy machine does not turn one limit into the other */

/* One `sandbox run` on its way. */
struct started {
	pid_t pid;
	unsigned turn;
};

/* A command line under construction; texts marked as its own are freed with it. */
struct command {
	char *argv[ARGV_MAX];
	char *owned[ARGV_MAX];
	size_t n, nowned;
	int bad;
};

struct trial {
	const struct attack *attack;
	const struct trial_place *place;
	struct traps traps;
	int terminal; /* the end that is not the program's, -1: none */
};

static void add(struct command *c, const char *word)
{
	if (c->n + 1 < ARGV_MAX)
		c->argv[c->n++] = (char *)word;
	else
		c->bad = 1;
}

__attribute__((format(printf, 2, 3))) static void addf(struct command *c, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text || c->nowned == ARGV_MAX) {
		c->bad = 1;
		free(text);
		return;
	}
	c->owned[c->nowned++] = text;
	add(c, text);
}

static void command_release(struct command *c)
{
	for (size_t i = 0; i < c->nowned; i++)
		free(c->owned[i]);
}

static double seconds(const char *text)
{
	return strtod(text, NULL);
}

static double wall_seconds(const struct attack *a)
{
	const char *wall = attack_key(a, "wall", NULL);

	return wall ? seconds(wall) : 10 * seconds(attack_key(a, "time", "1s")) + WALL_SLACK_S;
}

/* How long all runs of it may take, one after the other. */
static int patience_ms(const struct attack *a)
{
	return (int)(wall_seconds(a) * 1000 * seconds(attack_key(a, "rounds", "1"))) + SLACK_MS;
}

int trial_patience_ms(const struct attack *a)
{
	return patience_ms(a) + SLACK_MS;
}

static void add_limits(struct command *c, const struct attack *a)
{
	static const char *const options[][3] = {
		{"--time", "time", "1s"},          {"--memory", "memory", "64M"},
		{"--processes", "processes", "4"}, {"--output", "output", "1M"},
		{"--box-size", "box", "64M"},      {"--policy", "policy", "native"},
		{"--net", "net", "none"},          {"--cpus", "cpus", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *value = attack_key(a, options[i][1], options[i][2]);

		if (!value)
			continue;
		add(c, options[i][0]);
		addf(c, "%s", value);
	}
	add(c, "--wall");
	addf(c, "%.0fs", wall_seconds(a));
}

static void add_files(struct command *c, const struct trial *t, unsigned turn)
{
	static const char *const outputs[] = {"stdout", "stderr", "report"};
	const struct attack *a = t->attack;
	const char *out = attack_key(a, "copyout", NULL);

	for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
		addf(c, "--%s", outputs[i]);
		addf(c, "%s/%s%u", t->traps.work, outputs[i], turn);
	}
	add(c, "--copy-in");
	addf(c, "%s/%s", t->place->programs, a->program);
	if (t->place->rules) {
		add(c, "--rules");
		add(c, t->place->rules);
	}
	if (out) {
		add(c, "--copy-out");
		addf(c, "%s:%s/out/%u", out, t->traps.work, turn);
	}
	if (attack_key(a, "mount", NULL)) {
		add(c, "--mount");
		addf(c, "%s/%s:/data", t->traps.work, attack_key(a, "mount", ""));
	}
	if (attack_key(a, "stdin", NULL)) {
		add(c, "--stdin");
		add(c, t->traps.input);
	}
}

static int make_command(struct command *c, const struct trial *t, unsigned turn, struct err *e)
{
	const struct attack *a = t->attack;
	char *environment[TRAPS_TEXTS] = {NULL};
	int status = traps_environment(&t->traps, turn, environment, e);

	add(c, "sandbox");
	add(c, "run");
	add_limits(c, a);
	add_files(c, t, turn);
	for (char **text = environment; *text; text++) {
		add(c, "--env");
		addf(c, "%s", *text);
		free(*text);
	}
	add(c, "--");
	if (attack_is_python(a))
		add(c, "/usr/bin/python3");
	addf(c, "%s%s", attack_is_python(a) ? "" : "./", a->program);
	if (a->word)
		add(c, a->word);
	if (status == 0 && c->bad)
		return err_set(e, "the command line is too long");
	return status;
}

/* A caller that leaves a descriptor open and its signals in disorder: none of it may reach the program. */
static void be_careless(const struct trial *t)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGUSR1, SIGXFSZ};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t some;

	(void)open(t->traps.canary,
		   O_RDWR); /* NOLINT(android-cloexec-open): that is what it is for */
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)sigaction(ignored[i], &ignore, NULL);
	sigemptyset(&some);
	sigaddset(&some, SIGTSTP);
	sigaddset(&some, SIGUSR2);
	sigaddset(&some, SIGALRM);
	(void)sigprocmask(SIG_BLOCK, &some, NULL);
}

static int open_terminal(struct trial *t, struct err *e)
{
	t->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->terminal < 0 || grantpt(t->terminal) < 0 || unlockpt(t->terminal) < 0)
		return err_sys(e, "open a terminal");
	return 0;
}

/* The child: standard input is a terminal or nothing; what the sandbox itself says is kept. */
_Noreturn static void become_sandbox(const struct trial *t, const struct command *c, unsigned turn)
{
	char log[PATH_MAX + 16];
	char name[64];
	int in = -1;
	int out;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	snprintf(log, sizeof(log), "%s/log%u", t->traps.work, turn);
	out = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (t->terminal >= 0 && setsid() >= 0 && ptsname_r(t->terminal, name, sizeof(name)) == 0)
		in = open(name, O_RDWR); /* NOLINT(android-cloexec-open): it becomes ours */
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(t->terminal < 0 ? out : in, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(125);
	if (attack_key(t->attack, "leak", NULL))
		be_careless(t);
	execv("/proc/self/exe", c->argv);
	_exit(125);
}

/* What judge_run() shows of a sandbox that failed. */
static void write_log(const struct trial *t, unsigned turn, const char *text)
{
	char log[PATH_MAX + 16];
	struct err ignored;

	snprintf(log, sizeof(log), "%s/log%u", t->traps.work, turn);
	AUTO_CLOSE int fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)io_write_all(fd, text, strlen(text), &ignored);
}

static int start(const struct trial *t, unsigned turn, struct started *s, struct err *e)
{
	struct command c = {0};

	*s = (struct started){.turn = turn};
	if (make_command(&c, t, turn, e) < 0) {
		command_release(&c);
		return -1;
	}
	s->pid = fork();
	if (s->pid == 0)
		become_sandbox(t, &c, turn);
	command_release(&c);
	return s->pid < 0 ? err_sys(e, "fork") : 0;
}

static int finish(const struct trial *t, const struct started *s, struct err *e)
{
	AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int in_time = poll(&p, 1, patience_ms(t->attack));

	if (in_time != 1) /* or we are told to stop */
		(void)kill(s->pid, in_time < 0 ? SIGTERM : SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (in_time < 0)
		return err_set(e, "stopped");
	return in_time == 1 ? 0 : err_set(e, "the sandbox did not come to an end");
}

/* The child: each command line in turn, in one cell. */
_Noreturn static void become_warm(const struct trial *t, unsigned rounds)
{
	static struct options lines[ROUNDS_MAX];
	static struct command commands[ROUNDS_MAX];
	struct err e = {0};
	int status = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (unsigned i = 0; i < rounds && status == 0; i++) {
		status = make_command(&commands[i], t, i + 1, &e);
		if (status == 0)
			status = options_parse(&lines[i], (int)commands[i].n, commands[i].argv, &e);
	}
	if (status == 0)
		status = warm_run(lines, rounds, TRAPS_INPUT, &e);
	if (status < 0)
		write_log(t, 1, e.msg);
	_exit(status < 0 ? 125 : 0);
}

/* One after the other, in a warm cell. */
static int attempt_rounds(const struct trial *t, unsigned rounds, struct err *e)
{
	struct started s = {.turn = 1, .pid = fork()};

	if (s.pid < 0)
		return err_sys(e, "fork");
	if (s.pid == 0)
		become_warm(t, rounds);
	if (finish(t, &s, e) < 0)
		return -1;
	for (unsigned turn = 1; turn <= rounds; turn++)
		if (judge_run(t->attack, &t->traps, turn, e) < 0)
			return -1;
	return 0;
}

/* Some at the same time. */
static int attempt(const struct trial *t, unsigned first, unsigned count, struct err *e)
{
	struct started all[BESIDE_MAX];
	unsigned n = 0;
	int status = 0;

	while (status == 0 && n < count && n < BESIDE_MAX) {
		status = start(t, first + n, &all[n], e);
		n += status == 0;
	}
	for (unsigned i = 0; i < n; i++) {
		struct err own;

		if (finish(t, &all[i], &own) == 0 || status < 0)
			continue;
		*e = own;
		status = -1;
	}
	for (unsigned i = 0; i < n && status == 0; i++)
		status = judge_run(t->attack, &t->traps, first + i, e);
	return status;
}

static int attempt_all(struct trial *t, struct err *e)
{
	unsigned rounds = (unsigned)strtoul(attack_key(t->attack, "rounds", "1"), NULL, 10);
	unsigned beside = (unsigned)strtoul(attack_key(t->attack, "beside", "1"), NULL, 10);
	struct pollfd typed;

	if (attack_key(t->attack, "terminal", NULL) && open_terminal(t, e) < 0)
		return -1;
	if (rounds > 1)
		return attempt_rounds(t, rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds, e);
	if (attempt(t, 1, beside, e) < 0)
		return -1;
	typed = (struct pollfd){.fd = t->terminal, .events = POLLIN};
	/* What nobody typed would be waiting to be read by the shell that comes after. */
	int waiting = 0;

	if (poll(&typed, 1, 0) > 0 && ioctl(t->terminal, FIONREAD, &waiting) == 0 && waiting > 0)
		return err_set(e, "something was typed into the terminal");
	return 0;
}

int trial_run(const struct attack *a, const struct trial_place *place, struct err *e)
{
	struct trial t = {.attack = a, .place = place, .terminal = -1};
	int status = traps_set(&t.traps, place->work, e);

	if (status == 0) {
		struct err sprung;

		status = attempt_all(&t, e);
		if (traps_check(&t.traps, &sprung) < 0) {
			if (status == 0)
				*e = sprung;
			status = -1;
		}
	}
	traps_clear(&t.traps);
	if (t.terminal >= 0)
		(void)close(t.terminal);
	return status;
}
