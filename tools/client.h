/* tools/client.h - one connection to the engine's control socket.
 *
 * Every call ends: an answer that does not come in time is an error.  Each function
 * returns TOOL_OK or the exit code that the failure stands for, and then client->why says what is
 * wrong and what to do.  A refusal is an answer, not a failure: see client->answer.verdict.
 *
 * Layer: tools.  May include: agent/base.
 * Memory: struct tool_client is large (static) and the caller's.  line, answer and snapshot are
 * those of the last answer.
 * Example: tools/status.c.
 */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/json.h"
#include "tools/tool.h"

enum {
	TOOL_ANSWER_MS = 5000, /* the engine answers at once; this is for a machine in trouble */
	TOOL_WHY_SIZE = 384,
};

struct tool_client {
	int fd; /* -1: closed */
	const char *path;
	int64_t answer_ms; /* the longest wait for an answer */
	char why[TOOL_WHY_SIZE];
	bool kicked;               /* a kick came since the last tool_client_wait() */
	char line[YOKE_LINE_SIZE]; /* the last answer as it came, without newline, NUL-terminated */
	size_t taken, used;        /* of bytes: given out as lines, and filled */
	char bytes[YOKE_LINE_SIZE];
	struct yoke_answer answer;
	struct yoke_snapshot snapshot; /* of the last answer that had one */
};

/* Milliseconds of the monotonic clock. */
int64_t tool_client_now_ms(void);

/* To options->socket_path, which is kept until close.  Answers are waited for TOOL_ANSWER_MS, or
 * for options->timeout_s when that is less. */
int tool_client_open(struct tool_client *client, const struct tool_options *options);
void tool_client_close(struct tool_client *client);

/* Send a request and wait for its answer. */
int tool_client_ask(struct tool_client *client, const struct yoke_request *request);

/* The same for what has no arguments.  A failure and a refusal are said on standard error, and both
 * are an exit code. */
int tool_client_demand(struct tool_client *client, enum yoke_request_kind kind);

/* Wait until a kick comes, timeout_ms is over or a signal comes; all are TOOL_OK. */
int tool_client_wait(struct tool_client *client, int64_t timeout_ms);

/* Write client->why to standard error; returns `result`. */
int tool_client_complain(const struct tool_client *client, int result);

#endif
