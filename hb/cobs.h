/* hb/cobs.h - frames between zeros: Consistent Overhead Byte Stuffing.
 *
 * A frame is encoded so that no byte of it is zero, and zeros are put around it.  Whatever a line
 * did to the bytes before: after the next zero the reader is at the beginning of a frame.
 * (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999.)
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns struct hb_cobs; all zero is one that waits for a frame.
 * Example: tests/unit/hb_cobs.c, first test.
 */
#ifndef HB_COBS_H
#define HB_COBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hb/frame.h"

enum {
	HB_COBS_FRAME_MAX = HB_FRAME_SIZE_MAX, /* bytes of a frame that is decoded */
	HB_COBS_SIZE_MAX = HB_COBS_FRAME_MAX + HB_COBS_FRAME_MAX / 254 + 1, /* and encoded */
};

/* Encode bytes[size], size: 0..HB_COBS_FRAME_MAX (asserted), without the zeros around it.  Returns
 * how many bytes of out were filled: size + size / 254 + 1 at most. */
size_t hb_cobs_encode(const uint8_t *bytes, size_t size, uint8_t out[HB_COBS_SIZE_MAX]);

/* A decoder that is given byte after byte. */
struct hb_cobs {
	bool begun;    /* something came since the last zero */
	bool bad;      /* and it is no frame: too long */
	uint8_t code;  /* of the block that is read */
	uint8_t left;  /* bytes of it that are still to come */
	uint16_t used; /* bytes decoded */
	uint8_t bytes[HB_COBS_FRAME_MAX];
};

/* What the last byte ended. */
enum {
	HB_COBS_NOTHING = 0,  /* no frame */
	HB_COBS_GARBAGE = -1, /* something that is no frame: too long, cut off, empty */
};

/* Take one byte off the line.  Returns the size of the frame that it ended, which is in c->bytes
 * until the next call; or one of the above. */
int hb_cobs_take(struct hb_cobs *c, uint8_t byte);

#endif
