/* hb/public.h - a path over a network that others use, too: slow while a private one is up.
 *
 *   slow   while a private UDP path to the node is up here: BEATs come each slow_us only, and the
 *          path is late and down by times that fit them.
 *   full   else, at once from the moment the last of those turns late: the path beats like any
 *          other, and is judged like any other.  In the dead - late that are left until the private
 *          ones are down it must be proven, so that a dead node is found dead no later for it.
 *
 * Each end decides for itself, and they may differ: a private path that is cut in one direction is
 * seen as late by one end long before the other.  So the BEATs of a path at full rate are CALLs:
 * who receives one answers with BEATs at full rate until late_us after the last, whatever it
 * thinks of its own private paths.  A CALL is answered by BEATs, never by CALLs, so two nodes do
 * not keep each other from being slow.
 *
 * A serial line or a disk does not make a public path slow: what is to be told goes over UDP as
 * long as there is any (line.h).  Of MESSAGEs none is held back.  After a stall of ours public
 * paths are full for one dead time: all of them are asked anew before anybody is judged.
 *
 * Layer: hb.  May include: agent/base.
 * Memory: struct hb_public is in struct hb.  Example: tests/unit/hb_public.c.
 */
#ifndef HB_PUBLIC_H
#define HB_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/time.h"

/* Of one path to one node. */
struct hb_public {
	yoke_time beat_at;      /* slow: no BEAT before */
	yoke_time called_until; /* the node calls for BEATs at full rate */
};

struct hb;

/* The times of all public paths, at the start. */
void hb_public_init(struct hb *hb);

/* Choose the rate of all public paths to a node, from its private ones as they were just judged.
 * Those that are to be at full rate get their first CALL. */
void hb_public_choose(struct hb *hb, uint16_t node, yoke_time now);

/* Do we beat slowly on this path (number, of any kind) now? */
bool hb_public_is_slow(const struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

/* Is a BEAT that is due to go out on this path (number, of any kind)?  Then the next one is due a
 * slow interval later. */
bool hb_public_passes(struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

/* A CALL came. */
void hb_public_called(struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

#endif
