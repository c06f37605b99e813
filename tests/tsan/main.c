/*
 * A main() for tests under ThreadSanitizer (MODE=tsan).
 *
 * Criterion's runner maps memory where ThreadSanitizer allows none, so it cannot be used there.  This one runs every test of
 * the program in a child of its own, one after the other, and takes the place of the functions through which a test and its
 * assertions speak to the runner.  Suites and tests stay as they are.  An argument runs only tests whose "suite::name"
 * contains it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_FAILED  99
#define STATUS_SKIPPED 98
/* Under the sanitizer everything takes longer. */
#define PATIENCE       10
#define TIMEOUT_S      60

/* Made by the linker: where the macros have put pointers to the tests and suites. */
extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak));
extern struct criterion_suite *__stop_cr_sts[] __attribute__((weak));

/* In the child: its test, and whether an assertion has failed. */
static const struct criterion_test *current;
static _Atomic int failed;

/* Of the sanitizer: read before main(). */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "suppressions=tests/tsan.supp";
}

static const struct criterion_suite *suite_of(const struct criterion_test *test)
{
	for (struct criterion_suite **s = __start_cr_sts; s < __stop_cr_sts; s++)
		if (*s && strcmp((*s)->name, test->category) == 0)
			return *s;
	return NULL;
}

void criterion_internal_test_setup(void)
{
	const struct criterion_suite *suite = suite_of(current);

	if (suite && suite->data->init)
		suite->data->init();
	if (current->data->init)
		current->data->init();
}

void criterion_internal_test_main(void (*body)(void))
{
	body();
}

void criterion_internal_test_teardown(void)
{
	const struct criterion_suite *suite = suite_of(current);

	if (current->data->fini)
		current->data->fini();
	if (suite && suite->data->fini)
		suite->data->fini();
}

static void print_node(const struct cri_assert_node *node)
{
	if (node->pass)
		return;
	if (node->repr || node->message)
		fprintf(stderr, "  %s %s\n", node->repr ? node->repr : "",
			node->message ? node->message : "");
	for (uint32_t i = 0; i < node->nchild; i++)
		print_node(&node->children[i]);
}

void cri_assert_node_send(const char *file, size_t line, struct cri_assert_node *tree)
{
	fprintf(stderr, "[----] %s:%zu: Assertion Failed\n", file, line);
	print_node(tree);
	failed = 1;
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
	fprintf(stderr, "[----] %s:%u: %s\n", stats->file, stats->line, stats->message);
	failed = 1;
}

void cri_asserts_passed_incr(void)
{
}

void criterion_abort_test(void)
{
	_exit(STATUS_FAILED);
}

void criterion_skip_test(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(STATUS_SKIPPED);
}

static void run_here(const struct criterion_test *test)
{
	const struct criterion_suite *suite = suite_of(test);
	double timeout = test->data->timeout;

	if (timeout <= 0 && suite)
		timeout = suite->data->timeout;
	alarm((unsigned)((timeout > 0 ? timeout : TIMEOUT_S) * PATIENCE));
	current = test;
	test->test();
	exit(failed ? STATUS_FAILED : 0); /* a race makes it the sanitizer's own status */
}

/* What the test says that it will end with, if it says so. */
static int as_expected(const struct criterion_test *test, int status)
{
	if (test->data->signal)
		return WIFSIGNALED(status) && WTERMSIG(status) == test->data->signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == test->data->exit_code;
}

static const char *run_test(const struct criterion_test *test)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		run_here(test);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return "FAIL";
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SKIPPED)
		return "SKIP";
	return as_expected(test, status) ? "PASS" : "FAIL";
}

int main(int argc, char **argv)
{
	int tested = 0, passed = 0;

	for (struct criterion_test **t = __start_cr_tst; t < __stop_cr_tst; t++) {
		char name[256];
		const char *result;

		if (!*t || (*t)->data->disabled || (*t)->data->param_)
			continue;
		snprintf(name, sizeof(name), "%s::%s", (*t)->category, (*t)->name);
		if (argc > 1 && !strstr(name, argv[1]))
			continue;
		fflush(NULL);
		result = run_test(*t);
		tested++;
		passed += strcmp(result, "FAIL") != 0;
		if (strcmp(result, "PASS") != 0)
			fprintf(stderr, "[%s] %s\n", result, name);
	}
	fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: 0\n",
		tested, passed, tested - passed);
	return passed == tested ? 0 : 1;
}
