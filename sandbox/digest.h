/*
 * digest.h - SHA-256 of bytes that come in parts.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>

struct err;
struct evp_md_ctx_st;

#define DIGEST_HEX 65 /* 64 digits and a NUL */

struct digest {
	struct evp_md_ctx_st *ctx;
};

/* Loads the library.  digest_open() does so too; this is for who will not be able to any more then. */
int digest_load(struct err *e);

/* Ends with digest_close(), which writes the digits, or with digest_drop(). */
int digest_open(struct digest *d, struct err *e);
int digest_add(struct digest *d, const void *data, size_t len, struct err *e);
int digest_close(struct digest *d, char hex[DIGEST_HEX], struct err *e);
void digest_drop(struct digest *d);

/* All at once. */
int digest_of(const void *data, size_t len, char hex[DIGEST_HEX], struct err *e);

#endif
