/* A public path beside a private one: how often it beats, and that its being slow neither makes a
 * dead node live longer nor a living one die. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/hb_pair.h"

enum {
	PRIVATE = 1,
	PUBLIC = 2,
	SLOW_US = 10 * PAIR_INTERVAL_US,
	SLOW_LATE_US = SLOW_US * 5 / 2,
	SLOW_DEAD_US = SLOW_US * 5,
	PHASES = 20, /* where in a slow interval something happens */
	SECOND_US = 1000000,
};

static struct pair pair;

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf.is_public[PUBLIC - 1] = true;
	pair.conf.slow_us = SLOW_US;
	pair_restart(&pair);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_fini(&pair);
	return 0;
}

static void cut(uint16_t path, bool is_cut)
{
	pair.cut[0][path - 1] = pair.cut[1][path - 1] = is_cut;
}

/* Both paths up and the public one slow; then on to a phase of its interval. */
static void begin(unsigned phase)
{
	pair_run(&pair, SECOND_US + (int64_t)SLOW_US * phase / PHASES);
	assert_true(pair_all_up(&pair));
	assert_true(hb_path_of(&pair.node[0], 2, PUBLIC)->slow);
	assert_true(hb_path_of(&pair.node[1], 1, PUBLIC)->slow);
	pair.change_count = 0;
}

static unsigned count_sent(uint16_t node, uint16_t path, int64_t span_us)
{
	uint64_t before = hb_path_of(&pair.node[node - 1], 3 - node, path)->sent;

	pair_run(&pair, span_us);
	return (unsigned)(hb_path_of(&pair.node[node - 1], 3 - node, path)->sent - before);
}

static unsigned count_changes(uint16_t path, enum yoke_path_state to)
{
	unsigned count = 0;

	for (unsigned i = 0; i < pair.change_count; i++)
		count += pair.change[i].path == path && pair.change[i].to == to;
	return count;
}

static void slow_while_a_private_path_is_up(void **state)
{
	(void)state;
	begin(0);
	assert_in_range(count_sent(1, PUBLIC, SECOND_US), 9, 11);
	assert_in_range(count_sent(1, PRIVATE, SECOND_US), 99, 101);
	assert_int_equal(pair.change_count, 0);
}

/* The beat's bytes are those of any other, whatever kind it is of. */
static void a_call_is_a_beat(void **state)
{
	(void)state;
	begin(0);
	cut(PRIVATE, true);
	pair_run(&pair, PAIR_LATE_US);
	pair.news[1] = 0;
	hb_set_beat(&pair.node[0], (const uint8_t *)"newer", 5, pair.now);
	pair_run(&pair, PAIR_INTERVAL_US);
	assert_int_equal(pair.news[1], 1);
	assert_int_equal(pair.last[1].kind, HB_BEAT);
	assert_memory_equal(pair.last[1].bytes, "newer", 5);
}

static void full_when_the_private_path_is_late_and_never_down(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++) {
		begin(phase);
		cut(PRIVATE, true);
		pair_run(&pair, PAIR_LATE_US + PAIR_INTERVAL_US);
		assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_UP);
		assert_int_equal(pair_state(&pair, 2, PUBLIC), YOKE_PATH_UP);
		assert_in_range(count_sent(1, PUBLIC, SECOND_US), 99, 101);
		assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_DOWN);
		assert_int_equal(count_changes(PUBLIC, YOKE_PATH_DOWN), 0);
		assert_int_equal(count_changes(PUBLIC, YOKE_PATH_ONE_WAY), 0);
		cut(PRIVATE, false);
		pair_run(&pair, SLOW_US);
		assert_in_range(count_sent(1, PUBLIC, SECOND_US), 9, 11);
		assert_in_range(count_sent(2, PUBLIC, SECOND_US), 9, 11);
		assert_int_equal(count_changes(PUBLIC, YOKE_PATH_DOWN), 0);
	}
}

/* A node that dies is down on both paths one dead time after its last private heartbeat. */
static void dead_no_later_for_a_public_path(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++) {
		const struct hb_path *lost = hb_path_of(&pair.node[0], 2, PRIVATE);
		yoke_time dead_at;

		begin(phase);
		dead_at = yoke_time_add_us(lost->proven_at, PAIR_DEAD_US);
		while (yoke_time_before(pair.now, dead_at)) {
			pair.now = hb_deadline(&pair.node[0]);
			assert_int_not_equal(lost->state, YOKE_PATH_DOWN);
			pair_tick(&pair, 1);
		}
		assert_int_equal(pair.now.us, dead_at.us);
		assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_DOWN);
		assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_DOWN);
		pair_run(&pair, 0);
	}
}

/* Node 2 hears nothing on the private path, and node 1 takes a dead time and more to notice. */
static void who_is_called_answers_at_full_rate(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++) {
		begin(phase);
		pair.cut[1][PRIVATE - 1] = true;
		pair_run(&pair, PAIR_LATE_US + PAIR_INTERVAL_US);
		assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_UP);
		assert_int_equal(pair_state(&pair, 2, PRIVATE), YOKE_PATH_LATE);
		assert_int_equal(pair_state(&pair, 2, PUBLIC), YOKE_PATH_UP);
		assert_in_range(count_sent(1, PUBLIC, 5 * PAIR_INTERVAL_US), 4, 6);
		pair_run(&pair, SECOND_US);
		assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_ONE_WAY);
		assert_int_equal(count_changes(PUBLIC, YOKE_PATH_DOWN), 0);
		assert_int_equal(count_changes(PUBLIC, YOKE_PATH_ONE_WAY), 0);
		cut(PRIVATE, false);
		pair_run(&pair, SLOW_US);
		assert_in_range(count_sent(1, PUBLIC, SECOND_US), 9, 11);
	}
}

/* The first CALL is answered at once, whichever end the next heartbeat is due at. */
static void the_first_call_is_answered_at_once(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++) {
		begin(phase);
		pair.cut[1][PRIVATE - 1] = true;
		while (pair_state(&pair, 2, PRIVATE) == YOKE_PATH_UP) {
			assert_int_equal(pair_state(&pair, 2, PUBLIC), YOKE_PATH_UP);
			pair_run(&pair, 1000);
		}
		assert_int_equal(pair_state(&pair, 2, PUBLIC), YOKE_PATH_UP);
		cut(PRIVATE, false);
	}
}

/* Where few heartbeats are in a dead time, a slow one is longer than that. */
static void slow_may_be_longer_than_dead(void **state)
{
	(void)state;
	pair.conf.slow_us = 3 * PAIR_DEAD_US;
	pair_restart(&pair);
	begin(0);
	pair_run(&pair, 5 * (int64_t)SECOND_US);
	assert_int_equal(pair.change_count, 0);
	assert_int_equal(hb_path_of(&pair.node[0], 2, PUBLIC)->stale, 0);
}

/* Its own times hold while it is slow. */
static void judged_by_its_own_times_while_slow(void **state)
{
	yoke_time proven_at;

	(void)state;
	begin(0);
	cut(PUBLIC, true);
	proven_at = hb_path_of(&pair.node[0], 2, PUBLIC)->proven_at;
	pair_run(&pair, yoke_time_span_us(pair.now, proven_at) + SLOW_LATE_US - 1);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_UP);
	pair_run(&pair, 1);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_LATE);
	pair_run(&pair, SLOW_DEAD_US - SLOW_LATE_US - 1);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_LATE);
	pair_run(&pair, 1);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_DOWN);
	cut(PUBLIC, false);
	pair_run(&pair, 3 * SLOW_US); /* there, back, and there */
	assert_true(pair_all_up(&pair));
}

static void one_way_is_seen_while_slow(void **state)
{
	(void)state;
	begin(0);
	pair.cut[1][PUBLIC - 1] = true;
	pair_run(&pair, 3 * SLOW_DEAD_US);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_ONE_WAY);
	assert_int_equal(pair_state(&pair, 2, PUBLIC), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_UP);
}

/* A longer time that holds from now on is no life. */
static void not_revived_by_getting_slow(void **state)
{
	(void)state;
	begin(0);
	cut(PRIVATE, true);
	cut(PUBLIC, true);
	pair_run(&pair, PAIR_DEAD_US + PAIR_INTERVAL_US);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_DOWN);
	cut(PRIVATE, false);
	pair.change_count = 0;
	pair_run(&pair, SECOND_US);
	assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_UP);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_DOWN);
	for (unsigned i = 0; i < pair.change_count; i++)
		assert_int_equal(pair.change[i].path, PRIVATE);
	cut(PUBLIC, false);
	pair_run(&pair, 3 * SLOW_US); /* there, back, and there */
	assert_true(pair_all_up(&pair));
}

/* Who slept asks on all paths, and judges a dead time later: of a node that died meanwhile, all. */
static void after_a_stall_all_are_asked(void **state)
{
	uint64_t sent;
	struct hb_changes changes;

	(void)state;
	begin(0);
	pair.now = yoke_time_add_us(pair.now, SECOND_US);
	sent = hb_path_of(&pair.node[0], 2, PUBLIC)->sent;
	assert_int_not_equal(hb_tick(&pair.node[0], pair.now, &changes), 0);
	assert_true(hb_path_of(&pair.node[0], 2, PUBLIC)->sent > sent);
	assert_false(hb_path_of(&pair.node[0], 2, PUBLIC)->slow);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_UP);
		assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_UP);
		pair.now = hb_deadline(&pair.node[0]);
		(void)hb_tick(&pair.node[0], pair.now, &changes);
	}
	assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 1, PUBLIC), YOKE_PATH_DOWN);
}

/* A node that starts again is heard on the public path, too, without waiting for its turn. */
static void a_new_incarnation_is_greeted_at_once(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASES; phase++) {
		begin(phase);
		hb_fini(&pair.node[1]);
		pair.conf.keys.count = 1;
		memset(pair.conf.keys.key[0].bytes, 0x5a, HB_KEY_SIZE);
		pair_start(&pair, 2, 0xc0u + phase);
		hb_set_beat(&pair.node[1], (const uint8_t *)"again", 5, pair.now);
		pair_run(&pair, 3 * PAIR_INTERVAL_US);
		assert_true(pair_all_up(&pair));
	}
}

/* Over a line little can be told: it does not make a public path slow. */
static void a_line_makes_nothing_slow(void **state)
{
	struct hb_changes changes;

	(void)state;
	pair.conf.line[PRIVATE - 1] = (struct hb_line_conf){
		.baud = 9600, .interval_us = PAIR_INTERVAL_US, .late_us = PAIR_LATE_US};
	pair_restart(&pair);
	pair.node[0].peer[1].path[PRIVATE - 1].state = YOKE_PATH_UP;
	(void)hb_tick(&pair.node[0], pair.now, &changes);
	assert_int_equal(pair_state(&pair, 1, PRIVATE), YOKE_PATH_UP);
	assert_false(hb_path_of(&pair.node[0], 2, PUBLIC)->slow);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(slow_while_a_private_path_is_up),
		TEST(a_call_is_a_beat),
		TEST(full_when_the_private_path_is_late_and_never_down),
		TEST(dead_no_later_for_a_public_path),
		TEST(who_is_called_answers_at_full_rate),
		TEST(the_first_call_is_answered_at_once),
		TEST(slow_may_be_longer_than_dead),
		TEST(judged_by_its_own_times_while_slow),
		TEST(one_way_is_seen_while_slow),
		TEST(not_revived_by_getting_slow),
		TEST(after_a_stall_all_are_asked),
		TEST(a_new_incarnation_is_greeted_at_once),
		TEST(a_line_makes_nothing_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
