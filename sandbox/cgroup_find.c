#include <fcntl.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"
#include "sandbox/cgroup_ops.h"

#define PROC_FILE_MAX (4U << 20)
#define MOUNT_LINE    8192

/* pids first: a run joins the hierarchies in this order and is killed through the first. */
static const enum cgroup_controller order[] = {CGROUP_PIDS, CGROUP_MEMORY, CGROUP_CPUACCT,
					       CGROUP_CPU,  CGROUP_CPUSET, CGROUP_DEVICES};

/* A line of mountinfo, cut in place.  See proc_pid_mountinfo(5). */
struct mount {
	char *root;
	char *point;
	char *type;
	char *options; /* of the file system: for v1 the names of its controllers */
};

const char *cgroup_controller_name(enum cgroup_controller c)
{
	static const char *const names[] = {
		[CGROUP_MEMORY] = "memory",   [CGROUP_PIDS] = "pids",
		[CGROUP_CPUACCT] = "cpuacct", [CGROUP_CPU] = "cpu",
		[CGROUP_CPUSET] = "cpuset",   [CGROUP_DEVICES] = "devices",
	};

	return names[c];
}

int cgroup_open_path(int root, const char *path, struct err *e)
{
	path += strspn(path, "/");
	return cgroup_dir_file(root, *path ? path : ".", O_RDONLY | O_DIRECTORY, e);
}

static int proc_read(int root, const char *path, char **text, struct err *e)
{
	size_t len;
	AUTO_CLOSE int fd = openat(root, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open /%s", path);
	if (io_read_fd(fd, PROC_FILE_MAX, text, &len, e) < 0)
		return err_wrap(e, "/%s", path);
	return 0;
}

/* Blanks, tabs, newlines and backslashes in a path are written as \ and three octal digits. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; out++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

/* Cuts the line's next word off; NULL if there is none. */
static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " ");
	while (word && !*word);
	return word;
}

/* Parses one line, of which buf, of MOUNT_LINE bytes, gets a copy for *m to point into. */
static bool mount_parse(const char *text, char *buf, struct mount *m)
{
	char *line = buf;
	char *word;

	if (snprintf(buf, MOUNT_LINE, "%.*s", (int)strcspn(text, "\n"), text) >= MOUNT_LINE)
		return false;
	for (int i = 0; i < 3; i++)
		(void)next_word(&line);
	m->root = next_word(&line);
	m->point = next_word(&line);
	do /* options and optional fields, closed by a dash */
		word = next_word(&line);
	while (word && strcmp(word, "-") != 0);
	m->type = next_word(&line);
	(void)next_word(&line); /* source */
	m->options = next_word(&line);
	if (!m->root || !m->point || !m->type || !m->options)
		return false;
	unescape(m->root);
	unescape(m->point);
	return true;
}

static const char *next_line(const char *line)
{
	line = strchr(line, '\n');
	return line ? line + 1 : NULL;
}

/* Whether a word is in a list separated by commas. */
static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, word, len) == 0)
			return true;
		p += n;
	}
	return false;
}

/*
 * Our own cgroup in the hierarchy with this controller ("" for v2), from the lines "4:cpu,cpuacct:/path" of
 * /proc/self/cgroup (cgroups(7)).  False if it is not in there.
 */
static bool own_path(const char *cgroups, const char *controller, char *path, size_t size)
{
	for (const char *line = cgroups; line; line = next_line(line)) {
		const char *list = strchr(line, ':');
		const char *p = list ? strchr(list + 1, ':') : NULL;
		char names[256];

		if (!p)
			continue;
		snprintf(names, sizeof(names), "%.*s", (int)(p - list - 1), list + 1);
		if (*controller ? !in_list(names, controller) : *names != '\0')
			continue;
		snprintf(path, size, "%.*s", (int)strcspn(p + 1, "\n"), p + 1);
		return true;
	}
	return false;
}

/* Where the cgroup is in the file system; false if this mount does not show it. */
static bool place_fill(const struct mount *m, const char *cgroup, struct cgroup_place *p)
{
	size_t len = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);

	if (strncmp(cgroup, m->root, len) != 0 || (cgroup[len] != '/' && cgroup[len] != '\0'))
		return false;
	cgroup += len;
	*p = (struct cgroup_place){0};
	int n = snprintf(p->own, sizeof(p->own), "%s%s", m->point,
			 strcmp(cgroup, "/") == 0 ? "" : cgroup);

	snprintf(p->mount, sizeof(p->mount), "%s", m->point);
	return n < (int)sizeof(p->own);
}

static bool v2_has_memory(int root, const struct cgroup_place *p)
{
	const char *const paths[] = {p->own, p->mount};
	char text[512];
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		AUTO_CLOSE int dir = cgroup_open_path(root, paths[i], &ignored);

		if (dir >= 0 &&
		    cgroup_dir_read(dir, "cgroup.controllers", text, sizeof(text), &ignored) >= 0 &&
		    cgroup_dir_word(text, "memory"))
			return true;
	}
	return false;
}

/* The first mount of v2 that shows our own cgroup. */
static bool find_v2(const char *mounts, const char *cgroups, struct cgroup_place *p)
{
	char own[512];
	char buf[MOUNT_LINE];

	if (!own_path(cgroups, "", own, sizeof(own)))
		return false;
	for (const char *line = mounts; line; line = next_line(line)) {
		struct mount m;

		if (mount_parse(line, buf, &m) && strcmp(m.type, "cgroup2") == 0 &&
		    place_fill(&m, own, p))
			return true;
	}
	return false;
}

/* Adds the hierarchy of one controller, or the controller to the hierarchy it shares. */
static bool find_v1(const char *mounts, const char *cgroups, enum cgroup_controller c,
		    struct cgroup_found *f)
{
	char own[512];
	struct cgroup_place p;
	char buf[MOUNT_LINE];

	if (!own_path(cgroups, cgroup_controller_name(c), own, sizeof(own)))
		return false;
	for (const char *line = mounts; line; line = next_line(line)) {
		struct mount m;

		if (!mount_parse(line, buf, &m) || strcmp(m.type, "cgroup") != 0 ||
		    !in_list(m.options, cgroup_controller_name(c)) || !place_fill(&m, own, &p))
			continue;
		int i = 0;

		while (i < f->n && strcmp(f->places[i].mount, p.mount) != 0)
			i++;
		if (i == f->n)
			f->places[f->n++] = p;
		f->places[i].controllers |= 1U << c;
		return true;
	}
	return false;
}

static int find_all_v1(const char *mounts, const char *cgroups, struct cgroup_found *f,
		       struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (find_v1(mounts, cgroups, order[i], f))
			continue;
		if (order[i] == CGROUP_CPU || order[i] == CGROUP_CPUSET ||
		    order[i] == CGROUP_DEVICES)
			continue;
		return err_set(e,
			       "no cgroup hierarchy with the %s controller is mounted: neither "
			       "cgroup2 with memory nor cgroup (v1) is in /proc/self/mountinfo",
			       cgroup_controller_name(order[i]));
	}
	return 0;
}

int cgroup_find(int root, struct cgroup_found *f, struct err *e)
{
	AUTO_FREE char *mounts = NULL;
	AUTO_FREE char *cgroups = NULL;

	*f = (struct cgroup_found){0};
	if (proc_read(root, "proc/self/mountinfo", &mounts, e) < 0 ||
	    proc_read(root, "proc/self/cgroup", &cgroups, e) < 0)
		return -1;
	bool v2 = find_v2(mounts, cgroups, &f->places[0]);

	if (v2 && v2_has_memory(root, &f->places[0])) {
		f->version = 2;
		f->n = 1;
		return 0;
	}
	f->version = 1;
	f->hybrid = v2;
	return find_all_v1(mounts, cgroups, f, e);
}
