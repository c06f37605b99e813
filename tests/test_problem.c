#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "judge/expect.h"
#include "judge/grade.h"
#include "judge/measure.h"
#include "judge/package.h"
#include "judge/problem.h"
#include "judge/sandbox_client.h"
#include "judge/store.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"
#include "tests/package_fixture.h"

#define V(name) JUDGE__V1__VERDICT__##name

/* A small package that is right. */
static void put_demo(void)
{
	put("demo/problem.yaml", "name: Demo\n");
	put("demo/.timelimit", "1.5\n");
	put("demo/data/sample/1.in", "1\n");
	put("demo/data/sample/1.ans", "2\n");
	put("demo/data/secret/1.in", "3\n");
	put("demo/data/secret/1.ans", "4\n");
	put("demo/submissions/accepted/a.c", "int main(void) {}\n");
}

static void put_demo_2025(void)
{
	put_demo();
	unlink(at("demo/.timelimit"));
	put("demo/problem.yaml",
	    "problem_format_version: 2025-09\nname: Demo\nuuid: 1\nlimits:\n  time_limit: 2\n");
}

static int read_demo(struct problem *p, struct err *e)
{
	return problem_read(at("demo"), p, e);
}

TestSuite(problem, .init = make_root, .fini = remove_root);

Test(problem, examples_are_read)
{
	static const char *const names[] = {"aplusb", "deviation", "longest", "pairs", "taskorder"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct problem p;
		struct err e = {0};
		char path[64];

		snprintf(path, sizeof(path), "problems/%s", names[i]);
		cr_assert(zero(int, problem_read(path, &p, &e)), "%s: %s", path, e.msg);
		cr_expect(eq(str, p.name, (char *)names[i]));
		cr_expect(gt(sz, p.ncases, 5));
		cr_expect(gt(sz, p.nsubmissions, 5));
		cr_expect(eq(u64, p.limits.time_us, 1000000));
		cr_expect(eq(u64, p.limits.memory_bytes, 128 << 20));
		cr_expect(eq(int, p.custom, strcmp(names[i], "taskorder") == 0));
		problem_release(&p);
	}
}

Test(problem, everything_is_read)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("demo/problem.yaml",
	    "name: Two words\nvalidation: default\nvalidator_flags: float_tolerance 1e-3\nlimits:\n"
	    "  memory: 64\n  output: 2\n  code: 3\n  compilation_time: 7\n  validation_memory: "
	    "9\n");
	put("demo/data/secret/group/10.in", "5\n");
	put("demo/data/secret/group/10.ans", "6\n");
	put("demo/data/secret/group/10.hint", "look\n");
	put("demo/data/secret/group/testdata.yaml", "output_validator_flags: case_sensitive\n");
	put("demo/data/secret/.hidden", "");
	put("demo/submissions/wrong_answer/two/main.c", "x");
	put("demo/submissions/wrong_answer/two/lib.h", "x");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(eq(str, p.name, "demo"));
	cr_expect(eq(str, p.title, "Two words"));
	cr_expect(eq(u64, p.limits.time_us, 1500000));
	cr_expect(eq(u64, p.limits.memory_bytes, 64 << 20));
	cr_expect(eq(u64, p.limits.output_bytes, 2 << 20));
	cr_expect(eq(u64, p.limits.code_bytes, 3 << 10));
	cr_expect(eq(u64, p.limits.compilation_time_us, 7000000));
	cr_expect(zero(u64, p.limits.compilation_memory_bytes));
	cr_expect(eq(u64, p.limits.validation_memory_bytes, 9 << 20));
	cr_assert(eq(sz, p.ncases, 3));
	cr_expect(eq(str, p.cases[0].name, "sample/1"));
	cr_expect(eq(str, p.cases[1].name, "secret/1"));
	cr_expect(eq(str, p.cases[2].name, "secret/group/10"));
	cr_expect(eq(dbl, p.cases[0].flags.absolute, 1e-3));
	cr_expect(zero(int, p.cases[0].flags.case_sensitive));
	cr_expect(eq(dbl, p.cases[2].flags.absolute, 1e-3));
	cr_expect(eq(int, p.cases[2].flags.case_sensitive, 1));
	cr_expect(eq(str, p.cases[2].args[2], "case_sensitive"));
	/* printf '1\n' | sha256sum */
	cr_expect(eq(str, p.cases[0].in.hash,
		     "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"));
	cr_assert(eq(sz, p.nsubmissions, 2));
	cr_expect(eq(str, p.submissions[1].name, "wrong_answer/two"));
	cr_expect(eq(sz, p.submissions[1].nfiles, 2));
	cr_expect(eq(str, p.submissions[1].files[0].name, "lib.h"));
	problem_release(&p);
}

Test(problem, limits_have_the_defaults_of_the_format)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("demo/problem.yaml", "license: cc0\n");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(eq(str, p.title, "demo"));
	cr_expect(eq(u64, p.limits.memory_bytes, 2048ULL << 20));
	cr_expect(eq(u64, p.limits.output_bytes, 8 << 20));
	cr_expect(eq(u64, p.limits.code_bytes, 128 << 10));
	problem_release(&p);
}

/* A file that is put into the right package, and what is said then. */
struct wrong {
	const char *path, *text, *message;
};

static void expect_wrong(const struct wrong *row, void (*base)(void))
{
	struct problem p;
	struct err e = {0};

	base();
	put(row->path, row->text);
	cr_expect(eq(int, read_demo(&p, &e), -1), "%s: %s", row->path, row->text);
	cr_expect(eq(str, e.msg, (char *)row->message));
	problem_release(&p);
	remove_root();
}

Test(problem, legacy_errors_name_file_line_and_what_is_right)
{
	static const struct wrong rows[] = {
		{"demo/problem.yaml", "name: a\nlimts: {}\n",
		 "problem.yaml:2: unknown key \"limts\": did you mean \"limits\"?"},
		{"demo/problem.yaml", "name: a\nlimits:\n  memry: 1\n",
		 "problem.yaml:3: unknown key \"memry\": did you mean \"memory\"?"},
		{"demo/problem.yaml", "limits:\n  memory: lots\n",
		 "problem.yaml:2: memory: expected a number that is not negative"},
		{"demo/problem.yaml", "limits:\n  memory: 0\n",
		 "problem.yaml:2: memory: 0 is too small"},
		{"demo/problem.yaml", "limits:\n  memory: 3.5\n",
		 "problem.yaml:2: memory: 3.5 is too small"},
		{"demo/problem.yaml", "limits:\n  validation_time: 0.0005\n",
		 "problem.yaml:2: validation_time: 0.0005 is too small"},
		{"demo/problem.yaml", "limits:\n  output: 99999\n",
		 "problem.yaml:2: output: 99999 is too large"},
		{"demo/problem.yaml", "limits: 5\n",
		 "problem.yaml:1: limits: expected a map of keys and values"},
		{"demo/problem.yaml", "limits:\n  time_limit: 5\n",
		 "problem.yaml:2: unknown key \"time_limit\""},
		{"demo/problem.yaml", "type: passfail\n",
		 "problem.yaml:1: type: expected pass-fail or scoring"},
		{"demo/problem.yaml", "type: interactive\n",
		 "problem.yaml:1: type: expected pass-fail or scoring"},
		{"demo/problem.yaml", "\nvalidation: custom interactive\n",
		 "problem.yaml: validation: custom, but there is no program in output_validators"},
		{"demo/problem.yaml", "validation: custom talkative\n",
		 "problem.yaml:1: validation: expected interactive, multi-pass or score after "
		 "custom"},
		{"demo/problem.yaml", "validation: interactive\n",
		 "problem.yaml:1: validation: expected default, or custom [interactive] "
		 "[multi-pass] [score]"},
		{"demo/problem.yaml", "validation: custom\nlimits: {validation_passes: 3}\n",
		 "problem.yaml:2: validation_passes: belongs to a problem of several passes "
		 "(validation: custom multi-pass)"},
		{"demo/problem.yaml", "validation: own\n",
		 "problem.yaml:1: validation: expected default, or custom [interactive] "
		 "[multi-pass] [score]"},
		{"demo/problem.yaml", "validation: custom\n",
		 "problem.yaml: validation: custom, but there is no program in output_validators"},
		{"demo/problem.yaml", "validator_flags: floats\n",
		 "problem.yaml:1: validator_flags: unknown flag \"floats\": expected "
		 "case_sensitive, "
		 "space_change_sensitive, float_tolerance E, float_absolute_tolerance E or "
		 "float_relative_tolerance E"},
		{"demo/problem.yaml", "problem_format_version: 2023-07\n",
		 "problem.yaml:1: problem_format_version: expected legacy, legacy-icpc or 2025-09"},
		{"demo/problem.yaml", "a: &a [x]\nb: [*a, *a]\n",
		 "problem.yaml:1: anchors and tags are not allowed"},
		{"demo/problem.yaml", "",
		 "problem.yaml:1: empty, expected a map of keys and values"},
		{"demo/problem.yaml", "name: |\n  a\n  b\n",
		 "problem.yaml:1: name: expected one line of 1 to 256 bytes, or one for each "
		 "language"},
		{"demo/problem.yaml", "just text\n",
		 "problem.yaml:1: expected a map of keys and values"},
		{"demo/.timelimit", "soon\n",
		 ".timelimit:1: expected the time limit in seconds, like 1.5"},
		{"demo/.timelimit", "0\n",
		 ".timelimit:1: expected the time limit in seconds, like 1.5"},
		{"demo/.timelimit", "0.0005\n",
		 ".timelimit:1: expected the time limit in seconds, like 1.5"},
		{"demo/.timelimit", "601\n",
		 ".timelimit:1: expected the time limit in seconds, like 1.5"},
		{"demo/domjudge-problem.ini", "color=red\ntimelimit='2'\n",
		 "domjudge-problem.ini:2: says 2 s, but .timelimit says 1.5 s"},
		{"demo/domjudge-problem.ini", "special_compare = cmp\n",
		 "domjudge-problem.ini:1: special_compare: not supported yet"},
		{"demo/domjudge-problem.ini", "hello\n",
		 "domjudge-problem.ini:1: expected KEY = VALUE"},
		{"demo/data/secret/2.in", "x", "data/secret/2.in: there is no 2.ans"},
		{"demo/data/secret/2.ans", "x", "data/secret/2.ans: there is no 2.in"},
		{"demo/data/secret/g/2.in", "x", "data/secret/g/2.in: there is no 2.ans"},
		{"demo/data/secret/2.txt", "x",
		 "data/secret/2.txt: not a file that belongs here: a test is NAME.in and NAME.ans"},
		{"demo/data/secret/a b.in", "x",
		 "data/secret: \"a b.in\" is not a package file name: up to 255 letters, digits "
		 "and \"._-+\", "
		 "not starting with one of \".-+\""},
		{"demo/data/secret/1/2/3/4/5/6/7/8/9/1.in", "x",
		 "data/secret/1/2/3/4/5/6/7/8/9: nested more than 8 deep"},
		{"demo/data/secret/testdata.yaml", "a: b\n",
		 "data/secret/testdata.yaml:1: unknown key \"a\""},
		{"demo/data/secret/testdata.yaml", "\noutput_validator_flags: x\n",
		 "data/secret/testdata.yaml:2: output_validator_flags: unknown flag \"x\": "
		 "expected case_sensitive, "
		 "space_change_sensitive, float_tolerance E, float_absolute_tolerance E or "
		 "float_relative_tolerance E"},
		{"demo/output_validators/check.cc", "x",
		 "output_validators: problem.yaml does not use it, expected validation: custom"},
		{"demo/include/lib.h", "x",
		 "include/lib.h: expected a folder with the name of a language, like cpp"},
		{"demo/include/c/", "", "include/c: is empty"},
		{"demo/include/c/sub/lib.h", "x",
		 "include/c/sub: expected only files here, no folders"},
		{"demo/include/default/lib.h", "x", "include/default: is of format 2025-09 only"},
		{"demo/data/secret/testdata.yaml", "input_validator_flags: [a]\n",
		 "data/secret/testdata.yaml:1: input_validator_flags: expected text, or a map with "
		 "name and flags"},
		{"demo/submissions/acepted/a.c", "x",
		 "submissions/acepted: expected a folder that names a verdict, like accepted, "
		 "wrong_answer, "
		 "time_limit_exceeded, run_time_error, compile_error, or @EXPECTED_RESULTS@ in the "
		 "program"},
		{"demo/submissions/rejected/a.c", "x",
		 "submissions/rejected: expected a folder that names a verdict, like accepted, "
		 "wrong_answer, "
		 "time_limit_exceeded, run_time_error, compile_error, or @EXPECTED_RESULTS@ in the "
		 "program"},
		{"demo/submissions/partially_accepted/a.c", "x",
		 "submissions/partially_accepted/a.c: a score is expected, but the problem is "
		 "pass-fail"},
		{"demo/submissions/accepted/a.c", "// @EXPECTED_RESULTS@: WRONG\n",
		 "submissions/accepted/a.c: @EXPECTED_RESULTS@: \"WRONG\" is no verdict, expected "
		 "some of CORRECT, WRONG-ANSWER, TIMELIMIT, RUN-ERROR, COMPILER-ERROR, NO-OUTPUT, "
		 "OUTPUT-LIMIT"},
		{"demo/submissions/accepted/p/src/a.c", "x",
		 "submissions/accepted/p/src: folders inside a program are not supported yet"},
		{"demo/submissions/accepted/p/build", "x",
		 "submissions/accepted/p/build: only validators may have a program of this name, "
		 "expected "
		 "a submission as a contestant would send it"},
		{"demo/submissions/accepted/p/", "",
		 "submissions/accepted/p: there is no program in it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_wrong(&rows[i], put_demo);
}

static void put_demo_icpc(void)
{
	put_demo();
	put("demo/problem.yaml", "problem_format_version: legacy-icpc\nname: Demo\n");
}

Test(problem, legacy_icpc_is_the_smaller_format)
{
#define ICPC "problem_format_version: legacy-icpc\n"
#define NAME                                                                                       \
	" is not a name for legacy-icpc: at least two letters, digits and \"._-\", a letter or "   \
	"digit "                                                                                   \
	"first and last"
	static const struct wrong rows[] = {
		{"demo/problem.yaml", ICPC "type: pass-fail\n",
		 "problem.yaml:2: type: legacy-icpc does not have it, expected "
		 "problem_format_version: legacy"},
		{"demo/problem.yaml", ICPC "name: a\ngrading: {objective: max}\n",
		 "problem.yaml:3: grading: legacy-icpc does not have it, expected "
		 "problem_format_version: legacy"},
		{"demo/problem.yaml", ICPC "validation: custom score\n",
		 "problem.yaml:2: validation: legacy-icpc has default, custom and custom "
		 "interactive"},
		{"demo/problem.yaml", ICPC "validation: custom multi-pass\n",
		 "problem.yaml:2: validation: legacy-icpc has default, custom and custom "
		 "interactive"},
		{"demo/problem.yaml", ICPC "validation: [custom]\n",
		 "problem.yaml:2: validation: legacy-icpc has default, custom and custom "
		 "interactive"},
		{"demo/data/secret/g/1.in", "x", "data/secret: \"g\"" NAME},
		{"demo/data/secret/g/", "", "data/secret: \"g\"" NAME},
		{"demo/data/secret/g1/", "", "data/secret/g1: legacy-icpc has no groups of tests"},
		{"demo/data/sample/_1.png", "", "data/sample: \"_1.png\"" NAME},
		{"demo/submissions/accepted/b_/main.c", "", "submissions/accepted: \"b_\"" NAME},
		{"demo/submissions/wrong_answer/c++.c++", "",
		 "submissions/wrong_answer: \"c++.c++\"" NAME},
	};
	struct problem p;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_wrong(&rows[i], put_demo_icpc);
	put_demo_icpc();
	put("demo/data/sample/1_.png", "");
	cr_expect(zero(int, read_demo(&p, &e)), "%s", e.msg);
	problem_release(&p);
	cr_assert(zero(
		int, rename(at("demo/submissions/accepted"), at("demo/submissions/wrong_answer"))));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg,
		     "submissions/accepted: there is no program, legacy-icpc demands one"));
	problem_release(&p);
}

Test(problem, errors_of_2025_09_name_file_line_and_what_is_right)
{
#define YAML "problem_format_version: 2025-09\nname: a\nuuid: 1\n"
	static const struct wrong rows[] = {
		{"demo/output_validators/a.c", "x",
		 "output_validators: belongs to the legacy formats, expected output_validator"},
		{"demo/problem.yaml", YAML "validation: custom\n",
		 "problem.yaml:4: unknown key \"validation\""},
		{"demo/problem.yaml", "problem_format_version: 2025-09\nname: a\n",
		 "problem.yaml:1: key \"uuid\" is missing"},
		{"demo/problem.yaml", YAML "limits: {time_limit: 1.0000005}\n",
		 "problem.yaml:4: time_limit: expected a number that is not negative"},
		{"demo/problem.yaml",
		 YAML "limits:\n  time_limit: 1\n  time_multipliers: {time_limit_to_tle: .9}\n",
		 "problem.yaml:6: time_limit_to_tle: expected a number from 1 to 1000"},
		{"demo/problem.yaml",
		 YAML "limits: {time_limit: 2}\ntype: [pass-fail, interactive]\n",
		 "problem.yaml: type: interactive, but there is no program in output_validator"},
		{"demo/problem.yaml", YAML "limits: {time_limit: 2}\ntype: multi-pass\n",
		 "problem.yaml: type: multi-pass, but there is no program in output_validator"},
		{"demo/problem.yaml",
		 YAML "type:\n  - interactive\n  - multi-pass\n  - interactive\n",
		 "problem.yaml:7: type: interactive stands there twice"},
		{"demo/problem.yaml", YAML "type: []\n",
		 "problem.yaml:4: type: expected a word or a list of words"},
		{"demo/problem.yaml", YAML "type: [[interactive]]\n",
		 "problem.yaml:4: type: expected pass-fail, scoring, multi-pass, interactive or "
		 "submit-answer"},
		{"demo/problem.yaml", YAML "type: [submit-answer, interactive]\n",
		 "problem.yaml:4: type: interactive does not go with the others"},
		{"demo/problem.yaml", YAML "type: [multi-pass, pass-fail, submit-answer]\n",
		 "problem.yaml:4: type: submit-answer does not go with the others"},
		{"demo/problem.yaml", YAML "languages: c\n",
		 "problem.yaml:4: languages: expected all or a list of codes, like [cpp, java]"},
		{"demo/problem.yaml", YAML "languages: []\n",
		 "problem.yaml:4: languages: the list is empty"},
		{"demo/problem.yaml", "\xef\xbb\xbf" YAML,
		 "problem.yaml:1: begins with a byte-order mark: save it as UTF-8 without"},
		{"demo/problem.yaml", YAML "constants: 5\n",
		 "problem.yaml:4: constants: expected a map of names and values"},
		{"demo/problem.yaml", YAML "constants:\n  1st: 5\n",
		 "problem.yaml:5: constants: \"1st\" is no name: letters, digits and '_', no digit "
		 "first"},
		{"demo/problem.yaml", YAML "constants:\n  n: [5]\n",
		 "problem.yaml:5: constants: n: expected a number or a text"},
		{"demo/problem.yaml", YAML "limits: {validation_passes: 3}\n",
		 "problem.yaml:4: validation_passes: belongs to a problem of several passes (type: "
		 "multi-pass)"},
		{"demo/problem.yaml", YAML "type: multi-pass\nlimits: {validation_passes: 1}\n",
		 "problem.yaml:5: validation_passes: 1 is too small"},
		{"demo/problem.yaml", YAML "type: multi-pass\nlimits: {validation_passes: 2.5}\n",
		 "problem.yaml:5: validation_passes: expected a whole number"},
		{"demo/problem.yaml", YAML "allow_file_writing: 1\n",
		 "problem.yaml:4: allow_file_writing: expected true or false"},
		{"demo/.timelimit", "3\n", ".timelimit:1: says 3 s, but problem.yaml says 2 s"},
		{"demo/data/secret/g/1.in", "x", "data/secret/g/1.in: there is no 1.ans"},
		{"demo/data/secret/1.yaml", "args: a b\n",
		 "data/secret/1.yaml:1: args: expected a list of texts, like [one, two]"},
		{"demo/data/secret/1.yaml", "input_validator_args:\n  check: a\n",
		 "data/secret/1.yaml:2: check: expected a list of texts, like [one, two]"},
		{"demo/data/secret/1.yaml", "output_validator_args: [a]\n",
		 "data/secret/1.yaml:1: output_validator_args: unknown flag \"a\": expected "
		 "case_sensitive, "
		 "space_change_sensitive, float_tolerance E, float_absolute_tolerance E or "
		 "float_relative_tolerance E"},
		{"demo/data/secret/3.files/x", "x", "data/secret/3.files: there is no 3.in"},
		{"demo/data/secret/1.files/a/x", "x",
		 "data/secret/1.files/a: expected only files here, no folders"},
		{"demo/data/secret/testdata.yaml", "x",
		 "data/secret/testdata.yaml: there is no testdata.in"},
		{"demo/submissions/submissions.yaml", "x",
		 "submissions/submissions.yaml:1: expected a map of patterns"},
		{"demo/submissions/submissions.yaml", "accepted:\n  permited: [AC]\n",
		 "submissions/submissions.yaml:2: unknown key \"permited\": expected permitted, "
		 "required, message, score, use_for_time_limit, language, entrypoint, authors, "
		 "model_solution, or tests with a map of these"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_wrong(&rows[i], put_demo_2025);
}

Test(problem, groups_and_tests_do_not_mix_in_2025_09)
{
	struct problem p;
	struct err e = {0};

	put_demo_2025();
	put("demo/data/secret/g/1.in", "x");
	put("demo/data/secret/g/1.ans", "x");
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg, "data/secret: has tests and groups, expected one of the two"));
	problem_release(&p);
}

Test(problem, arguments_of_2025_09_are_inherited)
{
	struct problem p;
	struct err e = {0};

	put_demo_2025();
	put("demo/problem.yaml",
	    "problem_format_version: 2025-09\nname: {de: Hallo, en: Hello}\nuuid: 1\n"
	    "type: [pass-fail]\nlanguages: all\nlimits: {time_limit: 0.25, time_resolution: "
	    "0.05}\n");
	put("demo/data/secret/2.in", "x");
	put("demo/data/secret/2.ans", "x");
	put("demo/data/secret/test_group.yaml",
	    "output_validator_args: [case_sensitive]\nfull_feedback: true\n");
	put("demo/data/secret/2.yaml",
	    "output_validator_args: [float_tolerance, '1e-6']\nhint: none\n");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(eq(str, p.title, "Hello"));
	cr_expect(eq(u64, p.limits.time_us, 250000));
	cr_expect(zero(int, p.cases[0].flags.case_sensitive));
	cr_expect(eq(int, p.cases[1].flags.case_sensitive, 1));
	cr_expect(zero(int, p.cases[2].flags.case_sensitive));
	cr_expect(eq(int, p.cases[2].flags.floats, 1));
	problem_release(&p);
}

Test(problem, validators_are_found)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("demo/problem.yaml", "validation: custom\nvalidator_flags: any thing\n");
	put("demo/output_validators/check/check.cc", "x");
	put("demo/output_validators/check/lib.h", "x");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(eq(int, p.custom, 1));
	cr_expect(eq(sz, p.validator.nsources, 2));
	cr_expect(eq(str, p.validator.sources[0].name, "check.cc"));
	cr_expect(eq(str, p.cases[0].args[1], "thing"));
	problem_release(&p);
	put("demo/output_validators/other.py", "x");
	put("demo/output_validators/own/build", "x");
	put("demo/output_validators/own/own.c", "x");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_assert(eq(sz, p.nalso, 2));
	cr_expect(eq(str, p.also[0].sources[0].path, "output_validators/other.py"));
	cr_expect(eq(sz, p.also[1].nsources, 2));
	problem_release(&p);
	put("demo/problem.yaml", "validation: custom interactive\n");
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg,
		     "output_validators: holds 3 validators, expected one (the files of one "
		     "belong into a folder of their own)"));
	problem_release(&p);
}

Test(problem, a_package_without_tests_is_refused)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	unlink(at("demo/data/secret/1.in"));
	unlink(at("demo/data/secret/1.ans"));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg, "data/secret: there is no test"));
	problem_release(&p);
	unlink(at("demo/problem.yaml"));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg,
		     "expected problem.yaml (ICPC, Kattis) or problem.xml (Polygon) in it"));
	problem_release(&p);
	cr_expect(eq(int, problem_read(at("nothing"), &p, &e), -1));
	problem_release(&p);
}

Test(problem, links_stay_inside)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("secret.txt", "the judge's own\n");
	cr_assert(zero(int, symlink("../secret/1.in", at("demo/data/sample/2.in"))));
	cr_assert(zero(int, symlink("../secret/1.ans", at("demo/data/sample/2.ans"))));
	cr_expect(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(eq(sz, p.ncases, 3));
	cr_expect(eq(str, p.cases[1].in.hash, p.cases[2].in.hash));
	problem_release(&p);

	static const char *const targets[] = {"../../../secret.txt", "/etc/passwd",
					      "/proc/self/environ",
					      "../../../../../../../../etc/passwd"};

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		unlink(at("demo/data/sample/2.in"));
		cr_assert(zero(int, symlink(targets[i], at("demo/data/sample/2.in"))));
		cr_expect(eq(int, read_demo(&p, &e), -1), "%s", targets[i]);
		cr_expect(eq(str, e.msg, "data/sample/2.in: a link that leads out of the package"));
		problem_release(&p);
	}
	unlink(at("demo/data/sample/2.in"));
	cr_assert(zero(int, symlink("nowhere", at("demo/data/sample/2.in"))));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	problem_release(&p);
	unlink(at("demo/data/sample/2.in"));
	unlink(at("demo/data/sample/2.ans"));
	cr_assert(zero(int, symlink("..", at("demo/data/secret/loop"))));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(ne(ptr, strstr(e.msg, "nested more than 8 deep"), NULL), "%s", e.msg);
	problem_release(&p);
}

Test(problem, problem_yaml_may_not_be_a_link_out)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("outside.yaml", "name: x\n");
	unlink(at("demo/problem.yaml"));
	cr_assert(zero(int, symlink("../outside.yaml", at("demo/problem.yaml"))));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg, "problem.yaml: a link that leads out of the package"));
	problem_release(&p);
}

/* Opening a FIFO would block for ever. */
Test(problem, special_files_are_refused_unopened, .timeout = 10)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	cr_assert(zero(int, mkfifo(at("demo/data/sample/2.in"), 0666)));
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg, "data/sample/2.in: neither a file nor a folder"));
	problem_release(&p);
}

Test(problem, a_folder_is_no_test)
{
	struct problem p;
	struct err e = {0};

	put_demo();
	put("demo/data/secret/2.in/x", "");
	cr_expect(eq(int, read_demo(&p, &e), -1));
	problem_release(&p);
}

Test(problem, the_version_is_what_judging_depends_on)
{
	static const struct {
		const char *path, *text;
		int changes;
	} rows[] = {
		{"demo/README.md", "hello", 0},
		{"demo/submissions/accepted/b.c", "x", 0},
		{"demo/data/secret/1.hint", "x", 0},
		{"demo/problem_statement/problem.en.tex", "x", 0},
		{"demo/data/secret/1.in", "other", 1},
		{"demo/data/secret/1.ans", "other", 1},
		{"demo/.timelimit", "2", 1},
		{"demo/problem.yaml", "name: Demo\nlimits: {memory: 5}\n", 1},
		{"demo/problem.yaml", "name: Demo\nvalidator_flags: case_sensitive\n", 1},
		{"demo/data/secret/testdata.yaml", "output_validator_flags: case_sensitive\n", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct problem before, after;
		struct err e = {0};

		put_demo();
		cr_assert(zero(int, read_demo(&before, &e)), "%s", e.msg);
		put(rows[i].path, rows[i].text);
		cr_assert(zero(int, read_demo(&after, &e)), "%s", e.msg);
		cr_expect(eq(int, strcmp(before.version, after.version) != 0, rows[i].changes),
			  "%s", rows[i].path);
		problem_release(&before);
		problem_release(&after);
		remove_root();
	}
}

Test(problem, files_that_change_while_they_are_read_are_noticed)
{
	struct problem p;
	struct err e = {0};
	AUTO_FREE char *data = NULL;
	size_t len;

	put_demo();
	cr_assert(zero(int, read_demo(&p, &e)));
	cr_assert(zero(int, problem_load(&p, &p.cases[0].in, &data, &len, &e)));
	cr_expect(eq(str, data, "1\n"));
	put("demo/data/sample/1.in", "changed");
	free(ptr_steal(&data));
	cr_expect(eq(int, problem_load(&p, &p.cases[0].in, &data, &len, &e), -1));
	cr_expect(eq(str, e.msg, "data/sample/1.in: changed while the package was read"));
	problem_release(&p);
}

Test(problem, expectations)
{
	static const struct {
		const char *folder;
		const char *good; /* codes that are as expected */
		const char *text;
	} rows[] = {
		{"accepted", " AC ", "AC"},
		{"wrong_answer", " WA OLE ", "WA"},
		{"time_limit_exceeded", " TLE ", "TLE"},
		{"run_time_error", " RTE MLE SV ", "RTE"},
		{"compile_error", " CE ", "CE"},
		{"rejected", " WA OLE TLE RTE MLE SV ", "WA or TLE or RTE"},
		{"brute_force", " TLE RTE MLE SV ", "TLE or RTE"},
		{"memory_limit_exceeded", " MLE ", "MLE"},
		{"output_limit_exceeded", " OLE ", "OLE"},
		{"security_violation", " SV ", "SV"},
	};
	struct problem p;
	struct err e = {0};

	put_demo_2025();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[100];

		snprintf(path, sizeof(path), "demo/submissions/%s/a.c", rows[i].folder);
		put(path, "x");
	}
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_assert(eq(sz, p.nsubmissions, ARRAY_LEN(rows)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct problem_submission *s = &p.submissions[0];
		char text[64];

		for (size_t k = 0; k < p.nsubmissions; k++)
			if (strcmp(p.submissions[k].folder, rows[i].folder) == 0)
				s = &p.submissions[k];
		expect_set_text(expect_shown(&s->rules), text, sizeof(text));
		cr_expect(eq(str, text, (char *)rows[i].text));
		for (int v = 1; v <= V(JUDGE_ERROR); v++) {
			const struct expect_run run = {"secret/1", v, NULL};
			char code[8], why[EXPECT_WHY_MAX];
			size_t n = v == V(COMPILE_ERROR) ? 0 : 1;

			snprintf(code, sizeof(code), " %s ", grade_code((Judge__V1__Verdict)v));
			cr_expect(eq(int, expect_check(&s->rules, &run, n, v, why) == EXPECT_MET,
				     strstr(rows[i].good, code) != NULL),
				  "%s %s", rows[i].folder, code);
		}
	}
	problem_release(&p);
}

static void expect_args(char **got, const char *const *want)
{
	size_t n = 0;

	cr_assert(got != NULL);
	for (; want[n] && got[n]; n++)
		cr_expect(eq(str, got[n], (char *)want[n]));
	cr_expect(want[n] == NULL && got[n] == NULL, "%zu arguments, then %s", n, got[n]);
	for (char **w = got; *w; w++)
		free(*w);
	free(got);
}

Test(problem, what_is_given_to_programs)
{
	struct problem p, q;
	struct err e = {0};
	AUTO_FREE char *text = NULL;

	put_demo_2025();
	put("demo/problem.yaml", "problem_format_version: 2025-09\nname: Demo\nuuid: 1\n"
				 "limits: {time_limit: 2}\nlanguages: [c, cpp]\n");
	put("demo/include/cpp/driver.cpp", "int main() {}\n");
	put("demo/include/default/words.txt", "a\n");
	put("demo/data/secret/test_group.yaml", "args: [-n, '5']\ninput_validator_args: [all]\n");
	put("demo/data/secret/2.in", "1\n");
	put("demo/data/secret/2.ans", "1\n");
	put("demo/data/secret/2.yaml",
	    "args: ['a b']\ninput_validator_args: {format: [x], other: [y, z]}\n"
	    "hint: look\ndescription: hard\nfull_feedback: true\n");
	put("demo/data/secret/2.files/map.bin", "m");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_assert(eq(sz, p.ncases, 3));
	cr_expect(eq(str, p.languages[1], "cpp"));
	cr_expect(eq(str, p.cases[1].run_args[1], "5"));
	cr_expect(eq(str, p.cases[2].run_args[0], "a b"));
	expect_args(problem_input_args(&p.cases[0], "format"), (const char *[]){NULL});
	expect_args(problem_input_args(&p.cases[1], "format"),
		    (const char *[]){"all", "-n", "5", NULL});
	expect_args(problem_input_args(&p.cases[2], "format"), (const char *[]){"x", "a b", NULL});
	expect_args(problem_input_args(&p.cases[2], "other"),
		    (const char *[]){"y", "z", "a b", NULL});
	expect_args(problem_input_args(&p.cases[2], "third"), (const char *[]){"a b", NULL});
	text = problem_to_manifest(&p);
	cr_assert(zero(int, problem_from_manifest(text, &q, &e)), "%s", e.msg);
	cr_expect(eq(str, q.languages[0], "c"));
	cr_expect(eq(ptr, q.languages[2], NULL));
	cr_assert(eq(sz, q.nincludes, 2));
	cr_expect(eq(str, q.includes[0].code, "cpp"));
	cr_expect(eq(str, q.includes[0].files[0].name, "driver.cpp"));
	cr_expect(eq(str, q.includes[1].files[0].hash, p.includes[1].files[0].hash));
	cr_expect(eq(ptr, q.cases[0].run_args, NULL));
	cr_expect(eq(str, q.cases[2].run_args[0], "a b"));
	cr_assert(eq(sz, q.cases[2].nfiles, 1));
	cr_expect(eq(str, q.cases[2].files[0].name, "map.bin"));
	problem_release(&p);
	problem_release(&q);
	put("demo/include/java/Main.java", "x");
	cr_expect(eq(int, read_demo(&p, &e), -1));
	cr_expect(eq(str, e.msg, "include/java: problem.yaml does not have it in languages"));
	problem_release(&p);
}

Test(problem, constants_stand_in_programs_and_groups)
{
	struct problem p;
	struct err e = {0};
	AUTO_FREE char *text = NULL;
	char version[65];
	size_t len;

	put_demo_2025();
	put("demo/problem.yaml",
	    "problem_format_version: 2025-09\nname: Demo\nuuid: 1\n"
	    "limits: {time_limit: 2}\nconstants: {n: 1e5, long_name: two words, e: ''}\n");
	put("demo/submissions/accepted/a.c",
	    "int n = {{n}}; // {{long_name}}{{e}} {{none}} {{ n }} {n} {{n}\n");
	put("demo/include/c/n.h", "#define N {{n}}\n");
	put("demo/output_validator/check.py", "n = {{n}}\n");
	put("demo/data/secret/test_group.yaml", "output_validator_args: ['{{long_name}}']\n");
	put("demo/data/secret/1.in", "{{n}}\n");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_assert(zero(int, problem_load(&p, &p.submissions[0].files[0], &text, &len, &e)));
	cr_expect(eq(str, text, "int n = 1e5; // two words {{none}} {{ n }} {n} {{n}\n"));
	cr_expect(eq(sz, len, p.submissions[0].files[0].bytes));
	free(ptr_steal(&text));
	cr_assert(zero(int, problem_load(&p, &p.includes[0].files[0], &text, &len, &e)));
	cr_expect(eq(str, text, "#define N 1e5\n"));
	free(ptr_steal(&text));
	cr_assert(zero(int, problem_load(&p, &p.validator.sources[0], &text, &len, &e)));
	cr_expect(eq(str, text, "n = 1e5\n"));
	free(ptr_steal(&text));
	cr_assert(zero(int, problem_load(&p, &p.cases[1].in, &text, &len, &e)));
	cr_expect(eq(str, text, "{{n}}\n"));
	cr_expect(eq(str, p.cases[1].args[0], "two words"));
	memcpy(version, p.version, sizeof(version));
	problem_release(&p);
	put("demo/problem.yaml",
	    "problem_format_version: 2025-09\nname: Demo\nuuid: 1\n"
	    "limits: {time_limit: 2}\nconstants: {n: 1e6, long_name: two words, e: ''}\n");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_expect(ne(str, p.version, version));
	problem_release(&p);
}

Test(problem, the_manifest_says_it_all_again)
{
	struct problem p, q;
	struct err e = {0};
	AUTO_FREE char *one = NULL;
	AUTO_FREE char *two = NULL;

	put_demo();
	put("demo/problem.yaml",
	    "name: \"Sn\\xf6 \\u2603\"\nvalidator_flags: float_tolerance 1e-6\n");
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	one = problem_to_manifest(&p);
	cr_assert(one != NULL);
	cr_assert(zero(int, problem_from_manifest(one, &q, &e)), "%s", e.msg);
	two = problem_to_manifest(&q);
	cr_expect(eq(str, one, two));
	cr_expect(eq(str, q.version, p.version));
	cr_expect(eq(dbl, q.cases[1].flags.relative, 1e-6));
	cr_expect(eq(int, q.dir, -1));
	problem_release(&p);
	problem_release(&q);
}

static const char hash_of_a[] = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

/* As Gavel wrote them before there were groups: submissions that were judged by such a version may be judged again. */
Test(problem, manifests_of_layout_1_are_still_read)
{
	static const char head[] =
		"{\"artifacts\":[{\"bytes\":1,\"hash\":\"%1$s\",\"mode\":365,\"name\":\"check\"}],"
		"\"cases\":[{\"ans\":\"%1$s\",\"ans_bytes\":1,\"args\":[\"x\"],\"in\":\"%1$s\","
		"\"in_bytes\":1,\"name\":\"secret/1\"}],\"custom\":true,\"language\":\"cpp20\","
		"\"layout\":1,\"limits\":{\"code_bytes\":1,\"compilation_memory_bytes\":0,"
		"\"compilation_time_us\":0,\"memory_bytes\":1,\"output_bytes\":1,\"time_us\":1,"
		"\"validation_memory_bytes\":0,\"validation_output_bytes\":0,\"validation_time_"
		"us\":0},"
		"\"name\":\"demo\",\"sources\":[{\"bytes\":1,\"hash\":\"%1$s\",\"mode\":292,"
		"\"name\":\"check.cc\"}],\"title\":\"Demo\",\"version\":\"%1$s\"}";
	char text[2048];
	struct problem p;
	struct err e = {0};

	snprintf(text, sizeof(text), head, hash_of_a);
	cr_assert(zero(int, problem_from_manifest(text, &p, &e)), "%s", e.msg);
	cr_expect(zero(int, (int)p.kind));
	cr_expect(eq(sz, p.ngroups, 1));
	cr_expect(zero(sz, p.cases[0].group));
	cr_expect(eq(int, p.groups[0].grading, PROBLEM_GRADED));
	cr_expect(eq(str, p.validator.language, "cpp20"));
	cr_expect(eq(str, p.validator.sources[0].name, "check.cc"));
	cr_expect(eq(u32, p.validator.artifacts[0].mode, 0555));
	cr_expect(zero(sz, p.grader.nsources));
	problem_release(&p);
}

Test(problem, folders_are_groups_in_judging_order)
{
	static const char *const cases[] = {"sample/1", "secret/1", "secret/g/1", "secret/g/deep/1",
					    "secret/g-h/1"};
	static const char *const groups[] = {"",         "sample",        "secret",
					     "secret/g", "secret/g/deep", "secret/g-h"};
	static const size_t parents[] = {0, 0, 0, 2, 3, 2}, of[] = {1, 2, 3, 4, 5};
	struct problem p;
	struct err e = {0};

	put_demo();
	for (size_t i = 2; i < ARRAY_LEN(cases); i++) {
		char path[64];

		snprintf(path, sizeof(path), "demo/data/%s.in", cases[i]);
		put(path, "1\n");
		snprintf(path, sizeof(path), "demo/data/%s.ans", cases[i]);
		put(path, "1\n");
	}
	cr_assert(zero(int, read_demo(&p, &e)), "%s", e.msg);
	cr_assert(eq(sz, p.ngroups, ARRAY_LEN(groups)));
	for (size_t i = 0; i < p.ngroups; i++) {
		cr_expect(eq(str, p.groups[i].name, (char *)groups[i]));
		cr_expect(eq(sz, p.groups[i].parent, parents[i]), "%s", groups[i]);
	}
	cr_assert(eq(sz, p.ncases, ARRAY_LEN(cases)));
	for (size_t i = 0; i < p.ncases; i++) {
		cr_expect(eq(str, p.cases[i].name, (char *)cases[i]));
		cr_expect(eq(sz, p.cases[i].group, of[i]), "%s", cases[i]);
	}
	problem_release(&p);
}

Test(problem, manifests_that_are_not_ours_are_refused)
{
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"layout\":2}",
		"{\"layout\":1,\"name\":\"a\",\"title\":\"a\",\"version\":\"x\",\"limits\":{},"
		"\"custom\":false,"
		"\"sources\":[],\"cases\":[]}",
		"{\"layout\":3,\"name\":\"a\",\"title\":\"a\",\"version\":\"x\",\"custom\":false}",
		"{\"layout\":0,\"name\":\"a\",\"title\":\"a\",\"version\":\"x\",\"custom\":false}",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct problem p;
		struct err e = {0};

		cr_expect(eq(int, problem_from_manifest(rows[i], &p, &e), -1), "%s", rows[i]);
		cr_expect(zero(int, strncmp(e.msg, "manifest: ", 10)), "%s", e.msg);
	}
}

struct builder {
	int calls, fail, measured;
};

static int build(void *arg, const struct problem *p, const struct problem_program *program,
		 struct problem_built *out, struct err *e)
{
	struct builder *b = arg;

	b->calls++;
	cr_expect(eq(ptr, (void *)program, (void *)&p->validator));
	cr_expect(eq(str, program->sources[0].name, "check.cc"));
	if (b->fail)
		return err_set(e, "check.cc:1: error");
	out->language = strdup("cpp20");
	out->files = calloc(1, sizeof(*out->files));
	out->nfiles = 1;
	out->files[0] = (struct sandbox_file){.name = strdup("program"), .mode = 0555};
	out->files[0].fd = io_memfd_of("binary", 6, e);
	return 0;
}

static int measure(void *arg, struct store *s, struct problem *p, struct err *e)
{
	struct builder *b = arg;

	(void)s;
	(void)e;
	p->limits.time_us = 3000000 + (uint64_t)b->measured++;
	return 0;
}

/* The limit of the current version of demo. */
static uint64_t stored_limit(struct store *s)
{
	struct store_problem stored;
	struct err e = {0};
	uint64_t us;

	cr_assert(zero(int, store_get_problem(s, "demo", NULL, &stored, &e)), "%s", e.msg);
	us = stored.summary->cpu_limit_us;
	store_problem_release(&stored);
	return us;
}

Test(problem, a_limit_that_is_not_given_is_measured_once_for_what_it_depends_on)
{
	static const struct {
		const char *path, *text;
		int measured; /* times so far */
	} steps[] = {
		{"demo/submissions/accepted/a.c", "int main(void) {}\n", 1},
		{"demo/submissions/wrong_answer/b.c", "x", 1},
		{"demo/submissions/accepted/a.c", "int main(void) { return 0; }\n", 2},
		{"demo/problem.yaml", "name: Demo\nlimits: {time_multiplier: 3}\n", 3},
		{"demo/problem.yaml",
		 "name: Demo\nlimits: {time_safety_margin: 3, time_multiplier: 3}\n", 3},
		{"demo/submissions/accepted/c.c", "x", 4},
		{"demo/.timelimit", "2\n", 4},
	};
	struct builder b = {0};
	const struct problem_makers make = {build, measure, &b};
	struct err e = {0};
	char url[100], version[65];
	struct store *s;
	int changed;

	put_demo();
	unlink(at("demo/.timelimit"));
	snprintf(url, sizeof(url), "sqlite:%s/state", root);
	s = store_open(url, &e);
	cr_assert(s != NULL, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		put(steps[i].path, steps[i].text);
		cr_assert(zero(int, problem_import(s, at("demo"), &make, version, &changed, &e)),
			  "%s", e.msg);
		cr_expect(eq(int, b.measured, steps[i].measured), "step %zu", i);
		if (i + 1 < ARRAY_LEN(steps))
			cr_expect(eq(u64, stored_limit(s), 3000000 + (uint64_t)b.measured - 1));
	}
	cr_expect(eq(u64, stored_limit(s), 2000000));
	store_close(s);
}

Test(problem, a_measured_limit_is_the_smallest_that_fits)
{
	static const struct {
		struct problem_timing timing;
		uint64_t slowest_us, limit_us;
	} rows[] = {
		{{2, 1.5, 1000000, 1}, 0, 1000000},         {{2, 1.5, 1000000, 1}, 500000, 1000000},
		{{2, 1.5, 1000000, 1}, 500001, 2000000},    {{5, 2, 1000000, 1}, 1999999, 10000000},
		{{1, 1, 1000, 1}, 1234567, 1235000},        {{1.1, 1, 100000, 1}, 1000000, 1100000},
		{{5, 2, 1000000, 1}, 120000000, 600000000}, {{5, 2, 1000000, 1}, 120000001, 0},
		{{1000, 2, 1000, 1}, 300000000, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(eq(u64, measure_limit_for(&rows[i].timing, rows[i].slowest_us),
			     rows[i].limit_us),
			  "row %zu", i);
}

Test(problem, importing_makes_a_version_once)
{
	struct builder b = {0};
	const struct problem_makers make = {build, measure, &b};
	struct err e = {0};
	struct store_problem stored;
	struct problem p;
	struct store *s;
	char url[100], first[65], version[65];
	AUTO_FREE char *blob = NULL;
	size_t len;
	int changed;

	put_demo();
	put("demo/problem.yaml", "name: Demo\nvalidation: custom\n");
	put("demo/output_validators/check.cc", "x");
	snprintf(url, sizeof(url), "sqlite:%s/state", root);
	s = store_open(url, &e);
	cr_assert(s != NULL, "%s", e.msg);

	b.fail = 1;
	cr_expect(eq(int, problem_import(s, at("demo"), &make, first, &changed, &e), -1));
	cr_expect(eq(str, e.msg, "problem demo: validator: check.cc:1: error"));
	cr_expect(eq(int, store_get_problem(s, "demo", NULL, &stored, &e), -1));

	b = (struct builder){0};
	cr_assert(zero(int, problem_import(s, at("demo"), &make, first, &changed, &e)), "%s",
		  e.msg);
	cr_expect(eq(int, changed, 1));
	cr_assert(zero(int, problem_import(s, at("demo"), &make, version, &changed, &e)), "%s",
		  e.msg);
	cr_expect(zero(int, changed));
	cr_expect(eq(str, version, first));
	cr_expect(eq(int, b.calls, 1));

	cr_assert(zero(int, store_get_problem(s, "demo", NULL, &stored, &e)), "%s", e.msg);
	cr_assert(zero(int, problem_from_manifest(stored.manifest, &p, &e)), "%s", e.msg);
	cr_expect(eq(str, stored.version, first));
	cr_expect(eq(u32, stored.summary->tests, 2));
	cr_expect(eq(u64, stored.summary->cpu_limit_us, 1500000));
	cr_expect(eq(str, stored.summary->validation, "custom"));
	cr_expect(eq(str, p.validator.language, "cpp20"));
	cr_assert(eq(sz, p.validator.nartifacts, 1));
	cr_expect(eq(u32, p.validator.artifacts[0].mode, 0555));
	cr_assert(zero(int, store_get_blob(s, p.validator.artifacts[0].hash, &blob, &len, &e)),
		  "%s", e.msg);
	cr_expect(eq(sz, len, 6));
	cr_expect(zero(int, memcmp(blob, "binary", 6)));
	free(ptr_steal(&blob));
	cr_assert(zero(int, store_get_blob(s, p.cases[1].ans.hash, &blob, &len, &e)), "%s", e.msg);
	cr_expect(zero(int, memcmp(blob, "4\n", 2)));
	problem_release(&p);
	store_problem_release(&stored);

	put("demo/data/secret/1.ans", "5\n");
	cr_assert(zero(int, problem_import(s, at("demo"), &make, version, &changed, &e)), "%s",
		  e.msg);
	cr_expect(eq(int, changed, 1));
	cr_expect(ne(str, version, first));
	cr_expect(eq(int, b.calls, 2));

	/* back to what was there before: known, nothing is built, but current again */
	put("demo/data/secret/1.ans", "4\n");
	cr_assert(zero(int, problem_import(s, at("demo"), &make, version, &changed, &e)), "%s",
		  e.msg);
	cr_expect(eq(str, version, first));
	cr_expect(eq(int, b.calls, 2));
	cr_assert(zero(int, store_get_problem(s, "demo", NULL, &stored, &e)), "%s", e.msg);
	cr_expect(eq(str, stored.version, first));
	store_problem_release(&stored);
	store_close(s);
}
