/* Words, times and tables for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/text.h"

static struct tool_table table;

/* What print() writes, in memory that the next call reuses. */
static const char *printed(bool colour)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	memset(text, 0, sizeof(text));
	assert_non_null(out);
	tool_table_print(&table, colour, out);
	fclose(out);
	return text;
}

static void test_span(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{-1, "-"},
		{0, "0 s"},
		{999, "0 s"},
		{99999, "99 s"},
		{100000, "1 min"},
		{99 * 60000, "99 min"},
		{100 * 60000, "1 h"},
		{47 * 3600000LL, "47 h"},
		{48 * 3600000LL, "2 d"},
		{INT64_MAX, "106751991167 d"},
	};
	char text[TOOL_SPAN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tool_text_span(text, rows[i].ms);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_age(void **state)
{
	char text[TOOL_SPAN_SIZE];

	(void)state;
	tool_text_age(text, 0, 5000);
	assert_string_equal(text, "-");
	tool_text_age(text, 1000, 6500);
	assert_string_equal(text, "5 s");
	tool_text_age(text, 9000, 5000);
	assert_string_equal(text, "0 s");
}

static void test_rtt_and_permille(void **state)
{
	static const struct {
		uint32_t us;
		const char *text;
	} rows[] = {{0, "-"},
		    {1, "1 us"},
		    {999, "999 us"},
		    {1000, "1.0 ms"},
		    {9999, "9.9 ms"},
		    {10000, "10 ms"},
		    {4294967295u, "4294967 ms"}};
	char text[TOOL_SPAN_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tool_text_rtt(text, rows[i].us);
		assert_string_equal(text, rows[i].text);
	}
	tool_text_permille(text, 0);
	assert_string_equal(text, "0 %");
	tool_text_permille(text, 3);
	assert_string_equal(text, "0.3 %");
	tool_text_permille(text, 300);
	assert_string_equal(text, "30 %");
}

static void test_time(void **state)
{
	char text[TOOL_TIME_SIZE];

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	tool_text_time(text, 1800000000123);
	assert_string_equal(text, "2027-01-15 08:00:00.123");
	tool_text_time(text, -1);
	assert_string_equal(text, "-");
	tool_text_time(text, INT64_MAX); /* a year that does not fit */
	assert_true(strlen(text) < TOOL_TIME_SIZE);
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"status", "standby", "switch", "key"};

	(void)state;
	assert_string_equal(tool_text_nearest("statsu", names, 4), "status");
	assert_string_equal(tool_text_nearest("swtch", names, 4), "switch");
	assert_string_equal(tool_text_nearest("keys", names, 4), "key");
	assert_null(tool_text_nearest("frobnicate", names, 4));
	assert_null(tool_text_nearest("", names, 4));
	assert_null(tool_text_nearest("status", names, 0));
	assert_null(tool_text_nearest(
		"a-very-long-word-that-is-longer-than-any-name-could-be-at-all", names, 4));
}

static void test_width_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(tool_text_width(""), 0);
	assert_int_equal(tool_text_width("abc"), 3);
	assert_int_equal(tool_text_width("\xc3\xa4\xe2\x82\xac"), 2);
}

static void test_table_aligns(void **state)
{
	(void)state;
	tool_table_start(&table, "NAME|EMPTY|STATE");
	tool_table_row(&table);
	tool_table_cell(&table, 0, TOOL_BOLD, "\xc3\xa4lpha");
	tool_table_cell(&table, 2, TOOL_BAD, "lost");
	tool_table_row(&table);
	tool_table_cell(&table, 0, TOOL_PLAIN, "b");
	assert_string_equal(printed(false), "NAME   STATE\n"
					    "\xc3\xa4lpha  lost\n"
					    "b\n");
	assert_string_equal(printed(true), "\033[2mNAME\033[0m   \033[2mSTATE\033[0m\n"
					   "\033[1m\xc3\xa4lpha\033[0m  \033[1;31mlost\033[0m\n"
					   "b\n");
}

static void test_table_without_rows_prints_nothing(void **state)
{
	(void)state;
	tool_table_start(&table, "A|B");
	assert_string_equal(printed(false), "");
}

static void test_table_keeps_its_bounds(void **state)
{
	char long_text[3 * TOOL_CELL_SIZE];
	unsigned i;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	tool_table_start(&table, "1|2|3|4|5|6|7|8|9|10|11|12|13|14");
	assert_int_equal(table.columns, TOOL_COLUMNS_MAX);
	for (i = 0; i < TOOL_ROWS_MAX + 10; i++)
		tool_table_row(&table);
	assert_int_equal(table.rows, TOOL_ROWS_MAX);
	tool_table_cell(&table, TOOL_COLUMNS_MAX, TOOL_PLAIN, "outside");
	tool_table_cell(&table, 0, TOOL_PLAIN, long_text);
	assert_int_equal(strlen(table.cell[TOOL_ROWS_MAX - 1][0].text), TOOL_CELL_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_rtt_and_permille),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_width_counts_characters),
		cmocka_unit_test(test_table_aligns),
		cmocka_unit_test(test_table_without_rows_prints_nothing),
		cmocka_unit_test(test_table_keeps_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
