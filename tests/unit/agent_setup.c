/* agent/setup.c: what of the configuration reaches the core and the names, where it is not simply
 * copied. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/engine.h"

static struct conf conf;
static struct core_conf core;

#define NODES                                                                                      \
	"node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 role = public }\n"     \
	"  path l { type = serial device = '/dev/a' baud = 19200 }\n"                              \
	"  path d { type = disk device = '/d' } }\n"                                               \
	"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 role = public }\n"     \
	"  path l { type = serial device = '/dev/b' baud = 19200 }\n"                              \
	"  path d { type = disk device = '/d' } }\n"
#define GROUPS                                                                                     \
	"group g { takeover = unproven\n"                                                          \
	"resource r { type = address interface = e address = '192.0.2.1/24' }\n"                   \
	"resource s { type = script program = '/s' start_timeout_ms = 101 stop_timeout_ms = 102 "  \
	"} }\n"                                                                                    \
	"group h { resource t { type = address interface = e address = '192.0.2.2/24' } }\n"
#define ARBITERS                                                                                   \
	"arbiter d { type = disk device = /d timeout_ms = 701 test_ms = 2002 }\n"                  \
	"arbiter f { type = fence agent = fence_x level = 2 delay_ms = 33 retries = 4\n"           \
	"victim b {} }\n"                                                                          \
	"arbiter k { type = fence agent = fence_x victim a {} }\n"

static void setup(const char *cluster)
{
	static struct conf_problems problems;
	char text[2048];

	snprintf(text, sizeof(text), "cluster { name = c %s }\n" NODES GROUPS ARBITERS, cluster);
	if (conf_parse(text, "t", &conf, &problems) != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
	agent_setup_core(&conf, 1, 7, &core);
}

static void test_arbiters(void **state)
{
	struct yoke_names names;

	(void)state;
	setup("");
	assert_int_equal(core.arbiter_count, 3);
	assert_string_equal(core.arbiter[0].name, "d");
	assert_int_equal(core.arbiter[0].type, YOKE_ARBITER_TYPE_DISK);
	assert_int_equal(core.arbiter[0].timeout_ms, 701);
	assert_int_equal(core.arbiter[0].test_ms, 2002);
	assert_int_equal(core.arbiter[1].type, YOKE_ARBITER_TYPE_FENCE);
	assert_false(core.arbiter[1].node[0]);
	assert_true(core.arbiter[1].node[1]);
	assert_int_equal(core.arbiter[1].level, 2);
	assert_int_equal(core.arbiter[1].delay_ms, 33);
	assert_int_equal(core.arbiter[1].retries, 4);
	assert_true(core.arbiter[2].node[0]);
	agent_setup_names(&conf, &names);
	assert_int_equal(names.arbiter_count, 3);
	assert_string_equal(names.arbiter[2], "k");
}

/* hb goes by a line's rate, and by the times that it allows. */
static void test_lines(void **state)
{
	static const struct hb_keys keys = {.count = 2, .key = {{.id = 8}, {.id = 9}}};
	static struct hb_conf hb;

	(void)state;
	setup("");
	agent_setup_hb(&conf, 1, 7, &keys, &hb);
	assert_memory_equal(&hb.keys, &keys, sizeof(keys));
	assert_int_equal(hb.interval_us, 100000);
	assert_int_equal(hb.line[0].baud, 0);
	assert_int_equal(hb.line[2].baud, 19200);
	assert_int_equal(hb.line[2].interval_us, 200000);
	assert_int_equal(hb.line[2].late_us, 500000);
	assert_true(hb.endpoint[1][2].configured);
	assert_int_equal(hb.post[2].interval_us, 0);
	assert_int_equal(hb.line[3].baud, 0);
	assert_int_equal(hb.post[3].interval_us, 200000);
	assert_int_equal(hb.post[3].late_us, 500000);
	assert_false(hb.is_public[0] || hb.is_public[2]);
	assert_true(hb.is_public[1]);
	assert_int_equal(hb.slow_us, 1000000);
	setup("dead_ms = 1000 late_ms = 300");
	agent_setup_hb(&conf, 1, 7, &keys, &hb);
	assert_int_equal(hb.late_us, 300000);
	assert_int_equal(hb.line[2].late_us, 500000);
}

/* The core knows a watchdog by its time alone. */
static void test_lease(void **state)
{
	(void)state;
	setup("lease_ms = 1700");
	assert_int_equal(core.lease_ms, 1700);
	assert_int_equal(core.watchdog_ms, 0);
	assert_true(core.group[0].unproven);
	assert_false(core.group[1].unproven);
	setup("watchdog = /w watchdog_ms = 1234");
	assert_int_equal(core.watchdog_ms, 1234);
}

/* An address is the kernel's work: a survivor must not wait an operation's time for its stop. */
static void test_bounds_of_resources(void **state)
{
	(void)state;
	setup("operation_ms = 30000");
	assert_int_equal(core.resource[0].start_ms, CONF_ADDRESS_MS);
	assert_int_equal(core.resource[0].stop_ms, CONF_ADDRESS_MS);
	assert_int_equal(core.resource[1].start_ms, 101);
	assert_int_equal(core.resource[1].stop_ms, 102);
	assert_int_equal(core_stop_bound_ms(&core), conf_stop_bound_ms(&conf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arbiters),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_bounds_of_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
