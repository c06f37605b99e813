/*
 * probe.h - which languages are really there: asks each compiler for its version, in a cell, so that what is asked is what
 * will be used.
 */
#ifndef PROBE_H
#define PROBE_H

struct err;
struct languages;
struct sandbox_client;

/*
 * Sets the availability of every language, and what programs and libraries the cells have, as a hash: a package that is installed,
 * upgraded or removed changes a folder of them.  -1: the cell was lost, ask again in another one. */
int probe_languages(struct sandbox_client *c, struct languages *all, struct err *e);

#endif
