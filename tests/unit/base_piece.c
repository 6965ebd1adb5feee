/* Texts in pieces: what is lost is asked again, what comes twice or out of order adds nothing, and
 * what a stranger makes up stays inside its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/piece.h"

enum { ROOM = 166, THERE = 5000, BACK = 777, TURNS = 4000 };

static struct yoke_transfer asks, answers;
static uint32_t random_state = 1;

static uint32_t random_next(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}

static void begin(void)
{
	memset(&asks, 0, sizeof(asks));
	memset(&answers, 0, sizeof(answers));
	asks.number = answers.number = 7;
	asks.out_size = THERE;
	answers.out_size = BACK;
	for (unsigned i = 0; i < THERE; i++)
		asks.out[i] = (char)('a' + i % 26);
	for (unsigned i = 0; i < BACK; i++)
		answers.out[i] = (char)('0' + i % 10);
}

/* One end speaks, over bytes, and the other one hears it, or not, or twice. */
static void say(struct yoke_transfer *from, struct yoke_transfer *to, unsigned lost, unsigned twice)
{
	struct yoke_piece piece = {.kind = YOKE_PIECE_ASK};
	uint8_t bytes[YOKE_PIECE_SIZE];
	size_t size;

	yoke_transfer_next(from, ROOM, &piece);
	size = yoke_piece_put(&piece, bytes);
	assert_true(size <= ROOM);
	if (random_next() % 100 < lost)
		return;
	memset(&piece, 0xff, sizeof(piece));
	assert_true(yoke_piece_get(bytes, size, &piece));
	(void)yoke_transfer_take(to, &piece);
	if (random_next() % 100 < twice)
		assert_false(yoke_transfer_take(to, &piece));
}

static void whole_texts_come_through_loss_and_repetition(void **state)
{
	unsigned turns = 0;

	(void)state;
	begin();
	while (!yoke_transfer_has_all(&asks) || !yoke_transfer_has_all(&answers)) {
		assert_true(++turns < TURNS);
		say(&asks, &answers, 30, 30);
		say(&answers, &asks, 30, 30);
	}
	assert_memory_equal(answers.in, asks.out, THERE);
	assert_memory_equal(asks.in, answers.out, BACK);
	assert_int_equal(answers.in_size, THERE);
	assert_int_equal(asks.in[BACK], '\0');
}

static void without_loss_no_piece_is_said_twice(void **state)
{
	unsigned turns = 0, bytes = ROOM - YOKE_PIECE_HEADER_SIZE;

	(void)state;
	begin();
	for (; !yoke_transfer_has_all(&answers); turns++) {
		say(&asks, &answers, 0, 0);
		say(&answers, &asks, 0, 0);
	}
	assert_int_equal(turns, (THERE + bytes - 1) / bytes);
}

static void what_is_no_piece_is_refused(void **state)
{
	struct yoke_piece piece = {.kind = YOKE_PIECE_ASK, .number = 1, .total = 10, .size = 10};
	uint8_t bytes[YOKE_PIECE_SIZE + 1] = {0};
	size_t size = yoke_piece_put(&piece, bytes);

	(void)state;
	assert_true(yoke_piece_get(bytes, size, &piece));
	assert_false(yoke_piece_get(bytes, YOKE_PIECE_HEADER_SIZE - 1, &piece));
	assert_false(yoke_piece_get(bytes, sizeof(bytes), &piece));
	assert_false(yoke_piece_get(bytes, size + 1, &piece)); /* more than there is */
	bytes[13] = 1;
	assert_false(yoke_piece_get(bytes, size, &piece)); /* behind its end */
	bytes[13] = 0;
	bytes[14] = 0x7f;
	assert_false(yoke_piece_get(bytes, size, &piece)); /* of too long a text */
	bytes[14] = 0;
	bytes[0] = 3;
	assert_false(yoke_piece_get(bytes, size, &piece));
}

static void garbage_stays_in_its_bounds(void **state)
{
	uint8_t bytes[YOKE_PIECE_SIZE];
	struct yoke_piece piece;

	(void)state;
	begin();
	for (unsigned i = 0; i < 200000; i++) {
		size_t size = random_next() % (YOKE_PIECE_SIZE + 1);

		for (size_t j = 0; j < size; j++)
			bytes[j] = (uint8_t)random_next();
		if (size > 17) {
			bytes[0] = 1 + (i & 1);
			bytes[10] = bytes[14] = 0;
			bytes[11] = bytes[15] = 0;
		}
		if (!yoke_piece_get(bytes, size, &piece))
			continue;
		(void)yoke_transfer_take(&answers, &piece);
		assert_true(answers.in_size <= answers.in_total);
		assert_true(answers.out_taken <= answers.out_size);
		yoke_transfer_next(&answers, ROOM, &piece);
		assert_true(piece.size <= ROOM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_come_through_loss_and_repetition),
		cmocka_unit_test(without_loss_no_piece_is_said_twice),
		cmocka_unit_test(what_is_no_piece_is_refused),
		cmocka_unit_test(garbage_stays_in_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
