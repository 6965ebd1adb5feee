#include "tools/cable.h"

#include <string.h>

#include "agent/base/buf.h"

enum { VERSION = 1, CRC_SIZE = 4, BODY_SIZE = TOOL_CABLE_FRAME_SIZE - CRC_SIZE };

static const uint8_t magic[4] = {'Y', 'K', 'S', 'T'};

/* The CRC of Ethernet (IEEE 802.3). */
static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return ~crc;
}

void tool_cable_init(struct tool_cable *cable, uint32_t id)
{
	memset(cable, 0, sizeof(*cable));
	cable->id = id;
}

static uint32_t held_us(const struct tool_cable *cable, yoke_time now)
{
	return cable->other == 0 ? 0 : (uint32_t)yoke_time_span_us(cable->heard_at, now);
}

size_t tool_cable_put(struct tool_cable *cable, yoke_time now, uint8_t out[TOOL_CABLE_LINE_SIZE])
{
	uint8_t frame[TOOL_CABLE_FRAME_SIZE], encoded[HB_COBS_SIZE_MAX];
	struct yoke_buf b;
	size_t size;

	cable->number++;
	cable->sent_at[cable->number % TOOL_CABLE_SENT_MAX] = now;
	/* No byte of a frame this short needs a second block. */
	cable->bytes_sent += TOOL_CABLE_LINE_SIZE;
	yoke_buf_init(&b, frame, sizeof(frame));
	yoke_buf_put(&b, magic, sizeof(magic));
	yoke_buf_put_u32(&b, cable->id);
	yoke_buf_put_u32(&b, cable->number);
	yoke_buf_put_u32(&b, cable->bytes_sent);
	yoke_buf_put_u32(&b, cable->other);
	yoke_buf_put_u32(&b, VERSION);
	yoke_buf_put_u32(&b, cable->last);
	yoke_buf_put_u32(&b, held_us(cable, now));
	yoke_buf_put_u32(&b, cable->here.expected);
	yoke_buf_put_u32(&b, cable->here.whole);
	yoke_buf_put_u32(&b, cable->here.damaged);
	yoke_buf_put_u32(&b, (uint32_t)cable->here.missing);
	while (b.used < BODY_SIZE)
		yoke_buf_put_u8(&b, (uint8_t)(cable->number * 37 + b.used));
	yoke_buf_put_u32(&b, crc_of(frame, BODY_SIZE));
	size = hb_cobs_encode(frame, sizeof(frame), encoded);
	out[0] = 0;
	memcpy(out + 1, encoded, size);
	out[size + 1] = 0;
	return size + 2;
}

static void note_trip(struct tool_cable *cable, uint32_t number, uint32_t held, yoke_time now)
{
	int64_t span_us;

	if (number == 0 || cable->number - number >= TOOL_CABLE_SENT_MAX)
		return;
	span_us = yoke_time_span_us(cable->sent_at[number % TOOL_CABLE_SENT_MAX], now) -
		  (int64_t)held;
	if (span_us < 0)
		span_us = 0; /* two clocks, two rates */
	if (cable->trips == 0 || span_us < cable->trip_us_min)
		cable->trip_us_min = (uint32_t)span_us;
	if (cable->trips == 0 || span_us > cable->trip_us_max)
		cable->trip_us_max = (uint32_t)span_us;
	cable->trip_us_sum += (uint64_t)span_us;
	cable->trips++;
}

/* The first frame of this end's life: what came before it is not counted. */
static void greet(struct tool_cable *cable, uint32_t id, uint32_t number, uint32_t sent)
{
	cable->other = id;
	cable->first = number;
	cable->first_sent = sent;
	cable->first_in = cable->bytes_in;
	memset(&cable->here, 0, sizeof(cable->here));
}

static bool get_there(struct yoke_buf *b, struct tool_cable_received *there)
{
	there->expected = yoke_buf_get_u32(b);
	there->whole = yoke_buf_get_u32(b);
	there->damaged = yoke_buf_get_u32(b);
	there->missing = (int32_t)yoke_buf_get_u32(b);
	return yoke_buf_ok(b);
}

/* Returns false when it is no frame of a test. */
static bool take_frame(struct tool_cable *cable, const uint8_t *frame, yoke_time now)
{
	struct tool_cable_received there;
	uint8_t begin[sizeof(magic)];
	uint32_t id, number, sent, heard, version, echo, held;
	struct yoke_buf b;

	yoke_buf_init_read(&b, frame + BODY_SIZE, CRC_SIZE);
	if (yoke_buf_get_u32(&b) != crc_of(frame, BODY_SIZE))
		return false;
	yoke_buf_init_read(&b, frame, BODY_SIZE);
	yoke_buf_get(&b, begin, sizeof(begin));
	id = yoke_buf_get_u32(&b);
	number = yoke_buf_get_u32(&b);
	sent = yoke_buf_get_u32(&b);
	heard = yoke_buf_get_u32(&b);
	version = yoke_buf_get_u32(&b);
	echo = yoke_buf_get_u32(&b);
	held = yoke_buf_get_u32(&b);
	if (memcmp(begin, magic, sizeof(magic)) != 0 || version != VERSION ||
	    !get_there(&b, &there))
		return false;
	if (id == cable->id) {
		cable->is_loop = true;
		return true;
	}
	if (id != cable->other)
		greet(cable, id, number, sent);
	cable->last = number;
	cable->heard_at = now;
	cable->here.whole++;
	cable->here.expected = number - cable->first + 1;
	cable->here.missing =
		(int32_t)(sent - cable->first_sent - (cable->bytes_in - cable->first_in));
	if (heard == cable->id) {
		cable->is_heard = true;
		cable->there = there;
		note_trip(cable, echo, held, now);
	}
	return true;
}

void tool_cable_take(struct tool_cable *cable, const uint8_t *bytes, size_t size, yoke_time now)
{
	for (size_t i = 0; i < size; i++) {
		int got = hb_cobs_take(&cable->decoder, bytes[i]);

		cable->bytes_in++;
		if (got == HB_COBS_NOTHING)
			continue;
		if (got != TOOL_CABLE_FRAME_SIZE || !take_frame(cable, cable->decoder.bytes, now))
			cable->here.damaged++;
	}
}
