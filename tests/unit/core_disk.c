/* agent/core/disk.c: the lock on a shared disk, as one node goes through it. */
#include "tests/unit/core_pair.h"

enum { LEASE_MS = 2000, STALE_MS = LEASE_MS + LEASE_MS / 100 + 1, TEST_MS = 5000 };

static struct pair pair;
static struct core_slot slots[YOKE_NODES_MAX];

static void answer(struct pair *p, uint16_t node)
{
	struct core_event ev = {.type = CORE_ANSWER};
	struct core_action *a = &p->ask[node - 1][0];

	if (a->u.ask.kind == CORE_ASK_WRITE)
		slots[node - 1] = a->u.ask.slot;
	ev.u.answer.id = a->u.ask.id;
	ev.u.answer.result = CORE_RESULT_DONE;
	memcpy(ev.u.answer.slot, slots, sizeof(slots));
	a->u.ask.id = 0;
	pair_give(p, node, &ev);
}

/* Answers until nothing is asked; a disk that is read-only fails what is written. */
static void answer_all(struct pair *p, bool read_only)
{
	while (pair_asked(p, BETA, 1) != 0)
		if (read_only && pair_asked(p, BETA, 1) == CORE_ASK_WRITE)
			pair_answer(p, BETA, 1, CORE_RESULT_FAILED, 0);
		else
			answer(p, BETA);
}

static void set_up(struct pair *p)
{
	memset(slots, 0, sizeof(slots));
	pair_init(p);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->group[0].exclusive = true;
		c->lease_ms = LEASE_MS;
		c->watchdog_ms = 1000;
		c->arbiter_count = 1;
		c->arbiter[0].type = YOKE_ARBITER_TYPE_DISK;
		c->arbiter[0].timeout_ms = 1000;
	}
}

static void start(struct pair *p)
{
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
}

/* Beta lost alpha, which owned the group, and wants the lock. */
static void form(struct pair *p)
{
	set_up(p);
	start(p);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_power_off(p, ALPHA);
	p->wire = false;
}

static void lose_alpha(struct pair *p)
{
	pair_path(p, BETA, 1, YOKE_PATH_DOWN);
	pair_path(p, BETA, 2, YOKE_PATH_DOWN);
}

static bool holds(struct pair *p)
{
	return p->core[1].arbiter[0].state == YOKE_ARBITER_HELD;
}

static void run(struct pair *p, int64_t span_ms)
{
	for (; span_ms > 0; span_ms -= 10) {
		while (pair_asked(p, BETA, 1) != 0)
			answer(p, BETA);
		pair_run(p, 10);
	}
}

/* As far as the write that has it, which is out. */
static void ask_to_hold(struct pair *p)
{
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_READ);
	answer(p, BETA);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_CLAIM);
	answer(p, BETA);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_HELD);
	assert_false(holds(p));
}

static void free_lock_is_claimed_and_held(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	lose_alpha(p);
	ask_to_hold(p);
	answer(p, BETA);
	assert_true(holds(p));
}

static void living_holder_is_left_alone(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	slots[0] = (struct core_slot){CORE_SLOT_HELD, 3, 1};
	lose_alpha(p);
	for (int i = 0; i < 10; i++) {
		run(p, LEASE_MS - 100);
		slots[0].sequence++;
	}
	assert_false(holds(p));
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
	run(p, STALE_MS + 500);
	assert_true(holds(p));
	assert_true(slots[1].round > 3);
}

/* Who did not run for a while has seen nothing of what the holder wrote meanwhile. */
static void resumed_node_reads_before_it_claims(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	slots[0] = (struct core_slot){CORE_SLOT_HELD, 3, 1};
	lose_alpha(p);
	run(p, LEASE_MS / 2);
	while (pair_asked(p, BETA, 1) != CORE_ASK_READ)
		pair_run(p, 10);
	p->now = yoke_time_add_ms(p->now, 10 * LEASE_MS);
	answer(p, BETA); /* of before */
	slots[0].sequence += 40;
	pair_run(p, LEASE_MS / 4);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_READ);
	run(p, LEASE_MS / 2);
	assert_false(holds(p));
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
}

/* What was read when all was well says nothing of now. */
static void claim_follows_a_read(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	p->core[1].conf.arbiter[0].test_ms = 60000;
	run(p, 1000);
	assert_true(p->core[1].arbiter[0].slot_known);
	slots[0] = (struct core_slot){CORE_SLOT_HELD, 1, 1};
	lose_alpha(p);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_READ);
	run(p, LEASE_MS / 2);
	assert_false(holds(p));
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
}

/* A claim may land late, and a node die in the middle of a write: nothing of that is held. */
static void only_what_is_held_keeps_a_holder_from_its_lock(void **state)
{
	static const struct core_slot others[] = {{CORE_SLOT_CLAIM, 1000, 1},
						  {CORE_SLOT_BAD, 0, 12345}};
	struct pair *p = &pair;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		form(p);
		lose_alpha(p);
		run(p, 100);
		assert_true(holds(p));
		slots[0] = others[i];
		run(p, 2 * STALE_MS);
		assert_true(holds(p));
		assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_RELEASED), 0);
		slots[0] = (struct core_slot){CORE_SLOT_HELD, 1000, 2};
		run(p, LEASE_MS);
		assert_false(holds(p));
	}
}

/* Two claims: whose lease does not run yet is not known to be alive to who claims. */
static void first_hold_gives_way_to_a_higher_claim(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	lose_alpha(p);
	ask_to_hold(p);
	slots[0] = (struct core_slot){CORE_SLOT_CLAIM, 1000, 1};
	answer(p, BETA);
	assert_false(holds(p));
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_FREE);
}

/* A node that lost the owner claims; the other one's claim of the same round lands before that:
 * what it does next with its slot. */
static enum core_slot_state meet_a_claim(struct pair *p, uint16_t node, uint16_t other)
{
	set_up(p);
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(p, n, 1)->node[0] = other;
		pair_group_conf(p, n, 1)->node[1] = node;
	}
	start(p);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, other, 1), YOKE_GROUP_STARTED);
	pair_power_off(p, other);
	p->wire = false;
	pair_path(p, node, 1, YOKE_PATH_DOWN);
	pair_path(p, node, 2, YOKE_PATH_DOWN);
	assert_int_equal(pair_asked(p, node, 1), CORE_ASK_READ);
	answer(p, node);
	assert_int_equal(p->ask[node - 1][0].u.ask.slot.state, CORE_SLOT_CLAIM);
	slots[other - 1] = (struct core_slot){.state = CORE_SLOT_CLAIM,
					      .round = p->ask[node - 1][0].u.ask.slot.round,
					      .sequence = 1};
	answer(p, node);
	for (unsigned i = 0; i < 100 && pair_asked(p, node, 1) != CORE_ASK_WRITE; i++) {
		slots[other - 1].state = CORE_SLOT_FREE; /* and the other one gives way, at last */
		if (pair_asked(p, node, 1) == CORE_ASK_READ)
			answer(p, node);
		pair_run(p, 100);
	}
	assert_int_equal(pair_asked(p, node, 1), CORE_ASK_WRITE);
	return p->ask[node - 1][0].u.ask.slot.state;
}

static void of_two_claims_of_one_round_the_first_node_goes_on(void **state)
{
	(void)state;
	assert_int_equal(meet_a_claim(&pair, BETA, ALPHA), CORE_SLOT_FREE);
	assert_int_equal(meet_a_claim(&pair, ALPHA, BETA), CORE_SLOT_CLAIM);
}

/* What was ignored when the lease ran may have succeeded when it did not. */
static void renewal_after_the_lease_is_a_new_claim(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	lose_alpha(p);
	run(p, 100);
	slots[0] = (struct core_slot){CORE_SLOT_CLAIM, 1000, 1};
	run(p, LEASE_MS);
	for (unsigned i = 0; i < LEASE_MS && pair_asked(p, BETA, 1) == 0; i++)
		pair_run(p, 1);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	p->now = yoke_time_add_ms(p->now, 2 * LEASE_MS);
	answer(p, BETA);
	assert_false(holds(p));
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_READ);
	run(p, STALE_MS + 500);
	assert_true(holds(p));
	assert_true(slots[1].round > 1000);
}

static void lock_is_given_back_with_the_reason(void **state)
{
	struct core_event leave = {.type = CORE_LEAVE};
	struct pair *p = &pair;

	(void)state;
	form(p);
	lose_alpha(p);
	run(p, 500);
	assert_true(holds(p));
	pair_give(p, BETA, &leave);
	run(p, 500);
	assert_false(holds(p));
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
	assert_string_equal(pair_last(p, BETA, YOKE_EVENT_ARBITER_RELEASED)->reason,
			    "this node leaves the cluster");
}

/* A damaged slot is one that may be held, until its bytes have not changed for a lease. */
static void damaged_slot_must_become_stale(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	slots[0] = (struct core_slot){CORE_SLOT_BAD, 0, 12345};
	lose_alpha(p);
	run(p, STALE_MS - 100);
	assert_false(holds(p));
	run(p, 600);
	assert_true(holds(p));
}

/* Two claims: the lower round gives way, and what it writes ends every lease of ours.  The next
 * engine knows of what may run nevertheless. */
static void giving_way_ends_the_inherited_lease(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	p->conf[1].ran_exclusive = true;
	p->conf[1].lease = yoke_time_add_ms(p->now, LEASE_MS);
	pair_power_off(p, BETA);
	p->address[1][0] = p->address[1][1] = true; /* an engine before ran it */
	pair_start(p, BETA);
	assert_true(p->core[1].inherited.us > p->now.us);
	lose_alpha(p);
	for (unsigned i = 0; i < LEASE_MS && pair_asked(p, BETA, 1) != CORE_ASK_WRITE; i++) {
		if (pair_asked(p, BETA, 1) != 0)
			answer(p, BETA);
		else
			pair_run(p, 1);
	}
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	assert_true(p->core[1].inherited.us > p->now.us);
	slots[0] = (struct core_slot){CORE_SLOT_CLAIM, 1000, 1};
	p->by_hand[CORE_RUN_STOP] = true;
	answer(p, BETA);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_FREE);
	assert_int_equal(p->core[1].inherited.us, 0);
	pair_run(p, 10);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STOPPING);
	assert_true(p->lease[1].u.lease.exclusive);
	assert_true(yoke_time_due(p->lease[1].u.lease.until, p->now));
	p->conf[1].ran_exclusive = p->lease[1].u.lease.exclusive;
	p->conf[1].lease = p->lease[1].u.lease.until;
	p->by_hand[CORE_RUN_PROBE] = true;
	pair_start(p, BETA);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STOPPING);
}

/* After a write that was torn no content of ours comes twice. */
static void goes_on_above_a_damaged_own_slot(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	slots[1] = (struct core_slot){CORE_SLOT_BAD, 0, 777};
	lose_alpha(p);
	answer(p, BETA);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	assert_int_equal(p->ask[1][0].u.ask.slot.sequence, 778);
}

/* After a write another is read in our slot than we wrote. */
static void overwrite(struct pair *p, struct core_slot by)
{
	struct core_event ev = {.type = CORE_ANSWER};

	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	slots[1] = by;
	ev.u.answer.id = p->ask[1][0].u.ask.id;
	ev.u.answer.result = CORE_RESULT_DONE;
	memcpy(ev.u.answer.slot, slots, sizeof(slots));
	p->ask[1][0].u.ask.id = 0;
	pair_give(p, BETA, &ev);
}

/* Two machines that both believe to be beta write the same slot: neither may take it for its. */
static void what_is_not_read_back_is_not_held(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	lose_alpha(p);
	answer(p, BETA);
	answer(p, BETA);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_HELD);
	overwrite(p, (struct core_slot){CORE_SLOT_HELD, 7, 70});
	assert_false(holds(p));
	assert_int_equal(p->core[1].arbiter[0].state, YOKE_ARBITER_FAILED);
	assert_non_null(strstr(p->core[1].arbiter[0].reason, "another writes our slot"));
	pair_run(p, LEASE_MS / 8);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_READ);
	answer(p, BETA);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_CLAIM);
	assert_true(p->ask[1][0].u.ask.slot.round > 7);
	assert_int_equal(p->ask[1][0].u.ask.slot.sequence, 71);
	run(p, 500);
	assert_true(holds(p));
	while (pair_asked(p, BETA, 1) == 0)
		pair_run(p, 10);
	overwrite(p, (struct core_slot){CORE_SLOT_CLAIM, 6, 60});
	assert_false(holds(p));
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_RELEASED), 1);
}

/* What a dead node left in its slot is not written by it; what changes twice is. */
static void word_for_one_that_writes_its_slot_is_worth_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form(p);
	slots[0] = (struct core_slot){CORE_SLOT_HELD, 3, 1};
	lose_alpha(p);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	answer(p, BETA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_E_LIVES);
	slots[0].sequence++;
	run(p, LEASE_MS / 2);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	slots[0].sequence++;
	run(p, LEASE_MS / 2);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 2);
	assert_false(p->address[1][0]);
}

/* All is well for so long: both are in contact. */
static void rest(struct pair *p, int64_t span_ms, bool read_only)
{
	for (; span_ms > 0; span_ms -= 100) {
		answer_all(p, read_only);
		while (pair_asked(p, ALPHA, 1) != 0)
			answer(p, ALPHA);
		pair_beat(p, 100);
	}
}

static void meet(struct pair *p, int64_t lease_ms)
{
	set_up(p);
	for (unsigned n = 0; n < 2; n++)
		p->conf[n].arbiter[0].test_ms = TEST_MS;
	p->conf[1].ran_exclusive = true;
	p->conf[1].lease = yoke_time_add_ms(p->now, lease_ms);
	start(p);
}

/* While nothing is wrong. */
static void test_writes_a_free_slot(void **state)
{
	struct pair *p = &pair;
	uint64_t before;

	(void)state;
	meet(p, 0);
	rest(p, 1000, false);
	assert_true(slots[1].sequence > 0);
	assert_int_equal(p->core[1].arbiter[0].state, YOKE_ARBITER_READY);
	before = slots[1].sequence;
	rest(p, TEST_MS - 2000, false);
	assert_int_equal(slots[1].sequence, before);
	rest(p, 2000, false);
	assert_int_equal(slots[1].sequence, before + 1);
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
	assert_int_equal(slots[1].round, 0);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 0);
}

/* It is known before it is needed, stays one alarm, and ends with a write that is done. */
static void disk_that_takes_no_write_is_an_alarm(void **state)
{
	struct pair *p = &pair;

	(void)state;
	meet(p, 0);
	rest(p, 1000, false);
	rest(p, 3 * TEST_MS, true);
	assert_int_equal(p->core[1].arbiter[0].state, YOKE_ARBITER_FAILED);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 1);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_READY), 0);
	rest(p, 2 * TEST_MS, false);
	assert_int_equal(p->core[1].arbiter[0].state, YOKE_ARBITER_READY);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_READY), 1);
}

/* That it can be read then is no end of the alarm: one is told, not one for each try. */
static void disk_that_takes_no_write_stays_an_alarm_when_wanted(void **state)
{
	struct pair *p = &pair;

	(void)state;
	meet(p, 0);
	rest(p, 1000, false);
	pair_power_off(p, ALPHA);
	p->wire = false;
	lose_alpha(p);
	for (int i = 0; i < LEASE_MS / 10; i++) {
		answer_all(p, true);
		pair_run(p, 10);
	}
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 1);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_READY), 0);
	run(p, LEASE_MS / 2);
	assert_true(holds(p));
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_READY), 1);
}

/* What an engine before held it by stays in the slot as long as its lease. */
static void test_leaves_an_inherited_lease_alone(void **state)
{
	struct pair *p = &pair;
	struct core_slot held = {CORE_SLOT_HELD, 3, 7};

	(void)state;
	meet(p, LEASE_MS);
	slots[1] = held;
	rest(p, LEASE_MS - 200, false);
	assert_memory_equal(&slots[1], &held, sizeof(held));
	assert_true(yoke_time_before(p->now, p->core[1].inherited));
	rest(p, 500, false);
	assert_int_equal(slots[1].state, CORE_SLOT_FREE);
	assert_int_equal(slots[1].sequence, 8);
}

/* The slots that come with a test are as good as those that were asked for. */
static void claim_follows_a_test_that_was_out(void **state)
{
	struct pair *p = &pair;

	(void)state;
	meet(p, 0);
	rest(p, 1000, false);
	while (pair_asked(p, BETA, 1) == 0)
		pair_beat(p, 100);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_WRITE);
	pair_power_off(p, ALPHA);
	p->wire = false;
	lose_alpha(p);
	answer(p, BETA);
	assert_int_equal(p->ask[1][0].u.ask.slot.state, CORE_SLOT_CLAIM);
}

/* It does not come back: the next question is asked when a read would have been given up, too. */
static void test_that_hangs_is_given_up_as_a_read_is(void **state)
{
	struct pair *p = &pair;
	int64_t given_up_ms[2];

	(void)state;
	for (int known = 0; known < 2; known++) {
		meet(p, 0);
		rest(p, known ? 1000 : 0, false);
		while (pair_asked(p, BETA, 1) == 0)
			pair_beat(p, 100);
		assert_int_equal(pair_asked(p, BETA, 1), known ? CORE_ASK_WRITE : CORE_ASK_READ);
		given_up_ms[known] = yoke_time_span_us(p->now, p->core[1].arbiter[0].ask_deadline);
	}
	assert_true(given_up_ms[1] <= given_up_ms[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_lock_is_claimed_and_held),
		cmocka_unit_test(living_holder_is_left_alone),
		cmocka_unit_test(resumed_node_reads_before_it_claims),
		cmocka_unit_test(claim_follows_a_read),
		cmocka_unit_test(only_what_is_held_keeps_a_holder_from_its_lock),
		cmocka_unit_test(first_hold_gives_way_to_a_higher_claim),
		cmocka_unit_test(of_two_claims_of_one_round_the_first_node_goes_on),
		cmocka_unit_test(renewal_after_the_lease_is_a_new_claim),
		cmocka_unit_test(lock_is_given_back_with_the_reason),
		cmocka_unit_test(damaged_slot_must_become_stale),
		cmocka_unit_test(giving_way_ends_the_inherited_lease),
		cmocka_unit_test(goes_on_above_a_damaged_own_slot),
		cmocka_unit_test(what_is_not_read_back_is_not_held),
		cmocka_unit_test(word_for_one_that_writes_its_slot_is_worth_nothing),
		cmocka_unit_test(test_writes_a_free_slot),
		cmocka_unit_test(disk_that_takes_no_write_is_an_alarm),
		cmocka_unit_test(disk_that_takes_no_write_stays_an_alarm_when_wanted),
		cmocka_unit_test(test_leaves_an_inherited_lease_alone),
		cmocka_unit_test(claim_follows_a_test_that_was_out),
		cmocka_unit_test(test_that_hangs_is_given_up_as_a_read_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
