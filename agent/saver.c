#include "agent/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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
	bool old_kept;      /* the record found at the start is kept as record.old */
	bool names_durable; /* the files' names are on the disk as they are here */
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

/* Best effort: not every file system can, and a full disk cannot. */
static void reserve(int fd)
{
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, YOKE_RECORD_SIZE);
}

/* What has another name, too, is not ours to write over: record.old may have been made so. */
static int open_spare(const struct saver *s)
{
	struct stat st;
	bool is_there = fstatat(s->dir_fd, "record.new", &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!is_there && errno != ENOENT)
		return -1;
	if (is_there && (!S_ISREG(st.st_mode) || st.st_nlink != 1) &&
	    unlinkat(s->dir_fd, "record.new", 0) < 0)
		return -1;
	return openat(s->dir_fd, "record.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void reserve_spare(const struct saver *s)
{
	int fd = open_spare(s);

	if (fd < 0)
		return;
	reserve(fd);
	close(fd);
}

/* In place: a block that the file has already is there on a full disk, too.  Cutting a file frees
 * what is reserved behind its end, so it is cut only if it was longer. */
static bool write_spare(int fd, const uint8_t *bytes, size_t size)
{
	struct stat st;

	if (!write_all(fd, bytes, size) || fstat(fd, &st) < 0 ||
	    (st.st_size > (off_t)size && ftruncate(fd, (off_t)size) < 0))
		return false;
	reserve(fd);
	return fsync(fd) == 0;
}

static bool exchange(const struct saver *s, const char *one, const char *other)
{
	return renameat2(s->dir_fd, one, s->dir_fd, other, RENAME_EXCHANGE) == 0;
}

/* What was there before this start may be what a person needs, above all if it was unreadable.
 * Returns the name to exchange with the record: where the new one takes the place of the former
 * record.old first, the record of before comes to be record.old at the instant it is replaced, and
 * the former one is the next spare, so that no block is needed. */
static const char *keep_old(const struct saver *s)
{
	if (s->old_kept)
		return "record.new";
	if (exchange(s, "record.new", "record.old"))
		return "record.old";
	unlinkat(s->dir_fd, "record.old", 0);
	(void)!linkat(s->dir_fd, "record", s->dir_fd, "record.old", 0);
	return "record.new";
}

/* What was the record is the spare then; it is gone where the file system exchanges nothing. */
static bool replace_record(struct saver *s)
{
	const char *name;

	s->names_durable = false;
	name = keep_old(s);
	if (!exchange(s, name, "record") &&
	    ((errno != EINVAL && errno != ENOSYS && errno != ENOENT) ||
	     renameat(s->dir_fd, name, s->dir_fd, "record") < 0))
		return false;
	s->old_kept = true;
	s->names_durable = fsync(s->dir_fd) == 0;
	return s->names_durable;
}

/* An empty folder that took a file's place is removed; of one that is not a person decides. */
static bool make_way(const struct saver *s, char *reason)
{
	static const char *const names[] = {"record", "record.new", "record.old"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (unlinkat(s->dir_fd, names[i], AT_REMOVEDIR) == 0 ||
		    (errno != ENOTEMPTY && errno != EEXIST))
			continue;
		snprintf(reason, YOKE_REASON_SIZE, "%s is a folder that is not empty: remove it",
			 names[i]);
		return false;
	}
	return true;
}

static bool save(struct saver *s, const struct agent_channel_message *m, char *reason)
{
	int fd;
	bool ok;

	/* What is the spare here may still be the record on the disk: not to be written over. */
	if (!s->names_durable && fsync(s->dir_fd) < 0) {
		reason_errno(reason, "record");
		return false;
	}
	s->names_durable = true;
	if (!make_way(s, reason))
		return false;
	fd = open_spare(s);
	if (fd < 0) {
		reason_errno(reason, "record.new");
		return false;
	}
	ok = write_spare(fd, m->u.record.bytes, m->u.record.size);
	if (!ok)
		reason_errno(reason, "record.new");
	close(fd);
	if (ok && !replace_record(s)) {
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
		reserve_spare(s); /* a full disk takes its time to say no */
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
	/* An earlier saver that hung with its disk may do one step more before it is dead. */
	flock(s.dir_fd, LOCK_EX);
	reserve_spare(&s);
	while (serve_next(&s, &m))
		;
	return 0;
}
