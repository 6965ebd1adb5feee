/* yokeAgent: what the subagent says of itself, also when the engine does not answer. */
#include "subagent/tree.h"

enum {
	DATA_AGE = 1,
	STARTED,
	ENGINE_CONNECTED,
	SESSIONS,
	NOTIFICATIONS_SENT,
	NOTIFICATIONS_ACKNOWLEDGED,
	NOTIFICATIONS_WAITING,
	EVENTS_MISSED,
	SETS_ACCEPTED,
	SETS_REFUSED,
};

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct subagent_figures *figures = &view->figures;

	(void)row;
	switch (column) {
	case DATA_AGE:
		subagent_value_unsigned(v, figures->data_age_ms);
		break;
	case STARTED:
		subagent_value_when(v, figures->started_wall_ms);
		break;
	case ENGINE_CONNECTED:
		subagent_value_truth(v, figures->engine_connected);
		break;
	case SESSIONS:
		subagent_value_counter32(v, figures->sessions);
		break;
	case NOTIFICATIONS_SENT:
		subagent_value_counter64(v, figures->notifications_sent);
		break;
	case NOTIFICATIONS_ACKNOWLEDGED:
		subagent_value_counter64(v, figures->notifications_acknowledged);
		break;
	case NOTIFICATIONS_WAITING:
		subagent_value_unsigned(v, figures->notifications_waiting);
		break;
	case EVENTS_MISSED:
		subagent_value_counter64(v, figures->events_missed);
		break;
	case SETS_ACCEPTED:
		subagent_value_counter64(v, figures->sets_accepted);
		break;
	case SETS_REFUSED:
		subagent_value_counter64(v, figures->sets_refused);
		break;
	}
}

const struct subagent_table subagent_agent_table = {
	.prefix = {11},
	.prefix_len = 1,
	.index_len = 1,
	.first_column = DATA_AGE,
	.last_column = SETS_REFUSED,
	.rows = subagent_tree_one_row,
	.index = subagent_tree_zero_index,
	.value = value,
};
