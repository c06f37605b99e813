/*
 * confine_calls.h - the system calls of judged, as a seccomp(2) filter; see confine.h.
 *
 * To allow one more: its row in confine_calls.c, with the reason.
 */
#ifndef CONFINE_CALLS_H
#define CONFINE_CALLS_H

struct err;

/* Installs it for the calling thread and all it will start; needs no_new_privs. */
int confine_calls(struct err *e);

#endif
