/* When a node is gone: by when must the other one have what it had? */
#include "agent/core/parts.h"
#include "tests/sim/world.h"

enum {
	MARGIN_US = 10000,
	CLOCK_PART = 200, /* who takes over goes by its own clock */
	ASK_US = 20000,   /* asking an arbiter takes so long at most, when it works */
};

/* May it run something by a grant that another node does not know of?  Who gave that waits longer
 * before it fences. */
static bool is_doubtful(const struct sim_world *w, uint16_t victim)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		const struct core *core = &w->node[n - 1].core;

		for (uint16_t g = 0; n != victim && g < core->conf.group_count; g++)
			if (core->group[g].grant_to == victim &&
			    !core_claim_runs(&core->node[victim - 1].claim[g]))
				return true;
	}
	return false;
}

/* By when another one must have what a settled owner had; YOKE_NEVER: that is not promised. */
static yoke_time takeover_by(const struct sim_world *w, uint16_t victim, bool exclusive)
{
	const struct sim_setup *s = &w->setup;
	int64_t us = sim_arbiter_bound_us(w, exclusive);

	if (us == INT64_MAX)
		return YOKE_NEVER;
	if (exclusive)
		us += ASK_US + (is_doubtful(w, victim)
					? (SIM_CHECK_DELAYS_MAX - 1) * 1000 * (int64_t)s->delay_ms
					: 0);
	us += us / CLOCK_PART + s->latency_us + s->jitter_us + 3 * (int64_t)s->lag_us +
	      (int64_t)s->job_us * s->resource_count + MARGIN_US;
	return yoke_time_add_us(w->now, us);
}

/* Who is to take over may not run, however briefly. */
static bool stands_still(const struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (sim_world_in_force(w, w->node[n - 1].paused_until))
			return true;
	return false;
}

/* By when, if that is promised; else YOKE_NEVER. */
static yoke_time gone_by(const struct sim_world *w, uint16_t node, uint16_t group,
			 enum sim_gone gone)
{
	bool exclusive = sim_world_is_exclusive(w, group);

	if (!sim_check_policy_takes_over(w, group))
		return YOKE_NEVER;
	/* What is left of its slot may have been a claim: a lease is waited for. */
	if (exclusive && gone == SIM_GONE_DEAD && sim_arbiter_is_writing(w, node))
		return YOKE_NEVER;
	if (gone == SIM_GONE_DEAF)
		return sim_check_deaf_over(w);
	if (!exclusive && gone != SIM_GONE_DEAD)
		return YOKE_NEVER;
	return takeover_by(w, node, exclusive);
}

void sim_check_gone(struct sim_world *w, uint16_t node, enum sim_gone gone)
{
	struct sim_check *k = &w->check;
	bool was_settled[SIM_CHECK_GROUPS_MAX];

	for (unsigned g = 0; g < w->setup.group_count; g++)
		was_settled[g] = sim_check_is_settled(w, &k->group[g]) &&
				 w->setup.node_count == 2 && !stands_still(w);
	/* The last word of a node without power is not waited for; what else is gone stays so. */
	sim_check_disturb(w, gone == SIM_GONE_DEAD ? yoke_time_add_us(w->now, 1) : YOKE_NEVER);
	for (unsigned g = 0; g < w->setup.group_count; g++) {
		struct sim_check_group *group = &k->group[g];

		if (!was_settled[g] || group->holder != node)
			continue;
		group->takeover_by = gone_by(w, node, (uint16_t)(g + 1), gone);
		group->victim = node;
		k->takeovers += !yoke_time_is_never(group->takeover_by);
	}
}

void sim_check_reset(struct sim_world *w, uint16_t node, yoke_time until)
{
	struct sim_check_group *group = w->check.group;
	yoke_time by[SIM_CHECK_GROUPS_MAX];

	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++)
		by[g] = group[g].victim == node ? group[g].takeover_by : YOKE_NEVER;
	sim_check_disturb(w, until);
	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++)
		group[g].takeover_by = by[g];
}

void sim_check_power_on(struct sim_world *w, uint16_t node)
{
	for (unsigned g = 0; g < w->setup.group_count; g++)
		if (sim_world_is_exclusive(w, (uint16_t)(g + 1)) &&
		    w->check.group[g].victim == node)
			w->check.group[g].takeover_by = YOKE_NEVER;
}
