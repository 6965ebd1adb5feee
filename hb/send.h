/* hb/send.h - from a payload to sealed frames on the paths.
 *
 * Internal to hb; hb_send(), which is in send.c, too, is for everybody and in hb/hb.h.
 *
 * Layer: hb.  May include: agent/base.
 */
#ifndef HB_SEND_H
#define HB_SEND_H

#include "hb/hb.h"

/* A line or disk has two ends: the other one's node; 0: there is none. */
uint16_t hb_other_end(const struct hb *hb, uint16_t path);

/* Has the node proven to live on the path, less than dead_us ago? */
bool hb_is_proven(const struct hb *hb, uint16_t node, uint16_t path);

/* Is a line or disk the best way to the node that it answers on?  UDP is better than a disk, a disk
 * better than a line, and of two that are alike the first one. */
bool hb_is_last_way(const struct hb *hb, uint16_t node, uint16_t path);

/* Seal one frame now and give it to a path, which takes it or loses it. */
void hb_send_frame(struct hb *hb, uint16_t node, uint16_t path, enum hb_kind kind,
		   const uint8_t *payload, size_t size, yoke_time now);

/* Send the present BEAT now to `node` (number) on every path that both nodes have, of slow
 * ones on those that are due; over a disk it goes by itself (post.h). */
void hb_send_beat(struct hb *hb, uint16_t node, yoke_time now);

/* As hb_send_beat(), and over a disk before its time, too: it says something new. */
void hb_send_news(struct hb *hb, uint16_t node, yoke_time now);

/* Send the present BEAT now on one path, which is UDP. */
void hb_send_beat_on(struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

/* As hb_send_news(), to a node that has just shown a new incarnation and waits to be echoed: at
 * most once per interval/4, so that replayed frames cannot make us flood the line. */
void hb_send_answer(struct hb *hb, uint16_t node, yoke_time now);

/* Tell every node which keys we have; on a line in place of the next BEAT, over a disk with it. */
void hb_send_keys(struct hb *hb, yoke_time now);

#endif
