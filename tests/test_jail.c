#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/landlock.h"
#include "proto/scope.h"

#include "tests/cell_fixture.h"

#define MAX_STEPS 32

/* The real tables, in arrays that a test may take rows from. */
struct tables {
	struct jail_cell_step cell[MAX_STEPS];
	struct jail_program_step program[MAX_STEPS];
	struct jail_tables t;
};

static void copy_tables(struct tables *t)
{
	memcpy(t->cell, jail_cell_steps, jail_cell_nsteps * sizeof(t->cell[0]));
	memcpy(t->program, jail_program_steps, jail_program_nsteps * sizeof(t->program[0]));
	t->t = (struct jail_tables){t->cell, jail_cell_nsteps, t->program, jail_program_nsteps};
}

static void drop_cell_step(struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->t.ncell; i++)
		if (strcmp(t->cell[i].name, name) == 0) {
			memmove(&t->cell[i], &t->cell[i + 1],
				(t->t.ncell - i - 1) * sizeof(t->cell[0]));
			t->t.ncell--;
			return;
		}
	cr_assert_fail("no step %s", name);
}

static void drop_program_step(struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->t.nprogram; i++)
		if (strcmp(t->program[i].name, name) == 0) {
			memmove(&t->program[i], &t->program[i + 1],
				(t->t.nprogram - i - 1) * sizeof(t->program[0]));
			t->t.nprogram--;
			return;
		}
	cr_assert_fail("no step %s", name);
}

/*
 * Surroundings in which leaving out a row can be seen: mounts that travel, and a signal that is ignored.  Both must be gone
 * inside.
 */
static void make_surroundings(void)
{
	fixture_rights();
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	cr_assert_eq(sigaction(SIGHUP, &ignore, NULL), 0);
}

/* 1 if a program ran to its end under these tables, 0 if the jail refused, with the reason. */
static int runs(const struct jail_tables *t, const char *network, char *why, size_t size)
{
	struct fixture f;
	struct err e = {0};
	struct answer a;
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, "exit 7");
	int ran;

	why[0] = '\0';
	if (fixture_try(&f, t, &e) < 0) {
		snprintf(why, size, "%s", e.msg);
		return 0;
	}
	rq.network = strdup(network); /* owned by the request, as if it had been unpacked */
	fixture_send(&f, &rq, "", &a);
	ran = a.error[0] == '\0' && a.status == SANDBOX__STATUS__EXITED && a.exit_code == 7;
	snprintf(why, size, "%s", a.error[0] ? a.error : a.message);
	fixture_close(&f);
	return ran;
}

Test(jail, complete_tables_run_a_program, .timeout = 60)
{
	struct tables t;
	char why[300];

	make_surroundings();
	copy_tables(&t);
	cr_assert(runs(&t.t, "loopback", why, sizeof(why)), "%s", why);
}

/* "verify" and "check" are looked at below: leaving it out alone changes nothing, which is why it must be there. */
Test(jail, every_cell_step_is_needed, .timeout = 120)
{
	char why[300];

	make_surroundings();
	for (size_t i = 0; i < jail_cell_nsteps; i++) {
		const char *name = jail_cell_steps[i].name;
		struct tables t;

		if (strcmp(name, "verify") == 0)
			continue;
		copy_tables(&t);
		drop_cell_step(&t, name);
		cr_expect_not(runs(&t.t, "loopback", why, sizeof(why)), "without %s", name);
		cr_expect_neq(why[0], '\0', "without %s no reason is given", name);
	}
}

Test(jail, every_program_step_is_needed, .timeout = 120)
{
	char why[300];

	make_surroundings();
	for (size_t i = 0; i < jail_program_nsteps; i++) {
		const char *name = jail_program_steps[i].name;
		struct tables t;

		if (strcmp(name, "verify") == 0 || strcmp(name, "check") == 0 ||
		    (strcmp(name, "landlock") == 0 && landlock_abi() == 0))
			continue;
		copy_tables(&t);
		drop_program_step(&t, name);
		cr_expect_not(runs(&t.t, "none", why, sizeof(why)), "without %s", name);
		cr_expect_neq(why[0], '\0', "without %s no reason is given", name);
	}
}

/* With verify gone a missing row goes unnoticed: so it is verify that notices. */
Test(jail, verify_steps_are_needed, .timeout = 60)
{
	struct tables t;
	char why[300];

	make_surroundings();
	copy_tables(&t);
	drop_cell_step(&t, "bounding");
	cr_expect_not(runs(&t.t, "none", why, sizeof(why)));
	cr_expect_not_null(strstr(why, "cell: verify: capability"), "%s", why);
	drop_cell_step(&t, "verify");
	drop_program_step(&t, "verify");
	cr_expect(runs(&t.t, "none", why, sizeof(why)), "%s", why);

	copy_tables(&t);
	drop_program_step(&t, "limits");
	cr_expect_not(runs(&t.t, "none", why, sizeof(why)));
	cr_expect_not_null(strstr(why, "jail: verify: resource limit"), "%s", why);
	drop_program_step(&t, "verify");
	cr_expect(runs(&t.t, "none", why, sizeof(why)), "%s", why);

	copy_tables(&t);
	drop_program_step(&t, "sizes");
	cr_expect_not(runs(&t.t, "none", why, sizeof(why)));
	cr_expect_not_null(strstr(why, "jail: check: the limit of open files"), "%s", why);
	drop_program_step(&t, "check");
	cr_expect(runs(&t.t, "none", why, sizeof(why)), "%s", why);
}

static int no_new_privs_but_dumpable(const struct jail_cell *c, struct err *e)
{
	(void)c;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_sys(e, "prctl");
	return 0;
}

/* What no row of its own does: the kernel, or the row beside it, may see to it today and not tomorrow. */
Test(jail, a_dumpable_init_is_refused, .timeout = 60)
{
	struct tables t;
	char why[300];

	make_surroundings();
	copy_tables(&t);
	for (size_t i = 0; i < t.t.ncell; i++)
		if (strcmp(t.cell[i].name, "no_new_privs") == 0)
			t.cell[i].run = no_new_privs_but_dumpable;
	cr_expect_not(runs(&t.t, "none", why, sizeof(why)));
	cr_expect_not_null(strstr(why, "cell: verify: is dumpable"), "%s", why);
}

/* Each of these rows is missed by verify, not by a row that stumbles later. */
Test(jail, verify_names_what_is_missing, .timeout = 60)
{
	static const struct {
		const char *cell, *program, *reason;
	} cases[] = {
		{"oom", NULL, "cell: verify: oom_score_adj"},
		{NULL, "landlock", "jail: verify: Landlock"},
	};

	make_surroundings();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tables t;
		char why[300];

		if (cases[i].program && landlock_abi() == 0)
			continue; /* not in force on this kernel, and not claimed to be */
		copy_tables(&t);
		if (cases[i].cell)
			drop_cell_step(&t, cases[i].cell);
		else
			drop_program_step(&t, cases[i].program);
		cr_expect_not(runs(&t.t, "none", why, sizeof(why)));
		cr_expect_not_null(strstr(why, cases[i].reason), "%s", why);
	}
}

Test(jail, order_is_what_the_comments_say)
{
	static const char *const last[] = {"verify", "seccomp", "request", "sizes",
					   "cwd",    "check",   "exec"};

	cr_assert_str_eq(jail_cell_steps[0].name, "cgroup");
	cr_assert_str_eq(jail_cell_steps[jail_cell_nsteps - 1].name, "verify");
	cr_assert_str_eq(jail_program_steps[0].name, "attach");
	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		cr_expect_str_eq(jail_program_steps[jail_program_nsteps - ARRAY_LEN(last) + i].name,
				 last[i]);
}

Test(jail, failed_exec_is_reported_with_its_errno, .timeout = 30)
{
	struct fixture f;
	struct answer a;
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, "");

	fixture_open(&f, NULL);
	argv[0] = (char *)"/nonexistent";
	fixture_send(&f, &rq, "", &a);
	cr_expect_eq(a.status, SANDBOX__STATUS__SANDBOX_ERROR);
	cr_expect_eq(a.exec_errno, ENOENT);
	cr_expect_not_null(strstr(a.message, "/nonexistent"));
	rq = fixture_shell(argv, "");
	argv[0] = (char *)"/usr/lib";
	fixture_send(&f, &rq, "", &a);
	cr_expect_eq(a.exec_errno, EACCES);
	fixture_close(&f);
}
