#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/oci.h"
#include "sandbox/tree.h"

#define BYTES   (1 << 20)
#define ENTRIES 200

static char top[] = "/tmp/gavel-fuzz-XXXXXX"; /* holds nothing but tree/ */
static int tree = -1;

static void remove_all(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/tree", top);
	(void)rmdir(path);
	(void)rmdir(top);
}

static void set_up(void)
{
	struct err e;
	char path[64];

	if (oci_layer_load(&e) < 0 || !setlocale(LC_CTYPE, "C.UTF-8") || !mkdtemp(top))
		abort();
	snprintf(path, sizeof(path), "%s/tree", top);
	if (mkdir(path, 0755) < 0)
		abort();
	tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)atexit(remove_all);
}

static void check_outside(void)
{
	DIR *d = opendir(top);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (!d || n != 3) /* . .. tree */
		abort();
	closedir(d);
}

/* Every block that does not begin with a zero becomes a header that libarchive takes: its sum and its magic are right. */
static void make_headers(uint8_t *data, size_t len)
{
	for (; len >= 512; data += 512, len -= 512) {
		unsigned sum = 0;

		if (data[0] == 0)
			continue;
		memcpy(data + 257, "ustar\00000", 8);
		memset(data + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += data[i];
		snprintf((char *)data + 148, 8, "%06o", sum);
	}
}

/* Whatever a layer is, it is applied or refused with a reason, within the budget and inside the tree. */
static void apply(const uint8_t *data, size_t len, enum oci_compression compression)
{
	struct oci_layer l = {.compression = compression, .size = len};
	struct oci_budget budget = {BYTES, ENTRIES};
	struct err e = {0};
	AUTO_FREE uint8_t *copy = malloc(len + 1);
	AUTO_CLOSE int blob = io_memfd(&e);

	memcpy(copy, data, len);
	if (compression == OCI_PLAIN)
		make_headers(copy, len);
	if (blob < 0 || io_write_all(blob, copy, len, &e) < 0 ||
	    digest_of(copy, len, l.digest, &e) < 0)
		abort();
	/* Twice: as the lowest layer, and on top of itself. */
	for (int i = 0; i < 2; i++) {
		e = (struct err){0};
		if (oci_layer_apply(&l, blob, tree, &budget, &e) < 0 && e.msg[0] == '\0')
			abort();
		if (budget.bytes > BYTES || budget.entries > ENTRIES)
			abort();
	}
	check_outside();
	if (tree_empty(tree, &e) < 0)
		abort();
}

/*
 * Four bytes an entry: its type, the parts of its name, where its link leads, how big it says it is.  Few names, so that entries meet:
 * from random bytes no two would.
 */
static void apply_script(const uint8_t *data, size_t len)
{
	static const char types[] = "0000512523461xLK7g";
	static const char *const parts[] = {
		"", "a", "b", "l", ".", "..", ".wh.a", "/b", ".wh..", ".wh..wh..opq", "a/", "c/c"};
	size_t n = len / 4 < 64 ? len / 4 : 64;
	AUTO_FREE uint8_t *tar = calloc(n + 2, 1024);
	uint8_t *at = tar;

	for (size_t i = 0; i < n; i++, data += 4) {
		snprintf((char *)at, 100, "%s%s%s", parts[data[1] % 12], data[1] & 1 ? "/" : "",
			 parts[data[1] / 12 % 12]);
		snprintf((char *)at + 100, 8, "%06o", data[3]);
		snprintf((char *)at + 124, 12, "%011o",
			 data[3] & 64 ? data[3] * 9999U : data[3] & 31U);
		at[156] = (uint8_t)types[data[0] % (sizeof(types) - 1)];
		snprintf((char *)at + 157, 100, "%s%s%s", data[2] & 128 ? "/" : "",
			 parts[data[2] % 12], parts[data[2] / 12 % 12]);
		at += data[3] & 31 && at[156] == '0' ? 1024 : 512;
	}
	/* The content of a file begins with a zero, so it is not taken for a header. */
	apply(tar, (size_t)(at - tar) + 1024, OCI_PLAIN);
}

static void parse(int kind, const char *text, size_t len)
{
	static struct oci_manifest manifest;
	static struct oci_env env;
	struct oci_choice choice;
	struct err e = {0};
	int status;

	if (kind == 0)
		status = oci_parse_layout(text, len, &e);
	else if (kind == 1)
		status = oci_parse_index(text, len, &choice, &e);
	else if (kind == 2)
		status = oci_parse_manifest(text, len, &manifest, &e);
	else
		status = oci_parse_config(text, len, 1, &env, &e);
	if (status < 0 && e.msg[0] == '\0')
		abort();
}

/* A good text with some of its bytes replaced: three bytes say which and by what. */
static void parse_edited(const uint8_t *data, size_t len)
{
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define BLOB  ",\"digest\":\"sha256:" ZEROS "\",\"size\":12"
#define TYPE  "{\"mediaType\":\"application/vnd.oci.image."
	static const char *const good[] = {
		"{\"imageLayoutVersion\":\"1.0.0\"}",
		"{\"schemaVersion\":2,\"manifests\":[" TYPE "manifest.v1+json\"" BLOB
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}," TYPE
		"index.v1+json\"" BLOB "}]}",
		"{\"schemaVersion\":2,\"config\":" TYPE "config.v1+json\"" BLOB
		"},\"layers\":[" TYPE "layer.v1.tar\"" BLOB "}," TYPE "layer.v1.tar+gzip\"" BLOB
		"}]}",
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":[1]},"
		"\"config\":{\"Env\":[\"A=B\",\"C=\"]}}",
	};
	const char *text = good[data[0] % 4];
	size_t n = strlen(text);
	AUTO_FREE char *copy = malloc(n + 1);

	memcpy(copy, text, n + 1);
	for (size_t i = 1; i + 2 < len; i += 3)
		copy[((size_t)data[i] << 8 | data[i + 1]) % n] = (char)data[i + 2];
	parse(data[0] % 4, copy, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (tree < 0)
		set_up();
	if (len < 2)
		return 0;
	switch (data[0] % 5) {
	case 0:
		parse(data[1] % 4, (const char *)data + 2, len - 2);
		break;
	case 1:
		parse_edited(data + 1, len - 1);
		break;
	case 2:
		apply(data + 2, len - 2, (enum oci_compression)(data[1] % 3));
		break;
	default:
		apply_script(data + 1, len - 1);
	}
	return 0;
}
