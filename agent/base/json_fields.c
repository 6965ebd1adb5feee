#include "agent/base/json_fields.h"

#include <string.h>

#include "agent/base/json.h"

/* No enumeration has more numbers, event kinds included. */
enum { WORDS_MAX = 96 };

#define PLACE(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define FIELD(type, key, kind, member)                                                             \
	{                                                                                          \
		key, kind, PLACE(type, member), NULL, false                                        \
	}
#define MAYBE(type, key, kind, member)                                                             \
	{                                                                                          \
		key, kind, PLACE(type, member), NULL, true                                         \
	}
#define WORDS(type, key, function, member)                                                         \
	{                                                                                          \
		key, YOKE_JSON_WORD, PLACE(type, member), function, false                          \
	}
#define MAYBE_WORDS(type, key, function, member)                                                   \
	{                                                                                          \
		key, YOKE_JSON_WORD, PLACE(type, member), function, true                           \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, YOKE_JSON_TEXT, 0, 0, NULL, false                                            \
	}

#define ROW yoke_event
static const struct yoke_json_field event_fields[] = {
	FIELD(ROW, "seq", YOKE_JSON_UNSIGNED, seq),
	FIELD(ROW, "wall_ms", YOKE_JSON_SIGNED, wall_ms),
	FIELD(ROW, "mono_us", YOKE_JSON_SIGNED, mono_us), WORDS(ROW, "kind", yoke_event_name, kind),
	WORDS(ROW, "severity", yoke_word_severity, severity),
	MAYBE(ROW, "node", YOKE_JSON_NODE, node), MAYBE(ROW, "peer", YOKE_JSON_NODE, peer),
	MAYBE(ROW, "path", YOKE_JSON_PATH, path), MAYBE(ROW, "group", YOKE_JSON_GROUP, group),
	MAYBE(ROW, "resource", YOKE_JSON_RESOURCE, resource),
	MAYBE(ROW, "arbiter", YOKE_JSON_ARBITER, arbiter),
	MAYBE_WORDS(ROW, "verb", yoke_word_verb, verb),
	MAYBE_WORDS(ROW, "origin", yoke_word_origin, origin),
	/* After the numbers that say what the subject is. */
	MAYBE(ROW, "from", YOKE_JSON_SUBJECT, from), MAYBE(ROW, "to", YOKE_JSON_SUBJECT, to),
	MAYBE(ROW, "value", YOKE_JSON_UNSIGNED, value),
	MAYBE(ROW, "reason", YOKE_JSON_TEXT, reason), FIELD(ROW, "text", YOKE_JSON_TEXT, text),
	END};
#undef ROW

#define ROW yoke_snapshot_node
static const struct yoke_json_field node_fields[] = {
	FIELD(ROW, "name", YOKE_JSON_TEXT, name),
	WORDS(ROW, "state", yoke_word_node_state, state),
	FIELD(ROW, "standby", YOKE_JSON_BOOLEAN, standby),
	FIELD(ROW, "maintenance", YOKE_JSON_BOOLEAN, maintenance),
	FIELD(ROW, "config_same", YOKE_JSON_BOOLEAN, config_same),
	FIELD(ROW, "config_differs", YOKE_JSON_TEXT, config_differs),
	FIELD(ROW, "protocol_min", YOKE_JSON_UNSIGNED, protocol_min),
	FIELD(ROW, "protocol_max", YOKE_JSON_UNSIGNED, protocol_max),
	FIELD(ROW, "protocol", YOKE_JSON_UNSIGNED, protocol),
	FIELD(ROW, "version", YOKE_JSON_TEXT, version),
	FIELD(ROW, "changed_wall_ms", YOKE_JSON_SIGNED, changed_wall_ms),
	FIELD(ROW, "started_wall_ms", YOKE_JSON_SIGNED, started_wall_ms),
	FIELD(ROW, "paths_up", YOKE_JSON_UNSIGNED, paths_up),
	END};
#undef ROW

#define ROW yoke_snapshot_path
static const struct yoke_json_field path_fields[] = {
	FIELD(ROW, "node", YOKE_JSON_NODE, node),
	FIELD(ROW, "path", YOKE_JSON_PATH, path),
	FIELD(ROW, "name", YOKE_JSON_TEXT, name),
	WORDS(ROW, "type", yoke_word_path_type, type),
	WORDS(ROW, "role", yoke_word_path_role, role),
	FIELD(ROW, "interval_ms", YOKE_JSON_UNSIGNED, interval_ms),
	FIELD(ROW, "local", YOKE_JSON_TEXT, local),
	FIELD(ROW, "remote", YOKE_JSON_TEXT, remote),
	FIELD(ROW, "interface", YOKE_JSON_TEXT, interface),
	FIELD(ROW, "multicast", YOKE_JSON_TEXT, multicast),
	WORDS(ROW, "state", yoke_word_path_state, state),
	FIELD(ROW, "changed_wall_ms", YOKE_JSON_SIGNED, changed_wall_ms),
	FIELD(ROW, "sent", YOKE_JSON_UNSIGNED, sent),
	FIELD(ROW, "received", YOKE_JSON_UNSIGNED, received),
	FIELD(ROW, "missed", YOKE_JSON_UNSIGNED, missed),
	FIELD(ROW, "refused_seal", YOKE_JSON_UNSIGNED, refused_seal),
	FIELD(ROW, "refused_replay", YOKE_JSON_UNSIGNED, refused_replay),
	FIELD(ROW, "refused_version", YOKE_JSON_UNSIGNED, refused_version),
	FIELD(ROW, "refused_length", YOKE_JSON_UNSIGNED, refused_length),
	FIELD(ROW, "refused_cluster", YOKE_JSON_UNSIGNED, refused_cluster),
	FIELD(ROW, "refused_sender", YOKE_JSON_UNSIGNED, refused_sender),
	FIELD(ROW, "refused_key", YOKE_JSON_UNSIGNED, refused_key),
	FIELD(ROW, "rtt_us", YOKE_JSON_UNSIGNED, rtt_us),
	FIELD(ROW, "loss_permille", YOKE_JSON_UNSIGNED, loss_permille),
	FIELD(ROW, "loss_hour_permille", YOKE_JSON_UNSIGNED, loss_hour_permille),
	FIELD(ROW, "rtt_min_us", YOKE_JSON_UNSIGNED, rtt_min_us),
	FIELD(ROW, "rtt_mean_us", YOKE_JSON_UNSIGNED, rtt_mean_us),
	FIELD(ROW, "rtt_max_us", YOKE_JSON_UNSIGNED, rtt_max_us),
	FIELD(ROW, "jitter_us", YOKE_JSON_UNSIGNED, jitter_us),
	FIELD(ROW, "delayed", YOKE_JSON_UNSIGNED, delayed),
	FIELD(ROW, "flaps", YOKE_JSON_UNSIGNED, flaps),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_group
static const struct yoke_json_field group_fields[] = {
	FIELD(ROW, "name", YOKE_JSON_TEXT, name),
	FIELD(ROW, "exclusive", YOKE_JSON_BOOLEAN, exclusive),
	FIELD(ROW, "parallel", YOKE_JSON_BOOLEAN, parallel),
	FIELD(ROW, "manual", YOKE_JSON_BOOLEAN, manual),
	FIELD(ROW, "maintenance", YOKE_JSON_BOOLEAN, maintenance),
	FIELD(ROW, "pinned", YOKE_JSON_BOOLEAN, pinned),
	FIELD(ROW, "priority", YOKE_JSON_UNSIGNED, priority),
	FIELD(ROW, "owner", YOKE_JSON_NODE, owner),
	FIELD(ROW, "preferred", YOKE_JSON_NODE, preferred),
	FIELD(ROW, "term", YOKE_JSON_UNSIGNED, term),
	WORDS(ROW, "state", yoke_word_group_state, state),
	WORDS(ROW, "condition", yoke_word_condition, condition),
	FIELD(ROW, "changed_wall_ms", YOKE_JSON_SIGNED, changed_wall_ms),
	FIELD(ROW, "moves", YOKE_JSON_UNSIGNED, moves),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_member
static const struct yoke_json_field member_fields[] = {
	FIELD(ROW, "group", YOKE_JSON_GROUP, group),
	FIELD(ROW, "node", YOKE_JSON_NODE, node),
	FIELD(ROW, "rank", YOKE_JSON_UNSIGNED, rank),
	WORDS(ROW, "state", yoke_word_group_state, state),
	FIELD(ROW, "ready", YOKE_JSON_BOOLEAN, ready),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_resource
static const struct yoke_json_field resource_fields[] = {
	FIELD(ROW, "group", YOKE_JSON_GROUP, group),
	FIELD(ROW, "name", YOKE_JSON_TEXT, name),
	WORDS(ROW, "type", yoke_word_resource_type, type),
	FIELD(ROW, "text", YOKE_JSON_TEXT, text),
	FIELD(ROW, "state", YOKE_JSON_STATES, state),
	FIELD(ROW, "usable", YOKE_JSON_BOOLEAN, usable),
	FIELD(ROW, "restores", YOKE_JSON_UNSIGNED, restores),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_arbiter
static const struct yoke_json_field arbiter_fields[] = {
	FIELD(ROW, "name", YOKE_JSON_TEXT, name),
	WORDS(ROW, "type", yoke_word_arbiter_type, type),
	FIELD(ROW, "text", YOKE_JSON_TEXT, text),
	WORDS(ROW, "state", yoke_word_arbiter_state, state),
	MAYBE(ROW, "holder", YOKE_JSON_NODE, holder),
	FIELD(ROW, "changed_wall_ms", YOKE_JSON_SIGNED, changed_wall_ms),
	FIELD(ROW, "tested_wall_ms", YOKE_JSON_SIGNED, tested_wall_ms),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_unready
static const struct yoke_json_field unready_fields[] = {
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason), END};
#undef ROW

#define ROW yoke_snapshot_operation
static const struct yoke_json_field operation_fields[] = {
	FIELD(ROW, "number", YOKE_JSON_UNSIGNED, number),
	WORDS(ROW, "verb", yoke_word_verb, verb),
	WORDS(ROW, "origin", yoke_word_origin, origin),
	FIELD(ROW, "group", YOKE_JSON_GROUP, group),
	FIELD(ROW, "node", YOKE_JSON_NODE, node),
	WORDS(ROW, "state", yoke_word_operation_state, state),
	FIELD(ROW, "started_wall_ms", YOKE_JSON_SIGNED, started_wall_ms),
	FIELD(ROW, "ended_wall_ms", YOKE_JSON_SIGNED, ended_wall_ms),
	FIELD(ROW, "reason", YOKE_JSON_TEXT, reason),
	END};
#undef ROW

#define ROW yoke_snapshot_key
static const struct yoke_json_field key_fields[] = {
	FIELD(ROW, "id", YOKE_JSON_UNSIGNED, id),
	FIELD(ROW, "made_wall_ms", YOKE_JSON_SIGNED, made_wall_ms),
	FIELD(ROW, "shown", YOKE_JSON_BOOLEAN, shown),
	FIELD(ROW, "seals", YOKE_JSON_BOOLEAN, seals),
	FIELD(ROW, "opens", YOKE_JSON_BOOLEAN, opens),
	FIELD(ROW, "arbiters", YOKE_JSON_BOOLEAN, arbiters),
	END};
#undef ROW

#define ROW yoke_snapshot
const struct yoke_json_field yoke_json_snapshot_fields[] = {
	FIELD(ROW, "cluster", YOKE_JSON_TEXT, cluster),
	FIELD(ROW, "version", YOKE_JSON_TEXT, version),
	FIELD(ROW, "self", YOKE_JSON_NODE, self),
	WORDS(ROW, "condition", yoke_word_condition, condition),
	FIELD(ROW, "text", YOKE_JSON_TEXT, text),
	FIELD(ROW, "taken_wall_ms", YOKE_JSON_SIGNED, taken_wall_ms),
	FIELD(ROW, "engine_started_wall_ms", YOKE_JSON_SIGNED, engine_started_wall_ms),
	FIELD(ROW, "last_event", YOKE_JSON_UNSIGNED, last_event),
	FIELD(ROW, "interval_ms", YOKE_JSON_UNSIGNED, interval_ms),
	FIELD(ROW, "dead_ms", YOKE_JSON_UNSIGNED, dead_ms),
	FIELD(ROW, "late_ms", YOKE_JSON_UNSIGNED, late_ms),
	FIELD(ROW, "snmp_set", YOKE_JSON_BOOLEAN, snmp_set),
	FIELD(ROW, "realtime", YOKE_JSON_BOOLEAN, realtime),
	FIELD(ROW, "control_lock", YOKE_JSON_UNSIGNED, control_lock),
	FIELD(ROW, "lease_ms", YOKE_JSON_UNSIGNED, lease_ms),
	FIELD(ROW, "lease_left_ms", YOKE_JSON_SIGNED, lease_left_ms),
	FIELD(ROW, "watchdog_ms", YOKE_JSON_UNSIGNED, watchdog_ms),
	FIELD(ROW, "watchdog", YOKE_JSON_BOOLEAN, watchdog),
	FIELD(ROW, "maintenance", YOKE_JSON_BOOLEAN, maintenance),
	FIELD(ROW, "config_reads", YOKE_JSON_UNSIGNED, config_reads),
	FIELD(ROW, "config_reason", YOKE_JSON_TEXT, config_reason),
	FIELD(ROW, "key_reads", YOKE_JSON_UNSIGNED, key_reads),
	FIELD(ROW, "key_reason", YOKE_JSON_TEXT, key_reason),
	END};
#undef ROW

/* Of an operation; the other requests are too small for a table. */
#define ROW yoke_request
const struct yoke_json_field yoke_json_request_fields[] = {
	WORDS(ROW, "do", yoke_word_verb, verb),       MAYBE(ROW, "group", YOKE_JSON_TEXT, group),
	MAYBE(ROW, "node", YOKE_JSON_TEXT, node),     MAYBE(ROW, "by", YOKE_JSON_TEXT, by),
	MAYBE(ROW, "reason", YOKE_JSON_TEXT, reason), END};
#undef ROW

#define TABLE(type, key, fields, rows, count)                                                      \
	{                                                                                          \
		key, fields, PLACE(type, rows), sizeof(((struct type *)0)->rows[0]),               \
			offsetof(struct type, count)                                               \
	}

const struct yoke_json_table yoke_json_snapshot_tables[YOKE_JSON_SNAPSHOT_TABLES] = {
	TABLE(yoke_snapshot, "nodes", node_fields, node, node_count),
	TABLE(yoke_snapshot, "groups", group_fields, group, group_count),
	TABLE(yoke_snapshot, "paths", path_fields, link, link_count),
	TABLE(yoke_snapshot, "members", member_fields, member, member_count),
	TABLE(yoke_snapshot, "resources", resource_fields, resource, resource_count),
	TABLE(yoke_snapshot, "arbiters", arbiter_fields, arbiter, arbiter_count),
	TABLE(yoke_snapshot, "unready", unready_fields, unready, unready_count),
	TABLE(yoke_snapshot, "keys", key_fields, key, key_count),
	TABLE(yoke_snapshot, "operations", operation_fields, operation, operation_count),
};

const struct yoke_json_table yoke_json_event_table =
	TABLE(yoke_answer, "events", event_fields, event, event_count);

uint64_t yoke_json_load(const void *place, size_t size)
{
	uint64_t v64 = 0;
	uint32_t v32;
	uint16_t v16;

	if (size == sizeof(v16)) {
		memcpy(&v16, place, size);
		return v16;
	}
	if (size == sizeof(v32)) {
		memcpy(&v32, place, size);
		return v32;
	}
	memcpy(&v64, place, sizeof(v64));
	return v64;
}

bool yoke_json_store(void *place, size_t size, uint64_t value)
{
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	if (size == sizeof(v16)) {
		memcpy(place, &v16, size);
		return v16 == value;
	}
	if (size == sizeof(v32)) {
		memcpy(place, &v32, size);
		return v32 == value;
	}
	memcpy(place, &value, sizeof(value));
	return true;
}

int yoke_json_number_of(const char *(*word)(int), const char *text)
{
	int n;

	if (strcmp(text, "?") == 0)
		return 0;
	for (n = 1; n < WORDS_MAX; n++)
		if (strcmp(word(n), text) == 0)
			return n;
	return word == yoke_event_name ? YOKE_EVENT_NONE : 1;
}

const char *(*yoke_json_subject_words(const struct yoke_event *event))(int)
{
	if (event->resource != 0)
		return yoke_word_resource_state;
	if (event->group != 0)
		return yoke_word_group_state;
	return event->path != 0 ? yoke_word_path_state : yoke_word_node_state;
}
