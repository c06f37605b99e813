#include "judge/failpoint.h"

#ifdef FAILPOINTS
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/log.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char chosen[64]; /* "" when there is none */
static atomic_long left;

static void choose(void)
{
	const char *text =
		getenv("GAVEL_FAILPOINT"); /* NOLINT(concurrency-mt-unsafe): under once */
	const char *colon = text ? strrchr(text, ':') : NULL;
	char *end = NULL;
	long n = 0;

	if (!text)
		return;
	errno = 0;
	if (colon)
		n = strtol(colon + 1, &end, 10);
	if (!colon || (size_t)(colon - text) >= sizeof(chosen) || *end || errno || n < 1) {
		log_event(LOG_ERROR, "failpoint", "value=%s error=\"expected NAME:COUNT\"",
			  log_q(text));
		return;
	}
	left = n;
	memcpy(chosen, text, (size_t)(colon - text));
}

void failpoint_pass(const char *name)
{
	(void)pthread_once(&once, choose);
	if (strcmp(name, chosen) == 0 && atomic_fetch_sub(&left, 1) == 1)
		(void)kill(getpid(), SIGKILL);
}
#endif
