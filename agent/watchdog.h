/* agent/watchdog.h - the machine's hardware watchdog: what ends a machine that cannot stop by
 * itself what it must no longer run.
 *
 * The keeper feeds it a fifth of its time-out apart, while the machine may run what it runs:
 *
 *   fed while   reset is not asked for, and
 *               nothing exclusive runs, or the lease has not run out
 *
 * as the engine wrote it into struct agent_shared when it performed CORE_LEASE, before it started
 * anything.  An engine that hangs or dies cannot renew that, so the machine ends with the lease
 * even if nothing else works.  The device is closed with the magic character only when nothing
 * exclusive runs; else the machine is reset although the keeper has ended.
 *
 * The device is Linux's watchdog interface (linux/Documentation/watchdog/watchdog-api.rst).  A file
 * that does not know its requests (a FIFO that another program reads) is fed, too.
 *
 * Layer: agent.  Writes do not wait.  Times are milliseconds of the caller's clock.
 */
#ifndef AGENT_WATCHDOG_H
#define AGENT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/limits.h"
#include "agent/shared.h"

struct agent_watchdog {
	int fd; /* -1: none */
	uint32_t timeout_ms;
	int64_t fed_ms;    /* last time */
	int64_t looked_ms; /* whether it may be fed */
	bool failed;       /* a write failed, and it was told */
	bool held_back;    /* it was not fed when it was due: the machine is about to be reset */
};

/* Open the device and set its time-out (timeout_ms, rounded up to seconds).  Returns 0; -1 with
 * why[YOKE_REASON_SIZE]: then w feeds nothing. */
int agent_watchdog_open(struct agent_watchdog *w, const char *device, uint32_t timeout_ms,
			int64_t now_ms, char *why);

/* PURE: may the machine go on? */
bool agent_watchdog_may_feed(int64_t lease_until_us, bool exclusive, bool reset, int64_t now_us);

/* Feed it if it is due and allowed; notes gaps of 3/5 of the time-out and failures in shared. */
void agent_watchdog_tick(struct agent_watchdog *w, struct agent_shared *shared, int64_t now_ms);

/* When to tick again; INT64_MAX: never. */
int64_t agent_watchdog_deadline_ms(const struct agent_watchdog *w);

/* The keeper ends. */
void agent_watchdog_close(struct agent_watchdog *w, const struct agent_shared *shared);

#endif
