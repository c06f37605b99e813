#include "sandbox/request.h"

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/copy.h"
#include "sandbox/options.h"
#include "sandbox/setting.h"

#define ADDED 64 /* bytes: what the keeper adds to a request on its way to init */

/* The fields that PUT and RUN share. */
static Sandbox__Request request_of(const struct options *o, Sandbox__Request__Kind kind)
{
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;

	rq.kind = kind;
	rq.root = (char *)"default";
	rq.network = o->network ? o->network : (char *)"none";
	if (o->network_group)
		rq.network_group = o->network_group;
	rq.box_bytes = o->box_bytes;
	rq.box_inodes = (uint32_t)o->box_inodes;
	return rq;
}

Sandbox__Request request_run(const struct options *o)
{
	Sandbox__Request rq = request_of(o, SANDBOX__REQUEST__KIND__RUN);

	rq.policy = (char *)setting_policy(o);
	rq.cpu_time_us = o->cpu_time_us;
	rq.wall_time_us = o->wall_time_us;
	rq.memory_bytes = o->memory_bytes;
	rq.processes = (uint32_t)o->processes;
	rq.output_bytes = o->output_bytes;
	rq.open_files = (uint32_t)o->open_files;
	rq.stack_bytes = o->stack_bytes;
	rq.cpu_milli = (uint32_t)o->cpu_milli;
	rq.pin_cpu = (int32_t)o->pin_cpu;
	return rq;
}

int request_send(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds,
		 cell_reply *reply, void *arg, struct err *e)
{
	size_t len = sandbox__request__get_packed_size(rq);
	AUTO_FREE uint8_t *packed = malloc(len);

	if (!packed)
		return err_set(e, "out of memory");
	if (len > CHANNEL_FRAME_MAX - ADDED)
		return err_set(e, "arguments and environment have %zu bytes, the most is %d", len,
			       CHANNEL_FRAME_MAX - ADDED);
	(void)sandbox__request__pack(rq, packed);
	if (wire_check(rq->base.descriptor, packed, len, e) < 0)
		return -1;
	return cell_request(c, rq, fds, nfds, reply, arg, e);
}

static int expect_done(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds,
		       struct err *e)
{
	(void)arg;
	(void)fds;
	(void)nfds;
	return r->error[0] ? err_set(e, "%s", r->error) : 0;
}

int request_do(struct cell *c, Sandbox__Request *rq, const int *fds, size_t nfds, struct err *e)
{
	return request_send(c, rq, fds, nfds, expect_done, NULL, e);
}

struct target {
	struct cell *cell;
	const struct options *options;
};

static int put(void *arg, char **names, uint32_t *modes, size_t n, const int *fds, size_t nfds,
	       struct err *e)
{
	const struct target *t = arg;
	Sandbox__Request rq = request_of(t->options, SANDBOX__REQUEST__KIND__PUT);

	rq.names = names;
	rq.n_names = n;
	rq.modes = modes;
	rq.n_modes = n;
	return request_do(t->cell, &rq, fds, nfds, e);
}

int request_copy_in(struct cell *c, const struct options *o, uint64_t max, struct err *e)
{
	struct target t = {c, o};
	struct copy files = {.put = put, .arg = &t, .bytes_left = max};
	int status = 0;

	for (size_t i = 0; i < o->copy_in.n && status == 0; i++)
		status = copy_in(&files, o->copy_in.at[i].from, o->copy_in.at[i].to, e);
	if (status == 0)
		status = copy_flush(&files, e);
	copy_release(&files);
	return status < 0 ? err_wrap(e, "--copy-in") : 0;
}
