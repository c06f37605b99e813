/*
 * bench_speed - what a run costs, beside bare fork+exec and beside other sandboxes (`make bench`).
 *
 * Every timed run is a whole one: all layers on, the jail's verify step included.  The baseline is timed twice: alone, before
 * anything else runs ("clean"), and between the others in random order, where cgroup work slows it too.  Ratios are to the
 * clean one, which is the harder comparison.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "tests/bench/jailed.h"
#include "tests/bench/peers.h"
#include "tests/bench/speed.h"

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

static int wanted(const struct plan *p, const char *part)
{
	size_t len = strlen(part);

	for (const char *at = p->only; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, part, len) == 0 && (at[len] == ',' || !at[len]))
			return 1;
	return !p->only;
}

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

static const struct part {
	const char *name;
	int (*run)(struct bench *b, struct err *e);
} parts[] = {
	{"warm", speed_warm}, {"idle", speed_idle},       {"tests", speed_tests},
	{"cold", speed_cold}, {"sixteen", speed_sixteen},
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
	speed_progress("the baseline, alone");
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
