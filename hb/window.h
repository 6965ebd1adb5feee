/* hb/window.h - was this sequence seen before?
 *
 * A sliding bitmap below the highest sequence taken so far, as in RFC 4303 section 3.4.3.  Wide
 * enough for the frames of eight paths to three nodes to be out of order by ten rounds, because one
 * sequence counts over all of them.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns struct hb_window; all zero is an empty one.
 * Example: tests/unit/hb_window.c, first test.
 */
#ifndef HB_WINDOW_H
#define HB_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { HB_WINDOW_WORDS = 4, HB_WINDOW_WIDTH = 64 * HB_WINDOW_WORDS };

struct hb_window {
	uint64_t highest;		 /* 0: nothing taken yet */
	uint64_t seen[HB_WINDOW_WORDS]; /* bit i of word w: highest - (64 * w + i) was taken */
};

void hb_window_init(struct hb_window *w);

/* Would hb_window_take() take it?  Changes nothing, so it may be asked of a frame that is not known
 * to be authentic yet. */
bool hb_window_is_new(const struct hb_window *w, uint64_t sequence);

/* Take a sequence (1..) of an authentic frame.  Returns false, and changes nothing, when it was
 * taken before, is too old to know (highest - HB_WINDOW_WIDTH or less) or is 0. */
bool hb_window_take(struct hb_window *w, uint64_t sequence);

#endif
