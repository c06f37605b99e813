/*
 * entry.h - where a program begins, and what its files must be called.
 *
 * Most languages say it by the names of the files alone (language_main()).  Some compile to something that must be started by a
 * name that only the source tells (the class of a Java program, the module of an Erlang one), and some compilers insist that a
 * file is called like what it declares.  Such a language's rule has the key `entry`, and its sources are looked through here:
 * words, braces, strings and comments, not more.  A contestant may call files and classes as they like.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <stddef.h>

struct compile_source;
struct err;
struct language;

#define ENTRY_NAME_MAX 200

struct entry {          /* released by entry_release() */
	char **names;   /* what each source is called in the box, as many as there are sources */
	size_t n, main; /* main: which of them the program starts in */
	char name[ENTRY_NAME_MAX +
		  1]; /* {entry}: "contest.Main"; the main file's stem if the rule has no `entry` */
};

/*
 * -1 with the reason for the program's author: no file begins, or several might.  Where a source's data is NULL only names
 * are looked at.
 */
int entry_find(const struct language *l, const struct compile_source *sources, size_t n,
	       struct entry *out, struct err *e);
void entry_release(struct entry *entry);

/* Whether a rule may say `entry: name`; and those that it may say, for messages. */
int entry_known(const char *name);
const char *entry_list(void);

#endif
