/* The turn: the only place of the engine that waits.
 *
 * One libevent timer, armed after each turn for whatever comes first: a heartbeat, a path's late or
 * dead time, an announcement, the core's deadline, the next sign of life.  Sockets are always read
 * before time is judged: what has arrived counts, however late we come.
 *
 * Heartbeats and the timer have priority over everything else; of control clients one request is
 * served at most before heartbeats get their turn again.
 */
#include <event2/event.h>
#include <string.h>
#include <time.h>

#include "agent/base/log.h"
#include "agent/control.h"
#include "agent/engine.h"
#include "agent/role.h"

enum {
	PRIORITY_BEATS,
	PRIORITY_OTHERS,
	PRIORITIES,
	MINUTE_MS = 60000,
};

struct agent_loop {
	struct agent_engine *engine;
	struct event_base *base;
	struct event *timer, *path[YOKE_PATHS_MAX], *address[AGENT_ADDRESS_FDS], *keeper,
		*ask[AGENT_ASK_FDS];
	int path_fd[YOKE_PATHS_MAX]; /* as registered; -1: not */
	yoke_time turn_began;        /* YOKE_NEVER: between turns */
	yoke_time minute_at;
};

yoke_time agent_engine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts); /* runs on in a suspend: who slept must know it */
	return (yoke_time){(int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

int64_t agent_engine_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static yoke_time begin(struct agent_loop *l)
{
	yoke_time now = agent_engine_now();

	if (yoke_time_is_never(l->turn_began))
		l->turn_began = now;
	return now;
}

/* ---- sources ---- */

static void read_path(struct agent_engine *e, uint16_t path)
{
	for (int i = 0; i < HB_FRAMES_PER_TURN; i++) {
		yoke_time now = agent_engine_now();
		int got = hb_receive(&e->hb, path, now, &e->received, &e->changes);

		agent_engine_feed_changes(e, now);
		if (got == 0)
			return;
		agent_engine_feed_received(e, now);
	}
}

static void on_path(evutil_socket_t fd, short what, void *arg)
{
	struct agent_loop *l = arg;

	(void)what;
	begin(l);
	for (uint16_t p = 1; p <= l->engine->conf.path_count; p++)
		if (l->path_fd[p - 1] == fd)
			read_path(l->engine, p);
}

static void on_address(evutil_socket_t fd, short what, void *arg)
{
	struct agent_loop *l = arg;
	yoke_time now = begin(l);

	(void)what;
	agent_address_read(&l->engine->addresses, fd, now, &l->engine->notes);
	agent_engine_feed_notes(l->engine, now);
}

static void on_ask(evutil_socket_t fd, short what, void *arg)
{
	struct agent_loop *l = arg;
	yoke_time now = begin(l);

	(void)what;
	agent_ask_read(&l->engine->asks, fd, now);
	agent_engine_feed_asks(l->engine, now);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin(arg); /* what is due is done at the end of every turn */
}

static void from_keeper(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.now = now};

	if (e->message.kind == AGENT_CHANNEL_LEAVE) {
		ev.type = CORE_LEAVE;
	} else if (e->message.kind == AGENT_CHANNEL_RETIRE) {
		ev.type = CORE_RETIRE;
		memcpy(ev.u.retire.group, e->message.u.retire.group, sizeof(ev.u.retire.group));
		memcpy(ev.u.retire.resource, e->message.u.retire.resource,
		       sizeof(ev.u.retire.resource));
		e->retiring = true;
		e->retire_serial = e->message.u.retire.serial;
	} else if (e->message.kind == AGENT_CHANNEL_SAVED) {
		ev.type = CORE_SAVED;
		ev.u.saved.version = e->message.u.saved.version;
		ev.u.saved.ok = e->message.u.saved.ok;
		memcpy(ev.u.saved.reason, e->message.u.saved.reason, sizeof(ev.u.saved.reason));
	} else if (e->message.kind == AGENT_CHANNEL_DONE) {
		agent_engine_feed_done(e, now);
		return;
	} else if (e->message.kind == AGENT_CHANNEL_ANSWER) {
		agent_engine_feed_answer(e, now);
		return;
	} else if (e->message.kind == AGENT_CHANNEL_PROGRAM) {
		agent_engine_feed_program(e, now);
		return;
	} else {
		return;
	}
	agent_engine_feed(e, &ev);
}

static void on_keeper(evutil_socket_t fd, short what, void *arg)
{
	struct agent_loop *l = arg;
	yoke_time now = begin(l);
	int passed, got = agent_channel_receive_fd(fd, &l->engine->message, &passed);

	(void)what;
	if (got > 0 && l->engine->message.kind == AGENT_CHANNEL_OPENED)
		agent_line_opened(l->engine, passed, now);
	else if (got > 0 && l->engine->message.kind == AGENT_CHANNEL_KEYS_READ)
		agent_keys_read(l->engine, passed, now);
	else if (got > 0 && l->engine->message.kind == AGENT_CHANNEL_BULK)
		agent_bulk_answer(l->engine, now);
	else if (got > 0)
		from_keeper(l->engine, now);
	else if (got < 0)
		event_del(l->keeper); /* it is gone, and the kernel will end us, too */
}

/* ---- the end of a turn ---- */

/* hb opens sockets anew when interfaces come back; a new one always has another number.  A line
 * that failed is closed for one turn at least. */
static void register_paths(struct agent_loop *l)
{
	for (uint16_t p = 1; p <= l->engine->conf.path_count; p++) {
		int fd = hb_fd(&l->engine->hb, p);

		if (fd == l->path_fd[p - 1])
			continue;
		event_del(l->path[p - 1]);
		l->path_fd[p - 1] = fd;
		if (fd < 0)
			continue;
		event_assign(l->path[p - 1], l->base, fd, EV_READ | EV_PERSIST, on_path, l);
		event_priority_set(l->path[p - 1], PRIORITY_BEATS);
		if (event_add(l->path[p - 1], NULL) < 0)
			l->path_fd[p - 1] = -1; /* tried again after the next turn */
	}
}

/* Is a path about to be judged otherwise?  Then what waits in the sockets counts first. */
static bool verdict_due(const struct agent_engine *e, yoke_time now)
{
	for (uint16_t n = 1; n <= e->conf.node_count; n++)
		for (uint16_t p = 1; n != e->self && p <= e->conf.path_count; p++) {
			const struct hb_path *path = hb_path_of(&e->hb, n, p);

			if (hb_path_judge(path, now) != path->state)
				return true;
		}
	return false;
}

static void do_beats(struct agent_engine *e)
{
	yoke_time now = agent_engine_now();
	uint32_t stall_ms;

	if (!yoke_time_due(hb_deadline(&e->hb), now))
		return;
	if (verdict_due(e, now)) {
		for (uint16_t p = 1; p <= e->conf.path_count; p++)
			read_path(e, p);
		now = agent_engine_now();
	}
	stall_ms = hb_tick(&e->hb, now, &e->changes);
	if (stall_ms > 0) {
		struct core_event ev = {.type = CORE_STALL, .now = now};

		ev.u.stall.stall_ms = stall_ms;
		agent_engine_feed(e, &ev);
	}
	agent_engine_feed_changes(e, now);
}

static void do_addresses(struct agent_engine *e)
{
	yoke_time now = agent_engine_now();

	if (!yoke_time_due(agent_address_deadline(&e->addresses), now))
		return;
	agent_address_tick(&e->addresses, now, &e->notes);
	agent_engine_feed_notes(e, now);
}

static void do_asks(struct agent_engine *e)
{
	yoke_time now = agent_engine_now();

	if (yoke_time_due(agent_ask_deadline(&e->asks), now))
		agent_ask_tick(&e->asks, now);
	agent_engine_feed_asks(e, now); /* also what failed when it was asked */
}

static void do_core(struct agent_engine *e)
{
	struct core_event ev = {.type = CORE_TIMER, .now = agent_engine_now()};

	if (yoke_time_due(core_deadline(&e->core), ev.now))
		agent_engine_feed(e, &ev);
}

static void do_retired(struct agent_engine *e)
{
	if (!e->retiring || !core_retired(&e->core))
		return;
	e->message.kind = AGENT_CHANNEL_RETIRED;
	e->message.u.retired.serial = e->retire_serial;
	e->retiring = agent_channel_send(AGENT_ROLE_FD_CHANNEL, &e->message) < 0;
}

static void do_missing(struct agent_engine *e)
{
	bool *missing = e->message.u.missing.resource;

	memset(missing, 0, sizeof(e->missing));
	for (uint16_t r = 1; r <= e->conf.resource_count; r++)
		missing[r - 1] = core_may_miss(&e->core, r);
	e->message.kind = AGENT_CHANNEL_MISSING;
	e->message.u.missing.serial = e->retire_serial;
	if (memcmp(missing, e->missing, sizeof(e->missing)) == 0 &&
	    e->missing_serial == e->retire_serial)
		return;
	if (agent_channel_send(AGENT_ROLE_FD_CHANNEL, &e->message) < 0)
		return; /* again in the next turn */
	memcpy(e->missing, missing, sizeof(e->missing));
	e->missing_serial = e->retire_serial;
}

/* For the keeper, which must not let all of them go at once. */
static void note_paths(struct agent_engine *e)
{
	uint32_t up = 0;

	for (uint16_t n = 1; n <= e->conf.node_count; n++)
		for (uint16_t p = 1; n != e->self && p <= e->conf.path_count; p++)
			if (hb_path_of(&e->hb, n, p)->state == YOKE_PATH_UP)
				up |= UINT32_C(1) << (p - 1);
	atomic_store(&e->shared->paths_up, up);
}

static void arm(struct agent_loop *l)
{
	struct agent_engine *e = l->engine;
	yoke_time now = agent_engine_now(), at;
	struct timeval tv;
	int64_t wait_us;

	at = yoke_time_add_ms(now, agent_role_hang_ms(e->conf.dead_ms) / 4);
	at = yoke_time_min(at, hb_deadline(&e->hb));
	at = yoke_time_min(at, agent_address_deadline(&e->addresses));
	at = yoke_time_min(at, core_deadline(&e->core));
	at = yoke_time_min(at, agent_ask_deadline(&e->asks));
	wait_us = yoke_time_span_us(now, at);
	if (wait_us < 0)
		wait_us = 0;
	tv.tv_sec = wait_us / 1000000;
	tv.tv_usec = wait_us % 1000000;
	event_add(l->timer, &tv);
}

static void end_turn(struct agent_loop *l)
{
	struct agent_engine *e = l->engine;
	yoke_time now;
	int64_t took_ms;

	do_beats(e);
	agent_line_look(e);
	do_addresses(e);
	do_core(e);
	do_asks(e);
	do_retired(e);
	do_missing(e);
	note_paths(e);
	agent_history_watchdog(e);
	agent_history_reload(e);
	now = agent_engine_now();
	agent_engine_feed_watchdog(e, now);
	if (yoke_time_due(l->minute_at, now)) {
		l->minute_at = yoke_time_add_ms(now, MINUTE_MS);
		agent_history_minute(e);
		agent_engine_feed_clock(e, now);
	}
	if (!yoke_time_is_never(l->turn_began)) {
		took_ms = yoke_time_span_us(l->turn_began, now) / 1000;
		if (took_ms > AGENT_TURN_LONG_MS)
			agent_history_note(e, YOKE_EVENT_TURN_LONG, (uint64_t)took_ms, "");
	}
	l->turn_began = YOKE_NEVER;
	if (e->kick_due)
		agent_control_kick(e);
	atomic_store(&e->shared->alive_us, now.us);
	register_paths(l);
	arm(l);
}

/* ---- start ---- */

static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	/* Of what is less important than heartbeats, one callback at a time. */
	event_config_set_max_dispatch_interval(config, NULL, 1, PRIORITY_OTHERS);
	base = event_base_new_with_config(config);
	event_config_free(config);
	if (base != NULL && event_base_priority_init(base, PRIORITIES) < 0)
		return NULL;
	return base;
}

static struct event *make_reader(struct agent_loop *l, int fd, event_callback_fn callback,
				 int priority)
{
	struct event *ev = event_new(l->base, fd, EV_READ | EV_PERSIST, callback, l);

	if (ev == NULL)
		return NULL;
	event_priority_set(ev, priority);
	if (fd >= 0)
		event_add(ev, NULL);
	return ev;
}

static bool open_loop(struct agent_loop *l)
{
	int fds[AGENT_ADDRESS_FDS], ask_fds[AGENT_ASK_FDS];
	bool ok = true;

	l->turn_began = YOKE_NEVER;
	l->minute_at = yoke_time_add_ms(agent_engine_now(), MINUTE_MS);
	l->base = make_base();
	if (l->base == NULL)
		return false;
	agent_address_fds(&l->engine->addresses, fds);
	for (int i = 0; i < AGENT_ADDRESS_FDS; i++) {
		l->address[i] = make_reader(l, fds[i], on_address, PRIORITY_BEATS);
		ok = ok && l->address[i] != NULL;
	}
	agent_ask_fds(&l->engine->asks, ask_fds);
	for (int i = 0; i < AGENT_ASK_FDS; i++) {
		l->ask[i] = make_reader(l, ask_fds[i], on_ask, PRIORITY_BEATS);
		ok = ok && l->ask[i] != NULL;
	}
	for (int p = 0; p < YOKE_PATHS_MAX; p++) {
		l->path_fd[p] = -1;
		l->path[p] = make_reader(l, -1, on_path, PRIORITY_BEATS);
		ok = ok && l->path[p] != NULL;
	}
	l->timer = evtimer_new(l->base, on_timer, l);
	l->keeper = make_reader(l, AGENT_ROLE_FD_CHANNEL, on_keeper, PRIORITY_BEATS);
	if (!ok || l->timer == NULL || l->keeper == NULL)
		return false;
	event_priority_set(l->timer, PRIORITY_BEATS);
	return agent_control_open(l->engine, l->base, AGENT_ROLE_FD_CONTROL, PRIORITY_OTHERS) == 0;
}

int agent_loop_run(struct agent_engine *e)
{
	static struct agent_loop loop;

	loop.engine = e;
	if (!open_loop(&loop)) {
		yoke_log(YOKE_LOG_ERROR, "libevent: cannot make the loop");
		return 1;
	}
	while (!e->exiting) {
		end_turn(&loop);
		if (e->exiting)
			break;
		if (event_base_loop(loop.base, EVLOOP_ONCE) < 0) {
			yoke_log(YOKE_LOG_ERROR, "libevent: the loop failed");
			return 1;
		}
	}
	agent_ask_fini(&e->asks);
	hb_fini(&e->hb);
	return 0;
}
