/* The api's rules about fields, each against the real store: what is refused is not stored. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "tests/api_world.h"

static struct world w;

static void setup(void)
{
	world_open(&w);
}

static void teardown(void)
{
	world_close(&w);
}

TestSuite(api, .init = setup, .fini = teardown, .timeout = 60);

static ProtobufCMessage *call(const char *name, const void *request, struct api_status *st)
{
	for (size_t i = 0; i < api_nmethods; i++)
		if (strcmp(api_methods[i].name, name) == 0)
			return api_methods[i].handler(w.api, request, st);
	cr_fatal("no method %s", name);
	return NULL;
}

static size_t count_stored(void)
{
	Judge__V1__ListSubmissionsRequest q = JUDGE__V1__LIST_SUBMISSIONS_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListSubmissionsResponse *r = (void *)call("ListSubmissions", &q, &st);
	size_t n;

	cr_assert(r != NULL, "%s", st.message);
	n = r->n_submissions;
	judge__v1__list_submissions_response__free_unpacked(r, NULL);
	return n;
}

/* One file, as most requests have it; NULL content stands for 4 bytes. */
struct row {
	const char *problem, *language, *name, *content, *request_id, *author;
	enum api_code code;
	const char *message; /* begins with */
};

#define A100                                                                                       \
	"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiii" \
	"iijjjjjjjj.c"
#define A300 A100 A100 A100

/* clang-format off */
static const struct row rows[] = {
	{"aplusb", "c", "a.c", NULL, "", "", API_OK, ""},
	{"aplusb", "", "a.c", NULL, "", "", API_OK, ""},
	{"aplusb", "", "a.cc", NULL, "", "", API_OK, ""},
	{"aplusb", "c", "", NULL, "", "", API_OK, ""},
	{"aplusb", "c", A100, NULL, "", "", API_OK, ""},
	{"", "c", "a.c", NULL, "", "", API_INVALID_ARGUMENT, "problem: is empty"},
	{"nosuch", "c", "a.c", NULL, "", "", API_NOT_FOUND, "problem: "},
	{"../etc", "c", "a.c", NULL, "", "", API_NOT_FOUND, "problem: "},
	{"aplusb", "cobol", "a.c", NULL, "", "", API_NOT_FOUND, "language: no language is called \"cobol\""},
	{"aplusb", "rust", "a.rs", NULL, "", "", API_FAILED_PRECONDITION, "language: rust is not available: no /usr/bin/rustc"},
	{"zeta", "cpp17", "a.cpp", NULL, "", "", API_FAILED_PRECONDITION, "language: problem \"zeta\" takes c, python3 only, not cpp17"},
	{"zeta", "c", "a.c", NULL, "", "", API_INVALID_ARGUMENT, "sources: 2 files of c, none of them called main.c"},
	{"zeta", "python3", "a.py", NULL, "", "", API_OK, ""},
	{"zeta", "c", "driver.c", NULL, "", "", API_OK, ""},
	{"aplusb", "odd", "a.odd", NULL, "", "", API_FAILED_PRECONDITION, "language: odd is not available: its rule is broken: odd.yaml:"},
	{"aplusb", "", "a.cpp", NULL, "", "", API_INVALID_ARGUMENT, "language: is empty; "},
	{"aplusb", "", "a.rs", NULL, "", "", API_INVALID_ARGUMENT, "language: is empty; "},
	{"aplusb", "", "a", NULL, "", "", API_INVALID_ARGUMENT, "language: is empty; "},
	{"aplusb", "", "", NULL, "", "", API_INVALID_ARGUMENT, "language: is empty; "},
	{"aplusb", "c", "a.py", NULL, "", "", API_INVALID_ARGUMENT, "sources: "},
	{"aplusb", "c", "../x.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "/etc/x.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", ".x.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "-o.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "a b.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "\xc3\xa9.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "a\n.c", NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", A300, NULL, "", "", API_INVALID_ARGUMENT, "sources[0].name: "},
	{"aplusb", "c", "a.c", "", "", "", API_INVALID_ARGUMENT, "sources[0].content: is empty"},
	{"aplusb", "c", "a.c", NULL, A100 "0123456789012345678901234567", "", API_OK, ""},
	{"aplusb", "c", "a.c", NULL, A100 "01234567890123456789012345678", "", API_INVALID_ARGUMENT, "request_id: is 129 bytes long, at most 128"},
	{"aplusb", "c", "a.c", NULL, "", A300, API_INVALID_ARGUMENT, "author: is 300 bytes long, at most 256"},
	{"aplusb", "c", "a.c", NULL, "", "Zo\xc3\xab", API_OK, ""},
};
/* clang-format on */

static ProtobufCMessage *submit_row(const struct row *row, struct api_status *st)
{
	Judge__V1__SourceFile file = JUDGE__V1__SOURCE_FILE__INIT, *files = &file;
	Judge__V1__SubmitRequest q = JUDGE__V1__SUBMIT_REQUEST__INIT;
	const char *content = row->content ? row->content : "text";

	file.name = (char *)row->name;
	file.content = (ProtobufCBinaryData){strlen(content), (uint8_t *)content};
	q.problem = (char *)row->problem;
	q.language = (char *)row->language;
	q.request_id = (char *)row->request_id;
	q.author = (char *)row->author;
	q.sources = &files;
	q.n_sources = 1;
	return call("Submit", &q, st);
}

Test(api, submit_checks_every_field)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct api_status st = {0};
		size_t before = count_stored();
		ProtobufCMessage *r = submit_row(&rows[i], &st);

		cr_expect(eq(int, r != NULL, rows[i].code == API_OK), "row %zu: %d %s", i, st.code,
			  st.message);
		cr_expect(r || st.code == rows[i].code, "row %zu: %d %s", i, st.code, st.message);
		cr_expect(r || strncmp(st.message, rows[i].message, strlen(rows[i].message)) == 0,
			  "row %zu: %s", i, st.message);
		cr_expect(count_stored() == before + (r != NULL), "row %zu", i);
		if (r)
			protobuf_c_message_free_unpacked(r, NULL);
	}
}

static enum api_code submit_files(size_t n, size_t bytes, const char *const *names, char *message)
{
	Judge__V1__SubmitRequest q = JUDGE__V1__SUBMIT_REQUEST__INIT;
	Judge__V1__SourceFile *files = calloc(n + 1, sizeof(*files));
	Judge__V1__SourceFile **list = calloc(n + 1, sizeof(*list));
	char(*made)[16] = calloc(n + 1, sizeof(*made));
	uint8_t *content = calloc(1, bytes);
	struct api_status st = {0};
	ProtobufCMessage *r;

	memset(content, ' ', bytes);
	for (size_t i = 0; i < n; i++) {
		judge__v1__source_file__init(&files[i]);
		snprintf(made[i], sizeof(made[i]), i ? "f%zu.h" : "main.c", i);
		files[i].name = names ? (char *)names[i] : made[i];
		files[i].content = (ProtobufCBinaryData){bytes, content};
		list[i] = &files[i];
	}
	q.problem = bytes > 1000 ? "zeta" : "aplusb";
	q.language = "c";
	q.sources = list;
	q.n_sources = n;
	r = call("Submit", &q, &st);
	if (r)
		protobuf_c_message_free_unpacked(r, NULL);
	snprintf(message, sizeof(st.message), "%s", r ? "" : st.message);
	free(files);
	free(list);
	free(made);
	free(content);
	return r ? API_OK : st.code;
}

Test(api, submit_checks_several_files)
{
	static const char *const twice[] = {"main.c", "x.h", "x.h"};
	static const char *const nameless[] = {"main.c", ""};
	static const char *const two_mains[] = {"one.c", "two.c"};
	char message[700];

	cr_expect(eq(int, submit_files(0, 1, NULL, message), API_INVALID_ARGUMENT));
	cr_expect(eq(str, message, "sources: 0 files, must be 1 to 64"));
	cr_expect(eq(int, submit_files(64, 10, NULL, message), API_OK));
	cr_expect(eq(int, submit_files(65, 10, NULL, message), API_INVALID_ARGUMENT));
	cr_expect(eq(str, message, "sources: 65 files, must be 1 to 64"));
	cr_expect(eq(int, submit_files(3, 10, twice, message), API_INVALID_ARGUMENT));
	cr_expect(eq(str, message, "sources[2].name: \"x.h\" is the name of sources[1] too"));
	cr_expect(eq(int, submit_files(2, 10, nameless, message), API_INVALID_ARGUMENT));
	cr_expect(strncmp(message, "sources[1].name: is empty", 25) == 0, "%s", message);
	cr_expect(eq(int, submit_files(2, 10, two_mains, message), API_INVALID_ARGUMENT));
	cr_expect(strncmp(message, "sources: ", 9) == 0, "%s", message);
}

Test(api, submit_limits_the_size_of_all_files_together)
{
	char message[700];

	cr_expect(eq(int, submit_files(2, 500, NULL, message), API_OK));
	cr_expect(eq(int, submit_files(2, 501, NULL, message), API_RESOURCE_EXHAUSTED));
	cr_expect(eq(str, message, "sources: 1002 bytes, problem \"aplusb\" allows 1000"));
	cr_expect(eq(int, submit_files(2, 2500, NULL, message), API_OK));
	cr_expect(eq(int, submit_files(2, 2501, NULL, message), API_RESOURCE_EXHAUSTED));
	cr_expect(eq(str, message, "sources: 5002 bytes, this server allows 5000"));
}

Test(api, a_full_queue_refuses)
{
	struct row row = rows[0];
	struct api_status st = {0};

	for (int i = 0; i < 10; i++)
		world_submit(&w, "a.c", "text");
	cr_assert(eq(ptr, submit_row(&row, &st), NULL));
	cr_expect(eq(int, st.code, API_RESOURCE_EXHAUSTED));
	cr_expect(eq(sz, count_stored(), 10));
}

Test(api, a_request_id_makes_submit_repeatable)
{
	struct row row = rows[0];
	struct api_status st = {0};
	Judge__V1__SubmitResponse *first, *second;

	row.request_id = "0d9e";
	first = (void *)submit_row(&row, &st);
	second = (void *)submit_row(&row, &st);
	cr_assert(first && second, "%s", st.message);
	cr_expect(eq(str, first->id, second->id));
	cr_expect(not(first->existed));
	cr_expect(second->existed);
	row.content = "other";
	cr_expect(eq(ptr, submit_row(&row, &st), NULL));
	cr_expect(eq(int, st.code, API_ALREADY_EXISTS));
	cr_expect(strncmp(st.message, "request_id: ", 12) == 0, "%s", st.message);
	cr_expect(eq(sz, count_stored(), 1));
	judge__v1__submit_response__free_unpacked(first, NULL);
	judge__v1__submit_response__free_unpacked(second, NULL);
}

Test(api, a_single_file_gets_the_rules_name)
{
	Judge__V1__GetSubmissionRequest q = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	struct row row = rows[3];
	struct api_status st = {0};
	Judge__V1__SubmitResponse *r = (void *)submit_row(&row, &st);
	Judge__V1__Submission *s;

	cr_assert(r != NULL, "%s", st.message);
	q.id = r->id;
	q.with_sources = 1;
	s = (void *)call("GetSubmission", &q, &st);
	cr_assert(s != NULL, "%s", st.message);
	cr_assert(eq(sz, s->n_sources, 1));
	cr_expect(eq(str, s->sources[0]->name, "main.c"));
	cr_expect(eq(int, s->state, JUDGE__V1__STATE__QUEUED));
	cr_expect(eq(u32, s->tests_total, 3));
	judge__v1__submission__free_unpacked(s, NULL);
	judge__v1__submit_response__free_unpacked(r, NULL);
}

Test(api, ids_are_checked)
{
	static const char *const malformed[] = {"",
						"12",
						"0123456789abcdef0123456789abcdeF",
						"0123456789abcdef0123456789abcdef0",
						"../../../../../../../../etc/passw",
						"0123456789abcdef0123456789abcde\n"};
	Judge__V1__GetSubmissionRequest get = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	Judge__V1__CancelSubmissionRequest cancel = JUDGE__V1__CANCEL_SUBMISSION_REQUEST__INIT;
	Judge__V1__WatchSubmissionRequest watch = JUDGE__V1__WATCH_SUBMISSION_REQUEST__INIT;
	struct api_events events;
	struct api_status st = {0};

	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		get.id = cancel.id = watch.id = (char *)malformed[i];
		cr_expect(eq(ptr, call("GetSubmission", &get, &st), NULL));
		cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
		cr_expect(eq(str, st.message, "id: must be 32 lower-case hexadecimal digits"));
		cr_expect(eq(ptr, call("CancelSubmission", &cancel, &st), NULL));
		cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
		cr_expect(eq(int, api_check_watch(&watch, &st), -1));
		cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
	}
	get.id = cancel.id = "0123456789abcdef0123456789abcdef";
	cr_expect(eq(ptr, call("GetSubmission", &get, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	cr_expect(eq(str, st.message, "id: unknown"));
	cr_expect(eq(ptr, call("CancelSubmission", &cancel, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	cr_expect(eq(int, api_events(w.api, get.id, 0, &events, &st), -1));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
}

Test(api, cancel_is_final_and_loses_to_a_result)
{
	Judge__V1__CancelSubmissionRequest q = JUDGE__V1__CANCEL_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};
	struct store_job job;
	Judge__V1__Submission *s;
	char id[STORE_ID_LEN + 1];

	memcpy(id, world_submit(&w, "a.c", "text"), sizeof(id));
	world_claim(&w, &job);
	world_finish(&w, &job, JUDGE__V1__VERDICT__ACCEPTED);
	q.id = id;
	cr_expect(eq(ptr, call("CancelSubmission", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_FAILED_PRECONDITION));
	q.id = (char *)world_submit(&w, "a.c", "text");
	for (int i = 0; i < 2; i++) {
		s = (void *)call("CancelSubmission", &q, &st);
		cr_assert(s != NULL, "%s", st.message);
		cr_expect(eq(int, s->state, JUDGE__V1__STATE__CANCELLED));
		judge__v1__submission__free_unpacked(s, NULL);
	}
}

static Judge__V1__ListSubmissionsResponse *list(const char *language, const char *token,
						uint32_t size, struct api_status *st)
{
	Judge__V1__ListSubmissionsRequest q = JUDGE__V1__LIST_SUBMISSIONS_REQUEST__INIT;

	q.language = (char *)language;
	q.page_token = (char *)token;
	q.page_size = size;
	return (void *)call("ListSubmissions", &q, st);
}

Test(api, lists_are_paged_newest_first)
{
	struct api_status st = {0};
	char ids[7][STORE_ID_LEN + 1], token[600] = "";
	size_t seen = 0;

	for (size_t i = 0; i < 7; i++)
		memcpy(ids[i], world_submit(&w, i % 2 ? "a.c" : "a.py", "text"), sizeof(ids[i]));
	do {
		Judge__V1__ListSubmissionsResponse *r = list("", token, 3, &st);

		cr_assert(r != NULL, "%s", st.message);
		cr_assert(r->n_submissions <= 3 && seen + r->n_submissions <= 7);
		for (size_t i = 0; i < r->n_submissions; i++, seen++)
			cr_expect(eq(str, r->submissions[i]->id, ids[6 - seen]));
		snprintf(token, sizeof(token), "%s", r->next_page_token);
		judge__v1__list_submissions_response__free_unpacked(r, NULL);
	} while (*token);
	cr_expect(eq(sz, seen, 7));
}

Test(api, page_tokens_belong_to_their_list)
{
	Judge__V1__ListProblemsRequest q = JUDGE__V1__LIST_PROBLEMS_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListSubmissionsResponse *r;
	char token[600], bad[600];

	for (int i = 0; i < 3; i++)
		world_submit(&w, "a.c", "text");
	r = list("c", "", 1, &st);
	cr_assert(r != NULL, "%s", st.message);
	snprintf(token, sizeof(token), "%s", r->next_page_token);
	judge__v1__list_submissions_response__free_unpacked(r, NULL);
	cr_assert(strlen(token) > 20);

	cr_expect(eq(ptr, list("", token, 1, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
	cr_expect(strncmp(st.message, "page_token: ", 12) == 0, "%s", st.message);
	q.page_token = token;
	cr_expect(eq(ptr, call("ListProblems", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
	for (size_t i = 0; i < strlen(token); i++) { /* every single digit counts */
		snprintf(bad, sizeof(bad), "%s", token);
		bad[i] = bad[i] == '1' ? '2' : '1';
		cr_expect(eq(ptr, list("c", bad, 1, &st), NULL), "digit %zu", i);
		bad[i] = '\0';
		cr_expect(i == 0 || !list("c", bad, 1, &st), "cut at %zu", i);
	}
	cr_expect(eq(ptr, list("c", "garbage", 1, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
	cr_expect(eq(ptr, list("c", "", 501, &st), NULL));
	cr_expect(eq(str, st.message, "page_size: is 501, at most 500"));
}

Test(api, list_filters_are_values_that_exist)
{
	Judge__V1__ListSubmissionsRequest q = JUDGE__V1__LIST_SUBMISSIONS_REQUEST__INIT;
	struct api_status st = {0};

	q.state = (Judge__V1__State)77;
	cr_expect(eq(ptr, call("ListSubmissions", &q, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
	cr_expect(strncmp(st.message, "state: 77 ", 10) == 0, "%s", st.message);
	q.state = JUDGE__V1__STATE__QUEUED;
	q.verdict = (Judge__V1__Verdict)-1;
	cr_expect(eq(ptr, call("ListSubmissions", &q, &st), NULL));
	cr_expect(strncmp(st.message, "verdict: -1 ", 12) == 0, "%s", st.message);
}

Test(api, problems_are_listed_by_name_and_found)
{
	Judge__V1__ListProblemsRequest q = JUDGE__V1__LIST_PROBLEMS_REQUEST__INIT;
	Judge__V1__GetProblemRequest get = JUDGE__V1__GET_PROBLEM_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListProblemsResponse *first, *second;
	Judge__V1__Problem *p;

	q.page_size = 1;
	first = (void *)call("ListProblems", &q, &st);
	cr_assert(first && first->n_problems == 1, "%s", st.message);
	cr_expect(eq(str, first->problems[0]->name, "aplusb"));
	q.page_token = first->next_page_token;
	second = (void *)call("ListProblems", &q, &st);
	cr_assert(second && second->n_problems == 1, "%s", st.message);
	cr_expect(eq(str, second->problems[0]->name, "zeta"));
	cr_expect(eq(str, second->next_page_token, ""));
	judge__v1__list_problems_response__free_unpacked(first, NULL);
	judge__v1__list_problems_response__free_unpacked(second, NULL);

	get.name = "aplusb";
	p = (void *)call("GetProblem", &get, &st);
	cr_assert(p != NULL, "%s", st.message);
	cr_expect(eq(u32, p->tests, 3));
	judge__v1__problem__free_unpacked(p, NULL);
	get.name = "nosuch";
	cr_expect(eq(ptr, call("GetProblem", &get, &st), NULL));
	cr_expect(eq(int, st.code, API_NOT_FOUND));
	get.name = "";
	cr_expect(eq(ptr, call("GetProblem", &get, &st), NULL));
	cr_expect(eq(int, st.code, API_INVALID_ARGUMENT));
}

Test(api, languages_say_why_they_are_not_there)
{
	Judge__V1__ListLanguagesRequest q = JUDGE__V1__LIST_LANGUAGES_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__ListLanguagesResponse *r = (void *)call("ListLanguages", &q, &st);

	cr_assert(r && r->n_languages == 6, "%s", st.message);
	cr_expect(eq(str, r->languages[0]->name, "c"));
	cr_expect(r->languages[0]->available);
	cr_expect(eq(str, r->languages[0]->version, "version 1.2"));
	cr_expect(eq(str, r->languages[4]->name, "rust"));
	cr_expect(not(r->languages[4]->available));
	cr_expect(eq(str, r->languages[4]->reason, "no /usr/bin/rustc"));
	cr_expect(eq(str, r->languages[5]->name, "odd"));
	cr_expect(not(r->languages[5]->available));
	cr_expect(strncmp(r->languages[5]->reason, "odd.yaml:", 9) == 0, "%s",
		  r->languages[5]->reason);
	judge__v1__list_languages_response__free_unpacked(r, NULL);
}

Test(api, server_info_counts)
{
	static const char *const layers[] = {"seccomp", "cgroup v2", NULL};
	Judge__V1__GetServerInfoRequest q = JUDGE__V1__GET_SERVER_INFO_REQUEST__INIT;
	struct api_status st = {0};
	struct store_job job;
	Judge__V1__ServerInfo *r;

	world_submit(&w, "a.c", "text");
	world_submit(&w, "a.c", "text");
	world_claim(&w, &job);
	store_job_release(&job);
	api_set_layers(w.api, layers);
	r = (void *)call("GetServerInfo", &q, &st);
	cr_assert(r != NULL, "%s", st.message);
	cr_expect(r->queued == 1 && r->running == 1 && r->workers == 2);
	cr_expect(eq(str, r->store, "sqlite"));
	cr_expect(eq(str, r->api, "judge.v1"));
	cr_assert(eq(sz, r->n_layers, 2));
	cr_expect(eq(str, r->layers[1], "cgroup v2"));
	judge__v1__server_info__free_unpacked(r, NULL);
}

struct bell {
	struct api_watcher watcher;
	_Atomic int rings;
};

static void ring(struct api_watcher *watcher)
{
	((struct bell *)watcher)->rings++;
}

Test(api, watchers_hear_commits_of_their_submission_only)
{
	struct bell mine = {.watcher.wake = ring}, other = {.watcher.wake = ring};
	int before, heard;

	memcpy(mine.watcher.id, "0123456789abcdef0123456789abcdef", STORE_ID_LEN + 1);
	memcpy(other.watcher.id, "0123456789abcdef0123456789abcde0", STORE_ID_LEN + 1);
	api_watch(w.api, &mine.watcher);
	api_watch(w.api, &other.watcher);
	before = other.rings;
	for (int i = 0; i < 1000; i++)
		api_committed(w.api, mine.watcher.id);
	cr_expect(mine.rings >= 1000);
	cr_expect(other.rings - before < 1000); /* the slow poll may have rung */
	api_unwatch(w.api, &other.watcher);
	before = other.rings;
	heard = mine.rings;
	for (int i = 0; i < 300 && mine.rings == heard; i++)
		usleep(10000);
	cr_expect(mine.rings > heard);
	cr_expect(eq(int, other.rings, before));
	api_unwatch(w.api, &mine.watcher);
}

Test(api, watchers_are_woken_now_and_then_without_a_commit)
{
	struct bell bell = {.watcher.wake = ring};

	api_watch(w.api, &bell.watcher);
	for (int i = 0; i < 300 && bell.rings == 0; i++)
		usleep(100000);
	cr_expect(bell.rings > 0);
	api_unwatch(w.api, &bell.watcher);
}
