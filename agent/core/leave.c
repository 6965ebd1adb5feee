/* An engine that is asked to end: it stops what it runs and says goodbye, so that the others take
 * over at once.
 *
 *   asked -> all stopped -> who is there is heard -> promised, on disk -> goodbye -> told -> end
 *
 * It ends without a goodbye when nobody would hear it, when something may still run after
 * operation_ms, and when the promise cannot be saved.
 */
#include "agent/core/parts.h"

enum {
	LINGER_BEATS = 3, /* how long the goodbye is repeated when nobody acknowledges */
	LINGER_MS_MIN = 50,
};

void core_leave_begin(struct core *c, struct core_actions *out)
{
	if (c->leaving)
		return;
	c->leaving = true;
	c->dirty = true;
	c->leave_deadline = yoke_time_add_ms(c->now, c->conf.operation_ms);
	core_event(c, out, YOKE_EVENT_ENGINE_STOPPED, "asked to stop");
}

/* What is not probed yet may run. */
static bool all_stopped(const struct core *c)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		if (c->group[g].state == YOKE_GROUP_UNKNOWN ||
		    core_claim_runs(&(struct core_claim){.state = c->group[g].state}))
			return false;
	return true;
}

/* What rests stays as it is when its engine ends; but then not everything is stopped here. */
static bool leaves_behind(const struct core *c)
{
	bool some = false;

	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		if (core_maintenance_keeps(c, g))
			some = true;
		else if (c->group[g - 1].state == YOKE_GROUP_UNKNOWN ||
			 core_claim_runs(&(struct core_claim){.state = c->group[g - 1].state}))
			return false;
	}
	return some;
}

/* The others do without our word once we said goodbye: therefore we go by no lock before we are in
 * contact again, also when it is the next engine's configuration that has the lock.  Returns true
 * when that is on disk. */
static bool promise(struct core *c)
{
	if (!c->promised) {
		c->promised = true;
		core_record_touch(c);
		c->promise_saved = c->save.version;
	}
	return c->save.durable >= c->promise_saved;
}

/* Kept when every other node has heard of this engine of ours, and is in contact: from then on a
 * silence of it is counted anew. */
void core_leave_keep_promise(struct core *c)
{
	bool heard = c->promised && !c->leaving;

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		heard = heard && (n == c->conf.self || (core_node_const(c, n)->acked > 0 &&
							core_node_alive(core_node_const(c, n))));
	if (!heard)
		return;
	c->promised = false;
	core_record_touch(c);
}

static bool is_unheard(const struct core_node *n)
{
	return n->state == YOKE_NODE_UNKNOWN && yoke_time_is_never(n->first_heard);
}

/* Does nobody hear a goodbye? */
static bool is_alone(const struct core *c)
{
	for (uint16_t i = 1; i <= c->conf.node_count; i++) {
		const struct core_node *n = core_node_const(c, i);

		if (i != c->conf.self && n->state != YOKE_NODE_LOST && n->state != YOKE_NODE_LEFT &&
		    !is_unheard(n))
			return false;
	}
	return true;
}

/* Until then a node that is there makes itself heard, when we have only just started. */
static yoke_time wait_until(const struct core *c)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && is_unheard(core_node_const(c, n)))
			return yoke_time_min(yoke_time_add_ms(c->started, c->conf.dead_ms),
					     c->leave_deadline);
	return c->now;
}

static void end(struct core *c, struct core_actions *out)
{
	c->leave_deadline = YOKE_NEVER;
	core_act(out, CORE_EXIT);
}

/* True when all is done that comes before a goodbye; ends without one when that takes too long, or
 * nobody would hear it. */
static bool prepare_goodbye(struct core *c, struct core_actions *out)
{
	bool is_late = yoke_time_due(c->leave_deadline, c->now);

	if (!all_stopped(c)) {
		/* What cannot be stopped may still run: end without the goodbye. */
		if (is_late || leaves_behind(c))
			end(c, out);
		return false;
	}
	if (!yoke_time_due(wait_until(c), c->now))
		return false;
	/* Nothing is promised then: this node may go by a lock again. */
	if (is_alone(c)) {
		end(c, out);
		return false;
	}
	/* Without the promise the goodbye could mislead: rather none. */
	if (promise(c))
		return true;
	if (is_late)
		end(c, out);
	return false;
}

void core_leave_look(struct core *c, struct core_actions *out)
{
	int64_t linger_ms = (int64_t)c->conf.interval_ms * LINGER_BEATS;

	if (!c->leaving || yoke_time_is_never(c->leave_deadline))
		return;
	if (!c->left) {
		if (!prepare_goodbye(c, out))
			return;
		c->left = true;
		c->dirty = true;
		if (linger_ms < LINGER_MS_MIN)
			linger_ms = LINGER_MS_MIN;
		c->leave_deadline = yoke_time_add_ms(c->now, linger_ms);
		return;
	}
	if (yoke_time_due(c->leave_deadline, c->now) || (!c->dirty && core_all_told(c)))
		end(c, out);
}

yoke_time core_leave_deadline(const struct core *c)
{
	yoke_time wait = wait_until(c);

	return c->leaving && yoke_time_before(c->now, wait) ? wait : c->leave_deadline;
}
