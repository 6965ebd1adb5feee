/* subagent/set.h - SET, in the phases of net-snmp.
 *
 *   RESERVE1  every varbind is checked, the wish is gathered
 *   ACTION    the engine is asked, and has SUBAGENT_SET_WAIT_MS to say its verdict: the last phase
 *             whose error reaches the manager, who gives up on us after a second and asks again
 *   COMMIT    the spin lock moves on
 *   UNDO      an accepted request cannot be taken back: undoFailed, and a log line
 *
 * Layer: subagent.  May include: agent/base, net-snmp.
 * Memory: plain values; the feed is lent for ever.
 */
#ifndef SUBAGENT_SET_H
#define SUBAGENT_SET_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "subagent/control.h"
#include "subagent/feed.h"

enum { SUBAGENT_SET_WAIT_MS = 200 };

struct subagent_set {
	struct subagent_feed *feed;
	struct subagent_wish wish; /* of the SET that is under way */
	bool accepted;             /* its request was accepted by the engine */
	uint64_t accepted_total, refused_total;
	uint32_t lock_floor; /* the engine's lock will be at least this; 0: whatever it says */
	uint32_t lock_extra; /* times the lock was moved on without a request */
};

/* What yokeControlSpinLock reads now. */
uint32_t subagent_set_lock(const struct subagent_set *set);

int subagent_set_call(struct subagent_set *set, const struct subagent_view *view,
		      const netsnmp_handler_registration *registration,
		      netsnmp_agent_request_info *info, netsnmp_request_info *requests);

#endif
