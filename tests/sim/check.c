#include "tests/sim/check.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/parts.h"
#include "tests/sim/world.h"

enum {
	LOOK_US = 100000,       /* at least so often, when nothing changes */
	RUN_GRACE_US = 1000000, /* the core gives an operation up that long after its time-out */
	MARGIN_US = 10000,
	ANNOUNCED_US = 1000000, /* an announcement is repeated by itself for longer than this */
	FENCE_PAUSE_MS = 1000,  /* between two tries */
};

/* How long two may have a group when they are in contact again: two beats until the path is up, one
 * for a frame that came too early, the exchange of states and the loser's stop; and until a new
 * engine knows what it has.  Where leases are used, one beat more: what was told before one that
 * had ended was renewed does not count. */
static int64_t both_us(const struct sim_world *w)
{
	int64_t beats = sim_arbiter_has_lock(w) ? 4 : 3;

	return (int64_t)w->setup.interval_ms * 1000 * beats + 100000 + sim_world_monitor_us(w);
}

/* How long a proof takes that a silent node runs nothing exclusive, if its arbiters work. */
static int64_t proof_us(const struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;
	int64_t fences = sim_arbiter_count(w, YOKE_ARBITER_TYPE_FENCE);
	int64_t tries = 1 + s->more_retries, ms = 0;

	if (sim_arbiter_has_lock(w))
		ms += 3 * (int64_t)s->lease_ms + 2 * (int64_t)s->watchdog_ms;
	if (fences > 0)
		ms += SIM_CHECK_DELAYS_MAX * (int64_t)s->delay_ms +
		      tries * (fences * s->fence_us / 50 + FENCE_PAUSE_MS) - FENCE_PAUSE_MS;
	return ms * 1000;
}

static int64_t settle_us(const struct sim_world *w)
{
	int64_t us = ((int64_t)w->setup.dead_ms * 3 + w->setup.startup_ms + w->setup.conflict_ms) *
			     1000 +
		     2000000 + sim_world_monitor_us(w) + proof_us(w);

	/* Who was deaf finds out that it is no more. */
	if (sim_arbiter_has(w, YOKE_ARBITER_TYPE_PING))
		us += yoke_time_span_us(w->now, sim_check_deaf_over(w));
	return us;
}

int64_t sim_check_settle_us(const struct sim_world *w)
{
	return w->check.settle_us;
}

bool sim_check_is_past(struct sim_world *w, yoke_time since, int64_t span_us)
{
	yoke_time end = yoke_time_add_us(since, span_us + 1);

	if (!yoke_time_before(w->now, end))
		return true;
	w->check.look_at = yoke_time_min(w->check.look_at, end);
	return false;
}

bool sim_check_is_undisturbed(const struct sim_world *w)
{
	return !yoke_time_before(
		w->now, yoke_time_add_us(w->check.disturbed_until, sim_check_settle_us(w)));
}

static int64_t operated_us(const struct sim_world *w)
{
	return (int64_t)w->setup.operation_ms * 1000 + sim_check_settle_us(w);
}

bool sim_check_is_operated(const struct sim_world *w)
{
	return yoke_time_before(w->now, yoke_time_add_us(w->check.operated_at, operated_us(w)));
}

/* All could run it, and for a while nothing happened that could be a reason to touch it. */
static bool is_quiet(const struct sim_world *w, const struct sim_check_group *group)
{
	return sim_check_is_undisturbed(w) && !sim_check_is_operated(w) &&
	       !yoke_time_is_never(group->able_since) &&
	       yoke_time_span_us(group->able_since, w->now) > sim_check_settle_us(w);
}

void sim_check_init(struct sim_world *w)
{
	struct sim_check *k = &w->check;

	memset(k, 0, sizeof(*k));
	k->settle_us = settle_us(w);
	k->operated_at = k->crossed_at = (yoke_time){INT64_MIN / 2};
	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++) {
		k->group[g].both_since = k->group[g].able_since = k->group[g].crowded_since =
			YOKE_NEVER;
		k->group[g].none_since = w->now;
		k->group[g].takeover_by = k->group[g].told_by = YOKE_NEVER;
	}
}

void sim_check_disturb(struct sim_world *w, yoke_time until)
{
	struct sim_check *k = &w->check;

	k->changed = true;
	/* With another fault, a mild one is mild no more. */
	if (sim_world_in_force(w, k->mild_until))
		until = yoke_time_max(until, k->mild_until);
	k->disturbed_until = yoke_time_max(k->disturbed_until, until);
	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++) {
		k->group[g].takeover_by = k->group[g].told_by = YOKE_NEVER;
		k->group[g].kept_until = w->now;
	}
}

bool sim_check_is_settled(const struct sim_world *w, const struct sim_check_group *group)
{
	return sim_check_is_undisturbed(w) && !sim_check_is_operated(w) &&
	       yoke_time_is_never(group->none_since) && !yoke_time_is_never(group->able_since) &&
	       yoke_time_span_us(group->able_since, w->now) >= sim_check_settle_us(w);
}

void sim_check_mild(struct sim_world *w, yoke_time until)
{
	struct sim_check *k = &w->check;

	if (sim_world_in_force(w, k->mild_until) || !sim_check_is_undisturbed(w)) {
		sim_check_disturb(w, until);
		return;
	}
	k->mild_until = yoke_time_add_ms(until, (int64_t)w->setup.dead_ms * 2);
	for (unsigned g = 0; g < w->setup.group_count; g++)
		if (sim_check_is_settled(w, &k->group[g]) &&
		    !sim_world_policy(w, (uint16_t)(g + 1))->failback)
			k->group[g].kept_until = k->mild_until;
}

/* A group, or an event about it, that a mild fault must not lead to. */
static void check_kept(struct sim_world *w, unsigned group, const char *what)
{
	if (sim_world_in_force(w, w->check.group[group - 1].kept_until))
		sim_world_fail(w, "group%u after a mild fault: %s", group, what);
}

void sim_check_reply(struct sim_world *w, enum yoke_verdict verdict)
{
	uint16_t online = w->check.asked_online;

	if (verdict != YOKE_OK || online == 0)
		return;
	w->check.held[online - 1] = false;
	memset(w->check.restarts[online - 1], 0, sizeof(w->check.restarts[0]));
}

void sim_check_operate(struct sim_world *w, enum yoke_verb verb, uint16_t target)
{
	w->check.asked_online = verb == YOKE_VERB_ONLINE ? target : 0;
	/* He may insist on what is held: then two have it. */
	if (sim_world_in_force(w, w->check.mild_until))
		sim_check_disturb(w, w->now);
	w->check.operated_at = w->now;
	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++) {
		w->check.group[g].takeover_by = YOKE_NEVER;
		w->check.group[g].kept_until = w->now;
	}
}

/* ---- a core's step ---- */

/* Said by an operator on another node, and on its way to it. */
static bool is_to_be_online(const struct sim_world *w, uint16_t node)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		const struct core_operation *op = &w->node[n - 1].core.node[n - 1].operation;

		if (n != node && w->node[n - 1].engine && op->number != 0 &&
		    op->verb == YOKE_VERB_ONLINE && op->node == node)
			return true;
	}
	return false;
}

void sim_check_start(struct sim_world *w, uint16_t node)
{
	sim_check_promise_start(w, node);
	sim_check_deaf_start(w, node);
	sim_check_gap_start(w, node);
	if (w->node[node - 1].disk_broken) {
		sim_check_disturb(w, w->now);
		w->check.held[node - 1] =
			w->node[node - 1].record_size > 0 && !is_to_be_online(w, node);
	}
	/* Nothing may have been saved since it was lost, either. */
	if (w->node[node - 1].disk_broken || w->node[node - 1].record_size == 0) {
		memset(w->check.disk_term[node - 1], 0, sizeof(w->check.disk_term[0]));
		memset(w->check.used_term[node - 1], 0, sizeof(w->check.used_term[0]));
		sim_check_policy_forget(w, node);
	}
	memset(w->check.saw_at[node - 1], 0, sizeof(w->check.saw_at[0]));
	memset(w->check.run[node - 1], 0, sizeof(w->check.run[0]));
	memset(w->check.may_act[node - 1], 0, sizeof(w->check.may_act[0]));
	memset(w->check.may_stop[node - 1], 0, sizeof(w->check.may_stop[0]));
	memset(w->check.restarts[node - 1], 0, sizeof(w->check.restarts[0]));
	memset(w->check.restart_term[node - 1], 0, sizeof(w->check.restart_term[0]));
}

/* A node that can run a group again is forgiven. */
static void forget_restarts(struct sim_world *w, uint16_t node, const struct core_event *ev)
{
	unsigned r = ev->u.resource.resource - 1u, count = w->setup.resource_count;

	if (ev->u.resource.news != CORE_NEWS_USABLE || w->node[node - 1].core.resource[r].usable)
		return;
	for (unsigned i = 0; i < count; i++)
		w->check.restarts[node - 1][r / count * count + i] = 0;
}

void sim_check_before(struct sim_world *w, uint16_t node, const struct core_event *ev)
{
	for (unsigned r = 0; ev->type == CORE_RESULT && r < SIM_CHECK_RESOURCES_MAX; r++)
		if (w->check.run[node - 1][r] == ev->u.result.id)
			w->check.run[node - 1][r] = 0;
	if (ev->type == CORE_RESOURCE)
		forget_restarts(w, node, ev);
	sim_check_deaf_before(w, node, ev);
	sim_check_gap_before(w, node);
}

static bool uses_term(const struct core_group *g)
{
	return g->state == YOKE_GROUP_STARTING || g->state == YOKE_GROUP_STARTED;
}

void sim_check_after(struct sim_world *w, uint16_t node)
{
	const struct core *core = &w->node[node - 1].core;

	w->check.changed = true;
	sim_check_policy_after(w, node);
	sim_check_promise_after(w, node);
	sim_check_gap_after(w, node);
	if (!yoke_time_before(sim_node_now(w, node), w->node[node - 1].core_at))
		sim_world_fail(w, "the deadline of %s has passed", sim_world_name(w, node));
	for (uint16_t g = 0; g < w->setup.group_count; g++)
		if (uses_term(&core->group[g]) &&
		    core->group[g].term > w->check.disk_term[node - 1][g] &&
		    w->check.disk_term[node - 1][g] > 0)
			sim_world_fail(w, "%s uses term %llu of %s, on its disk is %llu",
				       sim_world_name(w, node),
				       (unsigned long long)core->group[g].term, w->names.group[g],
				       (unsigned long long)w->check.disk_term[node - 1][g]);
}

/* A service that nobody asks may have died long ago. */
static void check_watched(struct sim_world *w, uint16_t node, uint16_t resource)
{
	const struct sim_setup *s = &w->setup;
	const struct sim_node *n = &w->node[node - 1];
	const struct core_group *g = &n->core.group[(resource - 1) / s->resource_count];
	yoke_time watched =
		yoke_time_max(w->check.watched[node - 1][resource - 1],
			      yoke_time_max(sim_node_world(w, node, g->since), n->paused_until));
	int64_t most_us = ((int64_t)s->monitor_interval_ms + s->monitor_ms + 1000) * 1000 +
			  2 * (int64_t)s->lag_us + MARGIN_US;

	most_us += most_us / 100; /* its clock is another one */
	if (!n->engine || g->state != YOKE_GROUP_STARTED || !sim_check_is_undisturbed(w))
		return;
	if (yoke_time_span_us(watched, w->now) > most_us)
		sim_world_fail(w, "%s does not ask %s how it is", sim_world_name(w, node),
			       w->names.resource[resource - 1]);
}

static void check_run(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	unsigned r = a->u.run.resource - 1u, g = r / w->setup.resource_count;
	const struct sim_node *n = &w->node[node - 1];
	const char *name = sim_world_name(w, node), *resource = w->names.resource[r];

	sim_check_policy_run(w, node, a);
	if (a->u.run.kind == CORE_RUN_STOP && n->address[r] && is_quiet(w, &w->check.group[g]) &&
	    !sim_check_policy_may_go(w,
				     sim_world_policy(w, (uint16_t)(g + 1))->failback
					     ? sim_check_policy_first(w, (uint16_t)(g + 1))
					     : 0,
				     (uint16_t)(g + 1)))
		sim_world_fail(w, "%s stops %s, which is well", name, resource);
	if (a->u.run.kind == CORE_RUN_STOP && w->check.restart_term[node - 1][g] != 0 &&
	    r % w->setup.resource_count < n->core.group[g].keep)
		sim_world_fail(w, "%s stops %s for the restart of what comes after it", name,
			       resource);
	if (a->u.run.kind != CORE_RUN_MONITOR)
		return;
	check_watched(w, node, a->u.run.resource);
	w->check.watched[node - 1][r] = w->now;
	if (!sim_world_is_service(w, a->u.run.resource))
		sim_world_fail(w, "%s asks %s, which tells by itself", name, resource);
	if (n->core.group[g].state != YOKE_GROUP_STARTED)
		sim_world_fail(w, "%s asks %s, and its group is not started", name, resource);
}

void sim_check_run(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	unsigned r = a->u.run.resource - 1u;
	struct sim_check *k = &w->check;

	check_run(w, node, a);
	if (k->run[node - 1][r] != 0 && sim_world_in_force(w, k->run_until[node - 1][r]))
		sim_world_fail(w, "%s runs two operations on %s at once", sim_world_name(w, node),
			       w->names.resource[r]);
	k->run[node - 1][r] = a->u.run.id;
	k->run_in_fault[node - 1][r] = !sim_check_is_undisturbed(w);
	k->run_until[node - 1][r] =
		yoke_time_add_us(w->now, ((int64_t)a->u.run.timeout_ms * 1000 + RUN_GRACE_US) /
						 100 * 99); /* its clock is another one */
}

void sim_check_ask(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	sim_check_promise_claim(w, node, a);
	sim_check_promise_release(w, node, a);
	sim_check_deaf_ask(w, node, a);
	if (a->u.ask.kind == CORE_ASK_OFF && !w->check.met[node - 1][a->u.ask.node - 1])
		sim_world_fail(w, "%s has %s switched off, which it has never met",
			       sim_world_name(w, node), sim_world_name(w, a->u.ask.node));
	if (a->u.ask.kind == CORE_ASK_OFF && sim_check_is_undisturbed(w))
		sim_world_fail(w, "%s has %s switched off: no fault", sim_world_name(w, node),
			       sim_world_name(w, a->u.ask.node));
}

void sim_check_keeper(struct sim_world *w, uint16_t node)
{
	memset(w->check.met[node - 1], 0, sizeof(w->check.met[0]));
}

void sim_check_cancel(struct sim_world *w, uint16_t node, uint32_t id)
{
	for (unsigned r = 0; r < SIM_CHECK_RESOURCES_MAX; r++)
		if (w->check.run[node - 1][r] == id)
			w->check.run[node - 1][r] = 0;
}

void sim_check_announce(struct sim_world *w, uint16_t node, uint16_t resource)
{
	unsigned g = (resource - 1u) / w->setup.resource_count;
	struct sim_check_group *group = &w->check.group[g];

	group->announced = w->now;
	group->announcer = node;
	if (!yoke_time_is_never(group->told_by) && node == group->teller)
		group->told_by = YOKE_NEVER;
}

static void check_start(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	struct sim_check *k = &w->check;
	const struct core *core = &w->node[node - 1].core;
	struct sim_check_group *group = &k->group[ev->group - 1];
	uint64_t *used = &k->used_term[node - 1][ev->group - 1];
	uint64_t *restart = &k->restart_term[node - 1][ev->group - 1];
	uint64_t disk = k->disk_term[node - 1][ev->group - 1];

	if (*restart != 0 ? ev->value != *restart : ev->value <= *used)
		sim_world_fail(w, "%s starts group%u at term %llu again", sim_world_name(w, node),
			       ev->group, (unsigned long long)ev->value);
	/* What was adopted without a record is restarted at the term that it has already. */
	if (ev->value > disk && (*restart == 0 || disk > 0))
		sim_world_fail(w, "%s starts group%u at term %llu, which is not on its disk",
			       sim_world_name(w, node), ev->group, (unsigned long long)ev->value);
	if (core_lease_binds(core, ev->group) && !core_lease_holds(core))
		sim_world_fail(w, "%s starts group%u, and has no lease", sim_world_name(w, node),
			       ev->group);
	if (k->held[node - 1])
		sim_world_fail(w, "%s starts group%u, and its record was unreadable",
			       sim_world_name(w, node), ev->group);
	if (*restart == 0) {
		sim_check_policy_start(w, node, ev->group);
		sim_check_promise_begin(w, node, ev->group);
	}
	/* Who had no record, and could save none, may have it again. */
	if (*restart == 0 || ev->value <= disk)
		*used = ev->value;
	*restart = 0;
	if (is_quiet(w, group) && group->holder != 0 && group->holder != node &&
	    !sim_check_policy_may_go(w, node, ev->group))
		sim_world_fail(w, "%s takes group%u from %s: no fault, no operator",
			       sim_world_name(w, node), ev->group,
			       sim_world_name(w, group->holder));
}

static void check_restart(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	struct sim_check *k = &w->check;
	unsigned r = (ev->group - 1u) * w->setup.resource_count +
		     w->node[node - 1].core.group[ev->group - 1].keep;
	uint32_t *count = &k->restarts[node - 1][r];
	yoke_time *since = &k->restarts_since[node - 1][r];

	k->restarted++;
	k->restart_term[node - 1][ev->group - 1] = ev->value;
	/* It may have hung since then. */
	if (sim_check_is_undisturbed(w) && !k->run_in_fault[node - 1][r])
		sim_world_fail(w, "%s restarts group%u: no fault", sim_world_name(w, node),
			       ev->group);
	if (sim_check_is_operated(w) ||
	    yoke_time_span_us(*since, w->now) > (int64_t)w->setup.restart_window_ms * 990)
		*count = 0; /* its clock is another one */
	if (*count == 0)
		*since = w->now;
	if (++*count > w->setup.restarts)
		sim_world_fail(w, "%s restarts %s too often", sim_world_name(w, node),
			       w->names.resource[r]);
}

/* Does somebody want it where it is being stopped for another node? */
static bool is_called_back(const struct sim_world *w, const struct yoke_event *ev)
{
	return ev->group != 0 && ev->node != 0 &&
	       w->node[ev->node - 1].core.group[ev->group - 1].state == YOKE_GROUP_STOPPING;
}

void sim_check_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	w->check.events++;
	sim_check_promise_event(w, node, ev);
	sim_check_deaf_event(w, node, ev);
	sim_check_policy_event(w, node, ev);
	memcpy(w->check.last_event, ev->text, sizeof(w->check.last_event));
	if (ev->kind == YOKE_EVENT_NODE_ONLINE)
		w->check.met[node - 1][ev->node - 1] = true;
	if (ev->kind == YOKE_EVENT_GROUP_STARTING)
		check_start(w, node, ev);
	if (ev->kind == YOKE_EVENT_GROUP_RESTARTING)
		check_restart(w, node, ev);
	if (ev->kind == YOKE_EVENT_GROUP_STOPPING)
		w->check.restart_term[node - 1][ev->group - 1] = 0;
	switch (ev->kind) {
	case YOKE_EVENT_GROUP_STARTING:
	case YOKE_EVENT_GROUP_RESTARTING:
	case YOKE_EVENT_GROUP_STARTED:
	case YOKE_EVENT_GROUP_STOPPING:
	case YOKE_EVENT_GROUP_STOPPED:
	case YOKE_EVENT_GROUP_FAILED:
		check_kept(w, ev->group, ev->text);
		/* fallthrough */
	case YOKE_EVENT_GROUP_HELD:
		if (ev->reason[0] == '\0')
			sim_world_fail(w, "no reason: %s", ev->text);
		break;
	case YOKE_EVENT_NODE_ONLINE:
		/* It tells what was asked in a silence, of which a new engine cannot know whether
		 * one before it has heard of that: "online" forgives, perhaps once more. */
		memset(w->check.restarts[node - 1], 0, sizeof(w->check.restarts[0]));
		break;
	case YOKE_EVENT_NODE_LOST:
		sim_check_contact_lost(w, node, ev->node);
		break;
	case YOKE_EVENT_LEASE_EXPIRED:
		sim_check_contact_lease(w, node);
		break;
	case YOKE_EVENT_GROUP_CONFLICT:
		w->check.conflicts++;
		break;
	case YOKE_EVENT_OPERATION_STARTED:
		if (is_called_back(w, ev))
			w->check.crossed_at = w->now;
		break;
	case YOKE_EVENT_OPERATION_FAILED:
	case YOKE_EVENT_NODE_ACTIVE:
		w->check.crossed_at = w->now;
		break;
	default:
		break;
	}
}

/* ---- the kernels ---- */

unsigned sim_check_holders(const struct sim_world *w, unsigned g, uint16_t *one, bool *whole)
{
	unsigned holders = 0, first = g * w->setup.resource_count;

	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		unsigned present = 0;

		for (unsigned r = 0; r < w->setup.resource_count; r++)
			present += w->node[n - 1].address[first + r];
		if (present == 0)
			continue;
		holders++;
		*one = n;
		*whole = present == w->setup.resource_count;
	}
	return holders;
}

static bool has_power(const struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (!w->node[n - 1].powered)
			return false;
	return true;
}

/* That the other was switched off the winner may learn only much later. */
static void end_both(struct sim_world *w, struct sim_check_group *group, uint16_t winner)
{
	group->both_since = YOKE_NEVER;
	if (winner == 0 || !has_power(w) || yoke_time_before(w->now, w->check.disturbed_until) ||
	    (group->announcer == winner &&
	     yoke_time_span_us(group->announced, w->now) < ANNOUNCED_US))
		return;
	group->teller = winner;
	group->told_by = yoke_time_add_us(w->now, both_us(w));
}

/* A handover between two able nodes: a stop, a message, a start.  Everything else was done before.
 */
static void check_outage(struct sim_world *w, const struct sim_check_group *group, unsigned g)
{
	const struct sim_setup *s = &w->setup;
	int64_t bound_us = 2 * (int64_t)s->job_us * s->resource_count + s->latency_us +
			   s->jitter_us + MARGIN_US;

	if (!w->check.never_both || !sim_check_clocks_agree(w) || group->holder == 0 ||
	    yoke_time_is_never(group->none_since) || yoke_time_is_never(group->able_since) ||
	    yoke_time_before(group->none_since, group->able_since))
		return;
	/* Who has just become able may have to ask first whether anybody has it. */
	if (yoke_time_span_us(group->able_since, group->none_since) < sim_check_settle_us(w))
		bound_us += (int64_t)s->conflict_ms * 1000 + s->latency_us + s->jitter_us;
	/* Of two that crossed, the one that lost may have had it stopped: it is probed anew. */
	if (yoke_time_before(yoke_time_add_us(group->none_since, -MARGIN_US), w->check.crossed_at))
		bound_us += (int64_t)s->conflict_ms * 1000 + s->latency_us + s->jitter_us;
	if (yoke_time_span_us(group->none_since, w->now) > bound_us)
		sim_world_fail(w, "group%u was handed over too slowly", g);
}

void sim_check_address(struct sim_world *w, uint16_t node, uint16_t resource)
{
	unsigned g = (resource - 1u) / w->setup.resource_count;
	struct sim_check_group *group = &w->check.group[g];
	uint16_t one = 0;
	bool whole = false;
	unsigned holders = sim_check_holders(w, g, &one, &whole);

	w->check.changed = true;
	if (sim_world_policy(w, (uint16_t)(g + 1))->parallel)
		return;
	if (holders == 0)
		check_kept(w, g + 1, "nobody has it");
	if (holders > 1 && sim_world_is_exclusive(w, (uint16_t)(g + 1)) && !w->check.lied)
		sim_world_fail(w, "group%u is exclusive and on two nodes, %s took it", g + 1,
			       sim_world_name(w, node));
	if (holders > 1 && w->check.never_both)
		sim_world_fail(w, "group%u is on two nodes, %s took it: no fault", g + 1,
			       sim_world_name(w, node));
	if (holders > 1 && yoke_time_is_never(group->both_since)) {
		check_kept(w, g + 1, "two have it");
		group->both_since = w->now;
	}
	if (holders <= 1 && !yoke_time_is_never(group->both_since))
		end_both(w, group, one);
	if (holders == 1 && whole) {
		check_outage(w, group, g + 1);
		group->holder = one;
		group->none_since = YOKE_NEVER;
		group->takeover_by = YOKE_NEVER;
	} else if (yoke_time_is_never(group->none_since)) {
		group->none_since = w->now;
	}
	if (one != group->teller)
		group->told_by = YOKE_NEVER;
}

/* All engines run, see each other, and would take the group. */
static bool all_able(const struct sim_world *w, uint16_t g)
{
	if (!sim_check_policy_can_follow(w, g))
		return false;
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		const struct sim_node *node = &w->node[n - 1];

		if (!node->engine || node->exiting ||
		    core_cause_self(&node->core, g) != CORE_CAUSE_NONE ||
		    core_maintenance_rests(&node->core, g) || node->other_conf)
			return false;
		for (uint16_t other = 1; other <= w->setup.node_count; other++)
			if (node->core.node[other - 1].state != YOKE_NODE_ONLINE)
				return false;
	}
	return true;
}

static void check_group(struct sim_world *w, uint16_t g)
{
	struct sim_check_group *group = &w->check.group[g - 1];
	bool able = all_able(w, g);

	if (!able)
		group->able_since = YOKE_NEVER;
	else if (yoke_time_is_never(group->able_since))
		group->able_since = w->now;
	sim_check_policy_group(w, g);
	if (sim_world_policy(w, g)->parallel)
		return;
	if (!yoke_time_is_never(group->both_since) &&
	    sim_check_is_past(w, yoke_time_max(group->both_since, w->check.disturbed_until),
			      both_us(w)))
		sim_world_fail(w, "group%u runs on two nodes in contact for too long", g);
	if (sim_check_is_past(w, group->takeover_by, -1))
		sim_world_fail(w, "group%u was not taken over from %s in time", g,
			       sim_world_name(w, group->victim));
	if (sim_check_is_past(w, group->told_by, -1))
		sim_world_fail(w, "group%u: %s won and did not announce", g,
			       sim_world_name(w, group->teller));
	if (able && sim_check_is_undisturbed(w) && !yoke_time_is_never(group->none_since) &&
	    sim_check_is_past(w, yoke_time_max(group->none_since, group->able_since),
			      sim_check_settle_us(w)))
		sim_world_fail(w, "nobody runs group%u, and all could", g);
}

/* Much is only asked of undisturbed time. */
static void look_when_undisturbed(struct sim_world *w)
{
	(void)sim_check_is_past(w, w->check.disturbed_until, sim_check_settle_us(w) - 1);
	(void)sim_check_is_past(w, w->check.operated_at, operated_us(w) - 1);
}

void sim_check_step(struct sim_world *w)
{
	struct sim_check *k = &w->check;

	if (!k->changed && yoke_time_before(w->now, k->look_at))
		return;
	k->changed = false;
	k->look_at = yoke_time_add_us(w->now, LOOK_US);
	look_when_undisturbed(w);
	for (uint16_t g = 1; g <= w->setup.group_count; g++)
		check_group(w, g);
	sim_check_contact_step(w);
	if (yoke_time_before(w->now, k->watch_at))
		return;
	k->watch_at = yoke_time_add_us(w->now, LOOK_US);
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t r = 1; r <= w->names.resource_count; r++)
			if (sim_world_is_service(w, r))
				check_watched(w, n, r);
}
