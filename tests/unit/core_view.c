/* What is shown of the cluster. */
#include "tests/unit/core_pair.h"

static struct pair pair;
static struct yoke_snapshot view;

static void look(uint16_t node)
{
	memset(&view, 0xee, sizeof(view));
	core_view(pair_core(&pair, node), &view);
}

static void a_healthy_pair(void **state)
{
	(void)state;
	pair_form(&pair);
	for (uint16_t node = ALPHA; node <= BETA; node++) {
		look(node);
		assert_int_equal(view.self, node);
		assert_int_equal(view.condition, YOKE_CONDITION_OK);
		assert_int_equal(view.node_count, 2);
		assert_string_equal(view.node[1].name, "beta");
		assert_int_equal(view.node[0].state, YOKE_NODE_ONLINE);
		assert_int_equal(view.node[1].state, YOKE_NODE_ONLINE);
		assert_int_equal(view.node[BETA - node].paths_up, 2);
		assert_int_equal(view.group_count, 1);
		assert_int_equal(view.group[0].owner, ALPHA);
		assert_int_equal(view.group[0].preferred, ALPHA);
		assert_int_equal(view.group[0].term, 1);
		assert_int_equal(view.group[0].state, YOKE_GROUP_STARTED);
		assert_int_equal(view.member_count, 2);
		assert_int_equal(view.member[0].state, YOKE_GROUP_STARTED);
		assert_int_equal(view.member[1].state, YOKE_GROUP_STOPPED);
		assert_true(view.member[1].ready);
		assert_int_equal(view.member[1].rank, 2);
		assert_int_equal(view.resource_count, PAIR_RESOURCES);
		assert_int_equal(view.resource[1].state[0], YOKE_RESOURCE_STARTED);
		assert_int_equal(view.resource[1].state[1], YOKE_RESOURCE_STOPPED);
		assert_int_equal(view.operation_count, 0);
	}
}

static void what_is_missing_is_degraded(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	look(ALPHA);
	assert_int_equal(view.condition, YOKE_CONDITION_DEGRADED);
	assert_false(view.member[1].ready);
	assert_non_null(strstr(view.member[1].reason, "carrier"));
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_DOWN);
	look(ALPHA);
	assert_int_equal(view.condition, YOKE_CONDITION_DEGRADED);
	assert_non_null(strstr(view.text, "not reached on every path"));
	pair_path(&pair, ALPHA, 2, YOKE_PATH_UP);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	look(ALPHA);
	assert_true(view.node[1].standby);
	assert_non_null(strstr(view.text, "standby"));
	assert_int_equal(view.operation_count, 1);
	assert_int_equal(view.operation[0].verb, YOKE_VERB_STANDBY);
	assert_int_equal(view.operation[0].state, YOKE_OPERATION_SUCCEEDED);
}

static void a_lost_node_is_degraded_and_its_states_are_unknown(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	look(ALPHA);
	assert_int_equal(view.condition, YOKE_CONDITION_DEGRADED);
	assert_int_equal(view.node[1].state, YOKE_NODE_LOST);
	assert_true(view.node[1].changed_wall_ms > 0);
	assert_int_equal(view.member[1].state, YOKE_GROUP_UNKNOWN);
	assert_int_equal(view.resource[0].state[1], YOKE_RESOURCE_UNKNOWN);
}

static void no_owner_is_critical(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	look(ALPHA);
	assert_int_equal(view.group[0].owner, 0);
	assert_int_equal(view.condition, YOKE_CONDITION_CRITICAL);
	assert_string_equal(view.text, "group web has no owner");
}

static void a_conflict_is_critical(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_cut(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_mend(&pair);
	look(BETA);
	assert_int_equal(view.group[0].owner, BETA);
	assert_int_equal(view.condition, YOKE_CONDITION_CRITICAL);
	assert_string_equal(view.text, "group web runs on more than one node");
}

static void a_failing_save_is_degraded(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, ALPHA), YOKE_OK);
	pair_saved(&pair, ALPHA, false);
	look(ALPHA);
	assert_int_equal(view.condition, YOKE_CONDITION_DEGRADED);
	assert_string_equal(view.text, "node alpha cannot save its state");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_pair),
		cmocka_unit_test(what_is_missing_is_degraded),
		cmocka_unit_test(a_lost_node_is_degraded_and_its_states_are_unknown),
		cmocka_unit_test(no_owner_is_critical),
		cmocka_unit_test(a_conflict_is_critical),
		cmocka_unit_test(a_failing_save_is_degraded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
