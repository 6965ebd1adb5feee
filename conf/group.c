#include "conf/group.h"

#include <stdio.h>
#include <string.h>

#include "conf/resource.h"

enum { HOURS = 24, MINUTES = 60, WINDOW_NUMBERS = 4 };

const struct conf_scan_key conf_group_keys[] = {
	{"mode", CONF_SCAN_VALUE, NULL},
	{"exclusive", CONF_SCAN_VALUE, NULL},
	{"takeover", CONF_SCAN_VALUE, NULL},
	{"failover", CONF_SCAN_VALUE, NULL},
	{"failback", CONF_SCAN_VALUE, NULL},
	{"failback_ms", CONF_SCAN_VALUE, NULL},
	{"failback_window", CONF_SCAN_VALUE, NULL},
	{"after", CONF_SCAN_VALUE, NULL},
	{"priority", CONF_SCAN_VALUE, NULL},
	{"yields", CONF_SCAN_VALUE, NULL},
	{"nodes", CONF_SCAN_LIST, NULL},
	{"resource", CONF_SCAN_NAMED, conf_resource_keys},
	{NULL, CONF_SCAN_VALUE, NULL},
};

static const struct conf_value *find(const struct conf_values *values, const char *key)
{
	return conf_values_find(values, key, NULL);
}

/* One of two words; the first is the default.  *out: is it the second? */
static bool read_word(const struct conf_values *values, const char *key, const char *first,
		      const char *second, bool *out, struct conf_problems *problems)
{
	const struct conf_value *v = find(values, key);

	*out = v != NULL && strcmp(v->text, second) == 0;
	if (v == NULL || *out || strcmp(v->text, first) == 0)
		return true;
	conf_problem(problems, v->line, false, "%s = \"%.40s\": write %s or %s", key, v->text,
		     first, second);
	return false;
}

static void refuse(const struct conf_values *values, const char *key, const char *why,
		   const struct conf_group *g, struct conf_problems *problems)
{
	const struct conf_value *v = find(values, key);

	if (v != NULL)
		conf_problem(problems, v->line, false,
			     "%s is no key of a group with %s: remove it from group \"%s\"", key,
			     why, g->name);
}

static void read_exclusive(const struct conf_values *values, struct conf_group *out,
			   struct conf_problems *problems)
{
	const struct conf_value *exclusive = find(values, "exclusive");
	const struct conf_value *takeover = find(values, "takeover");

	out->exclusive_line = out->takeover_line = out->line;
	out->exclusive = !out->parallel;
	if (out->parallel) {
		refuse(values, "exclusive", "mode = parallel", out, problems);
		refuse(values, "takeover", "mode = parallel", out, problems);
		return;
	}
	if (exclusive != NULL) {
		out->exclusive_line = exclusive->line;
		if (!conf_value_boolean(*exclusive, &out->exclusive, problems)) {
			out->exclusive = false; /* one problem is enough */
			return;
		}
	}
	if (takeover == NULL)
		return;
	out->takeover_line = takeover->line;
	if (read_word(values, "takeover", "proven", "unproven", &out->unproven, problems) &&
	    !out->exclusive)
		refuse(values, "takeover", "exclusive = no, which silence is enough for", out,
		       problems);
}

/* "HH:MM-HH:MM" */
static bool read_window(const char *text, struct conf_group *out)
{
	unsigned n[WINDOW_NUMBERS];
	int used = 0;

	if (sscanf(text, "%2u:%2u-%2u:%2u%n", &n[0], &n[1], &n[2], &n[3], &used) !=
		    WINDOW_NUMBERS ||
	    text[used] != '\0' || n[0] >= HOURS || n[1] >= MINUTES || n[2] >= HOURS ||
	    n[3] >= MINUTES)
		return false;
	out->failback_from = (uint16_t)(n[0] * MINUTES + n[1]);
	out->failback_to = (uint16_t)(n[2] * MINUTES + n[3]);
	return out->failback_from != out->failback_to;
}

static void read_failback(const struct conf_values *values, struct conf_group *out,
			  struct conf_problems *problems)
{
	const struct conf_value *span = find(values, "failback_ms");
	const struct conf_value *window = find(values, "failback_window");

	read_word(values, "failback", "manual", "auto", &out->failback, problems);
	out->failback_ms = CONF_FAILBACK_MS;
	if (!out->failback) {
		refuse(values, "failback_ms", "failback = manual (the default)", out, problems);
		refuse(values, "failback_window", "failback = manual (the default)", out, problems);
		return;
	}
	if (span != NULL && strcmp(span->text, "0") == 0)
		out->failback_ms = 0;
	else if (span != NULL)
		conf_value_number(*span, 0, 86400000, "ms", &out->failback_ms, problems);
	if (window != NULL && !read_window(window->text, out))
		conf_problem(problems, window->line, false,
			     "failback_window = \"%.40s\": write it as \"22:00-05:30\"",
			     window->text);
}

static void read_order(const struct conf_values *values, struct conf_group *out,
		       struct conf_problems *problems)
{
	const struct conf_value *after = find(values, "after");
	const struct conf_value *priority = find(values, "priority");
	const struct conf_value *yields = find(values, "yields");

	if (after != NULL) {
		out->after_line = after->line;
		conf_value_name(*after, out->after_name, problems);
	}
	if (priority != NULL && strcmp(priority->text, "0") != 0)
		conf_value_number(*priority, 0, 100, "", &out->priority, problems);
	if (yields != NULL)
		conf_value_boolean(*yields, &out->yields, problems);
}

void conf_group_read(const struct conf_values *values, struct conf_group *out,
		     struct conf_problems *problems)
{
	read_word(values, "mode", "single", "parallel", &out->parallel, problems);
	read_exclusive(values, out, problems);
	read_word(values, "failover", "auto", "manual", &out->manual, problems);
	read_failback(values, out, problems);
	read_order(values, out, problems);
	if (!out->parallel)
		return;
	refuse(values, "failover", "mode = parallel", out, problems);
	refuse(values, "failback", "mode = parallel", out, problems);
	refuse(values, "yields", "mode = parallel", out, problems);
}

/* ---- between groups ---- */

static int index_of(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->group_count; i++)
		if (strcmp(conf->group[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Does one come after another, also through others? */
static bool comes_after(const struct conf *conf, unsigned group, unsigned other)
{
	for (unsigned i = 0; i < conf->group_count && conf->group[group].after != 0; i++) {
		group = conf->group[group].after - 1u;
		if (group == other)
			return true;
	}
	return false;
}

static void link_after(struct conf *conf, struct conf_group *g, struct conf_problems *problems)
{
	int index = index_of(conf, g->after_name);

	if (index < 0)
		conf_problem(problems, g->after_line, false,
			     "group \"%s\" comes after \"%s\", which is no group", g->name,
			     g->after_name);
	else
		g->after = (uint16_t)(index + 1);
}

static void check_parallel(const struct conf *conf, const struct conf_group *g,
			   struct conf_problems *problems)
{
	for (unsigned i = 0; g->parallel && i < g->resource_count; i++) {
		const struct conf_resource *r = &conf->resource[g->resource_first + i];

		if (r->type == YOKE_RESOURCE_TYPE_ADDRESS)
			conf_problem(
				problems, r->line, false,
				"group \"%s\" is parallel and runs on each of its nodes, and "
				"an address can be on one only: put it into a group of its own "
				"with after = \"%s\"",
				g->name, g->name);
	}
}

/* Making room for one that then stops, too, would never end. */
static void check_needed(const struct conf *conf, unsigned group, struct conf_problems *problems)
{
	const struct conf_group *g = &conf->group[group];

	for (unsigned i = 0; g->yields && i < conf->group_count; i++)
		if (conf->group[i].priority > g->priority && comes_after(conf, i, group))
			conf_problem(problems, g->line, false,
				     "group \"%s\" yields to \"%s\", which comes after it: "
				     "remove yields, or give it a priority as high",
				     g->name, conf->group[i].name);
}

static void check_yields(const struct conf *conf, const struct conf_group *g,
			 struct conf_problems *problems)
{
	for (unsigned i = 0; i < conf->group_count; i++)
		if (conf->group[i].priority > g->priority)
			return;
	if (g->yields)
		conf_problem(problems, g->line, true,
			     "group \"%s\" yields, and no group has a higher priority than it",
			     g->name);
}

void conf_group_link(struct conf *conf, struct conf_problems *problems)
{
	for (unsigned i = 0; i < conf->group_count; i++)
		if (conf->group[i].after_name[0] != '\0')
			link_after(conf, &conf->group[i], problems);
	for (unsigned i = 0; i < conf->group_count; i++) {
		struct conf_group *g = &conf->group[i];

		if (comes_after(conf, i, i)) {
			conf_problem(problems, g->after_line, false,
				     "group \"%s\" comes after itself: one of the circle must not",
				     g->name);
			g->after = 0;
		}
		check_parallel(conf, g, problems);
		check_yields(conf, g, problems);
	}
	for (unsigned i = 0; i < conf->group_count; i++)
		check_needed(conf, i, problems);
}
