/* attack: expect=exited:0 layer=readonly+ids why=read-only root and binds, and a uid that owns nothing */
#include "attack.h"

int main(void)
{
	static const char *const folders[] = {
		"/",      "/usr",       "/usr/bin", "/usr/lib", "/usr/local",
		"/bin",   "/lib",       "/lib64",   "/etc",     "/etc/alternatives",
		"/proc",  "/proc/self", "/dev",     "/program", "/box/..",
		"/tmp/.."};
	static const char *const files[] = {"/etc/passwd",      "/etc/group",
					    "/etc/ld.so.cache", "/usr/bin/env",
					    "/usr/bin/gcc",     "/lib64/ld-linux-x86-64.so.2"};
	char name[256];
	int fd = open(given("CANARY"), O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd >= 0)
		escaped("the canary can be written");
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(name, sizeof(name), "%s/gavel-attack-%d", folders[i], getpid());
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			unlink(name);
			escaped("made %s", name);
		}
		if (mkdir(name, 0700) == 0) {
			rmdir(name);
			escaped("made a folder %s", name);
		}
		if (symlink("x", name) == 0) {
			unlink(name);
			escaped("made a link %s", name);
		}
		if (open(folders[i], O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) >= 0)
			escaped("made a nameless file in %s", folders[i]);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (open(files[i], O_WRONLY | O_APPEND | O_CLOEXEC) >= 0)
			escaped("can write %s", files[i]);
		if (chmod(files[i], 0777) == 0)
			escaped("changed the mode of %s", files[i]);
		if (link(files[i], "linked") == 0)
			escaped("linked %s into the box", files[i]);
		if (utimensat(AT_FDCWD, files[i], NULL, 0) == 0)
			escaped("changed the times of %s", files[i]);
	}
	held();
}
