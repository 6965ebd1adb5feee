/* How long exclusive groups may run here, and when those of a silent node have certainly stopped.
 *
 *   we     beat ----------> it           our lease ends lease_ms after we *sent* the newest frame
 *          sent at s        |            that it echoes in a beat with our support bit set.
 *          <---- beat, echoes s, "I support you"
 *
 * A node supports another while it counts it as in contact, and stops for good when it calls it
 * lost: at lost_at.  Every supporting beat was sent before lost_at, so what it echoes was sent
 * before lost_at, too, and the other's lease ends at lost_at + lease_ms, on its clock.  Both clocks
 * may differ in rate by 1/RATE_MARGIN.
 *
 * Or a majority of the locks (arbiter.c) renews us: whoever has them is the only one whom they
 * renew.  Therefore, once we hold them, a silent node's exclusive groups have stopped at
 *
 *   max(lost_at + lease_ms, when we got the locks) + stop bound, both with the margin
 *
 * if it stops what it must, or its watchdog resets it.  Without a lock no lease ever ends: then
 * only proof of death moves an exclusive group.
 *
 * Once ours is over, the others' grants are worth nothing any more: by them a node that stood still
 * would start what another has taken over meanwhile.
 *
 * No word of a node is needed that left (it promised, on disk, to take nothing by a lock before we
 * are in contact) or that is proven dead; a person's word for that is worth nothing once the node
 * takes a lock.  What the keeper is told ends then, too, and is prolonged while this engine runs: a
 * machine that stands still must not keep what nobody else knows of.
 */
#include <string.h>

#include "agent/base/bound.h"
#include "agent/core/parts.h"

enum {
	RATE_MARGIN = 100,   /* two clocks differ by less than 1/100 in rate */
	RENEW_PART = 8,      /* beats that repeat themselves are wanted each lease/8 */
	OWN_PART = 2,        /* one that nobody has to renew is prolonged when lease/2 is left */
	PATIENCE_LEASES = 2, /* a holder that died is found out within this */
};

const char core_lease_reason[] = "the lease ran out: neither the other node nor a lock renewed it";

static int64_t with_margin_ms(int64_t ms)
{
	return ms + ms / RATE_MARGIN + 1;
}

bool core_lease_is_used(const struct core *c)
{
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (core_arbiter_is_lock(c, a))
			return c->conf.node_count > 1;
	return false;
}

bool core_lease_binds(const struct core *c, uint16_t group)
{
	return c->conf.group[group - 1].exclusive && !c->conf.group[group - 1].unproven;
}

/* The longest stop that the configuration allows. */
static uint32_t longest_stop_ms(const struct core_conf *conf)
{
	uint32_t most = 0;

	for (uint16_t g = 0; g < conf->group_count; g++) {
		struct yoke_stop_bound bound = {0};

		for (uint16_t i = 0; i < conf->group[g].resource_count; i++) {
			const struct core_resource_conf *r =
				&conf->resource[conf->group[g].resource_first + i];

			yoke_stop_bound_add(&bound, !r->has_address, r->start_ms, r->stop_ms);
		}
		if (conf->group[g].exclusive && yoke_stop_bound_ms(&bound) > most)
			most = yoke_stop_bound_ms(&bound);
	}
	return most;
}

uint32_t core_stop_bound_ms(const struct core_conf *conf)
{
	return conf->watchdog_ms != 0 ? conf->watchdog_ms : longest_stop_ms(conf);
}

/* One that told that its watchdog does not work is not reset: it may need its time. */
static uint32_t stop_bound_of_ms(const struct core *c, const struct core_node *n)
{
	uint32_t bound_ms = core_stop_bound_ms(&c->conf);

	return n->trouble.watchdog && longest_stop_ms(&c->conf) > bound_ms
		       ? longest_stop_ms(&c->conf)
		       : bound_ms;
}

/* ---- ours ---- */

static bool is_exempt(const struct core_node *n)
{
	return n->state == YOKE_NODE_LEFT || n->proven_dead;
}

yoke_time core_lease_by_nodes(const struct core *c)
{
	yoke_time until = YOKE_NEVER;

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);

		if (n != c->conf.self && !is_exempt(node))
			until = yoke_time_min(until, node->renewed_until);
	}
	return until;
}

yoke_time core_lease_until(const struct core *c)
{
	if (!core_lease_is_used(c))
		return YOKE_NEVER;
	return yoke_time_max(yoke_time_max(core_lease_by_nodes(c), core_arbiter_held_until(c)),
			     c->inherited);
}

bool core_lease_holds(const struct core *c)
{
	return !yoke_time_due(core_lease_until(c), c->now);
}

bool core_lease_may_run(const struct core *c, uint16_t group)
{
	return c->group[group - 1].state == YOKE_GROUP_UNKNOWN &&
	       (c->conf.ran_exclusive || c->group[group - 1].ran) && core_lease_binds(c, group);
}

bool core_lease_is_over_unknown(const struct core *c, uint16_t group)
{
	return core_lease_may_run(c, group) && !core_lease_holds(c);
}

static bool runs_exclusive(const struct core *c)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		enum yoke_group_state state = c->group[g - 1].state;

		if (core_lease_may_run(c, g) ||
		    (core_lease_binds(c, g) &&
		     core_claim_runs(&(struct core_claim){.state = state})))
			return true;
	}
	return false;
}

void core_lease_renewed(struct core *c, uint16_t node, yoke_time echoed)
{
	struct core_node *n = core_node(c, node);

	if (core_lease_is_used(c) && !yoke_time_is_never(echoed))
		n->renewed_until =
			yoke_time_max(n->renewed_until, yoke_time_add_ms(echoed, c->conf.lease_ms));
}

void core_lease_grace(struct core *c, uint16_t node)
{
	core_node(c, node)->renewed_until = yoke_time_add_ms(c->now, c->conf.lease_ms);
}

bool core_wants_beat(const struct core *c, uint16_t node, yoke_time echoed)
{
	if (!core_lease_is_used(c) || yoke_time_is_never(echoed))
		return false;
	return yoke_time_span_us(core_node_const(c, node)->renewed_until,
				 yoke_time_add_ms(echoed, c->conf.lease_ms)) >=
	       (int64_t)c->conf.lease_ms * 1000 / RENEW_PART;
}

/* ---- a silent node's ---- */

yoke_time core_lease_over_at(const struct core *c, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);
	yoke_time end;

	if (!core_lease_is_used(c) || c->promised || !core_arbiter_holds(c))
		return YOKE_NEVER;
	/* Its lease and its stops may be longer than ours. */
	if (!core_config_lease_counts(c, node))
		return YOKE_NEVER;
	/* Where nodes are switched off, one that has just booted may be the one that was: it does
	 * not go by a lock that the other might not have needed. */
	if (core_fence_is_configured(c) && !core_node_was_met(c, node))
		return YOKE_NEVER;
	end = yoke_time_add_ms(n->lost_at, with_margin_ms(c->conf.lease_ms));
	return yoke_time_add_ms(yoke_time_max(end, c->locks_since),
				with_margin_ms(stop_bound_of_ms(c, n)));
}

yoke_time core_lease_patience(const struct core *c, uint16_t group, uint16_t node)
{
	yoke_time since = core_node_const(c, node)->lost_at;
	yoke_time fit = core_node_const(c, c->conf.self)->fit_since[group - 1];

	if (!core_lease_is_used(c) || c->promised || !core_config_lease_counts(c, node))
		return (yoke_time){0};
	/* Before that nobody wanted the locks for it. */
	if (!yoke_time_is_never(fit))
		since = yoke_time_max(since, fit);
	return yoke_time_add_ms(since, PATIENCE_LEASES * (int64_t)c->conf.lease_ms);
}

/* ---- a lease that was over ---- */

/* What it granted may be another's by now; it is asked to say it again, and what it said before
 * does not count. */
static void forget_grants(struct core *c, struct core_node *n)
{
	n->forgot_at = c->now;
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		if (n->claim[g].grant_to == 0)
			continue;
		n->claim[g].grant_to = 0;
		n->told = 0;
		c->beat_dirty = true;
	}
}

/* A person vouched for a node: what he said counts as long as we run. */
static bool goes_by_a_word(const struct core *c)
{
	for (uint16_t n = 1; core_lease_is_used(c) && n <= c->conf.node_count; n++)
		if (core_node_const(c, n)->proven_dead && !core_node_const(c, n)->fenced)
			return true;
	return false;
}

/* By what it told a lock: a clean stop is the worst that can come of it. */
void core_lease_lives(struct core *c, uint16_t node, yoke_time at)
{
	struct core_node *n = core_node(c, node);

	if (!n->fenced && yoke_time_before(n->vouched_at, at))
		n->proven_dead = false;
}

void core_lease_has_lock(struct core *c, uint16_t node, yoke_time since, yoke_time at)
{
	yoke_time renewed = yoke_time_add_ms(at, -with_margin_ms(c->conf.lease_ms));

	if (yoke_time_before(since, renewed))
		core_lease_lives(c, node, renewed);
}

void core_lease_lapse(struct core *c, yoke_time before)
{
	bool stood_still = yoke_time_span_us(before, c->now) >= (int64_t)c->conf.lease_ms * 1000;

	if (!core_lease_is_used(c) || (core_lease_holds(c) && !stood_still))
		return;
	for (uint16_t i = 1; i <= c->conf.node_count; i++) {
		struct core_node *n = core_node(c, i);

		if (i == c->conf.self)
			continue;
		forget_grants(c, n);
		/* Who vouched for it spoke of then: it may be back, and find nobody.  (Where nodes
		 * are fenced, one that has just booted goes by no lock.) */
		if (stood_still && !n->fenced)
			n->proven_dead = false;
	}
}

/* ---- looking and telling ---- */

void core_lease_look(struct core *c, struct core_actions *out)
{
	bool holds = core_lease_holds(c);

	if (core_arbiter_holds(c) == yoke_time_is_never(c->locks_since))
		c->locks_since = core_arbiter_holds(c) ? c->now : YOKE_NEVER;
	if (holds != c->lease_holds && core_lease_is_used(c) && runs_exclusive(c))
		core_event(c, out, holds ? YOKE_EVENT_LEASE_RENEWED : YOKE_EVENT_LEASE_EXPIRED,
			   holds ? "" : "neither the other node nor a lock renewed its lease");
	c->lease_holds = holds;
	core_lease_tell(c, out);
}

/* A lease that needs nobody's word ends all the same when this engine does not run: the other node
 * may be repaired meanwhile, and find nobody. */
static bool renews_own(const struct core *c)
{
	return core_lease_is_used(c) && runs_exclusive(c) &&
	       yoke_time_is_never(core_lease_until(c));
}

static yoke_time own_renewal_at(const struct core *c)
{
	return yoke_time_is_never(c->lease_told.until)
		       ? c->now
		       : yoke_time_add_ms(c->lease_told.until,
					  -(int64_t)c->conf.lease_ms / OWN_PART);
}

void core_lease_tell(struct core *c, struct core_actions *out)
{
	yoke_time end = core_lease_until(c);
	bool exclusive = runs_exclusive(c);
	struct core_legacy legacy = core_node_legacy(c);
	struct core_action *a;

	if (renews_own(c))
		end = yoke_time_due(own_renewal_at(c), c->now)
			      ? yoke_time_add_ms(c->now, c->conf.lease_ms)
			      : c->lease_told.until;
	if (c->lease_told.until.us == end.us && c->lease_told.exclusive == exclusive &&
	    c->lease_told.reset == c->resetting &&
	    memcmp(&c->lease_told.legacy, &legacy, sizeof(legacy)) == 0)
		return;
	c->lease_told.until = end;
	c->lease_told.exclusive = exclusive;
	c->lease_told.reset = c->resetting;
	c->lease_told.legacy = legacy;
	a = core_act(out, CORE_LEASE);
	a->u.lease.until = end;
	a->u.lease.exclusive = exclusive;
	a->u.lease.reset = c->resetting;
	a->u.lease.legacy = legacy;
}

yoke_time core_lease_deadline(const struct core *c)
{
	yoke_time t = c->lease_holds && runs_exclusive(c) ? core_lease_until(c) : YOKE_NEVER;
	yoke_time locks = core_arbiter_held_until(c);

	if (yoke_time_before(c->now, locks))
		t = yoke_time_min(t, locks);
	if (renews_own(c))
		t = yoke_time_min(t, own_renewal_at(c));
	/* So that a step that comes later than that shows that we stood still. */
	if (goes_by_a_word(c))
		t = yoke_time_min(t, yoke_time_add_ms(c->now, c->conf.lease_ms / OWN_PART));
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		yoke_time over;

		if (n == c->conf.self || core_node_const(c, n)->state != YOKE_NODE_LOST)
			continue;
		over = core_lease_over_at(c, n);
		if (yoke_time_before(c->now, over))
			t = yoke_time_min(t, over);
		for (uint16_t g = 1; g <= c->conf.group_count; g++)
			if (yoke_time_before(c->now, core_lease_patience(c, g, n)))
				t = yoke_time_min(t, core_lease_patience(c, g, n));
	}
	return t;
}
