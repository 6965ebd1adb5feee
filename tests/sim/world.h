/* tests/sim/world.h - a small world in which real cores live: clock, wires, kernels, disks.
 *
 * Time is virtual: the world goes from one thing that happens to the next.  What happens is a frame
 * that arrives, an operation's effect or result, a save that ends, news of a resource, or a node's
 * own deadline.  Faults are spells: fields named *_until, in force while now is before them.
 * Addresses live in a node's kernel and outlive its engine; the saved record lives on its disk and
 * outlives its power.
 *
 * Reading order: beat.h (the heartbeat), this, world.c (clock and wires), node.c (a node's engine
 * and what surrounds it), kernel.c (operations, disk), arbiter.c (what is outside of the nodes),
 * faults.h, check.h, main.c, scenario.h.
 *
 * Layer: tests.  Memory: one struct sim_world, about 10 MB, from the caller; nothing is allocated.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/core/core.h"
#include "tests/sim/beat.h"
#include "tests/sim/check.h"
#include "tests/sim/random.h"
#include "tests/sim/trace.h"

enum {
	SIM_PATHS_MAX = 3,
	SIM_GROUPS_MAX = 4,
	SIM_RESOURCES_MAX = 12,
	SIM_FRAMES_MAX = 8192, /* on the wires at once; more are lost */
	SIM_QUEUE_MAX = 16384,
	SIM_ASKS_MAX = 1024, /* older ones are answered by then */
	SIM_FAILURE_SIZE = 256,
	SIM_STRANGER = YOKE_NODES_MAX + 1, /* as the one who answers */
};

/* How people want a group run: as core_group_conf. */
struct sim_policy {
	bool parallel, manual, failback, yields;
	uint16_t after, priority;
	uint32_t failback_ms;
	uint16_t failback_from, failback_to;
	uint16_t first, only; /* node, of two; 0: as the group's number has it, on all */
};

/* What a run is like; drawn from the seed, or set by a scenario. */
struct sim_setup {
	uint16_t node_count, path_count, group_count;
	uint16_t resource_count; /* of each group: addresses, then services */
	uint16_t service_count;  /* of each group, among them */
	uint32_t dead_ms, late_ms, interval_ms, startup_ms, conflict_ms, operation_ms, retry_ms;
	uint32_t latency_us, jitter_us; /* of a frame: latency .. latency + jitter */
	uint32_t lag_us;                /* how late a deadline is noticed */
	uint32_t job_us;                /* what starting or stopping takes at most */
	uint32_t save_us;               /* what saving takes at most */
	/* of a service */
	uint32_t monitor_ms, monitor_interval_ms, restart_window_ms;
	uint16_t monitor_failures, monitor_window, restarts;
	bool exclusive; /* every group that may be, but those: */
	bool shared[SIM_GROUPS_MAX];
	bool unproven[SIM_GROUPS_MAX]; /* exclusive, but taken over on silence alone */
	uint32_t lease_ms, watchdog_ms, test_ms;
	uint32_t fence_us, delay_ms; /* what a fence agent takes at most */
	uint16_t arbiter_count;
	enum yoke_arbiter_type arbiter[YOKE_ARBITERS_MAX];
	bool is_second[YOKE_ARBITERS_MAX]; /* a fence device: of level 2, not 1 */
	uint16_t more_retries;             /* of a fence device, than one */
	bool other_has_no_arbiter;         /* a configuration that differs is one without them */
	int32_t rate_ppm[YOKE_NODES_MAX];  /* of the nodes' clocks, against the world's */
	struct sim_policy policy[SIM_GROUPS_MAX];
	bool policies; /* some group has one */
	bool exact;    /* spans are as long as they may be, none is drawn */
};

enum sim_what {
	SIM_FRAME,   /* arrives */
	SIM_EFFECT,  /* an operation does what it does to the kernel */
	SIM_RESULT,  /* and is told to the engine */
	SIM_SAVED,   /* a record is on the disk, or is not */
	SIM_NEWS,    /* a resource changed by itself */
	SIM_CARRIER, /* the engine looks whether its interface has a carrier */
	SIM_ENGINE,  /* the engine starts */
	SIM_POWER,   /* the node is switched on */
	SIM_ASK,     /* a question reaches an arbiter */
	SIM_ANSWER,  /* its answer reaches the engine */
	SIM_RESET,   /* the watchdog looks whether it was fed */
	SIM_RELOAD,  /* the keeper looks whether what was to be retired is */
	SIM_VERB,    /* an operator asks for something */
	SIM_HIT,     /* a loop goes on: see faults_moment.c */
};

struct sim_item {
	yoke_time at;
	uint64_t order; /* of two at the same time the older one comes first */
	enum sim_what what;
	uint16_t node;
	uint32_t epoch; /* of the engine that it is for, or of the boot */
	uint32_t id;    /* frame's slot, run's id, record's version, question's number */
	uint16_t resource;
	uint16_t by; /* ANSWERED: node number or SIM_STRANGER */
	enum core_run_kind kind;
	enum core_result result;
	enum core_resource_news news;
	bool ok;
	bool hangs; /* a program that is ended at its time-out */
};

/* An item's place in the queue: what is compared and moved is small. */
struct sim_place {
	yoke_time at;
	uint64_t order;
	uint32_t item; /* its index */
};

/* A question to an arbiter on its way, and then its answer. */
struct sim_ask {
	bool used;
	uint32_t number; /* its place is that of others, too, one after the other */
	uint16_t node, arbiter, victim;
	uint32_t id;
	uint32_t epoch; /* of the engine that asked: another is not told the answer */
	enum core_ask_kind kind;
	uint32_t lease_ms, timeout_ms;
	struct core_slot slot;
	uint64_t order;
	bool waits; /* in a kernel that waits for its disk */
	bool twice; /* another answer is on its way, too */
	enum core_result result;
	uint16_t holder;
	struct core_slot slots[YOKE_NODES_MAX];
};

/* An arbiter: what is outside of the nodes. */
struct sim_arbiter {
	yoke_time down_until, slow_until;
	yoke_time cut_until[YOKE_NODES_MAX]; /* from this node */
	yoke_time fails_until;               /* fence: does nothing; lock: takes no write */
	yoke_time lies_until;                /* fence */
	bool busy[YOKE_NODES_MAX];           /* disk: a node's process waits for it */
	struct core_slot slot[YOKE_NODES_MAX];
	yoke_time held_at[YOKE_NODES_MAX][2]; /* that it became HELD, last and before that */
	uint16_t holder;                      /* witness; 0: nobody */
	yoke_time renewed_at;
	uint32_t lease_ms;
	uint64_t order[YOKE_NODES_MAX]; /* newest question heard of a node */
};

enum sim_loses { SIM_LOSES_ANY, SIM_LOSES_BEATS, SIM_LOSES_STATES };

/* One direction of one path. */
struct sim_link {
	yoke_time cut_until, worse_until;
	uint32_t loss_permille, duplicate_permille, delay_us; /* in force until worse_until */
	enum sim_loses loses;                                 /* which, by loss_permille */
};

struct sim_node {
	uint16_t number;
	bool powered, engine, exiting;
	uint32_t epoch;             /* grows when the engine ends, or the power */
	yoke_time paused_until;     /* the engine's process does not run before */
	uint32_t paused_room;       /* so many frames it still finds afterwards; others are lost */
	yoke_time wake;             /* of the engine; YOKE_NEVER when it does not run */
	yoke_time beat_at, core_at; /* deadlines of both, by the node's clock */
	yoke_time due_at, due;      /* the first of them, by the node's clock and the world's */
	bool ticking;               /* heartbeat and core are at it: no new wake yet */
	struct core_conf conf;
	struct core core;
	struct sim_beat beat;
	/* kernel */
	bool address[SIM_RESOURCES_MAX];           /* is there; a service: runs */
	yoke_time unwell_until[SIM_RESOURCES_MAX]; /* a service */
	yoke_time carrier_lost_until;
	/* operations */
	uint32_t job[SIM_RESOURCES_MAX]; /* id of the one that is at work; 0: none */
	yoke_time job_begins[SIM_RESOURCES_MAX], job_over[SIM_RESOURCES_MAX];
	uint32_t left[SIM_RESOURCES_MAX]; /* id of a program that outlives its engine; 0: none */
	uint32_t left_epoch[SIM_RESOURCES_MAX];
	yoke_time left_over[SIM_RESOURCES_MAX]; /* what the next engine asks waits for it */
	yoke_time start_fails_until, stop_fails_until, slow_until, odd_until, mute_until;
	uint32_t starts_to_fail[SIM_RESOURCES_MAX];
	/* programs that hang: begun before hangs_until, they are ended at their time-out and gone
	 * at busy_until; those that cannot be killed let nothing else begin from hung_from on */
	yoke_time hangs_until, busy_until[SIM_RESOURCES_MAX], hung_from[SIM_RESOURCES_MAX];
	int64_t hung_us;                    /* so long; 0: they can be killed */
	bool look_hangs[SIM_RESOURCES_MAX]; /* what hangs is a monitor */
	bool fatal[SIM_RESOURCES_MAX]; /* a service cannot start: an operator has to repair it */
	/* disk */
	uint8_t record[YOKE_RECORD_SIZE], saving[YOKE_RECORD_SIZE];
	uint16_t record_size, saving_size;
	bool is_saving;        /* one save at a time, as the keeper does it */
	bool disk_broken;      /* the next start finds its record unreadable */
	bool disk_empty;       /* or, with that, none at all: the machine was installed anew */
	bool is_to_be_alone;   /* the next start finds every path cut */
	uint32_t next_version; /* asked for while another is being saved; 0: none */
	uint8_t next[YOKE_RECORD_SIZE];
	uint16_t next_size;
	yoke_time save_slow_until, save_fails_until, save_hangs_until;
	uint32_t request_last;
	/* keeper: what the engine told it last, by the node's clock */
	yoke_time lease_until, fed_at, reset_since;
	bool lease_exclusive, lease_reset;
	unsigned old;        /* its yoke is so many versions older, at most 2: see skew.h */
	bool other_conf;     /* its configuration differs */
	uint16_t minute;     /* of the day, by its wall clock */
	uint16_t moment;     /* when it has done so many things it will be hit; 0: it will not */
	bool moment_granted; /* it will be when it is granted a group that it does not start yet */
	bool moment_asks;    /* not hit: an operator asks for something then */
	uint16_t loop;       /* so often it will be hit soon after its start */
	bool loop_power;     /* its machine, not its engine only */
	bool confirmed;      /* a person said that it is off: it stays so until it is heard */
};

struct sim_world {
	struct sim_setup setup;
	struct sim_random random;
	struct sim_trace trace;
	struct yoke_names names;
	struct sim_check check;
	yoke_time now;
	yoke_time heal_at; /* no engine stands still after it: what came meanwhile is in order */
	uint64_t order_last, incarnation_last;
	struct sim_node node[YOKE_NODES_MAX];
	struct sim_link link[YOKE_NODES_MAX][YOKE_NODES_MAX][SIM_PATHS_MAX]; /* [from][to][path] */
	yoke_time public_cut_until; /* no node reaches another on the service's network */
	yoke_time stranger_until[SIM_RESOURCES_MAX]; /* somebody else has the address */
	char failure[SIM_FAILURE_SIZE];              /* what went wrong first; empty: nothing */
	struct sim_arbiter arbiter[YOKE_ARBITERS_MAX];
	struct sim_ask ask[SIM_ASKS_MAX];
	uint32_t ask_next;
	uint32_t queue_count, frame_free_count;
	/* From here on nothing is read that was not written in the same history: these are not
	 * cleared for a new one. */
	struct sim_place queue[SIM_QUEUE_MAX]; /* binary heap; behind it the items that are free */
	struct sim_item item[SIM_QUEUE_MAX];
	uint32_t frame_free[SIM_FRAMES_MAX];
	struct sim_frame frame[SIM_FRAMES_MAX];
	struct core_actions actions; /* of the step at hand */
};

/* ---- world.c ---- */

/* Everything is switched off; setup is copied.  The trace's show and text may be set afterwards. */
void sim_world_init(struct sim_world *w, const struct sim_setup *setup, uint64_t seed);
/* Go on to `until`, or to the first failure. */
void sim_world_run(struct sim_world *w, yoke_time until);
void sim_world_push(struct sim_world *w, const struct sim_item *item, int64_t in_us);
/* Note what went wrong; only the first one counts. */
void sim_world_fail(struct sim_world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool sim_world_in_force(const struct sim_world *w, yoke_time until);
/* Every spell is over; nodes and engines stay as they are. */
void sim_world_calm(struct sim_world *w);
const char *sim_world_name(const struct sim_world *w, uint16_t node);
/* A random span of 1..max_us; max_us in an exact world. */
int64_t sim_world_span(struct sim_world *w, uint32_t max_us);
const struct sim_policy *sim_world_policy(const struct sim_world *w, uint16_t group);
/* Must the group never be on two nodes?  Not one that silence moves. */
bool sim_world_is_exclusive(const struct sim_world *w, uint16_t group);
bool sim_world_is_unproven(const struct sim_world *w, uint16_t group);
bool sim_world_is_service(const struct sim_world *w, uint16_t resource);
/* How long it takes at most until a fault of a service is noticed. */
int64_t sim_world_monitor_us(const struct sim_world *w);

/* ---- node.c: nodes by number ---- */

void sim_node_init(struct sim_world *w, uint16_t node);
void sim_node_power_on(struct sim_world *w, uint16_t node);
void sim_node_power_off(struct sim_world *w, uint16_t node);
void sim_node_start(struct sim_world *w, uint16_t node);
void sim_node_crash(struct sim_world *w, uint16_t node);
/* What the last CORE_RETIRE named is gone: another engine, which has it again; else called off. */
void sim_node_reload(struct sim_world *w, uint16_t node);
void sim_node_leave(struct sim_world *w, uint16_t node);
/* Returns the request's id, or 0 when the engine does not run. */
/* Its wall clock is set, or goes on, to this minute of the day. */
void sim_node_clock(struct sim_world *w, uint16_t node, uint16_t minute);
/* Its configuration becomes another one, or that of all again, from its engine's next start on. */
void sim_node_configure(struct sim_world *w, uint16_t node, bool other);
uint32_t sim_node_operate(struct sim_world *w, uint16_t node, enum yoke_verb verb, uint16_t group,
			  uint16_t target);
void sim_node_step(struct sim_world *w, uint16_t node, struct core_event *ev);
/* Its deadline has come. */
void sim_node_wake(struct sim_world *w, uint16_t node);
void sim_node_frame(struct sim_world *w, struct sim_frame *frame);
void sim_node_rest(struct sim_world *w, uint16_t node);
/* room: frames that wait for its end; UINT32_MAX: all. */
void sim_node_pause(struct sim_world *w, uint16_t node, yoke_time until, uint32_t room);

/* The node's own clock, which has its own rate, and back (rounded up). */
yoke_time sim_node_now(const struct sim_world *w, uint16_t node);
yoke_time sim_node_world(const struct sim_world *w, uint16_t node, yoke_time at);

/* ---- arbiter.c ---- */

void sim_arbiter_init(struct sim_world *w);
void sim_arbiter_configure(const struct sim_world *w, struct core_conf *conf);
void sim_arbiter_ask(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_arbiter_cancel(struct sim_world *w, uint16_t node, uint32_t id);
void sim_arbiter_reached(struct sim_world *w, const struct sim_item *item);
void sim_arbiter_answer(struct sim_world *w, const struct sim_item *item);
/* Is a write of it to a disk under way? */
bool sim_arbiter_is_writing(const struct sim_world *w, uint16_t node);
/* The power of a node ends: what it was writing is written, or is not. */
void sim_arbiter_power_off(struct sim_world *w, uint16_t node);
/* What the engine tells the keeper of its lease, and the watchdog that is fed by it. */
void sim_arbiter_lease(struct sim_world *w, uint16_t node, const struct core_action *a);
void sim_arbiter_watchdog(struct sim_world *w, const struct sim_item *item);
unsigned sim_arbiter_count(const struct sim_world *w, enum yoke_arbiter_type type);
bool sim_arbiter_has(const struct sim_world *w, enum yoke_arbiter_type type);
bool sim_arbiter_has_lock(const struct sim_world *w);
/* What `yoke check` promises of an exclusive group or another one, with the arbiters that work now:
 * from the death of its owner until it is started elsewhere.  INT64_MAX: nothing. */
int64_t sim_arbiter_bound_us(const struct sim_world *w, bool exclusive);

/* ---- kernel.c ---- */

void sim_kernel_run(struct sim_world *w, uint16_t node, const struct core_action *action);
void sim_kernel_cancel(struct sim_world *w, uint16_t node, uint32_t id);
void sim_kernel_effect(struct sim_world *w, const struct sim_item *item);
/* Is it a program that the keeper runs, which goes on without the engine that asked for it? */
bool sim_kernel_is_program(const struct sim_world *w, const struct sim_item *item);
/* The engine ends: its programs go on, and what the next one asks for the same resource waits. */
void sim_kernel_leave(struct sim_world *w, uint16_t node);
/* What an engine that is gone has asked for happens: nobody is told. */
void sim_kernel_left(struct sim_world *w, const struct sim_item *item);
void sim_kernel_save(struct sim_world *w, uint16_t node, uint32_t version, const uint8_t *bytes,
		     uint16_t size);
void sim_kernel_saved(struct sim_world *w, const struct sim_item *item);
void sim_kernel_set_address(struct sim_world *w, uint16_t node, uint16_t resource, bool present);
/* Somebody takes the address away, and the engine hears of it; a service dies, and it does not. */
void sim_kernel_remove(struct sim_world *w, uint16_t node, uint16_t resource);
bool sim_kernel_has_carrier(const struct sim_world *w, uint16_t node);
/* Have the engine told, then, whether its resources are usable. */
void sim_kernel_tell_usable(struct sim_world *w, uint16_t node, int64_t in_us);
void sim_kernel_carrier(struct sim_world *w, uint16_t node);

#endif
