#include "judge/program_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "judge/compile.h"
#include "judge/program_entry.h"
#include "judge/sandbox_client.h"
#include "proto/err.h"
#include "proto/log.h"
#include "proto/scope.h"

#define BLOCK   4096ULL /* what a file takes is counted in these */
#define BUCKETS 4096

/* In a list from the most to the least recently used, and in a bucket by the first digits of its key. */
struct entry {
	struct entry *newer, *older, *next;
	char key[PROGRAM_KEY_LEN + 1];
	uint64_t bytes;
	struct timespec used;
};

struct program_cache {
	pthread_mutex_t lock; /* of all below but dir and max_bytes */
	int dir;
	uint64_t max_bytes, bytes;
	unsigned long made; /* names of files being written */
	struct entry *newest, *oldest;
	struct entry *buckets[BUCKETS];
};

static int is_key(const char *name)
{
	return strlen(name) == PROGRAM_KEY_LEN &&
	       strspn(name, "0123456789abcdef") == PROGRAM_KEY_LEN;
}

static struct entry **bucket_of(struct program_cache *c, const char *key)
{
	char digits[4] = {key[0], key[1], key[2], '\0'};

	return &c->buckets[strtoul(digits, NULL, 16) % BUCKETS];
}

static struct entry *find(struct program_cache *c, const char *key)
{
	struct entry *x = *bucket_of(c, key);

	while (x && strcmp(x->key, key) != 0)
		x = x->next;
	return x;
}

static void unlink_entry(struct program_cache *c, struct entry *x)
{
	*(x->newer ? &x->newer->older : &c->newest) = x->older;
	*(x->older ? &x->older->newer : &c->oldest) = x->newer;
}

static void push_entry(struct program_cache *c, struct entry *x)
{
	x->newer = NULL;
	x->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = x;
	c->newest = x;
}

/* Out of the index; the file is the caller's to remove. */
static void forget(struct program_cache *c, struct entry *x)
{
	struct entry **at = bucket_of(c, x->key);

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	unlink_entry(c, x);
	c->bytes -= x->bytes;
	free(x);
}

static void add_entry(struct program_cache *c, struct entry *x)
{
	struct entry **bucket = bucket_of(c, x->key);

	x->next = *bucket;
	*bucket = x;
	push_entry(c, x);
	c->bytes += x->bytes;
}

static void drop_oldest(struct program_cache *c)
{
	(void)unlinkat(c->dir, c->oldest->key, 0);
	forget(c, c->oldest);
}

static uint64_t taken_by(const struct stat *st)
{
	return ((uint64_t)st->st_size + BLOCK - 1) / BLOCK * BLOCK;
}

static struct entry *entry_new(const char *key, const struct stat *st)
{
	struct entry *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	memcpy(x->key, key, sizeof(x->key));
	x->bytes = taken_by(st);
	x->used = st->st_mtim;
	return x;
}

/* Takes up one name of the folder: an entry, or what an earlier process left half written. */
static struct entry *take_up(const struct program_cache *c, const char *name)
{
	struct stat st;

	if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	if (is_key(name) && S_ISREG(st.st_mode))
		return entry_new(name, &st);
	(void)unlinkat(c->dir, name, 0);
	return NULL;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &(*(struct entry *const *)a)->used;
	const struct timespec *y = &(*(struct entry *const *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static int read_folder(struct program_cache *c, DIR *d, struct err *e)
{
	AUTO_FREE struct entry **found = NULL;
	size_t n = 0;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): d is ours alone */
	for (struct dirent *entry; (entry = readdir(d));) {
		struct entry **grown = reallocarray(found, n + 1, sizeof(struct entry *));

		if (!grown) {
			while (n > 0)
				free(found[--n]);
			return err_set(e, "out of memory");
		}
		found = grown;
		found[n] = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
				   ? NULL
				   : take_up(c, entry->d_name);
		n += found[n] != NULL;
	}
	if (n > 0)
		qsort(found, n, sizeof(struct entry *), by_use);
	for (size_t i = 0; i < n; i++)
		add_entry(c, found[i]);
	while (c->oldest && c->bytes > c->max_bytes)
		drop_oldest(c);
	return 0;
}

static int open_folder(struct program_cache *c, const char *dir, struct err *e)
{
	DIR *d;
	int rc;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	c->dir = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir < 0)
		return err_sys(e, "%s", dir);
	d = fdopendir(openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!d)
		return err_sys(e, "%s", dir);
	rc = read_folder(c, d, e);
	closedir(d);
	return rc;
}

struct program_cache *program_cache_open(const char *dir, uint64_t max_bytes, struct err *e)
{
	struct program_cache *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(e, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->dir = -1;
	c->max_bytes = max_bytes;
	if (open_folder(c, dir, e) == 0)
		return c;
	program_cache_close(c);
	return NULL;
}

void program_cache_close(struct program_cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		forget(c, c->oldest);
	if (c->dir >= 0)
		(void)close(c->dir);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Counts as used now, also for the process after this one; a descriptor of the file, or -1: it is not there. */
static int open_entry(struct program_cache *c, const char *key)
{
	struct entry *x;
	int fd = -1;

	pthread_mutex_lock(&c->lock);
	x = find(c, key);
	if (x) {
		unlink_entry(c, x);
		push_entry(c, x);
		fd = openat(c->dir, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		(void)utimensat(c->dir, key, NULL, AT_SYMLINK_NOFOLLOW);
		if (fd < 0)
			forget(c, x);
	}
	pthread_mutex_unlock(&c->lock);
	return fd;
}

static void remove_entry(struct program_cache *c, const char *key)
{
	struct entry *x;

	pthread_mutex_lock(&c->lock);
	x = find(c, key);
	(void)unlinkat(c->dir, key, 0);
	if (x)
		forget(c, x);
	pthread_mutex_unlock(&c->lock);
}

int program_cache_get(struct program_cache *c, const char *key, struct compile_result *out)
{
	struct compile_result r = {.status = COMPILE_FAILED};
	struct err e = {0};
	AUTO_CLOSE int fd = open_entry(c, key);

	if (fd < 0)
		return 0;
	if (program_entry_read(fd, key, &r, &e) == 0) {
		*out = r;
		return 1;
	}
	log_event(LOG_WARN, "program_cache_bad", "key=%.12s reason=%s", key, log_q(e.msg));
	compile_result_release(&r);
	remove_entry(c, key);
	return 0;
}

static int has_room(const struct program_cache *c, const struct compile_result *r)
{
	uint64_t bytes = BLOCK;
	struct statvfs disk;
	struct stat st;

	for (size_t i = 0; i < r->nfiles; i++)
		bytes += fstat(r->files[i].fd, &st) == 0 ? taken_by(&st) : PROGRAM_ENTRY_MAX;
	if (bytes > PROGRAM_ENTRY_MAX || bytes > c->max_bytes || fstatvfs(c->dir, &disk) < 0)
		return 0;
	return (uint64_t)disk.f_bavail * disk.f_frsize >= bytes + PROGRAM_CACHE_SPARE;
}

/* The file has its name already; whoever put the same key before wrote the same. */
static void list_entry(struct program_cache *c, const char *key, const struct stat *st)
{
	struct entry *x = find(c, key);

	if (x)
		forget(c, x);
	x = entry_new(key, st);
	if (!x) {
		(void)unlinkat(c->dir, key, 0);
		return;
	}
	add_entry(c, x);
	while (c->oldest && c->bytes > c->max_bytes)
		drop_oldest(c);
}

static int put(struct program_cache *c, const char *key, const struct compile_result *r,
	       const char *temporary, struct err *e)
{
	AUTO_CLOSE int fd =
		openat(c->dir, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys(e, "%s", temporary);
	if (program_entry_write(fd, key, r, e) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", temporary);
	pthread_mutex_lock(&c->lock);
	rc = renameat(c->dir, temporary, c->dir, key);
	if (rc < 0)
		err_sys(e, "%s", key);
	else
		list_entry(c, key, &st);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void program_cache_put(struct program_cache *c, const char *key, const struct compile_result *r)
{
	char temporary[40];
	struct err e = {0};

	if (!has_room(c, r))
		return;
	pthread_mutex_lock(&c->lock);
	snprintf(temporary, sizeof(temporary), "new-%lu", c->made++);
	pthread_mutex_unlock(&c->lock);
	if (put(c, key, r, temporary, &e) == 0)
		return;
	(void)unlinkat(c->dir, temporary, 0);
	log_event(LOG_WARN, "program_cache_full", "key=%.12s reason=%s", key, log_q(e.msg));
}
