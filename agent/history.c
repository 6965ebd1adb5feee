#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/engine.h"
#include "agent/role.h"

enum { REFUSED_ALARM = 10 }; /* frames a minute on a path */

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

static const char *const refusal_text[HB_REFUSALS] = {
	[HB_REFUSED_LENGTH] = "length",   [HB_REFUSED_VERSION] = "protocol version",
	[HB_REFUSED_CLUSTER] = "cluster", [HB_REFUSED_SENDER] = "sender",
	[HB_REFUSED_KEY] = "key id",      [HB_REFUSED_SEAL] = "forged or wrong key",
	[HB_REFUSED_REPLAY] = "replayed",
};

/* Those that were not told yet. */
static uint64_t refused_since(const struct agent_engine *e, uint16_t node, uint16_t path)
{
	const struct hb_path *p = hb_path_of(&e->hb, node, path);
	uint64_t total = 0;

	for (int r = 0; r < HB_REFUSALS; r++)
		total += p->refused[r];
	return total - e->refused_told[node - 1][path - 1];
}

static void tell_refused(struct agent_engine *e, uint16_t node, uint16_t path, uint64_t count)
{
	const struct hb_path *p = hb_path_of(&e->hb, node, path);
	struct yoke_event ev = {.kind = YOKE_EVENT_FRAMES_REFUSED, .node = e->self, .path = path};
	size_t used = 0;

	for (int r = 0; r < HB_REFUSALS; r++)
		if (p->refused[r] > 0 && used < sizeof(ev.reason))
			used += (size_t)snprintf(ev.reason + used, sizeof(ev.reason) - used,
						 "%s%s %llu", used > 0 ? ", " : "", refusal_text[r],
						 (unsigned long long)p->refused[r]);
	ev.value = count;
	ev.mono_us = agent_engine_now().us;
	agent_history_add(e, &ev);
}

/* One event for all paths, of the one with the most.  A few are no alarm: an engine's start and
 * noise on a line cause them, and the counters have them. */
static void minute_refused(struct agent_engine *e)
{
	uint64_t most = 0;
	uint16_t node = 0, path = 0;

	for (uint16_t n = 1; n <= e->conf.node_count; n++)
		for (uint16_t p = 1; p <= e->conf.path_count; p++) {
			uint64_t count = n == e->self ? 0 : refused_since(e, n, p);

			e->refused_told[n - 1][p - 1] += count;
			if (count <= most)
				continue;
			most = count;
			node = n;
			path = p;
		}
	if (most >= REFUSED_ALARM)
		tell_refused(e, node, path, most);
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

	minute_refused(e);
	if (dropped > e->log_dropped_told) {
		uint64_t fresh = dropped - e->log_dropped_told;

		e->log_dropped_told = dropped;
		agent_history_note(e, YOKE_EVENT_LOG_DROPPED, fresh, "");
	}
}
