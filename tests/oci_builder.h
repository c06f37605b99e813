/*
 * oci_builder.h - OCI image layouts for tests, good ones and bad ones, written with libarchive and jansson.
 */
#ifndef OCI_BUILDER_H
#define OCI_BUILDER_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#define OCI_BUILDER_TYPE "application/vnd.oci.image."

/* An entry of a layer.  type: f file, d folder, l symbolic link, h hard link, c device, p pipe; 0 ends a list. */
struct oci_item {
	char type;
	const char *name, *text; /* content, or where a link leads */
	mode_t mode;             /* 0: 0644, folders 0755 */
};

struct oci_bytes { /* owns data */
	char *data;
	size_t len;
};

/* filter: "" gzip zstd. */
struct oci_bytes oci_builder_tar(const struct oci_item *items, const char *filter);
struct oci_bytes oci_builder_compress(const struct oci_bytes *plain, const char *filter);

/* Stores a blob; hex gets its digest. */
void oci_builder_blob(const char *dir, const void *data, size_t len, char hex[65]);

/* {mediaType: OCI_BUILDER_TYPE type, digest, size} of a blob that is stored in passing.  The caller owns it. */
json_t *oci_builder_descriptor(const char *dir, const char *type, const void *data, size_t len);
json_t *oci_builder_json(const char *dir, const char *type, json_t *takes);

/* A manifest of layers (a JSON list, taken); `config` (taken) may be NULL for one that fits. */
json_t *oci_builder_manifest(const char *dir, json_t *layers, json_t *config);
json_t *oci_builder_config(size_t nlayers);

/* oci-layout and an index.json of manifests (a JSON list of descriptors, taken). */
void oci_builder_index(const char *dir, json_t *manifests);
json_t *oci_builder_index_of(json_t *manifests);
void oci_builder_file(const char *dir, const char *name, const char *text);

/* A whole image of layers: lists of items, the last NULL. */
void oci_builder_image(const char *dir, const char *filter, const struct oci_item *const *layers);

#endif
