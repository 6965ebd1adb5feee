#include "agent/witness_lock.h"

enum { RATE_MARGIN = 100 }; /* as in agent/core/lease.c */

static bool is_free_for(const struct agent_witness_lock *lock, uint16_t node, yoke_time now)
{
	int64_t lease_ms = lock->lease_ms;

	return lock->holder == 0 || lock->holder == node ||
	       yoke_time_due(
		       yoke_time_add_ms(lock->renewed_at, lease_ms + lease_ms / RATE_MARGIN + 1),
		       now);
}

enum hb_witness_result agent_witness_lock_ask(struct agent_witness_lock *lock, uint16_t node,
					      enum hb_witness_kind kind, uint32_t lease_ms,
					      yoke_time now, bool *save)
{
	*save = false;
	if (!is_free_for(lock, node, now))
		return HB_WITNESS_NO;
	switch (kind) {
	case HB_WITNESS_CLAIM:
		*save = lock->holder != node || lock->lease_ms != lease_ms;
		lock->holder = node;
		lock->lease_ms = lease_ms;
		lock->renewed_at = now;
		break;
	case HB_WITNESS_RELEASE:
		*save = lock->holder == node;
		if (lock->holder == node)
			lock->holder = 0;
		break;
	case HB_WITNESS_LOOK:
		break;
	}
	return HB_WITNESS_YES;
}
