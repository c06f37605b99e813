/*
 * doctor.h - `sandbox doctor`: what this machine has of what a cell needs, what it lacks, and how to mend it.
 *
 * A list of checks, each of which looks at one thing and changes nothing.  The last one is the proof: it opens a cell and runs a
 * program in it, and its answer is the exit status.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

/* argv[0] is "doctor".  Prints; returns 0 if a cell can be opened, 1 if not, 2 for bad usage. */
int doctor_command(int argc, char **argv);

#endif
