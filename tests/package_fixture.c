#include "tests/package_fixture.h"

#include <sys/stat.h>

#include "judge/scratch.h"

char root[64];

void make_root(void)
{
	snprintf(root, sizeof(root), "/tmp/test_packageXXXXXX");
	if (!mkdtemp(root))
		abort();
}

void remove_root(void)
{
	scratch_remove_tree(NULL, root);
}

const char *at(const char *path)
{
	static char full[4][512];
	static unsigned turn;
	char *out = full[turn++ % 4];

	snprintf(out, 512, "%s/%s", root, path);
	return out;
}

void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

void put_bytes(const char *path, const void *data, size_t len)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (full[strlen(full) - 1] == '/')
		return;
	f = fopen(full, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
}
