#include "sandbox/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"

const char *report_status_name(Sandbox__Status status)
{
	static const char *const names[] = {
		[SANDBOX__STATUS__EXITED] = "exited",
		[SANDBOX__STATUS__SIGNALED] = "signaled",
		[SANDBOX__STATUS__CPU_TIME_LIMIT] = "cpu_time_limit",
		[SANDBOX__STATUS__WALL_TIME_LIMIT] = "wall_time_limit",
		[SANDBOX__STATUS__MEMORY_LIMIT] = "memory_limit",
		[SANDBOX__STATUS__OUTPUT_LIMIT] = "output_limit",
		[SANDBOX__STATUS__FORBIDDEN_SYSCALL] = "forbidden_syscall",
		[SANDBOX__STATUS__SANDBOX_ERROR] = "sandbox_error",
	};

	if ((size_t)status >= ARRAY_LEN(names) || !names[status])
		return "sandbox_error";
	return names[status];
}

static int exec_failed(int num)
{
	return num == ENOENT ? REPORT_NOT_FOUND : REPORT_CANNOT_EXECUTE;
}

int report_exit_status(const Sandbox__Reply *r)
{
	if (r->error && r->error[0])
		return REPORT_FAILED;
	switch (r->status) {
	case SANDBOX__STATUS__EXITED:
		return r->exit_code;
	case SANDBOX__STATUS__SIGNALED:
		return REPORT_SIGNAL + r->signal;
	case SANDBOX__STATUS__CPU_TIME_LIMIT:
	case SANDBOX__STATUS__WALL_TIME_LIMIT:
	case SANDBOX__STATUS__MEMORY_LIMIT:
	case SANDBOX__STATUS__OUTPUT_LIMIT:
		return REPORT_LIMIT;
	case SANDBOX__STATUS__FORBIDDEN_SYSCALL:
		return REPORT_SIGNAL + SIGSYS;
	default:
		return r->exec_errno ? exec_failed(r->exec_errno) : REPORT_FAILED;
	}
}

/* A JSON string of any bytes. */
static json_t *text(const char *s)
{
	char clean[1024];
	size_t n = strnlen(s, sizeof(clean) - 1);

	memcpy(clean, s, n);
	clean[n] = '\0';
	for (;;) {
		size_t good = wire_utf8_prefix((const uint8_t *)clean, n);

		if (good == n)
			return json_string(clean);
		clean[good] = '?';
	}
}

/* JSON's numbers end at 2^63 - 1 here, and so does what can be measured. */
static json_t *number(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *build(const Sandbox__Reply *r)
{
	int refused = r->error && r->error[0];
	int forbidden = r->status == SANDBOX__STATUS__FORBIDDEN_SYSCALL;
	json_t *code =
		r->status == SANDBOX__STATUS__EXITED ? json_integer(r->exit_code) : json_null();
	json_t *sig =
		r->status == SANDBOX__STATUS__SIGNALED ? json_integer(r->signal) : json_null();

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:{s:o, s:o, s:o, s:o, s:b}, s:o, s:o, s:o, s:o, s:o}",
			 "status", report_status_name(r->status), "exit_code", code, "signal", sig,
			 "syscall", forbidden ? text(r->syscall) : json_null(), "message",
			 text(refused ? r->error : r->message), "cpu_time_us",
			 number(r->cpu_time_us), "user_time_us", number(r->user_time_us),
			 "system_time_us", number(r->system_time_us), "wall_time_us",
			 number(r->wall_time_us), "memory_peak_bytes", number(r->memory_peak_bytes),
			 "memory", "anon_bytes", number(r->anon_bytes), "shmem_bytes",
			 number(r->shmem_bytes), "file_bytes", number(r->file_bytes),
			 "kernel_bytes", number(r->kernel_bytes), "sampled", 1, "processes_peak",
			 number(r->processes_peak), "output_bytes", number(r->output_bytes),
			 "voluntary_switches", number(r->voluntary_switches),
			 "involuntary_switches", number(r->involuntary_switches), "throttled_us",
			 number(r->throttled_us));
}

int report_write(int fd, const Sandbox__Reply *r, struct err *e)
{
	json_t *object = build(r);
	AUTO_FREE char *line = object ? json_dumps(object, JSON_INDENT(2)) : NULL;

	json_decref(object);
	if (!line)
		return err_set(e, "out of memory");
	if (io_write_all(fd, line, strlen(line), e) < 0 || io_write_all(fd, "\n", 1, e) < 0)
		return -1;
	return 0;
}
