/* tools/transfer.h - a text there and one back, between this node's root and the other node's
 * (agent/courier.h), in pieces that the engines carry.
 *
 * Layer: tools.  May include: agent/base.
 * Memory: struct yoke_transfer is large (static) and the caller's.
 */
#ifndef TOOLS_TRANSFER_H
#define TOOLS_TRANSFER_H

#include "agent/base/piece.h"
#include "tools/client.h"

struct tool_transfer {
	struct tool_client *client;
	const struct tool_options *options;
	const char *node;
	const char *what; /* is done, for who watches: "reading", "sending" */
	struct yoke_transfer t;
	uint8_t state;   /* enum yoke_piece_state, once it is over */
	bool sent_whole; /* the last piece of t.out went out: the other node may have all of it */
};

/* Begin one: number and verb; `out` is the caller's to fill, then. */
void tool_transfer_begin(struct tool_transfer *x, uint8_t verb);

/* Do it: t.in is what came back, by state.  Returns TOOL_OK for any state; else an exit code, with
 * client->why. */
int tool_transfer_run(struct tool_transfer *x);

/* How long so many bytes take now, about; and is that over a slow path?  name: of the path.
 * Returns -1: the node is not in contact. */
int64_t tool_transfer_ms(struct tool_transfer *x, uint32_t bytes, const char **path);

#endif
