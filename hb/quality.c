#include "hb/quality.h"

#include <string.h>

enum { US_PER_SECOND = 1000000, US_PER_MINUTE = 60000000, JITTER_SHARE = 16 };

static unsigned place_of(int64_t number)
{
	return (unsigned)(number % HB_QUALITY_SLOTS);
}

/* The slot of `number`, which is the newest from now on; in those between nothing happened. */
static struct hb_quality_slot *turn(struct hb_quality_ring *ring, int64_t number)
{
	if (number - ring->newest >= HB_QUALITY_SLOTS)
		ring->newest = number - HB_QUALITY_SLOTS;
	while (ring->newest < number) {
		ring->newest++;
		memset(&ring->slot[place_of(ring->newest)], 0, sizeof(ring->slot[0]));
	}
	return &ring->slot[place_of(ring->newest)];
}

static void add(uint32_t *sum, uint32_t n)
{
	*sum = n > UINT32_MAX - *sum ? UINT32_MAX : *sum + n;
}

static void add_frame(struct hb_quality_slot *slot, uint32_t missed)
{
	add(&slot->received, 1);
	add(&slot->missed, missed);
}

void hb_quality_heard(struct hb_quality *q, yoke_time now, uint32_t missed)
{
	add_frame(turn(&q->minute, now.us / US_PER_SECOND), missed);
	add_frame(turn(&q->hour, now.us / US_PER_MINUTE), missed);
}

static void add_trip(struct hb_quality_slot *slot, uint32_t trip_us)
{
	if (slot->trips == 0 || trip_us < slot->trip_min_us)
		slot->trip_min_us = trip_us;
	if (slot->trips == 0 || trip_us > slot->trip_max_us)
		slot->trip_max_us = trip_us;
	add(&slot->trips, 1);
	slot->trip_sum_us += trip_us;
}

void hb_quality_trip(struct hb_quality *q, yoke_time now, uint32_t trip_us)
{
	uint32_t apart_us = trip_us > q->trip_us ? trip_us - q->trip_us : q->trip_us - trip_us;

	if (q->trips > 0)
		q->jitter += apart_us - (q->jitter + JITTER_SHARE / 2) / JITTER_SHARE;
	add(&q->trips, 1);
	q->trip_us = trip_us;
	add_trip(turn(&q->minute, now.us / US_PER_SECOND), trip_us);
}

/* All slots of a ring that are not too old, as one. */
static struct hb_quality_slot sum_of(const struct hb_quality_ring *ring, int64_t number)
{
	struct hb_quality_slot sum = {0};
	int64_t oldest = number - HB_QUALITY_SLOTS + 1;

	for (int64_t n = ring->newest; n >= oldest && n >= 0 && n > ring->newest - HB_QUALITY_SLOTS;
	     n--) {
		const struct hb_quality_slot *slot = &ring->slot[place_of(n)];

		add(&sum.received, slot->received);
		add(&sum.missed, slot->missed);
		if (slot->trips == 0)
			continue;
		if (sum.trips == 0 || slot->trip_min_us < sum.trip_min_us)
			sum.trip_min_us = slot->trip_min_us;
		if (slot->trip_max_us > sum.trip_max_us)
			sum.trip_max_us = slot->trip_max_us;
		add(&sum.trips, slot->trips);
		sum.trip_sum_us += slot->trip_sum_us;
	}
	return sum;
}

static uint32_t loss_permille(const struct hb_quality_slot *sum)
{
	uint64_t sent = (uint64_t)sum->received + sum->missed;

	return sent == 0 ? 0 : (uint32_t)((uint64_t)sum->missed * 1000 / sent);
}

struct hb_quality_view hb_quality_look(const struct hb_quality *q, yoke_time now)
{
	struct hb_quality_slot minute = sum_of(&q->minute, now.us / US_PER_SECOND);
	struct hb_quality_slot hour = sum_of(&q->hour, now.us / US_PER_MINUTE);

	return (struct hb_quality_view){
		.loss_minute_permille = loss_permille(&minute),
		.loss_hour_permille = loss_permille(&hour),
		.rtt_min_us = minute.trip_min_us,
		.rtt_mean_us =
			minute.trips == 0 ? 0 : (uint32_t)(minute.trip_sum_us / minute.trips),
		.rtt_max_us = minute.trip_max_us,
		.jitter_us = (uint32_t)(q->jitter / JITTER_SHARE),
	};
}
