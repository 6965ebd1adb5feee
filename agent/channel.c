#include "agent/channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	case AGENT_CHANNEL_OPEN:
		return head + sizeof(m->u.open);
	case AGENT_CHANNEL_OPENED:
		return head + sizeof(m->u.opened);
	case AGENT_CHANNEL_KEYS:
		return head + sizeof(m->u.keys);
	case AGENT_CHANNEL_KEYS_READ:
		return head + sizeof(m->u.keys_read);
	case AGENT_CHANNEL_RETIRE:
		return head + sizeof(m->u.retire);
	case AGENT_CHANNEL_MISSING:
		return head + sizeof(m->u.missing);
	case AGENT_CHANNEL_BULK:
		if (m->u.bulk.size > YOKE_PIECE_SIZE)
			return 0;
		return offsetof(struct agent_channel_message, u.bulk.bytes) + m->u.bulk.size;
	case AGENT_CHANNEL_REFUSED:
		return head + sizeof(m->u.refused);
	case AGENT_CHANNEL_PROGRAM:
		return head + sizeof(m->u.program);
	case AGENT_CHANNEL_RETIRED:
		return head + sizeof(m->u.retired);
	case AGENT_CHANNEL_KEYS_TAKEN:
	case AGENT_CHANNEL_RELOAD:
		return head;
	}
	return 0;
}

/* Room for one descriptor beside a message. */
union beside {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

int agent_channel_send_fd(int fd, const struct agent_channel_message *message, int passed)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size_of(message)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union beside beside;

	memset(&beside, 0, sizeof(beside));
	if (passed >= 0) {
		m.msg_control = &beside;
		m.msg_controllen = sizeof(beside);
		beside.head.cmsg_level = SOL_SOCKET;
		beside.head.cmsg_type = SCM_RIGHTS;
		beside.head.cmsg_len = CMSG_LEN(sizeof(passed));
		memcpy(CMSG_DATA(&beside.head), &passed, sizeof(passed));
	}
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)part.iov_len ? 0 : -1;
}

int agent_channel_send(int fd, const struct agent_channel_message *message)
{
	return agent_channel_send_fd(fd, message, -1);
}

int agent_channel_send_patiently(int fd, const struct agent_channel_message *message)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (agent_channel_send(fd, message) < 0)
		if (errno != EAGAIN || (poll(&p, 1, -1) < 0 && errno != EINTR))
			return -1;
	return 0;
}

/* The first descriptor; one more fits in, and must not stay open. */
static void take_one(const struct cmsghdr *head, int *passed)
{
	int all[sizeof(union beside) / sizeof(int)];
	size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	memcpy(all, CMSG_DATA(head), count * sizeof(int));
	*passed = all[0];
	for (size_t i = 1; i < count; i++)
		close(all[i]);
}

int agent_channel_receive_fd(int fd, struct agent_channel_message *message, int *passed)
{
	struct iovec part = {.iov_base = message, .iov_len = sizeof(*message)};
	union beside beside;
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &beside,
			   .msg_controllen = sizeof(beside)};
	ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head;

	*passed = -1;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	head = CMSG_FIRSTHDR(&m);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		take_one(head, passed);
	if ((size_t)got >= offsetof(struct agent_channel_message, u) &&
	    size_of(message) == (size_t)got)
		return 1;
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	return -1;
}

int agent_channel_receive(int fd, struct agent_channel_message *message)
{
	int passed, got = agent_channel_receive_fd(fd, message, &passed);

	if (passed >= 0)
		close(passed);
	return got;
}

int agent_channel_wait(int fd, struct agent_channel_message *message, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int ready = poll(&p, 1, timeout_ms);

	if (ready < 0)
		return errno == EINTR ? 0 : -1;
	return ready == 0 ? 0 : agent_channel_receive(fd, message);
}
