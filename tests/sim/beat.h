/* tests/sim/beat.h - the heartbeat of a simulated node: hb without bytes, keys and sockets.
 *
 * Does what hb/hb.h says of incarnations, echoes, freshness and proof, with plain structs for
 * frames; the judgement of a path is the real hb/path.c.  What is authentic and the replay window
 * are left out: no attacker lives in this world, and a frame that comes twice must be harmless all
 * the same.
 *
 * Layer: tests.  Memory: the caller's; plain values.
 */
#ifndef TESTS_SIM_BEAT_H
#define TESTS_SIM_BEAT_H

#include "hb/hb.h"

enum { SIM_PAYLOAD_SIZE = 640 };

struct sim_frame {
	uint16_t from, to, path; /* numbers */
	bool is_beat;
	uint64_t incarnation, sequence, echo_incarnation, echo_sequence;
	uint32_t echo_age_us;
	uint16_t size;
	uint8_t bytes[SIM_PAYLOAD_SIZE];
};

/* What is done with a frame that is sent. */
typedef void (*sim_emit)(void *world, const struct sim_frame *frame);

struct sim_beat_peer {
	uint64_t incarnation, candidate; /* 0: none */
	yoke_time taken_at;
	struct hb_echo echo[YOKE_PATHS_MAX], candidate_echo[YOKE_PATHS_MAX];
	uint64_t past[HB_PAST_MAX];
	unsigned past_count;
	uint16_t beat_size;
	uint8_t beat[SIM_PAYLOAD_SIZE];
	yoke_time answer_at;
	yoke_time turn_at[YOKE_PATHS_MAX]; /* hb_path_deadline() of each path, as of seen_at */
	bool judged[YOKE_PATHS_MAX];       /* and until then hb_path_update() would find nothing */
	struct hb_path path[YOKE_PATHS_MAX];
};

struct sim_beat {
	uint16_t self, node_count, path_count;
	uint32_t interval_us, late_us, dead_us;
	uint64_t incarnation, sequence;
	yoke_time sent_at[HB_SENT_MAX];
	yoke_time beat_at, extra_at, round_at, seen_at;
	yoke_time turn_at; /* no path's turn comes earlier */
	uint16_t beat_size;
	uint8_t beat[SIM_PAYLOAD_SIZE];
	struct sim_beat_peer peer[YOKE_NODES_MAX];
	sim_emit emit;
	void *world;
};

/* self, node_count, path_count, the three times, incarnation, emit and world are set by the caller
 * before. */
void sim_beat_init(struct sim_beat *b, yoke_time now);
void sim_beat_set(struct sim_beat *b, const uint8_t *bytes, size_t size, yoke_time now);
void sim_beat_send(struct sim_beat *b, uint16_t node, const uint8_t *bytes, size_t size,
		   yoke_time now);
yoke_time sim_beat_deadline(struct sim_beat *b);
/* As hb_tick(). */
uint32_t sim_beat_tick(struct sim_beat *b, yoke_time now, struct hb_changes *changes);
/* When we sent what the frame echoes; YOKE_NEVER: not known. */
yoke_time sim_beat_echoed(const struct sim_beat *b, const struct sim_frame *frame);
/* As hb_take(): true when the frame's payload is for the core. */
bool sim_beat_take(struct sim_beat *b, const struct sim_frame *frame, yoke_time now, bool *repeated,
		   struct hb_changes *changes);

#endif
