/* agent/ask.h - questions that the engine itself asks: to witnesses, and to reference addresses.
 *
 * One question is out for an arbiter at most; it is repeated until it is answered or its time-out
 * is over.  What comes back waits in a small queue for agent_ask_take().
 *
 * While there are two keys, a witness may have one or both: a question that is no hurry is asked by
 * the newer one first, others by the one that was answered last, and what is asked again by the
 * other one.
 *
 * A ping is an ICMP echo request (RFC 792, RFC 4443) with random bytes that only its answer has.
 *
 * Layer: agent.  Sockets are opened at init and never wait; one that could not be opened makes its
 * questions fail with the reason.  Memory: the caller's struct, which must not move; nothing is
 * allocated after init but openssl's when a witness has started anew.
 */
#ifndef AGENT_ASK_H
#define AGENT_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/core/core.h"
#include "conf/conf.h"
#include "hb/key.h"
#include "hb/witness.h"

enum {
	AGENT_ASK_FDS = 2 * YOKE_ARBITERS_MAX, /* of an arbiter: IPv4 or its witness, IPv6 */
	AGENT_ASK_NONCE_SIZE = 16,
};

struct agent_ask {
	int fd[2];                  /* -1: not open */
	char why[YOKE_REASON_SIZE]; /* it could not be opened */
	uint32_t id;                /* of the question that is out; 0: none */
	enum core_ask_kind kind;
	uint32_t lease_ms;
	yoke_time until, again_at; /* YOKE_NEVER: none is out */
	uint32_t again_ms;
	bool done; /* answered, not taken yet */
	enum core_result result;
	uint16_t node;
	char reason[YOKE_REASON_SIZE];
	/* witness */
	uint64_t sequence, first;          /* last one used; the first one of the question */
	uint64_t cookie;                   /* 0: not challenged */
	uint64_t incarnation[HB_KEYS_MAX]; /* the witness's, of what is derived; 0: nothing */
	struct hb_key_ring ring;           /* the witness's */
	uint8_t key, answered; /* indexes: of the last request, of the last one that was answered */
	bool ever_answered;
	/* ping */
	uint16_t echo_id;
	uint8_t nonce[AGENT_ASK_NONCE_SIZE];
};

struct agent_ask_set {
	const struct conf *conf;
	uint16_t self; /* node number */
	uint64_t incarnation;
	uint8_t cluster_id[CONF_CLUSTER_ID_SIZE];
	struct hb_keys keys;
	struct hb_key_ring ring, spare; /* ours; while keys are exchanged */
	struct agent_ask ask[YOKE_ARBITERS_MAX];
};

/* conf is kept.  Returns 0; -1 when the crypto library fails. */
int agent_ask_init(struct agent_ask_set *set, const struct conf *conf, uint16_t self,
		   uint64_t incarnation, const struct hb_keys *keys);
/* Go on with these keys.  Returns 0; -1 when the crypto library fails, and nothing has changed. */
int agent_ask_set_keys(struct agent_ask_set *set, const struct hb_keys *keys);
/* Is there a witness that was not asked, or did not answer, by a newer key than this one? */
bool agent_ask_key_used(const struct agent_ask_set *set, uint8_t id);
/* Close and wipe. */
void agent_ask_fini(struct agent_ask_set *set);
/* The descriptors to poll for reading; -1: none. */
void agent_ask_fds(const struct agent_ask_set *set, int fds[AGENT_ASK_FDS]);
/* Do a CORE_ASK of a witness or ping arbiter; what was asked of it before is dropped. */
void agent_ask_begin(struct agent_ask_set *set, const struct core_action *a, yoke_time now);
void agent_ask_read(struct agent_ask_set *set, int fd, yoke_time now);
void agent_ask_tick(struct agent_ask_set *set, yoke_time now);
yoke_time agent_ask_deadline(const struct agent_ask_set *set);
/* The next answer as a CORE_ANSWER (without its time); false: there is none. */
bool agent_ask_take(struct agent_ask_set *set, struct core_event *ev);

#endif
