/* yokeUnreadyTable: why a failover would not succeed now. */
#include "subagent/tree.h"

enum { REASON = 2 }; /* 1 is the index */

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->unready_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	if (column == REASON)
		subagent_value_text(v, view->snapshot->unready[row].reason);
}

const struct subagent_table subagent_unready_table = {
	.prefix = {13, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = REASON,
	.last_column = REASON,
	.rows = rows,
	.index = index_of,
	.value = value,
};
