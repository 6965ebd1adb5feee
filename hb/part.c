#include "hb/part.h"

#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"

static_assert(HB_PARTS_MAX <= UINT8_MAX, "a part has a byte for its number");

void hb_part_set(struct hb_part_out *message, const uint8_t *bytes, size_t size)
{
	assert(size >= 1 && size <= YOKE_MESSAGE_SIZE);
	if (message->size == size && memcmp(message->bytes, bytes, size) == 0)
		return;
	message->size = (uint16_t)size;
	memcpy(message->bytes, bytes, size);
	message->number = message->number == UINT32_MAX ? 1 : message->number + 1;
}

unsigned hb_part_count(size_t size)
{
	return (unsigned)((size + HB_PART_BYTES - 1) / HB_PART_BYTES);
}

size_t hb_part_put(const struct hb_part_out *message, unsigned which, uint8_t out[HB_PART_SIZE_MAX])
{
	size_t from = (size_t)which * HB_PART_BYTES, left = message->size - from;
	struct yoke_buf b;

	assert(from < message->size);
	yoke_buf_init(&b, out, HB_PART_SIZE_MAX);
	yoke_buf_put_u32(&b, message->number);
	yoke_buf_put_u8(&b, (uint8_t)which);
	yoke_buf_put_u8(&b, (uint8_t)hb_part_count(message->size));
	yoke_buf_put(&b, message->bytes + from, left < HB_PART_BYTES ? left : HB_PART_BYTES);
	return b.used;
}

/* All parts are full but the last one, which is not empty; together they are a message. */
static bool is_part(unsigned which, unsigned count, size_t size)
{
	if (count > HB_PARTS_MAX || which >= count || size > HB_PART_BYTES)
		return false;
	if (which + 1 < count)
		return size == HB_PART_BYTES;
	return size > 0 && which * HB_PART_BYTES + size <= YOKE_MESSAGE_SIZE;
}

void hb_part_forget(struct hb_part_in *in)
{
	in->came = 0;
	memset(in->has, 0, sizeof(in->has));
}

size_t hb_part_take(struct hb_part_in *in, const uint8_t *bytes, size_t size)
{
	uint32_t number;
	unsigned which, count;
	struct yoke_buf b;

	yoke_buf_init_read(&b, bytes, size);
	number = yoke_buf_get_u32(&b);
	which = yoke_buf_get_u8(&b);
	count = yoke_buf_get_u8(&b);
	if (!yoke_buf_ok(&b) || number == 0 || !is_part(which, count, yoke_buf_left(&b)))
		return 0;
	if (number != in->number || count != in->count) {
		in->number = number;
		in->count = (uint8_t)count;
		hb_part_forget(in);
	}
	if (which + 1 == count)
		in->size = (uint16_t)(which * HB_PART_BYTES + yoke_buf_left(&b));
	yoke_buf_get(&b, in->bytes + which * HB_PART_BYTES, yoke_buf_left(&b));
	in->came += !in->has[which];
	in->has[which] = true;
	if (in->came < count)
		return 0;
	hb_part_forget(in);
	return in->size;
}
