/*
 * subids.h - subordinate ids: those of the host that the administrator gave to a plain user, subuid(5) and subgid(5).
 */
#ifndef SUBIDS_H
#define SUBIDS_H

#include <sys/types.h>

struct err;

#define SUBIDS_UID "/etc/subuid"
#define SUBIDS_GID "/etc/subgid"

struct subids {
	id_t first, count;
};

/*
 * The user's largest range in a file of lines "NAME-OR-ID:FIRST:COUNT".  Lines of other users are skipped whatever they are, as
 * newuidmap(1) does; a line of this one that makes no sense, or that gives what nobody may have (0 or the user's own id), is an
 * error with its number, and so is a file that gives the user nothing.
 */
int subids_find(const char *path, const char *user, id_t id, struct subids *s, struct err *e);

#endif
