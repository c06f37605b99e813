#include "judge/compile_text.h"

#include <ctype.h>
#include <sys/stat.h>

#include "judge/compile.h"
#include "judge/entry.h"
#include "judge/text.h"
#include "proto/err.h"
#include "proto/scope.h"

#define READ_AHEAD 4   /* times as much is read as can be shown: names become shorter */
#define NOTE_MAX   120 /* bytes of the line that says what was cut */

/* Places that are nobody's business, and what stands for them. */
static const struct {
	const char *place, *instead;
} places[] = {
	{"file:///box/", ""},
	{"/box/", ""},
	{"/usr/bin/ld.gold: ", "ld: "},
	{"/usr/bin/ld: ", "ld: "},
};

/* Text between which and a name nothing else may be: "x/box/" and "/boxes" are no places of ours. */
static int is_word(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("._-+/", c) != NULL);
}

static size_t place_at(const char *at, const char **instead)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t len = strlen(places[i].place);

		if (strncmp(at, places[i].place, len) != 0)
			continue;
		*instead = places[i].instead;
		return len;
	}
	return 0;
}

/* "/tmp/ccAb12Cd.o:", one of GCC's: as there is one for each source, whatever follows names the source. */
static size_t object_at(const char *at, const char **instead)
{
	static const char prefix[] = "/tmp/cc";
	size_t len = sizeof(prefix) - 1;

	if (strncmp(at, prefix, len) != 0)
		return 0;
	for (size_t end = len + 6; len < end; len++)
		if (!isalnum((unsigned char)at[len]))
			return 0;
	if (strncmp(at + len, ".o", 2) != 0)
		return 0;
	len += 2;
	*instead = at[len] == ':' ? "" : "object file";
	if (at[len] == ':')
		len += at[len + 1] == ' ' ? 2 : 1;
	return len;
}

/* A source that the compiler knows under another name. */
static size_t name_at(const char *at, const struct compile_job *job, const struct entry *entry,
		      const char **instead)
{
	for (size_t i = 0; i < job->nsources; i++) {
		const char *name = entry->names[i];
		size_t len = strlen(name);

		if (strcmp(name, job->sources[i].name) == 0 || strncmp(at, name, len) != 0 ||
		    is_word(at[len]))
			continue;
		*instead = job->sources[i].name;
		return len;
	}
	return 0;
}

/* "                 from /prepared/bits/stdc++.h:1,": the line that leads to the real header and is no file of anybody's. */
static size_t line_to_drop(const char *at)
{
	size_t len = strcspn(at, "\n");
	const char *found = memmem(at, len, " from /prepared/", 16);

	return found && strspn(at, " ") >= (size_t)(found - at) ? len + (at[len] == '\n') : 0;
}

/* How much of the text here is to be replaced, and by what; 0: nothing. */
static size_t replaced_at(const char *at, const struct compile_job *job, const struct entry *entry,
			  const char **instead)
{
	size_t len = place_at(at, instead);

	if (len == 0)
		len = object_at(at, instead);
	return len > 0 ? len : name_at(at, job, entry, instead);
}

static void rewrite(const char *at, const struct compile_job *job, const struct entry *entry,
		    FILE *f)
{
	int new_line = 1, inside = 0;

	while (*at) {
		const char *instead = "";
		size_t len = new_line ? line_to_drop(at) : 0;

		if (len > 0) {
			at += len;
			continue;
		}
		new_line = *at == '\n';
		len = inside ? 0 : replaced_at(at, job, entry, &instead);
		inside = len == 0 && is_word(*at);
		if (len == 0)
			fputc(*at++, f);
		else
			fputs(instead, f);
		at += len;
	}
}

/* At the end of a line, if there is one, or of a character. */
static void cut(char *text, size_t max)
{
	char *end;

	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	text[max] = '\0';
	end = strrchr(text, '\n');
	if (end)
		end[1] = '\0';
}

static char *with_note(const char *text, off_t bytes)
{
	size_t len = strlen(text);
	char *out;

	if (asprintf(&out, "%s%s[cut here: %zu bytes of %lld are shown]\n", text,
		     len > 0 && text[len - 1] != '\n' ? "\n" : "", len, (long long)bytes) < 0)
		return NULL;
	return out;
}

int compile_text(int fd, const struct compile_job *job, const struct entry *entry, size_t max,
		 char **out, struct err *e)
{
	AUTO_FREE char *clean = NULL;
	AUTO_FREE char *text = NULL;
	struct stat st;
	size_t len = 0;
	FILE *f;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "what the compiler printed");
	if (text_clean_fd(fd, READ_AHEAD * max, &clean, e) < 0)
		return -1;
	f = open_memstream(&text, &len);
	if (f)
		rewrite(clean, job, entry, f);
	if (!f || fclose(f) != 0)
		return err_set(e, "out of memory");
	if (len <= max && (size_t)st.st_size <= READ_AHEAD * max) {
		*out = ptr_steal(&text);
		return 0;
	}
	cut(text, len < max - NOTE_MAX ? len : max - NOTE_MAX);
	*out = with_note(text, st.st_size);
	return *out ? 0 : err_set(e, "out of memory");
}
