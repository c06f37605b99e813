/*
 * confine.h - what judged gives up before it reads anything from outside.
 *
 * judged parses packages, sources and requests.  Whoever takes it over shall find a process that can serve and judge, and
 * nothing else: no capabilities, no new privileges, not dumpable; by Landlock (proto/landlock.h) a file system of the state,
 * which it may change, the rules, problems and certificates, and what a C library reads of the system; no TCP connection to
 * anybody, no signal to another process; by seccomp(2) the calls that serving takes, no other program and no child, and no
 * memory that is writable and executable.
 *
 * A call outside the list fails with EPERM and is logged by the kernel (an audit record of type 1326 with its number), so that a
 * new library degrades instead of dying.  Calls that only an attacker makes (execve, ptrace, fork and their like) end judged.
 */
#ifndef CONFINE_H
#define CONFINE_H

struct config;
struct err;

/*
 * Confines the process; call it before any thread is started.  With confine: auto in *c, what the kernel lacks is left out
 * and logged; with required it is an error; off leaves out Landlock and seccomp.  What the kernel has must work.
 */
int confine(const struct config *c, struct err *e);

#endif
