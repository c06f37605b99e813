/*
 * sandboxd - the privileged runner; see sandbox/README.md.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "proto/version.h"
#include "sandbox/core.h"
#include "sandbox/root_cache.h"
#include "sandbox/serve.h"

static const char usage[] =
	"usage: sandboxd [OPTION]...\n"
	"Confines the programs that judged sends; for root, or for one user (see sandboxd(8)).\n"
	"\n"
	"  --socket DIR       folder of program.sock and jury.sock (/run/gavel;\n"
	"                     $XDG_RUNTIME_DIR/gavel without root)\n"
	"  --rules DIR        folder with roots/ and seccomp/ (rules)\n"
	"  --root-cache DIR   where OCI images are unpacked (" ROOT_CACHE_DIR ";\n"
	"                     /var/tmp/gavel-UID/roots without root)\n"
	"  --cells N          cells for contestants' programs, 1 to 128 (number of CPUs)\n"
	"  --jury-cells N     cells for validators, 1 to 128 (number of CPUs)\n"
	"  --allow-uid UID    a user who may connect, besides the one who starts it; may be "
	"repeated\n"
	"  --pin CPUS         give each run one of these CPUs to itself: 0-3,8 or all; others "
	"wait\n"
	"  --ids BASE:COUNT   host ids of the cells (1900000000:65536; those of /etc/subuid\n"
	"                     without root)\n"
	"  --log-level LEVEL  debug, info, warn or error (info)\n"
	"  --help, --version\n";

enum {
	OPT_SOCKET,
	OPT_RULES,
	OPT_CACHE,
	OPT_CELLS,
	OPT_JURY,
	OPT_ALLOW,
	OPT_PIN,
	OPT_IDS,
	OPT_LOG,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"rules", required_argument, NULL, OPT_RULES},
	{"root-cache", required_argument, NULL, OPT_CACHE},
	{"cells", required_argument, NULL, OPT_CELLS},
	{"jury-cells", required_argument, NULL, OPT_JURY},
	{"allow-uid", required_argument, NULL, OPT_ALLOW},
	{"pin", required_argument, NULL, OPT_PIN},
	{"ids", required_argument, NULL, OPT_IDS},
	{"log-level", required_argument, NULL, OPT_LOG},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

struct settings {
	struct serve_options serve;
	cpu_set_t cpus;
	int log_level;
	int stop; /* --help or --version has been answered */
};

/* A whole decimal number from least to most, up to the end of the text or `end`. */
static int number(const char *what, const char *text, unsigned long least, unsigned long most,
		  unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && text[0] != '-' && *out >= least &&
	    *out <= most)
		return 0;
	fprintf(stderr, "sandboxd: %s: '%s' is not a number from %lu to %lu\n", what, text, least,
		most);
	return -1;
}

static int set_ids(struct serve_options *o, char *text)
{
	char *colon = strchr(text, ':');
	unsigned long base;
	unsigned long count;

	if (!colon) {
		fprintf(stderr, "sandboxd: --ids: '%s' is not BASE:COUNT\n", text);
		return -1;
	}
	*colon = '\0';
	if (number("--ids BASE", text, 65536, INT_MAX - 65536, &base) < 0 ||
	    number("--ids COUNT", colon + 1, 2, 1 << 24, &count) < 0)
		return -1;
	o->ids_base = (uid_t)base;
	o->ids_count = (uid_t)count;
	return 0;
}

static int set_allow(struct serve_options *o, const char *text)
{
	unsigned long uid;

	if (o->nallow == KEEPER_ALLOW_MAX - 1) {
		fprintf(stderr, "sandboxd: --allow-uid: at most %d times\n", KEEPER_ALLOW_MAX - 1);
		return -1;
	}
	if (number("--allow-uid", text, 0, UINT_MAX - 1, &uid) < 0)
		return -1;
	o->allow[o->nallow++] = (uid_t)uid;
	return 0;
}

static int set_count(const char *what, const char *text, unsigned *out)
{
	unsigned long n;

	if (number(what, text, 1, SERVE_CELLS_MAX / 2, &n) < 0)
		return -1;
	*out = (unsigned)n;
	return 0;
}

static int set_pin(struct settings *s, const char *text)
{
	struct err e;

	s->serve.cpus = &s->cpus;
	if (core_list_parse(text, &s->cpus, &e) == 0)
		return 0;
	fprintf(stderr, "sandboxd: --pin: %s\n", e.msg);
	return -1;
}

static int set_log_level(struct settings *s, const char *text)
{
	s->log_level = log_level_parse(text);
	if (s->log_level >= 0)
		return 0;
	fprintf(stderr, "sandboxd: --log-level: '%s' is not debug, info, warn or error\n", text);
	return -1;
}

static int set_option(struct settings *s, int option, char *value)
{
	switch (option) {
	case OPT_SOCKET:
		s->serve.socket_dir = value;
		return 0;
	case OPT_RULES:
		s->serve.rules_dir = value;
		return 0;
	case OPT_CACHE:
		s->serve.root_cache = value;
		return 0;
	case OPT_CELLS:
		return set_count("--cells", value, &s->serve.program_cells);
	case OPT_JURY:
		return set_count("--jury-cells", value, &s->serve.jury_cells);
	case OPT_ALLOW:
		return set_allow(&s->serve, value);
	case OPT_PIN:
		return set_pin(s, value);
	case OPT_IDS:
		return set_ids(&s->serve, value);
	case OPT_LOG:
		return set_log_level(s, value);
	case OPT_HELP:
		fputs(usage, stdout);
		s->stop = 1;
		return 0;
	case OPT_VERSION:
		puts("sandboxd " GAVEL_VERSION);
		s->stop = 1;
		return 0;
	default: /* getopt has said what is wrong */
		return -1;
	}
}

/* Where --socket does not say. */
static int default_socket(struct serve_options *o, struct err *e)
{
	static char dir[PATH_MAX];
	const char *runtime =
		getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */

	o->socket_dir = "/run/gavel";
	if (geteuid() == 0)
		return 0;
	if (!runtime || *runtime != '/')
		return err_set(e, "--socket: say which folder, or set XDG_RUNTIME_DIR");
	if (snprintf(dir, sizeof(dir), "%s/gavel", runtime) >= (int)sizeof(dir))
		return err_set(e, "XDG_RUNTIME_DIR: the path is too long");
	o->socket_dir = dir;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	struct settings s = {
		.serve = {.rules_dir = "rules", .program_cells = cpus, .jury_cells = cpus},
		.log_level = LOG_INFO};
	struct err e = {0};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (set_option(&s, option, optarg) < 0)
			return 2;
		if (s.stop)
			return 0;
	}
	if (optind < argc) {
		fprintf(stderr, "sandboxd: '%s': no arguments are expected\n", argv[optind]);
		return 2;
	}
	log_open("sandboxd", (enum log_level)s.log_level);
	if ((!s.serve.socket_dir && default_socket(&s.serve, &e) < 0) || serve(&s.serve, &e) < 0) {
		log_event(LOG_ERROR, "stopped", "reason=%s", log_q(e.msg));
		return 1;
	}
	return 0;
}
