/* hb/quality.c: what a minute and an hour come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hb/quality.h"

enum { SECOND_US = 1000000 };

static struct hb_quality quality;
static yoke_time now;

static int setup(void **state)
{
	(void)state;
	memset(&quality, 0, sizeof(quality));
	now = (yoke_time){7200 * (int64_t)SECOND_US};
	return 0;
}

static void pass(int64_t seconds)
{
	now = yoke_time_add_us(now, seconds * SECOND_US);
}

static void expect_loss(uint32_t minute_permille, uint32_t hour_permille)
{
	struct hb_quality_view view = hb_quality_look(&quality, now);

	assert_int_equal(view.loss_minute_permille, minute_permille);
	assert_int_equal(view.loss_hour_permille, hour_permille);
}

static void expect_trips(uint32_t min_us, uint32_t mean_us, uint32_t max_us)
{
	struct hb_quality_view view = hb_quality_look(&quality, now);

	assert_int_equal(view.rtt_min_us, min_us);
	assert_int_equal(view.rtt_mean_us, mean_us);
	assert_int_equal(view.rtt_max_us, max_us);
}

static void loss_of_a_minute_and_of_an_hour(void **state)
{
	(void)state;
	expect_loss(0, 0);
	hb_quality_heard(&quality, now, 1);
	expect_loss(500, 500);
	pass(30);
	hb_quality_heard(&quality, now, 0);
	hb_quality_heard(&quality, now, 0);
	expect_loss(250, 250);
	pass(29);
	expect_loss(250, 250);
	pass(1);
	expect_loss(0, 250);
	hb_quality_heard(&quality, now, 6);
	expect_loss(666, 636);
	pass(3600 - 61);
	expect_loss(0, 636);
	pass(1);
	expect_loss(0, 857);
	pass(100000);
	expect_loss(0, 0);
	hb_quality_heard(&quality, now, 0);
	expect_loss(0, 0);
}

static void a_huge_gap_is_counted_as_far_as_it_goes(void **state)
{
	(void)state;
	hb_quality_heard(&quality, now, UINT32_MAX);
	hb_quality_heard(&quality, now, 1);
	expect_loss(999, 999);
}

static void round_trips_of_a_minute(void **state)
{
	(void)state;
	expect_trips(0, 0, 0);
	hb_quality_trip(&quality, now, 900);
	expect_trips(900, 900, 900);
	pass(1);
	hb_quality_trip(&quality, now, 100);
	hb_quality_trip(&quality, now, 200);
	expect_trips(100, 400, 900);
	pass(59);
	expect_trips(100, 150, 200);
	pass(1);
	expect_trips(0, 0, 0);
	hb_quality_trip(&quality, now, UINT32_MAX);
	hb_quality_trip(&quality, now, UINT32_MAX);
	expect_trips(UINT32_MAX, UINT32_MAX, UINT32_MAX);
}

static void jitter_is_the_smoothed_difference(void **state)
{
	(void)state;
	hb_quality_trip(&quality, now, 1000);
	assert_int_equal(hb_quality_look(&quality, now).jitter_us, 0);
	hb_quality_trip(&quality, now, 1160);
	assert_int_equal(hb_quality_look(&quality, now).jitter_us, 10);
	for (unsigned i = 0; i < 200; i++)
		hb_quality_trip(&quality, now, i % 2 == 0 ? 500 : 1500);
	assert_in_range(hb_quality_look(&quality, now).jitter_us, 990, 1000);
	for (unsigned i = 0; i < 300; i++)
		hb_quality_trip(&quality, now, 700);
	assert_int_equal(hb_quality_look(&quality, now).jitter_us, 0);
}

static void looking_changes_nothing(void **state)
{
	struct hb_quality before;

	(void)state;
	hb_quality_heard(&quality, now, 3);
	hb_quality_trip(&quality, now, 100);
	before = quality;
	(void)hb_quality_look(&quality, yoke_time_add_ms(now, 100000));
	assert_memory_equal(&before, &quality, sizeof(quality));
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loss_of_a_minute_and_of_an_hour),
		TEST(a_huge_gap_is_counted_as_far_as_it_goes),
		TEST(round_trips_of_a_minute),
		TEST(jitter_is_the_smoothed_difference),
		TEST(looking_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
