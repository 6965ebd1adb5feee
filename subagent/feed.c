#include "subagent/feed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"

yoke_time subagent_feed_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (yoke_time){(int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

void subagent_feed_init(struct subagent_feed *feed, const char *path, uint64_t acknowledged)
{
	feed->path = path;
	feed->fd = -1;
	feed->retry_at = (yoke_time){0};
	feed->pull_at = YOKE_NEVER;
	feed->answer_by = YOKE_NEVER;
	feed->acknowledged = acknowledged;
}

static void drop(struct subagent_feed *feed, const char *why)
{
	if (feed->fd >= 0)
		close(feed->fd);
	if (!feed->unreachable_logged)
		yoke_log(YOKE_LOG_WARNING, "no engine at %s: %s", feed->path, why);
	feed->unreachable_logged = true;
	feed->fd = -1;
	feed->used = 0;
	feed->asked_count = 0;
	feed->pulling = false;
	feed->kicked = false;
	feed->connection_has_snapshot = false;
	feed->pull_at = YOKE_NEVER;
	feed->answer_by = YOKE_NEVER;
	feed->retry_at = yoke_time_add_ms(subagent_feed_now(), SUBAGENT_FEED_RETRY_MS);
}

/* Send a request.  Returns -1 when the connection is lost by it. */
static int ask(struct subagent_feed *feed, const struct yoke_request *request,
	       enum subagent_asked asked)
{
	char line[YOKE_REQUEST_SIZE];
	int len = yoke_json_put_request(request, line, sizeof(line));

	if (feed->fd < 0 || len < 0)
		return -1;
	if (feed->asked_count == SUBAGENT_FEED_ASKED_MAX ||
	    send(feed->fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
		drop(feed, "it does not read its requests");
		return -1;
	}
	if (feed->asked_count == 0)
		feed->answer_by = yoke_time_add_ms(subagent_feed_now(), SUBAGENT_FEED_ANSWER_MS);
	feed->asked[feed->asked_count++] = asked;
	return 0;
}

static void pull(struct subagent_feed *feed, yoke_time now)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_PULL};

	request.after = subagent_ring_newest(&feed->ring);
	feed->kicked = false;
	feed->pulling = true;
	feed->pull_at = yoke_time_add_ms(now, SUBAGENT_FEED_PULL_MS);
	ask(feed, &request, SUBAGENT_ASKED_PULL);
}

static void open_connection(struct subagent_feed *feed, yoke_time now)
{
	struct yoke_request subscribe = {.kind = YOKE_REQUEST_SUBSCRIBE};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(feed->path) >= sizeof(address.sun_path)) {
		drop(feed, "the path is too long for a socket");
		return;
	}
	memcpy(address.sun_path, feed->path, strlen(feed->path) + 1);
	feed->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (feed->fd < 0 ||
	    connect(feed->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		drop(feed, strerror(errno));
		return;
	}
	if (ask(feed, &subscribe, SUBAGENT_ASKED_NOTHING) == 0)
		pull(feed, now);
}

static void keep_names(struct subagent_feed *feed)
{
	const struct yoke_snapshot *s = &feed->snapshot;
	struct yoke_names *names = &feed->names;
	uint32_t i;

	memset(names, 0, sizeof(*names));
	memcpy(names->cluster, s->cluster, sizeof(names->cluster));
	for (i = 0; i < s->node_count; i++)
		memcpy(names->node[i], s->node[i].name, YOKE_NAME_SIZE);
	for (i = 0; i < s->group_count; i++)
		memcpy(names->group[i], s->group[i].name, YOKE_NAME_SIZE);
	for (i = 0; i < s->resource_count; i++)
		memcpy(names->resource[i], s->resource[i].name, YOKE_NAME_SIZE);
	names->node_count = s->node_count;
	names->group_count = s->group_count;
	names->resource_count = s->resource_count;
	for (i = 0; i < s->arbiter_count; i++)
		memcpy(names->arbiter[i], s->arbiter[i].name, YOKE_NAME_SIZE);
	names->arbiter_count = s->arbiter_count;
	for (i = 0; i < s->link_count; i++) {
		unsigned path = s->link[i].path;

		if (path < 1 || path > YOKE_PATHS_MAX)
			continue;
		memcpy(names->path[path - 1], s->link[i].name, YOKE_NAME_SIZE);
		if (names->path_count < path)
			names->path_count = path;
	}
}

static void take_snapshot(struct subagent_feed *feed, yoke_time now)
{
	if (feed->has_snapshot && feed->snapshot.condition != feed->incoming.condition)
		feed->condition_changed_wall_ms = feed->incoming.taken_wall_ms;
	feed->snapshot = feed->incoming;
	feed->snapshot_at = now;
	feed->has_snapshot = true;
	feed->connection_has_snapshot = true;
	keep_names(feed);
}

/* The number that the next event should have; 1 after nothing at all. */
static uint64_t expected(const struct subagent_feed *feed)
{
	uint64_t newest = subagent_ring_newest(&feed->ring);

	return (newest > 0 ? newest : feed->acknowledged) + 1;
}

static void take_event(struct subagent_feed *feed, const struct yoke_event *event)
{
	uint64_t next = expected(feed);

	if (event->seq <= subagent_ring_newest(&feed->ring))
		return;
	if (event->seq > next && next > 1) {
		feed->missed += event->seq - next;
		yoke_log(YOKE_LOG_WARNING,
			 "events %llu to %llu are lost: the engine does not remember them",
			 (unsigned long long)next, (unsigned long long)(event->seq - 1));
	}
	subagent_ring_add(&feed->ring, event);
}

/* Numbers only grow, unless the engine's saved state was removed. */
static bool began_again(const struct subagent_feed *feed)
{
	uint64_t newest = subagent_ring_newest(&feed->ring);
	uint64_t last = feed->snapshot.last_event;

	return last != 0 && (last < newest || last < feed->acknowledged);
}

static void take_pull(struct subagent_feed *feed, yoke_time now)
{
	unsigned i;

	feed->pulling = false;
	if (!feed->answer.has_snapshot)
		return;
	if (feed->unreachable_logged || !feed->has_snapshot)
		yoke_log(YOKE_LOG_INFO, "connected to the engine at %s", feed->path);
	feed->unreachable_logged = false;
	take_snapshot(feed, now);
	if (began_again(feed)) {
		yoke_log(YOKE_LOG_WARNING, "the engine's event numbers began again");
		subagent_ring_clear(&feed->ring);
		feed->acknowledged = 0;
		feed->renumbered = true;
		feed->kicked = true;
		return;
	}
	for (i = 0; i < feed->answer.event_count; i++)
		take_event(feed, &feed->answer.event[i]);
	if (feed->answer.event_count == YOKE_PULL_EVENTS_MAX)
		feed->kicked = true;
}

/* Take one line.  Returns -1 when the connection was dropped for it. */
static int take_line(struct subagent_feed *feed, const char *line, size_t len, yoke_time now)
{
	char why[YOKE_REASON_SIZE] = "";
	enum subagent_asked asked;

	if (yoke_json_get_answer(line, len, &feed->answer, &feed->incoming, why) != 0) {
		drop(feed, why);
		return -1;
	}
	if (feed->answer.is_kick) {
		feed->kicked = true;
		return 0;
	}
	if (feed->asked_count == 0) {
		drop(feed, "an answer to no question");
		return -1;
	}
	asked = feed->asked[0];
	feed->asked_count--;
	memmove(feed->asked, feed->asked + 1, feed->asked_count * sizeof(feed->asked[0]));
	feed->answer_by = feed->asked_count == 0 ? YOKE_NEVER
						 : yoke_time_add_ms(now, SUBAGENT_FEED_ANSWER_MS);
	if (asked == SUBAGENT_ASKED_PULL)
		take_pull(feed, now);
	if (asked == SUBAGENT_ASKED_OPERATE) {
		feed->operated = true;
		feed->verdict = feed->answer.verdict;
		feed->operation = feed->answer.operation;
	}
	return 0;
}

static void take_lines(struct subagent_feed *feed, yoke_time now)
{
	char *start = feed->line, *end;

	while ((end = memchr(start, '\n', feed->used - (size_t)(start - feed->line))) != NULL) {
		if (take_line(feed, start, (size_t)(end - start) + 1, now) != 0)
			return;
		start = end + 1;
	}
	feed->used -= (size_t)(start - feed->line);
	memmove(feed->line, start, feed->used);
}

void subagent_feed_read(struct subagent_feed *feed, yoke_time now)
{
	ssize_t got;

	if (feed->used == sizeof(feed->line)) {
		drop(feed, "a line without an end");
		return;
	}
	got = recv(feed->fd, feed->line + feed->used, sizeof(feed->line) - feed->used,
		   MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(feed, got == 0 ? "it closed the connection" : strerror(errno));
		return;
	}
	feed->used += (size_t)got;
	take_lines(feed, now);
}

void subagent_feed_tick(struct subagent_feed *feed, yoke_time now)
{
	if (feed->fd < 0) {
		if (yoke_time_due(feed->retry_at, now))
			open_connection(feed, now);
		return;
	}
	if (yoke_time_due(feed->answer_by, now)) {
		drop(feed, "it does not answer");
		return;
	}
	if (!feed->pulling && (feed->kicked || yoke_time_due(feed->pull_at, now)))
		pull(feed, now);
}

yoke_time subagent_feed_deadline(const struct subagent_feed *feed)
{
	if (feed->fd < 0)
		return feed->retry_at;
	if (!feed->pulling && feed->kicked)
		return (yoke_time){0};
	return feed->pulling ? feed->answer_by : yoke_time_min(feed->pull_at, feed->answer_by);
}

uint32_t subagent_feed_age_ms(const struct subagent_feed *feed, yoke_time now)
{
	int64_t age_ms;

	if (!feed->has_snapshot)
		return UINT32_MAX;
	age_ms = yoke_time_span_us(feed->snapshot_at, now) / 1000;
	return age_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)age_ms;
}

int subagent_feed_operate(struct subagent_feed *feed, const struct yoke_request *request,
			  int timeout_ms, enum yoke_verdict *verdict)
{
	yoke_time now = subagent_feed_now(), until = yoke_time_add_ms(now, timeout_ms);

	feed->operated = false;
	if (ask(feed, request, SUBAGENT_ASKED_OPERATE) != 0)
		return -1;
	while (feed->fd >= 0 && !feed->operated && yoke_time_before(now, until)) {
		struct pollfd readable = {.fd = feed->fd, .events = POLLIN};

		if (poll(&readable, 1, (int)(yoke_time_span_us(now, until) / 1000) + 1) > 0)
			subagent_feed_read(feed, now);
		now = subagent_feed_now();
	}
	if (!feed->operated) {
		drop(feed, "it did not answer a request in time");
		return -1;
	}
	*verdict = feed->verdict;
	return 0;
}

void subagent_feed_report(struct subagent_feed *feed, const struct yoke_request *request)
{
	if (feed->connection_has_snapshot)
		ask(feed, request, SUBAGENT_ASKED_NOTHING);
}
