/* Who says goodbye is not waited for: what it promises for that, and when it is done with. */
#include "tests/unit/core_lock.h"

static struct pair pair;

/* Beta gets the lock each time that it asks for it. */
static void offer_lock(struct pair *p)
{
	for (int i = 0; i < 60; i++) {
		pair_run(p, LEASE_MS / 4);
		if (pair_asked(p, BETA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, BETA, LOCK, CORE_RESULT_DONE, 0);
	}
}

/* Beta says goodbye and is switched off; alpha runs on without anybody's word. */
static void form_and_leave(struct pair *p)
{
	struct core_event ev = {.type = CORE_LEAVE};

	lock_form(p);
	pair_give(p, BETA, &ev);
	assert_int_equal(pair_node(p, ALPHA, BETA), YOKE_NODE_LEFT);
	pair_power_off(p, BETA);
	p->wire = false;
	pair_run(p, 10 * LEASE_MS);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_asked(p, ALPHA, LOCK), 0);
	p->asks[1] = 0;
}

static void leaver_promises(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
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
	lock_cut(p);
	assert_int_equal(pair_asked(p, BETA, LOCK), CORE_ASK_CLAIM);
}

/* What cannot be read may have been the promise. */
static void damaged_record_is_a_promise(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	form_and_leave(p);
	p->record[1][p->record_size[1] / 2] ^= 1;
	pair_start(p, BETA);
	assert_int_equal(pair_ask(p, BETA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	offer_lock(p);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
}

/* A machine that was installed anew has forgotten that it left. */
static void missing_record_is_a_promise(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	form_and_leave(p);
	p->record_size[1] = 0;
	pair_start(p, BETA);
	offer_lock(p);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
	assert_int_equal(p->asks[1], 0);
}

/* It stopped for its new configuration, the one that has the lock: the other has that already. */
static void who_leaves_without_a_lock_promises_too(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	p->conf[1].arbiter_count = 0;
	form_and_leave(p);
	p->conf[1].arbiter_count = 1;
	pair_start(p, BETA);
	offer_lock(p);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
}

/* One message of the other, which has heard of it, is no contact: how long that one has been silent
 * is not known yet. */
static void a_promise_is_kept_until_there_is_contact(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	form_and_leave(p);
	pair_start(p, BETA);
	pair_run(p, 10 * LEASE_MS);
	p->wire = true;
	pair_message(p, ALPHA, p->conf[1].incarnation, p->message[1], p->message_size[1]);
	p->wire = false;
	assert_true(pair_core(p, BETA)->node[ALPHA - 1].acked > 0);
	offer_lock(p);
	assert_int_equal(p->asks[1], 0);
	assert_int_equal(p->runs[1][CORE_RUN_START], 0);
}

/* It has no lock, and the running owner may not know of the one in our new configuration. */
static void a_lock_that_is_new_is_no_proof(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	for (unsigned n = 0; n < 2; n++) {
		p->conf[n].arbiter_count = 0;
		p->conf[n].section[CORE_SECTION_ARBITERS] = 1;
	}
	lock_form(p);
	pair_power_off(p, BETA);
	p->wire = false;
	p->conf[1].arbiter_count = 1;
	p->conf[1].section[CORE_SECTION_ARBITERS] = 2;
	for (int starts = 0; starts < 2; starts++) {
		pair_start(p, BETA);
		offer_lock(p);
		assert_int_equal(p->runs[1][CORE_RUN_START], 0);
		assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_HELD);
	}
}

static void goodbye_of_silent_node_keeps(void **state)
{
	struct pair *p = &pair;
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaver_promises),
		cmocka_unit_test(damaged_record_is_a_promise),
		cmocka_unit_test(missing_record_is_a_promise),
		cmocka_unit_test(who_leaves_without_a_lock_promises_too),
		cmocka_unit_test(a_promise_is_kept_until_there_is_contact),
		cmocka_unit_test(a_lock_that_is_new_is_no_proof),
		cmocka_unit_test(goodbye_of_silent_node_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
