/* agent/announce.h - the frames that claim an address, ask for it, and the times to send them.
 *
 * IPv4: ARP (RFC 826); the claim in both forms, as an announcement (RFC 5227 §3: a request for our
 * own address) and as a gratuitous reply (RFC 5944 §4.6), because each is ignored by somebody; the
 * question as an ARP probe (RFC 5227 §2.1.1: the sender's protocol address is 0, so that nobody's
 * cache is touched).  IPv6: neighbour discovery (RFC 4861); the claim as an unsolicited neighbour
 * advertisement with the override flag to all nodes (§7.2.6), the question as a neighbour
 * solicitation from the unspecified address (RFC 4862 §5.4.2).
 *
 * All frames start at the network layer: the packet socket adds the Ethernet header.
 *
 * Layer: agent, pure: no I/O, clock or globals.  May include: agent/base.
 * Memory: the caller owns everything; nothing is allocated or kept.
 * Example: tests/unit/agent_announce.c.
 */
#ifndef AGENT_ANNOUNCE_H
#define AGENT_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AGENT_ANNOUNCE_HWADDR_SIZE = 6,   /* bytes: Ethernet */
	AGENT_ANNOUNCE_ADDRESS_SIZE = 16, /* bytes: IPv6; IPv4 uses the first 4, the rest is 0 */
	AGENT_ANNOUNCE_FRAME_SIZE = 72,   /* bytes: the longest, an advertisement with its option */
	AGENT_ANNOUNCE_STEPS = 9,         /* sendings of one burst */
	AGENT_ANNOUNCE_ND_OFFSET = 40,    /* bytes before the ICMPv6 header: no extension headers */
	AGENT_ANNOUNCE_ND_SOLICITATION = 135, /* ICMPv6 types, RFC 4861 §4.3, §4.4 */
	AGENT_ANNOUNCE_ND_ADVERTISEMENT = 136,
	AGENT_ANNOUNCE_PROTOCOL_ICMPV6 = 58,
	AGENT_ANNOUNCE_HOP_LIMIT = 255, /* proves that no router forwarded it, RFC 4861 §7.1 */
};

struct agent_announce_frame {
	uint16_t size; /* bytes of it that are used */
	uint8_t bytes[AGENT_ANNOUNCE_FRAME_SIZE];
	uint8_t destination[AGENT_ANNOUNCE_HWADDR_SIZE]; /* for the Ethernet header */
};

/* What somebody's frame says: hwaddr has, or is about to take, the address. */
struct agent_announce_claim {
	uint8_t address[AGENT_ANNOUNCE_ADDRESS_SIZE];
	uint8_t hwaddr[AGENT_ANNOUNCE_HWADDR_SIZE];
};

/* Build the frames.  hwaddr: the sending interface's, 6 bytes; address: 4 or 16 bytes. */
void agent_announce_arp_request(struct agent_announce_frame *frame, const uint8_t *hwaddr,
				const uint8_t *address);
void agent_announce_arp_reply(struct agent_announce_frame *frame, const uint8_t *hwaddr,
			      const uint8_t *address);
void agent_announce_arp_probe(struct agent_announce_frame *frame, const uint8_t *hwaddr,
			      const uint8_t *address);
/* is_router: this host forwards IPv6; clients drop a default router that says it is none. */
void agent_announce_nd_advertisement(struct agent_announce_frame *frame, const uint8_t *hwaddr,
				     const uint8_t *address, bool is_router);
void agent_announce_nd_probe(struct agent_announce_frame *frame, const uint8_t *address);

/* The Ethernet multicast address that solicitations for an IPv6 address are sent to. */
void agent_announce_nd_group(const uint8_t *address, uint8_t group[AGENT_ANNOUNCE_HWADDR_SIZE]);

/* Read a frame of `size` bytes (padding may follow).  Returns true and fills *claim when it claims
 * an address or probes for one; false when it does neither or is not valid.  For ND the claim's
 * hwaddr is the link-layer option's, or `source`, the Ethernet header's, when there is none. */
bool agent_announce_read_arp(const uint8_t *bytes, size_t size, struct agent_announce_claim *claim);
bool agent_announce_read_nd(const uint8_t *bytes, size_t size, const uint8_t *source,
			    struct agent_announce_claim *claim);

/* When sending number `step` (0..) of a burst is due, in milliseconds after its begin: at once,
 * again soon in case the first was lost, and until 5 s in case a switch port was not forwarding
 * yet. -1: the burst has no such step. */
int32_t agent_announce_step_ms(unsigned step);

#endif
