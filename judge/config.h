/*
 * config.h - judged's configuration: rules/judge.yaml, where each key is described, and options of the same names.
 *
 * All keys are in one table (config.c): the file, the command line and the help come from it.  Relative paths in the file
 * are relative to the working directory, as on the command line.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct config {       /* config_init() makes it, config_release() releases it; strings are owned */
	char *listen; /* gRPC address, "127.0.0.1:50051", "[::1]:0" or "unix:/path" */
	char *tls_cert, *tls_key; /* PEM files; both or neither (NULL) */
	char *state;              /* store URL, as store_open() takes it: "sqlite:DIR" */
	char *program_socket;     /* sandboxd's socket for contestants' code */
	char *jury_socket;        /* and for the jury's */
	char *rules;              /* folder with languages/ */
	char **problems;  /* NULL-terminated: folders of problem packages, imported at start */
	int problems_set; /* the command line has named some already */
	uint32_t workers; /* jobs at the same time; 0: one for each physical core */
	uint64_t
		source_bytes; /* all sources of a submission together, whatever the problem allows */
	uint64_t message_bytes; /* largest gRPC message taken */
	uint32_t
		queue_length; /* submissions waiting before Submit answers RESOURCE_EXHAUSTED; 0: no limit */
	uint64_t
		transcript_bytes; /* kept of what a program and its interactor say, each test; 0: nothing */
	uint64_t
		compile_cache; /* bytes of the disk for what was compiled before; 0: compile always */
	uint64_t lease_us; /* how long a worker may be silent before its job is given to another */
	char *confine;     /* "auto", "required", "off": see confine.h */
	char *log_level;   /* "debug", "info", "warn", "error" */
};

/* The defaults. */
int config_init(struct config *c, struct err *e);

/* Reads a file over what *c holds.  "judge.yaml:4: unknown key "quue_length": did you mean "queue_length"?" */
int config_load(struct config *c, const char *path, struct err *e);

/*
 * Sets one key from text, as `--KEY VALUE` does ('-' and '_' in KEY are the same).  For `problems` each call adds a folder;
 * the first one replaces those of the file.
 */
int config_set(struct config *c, const char *key, const char *value, struct err *e);

/* What only shows when everything is known: both or neither of tls_cert and tls_key, message_bytes above source_bytes. */
int config_check(const struct config *c, struct err *e);

/* For --help: the i-th key and its description; NULL behind the last. */
const char *config_key(size_t i, const char **help);

/* Physical cores that this process may use, hyper-threads counted once; at least 1. */
uint32_t config_physical_cores(void);

void config_release(struct config *c);

#endif
