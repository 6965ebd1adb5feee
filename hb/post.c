#include "hb/post.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "hb/frame.h"
#include "hb/send.h"

enum {
	SIZE_SIZE = 2,
	READS_MAX = 8, /* messages without a frame that are read at once */
};

static_assert(2 * (SIZE_SIZE + HB_FRAME_SIZE_MAX) + SIZE_SIZE + HB_FRAME_SIZE_MIN +
			      HB_KEY_PRINTS_SIZE <=
		      HB_DISK_POST_SIZE,
	      "a BEAT, our keys and a MESSAGE fit into a post");

void hb_post_init(struct hb_post *post, bool is_post, yoke_time now)
{
	memset(post, 0, sizeof(*post));
	post->fd = -1;
	post->posted_at = YOKE_NEVER;
	post->wish_at = is_post ? now : YOKE_NEVER;
}

void hb_post_close(struct hb_post *post)
{
	if (post->fd >= 0)
		close(post->fd);
	post->fd = -1;
	post->is_busy = false;
	post->in_at = post->in_size = 0;
}

bool hb_is_post(const struct hb *hb, uint16_t path)
{
	return hb->conf.post[path - 1].interval_us != 0;
}

bool hb_is_stuck(const struct hb *hb, uint16_t path, yoke_time now)
{
	const struct hb_post *post = &hb->post[path - 1];

	return hb_is_post(hb, path) && post->is_busy &&
	       yoke_time_span_us(post->posted_at, now) > (int64_t)hb->conf.post[path - 1].late_us;
}

/* ---- sending ---- */

static yoke_time due_at(const struct hb *hb, uint16_t path)
{
	const struct hb_post *post = &hb->post[path - 1];
	uint32_t interval_us = hb->conf.post[path - 1].interval_us;

	if (yoke_time_is_never(post->posted_at))
		return (yoke_time){0};
	return yoke_time_add_us(post->posted_at, post->is_news ? interval_us / 2 : interval_us);
}

bool hb_post_add(struct hb_post *post, const uint8_t *bytes, size_t size)
{
	struct yoke_buf b;

	if (post->fd < 0 || post->out_size + SIZE_SIZE + size > sizeof(post->out))
		return false;
	yoke_buf_init(&b, post->out + post->out_size, sizeof(post->out) - post->out_size);
	yoke_buf_put_u16(&b, (uint16_t)size);
	yoke_buf_put(&b, bytes, size);
	post->out_size = (uint16_t)(post->out_size + b.used);
	return true;
}

/* It is repeated each interval for as long as it is wanted. */
static bool is_wanted(const struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	const struct hb_post *post = &hb->post[path - 1];
	int64_t wanted_us = (int64_t)hb->conf.late_us + hb->conf.interval_us;

	if (wanted_us < (int64_t)hb->conf.post[path - 1].interval_us)
		wanted_us = hb->conf.post[path - 1].interval_us;
	return post->message.size != 0 && hb_is_last_way(hb, node, path) &&
	       !yoke_time_due(yoke_time_add_us(post->offered_at, wanted_us), now);
}

static bool has_room_for_part(const struct hb_post *post)
{
	size_t needed = SIZE_SIZE + HB_FRAME_SIZE_MIN + HB_PART_SIZE_MAX;

	return post->out_size + needed <= sizeof(post->out);
}

static void fill_message(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_post *post = &hb->post[path - 1];
	const struct hb_part_out *message = &post->message;
	unsigned count = hb_part_count(message->size);
	uint8_t part[HB_PART_SIZE_MAX];

	if (message->size <= YOKE_PAYLOAD_SIZE) {
		hb_send_frame(hb, node, path, HB_MESSAGE, message->bytes, message->size, now);
		return;
	}
	for (unsigned i = 0; i < count && has_room_for_part(post); i++) {
		size_t size = hb_part_put(message, post->next_part, part);

		post->next_part = (post->next_part + 1) % count;
		hb_send_frame(hb, node, path, HB_PART, part, size, now);
	}
}

static bool has_room_for_bulk(const struct hb_post *post)
{
	size_t needed = SIZE_SIZE + HB_FRAME_SIZE_MIN + HB_BULK_SIZE;

	return post->out_size + needed <= sizeof(post->out);
}

static void fill(struct hb *hb, uint16_t node, uint16_t path, yoke_time now)
{
	struct hb_post *post = &hb->post[path - 1];

	post->out_size = 0;
	hb_send_frame(hb, node, path, HB_BEAT, hb->beat, hb->beat_size, now);
	if (post->keys_wait)
		hb_send_frame(hb, node, path, HB_KEYS, hb->prints, hb->prints_size, now);
	if (post->message.size != 0)
		fill_message(hb, node, path, now);
	if (hb_bulk_waits(hb, node, path) && has_room_for_bulk(post))
		hb_bulk_send(hb, node, path, now);
}

void hb_post_tick(struct hb *hb, uint16_t path, yoke_time now)
{
	struct hb_post *post = &hb->post[path - 1];
	uint16_t node = hb_other_end(hb, path);

	if (node == 0 || post->fd < 0)
		return;
	if (!is_wanted(hb, node, path, now))
		post->message.size = 0;
	if (post->is_busy || !yoke_time_due(due_at(hb, path), now))
		return;
	fill(hb, node, path, now);
	post->is_news = post->keys_wait = false;
	post->posted_at = now;
	if (send(post->fd, post->out, post->out_size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		post->is_busy = true;
	else if (errno != EAGAIN && errno != EINTR)
		hb_post_close(post);
}

void hb_post_hurry(struct hb *hb, uint16_t path, yoke_time now)
{
	hb->post[path - 1].is_news = true;
	hb_post_tick(hb, path, now);
}

void hb_post_offer(struct hb *hb, uint16_t path, const struct hb_part_out *message, yoke_time now)
{
	struct hb_post *post = &hb->post[path - 1];
	bool is_known = post->message.size != 0 && post->message.number == message->number;

	post->offered_at = now;
	if (is_known)
		return;
	post->message = *message;
	post->next_part = 0;
	if (hb_is_last_way(hb, hb_other_end(hb, path), path))
		hb_post_hurry(hb, path, now);
}

yoke_time hb_post_deadline(const struct hb *hb, uint16_t path)
{
	const struct hb_post *post = &hb->post[path - 1];

	if (post->fd < 0)
		return post->wish_at;
	return post->is_busy ? YOKE_NEVER : due_at(hb, path);
}

/* ---- receiving ---- */

/* Returns false when there is nothing to read. */
static bool fill_in(struct hb_post *post)
{
	ssize_t got = recv(post->fd, post->in, sizeof(post->in), MSG_DONTWAIT);

	post->in_at = post->in_size = 0;
	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			hb_post_close(post);
		return false;
	}
	if (post->in[0] == HB_POST_WRITTEN)
		post->is_busy = false;
	if (post->in[0] == HB_POST_READ) {
		post->in_at = 1;
		post->in_size = (uint16_t)got;
	}
	return true;
}

int hb_post_receive(struct hb_post *post, uint8_t *bytes, size_t size)
{
	struct yoke_buf b;
	size_t wanted;

	for (unsigned i = 0; post->in_at == post->in_size; i++)
		if (post->fd < 0 || i == READS_MAX || !fill_in(post))
			return HB_POST_NOTHING;
	yoke_buf_init_read(&b, post->in + post->in_at, (size_t)(post->in_size - post->in_at));
	wanted = yoke_buf_get_u16(&b);
	if (wanted == 0 || wanted > size || wanted > yoke_buf_left(&b)) {
		post->in_at = post->in_size;
		return 0;
	}
	yoke_buf_get(&b, bytes, wanted);
	post->in_at = (uint16_t)(post->in_at + b.used);
	return (int)wanted;
}

/* ---- its socket ---- */

bool hb_post_wants(struct hb_post *post, yoke_time now)
{
	if (post->fd >= 0 || !yoke_time_due(post->wish_at, now))
		return false;
	post->wish_at = yoke_time_add_us(now, HB_POST_RETRY_US);
	return true;
}

void hb_post_give(struct hb *hb, uint16_t path, int fd, yoke_time now)
{
	struct hb_post *post = &hb->post[path - 1];

	hb_post_close(post);
	post->fd = fd;
	post->message.size = 0;
	hb_post_hurry(hb, path, now);
}
