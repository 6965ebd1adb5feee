/* tests/unit/hb_cable.h - a pair whose path 2 is a serial line, beside path 1 of UDP.
 *
 * The cable is two socket pairs; the test carries (and counts, cuts, damages) the bytes between
 * them.  It takes no time, which a line would.
 *
 * Layer: tests.  Static functions, because each unit test is its own program.
 */
#ifndef TESTS_UNIT_HB_CABLE_H
#define TESTS_UNIT_HB_CABLE_H

#include "tests/unit/hb_pair.h"

enum {
	CABLE_UDP = 1,
	CABLE_LINE = 2,
	CABLE_BAUD = 230400,
	CABLE_INTERVAL_US = 16667, /* between BEATs on the line */
};

struct cable {
	struct pair *pair;
	int wire[2];         /* our end of the cable to each node */
	bool is_cut[2];      /* what is sent to this node is lost */
	uint64_t carried[2]; /* bytes that this node sent */
	unsigned damaged_at; /* each so many bytes one is changed; 0: none */
};

/* The node's end of the cable is plugged in, for the first time or again. */
static inline void cable_plug(struct cable *cable, uint16_t node)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	cable->wire[node - 1] = fd[0];
	hb_give_fd(&cable->pair->node[node - 1], CABLE_LINE, fd[1], cable->pair->now);
}

static inline void cable_init(struct cable *cable, struct pair *pair)
{
	memset(cable, 0, sizeof(*cable));
	cable->pair = pair;
	pair_init(pair);
	pair->conf.line[CABLE_LINE - 1] = (struct hb_line_conf){
		.baud = CABLE_BAUD, .interval_us = CABLE_INTERVAL_US, .late_us = PAIR_LATE_US};
	pair_restart(pair);
	cable_plug(cable, 1);
	cable_plug(cable, 2);
}

static inline void cable_fini(struct cable *cable)
{
	pair_fini(cable->pair);
	close(cable->wire[0]);
	close(cable->wire[1]);
}

/* What a node sent is at the other one.  Returns how many bytes that is. */
static inline size_t cable_carry(struct cable *cable, uint16_t from)
{
	uint8_t bytes[4096];
	ssize_t got = read(cable->wire[from - 1], bytes, sizeof(bytes));

	if (got <= 0)
		return 0;
	for (ssize_t i = 0; i < got && cable->damaged_at != 0; i++)
		if ((cable->carried[from - 1] + (uint64_t)i) % cable->damaged_at == 0)
			bytes[i] ^= 0x10;
	cable->carried[from - 1] += (uint64_t)got;
	if (!cable->is_cut[2 - from]) /* to a pulled adapter, too */
		(void)!send(cable->wire[2 - from], bytes, (size_t)got, MSG_NOSIGNAL);
	return (size_t)got;
}

#endif
