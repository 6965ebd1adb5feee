/* Arbiters: what decides when the nodes do not hear each other.
 *
 *   lock    (disk, witness) at most one node has it, for lease_ms from when it asked.  A node wants
 *           it while another one is silent, if it runs an exclusive group or could take one.  It
 *           renews each lease/4, and gives it back when all are in contact.
 *   fence   switches a silent node off: fence.c
 *   ping    reference addresses: a node that reaches none of them is deaf
 *
 * Everything is tried each test_ms while nothing is wrong, so that what would not work when it is
 * needed is known before: a lock must take a write, too (disk.c; a witness tries that itself).  One
 * question is out for an arbiter at most, each with a deadline.
 *
 * The node that runs more asks for a lock already when the other is late, the other when it is
 * lost: so the active one stays active.
 */
#include <assert.h>
#include <string.h>

#include "agent/core/parts.h"

enum {
	GRACE_MS = 1000, /* the shell's own time-out comes first */
	RENEW_PART = 4,  /* a lock is renewed each lease/4 */
	AGAIN_PART = 8,  /* and asked for again each lease/8 when we do not get it */
	AGAIN_MS_MIN = 20,
	LATE_PART = 3,    /* the others' renewal is late when less than lease/3 is left of it */
	RENEWED_PART = 2, /* and does without a lock when more than lease/2 is */
	WRONG_TESTS = 2,  /* so many in a row, and what the device says is no proof */
	DEAF_MISSES = 2,  /* so many pings in a row without an answer */
	DEAF_PINGS = 3,   /* after the first miss: our second one, and two of theirs */
	SHOWN_LEASES = 2, /* what a lock said of its holder is of now */
};

const char core_arbiter_wrong[] = "it says that a node is off that is in contact: wrong plug?";

bool core_arbiter_is_lock(const struct core *c, uint16_t arbiter)
{
	enum yoke_arbiter_type type = c->conf.arbiter[arbiter - 1].type;

	return type == YOKE_ARBITER_TYPE_DISK || type == YOKE_ARBITER_TYPE_WITNESS;
}

/* ---- questions ---- */

/* A lock that answers late is as good as one that does not. */
static uint32_t timeout_of(const struct core *c, uint16_t arbiter)
{
	uint32_t timeout_ms = c->conf.arbiter[arbiter - 1].timeout_ms;
	uint32_t third_ms = c->conf.lease_ms / 3;

	return core_arbiter_is_lock(c, arbiter) && third_ms < timeout_ms ? third_ms : timeout_ms;
}

void core_arbiter_ask(struct core *c, struct core_actions *out, uint16_t arbiter,
		      enum core_ask_kind kind, uint16_t node, const struct core_slot *slot)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	struct core_action *action = core_act(out, CORE_ASK);

	assert(a->ask == 0);
	c->run_last = c->run_last == UINT32_MAX ? 1 : c->run_last + 1;
	a->ask = c->run_last;
	a->ask_kind = kind;
	a->ask_node = node;
	a->asked_at = c->now;
	action->u.ask.id = a->ask;
	action->u.ask.arbiter = arbiter;
	action->u.ask.kind = kind;
	action->u.ask.node = node;
	action->u.ask.timeout_ms = timeout_of(c, arbiter);
	action->u.ask.lease_ms = c->conf.lease_ms;
	if (slot != NULL)
		action->u.ask.slot = *slot;
	a->ask_deadline = yoke_time_add_ms(c->now, (int64_t)action->u.ask.timeout_ms +
							   (core_arbiter_is_lock(c, arbiter)
								    ? c->conf.lease_ms / AGAIN_PART
								    : GRACE_MS));
}

void core_arbiter_cancel(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (a->ask == 0)
		return;
	core_act(out, CORE_CANCEL)->u.cancel.id = a->ask;
	a->ask = 0;
	a->ask_deadline = YOKE_NEVER;
}

/* ---- states ---- */

static struct yoke_event *tell(struct core *c, struct core_actions *out, uint16_t arbiter,
			       enum yoke_event_kind kind, const char *reason)
{
	struct yoke_event *ev = core_event(c, out, kind, reason);

	ev->arbiter = arbiter;
	return ev;
}

static void become(struct core *c, struct core_actions *out, uint16_t arbiter,
		   enum yoke_arbiter_state to, const char *reason)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	enum yoke_arbiter_state from = a->state;

	a->tested = c->now;
	core_text(a->reason, sizeof(a->reason), reason, (char *)NULL);
	if (from == to)
		return;
	a->state = to;
	a->changed = c->now;
	if (to == YOKE_ARBITER_FAILED)
		tell(c, out, arbiter, YOKE_EVENT_ARBITER_FAILED, reason);
	else if (from == YOKE_ARBITER_FAILED)
		tell(c, out, arbiter, YOKE_EVENT_ARBITER_READY, "");
}

static void again_later(struct core *c, uint16_t arbiter, uint32_t part)
{
	uint32_t again_ms = c->conf.lease_ms / part;

	c->arbiter[arbiter - 1].next_at =
		yoke_time_add_ms(c->now, again_ms > AGAIN_MS_MIN ? again_ms : AGAIN_MS_MIN);
}

void core_arbiter_held(struct core *c, struct core_actions *out, uint16_t arbiter, yoke_time until)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	bool had = yoke_time_before(c->now, a->held_until);

	if (!core_arbiter_holds(c))
		c->locks_since = YOKE_NEVER; /* it had lapsed: others may have had it meanwhile */
	a->held_until = until;
	a->holder = 0;
	become(c, out, arbiter, YOKE_ARBITER_HELD, "");
	if (!had)
		tell(c, out, arbiter, YOKE_EVENT_ARBITER_HELD, "");
	again_later(c, arbiter, RENEW_PART);
}

static void give_up(struct core *c, struct core_actions *out, uint16_t arbiter, const char *reason)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (a->held_until.us != 0)
		tell(c, out, arbiter, YOKE_EVENT_ARBITER_RELEASED, reason);
	a->held_until = (yoke_time){0};
}

/* What failed may have been a write, and that it can be read is no answer to that. */
static bool is_in_doubt(const struct core_arbiter *a)
{
	return a->state == YOKE_ARBITER_FAILED && a->ask_kind == CORE_ASK_READ;
}

void core_arbiter_lost(struct core *c, struct core_actions *out, uint16_t arbiter, uint16_t holder,
		       const char *reason)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	give_up(c, out, arbiter, reason);
	a->holder = holder;
	if (holder != 0) {
		a->refused_at = c->now;
		become(c, out, arbiter, YOKE_ARBITER_REFUSED, "");
		again_later(c, arbiter, AGAIN_PART);
		/* Who does not want it keeps looking who has it: a person may be asked. */
		a->test_at =
			yoke_time_min(a->test_at, yoke_time_add_ms(c->now, c->conf.lease_ms));
	} else if (!is_in_doubt(a)) {
		become(c, out, arbiter, YOKE_ARBITER_READY, "");
	}
}

yoke_time core_arbiter_held_until(const struct core *c)
{
	yoke_time held[YOKE_ARBITERS_MAX];
	unsigned count = 0;

	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++) {
		yoke_time until = c->arbiter[a - 1].held_until;
		unsigned i = count;

		if (!core_arbiter_is_lock(c, a))
			continue;
		for (; i > 0 && yoke_time_before(held[i - 1], until); i--)
			held[i] = held[i - 1];
		held[i] = until;
		count++;
	}
	return count == 0 ? (yoke_time){0} : held[count / 2];
}

bool core_arbiter_holds(const struct core *c)
{
	return yoke_time_before(c->now, core_arbiter_held_until(c));
}

bool core_arbiter_answers(const struct core *c)
{
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (core_arbiter_is_lock(c, a) && c->arbiter[a - 1].state != YOKE_ARBITER_UNKNOWN &&
		    c->arbiter[a - 1].state != YOKE_ARBITER_FAILED)
			return true;
	return false;
}

bool core_arbiter_shows(const struct core *c, uint16_t node)
{
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (core_arbiter_is_lock(c, a) && c->arbiter[a - 1].holder == node &&
		    c->arbiter[a - 1].refused_at.us != 0 &&
		    yoke_time_before(c->now, yoke_time_add_ms(c->arbiter[a - 1].refused_at,
							      SHOWN_LEASES *
								      (int64_t)c->conf.lease_ms)))
			return true;
	return false;
}

bool core_arbiter_deaf(const struct core *c)
{
	bool pinged = false;

	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++) {
		if (c->conf.arbiter[a - 1].type != YOKE_ARBITER_TYPE_PING)
			continue;
		if (c->arbiter[a - 1].misses < DEAF_MISSES)
			return false;
		pinged = true;
	}
	return pinged;
}

/* ---- wanting a lock ---- */

/* Exclusive groups that a node runs, by its last word; ours count before they are found, too: what
 * runs needs the lease. */
static unsigned load_of(const struct core *c, uint16_t node)
{
	unsigned count = 0;

	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (core_lease_binds(c, g) &&
		    (core_claim_runs(&core_node_const(c, node)->claim[g - 1]) ||
		     (node == c->conf.self && core_lease_may_run(c, g))))
			count++;
	return count;
}

static bool could_use(const struct core *c)
{
	if (load_of(c, c->conf.self) > 0)
		return true;
	for (uint16_t g = 1; g <= c->conf.group_count; g++)
		if (core_lease_binds(c, g) && core_cause_self(c, g) == CORE_CAUSE_NONE)
			return true;
	return false;
}

static bool owns_more(const struct core *c, uint16_t than)
{
	unsigned ours = load_of(c, c->conf.self), theirs = load_of(c, than);

	return ours > 0 && (ours > theirs || (ours == theirs && c->conf.self < than));
}

/* Is a node so silent that our lease must come from elsewhere? */
static bool is_alone(const struct core *c)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		enum yoke_node_state state = core_node_const(c, n)->state;

		if (n == c->conf.self)
			continue;
		if (state == YOKE_NODE_LOST || (state == YOKE_NODE_LATE && owns_more(c, n)))
			return true;
	}
	return false;
}

/* From then on the others' renewal is late: one of them may count us as lost.  An engine that has
 * just started goes by the lease of the one before it until it is renewed. */
static yoke_time renewal_late_at(const struct core *c)
{
	return yoke_time_add_ms(yoke_time_max(core_lease_by_nodes(c), c->inherited),
				-(int64_t)c->conf.lease_ms / LATE_PART);
}

static bool is_renewal_late(const struct core *c)
{
	return yoke_time_due(renewal_late_at(c), c->now);
}

/* Is a lock not needed any more?  Later than it was wanted, so that it does not come and go. */
static bool is_renewed(const struct core *c)
{
	return yoke_time_before(yoke_time_add_ms(c->now, c->conf.lease_ms / RENEWED_PART),
				core_lease_by_nodes(c));
}

static bool are_all_here(const struct core *c)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_node_const(c, n)->state != YOKE_NODE_ONLINE &&
		    core_node_const(c, n)->state != YOKE_NODE_LEFT)
			return false;
	return true;
}

/* Who has a lock keeps it until the others are in contact and renew the lease. */
bool core_arbiter_wants(const struct core *c, uint16_t arbiter)
{
	if (c->left || !core_arbiter_is_lock(c, arbiter))
		return false;
	if (c->arbiter[arbiter - 1].held_until.us != 0)
		return (!are_all_here(c) || !is_renewed(c)) && could_use(c);
	if (core_arbiter_deaf(c) || c->promised)
		return false;
	return is_alone(c) ? could_use(c) : is_renewal_late(c) && load_of(c, c->conf.self) > 0;
}

void core_arbiter_give_back(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	const char *reason = "no group here needs it any longer";

	if (c->leaving)
		reason = "this node leaves the cluster";
	else if (are_all_here(c) && is_renewed(c))
		reason = "all nodes are in contact again";
	core_arbiter_lost(c, out, arbiter, 0, reason);
}

static void look_witness(struct core *c, struct core_actions *out, uint16_t arbiter, bool want)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (want) {
		if (yoke_time_due(a->next_at, c->now))
			core_arbiter_ask(c, out, arbiter, CORE_ASK_CLAIM, 0, NULL);
	} else if (a->held_until.us != 0) {
		core_arbiter_give_back(c, out, arbiter);
		c->inherited = (yoke_time){0};
		core_arbiter_ask(c, out, arbiter, CORE_ASK_RELEASE, 0, NULL);
	}
}

static void on_witness(struct core *c, struct core_actions *out, uint16_t arbiter,
		       const struct core_event *ev)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint16_t by = ev->u.answer.node <= c->conf.node_count ? ev->u.answer.node : 0;

	if (ev->u.answer.result == CORE_RESULT_ANSWERED) {
		/* A witness that starts again lets the last one have it for a lease, dead too. */
		if (by != 0 && a->state == YOKE_ARBITER_REFUSED && a->holder == by)
			core_lease_has_lock(c, by, a->changed, a->asked_at);
		core_arbiter_lost(c, out, arbiter, by, "another node has it");
	} else if (a->ask_kind == CORE_ASK_CLAIM) {
		core_arbiter_held(c, out, arbiter, yoke_time_add_ms(a->asked_at, c->conf.lease_ms));
	} else if (a->state != YOKE_ARBITER_HELD) {
		core_arbiter_lost(c, out, arbiter, 0, "");
	}
}

/* ---- tests ---- */

static bool is_silent_node(const struct core *c)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_node_const(c, n)->state == YOKE_NODE_LATE ||
		    core_node_const(c, n)->state == YOKE_NODE_LOST)
			return true;
	return false;
}

/* When a node that is deaf knows whether the others in contact are, too: they ask as soon as they
 * hear of it and have not asked for the dead time, and their word is on its way for less than that.
 * One that was deaf as well and hears again may be the first of all to do so: then we are asked by
 * ourselves as often.  YOKE_NEVER: it is not deaf. */
static yoke_time deaf_alone_at(const struct core *c)
{
	yoke_time at = {0};

	if (!core_arbiter_deaf(c))
		return YOKE_NEVER;
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (c->conf.arbiter[a - 1].type == YOKE_ARBITER_TYPE_PING)
			at = yoke_time_max(
				at, yoke_time_add_ms(yoke_time_max(c->arbiter[a - 1].changed,
								   c->heard_since),
						     (int64_t)DEAF_PINGS * timeout_of(c, a) +
							     2 * (int64_t)c->conf.dead_ms));
	return at;
}

bool core_arbiter_deaf_alone(const struct core *c)
{
	return yoke_time_due(deaf_alone_at(c), c->now);
}

static bool is_deaf(const struct core *c, uint16_t node)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		if (core_node_const(c, node)->claim[g].cause == CORE_CAUSE_DEAF)
			return true;
	return false;
}

static bool is_deaf_node(const struct core *c)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_node_alive(core_node_const(c, n)) && is_deaf(c, n))
			return true;
	return false;
}

/* Of one that may run no group for another reason it is not known: that it is deaf is told last. */
static bool is_known_to_hear(const struct core *c, uint16_t node)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		if (core_node_const(c, node)->claim[g].cause == CORE_CAUSE_NONE)
			return core_node_alive(core_node_const(c, node));
	return false;
}

static void note_others(struct core *c)
{
	bool hears = false;

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		hears = hears || (n != c->conf.self && is_known_to_hear(c, n));
	if (!hears)
		c->heard_since = YOKE_NEVER;
	else if (yoke_time_is_never(c->heard_since))
		c->heard_since = c->now;
}

/* Of what was answered before the silence we know nothing now: then they are asked again. */
bool core_arbiter_hears(const struct core *c)
{
	bool pings = false;

	for (uint16_t i = 1; i <= c->conf.arbiter_count; i++) {
		const struct core_arbiter *a = &c->arbiter[i - 1];

		if (c->conf.arbiter[i - 1].type != YOKE_ARBITER_TYPE_PING ||
		    c->conf.arbiter[i - 1].test_ms == 0)
			continue;
		if (a->ask == 0 && a->misses == 0 && a->state == YOKE_ARBITER_READY &&
		    yoke_time_span_us(a->asked_at, c->now) <= (int64_t)c->conf.dead_ms * 1000)
			return true;
		pings = true;
	}
	return !pings;
}

/* The next node after `node` that the arbiter can switch off; 0: none. */
static uint16_t victim_after(const struct core *c, uint16_t arbiter, uint16_t node)
{
	for (uint16_t i = 0; i < c->conf.node_count; i++) {
		uint16_t n = (uint16_t)((node + i) % c->conf.node_count + 1);

		if (n != c->conf.self && c->conf.arbiter[arbiter - 1].node[n - 1])
			return n;
	}
	return 0;
}

static void test(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	const struct core_arbiter_conf *conf = &c->conf.arbiter[arbiter - 1];
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint16_t victim = 0;

	if (conf->test_ms == 0 || !yoke_time_due(a->test_at, c->now))
		return;
	a->test_at = yoke_time_add_ms(c->now, conf->test_ms);
	switch (conf->type) {
	case YOKE_ARBITER_TYPE_FENCE:
		victim = victim_after(c, arbiter, a->ask_node);
		if (victim != 0)
			core_arbiter_ask(c, out, arbiter, CORE_ASK_STATUS, victim, NULL);
		break;
	case YOKE_ARBITER_TYPE_DISK:
		core_disk_test(c, out, arbiter);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
		core_arbiter_ask(c, out, arbiter, CORE_ASK_LOOK, 0, NULL);
		break;
	case YOKE_ARBITER_TYPE_PING:
		core_arbiter_ask(c, out, arbiter, CORE_ASK_PING, 0, NULL);
		break;
	case YOKE_ARBITER_TYPE_UNKNOWN:
		break;
	}
}

/* One that is off may have lost its power just now: then it is lost when it is asked again. */
static void note_status(struct core *c, uint16_t arbiter, enum core_result result)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	uint8_t *wrong = &a->wrong[a->ask_node - 1];

	if (result == CORE_RESULT_RUNNING) {
		*wrong = 0;
	} else if (result == CORE_RESULT_STOPPED && *wrong < WRONG_TESTS &&
		   core_node_const(c, a->ask_node)->state == YOKE_NODE_ONLINE) {
		++*wrong;
		a->test_at = yoke_time_add_ms(c->now, 2 * (int64_t)c->conf.dead_ms);
	}
}

void core_arbiter_inherit(struct core_arbiter *a, uint8_t wrong)
{
	for (uint16_t n = 0; n < YOKE_NODES_MAX; n++)
		if ((wrong >> n & 1) != 0)
			a->wrong[n] = WRONG_TESTS;
}

bool core_arbiter_is_wrong(const struct core *c, uint16_t arbiter, uint16_t node)
{
	return c->arbiter[arbiter - 1].wrong[node - 1] >= WRONG_TESTS;
}

static bool is_any_wrong(const struct core *c, uint16_t arbiter)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_arbiter_is_wrong(c, arbiter, n))
			return true;
	return false;
}

static void on_test(struct core *c, struct core_actions *out, uint16_t arbiter,
		    const struct core_event *ev)
{
	bool is_fence = c->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_FENCE;

	if (is_fence)
		note_status(c, arbiter, ev->u.answer.result);
	if (is_fence && is_any_wrong(c, arbiter))
		become(c, out, arbiter, YOKE_ARBITER_FAILED, core_arbiter_wrong);
	else
		become(c, out, arbiter, YOKE_ARBITER_READY, "");
}

/* ---- the machine ---- */

void core_arbiter_failed(struct core *c, struct core_actions *out, uint16_t arbiter,
			 const char *reason)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	if (a->misses < UINT16_MAX)
		a->misses++;
	become(c, out, arbiter, YOKE_ARBITER_FAILED, reason[0] != '\0' ? reason : "no answer");
	again_later(c, arbiter, AGAIN_PART);
	/* Before a node calls itself deaf it listens once more. */
	if (c->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_PING && a->misses < DEAF_MISSES)
		a->test_at = c->now;
}

static void apply(struct core *c, struct core_actions *out, uint16_t arbiter,
		  const struct core_event *ev)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];

	a->ask = 0;
	a->ask_deadline = YOKE_NEVER;
	if (core_fence_on_answer(c, out, arbiter, ev))
		return;
	if (ev->u.answer.result == CORE_RESULT_FAILED) {
		core_arbiter_failed(c, out, arbiter, ev->u.answer.reason);
		return;
	}
	a->misses = 0;
	switch (c->conf.arbiter[arbiter - 1].type) {
	case YOKE_ARBITER_TYPE_DISK:
		core_disk_on_answer(c, out, arbiter, ev);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
		on_witness(c, out, arbiter, ev);
		break;
	default:
		on_test(c, out, arbiter, ev);
		break;
	}
}

void core_arbiter_on_answer(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		if (c->arbiter[a - 1].ask != 0 && c->arbiter[a - 1].ask == ev->u.answer.id) {
			apply(c, out, a, ev);
			return;
		}
}

static void time_out(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	struct core_event late = {.type = CORE_ANSWER, .now = c->now};

	late.u.answer.id = c->arbiter[arbiter - 1].ask;
	late.u.answer.result = CORE_RESULT_FAILED;
	core_text(late.u.answer.reason, sizeof(late.u.answer.reason), "no answer in time",
		  (char *)NULL);
	core_arbiter_on_answer(c, out, &late);
}

static void look_one(struct core *c, struct core_actions *out, uint16_t arbiter)
{
	struct core_arbiter *a = &c->arbiter[arbiter - 1];
	bool want = core_arbiter_wants(c, arbiter);

	if (core_is_over(c, &a->ask_deadline))
		time_out(c, out, arbiter);
	if (a->ask != 0)
		return;
	if (c->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_WITNESS)
		look_witness(c, out, arbiter, want);
	else if (c->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_DISK)
		core_disk_look(c, out, arbiter, want);
	if (a->ask == 0 && !want)
		test(c, out, arbiter);
}

void core_arbiter_look(struct core *c, struct core_actions *out)
{
	/* A node that has fallen silent, or is deaf, is a reason to know soon who else is; and who
	 * is deaf itself must know soon that it is no more. */
	bool soon = is_silent_node(c) || is_deaf_node(c) || core_arbiter_deaf(c);

	note_others(c);
	for (uint16_t i = 1; i <= c->conf.arbiter_count && soon; i++) {
		struct core_arbiter *a = &c->arbiter[i - 1];

		if (c->conf.arbiter[i - 1].type == YOKE_ARBITER_TYPE_PING)
			a->test_at = yoke_time_min(
				a->test_at, yoke_time_add_ms(a->asked_at, c->conf.dead_ms));
	}
	for (uint16_t a = 1; a <= c->conf.arbiter_count; a++)
		look_one(c, out, a);
}

yoke_time core_arbiter_deadline(const struct core *c)
{
	yoke_time t = core_arbiter_deaf_alone(c) ? YOKE_NEVER : deaf_alone_at(c);

	for (uint16_t i = 1; i <= c->conf.arbiter_count; i++) {
		const struct core_arbiter *a = &c->arbiter[i - 1];
		bool want = core_arbiter_wants(c, i);

		if (core_arbiter_is_lock(c, i) && !is_renewal_late(c))
			t = yoke_time_min(t, renewal_late_at(c));
		if (a->ask != 0)
			t = yoke_time_min(t, a->ask_deadline);
		else if (want)
			t = yoke_time_min(t, a->next_at);
		else if (c->conf.arbiter[i - 1].test_ms != 0)
			t = yoke_time_min(t, a->test_at);
	}
	return t;
}
