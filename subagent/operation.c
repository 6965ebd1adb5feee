/* yokeOperationTable. */
#include "subagent/tree.h"

enum {
	VERB = 2, /* 1 is the index */
	ORIGIN,
	GROUP,
	GROUP_NAME,
	NODE,
	NODE_NAME,
	STATE,
	STARTED,
	ENDED,
	REASON,
};

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->operation_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	index[0] = view->snapshot->operation[row].number;
}

static const char *group_name(const struct yoke_snapshot *s, unsigned group)
{
	return group >= 1 && group <= s->group_count ? s->group[group - 1].name : "";
}

static const char *node_name(const struct yoke_snapshot *s, unsigned node)
{
	return node >= 1 && node <= s->node_count ? s->node[node - 1].name : "";
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot_operation *operation = &view->snapshot->operation[row];

	switch (column) {
	case VERB:
		subagent_value_word(v, (int)operation->verb);
		break;
	case ORIGIN:
		subagent_value_word(v, (int)operation->origin);
		break;
	case GROUP:
		subagent_value_unsigned(v, operation->group);
		break;
	case GROUP_NAME:
		subagent_value_text(v, group_name(view->snapshot, operation->group));
		break;
	case NODE:
		subagent_value_unsigned(v, operation->node);
		break;
	case NODE_NAME:
		subagent_value_text(v, node_name(view->snapshot, operation->node));
		break;
	case STATE:
		subagent_value_word(v, (int)operation->state);
		break;
	case STARTED:
		subagent_value_when(v, operation->started_wall_ms);
		break;
	case ENDED:
		subagent_value_when(v, operation->ended_wall_ms);
		break;
	case REASON:
		subagent_value_text(v, operation->reason);
		break;
	}
}

const struct subagent_table subagent_operation_table = {
	.prefix = {8, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = VERB,
	.last_column = REASON,
	.rows = rows,
	.index = index_of,
	.value = value,
};
