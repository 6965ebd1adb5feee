/* What does not stop: it is tried again, then its node is reset by its own watchdog. */
#include "tests/unit/core_lock.h"

static struct pair pair;

static void stop_that_fails_resets(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	p->by_hand[CORE_RUN_STOP] = true;
	lock_cut(p);
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

/* It failed when something else was stopped. */
static void a_stop_that_failed_before_is_tried_at_once(void **state)
{
	struct pair *p = &pair;
	struct core_resource *first = &pair_core(p, ALPHA)->resource[0];

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	lock_form(p);
	p->by_hand[CORE_RUN_STOP] = true;
	first->state = YOKE_RESOURCE_FAILED;
	first->run_kind = CORE_RUN_STOP;
	assert_int_equal(pair_ask(p, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_beat(p, 1000);
	assert_int_equal(p->runs[0][CORE_RUN_STOP], 1);
	pair_result(p, ALPHA, PAIR_RESOURCES, CORE_RESULT_DONE);
	assert_int_equal(p->runs[0][CORE_RUN_STOP], 2);
	assert_int_equal(pair_core(p, ALPHA)->group[0].stop_failures, 0);
}

static void monitored(struct pair *p)
{
	for (unsigned n = 0; n < 2; n++) {
		struct core_resource_conf *r = &p->conf[n].resource[PAIR_RESOURCES - 1];

		r->restarts = 10;
		r->restart_window_ms = 60000;
		r->monitor_interval_ms = 1000;
		r->monitor_failures = 1;
	}
}

/* What was got over by another try long ago is no reason to reset the machine. */
static void stops_that_failed_once_each_do_not_reset(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	monitored(p);
	lock_form(p);
	p->by_hand[CORE_RUN_STOP] = true;
	for (int day = 0; day < 3; day++) {
		p->address[0][PAIR_RESOURCES - 1] = false;
		pair_beat(p, 1100);
		assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STOPPING);
		pair_result(p, ALPHA, PAIR_RESOURCES, CORE_RESULT_FAILED);
		pair_beat(p, 5100);
		pair_result(p, ALPHA, PAIR_RESOURCES, CORE_RESULT_DONE);
		assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
		pair_beat(p, 24 * 60 * 1000);
	}
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_NODE_RESETTING), 0);
	assert_false(p->lease[0].u.lease.reset);
}

/* Its stop takes longer than the lease: what it does not restart goes, too. */
static void a_restart_ends_with_the_lease(void **state)
{
	struct pair *p = &pair;

	(void)state;
	lock_init(p, YOKE_ARBITER_TYPE_WITNESS);
	monitored(p);
	lock_form(p);
	p->by_hand[CORE_RUN_STOP] = true;
	p->address[0][PAIR_RESOURCES - 1] = false;
	pair_beat(p, 1100);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_RESTARTING), 1);
	lock_cut(p);
	pair_run(p, 2 * LEASE_MS);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPING), 1);
	pair_result(p, ALPHA, PAIR_RESOURCES, CORE_RESULT_DONE);
	assert_int_equal(p->kind[0][0], CORE_RUN_STOP);
	pair_result(p, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STOPPED), 1);
	assert_int_equal(pair_told(p, ALPHA, YOKE_EVENT_GROUP_STARTING), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_that_fails_resets),
		cmocka_unit_test(a_stop_that_failed_before_is_tried_at_once),
		cmocka_unit_test(stops_that_failed_once_each_do_not_reset),
		cmocka_unit_test(a_restart_ends_with_the_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
