/* tests/unit/core_pair.h - two cores, alpha (1) and beta (2), wired by hand.
 *
 * What one sends reaches the other at once while the wire is whole.  Operations and saves end at
 * once and well, unless a test says that it wants to do it itself (by_hand[], saves_by_hand).  Time
 * stands still until pair_run().
 *
 * Layer: tests.  Memory: one static struct pair of about 900 KB in each test.
 */
#ifndef TESTS_UNIT_CORE_PAIR_H
#define TESTS_UNIT_CORE_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "agent/core/core.h"

enum {
	ALPHA = 1,
	BETA = 2,
	PAIR_RESOURCES = 2,
	PAIR_EVENTS_MAX = 512,
	PAIR_QUEUE_MAX = 256,
	PAIR_KINDS = CORE_RUN_MONITOR + 1,
	PAIR_DEAD_MS = 1000,
	PAIR_STRANGER = 9, /* last byte of a hardware address */
};

struct pair_frame {
	uint16_t to;
	uint64_t incarnation;
	uint16_t size;
	uint8_t bytes[YOKE_MESSAGE_SIZE];
};

struct pair {
	yoke_time now;
	struct core_conf conf[2];
	struct core core[2];
	struct core_actions out;
	bool running[2];
	bool wire; /* whole */
	bool by_hand[PAIR_KINDS];
	bool saves_by_hand;
	bool address[2][PAIR_RESOURCES]; /* in the kernels */
	uint32_t run[2][PAIR_RESOURCES]; /* id of the last operation asked for */
	enum core_run_kind kind[2][PAIR_RESOURCES];
	unsigned runs[2][PAIR_KINDS], announces[2], cancels[2], saves[2], replies[2], exits[2];
	uint32_t save_version[2];
	uint8_t record[2][YOKE_RECORD_SIZE]; /* the last one asked for */
	uint16_t record_size[2];
	enum yoke_verdict verdict[2];
	uint8_t message[2][YOKE_MESSAGE_SIZE]; /* the last one sent */
	uint16_t message_size[2];
	uint8_t beat[2][YOKE_MESSAGE_SIZE]; /* the payload of beats */
	uint16_t beat_size[2];
	struct core_action ask[2][YOKE_ARBITERS_MAX]; /* the last one to each; id 0: none is out */
	unsigned asks[2];
	struct core_action lease[2]; /* the last one told */
	struct yoke_event event[2][PAIR_EVENTS_MAX];
	unsigned events[2];
	struct pair_frame queue[PAIR_QUEUE_MAX];
	unsigned queued;
};

static inline void pair_give(struct pair *p, uint16_t node, struct core_event *ev);

static inline struct core *pair_core(struct pair *p, uint16_t node)
{
	return &p->core[node - 1];
}

static inline enum yoke_group_state pair_group(struct pair *p, uint16_t node, uint16_t group)
{
	return p->core[node - 1].group[group - 1].state;
}

static inline enum yoke_node_state pair_node(struct pair *p, uint16_t at, uint16_t node)
{
	return p->core[at - 1].node[node - 1].state;
}

/* How often a node told an event of that kind. */
static inline unsigned pair_told(struct pair *p, uint16_t node, enum yoke_event_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < p->events[node - 1]; i++)
		count += p->event[node - 1][i].kind == kind;
	return count;
}

/* Its last event of that kind; fails the test when there is none. */
static inline const struct yoke_event *pair_last(struct pair *p, uint16_t node,
						 enum yoke_event_kind kind)
{
	for (unsigned i = p->events[node - 1]; i-- > 0;)
		if (p->event[node - 1][i].kind == kind)
			return &p->event[node - 1][i];
	fail_msg("no event of kind %d", (int)kind);
	return NULL;
}

static inline void pair_result_of(struct pair *p, uint16_t node, uint32_t id,
				  enum core_result result, uint8_t by)
{
	struct core_event ev = {.type = CORE_RESULT};

	ev.u.result.id = id;
	ev.u.result.result = result;
	ev.u.result.hwaddr[0] = 2;
	ev.u.result.hwaddr[CORE_HWADDR_SIZE - 1] = by;
	if (result == CORE_RESULT_FAILED)
		snprintf(ev.u.result.reason, sizeof(ev.u.result.reason), "it broke");
	pair_give(p, node, &ev);
}

/* End the last operation on a resource (number). */
static inline void pair_result(struct pair *p, uint16_t node, uint16_t resource,
			       enum core_result result)
{
	pair_result_of(p, node, p->run[node - 1][resource - 1], result, 0);
}

static inline void pair_saved(struct pair *p, uint16_t node, bool ok)
{
	struct core_event ev = {.type = CORE_SAVED};

	ev.u.saved.version = p->save_version[node - 1];
	ev.u.saved.ok = ok;
	pair_give(p, node, &ev);
}

static inline void pair_news(struct pair *p, uint16_t node, uint16_t resource,
			     enum core_resource_news news)
{
	struct core_event ev = {.type = CORE_RESOURCE};

	ev.u.resource.resource = resource;
	ev.u.resource.news = news;
	ev.u.resource.hwaddr[0] = 2;
	ev.u.resource.hwaddr[CORE_HWADDR_SIZE - 1] = (uint8_t)node;
	if (news == CORE_NEWS_UNUSABLE)
		snprintf(ev.u.resource.reason, sizeof(ev.u.resource.reason), "no carrier");
	pair_give(p, node, &ev);
}

static inline void pair_path(struct pair *p, uint16_t at, uint16_t path, enum yoke_path_state state)
{
	struct core_event ev = {.type = CORE_PATH};

	ev.u.path.node = at == ALPHA ? BETA : ALPHA;
	ev.u.path.path = path;
	ev.u.path.state = state;
	pair_give(p, at, &ev);
}

/* Both paths on both nodes. */
static inline void pair_paths(struct pair *p, enum yoke_path_state state)
{
	for (uint16_t node = ALPHA; node <= BETA; node++)
		for (uint16_t path = 1; path <= 2 && p->running[node - 1]; path++)
			pair_path(p, node, path, state);
}

static inline void pair_message(struct pair *p, uint16_t to, uint64_t incarnation,
				const uint8_t *bytes, size_t size)
{
	struct core_event ev = {.type = CORE_MESSAGE};

	ev.u.message.node = to == ALPHA ? BETA : ALPHA;
	ev.u.message.path = 1;
	ev.u.message.incarnation = incarnation;
	ev.u.message.echoed = p->now;
	ev.u.message.size = (uint16_t)size;
	memcpy(ev.u.message.bytes, bytes, size);
	pair_give(p, to, &ev);
}

static inline void pair_send(struct pair *p, uint16_t from, const uint8_t *bytes, uint16_t size)
{
	struct pair_frame *frame;

	if (!p->wire)
		return;
	assert_true(p->queued < PAIR_QUEUE_MAX);
	frame = &p->queue[p->queued++];
	frame->to = from == ALPHA ? BETA : ALPHA;
	frame->incarnation = p->conf[from - 1].incarnation;
	frame->size = size;
	memcpy(frame->bytes, bytes, size);
}

/* Operations that are to end by themselves, after the step that asked for them. */
struct pair_todo {
	unsigned count;
	struct {
		uint32_t id;
		enum core_run_kind kind;
		uint16_t resource;
	} run[64];
	bool save;
};

static inline void pair_note(struct pair *p, uint16_t node, const struct core_action *a,
			     struct pair_todo *todo)
{
	unsigned n = node - 1u;

	switch (a->type) {
	case CORE_BEAT:
		memcpy(p->beat[n], p->out.beat, p->out.beat_size);
		p->beat_size[n] = p->out.beat_size;
		pair_send(p, node, p->out.beat, p->out.beat_size);
		break;
	case CORE_SEND:
		memcpy(p->message[n], p->out.message, p->out.message_size);
		p->message_size[n] = p->out.message_size;
		pair_send(p, node, p->out.message, p->out.message_size);
		break;
	case CORE_RUN:
		p->run[n][a->u.run.resource - 1] = a->u.run.id;
		p->kind[n][a->u.run.resource - 1] = a->u.run.kind;
		p->runs[n][a->u.run.kind]++;
		if (!p->by_hand[a->u.run.kind]) {
			todo->run[todo->count].id = a->u.run.id;
			todo->run[todo->count].kind = a->u.run.kind;
			todo->run[todo->count++].resource = a->u.run.resource;
		}
		break;
	case CORE_CANCEL:
		p->cancels[n]++;
		break;
	case CORE_ANNOUNCE:
		p->announces[n]++;
		break;
	case CORE_SAVE:
		p->saves[n]++;
		p->save_version[n] = a->u.save.version;
		memcpy(p->record[n], p->out.record, p->out.record_size);
		p->record_size[n] = p->out.record_size;
		todo->save = !p->saves_by_hand;
		break;
	case CORE_REPLY:
		p->replies[n]++;
		p->verdict[n] = a->u.reply.verdict;
		break;
	case CORE_EVENT:
		assert_true(p->events[n] < PAIR_EVENTS_MAX);
		p->event[n][p->events[n]++] = a->u.event;
		break;
	case CORE_ASK:
		p->ask[n][a->u.ask.arbiter - 1] = *a;
		p->asks[n]++;
		break;
	case CORE_LEASE:
		p->lease[n] = *a;
		break;
	case CORE_EXIT:
		p->exits[n]++;
		break;
	}
}

static inline void pair_do(struct pair *p, uint16_t node, const struct pair_todo *todo)
{
	for (unsigned i = 0; i < todo->count; i++) {
		bool *address = &p->address[node - 1][todo->run[i].resource - 1];
		enum core_result result = CORE_RESULT_DONE;

		if (todo->run[i].kind == CORE_RUN_START)
			*address = true;
		if (todo->run[i].kind == CORE_RUN_STOP)
			*address = false;
		if (todo->run[i].kind == CORE_RUN_PROBE || todo->run[i].kind == CORE_RUN_MONITOR)
			result = *address ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
		/* A machine goes on answering when its engine has ended. */
		if (todo->run[i].kind == CORE_RUN_PREPARE && !p->running[2 - node] &&
		    p->address[2 - node][todo->run[i].resource - 1])
			result = CORE_RESULT_ANSWERED;
		pair_result_of(p, node, todo->run[i].id, result,
			       result == CORE_RESULT_ANSWERED ? (uint8_t)(3 - node) : 0);
	}
	if (todo->save)
		pair_saved(p, node, true);
}

/* One event to one core, and everything that follows from it at this instant on both. */
static inline void pair_give(struct pair *p, uint16_t node, struct core_event *ev)
{
	struct pair_todo todo = {0};

	if (!p->running[node - 1])
		return;
	ev->now = p->now;
	core_step(pair_core(p, node), ev, &p->out);
	assert_null(core_check(pair_core(p, node)));
	assert_true(core_deadline(pair_core(p, node)).us > p->now.us);
	for (unsigned i = 0; i < p->out.count; i++)
		pair_note(p, node, &p->out.action[i], &todo);
	pair_do(p, node, &todo);
	while (p->queued > 0) {
		struct pair_frame frame = p->queue[0];

		memmove(p->queue, p->queue + 1, --p->queued * sizeof(p->queue[0]));
		pair_message(p, frame.to, frame.incarnation, frame.bytes, frame.size);
	}
}

static inline void pair_timer(struct pair *p, uint16_t node)
{
	struct core_event ev = {.type = CORE_TIMER};

	pair_give(p, node, &ev);
}

/* What an arbiter answers to the last question; by: who has the lock. */
static inline void pair_answer(struct pair *p, uint16_t node, uint16_t arbiter,
			       enum core_result result, uint16_t by)
{
	struct core_event ev = {.type = CORE_ANSWER};

	ev.u.answer.id = p->ask[node - 1][arbiter - 1].u.ask.id;
	ev.u.answer.result = result;
	ev.u.answer.node = by;
	if (result == CORE_RESULT_FAILED)
		snprintf(ev.u.answer.reason, sizeof(ev.u.answer.reason), "it broke");
	p->ask[node - 1][arbiter - 1].u.ask.id = 0;
	pair_give(p, node, &ev);
}

/* What the arbiter is asked now; 0: nothing. */
static inline enum core_ask_kind pair_asked(const struct pair *p, uint16_t node, uint16_t arbiter)
{
	const struct core_action *a = &p->ask[node - 1][arbiter - 1];

	return a->u.ask.id == 0 ? (enum core_ask_kind)0 : a->u.ask.kind;
}

/* Let time pass; deadlines are kept. */
static inline void pair_run(struct pair *p, int64_t span_ms)
{
	yoke_time end = yoke_time_add_ms(p->now, span_ms);

	for (;;) {
		yoke_time first = YOKE_NEVER;
		uint16_t who = 0;

		for (uint16_t node = ALPHA; node <= BETA; node++)
			if (p->running[node - 1] &&
			    yoke_time_before(core_deadline(pair_core(p, node)), first)) {
				first = core_deadline(pair_core(p, node));
				who = node;
			}
		if (who == 0 || yoke_time_before(end, first))
			break;
		p->now = yoke_time_max(p->now, first);
		pair_timer(p, who);
	}
	p->now = end;
}

/* The same, with beats in both directions each 100 ms. */
static inline void pair_beat(struct pair *p, int64_t span_ms)
{
	for (; span_ms > 0; span_ms -= 100) {
		pair_run(p, span_ms < 100 ? span_ms : 100);
		for (uint16_t node = ALPHA; node <= BETA && p->wire; node++)
			if (p->running[2 - node])
				pair_message(p, node, p->conf[2 - node].incarnation,
					     p->beat[2 - node], p->beat_size[2 - node]);
	}
}

static inline void pair_conf(struct pair *p, uint16_t node)
{
	struct core_conf *c = &p->conf[node - 1];

	memset(c, 0, sizeof(*c));
	c->self = node;
	c->node_count = c->path_count = 2;
	c->group_count = 1;
	c->resource_count = PAIR_RESOURCES;
	snprintf(c->node_name[0], YOKE_NAME_SIZE, "alpha");
	snprintf(c->node_name[1], YOKE_NAME_SIZE, "beta");
	snprintf(c->group[0].name, YOKE_NAME_SIZE, "web");
	c->group[0].node[0] = ALPHA;
	c->group[0].node[1] = BETA;
	c->group[0].node_count = 2;
	c->group[0].resource_count = PAIR_RESOURCES;
	c->resource[0] = c->resource[1] =
		(struct core_resource_conf){.group = 1, .has_address = true};
	c->dead_ms = PAIR_DEAD_MS;
	c->late_ms = 500;
	c->interval_ms = 100;
	c->startup_ms = 3000;
	c->conflict_ms = 200;
	c->operation_ms = 30000;
	c->retry_ms = 60000;
	c->incarnation = 100u + node;
	snprintf(c->version, sizeof(c->version), "1.2.3");
	c->protocol_min = CORE_PROTOCOL_MIN;
	c->protocol_max = CORE_PROTOCOL_MAX;
}

/* Nobody runs yet; a test may change the configurations before pair_start(). */
static inline void pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->wire = true;
	p->now = (yoke_time){1000000};
	pair_conf(p, ALPHA);
	pair_conf(p, BETA);
}

/* Two groups of a resource each, which both prefer alpha; between pair_init() and pair_start(). */
static inline void pair_two_groups(struct pair *p, const char *first, const char *second)
{
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->group_count = 2;
		c->group[0].resource_count = 1;
		c->group[1] = c->group[0];
		c->group[1].resource_first = 1;
		c->resource[1].group = 2;
		snprintf(c->group[0].name, YOKE_NAME_SIZE, "%s", first);
		snprintf(c->group[1].name, YOKE_NAME_SIZE, "%s", second);
	}
}

static inline struct core_group_conf *pair_group_conf(struct pair *p, uint16_t node, uint16_t group)
{
	return &p->conf[node - 1].group[group - 1];
}

/* An engine starts with the record that was saved last, in a new incarnation; hold: see core_init.
 */
static inline void pair_start_held(struct pair *p, uint16_t node, const char *hold)
{
	p->running[node - 1] = true;
	p->conf[node - 1].incarnation += 10;
	core_init(pair_core(p, node), &p->conf[node - 1], p->record[node - 1],
		  p->record_size[node - 1], hold, p->now);
	pair_timer(p, node);
}

static inline void pair_start(struct pair *p, uint16_t node)
{
	pair_start_held(p, node, NULL);
	for (uint16_t r = 1; r <= p->conf[node - 1].resource_count; r++)
		pair_news(p, node, r, CORE_NEWS_USABLE);
}

/* Both start, and see each other. */
static inline void pair_meet(struct pair *p)
{
	pair_start(p, ALPHA);
	pair_start(p, BETA);
	pair_paths(p, YOKE_PATH_UP);
}

static inline void pair_power_off(struct pair *p, uint16_t node)
{
	p->running[node - 1] = false;
	memset(p->address[node - 1], 0, sizeof(p->address[0]));
}

/* Silence at `at` for the dead time, in both steps. */
static inline void pair_silence(struct pair *p, uint16_t at)
{
	pair_path(p, at, 1, YOKE_PATH_LATE);
	pair_path(p, at, 2, YOKE_PATH_LATE);
	pair_run(p, PAIR_DEAD_MS / 2);
	pair_path(p, at, 1, YOKE_PATH_DOWN);
	pair_path(p, at, 2, YOKE_PATH_DOWN);
}

/* Both run, see each other, and alpha has the group. */
static inline void pair_form(struct pair *p)
{
	pair_init(p);
	pair_meet(p);
	pair_run(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(p, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_node(p, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(pair_node(p, BETA, ALPHA), YOKE_NODE_ONLINE);
}

static inline void pair_cut(struct pair *p)
{
	p->wire = false;
	pair_silence(p, ALPHA);
	pair_silence(p, BETA);
	pair_run(p, 500);
}

static inline void pair_mend(struct pair *p)
{
	p->wire = true;
	pair_paths(p, YOKE_PATH_UP);
	pair_run(p, 500);
}

static inline enum yoke_verdict pair_ask(struct pair *p, uint16_t at, enum yoke_verb verb,
					 uint16_t group, uint16_t node)
{
	struct core_event ev = {.type = CORE_OPERATE};

	ev.u.operate.request = 7;
	ev.u.operate.verb = verb;
	ev.u.operate.origin = YOKE_ORIGIN_CLI;
	ev.u.operate.group = group;
	ev.u.operate.node = node;
	snprintf(ev.u.operate.reason, sizeof(ev.u.operate.reason), "test");
	pair_give(p, at, &ev);
	return p->verdict[at - 1];
}

#endif
