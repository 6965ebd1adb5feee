/* Leases, locks and fencing: who may run an exclusive group when nobody answers. */
#include "tests/unit/core_pair.h"

enum {
	LEASE_MS = 2000,
	WATCHDOG_MS = 3000,
	OVER_MS = LEASE_MS + LEASE_MS / 100 + 1 + WATCHDOG_MS + WATCHDOG_MS / 100 + 1,
	LOCK = 1, /* the arbiter's number */
};

static struct pair pair;

static void init(struct pair *p, enum yoke_arbiter_type type)
{
	pair_init(p);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->group[0].exclusive = true;
		c->lease_ms = LEASE_MS;
		c->watchdog_ms = WATCHDOG_MS;
		c->arbiter_count = 1;
		snprintf(c->arbiter[0].name, YOKE_NAME_SIZE, "judge");
		c->arbiter[0].type = type;
		c->arbiter[0].timeout_ms = 1000;
		c->arbiter[0].level = 1;
		c->arbiter[0].node[0] = c->arbiter[0].node[1] = true;
		c->arbiter[0].delay_ms = 5000;
	}
}

/* Alpha owns the group, both are in contact, beats flow. */
static void form(struct pair *p)
{
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void silence(struct pair *p, uint16_t at)
{
	pair_path(p, at, 1, YOKE_PATH_DOWN);
	pair_path(p, at, 2, YOKE_PATH_DOWN);
}

static void late(struct pair *p, uint16_t at)
{
	pair_path(p, at, 1, YOKE_PATH_LATE);
	pair_path(p, at, 2, YOKE_PATH_LATE);
}

/* All paths are cut; half a dead time, then the verdict, on all that run. */
static void cut(struct pair *p)
{
	p->wire = false;
	for (uint16_t n = ALPHA; n <= BETA; n++)
		late(p, n);
	pair_run(p, PAIR_DEAD_MS / 2);
	for (uint16_t n = ALPHA; n <= BETA; n++)
		silence(p, n);
}

static void beats_renew(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_beat(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_LEASE_EXPIRED), 0);
	assert_true(p->lease[0].u.lease.exclusive);
	assert_false(p->lease[1].u.lease.exclusive);
	assert_true(yoke_time_before(p->now, p->lease[0].u.lease.until));
	assert_false(
		yoke_time_before(yoke_time_add_ms(p->now, LEASE_MS), p->lease[0].u.lease.until));
}

static void nobody_renews(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	cut(p);
	pair_run(p, LEASE_MS / 2);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_run(p, LEASE_MS / 2);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_LEASE_EXPIRED), 1);
	pair_run(p, 60000);
	assert_false(p->address[0][0] || p->address[1][0]);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* A lease counts from when we sent what the beat echoes, however late the beat comes. */
static void old_echo_renews_nothing(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_MESSAGE};

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	ev.u.message.node = BETA;
	ev.u.message.path = 1;
	ev.u.message.incarnation = p->conf[1].incarnation;
	ev.u.message.echoed = p->now;
	ev.u.message.size = p->beat_size[1];
	memcpy(ev.u.message.bytes, p->beat[1], p->beat_size[1]);
	p->wire = false;
	late(p, ALPHA);
	pair_run(p, LEASE_MS - 100);
	pair_give(p, ALPHA, &ev);
	pair_run(p, 100);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

static void owner_holds_lock(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	p->wire = false;
	late(p, ALPHA);
	late(p, BETA);
	assert_int_equal(pair_asked(p, ALPHA, LOCK), CORE_ASK_CLAIM);
	assert_int_equal(pair_asked(p, BETA, LOCK), 0);
	pair_answer(p, ALPHA, LOCK, CORE_RESULT_DONE, 0);
	pair_run(p, PAIR_DEAD_MS / 2);
	silence(p, ALPHA);
	silence(p, BETA);
	assert_int_equal(pair_asked(p, BETA, LOCK), CORE_ASK_CLAIM);
	for (int i = 0; i < 100; i++) {
		if (pair_asked(p, BETA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, BETA, LOCK, CORE_RESULT_ANSWERED, ALPHA);
		if (pair_asked(p, ALPHA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, ALPHA, LOCK, CORE_RESULT_DONE, 0);
		pair_run(p, 100);
	}
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	p->wire = true;
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_ARBITER_RELEASED), 1);
}

/* Beta keeps the lock until span_ms have passed. */
static void hold(struct pair *p, int64_t span_ms)
{
	for (; span_ms > 0; span_ms -= 50) {
		if (pair_asked(p, BETA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, BETA, LOCK, CORE_RESULT_DONE, 0);
		pair_run(p, span_ms < 50 ? span_ms : 50);
	}
}

static void lock_and_expired_lease_start(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_power_off(p, ALPHA);
	cut(p);
	hold(p, OVER_MS - 100);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_GROUP_HELD), 0);
	hold(p, 100 + 300);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_true(p->lease[1].u.lease.exclusive);
	hold(p, 20000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* Who loses the lock while it waits must wait anew. */
static void lapsed_lock_waits_anew(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_power_off(p, ALPHA);
	cut(p);
	hold(p, OVER_MS - LEASE_MS - 500);
	pair_run(p, LEASE_MS + 500);
	hold(p, WATCHDOG_MS - 500);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	hold(p, 2000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* Beta does not get the lock. */
static void refuse(struct pair *p, int64_t span_ms, enum core_result result)
{
	for (; span_ms > 0; span_ms -= 50) {
		if (pair_asked(p, BETA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, BETA, LOCK, result, ALPHA);
		pair_run(p, 50);
	}
}

/* Of a lock that it may have from before nothing is concluded. */
static void word_for_one_that_takes_the_lock_is_worth_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	cut(p);
	pair_answer(p, BETA, LOCK, CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	refuse(p, LEASE_MS, CORE_RESULT_ANSWERED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	refuse(p, LEASE_MS / 2, CORE_RESULT_ANSWERED);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 2);
	assert_false(p->address[1][0]);
	pair_run(p, 20000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(p, 2000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* What a witness that starts again says of the one who had the lock is old. */
static void word_is_kept_when_the_witness_starts_again(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	cut(p);
	pair_answer(p, BETA, LOCK, CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	refuse(p, 4 * LEASE_MS, CORE_RESULT_FAILED);
	refuse(p, LEASE_MS, CORE_RESULT_ANSWERED);
	hold(p, 2 * LEASE_MS);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 0);
}

static void leaver_promises(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	p->saves_by_hand = true;
	pair_give(p, BETA, &ev);
	assert_int_equal(pair_node(p, ALPHA, BETA), YOKE_NODE_ONLINE);
	pair_saved(p, BETA, true);
	assert_int_equal(pair_node(p, ALPHA, BETA), YOKE_NODE_LEFT);
	p->saves_by_hand = false;
	pair_power_off(p, BETA);
	p->wire = false;
	pair_run(p, 10 * LEASE_MS);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	p->asks[1] = 0;
	pair_start(p, BETA);
	pair_run(p, 60000);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	p->wire = true;
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	cut(p);
	assert_int_equal(pair_asked(p, BETA, LOCK), CORE_ASK_CLAIM);
}

/* What cannot be read may have been the promise. */
static void damaged_record_is_a_promise(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_give(p, BETA, &ev);
	pair_power_off(p, BETA);
	p->wire = false;
	pair_run(p, 10 * LEASE_MS);
	p->asks[1] = 0;
	p->record_size[1] = 0;
	pair_start_held(p, BETA, "its bytes are damaged");
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair_news(p, BETA, 1, CORE_NEWS_USABLE);
	pair_run(p, 60000);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
}

static void goodbye_of_silent_node_keeps(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_give(p, BETA, &ev);
	pair_power_off(p, BETA);
	p->wire = false;
	pair_run(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_start(p, BETA);
	p->wire = true;
	pair_paths(p, YOKE_PATH_UP);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_beat(p, 5000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* An engine that starts again has the lease of the one before it, and no longer. */
static void engine_inherits(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	p->wire = false;
	p->conf[0].lease = p->lease[0].u.lease.until;
	pair_start(p, ALPHA);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_run(p, LEASE_MS);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* Nobody has to renew it, but an engine that stands still does not keep it. */
static void lease_without_others_is_prolonged_by_us(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_power_off(p, BETA);
	pair_give(p, ALPHA, &(struct core_event){.type = CORE_TIMER});
	silence(p, ALPHA);
	(void)pair_ask(p, ALPHA, YOKE_VERB_CONFIRM_DOWN, 0, BETA);
	for (int i = 0; i < 10; i++) {
		assert_true(p->lease[0].u.lease.exclusive);
		assert_true(yoke_time_before(p->now, p->lease[0].u.lease.until));
		assert_false(yoke_time_before(yoke_time_add_ms(p->now, LEASE_MS),
					      p->lease[0].u.lease.until));
		pair_run(p, LEASE_MS);
	}
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* A probe that hangs must not keep what may run from being stopped in time. */
static void inherited_lease_ends_before_the_probe(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].lease = yoke_time_add_ms(p->now, LEASE_MS);
	p->by_hand[CORE_RUN_PROBE] = true;
	p->address[0][0] = p->address[0][1] = true;
	pair_start(p, ALPHA);
	pair_run(p, LEASE_MS - 100);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	pair_run(p, 200);
	assert_false(p->address[0][0]);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* It was given, the engine stood still before it used it, and another may have the group by now:
 * the first beat that renews the lease must not have it started. */
static void a_grant_ends_with_our_lease(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->by_hand[CORE_RUN_PREPARE] = true;
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 100);
	assert_int_equal(pair_core(p, ALPHA)->node[BETA - 1].claim[0].grant_to, ALPHA);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
	p->wire = false;
	p->now = yoke_time_add_ms(p->now, 3 * LEASE_MS);
	pair_message(p, ALPHA, p->conf[1].incarnation, p->beat[1], p->beat_size[1]);
	for (uint16_t r = 1; r <= PAIR_RESOURCES; r++)
		pair_result(p, ALPHA, r, CORE_RESULT_DONE);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(p->runs[0][CORE_RUN_START], 0);
	/* It is said again, and then it counts. */
	p->wire = true;
	p->by_hand[CORE_RUN_PREPARE] = false;
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* He spoke of then; while we stood still the node may have come back, and found nobody. */
static void a_persons_word_ends_when_we_stand_still(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	pair_news(p, BETA, 1, CORE_NEWS_UNUSABLE);
	pair_power_off(p, ALPHA);
	silence(p, BETA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(p, 20 * LEASE_MS);
	assert_true(pair_core(p, BETA)->node[ALPHA - 1].proven_dead);
	p->now = yoke_time_add_ms(p->now, 2 * LEASE_MS);
	pair_news(p, BETA, 1, CORE_NEWS_USABLE);
	assert_false(pair_core(p, BETA)->node[ALPHA - 1].proven_dead);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
}

/* The lease of a node with another configuration may be longer than ours. */
static void silence_of_another_configuration_proves_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].digest[0] = 1;
	p->conf[0].section[CORE_SECTION_CLUSTER] = 1;
	form(p);
	pair_power_off(p, ALPHA);
	silence(p, BETA);
	hold(p, 2 * OVER_MS + 10000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* A word of before our lease was over comes after it was renewed. */
static void an_old_word_does_not_grant_again(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_MESSAGE};

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->by_hand[CORE_RUN_PREPARE] = true;
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 100);
	assert_int_equal(pair_core(p, ALPHA)->node[BETA - 1].claim[0].grant_to, ALPHA);
	ev.u.message.node = BETA;
	ev.u.message.path = 1;
	ev.u.message.incarnation = p->conf[1].incarnation;
	ev.u.message.echoed = p->now;
	ev.u.message.size = p->message_size[1];
	memcpy(ev.u.message.bytes, p->message[1], p->message_size[1]);
	p->wire = false;
	p->now = yoke_time_add_ms(p->now, 3 * LEASE_MS);
	pair_message(p, ALPHA, p->conf[1].incarnation, p->beat[1], p->beat_size[1]);
	pair_give(p, ALPHA, &ev);
	assert_int_equal(pair_core(p, ALPHA)->node[BETA - 1].claim[0].grant_to, 0);
	ev.u.message.echoed = p->now;
	pair_give(p, ALPHA, &ev);
	assert_int_equal(pair_core(p, ALPHA)->node[BETA - 1].claim[0].grant_to, ALPHA);
}

static void stop_that_fails_resets(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_WITNESS);
	form(p);
	p->by_hand[CORE_RUN_STOP] = true;
	cut(p);
	pair_run(p, LEASE_MS);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPING);
	for (int i = 0; i < 3; i++) {
		assert_false(p->lease[0].u.lease.reset);
		pair_result(p, ALPHA, PAIR_RESOURCES, CORE_RESULT_FAILED);
		pair_run(p, 5000);
	}
	assert_true(p->lease[0].u.lease.reset);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_NODE_RESETTING), 1);
}

/* ---- fencing ---- */

static void fence_proves(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	form(p);
	pair_power_off(p, ALPHA);
	cut(p);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_run(p, 4999);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_run(p, 1);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
	assert_int_equal(p->ask[1][0].u.ask.node, ALPHA);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_STATUS);
	pair_run(p, 500);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	pair_answer(p, BETA, 1, CORE_RESULT_STOPPED, 0);
	pair_run(p, 300);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_GROUP_HELD), 0);
}

static void off_alone_proves_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	form(p);
	pair_power_off(p, ALPHA);
	cut(p);
	pair_run(p, 5000);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_RUNNING, 0);
	pair_run(p, 500);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_FENCE_FAILED), 1);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	pair_run(p, 60000);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
}

/* The owner does not wait; a failed `off` of a node without power is no failure. */
static void owner_fences_first(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	form(p);
	cut(p);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_OFF);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_STATUS);
	pair_answer(p, ALPHA, 1, CORE_RESULT_STOPPED, 0);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_FENCE_SUCCEEDED), 1);
	pair_run(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void levels_in_order(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	for (unsigned n = 0; n < 2; n++) {
		p->conf[n].arbiter_count = 3;
		p->conf[n].arbiter[1] = p->conf[n].arbiter[2] = p->conf[n].arbiter[0];
		p->conf[n].arbiter[0].level = 2;
	}
	form(p);
	cut(p);
	assert_int_equal(pair_asked(p, ALPHA, 1), 0);
	assert_int_equal(pair_asked(p, ALPHA, 2), CORE_ASK_OFF);
	pair_answer(p, ALPHA, 2, CORE_RESULT_DONE, 0);
	pair_answer(p, ALPHA, 2, CORE_RESULT_STOPPED, 0);
	assert_int_equal(pair_asked(p, ALPHA, 3), CORE_ASK_OFF); /* the other supply */
	pair_answer(p, ALPHA, 3, CORE_RESULT_FAILED, 0);
	pair_answer(p, ALPHA, 3, CORE_RESULT_FAILED, 0);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_OFF);
	pair_answer(p, ALPHA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, ALPHA, 1, CORE_RESULT_STOPPED, 0);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_FENCE_SUCCEEDED), 1);
}

static void heard_again_is_not_fenced(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	form(p);
	cut(p);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_OFF);
	p->wire = true;
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 200);
	assert_int_equal(p->cancels[0], 1);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_FENCE_CANCELLED), 1);
	pair_beat(p, 10000);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* A node that has just booted and hears nobody may be the one that was switched off. */
static void stranger_does_not_fence(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_FENCE);
	p->wire = false;
	pair_start(p, BETA);
	pair_run(p, 120000);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* ---- reference addresses ---- */

static void deaf_owner_hands_over(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_PING);
	p->conf[0].arbiter[0].test_ms = p->conf[1].arbiter[0].test_ms = 5000;
	form(p);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_PING);
	pair_beat(p, 500);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_beat(p, 500);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

static void both_deaf_stay(void **state)
{
	struct pair *p = &pair;

	(void)state;
	init(p, YOKE_ARBITER_TYPE_PING);
	p->conf[0].arbiter[0].test_ms = p->conf[1].arbiter[0].test_ms = 5000;
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	for (int i = 0; i < 2; i++) {
		pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
		pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
	}
	pair_paths(p, YOKE_PATH_UP);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beats_renew),
		cmocka_unit_test(nobody_renews),
		cmocka_unit_test(old_echo_renews_nothing),
		cmocka_unit_test(owner_holds_lock),
		cmocka_unit_test(lock_and_expired_lease_start),
		cmocka_unit_test(lapsed_lock_waits_anew),
		cmocka_unit_test(word_for_one_that_takes_the_lock_is_worth_nothing),
		cmocka_unit_test(word_is_kept_when_the_witness_starts_again),
		cmocka_unit_test(leaver_promises),
		cmocka_unit_test(damaged_record_is_a_promise),
		cmocka_unit_test(goodbye_of_silent_node_keeps),
		cmocka_unit_test(engine_inherits),
		cmocka_unit_test(lease_without_others_is_prolonged_by_us),
		cmocka_unit_test(inherited_lease_ends_before_the_probe),
		cmocka_unit_test(a_grant_ends_with_our_lease),
		cmocka_unit_test(a_persons_word_ends_when_we_stand_still),
		cmocka_unit_test(silence_of_another_configuration_proves_nothing),
		cmocka_unit_test(an_old_word_does_not_grant_again),
		cmocka_unit_test(stop_that_fails_resets),
		cmocka_unit_test(fence_proves),
		cmocka_unit_test(off_alone_proves_nothing),
		cmocka_unit_test(owner_fences_first),
		cmocka_unit_test(levels_in_order),
		cmocka_unit_test(heard_again_is_not_fenced),
		cmocka_unit_test(stranger_does_not_fence),
		cmocka_unit_test(deaf_owner_hands_over),
		cmocka_unit_test(both_deaf_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
