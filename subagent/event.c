#include "subagent/event.h"

enum {
	NUMBER = 2, /* 1 is the index */
	TIME,
	KIND,
	SEVERITY,
	REPORTER,
	NODE,
	PEER,
	PATH,
	GROUP,
	RESOURCE,
	FROM,
	TO,
	VERB,
	ORIGIN,
	VALUE,
	REASON,
	TEXT,
	NUMBER_FULL,
	ARBITER,
};

uint32_t subagent_event_index(uint64_t seq)
{
	return seq == 0 ? 0 : (uint32_t)((seq - 1) % UINT32_MAX + 1);
}

static unsigned rows(const struct subagent_view *view)
{
	return view->ring->count;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	index[0] = subagent_event_index(subagent_ring_at(view->ring, row)->seq);
}

/* Empty instead of yoke_name_of()'s "-": what has no name has none for a program either. */
static const char *name_of(const char (*names)[YOKE_NAME_SIZE], unsigned count, unsigned n)
{
	return n >= 1 && n <= count ? names[n - 1] : "";
}

/* States are numbered within the enumeration of the event's subject. */
static const char *state_word(const struct yoke_event *event, int state)
{
	if (state == 0)
		return "";
	if (event->resource != 0)
		return yoke_word_resource_state(state);
	if (event->group != 0)
		return yoke_word_group_state(state);
	if (event->path != 0)
		return yoke_word_path_state(state);
	return yoke_word_node_state(state);
}

static void subject_value(const struct subagent_view *view, const struct yoke_event *event,
			  uint32_t column, struct subagent_value *v)
{
	const struct yoke_names *names = view->names;

	switch (column) {
	case REPORTER:
		subagent_value_text(v, name_of(names->node, names->node_count, view->self));
		break;
	case NODE:
		subagent_value_text(v, name_of(names->node, names->node_count, event->node));
		break;
	case PEER:
		subagent_value_text(v, name_of(names->node, names->node_count, event->peer));
		break;
	case PATH:
		subagent_value_text(v, name_of(names->path, names->path_count, event->path));
		break;
	case GROUP:
		subagent_value_text(v, name_of(names->group, names->group_count, event->group));
		break;
	case RESOURCE:
		subagent_value_text(
			v, name_of(names->resource, names->resource_count, event->resource));
		break;
	case ARBITER:
		subagent_value_text(v,
				    name_of(names->arbiter, names->arbiter_count, event->arbiter));
		break;
	case FROM:
		subagent_value_text(v, state_word(event, event->from));
		break;
	case TO:
		subagent_value_text(v, state_word(event, event->to));
		break;
	}
}

static void event_value(const struct subagent_view *view, const struct yoke_event *event,
			uint32_t column, struct subagent_value *v)
{
	switch (column) {
	case NUMBER:
		subagent_value_unsigned(v, subagent_event_index(event->seq));
		break;
	case TIME:
		subagent_value_when(v, event->wall_ms);
		break;
	case KIND:
		subagent_value_integer(v, event->kind + 1); /* unknown(1) comes first */
		break;
	case SEVERITY:
		subagent_value_word(v, event->severity);
		break;
	case VERB:
		subagent_value_word(v, event->verb);
		break;
	case ORIGIN:
		subagent_value_word(v, event->origin);
		break;
	case VALUE:
		subagent_value_unsigned(v, event->value < UINT32_MAX ? (uint32_t)event->value
								     : UINT32_MAX);
		break;
	case REASON:
		subagent_value_text(v, event->reason);
		break;
	case TEXT:
		subagent_value_text(v, event->text);
		break;
	case NUMBER_FULL:
		subagent_value_counter64(v, event->seq);
		break;
	default:
		subject_value(view, event, column, v);
	}
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	event_value(view, subagent_ring_at(view->ring, row), column, v);
}

const struct subagent_table subagent_event_table = {
	.prefix = {10, 1},
	.prefix_len = 2,
	.index_len = 1,
	.first_column = NUMBER,
	.last_column = ARBITER,
	.rows = rows,
	.index = index_of,
	.value = value,
};

size_t subagent_event_varbind(const struct subagent_view *view, const struct yoke_event *event,
			      unsigned i, uint32_t *name, struct subagent_value *v)
{
	/* 0: yokeClusterName.0, which is no column of the event. */
	static const uint32_t columns[SUBAGENT_EVENT_VARBINDS] = {
		NUMBER, TIME,  SEVERITY, 0,    REPORTER, NODE,  PEER,
		PATH,   GROUP, RESOURCE, FROM, TO,       VALUE, TEXT};

	if (columns[i] == 0) {
		name[0] = 1;
		name[1] = 1;
		name[2] = 0;
		subagent_value_text(v, view->names->cluster);
		return 3;
	}
	name[0] = subagent_event_table.prefix[0];
	name[1] = subagent_event_table.prefix[1];
	name[2] = columns[i];
	name[3] = subagent_event_index(event->seq);
	event_value(view, event, columns[i], v);
	return 4;
}
