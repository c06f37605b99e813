#include "sandbox/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/policy_rules.h"

enum { X32_BIT = 0x40000000 };

/* What open_file() needs: where files are, and the policy that collects their text. */
struct loader {
	const char *dir;
	struct policy *policy;
};

/* All of a regular file of at most POLICY_MAX_FILE_BYTES, on the heap; NULL with *e set. */
static char *read_file(const char *path, size_t *len, struct err *e)
{
	struct stat st;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return (void)err_sys(e, "open %s", path), NULL;
	if (fstat(fd, &st) < 0)
		return (void)err_sys(e, "stat %s", path), NULL;
	if (!S_ISREG(st.st_mode))
		return (void)err_set(e, "%s: expected a regular file", path), NULL;
	AUTO_FREE char *buf = malloc(POLICY_MAX_FILE_BYTES + 1);
	if (!buf)
		return (void)err_sys(e, "read %s", path), NULL;
	*len = 0;
	while (*len <= POLICY_MAX_FILE_BYTES) {
		ssize_t n = read(fd, buf + *len, POLICY_MAX_FILE_BYTES + 1 - *len);

		if (n < 0 && errno != EINTR)
			return (void)err_sys(e, "read %s", path), NULL;
		if (n == 0)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	if (*len > POLICY_MAX_FILE_BYTES)
		return (void)err_set(e, "%s: expected at most %d bytes", path,
				     POLICY_MAX_FILE_BYTES),
		       NULL;
	return ptr_steal(&buf);
}

/* Adds a file to the text that identifies the policy. */
static int keep_text(struct policy *p, const char *name, const char *text, size_t len)
{
	size_t head = strlen(name) + 3;
	char *grown = realloc(p->text, p->text_len + head + len + 1);

	if (!grown)
		return -1;
	p->text = grown;
	(void)snprintf(grown + p->text_len, head + 1, "# %s\n", name);
	if (len > 0)
		memcpy(grown + p->text_len + head, text, len);
	p->text_len += head + len;
	return 0;
}

static int open_file(void *ctx, const char *name, char **text, size_t *len, struct err *e)
{
	const struct loader *l = ctx;
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s.policy", l->dir, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, "policy %s: the name of its folder is too long", name);
	AUTO_FREE char *read_text = read_file(path, len, e);
	if (!read_text)
		return -1;
	if (keep_text(l->policy, name, read_text, *len) < 0)
		return err_sys(e, "read %s", path);
	*text = ptr_steal(&read_text);
	return 0;
}

int policy_load(struct policy *p, const char *dir, const char *name, struct err *e)
{
	struct loader l = {.dir = dir, .policy = p};
	struct policy_source src = {.dir = dir, .open = open_file, .ctx = &l};

	memset(p, 0, sizeof(*p));
	if (!policy_name_ok(name))
		return err_set(e, "policy name '%.80s': expected 1 to %d characters of [a-z0-9_-]",
			       name, POLICY_NAME_BYTES - 1);
	AUTO_FREE struct policy_rules *rules = calloc(1, sizeof(*rules));
	if (!rules)
		return err_sys(e, "policy %s", name);
	if (policy_parse(rules, name, &src, e) < 0 || policy_compile(rules, &p->prog, e) < 0) {
		policy_release(p);
		return -1;
	}
	memcpy(p->name, name, strlen(name) + 1);
	return 0;
}

void policy_release(struct policy *p)
{
	free(p->prog.filter);
	free(p->text);
	memset(p, 0, sizeof(*p));
}

int policy_install(const struct policy *p, int *listener_fd, struct err *e)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &p->prog);

	if (fd < 0)
		return err_sys(e, "seccomp policy %s", p->name);
	*listener_fd = (int)fd;
	return 0;
}

/* What libseccomp calls the ABI of a call, and the prefix we show before its name. */
static uint32_t call_abi(const struct policy_call *call, const char **prefix)
{
	*prefix = "";
	if (call->arch == SCMP_ARCH_X86_64 && (uint32_t)call->nr >= X32_BIT) {
		*prefix = "x32:";
		return SCMP_ARCH_X32;
	}
	if (call->arch == seccomp_arch_native())
		return call->arch;
	*prefix = call->arch == SCMP_ARCH_X86   ? "i386:"
		  : call->arch == SCMP_ARCH_ARM ? "arm:"
						: "other ABI:";
	return call->arch;
}

static void name_call(struct policy_call *call)
{
	const char *prefix;
	uint32_t abi = call_abi(call, &prefix);
	uint32_t shown =
		(uint32_t)call->nr & (abi == SCMP_ARCH_X32 ? ~(uint32_t)X32_BIT : UINT32_MAX);
	AUTO_FREE char *name = seccomp_syscall_resolve_num_arch(abi, call->nr);

	const char *shown_name = name;

	if (!name && abi == seccomp_arch_native())
		shown_name = policy_call_young_name(call->nr);
	if (shown_name)
		(void)snprintf(call->name, sizeof(call->name), "%s%s", prefix, shown_name);
	else
		(void)snprintf(call->name, sizeof(call->name), "%ssyscall %u", prefix, shown);
}

int policy_read_forbidden(int listener_fd, struct policy_call *out, struct err *e)
{
	struct seccomp_notif n;

	memset(&n, 0, sizeof(n)); /* the kernel refuses anything else */
	if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0) {
		if (errno == ENOENT || errno == EINTR)
			return 1;
		return err_sys(e, "seccomp listener");
	}
	*out = (struct policy_call){.nr = n.data.nr, .arch = n.data.arch, .pid = (pid_t)n.pid};
	name_call(out);
	return 0;
}
