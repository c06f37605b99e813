/*
 * policy_run.h - runs a function under a policy as a jail would: in a child,
 * the listener handed to the parent, which kills at the first forbidden call.
 */
#ifndef POLICY_RUN_H
#define POLICY_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/policy.h"

struct run_result {
	int exit_code;           /* of the function, or 128 + signal */
	struct policy_call call; /* name is empty if nothing was forbidden */
	char failure[300];       /* of the harness; empty if none */
};

typedef int run_fn(const void *arg);

union run_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static inline int run_send_fd(int sock, int fd)
{
	char byte = 0;
	union run_control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS}};
	struct msghdr msg = {.msg_iov = &(struct iovec){&byte, 1},
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

static inline int run_receive_fd(int sock)
{
	char byte;
	int fd = -1;
	union run_control control = {0};
	struct msghdr msg = {.msg_iov = &(struct iovec){&byte, 1},
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static _Noreturn inline void run_child(const struct policy *p, int sock, run_fn *fn,
				       const void *arg)
{
	struct err e = {0};
	int listener;

	if (setpgid(0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(99);
	if (policy_install(p, &listener, &e) < 0 || run_send_fd(sock, listener) < 0)
		_exit(98);
	close(listener);
	close(sock);
	_exit(fn(arg));
}

/* Waits for the end, or for a forbidden call. */
static inline void run_watch(int listener, int pidfd, struct run_result *out)
{
	struct pollfd watched[2] = {{.fd = listener, .events = POLLIN},
				    {.fd = pidfd, .events = POLLIN}};
	struct err e = {0};

	for (;;) {
		if (poll(watched, 2, 240 * 1000) <= 0) {
			snprintf(out->failure, sizeof(out->failure), "still running");
			return;
		}
		if (watched[0].revents & POLLIN) {
			int rc = policy_read_forbidden(listener, &out->call, &e);

			if (rc < 0)
				snprintf(out->failure, sizeof(out->failure), "%s", e.msg);
			if (rc <= 0)
				return;
		}
		if (watched[1].revents & POLLIN)
			return;
	}
}

static inline struct run_result policy_run(const struct policy *p, run_fn *fn, const void *arg)
{
	struct run_result out = {0};
	siginfo_t end = {0};
	int socks[2];

	fflush(NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return (struct run_result){.failure = "socketpair"};
	AUTO_CLOSE int ours = socks[0];
	AUTO_CLOSE int theirs = socks[1];
	pid_t pid = fork();
	if (pid == 0) {
		close(ours);
		run_child(p, theirs, fn, arg);
	}
	AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
	close(fd_steal(&theirs));
	AUTO_CLOSE int listener = run_receive_fd(ours);
	if (listener < 0)
		snprintf(out.failure, sizeof(out.failure), "no listener");
	else
		run_watch(listener, pidfd, &out);
	if (kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &end, WEXITED);
	out.exit_code = end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
	return out;
}

#endif
