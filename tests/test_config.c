#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>

#include "judge/config.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* Loads a text through a real file, which is gone afterwards. */
static int load(struct config *c, const char *text, struct err *e)
{
	char path[] = "/tmp/test_configXXXXXX";
	int fd = mkstemp(path);
	int rc;
	char *name;

	cr_assert(zero(int, io_write_all(fd, text, strlen(text), e)));
	close(fd);
	cr_assert(zero(int, config_init(c, e)), "%s", e->msg);
	rc = config_load(c, path, e);
	unlink(path);
	name = strstr(e->msg, path);
	if (rc < 0 && name) /* tests know the file as FILE */
		memmove(name, name + strlen(path), strlen(name + strlen(path)) + 1);
	return rc;
}

Test(config, the_file_of_the_project_is_valid_and_says_the_defaults)
{
	struct config file, plain;
	struct err e = {0};

	cr_assert(zero(int, config_init(&plain, &e)));
	cr_assert(zero(int, config_init(&file, &e)));
	cr_assert(zero(int, config_load(&file, "rules/judge.yaml", &e)), "%s", e.msg);
	cr_assert(zero(int, config_check(&file, &e)), "%s", e.msg);
	cr_expect(eq(str, file.listen, plain.listen));
	cr_expect(eq(str, file.state, plain.state));
	cr_expect(eq(str, file.program_socket, plain.program_socket));
	cr_expect(eq(str, file.jury_socket, plain.jury_socket));
	cr_expect(eq(str, file.rules, plain.rules));
	cr_expect(eq(u32, file.workers, plain.workers));
	cr_expect(eq(u64, file.source_bytes, plain.source_bytes));
	cr_expect(eq(u64, file.message_bytes, plain.message_bytes));
	cr_expect(eq(u32, file.queue_length, plain.queue_length));
	cr_expect(eq(u64, file.lease_us, plain.lease_us));
	cr_expect(eq(str, file.log_level, plain.log_level));
	cr_expect(eq(str, file.confine, plain.confine));
	config_release(&file);
	config_release(&plain);
}

Test(config, every_key_is_described_in_the_file)
{
	AUTO_FREE char *text = NULL;
	struct err e = {0};
	const char *key, *help;
	size_t len, n = 0;

	cr_assert(zero(int, io_read_file("rules/judge.yaml", 65536, &text, &len, &e)), "%s", e.msg);
	for (; (key = config_key(n, &help)); n++) {
		char line[64], off[64];

		snprintf(line, sizeof(line), "\n%s: ", key);
		snprintf(off, sizeof(off), "\n# %s: ", key);
		cr_expect(strstr(text, line) || strstr(text, off), "%s", key);
		cr_expect(gt(sz, strlen(help), 10), "%s", key);
	}
	cr_expect(gt(sz, n, 10));
}

Test(config, values_are_read)
{
	struct config c;
	struct err e = {0};

	cr_assert(zero(int, load(&c,
				 "listen: '[::1]:0'\nproblems: [a, b]\nworkers: 3\n"
				 "source_bytes: 1.5M\nmessage_bytes: 2M\nlease: 1500ms\nlog_level: "
				 "debug\n",
				 &e)),
		  "%s", e.msg);
	cr_expect(eq(str, c.listen, "[::1]:0"));
	cr_expect(eq(str, c.problems[0], "a"));
	cr_expect(eq(str, c.problems[1], "b"));
	cr_expect(eq(ptr, c.problems[2], NULL));
	cr_expect(eq(u32, c.workers, 3));
	cr_expect(eq(u64, c.source_bytes, 1536 * 1024));
	cr_expect(eq(u64, c.lease_us, 1500000));
	cr_expect(zero(int, config_check(&c, &e)), "%s", e.msg);
	config_release(&c);
}

Test(config, the_command_line_wins)
{
	struct config c;
	struct err e = {0};

	cr_assert(zero(int, load(&c, "listen: a:1\nproblems: [old, older]\n", &e)));
	cr_expect(zero(int, config_set(&c, "listen", "b:2", &e)));
	cr_expect(zero(int, config_set(&c, "queue-length", "7", &e)), "%s", e.msg);
	cr_expect(zero(int, config_set(&c, "problems", "x", &e)));
	cr_expect(zero(int, config_set(&c, "problems", "y", &e)));
	cr_expect(eq(str, c.listen, "b:2"));
	cr_expect(eq(u32, c.queue_length, 7));
	cr_expect(eq(str, c.problems[0], "x"));
	cr_expect(eq(str, c.problems[1], "y"));
	cr_expect(eq(ptr, c.problems[2], NULL));
	cr_expect(eq(int, config_set(&c, "lsten", "b:2", &e), -1));
	cr_expect(eq(str, e.msg, "unknown option --lsten: did you mean --listen?"));
	cr_expect(eq(int, config_set(&c, "workers", "many", &e), -1));
	cr_expect(eq(str, e.msg, "--workers: expected a whole number"));
	config_release(&c);
}

Test(config, errors_name_the_line_and_what_is_right)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"listen: a:1\nquue_length: 3\n",
		 ":2: unknown key \"quue_length\": did you mean \"queue_length\"?"},
		{"zzz: 1\n", ":1: unknown key \"zzz\""},
		{"workers: many\n", ":1: workers: expected a whole number"},
		{"workers: -1\n", ":1: workers: expected a whole number"},
		{"workers: 300\n", ":1: workers: 300 is too large"},
		{"workers: 4294967297\n", ":1: workers: expected a whole number"},
		{"workers: [1]\n", ":1: workers: expected a whole number"},
		{"workers:\n", ":1: workers: expected a whole number"},
		{"\nsource_bytes: 12X\n", ":2: source_bytes: expected a size like 64K, 512M or 1G"},
		{"source_bytes: 99999999999999999999\n",
		 ":1: source_bytes: expected a size like 64K, 512M or 1G"},
		{"source_bytes: 0\n", ":1: source_bytes: 0 is too small"},
		{"lease: 30\n", ":1: lease: expected a time like 500ms, 1.5s or 2m"},
		{"lease: 1ms\n", ":1: lease: 1ms is too small"},
		{"problems: one\n", ":1: problems: expected a list of texts, like [one, two]"},
		{"problems:\n  - a\n  - [b]\n",
		 ":3: problems: expected a list of texts, like [one, two]"},
		{"listen: {a: b}\n", ":1: listen: expected text"},
		{"log_level: loud\n", ":1: log_level: expected debug, info, warn or error"},
		{"confine: maybe\n", ":1: confine: expected auto, required or off"},
		{"listen: a\nlisten: b\n", ":2: key \"listen\" is given twice"},
		{"a: &x 1\n", ":1: anchors and tags are not allowed"},
		{"listen: *x\n", ":1: aliases are not allowed"},
		{"listen: !!str x\n", ":1: anchors and tags are not allowed"},
		{"listen: \"a\\0b\"\n", ":1: contains a control character"},
		{"listen: \"\\e[2J\"\n", ":1: contains a control character"},
		{"listen: \"\\u009b2J\"\n", ":1: contains a control character"},
		{"listen: a\n---\nlisten: b\n",
		 ":2: a second document begins, only one is allowed"},
		{"", ":1: empty, expected a map of keys and values"},
		{"- a\n", ":1: expected a map of keys and values"},
		{"? [a]\n: b\n", ":1: a key must be a plain word"},
		{"[[[[[[[[[[[[[[[[[[[[[[[[\n", ":1: nested more than 16 deep"},
		{"listen: \xff\n", ":1: not valid YAML: invalid leading UTF-8 octet"},
		{"listen: a\n  b: c\n",
		 ":2: not valid YAML: mapping values are not allowed in this context"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config c;
		struct err e = {0};

		cr_expect(eq(int, load(&c, rows[i].text, &e), -1), "%s", rows[i].text);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		config_release(&c);
	}
}

Test(config, what_does_not_fit_together_is_refused)
{
	struct config c;
	struct err e = {0};

	cr_assert(zero(int, load(&c, "tls_cert: a.pem\n", &e)));
	cr_expect(eq(int, config_check(&c, &e), -1));
	cr_expect(eq(str, e.msg, "tls_cert and tls_key: give both, or neither"));
	config_release(&c);
	cr_assert(zero(int, load(&c, "source_bytes: 1M\nmessage_bytes: 1M\n", &e)));
	cr_expect(eq(int, config_check(&c, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "message_bytes"), NULL));
	config_release(&c);
}

Test(config, a_file_that_is_not_there_is_named)
{
	struct config c;
	struct err e = {0};

	cr_assert(zero(int, config_init(&c, &e)));
	cr_expect(eq(int, config_load(&c, "/nonexistent/judge.yaml", &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "/nonexistent/judge.yaml"), NULL));
	config_release(&c);
}

Test(config, cores_are_counted)
{
	uint32_t n = config_physical_cores();

	cr_expect(ge(u32, n, 1));
	cr_expect(le(long, n, sysconf(_SC_NPROCESSORS_ONLN)));
}
