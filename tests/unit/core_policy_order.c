/* agent/core/policy.c: in which order groups are stopped when their node is emptied. */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

enum { DB = 1, WEB = 2 };

static struct pair pair;

static void expect(uint16_t group, enum yoke_group_state alpha, enum yoke_group_state beta)
{
	assert_int_equal(pair_group(&pair, ALPHA, group), alpha);
	assert_int_equal(pair_group(&pair, BETA, group), beta);
}

/* web comes after db. */
static void init_ordered(void)
{
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
	pair_group_conf(&pair, ALPHA, WEB)->after = pair_group_conf(&pair, BETA, WEB)->after = DB;
}

/* Both run on alpha. */
static void form_ordered(void)
{
	init_ordered();
	pair_meet(&pair);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair.by_hand[CORE_RUN_STOP] = true;
}

static void leave_alone(uint16_t node)
{
	struct core_event ev = {.type = CORE_LEAVE};

	pair_power_off(&pair, 3 - node);
	pair_silence(&pair, node);
	pair_run(&pair, 1000);
	pair_give(&pair, node, &ev);
}

static void what_comes_after_it_is_stopped_first(void **state)
{
	(void)state;
	form_ordered();
	leave_alone(ALPHA);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 2000);
	assert_int_equal(pair.exits[ALPHA - 1], 1);
}

/* The engine has to end in time. */
static void it_waits_for_half_of_the_time_to_leave(void **state)
{
	(void)state;
	form_ordered();
	pair_core(&pair, ALPHA)->conf.resource[1].stop_ms = 3600000;
	leave_alone(ALPHA);
	pair_run(&pair, 14900);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	pair_run(&pair, 200);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPING);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPING);
}

static void what_comes_after_it_is_handed_over_first(void **state)
{
	(void)state;
	form_ordered();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

/* Another file has both here no more. */
static void what_comes_after_it_is_retired_first(void **state)
{
	struct core_event ev = {.type = CORE_RETIRE, .u.retire.group = {true, true}};

	(void)state;
	form_ordered();
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	pair_run(&pair, 1000);
	pair_give(&pair, ALPHA, &ev);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	/* One alone waits for nothing. */
	form_ordered();
	ev.u.retire.group[WEB - 1] = false;
	pair_give(&pair, ALPHA, &ev);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* It may still run: that is no reason to keep the node from being emptied. */
static void what_does_not_stop_is_not_waited_for(void **state)
{
	(void)state;
	form_ordered();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_FAILED);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
}

/* Nobody can take it any more: it runs on where it is, in standby. */
static void what_stays_is_not_waited_for(void **state)
{
	(void)state;
	form_ordered();
	pair.by_hand[CORE_RUN_PREPARE] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair_news(&pair, BETA, 2, CORE_NEWS_UNUSABLE);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* What is exclusive needs a grant on disk, and that cannot be written. */
static void nor_what_cannot_be_handed_over(void **state)
{
	(void)state;
	form_ordered();
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_core(&pair, n)->conf.group[WEB - 1].exclusive = true;
	pair_run(&pair, 1000);
	pair.by_hand[CORE_RUN_PREPARE] = pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_saved(&pair, ALPHA, true);
	pair_saved(&pair, BETA, true);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair_saved(&pair, ALPHA, false);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

static void nor_what_people_work_on(void **state)
{
	(void)state;
	form_ordered();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_MAINTENANCE, WEB, 0), YOKE_OK);
	leave_alone(ALPHA);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

/* It may follow on another node. */
static void a_switchover_waits_for_nothing_that_stays(void **state)
{
	(void)state;
	form_ordered();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* What follows everywhere is stopped first on the node that is emptied. */
static void one_that_runs_on_each_node_is_stopped_there_first(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
	for (unsigned n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&pair, n, WEB)->parallel = true;
		pair_group_conf(&pair, n, WEB)->after = DB;
		pair.conf[n - 1].resource[1].has_address = false;
	}
	pair_meet(&pair);
	pair_run(&pair, 2000);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPING, YOKE_GROUP_STARTED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
}

static void one_that_waited_stays_when_standby_ends(void **state)
{
	(void)state;
	form_ordered();
	pair_core(&pair, ALPHA)->conf.resource[1].stop_ms = 3600000;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 31000); /* the operation fails, the standby stays */
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPING, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* Only its owner knows whether it goes back by itself; here it goes for another reason. */
static void what_could_go_back_is_waited_for_when_it_must_go(void **state)
{
	(void)state;
	init_ordered();
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_group_conf(&pair, n, DB)->exclusive = true;
	pair_start(&pair, BETA);
	pair_run(&pair, 2000);
	pair_silence(&pair, BETA);
	pair_run(&pair, 2000);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 2000);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_core(&pair, ALPHA)->conf.group[DB - 1].failback = true;
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STOPPING);
	pair.saves_by_hand = true; /* the grant takes its time */
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	pair_run(&pair, 100);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_it_is_stopped_first),
		cmocka_unit_test(it_waits_for_half_of_the_time_to_leave),
		cmocka_unit_test(what_comes_after_it_is_handed_over_first),
		cmocka_unit_test(what_comes_after_it_is_retired_first),
		cmocka_unit_test(what_does_not_stop_is_not_waited_for),
		cmocka_unit_test(what_stays_is_not_waited_for),
		cmocka_unit_test(nor_what_cannot_be_handed_over),
		cmocka_unit_test(nor_what_people_work_on),
		cmocka_unit_test(a_switchover_waits_for_nothing_that_stays),
		cmocka_unit_test(one_that_runs_on_each_node_is_stopped_there_first),
		cmocka_unit_test(one_that_waited_stays_when_standby_ends),
		cmocka_unit_test(what_could_go_back_is_waited_for_when_it_must_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
