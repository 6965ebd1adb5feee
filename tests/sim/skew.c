#include "tests/sim/skew.h"

#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/limits.h"

/* The format as it was: kept here, so that a change of agent/core/wire.c cannot change it. */
enum {
	OLD_BEAT = 1,
	OLD_STATE = 2,
	OLD_TAGS_END = 4,
	LENGTH_SIZE = 2,
	OLD_DIGEST_SIZE = 8,
	OLD_HWADDR_SIZE = 6,
	ASKS_BIT = 0x40,
	GRANTS_BIT = 0x80
};

static void skip(struct yoke_buf *b, unsigned count)
{
	uint8_t nothing[UINT8_MAX];

	yoke_buf_get(b, nothing, count);
}

static void skip_text(struct yoke_buf *b)
{
	char text[YOKE_TEXT_SIZE];

	yoke_buf_get_text(b, text, sizeof(text));
}

static void skip_group(struct yoke_buf *b)
{
	unsigned state;

	skip(b, 4); /* name */
	state = yoke_buf_get_u8(b);
	skip(b, 1 + 8); /* cause, term */
	if ((state & ASKS_BIT) != 0)
		skip(b, 8);
	if ((state & GRANTS_BIT) != 0)
		skip(b, 1 + 8);
	skip(b, yoke_buf_get_u8(b)); /* resources */
}

/* Where the details begin: there the message of two versions ago ended. */
static void skip_state(struct yoke_buf *b)
{
	uint16_t groups;

	skip(b, 4 + 1 + OLD_DIGEST_SIZE);
	skip_text(b);
	skip(b, yoke_buf_get_u8(b) * (4 + 1)); /* intents */
	skip(b, 4 + 1 + 1 + 1 + 2 + 2);        /* the operation */
	skip_text(b);
	skip(b, yoke_buf_get_u8(b) * OLD_HWADDR_SIZE);
	groups = yoke_buf_get_u16(b);
	for (uint16_t g = 0; g < groups && yoke_buf_ok(b); g++)
		skip_group(b);
}

/* Take out the sections that were not there.  Returns where the last one ends. */
static size_t keep_old_sections(struct yoke_buf *b, uint8_t *bytes)
{
	size_t end = b->used;

	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		size_t at = b->used, whole;
		uint8_t tag = yoke_buf_get_u8(b);

		whole = 1 + LENGTH_SIZE + yoke_buf_get_u16(b);
		b->used = at + whole;
		if (tag >= OLD_TAGS_END)
			continue;
		memmove(bytes + end, bytes + at, whole);
		end += whole;
	}
	return end;
}

uint16_t sim_skew_cut(uint8_t *bytes, uint16_t size, unsigned versions)
{
	struct yoke_buf b;
	uint8_t tag;

	yoke_buf_init_read(&b, bytes, size);
	tag = yoke_buf_get_u8(&b);
	if (tag != OLD_BEAT && tag != OLD_STATE)
		return size;
	skip(&b, yoke_buf_get_u8(&b) * (1 + 8 + 4)); /* acknowledgements */
	if (tag == OLD_BEAT)
		skip(&b, 1); /* whose lease it renews */
	else
		skip_state(&b);
	if (!yoke_buf_ok(&b))
		return size;
	return (uint16_t)(tag == OLD_BEAT || versions > 1 ? b.used : keep_old_sections(&b, bytes));
}
