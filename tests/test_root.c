#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/root.h"
#include "sandbox/root_cache.h"
#include "sandbox/root_from.h"

#define WHOLE                                                                                      \
	"  - { type: proc, target: /proc }\n"                                                      \
	"  - { type: dev, target: /dev }\n"                                                        \
	"  - { type: box, target: /box }\n"                                                        \
	"  - { type: program, target: /program }\n"
#define RULE(rows) "name: r\nmounts:\n" rows WHOLE

static int parse(const char *text, struct err *e)
{
	struct root r = {0};
	int status = root_parse(&r, text, strlen(text), "r", e);

	root_release(&r);
	return status;
}

/* Of /var, only what two compilers have of their own libraries there. */
static int may_be_bound(const char *target)
{
	static const char *const never[] = {"/home", "/var", "/sys", "/run", "/root"};
	static const char *const libraries[] = {"/var/lib/chicken", "/var/lib/ghc"};

	for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
		if (strcmp(target, libraries[i]) == 0)
			return 1;
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (strncmp(target, never[i], strlen(never[i])) == 0)
			return 0;
	return strcmp(target, "/etc") != 0;
}

Test(root, the_projects_own_rule)
{
	struct root r;
	struct err e = {0};

	cr_assert_eq(root_load(&r, "rules/roots", "default", &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.name, "default");
	cr_expect_not_null(r.text);
	for (size_t i = 0; i < r.nmounts; i++) {
		const char *t = r.mounts[i].target;

		cr_expect_neq(r.mounts[i].type, ROOT_BIND_RW, "%s", t);
		cr_expect(may_be_bound(t), "%s", t);
	}
	root_release(&r);
	cr_expect_eq(root_load(&r, "rules/roots", "none", &e), -1);
	cr_expect_not_null(strstr(e.msg, "rules/roots/none.yaml"), "%s", e.msg);
}

Test(root, good_rules)
{
	struct root r = {0};
	struct err e = {0};
	static const char text[] =
		RULE("  - { type: bind, source: /usr, target: /usr, optional: true }\n"
		     "  - { type: file, target: /etc/hosts, content: \"a\\nb\\n\" }\n"
		     "  - { type: link, source: usr/bin, target: /bin }\n"
		     "  - { type: tmpfs, target: /tmp }\n");

	cr_assert_eq(root_parse(&r, text, strlen(text), "r", &e), 0, "%s", e.msg);
	cr_expect_eq(r.nmounts, 8);
	cr_expect_eq(r.mounts[0].type, ROOT_BIND);
	cr_expect_str_eq(r.mounts[0].source, "/usr");
	cr_expect_eq(r.mounts[0].optional, 1);
	cr_expect_str_eq(r.mounts[1].content, "a\nb\n");
	cr_expect_eq(r.mounts[1].optional, 0);
	cr_expect_str_eq(r.mounts[2].source, "usr/bin");
	root_release(&r);
	cr_expect_null(r.mounts);
}

/* clang-format off */
static const struct { const char *text, *error; } bad[] = {
	{ "", "" },
	{ "x", "" },
	{ "name: r\n", "" },
	{ "name: other\nmounts:\n" WHOLE, "name: is 'other', must be 'r'" },
	{ "name: r\nmounts: []\n", "" },
	{ "name: r\nmounts:\n  - { type: proc, target: /proc }\n", "one each of type" },
	{ RULE("") "  - { type: box, target: /box2 }\n", "one each of type" },
	{ RULE("  - { type: magic, target: /x }\n"), "" },
	{ RULE("  - { type: bind-rw, source: /x, target: /x }\n"), "" },
	{ RULE("  - { type: bind, target: /x }\n"), "/x: source is missing" },
	{ RULE("  - { type: bind, source: x, target: /x }\n"), "source 'x' must be absolute" },
	{ RULE("  - { type: tmpfs, source: /x, target: /x }\n"), "source is not used" },
	{ RULE("  - { type: file, target: /x }\n"), "content belongs to type file" },
	{ RULE("  - { type: tmpfs, target: /x, content: y }\n"), "content belongs to type file" },
	{ RULE("  - { type: tmpfs, target: x/y }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /x/ }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /x//y }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /x/.. }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /x/../y }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /./y }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /.. }\n"), "must be an absolute path" },
	{ RULE("  - { type: tmpfs, target: /x }\n  - { type: tmpfs, target: /x }\n"), "target /x is there twice" },
	{ RULE("  - { type: tmpfs, target: /x, colour: red }\n"), "" },
	{ RULE("  - { type: tmpfs, target: /x, optional: perhaps }\n"), "" },
	{ RULE("  - &a { type: tmpfs, target: /x }\n  - *a\n"), "" },
	{ RULE("  - { type: tmpfs, target: /x\n"), "" },
	{ RULE("  - [ tmpfs, /x ]\n"), "" },
	{ "name: r\nfrom: srv/image\nmounts:\n" WHOLE, "from: 'srv/image' must be an absolute path" },
	{ "name: r\nfrom: \"\"\nmounts:\n" WHOLE, "" },
	{ "name: r\nfrom: [ /a, /b ]\nmounts:\n" WHOLE, "" },
};
/* clang-format on */

Test(root, bad_rules)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = {0};

		cr_expect_eq(parse(bad[i].text, &e), -1, "rule %zu: %s", i, bad[i].text);
		cr_expect_neq(e.msg[0], '\0', "rule %zu", i);
		cr_expect_not_null(strstr(e.msg, bad[i].error), "rule %zu: %s", i, e.msg);
	}
	struct err e = {0};

	parse(RULE("  - { type: magic, target: /x }\n"), &e);
	cr_expect_not_null(strstr(e.msg, "line: 3"), "no line is named: %s", e.msg);
}

Test(root, rows_from_a_command_line)
{
	struct root r;
	struct err e = {0};

	cr_assert_eq(root_load(&r, "rules/roots", "default", &e), 0, "%s", e.msg);
	size_t before = r.nmounts;

	cr_expect_eq(root_add(&r, ROOT_BIND_RW, "/srv", "/data", &e), 0);
	cr_expect_eq(root_check(&r, &e), 0, "%s", e.msg);
	cr_expect_eq(r.nmounts, before + 1);
	cr_expect_eq(root_add(&r, ROOT_BIND, "relative", "/other", &e), 0);
	cr_expect_eq(root_check(&r, &e), -1);
	cr_expect_not_null(strstr(e.msg, "/other: source 'relative'"), "%s", e.msg);
	root_release(&r);
}

/* A folder with a root file system takes the place of the host's files, and of nothing else. */
Test(root, another_root_file_system)
{
	static const char *const folders[] = {"usr", "etc", "proc", "dev", "tmp", "box", "sys"};
	char dir[] = "/tmp/gavel-root-XXXXXX";
	char path[300];
	struct root r;
	struct err e = {0};

	cr_assert_not_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
	}
	snprintf(path, sizeof(path), "%s/etc/motd", dir);
	cr_assert_eq(close(creat(path, 0644)), 0);
	cr_assert_eq(root_load(&r, "rules/roots", "default", &e), 0, "%s", e.msg);
	root_drop_host(&r);
	size_t own = r.nmounts;

	cr_expect_eq(root_use_folder(&r, "/nonexistent", &e), -1);
	cr_expect_eq(r.nmounts, own, "a failure leaves the table as it was");
	cr_assert_eq(root_use_folder(&r, dir, &e), 0, "%s", e.msg);
	cr_expect_eq(root_check(&r, &e), 0, "%s", e.msg);
	cr_expect_eq(r.nmounts, own + 2,
		     "usr, etc/motd and no more: the others are the cell's own");
	for (size_t i = 0; i < r.nmounts; i++) {
		if (r.mounts[i].type != ROOT_BIND)
			continue;
		cr_expect_eq(strncmp(r.mounts[i].source, dir, strlen(dir)), 0, "%s",
			     r.mounts[i].source);
		cr_expect_lt(i, 2, "binds come first");
		/* etc has no places for the rule's passwd and group, so it comes in parts. */
		cr_expect(strcmp(r.mounts[i].target, "/usr") == 0 ||
				  strcmp(r.mounts[i].target, "/etc/motd") == 0,
			  "%s", r.mounts[i].target);
	}
	root_release(&r);
	snprintf(path, sizeof(path), "%s/etc/motd", dir);
	cr_expect_eq(unlink(path), 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		cr_expect_eq(rmdir(path), 0);
	}
	cr_expect_eq(rmdir(dir), 0);
}

/* Only root can mount an image; who is not is told so, and nothing has been made for it. */
Test(root, an_image_for_a_plain_user)
{
	char dir[] = "/tmp/gavel-root-XXXXXX";
	char image[64], cache[64];
	struct root_cache_options o = {.dir = cache};
	struct root r = {.from = image};
	struct err e = {0};

	if (geteuid() == 0)
		cr_assert_eq(seteuid(65534), 0);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	AUTO_CLOSE int fd = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	cr_assert_eq(write(fd, "hsqs", 4), 4);
	cr_expect_eq(root_use_from(&r, &o, &e), -1);
	cr_expect_not_null(strstr(e.msg, "only root can mount an image"), "%s", e.msg);
	cr_expect_eq(unlink(image), 0);
	cr_expect_eq(rmdir(dir), 0, "a folder was left in it");
}
