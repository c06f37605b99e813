/* The parts of a manifest that only some packages have: what they give to programs besides standard input. */
#include <jansson.h>

#include "judge/problem_parts.h"
#include "proto/scope.h"

static json_t *includes_to_json(const struct problem *p)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < p->nincludes; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:o}", "code", p->includes[i].code, "files",
						problem_files_to_json(p->includes[i].files,
								      p->includes[i].nfiles)));
	return list;
}

void problem_supply_to_json(const struct problem *p, json_t *root)
{
	if (p->languages)
		json_object_set_new(root, "languages", problem_words_to_json(p->languages));
	if (p->nincludes)
		json_object_set_new(root, "includes", includes_to_json(p));
}

void problem_case_supply_to_json(const struct problem_case *c, json_t *item)
{
	if (c->run_args && c->run_args[0])
		json_object_set_new(item, "run_args", problem_words_to_json(c->run_args));
	if (c->nfiles)
		json_object_set_new(item, "files", problem_files_to_json(c->files, c->nfiles));
}

static int include_from_json(json_t *item, struct problem_include *out)
{
	const char *code;
	json_t *files;

	if (json_unpack(item, "{s:s, s:o !}", "code", &code, "files", &files) < 0)
		return -1;
	out->code = strdup(code);
	return out->code ? problem_files_from_json(files, &out->files, &out->nfiles) : -1;
}

int problem_supply_from_json(json_t *root, struct problem *p)
{
	json_t *languages = json_object_get(root, "languages");
	json_t *includes = json_object_get(root, "includes");
	size_t n = json_array_size(includes);

	if (languages && problem_words_from_json(languages, &p->languages) < 0)
		return -1;
	p->includes = n ? calloc(n, sizeof(*p->includes)) : NULL;
	if (n && !p->includes)
		return -1;
	while (p->nincludes < n) {
		struct problem_include *to = &p->includes[p->nincludes++];

		if (include_from_json(json_array_get(includes, p->nincludes - 1), to) < 0)
			return -1;
	}
	return 0;
}

int problem_case_supply_from_json(json_t *item, struct problem_case *c)
{
	json_t *args = json_object_get(item, "run_args");
	json_t *files = json_object_get(item, "files");

	if (args && problem_words_from_json(args, &c->run_args) < 0)
		return -1;
	return files ? problem_files_from_json(files, &c->files, &c->nfiles) : 0;
}
