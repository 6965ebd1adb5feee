/* agent/address.h - service addresses: put them on an interface, tell the network, notice their
 * fate.
 *
 * The core decides, this does and reports.  An address is started, stopped, announced and probed
 * for by a call; what happens to it comes back as notes, which are the core's events CORE_RESULT
 * and CORE_RESOURCE in other words.  A removed address is never put back from here.
 *
 * Reading order: this file, announce.h (frames and times, pure), netlink.h (the kernel's view),
 * address_socket.h (packet sockets), address.c, address_watch.c (from events to notes).
 *
 * Facts of Linux that this rests on:
 * - Events are hints.  Each makes us ask the kernel what is so now, and notes come from the
 *   difference to what was told last; so stale, doubled and lost events do no harm.
 * - The first IPv4 address of a subnet on an interface takes the others with it when it is removed,
 *   unless the interface promotes secondaries.  That would let our stop remove the host's own
 *   address, or a lease that ends remove ours.  So the interface of a started IPv4 address is made
 *   to promote (systemd's default, too), and this is left so.
 * - IPv6 loses its addresses when the interface is set down; IPv4 keeps them.
 *
 * Layer: agent.  May include: agent/base.  Needs CAP_NET_ADMIN and CAP_NET_RAW.
 * Memory: the caller owns struct agent_address_set (about 70 KB) and the notes; nothing is
 * allocated after init.  Descriptors: AGENT_ADDRESS_FDS to poll and one more, however many
 * addresses there are. Blocks: nowhere but for the kernel's own work on a netlink request. Example:
 * tests/lab/address_driver.c; tested by tests/lab/test_address.py.
 */
#ifndef AGENT_ADDRESS_H
#define AGENT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/address_socket.h"
#include "agent/announce.h"
#include "agent/base/limits.h"
#include "agent/base/time.h"
#include "agent/netlink.h"

enum {
	AGENT_ADDRESS_FDS = 3,
	AGENT_ADDRESS_NOTES_MAX = 4 * YOKE_RESOURCES_MAX, /* of one call */
	AGENT_ADDRESS_PROBES = 3,                         /* questions of one conflict probe */
	AGENT_ADDRESS_FRAMES_MAX = 512, /* read in one turn: more than the kernel keeps for us */
	AGENT_ADDRESS_RETRY_MS = 100,   /* after the kernel could not tell what is so */
};

struct agent_address_conf {
	uint16_t resource;                            /* number, comes back in the notes */
	int family;                                   /* AF_INET or AF_INET6 */
	uint8_t address[AGENT_ANNOUNCE_ADDRESS_SIZE]; /* the first 4 bytes for AF_INET */
	uint8_t prefix_len;                           /* bits, 1..32 or 1..128 */
	char interface[YOKE_NAME_SIZE];               /* at most IFNAMSIZ - 1 bytes */
};

enum agent_address_note_type {
	AGENT_ADDRESS_DONE = 1, /* prepare `id` is over and nobody answered */
	AGENT_ADDRESS_ANSWERED, /* prepare `id` is over: hwaddr has the address, or wants it too */
	AGENT_ADDRESS_USABLE, /* could run here and would answer from hwaddr (all 0: not Ethernet).
				 Told first by init, and again when hwaddr changes */
	AGENT_ADDRESS_UNUSABLE, /* could not run here, for `reason` */
	AGENT_ADDRESS_LOST,  /* was started, and somebody removed it, or IPv6 calls it a duplicate.
				Told only while usable, else right after the USABLE that follows:
				it could not be put back before */
	AGENT_ADDRESS_DOUBT, /* started, and others may have forgotten it: carrier was away, or the
				hardware address is another.  Follows a USABLE, if there is one */
};

struct agent_address_note {
	enum agent_address_note_type type;
	uint16_t resource;                          /* number */
	uint32_t id;                                /* DONE, ANSWERED */
	uint8_t hwaddr[AGENT_ANNOUNCE_HWADDR_SIZE]; /* ANSWERED, USABLE */
	char reason[YOKE_REASON_SIZE];              /* UNUSABLE: "interface eth0 has no carrier" */
};

/* What the functions below have to tell, in order.  They add; the caller empties it (count = 0)
 * before each call. */
struct agent_address_notes {
	unsigned count;
	struct agent_address_note note[AGENT_ADDRESS_NOTES_MAX];
};

/* Why an interface cannot carry an address. */
enum agent_address_trouble {
	AGENT_ADDRESS_TROUBLE_NONE,
	AGENT_ADDRESS_TROUBLE_ABSENT,
	AGENT_ADDRESS_TROUBLE_DOWN,
	AGENT_ADDRESS_TROUBLE_NO_CARRIER,
};

/* One interface; several addresses may share it. */
struct agent_address_link {
	char name[IFNAMSIZ];
	struct agent_netlink_link now; /* as last asked */
	bool stale;                    /* something about it or its addresses may have changed */
	bool flapped;                  /* was not usable in between */
	bool told;                     /* the next three are what the notes last said */
	enum agent_address_trouble told_trouble;
	uint8_t told_hwaddr[AGENT_ANNOUNCE_HWADDR_SIZE];
};

struct agent_address {
	struct agent_address_conf conf;
	uint16_t link;     /* index in the set's links */
	unsigned on_index; /* of the interface that it was last seen on or put on; 0: none */
	bool is_started;
	bool is_present; /* it is on its interface, and usable */
	bool is_blocked; /* it is on its interface, but IPv6 holds it for a duplicate */
	bool told_lost;
	/* announcements: both YOKE_NEVER when none are due */
	uint8_t step; /* next of the burst; AGENT_ANNOUNCE_STEPS: the refresh */
	yoke_time burst_at, announce_at;
	/* conflict probe: id 0: none runs */
	uint32_t prepare_id;
	uint8_t probes_sent;
	unsigned joined_index; /* interface that passes the solicitations; 0: none */
	yoke_time prepare_at, prepare_until, probe_at;
};

struct agent_address_set {
	struct agent_netlink netlink;
	struct agent_address_socket arp, nd;
	uint32_t refresh_ms;
	yoke_time retry_at; /* links are stale because the kernel did not tell; else YOKE_NEVER */
	unsigned count, link_count;
	struct agent_address address[YOKE_RESOURCES_MAX];
	struct agent_address_link link[YOKE_RESOURCES_MAX];
};

/* Open the sockets, find out what is so, and tell USABLE or UNUSABLE of every address.
 * confs: copied; count: 0..YOKE_RESOURCES_MAX; refresh_ms: 0: never.
 * Returns 0; -1 with why[YOKE_REASON_SIZE], and then nothing is open. */
int agent_address_init(struct agent_address_set *set, const struct agent_address_conf *confs,
		       unsigned count, uint32_t refresh_ms, yoke_time now,
		       struct agent_address_notes *notes, char *why);
/* Close the sockets.  Addresses stay as they are. */
void agent_address_fini(struct agent_address_set *set);

/* The descriptors to poll for reading; they do not change until fini. */
void agent_address_fds(const struct agent_address_set *set, int fds[AGENT_ADDRESS_FDS]);

/* Read one of the descriptors. */
void agent_address_read(struct agent_address_set *set, int fd, yoke_time now,
			struct agent_address_notes *notes);

/* When agent_address_tick() is to be called at the latest, and the call: sends what is due, ends
 * the conflict probes whose time is over (after a look at the answers that already wait: a late
 * tick does not miss them). */
yoke_time agent_address_deadline(const struct agent_address_set *set);
void agent_address_tick(struct agent_address_set *set, yoke_time now,
			struct agent_address_notes *notes);

/* In the following `i` is an index below the count given to init. */

/* Is the address on its interface, as of the events read so far?  If so, it counts as started from
 * now on: an engine that comes back adopts what runs.  It is not announced before it is asked for.
 */
bool agent_address_probe(struct agent_address_set *set, unsigned i);

/* Put the address on its interface; one that is there already is left there.  announce: send the
 * first announcement before this returns, and the rest of the burst as it comes due.  Returns 0;
 * -1 with why[YOKE_REASON_SIZE], also when the interface is down or has no carrier: then it does
 * not count as started. */
int agent_address_start(struct agent_address_set *set, unsigned i, bool announce, yoke_time now,
			char *why);

/* Take the address off, in whatever prefix length it is there, and end its announcements; one that
 * is not there is success.  Returns 0; -1 with why[YOKE_REASON_SIZE]: it may be there still. */
int agent_address_stop(struct agent_address_set *set, unsigned i, char *why);

/* Ask the network whether somebody has the address: at once, after 1/3 and after 2/3 of timeout_ms.
 * Ends with one note: ANSWERED at once when a claim or another host's probe is heard, else DONE
 * after timeout_ms.  A prepare of the same address that still runs is replaced without a note.
 * id: not 0.  Returns 0; -1 with why[YOKE_REASON_SIZE] when the interface cannot be used: no note
 * will come. */
int agent_address_prepare(struct agent_address_set *set, unsigned i, uint32_t id,
			  uint32_t timeout_ms, yoke_time now, char *why);

/* End a prepare without a note.  An id that is not known is ignored. */
void agent_address_cancel(struct agent_address_set *set, uint32_t id);

/* Announce now, and begin the burst anew.  Ignored for an address that is not started. */
void agent_address_announce(struct agent_address_set *set, unsigned i, yoke_time now);

/* ---- between address.c and address_watch.c --------------------------------------------------- */

/* Why the link cannot be used now. */
enum agent_address_trouble agent_address_trouble(const struct agent_address_link *link);
/* It as a reason: "interface eth0 is down". */
void agent_address_trouble_text(const struct agent_address_link *link, char *why);

/* Add a note about address i; returns it for the rest to be filled in. */
struct agent_address_note *agent_address_note(struct agent_address_set *set, unsigned i,
					      enum agent_address_note_type type,
					      struct agent_address_notes *notes);

/* Ask the kernel about a link and its addresses.  Returns 0; -1 with why: what is known of them may
 * be wrong, and the link is to be looked at again. */
int agent_address_look(struct agent_address_set *set, unsigned link_index, char *why);

/* Read events, look at every stale link, and tell the difference to what was told before. */
void agent_address_watch(struct agent_address_set *set, bool has_events, yoke_time now,
			 struct agent_address_notes *notes);

#endif
