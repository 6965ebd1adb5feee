/* A message in parts: whole again at the other end, whatever part had to be sent twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "hb/part.h"

static struct hb_part_in in;
static uint8_t message[YOKE_MESSAGE_SIZE], part[HB_PART_SIZE_MAX];

static int setup(void **state)
{
	(void)state;
	memset(&in, 0, sizeof(in));
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 13 + 5);
	return 0;
}

static size_t send_part(uint32_t number, size_t size, unsigned which)
{
	static struct hb_part_out out;

	out.number = number;
	out.size = (uint16_t)size;
	memcpy(out.bytes, message, size);
	return hb_part_take(&in, part, hb_part_put(&out, which, part));
}

static void expect_whole(size_t got, size_t size)
{
	assert_int_equal(got, size);
	assert_memory_equal(in.bytes, message, size);
}

static void carries_every_length(void **state)
{
	(void)state;
	for (size_t size = 1; size <= YOKE_MESSAGE_SIZE; size++) {
		unsigned count = hb_part_count(size);

		memset(in.bytes, 0, sizeof(in.bytes));
		for (unsigned which = 0; which + 1 < count; which++)
			assert_int_equal(send_part((uint32_t)size, size, which), 0);
		expect_whole(send_part((uint32_t)size, size, count - 1), size);
	}
	assert_int_equal(hb_part_count(YOKE_MESSAGE_SIZE), HB_PARTS_MAX);
}

static void a_lost_part_is_filled_in_by_the_next_sending(void **state)
{
	(void)state;
	assert_int_equal(send_part(7, 400, 0), 0);
	assert_int_equal(send_part(7, 400, 2), 0);
	assert_int_equal(send_part(7, 400, 0), 0);
	expect_whole(send_part(7, 400, 1), 400);
}

static void a_newer_message_takes_the_place_of_half_a_one(void **state)
{
	(void)state;
	assert_int_equal(send_part(7, 400, 0), 0);
	assert_int_equal(send_part(7, 400, 1), 0);
	message[3] ^= 1;
	assert_int_equal(send_part(8, 400, 2), 0);
	assert_int_equal(send_part(8, 400, 0), 0);
	expect_whole(send_part(8, 400, 1), 400);
}

/* An acknowledgement was lost: it is told once more, and only once. */
static void a_whole_message_may_come_again(void **state)
{
	(void)state;
	assert_int_equal(send_part(7, 200, 0), 0);
	expect_whole(send_part(7, 200, 1), 200);
	assert_int_equal(send_part(7, 200, 0), 0);
	expect_whole(send_part(7, 200, 1), 200);
}

static void other_bytes_have_another_number(void **state)
{
	static struct hb_part_out out;
	uint32_t first;

	(void)state;
	hb_part_set(&out, message, 400);
	first = out.number;
	assert_int_not_equal(first, 0);
	hb_part_set(&out, message, 400);
	assert_int_equal(out.number, first);
	hb_part_set(&out, message, 399);
	assert_int_not_equal(out.number, first);
	out.number = UINT32_MAX;
	hb_part_set(&out, message, 400);
	assert_int_equal(out.number, 1);
}

static void refuse(const char *bytes, size_t size)
{
	struct hb_part_in before = in;

	assert_int_equal(hb_part_take(&in, (const uint8_t *)bytes, size), 0);
	assert_memory_equal(&before, &in, sizeof(in));
}

static void what_is_no_part_changes_nothing(void **state)
{
	char full[HB_PART_SIZE_MAX + 1] = "\0\0\0\7\0\2";

	(void)state;
	assert_int_equal(send_part(7, 400, 1), 0);
	refuse("", 0);
	refuse("\0\0\0\7\0", 5);            /* no count */
	refuse("\0\0\0\7\0\0", 6);          /* of none */
	refuse("\0\0\0\7\0\1", 6);          /* empty */
	refuse("\0\0\0\0\0\1x", 7);         /* no number */
	refuse("\0\0\0\7\1\1x", 7);         /* the second of one */
	refuse("\0\0\0\7\0\2x", 7);         /* not the last, and not full */
	refuse("\0\0\0\7\0\xffx", 7);       /* of too many */
	refuse(full, HB_PART_SIZE_MAX + 1); /* too long */
	full[4] = (char)(HB_PARTS_MAX - 1);
	full[5] = (char)HB_PARTS_MAX;
	refuse(full, HB_PART_SIZE_MAX); /* longer than a message together */
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carries_every_length),
		TEST(a_lost_part_is_filled_in_by_the_next_sending),
		TEST(a_newer_message_takes_the_place_of_half_a_one),
		TEST(a_whole_message_may_come_again),
		TEST(other_bytes_have_another_number),
		TEST(what_is_no_part_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
