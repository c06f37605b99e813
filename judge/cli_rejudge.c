/* rejudge: judge again what has a verdict, see what would change, make it so. */
#include <unistd.h>

#include "judge/cli.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define POLL_US  300000
#define SAY_US   10000000 /* how often progress is said where it cannot be overwritten */
#define PAGE_MAX 500

#define NEW_COLUMN 22

static const char *state_name(Judge__V1__Rejudging__State state)
{
	static const char *const names[] = {"-", "judging", "ready", "applied", "cancelled"};

	return (size_t)state < ARRAY_LEN(names) ? names[state] : "-";
}

static void show_rejudging(const Judge__V1__Rejudging *r)
{
	cli_row("rejudging", r->id);
	cli_row("reason", r->reason);
	cli_row("by", r->same_version ? "the problem as it was" : "");
	cli_time_row("made", r->created_at_us);
	cli_row("state", state_name(r->state));
	cli_time_row("ended", r->ended_at_us);
	printf("%-16s %u of %u\n", "judged", r->judged, r->total);
	printf("%-16s %u\n", "changed", r->changed);
	if (r->judge_errors)
		printf("%-16s %u\n", "judge errors", r->judge_errors);
	if (r->left_out)
		printf("%-16s %u, which had no verdict yet\n", "left out", r->left_out);
	fflush(stdout);
}

/* Prints and frees an answer that is a Rejudging. */
static int show(const struct cli_args *args, ProtobufCMessage *m, const struct api_status *st)
{
	if (!m)
		return cli_failed(st);
	if (args->json)
		cli_json(m);
	else
		show_rejudging((const Judge__V1__Rejudging *)m);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static Judge__V1__GetRejudgingResponse *get(const struct cli_args *args, const char *id,
					    uint32_t size, const char *token, struct api_status *st)
{
	Judge__V1__GetRejudgingRequest q = JUDGE__V1__GET_REJUDGING_REQUEST__INIT;

	q.id = (char *)id;
	q.page_size = size;
	q.page_token = (char *)token;
	q.only_changed = 1;
	return (Judge__V1__GetRejudgingResponse *)cli_call(
		args, "GetRejudging", &q.base, &judge__v1__get_rejudging_response__descriptor, st);
}

static void show_changes(const Judge__V1__GetRejudgingResponse *r)
{
	if (r->n_changes > 0)
		puts("\nsubmissions  verdict               new verdict");
	for (size_t i = 0; i < r->n_changes; i++) {
		const Judge__V1__VerdictChange *c = r->changes[i];

		printf("%11u  ", c->count);
		cli_verdict(c->old_verdict, NEW_COLUMN);
		if (c->old_verdict == c->new_verdict)
			fputs("the same", stdout);
		else
			cli_verdict(c->new_verdict, 0);
		putchar('\n');
	}
	if (r->n_submissions > 0)
		puts("\nsubmission                        problem          language   verdict      "
		     "         "
		     "new verdict           author");
}

static void submission_line(const Judge__V1__RejudgedSubmission *s)
{
	printf("%.32s  ", s->id);
	cli_column(s->problem, 16);
	putchar(' ');
	cli_column(s->language, 10);
	putchar(' ');
	cli_verdict(s->old_verdict, NEW_COLUMN);
	cli_verdict(s->new_verdict, NEW_COLUMN);
	cli_column(s->author, 0);
	putchar('\n');
}

/* The difference: how many change into what, and each that does. */
static int show_difference(const struct cli_args *args, const char *id)
{
	AUTO_FREE char *token = strdup("");
	struct api_status st = {0};
	int first = 1;

	do {
		Judge__V1__GetRejudgingResponse *r = get(args, id, PAGE_MAX, token, &st);

		if (!r)
			return cli_failed(&st);
		if (args->json)
			cli_json(&r->base);
		else if (first)
			show_changes(r);
		for (size_t i = 0; !args->json && i < r->n_submissions; i++)
			submission_line(r->submissions[i]);
		first = 0;
		free(token);
		token = strdup(r->next_page_token);
		judge__v1__get_rejudging_response__free_unpacked(r, NULL);
	} while (token && *token);
	fflush(stdout);
	return 0;
}

/* On a terminal one line that changes, elsewhere a line now and then. */
static void show_progress(const Judge__V1__Rejudging *r, int64_t *said_us)
{
	int terminal = isatty(STDERR_FILENO);

	if (!terminal && io_monotonic_us() - *said_us < SAY_US)
		return;
	*said_us = io_monotonic_us();
	fprintf(stderr,
		terminal ? "\r%u of %u judged, %u changed " : "%u of %u judged, %u changed\n",
		r->judged, r->total, r->changed);
	if (terminal && r->state != JUDGE__V1__REJUDGING__STATE__JUDGING)
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* Until nothing is to be judged any more; *state is what it came to. */
static int wait_for(const struct cli_args *args, const char *id, Judge__V1__Rejudging__State *state)
{
	int64_t said_us = io_monotonic_us();
	struct api_status st = {0};

	for (;;) {
		Judge__V1__GetRejudgingResponse *r = get(args, id, 1, "", &st);

		if (!r)
			return cli_failed(&st);
		*state = r->rejudging->state;
		if (!args->json)
			show_progress(r->rejudging, &said_us);
		judge__v1__get_rejudging_response__free_unpacked(r, NULL);
		if (*state != JUDGE__V1__REJUDGING__STATE__JUDGING)
			return 0;
		usleep(POLL_US);
	}
}

static int apply(struct cli_args *args, const char *id)
{
	Judge__V1__ApplyRejudgingRequest q = JUDGE__V1__APPLY_REJUDGING_REQUEST__INIT;
	struct api_status st = {0};

	q.id = (char *)id;
	q.allow_judge_errors = args->force;
	return show(
		args,
		cli_call(args, "ApplyRejudging", &q.base, &judge__v1__rejudging__descriptor, &st),
		&st);
}

static int cancel(struct cli_args *args, const char *id)
{
	Judge__V1__CancelRejudgingRequest q = JUDGE__V1__CANCEL_REJUDGING_REQUEST__INIT;
	struct api_status st = {0};

	q.id = (char *)id;
	return show(
		args,
		cli_call(args, "CancelRejudging", &q.base, &judge__v1__rejudging__descriptor, &st),
		&st);
}

static int show_one(struct cli_args *args, const char *id)
{
	struct api_status st = {0};
	Judge__V1__GetRejudgingResponse *r;

	if (args->json)
		return show_difference(args, id);
	r = get(args, id, 1, "", &st);
	if (!r)
		return cli_failed(&st);
	show_rejudging(r->rejudging);
	judge__v1__get_rejudging_response__free_unpacked(r, NULL);
	return show_difference(args, id);
}

static void list_line(const Judge__V1__Rejudging *r)
{
	printf("%.32s  ", r->id);
	cli_time(r->created_at_us);
	printf("  %-9s %6u of %-6u judged %6u changed  ", state_name(r->state), r->judged, r->total,
	       r->changed);
	cli_column(r->reason, 0);
	putchar('\n');
}

static int list(struct cli_args *args, const char *unused)
{
	Judge__V1__ListRejudgingsRequest q = JUDGE__V1__LIST_REJUDGINGS_REQUEST__INIT;
	uint64_t left = args->limit ? args->limit : UINT64_MAX;
	AUTO_FREE char *token = NULL;
	struct api_status st = {0};

	(void)unused;
	do {
		Judge__V1__ListRejudgingsResponse *r;

		q.page_size = left < PAGE_MAX ? (uint32_t)left : PAGE_MAX;
		r = (Judge__V1__ListRejudgingsResponse *)cli_call(
			args, "ListRejudgings", &q.base,
			&judge__v1__list_rejudgings_response__descriptor, &st);
		if (!r)
			return cli_failed(&st);
		for (size_t i = 0; i < r->n_rejudgings; i++)
			if (args->json)
				cli_json(&r->rejudgings[i]->base);
			else
				list_line(r->rejudgings[i]);
		left -= r->n_rejudgings;
		free(token);
		q.page_token = token = strdup(r->next_page_token);
		judge__v1__list_rejudgings_response__free_unpacked(r, NULL);
	} while (left > 0 && token && *token);
	return 0;
}

static int fill_filter(const struct cli_args *args, Judge__V1__SubmissionFilter *f)
{
	int verdict = cli_enum("verdict", args->verdict, &judge__v1__verdict__descriptor);

	if (verdict < 0 || cli_moment("since", args->since, &f->submitted_since_us) < 0 ||
	    cli_moment("until", args->until, &f->submitted_until_us) < 0)
		return -1;
	f->submissions = args->rest;
	f->n_submissions = args->nrest;
	f->problem = (char *)(args->problem ? args->problem : "");
	f->language = (char *)(args->language ? args->language : "");
	f->author = (char *)(args->author ? args->author : "");
	f->verdict = (Judge__V1__Verdict)verdict;
	f->all = args->all;
	return 0;
}

/* Whether an option says which submissions. */
static int has_filter(const struct cli_args *args)
{
	return args->problem || args->language || args->author || args->verdict || args->since ||
	       args->until || args->all;
}

/* What would be lost if only the server said it: that nothing was asked for. */
static int check_create(const struct cli_args *args)
{
	if (args->apply && args->dry_run) {
		cli_complain("rejudge: --apply and --dry-run exclude each other");
		return CLI_USAGE;
	}
	if (args->apply && args->no_wait) {
		cli_complain("rejudge: --apply has to wait, --no-wait does not");
		return CLI_USAGE;
	}
	if (args->nrest > 0 || has_filter(args))
		return 0;
	cli_complain(
		"rejudge: which submissions? Name them, or use -p, -l, -a, --verdict, --since, "
		"--until or --all");
	return CLI_USAGE;
}

static Judge__V1__Rejudging *create(const struct cli_args *args, struct api_status *st)
{
	Judge__V1__CreateRejudgingRequest q = JUDGE__V1__CREATE_REJUDGING_REQUEST__INIT;
	Judge__V1__SubmissionFilter f = JUDGE__V1__SUBMISSION_FILTER__INIT;
	char request_id[CLI_REQUEST_ID_SIZE] = "";
	struct err e = {0};

	*st = (struct api_status){.code = API_CANCELLED};
	if (fill_filter(args, &f) < 0)
		return NULL;
	if (cli_request_id(request_id, &e) < 0) {
		cli_complain("%s", e.msg);
		return NULL;
	}
	q.filter = &f;
	q.reason = (char *)(args->reason ? args->reason : "");
	q.same_version = args->same_version;
	q.request_id = request_id;
	q.validate_only = args->dry_run;
	return (Judge__V1__Rejudging *)cli_call(args, "CreateRejudging", &q.base,
						&judge__v1__rejudging__descriptor, st);
}

static void show_made(const Judge__V1__Rejudging *r)
{
	if (*r->id)
		printf("rejudging %.32s\n", r->id);
	printf("%u submission%s to judge again", r->total, r->total == 1 ? "" : "s");
	if (r->left_out)
		printf("; %u left out, which ha%s no verdict yet", r->left_out,
		       r->left_out == 1 ? "s" : "ve");
	putchar('\n');
	fflush(stdout);
}

static int see_through(struct cli_args *args, const char *id)
{
	Judge__V1__Rejudging__State state = JUDGE__V1__REJUDGING__STATE__STATE_UNSPECIFIED;
	int rc = wait_for(args, id, &state);

	if (rc == 0)
		rc = show_difference(args, id);
	if (rc != 0)
		return rc;
	if (args->apply && !args->json)
		putchar('\n');
	if (args->apply)
		return apply(args, id);
	if (!args->json && state == JUDGE__V1__REJUDGING__STATE__READY)
		printf("\nNothing has changed yet:  judge rejudge apply %.32s\n"
		       "or                        judge rejudge cancel %.32s\n",
		       id, id);
	return 0;
}

static int make(struct cli_args *args)
{
	struct api_status st = {0};
	Judge__V1__Rejudging *r;
	int rc = check_create(args);

	if (rc != 0)
		return rc;
	r = create(args, &st);
	if (!r)
		return cli_failed(&st);
	if (args->json)
		cli_json(&r->base);
	else
		show_made(r);
	if (!args->dry_run && !args->no_wait)
		rc = see_through(args, r->id);
	judge__v1__rejudging__free_unpacked(r, NULL);
	return rc;
}

/* What the first operand may be instead of a submission's id; the second one is the id of a rejudging. */
static const struct action {
	const char *name;
	size_t ids;
	int (*run)(struct cli_args *args, const char *id);
} actions[] = {
	{"apply", 1, apply},
	{"cancel", 1, cancel},
	{"show", 1, show_one},
	{"list", 0, list},
};

static int act(struct cli_args *args, const struct action *a)
{
	if (has_filter(args)) {
		cli_complain("rejudge %s: options that say which submissions are for making a "
			     "rejudging",
			     a->name);
		return CLI_USAGE;
	}
	if (args->nrest == 1 + a->ids)
		return a->run(args, args->rest[a->ids]);
	if (args->nrest <= a->ids)
		cli_complain("rejudge %s: the id of a rejudging is missing; `judge rejudge list` "
			     "lists them",
			     a->name);
	else
		cli_complain("rejudge %s: \"%s\" is too much", a->name, args->rest[1 + a->ids]);
	return CLI_USAGE;
}

int cli_rejudge(struct cli_args *args)
{
	for (size_t i = 0; args->nrest > 0 && i < ARRAY_LEN(actions); i++)
		if (strcmp(args->rest[0], actions[i].name) == 0)
			return act(args, &actions[i]);
	return make(args);
}
