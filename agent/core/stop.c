/* Stopping a group, and what follows when that, or what was before it, failed.
 *
 * Resources stop in the reverse order, one after the other.  A stop that fails is tried again: what
 * may still run must not be started elsewhere.  After STOPS_MAX the watchdog is to reset the
 * machine, if there is one; once the lease is over, what the watchdog is not fed for any more is
 * stopped in a hurry.
 *
 * A group that failed rests for retry_ms, and is unsteady for as long again: nobody goes back to
 * it meanwhile.  When it fails again soon after, it rests twice as long; an engine that starts
 * meanwhile counts on.  What would fail again for good rests until an operator says so.
 */
#include "agent/core/parts.h"

enum {
	STOP_RETRY_MS = 5000, /* after a failed stop */
	STOPS_MAX = 3,        /* failed stops before the watchdog is to reset the machine */
	HURRY_PART = 4,       /* once the lease is over: so many tries within the watchdog's time */
	DOUBLINGS_MAX = 6,    /* of the rest after a failure */
};

/* The watchdog is no longer fed for it: what stops it before is better than a reset. */
static bool is_overdue(const struct core *c, uint16_t group)
{
	return core_lease_binds(c, group) && !core_lease_holds(c);
}

static uint32_t hurry_ms(const struct core *c)
{
	return c->conf.watchdog_ms == 0 ? STOP_RETRY_MS : c->conf.watchdog_ms / HURRY_PART;
}

/* How long it rests after so many failures: each time twice as long as the time before. */
static int64_t rest_ms(const struct core *c, uint16_t failures)
{
	unsigned doublings = failures > DOUBLINGS_MAX ? DOUBLINGS_MAX : failures - 1u;

	return (int64_t)c->conf.retry_ms << doublings;
}

bool core_stop_is_unsteady(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	return g->failures > 0 &&
	       !yoke_time_due(yoke_time_add_ms(g->failed_at, 2 * rest_ms(c, g->failures)), c->now);
}

/* What comes so soon after the last failure that the group had hardly been back here, when its rest
 * was over or by a failback, is the next of a series; later, the series is forgotten. */
static yoke_time forgotten_at(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];
	int64_t memory_ms = 4 * rest_ms(c, g->failures) + c->conf.group[group - 1].failback_ms;

	return yoke_time_add_ms(g->failed_at, memory_ms);
}

yoke_time core_stop_deadline(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	if (g->failures == 0)
		return YOKE_NEVER;
	return core_stop_is_unsteady(c, group)
		       ? yoke_time_add_ms(g->failed_at, 2 * rest_ms(c, g->failures))
		       : forgotten_at(c, group);
}

void core_stop_forget(struct core *c, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];

	if (g->failures == 0 || !yoke_time_due(forgotten_at(c, group), c->now))
		return;
	g->failures = 0;
	core_record_touch(c);
}

static void count_failure(struct core *c, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];

	if (g->failures < UINT8_MAX)
		g->failures++;
	g->failed_at = c->now;
	core_record_touch(c);
}

/* What would fail again for good is not tried again without an operator. */
static yoke_time retry_at(const struct core *c, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (c->resource[core_resource_at(c, group, i) - 1].fatal)
			return YOKE_NEVER;
	return yoke_time_add_ms(c->now, rest_ms(c, c->group[group - 1].failures));
}

/* Another try; what cannot be stopped at all is ended with the machine, if it has a watchdog. */
static void stop_failed(struct core *c, struct core_actions *out, uint16_t group, const char *why)
{
	struct core_group *g = &c->group[group - 1];
	char reason[YOKE_REASON_SIZE];

	g->retry_at = yoke_time_add_ms(c->now, is_overdue(c, group) ? hurry_ms(c) : STOP_RETRY_MS);
	if (++g->stop_failures < STOPS_MAX || c->resetting || c->conf.watchdog_ms == 0 ||
	    !core_lease_binds(c, group) || c->conf.group[group - 1].node_count < 2)
		return;
	c->resetting = true;
	core_text(reason, sizeof(reason), c->conf.group[group - 1].name,
		  " cannot be stopped: ", why, (char *)NULL);
	core_event(c, out, YOKE_EVENT_NODE_RESETTING, reason)->group = group;
	core_lease_tell(c, out);
}

void core_stop_look(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];
	char reason[YOKE_REASON_SIZE];

	/* What is to be restarted, and may not run any more, is stopped as a whole. */
	if (g->restarting && core_lease_binds(c, group) && !core_lease_holds(c))
		core_group_stop(c, out, group, false, core_lease_reason);
	for (uint16_t i = core_resource_count(c, group); i-- > (g->restarting ? g->keep : 0);) {
		struct core_resource *r = core_resource_of(c, group, i);

		if (r->run != 0 && r->run_kind == CORE_RUN_MONITOR)
			core_resource_cancel(c, out, core_resource_at(c, group, i));
		if (r->run != 0)
			return;
		if (r->state == YOKE_RESOURCE_STOPPED)
			continue;
		/* One that failed before this, for another reason, is tried at once. */
		if (r->state == YOKE_RESOURCE_FAILED && r->run_kind == CORE_RUN_STOP &&
		    g->stop_tried == i + 1) {
			/* It may still run: nothing may be started elsewhere before it stops. */
			if (yoke_time_is_never(g->retry_at))
				stop_failed(c, out, group, r->reason);
			if (is_overdue(c, group))
				g->retry_at = yoke_time_min(g->retry_at,
							    yoke_time_add_ms(c->now, hurry_ms(c)));
			if (!yoke_time_due(g->retry_at, c->now))
				return;
			g->retry_at = YOKE_NEVER;
		}
		g->stop_tried = i + 1;
		core_resource_run(c, out, core_resource_at(c, group, i), CORE_RUN_STOP, 0);
		return;
	}
	core_text(reason, sizeof(reason), g->reason, (char *)NULL);
	if (g->restarting) {
		g->restarting = false;
		core_group_become(c, out, group, YOKE_GROUP_STARTING, YOKE_EVENT_GROUP_STARTING,
				  reason);
	} else if (g->failing) {
		g->failing = false;
		core_group_become(c, out, group, YOKE_GROUP_FAILED, YOKE_EVENT_GROUP_FAILED,
				  reason);
		count_failure(c, group);
		g->retry_at = retry_at(c, group);
	} else {
		core_group_become(c, out, group, YOKE_GROUP_STOPPED, YOKE_EVENT_GROUP_STOPPED,
				  reason);
	}
}
