#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/ids.h"

/* A range that no cell uses, another one for each test process: they run beside each other. */
static uid_t own_range(void)
{
	return 1200000000U + (uid_t)getpid() % 100000 * 64;
}

static size_t claim_all(struct ids *out, size_t max, uid_t base, uid_t count)
{
	struct err e = {0};
	size_t n = 0;

	while (n < max && ids_claim(&out[n], base, count, &e) == 0)
		n++;
	if (n < max)
		cr_expect_not_null(strstr(e.msg, "all claimed"), "%s", e.msg);
	return n;
}

static void release_all(struct ids *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ids_release(&ids[i]);
}

Test(ids, pairs_are_whole_and_never_shared)
{
	uid_t base = own_range();
	static const struct {
		uid_t offset, count;
		size_t pairs;
	} ranges[] = {{0, 8, 4}, {0, 9, 4}, {1, 8, 3}, {1, 9, 4}, {0, 2, 1}, {0, 1, 0}, {1, 2, 0}};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		struct ids ids[8];
		uid_t from = base + ranges[i].offset;
		size_t n = claim_all(ids, ARRAY_LEN(ids), from, ranges[i].count);

		cr_expect_eq(n, ranges[i].pairs, "range %zu: %zu pairs", i, n);
		for (size_t a = 0; a < n; a++) {
			cr_expect_eq(ids[a].init % 2, 0);
			cr_expect_eq(ids[a].program, ids[a].init + 1);
			cr_expect(ids[a].init >= from && ids[a].program < from + ranges[i].count);
			for (size_t b = 0; b < a; b++)
				cr_expect_neq(ids[a].init, ids[b].init);
		}
		release_all(ids, n);
	}
}

Test(ids, overlapping_ranges_share_nothing)
{
	uid_t base = own_range();
	struct ids low[8];
	struct ids high[8];
	size_t nlow = claim_all(low, 8, base, 10);
	size_t nhigh = claim_all(high, 8, base + 5, 10);

	cr_expect_eq(nlow, 5);
	cr_expect_eq(nhigh, 2);
	for (size_t a = 0; a < nlow; a++)
		for (size_t b = 0; b < nhigh; b++)
			cr_expect_neq(low[a].init, high[b].init);
	release_all(low, nlow);
	release_all(high, nhigh);
}

Test(ids, claims_end_with_their_owner)
{
	uid_t base = own_range();
	struct ids ids;
	struct err e = {0};
	pid_t pid = fork();

	if (pid == 0)
		_exit(ids_claim(&ids, base, 2, &e) < 0);
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_assert_eq(ids_claim(&ids, base, 2, &e), 0, "%s", e.msg);
	cr_expect_eq(ids_claim(&(struct ids){0}, base, 2, &e), -1);
	ids_release(&ids);
	ids_release(&ids); /* twice does no harm */
	cr_assert_eq(ids_claim(&ids, base, 2, &e), 0, "%s", e.msg);
	ids_release(&ids);
}
