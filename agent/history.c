#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/engine.h"
#include "agent/role.h"

static enum yoke_log_level level_of(enum yoke_severity severity)
{
	switch (severity) {
	case YOKE_SEVERITY_CRITICAL:
		return YOKE_LOG_ERROR;
	case YOKE_SEVERITY_WARNING:
		return YOKE_LOG_WARNING;
	default:
		return YOKE_LOG_INFO;
	}
}

void agent_history_add(struct agent_engine *e, const struct yoke_event *event)
{
	uint64_t seq = e->shared->last_event + 1;
	struct yoke_event *kept = &e->message.u.event;

	*kept = *event;
	kept->seq = seq;
	kept->wall_ms = agent_engine_wall_ms();
	yoke_event_render(kept, &e->names);
	agent_shared_remember(e->shared, kept);
	e->kick_due = true;
	yoke_log(level_of(kept->severity), "[%llu] %s", (unsigned long long)seq, kept->text);
	e->message.kind = AGENT_CHANNEL_EVENT;
	/* A keeper or disk that does not keep up costs history over a reboot, nothing else. */
	agent_channel_send(AGENT_ROLE_FD_CHANNEL, &e->message);
}

void agent_history_note(struct agent_engine *e, enum yoke_event_kind kind, uint64_t value,
			const char *reason)
{
	struct yoke_event ev = {.kind = (uint16_t)kind, .node = e->self, .value = value};

	ev.mono_us = agent_engine_now().us;
	snprintf(ev.reason, sizeof(ev.reason), "%s", reason);
	agent_history_add(e, &ev);
}

unsigned agent_history_after(const struct agent_engine *e, uint64_t after,
			     struct yoke_event *events, unsigned max, uint64_t *missed)
{
	uint64_t last = e->shared->last_event, first;
	unsigned count = 0;

	*missed = 0;
	if (after >= last)
		return 0;
	first = last >= YOKE_EVENTS_MAX ? last - YOKE_EVENTS_MAX + 1 : 1;
	if (after + 1 > first)
		first = after + 1;
	*missed = first - (after + 1);
	for (uint64_t seq = first; seq <= last && count < max; seq++) {
		const struct yoke_event *ev = agent_shared_event(e->shared, seq);

		if (ev != NULL)
			events[count++] = *ev;
		else
			(*missed)++;
	}
	return count;
}

void agent_history_watchdog(struct agent_engine *e)
{
	struct agent_shared *s = e->shared;
	char reason[YOKE_REASON_SIZE];
	int64_t gap_ms = atomic_exchange(&s->watchdog_gap_ms, 0);

	if (gap_ms > 0)
		agent_history_note(e, YOKE_EVENT_WATCHDOG_NEAR, (uint64_t)gap_ms, "");
	if (atomic_load(&s->watchdog_failed)) {
		memcpy(reason, s->watchdog_reason, sizeof(reason));
		atomic_store(&s->watchdog_failed, false);
		agent_history_note(e, YOKE_EVENT_WATCHDOG_FAILED, 0, reason);
	}
}

void agent_history_reload(struct agent_engine *e)
{
	uint32_t reloads = atomic_load(&e->shared->reloads);
	const char *reason = e->shared->reload_reason;

	if (reloads == e->reloads_told)
		return;
	e->reloads_told = reloads;
	agent_history_note(
		e, reason[0] == '\0' ? YOKE_EVENT_CONFIG_TAKEN : YOKE_EVENT_CONFIG_REFUSED, 0,
		reason);
}

void agent_history_minute(struct agent_engine *e)
{
	uint64_t dropped = yoke_log_dropped();
	struct yoke_event ev = {.kind = YOKE_EVENT_FRAMES_REFUSED, .node = e->self};

	if (agent_refused_minute(&e->refused, &e->hb, &ev)) {
		ev.mono_us = agent_engine_now().us;
		agent_history_add(e, &ev);
	}
	if (dropped > e->log_dropped_told) {
		uint64_t fresh = dropped - e->log_dropped_told;

		e->log_dropped_told = dropped;
		agent_history_note(e, YOKE_EVENT_LOG_DROPPED, fresh, "");
	}
}
