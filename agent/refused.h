/* agent/refused.h - frames that were refused: when is it an alarm, and of which path?
 *
 * hb counts them by path and cause.  A few in a minute are no alarm: an engine's start and noise on
 * a line cause them, and the counters have them.  More are an attack or a mistake.  One path is
 * told of in a minute, whatever happens; of several each in its turn, with the numbers of the last
 * minute that was an alarm there, also when it is over by then.
 *
 * Layer: agent, pure (no I/O, no clock).  May include: hb, agent/base.
 * Memory: the caller owns struct agent_refused, which is zero at the start of hb.
 * Example: tests/unit/agent_refused.c.
 */
#ifndef AGENT_REFUSED_H
#define AGENT_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/event.h"
#include "hb/hb.h"

enum { AGENT_REFUSED_ALARM = 10 }; /* frames a minute on a path */

struct agent_refused {
	uint64_t seen[YOKE_NODES_MAX][YOKE_PATHS_MAX][HB_REFUSALS];    /* a minute ago */
	uint64_t waiting[YOKE_NODES_MAX][YOKE_PATHS_MAX][HB_REFUSALS]; /* of a minute, to be told;
									  all 0: nothing */
	unsigned told; /* the last one: (node - 1) * YOKE_PATHS_MAX + path - 1 */
};

/* To be called once a minute.  True: ev->path, value and reason are what is to be told. */
bool agent_refused_minute(struct agent_refused *refused, const struct hb *hb,
			  struct yoke_event *ev);

#endif
