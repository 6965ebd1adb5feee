/* Exclusive groups: asking for permission, and granting it.
 *
 *   candidate                                   every other member in contact
 *   asks: request = the term it has reserved
 *                                               runs nothing of it, does not ask itself:
 *                                               grants {node, term}, saved before it is told
 *   starts at that term, when all have granted
 *                                               grant ends when the node has run it and stopped,
 *                                               gave up asking, left, or is proven dead
 *
 * While a grant stands, the granter treats the group as the other's: it does not ask for it.  And
 * who grants gives up the term that it had reserved, so that a grant for that term, which may be on
 * its way to him, is worth nothing.
 *
 * Why two never run it by grants: suppose A started at term a by B's grant, and B at b by A's, and
 * neither has stopped.  When B granted a it gave up what it had reserved, so it asked for b later,
 * and A granted b later still: B's grant came before A's.  By the same words A's came before B's.
 *
 * An owner that hands over has its grant on disk before it stops, so that the disk does not
 * lengthen the outage; it tells it only when it has stopped.
 */
#include "agent/core/parts.h"

static bool runs_here(const struct core_group *g)
{
	return core_claim_runs(&(struct core_claim){.state = g->state});
}

bool core_grant_is_durable(const struct core *c, uint16_t group)
{
	return c->save.durable >= c->group[group - 1].grant_saved;
}

bool core_grant_to(struct core *c, uint16_t group, uint16_t node, uint64_t term)
{
	struct core_group *g = &c->group[group - 1];

	if (g->grant_to != node || g->grant_term != term) {
		g->grant_to = node;
		g->grant_term = term;
		if (node != 0 && !runs_here(g))
			g->given_up = g->reserved;
		core_record_touch(c);
		g->grant_saved = c->save.version;
	}
	return core_grant_is_durable(c, group);
}

/* Is what was granted over and done with? */
static bool is_over(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];
	const struct core_node *n = core_node_const(c, g->grant_to);
	const struct core_claim *claim = &n->claim[group - 1];

	if (n->state == YOKE_NODE_LEFT || n->proven_dead)
		return true;
	return n->state == YOKE_NODE_ONLINE && !core_claim_runs(claim) &&
	       claim->state != YOKE_GROUP_UNKNOWN && claim->request == 0;
}

/* The node that asks and has the better right than we; 0: none. */
static uint16_t asker(const struct core *c, uint16_t group)
{
	const struct core_group_conf *conf = &c->conf.group[group - 1];
	const struct core_claim *mine = &core_node_const(c, c->conf.self)->claim[group - 1];

	for (uint16_t i = 0; i < conf->node_count; i++) {
		const struct core_node *n = core_node_const(c, conf->node[i]);

		if (conf->node[i] == c->conf.self && mine->request != 0)
			return 0;
		if (conf->node[i] != c->conf.self && n->state == YOKE_NODE_ONLINE &&
		    n->claim[group - 1].request > core_term_highest(c, group))
			return conf->node[i];
	}
	return 0;
}

void core_grant_look(struct core *c, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	uint16_t to;

	if (!c->conf.group[group - 1].exclusive || g->state == YOKE_GROUP_UNKNOWN)
		return;
	if (g->grant_to != 0 && is_over(c, group))
		core_grant_to(c, group, 0, 0);
	if (runs_here(g))
		return;
	to = asker(c, group);
	if (to != 0 && (g->grant_to == 0 || g->grant_to == to) && !core_maintenance_stays(c, group))
		core_grant_to(c, group, to, core_node_const(c, to)->claim[group - 1].request);
}

void core_grant_publish(const struct core *c, uint16_t group, struct core_claim *claim)
{
	const struct core_group *g = &c->group[group - 1];

	if (!c->conf.group[group - 1].exclusive || g->state == YOKE_GROUP_UNKNOWN || runs_here(g))
		return;
	if (g->grant_to != 0 && core_grant_is_durable(c, group)) {
		claim->grant_to = g->grant_to;
		claim->grant_term = g->grant_term;
	}
	/* The present owner's grant does not keep us from asking to be next. */
	if ((g->grant_to == 0 || g->grant_to == core_owner(c, group)) &&
	    core_group_asks(c, group) && core_term_is_usable(c, group))
		claim->request = g->reserved;
}
