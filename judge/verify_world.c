#include "judge/verify_world.h"

#include <time.h>

#include "judge/blob_cache.h"
#include "judge/compile_cache.h"
#include "judge/probe.h"
#include "judge/sandbox_client.h"
#include "judge/store.h"
#include "judge/verify_host.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define START_MS    20000 /* for sandboxd to come up */
#define CACHE_BYTES (256ULL << 20)
#define DISK_BYTES  (2ULL << 30) /* of what is compiled */
#define PATIENCE    2            /* preparing takes as long as it spares three compilations */

/* Until it answers; a sandboxd that cannot start ends, which the privileged half notices. */
static int ask_languages(struct verify_world *w, struct err *e)
{
	const struct timespec pause = {0, 50000000};
	int64_t until = io_monotonic_us() + START_MS * 1000LL;

	for (;;) {
		struct sandbox_client *c =
			sandbox_client_open(w->host->program_socket, START_MS, e);
		int rc = c ? probe_languages(c, &w->languages, e) : -1;

		sandbox_client_close(c);
		if (rc == 0)
			return 0;
		if (io_monotonic_us() > until)
			return err_wrap(e, "sandboxd does not answer");
		(void)nanosleep(&pause, NULL);
	}
}

static int open_compiled(struct verify_world *w, struct err *e)
{
	char dir[4096];
	struct compile_cache_options o = {.dir = dir,
					  .max_bytes = DISK_BYTES,
					  .toolchain = w->languages.toolchain,
					  .patience = PATIENCE};

	snprintf(dir, sizeof(dir), "%s/compiled", store_folder(w->store));
	w->compiled = compile_cache_open(&o, e);
	return w->compiled ? 0 : -1;
}

int verify_world_open(struct verify_world *w, const char *command, struct err *e)
{
	char rules[64];

	/* the folder may be closed to this user; what is open stays open */
	snprintf(rules, sizeof(rules), "/proc/self/fd/%d/languages", w->host->rules);
	if (languages_load(rules, &w->languages, e) < 0)
		return -1;
	for (size_t i = 0; i < w->languages.nbroken; i++)
		fprintf(stderr, "%s: %s\n", command, w->languages.broken[i].reason);
	if (ask_languages(w, e) < 0)
		return -1;
	w->store = store_open(w->host->store, e);
	if (!w->store)
		return -1;
	w->blobs = blob_cache_new(w->store, CACHE_BYTES);
	if (!w->blobs)
		return err_set(e, "out of memory");
	return open_compiled(w, e);
}

void verify_world_close(struct verify_world *w)
{
	compile_cache_close(w->compiled);
	if (w->blobs)
		blob_cache_free(w->blobs);
	if (w->store)
		store_close(w->store);
	languages_release(&w->languages);
}
