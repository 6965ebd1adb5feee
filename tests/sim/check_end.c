/* What must be true when every fault is over and all came to rest. */
#include "agent/core/parts.h"
#include "tests/sim/world.h"

static const char *node_wrong(const struct sim_world *w, uint16_t node)
{
	const struct sim_node *n = &w->node[node - 1];

	if (!n->engine)
		return "an engine does not run";
	if (n->core.leaving)
		return "an engine is being stopped";
	for (uint16_t i = 0; i < w->setup.node_count; i++) {
		if (n->core.node[i].state != YOKE_NODE_ONLINE)
			return "a node is not online";
		if (i + 1u != node && n->core.node[i].acked < n->core.version)
			return "a node has not acknowledged what it is told again and again";
		if (n->core.node[i].operation.state == YOKE_OPERATION_RUNNING)
			return "an operation goes on";
		if (n->core.intent[i].standby != w->node[0].core.intent[i].standby)
			return "the nodes do not agree on who is in standby";
	}
	for (unsigned i = 0; i < core_maintenance_count(&n->core); i++)
		if (n->core.rest[i].on != w->node[0].core.rest[i].on && n->old < 2 &&
		    w->node[0].old < 2)
			return "the nodes do not agree on what is in maintenance";
	for (uint16_t g = 0; g < w->setup.group_count; g++)
		if (n->core.group[g].state == YOKE_GROUP_FAILED &&
		    !yoke_time_is_never(n->core.group[g].retry_at) &&
		    !yoke_time_due(n->core.group[g].retry_at, sim_node_now(w, node)))
			return "a group that failed is to be tried again";
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		if (n->core.arbiter[a].state == YOKE_ARBITER_FAILED)
			return "an arbiter does not work";
	if (n->core.save.failing ||
	    (n->core.save.asked == 0 && n->core.save.version != n->core.save.durable))
		return "a record is not saved";
	return NULL;
}

/* Is it in maintenance for any node? */
static bool is_resting(const struct sim_world *w, uint16_t g)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (core_maintenance_rests(&w->node[n - 1].core, g))
			return true;
	return false;
}

/* One that runs everywhere. */
static const char *parallel_wrong(const struct sim_world *w, uint16_t g)
{
	if (is_resting(w, g) || !sim_check_policy_can_follow(w, g))
		return NULL;
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		const struct sim_node *node = &w->node[n - 1];
		enum yoke_group_state state = node->core.group[g - 1].state;

		if (!node->core.intent[n - 1].standby && state != YOKE_GROUP_STARTED)
			return "a parallel group does not run everywhere";
		/* With all in standby, what runs stays, and what it needs. */
		if (node->core.intent[n - 1].standby && state != YOKE_GROUP_STOPPED &&
		    !core_policy_is_needed(&node->core, g))
			return "a parallel group runs on a node in standby";
	}
	return NULL;
}

static const char *group_wrong(const struct sim_world *w, uint16_t g)
{
	uint16_t one = 0;
	bool whole = false, some_can = false, rests = is_resting(w, g);
	unsigned holders = sim_check_holders(w, g - 1u, &one, &whole);

	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		const struct sim_node *node = &w->node[n - 1];
		enum yoke_group_state state = node->core.group[g - 1].state;

		some_can = some_can || !node->core.intent[n - 1].standby;
		if (rests)
			continue;
		if (holders == 1 && n == one && state != YOKE_GROUP_STARTED)
			return "a group is not started where its addresses are";
		if (n != one && state != YOKE_GROUP_STOPPED && !sim_check_policy_waits(w, n, g))
			return "a group is not stopped where its addresses are not";
		if (node->core.group[g - 1].conflict != 0)
			return "a conflict goes on";
	}
	if (holders > 1)
		return "a group is on two nodes";
	if (rests)
		return NULL;
	if (holders == 1 && !whole)
		return "a part of a group runs";
	if (holders == 1 && sim_check_policy_goes_back(w, one, g))
		return "a group has not gone back yet";
	if (holders == 0 && some_can && !sim_check_policy_is_away(w, g))
		return "a group runs nowhere";
	return NULL;
}

const char *sim_check_converged(struct sim_world *w)
{
	static struct yoke_snapshot view;
	const char *wrong = NULL;
	bool other = false; /* something is not as it usually is, and may be seen */

	for (uint16_t n = 1; n <= w->setup.node_count && wrong == NULL; n++) {
		wrong = node_wrong(w, n);
		other = other || w->node[0].core.intent[n - 1].standby ||
			!yoke_time_is_never(w->node[n - 1].core.rest_since);
	}
	for (uint16_t g = 1; g <= w->setup.group_count; g++)
		other = other || sim_check_policy_is_away(w, g);
	for (uint16_t g = 1; g <= w->setup.group_count && wrong == NULL; g++)
		wrong = sim_world_policy(w, g)->parallel ? parallel_wrong(w, g) : group_wrong(w, g);
	for (uint16_t n = 1; n <= w->setup.node_count && wrong == NULL && !other; n++) {
		core_view(&w->node[n - 1].core, &view);
		if (view.condition != YOKE_CONDITION_OK)
			wrong = "all is well, but the view says otherwise";
	}
	return wrong;
}
