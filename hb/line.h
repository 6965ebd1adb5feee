/* hb/line.h - a path that is a serial line: what waits for it, and when it goes out.
 *
 * A line is slow, and only a quarter of it is ours (pace.h).  So nothing is queued:
 *   - A BEAT that is due goes out when the line may take one; it is sealed then, so it is not old.
 *   - A MESSAGE goes over a line only while no better path to that node is up and this one is
 *     proven (hb_is_last_way()).  It goes in parts (part.h) with BEATs between them, because it
 *     has no lease nor, for as long as it takes, the newest acknowledgement.  One is finished
 *     before the next begins; of those that come meanwhile the newest waits.  It does not begin
 *     before it has waited for a quarter of the interval: what happens at once is told at once, in
 *     one.
 *   - Who sends a MESSAGE repeats it until it is acknowledged (hb_send()).  One that has not been
 *     repeated for late_us and an interval is no longer wanted, and is not sent.
 *   - A BULK (bulk.h) begins when there is no MESSAGE and nothing is owed.
 *   - After a silence of dead_us half a MESSAGE is forgotten at both ends: what was said before a
 *     silence is old.
 *
 * Layer: hb.  May include: agent/base.
 * Memory: struct hb_line is in struct hb.  Example: tests/unit/hb_line.c.
 */
#ifndef HB_LINE_H
#define HB_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/limits.h"
#include "agent/base/time.h"
#include "hb/pace.h"
#include "hb/part.h"
#include "hb/serial.h"

enum {
	HB_LINE_POLL_US = 10000,    /* between two looks at a tty that does not take more */
	HB_LINE_RETRY_US = 1000000, /* between two wishes for a tty */
};

struct hb_line_conf {
	uint32_t baud;                 /* 0: the path is no line */
	uint32_t interval_us, late_us; /* instead of those of hb_conf: not shorter */
};

struct hb_line {
	struct hb_serial serial;
	struct hb_pace pace;
	bool beat_waits;
	bool keys_wait;                         /* the next BEAT tells our keys instead */
	struct hb_part_out waiting, sending;    /* a MESSAGE; size 0: none */
	yoke_time first_offered_at, offered_at; /* when what waits came, and came last */
	unsigned next_part;                     /* of it; all of them: nothing is being sent */
	yoke_time look_at; /* when there is something to do; YOKE_NEVER: nothing waits */
	yoke_time wish_at; /* closed: no wish for a tty before */
};

struct hb;

/* A line in its path's place: closed; if it is not one, for ever. */
void hb_line_init(struct hb_line *line, const struct hb_line_conf *conf, bool is_line,
		  yoke_time now);

/* A BEAT is due on a line, or a MESSAGE is to be sent: now, or when it may. */
void hb_line_beat(struct hb *hb, uint16_t path, yoke_time now);
void hb_line_offer(struct hb *hb, uint16_t path, const struct hb_part_out *message, yoke_time now);

/* Send what may be sent now. */
void hb_line_tick(struct hb *hb, uint16_t path, yoke_time now);

/* When hb_line_tick(), or a wish for a tty, is due next. */
yoke_time hb_line_deadline(const struct hb_line *line);

/* For hb_wants_fd() and hb_give_fd(). */
bool hb_line_wants(struct hb_line *line, yoke_time now);
void hb_line_give(struct hb *hb, uint16_t path, int fd, yoke_time now);

#endif
