/*
 * game.h - a program and its interactor at the same time, each in a cell of its own, joined by two pipes.
 *
 * Who ended first decides what a failure means, so neither may learn of the other's end before we do: copies of all four pipe ends are
 * held here, and those of a side are closed only once its report has come.  A program that dies because its interactor is gone has
 * therefore always ended after it.
 *
 * When one side has ended, the other finds what was written to it, then the end of the file.  What it still writes itself is thrown
 * away, up to GAME_DISCARD_BYTES, as long as its own end matters for the verdict; otherwise it gets SIGPIPE.
 *
 * Nothing waits without end: the program has its limits; the interactor has those of its spec, which have to be longer, and once the
 * program's verdict needs it no more it has GAME_LINGER_MS to end, or its cell is closed.
 */
#ifndef GAME_H
#define GAME_H

#include "judge/grade.h"
#include "judge/sandbox_client.h"

struct err;
struct transcript;

#define GAME_DISCARD_BYTES (8U << 20)
#define GAME_LINGER_MS     10000

struct game {
	/* Set by the caller, borrowed.  The specs' standard streams are filled in here. */
	struct sandbox_client *program, *interactor;
	struct sandbox_spec *program_spec, *interactor_spec;
	enum grade_validator (*said)(const struct sandbox_report *interactor);
	struct transcript *transcript; /* NULL: none is kept, and the bytes need no detour */

	/* Set by game_play(); the reports are released by the caller, whatever it returned. */
	struct sandbox_report program_report, interactor_report;
	int interactor_first; /* its report came before the program's */
	int interactor_lost;  /* it would not end: it has no report, and its client is lost */
};

/* 0: both have ended, however.  -1: the sandbox is at fault, and clients whose run goes on are lost. */
int game_play(struct game *g, struct err *e);

#endif
