#include "subagent/ring.h"

#include <stddef.h>

void subagent_ring_clear(struct subagent_ring *ring)
{
	ring->first = 0;
	ring->count = 0;
}

void subagent_ring_add(struct subagent_ring *ring, const struct yoke_event *event)
{
	if (ring->count == YOKE_EVENTS_MAX) {
		ring->first = (ring->first + 1) % YOKE_EVENTS_MAX;
		ring->count--;
	}
	ring->event[(ring->first + ring->count) % YOKE_EVENTS_MAX] = *event;
	ring->count++;
}

const struct yoke_event *subagent_ring_at(const struct subagent_ring *ring, unsigned i)
{
	return &ring->event[(ring->first + i) % YOKE_EVENTS_MAX];
}

uint64_t subagent_ring_newest(const struct subagent_ring *ring)
{
	return ring->count == 0 ? 0 : subagent_ring_at(ring, ring->count - 1)->seq;
}

const struct yoke_event *subagent_ring_after(const struct subagent_ring *ring, uint64_t seq)
{
	unsigned low = 0, high = ring->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (subagent_ring_at(ring, middle)->seq > seq)
			high = middle;
		else
			low = middle + 1;
	}
	return low < ring->count ? subagent_ring_at(ring, low) : NULL;
}
