#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hb/path.h"

enum { LATE_US = 500, DEAD_US = 1000, SECOND_US = 1000000 };

static struct hb_path path;
static yoke_time now;

static int setup(void **state)
{
	(void)state;
	now = (yoke_time){50 * (int64_t)SECOND_US};
	hb_path_init(&path, LATE_US, DEAD_US);
	return 0;
}

static void hear(bool echoes)
{
	hb_path_heard(&path, now, echoes, 0);
	(void)hb_path_update(&path, now);
}

static void pass(int64_t span_us)
{
	now = yoke_time_add_us(now, span_us);
	(void)hb_path_update(&path, now);
}

static void expect(enum yoke_path_state wanted, int64_t deadline_in_us)
{
	yoke_time deadline = hb_path_deadline(&path, now);

	assert_int_equal(path.state, wanted);
	if (deadline_in_us < 0)
		assert_true(yoke_time_is_never(deadline));
	else
		assert_int_equal(yoke_time_span_us(now, deadline), deadline_in_us);
}

static void lives_and_dies(void **state)
{
	(void)state;
	expect(YOKE_PATH_NO_PEER, -1);
	hear(true);
	expect(YOKE_PATH_UP, LATE_US);
	pass(LATE_US - 1);
	expect(YOKE_PATH_UP, 1);
	pass(1);
	expect(YOKE_PATH_LATE, DEAD_US - LATE_US);
	hear(true);
	expect(YOKE_PATH_UP, LATE_US);
	assert_int_equal(path.flaps, 0);
	pass(DEAD_US);
	expect(YOKE_PATH_DOWN, -1);
	assert_int_equal(path.flaps, 1);
	hear(true);
	expect(YOKE_PATH_UP, LATE_US);
}

static void asking_changes_nothing(void **state)
{
	struct hb_path before;

	(void)state;
	hear(true);
	before = path;
	assert_int_equal(hb_path_judge(&path, yoke_time_add_us(now, DEAD_US)), YOKE_PATH_DOWN);
	assert_int_equal(hb_path_judge(&path, now), YOKE_PATH_UP);
	(void)hb_path_deadline(&path, now);
	assert_memory_equal(&before, &path, sizeof(path));
}

static void frames_without_proof_are_one_way_after_a_dead_time(void **state)
{
	(void)state;
	hear(false);
	expect(YOKE_PATH_NO_PEER, DEAD_US);
	pass(DEAD_US - 1);
	hear(false);
	expect(YOKE_PATH_NO_PEER, 1);
	pass(1);
	expect(YOKE_PATH_ONE_WAY, DEAD_US - 1);
	pass(DEAD_US - 1);
	expect(YOKE_PATH_DOWN, -1);
	assert_int_equal(path.flaps, 0);
	hear(false); /* one frame alone leads nowhere */
	expect(YOKE_PATH_DOWN, -1);
}

static void loses_one_direction(void **state)
{
	(void)state;
	hear(true);
	for (unsigned i = 0; i < 10; i++) {
		pass(DEAD_US / 10);
		hear(false);
	}
	expect(YOKE_PATH_ONE_WAY, DEAD_US);
	assert_int_equal(path.flaps, 1);
	hear(true);
	expect(YOKE_PATH_UP, LATE_US);
}

static void after_a_stall_nothing_is_judged_for_a_dead_time(void **state)
{
	(void)state;
	hear(true);
	now = yoke_time_add_us(now, 20 * DEAD_US);
	hb_path_stalled(&path, now);
	(void)hb_path_update(&path, now);
	expect(YOKE_PATH_UP, DEAD_US);
	pass(DEAD_US - 1);
	expect(YOKE_PATH_UP, 1);
	pass(1);
	expect(YOKE_PATH_DOWN, -1);
}

static void a_stall_raises_nobody(void **state)
{
	(void)state;
	hb_path_stalled(&path, now);
	expect(YOKE_PATH_NO_PEER, -1);
	hear(true);
	expect(YOKE_PATH_UP, DEAD_US); /* late is not told in the grace either */
	pass(DEAD_US);
	pass(DEAD_US);
	expect(YOKE_PATH_DOWN, -1);
	hb_path_stalled(&path, now);
	pass(1);
	expect(YOKE_PATH_DOWN, -1);
}

static void the_round_trip_is_smoothed(void **state)
{
	(void)state;
	assert_int_equal(path.rtt_us, 0);
	hb_path_rtt(&path, now, 800);
	assert_int_equal(path.rtt_us, 800);
	hb_path_rtt(&path, now, 1600);
	assert_int_equal(path.rtt_us, 900);
	hb_path_rtt(&path, now, 100);
	assert_int_equal(path.rtt_us, 800);
	hb_path_init(&path, LATE_US, DEAD_US);
	hb_path_rtt(&path, now, 0);
	assert_int_equal(path.rtt_us, 1);
}

static void what_comes_late_is_counted(void **state)
{
	(void)state;
	hear(true);
	pass(LATE_US - 1);
	hear(true);
	assert_int_equal(path.delayed, 0);
	pass(LATE_US);
	hear(false);
	assert_int_equal(path.delayed, 1);
	pass(10 * DEAD_US);
	hear(true);
	assert_int_equal(path.delayed, 2);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lives_and_dies),
		TEST(asking_changes_nothing),
		TEST(frames_without_proof_are_one_way_after_a_dead_time),
		TEST(loses_one_direction),
		TEST(after_a_stall_nothing_is_judged_for_a_dead_time),
		TEST(a_stall_raises_nobody),
		TEST(the_round_trip_is_smoothed),
		TEST(what_comes_late_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
