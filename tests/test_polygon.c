/* Polygon's packages: what is taken from them, and each way to make one wrong. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/stat.h>

#include "judge/problem.h"
#include "judge/protocol.h"
#include "judge/sandbox_client.h"
#include "judge/xml.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/judge.pb-c.h"
#include "proto/scope.h"
#include "tests/package_fixture.h"

#define V(name) JUDGE__V1__VERDICT__##name

TestSuite(polygon, .init = make_root, .fini = remove_root);

#define HEAD                                                                                       \
	"<problem short-name=\"demo\">\n<names><name language=\"english\" "                        \
	"value=\"Demo\"/></names>\n"
#define JUDGE "<judging input-file=\"\" output-file=\"\">\n<testset name=\"tests\">\n"
#define LIMITS                                                                                     \
	"<time-limit>1500</time-limit>\n<memory-limit>67108864</memory-limit>\n"                   \
	"<input-path-pattern>tests/%02d</input-path-pattern>\n"                                    \
	"<answer-path-pattern>tests/%02d.a</answer-path-pattern>\n"
#define TESTS   "<tests>\n<test method=\"manual\"/>\n<test sample=\"true\"/>\n</tests>\n"
#define END     "</testset></judging>\n"
#define FILES   "<files><resources><file path=\"files/testlib.h\"/></resources></files>\n"
#define CHECKER "<checker type=\"testlib\"><source path=\"files/check.cpp\"/></checker>\n"
#define MAIN    "<solution tag=\"main\"><source path=\"solutions/a.cpp\"/></solution>\n"
#define GOOD                                                                                       \
	HEAD JUDGE LIMITS TESTS END FILES "<assets>\n" CHECKER "<solutions>\n" MAIN                \
					  "</solutions></assets>\n</problem>\n"

static void put_demo(const char *xml)
{
	put("demo/problem.xml", xml);
	put("demo/tests/01", "1\n");
	put("demo/tests/01.a", "2\n");
	put("demo/tests/02", "3\n");
	put("demo/tests/02.a", "4\n");
	put("demo/files/check.cpp", "int main() {}\n");
	put("demo/files/testlib.h", "\n");
	put("demo/solutions/a.cpp", "int main() {}\n");
}

Test(polygon, everything_is_read)
{
	struct problem p;
	struct err e = {0};

	put_demo("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n" HEAD JUDGE LIMITS
			 TESTS END "<files><resources><file path=\"files/olymp.sty\"/>"
		 "<file path=\"files/testlib.h\"/><file "
		 "path=\"files/more.hpp\"/></resources></files>"
		 "<assets>" CHECKER "<solutions>" MAIN
		 "<solution tag=\"do-not-run\"><source path=\"solutions/none.cpp\"/></solution>"
		 "<solution tag=\"rejected\"><source path=\"solutions/b.py\"/></solution>"
		 "</solutions></assets></problem>");
	put("demo/files/more.hpp", "");
	put("demo/solutions/b.py", "");
	cr_assert(zero(int, problem_read(at("demo"), &p, &e)), "%s", e.msg);
	cr_expect(eq(str, p.name, "demo"));
	cr_expect(eq(str, p.title, "Demo"));
	cr_expect(eq(u64, p.limits.time_us, 1500000));
	cr_expect(eq(u64, p.limits.memory_bytes, 64 << 20));
	cr_expect(eq(u32, p.limits.validation_passes, 1));
	cr_assert(eq(sz, p.ncases, 2));
	cr_expect(eq(str, p.cases[0].name, "sample/002")); /* samples first */
	cr_expect(eq(str, p.cases[1].name, "secret/001"));
	cr_expect(eq(str, p.cases[1].in.name, "01"));
	cr_expect(eq(str, p.groups[p.cases[0].group].name, "sample"));
	cr_expect(eq(int, p.custom, 1));
	cr_expect(eq(int, (int)p.protocol, PROBLEM_TESTLIB));
	cr_assert(eq(sz, p.validator.nsources, 3));
	cr_expect(eq(str, p.validator.sources[0].name, "check.cpp"));
	cr_expect(eq(str, p.validator.sources[1].name, "testlib.h"));
	cr_expect(eq(str, p.validator.sources[2].name, "more.hpp"));
	cr_assert(eq(sz, p.nsubmissions, 2));
	cr_expect(eq(str, p.submissions[1].name, "rejected/b.py"));
	cr_expect(eq(u32, expect_shown(&p.submissions[0].rules), EXPECT_BIT(V(ACCEPTED))));
	problem_release(&p);
}

/* The package is called by its short name, wherever it lies; testlib.h need not be listed. */
Test(polygon, names_and_testlib)
{
	struct problem p;
	struct err e = {0};

	put_demo(HEAD JUDGE LIMITS TESTS END "<assets>" CHECKER "</assets></problem>");
	cr_assert(zero(int, rename(at("demo"), at("demo-7"))));
	cr_assert(zero(int, problem_read(at("demo-7"), &p, &e)), "%s", e.msg);
	cr_expect(eq(str, p.name, "demo"));
	cr_assert(eq(sz, p.validator.nsources, 2));
	cr_expect(eq(str, p.validator.sources[1].path, "files/testlib.h"));
	problem_release(&p);
}

Test(polygon, the_manifest_keeps_the_protocol)
{
	struct problem p, q;
	struct err e = {0};
	AUTO_FREE char *text = NULL;

	put_demo(GOOD);
	cr_assert(zero(int, problem_read(at("demo"), &p, &e)), "%s", e.msg);
	/* as if it had been built */
	p.validator.language = strdup("cpp17");
	text = problem_to_manifest(&p);
	cr_assert(zero(int, problem_from_manifest(text, &q, &e)), "%s", e.msg);
	cr_expect(eq(int, (int)q.protocol, PROBLEM_TESTLIB));
	problem_release(&p);
	problem_release(&q);
}

Test(polygon, an_interactor_is_a_program_beside_the_checker)
{
	struct problem p, q;
	struct err e = {0};
	AUTO_FREE char *text = NULL;

	put_demo(HEAD JUDGE LIMITS TESTS END FILES
		 "<assets>\n" CHECKER
		 "<interactor><source path=\"files/talk.cpp\"/></interactor></assets></problem>");
	put("demo/files/talk.cpp", "int main() {}\n");
	cr_assert(zero(int, problem_read(at("demo"), &p, &e)), "%s", e.msg);
	cr_expect(eq(u32, p.kind, PROBLEM_INTERACTIVE));
	cr_assert(eq(sz, p.interactor.nsources, 2));
	cr_expect(eq(str, p.interactor.sources[0].name, "talk.cpp"));
	cr_expect(eq(str, p.interactor.sources[1].name, "testlib.h"));
	cr_expect(eq(str, p.validator.sources[0].name, "check.cpp"));
	/* as if they had been built */
	p.validator.language = strdup("cpp17");
	p.interactor.language = strdup("cpp20");
	text = problem_to_manifest(&p);
	cr_assert(zero(int, problem_from_manifest(text, &q, &e)), "%s", e.msg);
	cr_expect(eq(u32, q.kind, PROBLEM_INTERACTIVE));
	cr_expect(eq(str, q.interactor.language, "cpp20"));
	cr_expect(eq(sz, q.interactor.nsources, 2));
	cr_expect(eq(str, (char *)protocol_of_interactor(q.protocol)->words[1],
		     "/box/feedback/tout"));
	problem_release(&p);
	problem_release(&q);
}

Test(polygon, what_is_wrong_is_named_with_its_line)
{
#define TAIL END FILES "<assets>\n" CHECKER "</assets></problem>"
	static const struct {
		const char *xml, *message;
	} rows[] = {
		{"", "problem.xml:1: no element found"},
		{"<problem>\n<names>\n</problem>", "problem.xml:3: mismatched tag"},
		{"<problem>\n", "problem.xml:2: no element found"},
		{"<contest/>", "problem.xml:1: expected <problem>, not <contest>"},
		{"<!DOCTYPE a [<!ENTITY x \"y\">]>\n<problem>&x;</problem>",
		 "problem.xml:1: a document type and entities are not allowed"},
		{"<!DOCTYPE problem SYSTEM \"/etc/passwd\">\n<problem/>",
		 "problem.xml:1: a document type and entities are not allowed"},
		{"<problem>\n&nbsp;</problem>", "problem.xml:2: undefined entity"},
		{"<problem short-name=\"a b\"/>", "problem.xml:1: short-name: \"a b\" is not a "
						  "problem name: up to 64 letters, digits and "
						  "\"_-+\", not starting with one of \"_-+\""},
		{"<problem>\n<names><name value=\"\"/></names></problem>",
		 "problem.xml:2: name: expected one line of 1 to 256 bytes"},
		{"<problem/>", "problem.xml:1: <problem>: expected <judging> in it"},
		{"<problem><judging/></problem>",
		 "problem.xml:1: <problem>: expected <assets> in it"},
		{"<problem><assets/>\n<judging/></problem>",
		 "problem.xml:2: <judging>: expected <testset> in it"},
		{"<problem><assets/>\n<judging input-file=\"a.in\"><testset/></judging></problem>",
		 "problem.xml:2: input-file: expected none: only standard input and output are "
		 "supported"},
		{"<problem><assets/>\n<judging "
		 "output-file=\"a.out\"><testset/></judging></problem>",
		 "problem.xml:2: output-file: expected none: only standard input and output are "
		 "supported"},
		{"<problem><assets/>\n<judging run-count=\"2\"><testset/></judging></problem>",
		 "problem.xml:2: run-count: only 1 is supported yet"},
		{"<problem><assets/>\n<judging><testset/></judging></problem>",
		 "problem.xml:2: <testset>: expected <time-limit> in it"},
		{HEAD JUDGE "<time-limit>soon</time-limit>" TAIL,
		 "problem.xml:5: <time-limit>: expected a whole number from 1 to 600000"},
		{HEAD JUDGE "<time-limit>0</time-limit>" TAIL,
		 "problem.xml:5: <time-limit>: expected a whole number from 1 to 600000"},
		{HEAD JUDGE "<time-limit>-1</time-limit>" TAIL,
		 "problem.xml:5: <time-limit>: expected a whole number from 1 to 600000"},
		{HEAD JUDGE "<time-limit>1 000</time-limit>" TAIL,
		 "problem.xml:5: <time-limit>: expected a whole number from 1 to 600000"},
		{HEAD JUDGE "<time-limit>99999999999999999999</time-limit>" TAIL,
		 "problem.xml:5: <time-limit>: expected a whole number from 1 to 600000"},
		{HEAD JUDGE "<time-limit>1000</time-limit>" TAIL,
		 "problem.xml:4: <testset>: expected <memory-limit> in it"},
		{HEAD JUDGE "<time-limit>1000</time-limit>\n<memory-limit>256</memory-limit>" TAIL,
		 "problem.xml:6: <memory-limit>: expected a whole number from 4194304 to "
		 "1099511627776"},
		{HEAD JUDGE LIMITS TAIL, "problem.xml:4: <testset>: expected <test> in it"},
		{HEAD JUDGE LIMITS "<tests></tests>" TAIL,
		 "problem.xml:9: <tests>: expected <test> in it"},
		{HEAD JUDGE LIMITS "<tests><test/><test/>\n<test/></tests>" TAIL,
		 "problem.xml:10: tests/03: expected a file: the full package has all tests and "
		 "answers"},
		{HEAD JUDGE
		 "<time-limit>1000</time-limit><memory-limit>67108864</memory-limit>" TESTS TAIL,
		 "problem.xml:4: <testset>: expected <input-path-pattern> in it"},
		{HEAD JUDGE "<input-path-pattern>tests/%s</input-path-pattern>" LIMITS TESTS TAIL,
		 "problem.xml:5: <input-path-pattern>: expected a path with one number, like "
		 "tests/%02d"},
		{HEAD JUDGE
		 "<input-path-pattern>tests/%02d/%02d</input-path-pattern>" LIMITS TESTS TAIL,
		 "problem.xml:5: <input-path-pattern>: expected a path with one number, like "
		 "tests/%02d"},
		{HEAD JUDGE
		 "<input-path-pattern>tests/%99999999d</input-path-pattern>" LIMITS TESTS TAIL,
		 "problem.xml:5: <input-path-pattern>: expected a path with one number, like "
		 "tests/%02d"},
		{HEAD JUDGE "<input-path-pattern>tests</input-path-pattern>" LIMITS TESTS TAIL,
		 "problem.xml:5: <input-path-pattern>: expected a path with one number, like "
		 "tests/%02d"},
		{HEAD JUDGE
		 "<answer-path-pattern>tests/%d.ans</answer-path-pattern>" LIMITS TESTS TAIL,
		 "problem.xml:11: tests/2.ans: expected a file: the full package has all tests and "
		 "answers"},
		{HEAD JUDGE
		 "<answer-path-pattern>../../../../etc/hostname%d</answer-path-pattern>" LIMITS
			 TESTS TAIL,
		 "problem.xml:11: ../../../../etc/hostname2: a link that leads out of the package"},
		{HEAD JUDGE LIMITS TESTS END "<assets>\n</assets></problem>",
		 "problem.xml:14: <assets>: expected <checker> in it"},
		{HEAD JUDGE LIMITS TESTS END "<assets>\n<checker/></assets></problem>",
		 "problem.xml:15: <checker>: expected <source path=\"...\"> in it"},
		{HEAD JUDGE LIMITS TESTS END
		 "<assets>\n<checker>\n<source/></checker></assets></problem>",
		 "problem.xml:16: <checker>: expected <source path=\"...\"> in it"},
		{HEAD JUDGE LIMITS TESTS END
		 "<assets>\n<checker type=\"other\"/></assets></problem>",
		 "problem.xml:15: type: expected testlib"},
		{HEAD JUDGE LIMITS TESTS END
		 "<assets>\n<checker><source path=\"check.cpp\"/></checker>"
		 "</assets></problem>",
		 "problem.xml:15: check.cpp: expected a file"},
		{HEAD JUDGE LIMITS TESTS END "<assets>\n<checker><source path=\"files\"/></checker>"
					     "</assets></problem>",
		 "problem.xml:15: files: expected a file"},
		{HEAD JUDGE LIMITS TESTS END
		 "<files><resources>\n<file/></resources></files>\n<assets>" CHECKER
		 "</assets></problem>",
		 "problem.xml:15: <file>: expected path=\"...\""},
		{HEAD JUDGE LIMITS TESTS END
		 "<files><resources>\n<file "
		 "path=\"files/x.h\"/></resources></files>\n<assets>" CHECKER "</assets></problem>",
		 "problem.xml:15: files/x.h: expected a file"},
		{HEAD JUDGE LIMITS TESTS END
		 "<files><resources>\n<file path=\"files/x.h\"><assets><asset "
		 "name=\"SOLUTION\"/></assets>"
		 "</file></resources></files>\n<assets>" CHECKER "</assets></problem>",
		 "problem.xml:15: files/x.h: files for solutions are not supported yet"},
		{HEAD JUDGE LIMITS TESTS END FILES "<assets>\n" CHECKER
						   "<solutions><solution tag=\"ok\"/></solutions>"
						   "</assets></problem>",
		 "problem.xml:17: tag: expected main, accepted, rejected, wrong-answer, "
		 "time-limit-exceeded, memory-limit-exceeded, failed or another of Polygon's tags"},
		{HEAD JUDGE LIMITS TESTS END FILES "<assets>\n" CHECKER
						   "<solutions><solution tag=\"main\"/></solutions>"
						   "</assets></problem>",
		 "problem.xml:17: <solution>: expected <source path=\"...\"> in it"},
		{HEAD JUDGE LIMITS TESTS END FILES
		 "<assets>\n" CHECKER
		 "<solutions><solution tag=\"main\"><source path=\"solutions/b c.cpp\"/>"
		 "</solution></solutions></assets></problem>",
		 "problem.xml:17: solutions/b c.cpp: \"b c.cpp\" is not a source file name: up to "
		 "100 "
		 "letters, digits and \"._-+\", not starting with one of \".-+\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct problem p;
		struct err e = {0};

		put_demo(rows[i].xml);
		cr_expect(eq(int, problem_read(at("demo"), &p, &e), -1), "%s", rows[i].message);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
		problem_release(&p);
		remove_root();
	}
}

Test(polygon, xml_is_bounded)
{
	struct xml x;
	struct err e = {0};
	char *text = malloc(XML_NODES_MAX * 4 + 100);
	size_t n = 0;

	for (int i = 0; i < XML_DEPTH_MAX + 1; i++)
		n += (size_t)snprintf(text + n, 8, "<a>");
	cr_expect(eq(int, xml_parse("f", text, n, &x, &e), -1));
	cr_expect(eq(str, e.msg, "f:1: elements are nested too deep"));
	n = (size_t)snprintf(text, 8, "<a>");
	for (int i = 0; i < XML_NODES_MAX; i++)
		n += (size_t)snprintf(text + n, 8, "<b/>");
	cr_expect(eq(int, xml_parse("f", text, n, &x, &e), -1));
	cr_expect(eq(str, e.msg, "f:1: too many elements"));
	cr_expect(eq(int, xml_parse("f", text, XML_BYTES_MAX + 1, &x, &e), -1));
	cr_expect(eq(str, e.msg, "f: larger than 4194304 bytes"));
	n = (size_t)snprintf(text, 100,
			     "<a b='1'>x<c>y</c><c d='e&amp;f'>&lt;<![CDATA[<z>]]></c></a>");
	cr_assert(zero(int, xml_parse("f", text, n, &x, &e)), "%s", e.msg);
	cr_expect(eq(str, (char *)xml_attribute(x.root, "b"), "1"));
	cr_expect(eq(ptr, (void *)xml_attribute(x.root, "c"), NULL));
	cr_expect(eq(str, xml_next(xml_child(x.root, "c"))->text, "<<z>"));
	cr_expect(eq(str, (char *)xml_attribute(xml_next(xml_child(x.root, "c")), "d"), "e&f"));
	xml_release(&x);
	free(text);
}

Test(polygon, exit_codes_of_testlib)
{
	static const struct {
		int code;
		const char *text;
		enum grade_validator said;
	} rows[] = {
		{0, "ok 3 numbers", GRADE_RIGHT},
		{1, "wrong answer 1st numbers differ", GRADE_WRONG},
		{2, "wrong output format Unexpected token", GRADE_WRONG},
		{3, "FAIL the jury has no answer", GRADE_BROKEN},
		{4, "dirt", GRADE_WRONG},
		{5, "", GRADE_BROKEN},
		{7, "points 12.5", GRADE_WRONG},
		{8, "unexpected eof", GRADE_WRONG},
		{42, "", GRADE_BROKEN},
		{0, "partially correct (0) nothing", GRADE_WRONG},
		{3, "partially correct (3) little", GRADE_WRONG},
		{50, "partially correct (50) half", GRADE_WRONG},
	};
	const struct protocol *testlib = protocol_of(PROBLEM_TESTLIB);
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_CLOSE int fd = io_memfd_of(rows[i].text, strlen(rows[i].text), &e);
		struct sandbox_report r = {
			.status = RUN_EXITED, .exit_code = rows[i].code, .stderr_fd = fd};

		cr_expect(eq(int, (int)testlib->said(&r), (int)rows[i].said), "%d %s", rows[i].code,
			  rows[i].text);
		r.status = RUN_SIGNALED;
		cr_expect(eq(int, (int)testlib->said(&r), GRADE_BROKEN));
	}
	cr_expect(eq(str, (char *)protocol_of(PROBLEM_ICPC)->words[2], "/box/feedback/"));
}
