/* The lock on a shared disk: a slot for each node, which only that node writes.
 *
 *   FREE --read, nobody else alive: write CLAIM--> CLAIM --read, still nobody: write HELD--> HELD
 *     ^                                              |                                       |
 *     +------another one is alive and goes before us, or we no longer want it: write FREE----+
 *
 * Every write is followed by a read of all slots, so of two that write at the same time at least
 * one sees the other: that, and no timing, is why two claims do not both succeed.  A claim is only
 * made when nobody holds the lock, as far as a read at once before it shows.  One that is made
 * nevertheless, or lands late, changes nothing for who holds it, as long as no renewal is late: one
 * that comes back when the lease is over renews nothing, since a claim may have succeeded by then.
 *
 * A slot is alive while what we read of it changes; when the same is read as a lease and the margin
 * ago, the lease of its node has run out: a node counts a write only when it has come back with
 * the slots read after it and no higher claim among them, and only for lease_ms from when it was
 * asked for.  A write that lands after that may renew a slot, but nobody's lease.
 *
 * Of two claims the higher round goes first, then the lower node; a claim gives way to what is
 * held. Each claim has a higher round than all that was read; what is held keeps its round only
 * while it never lapses, so that of two that believe to hold it the one that lapsed has the lower
 * round.  tests/model/disk.pml checks this, late writes, crashes and all (make check-model).
 *
 * Who does not read back what it wrote has nothing: another machine writes its slot, too.
 *
 * While nothing is wrong our slot is written FREE anew each test_ms: a disk that can only be read
 * is no lock.  To others it is as free as before.  What is in it is left alone before we have read
 * it, and as long as the lease of an engine before us goes on: that one may have held it.
 */
#include <string.h>

#include "agent/core/parts.h"

enum { RATE_MARGIN = 100 };

static const char overwritten_reason[] =
	"another writes our slot: is there a second machine with this node's name?";

static bool is_same(const struct core_slot *a, const struct core_slot *b)
{
	return a->state == b->state && a->round == b->round && a->sequence == b->sequence;
}

/* When a lease is over that began before the slot was first read as it is now. */
static yoke_time stale_at(const struct core *c, const struct core_seen_slot *seen)
{
	int64_t lease_ms = c->conf.lease_ms;

	return yoke_time_add_ms(seen->since, lease_ms + lease_ms / RATE_MARGIN + 1);
}

static bool is_alive(const struct core *c, uint16_t arbiter, uint16_t node)
{
	const struct core_seen_slot *seen = &c->arbiter[arbiter - 1].seen[node - 1];

	return seen->slot.state != CORE_SLOT_FREE && !yoke_time_due(stale_at(c, seen), c->now);
}

static bool holds(const struct core *c, const struct core_arbiter *a)
{
	return a->slot.state == CORE_SLOT_HELD && yoke_time_before(c->now, a->held_until);
}

/* The other node that keeps us from the lock; 0: none.  Who holds it was alive to everybody all the
 * time: no claim succeeds against that, however high, and what is damaged was not more. */
static uint16_t goes_before(const struct core *c, uint16_t arbiter)
{
	const struct core_arbiter *a = &c->arbiter[arbiter - 1];

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_seen_slot *seen = &a->seen[n - 1];
		bool higher = seen->slot.round > a->slot.round ||
			      (seen->slot.round == a->slot.round && n < c->conf.self);

		if (n == c->conf.self || !is_alive(c, arbiter, n) ||
		    (holds(c, a) && seen->slot.state != CORE_SLOT_HELD))
			continue;
		if (seen->slot.state == CORE_SLOT_BAD || higher ||
		    (seen->slot.state == CORE_SLOT_HELD && a->slot.state != CORE_SLOT_HELD) ||
		    a->slot.state == CORE_SLOT_FREE)
			return n;
	}
	return 0;
}

/* A node whose claim has a lower round and is still there: it will give way, until then we wait.
 * 0: there is none. */
static uint16_t contested_by(const struct core *c, uint16_t arbiter)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && is_alive(c, arbiter, n))
			return n;
	return 0;
}

/* Look again at the latest when what keeps us from it may be stale. */
static void refused(struct core *c, struct core_actions *out, uint16_t arbiter, uint16_t node,
		    const char *reason)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	core_arbiter_lost(c, out, arbiter, node, reason);
	if (node != 0 && yoke_time_before(c->now, stale_at(c, &a->seen[node - 1])))
		a->next_at = yoke_time_min(a->next_at, stale_at(c, &a->seen[node - 1]));
}

static uint64_t next_round(const struct core *c, uint16_t arbiter)
{
	const struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint64_t highest = a->slot.round;

	for (uint16_t n = 0; n < c->conf.node_count; n++)
		if (a->seen[n].slot.round > highest)
			highest = a->seen[n].slot.round;
	return highest + 1;
}

static void write_slot(struct core *c, struct core_actions *out, uint16_t arbiter,
		       enum core_slot_state state)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (state == CORE_SLOT_CLAIM)
		a->slot.round = next_round(c, arbiter);
	/* Others may hold it as soon as this lands: no lease of an engine before us outlives it. */
	if (state == CORE_SLOT_FREE)
		c->inherited = (yoke_time){0};
	a->slot.state = state;
	a->slot.sequence++;
	core_arbiter_ask(c, out, arbiter, CORE_ASK_WRITE, 0, &a->slot);
}

void core_disk_look(struct core *c, struct core_actions *out, uint16_t arbiter, bool want)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (!want) {
		if (a->held_until.us != 0)
			core_arbiter_give_back(c, out, arbiter);
		if (a->slot_known && a->slot.state != CORE_SLOT_FREE)
			write_slot(c, out, arbiter, CORE_SLOT_FREE);
		return;
	}
	if (!yoke_time_due(a->next_at, c->now))
		return;
	if (holds(c, a))
		write_slot(c, out, arbiter, CORE_SLOT_HELD);
	else
		core_arbiter_ask(c, out, arbiter, CORE_ASK_READ, 0, NULL);
}

/* Our slot is FREE, as far as it is ours. */
void core_disk_test(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	const struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (a->slot_known && yoke_time_due(c->inherited, c->now))
		write_slot(c, out, arbiter, CORE_SLOT_FREE);
	else
		core_arbiter_ask(c, out, arbiter, CORE_ASK_READ, 0, NULL);
}

static void note_slots(struct core *c, uint16_t arbiter, const struct core_event *ev)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	const struct core_slot *own = &ev->u.answer.slot[c->conf.self - 1];

	for (uint16_t n = 0; n < c->conf.node_count; n++) {
		const struct core_slot *now = &ev->u.answer.slot[n];
		struct core_seen_slot *seen = &a->seen[n];

		if (!yoke_time_is_never(seen->since) && is_same(&seen->slot, now))
			continue;
		/* It has been written since it was first read as it was, unless that was a bad
		 * read. */
		if (!yoke_time_is_never(seen->since) && n + 1 != c->conf.self &&
		    seen->slot.state != CORE_SLOT_BAD &&
		    (now->state == CORE_SLOT_CLAIM || now->state == CORE_SLOT_HELD))
			core_lease_lives(c, (uint16_t)(n + 1), seen->since);
		seen->slot = *now;
		seen->since = c->now;
	}
	/* Ours, as an earlier engine left it: we go on above it, so that no content comes twice.
	 * Of a damaged one the sequence is a fingerprint, which serves as well. */
	if (!a->slot_known) {
		a->slot.round = own->round;
		a->slot.sequence = own->sequence;
	}
	a->slot_known = true;
}

/* What we wrote is not there: we have nothing, and leave it as it is.  Above it we go on. */
static void overwritten(struct core *c, struct core_actions *out, uint16_t arbiter,
			const struct core_slot *own)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (own->state != CORE_SLOT_BAD && own->round > a->slot.round)
		a->slot.round = own->round;
	if (own->state != CORE_SLOT_BAD && own->sequence > a->slot.sequence)
		a->slot.sequence = own->sequence;
	a->slot.state = CORE_SLOT_FREE;
	core_arbiter_lost(c, out, arbiter, 0, overwritten_reason);
	core_arbiter_failed(c, out, arbiter, overwritten_reason);
}

/* These were the slots, and we hold nothing; when we stood still with the answer, much else may be
 * in them by now. */
static void on_slots(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint16_t before = goes_before(c, arbiter);
	int64_t late_us = (int64_t)c->conf.lease_ms * 1000 / 2;
	bool is_late = yoke_time_span_us(a->asked_at, c->now) > late_us;

	refused(c, out, arbiter, before, "");
	if (before == 0 && !is_late && yoke_time_due(a->next_at, c->now) &&
	    core_arbiter_wants(c, arbiter))
		write_slot(c, out, arbiter, CORE_SLOT_CLAIM);
}

/* Our write has landed, and these were the slots after it. */
static void on_written(struct core *c, struct core_actions *out, uint16_t arbiter,
		       const struct core_slot *own)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint16_t before = goes_before(c, arbiter);

	if (!is_same(own, &a->slot)) {
		overwritten(c, out, arbiter, own);
	} else if (a->slot.state == CORE_SLOT_FREE) {
		on_slots(c, out, arbiter);
	} else if (before != 0) {
		refused(c, out, arbiter, before, "another node has it");
		write_slot(c, out, arbiter, CORE_SLOT_FREE);
	} else if (a->slot.state == CORE_SLOT_CLAIM) {
		if (contested_by(c, arbiter) != 0)
			refused(c, out, arbiter, contested_by(c, arbiter), "");
		else
			write_slot(c, out, arbiter, CORE_SLOT_HELD);
	} else if (a->held_until.us != 0 && !holds(c, a)) {
		core_arbiter_lost(c, out, arbiter, 0, "it was renewed too late");
	} else {
		core_arbiter_held(c, out, arbiter, yoke_time_add_ms(a->asked_at, c->conf.lease_ms));
	}
}

/* Whether it can be written, too, is what the next test shows, as soon as it may. */
static void on_read(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	c->arbiter[arbiter - 1].test_at = yoke_time_max(c->inherited, c->now);
	on_slots(c, out, arbiter);
}

void core_disk_on_answer(struct core *c, struct core_actions *out, uint16_t arbiter,
			 const struct core_event *ev)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	note_slots(c, arbiter, ev);
	if (a->ask_kind == CORE_ASK_WRITE)
		on_written(c, out, arbiter, &ev->u.answer.slot[c->conf.self - 1]);
	else
		on_read(c, out, arbiter);
}
