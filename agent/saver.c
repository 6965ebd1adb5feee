#include "agent/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/trim.h"
#include "agent/channel.h"
#include "agent/keys.h"

enum { SLOT_MAGIC = 0x796f6b65 };

/* A place in the ring of events; another build's, or one half written, is left out. */
struct slot {
	uint32_t magic;
	uint32_t size; /* of this struct */
	struct yoke_event event;
	uint64_t seq; /* the event's once more: the slot was written to its end */
};

struct saver {
	int channel_fd, dir_fd, events_fd; /* events_fd -1: cannot be opened */
	bool events_dirty;
	bool old_kept; /* the record found at the start is kept as record.old */
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

/* What was there before this start may be what a person needs, above all if it was unreadable. */
static void keep_old(struct saver *s)
{
	if (s->old_kept)
		return;
	unlinkat(s->dir_fd, "record.old", 0);
	s->old_kept =
		linkat(s->dir_fd, "record", s->dir_fd, "record.old", 0) == 0 || errno == ENOENT;
}

static bool save(struct saver *s, const struct agent_channel_message *m, char *reason)
{
	int fd = openat(s->dir_fd, "record.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0) {
		reason_errno(reason, "record.new");
		return false;
	}
	keep_old(s);
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
	struct slot slot = {
		.magic = SLOT_MAGIC, .size = sizeof(slot), .event = *ev, .seq = ev->seq};
	off_t at = (off_t)(ev->seq % YOKE_EVENTS_MAX) * (off_t)sizeof(slot);

	if (s->events_fd >= 0 &&
	    pwrite(s->events_fd, &slot, sizeof(slot), at) == (ssize_t)sizeof(slot))
		s->events_dirty = true;
}

static bool is_whole(const struct slot *slot, unsigned at)
{
	const struct yoke_event *ev = &slot->event;

	return slot->magic == SLOT_MAGIC && slot->size == sizeof(*slot) && slot->seq == ev->seq &&
	       ev->seq != 0 && ev->seq % YOKE_EVENTS_MAX == at && ev->kind != YOKE_EVENT_NONE &&
	       ev->kind < YOKE_EVENT_KINDS_END &&
	       memchr(ev->reason, '\0', sizeof(ev->reason)) != NULL &&
	       memchr(ev->text, '\0', sizeof(ev->text)) != NULL;
}

static void tell_events(const struct saver *s, struct agent_channel_message *m)
{
	struct slot slot;

	memset(m, 0, sizeof(*m));
	m->kind = AGENT_CHANNEL_EVENT;
	for (unsigned i = 0; s->events_fd >= 0 && i < YOKE_EVENTS_MAX; i++) {
		if (pread(s->events_fd, &slot, sizeof(slot), (off_t)i * (off_t)sizeof(slot)) !=
			    (ssize_t)sizeof(slot) ||
		    !is_whole(&slot, i))
			continue;
		m->u.event = slot.event;
		if (agent_channel_send_patiently(s->channel_fd, m) < 0)
			return;
	}
}

static void read_keys(const struct saver *s, const struct agent_channel_message *m)
{
	struct agent_channel_message answer = {.kind = AGENT_CHANNEL_KEYS_READ};
	char why[CONF_PROBLEM_SIZE] = "";
	int fd = agent_keys_share(m->u.keys.file, why);

	snprintf(answer.u.keys_read.reason, sizeof(answer.u.keys_read.reason), "%.*s",
		 YOKE_REASON_SIZE - 1, why);
	agent_channel_send_fd(s->channel_fd, &answer, fd);
	if (fd >= 0)
		close(fd);
}

static void serve(struct saver *s, const struct agent_channel_message *m)
{
	struct agent_channel_message answer = {.kind = AGENT_CHANNEL_SAVED};

	if (m->kind == AGENT_CHANNEL_EVENT) {
		remember(s, &m->u.event);
	} else if (m->kind == AGENT_CHANNEL_KEYS) {
		read_keys(s, m);
	} else if (m->kind == AGENT_CHANNEL_SAVE) {
		answer.u.saved.version = m->u.record.version;
		answer.u.saved.serial = m->u.record.serial;
		answer.u.saved.ok = save(s, m, answer.u.saved.reason);
		agent_channel_send_patiently(s->channel_fd, &answer);
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

	prctl(PR_SET_DUMPABLE, 0); /* keys pass through here */
	s.dir_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0) {
		yoke_log(YOKE_LOG_ERROR, "%s: %s", state_dir, strerror(errno));
		return 1;
	}
	s.events_fd = openat(s.dir_fd, "events", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	tell_events(&s, &m);
	load(&s, &m);
	agent_channel_send_patiently(channel_fd, &m);
	yoke_trim();
	while (serve_next(&s, &m))
		;
	return 0;
}
