/* judge - the client of judged. */
#include "judge/cli.h"
#include "judge/client.h"
#include "judge/verify.h"
#include "proto/scope.h"

#define RETRY_SECONDS 20

#define FIELD(f) offsetof(struct cli_args, f)
/* clang-format off */
static const struct cli_option no_options[] = {{0}};
static const struct cli_option submit_options[] = {
	{'p', "problem", "PROBLEM", "the problem to solve (required)", CLI_TEXT, FIELD(problem)},
	{'l', "language", "LANGUAGE", "the language; by default told by the first file's extension", CLI_TEXT, FIELD(language)},
	{'a', "author", "NAME", "who it is from, free text", CLI_TEXT, FIELD(author)},
	{0, "request-id", "ID", "submit once, however often this is run with the same id", CLI_TEXT, FIELD(request_id)},
	{0, "no-wait", NULL, "do not wait for the verdict", CLI_FLAG, FIELD(no_wait)},
	{0, "retry", "SECONDS", "how long to go on while the server is not there (default: 20)", CLI_NUMBER, FIELD(retry)},
	{0},
};
static const struct cli_option watch_options[] = {
	{0, "after", "N", "only events with a greater number", CLI_NUMBER, FIELD(after)},
	{0, "keep-open", NULL, "do not end with the verdict: show later rejudgings too", CLI_FLAG, FIELD(keep_open)},
	{0, "retry", "SECONDS", "how long to go on while the server is not there (default: 20)", CLI_NUMBER, FIELD(retry)},
	{0},
};
static const struct cli_option status_options[] = {
	{0, "sources", NULL, "print the source files too", CLI_FLAG, FIELD(sources)},
	{0, "judgements", NULL, "print every judgement that it has had, with its runs", CLI_FLAG, FIELD(judgements)},
	{0},
};
static const struct cli_option list_options[] = {
	{'p', "problem", "PROBLEM", "only of this problem", CLI_TEXT, FIELD(problem)},
	{'l', "language", "LANGUAGE", "only in this language", CLI_TEXT, FIELD(language)},
	{'a', "author", "NAME", "only from this author", CLI_TEXT, FIELD(author)},
	{0, "state", "STATE", "only queued, running, finished or cancelled ones", CLI_TEXT, FIELD(state)},
	{0, "verdict", "VERDICT", "only with this verdict: accepted, wrong-answer, ...", CLI_TEXT, FIELD(verdict)},
	{'n', "limit", "N", "at most so many (default: 50; 0: all)", CLI_NUMBER, FIELD(limit)},
	{0},
};
static const struct cli_option rejudge_options[] = {
	{'p', "problem", "PROBLEM", "those of this problem", CLI_TEXT, FIELD(problem)},
	{'l', "language", "LANGUAGE", "those in this language", CLI_TEXT, FIELD(language)},
	{'a', "author", "NAME", "those from this author", CLI_TEXT, FIELD(author)},
	{0, "verdict", "VERDICT", "those with this verdict: accepted, wrong-answer, ...", CLI_TEXT, FIELD(verdict)},
	{0, "since", "TIME", "those submitted at this moment or later", CLI_TEXT, FIELD(since)},
	{0, "until", "TIME", "those submitted before this moment", CLI_TEXT, FIELD(until)},
	{0, "all", NULL, "every submission there is", CLI_FLAG, FIELD(all)},
	{0, "same-version", NULL, "by the problem as it was, not as it is now", CLI_FLAG, FIELD(same_version)},
	{0, "reason", "TEXT", "why, for who looks later", CLI_TEXT, FIELD(reason)},
	{0, "dry-run", NULL, "only say how many it would be", CLI_FLAG, FIELD(dry_run)},
	{0, "apply", NULL, "apply it when all are judged", CLI_FLAG, FIELD(apply)},
	{0, "force", NULL, "apply it also when new verdicts are judge errors", CLI_FLAG, FIELD(force)},
	{0, "no-wait", NULL, "do not wait until all are judged", CLI_FLAG, FIELD(no_wait)},
	{0, "retry", "SECONDS", "how long to go on while the server is not there (default: 20)", CLI_NUMBER, FIELD(retry)},
	{'n', "limit", "N", "list: at most so many (default: 50; 0: all)", CLI_NUMBER, FIELD(limit)},
	{0},
};
static const struct cli_option languages_options[] = {
	{0, "check", NULL, "judge each installed language's test programs here, without a server", CLI_FLAG, FIELD(check)},
	{0, "jobs", "N", "--check: programs judged at the same time (number of physical cores)", CLI_NUMBER, FIELD(jobs)},
	{0, "rules", "DIR", "--check: rules of languages and sandbox (those beside this program)", CLI_TEXT, FIELD(rules)},
	{0, "user", "NAME", "--check: the user to be while judging (gavel if there is one, else nobody)", CLI_TEXT, FIELD(user)},
	{0, "socket", "DIR", "--check: use the sandboxd that has its sockets there; needs no rights", CLI_TEXT, FIELD(socket)},
	{0},
};
static const struct cli_command commands[] = {
	{"submit", "FILE...", "Hand in a program, show each test as it is judged, end with the verdict", cli_submit, submit_options, 1, 64, NULL},
	{"watch", "ID", "Follow a submission to its verdict", cli_watch, watch_options, 1, 1, NULL},
	{"status", "ID", "Show a submission", cli_status, status_options, 1, 1, NULL},
	{"list", "", "List submissions, newest first", cli_list, list_options, 0, 0, NULL},
	{"cancel", "ID", "Cancel a submission that has no verdict yet", cli_cancel, no_options, 1, 1, NULL},
	{"rejudge", "[ID...]", "Judge again what has a verdict, show what would change, apply it (or: list, show ID, apply ID, cancel ID)", cli_rejudge, rejudge_options, 0, 1000, NULL},
	{"problems", "[NAME]", "List the problems, or show one", cli_problems, no_options, 0, 1, NULL},
	{"languages", "[NAME...]", "List the languages and whether the server has them, or check those of this machine", cli_languages, languages_options, 0, 256, NULL},
	{"info", "", "Show what the server is and how busy", cli_info, no_options, 0, 0, NULL},
	{"verify", "PACKAGE...", "Judge the submissions of problem packages; needs no server", NULL, no_options, 1, 0, verify_main},
};
/* clang-format on */

static void print_help(void)
{
	puts("usage: judge COMMAND [OPTION]... [OPERAND]...\n\nCommands:");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-10s %-12s %s\n", commands[i].name, commands[i].operands,
		       commands[i].help);
	puts("\njudge COMMAND --help tells the options of a command.\n"
	     "Exit status: 0 accepted or done, 1 not accepted, 2 wrong usage or request,\n"
	     "3 the server, the connection or the judge failed.");
}

static const struct cli_command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int run(const struct cli_command *c, int argc, char **argv)
{
	struct cli_args args = {.retry = 0, .limit = 50};
	int rc;

	if (c->options == submit_options || c->options == watch_options ||
	    c->options == rejudge_options)
		args.retry = RETRY_SECONDS;
	rc = cli_parse(c, argc, argv, &args);
	if (rc != 0)
		return rc;
	if (args.help) {
		cli_help(c);
		return 0;
	}
	rc = c->run(&args);
	cli_close();
	return rc;
}

int main(int argc, char **argv)
{
	const struct cli_command *c = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_help();
		return 0;
	}
	if (!c) {
		if (argc > 1)
			cli_complain("there is no command \"%s\"", argv[1]);
		else
			cli_complain("a command is missing");
		fputs("See judge --help.\n", stderr);
		return CLI_USAGE;
	}
	if (c->run_itself)
		return c->run_itself(argc - 1, argv + 1);
	return run(c, argc - 1, argv + 1);
}
