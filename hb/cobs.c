#include "hb/cobs.h"

#include <assert.h>

enum { BLOCK_MAX = 0xff }; /* the code of a block of 254 bytes that no zero follows */

size_t hb_cobs_encode(const uint8_t *bytes, size_t size, uint8_t out[HB_COBS_SIZE_MAX])
{
	size_t code_at = 0, used = 1;

	assert(size <= HB_COBS_FRAME_MAX);
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			out[used++] = bytes[i];
		if (bytes[i] == 0 || (used - code_at == BLOCK_MAX && i + 1 < size)) {
			out[code_at] = (uint8_t)(used - code_at);
			code_at = used++;
		}
	}
	out[code_at] = (uint8_t)(used - code_at);
	return used;
}

static void put(struct hb_cobs *c, uint8_t byte)
{
	if (c->used == HB_COBS_FRAME_MAX)
		c->bad = true;
	else
		c->bytes[c->used++] = byte;
}

static int end_of_frame(struct hb_cobs *c)
{
	bool begun = c->begun, good = !c->bad && c->left == 0 && c->used > 0;

	c->begun = false;
	if (!begun)
		return HB_COBS_NOTHING;
	return good ? c->used : HB_COBS_GARBAGE;
}

int hb_cobs_take(struct hb_cobs *c, uint8_t byte)
{
	if (byte == 0)
		return end_of_frame(c);
	if (!c->begun) {
		c->begun = true;
		c->bad = false;
		c->used = 0;
		c->left = 0;
		c->code = BLOCK_MAX; /* no zero before the first block */
	}
	if (c->left > 0) {
		c->left--;
		put(c, byte);
		return HB_COBS_NOTHING;
	}
	if (c->code != BLOCK_MAX)
		put(c, 0);
	c->code = byte;
	c->left = (uint8_t)(byte - 1);
	return HB_COBS_NOTHING;
}
