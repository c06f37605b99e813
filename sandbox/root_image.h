/*
 * root_image.h - root file systems in one file: squashfs and erofs.
 *
 * The image is mounted through a loop device, read-only, nosuid and nodev, in a mount namespace of the calling program's own: the
 * host does not see the mount, and it ends with the last process of the namespace, whatever way that dies.  The kernel parses
 * the image, so only images that are trusted belong here; a container image from elsewhere goes through oci.h.
 */
#ifndef ROOT_IMAGE_H
#define ROOT_IMAGE_H

#include <stddef.h>

struct err;

/* "squashfs" or "erofs" by what the file says at its beginning; NULL for anything else.  fd stays at its offset. */
const char *root_image_type(int fd);

/* 0 if this process may mount one: only root may. */
int root_image_allowed(struct err *e);

/*
 * Mounts the image and writes where to out.  `dir` is a folder of the caller (made if need be, and kept) over which the program
 * mounts its own; needs root_image_allowed().  The first call moves the process into a new mount namespace.
 */
int root_image_mount(int fd, const char *type, const char *dir, char *out, size_t size,
		     struct err *e);

#endif
