/* The state machine of a group on this node.
 *
 *              probed: nothing runs
 *   UNKNOWN -----------------------> STOPPED <-------------------------- STOPPING
 *      | \                            |  ^ \                              ^  ^ |
 *      |  \ only a part runs          |  |  \ the silent owner answers    |  | | had failed
 *      |   +--------------------------|--|-> HELD                         |  | v
 *      | all of it runs               |  |     \ answers no more          | FAILED -> STOPPED
 *      v                              v  |      v                         |   after retry_ms
 *   STARTED <------------------- STARTING <-----+                         |
 *      |                              | a resource failed                 |
 *      +------------------------------+-----------------------------------+
 *        handover, conflict lost, a resource failed, leave
 *
 * From      When                                            To        Function
 * UNKNOWN   every resource is probed and runs               STARTED   core_adopt_look()
 * UNKNOWN   none runs                                       STOPPED   core_adopt_look()
 * UNKNOWN   some run, the others were added to the file     STARTED   core_adopt_look()
 * UNKNOWN   some run                                        STOPPING  core_adopt_look()
 * UNKNOWN   the lease ran out that an engine before us had  STOPPING  core_adopt_look()
 * STOPPED   our turn, permitted, nobody answers             STARTING  in_stopped(), begin_start()
 * STOPPED   our turn, but the lost owner still answers      HELD      core_held_answers()
 * STOPPED   exclusive, and nothing proves that the lost
 *           owner is dead                                   HELD      core_held_unproven()
 * STOPPED   a fault would move it, and only a person may    HELD      core_held_manual()
 * STOPPED   our turn, but a stranger answers                FAILED    in_stopped()
 * HELD      as STOPPED: for another reason HELD, STARTING or FAILED; an operator insists STARTING
 * HELD      no longer our turn, or there is no room         STOPPED   release()
 * STARTING  the last resource is started                    STARTED   in_starting()
 * STARTING  a resource failed, or a conflict is lost        STOPPING  in_starting()
 * STARTED   another node is wanted and ready, and what
 *           comes after it has gone                         STOPPING  in_started()
 * STARTED   a conflict is lost, the engine leaves, the
 *           lease ran out, it makes room, another
 *           configuration will not have it                  STOPPING  in_started()
 * STARTED   a resource failed                               STOPPING  look_resources()
 * STOPPING  all that is to be stopped is                    STOPPED, FAILED or, when it is only
 *                                                           restarted, STARTING  core_stop_look()
 * any but UNKNOWN, STARTING and STOPPING: a maintenance
 *           ends                                            UNKNOWN   core_maintenance_look()
 * FAILED    retry_at, or an operator forgives               STOPPED   in_failed()
 *
 * The machine is level-triggered: core_group_look() is asked after every event and does what state
 * and world call for.  What holds (core_group_check() asserts it):
 *
 * UNKNOWN:            nothing is started or stopped.
 * STOPPED, HELD,
 * FAILED:             no resource is started or being started.
 * STARTING, STARTED:  term is not 0 and not above `reserved`: it was durable before it was used.
 * conflict != 0:      only in STARTED, and on the way there again by a restart.
 */
#include <assert.h>
#include <string.h>

#include "agent/core/parts.h"

enum {
	PREPARED_MS_MAX = 60000, /* what nobody answered to then is asked again */
};

static struct core_group *group_at(struct core *c, uint16_t group)
{
	assert(group >= 1 && group <= c->conf.group_count);
	return &c->group[group - 1];
}

static const char *node_name(const struct core *c, uint16_t node)
{
	return node == 0 ? "nobody" : c->conf.node_name[node - 1];
}

/* ---- transitions ---- */

/* The only place that assigns a group's state. */
void core_group_become(struct core *c, struct core_actions *out, uint16_t group,
		       enum yoke_group_state to, enum yoke_event_kind kind, const char *reason)
{
	struct core_group *g = group_at(c, group);
	enum yoke_group_state from = g->state;
	struct yoke_event *ev;

	g->state = to;
	g->since = c->now;
	g->retry_at = YOKE_NEVER;
	g->prepare_at = YOKE_NEVER;
	core_text(g->reason, sizeof(g->reason), reason, (char *)NULL);
	if (core_lease_binds(c, group))
		core_lease_tell(c, out); /* before anything is started */
	if (kind == YOKE_EVENT_NONE)
		return;
	ev = core_event(c, out, kind, reason);
	ev->group = group;
	ev->from = (uint16_t)from;
	ev->to = (uint16_t)to;
	ev->value = g->term;
	if (kind == YOKE_EVENT_GROUP_HELD)
		ev->peer = g->prepare_by;
}

void core_group_stop(struct core *c, struct core_actions *out, uint16_t group, bool failing,
		     const char *reason)
{
	struct core_group *g = group_at(c, group);

	g->failing = failing;
	g->restarting = false;
	g->stop_failures = g->stop_tried = 0;
	g->conflict = 0;
	g->announce_at = YOKE_NEVER;
	core_group_become(c, out, group, YOKE_GROUP_STOPPING, YOKE_EVENT_GROUP_STOPPING, reason);
}

static void begin_start(struct core *c, struct core_actions *out, uint16_t group, const char *why)
{
	struct core_group *g = group_at(c, group);

	assert(core_term_is_usable(c, group));
	core_prepare_drop(c, out, group);
	g->term = g->reserved;
	g->failing = false;
	core_policy_pin(c, group, g->pinned);
	g->pins = core_oper_here(c, group) != NULL;
	core_group_become(c, out, group, YOKE_GROUP_STARTING, YOKE_EVENT_GROUP_STARTING, why);
}

/* ---- what the world asks for ---- */

/* The node that it is not taken over from without an operator; 0: none. */
static uint16_t held_for(const struct core *c, uint16_t group)
{
	return core_oper_here(c, group) != NULL ? 0 : core_policy_held_for(c, group);
}

/* By what we last told of ourselves: a beat later at most, and it asks nothing further. */
static bool is_turn_told(const struct core *c, uint16_t group)
{
	uint16_t target, granted = c->group[group - 1].grant_to;

	/* Of a lost node core_permit() speaks. */
	if (granted != 0 && core_node_const(c, granted)->state != YOKE_NODE_LOST)
		return false;
	if (!core_is_fit(c->node[c->conf.self - 1].claim[group - 1].cause))
		return false;
	if (c->conf.group[group - 1].parallel)
		return true;
	if (core_owner(c, group) != 0)
		return false;
	if (core_oper_of(c, group, &target) != NULL)
		return target == c->conf.self;
	return core_candidate(c, group, 0) == c->conf.self;
}

static bool our_turn(const struct core *c, uint16_t group)
{
	return is_turn_told(c, group) && core_is_fit(core_cause_self(c, group));
}

/* Nobody else answers, or did when it was asked before; or one that hands over to us, or that an
 * operator knows of. */
static bool is_prepared(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];

	return g->prepare == CORE_PREPARE_CLEAR ||
	       (g->prepare == CORE_PREPARE_RUNNING && !yoke_time_is_never(g->prepared_at)) ||
	       (g->prepare == CORE_PREPARE_NODE && !core_held_back(c, group));
}

bool core_group_would_start(const struct core *c, uint16_t group)
{
	return !core_claim_runs(&(struct core_claim){.state = c->group[group - 1].state}) &&
	       is_turn_told(c, group) && core_permit(c, group, NULL) &&
	       core_policy_may_follow(c, group) && held_for(c, group) == 0 && is_prepared(c, group);
}

/* Our turn, and nobody objects. */
static bool may_start(const struct core *c, uint16_t group, const char **why)
{
	return our_turn(c, group) && core_permit(c, group, why) && core_policy_may_follow(c, group);
}

/* A term to use is on disk, and what makes room has gone. */
static bool can_start(const struct core *c, uint16_t group)
{
	return core_term_is_usable(c, group) && core_policy_has_room(c, group);
}

/* The owner hands over to us, or has just fallen silent: have the probe done when it matters. */
static bool should_prepare(const struct core *c, uint16_t group)
{
	uint16_t owner = core_owner(c, group);

	if (!core_is_fit(core_cause_self(c, group)))
		return false;
	if (owner == 0 || c->conf.group[group - 1].parallel)
		return our_turn(c, group) && core_permit_askable(c, group);
	if (core_wanted(c, group) == c->conf.self)
		return true;
	return core_node_const(c, owner)->state == YOKE_NODE_LATE &&
	       core_candidate(c, group, owner) == c->conf.self;
}

/* Is the probe only made in case that the owner is not heard again? */
static bool is_ahead(const struct core *c, uint16_t group)
{
	uint16_t owner = core_owner(c, group);

	return owner != 0 && core_node_const(c, owner)->state == YOKE_NODE_LATE &&
	       core_wanted(c, group) != c->conf.self;
}

bool core_group_asks(const struct core *c, uint16_t group)
{
	return should_prepare(c, group) &&
	       (core_owner(c, group) == 0 || core_wanted(c, group) == c->conf.self);
}

/* The silent node that may run it, and that keeps us from it; 0: none. */
static uint16_t waits_for_proof_of(const struct core *c, uint16_t group)
{
	return our_turn(c, group) ? core_permit_unproven(c, group) : 0;
}

/* May a lock or a fence agent still prove it, without a person? */
static bool proof_may_come(const struct core *c, uint16_t group, uint16_t node)
{
	return core_fence_goes_on(c, node) || !yoke_time_is_never(core_lease_over_at(c, node)) ||
	       yoke_time_before(c->now, core_lease_patience(c, group, node));
}

/* ---- one function per state ---- */

static void fail_stranger(struct core *c, struct core_actions *out, uint16_t group)
{
	char hwaddr[18], reason[YOKE_REASON_SIZE];

	core_prepare_hwaddr_text(group_at(c, group)->stranger, hwaddr);
	core_text(reason, sizeof(reason), "its address is already in use by ", hwaddr,
		  ": find that host, then 'yoke online'", (char *)NULL);
	core_prepare_drop(c, out, group);
	core_group_become(c, out, group, YOKE_GROUP_FAILED, YOKE_EVENT_GROUP_FAILED, reason);
	group_at(c, group)->retry_at = yoke_time_add_ms(c->now, c->conf.retry_ms);
}

/* What it was held for is over, and it does not start yet. */
static void release(struct core *c, struct core_actions *out, uint16_t group, const char *reason)
{
	if (group_at(c, group)->state == YOKE_GROUP_HELD)
		core_group_become(c, out, group, YOKE_GROUP_STOPPED, YOKE_EVENT_NONE, reason);
}

/* Nobody objects: by whom is the address answered? */
static void start_prepared(struct core *c, struct core_actions *out, uint16_t group,
			   const char *why)
{
	struct core_group *g = group_at(c, group);
	char reason[YOKE_REASON_SIZE];

	if (core_held_back(c, group)) {
		core_held_answers(c, out, group);
		return;
	}
	if (g->prepare == CORE_PREPARE_NONE || g->prepare == CORE_PREPARE_RUNNING)
		return;
	if (!can_start(c, group)) {
		release(c, out, group, "what it was held for is over");
		return;
	}
	if (g->prepare == CORE_PREPARE_CLEAR &&
	    yoke_time_due(yoke_time_add_ms(g->prepared_at, PREPARED_MS_MAX), c->now))
		core_prepare_begin(c, out, group);
	if (g->prepare == CORE_PREPARE_RUNNING)
		return;
	core_reason_start(c, group, why, reason);
	begin_start(c, out, group, reason);
}

/* Before anybody is asked who answers, somebody's word may be missing: let it wait, or hold it.
 * Returns false when none is. */
static bool wait_for_word(struct core *c, struct core_actions *out, uint16_t group)
{
	uint16_t unproven = waits_for_proof_of(c, group);

	if (unproven != 0) {
		core_prepare_drop(c, out, group);
		if (held_for(c, group) != 0 && core_fence_could(c, unproven))
			core_held_manual(c, out, group, unproven);
		else if (!proof_may_come(c, group, unproven))
			core_held_unproven(c, out, group, unproven);
		return true;
	}
	if (!our_turn(c, group) || held_for(c, group) == 0)
		return false;
	if (core_permit(c, group, NULL))
		core_held_manual(c, out, group, held_for(c, group));
	return group_at(c, group)->state == YOKE_GROUP_HELD;
}

/* STOPPED or HELD: nothing of it runs here, and nothing but a probe is out. */
static void in_stopped(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = group_at(c, group);
	const char *why = "";

	if (yoke_time_due(g->prepare_at, c->now)) {
		core_prepare_drop(c, out, group);
		g->prepare_at = YOKE_NEVER;
	}
	if (wait_for_word(c, out, group))
		return;
	if (!should_prepare(c, group)) {
		if (g->prepare != CORE_PREPARE_NONE)
			core_prepare_drop(c, out, group);
		release(c, out, group, "no longer its turn");
		return;
	}
	if (g->prepare == CORE_PREPARE_NONE && yoke_time_is_never(g->prepare_at))
		core_prepare_begin(c, out, group);
	if (g->prepare == CORE_PREPARE_STRANGER && !is_ahead(c, group))
		fail_stranger(c, out, group);
	else if (may_start(c, group, &why))
		start_prepared(c, out, group, why);
	else
		release(c, out, group, "no longer its turn");
}

void core_group_lose(struct core *c, struct core_actions *out, uint16_t group, uint16_t to)
{
	char reason[YOKE_REASON_SIZE], number[21];

	core_text(reason, sizeof(reason), "it runs on ", node_name(c, to), " at term ",
		  core_number(core_node_const(c, to)->claim[group - 1].term, number),
		  ", which wins over ours", (char *)NULL);
	core_group_stop(c, out, group, false, reason);
}

static void in_starting(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = group_at(c, group);
	char reason[YOKE_REASON_SIZE];

	if (core_conflict_winner(c, group) != 0) {
		core_group_lose(c, out, group, core_conflict_winner(c, group));
		return;
	}
	if (core_lease_binds(c, group) && !core_lease_holds(c)) {
		core_group_stop(c, out, group, false, core_lease_reason);
		return;
	}
	if (core_conflict_other(c, group) != 0)
		g->announce_at = c->now; /* when started: the last word may be the other's */
	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		struct core_resource *r = core_resource_of(c, group, i);

		if (r->run != 0)
			return;
		if (r->state == YOKE_RESOURCE_FAILED) {
			core_text(reason, sizeof(reason), "could not start: ", r->reason,
				  (char *)NULL);
			core_group_stop(c, out, group, true, reason);
			return;
		}
		if (r->state != YOKE_RESOURCE_STARTED) {
			core_resource_run(c, out, core_resource_at(c, group, i), CORE_RUN_START, 0);
			return;
		}
	}
	core_policy_pin(c, group, g->pinned || g->pins);
	g->pins = false;
	core_policy_started(c, group, true);
	core_text(reason, sizeof(reason), g->reason, (char *)NULL);
	core_group_become(c, out, group, YOKE_GROUP_STARTED, YOKE_EVENT_GROUP_STARTED, reason);
}

/* One that runs on each node moves nowhere; what needs it here goes first. */
static const char *parallel_must_stop(const struct core *c, uint16_t group)
{
	if (!core_policy_is_emptied(c, group) || core_policy_is_needed(c, group))
		return NULL;
	return core_cause_text(core_cause_self(c, group));
}

/* Then half of the time to leave is over: what is left of it is for stopping. */
static yoke_time must_leave_at(const struct core *c)
{
	return yoke_time_add_ms(c->leave_deadline, -(int64_t)c->conf.operation_ms / 2);
}

static bool must_leave_now(const struct core *c)
{
	return c->leaving && yoke_time_due(must_leave_at(c), c->now);
}

/* What comes after it goes first. */
static bool waits(const struct core *c, uint16_t group)
{
	return !must_leave_now(c) && core_policy_waits(c, group);
}

/* Why we must stop it without anybody being ready; NULL: no need. */
static const char *must_stop(struct core *c, uint16_t group)
{
	if (core_lease_binds(c, group) && !core_lease_holds(c))
		return core_lease_reason;
	if (c->hold[0] != '\0' && c->intent[c->conf.self - 1].standby)
		return "this node must not own it: its saved state is unreadable";
	if (core_policy_yields(c, group))
		return core_cause_text(CORE_CAUSE_YIELDS);
	if (c->conf.group[group - 1].parallel)
		return parallel_must_stop(c, group);
	if (waits(c, group))
		return NULL;
	if (core_retire_reason(c, group) != NULL)
		return core_retire_reason(c, group);
	if (c->leaving && core_candidate(c, group, c->conf.self) == 0)
		return "the engine is being stopped, and no other node can run it";
	if (must_leave_now(c))
		return "the engine is being stopped, and no other node became ready in time";
	return NULL;
}

/* A resource that should run does not: start it and what comes after it again, at the same term, or
 * give the group up.  Returns false when all run. */
static bool look_resources(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = group_at(c, group);
	char reason[YOKE_REASON_SIZE];

	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		struct core_resource *r = core_resource_of(c, group, i);

		if (r->run != 0 || r->state == YOKE_RESOURCE_STARTED || r->retired)
			continue;
		if (!core_resource_may_restart(c, core_resource_at(c, group, i))) {
			core_group_stop(c, out, group, true, r->reason);
			return true;
		}
		core_text(reason, sizeof(reason), "restarted here: ", r->reason, (char *)NULL);
		core_group_become(c, out, group, YOKE_GROUP_STOPPING, YOKE_EVENT_GROUP_RESTARTING,
				  reason);
		g->restarting = true;
		g->stop_failures = g->stop_tried = 0;
		g->keep = i;
		return true;
	}
	return false;
}

static void hand_over(struct core *c, struct core_actions *out, uint16_t group, uint16_t to)
{
	enum core_cause cause = core_cause_self(c, group);
	char reason[YOKE_REASON_SIZE];

	core_text(reason, sizeof(reason), "handed over to ", node_name(c, to), ": ",
		  core_reason_move(c, group, cause), (char *)NULL);
	core_group_stop(c, out, group, false, reason);
}

/* An exclusive group is handed over with the grant on disk already. */
static bool granted(struct core *c, uint16_t group, uint16_t to)
{
	uint64_t term = core_node_const(c, to)->claim[group - 1].request;

	if (!c->conf.group[group - 1].exclusive)
		return true;
	return term != 0 && core_grant_to(c, group, to, term);
}

/* Where it is wanted goes by what was told: in the next round, when that is out of date. */
static bool is_cause_told(const struct core *c, uint16_t group)
{
	return core_node_const(c, c->conf.self)->claim[group - 1].cause ==
	       core_cause_self(c, group);
}

static void in_started(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = group_at(c, group);
	uint16_t wanted;
	const char *why;
	bool changes;

	if (core_conflict_winner(c, group) != 0) {
		core_group_lose(c, out, group, core_conflict_winner(c, group));
		return;
	}
	core_policy_started(c, group, false);
	/* An operator may have had it switched to where it was already. */
	if (core_oper_here(c, group) != NULL)
		core_policy_pin(c, group, true);
	/* Before it tells the network that it has it: the last word must be who keeps it. */
	why = must_stop(c, group);
	if (why != NULL) {
		core_group_stop(c, out, group, false, why);
		return;
	}
	core_conflict_look(c, out, group);
	changes = core_retire_look(c, out, group);
	if (!changes && look_resources(c, out, group))
		return;
	wanted = changes || waits(c, group) || !is_cause_told(c, group) ? 0 : core_wanted(c, group);
	if (wanted != 0 && wanted != c->conf.self &&
	    core_node_const(c, wanted)->state == YOKE_NODE_ONLINE &&
	    core_node_const(c, wanted)->claim[group - 1].ready && granted(c, group, wanted)) {
		hand_over(c, out, group, wanted);
		return;
	}
	if (yoke_time_due(g->announce_at, c->now))
		core_conflict_announce(c, out, group);
}

static void in_failed(struct core *c, struct core_actions *out, uint16_t group)
{
	if (yoke_time_due(group_at(c, group)->retry_at, c->now))
		core_group_become(c, out, group, YOKE_GROUP_STOPPED, YOKE_EVENT_NONE,
				  "may be tried again");
}

/* ---- the machine ---- */

static void track_owner(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = group_at(c, group);
	uint16_t owner = core_owner(c, group);

	if (owner != 0 && owner != c->conf.self)
		core_policy_pin(c, group, false);
	if (owner == 0 || owner == g->owner || c->conf.group[group - 1].parallel)
		return;
	if (g->owner != 0)
		g->moves++;
	g->owner = owner;
	g->owner_since = c->now;
	if (owner != c->conf.self) {
		struct yoke_event *ev = core_event(c, out, YOKE_EVENT_GROUP_OWNER, "");

		ev->group = group;
		ev->node = owner;
	}
}

/* Only what safety asks for. */
static void look_started_at_rest(struct core *c, struct core_actions *out, uint16_t group)
{
	const char *why = core_lease_binds(c, group) && !core_lease_holds(c) ? core_lease_reason
			  : c->leaving ? "the engine is being stopped"
				       : NULL;

	if (core_conflict_winner(c, group) != 0) {
		core_group_lose(c, out, group, core_conflict_winner(c, group));
	} else if (why != NULL && !core_maintenance_keeps(c, group)) {
		core_group_stop(c, out, group, false, why);
	} else {
		core_policy_started(c, group, false);
		core_conflict_look(c, out, group);
		if (yoke_time_due(group_at(c, group)->announce_at, c->now))
			core_conflict_announce(c, out, group);
	}
}

/* Returns false when what is under way goes on as ever. */
static bool look_at_rest(struct core *c, struct core_actions *out, uint16_t group)
{
	switch (group_at(c, group)->state) {
	case YOKE_GROUP_STARTED:
		look_started_at_rest(c, out, group);
		return true;
	case YOKE_GROUP_STOPPED:
	case YOKE_GROUP_FAILED:
	case YOKE_GROUP_HELD:
		core_prepare_drop(c, out, group);
		group_at(c, group)->retry_at = YOKE_NEVER;
		group_at(c, group)->prepare_at = YOKE_NEVER;
		return true;
	default:
		return false;
	}
}

void core_group_look(struct core *c, struct core_actions *out, uint16_t group)
{
	core_stop_forget(c, group);
	if (core_maintenance_rests(c, group) && look_at_rest(c, out, group)) {
		track_owner(c, out, group);
		return;
	}
	switch (group_at(c, group)->state) {
	case YOKE_GROUP_UNKNOWN:
		core_adopt_look(c, out, group);
		break;
	case YOKE_GROUP_STOPPED:
	case YOKE_GROUP_HELD:
		in_stopped(c, out, group);
		break;
	case YOKE_GROUP_STARTING:
		in_starting(c, out, group);
		break;
	case YOKE_GROUP_STARTED:
		in_started(c, out, group);
		break;
	case YOKE_GROUP_STOPPING:
		core_stop_look(c, out, group);
		break;
	case YOKE_GROUP_FAILED:
		in_failed(c, out, group);
		break;
	}
	track_owner(c, out, group);
}

void core_group_doubt(struct core *c, uint16_t group, uint32_t after_ms)
{
	const struct core_group *g = group_at(c, group);

	if (g->state == YOKE_GROUP_STARTED || g->state == YOKE_GROUP_STARTING || g->restarting)
		group_at(c, group)->announce_at = yoke_time_add_ms(c->now, after_ms);
}

void core_group_forgive(struct core *c, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++) {
		core_resource_of(c, group, i)->restart_count = 0;
		core_resource_of(c, group, i)->fatal = false;
	}
	if (group_at(c, group)->failures > 0)
		core_record_touch(c);
	group_at(c, group)->failures = 0;
	if (group_at(c, group)->state == YOKE_GROUP_FAILED)
		group_at(c, group)->retry_at = c->now;
}

yoke_time core_group_deadline(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];
	yoke_time t = yoke_time_min(g->retry_at, g->prepare_at);

	t = yoke_time_min(t, core_stop_deadline(c, group));
	if (g->state == YOKE_GROUP_STARTED)
		t = yoke_time_min(t, g->announce_at);
	if (c->leaving && !c->left && g->state == YOKE_GROUP_STARTED && !must_leave_now(c))
		t = yoke_time_min(t, must_leave_at(c));
	return t;
}

const char *core_group_check(const struct core *c, uint16_t group)
{
	const struct core_group *g = &c->group[group - 1];
	bool stopped = g->state == YOKE_GROUP_STOPPED || g->state == YOKE_GROUP_HELD ||
		       g->state == YOKE_GROUP_FAILED;

	if ((g->state == YOKE_GROUP_STARTING || g->state == YOKE_GROUP_STARTED) &&
	    (g->term == 0 || g->term > g->reserved))
		return "a group runs at a term that was not durable";
	if (g->conflict != 0 && g->state != YOKE_GROUP_STARTED && g->state != YOKE_GROUP_STARTING &&
	    !g->restarting)
		return "a conflict of a group that is not started";
	if (g->restarting && g->state != YOKE_GROUP_STOPPING)
		return "a group that is restarted and not being stopped for it";
	for (uint16_t i = 0; stopped && i < core_resource_count(c, group); i++) {
		enum yoke_resource_state s = c->resource[core_resource_at(c, group, i) - 1].state;

		if (core_is_member(c, group, c->conf.self) &&
		    (s == YOKE_RESOURCE_STARTED || s == YOKE_RESOURCE_STARTING))
			return "a stopped group has a resource that runs";
	}
	return NULL;
}
