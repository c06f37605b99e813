#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/rights.h"
#include "sandbox/root.h"
#include "sandbox/root_cache.h"
#include "sandbox/root_from.h"
#include "sandbox/root_image.h"
#include "sandbox/tree.h"
#include "tests/cell_fixture.h"
#include "tests/oci_builder.h"

#define END                                                                                        \
	{                                                                                          \
		0                                                                                  \
	}
#define MIB   (1 << 20)
#define LAYER "layer.v1.tar"

static char top[] = "/tmp/gavel-oci-XXXXXX"; /* holds layout/ and cache/ */
static char layout[64], cache[64];

static void set_up(void)
{
	fixture_rights();
	cr_assert_not_null(mkdtemp(top));
	chmod(top, 0755);
	snprintf(layout, sizeof(layout), "%s/layout", top);
	snprintf(cache, sizeof(cache), "%s/cache", top);
	cr_assert_eq(mkdir(layout, 0755), 0);
}

static void tear_down(void)
{
	struct err e = {0};
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!*layout) /* skipped */
		return;
	cr_expect_eq(tree_empty(fd, &e), 0, "%s", e.msg);
	close(fd);
	cr_expect_eq(rmdir(top), 0);
}

TestSuite(oci, .init = set_up, .fini = tear_down, .timeout = 300);

static struct root_cache_entry entry;

static int get_limited(uint64_t bytes, uint64_t entries, struct err *e)
{
	struct root_cache_options o = {.dir = cache, .budget = {bytes, entries}};

	*e = (struct err){0};
	return root_cache_get(&o, layout, &entry, e);
}

static int get(struct err *e)
{
	return get_limited(0, 0, e);
}

static void get_well(void)
{
	struct err e;

	cr_assert_eq(get(&e), 0, "%s", e.msg);
}

static void build(const struct oci_item *items)
{
	oci_builder_image(layout, "gzip", (const struct oci_item *const[]){items, NULL});
}

/* What a file in the unpacked tree says; "" if there is none. */
static const char *content(const char *name)
{
	static char text[256];
	char path[PATH_MAX + 64];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", entry.path, name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int look(const char *name, struct stat *st)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", entry.path, name);
	return lstat(path, st);
}

static int exists(const char *name)
{
	struct stat st;

	return look(name, &st) == 0;
}

/* Names in the cache that begin with prefix. */
static int count(const char *prefix)
{
	DIR *d = opendir(cache);
	int n = 0;

	for (struct dirent *x; d && (x = readdir(d));)
		n += strncmp(x->d_name, prefix, strlen(prefix)) == 0;
	if (d)
		closedir(d);
	return n;
}

/* Every refusal has a reason, and leaves nothing in the cache. */
static void refused(const char *what, int status, const struct err *e, const char *reason)
{
	cr_expect_eq(status, -1, "%s: was taken", what);
	cr_expect(status == 0 || strstr(e->msg, reason), "%s: '%s' instead of '%s'", what, e->msg,
		  reason);
	cr_expect_eq(count(".new-") + count("sha256-"), 0, "%s: left something", what);
}

Test(oci, plain_gzip_and_zstd_become_the_same_tree)
{
	static const char *const filters[] = {"", "gzip", "zstd"};
	static const struct oci_item items[] = {{'d', "etc/", NULL, 0},
						{'f', "./etc/motd", "hello\n", 0600},
						{'f', "bin/tool", "#!", 04751},
						{'l', "bin/sh", "tool", 0},
						{'h', "bin/same", "bin/tool", 0},
						{'f', "caf\xc3\xa9/\xe2\x82\xac", "utf-8", 0},
						END};
	struct stat st, other;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		oci_builder_image(layout, filters[i],
				  (const struct oci_item *const[]){items, NULL});
		get_well();
		cr_expect_str_eq(content("etc/motd"), "hello\n");
		cr_expect_str_eq(content("caf\xc3\xa9/\xe2\x82\xac"), "utf-8");
		cr_assert_eq(look("etc/motd", &st), 0);
		cr_expect_eq(st.st_mode, S_IFREG | 0644);
		cr_expect_eq(st.st_mtime, 1000000000);
		cr_expect_eq(st.st_uid, geteuid());
		cr_assert_eq(look("bin/tool", &st), 0);
		cr_expect_eq(st.st_mode, S_IFREG | 0755, "setuid is %o", st.st_mode);
		cr_assert_eq(look("bin/same", &other), 0);
		cr_expect_eq(st.st_ino, other.st_ino);
		cr_assert_eq(look("bin/sh", &st), 0);
		cr_expect(S_ISLNK(st.st_mode));
		cr_assert_eq(look("etc", &st), 0);
		cr_expect_eq(st.st_mode, S_IFDIR | 0755);
		cr_expect_eq(entry.env.len, sizeof("PATH=/image/bin") + sizeof("COLOUR=red"));
		cr_expect_str_eq(entry.env.text, "PATH=/image/bin");
	}
	cr_expect_eq(count("sha256-"), 3);
	cr_expect_eq(count(".new-"), 0);
}

Test(oci, layers_replace_and_hide)
{
	static const struct oci_item low[] = {{'f', "keep", "low", 0},
					      {'f', "gone", "low", 0},
					      {'f', "dir/a", "low", 0},
					      {'f', "dir/sub/b", "low", 0},
					      {'f', "opaque/a", "low", 0},
					      {'f', "opaque/sub/b", "low", 0},
					      {'f', "becomes_dir", "", 0},
					      {'f', "becomes_file/x", "low", 0},
					      {'l', "link", "keep", 0},
					      {'f', "usr/lib/old", "low", 0},
					      {'l', "lib", "usr/lib", 0},
					      {'f', "both", "low", 0},
					      END};
	static const struct oci_item high[] = {
		/* The new file comes before the mark that hides what lies below. */
		{'f', "opaque/new", "high", 0}, {'f', "opaque/.wh..wh..opq", "", 0},
		{'f', ".wh.gone", "", 0},       {'f', "dir/.wh.sub", "", 0},
		{'f', ".wh.never_was", "", 0},  {'f', "no/such/.wh.folder", "", 0},
		{'f', "becomes_dir/x", "", 0},  END};
	static const struct oci_item higher[] = {
		{'d', "becomes_dir", NULL, 0},    {'f', "becomes_dir/x", "high", 0},
		{'f', "becomes_file", "high", 0}, {'f', "link", "high", 0},
		{'f', "lib/new", "high", 0},      {'f', ".wh.both", "", 0},
		{'f', "both", "high", 0},         {'f', "twice", "first", 0},
		{'f', "twice", "second", 0},      END};
	struct err e;

	/* A file is no folder to put something in, unless it is replaced first. */
	oci_builder_image(layout, "gzip", (const struct oci_item *const[]){low, high, NULL});
	refused("a file as folder", get(&e), &e, "becomes_dir");
	static struct oci_item fixed[ARRAY_LEN(high)];

	memcpy(fixed, high, sizeof(high));
	fixed[ARRAY_LEN(high) - 2] = (struct oci_item){'f', "other", "", 0};
	oci_builder_image(layout, "gzip",
			  (const struct oci_item *const[]){low, fixed, higher, NULL});
	get_well();
	cr_expect_str_eq(content("keep"), "low");
	cr_expect(!exists("gone"));
	cr_expect_str_eq(content("dir/a"), "low");
	cr_expect(!exists("dir/sub"));
	cr_expect_str_eq(content("opaque/new"), "high");
	cr_expect(!exists("opaque/a") && !exists("opaque/sub"));
	cr_expect(!exists("no"));
	cr_expect_str_eq(content("becomes_dir/x"), "high");
	cr_expect_str_eq(content("becomes_file"), "high");
	cr_expect_str_eq(content("link"), "high");
	cr_expect_str_eq(content("keep"), "low", "written through a link");
	cr_expect_str_eq(content("usr/lib/new"), "high", "a link to a folder is one");
	cr_expect_str_eq(content("both"), "high", "hidden below, new in the same layer");
	cr_expect_str_eq(content("twice"), "second");
	cr_expect(!exists(".wh.gone") && !exists("opaque/.wh..wh..opq"));
}

Test(oci, devices_and_pipes_are_left_out)
{
	static const struct oci_item items[] = {
		{'c', "dev/null", NULL, 0666}, {'p', "pipe", NULL, 0}, {'f', "x", "y", 0}, END};

	build(items);
	get_well();
	cr_expect(!exists("dev/null") && !exists("pipe"));
	cr_expect_str_eq(content("x"), "y");
}

/* Links that would lead out of the tree lead to its own root instead. */
Test(oci, links_never_lead_out)
{
	char outside[64], link_out[80];
	const struct oci_item items[] = {{'d', "etc", NULL, 0},
					 {'l', "absolute", "/etc", 0},
					 {'f', "absolute/one", "1", 0},
					 {'l', "up", "../../../../../../etc", 0},
					 {'f', "up/two", "2", 0},
					 {'l', "shadow", "/etc/passwd", 0},
					 {'h', "hard", "shadow", 0},
					 {'f', "shadow", "3", 0},
					 END};
	const struct oci_item through[] = {{'l', "out", outside, 0}, {'f', "out/x", "x", 0}, END};
	const struct oci_item whiteout[] = {{'l', "out", outside, 0}, END};
	const struct oci_item hide[] = {{'f', "out/.wh.precious", "", 0}, END};
	struct err e;

	snprintf(outside, sizeof(outside), "%s/outside", top);
	snprintf(link_out, sizeof(link_out), "%s/precious", outside);
	cr_assert_eq(mkdir(outside, 0777), 0);
	chmod(outside, 0777);
	close(creat(link_out, 0666));
	build(items);
	get_well();
	cr_expect_str_eq(content("etc/one"), "1");
	cr_expect_str_eq(content("etc/two"), "2");
	cr_expect_str_eq(content("shadow"), "3");
	cr_expect_eq(access("/etc/one", F_OK), -1);
	cr_expect_eq(access("/etc/two", F_OK), -1);
	/* Nothing of that name in the tree: nothing to follow to. */
	build(through);
	cr_expect_eq(get(&e), -1);
	cr_expect_not_null(strstr(e.msg, "out"), "%s", e.msg);
	snprintf(link_out, sizeof(link_out), "%s/x", outside);
	cr_expect_eq(access(link_out, F_OK), -1);
	oci_builder_image(layout, "", (const struct oci_item *const[]){whiteout, hide, NULL});
	get_well();
	snprintf(link_out, sizeof(link_out), "%s/precious", outside);
	cr_expect_eq(access(link_out, F_OK), 0, "a whiteout reached the host");
}

static char long_name[400], deep_name[300], deep_links[40][32];

/* clang-format off */
static const struct { const char *what; struct oci_item items[4]; const char *reason; } hostile[] = {
	{ "an absolute name", {{'f', "/etc/evil", "x", 0}}, "is absolute" },
	{ "two slashes", {{'f', "//etc/evil", "x", 0}}, "is absolute" },
	{ "the parent", {{'f', "../evil", "x", 0}}, "has '..'" },
	{ "the parent, later", {{'f', "a/b/../../../evil", "x", 0}}, "has '..'" },
	{ "the parent itself", {{'d', "..", NULL, 0}}, "has '..'" },
	{ "a link called as the parent", {{'l', "a/..", "/", 0}}, "has '..'" },
	{ "a long name", {{'f', long_name, "x", 0}}, "longer than" },
	{ "a deep name", {{'f', deep_name, "x", 0}}, "nested more than" },
	{ "the root as a file", {{'f', ".", "x", 0}}, "the root is not a folder" },
	{ "the root as a link", {{'l', "./", "/", 0}}, "the root is not a folder" },
	{ "a hard link up and out", {{'h', "a", "../../../etc/passwd", 0}}, "has '..'" },
	{ "a hard link to the host", {{'h', "a", "/etc/passwd", 0}}, "is absolute" },
	{ "a hard link to the host through a link", {{'l', "e", "/etc", 0}, {'h', "a", "e/passwd", 0}}, "hard link" },
	{ "a hard link to nothing", {{'h', "a", "b", 0}}, "hard link" },
	{ "a hard link to itself", {{'f', "a", "", 0}, {'h', "a", "./a", 0}}, "hard link to itself" },
	{ "a hard link to the root", {{'h', "a", ".", 0}}, "to the root" },
	{ "a hard link to a folder", {{'d', "a", NULL, 0}, {'h', "b", "a", 0}}, "to a folder" },
	{ "a hard link in place of its own folder", {{'f', "a/b", "", 0}, {'h', "a", "a/b", 0}}, "link" },
	{ "a whiteout of the parent", {{'f', "a/.wh...", "", 0}}, "whiteout of no name" },
	{ "a whiteout of the folder", {{'f', ".wh..", "", 0}}, "whiteout of no name" },
	{ "a whiteout of nothing", {{'f', ".wh.", "", 0}}, "whiteout of no name" },
	{ "a whiteout as folder", {{'f', ".wh.a/b", "", 0}}, "called like a whiteout" },
	{ "a file through a loop", {{'l', "a", "b", 0}, {'l', "b", "a", 0}, {'f', "a/x", "", 0}}, "Too many levels" },
	{ "a file through itself", {{'l', "a", "a", 0}, {'f', "a/b/x", "", 0}}, "Too many levels" },
	{ "a file in a file", {{'f', "a", "", 0}, {'f', "a/b", "", 0}}, "Not a directory" },
	{ "a file in a link to a file", {{'f', "a", "", 0}, {'l', "b", "a", 0}, {'f', "b/c", "", 0}}, "Not a directory" },
	{ "a file through /proc", {{'l', "a", "/proc/self/root", 0}, {'f', "a/x", "", 0}}, "No such file" },
};
/* clang-format on */

Test(oci, hostile_layers)
{
	struct err e;

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 0; i + 2 < sizeof(deep_name); i += 2)
		memcpy(deep_name + i, "d/", 2);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct oci_item items[5] = {END};

		memcpy(items, hostile[i].items, sizeof(hostile[i].items));
		build(items);
		refused(hostile[i].what, get(&e), &e, hostile[i].reason);
	}
}

/* Each name is short; the links make them deep. */
Test(oci, deep_through_links)
{
	static char folders[64];
	struct oci_item items[50] = {END};
	struct err e;

	memcpy(folders, "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d", 32); /* 16 deep */
	for (size_t i = 0; i + 1 < 20; i += 2) {
		static char dirs[20][80];

		snprintf(deep_links[i], sizeof(deep_links[i]), "l%zu", i);
		if (i == 0)
			snprintf(dirs[i], sizeof(dirs[i]), "%s", folders);
		else
			snprintf(dirs[i], sizeof(dirs[i]), "l%zu/%s", i - 2, folders);
		items[i] = (struct oci_item){'d', dirs[i], NULL, 0};
		items[i + 1] = (struct oci_item){'l', deep_links[i], dirs[i], 0};
	}
	build(items);
	refused("deep through links", get(&e), &e, "through links");
}

Test(oci, limits)
{
	AUTO_FREE char *zeros = calloc(1, 64 * MIB + 1);
	struct oci_item bomb[] = {{'f', "bomb", zeros, 0}, END};
	static const struct oci_item three[] = {
		{'f', "a", "", 0}, {'f', "b", "", 0}, {'f', "c", "", 0}, END};
	struct err e;

	memset(zeros, '0', 64 * MIB);
	build(bomb);
	refused("a bomb", get_limited(MIB, 100, &e), &e, "more bytes");
	bomb[0].name = ".wh.bomb";
	build(bomb);
	refused("a bomb in a whiteout", get_limited(MIB, 100, &e), &e, "more bytes");
	build(three);
	refused("many files", get_limited(MIB, 2, &e), &e, "more files");
	cr_expect_eq(get_limited(MIB, 3, &e), 0, "%s", e.msg);
}

/* All layers share the limits. */
Test(oci, limits_add_up)
{
	AUTO_FREE char *text = calloc(1, MIB);
	const struct oci_item one[] = {{'f', "one", text, 0}, END};
	const struct oci_item two[] = {{'f', "two", text, 0}, END};
	struct err e;

	memset(text, 'x', MIB - 1);
	oci_builder_image(layout, "", (const struct oci_item *const[]){one, two, NULL});
	refused("two layers", get_limited(MIB + MIB / 2, 100, &e), &e, "more bytes");
	cr_expect_eq(get_limited(2 * MIB, 100, &e), 0, "%s", e.msg);
}

/* One layer of any bytes and type. */
static void build_bytes(const struct oci_bytes *b, const char *type)
{
	json_t *layers = json_pack("[o]", oci_builder_descriptor(layout, type, b->data, b->len));

	oci_builder_index(layout, json_pack("[o]", oci_builder_manifest(layout, layers, NULL)));
}

/* The first header says `size`, as octal digits in bytes 124 to 135 with the sum of the header in 148 to 155. */
static void set_size(struct oci_bytes *tar, const char *size)
{
	unsigned sum = 0;

	memcpy(tar->data + 124, size, 12);
	memset(tar->data + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)tar->data[i];
	snprintf(tar->data + 148, 8, "%06o", sum);
}

Test(oci, broken_archives)
{
	static const struct oci_item items[] = {{'f', "a", "some text in it", 0}, END};
	struct oci_bytes tar = oci_builder_tar(items, "");
	struct oci_bytes zipped = oci_builder_compress(&tar, "gzip");
	struct oci_bytes twice = oci_builder_compress(&zipped, "gzip");
	struct oci_bytes xz = oci_builder_compress(&tar, "bzip2");
	struct err e;

	build_bytes(&tar, LAYER "+gzip");
	refused("plain, said to be gzip", get(&e), &e, "mediaType");
	build_bytes(&zipped, LAYER);
	refused("gzip, said to be plain", get(&e), &e, "archive");
	build_bytes(&zipped, LAYER "+zstd");
	refused("gzip, said to be zstd", get(&e), &e, "archive");
	build_bytes(&twice, LAYER "+gzip");
	refused("gzip in gzip", get(&e), &e, "mediaType");
	build_bytes(&xz, LAYER "+gzip");
	refused("bzip2", get(&e), &e, "archive");
	tar.len = 600;
	build_bytes(&tar, LAYER);
	refused("cut off", get(&e), &e, "archive");
	set_size(&tar, "77777777777");
	build_bytes(&tar, LAYER);
	refused("8 GiB that are not there", get_limited(MIB, 10, &e), &e, "more bytes");
	build_bytes(&tar, LAYER);
	refused("8 GiB within the limit", get(&e), &e, "archive");
	memcpy(tar.data + 124, "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
	set_size(&tar, tar.data + 124);
	build_bytes(&tar, LAYER);
	refused("2^63 bytes", get(&e), &e, "");
	memcpy(tar.data + 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 12);
	set_size(&tar, tar.data + 124);
	build_bytes(&tar, LAYER);
	refused("less than nothing", get(&e), &e, "");
	memset(tar.data, 0xa5, tar.len);
	build_bytes(&tar, LAYER);
	refused("noise", get(&e), &e, "archive");
	tar.len = 0;
	build_bytes(&tar, LAYER);
	refused("nothing", get(&e), &e, "");
	zipped.len /= 2;
	build_bytes(&zipped, LAYER "+gzip");
	refused("half a gzip", get(&e), &e, "archive");
	free(tar.data);
	free(zipped.data);
	free(twice.data);
	free(xz.data);
}

static const struct oci_item one_file[] = {{'f', "file", "text", 0}, END};

/* The path of the blob of the only layer of one_file. */
static void blob_path(char *path, size_t size)
{
	struct oci_bytes tar = oci_builder_tar(one_file, "");
	char hex[65];

	oci_builder_blob(layout, tar.data, tar.len, hex);
	free(tar.data);
	snprintf(path, size, "%s/blobs/sha256/%s", layout, hex);
	oci_builder_image(layout, "", (const struct oci_item *const[]){one_file, NULL});
}

Test(oci, blobs_that_are_not_what_they_say)
{
	char path[300];
	struct err e;
	int fd;

	blob_path(path, sizeof(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* The text of the file: the archive is as good as before. */
	cr_assert_eq(pwrite(fd, "evil", 4, 512), 4);
	refused("other bytes", get(&e), &e, "digest");
	cr_assert_eq(lseek(fd, 0, SEEK_END) > 0 && write(fd, "more", 4) == 4, 1);
	close(fd);
	refused("more bytes", get(&e), &e, "size");
	cr_assert_eq(unlink(path), 0);
	refused("no blob", get(&e), &e, "No such file");
	cr_assert_eq(symlink("/etc/passwd", path), 0);
	refused("a link", get(&e), &e, "Too many levels");
	unlink(path);
	cr_assert_eq(mkfifo(path, 0644), 0);
	refused("a pipe", get(&e), &e, "not a file");
	unlink(path);
	cr_assert_eq(mkdir(path, 0755), 0);
	refused("a folder", get(&e), &e, "not a file");
	rmdir(path);
	blob_path(path, sizeof(path));
	get_well();
}

/* clang-format off */
#define D64 "0000000000000000000000000000000000000000000000000000000000000000"
#define MANIFEST "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""
#define INDEX(m) "{\"schemaVersion\":2,\"manifests\":[" m "]}"
static const struct { const char *text, *reason; } indexes[] = {
	{ "", "index.json: line" },
	{ "[]", "must be a JSON object" },
	{ "{\"schemaVersion\":2,\"schemaVersion\":2}", "index.json: line 1" },
	{ "{\"schemaVersion\":1,\"manifests\":[]}", "schemaVersion" },
	{ "{\"schemaVersion\":2,\"manifests\":{}}", "manifests: must be a list" },
	{ "{\"schemaVersion\":2,\"mediaType\":\"text/plain\",\"manifests\":[]}", "mediaType" },
	{ INDEX(""), "none is an image for" },
	{ INDEX("7"), "manifests[0]: mediaType" },
	{ INDEX("{" MANIFEST "}"), "manifests[0]: digest" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\"}"), "size" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":-1}"), "size" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":\"1\"}"), "size" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":1e99}"), "size" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "0\",\"size\":1}"), "64 digits" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha512:" D64 D64 "\",\"size\":1}"), "64 digits" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:../../../../../../../../../../../../../../../../../../../etc/pass\",\"size\":1}"), "64 digits" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":1}"), "No such file" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}}"), "none is an image for" },
	{ INDEX("{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":1},{" MANIFEST ",\"digest\":\"sha256:" D64 "\",\"size\":1}"), "2 images" },
};

static const struct { const char *text, *reason; } manifests[] = {
	{ "{}", "schemaVersion" },
	{ "{\"schemaVersion\":2}", "config: mediaType" },
	{ "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\"}", "mediaType" },
	{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:" D64 "\",\"size\":1}}", "config: mediaType: 'x'" },
#define CONFIG "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:" D64 "\",\"size\":1}"
	{ "{\"schemaVersion\":2," CONFIG "}", "layers: must be a list" },
	{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", "layers: must be a list of 1" },
	{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+xz\",\"digest\":\"sha256:" D64 "\",\"size\":1}]}", "layers[0]: mediaType" },
	{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:" D64 "\",\"size\":1}]}", "No such file" },
};

static const struct { const char *text, *reason; } configs[] = {
	{ "{}", "os, architecture" },
	{ "{\"os\":\"windows\",\"architecture\":\"amd64\"}", "os, architecture" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\"}", "diff_ids" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\",\"rootfs\":{\"diff_ids\":[]}}", "diff_ids" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\",\"rootfs\":{\"diff_ids\":[1]},\"config\":{\"Env\":\"A=B\"}}", "config.Env" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\",\"rootfs\":{\"diff_ids\":[1]},\"config\":{\"Env\":[\"A\"]}}", "config.Env[0]" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\",\"rootfs\":{\"diff_ids\":[1]},\"config\":{\"Env\":[\"=A\"]}}", "config.Env[0]" },
	{ "{\"os\":\"linux\",\"architecture\":\"ARCH\",\"rootfs\":{\"diff_ids\":[1]},\"config\":{\"Env\":[\"A=\\u0000\"]}}", "line 1" },
};
/* clang-format on */

Test(oci, broken_indexes)
{
	struct err e;
	char path[300];

	oci_builder_image(layout, "", (const struct oci_item *const[]){one_file, NULL});
	for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
		oci_builder_file(layout, "index.json", indexes[i].text);
		refused(indexes[i].text, get(&e), &e, indexes[i].reason);
	}
	AUTO_FREE char *brackets = calloc(1, 100001);

	memset(brackets, '[', 100000);
	oci_builder_file(layout, "index.json", brackets);
	refused("100,000 brackets", get(&e), &e, "index.json: line 1");
	snprintf(path, sizeof(path), "%s/index.json", layout);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0644), 0);
	refused("a pipe", get(&e), &e, "not a file");
	unlink(path);
	cr_assert_eq(symlink("/etc/passwd", path), 0);
	refused("a link", get(&e), &e, "index.json: Too many levels");
	unlink(path);
	refused("no index", get(&e), &e, "index.json: No such file");
	oci_builder_file(layout, "oci-layout", "{\"imageLayoutVersion\": \"2.0.0\"}");
	refused("another version", get(&e), &e, "oci-layout: imageLayoutVersion");
	snprintf(path, sizeof(path), "%s/oci-layout", layout);
	cr_assert_eq(truncate(path, 32 * MIB), 0);
	refused("a huge file", get(&e), &e, "oci-layout");
}

Test(oci, broken_manifests)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
		const char *text = manifests[i].text;

		oci_builder_index(
			layout, json_pack("[o]", oci_builder_descriptor(layout, "manifest.v1+json",
									text, strlen(text))));
		refused(text, get(&e), &e, manifests[i].reason);
	}
	json_t *many = json_array();

	for (int i = 0; i <= OCI_LAYERS_MAX; i++)
		json_array_append_new(many, oci_builder_descriptor(layout, LAYER, "x", 1));
	oci_builder_index(layout, json_pack("[o]", oci_builder_manifest(layout, many, NULL)));
	refused("129 layers", get(&e), &e, "layers: must be a list of 1 to 128");
}

Test(oci, broken_configurations)
{
	json_t *good = oci_builder_config(1);
	const char *ours = json_string_value(json_object_get(good, "architecture"));
	struct oci_bytes tar = oci_builder_tar(one_file, "");
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		char text[300];
		const char *arch = strstr(configs[i].text, "ARCH");

		snprintf(text, sizeof(text), "%s", configs[i].text);
		if (arch)
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(arch - configs[i].text),
				 configs[i].text, ours, arch + 4);
		json_t *m = json_pack(
			"{s:i, s:o, s:[o]}", "schemaVersion", 2, "config",
			oci_builder_descriptor(layout, "config.v1+json", text, strlen(text)),
			"layers", oci_builder_descriptor(layout, LAYER, tar.data, tar.len));

		oci_builder_index(
			layout, json_pack("[o]", oci_builder_json(layout, "manifest.v1+json", m)));
		refused(text, get(&e), &e, configs[i].reason);
	}
	free(tar.data);
	json_decref(good);
}

/* Puts an index around a descriptor, which is taken. */
static json_t *nest(json_t *inner)
{
	return oci_builder_json(layout, "index.v1+json",
				oci_builder_index_of(json_pack("[o]", inner)));
}

Test(oci, indexes_in_indexes)
{
	struct oci_bytes tar = oci_builder_tar(one_file, "");
	json_t *config = oci_builder_config(1);
	json_t *ours = oci_builder_manifest(
		layout, json_pack("[o]", oci_builder_descriptor(layout, LAYER, tar.data, tar.len)),
		NULL);
	json_t *other = oci_builder_descriptor(layout, "manifest.v1+json", "{}", 2);
	json_t *proof = oci_builder_descriptor(layout, "manifest.v1+json", "{ }", 3);
	json_t *at;
	struct err e;

	json_object_set_new(ours, "platform",
			    json_pack("{s:s, s:O}", "os", "linux", "architecture",
				      json_object_get(config, "architecture")));
	json_object_set_new(other, "platform",
			    json_pack("{s:s, s:s}", "os", "linux", "architecture", "mips"));
	json_object_set_new(proof, "platform",
			    json_pack("{s:s, s:s}", "os", "unknown", "architecture", "unknown"));
	at = oci_builder_json(layout, "index.v1+json",
			      oci_builder_index_of(json_pack("[o,o,o]", proof, other, ours)));
	for (int i = 0; i < OCI_NESTING_MAX; i++) {
		oci_builder_index(layout, json_pack("[O]", at));
		get_well();
		cr_expect_str_eq(content("file"), "text");
		at = nest(at);
	}
	cr_expect_eq(count("sha256-"), 1, "one image, however it is found");
	oci_builder_index(layout, json_pack("[o]", at));
	cr_expect_eq(get(&e), -1);
	cr_expect_not_null(strstr(e.msg, "indexes in each other"), "%s", e.msg);
	json_decref(config);
	free(tar.data);
}

Test(oci, an_entry_is_used_again)
{
	struct stat first, second;

	build(one_file);
	get_well();
	cr_assert_eq(look("file", &first), 0);
	get_well();
	cr_assert_eq(look("file", &second), 0);
	cr_expect_eq(first.st_ino, second.st_ino);
	cr_expect(first.st_ctim.tv_sec == second.st_ctim.tv_sec &&
			  first.st_ctim.tv_nsec == second.st_ctim.tv_nsec,
		  "unpacked twice");
}

/* The seal sees such a change by its time alone, and the clock that files get theirs from may tick as seldom as every 10 ms. */
static void damage_bytes(const char *path)
{
	struct timespec times[2];
	char file[PATH_MAX + 8];
	struct stat st, now;
	int fd;

	(void)path;
	cr_assert_eq(look("file", &st), 0);
	snprintf(file, sizeof(file), "%s/file", entry.path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	cr_assert_eq(write(fd, "evil", 4), 4);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	do {
		cr_assert_eq(futimens(fd, times), 0);
		cr_assert_eq(fstat(fd, &now), 0);
	} while (now.st_ctim.tv_sec == st.st_ctim.tv_sec &&
		 now.st_ctim.tv_nsec == st.st_ctim.tv_nsec);
	close(fd);
}

static void damage_by_adding(const char *path)
{
	char file[PATH_MAX + 8];

	(void)path;
	snprintf(file, sizeof(file), "%s/more", entry.path);
	close(creat(file, 0644));
}

static void damage_by_removing(const char *path)
{
	char file[PATH_MAX + 8];

	(void)path;
	snprintf(file, sizeof(file), "%s/file", entry.path);
	cr_assert_eq(unlink(file), 0);
}

static void damage_env(const char *path)
{
	oci_builder_file(path, "env", "LD_PRELOAD=/evil.so");
}

static void damage_seal(const char *path)
{
	char file[PATH_MAX + 8];

	snprintf(file, sizeof(file), "%s/seal", path);
	cr_assert_eq(unlink(file), 0);
}

Test(oci, a_damaged_entry_is_unpacked_again)
{
	static void (*const damages[])(const char *path) = {
		damage_bytes, damage_by_adding, damage_by_removing, damage_env, damage_seal};
	char path[PATH_MAX];

	build(one_file);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		get_well();
		snprintf(path, sizeof(path), "%s", entry.path);
		*strrchr(path, '/') = '\0';
		damages[i](path);
		get_well();
		cr_expect_str_eq(content("file"), "text", "damage %zu", i);
		cr_expect(!exists("more"), "damage %zu", i);
		cr_expect_str_eq(entry.env.text, "PATH=/image/bin", "damage %zu", i);
		cr_expect_eq(count("sha256-"), 1);
		cr_expect_eq(count(".new-"), 0);
	}
}

Test(oci, many_at_once)
{
	pid_t pids[6];

	build(one_file);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct err e;

			_exit(get(&e) == 0 && strcmp(content("file"), "text") == 0 ? 0 : 1);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status = -1;

		cr_expect_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_expect_eq(status, 0);
	}
	cr_expect_eq(count("sha256-"), 1);
	cr_expect_eq(count(".new-"), 0);
}

/* Killed while it unpacks: no entry, and the next one cleans up. */
Test(oci, killed_in_the_middle)
{
	AUTO_FREE char *text = calloc(1, 64 * MIB + 1);
	const struct oci_item big[] = {{'f', "big", text, 0}, {'f', "file", "text", 0}, END};
	int status;

	memset(text, 'x', 64 * MIB);
	build(big);
	pid_t pid = fork();

	if (pid == 0) {
		struct err e;

		_exit(get(&e) == 0 ? 0 : 1);
	}
	while (count(".new-") == 0 && waitpid(pid, &status, WNOHANG) == 0)
		usleep(100);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	get_well();
	cr_expect_str_eq(content("file"), "text");
	cr_expect_eq(count("sha256-"), 1);
	cr_expect_eq(count(".new-"), 0);
}

Test(oci, a_cache_that_others_can_write_to)
{
	struct err e;

	build(one_file);
	cr_assert_eq(mkdir(cache, 0755), 0);
	cr_assert_eq(chmod(cache, 0777), 0);
	refused("a cache for all", get(&e), &e, "nobody else may write");
	cr_assert_eq(chmod(cache, 0755), 0);
	get_well();
}

/* The number that a process's status has in a row, of a base; -1 if there is none. */
static long long status_of(pid_t pid, const char *row, int base)
{
	char path[64];
	AUTO_FREE char *text = NULL;
	const char *at;
	size_t len;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (io_read_file(path, 65536, &text, &len, &e) < 0)
		return -1;
	at = strstr(text, row);
	return at ? strtoll(at + strlen(row), NULL, base) : -1;
}

static pid_t only_child(pid_t pid)
{
	char path[64];
	AUTO_FREE char *text = NULL;
	size_t len;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	return io_read_file(path, 4096, &text, &len, &e) < 0 ? 0 : (pid_t)strtol(text, NULL, 10);
}

/* A folder of the worker's is its own parent. */
static void nothing_above(pid_t pid, const char *what)
{
	char path[64], above[70];
	struct stat here, up;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	snprintf(above, sizeof(above), "%s/..", path);
	cr_assert_eq(stat(path, &here), 0, "%s", path);
	cr_assert_eq(stat(above, &up), 0, "%s", above);
	cr_expect_eq(here.st_ino, up.st_ino, "%s has a parent", what);
	cr_expect_eq(here.st_dev, up.st_dev, "%s has a parent", what);
}

/* Looks at the process that unpacks, while it does. */
Test(oci, who_unpacks_has_nothing)
{
	AUTO_FREE char *text = calloc(1, 64 * MIB + 1);
	const struct oci_item big[] = {{'f', "big", text, 0}, END};
	pid_t worker = 0;
	int status;

	memset(text, 'x', 64 * MIB);
	build(big);
	pid_t pid = fork();

	if (pid == 0) {
		struct err e;

		_exit(get(&e) == 0 ? 0 : 1);
	}
	do {
		worker = only_child(pid);
		cr_assert_eq(waitpid(pid, &status, WNOHANG), 0, "it was never seen at work");
	} while (worker == 0 || count(".new-") == 0 || status_of(worker, "Seccomp:\t", 10) != 2 ||
		 kill(worker, SIGSTOP) < 0);
	cr_expect_eq(status_of(worker, "NoNewPrivs:\t", 10), 1);
	cr_expect_eq(status_of(worker, "CapEff:\t", 16), 0);
	cr_expect_eq(status_of(worker, "CapPrm:\t", 16), 0);
	cr_expect_geq(status_of(worker, "Uid:\t", 10), 65536, "runs as one of the host");
	cr_expect_geq(status_of(worker, "Gid:\t", 10), 65536);
	if (rights_user() == 0) { /* to others it shows nothing */
		nothing_above(worker, "cwd");
		nothing_above(worker, "root");
		nothing_above(worker, "fd/3");
		nothing_above(worker, "fd/5");
	}
	/* It dies with the one who waits for it. */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	for (int i = 0; i < 10000 && status_of(worker, "NoNewPrivs:\t", 10) >= 0; i++)
		usleep(1000);
	cr_expect_eq(status_of(worker, "NoNewPrivs:\t", 10), -1, "it is still there");
}

/* Read with the rights of nobody. */
Test(oci, blobs_that_only_root_may_read)
{
	char path[300];
	struct err e;

	blob_path(path, sizeof(path));
	cr_assert_eq(chmod(path, 0600), 0);
	refused("a private blob", get(&e), &e, "Permission denied");
}

/* The files of the image and the rule's own rows in one table. */
Test(oci, from_in_a_rule)
{
	static const struct oci_item items[] = {{'f', "etc/passwd", "image", 0},
						{'f', "etc/motd", "image", 0},
						{'f', "opt/tool", "image", 0},
						{'f', "box/x", "image", 0},
						{'f', "proc/x", "image", 0},
						{'l', "var", "nowhere", 0},
						END};
	struct root_cache_options o = {.dir = cache};
	struct root r = {0};
	struct err e = {0};
	char text[600];
	int n = snprintf(text, sizeof(text),
			 "name: r\nfrom: %s\nmounts:\n"
			 "  - { type: file, target: /etc/passwd, content: ours }\n"
			 "  - { type: file, target: /opt/more, content: ours }\n"
			 "  - { type: file, target: /var/x, content: ours }\n"
			 "  - { type: proc, target: /proc }\n  - { type: dev, target: /dev }\n"
			 "  - { type: box, target: /box }\n"
			 "  - { type: program, target: /program }\n",
			 layout);

	build(items);
	cr_assert_eq(root_parse(&r, text, (size_t)n, "r", &e), 0, "%s", e.msg);
	cr_assert_eq(root_use_from(&r, &o, &e), 0, "%s", e.msg);
	/* /etc whole, as it has a passwd to mount on; /opt in parts; the link stays. */
	cr_assert_eq(r.nmounts, 3 + 7);
	cr_expect_str_eq(r.mounts[0].target, "/etc");
	cr_expect_str_eq(r.mounts[1].target, "/opt/tool");
	cr_expect_str_eq(r.mounts[2].target, "/var");
	cr_expect_not_null(r.digest);
	cr_expect_eq(strlen(r.digest), 64);
	cr_expect_str_eq(r.env, "PATH=/image/bin");
	root_release(&r);
}

Test(oci, from_what_is_no_root)
{
	static const struct {
		const char *from, *reason;
	} bad[] = {
		{"/nonexistent", "No such file"},
		{"/dev/null", "neither a folder nor a file"},
		{"/etc/passwd", "no squashfs or erofs image"},
	};
	struct root_cache_options o = {.dir = cache};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct root r = {0};
		struct err e = {0};

		r.from = strdup(bad[i].from);
		cr_expect_eq(root_use_from(&r, &o, &e), -1);
		cr_expect_not_null(strstr(e.msg, bad[i].reason), "%s", e.msg);
		root_release(&r);
	}
}

Test(oci, types_of_images)
{
	static const struct {
		size_t at;
		const char *magic, *type;
	} images[] = {{0, "hsqs", "squashfs"},
		      {1024, "\xe2\xe1\xf5\xe0", "erofs"},
		      {0, "hsq", NULL},
		      {1023, "\xe2\xe1\xf5\xe0", NULL}};

	for (size_t i = 0; i < ARRAY_LEN(images); i++) {
		struct err e;
		int fd = io_memfd(&e);
		const char *type;

		cr_assert_eq(
			pwrite(fd, images[i].magic, strlen(images[i].magic), (off_t)images[i].at),
			(ssize_t)strlen(images[i].magic));
		type = root_image_type(fd);
		cr_expect(images[i].type ? type && strcmp(type, images[i].type) == 0 : !type,
			  "image %zu", i);
		close(fd);
	}
}
