/* Maintenance: what is observed and not acted upon, because people work on it.
 *
 * It is set for the cluster, a node or a group, told to all nodes, and kept over restarts until
 * somebody ends it.  A group rests when it, the cluster, this node, or the node that last ran it is
 * in maintenance: it is not started, stopped, restarted, moved or taken over, and nobody is fenced
 * for its sake.  Monitors go on, so that people see what they do.
 *
 * Three things are done all the same.  The others may not know of the maintenance: an exclusive
 * group stops when its lease is over, and of two nodes that run a group the one that loses stops.
 * And where only the node that last ran it is in maintenance, what an engine that starts elsewhere
 * finds of it in part is stopped there: nobody works on that.
 *
 * When it ends everything is probed before anything is done: somebody may have started and stopped
 * things by hand.
 */
#include "agent/core/parts.h"

enum { REMIND_MS = 24 * 60 * 60 * 1000, HOUR_US = 3600 * 1000000LL };

static const struct core_rest *node_rest(const struct core *c, uint16_t node)
{
	return &c->rest[CORE_REST_NODES + node - 1];
}

bool core_maintenance_stays(const struct core *c, uint16_t group)
{
	return c->rest[CORE_REST_CLUSTER].on || c->rest[CORE_REST_GROUPS + group - 1].on ||
	       (node_rest(c, c->conf.self)->on && c->group[group - 1].owner == c->conf.self);
}

bool core_maintenance_rests_here(const struct core *c, uint16_t group)
{
	return c->rest[CORE_REST_CLUSTER].on || node_rest(c, c->conf.self)->on ||
	       c->rest[CORE_REST_GROUPS + group - 1].on;
}

bool core_maintenance_rests(const struct core *c, uint16_t group)
{
	uint16_t owner = c->group[group - 1].owner;

	return core_maintenance_rests_here(c, group) || (owner != 0 && node_rest(c, owner)->on);
}

bool core_maintenance_keeps(const struct core *c, uint16_t group)
{
	return c->group[group - 1].state == YOKE_GROUP_STARTED &&
	       core_maintenance_rests(c, group) &&
	       !(core_lease_is_used(c) && core_lease_binds(c, group));
}

/* ---- words for people ---- */

static const char *kind_text(unsigned index)
{
	return index == CORE_REST_CLUSTER ? "the cluster"
	       : index < CORE_REST_GROUPS ? "node "
					  : "group ";
}

static const char *name_text(const struct core *c, unsigned index)
{
	return index == CORE_REST_CLUSTER ? ""
	       : index < CORE_REST_GROUPS ? c->conf.node_name[index - CORE_REST_NODES]
					  : c->conf.group[index - CORE_REST_GROUPS].name;
}

unsigned core_maintenance_count(const struct core *c)
{
	return CORE_REST_GROUPS + c->conf.group_count;
}

void core_maintenance_text(const struct core *c, char text[YOKE_REASON_SIZE])
{
	char before[YOKE_REASON_SIZE] = "";

	text[0] = '\0';
	for (unsigned i = 0; i < core_maintenance_count(c); i++) {
		if (!c->rest[i].on)
			continue;
		core_text(text, YOKE_REASON_SIZE, before, before[0] != '\0' ? ", " : "",
			  kind_text(i), name_text(c, i), (char *)NULL);
		core_text(before, sizeof(before), text, (char *)NULL);
	}
}

/* ---- setting it ---- */

static void look_since(struct core *c)
{
	bool any = false;

	for (unsigned i = 0; i < core_maintenance_count(c); i++)
		any = any || c->rest[i].on;
	if (any && yoke_time_is_never(c->rest_since))
		c->rest_since = c->now;
	if (!any)
		c->rest_since = YOKE_NEVER;
	c->remind_at = any ? yoke_time_add_ms(c->now, REMIND_MS) : YOKE_NEVER;
}

void core_maintenance_set(struct core *c, struct core_actions *out, unsigned index,
			  struct core_rest rest, const char *reason)
{
	struct core_rest *mine = &c->rest[index];
	bool changed = mine->on != rest.on;
	char text[YOKE_REASON_SIZE];

	/* Set on two nodes in the same instant: both sides must choose the same. */
	if (rest.version < mine->version ||
	    (rest.version == mine->version && (!rest.on || mine->on)))
		return;
	*mine = rest;
	look_since(c);
	if (out == NULL)
		return;
	c->dirty = true;
	core_record_touch(c);
	if (!changed)
		return;
	core_text(text, sizeof(text), kind_text(index), name_text(c, index), ": ", reason,
		  (char *)NULL);
	core_event(c, out, rest.on ? YOKE_EVENT_MAINTENANCE_BEGUN : YOKE_EVENT_MAINTENANCE_ENDED,
		   text);
}

unsigned core_maintenance_index(uint16_t group, uint16_t node)
{
	if (group != 0)
		return CORE_REST_GROUPS + group - 1u;
	return node != 0 ? CORE_REST_NODES + node - 1u : CORE_REST_CLUSTER;
}

/* ---- looking ---- */

/* One node speaks for all: the first of those that hear each other. */
static bool is_speaker(const struct core *c)
{
	for (uint16_t n = 1; n < c->conf.self; n++)
		if (core_node_alive(core_node_const(c, n)))
			return false;
	return true;
}

static void remind(struct core *c, struct core_actions *out)
{
	char text[YOKE_REASON_SIZE];

	if (!yoke_time_due(c->remind_at, c->now))
		return;
	c->remind_at = yoke_time_add_ms(c->now, REMIND_MS);
	if (!is_speaker(c))
		return;
	core_maintenance_text(c, text);
	core_event(c, out, YOKE_EVENT_MAINTENANCE_REMINDER, text)->value =
		(uint64_t)(yoke_time_span_us(c->rest_since, c->now) / HOUR_US);
}

static bool is_under_way(const struct core *c, uint16_t group)
{
	enum yoke_group_state state = c->group[group - 1].state;

	return state == YOKE_GROUP_STARTING || state == YOKE_GROUP_STOPPING;
}

void core_maintenance_look(struct core *c, struct core_actions *out)
{
	remind(c, out);
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		bool rests = core_maintenance_rests(c, g);

		if (c->group[g - 1].rested && !rests && !is_under_way(c, g))
			core_adopt_begin(c, out, g);
		c->group[g - 1].rested = rests;
	}
}
