/*
 * bench_exact - how exact the sandbox is (`make bench-exact`).
 *
 * Overrun: CPU time, read after death, beyond a limit of 250 ms, for programs that burn it in threads and in processes, pinned to
 * one CPU and not.  Spread: CPU time and memory peak of the same program run again and again, alone and while every other
 * cell is busy, beside what GNU time says about the program bare and in bwrap.  First and last: the memory of the first run in
 * a new cell and of the last one.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "tests/bench/jailed.h"
#include "tests/bench/neighbour.h"
#include "tests/bench/peers.h"
#include "tests/bench/series.h"

#define LIMIT_US       250000
#define MIB            (1024.0 * 1024.0)
#define NEIGHBOURS_MAX 64
#define SPIN           "build/bench/spin"

struct plan {
	unsigned runs, neighbours;
	const char *only;
	int json, drop_caches;
};

static struct peers prepared;
static struct plan plan = {.runs = 100};
static struct table table;

static const char *keep_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy; /* as long as the program: a row's name */
}

/* --- overrun */

static const struct load {
	const char *kind, *count, *words;
} loads[] = {
	{"threads", "1", "thread"},       {"threads", "4", "threads"},
	{"threads", "16", "threads"},     {"processes", "4", "processes"},
	{"processes", "16", "processes"},
};

static int overrun(struct jailed *j, const struct load *load, int pinned, struct err *e)
{
	char *argv[] = {"/program/spin", (char *)load->kind, (char *)load->count, NULL};
	struct jailed_run what = {.argv = argv,
				  .policy = "native",
				  .cpu_time_us = LIMIT_US,
				  .wall_time_us = 30000000,
				  .pin_cpu = pinned ? (int)sysconf(_SC_NPROCESSORS_ONLN) : 0};
	char name[64];
	char text[96];
	struct jailed_report r;

	snprintf(name, sizeof(name), "overrun/%s/%s%s", load->count, load->kind,
		 pinned ? "/pinned" : "");
	snprintf(text, sizeof(text), "overrun of 250 ms, %s %s%s", load->count, load->words,
		 pinned ? ", pinned to one CPU" : "");
	struct row *row = table_row(&table, keep_text(name), keep_text(text));

	row->verify = "on";
	row->target = pinned ? 1 : 5;
	row->target_percent = 99;
	for (unsigned i = 0; i < plan.runs; i++) {
		struct err refused;

		if (jailed_run(j, &what, &r, &refused) < 0) {
			snprintf(row->note, sizeof(row->note), "%s", refused.msg);
			return 0;
		}
		if (r.status != SANDBOX__STATUS__CPU_TIME_LIMIT)
			return err_set(e, "%s: ended with status %d, not by the CPU limit: %s",
				       text, r.status, r.text);
		series_add(&row->runs, (double)((int64_t)r.cpu_time_us - LIMIT_US) / 1e3);
	}
	return 0;
}

static int overruns(struct err *e)
{
	struct jailed j;
	int status;

	if (jailed_open(&j, NULL, e) < 0)
		return -1;
	status = jailed_keep(&j, SPIN, e);
	for (int pinned = 0; pinned < 2 && status == 0; pinned++)
		for (size_t i = 0; i < ARRAY_LEN(loads) && status == 0; i++) {
			fprintf(stderr, "bench: overrun, %s %s%s\n", loads[i].count, loads[i].words,
				pinned ? ", pinned" : "");
			status = overrun(&j, &loads[i], pinned, e);
		}
	jailed_close(&j);
	return status;
}

/* --- spread */

#define JAVA "/usr/bin/java", "-Xmx64m", "-Xss64m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp"

static const struct language {
	const char *name, *file, *policy;
	const char *inside[10], *outside[10]; /* the command, in a cell and on the host */
} languages[] = {
	{"c", "build/bench/fixed", "native", {"/program/fixed"}, {"build/bench/fixed"}},
	{"python",
	 "build/bench/fixed.py",
	 "managed",
	 {"/usr/bin/python3", "-s", "/program/fixed.py"},
	 {"/usr/bin/python3", "-s", "build/bench/fixed.py"}},
	{"java",
	 "build/bench/Fixed.class",
	 "managed",
	 {JAVA, "/program", "Fixed"},
	 {JAVA, "build/bench", "Fixed"}},
};

/* One program under one measuring tool: CPU time and memory, in the order of the runs. */
struct measured {
	struct row *cpu, *memory;
};

static struct measured rows(const struct language *l, const char *tool, const char *verify,
			    int busy)
{
	char name[96];
	char text[128];
	const char *when = busy ? "all cells busy" : "idle";
	struct measured m;

	snprintf(name, sizeof(name), "cpu/%s/%s/%s", l->name, tool, busy ? "busy" : "idle");
	snprintf(text, sizeof(text), "CPU time of fixed %s, %s, %s", l->name, tool, when);
	m.cpu = table_row(&table, keep_text(name), keep_text(text));
	snprintf(name, sizeof(name), "memory/%s/%s/%s", l->name, tool, busy ? "busy" : "idle");
	snprintf(text, sizeof(text), "memory peak of fixed %s, %s, %s", l->name, tool, when);
	m.memory = table_row(&table, keep_text(name), keep_text(text));
	m.memory->unit = "MiB";
	m.cpu->verify = m.memory->verify = verify;
	m.cpu->spread = m.memory->spread = 1;
	return m;
}

/* What measures beside us.  GNU time goes into bwrap: bwrap does not wait for its program, so outside nothing is to be seen. */
static const struct peer {
	const char *name;
	const char *prefix[12]; /* before the program; "FILE" stands for the file of results */
	int inside;             /* the program has the paths of a cell */
} peers[] = {
	{"GNU time", {"/usr/bin/time", "-o", "FILE", "-f", "%U %S %M"}, 0},
	{"bwrap with GNU time",
	 {PEER_BWRAP, "--unshare-all", "--die-with-parent", "--dev-bind", "/", "/", "/usr/bin/time",
	  "-o", "FILE", "-f", "%U %S %M"},
	 0},
	{"isolate",
	 {PEER_ISOLATE, "--silent", "--processes=64", "--meta=FILE", prepared.isolate_dir, "--run",
	  "--"},
	 1},
};

/* "0.05 0.01 8192" of GNU time, or the lines of isolate's meta file. */
static int read_results(const char *path, double *cpu_ms, double *mib)
{
	AUTO_FREE char *text = NULL;
	struct err e;
	size_t len;
	double user;
	double kernel;
	double kib;
	const char *time;
	const char *rss;

	if (io_read_file(path, 4096, &text, &len, &e) < 0)
		return -1;
	time = strstr(text, "time:");
	rss = strstr(text, "max-rss:");
	if (time && rss) {
		*cpu_ms = strtod(time + strlen("time:"), NULL) * 1e3;
		*mib = strtod(rss + strlen("max-rss:"), NULL) / 1024;
		return 0;
	}
	if (sscanf(text, "%lf %lf %lf", &user, &kernel, &kib) != 3)
		return -1;
	*cpu_ms = (user + kernel) * 1e3;
	*mib = kib / 1024;
	return 0;
}

static void say(const struct measured *m, const char *why)
{
	snprintf(m->cpu->note, sizeof(m->cpu->note), "%s", why);
	snprintf(m->memory->note, sizeof(m->memory->note), "%s", why);
}

/* A peer that is not there, or does not work here, is a note and not our failure. */
static void beside(const struct language *l, const struct peer *peer, int busy, const char *scratch)
{
	const char *argv[32] = {NULL};
	const char *const *program = peer->inside ? l->inside : l->outside;
	struct measured m = rows(l, peer->name, "-", busy);
	char meta[64];
	size_t n = 0;

	snprintf(meta, sizeof(meta), "--meta=%s", scratch);
	for (size_t i = 0; peer->prefix[i]; i++) {
		const char *word = peer->prefix[i];

		if (word[0] == '/' && word[1] && access(word, X_OK) < 0) {
			say(&m, "not installed");
			return;
		}
		argv[n++] = strcmp(word, "FILE") == 0          ? scratch
			    : strcmp(word, "--meta=FILE") == 0 ? meta
							       : word;
	}
	for (size_t i = 0; program[i]; i++)
		argv[n++] = program[i];
	for (unsigned i = 0; i < plan.runs; i++) {
		double cpu = 0;
		double memory = 0;

		if (peers_run_quietly(argv) != 0 || read_results(scratch, &cpu, &memory) < 0) {
			say(&m, "it failed here");
			return;
		}
		series_add(&m.cpu->runs, cpu);
		series_add(&m.memory->runs, memory);
	}
}

/* Before the rows are sorted. */
static void first_and_last(const struct language *l, const struct series *memory)
{
	char name[64];
	char text[96];

	snprintf(name, sizeof(name), "memory_last/%s", l->name);
	snprintf(text, sizeof(text), "memory of the last run of fixed %s / the first's", l->name);
	struct row *r = table_row(&table, keep_text(name), keep_text(text));

	r->unit = "MiB";
	r->verify = "on";
	r->baseline = memory->at[0];
	series_add(&r->runs, memory->at[memory->n - 1]);
	snprintf(r->note, sizeof(r->note), "run 1: %.3f MiB, run %zu: %.3f MiB", memory->at[0],
		 memory->n, memory->at[memory->n - 1]);
}

static void drop_caches(void)
{
	AUTO_CLOSE int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	if (fd < 0 || write(fd, "1", 1) != 1)
		fprintf(stderr, "bench: the page cache could not be dropped: %s\n",
			strerror(errno));
}

static int ours(const struct language *l, int busy, struct err *e)
{
	struct measured m = rows(l, "sandbox", "on", busy);
	struct jailed_run what = {.argv = (char *const *)l->inside,
				  .policy = l->policy,
				  .cpu_time_us = 30000000,
				  .wall_time_us = 120000000,
				  .memory_bytes = 512 << 20};
	struct jailed_report r;
	struct jailed j;
	int status;

	if (jailed_open(&j, NULL, e) < 0)
		return -1;
	status = jailed_keep(&j, l->file, e);
	if (plan.drop_caches && !busy)
		drop_caches();
	for (unsigned i = 0; i < plan.runs && status == 0; i++) {
		status = jailed_run(&j, &what, &r, e);
		if (status == 0 && (r.status != SANDBOX__STATUS__EXITED || r.exit_code != 0))
			status = err_set(e, "%s: status %d, exit code %d %s", l->name, r.status,
					 r.exit_code, r.text);
		if (status == 0) {
			series_add(&m.cpu->runs, (double)r.cpu_time_us / 1e3);
			series_add(&m.memory->runs, (double)r.memory_peak_bytes / MIB);
		}
	}
	jailed_close(&j);
	if (status == 0 && !busy)
		first_and_last(l, &m.memory->runs);
	return status;
}

static int spread(int busy, const char *scratch, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		const struct language *l = &languages[i];

		fprintf(stderr, "bench: spread of fixed %s, %s\n", l->name,
			busy ? "all cells busy" : "idle");
		if (access(l->inside[0], X_OK) < 0 && strncmp(l->inside[0], "/program/", 9) != 0) {
			fprintf(stderr, "bench: %s is not installed, left out\n", l->inside[0]);
			continue;
		}
		if (ours(l, busy, e) < 0)
			return -1;
		for (size_t k = 0; k < ARRAY_LEN(peers); k++)
			beside(l, &peers[k], busy, scratch);
	}
	return 0;
}

/* Its CPU time when nothing else ran: the first row of the spread. */
static double need_of_c(void)
{
	for (size_t i = 0; i < table.n; i++)
		if (strcmp(table.rows[i].name, "cpu/c/sandbox/idle") == 0)
			return series_percentile(&table.rows[i].runs, 50);
	return 0;
}

/* Fixed C under a limit a quarter above what it needs, and a quarter below: the neighbours must not matter. */
static int verdicts(double needs_ms, struct err *e)
{
	struct row *row =
		table_row(&table, "verdicts/busy",
			  "verdicts changed by busy cells, limits 0.75x and 1.25x of the need");
	char *const argv[] = {"/program/fixed", NULL};
	struct jailed_report r;
	struct jailed j;
	int status;

	row->unit = "";
	row->verify = "on";
	if (jailed_open(&j, NULL, e) < 0)
		return -1;
	status = jailed_keep(&j, "build/bench/fixed", e);
	for (unsigned i = 0; i < 2 * plan.runs && status == 0; i++) {
		int enough = i % 2;
		struct jailed_run what = {.argv = argv,
					  .policy = "native",
					  .cpu_time_us =
						  (uint64_t)(needs_ms * (enough ? 1250 : 750)),
					  .wall_time_us = 60000000};
		int expected = enough ? SANDBOX__STATUS__EXITED : SANDBOX__STATUS__CPU_TIME_LIMIT;

		status = jailed_run(&j, &what, &r, e);
		if (status == 0)
			series_add(&row->runs, r.status != expected);
	}
	jailed_close(&j);
	double changed = 0;

	for (size_t i = 0; i < row->runs.n; i++)
		changed += row->runs.at[i];
	snprintf(row->note, sizeof(row->note), "%.0f of %zu verdicts were not as expected", changed,
		 row->runs.n);
	return status;
}

static int spread_busy(const char *scratch, struct err *e)
{
	struct neighbour n[NEIGHBOURS_MAX] = {0};
	unsigned open = 0;
	int status = 0;

	while (open < plan.neighbours && status == 0) {
		status = neighbour_open(&n[open], SPIN, e);
		open += status == 0;
	}
	if (status == 0)
		status = spread(1, scratch, e);
	if (status == 0)
		status = verdicts(need_of_c(), e);
	while (open > 0)
		neighbour_close(&n[--open]);
	return status;
}

/* --- the program */

static const char usage[] =
	"usage: bench_exact [--runs N] [--neighbours N] [--only overrun|spread] [--drop-caches] "
	"[--json]\n"
	"neighbours: busy cells beside the measured one; as many as there are other CPUs, at least "
	"1.\n"
	"Run it as root from the folder of the Makefile; `make bench-exact` does.\n";

static int number(const char *text, unsigned most, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '-' || *end || n < 1 || n > most) {
		fprintf(stderr, "bench_exact: '%s' is not a number from 1 to %u\n", text, most);
		return -1;
	}
	*out = (unsigned)n;
	return 0;
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
						{"neighbours", required_argument, NULL, 'n'},
						{"only", required_argument, NULL, 'o'},
						{"drop-caches", no_argument, NULL, 'd'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r' && number(optarg, 100000, &plan.runs) < 0)
			return -1;
		if (option == 'n' && number(optarg, NEIGHBOURS_MAX, &plan.neighbours) < 0)
			return -1;
		if (option == 'o')
			plan.only = optarg;
		if (option == '?' || (option == 'o' && strcmp(optarg, "overrun") != 0 &&
				      strcmp(optarg, "spread") != 0))
			return -1;
		plan.drop_caches |= option == 'd';
		plan.json |= option == 'j';
	}
	return optind == argc ? 0 : -1;
}

static int measure(struct err *e)
{
	char why[256];
	char scratch[] = "/tmp/gavel-time-XXXXXX";
	int status = 0;

	if (jailed_refuses_without("ids", why, sizeof(why), e) < 0)
		return -1;
	fprintf(stderr, "bench: verify is on: without the step ids a run is refused: %s\n", why);
	if (!plan.only || strcmp(plan.only, "overrun") == 0)
		status = overruns(e);
	if (status == 0 && (!plan.only || strcmp(plan.only, "spread") == 0)) {
		AUTO_CLOSE int fd = mkstemp(scratch);

		if (fd < 0)
			return err_sys(e, "mkstemp %s", scratch);
		status = spread(0, scratch, e);
		if (status == 0)
			status = spread_busy(scratch, e);
		(void)unlink(scratch);
	}
	return status;
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct err e = {0};
	int status;

	plan.neighbours = cpus < 2                ? 1
			  : cpus > NEIGHBOURS_MAX ? NEIGHBOURS_MAX
						  : (unsigned)cpus - 1;
	if (parse(argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid() != 0 || access(SPIN, X_OK) < 0) {
		fputs("bench_exact: needs root, and " SPIN " (make bench-exact builds it)\n",
		      stderr);
		return 2;
	}
	log_open("bench", LOG_ERROR);
	cell_watch_first(); /* as keepers do */
	status = peers_prepare(&prepared, "build/bench", "build/bench/nothing", &e);
	if (status == 0)
		status = measure(&e);
	peers_clean(&prepared);
	(plan.json ? table_print_json : table_print)(&table, "Gavel: exactness");
	table_release(&table);
	if (status < 0)
		fprintf(stderr, "bench_exact: %s\n", e.msg);
	return status < 0 ? 1 : 0;
}
