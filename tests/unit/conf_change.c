/* conf/change.c: what has to stop before another configuration, and what cannot be done live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/change.h"

static const char text[] =
	"cluster { name = c dead_ms = 1000 lease_ms = 3000 watchdog = '/dev/w' }\n"
	"arbiter w { type = witness address = 10.9.0.1 }\n"
	"node a { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }\n"
	"node b { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }\n"
	"group g { exclusive = no\n"
	"  resource ip { type = address address = '10.3.0.1/24' interface = e0 }\n"
	"  resource run { type = script program = '/u' }\n"
	"}\n"
	"group h { exclusive = no resource hip { type = address address = '10.3.0.2/24' interface "
	"= e0 } }\n";

static struct conf old, next;
static struct conf_problems problems;
static struct conf_change change;

/* From the text to the same with one place changed, on node a. */
static void to(const char *from, const char *with)
{
	char changed[sizeof(text) + 256];
	const char *at = strstr(text, from);

	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, with,
		 at + strlen(from));
	assert_int_equal(conf_parse(text, "t", &old, &problems), 0);
	if (conf_parse(changed, "t", &next, &problems) != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
	conf_change(&old, &next, 0, &change);
}

static void expect_refused(const char *part)
{
	for (unsigned i = 0; i < change.refusal_count; i++)
		if (strstr(change.refusal[i], part) != NULL)
			return;
	fail_msg("%u refusals, and not of: %s", change.refusal_count, part);
}

static void what_hangs_on_it_is_refused(void **state)
{
	(void)state;
	to("name = c", "name = d");
	expect_refused("the cluster's name cannot change while yoked runs");
	to("name = c", "name = c user = other");
	expect_refused("user");
	to("name = c", "name = c state_dir = '/x'");
	expect_refused("state_dir");
	to("lease_ms = 3000", "lease_ms = 3001");
	expect_refused("lease_ms");
	to("'/dev/w'", "'/dev/v'");
	expect_refused("watchdog");
	to("10.9.0.1", "10.9.0.2");
	expect_refused("arbiters");
	to("node a {", "node aa {");
	expect_refused("nodes");
	assert_int_equal(change.refusal_count, 1);
}

/* One node goes by the new times while the other has the old ones still. */
static void times_that_do_not_fit_each_other_change_in_steps(void **state)
{
	(void)state;
	to("dead_ms = 1000", "dead_ms = 2000 interval_ms = 400");
	expect_refused("a heartbeat each 400 ms is too rare for the other node as long as that has "
		       "dead_ms = 1000: change dead_ms first, on both nodes");
	conf_change(&next, &old, 0, &change);
	expect_refused("dead_ms = 1000 is too short as long as the other node has a heartbeat each "
		       "400 ms: change first, on both nodes, how often");
	to("dead_ms = 1000", "dead_ms = 2000 interval_ms = 300");
	assert_int_equal(change.refusal_count, 0);
	conf_change(&next, &old, 0, &change);
	assert_int_equal(change.refusal_count, 0);
}

/* A disk's own interval, which the new dead_ms allows. */
static void so_do_those_of_a_path(void **state)
{
	(void)state;
	to("dead_ms = 1000", "dead_ms = 2000");
	memcpy(&next.path[2], "r", 2);
	next.path_count = 3;
	for (unsigned n = 0; n < 2; n++) {
		next.node[n].endpoint[2].configured = true;
		next.node[n].endpoint[2].type = YOKE_PATH_TYPE_DISK;
		next.node[n].endpoint[2].interval_ms = 200;
	}
	old = next;
	old.dead_ms = 1000;
	for (unsigned n = 0; n < 2; n++)
		next.node[n].endpoint[2].interval_ms = 600;
	conf_change(&old, &next, 0, &change);
	expect_refused("a heartbeat each 600 ms is too rare");
	assert_int_equal(change.refusal_count, 1);
}

static void paths_change_one_after_the_other(void **state)
{
	(void)state;
	to("10.2.0.1", "10.2.0.3");
	assert_int_equal(change.refusal_count, 0);
	assert_true(change.any);
	assert_int_equal(change.paths_stay, 1);
	assert_true(conf_change_cuts(&change, 2));
	assert_false(conf_change_cuts(&change, 3));
	assert_false(conf_change_cuts(&change, 0));
	to("path p { address = 10.1.0.1 } path q { address = 10.2.0.1 }",
	   "path p { address = 10.1.0.3 } path q { address = 10.2.0.3 }");
	expect_refused("every path at once");
}

/* Two nodes with these paths; @: the node's number. */
static void with_paths(struct conf *conf, const char *paths)
{
	char pair[1024] = "";
	size_t used = 0;

	for (char node = '1'; node <= '2'; node++) {
		used += (size_t)snprintf(pair + used, sizeof(pair) - used, "node n%c {", node);
		for (const char *c = paths; *c != '\0' && used < sizeof(pair) - 1; c++)
			pair[used++] = *c == '@' ? node : *c;
		used += (size_t)snprintf(pair + used, sizeof(pair) - used, "}\n");
	}
	snprintf(pair + used, sizeof(pair) - used, "cluster { name = c }\n%s",
		 strstr(text, "group g"));
	if (conf_parse(pair, "t", conf, &problems) != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
}

static void from_paths(const char *from, const char *with)
{
	with_paths(&old, from);
	with_paths(&next, with);
	conf_change(&old, &next, 0, &change);
}

#define P "path p { address = 10.1.0.@ }"
#define Q "path q { address = 10.2.0.@ }"
#define R "path r { address = 10.4.0.@ }"
#define P_TO(group) "path p { address = 10.1.0.@ multicast = " group " }"
#define Q_TO(group) "path q { address = 10.2.0.@ multicast = " group " }"

/* Who sends to one address is not heard by who listens on another. */
static void a_path_with_another_multicast_is_another(void **state)
{
	(void)state;
	from_paths(P Q, P_TO("239.0.0.7") Q);
	assert_int_equal(change.refusal_count, 0);
	assert_int_equal(change.paths_stay, 2);
	from_paths(P_TO("239.0.0.7") Q_TO("239.0.0.8"), P_TO("239.0.0.7") Q_TO("239.0.0.9"));
	assert_int_equal(change.refusal_count, 0);
	assert_int_equal(change.paths_stay, 1);
	from_paths(P Q, P_TO("239.0.0.7") Q_TO("239.0.0.8"));
	expect_refused("every path at once (change one after the other");
	from_paths(P_TO("239.0.0.7") Q_TO("239.0.0.8"), P Q);
	expect_refused("every path at once");
	from_paths(P_TO("239.0.0.7") Q_TO("239.0.0.8"), P_TO("239.0.0.6") Q_TO("239.0.0.9"));
	expect_refused("every path at once");
}

/* A frame names its path by the number: what comes after a path that goes has another one. */
static void a_path_that_goes_changes_those_after_it(void **state)
{
	(void)state;
	from_paths(P, P Q);
	assert_int_equal(change.paths_stay, 1);
	from_paths(P Q, P);
	assert_int_equal(change.paths_stay, 1);
	from_paths(P Q R, P R);
	assert_int_equal(change.paths_stay, 1);
	assert_int_equal(change.refusal_count, 0);
	assert_true(conf_change_cuts(&change, 4));
	from_paths(P Q R, Q R);
	assert_int_equal(change.paths_stay, 0);
	expect_refused("one that is removed changes those after it");
	from_paths(P Q R, Q P R);
	assert_int_equal(change.paths_stay, 4);
	assert_int_equal(change.refusal_count, 0);
	from_paths(Q P R, Q R);
	assert_int_equal(change.paths_stay, 1);
	assert_int_equal(change.refusal_count, 0);
}

static void the_same_is_no_change(void **state)
{
	(void)state;
	to("name = c", "# words\n name = c");
	assert_false(change.any);
	assert_int_equal(change.ends, 0);
}

static void a_group_that_goes_ends(void **state)
{
	(void)state;
	to("group h { exclusive = no resource hip { type = address address = '10.3.0.2/24' "
	   "interface = e0 } }",
	   "");
	assert_true(change.group_ends[1]);
	assert_int_equal(change.ends, 1);
	assert_int_equal(change.refusal_count, 0);
}

static void a_group_that_this_node_leaves_ends(void **state)
{
	(void)state;
	to("group h { exclusive = no", "group h { exclusive = no nodes = { b }");
	assert_true(change.group_ends[1]);
	conf_change(&old, &next, 1, &change);
	assert_int_equal(change.ends, 0);
}

static void a_resource_that_goes_ends_alone(void **state)
{
	(void)state;
	to("resource run { type = script program = '/u' }\n", "");
	assert_true(change.resource_ends[1]);
	assert_int_equal(change.ends, 1);
	assert_false(change.group_grows[0]);
}

static void one_that_is_another_ends_and_is_added(void **state)
{
	(void)state;
	to("program = '/u'", "program = '/v'");
	assert_true(change.resource_ends[1]);
	assert_int_equal(change.was[0], 1);
	assert_int_equal(change.was[1], 0);
	assert_true(change.group_grows[0]);
	assert_false(change.group_ends[0]);
}

static void how_it_is_looked_after_may_change(void **state)
{
	(void)state;
	to("program = '/u'", "program = '/u' monitor_interval_ms = 5000 restarts = 1");
	assert_true(change.any);
	assert_int_equal(change.ends, 0);
	assert_false(change.group_grows[0]);
}

/* text has a lock. */
static void what_needs_a_lease_from_now_on_needs_a_restart(void **state)
{
	(void)state;
	to("group h { exclusive = no", "group h { exclusive = yes");
	expect_refused("exclusive of group h, where there is a lock, cannot change");
	assert_int_equal(change.refusal_count, 1);
	conf_change(&next, &old, 0, &change);
	assert_int_equal(change.refusal_count, 0);
	to("group h { exclusive = no", "group h { exclusive = yes takeover = unproven");
	assert_int_equal(change.refusal_count, 0);
	old = next;
	next.group[1].unproven = false;
	conf_change(&old, &next, 0, &change);
	expect_refused("exclusive of group h");
	old.arbiter_count = next.arbiter_count = 0;
	conf_change(&old, &next, 0, &change);
	assert_int_equal(change.refusal_count, 0);
}

static void what_goes_to_another_group_goes_in_two_steps(void **state)
{
	(void)state;
	to("group h", "group hh");
	expect_refused("resource hip goes from group h to group hh: take it out first");
	assert_int_equal(change.refusal_count, 1);
	to("group g { exclusive = no\n"
	   "  resource ip { type = address address = '10.3.0.1/24' interface = e0 }\n"
	   "  resource run { type = script program = '/u' }\n"
	   "}\n"
	   "group h { exclusive = no resource hip",
	   "group g { exclusive = no\n"
	   "  resource ip { type = address address = '10.3.0.1/24' interface = e0 }\n"
	   "}\n"
	   "group h { exclusive = no resource run { type = script program = '/u' } resource hip");
	expect_refused("resource run goes from group g to group h");
	assert_int_equal(change.refusal_count, 1);
	/* An address is the same by any name; a program of another name is another. */
	to("resource run { type = script program = '/u' }\n"
	   "}\n"
	   "group h { exclusive = no resource hip { type = address address = '10.3.0.2/24'",
	   "resource ip2 { type = address address = '10.3.0.2/24' interface = e0 }\n"
	   "}\n"
	   "group h { exclusive = no resource other { type = script program = '/u' }\n"
	   "resource hip { type = address address = '10.3.0.9/24'");
	expect_refused("resource ip2 goes from group h to group g");
	assert_int_equal(change.refusal_count, 1);
}

static void a_group_or_resource_that_comes_ends_nothing(void **state)
{
	(void)state;
	to("group h", "group i { exclusive = no resource iip { type = address address = "
		      "'10.3.0.3/24' interface = "
		      "e0 } }\ngroup h");
	assert_int_equal(change.ends, 0);
	assert_false(change.group_grows[1]);
	to("program = '/u' }", "program = '/u' } resource more { type = script program = '/m' }");
	assert_int_equal(change.ends, 0);
	assert_true(change.group_grows[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hangs_on_it_is_refused),
		cmocka_unit_test(paths_change_one_after_the_other),
		cmocka_unit_test(times_that_do_not_fit_each_other_change_in_steps),
		cmocka_unit_test(so_do_those_of_a_path),
		cmocka_unit_test(a_path_with_another_multicast_is_another),
		cmocka_unit_test(a_path_that_goes_changes_those_after_it),
		cmocka_unit_test(the_same_is_no_change),
		cmocka_unit_test(a_group_that_goes_ends),
		cmocka_unit_test(a_group_that_this_node_leaves_ends),
		cmocka_unit_test(a_resource_that_goes_ends_alone),
		cmocka_unit_test(one_that_is_another_ends_and_is_added),
		cmocka_unit_test(how_it_is_looked_after_may_change),
		cmocka_unit_test(what_needs_a_lease_from_now_on_needs_a_restart),
		cmocka_unit_test(what_goes_to_another_group_goes_in_two_steps),
		cmocka_unit_test(a_group_or_resource_that_comes_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
