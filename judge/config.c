#include "judge/config.h"

#include <sched.h>

#include "judge/doc.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/log.h"
#include "proto/scope.h"

#define AT(member) .offset = offsetof(struct config, member)

/* clang-format off */
static const struct doc_field fields[] = {
	{"listen", DOC_STRING, AT(listen), .least = 1,
	 .help = "gRPC address: 127.0.0.1:50051, [::1]:0 or unix:/path"},
	{"tls_cert", DOC_STRING, AT(tls_cert), .least = 1,
	 .help = "PEM file with the certificate chain; with tls_key, connections are TLS"},
	{"tls_key", DOC_STRING, AT(tls_key), .least = 1,
	 .help = "PEM file with the private key of tls_cert"},
	{"state", DOC_STRING, AT(state), .least = 1,
	 .help = "where submissions and problems are kept: sqlite:DIR"},
	{"program_socket", DOC_STRING, AT(program_socket), .least = 1, .most = 107,
	 .help = "sandboxd's socket for contestants' programs"},
	{"jury_socket", DOC_STRING, AT(jury_socket), .least = 1, .most = 107,
	 .help = "sandboxd's socket for the jury's programs"},
	{"rules", DOC_STRING, AT(rules), .least = 1,
	 .help = "folder of the rules: languages/ is read from it"},
	{"problems", DOC_STRINGS, AT(problems), .most = 64,
	 .help = "folders whose sub-folders and .zip or .kpp archives are problem packages, imported at start"},
	{"workers", DOC_COUNT, AT(workers), .most = 256,
	 .help = "submissions judged at the same time; 0: one for each physical core"},
	{"source_bytes", DOC_SIZE, AT(source_bytes), .least = 1, .most = 64 << 20,
	 .help = "largest submission, all files together, whatever a problem allows"},
	{"message_bytes", DOC_SIZE, AT(message_bytes), .least = 4096, .most = 128 << 20,
	 .help = "largest gRPC request"},
	{"queue_length", DOC_COUNT, AT(queue_length),
	 .help = "submissions that may wait before new ones are refused; 0: no limit"},
	{"compile_cache", DOC_SIZE, AT(compile_cache), .most = 1ULL << 40,
	 .help = "disk for programs that were compiled before; 0: compile always"},
	{"lease", DOC_DURATION, AT(lease_us), .least = 1000000, .most = 3600000000,
	 .help = "how long a worker may be silent before its submission is given to another"},
	{"transcript_bytes", DOC_SIZE, AT(transcript_bytes), .most = 256 << 10,
	 .help = "kept of what an interactor and a program say to each other, each test; 0: nothing"},
	{"confine", DOC_STRING, AT(confine), .least = 1,
	 .help = "Landlock and seccomp for judged itself: auto, required or off"},
	{"log_level", DOC_STRING, AT(log_level), .least = 1,
	 .help = "debug, info, warn or error"},
	{.key = NULL},
};
/* clang-format on */

static const struct {
	const char *key, *value;
} defaults[] = {
	{"listen", "127.0.0.1:50051"},
	{"state", "sqlite:/var/lib/gavel"},
	{"program_socket", "/run/gavel/program.sock"},
	{"jury_socket", "/run/gavel/jury.sock"},
	{"rules", "rules"},
	{"workers", "0"},
	{"source_bytes", "256K"},
	{"message_bytes", "1M"},
	{"queue_length", "10000"},
	{"compile_cache", "2G"},
	{"lease", "30s"},
	{"transcript_bytes", "0"},
	{"confine", "auto"},
	{"log_level", "info"},
};

static const struct doc_field *find(const char *key)
{
	for (const struct doc_field *f = fields; f->key; f++) {
		size_t i = 0;

		while (key[i] && f->key[i] && (key[i] == '-' ? '_' : key[i]) == f->key[i])
			i++;
		if (!key[i] && !f->key[i])
			return f;
	}
	return NULL;
}

/* The key whose word is none of its words, with the reason in *e; NULL if all are right. */
static const char *wrong_word(const struct config *c, struct err *e)
{
	if (log_level_parse(c->log_level) < 0) {
		err_set(e, "log_level: expected debug, info, warn or error");
		return "log_level";
	}
	if (strcmp(c->confine, "auto") != 0 && strcmp(c->confine, "required") != 0 &&
	    strcmp(c->confine, "off") != 0) {
		err_set(e, "confine: expected auto, required or off");
		return "confine";
	}
	return NULL;
}

static void drop_problems(struct config *c)
{
	for (char **p = c->problems; p && *p; p++)
		free(*p);
	free(c->problems);
	c->problems = NULL;
}

int config_init(struct config *c, struct err *e)
{
	*c = (struct config){0};
	c->problems = calloc(1, sizeof(char *));
	if (!c->problems)
		return err_sys(e, "configuration");
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (doc_set(find(defaults[i].key), defaults[i].value, c, e) < 0)
			return err_wrap(e, "default of %s", defaults[i].key);
	return 0;
}

int config_load(struct config *c, const char *path, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct err why;
	const char *wrong;
	struct doc d;
	size_t len;
	int rc;

	if (io_read_file(path, DOC_BYTES_MAX, &text, &len, e) < 0 ||
	    doc_parse(path, text, len, &d, e) < 0)
		return -1;
	rc = doc_read(&d, d.root, fields, c, e);
	wrong = rc == 0 ? wrong_word(c, &why) : NULL;
	if (wrong)
		rc = doc_fail(&d, doc_get(d.root, wrong)->line, e, "%s", why.msg);
	doc_release(&d);
	c->problems_set = 0;
	return rc;
}

int config_set(struct config *c, const char *key, const char *value, struct err *e)
{
	const struct doc_field *f = find(key);
	const char *nearest;

	if (!f) {
		nearest = doc_nearest(fields, key);
		return err_set(e, "unknown option --%s%s%s%s", key,
			       nearest ? ": did you mean --" : "", nearest ? nearest : "",
			       nearest ? "?" : "");
	}
	if (f->type == DOC_STRINGS && !c->problems_set) {
		drop_problems(c);
		c->problems_set = 1;
	}
	if (doc_set(f, value, c, e) < 0)
		return err_wrap(e, "--%s", key);
	return wrong_word(c, e) ? -1 : 0;
}

int config_check(const struct config *c, struct err *e)
{
	if (!c->tls_cert != !c->tls_key)
		return err_set(e, "tls_cert and tls_key: give both, or neither");
	if (c->message_bytes < c->source_bytes + 16384)
		return err_set(e, "message_bytes: must be at least source_bytes and 16K, "
				  "or a submission of the allowed size cannot be sent");
	return 0;
}

const char *config_key(size_t i, const char **help)
{
	if (i >= ARRAY_LEN(fields) - 1)
		return NULL;
	*help = fields[i].help;
	return fields[i].key;
}

/* The first CPU of a core's siblings, or cpu itself where the kernel does not say. */
static size_t first_sibling(size_t cpu)
{
	AUTO_FREE char *text = NULL;
	char path[80];
	struct err ignored;
	size_t len;
	char *end;
	unsigned long first;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list",
		 cpu);
	if (io_read_file(path, 4096, &text, &len, &ignored) < 0)
		return cpu;
	first = strtoul(text, &end, 10);
	return end == text || first > cpu ? cpu : first;
}

uint32_t config_physical_cores(void)
{
	cpu_set_t allowed, seen;
	uint32_t n = 0;

	CPU_ZERO(&seen);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 1;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		size_t core;

		if (!CPU_ISSET(cpu, &allowed))
			continue;
		core = first_sibling(cpu);
		n += !CPU_ISSET(core, &seen);
		CPU_SET(core, &seen);
	}
	return n ? n : 1;
}

void config_release(struct config *c)
{
	doc_fields_release(fields, c);
	*c = (struct config){0};
}
