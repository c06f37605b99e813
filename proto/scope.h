/*
 * scope.h - release a resource when its variable goes out of scope.
 *
 * An owning variable is declared with AUTO_* and always initialised; ownership
 * leaves it only through fd_steal() or ptr_steal().  There are no other
 * cleanup macros in the project.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* never retried: on Linux the descriptor is gone even on EINTR */
	errno = saved;
}

static inline void scope_free(void *p)
{
	free(*(void **)p);
}

#define AUTO_CLOSE __attribute__((cleanup(scope_close)))
#define AUTO_FREE  __attribute__((cleanup(scope_free)))

/* Hands the descriptor to the caller; the variable no longer closes it. */
static inline int fd_steal(int *fd)
{
	int out = *fd;

	*fd = -1;
	return out;
}

static inline void *scope_ptr_steal(void *pp)
{
	void *out = *(void **)pp;

	*(void **)pp = NULL;
	return out;
}

/* Hands the heap object to the caller; the variable no longer frees it. */
#define ptr_steal(pp) ((__typeof__(*(pp)))scope_ptr_steal(pp))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
