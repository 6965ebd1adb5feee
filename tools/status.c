#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"
#include "tools/client.h"
#include "tools/follow.h"
#include "tools/show.h"
#include "tools/tool.h"

enum { RECENT_COUNT = 5 };

static struct tool_client client;

/* Open the connection and get a snapshot; returns an exit code, explained. */
static int look(const struct tool_options *options)
{
	int result = tool_client_open(&client, options);

	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	result = tool_client_demand(&client, YOKE_REQUEST_STATUS);
	if (result != TOOL_OK)
		return result;
	if (!client.answer.has_snapshot) {
		fputs("yoke: yoked's answer has no snapshot: are yoke and yoked of the same "
		      "version?\n",
		      stderr);
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

/* The events after `after`, printed as they are got.  Returns an exit code, explained. */
static int print_events(const struct tool_options *options, uint64_t after, uint64_t last)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_EVENTS, .after = after};
	const struct yoke_answer *answer = &client.answer;
	unsigned i;

	do {
		int result = tool_client_ask(&client, &request);

		if (result != TOOL_OK)
			return tool_client_complain(&client, result);
		if (options->json)
			puts(client.line);
		else if (answer->missed > 0)
			printf("(%llu earlier events are no longer remembered)\n",
			       (unsigned long long)answer->missed);
		for (i = 0; i < answer->event_count && !options->json; i++)
			tool_show_event(&answer->event[i], options->colour, stdout);
		if (answer->event_count == 0 ||
		    answer->event[answer->event_count - 1].seq <= request.after)
			break;
		request.after = answer->event[answer->event_count - 1].seq;
	} while (request.after < last);
	return TOOL_OK;
}

static int condition_exit(const struct tool_options *options, enum yoke_condition condition)
{
	if (!options->exit_code || condition == YOKE_CONDITION_OK)
		return TOOL_OK;
	return condition == YOKE_CONDITION_CRITICAL ? TOOL_CRITICAL : TOOL_DEGRADED;
}

int tool_status(const struct tool_options *options, int argc, char **argv)
{
	int result = look(options);
	uint64_t last;

	(void)argc;
	(void)argv;
	if (result != TOOL_OK)
		return result;
	if (options->json) {
		puts(client.line);
		return condition_exit(options, client.snapshot.condition);
	}
	tool_show_status(&client.snapshot, options->wide, options->colour, stdout);
	last = client.snapshot.last_event;
	if (last > 0) {
		puts("\nlast events ('yoke history' has more):");
		result = print_events(options, last > RECENT_COUNT ? last - RECENT_COUNT : 0, last);
	}
	return result != TOOL_OK ? result : condition_exit(options, client.snapshot.condition);
}

static void on_news(struct tool_follow *follow)
{
	const struct yoke_answer *answer = &follow->client->answer;
	unsigned i;

	if (follow->options->json && answer->event_count > 0)
		puts(follow->client->line);
	for (i = 0; i < answer->event_count && !follow->options->json; i++)
		tool_show_event(&answer->event[i], follow->options->colour, stdout);
	fflush(stdout);
}

static void on_away(struct tool_follow *follow)
{
	fprintf(stderr, "yoke: %s; waiting for it\n", follow->client->why);
}

int tool_history(const struct tool_options *options, int argc, char **argv)
{
	struct tool_follow follow = {options, &client, 0, on_news, on_away};
	int result = look(options);
	uint64_t last;

	(void)argc;
	(void)argv;
	if (result != TOOL_OK)
		return result;
	last = client.snapshot.last_event;
	result = print_events(options, last > options->count ? last - options->count : 0, last);
	if (result != TOOL_OK || !options->follow)
		return result;
	fflush(stdout);
	follow.after = client.answer.event_count > 0
			       ? client.answer.event[client.answer.event_count - 1].seq
			       : last;
	result = tool_follow(&follow);
	return result == TOOL_OK ? TOOL_OK : tool_client_complain(&client, result);
}
