#include "tools/follow.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

enum { LOOK_MS = 1000, AGAIN_MS = 100 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal; /* no SA_RESTART: it ends a wait */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int subscribe(struct tool_follow *follow)
{
	static const struct yoke_request request = {.kind = YOKE_REQUEST_SUBSCRIBE};
	int result = TOOL_OK;

	if (follow->client->fd < 0)
		result = tool_client_open(follow->client, follow->options);
	return result == TOOL_OK ? tool_client_ask(follow->client, &request) : result;
}

/* Everything that is new, in as many answers as it takes. */
static int pull(struct tool_follow *follow)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_PULL, .after = follow->after};
	const struct yoke_answer *answer = &follow->client->answer;

	do {
		int result = tool_client_ask(follow->client, &request);

		if (result != TOOL_OK)
			return result;
		if (answer->event_count > 0)
			follow->after = answer->event[answer->event_count - 1].seq;
		else if (answer->has_snapshot &&
			 follow->client->snapshot.last_event < follow->after)
			follow->after = follow->client->snapshot.last_event; /* counted anew */
		follow->on_news(follow);
		if (follow->after <= request.after)
			return TOOL_OK;
		request.after = follow->after;
	} while (answer->event_count > 0 && !interrupted);
	return TOOL_OK;
}

/* *was_there: set when the engine answered. */
static int session(struct tool_follow *follow, bool *was_there)
{
	int result = subscribe(follow);

	*was_there = result == TOOL_OK;
	while (result == TOOL_OK && !interrupted) {
		result = pull(follow);
		if (result == TOOL_OK && !interrupted)
			result = tool_client_wait(follow->client, LOOK_MS);
	}
	return result;
}

int tool_follow(struct tool_follow *follow)
{
	int64_t timeout_ms = (int64_t)follow->options->timeout_s * 1000;
	int64_t away_ms = 0; /* since when; 0: it is there */
	int result;

	catch_signals();
	for (;;) {
		bool was_there;

		result = session(follow, &was_there);
		tool_client_close(follow->client);
		if (interrupted)
			return TOOL_OK;
		if (result != TOOL_NO_ENGINE)
			return result;
		if (away_ms == 0 || was_there) {
			away_ms = tool_client_now_ms();
			follow->on_away(follow);
		}
		if (tool_client_now_ms() - away_ms > timeout_ms)
			return result;
		poll(NULL, 0, AGAIN_MS);
	}
}
