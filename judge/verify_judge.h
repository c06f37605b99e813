/*
 * verify_judge.h - judges the submissions of one package, in the unprivileged process.
 */
#ifndef VERIFY_JUDGE_H
#define VERIFY_JUDGE_H

#include <jansson.h>

#include "judge/verify.h"

struct verify_world;

/* From folder to report: printed, or added to json if that is not NULL. */
enum verify_exit verify_package(struct verify_world *w, const char *dir, json_t *json);

#endif
