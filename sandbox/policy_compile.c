#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "sandbox/policy_rules.h"

/*
 * The filter: refuse other ABIs, then a balanced binary search over ranges of
 * numbers with the same answer, then the conditions of the call, if any.
 *
 * It is written from its end to its beginning.  Filters only jump forward, so
 * every target exists, at a known distance, when the jump to it is written.
 */

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "low word of an argument comes first");

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_* is this?"
#endif

enum {
	REACH = 240,          /* a jump spans 255; leaves room for what reach() itself adds */
	X32_BIT = 0x40000000, /* marks an x32 call, which has the architecture of x86-64 */
};

/* Numbers from `first` on, up to the next range's, have this answer. */
struct range {
	uint32_t first;
	uint32_t action;                /* if rule is NULL */
	const struct policy_rule *rule; /* first of the call's rules, if one has a condition */
	size_t pos;                     /* where its code starts */
};

struct emitter {
	struct sock_filter code[BPF_MAXINSNS];
	size_t at; /* first instruction in use; the program ends at BPF_MAXINSNS */
	bool full;
	struct range ranges[2 * POLICY_MAX_RULES + 2];
	size_t nranges;
};

uint32_t policy_default_action(void)
{
	return SECCOMP_RET_ERRNO | ENOSYS;
}

static size_t put(struct emitter *em, unsigned int code, uint32_t k)
{
	if (em->at == 0) {
		em->full = true;
		return 0;
	}
	em->code[--em->at] = (struct sock_filter){.code = (uint16_t)code, .k = k};
	return em->at;
}

/* The position of a return of `action`, near enough to jump to. */
static size_t put_return(struct emitter *em, uint32_t action)
{
	for (size_t i = em->at; i < BPF_MAXINSNS && i - em->at < REACH; i++)
		if (em->code[i].code == (BPF_RET | BPF_K) && em->code[i].k == action)
			return i;
	return put(em, BPF_RET | BPF_K, action);
}

/* A position near enough to jump to that does what `target` does. */
static size_t reach(struct emitter *em, size_t target)
{
	if (target - em->at < REACH)
		return target;
	if (em->code[target].code == (BPF_RET | BPF_K))
		return put_return(em, em->code[target].k);
	return put(em, BPF_JMP | BPF_JA, (uint32_t)(target - em->at));
}

static size_t put_jump(struct emitter *em, unsigned int op, uint32_t k, const size_t to[2])
{
	size_t yes = reach(em, to[0]);
	size_t no = reach(em, to[1]);
	size_t end = em->at;
	size_t pos = put(em, BPF_JMP | op | BPF_K, k);

	if (!em->full) {
		em->code[pos].jt = (uint8_t)(yes - end);
		em->code[pos].jf = (uint8_t)(no - end);
	}
	return pos;
}

static size_t put_load(struct emitter *em, size_t offset)
{
	return put(em, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static size_t arg_offset(const struct policy_cond *c)
{
	return offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t);
}

/* Tests one 32-bit half of an argument. */
static size_t put_half(struct emitter *em, size_t offset, uint32_t mask, uint32_t value,
		       const size_t to[2])
{
	put_jump(em, BPF_JEQ, value, to);
	if (mask != UINT32_MAX)
		put(em, BPF_ALU | BPF_AND | BPF_K, mask);
	return put_load(em, offset);
}

static size_t put_cond(struct emitter *em, const struct policy_cond *c, size_t yes, size_t no)
{
	size_t offset = arg_offset(c);
	size_t to[2] = {c->equal ? yes : no, c->equal ? no : yes};
	uint32_t mask[2] = {(uint32_t)c->mask, (uint32_t)(c->mask >> 32)};

	if (mask[0])
		to[0] = put_half(em, offset, mask[0], (uint32_t)c->value, to);
	if (mask[1])
		to[0] = put_half(em, offset + sizeof(uint32_t), mask[1], (uint32_t)(c->value >> 32),
				 to);
	return to[0];
}

/*
 * If `next` starts by loading the very word that `rule`, before it, compares
 * whole, the word is there already: drops that load.  Long lists of values of
 * one argument (ioctl, prctl) get a third shorter.
 */
static size_t share_load(struct emitter *em, const struct policy_rule *rule, size_t next)
{
	const struct policy_cond *c = &rule->conds[0];
	const struct sock_filter *load = &em->code[next];

	if (rule->nconds != 1 || c->mask != UINT32_MAX || next != em->at ||
	    load->code != (BPF_LD | BPF_W | BPF_ABS) || load->k != arg_offset(c))
		return next;
	return ++em->at;
}

/* The conditions of one call; its rules stand from `rule` to `end`, the fallback last. */
static size_t put_call(struct emitter *em, const struct policy_rule *rule,
		       const struct policy_rule *end)
{
	const struct policy_rule *r = end;
	size_t next = put_return(em, r[-1].nconds ? policy_default_action() : r[-1].action);

	while (r-- > rule) {
		if (r->nconds == 0)
			continue;
		next = share_load(em, r, next);
		size_t entry = put_return(em, r->action);
		for (unsigned int i = r->nconds; i-- > 0;)
			entry = put_cond(em, &r->conds[i], entry, next);
		next = entry;
	}
	return next;
}

static void add_range(struct emitter *em, struct range add)
{
	const struct range *last = em->nranges ? &em->ranges[em->nranges - 1] : NULL;

	if (last && !last->rule && !add.rule && last->action == add.action)
		return;
	em->ranges[em->nranges++] = add;
}

/* One past the last rule of the call that starts at `i`. */
static size_t call_end(const struct policy_rules *r, size_t i)
{
	size_t end = i + 1;

	while (end < r->nrules && r->rules[end].nr == r->rules[i].nr)
		end++;
	return end;
}

static void find_ranges(struct emitter *em, const struct policy_rules *r)
{
	uint32_t next = 0;

	for (size_t i = 0, end; i < r->nrules; i = end) {
		const struct policy_rule *rule = &r->rules[i];
		uint32_t nr = (uint32_t)rule->nr;

		end = call_end(r, i);
		if (nr > next)
			add_range(em, (struct range){next, policy_default_action(), NULL, 0});
		add_range(em, (struct range){nr, rule->action, rule->nconds ? rule : NULL, 0});
		next = nr + 1;
	}
	add_range(em, (struct range){next, policy_default_action(), NULL, 0});
}

/* The binary search: joins neighbours in pairs until one node is left, the root. */
static size_t put_search(struct emitter *em)
{
	struct range *r = em->ranges;
	size_t n = em->nranges;

	while (n > 1) {
		for (size_t i = 0; i < n / 2; i++) {
			size_t to[2] = {r[2 * i + 1].pos, r[2 * i].pos};

			r[i].pos = put_jump(em, BPF_JGE, r[2 * i + 1].first, to);
			r[i].first = r[2 * i].first;
		}
		if (n % 2)
			r[n / 2] = r[n - 1];
		n = n / 2 + n % 2;
	}
	return r[0].pos;
}

#if defined(__x86_64__)
/* x32 calls share the architecture; -1 is no call but what a tracer leaves for a skipped one. */
static void put_x32(struct emitter *em, size_t search, size_t kill)
{
	size_t none = put_return(em, policy_default_action());
	size_t x32 = put_jump(em, BPF_JEQ, UINT32_MAX, (size_t[]){none, kill});

	put_jump(em, BPF_JGE, X32_BIT, (size_t[]){x32, search});
}
#else
/* No second ABI hides under this architecture. */
static void put_x32(struct emitter *em, size_t search, size_t kill)
{
	(void)kill;
	put(em, BPF_JMP | BPF_JA, (uint32_t)(search - em->at));
}
#endif

/* Where the filter starts: calls of other ABIs go no further. */
static void put_start(struct emitter *em, size_t search)
{
	size_t kill = put_return(em, SECCOMP_RET_USER_NOTIF);

	put_x32(em, search, kill);
	size_t native = put_load(em, offsetof(struct seccomp_data, nr));
	put_jump(em, BPF_JEQ, NATIVE_ARCH, (size_t[]){native, kill});
	put_load(em, offsetof(struct seccomp_data, arch));
}

/* By number; within a call conditions first, then in the order read. */
static int by_call(const void *pa, const void *pb)
{
	const struct policy_rule *a = pa, *b = pb;

	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	if (!a->nconds != !b->nconds)
		return a->nconds ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void put_program(struct emitter *em, const struct policy_rules *r)
{
	find_ranges(em, r);
	for (size_t i = 0; i < em->nranges; i++) {
		struct range *range = &em->ranges[i];

		if (range->rule) {
			size_t end = call_end(r, (size_t)(range->rule - r->rules));

			range->pos = put_call(em, range->rule, &r->rules[end]);
		} else {
			range->pos = put_return(em, range->action);
		}
	}
	put_start(em, put_search(em));
}

/* Hands out the finished program. */
static int take_program(const struct emitter *em, struct sock_fprog *out, struct err *e)
{
	size_t n = BPF_MAXINSNS - em->at;
	struct sock_filter *filter;

	if (em->full)
		return err_set(e,
			       "policy: needs more than the kernel's %d instructions; "
			       "use fewer conditions",
			       BPF_MAXINSNS);
	filter = calloc(n, sizeof(*filter));
	if (!filter)
		return err_sys(e, "policy: %zu instructions", n);
	memcpy(filter, &em->code[em->at], n * sizeof(*filter));
	*out = (struct sock_fprog){.len = (uint16_t)n, .filter = filter};
	return 0;
}

int policy_compile(struct policy_rules *r, struct sock_fprog *out, struct err *e)
{
	struct emitter *em = calloc(1, sizeof(*em));
	int rc;

	if (!em)
		return err_sys(e, "policy: %zu bytes", sizeof(*em));
	em->at = BPF_MAXINSNS;
	qsort(r->rules, r->nrules, sizeof(r->rules[0]), by_call);
	put_program(em, r);
	rc = take_program(em, out, e);
	free(em);
	return rc;
}
