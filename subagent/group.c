/* yokeGroupTable, and yokeGroupNodeTable: a group in the cluster, and on each of its nodes. */
#include "subagent/tree.h"

enum {
	NAME = 2, /* 1 is the index */
	STATE,
	CONDITION,
	OWNER,
	OWNER_NAME,
	PREFERRED,
	EXCLUSIVE,
	TERM,
	CHANGED,
	MOVES,
	REASON,
	IN_MAINTENANCE,
	IS_PARALLEL,
	IS_MANUAL,
	PRIORITY,
	IS_PINNED,
};

static unsigned group_rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->group_count : 0;
}

static void group_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static void group_value(const struct subagent_view *view, unsigned row, uint32_t column,
			struct subagent_value *v)
{
	const struct yoke_snapshot_group *group = &view->snapshot->group[row];
	unsigned owner = group->owner;

	switch (column) {
	case NAME:
		subagent_value_text(v, group->name);
		break;
	case STATE:
		subagent_value_word(v, (int)group->state);
		break;
	case CONDITION:
		subagent_value_word(v, (int)group->condition);
		break;
	case OWNER:
		subagent_value_unsigned(v, owner);
		break;
	case OWNER_NAME:
		subagent_value_text(v, owner >= 1 && owner <= view->snapshot->node_count
					       ? view->snapshot->node[owner - 1].name
					       : "");
		break;
	case PREFERRED:
		subagent_value_unsigned(v, group->preferred);
		break;
	case EXCLUSIVE:
		subagent_value_truth(v, group->exclusive);
		break;
	case TERM:
		subagent_value_counter64(v, group->term);
		break;
	case CHANGED:
		subagent_value_when(v, group->changed_wall_ms);
		break;
	case MOVES:
		subagent_value_counter32(v, group->moves);
		break;
	case REASON:
		subagent_value_text(v, group->reason);
		break;
	case IN_MAINTENANCE:
		subagent_value_truth(v, group->maintenance);
		break;
	case IS_PARALLEL:
		subagent_value_truth(v, group->parallel);
		break;
	case IS_MANUAL:
		subagent_value_truth(v, group->manual);
		break;
	case PRIORITY:
		subagent_value_unsigned(v, group->priority);
		break;
	case IS_PINNED:
		subagent_value_truth(v, group->pinned);
		break;
	}
}

const struct subagent_table subagent_group_table = {
	.prefix = {4, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NAME,
	.last_column = IS_PINNED,
	.rows = group_rows,
	.index = group_index,
	.value = group_value,
};

enum { MEMBER_RANK = 1, MEMBER_STATE, MEMBER_READY, MEMBER_REASON };

static unsigned member_rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->member_count : 0;
}

static void member_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	index[0] = view->snapshot->member[row].group;
	index[1] = view->snapshot->member[row].node;
}

static void member_value(const struct subagent_view *view, unsigned row, uint32_t column,
			 struct subagent_value *v)
{
	const struct yoke_snapshot_member *member = &view->snapshot->member[row];

	switch (column) {
	case MEMBER_RANK:
		subagent_value_unsigned(v, member->rank);
		break;
	case MEMBER_STATE:
		subagent_value_word(v, (int)member->state);
		break;
	case MEMBER_READY:
		subagent_value_truth(v, member->ready);
		break;
	case MEMBER_REASON:
		subagent_value_text(v, member->reason);
		break;
	}
}

const struct subagent_table subagent_member_table = {
	.prefix = {5, 1},
	.prefix_len = 2,
	.index_len = 2,
	.first_column = MEMBER_RANK,
	.last_column = MEMBER_REASON,
	.rows = member_rows,
	.index = member_index,
	.value = member_value,
};
