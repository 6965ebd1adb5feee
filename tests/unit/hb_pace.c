/* A quarter of the line, whatever is sent; and no silence as long as two intervals without a frame
 * on the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/baud.h"
#include "hb/pace.h"

enum { INTERVAL_US = 400000, BEAT = 96, MS = 1000 };

static struct hb_pace pace;
static yoke_time now;

static int setup(void **state)
{
	(void)state;
	hb_pace_init(&pace, 9600, INTERVAL_US);
	now = (yoke_time){5000000};
	return 0;
}

static void knows_how_long_bytes_take(void **state)
{
	(void)state;
	assert_int_equal(hb_pace_us(&pace, 96), 100000);
	assert_int_equal(hb_pace_us(&pace, 1), 1042);
	hb_pace_init(&pace, 921600, 0);
	assert_int_equal(hb_pace_us(&pace, 1456), 15799);
}

static void a_new_line_is_free(void **state)
{
	(void)state;
	assert_true(yoke_time_due(hb_pace_beat_at(&pace), now));
	assert_true(yoke_time_due(hb_pace_message_at(&pace), now));
}

static void a_beat_is_paid_four_times(void **state)
{
	(void)state;
	hb_pace_sent(&pace, BEAT, true, now);
	assert_int_equal(hb_pace_beat_at(&pace).us, now.us + 400 * MS);
	assert_int_equal(hb_pace_message_at(&pace).us, now.us + 400 * MS);
}

static void beats_go_on_at_half_their_rate_while_a_message_is_paid(void **state)
{
	yoke_time even;

	(void)state;
	hb_pace_sent(&pace, BEAT, true, now);
	now = hb_pace_message_at(&pace);
	hb_pace_sent(&pace, 480, false, now); /* 500 ms on the line */
	even = hb_pace_message_at(&pace);
	assert_int_equal(even.us, now.us + 2000 * MS);
	/* 800 ms after the BEAT before would be in the middle of it. */
	assert_int_equal(hb_pace_beat_at(&pace).us, now.us + 500 * MS);
	now = hb_pace_beat_at(&pace);
	hb_pace_sent(&pace, BEAT, true, now);
	assert_int_equal(hb_pace_message_at(&pace).us, even.us + 400 * MS);
	assert_int_equal(hb_pace_beat_at(&pace).us, now.us + 800 * MS);
}

static void the_parts_of_a_message_follow_each_other(void **state)
{
	(void)state;
	hb_pace_sent(&pace, 240, false, now);
	assert_int_equal(hb_pace_part_at(&pace).us, now.us + 250 * MS);
	now = hb_pace_part_at(&pace);
	hb_pace_sent(&pace, 240, false, now);
	assert_int_equal(hb_pace_part_at(&pace).us, now.us + 250 * MS);
	assert_int_equal(hb_pace_message_at(&pace).us, now.us + 1750 * MS);
}

/* Longer on the line than two intervals: nothing begins in the middle of it. */
static void nothing_begins_while_a_frame_is_on_the_line(void **state)
{
	(void)state;
	hb_pace_sent(&pace, BEAT, true, (yoke_time){now.us - 400 * MS});
	hb_pace_sent(&pace, 1456, false, now);
	assert_int_equal(hb_pace_beat_at(&pace).us, now.us + hb_pace_us(&pace, 1456));
}

static void the_mean_is_a_quarter_from_even_to_even(void **state)
{
	static const size_t sizes[] = {200, 1456, 97, 480};
	int64_t used_us = 0, began_us = now.us;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		now = hb_pace_message_at(&pace).us > now.us ? hb_pace_message_at(&pace) : now;
		hb_pace_sent(&pace, sizes[i % 4], false, now);
		used_us += hb_pace_us(&pace, sizes[i % 4]);
		while (hb_pace_beat_at(&pace).us < hb_pace_message_at(&pace).us) {
			now = hb_pace_beat_at(&pace);
			hb_pace_sent(&pace, BEAT, true, now);
			used_us += hb_pace_us(&pace, BEAT);
		}
	}
	now = hb_pace_message_at(&pace);
	assert_true(used_us * YOKE_SERIAL_SHARE <= now.us - began_us);
	assert_true(used_us * YOKE_SERIAL_SHARE * 101 / 100 >= now.us - began_us);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_how_long_bytes_take),
		TEST(a_new_line_is_free),
		TEST(a_beat_is_paid_four_times),
		TEST(beats_go_on_at_half_their_rate_while_a_message_is_paid),
		TEST(the_parts_of_a_message_follow_each_other),
		TEST(nothing_begins_while_a_frame_is_on_the_line),
		TEST(the_mean_is_a_quarter_from_even_to_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
