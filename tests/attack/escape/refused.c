/* attack: expect=exited:0 each=io_uring,keyctl,add_key,request_key,userfaultfd,perf,fanotify,dmesg,clone3,chroot,seccomp,personality,kcmp,name_to_handle,mbind,vmsplice,setxattr layer=seccomp why=system call policy */
#include "attack.h"
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/personality.h>

/* Calls that runtimes probe for: refused with an error, not with the end of the run. */
static long attack(const char *name)
{
	static char buffer[4096];
	static struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(perf)};
	static unsigned long clone_args[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
	static unsigned handle[64] = {128};
	int mount_id;

	if (!strcmp(name, "io_uring"))
		return syscall(SYS_io_uring_setup, 4, buffer);
	if (!strcmp(name, "keyctl")) /* join a session keyring */
		return syscall(SYS_keyctl, 1, "gavel-attack", 0, 0, 0);
	if (!strcmp(name, "add_key")) /* to the process keyring */
		return syscall(SYS_add_key, "user", "gavel-attack", "x", 1, -2);
	if (!strcmp(name, "request_key"))
		return syscall(SYS_request_key, "user", "gavel-attack", "", -2);
	if (!strcmp(name, "userfaultfd"))
		return syscall(SYS_userfaultfd, O_CLOEXEC | 1);
	if (!strcmp(name, "perf"))
		return syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0);
	if (!strcmp(name, "fanotify"))
		return syscall(SYS_fanotify_init, 0, 0);
	if (!strcmp(name, "dmesg"))
		return syscall(SYS_syslog, 3, buffer, sizeof(buffer));
	if (!strcmp(name, "clone3"))
		return syscall(SYS_clone3, clone_args, sizeof(clone_args));
	if (!strcmp(name, "chroot"))
		return chroot("/");
	if (!strcmp(name, "seccomp")) /* a filter of one's own that allows everything */
		return syscall(SYS_seccomp, 2, 0, buffer);
	if (!strcmp(name, "personality"))
		return personality(READ_IMPLIES_EXEC | ADDR_COMPAT_LAYOUT);
	if (!strcmp(name, "kcmp"))
		return syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0);
	if (!strcmp(name, "name_to_handle"))
		return syscall(SYS_name_to_handle_at, AT_FDCWD, "/", handle, &mount_id, 0);
	if (!strcmp(name, "mbind"))
		return syscall(SYS_mbind, 0, 0, 0, 0, 0, 0);
	if (!strcmp(name, "vmsplice"))
		return syscall(SYS_vmsplice, STDOUT_FILENO, 0, 0, 0);
	if (!strcmp(name, "setxattr")) /* memory of a tmpfs that no limit counts */
		return syscall(SYS_setxattr, ".", "user.attack", buffer, 100, 0);
	broken(name);
}

int main(int argc, char **argv)
{
	long result;

	if (argc != 2)
		broken("usage: refused NAME");
	result = attack(argv[1]);
	if (result == 0 && !strcmp(argv[1], "clone3"))
		_exit(0);
	if (result >= 0 || (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP))
		escaped("%s: %ld %s", argv[1], result, result < 0 ? strerror(errno) : "");
	held();
}
