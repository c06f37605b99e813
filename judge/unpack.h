/*
 * unpack.h - a zip archive that somebody else made, unpacked into a folder.
 *
 * Only what a problem package needs is taken: files and folders, stored or deflated.  Links, devices, encrypted entries, other
 * compressions, two entries of one name, and names that lead elsewhere or cannot be shown are refused, each with the name of
 * the entry.  What is unpacked is counted as it comes out, not as the archive says: entries, bytes of a file, bytes together,
 * and, beyond free_bytes, how many times larger it gets.  Dates and owners are not taken; of modes only "may be executed".
 *
 * libarchive reads the bytes; it finds entries by the central directory alone, so nothing hides between them.
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdint.h>

struct err;

#define UNPACK_DEPTH_MAX 16 /* folders in folders */

struct unpack_limits {
	uint32_t entries;
	uint64_t file_bytes, total_bytes;
	uint64_t free_bytes; /* may come out of an archive of any size */
	uint32_t ratio;      /* beyond them: bytes for each byte of the archive */
};

/* What a package may be; README says the same numbers. */
extern const struct unpack_limits unpack_package_limits;

/* Whether a package of this name is unpacked: it ends in .zip or .kpp. */
int unpack_is_archive(const char *name);

/*
 * Unpacks the archive (a regular file, readable; its offset is moved) into an empty folder of the caller's own.  After -1 some of
 * it may be there: the caller removes the folder.
 */
int unpack_zip(int archive, int folder, const struct unpack_limits *l, struct err *e);

#endif
