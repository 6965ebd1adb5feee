/* How people want their groups run: in which order, with which room, back by themselves, or only by
 * hand.
 *
 *   after     a group starts when the one that it comes after is started somewhere; when that one
 *             is parallel, it runs only where that one does.  Where both run on a node that is to
 *             be emptied (standby, a leave, a file that has them there no more), it is stopped
 *             there first, and only then the one that it comes after.  That one waits for nothing
 *             that stays, rests or does not stop; for none when the lease, a conflict, room or its
 *             own failure has it stop; and for none in the second half of the time to leave
 *   yields    a group that yields does not run where one of higher priority runs or is to start
 *             (one in maintenance cannot make room, and is not waited for)
 *   manual    a fault never moves the group: it is held until an operator switches it, or starts
 *             again where it was last: of the nodes that started it, the one with the highest term
 *   failback  a group goes back to its first node when that has been fit for failback_ms, did not
 *             fail there lately, and the clock is in the window
 *
 * What is not known to run yet (an engine restarted, a maintenance ended) may: nothing that others
 * need is stopped under it, nothing is started in its room, and it is not moved for an order that
 * may be kept.
 */
#include "agent/core/parts.h"

static bool runs_here(const struct core *c, uint16_t group)
{
	return core_claim_runs(&(struct core_claim){.state = c->group[group - 1].state});
}

static bool is_unknown_here(const struct core *c, uint16_t group)
{
	return c->group[group - 1].state == YOKE_GROUP_UNKNOWN;
}

static bool may_run_here(const struct core *c, uint16_t group)
{
	return runs_here(c, group) || is_unknown_here(c, group);
}

/* ---- order ---- */

static bool is_started_at(const struct core *c, uint16_t group, uint16_t node)
{
	return core_node_alive(core_node_const(c, node)) &&
	       core_node_const(c, node)->claim[group - 1].state == YOKE_GROUP_STARTED;
}

static bool is_started(const struct core *c, uint16_t group)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (is_started_at(c, group, n))
			return true;
	return false;
}

/* Or is it about to be moved away?  When it goes back to its first node only its owner can tell: it
 * may be pinned, or have seen that node fit for less long. */
static bool is_to_stay_at(const struct core *c, uint16_t group, uint16_t node)
{
	uint16_t wanted = core_wanted(c, group), target;

	if (wanted == 0 || wanted == node)
		return true;
	return wanted == core_policy_failback(c, group) &&
	       core_oper_of(c, group, &target) == NULL &&
	       !core_policy_may_leave(c, group, core_node_const(c, node)->claim[group - 1].cause);
}

bool core_policy_needs(const struct core *c, uint16_t group)
{
	uint16_t after = c->conf.group[group - 1].after;

	if (after == 0 || !c->conf.group[after - 1].parallel)
		return false;
	/* What runs is not moved because the other has not been found yet. */
	if (is_unknown_here(c, after) && runs_here(c, group))
		return false;
	return c->group[after - 1].state != YOKE_GROUP_STARTED;
}

bool core_policy_may_follow(const struct core *c, uint16_t group)
{
	uint16_t after = c->conf.group[group - 1].after;

	if (after == 0 || c->group[after - 1].state == YOKE_GROUP_STARTED)
		return true;
	for (uint16_t n = 1; !c->conf.group[after - 1].parallel && n <= c->conf.node_count; n++)
		if (is_started_at(c, after, n) && is_to_stay_at(c, after, n))
			return true;
	return false;
}

bool core_policy_is_needed(const struct core *c, uint16_t group)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (c->conf.group[g - 1].after == group && may_run_here(c, g))
			return true;
	return false;
}

/* Will it go, with all else that is to leave this node?  Not what nobody else can take, what people
 * work on, or what should have stopped already: that may never end.  No group comes after itself,
 * also through others. */
static bool is_to_go(const struct core *c, uint16_t group)
{
	const struct core_group *mine = &c->group[group - 1];
	uint16_t wanted;

	if (!may_run_here(c, group))
		return false;
	if (mine->state == YOKE_GROUP_STOPPING && (mine->stop_failures > 0 || !mine->restarting))
		return mine->stop_failures == 0;
	if (c->leaving)
		return !core_maintenance_keeps(c, group);
	if (core_maintenance_rests(c, group))
		return false;
	if (is_unknown_here(c, group) || core_retire_reason(c, group) != NULL)
		return true;
	if (c->conf.group[group - 1].parallel) {
		/* It goes when nothing that stays needs it. */
		for (uint16_t g = 1; g <= c->conf.group_count; g++)
			if (c->conf.group[g - 1].after == group && may_run_here(c, g) &&
			    !is_to_go(c, g))
				return false;
		return core_policy_is_emptied(c, group);
	}
	/* A grant that cannot be saved hands nothing over. */
	if (c->save.failing && c->conf.group[group - 1].exclusive)
		return false;
	wanted = core_wanted(c, group);
	return wanted != 0 && wanted != c->conf.self;
}

bool core_policy_is_emptied(const struct core *c, uint16_t group)
{
	return core_is_sent_away(core_cause_self(c, group));
}

bool core_policy_waits(const struct core *c, uint16_t group)
{
	if (!core_policy_is_emptied(c, group))
		return false;
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (c->conf.group[g - 1].after == group && is_to_go(c, g))
			return true;
	return false;
}

/* ---- room ---- */

static bool goes_before(const struct core *c, uint16_t a, uint16_t b)
{
	return c->conf.group[b - 1].yields &&
	       c->conf.group[a - 1].priority > c->conf.group[b - 1].priority;
}

bool core_policy_yields(const struct core *c, uint16_t group)
{
	if (!c->conf.group[group - 1].yields)
		return false;
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (goes_before(c, g, group) && (runs_here(c, g) || core_group_would_start(c, g)))
			return true;
	return false;
}

bool core_policy_has_room(const struct core *c, uint16_t group)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		if (core_maintenance_rests(c, g))
			continue;
		if (goes_before(c, group, g) && may_run_here(c, g))
			return false;
		if (goes_before(c, g, group) && is_unknown_here(c, g))
			return false;
	}
	return true;
}

bool core_policy_lacks_room(const struct core *c, uint16_t group)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (goes_before(c, group, g) && c->group[g - 1].state == YOKE_GROUP_STOPPING &&
		    c->group[g - 1].stop_failures > 0)
			return true;
	return false;
}

bool core_policy_made_room(const struct core *c, uint16_t group)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_is_member(c, group, n) && core_node_alive(core_node_const(c, n)) &&
		    core_node_const(c, n)->claim[group - 1].cause == CORE_CAUSE_YIELDS)
			return true;
	return false;
}

/* ---- by hand ---- */

/* Do people have it leave that node, and no fault? */
static bool is_wanted_away(enum core_cause cause)
{
	return cause == CORE_CAUSE_YIELDS || core_is_sent_away(cause);
}

bool core_policy_may_leave(const struct core *c, uint16_t group, enum core_cause cause)
{
	return cause != CORE_CAUSE_NONE && cause != CORE_CAUSE_RESTS &&
	       (!c->conf.group[group - 1].manual || is_wanted_away(cause));
}

/* A node of an older yoke does not tell where it ran: it goes by the list alone, and so do we. */
static bool is_home_told(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	for (uint16_t i = 0; i < g->node_count; i++)
		if (g->node[i] != c->conf.self && core_node_alive(core_node_const(c, g->node[i])) &&
		    !core_node_const(c, g->node[i])->tells_started)
			return false;
	return true;
}

uint16_t core_policy_home(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t home = 0;
	uint64_t latest = 0;

	if (!g->manual || !is_home_told(c, group))
		return 0;
	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (!core_node_alive(n) || n->claim[group - 1].started_term <= latest)
			continue;
		home = g->node[i];
		latest = n->claim[group - 1].started_term;
	}
	return home;
}

bool core_policy_was_at(const struct core *c, uint16_t group, uint16_t node)
{
	uint16_t home = core_policy_home(c, group);

	return (home != 0 ? home : c->group[group - 1].owner) == node;
}

static bool is_whole(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	for (uint16_t r = 0; r < g->resource_count; r++)
		if (c->resource[g->resource_first + r].state != YOKE_RESOURCE_STARTED)
			return false;
	return true;
}

void core_policy_started(struct core *c, uint16_t group, bool just_now)
{
	struct core_group *g = &c->group[group - 1];
	uint64_t started = g->term;

	/* What was found and does not answer may never have run here. */
	if (!is_whole(c, group))
		return;
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_claim *claim = &core_node_const(c, n)->claim[group - 1];

		/* Two that go on running it would go above each other for ever. */
		if (n != c->conf.self && (just_now || !core_claim_runs(claim)) &&
		    claim->started_term >= started)
			started = claim->started_term + 1;
	}
	if (g->started_term >= started)
		return;
	g->started_term = started;
	core_record_touch(c);
}

/* By the last words of a node that is not in contact. */
static bool ran_later_on_lost(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (!core_node_alive(n) && n->state != YOKE_NODE_LEFT &&
		    n->claim[group - 1].started_term > c->group[group - 1].started_term)
			return true;
	}
	return false;
}

uint16_t core_policy_held_for(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t home = core_policy_home(c, group);

	/* Who had it unseen by us since tells that. */
	if (c->group[group - 1].owner == c->conf.self && (home == 0 || home == c->conf.self) &&
	    !ran_later_on_lost(c, group))
		return 0;
	for (uint16_t i = 0; g->manual && i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (g->node[i] == c->conf.self || n->state == YOKE_NODE_LEFT)
			continue;
		if (!core_node_alive(n))
			return g->node[i];
		if (core_policy_was_at(c, group, g->node[i]) &&
		    n->claim[group - 1].cause != CORE_CAUSE_NONE &&
		    !is_wanted_away(n->claim[group - 1].cause))
			return g->node[i];
	}
	return 0;
}

/* ---- back ---- */

static bool is_in_window(const struct core *c, const struct core_group_conf *g)
{
	if (g->failback_from == g->failback_to)
		return true;
	if (c->minute < 0)
		return false;
	if (g->failback_from < g->failback_to)
		return c->minute >= g->failback_from && c->minute < g->failback_to;
	return c->minute >= g->failback_from || c->minute < g->failback_to;
}

static bool can_be_pinned(const struct core *c, uint16_t group, uint16_t node)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	return g->failback && g->node[0] != node;
}

bool core_policy_stays(const struct core *c, uint16_t group)
{
	uint16_t owner = core_owner(c, group);
	const struct core_node *n;

	if (owner == 0 || !can_be_pinned(c, group, owner))
		return true;
	n = core_node_const(c, owner);
	return n->claim[group - 1].pinned ||
	       (owner != c->conf.self &&
		(!n->tells_pins || !core_config_group_same(c, owner, group)));
}

void core_policy_pin(struct core *c, uint16_t group, bool is_to_stay)
{
	bool pinned = is_to_stay && can_be_pinned(c, group, c->conf.self);

	if (c->group[group - 1].pinned == pinned)
		return;
	c->group[group - 1].pinned = pinned;
	core_record_touch(c);
}

static bool is_pinned_at(const struct core *c, uint16_t group, uint16_t node)
{
	return core_node_const(c, node)->claim[group - 1].pinned;
}

/* Since when its first node could have it back, and the nodes that it concerns are in contact. */
static yoke_time back_since(const struct core *c, uint16_t group)
{
	uint16_t first = c->conf.group[group - 1].node[0], owner, other;
	const struct core_node *n = core_node_const(c, first);

	if (!c->conf.group[group - 1].failback || n->claim[group - 1].cause != CORE_CAUSE_NONE ||
	    yoke_time_is_never(n->fit_since[group - 1]))
		return YOKE_NEVER;
	owner = core_owner(c, group);
	other = first == c->conf.self ? owner : first;
	if (owner == 0 || owner == first || is_pinned_at(c, group, owner) ||
	    !core_config_group_same(c, other, group))
		return YOKE_NEVER;
	return other == c->conf.self ? n->fit_since[group - 1]
				     : yoke_time_max(n->fit_since[group - 1],
						     core_node_const(c, other)->online_since);
}

static yoke_time back_at(const struct core *c, uint16_t group)
{
	return yoke_time_add_ms(back_since(c, group), c->conf.group[group - 1].failback_ms);
}

static bool is_back_due(const struct core *c, uint16_t group)
{
	return yoke_time_due(back_at(c, group), c->now) &&
	       is_in_window(c, &c->conf.group[group - 1]);
}

uint16_t core_policy_failback(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	if (!is_back_due(c, group))
		return 0;
	/* What it comes after goes first, and is started; until then it runs where it is. */
	if (g->after != 0 && core_owner(c, group) == c->conf.self &&
	    !c->conf.group[g->after - 1].parallel &&
	    (is_back_due(c, g->after) || !is_started(c, g->after)))
		return 0;
	return g->node[0];
}

yoke_time core_policy_deadline(const struct core *c)
{
	yoke_time t = YOKE_NEVER;

	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		yoke_time at = back_at(c, g);

		if (yoke_time_before(c->now, at))
			t = yoke_time_min(t, at);
	}
	return t;
}
