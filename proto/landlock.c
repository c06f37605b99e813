#include "proto/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

/* struct landlock_ruleset_attr of ABI 6; older kernels take the front of it. */
struct ruleset {
	uint64_t fs, net, scoped;
};

enum {
	ABI_REFER = 2, /* before it no file could be moved between folders */
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_SCOPED = 6,
};

enum {
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_SOCKET = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
};

#define FS_TRUNCATE (1ULL << 14)

/* What can be granted on a file that is no folder. */
#define ON_FILE (LANDLOCK_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_CHANGE)

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < ABI_REFER ? 0 : (int)abi;
}

static uint64_t known_fs(int abi)
{
	uint64_t all = LANDLOCK_KEEP | LANDLOCK_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		       LANDLOCK_ACCESS_FS_MAKE_BLOCK;

	return abi < ABI_TRUNCATE ? all & ~FS_TRUNCATE : all;
}

int landlock_new(int no_connect, struct err *e)
{
	int abi = landlock_abi();
	struct ruleset set = {.fs = known_fs(abi)};
	size_t size = sizeof(set.fs);
	int rules;

	if (abi >= ABI_NET) {
		set.net = no_connect ? NET_CONNECT_TCP : 0;
		size += sizeof(set.net);
	}
	if (abi >= ABI_SCOPED) {
		set.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
		size += sizeof(set.scoped);
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0); /* close-on-exec */
	return rules < 0 ? err_sys(e, "landlock ruleset") : rules;
}

int landlock_grant(int rules, const char *path, uint64_t what, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	rule.allowed_access = what & known_fs(landlock_abi());
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ON_FILE;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, "landlock rule for %s", path);
	return 0;
}

int landlock_enter(int rules, struct err *e)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? err_sys(e, "landlock") : 0;
}
