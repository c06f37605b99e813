/*
 * entry_scan.h - looks through one source for where its program begins: see entry.h.
 *
 * Sources are hostile: any bytes, of any length.  A scanner looks at each byte a few times at most, keeps nothing, and what it
 * finds is made of ASCII letters, digits, '_', '$' and '.'.
 */
#ifndef ENTRY_SCAN_H
#define ENTRY_SCAN_H

#include <stddef.h>

#define ENTRY_FOUND_MAX 200

struct entry_found {
	char name[ENTRY_FOUND_MAX + 1]; /* what to start, with its package; "": nothing */
	char file[101];                 /* the stem that the file must have; "": any */
};

/* *out is all zero before.  stem: of the file's name, which some languages derive names from. */
typedef void entry_scan(const char *text, size_t len, const char *stem, size_t stem_len,
			struct entry_found *out);

entry_scan entry_scan_java, entry_scan_kotlin, entry_scan_scala, entry_scan_groovy, entry_scan_haxe,
	entry_scan_erlang;

#endif
