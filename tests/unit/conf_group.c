/* conf/group.c: the keys of a group, and the rules between groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"

enum { FIRST_LINE = 4 }; /* of what a test gives */

static struct conf conf;
static struct conf_problems problems;

static int parse(const char *groups)
{
	static char text[4096];
	int size = snprintf(
		text, sizeof(text),
		"cluster { name = c watchdog = '/dev/w' } arbiter w { type = witness address = "
		"10.9.0.1 }\n"
		"node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }\n"
		"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n%s\n",
		groups);

	assert_in_range(size, 1, (int)sizeof(text) - 1);
	return conf_parse(text, "test", &conf, &problems);
}

static void expect_good(const char *groups)
{
	if (parse(groups) == 0 && problems.count == 0)
		return;
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
	fail_msg("refused: %s", groups);
}

static void expect_problem(const char *groups, bool is_warning, int line, const char *part)
{
	int result = parse(groups);

	if (problems.count == 1 && problems.problem[0].line == line &&
	    problems.problem[0].warning == is_warning && (result == 0) == is_warning &&
	    strstr(problems.problem[0].text, part) != NULL)
		return;
	for (unsigned i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
	fail_msg("wanted line %d: %s\nin: %s", line, part, groups);
}

/* One group with these keys, and a script. */
static const char *with(const char *keys)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "group g { %s\n resource r { type = script program = '/bin/true' } }", keys);
	return text;
}

static void test_defaults(void **state)
{
	const struct conf_group *g = &conf.group[0];

	(void)state;
	expect_good(with(""));
	assert_true(g->exclusive);
	assert_false(g->parallel || g->manual || g->failback || g->yields);
	assert_int_equal(g->after, 0);
	assert_int_equal(g->priority, 0);
}

static void test_all_keys(void **state)
{
	const struct conf_group *g = conf.group;

	(void)state;
	expect_good("group db { mode = parallel priority = 100\n"
		    " resource r { type = script program = '/bin/true' } }\n"
		    "group web { failover = manual after = db yields = yes priority = 7\n"
		    " resource s { type = script program = '/bin/true' } }\n"
		    "group log { failback = auto failback_ms = 0 failback_window = '22:00-05:30'\n"
		    " resource t { type = script program = '/bin/true' } }\n");
	assert_true(g[0].parallel && !g[0].exclusive);
	assert_int_equal(g[0].priority, 100);
	assert_true(g[1].manual && g[1].yields && g[1].exclusive);
	assert_int_equal(g[1].after, 1);
	assert_true(g[2].failback);
	assert_int_equal(g[2].failback_ms, 0);
	assert_int_equal(g[2].failback_from, 22 * 60);
	assert_int_equal(g[2].failback_to, 5 * 60 + 30);
}

static void test_failback_ms_by_default(void **state)
{
	(void)state;
	expect_good(with("failback = auto"));
	assert_int_equal(conf.group[0].failback_ms, 60000);
	assert_int_equal(conf.group[0].failback_from, conf.group[0].failback_to);
}

static void test_bad_words(void **state)
{
	static const struct {
		const char *keys, *part;
	} all[] = {
		{"mode = both", "write single or parallel"},
		{"failover = no", "write auto or manual"},
		{"failback = yes", "write manual or auto"},
		{"yields = maybe", "yes or no"},
		{"priority = 101", "0..100"},
		{"priority = -1", "0..100"},
		{"failback = auto failback_ms = 86400001", "0..86400000"},
		{"failback = auto failback_window = '22-5'", "22:00-05:30"},
		{"failback = auto failback_window = '24:00-05:00'", "22:00-05:30"},
		{"failback = auto failback_window = '22:60-05:00'", "22:00-05:30"},
		{"failback = auto failback_window = '22:00-05:00x'", "22:00-05:30"},
		{"failback = auto failback_window = '22:00-22:00'", "22:00-05:30"},
		{"failback_ms = 5", "is no key of a group with failback = manual"},
		{"failback_window = '22:00-05:00'", "is no key of a group with failback = manual"},
		{"mode = parallel exclusive = no", "is no key of a group with mode = parallel"},
		{"mode = parallel takeover = unproven",
		 "is no key of a group with mode = parallel"},
		{"mode = parallel failover = manual", "is no key of a group with mode = parallel"},
		{"mode = parallel failback = auto", "is no key of a group with mode = parallel"},
		{"mode = parallel yields = no", "is no key of a group with mode = parallel"},
		{"exclusive = no takeover = proven", "is no key of a group with exclusive = no"},
		{"after = other", "which is no group"},
		{"after = g", "comes after itself"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect_problem(with(all[i].keys), false, FIRST_LINE, all[i].part);
}

static void test_circle(void **state)
{
	(void)state;
	expect_problem("group a { after = c resource r { type = script program = '/bin/true' } }\n"
		       "group b { after = a resource s { type = script program = '/bin/true' } }\n"
		       "group c { after = b resource t { type = script program = '/bin/true' } }\n",
		       false, FIRST_LINE, "comes after itself");
}

static void test_parallel_has_no_address(void **state)
{
	(void)state;
	expect_problem("group a { mode = parallel\n"
		       " resource r { type = address address = 192.0.2.1/24 interface = e0 } }\n",
		       false, FIRST_LINE + 1, "after = \"a\"");
}

static void test_yields_to_nobody(void **state)
{
	(void)state;
	expect_problem(with("yields = yes"), true, FIRST_LINE, "no group has a higher priority");
}

/* What the other comes after would stop for it, and then it must stop, too. */
static void test_yields_to_what_comes_after_it(void **state)
{
	(void)state;
	expect_problem("group db { yields = yes\n"
		       " resource r { type = script program = '/bin/true' } }\n"
		       "group mid { after = db\n"
		       " resource s { type = script program = '/bin/true' } }\n"
		       "group web { after = mid priority = 5\n"
		       " resource t { type = script program = '/bin/true' } }\n",
		       false, FIRST_LINE, "yields to \"web\", which comes after it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_failback_ms_by_default),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_parallel_has_no_address),
		cmocka_unit_test(test_yields_to_nobody),
		cmocka_unit_test(test_yields_to_what_comes_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
