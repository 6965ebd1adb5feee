/* How a history ends: all faults are over, and then one node is gone for good. */
#include "tests/sim/faults.h"

/* From the nodes, the service's network and the arbiters. */
static void cut_off(struct sim_world *w, uint16_t node)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t p = 1; p <= w->setup.path_count; p++) {
			w->link[node - 1][n - 1][p - 1].cut_until =
				w->link[n - 1][node - 1][p - 1].cut_until = YOKE_NEVER;
		}
	w->public_cut_until = YOKE_NEVER;
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		w->arbiter[a].cut_until[node - 1] = YOKE_NEVER;
}

/* From the reference addresses. */
static void deafen(struct sim_world *w, uint16_t node)
{
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		if (w->setup.arbiter[a] == YOKE_ARBITER_TYPE_PING)
			w->arbiter[a].cut_until[node - 1] = YOKE_NEVER;
}

void sim_faults_break(struct sim_world *w)
{
	unsigned count = w->setup.arbiter_count;
	unsigned a = count < 2 ? 0 : (unsigned)sim_random_in(&w->random, 0, count - 1);
	enum yoke_arbiter_type type = w->setup.arbiter[a];

	/* Without the reference addresses all are deaf, and nothing is taken over. */
	if (count < 2 || type == YOKE_ARBITER_TYPE_PING || sim_random_permille(&w->random, 400))
		return;
	sim_trace_line(&w->trace, w->now, "world", "%s is broken", w->names.arbiter[a]);
	if (type == YOKE_ARBITER_TYPE_FENCE && sim_random_permille(&w->random, 500))
		w->arbiter[a].fails_until = YOKE_NEVER;
	else
		w->arbiter[a].down_until = YOKE_NEVER;
	/* They may know of it by a test, or not. */
	sim_world_run(w, yoke_time_add_us(w->now, sim_world_span(w, 2000 * w->setup.test_ms)));
}

void sim_faults_last(struct sim_world *w)
{
	static const struct {
		void (*is)(struct sim_world *w, uint16_t node);
		enum sim_gone gone;
	} what[] = {{sim_node_power_off, SIM_GONE_DEAD},
		    {sim_node_crash, SIM_GONE_SILENT},
		    {cut_off, SIM_GONE_SILENT},
		    {deafen, SIM_GONE_DEAF}};
	uint16_t node = (uint16_t)sim_random_in(&w->random, 1, w->setup.node_count);
	int64_t last = sim_arbiter_has(w, YOKE_ARBITER_TYPE_PING) ? 3 : 2;
	int64_t which = sim_random_in(&w->random, 0, last);

	sim_trace_line(&w->trace, w->now, sim_world_name(w, node),
		       what[which].gone == SIM_GONE_DEAF ? "  is deaf for good"
							 : "  is gone for good");
	w->check.never_both = false;
	sim_check_gone(w, node, what[which].gone);
	what[which].is(w, node);
}

void sim_faults_heal(struct sim_world *w)
{
	sim_trace_line(&w->trace, w->now, "world", "everything is healed");
	sim_world_calm(w);
	sim_check_disturb(w, w->now);
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		w->node[n - 1].disk_broken = w->node[n - 1].disk_empty = false;
		w->node[n - 1].is_to_be_alone = false;
		w->node[n - 1].moment = 0;
		w->node[n - 1].moment_granted = false;
		w->node[n - 1].loop = 0;
		if (w->node[n - 1].other_conf) {
			sim_node_crash(w, n);
			sim_node_configure(w, n, false);
		}
		sim_node_reload(w, n);
		sim_node_power_on(w, n);
		sim_node_start(w, n);
		/* All clocks are right again. */
		sim_node_clock(w, n, w->node[0].minute);
		sim_node_rest(w, n);
	}
}
