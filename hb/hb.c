#include "hb/hb.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "hb/frame.h"
#include "hb/send.h"

bool hb_has_path(const struct hb *hb, uint16_t node, uint16_t path)
{
	const struct hb_conf *conf = &hb->conf;

	return node >= 1 && node <= conf->node_count && node != conf->self && path >= 1 &&
	       path <= conf->path_count && conf->endpoint[conf->self - 1][path - 1].configured &&
	       conf->endpoint[node - 1][path - 1].configured;
}

bool hb_is_multicast(const struct hb *hb, uint16_t path)
{
	return hb->conf.endpoint[hb->conf.self - 1][path - 1].is_multicast;
}

bool hb_peer_is_proven(const struct hb_peer *peer, yoke_time now)
{
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++) {
		const struct hb_path *p = &peer->path[i];

		if (!yoke_time_is_never(p->proven_at) &&
		    !yoke_time_due(yoke_time_add_us(p->proven_at, p->dead_us), now))
			return true;
	}
	return false;
}

void hb_changes_add(struct hb_changes *changes, uint16_t node, uint16_t path,
		    enum yoke_path_state from, const struct hb_path *p)
{
	assert(changes->count < YOKE_NODES_MAX * YOKE_PATHS_MAX);
	changes->change[changes->count++] = (struct hb_change){
		.node = node,
		.path = path,
		.from = from,
		.to = p->state,
		.proven_at = p->proven_at,
	};
}

/* Our own seals under the keys that are new, into hb->spare and from there into hb->ring. */
static int derive_own(struct hb *hb, const struct hb_keys *keys, const int from[HB_KEYS_MAX])
{
	uint8_t prints[HB_KEY_PRINTS_SIZE];
	size_t prints_size = hb_key_put_prints(keys, prints);

	for (unsigned i = 0; i < keys->count; i++)
		if (from[i] < 0 && hb_seal_derive(&hb->spare.seal[i], keys->key[i].bytes,
						  hb->conf.self, hb->conf.incarnation) != 0)
			return -1;
	if (prints_size == 0)
		return -1;
	memcpy(hb->prints, prints, sizeof(prints));
	hb->prints_size = prints_size;
	hb_key_ring_move(&hb->ring, from);
	for (unsigned i = 0; i < keys->count; i++)
		if (from[i] < 0) {
			struct hb_seal_key kept = hb->ring.seal[i];

			hb->ring.seal[i] = hb->spare.seal[i];
			hb->ring.derived[i] = true;
			hb->spare.seal[i] = kept;
		}
	return 0;
}

static int init_keys(struct hb *hb)
{
	static const int nothing_known[HB_KEYS_MAX] = {-1, -1};
	int failed = hb_key_ring_init(&hb->ring) | hb_key_ring_init(&hb->spare) |
		     hb_seal_init(&hb->trial);

	for (unsigned i = 0; i < YOKE_NODES_MAX; i++)
		failed |= hb_key_ring_init(&hb->peer[i].ring) |
			  hb_key_ring_init(&hb->peer[i].candidate_ring);
	return failed != 0 ? -1 : derive_own(hb, &hb->conf.keys, nothing_known);
}

static void init_path(struct hb *hb, uint16_t path, yoke_time now)
{
	const struct hb_conf *conf = &hb->conf;
	const struct hb_endpoint *own = &conf->endpoint[conf->self - 1][path - 1];
	const struct hb_line_conf *line = &conf->line[path - 1];
	uint32_t late_us = conf->late_us;
	bool is_ours = path <= conf->path_count && own->configured;

	hb_udp_init(&hb->udp[path - 1], &own->address, own->address_len, own->interface);
	if (own->is_multicast)
		hb_udp_set_multicast(&hb->udp[path - 1], &own->multicast);
	if (!is_ours || hb_is_line(hb, path) || hb_is_post(hb, path))
		hb->udp[path - 1].retry_at = YOKE_NEVER;
	hb_line_init(&hb->line[path - 1], line, is_ours && hb_is_line(hb, path), now);
	hb_post_init(&hb->post[path - 1], is_ours && hb_is_post(hb, path), now);
	if (hb_is_line(hb, path))
		late_us = line->late_us;
	if (hb_is_post(hb, path))
		late_us = conf->post[path - 1].late_us;
	for (unsigned i = 0; i < YOKE_NODES_MAX; i++)
		hb_path_init(&hb->peer[i].path[path - 1], late_us, conf->dead_us);
}

int hb_init(struct hb *hb, const struct hb_conf *conf, yoke_time now, char *why)
{
	assert(conf->self >= 1 && conf->self <= conf->node_count);
	assert(conf->node_count <= YOKE_NODES_MAX && conf->path_count <= YOKE_PATHS_MAX);
	assert(conf->incarnation != 0);
	memset(hb, 0, sizeof(*hb));
	hb->conf = *conf;
	hb->beat_at = hb->seen_at = now;
	hb->round_at = hb->extra_at = YOKE_NEVER;
	for (uint16_t path = 1; path <= YOKE_PATHS_MAX; path++)
		init_path(hb, path, now);
	hb_public_init(hb);
	if (init_keys(hb) != 0) {
		snprintf(why, YOKE_REASON_SIZE,
			 "the crypto library refused AES-256-GCM or HKDF: check openssl's setup");
		hb_fini(hb);
		return -1;
	}
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		hb_udp_maintain(&hb->udp[i], now);
	return 0;
}

void hb_fini(struct hb *hb)
{
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		hb_udp_fini(&hb->udp[i]);
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		hb_serial_close(&hb->line[i].serial);
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		hb_post_close(&hb->post[i]);
	for (unsigned i = 0; i < YOKE_NODES_MAX; i++) {
		hb_key_ring_fini(&hb->peer[i].ring);
		hb_key_ring_fini(&hb->peer[i].candidate_ring);
	}
	hb_key_ring_fini(&hb->ring);
	hb_key_ring_fini(&hb->spare);
	hb_seal_fini(&hb->trial);
	hb_seal_wipe(&hb->conf.keys, sizeof(hb->conf.keys));
}

int hb_set_keys(struct hb *hb, const struct hb_keys *keys, yoke_time now)
{
	int from[HB_KEYS_MAX];

	assert(keys->count >= 1 && keys->count <= HB_KEYS_MAX);
	hb_key_map(keys, &hb->conf.keys, from);
	if (derive_own(hb, keys, from) != 0)
		return -1;
	for (unsigned i = 0; i < YOKE_NODES_MAX; i++) {
		struct hb_peer *peer = &hb->peer[i];

		hb_key_ring_move(&peer->ring, from);
		hb_key_ring_move(&peer->candidate_ring, from);
		peer->shown = hb_key_move_bits(peer->shown, from);
		peer->candidate_shown = hb_key_move_bits(peer->candidate_shown, from);
	}
	hb_seal_wipe(&hb->conf.keys, sizeof(hb->conf.keys));
	hb->conf.keys = *keys;
	hb_send_keys(hb, now);
	return 0;
}

bool hb_wants_fd(struct hb *hb, uint16_t path, yoke_time now)
{
	return hb_is_post(hb, path) ? hb_post_wants(&hb->post[path - 1], now)
				    : hb_line_wants(&hb->line[path - 1], now);
}

void hb_give_fd(struct hb *hb, uint16_t path, int fd, yoke_time now)
{
	assert(hb_is_line(hb, path) || hb_is_post(hb, path));
	if (hb_is_post(hb, path))
		hb_post_give(hb, path, fd, now);
	else
		hb_line_give(hb, path, fd, now);
}

int hb_fd(const struct hb *hb, uint16_t path)
{
	assert(path >= 1 && path <= YOKE_PATHS_MAX);
	if (hb_is_post(hb, path))
		return hb->post[path - 1].fd;
	return hb_is_line(hb, path) ? hb->line[path - 1].serial.fd : hb->udp[path - 1].fd;
}

/* Returns the size of the next frame; -1: there is none. */
static int receive_frame(struct hb *hb, uint16_t path, uint8_t *bytes, size_t size)
{
	if (hb_is_post(hb, path))
		return hb_post_receive(&hb->post[path - 1], bytes, size);
	return hb_is_line(hb, path) ? hb_serial_receive(&hb->line[path - 1].serial, bytes)
				    : hb_udp_receive(&hb->udp[path - 1], bytes, size);
}

int hb_receive(struct hb *hb, uint16_t path, yoke_time now, struct hb_received *received,
	       struct hb_changes *changes)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX + 1]; /* one more: too long is seen to be too long */

	assert(path >= 1 && path <= hb->conf.path_count);
	changes->count = 0;
	hb->seen_at = now;
	for (unsigned i = 0; i < HB_FRAMES_PER_TURN; i++) {
		int size = receive_frame(hb, path, bytes, sizeof(bytes));

		if (size < 0)
			return 0;
		if (hb_take(hb, path, bytes, (size_t)size, now, received, changes) == 1)
			return 1;
	}
	return 0;
}

/* One BEAT to everybody. */
static void send_round(struct hb *hb, yoke_time now)
{
	if (!yoke_time_is_never(hb->round_at)) {
		uint64_t gap_us = (uint64_t)yoke_time_span_us(hb->round_at, now);

		if (gap_us > hb->sent_gap_us_max)
			hb->sent_gap_us_max = gap_us;
	}
	hb->round_at = now;
	hb->extra_at = YOKE_NEVER;
	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		hb_send_beat(hb, node, now);
	if (hb->conf.keys.count > 1 && ++hb->keys_rounds >= HB_KEYS_ROUNDS)
		hb_send_keys(hb, now);
}

void hb_set_beat(struct hb *hb, const uint8_t *bytes, size_t size, yoke_time now)
{
	yoke_time allowed = now;

	assert(size <= YOKE_PAYLOAD_SIZE);
	if (size == hb->beat_size && memcmp(hb->beat, bytes, size) == 0)
		return;
	memcpy(hb->beat, bytes, size);
	hb->beat_size = (uint16_t)size;
	for (uint16_t path = 1; path <= hb->conf.path_count; path++)
		if (hb_is_post(hb, path))
			hb_post_hurry(hb, path, now);
	if (!yoke_time_is_never(hb->round_at))
		allowed = yoke_time_add_us(hb->round_at, hb->conf.interval_us / 4);
	if (yoke_time_due(allowed, now))
		send_round(hb, now);
	else
		hb->extra_at = allowed;
}

yoke_time hb_deadline(const struct hb *hb)
{
	yoke_time at = yoke_time_min(hb->beat_at, hb->extra_at);

	at = yoke_time_min(at, hb_bulk_deadline(hb));
	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		at = yoke_time_min(at, hb_udp_deadline(&hb->udp[path - 1]));
		at = yoke_time_min(at, hb_line_deadline(&hb->line[path - 1]));
		at = yoke_time_min(at, hb_post_deadline(hb, path));
		for (uint16_t node = 1; node <= hb->conf.node_count; node++)
			if (hb_has_path(hb, node, path))
				at = yoke_time_min(at, hb_path_deadline(hb_path_of(hb, node, path),
									hb->seen_at));
	}
	return at;
}

/* A stall is told from the beats, which are always due, and which nothing but hb_tick() moves on.
 */
static uint32_t notice_stall(struct hb *hb, yoke_time now)
{
	int64_t late_us = yoke_time_span_us(hb->beat_at, now);

	if (late_us <= (int64_t)hb->conf.late_us)
		return 0;
	for (unsigned i = 0; i < YOKE_NODES_MAX; i++)
		for (unsigned j = 0; j < YOKE_PATHS_MAX; j++)
			hb_path_stalled(&hb->peer[i].path[j], now);
	late_us /= 1000;
	return late_us > UINT32_MAX ? UINT32_MAX : late_us < 1 ? 1 : (uint32_t)late_us;
}

static void judge_paths(struct hb *hb, uint16_t node, bool is_public, yoke_time now,
			struct hb_changes *changes)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		struct hb_path *p = &hb->peer[node - 1].path[path - 1];
		enum yoke_path_state from = p->state;

		if (hb->conf.is_public[path - 1] == is_public && hb_has_path(hb, node, path) &&
		    hb_path_update(p, now))
			hb_changes_add(changes, node, path, from, p);
	}
}

/* By which times a public path is judged depends on the private ones. */
static void judge(struct hb *hb, yoke_time now, struct hb_changes *changes)
{
	for (uint16_t node = 1; node <= hb->conf.node_count; node++) {
		judge_paths(hb, node, false, now, changes);
		hb_public_choose(hb, node, now);
		judge_paths(hb, node, true, now, changes);
		/* What it began to say before a silence may not be so any more. */
		if (!hb_peer_is_proven(&hb->peer[node - 1], now))
			hb_part_forget(&hb->peer[node - 1].parts);
	}
}

uint32_t hb_tick(struct hb *hb, yoke_time now, struct hb_changes *changes)
{
	uint32_t stall_ms = notice_stall(hb, now);

	changes->count = 0;
	hb->seen_at = now;
	for (uint16_t path = 1; path <= hb->conf.path_count; path++)
		hb_udp_maintain(&hb->udp[path - 1], now);
	if (yoke_time_due(hb->beat_at, now)) {
		bool is_behind = yoke_time_span_us(hb->beat_at, now) > hb->conf.interval_us;

		send_round(hb, now);
		hb->beat_at = yoke_time_add_us(is_behind ? now : hb->beat_at, hb->conf.interval_us);
	} else if (yoke_time_due(hb->extra_at, now)) {
		send_round(hb, now);
	}
	judge(hb, now, changes);
	for (uint16_t path = 1; path <= hb->conf.path_count; path++)
		if (hb_is_line(hb, path))
			hb_line_tick(hb, path, now);
		else if (hb_is_post(hb, path))
			hb_post_tick(hb, path, now);
	hb_bulk_tick(hb, now);
	return stall_ms;
}

const struct hb_path *hb_path_of(const struct hb *hb, uint16_t node, uint16_t path)
{
	assert(node >= 1 && node <= YOKE_NODES_MAX && path >= 1 && path <= YOKE_PATHS_MAX);
	return &hb->peer[node - 1].path[path - 1];
}
