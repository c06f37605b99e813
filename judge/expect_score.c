/* What submissions.yaml, @EXPECTED_SCORE@ and partially_accepted say of scores. */
#include "judge/expect.h"
#include "judge/pattern.h"
#include "proto/scope.h"

/* A pattern fits what is in a folder as well, but the score that is meant is the folder's own. */
static int is_meant(const struct expect_rule *rule, const char *group)
{
	char above[PATTERN_MAX * 2];
	const char *slash = strrchr(group, '/');

	if (!rule->tests)
		return group[0] == '\0';
	if (group[0] == '\0' || !pattern_match(rule->tests, group))
		return 0;
	if (!slash)
		return 1;
	snprintf(above, sizeof(above), "%.*s", (int)(slash - group), group);
	return !pattern_match(rule->tests, above);
}

static enum expect_state broken(const struct expect_rule *rule, const struct expect_group *g,
				char *why)
{
	char low[SCORE_TEXT_MAX], high[SCORE_TEXT_MAX];
	int range = score_cmp(rule->score_low, rule->score_high) != 0;

	score_format(rule->score_low, low);
	score_format(rule->score_high, high);
	snprintf(why, EXPECT_WHY_MAX, "%s%.60s%s%s%.30s, expected %.30s%s%.30s",
		 g->name[0] ? "group " : "", g->name, g->name[0] ? ": " : "",
		 g->score[0] ? "score " : "no score", g->score, low, range ? " to " : "",
		 range ? high : "");
	return EXPECT_BROKEN;
}

static enum expect_state check_range(const struct expect_rule *rule, const struct expect_group *g,
				     char *why)
{
	struct score score;

	if (score_parse(g->score, strlen(g->score), &score) < 0 ||
	    score_cmp(score, rule->score_low) < 0 || score_cmp(score, rule->score_high) > 0)
		return broken(rule, g, why);
	return EXPECT_MET;
}

static enum expect_state check_partial(const struct expect_group *g, const struct score *best,
				       char *why)
{
	struct score score;

	if (!best || score_parse(g->score, strlen(g->score), &score) < 0 ||
	    score_cmp(score, *best) != 0)
		return EXPECT_MET;
	snprintf(why, EXPECT_WHY_MAX, "score %.60s, which is the best one", g->score);
	return EXPECT_BROKEN;
}

static enum expect_state check_rule(const struct expect_rule *rule,
				    const struct expect_group *groups, size_t n,
				    const struct score *best, char *why)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_meant(rule, groups[i].name))
			continue;
		found++;
		if (rule->has_score && check_range(rule, &groups[i], why) == EXPECT_BROKEN)
			return EXPECT_BROKEN;
		if (rule->partial && check_partial(&groups[i], best, why) == EXPECT_BROKEN)
			return EXPECT_BROKEN;
	}
	if (found > 0 || !rule->has_score)
		return EXPECT_MET;
	snprintf(why, EXPECT_WHY_MAX, "a score is expected of %.100s, which is no group of tests",
		 rule->tests ? rule->tests[0] : "");
	return EXPECT_BROKEN;
}

enum expect_state expect_check_scores(const struct expect_rules *rules,
				      const struct expect_group *groups, size_t n,
				      const struct score *best, char *why)
{
	for (size_t i = 0; i < rules->n; i++)
		if ((rules->items[i].has_score || rules->items[i].partial) &&
		    check_rule(&rules->items[i], groups, n, best, why) == EXPECT_BROKEN)
			return EXPECT_BROKEN;
	return EXPECT_MET;
}
