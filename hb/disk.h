/* hb/disk.h - the blocks of a shared disk: a header, then for each node a slot of the lock, and a
 * post of heartbeats.
 *
 *   block 0                   the header
 *   block n, 1..              the slot of node number n, which only that node writes
 *   block HB_DISK_SLOTS + n - 1   its post, likewise; from layout 2 on
 *
 *   of each block of HB_DISK_BLOCK_SIZE bytes, big-endian:
 *   0  magic "YOKD"              8  cluster id, 8 bytes
 *   4  layout version, 1 or 2    16 the disk's own id, 16 random bytes of its initialisation
 *   5  0: header, 1: slot,       32 slot: state (4 bytes)        32 post: size of what is in it
 *      2: post                   36 slot: round                  34 post: that, then zeros
 *   6  node number; header: 0    44 slot: sequence
 *   52 zeros                     last 8 bytes of a post: FNV-1a of all before them
 *   last 32 bytes of the others: HMAC-SHA256 of all before them (hb/seal.h)
 *
 * While there are two keys, a block may have a MAC by either, and each is read by both.
 *
 * A block that was written in part, or is of another cluster, disk or node, does not have its MAC.
 * A post has none: it holds sealed frames, and who writes it on the disk has no key.  Its sum tells
 * one that was written in part, no forgery.  All blocks of a disk have the layout of its header, so
 * that a disk of layout 1, which has no posts, remains one for whoever knows no other.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns all bytes.  Example: tests/unit/hb_disk.c.
 */
#ifndef HB_DISK_H
#define HB_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/limits.h"
#include "hb/key.h"

enum {
	HB_DISK_BLOCK_SIZE = 4096,
	HB_DISK_ID_SIZE = 16,
	HB_DISK_CLUSTER_SIZE = 8,
	HB_DISK_SLOTS = 1 + YOKE_NODES_MAX,
	HB_DISK_BLOCKS = HB_DISK_SLOTS + YOKE_NODES_MAX,
	HB_DISK_LAYOUT = 2,       /* the newest */
	HB_DISK_POST_SIZE = 3072, /* bytes that a post may hold */
};

/* Which disk of which cluster. */
struct hb_disk {
	uint8_t layout;
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

/* Read the header: fills disk->layout, disk->id and disk->key.  Returns false when it is not this
 * cluster's, not of a layout that we know, or not authentic. */
bool hb_disk_get_header(struct hb_disk *disk, const uint8_t block[HB_DISK_BLOCK_SIZE]);

/* Read a node's slot.  Returns false when it is damaged or another's; slot->sequence is then a
 * fingerprint of the bytes, by which a change is seen. */
bool hb_disk_get_slot(const struct hb_disk *disk, uint16_t node,
		      const uint8_t block[HB_DISK_BLOCK_SIZE], struct hb_disk_slot *slot);

/* ---- for who has no key ---- */

/* Read the header as far as one can without: fills disk->layout and disk->id.  Returns NULL when it
 * is one of this cluster, else why it is not, with what to do. */
const char *hb_disk_look(struct hb_disk *disk, const uint8_t block[HB_DISK_BLOCK_SIZE]);

/* Is there no place for posts?  Then why, with what to do; else NULL. */
const char *hb_disk_lacks_posts(const struct hb_disk *disk);

/* Fill a node's post.  size: up to HB_DISK_POST_SIZE (asserted). */
void hb_disk_put_post(const struct hb_disk *disk, uint16_t node, const uint8_t *bytes, size_t size,
		      uint8_t block[HB_DISK_BLOCK_SIZE]);

/* What is in a node's post, and *size; NULL: nothing, or it is damaged or another's. */
const uint8_t *hb_disk_get_post(const struct hb_disk *disk, uint16_t node,
				const uint8_t block[HB_DISK_BLOCK_SIZE], size_t *size);

/* Which block it is. */
unsigned hb_disk_post_at(uint16_t node);

#endif
