/* Fuzz what hb does with a datagram of a witness or to it.  The seeds in tests/fuzz/hb_witness have
 * authentic frames of each kind and result.  The first byte says what the rest is:
 *   bit 0  set: the whole datagram.  What is taken must be what would have been sent: sealed again
 *          it is the same, byte for byte
 *          else: the fields of a frame that is sealed with the key, then which byte of it an
 *          attacker changes, and by what.  It comes back as it was, if its values exist; changed it
 *          is refused */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "hb/witness.h"

enum { FIELDS_SIZE = 2 + HB_WITNESS_CLUSTER_SIZE + 8 + 8 + HB_WITNESS_CONTENT_SIZE + 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t cluster_key[HB_KEY_SIZE] = {7};
static struct hb_seal_key key;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* As one does that was sent it: with the key of whom it says that it is from. */
static bool take(const uint8_t *bytes, size_t size, struct hb_witness_frame *frame)
{
	if (!hb_witness_get_header(bytes, size, frame))
		return false;
	expect(size == HB_WITNESS_FRAME_SIZE);
	expect(hb_witness_derive(&key, cluster_key, frame->sender, frame->incarnation) == 0);
	return hb_witness_open(&key, bytes, frame);
}

static void take_raw(const uint8_t *bytes, size_t size)
{
	struct hb_witness_frame frame;
	uint8_t again[HB_WITNESS_FRAME_SIZE];

	if (!take(bytes, size, &frame))
		return;
	expect(hb_witness_put(&key, &frame, again));
	expect(memcmp(again, bytes, sizeof(again)) == 0);
}

static void read_fields(struct yoke_buf *b, struct hb_witness_frame *frame)
{
	frame->sender = yoke_buf_get_u16(b);
	yoke_buf_get(b, frame->cluster_id, HB_WITNESS_CLUSTER_SIZE);
	frame->incarnation = yoke_buf_get_u64(b);
	frame->sequence = yoke_buf_get_u64(b);
	frame->kind = yoke_buf_get_u8(b);
	frame->result = yoke_buf_get_u8(b);
	frame->node = yoke_buf_get_u16(b);
	frame->lease_ms = yoke_buf_get_u32(b);
	frame->cookie = yoke_buf_get_u64(b);
	frame->echo_incarnation = yoke_buf_get_u64(b);
	frame->echo_sequence = yoke_buf_get_u64(b);
}

static bool is_same(const struct hb_witness_frame *a, const struct hb_witness_frame *b)
{
	return a->sender == b->sender &&
	       memcmp(a->cluster_id, b->cluster_id, sizeof(a->cluster_id)) == 0 &&
	       a->incarnation == b->incarnation && a->sequence == b->sequence &&
	       a->kind == b->kind && a->result == b->result && a->node == b->node &&
	       a->lease_ms == b->lease_ms && a->cookie == b->cookie &&
	       a->echo_incarnation == b->echo_incarnation && a->echo_sequence == b->echo_sequence;
}

static bool exists(const struct hb_witness_frame *frame)
{
	return frame->incarnation != 0 && frame->sequence != 0 &&
	       (frame->kind == HB_WITNESS_CLAIM || frame->kind == HB_WITNESS_RELEASE ||
		frame->kind == HB_WITNESS_LOOK) &&
	       (frame->result == 0 || frame->result == HB_WITNESS_YES ||
		frame->result == HB_WITNESS_NO || frame->result == HB_WITNESS_CHALLENGE ||
		frame->result == HB_WITNESS_UNSAVED);
}

static void take_sealed(const uint8_t fields[FIELDS_SIZE])
{
	struct hb_witness_frame sent = {0}, got;
	uint8_t bytes[HB_WITNESS_FRAME_SIZE], at, change;
	struct yoke_buf b;

	yoke_buf_init_read(&b, fields, FIELDS_SIZE);
	read_fields(&b, &sent);
	at = yoke_buf_get_u8(&b);
	change = yoke_buf_get_u8(&b);
	expect(hb_witness_derive(&key, cluster_key, sent.sender, sent.incarnation) == 0);
	expect(hb_witness_put(&key, &sent, bytes));
	expect(take(bytes, sizeof(bytes), &got) == exists(&sent));
	expect(!exists(&sent) || is_same(&got, &sent));
	bytes[at % sizeof(bytes)] ^= change;
	expect(change == 0 || !take(bytes, sizeof(bytes), &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t fields[FIELDS_SIZE] = {0};

	if (size == 0)
		return 0;
	expect(key.context != NULL || hb_seal_init(&key) == 0);
	size--;
	if ((data[0] & 1) != 0) {
		take_raw(data + 1, size);
		return 0;
	}
	memcpy(fields, data + 1, size < sizeof(fields) ? size : sizeof(fields));
	take_sealed(fields);
	return 0;
}
