#include "judge/example.h"

#include "judge/answers.h"
#include "judge/language.h"
#include "judge/names.h"
#include "judge/problem.h"
#include "judge/supply.h"
#include "proto/err.h"
#include "proto/scope.h"

/* A program starts in the file that the language finds; an entry point that is said must be that one. */
static int check_entrypoint(const struct language *l, const struct problem_submission *s,
			    const char *const *names, struct err *e)
{
	const char *want = s->entrypoint;
	size_t main;

	if (!want)
		return 0;
	if (language_main(l, names, s->nfiles, &main, e) < 0)
		return -1;
	if (strcmp(want, names[main]) == 0 || (strlen(want) == names_stem_len(names[main]) &&
					       strncmp(want, names[main], strlen(want)) == 0))
		return 0;
	return err_set(e, "submissions.yaml says that it starts in %.60s, but %s starts in %.60s",
		       want, l->name, names[main]);
}

static const struct language *find_language(const struct languages *all,
					    const struct problem *package,
					    const struct problem_submission *s, struct err *e)
{
	const char **names;
	const struct language *l;

	if (package->kind & PROBLEM_SUBMIT_ANSWER)
		return answers_language();
	names = calloc(s->nfiles + 1, sizeof(*names));
	if (!names) {
		err_set(e, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < s->nfiles; i++)
		names[i] = s->files[i].name;
	l = s->language ? languages_by_code(all, s->language, e)
			: languages_by_files(all, names, s->nfiles, 1, e);
	if (l && check_entrypoint(l, s, names, e) < 0)
		l = NULL;
	if (l && !supply_allows(package->languages, l)) {
		err_set(e, "problem.yaml does not have %s in languages", l->code);
		l = NULL;
	}
	free(names);
	return l;
}

/* As large as a contestant's may be, since that is what it stands for. */
static int load_sources(const struct problem *package, const struct problem_submission *s,
			struct example *x, struct err *e)
{
	uint64_t bytes = 0;

	x->sources = calloc(s->nfiles + 1, sizeof(*x->sources));
	if (!x->sources)
		return err_set(e, "out of memory");
	for (; x->nsources < s->nfiles; x->nsources++) {
		struct compile_source *to = &x->sources[x->nsources];
		char *data;

		if (problem_load(package, &s->files[x->nsources], &data, &to->len, e) < 0)
			return -1;
		to->name = s->files[x->nsources].name;
		to->data = data;
		bytes += to->len;
	}
	if (bytes <= package->limits.code_bytes)
		return 0;
	return err_set(e, "larger than the problem's code limit of %llu bytes",
		       (unsigned long long)package->limits.code_bytes);
}

int example_load(const struct languages *all, const struct problem *package,
		 const struct problem_submission *s, struct example *x, struct err *e)
{
	*x = (struct example){.language = find_language(all, package, s, e)};
	if (x->language && load_sources(package, s, x, e) == 0)
		return 0;
	example_release(x);
	return -1;
}

void example_release(struct example *x)
{
	for (size_t i = 0; i < x->nsources; i++)
		free((void *)x->sources[i].data);
	free(x->sources);
	x->sources = NULL;
	x->nsources = 0;
}

enum job_end example_judge(const struct example *x, const struct job_config *config,
			   struct job_result *out, struct err *e)
{
	struct job_config own = *config;
	struct job job;
	enum job_end end;

	own.language = x->language;
	own.sources = x->sources;
	own.nsources = x->nsources;
	job_init(&job, &own);
	end = job_run(&job, out, e);
	job_release(&job);
	return end;
}
