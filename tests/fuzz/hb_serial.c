/* Fuzz what is read from a serial line: bytes from anybody, between zeros or not.
 *   - Whatever came, the first whole frame behind it is read (hb_cobs_take).
 *   - Any bytes that are a frame come out as they went in (hb_cobs_encode).
 *   - Any bytes may claim to be a part of a message (hb_part_take): what they make whole has the
 *     length of its parts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hb/cobs.h"
#include "hb/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

/* What the last byte ended.  Each frame on the way is given to the parts. */
static int read_line(struct hb_cobs *decoder, struct hb_part_in *parts, const uint8_t *bytes,
		     size_t size)
{
	int got = HB_COBS_NOTHING;

	for (size_t i = 0; i < size; i++) {
		got = hb_cobs_take(decoder, bytes[i]);
		must(got <= HB_COBS_FRAME_MAX);
		if (got > 0)
			must(hb_part_take(parts, decoder->bytes, (size_t)got) <= YOKE_MESSAGE_SIZE);
	}
	return got;
}

static void expect_frame(struct hb_cobs *decoder, struct hb_part_in *parts, const uint8_t *frame,
			 size_t size)
{
	uint8_t line[HB_COBS_SIZE_MAX + 2];
	size_t used;

	line[0] = 0;
	used = hb_cobs_encode(frame, size, line + 1);
	must(memchr(line + 1, 0, used) == NULL);
	line[used + 1] = 0;
	must(read_line(decoder, parts, line, used + 2) == (int)size);
	must(memcmp(decoder->bytes, frame, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t beat[] = "\0a heart\0beat\0";
	struct hb_cobs decoder = {0};
	struct hb_part_in parts = {0};

	(void)read_line(&decoder, &parts, data, size);
	expect_frame(&decoder, &parts, beat, sizeof(beat));
	if (size >= 1 && size <= HB_COBS_FRAME_MAX)
		expect_frame(&decoder, &parts, data, size);
	return 0;
}
