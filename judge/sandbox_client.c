#include "judge/sandbox_client.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "proto/channel.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/sandbox.pb-c.h"
#include "proto/scope.h"

enum {
	PROTOCOL = 1,
	PIN_NONE = -2,
	GRACE_MS = 15000,      /* past what the run itself may take */
	QUEUE_MS = 3600000,    /* for a CPU of the run's own, where sandboxd gives each run one */
	FILES_MS = 30000,      /* for PUT, KEEP and each answer of FETCH */
	PUT_FILES_MAX = 100,   /* in one frame; names of 255 bytes still fit it */
	PUT_NAMES_MAX = 32768, /* bytes of names in one frame */
	FETCH_FILES_MAX = 10000,
};

#define WALL_MAX_US 14400000000ULL /* as sandboxd has it; the wait in ms must fit an int */

struct sandbox_client {
	int sock;
	atomic_int lost;
	Sandbox__Welcome *welcome;
	const char **layers;
	struct channel_frame frame; /* the last one received */
	struct {                    /* of the run that was started */
		int64_t deadline_us;
		size_t outputs; /* descriptors that come with its report */
		int stdout_fd;  /* the first of them is standard output */
	} run;
};

/* One frame's worth of files. */
struct batch {
	char *names[PUT_FILES_MAX];
	uint32_t modes[PUT_FILES_MAX];
	int fds[PUT_FILES_MAX];
	size_t n, nfds, bytes;
};

struct file_list {
	struct sandbox_file *at;
	size_t n;
	uint64_t bytes, max_bytes;
};

/* Nothing that comes later can be trusted to answer what was asked: the cell is given up at once. */
static int give_up(struct sandbox_client *c)
{
	sandbox_client_abort(c);
	channel_frame_release(&c->frame);
	return -1;
}

static int receive(struct sandbox_client *c, int timeout_ms, struct err *e)
{
	int got = channel_receive(c->sock, timeout_ms, &c->frame, e);

	if (got == 1)
		return 0;
	if (got == 0) {
		errno = ECONNRESET;
		err_sys(e, "sandboxd closed the connection");
	}
	return give_up(c);
}

/* Sends a request; the answer to it is read by receive_reply(). */
static int send_request(struct sandbox_client *c, const Sandbox__Request *q, const int *fds,
			size_t nfds, struct err *e)
{
	if (c->lost) {
		errno = ECONNRESET;
		return err_sys(e, "sandbox");
	}
	if (channel_send(c->sock, &q->base, fds, nfds, e) == 0)
		return 0;
	err_wrap(e, "sandbox");
	return give_up(c);
}

/* NULL when there is no answer or it is a refusal; the caller frees the reply and releases c->frame. */
static Sandbox__Reply *receive_reply(struct sandbox_client *c, int timeout_ms, struct err *e)
{
	Sandbox__Reply *r;

	if (receive(c, timeout_ms, e) < 0) {
		err_wrap(e, "sandbox");
		return NULL;
	}
	r = (Sandbox__Reply *)channel_unpack(&c->frame, &sandbox__reply__descriptor, e);
	if (!r) {
		err_wrap(e, "sandbox: reply");
		give_up(c);
		return NULL;
	}
	if (r->error[0] == '\0')
		return r;
	err_set(e, "sandbox: %s", r->error);
	e->num = r->error_number;
	sandbox__reply__free_unpacked(r, NULL);
	channel_frame_release(&c->frame);
	return NULL;
}

/* For requests whose answer says only that it was done. */
static int expect_done(struct sandbox_client *c, struct err *e)
{
	Sandbox__Reply *r = receive_reply(c, FILES_MS, e);
	size_t nfds = c->frame.nfds;

	if (!r)
		return -1;
	sandbox__reply__free_unpacked(r, NULL);
	channel_frame_release(&c->frame);
	if (nfds == 0)
		return 0;
	err_set(e, "sandbox: %zu descriptors where none belong", nfds);
	return give_up(c);
}

static int read_welcome(struct sandbox_client *c, struct err *e)
{
	size_t nfds = c->frame.nfds;

	c->welcome =
		(Sandbox__Welcome *)channel_unpack(&c->frame, &sandbox__welcome__descriptor, e);
	channel_frame_release(&c->frame);
	if (!c->welcome)
		return give_up(c);
	if (c->welcome->protocol != PROTOCOL || nfds > 0) {
		err_set(e, "sandboxd speaks protocol %u, this is %d", c->welcome->protocol,
			PROTOCOL);
		return give_up(c);
	}
	c->layers = calloc(c->welcome->n_layers + 1, sizeof(*c->layers));
	if (!c->layers)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < c->welcome->n_layers; i++)
		c->layers[i] = c->welcome->layers[i];
	return 0;
}

static int ms_left(int64_t deadline_us)
{
	int64_t left = (deadline_us - io_monotonic_us()) / 1000;

	return left > 0 ? (int)left : 0;
}

struct sandbox_client *sandbox_client_connect(const char *path, int timeout_ms, struct err *e)
{
	struct sandbox_client *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(e, "out of memory");
		return NULL;
	}
	c->sock = channel_connect_within(path, timeout_ms, e);
	if (c->sock >= 0)
		return c;
	sandbox_client_close(c);
	return NULL;
}

int sandbox_client_await(struct sandbox_client *c, int timeout_ms, struct err *e)
{
	if (receive(c, timeout_ms, e) == 0)
		return read_welcome(c, e);
	if (e->num == ECONNRESET)
		err_wrap(e, "no cell was given; is this user among sandboxd's --allow-uid?");
	return -1;
}

struct sandbox_client *sandbox_client_open(const char *path, int timeout_ms, struct err *e)
{
	int64_t deadline = io_monotonic_us() + (int64_t)timeout_ms * 1000;
	struct sandbox_client *c = sandbox_client_connect(path, timeout_ms, e);

	if (!c)
		return NULL;
	if (sandbox_client_await(c, ms_left(deadline), e) == 0)
		return c;
	err_wrap(e, "%s", path);
	sandbox_client_close(c);
	return NULL;
}

void sandbox_client_close(struct sandbox_client *c)
{
	if (!c)
		return;
	channel_frame_release(&c->frame);
	if (c->sock >= 0)
		(void)close(c->sock);
	if (c->welcome)
		sandbox__welcome__free_unpacked(c->welcome, NULL);
	free(c->layers);
	free(c);
}

int sandbox_client_lost(const struct sandbox_client *c)
{
	return c->lost;
}

void sandbox_client_abort(struct sandbox_client *c)
{
	c->lost = 1;
	(void)shutdown(c->sock, SHUT_RDWR);
}

const char *sandbox_client_rules_hash(const struct sandbox_client *c)
{
	return c->welcome->rules_hash;
}

const char *const *sandbox_client_layers(const struct sandbox_client *c)
{
	return c->layers;
}

static int is_folder(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '/';
}

static int put_batch(struct sandbox_client *c, struct batch *b, int same_box, struct err *e)
{
	Sandbox__Request q = SANDBOX__REQUEST__INIT;

	if (b->n == 0)
		return 0;
	q.kind = SANDBOX__REQUEST__KIND__PUT;
	q.names = b->names;
	q.n_names = b->n;
	q.modes = b->modes;
	q.n_modes = b->n;
	q.same_box = same_box;
	if (send_request(c, &q, b->fds, b->nfds, e) < 0)
		return -1;
	b->n = b->nfds = b->bytes = 0;
	return expect_done(c, e);
}

static int batch_add(struct sandbox_client *c, struct batch *b, const struct sandbox_file *f,
		     int same_box, struct err *e)
{
	size_t len = strlen(f->name);

	if (b->n == PUT_FILES_MAX || b->bytes + len > PUT_NAMES_MAX)
		if (put_batch(c, b, same_box, e) < 0)
			return -1;
	b->names[b->n] = f->name;
	b->modes[b->n++] = f->mode;
	b->bytes += len;
	if (!is_folder(f->name))
		b->fds[b->nfds++] = f->fd;
	return 0;
}

int sandbox_client_put(struct sandbox_client *c, const struct sandbox_file *files, size_t n,
		       int same_box, struct err *e)
{
	struct batch b = {.n = 0};

	/* The protocol wants the folders behind the files. */
	for (int folders = 0; folders < 2; folders++)
		for (size_t i = 0; i < n; i++)
			if (is_folder(files[i].name) == folders &&
			    batch_add(c, &b, &files[i], same_box, e) < 0)
				return -1;
	return put_batch(c, &b, same_box, e);
}

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* protobuf-c has no const; nothing is written through these. */
static char *borrow(const char *text)
{
	return (char *)text;
}

static char **borrow_list(const char *const *list)
{
	return (char **)list;
}

static void fill_run(Sandbox__Request *q, const struct sandbox_spec *s)
{
	q->kind = SANDBOX__REQUEST__KIND__RUN;
	q->same_box = s->same_box;
	q->root = borrow(s->root ? s->root : "default");
	q->policy = borrow(s->policy);
	q->argv = borrow_list(s->argv);
	q->n_argv = count_strings(s->argv);
	q->env = borrow_list(s->env);
	q->n_env = count_strings(s->env);
	q->cpu_time_us = s->cpu_time_us;
	q->wall_time_us = s->wall_time_us;
	q->memory_bytes = s->memory_bytes;
	q->processes = s->processes;
	q->output_bytes = s->output_bytes;
	q->box_bytes = s->box_bytes;
	q->box_inodes = s->box_inodes;
	q->open_files = s->open_files;
	q->stack_bytes = s->stack_bytes;
	q->cpu_milli = s->cpu_milli;
	q->network = borrow("none");
	q->merge_stderr = s->merge_stderr;
	q->stdin_pipe = s->stdin_is_pipe;
	q->stdout_pipe = s->stdout_pipe > 0;
	q->pin_cpu = s->unpinned ? PIN_NONE : 0;
}

/* Standard input, an empty file in its place if there is none, the pipe for output, then the extra descriptors. */
static int send_run(struct sandbox_client *c, const Sandbox__Request *q,
		    const struct sandbox_spec *s, struct err *e)
{
	AUTO_CLOSE int empty = -1;
	int fds[CHANNEL_FDS_MAX];
	size_t n = 0;

	if (s->nextra_fds > CHANNEL_FDS_MAX - 2)
		return err_set(e, "sandbox: %zu extra descriptors, at most %d fit a request",
			       s->nextra_fds, CHANNEL_FDS_MAX - 2);
	if (s->stdin_fd < 0) {
		empty = io_memfd_of("", 0, e);
		if (empty < 0)
			return -1;
	}
	fds[n++] = s->stdin_fd < 0 ? empty : s->stdin_fd;
	if (s->stdout_pipe > 0)
		fds[n++] = s->stdout_pipe;
	for (size_t i = 0; i < s->nextra_fds; i++)
		fds[n++] = s->extra_fds[i];
	return send_request(c, q, fds, n, e);
}

/* Cut where a character ends. */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(out, text, len);
	out[len] = '\0';
}

static void read_report(const Sandbox__Reply *from, struct sandbox_report *r)
{
	r->status = (enum sandbox_status)from->status;
	r->exit_code = from->exit_code;
	r->signal = from->signal;
	copy_text(r->syscall, sizeof(r->syscall), from->syscall);
	copy_text(r->message, sizeof(r->message), from->message);
	r->exec_errno = from->exec_errno;
	r->cpu_time_us = from->cpu_time_us;
	r->user_time_us = from->user_time_us;
	r->system_time_us = from->system_time_us;
	r->wall_time_us = from->wall_time_us;
	r->memory_peak_bytes = from->memory_peak_bytes;
	r->output_bytes = from->output_bytes;
	r->processes_peak = from->processes_peak;
}

static int check_memfds(const struct channel_frame *f, struct err *e)
{
	for (size_t i = 0; i < f->nfds; i++)
		if (io_memfd_check(f->fds[i], e) < 0)
			return err_wrap(e, "sandbox: descriptor %zu of the reply", i);
	return 0;
}

/* Takes the collected output out of the frame.  A run that never began may have none. */
static int read_output(struct sandbox_client *c, struct sandbox_report *r, struct err *e)
{
	struct channel_frame *f = &c->frame;
	size_t expected = c->run.outputs;

	if (r->status < RUN_EXITED || r->status > RUN_SANDBOX_ERROR)
		return err_set(e, "sandbox: report has status %d, which does not exist",
			       (int)r->status);
	if (f->nfds == 0 && r->status == RUN_SANDBOX_ERROR)
		return 0;
	if (f->nfds != expected)
		return err_set(e, "sandbox: report came with %zu descriptors, not %zu", f->nfds,
			       expected);
	if (check_memfds(f, e) < 0)
		return -1;
	if (c->run.stdout_fd)
		r->stdout_fd = f->fds[0];
	if (expected > (size_t)c->run.stdout_fd)
		r->stderr_fd = f->fds[c->run.stdout_fd];
	f->nfds = 0;
	return 0;
}

int sandbox_client_queue_ms(const struct sandbox_client *c)
{
	return c->welcome->runs_queue ? QUEUE_MS : 0;
}

int sandbox_client_patience_ms(const struct sandbox_client *c, uint64_t wall_time_us)
{
	return (int)(wall_time_us / 1000) + GRACE_MS + sandbox_client_queue_ms(c);
}

int sandbox_client_start(struct sandbox_client *c, const struct sandbox_spec *s, struct err *e)
{
	Sandbox__Request q = SANDBOX__REQUEST__INIT;

	if (s->wall_time_us == 0 || s->wall_time_us > WALL_MAX_US)
		return err_set(e, "sandbox: wall time limit of %llu us, allowed are 1 to %llu",
			       (unsigned long long)s->wall_time_us, WALL_MAX_US);
	fill_run(&q, s);
	if (send_run(c, &q, s, e) < 0)
		return -1;
	c->run.deadline_us =
		io_monotonic_us() + sandbox_client_patience_ms(c, s->wall_time_us) * (int64_t)1000;
	c->run.stdout_fd = s->stdout_pipe <= 0;
	c->run.outputs = (size_t)c->run.stdout_fd + !s->merge_stderr;
	return 0;
}

int sandbox_client_finish(struct sandbox_client *c, struct sandbox_report *r, struct err *e)
{
	Sandbox__Reply *reply = receive_reply(c, ms_left(c->run.deadline_us), e);
	int taken;

	if (!reply)
		return -1;
	*r = (struct sandbox_report){.stdout_fd = -1, .stderr_fd = -1};
	read_report(reply, r);
	taken = read_output(c, r, e);
	sandbox__reply__free_unpacked(reply, NULL);
	return taken < 0 ? give_up(c) : 0;
}

int sandbox_client_run(struct sandbox_client *c, const struct sandbox_spec *s,
		       struct sandbox_report *r, struct err *e)
{
	if (sandbox_client_start(c, s, e) < 0)
		return -1;
	return sandbox_client_finish(c, r, e);
}

int sandbox_client_fd(const struct sandbox_client *c)
{
	return c->sock;
}

void sandbox_report_release(struct sandbox_report *r)
{
	if (r->stdout_fd >= 0)
		(void)close(r->stdout_fd);
	if (r->stderr_fd >= 0)
		(void)close(r->stderr_fd);
	r->stdout_fd = r->stderr_fd = -1;
}

/* Relative, no empty component, no "." and no "..": safe to give back to PUT. */
static int name_is_plain(const char *name)
{
	while (*name) {
		size_t len = strcspn(name, "/");

		if (len == 0 || len > 255 || (len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return 0;
		name += len;
		if (*name == '/' && *++name == '\0')
			return 0;
	}
	return 1;
}

/* Takes one file out of the frame: its descriptor is the list's from here on. */
static int take_file(struct file_list *list, const Sandbox__Reply *r, size_t i, int *fd,
		     struct err *e)
{
	struct stat st;
	struct sandbox_file *f;

	if (r->names[i][0] == '\0' || !name_is_plain(r->names[i]))
		return err_set(e, "sandbox: fetched a file with a bad name");
	if (fstat(*fd, &st) < 0)
		return err_sys(e, "sandbox: stat of a fetched file");
	list->bytes += (uint64_t)st.st_size;
	if (list->bytes > list->max_bytes || list->n >= FETCH_FILES_MAX)
		return err_set(e, "sandbox: fetched more than was asked for");
	f = realloc(list->at, (list->n + 1) * sizeof(*f));
	if (!f)
		return err_set(e, "out of memory");
	list->at = f;
	f += list->n;
	f->name = strdup(r->names[i]);
	if (!f->name)
		return err_set(e, "out of memory");
	f->mode = r->modes[i];
	f->fd = fd_steal(fd);
	list->n++;
	return 0;
}

static int take_files(struct sandbox_client *c, const Sandbox__Reply *r, struct file_list *list,
		      struct err *e)
{
	if (r->n_names != c->frame.nfds || r->n_modes != c->frame.nfds)
		return err_set(e, "sandbox: %zu names and %zu modes for %zu fetched files",
			       r->n_names, r->n_modes, c->frame.nfds);
	if (r->n_names == 0 && !r->last)
		return err_set(e, "sandbox: an answer without files that is not the last");
	if (check_memfds(&c->frame, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_names; i++)
		if (take_file(list, r, i, &c->frame.fds[i], e) < 0)
			return -1;
	c->frame.nfds = 0;
	return 0;
}

static int fetch_all(struct sandbox_client *c, struct file_list *list, struct err *e)
{
	int last = 0;

	while (!last) {
		Sandbox__Reply *r = receive_reply(c, FILES_MS, e);
		int taken;

		if (!r)
			return -1;
		last = r->last;
		taken = take_files(c, r, list, e);
		sandbox__reply__free_unpacked(r, NULL);
		if (taken < 0)
			return give_up(c);
	}
	return 0;
}

int sandbox_client_fetch(struct sandbox_client *c, const char *const *paths, uint64_t max_bytes,
			 struct sandbox_file **files, size_t *n, struct err *e)
{
	Sandbox__Request q = SANDBOX__REQUEST__INIT;
	struct file_list list = {.max_bytes = max_bytes};

	q.kind = SANDBOX__REQUEST__KIND__FETCH;
	q.paths = borrow_list(paths);
	q.n_paths = count_strings(paths);
	q.fetch_bytes = max_bytes;
	if (send_request(c, &q, NULL, 0, e) < 0)
		return -1;
	if (fetch_all(c, &list, e) < 0) {
		sandbox_files_free(list.at, list.n);
		return -1;
	}
	*files = list.at;
	*n = list.n;
	return 0;
}

void sandbox_files_free(struct sandbox_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(files[i].name);
		if (files[i].fd >= 0)
			(void)close(files[i].fd);
	}
	free(files);
}

int sandbox_client_keep(struct sandbox_client *c, const char *const *paths, struct err *e)
{
	Sandbox__Request q = SANDBOX__REQUEST__INIT;

	q.kind = SANDBOX__REQUEST__KIND__KEEP;
	q.paths = borrow_list(paths);
	q.n_paths = count_strings(paths);
	if (send_request(c, &q, NULL, 0, e) < 0)
		return -1;
	return expect_done(c, e);
}
