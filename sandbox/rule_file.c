#include "sandbox/rule_file.h"

#include <stdarg.h>

#include "proto/err.h"

/* What libcyaml complains about first, and where: it says the place in a backtrace, innermost first. */
struct complaint {
	char what[120], where[100];
};

__attribute__((format(printf, 3, 0))) static void keep_first(cyaml_log_t level, void *ctx,
							     const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	char line[200];
	const char *text = line;

	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(text, "Load: ", 6) == 0)
		text += 6;
	text += strspn(text, " ");
	if (level >= CYAML_LOG_ERROR && !c->what[0])
		snprintf(c->what, sizeof(c->what), "%.119s", text);
	else if (!c->where[0] && strstr(text, "line:"))
		snprintf(c->where, sizeof(c->where), ", %.97s", text);
}

/* What both calls below need. */
static cyaml_config_t config_with(struct complaint *complaint)
{
	return (cyaml_config_t){.log_fn = keep_first,
				.log_ctx = complaint,
				.log_level = CYAML_LOG_ERROR,
				.mem_fn = cyaml_mem,
				.flags = CYAML_CFG_NO_ALIAS};
}

void *rule_file_parse(const cyaml_schema_value_t *schema, const char *text, size_t len,
		      struct err *e)
{
	struct complaint complaint = {.what = ""};
	const cyaml_config_t config = config_with(&complaint);
	void *file = NULL;
	cyaml_err_t result =
		cyaml_load_data((const uint8_t *)text, len, &config, schema, &file, NULL);

	if (result != CYAML_OK)
		err_set(e, "%s (%s%s)", cyaml_strerror(result), complaint.what, complaint.where);
	else if (!file)
		err_set(e, "empty");
	return result == CYAML_OK ? file : NULL;
}

void rule_file_free(const cyaml_schema_value_t *schema, void *file)
{
	struct complaint complaint = {.what = ""};
	const cyaml_config_t config = config_with(&complaint);

	cyaml_free(&config, schema, file, 0);
}
