#include "tests/sim/beat.h"

#include <assert.h>
#include <string.h>

void sim_beat_init(struct sim_beat *b, yoke_time now)
{
	b->sequence = 0;
	b->beat_at = b->seen_at = b->turn_at = now;
	b->extra_at = b->round_at = YOKE_NEVER;
	b->beat_size = 0;
	for (unsigned n = 0; n < b->node_count; n++) {
		memset(&b->peer[n], 0, offsetof(struct sim_beat_peer, path));
		for (unsigned p = 0; p < b->path_count; p++)
			hb_path_init(&b->peer[n].path[p], b->late_us, b->dead_us);
	}
}

static bool is_proven(const struct sim_beat *b, const struct sim_beat_peer *peer, yoke_time now)
{
	for (unsigned p = 0; p < b->path_count; p++) {
		const struct hb_path *path = &peer->path[p];

		if (!yoke_time_is_never(path->proven_at) &&
		    !yoke_time_due(yoke_time_add_us(path->proven_at, path->dead_us), now))
			return true;
	}
	return false;
}

/* ---- sending ---- */

static void fill_echo(const struct sim_beat *b, const struct sim_beat_peer *peer, uint16_t path,
		      yoke_time now, struct sim_frame *frame)
{
	const struct hb_echo *own = &peer->echo[path - 1];
	const struct hb_echo *other = &peer->candidate_echo[path - 1];
	uint64_t incarnation = peer->incarnation;

	frame->echo_incarnation = 0;
	frame->echo_sequence = 0;
	frame->echo_age_us = 0;
	if (other->sequence != 0 && !is_proven(b, peer, now) &&
	    (own->sequence == 0 || !yoke_time_before(other->at, own->at))) {
		own = other;
		incarnation = peer->candidate;
	}
	if (own->sequence == 0)
		return;
	frame->echo_incarnation = incarnation;
	frame->echo_sequence = own->sequence;
	frame->echo_age_us = (uint32_t)yoke_time_span_us(own->at, now);
}

static void send_to(struct sim_beat *b, uint16_t node, bool is_beat, const uint8_t *bytes,
		    size_t size, yoke_time now)
{
	struct sim_frame
		frame; /* its head and as many bytes as it has: the rest is not looked at */

	assert(size <= sizeof(frame.bytes));
	memset(&frame, 0, offsetof(struct sim_frame, bytes));
	frame.from = b->self;
	frame.to = node;
	frame.is_beat = is_beat;
	frame.incarnation = b->incarnation;
	frame.size = (uint16_t)size;
	memcpy(frame.bytes, bytes, size);
	for (uint16_t path = 1; path <= b->path_count; path++) {
		frame.path = path;
		frame.sequence = ++b->sequence;
		b->sent_at[frame.sequence % HB_SENT_MAX] = now;
		fill_echo(b, &b->peer[node - 1], path, now, &frame);
		b->emit(b->world, &frame);
	}
}

static void send_round(struct sim_beat *b, yoke_time now)
{
	b->round_at = now;
	b->extra_at = YOKE_NEVER;
	for (uint16_t node = 1; node <= b->node_count; node++)
		if (node != b->self)
			send_to(b, node, true, b->beat, b->beat_size, now);
}

static void send_answer(struct sim_beat *b, uint16_t node, yoke_time now)
{
	struct sim_beat_peer *peer = &b->peer[node - 1];

	if (!yoke_time_due(peer->answer_at, now))
		return;
	peer->answer_at = yoke_time_add_us(now, b->interval_us / 4);
	send_to(b, node, true, b->beat, b->beat_size, now);
}

void sim_beat_set(struct sim_beat *b, const uint8_t *bytes, size_t size, yoke_time now)
{
	yoke_time allowed = now;

	assert(size <= sizeof(b->beat));
	if (size == b->beat_size && memcmp(b->beat, bytes, size) == 0)
		return;
	memcpy(b->beat, bytes, size);
	b->beat_size = (uint16_t)size;
	if (!yoke_time_is_never(b->round_at))
		allowed = yoke_time_add_us(b->round_at, b->interval_us / 4);
	if (yoke_time_due(allowed, now))
		send_round(b, now);
	else
		b->extra_at = allowed;
}

void sim_beat_send(struct sim_beat *b, uint16_t node, const uint8_t *bytes, size_t size,
		   yoke_time now)
{
	for (uint16_t n = 1; n <= b->node_count; n++)
		if (n != b->self && (node == HB_ALL_NODES || node == n))
			send_to(b, n, false, bytes, size, now);
}

/* ---- time ---- */

/* A path that nothing was heard on is asked again when its time has come only: until then it would
 * give the same answers. */
static void judge(struct sim_beat *b, struct sim_beat_peer *peer, unsigned p, bool is_judged)
{
	peer->judged[p] = is_judged;
	peer->turn_at[p] = hb_path_deadline(&peer->path[p], b->seen_at);
	b->turn_at = yoke_time_min(b->turn_at, peer->turn_at[p]);
}

yoke_time sim_beat_deadline(struct sim_beat *b)
{
	yoke_time at = yoke_time_min(b->beat_at, b->extra_at), first = YOKE_NEVER;

	/* What is heard has the turns come later: nearly always the next beat is earlier. */
	if (!yoke_time_before(b->turn_at, at))
		return at;
	for (unsigned n = 0; n < b->node_count; n++)
		for (unsigned p = 0; p < b->path_count && n + 1 != b->self; p++) {
			if (yoke_time_due(b->peer[n].turn_at[p], b->seen_at))
				judge(b, &b->peer[n], p, false);
			first = yoke_time_min(first, b->peer[n].turn_at[p]);
		}
	b->turn_at = first;
	return yoke_time_min(at, first);
}

static void add_change(struct hb_changes *changes, uint16_t node, uint16_t path,
		       enum yoke_path_state from, const struct hb_path *p)
{
	changes->change[changes->count++] = (struct hb_change){.node = node,
							       .path = path,
							       .from = from,
							       .to = p->state,
							       .proven_at = p->proven_at};
}

static uint32_t notice_stall(struct sim_beat *b, yoke_time now)
{
	int64_t late_us = yoke_time_span_us(b->beat_at, now);

	if (late_us <= (int64_t)b->late_us)
		return 0;
	for (unsigned n = 0; n < b->node_count; n++)
		for (unsigned p = 0; p < b->path_count; p++) {
			hb_path_stalled(&b->peer[n].path[p], now);
			b->peer[n].judged[p] = false;
		}
	return late_us < 1000 ? 1 : (uint32_t)(late_us / 1000);
}

static void update(struct sim_beat *b, uint16_t node, uint16_t path, struct hb_changes *changes)
{
	struct sim_beat_peer *peer = &b->peer[node - 1];
	struct hb_path *p = &peer->path[path - 1];
	enum yoke_path_state from = p->state;

	if (peer->judged[path - 1] && !yoke_time_due(peer->turn_at[path - 1], b->seen_at))
		return;
	if (hb_path_update(p, b->seen_at))
		add_change(changes, node, path, from, p);
	judge(b, peer, path - 1u, p->state == from);
}

uint32_t sim_beat_tick(struct sim_beat *b, yoke_time now, struct hb_changes *changes)
{
	uint32_t stall_ms = notice_stall(b, now);

	changes->count = 0;
	b->seen_at = now;
	if (yoke_time_due(b->beat_at, now)) {
		bool is_behind = yoke_time_span_us(b->beat_at, now) > b->interval_us;

		send_round(b, now);
		b->beat_at = yoke_time_add_us(is_behind ? now : b->beat_at, b->interval_us);
	} else if (yoke_time_due(b->extra_at, now)) {
		send_round(b, now);
	}
	for (uint16_t node = 1; node <= b->node_count; node++)
		for (uint16_t path = 1; path <= b->path_count && node != b->self; path++)
			update(b, node, path, changes);
	return stall_ms;
}

/* ---- receiving ---- */

static bool has_left(const struct sim_beat_peer *peer, uint64_t incarnation)
{
	for (unsigned i = 0; i < HB_PAST_MAX; i++)
		if (peer->past[i] == incarnation)
			return true;
	return false;
}

yoke_time sim_beat_echoed(const struct sim_beat *b, const struct sim_frame *frame)
{
	uint64_t sequence = frame->echo_sequence;

	if (frame->echo_incarnation != b->incarnation || sequence == 0 || sequence > b->sequence ||
	    b->sequence - sequence >= HB_SENT_MAX)
		return YOKE_NEVER;
	return b->sent_at[sequence % HB_SENT_MAX];
}

static void weigh(const struct sim_beat *b, const struct sim_frame *frame, yoke_time now,
		  bool *is_fresh, bool *is_proof)
{
	yoke_time echoed = sim_beat_echoed(b, frame);
	int64_t transit_us;

	*is_fresh = *is_proof = false;
	if (yoke_time_is_never(echoed))
		return;
	transit_us = yoke_time_span_us(echoed, now) - (int64_t)frame->echo_age_us;
	*is_fresh = transit_us <= (int64_t)b->dead_us;
	*is_proof = *is_fresh && frame->echo_age_us <= b->dead_us;
}

static void note(struct sim_beat *b, struct sim_beat_peer *peer, const struct sim_frame *frame,
		 yoke_time now)
{
	struct hb_echo *echo = &peer->candidate_echo[frame->path - 1];
	bool is_known = frame->incarnation == peer->candidate;

	if (is_proven(b, peer, now) && frame->echo_incarnation != 0)
		return;
	if (is_known && frame->sequence <= echo->sequence)
		return;
	if (!is_known) {
		peer->candidate = frame->incarnation;
		memset(peer->candidate_echo, 0, sizeof(peer->candidate_echo));
	}
	*echo = (struct hb_echo){.sequence = frame->sequence, .at = now};
	hb_path_heard(&peer->path[frame->path - 1], now, false, 0);
	judge(b, peer, frame->path - 1u, false);
	if (!is_known)
		send_answer(b, frame->from, now);
}

static void take_over(struct sim_beat_peer *peer, uint64_t incarnation, yoke_time now)
{
	bool was_candidate = incarnation == peer->candidate;

	if (peer->incarnation != 0)
		peer->past[peer->past_count++ % HB_PAST_MAX] = peer->incarnation;
	peer->incarnation = incarnation;
	peer->taken_at = now;
	peer->candidate = 0;
	peer->beat_size = 0;
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++) {
		peer->echo[i] = was_candidate ? peer->candidate_echo[i] : (struct hb_echo){0};
		peer->candidate_echo[i] = (struct hb_echo){0};
	}
}

static bool is_repeated(struct sim_beat_peer *peer, const struct sim_frame *frame)
{
	if (!frame->is_beat) {
		peer->beat_size = 0;
		return false;
	}
	if (frame->size == peer->beat_size && memcmp(frame->bytes, peer->beat, frame->size) == 0)
		return true;
	peer->beat_size = frame->size;
	memcpy(peer->beat, frame->bytes, frame->size);
	return false;
}

bool sim_beat_take(struct sim_beat *b, const struct sim_frame *frame, yoke_time now, bool *repeated,
		   struct hb_changes *changes)
{
	struct sim_beat_peer *peer = &b->peer[frame->from - 1];
	struct hb_path *p = &peer->path[frame->path - 1];
	struct hb_echo *echo = &peer->echo[frame->path - 1];
	enum yoke_path_state from = p->state;
	bool is_fresh, is_proof, is_new = frame->incarnation != peer->incarnation;

	changes->count = 0;
	b->seen_at = now;
	if (is_new && has_left(peer, frame->incarnation))
		return false;
	weigh(b, frame, now, &is_fresh, &is_proof);
	is_proof = is_proof && (!is_new || peer->incarnation == 0 ||
				!yoke_time_before(sim_beat_echoed(b, frame), peer->taken_at));
	if (is_new && !is_proof) {
		note(b, peer, frame, now);
		return false;
	}
	if (is_new)
		take_over(peer, frame->incarnation, now);
	if (frame->sequence > echo->sequence)
		*echo = (struct hb_echo){.sequence = frame->sequence, .at = now};
	hb_path_heard(p, now, is_proof, 0);
	if (is_proof && hb_path_update(p, now))
		add_change(changes, frame->from, frame->path, from, p);
	judge(b, peer, frame->path - 1u, is_proof && p->state == from);
	if (is_new)
		send_answer(b, frame->from, now);
	if (!is_fresh || frame->size == 0)
		return false;
	*repeated = is_repeated(peer, frame);
	return true;
}
