/*
 * What a client sends, from its socket to the checked request: any bytes, with any descriptors.
 *
 * Two bytes say how many descriptors, and five times three bits of the next two which; the rest is the frame.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

enum {
	SEALED,
	UNSEALED,
	PIPE_READ,
	PIPE_WRITE,
	NULL_DEVICE,
	FOLDER,
	PROC_FILE,
	OWN_END, /* of the very socket it comes over */
	KINDS,
};

static struct {
	struct rules rules;
	int kinds[KINDS];
	int client, server;
} world;

/* What the next descriptor will be called: it changes when one is lost. */
static int next_descriptor(void)
{
	int fd = dup(world.client);

	close(fd);
	return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = {0};
	int ends[2], pipes[2];

	(void)argc;
	(void)argv;
	if (rules_load(&world.rules, "rules", &e) < 0 || pipe2(pipes, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	world.client = ends[0];
	world.server = ends[1];
	world.kinds[SEALED] = io_memfd_of("text", 4, &e);
	world.kinds[UNSEALED] = io_memfd(&e);
	world.kinds[PIPE_READ] = pipes[0];
	world.kinds[PIPE_WRITE] = pipes[1];
	world.kinds[NULL_DEVICE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	world.kinds[FOLDER] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world.kinds[PROC_FILE] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	world.kinds[OWN_END] = world.client;
	for (int i = 0; i < KINDS; i++)
		if (world.kinds[i] < 0)
			abort();
	return 0;
}

/* Sends it as the kernel lets anybody do. */
static void send_frame(const uint8_t *data, size_t len, size_t count, unsigned which)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))]; /* SCM_MAX_FD */
	} control;
	struct iovec iov = {(void *)data, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[253];

	for (size_t i = 0; i < count; i++)
		fds[i] = world.kinds[which >> (i % 5 * 3) & 7];
	if (count > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		*CMSG_FIRSTHDR(&m) =
			(struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, count * sizeof(int));
	}
	if (sendmsg(world.client, &m, MSG_DONTWAIT) != (ssize_t)len)
		abort();
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

/* True if it was taken. */
static bool check(const struct channel_frame *f, struct err *e)
{
	Sandbox__Request *rq =
		(Sandbox__Request *)channel_unpack(f, &sandbox__request__descriptor, e);
	bool taken = rq && spec_check(rq, f->fds, f->nfds, &world.rules, e) == 0;

	if (taken)
		expect_safe(rq, f);
	if (rq)
		sandbox__request__free_unpacked(rq, NULL);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct channel_frame f;
	struct err e = {0};
	size_t count;
	int next = next_descriptor();
	bool taken;

	if (len <= 4 || len - 4 > CHANNEL_FRAME_MAX + 1)
		return -1;
	count = data[0] < 250 ? data[0] % 8U : data[1];
	if (count > 253)
		return -1;
	send_frame(data + 4, len - 4, count, (unsigned)data[2] << 8 | data[3]);
	taken = channel_receive(world.server, 0, &f, &e) == 1 && check(&f, &e);
	if (!taken && e.msg[0] == '\0')
		abort();
	if (f.len > 0 && f.nfds != count)
		abort();
	channel_frame_release(&f);
	if (next_descriptor() != next)
		abort();
	return 0;
}
