/* Frames over a pty: whole ones only, the newest one, and what happens when the other end goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include "hb/serial.h"

enum { BIG = 1400, STUCK_MAX = 100 };

static struct hb_serial serial;
static int cable; /* the other end: the pty's master */

static void no_wait(int fd)
{
	assert_true(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

static int plug(void)
{
	struct termios raw;
	int fd;

	memset(&raw, 0, sizeof(raw));
	raw.c_cflag = CS8 | CREAD | CLOCAL | B9600;
	raw.c_cc[VMIN] = 1;
	if (openpty(&cable, &fd, NULL, &raw, NULL) != 0)
		return -1;
	no_wait(cable);
	no_wait(fd);
	hb_serial_attach(&serial, fd);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	hb_serial_init(&serial);
	return plug();
}

static int teardown(void **state)
{
	(void)state;
	hb_serial_close(&serial);
	if (cable >= 0)
		close(cable);
	return 0;
}

static void put(const void *bytes, size_t size)
{
	assert_int_equal(write(cable, bytes, size), size);
}

/* Put a frame on the cable as the other node would. */
static void put_frame(const char *text)
{
	uint8_t out[HB_COBS_SIZE_MAX];

	put("", 1);
	put(out, hb_cobs_encode((const uint8_t *)text, strlen(text), out));
	put("", 1);
}

static void expect_frame(const char *text)
{
	uint8_t bytes[HB_COBS_FRAME_MAX];

	assert_int_equal(hb_serial_receive(&serial, bytes), strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

static int receive(void)
{
	uint8_t bytes[HB_COBS_FRAME_MAX];

	return hb_serial_receive(&serial, bytes);
}

static void carries_frames_both_ways(void **state)
{
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(hb_serial_send(&serial, (const uint8_t *)"a\0b", 3), 6);
	assert_int_equal(read(cable, bytes, sizeof(bytes)), 6);
	assert_memory_equal(bytes,
			    "\0\x02"
			    "a\x02"
			    "b\0",
			    6);
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
	put_frame("one");
	put_frame("two");
	expect_frame("one");
	expect_frame("two");
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
	(void)state;
	put("\0\x04"
	    "on",
	    4);
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
	put("e", 1);
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
	put("", 1);
	expect_frame("one");
}

static void finds_the_frame_behind_garbage(void **state)
{
	uint8_t noise[200];

	(void)state;
	srand(7);
	for (unsigned run = 0; run < 200; run++) {
		for (unsigned i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)(1 + rand() % 255); /* no zero: one piece of it */
		put(noise, 1 + (size_t)rand() % sizeof(noise));
		put_frame("whole");
		assert_int_equal(receive() == 0 ? 0 : 1, 0);
		expect_frame("whole");
	}
}

static void does_not_read_for_ever(void **state)
{
	static uint8_t noise[HB_SERIAL_IN_SIZE * HB_SERIAL_READS_MAX + 512];

	(void)state;
	memset(noise, 0xff, sizeof(noise));
	no_wait(cable);
	(void)!write(cable, noise, sizeof(noise));
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
}

/* Send until the tty takes no more.  Returns how many frames it took, the last one in part. */
static unsigned fill(uint8_t first)
{
	uint8_t bytes[BIG];
	unsigned count = 0;

	do {
		memset(bytes, first + (int)count, sizeof(bytes));
		assert_true(hb_serial_send(&serial, bytes, sizeof(bytes)) > 0);
		count++;
	} while (hb_serial_is_idle(&serial) && count < STUCK_MAX);
	assert_in_range(count, 1, STUCK_MAX - 1);
	return count;
}

/* Read frames at the far end.  Returns the first byte of the last one; each is of BIG bytes. */
static int drain(unsigned *count)
{
	static struct hb_cobs far;
	uint8_t bytes[256];
	ssize_t got;
	int last = -1;

	while ((got = read(cable, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++) {
			int size = hb_cobs_take(&far, bytes[i]);

			if (size == HB_COBS_NOTHING)
				continue;
			assert_int_equal(size, BIG); /* never half a frame */
			last = far.bytes[0];
			(*count)++;
		}
	return last;
}

/* The kernel moves a pty's bytes when it gets to it.  Returns the first byte of frame `count`. */
static int wait_for(unsigned count, unsigned *came)
{
	int last = -1;

	for (unsigned i = 0; i < 5000 && *came < count; i++) {
		int got = drain(came);

		last = got >= 0 ? got : last;
		(void)hb_serial_is_idle(&serial);
		usleep(1000);
	}
	assert_int_equal(*came, count);
	return last;
}

static void the_newest_frame_wins_and_a_half_one_is_finished(void **state)
{
	unsigned sent = fill(1), came = 0;
	uint8_t newer[BIG], newest[BIG];

	(void)state;
	memset(newer, 200, sizeof(newer));
	memset(newest, 201, sizeof(newest));
	assert_int_equal(hb_serial_send(&serial, newer, sizeof(newer)), 0);
	assert_true(serial.out_at < serial.out_size);
	assert_int_equal(wait_for(sent, &came), sent);
	assert_true(hb_serial_is_idle(&serial));
	assert_true(hb_serial_send(&serial, newest, sizeof(newest)) > 0);
	assert_int_equal(wait_for(sent + 1, &came), 201);
}

static void a_pulled_adapter_closes_it(void **state)
{
	(void)state;
	close(cable);
	cable = -1;
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
	assert_int_equal(serial.fd, -1);
	assert_int_equal(hb_serial_send(&serial, (const uint8_t *)"x", 1), 0);
	assert_false(hb_serial_is_idle(&serial));
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
}

static void a_pulled_adapter_is_seen_by_a_send_too(void **state)
{
	(void)state;
	close(cable);
	cable = -1;
	assert_int_equal(hb_serial_send(&serial, (const uint8_t *)"x", 1), 0);
	assert_int_equal(serial.fd, -1);
}

static void another_tty_begins_with_nothing_of_the_one_before(void **state)
{
	(void)state;
	put("\0\x09half", 6);
	assert_int_equal(receive(), HB_SERIAL_NOTHING);
	(void)fill(1);
	close(cable);
	assert_int_equal(plug(), 0);
	assert_true(hb_serial_is_idle(&serial));
	put_frame("whole");
	expect_frame("whole");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_frames_both_ways),
		TEST(a_frame_may_come_byte_by_byte),
		TEST(finds_the_frame_behind_garbage),
		TEST(does_not_read_for_ever),
		TEST(the_newest_frame_wins_and_a_half_one_is_finished),
		TEST(a_pulled_adapter_closes_it),
		TEST(a_pulled_adapter_is_seen_by_a_send_too),
		TEST(another_tty_begins_with_nothing_of_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
