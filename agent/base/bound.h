/* agent/base/bound.h - how long a group may need to stop, and to wait for its start.
 *
 * One place for what a node must keep, what another one waits for before it believes it, and what
 * `yoke check` tells.
 *
 * A group stops its resources one after the other.  Stops wait for no other group's, so the groups
 * need no longer together than the longest alone.  But what began before is not interrupted: a
 * start, or a stop of an engine that ended; and what was ended for being late may need a while to
 * go.  That is once only: what hangs in the kernel is no stop in time, whatever the bound.
 *
 * At most YOKE_STARTS_MAX programs start resources at once.  While a group waits for a place all of
 * them are taken by others: so it never waits for longer than what all others start would take if
 * they shared the places without a gap.
 *
 * Layer: base, pure.  Memory: the caller's; a bound begins as all zero.
 */
#ifndef AGENT_BASE_BOUND_H
#define AGENT_BASE_BOUND_H

#include <stdbool.h>
#include <stdint.h>

struct yoke_stop_bound {
	uint32_t before_ms, stops_ms;
};

/* One more resource of the group, with its time-outs. */
void yoke_stop_bound_add(struct yoke_stop_bound *b, bool is_program, uint32_t start_ms,
			 uint32_t stop_ms);
uint32_t yoke_stop_bound_ms(const struct yoke_stop_bound *b);

/* others: groups that start programs, beside the one that waits; others_ms: the sum of the
 * time-outs of all these starts. */
uint32_t yoke_wait_bound_ms(unsigned others, uint64_t others_ms);

#endif
