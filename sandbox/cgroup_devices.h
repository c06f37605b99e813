/*
 * cgroup_devices.h - which device nodes a cgroup may open: null, zero, full, random and urandom, and none may be made.
 *
 * A cell has no other node and cannot make one; this holds also where a mount or an id went wrong.  On v1 the devices
 * hierarchy has a list, on v2 a BPF program of type cgroup_device is asked (bpf(2)).  Children inherit either.  Private to
 * the cgroup modules.
 */
#ifndef CGROUP_DEVICES_H
#define CGROUP_DEVICES_H

struct err;

/* v1: writes the list of a folder of the devices hierarchy. */
int cgroup_devices_list(int dir, struct err *e);

/* v2: loads the program, owned by the caller; then for each folder attaches it. */
int cgroup_devices_load(struct err *e);
int cgroup_devices_attach(int dir, int program, struct err *e);

#endif
