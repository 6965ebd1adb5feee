/* agent/core/parts.h - what the parts of the core offer each other.
 *
 * Layer: core, pure; for agent/core/ only.  All take the core and, where they act, the actions of
 * the present step.  Groups and nodes are given by number (1..), as everywhere outside arrays.
 */
#ifndef AGENT_CORE_PARTS_H
#define AGENT_CORE_PARTS_H

#include "agent/base/buf.h"
#include "agent/core/core.h"

/* ---- core.c: shorthands and actions ---- */

struct core_node *core_node(struct core *c, uint16_t node);
const struct core_node *core_node_const(const struct core *c, uint16_t node);
bool core_is_member(const struct core *c, uint16_t group, uint16_t node);
/* 1.. for a member (1: preferred), 0 for a node that is not. */
uint16_t core_rank(const struct core *c, uint16_t group, uint16_t node);
/* The i-th resource of a group, 0..: its number, and its state here. */
uint16_t core_resource_at(const struct core *c, uint16_t group, uint16_t i);
struct core_resource *core_resource_of(struct core *c, uint16_t group, uint16_t i);
uint16_t core_resource_count(const struct core *c, uint16_t group);
/* In two-way contact, or only just silent. */
bool core_node_alive(const struct core_node *n);
/* Has everybody who is in contact applied our present state? */
bool core_all_told(const struct core *c);

/* Concatenate strings (last argument NULL) into dst, cut to its size. */
void core_text(char *dst, size_t size, ...);
/* Decimal digits of v in buf (21 bytes); returns buf. */
const char *core_number(uint64_t v, char buf[21]);

struct core_action *core_act(struct core_actions *out, enum core_action_type type);
/* Is a deadline over?  One that passed long ago did so while we did not run: what was waited for
 * may have come meanwhile and not been read yet, so it gets a little more time. */
bool core_is_over(const struct core *c, yoke_time *deadline);
/* Emit an event about ourselves; the caller fills the rest of what is returned. */
struct yoke_event *core_event(struct core *c, struct core_actions *out, enum yoke_event_kind kind,
			      const char *reason);

/* ---- node.c: membership ---- */

/* What a node says of itself and a group: since when it could take it for good. */
void core_node_fit(struct core *c, uint16_t node, uint16_t group, const struct core_claim *claim);
void core_node_on_path(struct core *c, struct core_actions *out, const struct core_event *ev);
/* A payload of a node's new or old incarnation came; forgets what an older one said. */
void core_node_heard(struct core *c, uint16_t node, uint64_t incarnation);
/* Judge all nodes from their paths and words. */
void core_node_look(struct core *c, struct core_actions *out);
/* Was it ever online for us, or for the engine whose place we took? */
bool core_node_was_met(const struct core *c, uint16_t node);
/* What an engine that takes our place is to know. */
struct core_legacy core_node_legacy(const struct core *c);
/* Set what an operator wants of a node, if it is newer than what we know. */
void core_node_intent(struct core *c, struct core_actions *out, uint16_t node,
		      struct core_intent intent, const char *reason);

/* ---- version.c: which protocols the nodes speak ---- */

/* These raise or end the alarm.  A node's beat says which ones it speaks: */
void core_version_told(struct core *c, struct core_actions *out, uint16_t node, uint8_t min,
		       uint8_t max);
/* Of a silent one comes what cannot be opened, and says so: */
void core_version_foreign(struct core *c, struct core_actions *out, uint16_t node, uint8_t min,
			  uint8_t max);
/* It is heard: such frames are over. */
void core_version_heard(struct core *c, struct core_actions *out, uint16_t node);
/* The newest one that it and we speak; 0: none, or it has not told. */
uint8_t core_version_common(const struct core *c, uint16_t node);
/* It has told, and there is none: nothing of what it says may be taken for what it seems. */
bool core_version_is_strange(const struct core *c, uint16_t node);
/* It is strange, or nothing comes of it but what cannot be opened. */
bool core_version_is_alarm(const struct core *c, uint16_t node);
/* "it speaks protocol 3 to 4, we 1 to 2" */
void core_version_text(const struct core *c, uint16_t node, char reason[YOKE_REASON_SIZE]);

/* ---- config.c: is the others' configuration ours? ---- */

/* Digests of sections, as a state message has them. */
struct core_sections {
	bool known;
	uint32_t section[CORE_SECTIONS];
	uint32_t group[YOKE_GROUPS_MAX];
	uint16_t group_count;
};

/* What a node's state says of it; a change is an event. */
void core_config_told(struct core *c, struct core_actions *out, uint16_t node,
		      const uint8_t digest[CORE_DIGEST_SIZE], const struct core_sections *told);
/* May we reckon with a node's lease by our own configuration? */
bool core_config_lease_counts(const struct core *c, uint16_t node);
/* Of what it depends on in our own configuration. */
uint32_t core_config_lease_digest(const struct core *c);
/* false also when it has told nothing of its sections, and the whole differs. */
bool core_config_group_same(const struct core *c, uint16_t node, uint16_t group);
/* It has told, and it is another one there: both nodes know that. */
bool core_config_group_differs(const struct core *c, uint16_t node, uint16_t group);
/* Does it run the group, or may it, by its last words or by our grant? */
bool core_config_may_run(const struct core *c, uint16_t node, uint16_t group);
/* Is there a node with another configuration of the group that has more of a right to it? */
bool core_config_blocks(const struct core *c, uint16_t group);
/* "paths, group web": what differs; "" when nothing does. */
void core_config_text(const struct core *c, uint16_t node, char text[YOKE_REASON_SIZE]);

/* ---- retire.c: what another configuration will not have ---- */

void core_retire_take(struct core *c, const struct core_event *ev);
/* Why a group that runs must stop for it without anybody being ready; NULL: no need. */
const char *core_retire_reason(const struct core *c, uint16_t group);
/* Stop what is to go of a group that stays, and start what was added.  Returns false when there is
 * nothing to do or to wait for. */
bool core_retire_look(struct core *c, struct core_actions *out, uint16_t group);

/* ---- permit.c: who may run a group, and who should ---- */

/* May we start the group now?  why: NULL or set to a static text that says why (not). */
bool core_permit(const struct core *c, uint16_t group, const char **why);
/* The same before the others were asked: does nothing but their grant stand in the way? */
bool core_permit_askable(const struct core *c, uint16_t group);
/* The lost node that nothing proves to be dead, and that alone keeps us from an exclusive group; 0:
 * there is none. */
uint16_t core_permit_unproven(const struct core *c, uint16_t group);
/* The node that runs the group, by the words of all that are alive; 0: none. */
uint16_t core_owner(const struct core *c, uint16_t group);
/* The best eligible node but `except` (0: none); 0 when there is none. */
uint16_t core_candidate(const struct core *c, uint16_t group, uint16_t except);
/* Do people have the node do without it: by standby, a leave, or its file? */
bool core_is_sent_away(enum core_cause cause);
/* Could a node with this cause run a group at all? */
bool core_is_fit(enum core_cause cause);
/* The node that the group should be handed over to; 0: stays where it is. */
uint16_t core_wanted(const struct core *c, uint16_t group);
/* Why we would not take the group; NONE when we would. */
enum core_cause core_cause_self(const struct core *c, uint16_t group);
/* The highest term that anybody is known to have used. */
uint64_t core_term_highest(const struct core *c, uint16_t group);
/* Is the term that we have reserved above all that were used, and not given up? */
bool core_term_is_usable(const struct core *c, uint16_t group);
/* Does the claim (a node's) mean that something of the group may run there? */
bool core_claim_runs(const struct core_claim *claim);
/* Of two nodes that both run it: does `a` win over `b`? */
bool core_wins(const struct core *c, uint16_t group, uint16_t a, uint16_t b);
const char *core_cause_text(enum core_cause cause);

/* ---- policy.c: how people want their groups run ---- */

/* The parallel group that it comes after does not run here. */
bool core_policy_needs(const struct core *c, uint16_t group);
/* What it comes after is started. */
bool core_policy_may_follow(const struct core *c, uint16_t group);
/* Something that comes after it runs here. */
bool core_policy_is_needed(const struct core *c, uint16_t group);
/* It is to leave this node because the node is to be without it, and through no fault. */
bool core_policy_is_emptied(const struct core *c, uint16_t group);
/* The same, and something that comes after it goes first. */
bool core_policy_waits(const struct core *c, uint16_t group);
/* It must make room here. */
bool core_policy_yields(const struct core *c, uint16_t group);
/* Some node does not run it for no other reason than to make room. */
bool core_policy_made_room(const struct core *c, uint16_t group);
/* What should make room for it here does not stop: nobody waits for that. */
bool core_policy_lacks_room(const struct core *c, uint16_t group);
/* Nothing that makes room for it runs here any more. */
bool core_policy_has_room(const struct core *c, uint16_t group);
/* May it leave its owner, which has this cause? */
bool core_policy_may_leave(const struct core *c, uint16_t group, enum core_cause cause);
/* The node that a fault would move it from, and only a person may; 0: none. */
uint16_t core_policy_held_for(const struct core *c, uint16_t group);
/* The living node that it ran on last, if only people move it: it is started again there; 0: none
 * is known. */
uint16_t core_policy_home(const struct core *c, uint16_t group);
/* Was it there last, as far as we know?  If only people move it: not where it failed to start. */
bool core_policy_was_at(const struct core *c, uint16_t group, uint16_t node);
/* It is STARTED here: if all of it is, that is where it starts again.  What others tell of
 * themselves from before goes by no higher term, also where terms began anew: after a lost record,
 * or on the one of two that goes on after both had it.  just_now: it became so in this step. */
void core_policy_started(struct core *c, uint16_t group, bool just_now);
/* is_to_stay: whatever failback and the order of its nodes say; else another node has it. */
void core_policy_pin(struct core *c, uint16_t group, bool is_to_stay);
/* Is it as an operator's switchover to its owner has it? */
bool core_policy_stays(const struct core *c, uint16_t group);
/* Its first node, when it is to go back there by itself now; 0: it is not. */
uint16_t core_policy_failback(const struct core *c, uint16_t group);
yoke_time core_policy_deadline(const struct core *c);

/* ---- maintenance.c ---- */

/* Is it kept from starting anywhere: by its own maintenance, the cluster's, or where we ran it? */
bool core_maintenance_stays(const struct core *c, uint16_t group);
/* Is nothing done about the group here? */
bool core_maintenance_rests(const struct core *c, uint16_t group);
/* The same, whoever last ran it: not only because that node is in maintenance. */
bool core_maintenance_rests_here(const struct core *c, uint16_t group);
/* Does it go on running when the engine ends? */
bool core_maintenance_keeps(const struct core *c, uint16_t group);
/* What is in maintenance, for people; empty: nothing. */
void core_maintenance_text(const struct core *c, char text[YOKE_REASON_SIZE]);
/* How many of core.rest there are: behind the last group's none is used. */
unsigned core_maintenance_count(const struct core *c);
/* Index in core.rest: of a group, else of a node, else of the cluster. */
unsigned core_maintenance_index(uint16_t group, uint16_t node);
/* Set it, if it is newer than what we know.  out NULL: as it was saved, nobody is told. */
void core_maintenance_set(struct core *c, struct core_actions *out, unsigned index,
			  struct core_rest rest, const char *reason);
void core_maintenance_look(struct core *c, struct core_actions *out);

/* ---- ready.c: could the other node take over? ---- */

/* What is wrong with this node itself, for the others. */
void core_ready_trouble(const struct core *c, struct core_trouble *trouble);
/* The reasons why not, up to `max` of them in row[]; returns how many there are. */
unsigned core_ready_list(const struct core *c, struct yoke_snapshot_unready *row, unsigned max);
void core_ready_look(struct core *c, struct core_actions *out);
yoke_time core_ready_deadline(const struct core *c);

/* ---- jeopardy.c: is one path left, or only public ones? ---- */

void core_jeopardy_look(struct core *c, struct core_actions *out);
yoke_time core_jeopardy_deadline(const struct core *c);

/* ---- lease.c: until when we may run exclusive groups, and until when a silent node may ---- */

extern const char core_lease_reason[];
/* Does a lease end at all?  Only where a lock could give the groups to another node. */
bool core_lease_is_used(const struct core *c);
/* Until when exclusive groups may run here; YOKE_NEVER: no end is known. */
yoke_time core_lease_until(const struct core *c);
/* The same by the other nodes alone, without locks. */
yoke_time core_lease_by_nodes(const struct core *c);
/* May exclusive groups run here now? */
bool core_lease_holds(const struct core *c);
/* Must this group stop when our lease ends? */
bool core_lease_binds(const struct core *c, uint16_t group);
/* An exclusive group that is not probed yet, and may run: it did, or an engine before us ran what
 * is exclusive. */
bool core_lease_may_run(const struct core *c, uint16_t group);
/* Has it run out before it is known whether the group runs, as an engine before us may have left
 * it? */
bool core_lease_is_over_unknown(const struct core *c, uint16_t group);
/* When the lease of a silent node has certainly run out and what it ran has stopped, if we go on
 * holding the locks; YOKE_NEVER: we do not hold them, or may not go by them. */
yoke_time core_lease_over_at(const struct core *c, uint16_t node);
/* Until then the locks may still come to us, for this group of a silent node; in the past: do not
 * wait for them. */
yoke_time core_lease_patience(const struct core *c, uint16_t group, uint16_t node);
/* A beat that renews ours came from a node, an echo of what we sent at `echoed`. */
void core_lease_renewed(struct core *c, uint16_t node, yoke_time echoed);
/* The node's word counted for us, or was not needed, until now: its beats are to come. */
void core_lease_grace(struct core *c, uint16_t node);
/* It took a lock, or asked for one, not before `at`: who vouched for its death was wrong. */
void core_lease_lives(struct core *c, uint16_t node, yoke_time at);
/* A lock that is given for a lease was its each time that we asked, from `since` to `at`. */
void core_lease_has_lock(struct core *c, uint16_t node, yoke_time since, yoke_time at);
/* Forget what counts no longer when our lease is over, or this engine did not run for a lease:
 * before an event is taken that may renew it.  before: the time of the last step. */
void core_lease_lapse(struct core *c, yoke_time before);
void core_lease_look(struct core *c, struct core_actions *out);
/* Tell the keeper when what the watchdog is fed for has changed. */
void core_lease_tell(struct core *c, struct core_actions *out);
yoke_time core_lease_deadline(const struct core *c);

/* ---- arbiter.c: asking arbiters, and what they are worth ---- */

void core_arbiter_on_answer(struct core *c, struct core_actions *out, const struct core_event *ev);
void core_arbiter_look(struct core *c, struct core_actions *out);
yoke_time core_arbiter_deadline(const struct core *c);
bool core_arbiter_is_lock(const struct core *c, uint16_t arbiter);
/* Is it a lock, and do we want it (or want to keep it) now? */
bool core_arbiter_wants(const struct core *c, uint16_t arbiter);
/* Ask; the arbiter must not be busy with another question. */
void core_arbiter_ask(struct core *c, struct core_actions *out, uint16_t arbiter,
		      enum core_ask_kind kind, uint16_t node, const struct core_slot *slot);
/* Drop the question that is out. */
void core_arbiter_cancel(struct core *c, struct core_actions *out, uint16_t arbiter);
/* It is ours until then (0: no longer), or another's. */
void core_arbiter_held(struct core *c, struct core_actions *out, uint16_t arbiter, yoke_time until);
void core_arbiter_lost(struct core *c, struct core_actions *out, uint16_t arbiter, uint16_t holder,
		       const char *reason);
/* It is held and not wanted any more; the event says why. */
void core_arbiter_give_back(struct core *c, struct core_actions *out, uint16_t arbiter);
/* It did not do what it was asked. */
void core_arbiter_failed(struct core *c, struct core_actions *out, uint16_t arbiter,
			 const char *reason);
/* Until when a majority of the locks is ours; in the past: it is not. */
yoke_time core_arbiter_held_until(const struct core *c);
bool core_arbiter_holds(const struct core *c);
/* Fence: does it say that the node is off, tested while that is in contact?  Then what it says is
 * no proof, for which this is the reason. */
bool core_arbiter_is_wrong(const struct core *c, uint16_t arbiter, uint16_t node);
/* An engine before us has found that, of these nodes (bit n - 1). */
void core_arbiter_inherit(struct core_arbiter *a, uint8_t wrong);
extern const char core_arbiter_wrong[];
/* Does any lock answer? */
bool core_arbiter_answers(const struct core *c);
/* Has one of them just shown that the node has it? */
bool core_arbiter_shows(const struct core *c, uint16_t node);
/* No reference address answers. */
bool core_arbiter_deaf(const struct core *c);
/* And the others in contact have had the time to find out, and to tell, whether they are, too. */
bool core_arbiter_deaf_alone(const struct core *c);
/* Has one answered within the dead time, to what was asked in it?  Where there are none, yes. */
bool core_arbiter_hears(const struct core *c);

/* ---- disk.c: the lock on a shared disk ---- */

/* Take a step towards having the lock (want) or not having it. */
void core_disk_look(struct core *c, struct core_actions *out, uint16_t arbiter, bool want);
/* While nothing is wrong, and the lock is not wanted. */
void core_disk_test(struct core *c, struct core_actions *out, uint16_t arbiter);
void core_disk_on_answer(struct core *c, struct core_actions *out, uint16_t arbiter,
			 const struct core_event *ev);

/* ---- fence.c: switching a silent node off ---- */

bool core_fence_is_configured(const struct core *c);
void core_fence_look(struct core *c, struct core_actions *out);
/* Does an arbiter's answer belong to fencing?  If so it is dealt with. */
bool core_fence_on_answer(struct core *c, struct core_actions *out, uint16_t arbiter,
			  const struct core_event *ev);
yoke_time core_fence_deadline(const struct core *c);
/* Could it be switched off, if it were needed? */
bool core_fence_could(const struct core *c, uint16_t node);
/* Is the node's fencing under way, so that it may still be proven dead? */
bool core_fence_goes_on(const struct core *c, uint16_t node);

/* ---- grant.c: who may run an exclusive group, by the word of the others ---- */

/* Grant it (node 0: to nobody).  Returns true when that is on disk. */
bool core_grant_to(struct core *c, uint16_t group, uint16_t node, uint64_t term);
bool core_grant_is_durable(const struct core *c, uint16_t group);
/* End grants that are over, give one that is asked for. */
void core_grant_look(struct core *c, uint16_t group);
/* What we tell the others: our grant once it is on disk, and what we ask for. */
void core_grant_publish(const struct core *c, uint16_t group, struct core_claim *claim);

/* ---- group.c: the state machine of a group on this node ---- */

void core_group_look(struct core *c, struct core_actions *out, uint16_t group);
/* The only place that assigns a group's state. */
void core_group_become(struct core *c, struct core_actions *out, uint16_t group,
		       enum yoke_group_state to, enum yoke_event_kind kind, const char *reason);
/* Stop it here: it runs on that node, too, whose claim wins. */
void core_group_lose(struct core *c, struct core_actions *out, uint16_t group, uint16_t to);
/* Begin to stop it; failing: it will be FAILED. */
void core_group_stop(struct core *c, struct core_actions *out, uint16_t group, bool failing,
		     const char *reason);
/* It is stopped here, and would start if there were room. */
bool core_group_would_start(const struct core *c, uint16_t group);
/* Would we start it if the others let us? */
bool core_group_asks(const struct core *c, uint16_t group);
/* Others may have forgotten a started group's addresses: announce them in after_ms (0: now). */
void core_group_doubt(struct core *c, uint16_t group, uint32_t after_ms);
/* Forget failures, so that it may be tried again at once. */
void core_group_forgive(struct core *c, uint16_t group);
yoke_time core_group_deadline(const struct core *c, uint16_t group);
const char *core_group_check(const struct core *c, uint16_t group);

/* ---- reason.c: why, in words for people ---- */

/* Of a start; why: as core_permit() says it. */
void core_reason_start(const struct core *c, uint16_t group, const char *why,
		       char text[YOKE_REASON_SIZE]);
/* Of a handover by us, which have that cause. */
const char *core_reason_move(const struct core *c, uint16_t group, enum core_cause cause);

/* ---- stop.c ---- */

void core_stop_look(struct core *c, struct core_actions *out, uint16_t group);
/* It failed here lately. */
bool core_stop_is_unsteady(const struct core *c, uint16_t group);
/* Forget its failures, when the last one was long ago. */
void core_stop_forget(struct core *c, uint16_t group);
/* When one of these changes; YOKE_NEVER: it has not failed. */
yoke_time core_stop_deadline(const struct core *c, uint16_t group);

/* ---- adopt.c: what runs here already ---- */

/* Probe it anew. */
void core_adopt_begin(struct core *c, struct core_actions *out, uint16_t group);
/* In UNKNOWN: probe, then take over what runs. */
void core_adopt_look(struct core *c, struct core_actions *out, uint16_t group);

/* ---- conflict.c: two nodes that run the same group ---- */

/* The other node in contact that runs it too and wins over us; 0: none. */
uint16_t core_conflict_winner(const struct core *c, uint16_t group);
/* Another node in contact that runs it too; 0: none. */
uint16_t core_conflict_other(const struct core *c, uint16_t group);
/* Tell that one runs it too, or no longer does. */
void core_conflict_look(struct core *c, struct core_actions *out, uint16_t group);
/* Announce all of the group's addresses. */
void core_conflict_announce(struct core *c, struct core_actions *out, uint16_t group);

/* ---- held.c: what a group is held for ---- */
/* The machine of a silent node answers, and no operator insists: it must not be started. */
bool core_held_back(const struct core *c, uint16_t group);
/* Hold it for that.  Asked at each look, the event is told once in a silence, or when it was not
 * held for that before. */
void core_held_answers(struct core *c, struct core_actions *out, uint16_t group);
/* Hold it, no probe is wanted: nothing will prove that node is dead; only a person may have what
 * ran on node moved. */
void core_held_unproven(struct core *c, struct core_actions *out, uint16_t group, uint16_t node);
void core_held_manual(struct core *c, struct core_actions *out, uint16_t group, uint16_t node);
/* Why an operation that wants it here does not have it started; NULL: it still may. */
const char *core_held_refusal(const struct core *c, uint16_t group);

/* ---- prepare.c: the conflict probe of a group ---- */

void core_prepare_begin(struct core *c, struct core_actions *out, uint16_t group);
/* Forget it; what is out is cancelled. */
void core_prepare_drop(struct core *c, struct core_actions *out, uint16_t group);
/* A probe of one of the group's resources ended. */
void core_prepare_on_result(struct core *c, struct core_actions *out, uint16_t group,
			    const struct core_event *ev);
void core_prepare_hwaddr_text(const uint8_t *hwaddr, char text[18]);

/* ---- resource.c: one operation at a time on a resource ---- */

/* timeout_ms: of a prepare; the others have theirs from the configuration (0).  A probe or start by
 * a program for which there is no place yet is not begun: ask again at the next look. */
void core_resource_run(struct core *c, struct core_actions *out, uint16_t resource,
		       enum core_run_kind kind, uint32_t timeout_ms);
void core_resource_cancel(struct core *c, struct core_actions *out, uint16_t resource);
void core_resource_on_result(struct core *c, struct core_actions *out, const struct core_event *ev);
void core_resource_on_news(struct core *c, struct core_actions *out, const struct core_event *ev);
/* Look after what is started: monitors that are due. */
void core_resource_monitor(struct core *c, struct core_actions *out);
/* May it be started again here?  If so, that is counted. */
bool core_resource_may_restart(struct core *c, uint16_t resource);
/* Operations that did not end in time have failed. */
void core_resource_expire(struct core *c, struct core_actions *out);
yoke_time core_resource_deadline(const struct core *c);

/* ---- monitor.c: how many bad monitors are a failure ---- */

/* Count one; do they weigh enough now? */
bool core_monitor_fails(struct core *c, uint16_t resource, enum core_result result);
void core_monitor_forget(struct core *c, uint16_t resource);

/* ---- oper.c: operators and their operations ---- */

void core_oper_on_operate(struct core *c, struct core_actions *out, const struct core_event *ev);
/* A new engine runs there: what the one before it ran has ended. */
void core_oper_forget(struct core *c, uint16_t node);
/* Another node told of an operation of its own. */
void core_oper_told(struct core *c, const struct core_operation *op);
/* End our running operation when its aim is reached or out of reach. */
void core_oper_look(struct core *c, struct core_actions *out);
/* The operation that moves this group now, NULL: none.  Sets *target. */
const struct core_operation *core_oper_of(const struct core *c, uint16_t group, uint16_t *target);
/* The one that moves it to this node; NULL: none. */
const struct core_operation *core_oper_here(const struct core *c, uint16_t group);

/* ---- wire.c: what travels ---- */

/* Take a payload apart and apply it.  What does not parse is ignored as a whole. */
void core_wire_on_message(struct core *c, struct core_actions *out, const struct core_event *ev);
void core_wire_put_beat(const struct core *c, struct core_actions *out);
void core_wire_put_state(const struct core *c, struct core_actions *out);

/* ---- detail.c: the rest of the state message ---- */

/* What a message said beside its head and groups.  All by our numbering. */
struct core_detail {
	bool known;                             /* its yoke sends details at all */
	enum core_cause cause[YOKE_GROUPS_MAX]; /* NONE: as the group's claim says */
	bool unsteady[YOKE_GROUPS_MAX];
	bool tells_pins; /* its yoke knows of them */
	bool pinned[YOKE_GROUPS_MAX];
	bool tells_started; /* the same */
	uint64_t started_term[YOKE_GROUPS_MAX];
	struct core_trouble trouble;
	bool unwatched[YOKE_NODES_MAX];
	uint8_t failures[YOKE_GROUPS_MAX];
	struct core_rest rest[CORE_RESTS]; /* version 0: not told */
	struct core_operation operation;   /* number 0: none */
	struct core_sections sections;
	bool doubted[YOKE_NODES_MAX]; /* [number - 1]: its lease does not count */
};

uint32_t core_wire_hash(const char *name);
/* Verbs, causes that a yoke without details knows. */
bool core_detail_is_old_verb(enum yoke_verb verb);
enum core_cause core_detail_old_cause(enum core_cause cause);
void core_wire_put_operation(struct yoke_buf *b, const struct core_operation *op);
/* False when the message must be ignored; an operation that we do not know becomes none. */
bool core_wire_get_operation(const struct core *c, struct yoke_buf *b, uint16_t from,
			     struct core_operation *op);
void core_detail_put(const struct core *c, struct yoke_buf *b, const struct core_operation *op);
void core_detail_put_rests(const struct core *c, struct yoke_buf *b);
void core_detail_put_pins(const struct core *c, struct yoke_buf *b);
void core_detail_put_started(const struct core *c, struct yoke_buf *b);
void core_detail_put_failures(const struct core *c, struct yoke_buf *b);
void core_detail_put_unwatched(const struct core *c, struct yoke_buf *b);
void core_detail_put_doubts(const struct core *c, struct yoke_buf *b);
void core_detail_put_own(const struct core *c, struct yoke_buf *b);
bool core_detail_get(const struct core *c, struct yoke_buf *b, uint16_t from,
		     struct core_detail *detail);

/* ---- leave.c: an engine that is asked to end ---- */

void core_leave_begin(struct core *c, struct core_actions *out);
/* Once each other node has heard of this engine and is in contact: what was promised before the
 * last goodbye is kept. */
void core_leave_keep_promise(struct core *c);
/* Each step: the next thing on the way to the end. */
void core_leave_look(struct core *c, struct core_actions *out);
yoke_time core_leave_deadline(const struct core *c);

/* ---- record.c: what survives a restart ---- */

/* Returns false when the bytes are not a record. */
bool core_record_get(struct core *c, const uint8_t *bytes, size_t size);
/* Reserve terms, and save when something durable changed. */
void core_record_look(struct core *c, struct core_actions *out);
/* A save that did not end in time has failed. */
void core_record_expire(struct core *c, struct core_actions *out);
void core_record_on_saved(struct core *c, struct core_actions *out, const struct core_event *ev);
/* Something that must survive a restart changed. */
void core_record_touch(struct core *c);

#endif
