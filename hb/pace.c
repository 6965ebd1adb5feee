#include "hb/pace.h"

#include "agent/base/baud.h"

enum { US_PER_SECOND = 1000000, SLOW_INTERVALS = 2 };

void hb_pace_init(struct hb_pace *pace, uint32_t baud, uint32_t interval_us)
{
	*pace = (struct hb_pace){.baud = baud, .interval_us = interval_us};
}

uint32_t hb_pace_us(const struct hb_pace *pace, size_t bytes)
{
	uint64_t bits = (uint64_t)bytes * YOKE_SERIAL_BITS;

	return (uint32_t)((bits * US_PER_SECOND + pace->baud - 1) / pace->baud);
}

yoke_time hb_pace_beat_at(const struct hb_pace *pace)
{
	return yoke_time_max(pace->busy_until, yoke_time_min(pace->even_at, pace->slow_at));
}

yoke_time hb_pace_message_at(const struct hb_pace *pace)
{
	return yoke_time_max(pace->busy_until, pace->urgent_at);
}

yoke_time hb_pace_part_at(const struct hb_pace *pace)
{
	return pace->busy_until;
}

yoke_time hb_pace_bulk_at(const struct hb_pace *pace)
{
	return yoke_time_max(pace->busy_until, pace->even_at);
}

/* Until when it is paid, behind what is to be paid until `at`. */
static yoke_time paid_at(yoke_time at, uint32_t span_us, yoke_time now)
{
	return yoke_time_add_us(yoke_time_max(at, now), (int64_t)span_us * YOKE_SERIAL_SHARE);
}

void hb_pace_sent_bulk(struct hb_pace *pace, size_t bytes, yoke_time now)
{
	uint32_t span_us = hb_pace_us(pace, bytes);

	pace->busy_until = yoke_time_add_us(now, span_us);
	pace->even_at = paid_at(pace->even_at, span_us, now);
}

void hb_pace_sent(struct hb_pace *pace, size_t bytes, bool is_beat, yoke_time now)
{
	hb_pace_sent_bulk(pace, bytes, now);
	pace->urgent_at = paid_at(pace->urgent_at, hb_pace_us(pace, bytes), now);
	if (is_beat)
		pace->slow_at = yoke_time_add_us(now, (int64_t)pace->interval_us * SLOW_INTERVALS);
}
