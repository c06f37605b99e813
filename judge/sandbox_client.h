/*
 * sandbox_client.h - judged's side of a cell.
 *
 * A struct sandbox_client is one connection to sandboxd, so one cell: opened for a job, used by one thread at a time, closed
 * (which wipes the cell) when the job is done.  Calls block for as long as sandboxd's own limits let a run take, plus a grace
 * time; a sandboxd that dies, stays silent past that or says what the protocol does not allow is an error, and the client can
 * then only be closed: sandbox_client_lost() tells this from a request that was refused.
 *
 * All descriptors that go in are borrowed; all that come out are owned by the caller and are sealed memfds.  What is
 * in them was written by a contestant.
 */
#ifndef SANDBOX_CLIENT_H
#define SANDBOX_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct sandbox_client;

/* One file going into or coming out of the box. */
struct sandbox_file {
	char *name;    /* relative path; one that ends in '/' is a folder and has fd -1 */
	uint32_t mode; /* 0444, 0644, 0555 or 0755 */
	int fd;        /* sealed memfd */
};

/* What to run.  Everything is borrowed.  Fields left 0 mean what sandbox.proto says for them. */
struct sandbox_spec {
	const char *root;                     /* NULL: "default" */
	const char *policy;                   /* required */
	const char *const *argv, *const *env; /* NULL-terminated */
	uint64_t cpu_time_us, wall_time_us, memory_bytes, output_bytes, box_bytes, stack_bytes;
	uint32_t processes, box_inodes, open_files, cpu_milli;
	int stdin_fd;         /* sealed memfd, or a pipe to read from; -1: empty */
	int stdout_pipe;      /* a pipe to write to: nothing is collected then; 0: none */
	const int *extra_fds; /* become 3, 4, ...: read them as /dev/fd/3 */
	size_t nextra_fds;
	int stdin_is_pipe;
	int same_box;     /* go on in the box as the run before left it */
	int merge_stderr; /* stderr into stdout */
	int unpinned;     /* waits for no CPU of its own, also where sandboxd gives each run one */
};

enum sandbox_status { /* the numbers of sandbox.proto */
		      RUN_EXITED = 1,
		      RUN_SIGNALED,
		      RUN_CPU_TIME_LIMIT,
		      RUN_WALL_TIME_LIMIT,
		      RUN_MEMORY_LIMIT,
		      RUN_OUTPUT_LIMIT,
		      RUN_FORBIDDEN_SYSCALL,
		      RUN_SANDBOX_ERROR,
};

struct sandbox_report {
	enum sandbox_status status;
	int exit_code, signal;
	char syscall[48];
	char message[256];
	int exec_errno; /* the program could not be started, with RUN_SANDBOX_ERROR */
	uint64_t cpu_time_us, user_time_us, system_time_us, wall_time_us;
	uint64_t memory_peak_bytes, output_bytes;
	uint32_t processes_peak;
	/* stdout -1 when it went to a pipe, stderr -1 when merged; sandbox_report_release() closes them */
	int stdout_fd, stderr_fd;
};

/*
 * Connects and waits at most timeout_ms for the welcome: until then other clients have the cells; e->num is ETIMEDOUT then.
 */
struct sandbox_client *sandbox_client_open(const char *path, int timeout_ms, struct err *e);

/*
 * The same in two steps, so that sandbox_client_abort() can end the waiting in between: connect queues for a cell (it waits only
 * when the queue itself is full), await waits for its turn.  Until await has returned 0 the client can only be aborted or closed.
 */
struct sandbox_client *sandbox_client_connect(const char *path, int timeout_ms, struct err *e);
int sandbox_client_await(struct sandbox_client *c, int timeout_ms, struct err *e);

/* Wipes the cell.  NULL is allowed. */
void sandbox_client_close(struct sandbox_client *c);

/* 1 once the connection is of no more use; every call fails from then on. */
int sandbox_client_lost(const struct sandbox_client *c);

/*
 * From any thread: makes the call that is going on and all later ones fail soon.  The caller sees to it that the client is not
 * closed meanwhile.
 */
void sandbox_client_abort(struct sandbox_client *c);

/* From the welcome; good until close. */
const char *sandbox_client_rules_hash(const struct sandbox_client *c);
const char *const *sandbox_client_layers(const struct sandbox_client *c); /* NULL-terminated */

/* Writes files into the box (a fresh one if a program has used it, unless same_box). */
int sandbox_client_put(struct sandbox_client *c, const struct sandbox_file *files, size_t n,
		       int same_box, struct err *e);

/* How long a run may wait for a CPU of its own before it begins; 0 where runs need none. */
int sandbox_client_queue_ms(const struct sandbox_client *c);

/* How long a run with this limit of real time may take to be answered, the waiting for a CPU included. */
int sandbox_client_patience_ms(const struct sandbox_client *c, uint64_t wall_time_us);

/*
 * Runs; 0 means that *r holds a report, whatever the program did.  -1: the sandbox is at fault or refused the request.
 * wall_time_us is required: it bounds how long the call waits.
 */
int sandbox_client_run(struct sandbox_client *c, const struct sandbox_spec *s,
		       struct sandbox_report *r, struct err *e);

/*
 * The same in two steps, for runs that go on at the same time: start asks for the run, finish waits for its report.  In between the
 * client's descriptor, which is not the caller's to read or close, becomes readable when the report has come or the connection
 * is lost; so does sandbox_client_abort() make it.
 */
int sandbox_client_start(struct sandbox_client *c, const struct sandbox_spec *s, struct err *e);
int sandbox_client_finish(struct sandbox_client *c, struct sandbox_report *r, struct err *e);
int sandbox_client_fd(const struct sandbox_client *c);

void sandbox_report_release(struct sandbox_report *r);

/*
 * Takes regular files out of the box.  paths is NULL-terminated; folders are taken whole; '*' matches in the last component.
 * At most max_bytes together.  *files is released by sandbox_files_free().  e->num is ENOENT when a path matches nothing.
 */
int sandbox_client_fetch(struct sandbox_client *c, const char *const *paths, uint64_t max_bytes,
			 struct sandbox_file **files, size_t *n, struct err *e);
void sandbox_files_free(struct sandbox_file *files, size_t n);

/*
 * Makes the files at paths (NULL: all of the box) the read-only /program of the runs to come; the box is empty then.  e->num is
 * ENOENT when a path matches nothing.
 */
int sandbox_client_keep(struct sandbox_client *c, const char *const *paths, struct err *e);

#endif
