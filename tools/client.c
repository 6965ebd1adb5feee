#include "tools/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_MS = 2000, CONNECT_AGAIN_MS = 20 };

int64_t tool_client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(struct tool_client *client, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct tool_client *client, int result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(client->why, sizeof(client->why), format, arguments);
	va_end(arguments);
	return result;
}

int tool_client_complain(const struct tool_client *client, int result)
{
	fprintf(stderr, "yoke: %s\n", client->why);
	return result;
}

void tool_client_close(struct tool_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static int no_engine(struct tool_client *client, int error)
{
	tool_client_close(client);
	switch (error) {
	case ENOENT:
		return fail(client, TOOL_NO_ENGINE,
			    "yoked is not running on this node (no %s): start it with "
			    "'systemctl start yoked'",
			    client->path);
	case ECONNREFUSED:
		return fail(client, TOOL_NO_ENGINE,
			    "yoked is not running on this node (nobody answers on %s): start it "
			    "with 'systemctl start yoked'",
			    client->path);
	case EACCES:
	case EPERM:
		return fail(client, TOOL_NO_ENGINE,
			    "no permission to use %s: run it as root, or join the group 'yoke' "
			    "to look",
			    client->path);
	default:
		return fail(client, TOOL_NO_ENGINE, "cannot connect to %s: %s", client->path,
			    strerror(error));
	}
}

int tool_client_open(struct tool_client *client, const struct tool_options *options)
{
	const char *path = options->socket_path;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t deadline_ms = tool_client_now_ms() + CONNECT_MS;

	client->path = path;
	client->answer_ms = (int64_t)options->timeout_s * 1000;
	if (client->answer_ms > TOOL_ANSWER_MS)
		client->answer_ms = TOOL_ANSWER_MS;
	client->used = client->taken = 0;
	client->kicked = false;
	client->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return fail(client, TOOL_USAGE, "the socket's path is longer than %zu bytes: %s",
			    sizeof(address.sun_path) - 1, path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return no_engine(client, errno);
	while (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		/* EAGAIN: the queue of connections is full, and poll cannot tell when it is not. */
		if ((errno != EAGAIN && errno != EINTR) || tool_client_now_ms() > deadline_ms)
			return no_engine(client, errno);
		poll(NULL, 0, CONNECT_AGAIN_MS);
	}
	return TOOL_OK;
}

/* Returns true when the socket is ready; false at the deadline or on a signal. */
static bool ready(const struct tool_client *client, short what, int64_t deadline_ms)
{
	struct pollfd p = {.fd = client->fd, .events = what};
	int64_t left_ms = deadline_ms - tool_client_now_ms();

	return poll(&p, 1, left_ms > 0 ? (int)left_ms : 0) > 0;
}

static int lost(struct tool_client *client)
{
	tool_client_close(client);
	return fail(client, TOOL_NO_ENGINE,
		    "yoked closed the connection before it answered: it may be restarting, try "
		    "again");
}

static int silent(struct tool_client *client)
{
	return fail(client, TOOL_TIMED_OUT,
		    "yoked did not answer within %d s: look at 'systemctl status yoked'",
		    (int)(client->answer_ms / 1000));
}

static int send_all(struct tool_client *client, const char *bytes, size_t size, int64_t deadline_ms)
{
	while (size > 0) {
		ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			size -= (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR) {
			return lost(client);
		} else if (!ready(client, POLLOUT, deadline_ms) &&
			   tool_client_now_ms() >= deadline_ms) {
			return silent(client);
		}
	}
	return TOOL_OK;
}

/* Take what has arrived, without waiting.  Returns TOOL_OK also when nothing has. */
static int fill(struct tool_client *client)
{
	ssize_t got;

	if (client->taken > 0) {
		memmove(client->bytes, client->bytes + client->taken, client->used - client->taken);
		client->used -= client->taken;
		client->taken = 0;
	}
	if (client->used == sizeof(client->bytes))
		return fail(client, TOOL_FAILED,
			    "yoked's answer is longer than %d bytes: are yoke and yoked of the "
			    "same version?",
			    YOKE_LINE_SIZE);
	got = recv(client->fd, client->bytes + client->used, sizeof(client->bytes) - client->used,
		   0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? TOOL_OK : lost(client);
	if (got == 0)
		return lost(client);
	client->used += (size_t)got;
	return TOOL_OK;
}

/* The next whole line into client->line, if one has arrived. */
static bool next_line(struct tool_client *client)
{
	const char *start = client->bytes + client->taken;
	const char *end = memchr(start, '\n', client->used - client->taken);
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - start);
	memcpy(client->line, start, len);
	client->line[len] = '\0';
	client->taken += len + 1;
	return true;
}

/* Understand client->line. */
static int decode(struct tool_client *client)
{
	char why[YOKE_REASON_SIZE];

	if (yoke_json_get_answer(client->line, strlen(client->line), &client->answer,
				 &client->snapshot, why) != 0)
		return fail(client, TOOL_FAILED,
			    "yoked's answer is not understood (%s): are yoke and yoked of the same "
			    "version?",
			    why);
	if (client->answer.is_kick)
		client->kicked = true;
	return TOOL_OK;
}

int tool_client_ask(struct tool_client *client, const struct yoke_request *request)
{
	int64_t deadline_ms = tool_client_now_ms() + client->answer_ms;
	char line[YOKE_REQUEST_SIZE];
	int len = yoke_json_put_request(request, line, sizeof(line));
	int result;

	if (len < 0)
		return fail(client, TOOL_USAGE, "the request is too long");
	result = send_all(client, line, (size_t)len, deadline_ms);
	while (result == TOOL_OK) {
		while (next_line(client)) {
			result = decode(client);
			if (result != TOOL_OK || !client->answer.is_kick)
				return result;
		}
		if (!ready(client, POLLIN, deadline_ms) && tool_client_now_ms() >= deadline_ms)
			return silent(client);
		result = fill(client);
	}
	return result;
}

int tool_client_demand(struct tool_client *client, enum yoke_request_kind kind)
{
	struct yoke_request request = {.kind = kind};
	int result = tool_client_ask(client, &request);

	if (result != TOOL_OK)
		return tool_client_complain(client, result);
	if (client->answer.verdict == YOKE_OK)
		return TOOL_OK;
	fprintf(stderr, "yoke: refused (%s): %s\n", yoke_word_verdict(client->answer.verdict),
		yoke_verdict_advice(client->answer.verdict));
	return TOOL_FAILED;
}

int tool_client_wait(struct tool_client *client, int64_t timeout_ms)
{
	int64_t deadline_ms = tool_client_now_ms() + timeout_ms;
	int result = TOOL_OK;

	while (result == TOOL_OK && !client->kicked) {
		if (next_line(client)) {
			result = decode(client);
			continue;
		}
		if (!ready(client, POLLIN, deadline_ms))
			break;
		result = fill(client);
	}
	client->kicked = false;
	return result;
}
