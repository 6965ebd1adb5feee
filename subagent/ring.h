/* subagent/ring.h - the newest events, oldest first.
 *
 * Layer: subagent, pure.  May include: agent/base.
 * Memory: plain values in the caller's memory, about 180 KB; the pages of unused places are not
 * touched.
 * Example: tests/snmp/walk.c.
 */
#ifndef SUBAGENT_RING_H
#define SUBAGENT_RING_H

#include <stdint.h>

#include "agent/base/event.h"

struct subagent_ring {
	unsigned first, count; /* event[(first + i) % YOKE_EVENTS_MAX] is number i, 0.. */
	struct yoke_event event[YOKE_EVENTS_MAX];
};

/* Forget everything. */
void subagent_ring_clear(struct subagent_ring *ring);

/* Append.  The sequence number must be above the newest one's; the oldest makes room. */
void subagent_ring_add(struct subagent_ring *ring, const struct yoke_event *event);

/* The i-th event, 0 is the oldest; i < count. */
const struct yoke_event *subagent_ring_at(const struct subagent_ring *ring, unsigned i);

/* Sequence number of the newest event; 0: none. */
uint64_t subagent_ring_newest(const struct subagent_ring *ring);

/* The first event with a sequence number above `seq`; NULL: none.  Valid until the next add. */
const struct yoke_event *subagent_ring_after(const struct subagent_ring *ring, uint64_t seq);

#endif
