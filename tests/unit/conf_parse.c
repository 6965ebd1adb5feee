/* conf/parse.c with scan.c, value.c and problem.c: from text to struct, and every complaint of a
 * single value, on its line.  The rules over several keys are in conf_check.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "conf/conf.h"

static struct conf conf;
static struct conf_problems problems;

/* The members that a good file needs, from line 1 or 2 on, and no warning. */
#define TWO_NODES                                                                                  \
	"node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }\n"                 \
	"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n"
#define GROUP                                                                                      \
	"group g { exclusive = no resource r { type = address address = '192.0.2.1/24' "           \
	"interface = eth0 } }\n"

/* Parse, and expect exactly one problem: an error on `line` with `part` in its text. */
static void expect_error(const char *text, int line, const char *part)
{
	int result = conf_parse(text, "test", &conf, &problems);

	if (result != -1 || problems.errors != 1 || problems.problem[0].line != line ||
	    strstr(problems.problem[0].text, part) == NULL || problems.count != 1) {
		for (unsigned i = 0; i < problems.count; i++)
			print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
		fail_msg("wanted line %d: %s\nin: %s", line, part, text);
	}
}

static void expect_good(const char *text)
{
	if (conf_parse(text, "test", &conf, &problems) == 0 && problems.count == 0)
		return;
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
	fail_msg("refused: %s", text);
}

/* A file with one key of the cluster section on line 2. */
static void expect_cluster_error(const char *key, const char *part)
{
	char text[1024];

	snprintf(text, sizeof(text), "cluster { name = c\n%s\n}\n" TWO_NODES GROUP, key);
	expect_error(text, 2, part);
}

/* A file whose node a has one more key in its path p, on line 3. */
static void expect_path_error(const char *key, const char *part)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "cluster { name = c }\nnode a { path p {\n%s\n} path q { address = 10.2.0.1 } }\n"
		 "node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n" GROUP,
		 key);
	expect_error(text, 3, part);
}

/* A file whose resource has these keys on line 5. */
static void expect_resource_error(const char *keys, const char *part)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "cluster { name = c }\n" TWO_NODES
		 "group g { exclusive = no resource r {\n%s\n} }\n",
		 keys);
	expect_error(text, 5, part);
}

static void test_example(void **state)
{
	const struct sockaddr_in6 *six = (void *)&conf.node[1].endpoint[1].address;

	(void)state;
	expect_good("cluster {\n name = \"demo\" dead_ms = 500\n}\n"
		    "node \"alpha\" {\n"
		    " path \"red\" { address = \"10.1.0.1\" port = 5000 interface = \"eth1\" }\n"
		    " path \"blue\" { address = \"fd00::1\" } }\n"
		    "node \"beta\" { path \"blue\" { address = \"fd00::2\" }\n"
		    " path \"red\" { address = \"10.1.0.2\" } }\n"
		    "group \"web\" { exclusive = no nodes = { \"beta\", \"alpha\" }\n"
		    " resource \"ip\" { type = address address = \"192.0.2.10/24\" interface = e0 "
		    "}\n}\n"
		    "log { target = stderr debug = yes }\n"
		    "snmp { enable = no set = yes user = x agentx = \"tcp:localhost:705\" }\n");
	assert_string_equal(conf.cluster, "demo");
	assert_int_equal(conf.dead_ms, 500);
	assert_int_equal(conf.interval_ms, 50);
	assert_int_equal(conf.late_ms, 250);
	assert_int_equal(conf.startup_ms, 3000);
	assert_int_equal(conf.node_count, 2);
	assert_int_equal(conf.path_count, 2);
	assert_string_equal(conf.path[0], "red");
	assert_int_equal(ntohs(((struct sockaddr_in *)&conf.node[0].endpoint[0].address)->sin_port),
			 5000);
	assert_string_equal(conf.node[0].endpoint[0].interface, "eth1");
	assert_int_equal(conf.node[1].endpoint[0].line, 8);
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(six->sin6_port, htons(4747));
	assert_int_equal(six->sin6_addr.s6_addr[15], 2);
	assert_int_equal(conf.node[1].line, 7);
	assert_int_equal(conf.group_count, 1);
	assert_false(conf.group[0].exclusive);
	assert_int_equal(conf.group[0].node_count, 2);
	assert_int_equal(conf.group[0].node[0], 1);
	assert_int_equal(conf.resource_count, 1);
	assert_int_equal(conf.resource[0].line, 10);
	assert_int_equal(conf.resource[0].family, AF_INET);
	assert_memory_equal(conf.resource[0].address, "\300\0\2\12", 4);
	assert_int_equal(conf.resource[0].prefix_len, 24);
	assert_false(conf.log_syslog);
	assert_true(conf.log_debug);
	assert_false(conf.snmp);
	assert_true(conf.snmp_set);
	assert_string_equal(conf.snmp_user, "x");
	assert_string_equal(conf.snmp_agentx, "tcp:localhost:705");
	assert_string_equal(conf.snmp_program, "");
}

static void test_defaults(void **state)
{
	(void)state;
	expect_good("cluster { name = c }\n" TWO_NODES GROUP);
	assert_string_equal(conf.key_file, "/etc/yoke/cluster.key");
	assert_string_equal(conf.state_dir, "/var/lib/yoke");
	assert_string_equal(conf.run_dir, "/run/yoke");
	assert_string_equal(conf.user, "yoke");
	assert_int_equal(conf.dead_ms, 1000);
	assert_int_equal(conf.interval_ms, 100);
	assert_int_equal(conf.late_ms, 500);
	assert_int_equal(conf.startup_ms, 3000);
	assert_int_equal(conf.conflict_ms, 200);
	assert_int_equal(conf.refresh_ms, 60000);
	assert_int_equal(conf.operation_ms, 30000);
	assert_int_equal(conf.retry_ms, 60000);
	assert_true(conf.log_syslog);
	assert_false(conf.log_debug);
	assert_true(conf.snmp);
	assert_false(conf.snmp_set);
	assert_string_equal(conf.snmp_user, "yoke-snmp");
	assert_string_equal(conf.snmp_agentx, "/var/agentx/master");
	assert_int_equal(conf.group[0].node_count, 2);
	assert_int_equal(conf.group[0].node[1], 1);
	expect_good("cluster { name = c dead_ms = 2000 }\n" TWO_NODES GROUP);
	assert_int_equal(conf.startup_ms, 6000);
}

static void test_samples(void **state)
{
	static const char *const files[] = {"conf/sample/yoke.conf", "conf/sample/minimal.conf",
					    "conf/sample/two-groups-ipv6.conf",
					    "conf/sample/pool.conf"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (conf_load(files[i], &conf, &problems) != 0 || problems.count != 0)
			fail_msg("%s: line %d: %s", files[i], problems.problem[0].line,
				 problems.problem[0].text);
	}
}

/* The fully commented sample shows the defaults: without those keys nothing changes. */
static void test_sample_shows_defaults(void **state)
{
	static struct conf shown, plain;

	(void)state;
	assert_int_equal(conf_load("conf/sample/yoke.conf", &shown, &problems), 0);
	assert_int_equal(
		conf_parse("cluster { name = demo }\n" TWO_NODES GROUP, "t", &plain, &problems), 0);
	assert_memory_equal(shown.key_file, plain.key_file,
			    offsetof(struct conf, node) - offsetof(struct conf, key_file));
}

static void expect_number_error(const char *key, long value, const char *range)
{
	char given[64], part[128];

	snprintf(given, sizeof(given), "%s = %ld", key, value);
	snprintf(part, sizeof(part), "%s is out of range: %s", given, range);
	expect_cluster_error(given, part);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *key, *range;
		unsigned min, max;
	} keys[] = {
		{"dead_ms", "20..60000 ms", 20, 60000},
		{"interval_ms", "1..20000 ms", 1, 20000},
		{"late_ms", "1..60000 ms", 1, 60000},
		{"startup_ms", "0..600000 ms", 0, 600000},
		{"conflict_ms", "0..5000 ms", 0, 5000},
		{"refresh_ms", "0..3600000 ms", 0, 3600000},
		{"operation_ms", "1000..600000 ms", 1000, 600000},
		{"retry_ms", "1000..86400000 ms", 1000, 86400000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		expect_number_error(keys[i].key, (long)keys[i].max + 1, keys[i].range);
		expect_number_error(keys[i].key, -(long)keys[i].min - 1, keys[i].range);
		if (keys[i].min > 0)
			expect_number_error(keys[i].key, (long)keys[i].min - 1, keys[i].range);
	}
	expect_cluster_error("dead_ms = 5", "dead_ms = 5 is out of range: 20..60000 ms");
	expect_cluster_error("dead_ms = 18446744073709552616", "is out of range: 20..60000 ms");
	expect_cluster_error("dead_ms = 4294967396", "is out of range: 20..60000 ms");
	expect_cluster_error("dead_ms = 1s", "dead_ms = 1s is not a whole number of 20..60000 ms");
	expect_cluster_error("dead_ms = 1.5", "is not a whole number");
	expect_cluster_error("dead_ms = ''", "is not a whole number");
	expect_cluster_error("dead_ms = -", "is not a whole number");
	expect_cluster_error("dead_ms = yes", "is not a whole number");
	expect_cluster_error("dead_ms = 0x64", "is not a whole number");
	expect_good(
		"cluster { name = c retry_ms = 86400000 refresh_ms = 0 dead_ms = 20 }\n" TWO_NODES
			GROUP);
	assert_int_equal(conf.retry_ms, 86400000);
	assert_int_equal(conf.interval_ms, 2);
}

static void test_names(void **state)
{
	(void)state;
	expect_good("cluster { name = 'A.z_9-bcdefghijklmnopqrstuvwxyz' }\n" TWO_NODES GROUP);
	expect_error("cluster {\nname = 'A.z_9-bcdefghijklmnopqrstuvwxyz1' }\n" TWO_NODES GROUP, 2,
		     "is too long: at most 31 characters");
	expect_error("cluster { name = ''\n}\n" TWO_NODES GROUP, 1,
		     "name of this cluster is empty");
	expect_error("cluster { name = 'a b'\n}\n" TWO_NODES GROUP, 1, "A-Z a-z 0-9 . _ -");
	expect_error("cluster { name = '-a'\n}\n" TWO_NODES GROUP, 1, "not begin with '-'");
	expect_error(
		"cluster { name = c }\nnode 'a/' { path p { address = 10.1.0.1 } path q { address "
		"= "
		"10.2.0.1 } }\n"
		"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n" GROUP,
		2, "the node name \"a/\"");
	expect_error("cluster { name = c }\n" TWO_NODES
		     "group 'g:' { exclusive = no resource r { type = address address = "
		     "'192.0.2.1/24' interface = eth0 } }\n",
		     4, "the group name \"g:\"");
	expect_error("cluster { name = c }\n" TWO_NODES
		     "group g { exclusive = no\nresource 'r*' { type = "
		     "address address = '192.0.2.1/24' interface = eth0 } }\n",
		     5, "the resource name \"r*\"");
	expect_cluster_error("user = 'a b'", "the user name");
}

static void test_files(void **state)
{
	char key[256], name[128];

	(void)state;
	expect_cluster_error("key_file = etc/key", "is not absolute");
	expect_cluster_error("state_dir = ''", "is not absolute");
	memset(name, 'x', sizeof(name));
	snprintf(key, sizeof(key), "key_file = /%.107s", name);
	expect_cluster_error(key, "is too long: at most 107 bytes");
	snprintf(key, sizeof(key), "run_dir = /%.97s", name);
	expect_cluster_error(key, "is too long: at most 97 bytes");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "snmp { agentx = localhost:705 }\n",
		     5, "is not absolute");
}

static void test_words(void **state)
{
	(void)state;
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log {\ntarget = file }\n", 6,
		     "write syslog or stderr");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log {\ndebug = maybe }\n", 6,
		     "debug = maybe: write yes or no");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "snmp { set = 1 }\n", 5,
		     "set = 1: write yes or no");
	expect_error("cluster { name = c }\n" TWO_NODES
		     "group g { exclusive = perhaps\nresource r { type = address address = "
		     "'192.0.2.1/24' interface = eth0 } }\n",
		     4, "exclusive = perhaps: write yes or no");
}

static void test_path_addresses(void **state)
{
	(void)state;
	expect_path_error("address = 10.1.0.300", "is not an IPv4 or IPv6 address");
	expect_path_error("address = alpha.example", "host names are not looked up");
	expect_path_error("address = 'fe80::1%eth0'", "write the interface as");
	expect_path_error("address = 0.0.0.0", "not the address of a machine");
	expect_path_error("address = '::'", "not the address of a machine");
	expect_path_error("address = 224.0.0.18", "multicast");
	expect_path_error("address = 255.255.255.255", "multicast, reserved or broadcast");
	expect_path_error("address = 'ff02::1'", "multicast");
	expect_path_error("address = '::ffff:10.1.0.1'", "write it as IPv4");
	expect_path_error("address = 10.1.0.1 port = 1023",
			  "port = 1023 is out of range: 1024..65535");
	expect_path_error("address = 10.1.0.1 port = 65536", "1024..65535");
	expect_path_error("address = 10.1.0.1 interface = 'a/b'", "is no interface name");
	expect_path_error("address = 10.1.0.1 interface = sixteen-letters-", "1..15 characters");
	expect_path_error("address = 10.1.0.1 interface = ''", "is no interface name");
	expect_error(
		"cluster { name = c }\nnode a {\npath p { } path q { address = 10.2.0.1 } }\n"
		"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n" GROUP,
		3, "path \"p\" has no address");
}

static void test_resources(void **state)
{
	(void)state;
	expect_resource_error("type = address interface = e address = 192.0.2.1", "needs a prefix");
	expect_resource_error("type = address interface = e address = 192.0.2.1/0", "1..32 bits");
	expect_resource_error("type = address interface = e address = 192.0.2.1/33", "1..32 bits");
	expect_resource_error("type = address interface = e address = 192.0.2.1/", "1..32 bits");
	expect_resource_error("type = address interface = e address = 192.0.2.1/24x", "1..32 bits");
	expect_resource_error("type = address interface = e address = 192.0.2.1/4294967320",
			      "1..32");
	expect_resource_error("type = address interface = e address = fd00::1/129", "1..128 bits");
	expect_resource_error("type = address interface = e address = 192.0.2/24",
			      "is not an IPv4");
	expect_resource_error("type = address interface = e address = 192.0.2.0/24",
			      "network's own");
	expect_resource_error("type = address interface = e address = 192.0.2.255/24", "broadcast");
	expect_resource_error("type = address interface = e address = fd00::/64", "network's own");
	expect_resource_error("type = address interface = e address = 127.0.0.2/8", "loopback");
	expect_resource_error("type = address interface = e address = ff02::1/64", "multicast");
	expect_resource_error("type = disk interface = e address = 192.0.2.1/24", "type = address");
	expect_resource_error("type = address interface = 'e:0' address = 192.0.2.1/24",
			      "is no interface name");
}

static void test_missing_in_resource(void **state)
{
	(void)state;
	expect_error("cluster { name = c }\n" TWO_NODES
		     "group g { exclusive = no\nresource r {\n type = "
		     "address address = '192.0.2.1/24' } }\n",
		     5, "has no interface");
	expect_error("cluster { name = c }\n" TWO_NODES
		     "group g { exclusive = no\nresource r {\n type = "
		     "address interface = e } }\n",
		     5, "has no address");
	expect_error("cluster { name = c }\n" TWO_NODES "group g { exclusive = no\nresource r {\n "
		     "address = '192.0.2.1/24' interface = e } }\n",
		     5, "has no type");
}

static void test_group_nodes(void **state)
{
	static const char resource[] =
		"resource r { type = address address = '192.0.2.1/24' interface = e } }\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 "cluster { name = c }\n" TWO_NODES
		 "group g { exclusive = no\nnodes = { a, zed } %s",
		 resource);
	/* One node is left, which earns a warning. */
	assert_int_equal(conf_parse(text, "t", &conf, &problems), -1);
	assert_int_equal(problems.errors, 1);
	assert_int_equal(problems.problem[1].line, 5);
	assert_non_null(strstr(problems.problem[1].text, "there is no node \"zed\""));
	snprintf(text, sizeof(text),
		 "cluster { name = c }\n" TWO_NODES
		 "group g { exclusive = no\nnodes = { a,\nb, a } %s",
		 resource);
	expect_error(text, 6, "node \"a\" is twice");
	snprintf(text, sizeof(text),
		 "cluster { name = c }\n" TWO_NODES "group g { exclusive = no\nnodes = { } %s",
		 resource);
	expect_error(text, 4, "empty list of nodes");
}

/* A text of `count` pieces made by a format with the index, twice. */
static char *repeat(const char *before, const char *format, unsigned count, const char *after)
{
	static char text[65536];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", before);
	char piece[256];

	for (unsigned i = 0; i < count; i++) {
		char *mark;

		snprintf(piece, sizeof(piece), "%s", format);
		while ((mark = strchr(piece, '@')) != NULL)
			*mark = (char)('a' + i % 26);
		while ((mark = strchr(piece, '^')) != NULL)
			*mark = (char)('a' + i / 26);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", piece);
	}
	snprintf(text + used, sizeof(text) - used, "%s", after);
	return text;
}

/* Letters as numbers do not make addresses; these do not care that there are none. */
static bool has_error(int line, const char *part)
{
	for (unsigned i = 0; i < problems.count; i++) {
		if (problems.problem[i].line == line && !problems.problem[i].warning &&
		    strstr(problems.problem[i].text, part) != NULL)
			return true;
	}
	return false;
}

static void test_limits(void **state)
{
	(void)state;
	conf_parse(repeat("cluster { name = c }\n", "node n@ { path p { address = 10.1.0.1 } }\n",
			  6, ""),
		   "t", &conf, &problems);
	assert_true(has_error(6, "more than 4 nodes"));
	conf_parse(repeat("cluster { name = c }\nnode a {\n", "path p@ { address = 10.1.0.1 }\n", 9,
			  "}"),
		   "t", &conf, &problems);
	assert_true(has_error(11, "more than 8 paths"));
	conf_parse(repeat("cluster { name = c }\n" TWO_NODES, "group g^@ { exclusive = no }\n",
			  YOKE_GROUPS_MAX + 1, ""),
		   "t", &conf, &problems);
	assert_int_equal(problems.errors,
			 YOKE_GROUPS_MAX + 1); /* without resources, one too many */
	assert_int_equal(conf.group_count, YOKE_GROUPS_MAX);
	conf_parse(repeat("cluster { name = c }\n" TWO_NODES "group g { exclusive = no\n",
			  "resource r@ { type = address address = 'fd00::@/64' interface = e }\n",
			  17, "}"),
		   "t", &conf, &problems);
	assert_true(has_error(21, "more than 16 resources in one group"));
	conf_parse(
		repeat("cluster { name = c }\n" TWO_NODES,
		       "group g^@ { exclusive = no resource ^@ {} resource ^@1 {} resource ^@2 {} "
		       "resource "
		       "^@3 {} resource ^@4 {} resource ^@5 {} resource ^@6 {} resource ^@7 {} "
		       "resource ^@8 "
		       "{} }\n",
		       YOKE_RESOURCES_MAX / 9 + 1, ""),
		"t", &conf, &problems);
	assert_int_equal(conf.resource_count, YOKE_RESOURCES_MAX);
	assert_true(problems.errors > CONF_PROBLEMS_MAX);
	assert_int_equal(problems.count, CONF_PROBLEMS_MAX);
}

static void test_unknown_keys(void **state)
{
	(void)state;
	expect_cluster_error("ded_ms = 5", "unknown key 'ded_ms' in cluster; known are: name, ");
	expect_cluster_error("nodes = { \"a\", b }", "unknown key 'nodes'");
	expect_cluster_error("sub { x = 1 { y = 2 } }", "unknown key 'sub'");
	expect_cluster_error("sub \"t\" { x = '}' }", "unknown key 'sub'");
	expect_cluster_error("flag", "unknown key 'flag'");
	expect_cluster_error("cluster|name = x", "unknown key 'cluster|name'");
	expect_cluster_error("__line = 7", "unknown key '__line'");
	expect_cluster_error("include(\"/etc/passwd\")", "unknown key 'include'");
	expect_error("cluster { name = c }\ninclude(\"/etc/passwd\")\n" TWO_NODES GROUP, 2,
		     "unknown key 'include' in the file");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log { }\nlogs { target = syslog }\n",
		     6, "unknown key 'logs'");
}

static void test_syntax(void **state)
{
	(void)state;
	expect_cluster_error("dead_ms 1000", "'=' is missing after 'dead_ms'");
	expect_cluster_error("dead_ms", "'=' is missing after 'dead_ms'");
	expect_cluster_error("dead_ms =", "'dead_ms' has no value");
	expect_cluster_error("dead_ms = { 1000 }", "takes one value, not a list");
	expect_cluster_error("dead_ms += 1000", "'+=' is not used here");
	expect_cluster_error("dead_ms = 1000 dead_ms = 1001",
			     "is given twice: the first is in line 2");
	/* The first counts, and what is wrong with the second does not matter. */
	expect_error("cluster { name = c\ndead_ms = 900\ndead_ms = 5\n}\n" TWO_NODES GROUP, 3,
		     "is given twice: the first is in line 2");
	assert_int_equal(conf.dead_ms, 900);
	expect_error("cluster { name = c\ndead_ms =\ninterval_ms = 100 }\n" TWO_NODES GROUP, 2,
		     "'dead_ms' has no value: write it on the same line");
	expect_cluster_error("user = \"yoke", "the string is not closed");
	expect_cluster_error("key_file = '/yo\"ke'", "without quotes and backslashes");
	expect_cluster_error("key_file = \"/yo\\x6be\"", "without quotes and backslashes");
	expect_cluster_error("user = yoke ( )", "'(' has no meaning here");
	expect_cluster_error("user = yo\\ke", "'\\' has no meaning here");
	expect_cluster_error("\x01", "byte 0x01: only printable ASCII");
	expect_cluster_error("\xc3\xa4", "byte 0xc3");
	expect_cluster_error("= 5", "a key is expected here, not '='");
	expect_cluster_error("\"dead_ms\" = 5", "a key is expected here");
	expect_cluster_error("{ dead_ms = 5 }", "a key is expected here, not '{'");
	expect_error("cluster { name = c }\n}\n" TWO_NODES GROUP, 2, "'}' closes nothing");
	expect_error("cluster \"c\" {\nname = c }\n" TWO_NODES GROUP, 1,
		     "section 'cluster' has no name");
	expect_error("cluster { name = c\n" TWO_NODES GROUP, 1,
		     "section 'cluster' is not closed: '}' is missing before line 2");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log\n{\n", 5,
		     "section 'log' is not closed: add '}'");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log target = syslog\n", 5,
		     "section 'log' has no name");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "/* no end\n\n\n", 5, "add '*/'");
	expect_error("cluster { name = c }\n" TWO_NODES GROUP "log {}\nlog {}\n", 6,
		     "'log' is given twice: the first is in line 5");
}

static void test_environment_is_not_read(void **state)
{
	(void)state;
	setenv("SECRET", "expanded", 1);
	conf_parse("cluster { name = c\nuser = ${SECRET}\n}\n", "t", &conf, &problems);
	assert_true(has_error(2, "the user name \"$\""));
	expect_error("cluster { name = '${SECRET}' }\n" TWO_NODES GROUP, 1, "name \"${SECRET}\"");
	expect_error("cluster { name = \"${SECRET}\" }\n" TWO_NODES GROUP, 1, "name \"${SECRET}\"");
}

/* Comments of all kinds, also empty ones, cost no line and no crash. */
static void test_comments(void **state)
{
	(void)state;
	expect_error("#\n//\n/**/\n/* a\n b */ cluster { # c\n name = c // d\n /* e */ dead_ms = 1 "
		     "}\n" TWO_NODES GROUP,
		     7, "dead_ms = 1 is out of range");
	expect_error("cluster { name = c\r\ndead_ms = 1\r\n}\r\n" TWO_NODES GROUP, 2,
		     "dead_ms = 1 is");
	expect_good("cluster { name = c /* } */ }\n" TWO_NODES GROUP "#");
}

static void test_all_at_once(void **state)
{
	static const struct {
		int line;
		const char *part;
	} wanted[] = {
		{2, "unknown key 'nmae'"},
		{3, "dead_ms = 5 is out"},
		{4, "unknown key 'ded'"},
		{5, "retry_ms = x is not"},
		{7, "is not an IPv4"},
		{8, "port = 1 is out"},
		{11, "'=' is missing after 'exclusive'"},
		{12, "1..32 bits"},
		{14, "write yes or no"},
	};

	(void)state;
	conf_parse(
		"cluster { name = c\nnmae = x\ndead_ms = 5\nded = 7\nretry_ms = x }\n"
		"node a { path p {\naddress = 1.2.3 } path q { address = 10.2.0.1\nport = 1 } }\n"
		"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n"
		"group g {\nexclusive no resource r { type = address interface = e\n"
		"address = 10.0.0.1/99 } }\n"
		"log {\ndebug = 7 }\n",
		"t", &conf, &problems);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!has_error(wanted[i].line, wanted[i].part))
			fail_msg("not said: line %d: %s", wanted[i].line, wanted[i].part);
	}
	assert_int_equal(problems.errors, sizeof(wanted) / sizeof(wanted[0]));
	for (unsigned i = 1; i < problems.count; i++)
		assert_true(problems.problem[i - 1].line <= problems.problem[i].line);
}

static void test_size(void **state)
{
	char *text = malloc(CONF_TEXT_MAX + 2);

	(void)state;
	memset(text, ' ', CONF_TEXT_MAX + 1);
	text[CONF_TEXT_MAX + 1] = '\0';
	assert_int_equal(conf_parse(text, "t", &conf, &problems), -1);
	assert_int_equal(problems.count, 1);
	assert_non_null(strstr(problems.problem[0].text, "longer than 262144 bytes"));
	text[CONF_TEXT_MAX] = '\0';
	assert_int_equal(conf_parse(text, "t", &conf, &problems), -1);
	assert_true(has_error(0, "0 of at least 2 nodes"));
	free(text);
}

static void test_load(void **state)
{
	(void)state;
	assert_int_equal(conf_load("/nonexistent/yoke.conf", &conf, &problems), -1);
	assert_true(has_error(0, "cannot open /nonexistent/yoke.conf: No such file"));
	assert_int_equal(conf_load("/", &conf, &problems), -1);
	assert_true(has_error(0, "/ is not a regular file"));
}

static void test_problem_places(void **state)
{
	static struct conf_problems p;

	(void)state;
	for (int i = 0; i < CONF_PROBLEMS_MAX; i++)
		conf_problem(&p, 1, true, "warning %d", i);
	conf_problem(&p, 2, true, "one too many");
	assert_int_equal(p.count, CONF_PROBLEMS_MAX);
	assert_int_equal(p.errors, 0);
	conf_problem(&p, 0, false, "an error");
	assert_int_equal(p.count, CONF_PROBLEMS_MAX);
	assert_int_equal(p.errors, 1);
	assert_string_equal(p.problem[0].text, "an error");
	assert_string_equal(p.problem[1].text, "warning 0");
	assert_string_equal(p.problem[CONF_PROBLEMS_MAX - 1].text, "warning 62");
}

static void test_self(void **state)
{
	char why[YOKE_REASON_SIZE];

	(void)state;
	expect_good("cluster { name = c }\n" TWO_NODES GROUP);
	assert_int_equal(conf_self(&conf, "b", why), 1);
	assert_int_equal(conf_self(&conf, "zed", why), -1);
	assert_string_equal(why, "no node \"zed\" is configured: give --node, or add the node");
	assert_int_equal(conf_self(&conf, NULL, why), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_sample_shows_defaults),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_path_addresses),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_missing_in_resource),
		cmocka_unit_test(test_group_nodes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_environment_is_not_read),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_problem_places),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
