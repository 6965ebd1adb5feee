/* Two nodes that run the same group: which of them goes on, and who says so to the network.
 *
 * It happens to groups that may be taken over on silence, when a split heals.  One that is not
 * being stopped wins, then the higher term, then the preferred node (core_wins()); the loser stops
 * at once, the winner announces its addresses when it learns of the other, and again when the other
 * has stopped: the last word is its.
 */
#include "agent/core/parts.h"

uint16_t core_conflict_winner(const struct core *c, uint16_t group)
{
	uint16_t owner = core_owner(c, group);

	return owner != c->conf.self ? owner : 0;
}

uint16_t core_conflict_other(const struct core *c, uint16_t group)
{
	uint16_t other = 0;

	for (uint16_t n = 1; !c->conf.group[group - 1].parallel && n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_node_alive(core_node_const(c, n)) &&
		    core_claim_runs(&core_node_const(c, n)->claim[group - 1]))
			other = n;
	return other;
}

void core_conflict_announce(struct core *c, struct core_actions *out, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (c->conf.resource[core_resource_at(c, group, i) - 1].has_address)
			core_act(out, CORE_ANNOUNCE)->u.announce.resource =
				core_resource_at(c, group, i);
	c->group[group - 1].announce_at = YOKE_NEVER;
}

void core_conflict_look(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	struct yoke_event *ev;
	uint16_t other = core_conflict_other(c, group);

	if (other == g->conflict)
		return;
	core_conflict_announce(c, out, group);
	if (other != 0)
		ev = core_event(c, out, YOKE_EVENT_GROUP_CONFLICT,
				"ours wins, the other must stop");
	else
		ev = core_event(c, out, YOKE_EVENT_GROUP_CONFLICT_OVER, "");
	ev->group = group;
	ev->peer = other;
	g->conflict = other;
}
