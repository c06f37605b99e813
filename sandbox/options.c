#include "sandbox/options.h"

#include <errno.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/bridge.h"
#include "sandbox/network.h"
#include "sandbox/root_cache.h"

#define SECOND 1000000ULL
#define KIB    1024ULL
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)
#define TIB    (1024 * GIB)

struct row;

/* Checks the text and stores it in the field; says what is wrong with it and what would be right. */
typedef int parse_fn(const struct row *row, char *text, void *field, struct err *e);

static parse_fn parse_duration, parse_size, parse_cpus, parse_count, parse_cpu, parse_text,
	parse_network, parse_group, parse_path, parse_env, parse_mount, parse_copy_in,
	parse_copy_out;

struct row {
	const char *name;
	const char *metavar;
	parse_fn *parse;
	size_t offset;
	uint64_t least, most;
	const char *range; /* least and most as a person writes them */
	const char *help;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct row rows[] = {
	{ "--time",       "DURATION", parse_duration, AT(cpu_time_us),  1000, 3600 * SECOND, "1ms to 1h",
	  "CPU time of all processes together (10s)" },
	{ "--wall",       "DURATION", parse_duration, AT(wall_time_us), 1000, 14400 * SECOND, "1ms to 4h",
	  "real time (twice --time and 1s)" },
	{ "--memory",     "SIZE",     parse_size,     AT(memory_bytes), 4 * MIB, TIB, "4M to 1T",
	  "memory of all processes together, nothing is swapped (256M)" },
	{ "--processes",  "N",        parse_count,    AT(processes),    1, 32768, "1 to 32768",
	  "processes and threads (64)" },
	{ "--output",     "SIZE",     parse_size,     AT(output_bytes), 1, 4 * GIB, "1 to 4G",
	  "standard output and error together (64M)" },
	{ "--box-size",   "SIZE",     parse_size,     AT(box_bytes),    4 * KIB, TIB, "4K to 1T",
	  "files in /box, in /tmp and in /dev/shm, each (64M)" },
	{ "--box-inodes", "N",        parse_count,    AT(box_inodes),   16, 1 << 20, "16 to 1048576",
	  "number of files in each of them (4096)" },
	{ "--open-files", "N",        parse_count,    AT(open_files),   4, 65536, "4 to 65536",
	  "descriptors of one process (256)" },
	{ "--stack",      "SIZE",     parse_size,     AT(stack_bytes),  64 * KIB, TIB, "64K to 1T",
	  "stack of a process (as --memory)" },
	{ "--cpus",       "X",        parse_cpus,     AT(cpu_milli),    10, 1024000, "0.01 to 1024",
	  "CPU bandwidth: 0.5 is half of one CPU (1)" },
	{ "--cpu",        "N|any",    parse_cpu,      AT(pin_cpu),      0, 65535, "0 to 65535",
	  "have this CPU, or any, to itself; waits until it is free (shared)" },
	{ "--net",        "KIND",      parse_network, AT(network), 0, 0, "",
	  "none, loopback, or bridge[:NAME]: shared with other runs as a rule in networks/ says (none)" },
	{ "--net-group",  "GROUP",    parse_group,    AT(network_group), 0, 0, "",
	  "with bridge: runs of one group may reach each other (of no group)" },
	{ "--policy",     "NAME",     parse_text,     AT(policy),       0, 0, "",
	  "system calls allowed: a rule in seccomp/ (managed)" },
	{ "--root",       "PATH",     parse_path,     AT(root),         0, 0, "",
	  "system files from a folder, a squashfs or erofs image, or an OCI layout" },
	{ "--root-cache", "DIR",      parse_path,     AT(root_cache),   0, 0, "",
	  "where OCI images are unpacked (" ROOT_CACHE_DIR ")" },
	{ "--mount",      "SRC:DST[:rw]", parse_mount, AT(mounts),      0, 0, "",
	  "show a file or folder of the host at DST, read-only or writable" },
	{ "--copy-in",    "SRC[:DST]", parse_copy_in, AT(copy_in),      0, 0, "",
	  "copy a file or folder into the box before the program starts" },
	{ "--copy-out",   "SRC:DST",  parse_copy_out, AT(copy_out),     0, 0, "",
	  "copy a file or folder, or those that match, out of the box afterwards" },
	{ "--chdir",      "DIR",      parse_text,     AT(chdir),        0, 0, "",
	  "working directory (/box)" },
	{ "--env",        "NAME=VALUE", parse_env,    0,                0, 0, "", /* the whole of the options */
	  "set a variable; nothing is inherited (PATH and HOME are set)" },
	{ "--stdin",      "FILE",     parse_path,     AT(stdin_path),   0, 0, "",
	  "standard input (that of sandbox)" },
	{ "--stdout",     "FILE",     parse_path,     AT(stdout_path),  0, 0, "",
	  "standard output (that of sandbox)" },
	{ "--stderr",     "FILE",     parse_path,     AT(stderr_path),  0, 0, "",
	  "standard error (that of sandbox)" },
	{ "--report",     "FILE",     parse_path,     AT(report),       0, 0, "",
	  "write what the run used as JSON; '-' is standard error" },
	{ "--rules",      "DIR",      parse_path,     AT(rules),        0, 0, "",
	  "folder with roots/ and seccomp/ (beside the program)" },
};
/* clang-format on */

struct unit {
	const char *name;
	uint64_t factor;
};

/* Reads digits, a fraction and one of the units, exactly; the units end with a NULL.  False if it is anything else. */
static int scaled(const char *text, const struct unit *units, uint64_t *value)
{
	char *end;
	uint64_t fraction = 0;
	uint64_t scale = 1;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno != 0)
		return 0;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9' && scale < 1000000; end++, scale *= 10)
			fraction = fraction * 10 + (uint64_t)(*end - '0');
		if (scale == 1)
			return 0;
	}
	while (units->name && strcmp(units->name, end) != 0)
		units++;
	if (!units->name || __builtin_mul_overflow(*value, units->factor, value))
		return 0;
	return !__builtin_add_overflow(*value, fraction * units->factor / scale, value);
}

static int in_range(const struct row *row, const char *text, uint64_t value, struct err *e)
{
	if (value >= row->least && value <= row->most)
		return 0;
	return err_set(e, "%s: '%.60s' is out of range, %s", row->name, text, row->range);
}

static int parse_duration(const struct row *row, char *text, void *field, struct err *e)
{
	static const struct unit units[] = {{"s", SECOND},      {"ms", 1000},         {"us", 1},
					    {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"", SECOND},
					    {NULL, 0}};

	if (!scaled(text, units, field))
		return err_set(e, "%s: '%.60s' is not a duration (examples: 1s, 250ms, 1.5s, 2m)",
			       row->name, text);
	return in_range(row, text, *(uint64_t *)field, e);
}

static int parse_size(const struct row *row, char *text, void *field, struct err *e)
{
	static const struct unit units[] = {{"", 1},    {"K", KIB}, {"M", MIB},
					    {"G", GIB}, {"T", TIB}, {NULL, 0}};

	if (!scaled(text, units, field))
		return err_set(e, "%s: '%.60s' is not a size (examples: 64M, 1G, 4096)", row->name,
			       text);
	return in_range(row, text, *(uint64_t *)field, e);
}

static int parse_cpus(const struct row *row, char *text, void *field, struct err *e)
{
	static const struct unit units[] = {{"", 1000}, {NULL, 0}};

	if (!scaled(text, units, field))
		return err_set(e, "%s: '%.60s' is not a number of CPUs (examples: 1, 0.5, 2.25)",
			       row->name, text);
	return in_range(row, text, *(uint64_t *)field, e);
}

static int parse_count(const struct row *row, char *text, void *field, struct err *e)
{
	char *end;

	errno = 0;
	*(uint64_t *)field = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0')
		return err_set(e, "%s: '%.60s' is not a whole number", row->name, text);
	return in_range(row, text, *(uint64_t *)field, e);
}

static int parse_cpu(const struct row *row, char *text, void *field, struct err *e)
{
	*(int64_t *)field = -1;
	if (strcmp(text, "any") == 0)
		return 0;
	if (parse_count(row, text, field, e) < 0)
		return -1;
	++*(uint64_t *)field;
	return 0;
}

static int parse_text(const struct row *row, char *text, void *field, struct err *e)
{
	if (!*text)
		return err_set(e, "%s: is empty", row->name);
	*(char **)field = text;
	return 0;
}

static int parse_path(const struct row *row, char *text, void *field, struct err *e)
{
	return parse_text(row, text, field, e);
}

static int parse_network(const struct row *row, char *text, void *field, struct err *e)
{
	if (strcmp(text, "bridge") == 0)
		text = (char *)NETWORK_BRIDGE "default";
	if (strcmp(text, "none") != 0 && strcmp(text, "loopback") != 0 &&
	    (strncmp(text, NETWORK_BRIDGE, strlen(NETWORK_BRIDGE)) != 0 ||
	     !text[strlen(NETWORK_BRIDGE)]))
		return err_set(e, "%s: '%.60s' is not none, loopback, bridge or bridge:NAME",
			       row->name, text);
	*(char **)field = text;
	return 0;
}

static int parse_group(const struct row *row, char *text, void *field, struct err *e)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strspn(text, allowed);

	if (len == 0 || len > BRIDGE_GROUP_MAX || text[len])
		return err_set(e, "%s: '%.60s' is not 1 to %d letters, digits, '.', '_' or '-'",
			       row->name, text, BRIDGE_GROUP_MAX);
	*(char **)field = text;
	return 0;
}

static int parse_env(const struct row *row, char *text, void *field, struct err *e)
{
	struct options *o = field;

	if (!strchr(text, '=') || *text == '=')
		return err_set(e, "%s: '%.60s' is not NAME=VALUE", row->name, text);
	if (o->nenv == OPTIONS_ENV_MAX)
		return err_set(e, "%s: at most %d variables", row->name, OPTIONS_ENV_MAX);
	o->env[o->nenv++] = text;
	return 0;
}

static int add_pair(const struct row *row, struct options_pairs *pairs, const char *from,
		    const char *to, struct err *e)
{
	if (pairs->n == OPTIONS_PAIRS_MAX)
		return err_set(e, "%s: at most %d times", row->name, OPTIONS_PAIRS_MAX);
	pairs->at[pairs->n++] = (struct options_pair){.from = from, .to = to};
	return 0;
}

/* Cuts SRC:DST at its first colon; NULL if there is none or a part is empty. */
static char *cut_pair(char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || colon == text || !colon[1])
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* A path in the box, relative to it: /box/x and x are the same place, /box is ".".  NULL for what is elsewhere. */
static const char *in_box(const char *path)
{
	if (strcmp(path, "/box") == 0 || strcmp(path, "/box/") == 0)
		return ".";
	if (strncmp(path, "/box/", 5) == 0)
		path += 5;
	return *path == '/' ? NULL : path;
}

static int parse_mount(const struct row *row, char *text, void *field, struct err *e)
{
	struct options_pairs *pairs = field;
	size_t len = strlen(text);
	int writable = len > 3 && strcmp(text + len - 3, ":rw") == 0;

	if (writable)
		text[len - 3] = '\0';
	char *to = cut_pair(text);

	if (!to || *to != '/' || strchr(to, ':'))
		return err_set(e, "%s: '%.60s' is not SRC:DST or SRC:DST:rw with an absolute DST",
			       row->name, text);
	if (add_pair(row, pairs, text, to, e) < 0)
		return -1;
	pairs->at[pairs->n - 1].writable = writable;
	return 0;
}

static int parse_copy_in(const struct row *row, char *text, void *field, struct err *e)
{
	char *colon = strchr(text, ':');
	const char *to = NULL;

	if (colon) {
		*colon = '\0';
		to = colon[1] ? in_box(colon + 1) : NULL;
		if (!*text || !to)
			return err_set(e, "%s: '%.60s' is not SRC or SRC:DST with DST in /box",
				       row->name, text);
	}
	if (!*text)
		return err_set(e, "%s: is empty", row->name);
	return add_pair(row, field, text, to, e);
}

static int parse_copy_out(const struct row *row, char *text, void *field, struct err *e)
{
	char *to = cut_pair(text);
	const char *from = to ? in_box(text) : NULL;

	if (!from)
		return err_set(e, "%s: '%.60s' is not SRC:DST with SRC in /box", row->name, text);
	return add_pair(row, field, from, to, e);
}

/* The row that an argument names, "--name" or "--name=value"; *value is what follows '=', or NULL. */
static const struct row *find(char *arg, char **value)
{
	size_t len = strcspn(arg, "=");

	*value = arg[len] ? arg + len + 1 : NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == len && strncmp(rows[i].name, arg, len) == 0)
			return &rows[i];
	return NULL;
}

/* Reads the option at argv[*i] and leaves *i at its last word. */
static int parse_option(struct options *o, int argc, char **argv, int *i, struct err *e)
{
	char *value;
	const struct row *row = find(argv[*i], &value);

	if (!row)
		return err_set(e, "'%.60s' is no option; 'sandbox --help' lists them", argv[*i]);
	if (!value && *i + 1 == argc)
		return err_set(e, "%s: needs a value, %s", row->name, row->metavar);
	if (!value)
		value = argv[++*i];
	return row->parse(row, value, (char *)o + row->offset, e);
}

/* Reads options up to the program; returns the index of what comes next. */
static int parse_options(struct options *o, int argc, char **argv, struct err *e)
{
	int i = 2;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		if (strcmp(argv[i], "--help") == 0) {
			o->action = OPTIONS_HELP;
			return i;
		}
		if (parse_option(o, argc, argv, &i, e) < 0)
			return -1;
	}
	return i;
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	*o = (struct options){0};
	if (argc < 2)
		return err_set(e,
			       "what? 'sandbox run [OPTION]... -- PROGRAM [ARG]...', doctor, ps, "
			       "inspect or selftest");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) {
		o->action = argv[1][2] == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
		return 0;
	}
	if (strcmp(argv[1], "run") != 0)
		return err_set(
			e, "'%.60s' is no command; there are: run, doctor, ps, inspect, selftest",
			argv[1]);
	int next = parse_options(o, argc, argv, e);

	if (next < 0)
		return -1;
	if (o->network_group &&
	    (!o->network || strncmp(o->network, NETWORK_BRIDGE, strlen(NETWORK_BRIDGE)) != 0))
		return err_set(e, "--net-group: belongs to --net bridge");
	if (o->action == OPTIONS_RUN && next >= argc)
		return err_set(e, "no program is named; put it after '--'");
	o->argv = argv + next;
	o->argc = (size_t)(argc - next);
	return 0;
}

void options_usage(FILE *to)
{
	fputs("usage: sandbox run [OPTION]... -- PROGRAM [ARG]...\n"
	      "       sandbox doctor | ps | inspect CELL|PID | selftest   [--json]\n"
	      "       sandbox --help | --version\n"
	      "Runs one program where it can hurt nobody.  Defaults are in parentheses.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", rows[i].name, rows[i].metavar);
		fprintf(to, "  %-23s %s\n", left, rows[i].help);
	}
	fputs("\nSizes: 4096, 64K, 64M, 1G.  Durations: 250ms, 1s, 1.5s, 2m.\n"
	      "Exits with the status of the program, 128+N if signal N ended it, 124 if it hit a "
	      "limit,\n"
	      "125 if the sandbox failed, 126 if the program cannot be executed, 127 if it is not "
	      "there.\n",
	      to);
}
