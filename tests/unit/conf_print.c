/* conf/print.c and digest.c: printing and parsing gives the same conf; what changes the digest. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

static struct conf_problems problems;

static const char text[] =
	"cluster { name = c dead_ms = 900 key_file = '/k' state_dir = '/s' run_dir = '/r' user = "
	"u\n"
	"late_ms = 400 startup_ms = 0 conflict_ms = 1 refresh_ms = 2 operation_ms = 1003 retry_ms "
	"= "
	"1004\n"
	"lease_ms = 1800 watchdog = '/dev/w' watchdog_ms = 1005 }\n"
	"node a { path p { address = 10.1.0.1 port = 5000 interface = e1 } path q { role = "
	"public address = "
	"'fd00::1' interface = e2 multicast = 'ff15::07' }\n"
	"  path l { type = serial device = '/dev/t1' baud = 38400 rtscts = yes }\n"
	"  path q2 { type = disk device = '/dev/d' interval_ms = 210 } }\n"
	"node b { path l { type = serial device = '/dev/t2' baud = 38400 rtscts = yes }\n"
	"   path q2 { type = disk device = '/dev/d' interval_ms = 210 } path q { address = "
	"'fd00:0:0::2' interface = e2 "
	"multicast = 'ff15::7' role = public } path p { address = 10.1.0.2 } }\n"
	"group g { exclusive = no nodes = { b, a }\n"
	"  resource r { type = address address = '192.0.2.1/24' interface = e0 }\n"
	"  resource s { type = address address = '2001:db8::1/64' interface = e0 } }\n"
	"group h { exclusive = no resource t { type = address address = '192.0.2.2/32' interface = "
	"e3 restarts = 9 restart_window_ms = 1234 } }\n"
	"group i { exclusive = no\n"
	"  resource u { type = script program = '/u' monitor_interval_ms = 0 }\n"
	"  resource w { type = script start = { '/w1', 'a b', c } stop = { '/w2' } status = { "
	"'/w3' "
	"}\n"
	"    monitor = { '/w4', '-x' } start_timeout_ms = 101 stop_timeout_ms = 102 "
	"monitor_timeout_ms "
	"= 103\n"
	"    monitor_interval_ms = 104 monitor_failures = 5 monitor_window = 9 restarts = 6 "
	"restart_window_ms = 1007 "
	"} "
	"}\n"
	"group j { takeover = unproven\n"
	"  resource x { type = address address = '192.0.2.4/32' interface = e4 } }\n"
	"group k { resource y { type = address address = '192.0.2.5/32' interface = e4 } }\n"
	"arbiter f { type = fence agent = fence_apc parameters = { 'ip=192.0.2.9', 'lanplus=1' }\n"
	"  secret_file = '/f.secret' level = 2 delay_ms = 6 retries = 7 timeout_ms = 108\n"
	"  test_ms = 1009 victim b { parameters = { 'plug=4' } } victim a {} }\n"
	"arbiter d { type = disk device = '/dev/d' timeout_ms = 110 test_ms = 0 }\n"
	"arbiter w { type = witness address = '2001:db8::7' port = 4749 }\n"
	"arbiter p { type = ping addresses = { 192.0.2.11, '2001:db8::c' } }\n"
	"log { target = stderr debug = yes }\n"
	"snmp { enable = no set = yes user = v agentx = 'unix:/x' program = '/y' }\n";

/* The printed text, to be freed. */
static char *printed(const struct conf *conf)
{
	char *out_text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&out_text, &size);

	conf_print(conf, out);
	fclose(out);
	return out_text;
}

/* Lines are the only thing that printing does not keep. */
static void forget_lines(struct conf *conf)
{
	conf->line = (struct conf_lines){0};
	for (unsigned i = 0; i < YOKE_NODES_MAX; i++) {
		conf->node[i].line = 0;
		for (unsigned j = 0; j < YOKE_PATHS_MAX; j++)
			conf->node[i].endpoint[j].line = 0;
	}
	for (unsigned i = 0; i < YOKE_GROUPS_MAX; i++)
		conf->group[i].line = conf->group[i].exclusive_line = conf->group[i].takeover_line =
			0;
	for (unsigned i = 0; i < YOKE_ARBITERS_MAX; i++)
		conf->arbiter[i].line = 0;
	for (unsigned i = 0; i < YOKE_RESOURCES_MAX; i++)
		conf->resource[i].line = 0;
}

static void expect_round_trip(const char *given)
{
	static struct conf first, second;
	char *once, *twice;

	assert_int_equal(conf_parse(given, "t", &first, &problems), 0);
	once = printed(&first);
	if (conf_parse(once, "t", &second, &problems) != 0)
		fail_msg("line %d: %s in:\n%s", problems.problem[0].line, problems.problem[0].text,
			 once);
	twice = printed(&second);
	assert_string_equal(once, twice);
	conf_digest(&first);
	conf_digest(&second);
	assert_memory_equal(first.digest, second.digest, CONF_DIGEST_SIZE);
	forget_lines(&first);
	forget_lines(&second);
	assert_memory_equal(&first, &second, sizeof(first));
	free(once);
	free(twice);
}

static void test_round_trip(void **state)
{
	(void)state;
	expect_round_trip(text);
}

static void test_round_trip_of_samples(void **state)
{
	static const char *const files[] = {"conf/sample/yoke.conf", "conf/sample/minimal.conf",
					    "conf/sample/two-groups-ipv6.conf",
					    "conf/sample/pool.conf"};
	static struct conf conf;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *once;

		assert_int_equal(conf_load(files[i], &conf, &problems), 0);
		once = printed(&conf);
		expect_round_trip(once);
		free(once);
	}
}

/* Every key is printed, so that nothing has to be guessed. */
static const char *const every_key[] = {
	"name = \"c\"",
	"key_file = \"/k\"",
	"state_dir = \"/s\"",
	"run_dir = \"/r\"",
	"user = \"u\"",
	"interval_ms = 90",
	"late_ms = 400",
	"dead_ms = 900",
	"startup_ms = 0",
	"conflict_ms = 1",
	"refresh_ms = 2",
	"operation_ms = 1003",
	"retry_ms = 1004",
	"port = 5000",
	"interface = \"e1\"",
	"exclusive = no",
	"\"b\", \"a\"",
	"type = address",
	"\"192.0.2.1/24\"",
	"\"fd00::2\"",
	"target = stderr",
	"debug = yes",
	"enable = no",
	"set = yes",
	"restarts = 9",
	"restart_window_ms = 1234",
	"type = script",
	"start = { \"/u\", \"start\" }",
	"stop = { \"/u\", \"stop\" }",
	"status = { \"/u\", \"status\" }",
	"monitor_interval_ms = 0",
	"start = { \"/w1\", \"a b\", \"c\" }",
	"stop = { \"/w2\" }",
	"status = { \"/w3\" }",
	"monitor = { \"/w4\", \"-x\" }",
	"start_timeout_ms = 101",
	"stop_timeout_ms = 102",
	"monitor_timeout_ms = 103",
	"monitor_interval_ms = 104",
	"monitor_failures = 5",
	"restarts = 6",
	"restart_window_ms = 1007",
	"lease_ms = 1800",
	"watchdog = \"/dev/w\"",
	"watchdog_ms = 1005",
	"takeover = unproven",
	"takeover = proven",
	"type = fence",
	"agent = \"/usr/sbin/fence_apc\"",
	"\tparameters = { \"ip=192.0.2.9\", \"lanplus=1\" }",
	"secret_file = \"/f.secret\"",
	"level = 2",
	"delay_ms = 6",
	"retries = 7",
	"timeout_ms = 108",
	"test_ms = 1009",
	"\tvictim \"a\" {\n\t}\n\tvictim \"b\" {\n\t\tparameters = { \"plug=4\" }\n\t}\n",
	"type = disk",
	"device = \"/dev/d\"",
	"type = disk\n\t\tdevice = \"/dev/d\"\n\t\tinterval_ms = 210",
	"timeout_ms = 110",
	"test_ms = 0",
	"type = witness\n\taddress = \"2001:db8::7\"\n\tport = 4749",
	"test_ms = 60000",
	"interface = \"e2\"\n\t\tmulticast = \"ff15::7\"\n",
	"type = ping",
	"addresses = { \"192.0.2.11\", \"2001:db8::c\" }",
	"test_ms = 5000",
	"user = \"v\"",
	"agentx = \"unix:/x\"",
	"program = \"/y\"",
};

static void test_every_key(void **state)
{
	static struct conf conf;
	char *once;

	(void)state;
	assert_int_equal(conf_parse(text, "t", &conf, &problems), 0);
	once = printed(&conf);
	for (size_t i = 0; i < sizeof(every_key) / sizeof(every_key[0]); i++) {
		if (strstr(once, every_key[i]) == NULL)
			fail_msg("%s is not in:\n%s", every_key[i], once);
	}
	free(once);
}

static struct conf first, second;

/* Does the digest change when `from` becomes `to` in the text? */
static bool digest_changes(const char *from, const char *to)
{
	char changed[sizeof(text) + 256];
	const char *at = strstr(text, from);

	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to,
		 at + strlen(from));
	assert_int_equal(conf_parse(text, "t", &first, &problems), 0);
	if (conf_parse(changed, "t", &second, &problems) != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
	conf_digest(&first);
	conf_digest(&second);
	return memcmp(first.digest, second.digest, CONF_DIGEST_SIZE) != 0;
}

static void test_digest_ignores(void **state)
{
	(void)state;
	assert_false(digest_changes("cluster {", "# a comment\n\ncluster {"));
	assert_false(digest_changes("debug = yes", "debug = no"));
	assert_false(digest_changes("target = stderr", "target = syslog"));
	assert_false(digest_changes("set = yes", "set = no"));
	assert_false(digest_changes("enable = no", "enable = yes"));
	assert_false(digest_changes("agentx = 'unix:/x'", ""));
	assert_false(digest_changes("program = '/y'", ""));
	assert_false(digest_changes("key_file = '/k'", ""));
	assert_false(digest_changes("state_dir = '/s'", ""));
	assert_false(digest_changes("run_dir = '/r'", ""));
	assert_false(digest_changes("user = u", "user = w"));
	/* Which device resets a node is its own matter, that one does is not. */
	assert_false(digest_changes("watchdog = '/dev/w'", "watchdog = '/dev/v'"));
	/* Another way to write the same. */
	assert_false(digest_changes("agent = fence_apc", "agent = '/usr/sbin/fence_apc'"));
	assert_false(digest_changes("group k {", "group k { takeover = proven exclusive = yes"));
	assert_false(digest_changes("fd00:0:0::2", "fd00::2"));
	assert_false(digest_changes("dead_ms = 900", "interval_ms = 90 dead_ms = 900"));
	assert_false(digest_changes("group h { exclusive = no",
				    "group h { exclusive = no nodes = { a, b }"));
	assert_false(digest_changes("program = '/u'", "start = { '/u', start } program = '/u'"));
	assert_false(digest_changes("program = '/u'", "program = '/u' restarts = 3"));
}

static void test_digest_notices(void **state)
{
	(void)state;
	assert_true(digest_changes("name = c", "name = d"));
	assert_true(digest_changes("dead_ms = 900", "dead_ms = 901"));
	assert_true(digest_changes("dead_ms = 900", "dead_ms = 900 interval_ms = 91"));
	assert_true(digest_changes("late_ms = 400", "late_ms = 401"));
	assert_true(digest_changes("startup_ms = 0", "startup_ms = 1"));
	assert_true(digest_changes("conflict_ms = 1", "conflict_ms = 2"));
	assert_true(digest_changes("refresh_ms = 2", "refresh_ms = 3"));
	assert_true(digest_changes("operation_ms = 1003", "operation_ms = 1004"));
	assert_true(digest_changes("retry_ms = 1004", "retry_ms = 1005"));
	assert_true(digest_changes("10.1.0.2", "10.1.0.3"));
	assert_true(digest_changes("port = 5000", "port = 5001"));
	assert_true(digest_changes("interface = e1", "interface = e2"));
	assert_true(digest_changes("nodes = { b, a }", "nodes = { a, b }"));
	assert_true(digest_changes("group g", "group gg"));
	assert_true(digest_changes("resource r", "resource rr"));
	assert_true(digest_changes("192.0.2.1/24", "192.0.2.3/24"));
	assert_true(digest_changes("192.0.2.1/24", "192.0.2.1/25"));
	assert_true(digest_changes("interface = e3", "interface = e4"));
	assert_true(digest_changes("restarts = 9", "restarts = 8"));
	assert_true(digest_changes("restart_window_ms = 1234", "restart_window_ms = 1235"));
	assert_true(digest_changes("program = '/u'", "program = '/v'"));
	assert_true(digest_changes("'a b', c", "a, b, c"));
	assert_true(digest_changes("'/w2'", "'/w2', x"));
	assert_true(digest_changes("'/w3'", "'/w3', x"));
	assert_true(digest_changes("monitor = { '/w4', '-x' }", ""));
	assert_true(digest_changes("start_timeout_ms = 101", "start_timeout_ms = 100"));
	assert_true(digest_changes("stop_timeout_ms = 102", "stop_timeout_ms = 100"));
	assert_true(digest_changes("= 103", "= 100"));
	assert_true(digest_changes("monitor_interval_ms = 104", "monitor_interval_ms = 105"));
	assert_true(digest_changes("monitor_failures = 5", "monitor_failures = 6"));
	assert_true(digest_changes("monitor_window = 9", "monitor_window = 8"));
	assert_true(digest_changes("lease_ms = 1800", "lease_ms = 1801"));
	assert_true(digest_changes("watchdog = '/dev/w'", ""));
	assert_true(digest_changes("watchdog_ms = 1005", "watchdog_ms = 1006"));
	assert_true(digest_changes("takeover = unproven", ""));
	assert_true(digest_changes("arbiter f", "arbiter ff"));
	assert_true(digest_changes("fence_apc", "fence_apc_snmp"));
	assert_true(digest_changes("lanplus=1", "lanplus=2"));
	assert_true(digest_changes("plug=4", "plug=5"));
	assert_true(digest_changes("level = 2", "level = 3"));
	assert_true(digest_changes("delay_ms = 6", "delay_ms = 7"));
	assert_true(digest_changes("retries = 7", "retries = 8"));
	assert_true(digest_changes("timeout_ms = 108", "timeout_ms = 109"));
	assert_true(digest_changes("/dev/d", "/dev/e"));
	assert_true(digest_changes("test_ms = 0", "test_ms = 1000"));
	assert_true(digest_changes("2001:db8::7", "2001:db8::8"));
	assert_true(digest_changes("4749", "4750"));
	assert_true(digest_changes("192.0.2.11", "192.0.2.12"));
}

/* Exactly these parts differ; group: index + 1 of the only one, 0: none. */
static void expect_parts(bool cluster, bool nodes, bool paths, bool arbiters, unsigned group)
{
	assert_int_equal(first.cluster_digest != second.cluster_digest, cluster);
	assert_int_equal(first.nodes_digest != second.nodes_digest, nodes);
	assert_int_equal(first.paths_digest != second.paths_digest, paths);
	assert_int_equal(first.arbiters_digest != second.arbiters_digest, arbiters);
	for (unsigned g = 0; g < first.group_count; g++)
		assert_int_equal(first.group_digest[g] != second.group_digest[g], g + 1 == group);
}

static void test_part_that_differs(void **state)
{
	(void)state;
	assert_true(digest_changes("dead_ms = 900", "dead_ms = 901"));
	expect_parts(true, false, false, false, 0);
	assert_true(digest_changes("fd00:0:0::2", "fd00:0:0::3"));
	expect_parts(false, false, true, false, 0);
	assert_true(digest_changes("4749", "4750"));
	expect_parts(false, false, false, true, 0);
	assert_true(digest_changes("group h { exclusive = no", "group h { exclusive = yes"));
	expect_parts(false, false, false, false, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_round_trip_of_samples),
		cmocka_unit_test(test_every_key),      cmocka_unit_test(test_digest_ignores),
		cmocka_unit_test(test_digest_notices), cmocka_unit_test(test_part_that_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
