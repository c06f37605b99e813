#include "judge/blob_cache.h"

#include <pthread.h>

#include "judge/store.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define ENTRIES_MAX 256 /* each is a descriptor */

/* In a list from the most to the least recently used; few enough to be searched from the front. */
struct entry {
	struct entry *newer, *older;
	char hash[STORE_HASH_LEN + 1];
	uint64_t bytes;
	int fd;
};

struct blob_cache {
	pthread_mutex_t lock;
	struct store *store;
	struct entry *newest, *oldest;
	uint64_t bytes, max_bytes;
	unsigned entries;
};

struct blob_cache *blob_cache_new(struct store *store, uint64_t max_bytes)
{
	struct blob_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->store = store;
	c->max_bytes = max_bytes;
	return c;
}

static void unlink_entry(struct blob_cache *c, struct entry *x)
{
	*(x->newer ? &x->newer->older : &c->newest) = x->older;
	*(x->older ? &x->older->newer : &c->oldest) = x->newer;
	c->bytes -= x->bytes;
	c->entries--;
}

static void push_entry(struct blob_cache *c, struct entry *x)
{
	x->newer = NULL;
	x->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = x;
	c->newest = x;
	c->bytes += x->bytes;
	c->entries++;
}

static void drop_oldest(struct blob_cache *c)
{
	struct entry *x = c->oldest;

	unlink_entry(c, x);
	(void)close(x->fd);
	free(x);
}

void blob_cache_free(struct blob_cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_oldest(c);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct entry *find(const struct blob_cache *c, const char *hash)
{
	struct entry *x = c->newest;

	while (x && strcmp(x->hash, hash) != 0)
		x = x->older;
	return x;
}

/* -1 without *e: it is not there. */
static int take_cached(struct blob_cache *c, const char *hash)
{
	struct err ignored;
	struct entry *x;
	int fd = -1;

	pthread_mutex_lock(&c->lock);
	x = find(c, hash);
	if (x) {
		unlink_entry(c, x);
		push_entry(c, x);
		fd = io_reopen(x->fd, &ignored);
	}
	pthread_mutex_unlock(&c->lock);
	return fd;
}

/* Keeps a description of the file; not being able to is no error.  Two threads may have loaded the same. */
static void keep(struct blob_cache *c, const char *hash, int fd, uint64_t bytes)
{
	struct entry *x = bytes <= c->max_bytes ? calloc(1, sizeof(*x)) : NULL;
	struct err ignored;

	if (!x)
		return;
	snprintf(x->hash, sizeof(x->hash), "%s", hash);
	x->bytes = bytes;
	x->fd = io_reopen(fd, &ignored);
	pthread_mutex_lock(&c->lock);
	if (x->fd < 0 || find(c, hash)) {
		if (x->fd >= 0)
			(void)close(x->fd);
		free(x);
	} else {
		push_entry(c, x);
		while (c->oldest && (c->bytes > c->max_bytes || c->entries > ENTRIES_MAX))
			drop_oldest(c);
	}
	pthread_mutex_unlock(&c->lock);
}

int blob_cache_get(struct blob_cache *c, const char *hash, struct err *e)
{
	AUTO_FREE char *data = NULL;
	AUTO_CLOSE int loaded = -1;
	size_t len;
	int fd = take_cached(c, hash);

	if (fd >= 0)
		return fd;
	if (store_get_blob(c->store, hash, &data, &len, e) < 0)
		return err_wrap(e, "blob %s", hash);
	loaded = io_memfd_of(data, len, e);
	if (loaded < 0)
		return -1;
	keep(c, hash, loaded, len);
	return io_reopen(loaded, e);
}
