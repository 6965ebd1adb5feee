#include "agent/channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

/* Bytes of a message that are meaningful; 0: no such kind. */
static size_t size_of(const struct agent_channel_message *m)
{
	size_t head = offsetof(struct agent_channel_message, u);

	switch (m->kind) {
	case AGENT_CHANNEL_RECORD:
	case AGENT_CHANNEL_SAVE:
		if (m->u.record.size > YOKE_RECORD_SIZE)
			return 0;
		return offsetof(struct agent_channel_message, u.record.bytes) + m->u.record.size;
	case AGENT_CHANNEL_SAVED:
		return head + sizeof(m->u.saved);
	case AGENT_CHANNEL_EVENT:
		return head + sizeof(m->u.event);
	case AGENT_CHANNEL_LEAVE:
		return head;
	case AGENT_CHANNEL_JOB:
		return head + sizeof(m->u.job);
	case AGENT_CHANNEL_DONE:
		return head + sizeof(m->u.done);
	case AGENT_CHANNEL_ASK:
		return head + sizeof(m->u.ask);
	case AGENT_CHANNEL_ANSWER:
		return head + sizeof(m->u.answer);
	case AGENT_CHANNEL_CANCEL:
		return head + sizeof(m->u.cancel);
	}
	return 0;
}

int agent_channel_send(int fd, const struct agent_channel_message *message)
{
	size_t size = size_of(message);

	return send(fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

int agent_channel_send_patiently(int fd, const struct agent_channel_message *message)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (agent_channel_send(fd, message) < 0)
		if (errno != EAGAIN || (poll(&p, 1, -1) < 0 && errno != EINTR))
			return -1;
	return 0;
}

int agent_channel_receive(int fd, struct agent_channel_message *message)
{
	ssize_t got = recv(fd, message, sizeof(*message), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if ((size_t)got < offsetof(struct agent_channel_message, u) ||
	    size_of(message) != (size_t)got)
		return -1;
	return 1;
}

int agent_channel_wait(int fd, struct agent_channel_message *message, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int ready = poll(&p, 1, timeout_ms);

	if (ready < 0)
		return errno == EINTR ? 0 : -1;
	return ready == 0 ? 0 : agent_channel_receive(fd, message);
}
