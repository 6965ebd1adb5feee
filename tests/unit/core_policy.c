/* agent/core/policy.c: order, room, parallel groups, manual failover, automatic failback. */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

enum { DB = 1, WEB = 2, MINUTES_OF_DAY = 1440 };

static struct pair pair;

static void two_groups(void)
{
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
}

static struct core_group_conf *conf_of(uint16_t node, uint16_t group)
{
	return pair_group_conf(&pair, node, group);
}

static void run_both(void)
{
	pair_meet(&pair);
	pair_run(&pair, 2000);
}

static void expect(uint16_t group, enum yoke_group_state alpha, enum yoke_group_state beta)
{
	assert_int_equal(pair_group(&pair, ALPHA, group), alpha);
	assert_int_equal(pair_group(&pair, BETA, group), beta);
}

/* ---- order ---- */

static void one_waits_for_what_it_comes_after(void **state)
{
	(void)state;
	two_groups();
	conf_of(ALPHA, DB)->after = conf_of(BETA, DB)->after = WEB;
	pair.by_hand[CORE_RUN_START] = true;
	run_both();
	expect(WEB, YOKE_GROUP_STARTING, YOKE_GROUP_STOPPED);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(DB, YOKE_GROUP_STARTING, YOKE_GROUP_STOPPED);
}

/* What nobody answered to long ago is asked again before the start. */
static void who_waits_in_line_asks_when_it_is_its_turn(void **state)
{
	unsigned probes;

	(void)state;
	two_groups();
	conf_of(ALPHA, DB)->after = conf_of(BETA, DB)->after = WEB;
	pair.conf[0].resource[1].start_ms = pair.conf[1].resource[1].start_ms = 3600000;
	pair.by_hand[CORE_RUN_START] = true;
	run_both();
	expect(WEB, YOKE_GROUP_STARTING, YOKE_GROUP_STOPPED);
	pair_run(&pair, 1800000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STOPPED);
	probes = pair.runs[ALPHA - 1][CORE_RUN_PREPARE];
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	expect(DB, YOKE_GROUP_STARTING, YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_PREPARE], probes + 1);
}

/* On another node it may be. */
static void it_is_enough_that_it_runs_somewhere(void **state)
{
	(void)state;
	two_groups();
	conf_of(ALPHA, WEB)->after = conf_of(BETA, WEB)->after = DB;
	for (unsigned n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->node[0] = BETA;
		conf_of(n, DB)->node[1] = ALPHA;
	}
	run_both();
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

static void after_a_parallel_one_it_runs_where_that_does(void **state)
{
	(void)state;
	two_groups();
	for (unsigned n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->parallel = true;
		conf_of(n, WEB)->after = DB;
	}
	pair.conf[0].resource[0].has_address = pair.conf[1].resource[0].has_address = false;
	run_both();
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	/* Its server dies for good on alpha, and the address goes where one runs. */
	pair.address[0][0] = false;
	pair.by_hand[CORE_RUN_START] = true;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, ALPHA, 1, CORE_RESULT_FAILED);
	pair_run(&pair, 3000);
	assert_int_not_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

static void a_parallel_one_cannot_be_switched(void **state)
{
	(void)state;
	two_groups();
	conf_of(ALPHA, DB)->parallel = conf_of(BETA, DB)->parallel = true;
	run_both();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_E_PARALLEL);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_CONFLICT), 0);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* ---- room ---- */

/* web, which prefers beta, makes room for db. */
static void with_little_room(void)
{
	two_groups();
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->priority = 10;
		conf_of(n, WEB)->yields = true;
		conf_of(n, WEB)->node[0] = BETA;
		conf_of(n, WEB)->node[1] = ALPHA;
	}
}

static void the_lesser_one_makes_room(void **state)
{
	(void)state;
	with_little_room();
	run_both();
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	assert_false(pair.address[BETA - 1][1]);
}

/* Where it cannot have its room, it is not waited for: another node takes it. */
static void room_that_cannot_be_made_is_not_waited_for(void **state)
{
	(void)state;
	with_little_room();
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->node[0] = BETA;
		conf_of(n, DB)->node[1] = ALPHA;
	}
	run_both();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, ALPHA), YOKE_OK);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	/* Alpha dies; on beta the lesser one does not stop. */
	pair.by_hand[CORE_RUN_STOP] = true;
	pair.wire = false;
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	for (int i = 0; i < 6; i++) {
		pair_result(&pair, BETA, 2, CORE_RESULT_FAILED);
		pair_run(&pair, 5000);
	}
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPING);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
	/* Alpha is back, well, and could have it. */
	pair.by_hand[CORE_RUN_STOP] = false;
	pair.wire = true;
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair.by_hand[CORE_RUN_STOP] = true;
	for (int i = 0; i < 60; i++) {
		pair_run(&pair, 5000);
		pair_result(&pair, BETA, 2, CORE_RESULT_FAILED);
	}
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	/* And when there is room at last nothing moves. */
	pair_run(&pair, 5000);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* ---- by hand ---- */

static void form_manual(void)
{
	two_groups();
	conf_of(ALPHA, DB)->manual = conf_of(BETA, DB)->manual = true;
	run_both();
}

static void a_fault_does_not_move_what_people_move(void **state)
{
	(void)state;
	form_manual();
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_HELD);
	assert_non_null(strstr(pair_last(&pair, BETA, YOKE_EVENT_GROUP_HELD)->reason,
			       "yoke switch db beta"));
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* Whatever else would have been a reason. */
static void who_moved_it_is_the_reason(void **state)
{
	(void)state;
	form_manual();
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED)->reason,
			       "switchover by an operator"));
}

static void people_and_a_goodbye_do_move_it(void **state)
{
	(void)state;
	form_manual();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

/* Cut from beta, alpha's engine finds db again at term 1: its record is lost. */
static void who_runs_it_had_it_last(void **state)
{
	(void)state;
	form_manual();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair.record_size[ALPHA - 1] = 0;
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 100);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].term, 1);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].started_term, 1);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].term, 1);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].started_term, 3);
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].started_term, 3);
}

/* ---- back ---- */

/* A node loses its power, the other one takes DB over, and it is back. */
static void fail_and_return(uint16_t node)
{
	uint16_t other = node == ALPHA ? BETA : ALPHA;

	pair_power_off(&pair, node);
	pair_silence(&pair, other);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, other, DB), YOKE_GROUP_STARTED);
	pair_start(&pair, node);
	pair_paths(&pair, YOKE_PATH_UP);
}

static void form_failback(uint32_t failback_ms, uint16_t from, uint16_t to)
{
	two_groups();
	for (unsigned n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->failback = true;
		conf_of(n, DB)->failback_ms = failback_ms;
		conf_of(n, DB)->failback_from = from;
		conf_of(n, DB)->failback_to = to;
	}
	run_both();
	fail_and_return(ALPHA);
	pair_run(&pair, 500);
}

static void it_goes_back_when_its_first_node_was_fit_for_long_enough(void **state)
{
	(void)state;
	form_failback(10000, 0, 0);
	pair_run(&pair, 9000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_STARTED)->reason,
			       "automatic failback from beta"));
}

static void clock_on(uint16_t node, uint16_t minute)
{
	struct core_event ev = {.type = CORE_CLOCK};

	ev.u.clock.minute = minute;
	pair_give(&pair, node, &ev);
}

static void it_goes_back_in_its_window_only(void **state)
{
	static const uint16_t from = 22 * 60, to = 5 * 60;

	(void)state;
	form_failback(1000, from, to);
	pair_run(&pair, 60000); /* nobody knows what time it is */
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	for (uint16_t minute = to; minute < from; minute += 10)
		clock_on(BETA, minute);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	clock_on(BETA, (from + 180) % MINUTES_OF_DAY);
	clock_on(ALPHA, (from + 180) % MINUTES_OF_DAY);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* It would go to and fro. */
static void fail_on_alpha(void)
{
	two_groups();
	for (unsigned n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->failback = true;
		conf_of(n, DB)->failback_ms = 1000;
		pair.conf[n - 1].retry_ms = 5000;
	}
	run_both();
	pair.by_hand[CORE_RUN_START] = true;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair.address[0][0] = false;
	pair_result(&pair, ALPHA, 1, CORE_RESULT_FAILED);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
}

static void it_does_not_go_back_to_where_it_failed_lately(void **state)
{
	(void)state;
	fail_on_alpha();
	pair_run(&pair, 8000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_run(&pair, 10000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

static void nor_when_the_engine_there_has_started_since(void **state)
{
	(void)state;
	fail_on_alpha();
	pair_run(&pair, 6000);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 8000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_run(&pair, 10000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	/* It went well for long enough: what an engine knows of it is over, too. */
	pair_run(&pair, 60000);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].failures, 0);
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_core(&pair, ALPHA)->group[DB - 1].failures, 0);
}

/* What an operator has moved there is not moved back behind his back. */
static void a_switchover_is_not_undone(void **state)
{
	(void)state;
	form_failback(1000, 0, 0);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_true(pair_core(&pair, ALPHA)->node[BETA - 1].claim[DB - 1].pinned);
	/* Nor by an engine that starts meanwhile. */
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, DB, 0), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* Switched to beta by `asker`, it does not start there; later it does, because alpha cannot. */
static void fail_to_switch(uint16_t asker)
{
	form_failback(1000, 0, 0);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	pair.by_hand[CORE_RUN_START] = true;
	assert_int_equal(pair_ask(&pair, asker, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTING);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, BETA, 1, CORE_RESULT_FAILED);
	assert_int_equal(pair_told(&pair, asker, YOKE_EVENT_OPERATION_FAILED), 1);
	pair_run(&pair, 70000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_USABLE);
	pair_run(&pair, 5000);
}

static void a_switchover_that_failed_leaves_no_pin(void **state)
{
	(void)state;
	fail_to_switch(ALPHA);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	fail_to_switch(BETA);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* What an engine hears of an earlier one when it starts is not news. */
static void an_older_failure_does_not_end_a_pin(void **state)
{
	(void)state;
	fail_to_switch(ALPHA);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

/* The operation ends before: what he wanted comes true all the same, and stays. */
static void a_start_that_takes_long_is_pinned(void **state)
{
	(void)state;
	form_failback(1000, 0, 0);
	pair_run(&pair, 2000);
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_core(&pair, n)->conf.resource[0].start_ms = 3600000;
	pair.by_hand[CORE_RUN_START] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 40000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_FAILED), 1);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTING);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

static void where_it_is_it_can_be_kept(void **state)
{
	(void)state;
	form_failback(10000, 0, 0);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 60000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 1);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
}

static void a_fault_that_moves_it_ends_that(void **state)
{
	(void)state;
	form_failback(10000, 0, 0);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	fail_and_return(BETA);
	pair_run(&pair, 1000);
	fail_and_return(ALPHA);
	pair_run(&pair, 12000);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* What it was pinned to starts anew, and nobody else has had it. */
static void a_reboot_of_its_owner_does_not_end_that(void **state)
{
	(void)state;
	form_failback(1000, 0, 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	pair_power_off(&pair, BETA);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 60000);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, DB, 0), YOKE_OK);
	pair_run(&pair, 1000);
	assert_false(pair_core(&pair, BETA)->group[DB - 1].pinned);
}

/* An older yoke has never heard of pins: an operation does not wait for its word. */
static void an_owner_that_tells_no_pins_need_not(void **state)
{
	(void)state;
	form_failback(1000, 0, 0);
	pair_run(&pair, 2000);
	pair_core(&pair, BETA)->conf.group[DB - 1].failback = false;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	pair_core(&pair, ALPHA)->node[BETA - 1].tells_pins = false;
	pair_timer(&pair, ALPHA);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 1);
}

/* Both are due: meanwhile the second one runs where it is. */
static void what_it_comes_after_goes_back_first(void **state)
{
	(void)state;
	two_groups();
	for (unsigned n = ALPHA; n <= BETA; n++) {
		conf_of(n, DB)->after = WEB;
		conf_of(n, DB)->failback = conf_of(n, WEB)->failback = true;
		conf_of(n, DB)->failback_ms = conf_of(n, WEB)->failback_ms = 5000;
	}
	run_both();
	fail_and_return(ALPHA);
	expect(WEB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_START] = true;
	pair_run(&pair, 5500);
	expect(WEB, YOKE_GROUP_STARTING, YOKE_GROUP_STOPPED);
	expect(DB, YOKE_GROUP_STOPPED, YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_DONE);
	pair_run(&pair, 1000);
	expect(WEB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
	expect(DB, YOKE_GROUP_STARTED, YOKE_GROUP_STOPPED);
}

/* What comes after it does not wait for a failback that only its owner can tell to be due: it may
 * tell no pins, or have seen that node fit for less long. */
static void what_may_go_back_is_followed_where_it_is(void **state)
{
	struct core *alpha = pair_core(&pair, ALPHA);

	(void)state;
	form_failback(1000, 0, 0);
	alpha->conf.group[WEB - 1].after = DB;
	pair_run(&pair, 2000);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 3000);
	assert_true(core_policy_may_follow(alpha, WEB));
	alpha->node[BETA - 1].claim[DB - 1].pinned = false;
	assert_int_equal(core_wanted(alpha, DB), ALPHA);
	assert_true(core_policy_may_follow(alpha, WEB));
}

/* The probe is too old by then, and is made again: that is no reason to take the room back. */
static void room_that_takes_long_is_taken(void **state)
{
	(void)state;
	with_little_room();
	for (unsigned n = 0; n < 2; n++)
		pair.conf[n].resource[1].stop_ms = 3600000;
	run_both();
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 90000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPING);
	pair.address[BETA - 1][1] = false;
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.kind[BETA - 1][0], CORE_RUN_PREPARE);
	assert_int_equal(pair.kind[BETA - 1][1], CORE_RUN_STOP);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_waits_for_what_it_comes_after),
		cmocka_unit_test(who_waits_in_line_asks_when_it_is_its_turn),
		cmocka_unit_test(it_is_enough_that_it_runs_somewhere),
		cmocka_unit_test(after_a_parallel_one_it_runs_where_that_does),
		cmocka_unit_test(a_parallel_one_cannot_be_switched),
		cmocka_unit_test(the_lesser_one_makes_room),
		cmocka_unit_test(room_that_cannot_be_made_is_not_waited_for),
		cmocka_unit_test(a_fault_does_not_move_what_people_move),
		cmocka_unit_test(who_moved_it_is_the_reason),
		cmocka_unit_test(people_and_a_goodbye_do_move_it),
		cmocka_unit_test(who_runs_it_had_it_last),
		cmocka_unit_test(it_goes_back_when_its_first_node_was_fit_for_long_enough),
		cmocka_unit_test(it_goes_back_in_its_window_only),
		cmocka_unit_test(it_does_not_go_back_to_where_it_failed_lately),
		cmocka_unit_test(nor_when_the_engine_there_has_started_since),
		cmocka_unit_test(a_switchover_is_not_undone),
		cmocka_unit_test(a_switchover_that_failed_leaves_no_pin),
		cmocka_unit_test(an_older_failure_does_not_end_a_pin),
		cmocka_unit_test(a_start_that_takes_long_is_pinned),
		cmocka_unit_test(where_it_is_it_can_be_kept),
		cmocka_unit_test(a_fault_that_moves_it_ends_that),
		cmocka_unit_test(a_reboot_of_its_owner_does_not_end_that),
		cmocka_unit_test(an_owner_that_tells_no_pins_need_not),
		cmocka_unit_test(what_it_comes_after_goes_back_first),
		cmocka_unit_test(what_may_go_back_is_followed_where_it_is),
		cmocka_unit_test(room_that_takes_long_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
