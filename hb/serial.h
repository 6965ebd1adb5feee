/* hb/serial.h - frames over an open tty, without waiting and without a queue.
 *
 * On the line: a zero, the frame (hb/cobs.h), a zero.  The first one ends whatever noise came
 * before, so that a frame behind garbage is whole; the second one says at once that it is.
 *
 * What the tty does not take stays here and is finished before anything else begins, however long
 * that takes: half a frame would cost two.  No other frame is kept: while one is on its way
 * hb_serial_send() refuses, its caller seals a newer one later.  So the newest frame wins, and what
 * is sent when a line that stood still goes on is not old.
 *
 * Whoever opened the tty (hb/tty.h) has the right to; this only moves bytes.  A tty that hangs up
 * or fails (a USB adapter was pulled) is closed; the owner attaches another one.
 *
 * Layer: hb, does I/O, reads no clock.  May include: agent/base.
 * Memory: the caller owns struct hb_serial; the descriptor belongs to it.
 * Example: tests/unit/hb_serial.c, first test.
 */
#ifndef HB_SERIAL_H
#define HB_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hb/cobs.h"

enum {
	HB_SERIAL_OUT_MAX = HB_COBS_SIZE_MAX + 2, /* bytes of a frame on the line */
	HB_SERIAL_IN_SIZE = 128,  /* bytes read at once: no more frames than HB_FRAMES_PER_TURN */
	HB_SERIAL_READS_MAX = 32, /* in one hb_serial_receive() */
	HB_SERIAL_NOTHING = -1,   /* as a result of it */
};

struct hb_serial {
	int fd; /* -1: closed */
	uint16_t in_at, in_size, out_at, out_size;
	uint8_t in[HB_SERIAL_IN_SIZE];
	uint8_t out[HB_SERIAL_OUT_MAX];
	struct hb_cobs decoder;
};

void hb_serial_init(struct hb_serial *serial); /* closed */
void hb_serial_close(struct hb_serial *serial);

/* Use this tty from now on: raw, non-blocking (hb/tty.h).  The one before is closed. */
void hb_serial_attach(struct hb_serial *serial, int fd);

/* Read the next frame into bytes[HB_COBS_FRAME_MAX].  Returns its size; 0 for garbage that was
 * skipped; HB_SERIAL_NOTHING when there is no more, or the tty failed (it is closed then). */
int hb_serial_receive(struct hb_serial *serial, uint8_t bytes[HB_COBS_FRAME_MAX]);

/* Go on with a frame that the tty took in part.  Returns true when nothing is on its way any more,
 * neither here nor in the tty's output queue.  A closed one is never idle. */
bool hb_serial_is_idle(struct hb_serial *serial);

/* Begin to send a frame, size: 1..HB_COBS_FRAME_MAX (asserted).  Returns how many bytes it is on
 * the line; 0 when the tty is not idle, and the frame is dropped. */
size_t hb_serial_send(struct hb_serial *serial, const uint8_t *bytes, size_t size);

#endif
