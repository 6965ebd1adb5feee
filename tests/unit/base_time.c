/* Points in time: "never" stays never and is never reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/time.h"

static void never_is_never_reached(void **state)
{
	(void)state;
	assert_true(yoke_time_is_never(YOKE_NEVER));
	assert_false(yoke_time_due(YOKE_NEVER, YOKE_NEVER));
	assert_true(yoke_time_is_never(yoke_time_add_us(YOKE_NEVER, -5)));
	assert_true(yoke_time_is_never(yoke_time_add_ms(YOKE_NEVER, 5)));
	assert_true(yoke_time_before((yoke_time){INT64_MAX - 1}, YOKE_NEVER));
}

static void points_and_spans(void **state)
{
	yoke_time a = {1000}, b = {3000};

	(void)state;
	assert_true(yoke_time_due(a, a));
	assert_true(yoke_time_due(a, b));
	assert_false(yoke_time_due(b, a));
	assert_false(yoke_time_before(a, a));
	assert_int_equal(yoke_time_min(a, b).us, 1000);
	assert_int_equal(yoke_time_max(a, b).us, 3000);
	assert_int_equal(yoke_time_add_ms(a, 2).us, 3000);
	assert_int_equal(yoke_time_add_us(b, -2000).us, 1000);
	assert_int_equal(yoke_time_span_us(a, b), 2000);
	assert_int_equal(yoke_time_span_us(b, a), -2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_is_never_reached),
		cmocka_unit_test(points_and_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
