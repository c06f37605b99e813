#include <errno.h>
#include <jansson.h>

#include "judge/hash.h"
#include "judge/problem.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

/*
 * Of the manifest's layout: part of the version, so that a new layout imports packages anew.  Manifests of older layouts are still
 * read, because submissions were judged by them and may be judged again: what a layout adds is optional for the reader, and what
 * is absent means what judging did before.
 */
#define MANIFEST_LAYOUT 2

#define JSON_LIMITS "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}"

json_t *problem_words_to_json(char *const *words)
{
	json_t *list = json_array();

	for (; list && *words; words++)
		json_array_append_new(list, json_string_nocheck(*words));
	return list;
}

json_t *problem_files_to_json(const struct problem_file *files, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:i}", "name", files[i].name,
						      "hash", files[i].hash, "bytes",
						      (json_int_t)files[i].bytes, "mode",
						      (int)files[i].mode));
	return list;
}

static json_t *cases_to_json(const struct problem *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->ncases; i++) {
		const struct problem_case *c = &p->cases[i];

		json_t *item =
			json_pack("{s:s, s:I, s:s, s:I, s:s, s:I, s:o}", "name", c->name, "group",
				  (json_int_t)c->group, "in", c->in.hash, "in_bytes",
				  (json_int_t)c->in.bytes, "ans", c->ans.hash, "ans_bytes",
				  (json_int_t)c->ans.bytes, "args", problem_words_to_json(c->args));

		if (item)
			problem_case_supply_to_json(c, item);
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *program_to_json(const struct problem_program *p)
{
	json_t *item;

	if (p->nsources == 0)
		return json_null();
	item = json_pack("{s:o}", "sources", problem_files_to_json(p->sources, p->nsources));
	if (item && p->language) {
		json_object_set_new(item, "language", json_string(p->language));
		json_object_set_new(item, "artifacts",
				    problem_files_to_json(p->artifacts, p->nartifacts));
	}
	return item;
}

static json_t *also_to_json(const struct problem *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->nalso; i++)
		json_array_append_new(list, program_to_json(&p->also[i]));
	return list;
}

static json_t *limits_to_json(const struct problem_limits *l)
{
	return json_pack(JSON_LIMITS, "time_us", (json_int_t)l->time_us, "memory_bytes",
			 (json_int_t)l->memory_bytes, "output_bytes", (json_int_t)l->output_bytes,
			 "code_bytes", (json_int_t)l->code_bytes, "compilation_time_us",
			 (json_int_t)l->compilation_time_us, "compilation_memory_bytes",
			 (json_int_t)l->compilation_memory_bytes, "validation_time_us",
			 (json_int_t)l->validation_time_us, "validation_memory_bytes",
			 (json_int_t)l->validation_memory_bytes, "validation_output_bytes",
			 (json_int_t)l->validation_output_bytes, "validation_passes",
			 (json_int_t)l->validation_passes);
}

/*
 * While a package is read there is no version and no build yet, and the text is what the version is the hash of.
 */
char *problem_to_manifest(const struct problem *p)
{
	json_t *root;
	char *text;

	root = json_pack("{s:i, s:s, s:s, s:i, s:o, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o}",
			 "layout", MANIFEST_LAYOUT, "name", p->name, "title", p->title, "kind",
			 (int)p->kind, "limits", limits_to_json(&p->limits), "custom", p->custom,
			 "custom_score", p->custom_score, "minimize", p->minimize, "show_groups",
			 p->show_groups, "validator", program_to_json(&p->validator), "grader",
			 program_to_json(&p->grader), "groups", problem_groups_to_json(p), "cases",
			 cases_to_json(p));
	if (root)
		problem_supply_to_json(p, root);
	if (root && p->nalso > 0)
		json_object_set_new(root, "also", also_to_json(p));
	if (root && p->interactor.nsources > 0)
		json_object_set_new(root, "interactor", program_to_json(&p->interactor));
	if (root && p->protocol != PROBLEM_ICPC)
		json_object_set_new(root, "protocol", json_integer(p->protocol));
	if (root && p->version[0])
		json_object_set_new(root, "version", json_string(p->version));
	text = root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(root);
	return text;
}

static int set_hash(char *out, const char *hash)
{
	if (strlen(hash) != HASH_LEN || strspn(hash, "0123456789abcdef") != HASH_LEN)
		return -1;
	memcpy(out, hash, HASH_LEN + 1);
	return 0;
}

static int file_from_json(json_t *item, struct problem_file *f)
{
	const char *name, *hash;
	json_int_t bytes;
	int mode;

	if (json_unpack(item, "{s:s, s:s, s:I, s:i !}", "name", &name, "hash", &hash, "bytes",
			&bytes, "mode", &mode) < 0 ||
	    bytes < 0 || set_hash(f->hash, hash) < 0)
		return -1;
	f->bytes = (uint64_t)bytes;
	f->mode = (uint32_t)mode;
	f->name = strdup(name);
	return f->name ? 0 : -1;
}

int problem_files_from_json(json_t *list, struct problem_file **out, size_t *n)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list))
		return -1;
	*out = count ? calloc(count, sizeof(**out)) : NULL;
	if (count && !*out)
		return -1;
	for (; *n < count; ++*n)
		if (file_from_json(json_array_get(list, *n), &(*out)[*n]) < 0) {
			++*n; /* what is in it is released with the rest */
			return -1;
		}
	return 0;
}

int problem_words_from_json(json_t *list, char ***out)
{
	size_t n = json_array_size(list);

	*out = json_is_array(list) ? calloc(n + 1, sizeof(char *)) : NULL;
	for (size_t i = 0; *out && i < n; i++) {
		const char *word = json_string_value(json_array_get(list, i));

		(*out)[i] = word ? strdup(word) : NULL;
		if (!(*out)[i])
			return -1;
	}
	return *out ? 0 : -1;
}

static int case_from_json(json_t *item, const struct problem *p, struct problem_case *c)
{
	const char *name, *in, *ans;
	json_int_t in_bytes, ans_bytes, group = 0;
	struct err ignored;
	json_t *args, *read_below;

	if (json_unpack(item, "{s:s, s:s, s:I, s:s, s:I, s:o, s?I, s?o, s?o !}", "name", &name,
			"in", &in, "in_bytes", &in_bytes, "ans", &ans, "ans_bytes", &ans_bytes,
			"args", &args, "group", &group, "run_args", &read_below, "files",
			&read_below) < 0 ||
	    set_hash(c->in.hash, in) < 0 || set_hash(c->ans.hash, ans) < 0 || in_bytes < 0 ||
	    ans_bytes < 0 || group < 0 || (size_t)group >= p->ngroups)
		return -1;
	c->name = strdup(name);
	c->group = (size_t)group;
	c->in.bytes = (uint64_t)in_bytes;
	c->ans.bytes = (uint64_t)ans_bytes;
	if (!c->name || problem_words_from_json(args, &c->args) < 0 ||
	    problem_case_supply_from_json(item, c) < 0)
		return -1;
	return p->custom ? 0
			 : validator_flags_parse((const char *const *)c->args, &c->flags, &ignored);
}

static int cases_from_json(json_t *list, struct problem *p)
{
	size_t n = json_array_size(list);

	if (n == 0 || n > PROBLEM_CASES_MAX)
		return -1;
	p->cases = calloc(n, sizeof(*p->cases));
	if (!p->cases)
		return -1;
	for (p->ncases = 0; p->ncases < n;) {
		struct problem_case *c = &p->cases[p->ncases++];

		if (case_from_json(json_array_get(list, p->ncases - 1), p, c) < 0)
			return -1;
	}
	return 0;
}

static int limits_from_json(json_t *item, struct problem_limits *l)
{
	json_int_t v[10] = {[9] = 1};

	if (json_unpack(item, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s?I !}", "time_us",
			&v[0], "memory_bytes", &v[1], "output_bytes", &v[2], "code_bytes", &v[3],
			"compilation_time_us", &v[4], "compilation_memory_bytes", &v[5],
			"validation_time_us", &v[6], "validation_memory_bytes", &v[7],
			"validation_output_bytes", &v[8], "validation_passes", &v[9]) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (v[i] < 0)
			return -1;
	*l = (struct problem_limits){
		.time_us = (uint64_t)v[0],
		.memory_bytes = (uint64_t)v[1],
		.output_bytes = (uint64_t)v[2],
		.code_bytes = (uint64_t)v[3],
		.compilation_time_us = (uint64_t)v[4],
		.compilation_memory_bytes = (uint64_t)v[5],
		.validation_time_us = (uint64_t)v[6],
		.validation_memory_bytes = (uint64_t)v[7],
		.validation_output_bytes = (uint64_t)v[8],
		.validation_passes = (uint32_t)v[9],
	};
	return 0;
}

/* A program that was built.  null: there is none. */
static int program_from_json(json_t *item, struct problem_program *p)
{
	json_t *sources, *artifacts;
	const char *language;

	if (!item || json_is_null(item))
		return 0;
	if (json_unpack(item, "{s:o, s:s, s:o !}", "sources", &sources, "language", &language,
			"artifacts", &artifacts) < 0 ||
	    problem_files_from_json(sources, &p->sources, &p->nsources) < 0 ||
	    problem_files_from_json(artifacts, &p->artifacts, &p->nartifacts) < 0)
		return -1;
	p->language = strdup(language);
	return p->language && p->nsources > 0 ? 0 : -1;
}

/* Layout 1 had the validator's parts at the top. */
static json_t *validator_of_layout_1(json_t *root)
{
	json_t *item = json_object();

	json_object_set(item, "sources", json_object_get(root, "sources"));
	json_object_set(item, "language", json_object_get(root, "language"));
	json_object_set(item, "artifacts", json_object_get(root, "artifacts"));
	return item;
}

static int also_from_json(json_t *list, struct problem *p)
{
	size_t n = json_array_size(list);

	if (!list)
		return 0;
	p->also = n > 0 ? calloc(n, sizeof(*p->also)) : NULL;
	if (!p->also || !p->custom)
		return -1;
	for (size_t i = 0; i < n; i++) {
		p->nalso = i + 1;
		if (program_from_json(json_array_get(list, i), &p->also[i]) < 0)
			return -1;
	}
	return 0;
}

static int programs_from_json(json_t *root, int layout, struct problem *p)
{
	json_int_t protocol = json_integer_value(json_object_get(root, "protocol"));
	json_t *validator;
	int rc = 0;

	if (protocol < PROBLEM_ICPC || protocol > PROBLEM_TESTLIB)
		return -1;
	p->protocol = (enum problem_protocol)protocol;
	if (layout > 1)
		validator = json_incref(json_object_get(root, "validator"));
	else
		validator = p->custom ? validator_of_layout_1(root) : json_null();
	if (program_from_json(validator, &p->validator) < 0 ||
	    program_from_json(json_object_get(root, "grader"), &p->grader) < 0 ||
	    program_from_json(json_object_get(root, "interactor"), &p->interactor) < 0 ||
	    (p->validator.nsources > 0) != p->custom)
		rc = -1;
	json_decref(validator);
	if (rc == 0)
		rc = also_from_json(json_object_get(root, "also"), p);
	return rc;
}

/* What every layout has. */
static int head_from_json(json_t *root, struct problem *p, int *layout, struct err *e)
{
	const char *name, *title, *version;
	json_error_t why;
	json_int_t kind = 0;

	if (json_unpack_ex(root, &why, 0, "{s:i, s:s, s:s, s:s, s?I, s:b, s?b, s?b, s?b}", "layout",
			   layout, "name", &name, "title", &title, "version", &version, "kind",
			   &kind, "custom", &p->custom, "custom_score", &p->custom_score,
			   "minimize", &p->minimize, "show_groups", &p->show_groups) < 0)
		return err_set(e, "manifest: %s", why.text);
	if (*layout < 1 || *layout > MANIFEST_LAYOUT)
		return err_set(e, "manifest: layout %d, expected at most %d", *layout,
			       MANIFEST_LAYOUT);
	p->kind = (unsigned)kind;
	p->name = strdup(name);
	p->title = strdup(title);
	if (!p->name || !p->title)
		return err_sys(e, "manifest");
	if (set_hash(p->version, version) < 0)
		return err_set(e, "manifest: version is not a hash");
	return 0;
}

/* A key that nobody here knows might change the verdict. */
static int check_keys(json_t *root, struct err *e)
{
	static const char *const keys[] = {
		"layout",     "name",    "minimize", "show_groups",  "title",     "version",
		"kind",       "limits",  "custom",   "custom_score", "validator", "grader",
		"groups",     "cases",   "protocol", "languages",    "includes",  "also",
		"interactor", "sources", "language", "artifacts", /* layout 1 */
	};
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
	{
		size_t i = 0;

		while (i < ARRAY_LEN(keys) && strcmp(keys[i], key) != 0)
			i++;
		if (i == ARRAY_LEN(keys))
			return err_set(e, "manifest: unknown key %.40s", key);
	}
	return 0;
}

static int from_json(json_t *root, struct problem *p, struct err *e)
{
	int layout;

	if (head_from_json(root, p, &layout, e) < 0 || check_keys(root, e) < 0)
		return -1;
	if (limits_from_json(json_object_get(root, "limits"), &p->limits) < 0)
		return err_set(e, "manifest: limits are malformed");
	if (programs_from_json(root, layout, p) < 0)
		return err_set(e, "manifest: a program of the jury is malformed");
	if (problem_supply_from_json(root, p) < 0)
		return err_set(e, "manifest: languages or included files are malformed");
	if (problem_groups_from_json(json_object_get(root, "groups"), p) < 0)
		return err_set(e, "manifest: group %zu is malformed", p->ngroups);
	if (cases_from_json(json_object_get(root, "cases"), p) < 0)
		return err_set(e, "manifest: test %zu is malformed", p->ncases);
	return 0;
}

int problem_from_manifest(const char *json, struct problem *p, struct err *e)
{
	json_error_t why;
	json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &why);
	int rc;

	*p = (struct problem){.dir = -1};
	if (!root)
		return err_set(e, "manifest: %s", why.text);
	rc = from_json(root, p, e);
	json_decref(root);
	if (rc < 0)
		problem_release(p);
	return rc;
}
