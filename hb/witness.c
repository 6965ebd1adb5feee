#include "hb/witness.h"

#include <string.h>

#include "agent/base/buf.h"

enum { MAGIC = 0x594f4b57, VERSION = 1, OWN_KEYS = 0x8000 };

int hb_witness_derive(struct hb_seal_key *key, const uint8_t cluster_key[HB_KEY_SIZE],
		      uint16_t sender, uint64_t incarnation)
{
	return hb_seal_derive(key, cluster_key, sender | OWN_KEYS, incarnation);
}

static void put_header(struct yoke_buf *b, const struct hb_witness_frame *frame)
{
	yoke_buf_put_u32(b, MAGIC);
	yoke_buf_put_u8(b, VERSION);
	yoke_buf_put_u8(b, 0);
	yoke_buf_put_u16(b, frame->sender);
	yoke_buf_put(b, frame->cluster_id, HB_WITNESS_CLUSTER_SIZE);
	yoke_buf_put_u64(b, frame->incarnation);
	yoke_buf_put_u64(b, frame->sequence);
}

bool hb_witness_put(const struct hb_seal_key *key, const struct hb_witness_frame *frame,
		    uint8_t bytes[HB_WITNESS_FRAME_SIZE])
{
	uint8_t *content = bytes + HB_WITNESS_HEADER_SIZE;
	struct yoke_buf b;

	yoke_buf_init(&b, bytes, HB_WITNESS_HEADER_SIZE + HB_WITNESS_CONTENT_SIZE);
	put_header(&b, frame);
	yoke_buf_put_u8(&b, frame->kind);
	yoke_buf_put_u8(&b, frame->result);
	yoke_buf_put_u16(&b, frame->node);
	yoke_buf_put_u32(&b, frame->lease_ms);
	yoke_buf_put_u64(&b, frame->cookie);
	yoke_buf_put_u64(&b, frame->echo_incarnation);
	yoke_buf_put_u64(&b, frame->echo_sequence);
	return hb_seal_close(key, frame->sequence, bytes, HB_WITNESS_HEADER_SIZE, content,
			     HB_WITNESS_CONTENT_SIZE, content + HB_WITNESS_CONTENT_SIZE);
}

bool hb_witness_get_header(const uint8_t *bytes, size_t size, struct hb_witness_frame *frame)
{
	struct yoke_buf b;
	bool ours;

	memset(frame, 0, sizeof(*frame));
	if (size != HB_WITNESS_FRAME_SIZE)
		return false;
	yoke_buf_init_read(&b, bytes, size);
	ours = yoke_buf_get_u32(&b) == MAGIC;
	ours = yoke_buf_get_u8(&b) == VERSION && ours;
	ours = yoke_buf_get_u8(&b) == 0 && ours;
	frame->sender = yoke_buf_get_u16(&b);
	yoke_buf_get(&b, frame->cluster_id, HB_WITNESS_CLUSTER_SIZE);
	frame->incarnation = yoke_buf_get_u64(&b);
	frame->sequence = yoke_buf_get_u64(&b);
	return ours && frame->incarnation != 0 && frame->sequence != 0;
}

bool hb_witness_open(const struct hb_seal_key *key, const uint8_t bytes[HB_WITNESS_FRAME_SIZE],
		     struct hb_witness_frame *frame)
{
	const uint8_t *sealed = bytes + HB_WITNESS_HEADER_SIZE;
	uint8_t content[HB_WITNESS_CONTENT_SIZE];
	struct yoke_buf b;

	if (!hb_seal_open(key, frame->sequence, bytes, HB_WITNESS_HEADER_SIZE, sealed,
			  HB_WITNESS_CONTENT_SIZE, sealed + HB_WITNESS_CONTENT_SIZE, content))
		return false;
	yoke_buf_init_read(&b, content, sizeof(content));
	frame->kind = yoke_buf_get_u8(&b);
	frame->result = yoke_buf_get_u8(&b);
	frame->node = yoke_buf_get_u16(&b);
	frame->lease_ms = yoke_buf_get_u32(&b);
	frame->cookie = yoke_buf_get_u64(&b);
	frame->echo_incarnation = yoke_buf_get_u64(&b);
	frame->echo_sequence = yoke_buf_get_u64(&b);
	return frame->kind >= HB_WITNESS_CLAIM && frame->kind <= HB_WITNESS_LOOK &&
	       frame->result <= HB_WITNESS_UNSAVED;
}
