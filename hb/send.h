/* hb/send.h - from a payload to sealed frames on the paths.
 *
 * Internal to hb; hb_send(), which is in send.c, too, is for everybody and in hb/hb.h.
 *
 * Layer: hb.  May include: agent/base.
 */
#ifndef HB_SEND_H
#define HB_SEND_H

#include "hb/hb.h"

/* Seal one frame now and give it to a path, which takes it or loses it. */
void hb_send_frame(struct hb *hb, uint16_t node, uint16_t path, enum hb_kind kind,
		   const uint8_t *payload, size_t size, yoke_time now);

/* Send the present BEAT now to `node` (number) on every path that both nodes have, of slow
 * ones on those that are due. */
void hb_send_beat(struct hb *hb, uint16_t node, yoke_time now);

/* Send the present BEAT now on one path, which is UDP. */
void hb_send_beat_on(struct hb *hb, uint16_t node, uint16_t path, yoke_time now);

/* As hb_send_beat(), to a node that has just shown a new incarnation and waits to be echoed: at
 * most once per interval/4, so that replayed frames cannot make us flood the line. */
void hb_send_answer(struct hb *hb, uint16_t node, yoke_time now);

/* Tell every node which keys we have; on a line in place of the next BEAT. */
void hb_send_keys(struct hb *hb, yoke_time now);

#endif
