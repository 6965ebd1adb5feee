/* One operation at a time on a resource; late, double and missing results. */
#include "tests/unit/core_pair.h"

static struct pair pair;

static struct core_resource *first(void)
{
	return &pair_core(&pair, ALPHA)->resource[0];
}

static void late_and_double_results_are_ignored(void **state)
{
	struct core kept;
	uint32_t probe;

	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	probe = pair.run[ALPHA - 1][0];
	pair_result(&pair, ALPHA, 1, CORE_RESULT_STOPPED);
	kept = *pair_core(&pair, ALPHA);
	pair_result_of(&pair, ALPHA, probe, CORE_RESULT_RUNNING, 0);
	pair_result_of(&pair, ALPHA, 0, CORE_RESULT_FAILED, 0);
	pair_result_of(&pair, ALPHA, 4711, CORE_RESULT_DONE, 0);
	assert_memory_equal(pair_core(&pair, ALPHA)->resource, kept.resource,
			    sizeof(kept.resource));
	assert_memory_equal(pair_core(&pair, ALPHA)->group, kept.group, sizeof(kept.group));
}

static void a_missing_result_is_a_failure(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	pair_run(&pair, 32000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_RESOURCE_FAILED)->reason,
			    "timed out");
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_STOP], 1);
}

/* Its engine stood still until long after the time-out: the result may be there, behind what is
 * read first. */
static void a_result_that_waits_to_be_read_counts(void **state)
{
	uint32_t start;

	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	start = pair.run[ALPHA - 1][0];
	pair.now = yoke_time_add_ms(pair.now, 100000);
	pair_timer(&pair, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTING);
	pair_result_of(&pair, ALPHA, start, CORE_RESULT_DONE, 0);
	assert_int_equal(first()->state, YOKE_RESOURCE_STARTED);
}

static void a_probe_that_is_never_answered_is_not_waited_for(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.by_hand[CORE_RUN_PREPARE] = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 3100);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_run(&pair, 1200);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void what_is_removed_comes_back_but_not_for_ever(void **state)
{
	(void)state;
	pair_form(&pair);
	for (unsigned i = 1; i <= CORE_RESTORES_MAX; i++) {
		pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
		assert_int_equal(first()->restores, i);
		assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	}
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_RESOURCE_RESTORED), CORE_RESTORES_MAX);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void restores_are_counted_by_the_minute(void **state)
{
	(void)state;
	pair_form(&pair);
	for (unsigned i = 0; i < 3 * CORE_RESTORES_MAX; i++) {
		pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
		pair_run(&pair, 7000);
	}
	assert_int_equal(first()->restores, 3 * CORE_RESTORES_MAX);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void removed_while_its_start_is_under_way(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(first()->state, YOKE_RESOURCE_STARTING);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_DONE);
	assert_int_equal(first()->state, YOKE_RESOURCE_STARTED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void removed_while_it_is_probed(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair_start(&pair, ALPHA);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_LOST);
	pair_result(&pair, ALPHA, 1, CORE_RESULT_RUNNING);
	assert_int_equal(first()->state, YOKE_RESOURCE_STOPPED);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_RUNNING);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_GROUP_ADOPTED), 0);
}

static void a_failed_restore_fails_the_group(void **state)
{
	(void)state;
	pair_form(&pair);
	pair.by_hand[CORE_RUN_START] = true;
	pair_news(&pair, ALPHA, 2, CORE_NEWS_LOST);
	pair_result(&pair, ALPHA, 2, CORE_RESULT_FAILED);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_FAILED);
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTING);
}

static void news_of_usability_are_told_once(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_RESOURCE_USABLE), 0);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_RESOURCE_UNUSABLE), 1);
	assert_string_equal(pair_last(&pair, BETA, YOKE_EVENT_RESOURCE_UNUSABLE)->reason,
			    "no carrier");
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_RESOURCE_USABLE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_and_double_results_are_ignored),
		cmocka_unit_test(a_missing_result_is_a_failure),
		cmocka_unit_test(a_result_that_waits_to_be_read_counts),
		cmocka_unit_test(a_probe_that_is_never_answered_is_not_waited_for),
		cmocka_unit_test(what_is_removed_comes_back_but_not_for_ever),
		cmocka_unit_test(restores_are_counted_by_the_minute),
		cmocka_unit_test(removed_while_its_start_is_under_way),
		cmocka_unit_test(removed_while_it_is_probed),
		cmocka_unit_test(a_failed_restore_fails_the_group),
		cmocka_unit_test(news_of_usability_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
