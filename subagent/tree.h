/* subagent/tree.h - from an object identifier to a value, and to the next one.
 *
 * The whole of yokeObjects is one sorted list of tables; a group of scalars is a table with one row
 * whose index is 0.  A table says how many rows it has, what a row's index is and what a cell's
 * value is; GET and GETNEXT are written once, here.  Rows need not be sorted.
 *
 * Layer: subagent, pure.  May include: agent/base.
 * Memory: everything is lent by the caller; nothing is kept.
 * Example: tests/snmp/walk.c.
 */
#ifndef SUBAGENT_TREE_H
#define SUBAGENT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/snapshot.h"
#include "subagent/ring.h"
#include "subagent/value.h"

enum {
	SUBAGENT_PREFIX_MAX = 3,
	SUBAGENT_INDEX_MAX = 2,
	/* Sub-identifiers below yokeObjects: prefix, column, index. */
	SUBAGENT_NAME_MAX = SUBAGENT_PREFIX_MAX + 1 + SUBAGENT_INDEX_MAX,
};

/* What the subagent knows of itself: yokeAgent. */
struct subagent_figures {
	uint32_t data_age_ms; /* since the last snapshot came; UINT32_MAX: none came */
	int64_t started_wall_ms;
	bool engine_connected;
	uint64_t notifications_sent, notifications_acknowledged;
	uint32_t notifications_waiting;
	uint64_t events_missed; /* numbers that never reached this agent */
	uint64_t sets_accepted, sets_refused;
	uint32_t sessions; /* opened with snmpd since the start */
};

/* What an answer is made from; it does not change while one request is answered. */
struct subagent_view {
	const struct yoke_snapshot *snapshot; /* NULL: none, or too old to be believed */
	const struct subagent_ring *ring;
	const struct yoke_names *names;    /* of the last snapshot, however old */
	uint16_t self;                     /* number of the node that answers; 0: not known yet */
	int64_t condition_changed_wall_ms; /* 0: not since the subagent started */
	uint32_t control_lock;             /* 0..2^31-1: what yokeControlSpinLock reads */
	struct subagent_figures figures;
};

struct subagent_table {
	uint32_t prefix[SUBAGENT_PREFIX_MAX]; /* below yokeObjects, without the column */
	unsigned prefix_len, index_len;
	uint32_t first_column, last_column; /* that may be read; all between exist */
	unsigned (*rows)(const struct subagent_view *view);
	void (*index)(const struct subagent_view *view, unsigned row, uint32_t *index);
	void (*value)(const struct subagent_view *view, unsigned row, uint32_t column,
		      struct subagent_value *value);
};

/* A group of scalars: rows() and index() for the one row with index 0. */
unsigned subagent_tree_one_row(const struct subagent_view *view);
unsigned subagent_tree_one_row_if_fresh(const struct subagent_view *view);
void subagent_tree_zero_index(const struct subagent_view *view, unsigned row, uint32_t *index);

enum subagent_found { SUBAGENT_FOUND, SUBAGENT_NO_OBJECT, SUBAGENT_NO_INSTANCE };

/* The value of name[len] (below yokeObjects). */
enum subagent_found subagent_tree_get(const struct subagent_view *view, const uint32_t *name,
				      size_t len, struct subagent_value *value);

/* The first instance after name[len] (or at it, when inclusive): its name in next[*next_len] and
 * its value.  next has SUBAGENT_NAME_MAX places.  Returns false at the end. */
bool subagent_tree_next(const struct subagent_view *view, const uint32_t *name, size_t len,
			bool inclusive, uint32_t *next, size_t *next_len,
			struct subagent_value *value);

/* -1, 0, 1: a before, equal to, after b in lexicographic order. */
int subagent_tree_compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len);

extern const struct subagent_table subagent_cluster_table;
extern const struct subagent_table subagent_node_table;
extern const struct subagent_table subagent_path_table;
extern const struct subagent_table subagent_arbiter_table;
extern const struct subagent_table subagent_group_table;
extern const struct subagent_table subagent_member_table;
extern const struct subagent_table subagent_resource_table;
extern const struct subagent_table subagent_resource_node_table;
extern const struct subagent_table subagent_operation_table;
extern const struct subagent_table subagent_control_table;
extern const struct subagent_table subagent_group_control_table;
extern const struct subagent_table subagent_node_control_table;
extern const struct subagent_table subagent_cluster_control_table;
extern const struct subagent_table subagent_event_table;
extern const struct subagent_table subagent_agent_table;
extern const struct subagent_table subagent_unready_table;
extern const struct subagent_table subagent_key_table;

#endif
