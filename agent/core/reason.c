/* Why a group starts or moves, in words for people. */
#include "agent/core/parts.h"

static const char *node_name(const struct core *c, uint16_t node)
{
	return node == 0 ? "nobody" : c->conf.node_name[node - 1];
}

const char *core_reason_move(const struct core *c, uint16_t group, enum core_cause cause)
{
	uint16_t target;

	if (core_oper_of(c, group, &target) != NULL)
		return "switchover by an operator";
	if (cause != CORE_CAUSE_NONE)
		return core_cause_text(cause);
	return core_policy_failback(c, group) != 0 ? "automatic failback to its first node"
						   : "switchover by an operator";
}

static bool is_failback_from(const struct core *c, uint16_t group, uint16_t owner)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	/* One that was away since could not give it back. */
	return g->failback && g->node[0] == c->conf.self && owner != 0 && owner != c->conf.self &&
	       core_node_alive(core_node_const(c, owner)) &&
	       yoke_time_due(
		       yoke_time_add_ms(core_node_const(c, owner)->online_since, g->failback_ms),
		       c->now) &&
	       core_is_fit(core_node_const(c, owner)->claim[group - 1].cause);
}

/* It is another node, and did not just fall silent. */
static bool is_handed_over(const struct core *c, uint16_t owner)
{
	return owner != 0 && owner != c->conf.self &&
	       (core_node_alive(core_node_const(c, owner)) ||
		core_node_const(c, owner)->state == YOKE_NODE_LEFT);
}

void core_reason_start(const struct core *c, uint16_t group, const char *why,
		       char text[YOKE_REASON_SIZE])
{
	const struct core_group *g = &c->group[group - 1];

	if (core_oper_here(c, group) != NULL)
		core_text(text, YOKE_REASON_SIZE, "switchover by an operator", (char *)NULL);
	else if (is_handed_over(c, g->owner) &&
		 core_node_const(c, g->owner)->claim[group - 1].cause != CORE_CAUSE_NONE)
		core_text(text, YOKE_REASON_SIZE, "handed over by ", node_name(c, g->owner), ": ",
			  core_cause_text(core_node_const(c, g->owner)->claim[group - 1].cause),
			  (char *)NULL);
	else if (is_failback_from(c, group, g->owner))
		core_text(text, YOKE_REASON_SIZE, "automatic failback from ",
			  node_name(c, g->owner), (char *)NULL);
	else if (g->owner != 0 && g->owner != c->conf.self)
		core_text(text, YOKE_REASON_SIZE, "failover from ", node_name(c, g->owner), ": ",
			  why, (char *)NULL);
	else
		core_text(text, YOKE_REASON_SIZE,
			  core_rank(c, group, c->conf.self) == 1 ? "first in its list of nodes; "
			  : core_policy_home(c, group) == c->conf.self
				  ? "it was here, and only people move it; "
				  : "first of its nodes that can run it; ",
			  why, (char *)NULL);
}
