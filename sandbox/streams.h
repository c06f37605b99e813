/*
 * streams.h - what the program of `sandbox run` reads and writes.
 *
 * The program never holds a file of the host.  Its input is a sealed copy of a regular file, or a pipe that a child process
 * fills from whatever else it is (terminal, pipe, socket, device).  Its output reaches a file only after the run, copied from
 * what the keeper has drained; what goes to our own standard output and error is passed on while it runs.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct options;

struct streams {
	int source; /* where the input comes from */
	int input;  /* what the program gets */
	int input_is_pipe;
	pid_t pump;                   /* the child that fills the pipe, 0: none */
	int files[2];                 /* --stdout and --stderr, -1: not given */
	int stdout_sink, stderr_sink; /* for struct run_ties */
	const char *input_path, *paths[2];
};

/* Opens the files that the options name, so that a wrong name is found before anything runs. */
int streams_open(struct streams *s, const struct options *o, struct err *e);

/* Makes the program's input; starts the child if one is needed. */
int streams_start(struct streams *s, struct err *e);

/* Writes the collected output (memfds, standard output first) to the files. */
int streams_deliver(const struct streams *s, const int *fds, size_t nfds, struct err *e);

/* Ends the child; safe to call twice. */
void streams_stop(struct streams *s);
void streams_close(struct streams *s);

#endif
