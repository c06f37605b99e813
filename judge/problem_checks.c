/* input_validators/, which look at the data of a package before anybody is judged on it. */
#include "judge/names.h"
#include "judge/package.h"
#include "judge/problem_parts.h"
#include "proto/err.h"
#include "proto/scope.h"

/* Formats of other tools, which are not here. */
static int is_foreign(const char *name)
{
	const char *extension = names_extension(name);

	return strcmp(extension, "viva") == 0 || strcmp(extension, "ctd") == 0;
}

static int add_validator(struct problem *p, const char *folder, const struct package_entry *entry,
			 struct err *e)
{
	struct problem_input_validator *grown, *v;
	struct err why;

	if (is_foreign(entry->name))
		return problem_warn(p, e, "%s/%s: VIVA and Checktestdata are not run here", folder,
				    entry->name);
	grown = reallocarray(p->input_validators, p->ninput_validators + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, "%s", folder);
	p->input_validators = grown;
	v = &grown[p->ninput_validators++];
	*v = (struct problem_input_validator){.name = strdup(entry->name)};
	if (!v->name)
		return err_sys(e, "%s", folder);
	if (problem_read_program(p, folder, entry, &v->program.sources, &v->program.nsources,
				 &why) == 0)
		return 0;
	v->program.nsources = 0; /* what was read of it stays unused */
	return problem_warn(p, e, "%s, so this input validator is not run", why.msg);
}

int problem_read_input_validators(struct problem *p, struct err *e)
{
	static const char *const folders[] = {"input_validators", "input_format_validators"};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct package_entry *list;
		size_t n;
		int rc = package_list(p->dir, folders[i], &list, &n, e);

		if (rc < 0)
			return -1;
		for (size_t k = 0; rc == 0 && k < n; k++)
			rc = add_validator(p, folders[i], &list[k], e);
		found += n;
		package_list_free(list, n);
		if (rc < 0)
			return -1;
	}
	return found ? 0
		     : problem_warn(
			       p, e,
			       "input_validators: there is none, so nobody has checked the inputs");
}
