/* agent/core/maintenance.c, ready.c and detail.c: what is watched and not acted upon, whether the
 * other node could take over, and what an older yoke makes of it. */
#include "tests/sim/skew.h"
#include "tests/unit/core_pair.h"

enum { WEB = 1, DAY_MS = 86400000 };

static struct pair pair;

static void begin(uint16_t group, uint16_t node)
{
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_MAINTENANCE, group, node), YOKE_OK);
	pair_run(&pair, 100);
	assert_int_equal(pair_last(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED)->verb,
			 YOKE_VERB_MAINTENANCE);
}

static void end(uint16_t group, uint16_t node)
{
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_RESUME, group, node), YOKE_OK);
	pair_run(&pair, 100);
}

static void expect(enum yoke_group_state alpha, enum yoke_group_state beta)
{
	assert_int_equal(pair_group(&pair, ALPHA, WEB), alpha);
	assert_int_equal(pair_group(&pair, BETA, WEB), beta);
}

/* ---- maintenance ---- */

/* Of the group, of its node, of the other node, of all: which of them keep it from moving? */
static void what_rests_is_not_taken_over(void **state)
{
	static const struct {
		uint16_t group, node;
		bool moves;
	} all[] = {{WEB, 0, false}, {0, ALPHA, false}, {0, BETA, false}, {0, 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		pair_form(&pair);
		begin(all[i].group, all[i].node);
		pair_power_off(&pair, ALPHA);
		pair_silence(&pair, BETA);
		pair_run(&pair, 5000);
		assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
		end(all[i].group, all[i].node);
		pair_run(&pair, 5000);
		assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	}
}

static void what_rests_is_not_put_back_nor_switched(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(WEB, 0);
	pair.address[0][0] = false;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_run(&pair, 5000);
	assert_int_equal(pair.runs[0][CORE_RUN_START], 2);
	assert_int_equal(pair.runs[0][CORE_RUN_STOP], 0);
	expect(YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_E_MAINTENANCE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_E_MAINTENANCE);
	/* Then it is found to run in part. */
	end(WEB, 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair.runs[0][CORE_RUN_STOP], 1);
	assert_true(pair.address[0][0] && pair.address[0][1]);
}

/* He stopped and started it by hand: nothing is touched when he is done. */
static void what_runs_when_it_ends_is_taken_over_as_it_is(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(WEB, 0);
	end(WEB, 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair.runs[0][CORE_RUN_PROBE], 2 * PAIR_RESOURCES);
	assert_int_equal(pair.runs[0][CORE_RUN_START], PAIR_RESOURCES);
	assert_int_equal(pair.runs[0][CORE_RUN_STOP], 0);
	expect(YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* He stopped it by hand, too: that it does not run any more is told before it starts again. */
static void what_does_not_run_when_it_ends_is_told(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(WEB, 0);
	for (uint16_t r = 1; r <= PAIR_RESOURCES; r++) {
		pair.address[0][r - 1] = false;
		pair_news(&pair, ALPHA, r, CORE_NEWS_LOST);
	}
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED), 0);
	end(WEB, 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED), 1);
	expect(YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

static void it_survives_restarts(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(0, 0);
	pair.running[0] = pair.running[1] = false;
	pair_meet(&pair);
	pair_run(&pair, 5000);
	expect(YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

static void each_node_has_it_on_its_own_disk(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(0, 0);
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, BETA);
	pair_run(&pair, 10000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LOST);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
}

/* An engine that is stopped leaves what rests running, and does not say that all is stopped. */
static void a_goodbye_leaves_it_running(void **state)
{
	struct core_event leave = {.type = CORE_LEAVE};

	(void)state;
	pair_form(&pair);
	begin(WEB, 0);
	pair_give(&pair, ALPHA, &leave);
	pair_run(&pair, 100);
	assert_int_equal(pair.exits[0], 1);
	assert_true(pair.address[0][0]);
	pair.running[0] = false;
	pair_silence(&pair, BETA);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LOST);
}

static void it_is_recalled_every_day_by_one_node(void **state)
{
	(void)state;
	pair_form(&pair);
	begin(WEB, 0);
	pair_beat(&pair, DAY_MS - 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_MAINTENANCE_REMINDER), 0);
	pair_beat(&pair, 2000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_MAINTENANCE_REMINDER), 1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_MAINTENANCE_REMINDER), 0);
	assert_int_equal(pair_last(&pair, ALPHA, YOKE_EVENT_MAINTENANCE_REMINDER)->value, 24);
}

/* ---- an older yoke ---- */

static void an_older_yoke_is_not_asked_to_rest(void **state)
{
	uint16_t old;

	(void)state;
	pair_form(&pair);
	old = sim_skew_cut(pair.message[1], pair.message_size[1], 2);
	assert_true(old < pair.message_size[1]);
	pair_power_off(&pair, BETA);
	pair.conf[1].incarnation += 10;
	pair_message(&pair, ALPHA, pair.conf[1].incarnation, pair.message[1], old);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_MAINTENANCE, WEB, 0), YOKE_E_VERSION);
}

/* ---- readiness ---- */

static struct yoke_snapshot view;

static bool is_missing(uint16_t at, const char *what)
{
	core_view(pair_core(&pair, at), &view);
	for (unsigned i = 0; i < view.unready_count; i++)
		if (strstr(view.unready[i].reason, what) != NULL)
			return true;
	return false;
}

static void a_healthy_pair_misses_nothing(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_beat(&pair, 30000);
	core_view(pair_core(&pair, ALPHA), &view);
	assert_int_equal(view.unready_count, 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NOT_READY), 0);
	assert_int_equal(view.condition, YOKE_CONDITION_OK);
}

static void what_is_missing_is_told_after_a_while(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_DOWN);
	assert_true(is_missing(ALPHA, "path"));
	pair_beat(&pair, 9000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NOT_READY), 0);
	pair_beat(&pair, 2000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_NOT_READY), 1);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_UP);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_READY), 1);
}

static void every_thing_that_is_missing_is_in_the_list(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	assert_true(is_missing(ALPHA, "web on beta"));
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	assert_false(is_missing(ALPHA, "web on beta"));
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	assert_true(is_missing(ALPHA, "node beta is in standby"));
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	begin(WEB, 0);
	assert_true(is_missing(ALPHA, "in maintenance: group web"));
	assert_true(is_missing(BETA, "in maintenance: group web"));
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	assert_true(is_missing(ALPHA, "node beta is lost"));
}

static void a_node_that_cannot_save_is_in_both_lists(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, WEB, ALPHA), YOKE_OK);
	pair_saved(&pair, BETA, false);
	pair_run(&pair, 500);
	assert_true(is_missing(ALPHA, "node beta cannot save its state"));
	assert_true(is_missing(BETA, "node beta cannot save its state"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rests_is_not_taken_over),
		cmocka_unit_test(what_rests_is_not_put_back_nor_switched),
		cmocka_unit_test(what_runs_when_it_ends_is_taken_over_as_it_is),
		cmocka_unit_test(what_does_not_run_when_it_ends_is_told),
		cmocka_unit_test(it_survives_restarts),
		cmocka_unit_test(each_node_has_it_on_its_own_disk),
		cmocka_unit_test(a_goodbye_leaves_it_running),
		cmocka_unit_test(it_is_recalled_every_day_by_one_node),
		cmocka_unit_test(an_older_yoke_is_not_asked_to_rest),
		cmocka_unit_test(a_healthy_pair_misses_nothing),
		cmocka_unit_test(what_is_missing_is_told_after_a_while),
		cmocka_unit_test(every_thing_that_is_missing_is_in_the_list),
		cmocka_unit_test(a_node_that_cannot_save_is_in_both_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
