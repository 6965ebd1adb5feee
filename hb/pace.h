/* hb/pace.h - when may a frame begin on a slow line?
 *
 * All frames together use a quarter of the line (YOKE_SERIAL_SHARE): each is paid for with four
 * times its own time.  While that is not over the line is in debt, and nothing begins, with two
 * exceptions.  The parts of a MESSAGE follow each other at once: it is wanted soon.  And the other
 * node must not take its price for silence: so BEATs go on at half their rate meanwhile, for an
 * eighth of the line, and the other eighth pays the MESSAGE.  As no MESSAGE begins in debt, the
 * mean from one without debt to the next is a quarter at most.
 *
 * A BULK (bulk.h) is paid for like anything else, and begins when nothing is owed; but a MESSAGE
 * does not wait until it is paid: what is in no hurry costs who is no time.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns struct hb_pace.  Example: tests/unit/hb_pace.c.
 */
#ifndef HB_PACE_H
#define HB_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time.h"

struct hb_pace {
	uint32_t baud;
	uint32_t interval_us; /* between BEATs */
	yoke_time busy_until; /* the last frame is on the line */
	yoke_time even_at;    /* all that was sent is paid for */
	yoke_time urgent_at;  /* all but BULKs is */
	yoke_time slow_at;    /* a BEAT may begin in debt */
};

void hb_pace_init(struct hb_pace *pace, uint32_t baud, uint32_t interval_us);

/* How long so many bytes are on the line, in microseconds. */
uint32_t hb_pace_us(const struct hb_pace *pace, size_t bytes);

/* From when on a BEAT, a MESSAGE, a further part of it, or a BULK, may begin. */
yoke_time hb_pace_beat_at(const struct hb_pace *pace);
yoke_time hb_pace_message_at(const struct hb_pace *pace);
yoke_time hb_pace_part_at(const struct hb_pace *pace);
yoke_time hb_pace_bulk_at(const struct hb_pace *pace);

/* A frame of so many bytes (as on the line) began now. */
void hb_pace_sent(struct hb_pace *pace, size_t bytes, bool is_beat, yoke_time now);
void hb_pace_sent_bulk(struct hb_pace *pace, size_t bytes, yoke_time now);

#endif
