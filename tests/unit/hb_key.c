/* hb/key.c, and two nodes that exchange their keys without losing a frame. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/hb_pair.h"

static struct pair pair;

static struct hb_key key_of(uint8_t id, uint8_t byte)
{
	struct hb_key key = {.id = id};

	memset(key.bytes, byte, sizeof(key.bytes));
	return key;
}

static struct hb_keys one(struct hb_key a)
{
	return (struct hb_keys){.count = 1, .key = {a}};
}

static struct hb_keys two(struct hb_key a, struct hb_key b)
{
	return (struct hb_keys){.count = 2, .key = {a, b}};
}

#define OLD key_of(3, 0x5a) /* what the pair begins with */
#define NEW key_of(4, 0x77)

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_run(&pair, 5 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_fini(&pair);
	return 0;
}

static void give(uint16_t node, struct hb_keys keys)
{
	assert_int_equal(hb_set_keys(&pair.node[node - 1], &keys, pair.now), 0);
}

/* Long enough for keys to be told in the ordinary course. */
static void pass(void)
{
	pair_run(&pair, 3 * HB_KEYS_ROUNDS * PAIR_INTERVAL_US);
}

static void expect_nothing_lost(void)
{
	for (uint16_t node = 1; node <= 2; node++)
		for (uint16_t path = 1; path <= PAIR_PATHS; path++) {
			const struct hb_path *p = hb_path_of(&pair.node[node - 1], 3 - node, path);

			assert_int_equal(p->missed, 0);
			for (int r = 0; r < HB_REFUSALS; r++)
				assert_int_equal(p->refused[r], 0);
		}
	assert_true(pair_all_up(&pair));
}

static void expect_sealing(uint8_t a, uint8_t b)
{
	assert_int_equal(hb_sealing_key(&pair.node[0], 2), a);
	assert_int_equal(hb_sealing_key(&pair.node[1], 1), b);
	assert_int_equal(pair.node[1].peer[0].sealed_key, a);
	assert_int_equal(pair.node[0].peer[1].sealed_key, b);
}

static void keys_are_exchanged_without_a_lost_frame(void **state)
{
	(void)state;
	pass();
	expect_sealing(3, 3);
	give(1, two(OLD, NEW));
	pass();
	expect_sealing(3, 3); /* the other one does not have it */
	assert_false(hb_has_shown(&pair.node[0], 2, 1));
	give(2, two(OLD, NEW));
	pass();
	expect_sealing(4, 4);
	assert_true(hb_has_shown(&pair.node[0], 2, 1));
	give(2, one(NEW));
	pass();
	expect_sealing(4, 4);
	give(1, one(NEW));
	pass();
	expect_sealing(4, 4);
	expect_nothing_lost();
	assert_int_equal(pair.change_count, 4); /* when they met, at the very start */
}

static void the_sequence_goes_on_under_the_new_key(void **state)
{
	uint64_t before = pair.node[0].sequence;

	(void)state;
	give(1, two(OLD, NEW));
	give(2, two(OLD, NEW));
	pass();
	assert_true(pair.node[0].sequence > before);
	assert_int_equal(pair_refused(&pair, 2, 1, HB_REFUSED_REPLAY), 0);
}

static void another_key_of_the_same_id_is_never_used(void **state)
{
	(void)state;
	give(1, two(OLD, NEW));
	give(2, two(OLD, key_of(4, 0x78)));
	pass();
	expect_sealing(3, 3);
	expect_nothing_lost();
}

static void one_that_starts_in_between_meets_the_other(void **state)
{
	static const struct {
		uint8_t first; /* what the restarted one has; 0: both */
		uint8_t seals;
	} cases[] = {{3, 3}, {4, 4}, {0, 4}};

	(void)state;
	give(1, two(OLD, NEW));
	give(2, two(OLD, NEW));
	pass();
	expect_sealing(4, 4);
	for (unsigned i = 0; i < 3; i++) {
		pair_run(&pair, 2 * PAIR_DEAD_US);
		hb_fini(&pair.node[1]);
		pair.conf.keys = cases[i].first == 3   ? one(OLD)
				 : cases[i].first == 4 ? one(NEW)
						       : two(OLD, NEW);
		pair_start(&pair, 2, 0xc0 + i);
		pair_run(&pair, 3 * PAIR_DEAD_US);
		pass();
		assert_true(pair_all_up(&pair));
		expect_sealing(cases[i].seals, cases[i].seals);
	}
}

static void both_that_start_with_two_go_on_with_the_newer(void **state)
{
	(void)state;
	pair_fini(&pair);
	pair.conf.keys = two(OLD, NEW);
	pair_start(&pair, 1, 0xd1);
	pair_start(&pair, 2, 0xd2);
	pair_run(&pair, PAIR_DEAD_US);
	pass();
	expect_sealing(4, 4);
	expect_nothing_lost();
}

static void what_is_gone_is_refused_by_its_id(void **state)
{
	(void)state;
	give(2, one(NEW));
	pair_run(&pair, 2 * PAIR_DEAD_US);
	assert_true(pair_refused(&pair, 2, 1, HB_REFUSED_KEY) > 0);
	assert_int_equal(pair_state(&pair, 2, 1), YOKE_PATH_DOWN);
}

/* Forged frames of a key's id that the sender never used must not push out what is known. */
static void a_forged_frame_under_the_other_key_changes_nothing(void **state)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX];
	struct hb_received received;
	struct hb_changes changes = {.count = 0};
	int size;

	(void)state;
	give(1, two(OLD, NEW));
	hb_send(&pair.node[1], 1, (const uint8_t *)"x", 1, pair.now);
	size = pair_steal(&pair, 1, 1, bytes);
	assert_true(size > 0);
	bytes[5] = 4;
	assert_int_equal(
		hb_take(&pair.node[0], 1, bytes, (size_t)size, pair.now, &received, &changes), 0);
	assert_int_equal(pair_refused(&pair, 1, 1, HB_REFUSED_SEAL), 1);
	assert_false(hb_has_shown(&pair.node[0], 2, 1));
	pass();
	assert_true(pair_all_up(&pair));
	expect_sealing(3, 3);
}

static void prints_tell_the_same_from_others(void **state)
{
	struct hb_keys a = two(OLD, NEW), b = two(NEW, key_of(5, 0x77)), c = one(key_of(4, 0x78));
	uint8_t ours[HB_KEY_PRINTS_SIZE], theirs[HB_KEY_PRINTS_SIZE];
	size_t size = hb_key_put_prints(&a, ours), other;

	(void)state;
	assert_int_equal(size, sizeof(ours));
	other = hb_key_put_prints(&b, theirs);
	assert_int_equal(hb_key_common(ours, size, theirs, other), 2);
	assert_int_equal(hb_key_common(ours, size, theirs, other - 1), 2);
	assert_int_equal(hb_key_common(ours, size, theirs, 3), 0);
	other = hb_key_put_prints(&c, theirs);
	assert_int_equal(hb_key_common(ours, size, theirs, other), 0);
	/* The print is not the key, nor a part of it. */
	assert_memory_not_equal(ours + 1, a.key[0].bytes, HB_KEY_PRINT_SIZE);
}

static void maps(void **state)
{
	struct hb_keys a = two(OLD, NEW), b = two(NEW, OLD), c = one(NEW), d = one(key_of(4, 1));
	int from[HB_KEYS_MAX];

	(void)state;
	hb_key_map(&b, &a, from);
	assert_true(from[0] == 1 && from[1] == 0);
	assert_int_equal(hb_key_move_bits(1, from), 2);
	hb_key_map(&c, &a, from);
	assert_true(from[0] == 1 && from[1] == -1);
	assert_int_equal(hb_key_move_bits(3, from), 1);
	hb_key_map(&d, &a, from);
	assert_true(from[0] == -1 && from[1] == -1);
	assert_int_equal(hb_key_find(&a, 4), 1);
	assert_int_equal(hb_key_find(&a, 5), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_exchanged_without_a_lost_frame, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_sequence_goes_on_under_the_new_key, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_key_of_the_same_id_is_never_used, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_starts_in_between_meets_the_other, setup,
						teardown),
		cmocka_unit_test_setup_teardown(both_that_start_with_two_go_on_with_the_newer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_is_refused_by_its_id, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_frame_under_the_other_key_changes_nothing,
						setup, teardown),
		cmocka_unit_test(prints_tell_the_same_from_others),
		cmocka_unit_test(maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
