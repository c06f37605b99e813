/* submit and watch: hand a program in, follow it to its verdict. */
#include <errno.h>

#include "judge/cli.h"
#include "judge/client.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define FILES_MAX      64
#define FILE_BYTES_MAX (16 << 20)

/* What following a submission has come to. */
struct follow {
	const struct cli_args *args;
	const char *id;
	uint64_t seq;
	int64_t until_us; /* for cli_again() */
	Judge__V1__Verdict verdict;
	int finished, cancelled;
	char where[200]; /* the first test that failed: " on test 3 (secret/02)" */
};

static void show_finish(const Judge__V1__Event *ev, const char *where)
{
	cli_groups(ev->score);
	cli_verdict(ev->verdict, 0);
	if (ev->verdict != JUDGE__V1__VERDICT__ACCEPTED)
		cli_text(where);
	cli_points(", ", ev->score);
	if (*ev->message) {
		fputs(": ", stdout);
		cli_text(ev->message);
	}
	putchar('\n');
}

static void show_event(const Judge__V1__Event *ev, const char *where)
{
	switch (ev->kind) {
	case JUDGE__V1__EVENT__KIND__QUEUED:
		puts("queued");
		break;
	case JUDGE__V1__EVENT__KIND__COMPILING:
		puts("compiling");
		break;
	case JUDGE__V1__EVENT__KIND__COMPILED:
		cli_text(ev->message);
		if (*ev->message && ev->message[strlen(ev->message) - 1] != '\n')
			putchar('\n');
		break;
	case JUDGE__V1__EVENT__KIND__TEST:
		if (ev->run)
			cli_run(ev->run, ev->tests_total);
		break;
	case JUDGE__V1__EVENT__KIND__RESTARTED:
		fputs("started again: ", stdout);
		cli_text(ev->message);
		putchar('\n');
		break;
	case JUDGE__V1__EVENT__KIND__FINISHED:
		show_finish(ev, where);
		break;
	case JUDGE__V1__EVENT__KIND__CANCELLED:
		puts("cancelled");
		break;
	case JUDGE__V1__EVENT__KIND__REJUDGED:
		fputs("rejudged: ", stdout);
		show_finish(ev, "");
		break;
	default: /* of a later server */
		break;
	}
	fflush(stdout);
}

static void note_run(struct follow *f, const Judge__V1__Run *run)
{
	if (run && run->verdict != JUDGE__V1__VERDICT__ACCEPTED && !*f->where)
		snprintf(f->where, sizeof(f->where), " on test %u (%s)", run->test, run->name);
}

static void take_event(struct follow *f, const Judge__V1__Event *ev)
{
	if (ev->kind == JUDGE__V1__EVENT__KIND__RESTARTED)
		f->where[0] = '\0';
	note_run(f, ev->run);
	f->seq = ev->seq;
	f->until_us = 0;
	f->cancelled = ev->kind == JUDGE__V1__EVENT__KIND__CANCELLED;
	if (ev->kind == JUDGE__V1__EVENT__KIND__FINISHED ||
	    ev->kind == JUDGE__V1__EVENT__KIND__REJUDGED) {
		f->finished = 1;
		f->verdict = ev->verdict;
	}
	if (f->args->json)
		cli_json(&ev->base);
	else
		show_event(ev, f->where);
}

/* One connection's worth of events.  0: the server ended the stream with OK. */
static int follow_once(struct follow *f, struct api_status *st)
{
	Judge__V1__WatchSubmissionRequest q = JUDGE__V1__WATCH_SUBMISSION_REQUEST__INIT;
	struct client *client = cli_client(f->args);
	ProtobufCMessage *ev;
	struct client_stream *s;
	int rc;

	if (!client)
		return api_fail(st, API_CANCELLED, "%s", "");
	s = client_stream_open(client, "/judge.v1.Judge/WatchSubmission", 0);
	if (!s)
		return api_fail(st, API_INTERNAL, "out of memory");
	q.id = (char *)f->id;
	q.after_seq = f->seq;
	q.keep_open = f->args->keep_open;
	(void)client_stream_send(s, &q.base, 1); /* why it failed, next() says */
	while ((rc = client_stream_next(s, &judge__v1__event__descriptor, &ev, st)) == 1) {
		take_event(f, (const Judge__V1__Event *)ev);
		protobuf_c_message_free_unpacked(ev, NULL);
	}
	client_stream_close(s);
	return rc;
}

/* A watch that began after the last event: ask how it ended. */
static int ask_verdict(struct follow *f, struct api_status *st)
{
	Judge__V1__GetSubmissionRequest q = JUDGE__V1__GET_SUBMISSION_REQUEST__INIT;
	Judge__V1__Submission *s;

	q.id = (char *)f->id;
	s = (Judge__V1__Submission *)cli_call(f->args, "GetSubmission", &q.base,
					      &judge__v1__submission__descriptor, st);
	if (!s)
		return -1;
	f->finished = s->state == JUDGE__V1__STATE__FINISHED;
	f->verdict = s->verdict;
	if (f->args->json) {
		cli_json(&s->base);
	} else {
		cli_verdict(s->verdict, 0);
		cli_points(", ", s->score);
		putchar('\n');
	}
	judge__v1__submission__free_unpacked(s, NULL);
	return 0;
}

/* Follows a submission to its end, printing; after is the seq already seen. */
static int follow(const struct cli_args *args, const char *id, uint64_t after)
{
	struct follow f = {.args = args, .id = id, .seq = after};
	struct api_status st = {0};
	int rc;

	do {
		rc = follow_once(&f, &st);
	} while (rc < 0 && cli_again(args, &st, &f.until_us));
	if (rc == 0 && !f.finished && !f.cancelled)
		rc = ask_verdict(&f, &st);
	if (rc < 0)
		return cli_failed(&st);
	if (f.finished && f.verdict == JUDGE__V1__VERDICT__JUDGE_ERROR)
		return CLI_FAILED;
	return f.finished && f.verdict == JUDGE__V1__VERDICT__ACCEPTED ? CLI_ACCEPTED
								       : CLI_NOT_ACCEPTED;
}

int cli_watch(struct cli_args *args)
{
	return follow(args, args->rest[0], args->after);
}

/* Files of one submission; the names are what follows the last '/'. */
struct files {
	size_t n;
	Judge__V1__SourceFile file[FILES_MAX];
	Judge__V1__SourceFile *list[FILES_MAX];
};

static void release_files(struct files *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->file[i].content.data);
}

static int read_files(const struct cli_args *args, struct files *all, struct err *e)
{
	for (all->n = 0; all->n < args->nrest;) {
		Judge__V1__SourceFile *f = &all->file[all->n];
		char *path = args->rest[all->n];
		char *slash = strrchr(path, '/');
		char *data;
		size_t len;

		if (io_read_file(path, FILE_BYTES_MAX, &data, &len, e) < 0)
			return -1;
		judge__v1__source_file__init(f);
		f->name = slash ? slash + 1 : path;
		f->content.data = (uint8_t *)data;
		f->content.len = len;
		all->list[all->n++] = f;
	}
	return 0;
}

static int submit_files(struct cli_args *args, struct files *all)
{
	Judge__V1__SubmitRequest q = JUDGE__V1__SUBMIT_REQUEST__INIT;
	struct api_status st = {0};
	Judge__V1__SubmitResponse *r;
	int rc = 0;

	q.problem = (char *)args->problem;
	q.language = (char *)(args->language ? args->language : "");
	q.author = (char *)(args->author ? args->author : "");
	q.request_id = (char *)args->request_id;
	q.sources = all->list;
	q.n_sources = all->n;
	r = (Judge__V1__SubmitResponse *)cli_call(args, "Submit", &q.base,
						  &judge__v1__submit_response__descriptor, &st);
	if (!r)
		return cli_failed(&st);
	if (args->json)
		cli_json(&r->base);
	else
		printf("submission %.32s%s\n", r->id, r->existed ? " (was known)" : "");
	fflush(stdout);
	if (!args->no_wait)
		rc = follow(args, r->id, 0);
	judge__v1__submit_response__free_unpacked(r, NULL);
	return rc;
}

int cli_submit(struct cli_args *args)
{
	struct files all = {0};
	struct err e = {0};
	char made[CLI_REQUEST_ID_SIZE];
	int rc = 0;

	if (!args->problem) {
		cli_complain("submit: -p PROBLEM is missing; `judge problems` lists them");
		return CLI_USAGE;
	}
	if (!args->request_id) {
		rc = cli_request_id(made, &e);
		args->request_id = made;
	}
	if (rc < 0 || read_files(args, &all, &e) < 0) {
		cli_complain("%s", e.msg);
		rc = CLI_USAGE;
	} else {
		rc = submit_files(args, &all);
	}
	release_files(&all);
	return rc;
}
