#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_sqlite.h"
#include "judge/store_sqlite_rejudge.h"
#include "proto/err.h"
#include "proto/scope.h"

/* Why a submission that was named by its id cannot be judged again. */
static int not_finished(int64_t state, const char *id, struct err *e)
{
	return store_refuse(e, EBUSY, "submission %.64s %s", id,
			    state == JUDGE__V1__STATE__CANCELLED ? "was cancelled"
								 : "has no verdict yet");
}

/* Submissions of one problem come one after the other more often than not. */
static int find_version(struct rejudging_match *m, const char *version, size_t *index,
			struct err *e)
{
	void *more;

	for (size_t i = m->nversions; i > 0; i--)
		if (strcmp(m->versions[i - 1], version) == 0) {
			*index = i - 1;
			return 0;
		}
	more = reallocarray(m->versions, m->nversions + 1, sizeof(m->versions[0]));
	if (!more)
		return err_sys(e, "store: list of versions");
	m->versions = more;
	(void)snprintf(m->versions[m->nversions], sizeof(m->versions[0]), "%s", version);
	*index = m->nversions++;
	return 0;
}

static int add_item(struct rejudging_match *m, int64_t submission, const char *version,
		    struct err *e)
{
	size_t room = m->room ? 2 * m->room : 256;
	struct rejudging_item *items;

	if (m->n == m->room) {
		items = reallocarray(m->items, room, sizeof(*items));
		if (!items)
			return err_sys(e, "store: list of %zu submissions", room);
		m->items = items;
		m->room = room;
	}
	m->items[m->n].submission = submission;
	return find_version(m, version, &m->items[m->n++].version, e);
}

static int match_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct rejudging_match *m = arg;
	int64_t state = db_get_int(row, 1);
	AUTO_FREE char *id = db_get_text(row, 2, e);
	AUTO_FREE char *other = id ? db_get_text(row, 3, e) : NULL;
	AUTO_FREE char *version = other ? db_get_text(row, 4, e) : NULL;

	if (!version)
		return -1;
	if (*other)
		return store_refuse(e, EBUSY, "submission %s is in rejudging %s, which is open", id,
				    other);
	if (state == JUDGE__V1__STATE__FINISHED)
		return add_item(m, db_get_int(row, 0), version, e);
	if (m->filter->n_submissions > 0)
		return not_finished(state, id, e);
	if (state != JUDGE__V1__STATE__CANCELLED)
		m->left_out++;
	return 0;
}

/* The filter that leaves the fewest rows is the way in. */
static enum sql way_in(const Judge__V1__SubmissionFilter *f, const char *id)
{
	if (id)
		return SQL_MATCH_ID;
	if (*f->author)
		return SQL_MATCH_AUTHOR;
	if (f->verdict)
		return SQL_MATCH_VERDICT;
	return *f->problem ? SQL_MATCH_PROBLEM : SQL_MATCH_ALL;
}

static int find(struct db *db, struct rejudging_match *m, const char *id, struct err *e)
{
	const Judge__V1__SubmissionFilter *f = m->filter;

	return db_each(db, way_in(f, id),
		       DB_ARGS(db_text(store_or_null(f->problem)),
			       db_text(store_or_null(f->language)),
			       db_text(store_or_null(f->author)), db_int(f->verdict),
			       db_int(f->submitted_since_us), db_int(f->submitted_until_us),
			       db_text(id), db_int(m->same_version)),
		       match_row, m, e);
}

static int state_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	(void)e;
	*(int64_t *)arg = db_get_int(row, 0);
	return 0;
}

/* One that is named must be there and have a verdict, also when the rest of the filter leaves it out. */
static int find_one(struct db *db, struct rejudging_match *m, const char *id, struct err *e)
{
	int64_t state = 0;
	int n = db_each(db, SQL_STATE_OF, DB_ARGS(db_text(id)), state_row, &state, e);

	if (n == 0)
		return store_refuse(e, ENOENT, "no submission '%.64s'", id);
	if (n > 0 && state != JUDGE__V1__STATE__FINISHED)
		return not_finished(state, id, e);
	return n < 0 ? -1 : find(db, m, id, e);
}

static int ascending(const void *a, const void *b)
{
	int64_t x = ((const struct rejudging_item *)a)->submission;
	int64_t y = ((const struct rejudging_item *)b)->submission;

	return (x > y) - (x < y);
}

/* Ids may be given twice. */
static void sort_items(struct rejudging_match *m)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->items, m->n, sizeof(m->items[0]), ascending);
	for (size_t i = 0; i < m->n; i++)
		if (n == 0 || m->items[n - 1].submission != m->items[i].submission)
			m->items[n++] = m->items[i];
	m->n = n;
}

int rejudging_find(struct db *db, void *match, struct err *e)
{
	struct rejudging_match *m = match;
	const Judge__V1__SubmissionFilter *f = m->filter;

	if (f->n_submissions == 0 && find(db, m, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < f->n_submissions; i++)
		if (find_one(db, m, f->submissions[i], e) < 0)
			return -1;
	sort_items(m);
	if (m->n > 0)
		return 0;
	return store_refuse(e, ENODATA, "no submission that has a verdict matches");
}

void rejudging_match_release(struct rejudging_match *m)
{
	free(m->items);
	free(m->versions);
}
