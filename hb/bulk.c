#include "hb/bulk.h"

#include <assert.h>
#include <string.h>

#include "agent/base/baud.h"
#include "hb/frame.h"
#include "hb/hb.h"
#include "hb/send.h"

enum { LINE_TURNS = 2, US_PER_MS = 1000 };

uint16_t hb_bulk_way(const struct hb *hb, uint16_t node)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++)
		if (hb_has_path(hb, node, path) && hb_is_last_way(hb, node, path))
			return path;
	return 0;
}

unsigned hb_bulk_room(const struct hb *hb, uint16_t path)
{
	return hb_is_line(hb, path) ? HB_PART_SIZE_MAX : HB_BULK_SIZE;
}

/* On a line each of the two costs its time as often as all heartbeats may use it, and BEATs, which
 * go on at half their rate meanwhile, take half of what they have. */
uint32_t hb_bulk_turn_ms(const struct hb *hb, uint16_t path)
{
	const struct hb_line *line = &hb->line[path - 1];
	size_t both = 2 * HB_FRAME_SIZE_MIN + HB_PART_SIZE_MAX;

	if (hb_is_line(hb, path))
		return hb_pace_us(&line->pace, both) / US_PER_MS * YOKE_SERIAL_SHARE * LINE_TURNS;
	if (hb_is_post(hb, path))
		return 2 * hb->conf.post[path - 1].interval_us / US_PER_MS;
	return hb->conf.interval_us < US_PER_MS ? 1 : hb->conf.interval_us / US_PER_MS;
}

bool hb_bulk_waits(const struct hb *hb, uint16_t node, uint16_t path)
{
	const struct hb_bulk *bulk = &hb->bulk[node - 1];

	return bulk->size != 0 && bulk->size <= hb_bulk_room(hb, path) &&
	       hb_bulk_way(hb, node) == path;
}

yoke_time hb_bulk_at(const struct hb *hb, uint16_t node)
{
	return hb->bulk[node - 1].next_at;
}

size_t hb_bulk_frame_size(const struct hb *hb, uint16_t node)
{
	return HB_FRAME_SIZE_MIN + (size_t)hb->bulk[node - 1].size;
}

void hb_bulk_send(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_bulk *bulk = &hb->bulk[node - 1];

	hb_send_frame(hb, node, path, HB_BULK, bulk->bytes, bulk->size, now);
	bulk->next_at = yoke_time_add_us(now, hb->conf.interval_us);
	bulk->size = 0;
}

static bool is_udp(const struct hb *hb, uint16_t path)
{
	return !hb_is_line(hb, path) && !hb_is_post(hb, path);
}

static void look(struct hb *hb, uint16_t node, yoke_time now)
{
	uint16_t path = hb_bulk_way(hb, node);

	if (hb->bulk[node - 1].size == 0)
		return;
	if (path == 0 || !hb_bulk_waits(hb, node, path))
		hb->bulk[node - 1].size = 0;
	else if (is_udp(hb, path) && yoke_time_due(hb_bulk_at(hb, node), now))
		hb_bulk_send(hb, node, path, now);
}

void hb_bulk_tick(struct hb *hb, yoke_time now)
{
	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		look(hb, node, now);
}

yoke_time hb_bulk_deadline(const struct hb *hb)
{
	yoke_time at = YOKE_NEVER;

	for (uint16_t node = 1; node <= hb->conf.node_count; node++)
		if (hb->bulk[node - 1].size != 0 && is_udp(hb, hb_bulk_way(hb, node)))
			at = yoke_time_min(at, hb_bulk_at(hb, node));
	return at;
}

void hb_send_bulk(struct hb *hb, uint16_t node, const uint8_t *bytes, size_t size, yoke_time now)
{
	struct hb_bulk *bulk = &hb->bulk[node - 1];
	uint16_t path = hb_bulk_way(hb, node);

	assert(size >= 1 && size <= HB_BULK_SIZE);
	memcpy(bulk->bytes, bytes, size);
	bulk->size = (uint16_t)size;
	look(hb, node, now);
	if (path != 0 && hb_is_line(hb, path))
		hb_line_tick(hb, path, now);
}
