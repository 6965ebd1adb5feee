#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hb/window.h"

static void takes_each_sequence_once(void **state)
{
	struct hb_window w;

	(void)state;
	hb_window_init(&w);
	assert_false(hb_window_take(&w, 0));
	assert_true(hb_window_take(&w, 1));
	assert_false(hb_window_take(&w, 1));
	assert_true(hb_window_take(&w, 5));
	assert_true(hb_window_take(&w, 3));
	assert_false(hb_window_take(&w, 3));
	assert_false(hb_window_take(&w, 5));
	assert_true(hb_window_take(&w, 4));
}

static void asking_changes_nothing(void **state)
{
	struct hb_window w;

	(void)state;
	hb_window_init(&w);
	assert_true(hb_window_is_new(&w, 9));
	assert_true(hb_window_is_new(&w, 9));
	assert_int_equal(w.highest, 0);
}

static void refuses_what_is_too_old_to_know(void **state)
{
	struct hb_window w;

	(void)state;
	hb_window_init(&w);
	assert_true(hb_window_take(&w, 1000));
	assert_false(hb_window_take(&w, 1000 - HB_WINDOW_WIDTH));
	assert_true(hb_window_take(&w, 1000 - HB_WINDOW_WIDTH + 1));
	assert_false(hb_window_take(&w, 1000 - HB_WINDOW_WIDTH + 1));
	assert_true(hb_window_take(&w, UINT64_MAX));
	assert_false(hb_window_take(&w, 1000));
	assert_false(hb_window_take(&w, UINT64_MAX));
}

static void forgets_nothing_while_it_slides_one_by_one(void **state)
{
	struct hb_window w;

	(void)state;
	hb_window_init(&w);
	for (uint64_t sequence = 1; sequence <= 3 * HB_WINDOW_WIDTH; sequence++) {
		assert_true(hb_window_take(&w, sequence));
		for (uint64_t old = 1; old <= sequence; old++)
			assert_false(hb_window_is_new(&w, old));
	}
}

/* Against the plain truth: an array of what was taken. */
static void agrees_with_a_list_for_every_order(void **state)
{
	static uint8_t taken[20000];
	struct hb_window w;
	uint64_t highest = 0;
	uint32_t seed = 12345;

	(void)state;
	hb_window_init(&w);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t sequence;
		int expected;

		seed = seed * 1664525 + 1013904223;
		sequence = highest + 1 + (seed >> 16) % 40;
		if (seed % 1009 == 0)
			sequence += 64 * ((seed >> 8) % 6); /* over whole words, too */
		sequence = (seed >> 12) % 4 != 0 && highest > 400 ? highest - (seed >> 16) % 400
								  : sequence;
		if (sequence >= sizeof(taken))
			break;
		expected = !taken[sequence] &&
			   (sequence > highest || highest - sequence < HB_WINDOW_WIDTH);
		assert_int_equal(hb_window_take(&w, sequence), expected);
		taken[sequence] |= (uint8_t)expected;
		highest = sequence > highest ? sequence : highest;
	}
	assert_true(highest > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_sequence_once),
		cmocka_unit_test(asking_changes_nothing),
		cmocka_unit_test(refuses_what_is_too_old_to_know),
		cmocka_unit_test(forgets_nothing_while_it_slides_one_by_one),
		cmocka_unit_test(agrees_with_a_list_for_every_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
