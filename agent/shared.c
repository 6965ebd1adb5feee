#include "agent/shared.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_SIZE = offsetof(struct agent_shared, version) };

static_assert(KEPT_SIZE == 65, "another version could not read the lease: take another magic");

struct agent_shared *agent_shared_map(int fd, bool writable)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size != (off_t)sizeof(struct agent_shared)) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, sizeof(struct agent_shared), PROT_READ | (writable ? PROT_WRITE : 0),
		 MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static bool is_ours(const struct agent_shared *shared)
{
	return shared->magic == AGENT_SHARED_MAGIC && shared->size == sizeof(*shared) &&
	       strncmp(shared->version, YOKE_VERSION, sizeof(shared->version)) == 0 &&
	       shared->segment < AGENT_SHARED_SEGMENTS;
}

/* The file outlives a boot when run_dir is on a disk, the clock that the lease goes by does not. */
static void forget_other_boot(struct agent_shared *shared)
{
	char boot[AGENT_SHARED_BOOT_SIZE] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, boot, sizeof(boot) - 1) < 0)
			boot[0] = '\0';
		close(fd);
	}
	if (boot[0] != '\0' && memcmp(boot, shared->boot, sizeof(boot)) == 0)
		return;
	agent_shared_lease(shared, (yoke_time){0}, false, false);
	memcpy(shared->boot, boot, sizeof(boot));
}

/* The lease of another build's file. */
static void keep_lease(int fd, struct agent_shared *to)
{
	const struct agent_shared *from;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < KEPT_SIZE)
		return;
	from = mmap(NULL, KEPT_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (from == MAP_FAILED)
		return;
	if (from->magic == AGENT_SHARED_MAGIC) {
		memcpy(to->boot, from->boot, sizeof(to->boot));
		atomic_store(&to->lease_until_us, atomic_load(&from->lease_until_us));
		atomic_store(&to->feed_until_us, atomic_load(&from->feed_until_us));
		atomic_store(&to->is_exclusive, atomic_load(&from->is_exclusive));
	}
	munmap((void *)from, KEPT_SIZE);
}

/* In place of what is there, which an engine may still have mapped: of zeros, and with every page
 * there, so that a full /run is found out now, not when it is written to. */
static int make_anew(const char *file_name, int old_fd, struct agent_shared **shared)
{
	int fd, rc;

	if (unlink(file_name) < 0 && errno != ENOENT)
		return -1;
	fd = open(file_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -1;
	rc = posix_fallocate(fd, 0, (off_t)sizeof(struct agent_shared));
	errno = rc;
	*shared = rc == 0 ? agent_shared_map(fd, true) : NULL;
	if (*shared == NULL) {
		rc = errno;
		close(fd);
		errno = rc;
		return -1;
	}
	agent_shared_lease(*shared, (yoke_time){0}, false, false);
	keep_lease(old_fd, *shared);
	(*shared)->size = sizeof(struct agent_shared);
	snprintf((*shared)->version, sizeof((*shared)->version), "%s", YOKE_VERSION);
	(*shared)->magic = AGENT_SHARED_MAGIC;
	forget_other_boot(*shared);
	return fd;
}

int agent_shared_open(const char *file_name, bool create, struct agent_shared **shared)
{
	int fd = open(file_name, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW,
		      0640);
	int made, failed;

	if (fd < 0)
		return -1;
	*shared = agent_shared_map(fd, create);
	if (*shared != NULL && is_ours(*shared) &&
	    (!create || posix_fallocate(fd, 0, (off_t)sizeof(struct agent_shared)) == 0)) {
		if (create)
			forget_other_boot(*shared);
		return fd;
	}
	if (*shared != NULL)
		munmap(*shared, sizeof(struct agent_shared));
	errno = EINVAL;
	made = create ? make_anew(file_name, fd, shared) : -1;
	failed = errno;
	close(fd);
	errno = failed;
	return made;
}

void agent_shared_lease(struct agent_shared *shared, yoke_time until, bool exclusive, bool reset)
{
	atomic_store(&shared->lease_until_us, until.us);
	atomic_store(&shared->is_exclusive, exclusive);
	/* One word, so that the keeper sees no half of it. */
	atomic_store(&shared->feed_until_us, reset ? 0 : exclusive ? until.us : YOKE_NEVER.us);
}

void agent_shared_begin(struct agent_shared *shared, const struct core *core)
{
	uint64_t number = shared->recorder[shared->segment].number + 1;
	struct agent_shared_segment *s;

	shared->segment = (shared->segment + 1) % AGENT_SHARED_SEGMENTS;
	s = &shared->recorder[shared->segment];
	s->number = 0;
	s->used = 0;
	s->core = *core;
	s->number = number;
}

void agent_shared_record(struct agent_shared *shared, const struct core *core,
			 const struct core_event *event)
{
	uint32_t size = (uint32_t)core_event_size(event);
	struct agent_shared_segment *s = &shared->recorder[shared->segment];

	if (s->used + sizeof(size) + size > AGENT_SHARED_SEGMENT_SIZE) {
		agent_shared_begin(shared, core);
		s = &shared->recorder[shared->segment];
	}
	memcpy(s->events + s->used, &size, sizeof(size));
	memcpy(s->events + s->used + sizeof(size), event, size);
	s->used += (uint32_t)sizeof(size) + size;
}

void agent_shared_remember(struct agent_shared *shared, const struct yoke_event *event)
{
	shared->event[event->seq % YOKE_EVENTS_MAX] = *event;
	if (event->seq > shared->last_event)
		shared->last_event = event->seq;
}

const struct yoke_event *agent_shared_event(const struct agent_shared *shared, uint64_t seq)
{
	const struct yoke_event *ev = &shared->event[seq % YOKE_EVENTS_MAX];

	return seq != 0 && ev->seq == seq ? ev : NULL;
}
