/*
 * cli.h - what the subcommands of `judge` share.
 *
 * Subcommands and their options are tables (judge_main.c); --help, the usage errors and the parsing come from them.  What a
 * server sends is shown without control characters: it may hold a contestant's text.
 */
#ifndef CLI_H
#define CLI_H

#include <stddef.h>
#include <stdint.h>

#include "judge/api_status.h"
#include "proto/judge.pb-c.h"

struct client;
struct err;

enum cli_exit { CLI_ACCEPTED = 0, CLI_NOT_ACCEPTED = 1, CLI_USAGE = 2, CLI_FAILED = 3 };

/* What the options fill in. */
struct cli_args {
	const char *server, *ca;
	const char *problem, *language, *author, *request_id, *state, *verdict;
	const char *rules, *user, *socket;
	const char *since, *until, *reason;
	int json, no_wait, sources, check, help;
	int judgements, keep_open, all, same_version, apply, dry_run, force;
	uint64_t after, limit, retry, jobs;
	char **rest; /* what is not an option; NULL-terminated */
	size_t nrest;
};

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_NUMBER };

struct cli_option {
	char letter; /* 0: only the long name */
	const char *name, *value, *help;
	enum cli_kind kind;
	size_t offset; /* in struct cli_args: int, const char * or uint64_t */
};

struct cli_command {
	const char *name, *operands, *help;
	int (*run)(struct cli_args *args);        /* returns the exit status */
	const struct cli_option *options;         /* ends in an empty row */
	size_t min, max;                          /* operands */
	int (*run_itself)(int argc, char **argv); /* instead: parses its own options */
};

extern const struct cli_option cli_common[]; /* options of every subcommand */

/* 0, or CLI_USAGE after having said what is wrong. */
int cli_parse(const struct cli_command *c, int argc, char **argv, struct cli_args *args);
void cli_help(const struct cli_command *c);

/* "judge: ..." on standard error, without control characters. */
void cli_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says how a call failed; returns the exit status that fits. */
int cli_failed(const struct api_status *st);

/* The client of the program, opened when first needed; NULL after having complained. */
struct client *cli_client(const struct cli_args *args);
void cli_close(void);

/*
 * A call, made again for args->retry seconds while the server is not there; the answer, which the caller owns, or NULL with
 * *st (API_CANCELLED: there is no client, which has been said already).
 */
ProtobufCMessage *cli_call(const struct cli_args *args, const char *method, const void *request,
			   const ProtobufCMessageDescriptor *type, struct api_status *st);

/*
 * 1 if a failed call should be made again: sleeps a moment.  *until_us is 0 at first and after each success; the first time it
 * complains that the server is not there.
 */
int cli_again(const struct cli_args *args, const struct api_status *st, int64_t *until_us);

/* Any message as one line of JSON, fields named as in judge.proto. */
void cli_json(const ProtobufCMessage *message);

/* Prints untrusted text, of as many lines as it has; "" for NULL. */
void cli_text(const char *text);
/* The same for a file: what is not text, NUL too, is seen to be there. */
void cli_bytes(const void *data, size_t len);
/* Untrusted text on one line, filled up with spaces to this many columns. */
void cli_column(const char *text, int width);
/* "wrong answer" and the like, coloured on a terminal. */
void cli_verdict(Judge__V1__Verdict verdict, int width);
/* "12 ms", "3.4 MiB", right-aligned. */
void cli_usage(uint64_t cpu_time_us, uint64_t memory_bytes);
/* "2026-01-02 03:04:05", local time. */
void cli_time(int64_t at_us);
void cli_run(const Judge__V1__Run *run, uint32_t tests_total);
/* "40 of 100 points", or nothing where there is no score.  NULL is allowed. */
void cli_points(const char *before, const Judge__V1__Score *score);
/* A line for each group of tests.  NULL is allowed. */
void cli_groups(const Judge__V1__Score *score);

/* One line of a table, "NAME    text"; nothing when there is no text. */
void cli_row(const char *name, const char *text);
void cli_time_row(const char *name, int64_t at_us);

/* The value whose name is text, in any case and with '-' for '_'; 0 for NULL.  -1 after having complained. */
int cli_enum(const char *option, const char *text, const ProtobufCEnumDescriptor *type);

/*
 * A moment: "2026-01-31", "2026-01-31 14:05[:09]" (or with 'T') in local time or, with a 'Z' behind, UTC; or how long ago: "90s",
 * "15m", "2h", "3d".  0 and *at_us, 0 for NULL; -1 after having complained.
 */
int cli_moment(const char *option, const char *text, int64_t *at_us);

/* A request id, so that a call that is sent twice counts once. */
#define CLI_REQUEST_ID_SIZE 33
int cli_request_id(char id[CLI_REQUEST_ID_SIZE], struct err *e);

int cli_submit(struct cli_args *args);
int cli_status(struct cli_args *args);
int cli_watch(struct cli_args *args);
int cli_list(struct cli_args *args);
int cli_cancel(struct cli_args *args);
int cli_rejudge(struct cli_args *args);
int cli_problems(struct cli_args *args);
int cli_languages(struct cli_args *args);
int cli_info(struct cli_args *args);

#endif
