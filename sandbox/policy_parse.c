#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/policy_rules.h"

/* What is left of the line being read; `at` moves, `end` is its newline. */
struct cursor {
	const char *at;
	const char *end;
};

/* A file being read. */
struct frame {
	char *text; /* owned */
	size_t len;
	size_t at; /* start of the next line */
	unsigned int file;
	unsigned int line; /* number of the line being read, 0 before the first */
};

/* Files being read, innermost last: an include is a push, so text cannot recurse. */
struct parser {
	struct policy_rules *out;
	const struct policy_source *src;
	struct frame stack[POLICY_MAX_DEPTH];
	size_t depth;
};

struct word {
	const char *at;
	size_t len;
};

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

static struct word next_word(struct cursor *c)
{
	struct word w;

	skip_blanks(c);
	w.at = c->at;
	while (c->at < c->end && (isalnum((unsigned char)*c->at) || *c->at == '_'))
		c->at++;
	w.len = (size_t)(c->at - w.at);
	return w;
}

static bool word_is(struct word w, const char *s)
{
	return strlen(s) == w.len && memcmp(s, w.at, w.len) == 0;
}

/* Takes the mark if it comes next. */
static bool accept_mark(struct cursor *c, const char *mark)
{
	size_t len = strlen(mark);

	skip_blanks(c);
	if ((size_t)(c->end - c->at) < len || memcmp(c->at, mark, len) != 0)
		return false;
	c->at += len;
	return true;
}

static bool at_end(struct cursor *c)
{
	skip_blanks(c);
	return c->at == c->end;
}

/* "expected X, found Y", Y being what stands at the cursor. */
static int expected(struct cursor *c, const char *what, struct err *e)
{
	if (at_end(c))
		return err_set(e, "expected %s, found the end of the line", what);
	int shown = (int)(c->end - c->at);
	return err_set(e, "expected %s, found '%.*s'", what, shown > 40 ? 40 : shown, c->at);
}

static int parse_errno(struct cursor *c, uint32_t *action, struct err *e)
{
	struct word w = next_word(c);

	for (int n = 1; n < 4096; n++) {
		const char *name = strerrorname_np(n);

		if (!name || !word_is(w, name))
			continue;
		*action = SECCOMP_RET_ERRNO | (uint32_t)n;
		return 0;
	}
	c->at = w.at;
	return expected(c, "an error name such as EPERM or ENOSYS after 'errno'", e);
}

static int parse_action(struct cursor *c, uint32_t *action, struct err *e)
{
	struct word w = next_word(c);

	if (word_is(w, "errno"))
		return parse_errno(c, action, e);
	if (word_is(w, "allow"))
		*action = SECCOMP_RET_ALLOW;
	else if (word_is(w, "kill"))
		*action = SECCOMP_RET_USER_NOTIF;
	else {
		c->at = w.at;
		return expected(c, "'allow', 'kill' or 'errno NAME'", e);
	}
	return 0;
}

/* Decimal, or hexadecimal after 0x. */
static bool parse_number(struct word w, uint64_t *value)
{
	char digits[24] = {0};
	char *end;
	int base = 10;

	if (w.len == 0 || w.len >= sizeof(digits))
		return false;
	memcpy(digits, w.at, w.len);
	if (w.len > 2 && digits[0] == '0' && digits[1] == 'x' && isxdigit((unsigned char)digits[2]))
		base = 16;
	else if (!isdigit((unsigned char)digits[0]))
		return false;
	errno = 0;
	*value = strtoull(digits, &end, base);
	return errno == 0 && *end == '\0';
}

/* One or more numbers or constants, joined by '|'. */
static int parse_value(struct cursor *c, uint64_t *value, struct err *e)
{
	*value = 0;
	do {
		struct word w = next_word(c);
		uint64_t v;

		if (!parse_number(w, &v) && !policy_symbol(w.at, w.len, &v)) {
			c->at = w.at;
			return expected(c, "a number or a constant of policy_symbols.c", e);
		}
		*value |= v;
	} while (accept_mark(c, "|"));
	return 0;
}

/* argN is the whole argument, intN its low half: all the kernel sees of an int. */
static int parse_argument(struct cursor *c, struct policy_cond *cond, struct err *e)
{
	struct word w = next_word(c);

	if (w.len == 4 && w.at[3] >= '0' && w.at[3] <= '5') {
		cond->arg = (unsigned int)(w.at[3] - '0');
		cond->mask = memcmp(w.at, "int", 3) == 0 ? UINT32_MAX : UINT64_MAX;
		if (cond->mask == UINT32_MAX || memcmp(w.at, "arg", 3) == 0)
			return 0;
	}
	c->at = w.at;
	return expected(c, "an argument, int0 to int5 or arg0 to arg5", e);
}

static int parse_cond(struct cursor *c, struct policy_cond *cond, struct err *e)
{
	uint64_t whole, mask;

	if (parse_argument(c, cond, e) < 0)
		return -1;
	whole = cond->mask;
	if (accept_mark(c, "&")) {
		if (parse_value(c, &mask, e) < 0)
			return -1;
		if (mask == 0 || mask & ~whole)
			return err_set(e, "mask 0x%llx is %s", (unsigned long long)mask,
				       mask ? "wider than 32 bits; write argN for the whole "
					      "argument"
					    : "empty, the condition says nothing");
		cond->mask = mask;
	}
	cond->equal = accept_mark(c, "==");
	if (!cond->equal && !accept_mark(c, "!="))
		return expected(c, "'&', '==' or '!='", e);
	if (parse_value(c, &cond->value, e) < 0)
		return -1;
	if (cond->value & ~cond->mask)
		return err_set(e, "value 0x%llx can never occur under mask 0x%llx",
			       (unsigned long long)cond->value, (unsigned long long)cond->mask);
	return 0;
}

static int parse_conds(struct cursor *c, struct policy_rule *rule, struct err *e)
{
	do {
		if (rule->nconds == POLICY_MAX_CONDS)
			return err_set(e, "more than %d conditions; use several lines",
				       POLICY_MAX_CONDS);
		if (parse_cond(c, &rule->conds[rule->nconds++], e) < 0)
			return -1;
	} while (accept_mark(c, "&&"));
	return at_end(c) ? 0 : expected(c, "'&&' or the end of the line", e);
}

static bool same_conds(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->nconds != b->nconds)
		return false;
	for (unsigned int i = 0; i < a->nconds; i++) {
		const struct policy_cond *x = &a->conds[i], *y = &b->conds[i];

		if (x->arg != y->arg || x->mask != y->mask || x->value != y->value ||
		    x->equal != y->equal)
			return false;
	}
	return true;
}

/* Two files may say the same; they may not disagree. */
static int add_rule(struct policy_rules *out, const struct policy_rule *rule, struct err *e)
{
	for (size_t i = 0; i < out->nrules; i++) {
		const struct policy_rule *old = &out->rules[i];

		if (old->nr != rule->nr || !same_conds(old, rule))
			continue;
		if (old->action == rule->action)
			return 0;
		return err_set(e,
			       "contradicts %s.policy:%u, which answers the same call otherwise; "
			       "remove one of the two",
			       out->files[old->file], old->line);
	}
	if (out->nrules == POLICY_MAX_RULES)
		return err_set(e, "more than %d rules", POLICY_MAX_RULES);
	out->rules[out->nrules] = *rule;
	out->rules[out->nrules].order = (unsigned int)out->nrules;
	out->nrules++;
	return 0;
}

/* Positive, or negative if the call is one of another architecture only. */
static int parse_call(struct cursor *c, int *nr, struct err *e)
{
	struct word w = next_word(c);
	char name[POLICY_NAME_BYTES] = {0};

	if (w.len == 0)
		return expected(c, "'CALL: ACTION', '@include NAME' or a comment", e);
	if (w.len < sizeof(name)) {
		memcpy(name, w.at, w.len);
		*nr = policy_call_number(name);
	}
	if (w.len >= sizeof(name) || *nr == POLICY_CALL_UNKNOWN)
		return err_set(e, "unknown system call '%.*s'; expected a name of syscalls(2)",
			       (int)(w.len < sizeof(name) ? w.len : sizeof(name)), w.at);
	if (!accept_mark(c, ":"))
		return expected(c, "':' after the name of the call", e);
	return 0;
}

static int parse_rule(struct parser *p, struct cursor *c, struct err *e)
{
	const struct frame *f = &p->stack[p->depth - 1];
	struct policy_rule rule = {.file = f->file, .line = f->line};
	struct word w;

	if (parse_call(c, &rule.nr, e) < 0 || parse_action(c, &rule.action, e) < 0)
		return -1;
	w = next_word(c);
	if (word_is(w, "if")) {
		if (parse_conds(c, &rule, e) < 0)
			return -1;
	} else {
		c->at = w.at;
		if (!at_end(c))
			return expected(c, "'if' or the end of the line", e);
	}
	return rule.nr < 0 ? 0 : add_rule(p->out, &rule, e);
}

bool policy_name_ok(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len < POLICY_NAME_BYTES && name[len] == '\0';
}

/* Opens a file, unless it was read before: then it has nothing to add. */
static int push_file(struct parser *p, const char *name, struct err *e)
{
	struct policy_rules *out = p->out;
	struct frame *f = &p->stack[p->depth];

	for (size_t i = 0; i < p->depth; i++)
		if (strcmp(out->files[p->stack[i].file], name) == 0)
			return err_set(e, "'%s' includes itself", name);
	for (unsigned int i = 0; i < out->nfiles; i++)
		if (strcmp(out->files[i], name) == 0)
			return 0;
	if (p->depth == POLICY_MAX_DEPTH)
		return err_set(e, "includes are nested deeper than %d", POLICY_MAX_DEPTH);
	if (out->nfiles == POLICY_MAX_FILES)
		return err_set(e, "more than %d files", POLICY_MAX_FILES);
	memset(f, 0, sizeof(*f));
	if (p->src->open(p->src->ctx, name, &f->text, &f->len, e) < 0)
		return -1;
	f->file = out->nfiles++;
	memcpy(out->files[f->file], name, strlen(name) + 1);
	p->depth++;
	return 0;
}

static int parse_include(struct parser *p, struct cursor *c, struct err *e)
{
	char name[POLICY_NAME_BYTES] = {0};
	size_t len;

	skip_blanks(c);
	len = (size_t)(c->end - c->at);
	while (len > 0 && (c->at[len - 1] == ' ' || c->at[len - 1] == '\t'))
		len--;
	if (len < sizeof(name))
		memcpy(name, c->at, len);
	if (!policy_name_ok(name))
		return expected(c, "the name of a policy in [a-z0-9_-] after '@include'", e);
	return push_file(p, name, e);
}

/* Text is printable ASCII and tabs; comments may hold any UTF-8. */
static int check_bytes(const struct cursor *c, const char *comment, struct err *e)
{
	for (const char *s = c->at; s < c->end; s++) {
		unsigned char b = (unsigned char)*s;

		if (b == '\t' || (b >= ' ' && b < 0x7f) || (b >= 0x80 && s >= comment))
			continue;
		return err_set(e, "byte 0x%02x; expected printable ASCII, with lines ended by \\n",
			       b);
	}
	return 0;
}

static int parse_line(struct parser *p, struct cursor c, struct err *e)
{
	const char *comment = memchr(c.at, '#', (size_t)(c.end - c.at));

	if (c.end - c.at > POLICY_MAX_LINE)
		return err_set(e, "line of %zd bytes; expected at most %d", c.end - c.at,
			       POLICY_MAX_LINE);
	if (check_bytes(&c, comment ? comment : c.end, e) < 0)
		return -1;
	if (comment)
		c.end = comment;
	if (at_end(&c))
		return 0;
	if (accept_mark(&c, "@include"))
		return parse_include(p, &c, e);
	return parse_rule(p, &c, e);
}

/* Reads the next line of the innermost file, or leaves that file. */
static int parse_step(struct parser *p, struct err *e)
{
	struct frame *f = &p->stack[p->depth - 1];
	const char *start, *newline;
	size_t left = f->len - f->at;

	if (left == 0) {
		free(f->text);
		p->depth--;
		return 0;
	}
	start = f->text + f->at;
	newline = memchr(start, '\n', left);
	f->line++;
	f->at = newline ? (size_t)(newline + 1 - f->text) : f->len;
	if (parse_line(p, (struct cursor){start, newline ? newline : start + left}, e) < 0)
		return err_wrap(e, "%s/%s.policy:%u", p->src->dir, p->out->files[f->file], f->line);
	return 0;
}

int policy_parse(struct policy_rules *r, const char *name, const struct policy_source *src,
		 struct err *e)
{
	struct parser p = {.out = r, .src = src};
	int rc;

	r->nrules = 0;
	r->nfiles = 0;
	rc = push_file(&p, name, e);
	while (rc == 0 && p.depth > 0)
		rc = parse_step(&p, e);
	while (p.depth > 0)
		free(p.stack[--p.depth].text);
	if (rc == 0 && r->nrules == 0)
		return err_set(e, "%s/%s.policy: no rules; expected lines such as 'read: allow'",
			       src->dir, name);
	return rc;
}
