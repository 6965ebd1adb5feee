/* agent/base/buf.h - a bounded cursor over bytes, big-endian.
 *
 * Every byte that goes to or comes from outside passes here.  Overflow is remembered, not
 * reported: put or get everything, then ask yoke_buf_ok() once.  After an overflow puts write
 * nothing and gets return 0.
 *
 * Layer: base, pure.  Memory: the caller owns the bytes; the cursor lends nothing out.
 * Example: tests/unit/base_buf.c.
 */
#ifndef AGENT_BASE_BUF_H
#define AGENT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yoke_buf {
	uint8_t *bytes;
	size_t size; /* bytes that may be used */
	size_t used; /* bytes put or got so far, <= size */
	bool overflow;
};

void yoke_buf_init(struct yoke_buf *b, void *bytes, size_t size);
/* For reading only: the const is kept by using the get functions alone. */
void yoke_buf_init_read(struct yoke_buf *b, const void *bytes, size_t size);
bool yoke_buf_ok(const struct yoke_buf *b);
/* Bytes left to get or to fill. */
size_t yoke_buf_left(const struct yoke_buf *b);

void yoke_buf_put_u8(struct yoke_buf *b, uint8_t v);
void yoke_buf_put_u16(struct yoke_buf *b, uint16_t v);
void yoke_buf_put_u32(struct yoke_buf *b, uint32_t v);
void yoke_buf_put_u64(struct yoke_buf *b, uint64_t v);
void yoke_buf_put(struct yoke_buf *b, const void *bytes, size_t size);
/* A string of at most 255 bytes: one length byte, then the bytes.  Longer: cut. */
void yoke_buf_put_text(struct yoke_buf *b, const char *text);

uint8_t yoke_buf_get_u8(struct yoke_buf *b);
uint16_t yoke_buf_get_u16(struct yoke_buf *b);
uint32_t yoke_buf_get_u32(struct yoke_buf *b);
uint64_t yoke_buf_get_u64(struct yoke_buf *b);
/* Fills `size` bytes; all zero after an overflow. */
void yoke_buf_get(struct yoke_buf *b, void *bytes, size_t size);
/* Reads what put_text wrote into text[size], always NUL-terminated; longer than fits: overflow. */
void yoke_buf_get_text(struct yoke_buf *b, char *text, size_t size);

#endif
