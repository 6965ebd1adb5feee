/* agent/core/state.h - the core's memory: struct core and its parts.
 *
 * Public so that the caller can hold one and the parts of the core can share it; outside
 * agent/core/ only core.h's functions look inside (and the simulator's invariants).
 *
 * Layer: core, pure.  Included by core.h only.
 */
#ifndef AGENT_CORE_STATE_H
#define AGENT_CORE_STATE_H

/* Why a node would not take a group, or wants to hand it over. */
enum core_cause {
	CORE_CAUSE_NONE = 0, /* it is eligible: would take the group if it were its turn */
	CORE_CAUSE_STANDBY,
	CORE_CAUSE_LEAVING,
	CORE_CAUSE_UNUSABLE, /* an interface is missing or has no carrier */
	CORE_CAUSE_FAILED,   /* it failed there lately */
	CORE_CAUSE_UNSAVED,  /* no term can be made durable there */
	CORE_CAUSE_STRANGER, /* not a member of the group */
	CORE_CAUSE_DEAF,     /* no reference address answers: only if nobody hears better */
	CORE_CAUSE_FATAL,    /* it cannot run there: a program is missing, or refuses for good */
	CORE_CAUSE_NEEDS,    /* the parallel group that it comes after does not run there */
	CORE_CAUSE_YIELDS,   /* makes room there for a group of higher priority */
	CORE_CAUSE_RESTS,    /* it is in maintenance */
	CORE_CAUSE_DIFFERS,  /* its configuration of the group is not that of who runs it */
	CORE_CAUSE_CROWDED,  /* what should make room there for it does not stop */
	CORE_CAUSES_END,
};

/* What a node says of a group: from its messages, and for ourselves what is so. */
struct core_claim {
	enum yoke_group_state state;
	uint64_t term;         /* at which it runs or last ran it */
	enum core_cause cause; /* NONE: eligible */
	bool ready;            /* prepared for the handover that is under way: the owner may stop */
	uint64_t request;    /* exclusive: the term at which it asks to start; 0: it does not ask */
	uint16_t grant_to;   /* exclusive: the node that it lets run the group; 0: none */
	uint64_t grant_term; /* at which term */
	bool unsteady;       /* it failed there lately: not moved there without need */
	bool pinned;         /* an operator switched it there: it does not go back by itself */
	uint64_t started_term; /* at which it was STARTED there last, or higher; 0: never */
};

/* What a node knows to be wrong with itself, and tells: its failovers would suffer. */
struct core_trouble {
	bool save;                       /* it cannot save its state */
	bool watchdog;                   /* the one that it should have does not work */
	bool arbiter[YOKE_ARBITERS_MAX]; /* what it asks does not work; by index in the conf */
};

/* Operator's intent for a node: replicated, the higher version wins. */
struct core_intent {
	uint32_t version;
	bool standby;
};

/* Whether something is in maintenance: replicated, the higher version wins. */
struct core_rest {
	uint32_t version;
	bool on;
};

/* Indexes of core.rest: the cluster, the nodes, the groups. */
enum {
	CORE_REST_CLUSTER = 0,
	CORE_REST_NODES = 1,                                 /* + number - 1 */
	CORE_REST_GROUPS = CORE_REST_NODES + YOKE_NODES_MAX, /* + number - 1 */
	CORE_RESTS = CORE_REST_GROUPS + YOKE_GROUPS_MAX,
};

/* An operation of a node: it lives on the node that took the request and is told to all. */
struct core_operation {
	uint32_t number; /* node << 24 | count; 0: empty */
	enum yoke_verb verb;
	enum yoke_origin origin;
	enum yoke_operation_state state;
	uint16_t group, node; /* numbers; group 0: the whole node (standby, online) */
	yoke_time started, ended, deadline;
	uint32_t version; /* of our state when it was asked: others have seen it once acked */
	char reason[YOKE_REASON_SIZE];
};

/* What is wrong with the paths to a node. */
enum core_jeopardy {
	CORE_JEOPARDY_NONE = 0,
	CORE_JEOPARDY_PUBLIC,      /* no private one is left */
	CORE_JEOPARDY_LAST,        /* one is left */
	CORE_JEOPARDY_LAST_PUBLIC, /* one is left, and it is public */
};

/* How a node's configuration differs from ours, as it told. */
struct core_config {
	bool same;       /* by the digest of the whole */
	bool doubted;    /* not told yet, and its lease did not count for the engine before us */
	bool by_section; /* it tells of sections */
	bool section_differs[CORE_SECTIONS];
	bool group_differs[YOKE_GROUPS_MAX]; /* or it does not have it */
};

/* What is known of a node. */
struct core_node {
	enum yoke_node_state state;
	yoke_time changed, first_heard;
	uint64_t incarnation; /* 0: never heard */
	uint32_t told;        /* version of its state that we have applied (this incarnation) */
	yoke_time forgot_at;  /* what it said before it heard what we sent then does not count */
	uint32_t acked;       /* version of our state that it has applied */
	enum yoke_path_state path[YOKE_PATHS_MAX];
	enum core_jeopardy jeopardy; /* as told */
	yoke_time jeopardy_since;    /* it is another one; YOKE_NEVER: it is not */
	bool left;                   /* it said so */
	bool seen;                   /* it was online since this engine started */
	bool proven_dead;       /* LOST: a person (confirm-down) or a fence agent vouches for it;
				   UNKNOWN: that agent did for the engine before us */
	bool fenced;            /* proven_dead by a fence agent */
	yoke_time vouched_at;   /* proven_dead by a person, since then */
	bool extended;          /* its yoke sends details: knows maintenance */
	bool tells_pins;        /* and of pins */
	bool tells_started;     /* and of started_term */
	yoke_time online_since; /* in two-way contact without a break; YOKE_NEVER: it is not */
	yoke_time fit_since[YOKE_GROUPS_MAX]; /* could take the group; YOKE_NEVER: could not */
	yoke_time lost_at;                    /* no beat of ours renewed its lease since */
	yoke_time renewed_until;              /* our lease, by its beats */
	struct core_config config;
	uint8_t protocol_min, protocol_max; /* that it speaks; 0: not told */
	uint8_t foreign_min, foreign_max;   /* silent, and frames say so; 0: there are none */
	char version[YOKE_NAME_SIZE];
	struct core_claim claim[YOKE_GROUPS_MAX];
	enum yoke_resource_state resource[YOKE_RESOURCES_MAX];
	uint8_t hwaddr[YOKE_HWADDRS_MAX][CORE_HWADDR_SIZE];
	uint16_t hwaddr_count;
	struct core_operation operation; /* its latest; for ourselves: the running one */
	struct core_trouble trouble;     /* as it told last, also when it is silent now */
};

/* What a group is held for, see held.c. */
enum core_held { CORE_HELD_ANSWERS, CORE_HELD_UNPROVEN, CORE_HELD_MANUAL };

/* The conflict probe of a stopped group. */
enum core_prepare {
	CORE_PREPARE_NONE = 0,
	CORE_PREPARE_RUNNING,
	CORE_PREPARE_CLEAR,    /* nobody answered */
	CORE_PREPARE_NODE,     /* a node of the cluster answered: prepare_by */
	CORE_PREPARE_STRANGER, /* somebody else answered */
};

/* What was read of another node's slot on a disk. */
struct core_seen_slot {
	struct core_slot slot;
	yoke_time since; /* no other content was read since; YOKE_NEVER: never read */
};

/* An arbiter as we see it. */
struct core_arbiter {
	enum yoke_arbiter_state state;
	yoke_time changed, tested;
	uint16_t misses;               /* answers in a row that were failures */
	char reason[YOKE_REASON_SIZE]; /* of the last failure */
	uint32_t ask;                  /* id of the question that is out; 0: none */
	enum core_ask_kind ask_kind;
	uint16_t ask_node;
	yoke_time asked_at, ask_deadline;
	yoke_time test_at; /* the next test while nothing is wrong */
	/* fence: tests in a row that said of a node in contact that it is off, [number - 1] */
	uint8_t wrong[YOKE_NODES_MAX];
	/* locks */
	yoke_time next_at;    /* not asked for the lock before */
	yoke_time held_until; /* 0: not held */
	uint16_t holder;      /* who has it, as told; 0: nobody else */
	yoke_time refused_at; /* it told so last; 0: never */
	/* disk: our slot as last written or read, and theirs as last read */
	bool slot_known;
	struct core_slot slot;
	struct core_seen_slot seen[YOKE_NODES_MAX];
};

enum core_fence_state {
	CORE_FENCE_IDLE = 0,
	CORE_FENCE_WAITING, /* until `at`: the delay, or a rest after a failure */
	CORE_FENCE_OFF,     /* arbiter `arbiter` is to switch it off */
	CORE_FENCE_STATUS,  /* and to confirm it */
};

/* The fencing of a node. */
struct core_fence {
	enum core_fence_state state;
	uint16_t level, arbiter; /* at work */
	uint16_t tries;          /* of all levels, that failed */
	bool failed;             /* all of them did, and it was told */
	yoke_time at;
	char reason[YOKE_REASON_SIZE]; /* of the last failure */
};

/* A group on this node. */
struct core_group {
	enum yoke_group_state state;
	yoke_time since;    /* of this state */
	uint64_t term;      /* at which we run it, or last ran it; 0: never */
	uint64_t reserved;  /* durable: no term above it was ever used here */
	uint64_t reserving; /* in the records since, until one of them is known to be saved */
	uint16_t grant_to;  /* exclusive: whom we let run it; 0: nobody */
	uint64_t grant_term;
	uint32_t grant_saved;   /* version of the record that has it */
	uint64_t given_up;      /* exclusive: no reservation up to it is used any more */
	bool failing;           /* STOPPING: will be FAILED, not STOPPED */
	bool restarting;        /* STOPPING: will be STARTING again, at the same term */
	uint16_t keep;          /* restarting: so many of its first resources stay started */
	uint16_t stop_failures; /* STOPPING: stops that failed */
	uint16_t stop_tried;    /* STOPPING: the last resource that was tried, 1..; 0: none yet */
	bool ran;               /* UNKNOWN: it may run, it did before */
	bool retired;           /* this node is not to run it any more: retire.c */
	bool rested;            /* it was in maintenance when last looked at */
	bool pinned;            /* it is to stay here, and nobody had it since: policy.c */
	bool pins;              /* ... and has it started here: it is pinned when it is */
	uint64_t started_term;  /* at which it was STARTED here last, or above what others tell of
				   themselves from before; 0: never */
	uint8_t failures;       /* times it FAILED here, within a while of each other */
	yoke_time failed_at;    /* the last of them, or when we started and had its record */
	enum core_prepare prepare;
	uint16_t prepare_by;   /* NODE: its number */
	yoke_time prepared_at; /* CLEAR, since then, also while it is asked again; or NEVER */
	yoke_time prepare_at;  /* HELD: when to probe again */
	uint8_t stranger[CORE_HWADDR_SIZE]; /* who answered */
	enum core_held held;                /* HELD: for what */
	uint16_t told_of;                   /* whose machine answers, as was told; 0: none */
	yoke_time told_at;                  /* and when that was told first */
	yoke_time retry_at;    /* FAILED: eligible again then; STOPPING: stop again then */
	uint16_t conflict;     /* STARTED: number of a node that runs it, too; 0: none */
	yoke_time announce_at; /* a doubt: announce then, if we still are the owner */
	uint16_t owner;        /* as last seen, number; 0: none */
	yoke_time owner_since;
	uint32_t moves;
	char reason[YOKE_REASON_SIZE]; /* why it is as it is, for people */
};

/* A resource on this node. */
struct core_resource {
	enum yoke_resource_state state;
	bool usable, usable_known;        /* known: the shell has told */
	bool retired;                     /* it is not to run any more: retire.c */
	bool added;                       /* its group runs, and it does not yet: retire.c */
	bool fatal;                       /* would fail again: until it is forgiven */
	uint8_t hwaddr[CORE_HWADDR_SIZE]; /* the last one told; all zero: none */
	uint32_t run;                     /* id of the operation that is out; 0: none */
	enum core_run_kind run_kind;
	yoke_time run_deadline;
	bool restoring;        /* started again because something removed it */
	bool removed;          /* while its start or probe was under way: the result is old news */
	uint32_t restores;     /* since init */
	uint32_t window_count; /* restores in the present minute */
	yoke_time window_since;
	uint16_t monitor_row;                      /* what the bad ones in a row weigh */
	uint32_t monitor_bad, monitor_late;        /* of the last ones, the newest in bit 0 */
	yoke_time monitor_at;                      /* the next one; YOKE_NEVER: none */
	uint32_t restart_count;                    /* local restarts since it was last forgiven */
	yoke_time restarted_at[CORE_RESTARTS_MAX]; /* ring of the latest */
	char reason[YOKE_REASON_SIZE];             /* last failure */
};

/* The saved record, see record.c. */
struct core_save {
	uint32_t version; /* of the record that should be durable */
	uint32_t asked;   /* of the CORE_SAVE that is out; 0: none */
	uint32_t durable; /* highest that is */
	bool failing;
	yoke_time retry_at;
	yoke_time test_at; /* saved again then, to see that it can be; YOKE_NEVER: not before */
};

struct core {
	struct core_conf conf;
	yoke_time now, started;
	bool fresh;          /* init's decisions are still to be told */
	uint16_t state_size; /* bytes, as it was told last */
	yoke_time state_told_at;
	bool startup_over; /* nodes not heard until now count as lost */
	yoke_time startup_until;
	bool leaving, left;
	yoke_time leave_deadline;
	char hold[YOKE_REASON_SIZE]; /* why this node must not own anything; empty: it may */
	uint32_t version;            /* of our state as told to others */
	bool dirty;                  /* it changed in this step */
	bool beat_dirty;             /* an acknowledgement changed in this step */
	yoke_time resend_at;         /* somebody may not have it yet */
	uint32_t run_last;
	uint32_t operation_count;
	struct core_save save;
	struct core_intent intent[YOKE_NODES_MAX];
	struct core_node node[YOKE_NODES_MAX]; /* [self - 1] is what we tell of ourselves */
	struct core_group group[YOKE_GROUPS_MAX];
	struct core_resource resource[YOKE_RESOURCES_MAX];
	struct core_arbiter arbiter[YOKE_ARBITERS_MAX];
	struct core_fence fence[YOKE_NODES_MAX]; /* [victim - 1] */
	yoke_time locks_since; /* a majority of the locks is ours; YOKE_NEVER: it is not */
	yoke_time inherited;   /* our lease, as an earlier engine left it */
	yoke_time heard_since; /* another node in contact hears; YOKE_NEVER: none is
					known to */
	bool lease_holds;      /* as last looked */
	uint8_t support;       /* bit n - 1: our beats renew the lease of node n */
	int minute;            /* of the day; -1: not told */
	struct core_rest rest[CORE_RESTS];
	yoke_time rest_since, remind_at; /* YOKE_NEVER: nothing is in maintenance */
	yoke_time unready_since;         /* YOKE_NEVER: it is ready */
	bool unready_told;
	bool watchdog_fails;    /* the shell said so */
	bool resetting;         /* what should stop does not: the watchdog is to reset us */
	bool promised;          /* we left: nothing by an arbiter before we were in contact */
	uint32_t promise_saved; /* version of the record that has it */
	struct {
		yoke_time until;
		bool exclusive, reset;
		struct core_legacy legacy;
	} lease_told;
	struct core_operation history[YOKE_OPERATIONS_MAX]; /* ring */
	uint32_t history_count;                             /* ever put into it */
};

#endif
