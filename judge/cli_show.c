/* The subcommands that ask one thing and print it. */
#include "judge/cli.h"
#include "judge/config.h"
#include "judge/language_check.h"
#include "judge/verify_world.h"
#include "proto/scope.h"

#define PAGE_MAX 500

static const char *state_name(Judge__V1__State state)
{
	static const char *const names[] = {"-", "queued", "running", "finished", "cancelled"};

	return (size_t)state < ARRAY_LEN(names) ? names[state] : "-";
}

static void show_sources(const Judge__V1__Submission *s)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		const ProtobufCBinaryData *content = &s->sources[i]->content;

		fputs("\n--- ", stdout);
		cli_column(s->sources[i]->name, 0);
		putchar('\n');
		cli_bytes(content->data, content->len);
	}
}

static void show_transcripts(const Judge__V1__Submission *s)
{
	for (size_t i = 0; i < s->n_runs; i++) {
		if (!*s->runs[i]->transcript)
			continue;
		fputs("\n--- what was said in ", stdout);
		cli_column(s->runs[i]->name, 0);
		putchar('\n');
		cli_text(s->runs[i]->transcript);
	}
}

static void show_submission(const Judge__V1__Submission *s)
{
	cli_row("submission", s->id);
	cli_row("problem", s->problem);
	cli_row("language", s->language);
	cli_row("author", s->author);
	cli_time_row("submitted", s->submitted_at_us);
	cli_row("state", state_name(s->state));
	cli_time_row("finished", s->finished_at_us);
	if (s->state == JUDGE__V1__STATE__FINISHED) {
		printf("%-16s ", "verdict");
		cli_verdict(s->verdict, 0);
		cli_points(", ", s->score);
		putchar('\n');
	}
	cli_row("message", s->message);
	if (s->evidence)
		cli_row("compiler", s->evidence->compiler_version);
	if (s->evidence && s->evidence->program_cached)
		cli_row("program", "compiled before, for the same sources");
	if (s->n_runs > 0) {
		printf("%-16s", "largest");
		cli_usage(s->cpu_time_us, s->memory_peak_bytes);
		putchar('\n');
	}
	for (size_t i = 0; i < s->n_runs; i++)
		cli_run(s->runs[i], s->tests_total);
	cli_groups(s->score);
	if (*s->compiler_message) {
		fputs("\n--- what the compiler said\n", stdout);
		cli_text(s->compiler_message);
	}
	show_transcripts(s);
	show_sources(s);
}

static void show_judgement(const Judge__V1__Judgement *j)
{
	putchar('\n');
	cli_row(j->current ? "current" : "judgement", state_name(j->state));
	if (j->state == JUDGE__V1__STATE__FINISHED) {
		printf("%-16s ", "verdict");
		cli_verdict(j->verdict, 0);
		putchar('\n');
	}
	cli_time_row("finished", j->finished_at_us);
	cli_row("rejudging", j->rejudging);
	cli_row("problem version", j->problem_version);
	cli_row("message", j->message);
	for (size_t i = 0; i < j->n_runs; i++)
		cli_run(j->runs[i], j->tests_total);
}

static void print_judgements(const ProtobufCMessage *m)
{
	const Judge__V1__ListJudgementsResponse *r = (const Judge__V1__ListJudgementsResponse *)m;

	for (size_t i = 0; i < r->n_judgements; i++)
		show_judgement(r->judgements[i]);
}

/* Prints the answer, if there is one, and frees it. */
static int show(const struct cli_args *args, ProtobufCMessage *m, const struct api_status *st,
		void (*print)(const ProtobufCMessage *))
{
	if (!m)
		return cli_failed(st);
	if (args->json)
		cli_json(m);
	else
		print(m);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void print_submission(const ProtobufCMessage *m)
{
	show_submission((const Judge__V1__Submission *)m);
}

static int show_judgements(const struct cli_args *args)
{
	Judge__V1__ListJudgementsRequest q = JUDGE__V1__LIST_JUDGEMENTS_REQUEST__INIT;
	struct api_status st = {0};

	q.id = args->rest[0];
	q.with_runs = 1;
	return show(args,
		    cli_call(args, "ListJudgements", &q.base,
			     &judge__v1__list_judgements_response__descriptor, &st),
		    &st, print_judgements);
}

int cli_status(struct cli_args *args)
{
	Judge__V1__GetSubmissionRequest q = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};
	int rc;

	q.id = args->rest[0];
	q.with_sources = args->sources;
	rc = show(args,
		  cli_call(args, "GetSubmission", &q.base, &judge__v1__submission__descriptor, &st),
		  &st, print_submission);
	return rc == 0 && args->judgements ? show_judgements(args) : rc;
}

int cli_cancel(struct cli_args *args)
{
	Judge__V1__CancelSubmissionRequest q = JUDGE__V1__CANCEL_SUBMISSION_REQUEST__INIT;
	struct api_status st = {0};

	q.id = args->rest[0];
	return show(args,
		    cli_call(args, "CancelSubmission", &q.base, &judge__v1__submission__descriptor,
			     &st),
		    &st, print_submission);
}

static void print_problem(const ProtobufCMessage *m)
{
	const Judge__V1__Problem *p = (const Judge__V1__Problem *)m;

	cli_row("problem", p->name);
	cli_row("title", p->title);
	cli_row("version", p->version);
	cli_row("validation", p->validation);
	for (size_t i = 0; i < p->n_types; i++)
		cli_row("type", p->types[i]);
	if (*p->objective) {
		cli_row("best score", *p->max_score ? p->max_score : "unbounded");
		cli_row("objective", p->objective);
	}
	for (size_t i = 0; i < p->n_groups; i++)
		cli_row(i == 0 ? "groups" : "", p->groups[i]);
	printf("%-16s %u\n", "tests", p->tests);
	printf("%-16s %.3f s\n", "CPU time", (double)p->cpu_limit_us / 1e6);
	printf("%-16s %.1f MiB\n", "memory", (double)p->memory_limit_bytes / (1 << 20));
	printf("%-16s %.1f MiB\n", "output", (double)p->output_limit_bytes / (1 << 20));
	printf("%-16s %.1f KiB\n", "source", (double)p->code_limit_bytes / (1 << 10));
}

static int show_one_problem(const struct cli_args *args)
{
	Judge__V1__GetProblemRequest q = JUDGE__V1__GET_PROBLEM_REQUEST__INIT;
	struct api_status st = {0};

	q.name = args->rest[0];
	return show(args,
		    cli_call(args, "GetProblem", &q.base, &judge__v1__problem__descriptor, &st),
		    &st, print_problem);
}

static void problem_line(const Judge__V1__Problem *p)
{
	cli_column(p->name, 24);
	printf(" %4u tests  %7.3f s  %7.0f MiB  ", p->tests, (double)p->cpu_limit_us / 1e6,
	       (double)p->memory_limit_bytes / (1 << 20));
	cli_text(p->title);
	putchar('\n');
}

int cli_problems(struct cli_args *args)
{
	Judge__V1__ListProblemsRequest q = JUDGE__V1__LIST_PROBLEMS_REQUEST__INIT;
	AUTO_FREE char *token = NULL;
	struct api_status st = {0};

	if (args->nrest > 0)
		return show_one_problem(args);
	do {
		Judge__V1__ListProblemsResponse *r = (Judge__V1__ListProblemsResponse *)cli_call(
			args, "ListProblems", &q.base,
			&judge__v1__list_problems_response__descriptor, &st);

		if (!r)
			return cli_failed(&st);
		for (size_t i = 0; i < r->n_problems; i++)
			if (args->json)
				cli_json(&r->problems[i]->base);
			else
				problem_line(r->problems[i]);
		free(token);
		q.page_token = token = strdup(r->next_page_token);
		judge__v1__list_problems_response__free_unpacked(r, NULL);
	} while (token && *token);
	return 0;
}

static void print_languages(const ProtobufCMessage *m)
{
	const Judge__V1__ListLanguagesResponse *r = (const Judge__V1__ListLanguagesResponse *)m;

	for (size_t i = 0; i < r->n_languages; i++) {
		const Judge__V1__Language *l = r->languages[i];

		cli_column(l->name, 14);
		fputs(l->available ? " yes  " : " no   ", stdout);
		cli_column(l->title, 28);
		putchar(' ');
		cli_text(l->available ? l->version : l->reason);
		putchar('\n');
	}
}

/* Only --check takes the others. */
static int check_languages(const struct cli_args *args)
{
	unsigned cores = config_physical_cores();
	struct language_check_options o = {
		.host = {.user = args->user, .rules = args->rules, .socket = args->socket},
		.json = args->json,
		.names = args->rest,
		.n = args->nrest,
	};

	if (args->jobs > VERIFY_JOBS_MAX) {
		cli_complain("--jobs: expected a number from 1 to %d", VERIFY_JOBS_MAX);
		return CLI_USAGE;
	}
	cores = cores < VERIFY_JOBS_MAX ? cores : VERIFY_JOBS_MAX;
	o.host.cells = args->jobs ? (unsigned)args->jobs : cores;
	return language_check(&o);
}

int cli_languages(struct cli_args *args)
{
	Judge__V1__ListLanguagesRequest q = JUDGE__V1__LIST_LANGUAGES_REQUEST__INIT;
	struct api_status st = {0};

	if (args->check)
		return check_languages(args);
	if (args->nrest > 0 || args->jobs || args->rules || args->user || args->socket) {
		cli_complain(
			"languages: names, --jobs, --rules, --user and --socket are for --check");
		return CLI_USAGE;
	}
	return show(args,
		    cli_call(args, "ListLanguages", &q.base,
			     &judge__v1__list_languages_response__descriptor, &st),
		    &st, print_languages);
}

static void print_info(const ProtobufCMessage *m)
{
	const Judge__V1__ServerInfo *r = (const Judge__V1__ServerInfo *)m;

	cli_row("version", r->version);
	cli_row("api", r->api);
	cli_row("store", r->store);
	cli_time_row("started", r->started_at_us);
	printf("%-16s %u\n%-16s %u\n%-16s %u\n", "workers", r->workers, "queued", r->queued,
	       "running", r->running);
	for (size_t i = 0; i < r->n_layers; i++)
		cli_row(i == 0 ? "sandbox" : "", r->layers[i]);
}

int cli_info(struct cli_args *args)
{
	Judge__V1__GetServerInfoRequest q = JUDGE__V1__GET_SERVER_INFO_REQUEST__INIT;
	struct api_status st = {0};

	return show(
		args,
		cli_call(args, "GetServerInfo", &q.base, &judge__v1__server_info__descriptor, &st),
		&st, print_info);
}

static void submission_line(const Judge__V1__Submission *s)
{
	printf("%.32s  ", s->id);
	cli_time(s->submitted_at_us);
	fputs("  ", stdout);
	cli_column(s->problem, 16);
	putchar(' ');
	cli_column(s->language, 10);
	putchar(' ');
	if (s->state == JUDGE__V1__STATE__FINISHED)
		cli_verdict(s->verdict, 22);
	else
		cli_column(state_name(s->state), 22);
	cli_usage(s->cpu_time_us, s->memory_peak_bytes);
	fputs("  ", stdout);
	cli_column(s->author, 0);
	cli_points(*s->author ? "  " : "", s->score);
	putchar('\n');
}

/* One page; returns how many, or -1. */
static int list_page(const struct cli_args *args, const Judge__V1__ListSubmissionsRequest *q,
		     char **next, struct api_status *st)
{
	Judge__V1__ListSubmissionsResponse *r = (Judge__V1__ListSubmissionsResponse *)cli_call(
		args, "ListSubmissions", &q->base,
		&judge__v1__list_submissions_response__descriptor, st);
	int n;

	if (!r)
		return -1;
	n = (int)r->n_submissions;
	for (size_t i = 0; i < r->n_submissions; i++)
		if (args->json)
			cli_json(&r->submissions[i]->base);
		else
			submission_line(r->submissions[i]);
	free(*next);
	*next = strdup(r->next_page_token);
	judge__v1__list_submissions_response__free_unpacked(r, NULL);
	return n;
}

int cli_list(struct cli_args *args)
{
	Judge__V1__ListSubmissionsRequest q = JUDGE__V1__LIST_SUBMISSIONS_REQUEST__INIT;
	int state = cli_enum("state", args->state, &judge__v1__state__descriptor);
	int verdict = cli_enum("verdict", args->verdict, &judge__v1__verdict__descriptor);
	uint64_t left = args->limit ? args->limit : UINT64_MAX;
	AUTO_FREE char *token = NULL;
	struct api_status st = {0};
	int n;

	if (state < 0 || verdict < 0)
		return CLI_USAGE;
	q.problem = (char *)(args->problem ? args->problem : "");
	q.language = (char *)(args->language ? args->language : "");
	q.author = (char *)(args->author ? args->author : "");
	q.state = (Judge__V1__State)state;
	q.verdict = (Judge__V1__Verdict)verdict;
	do {
		q.page_size = left < PAGE_MAX ? (uint32_t)left : PAGE_MAX;
		n = list_page(args, &q, &token, &st);
		if (n < 0)
			return cli_failed(&st);
		left -= (uint64_t)n;
		q.page_token = token;
	} while (left > 0 && token && *token);
	return 0;
}
