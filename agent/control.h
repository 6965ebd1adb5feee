/* agent/control.h - the control socket: operators, the subagent and the console ask, we answer.
 *
 * One request line, one answer line (agent/base/json.h).  Whoever may open the socket may look;
 * changes are for root, and for the subagent's user when SNMP SET is enabled, by the kernel's word
 * for who connected (SO_PEERCRED), not by his own.  An answer that the client's socket does not
 * take whole ends that client: nobody's reading speed is ours.
 *
 * Layer: agent; uses libevent.  Never blocks; all memory is fixed.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include <event2/event.h>

#include "agent/engine.h"

/* Serve the listening socket `fd` in `base`, at priority `priority`.  Returns 0; -1. */
int agent_control_open(struct agent_engine *e, struct event_base *base, int fd, int priority);

/* Tell subscribers that there is news; one that is not reading misses it. */
void agent_control_kick(struct agent_engine *e);

#endif
