/* agent/base/time.h - points in time and the arithmetic on them.
 *
 * Only the monotonic clock is a yoke_time; wall-clock time exists for printing alone and is never
 * compared (a step of the wall clock must change nothing).  A struct, so that the compiler refuses
 * to mix a point in time with a span or with another unit.
 *
 * Layer: base, pure (no clock is read here; the shell stamps).  May include: nothing.
 * Example: tests/unit/base_time.c.
 */
#ifndef AGENT_BASE_TIME_H
#define AGENT_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t us; /* microseconds of CLOCK_BOOTTIME, which a suspend does not stop; >= 0 */
} yoke_time;

/* Later than any point that is reached: "no deadline", "has not happened". */
#define YOKE_NEVER ((yoke_time){INT64_MAX})

static inline bool yoke_time_is_never(yoke_time t)
{
	return t.us == INT64_MAX;
}

static inline bool yoke_time_before(yoke_time a, yoke_time b)
{
	return a.us < b.us;
}

/* t reached at `now`?  Never is never reached. */
static inline bool yoke_time_due(yoke_time t, yoke_time now)
{
	return !yoke_time_is_never(t) && t.us <= now.us;
}

static inline yoke_time yoke_time_min(yoke_time a, yoke_time b)
{
	return a.us < b.us ? a : b;
}

static inline yoke_time yoke_time_max(yoke_time a, yoke_time b)
{
	return a.us > b.us ? a : b;
}

/* span_us may be negative; YOKE_NEVER stays YOKE_NEVER. */
static inline yoke_time yoke_time_add_us(yoke_time t, int64_t span_us)
{
	return yoke_time_is_never(t) ? t : (yoke_time){t.us + span_us};
}

static inline yoke_time yoke_time_add_ms(yoke_time t, int64_t span_ms)
{
	return yoke_time_add_us(t, span_ms * 1000);
}

/* b - a in microseconds; neither may be YOKE_NEVER. */
static inline int64_t yoke_time_span_us(yoke_time a, yoke_time b)
{
	return b.us - a.us;
}

#endif
