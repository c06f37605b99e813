#include "judge/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "judge/config.h"
#include "judge/confine_calls.h"
#include "proto/err.h"
#include "proto/landlock.h"
#include "proto/log.h"
#include "proto/scope.h"

/* capabilities(7): an unprivileged user may have been given some; as root, they go too. */
static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		return err_sys(e, "drop capabilities");
	return 0;
}

static int drop_privileges(struct err *e)
{
	(void)umask(077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks traces the process */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "make the process undumpable");
#endif
	return drop_capabilities(e);
}

/* What the C library, gRPC and OpenSSL read by themselves: names, time zones, the number of CPUs, libraries loaded late. */
static const char *const system_files[] = {
	"/usr/lib",
	"/usr/lib64",
	"/usr/share/zoneinfo",
	"/usr/share/grpc",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/resolv.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/ssl",
	"/sys/devices/system/cpu",
	"/proc/self",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/net/core/somaxconn",
	"/proc/meminfo",
	"/proc/cpuinfo",
	"/dev/null",
	"/dev/urandom",
};

/* What is not there is nobody's to reach; whoever needs it says so better than we could. */
static int grant(int rules, const char *path, uint64_t what, struct err *e)
{
	if (!path || landlock_grant(rules, path, what, e) == 0)
		return 0;
	return e->num == ENOENT || e->num == EACCES || e->num == ENOTDIR ? 0 : -1;
}

/* "sqlite:DIR": made here, or there would be nothing to grant. */
static int grant_state(int rules, const char *url, struct err *e)
{
	static const char scheme[] = "sqlite:";

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return 0;
	url += strlen(scheme);
	if (*url)
		(void)mkdir(url, 0700);
	return grant(rules, url, LANDLOCK_KEEP, e);
}

/* A unix socket is made in its folder, and the one of an earlier judged removed. */
static int grant_socket(int rules, const char *listen, struct err *e)
{
	static const char scheme[] = "unix:";
	char dir[4096];
	char *slash;

	if (strncmp(listen, scheme, strlen(scheme)) != 0)
		return 0;
	snprintf(dir, sizeof(dir), "%s", listen + strlen(scheme));
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	return grant(rules, slash ? dir : ".",
		     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE, e);
}

static int grant_all(int rules, const struct config *c, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(system_files); i++)
		if (grant(rules, system_files[i], LANDLOCK_READ, e) < 0)
			return -1;
	for (char **dir = c->problems; *dir; dir++)
		if (grant(rules, *dir, LANDLOCK_READ, e) < 0)
			return -1;
	if (grant(rules, c->rules, LANDLOCK_READ, e) < 0 ||
	    grant(rules, c->tls_cert, LANDLOCK_READ, e) < 0 ||
	    grant(rules, c->tls_key, LANDLOCK_READ, e) < 0 || grant_state(rules, c->state, e) < 0)
		return -1;
	return grant_socket(rules, c->listen, e);
}

static int confine_files(const struct config *c, struct err *e)
{
	AUTO_CLOSE int rules = landlock_new(1, e);

	return rules < 0 || grant_all(rules, c, e) < 0 ? -1 : landlock_enter(rules, e);
}

static int have_seccomp(void)
{
	/* EFAULT: the kernel would have looked at a filter. */
	return prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, NULL, 0, 0) < 0 &&
	       errno == EFAULT;
}

/* The sanitizers start processes, trace and map as no filter of ours would let them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* What the configuration and the kernel let be in force. */
struct layers {
	int landlock; /* its version, 0: not */
	int seccomp;
};

static struct layers choose(const struct config *c)
{
	if (SANITIZED || strcmp(c->confine, "off") == 0)
		return (struct layers){0, 0};
	return (struct layers){landlock_abi(), have_seccomp()};
}

static int check_required(const struct layers *l, struct err *e)
{
	if (SANITIZED)
		return err_set(e, "required, but this is a build for tests, with a sanitizer");
	if (!l->landlock)
		return err_set(e,
			       "required, but this kernel has no Landlock of version 2: use 5.19 "
			       "or later with CONFIG_SECURITY_LANDLOCK, or say 'confine: auto'");
	if (!l->seccomp)
		return err_set(e, "required, but this kernel has no seccomp filters: use one with "
				  "CONFIG_SECCOMP_FILTER, or say 'confine: auto'");
	return 0;
}

int confine(const struct config *c, struct err *e)
{
	struct layers l = choose(c);

	if ((strcmp(c->confine, "required") == 0 && check_required(&l, e) < 0) ||
	    drop_privileges(e) < 0 || (l.landlock && confine_files(c, e) < 0) ||
	    (l.seccomp && confine_calls(e) < 0))
		return err_wrap(e, "confine");
	log_event(l.landlock && l.seccomp ? LOG_INFO : LOG_WARN, "confined",
		  "no_new_privs=1 capabilities=0 landlock=%d seccomp=%d", l.landlock, l.seccomp);
	return 0;
}
