#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/compile.h"
#include "judge/entry.h"
#include "judge/language.h"
#include "judge/source.h"
#include "proto/err.h"
#include "proto/scope.h"

static struct language a_language(const char *kind, char **extensions)
{
	return (struct language){.name = "x", .entry = (char *)kind, .extensions = extensions};
}

static struct compile_source a_source(const char *name, const char *text)
{
	return (struct compile_source){name, text, text ? strlen(text) : 0};
}

struct single { /* a program of one file */
	const char *kind, *file, *text;
	const char *name, *box; /* what is to be found */
};

static const struct single singles[] = {
	/* Java: any class, in a file of any name */
	{"java", "a.java", "class A { public static void main(String[] a) {} }", "A", "a.java"},
	{"java", "a.java", "public class B { public static void main(String... a) {} }", "B",
	 "B.java"},
	{"java", "a.java", "package x.y;\npublic class B { static public void main(String[] a){} }",
	 "x.y.B", "B.java"},
	{"java", "a.java", "public class P {}\nclass M { public static void main(String[] a) {} }",
	 "M", "P.java"},
	{"java", "b.java",
	 "class a { static void main(String[] x) {} } class b { static void main(String[] x) {} }",
	 "b", "b.java"},
	{"java", "z.java",
	 "class a { static void main(String[] x) {} } class b { static void main(String[] x) {} }",
	 "a", "z.java"},
	{"java", "z.java",
	 "class a { static void main(String[] x) {} }\n"
	 "public class b { static void main(String[] x) {} }",
	 "b", "b.java"},
	{"java", "a.java", "enum E { X; public static void main(String[] a) {} }", "E", "a.java"},
	{"java", "a.java", "interface I { static void main(String[] a) {} }", "I", "a.java"},
	{"java", "a.java",
	 "@SuppressWarnings({\"class X { static void main(\"})\n"
	 "public final class T<K extends Comparable<K>> { /* static class Y { */ // {\n"
	 "String s = \"}\\\"{\"; char c = '}'; char q = '\\'';\n"
	 "static class In { public static void other(int main) {} }\n"
	 "private int main; void main() {}\n"
	 "public static void main(String[] a) {} }",
	 "T", "T.java"},
	/* Kotlin */
	{"kotlin", "sum.kt", "fun main() {}", "SumKt", "sum.kt"},
	{"kotlin", "sum.kt", "package a.b\n\nfun main(args: Array<String>) {}", "a.b.SumKt",
	 "sum.kt"},
	{"kotlin", "1-2.kt", "fun main() {}", "_1_2Kt", "1-2.kt"},
	{"kotlin", "sum.kt", "@file:JvmName(\"Go\")\npackage p\nfun main() {}", "p.Go", "sum.kt"},
	{"kotlin", "sum.kt", "object O {\n @JvmStatic fun main(a: Array<String>) {}\n}", "O",
	 "sum.kt"},
	{"kotlin", "sum.kt",
	 "class C {\n companion object {\n @JvmStatic\n fun main(a: Array<String>) {}\n}\n}", "C",
	 "sum.kt"},
	{"kotlin", "sum.kt", "class C { fun main() {} }\nfun main() = println(1)", "SumKt",
	 "sum.kt"},
	/* Scala */
	{"scala", "a.scala", "object O { def main(args: Array[String]): Unit = {} }", "O",
	 "a.scala"},
	{"scala", "a.scala", "package a.b\nimport x.y\nobject O extends App { val s = 'sym }",
	 "a.b.O", "a.scala"},
	{"scala", "a.scala", "class C { def main(a: Int) = 1 }\nobject O extends T with App", "O",
	 "a.scala"},
	/* Groovy: a script has no class */
	{"groovy", "a.groovy", "println 'it''s'\ndef main = 3", "a", "a.groovy"},
	{"groovy", "a.groovy", "class M { static void main(String[] a) {} }", "M", "a.groovy"},
	{"groovy", "a.groovy", "class M { static main(a) {} }", "M", "a.groovy"},
	/* Haxe, Erlang: the file is called like what is in it */
	{"haxe", "a.hx", "class M { public static function main() {} }", "M", "M.hx"},
	{"erlang", "a.erl", "% -module(x).\n-module(sums).\nmain() -> ok.", "sums", "sums.erl"},
	{"erlang", "a.erl", "-module('Sums').\nmain() -> ok.", "Sums", "Sums.erl"},
	/* no `entry`: names alone */
	{NULL, "a.c", "int main(void) {}", "a", "a.c"},
	/* names alone, too, where the contents are not at hand */
	{"java", "Solve.java", NULL, "Solve", "Solve.java"},
};

Test(entry, is_found_in_a_single_file)
{
	static char *extensions[] = {"java", "kt", "scala", "groovy", "hx", "erl", "c", NULL};

	for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
		const struct single *s = &singles[i];
		struct language l = a_language(s->kind, extensions);
		struct compile_source source = a_source(s->file, s->text);
		struct entry entry;
		struct err e = {0};

		cr_assert(zero(int, entry_find(&l, &source, 1, &entry, &e)), "%s: %s", s->text,
			  e.msg);
		cr_expect(eq(str, entry.name, (char *)s->name), "%s", s->text);
		cr_expect(eq(str, entry.names[0], (char *)s->box), "%s", s->text);
		entry_release(&entry);
	}
}

static void expect_none(const char *kind, const struct compile_source *sources, size_t n,
			const char *message)
{
	static char *extensions[] = {"java", "erl", "kt", NULL};
	struct language l = a_language(kind, extensions);
	struct entry entry;
	struct err e = {0};

	cr_expect(eq(int, entry_find(&l, sources, n, &entry, &e), -1), "%s", message);
	cr_expect(eq(str, e.msg, (char *)message));
	cr_expect(zero(ptr, entry.names));
}

#define MAIN(class) "class " class " { public static void main(String[] a) {} }"

Test(entry, that_is_missing_is_the_authors_mistake)
{
	struct compile_source none = a_source("a.java", "class A { void main() {} }");
	struct compile_source module = a_source("a.erl", "-module(a).\nstart() -> ok.");
	struct compile_source two[] = {a_source("a.java", MAIN("A")),
				       a_source("b.java", MAIN("B"))};
	struct compile_source same[] = {a_source("a.java", "public " MAIN("A")),
					a_source("A.java", "class C {}")};
	struct compile_source other = a_source("a.txt", "x");

	expect_none("java", &none, 1,
		    "a.java: nowhere to begin: expected a class with public static void "
		    "main(String[])");
	expect_none("erlang", &module, 1,
		    "a.erl: nowhere to begin: expected -module(NAME) and a function main/0");
	expect_none("java", two, 2,
		    "2 files have a class with public static void main(String[]), and none of "
		    "them is called main");
	expect_none("java", same, 2, "a.java and A.java both declare what must be in A.java");
	expect_none("java", &other, 1, "no file has an extension of x (.java)");
}

Test(entry, of_several_files_is_where_there_is_one)
{
	static char *extensions[] = {"java", NULL};
	struct language l = a_language("java", extensions);
	struct compile_source only[] = {a_source("Z.java", "class Z {}"),
					a_source("b.java", MAIN("B")), a_source("x.txt", "x")};
	struct compile_source named[] = {a_source("a.java", MAIN("A")),
					 a_source("Main.java", "public " MAIN("M"))};
	struct entry entry;
	struct err e = {0};

	cr_assert(zero(int, entry_find(&l, only, 3, &entry, &e)), "%s", e.msg);
	cr_expect(eq(sz, entry.main, 1));
	cr_expect(eq(str, entry.name, "B"));
	cr_expect(eq(str, entry.names[2], "x.txt"));
	entry_release(&entry);
	cr_assert(zero(int, entry_find(&l, named, 2, &entry, &e)), "%s", e.msg);
	cr_expect(eq(str, entry.name, "M"));
	cr_expect(eq(str, entry.names[1], "M.java"));
	entry_release(&entry);
}

/* Cut anywhere, a source must not lead a scanner out of it; under AddressSanitizer this is a sharp test. */
Test(entry, takes_sources_that_end_anywhere)
{
	static char *extensions[] = {"java", "kt", "scala", "groovy", "hx", "erl", "c", NULL};

	for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
		const struct single *s = &singles[i];
		struct language l = a_language(s->kind, extensions);

		for (size_t len = 1; s->text && len < strlen(s->text); len++) {
			AUTO_FREE char *part = malloc(len); /* not one byte more */
			struct compile_source source = {s->file, part, len};
			struct entry entry;
			struct err e = {0};

			memcpy(part, s->text, len);
			(void)entry_find(&l, &source, 1, &entry, &e);
			entry_release(&entry);
		}
	}
}

Test(entry, survives_names_and_packages_of_any_length)
{
	static char *extensions[] = {"java", NULL};
	struct language l = a_language("java", extensions);
	char text[4096];

	for (int len = 1; len < 1500; len += 7) {
		struct compile_source source;
		struct entry entry;
		struct err e = {0};

		snprintf(text, sizeof(text),
			 "package %0*d.x; public class A%0*d { static void main(String[] a) {} }",
			 len, 1, len, 2);
		source = a_source("a.java", text);
		if (entry_find(&l, &source, 1, &entry, &e) == 0)
			cr_expect(eq(int, len < 80, 1), "%d: %s", len, entry.name);
		entry_release(&entry);
	}
}

/* --- what a source may hold */

static void expect_box(const char *text, size_t len, const char *expected)
{
	struct compile_source s = {"a.c", text, len};
	struct err e = {0};
	char got[64];
	int fd = source_memfd(&s, &e);
	ssize_t n = pread(fd, got, sizeof(got) - 1, 0);

	cr_assert(ge(int, fd, 0), "%s", e.msg);
	cr_assert(ge(long, n, 0));
	got[n] = '\0';
	cr_expect(eq(str, got, (char *)expected));
	close(fd);
}

Test(source, is_put_into_the_box_without_mark_and_windows_lines)
{
	expect_box("int x;\n", 7, "int x;\n");
	expect_box("", 0, "");
	expect_box("\357\273\277x", 4, "x");
	expect_box("\357\273\277", 3, "");
	expect_box("a\r\nb\r\n", 6, "a\nb\n");
	expect_box("\357\273\277a\r\r\nb\rc\r", 11, "a\r\nb\rc\r");
	expect_box("x\357\273\277", 4, "x\357\273\277");
}

Test(source, that_is_no_text_is_named)
{
	static const struct {
		const char *text;
		size_t len;
		const char *message;
	} rows[] = {
		{"\177ELF\2\1\1", 7, "a.c: is a compiled program, not its source"},
		{"MZ\220\0\3", 5, "a.c: is a Windows program, not its source"},
		{"\312\376\272\276\0", 5, "a.c: is a compiled Java class, not its source"},
		{"PK\3\4", 4, "a.c: is a zip archive (or jar, or office document), not source"},
		{"\037\213\10", 3, "a.c: is a gzip archive, not source"},
		{"%PDF-1.4", 8, "a.c: is a PDF document, not source"},
		{"\377\376i\0n\0", 6, "a.c: is UTF-16 text: save it as UTF-8"},
		{"\376\377\0i", 4, "a.c: is UTF-16 text: save it as UTF-8"},
		{"int\nx\0;", 7, "a.c:2: a NUL byte: this is no text file"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct compile_source s = {"a.c", rows[i].text, rows[i].len};
		struct err e = {0};

		cr_expect(eq(int, source_check(&s, &e), -1), "%s", rows[i].message);
		cr_expect(eq(str, e.msg, (char *)rows[i].message));
	}
}

Test(source, may_be_any_text)
{
	static const char *const texts[] = {"",          "MZ",   "PK",       "\357\273\277x",
					    "\351t\351", "\377", "int main;"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct compile_source s = a_source("a.c", texts[i]);
		struct err e = {0};

		cr_expect(zero(int, source_check(&s, &e)), "%s", e.msg);
	}
}
