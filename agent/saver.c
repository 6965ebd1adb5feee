#include "agent/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/trim.h"
#include "agent/channel.h"

struct saver {
	int channel_fd, dir_fd, events_fd; /* events_fd -1: cannot be opened */
	bool events_dirty;
};

static void reason_errno(char *reason, const char *what)
{
	snprintf(reason, YOKE_REASON_SIZE, "%s: %s", what, strerror(errno));
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static bool save(const struct saver *s, const struct agent_channel_message *m, char *reason)
{
	int fd = openat(s->dir_fd, "record.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0) {
		reason_errno(reason, "record.new");
		return false;
	}
	ok = write_all(fd, m->u.record.bytes, m->u.record.size) && fsync(fd) == 0;
	if (!ok)
		reason_errno(reason, "record.new");
	close(fd);
	if (ok &&
	    (renameat(s->dir_fd, "record.new", s->dir_fd, "record") < 0 || fsync(s->dir_fd) < 0)) {
		reason_errno(reason, "record");
		ok = false;
	}
	return ok;
}

static void load(const struct saver *s, struct agent_channel_message *m)
{
	int fd = openat(s->dir_fd, "record", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	memset(m, 0, sizeof(*m));
	m->kind = AGENT_CHANNEL_RECORD;
	if (fd < 0) {
		if (errno != ENOENT)
			reason_errno(m->u.record.reason, "cannot be opened");
		return;
	}
	n = read(fd, m->u.record.bytes, sizeof(m->u.record.bytes));
	if (n < 0)
		reason_errno(m->u.record.reason, "cannot be read");
	else if (n == 0)
		snprintf(m->u.record.reason, sizeof(m->u.record.reason), "it is empty");
	else
		m->u.record.size = (uint32_t)n;
	close(fd);
}

static void remember(struct saver *s, const struct yoke_event *ev)
{
	off_t at = (off_t)(ev->seq % YOKE_EVENTS_MAX) * (off_t)sizeof(*ev);

	if (s->events_fd >= 0 && pwrite(s->events_fd, ev, sizeof(*ev), at) == (ssize_t)sizeof(*ev))
		s->events_dirty = true;
}

static void serve(struct saver *s, const struct agent_channel_message *m)
{
	struct agent_channel_message answer = {.kind = AGENT_CHANNEL_SAVED};

	if (m->kind == AGENT_CHANNEL_EVENT) {
		remember(s, &m->u.event);
	} else if (m->kind == AGENT_CHANNEL_SAVE) {
		answer.u.saved.version = m->u.record.version;
		answer.u.saved.ok = save(s, m, answer.u.saved.reason);
		agent_channel_send(s->channel_fd, &answer);
	}
}

/* Returns 0 when the keeper is gone. */
static int serve_next(struct saver *s, struct agent_channel_message *m)
{
	int got = agent_channel_receive(s->channel_fd, m);

	if (got == 0 && s->events_dirty) {
		fdatasync(s->events_fd); /* once for all that came together */
		s->events_dirty = false;
	}
	if (got == 0)
		got = agent_channel_wait(s->channel_fd, m, -1);
	if (got < 0)
		return 0;
	if (got > 0)
		serve(s, m);
	return 1;
}

int agent_saver_run(int channel_fd, const char *state_dir)
{
	static struct agent_channel_message m;
	struct saver s = {.channel_fd = channel_fd, .events_fd = -1};

	s.dir_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0) {
		yoke_log(YOKE_LOG_ERROR, "%s: %s", state_dir, strerror(errno));
		return 1;
	}
	s.events_fd = openat(s.dir_fd, "events", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	load(&s, &m);
	agent_channel_send(channel_fd, &m);
	yoke_trim();
	while (serve_next(&s, &m))
		;
	return 0;
}

void agent_saver_load_events(const char *state_dir, struct agent_shared *shared)
{
	char file_name[512];
	struct yoke_event ev;
	int fd;

	snprintf(file_name, sizeof(file_name), "%s/events", state_dir);
	fd = open(file_name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	for (uint64_t i = 0; i < YOKE_EVENTS_MAX; i++) {
		if (pread(fd, &ev, sizeof(ev), (off_t)(i * sizeof(ev))) != (ssize_t)sizeof(ev))
			continue;
		if (ev.seq == 0 || ev.seq % YOKE_EVENTS_MAX != i || ev.kind == YOKE_EVENT_NONE ||
		    ev.kind >= YOKE_EVENT_KINDS_END)
			continue;
		ev.reason[sizeof(ev.reason) - 1] = '\0';
		ev.text[sizeof(ev.text) - 1] = '\0';
		shared->event[i] = ev;
		if (ev.seq > shared->last_event)
			shared->last_event = ev.seq;
	}
	close(fd);
}
