/* How many bad monitors are a failure.
 *
 * In a row: when the bad answers since the last good one weigh as much as monitor_failures that say
 * "not well".  In a window, if there is one: when those of the last monitor_window answers do.  No
 * answer in time weighs half: a machine that is busy answers late, too.
 */
#include "agent/core/parts.h"

enum { WEIGHT_BAD = 2, WEIGHT_LATE = 1 };

static unsigned bits(uint32_t set)
{
	unsigned count = 0;

	for (; set != 0; set &= set - 1)
		count++;
	return count;
}

static unsigned weight_in_window(const struct core_resource *r, uint16_t window)
{
	uint32_t mask = window >= CORE_MONITOR_WINDOW_MAX ? UINT32_MAX : (1u << window) - 1;

	return WEIGHT_BAD * bits(r->monitor_bad & mask) +
	       WEIGHT_LATE * bits(r->monitor_late & mask);
}

bool core_monitor_fails(struct core *c, uint16_t resource, enum core_result result)
{
	const struct core_resource_conf *conf = &c->conf.resource[resource - 1];
	struct core_resource *r = &c->resource[resource - 1];
	unsigned enough = WEIGHT_BAD * conf->monitor_failures;

	r->monitor_bad = r->monitor_bad << 1 | (result == CORE_RESULT_FAILED);
	r->monitor_late = r->monitor_late << 1 | (result == CORE_RESULT_LATE);
	if (result == CORE_RESULT_FAILED)
		r->monitor_row = (uint16_t)(r->monitor_row + WEIGHT_BAD);
	else if (result == CORE_RESULT_LATE)
		r->monitor_row = (uint16_t)(r->monitor_row + WEIGHT_LATE);
	else
		r->monitor_row = 0;
	return r->monitor_row >= enough ||
	       (conf->monitor_window != 0 && weight_in_window(r, conf->monitor_window) >= enough);
}

void core_monitor_forget(struct core *c, uint16_t resource)
{
	struct core_resource *r = &c->resource[resource - 1];

	r->monitor_row = 0;
	r->monitor_bad = r->monitor_late = 0;
}
