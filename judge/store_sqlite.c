#include "judge/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "judge/store_sqlite_rejudge.h"
#include "proto/err.h"
#include "proto/scope.h"

/* Makes the folder if it is missing; refuses one that others could look into or exchange files in. */
static int open_folder(const char *path, struct err *e)
{
	struct stat st;
	int made = mkdir(path, 0700) == 0;

	if (!made && errno != EEXIST)
		return err_sys(e, "store: make %s", path);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "store: %s must be a folder (not a link)", path);
	if (st.st_uid != geteuid())
		return store_refuse(e, EPERM, "store: %s belongs to uid %u, this process is uid %u",
				    path, st.st_uid, geteuid());
	if ((st.st_mode & 07777) != 0700)
		return store_refuse(e, EPERM,
				    "store: %s has mode %04o, it must be 0700 (chmod 0700 %s)",
				    path, st.st_mode & 07777, path);
	if (made && syncfs(fd) < 0) /* the name of the new folder must survive a power cut too */
		return err_sys(e, "store: sync %s", path);
	return fd_steal(&fd);
}

/* An open file description lock: the kernel releases it when the process ends, however it ends. */
static int lock_folder(int folder, const char *path, struct err *e)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	AUTO_CLOSE int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "store: %s/lock", path);
	if (fcntl(fd, F_OFD_SETLK, &all) == 0)
		return fd_steal(&fd);
	if (errno == EAGAIN || errno == EACCES)
		return store_refuse(e, EBUSY, "store: %s is in use by another process", path);
	return err_sys(e, "store: lock %s/lock", path);
}

static int open_readers(struct store_sqlite *s, const char *path, struct err *e)
{
	for (size_t i = 0; i < STORE_SQLITE_READERS; i++) {
		if (db_open(&s->readers[i], path, 0, e) < 0)
			return -1;
		s->idle[s->nidle++] = &s->readers[i];
	}
	return 0;
}

static void close_readers(struct store_sqlite *s)
{
	for (size_t i = 0; i < STORE_SQLITE_READERS; i++)
		if (s->readers[i].handle)
			db_close(&s->readers[i]);
}

static int open_writer(struct store_sqlite *s, const char *path, struct err *e)
{
	struct db db;

	if (db_open(&db, path, 1, e) < 0)
		return -1;
	if (writer_start(&s->writer, &db, s, e) < 0) {
		db_close(&db);
		return -1;
	}
	if (store_sqlite_begin(s, e) < 0) {
		writer_stop(&s->writer);
		return -1;
	}
	return 0;
}

static void close_all(struct store_sqlite *s)
{
	close_readers(s); /* first: the last connection to close folds the log into the file */
	writer_stop(&s->writer);
	(void)pthread_cond_destroy(&s->returned);
	(void)pthread_mutex_destroy(&s->mutex);
}

static struct store *sqlite_open(const char *where, struct err *e)
{
	char path[PATH_MAX];
	AUTO_CLOSE int folder = -1;
	AUTO_CLOSE int lock = -1;
	AUTO_FREE char *name = NULL;
	AUTO_FREE struct store_sqlite *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)err_sys(e, "store: %s", where);
		return NULL;
	}
	if (!*where || snprintf(path, sizeof(path), "%s/gavel.db", where) >= (int)sizeof(path)) {
		(void)store_refuse(e, EINVAL, "store 'sqlite:%.100s': expected sqlite:DIR", where);
		return NULL;
	}
	folder = open_folder(where, e);
	if (folder < 0)
		return NULL;
	lock = lock_folder(folder, where, e);
	name = strdup(where);
	if (!name) {
		(void)err_sys(e, "store: %s", where);
		return NULL;
	}
	if (lock < 0 || open_writer(s, path, e) < 0)
		return NULL;
	(void)pthread_mutex_init(&s->mutex, NULL);
	(void)pthread_cond_init(&s->returned, NULL);
	if (open_readers(s, path, e) < 0 || rejudging_resume(s, e) < 0) {
		close_all(s);
		return NULL;
	}
	s->lock = fd_steal(&lock);
	s->base.ops = &store_sqlite_ops;
	s->base.folder = ptr_steal(&name);
	return &ptr_steal(&s)->base;
}

static void sqlite_close(struct store *base)
{
	struct store_sqlite *s = (struct store_sqlite *)base;

	close_all(s);
	(void)close(s->lock);
	free(s->base.folder);
	free(s);
}

static void sqlite_on_commit(struct store *base, store_hook *hook, void *arg)
{
	struct store_sqlite *s = (struct store_sqlite *)base;

	(void)pthread_mutex_lock(&s->writer.mutex);
	s->writer.hook = hook;
	s->writer.hook_arg = arg;
	(void)pthread_mutex_unlock(&s->writer.mutex);
}

static struct db *reader_take(struct store_sqlite *s)
{
	struct db *db;

	(void)pthread_mutex_lock(&s->mutex);
	while (s->nidle == 0)
		(void)pthread_cond_wait(&s->returned, &s->mutex);
	db = s->idle[--s->nidle];
	(void)pthread_mutex_unlock(&s->mutex);
	return db;
}

static void reader_return(struct store_sqlite *s, struct db *db)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->idle[s->nidle++] = db;
	(void)pthread_cond_signal(&s->returned);
	(void)pthread_mutex_unlock(&s->mutex);
}

int store_sqlite_read(struct store_sqlite *s, store_sqlite_reading *fn, void *arg, struct err *e)
{
	struct db *db = reader_take(s);
	int rc = db_run(db, SQL_BEGIN_READ, DB_NONE, e);

	if (rc >= 0)
		rc = fn(db, arg, e);
	db_abandon(db);
	reader_return(s, db);
	if (rc < 0 && e->num == EIO)
		(void)err_wrap(e, "store: read");
	return rc;
}

const struct store_ops store_sqlite_ops = {
	.kind = "sqlite",
	.url = "sqlite:DIR",
	.open = sqlite_open,
	.close = sqlite_close,
	.on_commit = sqlite_on_commit,
	.put_blob = store_sqlite_put_blob,
	.get_blob = store_sqlite_get_blob,
	.add_problem = store_sqlite_add_problem,
	.get_problem = store_sqlite_get_problem,
	.list_problems = store_sqlite_list_problems,
	.submit = store_sqlite_submit,
	.get_submission = store_sqlite_get_submission,
	.list_submissions = store_sqlite_list_submissions,
	.cancel = store_sqlite_cancel,
	.events = store_sqlite_events,
	.counts = store_sqlite_counts,
	.claim = store_sqlite_claim,
	.renew = store_sqlite_renew,
	.append_events = store_sqlite_append_events,
	.finish = store_sqlite_finish,
	.hand_back = store_sqlite_hand_back,
	.fault = store_sqlite_fault,
	.create_rejudging = store_sqlite_create_rejudging,
	.get_rejudging = store_sqlite_get_rejudging,
	.list_rejudgings = store_sqlite_list_rejudgings,
	.list_rejudged = store_sqlite_list_rejudged,
	.list_changes = store_sqlite_list_changes,
	.apply_rejudging = store_sqlite_apply_rejudging,
	.cancel_rejudging = store_sqlite_cancel_rejudging,
	.list_judgements = store_sqlite_list_judgements,
};
