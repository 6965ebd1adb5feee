/* hb/udp.h - one non-blocking UDP socket, which outlives its interface and its address.
 *
 * A socket that cannot be opened (no such interface or address yet), or whose sends fail as if its
 * interface or address had gone, is closed and opened again, at most once a second.  A socket whose
 * interface vanished and came back must be opened again: it stays bound to the old one's index.
 *
 * Sends never wait: what the kernel does not take is lost, as on the wire.
 *
 * With a multicast address it receives what is sent to that, and not to its own, which is the
 * source of what it sends.  It is a member on the interface that it is bound to, for IPv4 without
 * one that which has its own address.  What it sends goes no further than this network (TTL and hop
 * limit 1), and does not come back.
 *
 * Layer: hb, does I/O, reads no clock.  May include: agent/base.
 * Memory: the caller owns struct hb_udp; the socket belongs to it.
 * Example: tests/unit/hb_udp.c, first test.
 */
#ifndef HB_UDP_H
#define HB_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent/base/limits.h"
#include "agent/base/time.h"

enum {
	HB_UDP_RECEIVE_BYTES = 1 << 20, /* SO_RCVBUF: half a second of a flood, not of heartbeats */
	HB_UDP_RETRY_US = 1000000,
};

struct hb_udp {
	struct sockaddr_storage address; /* AF_INET or AF_INET6, with port */
	socklen_t address_len;
	char interface[YOKE_NAME_SIZE]; /* empty: any */
	struct sockaddr_storage multicast; /* of the same family, with port */
	bool is_multicast;
	int fd;				/* -1: closed */
	int last_fd;			/* the number before; the next one is another */
	bool failing;			/* a send failed as if the interface had gone */
	yoke_time retry_at;		/* not opened again before */
};

/* Note where to open; nothing is opened yet. */
void hb_udp_init(struct hb_udp *udp, const struct sockaddr_storage *address, socklen_t address_len,
		 const char *interface);
/* Use a multicast address, which for IPv6 needs an interface; before it is opened. */
void hb_udp_set_multicast(struct hb_udp *udp, const struct sockaddr_storage *multicast);
void hb_udp_fini(struct hb_udp *udp);

/* Open the socket if it is closed, or open it anew if it fails, when the last try was a second ago.
 * The new socket's number always differs from that of the one before, so that who polls it can tell
 * them apart. */
void hb_udp_maintain(struct hb_udp *udp, yoke_time now);

/* When hb_udp_maintain() has something to do; YOKE_NEVER while all is well. */
yoke_time hb_udp_deadline(const struct hb_udp *udp);

/* Read one datagram.  Returns its size; -1 when there is none.  One that is larger than `size` is
 * cut to it. */
int hb_udp_receive(struct hb_udp *udp, uint8_t *bytes, size_t size);

/* Send one datagram.  is_heard: what we send there arrives, so that the kernel need not ask whether
 * the neighbour is still there (what it asks may be lost, and then it sends nothing for seconds).
 * Returns false when the socket is closed and nothing was tried; true when the kernel was asked,
 * whatever became of it. */
bool hb_udp_send(struct hb_udp *udp, const struct sockaddr_storage *to, socklen_t to_len,
		 const uint8_t *bytes, size_t size, bool is_heard);

#endif
