/* hb/path.h - is the peer alive on this path, in both directions, and how well?
 *
 * Counts and judges; hb/udp.c moves the bytes, hb/hb.c puts them together.
 *
 * A path may be slow for a time (hb/public.h): then its own, longer times hold while it works, but
 * what comes back to life must have been proven as lately as on any other path.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns struct hb_path; nothing is allocated or kept.
 * Example: tests/unit/hb_path.c, first test.
 */
#ifndef HB_PATH_H
#define HB_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/time.h"
#include "agent/base/words.h"
#include "hb/quality.h"
#include "hb/window.h"

/* Why a frame was refused; the counters' index. */
enum hb_refusal {
	HB_REFUSED_LENGTH,  /* too short, too long, or lengths inside disagree */
	HB_REFUSED_VERSION, /* another protocol version */
	HB_REFUSED_CLUSTER, /* another cluster's id, or not our magic number */
	HB_REFUSED_SENDER,  /* no such node, or ourselves */
	HB_REFUSED_KEY,	    /* a key id that we do not have */
	HB_REFUSED_SEAL,    /* forged, damaged, or sealed with another key */
	HB_REFUSED_REPLAY,  /* a sequence seen before, or of an incarnation that is over */
	HB_REFUSALS,
	HB_NOT_FOR_US = HB_REFUSALS + 1, /* on a multicast path: no refusal, not counted */
};

struct hb_path {
	uint32_t late_us, dead_us;	/* copied at init */
	uint32_t slow_late_us, slow_dead_us; /* instead of them while it is slow */
	bool slow;
	enum yoke_path_state state;	/* as last judged */
	yoke_time proven_at;		/* last frame that proved life; YOKE_NEVER: none */
	yoke_time heard_at;		/* last authentic frame; YOKE_NEVER: none */
	yoke_time heard_since;		/* first one after a silence of dead_us; YOKE_NEVER: none */
	yoke_time grace_until;		/* after a stall of ours: not judged before */
	yoke_time answer_until;		/* no longer slow: has so long to show that it lives */
	struct hb_window window;	/* sequences seen on this path */
	uint64_t sent, received, missed;
	uint64_t delayed;		/* received, but later than late_us after the one before */
	uint64_t stale;			/* received, but sent longer than dead_us ago: no proof */
	uint64_t refused[HB_REFUSALS];
	uint32_t rtt_us;		/* smoothed, 1/8 of each new sample; 0: none yet */
	uint32_t flaps;			/* from up or late to one-way or down */
	struct hb_quality quality;
};

void hb_path_init(struct hb_path *p, uint32_t late_us, uint32_t dead_us);

/* Its times while it is slow: not shorter than the others. */
void hb_path_set_slow_times(struct hb_path *p, uint32_t late_us, uint32_t dead_us);

/* The other end beats slowly from now on, or no longer: then a path that works has dead - late to
 * be proven anew, before it is called down. */
void hb_path_set_slow(struct hb_path *p, bool slow, yoke_time now);

/* After so long a silence a path is down. */
uint32_t hb_path_dead_us(const struct hb_path *p);

/* An authentic frame that was not seen before came at `now`.  echoes: it proves life, that is, it
 * echoes what we sent on this path a short time ago (hb/hb.h says how short).
 * gap: frames to us on this path skipped since the last one (0: none). */
void hb_path_heard(struct hb_path *p, yoke_time now, bool echoes, uint32_t gap);

/* A round trip was measured, in microseconds. */
void hb_path_rtt(struct hb_path *p, yoke_time now, uint32_t sample_us);

/* Our own process did not run: judge no silence before now + dead. */
void hb_path_stalled(struct hb_path *p, yoke_time now);

/* The state at `now`.  Does not change anything: asking twice gives the same.
 *
 *   proven less than late_us ago                  UP
 *   in the grace after a stall, nothing proven    as before
 *   proven less than dead_us ago                  LATE
 *   works, and has not had its time to answer     LATE
 *   silent for dead_us                            DOWN
 *   frames have been arriving for dead_us         ONE_WAY
 *   frames have just begun to arrive              NO_PEER if it was that, else DOWN: no alarm of
 *                                                 one way while two nodes greet each other */
enum yoke_path_state hb_path_judge(const struct hb_path *p, yoke_time now);

/* Set state to what hb_path_judge() says and count flaps.  Returns true when it changed. */
bool hb_path_update(struct hb_path *p, yoke_time now);

/* When hb_path_judge() would next give another answer if nothing more is heard; YOKE_NEVER when
 * it would not. */
yoke_time hb_path_deadline(const struct hb_path *p, yoke_time now);

#endif
