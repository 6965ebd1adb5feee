/* conf/arbiter.c, check_arbiter.c and bound.c: the keys of each type of arbiter, every complaint on
 * its line, what exclusive groups get from them, and how long that takes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "conf/conf.h"

static struct conf conf;
static struct conf_problems problems;

#define NODES                                                                                      \
	"node a { path p { address = 10.1.0.1 } path q { address = 'fd00::1' } }\n"                \
	"node b { path p { address = 10.1.0.2 } path q { address = 'fd00::2' } }\n"
#define RESOURCE "resource r { type = address interface = e address = '192.0.2.1/24' }\n"
#define SHARED "group g { exclusive = no " RESOURCE "}\n"
#define EXCLUSIVE "group g {\n" RESOURCE "}\n"
#define FENCE "arbiter f { type = fence agent = fence_x victim a {} victim b {} }\n"
#define DISK "arbiter d { type = disk device = '/d' }\n"
#define WITNESS "arbiter w { type = witness address = 192.0.2.7 }\n"

static int parse(const char *text)
{
	return conf_parse(text, "test", &conf, &problems);
}

static void dump(void)
{
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
}

static void expect_good(const char *text)
{
	if (parse(text) == 0 && problems.count == 0)
		return;
	dump();
	fail_msg("refused: %s", text);
}

/* Exactly one problem, on `line`, with `part` in its text. */
static void expect(const char *text, bool warning, int line, const char *part)
{
	if (parse(text) == (warning ? 0 : -1) && problems.count == 1 &&
	    problems.problem[0].line == line && problems.problem[0].warning == warning &&
	    strstr(problems.problem[0].text, part) != NULL)
		return;
	dump();
	fail_msg("wanted line %d: %s\nin: %s", line, part, text);
}

/* An arbiter "x" with these keys from line 5 on. */
static const char *with(const char *keys)
{
	static char text[4096];

	assert_true(snprintf(text, sizeof(text),
			     "cluster { name = c }\n" NODES "arbiter x {\n%s\n}\n" SHARED,
			     keys) < (int)sizeof(text));
	return text;
}

static void expect_error(const char *keys, int line, const char *part)
{
	expect(with(keys), false, line, part);
}

/* The words of a list, with '|' between them. */
static const char *joined(const char *list)
{
	static char text[CONF_COMMAND_SIZE];
	const char *word = NULL;
	size_t used = 0;

	text[0] = '\0';
	while ((word = conf_command_next(list, word)) != NULL)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 word == list ? "" : "|", word);
	return text;
}

static void test_fence(void **state)
{
	const struct conf_arbiter *x = &conf.arbiter[0];

	(void)state;
	expect_good(with("type = fence agent = fence_apc parameters = { 'ip=192.0.2.9', "
			 "'username=y' }\nsecret_file = /s victim b { parameters = 'plug=4' }\n"
			 "victim a {}"));
	assert_int_equal(conf.arbiter_count, 1);
	assert_string_equal(x->name, "x");
	assert_int_equal(x->type, YOKE_ARBITER_TYPE_FENCE);
	assert_int_equal(x->line, 4);
	assert_string_equal(x->agent, "/usr/sbin/fence_apc");
	assert_string_equal(joined(x->parameters), "ip=192.0.2.9|username=y");
	assert_string_equal(x->secret_file, "/s");
	assert_true(x->node[0] && x->node[1] && !x->node[2]);
	assert_string_equal(joined(x->node_parameters[0]), "");
	assert_string_equal(joined(x->node_parameters[1]), "plug=4");
	assert_int_equal(x->level, 1);
	assert_int_equal(x->delay_ms, 5000);
	assert_int_equal(x->retries, 1);
	assert_int_equal(x->timeout_ms, 30000);
	assert_int_equal(x->test_ms, 600000);
	expect_good(with("type = fence agent = /opt/f level = 9 delay_ms = 0 retries = 0\n"
			 "timeout_ms = 100 test_ms = 0 victim a {} victim b {}"));
	assert_string_equal(x->agent, "/opt/f");
	assert_int_equal(x->level, 9);
	assert_int_equal(x->delay_ms, 0);
	assert_int_equal(x->retries, 0);
	assert_int_equal(x->timeout_ms, 100);
	assert_int_equal(x->test_ms, 0);
}

static void test_locks_and_ping(void **state)
{
	const struct conf_arbiter *x = &conf.arbiter[0];
	const struct sockaddr_in *four = (const void *)&conf.arbiter[0].address[0];
	const struct sockaddr_in6 *six = (const void *)&conf.arbiter[0].address[1];

	(void)state;
	expect_good(with("type = disk device = /dev/disk/by-id/x"));
	assert_int_equal(x->type, YOKE_ARBITER_TYPE_DISK);
	assert_string_equal(x->device, "/dev/disk/by-id/x");
	assert_int_equal(x->timeout_ms, 1000);
	assert_int_equal(x->test_ms, 60000);
	assert_int_equal(x->level, 0);
	expect_good(with("type = witness address = 192.0.2.7"));
	assert_int_equal(x->type, YOKE_ARBITER_TYPE_WITNESS);
	assert_int_equal(x->address_count, 1);
	assert_int_equal(x->address_len[0], sizeof(*four));
	assert_int_equal(ntohs(four->sin_port), 4748);
	expect_good(with("type = witness port = 5000 address = 192.0.2.7"));
	assert_int_equal(ntohs(four->sin_port), 5000);
	expect_good(with("type = ping addresses = { 192.0.2.7, '2001:db8::7' }"));
	assert_int_equal(x->type, YOKE_ARBITER_TYPE_PING);
	assert_int_equal(x->address_count, 2);
	assert_int_equal(four->sin_port, 0);
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(x->timeout_ms, 1000);
	assert_int_equal(x->test_ms, 5000);
	expect_good(with("type = ping addresses = 192.0.2.7"));
	assert_int_equal(x->address_count, 1);
}

static void test_type(void **state)
{
	static const char advice[] = "write type = fence, disk, witness or ping";

	(void)state;
	expect_error("", 4, advice);
	expect_error("device = /x", 4, "arbiter \"x\" has no type");
	expect_error("type = scsi device = x", 5, "type = \"scsi\" is not known");
	expect_error("type = unknown", 5, advice);
	expect_error("type = disk device = /x\npower = 3", 6, "unknown key 'power' in arbiter");
}

static void test_keys_of_another_type(void **state)
{
	static const struct {
		const char *key, *type;
	} keys[] = {
		{"agent = fence_x", "disk device = /d"},
		{"parameters = 'a=b'", "disk device = /d"},
		{"secret_file = /s", "disk device = /d"},
		{"level = 1", "disk device = /d"},
		{"delay_ms = 1", "disk device = /d"},
		{"retries = 1", "witness address = 192.0.2.7"},
		{"victim a { }", "ping addresses = 192.0.2.7"},
		{"device = /d", "witness address = 192.0.2.7"},
		{"address = 192.0.2.7", "disk device = /d"},
		{"port = 4748", "ping addresses = 192.0.2.7"},
		{"addresses = 192.0.2.7", "witness address = 192.0.2.7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char text[128], part[64];

		snprintf(text, sizeof(text), "type = %s\n%s", keys[i].type, keys[i].key);
		snprintf(part, sizeof(part), "%.*s is no key of type = %.4s",
			 (int)strcspn(keys[i].key, " "), keys[i].key, keys[i].type);
		expect_error(text, 6, part);
	}
}

static void test_missing(void **state)
{
	(void)state;
	expect_error("type = fence victim a {} victim b {}", 4, "arbiter \"x\" has no agent");
	expect_error("type = fence agent = fence_x", 4, "has no victim: add victim \"NODE\"");
	expect_error("type = fence agent = fence_x victim b {}", 4,
		     "no fence arbiter can switch node \"a\" off: add victim \"a\"");
	expect_error("type = disk", 4, "arbiter \"x\" has no device");
	expect_error("type = witness", 4, "arbiter \"x\" has no address");
	expect_error("type = ping", 4, "arbiter \"x\" has no addresses");
	expect_error("type = ping\naddresses = {}", 4, "arbiter \"x\" has no addresses");
}

static void test_bad_values(void **state)
{
	static const char *const agents[] = {"apc", "fence_a/b", "fence_A", "./fence_x", "''"};

	(void)state;
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text), "type = fence victim a {} victim b {}\nagent = %s",
			 agents[i]);
		expect_error(text, 6, "write fence_NAME (it is in /usr/sbin/), or an absolute");
	}
	expect_error("type = disk\ndevice = sda1", 6, "device = \"sda1\" is not absolute");
	expect_error("type = fence agent = fence_x victim a {} victim b {}\nsecret_file = s", 6,
		     "secret_file = \"s\" is not absolute");
	expect_error("type = witness\naddress = witness.example", 6, "names are not looked up");
	expect_error("type = witness\naddress = 'fe80::1'", 6, "a link-local address");
	expect_error("type = witness address = 192.0.2.7\nport = 80", 6, "1024..65535");
	expect_error("type = ping addresses = {\n192.0.2.7,\ngate }", 7, "addresses = \"gate\"");
	expect_error("type = ping addresses = { 192.0.2.2, 192.0.2.2, 192.0.2.2, 192.0.2.2,\n"
		     "192.0.2.2, 192.0.2.2, 192.0.2.2, 192.0.2.2,\n192.0.2.2 }",
		     7, "too many addresses: at most 8");
}

static void test_bad_numbers(void **state)
{
	static const struct {
		const char *given, *range;
	} numbers[] = {
		{"level = 0", "1..9"},
		{"level = 10", "1..9"},
		{"delay_ms = 600001", "0..600000 ms"},
		{"retries = 101", "0..100"},
		{"timeout_ms = 99", "100..600000 ms"},
		{"timeout_ms = 600001", "100..600000 ms"},
		{"test_ms = 999", "1000..86400000 ms"},
		{"test_ms = 86400001", "1000..86400000 ms"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text),
			 "type = fence agent = fence_x victim a {} victim b {}\n%s",
			 numbers[i].given);
		expect_error(text, 6, numbers[i].range);
	}
}

static void expect_parameter_error(const char *word, const char *part)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "type = fence agent = fence_x victim a {} victim b {}\nparameters = { '%s' }",
		 word);
	expect_error(text, 6, part);
	snprintf(text, sizeof(text),
		 "type = fence agent = fence_x victim a {} victim b {\nparameters = { '%s' } }",
		 word);
	expect_error(text, 6, part);
}

static void test_parameters(void **state)
{
	static const char *const secrets[] = {"passwd",    "password",         "snmp_priv_passwd",
					      "PassWord",  "api-key",          "api_key",
					      "key",       "secret",           "token",
					      "community", "password_script_", "passphrase"};

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		char word[64];

		snprintf(word, sizeof(word), "%s=TopHush", secrets[i]);
		expect_parameter_error(word, "is a secret: put it into secret_file");
		assert_null(strstr(problems.problem[0].text, "TopHush"));
	}
	expect_parameter_error("action=off", "action is what yoke says");
	expect_parameter_error("option=off", "option is what yoke says");
	expect_parameter_error("verbose", "not name=value");
	expect_parameter_error("=x", "not name=value");
	expect_parameter_error("ip=", "not name=value");
	expect_parameter_error("i p=192.0.2.1", "not name=value");
	expect_parameter_error("", "parameters has an empty word");
	expect_error("type = fence agent = fence_x victim a {} victim b {}\nparameters = {}", 4,
		     "parameters is an empty list");
	expect_error("type = fence agent = fence_x victim a {} victim b {} parameters = {\n"
		     "'ip=1',\n'ipport=2', 'ip=1' }",
		     7, "parameters: ip is given twice");
	expect_error("type = fence agent = fence_x victim a {} parameters = { 'ip=1', 'plug=1' }\n"
		     "victim b { parameters = { 'plug=2' } }",
		     6, "parameters: plug is given twice");
	expect_good(with("type = fence agent = fence_x victim a {} victim b {} parameters = {\n"
			 "'passwd_script=/p', 'identity_file=/k', 'key_file=/k', "
			 "'port=1=2',\n'ipport=1', 'ip=1' }"));
}

static void test_victims(void **state)
{
	(void)state;
	expect_error("type = fence agent = fence_x victim a {} victim b {}\nvictim d {}", 6,
		     "arbiter \"x\": there is no node \"d\" to be its victim");
	expect_error("type = fence agent = fence_x victim a {} victim b {}\nvictim a {}", 6,
		     "arbiter \"x\" has victim \"a\" twice");
	assert_int_equal(parse(with("type = fence agent = fence_x victim a {} victim {}")), -1);
	/* One arbiter for each node will do. */
	expect_good("cluster { name = c }\n" NODES
		    "arbiter x { type = fence agent = fence_x victim a {} }\n"
		    "arbiter y { type = fence agent = fence_x victim b {} }\n" SHARED);
}

static void test_twice(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODES FENCE
	       "arbiter f { type = ping addresses = 192.0.2.8 }\n" SHARED,
	       false, 5, "arbiter \"f\" is given twice: the first is in line 4");
	expect("cluster { name = c }\n" NODES DISK WITNESS
	       "arbiter e { type = disk device = '/d' }\n" SHARED,
	       false, 6, "arbiter \"e\" is the same disk as \"d\" in line 4");
	expect("cluster { name = c }\n" NODES DISK WITNESS
	       "arbiter v { type = witness address = 192.0.2.7 }\n" SHARED,
	       false, 6, "arbiter \"v\" is the same witness as \"w\" in line 5");
	expect_good("cluster { name = c }\n" NODES DISK WITNESS
		    "arbiter v { type = witness address = 192.0.2.7 port = 4749 }\n" SHARED);
}

static void test_too_many(void **state)
{
	char text[4096] = "cluster { name = c }\n" NODES;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "arbiter p%u { type = ping addresses = 192.0.2.8 }\n", i);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), SHARED);
	expect(text, false, 12, "more than 8 arbiters");
}

static void test_none_of_us(void **state)
{
	(void)state;
	expect_error("type = witness address = 10.1.0.2", 4, "the address of the path in line 3");
	expect_error("type = witness address = 'fd00::1'", 4, "the address of the path in line 2");
	expect_error("type = ping addresses = { 192.0.2.9, 192.0.2.1 }", 4,
		     "the address of resource \"r\"");
}

static void test_lease(void **state)
{
#define LEASE(keys) "cluster { name = c\n" keys "\n}\n" NODES SHARED
	(void)state;
	expect_good(LEASE(""));
	assert_int_equal(conf.lease_ms, 2000);
	assert_int_equal(conf.watchdog_ms, 5000);
	assert_string_equal(conf.watchdog, "");
	expect_good(LEASE("dead_ms = 20"));
	assert_int_equal(conf.lease_ms, 1000);
	expect_good(LEASE("dead_ms = 21 lease_ms = 32 watchdog = /dev/watchdog watchdog_ms = "
			  "1000"));
	assert_int_equal(conf.lease_ms, 32);
	assert_string_equal(conf.watchdog, "/dev/watchdog");
	assert_int_equal(conf.watchdog_ms, 1000);
	expect(LEASE("dead_ms = 21 lease_ms = 31"), false, 2,
	       "lease_ms = 31 is too short for dead_ms = 21: at least dead_ms*3/2 = 32 ms");
	expect(LEASE("lease_ms = 600001"), false, 2, "is out of range: 30..600000 ms");
	expect(LEASE("dead_ms = 1 lease_ms = 30"), false, 2, "dead_ms = 1 is out of range");
	expect(LEASE("watchdog = watchdog"), false, 2, "watchdog = \"watchdog\" is not absolute");
	expect(LEASE("watchdog_ms = 999"), false, 2, "is out of range: 1000..255000 ms");
	expect(LEASE("watchdog_ms = 255001"), false, 2, "is out of range: 1000..255000 ms");
#undef LEASE
}

static void test_takeover(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODES FENCE "group g {\ntakeover = unproven\n" RESOURCE
	       "}\n",
	       true, 6, "group \"g\": takeover = unproven: when the nodes do not hear each other");
	assert_true(conf.group[0].exclusive && conf.group[0].unproven);
	expect_good("cluster { name = c }\n" NODES FENCE "group g {\ntakeover = proven\n" RESOURCE
		    "}\n");
	assert_false(conf.group[0].unproven);
	expect("cluster { name = c }\n" NODES FENCE "group g {\ntakeover = yes\n" RESOURCE "}\n",
	       false, 6, "takeover = \"yes\": write proven or unproven");
	expect("cluster { name = c }\n" NODES FENCE
	       "group g { exclusive = no\ntakeover = proven\n" RESOURCE "}\n",
	       false, 6, "takeover is no key of a group with exclusive = no");
	expect("cluster { name = c }\n" NODES FENCE
	       "group g {\nexclusive = often takeover = proven\n" RESOURCE "}\n",
	       false, 6, "exclusive = often");
}

/* What is said of an exclusive group depends on the arbiters. */
static void test_exclusive(void **state)
{
	static const char waits[] = "a failover waits for 'yoke confirm-down'";

	(void)state;
	expect("cluster { name = c }\n" NODES EXCLUSIVE, true, 4, waits);
	expect("cluster { name = c }\n" NODES
	       "arbiter p { type = ping addresses = 192.0.2.8 }\n" EXCLUSIVE,
	       true, 5, waits);
	expect("cluster { name = c }\n" NODES "group g234567890123456789012345678901 {\n" RESOURCE
	       "}\n",
	       true, 4, "if two owners do no harm"); /* not cut off */
	expect_good("cluster { name = c }\n" NODES FENCE EXCLUSIVE);
	expect_good("cluster { name = c watchdog = /w }\n" NODES DISK EXCLUSIVE);
	expect("cluster { name = c watchdog = /w }\n" NODES
	       "arbiter d { type = dsik device = '/d' }\n" EXCLUSIVE,
	       false, 4, "type = \"dsik\"");
}

static void test_no_watchdog(void **state)
{
	static const char cost[] = "a node whose stop hangs, or a machine that pauses longer than "
				   "its lease, may still run a group";

	(void)state;
	expect("\ncluster { name = c }\n" NODES DISK EXCLUSIVE, true, 2, cost);
	expect("cluster { name = c }\n" NODES WITNESS FENCE EXCLUSIVE, true, 1, cost);
	expect_good("cluster { name = c }\n" NODES DISK SHARED);
	expect("cluster { name = c }\n" NODES DISK "group g { takeover = unproven\n" RESOURCE "}\n",
	       true, 5, "takeover = unproven");
}

static void test_majority(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODES DISK FENCE WITNESS SHARED, true, 6,
	       "2 locks (disk, witness): a node needs 2 of them to go on alone");
	expect_good("cluster { name = c }\n" NODES DISK WITNESS
		    "arbiter e { type = disk device = /e }\n" SHARED);
	expect("cluster { name = c }\n" NODES DISK WITNESS "arbiter e { type = disk device = /e }\n"
	       "arbiter h { type = disk device = /h }\n" SHARED,
	       true, 7, "4 locks (disk, witness): a node needs 3 of them");
}

/* Two exclusive groups and one that is not; the stop of the second takes longest.  What a stop of
 * an engine that ended and was late leaves is waited for, too. */
#define GROUPS                                                                                     \
	"group g { nodes = { b, a }\n" RESOURCE "}\n"                                              \
	"group h { resource s { type = script program = /s start_timeout_ms = 700\n"               \
	"stop_timeout_ms = 2500 }\n"                                                               \
	"resource t { type = address interface = e address = '192.0.2.3/24' } }\n"                 \
	"group i { exclusive = no resource u { type = script program = /u } }\n"

static void test_stop_bound(void **state)
{
	(void)state;
	assert_int_equal(parse("cluster { name = c }\n" NODES DISK GROUPS), 0);
	assert_int_equal(conf_stop_bound_ms(&conf), 2500 + YOKE_GONE_MS + 2500 + CONF_ADDRESS_MS);
	expect_good("cluster { name = c watchdog = /w watchdog_ms = 1234 }\n" NODES DISK GROUPS);
	assert_int_equal(conf_stop_bound_ms(&conf), 1234);
	expect_good("cluster { name = c }\n" NODES DISK SHARED);
	assert_int_equal(conf_stop_bound_ms(&conf), 0);
}

static void test_bounds(void **state)
{
	struct conf_bound b;

	(void)state;
	expect_good("cluster { name = c watchdog = /w dead_ms = 800 lease_ms = 1550 }\n" NODES DISK
		    "arbiter f { type = fence agent = fence_x timeout_ms = 3000 victim a {} }\n"
		    "arbiter f2 { type = fence agent = fence_x timeout_ms = 2000 delay_ms = 100\n"
		    "victim b {} }\n"
		    "arbiter f3 { type = fence agent = fence_x timeout_ms = 4000 level = 2\n"
		    "delay_ms = 30 victim b {} }\n"
		    "arbiter f4 { type = fence agent = fence_x timeout_ms = 100 level = 2\n"
		    "delay_ms = 10 victim b {} }\n" GROUPS);
	b = conf_bound_silence(&conf, &conf.group[1]);
	assert_int_equal(b.detect_ms, 800);
	assert_int_equal(b.start_ms, 700 + CONF_ADDRESS_MS);
	assert_int_equal(b.total_ms, 800 + 1700);
	b = conf_bound_lease(&conf, &conf.group[1]);
	assert_int_equal(b.lease_ms, 1566); /* one percent more, rounded up */
	assert_int_equal(b.stop_ms, 5051);
	assert_int_equal(b.probe_ms, 200);
	assert_int_equal(b.total_ms, 800 + 1566 + 5051 + 200 + 1700);
	/* Nobody can have an address that it has not. */
	assert_int_equal(conf_bound_lease(&conf, &conf.group[2]).probe_ms, 0);
	/* Of node b: (100 + 2 * 2000) and (30 + 2 * 4000 + 2 * 100); of a: 5000 + 2 * 3000. */
	b = conf_bound_fence(&conf, &conf.group[0]);
	assert_int_equal(b.delay_ms, 130);
	assert_int_equal(b.fence_ms, 12200);
	assert_int_equal(b.total_ms, 800 + 130 + 12200 + 200 + CONF_ADDRESS_MS);
	assert_int_equal(b.wait_ms, 0);
	assert_int_equal(conf_locks(&conf), 1);
	assert_int_equal(conf_arbiters_of(&conf, YOKE_ARBITER_TYPE_FENCE), 4);
}

/* With more groups of programs than are started at once, the last one waits for the others. */
static void test_bound_of_many_groups(void **state)
{
	static char text[YOKE_STARTS_MAX * 200 + 500];
	size_t used;

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		used = (size_t)snprintf(text, sizeof(text),
					"cluster { name = c dead_ms = 800 }\n" NODES
					"group g { exclusive = no " RESOURCE "}\n");
		for (unsigned i = 0; i < YOKE_STARTS_MAX + more; i++)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used,
				"group h%u { exclusive = no resource s%u { type = script\n"
				"program = /s start_timeout_ms = 1000 } }\n",
				i, i);
		expect_good(text);
		assert_int_equal(conf_bound_silence(&conf, &conf.group[0]).wait_ms, 0);
		assert_int_equal(conf_bound_silence(&conf, &conf.group[1]).wait_ms, more * 1000);
		assert_int_equal(conf_bound_silence(&conf, &conf.group[1]).total_ms,
				 800 + more * 1000 + 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fence),       cmocka_unit_test(test_locks_and_ping),
		cmocka_unit_test(test_type),        cmocka_unit_test(test_keys_of_another_type),
		cmocka_unit_test(test_missing),     cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_numbers), cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_victims),     cmocka_unit_test(test_twice),
		cmocka_unit_test(test_too_many),    cmocka_unit_test(test_none_of_us),
		cmocka_unit_test(test_lease),       cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_exclusive),   cmocka_unit_test(test_no_watchdog),
		cmocka_unit_test(test_majority),    cmocka_unit_test(test_stop_bound),
		cmocka_unit_test(test_bounds),      cmocka_unit_test(test_bound_of_many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
