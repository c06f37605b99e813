/*
 * setting.h - the rules as one command line of `sandbox run` changes them.
 */
#ifndef SETTING_H
#define SETTING_H

struct err;
struct options;
struct rules;

#define SETTING_POLICY "managed" /* without --policy: fits every language */

/* --policy, or else SETTING_POLICY, or "network" if the run is given one by --net. */
const char *setting_policy(const struct options *o);

/*
 * Loads the rules that --rules names, or those beside the program, and makes --root and --mount part of the root "default".
 * The errors name the option.
 */
int setting_load(const struct options *o, struct rules *rules, struct err *e);

#endif
