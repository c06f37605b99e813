/*
 * sandbox_peer.h - the protocol of sandbox.proto without a sandbox, so that a test can make it fail at will.
 *
 * It compiles and runs nothing.  A source's text says what "the program" does: its words are looked for in the sources that were
 * PUT.  Whoever wants to see real programs run uses real cells; this is for what real cells do not do on demand.
 *
 *   right      prints its input            wrong       prints "no"
 *   ce         does not compile            crash       ends by SIGSEGV
 *   slow       takes PEER_SLOW_US, right   hang        never ends
 *   die        its cell dies in every run  die_first    only in the first run of the peer
 *   broken     the sandbox reports an error, refused   the request is refused
 *   library    compiles to what cannot be executed, untidy     to what cannot be kept, with a file name that steers a terminal
 *
 *   solo       counts in `crowded` whoever runs at the same time
 *
 * A validator (a command with "/box/feedback/") says 42 if the output is the answer, 43 if not; one whose source says "confused"
 * exits with 1.
 */
#ifndef SANDBOX_PEER_H
#define SANDBOX_PEER_H

#include <pthread.h>
#include <stdatomic.h>

#define PEER_SLOW_US 1200000

struct peer {
	char path[108];
	int listener;
	pthread_t thread;
	atomic_int stopping;
	atomic_int deaths;        /* cells that died */
	atomic_int runs;          /* runs of programs (not compilers, not validators) */
	atomic_int running, most; /* of them at once */
	atomic_int solo, crowded;
	atomic_int mute;  /* 1: connections are taken but get no cell */
	atomic_int cells; /* connections open now */
};

void peer_open(struct peer *p, const char *path);
void peer_close(struct peer *p);

#endif
