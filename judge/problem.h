/*
 * problem.h - problem packages: read from a folder or a zip archive, stored as a version, read back by a worker.
 *
 * Formats: legacy (also without problem_format_version), legacy-icpc and 2025-09.  What would change a verdict and is not
 * supported (static_validator, ...) is refused with "file:line: key: ... not supported yet", never passed over.
 *
 * Polygon's packages (problem.xml) become the same struct, with testlib's protocol for their checkers.
 *
 * A package is hostile: read it without privilege.  Every file is opened beneath the package's folder (openat2(2) RESOLVE_BENEATH),
 * so links lead nowhere else; only regular files are read; sizes, numbers and depth are limited.
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "judge/expect.h"
#include "judge/score.h"
#include "judge/scratch.h"
#include "judge/validator.h"

struct err;
struct sandbox_file;
struct store;
struct store_problem;

#define PROBLEM_HASH_LEN 64

/* A file of the package, or a blob when the problem comes from a manifest. */
struct problem_file {
	char *name; /* relative to what it belongs to: "check.cc" */
	char *path; /* relative to the package, for problem_load(); NULL from a manifest */
	uint64_t bytes;
	uint32_t mode; /* artifacts: 0444 or 0555 */
	int constants; /* on disk it has them by name; bytes and hash are with their values */
	char hash[PROBLEM_HASH_LEN + 1]; /* SHA-256 of the content, the name of its blob */
};

/* What {{name}} stands for in programs of the package. */
struct problem_constants {
	struct problem_constant {
		char *name, *value;
	} * items;
	size_t n;
};

/* Bits of problem.kind; none of them: accepted or not, one pass, no talk. */
enum problem_kind {
	PROBLEM_SCORING = 1,
	PROBLEM_INTERACTIVE = 2,
	PROBLEM_MULTI_PASS = 4,
	PROBLEM_SUBMIT_ANSWER = 8,
};

/* How validators and interactors are called and what they answer (jury.h). */
enum problem_protocol { PROBLEM_ICPC, PROBLEM_TESTLIB };

/* Who makes the result of a group out of those of its tests and groups. */
enum problem_grading {
	PROBLEM_GRADED, /* the default grader of the legacy format, by verdict_mode and score_mode */
	PROBLEM_CUSTOM, /* the package's own grader, problem.grader */
	PROBLEM_SCORED, /* the rules for scoring problems of 2025-09, by score_mode */
};

enum problem_score_mode {
	PROBLEM_SUM,
	PROBLEM_MIN,
	PROBLEM_MAX,       /* of the default grader */
	PROBLEM_AVG,       /* of the default grader */
	PROBLEM_PASS_FAIL, /* of 2025-09: all or nothing */
};

enum problem_verdict_mode { PROBLEM_WORST_ERROR, PROBLEM_FIRST_ERROR, PROBLEM_ALWAYS_ACCEPT };

/* Tests that are judged together: a folder below data/. */
struct problem_group {
	char *name;    /* "" for data itself, "sample", "secret", "secret/1-small" */
	size_t parent; /* index in problem.groups; the first is its own parent */
	enum problem_grading grading;
	enum problem_score_mode score_mode;
	enum problem_verdict_mode verdict_mode;
	int go_on;         /* legacy: judge the rest of it also after something was not accepted */
	int ignore_sample; /* default grader: what data/sample gave does not count */
	int accept_any;    /* default grader: one accepted result is enough */
	char **args;       /* of the custom grader, NULL-terminated */
	struct score accept_score, reject_score; /* legacy: of a test whose validator gives none */
	int has_low, has_high;                   /* no bound without */
	struct score low, high; /* what its score may be; 2025-09: high is max_score */
	size_t *requires;       /* 2025-09: groups that must be passed, by index */
	size_t nrequires;
};

struct problem_case {
	char *name;   /* "sample/1", "secret/02-max" */
	size_t group; /* the innermost, by index */
	struct problem_file in, ans;
	struct problem_file out; /* only of problem.checks, and not of all of them */
	char **args;             /* NULL-terminated: arguments of the validator for this test */
	char **run_args;         /* of the program; NULL: none */
	char **input_args; /* of the input validators, see problem_input_args(); not in a manifest */
	struct problem_file *files; /* beside standard input, in the working directory */
	size_t nfiles;
	struct validator_flags flags; /* the same, read; for the default validator only */
};

struct problem_submission {
	char *name;   /* "wrong_answer/off_by_one.py" */
	char *folder; /* "wrong_answer" */
	struct problem_file *files;
	size_t nfiles;
	struct expect_rules rules;   /* what it must do */
	char *language, *entrypoint; /* as submissions.yaml says; NULL: by its files */
};

struct problem_limits {
	uint64_t time_us, memory_bytes, output_bytes, code_bytes;
	/* 0: the package does not say */
	uint64_t compilation_time_us, compilation_memory_bytes;
	uint64_t validation_time_us, validation_memory_bytes, validation_output_bytes;
	uint32_t validation_passes; /* of each test, at most; 1 unless there are several */
};

/* A program of the jury. */
struct problem_program {
	char *language; /* rule that built and runs it; NULL before problem_import() */
	struct problem_file *sources;
	size_t nsources;
	struct problem_file *artifacts; /* the built program: what was kept of the box */
	size_t nartifacts;
};

#define PROBLEM_TIME_MAX_US 600000000ULL /* the largest time limit */

/* Files that go over those of submissions in a language. */
struct problem_include {
	char *code; /* of the language, or "default": all of them */
	struct problem_file *files;
	size_t nfiles;
};

/* How the time limit and the times of the package's own submissions are to lie; of problem_read() only. */
struct problem_timing {
	/* slowest accepted * ac_to_limit <= limit, limit * limit_to_tle <= slowest test of each too slow one */
	double ac_to_limit, limit_to_tle;
	uint64_t resolution_us; /* of a limit that is measured */
	int measured;           /* the package gives none */
};

/* One of input_validators/. */
struct problem_input_validator {
	char *name; /* of its file or folder: "check.py" */
	struct problem_program program;
};

/* Released by problem_release(). */
struct problem {
	char *name;  /* of the folder */
	char *title; /* `name` in problem.yaml, or the folder's */
	char version[PROBLEM_HASH_LEN + 1];
	struct problem_limits limits; /* time_us is 0 until it has been measured */
	struct problem_timing timing;
	unsigned kind; /* bits of problem_kind */
	struct problem_group
		*groups; /* each behind its parent, in judging order; at least the first */
	size_t ngroups;
	struct problem_case *cases; /* in judging order: sample, then secret, by name */
	size_t ncases;
	int custom;                     /* has a validator of its own; otherwise the built-in one */
	int custom_score;               /* legacy: that validator gives scores (`custom score`) */
	enum problem_protocol protocol; /* of the validator */
	struct problem_constants constants; /* of problem_read() only */
	char **languages; /* codes of those that are taken, NULL-terminated; NULL: all */
	struct problem_include *includes;
	size_t nincludes;
	int minimize;    /* the lowest score is the best */
	int show_groups; /* contestants may see the results of groups */
	struct problem_program validator;
	struct problem_program
		interactor; /* of a Polygon package; nsources 0: none, or the validator is it */
	struct problem_program *also; /* legacy: more validators, which must accept as well */
	size_t nalso;
	struct problem_program grader;          /* nsources 0: none */
	struct problem_submission *submissions; /* by name; none from a manifest */
	size_t nsubmissions;
	/* Of problem_read(), for inspect.h: nothing that judging needs. */
	struct problem_input_validator *input_validators;
	size_t ninput_validators;
	struct problem_case *
		checks; /* "invalid_input/1": no ans and out; "invalid_output/1", "valid_output/1": both */
	size_t nchecks;
	char **warnings; /* of problem_read(), for the package's author; NULL-terminated, NULL: none */
	int dir;         /* the package; -1 from a manifest */
	struct scratch unpacked; /* where the archive is that the package came as */
};

/*
 * Reads and checks a package, hashes what judging depends on.  *p is released by problem_release(), also after -1.  path is the
 * package's folder, or a zip archive (unpack.h) of it or of what is in it; that is unpacked into a folder in scratch, a folder
 * that only this user writes to, or in $TMPDIR with NULL or problem_read(), and removed again by problem_release().  What killed
 * processes left there is removed first.
 */
int problem_read(const char *path, struct problem *p, struct err *e);
int problem_read_in(const char *path, const char *scratch, struct problem *p, struct err *e);
void problem_release(struct problem *p);

/* The whole file in heap memory, a NUL behind it; -1 too when it has changed since problem_read(). */
int problem_load(const struct problem *p, const struct problem_file *f, char **data, size_t *len,
		 struct err *e);

/*
 * JSON of everything judging needs; contents as hashes of blobs.  The caller frees it.  NULL: out of memory.
 * problem_from_manifest() refuses what problem_to_manifest() does not make.
 */
char *problem_to_manifest(const struct problem *p);
int problem_from_manifest(const char *json, struct problem *p, struct err *e);

/*
 * The arguments that an input validator gets for a test: those of input_validator_args that are for it, and those of the program.
 * Owned by the caller; NULL: out of memory.
 */
char **problem_input_args(const struct problem_case *c, const char *validator);

/* What a build gives; the callee fills it, problem_import() releases it. */
struct problem_built {
	char *language;             /* heap: name of the rule */
	struct sandbox_file *files; /* as sandbox_client_fetch() gives them */
	size_t nfiles;
};

/* Compiles one of p's programs (its sources, read with problem_load()) in a jury cell. */
typedef int problem_build(void *arg, const struct problem *p, const struct problem_program *program,
			  struct problem_built *out, struct err *e);

/*
 * Finds the time limit of a package that gives none.  Its tests and the built programs of the jury are in the store; it is as
 * problem_read() left it, and p->limits.time_us is to be set.
 */
typedef int problem_measure(void *arg, struct store *s, struct problem *p, struct err *e);

struct problem_makers { /* who does what only a sandbox can do; arg is both's */
	problem_build *build;
	problem_measure *measure;
	void *arg;
};

/*
 * Makes a package that has been read the current version of its name in the store: blobs, the validator and the grader built,
 * the time limit measured if there is none, manifest, summary.  When it is the current version already nothing is done and
 * *changed is 0.  A build or measurement that fails refuses the package.  problem_import() also reads it, into the store's folder if it is an archive; version has
 * PROBLEM_HASH_LEN + 1 bytes.
 */
int problem_store(struct store *s, struct problem *p, const struct problem_makers *make,
		  int *changed, struct err *e);
int problem_import(struct store *s, const char *path, const struct problem_makers *make,
		   char *version, int *changed, struct err *e);

#endif
