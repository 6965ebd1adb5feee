/* tests/unit/hb_pair.h - two nodes that beat to each other over loopback, on a made-up clock.
 *
 * Path 1 is IPv4, path 2 is IPv6.  The kernel queues a datagram on loopback before sendto()
 * returns, so nothing here waits.  An attacker is whoever calls pair_steal() and hb_take().
 *
 * Layer: tests.  Static functions, because each unit test is its own program.
 */
#ifndef TESTS_UNIT_HB_PAIR_H
#define TESTS_UNIT_HB_PAIR_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hb/frame.h"
#include "hb/hb.h"

enum {
	PAIR_PATHS = 2,
	PAIR_INTERVAL_US = 10000,
	PAIR_LATE_US = 50000,
	PAIR_DEAD_US = 100000,
	PAIR_HISTORY_MAX = 256,
};

struct pair {
	struct hb_conf conf; /* self and incarnation are filled in by pair_start() */
	struct hb node[2];
	bool cut[2][PAIR_PATHS]; /* what is sent to this node on this path is lost */
	yoke_time now;
	unsigned received[2]; /* payloads handed up */
	unsigned news[2];     /* of these, those that were not repeated */
	struct hb_received last[2];
	unsigned change_count;
	struct hb_change change[PAIR_HISTORY_MAX];
	unsigned change_self[PAIR_HISTORY_MAX]; /* number of the node that saw it */
};

/* A loopback address with a port that is free at the moment. */
static inline void pair_pick(struct hb_endpoint *endpoint, int family)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	endpoint->configured = true;
	endpoint->address_len = family == AF_INET ? sizeof(four) : sizeof(six);
	memcpy(&endpoint->address, family == AF_INET ? (void *)&four : (void *)&six,
	       endpoint->address_len);
	if (fd < 0 || bind(fd, (struct sockaddr *)&endpoint->address, endpoint->address_len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&endpoint->address, &endpoint->address_len) != 0)
		abort();
	close(fd);
}

/* Start or restart node number `self` as a new incarnation. */
static inline void pair_start(struct pair *pair, uint16_t self, uint64_t incarnation)
{
	char why[YOKE_REASON_SIZE];

	pair->conf.self = self;
	pair->conf.incarnation = incarnation;
	if (hb_init(&pair->node[self - 1], &pair->conf, pair->now, why) != 0)
		abort();
}

static inline void pair_init(struct pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pair->now = (yoke_time){1000000000};
	pair->conf = (struct hb_conf){
		.node_count = 2,
		.path_count = PAIR_PATHS,
		.interval_us = PAIR_INTERVAL_US,
		.late_us = PAIR_LATE_US,
		.dead_us = PAIR_DEAD_US,
		.cluster_id = "cluster",
		.keys = {.count = 1, .key = {{.id = 3}}},
	};
	memset(pair->conf.keys.key[0].bytes, 0x5a, HB_KEY_SIZE);
	for (unsigned node = 0; node < 2; node++) {
		pair_pick(&pair->conf.endpoint[node][0], AF_INET);
		pair_pick(&pair->conf.endpoint[node][1], AF_INET6);
	}
	pair_start(pair, 1, 0xa1);
	pair_start(pair, 2, 0xb1);
	hb_set_beat(&pair->node[0], (const uint8_t *)"from a", 6, pair->now);
	hb_set_beat(&pair->node[1], (const uint8_t *)"from b", 6, pair->now);
}

static inline void pair_fini(struct pair *pair)
{
	hb_fini(&pair->node[0]);
	hb_fini(&pair->node[1]);
}

/* Both nodes begin anew, as the configuration says now, with a beat of 16 bytes. */
static inline void pair_restart(struct pair *pair)
{
	pair_fini(pair);
	for (uint16_t node = 1; node <= 2; node++) {
		pair_start(pair, node, node == 1 ? 0xa1 : 0xb1);
		hb_set_beat(&pair->node[node - 1], (const uint8_t *)"a beat of 16 B..", 16,
			    pair->now);
	}
}

/* Take the next datagram to node number `node` off the wire.  Returns its size; -1: none there. */
static inline int pair_steal(struct pair *pair, uint16_t node, uint16_t path, uint8_t *bytes)
{
	return (int)recv(hb_fd(&pair->node[node - 1], path), bytes, HB_FRAME_SIZE_MAX,
			 MSG_DONTWAIT);
}

/* All that is on the way to node number `node` on a path is lost. */
static inline unsigned pair_drop(struct pair *pair, uint16_t node, uint16_t path)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX];
	unsigned count = 0;

	while (pair_steal(pair, node, path, bytes) >= 0)
		count++;
	return count;
}

static inline void pair_keep(struct pair *pair, unsigned self, const struct hb_changes *changes)
{
	for (unsigned i = 0; i < changes->count && pair->change_count < PAIR_HISTORY_MAX; i++) {
		pair->change_self[pair->change_count] = self;
		pair->change[pair->change_count++] = changes->change[i];
	}
}

/* One path of one node takes in what is there.  Returns whether there was anything. */
static inline bool pair_take_in(struct pair *pair, uint16_t node, uint16_t path)
{
	struct hb *hb = &pair->node[node - 1];
	uint64_t before = hb_path_of(hb, 3 - node, path)->received;
	struct hb_changes changes;

	if (pair->cut[node - 1][path - 1])
		(void)pair_drop(pair, node, path);
	while (hb_receive(hb, path, pair->now, &pair->last[node - 1], &changes) == 1) {
		pair->received[node - 1]++;
		pair->news[node - 1] += !pair->last[node - 1].repeated;
		pair_keep(pair, node, &changes);
	}
	pair_keep(pair, node, &changes);
	return hb_path_of(hb, 3 - node, path)->received != before;
}

/* Let everything that is on the way arrive, and the answers to it. */
static inline void pair_settle(struct pair *pair)
{
	bool more = true;

	while (more) {
		more = false;
		for (uint16_t node = 1; node <= 2; node++)
			for (uint16_t path = 1; path <= PAIR_PATHS; path++)
				more |= pair_take_in(pair, node, path);
	}
}

static inline void pair_tick(struct pair *pair, uint16_t node)
{
	struct hb *hb = &pair->node[node - 1];
	struct hb_changes changes;

	if (!yoke_time_due(hb_deadline(hb), pair->now))
		return;
	(void)hb_tick(hb, pair->now, &changes);
	pair_keep(pair, node, &changes);
}

/* Let `span_us` pass, each node ticking exactly when it asked for it. */
static inline void pair_run(struct pair *pair, int64_t span_us)
{
	yoke_time end = yoke_time_add_us(pair->now, span_us);

	for (;;) {
		yoke_time next =
			yoke_time_min(hb_deadline(&pair->node[0]), hb_deadline(&pair->node[1]));

		if (yoke_time_before(end, next))
			break;
		pair->now = yoke_time_max(pair->now, next);
		pair_tick(pair, 1);
		pair_tick(pair, 2);
		pair_settle(pair);
	}
	pair->now = end;
}

static inline enum yoke_path_state pair_state(const struct pair *pair, uint16_t node, uint16_t path)
{
	return hb_path_of(&pair->node[node - 1], 3 - node, path)->state;
}

static inline uint64_t pair_refused(const struct pair *pair, uint16_t node, uint16_t path,
				    enum hb_refusal cause)
{
	return hb_path_of(&pair->node[node - 1], 3 - node, path)->refused[cause];
}

static inline bool pair_all_up(const struct pair *pair)
{
	return pair_state(pair, 1, 1) == YOKE_PATH_UP && pair_state(pair, 1, 2) == YOKE_PATH_UP &&
	       pair_state(pair, 2, 1) == YOKE_PATH_UP && pair_state(pair, 2, 2) == YOKE_PATH_UP;
}

#endif
