/* Who may run a group, and who should.
 *
 * A node may start a group when for every other member one of these holds:
 *
 *   granted   it is in contact and says that nothing of the group runs there
 *   left      it said goodbye with everything stopped, and has not been heard since
 *   silent    it is lost, the group is not exclusive, and nobody answers for its addresses
 *
 * Exclusive groups have no "silent".  The two further ways that they need, "dead, proven" (fencing,
 * or a person's word) and "lease expired" (an arbiter's grant), belong into member_permits(), where
 * the case is now a plain no; until they exist the configuration check refuses exclusive groups.
 *
 * Who should: the first eligible node in the group's list.  The list is the same on all nodes and
 * eligibility is told in every state message, so in contact all nodes name the same candidate and
 * only that one starts the group.
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
	case CORE_CAUSES_END:
		break;
	}
	return "?";
}

/* Does this other member let us start the group? */
static bool member_permits(const struct core *c, uint16_t group, uint16_t node, const char **why)
{
	const struct core_node *n = core_node_const(c, node);

	switch (n->state) {
	case YOKE_NODE_ONLINE:
	case YOKE_NODE_LATE:
		*why = "granted by the other node";
		return !core_claim_runs(&n->claim[group - 1]) &&
		       n->claim[group - 1].state != YOKE_GROUP_UNKNOWN;
	case YOKE_NODE_LEFT:
		*why = "the other node left";
		return true;
	case YOKE_NODE_LOST:
		*why = "the other node is lost";
		return !c->conf.group[group - 1].exclusive;
	case YOKE_NODE_UNKNOWN:
	case YOKE_NODE_JOINING:
		break;
	}
	return false;
}

bool core_permit(const struct core *c, uint16_t group, const char **why)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	const char *reason = "no other node is configured", *lost = NULL;

	for (uint16_t i = 0; i < g->node_count; i++) {
		if (g->node[i] == c->conf.self)
			continue;
		if (!member_permits(c, group, g->node[i], &reason))
			return false;
		if (core_node_const(c, g->node[i])->state == YOKE_NODE_LOST)
			lost = reason;
	}
	if (why != NULL)
		*why = lost != NULL ? lost : reason;
	return true;
}

bool core_wins(const struct core *c, uint16_t group, uint16_t a, uint16_t b)
{
	uint64_t term_a = core_node_const(c, a)->claim[group - 1].term;
	uint64_t term_b = core_node_const(c, b)->claim[group - 1].term;

	if (term_a != term_b)
		return term_a > term_b;
	return core_rank(c, group, a) < core_rank(c, group, b);
}

uint16_t core_owner(const struct core *c, uint16_t group)
{
	uint16_t owner = 0;

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);

		if (!core_node_alive(node) || !core_is_member(c, group, n) ||
		    !core_claim_runs(&node->claim[group - 1]))
			continue;
		if (owner == 0 || core_wins(c, group, n, owner))
			owner = n;
	}
	return owner;
}

uint16_t core_candidate(const struct core *c, uint16_t group, uint16_t except)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	for (uint16_t i = 0; i < g->node_count; i++) {
		const struct core_node *n = core_node_const(c, g->node[i]);

		if (g->node[i] == except || !core_node_alive(n))
			continue;
		if (n->claim[group - 1].cause == CORE_CAUSE_NONE)
			return g->node[i];
	}
	return 0;
}

uint16_t core_wanted(const struct core *c, uint16_t group)
{
	uint16_t target, owner = core_owner(c, group);

	if (core_oper_of(c, group, &target) != NULL)
		return target;
	if (owner != 0 && core_node_const(c, owner)->claim[group - 1].cause != CORE_CAUSE_NONE)
		return core_candidate(c, group, owner);
	return 0;
}

enum core_cause core_cause_self(const struct core *c, uint16_t group)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];
	const struct core_group *mine = &c->group[group - 1];
	bool runs = core_claim_runs(&(struct core_claim){.state = mine->state});

	if (!core_is_member(c, group, c->conf.self))
		return CORE_CAUSE_STRANGER;
	if (c->leaving)
		return CORE_CAUSE_LEAVING;
	if (c->intent[c->conf.self - 1].standby)
		return CORE_CAUSE_STANDBY;
	if (mine->state == YOKE_GROUP_FAILED || mine->failing)
		return CORE_CAUSE_FAILED;
	for (uint16_t r = 0; r < g->resource_count; r++) {
		const struct core_resource *res = &c->resource[g->resource_first + r];

		/* What was found running is not moved because nothing is known of its interface
		 * yet. */
		if (!res->usable && (res->usable_known || !runs))
			return CORE_CAUSE_UNUSABLE;
	}
	if (c->save.failing && !runs && mine->reserved <= core_term_highest(c, group))
		return CORE_CAUSE_UNSAVED;
	return CORE_CAUSE_NONE;
}

uint64_t core_term_highest(const struct core *c, uint16_t group)
{
	uint64_t highest = c->group[group - 1].term;

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_node_const(c, n)->claim[group - 1].term > highest)
			highest = core_node_const(c, n)->claim[group - 1].term;
	return highest;
}
