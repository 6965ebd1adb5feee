#include "subagent/control.h"

#include <stdio.h>
#include <string.h>

enum { SPIN_LOCK = 1, REASON = 2, MAINTENANCE = 5 }; /* scalars of yokeControl */
enum { CONTROL = 9, GROUP_CONTROL = 3, NODE_CONTROL = 4 };
enum { GROUP_OWNER = 1, GROUP_MAINTENANCE = 2 };
enum { NODE_STANDBY = 1, NODE_CONFIRM_DOWN = 2, NODE_MAINTENANCE = 3 };

static void control_value(const struct subagent_view *view, unsigned row, uint32_t column,
			  struct subagent_value *v)
{
	(void)row;
	if (column == SPIN_LOCK)
		subagent_value_integer(v, (int32_t)(view->control_lock & INT32_MAX));
	else
		subagent_value_text(v, "");
}

const struct subagent_table subagent_control_table = {
	.prefix = {CONTROL},
	.prefix_len = 1,
	.index_len = 1,
	.first_column = SPIN_LOCK,
	.last_column = REASON,
	.rows = subagent_tree_one_row_if_fresh,
	.index = subagent_tree_zero_index,
	.value = control_value,
};

static void number_index(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	(void)view;
	index[0] = row + 1;
}

static unsigned group_rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->group_count : 0;
}

static void group_value(const struct subagent_view *view, unsigned row, uint32_t column,
			struct subagent_value *v)
{
	if (column == GROUP_MAINTENANCE)
		subagent_value_truth(v, view->snapshot->group[row].maintenance);
	else
		subagent_value_unsigned(v, view->snapshot->group[row].owner);
}

const struct subagent_table subagent_group_control_table = {
	.prefix = {CONTROL, GROUP_CONTROL, 1},
	.prefix_len = 3,
	.index_len = 1,
	.first_column = GROUP_OWNER,
	.last_column = GROUP_MAINTENANCE,
	.rows = group_rows,
	.index = number_index,
	.value = group_value,
};

static unsigned node_rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->node_count : 0;
}

static void node_value(const struct subagent_view *view, unsigned row, uint32_t column,
		       struct subagent_value *v)
{
	const struct yoke_snapshot_node *node = &view->snapshot->node[row];

	subagent_value_truth(v, (column == NODE_STANDBY && node->standby) ||
					(column == NODE_MAINTENANCE && node->maintenance));
}

const struct subagent_table subagent_node_control_table = {
	.prefix = {CONTROL, NODE_CONTROL, 1},
	.prefix_len = 3,
	.index_len = 1,
	.first_column = NODE_STANDBY,
	.last_column = NODE_MAINTENANCE,
	.rows = node_rows,
	.index = number_index,
	.value = node_value,
};

static void cluster_value(const struct subagent_view *view, unsigned row, uint32_t column,
			  struct subagent_value *v)
{
	(void)row;
	(void)column;
	subagent_value_truth(v, view->snapshot->maintenance);
}

const struct subagent_table subagent_cluster_control_table = {
	.prefix = {CONTROL},
	.prefix_len = 1,
	.index_len = 1,
	.first_column = MAINTENANCE,
	.last_column = MAINTENANCE,
	.rows = subagent_tree_one_row_if_fresh,
	.index = subagent_tree_zero_index,
	.value = cluster_value,
};

void subagent_wish_init(struct subagent_wish *wish)
{
	memset(wish, 0, sizeof(*wish));
	wish->request.kind = YOKE_REQUEST_OPERATE;
	snprintf(wish->request.by, sizeof(wish->request.by), "snmp");
	wish->fault = "";
}

static enum subagent_error refuse(struct subagent_wish *wish, enum subagent_error error,
				  const char *fault)
{
	wish->fault = fault;
	return error;
}

static enum subagent_error add_lock(struct subagent_wish *wish, const struct subagent_view *view,
				    const struct subagent_value *value)
{
	if (value->type != SUBAGENT_INTEGER)
		return refuse(wish, SUBAGENT_WRONG_TYPE, "the spin lock is an INTEGER");
	if (value->integer < 0)
		return refuse(wish, SUBAGENT_WRONG_VALUE, "the spin lock is not negative");
	if ((uint32_t)value->integer != view->control_lock)
		return refuse(wish, SUBAGENT_INCONSISTENT_VALUE,
			      "the spin lock has another value: somebody else was quicker; read it "
			      "again");
	wish->has_lock = true;
	wish->lock = value->integer;
	return SUBAGENT_NO_ERROR;
}

static enum subagent_error add_reason(struct subagent_wish *wish,
				      const struct subagent_value *value)
{
	if (value->type != SUBAGENT_OCTETS)
		return refuse(wish, SUBAGENT_WRONG_TYPE, "the reason is an OCTET STRING");
	if (value->len > SUBAGENT_REASON_MAX)
		return refuse(wish, SUBAGENT_WRONG_LENGTH, "the reason is longer than 63 octets");
	if (memchr(value->octets, '\0', value->len) != NULL)
		return refuse(wish, SUBAGENT_WRONG_VALUE, "the reason contains a NUL");
	memcpy(wish->request.reason, value->octets, value->len);
	wish->request.reason[value->len] = '\0';
	return SUBAGENT_NO_ERROR;
}

/* A name for a number without one.  No name starts with '#', so the engine refuses it. */
static void put_name(char name[YOKE_NAME_SIZE], const char *known, uint32_t number)
{
	if (known != NULL)
		snprintf(name, YOKE_NAME_SIZE, "%s", known);
	else
		snprintf(name, YOKE_NAME_SIZE, "#%u", number);
}

static const char *group_name(const struct yoke_snapshot *s, uint32_t number)
{
	return number >= 1 && number <= s->group_count ? s->group[number - 1].name : NULL;
}

static const char *node_name(const struct yoke_snapshot *s, uint32_t number)
{
	return number >= 1 && number <= s->node_count ? s->node[number - 1].name : NULL;
}

/* What is asked of a group, node or the cluster that `there` says is known. */
static enum subagent_error add_request(struct subagent_wish *wish, const struct yoke_snapshot *s,
				       enum yoke_verb verb, bool there, const char *fault)
{
	wish->request.verb = verb;
	wish->has_request = true;
	wish->engine_refuses = true;
	if (!s->snmp_set)
		return refuse(wish, SUBAGENT_NOT_WRITABLE, yoke_verdict_advice(YOKE_E_DISABLED));
	if (!there)
		return refuse(wish, SUBAGENT_NO_CREATION, fault);
	wish->engine_refuses = false;
	return SUBAGENT_NO_ERROR;
}

static enum subagent_error add_owner(struct subagent_wish *wish, const struct yoke_snapshot *s,
				     uint32_t group, const struct subagent_value *value)
{
	uint32_t node = (uint32_t)value->number;
	enum subagent_error error;

	if (value->type != SUBAGENT_UNSIGNED)
		return refuse(wish, SUBAGENT_WRONG_TYPE, "an owner is an Unsigned32");
	put_name(wish->request.group, group_name(s, group), group);
	put_name(wish->request.node, node_name(s, node), node);
	error = add_request(wish, s, YOKE_VERB_SWITCH, group_name(s, group) != NULL,
			    "there is no such group");
	if (error != SUBAGENT_NO_ERROR || node_name(s, node) != NULL)
		return error;
	wish->engine_refuses = true;
	return refuse(wish, SUBAGENT_WRONG_VALUE, "there is no node with that index");
}

/* A TruthValue; `only`: true alone makes sense. */
static enum subagent_error check_truth(struct subagent_wish *wish, bool only,
				       const struct subagent_value *value)
{
	if (value->type != SUBAGENT_INTEGER)
		return refuse(wish, SUBAGENT_WRONG_TYPE, "it is an INTEGER");
	if (value->integer == 1 || (value->integer == 2 && !only))
		return SUBAGENT_NO_ERROR;
	return refuse(wish, SUBAGENT_WRONG_VALUE,
		      only ? "write true(1) to confirm" : "it is true(1) or false(2)");
}

static enum subagent_error add_group(struct subagent_wish *wish, const struct yoke_snapshot *s,
				     uint32_t column, uint32_t group,
				     const struct subagent_value *value)
{
	enum subagent_error error;

	if (column == GROUP_OWNER)
		return add_owner(wish, s, group, value);
	error = check_truth(wish, false, value);
	if (error != SUBAGENT_NO_ERROR)
		return error;
	put_name(wish->request.group, group_name(s, group), group);
	return add_request(wish, s, value->integer == 1 ? YOKE_VERB_MAINTENANCE : YOKE_VERB_RESUME,
			   group_name(s, group) != NULL, "there is no such group");
}

static enum yoke_verb node_verb(uint32_t column, bool on)
{
	if (column == NODE_CONFIRM_DOWN)
		return YOKE_VERB_CONFIRM_DOWN;
	if (column == NODE_STANDBY)
		return on ? YOKE_VERB_STANDBY : YOKE_VERB_ONLINE;
	return on ? YOKE_VERB_MAINTENANCE : YOKE_VERB_RESUME;
}

static enum subagent_error add_node(struct subagent_wish *wish, const struct yoke_snapshot *s,
				    uint32_t column, uint32_t node,
				    const struct subagent_value *value)
{
	enum subagent_error error = check_truth(wish, column == NODE_CONFIRM_DOWN, value);

	if (error != SUBAGENT_NO_ERROR)
		return error;
	put_name(wish->request.node, node_name(s, node), node);
	return add_request(wish, s, node_verb(column, value->integer == 1),
			   node_name(s, node) != NULL, "there is no such node");
}

static enum subagent_error add_cluster(struct subagent_wish *wish, const struct yoke_snapshot *s,
				       const struct subagent_value *value)
{
	enum subagent_error error = check_truth(wish, false, value);

	if (error != SUBAGENT_NO_ERROR)
		return error;
	return add_request(wish, s, value->integer == 1 ? YOKE_VERB_MAINTENANCE : YOKE_VERB_RESUME,
			   true, "");
}

static bool is_table(const uint32_t *name, size_t len, uint32_t table, uint32_t last_column)
{
	return len == 5 && name[1] == table && name[2] == 1 && name[3] >= 1 &&
	       name[3] <= last_column;
}

enum subagent_error subagent_wish_add(struct subagent_wish *wish, const struct subagent_view *view,
				      const uint32_t *name, size_t len,
				      const struct subagent_value *value)
{
	const struct yoke_snapshot *s = view->snapshot;
	bool scalar = len == 3 && name[2] == 0, group, node, cluster;

	if (len < 2 || name[0] != CONTROL)
		return refuse(wish, SUBAGENT_NOT_WRITABLE, "only yokeControl can be written");
	if (s == NULL)
		return refuse(wish, SUBAGENT_RESOURCE_UNAVAILABLE, "the engine does not answer");
	group = is_table(name, len, GROUP_CONTROL, GROUP_MAINTENANCE);
	node = is_table(name, len, NODE_CONTROL, NODE_MAINTENANCE);
	cluster = scalar && name[1] == MAINTENANCE;
	if ((group || node || cluster) && wish->has_request)
		return refuse(wish, SUBAGENT_INCONSISTENT_VALUE, "one request at a time");
	if (group)
		return add_group(wish, s, name[3], name[4], value);
	if (node)
		return add_node(wish, s, name[3], name[4], value);
	if (cluster)
		return add_cluster(wish, s, value);
	if (!s->snmp_set)
		return refuse(wish, SUBAGENT_NOT_WRITABLE, yoke_verdict_advice(YOKE_E_DISABLED));
	if (scalar && name[1] == SPIN_LOCK)
		return add_lock(wish, view, value);
	if (scalar && name[1] == REASON)
		return add_reason(wish, value);
	return refuse(wish, SUBAGENT_NO_CREATION, "there is no such object in yokeControl");
}

enum subagent_error subagent_control_error(enum yoke_verdict verdict)
{
	switch (verdict) {
	case YOKE_OK:
		return SUBAGENT_NO_ERROR;
	case YOKE_E_REQUEST:
		return SUBAGENT_GENERAL_ERROR;
	case YOKE_E_DENIED:
		return SUBAGENT_AUTHORIZATION_ERROR;
	case YOKE_E_NO_GROUP:
	case YOKE_E_NO_NODE:
		return SUBAGENT_WRONG_VALUE;
	case YOKE_E_NOT_MEMBER:
	case YOKE_E_NOT_READY:
	case YOKE_E_BUSY:
	case YOKE_E_NOWHERE:
	case YOKE_E_IN_CONTACT:
	case YOKE_E_LIVES:
	case YOKE_E_MAINTENANCE:
	case YOKE_E_PARALLEL:
	case YOKE_E_VERSION:
	case YOKE_E_DIFFERS:
		return SUBAGENT_INCONSISTENT_VALUE;
	case YOKE_E_SAVE:
		return SUBAGENT_RESOURCE_UNAVAILABLE;
	case YOKE_E_DISABLED:
		return SUBAGENT_NOT_WRITABLE;
	}
	return SUBAGENT_GENERAL_ERROR;
}
