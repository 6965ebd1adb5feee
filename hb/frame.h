/* hb/frame.h - the bytes of one frame.
 *
 *   clear, associated data (32 bytes)        sealed (28 bytes + payload)
 *   0  magic "YOKE"                          0  kind (enum hb_kind)
 *   4  protocols, 1                           1  path number
 *   5  key id                                2  receiver's node number
 *   6  sender's node number                  4  count: frames of this sender to this receiver on
 *   8  cluster id, 8 bytes                      this path so far, with this one; wraps
 *   16 sender's incarnation                  8  echo: receiver's incarnation as last heard on this
 *   24 sequence                                 path; 0: none heard
 *                                            16 echo: highest sequence of it heard on this path
 *   after the sealed part: the tag (16)      24 echo: microseconds since then
 *
 * Two counters, because they answer two questions.  The sequence counts all frames of a sender over
 * all paths and receivers: it is the nonce, the replay window's number, and what is echoed.  A
 * receiver sees holes in it that are no losses; those are told by the count.
 *
 * Protocols: low four bits the oldest that reads this frame, high four bits how many newer ones the
 * sender speaks.  Frames have been laid out like this since protocol 1, of which a yoke takes a 1
 * here only; so we send that, and the beat says the rest (agent/core/version.c).  Magic, protocols,
 * sender and cluster id stay where they are in every layout: of a frame that is laid out otherwise
 * they can be told.
 *
 * Everything is big-endian.  A frame is its own datagram; the payload's size is what is left.
 *
 * Layer: hb, pure (no I/O, no clock).  May include: agent/base.
 * Memory: the caller owns all bytes.
 * Example: tests/unit/hb_frame.c, first test.
 */
#ifndef HB_FRAME_H
#define HB_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/limits.h"
#include "hb/path.h"
#include "hb/seal.h"

enum {
	HB_FRAME_VERSION = 1, /* of this layout: the protocol that brought it */
	HB_FRAME_CLUSTER_SIZE = 8,
	HB_FRAME_HEADER_SIZE = 32,
	HB_FRAME_CONTENT_SIZE = 28,
	HB_FRAME_SIZE_MIN = HB_FRAME_HEADER_SIZE + HB_FRAME_CONTENT_SIZE + HB_TAG_SIZE,
	HB_FRAME_SIZE_MAX = HB_FRAME_SIZE_MIN + YOKE_PAYLOAD_SIZE,
};

struct hb_frame_header {
	uint8_t oldest, newest; /* protocols; not put */
	uint8_t key_id;
	uint16_t sender;
	uint8_t cluster_id[HB_FRAME_CLUSTER_SIZE];
	uint64_t incarnation, sequence;
};

struct hb_frame_content {
	uint8_t kind, path;
	uint16_t receiver;
	uint32_t count;
	uint64_t echo_incarnation, echo_sequence;
	uint32_t echo_age_us; /* UINT32_MAX: that or longer */
};

void hb_frame_put_header(struct yoke_buf *b, const struct hb_frame_header *header);
void hb_frame_put_content(struct yoke_buf *b, const struct hb_frame_content *content);

/* Read the header of a datagram.  Returns HB_REFUSALS when it is one of ours by length, magic
 * number and protocols, else HB_REFUSED_LENGTH, _CLUSTER or _VERSION (then what every layout has is
 * told: protocols, sender, cluster id); no other field is judged. */
enum hb_refusal hb_frame_get_header(const uint8_t *bytes, size_t size,
				    struct hb_frame_header *header);

/* Read the content of an opened frame; the payload follows it.  The caller has seen to it that
 * there are HB_FRAME_CONTENT_SIZE bytes. */
void hb_frame_get_content(struct yoke_buf *b, struct hb_frame_content *content);

#endif
