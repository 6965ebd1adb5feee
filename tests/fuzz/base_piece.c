/* Fuzz what is carried in pieces: what an attacker with the key, or a newer yoke, could send.  The
 * input is a row of pieces, each u16 size and so many bytes, taken by one end of a transfer.
 * A piece that is taken is the same when it is written again.  What has come never gets more than
 * was announced, is a string, and its beginning never changes; of our own text only what is there
 * is sent. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/piece.h"

enum { OWN_SIZE = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct yoke_transfer transfer;
static char before[YOKE_PIECE_TEXT_MAX + 1];

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void take(const struct yoke_piece *piece)
{
	uint32_t came = transfer.in_size, taken = transfer.out_taken;
	struct yoke_piece next = {.kind = YOKE_PIECE_ANSWER, .state = YOKE_PIECE_MORE};
	uint8_t bytes[YOKE_PIECE_SIZE];

	memcpy(before, transfer.in, came);
	if (!yoke_transfer_take(&transfer, piece))
		expect(transfer.in_size == came && transfer.out_taken == taken);
	expect(transfer.in_size >= came && transfer.in_size <= transfer.in_total);
	expect(transfer.in[transfer.in_size] == '\0' && memcmp(before, transfer.in, came) == 0);
	expect(transfer.out_taken >= taken && transfer.out_taken <= transfer.out_size);
	yoke_transfer_next(&transfer, piece->size, &next);
	expect(yoke_piece_put(&next, bytes) <= YOKE_PIECE_SIZE);
	expect(next.offset + next.size <= OWN_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yoke_piece piece;
	uint8_t again[YOKE_PIECE_SIZE];

	transfer.number = 1;
	transfer.verb = YOKE_PIECE_GET;
	transfer.begun = false;
	transfer.in_size = transfer.in_total = transfer.out_taken = 0;
	transfer.out_size = OWN_SIZE;
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		if (yoke_piece_get(data, len, &piece)) {
			expect(yoke_piece_put(&piece, again) == len);
			expect(memcmp(again, data, len) == 0);
			take(&piece);
		}
		data += len;
		size -= len;
	}
	return 0;
}
