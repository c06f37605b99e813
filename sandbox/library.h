/*
 * library.h - a shared library that is loaded when it is first needed.
 *
 * What nearly every run can do without is not linked with: the dynamic linker would load it at every start, which costs more
 * time than a cell does, and every keeper would have it in memory.
 *
 * A user lists the functions it calls in an X macro, makes a struct of pointers of them with LIBRARY_POINTER, and the rows of the
 * table with a macro of its own, since a row names that struct:
 *
 *     #define CALLS(X) X(nft_ctx_new) X(nft_ctx_free)
 *     static struct { CALLS(LIBRARY_POINTER) } lib;
 *     #define AS_ROW(name) {#name, &lib.name},
 *     static const struct library_symbol calls[] = {CALLS(AS_ROW)};
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>

struct err;

#define LIBRARY_POINTER(name) __typeof__(name) *(name);

struct library_symbol {
	const char *name;
	void *pointer; /* to the function pointer that gets its address */
};

struct library {
	const char *file;    /* as dlopen(3) looks for it: "libarchive.so.13" */
	const char *package; /* of Debian, for who has to install it */
	const struct library_symbol *symbols;
	size_t nsymbols;
	int is_loaded; /* all symbols are there; only then may any of the pointers be used */
};

/* Loads the library and finds its symbols, once: what failed is tried again by the next call.  Never unloaded. */
int library_load(struct library *l, struct err *e);

#endif
