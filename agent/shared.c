#include "agent/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Of zeros, and with every page there: a full /run is found out now, not when it is written to. */
static bool make_anew(int fd)
{
	int rc;

	if (ftruncate(fd, 0) < 0)
		return false;
	rc = posix_fallocate(fd, 0, (off_t)sizeof(struct agent_shared));
	errno = rc;
	return rc == 0;
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

int agent_shared_open(const char *file_name, bool create, struct agent_shared **shared)
{
	int fd = open(file_name, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW,
		      0640);

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
	if (!create) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	if (!make_anew(fd) || (*shared = agent_shared_map(fd, true)) == NULL) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	(*shared)->size = sizeof(struct agent_shared);
	snprintf((*shared)->version, sizeof((*shared)->version), "%s", YOKE_VERSION);
	(*shared)->magic = AGENT_SHARED_MAGIC;
	forget_other_boot(*shared);
	return fd;
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
