/*
 * job.h - one attempt at judging: compile, run the tests in order, say the verdict.
 *
 * A job knows no store and no lease: it takes a problem, a program and two sockets, tells what happens as events, and gives a
 * result.  Workers wrap it into leases; whoever wants to judge without a server calls it alone.
 *
 * A cell that is lost on the way (its keeper died) is replaced: the program is compiled again and the test that was going on is
 * run again, JOB_LOSSES_MAX times.
 */
#ifndef JOB_H
#define JOB_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/compile.h"
#include "judge/supply.h"
#include "proto/judge.pb-c.h"

struct blob_cache;
struct compile_cache;
struct err;
struct job_result;
struct language;
struct languages;
struct problem;
struct problem_program;
struct sandbox_client;

#define JOB_LOSSES_MAX 5

/* Called for COMPILING, COMPILED and each TEST; -1 ends the job as JOB_STOPPED.  The event is borrowed. */
typedef int job_event(void *arg, Judge__V1__Event *event, struct err *e);

/*
 * Asked before each test that cannot change the result any more (tally.h): 1 if it is to be judged all the same.  A JUDGE_ERROR is
 * the last test in any case.
 */
typedef int job_more(void *arg, const struct job_result *so_far);

/* The verdict that counts for a test's group and for the submission, where it is another one than the run's own. */
typedef Judge__V1__Verdict job_regrade(void *arg, const Judge__V1__Run *run);

struct job_config { /* borrowed for as long as the job */
	const char *program_socket, *jury_socket;
	struct blob_cache *blobs;
	struct compile_cache *compiled; /* NULL: none */
	const char *host;               /* for the evidence */
	const struct problem *problem;  /* from a manifest: contents are blobs */
	const struct language *language;
	const struct languages *languages; /* for problems with several validators */
	const struct language *validator;  /* of the problem's own validator; NULL: it has none */
	const struct language *grader;     /* of its grader; NULL: it has none */
	const struct compile_source *sources;
	size_t nsources;
	size_t transcript_bytes; /* kept of what program and interactor say to each other; 0: nothing */
	job_event *event;        /* may be NULL */
	void *event_arg;
	job_more *more; /* NULL: only tests that matter are judged */
	void *more_arg;
	job_regrade *regrade; /* NULL: the run's own */
	void *regrade_arg;
};

struct job_result { /* released by job_result_release() */
	Judge__V1__Verdict verdict;
	char *message; /* why, for JUDGE_ERROR; may be NULL */
	char *compiler_message;
	Judge__V1__Run **runs; /* the tests that were judged, in order */
	size_t nruns;
	Judge__V1__Score *score; /* NULL: a pass-fail problem without groups */
	Judge__V1__Evidence *evidence;
};

enum job_end {
	JOB_DONE,       /* there is a result */
	JOB_STOPPED,    /* by job_abort() or an event */
	JOB_NO_SANDBOX, /* nobody answers on the sockets: not the job's fault */
	JOB_FAULT,      /* this attempt failed by what the job or its problem is, *e says how */
};

struct job { /* fields of job.c */
	const struct job_config *config;
	struct job_config own; /* the caller's, with the problem's files among the sources */
	struct supply supply;
	pthread_mutex_t lock; /* of the clients as pointers, and of aborted */
	struct sandbox_client *program, *jury;
	const struct problem_program *loaded; /* into the jury's cell */
	int aborted;
	int no_sandbox;
	unsigned losses;
};

void job_init(struct job *j, const struct job_config *config);
void job_release(struct job *j);

/* Takes its cells, judges, gives the cells back. */
enum job_end job_run(struct job *j, struct job_result *out, struct err *e);

/* From any thread, between init and release: job_run() returns soon. */
void job_abort(struct job *j);

void job_result_release(struct job_result *r);

/* Limits of a run of this problem in this language. */
struct job_limits {
	uint64_t cpu_us, wall_us, memory_bytes, output_bytes;
};

struct job_limits job_limits_of(const struct problem *p, const struct language *l);

#endif
