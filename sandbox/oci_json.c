#include <jansson.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/oci.h"

#define OCI_TYPE "application/vnd.oci.image."

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#error "name this machine as Go does (GOARCH)"
#endif

struct descriptor {
	const char *type; /* borrowed from the JSON */
	char digest[DIGEST_HEX];
	uint64_t size;
	const json_t *object;
};

static void json_put(json_t **j)
{
	json_decref(*j);
}

#define AUTO_JSON __attribute__((cleanup(json_put)))

static json_t *parse(const char *text, size_t len, struct err *e)
{
	json_error_t why;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);

	if (!j) {
		err_set(e, "line %d: %.150s", why.line, why.text);
		return NULL;
	}
	if (json_is_object(j))
		return j;
	json_decref(j);
	err_set(e, "must be a JSON object");
	return NULL;
}

static int check_version(const json_t *j, struct err *e)
{
	const json_t *version = json_object_get(j, "schemaVersion");

	if (!json_is_integer(version) || json_integer_value(version) != 2)
		return err_set(e, "schemaVersion: must be 2");
	return 0;
}

/* May be left out. */
static int check_type(const json_t *j, const char *want, struct err *e)
{
	const json_t *type = json_object_get(j, "mediaType");

	if (!type || (json_is_string(type) && strcmp(json_string_value(type), want) == 0))
		return 0;
	return err_set(e, "mediaType: must be %s", want);
}

static int parse_digest(const char *text, char hex[DIGEST_HEX], struct err *e)
{
	static const char prefix[] = "sha256:";
	const char *digits = text + sizeof(prefix) - 1;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0 || strlen(digits) != DIGEST_HEX - 1 ||
	    strspn(digits, "0123456789abcdef") != DIGEST_HEX - 1)
		return err_set(e, "digest: '%.80s' is not sha256: and 64 digits", text);
	memcpy(hex, digits, DIGEST_HEX);
	return 0;
}

static int parse_descriptor(const json_t *j, struct descriptor *d, struct err *e)
{
	const char *type = json_string_value(json_object_get(j, "mediaType"));
	const char *digest = json_string_value(json_object_get(j, "digest"));
	const json_t *size = json_object_get(j, "size");

	if (!type)
		return err_set(e, "mediaType: must be a text");
	if (!digest)
		return err_set(e, "digest: must be a text");
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(e, "size: must be a number of bytes");
	*d = (struct descriptor){
		.type = type, .size = (uint64_t)json_integer_value(size), .object = j};
	return parse_digest(digest, d->digest, e);
}

int oci_parse_layout(const char *text, size_t len, struct err *e)
{
	AUTO_JSON json_t *j = parse(text, len, e);
	const char *version;

	if (!j)
		return -1;
	version = json_string_value(json_object_get(j, "imageLayoutVersion"));
	if (!version || strncmp(version, "1.", 2) != 0)
		return err_set(e, "imageLayoutVersion: must be \"1.0.0\"");
	return 0;
}

enum match { OTHER, UNSAID, OURS };

static enum match match_platform(const json_t *platform)
{
	const char *os = json_string_value(json_object_get(platform, "os"));
	const char *architecture = json_string_value(json_object_get(platform, "architecture"));

	if (!platform)
		return UNSAID;
	if (!os || !architecture || strcmp(os, "linux") != 0 ||
	    strcmp(architecture, ARCHITECTURE) != 0)
		return OTHER;
	return OURS;
}

static int kind_of(const char *type, enum oci_kind *kind)
{
	if (strcmp(type, OCI_TYPE "manifest.v1+json") == 0)
		*kind = OCI_MANIFEST;
	else if (strcmp(type, OCI_TYPE "index.v1+json") == 0)
		*kind = OCI_INDEX;
	else
		return 0;
	return 1;
}

/* Counts and keeps what fits as well as the best so far. */
struct chosen {
	enum match match;
	size_t n;
	struct oci_choice choice;
};

static int consider(const json_t *j, struct chosen *best, struct err *e)
{
	struct descriptor d = {0};
	enum oci_kind kind = OCI_MANIFEST;
	enum match match;

	if (parse_descriptor(j, &d, e) < 0 || !d.type)
		return -1;
	match = match_platform(json_object_get(j, "platform"));
	if (!kind_of(d.type, &kind) || match == OTHER || match < best->match)
		return 0;
	if (match > best->match)
		*best = (struct chosen){.match = match};
	best->n++;
	best->choice = (struct oci_choice){.kind = kind, .size = d.size};
	memcpy(best->choice.digest, d.digest, DIGEST_HEX);
	return 0;
}

int oci_parse_index(const char *text, size_t len, struct oci_choice *choice, struct err *e)
{
	AUTO_JSON json_t *j = parse(text, len, e);
	const json_t *manifests = json_object_get(j, "manifests");
	struct chosen best = {.match = OTHER};

	if (!j || check_version(j, e) < 0 || check_type(j, OCI_TYPE "index.v1+json", e) < 0)
		return -1;
	if (!json_is_array(manifests))
		return err_set(e, "manifests: must be a list");
	for (size_t i = 0; i < json_array_size(manifests); i++)
		if (consider(json_array_get(manifests, i), &best, e) < 0)
			return err_wrap(e, "manifests[%zu]", i);
	if (best.n == 0)
		return err_set(e, "manifests: none is an image for linux/" ARCHITECTURE);
	if (best.n > 1)
		return err_set(
			e,
			"manifests: %zu images for this machine; copy the one that is wanted "
			"into a layout of its own",
			best.n);
	*choice = best.choice;
	return 0;
}

static int parse_layer(const json_t *j, struct oci_layer *l, struct err *e)
{
	static const char *const types[] = {
		[OCI_PLAIN] = OCI_TYPE "layer.v1.tar",
		[OCI_GZIP] = OCI_TYPE "layer.v1.tar+gzip",
		[OCI_ZSTD] = OCI_TYPE "layer.v1.tar+zstd",
	};
	struct descriptor d = {0};

	if (parse_descriptor(j, &d, e) < 0 || !d.type)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], d.type) != 0)
			continue;
		*l = (struct oci_layer){.compression = (enum oci_compression)i, .size = d.size};
		memcpy(l->digest, d.digest, DIGEST_HEX);
		return 0;
	}
	return err_set(e, "mediaType: '%.80s' is not %s, or that with +gzip or +zstd", d.type,
		       types[OCI_PLAIN]);
}

static int parse_layers(const json_t *layers, struct oci_manifest *m, struct err *e)
{
	size_t n = json_array_size(layers);

	if (!json_is_array(layers) || n == 0 || n > OCI_LAYERS_MAX)
		return err_set(e, "layers: must be a list of 1 to %d", OCI_LAYERS_MAX);
	for (m->nlayers = 0; m->nlayers < n; m->nlayers++)
		if (parse_layer(json_array_get(layers, m->nlayers), &m->layers[m->nlayers], e) < 0)
			return err_wrap(e, "layers[%zu]", m->nlayers);
	return 0;
}

int oci_parse_manifest(const char *text, size_t len, struct oci_manifest *m, struct err *e)
{
	static const char config_type[] = OCI_TYPE "config.v1+json";
	AUTO_JSON json_t *j = parse(text, len, e);
	struct descriptor config = {0};

	if (!j || check_version(j, e) < 0 || check_type(j, OCI_TYPE "manifest.v1+json", e) < 0)
		return -1;
	if (parse_descriptor(json_object_get(j, "config"), &config, e) < 0 || !config.type)
		return err_wrap(e, "config");
	if (strcmp(config.type, config_type) != 0)
		return err_set(e, "config: mediaType: '%.80s' is not %s", config.type, config_type);
	memcpy(m->config, config.digest, DIGEST_HEX);
	m->config_size = config.size;
	return parse_layers(json_object_get(j, "layers"), m, e);
}

static int parse_env(const json_t *list, struct oci_env *env, struct err *e)
{
	size_t n = json_array_size(list);

	env->len = 0;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || n > OCI_ENV_MAX)
		return err_set(e, "config.Env: must be a list of at most %d texts", OCI_ENV_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *j = json_array_get(list, i);
		const char *text = json_string_value(j);
		size_t len = json_string_length(j) + 1;

		if (!text || text[0] == '=' || !strchr(text, '='))
			return err_set(e, "config.Env[%zu]: must be NAME=VALUE", i);
		if (len > sizeof(env->text) - env->len)
			return err_set(e, "config.Env: more than %d bytes", OCI_ENV_BYTES);
		memcpy(env->text + env->len, text, len);
		env->len += len;
	}
	return 0;
}

int oci_parse_config(const char *text, size_t len, size_t nlayers, struct oci_env *env,
		     struct err *e)
{
	AUTO_JSON json_t *j = parse(text, len, e);
	const json_t *ids = json_object_get(json_object_get(j, "rootfs"), "diff_ids");

	if (!j)
		return -1;
	if (match_platform(j) != OURS)
		return err_set(e, "os, architecture: must be linux and " ARCHITECTURE);
	if (!json_is_array(ids) || json_array_size(ids) != nlayers)
		return err_set(e, "rootfs.diff_ids: must be a list of %zu, as many as layers",
			       nlayers);
	return parse_env(json_object_get(json_object_get(j, "config"), "Env"), env, e);
}
