#include "judge/verify.h"

#include <getopt.h>

#include "judge/config.h"
#include "judge/doc_value.h"
#include "judge/verify_host.h"
#include "judge/verify_judge.h"
#include "judge/verify_world.h"
#include "proto/err.h"
#include "proto/scope.h"

#define TRANSCRIPT_BYTES 65536

static const char usage[] =
	"usage: judge verify [OPTION]... PACKAGE...\n"
	"Judges every program in submissions/ of problem packages (folders, or .zip and .kpp\n"
	"archives) and says whether each gets the verdict that its folder names.  Run as root,\n"
	"it starts what it needs, gives up root before it opens a package, and leaves nothing\n"
	"behind; so it does for a plain user who may have cells, see sandbox(1).\n"
	"\n"
	"  --jobs N      programs judged at the same time (number of physical cores)\n"
	"  --pin CPUS    give each run one of these CPUs to itself: 0-3,8 or all; exact, and "
	"slower\n"
	"  --json        one JSON object instead of tables\n"
	"  --transcript  interactive problems: show what was said in the last test of each "
	"program\n"
	"  --rules DIR   rules of languages and sandbox (those beside this program)\n"
	"  --user NAME   the user to be while judging (gavel if there is one, else nobody)\n"
	"  --socket DIR  use the sandboxd that has its sockets there; needs no rights\n"
	"  --help\n"
	"\n"
	"Exit status: 0 all as expected, 1 not, 2 usage, 3 the judge failed.\n";

enum { OPT_JOBS, OPT_PIN, OPT_JSON, OPT_RULES, OPT_USER, OPT_SOCKET, OPT_TRANSCRIPT, OPT_HELP };

static const struct option options[] = {
	{"jobs", required_argument, NULL, OPT_JOBS},
	{"pin", required_argument, NULL, OPT_PIN},
	{"json", no_argument, NULL, OPT_JSON},
	{"rules", required_argument, NULL, OPT_RULES},
	{"user", required_argument, NULL, OPT_USER},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"transcript", no_argument, NULL, OPT_TRANSCRIPT},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct settings {
	struct verify_host_options host;
	int json, transcript, help;
	char **packages;
	size_t n;
};

static int set_option(struct settings *s, int option, char *value)
{
	uint64_t n;

	switch (option) {
	case OPT_JOBS:
		if (doc_value_count(value, &n) < 0 || n < 1 || n > VERIFY_JOBS_MAX) {
			fprintf(stderr, "judge verify: --jobs: expected a number from 1 to %d\n",
				VERIFY_JOBS_MAX);
			return -1;
		}
		s->host.cells = (unsigned)n;
		return 0;
	case OPT_PIN:
		s->host.pin = value;
		return 0;
	case OPT_JSON:
		s->json = 1;
		return 0;
	case OPT_RULES:
		s->host.rules = value;
		return 0;
	case OPT_USER:
		s->host.user = value;
		return 0;
	case OPT_SOCKET:
		s->host.socket = value;
		return 0;
	case OPT_TRANSCRIPT:
		s->transcript = 1;
		return 0;
	case OPT_HELP:
		s->help = 1;
		return 0;
	default: /* getopt has said what is wrong */
		return -1;
	}
}

static int read_options(struct settings *s, int argc, char **argv)
{
	int option;

	s->host.cells = config_physical_cores();
	if (s->host.cells > VERIFY_JOBS_MAX)
		s->host.cells = VERIFY_JOBS_MAX;
	optind = 1;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set_option(s, option, optarg) < 0)
			return -1;
	if (s->host.pin && s->host.socket) {
		fputs("judge verify: --pin: the sandboxd of --socket has that option itself\n",
		      stderr);
		return -1;
	}
	s->packages = argv + optind;
	s->n = (size_t)(argc - optind);
	if (s->n > 0 || s->help)
		return 0;
	fprintf(stderr,
		"judge verify: which package?  Expected its folder or archive, see --help\n");
	return -1;
}

static int verify_all(struct verify_world *w, const struct settings *s)
{
	json_t *list = s->json ? json_array() : NULL;
	int worst = VERIFY_OK;

	for (size_t i = 0; i < s->n && worst != VERIFY_FAILED; i++) {
		int rc = (int)verify_package(w, s->packages[i], list);

		worst = rc > worst ? rc : worst;
	}
	if (list) {
		json_t *root = json_pack("{s:b, s:o}", "as_expected", worst == VERIFY_OK,
					 "packages", list);

		json_dumpf(root, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(root);
	}
	return worst;
}

/* In the unprivileged process. */
static int judge_packages(void *arg, const struct verify_host *host)
{
	const struct settings *s = arg;
	struct verify_world w = {.host = host,
				 .jobs = s->host.cells,
				 .transcript_bytes = s->transcript ? TRANSCRIPT_BYTES : 0};
	struct err e = {0};
	int rc = VERIFY_FAILED;

	if (verify_world_open(&w, "judge verify", &e) == 0)
		rc = verify_all(&w, s);
	else
		fprintf(stderr, "judge verify: %s\n", e.msg);
	verify_world_close(&w);
	return rc;
}

int verify_main(int argc, char **argv)
{
	struct settings s = {0};
	struct err e = {0};
	int rc;

	if (read_options(&s, argc, argv) < 0)
		return VERIFY_USAGE;
	if (s.help) {
		fputs(usage, stdout);
		return VERIFY_OK;
	}
	rc = verify_host_run(&s.host, judge_packages, &s, &e);
	if (rc >= 0)
		return rc;
	fprintf(stderr, "judge verify: %s\n", e.msg);
	return VERIFY_FAILED;
}
