#include "hb/path.h"

#include <assert.h>
#include <string.h>

void hb_path_init(struct hb_path *p, uint32_t late_us, uint32_t dead_us)
{
	memset(p, 0, sizeof(*p));
	p->late_us = late_us;
	p->dead_us = dead_us;
	p->slow_late_us = late_us;
	p->slow_dead_us = dead_us;
	p->state = YOKE_PATH_NO_PEER;
	p->proven_at = p->heard_at = p->heard_since = YOKE_NEVER;
	p->grace_until = (yoke_time){0};
	hb_window_init(&p->window);
}

static bool is_working(enum yoke_path_state state)
{
	return state == YOKE_PATH_UP || state == YOKE_PATH_LATE;
}

/* Has `span_us` passed since t?  Since never it has. */
static bool is_past(yoke_time t, uint32_t span_us, yoke_time now)
{
	return yoke_time_is_never(t) || yoke_time_due(yoke_time_add_us(t, span_us), now);
}

void hb_path_set_slow_times(struct hb_path *p, uint32_t late_us, uint32_t dead_us)
{
	assert(late_us >= p->late_us && dead_us >= p->dead_us);
	p->slow_late_us = late_us;
	p->slow_dead_us = dead_us;
}

uint32_t hb_path_dead_us(const struct hb_path *p)
{
	return p->slow ? p->slow_dead_us : p->dead_us;
}

/* A path that is down comes back with a new proof only, not because a longer time holds now. */
static uint32_t late_after_us(const struct hb_path *p)
{
	return p->slow && is_working(p->state) ? p->slow_late_us : p->late_us;
}

static uint32_t unproven_after_us(const struct hb_path *p)
{
	return p->slow && is_working(p->state) ? p->slow_dead_us : p->dead_us;
}

void hb_path_set_slow(struct hb_path *p, bool slow, yoke_time now)
{
	if (slow == p->slow)
		return;
	if (!slow)
		p->answer_until = yoke_time_add_us(now, p->dead_us - p->late_us);
	else if (is_past(p->heard_at, p->dead_us, now))
		p->heard_since = now; /* else an old silence would count as hearing */
	p->slow = slow;
}

void hb_path_heard(struct hb_path *p, yoke_time now, bool echoes, uint32_t gap)
{
	if (is_past(p->heard_at, hb_path_dead_us(p), now))
		p->heard_since = now;
	if (!yoke_time_is_never(p->heard_at) && is_past(p->heard_at, late_after_us(p), now))
		p->delayed++;
	p->heard_at = now;
	if (echoes)
		p->proven_at = now;
	p->received++;
	p->missed += gap;
	hb_quality_heard(&p->quality, now, gap);
}

void hb_path_rtt(struct hb_path *p, yoke_time now, uint32_t sample_us)
{
	int64_t old = p->rtt_us, smoothed = sample_us;

	if (old != 0)
		smoothed = old + (smoothed - old) / 8;
	p->rtt_us = smoothed < 1 ? 1 : (uint32_t)smoothed;
	hb_quality_trip(&p->quality, now, sample_us);
}

void hb_path_stalled(struct hb_path *p, yoke_time now)
{
	p->grace_until = yoke_time_add_us(now, p->dead_us);
}

enum yoke_path_state hb_path_judge(const struct hb_path *p, yoke_time now)
{
	if (!is_past(p->proven_at, late_after_us(p), now))
		return YOKE_PATH_UP;
	if (yoke_time_before(now, p->grace_until) || yoke_time_is_never(p->heard_at))
		return p->state;
	if (!is_past(p->proven_at, unproven_after_us(p), now))
		return YOKE_PATH_LATE;
	if (is_working(p->state) && yoke_time_before(now, p->answer_until))
		return YOKE_PATH_LATE;
	if (is_past(p->heard_at, hb_path_dead_us(p), now))
		return YOKE_PATH_DOWN;
	if (is_past(p->heard_since, hb_path_dead_us(p), now))
		return YOKE_PATH_ONE_WAY;
	/* Frames have begun to arrive; whether ours do is told within a dead time. */
	return p->state == YOKE_PATH_NO_PEER ? YOKE_PATH_NO_PEER : YOKE_PATH_DOWN;
}

bool hb_path_update(struct hb_path *p, yoke_time now)
{
	enum yoke_path_state state = hb_path_judge(p, now);

	if (state == p->state)
		return false;
	if (is_working(p->state) && !is_working(state))
		p->flaps++;
	p->state = state;
	return true;
}

yoke_time hb_path_deadline(const struct hb_path *p, yoke_time now)
{
	yoke_time late_at = yoke_time_add_us(p->proven_at, late_after_us(p));
	const yoke_time turn[] = {
		p->grace_until,
		p->answer_until,
		late_at,
		yoke_time_add_us(p->proven_at, unproven_after_us(p)),
		yoke_time_add_us(p->heard_at, hb_path_dead_us(p)),
		yoke_time_add_us(p->heard_since, hb_path_dead_us(p)),
	};
	enum yoke_path_state state = hb_path_judge(p, now);
	yoke_time first = YOKE_NEVER;

	/* While its proof is young it is up, whatever else passes: nearly always that is all. */
	if (!yoke_time_is_never(late_at) && yoke_time_before(now, late_at) &&
	    hb_path_judge(p, late_at) != YOKE_PATH_UP)
		return late_at;
	for (unsigned i = 0; i < sizeof(turn) / sizeof(turn[0]); i++)
		if (yoke_time_before(now, turn[i]) && yoke_time_before(turn[i], first) &&
		    hb_path_judge(p, turn[i]) != state)
			first = turn[i];
	return first;
}
