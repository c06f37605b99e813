/*
 * bench_speed - what a run costs, beside bare fork+exec and beside other sandboxes (`make bench`).
 *
 * Every timed run is a whole one: all layers on, the jail's verify step included.  The baseline is timed twice: alone, before
 * anything else runs ("clean"), and between the others in random order, where cgroup work slows it too.  Ratios are to the
 * clean one, which is the harder comparison.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "tests/bench/bare.h"
#include "tests/bench/daemon.h"
#include "tests/bench/jailed.h"
#include "tests/bench/peers.h"
#include "tests/bench/series.h"

#define CELLS 16

struct plan {
	unsigned runs, idle_runs, cold_runs, tests, starts;
	const char *only; /* comma-separated names of parts; NULL: all */
	unsigned seed;
	int json;
};

struct bench {
	struct plan plan;
	struct table table;
	struct bare bare;
	double floor_ms; /* p50 of the clean baseline */
};

/* The programs, as the Makefile builds them. */
#define NOTHING "build/bench/nothing"
#define SUM     "build/bench/sum"
#define SANDBOX "build/bin/sandbox"
#define DAEMON  "build/bin/sandboxd"

enum {
	RUN_NOTHING,
	RUN_SUM,
	RUN_SANDBOX,
	RUN_BWRAP,
	RUN_ISOLATE,
	RUN_NSJAIL,
	RUN_RUNC,
};

static char nothing_path[PATH_MAX];
static struct peers prepared;

static const char *const nothing[] = {NOTHING, NULL};
static const char *const sum[] = {SUM, NULL};
static const char *const sandbox[] = {SANDBOX,    "run",
				      "--rules",  "rules",
				      "--policy", "native",
				      "--mount",  "build/bench:/bench",
				      "--",       "/bench/nothing",
				      NULL};
static const char *const bwrap[] = {
	PEER_BWRAP, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", nothing_path,
	NULL};
static const char *const isolate[] = {
	PEER_ISOLATE, "--silent", prepared.isolate_dir, "--run", "--", "/program/nothing", NULL};
static const char *const nsjail[] = {PEER_NSJAIL, "-Q", "-Mo",        "--chroot",
				     "/",         "--", nothing_path, NULL};
static const char *const runc[] = {PEER_RUNC,       "run",         "--bundle",
				   prepared.bundle, "gavel-bench", NULL};

static const char *const *const commands[] = {[RUN_NOTHING] = nothing, [RUN_SUM] = sum,
					      [RUN_SANDBOX] = sandbox, [RUN_BWRAP] = bwrap,
					      [RUN_ISOLATE] = isolate, [RUN_NSJAIL] = nsjail,
					      [RUN_RUNC] = runc,       NULL};

static void progress(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
}

static double now_ms(void)
{
	return (double)io_monotonic_us() / 1e3;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static int wanted(const struct plan *p, const char *part)
{
	size_t len = strlen(part);

	for (const char *at = p->only; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, part, len) == 0 && (at[len] == ',' || !at[len]))
			return 1;
	return !p->only;
}

/* --- a client of sandboxd */

static int client_keep(struct sandbox_client *c, const char *path, struct err *e)
{
	char *name = strrchr(path, '/') + 1;
	AUTO_FREE char *data = NULL;
	size_t len;

	if (io_read_file(path, 64 << 20, &data, &len, e) < 0)
		return -1;
	struct sandbox_file file = {name, 0555, io_memfd_of(data, len, e)};
	AUTO_CLOSE int fd = file.fd;

	if (fd < 0 || sandbox_client_put(c, &file, 1, 0, e) < 0)
		return -1;
	return sandbox_client_keep(c, NULL, e);
}

static const char *const env[] = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C", NULL};

/* One run of /program/<name> that must end well; expect: what it prints, or NULL. */
static int client_run(struct sandbox_client *c, const char *path, int in, const char *expect,
		      double *ms, struct err *e)
{
	const char *const argv[] = {path, NULL};
	struct sandbox_spec s = {.policy = "native",
				 .argv = argv,
				 .env = env,
				 .cpu_time_us = 1000000,
				 .wall_time_us = 10000000,
				 .stdin_fd = in};
	struct sandbox_report r;
	char text[64];
	double start = now_ms();

	if (sandbox_client_run(c, &s, &r, e) < 0)
		return -1;
	*ms = now_ms() - start;
	int good = r.status == RUN_EXITED && r.exit_code == 0;

	if (good && expect) {
		ssize_t n = pread(r.stdout_fd, text, sizeof(text), 0);

		good = n == (ssize_t)strlen(expect) && memcmp(text, expect, (size_t)n) == 0;
	}
	if (!good)
		err_set(e, "%s: status %d, exit code %d %s", path, (int)r.status, r.exit_code,
			r.message);
	sandbox_report_release(&r);
	return good ? 0 : -1;
}

/* --- the parts */

/* The machine may have become busier, or less so, since the start. */
static int clean_again(struct bench *b, struct err *e)
{
	struct row *r = table_row(&b->table, "bare_clean_end",
				  "bare fork+exec+wait alone, once more at the end");
	double ms;

	r->baseline = b->floor_ms;
	for (unsigned i = 0; i < b->plan.runs; i++) {
		if (bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0)
			return -1;
		series_add(&r->runs, ms);
	}
	return 0;
}

static int clean_baseline(struct bench *b, struct err *e)
{
	struct row *by_fork =
		table_row(&b->table, "bare_clean", "bare fork+exec+wait, static return 0, alone");
	struct row *by_vfork = table_row(&b->table, "bare_vfork_clean", "the same by vfork");
	double ms;

	for (unsigned i = 0; i < b->plan.runs; i++) {
		if (bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0)
			return -1;
		series_add(&by_fork->runs, ms);
		if (bare_run(&b->bare, BARE_VFORK, RUN_NOTHING, 1, &ms, e) < 0)
			return -1;
		series_add(&by_vfork->runs, ms);
	}
	b->floor_ms = series_percentile(&by_fork->runs, 50);
	by_vfork->baseline = b->floor_ms;
	return 0;
}

static struct row *jail_row(struct bench *b, const char *name, const char *what, double target)
{
	struct row *r = table_row(&b->table, name, what);

	r->verify = "on";
	r->baseline = b->floor_ms;
	r->target = target;
	return r;
}

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
	return w->client ? client_keep(w->client, NOTHING, e) : -1;
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
	struct row *cell =
		jail_row(b, "cell", "warm cell, in process: request to report, random order", 1.3);
	struct row *ready =
		jail_row(b, "cell_ready", "warm cell, in process: until the next may come", 0);
	struct row *sock = jail_row(b, "socket",
				    "warm cell of sandboxd, through its socket, random order", 1.3);
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
				if (client_run(w->client, "/program/nothing", -1, NULL, &ms, e) < 0)
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
	struct row *r =
		jail_row(b, "socket_stream", "sandboxd's socket, one run right after the other", 0);
	double ms;

	for (unsigned i = 0; i < b->plan.runs; i++) {
		if (client_run(w->client, "/program/nothing", -1, NULL, &ms, e) < 0)
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
	struct row *sock =
		jail_row(b, "socket_paced", "sandboxd's socket, each after a pause of 2 ms", 1.3);
	int order[] = {ONE_BARE, ONE_SOCKET};
	double ms;

	bare->baseline = b->floor_ms;
	for (unsigned i = 0; i < b->plan.runs; i++) {
		shuffle(order, ARRAY_LEN(order));
		for (size_t k = 0; k < ARRAY_LEN(order); k++) {
			int is_bare = order[k] == ONE_BARE;

			pause_ms(2);
			if (is_bare ? bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0
				    : client_run(w->client, "/program/nothing", -1, NULL, &ms, e) <
					      0)
				return -1;
			series_add(is_bare ? &bare->runs : &sock->runs, ms);
		}
	}
	note_beside(sock, bare);
	return 0;
}

static int warm(struct bench *b, struct err *e)
{
	struct warm w = {0};
	struct err closing;

	progress("warm cells");
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

static int idle_rounds(struct bench *b, struct sandbox_client *c, struct err *e)
{
	struct row *bare =
		table_row(&b->table, "bare_idle", "bare fork+exec+wait after 1 s of idleness");
	struct row *sock =
		jail_row(b, "socket_idle", "sandboxd's socket, first run after 1 s of idleness", 2);
	double ms;

	bare->baseline = b->floor_ms;
	for (unsigned i = 0; i < 2 * b->plan.idle_runs; i++) {
		pause_ms(1000);
		if (i % 2 == 0 ? bare_run(&b->bare, BARE_FORK, RUN_NOTHING, 1, &ms, e) < 0
			       : client_run(c, "/program/nothing", -1, NULL, &ms, e) < 0)
			return -1;
		series_add(i % 2 == 0 ? &bare->runs : &sock->runs, ms);
	}
	snprintf(sock->note, sizeof(sock->note), "%.2fx the bare run after the same idleness",
		 series_percentile(&sock->runs, 50) / series_percentile(&bare->runs, 50));
	return 0;
}

static int with_daemon(struct bench *b, const char *program,
		       int (*part)(struct bench *, struct sandbox_client *, struct err *),
		       struct err *e)
{
	struct daemon d = {0};
	struct err closing;
	struct sandbox_client *c = NULL;
	int status = daemon_start(&d, DAEMON, 2, NULL, e);

	if (status == 0)
		c = daemon_connect(d.program, e);
	if (!c || client_keep(c, program, e) < 0 || part(b, c, e) < 0)
		status = -1;
	sandbox_client_close(c);
	if (daemon_stop(&d, status == 0 ? e : &closing) < 0)
		status = -1;
	return status;
}

static int idle(struct bench *b, struct err *e)
{
	progress("after idleness");
	return with_daemon(b, NOTHING, idle_rounds, e);
}

static int tests_rounds(struct bench *b, struct sandbox_client *c, struct err *e)
{
	struct row *bare = table_row(&b->table, "bare_tests",
				     "tests of one submission: bare fork+exec with pipes, total");
	struct row *jailed =
		jail_row(b, "tests", "the same in one warm cell through the socket, total", 1.6);
	double one;

	for (int round = 0; round < 3; round++) {
		double ms;
		double start;

		if (bare_run(&b->bare, BARE_PIPES, RUN_SUM, b->plan.tests, &ms, e) < 0)
			return -1;
		series_add(&bare->runs, ms);
		start = now_ms();
		for (unsigned i = 0; i < b->plan.tests; i++) {
			AUTO_CLOSE int in = io_memfd_of(BARE_INPUT, strlen(BARE_INPUT), e);

			if (in < 0 || client_run(c, "/program/sum", in, BARE_ANSWER, &one, e) < 0)
				return -1;
		}
		series_add(&jailed->runs, now_ms() - start);
	}
	jailed->baseline = series_percentile(&bare->runs, 50);
	snprintf(jailed->note, sizeof(jailed->note),
		 "each of the runs is %u tests; input made and output compared for each",
		 b->plan.tests);
	return 0;
}

static int tests(struct bench *b, struct err *e)
{
	progress("many tests of one submission");
	return with_daemon(b, SUM, tests_rounds, e);
}

/* --- cold, beside the peers */

static const struct peer {
	size_t command;
	const char *name, *what;
} peers[] = {
	{RUN_BWRAP, "bwrap", "bwrap --unshare-all --ro-bind / /, whole process"},
	{RUN_ISOLATE, "isolate", "isolate --run (box made before), whole process"},
	{RUN_NSJAIL, "nsjail", "nsjail -Mo --chroot /, whole process"},
	{RUN_RUNC, "runc", "runc run of a bundle, whole process"},
};

static int cold(struct bench *b, struct err *e)
{
	struct row *own = table_row(&b->table, "sandbox_run", "sandbox run, cold, whole process");
	struct row *rows[ARRAY_LEN(peers)];
	double ms;

	progress("cold, beside other sandboxes");
	own->verify = "on";
	own->target = 2.0;
	for (size_t k = 0; k < ARRAY_LEN(peers); k++) {
		rows[k] = table_row(&b->table, peers[k].name, peers[k].what);
		if (access(commands[peers[k].command][0], X_OK) < 0)
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

/* --- sixteen cells */

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

	pause_ms(300);
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
	series_add(&s->start->runs, now_ms() - began);
	if (add_memory(d, s->fresh, e) < 0)
		return -1;
	for (unsigned i = 0; i < CELLS - 1; i++)
		if (client_keep(c[i], NOTHING, e) < 0 ||
		    client_run(c[i], "/program/nothing", -1, NULL, &ms, e) < 0)
			return -1;
	return add_memory(d, s->used, e);
}

static int one_start(struct sixteen *s, struct err *e)
{
	struct daemon d = {0};
	struct sandbox_client *c[CELLS] = {0};
	struct err closing;
	double began = now_ms();
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

static int sixteen(struct bench *b, struct err *e)
{
	struct sixteen s = {
		table_row(&b->table, "start16",
			  "start of sandboxd with 16 cells, to the welcome of all"),
		memory_row(b, "memory16",
			   "memory of sandboxd, 16 cells idle from the start (PSS of all)"),
		memory_row(b, "memory16_used",
			   "memory of sandboxd, 16 cells idle after a run (PSS of all)"),
	};

	progress("sixteen cells");
	s.start->verify = "on";
	s.start->target = 200;
	for (unsigned i = 0; i < b->plan.starts; i++)
		if (one_start(&s, e) < 0)
			return -1;
	return 0;
}

/* --- the program */

static const struct part {
	const char *name;
	int (*run)(struct bench *b, struct err *e);
} parts[] = {
	{"warm", warm}, {"idle", idle}, {"tests", tests}, {"cold", cold}, {"sixteen", sixteen},
};

static const char usage[] =
	"usage: bench_speed [--runs N] [--idle-runs N] [--cold-runs N] [--tests N] [--starts N]\n"
	"                   [--only warm,idle,tests,cold,sixteen] [--seed N] [--json]\n"
	"Run it as root from the folder of the Makefile; `make bench` does.\n";

static int number(const char *text, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '-' || *end || n < 1 || n > 1000000) {
		fprintf(stderr, "bench_speed: '%s' is not a number from 1 to 1000000\n", text);
		return -1;
	}
	*out = (unsigned)n;
	return 0;
}

static int set_only(struct plan *p, const char *text)
{
	size_t known = 0;
	size_t names = 1;

	p->only = text;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		known += (size_t)wanted(p, parts[i].name);
	for (const char *at = text; *at; at++)
		names += *at == ',';
	if (known == names)
		return 0;
	fprintf(stderr, "bench_speed: --only: '%s' has parts that there are not, or one twice\n",
		text);
	return -1;
}

static int parse(struct plan *p, int argc, char **argv)
{
	static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
						{"idle-runs", required_argument, NULL, 'i'},
						{"cold-runs", required_argument, NULL, 'c'},
						{"tests", required_argument, NULL, 't'},
						{"starts", required_argument, NULL, 's'},
						{"only", required_argument, NULL, 'o'},
						{"seed", required_argument, NULL, 'S'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned *count = option == 'r'   ? &p->runs
				  : option == 'i' ? &p->idle_runs
				  : option == 'c' ? &p->cold_runs
				  : option == 't' ? &p->tests
				  : option == 's' ? &p->starts
				  : option == 'S' ? &p->seed
						  : NULL;

		if (count && number(optarg, count) < 0)
			return -1;
		if (option == 'o' && set_only(p, optarg) < 0)
			return -1;
		if (option == '?')
			return -1;
		p->json |= option == 'j';
	}
	return optind == argc ? 0 : -1;
}

static int measure(struct bench *b, struct err *e)
{
	char why[256];

	/* Not a word of "verify: on" below would be true otherwise. */
	if (jailed_refuses_without("ids", why, sizeof(why), e) < 0)
		return -1;
	fprintf(stderr, "bench: verify is on: without the step ids a run is refused: %s\n", why);
	progress("the baseline, alone");
	if (clean_baseline(b, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (wanted(&b->plan, parts[i].name) && parts[i].run(b, e) < 0)
			return err_wrap(e, "%s", parts[i].name);
	return clean_again(b, e);
}

int main(int argc, char **argv)
{
	static struct bench b = {.plan = {.runs = 500,
					  .idle_runs = 20,
					  .cold_runs = 100,
					  .tests = 1000,
					  .starts = 5,
					  .seed = 1}};
	struct err e = {0};

	if (parse(&b.plan, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid() != 0 || !realpath(NOTHING, nothing_path)) {
		fputs("bench_speed: needs root, and " NOTHING " (make bench builds it)\n", stderr);
		return 2;
	}
	srandom(b.plan.seed);
	log_open("bench", LOG_ERROR);
	int status = peers_prepare(&prepared, "build/bench", NOTHING, &e);

	/* It forks now, and so knows the paths just made, but nothing large is loaded yet. */
	if (status == 0)
		status = bare_open(&b.bare, commands, &e);

	if (status == 0)
		status = measure(&b, &e);
	bare_close(&b.bare);
	peers_clean(&prepared);
	if (b.plan.json)
		table_print_json(&b.table, "Gavel: speed");
	else
		table_print(&b.table, "Gavel: speed");
	table_release(&b.table);
	if (status < 0)
		fprintf(stderr, "bench_speed: %s\n", e.msg);
	return status < 0 ? 1 : 0;
}
