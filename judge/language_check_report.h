/*
 * language_check_report.h - what `judge languages --check` found, as a table for people or JSON for programs.
 */
#ifndef LANGUAGE_CHECK_REPORT_H
#define LANGUAGE_CHECK_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct language;

enum language_check_kind { CHECK_ACCEPTED, CHECK_WRONG, CHECK_CRASH, CHECK_SLOW, CHECK_BIG };
#define CHECK_KINDS 5

struct language_check_outcome { /* of one program; strings are owned */
	int verdict;            /* Judge__V1__Verdict; 0: it could not be judged */
	char *reason;           /* which limit fired, as in Usage.reason; NULL: none */
	char *message;          /* why; may be NULL */
	uint64_t cpu_time_us, memory_peak_bytes; /* largest of all tests */
	int64_t wall_us;                         /* all of it, compiling too */
};

struct language_check_row {
	const struct language *language;
	struct language_check_outcome outcomes[CHECK_KINDS];
};

struct language_check_report {
	struct language_check_row *rows; /* installed languages, by name */
	size_t n;
	uint64_t memory_limit_bytes; /* of the problem: what "too big" must have reached */
	size_t broken;               /* rules that could not be read; they have been named */
	const struct language *const *missing; /* rules without their compiler */
	size_t nmissing;
	const char *error; /* NULL: the languages could be judged */
};

/* "accepted", the name of the program's file; and the verdict that it must get, "AC". */
const char *language_check_name(enum language_check_kind kind);
const char *language_check_expected(enum language_check_kind kind);

/*
 * Whether it is what the kind must get.  "Too slow" must have used the CPU up; "too big" may also be a run-time error, because a
 * runtime may notice the end of its memory itself, if it had come as far as half of the limit.
 */
int language_check_ok(const struct language_check_report *r, const struct language_check_row *row,
		      enum language_check_kind kind);
int language_check_row_ok(const struct language_check_report *r,
			  const struct language_check_row *row);
/* Of the rows, and of the rules that are broken. */
size_t language_check_failures(const struct language_check_report *r);

void language_check_print(const struct language_check_report *r);
void language_check_print_json(const struct language_check_report *r);

#endif
