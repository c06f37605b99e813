/*
 * jailed.h - runs in a cell of the measuring process itself, by plain calls of cell.h: no socket, no other process but init.
 */
#ifndef JAILED_H
#define JAILED_H

#include "sandbox/cell.h"
#include "sandbox/rules.h"

struct err;

struct jailed {
	struct rules rules;
	struct cgroup_host cgroups;
	struct cell cell;
	int open;
};

/* tables: NULL for the real ones.  Needs root and no supplementary groups. */
int jailed_open(struct jailed *j, const struct jail_tables *tables, struct err *e);
void jailed_close(struct jailed *j);

/* The file at path becomes /program/<its name>. */
int jailed_keep(struct jailed *j, const char *path, struct err *e);

/* What a run is asked for.  Zeros mean the defaults of sandbox.proto. */
struct jailed_run {
	char *const *argv; /* NULL-terminated */
	const char *policy;
	uint64_t cpu_time_us, wall_time_us, memory_bytes;
	uint32_t processes, cpu_milli;
	int pin_cpu; /* 1 + number, 0: none */
};

struct jailed_report {
	int status; /* Sandbox__Status */
	int exit_code;
	uint64_t cpu_time_us, wall_time_us, memory_peak_bytes, file_bytes;
	double reply_ms; /* from the request to the report */
	double ready_ms; /* from the request until the next could be made */
	char text[256];  /* what went wrong, if anything did */
};

/* 0 when there is a report, whatever the program did. */
int jailed_run(struct jailed *j, const struct jailed_run *what, struct jailed_report *r,
	       struct err *e);

/* 0 if a jail that lacks the named step refuses to run a program, and says that it was verify that saw it. */
int jailed_refuses_without(const char *step, char *why, size_t size, struct err *e);

#endif
