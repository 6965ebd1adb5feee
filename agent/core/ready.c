/* Readiness: would a failover succeed if it were needed now?
 *
 * Everything that a failover will need is looked at all the time, and what is missing is a list of
 * reasons.  A list that stays for AFTER_MS is an alarm, while all is still well.
 */
#include <string.h>

#include "agent/core/parts.h"

enum { AFTER_MS = 10000 };

struct list {
	struct yoke_snapshot_unready *row;
	unsigned max, count;
};

static void add(struct list *list, const char *what, const char *name, const char *why,
		const char *reason)
{
	if (list->count < list->max)
		core_text(list->row[list->count].reason, YOKE_REASON_SIZE, what, name, why, reason,
			  (char *)NULL);
	list->count++;
}

static void add_node(const struct core *c, struct list *list, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);
	const char *name = c->conf.node_name[node - 1];
	char reason[YOKE_REASON_SIZE], differs[YOKE_REASON_SIZE];

	core_version_text(c, node, reason);
	core_config_text(c, node, differs);
	if (core_version_is_alarm(c, node))
		add(list, "node ", name, ": ", reason);
	if (n->state != YOKE_NODE_ONLINE && n->state != YOKE_NODE_LATE)
		add(list, "node ", name, " is ", yoke_word_node_state((int)n->state));
	else if (c->intent[node - 1].standby)
		add(list, "node ", name, " is in standby", "");
	else if (!n->config.same)
		add(list, "node ", name, " has another configuration: ", differs);
}

static void add_paths(const struct core *c, struct list *list, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);

	for (uint16_t p = 0; p < c->conf.path_count && core_node_alive(n); p++)
		if (n->path[p] != YOKE_PATH_UP && n->path[p] != YOKE_PATH_LATE)
			add(list, "a path to ", c->conf.node_name[node - 1], " is ",
			    yoke_word_path_state((int)n->path[p]));
}

static void add_member(const struct core *c, struct list *list, uint16_t group, uint16_t node)
{
	enum core_cause cause = core_node_const(c, node)->claim[group - 1].cause;
	char where[2 * YOKE_NAME_SIZE];

	if (list->count < list->max)
		core_text(where, sizeof(where), c->conf.group[group - 1].name, " on ",
			  c->conf.node_name[node - 1], (char *)NULL);
	else
		where[0] = '\0';
	add(list, "group ", where, ": ", core_cause_text(cause));
}

/* It is not well before it has started. */
static bool is_tried_again(const struct core_claim *claim)
{
	return claim->state != YOKE_GROUP_STARTED && claim->unsteady;
}

static void add_group(const struct core *c, struct list *list, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t owner = core_owner(c, group);

	if (owner == 0 && !core_policy_made_room(c, group))
		add(list, "group ", g->name, " runs nowhere", "");
	if (owner != 0 && is_tried_again(&core_node_const(c, owner)->claim[group - 1]))
		add(list, "group ", g->name, " failed lately, and is tried again", "");
	for (uint16_t i = 0; owner != 0 && i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);
		enum core_cause cause = n->claim[group - 1].cause;

		if (g->node[i] != owner && core_node_alive(n) && cause != CORE_CAUSE_NONE &&
		    cause != CORE_CAUSE_STANDBY && cause != CORE_CAUSE_YIELDS &&
		    cause != CORE_CAUSE_RESTS)
			add_member(c, list, group, g->node[i]);
	}
}

void core_ready_trouble(const struct core *c, struct core_trouble *trouble)
{
	memset(trouble, 0, sizeof(*trouble));
	trouble->save = c->save.failing;
	trouble->watchdog = c->conf.watchdog_ms != 0 && c->watchdog_fails;
	for (uint16_t a = 0; a < c->conf.arbiter_count; a++)
		trouble->arbiter[a] = c->arbiter[a].state == YOKE_ARBITER_FAILED;
}

/* What we know of ourselves has its reason; of another node only that it is so. */
static void add_trouble(const struct core *c, struct list *list, uint16_t node)
{
	const struct core_trouble *trouble = &core_node_const(c, node)->trouble;
	const char *name = c->conf.node_name[node - 1];
	bool is_own = node == c->conf.self;

	for (uint16_t a = 0; a < c->conf.arbiter_count; a++)
		if (trouble->arbiter[a])
			add(list, "arbiter ", c->conf.arbiter[a].name,
			    is_own ? ": " : " does not work for ",
			    is_own ? c->arbiter[a].reason : name);
	if (trouble->save)
		add(list, "node ", name, " cannot save its state", "");
	if (trouble->watchdog)
		add(list, "node ", name, "'s watchdog does not work", "");
}

static void add_all(const struct core *c, struct list *list)
{
	char rests[YOKE_REASON_SIZE];

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		add_node(c, list, n);
		if (n != c->conf.self)
			add_paths(c, list, n);
	}
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (c->conf.group[g - 1].node_count > 1)
			add_group(c, list, g);
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n == c->conf.self || core_node_alive(core_node_const(c, n)))
			add_trouble(c, list, n);
	if (yoke_time_is_never(c->rest_since))
		return;
	core_maintenance_text(c, rests);
	add(list, "in maintenance: ", rests, "", "");
}

unsigned core_ready_list(const struct core *c, struct yoke_snapshot_unready *row, unsigned max)
{
	struct list list = {row, max, 0};

	if (c->conf.node_count > 1)
		add_all(c, &list);
	return list.count;
}

static void tell(struct core *c, struct core_actions *out)
{
	char reason[YOKE_REASON_SIZE], number[21];
	struct yoke_snapshot_unready first;
	unsigned count = core_ready_list(c, &first, 1);

	if (count > 1)
		core_text(reason, sizeof(reason), first.reason, " (and ",
			  core_number(count - 1u, number), " more)", (char *)NULL);
	else
		core_text(reason, sizeof(reason), first.reason, (char *)NULL);
	core_event(c, out, YOKE_EVENT_NOT_READY, reason);
	c->unready_told = true;
}

void core_ready_look(struct core *c, struct core_actions *out)
{
	if (core_ready_list(c, NULL, 0) == 0) {
		c->unready_since = YOKE_NEVER;
		if (c->unready_told)
			core_event(c, out, YOKE_EVENT_READY, "");
		c->unready_told = false;
		return;
	}
	if (yoke_time_is_never(c->unready_since))
		c->unready_since = c->now;
	if (!c->unready_told && yoke_time_due(yoke_time_add_ms(c->unready_since, AFTER_MS), c->now))
		tell(c, out);
}

yoke_time core_ready_deadline(const struct core *c)
{
	return c->unready_told ? YOKE_NEVER : yoke_time_add_ms(c->unready_since, AFTER_MS);
}
