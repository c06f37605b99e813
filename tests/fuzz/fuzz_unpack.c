/*
 * Zip archives from any bytes: unpacked within the limits and inside the folder, or refused with a reason.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/scratch.h"
#include "judge/unpack.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define SECTION 46 /* bytes of an entry in the central directory, before its name */

static const struct unpack_limits limits = {.entries = 50,
					    .file_bytes = 1 << 16,
					    .total_bytes = 1 << 18,
					    .free_bytes = 1 << 12,
					    .ratio = 50};

static struct scratch top; /* holds nothing but out/ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void remove_top(void)
{
	scratch_remove(&top);
}

static void check_outside(void)
{
	DIR *d = opendir(top.path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (!d || n != 3) /* . .. out */
		abort();
	closedir(d);
}

static void unpack(const uint8_t *data, size_t len)
{
	struct err e = {0};
	AUTO_CLOSE int archive = io_memfd(&e);
	AUTO_CLOSE int out = -1;
	char path[100];

	snprintf(path, sizeof(path), "%s/out", top.path);
	if (mkdir(path, 0700) < 0)
		abort();
	out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (archive < 0 || out < 0 || io_write_all(archive, data, len, &e) < 0)
		abort();
	if (unpack_zip(archive, out, &limits, &e) < 0 && e.msg[0] == '\0')
		abort();
	check_outside();
	scratch_remove_tree(NULL, path);
}

static void put16(uint8_t **at, unsigned value)
{
	*(*at)++ = (uint8_t)value;
	*(*at)++ = (uint8_t)(value >> 8);
}

/*
 * Five bytes an entry: the parts of its name, its type, its flags and method, its size.  Few names, so that entries meet; headers
 * that fit each other, which random bytes never do.
 */
static void unpack_script(const uint8_t *data, size_t len)
{
	static const char *const parts[] = {"",    "a",  "b/", "a/",  ".",        "..",
					    "../", "/b", "\\", "c/c", "\xc3\xa9", "a\n"};
	static const unsigned types[] = {S_IFREG, S_IFREG, S_IFDIR, S_IFLNK,
					 S_IFIFO, S_IFCHR, 0,       0xf000};
	size_t n = len / 5 < 60 ? len / 5 : 60;
	AUTO_FREE uint8_t *zip = calloc(n + 1, 2 * SECTION + 512);
	AUTO_FREE uint8_t *central = calloc(n + 1, SECTION + 64);
	uint8_t *at = zip, *c = central;

	for (size_t i = 0; i < n; i++, data += 5) {
		char name[32];
		unsigned size = data[4] & 127, offset = (unsigned)(at - zip);
		int name_len = snprintf(name, sizeof(name), "%s%s", parts[data[0] % 12],
					parts[data[1] % 12]);
		unsigned method = data[3] & 16 ? 8 : data[3] & 32 ? data[3] >> 5 : 0;

		for (int central_one = 0; central_one < 2; central_one++) {
			uint8_t **to = central_one ? &c : &at;

			put16(to, 'P' | 'K' << 8);
			put16(to, central_one ? 1 | 2 << 8 : 3 | 4 << 8);
			if (central_one)
				put16(to, 3 << 8 | 20);
			put16(to, 20);
			put16(to, (data[3] & 3 ? 0U : 1U) | (data[3] & 4 ? 0x800U : 0U) |
					  (data[3] & 8 ? 8U : 0U));
			put16(to, method);
			*to += 8; /* time and sum: of zeros the sum is only right for no bytes */
			put16(to, size);
			put16(to, 0);
			put16(to, data[4] & 128 ? 9999 : size);
			put16(to, 0);
			put16(to, (unsigned)name_len);
			put16(to, 0);
			if (central_one) {
				*to += 6;
				put16(to, 0);
				put16(to, types[data[2] % 8] | 0644);
				put16(to, offset & 0xffff);
				put16(to, offset >> 16);
			}
			memcpy(*to, name, (size_t)name_len);
			*to += name_len;
		}
		at += size;
	}
	uint8_t *end = at + (c - central);
	memcpy(at, central, (size_t)(c - central));
	put16(&end, 'P' | 'K' << 8);
	put16(&end, 5 | 6 << 8);
	end += 4;
	put16(&end, (unsigned)n);
	put16(&end, (unsigned)n);
	put16(&end, (unsigned)(c - central) & 0xffff);
	put16(&end, (unsigned)(c - central) >> 16);
	put16(&end, (unsigned)(at - zip) & 0xffff);
	put16(&end, (unsigned)(at - zip) >> 16);
	put16(&end, 0);
	unpack(zip, (size_t)(end - zip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e;

	if (!top.path) {
		if (scratch_make("/tmp", "gavel-fuzz-", &top, &e) < 0)
			abort();
		(void)atexit(remove_top);
	}
	if (len == 0)
		return 0;
	if (data[0] == 'P')
		unpack(data, len);
	else
		unpack_script(data + 1, len - 1);
	return 0;
}
