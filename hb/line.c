#include "hb/line.h"

#include <string.h>

#include "hb/hb.h"
#include "hb/send.h"

enum { SETTLE_PARTS = 4 }; /* one part in so many of the interval a MESSAGE waits for a newer one */

void hb_line_init(struct hb_line *line, const struct hb_line_conf *conf, bool is_line,
		  yoke_time now)
{
	hb_serial_init(&line->serial);
	hb_pace_init(&line->pace, conf->baud, conf->interval_us);
	line->look_at = YOKE_NEVER;
	line->wish_at = is_line ? now : YOKE_NEVER;
}

bool hb_is_line(const struct hb *hb, uint16_t path)
{
	return hb->conf.line[path - 1].baud != 0;
}

static bool is_sending(const struct hb_line *line)
{
	return line->next_part < hb_part_count(line->sending.size);
}

static void drop_messages(struct hb_line *line)
{
	line->waiting.size = 0;
	line->next_part = hb_part_count(line->sending.size);
}

static yoke_time begin_at(const struct hb_line *line)
{
	yoke_time settled =
		yoke_time_add_us(line->first_offered_at, line->pace.interval_us / SETTLE_PARTS);

	return yoke_time_max(settled, hb_pace_message_at(&line->pace));
}

/* When may a BULK begin?  It is no hurry: no MESSAGE, of which a part or a newer one is to go. */
static yoke_time bulk_at(const struct hb *hb, uint16_t node, uint16_t path)
{
	const struct hb_line *line = &hb->line[path - 1];
	yoke_time at, until;

	if (is_sending(line) || line->waiting.size != 0 || !hb_bulk_waits(hb, node, path))
		return YOKE_NEVER;
	at = yoke_time_max(hb_bulk_at(hb, node), hb_pace_bulk_at(&line->pace));
	until = yoke_time_add_us(at, hb_pace_us(&line->pace, hb_bulk_frame_size(hb, node)));
	/* A BEAT that has to begin meanwhile goes before it. */
	if (line->beat_waits && yoke_time_before(line->pace.slow_at, until))
		return YOKE_NEVER;
	return at;
}

/* When to look again: what waits may go out, or the tty may have taken what it has. */
static void set_look(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];
	bool is_stuck = line->serial.out_at < line->serial.out_size;

	line->look_at = YOKE_NEVER;
	if (line->beat_waits)
		line->look_at = hb_pace_beat_at(&line->pace);
	if (is_sending(line))
		line->look_at = yoke_time_min(line->look_at, hb_pace_part_at(&line->pace));
	else if (line->waiting.size != 0)
		line->look_at = yoke_time_min(line->look_at, begin_at(line));
	line->look_at = yoke_time_min(line->look_at, bulk_at(hb, node, path));
	if (is_stuck || yoke_time_due(line->look_at, now))
		line->look_at = yoke_time_add_us(now, HB_LINE_POLL_US);
}

static void begin(struct hb_line *line)
{
	if (line->waiting.number != line->sending.number)
		line->sending = line->waiting;
	line->waiting.size = 0;
	line->next_part = 0;
}

static void send_part(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];
	uint8_t part[HB_PART_SIZE_MAX];
	size_t size = hb_part_put(&line->sending, line->next_part, part);

	line->next_part++;
	hb_send_frame(hb, node, path, HB_PART, part, size, now);
}

static void send_beat(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];

	if (line->keys_wait)
		hb_send_frame(hb, node, path, HB_KEYS, hb->prints, hb->prints_size, now);
	else
		hb_send_frame(hb, node, path, HB_BEAT, hb->beat, hb->beat_size, now);
	line->keys_wait = false;
}

/* While parts follow each other the line is in debt, and none begins; but when the tty stood still
 * for long, the newest takes the place of one that is half sent.
 *
 * A MESSAGE begins before a BEAT, which goes on between its parts: else BEATs alone would keep the
 * line in debt for ever.  So does a BULK, when there is no MESSAGE. */
static void send_next(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];

	if (line->waiting.size != 0 && yoke_time_due(begin_at(line), now)) {
		begin(line);
		send_part(hb, node, path, now);
	} else if (yoke_time_due(bulk_at(hb, node, path), now)) {
		hb_bulk_send(hb, node, path, now);
	} else if (line->beat_waits && yoke_time_due(hb_pace_beat_at(&line->pace), now)) {
		line->beat_waits = false;
		send_beat(hb, node, path, now);
	} else if (is_sending(line) && yoke_time_due(hb_pace_part_at(&line->pace), now)) {
		send_part(hb, node, path, now);
	}
}

/* It is repeated each interval for as long as it is wanted. */
static yoke_time wanted_until(const struct hb *hb, const struct hb_line *line)
{
	return yoke_time_add_us(line->offered_at, (int64_t)hb->conf.late_us + hb->conf.interval_us);
}

void hb_line_tick(struct hb *hb, uint16_t path, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];
	uint16_t node = hb_other_end(hb, path);

	if (node == 0)
		return;
	if (!hb_is_last_way(hb, node, path))
		drop_messages(line);
	if (yoke_time_due(wanted_until(hb, line), now))
		line->waiting.size = 0;
	if (hb_serial_is_idle(&line->serial))
		send_next(hb, node, path, now);
	set_look(hb, node, path, now);
}

void hb_line_beat(struct hb *hb, uint16_t path, yoke_time now)
{
	hb->line[path - 1].beat_waits = true;
	hb_line_tick(hb, path, now);
}

void hb_line_offer(struct hb *hb, uint16_t path, const struct hb_part_out *message, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];

	if (line->waiting.size == 0)
		line->first_offered_at = now;
	line->offered_at = now;
	line->waiting = *message;
	hb_line_tick(hb, path, now);
}

yoke_time hb_line_deadline(const struct hb_line *line)
{
	return line->serial.fd < 0 ? line->wish_at : line->look_at;
}

bool hb_line_wants(struct hb_line *line, yoke_time now)
{
	if (line->serial.fd >= 0 || !yoke_time_due(line->wish_at, now))
		return false;
	line->wish_at = yoke_time_add_us(now, HB_LINE_RETRY_US);
	return true;
}

void hb_line_give(struct hb *hb, uint16_t path, int fd, yoke_time now)
{
	struct hb_line *line = &hb->line[path - 1];

	hb_serial_attach(&line->serial, fd);
	drop_messages(line);
	hb_line_beat(hb, path, now);
}
