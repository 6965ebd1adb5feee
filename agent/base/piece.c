#include "agent/base/piece.h"

#include <string.h>

#include "agent/base/buf.h"

size_t yoke_piece_put(const struct yoke_piece *piece, uint8_t out[YOKE_PIECE_SIZE])
{
	struct yoke_buf b;

	yoke_buf_init(&b, out, YOKE_PIECE_SIZE);
	yoke_buf_put_u8(&b, piece->kind);
	yoke_buf_put_u8(&b, piece->verb);
	yoke_buf_put_u32(&b, piece->number);
	yoke_buf_put_u32(&b, piece->taken);
	yoke_buf_put_u32(&b, piece->offset);
	yoke_buf_put_u32(&b, piece->total);
	yoke_buf_put_u8(&b, piece->state);
	yoke_buf_put(&b, piece->bytes, piece->size);
	return b.used;
}

bool yoke_piece_get(const uint8_t *bytes, size_t size, struct yoke_piece *piece)
{
	struct yoke_buf b;

	if (size < YOKE_PIECE_HEADER_SIZE || size > YOKE_PIECE_SIZE)
		return false;
	yoke_buf_init_read(&b, bytes, size);
	piece->kind = yoke_buf_get_u8(&b);
	piece->verb = yoke_buf_get_u8(&b);
	piece->number = yoke_buf_get_u32(&b);
	piece->taken = yoke_buf_get_u32(&b);
	piece->offset = yoke_buf_get_u32(&b);
	piece->total = yoke_buf_get_u32(&b);
	piece->state = yoke_buf_get_u8(&b);
	piece->size = (uint16_t)yoke_buf_left(&b);
	yoke_buf_get(&b, piece->bytes, piece->size);
	return yoke_buf_ok(&b) && piece->number != 0 &&
	       (piece->kind == YOKE_PIECE_ASK || piece->kind == YOKE_PIECE_ANSWER) &&
	       piece->total <= YOKE_PIECE_TEXT_MAX && piece->offset <= piece->total &&
	       piece->size <= piece->total - piece->offset;
}

bool yoke_transfer_take(struct yoke_transfer *t, const struct yoke_piece *piece)
{
	bool is_new = !t->begun;

	/* Nobody's text grows or shrinks but from nothing, which an answer is at first. */
	if (t->in_size > 0 && piece->total != t->in_total)
		return false;
	t->begun = true;
	t->in_total = piece->total;
	if (piece->taken > t->out_taken && piece->taken <= t->out_size) {
		t->out_taken = piece->taken;
		is_new = true;
	}
	if (piece->offset == t->in_size && piece->size > 0) {
		memcpy(t->in + t->in_size, piece->bytes, piece->size);
		t->in_size += piece->size;
		is_new = true;
	}
	t->in[t->in_size] = '\0';
	return is_new;
}

void yoke_transfer_next(const struct yoke_transfer *t, unsigned room, struct yoke_piece *piece)
{
	uint32_t left = t->out_size - t->out_taken;
	uint32_t most = room > YOKE_PIECE_SIZE ? YOKE_PIECE_SIZE : room;

	most = most > YOKE_PIECE_HEADER_SIZE ? most - YOKE_PIECE_HEADER_SIZE : 0;
	piece->verb = t->verb;
	piece->number = t->number;
	piece->taken = t->in_size;
	piece->offset = t->out_taken;
	piece->total = t->out_size;
	piece->size = (uint16_t)(left < most ? left : most);
	memcpy(piece->bytes, t->out + t->out_taken, piece->size);
}

bool yoke_transfer_has_all(const struct yoke_transfer *t)
{
	return t->begun && t->in_size == t->in_total;
}
