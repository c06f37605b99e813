#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "proto/scope.h"
#include "sandbox/policy_rules.h"

/* Younger than the oldest headers we build with. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

struct symbol {
	const char *name;
	uint64_t value;
};

/* clang-format off */
#define SYM(name) { #name, (uint64_t)(name) }
static const struct symbol symbols[] = {
	SYM(AF_UNIX), SYM(AF_INET), SYM(AF_INET6), SYM(AF_NETLINK), SYM(SOL_SOCKET),
	SYM(SOCK_STREAM), SYM(SOCK_DGRAM), SYM(SOCK_SEQPACKET),

	SYM(CLONE_VM), SYM(CLONE_THREAD), SYM(CLONE_PARENT), SYM(CLONE_PTRACE), SYM(CLONE_PIDFD),
	SYM(CLONE_NEWNS), SYM(CLONE_NEWCGROUP), SYM(CLONE_NEWUTS), SYM(CLONE_NEWIPC),
	SYM(CLONE_NEWUSER), SYM(CLONE_NEWPID), SYM(CLONE_NEWNET), SYM(CLONE_NEWTIME),

	SYM(PROT_READ), SYM(PROT_WRITE), SYM(PROT_EXEC), SYM(MAP_SHARED), SYM(MAP_PRIVATE),
	SYM(MAP_ANONYMOUS), SYM(MAP_HUGETLB), SYM(MFD_HUGETLB), SYM(MADV_MERGEABLE),
	SYM(POSIX_FADV_DONTNEED), SYM(SO_ATTACH_FILTER),
	SYM(SO_ATTACH_REUSEPORT_CBPF),

	SYM(F_GETLK), SYM(F_SETLK), SYM(F_SETLKW), SYM(F_OFD_GETLK),
	SYM(F_OFD_SETLK), SYM(F_OFD_SETLKW), SYM(F_SETLEASE), SYM(F_NOTIFY),

	SYM(S_IFMT), SYM(S_IFREG), SYM(S_IFIFO), SYM(PRIO_PROCESS), { "SCHED_OTHER", SCHED_NORMAL }, SYM(RLIMIT_CORE), SYM(ADDR_NO_RANDOMIZE),

	SYM(TCGETS), SYM(TIOCGWINSZ), SYM(TIOCGPGRP), SYM(TIOCSTI), SYM(TIOCLINUX), SYM(TIOCSETD),
	SYM(FIONREAD), SYM(FIONBIO), SYM(FIOASYNC), SYM(FIOCLEX), SYM(FIONCLEX), SYM(FICLONE),
	SYM(FS_IOC_GETFLAGS), { "SIOCGIFCONF", 0x8912 }, { "SIOCGIFFLAGS", 0x8913 },
	{ "SIOCGIFINDEX", 0x8933 }, { "SIOCGIFNAME", 0x8910 }, { "SIOCGIFMTU", 0x8921 },

	SYM(PR_SET_NAME), SYM(PR_GET_NAME), SYM(PR_SET_PDEATHSIG), SYM(PR_GET_PDEATHSIG),
	SYM(PR_SET_DUMPABLE), SYM(PR_GET_DUMPABLE), SYM(PR_SET_NO_NEW_PRIVS),
	SYM(PR_GET_NO_NEW_PRIVS), SYM(PR_GET_SECCOMP), SYM(PR_GET_KEEPCAPS), SYM(PR_CAPBSET_READ),
	SYM(PR_GET_SECUREBITS), SYM(PR_SET_TIMERSLACK), SYM(PR_GET_TIMERSLACK),
	SYM(PR_SET_THP_DISABLE), SYM(PR_GET_THP_DISABLE), SYM(PR_GET_SPECULATION_CTRL),
	SYM(PR_SET_VMA), SYM(PR_GET_TID_ADDRESS), SYM(PR_SVE_SET_VL), SYM(PR_SVE_GET_VL),
	SYM(PR_PAC_RESET_KEYS), SYM(PR_SET_TAGGED_ADDR_CTRL), SYM(PR_GET_TAGGED_ADDR_CTRL),

	/* arch_prctl(2): of x86, but a policy is the same text everywhere */
	{ "ARCH_SET_GS", 0x1001 }, { "ARCH_SET_FS", 0x1002 }, { "ARCH_GET_FS", 0x1003 },
	{ "ARCH_GET_GS", 0x1004 }, { "ARCH_GET_XCOMP_SUPP", 0x1021 },
	{ "ARCH_GET_XCOMP_PERM", 0x1022 }, { "ARCH_REQ_XCOMP_PERM", 0x1023 },
};
/* clang-format on */

bool policy_symbol(const char *name, size_t len, uint64_t *value)
{
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		if (strlen(symbols[i].name) != len || memcmp(symbols[i].name, name, len) != 0)
			continue;
		*value = symbols[i].value;
		return true;
	}
	return false;
}
