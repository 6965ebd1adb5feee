/* subagent/notify.h - events leave as notifications, and count as sent only when snmpd says so.
 *
 * Events enter a window of SUBAGENT_WINDOW places in the order of their numbers.  Those that are
 * sent go to snmpd as AgentX Notify (RFC 2741, 6.2.10) without waiting; its Response makes the
 * place done; done places leave at the front, and the last number that left is saved.  Nothing is
 * sent twice while the session lives, however long snmpd hangs: it still has what we wrote.  When
 * the session ends, places without a Response are sent again in the next one.
 *
 * Layer: subagent.  May include: agent/base, net-snmp.
 * Memory: plain values.  Blocks: on the disk when the number is saved, and never on snmpd, because
 * the window is far smaller than a socket's buffer.
 */
#ifndef SUBAGENT_NOTIFY_H
#define SUBAGENT_NOTIFY_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <stdint.h>

#include "agent/base/time.h"
#include "subagent/tree.h"

enum {
	SUBAGENT_WINDOW = 16,
	SUBAGENT_SAVE_RETRY_MS = 10000, /* after a failed save */
};

enum subagent_place { SUBAGENT_WAITING, SUBAGENT_SENT, SUBAGENT_DONE };

struct subagent_notify {
	const char *file; /* the state file; lent for ever */
	uint64_t acknowledged, saved;
	yoke_time save_at;        /* not before */
	netsnmp_session *session; /* with snmpd; NULL: none */
	uint32_t generation;      /* of the session: late answers are known by it */
	struct {
		uint64_t seq;
		enum subagent_place place;
	} window[SUBAGENT_WINDOW];
	unsigned count;
	uint64_t sent_total, acknowledged_total;
	bool not_open; /* snmpd does not know our session any more */
};

/* Read the state file.  notify must be all zero. */
void subagent_notify_init(struct subagent_notify *notify, const char *file);

/* The session with snmpd began, or (NULL) ended. */
void subagent_notify_session(struct subagent_notify *notify, netsnmp_session *session);

/* Send what may be sent, and save what was acknowledged. */
void subagent_notify_pump(struct subagent_notify *notify, const struct subagent_view *view,
			  yoke_time now);

/* The engine's numbers began again: forget ours. */
void subagent_notify_renumber(struct subagent_notify *notify);

/* Events that are to be sent and not acknowledged. */
uint32_t subagent_notify_waiting(const struct subagent_notify *notify,
				 const struct subagent_ring *ring);

#endif
