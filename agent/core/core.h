/* agent/core/core.h - everything that yoke decides, as a pure function.
 *
 *   core_step(core, event, actions)   what happens now, and what to do about it
 *   core_deadline(core)               when to call again if nothing happens
 *   core_view(core, snapshot)         what is known, for people and programs
 *
 * Rules: (1) same init + same events = same actions, bit for bit.  (2) Actions are done in the
 * order given.  (3) What must be durable first waits for CORE_SAVED, never for an order of actions.
 * (4) A result with an unknown id is ignored: late and duplicate results are harmless.  (5) Events
 * of one source come in order, of several in any.  (6) The core never learns how an action is done.
 *
 * Reading order: this file, group.c (the state machine, with its diagram), permit.c (who may run a
 * group), policy.c (how people want their groups run), grant.c (exclusive groups), lease.c (how
 * long we may run them), arbiter.c, disk.c and fence.c (what decides when nobody answers),
 * config.c (is the other's ours?), stop.c, retire.c (what goes and comes), adopt.c (what runs
 * already), conflict.c (two owners), prepare.c (conflict probe), held.c (what waits for a word),
 * resource.c, monitor.c, node.c (membership), version.c (protocols), oper.c (operator verbs),
 * maintenance.c, ready.c (could the other take over?), reason.c, wire.c, detail.c and record.c
 * (bytes), core.c.
 *
 * Layer: core, pure: no I/O, clock, allocation, randomness or globals (make lint proves it from the
 * symbol table).  May include: agent/base.
 * Memory: struct core is the caller's and is plain bytes without pointers: it may be copied, stored
 * and compared.  Nothing is kept of an event or an action.
 */
#ifndef AGENT_CORE_CORE_H
#define AGENT_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/event.h"
#include "agent/base/limits.h"
#include "agent/base/snapshot.h"
#include "agent/base/time.h"
#include "agent/base/words.h"

enum {
	CORE_GROUP_RESOURCES_MAX = 16,
	CORE_ACTIONS_MAX = 16 * YOKE_GROUPS_MAX, /* of one step */
	CORE_DIGEST_SIZE = 8, /* bytes of the configuration's digest that travel */
	/* The protocols that we speak, see version.c.  1 is that of a yoke that does not tell. */
	CORE_PROTOCOL_MIN = 1,
	CORE_PROTOCOL_MAX = 2,
	CORE_HWADDR_SIZE = 6,
	CORE_RESTARTS_MAX = 16, /* within a window */
	CORE_MONITOR_WINDOW_MAX = 32,
	CORE_RESTORES_MAX = 10, /* a resource put back more often within a minute has failed */
};

/* ---- configuration -------------------------------------------------------------------------- */

/* What both nodes' files must agree on, beside the groups.  The order is that on the wire. */
enum core_section {
	CORE_SECTION_CLUSTER, /* name and times */
	CORE_SECTION_NODES,   /* their names */
	CORE_SECTION_PATHS,
	CORE_SECTION_ARBITERS,
	CORE_SECTIONS,
};

struct core_group_conf {
	char name[YOKE_NAME_SIZE];
	bool exclusive;
	bool unproven;  /* exclusive, but taken over on silence alone, as one that is not */
	bool parallel;  /* not exclusive, without addresses: runs on each of its nodes at once */
	bool manual;    /* a fault never moves it: a person does */
	uint16_t after; /* number of the group that runs before it starts; 0: none.  Of a parallel
			   one: here */
	uint16_t priority; /* the higher one takes what room there is */
	bool yields;       /* does not run where one of higher priority does */
	bool failback; /* moves back to its first node by itself, when that has been fit for ... */
	uint32_t failback_ms;
	uint16_t failback_from, failback_to; /* and in this window, minutes of the day; equal:
						always */
	uint16_t node[YOKE_NODES_MAX];       /* numbers, preferred first */
	uint16_t node_count;
	uint16_t resource_first, resource_count; /* indexes into core_conf.resource */
	uint32_t digest;                         /* of all that the file says of it */
};

struct core_resource_conf {
	uint16_t group;             /* number */
	bool has_address;           /* answers on a network: a start may collide; else it is a
				       program's */
	uint32_t start_ms, stop_ms; /* time-outs of a start, a stop, and of a monitor or probe */
	uint32_t monitor_ms;
	uint32_t monitor_interval_ms; /* 0: not monitored, it tells by itself */
	uint16_t monitor_failures;    /* so many in a row are a failure; at least 1 */
	uint16_t monitor_window;      /* or so many of the last ones; 0: only in a row; at most
					 CORE_MONITOR_WINDOW_MAX */
	uint16_t restarts;            /* here, within the window, before the group moves; at most
					 CORE_RESTARTS_MAX */
	uint32_t restart_window_ms;
	bool added; /* its group may run without it: when all others are found, it is started */
};

struct core_arbiter_conf {
	char name[YOKE_NAME_SIZE];
	enum yoke_arbiter_type type;
	uint32_t timeout_ms; /* of one question */
	uint32_t test_ms;    /* it is tried each test_ms while nothing is wrong; 0: never */
	/* fence */
	bool node[YOKE_NODES_MAX]; /* [number - 1]: it can switch this node off */
	uint16_t level;            /* 1..: lower ones first; all of one level are needed */
	uint32_t delay_ms;         /* a node that owns less than the other waits before it */
	uint16_t retries;          /* of all levels, before it is given up for retry_ms */
};

/* What an engine knows of the others that the next one cannot find out; bit n - 1: of node n. */
struct core_legacy {
	uint8_t met;  /* it was online with our configuration, has not left, and nobody vouches that
			it is down */
	uint8_t off;  /* a fence agent vouches for that */
	uint8_t left; /* it said goodbye, and has not been heard since */
	uint8_t wrong[YOKE_ARBITERS_MAX]; /* [number - 1]: it says so of one that is in contact */
};

struct core_conf {
	uint16_t self; /* our node number, 1.. */
	uint16_t node_count, path_count, group_count, resource_count, arbiter_count;
	bool path_public[YOKE_PATHS_MAX]; /* [number - 1]: others use its network, too */
	struct core_arbiter_conf arbiter[YOKE_ARBITERS_MAX];
	uint32_t lease_ms;    /* exclusive groups run so long without renewal; > dead_ms */
	uint32_t watchdog_ms; /* it resets the machine so long after it was last fed; 0: none */
	bool ran_exclusive;   /* what an earlier engine of this boot ran so may run still */
	yoke_time lease;      /* ... and its lease was told to go until then; 0: that was over */
	struct core_legacy legacy; /* of the engine whose place this one took */
	yoke_time before;          /* that one's last sign of life; 0: there was none */
	char node_name[YOKE_NODES_MAX][YOKE_NAME_SIZE];
	struct core_group_conf group[YOKE_GROUPS_MAX];
	struct core_resource_conf resource[YOKE_RESOURCES_MAX];
	uint32_t dead_ms, late_ms, interval_ms, startup_ms, conflict_ms, operation_ms, retry_ms;
	uint64_t incarnation; /* ours, as in the frames: an acknowledgement names it */
	uint8_t digest[CORE_DIGEST_SIZE];
	uint32_t section[CORE_SECTIONS];    /* digests */
	char version[YOKE_NAME_SIZE];       /* of yoke, told to the others */
	uint8_t protocol_min, protocol_max; /* CORE_PROTOCOL_MIN and _MAX, but for tests */
};

/* ---- events --------------------------------------------------------------------------------- */

enum core_event_type {
	CORE_TIMER = 1, /* core_deadline() has passed, or simply look again */
	CORE_PATH,      /* a path's state changed */
	CORE_MESSAGE,   /* a payload came from a node: one of CORE_BEAT's or CORE_SEND's */
	CORE_RESULT,    /* an operation on a resource ended */
	CORE_RESOURCE,  /* a resource changed by itself: see core_resource_news */
	CORE_SAVED,     /* the record `version` is durable, or could not be saved */
	CORE_OPERATE,   /* an operator asks */
	CORE_STALL,     /* our process did not run for stall_ms */
	CORE_LEAVE,     /* stop: hand over or stop everything, say goodbye, then CORE_EXIT */
	CORE_ANSWER,    /* a question to an arbiter was answered */
	CORE_CLOCK,     /* the wall clock's minute, for windows of the day: when it changes */
	CORE_RETIRE,    /* stop what another configuration will not have; or go on with it */
	CORE_FOREIGN,   /* a node that is silent sends what we cannot read: of other protocols */
	CORE_WATCHDOG,  /* it works, or it does not: when that changes; at first it works */
};

/* What an arbiter is asked.  Every question has a deadline in the action. */
enum core_ask_kind {
	CORE_ASK_OFF =
		1, /* fence: switch u.ask.node off -> DONE (verified by the agent) or FAILED */
	CORE_ASK_STATUS, /* fence: -> STOPPED (is off), RUNNING (is on) or FAILED */
	CORE_ASK_READ,   /* disk: read all slots -> DONE with slot[], or FAILED */
	CORE_ASK_WRITE,  /* disk: write our slot, then read all -> DONE with slot[], or FAILED */
	CORE_ASK_CLAIM, /* witness: the lock for lease_ms -> DONE, ANSWERED (node has it), FAILED */
	CORE_ASK_RELEASE, /* witness: -> DONE or FAILED */
	CORE_ASK_LOOK,    /* witness: -> DONE (free or ours), ANSWERED (node has it) or FAILED */
	CORE_ASK_PING,    /* ping: -> DONE (one answers) or FAILED (none does) */
};

/* A node's slot on a shared disk; only its node writes it. */
enum core_slot_state {
	CORE_SLOT_FREE = 0,
	CORE_SLOT_CLAIM, /* wants the lock */
	CORE_SLOT_HELD,  /* has it, while its sequence advances */
	CORE_SLOT_BAD,   /* read only: torn, or not authentic */
};

struct core_slot {
	enum core_slot_state state;
	uint64_t round;    /* of the claim: a higher one wins */
	uint64_t sequence; /* grows with each write */
};

/* What can be done with a resource.  Each has a deadline in the action. */
enum core_run_kind {
	CORE_RUN_PROBE = 1, /* does it run here?  -> RUNNING or STOPPED; with either, why what
			       an engine before this one began there failed, or "" */
	CORE_RUN_PREPARE,   /* would a start collide?  -> DONE (nobody answers) or ANSWERED */
	CORE_RUN_START,     /* -> DONE or FAILED */
	CORE_RUN_STOP,      /* -> DONE or FAILED */
	CORE_RUN_MONITOR,   /* is it well? -> RUNNING, STOPPED or FAILED */
};

enum core_result {
	CORE_RESULT_DONE = 1,
	CORE_RESULT_FAILED,
	CORE_RESULT_RUNNING,  /* probe: it runs here */
	CORE_RESULT_STOPPED,  /* probe: it does not */
	CORE_RESULT_ANSWERED, /* prepare: hwaddr already answers for it */
	CORE_RESULT_LATE,     /* monitor: no answer in time */
	CORE_RESULT_FATAL,    /* start, stop: failed, and would again; probe: it cannot run here */
};

enum core_resource_news {
	CORE_NEWS_USABLE = 1, /* could run here; hwaddr: what it would answer from */
	CORE_NEWS_UNUSABLE,   /* cannot run here: no interface, no carrier, no program; reason */
	CORE_NEWS_LOST,       /* it was started, and something removed it */
	CORE_NEWS_DOUBT,      /* others may have forgotten it (carrier came back): announce again */
};

/* One event.  Every event has `type` and `now`; the part named like the type is valid. */
struct core_event {
	enum core_event_type type;
	yoke_time now; /* never before the last event's (asserted) */
	union {
		struct {
			uint16_t node, path; /* numbers */
			enum yoke_path_state state;
		} path;
		struct {
			uint16_t node, path;
			uint64_t incarnation;
			yoke_time echoed; /* when we sent the newest frame that it echoes */
			uint16_t size;
			uint8_t bytes[YOKE_MESSAGE_SIZE];
		} message;
		struct {
			uint32_t id; /* of the CORE_RUN action */
			enum core_result result;
			uint8_t hwaddr[CORE_HWADDR_SIZE]; /* ANSWERED */
			char reason[YOKE_REASON_SIZE];    /* FAILED, FATAL: why */
		} result;
		struct {
			uint16_t resource; /* number */
			enum core_resource_news news;
			uint8_t hwaddr[CORE_HWADDR_SIZE]; /* USABLE */
			char reason[YOKE_REASON_SIZE];    /* UNUSABLE */
		} resource;
		struct {
			uint32_t version; /* of the CORE_SAVE action */
			bool ok;
			char reason[YOKE_REASON_SIZE]; /* when not ok */
		} saved;
		struct {
			uint32_t request; /* the shell's id, comes back in CORE_REPLY; not 0 */
			enum yoke_verb verb;
			enum yoke_origin origin;
			uint16_t group; /* number; 0 with FAILBACK: all groups; 0 with MAINTENANCE
					   and RESUME: the node's, or with node 0 the cluster's */
			uint16_t node;  /* number */
			char reason[YOKE_REASON_SIZE]; /* who and why */
		} operate;
		struct {
			uint32_t stall_ms;
		} stall;
		struct {
			uint16_t minute; /* of the day, 0..1439, local time */
		} clock;
		struct {
			bool group[YOKE_GROUPS_MAX]; /* [number - 1]: this node runs it no more */
			bool resource[YOKE_RESOURCES_MAX]; /* [number - 1]: of the others */
		} retire;
		struct {
			uint16_t node;
			uint8_t min, max; /* protocols that it speaks, as anybody could say */
		} foreign;
		struct {
			bool works;
		} watchdog;
		struct {
			uint32_t id; /* of the CORE_ASK action */
			enum core_result result;
			uint16_t node;                         /* ANSWERED: who has the lock */
			struct core_slot slot[YOKE_NODES_MAX]; /* disk, DONE: [number - 1] */
			char reason[YOKE_REASON_SIZE];         /* FAILED: why */
		} answer;
	} u;
};

/* ---- actions -------------------------------------------------------------------------------- */

enum core_action_type {
	CORE_BEAT = 1, /* actions->beat is the payload of heartbeats from now on */
	CORE_SEND,     /* send actions->message now, on all paths, to u.send.node */
	CORE_RUN,      /* start an operation on a resource; its end comes back as CORE_RESULT */
	CORE_CANCEL, /* the result of run or ask u.cancel.id is not wanted any more: a prepare, and
			  a fence agent that has not begun, may end */
	CORE_ANNOUNCE, /* announce the resource's address now and spread over the next seconds */
	CORE_SAVE,     /* make actions->record durable, then CORE_SAVED with the version */
	CORE_REPLY,    /* answer to a CORE_OPERATE */
	CORE_EVENT,    /* record u.event (seq, times and text are the shell's) */
	CORE_EXIT,     /* the leave is complete: end the process */
	CORE_ASK,      /* ask an arbiter; what it says comes back as CORE_ANSWER */
	CORE_LEASE,    /* tell the keeper what the watchdog is to be fed for, and what the next
			  engine is to know: before what follows */
};

struct core_action {
	enum core_action_type type;
	union {
		struct {
			uint16_t node; /* number; 0: all others */
		} send;
		struct {
			uint32_t id; /* grows; never 0 */
			enum core_run_kind kind;
			uint16_t resource;   /* number */
			uint32_t timeout_ms; /* from when it begins, which is when what ran of
						this resource before is gone; later the core
						gives up by itself; a prepare that nobody
						answered is DONE exactly then */
			bool announce;       /* a start: announce as soon as it is done */
		} run;
		struct {
			uint32_t id;
		} cancel;
		struct {
			uint16_t resource; /* number */
		} announce;
		struct {
			uint32_t version;
		} save;
		struct {
			uint32_t request;
			enum yoke_verdict verdict;
			uint32_t operation; /* number; 0 when refused */
		} reply;
		struct yoke_event event;
		struct {
			uint32_t id;      /* of the same series as runs */
			uint16_t arbiter; /* number */
			enum core_ask_kind kind;
			uint16_t node; /* fence: whom; number */
			uint32_t timeout_ms;
			uint32_t lease_ms;     /* claim */
			struct core_slot slot; /* write */
		} ask;
		struct {
			yoke_time until; /* it may run exclusive groups; YOKE_NEVER: no end */
			bool exclusive;  /* it runs or starts one: after `until` let it be reset */
			bool reset;      /* let it be reset now: what should stop does not */
			struct core_legacy legacy; /* for the next engine */
		} lease;
	} u;
};

struct core_actions {
	unsigned count;
	struct core_action action[CORE_ACTIONS_MAX];
	uint16_t beat_size, message_size, record_size;
	uint8_t beat[YOKE_PAYLOAD_SIZE];
	uint8_t message[YOKE_MESSAGE_SIZE]; /* one message a step at most: it is our whole state */
	uint8_t record[YOKE_RECORD_SIZE];
};

/* ---- state ---------------------------------------------------------------------------------- */

#include "agent/core/state.h"

/* Start a core.  record: the saved record; size 0: there is none (a new node); unreadable bytes
 * make the node start as standby with an event.  hold: a reason for starting as standby all the
 * same, for instance that the file could not be read; NULL: none.  The first core_step() emits what
 * init decided; send it a CORE_TIMER at once. */
void core_init(struct core *core, const struct core_conf *conf, const uint8_t *record, size_t size,
	       const char *hold, yoke_time now);

/* Take one event; *actions is overwritten. */
void core_step(struct core *core, const struct core_event *event, struct core_actions *actions);

/* When to send CORE_TIMER at the latest; YOKE_NEVER: only when something happens. */
yoke_time core_deadline(const struct core *core);

/* Fill what the core knows: nodes (state, standby), groups, members, resources (state, usable,
 * reason), operations, condition and text, and all counts but link_count.  Times of change are
 * given on the monotonic clock in microseconds (0: none): the shell turns them into wall time. */
void core_view(const struct core *core, struct yoke_snapshot *snapshot);

/* NULL, or what is wrong with the state: one of the invariants listed in group.c and core.c. Called
 * after every step by the simulator and the unit tests; core_step() asserts it. */
const char *core_check(const struct core *core);

/* Milliseconds within which a node whose lease has run out has certainly stopped what is exclusive:
 * the watchdog's time-out, or without one the longest stop that the configuration allows
 * (agent/base/bound.h). */
uint32_t core_stop_bound_ms(const struct core_conf *conf);

/* Does the core want to see a beat that repeats the last one's bytes?  echoed: as in the event.
 * (It renews our lease; else such beats say nothing.) */
bool core_wants_beat(const struct core *core, uint16_t node, yoke_time echoed);

/* Has all that the last CORE_RETIRE named been stopped? */
bool core_retired(const struct core *core);
/* Should an engine that starts now, on what runs, start this resource (number) when it finds all
 * others of the group: may it be missing because it was added, or was to be retired? */
bool core_may_miss(const struct core *core, uint16_t resource);

/* Size in bytes of a CORE_MESSAGE event's or any event's meaningful part, for recording. */
size_t core_event_size(const struct core_event *event);

#endif
