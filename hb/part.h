/* hb/part.h - a MESSAGE in parts: for a line on which the whole of it would hold up heartbeats, and
 * anywhere else when it does not fit into a frame.
 *
 *   0  number of the message, 1..; the same bytes sent again have the same number
 *   4  which part, 0..
 *   5  of how many
 *   6  bytes: HB_PART_BYTES of them, the last part may have fewer
 *
 * On all paths a message has the same parts, so it does not matter which came on which.  A receiver
 * keeps the parts of one message only, the last one that it heard of.  A part that was lost is
 * filled in when the message is sent again; whether it must be is for who sent it to know.  Parts
 * come in sealed frames (hb/frame.h), so none is forged or damaged.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns both structs; all zero is nothing yet.
 * Example: tests/unit/hb_part.c, first test.
 */
#ifndef HB_PART_H
#define HB_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/limits.h"

enum {
	HB_PART_HEADER_SIZE = 6,
	HB_PART_BYTES = 160, /* with all that is around it 245 bytes on the line: 256 ms at 9600 */
	HB_PART_SIZE_MAX = HB_PART_HEADER_SIZE + HB_PART_BYTES,
	HB_PARTS_MAX = (YOKE_MESSAGE_SIZE + HB_PART_BYTES - 1) / HB_PART_BYTES,
};

/* A message that is sent. */
struct hb_part_out {
	uint32_t number;
	uint16_t size; /* 0: there is none */
	uint8_t bytes[YOKE_MESSAGE_SIZE];
};

/* Another message, or the same one again, which keeps its number.  size: 1..YOKE_MESSAGE_SIZE. */
void hb_part_set(struct hb_part_out *message, const uint8_t *bytes, size_t size);

/* How many parts a message of `size` bytes has. */
unsigned hb_part_count(size_t size);

/* Make one part.  which: 0..hb_part_count(message->size) - 1 (asserted).  Returns its size. */
size_t hb_part_put(const struct hb_part_out *message, unsigned which,
		   uint8_t out[HB_PART_SIZE_MAX]);

struct hb_part_in {
	uint32_t number; /* 0: none */
	uint8_t count;
	uint8_t came; /* of them; 0 again when all did */
	bool has[HB_PARTS_MAX];
	uint16_t size; /* of the message, once its last part came */
	uint8_t bytes[YOKE_MESSAGE_SIZE];
};

/* Take a part.  Returns the size of the message that it made whole, which is in in->bytes until the
 * next call; 0 when more is missing, or the bytes are no part. */
size_t hb_part_take(struct hb_part_in *in, const uint8_t *bytes, size_t size);

/* The parts that came so far are worth nothing any more. */
void hb_part_forget(struct hb_part_in *in);

#endif
