#include "sandbox/selftest_show.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "proto/version.h"
#include "sandbox/see.h"
#include "sandbox/selftest_list.h"

#define NAME_WIDTH 16
#define TEXT_WIDTH 66

static const char *const outcome_names[] = {[NOT_CHOSEN] = "not chosen",
					    [WAITING] = "not tried",
					    [HELD] = "held",
					    [NOT_HELD] = "not held",
					    [NOT_TRIED] = "not tried"};

struct shown {
	const struct attack_list *list;
	const struct result *results;
};

static int was_chosen(const struct shown *s, size_t i)
{
	return s->results[i].outcome != NOT_CHOSEN;
}

static int same_group(const struct attack *a, const struct attack *b)
{
	return a->group_len == b->group_len && strncmp(a->name, b->name, a->group_len) == 0;
}

/* Of the group of an attack, or of those in it that a layer stops; without a group of all. */
static struct tally count(const struct shown *s, const struct attack *group, const char *layer,
			  size_t len)
{
	struct tally t = {0};

	for (size_t i = 0; i < s->list->n; i++) {
		const struct attack *a = &s->list->at[i];
		enum outcome o = s->results[i].outcome;

		if (!was_chosen(s, i) || (group && !same_group(a, group)) ||
		    (layer && !attack_has_layer(a, layer, len)))
			continue;
		t.tried += o == HELD || o == NOT_HELD;
		t.held += o == HELD;
		t.skipped += o == NOT_TRIED;
	}
	return t;
}

/* As much of a sentence as fits, in whole words. */
static int fitting(const char *text)
{
	size_t len = strcspn(text, ";\n");

	while (len > TEXT_WIDTH)
		len = (size_t)((const char *)memrchr(text, ' ', len) - text);
	return (int)len;
}

static void print_row(int indent, const char *name, size_t len, const char *text, struct tally t)
{
	const char *colour = !see_colours() ? "" : t.held < t.tried ? "\033[31m" : "\033[32m";

	printf("%*s%-*.*s%-*.*s %5zu  %s%5zu%s\n", indent, "", NAME_WIDTH - indent, (int)len, name,
	       TEXT_WIDTH, fitting(text), text, t.tried, colour, t.held, *colour ? "\033[0m" : "");
}

/* A row for each layer that is named by this attack, but by none before it in its group. */
static void print_layers(const struct shown *s, size_t first, size_t i)
{
	const struct attack *a = &s->list->at[i];

	for (const char *p = a->layers; *p; p += strcspn(p, ",+"), p += *p != '\0') {
		size_t len = strcspn(p, ",+");
		size_t k = first;

		while (k < i && !(was_chosen(s, k) && same_group(a, &s->list->at[k]) &&
				  attack_has_layer(&s->list->at[k], p, len)))
			k++;
		if (k == i)
			print_row(2, p, len, attack_layer_text(s->list, p, len),
				  count(s, a, p, len));
	}
}

static void print_group(const struct shown *s, size_t first)
{
	const struct attack *group = &s->list->at[first];

	print_row(0, group->name, group->group_len, "", count(s, group, NULL, 0));
	for (size_t i = first; i < s->list->n; i++)
		if (was_chosen(s, i) && same_group(&s->list->at[i], group))
			print_layers(s, first, i);
}

/* Whether none before it in the list is of its group. */
static int opens_group(const struct shown *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (was_chosen(s, k) && same_group(&s->list->at[k], &s->list->at[i]))
			return 0;
	return was_chosen(s, i);
}

static void print_list(const struct shown *s, enum outcome which, const char *heading)
{
	int any = 0;

	for (size_t i = 0; i < s->list->n; i++) {
		if (s->results[i].outcome != which || !s->results[i].what[0])
			continue;
		if (!any++)
			printf("\n%s\n", heading);
		printf("  %s\n    ", see_q(s->list->at[i].name));
		see_wrap(4, see_q(s->results[i].what));
	}
}

void show_table(const struct attack_list *list, const struct result *results)
{
	const struct shown all_of_it = {list, results};
	const struct shown *s = &all_of_it;
	struct tally all = count(s, NULL, NULL, 0);

	printf("%-*s %5s  %5s\n", NAME_WIDTH + TEXT_WIDTH, "attacks, and the layers that stop them",
	       "tried", "held");
	for (size_t i = 0; i < s->list->n; i++)
		if (opens_group(s, i))
			print_group(s, i);
	print_list(s, NOT_TRIED, "Not tried:");
	print_list(s, NOT_HELD, "NOT HELD:");
	printf("\n%zu attacks tried, %zu held", all.tried, all.held);
	printf(all.skipped ? ", %zu not tried.\n" : ".\n", all.skipped);
}

int show_json(const struct attack_list *list, const struct result *results)
{
	const struct shown all_of_it = {list, results};
	const struct shown *s = &all_of_it;
	struct tally all = count(s, NULL, NULL, 0);
	json_t *attacks = json_array();
	json_t *top;
	int status;

	for (size_t i = 0; i < s->list->n; i++) {
		const struct attack *a = &s->list->at[i];
		const struct result *r = &s->results[i];

		if (was_chosen(s, i))
			(void)json_array_append_new(
				attacks, json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:I}", "name",
						   see_json(a->name), "group",
						   json_stringn(a->name, a->group_len), "layers",
						   see_json(a->layers), "why", see_json(a->why),
						   "outcome", outcome_names[r->outcome], "detail",
						   r->what[0] ? see_json(r->what) : json_null(),
						   "time_us", (json_int_t)r->us));
	}
	top = json_pack("{s:s, s:I, s:I, s:I, s:o}", "version", GAVEL_VERSION, "tried",
			(json_int_t)all.tried, "held", (json_int_t)all.held, "not_tried",
			(json_int_t)all.skipped, "attacks", attacks);
	status = see_dump(top);
	json_decref(top);
	return status;
}

struct tally show_count(const struct attack_list *list, const struct result *results)
{
	const struct shown s = {list, results};

	return count(&s, NULL, NULL, 0);
}

void show_result(const struct attack *a, const struct result *r)
{
	printf("%-9s %s\n%*s", outcome_names[r->outcome], see_q(a->name), 10, "");
	see_wrap(10, r->what[0] ? see_q(r->what) : a->why);
	(void)fflush(stdout);
}
