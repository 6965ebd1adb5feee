#include "agent/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"

enum {
	CLIENTS_MAX = 16,
	LOOKER_PAUSE_MS = 20, /* between two answers to one who may only look */
	REFUSED_EVENT_MS = 1000,
	SEND_BUFFER_SIZE = 2 * YOKE_LINE_SIZE,
};

struct client {
	int fd; /* -1: free */
	uid_t uid;
	bool subscribed;
	uint64_t age; /* grows with each accepted client */
	size_t used;
	char line[YOKE_REQUEST_SIZE];
	struct event *event;
};

struct agent_control {
	struct agent_engine *engine;
	struct event_base *base;
	int priority;
	uint64_t age;
	struct event *event;
	struct client client[CLIENTS_MAX];
	struct yoke_answer answer;
	char line[YOKE_LINE_SIZE];
	_Alignas(16) char arena[YOKE_JSON_ARENA_SIZE];
};

static struct agent_control the_control;

static void drop(struct client *c)
{
	event_del(c->event);
	close(c->fd);
	c->fd = -1;
}

/* ---- requests ---- */

static uint16_t number_of(const char (*names)[YOKE_NAME_SIZE], unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (uint16_t)(i + 1);
	return UINT16_MAX; /* no number of anything: the core says which is unknown */
}

static bool is_subagent(const struct agent_engine *e, const struct client *c)
{
	return e->snmp_uid >= 0 && c->uid == (uid_t)e->snmp_uid;
}

static void operate(struct agent_engine *e, const struct client *c, const struct yoke_request *r,
		    struct yoke_answer *answer)
{
	struct core_event ev = {.type = CORE_OPERATE, .now = agent_engine_now()};
	bool node_given = r->node[0] != '\0';

	if (++e->request_last == 0)
		e->request_last = 1;
	ev.u.operate.request = e->request_last;
	ev.u.operate.verb = r->verb;
	ev.u.operate.origin = is_subagent(e, c) ? YOKE_ORIGIN_SNMP : YOKE_ORIGIN_CLI;
	if (r->group[0] != '\0')
		ev.u.operate.group = number_of(e->names.group, e->names.group_count, r->group);
	if (node_given)
		ev.u.operate.node = number_of(e->names.node, e->names.node_count, r->node);
	else if (r->verb == YOKE_VERB_STANDBY || r->verb == YOKE_VERB_ONLINE)
		ev.u.operate.node = e->self;
	snprintf(ev.u.operate.reason, sizeof(ev.u.operate.reason), "%s%s%.60s",
		 r->by[0] != '\0' ? r->by : "somebody", r->reason[0] != '\0' ? ": " : "",
		 r->reason);
	agent_engine_feed(e, &ev);
	answer->verdict = e->reply.request == e->request_last ? e->reply.verdict : YOKE_E_REQUEST;
	answer->operation = e->reply.operation;
}

/* By whom the kernel says that he is. */
static enum yoke_verdict judge(const struct agent_engine *e, const struct client *c)
{
	if (c->uid == 0)
		return YOKE_OK;
	if (is_subagent(e, c))
		return e->conf.snmp_set ? YOKE_OK : YOKE_E_DISABLED;
	return YOKE_E_DENIED;
}

/* One event a second at most: who may only look must not be able to push history out. */
static void note_refusal(struct agent_engine *e, const struct client *c,
			 const struct yoke_request *r)
{
	struct yoke_event ev = {.kind = YOKE_EVENT_REQUEST_REFUSED, .node = e->self};
	yoke_time now = agent_engine_now();

	e->refused_count++;
	if (e->refused_count > 1 &&
	    yoke_time_before(now, yoke_time_add_ms(e->refused_at, REFUSED_EVENT_MS)))
		return;
	ev.verb = (uint16_t)r->verb;
	ev.origin = is_subagent(e, c) ? YOKE_ORIGIN_SNMP : YOKE_ORIGIN_CLI;
	ev.mono_us = now.us;
	ev.value = e->refused_count;
	snprintf(ev.reason, sizeof(ev.reason), "%s (user %u)",
		 is_subagent(e, c) ? "SNMP SET is not enabled" : "he may only look",
		 (unsigned)c->uid);
	agent_history_add(e, &ev);
	e->refused_at = now;
	e->refused_count = 0;
}

static void ask_other(struct agent_engine *e, const struct client *c, const struct yoke_request *r,
		      struct yoke_answer *answer)
{
	uint16_t node = number_of(e->names.node, e->names.node_count, r->node);

	if (c->uid != 0)
		answer->verdict = YOKE_E_DENIED;
	else if (node == UINT16_MAX || node == e->self)
		answer->verdict = YOKE_E_NO_NODE;
	else
		agent_bulk_ask(e, r, node, answer);
}

static void handle(struct agent_control *ctl, struct client *c, const char *line, size_t len)
{
	struct agent_engine *e = ctl->engine;
	struct yoke_answer *a = &ctl->answer;
	const struct yoke_snapshot *snapshot = NULL;
	struct yoke_request r;
	char why[YOKE_REASON_SIZE];
	int size;

	memset(a, 0, offsetof(struct yoke_answer, event));
	a->is_kick = false;
	if (yoke_json_get_request(line, len, &r, why) < 0) {
		a->verdict = YOKE_E_REQUEST;
	} else if (r.kind == YOKE_REQUEST_OPERATE) {
		a->verdict = judge(e, c);
		if (a->verdict == YOKE_OK)
			operate(e, c, &r, a);
		else
			note_refusal(e, c, &r);
	} else if (r.kind == YOKE_REQUEST_KEYS) {
		a->verdict = c->uid == 0 ? YOKE_OK : YOKE_E_DENIED;
		if (a->verdict == YOKE_OK)
			agent_keys_ask(e);
	} else if (r.kind == YOKE_REQUEST_PIECE) {
		ask_other(e, c, &r, a);
	} else {
		if (r.kind == YOKE_REQUEST_STATUS || r.kind == YOKE_REQUEST_PULL) {
			agent_view(e, &e->snapshot);
			snapshot = &e->snapshot;
		}
		if (r.kind == YOKE_REQUEST_PULL || r.kind == YOKE_REQUEST_EVENTS)
			a->event_count = agent_history_after(e, r.after, a->event,
							     YOKE_PULL_EVENTS_MAX, &a->missed);
		if (r.kind == YOKE_REQUEST_SUBSCRIBE)
			c->subscribed = true;
	}
	size = yoke_json_put_answer(a, snapshot, &e->names, ctl->line, sizeof(ctl->line));
	if (size < 0 || send(c->fd, ctl->line, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) != size)
		drop(c);
}

static void on_client(evutil_socket_t fd, short what, void *arg);

static void listen_to(struct client *c)
{
	event_assign(c->event, the_control.base, c->fd, EV_READ | EV_PERSIST, on_client, c);
	event_priority_set(c->event, the_control.priority);
	event_add(c->event, NULL);
	if (memchr(c->line, '\n', c->used) != NULL)
		event_active(c->event, EV_READ, 0);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listen_to(arg);
}

/* A looker who asks again and again must not have the engine's processor to himself. */
static void rest(struct client *c)
{
	struct timeval tv = {.tv_usec = LOOKER_PAUSE_MS * 1000};

	event_del(c->event);
	event_assign(c->event, the_control.base, -1, 0, on_pause_over, c);
	event_priority_set(c->event, the_control.priority);
	event_add(c->event, &tv);
}

/* Read what there is room for.  Returns false when the client is gone. */
static bool fill(struct client *c)
{
	size_t room = sizeof(c->line) - c->used;
	ssize_t got = room > 0 ? recv(c->fd, c->line + c->used, room, MSG_DONTWAIT) : -1;

	if (room > 0 && (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)))
		return false;
	if (got > 0)
		c->used += (size_t)got;
	return true;
}

/* One request a call: the loop looks after heartbeats before it comes back for the next. */
static void on_client(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct agent_control *ctl = &the_control;
	char *end;

	(void)fd;
	(void)what;
	if (!fill(c)) {
		drop(c);
		return;
	}
	end = memchr(c->line, '\n', c->used);
	if (end == NULL && c->used < sizeof(c->line))
		return;
	if (end == NULL) {
		handle(ctl, c, "", 0); /* too long: says so, and the client goes */
		if (c->fd >= 0)
			drop(c);
		return;
	}
	handle(ctl, c, c->line, (size_t)(end - c->line));
	if (c->fd < 0)
		return;
	c->used -= (size_t)(end + 1 - c->line);
	memmove(c->line, end + 1, c->used);
	if (judge(ctl->engine, c) == YOKE_E_DENIED)
		rest(c);
	else if (memchr(c->line, '\n', c->used) != NULL)
		event_active(c->event, EV_READ, 0);
}

/* ---- clients ---- */

/* A free place; when there is none, that of the longest connected client who may only look, so that
 * lookers cannot lock operators out. */
static struct client *place(struct agent_control *ctl)
{
	struct client *oldest = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &ctl->client[i];

		if (c->fd < 0)
			return c;
		if (judge(ctl->engine, c) == YOKE_E_DENIED &&
		    (oldest == NULL || c->age < oldest->age))
			oldest = c;
	}
	if (oldest == NULL)
		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			if (oldest == NULL || ctl->client[i].age < oldest->age)
				oldest = &ctl->client[i];
	drop(oldest);
	return oldest;
}

static void on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct agent_control *ctl = arg;
	int size = SEND_BUFFER_SIZE;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct client *c;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		close(fd);
		return;
	}
	/* The force needs CAP_NET_ADMIN, which we have; without it the default is what we get. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c = place(ctl);
	c->fd = fd;
	c->uid = cred.uid;
	c->subscribed = false;
	c->used = 0;
	c->age = ++ctl->age;
	listen_to(c);
}

int agent_control_open(struct agent_engine *e, struct event_base *base, int fd, int priority)
{
	struct agent_control *ctl = &the_control;

	ctl->engine = e;
	ctl->base = base;
	ctl->priority = priority;
	e->control = ctl;
	yoke_json_use_arena(ctl->arena, sizeof(ctl->arena));
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		ctl->client[i].fd = -1;
		ctl->client[i].event = event_new(base, -1, 0, on_client, &ctl->client[i]);
		if (ctl->client[i].event == NULL)
			return -1;
	}
	ctl->event = event_new(base, fd, EV_READ | EV_PERSIST, on_connect, ctl);
	if (ctl->event == NULL)
		return -1;
	event_priority_set(ctl->event, priority);
	return event_add(ctl->event, NULL);
}

void agent_control_kick(struct agent_engine *e)
{
	struct agent_control *ctl = e->control;
	char line[48];
	int size = snprintf(line, sizeof(line), "{\"kick\":%llu}\n",
			    (unsigned long long)e->shared->last_event);

	e->kick_due = false;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &ctl->client[i];

		if (c->fd < 0 || !c->subscribed)
			continue;
		if (send(c->fd, line, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			drop(c);
	}
}
