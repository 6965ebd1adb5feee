/* What decides from outside: a shared disk, a witness, fence devices, reference addresses, and each
 * node's watchdog.
 *
 * A question takes a while to reach its arbiter, does what it does there at that instant, and its
 * answer takes a while, too.  A disk keeps the order of one node's writes, as its process has one
 * question at a time; a witness ignores what is older than what it has heard of a node.  A lock
 * that `fails` can be read, and takes no write.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "tests/sim/world.h"

enum {
	DISK_US = 4000, /* until a question is there at most, and back */
	WITNESS_US = 2000,
	PING_US = 6000, /* a slow one may be late */
	SLOW_FACTOR = 100,
	BOOT_US = 3000000, /* of a machine that its watchdog reset, at most */
	GRACE_MS = 1000,   /* a program's own time-out comes so much before the core's */
};

static const char *const kinds[] = {"",      "off",     "status", "read", "write",
				    "claim", "release", "look",   "ping"};

unsigned sim_arbiter_count(const struct sim_world *w, enum yoke_arbiter_type type)
{
	unsigned count = 0;

	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		count += w->setup.arbiter[a] == type;
	return count;
}

bool sim_arbiter_has(const struct sim_world *w, enum yoke_arbiter_type type)
{
	return sim_arbiter_count(w, type) > 0;
}

bool sim_arbiter_has_lock(const struct sim_world *w)
{
	return sim_arbiter_has(w, YOKE_ARBITER_TYPE_DISK) ||
	       sim_arbiter_has(w, YOKE_ARBITER_TYPE_WITNESS);
}

/* By its type; from the second of one on with a number. */
static void name_one(const struct sim_setup *s, unsigned arbiter, char name[YOKE_NAME_SIZE])
{
	const char *type = yoke_word_arbiter_type((int)s->arbiter[arbiter]);
	unsigned number = 1;

	for (unsigned a = 0; a < arbiter; a++)
		number += s->arbiter[a] == s->arbiter[arbiter];
	if (number == 1)
		snprintf(name, YOKE_NAME_SIZE, "%s", type);
	else
		snprintf(name, YOKE_NAME_SIZE, "%s%u", type, number);
}

void sim_arbiter_init(struct sim_world *w)
{
	w->names.arbiter_count = w->setup.arbiter_count;
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		name_one(&w->setup, a, w->names.arbiter[a]);
}

void sim_arbiter_configure(const struct sim_world *w, struct core_conf *conf)
{
	const struct sim_setup *s = &w->setup;

	conf->lease_ms = s->lease_ms;
	conf->watchdog_ms = s->watchdog_ms;
	conf->arbiter_count = s->arbiter_count;
	for (unsigned a = 0; a < s->arbiter_count; a++) {
		struct core_arbiter_conf *to = &conf->arbiter[a];

		to->type = s->arbiter[a];
		name_one(s, a, to->name);
		to->timeout_ms = to->type == YOKE_ARBITER_TYPE_FENCE ? s->fence_us / 500 : 1000;
		to->test_ms = s->test_ms;
		to->level = s->is_second[a] ? 2 : 1;
		to->delay_ms = s->delay_ms;
		to->retries = (uint16_t)(1 + s->more_retries);
		for (unsigned n = 0; n < s->node_count; n++)
			to->node[n] = true;
	}
}

/* The same for people, with one group of one address. */
static void configure_bound(const struct sim_world *w, struct conf *conf)
{
	const struct sim_setup *s = &w->setup;
	struct core_conf core;

	memset(conf, 0, sizeof(*conf));
	conf->dead_ms = s->dead_ms;
	conf->late_ms = s->late_ms;
	conf->interval_ms = s->interval_ms;
	conf->conflict_ms = s->conflict_ms;
	conf->lease_ms = s->lease_ms;
	conf->watchdog_ms = s->watchdog_ms;
	conf->watchdog[0] = '/';
	conf->group[0].resource_count = 1;
	conf->resource[0].type = YOKE_RESOURCE_TYPE_ADDRESS;
	conf->group[0].node_count = s->node_count;
	for (uint16_t n = 0; n < s->node_count; n++)
		conf->group[0].node[n] = n;
	sim_arbiter_configure(w, &core);
	conf->arbiter_count = core.arbiter_count;
	for (unsigned a = 0; a < core.arbiter_count; a++) {
		conf->arbiter[a].type = core.arbiter[a].type;
		conf->arbiter[a].timeout_ms = core.arbiter[a].timeout_ms;
		conf->arbiter[a].level = core.arbiter[a].level;
		conf->arbiter[a].delay_ms = core.arbiter[a].delay_ms;
		memcpy(conf->arbiter[a].node, core.arbiter[a].node, sizeof(core.arbiter[a].node));
	}
}

/* For both nodes. */
static bool works(const struct sim_world *w, unsigned arbiter)
{
	const struct sim_arbiter *a = &w->arbiter[arbiter];

	return !sim_world_in_force(w, a->down_until) && !sim_world_in_force(w, a->fails_until);
}

static bool is_of_level(const struct sim_world *w, unsigned arbiter, bool is_second)
{
	return w->setup.arbiter[arbiter] == YOKE_ARBITER_TYPE_FENCE &&
	       w->setup.is_second[arbiter] == is_second;
}

/* All of one level. */
static bool can_fence(const struct sim_world *w)
{
	for (unsigned level = 1; level <= 2; level++) {
		unsigned count = 0, working = 0;

		for (unsigned a = 0; a < w->setup.arbiter_count; a++) {
			count += is_of_level(w, a, level == 2);
			working += is_of_level(w, a, level == 2) && works(w, a);
		}
		if (count > 0 && working == count)
			return true;
	}
	return false;
}

static unsigned working_locks(const struct sim_world *w)
{
	unsigned count = 0;

	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		count += (w->setup.arbiter[a] == YOKE_ARBITER_TYPE_DISK ||
			  w->setup.arbiter[a] == YOKE_ARBITER_TYPE_WITNESS) &&
			 works(w, a);
	return count;
}

/* A majority of the locks decides.  Where none of them answers, which who takes over may have to
 * find out first, it is switched off; where some do, only by who has the majority. */
static int64_t bound_exclusive_ms(const struct sim_world *w, const struct conf *conf)
{
	struct conf_bound lease = conf_bound_lease(conf, &conf->group[0]);
	struct conf_bound fence = conf_bound_fence(conf, &conf->group[0]);
	unsigned locks = sim_arbiter_count(w, YOKE_ARBITER_TYPE_DISK) +
			 sim_arbiter_count(w, YOKE_ARBITER_TYPE_WITNESS);
	int64_t lease_ms = lease.total_ms - lease.start_ms;
	int64_t fence_ms = fence.total_ms - fence.start_ms;

	if (working_locks(w) < locks)
		fence_ms += w->setup.lease_ms;
	if (!can_fence(w) || (working_locks(w) > 0 && working_locks(w) <= locks / 2))
		fence_ms = INT64_MAX;
	if (working_locks(w) <= locks / 2)
		return fence_ms;
	return lease_ms < fence_ms ? lease_ms : fence_ms;
}

int64_t sim_arbiter_bound_us(const struct sim_world *w, bool exclusive)
{
	static struct conf conf;
	struct conf_bound b;
	int64_t ms;

	configure_bound(w, &conf);
	b = conf_bound_silence(&conf, &conf.group[0]);
	ms = exclusive ? bound_exclusive_ms(w, &conf) : b.total_ms - b.start_ms;
	return ms == INT64_MAX ? INT64_MAX : ms * 1000;
}

/* ---- asking ---- */

static uint32_t travel_us(const struct sim_world *w, unsigned arbiter)
{
	switch (w->setup.arbiter[arbiter]) {
	case YOKE_ARBITER_TYPE_FENCE:
		return w->setup.fence_us / 2;
	case YOKE_ARBITER_TYPE_DISK:
		return DISK_US;
	case YOKE_ARBITER_TYPE_PING:
		return PING_US;
	default:
		return WITNESS_US;
	}
}

static bool is_reachable(const struct sim_world *w, unsigned arbiter, uint16_t node)
{
	return !sim_world_in_force(w, w->arbiter[arbiter].down_until) &&
	       !sim_world_in_force(w, w->arbiter[arbiter].cut_until[node - 1]);
}

static int64_t travel(struct sim_world *w, unsigned arbiter)
{
	int64_t us = sim_world_span(w, travel_us(w, arbiter));

	return sim_world_in_force(w, w->arbiter[arbiter].slow_until) ? us * SLOW_FACTOR : us;
}

static void push(struct sim_world *w, enum sim_what what, const struct sim_ask *ask, int64_t in_us)
{
	struct sim_item item = {
		.what = what, .node = ask->node, .id = ask->number, .epoch = ask->epoch};

	sim_world_push(w, &item, in_us);
}

/* Does it change what the arbiter says?  What is asked as a test is no news. */
static bool is_news(const struct sim_world *w, const struct sim_ask *ask)
{
	switch (ask->kind) {
	case CORE_ASK_OFF:
	case CORE_ASK_CLAIM:
	case CORE_ASK_RELEASE:
		return true;
	case CORE_ASK_WRITE:
		return ask->slot.state != CORE_SLOT_FREE ||
		       w->arbiter[ask->arbiter - 1].slot[ask->node - 1].state != CORE_SLOT_FREE;
	default:
		return false;
	}
}

static void show(struct sim_world *w, const struct sim_ask *ask)
{
	if (is_news(w, ask))
		sim_trace_line(&w->trace, w->now, sim_world_name(w, ask->node), "  > ask %s: %s",
			       w->names.arbiter[ask->arbiter - 1], kinds[ask->kind]);
}

/* The oldest one is answered by now, unless its disk stands still. */
static uint32_t next_number(struct sim_world *w)
{
	uint32_t number;

	do
		number = w->ask_next++;
	while (w->ask[number % SIM_ASKS_MAX].used && w->ask[number % SIM_ASKS_MAX].waits);
	return number;
}

/* NULL: over. */
static struct sim_ask *ask_of(struct sim_world *w, const struct sim_item *item)
{
	struct sim_ask *ask = &w->ask[item->id % SIM_ASKS_MAX];

	return ask->used && ask->number == item->id ? ask : NULL;
}

void sim_arbiter_ask(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	uint32_t number = next_number(w);
	struct sim_ask *ask = &w->ask[number % SIM_ASKS_MAX];
	struct sim_arbiter *arbiter = &w->arbiter[a->u.ask.arbiter - 1];

	*ask = (struct sim_ask){.used = true,
				.number = number,
				.node = node,
				.epoch = w->node[node - 1].epoch,
				.arbiter = a->u.ask.arbiter,
				.victim = a->u.ask.node,
				.id = a->u.ask.id,
				.kind = a->u.ask.kind,
				.lease_ms = a->u.ask.lease_ms,
				.timeout_ms = a->u.ask.timeout_ms,
				.slot = a->u.ask.slot,
				.order = w->order_last,
				.result = CORE_RESULT_FAILED};
	sim_check_ask(w, node, a);
	show(w, ask);
	if (w->setup.arbiter[ask->arbiter - 1] == YOKE_ARBITER_TYPE_DISK) {
		if (arbiter->busy[node - 1]) {
			push(w, SIM_ANSWER, ask, 1);
			return;
		}
		arbiter->busy[node - 1] = true;
		ask->waits = true;
	}
	if (is_reachable(w, ask->arbiter - 1u, node) ||
	    w->setup.arbiter[ask->arbiter - 1] == YOKE_ARBITER_TYPE_DISK)
		push(w, SIM_ASK, ask, travel(w, ask->arbiter - 1u));
	else
		push(w, SIM_ANSWER, ask, (int64_t)ask->timeout_ms * 1000);
}

void sim_arbiter_cancel(struct sim_world *w, uint16_t node, uint32_t id)
{
	for (unsigned i = 0; i < SIM_ASKS_MAX; i++)
		if (w->ask[i].used && w->ask[i].node == node && w->ask[i].id == id &&
		    w->setup.arbiter[w->ask[i].arbiter - 1] == YOKE_ARBITER_TYPE_FENCE)
			w->ask[i].used = false;
}

/* ---- arbiters ---- */

/* In every second case; always in an exact world. */
static bool is_likely(struct sim_world *w)
{
	return w->setup.exact || sim_random_permille(&w->random, 500);
}

static void at_disk(struct sim_world *w, struct sim_ask *ask)
{
	struct sim_arbiter *a = &w->arbiter[ask->arbiter - 1];
	bool fails = ask->kind == CORE_ASK_WRITE && sim_world_in_force(w, a->fails_until);

	/* What could not be written may be there nevertheless. */
	if (fails && is_likely(w))
		return;
	if (ask->kind == CORE_ASK_WRITE) {
		bool holds = ask->slot.state == CORE_SLOT_HELD;
		yoke_time *at = a->held_at[ask->node - 1];

		a->slot[ask->node - 1] = ask->slot;
		at[1] = holds ? at[0] : (yoke_time){0};
		at[0] = holds ? w->now : (yoke_time){0};
	}
	if (fails)
		return;
	memcpy(ask->slots, a->slot, sizeof(ask->slots));
	ask->result = CORE_RESULT_DONE;
}

/* As agent/witness_lock.h says. */
static bool must_save(const struct sim_arbiter *a, const struct sim_ask *ask)
{
	return ask->kind == CORE_ASK_LOOK ||
	       (ask->kind == CORE_ASK_CLAIM &&
		(a->holder != ask->node || a->lease_ms != ask->lease_ms)) ||
	       (ask->kind == CORE_ASK_RELEASE && a->holder == ask->node);
}

static bool is_free(const struct sim_world *w, const struct sim_arbiter *a, uint16_t node)
{
	int64_t ms = a->lease_ms;

	return a->holder == 0 || a->holder == node ||
	       yoke_time_due(yoke_time_add_ms(a->renewed_at, ms + ms / 100 + 1), w->now);
}

static void at_witness(struct sim_world *w, struct sim_ask *ask)
{
	struct sim_arbiter *a = &w->arbiter[ask->arbiter - 1];

	if (ask->order < a->order[ask->node - 1])
		return;
	a->order[ask->node - 1] = ask->order;
	ask->result = CORE_RESULT_DONE;
	if (!is_free(w, a, ask->node)) {
		ask->result = CORE_RESULT_ANSWERED;
		ask->holder = a->holder;
	} else if (sim_world_in_force(w, a->fails_until) && must_save(a, ask)) {
		ask->result = CORE_RESULT_FAILED;
	} else if (ask->kind == CORE_ASK_CLAIM) {
		a->holder = ask->node;
		a->renewed_at = w->now;
		a->lease_ms = ask->lease_ms;
	} else if (ask->kind == CORE_ASK_RELEASE && a->holder == ask->node) {
		a->holder = 0;
	}
}

/* What comes of a test proves nothing. */
static bool is_test(const struct sim_world *w, const struct sim_ask *ask)
{
	const struct core_fence *f = &w->node[ask->node - 1].core.fence[ask->victim - 1];

	return f->state != CORE_FENCE_STATUS || f->arbiter != ask->arbiter;
}

static void at_fence(struct sim_world *w, struct sim_ask *ask)
{
	struct sim_arbiter *a = &w->arbiter[ask->arbiter - 1];
	struct sim_node *victim = &w->node[ask->victim - 1];
	struct sim_item item = {.what = SIM_POWER, .node = ask->victim};
	bool lies = sim_world_in_force(w, a->lies_until);

	if (sim_world_in_force(w, a->fails_until)) {
		/* Some devices say that they did it: only their status is honest. */
		if (ask->kind == CORE_ASK_OFF && is_likely(w))
			ask->result = CORE_RESULT_DONE;
		if (ask->kind == CORE_ASK_STATUS && is_likely(w))
			ask->result = victim->powered ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
		return;
	}
	if (ask->kind == CORE_ASK_STATUS) {
		ask->result = victim->powered && !lies ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
		w->check.lied = w->check.lied || (lies && victim->powered && !is_test(w, ask));
		return;
	}
	ask->result = CORE_RESULT_DONE;
	if (lies || !victim->powered)
		return;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, ask->victim), "  is switched off");
	sim_node_power_off(w, ask->victim);
	if (is_likely(w))
		return; /* until somebody comes */
	item.epoch = victim->epoch;
	sim_world_push(w, &item, sim_world_span(w, BOOT_US));
}

void sim_arbiter_reached(struct sim_world *w, const struct sim_item *item)
{
	struct sim_ask *ask = ask_of(w, item);
	struct sim_node *n = &w->node[item->node - 1];
	bool is_disk;

	if (ask == NULL)
		return;
	is_disk = w->setup.arbiter[ask->arbiter - 1] == YOKE_ARBITER_TYPE_DISK;
	if (is_disk && !is_reachable(w, ask->arbiter - 1u, ask->node)) {
		sim_world_push(w, item, 10000); /* the kernel does not let go of it */
		return;
	}
	if (is_disk)
		w->arbiter[ask->arbiter - 1].busy[ask->node - 1] = false;
	ask->waits = false;
	switch (w->setup.arbiter[ask->arbiter - 1]) {
	case YOKE_ARBITER_TYPE_DISK:
		at_disk(w, ask);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
		at_witness(w, ask);
		break;
	case YOKE_ARBITER_TYPE_FENCE:
		at_fence(w, ask);
		break;
	default:
		if (!sim_world_in_force(w, w->arbiter[ask->arbiter - 1].fails_until))
			ask->result = CORE_RESULT_DONE;
		break;
	}
	sim_trace_mix(&w->trace, (uint64_t)ask->result << 8 | ask->kind);
	if (sim_world_in_force(w, n->odd_until) && sim_random_permille(&w->random, 100))
		return;
	ask->twice = sim_world_in_force(w, n->odd_until) && sim_random_permille(&w->random, 300);
	if (ask->twice)
		push(w, SIM_ANSWER, ask, 20 * travel(w, ask->arbiter - 1u));
	push(w, SIM_ANSWER, ask, travel(w, ask->arbiter - 1u));
}

void sim_arbiter_answer(struct sim_world *w, const struct sim_item *item)
{
	struct sim_ask *ask = ask_of(w, item);
	struct core_event ev = {.type = CORE_ANSWER};

	if (ask == NULL)
		return;
	ask->used = ask->twice;
	ask->twice = false;
	ev.u.answer.id = ask->id;
	ev.u.answer.result = ask->result;
	ev.u.answer.node = ask->holder;
	memcpy(ev.u.answer.slot, ask->slots, sizeof(ev.u.answer.slot));
	if (ask->result == CORE_RESULT_FAILED)
		snprintf(ev.u.answer.reason, sizeof(ev.u.answer.reason), "it does not answer");
	sim_node_step(w, ask->node, &ev);
}

bool sim_arbiter_is_writing(const struct sim_world *w, uint16_t node)
{
	for (unsigned i = 0; i < SIM_ASKS_MAX; i++)
		if (w->ask[i].used && w->ask[i].waits && w->ask[i].node == node &&
		    w->ask[i].kind == CORE_ASK_WRITE)
			return true;
	return false;
}

/* A write that is under way lands before the node is up again, or never, or in part. */
void sim_arbiter_power_off(struct sim_world *w, uint16_t node)
{
	for (unsigned i = 0; i < SIM_ASKS_MAX; i++) {
		struct sim_ask *ask = &w->ask[i];

		/* What has reached its disk is done, and was perhaps never answered. */
		if (!ask->used || !ask->waits || ask->node != node)
			continue;
		if (sim_random_permille(&w->random, 500))
			at_disk(w, ask);
		else if (ask->kind == CORE_ASK_WRITE && sim_random_permille(&w->random, 500))
			w->arbiter[ask->arbiter - 1].slot[node - 1] = (struct core_slot){
				.state = CORE_SLOT_BAD,
				.sequence = (uint64_t)sim_random_in(&w->random, 1, INT32_MAX)};
		ask->used = false;
	}
	for (unsigned a = 0; a < w->setup.arbiter_count; a++)
		w->arbiter[a].busy[node - 1] = false;
}

/* ---- the watchdog ---- */

/* When the machine is reset if nothing changes, by the world's clock. */
static yoke_time reset_at(const struct sim_world *w, uint16_t node)
{
	const struct sim_node *n = &w->node[node - 1];
	yoke_time from = YOKE_NEVER;

	if (!n->powered || w->setup.watchdog_ms == 0)
		return YOKE_NEVER;
	if (n->lease_exclusive)
		from = yoke_time_max(sim_node_world(w, node, n->lease_until), n->fed_at);
	if (n->lease_reset)
		from = yoke_time_min(from, n->reset_since);
	return yoke_time_add_ms(from, w->setup.watchdog_ms);
}

void sim_arbiter_lease(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	struct sim_node *n = &w->node[node - 1];
	struct sim_item item = {.what = SIM_RESET, .node = node};
	yoke_time at, fed_at;

	if (a->u.lease.reset && !n->lease_reset)
		n->reset_since = w->now;
	/* Until now, or until what it was fed for was over; that may end before it was said to. */
	fed_at = n->lease_exclusive ? yoke_time_min(w->now, sim_node_world(w, node, n->lease_until))
				    : w->now;
	n->fed_at = yoke_time_max(n->fed_at, fed_at);
	n->lease_until = a->u.lease.until;
	n->lease_exclusive = a->u.lease.exclusive;
	n->lease_reset = a->u.lease.reset;
	n->conf.legacy = a->u.lease.legacy;
	at = reset_at(w, node);
	if (!yoke_time_is_never(at))
		sim_world_push(w, &item,
			       yoke_time_before(w->now, at) ? yoke_time_span_us(w->now, at) : 1);
}

/* Had the engine the time and the means to stop by itself what its lease no longer covers? */
static bool could_stop(const struct sim_world *w, uint16_t node)
{
	const struct sim_node *n = &w->node[node - 1];
	yoke_time since = yoke_time_add_ms(w->now, -(int64_t)w->setup.watchdog_ms);
	/* One that is slow, or never told, is waited for as long as its time-out, and that of what
	 * is to be gone before it. */
	yoke_time told = yoke_time_add_ms(since, -(int64_t)w->setup.operation_ms * 2 -
							 YOKE_GONE_MS - GRACE_MS);

	for (unsigned r = 0; r < SIM_RESOURCES_MAX; r++)
		if (!yoke_time_before(n->busy_until[r], told))
			return false;
	return n->engine && !n->lease_reset && yoke_time_before(n->paused_until, since) &&
	       yoke_time_before(n->stop_fails_until, since) &&
	       yoke_time_before(n->slow_until, told) && yoke_time_before(n->odd_until, told) &&
	       yoke_time_before(sim_node_world(w, node, n->core.started),
				yoke_time_add_ms(since, -(int64_t)w->setup.lease_ms));
}

void sim_arbiter_watchdog(struct sim_world *w, const struct sim_item *item)
{
	struct sim_item on = {.what = SIM_POWER, .node = item->node};
	int64_t boot_us;

	if (!yoke_time_due(reset_at(w, item->node), w->now))
		return;
	if (could_stop(w, item->node))
		sim_world_fail(w, "%s does not stop what its lease no longer covers",
			       sim_world_name(w, item->node));
	sim_trace_line(&w->trace, w->now, sim_world_name(w, item->node),
		       "  the watchdog resets the machine");
	sim_node_power_off(w, item->node);
	boot_us = sim_world_span(w, BOOT_US);
	sim_check_reset(w, item->node, yoke_time_add_us(w->now, boot_us));
	on.epoch = w->node[item->node - 1].epoch;
	sim_world_push(w, &on, boot_us);
}
