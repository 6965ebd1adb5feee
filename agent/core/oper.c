/* Operators' requests, and the operations that they become.
 *
 * An operation lives on the node that took the request; it is told to all with that node's state.
 * While it runs, core_wanted() of its groups is its target: that is its only effect, so nothing is
 * left behind when it ends, however it ends.  A node has at most one running operation, a group at
 * most one that moves it: of two that were accepted on different nodes in the same instant the
 * lower number goes on, and the other fails.
 *
 *   request --refused--> REQUEST_REFUSED
 *      | accepted
 *      v
 *   RUNNING --aim reached--> SUCCEEDED
 *      +--out of reach, or deadline--> FAILED
 */
#include <string.h>

#include "agent/core/parts.h"

enum { NUMBER_SHIFT = 24, COUNT_MASK = (1 << NUMBER_SHIFT) - 1 };

static struct core_operation *running(struct core *c)
{
	return &core_node(c, c->conf.self)->operation;
}

/* Where an operation wants the group; 0: it does not move this group. */
static uint16_t target_of(const struct core *c, const struct core_operation *op, uint16_t group)
{
	if (op->number == 0 || op->state != YOKE_OPERATION_RUNNING)
		return 0;
	if (op->verb == YOKE_VERB_SWITCH && op->group == group)
		return op->node;
	if (op->verb == YOKE_VERB_FAILBACK &&
	    (op->group == group || (op->group == 0 && !c->conf.group[group - 1].parallel)))
		return c->conf.group[group - 1].node[0];
	return 0;
}

const struct core_operation *core_oper_of(const struct core *c, uint16_t group, uint16_t *target)
{
	const struct core_operation *found = NULL;

	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);
		uint16_t to = target_of(c, &node->operation, group);

		if (to == 0 || !core_node_alive(node) ||
		    (found != NULL && found->number < node->operation.number))
			continue;
		found = &node->operation;
		*target = to;
	}
	return found;
}

const struct core_operation *core_oper_here(const struct core *c, uint16_t group)
{
	uint16_t target = 0;
	const struct core_operation *op = core_oper_of(c, group, &target);

	return target == c->conf.self ? op : NULL;
}

/* ---- history ---- */

/* NULL: it is not remembered. */
static struct core_operation *past_of(struct core *c, uint32_t number)
{
	for (uint32_t i = 0; i < c->history_count && i < YOKE_OPERATIONS_MAX; i++)
		if (c->history[i].number == number)
			return &c->history[i];
	return NULL;
}

static void remember(struct core *c, const struct core_operation *op)
{
	struct core_operation *past = past_of(c, op->number);

	if (past == NULL)
		past = &c->history[c->history_count++ % YOKE_OPERATIONS_MAX];
	*past = *op;
}

static void tell(struct core *c, struct core_actions *out, enum yoke_event_kind kind,
		 const struct core_operation *op, const char *reason)
{
	struct yoke_event *ev = core_event(c, out, kind, reason);

	ev->group = op->group;
	ev->peer = op->node;
	ev->verb = (uint16_t)op->verb;
	ev->origin = (uint16_t)op->origin;
	ev->value = op->number;
}

/* A node tells of one operation, and runs one: what ran there before it has ended.  On a slow path
 * the news of that may have been passed over for newer ones. */
static void forget_running(struct core *c, const struct core_operation *next)
{
	for (uint32_t i = 0; i < c->history_count && i < YOKE_OPERATIONS_MAX; i++) {
		struct core_operation *past = &c->history[i];

		if (past->number >> 24 != next->number >> 24 || past->number == next->number ||
		    past->state != YOKE_OPERATION_RUNNING)
			continue;
		past->state = YOKE_OPERATION_UNKNOWN;
		past->ended = c->now;
		core_text(past->reason, sizeof(past->reason), "it has ended; how was not told",
			  (char *)NULL);
	}
}

void core_oper_forget(struct core *c, uint16_t node)
{
	forget_running(c, &(struct core_operation){.number = (uint32_t)node << NUMBER_SHIFT});
}

void core_oper_told(struct core *c, const struct core_operation *op)
{
	const struct core_operation *past = past_of(c, op->number);
	struct core_operation mine = *op;
	/* One that runs after it ended is another: its engine had forgotten the number. */
	bool is_new = past == NULL || (past->state != YOKE_OPERATION_RUNNING &&
				       op->state == YOKE_OPERATION_RUNNING);

	forget_running(c, op);
	if (!is_new && past->state == op->state)
		return;
	if (!is_new)
		mine.started = past->started;
	if (op->state != YOKE_OPERATION_RUNNING)
		mine.ended = c->now;
	if (is_new && op->verb == YOKE_VERB_ONLINE && op->node == c->conf.self &&
	    op->state == YOKE_OPERATION_RUNNING && c->hold[0] != '\0') {
		c->hold[0] = '\0';
		core_record_touch(c);
	}
	if (is_new && op->verb == YOKE_VERB_ONLINE && op->node == c->conf.self)
		for (uint16_t g = 1; g <= c->conf.group_count; g++)
			core_group_forgive(c, g);
	remember(c, &mine);
}

/* ---- requests ---- */

static enum yoke_verdict judge_node(const struct core *c, uint16_t group, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);
	enum core_cause cause =
		node == c->conf.self ? core_cause_self(c, group) : n->claim[group - 1].cause;

	if (node != c->conf.self && n->state != YOKE_NODE_ONLINE)
		return YOKE_E_NOT_READY;
	if (cause == CORE_CAUSE_DIFFERS)
		return YOKE_E_DIFFERS;
	return cause == CORE_CAUSE_NONE ? YOKE_OK : YOKE_E_NOT_READY;
}

static enum yoke_verdict judge_move(const struct core *c, uint16_t group, uint16_t node)
{
	uint16_t target, unproven = core_permit_unproven(c, group);

	if (!core_is_member(c, group, node))
		return YOKE_E_NOT_MEMBER;
	if (c->conf.group[group - 1].parallel)
		return YOKE_E_PARALLEL;
	if (core_maintenance_rests(c, group))
		return YOKE_E_MAINTENANCE;
	if (core_oper_of(c, group, &target) != NULL)
		return YOKE_E_BUSY;
	if (core_owner(c, group) != node && judge_node(c, group, node) != YOKE_OK)
		return judge_node(c, group, node);
	/* What is moved by people only waits for them before anybody is switched off for it. */
	if (core_owner(c, group) == 0 && unproven != 0 &&
	    (core_policy_held_for(c, group) == 0 || !core_fence_could(c, unproven)))
		return YOKE_E_NOT_READY;
	return YOKE_OK;
}

/* A stop that failed may never end: a person is needed, and must be let work. */
static bool is_stop_failing(const struct core *c, uint16_t group, uint16_t node)
{
	if (node == c->conf.self)
		return c->group[group - 1].stop_failures > 0;
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (core_node_const(c, node)->resource[core_resource_at(c, group, i) - 1] ==
		    YOKE_RESOURCE_FAILED)
			return true;
	return false;
}

/* Does a node stop it, and nothing is known to be wrong with that?  Then it ends by itself. */
static bool is_being_stopped(const struct core *c, uint16_t group)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_claim *claim = &core_node_const(c, n)->claim[group - 1];

		if (core_node_alive(core_node_const(c, n)) && claim->state == YOKE_GROUP_STOPPING &&
		    !claim->unsteady && !is_stop_failing(c, group, n))
			return true;
	}
	return false;
}

static enum yoke_verdict judge_standby(const struct core *c, uint16_t node)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		uint16_t target;

		if (core_oper_of(c, g, &target) != NULL)
			return YOKE_E_BUSY;
		if (core_is_member(c, g, node) && core_owner(c, g) != node &&
		    is_being_stopped(c, g) && core_candidate(c, g, node) == 0)
			return YOKE_E_BUSY;
		if (core_owner(c, g) == node && core_maintenance_rests(c, g))
			return YOKE_E_MAINTENANCE;
		if (core_owner(c, g) == node && !c->conf.group[g - 1].parallel &&
		    core_candidate(c, g, node) == 0)
			return YOKE_E_NOWHERE;
	}
	return YOKE_OK;
}

/* Of a node that has never been told it, and takes over, one would not expect it. */
static enum yoke_verdict judge_rest(const struct core *c, enum yoke_verb verb, uint16_t group,
				    uint16_t node)
{
	if (group > c->conf.group_count)
		return YOKE_E_NO_GROUP;
	if (node > c->conf.node_count)
		return YOKE_E_NO_NODE;
	if (c->save.failing)
		return YOKE_E_SAVE;
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_node_alive(core_node_const(c, n)) &&
		    !core_node_const(c, n)->extended)
			return YOKE_E_VERSION;
	/* It would rest where it is: nowhere. */
	for (uint16_t g = 1; verb == YOKE_VERB_MAINTENANCE && g <= c->conf.group_count; g++)
		if ((group == 0 || g == group) && (node == 0 || core_is_member(c, g, node)) &&
		    is_being_stopped(c, g))
			return YOKE_E_BUSY;
	return YOKE_OK;
}

static enum yoke_verdict judge(const struct core *c, const struct core_event *ev)
{
	uint16_t group = ev->u.operate.group, node = ev->u.operate.node;
	enum yoke_verdict verdict = YOKE_OK;
	bool all = ev->u.operate.verb == YOKE_VERB_FAILBACK && group == 0;

	if (c->leaving || core_node_const(c, c->conf.self)->operation.number != 0)
		return YOKE_E_BUSY;
	switch (ev->u.operate.verb) {
	case YOKE_VERB_SWITCH:
	case YOKE_VERB_FAILBACK:
		if (!all && (group < 1 || group > c->conf.group_count))
			return YOKE_E_NO_GROUP;
		if (ev->u.operate.verb == YOKE_VERB_SWITCH &&
		    (node < 1 || node > c->conf.node_count))
			return YOKE_E_NO_NODE;
		for (uint16_t g = 1; g <= c->conf.group_count && verdict == YOKE_OK; g++)
			if (g == group || (all && !c->conf.group[g - 1].parallel))
				verdict = judge_move(c, g,
						     ev->u.operate.verb == YOKE_VERB_SWITCH
							     ? node
							     : c->conf.group[g - 1].node[0]);
		return verdict;
	case YOKE_VERB_STANDBY:
	case YOKE_VERB_ONLINE:
		if (node < 1 || node > c->conf.node_count)
			return YOKE_E_NO_NODE;
		if (c->save.failing)
			return YOKE_E_SAVE;
		return ev->u.operate.verb == YOKE_VERB_STANDBY ? judge_standby(c, node) : YOKE_OK;
	case YOKE_VERB_CONFIRM_DOWN:
		if (node < 1 || node > c->conf.node_count)
			return YOKE_E_NO_NODE;
		if (core_node_const(c, node)->state != YOKE_NODE_LOST)
			return YOKE_E_IN_CONTACT;
		return core_arbiter_shows(c, node) ? YOKE_E_LIVES : YOKE_OK;
	case YOKE_VERB_MAINTENANCE:
	case YOKE_VERB_RESUME:
		return judge_rest(c, ev->u.operate.verb, group, node);
	case YOKE_VERB_UNKNOWN:
		break;
	}
	return YOKE_E_REQUEST;
}

static void set_intent(struct core *c, struct core_actions *out, uint16_t node, bool standby,
		       const char *reason)
{
	struct core_intent intent = c->intent[node - 1];

	if (node == c->conf.self && !standby) {
		c->hold[0] = '\0';
		for (uint16_t g = 1; g <= c->conf.group_count; g++)
			core_group_forgive(c, g);
	}
	if (intent.standby == standby)
		return;
	intent.version++;
	intent.standby = standby;
	core_node_intent(c, out, node, intent, reason);
}

/* His word holds for this silence: a node that is heard again is not down. */
static void confirm_down(struct core *c, struct core_actions *out, const struct core_operation *op)
{
	struct yoke_event *ev = core_event(c, out, YOKE_EVENT_NODE_CONFIRMED_DOWN, op->reason);

	ev->node = op->node;
	ev->origin = (uint16_t)op->origin;
	/* What a fence agent proved before needs nobody's word. */
	core_node(c, op->node)->proven_dead = true;
	core_node(c, op->node)->vouched_at = c->now;
}

static void set_rest(struct core *c, struct core_actions *out, const struct core_operation *op)
{
	unsigned index = core_maintenance_index(op->group, op->node);
	struct core_rest rest = c->rest[index];

	rest.version++;
	rest.on = op->verb == YOKE_VERB_MAINTENANCE;
	core_maintenance_set(c, out, index, rest, op->reason);
}

void core_oper_on_operate(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	enum yoke_verdict verdict = judge(c, ev);
	struct core_action *reply = core_act(out, CORE_REPLY);
	struct core_operation op = {.verb = ev->u.operate.verb,
				    .origin = ev->u.operate.origin,
				    .group = ev->u.operate.group,
				    .node = ev->u.operate.node,
				    .started = c->now};

	core_text(op.reason, sizeof(op.reason), ev->u.operate.reason, (char *)NULL);
	if (op.group > c->conf.group_count)
		op.group = 0;
	if (op.node > c->conf.node_count)
		op.node = 0;
	if (op.verb == YOKE_VERB_FAILBACK && op.group != 0)
		op.node = c->conf.group[op.group - 1].node[0];
	reply->u.reply.request = ev->u.operate.request;
	reply->u.reply.verdict = verdict;
	if (verdict != YOKE_OK) {
		tell(c, out, YOKE_EVENT_REQUEST_REFUSED, &op, yoke_verdict_advice(verdict));
		return;
	}
	c->operation_count = (c->operation_count + 1) & COUNT_MASK;
	op.number = (uint32_t)c->conf.self << NUMBER_SHIFT | c->operation_count;
	op.state = YOKE_OPERATION_RUNNING;
	op.deadline = yoke_time_add_ms(c->now, c->conf.operation_ms);
	op.version = c->version + 1;
	reply->u.reply.operation = op.number;
	*running(c) = op;
	remember(c, &op);
	c->dirty = true;
	core_record_touch(c);
	tell(c, out, YOKE_EVENT_OPERATION_STARTED, &op, op.reason);
	if (op.verb == YOKE_VERB_CONFIRM_DOWN)
		confirm_down(c, out, &op);
	if (op.verb == YOKE_VERB_STANDBY || op.verb == YOKE_VERB_ONLINE)
		set_intent(c, out, op.node, op.verb == YOKE_VERB_STANDBY, op.reason);
	if (op.verb == YOKE_VERB_MAINTENANCE || op.verb == YOKE_VERB_RESUME)
		set_rest(c, out, &op);
}

/* ---- outcome ---- */

/* NULL while the aim may still be reached, "" when it is, else why it cannot be. */
static const char *outcome_move(const struct core *c, const struct core_operation *op,
				uint16_t group)
{
	uint16_t to = target_of(c, op, group), target;
	const struct core_node *n = core_node_const(c, to);
	const struct core_operation *other = core_oper_of(c, group, &target);

	if (n->claim[group - 1].state == YOKE_GROUP_STARTED && core_owner(c, group) == to)
		return core_policy_stays(c, group) ? "" : NULL;
	if (other != NULL && other->number < op->number)
		return "another operation on the group was first";
	if (!core_node_alive(n))
		return "its target fell silent";
	if (n->claim[group - 1].state == YOKE_GROUP_FAILED)
		return "it could not be started there";
	if (n->claim[group - 1].cause != CORE_CAUSE_NONE && to != core_owner(c, group))
		return core_cause_text(n->claim[group - 1].cause);
	return NULL;
}

/* Does the node still look whether it runs the group? */
static bool is_looked_for(const struct core *c, uint16_t group, uint16_t node)
{
	return core_node_const(c, node)->claim[group - 1].state == YOKE_GROUP_UNKNOWN &&
	       core_is_member(c, group, node) && !core_maintenance_rests(c, group);
}

/* Does the node still run a group that it should give away, or may it? */
static bool is_left_on(const struct core *c, uint16_t group, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);

	if (!core_node_alive(n))
		return false;
	if (is_looked_for(c, group, node))
		return !core_config_group_differs(c, node, group);
	return c->conf.group[group - 1].parallel ? core_claim_runs(&n->claim[group - 1])
						 : core_owner(c, group) == node;
}

static bool all_know(const struct core *c, const struct core_operation *op)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_node_alive(core_node_const(c, n)) &&
		    core_node_const(c, n)->acked < op->version)
			return false;
	return true;
}

/* Of several groups one that is held ends it when nothing more can be done for the others. */
static const char *outcome_moves(const struct core *c, const struct core_operation *op)
{
	const char *held = "";

	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		const char *one = target_of(c, op, g) != 0 ? outcome_move(c, op, g) : "";

		if (one == NULL && target_of(c, op, g) == c->conf.self)
			one = held = core_held_refusal(c, g);
		else if (one == NULL || one[0] != '\0')
			return one;
		if (one == NULL)
			return NULL;
	}
	return held;
}

static const char *outcome(const struct core *c, const struct core_operation *op)
{
	const struct core_node *n;

	switch (op->verb) {
	case YOKE_VERB_SWITCH:
	case YOKE_VERB_FAILBACK:
		return outcome_moves(c, op);
	case YOKE_VERB_STANDBY:
		for (uint16_t g = 1; g <= c->conf.group_count; g++)
			if (is_left_on(c, g, op->node))
				return NULL;
		/* fallthrough */
	case YOKE_VERB_ONLINE:
		n = core_node_const(c, op->node);
		if (op->node == c->conf.self || !core_node_alive(n))
			return "";
		return n->acked >= op->version ? "" : NULL;
	case YOKE_VERB_CONFIRM_DOWN:
		return "";
	case YOKE_VERB_MAINTENANCE:
	case YOKE_VERB_RESUME:
		return all_know(c, op) ? "" : NULL;
	case YOKE_VERB_UNKNOWN:
		break;
	}
	return "unknown verb";
}

static const char *out_of_time(const struct core *c, const struct core_operation *op)
{
	if (c->save.failing)
		return "not done in time; what this node promises cannot be saved: see its disk";
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (core_node_alive(core_node_const(c, n)) && core_node_const(c, n)->trouble.save)
			return "not done in time; what another node promises cannot be saved: see "
			       "its disk";
	return op->verb == YOKE_VERB_STANDBY ? "not done in time; the node stays in standby"
					     : "not done in time; nothing is left pending";
}

void core_oper_look(struct core *c, struct core_actions *out)
{
	struct core_operation *op = running(c);
	const char *end;
	char reason[YOKE_REASON_SIZE], number[21];

	if (op->number == 0)
		return;
	end = outcome(c, op);
	if (end == NULL && yoke_time_due(op->deadline, c->now))
		end = out_of_time(c, op);
	if (end == NULL)
		return;
	op->ended = c->now;
	op->state = end[0] == '\0' ? YOKE_OPERATION_SUCCEEDED : YOKE_OPERATION_FAILED;
	if (end[0] == '\0')
		core_text(reason, sizeof(reason), "done after ",
			  core_number((uint64_t)(yoke_time_span_us(op->started, c->now) / 1000),
				      number),
			  " ms", (char *)NULL);
	else
		core_text(reason, sizeof(reason), end, (char *)NULL);
	core_text(op->reason, sizeof(op->reason), reason, (char *)NULL);
	tell(c, out,
	     op->state == YOKE_OPERATION_SUCCEEDED ? YOKE_EVENT_OPERATION_SUCCEEDED
						   : YOKE_EVENT_OPERATION_FAILED,
	     op, reason);
	remember(c, op);
	memset(op, 0, sizeof(*op));
	c->dirty = true;
}
