/* Leases and locks: who may run an exclusive group when nobody answers. */
#include "tests/unit/core_lock.h"

static struct pair pair;

static void beats_renew(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	pair_beat(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_LEASE_EXPIRED), 0);
	assert_true(p->lease[0].u.lease.exclusive);
	assert_false(p->lease[1].u.lease.exclusive);
	assert_true(yoke_time_before(p->now, p->lease[0].u.lease.until));
	assert_false(
		yoke_time_before(yoke_time_add_ms(p->now, LEASE_MS), p->lease[0].u.lease.until));
}

/* The other's word is not enough: before it, or a lock, has renewed our lease nothing starts. */
static void a_word_without_a_lease_starts_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[1].arbiter_count = 0;
	lock_form(p);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STARTING), 1);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
}

static void nobody_renews(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	lock_cut(p);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	ev.u.message.node = BETA;
	ev.u.message.path = 1;
	ev.u.message.incarnation = p->conf[1].incarnation;
	ev.u.message.echoed = p->now;
	ev.u.message.size = p->beat_size[1];
	memcpy(ev.u.message.bytes, p->beat[1], p->beat_size[1]);
	p->wire = false;
	lock_late(p, ALPHA);
	pair_run(p, LEASE_MS - 100);
	pair_give(p, ALPHA, &ev);
	pair_run(p, 100);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

static void owner_holds_lock(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	p->wire = false;
	lock_late(p, ALPHA);
	lock_late(p, BETA);
	assert_int_equal(pair_asked(p, ALPHA, LOCK), CORE_ASK_CLAIM);
	assert_int_equal(pair_asked(p, BETA, LOCK), 0);
	pair_answer(p, ALPHA, LOCK, CORE_RESULT_DONE, 0);
	pair_run(p, PAIR_DEAD_MS / 2);
	lock_silence(p, ALPHA);
	lock_silence(p, BETA);
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

static void lock_and_expired_lease_start(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
	lock_hold(p, OVER_MS - 100);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_GROUP_HELD), 0);
	lock_hold(p, 100 + 300);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_true(p->lease[1].u.lease.exclusive);
	lock_hold(p, 20000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

static void watchdog_of_alpha(bool works)
{
	struct core_event ev = {.type = CORE_WATCHDOG, .u.watchdog.works = works};

	pair_give(&pair, ALPHA, &ev);
}

/* Nothing resets it: its stops may take the time that they are given. */
static void who_has_no_watchdog_is_waited_for_longer(void **state)
{
	enum { STOPS_MS = 20000 };
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].resource[0].stop_ms = p->conf[1].resource[0].stop_ms = STOPS_MS;
	lock_form(p);
	watchdog_of_alpha(false);
	pair_beat(p, 1000);
	/* An engine that starts in the silence has not heard of it itself. */
	lock_cut(p);
	pair_start(p, BETA);
	pair_power_off(p, ALPHA);
	lock_hold(p, LEASE_MS + STOPS_MS);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	lock_hold(p, 30000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_watchdog_that_works_again_is_told(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	for (int i = 0; i < 2; i++) {
		watchdog_of_alpha(false);
		pair_beat(p, 11000);
		for (uint16_t n = ALPHA; n <= BETA; n++)
			assert_non_null(strstr(pair_last(p, n, YOKE_EVENT_NOT_READY)->reason,
					       "alpha's watchdog does not work"));
		watchdog_of_alpha(true);
		pair_beat(p, 1000);
		for (uint16_t n = ALPHA; n <= BETA; n++)
			assert_int_equal(pair_told(p, n, YOKE_EVENT_READY), (unsigned)i + 1);
	}
	pair_power_off(p, ALPHA);
	lock_cut(p);
	lock_hold(p, OVER_MS + 300);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* What only the standby cannot reach would fail the takeover. */
static void what_does_not_work_for_the_other_is_told_here(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].arbiter[0].test_ms = p->conf[1].arbiter[0].test_ms = 10000;
	lock_form(p);
	for (int i = 0; i < 60; i++) {
		pair_beat(p, 1000);
		if (pair_asked(p, ALPHA, LOCK) != 0)
			pair_answer(p, ALPHA, LOCK, CORE_RESULT_DONE, 0);
		if (pair_asked(p, BETA, LOCK) != 0)
			pair_answer(p, BETA, LOCK, CORE_RESULT_FAILED, 0);
	}
	assert_non_null(pair_last(p, ALPHA, YOKE_EVENT_NOT_READY));
	assert_non_null(strstr(pair_last(p, ALPHA, YOKE_EVENT_NOT_READY)->reason,
			       "judge does not work for beta"));
}

/* Who loses the lock while it waits must wait anew. */
static void lapsed_lock_waits_anew(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
	lock_hold(p, OVER_MS - LEASE_MS - 500);
	pair_run(p, LEASE_MS + 500);
	lock_hold(p, WATCHDOG_MS - 500);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	lock_hold(p, 2000);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	lock_cut(p);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_answer(p, BETA, LOCK, CORE_RESULT_ANSWERED, ALPHA);
	refuse(p, LEASE_MS, CORE_RESULT_ANSWERED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	refuse(p, LEASE_MS / 2, CORE_RESULT_ANSWERED);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 2);
	assert_false(p->address[1][0]);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_E_LIVES);
	refuse(p, 20000, CORE_RESULT_FAILED);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	lock_cut(p);
	pair_answer(p, BETA, LOCK, CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_E_LIVES);
	refuse(p, LEASE_MS, CORE_RESULT_FAILED);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_E_LIVES);
	refuse(p, LEASE_MS, CORE_RESULT_FAILED);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	refuse(p, 4 * LEASE_MS, CORE_RESULT_FAILED);
	refuse(p, LEASE_MS, CORE_RESULT_ANSWERED);
	lock_hold(p, 2 * LEASE_MS);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 0);
}

/* An engine that starts again has the lease of the one before it, and no longer. */
static void engine_inherits(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	p->wire = false;
	p->conf[0].ran_exclusive = true;
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	pair_power_off(p, BETA);
	pair_give(p, ALPHA, &(struct core_event){.type = CORE_TIMER});
	lock_silence(p, ALPHA);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].ran_exclusive = true;
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	pair_news(p, BETA, 1, CORE_NEWS_UNUSABLE);
	pair_power_off(p, ALPHA);
	lock_silence(p, BETA);
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
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[0].digest[0] = 1;
	p->conf[0].section[CORE_SECTION_CLUSTER] = 1;
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_silence(p, BETA);
	lock_hold(p, 2 * OVER_MS + 10000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* A word of before our lease was over comes after it was renewed. */
static void an_old_word_does_not_grant_again(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_MESSAGE};

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
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

static void with_reference(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_PING);
	p->conf[0].arbiter[0].test_ms = p->conf[1].arbiter[0].test_ms = 3600000;
}

static void deaf_owner_hands_over(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_form(p);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_PING);
	pair_beat(p, 500);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_beat(p, 500);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_PING);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_beat(p, 4000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* The network is at fault, and one of them finds it out first. */
static void who_is_deaf_first_waits_for_the_other(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_form(p);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_beat(p, 1000);
	pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
	pair_beat(p, 1000);
	pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
	pair_beat(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
}

/* It asked just before the owner told that it is deaf, and nothing else happens. */
static void who_has_asked_just_before_asks_again(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_form(p);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_core(p, BETA)->arbiter[0].asked_at = p->now;
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_run(p, PAIR_DEAD_MS);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_PING);
}

/* They are asked in turns: one of the two hears it first when the network is well again. */
static void who_was_as_deaf_hears_again_and_the_owner_asks_first(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_form(p);
	for (int i = 0; i < 2; i++) {
		pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
		pair_beat(p, 100);
		pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
		pair_beat(p, 100);
	}
	pair_beat(p, 60000);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_PING);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_beat(p, 2000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_PING);
	pair_answer(p, ALPHA, 1, CORE_RESULT_DONE, 0);
	pair_beat(p, 60000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
}

/* Of one that is in standby nobody knows whether it hears. */
static void who_comes_out_of_standby_is_compared_with(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_form(p);
	assert_int_equal(pair_ask(p, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_beat(p, 500);
	for (int i = 0; i < 2; i++) {
		pair_answer(p, ALPHA, 1, CORE_RESULT_FAILED, 0);
		pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
		pair_beat(p, 500);
	}
	pair_beat(p, 60000);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_ask(p, ALPHA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair_beat(p, 2000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_answer(p, ALPHA, 1, CORE_RESULT_DONE, 0);
	pair_beat(p, 60000);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
}

static void both_deaf_stay(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
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
		cmocka_unit_test(a_word_without_a_lease_starts_nothing),
		cmocka_unit_test(nobody_renews),
		cmocka_unit_test(old_echo_renews_nothing),
		cmocka_unit_test(owner_holds_lock),
		cmocka_unit_test(lock_and_expired_lease_start),
		cmocka_unit_test(who_has_no_watchdog_is_waited_for_longer),
		cmocka_unit_test(a_watchdog_that_works_again_is_told),
		cmocka_unit_test(what_does_not_work_for_the_other_is_told_here),
		cmocka_unit_test(lapsed_lock_waits_anew),
		cmocka_unit_test(word_for_one_that_takes_the_lock_is_worth_nothing),
		cmocka_unit_test(word_is_kept_when_the_witness_starts_again),
		cmocka_unit_test(engine_inherits),
		cmocka_unit_test(lease_without_others_is_prolonged_by_us),
		cmocka_unit_test(inherited_lease_ends_before_the_probe),
		cmocka_unit_test(a_grant_ends_with_our_lease),
		cmocka_unit_test(a_persons_word_ends_when_we_stand_still),
		cmocka_unit_test(silence_of_another_configuration_proves_nothing),
		cmocka_unit_test(an_old_word_does_not_grant_again),
		cmocka_unit_test(deaf_owner_hands_over),
		cmocka_unit_test(who_is_deaf_first_waits_for_the_other),
		cmocka_unit_test(who_has_asked_just_before_asks_again),
		cmocka_unit_test(who_was_as_deaf_hears_again_and_the_owner_asks_first),
		cmocka_unit_test(who_comes_out_of_standby_is_compared_with),
		cmocka_unit_test(both_deaf_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
