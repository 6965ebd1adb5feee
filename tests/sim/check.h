/* tests/sim/check.h - what must always hold, looked at from outside after everything that happens.
 *
 * Measured by the world (kernels, disks, wires), not by a core's own word:
 *
 *   exclusive  No two nodes run anything of an exclusive group at once, whatever happens (unless a
 *              fence device has lied); silence alone moves none.  (With takeover = unproven it is
 *              as any other group here: it is "alone" that holds, and a silent owner's is taken
 *              over in time.)
 *   lease      The lease of a node in contact does not run out; when one does, what it covered is
 *              stopped before the watchdog has to reset the machine.
 *              Nothing exclusive is started without one.
 *   contact    A node is online only while a path to it is up both ways, and is not lost while it
 *              is heard, however long who judges stood still.
 *   fencing    Nobody is switched off in undisturbed time.
 *   deaf       Who hears no reference address takes nothing from a silent node, has nobody
 *              switched off and takes no lock.  It gives a group away only to a node in contact
 *              that has heard one since; with none heard by any, or by all again, none moves.  Who
 *              stays deaf gives away what it has.
 *   alone      No two kernels have a group's address at once: never in a run without faults; else
 *              for at most both_us() when no fault is in force.  (With conflict_ms = 0 two nodes
 *              that become able in the same instant may start it both: the second rule holds.)
 *   owned      In undisturbed time, while all nodes are able, somebody has every group.
 *   still      In undisturbed time, while all nodes are able, no group moves without an operator.
 *   kept       A mild fault alone (one path of several, an engine that stands still or restarts
 *              well within the dead time) takes no group from its owner and leaves none failed or
 *              held.
 *   takeover   When a settled owner is gone, the other has its groups within what `yoke check`
 *              promises; with some arbiters broken, by those that are left and suffice.
 *   told       When two had a group, the one that keeps it announces it, so that the last word is
 *              its.
 *   terms      A node never starts a group at a term that is not above all that it used before and
 *              all that others told it (until one loses its record), or that is not in the
 *              record on its disk.
 *   promises   A grant is on the disk before it is told, and no term from before it is asked for
 *              after it; who says goodbye runs nothing.
 *              What people said of maintenance is saved.  A lease ends when who renewed it last
 *              thinks that it does.
 *              Nobody goes by a lease that has run out without a lock.
 *              What was said before a silence does not count after it.
 *   lock       Nobody claims the disk while another one holds it and renews it in time.
 *   held       A node whose record is unreadable starts nothing before an operator says "online".
 *   well       Nothing that is well is stopped in undisturbed time without an operator, and nothing
 *              is restarted.
 *   restarts   Never more of them within a window than configured, at the term that is used,
 *              and what comes before the failed one in its group stays.
 *   watched    A service of a started group is asked in time how it is, no other one ever.
 *   order      A group starts when the one that it comes after is started (a parallel one: here).
 *   room       One that yields does not stay where one of higher priority is.
 *   by hand    One with failover = manual starts nowhere while another of its nodes is silent.
 *   back       One goes back by itself only in its window, and then it does.
 *   everywhere A parallel group runs on every node that is able to.
 *   maintenance  Nothing is started or stopped of what rests, but what its lease no longer covers
 *              and one of two.
 *   gaps       Who only reads an engine's events knows after each of its steps the state of every
 *              group, node, path, lock and reference address, what failed, cannot run or rests,
 *              who is in standby, whose configuration differs, whether the state is saved, the
 *              lease holds and an operation goes on.  (Told by nothing: that a node is joining,
 *              that late or held is over, or a rest after a failure.)
 *   core       core_check() (which core_step() asserts), a deadline in the future, one operation at
 *              a time on a resource, every start, stop and failure with a reason.
 *
 * Undisturbed: no fault is in force, and sim_check_settle_us() passed since the last one.  Every
 * fault says through sim_check_disturb() until when it is in force.
 *
 * Layer: tests.  Memory: part of struct sim_world.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/core/core.h"
#include "agent/core/state.h"

enum {
	SIM_CHECK_GROUPS_MAX = 4,
	SIM_CHECK_RESOURCES_MAX = 12,
	SIM_CHECK_DELAYS_MAX = 3, /* before a fence device is asked by who cannot know who owns */
};

struct sim_world;

struct sim_check_group {
	yoke_time both_since;  /* two kernels have it; YOKE_NEVER: not now */
	yoke_time none_since;  /* nobody has all of it; YOKE_NEVER: somebody has */
	yoke_time able_since;  /* all nodes are in contact and would take it */
	uint16_t holder;       /* the last one that had it alone */
	uint64_t home_term;    /* the highest at which it was started, moved by hand */
	uint16_t home;         /* where it was started last, when it is moved by hand by the files
				  of all; 0: not known, or that node may not know it any more */
	yoke_time takeover_by; /* another must have it by then; YOKE_NEVER: nothing is expected */
	uint16_t victim;
	yoke_time kept_until; /* its holder must not lose it before */
	yoke_time told_by;    /* the teller's announcement is expected; YOKE_NEVER: none is */
	uint16_t teller;
	yoke_time crowded_since; /* on a node with one that it should make room for */
	yoke_time announced;     /* last */
	uint16_t announcer;
};

/* Of one node and group. */
struct sim_check_promise {
	uint16_t disk_to; /* the grant on its disk; 0: none */
	uint64_t disk_term;
	uint64_t granted_term;  /* its engine's; 0: none */
	uint64_t reserved;      /* when it granted last without running it */
	uint64_t disk_reserved; /* the same, of the last grant that was saved */
	uint64_t heard_term;    /* the highest that another one told its engine since it started */
};

/* How far a node was with its state when another lost it. */
struct sim_check_words {
	uint64_t incarnation;
	uint32_t version;
};

/* What an engine asked a reference address, and heard of it. */
struct sim_check_ping {
	unsigned unheard;     /* questions since the last answer, the one that is out among them */
	yoke_time since;      /* the first of those was asked then */
	yoke_time asked_at;   /* the last */
	yoke_time heard_at;   /* the last one that was answered was asked then */
	yoke_time missed_at;  /* the one before the last, if that was not answered */
	yoke_time hears_from; /* and the first one since it heard nothing */
};

/* What the events of an engine have told. */
struct sim_check_told {
	bool begun;
	uint16_t group[SIM_CHECK_GROUPS_MAX], node[YOKE_NODES_MAX];
	uint16_t path[YOKE_NODES_MAX][YOKE_PATHS_MAX];
	bool differs[YOKE_NODES_MAX], broken[YOKE_ARBITERS_MAX];
	bool unusable[SIM_CHECK_RESOURCES_MAX], failed[SIM_CHECK_RESOURCES_MAX];
	bool standby, unsaved, lease;
	unsigned rests;     /* so many are on */
	uint64_t operation; /* that goes on; 0: none */
};

struct sim_check {
	bool never_both;             /* the run has no faults at all */
	bool changed;                /* a core or a kernel may have, since it was checked */
	yoke_time look_at, watch_at; /* to be checked then all the same: a span is over */
	int64_t settle_us;           /* see sim_check_settle_us() */
	bool lied;                   /* a fence device said that a node is off that is on */
	yoke_time disturbed_until, operated_at, mild_until;
	yoke_time crossed_at; /* what moved it was taken back last, by another operation */
	struct sim_check_group group[SIM_CHECK_GROUPS_MAX];
	uint64_t disk_term[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX];
	uint64_t used_term[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX];
	bool held[YOKE_NODES_MAX];
	bool record_lost;      /* somewhere, once: terms of before may be told, and told no more */
	uint16_t asked_online; /* by the request at hand; 0: it asks for something else */
	uint32_t run[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX]; /* that is out; 0: none */
	yoke_time run_until[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX];
	bool run_in_fault[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX]; /* it was begun then */
	/* of a node's services: local restarts since the window began, and the last sign of care */
	uint32_t restarts[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX];
	yoke_time restarts_since[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX];
	yoke_time watched[YOKE_NODES_MAX][SIM_CHECK_RESOURCES_MAX];
	uint64_t restart_term[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX]; /* 0: no restart goes on */
	uint64_t takeovers, conflicts, restarted; /* expected and seen; told at the end */
	uint16_t saw_at[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX]; /* where an engine saw it last */
	bool met[YOKE_NODES_MAX][YOKE_NODES_MAX];              /* a node another, since its keeper
							       was started */
	bool may_act[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX];  /* it is not in maintenance, or was not
							       when what goes on began */
	bool may_stop[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX]; /* it is, and a stop that may be made
								all the same goes on */
	struct sim_check_words words[YOKE_NODES_MAX][YOKE_NODES_MAX];
	yoke_time graced_until[YOKE_NODES_MAX][YOKE_NODES_MAX]; /* of a node by another */
	struct core_rest disk_rest[YOKE_NODES_MAX][CORE_RESTS];
	struct sim_check_promise promise[YOKE_NODES_MAX][SIM_CHECK_GROUPS_MAX];
	struct sim_check_ping ping[YOKE_NODES_MAX][YOKE_ARBITERS_MAX];
	bool fences[YOKE_NODES_MAX][YOKE_NODES_MAX]; /* a node another, before the step at hand */
	struct sim_check_told told[YOKE_NODES_MAX];
	uint64_t events;
	char last_event[YOKE_TEXT_SIZE];
};

void sim_check_init(struct sim_world *w);
/* A fault is in force until then. */
void sim_check_disturb(struct sim_world *w, yoke_time until);
/* The same, when it is mild; but soon after another one it counts as any other. */
void sim_check_mild(struct sim_world *w, yoke_time until);
/* A node's power is cut now; or its engine ends for good, or nothing reaches it any more; or only
 * the reference addresses do not. */
enum sim_gone { SIM_GONE_DEAD, SIM_GONE_SILENT, SIM_GONE_DEAF };

/* Call it before that. */
void sim_check_gone(struct sim_world *w, uint16_t node, enum sim_gone gone);
/* Its watchdog resets it, until then it is off: who takes over from it goes on with that. */
void sim_check_reset(struct sim_world *w, uint16_t node, yoke_time until);
/* A keeper is started, or ends: its engines know nobody. */
void sim_check_keeper(struct sim_world *w, uint16_t node);
/* It is back: what it had is not taken over any more. */
void sim_check_power_on(struct sim_world *w, uint16_t node);
void sim_check_operate(struct sim_world *w, enum yoke_verb verb, uint16_t target);
void sim_check_reply(struct sim_world *w, enum yoke_verdict verdict);
void sim_check_start(struct sim_world *w, uint16_t node);
void sim_check_before(struct sim_world *w, uint16_t node, const struct core_event *ev);
void sim_check_after(struct sim_world *w, uint16_t node);
void sim_check_run(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_check_ask(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_check_cancel(struct sim_world *w, uint16_t node, uint32_t id);
void sim_check_announce(struct sim_world *w, uint16_t node, uint16_t resource);
void sim_check_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev);
void sim_check_address(struct sim_world *w, uint16_t node, uint16_t resource);
void sim_check_disk(struct sim_world *w, uint16_t node);
void sim_check_step(struct sim_world *w);

/* ---- for the files of the check ---- */

/* After a fault: silence is noticed, an engine has started, failed operations are tried again. */
int64_t sim_check_settle_us(const struct sim_world *w);
/* Is it longer than that since then?  If not, the check looks again as soon as it is. */
bool sim_check_is_past(struct sim_world *w, yoke_time since, int64_t span_us);
bool sim_check_is_undisturbed(const struct sim_world *w);
bool sim_check_is_operated(const struct sim_world *w);
/* Is all well, has been for a while, and somebody has all of the group? */
bool sim_check_is_settled(const struct sim_world *w, const struct sim_check_group *group);
/* On how many nodes anything of the group is; the last of them, and whether it has all. */
unsigned sim_check_holders(const struct sim_world *w, unsigned g, uint16_t *one, bool *whole);

/* ---- check_policy.c: order, room, by hand, back, maintenance ---- */

/* Else the nodes differ in what is to move by itself, and what comes after that waits. */
bool sim_check_clocks_agree(const struct sim_world *w);
/* Is it taken over without a person when its owner dies? */
bool sim_check_policy_takes_over(const struct sim_world *w, uint16_t group);
/* The first node of the group's list. */
uint16_t sim_check_policy_first(const struct sim_world *w, uint16_t group);
/* May it go to that node by itself, while all is well? */
bool sim_check_policy_may_go(const struct sim_world *w, uint16_t node, uint16_t group);
/* By the files of all, whose yoke tells where it ran. */
bool sim_check_policy_is_by_hand(const struct sim_world *w, uint16_t group);
/* The node does not know any more what it had last. */
void sim_check_policy_forget(struct sim_world *w, uint16_t node);
void sim_check_policy_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev);
void sim_check_policy_start(struct sim_world *w, uint16_t node, uint16_t group);
void sim_check_policy_run(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_check_policy_after(struct sim_world *w, uint16_t node);
void sim_check_policy_group(struct sim_world *w, uint16_t group);
/* Is what it comes after there, so that it can be, too?  (A parallel one: everywhere.) */
bool sim_check_policy_can_follow(const struct sim_world *w, uint16_t group);
/* Is it on that node, and to go back to another by itself? */
bool sim_check_policy_goes_back(const struct sim_world *w, uint16_t node, uint16_t group);
/* May only a person have it run on that node, and can it not run where it was? */
bool sim_check_policy_waits(const struct sim_world *w, uint16_t node, uint16_t group);
/* Does it run nowhere, and rightly? */
bool sim_check_policy_is_away(const struct sim_world *w, uint16_t group);

/* ---- check_contact.c ---- */

/* A node says that another one is lost. */
void sim_check_contact_lost(struct sim_world *w, uint16_t node, uint16_t lost);
/* Its lease has run out. */
void sim_check_contact_lease(struct sim_world *w, uint16_t node);
void sim_check_contact_step(struct sim_world *w);

/* Was each in contact with the other, both engines at work and a path whole, all that span? */
bool sim_check_contact_was(const struct sim_world *w, uint16_t a, uint16_t b, int64_t span_us);

/* ---- check_promise.c ---- */

void sim_check_promise_start(struct sim_world *w, uint16_t node);
void sim_check_promise_after(struct sim_world *w, uint16_t node);
/* It begins to start a group. */
void sim_check_promise_begin(struct sim_world *w, uint16_t node, uint16_t group);
void sim_check_promise_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev);
void sim_check_promise_claim(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_check_promise_release(struct sim_world *w, uint16_t node, const struct core_action *a);

/* ---- check_deaf.c ---- */

void sim_check_deaf_start(struct sim_world *w, uint16_t node);
void sim_check_deaf_before(struct sim_world *w, uint16_t node, const struct core_event *ev);
void sim_check_deaf_ask(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_check_deaf_event(struct sim_world *w, uint16_t node, const struct yoke_event *ev);
/* Until when a node that hears no reference address from now on, and is in contact with one that
 * does, has handed over to it what it has. */
yoke_time sim_check_deaf_over(const struct sim_world *w);

/* ---- check_gap.c ---- */

void sim_check_gap_start(struct sim_world *w, uint16_t node);
void sim_check_gap_before(struct sim_world *w, uint16_t node);
void sim_check_gap_after(struct sim_world *w, uint16_t node);

/* Is everything as it should be when no fault is left?  NULL, or what is not. */
const char *sim_check_converged(struct sim_world *w);

#endif
