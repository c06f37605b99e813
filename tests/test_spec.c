#include <criterion/criterion.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/box.h"
#include "sandbox/rules.h"
#include "sandbox/spec.h"

#define SECOND 1000000ULL
#define MIB    (1ULL << 20)

static struct rules rules;
static char *argv[] = {(char *)"prog"};
static int in = -1;

static void set_up(void)
{
	struct err e = {0};

	cr_assert_eq(rules_load(&rules, "rules", &e), 0, "%s", e.msg);
	in = io_memfd_of("", 0, &e);
	cr_assert_geq(in, 0);
}

static void tear_down(void)
{
	(void)close(in);
	rules_release(&rules);
}

static Sandbox__Request run(void)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;

	rq.kind = SANDBOX__REQUEST__KIND__RUN;
	rq.policy = (char *)"native";
	rq.argv = argv;
	rq.n_argv = 1;
	return rq;
}

static void release(Sandbox__Request *rq)
{
	char **owned[] = {&rq->root, &rq->network, &rq->cwd};

	for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
		if (*owned[i] != protobuf_c_empty_string)
			free(*owned[i]);
		*owned[i] = (char *)protobuf_c_empty_string;
	}
}

/* NULL when the request is fine, else what is said about it. */
static const char *check(Sandbox__Request *rq, const int *fds, size_t nfds)
{
	static struct err e;

	e = (struct err){0};
	return spec_check(rq, fds, nfds, &rules, &e) == 0 ? NULL : e.msg;
}

static void expect(Sandbox__Request *rq, const int *fds, size_t nfds, const char *error)
{
	const char *said = check(rq, fds, nfds);

	if (!error)
		cr_expect_null(said, "%s", said);
	else
		cr_expect(said && strstr(said, error), "'%s' instead of '%s'", said ? said : "fine",
			  error);
	release(rq);
}

TestSuite(spec, .init = set_up, .fini = tear_down, .timeout = 30);

Test(spec, defaults_are_filled_in)
{
	Sandbox__Request rq = run();

	cr_expect_null(check(&rq, &in, 1));
	cr_expect_str_eq(rq.root, "default");
	cr_expect_str_eq(rq.network, "none");
	cr_expect_str_eq(rq.cwd, "/box");
	cr_expect_eq(rq.cpu_time_us, 10 * SECOND);
	cr_expect_eq(rq.wall_time_us, 21 * SECOND, "twice the time and a second");
	cr_expect_eq(rq.memory_bytes, 256 * MIB);
	cr_expect_eq(rq.stack_bytes, rq.memory_bytes);
	cr_expect_eq(rq.output_bytes, 64 * MIB);
	cr_expect_eq(rq.box_bytes, BOX_DEFAULT);
	cr_expect_eq(rq.processes, 64);
	cr_expect_eq(rq.box_inodes, BOX_INODES_DEFAULT);
	cr_expect_eq(rq.open_files, 256);
	cr_expect_eq(rq.cpu_milli, 1000);
	cr_expect_null(check(&rq, &in, 1), "what has been checked passes again");
	release(&rq);
}

Test(spec, numbers_have_ranges)
{
	static const struct {
		const char *name;
		size_t offset;
		int wide;
		uint64_t least, most;
	} numbers[] = {
#define WIDE(f, least, most) {#f, offsetof(Sandbox__Request, f), 1, least, most}
#define NARROW(f, least, most)                                                                     \
	{                                                                                          \
#f, offsetof(Sandbox__Request, f), 0, least, most                                  \
	}
		WIDE(cpu_time_us, 1000, 3600 * SECOND),
		WIDE(wall_time_us, 1000, 4 * 3600 * SECOND),
		WIDE(memory_bytes, 4 * MIB, 1ULL << 40),
		WIDE(output_bytes, 1, 4096 * MIB),
		WIDE(box_bytes, 4096, 1ULL << 40),
		WIDE(stack_bytes, 65536, 1ULL << 40),
		NARROW(processes, 1, 32768),
		NARROW(box_inodes, 16, 1 << 20),
		NARROW(open_files, 4, 65536),
		NARROW(cpu_milli, 10, 1024000),
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t values[] = {numbers[i].least, numbers[i].most, numbers[i].least - 1,
				     numbers[i].most + 1,
				     numbers[i].wide ? UINT64_MAX : UINT32_MAX};

		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			Sandbox__Request rq = run();
			char *at = (char *)&rq + numbers[i].offset;
			uint32_t narrow = (uint32_t)values[v];
			char error[64];

			if (values[v] == 0) /* the default */
				continue;
			if (numbers[i].wide)
				memcpy(at, &values[v], 8);
			else
				memcpy(at, &narrow, 4);
			snprintf(error, sizeof(error), "%s: %llu is out of range", numbers[i].name,
				 (unsigned long long)values[v]);
			expect(&rq, &in, 1, v < 2 ? NULL : error);
		}
	}
}

Test(spec, commands)
{
	char group65[66];

	memset(group65, 'g', 65);
	group65[65] = '\0';
	Sandbox__Request rq = run();
	char *empty[] = {(char *)""};
	char *bad_env[] = {(char *)"A=1", (char *)"B"};
	char *no_name[] = {(char *)"=x"};

	rq.n_argv = 0;
	expect(&rq, &in, 1, "argv: no program");
	rq = run();
	rq.argv = empty;
	expect(&rq, &in, 1, "argv: no program");
	rq = run();
	rq.env = bad_env;
	rq.n_env = 2;
	expect(&rq, &in, 1, "env[1]: must be NAME=VALUE");
	rq = run();
	rq.env = no_name;
	rq.n_env = 1;
	expect(&rq, &in, 1, "env[0]: must be NAME=VALUE");
	rq = run();
	rq.cwd = strdup("box");
	expect(&rq, &in, 1, "cwd: must be absolute");
	rq = run();
	rq.root = strdup("../../etc");
	expect(&rq, &in, 1, "root: no rule '../../etc'");
	rq = run();
	rq.policy = (char *)"";
	expect(&rq, &in, 1, "policy: no rule ''");
	rq = run();
	rq.network = strdup("bridge");
	expect(&rq, &in, 1, "network: 'bridge' is not none, loopback or bridge:NAME");
	rq = run();
	rq.network = strdup("bridge:../roots/default");
	expect(&rq, &in, 1, "network: no rule '../roots/default' in networks/");
	rq = run();
	rq.network = strdup("bridge:");
	expect(&rq, &in, 1, "network: no rule ''");
	rq = run();
	rq.network = strdup("bridge:default");
	rq.network_group = (char *)"team-1.A_b";
	expect(&rq, &in, 1, NULL);
	rq = run();
	rq.network = strdup("bridge:default");
	rq.network_group = (char *)"a/b";
	expect(&rq, &in, 1, "network_group: must be of letters");
	rq = run();
	rq.network = strdup("bridge:default");
	rq.network_group = group65;
	expect(&rq, &in, 1, "network_group: has more than 64 bytes");
	rq = run();
	rq.network = strdup("loopback");
	rq.network_group = (char *)"red";
	expect(&rq, &in, 1, "network_group: belongs to network bridge:NAME");
	rq = run();
	rq.attach = 1;
	expect(&rq, &in, 1, "attach");
	rq = run();
	rq.pin_cpu = -3;
	expect(&rq, &in, 1, "pin_cpu: there is no CPU -4");
	rq = run();
	rq.pin_cpu = -1;
	expect(&rq, &in, 1, NULL);
	rq = run();
	rq.pin_cpu = INT32_MIN + 1;
	expect(&rq, &in, 1, "pin_cpu");
	rq = run();
	rq.pin_cpu = 1 << 20;
	expect(&rq, &in, 1, "pin_cpu: there is no CPU 1048575");
	rq = run();
	rq.pin_cpu = 1;
	expect(&rq, &in, 1, NULL);
}

Test(spec, kinds)
{
	static const unsigned unknown[] = {0, 5, 99, 0x7fffffff, 0xffffffff};
	Sandbox__Request rq;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		rq = run();
		rq.kind = (Sandbox__Request__Kind)unknown[i];
		expect(&rq, &in, 1, "is no request");
	}
	for (int kind = SANDBOX__REQUEST__KIND__FETCH; kind <= SANDBOX__REQUEST__KIND__KEEP;
	     kind++) {
		char *paths[] = {(char *)"a/*", (char *)"../b"};

		rq = (Sandbox__Request)SANDBOX__REQUEST__INIT;
		rq.kind = (Sandbox__Request__Kind)kind;
		expect(&rq, NULL, 0, NULL);
		expect(&rq, &in, 1, "descriptors belong to PUT and RUN");
		rq.paths = paths;
		rq.n_paths = 1;
		expect(&rq, NULL, 0, NULL);
		rq.n_paths = 2;
		expect(&rq, NULL, 0, "paths[1]: name '../b'");
	}
}

Test(spec, files)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	char *names[] = {(char *)"a", (char *)"d/", (char *)"b"};
	uint32_t modes[] = {0444, 0755, 0644};
	int fds[] = {in, in, in};

	rq.kind = SANDBOX__REQUEST__KIND__PUT;
	expect(&rq, NULL, 0, "PUT: 0 names and 0 modes");
	rq.names = names;
	rq.modes = modes;
	rq.n_names = rq.n_modes = 3;
	expect(&rq, fds, 2, NULL);
	expect(&rq, fds, 3, "PUT: 2 files but 3 descriptors");
	expect(&rq, fds, 1, "PUT: 2 files but 1 descriptors");
	rq.n_modes = 2;
	expect(&rq, fds, 2, "PUT: 3 names and 2 modes");
	rq.n_modes = 3;
	modes[2] = 0777;
	expect(&rq, fds, 2, "modes[2]: 777");
	modes[2] = 04755;
	expect(&rq, fds, 2, "modes[2]: 4755");
	modes[2] = 0555;
	names[0] = (char *)"/a";
	expect(&rq, fds, 2, "name '/a'");
	names[0] = (char *)"a";
	fds[1] = STDIN_FILENO;
	expect(&rq, fds, 2, "descriptor 1");
	fds[1] = -1;
	expect(&rq, fds, 2, "descriptor 1");
}

Test(spec, descriptors_of_a_run)
{
	Sandbox__Request rq = run();
	int ends[2];
	int both[2] = {in, in};
	int many[CHANNEL_FDS_MAX];

	cr_assert_eq(pipe(ends), 0);
	expect(&rq, NULL, 0, "RUN: 0 descriptors, at least 1");
	rq.stdout_pipe = 1;
	expect(&rq, &in, 1, "RUN: 1 descriptors, at least 2");
	expect(&rq, both, 2, "stdout: must be the writing end");
	both[1] = ends[0];
	expect(&rq, both, 2, "stdout: must be the writing end");
	both[1] = ends[1];
	expect(&rq, both, 2, NULL);
	rq.stdin_pipe = 1;
	both[0] = ends[1];
	expect(&rq, both, 2, "stdin: must be the reading end");
	both[0] = ends[0];
	expect(&rq, both, 2, NULL);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = in;
	rq = run();
	expect(&rq, many, CHANNEL_FDS_MAX - 15, NULL);
	expect(&rq, many, CHANNEL_FDS_MAX - 14, "RUN: 186 descriptors");
	rq.open_files = 10;
	expect(&rq, many, 8, NULL);
	expect(&rq, many, 9, "open_files: 10 is less than the descriptors passed");
	many[5] = ends[0];
	rq = run();
	expect(&rq, many, 8, "descriptor 5");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A request that came in one frame must go on to init in one. */
Test(spec, defaults_may_not_outgrow_a_frame)
{
	static char text[CHANNEL_FRAME_MAX];
	Sandbox__Request rq = run();
	char *one[] = {text};

	memset(text, 'x', sizeof(text) - 1);
	rq.argv = one;
	text[CHANNEL_FRAME_MAX - 200] = '\0';
	expect(&rq, &in, 1, NULL);
	text[CHANNEL_FRAME_MAX - 200] = 'x';
	text[CHANNEL_FRAME_MAX - 40] = '\0';
	rq = run();
	rq.argv = one;
	cr_assert_leq(protobuf_c_message_get_packed_size(&rq.base), CHANNEL_FRAME_MAX);
	expect(&rq, &in, 1, "larger than a frame");
}
