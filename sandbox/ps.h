/*
 * ps.h - `sandbox ps`: the cells of all instances on this machine.
 */
#ifndef PS_H
#define PS_H

/* argv[0] is "ps".  Prints; returns the exit status (see.h). */
int ps_command(int argc, char **argv);

#endif
