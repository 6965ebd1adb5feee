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
 * group), grant.c (exclusive groups), prepare.c (conflict probe), resource.c, node.c (membership),
 * oper.c (operator verbs), wire.c and record.c (bytes), core.c.
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
	CORE_ACTIONS_MAX = 1024, /* of one step: 16 for each group */
	CORE_DIGEST_SIZE = 8,    /* bytes of the configuration's digest that travel */
	CORE_HWADDR_SIZE = 6,
	CORE_RESTORES_MAX = 10, /* a resource put back more often within a minute has failed */
};

/* ---- configuration -------------------------------------------------------------------------- */

struct core_group_conf {
	char name[YOKE_NAME_SIZE];
	bool exclusive;
	uint16_t node[YOKE_NODES_MAX]; /* numbers, preferred first */
	uint16_t node_count;
	uint16_t resource_first, resource_count; /* indexes into core_conf.resource */
};

struct core_resource_conf {
	uint16_t group;             /* number */
	bool has_address;           /* answers on a network: a start may collide */
	uint32_t start_ms, stop_ms; /* time-outs of a start, a stop, and of a monitor or probe */
	uint32_t monitor_ms;
	uint32_t monitor_interval_ms; /* 0: not monitored, it tells by itself */
	uint16_t monitor_failures;    /* so many in a row are a failure; at least 1 */
	uint16_t restarts;            /* here, within the window, before the group moves */
	uint32_t restart_window_ms;
};

struct core_conf {
	uint16_t self; /* our node number, 1.. */
	uint16_t node_count, path_count, group_count, resource_count;
	char node_name[YOKE_NODES_MAX][YOKE_NAME_SIZE];
	struct core_group_conf group[YOKE_GROUPS_MAX];
	struct core_resource_conf resource[YOKE_RESOURCES_MAX];
	uint32_t dead_ms, late_ms, interval_ms, startup_ms, conflict_ms, operation_ms, retry_ms;
	uint64_t incarnation; /* ours, as in the frames: an acknowledgement names it */
	uint8_t digest[CORE_DIGEST_SIZE];
	char version[YOKE_NAME_SIZE]; /* of yoke, told to the others */
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
};

/* What can be done with a resource.  Each has a deadline in the action. */
enum core_run_kind {
	CORE_RUN_PROBE = 1, /* does it run here?  -> RUNNING or STOPPED */
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
};

enum core_resource_news {
	CORE_NEWS_USABLE = 1, /* could run here; hwaddr: what it would answer from */
	CORE_NEWS_UNUSABLE,   /* cannot run here: no interface or no carrier; reason */
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
			uint16_t size;
			uint8_t bytes[YOKE_MESSAGE_SIZE];
		} message;
		struct {
			uint32_t id; /* of the CORE_RUN action */
			enum core_result result;
			uint8_t hwaddr[CORE_HWADDR_SIZE]; /* ANSWERED */
			char reason[YOKE_REASON_SIZE];    /* FAILED: why; ANSWERED: may be empty */
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
			uint16_t group;                /* number; 0 with FAILBACK: all groups */
			uint16_t node;                 /* number */
			char reason[YOKE_REASON_SIZE]; /* who and why */
		} operate;
		struct {
			uint32_t stall_ms;
		} stall;
	} u;
};

/* ---- actions -------------------------------------------------------------------------------- */

enum core_action_type {
	CORE_BEAT = 1, /* actions->beat is the payload of heartbeats from now on */
	CORE_SEND,     /* send actions->message now, on all paths, to u.send.node */
	CORE_RUN,      /* start an operation on a resource; its end comes back as CORE_RESULT */
	CORE_CANCEL,   /* the result of run u.cancel.id is not wanted any more: a prepare may end */
	CORE_ANNOUNCE, /* announce the resource's address now and spread over the next seconds */
	CORE_SAVE,     /* make actions->record durable, then CORE_SAVED with the version */
	CORE_REPLY,    /* answer to a CORE_OPERATE */
	CORE_EVENT,    /* record u.event (seq, times and text are the shell's) */
	CORE_EXIT,     /* the leave is complete: end the process */
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
			uint32_t timeout_ms; /* the core gives up by itself after it; a prepare
						that nobody answered is DONE exactly then */
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
	} u;
};

struct core_actions {
	unsigned count;
	struct core_action action[CORE_ACTIONS_MAX];
	uint16_t beat_size, message_size, record_size;
	uint8_t beat[YOKE_MESSAGE_SIZE];
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

/* Size in bytes of a CORE_MESSAGE event's or any event's meaningful part, for recording. */
size_t core_event_size(const struct core_event *event);

#endif
