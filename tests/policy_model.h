/*
 * policy_model.h - two independent answers to "what happens to this call?":
 * model_decide() reads the parsed rules as rules/seccomp/README.md explains
 * them, model_filter() runs the compiled filter as the kernel would.  The unit
 * test and the fuzzer demand that both agree.
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "sandbox/policy_rules.h"

#if defined(__x86_64__)
#define MODEL_ARCH AUDIT_ARCH_X86_64
#else
#define MODEL_ARCH AUDIT_ARCH_AARCH64
#endif

static inline bool model_holds(const struct policy_rule *r, const struct seccomp_data *d)
{
	for (unsigned int i = 0; i < r->nconds; i++) {
		const struct policy_cond *c = &r->conds[i];

		if (((d->args[c->arg] & c->mask) == c->value) != c->equal)
			return false;
	}
	return true;
}

static inline uint32_t model_decide(const struct policy_rules *rules, const struct seccomp_data *d)
{
	uint32_t fallback = policy_default_action();

	if (d->arch != MODEL_ARCH)
		return SECCOMP_RET_USER_NOTIF;
	if (d->arch == AUDIT_ARCH_X86_64 && (uint32_t)d->nr >= 0x40000000 && d->nr != -1)
		return SECCOMP_RET_USER_NOTIF;
	for (size_t i = 0; i < rules->nrules; i++) {
		const struct policy_rule *r = &rules->rules[i];

		if (r->nr != d->nr)
			continue;
		if (r->nconds == 0)
			fallback = r->action;
		else if (model_holds(r, d))
			return r->action;
	}
	return fallback;
}

/* 0, which is no answer of ours, for anything the kernel would refuse to load or run. */
static inline uint32_t model_filter(const struct sock_fprog *prog, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < prog->len; pc++) {
		const struct sock_filter *in = &prog->filter[pc];

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (in->k > sizeof(*d) - sizeof(a) || in->k % sizeof(a))
				return 0;
			memcpy(&a, (const char *)d + in->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= in->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += in->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == in->k ? in->jt : in->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= in->k ? in->jt : in->jf;
			break;
		case BPF_RET | BPF_K:
			return in->k;
		default:
			return 0;
		}
	}
	return 0;
}

/* One call in every way that matters to `c`: its value, one bit beside it, more above it. */
static inline bool model_agrees_on(const struct policy_rules *rules, const struct sock_fprog *prog,
				   struct seccomp_data d, const struct policy_cond *c)
{
	uint64_t values[] = {c->value,
			     c->value ^ 1,
			     c->value ^ (c->mask & -c->mask),
			     ~c->value,
			     c->value | ~c->mask,
			     c->value ^ (1ULL << 32),
			     c->value + 1,
			     0,
			     UINT64_MAX};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		d.args[c->arg] = values[i];
		if (model_decide(rules, &d) != model_filter(prog, &d))
			return false;
	}
	return true;
}

/* True if both answers are the same for every number up to 1100, and for all conditions. */
static inline bool model_agrees(const struct policy_rules *rules, const struct sock_fprog *prog)
{
	static const int odd[] = {-1, -2, 0x3fffffff, 0x40000000, 0x40000208, 0x7fffffff};
	struct seccomp_data d = {.arch = MODEL_ARCH};
	struct policy_cond none = {.mask = UINT64_MAX};

	for (d.nr = 0; d.nr < 1100; d.nr++)
		if (!model_agrees_on(rules, prog, d, &none))
			return false;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		d.nr = odd[i];
		if (!model_agrees_on(rules, prog, d, &none))
			return false;
	}
	for (size_t i = 0; i < rules->nrules; i++) {
		const struct policy_rule *r = &rules->rules[i];

		d.nr = r->nr;
		for (unsigned int k = 0; k < r->nconds; k++)
			d.args[r->conds[k].arg] = r->conds[k].value;
		for (unsigned int k = 0; k < r->nconds; k++)
			if (!model_agrees_on(rules, prog, d, &r->conds[k]))
				return false;
		memset(d.args, 0, sizeof(d.args));
	}
	d.nr = 0;
	d.arch = AUDIT_ARCH_I386;
	return model_agrees_on(rules, prog, d, &none);
}

#endif
