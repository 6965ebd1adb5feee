/* Frames between zeros: what goes in comes out, and after garbage the next frame does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hb/cobs.h"

static struct hb_cobs decoder;
static uint8_t line[HB_COBS_SIZE_MAX];

/* What the last of the bytes ended; nothing before it ended anything. */
static int take(const uint8_t *bytes, size_t size)
{
	int result = HB_COBS_NOTHING;

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(result, HB_COBS_NOTHING);
		result = hb_cobs_take(&decoder, bytes[i]);
	}
	return result;
}

static void round_trip(const uint8_t *bytes, size_t size)
{
	size_t used = hb_cobs_encode(bytes, size, line);

	assert_true(used <= size + size / 254 + 1);
	assert_null(memchr(line, 0, used));
	assert_int_equal(take(line, used), HB_COBS_NOTHING);
	assert_int_equal(hb_cobs_take(&decoder, 0), (int)size);
	assert_memory_equal(decoder.bytes, bytes, size);
}

static void knows_the_examples_of_the_paper(void **state)
{
	(void)state;
	assert_int_equal(hb_cobs_encode((const uint8_t *)"\x11\x22\x00\x33", 4, line), 5);
	assert_memory_equal(line, "\x03\x11\x22\x02\x33", 5);
	assert_int_equal(hb_cobs_encode((const uint8_t *)"\x00\x00", 2, line), 3);
	assert_memory_equal(line, "\x01\x01\x01", 3);
	assert_int_equal(hb_cobs_encode((const uint8_t *)"", 0, line), 1);
	assert_memory_equal(line, "\x01", 1);
}

static void carries_every_length_and_every_byte(void **state)
{
	static uint8_t bytes[HB_COBS_FRAME_MAX];

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++)
		for (size_t size = 1; size <= sizeof(bytes); size++) {
			for (size_t i = 0; i < size; i++)
				bytes[i] = kind == 0 ? 0 : kind == 1 ? 1 : (uint8_t)(i * 7 + size);
			round_trip(bytes, size);
		}
}

static void a_zero_around_a_full_block_stays(void **state)
{
	static uint8_t bytes[512];

	(void)state;
	for (size_t at = 250; at < 260; at++) {
		memset(bytes, 1, sizeof(bytes));
		bytes[at] = 0;
		round_trip(bytes, at);
		round_trip(bytes, at + 1);
		round_trip(bytes, at + 2);
	}
}

static void zeros_alone_are_nothing(void **state)
{
	(void)state;
	assert_int_equal(take((const uint8_t *)"\0\0\0\0", 4), HB_COBS_NOTHING);
}

static void what_is_no_frame_is_garbage_once(void **state)
{
	(void)state;
	assert_int_equal(take((const uint8_t *)"\x05xy\0", 4), HB_COBS_GARBAGE); /* cut off */
	assert_int_equal(take((const uint8_t *)"\x01\0", 2), HB_COBS_GARBAGE);   /* empty */
	assert_int_equal(hb_cobs_take(&decoder, 0), HB_COBS_NOTHING);
}

static void a_frame_that_is_too_long_is_garbage_and_writes_nothing_behind(void **state)
{
	struct {
		struct hb_cobs cobs;
		uint8_t behind[64];
	} guarded = {0};

	(void)state;
	for (unsigned i = 0; i < 3 * HB_COBS_FRAME_MAX; i++)
		assert_int_equal(hb_cobs_take(&guarded.cobs, 0xff), HB_COBS_NOTHING);
	assert_int_equal(hb_cobs_take(&guarded.cobs, 0), HB_COBS_GARBAGE);
	for (unsigned i = 0; i < sizeof(guarded.behind); i++)
		assert_int_equal(guarded.behind[i], 0);
}

/* The frame behind whatever came is whole, because a zero is before it. */
static void is_in_step_again_with_the_first_frame_behind_garbage(void **state)
{
	static const uint8_t frame[] = "heart\0beat";
	size_t used;

	(void)state;
	srand(1);
	for (unsigned run = 0; run < 20000; run++) {
		for (int i = rand() % 40; i > 0; i--)
			(void)hb_cobs_take(&decoder, (uint8_t)rand());
		(void)hb_cobs_take(&decoder, 0);
		used = hb_cobs_encode(frame, sizeof(frame), line);
		assert_int_equal(take(line, used), HB_COBS_NOTHING);
		assert_int_equal(hb_cobs_take(&decoder, 0), sizeof(frame));
		assert_memory_equal(decoder.bytes, frame, sizeof(frame));
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&decoder, 0, sizeof(decoder));
	return 0;
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_the_examples_of_the_paper),
		TEST(carries_every_length_and_every_byte),
		TEST(a_zero_around_a_full_block_stays),
		TEST(zeros_alone_are_nothing),
		TEST(what_is_no_frame_is_garbage_once),
		TEST(a_frame_that_is_too_long_is_garbage_and_writes_nothing_behind),
		TEST(is_in_step_again_with_the_first_frame_behind_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
