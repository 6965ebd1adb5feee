/* subagent/agentx.h - the session with snmpd.
 *
 * net-snmp's own ways were measured to need 11 to 30 s to come back after snmpd was away: it finds
 * a dead session by a blocking ping, then waits one ping interval before it opens the next.  Here
 * the ping alarm is taken away, and what ends a session is the end of its stream alone; the next
 * one is tried every second.  A hung snmpd keeps its session, and answers from it when it goes on.
 * A non-blocking ping of our own finds the one case without an end of stream: snmpd closed the
 * session but not the stream.
 *
 * Layer: subagent.  May include: agent/base, net-snmp.
 * Blocks: while a session is opened, at most SUBAGENT_AGENTX_WAIT_MS for each of its three
 * requests.
 */
#ifndef SUBAGENT_AGENTX_H
#define SUBAGENT_AGENTX_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/base/time.h"
#include "subagent/notify.h"

enum {
	SUBAGENT_AGENTX_WAIT_MS = 1500,
	SUBAGENT_AGENTX_RETRY_S = 1, /* between attempts to open a session */
	SUBAGENT_AGENTX_PING_MS = 2000,
};

/* Start net-snmp as a subagent of the master at `address`, and open the session if it is there.
 * notify learns of the session; it is kept for ever. */
void subagent_agentx_start(const char *address, struct subagent_notify *notify);
/* After everything is registered: open the session. */
void subagent_agentx_open(void);

/* Before each wait: what net-snmp left behind, and our ping. */
void subagent_agentx_tick(yoke_time now);

/* Wait until `deadline`, or until snmpd or one of the `count` descriptors fds[] (-1: none) has
 * something; let net-snmp do its part.  Sets readable[] for each of fds[].  net-snmp reads or runs
 * its alarms, never both in one turn: an alarm may take the bytes that the read then waits for. */
void subagent_agentx_wait(const int *fds, bool *readable, unsigned count, yoke_time deadline,
			  yoke_time now);

/* Send a request whose answer goes to `callback`; takes pdu.  Returns false when it was not sent.
 */
bool subagent_agentx_send(netsnmp_session *session, netsnmp_pdu *pdu, int timeout_s,
			  snmp_callback callback, void *magic);

/* Sessions opened since the start. */
uint32_t subagent_agentx_sessions(void);

#endif
