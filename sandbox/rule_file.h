/*
 * rule_file.h - the text of a YAML rule, read by a schema of libcyaml.
 *
 * The one way that rules of the privileged half are read: unknown keys and aliases are refused, and the error says what is wrong
 * and in which line.
 */
#ifndef RULE_FILE_H
#define RULE_FILE_H

#include <cyaml/cyaml.h>
#include <stddef.h>

struct err;

/* What the schema, a mapping by pointer, makes of the text; the caller frees it with rule_file_free().  NULL with *e on failure. */
void *rule_file_parse(const cyaml_schema_value_t *schema, const char *text, size_t len,
		      struct err *e);
void rule_file_free(const cyaml_schema_value_t *schema, void *file);

#endif
