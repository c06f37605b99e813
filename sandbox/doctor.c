#include "sandbox/doctor.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"
#include "proto/version.h"
#include "sandbox/cell.h"
#include "sandbox/doctor_checks.h"
#include "sandbox/options.h"
#include "sandbox/rights.h"
#include "sandbox/rules.h"
#include "sandbox/see.h"
#include "sandbox/setting.h"

#define NAME_COLUMN   11
#define DETAIL_COLUMN 28

static const char usage[] = "usage: sandbox doctor [--json] [--rules DIR]\n"
			    "Looks at everything that a cell needs and says how to mend what is "
			    "missing; then opens a cell.\n"
			    "Exits 0 if that works, 1 if not.\n";

static const char *const state_names[] = {
	[DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_MISSING] = "missing"};
static const char *const state_colours[] = {
	[DOCTOR_OK] = "\033[32m", [DOCTOR_WARNING] = "\033[33m", [DOCTOR_MISSING] = "\033[31m"};

__attribute__((format(printf, 3, 0))) static void
say(struct doctor_finding *f, enum doctor_state state, const char *fmt, va_list args)
{
	f->state = state;
	vsnprintf(f->detail, sizeof(f->detail), fmt, args);
}

void doctor_ok(struct doctor_finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(f, DOCTOR_OK, fmt, args);
	va_end(args);
}

void doctor_warn(struct doctor_finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(f, DOCTOR_WARNING, fmt, args);
	va_end(args);
}

void doctor_missing(struct doctor_finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(f, DOCTOR_MISSING, fmt, args);
	va_end(args);
}

void doctor_mend(struct doctor_finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->mend, sizeof(f->mend), fmt, args);
	va_end(args);
}

const char *doctor_line(const char *path, char *text, size_t size)
{
	(void)see_read(AT_FDCWD, path, text, size);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

long long doctor_number(const char *path)
{
	char text[64];
	char *end;
	long long n = strtoll(doctor_line(path, text, sizeof(text)), &end, 10);

	return end > text ? n : -1;
}

/* Shows each finding as it comes, or collects them. */
struct visit {
	json_t *checks; /* NULL: print */
	const char *group;
	int warnings, missing;
};

static void print_finding(struct visit *v, const char *group, const char *name,
			  const struct doctor_finding *f)
{
	int colours = see_colours();

	if (!v->group || strcmp(v->group, group) != 0)
		printf("%s%s%s%s\n", v->group ? "\n" : "", colours ? "\033[1m" : "", group,
		       colours ? "\033[0m" : "");
	v->group = group;
	printf("  %s%-*s%s%-*s", colours ? state_colours[f->state] : "", NAME_COLUMN - 2,
	       state_names[f->state], colours ? "\033[0m" : "", DETAIL_COLUMN - NAME_COLUMN, name);
	see_wrap(DETAIL_COLUMN, f->detail);
	if (*f->mend) {
		printf("%*s%-*s", NAME_COLUMN, "", DETAIL_COLUMN - NAME_COLUMN, "  to mend it");
		see_wrap(DETAIL_COLUMN, f->mend);
	}
	(void)fflush(stdout);
}

static void take(struct visit *v, const char *group, const char *name,
		 const struct doctor_finding *f)
{
	v->warnings += f->state == DOCTOR_WARNING;
	v->missing += f->state == DOCTOR_MISSING;
	if (!v->checks)
		print_finding(v, group, name, f);
	else
		(void)json_array_append_new(v->checks,
					    json_pack("{s:s, s:s, s:s, s:o, s:o}", "group", group,
						      "name", name, "state", state_names[f->state],
						      "detail", see_json(f->detail), "mend",
						      *f->mend ? see_json(f->mend) : json_null()));
}

static void visit_table(struct visit *v, const struct doctor_check *c)
{
	for (; c->name; c++) {
		struct doctor_finding f = {.state = DOCTOR_OK};

		c->look(&f);
		take(v, c->group, c->name, &f);
	}
}

/* What the trial run ended with. */
struct outcome {
	int exited, exit_code;
	char why[300];
};

static int on_reply(void *arg, const Sandbox__Reply *r, const int *fds, size_t nfds, struct err *e)
{
	struct outcome *o = arg;

	(void)fds;
	(void)nfds;
	(void)e;
	o->exited = !r->error[0] && r->status == SANDBOX__STATUS__EXITED;
	o->exit_code = r->exit_code;
	snprintf(o->why, sizeof(o->why), "%s%s", r->error, r->message);
	return 0;
}

/* A program in the cell: /bin/true, under the policy of programs, with the default limits. */
static int run_true(struct cell *c, int64_t *us, struct err *e)
{
	char *argv[] = {(char *)"/bin/true"};
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	struct outcome o = {0};
	int64_t begin;
	AUTO_CLOSE int input = io_memfd_of("", 0, e);

	if (input < 0)
		return -1;
	rq.kind = SANDBOX__REQUEST__KIND__RUN;
	rq.root = (char *)"default";
	rq.network = (char *)"none";
	rq.policy = (char *)SETTING_POLICY;
	rq.cwd = (char *)"/box";
	rq.argv = argv;
	rq.n_argv = 1;
	rq.pin_cpu = 0;
	begin = io_monotonic_us();
	if (cell_request(c, &rq, &input, 1, on_reply, &o, e) < 0)
		return -1;
	*us = io_monotonic_us() - begin;
	if (!o.exited || o.exit_code != 0)
		return err_set(e, "/bin/true did not end well in the cell: %s",
			       *o.why ? o.why : "see 'sandbox run -- /bin/true'");
	return 0;
}

static int try_cell(const struct rules *rules, struct doctor_finding *f, struct err *e)
{
	struct cgroup_host h;
	struct cell c;
	struct cell_options o = {.name = "doctor", .rules = rules, .cgroups = &h};
	struct err late;
	int64_t begin = io_monotonic_us();
	int64_t opened = 0;
	int64_t ran = 0;
	int status;

	(void)close_range(3, ~0U, 0); /* what our caller left open is not for a cell */
	if (rights_obtain(0, 0, e) < 0 || cgroup_host_open(&h, e) < 0)
		return -1;
	status = cell_open(&c, &o, e);
	if (status == 0) {
		opened = io_monotonic_us() - begin;
		c.ties = (struct run_ties){-1, -1, -1};
		status = run_true(&c, &ran, e);
		cell_close(&c);
	}
	if (cgroup_host_close(&h, status == 0 ? e : &late) < 0)
		status = -1;
	if (status == 0)
		doctor_ok(f, "opened in %s; a program ran in it in %s", see_time(opened),
			  see_time(ran));
	return status;
}

/* With all the code that sandboxd has for it: the only check that counts. */
static int look_cell(struct visit *v, const struct see_options *so)
{
	static struct rules rules;
	struct options o = {.rules = so->rules};
	struct doctor_finding f = {.state = DOCTOR_OK};
	struct err e = {0};
	int status = setting_load(&o, &rules, &e);

	if (status < 0) {
		doctor_missing(&f, "%s", see_q(e.msg));
		doctor_mend(&f, "name the folder with roots and seccomp by --rules DIR");
		take(v, "cell", "rules", &f);
		return -1;
	}
	doctor_ok(&f, "%zu roots, %zu policies, hash %.12s", rules.nroots, rules.npolicies,
		  rules.hash);
	take(v, "cell", "rules", &f);
	status = try_cell(&rules, &f, &e);
	if (status < 0) {
		doctor_missing(&f, "%s", see_q(e.msg));
		doctor_mend(&f, "%s",
			    v->missing ? "mend what is missing above first"
				       : "the reason names the step that failed");
	}
	take(v, "cell", "opened", &f);
	rules_release(&rules);
	return status;
}

static void conclude(const struct visit *v, int usable)
{
	printf("\n%s", usable ? "Cells can be opened" : "No cell can be opened");
	if (v->missing + v->warnings == 0)
		puts("; nothing is missing.");
	else
		printf("; %d missing, %d warning%s.\n", v->missing, v->warnings,
		       v->warnings == 1 ? "" : "s");
}

int doctor_command(int argc, char **argv)
{
	static const struct doctor_check *const tables[] = {
		doctor_kernel_checks, doctor_system_checks, doctor_timing_checks};
	struct see_options o;
	struct visit v = {0};
	struct err e;
	int usable;
	int status = SEE_OK;

	if (see_options(&o, argc, argv, 1, NULL, &e) < 0) {
		fprintf(stderr, "sandbox: %s\n", e.msg);
		return SEE_USAGE;
	}
	if (o.help) {
		fputs(usage, stdout);
		return SEE_OK;
	}
	log_open("sandbox", LOG_ERROR);
	v.checks = o.json ? json_array() : NULL;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		visit_table(&v, tables[i]);
	usable = look_cell(&v, &o) == 0;
	if (o.json) {
		json_t *all = json_pack("{s:s, s:b, s:i, s:i, s:o}", "version", GAVEL_VERSION,
					"usable", usable, "missing", v.missing, "warnings",
					v.warnings, "checks", v.checks);

		status = see_dump(all);
		json_decref(all);
	} else {
		conclude(&v, usable);
	}
	return usable && status == SEE_OK ? SEE_OK : SEE_FAILED;
}
