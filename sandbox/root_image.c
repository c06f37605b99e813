#include "sandbox/root_image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/mounts.h"
#include "sandbox/rights.h"

#define LOOP_TRIES 64

static int says(int fd, off_t at, const char magic[4])
{
	char bytes[4];

	return pread(fd, bytes, sizeof(bytes), at) == (ssize_t)sizeof(bytes) &&
	       memcmp(bytes, magic, sizeof(bytes)) == 0;
}

const char *root_image_type(int fd)
{
	if (says(fd, 0, "hsqs"))
		return "squashfs";
	if (says(fd, 1024, "\xe2\xe1\xf5\xe0"))
		return "erofs";
	return NULL;
}

int root_image_allowed(struct err *e)
{
	if (geteuid() == 0 && rights_user() == 0)
		return 0;
	return err_set(
		e, "only root can mount an image: unpack it into a folder, or use an OCI layout");
}

/* A free loop device that reads fd and goes away with its last user.  Others look for free ones at the same time. */
static int open_loop(int fd, char *path, size_t size, struct err *e)
{
	struct loop_config config = {
		.fd = (unsigned)fd,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
	};
	AUTO_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return err_sys(e, "open /dev/loop-control (is there a loop module?)");
	for (int i = 0; i < LOOP_TRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		if (n < 0)
			return err_sys(e, "find a free loop device");
		snprintf(path, size, "/dev/loop%d", n);
		AUTO_CLOSE int loop = open(path, O_RDONLY | O_CLOEXEC);

		if (loop < 0)
			return err_sys(e, "open %s", path);
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return fd_steal(&loop);
		if (errno != EBUSY)
			return err_sys(e, "set up %s", path);
	}
	return err_set(e, "no free loop device");
}

/* From here mounts of the host arrive, and none of ours leaves. */
static int own_mounts(const char *dir, struct err *e)
{
	static int done;
	struct mounts_tmpfs t = {.bytes = 1 << 20, .inodes = 128, .mode = "0755"};

	if (done)
		return 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", dir);
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "a mount namespace of its own");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make / a slave");
	AUTO_CLOSE int tree = mounts_new_tmpfs(&t, e);

	if (tree < 0 || mounts_attach(tree, dir, e) < 0)
		return -1;
	done = 1;
	return 0;
}

int root_image_mount(int fd, const char *type, const char *dir, char *out, size_t size,
		     struct err *e)
{
	char loop_path[32];
	AUTO_CLOSE int loop = -1;
	AUTO_CLOSE int tree = -1;

	if (own_mounts(dir, e) < 0)
		return -1;
	loop = open_loop(fd, loop_path, sizeof(loop_path), e);
	if (loop < 0)
		return -1;
	tree = mounts_new_image(type, loop_path, e);
	if (tree < 0)
		return e->num == ENODEV ? err_set(e, "this kernel has no %s", type)
					: err_wrap(e, "%s", type);
	if (snprintf(out, size, "%s/XXXXXX", dir) >= (int)size)
		return err_set(e, "the path is too long");
	if (!mkdtemp(out) || chmod(out, 0755) < 0)
		return err_sys(e, "mkdir %s", out);
	return mounts_attach(tree, out, e);
}
