/* agent/base/json.h - the control socket's language: one JSON object a line, both ways.
 *
 * Requests (client to engine), each answered by exactly one line:
 *   {"do":"status"}                              -> {"ok":true,"snapshot":{...}}
 *   {"do":"pull","after":N}                      -> {"ok":true,"snapshot":{...},"events":[...],
 *                                                    "missed":K}   at most YOKE_PULL_EVENTS_MAX
 *   {"do":"events","after":N}                    -> the same without the snapshot
 *   {"do":"subscribe"}                           -> {"ok":true}; from then on a line {"kick":N}
 *                                                    may come at any time (and may be lost)
 *   {"do":"switch","group":G,"node":N,"by":WHO,"reason":WHY}
 *   {"do":"failback","group":G,...}              "group" may be left out: all groups
 *   {"do":"standby","node":N,...}  {"do":"online","node":N,...}
 *   {"do":"confirmDown","node":N,...}
 *                                                -> {"ok":true,"operation":N}
 *   {"do":"keys"}                                -> {"ok":true}: the key file is read again; the
 *                                                    snapshot's "key_reads" grows when it was
 *   {"do":"piece","node":N,"piece":HEX}          -> {"ok":true,"way":PATH,"room":R,"turn_ms":T,
 *                                                    "heard":K,"piece":HEX}: of root's, one piece
 *                                                    (piece.h) for the other node; without one
 *                                                    nothing is sent.  Back: the last piece that
 *                                                    answers, and how many have; over which path
 *                                                    one goes (0: there is none), how large it may
 *                                                    be, and how long each there and back takes
 * A refusal is {"ok":false,"error":"<verdict word>","advice":"..."}.
 * "after":N means events with seq > N; "missed" counts those that are no longer remembered.  Both
 * "missed" and "events" may be left out when there are none.
 *
 * The members of the snapshot and of events are those of the structs (agent/base/json_fields.c has
 * them in order); its tables are "nodes", "paths", "groups", "members", "resources", "arbiters",
 * "unready", "keys", "operations".
 * Enumerations travel as words; a word that this version does not know is read as "unknown".
 * Numbers of nodes, paths, groups and resources have a companion KEY_name for people.  A resource's
 * "state" is an array, one word for each node.  An event leaves out what it has not.  Counters stop
 * at 2^63-1.  What is not UTF-8, and control characters, become '?' on both ways.
 *
 * Layer: base; the only user of jansson.  The engine must not allocate: it calls
 * yoke_json_use_arena() once, and every function here then works in a fixed arena that is emptied
 * when the function returns.
 * Example: tests/unit/base_json.c.
 */
#ifndef AGENT_BASE_JSON_H
#define AGENT_BASE_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/piece.h"
#include "agent/base/snapshot.h"

enum {
	YOKE_PULL_EVENTS_MAX = 64,
	YOKE_LINE_SIZE = 1310720,       /* bytes: the longest answer, with newline and NUL */
	YOKE_REQUEST_SIZE = 1024,       /* bytes: the longest request line, with newline and NUL */
	YOKE_JSON_ARENA_SIZE = 1048576, /* bytes: enough for every request and for any answer */
};

enum yoke_request_kind {
	YOKE_REQUEST_STATUS,
	YOKE_REQUEST_PULL,
	YOKE_REQUEST_EVENTS,
	YOKE_REQUEST_SUBSCRIBE,
	YOKE_REQUEST_KEYS,
	YOKE_REQUEST_PIECE,
	YOKE_REQUEST_OPERATE, /* verb says which */
};

struct yoke_request {
	enum yoke_request_kind kind;
	uint64_t after;
	enum yoke_verb verb;
	char group[YOKE_NAME_SIZE], node[YOKE_NAME_SIZE]; /* empty: not given */
	char by[YOKE_NAME_SIZE];                          /* who asks, as he says; may be empty */
	char reason[YOKE_REASON_SIZE];
	uint16_t piece_size; /* 0: there is none */
	uint8_t piece[YOKE_PIECE_SIZE];
};

/* What becomes of pieces. */
struct yoke_piece_news {
	uint16_t way; /* path's number; 0: the node is not in contact */
	uint32_t room, turn_ms;
	uint32_t heard; /* answers so far; the last one: */
	uint16_t size;  /* 0: there is none */
	uint8_t bytes[YOKE_PIECE_SIZE];
};

struct yoke_answer {
	enum yoke_verdict verdict;
	uint32_t operation; /* 0: none */
	bool has_news;      /* then: */
	struct yoke_piece_news news;
	bool has_snapshot;  /* then *snapshot given to decode was filled */
	uint64_t missed;
	unsigned event_count;
	struct yoke_event event[YOKE_PULL_EVENTS_MAX];
	bool is_kick; /* the line was a kick; kick_seq is its number */
	uint64_t kick_seq;
};

/* From now on take all of jansson's memory from `arena` (size bytes, YOKE_JSON_ARENA_SIZE is
 * enough; aligned to 16, kept by the caller for ever) instead of malloc. */
void yoke_json_use_arena(void *arena, size_t size);

/* Write a request or an answer as one line (with '\n' and NUL) to `line`.
 * Returns its length without the NUL; -1 when it does not fit or the arena is too small. */
int yoke_json_put_request(const struct yoke_request *request, char *line, size_t size);
/* snapshot: NULL for an answer without one.  names: for the events' node, group... names; may be
 * NULL.  The last events are left out when the line is too short for all: the reader asks again for
 * those after the last one that it got. */
int yoke_json_put_answer(const struct yoke_answer *answer, const struct yoke_snapshot *snapshot,
			 const struct yoke_names *names, char *line, size_t size);

/* Read one line of `len` bytes.  Returns 0; -1 when it is not a request (answer) as above, and then
 * why[] (YOKE_REASON_SIZE bytes) says what is wrong.  Unknown members are ignored, missing ones are
 * 0 or empty; numbers in a snapshot never refer to a node or group that is not in it.  snapshot may
 * be NULL: it is then not read. */
int yoke_json_get_request(const char *line, size_t len, struct yoke_request *request, char *why);
int yoke_json_get_answer(const char *line, size_t len, struct yoke_answer *answer,
			 struct yoke_snapshot *snapshot, char *why);

#endif
