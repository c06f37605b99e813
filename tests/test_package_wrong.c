/* Packages made wrong in many small ways, beyond what test_problem.c asks of each key: bytes, names, places. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/stat.h>

#include "judge/problem.h"
#include "proto/err.h"
#include "proto/scope.h"
#include "tests/package_fixture.h"

TestSuite(package_wrong, .init = make_root, .fini = remove_root);

static void put_demo(void)
{
	put("demo/problem.yaml", "name: Demo\n");
	put("demo/.timelimit", "1.5\n");
	put("demo/data/secret/1.in", "3\n");
	put("demo/data/secret/1.ans", "4\n");
	put("demo/submissions/accepted/a.c", "int main(void) {}\n");
}

#define ROW(path, text, message)                                                                   \
	{                                                                                          \
		"demo/" path, text, sizeof(text) - 1, message                                      \
	}

Test(package_wrong, each_is_named)
{
	static const struct {
		const char *path, *text;
		size_t len;
		const char *message;
	} rows[] = {
		ROW("problem.yaml", "name: x\0y\n",
		    "problem.yaml:1: not valid YAML: control characters are not allowed"),
		ROW("problem.yaml", "name: \xe4\n",
		    "problem.yaml:1: not valid YAML: incomplete UTF-8 octet sequence"),
		ROW("problem.yaml", "\xff\xfen\0a\0m\0e\0",
		    "problem.yaml:1: not valid YAML: invalid leading UTF-8 octet"),
		ROW("problem.yaml", "limits:\n\tmemory: 4\n",
		    "problem.yaml:2: not valid YAML: found character that cannot start any token"),
		ROW("problem.yaml", "name: x\nname: y\n",
		    "problem.yaml:2: key \"name\" is given twice"),
		ROW("problem.yaml", "name: x\n---\nname: y\n",
		    "problem.yaml:2: a second document begins, only one is allowed"),
		ROW("problem.yaml",
		    "\x7f"
		    "ELF\1\2\3",
		    "problem.yaml:1: not valid YAML: control characters are not allowed"),
		ROW("problem.yaml", "limits: {memory: 4\n",
		    "problem.yaml:2: not valid YAML: did not find expected ',' or '}'"),
		ROW("problem.yaml", "name: \"x\n",
		    "problem.yaml:2: not valid YAML: found unexpected end of stream"),
		ROW("problem.yaml", "a: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n",
		    "problem.yaml:1: nested more than 16 deep"),
		ROW("problem.yaml", "limits: {memory: -5}\n",
		    "problem.yaml:1: memory: expected a number that is not negative"),
		ROW("problem.yaml", "limits: {memory: inf}\n",
		    "problem.yaml:1: memory: expected a number that is not negative"),
		ROW("problem.yaml", "limits: {memory: [1]}\n",
		    "problem.yaml:1: memory: expected a number that is not negative"),
		ROW("problem.yaml", "limits: {memory: }\n",
		    "problem.yaml:1: memory: expected a number that is not negative"),
		ROW("problem.yaml", "limits: {code: 1e99}\n",
		    "problem.yaml:1: code: expected a number that is not negative"),
		ROW("problem.yaml", "limits: {time_multiplier: fast}\n",
		    "problem.yaml:1: time_multiplier: expected a number that is not negative"),
		ROW("problem.yaml", "name: !!python/object:os.system x\n",
		    "problem.yaml:1: anchors and tags are not allowed"),
		ROW("problem.yaml", "<<: *base\n", "problem.yaml:1: aliases are not allowed"),
		ROW("problem.yaml", "? [a]\n: b\n", "problem.yaml:1: a key must be a plain word"),
		ROW("problem.yaml", "name: \"\"\n",
		    "problem.yaml:1: name: expected one line of 1 to 256 bytes, or one for each "
		    "language"),
		ROW("problem.yaml", "name: [x]\n",
		    "problem.yaml:1: name: expected one line of 1 to 256 bytes, or one for each "
		    "language"),
		ROW("problem.yaml", "problem_format_version: 2\n",
		    "problem.yaml:1: problem_format_version: expected legacy, legacy-icpc or "
		    "2025-09"),
		ROW("problem.yaml", "problem_format_version: [legacy]\n",
		    "problem.yaml:1: problem_format_version: expected legacy, legacy-icpc or "
		    "2025-09"),
		ROW("problem.yaml", "validator_flags: float_tolerance\n",
		    "problem.yaml:1: validator_flags: float_tolerance: expected a number that is "
		    "not negative behind it"),
		ROW("problem.yaml", "validator_flags: float_tolerance x\n",
		    "problem.yaml:1: validator_flags: float_tolerance: expected a number that is "
		    "not negative behind it"),
		ROW("problem.yaml", "validator_flags: float_tolerance -1\n",
		    "problem.yaml:1: validator_flags: float_tolerance: expected a number that is "
		    "not negative behind it"),
		ROW("problem.yaml", "validation: Custom\n",
		    "problem.yaml:1: validation: expected default, or custom [interactive] "
		    "[multi-pass] [score]"),
		ROW("problem.yaml", "validation: custom interactive twice\n",
		    "problem.yaml:1: validation: expected interactive, multi-pass or score after "
		    "custom"),
		ROW("problem.yaml/x", "", "problem.yaml: expected a file"),
		ROW(".timelimit",
		    "\xef\xbb\xbf"
		    "1\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "", ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "1\n2\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "1,5\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "1s\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "-1\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "nan\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit", "0x1\n",
		    ".timelimit:1: expected the time limit in seconds, like 1.5"),
		ROW(".timelimit",
		    "1111111111111111111111111111111111111111111111111111111111111111111111\n",
		    ".timelimit: larger than 64 bytes"),
		ROW("data/secret/2.IN", "",
		    "data/secret/2.IN: not a file that belongs here: a test is NAME.in and "
		    "NAME.ans"),
		ROW("data/secret/2.out", "",
		    "data/secret/2.out: not a file that belongs here: a test is NAME.in and "
		    "NAME.ans"),
		ROW("data/secret/2", "",
		    "data/secret/2: not a file that belongs here: a test is NAME.in and NAME.ans"),
		ROW("data/secret/2.in/x", "",
		    "data/secret/2.in/x: not a file that belongs here: a test is NAME.in and "
		    "NAME.ans"),
		ROW("data/secret/-2.in", "",
		    "data/secret: \"-2.in\" is not a package file name: up to 255 letters, digits "
		    "and \"._-+\", not starting with one of \".-+\""),
		ROW("data/secret/g/testdata.yaml", "output_validator_flags: [a]\n",
		    "data/secret/g/testdata.yaml:1: output_validator_flags: expected text"),
		ROW("data/1.in", "", "data/1.in: expected tests in data/sample or data/secret"),
		ROW("submissions/a.c", "",
		    "submissions/a.c: expected a folder that names a verdict"),
		ROW("submissions/Accepted/a.c", "",
		    "submissions/Accepted: expected a folder that names a verdict, like accepted, "
		    "wrong_answer, time_limit_exceeded, run_time_error, compile_error, or "
		    "@EXPECTED_RESULTS@ in the program"),
		ROW("submissions/accepted/a b.c", "",
		    "submissions/accepted: \"a b.c\" is not a package file name: up to 255 "
		    "letters, digits and \"._-+\", not starting with one of \".-+\""),
		ROW("output_validator/a.c", "",
		    "output_validator: belongs to 2025-09, expected output_validators"),
		ROW("output_validators/a.c", "",
		    "output_validators: problem.yaml does not use it, expected validation: custom"),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct problem p;
		struct err e = {0};

		put_demo();
		if (strcmp(rows[i].path, "demo/problem.yaml/x") == 0)
			cr_assert(zero(int, remove(at("demo/problem.yaml"))));
		put_bytes(rows[i].path, rows[i].text, rows[i].len);
		cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1), "%s: %s", rows[i].path,
			  rows[i].text);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		problem_release(&p);
		remove_root();
	}
}
