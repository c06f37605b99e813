#include "sandbox/spec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/box.h"
#include "sandbox/bridge.h"
#include "sandbox/network.h"
#include "sandbox/rules.h"

#define SECOND 1000000ULL
#define MIB    (1ULL << 20)

typedef int check_fn(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
		     struct err *e);

/* clang-format off */
static const struct number {
	const char *name;
	size_t offset;
	int wide; /* uint64_t, not uint32_t */
	uint64_t standard, least, most;
} numbers[] = {
#define WIDE(f, standard, least, most)   { #f, offsetof(Sandbox__Request, f), 1, standard, least, most }
#define NARROW(f, standard, least, most) { #f, offsetof(Sandbox__Request, f), 0, standard, least, most }
	WIDE(cpu_time_us,  10 * SECOND, 1000,          3600 * SECOND),
	WIDE(wall_time_us, 0,           1000,          14400 * SECOND), /* 0: computed, see below */
	WIDE(memory_bytes, 256 * MIB,   4 * MIB,       1ULL << 40),
	WIDE(output_bytes, 64 * MIB,    0,             4096 * MIB),
	WIDE(box_bytes,    BOX_DEFAULT, BOX_BYTES_MIN, 1ULL << 40),
	WIDE(stack_bytes,  0,           64ULL << 10,   1ULL << 40),       /* 0: the memory limit */
	NARROW(processes,  64,          1,             32768),
	NARROW(box_inodes, BOX_INODES_DEFAULT, 16,     1 << 20),
	NARROW(open_files, 256,         4,             65536),
	NARROW(cpu_milli,  1000,        10,            1024000),
};
/* clang-format on */

static uint64_t get(const Sandbox__Request *rq, const struct number *n)
{
	const char *at = (const char *)rq + n->offset;
	uint64_t wide;
	uint32_t narrow;

	if (n->wide) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

static void put(Sandbox__Request *rq, const struct number *n, uint64_t value)
{
	char *at = (char *)rq + n->offset;
	uint32_t narrow = (uint32_t)value;

	if (n->wide)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static int check_numbers(Sandbox__Request *rq, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const struct number *n = &numbers[i];
		uint64_t value = get(rq, n);

		if (value == 0) {
			put(rq, n, n->standard);
			continue;
		}
		if (value < n->least || value > n->most)
			return err_set(e, "%s: %llu is out of range, %llu to %llu", n->name,
				       (unsigned long long)value, (unsigned long long)n->least,
				       (unsigned long long)n->most);
	}
	if (rq->wall_time_us == 0)
		rq->wall_time_us = 2 * rq->cpu_time_us + SECOND;
	if (rq->stack_bytes == 0)
		rq->stack_bytes = rq->memory_bytes;
	return 0;
}

/* Replaces an empty text by its default; the message owns it like any other. */
static int set_default(char **field, const char *standard, struct err *e)
{
	char *copy;

	if (*field && (*field)[0])
		return 0;
	copy = strdup(standard);
	if (!copy)
		return err_set(e, "out of memory");
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return 0;
}

static int check_sealed(const int *fds, size_t from, size_t to, struct err *e)
{
	for (size_t i = from; i < to; i++)
		if (io_memfd_check(fds[i], e) < 0)
			return err_wrap(e, "descriptor %zu", i);
	return 0;
}

static int check_pipe(int fd, const char *what, int access, struct err *e)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (fstat(fd, &st) < 0 || flags < 0)
		return err_sys(e, "%s", what);
	if (!S_ISFIFO(st.st_mode) || (flags & O_ACCMODE) != access)
		return err_set(e, "%s: must be the %s end of a pipe", what,
			       access == O_RDONLY ? "reading" : "writing");
	return 0;
}

/* "bridge:" and a rule; the group is a label, compared and nothing else. */
static int check_bridge(const Sandbox__Request *rq, const struct rules *rules, struct err *e)
{
	const char *group = rq->network_group;

	if (!rules_network(rules, rq->network + strlen(NETWORK_BRIDGE)))
		return err_set(e, "network: no rule '%.64s' in networks/",
			       rq->network + strlen(NETWORK_BRIDGE));
	if (strlen(group) > BRIDGE_GROUP_MAX)
		return err_set(e, "network_group: has more than %d bytes", BRIDGE_GROUP_MAX);
	if (group[strspn(group,
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		return err_set(e, "network_group: must be of letters, digits, '.', '_' and '-'");
	return 0;
}

static int check_network(const Sandbox__Request *rq, const struct rules *rules, struct err *e)
{
	if (strncmp(rq->network, NETWORK_BRIDGE, strlen(NETWORK_BRIDGE)) == 0)
		return check_bridge(rq, rules, e);
	if (strcmp(rq->network, "none") != 0 && strcmp(rq->network, "loopback") != 0)
		return err_set(e, "network: '%s' is not none, loopback or bridge:NAME",
			       rq->network);
	if (rq->network_group[0])
		return err_set(e, "network_group: belongs to network bridge:NAME");
	return 0;
}

static int check_place(Sandbox__Request *rq, const struct rules *rules, struct err *e)
{
	if (set_default(&rq->root, "default", e) < 0 || set_default(&rq->network, "none", e) < 0)
		return -1;
	if (!rules_root(rules, rq->root))
		return err_set(e, "root: no rule '%s'", rq->root);
	return check_network(rq, rules, e);
}

static int check_put(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
		     struct err *e)
{
	size_t files = 0;

	if (check_place(rq, rules, e) < 0 || check_numbers(rq, e) < 0)
		return -1;
	if (rq->n_names == 0 || rq->n_modes != rq->n_names)
		return err_set(e, "PUT: %zu names and %zu modes", rq->n_names, rq->n_modes);
	for (size_t i = 0; i < rq->n_names; i++) {
		uint32_t mode = rq->modes[i];

		if (box_check_name(rq->names[i], e) < 0)
			return -1;
		if (mode != 0444 && mode != 0644 && mode != 0555 && mode != 0755)
			return err_set(e, "modes[%zu]: %o is not 444, 644, 555 or 755", i, mode);
		files += rq->names[i][strlen(rq->names[i]) - 1] != '/';
	}
	if (files != nfds)
		return err_set(e, "PUT: %zu files but %zu descriptors", files, nfds);
	return check_sealed(fds, 0, nfds, e);
}

static int check_command(const Sandbox__Request *rq, struct err *e)
{
	if (rq->n_argv == 0 || rq->argv[0][0] == '\0')
		return err_set(e, "argv: no program is named");
	for (size_t i = 0; i < rq->n_env; i++)
		if (!strchr(rq->env[i], '=') || rq->env[i][0] == '=')
			return err_set(e, "env[%zu]: must be NAME=VALUE", i);
	if (rq->cwd[0] != '/')
		return err_set(e, "cwd: must be absolute");
	return 0;
}

size_t spec_first_extra(const Sandbox__Request *rq)
{
	return rq->stdout_pipe ? 2 : 1;
}

static int check_run(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
		     struct err *e)
{
	size_t first = spec_first_extra(rq);

	if (check_place(rq, rules, e) < 0 || set_default(&rq->cwd, "/box", e) < 0 ||
	    check_numbers(rq, e) < 0 || check_command(rq, e) < 0)
		return -1;
	if (!rules_policy(rules, rq->policy))
		return err_set(e, "policy: no rule '%s'", rq->policy);
	if (rq->pin_cpu < SPEC_PIN_NONE ||
	    (rq->pin_cpu > 0 && rq->pin_cpu > sysconf(_SC_NPROCESSORS_CONF)))
		return err_set(e, "pin_cpu: there is no CPU %d", rq->pin_cpu - 1);
	if (nfds < first || nfds - first > CHANNEL_FDS_MAX - 16)
		return err_set(e, "RUN: %zu descriptors, at least %zu are needed", nfds, first);
	if (nfds - first + 3 > rq->open_files)
		return err_set(e, "open_files: %u is less than the descriptors passed",
			       rq->open_files);
	if (rq->stdin_pipe ? check_pipe(fds[0], "stdin", O_RDONLY, e) < 0
			   : check_sealed(fds, 0, 1, e) < 0)
		return -1;
	if (rq->stdout_pipe && check_pipe(fds[1], "stdout", O_WRONLY, e) < 0)
		return -1;
	return check_sealed(fds, first, nfds, e);
}

static int check_paths(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
		       struct err *e)
{
	(void)fds;
	(void)rules;
	if (nfds != 0)
		return err_set(e, "descriptors belong to PUT and RUN");
	for (size_t i = 0; i < rq->n_paths; i++)
		if (box_check_name(rq->paths[i], e) < 0)
			return err_wrap(e, "paths[%zu]", i);
	return 0;
}

static check_fn *const checks[] = {
	[SANDBOX__REQUEST__KIND__PUT] = check_put,
	[SANDBOX__REQUEST__KIND__RUN] = check_run,
	[SANDBOX__REQUEST__KIND__FETCH] = check_paths,
	[SANDBOX__REQUEST__KIND__KEEP] = check_paths,
};

int spec_check(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
	       struct err *e)
{
	if (rq->kind >= ARRAY_LEN(checks) || !checks[rq->kind])
		return err_set(e, "kind: %d is no request", (int)rq->kind);
	if (rq->attach != 0)
		return err_set(e, "attach: is not a client's to set");
	if (checks[rq->kind](rq, fds, nfds, rules, e) < 0)
		return -1;
	/* It goes on to init in one frame, with the defaults and the field `attach`. */
	if (protobuf_c_message_get_packed_size(&rq->base) + 8 > CHANNEL_FRAME_MAX)
		return err_set(e, "request: larger than a frame once its defaults are filled in");
	return 0;
}
