#include "tools/transfer.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	LOOK_AGAIN_MS = 20,
	RESEND_MS = 500, /* and three turns */
	RESEND_TURNS = 3,
	SILENCE_MS = 10000, /* or as many turns as there are here */
	SILENCE_TURNS = 12,
	NO_WAY_MS = 3000, /* an engine that starts again is away for less */
	SLOW_MS = 3000,   /* what takes longer is said before, and watched */
};

struct run {
	struct tool_transfer *x;
	struct yoke_piece_news news; /* the last ones */
	uint32_t heard;
	int64_t sent_ms, heard_ms, way_ms, whole_ms;
	bool send_now, said;
};

void tool_transfer_begin(struct tool_transfer *x, uint8_t verb)
{
	x->t.number = 0;
	while (x->t.number == 0)
		if (getrandom(&x->t.number, sizeof(x->t.number), 0) != sizeof(x->t.number))
			x->t.number = 0;
	x->t.verb = verb;
	x->t.out_size = x->t.out_taken = x->t.in_size = x->t.in_total = 0;
	x->t.begun = x->sent_whole = false;
	x->state = YOKE_PIECE_MORE;
}

static int ask(struct run *r, bool with_piece)
{
	struct tool_transfer *x = r->x;
	struct yoke_request request = {.kind = YOKE_REQUEST_PIECE};
	struct yoke_piece piece = {.kind = YOKE_PIECE_ASK};
	int result;

	snprintf(request.node, sizeof(request.node), "%s", x->node);
	if (with_piece && r->news.way != 0) {
		yoke_transfer_next(&x->t, r->news.room, &piece);
		if (piece.offset + piece.size == piece.total)
			x->sent_whole = true;
		request.piece_size = (uint16_t)yoke_piece_put(&piece, request.piece);
	}
	result = tool_client_ask(x->client, &request);
	if (result != TOOL_OK)
		return result;
	if (x->client->answer.verdict != YOKE_OK || !x->client->answer.has_news) {
		snprintf(x->client->why, sizeof(x->client->why), "%s: %s",
			 yoke_word_verdict(x->client->answer.verdict),
			 x->client->answer.verdict == YOKE_OK ||
					 x->client->answer.verdict == YOKE_E_REQUEST
				 ? "yoked is older than this yoke: restart it"
				 : yoke_verdict_advice(x->client->answer.verdict));
		return TOOL_FAILED;
	}
	r->news = x->client->answer.news;
	return TOOL_OK;
}

static int64_t span_ms(const struct yoke_piece_news *news, uint32_t bytes)
{
	uint32_t each = news->room > YOKE_PIECE_HEADER_SIZE ? news->room - YOKE_PIECE_HEADER_SIZE
							    : YOKE_PIECE_BYTES;

	return (int64_t)((bytes + each - 1) / each) * news->turn_ms;
}

static const char *path_name(const struct tool_transfer *x, uint16_t way)
{
	const struct yoke_snapshot *s = &x->client->snapshot;

	for (unsigned i = 0; i < s->link_count; i++)
		if (s->link[i].path == way)
			return s->link[i].name;
	return "?";
}

int64_t tool_transfer_ms(struct tool_transfer *x, uint32_t bytes, const char **path)
{
	struct run r = {.x = x};

	if (ask(&r, false) != TOOL_OK || r.news.way == 0)
		return -1;
	*path = path_name(x, r.news.way);
	return span_ms(&r.news, bytes);
}

/* What takes its time is watched. */
static void show(struct run *r)
{
	const struct yoke_transfer *t = &r->x->t;
	bool is_sending = t->verb == YOKE_PIECE_PUT;
	uint32_t all = is_sending ? t->out_size : t->in_total;
	uint32_t done = is_sending ? t->out_taken : t->in_size;
	int64_t left_ms = span_ms(&r->news, all - done);

	if (!r->said && left_ms < SLOW_MS)
		return;
	if (!r->said && !is_sending)
		fprintf(stderr, "%s %u bytes over the path %s: about %lld s\n", r->x->what, all,
			path_name(r->x, r->news.way), (long long)((left_ms + 999) / 1000));
	r->said = true;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %u of %u bytes, %lld s left  %s", r->x->what, done, all,
			(long long)((left_ms + 999) / 1000), done == all ? "\n" : "");
}

/* Returns whether it is over. */
static bool take(struct run *r, int64_t now)
{
	struct tool_transfer *x = r->x;
	struct yoke_piece piece;

	if (r->news.heard == r->heard || !yoke_piece_get(r->news.bytes, r->news.size, &piece) ||
	    piece.number != x->t.number)
		return false;
	r->heard = r->news.heard;
	r->heard_ms = now;
	if (piece.state == YOKE_PIECE_UNKNOWN) {
		x->state = piece.state;
		return true;
	}
	if (yoke_transfer_take(&x->t, &piece)) {
		r->send_now = true;
		r->whole_ms = now;
		show(r);
	}
	/* A text of nothing is whole before it is known that it is one. */
	x->state = piece.state;
	return piece.state != YOKE_PIECE_MORE && yoke_transfer_has_all(&x->t);
}

static int give_up(struct run *r, int64_t now)
{
	struct tool_client *client = r->x->client;
	const char *node = r->x->node;
	int64_t silence_ms = (int64_t)r->news.turn_ms * SILENCE_TURNS;

	if (r->news.way != 0)
		r->way_ms = now;
	if (now - r->way_ms > NO_WAY_MS) {
		snprintf(client->why, sizeof(client->why),
			 "%s is not in contact: no path to it is up", node);
		return TOOL_FAILED;
	}
	if (now - r->heard_ms > (silence_ms > SILENCE_MS ? silence_ms : SILENCE_MS)) {
		snprintf(client->why, sizeof(client->why),
			 "%s does not answer: is its yoked older than 'yoke config'?", node);
		return TOOL_TIMED_OUT;
	}
	if (r->x->t.out_taken == r->x->t.out_size &&
	    now - r->whole_ms > (int64_t)r->x->options->timeout_s * 1000 + silence_ms) {
		snprintf(client->why, sizeof(client->why),
			 "%s has not said in time what came of it: look at its log", node);
		return TOOL_TIMED_OUT;
	}
	return TOOL_OK;
}

int tool_transfer_run(struct tool_transfer *x)
{
	int64_t now = tool_client_now_ms();
	struct run r = {.x = x, .heard_ms = now, .way_ms = now, .whole_ms = now};
	int result = ask(&r, false);

	r.heard = r.news.heard;
	r.send_now = true;
	while (result == TOOL_OK) {
		result = give_up(&r, now);
		if (result != TOOL_OK)
			break;
		if (r.send_now)
			r.sent_ms = now;
		result = ask(&r, r.send_now);
		r.send_now = false;
		now = tool_client_now_ms();
		if (result != TOOL_OK || take(&r, now))
			break;
		if (now - r.sent_ms > RESEND_MS + (int64_t)r.news.turn_ms * RESEND_TURNS)
			r.send_now = true;
		if (!r.send_now)
			poll(NULL, 0, LOOK_AGAIN_MS);
	}
	if (result != TOOL_OK && r.said && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	return result;
}
