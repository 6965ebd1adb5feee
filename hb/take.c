/* What one datagram is worth.  From outside to inside, each step may refuse it:
 *
 *   open_frame()   is it ours by length, version, cluster, sender and key; does the seal hold; is
 * it for us and for this path? admit()        is it of the peer's present incarnation, not seen
 * before? greet()        or of another one: does it prove that it is alive now (take it over), or
 * may it be a new one that has not heard us (note it, and answer)? accept_frame() count it, move
 * the path's state, and hand up the payload.
 *
 * hb/hb.h says why it is so.
 */
#include <string.h>

#include "agent/base/buf.h"
#include "hb/frame.h"
#include "hb/hb.h"
#include "hb/send.h"

struct incoming {
	uint16_t path; /* number */
	yoke_time now;
	struct hb_frame_header header;
	struct hb_frame_content content;
	unsigned key;        /* index of the one that it is sealed with */
	uint16_t size;       /* of the payload */
	yoke_time echoed_at; /* when we sent what it echoes; YOKE_NEVER: not known */
	int64_t transit_us;  /* there and back, without the time that the peer held the echo */
	bool is_fresh;       /* it was sent less than dead_us ago */
	bool is_proof;       /* and its sender heard us on this path less than dead_us ago */
	uint8_t content_bytes[HB_FRAME_SIZE_MAX];
};

static const uint8_t *payload_of(const struct incoming *in)
{
	return in->content_bytes + HB_FRAME_CONTENT_SIZE;
}

/* To which node's counters does a frame go that names no node that it could be from? */
static uint16_t blamed_node(const struct hb *hb, uint16_t path)
{
	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		if (hb_has_path(hb, node, path))
			return node;
	return hb->conf.self;
}

static bool has_left(const struct hb_peer *peer, uint64_t incarnation)
{
	for (unsigned i = 0; i < HB_PAST_MAX; i++)
		if (peer->past[i] == incarnation)
			return true;
	return false;
}

/* What is derived of an incarnation; NULL: nothing. */
static struct hb_key_ring *ring_of(struct hb_peer *peer, uint64_t incarnation)
{
	if (incarnation == peer->incarnation)
		return &peer->ring;
	return incarnation == peer->candidate ? &peer->candidate_ring : NULL;
}

/* The key for a frame: the present incarnation's, the candidate's, or a new one into hb->trial. */
static enum hb_refusal find_key(struct hb *hb, const struct incoming *in,
				const struct hb_seal_key **key)
{
	struct hb_peer *peer = &hb->peer[in->header.sender - 1];
	uint64_t incarnation = in->header.incarnation;
	const struct hb_key_ring *ring;

	if (incarnation == 0 || has_left(peer, incarnation))
		return HB_REFUSED_REPLAY;
	if (incarnation == peer->incarnation &&
	    !hb_window_is_new(&peer->path[in->path - 1].window, in->header.sequence))
		return HB_REFUSED_REPLAY;
	ring = ring_of(peer, incarnation);
	*key = ring != NULL && ring->derived[in->key] ? &ring->seal[in->key] : &hb->trial;
	if (*key == &hb->trial && hb_seal_derive(&hb->trial, hb->conf.keys.key[in->key].bytes,
						 in->header.sender, incarnation) != 0)
		return HB_REFUSED_SEAL;
	return HB_REFUSALS;
}

static void swap_keys(struct hb_seal_key *a, struct hb_seal_key *b)
{
	struct hb_seal_key kept = *a;

	*a = *b;
	*b = kept;
}

/* hb->trial has opened a frame: it is worth keeping. */
static void keep_trial(struct hb *hb, struct hb_key_ring *ring, unsigned key)
{
	swap_keys(&ring->seal[key], &hb->trial);
	ring->derived[key] = true;
}

static enum hb_refusal open_frame(struct hb *hb, const uint8_t *bytes, size_t size,
				  struct incoming *in)
{
	const uint8_t *sealed = bytes + HB_FRAME_HEADER_SIZE;
	size_t sealed_size = size - HB_FRAME_HEADER_SIZE - HB_TAG_SIZE;
	struct hb_key_ring *ring;
	const struct hb_seal_key *key;
	enum hb_refusal refusal;
	struct yoke_buf b;
	int index;

	if (memcmp(in->header.cluster_id, hb->conf.cluster_id, HB_FRAME_CLUSTER_SIZE) != 0)
		return HB_REFUSED_CLUSTER;
	/* Another incarnation would be another machine with our name. */
	if (hb_is_multicast(hb, in->path) && in->header.sender == hb->conf.self &&
	    in->header.incarnation == hb->conf.incarnation)
		return HB_NOT_FOR_US;
	if (!hb_has_path(hb, in->header.sender, in->path))
		return HB_REFUSED_SENDER;
	index = hb_key_find(&hb->conf.keys, in->header.key_id);
	if (index < 0)
		return HB_REFUSED_KEY;
	in->key = (unsigned)index;
	refusal = find_key(hb, in, &key);
	if (refusal != HB_REFUSALS)
		return refusal;
	if (!hb_seal_open(key, in->header.sequence, bytes, HB_FRAME_HEADER_SIZE, sealed,
			  sealed_size, sealed + sealed_size, in->content_bytes))
		return HB_REFUSED_SEAL;
	ring = ring_of(&hb->peer[in->header.sender - 1], in->header.incarnation);
	if (ring != NULL && key == &hb->trial)
		keep_trial(hb, ring, in->key);
	yoke_buf_init_read(&b, in->content_bytes, sealed_size);
	hb_frame_get_content(&b, &in->content);
	in->size = (uint16_t)yoke_buf_left(&b);
	if (hb_is_multicast(hb, in->path) && in->content.path == in->path &&
	    hb_has_path(hb, in->content.receiver, in->path))
		return HB_NOT_FOR_US;
	if (in->content.receiver != hb->conf.self || in->content.path != in->path)
		return HB_REFUSED_REPLAY;
	return HB_REFUSALS;
}

/* How old is the frame at most?  It was sent after its sender heard the sequence that it echoes,
 * and we know when we sent that. */
static void weigh(const struct hb *hb, struct incoming *in)
{
	const struct hb_peer *peer = &hb->peer[in->header.sender - 1];
	bool is_present = in->header.incarnation == peer->incarnation;
	uint32_t held_us =
		is_present ? hb_path_dead_us(&peer->path[in->path - 1]) : hb->conf.dead_us;
	uint64_t sequence = in->content.echo_sequence;

	if (in->content.echo_incarnation != hb->conf.incarnation || sequence == 0 ||
	    sequence > hb->sequence || hb->sequence - sequence >= HB_SENT_MAX)
		return;
	in->echoed_at = hb->sent_at[sequence % HB_SENT_MAX];
	in->transit_us =
		yoke_time_span_us(in->echoed_at, in->now) - (int64_t)in->content.echo_age_us;
	if (in->transit_us < 0)
		in->transit_us = 0; /* two clocks, two rates */
	in->is_fresh = in->transit_us <= (int64_t)hb->conf.dead_us;
	in->is_proof = in->is_fresh && in->content.echo_age_us <= held_us;
}

/* Did another incarnation than the present one hear us after that one was taken over?  What is held
 * back of one that lived before it cannot have, however fresh it is. */
static bool is_younger(const struct hb_peer *peer, const struct incoming *in)
{
	return peer->incarnation == 0 || !yoke_time_before(in->echoed_at, peer->taken_at);
}

/* The frame's incarnation has proven that it lives now: it is the peer from here on. */
static void take_over(struct hb *hb, struct hb_peer *peer, const struct incoming *in)
{
	uint64_t incarnation = in->header.incarnation;
	bool was_candidate = incarnation == peer->candidate;
	struct hb_key_ring over = peer->ring;

	if (peer->incarnation != 0)
		peer->past[peer->past_count++ % HB_PAST_MAX] = peer->incarnation;
	hb_key_ring_forget(&over);
	peer->ring = over;
	if (was_candidate) {
		peer->ring = peer->candidate_ring;
		peer->candidate_ring = over;
	} else {
		keep_trial(hb, &peer->ring, in->key);
	}
	peer->shown = was_candidate ? peer->candidate_shown : 0;
	peer->incarnation = incarnation;
	peer->taken_at = in->now;
	peer->candidate = 0;
	peer->beat_size = 0;
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++) {
		hb_window_init(&peer->path[i].window);
		peer->echo[i] = was_candidate ? peer->candidate_echo[i] : (struct hb_echo){0};
		peer->count[i] = 0;
		peer->candidate_echo[i] = (struct hb_echo){0};
	}
	peer->parts = (struct hb_part_in){0};
}

/* An authentic frame of an incarnation that proves nothing (yet). */
static enum hb_refusal note(struct hb *hb, struct hb_peer *peer, const struct incoming *in)
{
	struct hb_echo *echo = &peer->candidate_echo[in->path - 1];
	bool is_known = in->header.incarnation == peer->candidate;

	/* While the present incarnation is in two-way contact with us, a new one can have heard
	 * nobody but us as we are now.  Whoever echoes something else is older. */
	if (hb_peer_is_proven(peer, in->now) && in->content.echo_incarnation != 0)
		return HB_REFUSED_REPLAY;
	if (is_known && in->header.sequence <= echo->sequence)
		return HB_REFUSED_REPLAY;
	if (!is_known) {
		hb_key_ring_forget(&peer->candidate_ring);
		keep_trial(hb, &peer->candidate_ring, in->key);
		peer->candidate_shown = 0;
		peer->candidate = in->header.incarnation;
		memset(peer->candidate_echo, 0, sizeof(peer->candidate_echo));
	}
	peer->candidate_shown |= (uint8_t)(1u << in->key);
	*echo = (struct hb_echo){.sequence = in->header.sequence, .at = in->now};
	hb_path_heard(&peer->path[in->path - 1], in->now, false, 0);
	if (!is_known)
		hb_send_answer(hb, in->header.sender, in->now);
	return HB_REFUSALS;
}

/* Frames to us on this path that were sent since the last one came, and did not come. */
static uint32_t count_gap(struct hb_peer *peer, const struct incoming *in)
{
	uint32_t *last = &peer->count[in->path - 1];
	uint32_t ahead = in->content.count - *last;
	bool is_first = peer->path[in->path - 1].window.highest == 0;

	if (!is_first && (ahead == 0 || ahead > INT32_MAX))
		return 0; /* overtaken on the way */
	*last = in->content.count;
	return is_first ? 0 : ahead - 1;
}

/* A frame of the present incarnation, not seen before. */
static void accept_frame(struct hb *hb, struct hb_peer *peer, const struct incoming *in,
			 struct hb_changes *changes)
{
	struct hb_path *p = &peer->path[in->path - 1];
	struct hb_echo *echo = &peer->echo[in->path - 1];
	enum yoke_path_state from = p->state;
	uint32_t gap = count_gap(peer, in);

	peer->shown |= (uint8_t)(1u << in->key);
	peer->sealed_key = in->header.key_id;
	(void)hb_window_take(&p->window, in->header.sequence);
	if (in->header.sequence > echo->sequence)
		*echo = (struct hb_echo){.sequence = in->header.sequence, .at = in->now};
	hb_path_heard(p, in->now, in->is_proof, gap);
	if (in->is_fresh)
		hb_path_rtt(p, in->now, (uint32_t)in->transit_us);
	else if (in->content.echo_incarnation == hb->conf.incarnation)
		p->stale++;
	/* Only for the better: silence is judged by hb_tick(), which sees our own stalls first. */
	if (in->is_proof && hb_path_update(p, in->now))
		hb_changes_add(changes, in->header.sender, in->path, from, p);
}

/* The payload, or the MESSAGE that it makes whole.  Returns its size; 0: there is none, or it is of
 * a kind that we do not know: a newer yoke's, and as good a sign of life as any. */
static size_t whole_of(struct hb_peer *peer, const struct incoming *in, const uint8_t **payload)
{
	*payload = payload_of(in);
	switch (in->content.kind) {
	case HB_BEAT:
	case HB_CALL:
	case HB_MESSAGE:
	case HB_BULK:
		return in->size;
	case HB_PART:
		*payload = peer->parts.bytes;
		return hb_part_take(&peer->parts, payload_of(in), in->size);
	default:
		return 0;
	}
}

/* As what its payload is handed up. */
static enum hb_kind kind_of(const struct incoming *in)
{
	if (in->content.kind == HB_BULK)
		return HB_BULK;
	return in->content.kind == HB_BEAT || in->content.kind == HB_CALL ? HB_BEAT : HB_MESSAGE;
}

static int deliver(struct hb *hb, struct hb_peer *peer, const struct incoming *in,
		   struct hb_received *received)
{
	const uint8_t *payload;
	size_t size;

	if (!in->is_fresh || in->size == 0)
		return 0;
	if (in->content.kind == HB_KEYS) {
		peer->shown = hb_key_common(hb->prints, hb->prints_size, payload_of(in), in->size);
		return 0;
	}
	size = whole_of(peer, in, &payload);
	if (size == 0)
		return 0;
	received->node = in->header.sender;
	received->path = in->path;
	received->incarnation = in->header.incarnation;
	received->echoed_at = in->echoed_at;
	received->kind = kind_of(in);
	received->repeated = received->kind == HB_BEAT && size == peer->beat_size &&
			     memcmp(peer->beat, payload, size) == 0;
	received->size = (uint16_t)size;
	memcpy(received->bytes, payload, size);
	if (received->kind == HB_BEAT && !received->repeated) {
		peer->beat_size = (uint16_t)size;
		memcpy(peer->beat, payload, size);
	} else if (received->kind == HB_MESSAGE) {
		peer->beat_size = 0; /* it may have been long on its way, and say less */
	}
	return 1;
}

/* Of a node that is silent a frame came that is laid out as no protocol of ours.  Nobody vouches
 * for it, so it is told now and then, and nothing else. */
static int take_foreign(struct hb *hb, const struct incoming *in, struct hb_received *received)
{
	struct hb_peer *peer;

	if (memcmp(in->header.cluster_id, hb->conf.cluster_id, HB_FRAME_CLUSTER_SIZE) != 0 ||
	    !hb_has_path(hb, in->header.sender, in->path))
		return 0;
	peer = &hb->peer[in->header.sender - 1];
	if (hb_peer_is_proven(peer, in->now) || !yoke_time_due(peer->foreign_at, in->now))
		return 0;
	peer->foreign_at = yoke_time_add_us(in->now, HB_FOREIGN_US);
	received->kind = HB_FOREIGN;
	received->node = in->header.sender;
	received->path = in->path;
	received->protocol_min = in->header.oldest;
	received->protocol_max = in->header.newest;
	received->size = 0;
	return 1;
}

int hb_take(struct hb *hb, uint16_t path, const uint8_t *bytes, size_t size, yoke_time now,
	    struct hb_received *received, struct hb_changes *changes)
{
	struct incoming in;
	struct hb_peer *peer;
	enum hb_refusal refusal;
	uint16_t node = blamed_node(hb, path);
	bool is_new = false;

	in.path = path;
	in.now = now;
	in.echoed_at = YOKE_NEVER;
	in.transit_us = 0;
	in.is_fresh = in.is_proof = false;
	refusal = hb_frame_get_header(bytes, size, &in.header);
	if (refusal == HB_REFUSALS || refusal == HB_REFUSED_VERSION) {
		if (hb_has_path(hb, in.header.sender, path))
			node = in.header.sender;
	}
	if (refusal == HB_REFUSALS)
		refusal = open_frame(hb, bytes, size, &in);
	peer = &hb->peer[node - 1];
	if (refusal == HB_REFUSALS) {
		weigh(hb, &in);
		is_new = in.header.incarnation != peer->incarnation;
		in.is_proof = in.is_proof && (!is_new || is_younger(peer, &in));
		if (is_new && !in.is_proof)
			refusal = note(hb, peer, &in);
	}
	if (refusal == HB_NOT_FOR_US)
		return 0;
	if (refusal != HB_REFUSALS) {
		peer->path[path - 1].refused[refusal]++;
		return refusal == HB_REFUSED_VERSION && node == in.header.sender
			       ? take_foreign(hb, &in, received)
			       : 0;
	}
	if (is_new && !in.is_proof)
		return 0;
	if (is_new)
		take_over(hb, peer, &in);
	accept_frame(hb, peer, &in, changes);
	if (in.content.kind == HB_CALL)
		hb_public_called(hb, node, path, now);
	if (is_new)
		hb_send_news(hb, node,
			     now); /* so that it is proven there, too; nobody can feign this */
	return deliver(hb, peer, &in, received);
}
