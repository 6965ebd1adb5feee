/* What people want of their groups: is it so? */
#include "agent/core/parts.h"
#include "tests/sim/world.h"

static bool has_whole(const struct sim_world *w, uint16_t node, uint16_t group)
{
	unsigned first = (group - 1u) * w->setup.resource_count;

	for (unsigned r = 0; r < w->setup.resource_count; r++)
		if (!w->node[node - 1].address[first + r])
			return false;
	return true;
}

static bool has_any(const struct sim_world *w, uint16_t node, uint16_t group)
{
	unsigned first = (group - 1u) * w->setup.resource_count;

	for (unsigned r = 0; r < w->setup.resource_count; r++)
		if (w->node[node - 1].address[first + r])
			return true;
	return false;
}

uint16_t sim_check_policy_first(const struct sim_world *w, uint16_t group)
{
	if (sim_world_policy(w, group)->first != 0)
		return sim_world_policy(w, group)->first;
	return (uint16_t)((group - 1) % w->setup.node_count + 1);
}

/* ---- room ---- */

static bool goes_before(const struct sim_world *w, uint16_t a, uint16_t b)
{
	return sim_world_policy(w, b)->yields &&
	       sim_world_policy(w, a)->priority > sim_world_policy(w, b)->priority;
}

static bool is_crowded(const struct sim_world *w, uint16_t node, uint16_t group)
{
	for (uint16_t g = 1; g <= w->setup.group_count; g++)
		if (goes_before(w, g, group) &&
		    (has_any(w, node, g) ||
		     w->node[node - 1].core.group[g - 1].state == YOKE_GROUP_STARTED))
			return true;
	return false;
}

static bool can_be_on(const struct sim_world *w, uint16_t node, uint16_t group)
{
	uint16_t after = sim_world_policy(w, group)->after;

	return !w->node[node - 1].core.intent[node - 1].standby && !is_crowded(w, node, group) &&
	       (after == 0 || !sim_world_policy(w, after)->parallel || has_any(w, node, after));
}

bool sim_check_policy_waits(const struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;
	uint16_t from = core_policy_held_for(core, group);

	return core->group[group - 1].state == YOKE_GROUP_HELD && from != 0 &&
	       !has_any(w, from, group) && !can_be_on(w, from, group);
}

bool sim_check_policy_is_away(const struct sim_world *w, uint16_t group)
{
	if (!sim_check_policy_can_follow(w, group))
		return true;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (can_be_on(w, n, group) && !sim_check_policy_waits(w, n, group))
			return false;
	return true;
}

static void check_room(struct sim_world *w, uint16_t group)
{
	struct sim_check_group *k = &w->check.group[group - 1];
	bool crowded = false;

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		crowded = crowded || (has_any(w, n, group) && is_crowded(w, n, group) &&
				      w->node[n - 1].engine && !w->node[n - 1].other_conf &&
				      !core_maintenance_rests(&w->node[n - 1].core, group));
	if (!crowded)
		k->crowded_since = YOKE_NEVER;
	else if (yoke_time_is_never(k->crowded_since))
		k->crowded_since = w->now;
	if (crowded && sim_check_is_undisturbed(w) &&
	    sim_check_is_past(w, k->crowded_since, sim_check_settle_us(w)))
		sim_world_fail(w, "group%u does not make room", group);
}

/* ---- by hand, back ---- */

bool sim_check_policy_takes_over(const struct sim_world *w, uint16_t group)
{
	const struct sim_policy *p = sim_world_policy(w, group);

	return !p->manual && !p->parallel && !p->yields && p->after == 0;
}

static bool is_in_window(const struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct sim_policy *p = sim_world_policy(w, group);
	uint16_t minute = w->node[node - 1].minute;

	if (p->failback_from == p->failback_to)
		return true;
	if (p->failback_from < p->failback_to)
		return minute >= p->failback_from && minute < p->failback_to;
	return minute >= p->failback_from || minute < p->failback_to;
}

/* An operator switched it there. */
static bool is_pinned(const struct sim_world *w, uint16_t owner, uint16_t group)
{
	return owner != 0 && w->node[owner - 1].core.group[group - 1].pinned;
}

bool sim_check_policy_may_go(const struct sim_world *w, uint16_t node, uint16_t group)
{
	uint16_t owner = w->check.group[group - 1].holder;

	if (sim_world_policy(w, group)->parallel)
		return true;
	return sim_world_policy(w, group)->failback && node == sim_check_policy_first(w, group) &&
	       !is_pinned(w, owner, group) &&
	       (is_in_window(w, node, group) || (owner != 0 && is_in_window(w, owner, group)));
}

/* What it comes after goes nowhere: it is started on no node. */
static bool is_left_behind(const struct sim_world *w, uint16_t group)
{
	uint16_t after = sim_world_policy(w, group)->after;

	if (after == 0 || sim_world_policy(w, after)->parallel)
		return false;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (w->node[n - 1].engine &&
		    w->node[n - 1].core.group[after - 1].state == YOKE_GROUP_STARTED)
			return false;
	return true;
}

bool sim_check_policy_goes_back(const struct sim_world *w, uint16_t node, uint16_t group)
{
	uint16_t first = sim_check_policy_first(w, group);

	return sim_world_policy(w, group)->failback && node != first && !is_left_behind(w, group) &&
	       !is_pinned(w, node, group) && is_in_window(w, node, group) &&
	       is_in_window(w, first, group) &&
	       core_cause_self(&w->node[first - 1].core, group) == CORE_CAUSE_NONE;
}

static void check_back(struct sim_world *w, uint16_t group)
{
	const struct sim_policy *p = sim_world_policy(w, group);
	const struct sim_check_group *k = &w->check.group[group - 1];

	/* A node that failed lately is not gone back to: only without faults it is known. */
	if (!w->check.never_both || !p->failback || p->failback_from != p->failback_to ||
	    yoke_time_is_never(k->able_since) || k->holder == 0 ||
	    k->holder == sim_check_policy_first(w, group) || is_pinned(w, k->holder, group) ||
	    sim_check_is_operated(w) || !sim_check_is_undisturbed(w))
		return;
	if (sim_check_is_past(w, yoke_time_max(k->able_since, w->check.operated_at),
			      sim_check_settle_us(w) +
				      ((int64_t)p->failback_ms + w->setup.operation_ms) * 1000))
		sim_world_fail(w, "group%u does not go back to %s", group,
			       sim_world_name(w, sim_check_policy_first(w, group)));
}

/* By an engine that saw it there, or is told so. */
static bool is_known_at(const struct sim_world *w, uint16_t node, uint16_t home, uint16_t group)
{
	return w->check.saw_at[node - 1][group - 1] == home ||
	       w->node[node - 1].core.node[home - 1].claim[group - 1].started_term != 0;
}

/* People have it leave that node, and no fault, as far as the other one knows. */
static bool is_let_go(const struct core *core, uint16_t holder, uint16_t group)
{
	switch (core->node[holder - 1].claim[group - 1].cause) {
	case CORE_CAUSE_YIELDS:
	case CORE_CAUSE_STANDBY:
	case CORE_CAUSE_LEAVING:
	case CORE_CAUSE_STRANGER:
		return true;
	default:
		return core->node[holder - 1].state == YOKE_NODE_LEFT;
	}
}

bool sim_check_policy_is_by_hand(const struct sim_world *w, uint16_t group)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (!w->node[n - 1].conf.group[group - 1].manual || w->node[n - 1].old != 0)
			return false;
	return true;
}

void sim_check_policy_forget(struct sim_world *w, uint16_t node)
{
	for (uint16_t g = 0; g < w->setup.group_count; g++)
		if (w->check.group[g].home == node)
			w->check.group[g].home = 0;
}

void sim_check_policy_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	uint16_t *saw_at = &w->check.saw_at[node - 1][ev->group > 0 ? ev->group - 1 : 0];
	struct sim_check_group *k;

	if (ev->kind == YOKE_EVENT_GROUP_OWNER)
		*saw_at = ev->node;
	if (ev->kind == YOKE_EVENT_GROUP_STARTED || ev->kind == YOKE_EVENT_GROUP_STOPPING)
		*saw_at = node; /* or a part of it */
	/* Another one's claim may have come and gone meanwhile. */
	if (ev->kind == YOKE_EVENT_GROUP_FAILED && w->check.group[ev->group - 1].home == 0)
		*saw_at = node;
	if (ev->kind != YOKE_EVENT_GROUP_STARTED || !sim_check_policy_is_by_hand(w, ev->group))
		return;
	/* An engine whose disk was too slow for what it heard starts at a lower term: then nobody
	 * can tell which was later. */
	k = &w->check.group[ev->group - 1];
	k->home = ev->value < k->home_term ? 0 : node;
	if (ev->value > k->home_term)
		k->home_term = ev->value;
}

static void check_by_hand(struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;
	uint16_t home = w->check.group[group - 1].home;

	if (!sim_check_policy_is_by_hand(w, group) || sim_check_is_operated(w) || home == node ||
	    w->check.saw_at[node - 1][group - 1] == node)
		return;
	if (home != 0 && is_known_at(w, node, home, group) && !is_let_go(core, home, group))
		sim_world_fail(w, "%s starts group%u, which is moved by hand, and was on %s",
			       sim_world_name(w, node), group, sim_world_name(w, home));
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node && core->node[n - 1].state != YOKE_NODE_ONLINE &&
		    core->node[n - 1].state != YOKE_NODE_LATE &&
		    core->node[n - 1].state != YOKE_NODE_LEFT)
			sim_world_fail(w, "%s starts group%u, which is moved by hand, without %s",
				       sim_world_name(w, node), group, sim_world_name(w, n));
}

/* ---- order ---- */

/* In maintenance a part of it counts as all. */
static bool is_adopted_at_rest(const struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;

	return w->node[node - 1].engine && core_maintenance_rests(core, group) &&
	       core->group[group - 1].state == YOKE_GROUP_STARTED;
}

static void check_order(struct sim_world *w, uint16_t node, uint16_t group)
{
	uint16_t after = sim_world_policy(w, group)->after;

	if (after == 0 || !sim_check_is_undisturbed(w))
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if ((has_whole(w, n, after) || is_adopted_at_rest(w, n, after)) &&
		    (!sim_world_policy(w, after)->parallel || n == node))
			return;
	sim_world_fail(w, "%s starts group%u before group%u", sim_world_name(w, node), group,
		       after);
}

/* It is stopped because its node is to be emptied, and nothing hurries. */
static bool is_emptied(const struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;

	return sim_check_is_undisturbed(w) && core_policy_is_emptied(core, group) &&
	       core->group[group - 1].state == YOKE_GROUP_STOPPING &&
	       !core->group[group - 1].failing && !core->group[group - 1].restarting &&
	       !(core->leaving &&
		 yoke_time_due(yoke_time_add_ms(core->leave_deadline,
						-(int64_t)w->setup.operation_ms / 2),
			       w->now));
}

/* Of two that leave a node the one that comes after the other goes first. */
static void check_order_of_stops(struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;

	if (!is_emptied(w, node, group))
		return;
	for (uint16_t g = 1; g <= w->setup.group_count; g++) {
		uint16_t wanted = core_wanted(core, g);

		if (sim_world_policy(w, g)->after == group &&
		    core->group[g - 1].state == YOKE_GROUP_STARTED &&
		    !core_maintenance_rests(core, g) && !core->save.failing &&
		    (core->leaving || (wanted != 0 && wanted != node)))
			sim_world_fail(w, "%s stops group%u before group%u, which comes after it",
				       sim_world_name(w, node), group, g);
	}
}

void sim_check_policy_start(struct sim_world *w, uint16_t node, uint16_t group)
{
	check_by_hand(w, node, group);
	if (w->check.group[group - 1].home != node)
		w->check.group[group - 1].home = 0;
	check_order(w, node, group);
}

/* Is what it comes after there, so that it can be, too? */
bool sim_check_policy_can_follow(const struct sim_world *w, uint16_t group)
{
	uint16_t after = sim_world_policy(w, group)->after;

	if (after == 0)
		return true;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (has_whole(w, n, after) != sim_world_policy(w, after)->parallel)
			return has_whole(w, n, after);
	return sim_world_policy(w, after)->parallel;
}

/* ---- everywhere ---- */

bool sim_check_clocks_agree(const struct sim_world *w)
{
	for (uint16_t n = 2; n <= w->setup.node_count; n++)
		if (w->node[n - 1].minute != w->node[0].minute)
			return false;
	return true;
}

static void check_everywhere(struct sim_world *w, uint16_t group)
{
	const struct sim_check_group *k = &w->check.group[group - 1];

	if (!sim_world_policy(w, group)->parallel || yoke_time_is_never(k->able_since) ||
	    !sim_check_is_undisturbed(w) || sim_check_is_operated(w) ||
	    !sim_check_clocks_agree(w) ||
	    !sim_check_is_past(w, k->able_since, (group + 1) * sim_check_settle_us(w) - 1))
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (!has_whole(w, n, group))
			sim_world_fail(w, "group%u does not run on %s", group,
				       sim_world_name(w, n));
}

/* ---- maintenance ---- */

static bool is_under_way(enum yoke_group_state state)
{
	return state == YOKE_GROUP_STARTING || state == YOKE_GROUP_STOPPING ||
	       state == YOKE_GROUP_UNKNOWN;
}

void sim_check_policy_after(struct sim_world *w, uint16_t node)
{
	const struct core *core = &w->node[node - 1].core;
	bool *may_act = w->check.may_act[node - 1];

	for (uint16_t g = 1; g <= w->setup.group_count; g++) {
		if (core->group[g - 1].state != YOKE_GROUP_STOPPING)
			w->check.may_stop[node - 1][g - 1] = false;
		/* Who else had it is gone before our part of it is. */
		else if (core_owner(core, g) == node)
			w->check.saw_at[node - 1][g - 1] = node;
		if (!core_maintenance_rests(core, g))
			may_act[g - 1] = true;
		else if (!is_under_way(core->group[g - 1].state))
			may_act[g - 1] = false;
	}
}

static bool runs_elsewhere(const struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node &&
		    (core_claim_runs(&core_node_const(core, n)->claim[group - 1]) ||
		     (w->node[n - 1].engine &&
		      w->node[n - 1].core.group[group - 1].state != YOKE_GROUP_STOPPED)))
			return true;
	return false;
}

void sim_check_policy_run(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	uint16_t group = (uint16_t)((a->u.run.resource - 1) / w->setup.resource_count + 1);
	const struct core *core = &w->node[node - 1].core;

	if (a->u.run.kind == CORE_RUN_STOP)
		check_order_of_stops(w, node, group);
	if ((a->u.run.kind != CORE_RUN_START && a->u.run.kind != CORE_RUN_STOP) ||
	    w->check.may_act[node - 1][group - 1] ||
	    (a->u.run.kind == CORE_RUN_STOP && w->check.may_stop[node - 1][group - 1]))
		return;
	/* A lease that ends, one of two, and what is left of it where nobody works are stopped all
	 * the same, and that is brought to its end. */
	if (a->u.run.kind == CORE_RUN_STOP &&
	    ((sim_world_is_exclusive(w, group) && sim_arbiter_has_lock(w)) || core->leaving ||
	     runs_elsewhere(w, node, group) || !core_maintenance_rests_here(core, group))) {
		w->check.may_stop[node - 1][group - 1] = true; /* until it is stopped */
		return;
	}
	sim_world_fail(w, "%s does something about group%u, which is in maintenance",
		       sim_world_name(w, node), group);
}

void sim_check_policy_group(struct sim_world *w, uint16_t group)
{
	if (!w->setup.policies)
		return;
	check_room(w, group);
	check_back(w, group);
	check_everywhere(w, group);
}
