/* yokeNodeTable. */
#include "subagent/tree.h"

enum {
	NAME = 2, /* 1 is the index */
	STATE,
	IS_LOCAL,
	STANDBY,
	CONFIG_SAME,
	VERSION,
	CHANGED,
	STARTED,
	PATHS_UP,
	GROUPS_OWNED,
	IN_MAINTENANCE,
	PROTOCOL_OLDEST,
	PROTOCOL_NEWEST,
	PROTOCOL_COMMON,
	CONFIG_DIFFERS,
};

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->node_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static uint32_t groups_owned(const struct yoke_snapshot *s, unsigned node)
{
	uint32_t i, count = 0;

	for (i = 0; i < s->group_count; i++)
		count += s->group[i].owner == node;
	return count;
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot_node *node = &view->snapshot->node[row];

	switch (column) {
	case NAME:
		subagent_value_text(v, node->name);
		break;
	case STATE:
		subagent_value_word(v, (int)node->state);
		break;
	case IS_LOCAL:
		subagent_value_truth(v, view->snapshot->self == row + 1);
		break;
	case STANDBY:
		subagent_value_truth(v, node->standby);
		break;
	case CONFIG_SAME:
		subagent_value_truth(v, node->config_same);
		break;
	case VERSION:
		subagent_value_text(v, node->version);
		break;
	case CHANGED:
		subagent_value_when(v, node->changed_wall_ms);
		break;
	case STARTED:
		subagent_value_when(v, node->started_wall_ms);
		break;
	case PATHS_UP:
		subagent_value_unsigned(v, node->paths_up);
		break;
	case GROUPS_OWNED:
		subagent_value_unsigned(v, groups_owned(view->snapshot, row + 1));
		break;
	case IN_MAINTENANCE:
		subagent_value_truth(v, node->maintenance);
		break;
	case PROTOCOL_OLDEST:
		subagent_value_unsigned(v, node->protocol_min);
		break;
	case PROTOCOL_NEWEST:
		subagent_value_unsigned(v, node->protocol_max);
		break;
	case PROTOCOL_COMMON:
		subagent_value_unsigned(v, node->protocol);
		break;
	case CONFIG_DIFFERS:
		subagent_value_text(v, node->config_differs);
		break;
	}
}

const struct subagent_table subagent_node_table = {
	.prefix = {2, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NAME,
	.last_column = CONFIG_DIFFERS,
	.rows = rows,
	.index = index_of,
	.value = value,
};
