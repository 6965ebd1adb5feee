/* What a node says to others: is it true, and on its disk, when it says so? */
#include <string.h>

#include "agent/core/parts.h"
#include "tests/sim/world.h"

/* Who reads what the engine of a node saves: one like it. */
static struct core readers[YOKE_NODES_MAX];

void sim_check_promise_start(struct sim_world *w, uint16_t node)
{
	struct sim_check_promise *k = w->check.promise[node - 1];

	readers[node - 1].conf = w->node[node - 1].conf;
	for (unsigned g = 0; g < SIM_CHECK_GROUPS_MAX; g++) {
		k[g].heard_term = 0;
		/* A grant that was not saved was told to nobody. */
		k[g].reserved = k[g].disk_reserved;
	}
	if (!w->node[node - 1].disk_broken)
		return;
	w->check.record_lost = true;
	memset(k, 0, sizeof(w->check.promise[0]));
	memset(w->check.disk_rest[node - 1], 0, sizeof(w->check.disk_rest[0]));
}

static void note_promises(struct sim_world *w, uint16_t node, const struct core *reader)
{
	for (uint16_t g = 0; g < w->setup.group_count; g++) {
		struct sim_check_promise *k = &w->check.promise[node - 1][g];

		k->disk_to = reader->group[g].grant_to;
		k->disk_term = reader->group[g].grant_term;
		if (k->disk_to != 0 && k->disk_term == k->granted_term)
			k->disk_reserved = k->reserved;
	}
	memcpy(w->check.disk_rest[node - 1], reader->rest, sizeof(reader->rest));
}

/* What can be read from the disk is what is durable, whatever the core believes. */
void sim_check_disk(struct sim_world *w, uint16_t node)
{
	struct core *reader = &readers[node - 1];
	struct sim_node *n = &w->node[node - 1];

	/* Of what a record holds this is looked at. */
	memset(reader->group, 0, SIM_CHECK_GROUPS_MAX * sizeof(reader->group[0]));
	memset(reader->rest, 0, sizeof(reader->rest));
	if (!core_record_get(reader, n->record, n->record_size)) {
		sim_world_fail(w, "%s saved a record that it cannot read", sim_world_name(w, node));
		return;
	}
	note_promises(w, node, reader);
	for (unsigned g = 0; g < w->setup.group_count; g++) {
		if (reader->group[g].reserved < w->check.disk_term[node - 1][g])
			sim_world_fail(w, "the term of group%u falls on the disk of %s", g + 1,
				       sim_world_name(w, node));
		w->check.disk_term[node - 1][g] = reader->group[g].reserved;
	}
}

/* Who lets another one run a group must know of it after a crash, and must not have asked for it
 * itself with what it may have reserved before. */
static void check_grant(struct sim_world *w, uint16_t node, uint16_t g)
{
	const struct core *core = &w->node[node - 1].core;
	const struct core_group *group = &core->group[g];
	const struct core_claim *claim = &core->node[node - 1].claim[g];
	struct sim_check_promise *k = &w->check.promise[node - 1][g];

	if (claim->grant_to != 0 &&
	    (claim->grant_to != k->disk_to || claim->grant_term != k->disk_term))
		sim_world_fail(w, "%s grants %s at term %llu, and that is not on its disk",
			       sim_world_name(w, node), w->names.group[g],
			       (unsigned long long)claim->grant_term);
	if (group->grant_to != 0 && group->grant_term != k->granted_term &&
	    !core_claim_runs(&(struct core_claim){.state = group->state}))
		k->reserved = group->reserved;
	k->granted_term = group->grant_to != 0 ? group->grant_term : 0;
	if (claim->request != 0 && claim->request <= k->reserved)
		sim_world_fail(w, "%s asks for %s at term %llu, which it gave up",
			       sim_world_name(w, node), w->names.group[g],
			       (unsigned long long)claim->request);
}

static void check_goodbye(struct sim_world *w, uint16_t node)
{
	if (!w->node[node - 1].core.left)
		return;
	for (unsigned r = 0; r < w->names.resource_count; r++)
		if (w->node[node - 1].address[r])
			sim_world_fail(w, "%s says goodbye and runs %s", sim_world_name(w, node),
				       w->names.resource[r]);
}

/* What people said of maintenance is on the disk, or on its way there. */
static void check_rests(struct sim_world *w, uint16_t node)
{
	const struct core *core = &w->node[node - 1].core;
	const struct core_rest *disk = w->check.disk_rest[node - 1];

	for (unsigned i = 0;
	     i < core_maintenance_count(core) && core->save.version == core->save.durable; i++)
		if (core->rest[i].version != disk[i].version || core->rest[i].on != disk[i].on)
			sim_world_fail(w, "%s does not save what is in maintenance",
				       sim_world_name(w, node));
}

/* Does it go by a lease that has run out? */
static bool goes_by_leases(const struct core *core, uint16_t node)
{
	return !core->promised &&
	       (!core_fence_is_configured(core) || core_node_const(core, node)->seen);
}

/* Who counts a node as lost renewed its lease last before that, and knows when it has ended.  But
 * what was said to be off, or had left, gets a lease's time when it is heard again.
 */
static void check_renewal(struct sim_world *w, uint16_t node, uint16_t by)
{
	const struct core *core = &w->node[node - 1].core, *other = &w->node[by - 1].core;
	const struct core_node *n = core_node_const(core, by);
	yoke_time *graced_until = &w->check.graced_until[node - 1][by - 1];
	int64_t lease_us = (int64_t)w->setup.lease_ms * 1000;
	yoke_time lost, until;

	if (core_lease_is_used(core) && n->state == YOKE_NODE_LEFT && w->node[by - 1].engine &&
	    goes_by_leases(other, node))
		sim_world_fail(w, "%s said goodbye to %s, and goes by leases",
			       sim_world_name(w, by), sim_world_name(w, node));
	if (n->state == YOKE_NODE_LEFT || n->proven_dead)
		*graced_until = yoke_time_add_us(w->now, lease_us + lease_us / 50);
	if (sim_world_in_force(w, *graced_until))
		return;
	if (!core_lease_is_used(core) || !w->node[by - 1].engine ||
	    other->node[node - 1].state != YOKE_NODE_LOST || !goes_by_leases(other, node))
		return;
	lost = sim_node_world(w, by, other->node[node - 1].lost_at);
	until = sim_node_world(w, node, n->renewed_until);
	if (sim_world_in_force(w, until) &&
	    yoke_time_before(yoke_time_add_us(lost, lease_us + lease_us / 100 + 1000), until))
		sim_world_fail(w, "the lease of %s goes on to %.4f, and %s lost it at %.4f",
			       sim_world_name(w, node), (double)until.us / 1e6,
			       sim_world_name(w, by), (double)lost.us / 1e6);
}

static bool has_lock(const struct sim_world *w, unsigned arbiter, uint16_t node)
{
	const struct sim_arbiter *a = &w->arbiter[arbiter];
	int64_t lease_us = (int64_t)w->setup.lease_ms * 1010;

	if (w->setup.arbiter[arbiter] == YOKE_ARBITER_TYPE_WITNESS)
		return a->holder == node && yoke_time_span_us(a->renewed_at, w->now) < lease_us;
	return a->slot[node - 1].state == CORE_SLOT_HELD &&
	       yoke_time_span_us(a->held_at[node - 1][0], w->now) < lease_us;
}

static bool has_locks(const struct sim_world *w, uint16_t node)
{
	unsigned locks = 0, held = 0;

	for (unsigned a = 0; a < w->setup.arbiter_count; a++) {
		if (w->setup.arbiter[a] != YOKE_ARBITER_TYPE_WITNESS &&
		    w->setup.arbiter[a] != YOKE_ARBITER_TYPE_DISK)
			continue;
		locks++;
		held += has_lock(w, a, node);
	}
	return held > locks / 2;
}

/* What was said before a silence is not gone by after it. */
void sim_check_promise_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev)
{
	const struct sim_node *other = &w->node[ev->node - 1];
	struct sim_check_words *words = &w->check.words[node - 1][ev->node - 1];

	if (ev->kind == YOKE_EVENT_NODE_LOST)
		*words =
			(struct sim_check_words){other->core.conf.incarnation, other->core.version};
	if (ev->kind == YOKE_EVENT_NODE_ONLINE &&
	    words->incarnation == other->core.conf.incarnation &&
	    w->node[node - 1].core.node[ev->node - 1].told < words->version)
		sim_world_fail(w, "%s goes by what %s said before a silence",
			       sim_world_name(w, node), sim_world_name(w, ev->node));
}

void sim_check_promise_begin(struct sim_world *w, uint16_t node, uint16_t group)
{
	const struct core *core = &w->node[node - 1].core;

	if (!w->check.record_lost &&
	    core->group[group - 1].term <= w->check.promise[node - 1][group - 1].heard_term)
		sim_world_fail(
			w, "%s starts group%u at term %llu, which is not above what it was told",
			sim_world_name(w, node), group,
			(unsigned long long)core->group[group - 1].term);
	if (!sim_world_is_exclusive(w, group) || sim_world_policy(w, group)->parallel)
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (core->node[n - 1].state == YOKE_NODE_LOST && !core->node[n - 1].proven_dead &&
		    !has_locks(w, node))
			sim_world_fail(w, "%s takes group%u from %s, which is only silent",
				       sim_world_name(w, node), group, sim_world_name(w, n));
}

static void note_terms(struct sim_world *w, uint16_t node)
{
	const struct core *core = &w->node[node - 1].core;

	for (uint16_t n = 0; n < w->setup.node_count; n++)
		for (uint16_t g = 0; g < w->setup.group_count; g++) {
			uint64_t *heard = &w->check.promise[node - 1][g].heard_term;

			if (n + 1 != node && core->node[n].claim[g].term > *heard)
				*heard = core->node[n].claim[g].term;
		}
}

void sim_check_promise_after(struct sim_world *w, uint16_t node)
{
	check_rests(w, node);
	note_terms(w, node);
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node)
			check_renewal(w, node, n);
	for (uint16_t g = 0; g < w->setup.group_count; g++)
		check_grant(w, node, g);
	check_goodbye(w, node);
}

/* Has the node renewed its lock in time, and not yet let it lapse?  Not one that it got after
 * others may have asked for what they go by now. */
static bool holds(const struct sim_world *w, const struct sim_arbiter *a, uint16_t node)
{
	int64_t lease_us = (int64_t)w->setup.lease_ms * 980;
	const yoke_time *at = a->held_at[node - 1];

	return a->slot[node - 1].state == CORE_SLOT_HELD &&
	       yoke_time_span_us(at[0], w->now) < lease_us &&
	       yoke_time_span_us(at[1], at[0]) < lease_us &&
	       yoke_time_span_us(at[1], w->now) > lease_us * 52 / 100;
}

/* A claim makes who holds the lock give it up. */
void sim_check_promise_claim(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	const struct sim_arbiter *disk = &w->arbiter[a->u.ask.arbiter - 1];

	if (a->u.ask.kind != CORE_ASK_WRITE || a->u.ask.slot.state != CORE_SLOT_CLAIM)
		return;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node && holds(w, disk, n))
			sim_world_fail(w, "%s claims the disk, which %s holds",
				       sim_world_name(w, node), sim_world_name(w, n));
}

static bool some_are_away(const struct sim_world *w, uint16_t node)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++) {
		enum yoke_node_state state = w->node[node - 1].core.node[n - 1].state;

		if (n != node && state != YOKE_NODE_ONLINE && state != YOKE_NODE_LEFT)
			return true;
	}
	return false;
}

/* What runs by a lock does so before it is found, too. */
void sim_check_promise_release(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	const struct core *core = &w->node[node - 1].core;
	uint16_t one = 0;
	bool whole = false;

	if (a->u.ask.kind != CORE_ASK_RELEASE || core->leaving || !some_are_away(w, node))
		return;
	for (uint16_t g = 1; g <= w->setup.group_count; g++) {
		enum yoke_group_state state = core->group[g - 1].state;

		if (!sim_world_is_exclusive(w, g) || sim_world_policy(w, g)->parallel ||
		    (state != YOKE_GROUP_UNKNOWN && state != YOKE_GROUP_STARTED))
			continue;
		if (sim_check_holders(w, g - 1u, &one, &whole) == 1 && one == node && whole)
			sim_world_fail(w, "%s gives up the lock that group%u runs by",
				       sim_world_name(w, node), g);
	}
}
