/* tools/cable.h - the two ends of a test of a serial cable: what is sent, counted and told.
 *
 * Both ends send numbered frames as fast as the line goes, each with what its sender has received
 * so far.  So each end knows both directions, by what it counts itself and by what the other tells.
 *
 * A frame is as long as a heartbeat and goes as one does (hb/cobs.h); in it, big-endian:
 *
 *   0   magic "YKST"                       24  echo: the other's frame that came last, its number
 *   4   id of the sender, random           28  echo: microseconds since then
 *   8   number of the frame, 1..           32  received: frames that were sent to it, as of the
 *   12  bytes sent, with this frame            first and the last that came
 *   16  id of the other end; 0: unheard    36  received: of these, whole ones
 *   20  version, 1                         40  received: what was no whole frame
 *   48  bytes of every value               44  received: bytes that are missing (too many: < 0)
 *   84  CRC-32 of all before
 *
 * Layer: tools, pure (no I/O, no clock).  May include: agent/base; also hb/cobs.h.
 * Memory: the caller owns struct tool_cable.  Example: tests/unit/tools_cable.c.
 */
#ifndef TOOLS_CABLE_H
#define TOOLS_CABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time.h"
#include "hb/cobs.h"

enum {
	TOOL_CABLE_FRAME_SIZE = 88,
	TOOL_CABLE_LINE_SIZE = TOOL_CABLE_FRAME_SIZE + 3, /* as it is on the line, at most */
	TOOL_CABLE_SENT_MAX = 256, /* frames whose time of sending is remembered */
};

/* What one end received. */
struct tool_cable_received {
	uint32_t expected; /* frames from the first to the last that came; 0: none came */
	uint32_t whole;    /* of these */
	uint32_t damaged;  /* bytes between two zeros that were no frame */
	int32_t missing;   /* bytes; < 0: so many came that were not sent */
};

struct tool_cable {
	uint32_t id, number, bytes_sent;
	yoke_time sent_at[TOOL_CABLE_SENT_MAX]; /* [number % TOOL_CABLE_SENT_MAX] */
	uint32_t bytes_in;                      /* all, since the start */
	struct tool_cable_received here, there; /* there: as the other end told last */
	bool is_heard;                          /* the other end hears us */
	bool is_loop;                           /* we hear ourselves */
	uint32_t other;                         /* its id; 0: not heard yet */
	uint32_t first, last;                   /* number of its frame that came first, and last */
	uint32_t first_sent, first_in;          /* bytes that it had sent, and we received, then */
	yoke_time heard_at;
	uint32_t trips; /* round trips measured */
	uint32_t trip_us_min, trip_us_max;
	uint64_t trip_us_sum;
	struct hb_cobs decoder;
};

/* id: random, not 0. */
void tool_cable_init(struct tool_cable *cable, uint32_t id);

/* The next frame to send, as it is on the line.  Returns its size. */
size_t tool_cable_put(struct tool_cable *cable, yoke_time now, uint8_t out[TOOL_CABLE_LINE_SIZE]);

/* Take what came off the line. */
void tool_cable_take(struct tool_cable *cable, const uint8_t *bytes, size_t size, yoke_time now);

#endif
