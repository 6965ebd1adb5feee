/* Jeopardy: a node that lives is reached by one path only, or by public ones only.
 *
 * An alarm, and never a move: the next path that fails makes the nodes silent to each other.  It is
 * raised after a while, because the paths of a node that starts or dies do not come up or go down
 * in one instant, and what is over by then was nothing.  A node that is lost meanwhile leaves it as
 * it was: it ends when there are paths enough.
 */
#include "agent/core/parts.h"

enum { AFTER_MS_MIN = 3000 };

static bool works(enum yoke_path_state state)
{
	return state == YOKE_PATH_UP || state == YOKE_PATH_LATE;
}

/* What is wrong with the paths to a node, and the number of the path, if it is one. */
static enum core_jeopardy judge(const struct core *c, const struct core_node *n, uint16_t *path)
{
	unsigned left = 0, private_left = 0, private_count = 0;

	*path = 0;
	for (uint16_t p = 0; p < c->conf.path_count; p++) {
		private_count += !c->conf.path_public[p];
		if (!works(n->path[p]))
			continue;
		left++;
		private_left += !c->conf.path_public[p];
		*path = (uint16_t)(p + 1);
	}
	if (left == 1 && c->conf.path_count > 1)
		return private_left == 0 && private_count > 0 ? CORE_JEOPARDY_LAST_PUBLIC
							      : CORE_JEOPARDY_LAST;
	*path = 0;
	return private_left == 0 && private_count > 0 ? CORE_JEOPARDY_PUBLIC : CORE_JEOPARDY_NONE;
}

static const char *const reasons[] = {
	[CORE_JEOPARDY_NONE] = "",
	[CORE_JEOPARDY_PUBLIC] = "no private path is left, public ones carry the heartbeats",
	[CORE_JEOPARDY_LAST] = "one path is left",
	[CORE_JEOPARDY_LAST_PUBLIC] = "one path is left, and it is public",
};

static yoke_time due_at(const struct core *c, const struct core_node *n)
{
	uint32_t after_ms = c->conf.dead_ms > AFTER_MS_MIN ? c->conf.dead_ms : AFTER_MS_MIN;

	return yoke_time_add_ms(n->jeopardy_since, after_ms);
}

static void look(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_node *n = core_node(c, node);
	enum core_jeopardy now;
	struct yoke_event *ev;
	uint16_t path;

	if (!core_node_alive(n)) {
		n->jeopardy_since = YOKE_NEVER;
		return;
	}
	now = judge(c, n, &path);
	if (now == n->jeopardy) {
		n->jeopardy_since = YOKE_NEVER;
		return;
	}
	if (yoke_time_is_never(n->jeopardy_since))
		n->jeopardy_since = c->now;
	if (now != CORE_JEOPARDY_NONE && !yoke_time_due(due_at(c, n), c->now))
		return;
	ev = core_event(c, out,
			now == CORE_JEOPARDY_NONE ? YOKE_EVENT_JEOPARDY_OVER : YOKE_EVENT_JEOPARDY,
			reasons[now]);
	ev->node = node;
	ev->path = path;
	n->jeopardy = now;
	n->jeopardy_since = YOKE_NEVER;
}

void core_jeopardy_look(struct core *c, struct core_actions *out)
{
	for (uint16_t node = 1; node <= c->conf.node_count; node++)
		if (node != c->conf.self)
			look(c, out, node);
}

yoke_time core_jeopardy_deadline(const struct core *c)
{
	yoke_time at = YOKE_NEVER;

	for (uint16_t node = 1; node <= c->conf.node_count; node++)
		at = yoke_time_min(at, due_at(c, core_node_const(c, node)));
	return at;
}
