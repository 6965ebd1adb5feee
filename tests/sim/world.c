#include "tests/sim/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { END_LOOK_US = 100000 }; /* between two looks whether an engine has ended */

static void name_all(struct sim_world *w)
{
	static const char *const nodes[] = {"alpha", "beta", "gamma", "delta"};
	const struct sim_setup *s = &w->setup;
	struct yoke_names *names = &w->names;
	unsigned addresses = 0, services = 0;

	snprintf(names->cluster, sizeof(names->cluster), "sim");
	names->node_count = s->node_count;
	names->path_count = s->path_count;
	names->group_count = s->group_count;
	names->resource_count = s->group_count * s->resource_count;
	for (unsigned i = 0; i < names->node_count; i++)
		snprintf(names->node[i], YOKE_NAME_SIZE, "%s", nodes[i]);
	for (unsigned i = 0; i < names->path_count; i++)
		snprintf(names->path[i], YOKE_NAME_SIZE, "path%u", i + 1);
	for (unsigned i = 0; i < names->group_count; i++)
		snprintf(names->group[i], YOKE_NAME_SIZE, "group%u", i + 1);
	for (uint16_t i = 1; i <= names->resource_count; i++)
		if (sim_world_is_service(w, i))
			snprintf(names->resource[i - 1], YOKE_NAME_SIZE, "service%u", ++services);
		else
			snprintf(names->resource[i - 1], YOKE_NAME_SIZE, "address%u", ++addresses);
}

void sim_world_fail(struct sim_world *w, const char *format, ...)
{
	va_list arguments;

	if (w->failure[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(w->failure, sizeof(w->failure), format, arguments);
	va_end(arguments);
	sim_trace_line(&w->trace, w->now, "FAIL", "%s", w->failure);
}

bool sim_world_in_force(const struct sim_world *w, yoke_time until)
{
	return yoke_time_before(w->now, until);
}

const char *sim_world_name(const struct sim_world *w, uint16_t node)
{
	return yoke_name_of(w->names.node, w->names.node_count, node);
}

int64_t sim_world_span(struct sim_world *w, uint32_t max_us)
{
	if (max_us == 0 || w->setup.exact)
		return max_us;
	return sim_random_in(&w->random, 1, max_us);
}

bool sim_world_is_service(const struct sim_world *w, uint16_t resource)
{
	const struct sim_setup *s = &w->setup;

	return (resource - 1) % s->resource_count >= s->resource_count - s->service_count ||
	       s->policy[(resource - 1) / s->resource_count].parallel;
}

const struct sim_policy *sim_world_policy(const struct sim_world *w, uint16_t group)
{
	return &w->setup.policy[group - 1];
}

bool sim_world_is_exclusive(const struct sim_world *w, uint16_t group)
{
	return w->setup.exclusive && !w->setup.shared[group - 1] && !w->setup.unproven[group - 1] &&
	       !w->setup.policy[group - 1].parallel;
}

bool sim_world_is_unproven(const struct sim_world *w, uint16_t group)
{
	return w->setup.exclusive && !w->setup.shared[group - 1] && w->setup.unproven[group - 1] &&
	       !w->setup.policy[group - 1].parallel;
}

int64_t sim_world_monitor_us(const struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;

	if (s->service_count == 0)
		return 0;
	return ((int64_t)s->monitor_ms + 1000 + s->monitor_interval_ms) *
	       (2 * s->monitor_failures + 1) * 1000; /* no answer in time weighs half */
}

void sim_world_calm(struct sim_world *w)
{
	memset(w->link, 0, sizeof(w->link));
	memset(w->stranger_until, 0, sizeof(w->stranger_until));
	w->public_cut_until = w->now;
	for (unsigned a = 0; a < w->setup.arbiter_count; a++) {
		struct sim_arbiter *arbiter = &w->arbiter[a];

		arbiter->down_until = arbiter->slow_until = w->now;
		arbiter->fails_until = arbiter->lies_until = w->now;
		memset(arbiter->cut_until, 0, sizeof(arbiter->cut_until));
	}
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		struct sim_node *node = &w->node[n - 1];

		node->paused_until = node->carrier_lost_until = w->now;
		node->start_fails_until = node->stop_fails_until = w->now;
		node->slow_until = node->odd_until = node->mute_until = w->now;
		node->hangs_until = w->now;
		memset(node->busy_until, 0, sizeof(node->busy_until));
		memset(node->hung_from, 0, sizeof(node->hung_from));
		memset(node->unwell_until, 0, sizeof(node->unwell_until));
		memset(node->starts_to_fail, 0, sizeof(node->starts_to_fail));
		memset(node->fatal, 0, sizeof(node->fatal));
		node->save_slow_until = node->save_fails_until = node->save_hangs_until = w->now;
		sim_kernel_tell_usable(w, n, 1);
	}
}

/* ---- the queue ---- */

static bool is_earlier(const struct sim_place *a, const struct sim_place *b)
{
	return a->at.us != b->at.us ? a->at.us < b->at.us : a->order < b->order;
}

static void put(struct sim_world *w, const struct sim_item *item)
{
	uint32_t i = w->queue_count;
	struct sim_place place = {item->at, item->order, 0};

	if (w->queue_count == SIM_QUEUE_MAX) {
		sim_world_fail(w, "more than %d things are going to happen", SIM_QUEUE_MAX);
		return;
	}
	place.item = w->queue[w->queue_count++].item;
	w->item[place.item] = *item;
	for (; i > 0 && is_earlier(&place, &w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		w->queue[i] = w->queue[(i - 1) / 2];
	w->queue[i] = place;
}

/* What it returns is good until something is put. */
static const struct sim_item *take(struct sim_world *w)
{
	uint32_t first = w->queue[0].item, i = 0;
	struct sim_place last = w->queue[--w->queue_count];

	for (;;) {
		uint32_t next = 2 * i + 1;

		if (next >= w->queue_count)
			break;
		if (next + 1 < w->queue_count && is_earlier(&w->queue[next + 1], &w->queue[next]))
			next++;
		if (!is_earlier(&w->queue[next], &last))
			break;
		w->queue[i] = w->queue[next];
		i = next;
	}
	w->queue[i] = last;
	w->queue[w->queue_count].item = first;
	return &w->item[first];
}

void sim_world_push(struct sim_world *w, const struct sim_item *item, int64_t in_us)
{
	struct sim_item later = *item;

	later.at = yoke_time_add_us(w->now, in_us);
	later.order = ++w->order_last;
	put(w, &later);
}

/* ---- the wires ---- */

static void transmit(struct sim_world *w, const struct sim_frame *frame, int64_t in_us)
{
	struct sim_item item = {.what = SIM_FRAME, .node = frame->to};
	struct sim_node *n = &w->node[frame->to - 1];

	if (sim_world_in_force(w, n->paused_until)) {
		if (n->paused_room == 0)
			return;
		n->paused_room--;
	}
	if (w->frame_free_count == 0) { /* too many wait for one that stands still */
		w->link[frame->from - 1][frame->to - 1][frame->path - 1].worse_until = w->now;
		return;
	}
	item.id = w->frame_free[--w->frame_free_count];
	memcpy(&w->frame[item.id], frame, offsetof(struct sim_frame, bytes) + frame->size);
	sim_world_push(w, &item, in_us);
}

static bool is_lossy(const struct sim_link *link, const struct sim_frame *frame)
{
	return link->loses == SIM_LOSES_ANY || frame->is_beat == (link->loses == SIM_LOSES_BEATS);
}

/* A node's engine sends a frame. */
static void emit(void *world, const struct sim_frame *frame)
{
	struct sim_world *w = world;
	const struct sim_link *link = &w->link[frame->from - 1][frame->to - 1][frame->path - 1];
	bool is_worse = sim_world_in_force(w, link->worse_until);
	int64_t in_us = w->setup.latency_us + sim_world_span(w, w->setup.jitter_us);

	if (sim_world_in_force(w, link->cut_until) ||
	    (is_worse && is_lossy(link, frame) &&
	     sim_random_permille(&w->random, link->loss_permille)))
		return;
	if (is_worse)
		in_us += sim_world_span(w, link->delay_us);
	transmit(w, frame, in_us);
	if (is_worse && sim_random_permille(&w->random, link->duplicate_permille))
		transmit(w, frame, in_us + sim_world_span(w, link->delay_us + 1000));
}

void sim_world_init(struct sim_world *w, const struct sim_setup *setup, uint64_t seed)
{
	memset(w, 0, offsetof(struct sim_world, queue));
	w->setup = *setup;
	w->random.state = seed;
	sim_trace_init(&w->trace);
	name_all(w);
	for (uint32_t i = 0; i < SIM_QUEUE_MAX; i++)
		w->queue[i].item = i;
	for (uint32_t i = 0; i < SIM_FRAMES_MAX; i++)
		w->frame_free[i] = i;
	w->frame_free_count = SIM_FRAMES_MAX;
	for (uint16_t n = 1; n <= setup->node_count; n++) {
		sim_node_init(w, n);
		w->node[n - 1].beat.emit = emit;
		w->node[n - 1].beat.world = w;
	}
	sim_arbiter_init(w);
	sim_check_init(w);
}

static void arrive(struct sim_world *w, const struct sim_item *item)
{
	struct sim_frame *frame = &w->frame[item->id];

	if (w->node[item->node - 1].engine)
		sim_node_frame(w, frame);
	w->frame_free[w->frame_free_count++] = item->id;
}

/* ---- what happens ---- */

/* A process that does not run gets what comes to it when it runs again, in the same order. */
static bool wait_for_process(struct sim_world *w, const struct sim_item *item)
{
	const struct sim_node *n = &w->node[item->node - 1];
	struct sim_item later = *item;

	if (!n->engine || !sim_world_in_force(w, n->paused_until) || item->what == SIM_EFFECT ||
	    item->what == SIM_POWER || item->what == SIM_ENGINE || item->what == SIM_ASK ||
	    item->what == SIM_RESET || item->what == SIM_HIT)
		return false;
	later.at = n->paused_until;
	put(w, &later);
	return true;
}

/* An engine is started when the one that leaves is gone, however long that takes. */
static bool wait_for_end(struct sim_world *w, const struct sim_item *item)
{
	const struct sim_node *n = &w->node[item->node - 1];

	if (item->what != SIM_ENGINE || !n->engine || item->epoch != n->epoch + 1)
		return false;
	sim_check_disturb(w, yoke_time_add_us(w->now, END_LOOK_US));
	sim_world_push(w, item, END_LOOK_US);
	return true;
}

static void give_result(struct sim_world *w, const struct sim_item *item)
{
	struct core_event ev; /* not cleared as a whole: it has room for a long message */

	ev.type = CORE_RESULT;
	memset(&ev.u.result, 0, sizeof(ev.u.result));
	ev.u.result.id = item->id;
	ev.u.result.result = item->result;
	ev.u.result.hwaddr[0] = 2;
	ev.u.result.hwaddr[CORE_HWADDR_SIZE - 1] = (uint8_t)item->by;
	if (item->result == CORE_RESULT_FAILED || item->result == CORE_RESULT_FATAL)
		snprintf(ev.u.result.reason, sizeof(ev.u.result.reason), "%s",
			 item->kind == CORE_RUN_MONITOR || item->kind == CORE_RUN_PROBE
				 ? "it is not well"
				 : "the kernel refused it");
	sim_node_step(w, item->node, &ev);
}

static void give_news(struct sim_world *w, const struct sim_item *item)
{
	struct core_event ev = {.type = CORE_RESOURCE};

	ev.u.resource.resource = item->resource;
	ev.u.resource.news = item->news;
	ev.u.resource.hwaddr[0] = 2;
	ev.u.resource.hwaddr[CORE_HWADDR_SIZE - 1] = (uint8_t)item->node;
	if (item->news == CORE_NEWS_UNUSABLE)
		snprintf(ev.u.resource.reason, sizeof(ev.u.resource.reason), "no carrier");
	sim_node_step(w, item->node, &ev);
}

/* Who said that a node is off also sees to it that it stays off until the others can hear it. */
static void power_on(struct sim_world *w, const struct sim_item *item)
{
	const struct sim_node *n = &w->node[item->node - 1];

	for (uint16_t o = 1; n->confirmed && o <= w->setup.node_count; o++)
		for (unsigned p = 0; o != item->node && p < w->setup.path_count; p++) {
			const struct sim_link *to = &w->link[item->node - 1][o - 1][p];
			const struct sim_link *from = &w->link[o - 1][item->node - 1][p];

			if (sim_world_in_force(w, to->cut_until) ||
			    sim_world_in_force(w, from->cut_until)) {
				sim_check_disturb(w, yoke_time_add_us(w->now, END_LOOK_US));
				sim_world_push(w, item, END_LOOK_US);
				return;
			}
		}
	sim_node_power_on(w, item->node);
}

static void happen(struct sim_world *w, const struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];

	if (wait_for_process(w, item))
		return;
	if (item->what == SIM_FRAME) {
		arrive(w, item);
		return;
	}
	if (item->what == SIM_ASK) {
		sim_arbiter_reached(w, item);
		return;
	}
	if (item->what == SIM_RESET) {
		sim_arbiter_watchdog(w, item);
		return;
	}
	if (item->what == SIM_CARRIER) {
		sim_kernel_carrier(w, item->node);
		return;
	}
	if (wait_for_end(w, item))
		return;
	if (item->epoch != n->epoch) {
		sim_kernel_left(w, item);
		return;
	}
	switch (item->what) {
	case SIM_FRAME:
	case SIM_CARRIER:
		break;
	case SIM_EFFECT:
		sim_kernel_effect(w, item);
		break;
	case SIM_RESULT:
		give_result(w, item);
		break;
	case SIM_SAVED:
		sim_kernel_saved(w, item);
		break;
	case SIM_NEWS:
		give_news(w, item);
		break;
	case SIM_ENGINE:
		sim_node_start(w, item->node);
		break;
	case SIM_RELOAD:
		sim_node_reload(w, item->node);
		break;
	case SIM_POWER:
		power_on(w, item);
		break;
	case SIM_VERB:
		if (!sim_faults_is_awaited(w))
			sim_faults_ask(w);
		break;
	case SIM_HIT:
		sim_faults_loop(w, item->node);
		break;
	case SIM_ASK:
	case SIM_RESET:
		break;
	case SIM_ANSWER:
		sim_arbiter_answer(w, item);
		break;
	}
}

static uint16_t first_to_wake(const struct sim_world *w)
{
	uint16_t first = 1;

	for (uint16_t n = 2; n <= w->setup.node_count; n++)
		if (yoke_time_before(w->node[n - 1].wake, w->node[first - 1].wake))
			first = n;
	return first;
}

void sim_world_run(struct sim_world *w, yoke_time until)
{
	while (w->failure[0] == '\0') {
		uint16_t sleeper = first_to_wake(w);
		yoke_time wake = w->node[sleeper - 1].wake;
		struct sim_item item;

		if (w->queue_count > 0 && !yoke_time_before(wake, w->queue[0].at)) {
			if (yoke_time_before(until, w->queue[0].at))
				break;
			item = *take(w);
			w->now = yoke_time_max(w->now, item.at);
			happen(w, &item);
		} else {
			if (yoke_time_is_never(wake) || yoke_time_before(until, wake))
				break;
			w->now = yoke_time_max(w->now, wake);
			sim_node_wake(w, sleeper);
		}
		sim_check_step(w);
	}
	w->now = yoke_time_max(w->now, until);
}
