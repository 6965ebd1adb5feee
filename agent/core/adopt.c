/* What runs here already: when an engine starts, and when a maintenance ends.
 *
 * Everything is probed, and what runs as a whole is taken over as it is.  So is what lacks nothing
 * but what was added to the configuration while it ran: that is started.  Where nothing but that is
 * found the group does not run.  What else runs in part is stopped; so is what may run, when the
 * lease that covered it is over before the probes are, and that of which a part is found while
 * another node runs it at a higher term: a probe that hangs must not have it run on both.
 *
 * In maintenance nothing is stopped for being there in part: it is taken over as it is, unless no
 * probe could tell anything.
 */
#include "agent/core/parts.h"

/* The term that it would be taken over with. */
static uint64_t term_of(const struct core_group *g)
{
	return g->reserved > 0 ? g->reserved : 1;
}

static void adopt(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];

	g->term = term_of(g);
	g->reserved = g->term;
	core_record_touch(c);
	core_group_become(c, out, group, YOKE_GROUP_STARTED, YOKE_EVENT_GROUP_ADOPTED,
			  "found running");
	core_group_doubt(c, group, c->conf.dead_ms);
}

static void adopt_grown(struct core *c, struct core_actions *out, uint16_t group)
{
	adopt(c, out, group);
	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		struct core_resource *r = core_resource_of(c, group, i);

		r->added = r->state == YOKE_RESOURCE_STOPPED;
	}
}

/* All of it that is not new, and that is something. */
static bool is_found_but_for_added(const struct core *c, uint16_t group)
{
	bool found = false;

	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		uint16_t resource = core_resource_at(c, group, i);

		if (c->conf.resource[resource - 1].added)
			continue;
		if (c->resource[resource - 1].state != YOKE_RESOURCE_STARTED)
			return false;
		found = true;
	}
	return found;
}

static void forget_added(struct core *c, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		c->conf.resource[core_resource_at(c, group, i) - 1].added = false;
}

static void cancel_all(struct core *c, struct core_actions *out, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		core_resource_cancel(c, out, core_resource_at(c, group, i));
}

/* The node that runs it, too, and wins whatever else is found here; 0: none. */
static uint16_t loses_to(const struct core *c, uint16_t group)
{
	uint16_t owner = core_owner(c, group);
	const struct core_claim *claim;
	bool found = false;

	for (uint16_t i = 0; i < c->conf.group[group - 1].resource_count; i++)
		found = found || c->resource[core_resource_at(c, group, i) - 1].state ==
					 YOKE_RESOURCE_STARTED;
	if (!found || owner == 0 || c->conf.group[group - 1].parallel ||
	    core_maintenance_rests_here(c, group) ||
	    core_node_const(c, owner)->state != YOKE_NODE_ONLINE)
		return 0;
	claim = &core_node_const(c, owner)->claim[group - 1];
	return claim->state == YOKE_GROUP_STARTED && claim->term > term_of(&c->group[group - 1])
		       ? owner
		       : 0;
}

void core_adopt_begin(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	bool ran = g->ran || core_claim_runs(&(struct core_claim){.state = g->state});

	core_prepare_drop(c, out, group);
	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		core_resource_cancel(c, out, core_resource_at(c, group, i));
		core_resource_of(c, group, i)->state = YOKE_RESOURCE_UNKNOWN;
	}
	g->conflict = 0;
	g->announce_at = YOKE_NEVER;
	g->ran = ran;
	core_group_become(c, out, group, YOKE_GROUP_UNKNOWN, YOKE_EVENT_NONE, "not probed yet");
}

/* Each resource, once there is a place for its program.  Returns whether all are known. */
static bool probe_all(struct core *c, struct core_actions *out, uint16_t group)
{
	bool all = true;

	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		struct core_resource *r = core_resource_of(c, group, i);

		if (r->run == 0 && r->state == YOKE_RESOURCE_UNKNOWN)
			core_resource_run(c, out, core_resource_at(c, group, i), CORE_RUN_PROBE, 0);
		all = all && r->run == 0 && r->state != YOKE_RESOURCE_UNKNOWN;
	}
	return all;
}

void core_adopt_look(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	uint16_t count = core_resource_count(c, group), running = 0, certain = 0;
	uint16_t winner;
	bool ran = g->ran;

	if (core_lease_is_over_unknown(c, group)) {
		cancel_all(c, out, group);
		core_group_stop(c, out, group, false, core_lease_reason);
		return;
	}
	if (!probe_all(c, out, group)) {
		winner = loses_to(c, group);
		if (winner != 0) {
			cancel_all(c, out, group);
			core_group_lose(c, out, group, winner);
		}
		return;
	}
	for (uint16_t i = 0; i < count; i++) {
		running += core_resource_of(c, group, i)->state != YOKE_RESOURCE_STOPPED;
		certain += core_resource_of(c, group, i)->state == YOKE_RESOURCE_STARTED;
	}
	if (core_maintenance_rests_here(c, group) && running > 0 && certain == 0)
		return; /* nothing is known of it: it is probed again when the maintenance ends */
	g->ran = false;
	if (running == 0 || !core_is_member(c, group, c->conf.self))
		core_group_become(c, out, group, YOKE_GROUP_STOPPED,
				  ran ? YOKE_EVENT_GROUP_STOPPED : YOKE_EVENT_NONE,
				  ran ? "it was found not running" : "not started yet");
	else if (running == count || core_maintenance_rests_here(c, group))
		adopt(c, out, group);
	else if (is_found_but_for_added(c, group))
		adopt_grown(c, out, group);
	else
		core_group_stop(c, out, group, false, "only a part of it was found running");
	/* When a maintenance ends it is probed once more, and they are still new. */
	if (!core_maintenance_rests_here(c, group))
		forget_added(c, group);
}
