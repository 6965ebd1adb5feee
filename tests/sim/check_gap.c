/* Events have no gaps: who only reads them, from an engine's start on, knows what its core does. */
#include <string.h>

#include "agent/core/parts.h"
#include "tests/sim/world.h"

static void fail(struct sim_world *w, uint16_t node, const char *what, const char *which)
{
	sim_world_fail(w, "%s does not tell how it is: %s %s", sim_world_name(w, node), what,
		       which);
}

/* ---- what is told ---- */

static unsigned rests_of(const struct core *core)
{
	unsigned count = 0;

	for (unsigned i = 0; i < core_maintenance_count(core); i++)
		count += core->rest[i].on;
	return count;
}

/* What an engine begins with. */
static void begin(struct sim_check_told *t, const struct core *core)
{
	memset(t, 0, sizeof(*t));
	t->begun = true;
	for (uint16_t g = 0; g < core->conf.group_count; g++)
		t->group[g] = core->group[g].state;
	t->standby = core->intent[core->conf.self - 1].standby;
	t->rests = rests_of(core);
	t->lease = core->lease_holds;
	for (uint16_t n = 0; n < core->conf.node_count; n++) {
		t->node[n] = core->node[n].state;
		t->differs[n] = !core->node[n].config.same;
		for (unsigned p = 0; p < core->conf.path_count; p++)
			t->path[n][p] = core->node[n].path[p];
	}
}

static void take_state(struct sim_check_told *t, const struct yoke_event *ev)
{
	switch (ev->kind) {
	case YOKE_EVENT_GROUP_STARTING:
	case YOKE_EVENT_GROUP_STARTED:
	case YOKE_EVENT_GROUP_STOPPING:
	case YOKE_EVENT_GROUP_STOPPED:
	case YOKE_EVENT_GROUP_FAILED:
	case YOKE_EVENT_GROUP_HELD:
	case YOKE_EVENT_GROUP_ADOPTED:
	case YOKE_EVENT_GROUP_RESTARTING:
		t->group[ev->group - 1] = ev->to;
		break;
	case YOKE_EVENT_NODE_ONLINE:
	case YOKE_EVENT_NODE_LATE:
	case YOKE_EVENT_NODE_LOST:
	case YOKE_EVENT_NODE_LEFT:
		t->node[ev->node - 1] = ev->to;
		break;
	case YOKE_EVENT_PATH_UP:
	case YOKE_EVENT_PATH_ONE_WAY:
	case YOKE_EVENT_PATH_DOWN:
		t->path[ev->node - 1][ev->path - 1] = ev->to;
		break;
	default:
		break;
	}
}

static void take(struct sim_check_told *t, const struct yoke_event *ev)
{
	take_state(t, ev);
	switch (ev->kind) {
	case YOKE_EVENT_NODE_STANDBY:
	case YOKE_EVENT_NODE_ACTIVE:
		t->standby = ev->kind == YOKE_EVENT_NODE_STANDBY;
		break;
	case YOKE_EVENT_MAINTENANCE_BEGUN:
		t->rests++;
		break;
	case YOKE_EVENT_MAINTENANCE_ENDED:
		t->rests--;
		break;
	case YOKE_EVENT_SAVE_FAILED:
	case YOKE_EVENT_SAVE_WORKS:
		t->unsaved = ev->kind == YOKE_EVENT_SAVE_FAILED;
		break;
	case YOKE_EVENT_LEASE_EXPIRED:
		t->lease = false;
		break;
	case YOKE_EVENT_ARBITER_FAILED:
	case YOKE_EVENT_ARBITER_READY:
		t->broken[ev->arbiter - 1] = ev->kind == YOKE_EVENT_ARBITER_FAILED;
		break;
	case YOKE_EVENT_CONFIG_DIFFERS:
	case YOKE_EVENT_CONFIG_SAME:
		t->differs[ev->node - 1] = ev->kind == YOKE_EVENT_CONFIG_DIFFERS;
		break;
	case YOKE_EVENT_RESOURCE_UNUSABLE:
	case YOKE_EVENT_RESOURCE_USABLE:
		t->unusable[ev->resource - 1] = ev->kind == YOKE_EVENT_RESOURCE_UNUSABLE;
		break;
	case YOKE_EVENT_RESOURCE_FAILED:
		t->failed[ev->resource - 1] = true;
		break;
	case YOKE_EVENT_OPERATION_STARTED:
		t->operation = ev->value;
		break;
	case YOKE_EVENT_OPERATION_SUCCEEDED:
	case YOKE_EVENT_OPERATION_FAILED:
		t->operation = t->operation == ev->value ? 0 : t->operation;
		break;
	default:
		break;
	}
}

/* ---- what is so ---- */

/* What was held or rested after a failure is stopped, and nothing of it is news. */
static bool is_group_told(uint16_t told, enum yoke_group_state is)
{
	return told == is || is == YOKE_GROUP_UNKNOWN ||
	       (is == YOKE_GROUP_STOPPED && (told == YOKE_GROUP_HELD || told == YOKE_GROUP_FAILED ||
					     told == YOKE_GROUP_UNKNOWN));
}

static bool is_node_told(uint16_t told, enum yoke_node_state is)
{
	return told == is || is == YOKE_NODE_UNKNOWN || is == YOKE_NODE_JOINING ||
	       (is == YOKE_NODE_ONLINE && told == YOKE_NODE_LATE);
}

/* Late is no news, nor that it is over.  Of who left all are down, as it said. */
static bool is_path_told(uint16_t told, enum yoke_path_state is, bool left)
{
	return told == is || is == YOKE_PATH_LATE || is == YOKE_PATH_NO_PEER ||
	       (is == YOKE_PATH_UP && told == YOKE_PATH_LATE) || (left && is != YOKE_PATH_UP);
}

static void look_nodes(struct sim_world *w, uint16_t node, struct sim_check_told *t)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t n = 1; n <= core->conf.node_count; n++) {
		const struct core_node *other = &core->node[n - 1];

		if (!is_node_told(t->node[n - 1], other->state))
			fail(w, node, "node", sim_world_name(w, n));
		if (t->differs[n - 1] == other->config.same)
			fail(w, node, "configuration of", sim_world_name(w, n));
		t->node[n - 1] = other->state;
		for (unsigned p = 0; p < core->conf.path_count; p++) {
			if (!is_path_told(t->path[n - 1][p], other->path[p], other->left))
				fail(w, node, "path to", sim_world_name(w, n));
			t->path[n - 1][p] = other->path[p];
		}
	}
}

static void look_groups(struct sim_world *w, uint16_t node, struct sim_check_told *t)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t g = 0; g < core->conf.group_count; g++) {
		if (!is_group_told(t->group[g], core->group[g].state))
			fail(w, node, "group", w->names.group[g]);
	}
	for (uint16_t r = 0; r < core->conf.resource_count; r++) {
		const struct core_resource *resource = &core->resource[r];
		bool is_failed = resource->state == YOKE_RESOURCE_FAILED;

		if (t->unusable[r] != (resource->usable_known && !resource->usable) ||
		    (is_failed && !t->failed[r]))
			fail(w, node, "resource", w->names.resource[r]);
		t->failed[r] = is_failed;
	}
}

/* What a fence device fails in while it is needed is told of the fencing. */
static void look_arbiters(struct sim_world *w, uint16_t node, struct sim_check_told *t)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t a = 0; a < core->conf.arbiter_count; a++)
		if (core->conf.arbiter[a].type != YOKE_ARBITER_TYPE_FENCE &&
		    t->broken[a] != (core->arbiter[a].state == YOKE_ARBITER_FAILED))
			fail(w, node, "arbiter", w->names.arbiter[a]);
}

/* Does it run anything by its lease, or stop it? */
static bool runs_by_lease(const struct core *core, const struct sim_check_told *t)
{
	for (uint16_t g = 1; core_lease_is_used(core) && g <= core->conf.group_count; g++)
		if (core_lease_binds(core, g) && (t->group[g - 1] == YOKE_GROUP_STARTED ||
						  t->group[g - 1] == YOKE_GROUP_STOPPING))
			return true;
	return false;
}

void sim_check_gap_start(struct sim_world *w, uint16_t node)
{
	w->check.told[node - 1].begun = false;
}

void sim_check_gap_before(struct sim_world *w, uint16_t node)
{
	if (!w->check.told[node - 1].begun)
		begin(&w->check.told[node - 1], &w->node[node - 1].core);
}

void sim_check_gap_after(struct sim_world *w, uint16_t node)
{
	const struct core *core = &w->node[node - 1].core;
	const struct core_operation *operation = &core->node[node - 1].operation;
	struct sim_check_told *t = &w->check.told[node - 1];
	bool was_by_lease = t->lease && runs_by_lease(core, t);

	for (unsigned i = 0; i < w->actions.count; i++)
		if (w->actions.action[i].type == CORE_EVENT)
			take(t, &w->actions.action[i].u.event);
	look_nodes(w, node, t);
	look_groups(w, node, t);
	look_arbiters(w, node, t);
	/* What stops at once, for another reason, has its lock given back in the same step. */
	if (was_by_lease && runs_by_lease(core, t) && t->lease && !core->lease_holds)
		fail(w, node, "end of its lease", "");
	t->lease = core->lease_holds;
	if (t->standby != core->intent[node - 1].standby)
		fail(w, node, "standby of", sim_world_name(w, node));
	if (t->rests != rests_of(core))
		fail(w, node, "maintenance", "");
	if (t->unsaved != core->save.failing)
		fail(w, node, "saving", "");
	if (t->operation != (operation->state == YOKE_OPERATION_RUNNING ? operation->number : 0))
		fail(w, node, "operation", "");
}
