/* Libraries that are loaded when they are needed: what is missing is named, and nothing is taken for loaded that is not. */
#include <criterion/criterion.h>
#include <math.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/library.h"

static struct {
	LIBRARY_POINTER(cos)
	LIBRARY_POINTER(sin)
} lib;

static const struct library_symbol good[] = {{"cos", &lib.cos}, {"sin", &lib.sin}};
static const struct library_symbol bad[] = {{"cos", &lib.cos}, {"no_such_function", &lib.sin}};

Test(library, functions_are_found, .timeout = 60)
{
	struct library l = {"libm.so.6", "libc6", good, ARRAY_LEN(good), 0};
	struct err e = {0};

	cr_assert_eq(library_load(&l, &e), 0, "%s", e.msg);
	cr_expect(l.is_loaded);
	cr_expect_float_eq(lib.cos(0), 1, 0);
	cr_expect_float_eq(lib.sin(0), 0, 0);
}

/* The second call looks at nothing. */
Test(library, is_loaded_once, .timeout = 60)
{
	struct library l = {"libm.so.6", "libc6", good, ARRAY_LEN(good), 0};
	struct err e = {0};

	cr_assert_eq(library_load(&l, &e), 0, "%s", e.msg);
	lib.cos = NULL;
	cr_expect_eq(library_load(&l, &e), 0, "%s", e.msg);
	cr_expect_null(lib.cos);
}

Test(library, a_missing_library_is_named_with_its_package, .timeout = 60)
{
	struct library l = {"libnowhere.so.7", "libnowhere7", good, ARRAY_LEN(good), 0};

	for (int i = 0; i < 2; i++) {
		struct err e = {0};

		cr_assert_eq(library_load(&l, &e), -1);
		cr_expect(strstr(e.msg, "libnowhere.so.7, which Debian's package libnowhere7 has"),
			  "%s", e.msg);
		cr_expect_not(l.is_loaded);
	}
}

/* The library is in memory by the second call, and still of no use. */
Test(library, a_missing_function_is_named_every_time, .timeout = 60)
{
	struct library l = {"libm.so.6", "libc6", bad, ARRAY_LEN(bad), 0};
	struct err e = {0};

	for (int i = 0; i < 2; i++) {
		e = (struct err){0};
		cr_assert_eq(library_load(&l, &e), -1);
		cr_expect(strstr(e.msg, "libm.so.6 has no no_such_function"), "%s", e.msg);
		cr_expect(strstr(e.msg, "libc6"), "%s", e.msg);
		cr_expect_not(l.is_loaded);
	}
	l.symbols = good;
	cr_expect_eq(library_load(&l, &e), 0, "%s", e.msg);
	cr_expect(l.is_loaded);
}
