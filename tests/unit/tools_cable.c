/* The test of a cable: what one end counts, and what the other tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/cable.h"

enum { STEP_US = 100000 };

static struct tool_cable alpha, beta;
static yoke_time now;
static uint8_t line[TOOL_CABLE_LINE_SIZE];

static int setup(void **state)
{
	(void)state;
	tool_cable_init(&alpha, 0xa);
	tool_cable_init(&beta, 0xb);
	now = (yoke_time){7000000};
	return 0;
}

/* One frame, 5 ms on the way. */
static void carry(struct tool_cable *from, struct tool_cable *to)
{
	size_t size = tool_cable_put(from, now, line);

	assert_int_equal(size, sizeof(line));
	now = yoke_time_add_us(now, 5000);
	tool_cable_take(to, line, size, now);
}

static void both_ways(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		carry(&alpha, &beta);
		carry(&beta, &alpha);
		now = yoke_time_add_us(now, STEP_US);
	}
}

static void expect(const struct tool_cable_received *r, uint32_t expected, uint32_t whole,
		   uint32_t damaged, int32_t missing)
{
	assert_int_equal(r->expected, expected);
	assert_int_equal(r->whole, whole);
	assert_int_equal(r->damaged, damaged);
	assert_int_equal(r->missing, missing);
}

static void a_good_cable_loses_nothing(void **state)
{
	(void)state;
	both_ways(300); /* more than are remembered */
	assert_true(alpha.is_heard);
	assert_true(beta.is_heard);
	expect(&alpha.here, 300, 300, 0, 0);
	expect(&beta.here, 300, 300, 0, 0);
	expect(&alpha.there, 300, 300, 0, 0); /* with the frame that told it */
	expect(&beta.there, 299, 299, 0, 0);
}

/* Held at the other end is no part of it. */
static void a_round_trip_is_both_ways(void **state)
{
	(void)state;
	both_ways(10);
	assert_int_equal(alpha.trips, 10);
	assert_int_equal(alpha.trip_us_min, 10000);
	assert_int_equal(alpha.trip_us_max, alpha.trip_us_min);
	assert_int_equal(beta.trips, 9);
	assert_int_equal(beta.trip_us_min, 10000);
	assert_int_equal(beta.trip_us_sum, 9 * 10000);
}

static void what_was_sent_before_is_not_missed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		(void)tool_cable_put(&alpha, now, line);
	tool_cable_take(&beta, (const uint8_t *)"half a frame", 12, now);
	both_ways(3);
	expect(&beta.here, 3, 3, 0, 0);
}

static void lost_and_inserted_bytes_are_counted(void **state)
{
	size_t size;

	(void)state;
	both_ways(2);
	(void)tool_cable_put(&alpha, now, line); /* lost as a whole */
	both_ways(1);
	expect(&beta.here, 4, 3, 0, TOOL_CABLE_LINE_SIZE);
	size = tool_cable_put(&alpha, now, line); /* two bytes of it */
	tool_cable_take(&beta, line, 20, now);
	tool_cable_take(&beta, line + 22, size - 22, now);
	both_ways(1);
	expect(&beta.here, 6, 4, 1, TOOL_CABLE_LINE_SIZE + 2);
	tool_cable_take(&beta, (const uint8_t *)"\0noise", 6, now);
	both_ways(1);
	expect(&beta.here, 7, 5, 2, TOOL_CABLE_LINE_SIZE - 4);
	both_ways(1);
	expect(&alpha.there, 8, 6, 2, TOOL_CABLE_LINE_SIZE - 4);
	expect(&alpha.here, 6, 6, 0, 0);
}

/* One bit of any byte. */
static void a_damaged_frame_is_none(void **state)
{
	(void)state;
	both_ways(1);
	for (size_t at = 1; at + 1 < TOOL_CABLE_LINE_SIZE; at++) {
		uint32_t whole = beta.here.whole;
		size_t size = tool_cable_put(&alpha, now, line);

		line[at] ^= 4;
		tool_cable_take(&beta, line, size, now);
		assert_int_equal(beta.here.whole, whole);
	}
	assert_in_range(beta.here.damaged, TOOL_CABLE_LINE_SIZE - 2, TOOL_CABLE_LINE_SIZE + 9);
}

static void one_direction_is_seen_at_the_end_that_hears(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		carry(&alpha, &beta);
	expect(&beta.here, 5, 5, 0, 0);
	assert_false(beta.is_heard);
	assert_int_equal(alpha.other, 0);
}

static void hears_itself_through_a_loop_plug(void **state)
{
	(void)state;
	carry(&alpha, &alpha);
	assert_true(alpha.is_loop);
	assert_int_equal(alpha.other, 0);
}

static void a_test_begun_anew_at_the_other_end_counts_anew(void **state)
{
	(void)state;
	both_ways(5);
	tool_cable_init(&beta, 0xc);
	both_ways(2);
	expect(&alpha.here, 2, 2, 0, 0);
	expect(&alpha.there, 2, 2, 0, 0);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_cable_loses_nothing),
		TEST(a_round_trip_is_both_ways),
		TEST(what_was_sent_before_is_not_missed),
		TEST(lost_and_inserted_bytes_are_counted),
		TEST(a_damaged_frame_is_none),
		TEST(one_direction_is_seen_at_the_end_that_hears),
		TEST(hears_itself_through_a_loop_plug),
		TEST(a_test_begun_anew_at_the_other_end_counts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
