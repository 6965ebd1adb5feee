#include <assert.h>
#include <string.h>

#include "agent/engine.h"
#include "agent/role.h"

static_assert((int)YOKE_PIECE_SIZE == (int)HB_BULK_SIZE, "a piece is what a BULK carries");

void agent_bulk_ask(struct agent_engine *e, const struct yoke_request *request, uint16_t node,
		    struct yoke_answer *answer)
{
	struct yoke_piece_news *news = &answer->news;
	struct yoke_piece piece;

	answer->has_news = true;
	news->way = hb_bulk_way(&e->hb, node);
	if (news->way != 0) {
		news->room = hb_bulk_room(&e->hb, news->way);
		news->turn_ms = hb_bulk_turn_ms(&e->hb, news->way);
	}
	if (request->piece_size > 0 &&
	    yoke_piece_get(request->piece, request->piece_size, &piece) &&
	    piece.kind == YOKE_PIECE_ASK) {
		if (piece.number != e->bulk.number || node != e->bulk.node)
			e->bulk.size = 0;
		e->bulk.number = piece.number;
		e->bulk.node = node;
		hb_send_bulk(&e->hb, node, request->piece, request->piece_size, agent_engine_now());
	}
	news->heard = e->bulk.heard;
	news->size = e->bulk.size;
	memcpy(news->bytes, e->bulk.bytes, e->bulk.size);
}

/* What the keeper does not take now is asked again. */
static void ask_keeper(struct agent_engine *e)
{
	struct agent_channel_message *m = &e->message;
	uint16_t way = hb_bulk_way(&e->hb, e->received.node);

	m->kind = AGENT_CHANNEL_BULK;
	m->u.bulk.node = e->received.node;
	m->u.bulk.room = (uint16_t)(way == 0 ? 0 : hb_bulk_room(&e->hb, way));
	m->u.bulk.size = e->received.size;
	memcpy(m->u.bulk.bytes, e->received.bytes, e->received.size);
	(void)agent_channel_send(AGENT_ROLE_FD_CHANNEL, m);
}

void agent_bulk_received(struct agent_engine *e)
{
	struct yoke_piece piece;

	if (!yoke_piece_get(e->received.bytes, e->received.size, &piece))
		return;
	if (piece.kind == YOKE_PIECE_ASK) {
		ask_keeper(e);
	} else if (piece.number == e->bulk.number && e->received.node == e->bulk.node) {
		e->bulk.heard++;
		e->bulk.size = e->received.size;
		memcpy(e->bulk.bytes, e->received.bytes, e->received.size);
	}
}

void agent_bulk_answer(struct agent_engine *e, yoke_time now)
{
	uint16_t node = e->message.u.bulk.node, size = e->message.u.bulk.size;

	if (node >= 1 && node <= e->conf.node_count && node != e->self && size >= 1 &&
	    size <= HB_BULK_SIZE)
		hb_send_bulk(&e->hb, node, e->message.u.bulk.bytes, size, now);
}
