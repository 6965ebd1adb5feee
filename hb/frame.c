#include "hb/frame.h"

static const uint32_t magic = 0x594f4b45; /* "YOKE" */

enum { NIBBLE_BITS = 4, NIBBLE = 0x0f };

void hb_frame_put_header(struct yoke_buf *b, const struct hb_frame_header *header)
{
	yoke_buf_put_u32(b, magic);
	yoke_buf_put_u8(b, HB_FRAME_VERSION);
	yoke_buf_put_u8(b, header->key_id);
	yoke_buf_put_u16(b, header->sender);
	yoke_buf_put(b, header->cluster_id, HB_FRAME_CLUSTER_SIZE);
	yoke_buf_put_u64(b, header->incarnation);
	yoke_buf_put_u64(b, header->sequence);
}

void hb_frame_put_content(struct yoke_buf *b, const struct hb_frame_content *content)
{
	yoke_buf_put_u8(b, content->kind);
	yoke_buf_put_u8(b, content->path);
	yoke_buf_put_u16(b, content->receiver);
	yoke_buf_put_u32(b, content->count);
	yoke_buf_put_u64(b, content->echo_incarnation);
	yoke_buf_put_u64(b, content->echo_sequence);
	yoke_buf_put_u32(b, content->echo_age_us);
}

enum hb_refusal hb_frame_get_header(const uint8_t *bytes, size_t size,
				    struct hb_frame_header *header)
{
	struct yoke_buf b;
	uint8_t protocols;

	if (size < HB_FRAME_SIZE_MIN || size > HB_FRAME_SIZE_MAX)
		return HB_REFUSED_LENGTH;
	yoke_buf_init_read(&b, bytes, size);
	if (yoke_buf_get_u32(&b) != magic)
		return HB_REFUSED_CLUSTER;
	protocols = yoke_buf_get_u8(&b);
	header->oldest = protocols & NIBBLE;
	header->newest = (uint8_t)(header->oldest + (protocols >> NIBBLE_BITS));
	header->key_id = yoke_buf_get_u8(&b);
	header->sender = yoke_buf_get_u16(&b);
	yoke_buf_get(&b, header->cluster_id, HB_FRAME_CLUSTER_SIZE);
	header->incarnation = yoke_buf_get_u64(&b);
	header->sequence = yoke_buf_get_u64(&b);
	return header->oldest <= HB_FRAME_VERSION && HB_FRAME_VERSION <= header->newest
		       ? HB_REFUSALS
		       : HB_REFUSED_VERSION;
}

void hb_frame_get_content(struct yoke_buf *b, struct hb_frame_content *content)
{
	content->kind = yoke_buf_get_u8(b);
	content->path = yoke_buf_get_u8(b);
	content->receiver = yoke_buf_get_u16(b);
	content->count = yoke_buf_get_u32(b);
	content->echo_incarnation = yoke_buf_get_u64(b);
	content->echo_sequence = yoke_buf_get_u64(b);
	content->echo_age_us = yoke_buf_get_u32(b);
}
