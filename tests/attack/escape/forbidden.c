/* attack: expect=forbidden_syscall:{} each=ptrace,process_vm_readv,process_vm_writev,pidfd_getfd,unshare,setns,mount,umount2,pivot_root,open_tree,move_mount,fsopen,fsmount,mount_setattr,open_by_handle_at,bpf,init_module,finit_module,delete_module,kexec_load,iopl,ioperm,reboot,swapon,swapoff,sethostname,setdomainname,settimeofday,clock_settime,acct,quotactl,clone layer=seccomp why=system call policy */
#include "attack.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/*
 * One call that no honest program makes, with arguments that would do something, or get past the first
 * checks, in the hands of a process with the privilege for it, and yet harm no host.
 */
static long attack(const char *name)
{
	static char byte;
	static struct iovec iov = {&byte, 1};
	static unsigned int attr[32] = {1, 4, 4, 1};
	static struct {
		unsigned bytes;
		int type;
		char handle[128];
	} handle = {8, 1, {2}};
	pid_t parent = getppid();
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (!strcmp(name, "ptrace"))
		return ptrace(PTRACE_SEIZE, parent, 0, 0);
	if (!strcmp(name, "process_vm_readv"))
		return process_vm_readv(getpid(), &iov, 1, &iov, 1, 0);
	if (!strcmp(name, "process_vm_writev"))
		return process_vm_writev(getpid(), &iov, 1, &iov, 1, 0);
	if (!strcmp(name, "pidfd_getfd"))
		return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), 0, 0);
	if (!strcmp(name, "unshare"))
		return unshare(CLONE_NEWUSER);
	if (!strcmp(name, "setns"))
		return setns(fd, 0);
	if (!strcmp(name, "mount"))
		return mount("none", "/tmp", "tmpfs", 0, "size=4k");
	if (!strcmp(name, "umount2"))
		return umount2("/nowhere", MNT_DETACH);
	if (!strcmp(name, "pivot_root"))
		return syscall(SYS_pivot_root, ".", ".");
	if (!strcmp(name, "open_tree"))
		return syscall(SYS_open_tree, AT_FDCWD, "/", 1);
	if (!strcmp(name, "move_mount"))
		return syscall(SYS_move_mount, -1, "", -1, "", 4);
	if (!strcmp(name, "fsopen"))
		return syscall(SYS_fsopen, "tmpfs", 0);
	if (!strcmp(name, "fsmount"))
		return syscall(SYS_fsmount, -1, 0, 0);
	if (!strcmp(name, "mount_setattr"))
		return syscall(SYS_mount_setattr, -1, "", AT_EMPTY_PATH, attr, 32);
	if (!strcmp(name, "open_by_handle_at"))
		return syscall(SYS_open_by_handle_at, open(".", O_RDONLY), &handle, O_RDONLY);
	if (!strcmp(name, "bpf"))
		return syscall(SYS_bpf, 0, attr, 16);
	if (!strcmp(name, "init_module"))
		return syscall(SYS_init_module, &byte, 1L, "");
	if (!strcmp(name, "finit_module"))
		return syscall(SYS_finit_module, fd, "", 0);
	if (!strcmp(name, "delete_module"))
		return syscall(SYS_delete_module, "no_such_module", O_NONBLOCK);
	if (!strcmp(name, "kexec_load"))
		return syscall(SYS_kexec_load, 0L, 99L, &byte, 0L);
	if (!strcmp(name, "iopl"))
		return syscall(SYS_iopl, 3);
	if (!strcmp(name, "ioperm"))
		return syscall(SYS_ioperm, 0x80L, 1L, 1);
	if (!strcmp(name, "reboot")) /* with a wrong second magic number */
		return syscall(SYS_reboot, 0xfee1dead, 1, 0, 0);
	if (!strcmp(name, "swapon"))
		return syscall(SYS_swapon, "/nowhere", 0);
	if (!strcmp(name, "swapoff"))
		return syscall(SYS_swapoff, "/nowhere");
	if (!strcmp(name, "sethostname"))
		return syscall(SYS_sethostname, "attacked", -1L);
	if (!strcmp(name, "setdomainname"))
		return syscall(SYS_setdomainname, "attacked", -1L);
	if (!strcmp(name, "settimeofday"))
		return syscall(SYS_settimeofday, 0L, 0L);
	if (!strcmp(name, "clock_settime"))
		return syscall(SYS_clock_settime, 99, 0L);
	if (!strcmp(name, "acct"))
		return syscall(SYS_acct, "/nowhere");
	if (!strcmp(name, "quotactl"))
		return syscall(SYS_quotactl, 0x800001, "", 0, 0L);
	if (!strcmp(name, "clone"))
		return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0L, 0L, 0L, 0L);
	broken(name);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		broken("usage: forbidden SYSCALL");
	attack(argv[1]);
	escaped("%s came back", argv[1]);
}
