/* The MIB without snmpd: a snapshot filled by hand, the real handler, and the whole walk compared
 * with tests/snmp/golden.txt.  YOKE_GOLDEN=write writes that file anew: look at the difference
 * then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "subagent/control.h"
#include "subagent/cursor.h"
#include "subagent/event.h"
#include "subagent/handler.h"

#define GOLDEN "tests/snmp/golden.txt"

enum {
	START_MS = 1700000000, /* times the thousand of milliseconds below */
	LINE_SIZE = 1024,
	WALK_SIZE = 65536,
};

static struct yoke_snapshot snapshot;
static struct subagent_ring ring;
static struct yoke_names names = {.cluster = "shop",
				  .node = {"alpha", "beta"},
				  .path = {"red", "blue"},
				  .group = {"web", "mail"},
				  .resource = {"web-ip", "mail-ip"},
				  .node_count = 2,
				  .path_count = 2,
				  .group_count = 2,
				  .resource_count = 2};
static struct subagent_view view;
static struct subagent_handler handler = {.view = &view};

static int64_t at(int seconds)
{
	return ((int64_t)START_MS + seconds) * 1000 + 700;
}

static void fill_nodes(void)
{
	snapshot.node_count = 2;
	snapshot.node[0] = (struct yoke_snapshot_node){.name = "alpha",
						       .state = YOKE_NODE_ONLINE,
						       .config_same = true,
						       .protocol_min = 1,
						       .protocol_max = 2,
						       .protocol = 2,
						       .version = "0.1.0",
						       .changed_wall_ms = at(1),
						       .started_wall_ms = at(0)};
	snapshot.node[1] = (struct yoke_snapshot_node){.name = "beta",
						       .state = YOKE_NODE_LOST,
						       .maintenance = true,
						       .standby = true,
						       .config_differs = "paths, group web",
						       .changed_wall_ms = at(30),
						       .paths_up = 1};
	snapshot.link_count = 2;
	snapshot.link[0] = (struct yoke_snapshot_path){.node = 2,
						       .path = 1,
						       .name = "red",
						       .local = "192.0.2.1:4747",
						       .remote = "192.0.2.2:4748",
						       .interface = "eth1",
						       .state = YOKE_PATH_UP,
						       .changed_wall_ms = at(2),
						       .sent = UINT64_MAX,
						       .received = 5000000000,
						       .missed = 11,
						       .refused_seal = 12,
						       .refused_replay = 13,
						       .refused_version = 14,
						       .refused_length = 15,
						       .refused_cluster = 16,
						       .refused_sender = 17,
						       .refused_key = 18,
						       .rtt_us = 340,
						       .loss_permille = 19,
						       .flaps = 20,
						       .type = YOKE_PATH_TYPE_UDP,
						       .role = YOKE_PATH_ROLE_PUBLIC,
						       .interval_ms = 21,
						       .rtt_min_us = 22,
						       .rtt_mean_us = 23,
						       .rtt_max_us = 24,
						       .jitter_us = 25,
						       .loss_hour_permille = 26,
						       .delayed = 6000000000};
	snapshot.link[1] = (struct yoke_snapshot_path){.node = 2,
						       .path = 2,
						       .name = "blue",
						       .local = "[2001:db8::1]:4747",
						       .remote = "/dev/ttyS0",
						       .state = YOKE_PATH_ONE_WAY,
						       .type = YOKE_PATH_TYPE_SERIAL,
						       .role = YOKE_PATH_ROLE_PRIVATE,
						       .interval_ms = 401,
						       .reason = "agetty uses it"};
}

static void fill_groups(void)
{
	snapshot.group_count = 2;
	snapshot.group[0] = (struct yoke_snapshot_group){.name = "web",
							 .owner = 1,
							 .preferred = 1,
							 .term = 4294967296,
							 .state = YOKE_GROUP_STARTED,
							 .condition = YOKE_CONDITION_DEGRADED,
							 .changed_wall_ms = at(5),
							 .moves = 3,
							 .parallel = true,
							 .pinned = true,
							 .reason = "preferred node"};
	snapshot.group[1] = (struct yoke_snapshot_group){.name = "mail",
							 .exclusive = true,
							 .maintenance = true,
							 .manual = true,
							 .priority = 7,
							 .preferred = 2,
							 .state = YOKE_GROUP_HELD,
							 .condition = YOKE_CONDITION_CRITICAL,
							 .reason = "beta still answers"};
	snapshot.member_count = 3;
	snapshot.member[0] = (struct yoke_snapshot_member){1, 1, 1, YOKE_GROUP_STARTED, true, ""};
	snapshot.member[1] =
		(struct yoke_snapshot_member){1, 2, 2, YOKE_GROUP_STOPPED, false, "node is lost"};
	snapshot.member[2] = (struct yoke_snapshot_member){2, 2, 1, YOKE_GROUP_UNKNOWN, false, ""};
	snapshot.resource_count = 2;
	snapshot.resource[0] = (struct yoke_snapshot_resource){
		.group = 1,
		.name = "web-ip",
		.type = YOKE_RESOURCE_TYPE_ADDRESS,
		.text = "192.0.2.10/24 on eth0",
		.state = {YOKE_RESOURCE_STARTED, YOKE_RESOURCE_UNKNOWN},
		.usable = true,
		.restores = 2};
	snapshot.resource[1] = (struct yoke_snapshot_resource){
		.group = 2, .name = "mail-ip", .reason = "no carrier"};
	snapshot.key_count = 2;
	snapshot.key[0] = (struct yoke_snapshot_key){7, 1772236800000, true, false, false, true};
	snapshot.key[1] = (struct yoke_snapshot_key){8, 0, true, true, true, false};
	snapshot.unready_count = 2;
	snapshot.unready[0] = (struct yoke_snapshot_unready){"node beta is lost"};
	snapshot.unready[1] = (struct yoke_snapshot_unready){"arbiter pdu: no answer"};
	snapshot.lease_ms = 2000;
	snapshot.lease_left_ms = -1;
	snapshot.watchdog_ms = 5000;
	snapshot.watchdog = true;
	snapshot.arbiter_count = 2;
	snapshot.arbiter[0] = (struct yoke_snapshot_arbiter){.name = "pdu",
							     .type = YOKE_ARBITER_TYPE_FENCE,
							     .text = "fence_apc, level 1",
							     .state = YOKE_ARBITER_FAILED,
							     .changed_wall_ms = at(8),
							     .tested_wall_ms = at(9),
							     .reason = "no answer"};
	snapshot.arbiter[1] = (struct yoke_snapshot_arbiter){.name = "third",
							     .type = YOKE_ARBITER_TYPE_WITNESS,
							     .text = "192.0.2.7:4748",
							     .state = YOKE_ARBITER_HELD,
							     .holder = 1};
}

/* Numbers out of order: the walk must sort them. */
static void fill_operations(void)
{
	snapshot.operation_count = 2;
	snapshot.operation[0] = (struct yoke_snapshot_operation){.number = 33554433,
								 .verb = YOKE_VERB_STANDBY,
								 .origin = YOKE_ORIGIN_CLI,
								 .node = 2,
								 .state = YOKE_OPERATION_SUCCEEDED,
								 .started_wall_ms = at(10),
								 .ended_wall_ms = at(11),
								 .reason = "maintenance"};
	snapshot.operation[1] = (struct yoke_snapshot_operation){.number = 16777217,
								 .verb = YOKE_VERB_SWITCH,
								 .origin = YOKE_ORIGIN_SNMP,
								 .group = 1,
								 .node = 1,
								 .state = YOKE_OPERATION_RUNNING,
								 .started_wall_ms = at(12)};
}

static void fill_events(void)
{
	struct yoke_event lost = {.seq = 41,
				  .wall_ms = at(30),
				  .kind = YOKE_EVENT_NODE_LOST,
				  .severity = YOKE_SEVERITY_CRITICAL,
				  .node = 2,
				  .from = YOKE_NODE_ONLINE,
				  .to = YOKE_NODE_LOST,
				  .reason = "silent",
				  .text = "node beta is lost: silent"};
	struct yoke_event started = {.seq = 4294967338,
				     .wall_ms = at(31),
				     .kind = YOKE_EVENT_OPERATION_STARTED,
				     .severity = YOKE_SEVERITY_INFO,
				     .node = 1,
				     .peer = 2,
				     .group = 1,
				     .verb = YOKE_VERB_SWITCH,
				     .origin = YOKE_ORIGIN_SNMP,
				     .value = 4294967299,
				     .text = "operation"};
	struct yoke_event path = {.seq = 4294967339,
				  .wall_ms = at(32),
				  .kind = YOKE_EVENT_PATH_DOWN,
				  .severity = YOKE_SEVERITY_WARNING,
				  .node = 2,
				  .path = 2,
				  .to = YOKE_PATH_DOWN};
	struct yoke_event resource = {.seq = 4294967340,
				      .kind = YOKE_EVENT_RESOURCE_FAILED,
				      .severity = YOKE_SEVERITY_WARNING,
				      .node = 1,
				      .group = 2,
				      .resource = 2,
				      .from = YOKE_RESOURCE_STARTED,
				      .to = YOKE_RESOURCE_FAILED};

	subagent_ring_clear(&ring);
	subagent_ring_add(&ring, &lost);
	subagent_ring_add(&ring, &started);
	subagent_ring_add(&ring, &path);
	subagent_ring_add(&ring, &resource);
}

static int fill(void **state)
{
	(void)state;
	memset(&snapshot, 0, sizeof(snapshot));
	snapshot = (struct yoke_snapshot){.cluster = "shop",
					  .version = "0.1.0",
					  .self = 1,
					  .condition = YOKE_CONDITION_CRITICAL,
					  .text = "group mail has no owner",
					  .taken_wall_ms = at(40),
					  .engine_started_wall_ms = at(0),
					  .last_event = 4294967340,
					  .interval_ms = 100,
					  .late_ms = 500,
					  .dead_ms = 1000,
					  .snmp_set = true};
	fill_nodes();
	fill_groups();
	fill_operations();
	fill_events();
	view = (struct subagent_view){.snapshot = &snapshot,
				      .ring = &ring,
				      .names = &names,
				      .self = 1,
				      .condition_changed_wall_ms = at(33),
				      .control_lock = 7,
				      .figures = {.data_age_ms = 120,
						  .started_wall_ms = at(3),
						  .engine_connected = true,
						  .notifications_sent = 21,
						  .notifications_acknowledged = 20,
						  .notifications_waiting = 1,
						  .events_missed = 2,
						  .sets_accepted = 3,
						  .sets_refused = 4,
						  .sessions = 5}};
	return 0;
}

/* Ask the handler as net-snmp does.  name[*len] is the whole name; after a GETNEXT the found one.
 * Returns the type of the value in variable, to be reset by the caller. */
static u_char ask(int mode, oid *name, size_t *len, bool inclusive, netsnmp_variable_list *variable)
{
	oid root[MAX_OID_LEN];
	netsnmp_handler_registration registration = {.my_reg_void = &handler, .rootoid = root};
	netsnmp_agent_request_info info = {.mode = mode};
	netsnmp_request_info request = {.requestvb = variable, .inclusive = inclusive};

	registration.rootoid_len = subagent_handler_objects(root);
	memset(variable, 0, sizeof(*variable));
	snmp_set_var_objid(variable, name, *len);
	variable->type = ASN_NULL;
	assert_int_equal(subagent_handler_call(NULL, &registration, &info, &request), 0);
	*len = variable->name_length;
	memcpy(name, variable->name, *len * sizeof(oid));
	return variable->type;
}

static void render_octets(const netsnmp_variable_list *v, char *text, size_t size)
{
	size_t i, used = 0;
	bool plain = true;

	for (i = 0; i < v->val_len; i++)
		plain = plain && v->val.string[i] >= ' ' && v->val.string[i] < 0x7f;
	if (plain) {
		snprintf(text, size, "OCTETS \"%.*s\"", (int)v->val_len,
			 (const char *)v->val.string);
		return;
	}
	used = (size_t)snprintf(text, size, "OCTETS");
	for (i = 0; i < v->val_len; i++)
		used += (size_t)snprintf(text + used, size - used, " %02x", v->val.string[i]);
}

static void render_value(const netsnmp_variable_list *v, char *text, size_t size)
{
	switch (v->type) {
	case ASN_INTEGER:
		snprintf(text, size, "INTEGER %ld", *v->val.integer);
		break;
	case ASN_UNSIGNED:
		snprintf(text, size, "UNSIGNED %lu", (u_long)*v->val.integer);
		break;
	case ASN_COUNTER:
		snprintf(text, size, "COUNTER32 %lu", (u_long)*v->val.integer);
		break;
	case ASN_COUNTER64:
		snprintf(text, size, "COUNTER64 %llu",
			 (unsigned long long)v->val.counter64->high << 32 | v->val.counter64->low);
		break;
	case ASN_OCTET_STR:
		render_octets(v, text, size);
		break;
	default:
		fail_msg("type %d", v->type);
	}
}

static size_t render_line(const oid *name, size_t len, size_t root_len,
			  const netsnmp_variable_list *v, char *line)
{
	size_t used = 0, i;

	for (i = root_len; i < len; i++)
		used += (size_t)snprintf(line + used, LINE_SIZE - used, "%s%lu",
					 i == root_len ? "" : ".", name[i]);
	line[used++] = ' ';
	render_value(v, line + used, LINE_SIZE - used - 1);
	used += strlen(line + used);
	line[used++] = '\n';
	return used;
}

/* Everything, by GETNEXT; each instance is asked for by GET too.  Returns the instances. */
static unsigned walk(char *text)
{
	oid name[MAX_OID_LEN], root[MAX_OID_LEN];
	size_t root_len = subagent_handler_objects(root), len = root_len, used = 0;
	unsigned count = 0;

	memcpy(name, root, sizeof(root));
	for (;;) {
		netsnmp_variable_list next, got;
		char line[LINE_SIZE], again[LINE_SIZE];
		oid before[MAX_OID_LEN];
		size_t before_len = len, line_len;

		memcpy(before, name, sizeof(before));
		if (ask(MODE_GETNEXT, name, &len, false, &next) == ASN_NULL) {
			snmp_reset_var_buffers(&next);
			break;
		}
		assert_true(snmp_oid_compare(name, len, before, before_len) > 0);
		line_len = render_line(name, len, root_len, &next, line);
		ask(MODE_GET, name, &len, false, &got);
		assert_int_equal(render_line(name, len, root_len, &got, again), line_len);
		assert_memory_equal(line, again, line_len);
		snmp_reset_var_buffers(&next);
		snmp_reset_var_buffers(&got);
		assert_true(used + line_len < WALK_SIZE);
		memcpy(text + used, line, line_len);
		used += line_len;
		count++;
	}
	text[used] = '\0';
	return count;
}

static void the_walk_is_golden(void **state)
{
	static char text[WALK_SIZE], golden[WALK_SIZE];
	const char *mode = getenv("YOKE_GOLDEN");
	bool write_it = mode != NULL && strcmp(mode, "write") == 0;
	FILE *file = fopen(GOLDEN, write_it ? "w" : "r");
	size_t got;

	(void)state;
	if (file == NULL)
		fail_msg("cannot open " GOLDEN ": run this from the top of the tree");
	walk(text);
	if (write_it)
		fputs(text, file);
	got = write_it ? 0 : fread(golden, 1, sizeof(golden) - 1, file);
	fclose(file);
	golden[got] = '\0';
	if (!write_it)
		assert_string_equal(text, golden);
}

static void old_data_is_not_shown(void **state)
{
	static char text[WALK_SIZE];

	(void)state;
	view.snapshot = NULL;
	walk(text);
	assert_memory_equal(text, "10.1.2.41 ", 10); /* events first, then the agent */
	assert_non_null(strstr(text, "\n11.1.0 UNSIGNED 120\n"));
	assert_null(strstr(text, "\n9."));
}

static u_char get(const uint32_t *below, size_t count, int mode, bool inclusive)
{
	netsnmp_variable_list variable;
	oid name[MAX_OID_LEN];
	size_t len = subagent_handler_objects(name), i;
	u_char type;

	for (i = 0; i < count; i++)
		name[len++] = below[i];
	type = ask(mode, name, &len, inclusive, &variable);
	snmp_reset_var_buffers(&variable);
	return type;
}

static void what_is_not_there_is_said_so(void **state)
{
	(void)state;
	assert_int_equal(get((uint32_t[]){1, 1, 0}, 3, MODE_GET, false), ASN_OCTET_STR);
	assert_int_equal(get((uint32_t[]){1, 1, 1}, 3, MODE_GET, false), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get((uint32_t[]){1, 1}, 2, MODE_GET, false), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get((uint32_t[]){1, 1, 0, 0}, 4, MODE_GET, false), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get((uint32_t[]){1, 99, 0}, 3, MODE_GET, false), SNMP_NOSUCHOBJECT);
	assert_int_equal(get((uint32_t[]){99, 1, 0}, 3, MODE_GET, false), SNMP_NOSUCHOBJECT);
	assert_int_equal(get((uint32_t[]){2, 1, 1, 1}, 4, MODE_GET, false), SNMP_NOSUCHOBJECT);
	assert_int_equal(get((uint32_t[]){2, 1, 2, 3}, 4, MODE_GET, false), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get((uint32_t[]){3, 1, 2, 1, 1}, 5, MODE_GET, false), SNMP_NOSUCHINSTANCE);
	assert_int_equal(get(NULL, 0, MODE_GET, false), SNMP_NOSUCHOBJECT);
	assert_int_equal(get((uint32_t[]){14, 1, 7, 2}, 4, MODE_GETNEXT, false), ASN_NULL);
	assert_int_equal(get((uint32_t[]){14, 1, 7, 2}, 4, MODE_GETNEXT, true), ASN_INTEGER);
	assert_int_equal(get((uint32_t[]){UINT32_MAX}, 1, MODE_GETNEXT, false), ASN_NULL);
}

static void a_notification_repeats_the_row(void **state)
{
	unsigned row, i;

	(void)state;
	for (row = 0; row < ring.count; row++) {
		for (i = 0; i < SUBAGENT_EVENT_VARBINDS; i++) {
			struct subagent_value sent, read;
			uint32_t name[SUBAGENT_NAME_MAX];
			size_t len = subagent_event_varbind(&view, subagent_ring_at(&ring, row), i,
							    name, &sent);

			assert_int_equal(subagent_tree_get(&view, name, len, &read),
					 SUBAGENT_FOUND);
			assert_int_equal(sent.type, read.type);
			assert_int_not_equal(sent.type, SUBAGENT_COUNTER64);
			if (sent.type == SUBAGENT_OCTETS)
				assert_memory_equal(sent.octets, read.octets, sent.len);
		}
	}
}

static void the_ring_keeps_the_newest(void **state)
{
	static struct subagent_ring full;
	struct yoke_event event = {0};

	(void)state;
	assert_int_equal(subagent_ring_newest(&full), 0);
	assert_null(subagent_ring_after(&full, 0));
	for (event.seq = 2; event.seq <= 2 * (YOKE_EVENTS_MAX + 10); event.seq += 2)
		subagent_ring_add(&full, &event);
	assert_int_equal(full.count, YOKE_EVENTS_MAX);
	assert_int_equal(subagent_ring_at(&full, 0)->seq, 22);
	assert_int_equal(subagent_ring_newest(&full), 2 * (YOKE_EVENTS_MAX + 10));
	assert_int_equal(subagent_ring_after(&full, 0)->seq, 22);
	assert_int_equal(subagent_ring_after(&full, 22)->seq, 24);
	assert_int_equal(subagent_ring_after(&full, 23)->seq, 24);
	assert_null(subagent_ring_after(&full, event.seq));
}

static enum subagent_error write_unsigned(struct subagent_wish *wish, const uint32_t *name,
					  size_t len, uint32_t number)
{
	struct subagent_value value;

	subagent_value_unsigned(&value, number);
	return subagent_wish_add(wish, &view, name, len, &value);
}

static void a_wish_becomes_a_request(void **state)
{
	static const uint32_t owner[] = {9, 3, 1, 1, 1}, standby[] = {9, 4, 1, 1, 2};
	struct subagent_wish wish;
	struct subagent_value value;

	(void)state;
	subagent_wish_init(&wish);
	subagent_value_text(&value, "ticket 12");
	assert_int_equal(subagent_wish_add(&wish, &view, (uint32_t[]){9, 2, 0}, 3, &value), 0);
	assert_int_equal(write_unsigned(&wish, owner, 5, 2), SUBAGENT_NO_ERROR);
	assert_true(wish.has_request);
	assert_int_equal(wish.request.verb, YOKE_VERB_SWITCH);
	assert_string_equal(wish.request.group, "web");
	assert_string_equal(wish.request.node, "beta");
	assert_string_equal(wish.request.reason, "ticket 12");
	subagent_value_truth(&value, true);
	assert_int_equal(subagent_wish_add(&wish, &view, standby, 5, &value),
			 SUBAGENT_INCONSISTENT_VALUE);
	subagent_wish_init(&wish);
	assert_int_equal(subagent_wish_add(&wish, &view, standby, 5, &value), SUBAGENT_NO_ERROR);
	assert_int_equal(wish.request.verb, YOKE_VERB_STANDBY);
	assert_int_equal(write_unsigned(&wish, (uint32_t[]){4, 1, 5, 1}, 4, 2),
			 SUBAGENT_NOT_WRITABLE);
	snapshot.snmp_set = false;
	subagent_wish_init(&wish);
	assert_int_equal(write_unsigned(&wish, owner, 5, 2), SUBAGENT_NOT_WRITABLE);
	assert_true(wish.engine_refuses);
	view.snapshot = NULL;
	assert_int_equal(write_unsigned(&wish, owner, 5, 2), SUBAGENT_RESOURCE_UNAVAILABLE);
}

static void maintenance_is_of_one_three(void **state)
{
	static const struct {
		uint32_t name[5];
		size_t len;
		const char *group, *node;
	} all[] = {{{9, 5, 0}, 3, "", ""},
		   {{9, 3, 1, 2, 1}, 5, "web", ""},
		   {{9, 4, 1, 3, 2}, 5, "", "beta"}};
	struct subagent_wish wish;
	struct subagent_value value;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (int on = 0; on < 2; on++) {
			subagent_wish_init(&wish);
			subagent_value_truth(&value, on);
			assert_int_equal(
				subagent_wish_add(&wish, &view, all[i].name, all[i].len, &value),
				SUBAGENT_NO_ERROR);
			assert_int_equal(wish.request.verb,
					 on ? YOKE_VERB_MAINTENANCE : YOKE_VERB_RESUME);
			assert_string_equal(wish.request.group, all[i].group);
			assert_string_equal(wish.request.node, all[i].node);
			assert_int_equal(
				subagent_wish_add(&wish, &view, all[i].name, all[i].len, &value),
				SUBAGENT_INCONSISTENT_VALUE);
		}
	/* Nothing that is not there is taken for the whole cluster. */
	subagent_wish_init(&wish);
	assert_int_equal(subagent_wish_add(&wish, &view, (uint32_t[]){9, 3, 1, 2, 0}, 5, &value),
			 SUBAGENT_NO_CREATION);
	subagent_wish_init(&wish);
	assert_int_equal(subagent_wish_add(&wish, &view, (uint32_t[]){9, 4, 1, 3, 9}, 5, &value),
			 SUBAGENT_NO_CREATION);
	assert_string_not_equal(wish.request.node, "");
}

static void the_cursor_survives(void **state)
{
	char file[] = "/tmp/yoke-cursor-XXXXXX";
	int fd = mkstemp(file);
	uint64_t seq;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(file);
	assert_int_equal(subagent_cursor_load(file, &seq), 0);
	assert_int_equal(seq, 0);
	assert_int_equal(subagent_cursor_save(file, UINT64_MAX), 0);
	assert_int_equal(subagent_cursor_load(file, &seq), 0);
	assert_true(seq == UINT64_MAX);
	unlink(file);
	assert_int_equal(subagent_cursor_save("/nonexistent/file", 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_walk_is_golden, fill),
		cmocka_unit_test_setup(old_data_is_not_shown, fill),
		cmocka_unit_test_setup(what_is_not_there_is_said_so, fill),
		cmocka_unit_test_setup(a_notification_repeats_the_row, fill),
		cmocka_unit_test(the_ring_keeps_the_newest),
		cmocka_unit_test_setup(a_wish_becomes_a_request, fill),
		cmocka_unit_test_setup(maintenance_is_of_one_three, fill),
		cmocka_unit_test(the_cursor_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
