/* Switching a silent node off, so that what it ran can be started here.
 *
 *          needed           delay over       done          says off
 *   IDLE -----------> WAITING ----------> OFF -------> STATUS ----------> the next arbiter of the
 *    ^                   ^                 |             |               level, or PROVEN
 *    |                   |                 +---failed----+--not off
 *    |                   |                               v
 *    |                   +---all levels failed--- the next level
 *    +--the node is heard: cancelled
 *
 * All arbiters of a level that can switch the node off are needed (two power supplies); a level
 * that fails is followed by the next one, and so is one with a device that called a node off in a
 * test while that was in contact.  `off` is believed only when `status` says off after it;
 * one that failed is asked for its status all the same: power may be gone already.
 *
 * Who fences: a node that runs an exclusive group which the other is a member of, at once, and a
 * node that wants such a group, after the delay: so of two that cannot hear each other the owner
 * goes on.  Who cannot know who owns waits for two or three delays (delay_of()), so that of two who
 * know the same never both wait as long; of groups whose sections differ neither knows how the
 * other counts them.  Where there are locks that answer, only who holds them fences, without a
 * delay.
 *
 * A node that has been in contact neither with this engine nor with the one whose place it took
 * does not fence (it may be the one that was fenced), and neither does one that hears no reference
 * address: before it begins one must have answered, because who lost everything at once is not deaf
 * yet when the other one is lost.
 */
#include "agent/core/parts.h"

enum {
	PAUSE_MS = 1000, /* between two tries of all levels */
	SPARE_PART = 8,  /* of an operation's time is left when its fencing begins at the latest */
};

bool core_fence_is_configured(const struct core *c)
{
	for (uint16_t a = 0; a < c->conf.arbiter_count; a++)
		if (c->conf.arbiter[a].type == YOKE_ARBITER_TYPE_FENCE)
			return true;
	return false;
}

static bool can_fence(const struct core *c, uint16_t arbiter, uint16_t node)
{
	return c->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_FENCE &&
	       c->conf.arbiter[arbiter - 1].node[node - 1];
}

/* The arbiter after (level, arbiter) in the order in which they are tried; 0: none. */
static uint16_t next_of_level(const struct core *c, uint16_t node, uint16_t level, uint16_t after)
{
	for (uint16_t a = (uint16_t)(after + 1); a <= c->conf.arbiter_count; a++)
		if (can_fence(c, a, node) && c->conf.arbiter[a - 1].level == level)
			return a;
	return 0;
}

/* The lowest level above `level` that has an arbiter for the node; 0: none. */
static uint16_t level_above(const struct core *c, uint16_t node, uint16_t level)
{
	uint16_t best = 0;

	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++) {
		uint16_t its = c->conf.arbiter[a - 1].level;

		if (can_fence(c, a, node) && its > level && (best == 0 || its < best))
			best = its;
	}
	return best;
}

/* ---- is it needed? ---- */

struct need {
	bool owns, wants, asked;      /* asked: an operator wants it */
	unsigned ours, theirs, maybe; /* exclusive groups, the same by both files: that we run; that
					 it does, by its last words; that it may run by now */
};

/* By its own file, as it told. */
static bool has(const struct core *c, uint16_t node, uint16_t group)
{
	const struct core_node *n = core_node_const(c, node);
	const struct core_claim *claim = &n->claim[group - 1];

	if (node != c->conf.self && !n->seen)
		return core_is_member(c, group, node);
	return core_claim_runs(claim) || claim->cause != CORE_CAUSE_STRANGER;
}

/* What only one of us has, neither takes from the other. */
static bool is_between(const struct core *c, uint16_t group, uint16_t node)
{
	return has(c, c->conf.self, group) && has(c, node, group);
}

/* Nothing else keeps us from it than that this node may run it. */
static bool wants(const struct core *c, uint16_t node, uint16_t group)
{
	return core_permit_unproven(c, group) == node && core_owner(c, group) == 0 &&
	       (core_oper_here(c, group) != NULL || (core_candidate(c, group, 0) == c->conf.self &&
						     core_policy_held_for(c, group) == 0));
}

static struct need need_of(const struct core *c, uint16_t node)
{
	struct need need = {false, false, false, 0, 0, 0};

	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		bool ours = core_claim_runs(&(struct core_claim){.state = c->group[g - 1].state});
		bool theirs = core_claim_runs(&core_node_const(c, node)->claim[g - 1]);
		bool between = is_between(c, g, node), same = core_config_group_same(c, node, g);

		if (!core_lease_binds(c, g) || core_maintenance_rests(c, g))
			continue;
		need.owns = need.owns || (ours && between);
		/* What one of us would not count may count for nobody: else both go first. */
		if (between && same) {
			need.ours += ours;
			need.theirs += theirs;
			/* What we run it does not, as long as it does not say so. */
			need.maybe += theirs || (!ours && core_config_may_run(c, node, g));
		}
		/* By a file that differs it may run what it has left to us. */
		if (!ours && (between || !same) && wants(c, node, g)) {
			need.wants = true;
			need.asked = need.asked || core_oper_here(c, g) != NULL;
		}
	}
	return need;
}

/* Where there are locks that answer they decide. */
static bool goes_by_locks(const struct core *c)
{
	return core_lease_is_used(c) && core_arbiter_answers(c);
}

bool core_fence_could(const struct core *c, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);

	return n->state == YOKE_NODE_LOST && !n->proven_dead && core_node_was_met(c, node) &&
	       !c->leaving && level_above(c, node, 0) != 0 && !core_arbiter_deaf(c) &&
	       (!goes_by_locks(c) || core_arbiter_holds(c));
}

static bool is_needed(const struct core *c, uint16_t node, struct need *need)
{
	*need = need_of(c, node);
	return core_fence_could(c, node) && (need->wants || (need->owns && !goes_by_locks(c)));
}

static uint32_t longest_ms(const struct core *c, uint16_t node)
{
	uint32_t ms = 0;

	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (can_fence(c, a, node) && c->conf.arbiter[a - 1].delay_ms > ms)
			ms = c->conf.arbiter[a - 1].delay_ms;
	return ms;
}

/* The owner goes first, at once, then who knows that it owns less than the other, after the delay.
 * Who knows of nobody who owns anything, has let the other have something, or has not met the other
 * itself, waits longer, the higher number longest: the other may believe the same, or that it is we
 * who own. */
static uint32_t delay_of(const struct core *c, uint16_t node, const struct need *need)
{
	bool seen = core_node_const(c, node)->seen;
	uint32_t most_ms = longest_ms(c, node);

	if (core_arbiter_holds(c) ||
	    (seen && (need->ours > need->maybe ||
		      (need->ours == need->maybe && need->ours > 0 && c->conf.self < node))))
		return 0;
	if (seen && need->theirs > 0 && need->theirs == need->maybe)
		return most_ms;
	return most_ms * (c->conf.self < node ? 2 : 3);
}

static yoke_time begin_at(const struct core *c, uint16_t node, const struct need *need)
{
	uint32_t delay_ms = delay_of(c, node, need);
	uint32_t apart_ms = delay_ms == 0 || c->conf.self < node ? 0 : longest_ms(c, node);
	uint32_t latest_ms = c->conf.operation_ms - c->conf.operation_ms / SPARE_PART;

	/* It must begin before what the person asked for ends, undone. */
	if (apart_ms > latest_ms)
		apart_ms = latest_ms;
	if (!need->asked)
		return yoke_time_add_ms(c->now, delay_ms);
	/* A person asks: the other has had its time since it was lost.  One may ask there, too. */
	return yoke_time_max(yoke_time_add_ms(core_node_const(c, node)->changed, delay_ms),
			     yoke_time_add_ms(c->now, apart_ms));
}

/* ---- steps ---- */

static struct yoke_event *tell(struct core *c, struct core_actions *out, uint16_t node,
			       enum yoke_event_kind kind, const char *reason)
{
	struct yoke_event *ev = core_event(c, out, kind, reason);

	ev->peer = node;
	ev->arbiter = c->fence[node - 1].arbiter;
	return ev;
}

static void set_state(struct core *c, uint16_t arbiter, enum yoke_arbiter_state state)
{
	if (c->arbiter[arbiter - 1].state == state)
		return;
	c->arbiter[arbiter - 1].state = state;
	c->arbiter[arbiter - 1].changed = c->now;
}

/* Ask the arbiter at work; a test that it is busy with does not keep it from that. */
static void ask(struct core *c, struct core_actions *out, uint16_t node, enum core_ask_kind kind)
{
	struct core_fence *f = &c->fence[node - 1];

	core_arbiter_cancel(c, out, f->arbiter);
	f->state = kind == CORE_ASK_OFF ? CORE_FENCE_OFF : CORE_FENCE_STATUS;
	set_state(c, f->arbiter, YOKE_ARBITER_FENCING);
	core_arbiter_ask(c, out, f->arbiter, kind, node, NULL);
}

static bool is_busy_with_another(const struct core *c, uint16_t arbiter, uint16_t node)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != node && c->fence[n - 1].state >= CORE_FENCE_OFF &&
		    c->fence[n - 1].arbiter == arbiter)
			return true;
	return false;
}

static void rest(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_fence *f = &c->fence[node - 1];
	uint16_t retries = 0;

	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (can_fence(c, a, node) && c->conf.arbiter[a - 1].retries > retries)
			retries = c->conf.arbiter[a - 1].retries;
	f->state = CORE_FENCE_WAITING;
	f->level = 0;
	if (f->tries++ < retries) {
		f->at = yoke_time_add_ms(c->now, PAUSE_MS);
		return;
	}
	if (!f->failed)
		tell(c, out, node, YOKE_EVENT_FENCE_FAILED, f->reason);
	f->failed = true;
	f->tries = 0;
	f->at = yoke_time_add_ms(c->now, c->conf.retry_ms);
}

/* The first of the level whose word is no proof; 0: none.  Then the others of it prove nothing. */
static uint16_t wrong_of_level(const struct core *c, uint16_t node, uint16_t level)
{
	for (uint16_t a = next_of_level(c, node, level, 0); a != 0;
	     a = next_of_level(c, node, level, a))
		if (core_arbiter_is_wrong(c, a, node))
			return a;
	return 0;
}

static void begin_level(struct core *c, struct core_actions *out, uint16_t node, uint16_t level)
{
	struct core_fence *f = &c->fence[node - 1];
	uint16_t first, wrong;

	while (level != 0 && (wrong = wrong_of_level(c, node, level)) != 0) {
		f->arbiter = wrong;
		core_text(f->reason, sizeof(f->reason), core_arbiter_wrong, (char *)NULL);
		level = level_above(c, node, level);
	}
	first = next_of_level(c, node, level, 0);
	if (level == 0 || is_busy_with_another(c, first, node)) {
		rest(c, out, node);
		return;
	}
	f->level = level;
	f->arbiter = first;
	tell(c, out, node, YOKE_EVENT_FENCE_STARTED, "silent on every path for the dead time");
	ask(c, out, node, CORE_ASK_OFF);
}

static void prove(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_fence *f = &c->fence[node - 1];
	struct core_node *n = core_node(c, node);

	tell(c, out, node, YOKE_EVENT_FENCE_SUCCEEDED, "");
	n->proven_dead = true;
	n->fenced = true;
	*f = (struct core_fence){.state = CORE_FENCE_IDLE, .at = YOKE_NEVER};
	/* What was taken over on silence alone both had until now: who asked meanwhile may have
	 * learned the other's address. */
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		core_group_doubt(c, g, 0);
}

static void fail_level(struct core *c, struct core_actions *out, uint16_t node, const char *reason)
{
	struct core_fence *f = &c->fence[node - 1];

	core_text(f->reason, sizeof(f->reason), reason, (char *)NULL);
	set_state(c, f->arbiter, YOKE_ARBITER_FAILED);
	core_text(c->arbiter[f->arbiter - 1].reason, YOKE_REASON_SIZE, reason, (char *)NULL);
	begin_level(c, out, node, level_above(c, node, f->level));
}

bool core_fence_on_answer(struct core *c, struct core_actions *out, uint16_t arbiter,
			  const struct core_event *ev)
{
	const struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint16_t node = a->ask_node;
	struct core_fence *f;
	const char *reason = ev->u.answer.reason;
	uint16_t next;

	if (node == 0 || c->fence[node - 1].state < CORE_FENCE_OFF ||
	    c->fence[node - 1].arbiter != arbiter)
		return false;
	f = &c->fence[node - 1];
	if (f->state == CORE_FENCE_OFF) {
		if (ev->u.answer.result == CORE_RESULT_FAILED)
			core_text(f->reason, sizeof(f->reason), reason, (char *)NULL);
		ask(c, out, node, CORE_ASK_STATUS);
		return true;
	}
	if (ev->u.answer.result != CORE_RESULT_STOPPED) {
		fail_level(c, out, node,
			   ev->u.answer.result == CORE_RESULT_RUNNING
				   ? "its status says that the node is still on"
			   : reason[0] != '\0' ? reason
					       : "its status cannot be read");
		return true;
	}
	set_state(c, arbiter, YOKE_ARBITER_READY);
	next = next_of_level(c, node, f->level, arbiter);
	if (next == 0) {
		prove(c, out, node);
	} else {
		f->arbiter = next;
		ask(c, out, node, CORE_ASK_OFF);
	}
	return true;
}

/* It lives: whatever was begun must not be gone on with. */
static void cancel(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_fence *f = &c->fence[node - 1];

	if (f->state >= CORE_FENCE_OFF) {
		core_arbiter_cancel(c, out, f->arbiter);
		set_state(c, f->arbiter, YOKE_ARBITER_READY);
		tell(c, out, node, YOKE_EVENT_FENCE_CANCELLED, "it is heard again");
	}
	*f = (struct core_fence){.state = CORE_FENCE_IDLE, .at = YOKE_NEVER};
}

static void look_one(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_fence *f = &c->fence[node - 1];
	struct need need;

	if (core_node_const(c, node)->state != YOKE_NODE_LOST) {
		cancel(c, out, node);
		return;
	}
	if (f->state >= CORE_FENCE_OFF)
		return;
	if (!is_needed(c, node, &need)) {
		*f = (struct core_fence){.state = CORE_FENCE_IDLE, .at = YOKE_NEVER};
		return;
	}
	if (f->state == CORE_FENCE_IDLE) {
		f->state = CORE_FENCE_WAITING;
		f->at = begin_at(c, node, &need);
	}
	if (yoke_time_due(f->at, c->now) && core_arbiter_hears(c))
		begin_level(c, out, node, level_above(c, node, 0));
}

void core_fence_look(struct core *c, struct core_actions *out)
{
	for (uint16_t n = 1; core_fence_is_configured(c) && n <= c->conf.node_count; n++)
		if (n != c->conf.self)
			look_one(c, out, n);
}

yoke_time core_fence_deadline(const struct core *c)
{
	yoke_time t = YOKE_NEVER;

	for (uint16_t n = 0; n < c->conf.node_count; n++)
		if (c->fence[n].state == CORE_FENCE_WAITING &&
		    (core_arbiter_hears(c) || !yoke_time_due(c->fence[n].at, c->now)))
			t = yoke_time_min(t, c->fence[n].at);
	return t;
}

bool core_fence_goes_on(const struct core *c, uint16_t node)
{
	const struct core_fence *f = &c->fence[node - 1];

	return f->state != CORE_FENCE_IDLE && !f->failed;
}
