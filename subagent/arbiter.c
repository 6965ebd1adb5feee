/* yokeArbiterTable: what decides when the nodes do not hear each other. */
#include "subagent/tree.h"

enum {
	NAME = 2, /* 1 is the index */
	TYPE,
	TEXT,
	STATE,
	HOLDER,
	CHANGED,
	TESTED,
	REASON,
};

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->arbiter_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot_arbiter *a = &view->snapshot->arbiter[row];

	switch (column) {
	case NAME:
		subagent_value_text(v, a->name);
		break;
	case TYPE:
		subagent_value_word(v, (int)a->type);
		break;
	case TEXT:
		subagent_value_text(v, a->text);
		break;
	case STATE:
		subagent_value_word(v, (int)a->state);
		break;
	case HOLDER:
		subagent_value_unsigned(v, a->holder);
		break;
	case CHANGED:
		subagent_value_when(v, a->changed_wall_ms);
		break;
	case TESTED:
		subagent_value_when(v, a->tested_wall_ms);
		break;
	case REASON:
		subagent_value_text(v, a->reason);
		break;
	}
}

const struct subagent_table subagent_arbiter_table = {
	.prefix = {12, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NAME,
	.last_column = REASON,
	.rows = rows,
	.index = index_of,
	.value = value,
};
