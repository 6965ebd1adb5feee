/* Membership: every row of node.c's table. */
#include "tests/unit/core_pair.h"

static struct pair pair;

static void two_nodes_meet(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_UNKNOWN);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_JOINING);
	pair_start(&pair, BETA);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NODE_ONLINE), 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PATH_UP), 1);
}

static void a_node_that_is_never_heard_is_lost_after_startup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 2999);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_UNKNOWN);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_run(&pair, 2);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LOST);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_NODE_LOST)->reason, "not heard"));
}

/* What it did not hear while its process stood still was no silence, whatever comes first. */
static void who_stood_still_at_its_start_listens_first(void **state)
{
	struct core_event ev = {.type = CORE_STALL};

	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	pair.now = yoke_time_add_ms(pair.now, 10000);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_STOPPED);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_UNKNOWN);
	ev.u.stall.stall_ms = 10000;
	pair_give(&pair, ALPHA, &ev);
	pair_timer(&pair, ALPHA);
	pair_run(&pair, PAIR_DEAD_MS - 1);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_UNKNOWN);
	pair_run(&pair, 2);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LOST);
}

static void silence_makes_late_then_lost(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.wire = false;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LATE);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_NODE_LATE), 1);
	pair_path(&pair, BETA, 2, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_NODE_ONLINE), 1);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_ONE_WAY);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LOST);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_PATH_ONE_WAY), 1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_PATH_DOWN), 1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_NODE_LOST), 1);
}

static void a_lost_path_is_not_a_lost_node(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	pair_run(&pair, 10000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

static void a_lost_node_comes_back_by_its_state(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_cut(&pair);
	pair.wire = false;
	pair_path(&pair, BETA, 1, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_JOINING);
	pair_run(&pair, 1000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_JOINING);
	pair_mend(&pair);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
}

/* One saw a silence that the other did not: the one that forgot must be told everything again. */
static void who_forgot_is_told_again(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_silence(&pair, BETA);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LOST);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	pair_path(&pair, BETA, 1, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	assert_int_equal((pair_group(&pair, ALPHA, 1) == YOKE_GROUP_STARTED) +
				 (pair_group(&pair, BETA, 1) == YOKE_GROUP_STARTED),
			 1);
}

static void a_goodbye_is_no_failure(void **state)
{
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	pair_form(&pair);
	pair_give(&pair, BETA, &ev);
	assert_int_equal(pair.exits[BETA - 1], 1);
	pair.running[BETA - 1] = false;
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LEFT);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NODE_LEFT), 1);
	pair_silence(&pair, ALPHA);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LEFT);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NODE_LOST), 0);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
}

static void a_new_incarnation_starts_from_nothing(void **state)
{
	uint32_t told;

	(void)state;
	pair_form(&pair);
	told = pair_core(&pair, BETA)->node[ALPHA - 1].told;
	assert_true(told > 0);
	pair.wire = false;
	/* A beat of a new engine: no state yet. */
	pair_message(&pair, BETA, 9999, (const uint8_t[]){1, 0}, 2);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_JOINING);
	assert_int_equal(pair_core(&pair, BETA)->node[ALPHA - 1].told, 0);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

/* An owner that is back in contact says so to the network: what ran elsewhere meanwhile may have
 * been stopped before anybody heard of it. */
static void the_owner_announces_when_a_node_comes_back(void **state)
{
	unsigned before;

	(void)state;
	pair_form(&pair);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	before = pair.announces[ALPHA - 1];
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair.announces[ALPHA - 1], before + PAIR_RESOURCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_nodes_meet),
		cmocka_unit_test(a_node_that_is_never_heard_is_lost_after_startup),
		cmocka_unit_test(who_stood_still_at_its_start_listens_first),
		cmocka_unit_test(silence_makes_late_then_lost),
		cmocka_unit_test(a_lost_path_is_not_a_lost_node),
		cmocka_unit_test(a_lost_node_comes_back_by_its_state),
		cmocka_unit_test(who_forgot_is_told_again),
		cmocka_unit_test(a_goodbye_is_no_failure),
		cmocka_unit_test(a_new_incarnation_starts_from_nothing),
		cmocka_unit_test(the_owner_announces_when_a_node_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
