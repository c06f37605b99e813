#include "sandbox/see.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"

#define BUFFERS     16
#define BUFFER_SIZE 512
#define FILE_MAX    (16U << 20)

static char *next_buffer(void)
{
	static char buffers[BUFFERS][BUFFER_SIZE];
	static unsigned next;

	return buffers[next++ % BUFFERS];
}

const char *see_q(const char *text)
{
	char *out = next_buffer();
	size_t len = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (len > BUFFER_SIZE - 9) {
			memcpy(out + len, "...", 3);
			len += 3;
			break;
		}
		if (c == '\\')
			len += (size_t)snprintf(out + len, 3, "\\\\");
		else if (c < 0x20 || c > 0x7e)
			len += (size_t)snprintf(out + len, 5, "\\x%02x", c);
		else
			out[len++] = (char)c;
	}
	out[len] = '\0';
	return out;
}

/* One argument, argv[*i]; moves on over the value of an option. */
static int take(struct see_options *o, int argc, char **argv, int *i, int takes_rules,
		const char *argument, struct err *e)
{
	char *word = argv[*i];

	if (takes_rules && strcmp(word, "--rules") == 0) {
		if (++*i == argc)
			return err_set(e, "--rules: needs a folder");
		o->rules = argv[*i];
		return 0;
	}
	if (word[0] == '-')
		return err_set(e, "%s: '%s' is no option; there are --json%s and --help", argv[0],
			       see_q(word), takes_rules ? ", --rules DIR" : "");
	if (!argument)
		return err_set(e, "%s: '%s': no arguments are expected", argv[0], see_q(word));
	if (o->argument)
		return err_set(e, "%s: '%s': only one argument is expected", argv[0], see_q(word));
	o->argument = word;
	return 0;
}

int see_options(struct see_options *o, int argc, char **argv, int takes_rules, const char *argument,
		struct err *e)
{
	*o = (struct see_options){0};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = 1;
		else if (strcmp(argv[i], "--help") == 0)
			o->help = 1;
		else if (take(o, argc, argv, &i, takes_rules, argument, e) < 0)
			return -1;
	}
	if (argument && !o->argument && !o->help)
		return err_set(e, "%s: %s is missing", argv[0], argument);
	return 0;
}

json_t *see_json(const char *text)
{
	AUTO_FREE char *clean = strdup(text);

	if (!clean)
		return NULL;
	wire_make_utf8(clean);
	return json_string(clean);
}

json_t *see_number(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

int see_dump(const json_t *object)
{
	AUTO_FREE char *text =
		object ? json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;

	if (!text) {
		fputs("sandbox: out of memory\n", stderr);
		return SEE_FAILED;
	}
	if (puts(text) < 0 || fflush(stdout) != 0) {
		perror("sandbox: standard output");
		return SEE_FAILED;
	}
	return SEE_OK;
}

ssize_t see_read(int dir, const char *path, char *text, size_t size)
{
	struct err ignored;
	AUTO_CLOSE int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, text, size - 1, &ignored);

	text[n < 0 ? 0 : n] = '\0';
	return n;
}

char *see_read_all(int dir, const char *path)
{
	struct err ignored;
	char *text = NULL;
	size_t len;
	AUTO_CLOSE int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || io_read_fd(fd, FILE_MAX, &text, &len, &ignored) < 0)
		return NULL;
	return text;
}

ssize_t see_link(int dir, const char *path, char *text, size_t size)
{
	ssize_t n = readlinkat(dir, path, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n;
}

const char *see_field(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
		return value;
	}
	*value = '\0';
	return NULL;
}

const char *see_bytes(int64_t bytes)
{
	static const char units[] = "BKMGTPE";
	char *out = next_buffer();
	double n = (double)bytes;
	size_t unit = 0;

	for (; n >= 1024 && units[unit + 1]; unit++)
		n /= 1024;
	if (bytes < 0)
		snprintf(out, BUFFER_SIZE, "-");
	else if (unit == 0 || n >= 100)
		snprintf(out, BUFFER_SIZE, "%.0f%c", n, units[unit]);
	else
		snprintf(out, BUFFER_SIZE, "%.1f%c", n, units[unit]);
	return out;
}

const char *see_time(int64_t us)
{
	char *out = next_buffer();

	if (us < 0)
		snprintf(out, BUFFER_SIZE, "-");
	else if (us < 1000000)
		snprintf(out, BUFFER_SIZE, "%.1fms", (double)us / 1000);
	else
		snprintf(out, BUFFER_SIZE, "%.2fs", (double)us / 1000000);
	return out;
}

int see_colours(void)
{
	const char *no = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): one thread */

	return isatty(STDOUT_FILENO) && (!no || !*no);
}

void see_wrap(int indent, const char *text)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > SEE_COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
		}
		column += printf("%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}
