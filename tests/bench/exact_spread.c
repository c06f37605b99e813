#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "tests/bench/exact.h"
#include "tests/bench/jailed.h"
#include "tests/bench/neighbour.h"

#define MIB         (1024.0 * 1024.0)
#define ISOLATE_DIR "--dir"

#define JAVA "/usr/bin/java", "-Xmx64m", "-Xss64m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp"

static const struct language {
	const char *name, *file, *policy;
	const char *folders;                  /* of its system files, a pattern */
	const char *inside[10], *outside[10]; /* the command, in a cell and on the host */
} languages[] = {
	{"c", "build/bench/fixed", "native", NULL, {"/program/fixed"}, {"build/bench/fixed"}},
	{"python",
	 "build/bench/fixed.py",
	 "managed",
	 "/usr/lib/python3*",
	 {"/usr/bin/python3", "-s", "/program/fixed.py"},
	 {"/usr/bin/python3", "-s", "build/bench/fixed.py"}},
	{"java",
	 "build/bench/Fixed.class",
	 "managed",
	 "/usr/lib/jvm",
	 {JAVA, "/program", "Fixed"},
	 {JAVA, "build/bench", "Fixed"}},
};

/* One program under one measuring tool: CPU time and memory, in the order of the runs. */
struct measured {
	struct row *cpu, *memory;
};

static struct measured rows(struct exact *x, const struct language *l, const char *tool,
			    const char *verify, int busy)
{
	char name[96];
	char text[128];
	const char *when = busy ? "all cells busy" : "idle";
	struct measured m;

	snprintf(name, sizeof(name), "cpu/%s/%s/%s", l->name, tool, busy ? "busy" : "idle");
	snprintf(text, sizeof(text), "CPU time of fixed %s, %s, %s", l->name, tool, when);
	m.cpu = table_row(&x->table, exact_text(name), exact_text(text));
	snprintf(name, sizeof(name), "memory/%s/%s/%s", l->name, tool, busy ? "busy" : "idle");
	snprintf(text, sizeof(text), "memory peak of fixed %s, %s, %s", l->name, tool, when);
	m.memory = table_row(&x->table, exact_text(name), exact_text(text));
	m.memory->unit = "MiB";
	m.cpu->verify = m.memory->verify = verify;
	m.cpu->spread = m.memory->spread = 1;
	return m;
}

/* What measures beside us; ISOLATE_DIR stands for peers.isolate_dir.  GNU time goes into bwrap: bwrap does not wait for its program, so outside nothing is to be seen. */
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
	 {PEER_ISOLATE, "--silent", "--processes=64", "--meta=FILE", ISOLATE_DIR, "--run", "--"},
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
static void beside(struct exact *x, const struct language *l, const struct peer *peer, int busy,
		   const char *scratch)
{
	const char *argv[32] = {NULL};
	const char *const *program = peer->inside ? l->inside : l->outside;
	struct measured m = rows(x, l, peer->name, "-", busy);
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
			    : strcmp(word, ISOLATE_DIR) == 0   ? x->prepared.isolate_dir
			    : strcmp(word, "--meta=FILE") == 0 ? meta
							       : word;
	}
	for (size_t i = 0; program[i]; i++)
		argv[n++] = program[i];
	for (unsigned i = 0; i < x->runs / 10; i++) {
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
static void first_and_last(struct exact *x, const struct language *l, const struct series *memory,
			   double cache_mib)
{
	char name[64];
	char text[96];

	snprintf(name, sizeof(name), "memory_last/%s", l->name);
	snprintf(text, sizeof(text), "memory of the last run of fixed %s / the first's, read cold",
		 l->name);
	struct row *r = table_row(&x->table, exact_text(name), exact_text(text));

	r->unit = "MiB";
	r->verify = "on";
	r->baseline = memory->at[0];
	series_add(&r->runs, memory->at[memory->n - 1]);
	snprintf(r->note, sizeof(r->note),
		 "run 1: %.3f MiB, and %.1f MiB of page cache that is not its own; run %zu: %.3f "
		 "MiB",
		 memory->at[0], cache_mib, memory->n, memory->at[memory->n - 1]);
}

static int evict_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	AUTO_CLOSE int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	(void)st;
	(void)at;
	if (fd >= 0)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/* Takes the language's files out of the page cache, but for those that somebody has mapped: the first run finds them on disk. */
static void evict(const struct language *l)
{
	glob_t found;

	if (!l->folders || glob(l->folders, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		(void)nftw(found.gl_pathv[i], evict_file, 16, FTW_PHYS);
	globfree(&found);
}

static int ours(struct exact *x, const struct language *l, int busy, struct err *e)
{
	struct measured m = rows(x, l, "sandbox", "on", busy);
	struct jailed_run what = {.argv = (char *const *)l->inside,
				  .policy = l->policy,
				  .cpu_time_us = 30000000,
				  .wall_time_us = 120000000,
				  .memory_bytes = 512 << 20};
	struct jailed_report r;
	struct jailed j;
	double cache = 0;
	int status;

	if (jailed_open(&j, NULL, e) < 0)
		return -1;
	status = jailed_keep(&j, l->file, e);
	if (!busy)
		evict(l);
	for (unsigned i = 0; i < x->runs / 10 && status == 0; i++) {
		status = jailed_run(&j, &what, &r, e);
		if (status == 0 && (r.status != SANDBOX__STATUS__EXITED || r.exit_code != 0))
			status = err_set(e, "%s: status %d, exit code %d %s", l->name, r.status,
					 r.exit_code, r.text);
		if (status == 0) {
			series_add(&m.cpu->runs, (double)r.cpu_time_us / 1e3);
			series_add(&m.memory->runs, (double)r.memory_peak_bytes / MIB);
			if (i == 0)
				cache = (double)r.file_bytes / MIB;
		}
	}
	jailed_close(&j);
	if (status == 0 && !busy)
		first_and_last(x, l, &m.memory->runs, cache);
	return status;
}

static int spread(struct exact *x, int busy, const char *scratch, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		const struct language *l = &languages[i];

		char what[64];

		snprintf(what, sizeof(what), "spread of fixed %s, %s", l->name,
			 busy ? "all cells busy" : "idle");
		exact_progress(what, 0, 0);
		if (access(l->inside[0], X_OK) < 0 && strncmp(l->inside[0], "/program/", 9) != 0) {
			fprintf(stderr, "bench: %s is not installed, left out\n", l->inside[0]);
			continue;
		}
		if (ours(x, l, busy, e) < 0)
			return -1;
		for (size_t k = 0; k < ARRAY_LEN(peers); k++)
			beside(x, l, &peers[k], busy, scratch);
	}
	return 0;
}

/* Its CPU time when nothing else ran: the first row of the spread. */
static double need_of_c(struct exact *x)
{
	for (size_t i = 0; i < x->table.n; i++)
		if (strcmp(x->table.rows[i].name, "cpu/c/sandbox/idle") == 0)
			return series_percentile(&x->table.rows[i].runs, 50);
	return 0;
}

/* Fixed C under a limit a quarter above what it needs, and a quarter below: the neighbours must not matter. */
static int verdicts(struct exact *x, double needs_ms, struct err *e)
{
	struct row *row =
		table_row(&x->table, "verdicts/busy",
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
	for (unsigned i = 0; i < x->runs / 5 && status == 0; i++) {
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

static int spread_busy(struct exact *x, const char *scratch, struct err *e)
{
	struct neighbour *n = calloc(x->neighbours, sizeof(*n));
	unsigned open = 0;
	int status = n ? 0 : err_set(e, "out of memory");

	while (open < x->neighbours && status == 0) {
		status = neighbour_open(&n[open], EXACT_SPIN, e);
		open += status == 0;
	}
	if (status == 0)
		status = spread(x, 1, scratch, e);
	if (status == 0)
		status = verdicts(x, need_of_c(x), e);
	while (open > 0)
		neighbour_close(&n[--open]);
	free(n);
	return status;
}

int exact_spreads(struct exact *x, struct err *e)
{
	char scratch[] = "/tmp/gavel-time-XXXXXX";
	AUTO_CLOSE int fd = mkstemp(scratch);
	int status;

	if (fd < 0)
		return err_sys(e, "mkstemp %s", scratch);
	status = spread(x, 0, scratch, e);
	if (status == 0)
		status = spread_busy(x, scratch, e);
	(void)unlink(scratch);
	return status;
}
