/* tools/follow.h - events as they come, until Ctrl-C.
 *
 * The engine's kicks may be lost: without one the engine is asked again every second.  When the
 * engine goes away (its keeper starts it again at once) the connection is made anew, for
 * --timeout seconds.
 *
 * Layer: tools.  Memory: nothing is kept after the call.
 * Example: tools/watch.c.
 */
#ifndef TOOLS_FOLLOW_H
#define TOOLS_FOLLOW_H

#include <stdint.h>

#include "tools/client.h"
#include "tools/tool.h"

struct tool_follow {
	const struct tool_options *options;
	struct tool_client *client; /* open, or closed: it is opened then */
	uint64_t after;             /* the last event that was shown */
	/* Called after each pull: client->snapshot and client->answer are new. */
	void (*on_news)(struct tool_follow *follow);
	/* Called when the connection is lost; client->why says why. */
	void (*on_away)(struct tool_follow *follow);
};

/* Returns TOOL_OK after SIGINT or SIGTERM, else an exit code; client->why then says why. */
int tool_follow(struct tool_follow *follow);

#endif
