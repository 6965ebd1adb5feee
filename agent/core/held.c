/* What a group is held for: not taken over, with an alarm, until somebody or something says more.
 *
 *   ANSWERS   the machine of its silent owner answers for its address; it is asked again and again
 *   UNPROVEN  it is exclusive, and nothing will prove that a silent node runs it no more
 *   MANUAL    a fault would move it, and only a person may
 *
 * Where a machine answers an operator may insist, when he knows of it: he asks in the same silence
 * and some time after it was told.  A request that its sender repeats because he heard no reply (an
 * SNMP manager does so 5 times in 6 s) is no second thought.
 */
#include "agent/core/parts.h"

enum {
	AGAIN_MS_MIN = 100, /* between two probes whether it still answers */
	THINK_MS = 10000,   /* between being told and insisting */
};

static bool is_held_for(const struct core_group *g, enum core_held what)
{
	return g->state == YOKE_GROUP_HELD && g->held == what;
}

static void hold(struct core *c, struct core_actions *out, uint16_t group, enum core_held what,
		 const char *reason)
{
	c->group[group - 1].held = what;
	core_group_become(c, out, group, YOKE_GROUP_HELD, YOKE_EVENT_GROUP_HELD, reason);
}

/* Of whom, and of this silence? */
static bool is_told(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];
	const struct core_node *n;

	if (g->told_of == 0)
		return false;
	n = core_node_const(c, g->told_of);
	return n->state == YOKE_NODE_LOST && !yoke_time_before(g->told_at, n->lost_at);
}

static bool is_insisted(const struct core *c, uint16_t group)
{
	const struct core_operation *op = core_oper_here(c, group);

	return op != NULL && is_told(c, group) &&
	       yoke_time_due(yoke_time_add_ms(c->group[group - 1].told_at, THINK_MS), op->started);
}

bool core_held_back(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	return g->prepare == CORE_PREPARE_NODE &&
	       core_node_const(c, g->prepare_by)->state == YOKE_NODE_LOST &&
	       !(g->told_of == g->prepare_by && is_insisted(c, group));
}

void core_held_answers(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	uint32_t again_ms = c->conf.dead_ms > AGAIN_MS_MIN ? c->conf.dead_ms : AGAIN_MS_MIN;
	bool is_news = !is_told(c, group) || g->told_of != g->prepare_by;
	char hwaddr[18], reason[YOKE_REASON_SIZE];

	if (is_news) {
		g->told_of = g->prepare_by;
		g->told_at = c->now;
	}
	if (is_news || !is_held_for(g, CORE_HELD_ANSWERS)) {
		core_prepare_hwaddr_text(g->stranger, hwaddr);
		core_text(reason, sizeof(reason), "its machine lives, its engine does not (",
			  hwaddr, ")", (char *)NULL);
		hold(c, out, group, CORE_HELD_ANSWERS, reason);
	}
	if (yoke_time_is_never(g->prepare_at))
		g->prepare_at = yoke_time_add_ms(c->now, again_ms);
}

/* It waits for a person's word on node: nobody is asked meanwhile who answers. */
static void hold_for_word(struct core *c, struct core_actions *out, uint16_t group,
			  enum core_held what, uint16_t node, const char *reason)
{
	struct core_group *g = &c->group[group - 1];

	core_prepare_drop(c, out, group);
	if (is_held_for(g, what))
		return;
	g->prepare_by = node;
	hold(c, out, group, what, reason);
}

void core_held_unproven(struct core *c, struct core_actions *out, uint16_t group, uint16_t node)
{
	char reason[YOKE_REASON_SIZE];

	core_text(reason, sizeof(reason), "nothing proves that it is dead: 'yoke confirm-down ",
		  c->conf.node_name[node - 1], "' when you know it", (char *)NULL);
	hold_for_word(c, out, group, CORE_HELD_UNPROVEN, node, reason);
}

void core_held_manual(struct core *c, struct core_actions *out, uint16_t group, uint16_t node)
{
	char reason[YOKE_REASON_SIZE];

	core_text(reason, sizeof(reason), "failover = manual: 'yoke switch ",
		  c->conf.group[group - 1].name, " ", c->conf.node_name[c->conf.self - 1],
		  "' has it run here", (char *)NULL);
	hold_for_word(c, out, group, CORE_HELD_MANUAL, node, reason);
}

const char *core_held_refusal(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	if (is_held_for(g, CORE_HELD_UNPROVEN))
		return g->reason;
	if (is_held_for(g, CORE_HELD_ANSWERS) && !is_insisted(c, group))
		return "the machine of its silent owner answers: the same after 10 s insists";
	return NULL;
}
