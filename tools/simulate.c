/* yoke simulate: what would happen if something failed now?
 *
 * The present state, as the engine tells it, is put into a model of the cluster (model.h), which
 * has the configuration's file and the real core; then the failure happens there, and what the
 * cores say is printed with its times.  Nothing is asked of the engine but its status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/json.h"
#include "conf/conf.h"
#include "tools/client.h"
#include "tools/model.h"
#include "tools/show.h"
#include "tools/text.h"
#include "tools/tool.h"

enum {
	SETTLE_MS = 30000,     /* for what is going to be told of the present state */
	PIN_MS = 1000,         /* the same of one pin */
	STILL_MS = 60000,      /* so long without an event, and all has happened */
	LONGEST_MS = 86400000, /* and then it is enough */
	WHATS_MAX = 8,
};

enum kind { NODE, PATH, RESOURCE, KINDS };

struct what {
	enum kind kind;
	uint16_t number;
};

static const char *const kind_words[KINDS] = {"node", "path", "resource"};

static struct tool_client client;
static struct conf conf;
static struct conf_problems problems;
static struct tool_model model;
static struct yoke_answer steps; /* for --json: what happened and is not printed yet */

static struct {
	bool begun, json, colour;
	yoke_time failed_at, last_at;
	uint64_t count;
	yoke_time started_at[YOKE_GROUPS_MAX]; /* last, since the failure; YOKE_NEVER: not */
} story;

/* ---- what is to fail ---- */

static unsigned names_of(enum kind kind, const char (**names)[YOKE_NAME_SIZE])
{
	const struct yoke_names *n = &model.names;

	*names = kind == NODE ? n->node : kind == PATH ? n->path : n->resource;
	return kind == NODE ? n->node_count : kind == PATH ? n->path_count : n->resource_count;
}

/* "NAME" or "KIND:NAME". */
static int find(const char *given, struct what *what)
{
	const char *colon = strchr(given, ':'), *all[YOKE_RESOURCES_MAX];
	const char *name = colon != NULL ? colon + 1 : given, *nearest;
	unsigned found = 0, count = 0;

	for (int kind = NODE; kind < KINDS; kind++) {
		const char(*names)[YOKE_NAME_SIZE];
		unsigned many = names_of((enum kind)kind, &names);

		for (unsigned i = 0; i < many; i++) {
			if (count < YOKE_RESOURCES_MAX)
				all[count++] = names[i];
			if (strcmp(names[i], name) != 0 ||
			    (colon != NULL &&
			     strncmp(kind_words[kind], given, (size_t)(colon - given)) != 0))
				continue;
			*what = (struct what){(enum kind)kind, (uint16_t)(i + 1)};
			found++;
		}
	}
	if (found == 1)
		return TOOL_OK;
	nearest = tool_text_nearest(name, all, count);
	fprintf(stderr, "yoke: '%s' is %s%s%s%s\n", given,
		found > 1 ? "the name of several things: say node:, path: or resource: before it"
			  : "no node, path or resource",
		found == 0 && nearest != NULL ? "; did you mean '" : "",
		found == 0 && nearest != NULL ? nearest : "",
		found == 0 && nearest != NULL ? "'?" : "");
	return TOOL_USAGE;
}

/* ---- the present state ---- */

static int read_present(const struct tool_options *options)
{
	static const struct yoke_request request = {.kind = YOKE_REQUEST_STATUS};
	const char *file = getenv("YOKE_CONF") != NULL ? getenv("YOKE_CONF") : TOOL_CONF;
	const struct yoke_snapshot *s = &client.snapshot;
	int result = tool_client_open(&client, options);

	if (result == TOOL_OK)
		result = tool_client_ask(&client, &request);
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	tool_client_close(&client);
	if (conf_load(file, &conf, &problems) != 0) {
		fprintf(stderr, "yoke: %s has errors: 'yoke check' lists them\n", file);
		return TOOL_FAILED;
	}
	if (!client.answer.has_snapshot || s->self < 1 || s->node_count != conf.node_count ||
	    s->group_count != conf.group_count || s->resource_count != conf.resource_count ||
	    s->arbiter_count != conf.arbiter_count || strcmp(s->cluster, conf.cluster) != 0) {
		fprintf(stderr,
			"yoke: %s is not what the engine runs: set YOKE_CONF, or restart yoked\n",
			file);
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

static bool is_on(const struct yoke_snapshot *s, uint16_t node)
{
	enum yoke_node_state state = s->node[node - 1].state;

	return node == s->self || state == YOKE_NODE_ONLINE || state == YOKE_NODE_LATE;
}

static void take_resources(const struct yoke_snapshot *s)
{
	for (unsigned r = 0; r < s->resource_count; r++)
		for (uint16_t n = 1; n <= s->node_count; n++) {
			struct tool_model_node *node = &model.node[n - 1];
			enum yoke_resource_state state = s->resource[r].state[n - 1];

			node->runs[r] = is_on(s, n) && state == YOKE_RESOURCE_STARTED;
			node->broken[r] = state == YOKE_RESOURCE_FAILED;
			node->unusable[r] = n == s->self && !s->resource[r].usable;
		}
}

/* Of another node only the group's readiness is known. */
static void take_members(const struct yoke_snapshot *s)
{
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct yoke_snapshot_member *m = &s->member[i];

		for (unsigned r = 0; r < s->resource_count; r++)
			if (s->resource[r].group == m->group && m->node != s->self && !m->ready &&
			    is_on(s, m->node) && !s->node[m->node - 1].standby &&
			    !s->node[m->node - 1].maintenance && !s->maintenance &&
			    !s->group[m->group - 1].maintenance)
				model.node[m->node - 1].unusable[r] = true;
	}
}

/* It runs where it is already. */
static void take_pins(const struct yoke_snapshot *s)
{
	for (uint16_t g = 1; g <= s->group_count; g++)
		if (s->group[g - 1].pinned) {
			tool_model_ask(&model, s->group[g - 1].owner, YOKE_VERB_SWITCH, g,
				       s->group[g - 1].owner);
			tool_model_run(&model, PIN_MS);
		}
}

static void take_wishes(const struct yoke_snapshot *s)
{
	take_pins(s);
	for (uint16_t n = 1; n <= s->node_count; n++) {
		if (s->node[n - 1].standby)
			tool_model_ask(&model, s->self, YOKE_VERB_STANDBY, 0, n);
		tool_model_run(&model, conf.operation_ms);
		if (s->node[n - 1].maintenance)
			tool_model_ask(&model, s->self, YOKE_VERB_MAINTENANCE, 0, n);
	}
	for (uint16_t g = 1; g <= s->group_count; g++)
		if (s->group[g - 1].maintenance)
			tool_model_ask(&model, s->self, YOKE_VERB_MAINTENANCE, g, 0);
	if (s->maintenance)
		tool_model_ask(&model, s->self, YOKE_VERB_MAINTENANCE, 0, 0);
}

static void take_absent(const struct yoke_snapshot *s)
{
	for (uint16_t n = 1; n <= s->node_count; n++) {
		if (is_on(s, n))
			continue;
		if (s->node[n - 1].state == YOKE_NODE_LEFT)
			tool_model_leave(&model, n);
		tool_model_power_off(&model, n);
	}
	for (unsigned i = 0; i < s->link_count; i++)
		if (is_on(s, s->link[i].node) && s->link[i].state != YOKE_PATH_UP &&
		    s->link[i].state != YOKE_PATH_LATE)
			model.cut[s->link[i].path - 1] = true;
}

/* Of the failure's time of day. */
static void tell_time(int64_t later_us)
{
	time_t seconds = time(NULL) + (time_t)(later_us / 1000000);
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		tool_model_clock(&model, (uint16_t)(tm.tm_hour * 60 + tm.tm_min));
}

/* How long take_present() takes, of which each part has its time. */
static int64_t present_ms(void)
{
	return 2 * SETTLE_MS + (int64_t)conf.startup_ms + conf.dead_ms + conf.lease_ms +
	       conf.watchdog_ms + (int64_t)conf.node_count * 2 * conf.operation_ms +
	       (int64_t)conf.group_count * PIN_MS;
}

/* Since when a group's first node has been fit is not told: it goes back as if from now on. */
static void put_failbacks_off(void)
{
	for (unsigned n = 0; n < conf.node_count; n++)
		for (unsigned g = 0; g < conf.group_count; g++)
			model.node[n].conf.group[g].failback_ms += (uint32_t)present_ms();
}

/* Of what is where it belongs a failback is not due. */
static void put_failbacks_back(void)
{
	for (unsigned n = 0; n < conf.node_count; n++)
		for (unsigned g = 0; g < conf.group_count; g++) {
			struct core_group_conf *of = &model.node[n].core.conf.group[g];
			uint16_t owner = tool_model_owner(&model, (uint16_t)(g + 1));

			if (owner == 0 || owner == of->node[0])
				of->failback_ms -= (uint32_t)present_ms();
		}
}

/* All nodes are started with what they have, then what is not so now is made so. */
static int take_present(const struct yoke_snapshot *s)
{
	yoke_time began = model.now;

	put_failbacks_off();
	take_resources(s);
	take_members(s);
	for (unsigned a = 0; a < s->arbiter_count; a++)
		model.fails[a] = s->arbiter[a].state == YOKE_ARBITER_FAILED;
	for (uint16_t n = 1; n <= s->node_count; n++)
		tool_model_start(&model, n);
	tool_model_run(&model, SETTLE_MS + conf.startup_ms);
	tell_time(0);
	take_wishes(s);
	take_absent(s);
	tool_model_run(&model, present_ms() - yoke_time_span_us(began, model.now) / 1000);
	for (uint16_t g = 1; g <= s->group_count; g++) {
		uint16_t owner = s->group[g - 1].owner, found = tool_model_owner(&model, g);

		if (owner == found || s->group[g - 1].parallel)
			continue;
		fprintf(stderr,
			"yoke: the present state cannot be simulated: group %s %s%s, and the model "
			"%s%s\n",
			s->group[g - 1].name, owner == 0 ? "runs nowhere" : "runs on ",
			owner == 0 ? "" : s->node[owner - 1].name,
			found == 0 ? "has it nowhere" : "has it on ",
			found == 0 ? "" : s->node[found - 1].name);
		return TOOL_FAILED;
	}
	put_failbacks_back();
	return TOOL_OK;
}

/* ---- the failure ---- */

static void fail_resource(uint16_t resource)
{
	uint16_t group = conf.resource[resource - 1].group;
	struct core_event lost = {.type = CORE_RESOURCE};

	for (uint16_t n = 1; n <= conf.node_count; n++) {
		struct tool_model_node *node = &model.node[n - 1];

		if (n != tool_model_owner(&model, (uint16_t)(group + 1)))
			continue;
		node->runs[resource - 1] = false;
		node->broken[resource - 1] = true;
		lost.u.resource.resource = resource;
		lost.u.resource.news = CORE_NEWS_LOST;
		if (conf.resource[resource - 1].type == YOKE_RESOURCE_TYPE_ADDRESS)
			tool_model_news(&model, n, &lost);
	}
}

static void fail(const struct what *what)
{
	switch (what->kind) {
	case NODE:
		tool_model_power_off(&model, what->number);
		break;
	case PATH:
		model.cut[what->number - 1] = true;
		break;
	case RESOURCE:
		fail_resource(what->number);
		break;
	case KINDS:
		break;
	}
}

/* ---- the story ---- */

static void print_json_steps(void)
{
	static char line[YOKE_LINE_SIZE];

	if (steps.event_count > 0 &&
	    yoke_json_put_answer(&steps, NULL, &model.names, line, sizeof(line)) > 0)
		fputs(line, stdout);
	steps.event_count = 0;
}

static void on_event(struct tool_model *m, uint16_t node, const struct yoke_event *event)
{
	struct yoke_event *kept;

	if (!story.begun)
		return;
	story.last_at = m->now;
	if (event->kind == YOKE_EVENT_GROUP_STARTED)
		story.started_at[event->group - 1] = m->now;
	if (!story.json) {
		printf("%10.3f s  %-10s %s%s%s\n",
		       (double)yoke_time_span_us(story.failed_at, m->now) / 1e6,
		       m->names.node[node - 1],
		       tool_text_colour(event->severity == YOKE_SEVERITY_CRITICAL  ? TOOL_BAD
					: event->severity == YOKE_SEVERITY_WARNING ? TOOL_WARN
										   : TOOL_PLAIN,
					story.colour),
		       event->text, tool_text_colour(TOOL_PLAIN, story.colour));
		return;
	}
	kept = &steps.event[steps.event_count++];
	*kept = *event;
	kept->seq = ++story.count;
	kept->mono_us = yoke_time_span_us(story.failed_at, m->now);
	if (kept->node == 0)
		kept->node = node;
	if (steps.event_count == sizeof(steps.event) / sizeof(steps.event[0]))
		print_json_steps();
}

static void print_group(const struct yoke_snapshot *s, uint16_t group, bool json, bool first)
{
	uint16_t owner = tool_model_owner(&model, group);
	yoke_time started = story.started_at[group - 1];
	double after_s = yoke_time_is_never(started)
				 ? 0
				 : (double)yoke_time_span_us(story.failed_at, started) / 1e6;
	const char *name = s->group[group - 1].name;
	const char *where = owner != 0 ? model.names.node[owner - 1] : "";

	if (json)
		printf("%s{\"name\":\"%s\",\"owner\":\"%s\",\"after_s\":%.3f}", first ? "" : ",",
		       name, where, after_s);
	else if (owner == 0)
		printf("group %s runs nowhere\n", name);
	else if (yoke_time_is_never(started))
		printf("group %s stays on %s\n", name, where);
	else
		printf("group %s runs on %s again after %.3f s\n", name, where, after_s);
}

static int print_end(const struct yoke_snapshot *s, const struct tool_options *options)
{
	bool lost = false;

	if (options->json)
		printf("{\"groups\":[");
	else
		putchar('\n');
	for (uint16_t g = 1; g <= s->group_count; g++) {
		print_group(s, g, options->json, g == 1);
		lost = lost || (s->group[g - 1].owner != 0 && tool_model_owner(&model, g) == 0);
	}
	if (options->json)
		puts("]}");
	return lost ? TOOL_FAILED : TOOL_OK;
}

static void tell_story(const struct tool_options *options, const struct what *what, int count)
{
	story.begun = true;
	story.json = options->json;
	story.colour = options->colour;
	story.failed_at = story.last_at = model.now;
	for (unsigned g = 0; g < YOKE_GROUPS_MAX; g++)
		story.started_at[g] = YOKE_NEVER;
	if (!options->json)
		puts("Times are from the failure on.  What is started, stopped or asked takes no "
		     "time here;\nin truth it adds to them.\n");
	for (int i = 0; i < count; i++) {
		if (!options->json)
			printf("%10.3f s  %s %s fails\n", 0.0, kind_words[what[i].kind],
			       yoke_name_of(what[i].kind == NODE   ? model.names.node
					    : what[i].kind == PATH ? model.names.path
								   : model.names.resource,
					    YOKE_RESOURCES_MAX, what[i].number));
		fail(&what[i]);
	}
	while (yoke_time_span_us(story.last_at, model.now) < (int64_t)STILL_MS * 1000 &&
	       yoke_time_span_us(story.failed_at, model.now) < (int64_t)LONGEST_MS * 1000) {
		tell_time(yoke_time_span_us(story.failed_at, model.now));
		tool_model_run(&model, STILL_MS / 4);
	}
	print_json_steps();
}

int tool_simulate(const struct tool_options *options, int argc, char **argv)
{
	struct what what[WHATS_MAX];
	int result;

	if (!options->fail) {
		fputs("yoke: say what fails: yoke simulate --fail NODE, PATH or RESOURCE\n",
		      stderr);
		return TOOL_USAGE;
	}
	result = read_present(options);
	if (result != TOOL_OK)
		return result;
	tool_model_init(&model, &conf, on_event);
	for (int i = 0; i < argc; i++)
		if (find(argv[i], &what[i]) != TOOL_OK)
			return TOOL_USAGE;
	result = take_present(&client.snapshot);
	if (result != TOOL_OK)
		return result;
	tell_story(options, what, argc);
	return print_end(&client.snapshot, options);
}
