/* subagent/event.h - an event as a row of yokeEventTable, and as the varbinds of a notification.
 *
 * A notification carries columns of the event's own row, so that a manager which sees a gap in
 * yokeEventNumber can read the same values with GET.  None of them is a Counter64: snmpd could not
 * turn it into an SNMPv1 trap, and says so in its log each time.
 *
 * Layer: subagent, pure.  May include: agent/base.
 */
#ifndef SUBAGENT_EVENT_H
#define SUBAGENT_EVENT_H

#include "subagent/tree.h"

enum { SUBAGENT_EVENT_VARBINDS = 14 };

/* yokeEventIndex of a sequence number: 1..2^32-1; the same number again after 2^32-1 events. */
uint32_t subagent_event_index(uint64_t seq);

/* Name (below yokeObjects) and value of varbind i, 0..SUBAGENT_EVENT_VARBINDS-1, in the order of
 * the OBJECTS clause.  name has SUBAGENT_NAME_MAX places.  Returns the name's length. */
size_t subagent_event_varbind(const struct subagent_view *view, const struct yoke_event *event,
			      unsigned i, uint32_t *name, struct subagent_value *value);

#endif
