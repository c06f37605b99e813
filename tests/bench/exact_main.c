/*
 * bench_exact - how exact the sandbox is (`make bench-exact`).
 *
 * Overrun: CPU time, read after death, beyond a limit, for programs that burn it in threads and in processes, pinned to one CPU
 * and not.  Spread: CPU time and memory peak of the same program run again and again, alone and while every other cell is busy,
 * beside what GNU time says about the program bare and in bwrap.  First and last: the memory of the first run in a new cell and of
 * the last one.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/log.h"
#include "tests/bench/exact.h"
#include "tests/bench/jailed.h"

#define NEIGHBOURS_MAX 64

static const char usage[] =
	"usage: bench_exact [--runs N] [--neighbours N] [--only overrun|spread] "
	"[--json]\n"
	"runs: of each row of overruns, 1000; a row of spread has a tenth of them.\n"
	"neighbours: busy cells beside the measured one; as many as there are other CPUs, at least "
	"1.\n"
	"Run it as root from the folder of the Makefile; `make bench-exact` does.\n";

static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
					{"neighbours", required_argument, NULL, 'n'},
					{"only", required_argument, NULL, 'o'},
					{"json", no_argument, NULL, 'j'},
					{NULL, 0, NULL, 0}};

static struct exact bench = {.runs = 1000};
static const char *only;
static int json;

const char *exact_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

void exact_progress(const char *what, unsigned done, unsigned of)
{
	if (of == 0 || done == 0)
		fprintf(stderr, "bench: %s\n", what);
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, "  %u of %u\r", done + 1, of);
}

static int number(const char *text, unsigned least, unsigned most, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '-' || *end || n < least || n > most) {
		fprintf(stderr, "bench_exact: '%s' is not a number from %u to %u\n", text, least,
			most);
		return -1;
	}
	*out = (unsigned)n;
	return 0;
}

static int parse(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r' && number(optarg, 10, 100000, &bench.runs) < 0)
			return -1;
		if (option == 'n' && number(optarg, 1, NEIGHBOURS_MAX, &bench.neighbours) < 0)
			return -1;
		if (option == 'o')
			only = optarg;
		if (option == '?' || (option == 'o' && strcmp(optarg, "overrun") != 0 &&
				      strcmp(optarg, "spread") != 0))
			return -1;
		json |= option == 'j';
	}
	return optind == argc ? 0 : -1;
}

static int measure(struct err *e)
{
	char why[256];

	if (jailed_refuses_without("ids", why, sizeof(why), e) < 0)
		return -1;
	fprintf(stderr, "bench: verify is on: without the step ids a run is refused: %s\n", why);
	if ((!only || strcmp(only, "overrun") == 0) && exact_overruns(&bench, e) < 0)
		return -1;
	return !only || strcmp(only, "spread") == 0 ? exact_spreads(&bench, e) : 0;
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct err e = {0};
	int status;

	bench.neighbours = cpus < 2                ? 1
			   : cpus > NEIGHBOURS_MAX ? NEIGHBOURS_MAX
						   : (unsigned)cpus - 1;
	if (parse(argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid() != 0 || access(EXACT_SPIN, X_OK) < 0) {
		fputs("bench_exact: needs root, and " EXACT_SPIN " (make bench-exact builds it)\n",
		      stderr);
		return 2;
	}
	log_open("bench", LOG_ERROR);
	cell_watch_first(); /* as keepers do */
	status = peers_prepare(&bench.prepared, "build/bench", "build/bench/nothing", &e);
	if (status == 0)
		status = measure(&e);
	peers_clean(&bench.prepared);
	(json ? table_print_json : table_print)(&bench.table, "Gavel: exactness");
	table_release(&bench.table);
	if (status < 0)
		fprintf(stderr, "bench_exact: %s\n", e.msg);
	return status < 0 ? 1 : 0;
}
