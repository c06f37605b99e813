#include "tests/bench/peers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static const char bundle_config[] =
	"{\"ociVersion\":\"1.0.2\","
	"\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/program\"],"
	"\"cwd\":\"/\",\"noNewPrivileges\":true},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}],"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"mount\"}]}}";

int peers_run_quietly(const char *const *argv)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void isolate_box(const char *what)
{
	const char *const argv[] = {PEER_ISOLATE, what, NULL};

	if (access(PEER_ISOLATE, X_OK) == 0)
		(void)peers_run_quietly(argv);
}

static int write_file(const char *dir, const char *name, const void *data, size_t len, mode_t mode,
		      struct err *e)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd < 0 ? err_sys(e, "open %s", path) : io_write_all(fd, data, len, e);
}

static int make_bundle(struct peers *p, const char *program, struct err *e)
{
	AUTO_FREE char *data = NULL;
	char rootfs[80];
	size_t len;

	snprintf(p->bundle, sizeof(p->bundle), "/tmp/gavel-bundle-XXXXXX");
	if (!mkdtemp(p->bundle))
		return err_sys(e, "mkdtemp %s", p->bundle);
	snprintf(rootfs, sizeof(rootfs), "%s/rootfs", p->bundle);
	if (mkdir(rootfs, 0755) < 0)
		return err_sys(e, "mkdir %s", rootfs);
	if (io_read_file(program, 64 << 20, &data, &len, e) < 0)
		return -1;
	if (write_file(rootfs, "program", data, len, 0755, e) < 0)
		return -1;
	return write_file(p->bundle, "config.json", bundle_config, strlen(bundle_config), 0644, e);
}

int peers_prepare(struct peers *p, const char *programs, const char *runc_program, struct err *e)
{
	char path[PATH_MAX];

	*p = (struct peers){0};
	if (!realpath(programs, path))
		return err_sys(e, "%s", programs);
	snprintf(p->isolate_dir, sizeof(p->isolate_dir), "--dir=/program=%s", path);
	isolate_box("--init");
	return make_bundle(p, runc_program, e);
}

void peers_clean(struct peers *p)
{
	static const char *const names[] = {"rootfs/program",
					    "rootfs/proc",
					    "rootfs/dev",
					    "rootfs/sys",
					    "rootfs",
					    "config.json",
					    ""};
	char path[128];

	isolate_box("--cleanup");
	for (size_t i = 0; p->bundle[0] && i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->bundle, names[i]);
		(void)remove(path);
	}
}
