#include "judge/feedback.h"

#include <errno.h>

#include "judge/sandbox_client.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/scope.h"

int feedback_put(struct sandbox_client *c, const struct feedback *before, struct err *e)
{
	static char folder[] = FEEDBACK_FOLDER;
	size_t n = before ? before->n : 0;
	struct sandbox_file *files = calloc(n + 1, sizeof(*files));
	int rc;

	if (!files)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < n; i++) {
		files[i] = before->files[i];
		files[i].mode |= 0200;
	}
	files[n] = (struct sandbox_file){folder, 0755, -1};
	rc = sandbox_client_put(c, files, n + 1, 0, e);
	free(files);
	return rc;
}

int feedback_fetch(struct sandbox_client *c, const char *pattern, uint64_t max_bytes,
		   struct feedback *out, struct err *e)
{
	char path[64];
	const char *const paths[] = {path, NULL};

	snprintf(path, sizeof(path), "%s%s", pattern ? FEEDBACK_FOLDER : "feedback",
		 pattern ? pattern : "");
	*out = (struct feedback){.n = 0};
	if (sandbox_client_fetch(c, paths, max_bytes, &out->files, &out->n, e) == 0)
		return 0;
	return !sandbox_client_lost(c) && e->num == ENOENT ? 0 : -1;
}

static struct sandbox_file *find(const struct feedback *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->files[i].name + strlen(FEEDBACK_FOLDER), name) == 0)
			return &f->files[i];
	return NULL;
}

int feedback_take(struct feedback *f, const char *name)
{
	struct sandbox_file *file = find(f, name);
	int fd = -1;

	if (file) {
		fd = file->fd;
		free(file->name);
		*file = f->files[--f->n];
	}
	return fd;
}

int feedback_text(const struct feedback *f, const char *name, char **out, struct err *e)
{
	const struct sandbox_file *file = find(f, name);

	*out = NULL;
	return file ? text_clean_fd(file->fd, FEEDBACK_MESSAGE_MAX, out, e) : 0;
}

void feedback_release(struct feedback *f)
{
	sandbox_files_free(f->files, f->n);
	*f = (struct feedback){.n = 0};
}
