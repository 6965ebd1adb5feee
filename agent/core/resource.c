/* One operation at a time on a resource of this node.
 *
 *              probe            start             done             stop            done
 *   UNKNOWN ---------> STOPPED ------> STARTING --------> STARTED ------> STOPPING -----> STOPPED
 *                                         |                 |               |
 *                                       failed       monitor failed       failed
 *                                         +--------------> FAILED <---------+
 *
 * What something else removed is started again at once.  What is monitored is asked each
 * monitor_interval_ms; answers that it is not well make it FAILED when they are too many
 * (monitor.c), one that it is not running at once.
 *
 * Programs are started, and probe and monitor, so many at once only: the others wait here, before
 * their time-outs run, starts in the order of the groups, monitors in the order in which they are
 * due.  A stop waits for nothing: what fails to stop is tried for ever, and would keep from its
 * place what could be stopped in time.
 *
 * A result counts only if its id is the one that is out; anything else is late or double and is
 * ignored.  run_kind keeps what the last operation was, so that FAILED tells a failed stop (which
 * may still run) from a failed start.
 */
#include <assert.h>
#include <string.h>

#include "agent/core/parts.h"

enum {
	GRACE_MS = 1000, /* the shell's own time-out comes first */
	NOBODY = 0,
	RESTORE_WINDOW_MS = 60000,
};

static uint16_t group_of(const struct core *c, uint16_t resource)
{
	return c->conf.resource[resource - 1].group;
}

static struct yoke_event *tell(struct core *c, struct core_actions *out, uint16_t resource,
			       enum yoke_event_kind kind, const char *reason)
{
	struct yoke_event *ev = core_event(c, out, kind, reason);

	ev->resource = resource;
	ev->group = group_of(c, resource);
	return ev;
}

static uint32_t timeout_of(const struct core *c, uint16_t resource, enum core_run_kind kind)
{
	const struct core_resource_conf *conf = &c->conf.resource[resource - 1];
	uint32_t timeout_ms = 0;

	switch (kind) {
	case CORE_RUN_START:
		timeout_ms = conf->start_ms;
		break;
	case CORE_RUN_STOP:
		timeout_ms = conf->stop_ms;
		break;
	case CORE_RUN_PROBE:
	case CORE_RUN_MONITOR:
		timeout_ms = conf->monitor_ms;
		break;
	case CORE_RUN_PREPARE:
		break;
	}
	return timeout_ms != 0 ? timeout_ms : c->conf.operation_ms;
}

static bool is_program(const struct core *c, uint16_t resource)
{
	return !c->conf.resource[resource - 1].has_address;
}

static bool is_look(enum core_run_kind kind)
{
	return kind == CORE_RUN_PROBE || kind == CORE_RUN_MONITOR;
}

static uint32_t longer(uint32_t a_ms, uint32_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

/* Before a program begins, what ran of its resource before must be gone: of ours, what was late; of
 * an engine before us, which a probe or stop may be the first to meet, anything.  A monitor that
 * has to wait for the one before it is late itself. */
static int64_t wait_ms(const struct core *c, uint16_t resource, enum core_run_kind kind)
{
	uint32_t elder_ms = 0;

	if (!is_program(c, resource) || kind == CORE_RUN_PREPARE || kind == CORE_RUN_MONITOR)
		return 0;
	if (kind != CORE_RUN_START)
		elder_ms = longer(timeout_of(c, resource, CORE_RUN_PROBE),
				  longer(timeout_of(c, resource, CORE_RUN_START),
					 timeout_of(c, resource, CORE_RUN_STOP)));
	return (int64_t)elder_ms + YOKE_GONE_MS;
}

/* When a probe that is out would be over if it had begun at once: one that still waits then, for
 * what an engine before us began, keeps nobody from a place.  YOKE_NEVER: it is none. */
static yoke_time late_at(const struct core *c, uint16_t resource)
{
	const struct core_resource *r = &c->resource[resource - 1];

	if (r->run == 0 || r->run_kind != CORE_RUN_PROBE)
		return YOKE_NEVER;
	return yoke_time_add_ms(r->run_deadline, -wait_ms(c, resource, r->run_kind) - GRACE_MS);
}

/* Have as many programs as may, of looks or of starts, begun and not ended? */
static bool is_full(const struct core *c, bool looks)
{
	unsigned count = 0;

	for (uint16_t i = 1; i <= c->conf.resource_count; i++) {
		const struct core_resource *r = &c->resource[i - 1];

		if (r->run == 0 || !is_program(c, i))
			continue;
		count += looks ? is_look(r->run_kind) && yoke_time_before(c->now, late_at(c, i))
			       : r->run_kind == CORE_RUN_START;
	}
	return count >= (looks ? YOKE_LOOKS_MAX : YOKE_STARTS_MAX);
}

static bool must_wait(const struct core *c, uint16_t resource, enum core_run_kind kind)
{
	return is_program(c, resource) && (is_look(kind) || kind == CORE_RUN_START) &&
	       is_full(c, is_look(kind));
}

void core_resource_run(struct core *c, struct core_actions *out, uint16_t resource,
		       enum core_run_kind kind, uint32_t timeout_ms)
{
	struct core_resource *r = &c->resource[resource - 1];
	struct core_action *a;

	assert(r->run == 0);
	if (must_wait(c, resource, kind))
		return;
	a = core_act(out, CORE_RUN);
	if (kind != CORE_RUN_PREPARE)
		timeout_ms = timeout_of(c, resource, kind);
	r->removed = false;
	r->monitor_at = YOKE_NEVER;
	c->run_last = c->run_last == UINT32_MAX ? 1 : c->run_last + 1;
	r->run = c->run_last;
	r->run_kind = kind;
	r->run_deadline = yoke_time_add_ms(c->now, wait_ms(c, resource, kind) +
							   (int64_t)timeout_ms + GRACE_MS);
	if (kind == CORE_RUN_START)
		r->state = YOKE_RESOURCE_STARTING;
	if (kind == CORE_RUN_STOP)
		r->state = YOKE_RESOURCE_STOPPING;
	a->u.run.id = r->run;
	a->u.run.kind = kind;
	a->u.run.resource = resource;
	a->u.run.timeout_ms = timeout_ms;
	a->u.run.announce = kind == CORE_RUN_START;
}

static void end_run(struct core_resource *r)
{
	r->run = 0;
	r->run_deadline = YOKE_NEVER;
}

void core_resource_cancel(struct core *c, struct core_actions *out, uint16_t resource)
{
	struct core_resource *r = &c->resource[resource - 1];

	if (r->run == 0)
		return;
	core_act(out, CORE_CANCEL)->u.cancel.id = r->run;
	end_run(r);
}

static void fail(struct core *c, struct core_actions *out, uint16_t resource, const char *reason)
{
	struct core_resource *r = &c->resource[resource - 1];

	r->state = YOKE_RESOURCE_FAILED;
	r->restoring = false;
	core_text(r->reason, sizeof(r->reason), reason[0] != '\0' ? reason : "no reason given",
		  (char *)NULL);
	tell(c, out, resource, YOKE_EVENT_RESOURCE_FAILED, r->reason);
}

/* Put back at once what somebody else removed, but not for ever. */
static void on_lost(struct core *c, struct core_actions *out, uint16_t resource)
{
	struct core_resource *r = &c->resource[resource - 1];
	enum yoke_group_state group = c->group[group_of(c, resource) - 1].state;

	if (r->run != 0)
		r->removed = r->run_kind == CORE_RUN_START || r->run_kind == CORE_RUN_PROBE;
	if (r->state != YOKE_RESOURCE_STARTED || r->run != 0)
		return;
	if ((group != YOKE_GROUP_STARTED && group != YOKE_GROUP_STARTING) || r->retired) {
		r->state = YOKE_RESOURCE_STOPPED;
		return;
	}
	if (core_maintenance_rests(c, group_of(c, resource))) {
		fail(c, out, resource, "removed by another program");
		return;
	}
	if (yoke_time_span_us(r->window_since, c->now) > (int64_t)RESTORE_WINDOW_MS * 1000) {
		r->window_since = c->now;
		r->window_count = 0;
	}
	if (++r->window_count > CORE_RESTORES_MAX) {
		fail(c, out, resource, "removed again and again by another program");
		return;
	}
	core_resource_run(c, out, resource, CORE_RUN_START, 0);
	r->restoring = r->run != 0;
}

static void started(struct core *c, struct core_actions *out, uint16_t resource)
{
	struct core_resource *r = &c->resource[resource - 1];

	r->state = YOKE_RESOURCE_STARTED;
	r->reason[0] = '\0';
	core_monitor_forget(c, resource);
	if (r->restoring) {
		r->restoring = false;
		r->restores++;
		tell(c, out, resource, YOKE_EVENT_RESOURCE_RESTORED, "");
	} else {
		tell(c, out, resource, YOKE_EVENT_RESOURCE_STARTED, "");
	}
	if (r->removed)
		on_lost(c, out, resource);
}

static void monitor_later(struct core *c, uint16_t resource)
{
	uint32_t interval_ms = c->conf.resource[resource - 1].monitor_interval_ms;

	if (interval_ms != 0)
		c->resource[resource - 1].monitor_at = yoke_time_add_ms(c->now, interval_ms);
}

/* In maintenance what does not run is looked at, too: people work on it. */
static void look_again(struct core *c, struct core_actions *out, uint16_t resource,
		       enum core_result result)
{
	struct core_resource *r = &c->resource[resource - 1];

	monitor_later(c, resource);
	if (result != CORE_RESULT_RUNNING)
		return;
	r->state = YOKE_RESOURCE_STARTED;
	r->reason[0] = '\0';
	core_monitor_forget(c, resource);
	tell(c, out, resource, YOKE_EVENT_RESOURCE_RESTORED, "");
}

static void monitored(struct core *c, struct core_actions *out, uint16_t resource,
		      enum core_result result, const char *reason)
{
	struct core_resource *r = &c->resource[resource - 1];

	if (r->state != YOKE_RESOURCE_STARTED)
		look_again(c, out, resource, result);
	else if (result == CORE_RESULT_STOPPED)
		fail(c, out, resource, reason[0] != '\0' ? reason : "it was found not running");
	else if (core_monitor_fails(c, resource, result))
		fail(c, out, resource, reason);
	else
		monitor_later(c, resource);
}

/* A reason is why it cannot run here, or why what an engine before us began failed: that is told,
 * and what was found counts. */
static void probed(struct core *c, struct core_actions *out, uint16_t resource,
		   enum core_result result, const char *reason)
{
	struct core_resource *r = &c->resource[resource - 1];
	bool runs = result == CORE_RESULT_RUNNING;
	bool stopped = result == CORE_RESULT_STOPPED || result == CORE_RESULT_FATAL;

	core_monitor_forget(c, resource);
	r->fatal = result == CORE_RESULT_FATAL;
	if (reason[0] != '\0' || r->fatal || !(runs || stopped))
		fail(c, out, resource, reason);
	if (runs || stopped)
		r->state = runs && !r->removed ? YOKE_RESOURCE_STARTED : YOKE_RESOURCE_STOPPED;
}

static void apply(struct core *c, struct core_actions *out, uint16_t resource,
		  enum core_result result, const char *reason)
{
	struct core_resource *r = &c->resource[resource - 1];

	switch (r->run_kind) {
	case CORE_RUN_PROBE:
		probed(c, out, resource, result, reason);
		break;
	case CORE_RUN_START:
		r->fatal = result == CORE_RESULT_FATAL;
		if (result == CORE_RESULT_DONE)
			started(c, out, resource);
		else
			fail(c, out, resource, reason);
		break;
	case CORE_RUN_STOP:
		if (result == CORE_RESULT_DONE) {
			r->state = YOKE_RESOURCE_STOPPED;
			tell(c, out, resource, YOKE_EVENT_RESOURCE_STOPPED, "");
		} else {
			fail(c, out, resource, reason);
		}
		break;
	case CORE_RUN_MONITOR:
		monitored(c, out, resource, result, reason);
		break;
	case CORE_RUN_PREPARE:
		break; /* the group's affair: core_prepare_on_result() */
	}
}

void core_resource_on_result(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	for (uint16_t i = 1; i <= c->conf.resource_count; i++) {
		struct core_resource *r = &c->resource[i - 1];

		if (r->run == 0 || r->run != ev->u.result.id)
			continue;
		end_run(r);
		if (r->run_kind == CORE_RUN_PREPARE)
			core_prepare_on_result(c, out, group_of(c, i), ev);
		else
			apply(c, out, i, ev->u.result.result, ev->u.result.reason);
		return;
	}
}

static bool is_to_be_monitored(const struct core *c, uint16_t resource)
{
	const struct core_resource *r = &c->resource[resource - 1];
	uint16_t group = group_of(c, resource);

	return r->run == 0 && !r->retired && c->group[group - 1].state == YOKE_GROUP_STARTED &&
	       (r->state == YOKE_RESOURCE_STARTED || core_maintenance_rests(c, group));
}

/* Of those that are due and have a place, the one that waits for longest; NOBODY: none. */
static uint16_t next_monitor(const struct core *c)
{
	bool full = is_full(c, true);
	yoke_time first = YOKE_NEVER;
	uint16_t next = NOBODY;

	for (uint16_t i = 1; i <= c->conf.resource_count; i++) {
		yoke_time at = c->resource[i - 1].monitor_at;

		if (yoke_time_due(at, c->now) && yoke_time_before(at, first) &&
		    !(full && is_program(c, i))) {
			first = at;
			next = i;
		}
	}
	return next;
}

void core_resource_monitor(struct core *c, struct core_actions *out)
{
	uint16_t next;

	for (uint16_t i = 1; i <= c->conf.resource_count; i++) {
		if (!is_to_be_monitored(c, i))
			c->resource[i - 1].monitor_at = YOKE_NEVER;
		else if (yoke_time_is_never(c->resource[i - 1].monitor_at))
			monitor_later(c, i);
	}
	while ((next = next_monitor(c)) != NOBODY)
		core_resource_run(c, out, next, CORE_RUN_MONITOR, 0);
}

/* A monitor that is due waits for the end of another. */
yoke_time core_resource_deadline(const struct core *c)
{
	yoke_time t = YOKE_NEVER;

	for (uint16_t i = 0; i < c->conf.resource_count; i++) {
		yoke_time late = late_at(c, (uint16_t)(i + 1));

		t = yoke_time_min(t, c->resource[i].run_deadline);
		if (yoke_time_before(c->now, late))
			t = yoke_time_min(t, late);
		if (yoke_time_before(c->now, c->resource[i].monitor_at))
			t = yoke_time_min(t, c->resource[i].monitor_at);
	}
	return t;
}

bool core_resource_may_restart(struct core *c, uint16_t resource)
{
	const struct core_resource_conf *conf = &c->conf.resource[resource - 1];
	struct core_resource *r = &c->resource[resource - 1];
	yoke_time oldest;

	if (conf->restarts == 0)
		return false;
	/* The one so many before: is it out of the window? */
	if (r->restart_count >= conf->restarts) {
		oldest = r->restarted_at[(r->restart_count - conf->restarts) % CORE_RESTARTS_MAX];
		if (!yoke_time_due(yoke_time_add_ms(oldest, conf->restart_window_ms), c->now))
			return false;
	}
	r->restarted_at[r->restart_count++ % CORE_RESTARTS_MAX] = c->now;
	return true;
}

static void time_out(struct core *c, struct core_actions *out, uint16_t resource)
{
	const struct core_resource *r = &c->resource[resource - 1];
	struct core_event late = {.type = CORE_RESULT, .now = c->now};

	late.u.result.id = r->run;
	late.u.result.result =
		r->run_kind == CORE_RUN_MONITOR ? CORE_RESULT_LATE : CORE_RESULT_FAILED;
	core_text(late.u.result.reason, sizeof(late.u.result.reason), "timed out", (char *)NULL);
	core_resource_on_result(c, out, &late);
}

void core_resource_expire(struct core *c, struct core_actions *out)
{
	for (uint16_t i = 1; i <= c->conf.resource_count; i++)
		if (core_is_over(c, &c->resource[i - 1].run_deadline))
			time_out(c, out, i);
}

static void on_usable(struct core *c, struct core_actions *out, uint16_t resource, bool usable,
		      const struct core_event *ev)
{
	struct core_resource *r = &c->resource[resource - 1];
	bool is_first;

	if (usable)
		memcpy(r->hwaddr, ev->u.resource.hwaddr, CORE_HWADDR_SIZE);
	c->dirty = true; /* the hardware address is in our state */
	if (r->usable_known && r->usable == usable)
		return;
	is_first = !r->usable_known;
	r->usable = usable;
	r->usable_known = true;
	if (usable) {
		if (r->state != YOKE_RESOURCE_FAILED)
			r->reason[0] = '\0';
		if (!is_first) /* what it failed for may be over */
			core_group_forgive(c, group_of(c, resource));
		if (!is_first)
			tell(c, out, resource, YOKE_EVENT_RESOURCE_USABLE, "");
	} else {
		core_text(r->reason, sizeof(r->reason), ev->u.resource.reason, (char *)NULL);
		tell(c, out, resource, YOKE_EVENT_RESOURCE_UNUSABLE, ev->u.resource.reason);
	}
}

void core_resource_on_news(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	uint16_t resource = ev->u.resource.resource;

	assert(resource >= 1 && resource <= c->conf.resource_count);
	switch (ev->u.resource.news) {
	case CORE_NEWS_USABLE:
		on_usable(c, out, resource, true, ev);
		break;
	case CORE_NEWS_UNUSABLE:
		on_usable(c, out, resource, false, ev);
		break;
	case CORE_NEWS_LOST:
		on_lost(c, out, resource);
		break;
	case CORE_NEWS_DOUBT:
		core_group_doubt(c, group_of(c, resource), c->conf.dead_ms);
		break;
	}
}
