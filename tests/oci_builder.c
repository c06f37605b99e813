#include "tests/oci_builder.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proto/err.h"
#include "sandbox/digest.h"

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#else
#define ARCHITECTURE "arm64"
#endif

static la_ssize_t append(struct archive *a, void *arg, const void *data, size_t len)
{
	struct oci_bytes *b = arg;

	(void)a;
	b->data = realloc(b->data, b->len + len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return (la_ssize_t)len;
}

static struct archive *begin(const char *filter, struct oci_bytes *out)
{
	struct archive *a = archive_write_new();

	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8")); /* for names in UTF-8 */
	*out = (struct oci_bytes){0};
	if (*filter)
		cr_assert_eq(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
	archive_write_set_bytes_per_block(a, 512);
	archive_write_set_bytes_in_last_block(a, 1);
	return a;
}

static void add(struct archive *a, const struct oci_item *i)
{
	struct archive_entry *entry = archive_entry_new();
	static const struct {
		char type;
		mode_t file_type;
	} types[] = {{'f', AE_IFREG}, {'d', AE_IFDIR}, {'l', AE_IFLNK},
		     {'c', AE_IFCHR}, {'p', AE_IFIFO}, {'h', AE_IFREG}};
	size_t len = i->type == 'f' && i->text ? strlen(i->text) : 0;

	archive_entry_set_pathname(entry, i->name);
	for (size_t k = 0; k < sizeof(types) / sizeof(*types); k++)
		if (types[k].type == i->type)
			archive_entry_set_filetype(entry, types[k].file_type);
	archive_entry_set_perm(entry, i->mode ? i->mode : i->type == 'd' ? 0755 : 0644);
	archive_entry_set_mtime(entry, 1000000000, 0);
	if (i->type == 'l')
		archive_entry_set_symlink(entry, i->text);
	if (i->type == 'h')
		archive_entry_set_hardlink(entry, i->text);
	if (i->type == 'c')
		archive_entry_set_rdev(entry, makedev(1, 3));
	archive_entry_set_size(entry, (la_int64_t)len);
	cr_assert_eq(archive_write_header(a, entry), ARCHIVE_OK, "%s", archive_error_string(a));
	if (len > 0)
		archive_write_data(a, i->text, len);
	archive_entry_free(entry);
}

struct oci_bytes oci_builder_tar(const struct oci_item *items, const char *filter)
{
	struct oci_bytes b;
	struct archive *a = begin(filter, &b);

	archive_write_set_format_pax_restricted(a);
	cr_assert_eq(archive_write_open(a, &b, NULL, append, NULL), ARCHIVE_OK);
	for (; items->type; items++)
		add(a, items);
	cr_assert_eq(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return b;
}

struct oci_bytes oci_builder_compress(const struct oci_bytes *plain, const char *filter)
{
	struct oci_bytes b;
	struct archive *a = begin(filter, &b);
	struct archive_entry *entry = archive_entry_new();

	archive_write_set_format_raw(a);
	cr_assert_eq(archive_write_open(a, &b, NULL, append, NULL), ARCHIVE_OK);
	archive_entry_set_pathname(entry, "raw");
	archive_entry_set_filetype(entry, AE_IFREG);
	cr_assert_eq(archive_write_header(a, entry), ARCHIVE_OK);
	archive_write_data(a, plain->data, plain->len);
	archive_entry_free(entry);
	archive_write_close(a);
	archive_write_free(a);
	return b;
}

static void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
}

void oci_builder_file(const char *dir, const char *name, const char *text)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_file(path, text, strlen(text));
}

void oci_builder_blob(const char *dir, const void *data, size_t len, char hex[65])
{
	char path[4096];
	struct err e;

	cr_assert_eq(digest_of(data, len, hex, &e), 0);
	snprintf(path, sizeof(path), "%s/blobs", dir);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/blobs/sha256", dir);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/blobs/sha256/%s", dir, hex);
	write_file(path, data, len);
}

json_t *oci_builder_descriptor(const char *dir, const char *type, const void *data, size_t len)
{
	char hex[65], full[100], digest[80];

	oci_builder_blob(dir, data, len, hex);
	snprintf(full, sizeof(full), OCI_BUILDER_TYPE "%s", type);
	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	return json_pack("{s:s, s:s, s:I}", "mediaType", full, "digest", digest, "size",
			 (json_int_t)len);
}

json_t *oci_builder_json(const char *dir, const char *type, json_t *takes)
{
	char *text = json_dumps(takes, 0);
	json_t *j = oci_builder_descriptor(dir, type, text, strlen(text));

	free(text);
	json_decref(takes);
	return j;
}

json_t *oci_builder_config(size_t nlayers)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < nlayers; i++)
		json_array_append_new(ids, json_string("sha256:unused"));
	return json_pack("{s:s, s:s, s:{s:[s,s], s:s}, s:{s:s, s:o}}", "architecture", ARCHITECTURE,
			 "os", "linux", "config", "Env", "PATH=/image/bin", "COLOUR=red",
			 "WorkingDir", "/srv", "rootfs", "type", "layers", "diff_ids", ids);
}

json_t *oci_builder_manifest(const char *dir, json_t *layers, json_t *config)
{
	if (!config)
		config = oci_builder_config(json_array_size(layers));
	return oci_builder_json(dir, "manifest.v1+json",
				json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType",
					  OCI_BUILDER_TYPE "manifest.v1+json", "config",
					  oci_builder_json(dir, "config.v1+json", config), "layers",
					  layers));
}

json_t *oci_builder_index_of(json_t *manifests)
{
	return json_pack("{s:i, s:o}", "schemaVersion", 2, "manifests", manifests);
}

void oci_builder_index(const char *dir, json_t *manifests)
{
	json_t *index = oci_builder_index_of(manifests);
	char *text = json_dumps(index, 0);

	oci_builder_file(dir, "index.json", text);
	oci_builder_file(dir, "oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}");
	free(text);
	json_decref(index);
}

void oci_builder_image(const char *dir, const char *filter, const struct oci_item *const *layers)
{
	json_t *list = json_array();
	char type[40];

	snprintf(type, sizeof(type), "layer.v1.tar%s%s", *filter ? "+" : "", filter);
	for (; *layers; layers++) {
		struct oci_bytes b = oci_builder_tar(*layers, filter);

		json_array_append_new(list, oci_builder_descriptor(dir, type, b.data, b.len));
		free(b.data);
	}
	oci_builder_index(dir, json_pack("[o]", oci_builder_manifest(dir, list, NULL)));
}
