/* Two nodes over loopback: how they meet, beat, fall silent, stall, and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include "hb/send.h"
#include "tests/unit/hb_pair.h"

static struct pair pair;
static unsigned long allocations; /* of openssl, also those that are freed at once */

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_fini(&pair);
	return 0;
}

/* The times at which node `self` saw its peer's path change to `to`; counts them. */
static unsigned changes_to(unsigned self, uint16_t path, enum yoke_path_state to)
{
	unsigned count = 0;

	for (unsigned i = 0; i < pair.change_count; i++)
		count += pair.change_self[i] == self && pair.change[i].path == path &&
			 pair.change[i].to == to;
	return count;
}

static void meets_at_once(void **state)
{
	(void)state;
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_NO_PEER);
	pair_settle(&pair);
	pair_run(&pair, 0);
	assert_true(pair_all_up(&pair));
	assert_true(pair.received[0] > 0 && pair.received[1] > 0);
	assert_int_equal(pair.last[1].node, 1);
	assert_int_equal(pair.last[1].incarnation, 0xa1);
	assert_int_equal(pair.last[1].size, 6);
	assert_memory_equal(pair.last[1].bytes, "from a", 6);
	assert_int_equal(pair.change_count, 4);
}

static void beats_at_a_fixed_rate(void **state)
{
	uint64_t before;

	(void)state;
	pair_run(&pair, 0);
	before = hb_path_of(&pair.node[0], 2, 1)->sent;
	pair_run(&pair, 100 * PAIR_INTERVAL_US);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->sent - before, 100);
	assert_int_equal(pair.node[0].sent_gap_us_max, PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	assert_int_equal(hb_path_of(&pair.node[1], 1, 1)->missed, 0);
	assert_int_equal(hb_path_of(&pair.node[1], 1, 1)->refused[HB_REFUSED_REPLAY], 0);
}

static void a_late_tick_keeps_the_rate_and_a_very_late_one_restarts_it(void **state)
{
	struct hb_changes changes;
	yoke_time due;

	(void)state;
	pair_run(&pair, 0);
	due = hb_deadline(&pair.node[0]);
	pair.now = yoke_time_add_us(due, 3000);
	assert_int_equal(hb_tick(&pair.node[0], pair.now, &changes), 0);
	assert_int_equal(hb_deadline(&pair.node[0]).us, due.us + PAIR_INTERVAL_US);
	pair.now = yoke_time_add_us(due, 3 * PAIR_INTERVAL_US);
	assert_int_equal(hb_tick(&pair.node[0], pair.now, &changes), 0);
	assert_int_equal(hb_deadline(&pair.node[0]).us, pair.now.us + PAIR_INTERVAL_US);
}

static void a_new_beat_goes_out_at_once_but_not_too_often(void **state)
{
	const struct hb_path *p = hb_path_of(&pair.node[0], 2, 1);
	uint64_t before;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US / 2);
	before = p->sent;
	hb_set_beat(&pair.node[0], (const uint8_t *)"1", 1, pair.now);
	assert_int_equal(p->sent, before + 1);
	hb_set_beat(&pair.node[0], (const uint8_t *)"2", 1, pair.now);
	hb_set_beat(&pair.node[0], (const uint8_t *)"3", 1, pair.now);
	assert_int_equal(p->sent, before + 1);
	assert_int_equal(hb_deadline(&pair.node[0]).us, pair.now.us + PAIR_INTERVAL_US / 4);
	pair_run(&pair, PAIR_INTERVAL_US / 4);
	assert_int_equal(p->sent, before + 2);
	assert_memory_equal(pair.last[1].bytes, "3", 1);
	hb_set_beat(&pair.node[0], (const uint8_t *)"3", 1,
		    yoke_time_add_us(pair.now, PAIR_INTERVAL_US));
	assert_int_equal(p->sent, before + 2);
}

static void says_when_a_beat_is_repeated(void **state)
{
	(void)state;
	pair_run(&pair, 2 * PAIR_INTERVAL_US + PAIR_INTERVAL_US / 2);
	assert_true(pair.last[1].repeated);
	hb_set_beat(&pair.node[0], (const uint8_t *)"from A", 6, pair.now);
	assert_int_equal(
		hb_receive(&pair.node[1], 1, pair.now, &pair.last[1], &(struct hb_changes){0}), 1);
	assert_false(pair.last[1].repeated);
	assert_int_equal(
		hb_receive(&pair.node[1], 2, pair.now, &pair.last[1], &(struct hb_changes){0}), 1);
	assert_true(pair.last[1].repeated);
}

/* A MESSAGE may be older, and what it says is put right by the next BEAT only. */
static void a_beat_after_a_message_is_not_repeated(void **state)
{
	(void)state;
	pair_run(&pair, 3 * PAIR_INTERVAL_US);
	assert_true(pair.last[1].repeated);
	hb_send(&pair.node[0], 2, (const uint8_t *)"message", 7, pair.now);
	pair_settle(&pair);
	hb_send_beat(&pair.node[0], 2, pair.now);
	assert_int_equal(
		hb_receive(&pair.node[1], 1, pair.now, &pair.last[1], &(struct hb_changes){0}), 1);
	assert_int_equal(pair.last[1].kind, HB_BEAT);
	assert_false(pair.last[1].repeated);
}

static void messages_go_out_on_every_path(void **state)
{
	unsigned before;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	before = pair.received[1];
	hb_send(&pair.node[0], HB_ALL_NODES, (const uint8_t *)"message", 7, pair.now);
	hb_send(&pair.node[0], 2, (const uint8_t *)"message", 7, pair.now);
	pair_settle(&pair);
	assert_int_equal(pair.received[1], before + 4);
	assert_int_equal(pair.last[1].kind, HB_MESSAGE);
	assert_int_equal(pair.last[1].path, 2);
	assert_false(pair.last[1].repeated);
	assert_memory_equal(pair.last[1].bytes, "message", 7);
}

static void the_largest_message_arrives(void **state)
{
	static uint8_t bytes[YOKE_MESSAGE_SIZE];

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	pair_run(&pair, PAIR_INTERVAL_US);
	hb_send(&pair.node[0], 2, bytes, sizeof(bytes), pair.now);
	pair_settle(&pair);
	assert_int_equal(pair.last[1].size, YOKE_MESSAGE_SIZE);
	assert_memory_equal(pair.last[1].bytes, bytes, sizeof(bytes));
}

/* The first parts are lost on both paths, and of the next sending only they arrive. */
static void lost_parts_come_with_the_next_sending(void **state)
{
	enum { LOST = 10 };
	static uint8_t bytes[YOKE_MESSAGE_SIZE], frame[HB_FRAME_SIZE_MAX];
	struct hb_changes changes = {0};
	int size = 0, got = 0;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	memset(bytes, 9, sizeof(bytes));
	hb_send(&pair.node[0], 2, bytes, sizeof(bytes), pair.now);
	for (unsigned i = 0; i < LOST; i++)
		assert_true(pair_steal(&pair, 2, 1, frame) > 0 &&
			    pair_steal(&pair, 2, 2, frame) > 0);
	pair_settle(&pair);
	assert_int_not_equal(pair.last[1].size, YOKE_MESSAGE_SIZE);
	hb_send(&pair.node[0], 2, bytes, sizeof(bytes), pair.now);
	for (unsigned i = 0; i < LOST; i++) {
		assert_int_equal(got, 0);
		size = pair_steal(&pair, 2, 1, frame);
		got = hb_take(&pair.node[1], 1, frame, (size_t)size, pair.now, &pair.last[1],
			      &changes);
	}
	assert_int_equal(got, 1);
	assert_int_equal(pair.last[1].size, YOKE_MESSAGE_SIZE);
	assert_memory_equal(pair.last[1].bytes, bytes, sizeof(bytes));
}

static void silence_is_late_and_then_down(void **state)
{
	const struct hb_path *p = hb_path_of(&pair.node[0], 2, 1);
	yoke_time proven_at;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	proven_at = p->proven_at;
	memset(pair.cut, true, sizeof(pair.cut));
	pair_run(&pair, PAIR_LATE_US - 1);
	assert_int_equal(p->state, YOKE_PATH_UP);
	pair_run(&pair, 1);
	assert_int_equal(p->state, YOKE_PATH_LATE);
	pair_run(&pair, PAIR_DEAD_US - PAIR_LATE_US - 1);
	assert_int_equal(p->state, YOKE_PATH_LATE);
	pair_run(&pair, 1);
	assert_int_equal(p->state, YOKE_PATH_DOWN);
	assert_int_equal(p->proven_at.us, proven_at.us);
	assert_int_equal(p->flaps, 1);
	memset(pair.cut, false, sizeof(pair.cut));
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	assert_int_equal(changes_to(1, 1, YOKE_PATH_ONE_WAY), 0);
}

static void a_path_cut_one_way_is_seen_at_both_ends(void **state)
{
	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	pair.cut[1][0] = true; /* node 2 does not hear path 1 */
	pair_run(&pair, PAIR_DEAD_US);
	assert_int_equal(pair_state(&pair, 2, 1), YOKE_PATH_DOWN);
	pair_run(&pair, PAIR_DEAD_US + 2 * PAIR_INTERVAL_US);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_ONE_WAY);
	assert_int_equal(pair_state(&pair, 1, 2), YOKE_PATH_UP);
	assert_int_equal(pair_state(&pair, 2, 2), YOKE_PATH_UP);
	pair_run(&pair, 20 * PAIR_DEAD_US);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_ONE_WAY);
	assert_int_equal(changes_to(1, 1, YOKE_PATH_UP), 1);
	pair.cut[1][0] = false;
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
}

static void after_its_own_stall_a_node_listens_before_it_judges(void **state)
{
	struct hb_changes changes;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	(void)pair_drop(&pair, 1, 1);
	pair.now = yoke_time_add_us(pair.now, 5 * PAIR_DEAD_US + PAIR_INTERVAL_US);
	memset(pair.cut, true, sizeof(pair.cut));
	pair_settle(&pair);
	assert_int_equal(hb_tick(&pair.node[0], pair.now, &changes), 5 * PAIR_DEAD_US / 1000);
	assert_int_equal(changes.count, 0);
	(void)hb_tick(&pair.node[1], pair.now, &changes);
	pair_run(&pair, PAIR_DEAD_US - 1);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_UP);
	pair_run(&pair, 1);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_DOWN);
	assert_int_equal(changes_to(1, 1, YOKE_PATH_DOWN), 1);
}

/* What waited in the socket while we slept is authentic and new, and proves nothing of now. */
static void frames_that_waited_out_a_stall_are_no_life(void **state)
{
	struct hb_changes changes;
	unsigned before;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	pair.now = yoke_time_add_us(pair.now, PAIR_INTERVAL_US);
	pair_tick(&pair, 2); /* its last beat, to node 1 that sleeps */
	before = pair.received[0];
	pair.now = yoke_time_add_us(pair.now, 5 * PAIR_DEAD_US);
	pair_settle(&pair);
	assert_int_equal(pair.received[0], before);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->stale, 1);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_UP);
	assert_true(hb_tick(&pair.node[0], pair.now, &changes) > 0);
	pair.now = yoke_time_add_us(pair.now, PAIR_DEAD_US);
	(void)hb_tick(&pair.node[0], pair.now, &changes);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_UP); /* another stall: grace again */
}

static void a_restarted_peer_is_back_at_once(void **state)
{
	(void)state;
	pair_run(&pair, 10 * PAIR_INTERVAL_US + 1000);
	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb2);
	hb_set_beat(&pair.node[1], (const uint8_t *)"from b", 6, pair.now);
	pair.change_count = 0;
	pair.news[0] = 0;
	pair_run(&pair, 0);
	assert_true(pair_all_up(&pair));
	assert_int_equal(pair.last[0].incarnation, 0xb2);
	assert_int_equal(pair.news[0], 1); /* the same bytes, but from another incarnation */
	assert_int_equal(changes_to(1, 1, YOKE_PATH_DOWN) + changes_to(1, 1, YOKE_PATH_LATE), 0);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->flaps, 0);
	assert_int_equal(pair.node[0].peer[1].candidate, 0);
	pair_run(&pair, 10 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
}

static void counts_loss(void **state)
{
	const struct hb_path *p = hb_path_of(&pair.node[1], 1, 1);

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	for (unsigned i = 0; i < 100; i++) {
		pair.cut[1][0] = i % 5 == 2;
		pair_run(&pair, PAIR_INTERVAL_US);
	}
	assert_int_equal(p->missed, 20);
	assert_in_range(hb_quality_look(&p->quality, pair.now).loss_minute_permille, 180, 200);
	assert_int_equal(hb_path_of(&pair.node[1], 1, 2)->missed, 0);
	assert_int_equal(hb_quality_look(&p->quality, yoke_time_add_ms(pair.now, 61000))
				 .loss_minute_permille,
			 0);
}

static void measures_the_round_trip_without_the_time_held(void **state)
{
	struct hb_changes changes;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	for (unsigned i = 0; i < 200; i++) {
		pair.now = yoke_time_add_us(pair.now, PAIR_INTERVAL_US);
		(void)hb_tick(&pair.node[0], pair.now, &changes);
		pair.now = yoke_time_add_us(pair.now, 700);
		(void)pair_take_in(&pair, 2, 1);
		pair.now = yoke_time_add_us(pair.now, 5000); /* held */
		(void)hb_tick(&pair.node[1], pair.now, &changes);
		pair.now = yoke_time_add_us(pair.now, 500);
		(void)pair_take_in(&pair, 1, 1);
	}
	assert_in_range(hb_path_of(&pair.node[0], 2, 1)->rtt_us, 1180, 1220);
}

static void what_cannot_be_opened_is_tried_once_a_second(void **state)
{
	struct hb_endpoint *own = &pair.conf.endpoint[0][0];
	struct hb_changes changes;

	(void)state;
	hb_fini(&pair.node[0]);
	snprintf(own->interface, sizeof(own->interface), "none0");
	pair_start(&pair, 1, 0xa2);
	assert_int_equal(hb_fd(&pair.node[0], 1), -1);
	assert_true(hb_fd(&pair.node[0], 2) >= 0);
	own->interface[0] = '\0';
	pair.node[0].udp[0].interface[0] = '\0'; /* it is there now */
	pair_run(&pair, HB_UDP_RETRY_US - 1);
	assert_int_equal(hb_fd(&pair.node[0], 1), -1);
	assert_int_equal(pair_state(&pair, 1, 2), YOKE_PATH_UP);
	pair_run(&pair, 1 + PAIR_INTERVAL_US);
	assert_true(hb_fd(&pair.node[0], 1) >= 0);
	(void)hb_tick(&pair.node[0], pair.now, &changes);
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
}

static void a_flood_of_refused_frames_does_not_hold_a_turn(void **state)
{
	const struct hb_endpoint *to = &pair.conf.endpoint[0][0];
	struct hb_received received;
	struct hb_changes changes;

	(void)state;
	pair_run(&pair, PAIR_INTERVAL_US);
	for (unsigned i = 0; i < 2 * HB_FRAMES_PER_TURN; i++)
		(void)hb_udp_send(&pair.node[1].udp[0], &to->address, to->address_len,
				  (const uint8_t *)"x", 1, false);
	hb_send(&pair.node[1], 1, (const uint8_t *)"m", 1, pair.now);
	assert_int_equal(hb_receive(&pair.node[0], 1, pair.now, &received, &changes), 0);
	assert_int_equal(pair_refused(&pair, 1, 1, HB_REFUSED_LENGTH), HB_FRAMES_PER_TURN);
	assert_int_equal(hb_receive(&pair.node[0], 1, pair.now, &received, &changes), 0);
	assert_int_equal(hb_receive(&pair.node[0], 1, pair.now, &received, &changes), 1);
	assert_int_equal(received.kind, HB_MESSAGE);
}

static void wipes_the_key(void **state)
{
	static const uint8_t zero[sizeof(struct hb_keys)];
	static struct pair other;

	(void)state;
	pair_init(&other);
	pair_fini(&other);
	assert_memory_equal(&other.node[0].conf.keys, zero, sizeof(zero));
	assert_null(other.node[0].ring.seal[0].context);
	assert_null(other.node[0].peer[1].ring.seal[0].context);
	assert_int_equal(hb_fd(&other.node[0], 1), -1);
}

static void nothing_is_allocated_once_it_runs(void **state)
{
	unsigned long openssl_before;
	size_t heap_before;
	uint64_t frames_before;

	(void)state;
	pair_run(&pair, 10 * PAIR_INTERVAL_US);
	openssl_before = allocations;
	heap_before = mallinfo2().uordblks;
	frames_before = hb_path_of(&pair.node[0], 2, 1)->received;
	for (unsigned i = 0; i < 1000; i++) {
		hb_set_beat(&pair.node[0], (const uint8_t *)&i, sizeof(i), pair.now);
		hb_send(&pair.node[1], HB_ALL_NODES, (const uint8_t *)&i, sizeof(i), pair.now);
		pair.cut[0][0] = i % 50 > 30;
		pair_run(&pair, PAIR_INTERVAL_US);
	}
	assert_true(hb_path_of(&pair.node[0], 2, 1)->received > frames_before + 1000);
	assert_int_equal(allocations, openssl_before);
	assert_int_equal(mallinfo2().uordblks, heap_before);
}

static void *count_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return malloc(size);
}

static void *count_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return realloc(old, size);
}

static void count_free(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(meets_at_once),
		TEST(beats_at_a_fixed_rate),
		TEST(a_late_tick_keeps_the_rate_and_a_very_late_one_restarts_it),
		TEST(a_new_beat_goes_out_at_once_but_not_too_often),
		TEST(says_when_a_beat_is_repeated),
		TEST(a_beat_after_a_message_is_not_repeated),
		TEST(messages_go_out_on_every_path),
		TEST(the_largest_message_arrives),
		TEST(lost_parts_come_with_the_next_sending),
		TEST(silence_is_late_and_then_down),
		TEST(a_path_cut_one_way_is_seen_at_both_ends),
		TEST(after_its_own_stall_a_node_listens_before_it_judges),
		TEST(frames_that_waited_out_a_stall_are_no_life),
		TEST(a_restarted_peer_is_back_at_once),
		TEST(counts_loss),
		TEST(measures_the_round_trip_without_the_time_held),
		TEST(what_cannot_be_opened_is_tried_once_a_second),
		TEST(a_flood_of_refused_frames_does_not_hold_a_turn),
		TEST(wipes_the_key),
		TEST(nothing_is_allocated_once_it_runs),
	};

	if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
