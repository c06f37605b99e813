/*
 * cell_fixture.h - one cell for a test: opened with the project's own rules, asked by plain calls.
 */
#ifndef CELL_FIXTURE_H
#define CELL_FIXTURE_H

#include "proto/err.h"
#include "sandbox/cell.h"
#include "sandbox/rules.h"

struct fixture {
	struct rules rules;
	struct cgroup_host cgroups;
	struct cell cell;
	int open;
};

/* What came back: the last reply, copied, and the text of the streams. */
struct answer {
	int status; /* Sandbox__Status, 0 for anything but RUN */
	int broken; /* cell_request() failed; error says why */
	int error_number;
	int exit_code, signal, exec_errno;
	char error[300], syscall[64], message[256];
	char out[16384], err_text[4096];
	uint64_t cpu_time_us, user_time_us, system_time_us, wall_time_us;
	uint64_t memory_peak_bytes, output_bytes;
	unsigned processes_peak;
	unsigned replies; /* how many came */
	size_t fetched;   /* files in all of them; the first of these are kept here: */
	size_t nfiles;
	char names[64][128];
	char contents[64][256];
};

/*
 * Takes the rights to make cells: for root none are missing; a plain user gets them where GAVEL_ROOTLESS says that this must work
 * (tests/plain_user.py), and elsewhere the test is skipped.
 */
void fixture_rights(void);

/* With those rights. */
void fixture_open(struct fixture *f, const struct jail_tables *tables);
/* As above, but a cell that cannot be opened is reported: returns 0 or -1. */
int fixture_try(struct fixture *f, const struct jail_tables *tables, struct err *e);
void fixture_close(struct fixture *f);

/* A RUN of /bin/sh -c SCRIPT under the compiler policy; change the request before sending it with fixture_send(). */
Sandbox__Request fixture_shell(char **argv, const char *script);
void fixture_send(struct fixture *f, Sandbox__Request *rq, const char *input, struct answer *a);
/* The same with these descriptors, which it borrows. */
void fixture_send_fds(struct fixture *f, Sandbox__Request *rq, const int *fds, size_t nfds,
		      struct answer *a);
void fixture_run(struct fixture *f, const char *script, struct answer *a);
void fixture_put(struct fixture *f, const char *name, unsigned mode, const char *text,
		 struct answer *a);
void fixture_paths(struct fixture *f, Sandbox__Request__Kind kind, const char *path,
		   struct answer *a);

#endif
