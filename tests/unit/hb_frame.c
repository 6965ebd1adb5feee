#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "hb/frame.h"

static const struct hb_frame_header example = {
	.key_id = 0x05,
	.sender = 0x0102,
	.cluster_id = {0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7},
	.incarnation = 0x1112131415161718,
	.sequence = 0x2122232425262728,
};

/* A frame of `size` bytes with the example's header. */
static void make(uint8_t bytes[HB_FRAME_SIZE_MAX + 1])
{
	struct yoke_buf b;

	memset(bytes, 0, HB_FRAME_SIZE_MAX + 1);
	yoke_buf_init(&b, bytes, HB_FRAME_HEADER_SIZE);
	hb_frame_put_header(&b, &example);
	assert_true(yoke_buf_ok(&b));
	assert_int_equal(yoke_buf_left(&b), 0);
}

static void the_header_is_these_bytes(void **state)
{
	static const uint8_t expected[HB_FRAME_HEADER_SIZE] = {
		'Y',  'O',  'K',  'E',  1,    0x05, 0x01, 0x02, 0xc0, 0xc1, 0xc2,
		0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
		0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	};
	uint8_t bytes[HB_FRAME_SIZE_MAX + 1];

	(void)state;
	make(bytes);
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_header_reads_back(void **state)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX + 1];
	struct hb_frame_header header;

	(void)state;
	make(bytes);
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MIN, &header), HB_REFUSALS);
	assert_int_equal(header.key_id, example.key_id);
	assert_int_equal(header.sender, example.sender);
	assert_memory_equal(header.cluster_id, example.cluster_id, HB_FRAME_CLUSTER_SIZE);
	assert_int_equal(header.incarnation, example.incarnation);
	assert_int_equal(header.sequence, example.sequence);
}

static void what_is_no_frame_is_refused_by_cause(void **state)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX + 1];
	struct hb_frame_header header;

	(void)state;
	make(bytes);
	assert_int_equal(hb_frame_get_header(bytes, 0, &header), HB_REFUSED_LENGTH);
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MIN - 1, &header),
			 HB_REFUSED_LENGTH);
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MAX, &header), HB_REFUSALS);
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MAX + 1, &header),
			 HB_REFUSED_LENGTH);
	bytes[4] = 0x71; /* 1 to 8 */
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MIN, &header), HB_REFUSALS);
	assert_int_equal(header.newest, 8);
	bytes[4] = 0x23; /* 3 to 5 */
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MIN, &header),
			 HB_REFUSED_VERSION);
	assert_int_equal(header.oldest, 3);
	assert_int_equal(header.newest, 5);
	assert_int_equal(header.sender, example.sender);
	bytes[0]++;
	assert_int_equal(hb_frame_get_header(bytes, HB_FRAME_SIZE_MIN, &header),
			 HB_REFUSED_CLUSTER);
}

static void content_is_28_bytes_and_reads_back(void **state)
{
	const struct hb_frame_content in = {
		.kind = 2,
		.path = 8,
		.receiver = 0x0304,
		.count = 0x31323334,
		.echo_incarnation = 0x4142434445464748,
		.echo_sequence = 0x5152535455565758,
		.echo_age_us = 0x61626364,
	};
	struct hb_frame_content out;
	uint8_t bytes[HB_FRAME_CONTENT_SIZE];
	struct yoke_buf b;

	(void)state;
	yoke_buf_init(&b, bytes, sizeof(bytes));
	hb_frame_put_content(&b, &in);
	assert_true(yoke_buf_ok(&b));
	assert_int_equal(yoke_buf_left(&b), 0);
	assert_int_equal(bytes[2], 0x03);
	yoke_buf_init_read(&b, bytes, sizeof(bytes));
	hb_frame_get_content(&b, &out);
	assert_true(yoke_buf_ok(&b));
	assert_int_equal(out.kind, in.kind);
	assert_int_equal(out.path, in.path);
	assert_int_equal(out.receiver, in.receiver);
	assert_int_equal(out.count, in.count);
	assert_int_equal(out.echo_incarnation, in.echo_incarnation);
	assert_int_equal(out.echo_sequence, in.echo_sequence);
	assert_int_equal(out.echo_age_us, in.echo_age_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_is_these_bytes),
		cmocka_unit_test(a_header_reads_back),
		cmocka_unit_test(what_is_no_frame_is_refused_by_cause),
		cmocka_unit_test(content_is_28_bytes_and_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
