/* Who hears no reference address, by what the world asked and answered for it: what it must not do,
 * and what it must. */
#include <string.h>

#include "agent/core/parts.h"
#include "tests/sim/world.h"

enum {
	DEAF_PINGS = 2, /* so many without an answer */
	PING_MS = 1000, /* a question's time-out */
	COMPARE_PINGS = 3,
	MARGIN_MS = 100,
};

void sim_check_deaf_start(struct sim_world *w, uint16_t node)
{
	for (unsigned a = 0; a < YOKE_ARBITERS_MAX; a++)
		w->check.ping[node - 1][a] = (struct sim_check_ping){.heard_at = {INT64_MIN / 2},
								     .hears_from = YOKE_NEVER};
}

static bool is_ping(const struct sim_world *w, unsigned a)
{
	return w->setup.arbiter[a] == YOKE_ARBITER_TYPE_PING;
}

static void note_answer(struct sim_world *w, struct sim_check_ping *p)
{
	if (p->unheard > DEAF_PINGS || yoke_time_is_never(p->hears_from))
		p->hears_from = w->now;
	p->unheard = 0;
	p->heard_at = p->asked_at;
}

void sim_check_deaf_before(struct sim_world *w, uint16_t node, const struct core_event *ev)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		w->check.fences[node - 1][n - 1] = core->fence[n - 1].state >= CORE_FENCE_OFF;
	if (ev->type != CORE_ANSWER || ev->u.answer.result != CORE_RESULT_DONE)
		return;
	for (unsigned a = 0; a < core->conf.arbiter_count; a++)
		if (is_ping(w, a) && core->arbiter[a].ask == ev->u.answer.id)
			note_answer(w, &w->check.ping[node - 1][a]);
}

/* The one that is out may still be answered. */
static bool is_silent(const struct sim_world *w, uint16_t node, unsigned a)
{
	const struct sim_check_ping *p = &w->check.ping[node - 1][a];

	return p->unheard >= DEAF_PINGS + (w->node[node - 1].core.arbiter[a].ask != 0);
}

/* When it asked first without hearing any of them since; YOKE_NEVER: it is not deaf. */
static yoke_time deaf_since(const struct sim_world *w, uint16_t node)
{
	yoke_time since = YOKE_NEVER;

	for (unsigned a = 0; a < w->node[node - 1].core.conf.arbiter_count; a++) {
		if (!is_ping(w, a))
			continue;
		if (!is_silent(w, node, a))
			return YOKE_NEVER;
		if (yoke_time_is_never(since) ||
		    yoke_time_before(since, w->check.ping[node - 1][a].since))
			since = w->check.ping[node - 1][a].since;
	}
	return since;
}

static bool is_deaf(const struct sim_world *w, uint16_t node)
{
	return !yoke_time_is_never(deaf_since(w, node));
}

/* Was any answered that was asked after that? */
static bool heard_after(const struct sim_world *w, uint16_t node, yoke_time at)
{
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		if (is_ping(w, a) && yoke_time_before(at, w->check.ping[node - 1][a].heard_at))
			return true;
	return false;
}

/* ---- what it must not do ---- */

/* To switch a node off is begun by who has just heard one; what is begun is gone on with. */
static void check_fence(struct sim_world *w, uint16_t node, uint16_t victim)
{
	yoke_time at = yoke_time_add_ms(w->now, -(int64_t)w->setup.dead_ms - MARGIN_MS);

	if (w->check.fences[node - 1][victim - 1] ||
	    w->node[node - 1].core.fence[victim - 1].state != CORE_FENCE_OFF)
		return;
	if (!heard_after(w, node, at))
		sim_world_fail(w, "%s has %s switched off, and hears no reference address",
			       sim_world_name(w, node), sim_world_name(w, victim));
}

static void check_claim(struct sim_world *w, uint16_t node, uint16_t arbiter)
{
	const struct core *core = &w->node[node - 1].core;

	if (core->arbiter[arbiter - 1].held_until.us == 0 && is_deaf(w, node))
		sim_world_fail(w, "%s asks for %s, and hears no reference address",
			       sim_world_name(w, node), w->names.arbiter[arbiter - 1]);
}

void sim_check_deaf_ask(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	struct sim_check_ping *p = &w->check.ping[node - 1][a->u.ask.arbiter - 1];

	if (a->u.ask.kind == CORE_ASK_PING) {
		if (p->unheard++ == 0)
			p->since = w->now;
		else
			p->missed_at = p->asked_at;
		p->asked_at = w->now;
	}
	if (!sim_arbiter_has(w, YOKE_ARBITER_TYPE_PING) ||
	    w->node[node - 1].core.conf.arbiter_count == 0)
		return;
	if (a->u.ask.kind == CORE_ASK_OFF)
		check_fence(w, node, a->u.ask.node);
	if (a->u.ask.kind == CORE_ASK_CLAIM ||
	    (a->u.ask.kind == CORE_ASK_WRITE && a->u.ask.slot.state == CORE_SLOT_CLAIM))
		check_claim(w, node, a->u.ask.arbiter);
}

/* An operator may have it, and insist. */
static void check_start(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	const struct core *core = &w->node[node - 1].core;

	/* What it ran it may restart. */
	if (!is_deaf(w, node) || core->conf.group[ev->group - 1].parallel ||
	    sim_check_is_operated(w) || w->check.restart_term[node - 1][ev->group - 1] != 0)
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (core->node[n - 1].state == YOKE_NODE_LOST && !core->node[n - 1].proven_dead)
			sim_world_fail(w,
				       "%s takes group%u from %s, and hears no reference "
				       "address",
				       sim_world_name(w, node), ev->group, sim_world_name(w, n));
}

/* How long they must have heard each other well for the comparison to be one. */
static int64_t compared_us(const struct sim_world *w)
{
	return ((int64_t)w->setup.dead_ms * 2 + (2 + DEAF_PINGS + COMPARE_PINGS) * PING_MS +
		w->setup.test_ms) *
	       1000;
}

/* Has it asked in vain since the other one hears again? */
static bool asked_since(const struct sim_world *w, uint16_t node, uint16_t other)
{
	yoke_time hears_from = YOKE_NEVER;

	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		if (is_ping(w, a) && !is_silent(w, other, a))
			hears_from =
				yoke_time_min(hears_from, w->check.ping[other - 1][a].hears_from);
	for (unsigned a = 0; a < w->setup.arbiter_count; a++) {
		const struct sim_check_ping *p = &w->check.ping[node - 1][a];
		bool is_out = w->node[node - 1].core.arbiter[a].ask != 0;

		if (is_ping(w, a) &&
		    yoke_time_before(hears_from, is_out ? p->missed_at : p->asked_at))
			return true;
	}
	return yoke_time_before(hears_from, deaf_since(w, node));
}

static void check_given(struct sim_world *w, uint16_t node, uint16_t to, uint16_t group)
{
	uint16_t target;

	/* He needs no other reason. */
	if (core_oper_of(&w->node[node - 1].core, group, &target) != NULL)
		return;
	if (!sim_check_contact_was(w, node, to, compared_us(w)) || !is_deaf(w, node) ||
	    w->node[to - 1].core.conf.arbiter_count == 0)
		return;
	if (!heard_after(w, to, deaf_since(w, node)) || !asked_since(w, node, to))
		sim_world_fail(w, "%s gives group%u to %s, which is not known to hear more",
			       sim_world_name(w, node), group, sim_world_name(w, to));
}

void sim_check_deaf_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	if (!sim_arbiter_has(w, YOKE_ARBITER_TYPE_PING))
		return;
	if (ev->kind == YOKE_EVENT_GROUP_STARTING)
		check_start(w, node, ev);
	if (ev->kind != YOKE_EVENT_GROUP_STOPPING ||
	    strstr(ev->reason, core_cause_text(CORE_CAUSE_DEAF)) == NULL)
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node)
			check_given(w, node, n, ev->group);
}

/* ---- what it must ---- */

yoke_time sim_check_deaf_over(const struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;
	int64_t ms = s->test_ms + (DEAF_PINGS + COMPARE_PINGS) * PING_MS + 2 * (int64_t)s->dead_ms +
		     s->conflict_ms + MARGIN_MS + PING_MS;

	ms += ms / 100; /* its clock is another one */
	return yoke_time_add_us(w->now, ms * 1000 + 4 * (int64_t)s->save_us +
						2 * (int64_t)s->job_us * s->resource_count +
						8 * ((int64_t)s->latency_us + s->jitter_us));
}
