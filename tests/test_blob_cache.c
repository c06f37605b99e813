#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "judge/blob_cache.h"
#include "judge/store.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

static char dir[] = "/tmp/gavel-cache-XXXXXX";
static struct store *store;

static void make_folder(void)
{
	cr_assert(ne(ptr, mkdtemp(dir), NULL));
}

static void open_store(void)
{
	char url[64];
	char hash[STORE_HASH_LEN + 1];
	AUTO_FREE char *data = NULL;
	size_t len;
	struct err e;

	snprintf(url, sizeof(url), "sqlite:%s/state", dir);
	store = store_open(url, &e);
	cr_assert(ne(ptr, store, NULL), "%s", e.msg);
	/* Descriptors are counted below: let it open all of its own. */
	cr_assert(zero(int, store_put_blob(store, "", 0, hash, &e)));
	cr_assert(zero(int, store_get_blob(store, hash, &data, &len, &e)));
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void close_all(void)
{
	if (store)
		store_close(store);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(size_t len, char c, char *hash)
{
	AUTO_FREE char *data = malloc(len + 1);
	struct err e;

	memset(data, c, len);
	cr_assert(zero(int, store_put_blob(store, data, len, hash, &e)), "%s", e.msg);
}

static int get(struct blob_cache *c, const char *hash)
{
	struct err e;
	int fd = blob_cache_get(c, hash, &e);

	cr_assert(ge(int, fd, 0), "%s", e.msg);
	return fd;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TestSuite(blob_cache, .init = make_folder, .fini = close_all, .timeout = 30);

Test(blob_cache, gives_sealed_files_that_share_no_offset)
{
	char hash[STORE_HASH_LEN + 1];
	char text[8] = "";
	struct err e;

	open_store();
	struct blob_cache *c = blob_cache_new(store, 1000);

	put(5, 'x', hash);
	AUTO_CLOSE int first = get(c, hash);
	AUTO_CLOSE int second = get(c, hash);

	cr_expect(zero(int, io_memfd_check(first, &e)), "%s", e.msg);
	cr_expect(zero(int, io_memfd_check(second, &e)), "%s", e.msg);
	cr_expect(eq(int, (int)read(first, text, 5), 5));
	cr_expect(eq(str, text, "xxxxx"));
	cr_expect(eq(int, (int)read(second, text, 5), 5));
	blob_cache_free(c);
	cr_expect(eq(int, (int)pread(first, text, 5, 0), 5)); /* it outlives the cache */
}

Test(blob_cache, stays_within_its_bytes_and_forgets_the_oldest)
{
	char hash[5][STORE_HASH_LEN + 1];
	int before;

	open_store();
	struct blob_cache *c = blob_cache_new(store, 350);

	before = open_fds();
	for (int i = 0; i < 5; i++) {
		put(100, (char)('a' + i), hash[i]);
		close(get(c, hash[i]));
	}
	cr_expect(eq(int, open_fds(), before + 3));
	close(get(c, hash[2])); /* the oldest one there is the newest now */
	put(100, 'z', hash[0]);
	close(get(c, hash[0]));
	cr_expect(eq(int, open_fds(), before + 3));
	blob_cache_free(c);
	cr_expect(eq(int, open_fds(), before));
}

Test(blob_cache, too_large_a_blob_is_given_out_but_not_kept)
{
	char hash[STORE_HASH_LEN + 1];
	int before;

	open_store();
	struct blob_cache *c = blob_cache_new(store, 50);

	put(51, 'x', hash);
	before = open_fds();
	close(get(c, hash));
	cr_expect(eq(int, open_fds(), before));
	blob_cache_free(c);
}

Test(blob_cache, holds_a_bounded_number_of_descriptors)
{
	char hash[STORE_HASH_LEN + 1];
	int before;

	open_store();
	struct blob_cache *c = blob_cache_new(store, 1 << 20);

	before = open_fds();
	for (size_t len = 1; len <= 300; len++) {
		put(len, 'x', hash);
		close(get(c, hash));
	}
	cr_expect(eq(int, open_fds(), before + 256));
	blob_cache_free(c);
}

Test(blob_cache, an_unknown_blob_is_an_error)
{
	static const char none[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	struct err e;

	open_store();
	struct blob_cache *c = blob_cache_new(store, 100);

	cr_expect(eq(int, blob_cache_get(c, none, &e), -1));
	cr_expect(eq(int, e.num, ENOENT), "%s", e.msg);
	blob_cache_free(c);
}
