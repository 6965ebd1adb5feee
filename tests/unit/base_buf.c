/* The cursor: big-endian, bounded, and an overflow is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/buf.h"

static void what_is_put_is_got(void **state)
{
	uint8_t bytes[64];
	struct yoke_buf b;
	char text[8];

	(void)state;
	yoke_buf_init(&b, bytes, sizeof(bytes));
	yoke_buf_put_u8(&b, 0x12);
	yoke_buf_put_u16(&b, 0x3456);
	yoke_buf_put_u32(&b, 0x789abcde);
	yoke_buf_put_u64(&b, 0xf123456789abcdefu);
	yoke_buf_put_text(&b, "yoke");
	yoke_buf_put(&b, "xy", 2);
	assert_true(yoke_buf_ok(&b));
	assert_int_equal(b.used, 1 + 2 + 4 + 8 + 5 + 2);
	assert_int_equal(bytes[1], 0x34);
	assert_int_equal(bytes[3], 0x78);
	assert_int_equal(bytes[7], 0xf1);
	yoke_buf_init_read(&b, bytes, b.used);
	assert_int_equal(yoke_buf_get_u8(&b), 0x12);
	assert_int_equal(yoke_buf_get_u16(&b), 0x3456);
	assert_int_equal(yoke_buf_get_u32(&b), 0x789abcde);
	assert_true(yoke_buf_get_u64(&b) == 0xf123456789abcdefu);
	yoke_buf_get_text(&b, text, sizeof(text));
	assert_string_equal(text, "yoke");
	assert_int_equal(yoke_buf_left(&b), 2);
	yoke_buf_get(&b, text, 2);
	assert_memory_equal(text, "xy", 2);
	assert_true(yoke_buf_ok(&b));
}

static void an_overflow_is_remembered_and_writes_nothing(void **state)
{
	uint8_t bytes[6] = {9, 9, 9, 9, 9, 9};
	struct yoke_buf b;

	(void)state;
	yoke_buf_init(&b, bytes, 5);
	yoke_buf_put_u32(&b, 1);
	yoke_buf_put_u16(&b, 0x0707);
	assert_false(yoke_buf_ok(&b));
	yoke_buf_put_u8(&b, 7);
	assert_int_equal(bytes[4], 9);
	assert_int_equal(bytes[5], 9);
	assert_false(yoke_buf_ok(&b));
}

static void too_little_to_get_gives_zero(void **state)
{
	uint8_t bytes[3] = {1, 2, 3}, got[4] = {9, 9, 9, 9};
	struct yoke_buf b;
	char text[8] = "before";

	(void)state;
	yoke_buf_init_read(&b, bytes, sizeof(bytes));
	assert_int_equal(yoke_buf_get_u32(&b), 0);
	assert_false(yoke_buf_ok(&b));
	assert_int_equal(yoke_buf_get_u8(&b), 0);
	yoke_buf_get(&b, got, sizeof(got));
	assert_int_equal(got[0] | got[3], 0);
	yoke_buf_get_text(&b, text, sizeof(text));
	assert_string_equal(text, "");
}

static void a_text_that_does_not_fit_is_an_overflow(void **state)
{
	uint8_t bytes[16];
	struct yoke_buf b;
	char text[4];

	(void)state;
	yoke_buf_init(&b, bytes, sizeof(bytes));
	yoke_buf_put_text(&b, "four");
	yoke_buf_init_read(&b, bytes, b.used);
	yoke_buf_get_text(&b, text, sizeof(text));
	assert_false(yoke_buf_ok(&b));
	assert_int_equal(text[0], '\0');
	/* It says that it is longer than what is left. */
	bytes[0] = 200;
	yoke_buf_init_read(&b, bytes, 5);
	yoke_buf_get_text(&b, text, sizeof(text));
	assert_false(yoke_buf_ok(&b));
}

static void a_long_text_is_cut(void **state)
{
	uint8_t bytes[300];
	char text[301];
	struct yoke_buf b;

	(void)state;
	memset(text, 'a', 300);
	text[300] = '\0';
	yoke_buf_init(&b, bytes, sizeof(bytes));
	yoke_buf_put_text(&b, text);
	assert_true(yoke_buf_ok(&b));
	assert_int_equal(b.used, 256);
	assert_int_equal(bytes[0], 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(an_overflow_is_remembered_and_writes_nothing),
		cmocka_unit_test(too_little_to_get_gives_zero),
		cmocka_unit_test(a_text_that_does_not_fit_is_an_overflow),
		cmocka_unit_test(a_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
