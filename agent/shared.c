#include "agent/shared.h"

#include <errno.h>
#include <fcntl.h>
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

int agent_shared_open(const char *file_name, bool create, struct agent_shared **shared)
{
	int fd = open(file_name, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW,
		      0640);

	if (fd < 0)
		return -1;
	*shared = agent_shared_map(fd, create);
	if (*shared != NULL && (*shared)->magic == AGENT_SHARED_MAGIC &&
	    (*shared)->size == sizeof(struct agent_shared))
		return fd;
	if (*shared != NULL)
		munmap(*shared, sizeof(struct agent_shared));
	if (!create) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	/* Truncated to nothing first, so that every byte is zero. */
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)sizeof(struct agent_shared)) < 0 ||
	    (*shared = agent_shared_map(fd, true)) == NULL) {
		close(fd);
		return -1;
	}
	(*shared)->size = sizeof(struct agent_shared);
	(*shared)->magic = AGENT_SHARED_MAGIC;
	return fd;
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

const struct yoke_event *agent_shared_event(const struct agent_shared *shared, uint64_t seq)
{
	const struct yoke_event *ev = &shared->event[seq % YOKE_EVENTS_MAX];

	return seq != 0 && ev->seq == seq ? ev : NULL;
}
