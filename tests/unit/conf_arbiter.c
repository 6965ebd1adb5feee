/* Arbiters in the configuration: what is read, what is refused, and that it prints as it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

static const char head[] =
	"cluster { name = \"c\" lease_ms = 3000 watchdog = \"/dev/watchdog\" watchdog_ms = 4000 }\n"
	"node a { path p { address = \"10.0.0.1\" } path q { address = \"10.1.0.1\" } }\n"
	"node b { path p { address = \"10.0.0.2\" } path q { address = \"10.1.0.2\" } }\n"
	"group g { resource r { type = address address = \"192.0.2.1/24\" interface = e } }\n";
static const char fence[] =
	"arbiter pdu { type = fence agent = fence_apc parameters = { \"ip=192.0.2.9\", \"port=1\" "
	"}\n"
	" secret_file = \"/etc/yoke/pdu\" level = 2 delay_ms = 0\n"
	" victim a { parameters = { \"plug=1\" } } victim b { parameters = { \"plug=2\" } } }\n";
static const char locks[] =
	"arbiter d { type = disk device = \"/dev/sdz1\" }\n"
	"arbiter w { type = witness address = \"fd00::7\" port = 5000 timeout_ms = 200 }\n"
	"arbiter p { type = ping addresses = { \"192.0.2.254\", \"fd00::1\" } test_ms = 0 }\n";

static struct conf conf, again;
static struct conf_problems problems;
static char text[65536];

static int parse(const char *more)
{
	snprintf(text, sizeof(text), "%s%s", head, more);
	return conf_parse(text, "test", &conf, &problems);
}

static void all_types_are_read(void **state)
{
	const struct conf_arbiter *a = conf.arbiter;
	char all[4096];

	(void)state;
	snprintf(all, sizeof(all), "%s%s", fence, locks);
	assert_int_equal(parse(all), 0);
	assert_int_equal(conf.arbiter_count, 4);
	assert_int_equal(conf.lease_ms, 3000);
	assert_string_equal(conf.watchdog, "/dev/watchdog");
	assert_int_equal(a[0].type, YOKE_ARBITER_TYPE_FENCE);
	assert_string_equal(a[0].agent, "/usr/sbin/fence_apc");
	assert_string_equal(a[0].parameters, "ip=192.0.2.9");
	assert_string_equal(conf_command_next(a[0].parameters, a[0].parameters), "port=1");
	assert_string_equal(a[0].node_parameters[1], "plug=2");
	assert_true(a[0].node[0] && a[0].node[1]);
	assert_int_equal(a[0].level, 2);
	assert_int_equal(a[0].delay_ms, 0);
	assert_int_equal(a[0].timeout_ms, 30000);
	assert_int_equal(a[1].test_ms, 60000);
	assert_int_equal(a[2].address[0].ss_family, AF_INET6);
	assert_int_equal(a[2].timeout_ms, 200);
	assert_int_equal(a[3].address_count, 2);
	assert_int_equal(a[3].test_ms, 0);
}

static void prints_as_it_reads(void **state)
{
	char all[4096], *printed = NULL;
	size_t size;
	FILE *out;

	(void)state;
	snprintf(all, sizeof(all), "%s%s", fence, locks);
	assert_int_equal(parse(all), 0);
	out = open_memstream(&printed, &size);
	conf_print(&conf, out);
	fclose(out);
	assert_int_equal(conf_parse(printed, "printed", &again, &problems), 0);
	conf_digest(&conf);
	conf_digest(&again);
	assert_memory_equal(conf.digest, again.digest, sizeof(conf.digest));
	assert_int_equal(again.arbiter_count, 4);
	assert_string_equal(again.arbiter[0].secret_file, "/etc/yoke/pdu");
	free(printed);
}

static void refused(const char *more, const char *why)
{
	assert_int_equal(parse(more), -1);
	for (unsigned i = 0; i < problems.count; i++)
		if (strstr(problems.problem[i].text, why) != NULL)
			return;
	fail_msg("'%s' is not said of: %s (but: %s)", why, more, problems.problem[0].text);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	refused("arbiter x { }", "write type");
	refused("arbiter x { type = oracle }", "write type");
	refused("arbiter x { type = disk }", "no device");
	refused("arbiter x { type = disk device = \"sdz\" }", "absolute");
	refused("arbiter x { type = witness }", "no address");
	refused("arbiter x { type = witness address = \"host.example\" }", "not looked up");
	refused("arbiter x { type = ping }", "addresses");
	refused("arbiter x { type = disk device = \"/d\" agent = fence_apc }", "no key of type");
	refused("arbiter x { type = fence agent = fence_apc }", "switch nobody off");
	refused("arbiter x { type = fence agent = fence_apc victim c { } }", "no node");
	refused("arbiter x { type = fence agent = fence_apc victim a { } }", "node \"b\" off");
	refused("arbiter x { type = fence agent = fence_apc parameters = { \"passwd=x\" } "
		"victim a { } victim b { } }",
		"is a secret");
	refused("arbiter x { type = fence agent = fence_apc parameters = { \"action=on\" } "
		"victim a { } victim b { } }",
		"remove action");
	refused("arbiter x { type = fence agent = fence_apc parameters = { \"verbose=1\" } "
		"victim a { } victim b { } }",
		"print its secrets");
	refused("arbiter x { type = disk device = \"/d\" }\narbiter x { type = disk device = "
		"\"/e\" }",
		"given twice");
	refused("cluster { dead_ms = 5000 lease_ms = 6000 }", "");
}

static void takeover_is_of_exclusive_groups(void **state)
{
	(void)state;
	assert_int_equal(parse("group h { takeover = unproven resource s { type = address "
			       "address = \"192.0.2.2/24\" interface = e } }"),
			 0);
	assert_true(conf.group[1].unproven);
	refused("group h { exclusive = no takeover = unproven resource s { type = address "
		"address = \"192.0.2.2/24\" interface = e } }",
		"is not exclusive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types_are_read),
		cmocka_unit_test(prints_as_it_reads),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(takeover_is_of_exclusive_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
