/* Who may run a group, and who should.
 *
 * A node may start a group when for every other member, and for every other node that may run it
 * by a file that is not ours, one of these holds:
 *
 *   granted   it is in contact, says that nothing of the group runs there, and, if the group is
 *             exclusive, promised not to run it while we may (grant.c)
 *   left      it said goodbye with everything stopped, and has not been heard since
 *   proven    it is lost, and a fence agent switched it off, or a person confirmed that it is down
 *   expired   it is lost, its lease has certainly run out, and we hold the locks (lease.c)
 *   silent    it is lost, the group is not exclusive (or may be taken over unproven), nobody
 *             answers for its addresses, and it spoke a protocol that we do
 *
 * and, if the group is exclusive, our own lease holds.  An exclusive group whose owner is silent,
 * and of which nothing is proven, waits for a person.
 *
 * Who should: the first eligible node in the group's list, or, when only people move it, the one
 * that it ran on last.  The list is the same on all nodes, and eligibility and where it ran are
 * told in every state message, so in contact all nodes name the same candidate and only that one
 * starts the group.
 */
#include "agent/core/parts.h"

bool core_claim_runs(const struct core_claim *claim)
{
	return claim->state == YOKE_GROUP_STARTING || claim->state == YOKE_GROUP_STARTED ||
	       claim->state == YOKE_GROUP_STOPPING;
}

const char *core_cause_text(enum core_cause cause)
{
	switch (cause) {
	case CORE_CAUSE_NONE:
		return "";
	case CORE_CAUSE_STANDBY:
		return "the node is in standby";
	case CORE_CAUSE_LEAVING:
		return "its engine is being stopped";
	case CORE_CAUSE_UNUSABLE:
		return "an interface is missing or has no carrier";
	case CORE_CAUSE_FAILED:
		return "it failed there lately";
	case CORE_CAUSE_UNSAVED:
		return "its state cannot be saved";
	case CORE_CAUSE_STRANGER:
		return "not a member of the group";
	case CORE_CAUSE_DEAF:
		return "it reaches no reference address";
	case CORE_CAUSE_FATAL:
		return "it cannot run there";
	case CORE_CAUSE_NEEDS:
		return "what it comes after does not run there";
	case CORE_CAUSE_YIELDS:
		return "it makes room for a group of higher priority";
	case CORE_CAUSE_RESTS:
		return "it is in maintenance";
	case CORE_CAUSE_DIFFERS:
		return "its configuration of the group differs";
	case CORE_CAUSE_CROWDED:
		return "what should make room for it there does not stop";
	case CORE_CAUSES_END:
		break;
	}
	return "?";
}

enum verdict {
	NO,
	UNPROVEN, /* it is silent, and may run the group */
	ASKABLE,  /* in contact and not running it: it would have to grant */
	YES,
};

static enum verdict lost_says(const struct core *c, uint16_t group, uint16_t node, const char **why)
{
	const struct core_node *n = core_node_const(c, node);

	*why = "the other node is lost";
	if (!core_lease_binds(c, group) && !core_version_is_strange(c, node))
		return YES;
	if (n->proven_dead)
		*why = n->fenced ? "the other node was switched off"
				 : "the other node is down, by a person's word";
	else if (yoke_time_due(core_lease_over_at(c, node), c->now))
		*why = "the other node's lease has run out";
	else
		return UNPROVEN;
	return YES;
}

/* Does this other member let us start the group?  why: of YES. */
static enum verdict member_says(const struct core *c, uint16_t group, uint16_t node,
				const char **why)
{
	const struct core_node *n = core_node_const(c, node);
	const struct core_claim *claim = &n->claim[group - 1];
	bool exclusive = c->conf.group[group - 1].exclusive;

	*why = "it runs on each of its nodes";
	if (c->conf.group[group - 1].parallel)
		return YES;
	switch (n->state) {
	case YOKE_NODE_ONLINE:
	case YOKE_NODE_LATE:
		*why = "granted by the other node";
		if (core_claim_runs(claim) || claim->state == YOKE_GROUP_UNKNOWN)
			return NO;
		if (!exclusive || (claim->grant_to == c->conf.self &&
				   claim->grant_term == c->group[group - 1].reserved))
			return YES;
		return ASKABLE;
	case YOKE_NODE_LEFT:
		*why = "the other node left";
		return YES;
	case YOKE_NODE_LOST:
		return lost_says(c, group, node, why);
	case YOKE_NODE_UNKNOWN:
	case YOKE_NODE_JOINING:
		break;
	}
	return NO;
}

/* The same of a node that our file does not have in the group: by its own file it may run it. */
static enum verdict stranger_says(const struct core *c, uint16_t group, uint16_t node,
				  const char **why)
{
	const struct core_node *n = core_node_const(c, node);
	bool runs = core_claim_runs(&n->claim[group - 1]);

	*why = "the other node does not have it";
	if (c->conf.group[group - 1].parallel)
		return runs && core_node_alive(n) ? NO : YES;
	switch (n->state) {
	case YOKE_NODE_UNKNOWN:
		return NO; /* it may be there: so much time it has */
	case YOKE_NODE_JOINING:
		/* One that is strange never says more. */
		return core_version_is_strange(c, node) && !core_config_may_run(c, node, group)
			       ? YES
			       : NO;
	case YOKE_NODE_ONLINE:
	case YOKE_NODE_LATE:
		return runs || n->claim[group - 1].state == YOKE_GROUP_UNKNOWN ? NO : YES;
	case YOKE_NODE_LOST:
		return core_config_may_run(c, node, group) ? lost_says(c, group, node, why) : YES;
	case YOKE_NODE_LEFT:
		break;
	}
	return YES;
}

static enum verdict node_says(const struct core *c, uint16_t group, uint16_t node, const char **why)
{
	return core_is_member(c, group, node) ? member_says(c, group, node, why)
					      : stranger_says(c, group, node, why);
}

/* What the other nodes say together: the least of it.  why: of YES, what weighs most. */
static enum verdict others_say(const struct core *c, uint16_t group, const char **why)
{
	enum verdict least = YES, one;
	const char *reason = "no other node is configured", *said, *lost = NULL;

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		if (n == c->conf.self)
			continue;
		one = node_says(c, group, n, &said);
		if (one < least)
			least = one;
		if (!core_is_member(c, group, n))
			continue;
		reason = said;
		if (core_node_const(c, n)->state == YOKE_NODE_LOST)
			lost = said;
	}
	if (why != NULL)
		*why = lost != NULL ? lost : reason;
	return least;
}

bool core_permit(const struct core *c, uint16_t group, const char **why)
{
	return others_say(c, group, why) == YES &&
	       (!core_lease_binds(c, group) || core_lease_holds(c));
}

bool core_permit_askable(const struct core *c, uint16_t group)
{
	return others_say(c, group, NULL) >= ASKABLE;
}

uint16_t core_permit_unproven(const struct core *c, uint16_t group)
{
	const char *why;

	if (others_say(c, group, NULL) != UNPROVEN)
		return 0;
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && node_says(c, group, n, &why) == UNPROVEN)
			return n;
	return 0;
}

bool core_wins(const struct core *c, uint16_t group, uint16_t a, uint16_t b)
{
	const struct core_claim *claim_a = &core_node_const(c, a)->claim[group - 1];
	const struct core_claim *claim_b = &core_node_const(c, b)->claim[group - 1];
	uint64_t term_a = claim_a->term, term_b = claim_b->term;
	bool a_ends = claim_a->state == YOKE_GROUP_STOPPING;

	/* For what is being stopped nobody else has to stop. */
	if (a_ends != (claim_b->state == YOKE_GROUP_STOPPING))
		return !a_ends;
	if (term_a != term_b)
		return term_a > term_b;
	/* Where the lists may differ the numbers of the nodes are the same on both. */
	if (core_config_group_differs(c, a, group) || core_config_group_differs(c, b, group))
		return a < b;
	return core_rank(c, group, a) < core_rank(c, group, b);
}

uint16_t core_owner(const struct core *c, uint16_t group)
{
	uint16_t owner = 0;

	/* Of one that runs everywhere each node looks after its own. */
	if (c->conf.group[group - 1].parallel &&
	    core_claim_runs(&core_node_const(c, c->conf.self)->claim[group - 1]))
		return c->conf.self;
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);

		if (!core_claim_runs(&node->claim[group - 1]) || !core_node_alive(node))
			continue;
		/* Not in our file, but in its own. */
		if (!core_is_member(c, group, n) && !core_config_group_differs(c, n, group))
			continue;
		if (owner == 0 || core_wins(c, group, n, owner))
			owner = n;
	}
	return owner;
}

/* When all are in contact and deaf, the network is at fault: the first is as good as any. */
static uint16_t deaf_candidate(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t home = core_policy_home(c, group);

	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (!core_node_alive(n) && n->state != YOKE_NODE_LEFT &&
		    !(n->state == YOKE_NODE_LOST && n->proven_dead))
			return 0;
	}
	if (home != 0 && core_node_const(c, home)->claim[group - 1].cause == CORE_CAUSE_DEAF)
		return home;
	for (uint16_t i = 0; i < g->node_count; i++)
		if (core_node_alive(core_node_const(c, g->node[i])) &&
		    core_node_const(c, g->node[i])->claim[group - 1].cause == CORE_CAUSE_DEAF)
			return g->node[i];
	return 0;
}

uint16_t core_candidate(const struct core *c, uint16_t group, uint16_t except)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	uint16_t home = core_policy_home(c, group);

	if (home != 0 && home != except &&
	    core_node_const(c, home)->claim[group - 1].cause == CORE_CAUSE_NONE)
		return home;
	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (g->node[i] == except || !core_node_alive(n))
			continue;
		if (n->claim[group - 1].cause == CORE_CAUSE_NONE)
			return g->node[i];
	}
	return except == 0 ? deaf_candidate(c, group) : 0;
}

bool core_is_sent_away(enum core_cause cause)
{
	return cause == CORE_CAUSE_LEAVING || cause == CORE_CAUSE_STANDBY ||
	       cause == CORE_CAUSE_STRANGER;
}

bool core_is_fit(enum core_cause cause)
{
	return cause == CORE_CAUSE_NONE || cause == CORE_CAUSE_DEAF;
}

uint16_t core_wanted(const struct core *c, uint16_t group)
{
	uint16_t target, owner = core_owner(c, group);
	enum core_cause cause;

	if (core_oper_of(c, group, &target) != NULL)
		return target;
	if (owner == 0 || c->conf.group[group - 1].parallel)
		return 0;
	cause = core_node_const(c, owner)->claim[group - 1].cause;
	if (cause == CORE_CAUSE_DEAF && owner == c->conf.self && !core_arbiter_deaf_alone(c))
		return 0;
	if (core_policy_may_leave(c, group, cause))
		return core_candidate(c, group, owner);
	return core_policy_failback(c, group);
}

enum core_cause core_cause_self(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	const struct core_group *mine = &c->group[group - 1];
	bool runs = core_claim_runs(&(struct core_claim){.state = mine->state});

	if (!core_is_member(c, group, c->conf.self) || mine->retired)
		return CORE_CAUSE_STRANGER;
	if (c->leaving)
		return CORE_CAUSE_LEAVING;
	if (core_maintenance_rests(c, group))
		return CORE_CAUSE_RESTS;
	if (c->intent[c->conf.self - 1].standby)
		return CORE_CAUSE_STANDBY;
	if (mine->state == YOKE_GROUP_FAILED || mine->failing)
		return CORE_CAUSE_FAILED;
	for (uint16_t r = 0; r < g->resource_count; r++) {
		const struct core_resource *res = &c->resource[g->resource_first + r];
		bool has_address = c->conf.resource[g->resource_first + r].has_address;

		if (res->fatal)
			return CORE_CAUSE_FATAL;
		/* What was found running is not moved because nothing is known of its interface
		 * yet; nor what lacks its program, which could not be stopped either. */
		if (!res->usable && (!runs || (res->usable_known && has_address)))
			return CORE_CAUSE_UNUSABLE;
	}
	if (core_policy_yields(c, group))
		return CORE_CAUSE_YIELDS;
	if (core_config_blocks(c, group))
		return CORE_CAUSE_DIFFERS;
	if (core_policy_needs(c, group))
		return CORE_CAUSE_NEEDS;
	if (c->save.failing && !runs && !core_term_is_usable(c, group))
		return CORE_CAUSE_UNSAVED;
	if (!runs && core_policy_lacks_room(c, group))
		return CORE_CAUSE_CROWDED;
	/* The last one: who has none hears. */
	return core_arbiter_deaf(c) ? CORE_CAUSE_DEAF : CORE_CAUSE_NONE;
}

uint64_t core_term_highest(const struct core *c, uint16_t group)
{
	uint64_t highest = c->group[group - 1].term;

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_node_const(c, n)->claim[group - 1].term > highest)
			highest = core_node_const(c, n)->claim[group - 1].term;
	return highest;
}

bool core_term_is_usable(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	return g->reserved > g->given_up && g->reserved > core_term_highest(c, group);
}
