/*
 * core.h - one run at a time on a physical core.
 *
 * A run that is pinned has its core to itself: any other run of the machine that wants it, whatever instance of Gavel it belongs
 * to, waits until it is free.  Hyper-threads of one core are one core.  (Runs that are not pinned keep out of nobody's way.)
 *
 * The claim on a core is a listening abstract unix socket named after it, and its backlog is the queue: who waits is connected to
 * it.  Who is done takes the first one out of the queue and hands it the socket, queue and all; so the order is kept, nobody
 * polls, and when a keeper is killed the kernel closes the socket and all that wait notice.
 */
#ifndef CORE_H
#define CORE_H

#include <sched.h>

struct err;

#define CORE_ANY (-1)

struct core {
	int cpu;   /* where to run, -1: nothing is claimed */
	int claim; /* the socket; owned */
};

/* Reads "0-3,8" or "all", the CPUs that the caller may run on now; each must be one of them. */
int core_list_parse(const char *text, cpu_set_t *cpus, struct err *e);

/*
 * Claims the core of a CPU, or of any out of `among` (like: which one to try first, or -1).  Waits until there is one, or until
 * `client` (-1: nobody) is hung up, which is -1.  0; 1: refused, *e says why.
 */
int core_claim(struct core *c, int cpu, const cpu_set_t *among, int like, int client,
	       struct err *e);

/* Hands the claim to who waits longest. */
void core_release(struct core *c);

#endif
