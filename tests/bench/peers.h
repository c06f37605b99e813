/*
 * peers.h - what other sandboxes need before they can be timed: paths, isolate's box, runc's bundle.
 *
 * Only those that are installed are prepared; one that cannot be prepared fails when it is run, which its row then says.
 */
#ifndef PEERS_H
#define PEERS_H

#include <limits.h>

struct err;

#define PEER_BWRAP   "/usr/bin/bwrap"
#define PEER_ISOLATE "/usr/bin/isolate"
#define PEER_NSJAIL  "/usr/bin/nsjail"
#define PEER_RUNC    "/usr/sbin/runc"

struct peers {
	char isolate_dir[PATH_MAX + 32]; /* --dir=/program=<programs> */
	char bundle[64];                 /* of runc; its program is /program */
};

/* programs: the folder that /program is in isolate; runc_program: what the bundle runs, a static program. */
int peers_prepare(struct peers *p, const char *programs, const char *runc_program, struct err *e);
void peers_clean(struct peers *p);

/* Runs argv without input and output; returns its wait status, -1 when there is none. */
int peers_run_quietly(const char *const *argv);

#endif
