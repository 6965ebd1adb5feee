/* Fuzz what hb does with a datagram.  The seeds in tests/fuzz/hb_frame have each kind of frame, and
 * whole datagrams.  The first byte says how far the rest gets:
 *   bit 0  the rest is the whole datagram; else it is sealed as the content of a good frame of a
 *          peer that knows the key, so that what lies behind the seal is reached, too
 *   bit 1  path 1, or 2, which is a serial line
 *   bits 2..3  the good frame is from: the present incarnation, the one that may be the next, a
 *          new one, the one before
 *   bit 4  time goes on, and our own beats are sent
 *   bit 5  the good frame echoes the newest of them, whatever the rest says: it is fresh
 * Nothing may crash, and nothing may come up that was not sealed with the key, but that a frame of
 * another layout came. */
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/hb_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ECHO_AT = 8 }; /* in a frame's content */

static struct pair pair;
static struct hb_seal_key key;

static uint64_t incarnation_of(unsigned which)
{
	static uint64_t newest = 0xb0;
	const struct hb_peer *peer = &pair.node[0].peer[1];

	if (which == 2 || (which == 0 && peer->incarnation == 0))
		return ++newest;
	if (which == 3)
		return peer->past[(peer->past_count + HB_PAST_MAX - 1) % HB_PAST_MAX];
	return which == 0 ? peer->incarnation : peer->candidate;
}

/* Into the content of a frame. */
static void echo_newest(uint8_t *content)
{
	struct yoke_buf b;

	yoke_buf_init(&b, content + ECHO_AT, HB_FRAME_CONTENT_SIZE - ECHO_AT);
	yoke_buf_put_u64(&b, pair.node[0].conf.incarnation);
	yoke_buf_put_u64(&b, pair.node[0].sequence);
}

/* Seal the input as a frame of node 2; returns its size. */
static size_t seal(uint8_t *frame, uint8_t flags, const uint8_t *content, size_t size)
{
	uint64_t incarnation = incarnation_of(flags >> 2 & 3);
	static uint64_t sequence;
	struct hb_frame_header header = {.key_id = pair.conf.keys.key[0].id,
					 .sender = 2,
					 .incarnation = incarnation,
					 .sequence = ++sequence};
	struct yoke_buf b;

	memcpy(header.cluster_id, pair.conf.cluster_id, sizeof(header.cluster_id));
	yoke_buf_init(&b, frame, HB_FRAME_SIZE_MAX - HB_TAG_SIZE);
	hb_frame_put_header(&b, &header);
	yoke_buf_put(&b, content, size < yoke_buf_left(&b) ? size : yoke_buf_left(&b));
	if ((flags & 32) != 0 && size >= HB_FRAME_CONTENT_SIZE)
		echo_newest(frame + HB_FRAME_HEADER_SIZE);
	if (hb_seal_derive(&key, pair.conf.keys.key[0].bytes, 2, incarnation) != 0 ||
	    !hb_seal_close(&key, sequence, frame, HB_FRAME_HEADER_SIZE,
			   frame + HB_FRAME_HEADER_SIZE, b.used - HB_FRAME_HEADER_SIZE,
			   frame + b.used))
		abort();
	return b.used + HB_TAG_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hb_received received;
	struct hb_changes changes = {0};
	uint8_t frame[HB_FRAME_SIZE_MAX];
	bool is_raw = size > 0 && (data[0] & 1) != 0;
	int taken;

	if (size == 0)
		return 0;
	if (key.context == NULL) {
		pair_init(&pair);
		pair.node[0].conf.line[1].baud = 9600; /* its frames may be parts of a message */
		if (hb_seal_init(&key) != 0)
			abort();
	}
	if ((data[0] & 16) != 0) {
		pair.now = yoke_time_add_us(pair.now, PAIR_INTERVAL_US);
		(void)hb_tick(&pair.node[0], pair.now, &changes);
		(void)pair_drop(&pair, 2, 1);
		(void)pair_drop(&pair, 2, 2);
		changes.count = 0;
	}
	if (!is_raw)
		size = seal(frame, data[0], data + 1, size - 1);
	taken = hb_take(&pair.node[0], 1 + (data[0] >> 1 & 1), is_raw ? data + 1 : frame,
			is_raw ? size - 1 : size, pair.now, &received, &changes);
	if (is_raw && taken != 0 && (received.kind != HB_FOREIGN || received.size != 0))
		abort();
	return 0;
}
