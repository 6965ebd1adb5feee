#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "hb/seal.h"

static const uint8_t header[] = {'h', 'e', 'a', 'd', 'e', 'r'};
static const uint64_t incarnation = 0x1112131415161718;

static uint8_t cluster_key[HB_KEY_SIZE];
static struct hb_seal_key key;

static int setup(void **state)
{
	(void)state;
	memset(cluster_key, 0x5a, sizeof(cluster_key));
	return hb_seal_init(&key) | hb_seal_derive(&key, cluster_key, 2, incarnation);
}

static int teardown(void **state)
{
	(void)state;
	hb_seal_fini(&key);
	return 0;
}

static void seal(uint64_t sequence, uint8_t bytes[6], uint8_t tag[HB_TAG_SIZE])
{
	memcpy(bytes, "sealed", 6);
	assert_true(hb_seal_close(&key, sequence, header, sizeof(header), bytes, 6, tag));
}

static bool opens(const struct hb_seal_key *with, uint64_t sequence, const uint8_t *sealed,
		  const uint8_t *tag)
{
	uint8_t out[6];

	return hb_seal_open(with, sequence, header, sizeof(header), sealed, 6, tag, out) &&
	       memcmp(out, "sealed", 6) == 0;
}

/* The expected bytes come from another implementation of RFC 5869 and of AES-GCM. */
static void seals_to_the_known_bytes(void **state)
{
	static const uint8_t expected[6] = {0x87, 0xc6, 0xd8, 0xe8, 0xb3, 0x63};
	static const uint8_t expected_tag[HB_TAG_SIZE] = {
		0x7f, 0x93, 0x57, 0xa4, 0x09, 0xb1, 0xce, 0x64,
		0x6e, 0xa3, 0xb4, 0xf2, 0x79, 0x3c, 0x74, 0xd0,
	};
	uint8_t bytes[6], tag[HB_TAG_SIZE];

	(void)state;
	seal(7, bytes, tag);
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_memory_equal(tag, expected_tag, sizeof(expected_tag));
}

static void opens_what_it_sealed_in_any_order(void **state)
{
	uint8_t first[6], second[6], tag_first[HB_TAG_SIZE], tag_second[HB_TAG_SIZE];

	(void)state;
	seal(7, first, tag_first);
	seal(8, second, tag_second);
	assert_memory_not_equal(first, second, 6);
	assert_true(opens(&key, 8, second, tag_second));
	assert_true(opens(&key, 7, first, tag_first));
	seal(7, second, tag_second); /* sealing after opening, with the same key */
	assert_memory_equal(first, second, 6);
	assert_memory_equal(tag_first, tag_second, HB_TAG_SIZE);
}

static void any_changed_bit_is_noticed(void **state)
{
	uint8_t bytes[6], tag[HB_TAG_SIZE], changed_header[sizeof(header)], out[6];

	(void)state;
	seal(7, bytes, tag);
	for (unsigned bit = 0; bit < 8 * 6; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(opens(&key, 7, bytes, tag));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memcpy(changed_header, header, sizeof(header));
		changed_header[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(
			hb_seal_open(&key, 7, changed_header, sizeof(header), bytes, 6, tag, out));
	}
	for (unsigned bit = 0; bit < 8 * HB_TAG_SIZE; bit++) {
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(opens(&key, 7, bytes, tag));
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(opens(&key, 7, bytes, tag));
}

static void another_sequence_does_not_open_it(void **state)
{
	uint8_t bytes[6], tag[HB_TAG_SIZE];

	(void)state;
	seal(7, bytes, tag);
	assert_false(opens(&key, 8, bytes, tag));
	assert_false(opens(&key, 7 + (UINT64_C(1) << 32), bytes, tag));
	assert_false(opens(&key, 7 + (UINT64_C(1) << 63), bytes, tag));
}

static void each_sender_incarnation_and_cluster_has_its_own_key(void **state)
{
	uint8_t bytes[6], tag[HB_TAG_SIZE];
	struct hb_seal_key other;

	(void)state;
	seal(7, bytes, tag);
	assert_int_equal(hb_seal_init(&other), 0);
	assert_int_equal(hb_seal_derive(&other, cluster_key, 2, incarnation), 0);
	assert_true(opens(&other, 7, bytes, tag));
	assert_int_equal(hb_seal_derive(&other, cluster_key, 1, incarnation), 0);
	assert_false(opens(&other, 7, bytes, tag));
	assert_int_equal(hb_seal_derive(&other, cluster_key, 2, incarnation + 1), 0);
	assert_false(opens(&other, 7, bytes, tag));
	cluster_key[HB_KEY_SIZE - 1] ^= 1;
	assert_int_equal(hb_seal_derive(&other, cluster_key, 2, incarnation), 0);
	assert_false(opens(&other, 7, bytes, tag));
	hb_seal_fini(&other);
	assert_null(other.context);
	hb_seal_fini(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(seals_to_the_known_bytes),
		TEST(opens_what_it_sealed_in_any_order),
		TEST(any_changed_bit_is_noticed),
		TEST(another_sequence_does_not_open_it),
		TEST(each_sender_incarnation_and_cluster_has_its_own_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
