/* hb/key.h - the cluster's keys, two at most, and what is derived from them.
 *
 * While keys are exchanged, a node has the old and the new one.  It opens frames of both; the frame
 * names its key's id.  It seals with the newest that the other node has shown to have, by a print
 * of it (below) or by a frame that was sealed with it.  So nobody ever seals what the other cannot
 * open, in whatever order the nodes are given the keys.
 *
 * Layer: hb, pure (no I/O, no clock).
 * Memory: contexts are made by hb_key_ring_init(); deriving allocates (openssl).
 * Example: tests/unit/hb_key.c, first test.
 */
#ifndef HB_KEY_H
#define HB_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hb/seal.h"

enum {
	HB_KEYS_MAX = 2,
	HB_KEY_PRINT_SIZE = 8,
	HB_KEY_PRINTS_SIZE = HB_KEYS_MAX * (1 + HB_KEY_PRINT_SIZE),
};

struct hb_key {
	uint8_t id; /* 1..255 */
	uint8_t bytes[HB_KEY_SIZE];
};

/* Oldest first. */
struct hb_keys {
	unsigned count; /* 1..HB_KEYS_MAX */
	struct hb_key key[HB_KEYS_MAX];
};

/* One incarnation of one sender under each key, in the order of the keys. */
struct hb_key_ring {
	struct hb_seal_key seal[HB_KEYS_MAX];
	bool derived[HB_KEYS_MAX]; /* when first needed */
};

/* The index of the key with that id; -1: we do not have it. */
int hb_key_find(const struct hb_keys *keys, uint8_t id);

/* Where each of `keys` is in `old`: the same id and the same bytes; -1: it is new. */
void hb_key_map(const struct hb_keys *keys, const struct hb_keys *old, int from[HB_KEYS_MAX]);

/* What is sent of a key so that the other node can tell whether it has the same: an HMAC of its id.
 * Returns false when the crypto library fails. */
bool hb_key_print(const struct hb_key *key, uint8_t print[HB_KEY_PRINT_SIZE]);

/* As the payload of a frame, for each key: id, print.  Returns the size; 0: the crypto library
 * fails. */
size_t hb_key_put_prints(const struct hb_keys *keys, uint8_t bytes[HB_KEY_PRINTS_SIZE]);

/* Which of our keys (bit: index) are among the other node's, by its payload and ours. */
uint8_t hb_key_common(const uint8_t *ours, size_t ours_size, const uint8_t *theirs, size_t size);

/* Returns 0; -1 when the crypto library fails. */
int hb_key_ring_init(struct hb_key_ring *ring);
void hb_key_ring_fini(struct hb_key_ring *ring);
/* The keys are others now, see hb_key_map(): what was derived from one that is gone is wiped. */
void hb_key_ring_move(struct hb_key_ring *ring, const int from[HB_KEYS_MAX]);
/* Nothing is derived any more. */
void hb_key_ring_forget(struct hb_key_ring *ring);

/* The same for a set of bits, one for each key. */
uint8_t hb_key_move_bits(uint8_t bits, const int from[HB_KEYS_MAX]);

#endif
