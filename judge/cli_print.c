/* How things look on a terminal. */
#include <time.h>
#include <unistd.h>

#include "judge/cli.h"
#include "judge/text.h"
#include "proto/scope.h"

#define TEXT_MAX (1 << 20)

static const struct look {
	const char *words, *colour;
} looks[] = {
	[JUDGE__V1__VERDICT__VERDICT_UNSPECIFIED] = {"-", ""},
	[JUDGE__V1__VERDICT__ACCEPTED] = {"accepted", "\033[32m"},
	[JUDGE__V1__VERDICT__WRONG_ANSWER] = {"wrong answer", "\033[31m"},
	[JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED] = {"time limit exceeded", "\033[33m"},
	[JUDGE__V1__VERDICT__MEMORY_LIMIT_EXCEEDED] = {"memory limit exceeded", "\033[33m"},
	[JUDGE__V1__VERDICT__OUTPUT_LIMIT_EXCEEDED] = {"output limit exceeded", "\033[33m"},
	[JUDGE__V1__VERDICT__RUN_TIME_ERROR] = {"run-time error", "\033[35m"},
	[JUDGE__V1__VERDICT__SECURITY_VIOLATION] = {"security violation", "\033[35m"},
	[JUDGE__V1__VERDICT__COMPILE_ERROR] = {"compile error", "\033[34m"},
	[JUDGE__V1__VERDICT__JUDGE_ERROR] = {"judge error", "\033[41m"},
};

static int coloured(void)
{
	const char *none = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): only read */

	return isatty(STDOUT_FILENO) && !(none && *none);
}

void cli_bytes(const void *data, size_t len)
{
	AUTO_FREE char *clean = text_clean(data, len, 3 * len);

	if (clean)
		fputs(clean, stdout);
}

void cli_text(const char *text)
{
	if (text)
		cli_bytes(text, strlen(text));
}

/* Columns of UTF-8 text, taking each character for one. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

void cli_column(const char *text, int width)
{
	AUTO_FREE char *clean = text_clean(text ? text : "", text ? strlen(text) : 0, TEXT_MAX);
	int pad;

	if (!clean)
		return;
	for (char *p = clean; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	pad = width - width_of(clean);
	printf("%s%*s", clean, pad > 0 ? pad : 0, "");
}

void cli_verdict(Judge__V1__Verdict verdict, int width)
{
	const struct look *look = &looks[0];
	int colour = coloured();

	if ((size_t)verdict < ARRAY_LEN(looks))
		look = &looks[verdict];
	if (colour)
		fputs(look->colour, stdout);
	fputs(look->words, stdout);
	if (colour)
		fputs("\033[0m", stdout);
	printf("%*s", width > (int)strlen(look->words) ? width - (int)strlen(look->words) : 0, "");
}

void cli_usage(uint64_t cpu_time_us, uint64_t memory_bytes)
{
	if (cpu_time_us < 10000)
		printf("%6.1f ms", (double)cpu_time_us / 1e3);
	else if (cpu_time_us < 10000000)
		printf("%6.0f ms", (double)cpu_time_us / 1e3);
	else
		printf("%6.1f s ", (double)cpu_time_us / 1e6);
	printf("  %7.1f MiB", (double)memory_bytes / (1 << 20));
}

void cli_time(int64_t at_us)
{
	time_t at = at_us / 1000000;
	struct tm tm = {0};
	char text[32];

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fputs(text, stdout);
}

void cli_run(const Judge__V1__Run *run, uint32_t tests_total)
{
	const Judge__V1__Usage *u = run->usage;

	printf("  %3u/%u  ", run->test, tests_total);
	cli_column(run->name, 24);
	putchar(' ');
	cli_verdict(run->verdict, 22);
	if (u)
		cli_usage(u->cpu_time_us, u->memory_peak_bytes);
	if (u && run->verdict == JUDGE__V1__VERDICT__TIME_LIMIT_EXCEEDED && *u->reason) {
		fputs("  (", stdout);
		cli_column(u->reason, 0);
		fputs(" time)", stdout);
	}
	if (u && run->verdict == JUDGE__V1__VERDICT__RUN_TIME_ERROR)
		printf(u->signal ? "  (signal %d)" : "  (exit code %d)",
		       u->signal ? u->signal : u->exit_code);
	if (u && *u->syscall) {
		fputs("  (system call ", stdout);
		cli_column(u->syscall, 0);
		putchar(')');
	}
	if (*run->score) {
		fputs("  ", stdout);
		cli_column(run->score, 0);
	}
	putchar('\n');
	fflush(stdout);
}

/* One line, whatever is in the text: it must not look like another row. */
void cli_row(const char *name, const char *text)
{
	if (!text || !*text)
		return;
	printf("%-16s ", name);
	cli_column(text, 0);
	putchar('\n');
}

void cli_time_row(const char *name, int64_t at_us)
{
	if (at_us == 0)
		return;
	printf("%-16s ", name);
	cli_time(at_us);
	putchar('\n');
}

/* "40 of 100" */
static void score_of_most(const char *score, const char *most, int width)
{
	char text[128];

	snprintf(text, sizeof(text), "%.60s%s%.60s", score, *most ? " of " : "", most);
	cli_column(text, width);
}

void cli_points(const char *before, const Judge__V1__Score *score)
{
	if (!score || !*score->score)
		return;
	fputs(before, stdout);
	score_of_most(score->score, score->max_score, 0);
	fputs(" points", stdout);
}

void cli_groups(const Judge__V1__Score *score)
{
	for (size_t i = 0; score && i < score->n_groups; i++) {
		const Judge__V1__GroupResult *g = score->groups[i];

		fputs("  group  ", stdout);
		cli_column(g->name, 24);
		putchar(' ');
		if (g->verdict)
			cli_verdict(g->verdict, 22);
		else
			cli_column("not judged", 22);
		if (*g->score)
			score_of_most(g->score, g->max_score, 16);
		else
			cli_column("", 16);
		printf("  %u of %u tests", g->judged, g->tests);
		if (*g->message) {
			fputs("  ", stdout);
			cli_column(g->message, 0);
		}
		putchar('\n');
	}
}
