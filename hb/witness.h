/* hb/witness.h - the bytes between a node and a witness: one request, one answer, equally long.
 *
 *   clear, associated data (32 bytes)        sealed (32 bytes)
 *   0  magic "YOKW"                          0  kind (enum hb_witness_kind)
 *   4  version, 1                            1  result (enum hb_witness_result); 0 in a request
 *   5  0                                     2  answer: the holder's node number; 0: nobody
 *   6  sender's node number; witness: 0      4  request: the lease that is asked for, milliseconds;
 *                                             HB_WITNESS_UNSAVED: why, as Linux numbers errors
 *   8  cluster id, 8 bytes                   8  cookie: of a challenge, and of who was challenged
 *   16 sender's incarnation                  16 answer: incarnation and
 *   24 sequence                              24 sequence of the request; request: 0
 *   after the sealed part: the tag (16)
 *
 * Sealed as heartbeats are (hb/seal.h), with keys of their own: the sender's number is derived from
 * with its highest bit set.  Sequence and incarnation are as there.
 *
 * What an attacker on the link can do, who has no key: drop and delay, which is silence.  An answer
 * echoes its request, so no recorded one answers a new request.  A witness takes a sequence of an
 * incarnation once and in order only; from one that it does not know it wants its cookie, which is
 * random and good for one incarnation, so that no recorded request of an earlier one renews a lock.
 * An answer is no longer than its request: nothing is amplified.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns all bytes.  Example: tests/unit/hb_witness.c.
 */
#ifndef HB_WITNESS_H
#define HB_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hb/seal.h"

enum {
	HB_WITNESS_CLUSTER_SIZE = 8,
	HB_WITNESS_HEADER_SIZE = 32,
	HB_WITNESS_CONTENT_SIZE = 32,
	HB_WITNESS_FRAME_SIZE = HB_WITNESS_HEADER_SIZE + HB_WITNESS_CONTENT_SIZE + HB_TAG_SIZE,
};

enum hb_witness_kind {
	HB_WITNESS_CLAIM = 1, /* the lock, or renew it */
	HB_WITNESS_RELEASE,
	HB_WITNESS_LOOK,
};

enum hb_witness_result {
	HB_WITNESS_YES = 1, /* it is the sender's; release, look: it is nobody's or the sender's */
	HB_WITNESS_NO,      /* it is node's */
	HB_WITNESS_CHALLENGE, /* ask again with the cookie */
	/* It cannot save who has the lock; look: it could not.  An older node, which does not know
	 * this one, takes it for no answer. */
	HB_WITNESS_UNSAVED,
};

struct hb_witness_frame {
	uint16_t sender;
	uint8_t cluster_id[HB_WITNESS_CLUSTER_SIZE];
	uint64_t incarnation, sequence;
	uint8_t kind, result;
	uint16_t node;
	union {
		uint32_t lease_ms;
		uint32_t error; /* 0: its disk does not answer */
	};
	uint64_t cookie, echo_incarnation, echo_sequence;
};

/* Load the key of an incarnation of a sender.  Returns 0; -1 when the crypto library fails. */
int hb_witness_derive(struct hb_seal_key *key, const uint8_t cluster_key[HB_KEY_SIZE],
		      uint16_t sender, uint64_t incarnation);

/* Returns false when the crypto library fails. */
bool hb_witness_put(const struct hb_seal_key *key, const struct hb_witness_frame *frame,
		    uint8_t bytes[HB_WITNESS_FRAME_SIZE]);

/* The clear part of a datagram: sender, cluster, incarnation, sequence.  Returns false when it is
 * none of ours. */
bool hb_witness_get_header(const uint8_t *bytes, size_t size, struct hb_witness_frame *frame);

/* The sealed part, of one whose header was read.  Returns false when it is not authentic or has
 * values that do not exist. */
bool hb_witness_open(const struct hb_seal_key *key, const uint8_t bytes[HB_WITNESS_FRAME_SIZE],
		     struct hb_witness_frame *frame);

#endif
