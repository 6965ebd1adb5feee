/* hb/quality.h - how well frames arrive on one path: loss, round trips, jitter.
 *
 * Loss is that of the last minute and of the last hour, by the second and by the minute; round
 * trips are those of the last minute.  Jitter is RFC 3550's (section 6.4.1), of round trips:
 * the mean difference between two that follow each other, 1/16 of each new one.
 *
 * What is a second or a minute old is forgotten as a whole, so a minute is 59 to 60 seconds.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns struct hb_quality; nothing is allocated or kept.
 * Example: tests/unit/hb_quality.c.
 */
#ifndef HB_QUALITY_H
#define HB_QUALITY_H

#include <stdint.h>

#include "agent/base/time.h"

enum { HB_QUALITY_SLOTS = 60 };

struct hb_quality_slot {
	uint32_t received, missed;
	uint32_t trips, trip_min_us, trip_max_us; /* trips 0: the others mean nothing */
	uint64_t trip_sum_us;
};

/* Rings of slots: [number % HB_QUALITY_SLOTS], of those up to the newest. */
struct hb_quality_ring {
	int64_t newest; /* seconds or minutes on the clock */
	struct hb_quality_slot slot[HB_QUALITY_SLOTS];
};

struct hb_quality {
	struct hb_quality_ring minute, hour;
	uint32_t trip_us; /* the last one */
	uint32_t trips;   /* ever; stays at UINT32_MAX */
	uint64_t jitter;  /* 16 times, in microseconds */
};

/* What it comes to; zero where nothing was measured. */
struct hb_quality_view {
	uint32_t loss_minute_permille, loss_hour_permille; /* of the frames sent to us */
	uint32_t rtt_min_us, rtt_mean_us, rtt_max_us;      /* in the last minute */
	uint32_t jitter_us;
};

/* A frame came, and `missed` before it did not. */
void hb_quality_heard(struct hb_quality *q, yoke_time now, uint32_t missed);

/* A round trip was measured. */
void hb_quality_trip(struct hb_quality *q, yoke_time now, uint32_t trip_us);

/* Does not change anything. */
struct hb_quality_view hb_quality_look(const struct hb_quality *q, yoke_time now);

#endif
