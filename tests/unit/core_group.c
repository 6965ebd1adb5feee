/* The state machine of a group: every row of group.c's table, and what may never happen in it. */
#include "tests/unit/core_pair.h"

static struct pair pair;

static void leave(uint16_t node)
{
	struct core_event ev = {.type = CORE_LEAVE};

	pair_give(&pair, node, &ev);
}

/* ---- UNKNOWN ---- */

static void nothing_runs_so_it_is_stopped(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
}

static void what_runs_is_adopted(void **state)
{
	uint64_t term;

	(void)state;
	pair_form(&pair);
	term = pair_core(&pair, ALPHA)->group[0].term;
	pair_start(&pair, ALPHA);
	pair.announces[ALPHA - 1] = 0;
	pair_run(&pair, PAIR_DEAD_MS);
	assert_int_equal(pair.announces[ALPHA - 1], PAIR_RESOURCES);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term, term);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_ADOPTED), 1);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

/* Before the new engine knows its interfaces, it does not hand over what it found running. */
static void an_adopted_group_waits_for_news_of_its_interface(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_start_held(&pair, ALPHA, NULL);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_part_that_runs_is_stopped(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.address[ALPHA - 1][1] = true;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_false(pair.address[ALPHA - 1][1]);
	assert_non_null(
		strstr(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPING)->reason, "a part"));
}

/* ---- STOPPED, STARTING ---- */

static void resources_start_in_order_and_stop_in_reverse(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_START] = pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair.kind[ALPHA - 1][1], CORE_RUN_STOP);
	assert_int_not_equal(pair.kind[ALPHA - 1][0], CORE_RUN_STOP);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair.kind[ALPHA - 1][0], CORE_RUN_STOP);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTING);
	assert_int_equal(pair.kind[BETA - 1][0], CORE_RUN_START);
	assert_int_not_equal(pair.kind[BETA - 1][1], CORE_RUN_START);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair.kind[BETA - 1][1], CORE_RUN_START);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_true(pair_last(&pair, BETA, YOKE_EVENT_GROUP_STARTED)->reason[0] != '\0');
}

static void a_failed_start_moves_it_once_and_is_tried_again_later(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_meet(&pair);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_FAILED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_FAILED), 1);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTING);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	pair_run(&pair, 59000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_carrier_that_comes_back_forgives(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_FAILED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_USABLE);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
}

static void a_stranger_fails_the_start_by_name(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_meet(&pair);
	pair_result_of(&pair, ALPHA, pair.run[ALPHA - 1][0], CORE_RESULT_ANSWERED, PAIR_STRANGER);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_FAILED)->reason,
			       "02:00:00:00:00:09"));
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], 0);
	assert_int_equal(pair.cancels[ALPHA - 1], 1);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
}

static void every_address_of_a_group_is_probed(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_meet(&pair);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_result_of(&pair, ALPHA, pair.run[ALPHA - 1][1], CORE_RESULT_ANSWERED, PAIR_STRANGER);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
}

/* It has just started it, and its word is on the way: not a reason to start it, too. */
static void a_node_that_answers_for_what_it_says_is_stopped(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_meet(&pair);
	pair_result_of(&pair, ALPHA, pair.run[ALPHA - 1][0], CORE_RESULT_ANSWERED, BETA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], 0);
	pair_run(&pair, 150);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_PREPARE], 2 * PAIR_RESOURCES);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void a_term_is_durable_before_it_is_used(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.saves_by_hand = true;
	pair_meet(&pair);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], 0);
	pair_saved(&pair, ALPHA, true);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term, 1);
}

static void a_node_that_cannot_save_leaves_it_to_the_other(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.saves_by_hand = true;
	pair_meet(&pair);
	pair_saved(&pair, ALPHA, false);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_FAILED), 1);
	pair_saved(&pair, BETA, true);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair_run(&pair, 1000);
	pair_saved(&pair, ALPHA, true);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_WORKS), 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* ---- takeover and HELD ---- */

static void the_probe_is_over_when_the_dead_time_is(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_power_off(&pair, ALPHA);
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], PAIR_RESOURCES);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	pair_path(&pair, BETA, 2, YOKE_PATH_DOWN);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_non_null(strstr(pair_last(&pair, BETA, YOKE_EVENT_GROUP_STARTED)->reason,
			       "failover from alpha"));
}

/* It is not our turn yet: that somebody unknown answers is no failure of ours. */
static void a_stranger_while_the_owner_is_late_fails_nothing(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, PAIR_STRANGER);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	pair_path(&pair, BETA, 1, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_FAILED), 0);
}

static void a_stranger_is_told_to_who_moves_it(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, PAIR_STRANGER);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_FAILED), 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_FAILED), 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void the_probe_is_dropped_when_the_owner_is_heard_again(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], PAIR_RESOURCES);
	pair_path(&pair, BETA, 1, YOKE_PATH_UP);
	assert_int_equal(pair.cancels[BETA - 1], PAIR_RESOURCES);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE); /* too late: it was not wanted any more */
	assert_int_equal(pair_core(&pair, BETA)->group[0].prepare, CORE_PREPARE_NONE);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

/* An engine that has told nothing of its interfaces yet is still on the machine that we know. */
static void a_restarted_engine_is_no_stranger(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_start_held(&pair, ALPHA, NULL);
	pair_paths(&pair, YOKE_PATH_UP);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair.running[ALPHA - 1] = false;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	pair_path(&pair, BETA, 2, YOKE_PATH_DOWN);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
}

/* What was found while the owner was well says nothing of a silent one. */
static void a_late_owner_is_probed_anew(void **state)
{
	unsigned probes;

	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_core(&pair, BETA)->group[0].prepare, CORE_PREPARE_CLEAR);
	probes = pair.runs[BETA - 1][CORE_RUN_PREPARE];
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], probes + PAIR_RESOURCES);
}

/* Silence is proof enough for a group that is not exclusive only. */
static void an_exclusive_group_is_not_taken_on_silence(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf[0].group[0].exclusive = pair.conf[1].group[0].exclusive = true;
	pair_meet(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
}

/* ---- STARTED ---- */

static void the_lower_term_stops_and_the_winner_announces(void **state)
{
	unsigned announced;

	(void)state;
	pair_form(&pair);
	pair_cut(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	announced = pair.announces[BETA - 1];
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_mend(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT), 1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT_OVER), 0);
	assert_true(pair.announces[BETA - 1] > announced);
	announced = pair.announces[BETA - 1];
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT_OVER), 1);
	assert_int_equal(pair.announces[BETA - 1], announced + PAIR_RESOURCES);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void equal_terms_go_to_the_preferred_node(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair_run(&pair, 4000);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term, 1);
	assert_int_equal(pair_core(&pair, BETA)->group[0].term, 1);
	pair_mend(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

static void a_conflict_is_lost_while_starting(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair.wire = false;
	pair_silence(&pair, BETA);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTING);
	/* Alpha is at a higher term when they meet. */
	pair_core(&pair, ALPHA)->group[0].term = pair_core(&pair, ALPHA)->group[0].reserved = 50;
	pair_silence(&pair, ALPHA);
	pair_mend(&pair);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* The other one would not learn of it, and what the clients learned last would be wrong. */
static void who_may_not_keep_it_does_not_say_that_he_has_it(void **state)
{
	unsigned announces;

	(void)state;
	pair_form(&pair);
	pair.wire = false;
	pair_silence(&pair, BETA);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	/* The terms are equal when they meet, and alpha is preferred. */
	pair_core(&pair, BETA)->group[0].term = 1;
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start_held(&pair, ALPHA, "it is damaged");
	announces = pair.announces[ALPHA - 1];
	pair_mend(&pair);
	for (uint16_t r = 1; r <= PAIR_RESOURCES; r++)
		pair_result(&pair, ALPHA, r, CORE_RESULT_RUNNING);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.announces[ALPHA - 1], announces);
}

static void a_node_without_carrier_hands_over_if_it_can(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_news(&pair, BETA, 2, CORE_NEWS_UNUSABLE);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_news(&pair, BETA, 2, CORE_NEWS_USABLE);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_USABLE);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_stall_is_followed_by_an_announcement(void **state)
{
	struct core_event ev = {.type = CORE_STALL, .u.stall.stall_ms = 1234};

	(void)state;
	pair_form(&pair);
	pair_run(&pair, 5000);
	pair.announces[ALPHA - 1] = 0;
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_last(&pair, ALPHA, YOKE_EVENT_STALL)->value, 1234);
	assert_int_equal(pair.announces[ALPHA - 1], 0);
	pair_run(&pair, PAIR_DEAD_MS);
	assert_int_equal(pair.announces[ALPHA - 1], PAIR_RESOURCES);
	pair_run(&pair, 10000);
	assert_int_equal(pair.announces[ALPHA - 1], PAIR_RESOURCES);
}

/* ---- leaving ---- */

static void a_leaving_node_hands_over_first(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	leave(ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair.exits[ALPHA - 1], 0);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.exits[ALPHA - 1], 1);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LEFT);
}

/* What is not probed yet may run: no goodbye before that is known. */
static void a_leave_waits_for_the_probes(void **state)
{
	struct core_event leave = {.type = CORE_LEAVE};

	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA); /* its engine begins anew, the addresses are there */
	pair_run(&pair, 300);
	pair_give(&pair, ALPHA, &leave);
	pair_run(&pair, 300);
	assert_false(pair_core(&pair, ALPHA)->left);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_RUNNING);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_RUNNING);
	pair_run(&pair, 1000);
	assert_true(pair_core(&pair, ALPHA)->left);
	assert_false(pair.address[ALPHA - 1][0]);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void the_last_node_stops_what_it_runs(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	leave(ALPHA);
	leave(ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_run(&pair, 1000);
	assert_int_equal(pair.exits[ALPHA - 1], 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_ENGINE_STOPPED), 1);
}

static void a_leaving_node_does_not_wait_for_ever(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf[0].operation_ms = pair.conf[1].operation_ms = 8000;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair.saves_by_hand = true; /* beta never gets the next term: it does not become ready */
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_STOP] = true;
	leave(ALPHA);
	pair_run(&pair, 3900);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_run(&pair, 200);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	/* It cannot be stopped: the end comes without the goodbye. */
	pair_run(&pair, 4000);
	assert_int_equal(pair.exits[ALPHA - 1], 1);
	assert_int_not_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LEFT);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

/* ---- STOPPING ---- */

static void a_failed_stop_starts_nothing_elsewhere(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 300);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_FAILED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	pair_run(&pair, 4000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 2);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_runs_so_it_is_stopped),
		cmocka_unit_test(what_runs_is_adopted),
		cmocka_unit_test(an_adopted_group_waits_for_news_of_its_interface),
		cmocka_unit_test(a_part_that_runs_is_stopped),
		cmocka_unit_test(resources_start_in_order_and_stop_in_reverse),
		cmocka_unit_test(a_failed_start_moves_it_once_and_is_tried_again_later),
		cmocka_unit_test(a_carrier_that_comes_back_forgives),
		cmocka_unit_test(a_stranger_fails_the_start_by_name),
		cmocka_unit_test(every_address_of_a_group_is_probed),
		cmocka_unit_test(a_node_that_answers_for_what_it_says_is_stopped),
		cmocka_unit_test(a_term_is_durable_before_it_is_used),
		cmocka_unit_test(a_node_that_cannot_save_leaves_it_to_the_other),
		cmocka_unit_test(the_probe_is_over_when_the_dead_time_is),
		cmocka_unit_test(a_stranger_while_the_owner_is_late_fails_nothing),
		cmocka_unit_test(a_stranger_is_told_to_who_moves_it),
		cmocka_unit_test(the_probe_is_dropped_when_the_owner_is_heard_again),
		cmocka_unit_test(a_restarted_engine_is_no_stranger),
		cmocka_unit_test(a_late_owner_is_probed_anew),
		cmocka_unit_test(an_exclusive_group_is_not_taken_on_silence),
		cmocka_unit_test(the_lower_term_stops_and_the_winner_announces),
		cmocka_unit_test(equal_terms_go_to_the_preferred_node),
		cmocka_unit_test(a_conflict_is_lost_while_starting),
		cmocka_unit_test(who_may_not_keep_it_does_not_say_that_he_has_it),
		cmocka_unit_test(a_node_without_carrier_hands_over_if_it_can),
		cmocka_unit_test(a_stall_is_followed_by_an_announcement),
		cmocka_unit_test(a_leaving_node_hands_over_first),
		cmocka_unit_test(a_leave_waits_for_the_probes),
		cmocka_unit_test(the_last_node_stops_what_it_runs),
		cmocka_unit_test(a_leaving_node_does_not_wait_for_ever),
		cmocka_unit_test(a_failed_stop_starts_nothing_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
