/* While it is not known yet what runs here: an engine has just started again, or a maintenance has
 * ended.  db is first, web is second; each has one resource, and probes end by hand. */
#include "tests/unit/core_pair.h"

enum { DB = 1, WEB = 2, LOCK = 1, LEASE_MS = 2000 };

static struct pair pair;

static void init(void)
{
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
	for (unsigned n = 0; n < 2; n++)
		pair.conf[n].resource[0].has_address = pair.conf[n].resource[1].has_address = false;
}

/* web is exclusive, and a witness is the lock. */
static void with_a_lock(void)
{
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &pair.conf[n];

		c->group[WEB - 1].exclusive = true;
		c->lease_ms = LEASE_MS;
		c->watchdog_ms = 3000;
		c->arbiter_count = 1;
		snprintf(c->arbiter[0].name, YOKE_NAME_SIZE, "judge");
		c->arbiter[0].type = YOKE_ARBITER_TYPE_WITNESS;
		c->arbiter[0].timeout_ms = 1000;
	}
}

/* db runs on each node, and web, on alpha, comes after it. */
static void with_a_parallel_one(void)
{
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&pair, n, DB)->parallel = true;
		pair_group_conf(&pair, n, WEB)->after = DB;
	}
}

static void run_both(void)
{
	pair_meet(&pair);
	pair_beat(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

/* Alpha's engine dies, and the next one finds nothing out by itself. */
static void restart_alpha(void)
{
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair.conf[ALPHA - 1].ran_exclusive = true;
	pair.conf[ALPHA - 1].lease = pair.lease[ALPHA - 1].u.lease.until;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_UNKNOWN);
}

/* Time passes, and the witness gives alpha the lock each time that it is asked. */
static void run_with_lock(int64_t span_ms)
{
	for (; span_ms > 0; span_ms -= 50) {
		pair_run(&pair, 50);
		if (pair_asked(&pair, ALPHA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(&pair, ALPHA, LOCK, CORE_RESULT_DONE, 0);
	}
}

static void lose_beta(void)
{
	pair.wire = false;
	pair_power_off(&pair, BETA);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_LATE);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_LATE);
	run_with_lock(PAIR_DEAD_MS / 2);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_DOWN);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_DOWN);
	run_with_lock(10000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LOST);
}

/* ---- the lock ---- */

static void a_lock_is_kept_over_the_end_of_a_maintenance(void **state)
{
	(void)state;
	init();
	with_a_lock();
	with_a_parallel_one();
	run_both();
	lose_beta();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_MAINTENANCE, 0, 0), YOKE_OK);
	run_with_lock(1000);
	pair.by_hand[CORE_RUN_PROBE] = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_RESUME, 0, 0), YOKE_OK);
	run_with_lock(5 * LEASE_MS);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	run_with_lock(1000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_LEASE_EXPIRED), 0);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

static void a_lock_is_asked_for_before_what_runs_is_found(void **state)
{
	(void)state;
	init();
	with_a_lock();
	run_both();
	lose_beta();
	restart_alpha();
	run_with_lock(5 * LEASE_MS);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	run_with_lock(1000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

/* The other node will be heard in a moment, and renew the lease. */
static void a_lock_is_not_asked_for_in_a_healthy_pair(void **state)
{
	(void)state;
	init();
	with_a_lock();
	run_both();
	pair.asks[ALPHA - 1] = 0;
	restart_alpha();
	pair_run(&pair, 100);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 3 * LEASE_MS);
	assert_int_equal(pair.asks[ALPHA - 1], 0);
}

/* ---- order ---- */

static void what_runs_waits_for_what_it_comes_after_to_be_found(void **state)
{
	(void)state;
	init();
	with_a_parallel_one();
	run_both();
	restart_alpha();
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 200);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_UNKNOWN);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

static void what_is_not_found_yet_may_need_the_one_before_it(void **state)
{
	(void)state;
	init();
	with_a_parallel_one();
	run_both();
	restart_alpha();
	pair_paths(&pair, YOKE_PATH_UP);
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	pair_beat(&pair, 200);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_beat(&pair, 200);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

/* ---- room ---- */

/* db yields to web; beta does not help. */
static void with_little_room(void)
{
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&pair, n, DB)->yields = true;
		pair_group_conf(&pair, n, WEB)->priority = 1;
	}
	pair_start(&pair, ALPHA);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

static void what_may_run_has_its_room(void **state)
{
	(void)state;
	init();
	with_little_room();
	restart_alpha();
	pair_result(&pair, ALPHA, DB, CORE_RESULT_STOPPED);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_STOPPED);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
}

static void what_may_take_the_room_is_found_first(void **state)
{
	(void)state;
	init();
	with_little_room();
	restart_alpha();
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_STOPPED);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPED);
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
}

/* ---- operators ---- */

static void standby_waits_for_what_may_run(void **state)
{
	(void)state;
	init();
	run_both();
	restart_alpha();
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 200);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 0);
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	pair_beat(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 1);
}

static void standby_of_a_lost_node_ends(void **state)
{
	(void)state;
	init();
	with_a_parallel_one();
	run_both();
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_OPERATION_SUCCEEDED), 1);
}

/* The engine that had asked for it ended before it did: else nobody would ever know why. */
static void why_it_failed_is_told_by_the_next_engine(void **state)
{
	struct core_event ev = {.type = CORE_RESULT};

	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_meet(&pair);
	ev.u.result.id = pair.run[ALPHA - 1][0];
	ev.u.result.result = CORE_RESULT_STOPPED;
	snprintf(ev.u.result.reason, sizeof(ev.u.result.reason), "no room");
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED)->reason, "no room");
	assert_int_equal(pair_core(&pair, ALPHA)->resource[0].state, YOKE_RESOURCE_STOPPED);
	for (uint16_t r = 1; r <= PAIR_RESOURCES; r++) {
		if (r > 1)
			pair_result(&pair, ALPHA, r, CORE_RESULT_STOPPED);
		pair_result(&pair, BETA, r, CORE_RESULT_STOPPED);
	}
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 1);
}

/* It runs all the same, as what could not be stopped does: it is adopted, and people are told. */
static void why_it_could_not_be_stopped_is_told(void **state)
{
	struct core_event ev = {.type = CORE_RESULT};

	(void)state;
	init();
	run_both();
	restart_alpha();
	pair_result(&pair, ALPHA, DB, CORE_RESULT_RUNNING);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 0);
	ev.u.result.id = pair.run[ALPHA - 1][WEB - 1];
	ev.u.result.result = CORE_RESULT_RUNNING;
	snprintf(ev.u.result.reason, sizeof(ev.u.result.reason), "still open");
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED)->reason,
			    "still open");
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_ADOPTED), 2);
}

/* ---- only people move it ---- */

static void what_cannot_be_found_out_did_not_run_here(void **state)
{
	(void)state;
	init();
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_group_conf(&pair, n, WEB)->manual = true;
	pair.by_hand[CORE_RUN_PROBE] = pair.by_hand[CORE_RUN_STOP] = true;
	pair_start(&pair, ALPHA);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_FAILED);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_ADOPTED), 1);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPING);
	assert_int_equal(pair_core(&pair, ALPHA)->group[WEB - 1].started_term, 0);
}

static void what_is_found_runs_here(void **state)
{
	(void)state;
	init();
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair_group_conf(&pair, n, WEB)->manual = true;
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	pair_result(&pair, ALPHA, WEB, CORE_RESULT_RUNNING);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[WEB - 1].started_term, 1);
}

/* ---- another node runs it ---- */

/* Beta took a group of two addresses over while alpha had no engine; a probe hangs. */
static void find_at_both(enum core_result first)
{
	pair_form(&pair);
	pair.wire = false;
	pair_silence(&pair, BETA);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair.wire = true;
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, 1, first);
	pair_beat(&pair, 1000);
}

static void what_runs_elsewhere_is_stopped_before_all_is_known(void **state)
{
	(void)state;
	find_at_both(CORE_RESULT_RUNNING);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 2);
	assert_false(pair.address[ALPHA - 1][0] || pair.address[ALPHA - 1][1]);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_GROUP_STOPPED)->reason,
			       "it runs on beta at term 2"));
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

/* A machine that starts anew: nothing is stopped that nobody saw. */
static void what_is_not_found_is_not_stopped(void **state)
{
	(void)state;
	find_at_both(CORE_RESULT_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 0);
}

static void who_wins_waits_until_all_is_known(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	pair_core(&pair, ALPHA)->group[0].reserved = 9;
	pair.wire = false;
	pair_silence(&pair, BETA);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 1000);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_RUNNING);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_UNKNOWN);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_RUNNING);
	pair_beat(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_is_kept_over_the_end_of_a_maintenance),
		cmocka_unit_test(a_lock_is_asked_for_before_what_runs_is_found),
		cmocka_unit_test(a_lock_is_not_asked_for_in_a_healthy_pair),
		cmocka_unit_test(what_runs_waits_for_what_it_comes_after_to_be_found),
		cmocka_unit_test(what_is_not_found_yet_may_need_the_one_before_it),
		cmocka_unit_test(what_may_run_has_its_room),
		cmocka_unit_test(what_may_take_the_room_is_found_first),
		cmocka_unit_test(standby_waits_for_what_may_run),
		cmocka_unit_test(standby_of_a_lost_node_ends),
		cmocka_unit_test(why_it_failed_is_told_by_the_next_engine),
		cmocka_unit_test(why_it_could_not_be_stopped_is_told),
		cmocka_unit_test(what_cannot_be_found_out_did_not_run_here),
		cmocka_unit_test(what_is_found_runs_here),
		cmocka_unit_test(what_runs_elsewhere_is_stopped_before_all_is_known),
		cmocka_unit_test(what_is_not_found_is_not_stopped),
		cmocka_unit_test(who_wins_waits_until_all_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
