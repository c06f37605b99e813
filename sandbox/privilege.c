#include "sandbox/privilege.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "proto/err.h"
#include "proto/scope.h"

#define MASTER (1U << PRIVILEGE_MASTER)
#define KEEPER (1U << PRIVILEGE_KEEPER)

/* clang-format off */
static const struct { cap_value_t cap; unsigned who; } kept[] = {
	/* capability        kept by            what for */
	{ CAP_SETUID,       MASTER | KEEPER }, /* uid maps with ids that are not one's own */
	{ CAP_SETGID,       MASTER | KEEPER }, /* gid maps, the same */
	{ CAP_CHOWN,        MASTER | KEEPER }, /* pipes are the program's own, so that it may open /dev/stdout */
	{ CAP_SYS_ADMIN,    MASTER | KEEPER }, /* user namespaces where only root may have them; a v2 cgroup's device filter */
	{ CAP_SYS_NICE,     MASTER | KEEPER }, /* a keeper that watches a limit goes before those it watches */
	{ CAP_SETPCAP,      MASTER          }, /* keepers give up what they do not need */
	{ CAP_DAC_OVERRIDE, MASTER          }, /* sockets in a folder that is another user's, made and removed */
};
/* clang-format on */

static uint64_t network; /* CAP_NET_ADMIN, if it is needed */

void privilege_with_network(void)
{
	network = 1ULL << CAP_NET_ADMIN;
}

uint64_t privilege_mask(enum privilege who)
{
	uint64_t mask = network;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (kept[i].who & 1U << who)
			mask |= 1ULL << kept[i].cap;
	return mask;
}

static int drop_bounding(uint64_t mask, struct err *e)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (!(mask & 1ULL << cap) && cap_get_bound(cap) > 0 && cap_drop_bound(cap) < 0)
			return err_sys(e, "drop capability %d from the bounding set", cap);
	return 0;
}

/* Permitted and effective: what is there of the mask.  Inheritable and ambient: nothing. */
static int narrow(cap_t now, uint64_t mask, struct err *e)
{
	cap_t less = cap_init();
	cap_flag_value_t has;
	int rc = less ? 0 : -1;

	for (cap_value_t cap = 0; rc == 0 && cap < cap_max_bits(); cap++) {
		if (!(mask & 1ULL << cap) || cap_get_flag(now, cap, CAP_PERMITTED, &has) < 0 ||
		    has == CAP_CLEAR)
			continue;
		if (cap_set_flag(less, CAP_PERMITTED, 1, &cap, CAP_SET) < 0 ||
		    cap_set_flag(less, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
			rc = -1;
	}
	if (rc < 0 || cap_set_proc(less) < 0)
		rc = err_sys(e, "give up capabilities");
	if (less)
		(void)cap_free(less);
	return rc;
}

static int verify(uint64_t mask, struct err *e)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t has = CAP_SET;
	int rc = now ? 0 : err_sys(e, "capget");

	for (cap_value_t cap = 0; rc == 0 && cap < cap_max_bits(); cap++)
		if (!(mask & 1ULL << cap) && (cap_get_flag(now, cap, CAP_PERMITTED, &has) < 0 ||
					      has == CAP_SET || cap_get_bound(cap) > 0))
			rc = err_set(e, "capability %d is still there", cap);
	if (now)
		(void)cap_free(now);
	return rc;
}

int privilege_reduce(enum privilege who, struct err *e)
{
	uint64_t mask = privilege_mask(who);
	cap_t now = cap_get_proc();
	int rc;

	if (!now)
		return err_sys(e, "capget");
	rc = drop_bounding(mask, e); /* first: it takes CAP_SETPCAP, which goes next */
	if (rc == 0 && cap_reset_ambient() < 0)
		rc = err_sys(e, "clear ambient capabilities");
	if (rc == 0)
		rc = narrow(now, mask, e);
	(void)cap_free(now);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = err_sys(e, "no_new_privs");
	return rc < 0 ? rc : verify(mask, e);
}
