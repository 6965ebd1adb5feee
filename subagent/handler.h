/* subagent/handler.h - GET and GETNEXT for the whole of yokeObjects, in one registration.
 *
 * Each registration costs a blocking round trip at every reconnection, and one handler call sees
 * all varbinds of a request, so that one snapshot answers it.
 *
 * Layer: subagent.  May include: agent/base, net-snmp.
 */
#ifndef SUBAGENT_HANDLER_H
#define SUBAGENT_HANDLER_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "subagent/set.h"
#include "subagent/tree.h"

/* A value as net-snmp wants it. */
struct subagent_wire {
	u_char type;
	const void *bytes; /* into this struct or into the value: valid as long as both */
	size_t len;
	long integer;
	u_long number;
	struct counter64 counter;
};

/* What the handler works with; given to net-snmp as the registration's my_reg_void. */
struct subagent_handler {
	const struct subagent_view *view;
	struct subagent_set *set;
};

/* Write the identifier of yokeObjects to name (MAX_OID_LEN places); returns its length. */
size_t subagent_handler_objects(oid *name);

void subagent_handler_encode(const struct subagent_value *value, struct subagent_wire *wire);

/* The handler itself: net-snmp's Netsnmp_Node_Handler.  Public for the golden walk. */
int subagent_handler_call(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
			  netsnmp_agent_request_info *info, netsnmp_request_info *requests);

/* Register with net-snmp.  The context is kept for ever.  Returns 0; -1 when net-snmp refuses. */
int subagent_handler_register(struct subagent_handler *context);

#endif
