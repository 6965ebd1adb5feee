/* Blows and requests just when a node has done something, and one blow after another. */
#include "tests/sim/faults.h"

enum {
	LOOP_MAX = 8,
	SOON_US = 5000,
	BOOT_US = 3000000, /* at most, in a loop */
};

void sim_faults_do_moment(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];

	n->moment_granted = sim_random_permille(&w->random, 400);
	n->moment = n->moment_granted ? 0 : (uint16_t)sim_random_in(&w->random, 1, 20);
	n->moment_asks = false;
}

void sim_faults_do_verb(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];

	n->moment_granted = sim_random_permille(&w->random, 400);
	n->moment = n->moment_granted ? 0 : (uint16_t)sim_random_in(&w->random, 1, 20);
	n->moment_asks = true;
}

/* A node that a person said to be off comes back: he sees to it that it is heard, before anything
 * else happens. */
bool sim_faults_is_awaited(const struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (w->node[n - 1].confirmed && w->node[n - 1].powered)
			return true;
	return false;
}

/* What an operator asks is a step of its own, soon after this one. */
static void strike(struct sim_world *w, uint16_t node)
{
	struct sim_item item = {.what = SIM_VERB, .node = node, .epoch = w->node[node - 1].epoch};

	if (w->node[node - 1].moment_asks)
		sim_world_push(w, &item,
			       sim_random_in(&w->random, 1, 2 * (int64_t)w->setup.latency_us));
	else
		sim_faults_hit(w, node);
}

static bool is_granted(const struct sim_world *w, uint16_t node)
{
	const struct core *c = &w->node[node - 1].core;

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t g = 0; n != node && g < w->setup.group_count; g++)
			if (c->node[n - 1].claim[g].grant_to == node &&
			    c->group[g].state == YOKE_GROUP_STOPPED)
				return true;
	return false;
}

void sim_faults_moment(struct sim_world *w, uint16_t node)
{
	if (w->node[node - 1].moment == 0 || sim_faults_is_awaited(w) ||
	    --w->node[node - 1].moment > 0)
		return;
	strike(w, node);
}

void sim_faults_step(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (!n->moment_granted || !n->engine || sim_faults_is_awaited(w) || !is_granted(w, node))
		return;
	n->moment_granted = false;
	/* Most can come of it when the other one has it before this one comes to. */
	if (!n->moment_asks && sim_random_permille(&w->random, 700))
		sim_faults_suspend(w, node);
	else
		strike(w, node);
}

/* ---- engines that start ---- */

void sim_faults_do_loop(struct sim_world *w)
{
	uint16_t node = sim_faults_node(w);

	w->node[node - 1].loop = (uint16_t)sim_random_in(&w->random, 2, LOOP_MAX);
	w->node[node - 1].loop_power = sim_random_permille(&w->random, 500);
	sim_faults_loop(w, node);
}

void sim_faults_loop(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];
	struct sim_item item = {.node = node};
	int64_t span_us = sim_random_in(&w->random, 1, BOOT_US);

	if (n->loop == 0 || !n->engine || sim_faults_is_awaited(w))
		return;
	n->loop--;
	sim_check_disturb(w, yoke_time_add_us(w->now, span_us));
	if (n->loop_power)
		sim_node_power_off(w, node);
	else
		sim_node_crash(w, node);
	item.what = n->loop_power ? SIM_POWER : SIM_ENGINE;
	item.epoch = n->epoch;
	sim_world_push(w, &item, span_us);
}

/* It will be hit again before it knows what is so, when it begins to act, or somewhat later. */
static void go_on_with_loop(struct sim_world *w, uint16_t node)
{
	struct sim_item item = {.what = SIM_HIT, .node = node, .epoch = w->node[node - 1].epoch};
	int64_t most_us[] = {SOON_US, (int64_t)w->setup.startup_ms * 1000,
			     (int64_t)w->setup.dead_ms * 8000};

	sim_world_push(w, &item,
		       sim_random_in(&w->random, 1, most_us[sim_random_in(&w->random, 0, 2)]));
}

void sim_faults_start(struct sim_world *w, uint16_t node)
{
	yoke_time end;

	if (w->node[node - 1].loop > 0)
		go_on_with_loop(w, node);
	if (!w->node[node - 1].is_to_be_alone)
		return;
	w->node[node - 1].is_to_be_alone = false;
	end = yoke_time_add_us(w->now, sim_faults_long_us(w) + (int64_t)w->setup.startup_ms * 1000);
	sim_check_disturb(w, end);
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t p = 1; p <= w->setup.path_count; p++) {
			sim_faults_cut(w, node, n, p, end);
			sim_faults_cut(w, n, node, p, end);
		}
}
