#include "sandbox/oci.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

/* A regular file of the layout, whatever else may stand there. */
static int open_file(int layout, const char *path, struct stat *st, struct err *e)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	AUTO_CLOSE int fd = (int)syscall(SYS_openat2, layout, path, &how, sizeof(how));

	if (fd < 0 || fstat(fd, st) < 0)
		return err_sys(e, "%.100s", path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, "%.100s: is not a file", path);
	return fd_steal(&fd);
}

static int open_blob(int layout, const char *digest, uint64_t size, struct err *e)
{
	char path[100];
	struct stat st = {0};

	snprintf(path, sizeof(path), "blobs/sha256/%s", digest);
	AUTO_CLOSE int fd = open_file(layout, path, &st, e);

	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size != size)
		return err_set(e, "%s: size: is %lld, the descriptor says %llu", path,
			       (long long)st.st_size, (unsigned long long)size);
	return fd_steal(&fd);
}

static int read_file(int layout, const char *path, char **text, size_t *len, struct err *e)
{
	struct stat st = {0};
	AUTO_CLOSE int fd = open_file(layout, path, &st, e);

	if (fd < 0)
		return -1;
	return io_read_fd(fd, OCI_JSON_MAX, text, len, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

/* A blob of JSON, its digest checked. */
static int read_blob(int layout, const char *digest, uint64_t size, char **text, size_t *len,
		     struct err *e)
{
	char hex[DIGEST_HEX];
	AUTO_CLOSE int fd = open_blob(layout, digest, size, e);

	if (fd < 0)
		return -1;
	if (io_read_fd(fd, OCI_JSON_MAX, text, len, e) < 0 || digest_of(*text, *len, hex, e) < 0)
		return err_wrap(e, "blobs/sha256/%s", digest);
	if (strcmp(hex, digest) != 0)
		return err_set(e, "blobs/sha256/%s: digest: is sha256:%s", digest, hex);
	return 0;
}

static int check_layout(int layout, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file(layout, "oci-layout", &text, &len, e) < 0)
		return -1;
	return oci_parse_layout(text, len, e) < 0 ? err_wrap(e, "oci-layout") : 0;
}

int oci_find(int layout, struct oci_choice *manifest, struct err *e)
{
	struct oci_choice found = {0};
	char *text = NULL;
	size_t len;
	int status;

	if (check_layout(layout, e) < 0)
		return -1;
	status = read_file(layout, "index.json", &text, &len, e);
	if (status == 0 && oci_parse_index(text, len, &found, e) < 0)
		status = err_wrap(e, "index.json");
	free(text);
	for (int i = 0; status == 0 && found.kind == OCI_INDEX; i++) {
		struct oci_choice outer = found;

		if (i == OCI_NESTING_MAX)
			return err_set(e, "index.json: more than %d indexes in each other",
				       OCI_NESTING_MAX);
		text = NULL;
		status = read_blob(layout, outer.digest, outer.size, &text, &len, e);
		if (status == 0 && oci_parse_index(text, len, &found, e) < 0)
			status = err_wrap(e, "index %.12s", outer.digest);
		free(text);
	}
	*manifest = found;
	return status;
}

static int read_manifest(int layout, const struct oci_choice *c, struct oci_manifest *m,
			 struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_blob(layout, c->digest, c->size, &text, &len, e) < 0)
		return -1;
	return oci_parse_manifest(text, len, m, e) < 0 ? err_wrap(e, "manifest %.12s", c->digest)
						       : 0;
}

static int read_config(int layout, const struct oci_manifest *m, struct oci_env *env, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_blob(layout, m->config, m->config_size, &text, &len, e) < 0)
		return -1;
	return oci_parse_config(text, len, m->nlayers, env, e) < 0
		       ? err_wrap(e, "config %.12s", m->config)
		       : 0;
}

static int apply(int layout, const struct oci_layer *l, int tree, struct oci_budget *budget,
		 struct err *e)
{
	AUTO_CLOSE int blob = open_blob(layout, l->digest, l->size, e);

	if (blob < 0)
		return -1;
	return oci_layer_apply(l, blob, tree, budget, e) < 0 ? err_wrap(e, "layer %.12s", l->digest)
							     : 0;
}

int oci_unpack(int layout, const struct oci_choice *manifest, int tree, struct oci_budget *budget,
	       struct oci_env *env, struct err *e)
{
	AUTO_FREE struct oci_manifest *m = calloc(1, sizeof(*m));

	if (!m)
		return err_set(e, "out of memory");
	if (read_manifest(layout, manifest, m, e) < 0 || read_config(layout, m, env, e) < 0)
		return -1;
	for (size_t i = 0; i < m->nlayers; i++)
		if (apply(layout, &m->layers[i], tree, budget, e) < 0)
			return -1;
	return 0;
}
