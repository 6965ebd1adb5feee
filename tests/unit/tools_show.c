/* A snapshot as text: what needs attention is said, and the largest one fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/show.h"

static struct yoke_snapshot s;
static char text[262144];

static void show(bool wide, bool colour)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	memset(text, 0, sizeof(text));
	tool_show_status(&s, wide, colour, out);
	assert_int_equal(fclose(out), 0);
}

static void set(char *place, size_t size, const char *value)
{
	snprintf(place, size, "%s", value);
}

static int pair(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	set(s.cluster, sizeof(s.cluster), "shop");
	s.self = 1;
	s.condition = YOKE_CONDITION_DEGRADED;
	set(s.text, sizeof(s.text), "beta is lost");
	s.taken_wall_ms = 1800000000000;
	s.realtime = true;
	s.node_count = 2;
	set(s.node[0].name, YOKE_NAME_SIZE, "alpha");
	s.node[0].state = YOKE_NODE_ONLINE;
	s.node[0].config_same = true;
	set(s.node[1].name, YOKE_NAME_SIZE, "beta");
	s.node[1].state = YOKE_NODE_LOST;
	s.node[1].changed_wall_ms = s.taken_wall_ms - 42000;
	s.node[1].config_same = true;
	s.link_count = 1;
	s.link[0] = (struct yoke_snapshot_path){.node = 2, .path = 1, .state = YOKE_PATH_DOWN};
	s.link[0].type = YOKE_PATH_TYPE_SERIAL;
	s.link[0].role = YOKE_PATH_ROLE_PRIVATE;
	s.link[0].interval_ms = 401;
	s.link[0].rtt_min_us = 102;
	s.link[0].rtt_mean_us = 2300;
	s.link[0].rtt_max_us = 31000;
	s.link[0].jitter_us = 77;
	s.link[0].loss_hour_permille = 13;
	s.link[0].missed = 5;
	s.link[0].delayed = 6;
	set(s.link[0].reason, YOKE_REASON_SIZE, "agetty uses it");
	set(s.link[0].name, YOKE_NAME_SIZE, "eth1");
	s.group_count = 1;
	set(s.group[0].name, YOKE_NAME_SIZE, "web");
	s.group[0].owner = 1;
	s.group[0].term = 8;
	s.group[0].state = YOKE_GROUP_STARTED;
	s.group[0].condition = YOKE_CONDITION_DEGRADED;
	s.member_count = 2;
	s.member[0] = (struct yoke_snapshot_member){.group = 1, .node = 1};
	s.member[1] = (struct yoke_snapshot_member){.group = 1, .node = 2};
	set(s.member[1].reason, YOKE_REASON_SIZE, "the node is lost");
	s.resource_count = 1;
	s.resource[0].group = 1;
	set(s.resource[0].name, YOKE_NAME_SIZE, "web-ip");
	s.resource[0].state[0] = YOKE_RESOURCE_STARTED;
	s.resource[0].state[1] = YOKE_RESOURCE_UNKNOWN;
	s.resource[0].usable = true;
	return 0;
}

static void has(const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is missing in\n%s", part, text);
}

static void test_attention_is_called(void **state)
{
	(void)state;
	show(false, false);
	has("cluster shop is degraded: beta is lost\n");
	has("beta   lost    42 s   0 of 1");
	has("eth1  serial  beta  down   -      -    0 %   0      agetty uses it");
	has("web          beta  ?      no     the node is lost\n");
	assert_null(strstr(text, "\033"));
	assert_null(strstr(text, "OPERATION"));
	assert_null(strstr(text, "KEY"));
	s.key_count = 1;
	s.key[0] = (struct yoke_snapshot_key){.id = 9, .shown = true, .seals = true};
	show(false, false);
	assert_null(strstr(text, "KEY"));
	show(true, false);
	has("9    -    yes         yes                no           no");
	s.key_count = 2;
	s.key[1].id = 10;
	show(false, false);
	has("KEY");
	s.key_count = 0;
	assert_null(strstr(text, "JITTER"));
	show(true, false);
	has("eth1  beta  private  401 ms  102 us   2.3 ms  31 ms  77 us   1.3 %        5       "
	    "6\n");
	show(false, true);
	has("\033[1;31mlost\033[0m");
	has("\033[1;31mdown\033[0m");
	has("\033[1;33mdegraded\033[0m");
}

static void test_notes(void **state)
{
	(void)state;
	s.node[1].standby = true;
	s.node[1].maintenance = true;
	s.node[1].config_same = false;
	set(s.node[1].config_differs, YOKE_REASON_SIZE, "paths, group web");
	s.group[0].maintenance = true;
	s.group[0].parallel = true;
	set(s.group[0].reason, YOKE_REASON_SIZE, "it runs");
	s.unready_count = 1;
	set(s.unready[0].reason, YOKE_REASON_SIZE, "node beta is in standby");
	s.realtime = false;
	s.resource[0].usable = false;
	set(s.resource[0].reason, YOKE_REASON_SIZE, "eth0 has no carrier");
	s.operation_count = 2;
	s.operation[0].state = YOKE_OPERATION_SUCCEEDED;
	s.operation[1] = (struct yoke_snapshot_operation){.number = 16777218,
							  .verb = YOKE_VERB_SWITCH,
							  .state = YOKE_OPERATION_RUNNING,
							  .group = 1,
							  .node = 2,
							  .origin = YOKE_ORIGIN_SNMP};
	show(false, false);
	has("standby, in maintenance, its configuration differs: paths, group web\n");
	s.node[1].protocol_min = 3;
	s.node[1].protocol_max = 4;
	memset(s.node[1].config_differs, 'x', YOKE_REASON_SIZE - 1);
	show(false, false);
	has("speaks protocol 3 to 4, not ours, standby, in maintenance, its configuration");
	has("in maintenance; parallel; it runs");
	has("a failover would not succeed now:\n  node beta is in standby\n");
	has("no realtime priority");
	has("cannot run here: eth0 has no carrier");
	has("16777218   switch  web    beta  snmp  running");
	assert_null(strstr(text, "succeeded"));
	show(true, false);
	has("succeeded");
}

static void test_numbers_that_refer_to_nothing(void **state)
{
	(void)state;
	s.self = 9;
	s.group[0].owner = 77;
	s.link[0].node = 5;
	s.member[0].group = 65;
	s.resource[0].group = 200;
	show(true, true);
	has("as - sees it");
}

static void test_the_largest_snapshot(void **state)
{
	unsigned i;

	(void)state;
	s.node_count = YOKE_NODES_MAX;
	s.link_count = YOKE_NODES_MAX * YOKE_PATHS_MAX;
	s.group_count = YOKE_GROUPS_MAX;
	s.member_count = YOKE_GROUPS_MAX * YOKE_NODES_MAX;
	s.resource_count = YOKE_RESOURCES_MAX;
	s.operation_count = YOKE_OPERATIONS_MAX;
	for (i = 0; i < s.resource_count; i++) {
		memset(s.resource[i].name, 'n', YOKE_NAME_SIZE - 1);
		memset(s.resource[i].reason, 'r', YOKE_REASON_SIZE - 1);
	}
	for (i = 0; i < s.node_count; i++)
		memset(s.node[i].name, 'm', YOKE_NAME_SIZE - 1);
	show(true, true);
	assert_true(strlen(text) < sizeof(text) - 1);
	has("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
}

static void test_event_line(void **state)
{
	struct yoke_event event = {.severity = YOKE_SEVERITY_CRITICAL, .wall_ms = 1800000000007};
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	setenv("TZ", "UTC", 1);
	set(event.text, sizeof(event.text), "node beta is lost");
	tool_show_event(&event, false, out);
	fclose(out);
	assert_string_equal(text, "2027-01-15 08:00:00.007  critical  node beta is lost\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_attention_is_called, pair),
		cmocka_unit_test_setup(test_notes, pair),
		cmocka_unit_test_setup(test_numbers_that_refer_to_nothing, pair),
		cmocka_unit_test_setup(test_the_largest_snapshot, pair),
		cmocka_unit_test(test_event_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
