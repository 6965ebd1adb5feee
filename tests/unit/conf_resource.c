/* conf/resource.c: the keys of each type of resource, every complaint, on its line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

static struct conf conf;
static struct conf_problems problems;

#define BEFORE                                                                                     \
	"cluster { name = c }\n"                                                                   \
	"node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }\n"                 \
	"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n"                 \
	"group g { exclusive = no resource r {\n"
#define AFTER "\n} }\n"

/* Parse a resource with these keys, from line 5 on. */
static int parse(const char *keys)
{
	char text[8192];

	assert_true(snprintf(text, sizeof(text), BEFORE "%s" AFTER, keys) < (int)sizeof(text));
	return conf_parse(text, "test", &conf, &problems);
}

static void expect_good(const char *keys)
{
	if (parse(keys) == 0 && problems.count == 0)
		return;
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
	fail_msg("refused: %s", keys);
}

/* Exactly one problem, on `line`. */
static void expect_error(const char *keys, int line, const char *part)
{
	if (parse(keys) == -1 && problems.count == 1 && problems.problem[0].line == line &&
	    strstr(problems.problem[0].text, part) != NULL)
		return;
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
	fail_msg("wanted line %d: %s\nin: %s", line, part, keys);
}

/* The words of a command, with '|' between them. */
static const char *joined(const char *command)
{
	static char text[CONF_COMMAND_SIZE];
	const char *word = NULL;
	size_t used = 0;

	text[0] = '\0';
	while ((word = conf_command_next(command, word)) != NULL)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 word == command ? "" : "|", word);
	return text;
}

static void test_program(void **state)
{
	const struct conf_resource *r = &conf.resource[0];

	(void)state;
	expect_good("type = script program = '/etc/init.d/x'");
	assert_int_equal(r->type, YOKE_RESOURCE_TYPE_SCRIPT);
	assert_string_equal(joined(r->start), "/etc/init.d/x|start");
	assert_string_equal(joined(r->stop), "/etc/init.d/x|stop");
	assert_string_equal(joined(r->status), "/etc/init.d/x|status");
	assert_string_equal(joined(r->monitor), "");
	assert_int_equal(r->start_timeout_ms, 60000);
	assert_int_equal(r->stop_timeout_ms, 60000);
	assert_int_equal(r->monitor_timeout_ms, 20000);
	assert_int_equal(r->monitor_interval_ms, 10000);
	assert_int_equal(r->monitor_failures, 2);
	assert_int_equal(r->restarts, 3);
	assert_int_equal(r->restart_window_ms, 3600000);
}

static void test_commands(void **state)
{
	const struct conf_resource *r = &conf.resource[0];

	(void)state;
	expect_good("type = script start = { '/a', 'b c', '-d' } stop = { '/e' } status = {'/f'}\n"
		    "monitor = { '/g', h } start_timeout_ms = 100 stop_timeout_ms = 3600000\n"
		    "monitor_timeout_ms = 101 monitor_interval_ms = 0 monitor_failures = 100\n"
		    "restarts = 0 restart_window_ms = 86400000");
	assert_string_equal(joined(r->start), "/a|b c|-d");
	assert_string_equal(joined(r->stop), "/e");
	assert_string_equal(joined(r->status), "/f");
	assert_string_equal(joined(r->monitor), "/g|h");
	assert_int_equal(r->start_timeout_ms, 100);
	assert_int_equal(r->stop_timeout_ms, 3600000);
	assert_int_equal(r->monitor_timeout_ms, 101);
	assert_int_equal(r->monitor_interval_ms, 0);
	assert_int_equal(r->monitor_failures, 100);
	assert_int_equal(r->restarts, 0);
	assert_int_equal(r->restart_window_ms, 86400000);
	/* A program does what no list says. */
	expect_good("type = script program = '/p' stop = { '/s', now }");
	assert_string_equal(joined(r->start), "/p|start");
	assert_string_equal(joined(r->stop), "/s|now");
}

static void test_address_keys(void **state)
{
	const struct conf_resource *r = &conf.resource[0];

	(void)state;
	expect_good("type = address interface = e address = '192.0.2.1/24'");
	assert_int_equal(r->restarts, 3);
	assert_int_equal(r->restart_window_ms, 3600000);
	assert_int_equal(r->monitor_interval_ms, 0);
	expect_good("type = address interface = e address = '192.0.2.1/24' restarts = 7\n"
		    "restart_window_ms = 1000");
	assert_int_equal(r->restarts, 7);
	assert_int_equal(r->restart_window_ms, 1000);
}

static void test_keys_of_the_other_type(void **state)
{
	static const char *const of_script[] = {
		"program = '/x'",         "start = { '/x' }",          "stop = { '/x' }",
		"status = { '/x' }",      "monitor = { '/x' }",        "start_timeout_ms = 1000",
		"stop_timeout_ms = 1000", "monitor_timeout_ms = 1000", "monitor_interval_ms = 1000",
		"monitor_failures = 1",
	};
	char keys[256];

	(void)state;
	for (size_t i = 0; i < sizeof(of_script) / sizeof(of_script[0]); i++) {
		snprintf(keys, sizeof(keys),
			 "type = address interface = e address = '192.0.2.1/24'\n%s", of_script[i]);
		expect_error(keys, 6, "is no key of type = address: remove it");
	}
	expect_error("type = script program = '/x'\naddress = '192.0.2.1/24'", 6,
		     "address is no key of type = script");
	expect_error("type = script program = '/x'\ninterface = e", 6,
		     "interface is no key of type = script");
}

static void test_bad_commands(void **state)
{
	static const char words[] = "type = script program = '/x'\nstart = { '/a'";
	char keys[1024];
	size_t used;

	(void)state;
	expect_error("type = script\nprogram = x", 6, "program = \"x\" is not the absolute path");
	expect_error("type = script\nprogram = '/'", 6, "is not the absolute path");
	expect_error("type = script program = '/x'\nstop = { x, y }", 6, "begin it with '/'");
	expect_error("type = script program = '/x'\nmonitor = { }", 4, "is an empty list");
	expect_error("type = script program = '/x'\nmonitor = { '/a', '' }", 6, "an empty word");
	expect_error("type = script\nprogram = '/x' start = { '/a',\n'' }", 7, "an empty word");
	expect_error("type = script start = { '/a' } stop = { '/b' }", 4,
		     "resource \"r\" has no status: add program = \"/PATH\" or status = {");
	used = (size_t)snprintf(keys, sizeof(keys), "%s", words);
	for (int i = 1; i < CONF_WORDS_MAX; i++)
		used += (size_t)snprintf(keys + used, sizeof(keys) - used, ", a");
	snprintf(keys + used, sizeof(keys) - used, " }");
	expect_good(keys);
	snprintf(keys + used, sizeof(keys) - used, ", a }");
	expect_error(keys, 6, "start is too long: at most 16 words of 511 bytes together");
	/* With its NUL, that of "/a" and the last one, 506 bytes just fit. */
	snprintf(keys, sizeof(keys), "%s, '%0507d' }", words, 0);
	expect_good(keys);
	snprintf(keys, sizeof(keys), "%s, '%0508d' }", words, 0);
	expect_error(keys, 6, "start is too long");
}

static void test_bad_numbers(void **state)
{
	static const char *const bad[] = {
		"start_timeout_ms = 99",    "start_timeout_ms = 3600001",
		"stop_timeout_ms = 0",      "monitor_timeout_ms = 99",
		"monitor_interval_ms = 99", "monitor_interval_ms = 3600001",
		"monitor_failures = 0",     "monitor_failures = 101",
		"monitor_window = 1",       "monitor_window = 33",
		"restarts = 101",           "restarts = x",
		"restart_window_ms = 999",  "restart_window_ms = 86400001",
	};
	char keys[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(keys, sizeof(keys), "type = script program = '/x'\n%s", bad[i]);
		expect_error(keys, 6, strchr(bad[i], 'x') != NULL ? "0..16" : "is out of range");
	}
}

static void test_window(void **state)
{
	(void)state;
	expect_error("type = script program = '/x' monitor_failures = 3\nmonitor_window = 3", 6,
		     "more than monitor_failures (3)");
	expect_good("type = script program = '/x' monitor_failures = 3 monitor_window = 4");
	assert_int_equal(conf.resource[0].monitor_window, 4);
}

static void test_all_at_once(void **state)
{
	(void)state;
	assert_int_equal(parse("type = script\nstart = { x }\nstop = { }\nmonitor_failures = 0\n"
			       "address = '192.0.2.1/24'"),
			 -1);
	assert_int_equal(problems.errors, 5); /* and there is no status */
}

static void test_type(void **state)
{
	(void)state;
	expect_error("type = disk\ninterface = e address = '192.0.2.1/24'", 5,
		     "write type = address or type = script");
	expect_error("interface = e address = '192.0.2.1/24'", 4,
		     "resource \"r\" has no type: write type = address or type = script");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program),      cmocka_unit_test(test_commands),
		cmocka_unit_test(test_address_keys), cmocka_unit_test(test_keys_of_the_other_type),
		cmocka_unit_test(test_bad_commands), cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_window),       cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
