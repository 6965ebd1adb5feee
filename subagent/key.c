/* yokeKeyTable: the cluster's keys, by number, age and use. */
#include "subagent/tree.h"

enum { NUMBER = 2, MADE, SHOWN, SEALING, OPENING, ARBITERS }; /* 1 is the index */

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->key_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot_key *key = &view->snapshot->key[row];

	switch (column) {
	case NUMBER:
		subagent_value_unsigned(v, key->id);
		break;
	case MADE:
		subagent_value_when(v, key->made_wall_ms);
		break;
	case SHOWN:
		subagent_value_truth(v, key->shown);
		break;
	case SEALING:
		subagent_value_truth(v, key->seals);
		break;
	case OPENING:
		subagent_value_truth(v, key->opens);
		break;
	default:
		subagent_value_truth(v, key->arbiters);
		break;
	}
}

const struct subagent_table subagent_key_table = {
	.prefix = {14, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NUMBER,
	.last_column = ARBITERS,
	.rows = rows,
	.index = index_of,
	.value = value,
};
