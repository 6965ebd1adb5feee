#include "agent/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <linux/icmp.h>

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	TRIES = 4,      /* a question is sent so often in its time-out */
	READS_MAX = 64, /* datagrams of one socket in one go */
	AGAIN_MS_MIN = 5,
	DATAGRAM_SIZE = 2048,
	ECHO_SIZE = 8 + AGENT_ASK_NONCE_SIZE,
};

static const struct conf_arbiter *conf_of(const struct agent_ask_set *set,
					  const struct agent_ask *ask)
{
	return &set->conf->arbiter[ask - set->ask];
}

/* ---- start and end ---- */

/* Our own seals under the keys that are new. */
static int derive_own(struct agent_ask_set *set, const struct hb_keys *keys,
		      const int from[HB_KEYS_MAX])
{
	for (unsigned i = 0; i < keys->count; i++)
		if (from[i] < 0 && hb_witness_derive(&set->spare.seal[i], keys->key[i].bytes,
						     set->self, set->incarnation) < 0)
			return -1;
	hb_key_ring_move(&set->ring, from);
	for (unsigned i = 0; i < keys->count; i++)
		if (from[i] < 0) {
			struct hb_seal_key kept = set->ring.seal[i];

			set->ring.seal[i] = set->spare.seal[i];
			set->ring.derived[i] = true;
			set->spare.seal[i] = kept;
		}
	return 0;
}

/* What is known of a witness by its keys. */
static void move_ask(struct agent_ask *ask, const int from[HB_KEYS_MAX], unsigned newest)
{
	uint8_t before = ask->answered;

	hb_key_ring_move(&ask->ring, from);
	memset(ask->incarnation, 0, sizeof(ask->incarnation)); /* derived anew with its answer */
	ask->key = ask->answered = (uint8_t)newest;
	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		if (from[i] == (int)before && ask->ever_answered)
			ask->key = ask->answered = (uint8_t)i;
}

int agent_ask_set_keys(struct agent_ask_set *set, const struct hb_keys *keys)
{
	int from[HB_KEYS_MAX];

	hb_key_map(keys, &set->keys, from);
	if (derive_own(set, keys, from) < 0)
		return -1;
	for (unsigned i = 0; i < set->conf->arbiter_count; i++)
		if (set->conf->arbiter[i].type == YOKE_ARBITER_TYPE_WITNESS)
			move_ask(&set->ask[i], from, keys->count - 1);
	hb_seal_wipe(&set->keys, sizeof(set->keys));
	set->keys = *keys;
	return 0;
}

bool agent_ask_key_used(const struct agent_ask_set *set, uint8_t id)
{
	int index = hb_key_find(&set->keys, id);

	for (unsigned i = 0; i < set->conf->arbiter_count; i++)
		if (set->ask[i].ever_answered && set->ask[i].answered == index)
			return true;
	return false;
}

static void open_witness(const struct conf_arbiter *a, struct agent_ask *ask)
{
	int fd = socket(a->address[0].ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&a->address[0], a->address_len[0]) < 0) {
		snprintf(ask->why, sizeof(ask->why), "%s", strerror(errno));
		close(fd);
		fd = -1;
	} else if (fd < 0) {
		snprintf(ask->why, sizeof(ask->why), "%s", strerror(errno));
	}
	ask->fd[0] = fd;
}

static void open_ping(const struct conf_arbiter *a, struct agent_ask *ask)
{
	struct icmp_filter only_replies = {~(1u << ICMP_ECHOREPLY)};
	struct icmp6_filter only_replies6;

	ICMP6_FILTER_SETBLOCKALL(&only_replies6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only_replies6);
	for (unsigned i = 0; i < a->address_count; i++) {
		bool six = a->address[i].ss_family == AF_INET6;

		if (ask->fd[six] >= 0)
			continue;
		ask->fd[six] =
			socket(a->address[i].ss_family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			       six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		if (ask->fd[six] < 0)
			snprintf(ask->why, sizeof(ask->why), "%s", strerror(errno));
		else if (six)
			setsockopt(ask->fd[1], IPPROTO_ICMPV6, ICMP6_FILTER, &only_replies6,
				   sizeof(only_replies6));
		else
			setsockopt(ask->fd[0], SOL_RAW, ICMP_FILTER, &only_replies,
				   sizeof(only_replies));
	}
}

int agent_ask_init(struct agent_ask_set *set, const struct conf *conf, uint16_t self,
		   uint64_t incarnation, const struct hb_keys *keys)
{
	static const int nothing_known[HB_KEYS_MAX] = {-1, -1};

	memset(set, 0, sizeof(*set));
	set->conf = conf;
	set->self = self;
	set->incarnation = incarnation;
	conf_cluster_id(conf, set->cluster_id);
	set->keys = *keys;
	if (hb_key_ring_init(&set->ring) < 0 || hb_key_ring_init(&set->spare) < 0 ||
	    derive_own(set, keys, nothing_known) < 0)
		return -1;
	for (unsigned i = 0; i < conf->arbiter_count; i++) {
		struct agent_ask *ask = &set->ask[i];

		ask->fd[0] = ask->fd[1] = -1;
		ask->until = ask->again_at = YOKE_NEVER;
		if (conf->arbiter[i].type == YOKE_ARBITER_TYPE_WITNESS)
			open_witness(&conf->arbiter[i], ask);
		else if (conf->arbiter[i].type == YOKE_ARBITER_TYPE_PING)
			open_ping(&conf->arbiter[i], ask);
		if (conf->arbiter[i].type == YOKE_ARBITER_TYPE_WITNESS &&
		    hb_key_ring_init(&ask->ring) < 0)
			return -1;
	}
	return 0;
}

void agent_ask_fini(struct agent_ask_set *set)
{
	for (unsigned i = 0; i < set->conf->arbiter_count; i++) {
		for (unsigned j = 0; j < 2; j++)
			if (set->ask[i].fd[j] >= 0)
				close(set->ask[i].fd[j]);
		hb_key_ring_fini(&set->ask[i].ring);
	}
	hb_key_ring_fini(&set->ring);
	hb_key_ring_fini(&set->spare);
	hb_seal_wipe(&set->keys, sizeof(set->keys));
}

void agent_ask_fds(const struct agent_ask_set *set, int fds[AGENT_ASK_FDS])
{
	for (unsigned i = 0; i < AGENT_ASK_FDS; i++)
		fds[i] = i / 2 < set->conf->arbiter_count ? set->ask[i / 2].fd[i % 2] : -1;
}

/* ---- sending ---- */

static enum hb_witness_kind kind_of(enum core_ask_kind kind)
{
	return kind == CORE_ASK_CLAIM     ? HB_WITNESS_CLAIM
	       : kind == CORE_ASK_RELEASE ? HB_WITNESS_RELEASE
					  : HB_WITNESS_LOOK;
}

/* What cannot be sent now is sent again, or times out. */
static void send_witness(struct agent_ask_set *set, struct agent_ask *ask)
{
	struct hb_witness_frame frame = {
		.sender = set->self,
		.incarnation = set->incarnation,
		.sequence = ++ask->sequence,
		.kind = (uint8_t)kind_of(ask->kind),
		.lease_ms = ask->lease_ms,
		.cookie = ask->cookie,
	};
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	memcpy(frame.cluster_id, set->cluster_id, sizeof(frame.cluster_id));
	if (hb_witness_put(&set->ring.seal[ask->key], &frame, bytes))
		(void)send(ask->fd[0], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_echo(const struct agent_ask *ask, bool six, uint8_t bytes[ECHO_SIZE])
{
	uint16_t sum;

	memset(bytes, 0, ECHO_SIZE);
	bytes[0] = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	bytes[4] = (uint8_t)(ask->echo_id >> 8);
	bytes[5] = (uint8_t)ask->echo_id;
	memcpy(bytes + 8, ask->nonce, AGENT_ASK_NONCE_SIZE);
	if (six)
		return; /* the kernel's */
	sum = checksum(bytes, ECHO_SIZE);
	bytes[2] = (uint8_t)(sum >> 8);
	bytes[3] = (uint8_t)sum;
}

static void send_ping(struct agent_ask_set *set, struct agent_ask *ask)
{
	const struct conf_arbiter *a = conf_of(set, ask);
	uint8_t bytes[ECHO_SIZE];

	for (unsigned i = 0; i < a->address_count; i++) {
		bool six = a->address[i].ss_family == AF_INET6;

		if (ask->fd[six] < 0)
			continue;
		make_echo(ask, six, bytes);
		(void)sendto(ask->fd[six], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)&a->address[i], a->address_len[i]);
	}
}

static void send_again(struct agent_ask_set *set, struct agent_ask *ask, yoke_time now)
{
	ask->again_at = yoke_time_add_ms(now, ask->again_ms);
	if (ask->sequence >= ask->first)
		ask->key = (uint8_t)((ask->key + 1u) % set->keys.count);
	if (ask->kind == CORE_ASK_PING)
		send_ping(set, ask);
	else if (ask->fd[0] >= 0)
		send_witness(set, ask);
}

static void finish(struct agent_ask *ask, enum core_result result, uint16_t node,
		   const char *reason)
{
	ask->done = true;
	ask->result = result;
	ask->node = node;
	snprintf(ask->reason, sizeof(ask->reason), "%s", reason);
	ask->until = ask->again_at = YOKE_NEVER;
}

void agent_ask_begin(struct agent_ask_set *set, const struct core_action *a, yoke_time now)
{
	struct agent_ask *ask = &set->ask[a->u.ask.arbiter - 1];

	ask->id = a->u.ask.id;
	ask->kind = a->u.ask.kind;
	ask->lease_ms = a->u.ask.lease_ms;
	ask->done = false;
	ask->key = ask->answered;
	if (ask->kind == CORE_ASK_LOOK || !ask->ever_answered)
		ask->key = (uint8_t)(set->keys.count - 1);
	ask->first = ask->sequence + 1;
	ask->until = yoke_time_add_ms(now, a->u.ask.timeout_ms);
	ask->again_ms = a->u.ask.timeout_ms / TRIES;
	if (ask->again_ms < AGAIN_MS_MIN)
		ask->again_ms = AGAIN_MS_MIN;
	if (ask->fd[0] < 0 && ask->fd[1] < 0) {
		char why[YOKE_REASON_SIZE];

		memcpy(why, ask->why, sizeof(why));
		finish(ask, CORE_RESULT_FAILED, 0, why);
		return;
	}
	if (ask->kind == CORE_ASK_PING &&
	    (getrandom(ask->nonce, sizeof(ask->nonce), GRND_NONBLOCK) < 0 ||
	     getrandom(&ask->echo_id, sizeof(ask->echo_id), GRND_NONBLOCK) < 0)) {
		finish(ask, CORE_RESULT_FAILED, 0, "the kernel has no random numbers yet");
		return;
	}
	send_again(set, ask, now);
}

/* ---- receiving ---- */

/* The witness's key, derived anew when it has started anew. */
static bool know_witness(const struct agent_ask_set *set, struct agent_ask *ask, unsigned key,
			 uint64_t incarnation)
{
	if (incarnation == ask->incarnation[key])
		return true;
	ask->incarnation[key] = 0;
	ask->ring.derived[key] = true;
	if (hb_witness_derive(&ask->ring.seal[key], set->keys.key[key].bytes, 0, incarnation) < 0)
		return false;
	ask->incarnation[key] = incarnation;
	return true;
}

/* It answers by the key that it was asked by. */
static bool open_answer(const struct agent_ask_set *set, struct agent_ask *ask,
			const uint8_t *bytes, struct hb_witness_frame *frame)
{
	for (unsigned i = 0; i < set->keys.count; i++)
		if (know_witness(set, ask, i, frame->incarnation) &&
		    hb_witness_open(&ask->ring.seal[i], bytes, frame)) {
			ask->key = ask->answered = (uint8_t)i;
			ask->ever_answered = true;
			return true;
		}
	return false;
}

static void finish_unsaved(struct agent_ask *ask, uint32_t error)
{
	char reason[YOKE_REASON_SIZE];

	snprintf(reason, sizeof(reason), "it cannot save: %s",
		 error == 0 ? "its disk does not answer" : strerror((int)error));
	finish(ask, CORE_RESULT_FAILED, 0, reason);
}

static void take_witness(struct agent_ask_set *set, struct agent_ask *ask, const uint8_t *bytes,
			 size_t size, yoke_time now)
{
	struct hb_witness_frame frame;

	if (!hb_witness_get_header(bytes, size, &frame) || frame.sender != 0 ||
	    memcmp(frame.cluster_id, set->cluster_id, sizeof(frame.cluster_id)) != 0 ||
	    !open_answer(set, ask, bytes, &frame))
		return;
	if (yoke_time_is_never(ask->until) || frame.echo_incarnation != set->incarnation ||
	    frame.echo_sequence < ask->first || frame.echo_sequence > ask->sequence)
		return; /* of an earlier question */
	if (frame.result == HB_WITNESS_CHALLENGE) {
		ask->cookie = frame.cookie;
		ask->again_at = yoke_time_add_ms(now, ask->again_ms);
		send_witness(set, ask);
	} else if (frame.result == HB_WITNESS_YES) {
		finish(ask, CORE_RESULT_DONE, 0, "");
	} else if (frame.result == HB_WITNESS_NO) {
		finish(ask, CORE_RESULT_ANSWERED, frame.node, "");
	} else if (frame.result == HB_WITNESS_UNSAVED) {
		finish_unsaved(ask, frame.error);
	}
}

static void take_echo(struct agent_ask *ask, bool six, const uint8_t *bytes, size_t size)
{
	size_t head = six ? 0 : 4 * (size_t)(bytes[0] & 15);

	if (size < head + ECHO_SIZE || yoke_time_is_never(ask->until) ||
	    bytes[head] != (six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ||
	    memcmp(bytes + head + 8, ask->nonce, AGENT_ASK_NONCE_SIZE) != 0)
		return;
	finish(ask, CORE_RESULT_DONE, 0, "");
}

void agent_ask_read(struct agent_ask_set *set, int fd, yoke_time now)
{
	uint8_t bytes[DATAGRAM_SIZE];

	for (unsigned i = 0; i < set->conf->arbiter_count; i++)
		for (unsigned six = 0; six < 2; six++) {
			struct agent_ask *ask = &set->ask[i];

			for (int n = 0; ask->fd[six] == fd && n < READS_MAX; n++) {
				ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

				if (got <= 0)
					break;
				if (set->conf->arbiter[i].type == YOKE_ARBITER_TYPE_PING)
					take_echo(ask, six, bytes, (size_t)got);
				else
					take_witness(set, ask, bytes, (size_t)got, now);
			}
		}
}

/* ---- time ---- */

static void give_up(const struct agent_ask_set *set, struct agent_ask *ask)
{
	char reason[YOKE_REASON_SIZE];

	if (ask->kind == CORE_ASK_PING)
		snprintf(reason, sizeof(reason), "no answer from any of %u addresses",
			 conf_of(set, ask)->address_count);
	else
		snprintf(reason, sizeof(reason), "the witness does not answer");
	finish(ask, CORE_RESULT_FAILED, 0, reason);
}

void agent_ask_tick(struct agent_ask_set *set, yoke_time now)
{
	for (unsigned i = 0; i < set->conf->arbiter_count; i++) {
		struct agent_ask *ask = &set->ask[i];

		if (yoke_time_due(ask->until, now))
			give_up(set, ask);
		else if (yoke_time_due(ask->again_at, now))
			send_again(set, ask, now);
	}
}

yoke_time agent_ask_deadline(const struct agent_ask_set *set)
{
	yoke_time t = YOKE_NEVER;

	for (unsigned i = 0; i < set->conf->arbiter_count; i++)
		t = yoke_time_min(t, yoke_time_min(set->ask[i].until, set->ask[i].again_at));
	return t;
}

bool agent_ask_take(struct agent_ask_set *set, struct core_event *ev)
{
	for (unsigned i = 0; i < set->conf->arbiter_count; i++) {
		struct agent_ask *ask = &set->ask[i];

		if (!ask->done)
			continue;
		ask->done = false;
		memset(&ev->u.answer, 0, sizeof(ev->u.answer));
		ev->type = CORE_ANSWER;
		ev->u.answer.id = ask->id;
		ev->u.answer.result = ask->result;
		ev->u.answer.node = ask->node;
		memcpy(ev->u.answer.reason, ask->reason, sizeof(ev->u.answer.reason));
		return true;
	}
	return false;
}
