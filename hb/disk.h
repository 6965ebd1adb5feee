/* hb/disk.h - the blocks of a shared disk: a header, then a slot for each node.
 *
 *   block 0                 the header
 *   block n, 1..            the slot of node number n, which only that node writes
 *
 *   of each block of HB_DISK_BLOCK_SIZE bytes, big-endian:
 *   0  magic "YOKD"              8  cluster id, 8 bytes
 *   4  layout version, 1         16 the disk's own id, 16 random bytes of its initialisation
 *   5  0: header, 1: slot        32 slot: state (4 bytes)
 *   6  node number; header: 0    36 slot: round      44 slot: sequence
 *   52 zeros                     last 32 bytes: HMAC-SHA256 of all before them (hb/seal.h)
 *
 * While there are two keys, a block may have a MAC by either, and each is read by both.
 *
 * A block that was written in part, or is of another cluster, disk or node, does not have its MAC.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns all bytes.  Example: tests/unit/hb_disk.c.
 */
#ifndef HB_DISK_H
#define HB_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/limits.h"
#include "hb/key.h"

enum {
	HB_DISK_BLOCK_SIZE = 4096,
	HB_DISK_ID_SIZE = 16,
	HB_DISK_CLUSTER_SIZE = 8,
	HB_DISK_BLOCKS = 1 + YOKE_NODES_MAX,
};

/* Which disk of which cluster. */
struct hb_disk {
	uint8_t cluster_id[HB_DISK_CLUSTER_SIZE];
	uint8_t id[HB_DISK_ID_SIZE];
	struct hb_keys keys; /* the cluster's */
	unsigned key;        /* index of the one that its header has, and that is written with */
};

struct hb_disk_slot {
	uint32_t state; /* enum core_slot_state's numbers; not judged here */
	uint64_t round, sequence;
	unsigned key; /* index of the one that it was read with */
};

/* Fill a block.  Returns false when the crypto library fails. */
bool hb_disk_put_header(const struct hb_disk *disk, uint8_t block[HB_DISK_BLOCK_SIZE]);
bool hb_disk_put_slot(const struct hb_disk *disk, uint16_t node, const struct hb_disk_slot *slot,
		      uint8_t block[HB_DISK_BLOCK_SIZE]);

/* Read the header: fills disk->id and disk->key.  Returns false when it is not this
 * cluster's, not of this layout, or not authentic. */
bool hb_disk_get_header(struct hb_disk *disk, const uint8_t block[HB_DISK_BLOCK_SIZE]);

/* Read a node's slot.  Returns false when it is damaged or another's; slot->sequence is then a
 * fingerprint of the bytes, by which a change is seen. */
bool hb_disk_get_slot(const struct hb_disk *disk, uint16_t node,
		      const uint8_t block[HB_DISK_BLOCK_SIZE], struct hb_disk_slot *slot);

#endif
