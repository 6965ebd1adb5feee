#include "hb/send.h"

#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"
#include "hb/frame.h"

/* Is what we heard last on a path of the candidate?  While the present incarnation is proven, no
 * candidate takes its place. */
static bool is_for_candidate(const struct hb_peer *peer, uint16_t path, yoke_time now)
{
	const struct hb_echo *own = &peer->echo[path - 1];
	const struct hb_echo *other = &peer->candidate_echo[path - 1];

	return other->sequence != 0 && !hb_peer_is_proven(peer, now) &&
	       (own->sequence == 0 || !yoke_time_before(other->at, own->at));
}

/* What to tell a node of its own frames on a path: of the incarnation that we heard last there. */
static void fill_echo(const struct hb_peer *peer, uint16_t path, yoke_time now,
		      struct hb_frame_content *content)
{
	const struct hb_echo *own = &peer->echo[path - 1];
	uint64_t incarnation = peer->incarnation;
	int64_t age_us;

	if (is_for_candidate(peer, path, now)) {
		own = &peer->candidate_echo[path - 1];
		incarnation = peer->candidate;
	}
	if (own->sequence == 0)
		return;
	age_us = yoke_time_span_us(own->at, now);
	content->echo_incarnation = incarnation;
	content->echo_sequence = own->sequence;
	content->echo_age_us = age_us >= UINT32_MAX ? UINT32_MAX : (uint32_t)age_us;
}

/* The newest key that it has shown to have; before that the oldest, which it had before. */
static unsigned newest_of(uint8_t shown)
{
	unsigned newest = 0;

	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		if ((shown >> i & 1) != 0)
			newest = i;
	return newest;
}

/* The index of the key to seal with for a node on a path. */
static unsigned key_for(const struct hb_peer *peer, uint16_t path, yoke_time now)
{
	bool is_candidate = peer->incarnation == 0 || is_for_candidate(peer, path, now);

	return newest_of(is_candidate ? peer->candidate_shown : peer->shown);
}

uint8_t hb_sealing_key(const struct hb *hb, uint16_t node)
{
	const struct hb_peer *peer = &hb->peer[node - 1];
	uint8_t shown = peer->incarnation == 0 ? peer->candidate_shown : peer->shown;

	return hb->conf.keys.key[newest_of(shown)].id;
}

bool hb_has_shown(const struct hb *hb, uint16_t node, unsigned index)
{
	return (hb->peer[node - 1].shown >> index & 1) != 0;
}

uint16_t hb_other_end(const struct hb *hb, uint16_t path)
{
	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		if (hb_has_path(hb, node, path))
			return node;
	return 0;
}

bool hb_is_proven(const struct hb *hb, uint16_t node, uint16_t path)
{
	enum yoke_path_state state = hb_path_of(hb, node, path)->state;

	return state == YOKE_PATH_UP || state == YOKE_PATH_LATE;
}

static unsigned rank(const struct hb *hb, uint16_t path)
{
	return hb_is_line(hb, path) ? 0 : hb_is_post(hb, path) ? 1 : 2;
}

bool hb_is_last_way(const struct hb *hb, uint16_t node, uint16_t path)
{
	for (uint16_t other = 1; other <= hb->conf.path_count; other++) {
		bool is_better = rank(hb, other) > rank(hb, path) ||
				 (rank(hb, other) == rank(hb, path) && other < path);

		if (is_better && hb_has_path(hb, node, other) &&
		    hb_path_of(hb, node, other)->state == YOKE_PATH_UP)
			return false;
	}
	return hb_is_proven(hb, node, path);
}

/* Give the sealed bytes to the path.  Returns false when it is closed. */
static bool transmit(struct hb *hb, uint16_t node, uint16_t path, const uint8_t *bytes, size_t size,
		     enum hb_kind kind, yoke_time now)
{
	const struct hb_endpoint *to = &hb->conf.endpoint[node - 1][path - 1];
	struct hb_line *line = &hb->line[path - 1];
	size_t used;

	if (hb_is_post(hb, path))
		return hb_post_add(&hb->post[path - 1], bytes, size);
	if (!hb_is_line(hb, path))
		return hb_udp_send(&hb->udp[path - 1],
				   hb_is_multicast(hb, path) ? &to->multicast : &to->address,
				   to->address_len, bytes, size,
				   hb_path_of(hb, node, path)->state == YOKE_PATH_UP);
	used = hb_serial_send(&line->serial, bytes, size);
	if (used > 0 && kind == HB_BULK)
		hb_pace_sent_bulk(&line->pace, used, now);
	else if (used > 0)
		hb_pace_sent(&line->pace, used, kind != HB_MESSAGE && kind != HB_PART, now);
	return used > 0;
}

void hb_send_frame(struct hb *hb, uint16_t node, uint16_t path, enum hb_kind kind,
		   const uint8_t *payload, size_t size, yoke_time now)
{
	struct hb_peer *peer = &hb->peer[node - 1];
	struct hb_path *p = &peer->path[path - 1];
	unsigned key = key_for(peer, path, now);
	struct hb_frame_header header = {.key_id = hb->conf.keys.key[key].id,
					 .sender = hb->conf.self,
					 .incarnation = hb->conf.incarnation,
					 .sequence = ++hb->sequence};
	struct hb_frame_content content = {.kind = (uint8_t)kind,
					   .path = (uint8_t)path,
					   .receiver = node,
					   .count = (uint32_t)(p->sent + 1)};
	uint8_t bytes[HB_FRAME_SIZE_MAX];
	struct yoke_buf b;

	memcpy(header.cluster_id, hb->conf.cluster_id, sizeof(header.cluster_id));
	fill_echo(peer, path, now, &content);
	yoke_buf_init(&b, bytes, sizeof(bytes));
	hb_frame_put_header(&b, &header);
	hb_frame_put_content(&b, &content);
	yoke_buf_put(&b, payload, size);
	if (!hb_seal_close(&hb->ring.seal[key], header.sequence, bytes, HB_FRAME_HEADER_SIZE,
			   bytes + HB_FRAME_HEADER_SIZE, b.used - HB_FRAME_HEADER_SIZE,
			   bytes + b.used))
		return;
	hb->sent_at[header.sequence % HB_SENT_MAX] = now;
	if (transmit(hb, node, path, bytes, b.used + HB_TAG_SIZE, kind, now))
		p->sent++;
}

/* At full rate a public path's BEATs call for the like. */
void hb_send_beat_on(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	bool is_call = hb->conf.is_public[path - 1] && !hb_path_of(hb, node, path)->slow;

	hb_send_frame(hb, node, path, is_call ? HB_CALL : HB_BEAT, hb->beat, hb->beat_size, now);
}

/* In one frame, or as many parts as it has. */
static void send_whole(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	const struct hb_part_out *message = &hb->message;
	uint8_t part[HB_PART_SIZE_MAX];

	if (message->size <= YOKE_PAYLOAD_SIZE) {
		hb_send_frame(hb, node, path, HB_MESSAGE, message->bytes, message->size, now);
		return;
	}
	for (unsigned i = 0; i < hb_part_count(message->size); i++)
		hb_send_frame(hb, node, path, HB_PART, part, hb_part_put(message, i, part), now);
}

static void send_message(struct hb *hb, uint16_t node, yoke_time now)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		if (!hb_has_path(hb, node, path))
			continue;
		if (hb_is_line(hb, path))
			hb_line_offer(hb, path, &hb->message, now);
		else if (hb_is_post(hb, path))
			hb_post_offer(hb, path, &hb->message, now);
		else
			send_whole(hb, node, path, now);
	}
}

void hb_send(struct hb *hb, uint16_t node, const uint8_t *bytes, size_t size, yoke_time now)
{
	assert(node <= hb->conf.node_count);
	hb_part_set(&hb->message, bytes, size);
	for (uint16_t n = 1; n <= hb->conf.node_count; n++)
		if (node == HB_ALL_NODES || node == n)
			send_message(hb, n, now);
}

void hb_send_beat(struct hb *hb, uint16_t node, yoke_time now)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		if (!hb_has_path(hb, node, path))
			continue;
		if (hb_is_line(hb, path))
			hb_line_beat(hb, path, now);
		else if (!hb_is_post(hb, path) && hb_public_passes(hb, node, path, now))
			hb_send_beat_on(hb, node, path, now);
	}
}

static void send_keys_on(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	if (hb_is_line(hb, path))
		hb->line[path - 1].keys_wait = true;
	else if (hb_is_post(hb, path))
		hb->post[path - 1].keys_wait = true;
	else
		hb_send_frame(hb, node, path, HB_KEYS, hb->prints, hb->prints_size, now);
}

void hb_send_keys(struct hb *hb, yoke_time now)
{
	hb->keys_rounds = 0;
	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		for (uint16_t path = 1; path <= hb->conf.path_count; path++)
			if (hb_has_path(hb, node, path))
				send_keys_on(hb, node, path, now);
}

void hb_send_news(struct hb *hb, uint16_t node, yoke_time now)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++)
		if (hb_is_post(hb, path) && hb_has_path(hb, node, path))
			hb_post_hurry(hb, path, now);
	hb_send_beat(hb, node, now);
}

void hb_send_answer(struct hb *hb, uint16_t node, yoke_time now)
{
	struct hb_peer *peer = &hb->peer[node - 1];

	if (!yoke_time_due(peer->answer_at, now))
		return;
	peer->answer_at = yoke_time_add_us(now, hb->conf.interval_us / 4);
	hb_send_news(hb, node, now);
}
