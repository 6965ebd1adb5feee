/* hb/hb.h - heartbeats: authenticated frames over every path, and what they say of the peer's life.
 *
 * Reading order: frame.h (bytes), seal.h (AES-256-GCM), key.h (two keys), window.h (replay),
 * quality.h, path.h (life of one path), public.h (slow ones), udp.h (sockets), cobs.h, serial.h,
 * tty.h, pace.h, part.h and line.h (serial lines), disk.h, device.h and post.h (shared disks),
 * bulk.h, this, take.c (what a frame is worth), send.c, line.c, post.c, public.c, bulk.c, hb.c.
 * frame, seal, key, window, quality, path, cobs, pace, part and disk are pure: no I/O, no clock.
 *
 * hb carries payloads that it does not understand: a BEAT at a fixed rate on every path (small,
 * replaced by hb_set_beat) and MESSAGEs when the core wants to tell something now.  Both prove
 * life.  Every frame echoes the receiver's incarnation and highest sequence heard on that path, and
 * how long ago that was.  As the receiver knows when it sent that sequence, it knows
 *
 *   transit = now - sent(echoed sequence) - held     at most this old is the frame
 *
 *   authentic  the seal holds, it is for us and for this path, and its sequence is new
 *   fresh      it echoes our current incarnation, and transit <= dead: its payload is handed up
 *   proof      fresh, and held <= dead: the sender heard us, too; only this is life.  (Else a path
 *              cut in one direction would be up for ever at the end that still hears.)  While a
 *              path is slow its own dead time is meant, which is longer; but an incarnation takes
 *              another one's place with what proves within dead.
 *
 * An echo is looked up among the last HB_SENT_MAX frames that we sent; an older one is not fresh.
 * So dead must be longer than a round trip; a path that is slower never comes up.
 *
 * A path is UDP, a shared disk (post.h) or a serial line (line.h).  A MESSAGE goes over a disk only
 * when no UDP path is up, and over a line, in parts, when no disk is up either.  On a line noise
 * and forgery look alike: both fail to open, and are counted alike.
 * A UDP path may be public (public.h): then it is slow while a private one is up.
 * It may be multicast: then frames for other nodes come, too, and our own if a network sends them
 * back.  They are dropped, and not counted as refused.
 * hb does not open a line or disk, which may wait; it says hb_wants_fd(), and is given it.
 *
 * While keys are exchanged (key.h), a third kind of frame tells which ones the sender has, one in
 * HB_KEYS_ROUNDS rounds, and at once when they change; on a line it takes a BEAT's place.  A BULK
 * is a piece of what is in no hurry (bulk.h).
 *
 * What an attacker on the links can do, who has no key:
 *   record    Frames are encrypted; he learns who beats how often.
 *   inject    Forged or changed frames do not open, header included.  Each costs us one derivation
 *             of a key at most, and nothing of them is kept.  While a node is silent he can have
 *             us say that it speaks another protocol: an alarm, which moves nothing.
 *   replay    A frame of the present incarnation: the window takes each sequence once.  Of an
 *             earlier one: see below.
 *   path-swap, reflect, redirect   The path and the receiver are sealed inside; a frame of our own
 *             has the wrong sender.
 *   delay     A frame held back for longer than dead echoes what we sent too long ago: not fresh,
 *             so no life and no payload.  He can make a dead peer live for one dead time longer.
 *   drop      Silence.  That is what remains to him, and what the core is built for.
 *
 * Incarnations are random, so of two of them nothing tells which one is older; a recorded frame of
 * an earlier one would be as authentic as the first frame of a new one.  Therefore:
 *   - Another incarnation takes the present one's place only with a frame that is proof: it echoes
 *     what we sent less than dead (twice at most) ago, so it lived then, and what we sent after the
 *     present one was taken over, so it is younger.  No older recording does.
 *   - An incarnation whose place was taken within the last HB_PAST_MAX is refused for good: that
 *     covers recordings of the last moments before a restart, when both echoed us.
 *   - A frame of another incarnation that is no proof may be of an engine that has just started and
 *     has heard nobody.  It is noted as the candidate: no payload is handed up, no path becomes
 *     better than not proven, but it is answered, and our beats echo it: then it can prove itself.
 *   - While the present incarnation is proven within dead, beats go on echoing it and no candidate.
 *     A candidate then needs no echo of its own: it hears our beats, takes us as its candidate, and
 *     echoes us, which is proof.  A frame that echoes anything but us is refused as a replay then.
 *   - Otherwise beats echo what was heard last on the path, so that a replayed candidate is gone as
 *     soon as the peer is heard again.  An attacker who replays without end can keep two nodes from
 *     meeting: silence again.
 *
 * Layer: hb; the only user of openssl besides conf's digest.  May include: agent/base.
 * Memory: struct hb is the caller's (not to be moved or copied); no allocation after hb_init()
 * except openssl's when a frame names an incarnation that is not known, and when keys are
 * exchanged.  Nothing here blocks.
 */
#ifndef HB_HB_H
#define HB_HB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent/base/limits.h"
#include "agent/base/time.h"
#include "agent/base/words.h"
#include "hb/bulk.h"
#include "hb/key.h"
#include "hb/line.h"
#include "hb/path.h"
#include "hb/post.h"
#include "hb/public.h"
#include "hb/seal.h"
#include "hb/udp.h"

enum {
	HB_ALL_NODES = 0,        /* as a receiver: every other node */
	HB_FRAMES_PER_TURN = 64, /* frames read from one socket before others get their turn */
	HB_SENT_MAX = 4096,      /* frames sent last whose time is remembered, over all paths */
	HB_KEYS_ROUNDS = 10,
	HB_FOREIGN_US = 1000000, /* between two that are handed up of one node */
	HB_PAST_MAX = 8,         /* a peer's incarnations that are over and remembered */
};

struct hb_endpoint {
	bool configured; /* of a line or disk nothing else is used */
	struct sockaddr_storage address;
	socklen_t address_len;
	char interface[YOKE_NAME_SIZE]; /* empty: any */
	bool is_multicast;              /* at all of a path's ends, with one multicast address */
	struct sockaddr_storage multicast;
};

struct hb_conf {
	uint16_t self; /* node number, 1.. */
	uint16_t node_count, path_count;
	struct hb_endpoint endpoint[YOKE_NODES_MAX][YOKE_PATHS_MAX]; /* [node - 1][path - 1] */
	struct hb_line_conf line[YOKE_PATHS_MAX];                    /* [path - 1] */
	struct hb_post_conf post[YOKE_PATHS_MAX];                    /* [path - 1] */
	bool is_public[YOKE_PATHS_MAX];                              /* [path - 1], of UDP ones */
	uint32_t interval_us, late_us, dead_us;
	uint32_t slow_us;      /* between BEATs on a public path that is slow */
	uint8_t cluster_id[8]; /* first bytes of SHA-256 of the cluster's name */
	struct hb_keys keys;   /* wiped by hb_fini() */
	uint64_t incarnation;  /* random, not 0; new at each start of the engine */
};

enum hb_kind {
	HB_BEAT = 1,
	HB_MESSAGE = 2,
	HB_PART = 3,      /* of a MESSAGE: on a line, or too large for one frame */
	HB_KEYS = 4,      /* prints of the sender's keys; not handed up */
	HB_CALL = 5,      /* a BEAT that calls for BEATs at full rate */
	HB_BULK = 6,      /* a piece of what is in no hurry (bulk.h) */
	HB_FOREIGN = 255, /* of no frame, but handed up: one came that is laid out otherwise */
};

/* A payload that arrived and is authentic and fresh. */
struct hb_received {
	uint16_t node, path;  /* numbers: sender, and the path that it came on */
	uint64_t incarnation; /* the sender's */
	yoke_time echoed_at;  /* when we sent the newest frame that it echoes */
	enum hb_kind kind;    /* BEAT, MESSAGE or BULK */
	bool repeated; /* a BEAT with the very bytes of the last one from this incarnation, and no
			  MESSAGE, which may be older than that one, came between them */
	uint8_t protocol_min, protocol_max; /* FOREIGN, which nobody vouches for: the sender's */
	uint16_t size;
	uint8_t bytes[YOKE_MESSAGE_SIZE];
};

/* A path's state changed. */
struct hb_change {
	uint16_t node, path; /* numbers */
	enum yoke_path_state from, to;
	yoke_time proven_at; /* last proof of life; YOKE_NEVER: none yet */
};

struct hb_changes {
	unsigned count;
	struct hb_change change[YOKE_NODES_MAX * YOKE_PATHS_MAX];
};

struct hb;

/* What was heard last on one path, to be echoed. */
struct hb_echo {
	uint64_t sequence; /* the highest; 0: nothing heard */
	yoke_time at;      /* when it came */
};

/* Size of struct hb's memory is known below; treat its fields as private except through the
 * functions. */
struct hb_peer {
	uint64_t incarnation; /* 0: nobody has proven to live yet */
	yoke_time taken_at;   /* when it did */
	struct hb_key_ring ring;
	uint8_t shown;      /* bit for each of our keys: it has shown that it has it */
	uint8_t sealed_key; /* id of the key of its last frame; 0: none */
	struct hb_echo echo[YOKE_PATHS_MAX];
	uint32_t count[YOKE_PATHS_MAX];  /* frame.h's count, of the last frame on the path */
	uint16_t beat_size;              /* 0: no BEAT with a payload from this incarnation yet */
	uint8_t beat[YOKE_PAYLOAD_SIZE]; /* last BEAT's bytes */
	struct hb_part_in parts;         /* of a MESSAGE of it */
	uint64_t candidate;              /* incarnation heard that has not proven itself; 0: none */
	struct hb_key_ring candidate_ring;
	uint8_t candidate_shown;
	struct hb_echo candidate_echo[YOKE_PATHS_MAX];
	uint64_t past[HB_PAST_MAX]; /* ring of incarnations that are over */
	unsigned past_count;        /* ever put into it */
	yoke_time answer_at;        /* no answer to a new incarnation before */
	yoke_time foreign_at;       /* no FOREIGN is handed up before */
	struct hb_path path[YOKE_PATHS_MAX];
	struct hb_public public[YOKE_PATHS_MAX];
};

struct hb {
	struct hb_conf conf;
	struct hb_key_ring ring;  /* ours */
	struct hb_key_ring spare; /* ours, while keys are exchanged */
	struct hb_seal_key trial; /* of the incarnation that the frame at hand says it is from */
	uint8_t prints[HB_KEY_PRINTS_SIZE];
	size_t prints_size;
	unsigned keys_rounds;           /* until they are told again */
	uint64_t sequence;              /* last one used, over all paths and receivers */
	yoke_time sent_at[HB_SENT_MAX]; /* [sequence % HB_SENT_MAX] */
	yoke_time beat_at;              /* when the next BEATs are due */
	yoke_time extra_at; /* when a new BEAT is to go out before that; YOKE_NEVER: none */
	yoke_time round_at; /* when BEATs were last sent to all; YOKE_NEVER: not yet */
	yoke_time seen_at;  /* the latest `now` that we were told */
	uint16_t beat_size;
	uint8_t beat[YOKE_PAYLOAD_SIZE];
	struct hb_part_out message; /* the last one */
	struct hb_bulk bulk[YOKE_NODES_MAX];
	struct hb_udp udp[YOKE_PATHS_MAX];
	struct hb_line line[YOKE_PATHS_MAX]; /* of paths that are one; else closed for ever */
	struct hb_post post[YOKE_PATHS_MAX]; /* likewise */
	struct hb_peer peer[YOKE_NODES_MAX]; /* [node - 1]; our own is unused */
	uint64_t sent_gap_us_max; /* longest time between two BEAT rounds since the start */
};

/* Start: derives the key, opens the sockets that can be opened (others are tried again by
 * hb_tick).  Returns 0; -1 with why[YOKE_REASON_SIZE] when the crypto library fails. */
int hb_init(struct hb *hb, const struct hb_conf *conf, yoke_time now, char *why);
/* Close the sockets and wipe every key. */
void hb_fini(struct hb *hb);

/* Is a line or disk closed, and is it time to ask for its tty or socket?  Says so once in
 * HB_LINE_RETRY_US (HB_POST_RETRY_US); hb_tick() is due then. */
bool hb_wants_fd(struct hb *hb, uint16_t path, yoke_time now);

/* Use this tty (hb/tty.h) or socket (hb/post.h), which hb owns from now on, for a path that is a
 * line or disk. */
void hb_give_fd(struct hb *hb, uint16_t path, int fd, yoke_time now);

/* Does a disk not take what it was given so long ago that the path is late? */
bool hb_is_stuck(const struct hb *hb, uint16_t path, yoke_time now);

/* The socket or tty of a path (number), to poll for reading; -1: closed now (hb_tick reopens it).
 * Look again after each hb_tick(): a socket that was opened anew has another number. */
int hb_fd(const struct hb *hb, uint16_t path);

/* Read one frame from a path.  Returns 1 and fills *received (a frame that is refused, not fresh or
 * without payload is counted and the next one is read); 0 when there is nothing more to read, or
 * after HB_FRAMES_PER_TURN frames that gave nothing (the socket stays readable).  Bound your own
 * loop by HB_FRAMES_PER_TURN, too.  changes: cleared first, gets path state changes (a path that
 * comes up does so here). */
int hb_receive(struct hb *hb, uint16_t path, yoke_time now, struct hb_received *received,
	       struct hb_changes *changes);

/* Go on with these keys (the caller's, copied).  What is known of both sets stays as it is, so that
 * no frame is lost.  Returns 0; -1 when the crypto library fails, and then nothing has changed. */
int hb_set_keys(struct hb *hb, const struct hb_keys *keys, yoke_time now);

/* The id of the key that frames to a node (number) are sealed with now. */
uint8_t hb_sealing_key(const struct hb *hb, uint16_t node);

/* Has the node (number) shown that it has our key `index`? */
bool hb_has_shown(const struct hb *hb, uint16_t node, unsigned index);

/* The payload of BEATs from now on; if it is another one, the next beats go out at once (at most
 * once per interval/4: else hb_deadline() says when).  Until the first call BEATs have no payload:
 * they prove life, and are not handed up.
 * size <= YOKE_PAYLOAD_SIZE (asserted). */
void hb_set_beat(struct hb *hb, const uint8_t *bytes, size_t size, yoke_time now);

/* Send a MESSAGE now on every configured path to `node` (number) or HB_ALL_NODES.  size: 1..
 * YOKE_MESSAGE_SIZE (asserted).  What does not arrive is not sent again: repeat it until the node
 * tells that it has it.  One that comes on several paths is handed up as often. */
void hb_send(struct hb *hb, uint16_t node, const uint8_t *bytes, size_t size, yoke_time now);

/* When hb_tick() is to be called next: a BEAT is due, or a path's state will change. */
yoke_time hb_deadline(const struct hb *hb);

/* Send BEATs that are due, judge all paths.  Returns the length in milliseconds of a stall that was
 * noticed (this call came later than late_us after its deadline), else 0: after a stall every path
 * gets one full dead time before it is judged, because our own sleep says nothing of the peer. */
uint32_t hb_tick(struct hb *hb, yoke_time now, struct hb_changes *changes);

/* Counters and state of a path to a node, for snapshots. */
const struct hb_path *hb_path_of(const struct hb *hb, uint16_t node, uint16_t path);

/* ---- between the files of hb, for tests and fuzzers ------------------------------------------ */

/* What hb_receive() does with the bytes of one datagram (any size, from anybody).  Returns 1 when
 * *received was filled, else 0.  Adds to changes, which must have room for one more. */
int hb_take(struct hb *hb, uint16_t path, const uint8_t *bytes, size_t size, yoke_time now,
	    struct hb_received *received, struct hb_changes *changes);

/* Is `path` a serial line, or a shared disk? */
bool hb_is_line(const struct hb *hb, uint16_t path);
bool hb_is_post(const struct hb *hb, uint16_t path);

/* Is what is sent on `path` sent to a multicast address? */
bool hb_is_multicast(const struct hb *hb, uint16_t path);

/* Is `path` (any number) configured between us and `node` (any number), which is not us? */
bool hb_has_path(const struct hb *hb, uint16_t node, uint16_t path);

/* Has the present incarnation proven to live less than dead_us ago, on any path? */
bool hb_peer_is_proven(const struct hb_peer *peer, yoke_time now);

/* Note that p changed from `from` to what it is now. */
void hb_changes_add(struct hb_changes *changes, uint16_t node, uint16_t path,
		    enum yoke_path_state from, const struct hb_path *p);

#endif
