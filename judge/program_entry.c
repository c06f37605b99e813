#include "judge/program_entry.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "judge/hash.h"
#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define MAGIC     "gavel program 1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define FILES_MAX 10000

/* What is left of an entry's bytes while it is read. */
struct cursor {
	const char *at;
	size_t left;
};

static const char *take(struct cursor *c, uint64_t len)
{
	const char *at = c->at;

	if (len > c->left)
		return NULL;
	c->at += len;
	c->left -= (size_t)len;
	return at;
}

static int take_number(struct cursor *c, uint64_t *out)
{
	const char *at = take(c, sizeof(*out));

	if (at)
		memcpy(out, at, sizeof(*out));
	return at ? 0 : -1;
}

static int take_file(struct cursor *c, struct sandbox_file *f, struct err *e)
{
	uint64_t mode, name_len, len;
	const char *name, *data;

	f->fd = -1;
	if (take_number(c, &mode) < 0 || take_number(c, &name_len) < 0 || take_number(c, &len) < 0)
		return err_set(e, "it ends too early");
	name = take(c, name_len);
	data = name ? take(c, len) : NULL;
	if (!data)
		return err_set(e, "it ends too early");
	f->mode = (uint32_t)mode;
	f->name = strndup(name, name_len);
	f->fd = io_memfd_of(data, len, e);
	return f->name && f->fd >= 0 ? 0 : -1;
}

static int take_result(struct cursor *c, struct compile_result *out, struct err *e)
{
	uint64_t status, output_len, nfiles;
	const char *output;

	if (take_number(c, &status) < 0 || take_number(c, &output_len) < 0 ||
	    take_number(c, &nfiles) < 0 || nfiles > FILES_MAX || status > COMPILE_FAILED)
		return err_set(e, "its numbers are wrong");
	out->status = (enum compile_status)status;
	output = take(c, output_len);
	out->output = output ? strndup(output, output_len) : NULL;
	out->files = calloc(nfiles + 1, sizeof(*out->files));
	if (!out->output || !out->files)
		return err_set(e, "it cannot be held");
	while (out->nfiles < nfiles)
		if (take_file(c, &out->files[out->nfiles++], e) < 0)
			return -1;
	return c->left == 0 ? 0 : err_set(e, "there is more than it says");
}

int program_entry_read(int fd, const char *key, struct compile_result *out, struct err *e)
{
	AUTO_FREE char *data = NULL;
	char hash[HASH_LEN + 1];
	struct cursor c;
	size_t len;

	if (io_read_fd(fd, PROGRAM_ENTRY_MAX, &data, &len, e) < 0)
		return -1;
	if (len < MAGIC_LEN + 2UL * HASH_LEN || memcmp(data, MAGIC, MAGIC_LEN) != 0 ||
	    memcmp(data + MAGIC_LEN, key, HASH_LEN) != 0)
		return err_set(e, "it is not what its name says");
	len -= HASH_LEN;
	if (hash_bytes(data, len, hash, e) < 0)
		return -1;
	if (memcmp(data + len, hash, HASH_LEN) != 0)
		return err_set(e, "its hash is wrong");
	c = (struct cursor){data + MAGIC_LEN + HASH_LEN, len - MAGIC_LEN - HASH_LEN};
	return take_result(&c, out, e);
}

static int write_numbers(int fd, const uint64_t *numbers, size_t n, struct err *e)
{
	return io_write_all(fd, numbers, n * sizeof(*numbers), e);
}

static int write_file(int fd, const struct sandbox_file *f, struct err *e)
{
	struct stat st;
	off_t at = 0;

	if (fstat(f->fd, &st) < 0)
		return err_sys(e, "%s", f->name);
	if (write_numbers(fd, (uint64_t[]){f->mode, strlen(f->name), (uint64_t)st.st_size}, 3, e) <
		    0 ||
	    io_write_all(fd, f->name, strlen(f->name), e) < 0)
		return -1;
	while (at < st.st_size) {
		ssize_t n = sendfile(fd, f->fd, &at, (size_t)(st.st_size - at));

		if (n < 0 && errno != EINTR)
			return err_sys(e, "%s", f->name);
		if (n == 0)
			return err_set(e, "%s: it became shorter", f->name);
	}
	return 0;
}

int program_entry_write(int fd, const char *key, const struct compile_result *r, struct err *e)
{
	char hash[HASH_LEN + 1];
	uint64_t bytes;

	if (io_write_all(fd, MAGIC, MAGIC_LEN, e) < 0 || io_write_all(fd, key, HASH_LEN, e) < 0 ||
	    write_numbers(fd, (uint64_t[]){r->status, strlen(r->output), r->nfiles}, 3, e) < 0 ||
	    io_write_all(fd, r->output, strlen(r->output), e) < 0)
		return -1;
	for (size_t i = 0; i < r->nfiles; i++)
		if (write_file(fd, &r->files[i], e) < 0)
			return -1;
	if (hash_fd(fd, PROGRAM_ENTRY_MAX, hash, &bytes, e) < 0)
		return -1;
	return io_write_all(fd, hash, HASH_LEN, e);
}
