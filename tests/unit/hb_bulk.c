/* Pieces of what is in no hurry: one in an interval at most, over the best way, and never at the
 * expense of heartbeats and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>

#include <cmocka.h>

#include "agent/base/baud.h"
#include "hb/send.h"
#include "tests/unit/hb_cable.h"

enum {
	UDP = CABLE_UDP,
	LINE = CABLE_LINE,
	SECOND_US = 1000000,
	TIMES_MAX = 4096,
};

static struct pair pair;
static struct cable cable;
static uint8_t piece[HB_BULK_SIZE], message[1000];
static unsigned bulks, messages; /* that node 2 was handed */
static yoke_time bulk_at[TIMES_MAX], message_at;
static yoke_time heard_at; /* that the last byte of a frame reached node 2 over the line */
static int64_t longest_us; /* between two of them */
static unsigned piece_size;

static int setup(void **state)
{
	(void)state;
	cable_init(&cable, &pair);
	memset(piece, 'p', sizeof(piece));
	memset(message, 'm', sizeof(message));
	bulks = messages = 0;
	piece_size = 100;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_fini(&cable);
	return 0;
}

/* The socket takes no time; the line would. */
static void note_arrival(size_t bytes)
{
	int64_t on_line_us = (int64_t)bytes * YOKE_SERIAL_BITS * SECOND_US / CABLE_BAUD;
	yoke_time at = yoke_time_add_us(pair.now, on_line_us);

	if (yoke_time_span_us(heard_at, at) > longest_us)
		longest_us = yoke_time_span_us(heard_at, at);
	heard_at = at;
}

static bool carry(uint16_t from)
{
	size_t bytes = cable_carry(&cable, from);

	if (from == 1 && bytes > 0)
		note_arrival(bytes);
	return bytes > 0;
}

static void note(const struct hb_received *received)
{
	if (received->kind == HB_BULK) {
		assert_int_equal(received->size, piece_size);
		assert_memory_equal(received->bytes, piece, piece_size);
		assert_true(bulks < TIMES_MAX);
		bulk_at[bulks++] = pair.now;
	} else if (received->kind == HB_MESSAGE) {
		message_at = pair.now;
		messages++;
	}
}

static bool take_in(uint16_t node, uint16_t path)
{
	struct hb *hb = &pair.node[node - 1];
	uint64_t before = hb_path_of(hb, 3 - node, path)->received;
	struct hb_changes changes;

	if (pair.cut[node - 1][path - 1])
		(void)pair_drop(&pair, node, path);
	while (hb_receive(hb, path, pair.now, &pair.last[node - 1], &changes) == 1)
		if (node == 2)
			note(&pair.last[1]);
	return hb_path_of(hb, 3 - node, path)->received != before;
}

/* Let time pass; with_bulk: node 1 offers another piece each millisecond. */
static void run(int64_t span_us, bool with_bulk)
{
	yoke_time end = yoke_time_add_us(pair.now, span_us);

	while (yoke_time_before(pair.now, end)) {
		bool more = true;

		if (with_bulk)
			hb_send_bulk(&pair.node[0], 2, piece, piece_size, pair.now);
		pair_tick(&pair, 1);
		pair_tick(&pair, 2);
		while (more) {
			more = carry(1);
			more |= carry(2);
			for (uint16_t node = 1; node <= 2; node++)
				for (uint16_t path = UDP; path <= LINE; path++)
					more |= take_in(node, path);
		}
		pair.now = yoke_time_add_us(pair.now, 1000);
	}
}

static void leave_the_line_alone(void)
{
	run(SECOND_US, false);
	assert_true(pair_all_up(&pair));
	pair.cut[0][UDP - 1] = pair.cut[1][UDP - 1] = true;
	run(SECOND_US, false);
	assert_int_equal(pair_state(&pair, 1, UDP), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 1, LINE), YOKE_PATH_UP);
}

static void assert_apart(void)
{
	for (unsigned i = 1; i < bulks; i++)
		assert_true(yoke_time_span_us(bulk_at[i - 1], bulk_at[i]) >= PAIR_INTERVAL_US);
}

static void one_in_an_interval_over_udp(void **state)
{
	(void)state;
	run(SECOND_US, false);
	piece_size = HB_BULK_SIZE;
	assert_int_equal(hb_bulk_way(&pair.node[0], 2), UDP);
	assert_int_equal(hb_bulk_room(&pair.node[0], UDP), HB_BULK_SIZE);
	run(SECOND_US, true);
	assert_in_range(bulks, 90, SECOND_US / PAIR_INTERVAL_US + 1);
	assert_apart();
}

static void one_that_waits_goes_by_itself(void **state)
{
	(void)state;
	run(SECOND_US, false);
	hb_send_bulk(&pair.node[0], 2, piece, piece_size, pair.now);
	run(1000, false);
	assert_int_equal(bulks, 1);
	hb_send_bulk(&pair.node[0], 2, piece, piece_size, pair.now);
	run(1000, false);
	assert_int_equal(bulks, 1); /* not yet */
	run(PAIR_INTERVAL_US, false);
	assert_int_equal(bulks, 2);
	run(SECOND_US, false);
	assert_int_equal(bulks, 2);
}

static void nothing_goes_to_who_is_not_in_contact(void **state)
{
	(void)state;
	assert_int_equal(hb_bulk_way(&pair.node[0], 2), 0);
	hb_send_bulk(&pair.node[0], 2, piece, piece_size, pair.now);
	run(SECOND_US, false);
	assert_int_equal(bulks, 0); /* and is not kept for later */
	assert_int_not_equal(hb_bulk_way(&pair.node[0], 2), 0);
}

static void on_a_line_heartbeats_go_on_and_its_share_is_kept(void **state)
{
	uint64_t before;

	(void)state;
	leave_the_line_alone();
	piece_size = hb_bulk_room(&pair.node[0], LINE);
	assert_int_equal(hb_bulk_way(&pair.node[0], 2), LINE);
	pair.change_count = 0;
	before = cable.carried[0];
	longest_us = 0;
	for (unsigned i = 0; i < 10; i++) {
		run(SECOND_US, true);
		assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
		assert_int_equal(pair_state(&pair, 1, LINE), YOKE_PATH_UP);
	}
	assert_true(bulks > 10 * SECOND_US / 1000 / hb_bulk_turn_ms(&pair.node[0], LINE));
	assert_apart();
	/* At half the rate of heartbeats at least, each of them whole. */
	assert_in_range(longest_us, CABLE_INTERVAL_US, 2 * CABLE_INTERVAL_US + 2000);
	/* A quarter, and what the test's millisecond adds. */
	assert_in_range(cable.carried[0] - before, 1,
			10 * CABLE_BAUD / YOKE_SERIAL_BITS * 26 / 100);
	for (unsigned i = 0; i < pair.change_count; i++)
		assert_int_not_equal(pair.change[i].path, LINE);
}

static void a_message_is_not_held_up(void **state)
{
	int64_t alone_us, beside_us, slowest_us = 0;

	(void)state;
	leave_the_line_alone();
	piece_size = hb_bulk_room(&pair.node[0], LINE);
	hb_send(&pair.node[0], 2, message, sizeof(message), pair.now);
	message_at = pair.now;
	alone_us = -pair.now.us;
	while (messages == 0)
		run(1000, false);
	alone_us += message_at.us;
	run(SECOND_US, false);
	for (unsigned i = 0; i < 20; i++) {
		run(SECOND_US + i * 7000, true);
		messages = 0;
		message[0] = (uint8_t)i;
		hb_send(&pair.node[0], 2, message, sizeof(message), pair.now);
		beside_us = -pair.now.us;
		while (messages == 0)
			run(1000, true);
		beside_us += message_at.us;
		slowest_us = beside_us > slowest_us ? beside_us : slowest_us;
	}
	/* It waits for a frame that is on its way, and for what BEATs before it cost. */
	assert_in_range(slowest_us, 1, alone_us + 2 * CABLE_INTERVAL_US);
}

static void what_is_too_large_for_the_line_is_lost(void **state)
{
	(void)state;
	leave_the_line_alone();
	piece_size = HB_BULK_SIZE;
	hb_send_bulk(&pair.node[0], 2, piece, piece_size, pair.now);
	run(SECOND_US, false);
	assert_int_equal(bulks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_in_an_interval_over_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_waits_goes_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_goes_to_who_is_not_in_contact, setup,
						teardown),
		cmocka_unit_test_setup_teardown(on_a_line_heartbeats_go_on_and_its_share_is_kept,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_is_not_held_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_large_for_the_line_is_lost, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
