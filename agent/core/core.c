/* The step: one event in, actions out.
 *
 * Every event first changes what it is about (a path, a node's words, a resource, an operation).
 * Then everything is looked at again, in the order node, operation, group, record, until nothing
 * changes: the machines are level-triggered, so that no order of events can leave one behind.  At
 * the end what others must know is told once.
 *
 * core_check() holds after every step:
 *   - what core_group_check() says of every group
 *   - a resource has at most one operation out, with a deadline
 *   - the deadline is not in the past
 *   - at most one record is being saved
 */
#include "agent/core/core.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "agent/core/parts.h"

enum {
	STOOD_STILL_MS = 200, /* later than that is nobody who runs */
	LOOKS_MAX = 8,        /* rounds of looking in one step; two or three are usual */
};

/* ---- shorthands ---- */

struct core_node *core_node(struct core *c, uint16_t node)
{
	assert(node >= 1 && node <= c->conf.node_count);
	return &c->node[node - 1];
}

const struct core_node *core_node_const(const struct core *c, uint16_t node)
{
	assert(node >= 1 && node <= c->conf.node_count);
	return &c->node[node - 1];
}

uint16_t core_rank(const struct core *c, uint16_t group, uint16_t node)
{
	const struct core_group_conf *g = &c->conf.group[group - 1];

	for (uint16_t i = 0; i < g->node_count; i++)
		if (g->node[i] == node)
			return (uint16_t)(i + 1);
	return 0;
}

bool core_is_member(const struct core *c, uint16_t group, uint16_t node)
{
	return core_rank(c, group, node) != 0;
}

uint16_t core_resource_at(const struct core *c, uint16_t group, uint16_t i)
{
	return (uint16_t)(c->conf.group[group - 1].resource_first + i + 1);
}

uint16_t core_resource_count(const struct core *c, uint16_t group)
{
	return c->conf.group[group - 1].resource_count;
}

struct core_resource *core_resource_of(struct core *c, uint16_t group, uint16_t i)
{
	return &c->resource[core_resource_at(c, group, i) - 1];
}

bool core_node_alive(const struct core_node *n)
{
	return n->state == YOKE_NODE_ONLINE || n->state == YOKE_NODE_LATE;
}

void core_text(char *dst, size_t size, ...)
{
	va_list parts;
	const char *part;
	size_t used = 0;

	va_start(parts, size);
	while ((part = va_arg(parts, const char *)) != NULL)
		while (*part != '\0' && used + 1 < size)
			dst[used++] = *part++;
	va_end(parts);
	dst[used] = '\0';
}

const char *core_number(uint64_t v, char buf[21])
{
	char digits[21];
	size_t n = 0, i;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	for (i = 0; i < n; i++)
		buf[i] = digits[n - 1 - i];
	buf[n] = '\0';
	return buf;
}

struct core_action *core_act(struct core_actions *out, enum core_action_type type)
{
	struct core_action *a;

	assert(out->count < CORE_ACTIONS_MAX);
	a = &out->action[out->count++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	return a;
}

struct yoke_event *core_event(struct core *c, struct core_actions *out, enum yoke_event_kind kind,
			      const char *reason)
{
	struct yoke_event *ev = &core_act(out, CORE_EVENT)->u.event;

	ev->kind = (uint16_t)kind;
	ev->node = c->conf.self;
	ev->mono_us = c->now.us;
	core_text(ev->reason, sizeof(ev->reason), reason, (char *)NULL);
	return ev;
}

bool core_is_over(const struct core *c, yoke_time *deadline)
{
	if (!yoke_time_due(*deadline, c->now))
		return false;
	if (yoke_time_span_us(*deadline, c->now) <= (int64_t)STOOD_STILL_MS * 1000)
		return true;
	*deadline = yoke_time_add_ms(c->now, STOOD_STILL_MS);
	return false;
}

/* ---- start ---- */

static void init_self(struct core_node *n, const struct core_conf *conf, yoke_time now)
{
	core_text(n->version, YOKE_NAME_SIZE, conf->version, (char *)NULL);
	n->state = YOKE_NODE_ONLINE;
	n->protocol_min = conf->protocol_min;
	n->protocol_max = conf->protocol_max;
	n->first_heard = now;
}

static void init_arbiters(struct core *c, const struct core_conf *conf, yoke_time now)
{
	for (uint16_t a = 0; a < conf->arbiter_count; a++) {
		core_arbiter_inherit(&c->arbiter[a], conf->legacy.wrong[a]);
		c->arbiter[a].state = YOKE_ARBITER_UNKNOWN;
		c->arbiter[a].changed = now;
		c->arbiter[a].asked_at = now;
		c->arbiter[a].test_at = now;
		c->arbiter[a].ask_deadline = YOKE_NEVER;
		for (uint16_t n = 0; n < conf->node_count; n++)
			c->arbiter[a].seen[n].since = YOKE_NEVER;
	}
}

void core_init(struct core *c, const struct core_conf *conf, const uint8_t *record, size_t size,
	       const char *hold, yoke_time now)
{
	/* A node that came back unseen waits for so long before it calls us lost, and may be let
	 * take what ran here. */
	bool is_news = !yoke_time_due(yoke_time_add_ms(conf->before, conf->startup_ms), now);

	memset(c, 0, sizeof(*c));
	c->conf = *conf;
	c->now = now;
	c->started = now;
	c->locks_since = YOKE_NEVER;
	c->inherited = yoke_time_min(conf->lease, yoke_time_add_ms(now, conf->lease_ms));
	c->lease_holds = true;
	c->minute = -1;
	c->rest_since = c->remind_at = c->unready_since = YOKE_NEVER;
	c->lease_told.until =
		(yoke_time){-1}; /* what an engine before us told is replaced at once */
	c->fresh = true;
	c->resend_at = YOKE_NEVER;
	c->leave_deadline = YOKE_NEVER;
	c->save.retry_at = c->save.test_at = YOKE_NEVER;
	if (size > 0 && !core_record_get(c, record, size))
		core_text(c->hold, sizeof(c->hold), "its bytes are damaged", (char *)NULL);
	if (hold != NULL)
		core_text(c->hold, sizeof(c->hold), hold, (char *)NULL);
	/* What cannot be read, or is not there any more, may have been a promise. */
	c->promised = c->promised || c->hold[0] != '\0' || size == 0;
	for (uint16_t n = 0; n < conf->node_count; n++) {
		c->node[n].left = is_news && (conf->legacy.left >> n & 1) != 0;
		c->node[n].state = c->node[n].left ? YOKE_NODE_LEFT : YOKE_NODE_UNKNOWN;
		c->node[n].changed = now;
		c->node[n].first_heard = YOKE_NEVER;
		c->node[n].config.same = true;
		c->node[n].proven_dead = c->node[n].fenced =
			is_news && (conf->legacy.off >> n & 1) != 0;
		c->node[n].lost_at = now;
		c->node[n].online_since = YOKE_NEVER;
		c->node[n].jeopardy_since = YOKE_NEVER;
		for (uint16_t p = 0; p < conf->path_count; p++)
			c->node[n].path[p] = YOKE_PATH_NO_PEER;
		for (uint16_t g = 0; g < conf->group_count; g++)
			c->node[n].fit_since[g] = YOKE_NEVER;
		for (uint16_t g = 0; g < conf->group_count; g++)
			c->node[n].claim[g].state = YOKE_GROUP_UNKNOWN;
	}
	for (uint16_t g = 0; g < conf->group_count; g++) {
		struct core_group *group = &c->group[g];

		group->state = YOKE_GROUP_UNKNOWN;
		group->since = now;
		group->owner_since = now;
		group->prepare_at = YOKE_NEVER;
		group->prepared_at = YOKE_NEVER;
		group->retry_at = YOKE_NEVER;
		group->announce_at = YOKE_NEVER;
	}
	for (uint16_t r = 0; r < conf->resource_count; r++) {
		c->resource[r].state = YOKE_RESOURCE_UNKNOWN;
		c->resource[r].run_deadline = YOKE_NEVER;
		c->resource[r].window_since = now;
		c->resource[r].monitor_at = YOKE_NEVER;
	}
	init_arbiters(c, conf, now);
	for (uint16_t n = 0; n < conf->node_count; n++)
		c->fence[n].at = YOKE_NEVER;
	init_self(core_node(c, conf->self), conf, now);
	c->heard_since = YOKE_NEVER;
	c->startup_over = conf->node_count == 1;
	c->startup_until = yoke_time_add_ms(now, conf->startup_ms);
}

static void tell_fresh(struct core *c, struct core_actions *out)
{
	bool standby = c->intent[c->conf.self - 1].standby;

	c->fresh = false;
	c->dirty = true;
	c->beat_dirty = true;
	core_event(c, out, YOKE_EVENT_ENGINE_STARTED, standby ? "in standby" : "may run groups");
	if (c->hold[0] != '\0') {
		struct core_intent hold = {c->intent[c->conf.self - 1].version + 1, true};

		core_event(c, out, YOKE_EVENT_STATE_UNREADABLE, c->hold);
		core_node_intent(c, out, c->conf.self, hold, "its saved state is unreadable");
	}
}

bool core_all_told(const struct core *c)
{
	for (uint16_t i = 1; i <= c->conf.node_count; i++) {
		const struct core_node *n = core_node_const(c, i);

		if (i != c->conf.self && (core_node_alive(n) || n->state == YOKE_NODE_JOINING) &&
		    !core_version_is_strange(c, i) && n->acked < c->version)
			return false;
	}
	return true;
}

/* ---- the step ---- */

static void on_stall(struct core *c, struct core_actions *out, uint32_t stall_ms)
{
	core_event(c, out, YOKE_EVENT_STALL, "")->value = stall_ms;
	/* Nodes that were not heard because we stood still are given the time to be. */
	c->startup_until =
		yoke_time_max(c->startup_until, yoke_time_add_ms(c->now, c->conf.dead_ms));
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		core_group_doubt(c, g, c->conf.dead_ms);
}

static void take(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	switch (ev->type) {
	case CORE_TIMER:
		/* Other events may come before it is known that we stood still. */
		c->startup_over = c->startup_over || yoke_time_due(c->startup_until, c->now);
		break;
	case CORE_PATH:
		core_node_on_path(c, out, ev);
		break;
	case CORE_MESSAGE:
		core_wire_on_message(c, out, ev);
		break;
	case CORE_RESULT:
		core_resource_on_result(c, out, ev);
		break;
	case CORE_RESOURCE:
		core_resource_on_news(c, out, ev);
		break;
	case CORE_SAVED:
		core_record_on_saved(c, out, ev);
		break;
	case CORE_OPERATE:
		core_oper_on_operate(c, out, ev);
		break;
	case CORE_STALL:
		on_stall(c, out, ev->u.stall.stall_ms);
		break;
	case CORE_LEAVE:
		core_leave_begin(c, out);
		break;
	case CORE_ANSWER:
		core_arbiter_on_answer(c, out, ev);
		break;
	case CORE_CLOCK:
		c->minute = ev->u.clock.minute;
		break;
	case CORE_RETIRE:
		core_retire_take(c, ev);
		break;
	case CORE_FOREIGN:
		core_version_foreign(c, out, ev->u.foreign.node, ev->u.foreign.min,
				     ev->u.foreign.max);
		break;
	case CORE_WATCHDOG:
		c->watchdog_fails = !ev->u.watchdog.works;
		break;
	}
}

static bool same_claim(const struct core_claim *a, const struct core_claim *b)
{
	return a->state == b->state && a->term == b->term && a->cause == b->cause &&
	       a->ready == b->ready && a->request == b->request && a->grant_to == b->grant_to &&
	       a->grant_term == b->grant_term && a->unsteady == b->unsteady &&
	       a->pinned == b->pinned && a->started_term == b->started_term;
}

/* The nodes whose lease our beats renew. */
static void publish_support(struct core *c)
{
	uint8_t support = 0;

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		enum yoke_node_state state = core_node_const(c, n)->state;

		if (n != c->conf.self && (state == YOKE_NODE_JOINING || state == YOKE_NODE_ONLINE ||
					  state == YOKE_NODE_LATE))
			support = (uint8_t)(support | 1u << (n - 1));
	}
	c->beat_dirty = c->beat_dirty || (core_lease_is_used(c) && support != c->support);
	c->support = support;
}

/* What the others and the view know of our groups and resources; true when it changed. */
static bool publish(struct core *c)
{
	struct core_node *self = core_node(c, c->conf.self);
	struct core_trouble trouble;
	bool changed = false;

	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		const struct core_group *group = &c->group[g - 1];
		struct core_claim claim = {.state = group->state,
					   .term = group->term,
					   .cause = core_cause_self(c, g),
					   .pinned = group->pinned,
					   .started_term = group->started_term};

		claim.ready = group->state == YOKE_GROUP_STOPPED &&
			      (group->prepare == CORE_PREPARE_CLEAR ||
			       group->prepare == CORE_PREPARE_NODE) &&
			      core_wanted(c, g) == c->conf.self && core_term_is_usable(c, g);
		claim.unsteady = core_stop_is_unsteady(c, g);
		core_grant_publish(c, g, &claim);
		if (!same_claim(&self->claim[g - 1], &claim)) {
			core_node_fit(c, c->conf.self, g, &claim);
			self->claim[g - 1] = claim;
			changed = true;
		}
	}
	core_ready_trouble(c, &trouble);
	if (memcmp(&self->trouble, &trouble, sizeof(trouble)) != 0) {
		self->trouble = trouble;
		changed = true;
	}
	for (uint16_t r = 0; r < c->conf.resource_count; r++)
		if (self->resource[r] != c->resource[r].state) {
			self->resource[r] = c->resource[r].state;
			changed = true;
		}
	return changed;
}

static void look(struct core *c, struct core_actions *out)
{
	unsigned rounds, before;
	bool changed;

	core_resource_expire(c, out);
	core_record_expire(c, out);
	core_leave_keep_promise(c);
	core_maintenance_look(c, out);
	for (rounds = 0, changed = true; changed && rounds < LOOKS_MAX; rounds++) {
		before = out->count;
		core_node_look(c, out);
		core_oper_look(c, out);
		core_arbiter_look(c, out);
		core_fence_look(c, out);
		core_lease_look(c, out);
		for (uint16_t g = 1; g <= c->conf.group_count; g++) {
			core_grant_look(c, g);
			core_group_look(c, out, g);
		}
		changed = publish(c);
		c->dirty = c->dirty || changed;
		changed = changed || out->count != before;
	}
	publish_support(c);
	core_resource_monitor(c, out);
	core_ready_look(c, out);
	core_jeopardy_look(c, out);
	core_record_look(c, out);
	core_leave_look(c, out);
}

/* One that goes in parts is not told at each of many changes at once: heartbeats would wait. */
static yoke_time may_tell_at(const struct core *c)
{
	if (c->state_size <= YOKE_PAYLOAD_SIZE)
		return c->now;
	return yoke_time_add_ms(c->state_told_at, c->conf.interval_ms / 4);
}

static void tell(struct core *c, struct core_actions *out)
{
	bool told, due;

	if (c->dirty)
		c->version++;
	if (c->beat_dirty)
		core_wire_put_beat(c, out);
	/* Not only what changed: a node that lost us for a moment has forgotten what it knew. */
	told = core_all_told(c);
	due = !told && (yoke_time_is_never(c->resend_at) || yoke_time_due(c->resend_at, c->now));
	if ((c->dirty || due) && yoke_time_before(c->now, may_tell_at(c))) {
		c->resend_at = may_tell_at(c);
	} else if (c->dirty || due) {
		core_wire_put_state(c, out);
		c->state_size = out->message_size;
		c->state_told_at = c->now;
		c->resend_at = yoke_time_add_ms(c->now, c->conf.interval_ms);
	}
	if (told)
		c->resend_at = YOKE_NEVER;
	c->dirty = false;
	c->beat_dirty = false;
}

void core_step(struct core *c, const struct core_event *ev, struct core_actions *out)
{
	const char *wrong;

	yoke_time before = c->now;

	assert(!yoke_time_before(ev->now, c->now));
	c->now = ev->now;
	out->count = 0;
	out->beat_size = out->message_size = out->record_size = 0;
	if (c->fresh)
		tell_fresh(c, out);
	core_lease_lapse(c, before);
	take(c, out, ev);
	look(c, out);
	tell(c, out);
	wrong = core_check(c);
	assert(wrong == NULL);
	(void)wrong;
}

/* ---- deadline and check ---- */

yoke_time core_deadline(const struct core *c)
{
	yoke_time t = c->resend_at;

	if (c->fresh)
		return c->now;
	if (!c->startup_over)
		t = yoke_time_min(t, yoke_time_max(c->startup_until, yoke_time_add_us(c->now, 1)));
	t = yoke_time_min(t, core_leave_deadline(c));
	t = yoke_time_min(t, core_arbiter_deadline(c));
	t = yoke_time_min(t, core_fence_deadline(c));
	t = yoke_time_min(t, core_lease_deadline(c));
	t = yoke_time_min(t, core_policy_deadline(c));
	t = yoke_time_min(t, core_ready_deadline(c));
	t = yoke_time_min(t, core_jeopardy_deadline(c));
	t = yoke_time_min(t, c->remind_at);
	t = yoke_time_min(t, c->save.retry_at);
	if (c->save.asked == 0)
		t = yoke_time_min(t, c->save.test_at);
	if (core_node_const(c, c->conf.self)->operation.number != 0)
		t = yoke_time_min(t, core_node_const(c, c->conf.self)->operation.deadline);
	t = yoke_time_min(t, core_resource_deadline(c));
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		t = yoke_time_min(t, core_group_deadline(c, g));
	return t;
}

const char *core_check(const struct core *c)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		const char *wrong = core_group_check(c, g);

		if (wrong != NULL)
			return wrong;
	}
	for (uint16_t r = 0; r < c->conf.resource_count; r++)
		if ((c->resource[r].run != 0) == yoke_time_is_never(c->resource[r].run_deadline))
			return "an operation on a resource has no deadline, or a deadline no "
			       "operation";
	if (!c->fresh && core_deadline(c).us <= c->now.us)
		return "the deadline is not in the future";
	if (c->save.asked != 0 && c->save.asked <= c->save.durable)
		return "a record is being saved that is durable already";
	return NULL;
}

size_t core_event_size(const struct core_event *ev)
{
	size_t head = offsetof(struct core_event, u);

	switch (ev->type) {
	case CORE_TIMER:
	case CORE_LEAVE:
		return head;
	case CORE_PATH:
		return head + sizeof(ev->u.path);
	case CORE_MESSAGE:
		return head + offsetof(struct core_event, u.message.bytes) -
		       offsetof(struct core_event, u.message) + ev->u.message.size;
	case CORE_RESULT:
		return head + sizeof(ev->u.result);
	case CORE_RESOURCE:
		return head + sizeof(ev->u.resource);
	case CORE_SAVED:
		return head + sizeof(ev->u.saved);
	case CORE_OPERATE:
		return head + sizeof(ev->u.operate);
	case CORE_STALL:
		return head + sizeof(ev->u.stall);
	case CORE_ANSWER:
		return head + sizeof(ev->u.answer);
	case CORE_CLOCK:
		return head + sizeof(ev->u.clock);
	case CORE_RETIRE:
		return head + sizeof(ev->u.retire);
	case CORE_FOREIGN:
		return head + sizeof(ev->u.foreign);
	case CORE_WATCHDOG:
		return head + sizeof(ev->u.watchdog);
	}
	return sizeof(*ev);
}
