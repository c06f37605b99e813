/*
 * judged - the judge's server; see judge/README.md.
 */
#include <errno.h>
#include <getopt.h>
#include <sys/resource.h>
#include <unistd.h>

#include "judge/config.h"
#include "judge/confine.h"
#include "judge/server.h"
#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "proto/version.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define FILES_MAX    16384
#define OPTIONS_MAX  64
#define OPTION_BYTES 32

enum own_option { OPT_CONFIG = OPTIONS_MAX, OPT_ALLOW_ROOT, OPT_HELP, OPT_VERSION };

static const struct {
	const char *name, *argument, *help;
	enum own_option option;
} own_options[] = {
	{"config", "FILE", "read settings from FILE first, such as rules/judge.yaml", OPT_CONFIG},
	{"allow-root", NULL, "run even as root", OPT_ALLOW_ROOT},
	{"help", NULL, "show this", OPT_HELP},
	{"version", NULL, "show the version", OPT_VERSION},
};

struct settings {
	struct config config;
	int allow_root;
	int stop; /* --help or --version has been answered */
	/* The keys of the configuration, as options. */
	char names[OPTIONS_MAX][OPTION_BYTES];
	struct option options[OPTIONS_MAX];
};

/* Every key of the configuration is an option, with '-' for '_'. */
static void fill_options(struct settings *s)
{
	const char *help;
	const char *key;
	size_t n = 0;

	for (size_t i = 0; (key = config_key(i, &help)) && n < OPTIONS_MAX / 2; i++, n++) {
		snprintf(s->names[n], OPTION_BYTES, "%s", key);
		for (char *c = s->names[n]; *c; c++)
			if (*c == '_')
				*c = '-';
		s->options[n] = (struct option){s->names[n], required_argument, NULL, (int)n};
	}
	for (size_t i = 0; i < ARRAY_LEN(own_options); i++, n++)
		s->options[n] =
			(struct option){own_options[i].name,
					own_options[i].argument ? required_argument : no_argument,
					NULL, (int)own_options[i].option};
}

static void print_help(const struct settings *s)
{
	const char *help;

	puts("usage: judged [--config FILE] [OPTION VALUE]...\n"
	     "Serves judge.v1 over gRPC and judges what is submitted.  Options win over the "
	     "file.\n");
	for (size_t i = 0; i < ARRAY_LEN(own_options); i++)
		printf("  --%-16s %s\n", own_options[i].name, own_options[i].help);
	for (size_t i = 0; config_key(i, &help); i++)
		printf("  --%-16s %s\n", s->names[i], help);
}

static int set_option(struct settings *s, int option, const char *value, struct err *e)
{
	switch (option) {
	case OPT_CONFIG: /* read before all others */
		return 0;
	case OPT_ALLOW_ROOT:
		s->allow_root = 1;
		return 0;
	case OPT_HELP:
		print_help(s);
		s->stop = 1;
		return 0;
	case OPT_VERSION:
		puts("judged " GAVEL_VERSION);
		s->stop = 1;
		return 0;
	case '?':
		return err_set(e, "see judged --help");
	default:
		return config_set(&s->config, s->names[option], value, e);
	}
}

/* NOLINTBEGIN(concurrency-mt-unsafe): getopt, before any thread */

/* The file is read first, wherever it stands, so that options win. */
static int read_files(struct settings *s, int argc, char **argv, struct err *e)
{
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "", s->options, NULL)) != -1)
		if (option == OPT_CONFIG && config_load(&s->config, optarg, e) < 0)
			return -1;
	return 0;
}

static int read_options(struct settings *s, int argc, char **argv, struct err *e)
{
	int option;

	if (config_init(&s->config, e) < 0)
		return -1;
	fill_options(s);
	if (read_files(s, argc, argv, e) < 0)
		return -1;
	opterr = 1;
	optind = 1;
	while (!s->stop && (option = getopt_long(argc, argv, "", s->options, NULL)) != -1)
		if (set_option(s, option, optarg, e) < 0)
			return -1;
	if (!s->stop && optind < argc)
		return err_set(e, "'%s': no arguments are expected, see judged --help",
			       argv[optind]);
	return s->stop ? 0 : config_check(&s->config, e);
}

/* NOLINTEND(concurrency-mt-unsafe) */

static int refuse_root(int allow_root, struct err *e)
{
	if (geteuid() == 0 && !allow_root)
		return err_set(e,
			       "judged needs no privilege and refuses to run as root: start it as "
			       "another user, or say --allow-root");
	return 0;
}

/* Connections, cells and cached test data are descriptors; 1024 of them are few. */
static void allow_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* Before any thread is started: all inherit it, and server_run() waits for the signals. */
static void set_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int main(int argc, char **argv)
{
	static struct settings s;
	struct err e = {0};
	int rc = EXIT_OK;

	if (read_options(&s, argc, argv, &e) < 0) {
		fprintf(stderr, "judged: %s\n", e.msg);
		rc = EXIT_USAGE;
	} else if (!s.stop) {
		log_open("judged", (enum log_level)log_level_parse(s.config.log_level));
		set_signals();
		allow_descriptors();
		if (refuse_root(s.allow_root, &e) < 0 || confine(&s.config, &e) < 0 ||
		    server_run(&s.config, &e) < 0) {
			log_event(LOG_ERROR, "failed", "reason=%s", log_q(e.msg));
			rc = EXIT_FAILED;
		}
	}
	config_release(&s.config);
	return rc;
}
