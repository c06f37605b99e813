/*
 * inspect.h - `sandbox inspect CELL|PID`: one cell as the kernel sees it, against the host.
 *
 * inspect.c gathers everything into one JSON object, inspect_task.c its tasks, inspect_group.c its cgroups, inspect_place.c its
 * mounts and network; inspect_text.c prints that object for people.  --json prints it as it is, so that both say the same.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <jansson.h>
#include <sys/types.h>

struct cells;
struct cells_cell;

/* argv[0] is "inspect".  Prints; returns the exit status (see.h). */
int inspect_command(int argc, char **argv);

/* A process as an object, with its further threads in "threads"; NULL if it is gone.  init: the folder of init's /proc. */
json_t *inspect_process(pid_t pid, int init);

/* "user": inode for each kind of namespace of the process; null where it cannot be read. */
json_t *inspect_namespaces(int process);

/* The lines of uid_map or gid_map as objects. */
json_t *inspect_id_map(int process, const char *file);

/* /proc/PID/limits as an object: name → {soft, hard, unit}. */
json_t *inspect_rlimits(int process);

/* Every group of the cell, in every hierarchy: tasks, limits and use. */
json_t *inspect_groups(const struct cells *c, const struct cells_cell *cell);

/* Mounts that the process sees; interfaces of its network namespace.  Null where we may not look. */
json_t *inspect_mounts(int process);
json_t *inspect_network(int process);

/* The whole object for a terminal. */
void inspect_print(const json_t *cell);

#endif
