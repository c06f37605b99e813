/*
 * banned.h - included before every source file: functions that have no safe use here.
 *
 * Copying without a size, shells, numbers without an error and process-wide
 * signal dispositions are where judges have been broken before.  System headers
 * come first, so that only our own calls are caught.
 */
#ifndef BANNED_H
#define BANNED_H

#include <signal.h> /* IWYU pragma: keep */
#include <stdio.h>  /* IWYU pragma: keep */
#include <stdlib.h> /* IWYU pragma: keep */
#include <string.h> /* IWYU pragma: keep */

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets system popen mktemp

#endif
