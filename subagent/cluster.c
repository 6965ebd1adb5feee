/* yokeCluster: the scalars. */
#include "subagent/tree.h"

enum {
	NAME = 1,
	CONDITION,
	TEXT,
	VERSION,
	LOCAL_NODE,
	CONDITION_CHANGED,
	TAKEN,
	LAST_EVENT,
	INTERVAL,
	LATE,
	DEAD,
	ENGINE_STARTED,
	REALTIME,
	SET_ENABLED,
	NODES,
	NODES_ONLINE,
	PATHS,
	PATHS_UP,
	GROUPS,
	GROUPS_STARTED,
	RESOURCES,
	LEASE,
	LEASE_LEFT,
	WATCHDOG,
	WATCHDOG_FED,
	IN_MAINTENANCE,
	UNREADY,
};

static uint32_t nodes_online(const struct yoke_snapshot *s)
{
	uint32_t i, count = 0;

	for (i = 0; i < s->node_count; i++)
		count += s->node[i].state == YOKE_NODE_ONLINE;
	return count;
}

static uint32_t paths_up(const struct yoke_snapshot *s)
{
	uint32_t i, count = 0;

	for (i = 0; i < s->link_count; i++)
		count += s->link[i].state == YOKE_PATH_UP;
	return count;
}

static uint32_t groups_started(const struct yoke_snapshot *s)
{
	uint32_t i, count = 0;

	for (i = 0; i < s->group_count; i++)
		count += s->group[i].state == YOKE_GROUP_STARTED;
	return count;
}

static void count_value(const struct yoke_snapshot *s, uint32_t column, struct subagent_value *v)
{
	switch (column) {
	case NODES:
		subagent_value_unsigned(v, s->node_count);
		break;
	case NODES_ONLINE:
		subagent_value_unsigned(v, nodes_online(s));
		break;
	case PATHS:
		subagent_value_unsigned(v, s->link_count);
		break;
	case PATHS_UP:
		subagent_value_unsigned(v, paths_up(s));
		break;
	case GROUPS:
		subagent_value_unsigned(v, s->group_count);
		break;
	case GROUPS_STARTED:
		subagent_value_unsigned(v, groups_started(s));
		break;
	case UNREADY:
		subagent_value_unsigned(v, s->unready_count);
		break;
	case RESOURCES:
		subagent_value_unsigned(v, s->resource_count);
		break;
	}
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot *s = view->snapshot;

	(void)row;
	switch (column) {
	case NAME:
		subagent_value_text(v, s->cluster);
		break;
	case CONDITION:
		subagent_value_word(v, (int)s->condition);
		break;
	case TEXT:
		subagent_value_text(v, s->text);
		break;
	case VERSION:
		subagent_value_text(v, s->version);
		break;
	case LOCAL_NODE:
		subagent_value_unsigned(v, s->self);
		break;
	case CONDITION_CHANGED:
		subagent_value_when(v, view->condition_changed_wall_ms);
		break;
	case TAKEN:
		subagent_value_when(v, s->taken_wall_ms);
		break;
	case LAST_EVENT:
		subagent_value_counter64(v, s->last_event);
		break;
	case INTERVAL:
		subagent_value_unsigned(v, s->interval_ms);
		break;
	case LATE:
		subagent_value_unsigned(v, s->late_ms);
		break;
	case DEAD:
		subagent_value_unsigned(v, s->dead_ms);
		break;
	case ENGINE_STARTED:
		subagent_value_when(v, s->engine_started_wall_ms);
		break;
	case REALTIME:
		subagent_value_truth(v, s->realtime);
		break;
	case SET_ENABLED:
		subagent_value_truth(v, s->snmp_set);
		break;
	case LEASE:
		subagent_value_unsigned(v, s->lease_ms);
		break;
	case LEASE_LEFT:
		subagent_value_integer(v, s->lease_left_ms < INT32_MAX ? (int32_t)s->lease_left_ms
								       : INT32_MAX);
		break;
	case WATCHDOG:
		subagent_value_unsigned(v, s->watchdog_ms);
		break;
	case WATCHDOG_FED:
		subagent_value_truth(v, s->watchdog);
		break;
	case IN_MAINTENANCE:
		subagent_value_truth(v, s->maintenance);
		break;
	default:
		count_value(s, column, v);
	}
}

const struct subagent_table subagent_cluster_table = {
	.prefix = {1},
	.prefix_len = 1,
	.index_len = 1,
	.first_column = NAME,
	.last_column = UNREADY,
	.rows = subagent_tree_one_row_if_fresh,
	.index = subagent_tree_zero_index,
	.value = value,
};
