/* A path that is a serial line, beside one of UDP: what goes over it, when, and how much. */
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
	BIG = YOKE_PAYLOAD_SIZE,
	SHARE = CABLE_BAUD / YOKE_SERIAL_BITS / YOKE_SERIAL_SHARE, /* bytes a second */
};

static struct pair pair;
static struct cable cable;
static uint8_t message[BIG], other[BIG];
static unsigned came; /* MESSAGEs that node 2 was handed from the line */

static int setup(void **state)
{
	(void)state;
	cable_init(&cable, &pair);
	came = 0;
	memset(message, 'm', sizeof(message));
	memset(other, 'o', sizeof(other));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_fini(&cable);
	return 0;
}

static bool take_in(uint16_t node)
{
	struct hb *hb = &pair.node[node - 1];
	uint64_t before = hb_path_of(hb, 3 - node, LINE)->received;
	struct hb_changes changes;

	while (hb_receive(hb, LINE, pair.now, &pair.last[node - 1], &changes) == 1)
		came += node == 2 && pair.last[1].kind == HB_MESSAGE;
	return hb_path_of(hb, 3 - node, LINE)->received != before;
}

static void settle(void)
{
	bool more = true;

	while (more) {
		more = pair_take_in(&pair, 1, UDP);
		more |= pair_take_in(&pair, 2, UDP);
		more |= cable_carry(&cable, 1) > 0;
		more |= cable_carry(&cable, 2) > 0;
		more |= take_in(1);
		more |= take_in(2);
	}
}

/* Let time pass; node 1 repeats the message each interval, NULL: it has none. */
static void run(int64_t span_us, const uint8_t *repeated, size_t size)
{
	yoke_time end = yoke_time_add_us(pair.now, span_us), again = pair.now;

	while (yoke_time_before(pair.now, end)) {
		if (repeated != NULL && yoke_time_due(again, pair.now)) {
			hb_send(&pair.node[0], 2, repeated, size, pair.now);
			again = yoke_time_add_us(pair.now, PAIR_INTERVAL_US);
		}
		pair_tick(&pair, 1);
		pair_tick(&pair, 2);
		settle();
		pair.now = yoke_time_add_us(pair.now, 1000);
	}
}

/* Both paths up, then UDP is cut. */
static void leave_the_line_alone(void)
{
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
	pair.cut[0][UDP - 1] = pair.cut[1][UDP - 1] = true;
	run(SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 1, UDP), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 1, LINE), YOKE_PATH_UP);
	assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
}

static void carries_beats_and_leaves_messages_to_a_path_that_is_up(void **state)
{
	(void)state;
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
	run(SECOND_US, message, 400);
	assert_int_equal(came, 0);
}

static void takes_a_quarter_of_its_rate_for_beats(void **state)
{
	(void)state;
	run(10 * SECOND_US, NULL, 0);
	assert_in_range(cable.carried[0], 10 * SHARE * 8 / 10, 10 * SHARE + YOKE_SERIAL_BEAT_SIZE);
}

static void carries_a_message_of_any_size_when_it_is_the_last_way(void **state)
{
	static const size_t sizes[] = {1, 160, 161, 400, BIG};

	(void)state;
	leave_the_line_alone();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		came = 0;
		message[0] = (uint8_t)i;
		hb_send(&pair.node[0], 2, message, sizes[i], pair.now);
		run(2 * SECOND_US, NULL, 0);
		assert_int_equal(came, 1);
		assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
	}
}

/* The last one whole, and what it was, in node 2's hands. */
static void expect_last(const uint8_t *bytes, size_t size)
{
	assert_int_equal(pair.last[1].node, 1);
	assert_int_equal(pair.last[1].path, LINE);
	assert_int_equal(pair.last[1].size, size);
	assert_memory_equal(pair.last[1].bytes, bytes, size);
}

/* Repeat until one more has come. */
static void run_until_one_comes(const uint8_t *bytes, size_t size)
{
	unsigned before = came;

	for (unsigned i = 0; i < 2000 && came == before; i++)
		run(1000, i % 10 == 0 ? bytes : NULL, size);
	assert_int_equal(came, before + 1);
}

static void what_is_told_at_once_is_one_message_and_the_newest(void **state)
{
	(void)state;
	leave_the_line_alone();
	hb_send(&pair.node[0], 2, message, 400, pair.now);
	run(PAIR_INTERVAL_US / 2, NULL, 0);
	run_until_one_comes(other, 300);
	expect_last(other, 300);
	run(SECOND_US, NULL, 0);
	assert_int_equal(came, 1);
}

/* Node 1 has sent some of a message's parts, and not all. */
static void send_half(void)
{
	for (unsigned i = 0; i < 200 && pair.node[1].peer[0].parts.came == 0; i++) {
		hb_send(&pair.node[0], 2, message, BIG, pair.now);
		run(1000, NULL, 0);
	}
	run(PAIR_LATE_US + PAIR_INTERVAL_US, NULL, 0); /* and it is not wanted any more */
	assert_in_range(pair.node[0].line[LINE - 1].next_part, 2, HB_PARTS_MAX - 1);
	assert_true(pair.node[1].peer[0].parts.came != 0);
}

static void one_is_finished_before_the_newest_begins(void **state)
{
	(void)state;
	leave_the_line_alone();
	send_half();
	hb_send(&pair.node[0], 2, message, 10, pair.now);
	run_until_one_comes(other, 300);
	expect_last(message, BIG);
	run_until_one_comes(other, 300);
	expect_last(other, 300);
}

static void is_not_sent_when_nobody_repeats_it_any_more(void **state)
{
	(void)state;
	leave_the_line_alone();
	run_until_one_comes(message, BIG);
	hb_send(&pair.node[0], 2, other, 300, pair.now); /* the line is in debt for longer */
	run(5 * SECOND_US, NULL, 0);
	assert_int_equal(came, 1);
}

static void takes_a_quarter_of_its_rate_for_all(void **state)
{
	uint64_t before;

	(void)state;
	leave_the_line_alone();
	before = cable.carried[0];
	run(20 * SECOND_US, message, BIG);
	assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
	assert_in_range(came, 20, 40);
	/* And one message, which may be the last thing that was sent. */
	assert_in_range(cable.carried[0] - before, 20 * SHARE * 9 / 10, 20 * SHARE + 2 * BIG);
}

static void a_lease_and_an_acknowledgement_do_not_wait_for_a_message(void **state)
{
	unsigned beats = 0;

	(void)state;
	leave_the_line_alone();
	hb_send(&pair.node[0], 2, message, BIG, pair.now);
	for (uint8_t i = 0; came == 0; i++) {
		assert_true(i < 250);
		hb_set_beat(&pair.node[0], &i, 1, pair.now);
		run(2000, NULL, 0);
		beats += pair.last[1].kind == HB_BEAT && pair.last[1].size == 1 && !came;
		pair.last[1].size = 0;
	}
	assert_true(beats >= 2);
}

static void gets_through_noise_part_by_part(void **state)
{
	(void)state;
	leave_the_line_alone();
	cable.damaged_at = 1801; /* so that a message of BIG bytes is never without damage */
	run_until_one_comes(message, BIG);
	expect_last(message, BIG);
	run_until_one_comes(other, BIG);
	expect_last(other, BIG);
	assert_true(pair_refused(&pair, 2, LINE, HB_REFUSED_SEAL) >= 2);
}

static void half_a_message_from_before_a_silence_is_forgotten(void **state)
{
	(void)state;
	leave_the_line_alone();
	send_half();
	cable.is_cut[0] = cable.is_cut[1] = true;
	run(SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_DOWN);
	assert_int_equal(pair.node[1].peer[0].parts.came, 0);
	cable.is_cut[0] = cable.is_cut[1] = false;
	run(5 * SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
	assert_int_equal(came, 0);
}

/* Numbers begin anew with an incarnation: parts of two must not become one message. */
static void half_a_message_of_an_engine_that_is_gone_is_forgotten(void **state)
{
	(void)state;
	leave_the_line_alone();
	send_half();
	hb_fini(&pair.node[0]);
	close(cable.wire[0]);
	pair_start(&pair, 1, 0xa2);
	cable_plug(&cable, 1);
	run(PAIR_LATE_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 2, LINE), YOKE_PATH_UP);
	assert_int_equal(pair.node[1].peer[0].parts.number, 0);
	run_until_one_comes(other, BIG);
	expect_last(other, BIG);
}

static void one_direction_is_not_enough(void **state)
{
	(void)state;
	cable.is_cut[1] = true;
	run(SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 1, LINE), YOKE_PATH_ONE_WAY);
	assert_true(pair_state(&pair, 2, LINE) != YOKE_PATH_UP);
	cable.is_cut[1] = false;
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
}

static void a_pulled_adapter_is_asked_for_once_a_second(void **state)
{
	unsigned wishes = 0;

	(void)state;
	run(SECOND_US, NULL, 0);
	assert_false(hb_wants_fd(&pair.node[0], LINE, pair.now));
	assert_false(hb_wants_fd(&pair.node[0], UDP, pair.now));
	close(cable.wire[0]);
	for (unsigned i = 0; i < 3000; i++) {
		run(1000, NULL, 0);
		wishes += hb_wants_fd(&pair.node[0], LINE, pair.now);
	}
	assert_int_equal(wishes, 3);
	assert_int_equal(hb_fd(&pair.node[0], LINE), -1);
	assert_int_equal(pair_state(&pair, 1, LINE), YOKE_PATH_DOWN);
	cable_plug(&cable, 1);
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_beats_and_leaves_messages_to_a_path_that_is_up),
		TEST(takes_a_quarter_of_its_rate_for_beats),
		TEST(carries_a_message_of_any_size_when_it_is_the_last_way),
		TEST(what_is_told_at_once_is_one_message_and_the_newest),
		TEST(one_is_finished_before_the_newest_begins),
		TEST(is_not_sent_when_nobody_repeats_it_any_more),
		TEST(takes_a_quarter_of_its_rate_for_all),
		TEST(a_lease_and_an_acknowledgement_do_not_wait_for_a_message),
		TEST(gets_through_noise_part_by_part),
		TEST(half_a_message_from_before_a_silence_is_forgotten),
		TEST(half_a_message_of_an_engine_that_is_gone_is_forgotten),
		TEST(one_direction_is_not_enough),
		TEST(a_pulled_adapter_is_asked_for_once_a_second),
	};

	signal(SIGPIPE, SIG_IGN); /* a tty has none */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
