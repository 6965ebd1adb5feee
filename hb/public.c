#include "hb/public.h"

#include "hb/hb.h"
#include "hb/send.h"

enum {
	LATE_HALVES = 5, /* late after 2.5 slow intervals: one that is lost is none that is late */
	DEAD_SLOWS = 5,  /* down after so many: no alarm for a few lost frames */
};

static uint32_t longer_us(uint64_t a_us, uint32_t b_us)
{
	return a_us > b_us ? (uint32_t)a_us : b_us;
}

void hb_public_init(struct hb *hb)
{
	const struct hb_conf *conf = &hb->conf;
	uint32_t late_us = longer_us((uint64_t)conf->slow_us * LATE_HALVES / 2, conf->late_us);
	uint32_t dead_us = longer_us((uint64_t)conf->slow_us * DEAD_SLOWS, conf->dead_us);

	for (unsigned node = 0; node < YOKE_NODES_MAX; node++)
		for (unsigned path = 0; path < YOKE_PATHS_MAX; path++)
			if (conf->is_public[path])
				hb_path_set_slow_times(&hb->peer[node].path[path], late_us,
						       dead_us);
}

static bool may_be_slow(const struct hb *hb, uint16_t node, yoke_time now)
{
	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		const struct hb_path *p = hb_path_of(hb, node, path);

		if (hb_has_path(hb, node, path) && !hb->conf.is_public[path - 1] &&
		    !hb_is_line(hb, path) && !hb_is_post(hb, path) && p->state == YOKE_PATH_UP)
			return !yoke_time_before(now, p->grace_until);
	}
	return false;
}

void hb_public_choose(struct hb *hb, uint16_t node, yoke_time now)
{
	bool slow = hb->conf.slow_us > hb->conf.interval_us && may_be_slow(hb, node, now);

	for (uint16_t path = 1; path <= hb->conf.path_count; path++) {
		struct hb_path *p = &hb->peer[node - 1].path[path - 1];
		bool was_slow = p->slow;

		if (!hb->conf.is_public[path - 1] || !hb_has_path(hb, node, path))
			continue;
		hb_path_set_slow(p, slow, now);
		if (was_slow && !slow)
			hb_send_beat_on(hb, node, path, now);
	}
}

bool hb_public_is_slow(const struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	return hb_path_of(hb, node, path)->slow &&
	       yoke_time_due(hb->peer[node - 1].public[path - 1].called_until, now);
}

bool hb_public_passes(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_public *public = &hb->peer[node - 1].public[path - 1];

	if (!hb_public_is_slow(hb, node, path, now))
		return true;
	if (!yoke_time_due(public->beat_at, now))
		return false;
	/* Rounds are not more exact than that, and none is to be waited for in vain. */
	public->beat_at = yoke_time_add_us(now, hb->conf.slow_us - hb->conf.interval_us / 2);
	return true;
}

void hb_public_called(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_public *public = &hb->peer[node - 1].public[path - 1];
	bool is_first = yoke_time_due(public->called_until, now);

	public->called_until = yoke_time_add_us(now, hb->conf.late_us);
	if (is_first && hb_path_of(hb, node, path)->slow)
		hb_send_beat_on(hb, node, path, now);
}
