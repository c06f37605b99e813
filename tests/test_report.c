#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/options.h"
#include "sandbox/report.h"

/* The report as it is read back; the caller owns it. */
static json_t *written(const Sandbox__Reply *r)
{
	struct err e = {0};
	AUTO_CLOSE int fd = io_memfd(&e);

	cr_assert(zero(int, report_write(fd, r, &e)), "%s", e.msg);
	cr_assert(zero(int, (int)lseek(fd, 0, SEEK_SET)));
	json_t *object = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);

	cr_assert(ne(ptr, object, NULL));
	return object;
}

static json_int_t integer(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	cr_assert(ne(int, json_is_integer(v), 0), "%s", name);
	return json_integer_value(v);
}

static void is_null(const json_t *o, const char *name)
{
	cr_expect(ne(int, json_is_null(json_object_get(o, name)), 0), "%s", name);
}

static void is_text(const json_t *o, const char *name, const char *expected)
{
	const char *v = json_string_value(json_object_get(o, name));

	cr_expect(eq(str, (char *)(v ? v : "(none)"), (char *)expected), "%s", name);
}

Test(report, every_figure_has_its_name)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.status = SANDBOX__STATUS__EXITED;
	r.exit_code = 3;
	r.cpu_time_us = 1;
	r.user_time_us = 2;
	r.system_time_us = 4;
	r.wall_time_us = 5;
	r.memory_peak_bytes = 1ULL << 40;
	r.anon_bytes = 6;
	r.shmem_bytes = 7;
	r.file_bytes = 8;
	r.kernel_bytes = 9;
	r.processes_peak = 10;
	r.output_bytes = 11;
	r.voluntary_switches = 12;
	r.involuntary_switches = 13;
	r.throttled_us = 14;
	json_t *o = written(&r);
	const json_t *memory = json_object_get(o, "memory");

	is_text(o, "status", "exited");
	is_text(o, "message", "");
	is_null(o, "signal");
	is_null(o, "syscall");
	cr_expect(eq(i64, integer(o, "exit_code"), 3));
	cr_expect(eq(i64, integer(o, "cpu_time_us"), 1));
	cr_expect(eq(i64, integer(o, "user_time_us"), 2));
	cr_expect(eq(i64, integer(o, "system_time_us"), 4));
	cr_expect(eq(i64, integer(o, "wall_time_us"), 5));
	cr_expect(eq(i64, integer(o, "memory_peak_bytes"), 1LL << 40));
	cr_expect(eq(i64, integer(memory, "anon_bytes"), 6));
	cr_expect(eq(i64, integer(memory, "shmem_bytes"), 7));
	cr_expect(eq(i64, integer(memory, "file_bytes"), 8));
	cr_expect(eq(i64, integer(memory, "kernel_bytes"), 9));
	cr_expect(eq(i64, integer(o, "processes_peak"), 10));
	cr_expect(eq(i64, integer(o, "output_bytes"), 11));
	cr_expect(eq(i64, integer(o, "voluntary_switches"), 12));
	cr_expect(eq(i64, integer(o, "involuntary_switches"), 13));
	cr_expect(eq(i64, integer(o, "throttled_us"), 14));
	json_decref(o);
}

Test(report, text_that_is_not_utf8_stays_valid_json)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.status = SANDBOX__STATUS__FORBIDDEN_SYSCALL;
	r.syscall = "a\xff"
		    "b";
	r.message = "\xc3\xa9 \xc3 \"\n";
	json_t *o = written(&r);

	is_text(o, "syscall", "a?b");
	is_text(o, "message", "\xc3\xa9 ? \"\n");
	is_null(o, "exit_code");
	json_decref(o);
}

Test(report, a_refusal_is_a_sandbox_error)
{
	Sandbox__Reply r = SANDBOX__REPLY__INIT;

	r.error = "root: no rule 'x'";
	json_t *o = written(&r);

	is_text(o, "status", "sandbox_error");
	is_text(o, "message", "root: no rule 'x'");
	is_null(o, "exit_code");
	cr_expect(eq(int, report_exit_status(&r), 125));
	json_decref(o);
}

Test(report, status_names_and_exit_statuses)
{
	static const struct {
		Sandbox__Reply reply;
		const char *name;
		int status;
	} cases[] = {
		{{.status = SANDBOX__STATUS__EXITED, .exit_code = 9}, "exited", 9},
		{{.status = SANDBOX__STATUS__SIGNALED, .signal = 9}, "signaled", 137},
		{{.status = SANDBOX__STATUS__CPU_TIME_LIMIT, .signal = 9}, "cpu_time_limit", 124},
		{{.status = SANDBOX__STATUS__WALL_TIME_LIMIT}, "wall_time_limit", 124},
		{{.status = SANDBOX__STATUS__MEMORY_LIMIT}, "memory_limit", 124},
		{{.status = SANDBOX__STATUS__OUTPUT_LIMIT}, "output_limit", 124},
		{{.status = SANDBOX__STATUS__FORBIDDEN_SYSCALL}, "forbidden_syscall", 159},
		{{.status = SANDBOX__STATUS__SANDBOX_ERROR}, "sandbox_error", 125},
		{{.status = SANDBOX__STATUS__SANDBOX_ERROR, .exec_errno = ENOENT},
		 "sandbox_error",
		 127},
		{{.status = SANDBOX__STATUS__SANDBOX_ERROR, .exec_errno = EACCES},
		 "sandbox_error",
		 126},
		{{.status = (Sandbox__Status)99}, "sandbox_error", 125},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect(eq(str, (char *)report_status_name(cases[i].reply.status),
			     (char *)cases[i].name));
		cr_expect(eq(int, report_exit_status(&cases[i].reply), cases[i].status), "%s",
			  cases[i].name);
	}
}

/* The command line; the bad values are in e2e/test_sandbox_run.py, which runs every one of them. */

static struct options parsed(char *const *words)
{
	static char texts[32][64];
	static char *argv[33];
	static struct options o;
	struct err e = {0};
	int argc = 0;

	for (; words[argc]; argc++) {
		snprintf(texts[argc], sizeof(texts[argc]), "%s", words[argc]);
		argv[argc] = texts[argc];
	}
	argv[argc] = NULL;
	cr_assert(zero(int, options_parse(&o, argc, argv, &e)), "%s", e.msg);
	return o;
}

#define PARSED(...) parsed((char *[]){"sandbox", "run", __VA_ARGS__, "--", "prog", "-x", NULL})

Test(options, units)
{
	cr_expect(eq(u64, PARSED("--time", "1").cpu_time_us, 1000000));
	cr_expect(eq(u64, PARSED("--time", "1.5s").cpu_time_us, 1500000));
	cr_expect(eq(u64, PARSED("--time=250ms").cpu_time_us, 250000));
	cr_expect(eq(u64, PARSED("--time", "1000us").cpu_time_us, 1000));
	cr_expect(eq(u64, PARSED("--wall", "2m").wall_time_us, 120000000));
	cr_expect(eq(u64, PARSED("--wall", "0.5h").wall_time_us, 1800000000));
	cr_expect(eq(u64, PARSED("--memory", "64M").memory_bytes, 64UL << 20));
	cr_expect(eq(u64, PARSED("--memory", "1.5G").memory_bytes, 3UL << 29));
	cr_expect(eq(u64, PARSED("--memory", "1T").memory_bytes, 1UL << 40));
	cr_expect(eq(u64, PARSED("--output", "1000").output_bytes, 1000));
	cr_expect(eq(u64, PARSED("--box-size", "4K").box_bytes, 4096));
	cr_expect(eq(u64, PARSED("--cpus", "0.25").cpu_milli, 250));
	cr_expect(eq(u64, PARSED("--cpus", "2").cpu_milli, 2000));
	cr_expect(eq(i64, PARSED("--cpu", "0").pin_cpu, 1));
	cr_expect(eq(i64, PARSED("--cpu", "any").pin_cpu, -1));
}

Test(options, program_and_defaults)
{
	struct options o = PARSED("--net", "loopback");

	cr_expect(eq(sz, o.argc, 2));
	cr_expect(eq(str, o.argv[0], "prog"));
	cr_expect(eq(str, o.argv[1], "-x"));
	cr_expect(eq(ptr, o.argv[2], NULL));
	cr_expect(eq(str, o.network, "loopback"));
	cr_expect(zero(u64, o.cpu_time_us));
	cr_expect(eq(ptr, o.root, NULL));
}

Test(options, pairs)
{
	struct options o = PARSED("--mount", "/a:/b:rw", "--mount", "/c:/d", "--copy-in", "x",
				  "--copy-in", "y:/box/z", "--copy-in", "t:/box/", "--copy-out",
				  "/box/o/*.c:dir:with:colons");

	cr_assert(eq(sz, o.mounts.n, 2));
	cr_expect(eq(str, (char *)o.mounts.at[0].from, "/a"));
	cr_expect(eq(str, (char *)o.mounts.at[0].to, "/b"));
	cr_expect(eq(int, o.mounts.at[0].writable, 1));
	cr_expect(zero(int, o.mounts.at[1].writable));
	cr_assert(eq(sz, o.copy_in.n, 3));
	cr_expect(eq(ptr, (char *)o.copy_in.at[0].to, NULL));
	cr_expect(eq(str, (char *)o.copy_in.at[1].to, "z"));
	cr_expect(eq(str, (char *)o.copy_in.at[2].to, "."));
	cr_assert(eq(sz, o.copy_out.n, 1));
	cr_expect(eq(str, (char *)o.copy_out.at[0].from, "o/*.c"));
	cr_expect(eq(str, (char *)o.copy_out.at[0].to, "dir:with:colons"));
}
