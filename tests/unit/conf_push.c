/* conf/push.c: what a seal is over, byte for byte: tests/lab/courier.py makes the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/push.h"

#define NONCE "0123456789abcdef0123456789abcdef"

/* FIPS 180-2: SHA-256 of "abc". */
static const uint8_t digest[CONF_DIGEST_SIZE] = {
	0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
	0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
	0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};
static uint8_t out[CONF_PUSH_SEALED_SIZE], other[CONF_PUSH_SEALED_SIZE];
static char longest[CONF_TEXT_MAX + 1];

static void test_nonce_node_digest_text(void **state)
{
	struct conf_push push = {NONCE, "beta", "abc", 3, "text", 4};
	const uint8_t *at = out;

	(void)state;
	assert_int_equal(conf_push_sealed(&push, out), 32 + 5 + 32 + 4);
	assert_memory_equal(at, NONCE, 32);
	assert_memory_equal(at + 32, "beta", 5);
	assert_memory_equal(at + 37, digest, 32);
	assert_memory_equal(at + 69, "text", 4);
}

static void test_another_node_or_another_view_is_another_one(void **state)
{
	struct conf_push push = {NONCE, "beta", "abc", 3, "text", 4};
	size_t size = conf_push_sealed(&push, out);

	(void)state;
	push.node = "bets";
	assert_int_equal(conf_push_sealed(&push, other), size);
	assert_memory_not_equal(out, other, size);
	push.node = "beta";
	push.shown = "abd";
	assert_int_equal(conf_push_sealed(&push, other), size);
	assert_memory_not_equal(out, other, size);
}

static void test_the_longest_one_fits_and_no_longer_one(void **state)
{
	char name[YOKE_NAME_SIZE];
	struct conf_push push = {NONCE, name, "", 0, longest, CONF_TEXT_MAX};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(conf_push_sealed(&push, out), CONF_PUSH_SEALED_SIZE);
	push.size++;
	assert_int_equal(conf_push_sealed(&push, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonce_node_digest_text),
		cmocka_unit_test(test_another_node_or_another_view_is_another_one),
		cmocka_unit_test(test_the_longest_one_fits_and_no_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
