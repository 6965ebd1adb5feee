/* A path over a shared disk, beside one of UDP: what is posted, when, and what it is worth to who
 * reads it.  The disk and the processes that have it are here: a post of each node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hb/post.h"
#include "hb/send.h"
#include "tests/unit/hb_pair.h"

enum {
	UDP = 1,
	DISK = 2,
	INTERVAL_US = 20000,
	LATE_US = 60000,
	POLL_US = 5000,
	SECOND_US = 1000000,
	BIG = YOKE_MESSAGE_SIZE,
	BIG_POSTS = 48, /* that it takes */
};

/* One node's process: what it wrote, and what the other node has seen of that. */
struct writer {
	int fd;
	bool is_stuck; /* it neither reads nor writes */
	bool is_cut;   /* what it writes is not seen */
	unsigned written;
	yoke_time first_at, last_at;
	size_t size;
	uint8_t post[HB_DISK_POST_SIZE];
	unsigned seen;
};

static struct pair pair;
static struct writer writer[2]; /* [node - 1] */
static yoke_time poll_at;
static uint8_t message[BIG], other[BIG];
static unsigned came;  /* MESSAGEs that node 2 was handed from the disk */
static unsigned bulks; /* BULKs that it was */

static void plug(uint16_t node)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
			 0);
	if (writer[node - 1].fd > 0)
		close(writer[node - 1].fd);
	writer[node - 1].fd = fd[0];
	hb_give_fd(&pair.node[node - 1], DISK, fd[1], pair.now);
}

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf.post[DISK - 1] =
		(struct hb_post_conf){.interval_us = INTERVAL_US, .late_us = LATE_US};
	memset(writer, 0, sizeof(writer));
	pair_restart(&pair);
	came = bulks = 0;
	poll_at = pair.now;
	memset(message, 'm', sizeof(message));
	memset(other, 'o', sizeof(other));
	plug(1);
	plug(2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pair_fini(&pair);
	close(writer[0].fd);
	close(writer[1].fd);
	return 0;
}

/* Write what the node gave, and say so. */
static void write_post(uint16_t node)
{
	static const uint8_t done = HB_POST_WRITTEN;
	struct writer *w = &writer[node - 1];
	ssize_t got;

	if (w->is_stuck)
		return;
	got = recv(w->fd, w->post, sizeof(w->post), MSG_DONTWAIT);
	if (got <= 0)
		return;
	w->size = (size_t)got;
	if (w->written++ == 0)
		w->first_at = pair.now;
	w->last_at = pair.now;
	(void)!send(w->fd, &done, 1, MSG_NOSIGNAL);
}

static void hand(uint16_t node, const uint8_t *post, size_t size)
{
	uint8_t m[1 + HB_DISK_POST_SIZE] = {HB_POST_READ};

	memcpy(m + 1, post, size);
	(void)!send(writer[node - 1].fd, m, 1 + size, MSG_NOSIGNAL);
}

/* What the other node posted, when it is another one. */
static void read_post(uint16_t node)
{
	struct writer *from = &writer[2 - node];

	if (writer[node - 1].is_stuck || from->is_cut || from->seen == from->written)
		return;
	from->seen = from->written;
	hand(node, from->post, from->size);
}

static bool take_in(uint16_t node)
{
	struct hb *hb = &pair.node[node - 1];
	uint64_t before = hb_path_of(hb, 3 - node, DISK)->received;
	struct hb_changes changes;

	while (hb_receive(hb, DISK, pair.now, &pair.last[node - 1], &changes) == 1) {
		came += node == 2 && pair.last[1].kind == HB_MESSAGE;
		bulks += node == 2 && pair.last[1].kind == HB_BULK;
	}
	return hb_path_of(hb, 3 - node, DISK)->received != before;
}

static void settle(void)
{
	bool more = true;

	while (more) {
		more = pair_take_in(&pair, 1, UDP);
		more |= pair_take_in(&pair, 2, UDP);
		write_post(1);
		write_post(2);
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
		if (yoke_time_due(poll_at, pair.now)) {
			read_post(1);
			read_post(2);
			poll_at = yoke_time_add_us(pair.now, POLL_US);
		}
		settle();
		pair.now = yoke_time_add_us(pair.now, 1000);
	}
}

static void cut_udp(void)
{
	pair.cut[0][UDP - 1] = pair.cut[1][UDP - 1] = true;
}

/* Both paths up, then UDP is cut. */
static void leave_the_disk_alone(void)
{
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
	cut_udp();
	run(SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 1, UDP), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_UP);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_UP);
}

static void restart(uint16_t node, uint64_t incarnation)
{
	hb_fini(&pair.node[node - 1]);
	pair_start(&pair, node, incarnation);
	plug(node);
}

static void there_is_one_each_interval_and_all_arrive(void **state)
{
	unsigned before;

	(void)state;
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
	before = writer[0].written;
	run(SECOND_US, NULL, 0);
	assert_in_range(writer[0].written - before, SECOND_US / INTERVAL_US - 4,
			SECOND_US / INTERVAL_US);
	assert_int_equal(hb_path_of(&pair.node[1], 1, DISK)->missed, 0);
	assert_int_equal(pair_refused(&pair, 2, DISK, HB_REFUSED_REPLAY), 0);
}

static void news_do_not_wait_for_the_interval_and_are_not_posted_too_often(void **state)
{
	unsigned before;

	(void)state;
	leave_the_disk_alone();
	before = writer[0].written;
	for (uint8_t i = 0; i < 200; i++) {
		hb_set_beat(&pair.node[0], &i, 1, pair.now);
		run(5000, NULL, 0);
	}
	assert_in_range(writer[0].written - before, SECOND_US / INTERVAL_US * 3 / 2,
			SECOND_US / INTERVAL_US * 2);
	assert_int_equal(pair.last[1].size, 1);
	assert_int_equal(hb_path_of(&pair.node[1], 1, DISK)->missed, 0);
}

static void carries_a_message_only_when_it_is_the_last_way(void **state)
{
	static const size_t sizes[] = {1, 400, YOKE_PAYLOAD_SIZE, BIG};
	static const unsigned posts[] = {3, 3, 3, BIG_POSTS};

	(void)state;
	run(SECOND_US, NULL, 0);
	run(SECOND_US, message, 400);
	assert_int_equal(came, 0);
	leave_the_disk_alone();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		came = 0;
		message[0] = (uint8_t)i;
		run(posts[i] * INTERVAL_US, message, sizes[i]);
		assert_true(came >= 1);
		run(SECOND_US, NULL, 0); /* nobody repeats it: it is not told for ever */
		assert_true(came <= 10);
	}
	/* The newest one takes the place of those before it. */
	hb_send(&pair.node[0], 2, message, 300, pair.now);
	run(INTERVAL_US, other, 200);
	hb_send(&pair.node[1], 1, message, BIG, pair.now);
	came = 0;
	run(3 * INTERVAL_US, other, 200);
	assert_true(came >= 1);
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_UP);
}

static void carries_a_bulk_where_a_message_leaves_room(void **state)
{
	unsigned posts;

	(void)state;
	leave_the_disk_alone();
	assert_int_equal(hb_bulk_way(&pair.node[0], 2), DISK);
	posts = writer[0].written;
	for (unsigned i = 0; i < SECOND_US / 1000; i++) {
		hb_send_bulk(&pair.node[0], 2, other, HB_BULK_SIZE, pair.now);
		run(1000, NULL, 0);
	}
	posts = writer[0].written - posts;
	assert_in_range(bulks, posts - 2, posts); /* one in each, and nothing is posted for it */
	assert_true(posts <= SECOND_US / INTERVAL_US + 1);
	assert_int_equal(came, 0);
	bulks = 0;
	hb_send(&pair.node[0], 2, message, BIG, pair.now);
	for (unsigned i = 0; i < 3; i++)
		hb_send_bulk(&pair.node[0], 2, other, HB_BULK_SIZE, pair.now);
	run(BIG_POSTS * INTERVAL_US, message, BIG);
	assert_true(came >= 1);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_UP);
}

static void nothing_waits_in_a_queue(void **state)
{
	unsigned before;

	(void)state;
	leave_the_disk_alone();
	writer[0].is_stuck = true;
	before = writer[0].written;
	assert_false(hb_is_stuck(&pair.node[0], DISK, pair.now));
	run(LATE_US + 2 * INTERVAL_US, message, 100);
	assert_true(hb_is_stuck(&pair.node[0], DISK, pair.now));
	assert_false(hb_is_stuck(&pair.node[0], UDP, pair.now));
	run(SECOND_US, message, 100);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_DOWN);
	writer[0].is_stuck = false;
	run(1000, NULL, 0);
	/* One was given before: it is old, and the next one is made now. */
	assert_int_equal(writer[0].written - before, 1);
	run(2 * POLL_US, NULL, 0);
	assert_in_range(writer[0].written - before, 2, 3);
	run(4 * INTERVAL_US, NULL, 0);
	assert_false(hb_is_stuck(&pair.node[0], DISK, pair.now));
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_UP);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_UP);
}

/* It was never read before, so it is no replay; but it echoes what was said long ago. */
static void one_that_was_held_back_is_stale(void **state)
{
	struct writer held;

	(void)state;
	leave_the_disk_alone();
	writer[0].is_cut = true;
	run(2 * INTERVAL_US, NULL, 0);
	held = writer[0];
	writer[0].is_stuck = true;
	run(SECOND_US, NULL, 0);
	hand(2, held.post, held.size);
	run(1000, NULL, 0);
	assert_int_equal(hb_path_of(&pair.node[1], 1, DISK)->stale, 1);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_DOWN);
}

static void one_that_is_stuck_delays_no_udp(void **state)
{
	uint64_t before;

	(void)state;
	run(SECOND_US, NULL, 0);
	writer[0].is_stuck = writer[1].is_stuck = true;
	before = hb_path_of(&pair.node[1], 1, UDP)->received;
	run(SECOND_US, NULL, 0);
	assert_in_range(hb_path_of(&pair.node[1], 1, UDP)->received - before,
			SECOND_US / PAIR_INTERVAL_US - 1, SECOND_US / PAIR_INTERVAL_US + 1);
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 2, UDP), YOKE_PATH_UP);
}

static void one_direction_is_not_enough(void **state)
{
	(void)state;
	writer[0].is_cut = true;
	run(SECOND_US, NULL, 0);
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_ONE_WAY);
	assert_true(pair_state(&pair, 2, DISK) != YOKE_PATH_UP);
	writer[0].is_cut = false;
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
}

/* The power of node 1 goes; what it posted last stands there, and is read again and again. */
static void what_stands_there_is_no_life(void **state)
{
	struct writer last;

	(void)state;
	leave_the_disk_alone();
	last = writer[0];
	writer[0].is_stuck = true;
	for (unsigned i = 0; i < 100; i++) {
		hand(2, last.post, last.size);
		run(10000, NULL, 0);
	}
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_DOWN);
	assert_true(pair_refused(&pair, 2, DISK, HB_REFUSED_REPLAY) >= 99);
	/* Nor for another engine, which has not read it yet. */
	restart(2, 0xb2);
	for (unsigned i = 0; i < 100; i++) {
		hand(2, last.post, last.size);
		run(10000, NULL, 0);
	}
	assert_true(pair_state(&pair, 2, DISK) != YOKE_PATH_UP);
	assert_int_equal(pair.node[1].peer[0].incarnation, 0);
	assert_int_equal(pair.last[1].kind, HB_BEAT); /* of before */
}

/* A disk that is put back to what was on it an hour ago, node 1 being dead. */
static void an_older_state_of_the_disk_is_no_life(void **state)
{
	struct writer old[8];

	(void)state;
	leave_the_disk_alone();
	for (unsigned i = 0; i < 8; i++) {
		run(INTERVAL_US, NULL, 0);
		old[i] = writer[0];
	}
	writer[0].is_cut = true;
	run(PAIR_DEAD_US, NULL, 0);
	for (unsigned i = 0; i < 80; i++) {
		hand(2, old[i % 8].post, old[i % 8].size);
		run(10000, NULL, 0);
		assert_true(pair_state(&pair, 2, DISK) != YOKE_PATH_UP);
	}
	assert_true(pair_refused(&pair, 2, DISK, HB_REFUSED_REPLAY) >= 80);
}

/* At the longest interval that yoke check lets pass, whenever it starts. */
static void another_engine_is_known_before_it_would_be_dead(void **state)
{
	const int64_t interval_us = PAIR_DEAD_US / 3;
	yoke_time began;

	(void)state;
	pair.conf.post[DISK - 1].interval_us = interval_us;
	pair.conf.post[DISK - 1].late_us = PAIR_DEAD_US;
	restart(1, 0xa2);
	restart(2, 0xb2);
	leave_the_disk_alone();
	for (int64_t i = 0; i < 17; i++) {
		run(SECOND_US + i * 2000, NULL, 0);
		restart(1, 0xa3 + (uint64_t)i);
		pair.change_count = 0;
		began = pair.now;
		while (pair.node[1].peer[0].incarnation != 0xa3 + (uint64_t)i)
			run(1000, NULL, 0);
		/* Three posts are read, of which the later two do not wait for the interval. */
		assert_in_range(yoke_time_span_us(began, pair.now), 0, interval_us + 4 * POLL_US);
		run(PAIR_DEAD_US, NULL, 0);
		for (unsigned j = 0; j < pair.change_count; j++)
			assert_false(pair.change_self[j] == 2 &&
				     pair.change[j].to == YOKE_PATH_DOWN);
		assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_UP);
		assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_UP);
	}
}

/* What a post tells of keys is enough to exchange them, and no frame is lost by it. */
static void keys_are_exchanged_over_a_disk_alone(void **state)
{
	struct hb_keys both = pair.conf.keys;

	(void)state;
	leave_the_disk_alone();
	both.count = 2;
	both.key[0].id = pair.node[0].conf.keys.key[0].id;
	memcpy(both.key[0].bytes, pair.node[0].conf.keys.key[0].bytes, HB_KEY_SIZE);
	both.key[1].id = (uint8_t)(both.key[0].id + 1);
	memset(both.key[1].bytes, 0x77, HB_KEY_SIZE);
	for (uint16_t node = 1; node <= 2; node++) {
		assert_int_equal(hb_set_keys(&pair.node[node - 1], &both, pair.now), 0);
		run(SECOND_US, NULL, 0);
	}
	assert_int_equal(hb_sealing_key(&pair.node[0], 2), both.key[1].id);
	assert_int_equal(hb_sealing_key(&pair.node[1], 1), both.key[1].id);
	assert_int_equal(hb_path_of(&pair.node[1], 1, DISK)->missed, 0);
	assert_int_equal(pair_refused(&pair, 2, DISK, HB_REFUSED_KEY), 0);
	assert_int_equal(pair_state(&pair, 2, DISK), YOKE_PATH_UP);
}

static void damaged_posts_are_counted_and_nothing_else(void **state)
{
	uint8_t nonsense[600];
	struct writer last;

	(void)state;
	run(SECOND_US, NULL, 0);
	last = writer[0];
	memset(nonsense, 0xff, sizeof(nonsense));
	hand(2, nonsense, sizeof(nonsense)); /* a frame longer than all */
	run(1000, NULL, 0);
	assert_int_equal(pair_refused(&pair, 2, DISK, HB_REFUSED_LENGTH), 1);
	memset(nonsense, 0, sizeof(nonsense));
	hand(2, nonsense, sizeof(nonsense)); /* of no size */
	hand(2, nonsense, 1);                /* half a size */
	hand(2, nonsense, 0);                /* nothing */
	run(1000, NULL, 0);
	assert_int_equal(pair_refused(&pair, 2, DISK, HB_REFUSED_LENGTH), 3);
	last.post[last.size - 1] ^= 1;
	last.post[20] ^= 1; /* its incarnation, so that it is no replay */
	hand(2, last.post, last.size);
	run(1000, NULL, 0);
	assert_int_equal(pair_refused(&pair, 2, DISK, HB_REFUSED_SEAL), 1);
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
}

static void a_socket_is_asked_for_once_a_second(void **state)
{
	unsigned wishes = 0;

	(void)state;
	run(SECOND_US, NULL, 0);
	assert_false(hb_wants_fd(&pair.node[0], DISK, pair.now));
	assert_false(hb_wants_fd(&pair.node[0], UDP, pair.now));
	close(writer[0].fd);
	writer[0].fd = -1;
	for (unsigned i = 0; i < 3000; i++) {
		run(1000, NULL, 0);
		wishes += hb_wants_fd(&pair.node[0], DISK, pair.now);
	}
	assert_int_equal(wishes, 3);
	assert_int_equal(hb_fd(&pair.node[0], DISK), -1);
	assert_int_equal(pair_state(&pair, 1, DISK), YOKE_PATH_DOWN);
	plug(1);
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
}

/* UDP before a disk, a disk before a line, and of two that are alike the first one. */
static void one_way_is_the_last(void **state)
{
	struct hb *hb = &pair.node[0];

	(void)state;
	run(SECOND_US, NULL, 0);
	assert_true(pair_all_up(&pair));
	assert_false(hb_is_last_way(hb, 2, DISK));
	hb->conf.line[UDP - 1].baud = 9600;
	assert_true(hb_is_last_way(hb, 2, DISK));
	assert_false(hb_is_last_way(hb, 2, UDP));
	hb->conf.post[DISK - 1].interval_us = 0;
	hb->conf.line[DISK - 1].baud = 9600;
	assert_true(hb_is_last_way(hb, 2, UDP));
	assert_false(hb_is_last_way(hb, 2, DISK));
	hb->conf.line[UDP - 1].baud = 0;
	hb->conf.line[DISK - 1].baud = 0;
	hb->conf.post[DISK - 1].interval_us = INTERVAL_US;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_one_each_interval_and_all_arrive),
		TEST(news_do_not_wait_for_the_interval_and_are_not_posted_too_often),
		TEST(carries_a_message_only_when_it_is_the_last_way),
		TEST(carries_a_bulk_where_a_message_leaves_room),
		TEST(nothing_waits_in_a_queue),
		TEST(one_that_was_held_back_is_stale),
		TEST(one_that_is_stuck_delays_no_udp),
		TEST(one_direction_is_not_enough),
		TEST(what_stands_there_is_no_life),
		TEST(an_older_state_of_the_disk_is_no_life),
		TEST(another_engine_is_known_before_it_would_be_dead),
		TEST(keys_are_exchanged_over_a_disk_alone),
		TEST(damaged_posts_are_counted_and_nothing_else),
		TEST(a_socket_is_asked_for_once_a_second),
		TEST(one_way_is_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
