/* A resource that is asked whether it is well, and restarted here before its group moves. */
#include "tests/unit/core_pair.h"

enum {
	ADDRESS = 1, /* resources */
	SERVICE = 2,
	INTERVAL_MS = 1000,
	MONITOR_MS = 2000,
	MISSES = 3,
	RESTARTS = 2,
	WINDOW_MS = 60000,
};

static struct pair pair;

static void configure(uint16_t node)
{
	pair.conf[node - 1].resource[SERVICE - 1] =
		(struct core_resource_conf){.group = 1,
					    .monitor_ms = MONITOR_MS,
					    .monitor_interval_ms = INTERVAL_MS,
					    .monitor_failures = MISSES,
					    .restarts = RESTARTS,
					    .restart_window_ms = WINDOW_MS};
}

/* Alpha runs an address and a service, beta could. */
static void form(void)
{
	pair_init(&pair);
	configure(ALPHA);
	configure(BETA);
	pair_meet(&pair);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

static struct core_resource *service(uint16_t node)
{
	return &pair_core(&pair, node)->resource[SERVICE - 1];
}

static unsigned monitors(void)
{
	return pair.runs[ALPHA - 1][CORE_RUN_MONITOR];
}

static unsigned restarts(uint16_t node)
{
	return pair_told(&pair, node, YOKE_EVENT_GROUP_RESTARTING);
}

/* The next monitor finds it dead; what follows from that is done at once. */
static void die(void)
{
	pair.address[ALPHA - 1][SERVICE - 1] = false;
	pair_run(&pair, INTERVAL_MS + 1);
}

/* The next monitor, which the test answers. */
static void answer(enum core_result result)
{
	unsigned before = monitors();

	pair.by_hand[CORE_RUN_MONITOR] = true;
	pair_run(&pair, INTERVAL_MS);
	assert_int_equal(monitors(), before + 1);
	assert_int_equal(pair.kind[ALPHA - 1][SERVICE - 1], CORE_RUN_MONITOR);
	pair_result(&pair, ALPHA, SERVICE, result);
}

/* ---- monitors ---- */

static void it_is_asked_each_interval(void **state)
{
	(void)state;
	form();
	pair_run(&pair, 10 * INTERVAL_MS);
	assert_int_equal(monitors(), 10);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_MONITOR], 0);
	assert_int_equal(service(ALPHA)->state, YOKE_RESOURCE_STARTED);
	assert_int_equal(restarts(ALPHA), 0);
}

/* Nothing else happens on a node that is alone: its own deadline must do. */
static void a_node_alone_asks_too(void **state)
{
	(void)state;
	pair_init(&pair);
	configure(ALPHA);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair.runs[ALPHA - 1][CORE_RUN_MONITOR] = 0;
	pair_run(&pair, 5 * INTERVAL_MS);
	assert_int_equal(monitors(), 5);
}

static void the_next_one_waits_for_the_answer(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_MONITOR] = true;
	pair_run(&pair, INTERVAL_MS + MONITOR_MS - 100);
	assert_int_equal(monitors(), 1);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_RUNNING);
	pair_run(&pair, INTERVAL_MS - 1);
	assert_int_equal(monitors(), 1);
	pair_run(&pair, 1);
	assert_int_equal(monitors(), 2);
}

static void nobody_asks_during_a_start_or_a_stop(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_START] = pair.by_hand[CORE_RUN_STOP] = true;
	die();
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(monitors(), 1);
	pair_run(&pair, 5 * INTERVAL_MS);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	pair_run(&pair, 5 * INTERVAL_MS);
	assert_int_equal(monitors(), 1);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair.address[ALPHA - 1][SERVICE - 1] = true;
	pair_run(&pair, INTERVAL_MS);
	assert_int_equal(monitors(), 2);
}

static void nobody_asks_while_the_group_is_restarted(void **state)
{
	unsigned before;

	(void)state;
	form();
	pair_core(&pair, ALPHA)->conf.resource[ADDRESS - 1].monitor_interval_ms = INTERVAL_MS;
	pair.by_hand[CORE_RUN_STOP] = true;
	die();
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	before = monitors();
	pair_run(&pair, 5 * INTERVAL_MS);
	assert_int_equal(monitors(), before);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	pair_run(&pair, INTERVAL_MS);
	assert_int_equal(monitors(), before + 2);
}

static void misses_in_a_row_fail_it(void **state)
{
	(void)state;
	form();
	for (unsigned i = 1; i < MISSES; i++) {
		answer(CORE_RESULT_FAILED);
		assert_int_equal(service(ALPHA)->monitor_row, 2 * i);
	}
	assert_int_equal(restarts(ALPHA), 0);
	answer(CORE_RESULT_FAILED);
	assert_int_equal(restarts(ALPHA), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED)->reason,
			    "it broke");
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_RESTARTING)->reason,
			    "restarted here: it broke");
	assert_int_equal(service(ALPHA)->monitor_row, 0);
}

static void one_success_forgets_the_misses(void **state)
{
	(void)state;
	form();
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 1; i < MISSES; i++)
			answer(CORE_RESULT_FAILED);
		answer(CORE_RESULT_RUNNING);
	}
	assert_int_equal(restarts(ALPHA), 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 0);
}

/* A machine that is busy answers late, too. */
static void no_answer_in_time_weighs_half(void **state)
{
	(void)state;
	form();
	for (unsigned i = 1; i < 2 * MISSES; i++)
		answer(CORE_RESULT_LATE);
	assert_int_equal(restarts(ALPHA), 0);
	answer(CORE_RESULT_LATE);
	assert_int_equal(restarts(ALPHA), 1);
}

static void a_window_counts_over_good_ones(void **state)
{
	(void)state;
	form();
	pair_core(&pair, ALPHA)->conf.resource[SERVICE - 1].monitor_window = 3 * MISSES;
	for (unsigned i = 1; i < MISSES; i++) {
		answer(CORE_RESULT_FAILED);
		answer(CORE_RESULT_RUNNING);
	}
	assert_int_equal(restarts(ALPHA), 0);
	/* The first ones leave the window. */
	for (unsigned i = 0; i < 3 * MISSES; i++)
		answer(CORE_RESULT_RUNNING);
	answer(CORE_RESULT_FAILED);
	assert_int_equal(restarts(ALPHA), 0);
	for (unsigned i = 1; i < MISSES; i++) {
		answer(CORE_RESULT_RUNNING);
		answer(CORE_RESULT_FAILED);
	}
	assert_int_equal(restarts(ALPHA), 1);
	/* And then it begins anew. */
	answer(CORE_RESULT_FAILED);
	assert_int_equal(restarts(ALPHA), 1);
}

/* Not answered in time is a miss; the late answer is nobody's. */
static void no_answer_is_a_miss(void **state)
{
	int64_t left_ms;
	uint32_t id;

	(void)state;
	form();
	pair.by_hand[CORE_RUN_MONITOR] = true;
	pair_run(&pair, INTERVAL_MS);
	id = pair.run[ALPHA - 1][SERVICE - 1];
	left_ms = yoke_time_span_us(pair.now, service(ALPHA)->run_deadline) / 1000;
	assert_in_range(left_ms, MONITOR_MS, MONITOR_MS + 1000); /* the core's own is later */
	pair_run(&pair, left_ms - 1);
	assert_int_equal(service(ALPHA)->monitor_row, 0);
	pair_run(&pair, 1);
	assert_int_equal(service(ALPHA)->monitor_row, 1);
	pair_result_of(&pair, ALPHA, id, CORE_RESULT_STOPPED, 0);
	assert_int_equal(service(ALPHA)->state, YOKE_RESOURCE_STARTED);
	assert_int_equal(service(ALPHA)->monitor_row, 1);
	answer(CORE_RESULT_RUNNING);
	assert_int_equal(service(ALPHA)->monitor_row, 0);
}

static void not_running_fails_at_once(void **state)
{
	(void)state;
	form();
	answer(CORE_RESULT_STOPPED);
	assert_int_equal(restarts(ALPHA), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED)->reason,
			    "it was found not running");
}

static void an_answer_twice_counts_once(void **state)
{
	uint32_t id;

	(void)state;
	form();
	answer(CORE_RESULT_FAILED);
	id = pair.run[ALPHA - 1][SERVICE - 1];
	pair_result_of(&pair, ALPHA, id, CORE_RESULT_FAILED, 0);
	pair_result_of(&pair, ALPHA, id, CORE_RESULT_FAILED, 0);
	assert_int_equal(service(ALPHA)->monitor_row, 2);
}

/* ---- restarts ---- */

static void the_first_stays_while_the_second_is_restarted(void **state)
{
	uint64_t term;

	(void)state;
	form();
	term = pair_core(&pair, ALPHA)->group[0].term;
	pair.announces[ALPHA - 1] = 0;
	die();
	assert_int_equal(restarts(ALPHA), 1);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], PAIR_RESOURCES + 1);
	assert_true(pair.address[ALPHA - 1][ADDRESS - 1]);
	assert_true(pair.address[ALPHA - 1][SERVICE - 1]);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term, term);
	assert_int_equal(pair.announces[ALPHA - 1], 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED), 0);
}

/* What comes after it is stopped first and started after it, in order. */
static void what_comes_after_it_is_restarted_too(void **state)
{
	(void)state;
	form();
	pair_core(&pair, ALPHA)->conf.resource[ADDRESS - 1].restarts = 1;
	pair.by_hand[CORE_RUN_START] = pair.by_hand[CORE_RUN_STOP] = true;
	for (unsigned i = 0; i <= CORE_RESTORES_MAX; i++) {
		pair_news(&pair, ALPHA, ADDRESS, CORE_NEWS_LOST);
		if (i < CORE_RESTORES_MAX)
			pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_DONE);
	}
	assert_int_equal(restarts(ALPHA), 1);
	assert_int_equal(pair.kind[ALPHA - 1][SERVICE - 1], CORE_RUN_STOP);
	assert_int_equal(pair.kind[ALPHA - 1][ADDRESS - 1], CORE_RUN_START);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair.kind[ALPHA - 1][ADDRESS - 1], CORE_RUN_STOP);
	pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_DONE);
	assert_int_equal(pair.kind[ALPHA - 1][ADDRESS - 1], CORE_RUN_START);
	assert_int_equal(pair.kind[ALPHA - 1][SERVICE - 1], CORE_RUN_STOP);
	pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void at_the_limit_it_fails_here_and_moves(void **state)
{
	(void)state;
	form();
	for (unsigned i = 1; i <= RESTARTS; i++) {
		die();
		assert_int_equal(restarts(ALPHA), i);
		assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	}
	die();
	assert_int_equal(restarts(ALPHA), RESTARTS);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_false(pair.address[ALPHA - 1][ADDRESS - 1]);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_FAILED)->reason,
			    "it was found not running");
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_true(pair.address[BETA - 1][SERVICE - 1]);
}

static void with_the_window_the_count_is_forgotten(void **state)
{
	(void)state;
	form();
	pair_run(&pair, WINDOW_MS - INTERVAL_MS); /* it begins with the first restart */
	for (unsigned i = 0; i < RESTARTS; i++)
		die();
	pair_run(&pair, WINDOW_MS - RESTARTS * (INTERVAL_MS + 1) - 2 * INTERVAL_MS);
	assert_int_equal(service(ALPHA)->restart_count, RESTARTS);
	pair_run(&pair, 4 * INTERVAL_MS);
	for (unsigned i = 0; i < RESTARTS; i++)
		die();
	assert_int_equal(restarts(ALPHA), 2 * RESTARTS);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	die();
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
}

/* Not more than the limit in any window, whenever it begins. */
static void the_window_slides(void **state)
{
	(void)state;
	form();
	die();
	pair_run(&pair, WINDOW_MS - 3 * INTERVAL_MS);
	die();
	assert_int_equal(restarts(ALPHA), RESTARTS);
	pair_run(&pair, 4 * INTERVAL_MS);
	die();
	assert_int_equal(restarts(ALPHA), RESTARTS + 1);
	die();
	assert_int_equal(restarts(ALPHA), RESTARTS + 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
}

static void online_forgives(void **state)
{
	(void)state;
	form();
	for (unsigned i = 0; i < RESTARTS; i++)
		die();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	die();
	assert_int_equal(restarts(ALPHA), RESTARTS + 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	assert_int_equal(service(ALPHA)->restart_count, 0);
}

static void a_failed_restart_moves_it(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_START] = true;
	die();
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_FAILED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_false(pair.address[ALPHA - 1][ADDRESS - 1]);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

/* It may still run: neither started again here nor anywhere else. */
static void a_failed_stop_holds_the_restart(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_STOP] = true;
	answer(CORE_RESULT_STOPPED);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_FAILED);
	pair_run(&pair, 4900);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	pair_run(&pair, 200);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 2);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_true(pair.address[ALPHA - 1][ADDRESS - 1]);
}

static void the_owner_stays_the_owner(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_START] = pair.by_hand[CORE_RUN_STOP] = true;
	die();
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], 0);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
	assert_int_equal(pair_core(&pair, BETA)->group[0].owner, ALPHA);
}

/* ---- with what else happens ---- */

/* It has no address that could collide, and none to announce. */
static void a_group_of_services_is_taken_over_without_a_probe(void **state)
{
	(void)state;
	pair_init(&pair);
	for (uint16_t node = ALPHA; node <= BETA; node++) {
		configure(node);
		pair.conf[node - 1].resource[0] = pair.conf[node - 1].resource[SERVICE - 1];
	}
	pair_meet(&pair);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair_news(&pair, BETA, 1, CORE_NEWS_DOUBT);
	pair_run(&pair, 2 * PAIR_DEAD_MS);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_PREPARE], 0);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], 0);
	assert_int_equal(pair.announces[BETA - 1], 0);
}

static void a_doubt_during_a_restart_is_not_forgotten(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_STOP] = true;
	die();
	pair.announces[ALPHA - 1] = 0;
	pair_news(&pair, ALPHA, ADDRESS, CORE_NEWS_DOUBT);
	pair_run(&pair, 5 * PAIR_DEAD_MS);
	assert_int_equal(pair.announces[ALPHA - 1], 0);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.announces[ALPHA - 1], 1);
	pair_run(&pair, 5 * PAIR_DEAD_MS);
	assert_int_equal(pair.announces[ALPHA - 1], 1);
}

static void a_switch_does_not_wait_for_a_monitor(void **state)
{
	uint32_t id;

	(void)state;
	form();
	pair.by_hand[CORE_RUN_MONITOR] = true;
	pair_run(&pair, INTERVAL_MS);
	id = pair.run[ALPHA - 1][SERVICE - 1];
	assert_int_equal(service(ALPHA)->run, id);
	pair.cancels[ALPHA - 1] = 0;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 300);
	assert_int_equal(pair.cancels[ALPHA - 1], 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair_result_of(&pair, ALPHA, id, CORE_RESULT_STOPPED, 0);
	assert_int_equal(service(ALPHA)->state, YOKE_RESOURCE_STOPPED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 0);
}

static void a_new_engine_adopts_and_asks_again(void **state)
{
	(void)state;
	form();
	die();
	assert_int_equal(service(ALPHA)->restart_count, 1);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_ADOPTED), 1);
	pair.runs[ALPHA - 1][CORE_RUN_MONITOR] = 0;
	pair_run(&pair, 5 * INTERVAL_MS);
	assert_int_equal(monitors(), 5);
	die();
	assert_int_equal(restarts(ALPHA), 2);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

/* A probe that ends badly tells nothing: what else runs is kept, and it is started again. */
static void a_probe_that_fails_leads_to_a_restart(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_FAILED);
	service(ALPHA)->usable_known = false;
	pair_news(&pair, ALPHA, SERVICE, CORE_NEWS_USABLE); /* nothing to do with the failure */
	pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_RUNNING);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_RESTARTING)->reason,
			    "restarted here: it broke");
	assert_int_equal(restarts(ALPHA), 1);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_true(pair.address[ALPHA - 1][ADDRESS - 1]);
}

/* A start that will fail again (not installed, not configured) bans the node until it is repaired,
 * and an operator says so: also when the other node is no more. */
static void a_start_that_fails_for_good_bans_the_node(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_START] = true;
	die();
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_FATAL);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair_cut(&pair);
	pair.runs[ALPHA - 1][CORE_RUN_START] = 0;
	pair_run(&pair, 24 * 3600 * 1000);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], 0);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* A program that is gone is told of while all is well: where it is to start, it could not. */
static void a_standby_without_its_program_is_not_ready(void **state)
{
	(void)state;
	form();
	pair_news(&pair, BETA, SERVICE, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_RESOURCE_UNUSABLE), 1);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_E_NOT_READY);
	pair_news(&pair, BETA, SERVICE, CORE_NEWS_USABLE);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

/* What runs goes on without its program, by which it could not be stopped either. */
static void a_service_that_runs_is_not_moved_for_its_program(void **state)
{
	(void)state;
	form();
	pair_news(&pair, ALPHA, SERVICE, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_UNUSABLE), 1);
	pair_run(&pair, 5 * INTERVAL_MS);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* The end of a conflict is told, and announced, after the restart during which it came. */
static void a_conflict_that_ends_during_a_restart_is_over(void **state)
{
	(void)state;
	form();
	pair_cut(&pair);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_mend(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT), 1);
	pair.address[BETA - 1][SERVICE - 1] = false;
	pair_run(&pair, INTERVAL_MS);
	assert_int_equal(restarts(BETA), 1);
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair.announces[BETA - 1] = 0;
	pair_result(&pair, BETA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT), 1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_CONFLICT_OVER), 1);
	assert_int_equal(pair.announces[BETA - 1], 1);
}

/* The other's word may be the last one on the network when it stops before our service is up. */
static void a_conflict_during_a_start_is_announced_after_it(void **state)
{
	(void)state;
	form();
	pair.by_hand[CORE_RUN_START] = true;
	pair_cut(&pair);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTING);
	pair_result(&pair, BETA, ADDRESS, CORE_RESULT_DONE);
	pair.by_hand[CORE_RUN_STOP] = true;
	pair_mend(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	pair_core(&pair, BETA)->group[0].announce_at = YOKE_NEVER; /* not because they met */
	pair_result(&pair, ALPHA, SERVICE, CORE_RESULT_DONE);
	pair_result(&pair, ALPHA, ADDRESS, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.announces[BETA - 1], 0);
	pair_result(&pair, BETA, SERVICE, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.announces[BETA - 1], 1);
}

/* What was wrong while people worked on it is not counted when they are done. */
static void what_was_bad_in_maintenance_is_forgotten(void **state)
{
	(void)state;
	form();
	pair_core(&pair, ALPHA)->conf.resource[SERVICE - 1].monitor_window = 2 * MISSES;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_MAINTENANCE, 1, 0), YOKE_OK);
	for (int i = 0; i < MISSES; i++)
		answer(CORE_RESULT_FAILED);
	/* It is repaired, and found well. */
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_RESUME, 1, 0), YOKE_OK);
	pair_run(&pair, 100);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(service(ALPHA)->state, YOKE_RESOURCE_STARTED);
	answer(CORE_RESULT_RUNNING);
	assert_int_equal(restarts(ALPHA), 0);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_each_interval),
		cmocka_unit_test(a_node_alone_asks_too),
		cmocka_unit_test(the_next_one_waits_for_the_answer),
		cmocka_unit_test(nobody_asks_during_a_start_or_a_stop),
		cmocka_unit_test(nobody_asks_while_the_group_is_restarted),
		cmocka_unit_test(misses_in_a_row_fail_it),
		cmocka_unit_test(one_success_forgets_the_misses),
		cmocka_unit_test(no_answer_in_time_weighs_half),
		cmocka_unit_test(a_window_counts_over_good_ones),
		cmocka_unit_test(no_answer_is_a_miss),
		cmocka_unit_test(not_running_fails_at_once),
		cmocka_unit_test(an_answer_twice_counts_once),
		cmocka_unit_test(the_first_stays_while_the_second_is_restarted),
		cmocka_unit_test(what_comes_after_it_is_restarted_too),
		cmocka_unit_test(at_the_limit_it_fails_here_and_moves),
		cmocka_unit_test(with_the_window_the_count_is_forgotten),
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(online_forgives),
		cmocka_unit_test(a_failed_restart_moves_it),
		cmocka_unit_test(a_failed_stop_holds_the_restart),
		cmocka_unit_test(the_owner_stays_the_owner),
		cmocka_unit_test(a_group_of_services_is_taken_over_without_a_probe),
		cmocka_unit_test(a_doubt_during_a_restart_is_not_forgotten),
		cmocka_unit_test(a_switch_does_not_wait_for_a_monitor),
		cmocka_unit_test(a_new_engine_adopts_and_asks_again),
		cmocka_unit_test(a_probe_that_fails_leads_to_a_restart),
		cmocka_unit_test(a_start_that_fails_for_good_bans_the_node),
		cmocka_unit_test(a_standby_without_its_program_is_not_ready),
		cmocka_unit_test(a_service_that_runs_is_not_moved_for_its_program),
		cmocka_unit_test(a_conflict_that_ends_during_a_restart_is_over),
		cmocka_unit_test(a_conflict_during_a_start_is_announced_after_it),
		cmocka_unit_test(what_was_bad_in_maintenance_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
