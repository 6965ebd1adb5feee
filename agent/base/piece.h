/* agent/base/piece.h - a piece of a text that goes from one node to the other and back.
 *
 * `yoke config` asks, a process of root's on the other node answers (agent/courier.h); whatever is
 * between them carries pieces without looking further than what begins each:
 *
 *   0  kind                            6  taken: bytes of the other's text that the sender has
 *   1  verb: what is asked for        10  offset of these bytes in the sender's own text
 *   2  number of the transfer, 1..    14  total: bytes of that text
 *   (big-endian)                      18  state, of an answer
 *                                     19  bytes
 *
 * Each ask is answered by one answer and nobody else speaks, so one piece at most is on its way.
 * What is lost is asked again; what comes twice says what is known already (taken, offset).
 *
 * Layer: base, pure.  Memory: the caller owns all bytes.
 * Example: tests/unit/base_piece.c.
 */
#ifndef AGENT_BASE_PIECE_H
#define AGENT_BASE_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	YOKE_PIECE_HEADER_SIZE = 19,
	YOKE_PIECE_SIZE = 400, /* bytes with the header; as text it fits a request (json.h) */
	YOKE_PIECE_BYTES = YOKE_PIECE_SIZE - YOKE_PIECE_HEADER_SIZE,
	YOKE_PIECE_TEXT_MAX = 262144 + 1024, /* bytes of one text: a configuration, and what is said
						with it */
};

enum yoke_piece_kind { YOKE_PIECE_ASK = 1, YOKE_PIECE_ANSWER = 2 };

enum yoke_piece_verb {
	YOKE_PIECE_GET = 1, /* nothing goes there; back: a line "NONCE same|other", a line with the
			       file's name, the file */
	YOKE_PIECE_PUT = 2, /* there: a line with the seal (conf/push.h), the file; back: what came
			       of it, a line for each thing */
};

enum yoke_piece_state {
	YOKE_PIECE_MORE = 1,    /* the text that is asked by is not whole yet, or being judged */
	YOKE_PIECE_DONE = 2,    /* it succeeded; the text is what came of it */
	YOKE_PIECE_REFUSED = 3, /* the text says why, and what became of the file */
	YOKE_PIECE_UNKNOWN = 4, /* the transfer's beginning is not known here (any more) */
};

struct yoke_piece {
	uint8_t kind, verb, state;
	uint32_t number, taken, offset, total;
	uint16_t size;
	uint8_t bytes[YOKE_PIECE_BYTES];
};

/* Returns its size. */
size_t yoke_piece_put(const struct yoke_piece *piece, uint8_t out[YOKE_PIECE_SIZE]);

/* Returns false when the bytes are no piece. */
bool yoke_piece_get(const uint8_t *bytes, size_t size, struct yoke_piece *piece);

/* One end of a transfer: the own text, and what has come of the other's. */
struct yoke_transfer {
	uint32_t number; /* 0: there is none */
	uint8_t verb;
	uint32_t out_size, out_taken; /* of out; the other has said that it has so much */
	uint32_t in_size, in_total;   /* of in; and of it when it is whole */
	bool begun;                   /* something has come */
	char out[YOKE_PIECE_TEXT_MAX];
	char in[YOKE_PIECE_TEXT_MAX + 1]; /* a NUL behind in_size */
};

/* Take what a piece of the same transfer brings.  Returns whether it brought anything new. */
bool yoke_transfer_take(struct yoke_transfer *t, const struct yoke_piece *piece);

/* The next piece: at most `room` bytes with the header (kind and state are the caller's). */
void yoke_transfer_next(const struct yoke_transfer *t, unsigned room, struct yoke_piece *piece);

/* Has all of the other's text come? */
bool yoke_transfer_has_all(const struct yoke_transfer *t);

#endif
