/* Nodes that are switched off by a fence agent. */
#include "tests/unit/core_lock.h"

static struct pair pair;

static void fence_proves(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
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

/* Alpha is switched off by a fence agent, and the lock is away. */
static void prove_without_the_lock(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->arbiter_count = 2;
		c->arbiter[1].type = YOKE_ARBITER_TYPE_WITNESS;
		c->arbiter[1].timeout_ms = 1000;
	}
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
	/* The witness is away, the fence device is not. */
	for (int i = 0; i < 40 && pair_asked(p, BETA, 1) != CORE_ASK_OFF; i++) {
		if (pair_asked(p, BETA, 2) != 0)
			pair_answer(p, BETA, 2, CORE_RESULT_FAILED, 0);
		pair_run(p, 250);
	}
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_STOPPED, 0);
	pair_run(p, 1000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* ... a person may say so, too; then beta stands still. */
static void prove_and_stand_still(bool is_said)
{
	struct pair *p = &pair;

	prove_without_the_lock(p);
	if (is_said)
		assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(p, 10000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	/* The machine stands still for a while. */
	p->now = yoke_time_add_ms(p->now, 2 * LEASE_MS);
	pair_timer(p, BETA);
	pair_run(p, 5000);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_proof_outlasts_a_stall(void **state)
{
	(void)state;
	prove_and_stand_still(false);
}

static void a_word_does_not_weaken_a_proof(void **state)
{
	(void)state;
	prove_and_stand_still(true);
}

/* It would only be held here: the service is not to be ended for that. */
static void nobody_is_fenced_for_what_people_move(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	p->conf[0].group[0].manual = p->conf[1].group[0].manual = true;
	lock_form(p);
	p->running[ALPHA - 1] = false; /* its engine hangs, or the paths are cut: it serves on */
	p->wire = false;
	lock_late(p, BETA);
	pair_run(p, PAIR_DEAD_MS / 2);
	lock_silence(p, BETA);
	pair_run(p, 60000);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_FENCE_STARTED), 0);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	/* A person who has seen to it has it run here. */
	pair_power_off(p, ALPHA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(p, 1000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* Beside a group that waits for the proof, one that silence moved: both nodes answered for it. */
static void what_both_had_is_announced_when_one_is_off(void **state)
{
	struct pair *p = &pair;
	unsigned announces;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	pair_two_groups(p, "db", "web");
	pair_group_conf(p, ALPHA, 2)->exclusive = pair_group_conf(p, BETA, 2)->exclusive = false;
	lock_form(p);
	lock_cut(p);
	pair_run(p, 5000);
	assert_int_equal(pair_group(p, BETA, 2), YOKE_GROUP_STARTED);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
	announces = p->announces[BETA - 1];
	pair_power_off(p, ALPHA);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_STOPPED, 0);
	pair_run(p, 500);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_FENCE_SUCCEEDED), 1);
	assert_true(p->announces[BETA - 1] > announces);
}

static void off_alone_proves_nothing(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
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
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	lock_cut(p);
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
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	for (unsigned n = 0; n < 2; n++) {
		p->conf[n].arbiter_count = 3;
		p->conf[n].arbiter[1] = p->conf[n].arbiter[2] = p->conf[n].arbiter[0];
		p->conf[n].arbiter[0].level = 2;
	}
	lock_form(p);
	lock_cut(p);
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
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	lock_cut(p);
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

/* Alpha has the first group, beta the second one. */
static void form_two_owners(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	pair_two_groups(p, "db", "web");
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(p, n, 2)->node[0] = BETA;
		pair_group_conf(p, n, 2)->node[1] = ALPHA;
		pair_group_conf(p, n, 1)->digest = 0x10;
		pair_group_conf(p, n, 2)->digest = 0x20;
	}
	lock_form(p);
	assert_int_equal(pair_group(p, BETA, 2), YOKE_GROUP_STARTED);
}

/* If both waited, or neither, each would be switched off by the other. */
static void of_two_equal_owners_the_first_node_fences_first(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form_two_owners(p);
	lock_cut(p);
	assert_int_equal(pair_asked(p, ALPHA, 1), CORE_ASK_OFF);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_run(p, 5000);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
}

/* Beta's engine starts again with another file; the paths are cut: beta goes first, whose group is
 * the same by both files. */
static void cut_with_another_file(struct pair *p)
{
	p->conf[1].group[0].digest ^= 1;
	p->conf[1].digest[0] ^= 1;
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
	pair_run(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, BETA, 2), YOKE_GROUP_STARTED);
	lock_cut(p);
	assert_int_equal(pair_asked(p, ALPHA, 1), 0);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
}

static void of_two_owners_whose_files_differ_one_fences_first(void **state)
{
	(void)state;
	form_two_owners(&pair);
	pair.conf[1].group[0].node_count = 1;
	cut_with_another_file(&pair);
}

static void a_group_that_the_other_does_not_know_counts_for_nobody(void **state)
{
	(void)state;
	form_two_owners(&pair);
	snprintf(pair.conf[1].group[0].name, YOKE_NAME_SIZE, "old");
	cut_with_another_file(&pair);
}

static void a_group_that_only_one_calls_exclusive_counts_for_nobody(void **state)
{
	(void)state;
	form_two_owners(&pair);
	pair.conf[1].group[0].exclusive = false;
	cut_with_another_file(&pair);
}

/* The next engine has not heard what beta has; by its own file db is alpha's alone. */
static void nobody_is_fenced_for_an_own_group_by_the_next_engine(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_group_conf(p, n, 1)->node_count = 1;
	lock_form(p);
	lock_cut(p);
	p->conf[0].legacy.met = 1u << (BETA - 1);
	p->conf[0].before = p->now;
	pair_start(p, ALPHA);
	pair_run(p, 3000 + 3 * 5000);
	assert_int_equal(pair_node(p, ALPHA, BETA), YOKE_NODE_LOST);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_asked(p, ALPHA, 1), 0);
}

static void restart_beta(struct pair *p, struct core_legacy legacy)
{
	p->conf[1].legacy = legacy;
	p->conf[1].before = p->now;
	memset(p->ask[1], 0, sizeof(p->ask[1]));
	pair_start(p, BETA);
}

static void lose_alpha(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	pair_power_off(p, ALPHA);
	lock_cut(p);
	pair_run(p, 5000);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
	assert_int_equal(p->lease[1].u.lease.legacy.met, 1 << (ALPHA - 1));
	assert_int_equal(p->lease[1].u.lease.legacy.off, 0);
}

static void switch_alpha_off(struct pair *p)
{
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
	pair_answer(p, BETA, 1, CORE_RESULT_DONE, 0);
	pair_answer(p, BETA, 1, CORE_RESULT_STOPPED, 0);
	assert_int_equal(p->lease[1].u.lease.legacy.met, 0);
	assert_int_equal(p->lease[1].u.lease.legacy.off, 1 << (ALPHA - 1));
}

/* It knows the other node by the engine before it, and so would the one after it. */
static void the_next_engine_switches_it_off_as_well(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lose_alpha(p);
	restart_beta(p, p->lease[1].u.lease.legacy);
	assert_int_equal(p->lease[1].u.lease.legacy.met, 1 << (ALPHA - 1));
	pair_run(p, 3000 + 3 * 5000);
	switch_alpha_off(p);
	pair_run(p, 1000);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
}

/* The machine may be repaired meanwhile. */
static void the_next_engine_knows_that_it_is_off(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lose_alpha(p);
	switch_alpha_off(p);
	restart_beta(p, p->lease[1].u.lease.legacy);
	assert_int_equal(p->lease[1].u.lease.legacy.off, 1 << (ALPHA - 1));
	pair_run(p, 60000);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->lease[1].u.lease.legacy.off, 1 << (ALPHA - 1));
}

/* Nobody renews its lease, and nobody has to. */
static void the_next_engine_goes_on_when_the_other_is_off(void **state)
{
	struct pair *p = &pair;

	(void)state;
	prove_without_the_lock(p);
	p->conf[1].ran_exclusive = true;
	p->conf[1].lease = p->lease[1].u.lease.until;
	restart_beta(p, p->lease[1].u.lease.legacy);
	for (unsigned i = 0; i < 40; i++) {
		if (pair_asked(p, BETA, 2) != 0)
			pair_answer(p, BETA, 2, CORE_RESULT_FAILED, 0);
		pair_run(p, 250);
	}
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->runs[1][CORE_RUN_STOP], 0);
}

static void the_next_engine_leaves_one_alone_that_has_left(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	lock_form(p);
	pair_give(p, ALPHA, &ev);
	pair_beat(p, 2000);
	assert_int_equal(pair_core(p, BETA)->node[ALPHA - 1].state, YOKE_NODE_LEFT);
	assert_int_equal(p->lease[1].u.lease.legacy.met, 0);
}

/* Its plug is the one of another machine. */
static void the_next_engine_goes_by_no_agent_that_was_wrong(void **state)
{
	struct pair *p = &pair;
	struct core_legacy legacy;

	(void)state;
	lose_alpha(p);
	legacy = p->lease[1].u.lease.legacy;
	legacy.wrong[0] = 1 << (ALPHA - 1);
	restart_beta(p, legacy);
	assert_int_equal(p->lease[1].u.lease.legacy.wrong[0], 1 << (ALPHA - 1));
	pair_run(p, 60000);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* Alpha may own as much, and switch beta off just now. */
static void the_next_engine_waits_before_it(void **state)
{
	struct pair *p = &pair;

	(void)state;
	form_two_owners(p);
	lock_cut(p);
	restart_beta(p, p->lease[1].u.lease.legacy);
	pair_run(p, 3000 + 3 * 5000 - 100);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	pair_run(p, 100);
	assert_int_equal(pair_asked(p, BETA, 1), CORE_ASK_OFF);
}

/* What differs is not told to it: it would take for its own what alpha runs. */
static void the_next_engine_leaves_one_alone_whose_configuration_differs(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	p->conf[0].digest[0]++;
	lock_form(p);
	assert_int_equal(p->lease[1].u.lease.legacy.met, 0);
}

static void an_engine_after_a_pause_switches_nobody_off(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lose_alpha(p);
	restart_beta(p, (struct core_legacy){0});
	pair_run(p, 60000);
	assert_int_equal(pair_asked(p, BETA, 1), 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* A node that has just booted and hears nobody may be the one that was switched off. */
static void stranger_does_not_fence(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	p->wire = false;
	pair_start(p, BETA);
	pair_run(p, 120000);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

enum { FENCE = 1, PING = 2 };

static void with_reference(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->arbiter_count = 2;
		snprintf(c->arbiter[PING - 1].name, YOKE_NAME_SIZE, "gate");
		c->arbiter[PING - 1].type = YOKE_ARBITER_TYPE_PING;
		c->arbiter[PING - 1].timeout_ms = 1000;
		c->arbiter[PING - 1].test_ms = 3600000;
	}
	lock_form(p);
	pair_answer(p, ALPHA, PING, CORE_RESULT_DONE, 0);
	pair_answer(p, BETA, PING, CORE_RESULT_DONE, 0);
	pair_beat(p, 1000);
}

/* It lost all its networks at once, and not the one of the fence device. */
static void who_may_be_deaf_switches_nobody_off(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_cut(p);
	assert_int_equal(pair_asked(p, ALPHA, PING), CORE_ASK_PING);
	assert_int_equal(pair_asked(p, ALPHA, FENCE), 0);
	pair_answer(p, ALPHA, PING, CORE_RESULT_FAILED, 0);
	assert_int_equal(pair_asked(p, ALPHA, FENCE), 0);
	pair_answer(p, ALPHA, PING, CORE_RESULT_FAILED, 0);
	pair_run(p, 100000);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_FENCE_STARTED), 0);
	/* Until it hears again what it asked lately. */
	pair_answer(p, ALPHA, PING, CORE_RESULT_FAILED, 0);
	pair_answer(p, ALPHA, PING, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_asked(p, ALPHA, FENCE), CORE_ASK_OFF);
}

/* Each try needs a new answer. */
static void who_hears_switches_the_silent_one_off(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_reference(p);
	lock_cut(p);
	pair_answer(p, ALPHA, PING, CORE_RESULT_DONE, 0);
	assert_int_equal(pair_asked(p, ALPHA, FENCE), CORE_ASK_OFF);
	pair_answer(p, ALPHA, FENCE, CORE_RESULT_FAILED, 0);
	pair_answer(p, ALPHA, FENCE, CORE_RESULT_FAILED, 0);
	pair_run(p, 100000);
	assert_int_equal(pair_asked(p, ALPHA, FENCE), 0);
	/* It is asked again and again; an answer to what was asked long ago is none. */
	for (int i = 0; i < 20; i++) {
		pair_run(p, 100);
		if (pair_asked(p, ALPHA, PING) == CORE_ASK_PING)
			pair_answer(p, ALPHA, PING, CORE_RESULT_DONE, 0);
	}
	assert_int_equal(pair_asked(p, ALPHA, FENCE), CORE_ASK_OFF);
}

/* A test of the device, and what comes of it in two dead times. */
static void test_says(struct pair *p, uint16_t node, enum core_result result)
{
	assert_int_equal(pair_asked(p, node, FENCE), CORE_ASK_STATUS);
	pair_answer(p, node, FENCE, result, 0);
	pair_beat(p, 2 * PAIR_DEAD_MS);
}

static void with_tests(struct pair *p)
{
	lock_init(p, YOKE_ARBITER_TYPE_FENCE);
	p->conf[0].arbiter[0].test_ms = p->conf[1].arbiter[0].test_ms = 600000;
	lock_form(p);
}

/* By its next level it may be switched off, by this device nobody is. */
static void a_wrong_plug_is_no_proof(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_tests(p);
	test_says(p, BETA, CORE_RESULT_STOPPED);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 0);
	test_says(p, BETA, CORE_RESULT_STOPPED);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 1);
	lock_cut(p);
	pair_run(p, 100000);
	assert_int_not_equal(pair_asked(p, BETA, FENCE), CORE_ASK_OFF);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_FENCE_FAILED), 1);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
}

/* It was put right. */
static void a_plug_that_is_right_again_is_believed(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_tests(p);
	test_says(p, BETA, CORE_RESULT_STOPPED);
	test_says(p, BETA, CORE_RESULT_STOPPED);
	pair_beat(p, 600000);
	test_says(p, BETA, CORE_RESULT_RUNNING);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_READY), 1);
	lock_cut(p);
	pair_run(p, 5000);
	assert_int_equal(pair_asked(p, BETA, FENCE), CORE_ASK_OFF);
}

/* The device was faster than the silence. */
static void who_has_just_lost_its_power_is_no_wrong_plug(void **state)
{
	struct pair *p = &pair;

	(void)state;
	with_tests(p);
	pair_power_off(p, ALPHA);
	assert_int_equal(pair_asked(p, BETA, FENCE), CORE_ASK_STATUS);
	pair_answer(p, BETA, FENCE, CORE_RESULT_STOPPED, 0);
	lock_cut(p);
	pair_run(p, 2 * PAIR_DEAD_MS);
	assert_int_equal(pair_asked(p, BETA, FENCE), CORE_ASK_STATUS);
	pair_answer(p, BETA, FENCE, CORE_RESULT_STOPPED, 0);
	pair_run(p, 5000 - 2 * PAIR_DEAD_MS);
	assert_int_equal(pair_told(p, BETA, YOKE_EVENT_ARBITER_FAILED), 0);
	assert_int_equal(pair_asked(p, BETA, FENCE), CORE_ASK_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fence_proves),
		cmocka_unit_test(a_word_does_not_weaken_a_proof),
		cmocka_unit_test(a_proof_outlasts_a_stall),
		cmocka_unit_test(nobody_is_fenced_for_what_people_move),
		cmocka_unit_test(what_both_had_is_announced_when_one_is_off),
		cmocka_unit_test(off_alone_proves_nothing),
		cmocka_unit_test(owner_fences_first),
		cmocka_unit_test(levels_in_order),
		cmocka_unit_test(heard_again_is_not_fenced),
		cmocka_unit_test(of_two_equal_owners_the_first_node_fences_first),
		cmocka_unit_test(of_two_owners_whose_files_differ_one_fences_first),
		cmocka_unit_test(a_group_that_the_other_does_not_know_counts_for_nobody),
		cmocka_unit_test(a_group_that_only_one_calls_exclusive_counts_for_nobody),
		cmocka_unit_test(nobody_is_fenced_for_an_own_group_by_the_next_engine),
		cmocka_unit_test(the_next_engine_switches_it_off_as_well),
		cmocka_unit_test(the_next_engine_knows_that_it_is_off),
		cmocka_unit_test(the_next_engine_goes_on_when_the_other_is_off),
		cmocka_unit_test(the_next_engine_leaves_one_alone_that_has_left),
		cmocka_unit_test(the_next_engine_goes_by_no_agent_that_was_wrong),
		cmocka_unit_test(the_next_engine_waits_before_it),
		cmocka_unit_test(the_next_engine_leaves_one_alone_whose_configuration_differs),
		cmocka_unit_test(an_engine_after_a_pause_switches_nobody_off),
		cmocka_unit_test(stranger_does_not_fence),
		cmocka_unit_test(who_may_be_deaf_switches_nobody_off),
		cmocka_unit_test(who_hears_switches_the_silent_one_off),
		cmocka_unit_test(a_wrong_plug_is_no_proof),
		cmocka_unit_test(a_plug_that_is_right_again_is_believed),
		cmocka_unit_test(who_has_just_lost_its_power_is_no_wrong_plug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
