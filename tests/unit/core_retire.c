/* Another configuration: what it does not have is stopped before, what it adds is started after. */
#include "tests/unit/core_pair.h"

enum { WEB = 1 };

static struct pair pair;

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	return 0;
}

static void form(void)
{
	pair_meet(&pair);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

static void retire(uint16_t node, bool group, uint16_t resource)
{
	struct core_event ev = {.type = CORE_RETIRE};

	ev.u.retire.group[WEB - 1] = group;
	if (resource != 0)
		ev.u.retire.resource[resource - 1] = true;
	pair_give(&pair, node, &ev);
}

static bool is_retired(uint16_t node)
{
	return core_retired(pair_core(&pair, node));
}

static void a_group_goes_to_the_node_that_has_it_still(void **state)
{
	(void)state;
	form();
	retire(ALPHA, true, 0);
	pair_run(&pair, 3000);
	assert_true(is_retired(ALPHA));
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

static void a_group_that_nobody_else_has_is_stopped(void **state)
{
	(void)state;
	snprintf(pair.conf[BETA - 1].group[0].name, YOKE_NAME_SIZE, "other");
	form();
	retire(ALPHA, true, 0);
	pair_run(&pair, 1000);
	assert_true(is_retired(ALPHA));
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPED);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED)->reason,
			    "the configuration does not have it here any more");
}

static void a_resource_is_stopped_alone(void **state)
{
	(void)state;
	form();
	retire(ALPHA, false, 2);
	pair_run(&pair, 60000);
	assert_true(is_retired(ALPHA));
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[0].state, YOKE_RESOURCE_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[1].state, YOKE_RESOURCE_STOPPED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
}

/* Its stop fails: it is said to nobody but him who waits, and when he calls it off all is as it
 * was. */
static void what_does_not_stop_is_called_off(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_STOP] = true;
	retire(ALPHA, false, 2);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_FAILED);
	pair_run(&pair, 1000);
	assert_false(is_retired(ALPHA));
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	pair.by_hand[CORE_RUN_STOP] = false;
	retire(ALPHA, false, 0);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[1].state, YOKE_RESOURCE_STARTED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[1].restart_count, 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_RESTARTING), 0);
}

static void called_off_a_resource_comes_back_alone(void **state)
{
	unsigned stops;

	(void)state;
	form();
	retire(ALPHA, false, 1);
	pair_run(&pair, 1000);
	stops = pair.runs[ALPHA - 1][CORE_RUN_STOP];
	retire(ALPHA, false, 0);
	pair_run(&pair, 1000);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[0].state, YOKE_RESOURCE_STARTED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], stops);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_RESTARTING), 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPING), 0);
}

static void called_off_a_group_comes_back(void **state)
{
	(void)state;
	snprintf(pair.conf[BETA - 1].group[0].name, YOKE_NAME_SIZE, "other");
	form();
	retire(ALPHA, true, 0);
	pair_run(&pair, 1000);
	retire(ALPHA, false, 0);
	pair_run(&pair, 3000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

/* An engine starts on what runs in part: with the note the rest is started, without it is stopped.
 */
static void what_was_added_is_started(void **state)
{
	for (unsigned added = 0; added < 2; added++) {
		unsigned stops;

		setup(state);
		form();
		stops = pair.runs[ALPHA - 1][CORE_RUN_STOP];
		pair.running[ALPHA - 1] = false;
		pair.conf[ALPHA - 1].resource[1].added = added != 0;
		pair.address[ALPHA - 1][1] = false;
		pair_start(&pair, ALPHA);
		pair_paths(&pair, YOKE_PATH_UP);
		pair_run(&pair, 3000);
		assert_int_equal(pair_group(&pair, added ? ALPHA : BETA, WEB), YOKE_GROUP_STARTED);
		assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP] - stops, added ? 0 : 1);
	}
}

/* Its status says that it runs, on the node that does not run the group, too. */
static void what_was_added_is_not_the_group(void **state)
{
	(void)state;
	form();
	pair.running[BETA - 1] = false;
	pair.conf[BETA - 1].resource[1].added = true;
	pair.address[BETA - 1][1] = true;
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 3000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	assert_false(pair.address[BETA - 1][0]);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

/* An engine dies while a resource is to be retired; the next one is told that it may be missing,
 * and to retire it. */
static void what_was_retired_before_an_engine_is_no_part(void **state)
{
	bool missing[2];

	(void)state;
	form();
	retire(ALPHA, false, 2);
	pair_run(&pair, 1000);
	for (uint16_t r = 1; r <= 2; r++)
		missing[r - 1] = core_may_miss(pair_core(&pair, ALPHA), r);
	assert_false(missing[0]);
	assert_true(missing[1]);
	assert_false(core_may_miss(pair_core(&pair, BETA), 2));
	pair.conf[ALPHA - 1].resource[1].added = true;
	pair.running[ALPHA - 1] = false;
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	retire(ALPHA, false, 2);
	assert_false(is_retired(ALPHA)); /* not known yet */
	pair_result(&pair, ALPHA, 1, CORE_RESULT_RUNNING);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_STOPPED);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_true(is_retired(ALPHA));
	assert_true(core_may_miss(pair_core(&pair, ALPHA), 2));
	assert_false(pair.address[ALPHA - 1][1]);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	retire(ALPHA, false, 0);
	pair_run(&pair, 1000);
	assert_int_equal(pair_core(&pair, ALPHA)->resource[1].state, YOKE_RESOURCE_STARTED);
	assert_false(core_may_miss(pair_core(&pair, ALPHA), 2));
}

/* It is known until it runs. */
static void what_is_being_started_may_be_missing(void **state)
{
	(void)state;
	form();
	pair.running[ALPHA - 1] = false;
	pair.conf[ALPHA - 1].resource[1].added = true;
	pair.address[ALPHA - 1][1] = false;
	pair.by_hand[CORE_RUN_START] = true;
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_true(core_may_miss(pair_core(&pair, ALPHA), 2));
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	assert_false(core_may_miss(pair_core(&pair, ALPHA), 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_group_goes_to_the_node_that_has_it_still, setup),
		cmocka_unit_test_setup(a_group_that_nobody_else_has_is_stopped, setup),
		cmocka_unit_test_setup(a_resource_is_stopped_alone, setup),
		cmocka_unit_test_setup(what_does_not_stop_is_called_off, setup),
		cmocka_unit_test_setup(called_off_a_group_comes_back, setup),
		cmocka_unit_test_setup(called_off_a_resource_comes_back_alone, setup),
		cmocka_unit_test_setup(what_was_added_is_started, setup),
		cmocka_unit_test_setup(what_was_added_is_not_the_group, setup),
		cmocka_unit_test_setup(what_was_retired_before_an_engine_is_no_part, setup),
		cmocka_unit_test_setup(what_is_being_started_may_be_missing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
