/* agent/base/event.h - the record of one thing that happened.
 *
 * The core emits struct yoke_event with numbers only; the shell stamps it (seq, wall time) and
 * yoke_event_render() adds the text.  Everything that is shown outside is one of these.
 *
 * Layer: base, pure.  Memory: plain values, nothing is owned.
 * Example: tests/unit/base_event.c.
 */
#ifndef AGENT_BASE_EVENT_H
#define AGENT_BASE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/events.def"
#include "agent/base/limits.h"
#include "agent/base/words.h"

#define YOKE_EVENT_ENUMERATOR(kind, name, severity, notification, text) YOKE_EVENT_##kind,
enum yoke_event_kind {
	YOKE_EVENT_NONE = 0,
	YOKE_EVENTS(YOKE_EVENT_ENUMERATOR) YOKE_EVENT_KINDS_END
};

/* Node, path, group and resource numbers are the MIB's indexes, 1..; 0: has none. */
struct yoke_event {
	uint64_t seq;      /* 1.., grows by one for each event of this node, also over restarts */
	int64_t wall_ms;   /* Unix time in milliseconds, for people */
	int64_t mono_us;   /* monotonic clock of the node that recorded it */
	uint16_t kind;     /* enum yoke_event_kind */
	uint16_t severity; /* enum yoke_severity */
	uint16_t node;     /* the subject's node */
	uint16_t peer;     /* the other node of it: the target of a switch, the silent owner */
	uint16_t path, group, resource, arbiter;
	uint16_t verb, origin; /* operations: enum yoke_verb, enum yoke_origin */
	uint16_t from, to;     /* states before and after, in the subject's enumeration */
	uint64_t value;        /* term, operation number, milliseconds: as the text says */
	char reason[YOKE_REASON_SIZE];
	char text[YOKE_TEXT_SIZE]; /* rendered; empty until yoke_event_render() */
};

/* The names behind the numbers: arrays of `count` names, [0] is number 1.  A path's names are equal
 * on all nodes. */
struct yoke_names {
	char cluster[YOKE_NAME_SIZE];
	char node[YOKE_NODES_MAX][YOKE_NAME_SIZE];
	char path[YOKE_PATHS_MAX][YOKE_NAME_SIZE];
	char group[YOKE_GROUPS_MAX][YOKE_NAME_SIZE];
	char resource[YOKE_RESOURCES_MAX][YOKE_NAME_SIZE];
	char arbiter[YOKE_ARBITERS_MAX][YOKE_NAME_SIZE];
	unsigned node_count, path_count, group_count, resource_count, arbiter_count;
};

/* Lower-case name of a kind, as in JSON ("node_lost"); "?" when unknown. */
const char *yoke_event_name(int kind);
/* enum yoke_severity of a kind; YOKE_SEVERITY_UNKNOWN when unknown. */
enum yoke_severity yoke_event_severity(int kind);
/* NOTIFICATION-TYPE descriptor of a kind; "" when it is not sent. */
const char *yoke_event_notification(int kind);

/* Fill ev->severity and ev->text from ev's numbers.  A number without a name prints as "-". */
void yoke_event_render(struct yoke_event *ev, const struct yoke_names *names);

/* The name of number `n` in a names array; "-" for 0 or out of range. */
const char *yoke_name_of(const char (*names)[YOKE_NAME_SIZE], unsigned count, unsigned n);

#endif
