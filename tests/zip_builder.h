/*
 * zip_builder.h - zip archives byte by byte, also such as no program makes.
 *
 * Entries are stored uncompressed.  zip_finish() appends the central directory and its end.
 */
#ifndef ZIP_BUILDER_H
#define ZIP_BUILDER_H

#include <stddef.h>
#include <stdint.h>

struct zip_builder {
	char *data;
	size_t len;
	char *central;
	size_t central_len;
	unsigned entries;
};

struct zip_entry {
	const char *name;
	size_t name_len; /* 0: up to the NUL */
	const char *text;
	uint16_t flags, method; /* of the format: 0x0001 is encrypted, 0x0800 a name in UTF-8 */
	uint32_t mode; /* st_mode; 0: a regular file, or a folder if the name ends in '/' */
	int wrong_sum;
};

void zip_add(struct zip_builder *z, const struct zip_entry *entry);
void zip_text(struct zip_builder *z, const char *name, const char *text);

/* Frees what the builder has; the bytes are the caller's.  The builder is empty then. */
char *zip_finish(struct zip_builder *z, size_t *len);

/* Writes them to a file. */
void zip_write(struct zip_builder *z, const char *path);

#endif
