#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/base/log.h"
#include "agent/engine.h"
#include "agent/role.h"

/* ---- results that wait ---- */

static void push(struct agent_engine *e, enum core_event_type type, uint32_t id,
		 enum core_result result, const char *reason)
{
	struct agent_result *r;

	assert(e->result_count < AGENT_RESULTS_MAX);
	r = &e->result[(e->result_first + e->result_count++) % AGENT_RESULTS_MAX];
	r->type = type;
	r->id = id;
	r->result = result;
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

static void push_result(struct agent_engine *e, uint32_t id, enum core_result result,
			const char *reason)
{
	push(e, CORE_RESULT, id, result, reason);
}

/* For something that the keeper should have done. */
static void push_not_read(struct agent_engine *e, enum core_event_type type, uint32_t id)
{
	push(e, type, id, CORE_RESULT_FAILED, "the keeper does not read");
}

/* ---- one function per action ---- */

static void run_address(struct agent_engine *e, const struct core_action *a, yoke_time now)
{
	unsigned i = e->address[a->u.run.resource - 1u];
	char why[YOKE_REASON_SIZE] = "";
	uint32_t id = a->u.run.id;
	bool runs;
	int rc = 0;

	switch (a->u.run.kind) {
	case CORE_RUN_PROBE:
	case CORE_RUN_MONITOR:
		runs = agent_address_probe(&e->addresses, i);
		push_result(e, id, runs ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED, "");
		return;
	case CORE_RUN_PREPARE:
		rc = agent_address_prepare(&e->addresses, i, id, a->u.run.timeout_ms, now, why);
		if (rc < 0)
			push_result(e, id, CORE_RESULT_FAILED, why);
		return;
	case CORE_RUN_START:
		rc = agent_address_start(&e->addresses, i, a->u.run.announce, now, why);
		break;
	case CORE_RUN_STOP:
		rc = agent_address_stop(&e->addresses, i, why);
		break;
	}
	push_result(e, id, rc == 0 ? CORE_RESULT_DONE : CORE_RESULT_FAILED, why);
}

/* Nothing answers for a script, so its start cannot collide. */
static void run_script(struct agent_engine *e, const struct core_action *a)
{
	struct agent_channel_message *m = &e->message;

	if (a->u.run.kind == CORE_RUN_PREPARE) {
		push_result(e, a->u.run.id, CORE_RESULT_DONE, "");
		return;
	}
	m->kind = AGENT_CHANNEL_JOB;
	m->u.job.id = a->u.run.id;
	m->u.job.resource = a->u.run.resource;
	m->u.job.kind = a->u.run.kind;
	m->u.job.timeout_ms = a->u.run.timeout_ms;
	if (agent_channel_send(AGENT_ROLE_FD_CHANNEL, m) < 0)
		push_not_read(e, CORE_RESULT, a->u.run.id);
}

static bool is_script(const struct agent_engine *e, uint16_t resource)
{
	return e->conf.resource[resource - 1].type == YOKE_RESOURCE_TYPE_SCRIPT;
}

static void run(struct agent_engine *e, const struct core_action *a, yoke_time now)
{
	if (is_script(e, a->u.run.resource))
		run_script(e, a);
	else
		run_address(e, a, now);
}

static void save(struct agent_engine *e, const struct core_action *a)
{
	struct agent_channel_message *m = &e->message;

	m->kind = AGENT_CHANNEL_SAVE;
	m->u.record.version = a->u.save.version;
	m->u.record.size = e->actions.record_size;
	m->u.record.reason[0] = '\0';
	memcpy(m->u.record.bytes, e->actions.record, e->actions.record_size);
	if (agent_channel_send(AGENT_ROLE_FD_CHANNEL, m) < 0)
		push_not_read(e, CORE_SAVED, a->u.save.version);
}

/* What may wait (a fence agent, a disk) is asked by the keeper's processes. */
static void ask_keeper(struct agent_engine *e, const struct core_action *a)
{
	struct agent_channel_message *m = &e->message;

	m->kind = AGENT_CHANNEL_ASK;
	m->u.ask.id = a->u.ask.id;
	m->u.ask.arbiter = a->u.ask.arbiter;
	m->u.ask.node = a->u.ask.node;
	m->u.ask.kind = a->u.ask.kind;
	m->u.ask.timeout_ms = a->u.ask.timeout_ms;
	m->u.ask.slot = a->u.ask.slot;
	m->u.ask.newest_key = agent_keys_common(e);
	if (agent_channel_send(AGENT_ROLE_FD_CHANNEL, m) < 0)
		push_not_read(e, CORE_ANSWER, a->u.ask.id);
}

static void ask(struct agent_engine *e, const struct core_action *a, yoke_time now)
{
	switch (e->conf.arbiter[a->u.ask.arbiter - 1].type) {
	case YOKE_ARBITER_TYPE_FENCE:
	case YOKE_ARBITER_TYPE_DISK:
		ask_keeper(e, a);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
	case YOKE_ARBITER_TYPE_PING:
		agent_ask_begin(&e->asks, a, now);
		break;
	case YOKE_ARBITER_TYPE_UNKNOWN:
		break;
	}
}

/* What the keeper does not hear of is answered all the same: that is harmless. */
static void cancel(struct agent_engine *e, uint32_t id)
{
	struct agent_channel_message *m = &e->message;

	agent_address_cancel(&e->addresses, id);
	if (e->conf.arbiter_count == 0)
		return;
	m->kind = AGENT_CHANNEL_CANCEL;
	m->u.cancel.id = id;
	agent_channel_send(AGENT_ROLE_FD_CHANNEL, m);
}

static void perform_one(struct agent_engine *e, const struct core_action *a, yoke_time now)
{
	switch (a->type) {
	case CORE_BEAT:
		hb_set_beat(&e->hb, e->actions.beat, e->actions.beat_size, now);
		break;
	case CORE_SEND:
		hb_send(&e->hb, a->u.send.node, e->actions.message, e->actions.message_size, now);
		break;
	case CORE_RUN:
		run(e, a, now);
		break;
	case CORE_CANCEL:
		cancel(e, a->u.cancel.id);
		break;
	case CORE_ANNOUNCE:
		if (!is_script(e, a->u.announce.resource))
			agent_address_announce(&e->addresses,
					       e->address[a->u.announce.resource - 1], now);
		break;
	case CORE_SAVE:
		save(e, a);
		break;
	case CORE_REPLY:
		e->reply.request = a->u.reply.request;
		e->reply.verdict = a->u.reply.verdict;
		e->reply.operation = a->u.reply.operation;
		break;
	case CORE_EVENT:
		agent_history_add(e, &a->u.event);
		break;
	case CORE_EXIT:
		e->exiting = true;
		break;
	case CORE_ASK:
		ask(e, a, now);
		break;
	case CORE_LEASE:
		agent_shared_lease(e->shared, a->u.lease.until, a->u.lease.exclusive,
				   a->u.lease.reset);
		e->shared->legacy = a->u.lease.legacy;
		break;
	}
}

/* ---- the feed ---- */

static void feed_one(struct agent_engine *e, const struct core_event *event)
{
	agent_shared_record(e->shared, &e->core, event);
	core_step(&e->core, event, &e->actions);
	for (unsigned i = 0; i < e->actions.count; i++)
		perform_one(e, &e->actions.action[i], event->now);
}

static void feed_result(struct agent_engine *e, yoke_time now)
{
	const struct agent_result *r = &e->result[e->result_first];
	struct core_event ev = {.type = r->type, .now = now};

	if (r->type == CORE_SAVED) {
		ev.u.saved.version = r->id;
		ev.u.saved.ok = r->result == CORE_RESULT_DONE;
		memcpy(ev.u.saved.reason, r->reason, sizeof(ev.u.saved.reason));
	} else if (r->type == CORE_ANSWER) {
		ev.u.answer.id = r->id;
		ev.u.answer.result = r->result;
		memcpy(ev.u.answer.reason, r->reason, sizeof(ev.u.answer.reason));
	} else {
		ev.u.result.id = r->id;
		ev.u.result.result = r->result;
		memcpy(ev.u.result.reason, r->reason, sizeof(ev.u.result.reason));
	}
	e->result_first = (e->result_first + 1) % AGENT_RESULTS_MAX;
	e->result_count--;
	feed_one(e, &ev);
}

void agent_engine_feed(struct agent_engine *e, const struct core_event *event)
{
	feed_one(e, event);
	while (e->result_count > 0)
		feed_result(e, event->now);
}

void agent_engine_feed_changes(struct agent_engine *e, yoke_time now)
{
	for (unsigned i = 0; i < e->changes.count; i++) {
		const struct hb_change *c = &e->changes.change[i];
		struct core_event ev = {.type = CORE_PATH, .now = now};

		ev.u.path.node = c->node;
		ev.u.path.path = c->path;
		ev.u.path.state = c->to;
		e->path_changed_ms[c->node - 1][c->path - 1] = agent_engine_wall_ms();
		agent_engine_feed(e, &ev);
	}
	e->changes.count = 0;
}

void agent_engine_feed_received(struct agent_engine *e, yoke_time now)
{
	struct core_event *ev = &e->event;

	if (e->received.kind == HB_BEAT && e->received.repeated &&
	    !core_wants_beat(&e->core, e->received.node, e->received.echoed_at))
		return;
	if (e->received.kind == HB_BULK) {
		agent_bulk_received(e);
		return;
	}
	if (e->received.kind == HB_FOREIGN) {
		ev->type = CORE_FOREIGN;
		ev->now = now;
		ev->u.foreign.node = e->received.node;
		ev->u.foreign.min = e->received.protocol_min;
		ev->u.foreign.max = e->received.protocol_max;
		agent_engine_feed(e, ev);
		return;
	}
	ev->type = CORE_MESSAGE;
	ev->now = now;
	ev->u.message.node = e->received.node;
	ev->u.message.path = e->received.path;
	ev->u.message.incarnation = e->received.incarnation;
	ev->u.message.echoed = e->received.echoed_at;
	ev->u.message.size = e->received.size;
	memcpy(ev->u.message.bytes, e->received.bytes, e->received.size);
	agent_engine_feed(e, ev);
}

void agent_engine_feed_done(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.type = CORE_RESULT, .now = now};

	ev.u.result.id = e->message.u.done.id;
	ev.u.result.result = (enum core_result)e->message.u.done.result;
	memcpy(ev.u.result.reason, e->message.u.done.reason, sizeof(ev.u.result.reason));
	agent_engine_feed(e, &ev);
}

void agent_engine_feed_answer(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.type = CORE_ANSWER, .now = now};

	ev.u.answer.id = e->message.u.answer.id;
	ev.u.answer.result = (enum core_result)e->message.u.answer.result;
	ev.u.answer.node = e->message.u.answer.node;
	if (e->message.u.answer.arbiter >= 1 && e->message.u.answer.arbiter <= YOKE_ARBITERS_MAX &&
	    ev.u.answer.result == CORE_RESULT_DONE)
		e->disk_key[e->message.u.answer.arbiter - 1] = e->message.u.answer.key;
	memcpy(ev.u.answer.slot, e->message.u.answer.slot, sizeof(ev.u.answer.slot));
	memcpy(ev.u.answer.reason, e->message.u.answer.reason, sizeof(ev.u.answer.reason));
	agent_engine_feed(e, &ev);
}

void agent_engine_feed_asks(struct agent_engine *e, yoke_time now)
{
	while (agent_ask_take(&e->asks, &e->event)) {
		e->event.now = now;
		agent_engine_feed(e, &e->event);
	}
}

void agent_engine_feed_scripts(struct agent_engine *e, yoke_time now)
{
	for (uint16_t r = 1; r <= e->conf.resource_count; r++) {
		struct core_event ev = {.type = CORE_RESOURCE, .now = now};

		if (!is_script(e, r))
			continue;
		ev.u.resource.resource = r;
		ev.u.resource.news = CORE_NEWS_USABLE;
		agent_engine_feed(e, &ev);
	}
}

void agent_engine_feed_program(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.type = CORE_RESOURCE, .now = now};

	ev.u.resource.resource = e->message.u.program.resource;
	ev.u.resource.news = e->message.u.program.reason[0] == '\0' ? CORE_NEWS_USABLE
								   : CORE_NEWS_UNUSABLE;
	memcpy(ev.u.resource.reason, e->message.u.program.reason, sizeof(ev.u.resource.reason));
	agent_engine_feed(e, &ev);
}

/* localtime_r() reads the zone's file once only: tzset() did, when the engine started. */
void agent_engine_feed_clock(struct agent_engine *e, yoke_time now)
{
	time_t seconds = (time_t)(agent_engine_wall_ms() / 1000);
	struct core_event ev = {.type = CORE_CLOCK, .now = now};
	struct tm tm;

	for (uint16_t g = 0; g < e->conf.group_count; g++) {
		if (e->conf.group[g].failback_from == e->conf.group[g].failback_to ||
		    localtime_r(&seconds, &tm) == NULL)
			continue;
		ev.u.clock.minute = (uint16_t)(tm.tm_hour * 60 + tm.tm_min);
		agent_engine_feed(e, &ev);
		return;
	}
}

void agent_engine_feed_watchdog(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.type = CORE_WATCHDOG, .now = now};
	bool works = atomic_load(&e->shared->watchdog_works);

	if (works == !e->core.watchdog_fails)
		return;
	ev.u.watchdog.works = works;
	agent_engine_feed(e, &ev);
}

static bool event_of_note(const struct agent_address_note *note, struct core_event *ev)
{
	switch (note->type) {
	case AGENT_ADDRESS_DONE:
	case AGENT_ADDRESS_ANSWERED:
		ev->type = CORE_RESULT;
		ev->u.result.id = note->id;
		ev->u.result.result =
			note->type == AGENT_ADDRESS_DONE ? CORE_RESULT_DONE : CORE_RESULT_ANSWERED;
		memcpy(ev->u.result.hwaddr, note->hwaddr, CORE_HWADDR_SIZE);
		return true;
	case AGENT_ADDRESS_USABLE:
		ev->u.resource.news = CORE_NEWS_USABLE;
		break;
	case AGENT_ADDRESS_UNUSABLE:
		ev->u.resource.news = CORE_NEWS_UNUSABLE;
		break;
	case AGENT_ADDRESS_LOST:
		ev->u.resource.news = CORE_NEWS_LOST;
		break;
	case AGENT_ADDRESS_DOUBT:
		ev->u.resource.news = CORE_NEWS_DOUBT;
		break;
	default:
		return false;
	}
	ev->type = CORE_RESOURCE;
	ev->u.resource.resource = note->resource;
	memcpy(ev->u.resource.hwaddr, note->hwaddr, CORE_HWADDR_SIZE);
	memcpy(ev->u.resource.reason, note->reason, sizeof(ev->u.resource.reason));
	return true;
}

void agent_engine_feed_notes(struct agent_engine *e, yoke_time now)
{
	for (unsigned i = 0; i < e->notes.count; i++) {
		struct core_event ev = {.now = now};

		if (event_of_note(&e->notes.note[i], &ev))
			agent_engine_feed(e, &ev);
	}
	e->notes.count = 0;
}
