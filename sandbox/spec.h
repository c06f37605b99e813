/*
 * spec.h - a Request that has been checked.
 *
 * The one place that says what a peer may ask for.  spec_check() fills the defaults into the message itself; afterwards every
 * field is within its range, every name is safe, every descriptor is of the right kind and their number is right.
 */
#ifndef SPEC_H
#define SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/sandbox.pb-c.h"

struct err;
struct rules;

#define SPEC_PIN_NONE         (-2) /* of pin_cpu */
#define FETCH_FILES_PER_FRAME 48   /* names of at most BOX_PATH_MAX bytes: below the frame */

/*
 * Checks rq and the descriptors that came with it, and replaces defaults (strings and numbers left out).  On -1 the error names the
 * field.
 */
int spec_check(Sandbox__Request *rq, const int *fds, size_t nfds, const struct rules *rules,
	       struct err *e);

/* Where the descriptors of a RUN are: stdin is 0; stdout_pipe's follows; the extra ones come after. */
size_t spec_first_extra(const Sandbox__Request *rq);

#endif
