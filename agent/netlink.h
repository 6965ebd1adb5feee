/* agent/netlink.h - what the kernel says of interfaces and addresses, and changes to addresses.
 *
 * Two rtnetlink sockets.  On one we ask: the kernel does what is asked inside the send call, so the
 * answer is there when it returns, and reading it does not wait.  On the other come events.  An
 * event is a hint only ("something changed"): it may be stale by the time it is read, and some are
 * lost when the socket overruns.  Whoever must know the truth asks for it after the hint.
 *
 * Layer: agent; the only user of libmnl.  May include: agent/base.
 * Needs CAP_NET_ADMIN to change addresses.
 * Memory: the caller owns struct agent_netlink; libmnl allocates in open only.
 * Blocks: only for as long as the kernel needs to do what was asked (its rtnl lock).
 * Source: rtnetlink(7), libmnl's documentation, RFC 3549.
 */
#ifndef AGENT_NETLINK_H
#define AGENT_NETLINK_H

#include <net/if.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/limits.h"

enum {
	AGENT_NETLINK_ADDRESS_SIZE = 16, /* bytes: IPv6; IPv4 uses the first 4, the rest is 0 */
	AGENT_NETLINK_HWADDR_SIZE = 6,   /* bytes: Ethernet */
	AGENT_NETLINK_EVENT_BUFFER = 4 << 20, /* bytes the kernel keeps for us until we read */
	AGENT_NETLINK_EVENTS_PER_READ = 64,   /* datagrams before others get their turn */
};

struct agent_netlink_link {
	unsigned index; /* 0: the interface does not exist */
	bool is_up;     /* set up by the administrator */
	bool has_carrier;
	bool has_hwaddr;          /* Ethernet with ARP; else it cannot be announced on */
	bool promotes;            /* a removed IPv4 address does not take its secondaries with it */
	bool is_router;           /* IPv6 forwarding, as it was when asked */
	uint32_t carrier_changes; /* lost and found, since the interface was made */
	uint8_t hwaddr[AGENT_NETLINK_HWADDR_SIZE];
};

struct agent_netlink_address {
	int family;     /* AF_INET or AF_INET6 */
	unsigned index; /* of the interface */
	uint8_t address[AGENT_NETLINK_ADDRESS_SIZE];
	uint8_t prefix_len; /* bits */
	bool is_tentative;  /* IPv6: not usable, duplicate address detection runs or has failed */
};

enum agent_netlink_event_type {
	AGENT_NETLINK_LINK,    /* name, link.index, .is_up, .has_carrier; is_gone: removed */
	AGENT_NETLINK_ADDRESS, /* address; is_gone: removed */
	AGENT_NETLINK_OVERRUN, /* events were lost: anything may have changed */
};

struct agent_netlink_event {
	enum agent_netlink_event_type type;
	bool is_gone;
	char name[IFNAMSIZ];
	struct agent_netlink_link link;
	struct agent_netlink_address address;
};

typedef void agent_netlink_event_fn(void *context, const struct agent_netlink_event *event);
typedef void agent_netlink_address_fn(void *context, const struct agent_netlink_address *address);

struct mnl_socket;

struct agent_netlink {
	struct mnl_socket *request, *event;
	uint32_t sequence;
	alignas(8) uint8_t message[1024];
	alignas(8) uint8_t answer[32768]; /* the kernel fills at most this much at a time */
};

/* Open both sockets; from now on no event is missed without an OVERRUN.
 * Returns 0; -1 with why[YOKE_REASON_SIZE], and then nothing is open. */
int agent_netlink_open(struct agent_netlink *netlink, char *why);
void agent_netlink_close(struct agent_netlink *netlink);

/* The socket to poll for events. */
int agent_netlink_fd(const struct agent_netlink *netlink);

/* Hand the waiting events to `seen`, at most AGENT_NETLINK_EVENTS_PER_READ datagrams of them. */
void agent_netlink_read(struct agent_netlink *netlink, agent_netlink_event_fn *seen, void *context);

/* Each of the following returns 0 or a negative errno, then with why[YOKE_REASON_SIZE]: the
 * kernel's own words. */

/* Ask for the interface of that name.  That it does not exist is an answer: index 0. */
int agent_netlink_link(struct agent_netlink *netlink, const char *name,
		       struct agent_netlink_link *link, char *why);

/* Is it the hardware address of any interface of this host? */
int agent_netlink_is_ours(struct agent_netlink *netlink, const uint8_t *hwaddr, bool *is_ours,
			  char *why);

/* Hand each address of a family on an interface to `found`. */
int agent_netlink_addresses(struct agent_netlink *netlink, int family, unsigned index,
			    agent_netlink_address_fn *found, void *context, char *why);

/* Add an address; that it is there already is success.  IPv6: usable at once, without the kernel's
 * duplicate address detection, and deprecated, so that the host's own connections do not start from
 * an address that will move away (an IPv4 secondary is not chosen either).  The route to the prefix
 * is the kernel's usual one: it counts the addresses that need it, and a host whose only address in
 * that prefix is this one could not answer without it. */
int agent_netlink_add(struct agent_netlink *netlink, const struct agent_netlink_address *address,
		      char *why);
/* Remove an address; that it, or its interface, is not there is success. */
int agent_netlink_remove(struct agent_netlink *netlink, const struct agent_netlink_address *address,
			 char *why);

/* Let the interface promote IPv4 secondaries (sysctl promote_secondaries): without it the removal
 * of the first address of a subnet silently removes all the others of it. */
int agent_netlink_promote(struct agent_netlink *netlink, unsigned index, char *why);

#endif
