/* hb/witness.h: a frame comes back as it was sealed, and no other is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "hb/witness.h"

static const uint8_t cluster_key[HB_KEY_SIZE] = {7};

static const struct hb_witness_frame sent = {
	.sender = 2,
	.cluster_id = {1, 2, 3},
	.incarnation = 1ull << 50,
	.sequence = 3,
	.kind = HB_WITNESS_CLAIM,
	.result = HB_WITNESS_NO,
	.node = 1,
	.lease_ms = 2000,
	.cookie = 99,
	.echo_incarnation = 5,
	.echo_sequence = 6,
};

static void seal_frame(struct hb_seal_key *key, const struct hb_witness_frame *frame,
		       uint8_t bytes[HB_WITNESS_FRAME_SIZE])
{
	assert_int_equal(hb_seal_init(key), 0);
	assert_int_equal(hb_witness_derive(key, cluster_key, frame->sender, frame->incarnation), 0);
	assert_true(hb_witness_put(key, frame, bytes));
}

static void seal(struct hb_seal_key *key, uint8_t bytes[HB_WITNESS_FRAME_SIZE])
{
	seal_frame(key, &sent, bytes);
}

static void comes_back(void **state)
{
	struct hb_seal_key key = {0};
	struct hb_witness_frame got;
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	(void)state;
	seal(&key, bytes);
	assert_true(hb_witness_get_header(bytes, sizeof(bytes), &got));
	assert_true(hb_witness_open(&key, bytes, &got));
	assert_int_equal(got.sender, sent.sender);
	assert_int_equal(got.incarnation, sent.incarnation);
	assert_int_equal(got.sequence, sent.sequence);
	assert_int_equal(got.kind, sent.kind);
	assert_int_equal(got.result, sent.result);
	assert_int_equal(got.node, sent.node);
	assert_int_equal(got.lease_ms, sent.lease_ms);
	assert_int_equal(got.cookie, sent.cookie);
	assert_int_equal(got.echo_incarnation, sent.echo_incarnation);
	assert_int_equal(got.echo_sequence, sent.echo_sequence);
	hb_seal_fini(&key);
}

/* Any single changed byte: not ours, or not authentic. */
static void changed_is_refused(void **state)
{
	struct hb_seal_key key = {0};
	struct hb_witness_frame got;
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	(void)state;
	seal(&key, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 0x10;
		assert_false(hb_witness_get_header(bytes, sizeof(bytes), &got) &&
			     hb_witness_open(&key, bytes, &got));
		bytes[i] ^= 0x10;
	}
	assert_false(hb_witness_get_header(bytes, sizeof(bytes) - 1, &got));
	hb_seal_fini(&key);
}

/* A heartbeat's key is another one, also for the same sender and incarnation. */
static void heartbeats_have_other_keys(void **state)
{
	struct hb_seal_key key = {0};
	struct hb_witness_frame got;
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	(void)state;
	seal(&key, bytes);
	assert_int_equal(hb_seal_derive(&key, cluster_key, sent.sender, sent.incarnation), 0);
	assert_true(hb_witness_get_header(bytes, sizeof(bytes), &got));
	assert_false(hb_witness_open(&key, bytes, &got));
	hb_seal_fini(&key);
}

/* What a witness that cannot save says; a result that we do not know is none. */
static void known_results_are_taken(void **state)
{
	struct hb_witness_frame frame = sent, got;
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	(void)state;
	frame.error = 28;
	for (unsigned result = 0; result < 256; result++) {
		struct hb_seal_key key = {0};

		frame.result = (uint8_t)result;
		seal_frame(&key, &frame, bytes);
		assert_true(hb_witness_get_header(bytes, sizeof(bytes), &got));
		assert_int_equal(hb_witness_open(&key, bytes, &got), result <= HB_WITNESS_UNSAVED);
		assert_int_equal(got.error, 28);
		hb_seal_fini(&key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(changed_is_refused),
		cmocka_unit_test(heartbeats_have_other_keys),
		cmocka_unit_test(known_results_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
