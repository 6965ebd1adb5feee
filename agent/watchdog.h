/* agent/watchdog.h - the machine's watchdog, fed by the keeper while the engine's lease allows it.
 *
 * Once opened, the device resets the machine when nobody has written to it for its time-out.  It is
 * written to five times as often, while the clock is before shared->feed_until_us, which the engine
 * sets as the core tells it: to the end of the lease while something exclusive runs.  So what has
 * to stop then stops, at the latest by the reset, also when engine, keeper or kernel hang.
 *
 *   closed -> open: fed -> not fed (the lease ended, or a write failed) -> fed
 *
 * Closing alone does not stop a device: it goes on counting unless 'V' was written before, which is
 * done when nothing exclusive runs.  Anything else that can be written to (a FIFO, say, read by a
 * program that watches from outside) is fed alike; only its time-out is then its own affair.
 *
 * What happens is told by words in shared memory: the engine turns them into events.
 *
 * Layer: agent.  May include: agent/base, conf.  Times are milliseconds of the keeper's clock.
 * Opening may wait for a device; nothing else does.  Memory: the caller's struct; shared is kept.
 */
#ifndef AGENT_WATCHDOG_H
#define AGENT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/shared.h"

struct agent_watchdog {
	int fd; /* -1: there is none */
	struct agent_shared *shared;
	uint32_t timeout_ms;
	int64_t fed_ms;     /* last time */
	int64_t feed_at_ms; /* next time */
	bool is_failing;    /* the last write failed: said once */
};

/* Open the device (empty: there is none) and have it reset the machine timeout_ms, rounded up to
 * seconds, after it was last fed; feed it once.  A failure is told, and there is no watchdog. */
void agent_watchdog_open(struct agent_watchdog *w, const char *device, uint32_t timeout_ms,
			 struct agent_shared *shared, int64_t now_ms);
/* Feed it, if that is due and allowed. */
void agent_watchdog_tick(struct agent_watchdog *w, int64_t now_ms);
/* When to tick again; INT64_MAX: there is none. */
int64_t agent_watchdog_deadline_ms(const struct agent_watchdog *w);
/* The keeper ends.  With something exclusive running the device goes on counting. */
void agent_watchdog_close(struct agent_watchdog *w);

#endif
