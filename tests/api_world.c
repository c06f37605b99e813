#include "tests/api_world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"

static const struct rule {
	const char *name, *extensions;
} rules[] = {
	{"c", "c"}, {"cpp17", "cpp, cc"}, {"cpp20", "cpp"}, {"python3", "py"}, {"rust", "rs"},
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert(fd >= 0, "%s", path);
	cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void make_languages(struct world *w)
{
	struct err e = {0};
	char dir[128], text[512];

	snprintf(dir, sizeof(dir), "%s/languages", w->dir);
	cr_assert(mkdir(dir, 0700) == 0);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		snprintf(text, sizeof(text),
			 "name: %s\ntitle: Language %s\nextensions: [%s]\n"
			 "version: [/bin/true]\nrun:\n  command: [/bin/true, \"{main}\"]\n"
			 "  policy: native\n  processes: 1\n",
			 rules[i].name, rules[i].name, rules[i].extensions);
		write_file(dir, rules[i].name, text);
	}
	write_file(dir, "odd", "name: odd\nflavour: strange\n");
	cr_assert(languages_load(dir, &w->languages, &e) == 0, "%s", e.msg);
	cr_assert(w->languages.n == ARRAY_LEN(rules) && w->languages.nbroken == 1, "%zu %zu: %s",
		  w->languages.n, w->languages.nbroken,
		  w->languages.nbroken ? w->languages.broken[0].reason : "");
	for (size_t i = 0; i < w->languages.n; i++) {
		struct language *l = &w->languages.items[i];

		if (strcmp(l->name, "rust") == 0)
			language_set_missing(l, "no /usr/bin/rustc");
		else
			language_set_found(l, "version 1.2", 11);
	}
}

static void add_problem(struct world *w, char *name, uint32_t tests, uint64_t code_limit)
{
	Judge__V1__Problem summary = JUDGE__V1__PROBLEM__INIT;
	struct store_problem p = {
		.name = name, .title = "A title", .manifest = "{}", .summary = &summary};
	struct err e = {0};

	memset(p.version, name[0] == 'a' ? 'a' : 'f', STORE_HASH_LEN);
	summary.name = p.name;
	summary.title = p.title;
	summary.version = p.version;
	summary.tests = tests;
	summary.cpu_limit_us = 1000000;
	summary.memory_limit_bytes = 64 << 20;
	summary.output_limit_bytes = 8 << 20;
	summary.code_limit_bytes = code_limit;
	summary.validation = "default";
	if (strcmp(name, "zeta") == 0) {
		static char *languages[] = {"c", "python3"};
		static char *includes[] = {"c/driver.c", "default/words.txt"};

		summary.languages = languages;
		summary.n_languages = ARRAY_LEN(languages);
		summary.includes = includes;
		summary.n_includes = ARRAY_LEN(includes);
	}
	cr_assert(store_add_problem(w->store, &p, &e) == 0, "%s", e.msg);
}

static void on_commit(void *arg, enum store_change change, const char *submission)
{
	struct world *w = arg;

	(void)change;
	if (!w->mute)
		api_committed(w->api, submission);
}

void world_open(struct world *w)
{
	struct api_config config = {
		.max_queued = 10, .source_bytes = 5000, .workers = 2, .version = "1.0"};
	struct err e = {0};
	char url[128];

	*w = (struct world){.dir = "/tmp/gavel-api-XXXXXX"};
	cr_assert(mkdtemp(w->dir) != NULL);
	make_languages(w);
	snprintf(url, sizeof(url), "sqlite:%s/state", w->dir);
	w->store = store_open(url, &e);
	cr_assert(w->store != NULL, "%s", e.msg);
	config.store = w->store;
	config.languages = &w->languages;
	w->api = api_new(&config, &e);
	cr_assert(w->api != NULL, "%s", e.msg);
	store_on_commit(w->store, on_commit, w);
	add_problem(w, "aplusb", 3, 1000);
	add_problem(w, "zeta", 1, 0);
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void world_close(struct world *w)
{
	store_close(w->store);
	api_free(w->api);
	languages_release(&w->languages);
	cr_assert(nftw(w->dir, delete_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

const char *world_submit(struct world *w, const char *name, const char *content)
{
	static char id[STORE_ID_LEN + 1];
	Judge__V1__SourceFile file = JUDGE__V1__SOURCE_FILE__INIT, *files = &file;
	Judge__V1__SubmitRequest q = JUDGE__V1__SUBMIT_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__SubmitResponse *r;

	file.name = (char *)name;
	file.content = (ProtobufCBinaryData){strlen(content), (uint8_t *)content};
	q.problem = "aplusb";
	q.sources = &files;
	q.n_sources = 1;
	r = (Judge__V1__SubmitResponse *)api_methods[0].handler(w->api, &q.base, &st);
	cr_assert(r != NULL, "%s", st.message);
	memcpy(id, r->id, sizeof(id));
	judge__v1__submit_response__free_unpacked(r, NULL);
	return id;
}

void world_claim(struct world *w, struct store_job *job)
{
	struct err e = {0};

	*job = (struct store_job){0};
	cr_assert(store_claim(w->store, "tester", 60000000, job, &e) == 1, "%s", e.msg);
}

void world_test(struct world *w, const struct store_job *job, uint32_t test,
		Judge__V1__Verdict verdict)
{
	Judge__V1__Event event = JUDGE__V1__EVENT__INIT, *events = &event;
	Judge__V1__Usage usage = JUDGE__V1__USAGE__INIT;
	Judge__V1__Run run = JUDGE__V1__RUN__INIT;
	struct err e = {0};

	usage.cpu_time_us = 1000 * test;
	usage.memory_peak_bytes = 1 << 20;
	run.test = test;
	run.name = "secret/01";
	run.verdict = verdict;
	run.usage = &usage;
	event.kind = JUDGE__V1__EVENT__KIND__TEST;
	event.run = &run;
	cr_assert(store_append_events(w->store, job, &events, 1, &e) == 0, "%s", e.msg);
}

void world_finish(struct world *w, struct store_job *job, Judge__V1__Verdict verdict)
{
	struct store_result result = {.verdict = verdict, .message = "", .compiler_message = ""};
	struct err e = {0};

	cr_assert(store_finish(w->store, job, &result, &e) == 0, "%s", e.msg);
	store_job_release(job);
}
