/* Each check of the doctor is asked on a machine that really lacks the thing: in a child from which it was taken away. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/scope.h"
#include "sandbox/doctor_checks.h"

static const struct doctor_check *const tables[] = {doctor_kernel_checks, doctor_system_checks,
						    doctor_timing_checks};

static struct doctor_finding look(const char *name)
{
	struct doctor_finding f = {.state = DOCTOR_OK};

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct doctor_check *c = tables[t]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				c->look(&f);
	return f;
}

/* What the check finds after take_away() in a process of its own; take_away returns 0 where that cannot be done. */
static struct doctor_finding look_without(int (*take_away)(void), const char *name)
{
	struct doctor_finding f = {.state = DOCTOR_OK};
	int ends[2];
	int status;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		if (!take_away())
			_exit(77);
		f = look(name);
		_exit(write(ends[1], &f, sizeof(f)) != (ssize_t)sizeof(f));
	}
	(void)close(ends[1]);
	ssize_t n = read(ends[0], &f, sizeof(f));

	(void)close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("needs root");
	cr_assert_eq(n, (ssize_t)sizeof(f), "%s: the child ended with %d", name, status);
	return f;
}

Test(doctor, every_finding_is_whole)
{
	size_t seen = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (const struct doctor_check *c = tables[t]; c->name; c++, seen++) {
			struct doctor_finding f = {.state = DOCTOR_OK};

			c->look(&f);
			cr_expect_neq(f.detail[0], '\0', "%s says nothing", c->name);
			if (f.state == DOCTOR_MISSING)
				cr_expect_neq(f.mend[0], '\0', "%s does not say how to mend: %s",
					      c->name, f.detail);
		}
	}
	cr_expect_gt(seen, 20);
}

static int few_files(void)
{
	struct rlimit rl = {100, 100};

	return setrlimit(RLIMIT_NOFILE, &rl) == 0;
}

Test(doctor, few_descriptors)
{
	struct doctor_finding f = look_without(few_files, "open files");

	cr_expect_eq(f.state, DOCTOR_WARNING);
	cr_expect(strstr(f.detail, "at most 100 a process"), "%s", f.detail);
	cr_expect(strstr(f.mend, "LimitNOFILE"), "%s", f.mend);
}

static int drop(cap_value_t c)
{
	cap_t own = cap_get_proc();
	int done = own && cap_set_flag(own, CAP_EFFECTIVE, 1, &c, CAP_CLEAR) == 0 &&
		   cap_set_flag(own, CAP_PERMITTED, 1, &c, CAP_CLEAR) == 0 &&
		   cap_set_proc(own) == 0;

	cap_free(own);
	return geteuid() == 0 && done;
}

static int no_setuid(void)
{
	return drop(CAP_SETUID);
}

static int no_sys_resource(void)
{
	return drop(CAP_SYS_RESOURCE);
}

Test(doctor, capabilities)
{
	struct doctor_finding f = look_without(no_setuid, "capabilities");

	cr_expect_eq(f.state, DOCTOR_MISSING);
	cr_expect(strstr(f.detail, "cap_setuid"), "%s", f.detail);
	f = look_without(no_sys_resource, "capabilities");
	cr_expect_eq(f.state, DOCTOR_WARNING, "cells work without it");
	cr_expect(strstr(f.detail, "cap_sys_resource"), "%s", f.detail);
	cr_expect_neq(f.mend[0], '\0');
}

/* A container's seccomp profile: this call answers so. */
static int answer_call(unsigned nr, unsigned num)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | num),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_LEN(filter), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static unsigned hidden_call;

static int hide_call(void)
{
	return answer_call(hidden_call, ENOSYS);
}

static int forbid_call(void)
{
	return answer_call(hidden_call, EPERM);
}

Test(doctor, missing_calls)
{
	static const struct {
		unsigned nr;
		const char *check;
	} calls[] = {
		{SYS_clone3, "clone3 set_tid"},     {SYS_openat2, "openat2"},
		{SYS_mount_setattr, "mount calls"}, {SYS_fsopen, "mount calls"},
		{SYS_open_tree, "mount calls"},     {SYS_close_range, "close_range"},
		{SYS_pidfd_open, "pidfd"},          {SYS_memfd_create, "execveat, memfd"},
		{SYS_execveat, "execveat, memfd"},  {SYS_seccomp, "seccomp"},
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		hidden_call = calls[i].nr;
		struct doctor_finding f = look_without(hide_call, calls[i].check);

		cr_expect_eq(f.state, DOCTOR_MISSING, "%s: %s", calls[i].check, f.detail);
		cr_expect_neq(f.mend[0], '\0', "%s", calls[i].check);
	}
	hidden_call = SYS_openat2;
	struct doctor_finding f = look_without(forbid_call, "openat2");

	cr_expect_eq(f.state, DOCTOR_MISSING);
	cr_expect(strstr(f.mend, "seccomp"), "%s", f.mend);
}

Test(doctor, weaker_without)
{
	hidden_call = SYS_landlock_create_ruleset;
	struct doctor_finding f = look_without(hide_call, "Landlock");

	cr_expect_eq(f.state, DOCTOR_WARNING, "%s", f.detail);
	cr_expect(strstr(f.mend, "lsm="), "%s", f.mend);
	hidden_call = SYS_sched_setscheduler;
	f = look_without(forbid_call, "priority");
	cr_expect_eq(f.state, DOCTOR_WARNING, "%s", f.detail);
	cr_expect(strstr(f.mend, "CAP_SYS_NICE"), "%s", f.mend);
	hidden_call = SYS_unshare;
	f = look_without(forbid_call, "unprivileged");
	cr_expect_eq(f.state, geteuid() == 0 ? DOCTOR_WARNING : DOCTOR_MISSING, "%s", f.detail);
	cr_expect_neq(f.mend[0], '\0');
}

/* As containers do. */
static int mask_proc(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("/dev/null", "/proc/timer_list", NULL, MS_BIND, NULL) == 0;
}

Test(doctor, masked_proc)
{
	struct doctor_finding f = look_without(mask_proc, "/proc");

	cr_expect_eq(f.state, DOCTOR_WARNING, "%s", f.detail);
	cr_expect(strstr(f.detail, "/proc/timer_list"), "%s", f.detail);
}

/* In a user namespace of one id none of those that cells use exists. */
static int one_id(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWUSER) == 0;
}

Test(doctor, ids_of_cells)
{
	struct doctor_finding f = look("ids of cells");

	if (geteuid() == 0)
		cr_expect_eq(f.state, DOCTOR_OK, "%s", f.detail);
	f = look_without(one_id, "ids of cells");
	cr_expect_eq(f.state, DOCTOR_WARNING, "%s", f.detail);
}

static int become_nobody(void)
{
	return geteuid() == 0 && setresgid(65534, 65534, 65534) == 0 &&
	       setresuid(65534, 65534, 65534) == 0;
}

Test(doctor, without_root)
{
	struct doctor_finding f = look_without(become_nobody, "capabilities");

	cr_expect_eq(f.state, DOCTOR_WARNING);
	cr_expect(strstr(f.detail, "65534"), "%s", f.detail);
	f = look_without(become_nobody, "delegation");
	cr_expect_eq(f.state, DOCTOR_MISSING, "%s", f.detail);
	cr_expect(strstr(f.mend, "Delegate=yes"), "%s", f.mend);
	f = look_without(become_nobody, "controllers");
	cr_expect_eq(f.state, DOCTOR_MISSING, "%s", f.detail);
}
