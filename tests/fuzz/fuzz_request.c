#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/box.h"
#include "sandbox/rules.h"
#include "sandbox/spec.h"

/* What a frame may come with: the first byte of the input says how many, the second which. */
static struct {
	struct rules rules;
	int sealed, pipe[2], other;
} world;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = {0};

	(void)argc;
	(void)argv;
	world.sealed = io_memfd_of("text", 4, &e);
	world.other = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (rules_load(&world.rules, "rules", &e) < 0 || world.sealed < 0 ||
	    pipe2(world.pipe, O_CLOEXEC) < 0)
		abort();
	return 0;
}

static void fill_descriptors(struct channel_frame *f, uint8_t count, uint8_t which)
{
	int kinds[] = {world.sealed, world.pipe[0], world.pipe[1], world.other};

	f->nfds = count % 8;
	for (size_t i = 0; i < f->nfds; i++)
		f->fds[i] = kinds[which >> (i % 4 * 2) & 3];
}

/* What spec.h promises of a request that has passed. */
static void expect_safe(const Sandbox__Request *rq, const struct channel_frame *f)
{
	struct err e = {0};

	if (rq->kind < SANDBOX__REQUEST__KIND__PUT || rq->kind > SANDBOX__REQUEST__KIND__KEEP ||
	    rq->attach != 0 || protobuf_c_message_get_packed_size(&rq->base) > CHANNEL_FRAME_MAX)
		abort();
	for (size_t i = 0; i < rq->n_names; i++)
		if (rq->kind == SANDBOX__REQUEST__KIND__PUT && box_check_name(rq->names[i], &e) < 0)
			abort();
	for (size_t i = 0; i < rq->n_paths; i++)
		if (rq->kind >= SANDBOX__REQUEST__KIND__FETCH &&
		    box_check_name(rq->paths[i], &e) < 0)
			abort();
	if (rq->kind != SANDBOX__REQUEST__KIND__RUN)
		return;
	if (f->nfds < spec_first_extra(rq) || rq->n_argv == 0 || rq->cwd[0] != '/' ||
	    !rules_policy(&world.rules, rq->policy) || !rules_root(&world.rules, rq->root) ||
	    rq->wall_time_us == 0 || rq->memory_bytes == 0 || rq->processes == 0)
		abort();
	for (size_t i = spec_first_extra(rq); i < f->nfds; i++)
		if (io_memfd_check(f->fds[i], &e) < 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct channel_frame f;
	struct err e = {0};
	Sandbox__Request *rq;

	if (len < 2 || len - 2 > CHANNEL_FRAME_MAX)
		return -1;
	fill_descriptors(&f, data[0], data[1]);
	f.len = len - 2;
	memcpy(f.data, data + 2, f.len);
	rq = (Sandbox__Request *)channel_unpack(&f, &sandbox__request__descriptor, &e);
	if (rq && spec_check(rq, f.fds, f.nfds, &world.rules, &e) == 0)
		expect_safe(rq, &f);
	else if (e.msg[0] == '\0')
		abort();
	if (rq)
		sandbox__request__free_unpacked(rq, NULL);
	return 0;
}
