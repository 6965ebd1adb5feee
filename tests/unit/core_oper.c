/* Operators' requests: what is refused and why, and what becomes of what is accepted. */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

static struct pair pair;

static const struct core_operation *newest(uint16_t node)
{
	struct core *c = pair_core(&pair, node);

	return &c->history[(c->history_count - 1) % YOKE_OPERATIONS_MAX];
}

static void a_switch_moves_and_succeeds(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_OPERATION_SUCCEEDED), 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 0);
	assert_int_equal(newest(ALPHA)->number, newest(BETA)->number);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_SUCCEEDED);
	pair_run(&pair, 120000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, 1, 0), YOKE_OK);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(newest(BETA)->node, ALPHA);
}

/* Its end was passed over on a slow path: it does not run for ever in what is shown. */
static void what_another_node_ran_before_has_ended(void **state)
{
	struct core *c = pair_core(&pair, ALPHA);
	struct core_operation op = {.number = BETA << 24 | 7,
				    .verb = YOKE_VERB_SWITCH,
				    .state = YOKE_OPERATION_RUNNING,
				    .group = 1,
				    .node = BETA};

	(void)state;
	pair_form(&pair);
	core_oper_told(c, &op);
	core_oper_told(c, &op);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_RUNNING);
	op.number++;
	op.state = YOKE_OPERATION_SUCCEEDED;
	core_oper_told(c, &op);
	assert_int_equal(c->history_count, 2);
	assert_int_equal(c->history[0].state, YOKE_OPERATION_UNKNOWN);
	assert_string_equal(c->history[0].reason, "it has ended; how was not told");
	assert_int_equal(c->history[1].state, YOKE_OPERATION_SUCCEEDED);
}

static void a_switch_to_where_it_is_succeeds_at_once(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_OK);
	assert_int_equal(newest(BETA)->state, YOKE_OPERATION_SUCCEEDED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

static void refusals_change_nothing(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 0, BETA), YOKE_E_NO_GROUP);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 2, BETA), YOKE_E_NO_GROUP);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_FAILBACK, 65535, BETA), YOKE_E_NO_GROUP);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, 0), YOKE_E_NO_NODE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, 3), YOKE_E_NO_NODE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, 65535), YOKE_E_NO_NODE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, 0), YOKE_E_NO_NODE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_UNKNOWN, 1, BETA), YOKE_E_REQUEST);
	assert_int_equal(pair_ask(&pair, ALPHA, (enum yoke_verb)77, 1, BETA), YOKE_E_REQUEST);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_REQUEST_REFUSED), 9);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_STARTED), 0);
	assert_int_equal(pair_core(&pair, ALPHA)->history_count, 0);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

static void a_node_that_could_not_run_it_is_no_target(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_E_NOT_READY);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_E_NOWHERE);
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_E_NOT_READY);
}

static void a_node_that_is_not_in_the_list_is_no_target(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf[0].group[0].node_count = pair.conf[1].group[0].node_count = 1;
	pair_meet(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_E_NOT_MEMBER);
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 10000);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

static void one_at_a_time(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 300);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_E_BUSY);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_E_BUSY);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_STANDBY, 0, BETA), YOKE_E_BUSY);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 300);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_SUCCEEDED);
}

/* However often its node tells of it. */
static void another_nodes_operation_began_once(void **state)
{
	yoke_time started;

	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	started = pair_core(&pair, BETA)->node[ALPHA - 1].operation.started;
	pair_run(&pair, 1000);
	pair_news(&pair, ALPHA, 2, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_core(&pair, BETA)->node[ALPHA - 1].told,
			 pair_core(&pair, ALPHA)->version);
	assert_int_equal(pair_core(&pair, BETA)->node[ALPHA - 1].operation.started.us, started.us);
}

/* Accepted on both nodes before either knew of the other's: the lower number goes on. */
static void two_in_the_same_instant(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.wire = false;
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair.wire = true;
	pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, 1, 0);
	pair_run(&pair, 1000);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(newest(ALPHA)->state == YOKE_OPERATION_RUNNING, 0);
	assert_int_equal(pair_core(&pair, BETA)->node[BETA - 1].operation.number, 0);
}

static void a_target_that_falls_silent_ends_it(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_FAILED);
	assert_string_equal(newest(ALPHA)->reason, "its target fell silent");
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* What a dead node wanted moves nothing any more. */
static void an_operation_ends_with_its_node(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 500);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_OK);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPING);
	pair_power_off(&pair, ALPHA);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_silence(&pair, BETA);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_failed_start_at_the_target_ends_it(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 300);
	pair_result(&pair, BETA, 1, CORE_RESULT_FAILED);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_FAILED);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_FAILED);
}

static void what_takes_too_long_fails_and_leaves_nothing_behind(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 29000);
	assert_int_equal(pair_core(&pair, BETA)->node[BETA - 1].operation.state,
			 YOKE_OPERATION_RUNNING);
	pair_run(&pair, 1100);
	assert_int_equal(newest(BETA)->state, YOKE_OPERATION_FAILED);
	assert_int_equal(pair_core(&pair, BETA)->node[BETA - 1].operation.number, 0);
	assert_int_equal(newest(ALPHA)->state, YOKE_OPERATION_FAILED);
}

static void standby_hands_over_and_survives_a_restart(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(newest(BETA)->state, YOKE_OPERATION_SUCCEEDED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NODE_STANDBY), 1);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_E_NOT_READY);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_E_NOWHERE);
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 10000);
	assert_true(pair_core(&pair, ALPHA)->intent[ALPHA - 1].standby);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NODE_ACTIVE), 1);
}

static void the_newer_intent_wins_after_a_split(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_run(&pair, 500);
	pair_cut(&pair);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair_mend(&pair);
	assert_false(pair_core(&pair, ALPHA)->intent[BETA - 1].standby);
	assert_false(pair_core(&pair, BETA)->intent[BETA - 1].standby);
	assert_int_equal(pair_core(&pair, ALPHA)->intent[BETA - 1].version,
			 pair_core(&pair, BETA)->intent[BETA - 1].version);
}

/* Its engine died before the count was on disk: the next one gives the number once more. */
static void a_number_that_comes_twice_is_another_operation(void **state)
{
	struct core *c = pair_core(&pair, ALPHA);
	uint8_t record[YOKE_RECORD_SIZE];
	uint16_t size;

	(void)state;
	pair_form(&pair);
	memcpy(record, pair.record[BETA - 1], sizeof(record));
	size = pair.record_size[BETA - 1];
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair.saves_by_hand = false;
	pair.running[BETA - 1] = false;
	memcpy(pair.record[BETA - 1], record, sizeof(record));
	pair.record_size[BETA - 1] = size;
	/* Meanwhile it fails on alpha for good. */
	pair.by_hand[CORE_RUN_START] = true;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_FATAL);
	pair.by_hand[CORE_RUN_START] = false;
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	pair_start(&pair, BETA);
	pair_path(&pair, BETA, 1, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 3000);
	assert_false(c->resource[0].fatal);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].failures, 0);
}

static void intent_that_cannot_be_saved_is_refused(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_OK);
	pair_saved(&pair, ALPHA, false);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_E_SAVE);
	pair_run(&pair, 1100);
	pair_saved(&pair, ALPHA, true);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
}

static void the_history_is_a_ring(void **state)
{
	static struct yoke_snapshot view;

	(void)state;
	pair_form(&pair);
	for (unsigned i = 0; i < YOKE_OPERATIONS_MAX + 3; i++)
		assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_OK);
	core_view(pair_core(&pair, ALPHA), &view);
	assert_int_equal(view.operation_count, YOKE_OPERATIONS_MAX);
	assert_int_equal(view.operation[0].number & 0xffffff, 4);
	assert_int_equal(view.operation[YOKE_OPERATIONS_MAX - 1].number & 0xffffff,
			 YOKE_OPERATIONS_MAX + 3);
	assert_int_equal(view.control_lock, YOKE_OPERATIONS_MAX + 3);
	core_view(pair_core(&pair, BETA), &view);
	assert_int_equal(view.operation[view.operation_count - 1].number & 0xffffff,
			 YOKE_OPERATIONS_MAX + 3);
}

static void nothing_is_accepted_while_leaving(void **state)
{
	struct core_event ev = {.type = CORE_LEAVE};

	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_E_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_moves_and_succeeds),
		cmocka_unit_test(what_another_node_ran_before_has_ended),
		cmocka_unit_test(a_switch_to_where_it_is_succeeds_at_once),
		cmocka_unit_test(refusals_change_nothing),
		cmocka_unit_test(a_node_that_could_not_run_it_is_no_target),
		cmocka_unit_test(a_node_that_is_not_in_the_list_is_no_target),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(another_nodes_operation_began_once),
		cmocka_unit_test(two_in_the_same_instant),
		cmocka_unit_test(a_target_that_falls_silent_ends_it),
		cmocka_unit_test(an_operation_ends_with_its_node),
		cmocka_unit_test(a_failed_start_at_the_target_ends_it),
		cmocka_unit_test(what_takes_too_long_fails_and_leaves_nothing_behind),
		cmocka_unit_test(standby_hands_over_and_survives_a_restart),
		cmocka_unit_test(the_newer_intent_wins_after_a_split),
		cmocka_unit_test(intent_that_cannot_be_saved_is_refused),
		cmocka_unit_test(a_number_that_comes_twice_is_another_operation),
		cmocka_unit_test(the_history_is_a_ring),
		cmocka_unit_test(nothing_is_accepted_while_leaving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
