/* What another configuration will not have is stopped first, by the one that knows how; what it
 * added to a group that runs is started there when that was adopted.
 *
 * Of a group that this node is not to run any more it is a stranger from now on: the group is
 * handed over to a node that has it still, or stopped.  A single resource is stopped where its
 * group runs, and the others of the group go on; they are not asked about it.  It is tried once:
 * what does not stop is told by time, to who waits for core_retired(), and he calls it off.
 */
#include "agent/core/parts.h"

void core_retire_take(struct core *c, const struct core_event *ev)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		c->group[g].retired = ev->u.retire.group[g];
	for (uint16_t i = 0; i < c->conf.resource_count; i++) {
		struct core_resource *r = &c->resource[i];

		/* Called off: it comes back as it went, alone. */
		r->added = r->added || (r->retired && !ev->u.retire.resource[i]);
		r->retired = ev->u.retire.resource[i];
	}
}

const char *core_retire_reason(const struct core *c, uint16_t group)
{
	if (!c->group[group - 1].retired || core_candidate(c, group, c->conf.self) != 0)
		return NULL;
	return "the configuration does not have it here any more";
}

static bool stop_retired(struct core *c, struct core_actions *out, uint16_t group)
{
	for (uint16_t i = core_resource_count(c, group); i-- > 0;) {
		uint16_t resource = core_resource_at(c, group, i);
		struct core_resource *r = &c->resource[resource - 1];

		if (!r->retired || r->state == YOKE_RESOURCE_STOPPED)
			continue;
		if (r->run != 0 && r->run_kind == CORE_RUN_MONITOR)
			core_resource_cancel(c, out, resource);
		if (r->run != 0)
			return true;
		if (r->state == YOKE_RESOURCE_FAILED && r->run_kind == CORE_RUN_STOP)
			continue;
		core_resource_run(c, out, resource, CORE_RUN_STOP, 0);
		return true;
	}
	return false;
}

/* One that fails to start is as one that fails when it runs. */
static bool start_added(struct core *c, struct core_actions *out, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		struct core_resource *r = core_resource_of(c, group, i);

		if (!r->added || r->retired)
			continue;
		if (r->run != 0)
			return true;
		/* The start also puts right what a stop left that failed. */
		if (r->state == YOKE_RESOURCE_STOPPED ||
		    (r->state == YOKE_RESOURCE_FAILED && r->run_kind == CORE_RUN_STOP)) {
			core_resource_run(c, out, core_resource_at(c, group, i), CORE_RUN_START, 0);
			return true;
		}
		r->added = false;
	}
	return false;
}

bool core_retire_look(struct core *c, struct core_actions *out, uint16_t group)
{
	return stop_retired(c, out, group) || start_added(c, out, group);
}

bool core_retired(const struct core *c)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		struct core_claim claim = {.state = c->group[g].state};

		if (c->group[g].retired &&
		    (core_claim_runs(&claim) || claim.state == YOKE_GROUP_UNKNOWN))
			return false;
	}
	for (uint16_t r = 0; r < c->conf.resource_count; r++) {
		struct core_claim claim = {.state = c->group[c->conf.resource[r].group - 1].state};

		if (c->resource[r].retired &&
		    (core_claim_runs(&claim) || claim.state == YOKE_GROUP_UNKNOWN) &&
		    c->resource[r].state != YOKE_RESOURCE_STOPPED)
			return false;
	}
	return true;
}

bool core_may_miss(const struct core *c, uint16_t resource)
{
	const struct core_resource *r = &c->resource[resource - 1];
	enum yoke_group_state state = c->group[c->conf.resource[resource - 1].group - 1].state;

	if (c->conf.resource[resource - 1].added)
		return true;
	return (r->added || r->retired) &&
	       (state == YOKE_GROUP_STARTED || state == YOKE_GROUP_UNKNOWN);
}
