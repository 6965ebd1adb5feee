/* subagent/value.h - one value of the MIB, and how yoke's types become SNMP's.
 *
 * The folder in reading order: main.c (the loop), feed.h (what the engine says), ring.h (its
 * events), tree.h (how an object identifier finds its value), the tables (cluster.c, node.c,
 * path.c, group.c, resource.c, operation.c, event.c, control.c, agent.c), handler.c (GET and
 * GETNEXT), set.c (SET), notify.c (notifications), agentx.c (the session with snmpd), cursor.c (the
 * state file).  handler.c, set.c, notify.c and agentx.c use net-snmp, and main.c joins them to the
 * rest; all else is plain C over struct yoke_snapshot.
 *
 * Layer: subagent, pure.  May include: agent/base.
 * Memory: a value holds its bytes; nothing is owned.
 */
#ifndef SUBAGENT_VALUE_H
#define SUBAGENT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SUBAGENT_OCTETS_SIZE = 256 }; /* bytes: the longest SnmpAdminString is 255 */

enum subagent_type {
	SUBAGENT_NONE,      /* there is no such instance */
	SUBAGENT_INTEGER,   /* INTEGER: enumerations, TruthValue, TestAndIncr */
	SUBAGENT_UNSIGNED,  /* Unsigned32 and Gauge32: one tag on the wire */
	SUBAGENT_COUNTER32, /* Counter32 */
	SUBAGENT_COUNTER64, /* Counter64 */
	SUBAGENT_OCTETS,    /* OCTET STRING */
	SUBAGENT_OTHER,     /* only in a SET: a type that no object of ours has */
};

struct subagent_value {
	enum subagent_type type;
	int32_t integer;
	uint64_t number; /* unsigned and counters */
	size_t len;      /* octets */
	uint8_t octets[SUBAGENT_OCTETS_SIZE];
};

void subagent_value_integer(struct subagent_value *v, int32_t integer);
void subagent_value_unsigned(struct subagent_value *v, uint32_t number);
void subagent_value_counter32(struct subagent_value *v, uint32_t number);
void subagent_value_counter64(struct subagent_value *v, uint64_t number);
/* bytes: at most SUBAGENT_OCTETS_SIZE; the rest is cut. */
void subagent_value_octets(struct subagent_value *v, const void *bytes, size_t len);
void subagent_value_text(struct subagent_value *v, const char *text);
/* TruthValue (RFC 2579): true(1), false(2). */
void subagent_value_truth(struct subagent_value *v, bool truth);
/* An enumeration of words.def; 0, "not said", becomes unknown(1). */
void subagent_value_word(struct subagent_value *v, int number);
/* DateAndTime (RFC 2579) in UTC, 11 octets; 0, "never", becomes eleven zero octets but for the
 * sign, which is a "+". */
void subagent_value_when(struct subagent_value *v, int64_t wall_ms);

#endif
