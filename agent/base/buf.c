#include "agent/base/buf.h"

#include <string.h>

void yoke_buf_init(struct yoke_buf *b, void *bytes, size_t size)
{
	*b = (struct yoke_buf){.bytes = bytes, .size = size};
}

void yoke_buf_init_read(struct yoke_buf *b, const void *bytes, size_t size)
{
	yoke_buf_init(b, (void *)(uintptr_t)bytes, size);
}

bool yoke_buf_ok(const struct yoke_buf *b)
{
	return !b->overflow;
}

size_t yoke_buf_left(const struct yoke_buf *b)
{
	return b->overflow ? 0 : b->size - b->used;
}

/* The next `size` bytes, or NULL (and overflow) when there are not so many. */
static uint8_t *take(struct yoke_buf *b, size_t size)
{
	uint8_t *p;

	if (b->overflow || size > b->size - b->used) {
		b->overflow = true;
		return NULL;
	}
	p = b->bytes + b->used;
	b->used += size;
	return p;
}

static void put_number(struct yoke_buf *b, uint64_t v, size_t size)
{
	uint8_t *p = take(b, size);

	for (size_t i = 0; p != NULL && i < size; i++)
		p[i] = (uint8_t)(v >> (8 * (size - 1 - i)));
}

static uint64_t get_number(struct yoke_buf *b, size_t size)
{
	const uint8_t *p = take(b, size);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < size; i++)
		v = v << 8 | p[i];
	return v;
}

void yoke_buf_put_u8(struct yoke_buf *b, uint8_t v)
{
	put_number(b, v, 1);
}

void yoke_buf_put_u16(struct yoke_buf *b, uint16_t v)
{
	put_number(b, v, 2);
}

void yoke_buf_put_u32(struct yoke_buf *b, uint32_t v)
{
	put_number(b, v, 4);
}

void yoke_buf_put_u64(struct yoke_buf *b, uint64_t v)
{
	put_number(b, v, 8);
}

void yoke_buf_put(struct yoke_buf *b, const void *bytes, size_t size)
{
	uint8_t *p = take(b, size);

	if (p != NULL && size > 0)
		memcpy(p, bytes, size);
}

void yoke_buf_put_text(struct yoke_buf *b, const char *text)
{
	size_t len = strlen(text);

	if (len > UINT8_MAX)
		len = UINT8_MAX;
	yoke_buf_put_u8(b, (uint8_t)len);
	yoke_buf_put(b, text, len);
}

uint8_t yoke_buf_get_u8(struct yoke_buf *b)
{
	return (uint8_t)get_number(b, 1);
}

uint16_t yoke_buf_get_u16(struct yoke_buf *b)
{
	return (uint16_t)get_number(b, 2);
}

uint32_t yoke_buf_get_u32(struct yoke_buf *b)
{
	return (uint32_t)get_number(b, 4);
}

uint64_t yoke_buf_get_u64(struct yoke_buf *b)
{
	return get_number(b, 8);
}

void yoke_buf_get(struct yoke_buf *b, void *bytes, size_t size)
{
	const uint8_t *p = take(b, size);

	if (p != NULL && size > 0)
		memcpy(bytes, p, size);
	else if (size > 0)
		memset(bytes, 0, size);
}

void yoke_buf_get_text(struct yoke_buf *b, char *text, size_t size)
{
	size_t len = yoke_buf_get_u8(b);

	if (len + 1 > size) {
		b->overflow = true;
		len = 0;
	}
	yoke_buf_get(b, text, len);
	text[b->overflow ? 0 : len] = '\0';
}
