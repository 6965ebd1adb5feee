/* yokeResourceTable, and yokeResourceNodeTable: a resource, and its state on each node. */
#include "subagent/tree.h"

enum {
	NAME = 2, /* 1 is the index */
	GROUP,
	GROUP_NAME,
	TYPE,
	TEXT,
	USABLE,
	RESTORES,
	REASON,
};

static unsigned resource_rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->resource_count : 0;
}

static void resource_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static void resource_value(const struct subagent_view *view, unsigned row, uint32_t column,
			   struct subagent_value *v)
{
	const struct yoke_snapshot_resource *resource = &view->snapshot->resource[row];
	unsigned group = resource->group;

	switch (column) {
	case NAME:
		subagent_value_text(v, resource->name);
		break;
	case GROUP:
		subagent_value_unsigned(v, group);
		break;
	case GROUP_NAME:
		subagent_value_text(v, group >= 1 && group <= view->snapshot->group_count
					       ? view->snapshot->group[group - 1].name
					       : "");
		break;
	case TYPE:
		subagent_value_word(v, (int)resource->type);
		break;
	case TEXT:
		subagent_value_text(v, resource->text);
		break;
	case USABLE:
		subagent_value_truth(v, resource->usable);
		break;
	case RESTORES:
		subagent_value_counter32(v, resource->restores);
		break;
	case REASON:
		subagent_value_text(v, resource->reason);
		break;
	}
}

const struct subagent_table subagent_resource_table = {
	.prefix = {6, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NAME,
	.last_column = REASON,
	.rows = resource_rows,
	.index = resource_index,
	.value = resource_value,
};

enum { NODE_STATE = 1 };

static unsigned state_rows(const struct subagent_view *view)
{
	return resource_rows(view) * (view->snapshot != NULL ? view->snapshot->node_count : 0);
}

static void state_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	index[0] = row / view->snapshot->node_count + 1;
	index[1] = row % view->snapshot->node_count + 1;
}

static void state_value(const struct subagent_view *view, unsigned row, uint32_t column,
			struct subagent_value *v)
{
	uint32_t index[2];

	(void)column;
	state_index(view, row, index);
	subagent_value_word(v, (int)view->snapshot->resource[index[0] - 1].state[index[1] - 1]);
}

const struct subagent_table subagent_resource_node_table = {
	.prefix = {7, 1},
	.prefix_len = 2,
	.index_len = 2,
	.first_column = NODE_STATE,
	.last_column = NODE_STATE,
	.rows = state_rows,
	.index = state_index,
	.value = state_value,
};
