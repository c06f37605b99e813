/*
 * policy.h - which system calls a jailed program may make.
 *
 * A policy is text (rules/seccomp/NAME.policy, format in rules/seccomp/README.md),
 * compiled once, when sandboxd starts, to a seccomp(2) filter that every run
 * installs.  Guarantees, whatever the text says:
 *
 *   - a call the text does not mention fails with ENOSYS;
 *   - a call of class "kill" never runs: it stops in the kernel until whoever
 *     holds the listener has read its number and killed the program;
 *   - so does every call made through another ABI (i386, x32, 32-bit arm),
 *     because numbers mean other calls there.
 *
 * The filter is our own output, not libseccomp's: libseccomp cannot say "this
 * errno when none of the conditions held" nor compare one argument twice, and
 * every run pays for installing the filter: 47 us for ours of `native` (239
 * instructions) where libseccomp's, without those errnos, took 75 (502).
 * libseccomp supplies the names.
 */
#ifndef POLICY_H
#define POLICY_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { POLICY_NAME_BYTES = 64 };

/* A compiled policy; immutable after policy_load(). */
struct policy {
	char name[POLICY_NAME_BYTES];
	struct sock_fprog prog; /* owned */
	char *text;             /* owned: every file read, in order, each under a "# NAME" line */
	size_t text_len;
};

/* A forbidden call, as the kernel reported it. */
struct policy_call {
	int nr;        /* the number as passed, x32 bit included */
	uint32_t arch; /* AUDIT_ARCH_* of linux/audit.h */
	pid_t pid;     /* the calling thread, in the reader's pid namespace */
	char name[64]; /* "ptrace", "i386:open", "x32:read", "syscall 999" */
};

/*
 * Reads DIR/NAME.policy and the files it includes, and compiles them into *p,
 * which the caller releases.  NAME is of [a-z0-9_-].  Fails with file, line and
 * what was expected; *p is then empty.  Allocates.
 */
int policy_load(struct policy *p, const char *dir, const char *name, struct err *e);

/* Frees what policy_load() allocated; harmless on a zeroed or released policy. */
void policy_release(struct policy *p);

/*
 * Installs the filter on the calling thread and stores the listener, a
 * close-on-exec descriptor the caller owns, in *listener_fd.  Needs
 * no_new_privs.  For the jailed child: one system call, no heap.  What the
 * child does from here on must be allowed by its own policy.  seccomp(2).
 */
int policy_install(const struct policy *p, int *listener_fd, struct err *e);

/*
 * Reads one forbidden call from a listener that poll(2) reported readable.
 * Returns 0 with *out filled, or 1 when the call was withdrawn meanwhile (its
 * thread died or took a signal; the call was not made): poll again.  Never answers: the calling thread
 * stays stopped until the caller of this function kills it.  POLLHUP without
 * POLLIN means that no process uses the filter any more.  seccomp_unotify(2).
 */
int policy_read_forbidden(int listener_fd, struct policy_call *out, struct err *e);

#endif
