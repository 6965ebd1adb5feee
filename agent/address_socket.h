/* agent/address_socket.h - the two packet sockets that announcements and conflict probes go
 * through.
 *
 * One for ARP, one for IPv6 neighbour discovery, each for all interfaces: the number of descriptors
 * does not grow with the number of addresses.  While no probe runs, a filter in the kernel refuses
 * everything, so that a busy network does not wake the engine.
 *
 * Layer: agent.  May include: agent/base.  Needs CAP_NET_RAW.
 * Memory: the caller owns struct agent_address_socket; nothing is allocated.  Never blocks.
 * Source: packet(7), RFC 826, RFC 4861.
 */
#ifndef AGENT_ADDRESS_SOCKET_H
#define AGENT_ADDRESS_SOCKET_H

#include <stdbool.h>

#include "agent/announce.h"
#include "agent/base/limits.h"

struct agent_address_socket {
	int family; /* AF_INET: ARP; AF_INET6: neighbour discovery */
	int fd;     /* -1: closed */
	bool listening;
};

/* Open the socket of a family, not listening.  Returns 0; -1 with why[YOKE_REASON_SIZE]. */
int agent_address_socket_open(struct agent_address_socket *s, int family, char *why);
void agent_address_socket_close(struct agent_address_socket *s);

/* Send a frame on an interface.  Returns 0 or a negative errno: the frame is lost, as it could be
 * on the way. */
int agent_address_socket_send(const struct agent_address_socket *s, unsigned index,
			      const struct agent_announce_frame *frame);

/* Listen for claims, or stop.  What waited from before is thrown away when listening begins. */
void agent_address_socket_listen(struct agent_address_socket *s, bool on);

/* Let the interface pass, or no longer pass, the solicitations for an IPv6 address: another host's
 * probe for it.  Calls are counted by the kernel. */
void agent_address_socket_join(const struct agent_address_socket *s, unsigned index,
			       const uint8_t *address, bool on);

/* Read the next claim by a frame that came from outside.  Returns 1 and fills *claim and *index of
 * the interface it came on; 0: a frame that is none was read; -1: nothing waits. */
int agent_address_socket_read(const struct agent_address_socket *s,
			      struct agent_announce_claim *claim, unsigned *index);

#endif
