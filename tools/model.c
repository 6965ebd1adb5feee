#include "tools/model.h"

#include <stdio.h>
#include <string.h>

#include "agent/engine.h"

enum { START_S = 1000 }; /* times before it can be written down, too */

/* ---- what is going to happen ---- */

static void push(struct tool_model *m, uint16_t node, const struct core_event *event, int64_t in_us)
{
	yoke_time at = yoke_time_add_us(m->now, in_us);
	unsigned i = m->queued;

	if (m->queued == TOOL_MODEL_QUEUE_MAX)
		return; /* as a message that is lost: what matters is said again */
	for (; i > 0 && yoke_time_before(at, m->queue[i - 1].at); i--)
		m->queue[i] = m->queue[i - 1];
	m->queue[i].at = at;
	m->queue[i].node = node;
	m->queue[i].event = *event;
	m->queued++;
}

static void forget_queue_of(struct tool_model *m, uint16_t node)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->queued; i++)
		if (m->queue[i].node != node)
			m->queue[kept++] = m->queue[i];
	m->queued = kept;
}

/* ---- actions ---- */

static bool are_connected(const struct tool_model *m, uint16_t a, uint16_t b)
{
	for (unsigned p = 0; p < m->names.path_count; p++)
		if (!m->cut[p] && m->node[a - 1].on && m->node[b - 1].on)
			return true;
	return false;
}

static void deliver(struct tool_model *m, uint16_t from, uint16_t to, const uint8_t *bytes,
		    uint16_t size)
{
	const struct core_conf *conf = &m->node[from - 1].conf;
	struct core_event ev = {.type = CORE_MESSAGE};

	if (from == to || !are_connected(m, from, to))
		return;
	ev.u.message.node = from;
	ev.u.message.path = 1;
	ev.u.message.incarnation = conf->incarnation;
	ev.u.message.echoed = yoke_time_add_ms(m->now, -(int64_t)conf->interval_ms);
	ev.u.message.size = size;
	memcpy(ev.u.message.bytes, bytes, size);
	push(m, to, &ev, TOOL_MODEL_LATENCY_MS * 1000);
}

static void deliver_to_all(struct tool_model *m, uint16_t from, const uint8_t *bytes, uint16_t size)
{
	for (uint16_t n = 1; n <= m->names.node_count; n++)
		deliver(m, from, n, bytes, size);
}

static uint16_t who_answers(const struct tool_model *m, uint16_t node, uint16_t resource)
{
	for (uint16_t n = 1; n <= m->names.node_count; n++)
		if (n != node && m->node[n - 1].on && m->node[n - 1].runs[resource - 1])
			return n;
	return 0;
}

static void set_hwaddr(uint8_t hwaddr[CORE_HWADDR_SIZE], uint16_t node)
{
	memset(hwaddr, 0, CORE_HWADDR_SIZE);
	hwaddr[0] = 2; /* locally administered */
	hwaddr[CORE_HWADDR_SIZE - 1] = (uint8_t)node;
}

static enum core_result result_of(struct tool_model *m, uint16_t node, const struct core_action *a)
{
	struct tool_model_node *n = &m->node[node - 1];
	unsigned r = a->u.run.resource - 1u;

	switch (a->u.run.kind) {
	case CORE_RUN_PROBE:
		return n->runs[r] ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
	case CORE_RUN_MONITOR:
		return n->runs[r] && !n->broken[r] ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
	case CORE_RUN_START:
		n->runs[r] = !n->broken[r];
		return n->broken[r] ? CORE_RESULT_FAILED : CORE_RESULT_DONE;
	case CORE_RUN_STOP:
		n->runs[r] = false;
		return CORE_RESULT_DONE;
	case CORE_RUN_PREPARE:
		break;
	}
	return who_answers(m, node, a->u.run.resource) != 0 ? CORE_RESULT_ANSWERED
							    : CORE_RESULT_DONE;
}

static void run(struct tool_model *m, uint16_t node, const struct core_action *a)
{
	struct core_event ev = {.type = CORE_RESULT};
	int64_t in_us = 1;

	ev.u.result.id = a->u.run.id;
	ev.u.result.result = result_of(m, node, a);
	if (ev.u.result.result == CORE_RESULT_ANSWERED)
		set_hwaddr(ev.u.result.hwaddr, who_answers(m, node, a->u.run.resource));
	else if (a->u.run.kind == CORE_RUN_PREPARE)
		in_us = (int64_t)a->u.run.timeout_ms * 1000;
	if (ev.u.result.result == CORE_RESULT_FAILED)
		snprintf(ev.u.result.reason, sizeof(ev.u.result.reason), "simulated");
	push(m, node, &ev, in_us);
}

static void tell_event(struct tool_model *m, uint16_t node, const struct yoke_event *event)
{
	struct yoke_event ev = *event;

	yoke_event_render(&ev, &m->names);
	m->on_event(m, node, &ev);
}

static void perform(struct tool_model *m, uint16_t node, const struct core_action *a)
{
	struct tool_model_node *n = &m->node[node - 1];
	struct core_event ev = {.type = CORE_SAVED};

	switch (a->type) {
	case CORE_BEAT:
		n->beat_size = m->actions.beat_size;
		memcpy(n->beat, m->actions.beat, n->beat_size);
		deliver_to_all(m, node, n->beat, n->beat_size);
		break;
	case CORE_SEND:
		deliver_to_all(m, node, m->actions.message, m->actions.message_size);
		break;
	case CORE_RUN:
		run(m, node, a);
		break;
	case CORE_SAVE:
		ev.u.saved.version = a->u.save.version;
		ev.u.saved.ok = true;
		push(m, node, &ev, 1);
		break;
	case CORE_REPLY:
		m->verdict = a->u.reply.verdict;
		break;
	case CORE_EVENT:
		tell_event(m, node, &a->u.event);
		break;
	case CORE_ASK:
		ev.type = CORE_ANSWER;
		tool_model_arbiter(m, node, a, &ev);
		push(m, node, &ev, TOOL_MODEL_LATENCY_MS * 1000);
		break;
	case CORE_EXIT:
		n->on = false; /* what it was told to leave running stays */
		break;
	case CORE_CANCEL:
	case CORE_ANNOUNCE:
	case CORE_LEASE:
		break;
	}
}

static void step(struct tool_model *m, uint16_t node, struct core_event *ev)
{
	struct tool_model_node *n = &m->node[node - 1];
	static struct core_action action[CORE_ACTIONS_MAX];
	unsigned count;

	if (!n->on)
		return;
	ev->now = m->now;
	core_step(&n->core, ev, &m->actions);
	count = m->actions.count;
	memcpy(action, m->actions.action, count * sizeof(action[0]));
	for (unsigned i = 0; i < count; i++)
		perform(m, node, &action[i]);
}

/* ---- paths ---- */

static enum yoke_path_state judge(const struct tool_model_node *n, yoke_time heard_at,
				  yoke_time now)
{
	if (yoke_time_is_never(heard_at))
		return YOKE_PATH_UNKNOWN;
	if (yoke_time_due(yoke_time_add_ms(heard_at, n->conf.dead_ms), now))
		return YOKE_PATH_DOWN;
	return yoke_time_due(yoke_time_add_ms(heard_at, n->conf.late_ms), now) ? YOKE_PATH_LATE
									       : YOKE_PATH_UP;
}

static void look_at_paths(struct tool_model *m, uint16_t node)
{
	struct tool_model_node *n = &m->node[node - 1];

	for (uint16_t o = 1; o <= m->names.node_count; o++)
		for (uint16_t p = 1; o != node && p <= m->names.path_count; p++) {
			struct core_event ev = {.type = CORE_PATH};
			enum yoke_path_state *state = &n->path[o - 1][p - 1];

			ev.u.path.state = judge(n, n->heard_at[o - 1][p - 1], m->now);
			if (ev.u.path.state == *state || !n->on)
				continue;
			*state = ev.u.path.state;
			ev.u.path.node = o;
			ev.u.path.path = p;
			step(m, node, &ev);
		}
}

static yoke_time next_path(const struct tool_model_node *n, uint16_t nodes, uint16_t paths)
{
	yoke_time t = YOKE_NEVER;

	for (unsigned o = 0; o < nodes; o++)
		for (unsigned p = 0; p < paths; p++) {
			enum yoke_path_state state = n->path[o][p];
			uint32_t after_ms =
				state == YOKE_PATH_UP ? n->conf.late_ms : n->conf.dead_ms;

			if (state == YOKE_PATH_UP || state == YOKE_PATH_LATE)
				t = yoke_time_min(t, yoke_time_add_ms(n->heard_at[o][p], after_ms));
		}
	return t;
}

/* Every node beats to every other one at once. */
static void beat(struct tool_model *m)
{
	m->beat_at = yoke_time_add_ms(m->now, m->node[0].conf.interval_ms);
	for (uint16_t n = 1; n <= m->names.node_count; n++) {
		for (uint16_t o = 1; o <= m->names.node_count; o++)
			for (unsigned p = 0; p < m->names.path_count; p++)
				if (o != n && m->node[o - 1].on && m->node[n - 1].on && !m->cut[p])
					m->node[n - 1].heard_at[o - 1][p] = m->now;
		if (m->node[n - 1].on)
			deliver_to_all(m, n, m->node[n - 1].beat, m->node[n - 1].beat_size);
	}
	for (uint16_t n = 1; n <= m->names.node_count; n++)
		look_at_paths(m, n);
}

/* ---- time ---- */

static yoke_time next_of(const struct tool_model *m, uint16_t node)
{
	const struct tool_model_node *n = &m->node[node - 1];

	if (!n->on)
		return YOKE_NEVER;
	return yoke_time_min(core_deadline(&n->core),
			     next_path(n, m->names.node_count, m->names.path_count));
}

static void wake(struct tool_model *m, uint16_t node)
{
	struct core_event ev = {.type = CORE_TIMER};

	look_at_paths(m, node);
	if (m->node[node - 1].on && yoke_time_due(core_deadline(&m->node[node - 1].core), m->now))
		step(m, node, &ev);
}

static void take(struct tool_model *m)
{
	struct tool_model_item item = m->queue[0];

	memmove(m->queue, m->queue + 1, --m->queued * sizeof(m->queue[0]));
	step(m, item.node, &item.event);
}

void tool_model_run(struct tool_model *m, int64_t span_ms)
{
	yoke_time end = yoke_time_add_ms(m->now, span_ms);

	for (;;) {
		yoke_time first = m->beat_at;
		uint16_t who = 0;

		for (uint16_t n = 1; n <= m->names.node_count; n++)
			if (yoke_time_before(next_of(m, n), first)) {
				first = next_of(m, n);
				who = n;
			}
		if (m->queued > 0 && !yoke_time_before(first, m->queue[0].at)) {
			if (yoke_time_before(end, m->queue[0].at))
				break;
			m->now = yoke_time_max(m->now, m->queue[0].at);
			take(m);
			continue;
		}
		if (yoke_time_before(end, first))
			break;
		m->now = yoke_time_max(m->now, first);
		if (who == 0)
			beat(m);
		else
			wake(m, who);
	}
	m->now = end;
}

/* ---- nodes ---- */

void tool_model_init(struct tool_model *m, const struct conf *conf, tool_model_event on_event)
{
	memset(m, 0, sizeof(*m));
	m->now = m->beat_at = (yoke_time){(int64_t)START_S * 1000000};
	m->on_event = on_event;
	agent_setup_names(conf, &m->names);
	for (uint16_t n = 1; n <= conf->node_count; n++) {
		struct tool_model_node *node = &m->node[n - 1];

		agent_setup_core(conf, n, n, &node->conf);
		for (unsigned o = 0; o < YOKE_NODES_MAX; o++)
			for (unsigned p = 0; p < YOKE_PATHS_MAX; p++) {
				node->path[o][p] = YOKE_PATH_UNKNOWN;
				node->heard_at[o][p] = YOKE_NEVER;
			}
	}
}

void tool_model_start(struct tool_model *m, uint16_t node)
{
	struct tool_model_node *n = &m->node[node - 1];
	struct core_event timer = {.type = CORE_TIMER};

	n->on = true;
	core_init(&n->core, &n->conf, NULL, 0, NULL, m->now);
	step(m, node, &timer);
	for (uint16_t r = 1; r <= m->names.resource_count; r++) {
		struct core_event news = {.type = CORE_RESOURCE};

		news.u.resource.resource = r;
		news.u.resource.news = n->unusable[r - 1] ? CORE_NEWS_UNUSABLE : CORE_NEWS_USABLE;
		set_hwaddr(news.u.resource.hwaddr, node);
		snprintf(news.u.resource.reason, sizeof(news.u.resource.reason), "as it is now");
		step(m, node, &news);
	}
}

void tool_model_power_off(struct tool_model *m, uint16_t node)
{
	m->node[node - 1].on = false;
	memset(m->node[node - 1].runs, 0, sizeof(m->node[node - 1].runs));
	forget_queue_of(m, node);
}

void tool_model_leave(struct tool_model *m, uint16_t node)
{
	struct core_event ev = {.type = CORE_LEAVE};

	step(m, node, &ev);
	tool_model_run(m, m->node[node - 1].conf.operation_ms);
}

void tool_model_clock(struct tool_model *m, uint16_t minute)
{
	struct core_event ev = {.type = CORE_CLOCK};

	ev.u.clock.minute = minute;
	for (uint16_t n = 1; n <= m->names.node_count; n++)
		step(m, n, &ev);
}

void tool_model_news(struct tool_model *m, uint16_t node, struct core_event *news)
{
	step(m, node, news);
}

void tool_model_ask(struct tool_model *m, uint16_t at, enum yoke_verb verb, uint16_t group,
		    uint16_t node)
{
	struct core_event ev = {.type = CORE_OPERATE};

	ev.u.operate.request = 1;
	ev.u.operate.verb = verb;
	ev.u.operate.origin = YOKE_ORIGIN_CLI;
	ev.u.operate.group = group;
	ev.u.operate.node = node;
	snprintf(ev.u.operate.reason, sizeof(ev.u.operate.reason), "as it is now");
	m->verdict = YOKE_E_REQUEST;
	step(m, at, &ev);
}

uint16_t tool_model_owner(const struct tool_model *m, uint16_t group)
{
	for (uint16_t n = 1; n <= m->names.node_count; n++)
		if (m->node[n - 1].on &&
		    m->node[n - 1].core.group[group - 1].state == YOKE_GROUP_STARTED)
			return n;
	return 0;
}
