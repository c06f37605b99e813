/*
 * oci.h - container images in OCI image layouts, the folders that `skopeo copy docker://... oci:DIR` writes.
 *
 * A layout has oci-layout, index.json and blobs/sha256/ (image-spec, image-layout.md).  index.json leads, perhaps through
 * further indexes, to the manifest of the image for this machine, which names a configuration and layers.  Every blob is named
 * by its SHA-256, which is checked, as its size is.  Nothing in a layout is followed if it is a symbolic link.
 *
 * All of it is hostile: what touches a layout runs without privilege (root_cache.c).
 */
#ifndef OCI_H
#define OCI_H

#include <stddef.h>

#include "sandbox/oci_layer.h"

struct err;

enum {
	OCI_JSON_MAX = 4 << 20, /* bytes of an index, a manifest or a configuration */
	OCI_LAYERS_MAX = 128,
	OCI_NESTING_MAX = 4, /* indexes in indexes */
	OCI_ENV_BYTES = 32768,
	OCI_ENV_MAX = 200,
};

enum oci_kind { OCI_MANIFEST, OCI_INDEX };

/* What an index chose. */
struct oci_choice {
	enum oci_kind kind;
	char digest[DIGEST_HEX];
	uint64_t size;
};

struct oci_manifest {
	char config[DIGEST_HEX];
	uint64_t config_size;
	struct oci_layer layers[OCI_LAYERS_MAX];
	size_t nlayers;
};

/* The environment of an image: NAME=VALUE, each with its NUL. */
struct oci_env {
	char text[OCI_ENV_BYTES];
	size_t len;
};

/*
 * The readers of the four kinds of JSON.  Errors name the field.  An index must have exactly one image for this machine, or
 * exactly one that does not say which machine it is for.
 */
int oci_parse_layout(const char *text, size_t len, struct err *e);
int oci_parse_index(const char *text, size_t len, struct oci_choice *choice, struct err *e);
int oci_parse_manifest(const char *text, size_t len, struct oci_manifest *m, struct err *e);
int oci_parse_config(const char *text, size_t len, size_t nlayers, struct oci_env *env,
		     struct err *e);

/* The digest of the manifest for this machine; layout is a descriptor of the folder. */
int oci_find(int layout, struct oci_choice *manifest, struct err *e);

/* Fills an empty tree with the layers of a manifest that oci_find() found, and env from its configuration. */
int oci_unpack(int layout, const struct oci_choice *manifest, int tree, struct oci_budget *budget,
	       struct oci_env *env, struct err *e);

#endif
