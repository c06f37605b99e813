#include "sandbox/selftest_traps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define PATIENCE_S 3
#define MOUNTS_MAX (4 << 20)

/* Nothing is protected by its mode: what cannot be reached must be out of reach. */
static int write_trap(const char *path, const char *text, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 || fchmod(fd, 0666) < 0)
		return err_sys(e, "%s", path);
	return io_write_all(fd, text, strlen(text), e);
}

/*
 * But nobody else may make anything in these folders: the sandbox, as root perhaps, opens files in them by name.  What came out of a
 * box is for nobody to see.
 */
static int make_folders(const struct traps *t, struct err *e)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {{"", 0755}, {"/secret", 0755}, {"/out", 0700}};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s%s", t->work, folders[i].name);
		if ((mkdir(path, 0700) < 0 && (errno != EEXIST || *folders[i].name)) ||
		    chmod(path, folders[i].mode) < 0)
			return err_sys(e, "%s", path);
	}
	return 0;
}

static int make_files(struct traps *t, struct err *e)
{
	if (make_folders(t, e) < 0)
		return -1;
	snprintf(t->canary, sizeof(t->canary), "%s/secret/canary", t->work);
	snprintf(t->input, sizeof(t->input), "%s/input", t->work);
	return write_trap(t->canary, t->secret, e) < 0 ? -1 : write_trap(t->input, TRAPS_INPUT, e);
}

static int start_victim(struct traps *t, struct err *e)
{
	t->victim = fork();
	if (t->victim < 0)
		return err_sys(e, "fork");
	if (t->victim > 0)
		return 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static int listen_at(int family, const void *address, socklen_t size, struct err *e)
{
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, 8) < 0)
		return err_sys(e, "listen");
	return fd_steal(&fd);
}

static int start_servers(struct traps *t, struct err *e)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(in);

	memcpy(un.sun_path + 1, t->name, strlen(t->name));
	t->tcp = listen_at(AF_INET, &in, sizeof(in), e);
	t->abstract = listen_at(
		AF_UNIX, &un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(t->name)), e);
	if (t->tcp < 0 || t->abstract < 0)
		return -1;
	if (getsockname(t->tcp, (struct sockaddr *)&in, &size) < 0)
		return err_sys(e, "getsockname");
	t->port = ntohs(in.sin_port);
	return 0;
}

static int share_memory(struct traps *t, struct err *e)
{
	char path[64];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "/%s", t->name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 || fchmod(fd, 0666) < 0)
		return err_sys(e, "shm_open");
	t->shm_id = shmget(t->shm_key, 4096, IPC_CREAT | IPC_EXCL | 0666);
	if (t->shm_id < 0)
		return err_sys(e, "shmget");
	return io_write_all(fd, t->secret, strlen(t->secret), e);
}

/* First away from the host's peers, then peers again: what leaks out of a cell, leaks here. */
static void watch_mounts(struct traps *t)
{
	struct err ignored;
	size_t len;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return;
	if (io_read_file("/proc/self/mountinfo", MOUNTS_MAX, &t->mounts, &len, &ignored) < 0)
		t->mounts = NULL;
}

int traps_set(struct traps *t, const char *work, struct err *e)
{
	uint64_t random[2];

	*t = (struct traps){.tcp = -1, .abstract = -1, .shm_id = -1};
	snprintf(t->work, sizeof(t->work), "%s", work);
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(e, "getrandom");
	snprintf(t->secret, sizeof(t->secret), "SECRET-%016llx\n", (unsigned long long)random[0]);
	snprintf(t->name, sizeof(t->name), "gavel-selftest-%016llx", (unsigned long long)random[1]);
	t->shm_key = (int)(random[1] >> 36) + 1;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (make_files(t, e) < 0 || start_servers(t, e) < 0 || share_memory(t, e) < 0)
		return -1;
	watch_mounts(t);
	return start_victim(t, e);
}

/* "mnt:[4026531841] pid:[...] ..." */
static void list_namespaces(char *text, size_t size)
{
	static const char *const names[] = {"mnt", "pid", "net", "ipc", "uts", "user", "cgroup"};
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names) && len + 64 < size; i++) {
		char path[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		text[len] = ' ';
		n = readlink(path, text + len + 1, size - len - 2);
		len += n < 0 ? 0 : (size_t)n + 1;
		text[len] = '\0';
	}
}

int traps_environment(const struct traps *t, unsigned turn, char *texts[TRAPS_TEXTS], struct err *e)
{
	char namespaces[512];
	struct utsname host;
	int n = 0;
	int bad = 0;

	list_namespaces(namespaces, sizeof(namespaces));
	if (uname(&host) < 0)
		return err_sys(e, "uname");
	bad |= asprintf(&texts[n++], "CANARY=%s", t->canary) < 0;
	bad |= asprintf(&texts[n++], "VICTIM_PID=%d", (int)t->victim) < 0;
	bad |= asprintf(&texts[n++], "TCP_PORT=%u", t->port) < 0;
	bad |= asprintf(&texts[n++], "ABSTRACT=%s", t->name) < 0;
	bad |= asprintf(&texts[n++], "SHM_NAME=/%s", t->name) < 0;
	bad |= asprintf(&texts[n++], "SHM_KEY=%d", t->shm_key) < 0;
	bad |= asprintf(&texts[n++], "HOST_NAMESPACES=%s", namespaces) < 0;
	bad |= asprintf(&texts[n++], "HOST_NAME=%s", host.nodename) < 0;
	bad |= asprintf(&texts[n++], "ROUND=%u", turn) < 0;
	bad |= asprintf(&texts[n++], "LC_ALL=C.UTF-8") < 0;
	bad |= asprintf(&texts[n++], "HOME=/tmp") < 0;
	texts[n] = NULL;
	return bad ? err_set(e, "out of memory") : 0;
}

static int check_file(const char *path, const char *text, struct err *e)
{
	AUTO_FREE char *now = NULL;
	struct stat st;
	size_t len;

	if (io_read_file(path, 4096, &now, &len, e) < 0)
		return -1;
	if (strcmp(now, text) != 0 || stat(path, &st) < 0 || (st.st_mode & 07777) != 0666)
		return err_set(e, "a file of the host was changed: %s", strrchr(path, '/') + 1);
	return 0;
}

static int check_visitors(const struct traps *t, struct err *e)
{
	AUTO_CLOSE int over_tcp = accept(t->tcp, NULL, NULL);
	AUTO_CLOSE int over_unix = accept(t->abstract, NULL, NULL);

	if (over_tcp >= 0 || over_unix >= 0)
		return err_set(e, "a server of the host was reached");
	return 0;
}

/* What came out of the box: files, none of them with the secret or a set-id bit. */
static int check_out(const struct traps *t, struct err *e)
{
	char path[PATH_MAX];
	int status = 0;

	snprintf(path, sizeof(path), "%s/out", t->work);
	DIR *d = opendir(path);

	for (struct dirent *entry; d && status == 0 && (entry = readdir(d));) {
		AUTO_CLOSE int fd = -1;
		char head[64] = "";
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), entry->d_name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0 ||
		    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || (st.st_mode & 06000))
			status = err_set(e, "something that is no plain file came out of the box");
		else if (S_ISREG(st.st_mode) && read(fd, head, sizeof(head) - 1) > 0 &&
			 strcmp(head, t->secret) == 0)
			status = err_set(e, "the host's secret came out of the box");
	}
	if (d)
		closedir(d);
	return status;
}

static int check_mounts(const struct traps *t, struct err *e)
{
	AUTO_FREE char *now = NULL;
	size_t len;

	if (!t->mounts)
		return 0;
	if (io_read_file("/proc/self/mountinfo", MOUNTS_MAX, &now, &len, e) < 0)
		return -1;
	return strcmp(now, t->mounts) == 0 ? 0 : err_set(e, "a mount was left on the host");
}

static void kill_children(void)
{
	char path[64];
	AUTO_FREE char *text = NULL;
	struct err ignored;
	size_t len;
	char *end;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	if (io_read_file(path, 65536, &text, &len, &ignored) < 0)
		return;
	for (char *p = text; *p; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		(void)kill((pid_t)pid, SIGKILL);
		end += *end == ' ';
	}
}

/* Every other child of this process has been waited for: whoever is there has been left, and has come to us. */
static int check_processes(struct err *e)
{
	for (int turn = 0; turn < PATIENCE_S * 50; turn++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);

		if (pid < 0 && errno == ECHILD)
			return 0;
		if (pid == 0)
			(void)usleep(20000);
	}
	kill_children();
	while (waitpid(-1, NULL, __WALL) >= 0 || errno == EINTR)
		continue;
	return err_set(e, "a process was left on the host");
}

int traps_check(struct traps *t, struct err *e)
{
	int status = 0;

	if (waitpid(t->victim, &status, WNOHANG | WUNTRACED) != 0)
		return err_set(e, "a process of the host was %s",
			       WIFSTOPPED(status) ? "stopped" : "killed");
	(void)kill(t->victim, SIGKILL);
	(void)waitpid(t->victim, NULL, 0);
	t->victim = 0;
	if (check_processes(e) < 0 || check_visitors(t, e) < 0 ||
	    check_file(t->canary, t->secret, e) < 0 || check_file(t->input, TRAPS_INPUT, e) < 0 ||
	    check_out(t, e) < 0)
		return -1;
	return check_mounts(t, e);
}

void traps_clear(struct traps *t)
{
	char path[64];

	if (t->victim > 0)
		(void)kill(t->victim, SIGKILL);
	snprintf(path, sizeof(path), "/%s", t->name);
	(void)shm_unlink(path);
	if (t->shm_id >= 0)
		(void)shmctl(t->shm_id, IPC_RMID, NULL);
	scope_close(&t->tcp);
	scope_close(&t->abstract);
	free(t->mounts);
	*t = (struct traps){.tcp = -1, .abstract = -1, .shm_id = -1};
}
