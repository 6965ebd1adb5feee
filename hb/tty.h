/* hb/tty.h - opens a serial line for heartbeats: raw, 8 data bits, no parity, one stop bit.
 *
 * Refused is what somebody else needs: the kernel's console (a panic would wait for it, and its
 * messages are not ours to swallow), a tty on which somebody logs in, and one that another process
 * has open.  Nothing can be done against a root process that opens it after us; TIOCEXCL keeps the
 * others away.
 *
 * Reads /proc, and a driver may wait for its adapter: not for the running engine, which is given
 * the descriptor (agent/serial.h).
 *
 * Layer: hb, does I/O, reads no clock.  May include: agent/base.
 * Memory: nothing is kept.  Example: tests/unit/hb_tty.c.
 */
#ifndef HB_TTY_H
#define HB_TTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/limits.h"

struct hb_tty {
	const char *device; /* absolute */
	uint32_t baud;      /* one of YOKE_BAUDS */
	bool rtscts;        /* hardware flow control: the cable must have these two wires */
};

/* Open the line without waiting for a carrier.  Returns a descriptor (non-blocking, close-on-exec,
 * not our controlling terminal) that is the caller's; -1 with why[YOKE_REASON_SIZE]. */
int hb_tty_open(const struct hb_tty *tty, char *why);

/* Why a terminal (by its device number) is not to be used; false: nothing speaks against it. */
bool hb_tty_is_console(dev_t device, char *why);
bool hb_tty_is_used(dev_t device, char *why);

#endif
