/*
 * pattern.h - the patterns of submissions.yaml: '*' within a name, and braces: "author.{py,cpp}".
 */
#ifndef PATTERN_H
#define PATTERN_H

struct err;

#define PATTERN_MAX        256 /* bytes of one, before and after its braces are expanded */
#define PATTERN_EXPAND_MAX 128 /* patterns that one may become */

/*
 * Expands the braces into a NULL-terminated list, owned by the caller (pattern_free()).  NULL: a brace without its partner, something
 * that is not supported ('**', '[', '?'), or too many.
 */
char **pattern_expand(const char *text, struct err *e);
void pattern_free(char **patterns);

/* Whether one of them matches the path, or a folder above it. */
int pattern_match(char *const *patterns, const char *path);

#endif
