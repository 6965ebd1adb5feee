/* agent/refused.c: which refused frames are an alarm, and which path's it is in a minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/refused.h"

static struct hb hb;
static struct agent_refused refused;
static struct yoke_event event;

static int setup(void **state)
{
	(void)state;
	memset(&hb, 0, sizeof(hb));
	memset(&refused, 0, sizeof(refused));
	hb.conf.self = 1;
	hb.conf.node_count = 2;
	hb.conf.path_count = 3;
	return 0;
}

/* So many come from node 2. */
static void come(unsigned path, enum hb_refusal cause, uint64_t count)
{
	hb.peer[1].path[path - 1].refused[cause] += count;
}

static bool minute(void)
{
	memset(&event, 0, sizeof(event));
	return agent_refused_minute(&refused, &hb, &event);
}

static void expect_told(uint16_t path, uint64_t value, const char *reason)
{
	assert_true(minute());
	assert_int_equal(event.path, path);
	assert_int_equal(event.value, value);
	assert_string_equal(event.reason, reason);
}

static void a_few_are_no_alarm(void **state)
{
	(void)state;
	assert_false(minute());
	for (unsigned i = 0; i < 5; i++) {
		come(1, HB_REFUSED_SEAL, 5);
		come(1, HB_REFUSED_REPLAY, AGENT_REFUSED_ALARM - 6);
		assert_false(minute());
	}
}

static void more_are_one_by_cause(void **state)
{
	(void)state;
	come(1, HB_REFUSED_SEAL, 8);
	come(1, HB_REFUSED_REPLAY, AGENT_REFUSED_ALARM - 8);
	expect_told(1, AGENT_REFUSED_ALARM, "forged or wrong key 8, replayed 2");
	assert_false(minute());
}

/* Not those since the start. */
static void the_numbers_are_those_of_the_minute(void **state)
{
	(void)state;
	come(2, HB_REFUSED_CLUSTER, 7);
	assert_false(minute());
	come(2, HB_REFUSED_CLUSTER, 20);
	come(2, HB_REFUSED_LENGTH, 1);
	expect_told(2, 21, "length 1, cluster 20");
	come(2, HB_REFUSED_KEY, 30);
	expect_told(2, 30, "key id 30");
}

static void each_path_is_told_of_and_one_in_a_minute(void **state)
{
	(void)state;
	come(1, HB_REFUSED_SEAL, 100);
	come(2, HB_REFUSED_SEAL, 50);
	expect_told(1, 100, "forged or wrong key 100");
	expect_told(2, 50, "forged or wrong key 50");
	assert_false(minute());
}

/* The worst one goes on, and does not keep the others from being told of. */
static void an_attack_that_lasts_hides_no_other(void **state)
{
	unsigned told[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		come(1, HB_REFUSED_CLUSTER, 100000);
		come(2, HB_REFUSED_SEAL, 20);
		come(3, HB_REFUSED_REPLAY, 1000);
		assert_true(minute());
		assert_int_equal(event.value, event.path == 1   ? 100000
					      : event.path == 2 ? 20
								: 1000);
		told[event.path]++;
	}
	assert_int_equal(told[1], 4);
	assert_int_equal(told[2], 4);
	assert_int_equal(told[3], 4);
}

/* A few more in the minute after do not change what waits to be told. */
static void what_waits_is_a_whole_minute(void **state)
{
	(void)state;
	come(1, HB_REFUSED_SEAL, 100);
	come(2, HB_REFUSED_SEAL, 50);
	expect_told(1, 100, "forged or wrong key 100");
	come(2, HB_REFUSED_SENDER, 3);
	expect_told(2, 50, "forged or wrong key 50");
	assert_false(minute());
}

static void no_number_is_cut(void **state)
{
	(void)state;
	for (int r = 0; r < HB_REFUSALS; r++)
		come(1, (enum hb_refusal)r, 1000000);
	expect_told(
		1, 7000000,
		"length 1000000, protocol version 1000000, cluster 1000000, sender 1000000, key "
		"id 1000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_few_are_no_alarm, setup),
		cmocka_unit_test_setup(more_are_one_by_cause, setup),
		cmocka_unit_test_setup(the_numbers_are_those_of_the_minute, setup),
		cmocka_unit_test_setup(each_path_is_told_of_and_one_in_a_minute, setup),
		cmocka_unit_test_setup(an_attack_that_lasts_hides_no_other, setup),
		cmocka_unit_test_setup(what_waits_is_a_whole_minute, setup),
		cmocka_unit_test_setup(no_number_is_cut, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
