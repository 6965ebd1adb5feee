#include "tests/sim/faults.h"

#include <string.h>

/* Kinds that are worse together than apart. */
enum { THEME_FAULTS = 4 };
static const enum sim_fault themes[][THEME_FAULTS] = {
	{SIM_FAULT_CRASH, SIM_FAULT_SAVE, SIM_FAULT_LOSS, SIM_FAULT_OPERATE},
	{SIM_FAULT_CRASH, SIM_FAULT_RECORD, SIM_FAULT_SPLIT, SIM_FAULT_OPERATE},
	{SIM_FAULT_PAUSE, SIM_FAULT_SPLIT, SIM_FAULT_ARBITER, SIM_FAULT_OPERATE},
	{SIM_FAULT_POWER, SIM_FAULT_SPLIT, SIM_FAULT_ARBITER, SIM_FAULT_PAUSE},
	{SIM_FAULT_LEAVE, SIM_FAULT_REST, SIM_FAULT_OPERATE, SIM_FAULT_SPLIT},
	{SIM_FAULT_JOB, SIM_FAULT_ODD, SIM_FAULT_OPERATE, SIM_FAULT_SPLIT},
	{SIM_FAULT_MOMENT, SIM_FAULT_SPLIT, SIM_FAULT_ARBITER, SIM_FAULT_OPERATE},
	{SIM_FAULT_MOMENT, SIM_FAULT_MOMENT, SIM_FAULT_OPERATE, SIM_FAULT_OPERATE},
	{SIM_FAULT_VERB, SIM_FAULT_VERB, SIM_FAULT_SPLIT, SIM_FAULT_ARBITER},
	{SIM_FAULT_LOOP, SIM_FAULT_SPLIT, SIM_FAULT_ARBITER, SIM_FAULT_OPERATE},
	{SIM_FAULT_HANG, SIM_FAULT_CRASH, SIM_FAULT_OPERATE, SIM_FAULT_SPLIT},
};

enum {
	THEMES = sizeof(themes) / sizeof(themes[0]),
	STOPPED_AGAIN_US = 6000000, /* the core's 5 s, and the stop */
	SAVE_HANG_US = 9000000,     /* with the least span more than the 10 s that the core waits */
};

static bool is_possible(const struct sim_world *w, enum sim_fault fault)
{
	return (fault != SIM_FAULT_ARBITER || w->setup.arbiter_count > 0) &&
	       ((fault != SIM_FAULT_SERVICE && fault != SIM_FAULT_HANG) ||
		w->setup.service_count > 0) &&
	       fault != SIM_FAULT_LIE;
}

/* Few kinds, one soon after the other: what only happens when they meet happens often. */
static void focus(struct sim_faults *f, struct sim_world *w)
{
	const enum sim_fault *theme = themes[sim_random_in(&w->random, 0, THEMES - 1)];
	bool is_theme = sim_random_permille(&w->random, 600);

	memset(f->on, 0, sizeof(f->on));
	for (unsigned i = 0; i < THEME_FAULTS; i++) {
		enum sim_fault any = (enum sim_fault)sim_random_in(&w->random, 0, SIM_FAULTS - 1);
		enum sim_fault fault = is_theme ? theme[i] : any;

		f->on[fault] = f->on[fault] || is_possible(w, fault);
	}
	f->on[SIM_FAULT_OPERATE] = f->on[SIM_FAULT_OPERATE] || !is_theme;
	f->pause_us = w->setup.dead_ms * 1000 * (uint32_t)sim_random_in(&w->random, 1, 4);
}

void sim_faults_draw(struct sim_faults *f, struct sim_world *w, bool fault_free)
{
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		f->on[i] = sim_random_permille(&w->random, 500) &&
			   (!fault_free || i >= SIM_FAULT_LEAVE);
	f->on[SIM_FAULT_ARBITER] = f->on[SIM_FAULT_ARBITER] && w->setup.arbiter_count > 0;
	f->on[SIM_FAULT_LIE] = !fault_free && sim_random_permille(&w->random, 30) &&
			       sim_arbiter_has(w, YOKE_ARBITER_TYPE_FENCE);
	f->on[SIM_FAULT_SERVICE] = w->setup.service_count > 0 && !fault_free;
	f->on[SIM_FAULT_HANG] = f->on[SIM_FAULT_HANG] && w->setup.service_count > 0;
	f->on[SIM_FAULT_OPERATE] = f->on[SIM_FAULT_OPERATE] || fault_free;
	f->pause_us = w->setup.dead_ms * 1000 * (uint32_t)sim_random_in(&w->random, 1, 25);
	if (!fault_free && sim_random_permille(&w->random, 300))
		focus(f, w);
	f->next_at = yoke_time_add_us(w->now, sim_world_span(w, 2 * f->pause_us));
}

uint16_t sim_faults_node(struct sim_world *w)
{
	return (uint16_t)sim_random_in(&w->random, 1, w->setup.node_count);
}

static uint16_t any_resource(struct sim_world *w)
{
	return (uint16_t)sim_random_in(&w->random, 1, w->names.resource_count);
}

/* Shorter than the dead time, about as long, or much longer. */
int64_t sim_faults_span_us(struct sim_world *w)
{
	int64_t dead_us = (int64_t)w->setup.dead_ms * 1000;

	switch (sim_random_in(&w->random, 0, 2)) {
	case 0:
		return sim_random_in(&w->random, dead_us / 20, dead_us / 2);
	case 1:
		return sim_random_in(&w->random, dead_us * 7 / 10, dead_us * 13 / 10);
	default:
		return sim_random_in(&w->random, dead_us * 2, dead_us * 8);
	}
}

/* So long that a proof is come to in it, if there is any. */
static int64_t any_proof_us(struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;
	int64_t proof_ms = (int64_t)s->lease_ms + s->watchdog_ms + s->delay_ms + s->fence_us / 500;

	return sim_faults_span_us(w) +
	       (s->arbiter_count == 0 ? 0 : proof_ms * sim_random_in(&w->random, 500, 2000));
}

/* The same in some cases. */
int64_t sim_faults_long_us(struct sim_world *w)
{
	return sim_random_permille(&w->random, 600) ? sim_faults_span_us(w) : any_proof_us(w);
}

static yoke_time until(struct sim_world *w, int64_t span_us)
{
	yoke_time end = yoke_time_add_us(w->now, span_us);

	sim_check_disturb(w, end);
	return end;
}

/* A fault of one node or path: mild when it is over well within the dead time. */
static yoke_time until_mild(struct sim_world *w, int64_t span_us, int64_t mild_us)
{
	yoke_time end = yoke_time_add_us(w->now, span_us);

	if (span_us > mild_us)
		return until(w, span_us);
	sim_check_mild(w, end);
	return end;
}

/* ---- the wires ---- */

static void do_loss(struct sim_world *w)
{
	yoke_time end = until(w, sim_faults_span_us(w) * 3);
	struct sim_link worse = {.worse_until = end};

	if (sim_random_permille(&w->random, 600)) {
		worse.loss_permille = (uint32_t)sim_random_in(&w->random, 10, 700);
	} else if (sim_random_permille(&w->random, 300)) {
		worse.loss_permille = (uint32_t)sim_random_in(&w->random, 700, 1000);
		worse.loses =
			sim_random_permille(&w->random, 500) ? SIM_LOSES_BEATS : SIM_LOSES_STATES;
	}
	if (sim_random_permille(&w->random, 400))
		worse.duplicate_permille = (uint32_t)sim_random_in(&w->random, 10, 300);
	if (sim_random_permille(&w->random, 400))
		worse.delay_us =
			(uint32_t)sim_random_in(&w->random, 1000, (int64_t)w->setup.dead_ms * 1500);
	for (unsigned a = 0; a < YOKE_NODES_MAX; a++)
		for (unsigned b = 0; b < YOKE_NODES_MAX; b++)
			for (unsigned p = 0; p < SIM_PATHS_MAX; p++) {
				struct sim_link *link = &w->link[a][b][p];

				worse.cut_until = link->cut_until;
				if (sim_random_permille(&w->random, 800))
					*link = worse;
			}
}

void sim_faults_cut(struct sim_world *w, uint16_t a, uint16_t b, uint16_t path, yoke_time end)
{
	if (a != b)
		w->link[a - 1][b - 1][path - 1].cut_until = end;
}

static void do_path(struct sim_world *w, bool both)
{
	uint16_t a = sim_faults_node(w), b = (uint16_t)(a % w->setup.node_count + 1);
	uint16_t path = (uint16_t)sim_random_in(&w->random, 1, w->setup.path_count);
	yoke_time end =
		until_mild(w, sim_faults_span_us(w), w->setup.path_count > 1 ? INT64_MAX : 0);

	sim_faults_cut(w, a, b, path, end);
	if (both)
		sim_faults_cut(w, b, a, path, end);
}

static void do_split(struct sim_world *w)
{
	uint16_t alone = sim_faults_node(w);
	yoke_time end = until(w, sim_faults_long_us(w));
	bool one_way = sim_random_permille(&w->random, 200);

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t p = 1; p <= w->setup.path_count; p++) {
			sim_faults_cut(w, alone, n, p, end);
			if (!one_way)
				sim_faults_cut(w, n, alone, p, end);
		}
	if (sim_random_permille(&w->random, 500))
		w->public_cut_until = end;
	/* Who is alone may be alone with everything. */
	for (unsigned a = 0; a < w->setup.arbiter_count; a++) {
		if (sim_random_permille(&w->random, 250))
			w->arbiter[a].cut_until[sim_faults_node(w) - 1] = end;
		if (sim_random_permille(&w->random, 250))
			w->arbiter[a].fails_until = end;
	}
}

static void do_arbiter(struct sim_world *w)
{
	struct sim_arbiter *a =
		&w->arbiter[sim_random_in(&w->random, 0, w->setup.arbiter_count - 1)];
	yoke_time end = until(w, sim_faults_long_us(w));

	switch (sim_random_in(&w->random, 0, 3)) {
	case 0:
		a->down_until = end;
		break;
	case 1:
		a->cut_until[sim_faults_node(w) - 1] = end;
		break;
	case 2:
		a->slow_until = end;
		break;
	default:
		a->fails_until = end;
		break;
	}
}

static void do_lie(struct sim_world *w)
{
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		if (w->setup.arbiter[a] == YOKE_ARBITER_TYPE_FENCE)
			w->arbiter[a].lies_until = until(w, sim_faults_span_us(w) * 4);
}

static void do_swizzle(struct sim_world *w)
{
	for (uint16_t a = 1; a <= w->setup.node_count; a++)
		for (uint16_t b = 1; b <= w->setup.node_count; b++)
			for (uint16_t p = 1; p <= w->setup.path_count; p++)
				sim_faults_cut(w, a, b, p, until(w, sim_faults_span_us(w)));
}

/* ---- the nodes ---- */

static void crash(struct sim_world *w, uint16_t node)
{
	int64_t span_us = sim_faults_span_us(w);

	if (!w->node[node - 1].engine)
		return;
	(void)until_mild(w, span_us,
			 w->setup.conflict_ms > 0 && w->setup.arbiter_count == 0
				 ? INT64_MAX
				 : (int64_t)w->setup.dead_ms * 300);
	sim_node_crash(w, node);
	/* The epoch after that of the engine that was killed. */
	struct sim_item item = {.what = SIM_ENGINE, .node = node, .epoch = w->node[node - 1].epoch};

	sim_world_push(w, &item, span_us);
}

/* The power of all is cut and comes back at about the same time, the network later. */
static void do_blackout(struct sim_world *w)
{
	int64_t span_us = sim_faults_span_us(w);
	yoke_time end =
		until(w, span_us + sim_faults_long_us(w) + (int64_t)w->setup.startup_ms * 2000);

	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		struct sim_item item = {.what = SIM_POWER, .node = n};

		sim_node_power_off(w, n);
		item.epoch = w->node[n - 1].epoch;
		sim_world_push(w, &item, span_us + sim_random_in(&w->random, 0, 3000));
		for (uint16_t o = 1; o <= w->setup.node_count; o++)
			for (uint16_t p = 1; p <= w->setup.path_count; p++)
				sim_faults_cut(w, n, o, p, end);
	}
}

static void cut_power(struct sim_world *w, uint16_t node)
{
	if (!w->node[node - 1].powered)
		return;
	sim_check_gone(w, node, SIM_GONE_DEAD);
	sim_node_power_off(w, node);
	/* The check of the takeover must not end before it is due. */
	struct sim_item item = {.what = SIM_POWER, .node = node, .epoch = w->node[node - 1].epoch};

	sim_world_push(
		w, &item,
		sim_faults_span_us(w) + (int64_t)w->setup.dead_ms * 1500 +
			(int64_t)(w->setup.lease_ms + w->setup.watchdog_ms + w->setup.delay_ms) *
				1000 * sim_random_in(&w->random, 0, 2));
}

/* It comes back to a network that carries only what is short. */
static void lose_states(struct sim_world *w, uint16_t node, yoke_time end)
{
	struct sim_link worse = {
		.worse_until = until(w, yoke_time_span_us(w->now, end) + sim_faults_span_us(w)),
		.loss_permille = (uint32_t)sim_random_in(&w->random, 500, 1000),
		.loses = SIM_LOSES_STATES,
	};

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		for (uint16_t p = 1; n != node && p <= w->setup.path_count; p++) {
			struct sim_link *link = &w->link[n - 1][node - 1][p - 1];

			worse.cut_until = link->cut_until;
			*link = worse;
		}
}

static void pause_for(struct sim_world *w, uint16_t node, int64_t span_us, bool is_full)
{
	yoke_time end = until_mild(w, span_us, (int64_t)w->setup.dead_ms * 500);
	uint32_t room = is_full ? (uint32_t)sim_random_in(&w->random, 0, 20) : UINT32_MAX;

	/* Neither another pause nor the healing changes one: what waits for its end is in order. */
	if (sim_world_in_force(w, w->node[node - 1].paused_until))
		return;
	end = yoke_time_min(end, w->heal_at);
	/* A time-out that ends just before it does is believed: a stop is tried again then. */
	if (span_us > (int64_t)w->setup.operation_ms * 1000)
		sim_check_disturb(w, yoke_time_add_us(end, STOPPED_AGAIN_US));
	if (is_full)
		lose_states(w, node, end);
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node),
		       "  paused until %.4f with room for %u frames", (double)end.us / 1e6, room);
	sim_node_pause(w, node, end, room);
}

static void pause_engine(struct sim_world *w, uint16_t node)
{
	pause_for(w, node, sim_faults_long_us(w), sim_random_permille(&w->random, 200));
}

void sim_faults_suspend(struct sim_world *w, uint16_t node)
{
	pause_for(w, node, any_proof_us(w), true);
}

static void do_crash(struct sim_world *w)
{
	crash(w, sim_faults_node(w));
}

static void do_power(struct sim_world *w)
{
	if (sim_random_permille(&w->random, 150))
		do_blackout(w);
	else
		cut_power(w, sim_faults_node(w));
}

static void do_pause(struct sim_world *w)
{
	pause_engine(w, sim_faults_node(w));
}

void sim_faults_hit(struct sim_world *w, uint16_t node)
{
	static void (*const what[])(struct sim_world *, uint16_t) = {crash, cut_power, pause_engine,
								     sim_faults_suspend};

	what[sim_random_in(&w->random, 0, 3)](w, node);
}

static void do_leave(struct sim_world *w)
{
	uint16_t node = sim_faults_node(w);
	int64_t in_us = sim_faults_span_us(w) + (int64_t)w->setup.operation_ms * 1000;

	if (!w->node[node - 1].engine || sim_world_in_force(w, w->node[node - 1].paused_until))
		return;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  asked to leave");
	(void)until(w, in_us);
	/* The epoch of the engine that will be gone by then. */
	struct sim_item item = {
		.what = SIM_ENGINE, .node = node, .epoch = w->node[node - 1].epoch + 1};

	w->node[node - 1].is_to_be_alone =
		!w->check.never_both && sim_random_permille(&w->random, 300);
	sim_node_leave(w, node);
	sim_world_push(w, &item, in_us);
}

/* The operator looks before he speaks: only of a node without power does he say that it is down. */
static void do_confirm(struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		uint16_t at = sim_faults_node(w);

		if (w->node[n - 1].powered || at == n)
			continue;
		sim_trace_line(&w->trace, w->now, sim_world_name(w, at), "  asked: confirm-down %s",
			       sim_world_name(w, n));
		w->node[n - 1].confirmed = true;
		(void)sim_node_operate(w, at, YOKE_VERB_CONFIRM_DOWN, 0, n);
	}
}

static void do_operate(struct sim_world *w)
{
	static const enum yoke_verb verbs[] = {YOKE_VERB_SWITCH,   YOKE_VERB_SWITCH,
					       YOKE_VERB_FAILBACK, YOKE_VERB_STANDBY,
					       YOKE_VERB_ONLINE,   YOKE_VERB_ONLINE};
	enum yoke_verb verb = verbs[sim_random_in(&w->random, 0, 5)];
	uint16_t group = (uint16_t)sim_random_in(&w->random, 0, w->setup.group_count + 1);
	uint16_t at = sim_faults_node(w), target = sim_faults_node(w);

	do_confirm(w);
	if (sim_random_permille(&w->random, 50))
		target = (uint16_t)(w->setup.node_count + 1);
	sim_trace_line(&w->trace, w->now, sim_world_name(w, at), "  asked: %s group%u to %s",
		       yoke_word_verb((int)verb), group, sim_world_name(w, target));
	(void)sim_node_operate(w, at, verb, group, target);
}

/* Of the cluster, a node or a group; ended more often than begun. */
static void do_rest(struct sim_world *w)
{
	enum yoke_verb verb =
		sim_random_permille(&w->random, 400) ? YOKE_VERB_MAINTENANCE : YOKE_VERB_RESUME;
	uint16_t group = 0, node = 0, at = sim_faults_node(w);
	int64_t which = sim_random_in(&w->random, 0, 3);

	if (which == 1)
		node = sim_faults_node(w);
	if (which > 1)
		group = (uint16_t)sim_random_in(&w->random, 1, w->setup.group_count);
	sim_trace_line(&w->trace, w->now, sim_world_name(w, at), "  asked: %s group%u node%u",
		       yoke_word_verb((int)verb), group, node);
	(void)sim_node_operate(w, at, verb, group, node);
}

void sim_faults_ask(struct sim_world *w)
{
	if (sim_random_permille(&w->random, 300))
		do_rest(w);
	else
		do_operate(w);
}

static void do_clock(struct sim_world *w)
{
	uint16_t minute = (uint16_t)sim_random_in(&w->random, 0, 1439), one = sim_faults_node(w);
	bool all = sim_random_permille(&w->random, 700);

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (all || n == one)
			sim_node_clock(w, n, minute);
	sim_trace_line(&w->trace, w->now, "world", "it is %02u:%02u", minute / 60, minute % 60);
}

/* ---- what surrounds them ---- */

static void do_carrier(struct sim_world *w)
{
	uint16_t node = sim_faults_node(w);
	int64_t span_us = sim_faults_span_us(w);

	w->node[node - 1].carrier_lost_until = until(w, span_us);
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  carrier lost");
	sim_kernel_tell_usable(w, node, 1);
	sim_kernel_tell_usable(w, node, span_us);
}

static void do_save(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];
	int64_t span_us = sim_faults_span_us(w) + 2000000;

	if (sim_random_permille(&w->random, 200))
		n->save_hangs_until = until(w, span_us + SAVE_HANG_US);
	else if (sim_random_permille(&w->random, 500))
		n->save_slow_until = until(w, span_us);
	else
		n->save_fails_until = until(w, span_us);
}

static void do_job(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];
	yoke_time end = until(w, sim_faults_span_us(w));

	switch (sim_random_in(&w->random, 0, 2)) {
	case 0:
		n->start_fails_until = end;
		break;
	case 1:
		n->stop_fails_until = end;
		break;
	default:
		n->slow_until = end;
		break;
	}
}

/* Some programs do not end by themselves, and some of those cannot be killed. */
static void do_hang(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];

	n->hangs_until = until(w, sim_faults_span_us(w) + sim_world_monitor_us(w));
	n->hung_us = sim_random_permille(&w->random, 600) ? 0 : sim_faults_long_us(w);
}

static void do_remove(struct sim_world *w)
{
	(void)until(w, 1000000);
	sim_kernel_remove(w, sim_faults_node(w), any_resource(w));
}

static void do_service(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];
	uint16_t r = any_resource(w);
	int64_t span_us = sim_faults_span_us(w);

	while (!sim_world_is_service(w, r))
		r = (uint16_t)(r % w->names.resource_count + 1);
	switch (sim_random_in(&w->random, 0, 4)) {
	case 0:
		n->unwell_until[r - 1] = until(w, span_us + sim_world_monitor_us(w));
		break;
	case 1:
		n->mute_until = until(w, span_us + sim_world_monitor_us(w));
		break;
	case 2:
		n->fatal[r - 1] = sim_random_permille(&w->random, 100);
		if (n->fatal[r - 1])
			(void)until(w, span_us);
		n->starts_to_fail[r - 1] = (uint32_t)sim_random_in(&w->random, 1, 3);
		/* fallthrough */
	default:
		(void)until(w, 1);
		sim_kernel_remove(w, n->number, r);
		break;
	}
}

/* Somebody edits the file on one node and restarts it there; or puts it right again. */
static void do_conf(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];
	int64_t span_us = sim_faults_span_us(w) / 4;
	struct sim_item item = {.what = SIM_ENGINE, .node = n->number};

	/* Arbiters are changed where nothing that goes by them runs: yoke.conf(5). */
	if (!n->engine || (w->setup.other_has_no_arbiter && n->lease_exclusive))
		return;
	(void)until(w, span_us);
	sim_trace_line(&w->trace, w->now, sim_world_name(w, n->number), "  configuration %s",
		       n->other_conf ? "as the others'" : "differs");
	sim_node_crash(w, n->number);
	sim_node_configure(w, n->number, !n->other_conf);
	item.epoch = n->epoch;
	sim_world_push(w, &item, span_us);
}

/* What it will not have is stopped, or not in time; then the next engine has it again. */
static void do_reload(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];
	int64_t span_us = sim_faults_span_us(w);
	struct sim_item item = {.what = SIM_RELOAD, .node = n->number, .epoch = n->epoch};
	struct core_event ev = {.type = CORE_RETIRE};

	if (!n->engine || n->exiting || sim_world_in_force(w, n->paused_until))
		return;
	(void)until(w, span_us);
	if (sim_random_permille(&w->random, 400))
		ev.u.retire.group[sim_random_in(&w->random, 1, w->setup.group_count) - 1] = true;
	else
		ev.u.retire.resource[any_resource(w) - 1] = true;
	sim_node_step(w, n->number, &ev);
	sim_world_push(w, &item, span_us);
}

static void do_stranger(struct sim_world *w)
{
	w->stranger_until[any_resource(w) - 1] = until(w, sim_faults_span_us(w));
}

static void do_odd(struct sim_world *w)
{
	w->node[sim_faults_node(w) - 1].odd_until = until(w, sim_faults_span_us(w));
}

static void do_record(struct sim_world *w)
{
	struct sim_node *n = &w->node[sim_faults_node(w) - 1];

	n->disk_broken = true;
	n->disk_empty = sim_random_permille(&w->random, 300);
}

static void do_one_way(struct sim_world *w)
{
	do_path(w, false);
}

static void do_both_ways(struct sim_world *w)
{
	do_path(w, true);
}

static void (*const faults[SIM_FAULTS])(struct sim_world *w) = {
	[SIM_FAULT_LOSS] = do_loss,
	[SIM_FAULT_ONE_WAY] = do_one_way,
	[SIM_FAULT_PATH] = do_both_ways,
	[SIM_FAULT_SPLIT] = do_split,
	[SIM_FAULT_SWIZZLE] = do_swizzle,
	[SIM_FAULT_CRASH] = do_crash,
	[SIM_FAULT_POWER] = do_power,
	[SIM_FAULT_PAUSE] = do_pause,
	[SIM_FAULT_CARRIER] = do_carrier,
	[SIM_FAULT_REMOVE] = do_remove,
	[SIM_FAULT_SAVE] = do_save,
	[SIM_FAULT_STRANGER] = do_stranger,
	[SIM_FAULT_JOB] = do_job,
	[SIM_FAULT_ODD] = do_odd,
	[SIM_FAULT_RECORD] = do_record,
	[SIM_FAULT_SERVICE] = do_service,
	[SIM_FAULT_ARBITER] = do_arbiter,
	[SIM_FAULT_LIE] = do_lie,
	[SIM_FAULT_CONF] = do_conf,
	[SIM_FAULT_LEAVE] = do_leave,
	[SIM_FAULT_OPERATE] = do_operate,
	[SIM_FAULT_REST] = do_rest,
	[SIM_FAULT_CLOCK] = do_clock,
	[SIM_FAULT_MOMENT] = sim_faults_do_moment,
	[SIM_FAULT_RELOAD] = do_reload,
	[SIM_FAULT_VERB] = sim_faults_do_verb,
	[SIM_FAULT_LOOP] = sim_faults_do_loop,
	[SIM_FAULT_HANG] = do_hang,
};

void sim_faults_do(struct sim_faults *f, struct sim_world *w)
{
	enum sim_fault fault = (enum sim_fault)sim_random_in(&w->random, 0, SIM_FAULTS - 1);

	f->next_at = yoke_time_add_us(w->now, sim_world_span(w, 2 * f->pause_us));
	if (sim_faults_is_awaited(w))
		return;
	while (!f->on[fault])
		fault = (enum sim_fault)((fault + 1) % SIM_FAULTS);
	sim_trace_mix(&w->trace, fault);
	faults[fault](w);
}
