#include "agent/post.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/engine.h"
#include "agent/privilege.h"
#include "agent/role.h"
#include "conf/conf.h"
#include "hb/device.h"
#include "hb/disk.h"
#include "hb/post.h"

enum { HEADER_US = 1000000 }; /* between two looks at the header */

struct post {
	const char *device;
	uint16_t node, other; /* numbers */
	int64_t look_us;
	int channel; /* to the keeper; -1: closed */
	int engine;  /* -1: nobody has the other end */
	int fd;      /* the disk's; -1: not open */
	struct hb_disk format;
	yoke_time look_at, header_at;
	char why[YOKE_REASON_SIZE];
};

/* What was read last of the other node's post, and scratch; as O_DIRECT wants them. */
static uint8_t seen[HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));
static uint8_t block[HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));

static bool fail(struct post *p, const char *what)
{
	snprintf(p->why, sizeof(p->why), "%s: %s", what, strerror(errno));
	return false;
}

static void close_all(struct post *p)
{
	if (p->engine >= 0)
		close(p->engine);
	if (p->fd >= 0)
		close(p->fd);
	p->engine = p->fd = -1;
}

static bool read_block(struct post *p, unsigned number)
{
	ssize_t got = pread(p->fd, block, sizeof(block), (off_t)number * HB_DISK_BLOCK_SIZE);

	if (got == (ssize_t)sizeof(block))
		return true;
	if (got >= 0)
		errno = ENOSPC;
	return fail(p, "it cannot be read");
}

static bool write_post(struct post *p, const uint8_t *bytes, size_t size)
{
	ssize_t got;

	hb_disk_put_post(&p->format, p->node, bytes, size, block);
	errno = EIO;
	got = pwrite(p->fd, block, sizeof(block),
		     (off_t)hb_disk_post_at(p->node) * HB_DISK_BLOCK_SIZE);
	return got == (ssize_t)sizeof(block) || fail(p, "it cannot be written");
}

static bool open_disk(struct post *p)
{
	const char *trouble;

	p->fd = hb_device_open(p->device, O_RDWR);
	if (p->fd < 0)
		return fail(p, "it cannot be opened");
	if (!read_block(p, 0))
		return false;
	trouble = hb_disk_look(&p->format, block);
	if (trouble == NULL)
		trouble = hb_disk_lacks_posts(&p->format);
	if (trouble != NULL) {
		snprintf(p->why, sizeof(p->why), "%s", trouble);
		return false;
	}
	memset(seen, 0, sizeof(seen));
	return write_post(p, NULL, 0);
}

/* Returns false when the keeper is not there. */
static bool answer(struct post *p, uint16_t path)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_OPENED};
	int pair[2] = {-1, -1};
	bool is_told;

	close_all(p);
	m.u.opened.path = path;
	if (open_disk(p) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail(p, "socketpair");
	if (pair[0] < 0)
		memcpy(m.u.opened.reason, p->why, sizeof(m.u.opened.reason));
	is_told = agent_channel_send_fd(p->channel, &m, pair[1]) == 0;
	if (pair[0] < 0) {
		close_all(p);
		return is_told;
	}
	close(pair[1]);
	p->engine = pair[0];
	p->look_at = agent_engine_now();
	p->header_at = yoke_time_add_us(p->look_at, HEADER_US);
	return is_told;
}

/* Is the header still that of the disk that we opened? */
static bool is_same(struct post *p)
{
	struct hb_disk now = p->format;

	return read_block(p, 0) && hb_disk_look(&now, block) == NULL &&
	       now.layout == p->format.layout && memcmp(now.id, p->format.id, sizeof(now.id)) == 0;
}

/* Hand over what the other node has posted since the last look. */
static bool look(struct post *p, yoke_time now)
{
	uint8_t m[1 + HB_DISK_POST_SIZE] = {HB_POST_READ};
	const uint8_t *bytes;
	size_t size;

	p->look_at = yoke_time_add_us(now, p->look_us);
	if (yoke_time_due(p->header_at, now)) {
		p->header_at = yoke_time_add_us(now, HEADER_US);
		if (!is_same(p))
			return false;
	}
	if (!read_block(p, hb_disk_post_at(p->other)))
		return false;
	bytes = hb_disk_get_post(&p->format, p->other, block, &size);
	if (bytes == NULL || memcmp(block, seen, sizeof(block)) == 0)
		return true;
	memcpy(seen, block, sizeof(block));
	memcpy(m + 1, bytes, size);
	return send(p->engine, m, 1 + size, MSG_NOSIGNAL) >= 0;
}

/* Write what the engine posts, and say so. */
static bool take(struct post *p)
{
	static const uint8_t done = HB_POST_WRITTEN;
	uint8_t bytes[HB_DISK_POST_SIZE];
	ssize_t got = recv(p->engine, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0 || got > (ssize_t)sizeof(bytes))
		return false;
	return write_post(p, bytes, (size_t)got) &&
	       send(p->engine, &done, sizeof(done), MSG_NOSIGNAL) >= 0;
}

static void from_keeper(struct post *p)
{
	static struct agent_channel_message m;
	int got = agent_channel_receive(p->channel, &m);

	if (got > 0 && m.kind == AGENT_CHANNEL_OPEN && !answer(p, m.u.open.path))
		got = -1; /* the socket may be nobody's */
	if (got >= 0)
		return;
	close(p->channel);
	p->channel = -1;
}

static void turn(struct post *p)
{
	struct pollfd polled[] = {{.fd = p->channel, .events = POLLIN},
				  {.fd = p->engine, .events = POLLIN}};
	int64_t wait_us = yoke_time_span_us(agent_engine_now(), p->look_at);
	int wait_ms = p->engine < 0 ? -1 : wait_us <= 0 ? 0 : (int)((wait_us + 999) / 1000);

	poll(polled, sizeof(polled) / sizeof(polled[0]), wait_ms);
	if (polled[0].revents != 0)
		from_keeper(p);
	if (polled[1].revents != 0 && p->engine == polled[1].fd && !take(p))
		close_all(p);
	if (p->engine >= 0 && yoke_time_due(p->look_at, agent_engine_now()) &&
	    !look(p, agent_engine_now()))
		close_all(p);
}

int agent_post_run(const char *node, unsigned path, pid_t keeper)
{
	static struct conf conf;
	struct post p = {.channel = AGENT_ROLE_FD_CHANNEL, .engine = -1, .fd = -1};
	char why[YOKE_REASON_SIZE];
	int self;

	if (agent_privilege_bind(keeper) < 0 ||
	    agent_role_read_conf(AGENT_ROLE_FD_CONF, &conf) < 0 || path < 1 ||
	    path > conf.path_count)
		return 1;
	self = conf_self(&conf, node, why);
	if (self < 0)
		return 1;
	p.node = (uint16_t)(self + 1);
	for (uint16_t n = 1; n <= conf.node_count; n++)
		if (n != p.node && conf.node[n - 1].endpoint[path - 1].configured)
			p.other = n;
	p.device = conf.node[self].endpoint[path - 1].device;
	p.look_us = (int64_t)conf_path_look_ms(&conf, path - 1) * 1000;
	conf_cluster_id(&conf, p.format.cluster_id);
	(void)agent_privilege_realtime(AGENT_ROLE_PRIORITY_ENGINE, true, why); /* goes on without */
	while (p.channel >= 0 || p.engine >= 0)
		turn(&p);
	return 0;
}
