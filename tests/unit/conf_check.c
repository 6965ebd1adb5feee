/* conf/check.c: each rule over several keys, with a file that breaks it alone, and its line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

static struct conf conf;
static struct conf_problems problems;

#define NODE_A "node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }\n"
#define NODE_B "node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n"
#define RESOURCE(name, address)                                                                    \
	"resource " name " { type = address interface = e address = '" address "' }\n"
#define GROUP "group g { exclusive = no " RESOURCE("r", "192.0.2.1/24") "}\n"

/* Exactly one problem, on `line`, with `part` in its text. */
static void expect(const char *text, bool warning, int line, const char *part)
{
	int result = conf_parse(text, "test", &conf, &problems);

	if (problems.count != 1 || problems.problem[0].line != line ||
	    problems.problem[0].warning != warning || result != (warning ? 0 : -1) ||
	    strstr(problems.problem[0].text, part) == NULL) {
		for (unsigned i = 0; i < problems.count; i++)
			print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
		fail_msg("wanted line %d: %s\nin: %s", line, part, text);
	}
}

static void test_cluster_name(void **state)
{
	(void)state;
	expect(NODE_A NODE_B GROUP, false, 0, "the cluster has no name");
	expect(NODE_A "cluster { }\n" NODE_B GROUP, false, 2, "the cluster has no name");
}

static void test_times(void **state)
{
#define TIMES(keys) "cluster { name = c\n" keys "}\n" NODE_A NODE_B GROUP
	(void)state;
	expect(TIMES("dead_ms = 1000\ninterval_ms = 334\n"), false, 3,
	       "interval_ms = 334 is too long for dead_ms = 1000: at most dead_ms/3 = 333 ms");
	expect(TIMES("dead_ms = 1000\ninterval_ms = 333\n"), true, 3, "leaves only 3 heartbeats");
	expect(TIMES("interval_ms = 201\n"), true, 2, "at most 200 ms is better");
	assert_int_equal(conf_parse(TIMES("interval_ms = 200\n"), "t", &conf, &problems), 0);
	assert_int_equal(problems.count, 0);
	expect(TIMES("dead_ms = 1000\nlate_ms = 99\n"), false, 3,
	       "late_ms = 99 is out of range: interval_ms..dead_ms = 100..1000 ms");
	expect(TIMES("dead_ms = 1000\nlate_ms = 1001\n"), false, 3, "is out of range: interval_ms");
	assert_int_equal(conf_parse(TIMES("late_ms = 1000\n"), "t", &conf, &problems), 0);
	/* One bad time is one problem: the rules over it wait until it is good. */
	expect(TIMES("dead_ms = 0\ninterval_ms = 500\n"), false, 2, "dead_ms = 0 is out of range");
	expect(TIMES("late_ms = x\n"), false, 2, "late_ms = x");
#undef TIMES
}

static void test_nodes(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODE_A GROUP, false, 2, "1 of at least 2 nodes");
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "node d { path p { address = 10.1.0.3 } path q { address = 10.2.0.3 } }\n" GROUP,
	       true, 4, "3 nodes: this version is promised for 2");
}

/* The twin of a node is a third node, too: both are said. */
static void expect_both(const char *text, int line, const char *part, const char *other)
{
	bool seen = false, other_seen = false;

	conf_parse(text, "test", &conf, &problems);
	for (unsigned i = 0; i < problems.count; i++) {
		seen |= problems.problem[i].line == line &&
			strstr(problems.problem[i].text, part) != NULL;
		other_seen |= strstr(problems.problem[i].text, other) != NULL;
	}
	assert_true(seen);
	assert_true(other_seen);
	assert_int_equal(problems.count, 2);
}

static void test_node_twice(void **state)
{
	(void)state;
	expect_both(
		"cluster { name = c }\n" NODE_A NODE_B
		"node a { path p { address = 10.1.0.3 } path q { address = 10.2.0.3 } }\n" GROUP,
		4, "node \"a\" is given twice: the first is in line 2", "3 nodes");
}

static void test_paths(void **state)
{
	(void)state;
	expect("cluster { name = c }\nnode a {}\nnode b {}\n" GROUP, false, 2, "no heartbeat path");
	expect("cluster { name = c }\nnode a { path p { address = 10.1.0.1 } }\n"
	       "node b { path p { address = 10.1.0.2 } }\n" GROUP,
	       true, 2, "only one path: a single cable failure silences the peer");
	expect("cluster { name = c }\n" NODE_A "node b { path p { address = 10.1.0.2 } }\n" GROUP,
	       false, 3, "node \"b\" has no path \"q\", which another node has");
	expect("cluster { name = c }\n" NODE_A
	       "node b {\npath p { address = 'fd00::2' }\npath q { address = 10.2.0.2 } }\n" GROUP,
	       false, 4, "path \"p\" is IPv6 here but not on node \"a\"");
	expect("cluster { name = c }\n" NODE_A
	       "node b {\npath p { address = 10.1.0.2 }\npath q { address = 10.2.0.2 }\npath p { "
	       "address = 10.3.0.2 } }\n" GROUP,
	       false, 6, "path \"p\" is given twice on this node: the first is in line 4");
	expect("cluster { name = c }\n" NODE_A
	       "node b {\npath p { address = 10.1.0.1 }\npath q { address = 10.2.0.2 } }\n" GROUP,
	       false, 4, "the same address and port as in line 2");
	expect("cluster { name = c }\nnode a { path p { address = 'fe80::1' }\npath q { address = "
	       "10.2.0.1 } }\n"
	       "node b { path p { address = 'fe80::2' interface = e } path q { address = 10.2.0.2 "
	       "} }\n" GROUP,
	       false, 2, "a link-local address needs interface");
}

static void test_same_address_other_port(void **state)
{
	(void)state;
	assert_int_equal(conf_parse("cluster { name = c }\n" NODE_A
				    "node b { path p { address = 10.1.0.1 port = 4748 } path q { "
				    "address = 10.2.0.2 } }\n" GROUP,
				    "t", &conf, &problems),
			 0);
	assert_int_equal(problems.count, 0);
	/* The same link-local address on two links is two machines. */
	assert_int_equal(
		conf_parse("cluster { name = c }\nnode a { path p { address = 'fe80::1' interface "
			   "= e1 } path q { address = 'fe80::1' interface = e2 } }\n"
			   "node b { path p { address = 'fe80::2' interface = e1 } path q { "
			   "address = 'fe80::2' interface = e2 } }\n" GROUP,
			   "t", &conf, &problems),
		0);
	assert_int_equal(problems.count, 0);
}

static void test_shared_fate(void **state)
{
	(void)state;
	expect("cluster { name = c }\nnode a {\npath p { address = 10.1.0.1 interface = e1 }\n"
	       "path q { address = 10.2.0.1 interface = e1 } }\n" NODE_B GROUP,
	       true, 4, "share interface e1");
	expect("cluster { name = c }\nnode a {\npath p { address = 10.1.0.1 }\n"
	       "path q { address = 10.1.0.9 } }\n" NODE_B GROUP,
	       true, 4, "are in the same /24 network");
	expect("cluster { name = c }\nnode a {\npath p { address = 'fd00::1' }\n"
	       "path q { address = 'fd00::5' } }\n"
	       "node b { path p { address = 'fd00::2' } path q { address = 'fd01::2' } }\n" GROUP,
	       true, 4, "are in the same /64 network");
}

static void test_exclusive(void **state)
{
	static const char advice[] =
		"nothing can prove that a silent node is dead: a failover waits for "
		"'yoke confirm-down'";

	(void)state;
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "group g {\n" RESOURCE("r", "192.0.2.1/24") "}\n",
	       true, 4, advice);
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "group g {\n" RESOURCE("r", "192.0.2.1/24") "exclusive = yes }\n",
	       true, 6, advice);
}

static void test_groups(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODE_A NODE_B, true, 0, "there is no group");
	expect("cluster { name = c }\n" NODE_A NODE_B "group g { exclusive = no }\n", false, 4,
	       "group \"g\" has no resources");
	expect("cluster { name = c }\n" NODE_A NODE_B GROUP
	       "group g { exclusive = no\n" RESOURCE("s", "192.0.2.2/24") "}\n",
	       false, 6, "group \"g\" is given twice: the first is in line 4");
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "group g { exclusive = no nodes = { b }\n" RESOURCE("r", "192.0.2.1/24") "}\n",
	       true, 4, "may run on one node only");
}

static void test_resources(void **state)
{
	(void)state;
	expect("cluster { name = c }\n" NODE_A NODE_B GROUP
	       "group h { exclusive = no\n" RESOURCE("r", "192.0.2.2/24") "}\n",
	       false, 7, "resource \"r\" is given twice: the first is in line 4");
	expect("cluster { name = c }\n" NODE_A NODE_B GROUP
	       "group h { exclusive = no\n" RESOURCE("s", "192.0.2.1/25") "}\n",
	       false, 7, "has the same address as \"r\" in line 4");
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "group h { exclusive = no\n" RESOURCE("s", "fd00::1/64")
		       RESOURCE("t", "fd00:0::1/64") "}\n",
	       false, 6, "has the same address as \"s\" in line 5");
	expect("cluster { name = c }\n" NODE_A NODE_B
	       "group h { exclusive = no\n" RESOURCE("s", "10.2.0.2/24") "}\n",
	       false, 5, "has the address of the path in line 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cluster_name), cmocka_unit_test(test_times),
		cmocka_unit_test(test_nodes),        cmocka_unit_test(test_node_twice),
		cmocka_unit_test(test_paths),        cmocka_unit_test(test_same_address_other_port),
		cmocka_unit_test(test_shared_fate),  cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_groups),       cmocka_unit_test(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
