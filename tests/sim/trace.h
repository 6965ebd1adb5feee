/* tests/sim/trace.h - what happened, as lines for people and as one number for machines.
 *
 * A line is "[ seconds] node    text"; an event's text is yoke_event_render()'s.  The hash covers
 * every line and every word given to sim_trace_mix(), whether lines are shown or not.
 *
 * Layer: tests.  Memory: the caller's; `text`, when set, is appended to and cut at its size.
 */
#ifndef TESTS_SIM_TRACE_H
#define TESTS_SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/time.h"

struct sim_trace {
	uint64_t hash;
	bool show;   /* print lines to stdout */
	char *text;  /* or append them here; NULL: do not */
	size_t size; /* bytes of text */
	size_t used;
};

void sim_trace_init(struct sim_trace *t);
void sim_trace_mix(struct sim_trace *t, uint64_t word);
void sim_trace_line(struct sim_trace *t, yoke_time now, const char *who, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
