/* agent/witness_lock.h - the lock that a witness keeps for one cluster, as a pure function.
 *
 *   free --claim of n--> n's --claim of n--> renewed
 *     ^                   | \--release of n--> free
 *     |                   +--lease and margin over, claim of m--> m's
 *
 * A node counts its lease from before it asked, on its own clock; here it counts from when its
 * claim came, and longer by the margin of two clocks' rates.  So nobody is given the lock while
 * another one still goes by it.  Who holds it is written to disk before it is told; when it was
 * renewed is not: after a restart a whole lease is waited for.
 *
 * Layer: agent, pure.  Times are microseconds of the caller's clock.
 * Memory: plain values.  Example: tests/unit/agent_witness_lock.c.
 */
#ifndef AGENT_WITNESS_LOCK_H
#define AGENT_WITNESS_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/time.h"
#include "hb/witness.h"

struct agent_witness_lock {
	uint16_t holder;   /* node number; 0: nobody */
	uint32_t lease_ms; /* that it asked for */
	yoke_time renewed_at;
};

/* What is answered to a request of `node`; *holder: who has it after that.  *save: the holder
 * changed, and must be on disk before the answer goes out. */
enum hb_witness_result agent_witness_lock_ask(struct agent_witness_lock *lock, uint16_t node,
					      enum hb_witness_kind kind, uint32_t lease_ms,
					      yoke_time now, bool *save);

#endif
