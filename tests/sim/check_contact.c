/* Who hears whom: what a node may think of another one, and of its own lease while in contact. */
#include "agent/core/parts.h"
#include "tests/sim/world.h"

enum { MARGIN_US = 10000 };

static bool was_whole(const struct sim_world *w, const struct sim_link *link, int64_t span_us)
{
	return yoke_time_span_us(link->worse_until, w->now) > span_us &&
	       yoke_time_span_us(link->cut_until, w->now) > span_us;
}

/* Was there a path between them, both ways, all that span? */
static bool had_path(const struct sim_world *w, uint16_t a, uint16_t b, int64_t span_us)
{
	for (unsigned p = 0; p < w->setup.path_count; p++)
		if (was_whole(w, &w->link[a - 1][b - 1][p], span_us) &&
		    was_whole(w, &w->link[b - 1][a - 1][p], span_us))
			return true;
	return false;
}

/* Is its engine, the same one, there all that span? */
static bool has_engine(const struct sim_world *w, uint16_t node, int64_t span_us)
{
	const struct sim_node *n = &w->node[node - 1];

	return n->engine &&
	       yoke_time_span_us(sim_node_world(w, node, n->core.started), w->now) >= span_us;
}

bool sim_check_contact_was(const struct sim_world *w, uint16_t a, uint16_t b, int64_t span_us)
{
	const uint16_t both[] = {a, b};

	for (unsigned i = 0; i < 2; i++) {
		const struct sim_node *n = &w->node[both[i] - 1];

		if (!has_engine(w, both[i], span_us) ||
		    n->core.node[both[1 - i] - 1].state != YOKE_NODE_ONLINE ||
		    yoke_time_span_us(n->paused_until, w->now) < span_us)
			return false;
	}
	return had_path(w, a, b, span_us);
}

/* Who stands still hears nothing of others, and that is not their silence. */
void sim_check_contact_lost(struct sim_world *w, uint16_t node, uint16_t lost)
{
	const struct sim_setup *s = &w->setup;
	int64_t span_us = ((int64_t)s->dead_ms + 2 * (int64_t)s->interval_ms) * 1020 +
			  2 * ((int64_t)s->latency_us + s->jitter_us + s->lag_us) + MARGIN_US;

	if (has_engine(w, node, span_us) && has_engine(w, lost, span_us) &&
	    !w->node[lost - 1].exiting &&
	    yoke_time_span_us(w->node[lost - 1].paused_until, w->now) > span_us &&
	    had_path(w, lost, node, span_us))
		sim_world_fail(w, "%s has lost %s, and hears it", sim_world_name(w, node),
			       sim_world_name(w, lost));
}

/* Who is in contact has its lease renewed. */
void sim_check_contact_lease(struct sim_world *w, uint16_t node)
{
	int64_t lease_us = (int64_t)w->setup.lease_ms * 1000;

	for (uint16_t o = 1; o <= w->setup.node_count; o++)
		if (o != node && !sim_check_contact_was(w, node, o, lease_us + lease_us / 50))
			return;
	sim_world_fail(w, "the lease of %s runs out, and it is in contact",
		       sim_world_name(w, node));
}

/* Frames in one direction are no life. */
static void check_contact(struct sim_world *w, uint16_t node, uint16_t other)
{
	const struct sim_node *n = &w->node[node - 1];
	bool is_up = false;

	if (!n->engine || n->exiting || n->core.node[other - 1].state != YOKE_NODE_ONLINE)
		return;
	for (unsigned p = 0; p < w->setup.path_count; p++)
		is_up = is_up || n->beat.peer[other - 1].path[p].state == YOKE_PATH_UP;
	if (!is_up)
		sim_world_fail(w, "%s is online to %s, and no path of it is up",
			       sim_world_name(w, other), sim_world_name(w, node));
}

void sim_check_contact_step(struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t o = 1; o <= w->setup.node_count; o++)
			if (o != n)
				check_contact(w, n, o);
}
