/* hb/bulk.h - a piece of something long that is in no hurry: it never holds up what is.
 *
 * A BULK goes to a node over the best way that is proven (hb_is_last_way()), and there is one at
 * most in an interval.  One waits at most; the next one takes its place.  On UDP it is a frame of
 * its own.  Over a disk it goes with a post that has room for it.  On a line it begins as a
 * MESSAGE does, when the line is out of debt, and only when no MESSAGE is there or comes.  Which
 * is small enough for all of them (hb_bulk_room()) is for who sends it to ask, since what waits
 * when the way changes to a line is lost, if it is larger.  Nothing is sent again: who sends it
 * waits for an answer.
 *
 * A yoke that does not know the kind takes it for life, and for nothing else.
 *
 * Layer: hb.  May include: agent/base.
 * Memory: struct hb_bulk is in struct hb.  Example: tests/unit/hb_bulk.c.
 */
#ifndef HB_BULK_H
#define HB_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time.h"

enum { HB_BULK_SIZE = 400 };

struct hb_bulk {
	uint16_t size;     /* 0: nothing waits */
	yoke_time next_at; /* no other one before */
	uint8_t bytes[HB_BULK_SIZE];
};

struct hb;

/* Send a BULK to a node (number) when it may go.  size: 1..HB_BULK_SIZE (asserted). */
void hb_send_bulk(struct hb *hb, uint16_t node, const uint8_t *bytes, size_t size, yoke_time now);

/* The way that a BULK to the node takes now: a path's number; 0: the node is not in contact. */
uint16_t hb_bulk_way(const struct hb *hb, uint16_t node);

/* How large one may be on a path, and how long one there and one back take, about. */
unsigned hb_bulk_room(const struct hb *hb, uint16_t path);
uint32_t hb_bulk_turn_ms(const struct hb *hb, uint16_t path);

/* ---- between the files of hb ---- */

/* Is one to go over this path, the best one to the node? */
bool hb_bulk_waits(const struct hb *hb, uint16_t node, uint16_t path);

/* From when on it may, and how many bytes it is then. */
yoke_time hb_bulk_at(const struct hb *hb, uint16_t node);
size_t hb_bulk_frame_size(const struct hb *hb, uint16_t node);

/* Send it now. */
void hb_bulk_send(struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

/* Over UDP, what is due; and what has no way is lost. */
void hb_bulk_tick(struct hb *hb, yoke_time now);
yoke_time hb_bulk_deadline(const struct hb *hb);

#endif
