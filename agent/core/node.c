/* Membership: what is believed of each node.
 *
 *   UNKNOWN --heard--> JOINING --its state--> ONLINE <--heard-- LATE
 *      |                  ^                      |  \----silent---^ |
 *      startup_ms         | heard again          | said goodbye     | silent for dead_ms
 *      v                  |                      v                  v
 *     LOST ---------------+-------------------- LEFT              LOST
 *
 * From     Event                              To       Function
 * UNKNOWN  a path is up                       JOINING  judge()
 * UNKNOWN  startup_ms over                    LOST     judge()
 * JOINING  its state message applied          ONLINE   judge()
 * ONLINE   no path up, one late               LATE     judge()
 * ONLINE   it said that it left               LEFT     judge()
 * LATE     a path is up                       ONLINE   judge()
 * any      no path up or late                 LOST     judge()
 * LOST     a path is up                       JOINING  judge()
 * LEFT     a new incarnation, a path up       JOINING  judge()
 * any      a new incarnation is heard         JOINING  core_node_heard(), then judge()
 *
 * A path is up only while the node says that it hears us; so ONLINE means two-way contact.  A lost
 * path is not a lost node: the node is lost when the last path is.  Our own node is always ONLINE.
 */
#include <string.h>

#include "agent/core/parts.h"

static const enum yoke_event_kind path_event[] = {
	[YOKE_PATH_UP] = YOKE_EVENT_PATH_UP,
	[YOKE_PATH_ONE_WAY] = YOKE_EVENT_PATH_ONE_WAY,
	[YOKE_PATH_DOWN] = YOKE_EVENT_PATH_DOWN,
};

/* LATE is no news to anybody: it ends by itself, or the path goes down. */
void core_node_on_path(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	struct core_node *n = core_node(c, ev->u.path.node);
	enum yoke_path_state from = n->path[ev->u.path.path - 1], to = ev->u.path.state;
	struct yoke_event *told;

	n->path[ev->u.path.path - 1] = to;
	if (n->left && to != YOKE_PATH_UP)
		return; /* as it said */
	if (from == to || to == YOKE_PATH_LATE || to == YOKE_PATH_NO_PEER ||
	    (to == YOKE_PATH_UP && from == YOKE_PATH_LATE))
		return;
	told = core_event(c, out, path_event[to], "");
	told->node = ev->u.path.node;
	told->path = ev->u.path.path;
	told->from = (uint16_t)from;
	told->to = (uint16_t)to;
}

void core_node_heard(struct core *c, uint16_t node, uint64_t incarnation)
{
	struct core_node *n = core_node(c, node);

	if (n->incarnation == incarnation)
		return;
	if (yoke_time_is_never(n->first_heard))
		n->first_heard = c->now;
	n->incarnation = incarnation;
	n->told = 0;
	n->acked = 0;
	n->left = false;
	memset(&n->operation, 0, sizeof(n->operation));
	core_oper_forget(c, node);
	c->beat_dirty = true;
	c->dirty = true; /* it must learn our state */
}

static enum yoke_path_state best_path(const struct core *c, const struct core_node *n)
{
	enum yoke_path_state best = YOKE_PATH_DOWN;

	for (uint16_t p = 0; p < c->conf.path_count; p++) {
		if (n->path[p] == YOKE_PATH_UP)
			return YOKE_PATH_UP;
		if (n->path[p] == YOKE_PATH_LATE)
			best = YOKE_PATH_LATE;
	}
	return best;
}

static enum yoke_node_state judge(const struct core *c, const struct core_node *n)
{
	if (n->left)
		return YOKE_NODE_LEFT;
	switch (best_path(c, n)) {
	case YOKE_PATH_UP:
		return n->told > 0 ? YOKE_NODE_ONLINE : YOKE_NODE_JOINING;
	case YOKE_PATH_LATE:
		return n->told > 0 || core_node_alive(n) ? YOKE_NODE_LATE : n->state;
	default:
		if (n->state == YOKE_NODE_UNKNOWN && !c->startup_over)
			return YOKE_NODE_UNKNOWN;
		return YOKE_NODE_LOST;
	}
}

static void tell_change(struct core *c, struct core_actions *out, uint16_t node,
			enum yoke_node_state from)
{
	struct core_node *n = core_node(c, node);
	enum yoke_event_kind kind;
	const char *reason = "";
	struct yoke_event *ev;

	switch (n->state) {
	case YOKE_NODE_ONLINE:
		if (from == YOKE_NODE_LATE)
			return;
		kind = YOKE_EVENT_NODE_ONLINE;
		break;
	case YOKE_NODE_LATE:
		kind = YOKE_EVENT_NODE_LATE;
		break;
	case YOKE_NODE_LOST:
		kind = YOKE_EVENT_NODE_LOST;
		reason = from == YOKE_NODE_UNKNOWN ? "not heard since this engine started"
						   : "silent on every path for the dead time";
		break;
	case YOKE_NODE_LEFT:
		kind = YOKE_EVENT_NODE_LEFT;
		break;
	default:
		return;
	}
	ev = core_event(c, out, kind, reason);
	ev->node = node;
	ev->from = (uint16_t)from;
	ev->to = (uint16_t)n->state;
}

bool core_node_was_met(const struct core *c, uint16_t node)
{
	return core_node_const(c, node)->seen || (c->conf.legacy.met >> (node - 1) & 1) != 0;
}

/* A node whose machine was switched off is not switched off again while it is repaired; nor one of
 * which the next engine would not know that its configuration differs. */
struct core_legacy core_node_legacy(const struct core *c)
{
	struct core_legacy legacy = {0};

	for (uint16_t i = 1; i <= c->conf.node_count; i++) {
		const struct core_node *n = core_node_const(c, i);
		uint8_t bit = (uint8_t)(1u << (i - 1));

		if (n->state == YOKE_NODE_LEFT)
			legacy.left |= bit;
		if (n->fenced)
			legacy.off |= bit;
		else if (core_node_was_met(c, i) && n->state != YOKE_NODE_LEFT && !n->proven_dead &&
			 n->config.same)
			legacy.met |= bit;
		for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
			if (core_arbiter_is_wrong(c, a, i))
				legacy.wrong[a - 1] |= bit;
	}
	return legacy;
}

/* What it said before the silence is old news: when it is heard again it must say it again. */
static void forget(struct core *c, struct core_node *n)
{
	n->told = 0;
	n->forgot_at = c->now;
	n->acked = 0;
	c->beat_dirty = true;
}

/* Who answers for its addresses is asked anew: what was found while it was well may be old. */
static void doubt_probes(struct core *c, struct core_actions *out, uint16_t node)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (core_owner(c, g) == node && c->group[g - 1].state == YOKE_GROUP_STOPPED)
			core_prepare_drop(c, out, g);
}

void core_node_look(struct core *c, struct core_actions *out)
{
	for (uint16_t i = 1; i <= c->conf.node_count; i++) {
		struct core_node *n = core_node(c, i);
		enum yoke_node_state from = n->state, to;

		if (i == c->conf.self)
			continue;
		to = judge(c, n);
		if (to == from)
			continue;
		/* What is proven is so of one silence, which may have begun before this engine. */
		if (from != YOKE_NODE_UNKNOWN || to != YOKE_NODE_LOST) {
			if (n->proven_dead || from == YOKE_NODE_LEFT)
				core_lease_grace(c, i);
			n->proven_dead = n->fenced = false;
		}
		n->state = to;
		n->changed = c->now;
		n->seen = n->seen || to == YOKE_NODE_ONLINE;
		if (!core_node_alive(n))
			n->online_since = YOKE_NEVER;
		else if (yoke_time_is_never(n->online_since))
			n->online_since = c->now;
		if (to == YOKE_NODE_LOST) {
			n->lost_at = c->now;
			forget(c, n);
		}
		if (to == YOKE_NODE_LATE)
			doubt_probes(c, out, i);
		/* It may have run what we run, and have stopped it before we heard of it. */
		for (uint16_t g = 1;
		     to == YOKE_NODE_ONLINE && from != YOKE_NODE_LATE && g <= c->conf.group_count;
		     g++)
			core_group_doubt(c, g, 0);
		tell_change(c, out, i, from);
	}
}

void core_node_fit(struct core *c, uint16_t node, uint16_t group, const struct core_claim *claim)
{
	yoke_time *since = &core_node(c, node)->fit_since[group - 1];

	if (claim->cause != CORE_CAUSE_NONE || claim->unsteady)
		*since = YOKE_NEVER;
	else if (yoke_time_is_never(*since))
		*since = c->now;
}

void core_node_intent(struct core *c, struct core_actions *out, uint16_t node,
		      struct core_intent intent, const char *reason)
{
	struct core_intent *mine = &c->intent[node - 1];
	bool changed = mine->standby != intent.standby;

	/* Set on two nodes in the same instant: both sides must choose the same. */
	if (intent.version < mine->version ||
	    (intent.version == mine->version && (!intent.standby || mine->standby)))
		return;
	if (node == c->conf.self && c->hold[0] != '\0' && !intent.standby) {
		/* The others remember what was before our memory was lost: ours is newer. */
		intent.version++;
		intent.standby = true;
		changed = false;
	}
	*mine = intent;
	c->dirty = true;
	core_record_touch(c);
	if (changed && node == c->conf.self)
		core_event(c, out,
			   intent.standby ? YOKE_EVENT_NODE_STANDBY : YOKE_EVENT_NODE_ACTIVE,
			   reason);
}
