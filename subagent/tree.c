#include "subagent/tree.h"

#include <string.h>

/* In the order of their prefixes. */
static const struct subagent_table *const tables[] = {
	&subagent_cluster_table,       &subagent_node_table,
	&subagent_path_table,          &subagent_group_table,
	&subagent_member_table,        &subagent_resource_table,
	&subagent_resource_node_table, &subagent_operation_table,
	&subagent_control_table,       &subagent_group_control_table,
	&subagent_node_control_table,  &subagent_cluster_control_table,
	&subagent_event_table,         &subagent_agent_table,
	&subagent_arbiter_table,       &subagent_unready_table,
	&subagent_key_table,
};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

unsigned subagent_tree_one_row(const struct subagent_view *view)
{
	(void)view;
	return 1;
}

unsigned subagent_tree_one_row_if_fresh(const struct subagent_view *view)
{
	return view->snapshot != NULL ? 1 : 0;
}

void subagent_tree_zero_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	(void)row;
	index[0] = 0;
}

int subagent_tree_compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	if (a_len == b_len)
		return 0;
	return a_len < b_len ? -1 : 1;
}

/* Put prefix and column of a column to base[]; returns their number. */
static size_t base_of(const struct subagent_table *t, uint32_t column, uint32_t *base)
{
	memcpy(base, t->prefix, t->prefix_len * sizeof(base[0]));
	base[t->prefix_len] = column;
	return t->prefix_len + 1;
}

/* The row with this index; -1: none. */
static int row_of(const struct subagent_table *t, const struct subagent_view *view,
		  const uint32_t *wanted)
{
	unsigned rows = t->rows(view), row;

	for (row = 0; row < rows; row++) {
		uint32_t index[SUBAGENT_INDEX_MAX];

		t->index(view, row, index);
		if (memcmp(index, wanted, t->index_len * sizeof(index[0])) == 0)
			return (int)row;
	}
	return -1;
}

enum subagent_found subagent_tree_get(const struct subagent_view *view, const uint32_t *name,
				      size_t len, struct subagent_value *value)
{
	unsigned i;

	for (i = 0; i < TABLES; i++) {
		const struct subagent_table *t = tables[i];
		uint32_t column;
		int row;

		if (len <= t->prefix_len ||
		    memcmp(name, t->prefix, t->prefix_len * sizeof(name[0])) != 0)
			continue;
		column = name[t->prefix_len];
		if (column < t->first_column || column > t->last_column)
			continue; /* yokeControl's prefix is also that of its tables */
		if (len != t->prefix_len + 1 + t->index_len)
			return SUBAGENT_NO_INSTANCE;
		row = row_of(t, view, name + t->prefix_len + 1);
		if (row < 0)
			return SUBAGENT_NO_INSTANCE;
		value->type = SUBAGENT_NONE;
		t->value(view, (unsigned)row, column, value);
		return value->type == SUBAGENT_NONE ? SUBAGENT_NO_INSTANCE : SUBAGENT_FOUND;
	}
	return SUBAGENT_NO_OBJECT;
}

/* The first instance of one column after the name.  Returns its row; -1: none. */
static int next_in_column(const struct subagent_table *t, const struct subagent_view *view,
			  const uint32_t *base, size_t base_len, const uint32_t *name, size_t len,
			  bool inclusive, uint32_t *next)
{
	unsigned rows = t->rows(view), row;
	size_t next_len = base_len + t->index_len;
	int best = -1;

	for (row = 0; row < rows; row++) {
		uint32_t candidate[SUBAGENT_NAME_MAX];
		int order;

		memcpy(candidate, base, base_len * sizeof(base[0]));
		t->index(view, row, candidate + base_len);
		order = subagent_tree_compare(candidate, next_len, name, len);
		if (order < 0 || (order == 0 && !inclusive))
			continue;
		if (best >= 0 && subagent_tree_compare(candidate, next_len, next, next_len) >= 0)
			continue;
		memcpy(next, candidate, next_len * sizeof(next[0]));
		best = (int)row;
	}
	return best;
}

bool subagent_tree_next(const struct subagent_view *view, const uint32_t *name, size_t len,
			bool inclusive, uint32_t *next, size_t *next_len,
			struct subagent_value *value)
{
	unsigned i;

	for (i = 0; i < TABLES; i++) {
		const struct subagent_table *t = tables[i];
		uint32_t column;

		for (column = t->first_column; column <= t->last_column; column++) {
			uint32_t base[SUBAGENT_NAME_MAX];
			size_t base_len = base_of(t, column, base);
			int row;

			if (len >= base_len &&
			    subagent_tree_compare(base, base_len, name, base_len) < 0)
				continue; /* the whole column is before the name */
			row = next_in_column(t, view, base, base_len, name, len, inclusive, next);
			if (row < 0)
				continue;
			value->type = SUBAGENT_NONE;
			t->value(view, (unsigned)row, column, value);
			*next_len = base_len + t->index_len;
			if (value->type != SUBAGENT_NONE)
				return true;
		}
	}
	return false;
}
