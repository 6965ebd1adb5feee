#include "hb/window.h"

#include <string.h>

void hb_window_init(struct hb_window *w)
{
	memset(w, 0, sizeof(*w));
}

bool hb_window_is_new(const struct hb_window *w, uint64_t sequence)
{
	uint64_t behind;

	if (sequence == 0)
		return false;
	if (sequence > w->highest)
		return true;
	behind = w->highest - sequence;
	if (behind >= HB_WINDOW_WIDTH)
		return false;
	return (w->seen[behind / 64] >> (behind % 64) & 1) == 0;
}

/* Move every bit to where it is `by` sequences further behind. */
static void slide(struct hb_window *w, uint64_t by)
{
	unsigned words, bits;

	if (by >= HB_WINDOW_WIDTH) {
		memset(w->seen, 0, sizeof(w->seen));
		return;
	}
	words = (unsigned)(by / 64);
	bits = (unsigned)(by % 64);
	for (unsigned i = HB_WINDOW_WORDS; i-- > 0;) {
		uint64_t word = i >= words ? w->seen[i - words] << bits : 0;

		if (bits > 0 && i > words)
			word |= w->seen[i - words - 1] >> (64 - bits);
		w->seen[i] = word;
	}
}

bool hb_window_take(struct hb_window *w, uint64_t sequence)
{
	uint64_t behind;

	if (!hb_window_is_new(w, sequence))
		return false;
	if (sequence > w->highest) {
		slide(w, sequence - w->highest);
		w->highest = sequence;
	}
	behind = w->highest - sequence;
	w->seen[behind / 64] |= UINT64_C(1) << (behind % 64);
	return true;
}
