#include "sandbox/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"
#include "sandbox/digest.h"
#include "sandbox/root_from.h"

typedef int load_fn(struct rules *r, const char *dir, const char *name, struct err *e);

static int load_root(struct rules *r, const char *dir, const char *name, struct err *e)
{
	if (r->nroots == RULES_MAX)
		return err_set(e, "%s: more than %d roots", dir, RULES_MAX);
	if (root_load(&r->roots[r->nroots], dir, name, e) < 0)
		return -1;
	r->nroots++;
	return 0;
}

static int load_policy(struct rules *r, const char *dir, const char *name, struct err *e)
{
	if (r->npolicies == RULES_MAX)
		return err_set(e, "%s: more than %d policies", dir, RULES_MAX);
	if (policy_load(&r->policies[r->npolicies], dir, name, e) < 0)
		return -1;
	r->npolicies++;
	return 0;
}

static int load_network(struct rules *r, const char *dir, const char *name, struct err *e)
{
	if (r->nnetworks == RULES_MAX)
		return err_set(e, "%s: more than %d networks", dir, RULES_MAX);
	if (network_rule_load(&r->networks[r->nnetworks], dir, name, e) < 0)
		return -1;
	r->nnetworks++;
	return 0;
}

/* In the order of names, so that the hash does not depend on the file system. */
static int load_folder(struct rules *r, const char *dir, const char *ending, load_fn *load,
		       struct err *e)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);
	int status = 0;

	if (n < 0)
		return err_sys(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		char *name = entries[i]->d_name;
		size_t len = strlen(name);

		if (status == 0 && name[0] != '.' && len > strlen(ending) &&
		    strcmp(name + len - strlen(ending), ending) == 0) {
			name[len - strlen(ending)] = '\0';
			status = load(r, dir, name, e);
		}
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* Name and length first, so that no two sets of rules run into the same bytes. */
static int hash_text(struct digest *d, const char *name, const char *text, size_t len,
		     struct err *e)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "%s %zu\n", name, len);

	return digest_add(d, head, (size_t)n, e) < 0 ? -1 : digest_add(d, text, len, e);
}

static int hash_root(struct digest *d, const struct root *r, struct err *e)
{
	if (hash_text(d, r->name, r->text, strlen(r->text), e) < 0)
		return -1;
	return r->digest ? digest_add(d, r->digest, strlen(r->digest), e) : 0;
}

static int hash_rules(struct rules *r, struct err *e)
{
	struct digest d;
	int status = 0;

	if (digest_open(&d, e) < 0)
		return -1;
	for (size_t i = 0; i < r->nroots && status == 0; i++)
		status = hash_root(&d, &r->roots[i], e);
	for (size_t i = 0; i < r->npolicies && status == 0; i++)
		status = hash_text(&d, r->policies[i].name, r->policies[i].text,
				   r->policies[i].text_len, e);
	for (size_t i = 0; i < r->nnetworks && status == 0; i++)
		status = hash_text(&d, r->networks[i].name, r->networks[i].text,
				   strlen(r->networks[i].text), e);
	if (status == 0)
		return digest_close(&d, r->hash, e);
	digest_drop(&d);
	return -1;
}

struct hashed {
	int status;
	char hash[DIGEST_HEX];
	struct err err;
};

/*
 * In a child: the library that hashes would stay in the memory that every cell is cloned from, and be copied for every run: it has
 * more of it than all the rest.
 */
static int hash_apart(struct rules *r, struct err *e)
{
	struct hashed h = {0};
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid = fork();
	if (pid == 0) {
		h.status = hash_rules(r, &h.err);
		memcpy(h.hash, r->hash, sizeof(h.hash));
		_exit(io_write_all(ends[1], &h, sizeof(h), e) < 0);
	}
	(void)close(ends[1]);
	if (pid < 0)
		err_sys(e, "fork");
	else if (io_read_full(ends[0], &h, sizeof(h), e) != (ssize_t)sizeof(h))
		err_set(e, "hash the rules: the process for it died");
	else if (h.status < 0)
		*e = h.err;
	else
		memcpy(r->hash, h.hash, sizeof(h.hash));
	(void)close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r->hash[0] ? 0 : -1;
}

static int load_named(struct rules *r, const char *dir, const struct rules_names *names,
		      struct err *e)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/roots", dir);
	if (load_root(r, path, names->root, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/seccomp", dir);
	if (load_policy(r, path, names->policy, e) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/networks", dir);
	return names->network ? load_network(r, path, names->network, e) : 0;
}

int rules_load_named(struct rules *r, const char *dir, const struct rules_names *names,
		     struct err *e)
{
	*r = (struct rules){0};
	if (load_named(r, dir, names, e) == 0)
		return 0;
	rules_release(r);
	return -1;
}

int rules_load(struct rules *r, const char *dir, struct err *e)
{
	char path[4096];

	*r = (struct rules){0};
	snprintf(path, sizeof(path), "%s/roots", dir);
	if (load_folder(r, path, ".yaml", load_root, e) < 0)
		goto fail;
	snprintf(path, sizeof(path), "%s/seccomp", dir);
	if (load_folder(r, path, ".policy", load_policy, e) < 0)
		goto fail;
	snprintf(path, sizeof(path), "%s/networks", dir);
	if (load_folder(r, path, ".yaml", load_network, e) < 0 && e->num != ENOENT)
		goto fail;
	if (r->nroots == 0 || r->npolicies == 0) {
		err_set(e, "%s: no %s", dir, r->nroots ? "seccomp/*.policy" : "roots/*.yaml");
		goto fail;
	}
	if (hash_apart(r, e) < 0)
		goto fail;
	return 0;
fail:
	rules_release(r);
	return -1;
}

void rules_release(struct rules *r)
{
	for (size_t i = 0; i < r->nroots; i++)
		root_release(&r->roots[i]);
	for (size_t i = 0; i < r->npolicies; i++)
		policy_release(&r->policies[i]);
	for (size_t i = 0; i < r->nnetworks; i++)
		network_rule_release(&r->networks[i]);
	r->nroots = r->npolicies = r->nnetworks = 0;
}

int rules_use_from(struct rules *r, const char *name, const struct root_cache_options *cache,
		   struct err *e)
{
	for (size_t i = 0; i < r->nroots; i++) {
		if (name && strcmp(name, r->roots[i].name) != 0)
			continue;
		if (root_use_from(&r->roots[i], cache, e) < 0)
			return err_wrap(e, "root %s: from", r->roots[i].name);
	}
	if (!r->hash[0])
		return 0;
	r->hash[0] = '\0';
	return hash_apart(r, e);
}

const struct root *rules_root(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->nroots; i++)
		if (strcmp(r->roots[i].name, name) == 0)
			return &r->roots[i];
	return NULL;
}

const struct policy *rules_policy(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->npolicies; i++)
		if (strcmp(r->policies[i].name, name) == 0)
			return &r->policies[i];
	return NULL;
}

const struct network_rule *rules_network(const struct rules *r, const char *name)
{
	for (size_t i = 0; i < r->nnetworks; i++)
		if (strcmp(r->networks[i].name, name) == 0)
			return &r->networks[i];
	return NULL;
}
