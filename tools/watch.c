#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tools/follow.h"
#include "tools/show.h"
#include "tools/text.h"
#include "tools/tool.h"

enum { RECENT_MAX = 32, EVENT_ROWS_MIN = 4, ROWS_DEFAULT = 24 };

static struct tool_client client;
static struct yoke_event recent[RECENT_MAX]; /* ring */
static unsigned recent_count;                /* ever put into it */

static unsigned terminal_rows(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2 * EVENT_ROWS_MIN)
		return ROWS_DEFAULT;
	return size.ws_row;
}

/* Print up to `rows` lines of text, each over what was there; returns how many. */
static unsigned print_lines(const char *text, unsigned rows)
{
	unsigned printed;

	for (printed = 0; printed < rows && *text != '\0'; printed++) {
		size_t len = strcspn(text, "\n");

		printf("%.*s\033[K\r\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
	return printed;
}

static void print_recent(const struct tool_options *options, unsigned rows)
{
	unsigned count = recent_count < RECENT_MAX ? recent_count : RECENT_MAX;

	for (count = count < rows ? count : rows; count > 0; count--) {
		fputs("\033[K", stdout);
		tool_show_event(&recent[(recent_count - count) % RECENT_MAX], options->colour,
				stdout);
	}
}

static void draw(struct tool_follow *follow, const char *away)
{
	const struct tool_options *options = follow->options;
	unsigned rows = terminal_rows() - 1;
	char *text = NULL, now[TOOL_TIME_SIZE];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	tool_text_time(now, (int64_t)time(NULL) * 1000);
	now[sizeof("2026-01-31 23:59:59") - 1] = '\0';
	fprintf(out, "%s%s   Ctrl-C ends%s\n", tool_text_colour(TOOL_DIM, options->colour), now,
		tool_text_colour(TOOL_PLAIN, options->colour));
	if (away != NULL)
		fprintf(out, "%s%s; waiting for it%s\n",
			tool_text_colour(TOOL_BAD, options->colour), away,
			tool_text_colour(TOOL_PLAIN, options->colour));
	if (follow->client->snapshot.node_count > 0)
		tool_show_status(&follow->client->snapshot, options->wide, options->colour, out);
	fputc('\n', out);
	fclose(out);
	fputs("\033[H", stdout);
	rows -= print_lines(text, rows - EVENT_ROWS_MIN);
	print_recent(options, rows);
	fputs("\033[J", stdout);
	fflush(stdout);
	free(text);
}

static void on_news_draw(struct tool_follow *follow)
{
	const struct yoke_answer *answer = &follow->client->answer;
	unsigned i;

	for (i = 0; i < answer->event_count; i++)
		recent[recent_count++ % RECENT_MAX] = answer->event[i];
	draw(follow, NULL);
}

static void on_away_draw(struct tool_follow *follow)
{
	draw(follow, follow->client->why);
}

static void on_news_print(struct tool_follow *follow)
{
	unsigned i;

	for (i = 0; i < follow->client->answer.event_count; i++)
		tool_show_event(&follow->client->answer.event[i], false, stdout);
	fflush(stdout);
}

static void on_away_print(struct tool_follow *follow)
{
	fprintf(stderr, "yoke: %s; waiting for it\n", follow->client->why);
}

int tool_watch(const struct tool_options *options, int argc, char **argv)
{
	static const struct yoke_request request = {.kind = YOKE_REQUEST_STATUS};
	struct tool_follow follow = {options, &client, 0, on_news_print, on_away_print};
	int result = tool_client_open(&client, options);
	uint64_t last;

	(void)argc;
	(void)argv;
	if (result == TOOL_OK)
		result = tool_client_ask(&client, &request);
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	last = client.snapshot.last_event;
	follow.after = last;
	if (options->is_tty) {
		follow.after = last > RECENT_MAX ? last - RECENT_MAX : 0;
		follow.on_news = on_news_draw;
		follow.on_away = on_away_draw;
		fputs("\033[2J\033[?7l", stdout); /* long lines are cut, not wrapped */
	}
	result = tool_follow(&follow);
	if (options->is_tty)
		fputs("\033[?7h", stdout);
	return result == TOOL_OK ? TOOL_OK : tool_client_complain(&client, result);
}
