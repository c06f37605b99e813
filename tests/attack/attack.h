/*
 * What the attacks share.
 *
 * An attack tries one thing. Found refused, it says held() and exits 0; if it got through, it says
 * escaped() with what it reached and exits 66. What cannot be told from inside (a limit, a killed run)
 * stands in its first line, and run.py compares it with the sandbox's report.
 *
 * Every attack is bounded by itself: it would end, and not harm a host without a sandbox for long.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ESCAPED = 66, BROKEN = 67 };

__attribute__((unused, noreturn)) static void held(void)
{
	dprintf(STDOUT_FILENO, "held\n");
	_exit(0);
}

__attribute__((unused, noreturn, format(printf, 1, 2))) static void escaped(const char *what, ...)
{
	va_list args;

	dprintf(STDOUT_FILENO, "ESCAPED: ");
	va_start(args, what);
	vdprintf(STDOUT_FILENO, what, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "\n");
	_exit(ESCAPED);
}

/* The attack itself could not be carried out, which proves nothing. */
__attribute__((unused, noreturn)) static void broken(const char *what)
{
	dprintf(STDOUT_FILENO, "BROKEN: %s: %s\n", what, strerror(errno));
	_exit(BROKEN);
}

/* What run.py prepared on the host and names in the environment. */
__attribute__((unused)) static const char *given(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value)
		broken(name);
	return value;
}

/* After this many seconds a program that is still there ends itself. Not inherited by fork. */
__attribute__((unused)) static void bounded(unsigned seconds)
{
	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
}

/* Takes memory for good. Written through volatile: a compiler may leave out what it thinks nobody reads. */
__attribute__((unused)) static int take_memory(size_t bytes)
{
	volatile char *p = (volatile char *)malloc(bytes);

	for (size_t at = 0; p && at < bytes; at += 1024)
		p[at] = 1;
	return p != NULL;
}
