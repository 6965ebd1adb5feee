/* What the core knows, for people and programs. */
#include <string.h>

#include "agent/core/parts.h"

static int64_t when(yoke_time t, yoke_time started)
{
	return yoke_time_is_never(t) || !yoke_time_before(started, t) ? 0 : t.us;
}

static void view_nodes(const struct core *c, struct yoke_snapshot *s)
{
	s->node_count = c->conf.node_count;
	for (uint16_t i = 0; i < c->conf.node_count; i++) {
		const struct core_node *n = &c->node[i];
		struct yoke_snapshot_node *v = &s->node[i];

		core_text(v->name, sizeof(v->name), c->conf.node_name[i], (char *)NULL);
		core_text(v->version, sizeof(v->version), n->version, (char *)NULL);
		v->state = n->state;
		v->standby = c->intent[i].standby;
		v->maintenance = c->rest[CORE_REST_NODES + i].on;
		v->config_same = n->config.same;
		core_config_text(c, (uint16_t)(i + 1), v->config_differs);
		v->protocol_min = n->protocol_min;
		v->protocol_max = n->protocol_max;
		v->protocol = core_version_common(c, (uint16_t)(i + 1));
		v->changed_wall_ms = when(n->changed, c->started);
		v->started_wall_ms = yoke_time_is_never(n->first_heard) ? 0 : n->first_heard.us;
		v->paths_up = 0;
		for (uint16_t p = 0; p < c->conf.path_count; p++)
			v->paths_up += n->path[p] == YOKE_PATH_UP;
	}
}

/* Why a node could not take the group now; "" when it could. */
static void readiness(const struct core *c, uint16_t group, uint16_t node,
		      struct yoke_snapshot_member *v)
{
	const struct core_node *n = core_node_const(c, node);
	const char *reason = "";

	if (!core_node_alive(n))
		reason = "the node is not in contact";
	else if (n->claim[group - 1].cause != CORE_CAUSE_NONE)
		reason = core_cause_text(n->claim[group - 1].cause);
	v->ready = reason[0] == '\0';
	core_text(v->reason, sizeof(v->reason), reason, (char *)NULL);
}

static void view_members(const struct core *c, struct yoke_snapshot *s)
{
	s->member_count = 0;
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		for (uint16_t n = 1; n <= c->conf.node_count; n++) {
			struct yoke_snapshot_member *v;

			if (!core_is_member(c, g, n))
				continue;
			v = &s->member[s->member_count++];
			v->group = g;
			v->node = n;
			v->rank = core_rank(c, g, n);
			v->state = core_node_alive(core_node_const(c, n))
					   ? core_node_const(c, n)->claim[g - 1].state
					   : YOKE_GROUP_UNKNOWN;
			readiness(c, g, n, v);
		}
}

/* Could another node go on with it?  One that runs everywhere goes on where it runs. */
static bool is_redundant(const struct core *c, uint16_t group, uint16_t owner)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t runs = 0;

	if (!g->parallel)
		return g->node_count < 2 || core_candidate(c, group, owner) != 0 ||
		       core_policy_made_room(c, group);
	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		runs += core_node_alive(n) && n->claim[group - 1].state == YOKE_GROUP_STARTED;
	}
	return runs == g->node_count;
}

static enum yoke_condition group_condition(const struct core *c, uint16_t group, uint16_t owner)
{
	const struct core_group *g = &c->group[group - 1];

	if (g->conflict != 0 || (owner == 0 && !core_policy_made_room(c, group)))
		return YOKE_CONDITION_CRITICAL;
	if (owner == 0)
		return YOKE_CONDITION_DEGRADED;
	if (core_node_const(c, owner)->claim[group - 1].state != YOKE_GROUP_STARTED)
		return YOKE_CONDITION_DEGRADED;
	if (!is_redundant(c, group, owner))
		return YOKE_CONDITION_DEGRADED;
	if (core_node_const(c, owner)->claim[group - 1].cause != CORE_CAUSE_NONE)
		return YOKE_CONDITION_DEGRADED;
	return YOKE_CONDITION_OK;
}

/* The owner's state; without an owner our own view, which may be HELD or FAILED. */
static enum yoke_group_state group_state(const struct core *c, uint16_t group, uint16_t owner)
{
	if (owner != 0)
		return core_node_const(c, owner)->claim[group - 1].state;
	return c->group[group - 1].state;
}

static void view_policy(const struct core *c, uint16_t group, struct yoke_snapshot_group *v)
{
	const struct core_group_conf *conf = &c->conf.group[group - 1];
	uint16_t owner = core_owner(c, group);

	v->exclusive = conf->exclusive;
	v->parallel = conf->parallel;
	v->manual = conf->manual;
	v->priority = conf->priority;
	v->maintenance = c->rest[CORE_REST_GROUPS + group - 1].on;
	v->pinned = owner != 0 && (core_node_const(c, owner)->claim[group - 1].pinned ||
				   (conf->manual && !conf->failback && owner != conf->node[0]));
}

static void view_groups(const struct core *c, struct yoke_snapshot *s)
{
	s->group_count = c->conf.group_count;
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		const struct core_group *group = &c->group[g - 1];
		struct yoke_snapshot_group *v = &s->group[g - 1];
		uint16_t owner = core_owner(c, g);
		bool ours = owner == c->conf.self || owner == 0;

		core_text(v->name, sizeof(v->name), c->conf.group[g - 1].name, (char *)NULL);
		view_policy(c, g, v);
		v->owner = owner;
		v->preferred = c->conf.group[g - 1].node[0];
		v->term = core_term_highest(c, g);
		v->state = group_state(c, g, owner);
		v->condition = group_condition(c, g, owner);
		v->changed_wall_ms = when(group->owner_since, c->started);
		v->moves = group->moves;
		core_text(v->reason, sizeof(v->reason),
			  ours ? group->reason : "runs on the other node", (char *)NULL);
	}
}

static void view_resources(const struct core *c, struct yoke_snapshot *s)
{
	s->resource_count = c->conf.resource_count;
	for (uint16_t r = 0; r < c->conf.resource_count; r++) {
		struct yoke_snapshot_resource *v = &s->resource[r];

		v->group = c->conf.resource[r].group;
		v->usable = c->resource[r].usable;
		v->restores = c->resource[r].restores;
		core_text(v->reason, sizeof(v->reason), c->resource[r].reason, (char *)NULL);
		for (uint16_t n = 0; n < YOKE_NODES_MAX; n++)
			v->state[n] = n < c->conf.node_count && core_node_alive(&c->node[n])
					      ? c->node[n].resource[r]
					      : YOKE_RESOURCE_UNKNOWN;
	}
}

static void view_operations(const struct core *c, struct yoke_snapshot *s)
{
	uint32_t count =
		c->history_count < YOKE_OPERATIONS_MAX ? c->history_count : YOKE_OPERATIONS_MAX;

	s->operation_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct core_operation *op =
			&c->history[(c->history_count - count + i) % YOKE_OPERATIONS_MAX];
		struct yoke_snapshot_operation *v = &s->operation[i];

		v->number = op->number;
		v->verb = op->verb;
		v->origin = op->origin;
		v->group = op->group;
		v->node = op->node;
		v->state = op->state;
		v->started_wall_ms = op->started.us;
		v->ended_wall_ms = op->state == YOKE_OPERATION_RUNNING ? 0 : op->ended.us;
		core_text(v->reason, sizeof(v->reason), op->reason, (char *)NULL);
	}
	s->control_lock = c->operation_count;
}

static void view_arbiters(const struct core *c, struct yoke_snapshot *s)
{
	s->arbiter_count = c->conf.arbiter_count;
	for (uint16_t i = 0; i < c->conf.arbiter_count; i++) {
		const struct core_arbiter *a = &c->arbiter[i];
		struct yoke_snapshot_arbiter *v = &s->arbiter[i];

		core_text(v->name, sizeof(v->name), c->conf.arbiter[i].name, (char *)NULL);
		v->type = c->conf.arbiter[i].type;
		v->state = a->state;
		v->holder = a->state == YOKE_ARBITER_HELD ? c->conf.self : a->holder;
		v->changed_wall_ms = when(a->changed, c->started);
		v->tested_wall_ms = a->tested.us;
		core_text(v->reason, sizeof(v->reason), a->reason, (char *)NULL);
	}
}

static void view_lease(const struct core *c, struct yoke_snapshot *s)
{
	yoke_time end = core_lease_until(c);

	s->lease_ms = core_lease_is_used(c) ? c->conf.lease_ms : 0;
	s->lease_left_ms = -1;
	if (!yoke_time_is_never(end))
		s->lease_left_ms =
			yoke_time_before(c->now, end) ? yoke_time_span_us(c->now, end) / 1000 : 0;
}

static void view_readiness(const struct core *c, struct yoke_snapshot *s)
{
	unsigned count = core_ready_list(c, s->unready, YOKE_UNREADY_MAX);

	s->unready_count = count < YOKE_UNREADY_MAX ? count : YOKE_UNREADY_MAX;
}

static void worse(struct yoke_snapshot *s, enum yoke_condition condition, const char *what,
		  const char *name, const char *text)
{
	if (condition <= s->condition)
		return;
	s->condition = condition;
	core_text(s->text, sizeof(s->text), what, " ", name, " ", text, (char *)NULL);
}

static void view_trouble(const struct core *c, struct yoke_snapshot *s, uint16_t node)
{
	const struct core_trouble *trouble = &core_node_const(c, node)->trouble;

	for (uint16_t a = 0; a < c->conf.arbiter_count; a++)
		if (trouble->arbiter[a])
			worse(s, YOKE_CONDITION_DEGRADED, "arbiter", c->conf.arbiter[a].name,
			      "would not work if it were needed");
	if (trouble->save)
		worse(s, YOKE_CONDITION_DEGRADED, "node", c->conf.node_name[node - 1],
		      "cannot save its state");
	if (trouble->watchdog)
		worse(s, YOKE_CONDITION_DEGRADED, "node", c->conf.node_name[node - 1],
		      "has a watchdog that does not work");
}

static void view_condition(const struct core *c, struct yoke_snapshot *s)
{
	char rests[YOKE_REASON_SIZE];

	s->condition = YOKE_CONDITION_OK;
	core_text(s->text, sizeof(s->text), "all groups run, and the other node could take over",
		  (char *)NULL);
	for (uint32_t g = 0; g < s->group_count; g++)
		if (s->group[g].condition == YOKE_CONDITION_CRITICAL)
			worse(s, YOKE_CONDITION_CRITICAL, "group", s->group[g].name,
			      s->group[g].owner == 0 ? "has no owner"
						     : "runs on more than one node");
	core_maintenance_text(c, rests);
	if (rests[0] != '\0')
		worse(s, YOKE_CONDITION_DEGRADED, rests, "is", "in maintenance");
	for (uint32_t n = 0; n < s->node_count; n++) {
		if (core_version_is_alarm(c, (uint16_t)(n + 1)))
			worse(s, YOKE_CONDITION_DEGRADED, "node", s->node[n].name,
			      "speaks no protocol that we do");
		if (s->node[n].state != YOKE_NODE_ONLINE)
			worse(s, YOKE_CONDITION_DEGRADED, "node", s->node[n].name, "is not online");
		if (s->node[n].standby)
			worse(s, YOKE_CONDITION_DEGRADED, "node", s->node[n].name, "is in standby");
		if (!s->node[n].config_same)
			worse(s, YOKE_CONDITION_DEGRADED, "node", s->node[n].name,
			      "has another configuration");
		if (n + 1 != c->conf.self && s->node[n].paths_up < c->conf.path_count)
			worse(s, YOKE_CONDITION_DEGRADED, "node", s->node[n].name,
			      "is not reached on every path");
	}
	for (uint32_t g = 0; g < s->group_count; g++)
		if (s->group[g].condition == YOKE_CONDITION_DEGRADED)
			worse(s, YOKE_CONDITION_DEGRADED, "group", s->group[g].name,
			      "could not be taken over");
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n == c->conf.self || core_node_alive(core_node_const(c, n)))
			view_trouble(c, s, n);
}

void core_view(const struct core *c, struct yoke_snapshot *s)
{
	s->self = c->conf.self;
	s->interval_ms = c->conf.interval_ms;
	s->dead_ms = c->conf.dead_ms;
	s->late_ms = c->conf.late_ms;
	view_nodes(c, s);
	view_groups(c, s);
	view_members(c, s);
	view_resources(c, s);
	view_operations(c, s);
	view_arbiters(c, s);
	view_lease(c, s);
	view_readiness(c, s);
	s->maintenance = c->rest[CORE_REST_CLUSTER].on;
	view_condition(c, s);
}
