#include "agent/base/bound.h"

#include "agent/base/limits.h"

void yoke_stop_bound_add(struct yoke_stop_bound *b, bool is_program, uint32_t start_ms,
			 uint32_t stop_ms)
{
	uint32_t before_ms = start_ms;

	if (is_program)
		before_ms = (start_ms > stop_ms ? start_ms : stop_ms) + YOKE_GONE_MS;
	if (before_ms > b->before_ms)
		b->before_ms = before_ms;
	b->stops_ms += stop_ms;
}

uint32_t yoke_stop_bound_ms(const struct yoke_stop_bound *b)
{
	return b->before_ms + b->stops_ms;
}

uint32_t yoke_wait_bound_ms(unsigned others, uint64_t others_ms)
{
	if (others < YOKE_STARTS_MAX)
		return 0; /* one at a time of each: there is always a place */
	return (uint32_t)((others_ms + YOKE_STARTS_MAX - 1) / YOKE_STARTS_MAX);
}
