/* subagent/feed.h - the subagent's end of the engine's control socket: kick and pull.
 *
 * Connects, subscribes, and pulls a snapshot and the events after the newest one that it has: when
 * the engine kicks, and every FEED_PULL_MS at the latest.  A broken or silent connection is closed
 * and opened again after FEED_RETRY_MS; what was read stays, and grows old (subagent_feed_age_ms).
 *
 * Layer: subagent.  May include: agent/base.
 * Memory: struct subagent_feed is the caller's, about 700 KB of which a small cluster touches a
 * tenth; jansson allocates while a line is decoded.  Blocks: only subagent_feed_operate(), for at
 * most its timeout.
 */
#ifndef SUBAGENT_FEED_H
#define SUBAGENT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/json.h"
#include "agent/base/time.h"
#include "subagent/ring.h"

enum {
	SUBAGENT_FEED_PULL_MS = 2000,   /* between pulls when nothing happens */
	SUBAGENT_FEED_RETRY_MS = 200,   /* between attempts to connect */
	SUBAGENT_FEED_ANSWER_MS = 2000, /* an engine that is silent longer has gone */
	SUBAGENT_FEED_ASKED_MAX = 16,   /* requests without an answer yet */
};

enum subagent_asked { SUBAGENT_ASKED_NOTHING, SUBAGENT_ASKED_PULL, SUBAGENT_ASKED_OPERATE };

struct subagent_feed {
	const char *path; /* of the socket; lent for ever */
	int fd;           /* -1: not connected */
	yoke_time retry_at, pull_at, answer_by;
	bool kicked, unreachable_logged;
	enum subagent_asked asked[SUBAGENT_FEED_ASKED_MAX]; /* in the order of their answers */
	unsigned asked_count;
	bool pulling;
	bool operated; /* the answer to the last operate request came: */
	enum yoke_verdict verdict;
	uint32_t operation;

	bool has_snapshot, connection_has_snapshot;
	yoke_time snapshot_at;
	int64_t condition_changed_wall_ms; /* 0: not seen to change */
	uint64_t acknowledged; /* events up to this need not be delivered; set by the owner */
	uint64_t missed;       /* events whose numbers were skipped */
	bool renumbered;       /* the engine's numbers began again; the owner clears it */
	struct yoke_names names;
	struct yoke_snapshot snapshot, incoming;
	struct subagent_ring ring;
	struct yoke_answer answer;
	size_t used; /* of line */
	char line[YOKE_LINE_SIZE];
};

/* acknowledged: the number of the newest event that need not be delivered. */
void subagent_feed_init(struct subagent_feed *feed, const char *path, uint64_t acknowledged);

/* Connect, pull, give up: whatever is due at `now`. */
void subagent_feed_tick(struct subagent_feed *feed, yoke_time now);
/* When to call subagent_feed_tick() at the latest. */
yoke_time subagent_feed_deadline(const struct subagent_feed *feed);
/* feed->fd is readable. */
void subagent_feed_read(struct subagent_feed *feed, yoke_time now);

/* Milliseconds since the last snapshot came; UINT32_MAX: none did. */
uint32_t subagent_feed_age_ms(const struct subagent_feed *feed, yoke_time now);

/* Ask for an operation and wait for the verdict.  Returns 0 with *verdict; -1 when the engine did
 * not answer in time: whether it will still do it is not known, the operation table tells. */
int subagent_feed_operate(struct subagent_feed *feed, const struct yoke_request *request,
			  int timeout_ms, enum yoke_verdict *verdict);

/* Let the engine refuse a request, so that it is recorded.  Nobody waits for the answer. */
void subagent_feed_report(struct subagent_feed *feed, const struct yoke_request *request);

/* CLOCK_MONOTONIC. */
yoke_time subagent_feed_now(void);

#endif
