#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "judge/cli.h"
#include "judge/text.h"
#include "proto/scope.h"

#define OPTIONS_MAX 24
#define TEXT_MAX    8192

#define FIELD(f) offsetof(struct cli_args, f)
/* clang-format off */
const struct cli_option cli_common[] = {
	{'s', "server", "HOST:PORT", "where judged listens (default: $JUDGE_SERVER, or 127.0.0.1:50051)", CLI_TEXT, FIELD(server)},
	{0, "ca", "FILE", "use TLS and trust the certificates in this PEM file", CLI_TEXT, FIELD(ca)},
	{0, "json", NULL, "print one JSON object a line", CLI_FLAG, FIELD(json)},
	{'h', "help", NULL, "print this help", CLI_FLAG, FIELD(help)},
	{0},
};
/* clang-format on */

void cli_complain(const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *clean = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		clean = text_clean(text, strlen(text), TEXT_MAX);
	fflush(stdout);
	fprintf(stderr, "judge: %s\n", clean ? clean : "out of memory");
}

static void print_options(const struct cli_option *o)
{
	char left[64];

	for (; o->name; o++) {
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : " ",
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 o->value ? " " : "", o->value ? o->value : "");
		printf("  %-28s %s\n", left, o->help);
	}
}

void cli_help(const struct cli_command *c)
{
	printf("usage: judge %s [OPTION]... %s\n%s.\n\n", c->name, c->operands, c->help);
	print_options(c->options);
	print_options(cli_common);
}

/* All options of a subcommand in one list, its own first. */
static size_t gather(const struct cli_command *c, const struct cli_option **all)
{
	const struct cli_option *tables[] = {c->options, cli_common};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct cli_option *o = tables[i]; o->name && n < OPTIONS_MAX; o++)
			all[n++] = o;
	return n;
}

static int set(const struct cli_option *o, const char *value, struct cli_args *args)
{
	char *field = (char *)args + o->offset;
	char *end;
	uint64_t number;

	if (o->kind == CLI_FLAG) {
		*(int *)field = 1;
		return 0;
	}
	if (o->kind == CLI_TEXT) {
		*(const char **)field = value;
		return 0;
	}
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno != 0 || end == value || *end || *value == '-') {
		cli_complain("--%s: \"%s\" is not a number", o->name, value);
		return CLI_USAGE;
	}
	*(uint64_t *)field = number;
	return 0;
}

/* The list as getopt_long(3) wants it. */
static void describe(const struct cli_option *const *all, size_t n, struct option *longs,
		     char *shorts)
{
	for (size_t i = 0; i < n; i++) {
		longs[i] =
			(struct option){.name = all[i]->name,
					.has_arg = all[i]->value ? required_argument : no_argument};
		if (all[i]->letter)
			*shorts++ = all[i]->letter;
		if (all[i]->letter && all[i]->value)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

/* Which row comes next; -1 behind the last, -2 for what is no option. */
static int next_option(int argc, char **argv, const struct cli_option *const *all, size_t n)
{
	struct option longs[OPTIONS_MAX + 1] = {0};
	char shorts[2 * OPTIONS_MAX + 1];
	int got, index = -1;

	describe(all, n, longs, shorts);
	got = getopt_long(argc, argv, shorts, longs, &index); /* NOLINT(concurrency-mt-unsafe) */
	if (got <= 0)
		return got == 0 ? index : -1;
	for (size_t i = 0; i < n; i++)
		if (all[i]->letter == got)
			return (int)i;
	return -2;
}

static int check_operands(const struct cli_command *c, const struct cli_args *args)
{
	if (args->nrest >= c->min && args->nrest <= c->max)
		return 0;
	if (args->nrest < c->min)
		cli_complain("%s: missing %s", c->name, c->operands);
	else
		cli_complain("%s: \"%s\" is too much", c->name, args->rest[c->max]);
	fprintf(stderr, "See judge %s --help.\n", c->name);
	return CLI_USAGE;
}

int cli_parse(const struct cli_command *c, int argc, char **argv, struct cli_args *args)
{
	const struct cli_option *all[OPTIONS_MAX];
	size_t n = gather(c, all);
	int i;

	optind = 1;
	while ((i = next_option(argc, argv, all, n)) >= 0)
		if (set(all[i], optarg, args) != 0)
			return CLI_USAGE;
	if (i == -2) { /* getopt has said what */
		fprintf(stderr, "See judge %s --help.\n", c->name);
		return CLI_USAGE;
	}
	args->rest = argv + optind;
	args->nrest = (size_t)(argc - optind);
	return args->help ? 0 : check_operands(c, args);
}
