/*
 * script.h - programs of the jury that say themselves how they are built and run.
 *
 * A folder with an executable called build, or run, needs no language: build is executed in a copy of the folder and leaves run
 * there, or run is there already; run is the program.  To the rest of judged it is a language like any other, with a name
 * that no rule can have.  Both may start what they like of what a jury's cell has: shells, compilers, interpreters.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>

struct err;
struct language;
struct languages;
struct sandbox_file;

/* 1 for "build" and "run". */
int script_is(const char *file);

/* The one for a folder with these files; NULL: it has neither. */
const struct language *script_of(const char *const *names, size_t n);

/* What a built program of a package is run by: one of these, or the rule of this name.  NULL: gone. */
const struct language *script_or_rule(const struct languages *all, const char *name);

int script_is_language(const struct language *l);

/* After the building of one of these, or of anything else: -1 if there is nothing to execute. */
int script_check(const struct language *l, const struct sandbox_file *files, size_t n,
		 struct err *e);

#endif
