/* agent/core/held.c: what is held, for what, and what an operator can do about it. */
#include "tests/unit/core_pair.h"

enum { DB = 1, WEB = 2, THINK_MS = 10000 };

static struct pair pair;

static const char *held_reason(void)
{
	return pair_last(&pair, BETA, YOKE_EVENT_GROUP_HELD)->reason;
}

static const char *failed_reason(void)
{
	const struct yoke_event *failed = pair_last(&pair, BETA, YOKE_EVENT_OPERATION_FAILED);

	assert_non_null(failed);
	return failed->reason;
}

/* Its engine ends, its machine goes on to answer for what it has. */
static void lose_the_engine_of_alpha(void)
{
	pair.running[ALPHA - 1] = false;
	pair_silence(&pair, BETA);
	pair_run(&pair, 1000);
}

/* Beta is asked to have the group, and says no because the machine of alpha answers. */
static void refuse(uint16_t group)
{
	unsigned failed = pair_told(&pair, BETA, YOKE_EVENT_OPERATION_FAILED);

	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, group, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_OPERATION_FAILED), failed + 1);
	assert_non_null(strstr(failed_reason(), "insists"));
	assert_int_equal(pair_group(&pair, BETA, group), YOKE_GROUP_HELD);
}

static void insist(uint16_t group)
{
	pair_run(&pair, THINK_MS);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, group, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, group), YOKE_GROUP_STARTED);
}

/* ---- the machine answers ---- */

static void hold_beta(void)
{
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair.running[ALPHA - 1] = false;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	pair_path(&pair, BETA, 2, YOKE_PATH_DOWN);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_last(&pair, BETA, YOKE_EVENT_GROUP_HELD)->peer, ALPHA);
}

static void a_silent_owner_that_answers_keeps_it(void **state)
{
	unsigned probes;

	(void)state;
	hold_beta();
	probes = pair.runs[BETA - 1][CORE_RUN_PREPARE];
	pair_run(&pair, PAIR_DEAD_MS + 1);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_PREPARE], probes + PAIR_RESOURCES);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_HELD), 1);
	pair_run(&pair, PAIR_DEAD_MS + 1);
	pair_result(&pair, BETA, 1, CORE_RESULT_DONE);
	pair_result(&pair, BETA, 2, CORE_RESULT_DONE);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void held_ends_when_the_owner_is_back(void **state)
{
	(void)state;
	hold_beta();
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair.runs[BETA - 1][CORE_RUN_START], 0);
}

static void a_stranger_at_a_held_group_fails_it(void **state)
{
	(void)state;
	hold_beta();
	pair_run(&pair, PAIR_DEAD_MS + 1);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, PAIR_STRANGER);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_FAILED);
}

static void an_operator_may_insist_on_a_held_group(void **state)
{
	(void)state;
	pair_form(&pair);
	lose_the_engine_of_alpha();
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	insist(1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_OPERATION_FAILED), 0);
}

/* An SNMP manager repeats a request when the response was lost. */
static void a_request_that_is_repeated_does_not_insist(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.running[ALPHA - 1] = false;
	pair_silence(&pair, BETA);
	refuse(1);
	for (int i = 0; i < 5; i++)
		refuse(1);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_HELD), 1);
	insist(1);
}

/* He asked when all was well, and the owner died before it had handed over. */
static void an_operation_from_before_is_no_insistence(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = pair.by_hand[CORE_RUN_STOP] = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPING);
	pair.running[ALPHA - 1] = false;
	pair_path(&pair, BETA, 1, YOKE_PATH_LATE);
	pair_path(&pair, BETA, 2, YOKE_PATH_LATE);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	pair_run(&pair, 1);
	pair_path(&pair, BETA, 1, YOKE_PATH_DOWN);
	pair_path(&pair, BETA, 2, YOKE_PATH_DOWN);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	pair_run(&pair, 1);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
}

/* He saw the silence, and not yet who answers: that is told first. */
static void who_asks_before_the_answer_does_not_insist(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair.running[ALPHA - 1] = false;
	pair_silence(&pair, BETA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_result_of(&pair, BETA, pair.run[BETA - 1][0], CORE_RESULT_ANSWERED, ALPHA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_non_null(strstr(failed_reason(), "insists"));
}

/* A group that others make room for. */
static void form_with_little_room(void)
{
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&pair, n, DB)->priority = 10;
		pair_group_conf(&pair, n, WEB)->yields = true;
		pair_group_conf(&pair, n, WEB)->node[0] = BETA;
		pair_group_conf(&pair, n, WEB)->node[1] = ALPHA;
	}
	pair_meet(&pair);
	pair_run(&pair, 2000);
	lose_the_engine_of_alpha();
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_HELD);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

static void nobody_makes_room_for_what_is_held(void **state)
{
	(void)state;
	form_with_little_room();
	refuse(DB);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	insist(DB);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
}

static void what_is_held_is_taken_over_when_the_machine_is_gone(void **state)
{
	(void)state;
	form_with_little_room();
	pair_run(&pair, 60000);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_HELD), 1);
	pair_power_off(&pair, ALPHA);
	pair_run(&pair, 2 * PAIR_DEAD_MS + 1000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
}

/* ---- by hand ---- */

static void form_manual(void)
{
	pair_init(&pair);
	pair_two_groups(&pair, "db", "web");
	for (uint16_t n = ALPHA; n <= BETA; n++)
		for (uint16_t g = DB; g <= WEB; g++)
			pair_group_conf(&pair, n, g)->manual = true;
	pair_meet(&pair);
	pair_run(&pair, 2000);
	lose_the_engine_of_alpha();
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_HELD);
	assert_non_null(strstr(held_reason(), "manual"));
}

/* What it is held for says nothing of that. */
static void a_machine_that_answers_is_told_before_people_move_it(void **state)
{
	(void)state;
	form_manual();
	pair_run(&pair, 60000);
	refuse(DB);
	assert_non_null(strstr(held_reason(), "yoke switch db beta"));
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_HELD);
	insist(DB);
}

static void people_move_it_at_once_when_nobody_answers(void **state)
{
	(void)state;
	form_manual();
	refuse(DB);
	pair_power_off(&pair, ALPHA);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* What was told in an earlier silence is no news of this one. */
static void each_silence_is_told_anew(void **state)
{
	(void)state;
	form_manual();
	refuse(DB);
	pair_power_off(&pair, ALPHA);
	pair_start_held(&pair, ALPHA, NULL);
	pair_news(&pair, ALPHA, DB, CORE_NEWS_UNUSABLE);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, THINK_MS);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_HELD);
	pair.address[ALPHA - 1][DB - 1] = true;
	lose_the_engine_of_alpha();
	refuse(DB);
	insist(DB);
}

static void several_are_told_of_at_once(void **state)
{
	(void)state;
	form_manual();
	for (unsigned n = ALPHA; n <= BETA; n++)
		for (uint16_t g = DB; g <= WEB; g++) {
			pair_core(&pair, n)->conf.group[g - 1].node[0] = BETA;
			pair_core(&pair, n)->conf.group[g - 1].node[1] = ALPHA;
		}
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, 0, 0), YOKE_OK);
	pair_run(&pair, THINK_MS + 1000);
	assert_non_null(strstr(failed_reason(), "insists"));
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_FAILBACK, 0, 0), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

/* ---- for want of proof ---- */

static void form_exclusive(bool manual)
{
	pair_init(&pair);
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&pair, n, 1)->exclusive = true;
		pair_group_conf(&pair, n, 1)->manual = manual;
	}
	pair_meet(&pair);
	pair_run(&pair, 1000);
	lose_the_engine_of_alpha();
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_non_null(strstr(held_reason(), "confirm-down"));
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_HELD), 2);
}

static void a_word_that_the_machine_belies_holds_it_for_that(void **state)
{
	(void)state;
	form_exclusive(false);
	assert_non_null(strstr(held_reason(), "its machine lives"));
}

static void what_is_proven_may_still_wait_for_a_person(void **state)
{
	(void)state;
	form_exclusive(true);
	assert_non_null(strstr(held_reason(), "yoke switch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_owner_that_answers_keeps_it),
		cmocka_unit_test(held_ends_when_the_owner_is_back),
		cmocka_unit_test(a_stranger_at_a_held_group_fails_it),
		cmocka_unit_test(an_operator_may_insist_on_a_held_group),
		cmocka_unit_test(a_request_that_is_repeated_does_not_insist),
		cmocka_unit_test(an_operation_from_before_is_no_insistence),
		cmocka_unit_test(who_asks_before_the_answer_does_not_insist),
		cmocka_unit_test(nobody_makes_room_for_what_is_held),
		cmocka_unit_test(what_is_held_is_taken_over_when_the_machine_is_gone),
		cmocka_unit_test(a_machine_that_answers_is_told_before_people_move_it),
		cmocka_unit_test(people_move_it_at_once_when_nobody_answers),
		cmocka_unit_test(each_silence_is_told_anew),
		cmocka_unit_test(several_are_told_of_at_once),
		cmocka_unit_test(a_word_that_the_machine_belies_holds_it_for_that),
		cmocka_unit_test(what_is_proven_may_still_wait_for_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
