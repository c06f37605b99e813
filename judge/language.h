/*
 * language.h - the language rules of rules/languages/NAME.yaml (rules/README.md describes the keys).
 *
 * A rule says how sources become a program and how that is run; it knows nothing of sandboxes.  Rules are read once, then
 * only the availability fields change, and those only before the server serves: reading needs no lock.
 *
 * A rule file that is wrong disables that language only: it is listed in `broken` with "cpp17.yaml:7: ..." and the
 * others are as usable as ever.
 */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

struct entry;
struct err;

/* String lists are NULL-terminated, never NULL unless said. */
struct language {
	char *name, *title;
	char *code; /* key `code`: what package formats call it ("cpp"); the name unless given */
	char **extensions; /* without the dot; the first one is the usual one */
	char **also; /* key `also`: extensions that it takes too, and that do not tell it; NULL: none */
	char *main; /* key `main`: name of a single unnamed source; NULL: "main." + first extension */
	char *entry; /* key `entry`: how its sources say where they begin, see entry.h; NULL: their names do */
	int preferred; /* key `preferred`: of several languages with one extension, the one for problem packages */
	char **version; /* command that prints the version */

	struct {
		char **command; /* NULL: there is nothing to compile, the sources are the program */
		char *policy;
		char **env;
		uint64_t time_us, memory_bytes, output_bytes, box_bytes;
		uint32_t processes;
		struct
		{ /* key `prepare`: a file made once, for all compilations; command NULL: none */
			char **command;
			char *source; /* text of a file it may read, called as language_default_name() says */
			char *file; /* what it makes in the box */
			char *when; /* only of use when a source has this text; NULL: always */
		} prepare;
		int cache; /* key `cache`: the same sources give the same program */
		char **artifacts; /* what of the box is the program, as sandbox_client_keep() takes it; NULL: all of it */
	} compile;

	struct {
		char **command;
		char *policy;
		char **env;
		uint32_t processes;
		double time_factor;
		uint64_t time_extra_us, memory_extra_bytes;
	} run;

	char hash[65]; /* SHA-256 of the rule file's bytes, hex */

	/* What is on this machine: set once by whoever asks the compiler, through language_set_*(). */
	int available;
	char *found;  /* the compiler's own words; NULL until known */
	char *reason; /* why it is not available; NULL otherwise */
};

struct languages {
	struct language *items; /* by name */
	size_t n;
	struct language_broken {
		char *name;   /* "cpp17" */
		char *reason; /* "cpp17.yaml:7: unknown key ..." */
	} * broken;
	size_t nbroken;
	char toolchain
		[65]; /* what the system's programs and libraries are at: set with the availability, "" until then */
};

/* Reads every DIR/NAME.yaml.  -1 only when the folder itself cannot be read; *out is released by languages_release(). */
int languages_load(const char *dir, struct languages *out, struct err *e);
void languages_release(struct languages *all);

/* One rule from its text; file is for messages.  *out is released by language_release(), also after -1. */
int language_parse(const char *file, const char *text, size_t len, struct language *out,
		   struct err *e);
void language_release(struct language *l);

/* NULL: no such rule. */
const struct language *languages_find(const struct languages *all, const char *name);

/* Whether package formats mean this one by a code of theirs: "cpp" is all standards of C++. */
int language_has_code(const struct language *l, const char *code);

/* The available language with that name or, of those with that code, the preferred one or the only one.  NULL with *e: none. */
const struct language *languages_by_code(const struct languages *all, const char *code,
					 struct err *e);

/*
 * The language that a file name's extension belongs to, available ones only.  Several: the preferred one of them if
 * `package` (programs in a problem package), otherwise an error that names them.  NULL with *e: none.
 */
const struct language *languages_by_file(const struct languages *all, const char *file, int package,
					 struct err *e);

/* Same for a folder of sources: the language of its main file.  Files with extensions of no language are passed over. */
const struct language *languages_by_files(const struct languages *all, const char *const *names,
					  size_t n, int package, struct err *e);

/* Sets available and what the compiler said (copied; the first line, made printable), or why it is not there. */
void language_set_found(struct language *l, const char *text, size_t len);
void language_set_missing(struct language *l, const char *reason);

/* What a single source without a name is called, in out (NAMES_SOURCE_MAX + 1 bytes). */
void language_default_name(const struct language *l, char *out, size_t size);

/* One of its own, or one that it takes too. */
int language_has_extension(const struct language *l, const char *file);

/*
 * Which source the program starts in: of those with one of the language's extensions the only one, or the one called like
 * the rule's `main`, or with the stem "main" in any case.  -1: there is none, or nothing says which.  With the key `entry` the
 * sources may say so (entry_find()): then names that do not are no error.
 */
int language_main(const struct language *l, const char *const *names, size_t n, size_t *index,
		  struct err *e);

/*
 * The commands with their placeholders filled: {files} (an argument of its own: all sources with the language's extensions, main
 * first), {main}, {stem} (main without extension), {entry} (where it begins), {memory_mb} (memory_bytes in MiB, at least 1).
 * NULL-terminated, owned by the caller: language_argv_free().
 */
char **language_compile_argv_at(const struct language *l, const struct entry *entry,
				uint64_t memory_bytes, struct err *e);
char **language_run_argv_at(const struct language *l, const struct entry *entry,
			    uint64_t memory_bytes, struct err *e);

/* The same of names alone: {entry} is {stem}.  NULL with *e when there is no main file. */
char **language_compile_argv(const struct language *l, const char *const *names, size_t n,
			     uint64_t memory_bytes, struct err *e);
char **language_run_argv(const struct language *l, const char *const *names, size_t n,
			 uint64_t memory_bytes, struct err *e);
void language_argv_free(char **argv);

#endif
