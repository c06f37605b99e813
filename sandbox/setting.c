#include "sandbox/setting.h"

#include <limits.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/network.h"
#include "sandbox/options.h"
#include "sandbox/root_from.h"
#include "sandbox/rules.h"

/* The rules are looked for beside the program, installed or in its build folder; never in the current folder. */
static int find_rules(const char *given, char *path, size_t size, struct err *e)
{
	static const char *const places[] = {"../share/gavel/rules", "../../rules",
					     "../../../rules"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (given) {
		snprintf(path, size, "%s", given);
		return 0;
	}
	if (n < 0)
		return err_sys(e, "readlink /proc/self/exe");
	exe[n] = '\0';
	const char *folder = exe;

	*strrchr(exe, '/') = '\0'; /* the link is an absolute path */

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int len = snprintf(path, size, "%s/%s", folder, places[i]);

		if (len < (int)size && access(path, F_OK) == 0)
			return 0;
	}
	return err_set(e, "no rules found beside the program in %.150s; name them with --rules",
		       folder);
}

static int list_policies(const struct rules *rules, const char *wanted, struct err *e)
{
	char names[160] = "";
	size_t len = 0;

	for (size_t i = 0; i < rules->npolicies && len < sizeof(names) - 1; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					rules->policies[i].name);
	return err_set(e, "--policy: '%.40s' is not one of: %s", wanted, names);
}

static int add_mounts(const struct options *o, struct root *root, struct err *e)
{
	for (size_t i = 0; i < o->mounts.n; i++) {
		const struct options_pair *m = &o->mounts.at[i];
		AUTO_FREE char *source = realpath(m->from, NULL);

		if (!source)
			return err_sys(e, "--mount: %s", m->from);
		if (root_add(root, m->writable ? ROOT_BIND_RW : ROOT_BIND, source, m->to, e) < 0)
			return err_wrap(e, "--mount");
	}
	return root_check(root, e) < 0 ? err_wrap(e, "--mount") : 0;
}

/* What --root and --mount say goes into the root that every cell starts with. */
static int adjust_root(const struct options *o, struct rules *rules, struct err *e)
{
	const struct root_cache_options cache = {.dir = o->root_cache};
	struct root *root = NULL;

	for (size_t i = 0; i < rules->nroots; i++)
		if (strcmp(rules->roots[i].name, "default") == 0)
			root = &rules->roots[i];
	if (!root)
		return err_set(e, "--rules: there is no root named 'default'");
	if (o->root) {
		root_drop_host(root);
		free(root->from);
		root->from = realpath(o->root, NULL);
		if (!root->from)
			return err_sys(e, "--root: %.150s", o->root);
	}
	/* Mounts first, so that places are made for them among the files of the root. */
	if (add_mounts(o, root, e) < 0)
		return -1;
	if (o->root)
		return root_use_from(root, &cache, e) < 0 ? err_wrap(e, "--root") : 0;
	return rules_use_from(rules, "default", &cache, e);
}

const char *setting_policy(const struct options *o)
{
	if (o->policy)
		return o->policy;
	return o->network && strcmp(o->network, "none") != 0 ? "network" : SETTING_POLICY;
}

/* Reading all rules takes longer than a run: those asked for will do, and if one cannot be had, all of them to say why. */
static int load(const struct options *o, const char *dir, struct rules *rules, struct err *e)
{
	size_t len = strlen(NETWORK_BRIDGE);
	struct rules_names names = {.root = "default", .policy = setting_policy(o)};
	struct err ignored = {0};

	if (o->network && strncmp(o->network, NETWORK_BRIDGE, len) == 0)
		names.network = o->network + len;
	if (rules_load_named(rules, dir, &names, &ignored) == 0)
		return 0;
	if (rules_load(rules, dir, e) < 0)
		return -1;
	return rules_policy(rules, names.policy) ? 0 : list_policies(rules, names.policy, e);
}

int setting_load(const struct options *o, struct rules *rules, struct err *e)
{
	char path[PATH_MAX];

	if (find_rules(o->rules, path, sizeof(path), e) < 0 || load(o, path, rules, e) < 0)
		return -1;
	return adjust_root(o, rules, e);
}
