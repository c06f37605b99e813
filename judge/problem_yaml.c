#include <errno.h>

#include "judge/doc.h"
#include "judge/doc_value.h"
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)
#define TIB (1024ULL * GIB)
#define SEC 1000000ULL

/* What sandboxd takes; a limit beyond it would make every verdict a JUDGE_ERROR. */
#define TIME_MIN_US 1000
#define MEMORY_MIN  (4 * MIB)
#define OUTPUT_MIN  4096

#define TIME_MAX_US PROBLEM_TIME_MAX_US
#define PASSES_MAX  1000
#define FACTOR_MAX  1000 /* of a time multiplier */

#define AT(member)         .offset = offsetof(struct problem_settings, member)
#define BYTES(s, low, top) .scale = (s), .least = (low), .most = (top)
#define SECONDS(top)       .scale = SEC, .least = TIME_MIN_US, .most = SEC * (top)
#define LIMIT(member)      DOC_AMOUNT, AT(limits.member)
#define LIMITS_OF_BOTH                                                                             \
	{"memory", LIMIT(memory_bytes), BYTES(MIB, MEMORY_MIN, TIB)},                              \
		{"output", LIMIT(output_bytes), BYTES(MIB, OUTPUT_MIN, GIB)},                      \
		{"code", LIMIT(code_bytes), BYTES(KIB, 1, 64 * MIB)},                              \
		{"compilation_time", LIMIT(compilation_time_us), SECONDS(3600)},                   \
		{"compilation_memory", LIMIT(compilation_memory_bytes),                            \
		 BYTES(MIB, MEMORY_MIN, TIB)},                                                     \
		{"validation_time", LIMIT(validation_time_us), SECONDS(3600)},                     \
		{"validation_memory", LIMIT(validation_memory_bytes),                              \
		 BYTES(MIB, MEMORY_MIN, TIB)},                                                     \
		{"validation_passes", DOC_COUNT, AT(limits.validation_passes), .least = 2,         \
		 .most = PASSES_MAX},                                                              \
	{                                                                                          \
		"validation_output", LIMIT(validation_output_bytes), BYTES(MIB, 1, GIB)            \
	}

/* clang-format off */
static const struct doc_field legacy_limits[] = {
	{"time_multiplier",    DOC_NUMBER, AT(timing.ac_to_limit)},
	{"time_safety_margin", DOC_NUMBER, AT(timing.limit_to_tle)},
	LIMITS_OF_BOTH,
	{.key = NULL},
};

static const struct doc_field grading[] = {
	{"objective",             DOC_STRING, AT(text.objective)},
	{"show_test_data_groups", DOC_FLAG,   AT(show_groups)},
	{.key = NULL},
};

static const struct doc_field legacy[] = {
	{"problem_format_version", DOC_STRING, AT(text.format)},
	{"type",            .type = DOC_ANY},
	{"name",            .type = DOC_ANY},
	{"uuid",            DOC_STRING, AT(text.other)},
	{"author",          .type = DOC_ANY},
	{"source",          .type = DOC_ANY},
	{"source_url",      .type = DOC_ANY},
	{"license",         DOC_STRING, AT(text.other)},
	{"rights_owner",    .type = DOC_ANY},
	{"limits",          DOC_NESTED, .nested = legacy_limits},
	{"validation",      DOC_STRING, AT(text.validation)},
	{"validator_flags", DOC_STRING, AT(text.flags)},
	{"grading",         DOC_NESTED, .nested = grading},
	{"keywords",        .type = DOC_ANY},
	{.key = NULL},
};

static const struct doc_field multipliers[] = {
	{"ac_to_time_limit",  DOC_NUMBER, AT(timing.ac_to_limit)},
	{"time_limit_to_tle", DOC_NUMBER, AT(timing.limit_to_tle)},
	{.key = NULL},
};

static const struct doc_field new_limits[] = {
	{"time_multipliers",  DOC_NESTED,  .nested = multipliers},
	{"time_limit",        LIMIT(time_us), .scale = SEC, .least = TIME_MIN_US, .most = TIME_MAX_US},
	{"time_resolution",   DOC_AMOUNT,  AT(timing.resolution_us), .scale = SEC, .least = 1000, .most = TIME_MAX_US},
	LIMITS_OF_BOTH,
	{.key = NULL},
};

static const struct doc_field new[] = {
	{"problem_format_version", DOC_STRING, AT(text.format), .required = 1},
	{"type",          .type = DOC_ANY},
	{"name",          DOC_ANY,    .required = 1},
	{"uuid",          DOC_STRING, AT(text.other), .least = 1, .required = 1},
	{"version",       DOC_STRING, AT(text.other)},
	{"credits",       .type = DOC_ANY},
	{"source",        .type = DOC_ANY},
	{"license",       DOC_STRING, AT(text.other)},
	{"rights_owner",  .type = DOC_ANY},
	{"embargo_until", DOC_STRING, AT(text.other)},
	{"limits",        DOC_NESTED, .nested = new_limits},
	{"keywords",      .type = DOC_ANY},
	{"languages",     .type = DOC_ANY},
	{"allow_file_writing", DOC_FLAG, AT(text.flag)}, /* files in the box end with the run, so both are the same here */
	{"constants",     .type = DOC_ANY},
	{.key = NULL},
};
/* clang-format on */

static int read_format(const struct doc *d, struct problem_settings *s, struct err *e)
{
	static const char *const names[] = {"legacy", "legacy-icpc", "2025-09"};
	const struct doc_node *n = doc_get(d->root, "problem_format_version");

	if (d->root->kind != DOC_MAP)
		return doc_fail(d, d->root->line, e, "expected a map of keys and values");
	if (!n)
		return 0;
	if (n->kind == DOC_SCALAR)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (strcmp(n->text, names[i]) == 0) {
				s->format = (enum problem_format)i;
				return 0;
			}
	return doc_fail(d, n->line, e,
			"problem_format_version: expected legacy, legacy-icpc or 2025-09");
}

/* clang-format off */
static const struct type_word {
	const char *word;
	unsigned kind, without; /* bits of problem_kind; `without` must not stand beside it */
	int supported;
} type_words[] = {
	{"pass-fail",     0,                     PROBLEM_SCORING, 1},
	{"scoring",       PROBLEM_SCORING,       0, 1},
	{"multi-pass",    PROBLEM_MULTI_PASS,    PROBLEM_SUBMIT_ANSWER, 1},
	{"interactive",   PROBLEM_INTERACTIVE,   PROBLEM_SUBMIT_ANSWER, 1},
	{"submit-answer", PROBLEM_SUBMIT_ANSWER, PROBLEM_MULTI_PASS | PROBLEM_INTERACTIVE, 1},
};
/* clang-format on */

static const struct type_word *find_type_word(const struct doc_node *n)
{
	for (size_t i = 0; n->kind == DOC_SCALAR && i < ARRAY_LEN(type_words); i++)
		if (strcmp(n->text, type_words[i].word) == 0)
			return &type_words[i];
	return NULL;
}

/* One word of `type`; legacy packages say the rest in `validation`. */
static int take_type(const struct doc *d, const struct doc_node *n, struct problem_settings *s,
		     unsigned *without, struct err *e)
{
	const struct type_word *w = find_type_word(n);
	int old = s->format != PROBLEM_2025_09;

	if (!w || (old && w->kind & ~(unsigned)PROBLEM_SCORING))
		return doc_fail(d, n->line, e, "type: expected %s",
				old ? "pass-fail or scoring"
				    : "pass-fail, scoring, multi-pass, interactive or "
				      "submit-answer");
	if (!w->supported)
		return doc_fail(d, n->line, e, "type: %s is not supported yet", w->word);
	if (s->kind & w->kind)
		return doc_fail(d, n->line, e, "type: %s stands there twice", w->word);
	s->kind |= w->kind;
	*without |= w->without;
	if (s->kind & *without)
		return doc_fail(d, n->line, e, "type: %s does not go with the others", w->word);
	return 0;
}

static int read_type(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *n = doc_get(d->root, "type");
	unsigned without = 0;

	if (!n)
		return 0;
	if (n->kind != DOC_LIST || s->format != PROBLEM_2025_09)
		return take_type(d, n, s, &without, e);
	if (!n->first)
		return doc_fail(d, n->line, e, "type: expected a word or a list of words");
	for (n = n->first; n; n = n->next)
		if (take_type(d, n, s, &without, e) < 0)
			return -1;
	return 0;
}

/* A text, or a map from language codes to texts: English if it is there. */
static int read_title(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *n = doc_get(d->root, "name");

	if (n && n->kind == DOC_MAP && n->first)
		n = doc_get(n, "en") ? doc_get(n, "en") : n->first;
	if (!n)
		return 0;
	if (n->kind != DOC_SCALAR || n->text[0] == '\0' || strlen(n->text) > 256 ||
	    strpbrk(n->text, "\n\t"))
		return doc_fail(
			d, n->line, e,
			"name: expected one line of 1 to 256 bytes, or one for each language");
	s->title = strdup(n->text);
	return s->title ? 0 : err_sys(e, "name");
}

/* "custom" and what the validator can, in any order; DOMjudge's packages have multi-pass there too. */
static int take_validation(const struct doc *d, const struct doc_node *n,
			   struct problem_settings *s, struct err *e)
{
	char **words = problem_words(NULL, n->text);
	int rc = 0;

	if (!words)
		return err_sys(e, "validation");
	s->custom = words[0] && strcmp(words[0], "custom") == 0;
	if (!s->custom)
		rc = doc_fail(d, n->line, e,
			      "validation: expected default, or custom [interactive] [multi-pass] "
			      "[score]");
	for (char **w = words; rc == 0 && *++w;) {
		if (strcmp(*w, "interactive") == 0)
			s->kind |= PROBLEM_INTERACTIVE;
		else if (strcmp(*w, "multi-pass") == 0)
			s->kind |= PROBLEM_MULTI_PASS;
		else if (strcmp(*w, "score") == 0)
			s->custom_score = 1;
		else
			rc = doc_fail(d, n->line, e,
				      "validation: expected interactive, multi-pass or score after "
				      "custom");
	}
	problem_words_free(words);
	if (rc == 0 && s->custom_score && !(s->kind & PROBLEM_SCORING))
		rc = doc_fail(d, n->line, e,
			      "validation: score belongs to problems of type: "
			      "scoring");
	return rc;
}

static int read_grading(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *n = doc_get(d->root, "grading");
	const char *objective = s->text.objective;

	if (n && !(s->kind & PROBLEM_SCORING))
		return doc_fail(d, n->key_line, e, "grading: belongs to problems of type: scoring");
	if (objective && strcmp(objective, "max") != 0 && strcmp(objective, "min") != 0)
		return doc_fail(d, doc_get(n, "objective")->line, e,
				"objective: expected max or min");
	s->minimize = objective && strcmp(objective, "min") == 0;
	return 0;
}

static int read_validation(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *n = doc_get(d->root, "validation");
	const struct doc_node *flags = doc_get(d->root, "validator_flags");

	s->args_line = flags ? flags->line : 0;
	s->args = problem_words(NULL, s->text.flags ? s->text.flags : "");
	if (!s->args)
		return err_sys(e, "validator_flags");
	if (!n || strcmp(n->text, "default") == 0)
		return 0;
	return take_validation(d, n, s, e);
}

/* One pass unless there are several; then as many as it says, or two. */
static int read_passes(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *limits = doc_get(d->root, "limits");
	const struct doc_node *n = limits ? doc_get(limits, "validation_passes") : NULL;

	if (n && !(s->kind & PROBLEM_MULTI_PASS))
		return doc_fail(d, n->line, e,
				"validation_passes: belongs to a problem of several passes (%s)",
				s->format == PROBLEM_2025_09 ? "type: multi-pass"
							     : "validation: custom multi-pass");
	if (!n)
		s->limits.validation_passes = s->kind & PROBLEM_MULTI_PASS ? 2 : 1;
	return 0;
}

/* 2025-09: `all`, or a list of codes. */
static int read_languages(const struct doc *d, struct problem_settings *s, struct err *e)
{
	static const struct doc_field list[] = {
		{"languages", DOC_STRINGS, AT(languages), .least = 1, .most = 100}, {.key = NULL}};
	const struct doc_node *n = doc_get(d->root, "languages");
	struct doc_node only;

	if (!n || (n->kind == DOC_SCALAR && strcmp(n->text, "all") == 0))
		return 0;
	if (n->kind != DOC_LIST)
		return doc_fail(d, n->line, e,
				"languages: expected all or a list of codes, like [cpp, java]");
	only = *n;
	only.next = NULL;
	return doc_read(d, &(struct doc_node){.kind = DOC_MAP, .line = n->line, .first = &only},
			list, s, e);
}

/* The line of a key below limits; only of a value that has been read. */
static const struct doc_node *limit_node(const struct doc *d, const char *key)
{
	const struct doc_node *limits = doc_get(d->root, "limits");
	const struct doc_node *n = limits ? doc_get(limits, key) : NULL;
	const struct doc_node *nested = limits ? doc_get(limits, "time_multipliers") : NULL;

	return n || !nested ? n : doc_get(nested, key);
}

static int check_factor(const struct doc *d, const char *key, double value, struct err *e)
{
	const struct doc_node *n = limit_node(d, key);

	if (!n || (value >= 1 && value <= FACTOR_MAX))
		return 0;
	return doc_fail(d, n->line, e, "%s: expected a number from 1 to %d", key, FACTOR_MAX);
}

static int check_time(const struct doc *d, struct problem_settings *s, struct err *e)
{
	const struct doc_node *n = limit_node(d, "time_limit");
	int is_new = s->format == PROBLEM_2025_09;

	s->time_line = n ? n->line : 0;
	if (check_factor(d, is_new ? "ac_to_time_limit" : "time_multiplier", s->timing.ac_to_limit,
			 e) < 0)
		return -1;
	return check_factor(d, is_new ? "time_limit_to_tle" : "time_safety_margin",
			    s->timing.limit_to_tle, e);
}

/* What the formats say where a package does not. */
static struct problem_timing default_timing(const struct problem_settings *s)
{
	if (s->format == PROBLEM_2025_09)
		return (struct problem_timing){2.0, 1.5, SEC, 0};
	return (struct problem_timing){5.0, 2.0, SEC, 0};
}

/* What only one of the formats has. */
static int read_of_format(const struct doc *d, struct problem_settings *s, struct err *e)
{
	if (s->format != PROBLEM_2025_09)
		return read_validation(d, s, e) < 0 || read_grading(d, s, e) < 0 ? -1 : 0;
	return read_languages(d, s, e) < 0 ? -1 : problem_constants_read(d, &s->constants, e);
}

int problem_parse_settings(const char *text, size_t len, struct problem_settings *s, struct err *e)
{
	struct doc d;
	int rc;

	*s = (struct problem_settings){
		.limits = {.memory_bytes = 2048 * MIB,
			   .output_bytes = 8 * MIB,
			   .code_bytes = 128 * KIB},
	};
	if (doc_parse("problem.yaml", text, len, &d, e) < 0)
		return -1;
	rc = read_format(&d, s, e);
	if (rc == 0 && s->format == PROBLEM_LEGACY_ICPC)
		rc = problem_icpc_settings(&d, e);
	if (rc == 0)
		rc = read_type(&d, s, e); /* before unknown keys: says best why */
	s->timing = default_timing(s);
	if (rc == 0)
		rc = doc_read(&d, d.root, s->format == PROBLEM_2025_09 ? new : legacy, s, e);
	if (rc == 0)
		rc = read_title(&d, s, e);
	if (rc == 0)
		rc = read_of_format(&d, s, e);
	if (rc == 0)
		rc = check_time(&d, s, e);
	if (rc == 0)
		rc = read_passes(&d, s, e);
	doc_release(&d);
	return rc;
}

void problem_settings_release(struct problem_settings *s)
{
	doc_fields_release(s->format == PROBLEM_2025_09 ? new : legacy, s);
	free(s->title);
	problem_words_free(s->languages);
	problem_constants_release(&s->constants);
	problem_words_free(s->args);
	*s = (struct problem_settings){0};
}

/* Cuts white space and one pair of quotes off both ends. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	if (len >= 2 && (text[0] == '\'' || text[0] == '"') && text[len - 1] == text[0]) {
		text[len - 1] = '\0';
		text++;
	}
	return text;
}

/* One source of the time limit: sets it, or checks that it says what another one said. */
static int take_time(struct problem_settings *s, const char *file, unsigned line, const char *text,
		     struct err *e)
{
	uint64_t us;

	if (doc_value_amount(text, SEC, &us) < 0 || us < TIME_MIN_US || us > TIME_MAX_US)
		return err_set(e, "%s:%u: expected the time limit in seconds, like 1.5", file,
			       line);
	if (s->limits.time_us && s->limits.time_us != us)
		return err_set(e, "%s:%u: says %g s, but %s says %g s", file, line,
			       (double)us / 1e6, s->time_line ? "problem.yaml" : ".timelimit",
			       (double)s->limits.time_us / 1e6);
	s->limits.time_us = us;
	return 0;
}

static int read_timelimit(const struct problem *p, struct problem_settings *s, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (package_read(p->dir, ".timelimit", 64, &text, &len, e) < 0)
		return e->num == ENOENT ? 0 : -1;
	return take_time(s, ".timelimit", 1, trim(text), e);
}

/* "key = value" lines; of the keys that change judging only timelimit is taken, the others are refused. */
static int read_ini_line(struct problem_settings *s, unsigned line, char *text, struct err *e)
{
	static const char file[] = "domjudge-problem.ini";
	static const char *const ignored[] = {"name",       "short-name",   "shortname",
					      "probid",     "color",        "points",
					      "externalid", "allow_submit", "allow_judge"};
	char *equals = strchr(text, '=');
	char shown[48];
	const char *key;

	text += strspn(text, " \t\r");
	if (!*text || *text == ';' || *text == '#' || *text == '[')
		return 0;
	if (!equals)
		return err_set(e, "%s:%u: expected KEY = VALUE", file, line);
	*equals = '\0';
	key = trim(text);
	if (strcmp(key, "timelimit") == 0)
		return take_time(s, file, line, trim(equals + 1), e);
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		if (strcmp(key, ignored[i]) == 0)
			return 0;
	names_escape(key, strlen(key), shown, sizeof(shown));
	return err_set(e, "%s:%u: %s: not supported yet", file, line, shown);
}

static int read_ini(const struct problem *p, struct problem_settings *s, struct err *e)
{
	AUTO_FREE char *text = NULL;
	unsigned line = 0;
	char *rest;
	size_t len;

	if (package_read(p->dir, "domjudge-problem.ini", 65536, &text, &len, e) < 0)
		return e->num == ENOENT ? 0 : -1;
	rest = text;
	while (rest) {
		char *one = strsep(&rest, "\n");

		if (read_ini_line(s, ++line, one, e) < 0)
			return -1;
	}
	return 0;
}

int problem_read_settings(const struct problem *p, struct problem_settings *s, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	*s = (struct problem_settings){0};
	if (package_read(p->dir, "problem.yaml", DOC_BYTES_MAX, &text, &len, e) < 0)
		return -1;
	if (problem_parse_settings(text, len, s, e) < 0 || read_timelimit(p, s, e) < 0 ||
	    read_ini(p, s, e) < 0)
		return -1;
	/* Where nothing runs any limit will do. */
	if (s->limits.time_us == 0 && s->kind & PROBLEM_SUBMIT_ANSWER)
		s->limits.time_us = SEC;
	s->timing.measured = s->limits.time_us == 0;
	return 0;
}
