/* hb/post.h - a path over a shared disk: what a node posts there, and when.
 *
 * A disk may wait for ever, so hb does not touch it.  A process does (in yoked: agent/post.h), at
 * the other end of a socket for whole messages (SOCK_SEQPACKET):
 *
 *   to it      a post: frames, each behind its size (2 bytes)
 *   from it    HB_POST_WRITTEN: the last one is on the disk, or HB_POST_READ and the other node's
 *              post, which has changed
 *
 * A post is read when its reader gets to it, and is gone when the next one is written.  So:
 *   - Nothing is queued.  While one is being written none is given; the next one is made, and
 *     sealed, when the disk has it.  One that is not written after late_us is stuck, which is told.
 *   - Each has all that there is to say: the BEAT, our keys when they are due, and when no better
 *     way is up the newest MESSAGE for as long as it is repeated (hb_send()); of one that is
 *     larger than a frame as many parts as there is room for, and the next ones in the next post.
 *   - There is one each interval; but what is news is posted half an interval after the last one,
 *     so that a reader who looks more often than that misses none.
 *   - What stands there is no life, however good it is: it was read before, so its sequence is old,
 *     or it echoes what we said too long ago, or somebody whom we have not been for long.
 *
 * Layer: hb.  May include: agent/base.
 * Memory: struct hb_post is in struct hb.  Example: tests/unit/hb_post.c.
 */
#ifndef HB_POST_H
#define HB_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/limits.h"
#include "agent/base/time.h"
#include "hb/disk.h"
#include "hb/part.h"

enum {
	HB_POST_RETRY_US = 1000000, /* between two wishes for a socket */
	HB_POST_NOTHING = -1,       /* there is no frame */
};

/* The first byte of a message from who writes and reads. */
enum hb_post_kind { HB_POST_WRITTEN = 1, HB_POST_READ = 2 };

struct hb_post_conf {
	uint32_t interval_us; /* 0: the path is none over a disk */
	uint32_t late_us;     /* instead of that of hb_conf: not shorter */
};

struct hb_post {
	int fd;              /* -1: closed */
	yoke_time wish_at;   /* closed: no wish for a socket before; YOKE_NEVER: no such path */
	yoke_time posted_at; /* YOKE_NEVER: nothing yet */
	bool is_busy;        /* and it is not on the disk yet */
	bool is_news;        /* something is to be said before its time */
	bool keys_wait;      /* the next one tells our keys, too */
	struct hb_part_out message; /* to be told; size 0: there is none */
	unsigned next_part;         /* of it, when it does not fit into a frame */
	yoke_time offered_at;       /* the message, last */
	uint16_t out_size, in_at, in_size;
	uint8_t out[HB_DISK_POST_SIZE];
	uint8_t in[1 + HB_DISK_POST_SIZE];
};

struct hb;

/* In its path's place: closed; if it is none over a disk, for ever. */
void hb_post_init(struct hb_post *post, bool is_post, yoke_time now);
void hb_post_close(struct hb_post *post);

/* There is something to say that has not been posted. */
void hb_post_hurry(struct hb *hb, uint16_t path, yoke_time now);

/* A MESSAGE is to be sent. */
void hb_post_offer(struct hb *hb, uint16_t path, const struct hb_part_out *message, yoke_time now);

/* Put a sealed frame into the post that is being made.  Returns false when it is closed or full. */
bool hb_post_add(struct hb_post *post, const uint8_t *bytes, size_t size);

/* Post what may be posted now. */
void hb_post_tick(struct hb *hb, uint16_t path, yoke_time now);

/* When hb_post_tick(), or a wish for a socket, is due next. */
yoke_time hb_post_deadline(const struct hb *hb, uint16_t path);

/* The next frame of what was read, into bytes.  Returns its size, 0 for what is none; else
 * HB_POST_NOTHING. */
int hb_post_receive(struct hb_post *post, uint8_t *bytes, size_t size);

/* For hb_wants_fd() and hb_give_fd(). */
bool hb_post_wants(struct hb_post *post, yoke_time now);
void hb_post_give(struct hb *hb, uint16_t path, int fd, yoke_time now);

#endif
