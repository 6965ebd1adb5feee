/* agent/base/snapshot.h - the cluster as one node sees it, at one instant.
 *
 * The engine fills it (core_view() for what the core knows, the shell for names, counters and
 * versions); the subagent, the CLI and the console read it.  One struct, so that "what does yoke
 * know?" has one answer.  Indexes are the MIB's: number n is at [n - 1], equal on both nodes.
 *
 * Layer: base, pure.  Memory: plain values, about 60 KB; nothing is owned.  Never on the wire as
 * bytes: agent/base/json.h encodes it.
 */
#ifndef AGENT_BASE_SNAPSHOT_H
#define AGENT_BASE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/event.h"
#include "agent/base/limits.h"
#include "agent/base/words.h"

struct yoke_snapshot_node {
	char name[YOKE_NAME_SIZE];
	enum yoke_node_state state;
	bool standby;                        /* operator's intent: takes no group */
	bool maintenance;                    /* what it runs is observed and not acted upon */
	bool config_same;                    /* its configuration digest equals ours */
	char config_differs[YOKE_REASON_SIZE]; /* "paths, group web"; empty: equal */
	uint32_t protocol_min, protocol_max; /* that it speaks; 0: not known */
	uint32_t protocol;            /* the newest that it and we speak; 0: none, or not known */
	char version[YOKE_NAME_SIZE]; /* its yoke version; empty: not known */
	int64_t changed_wall_ms;      /* last change of state; 0: none since the engine started */
	int64_t started_wall_ms;      /* start of its engine as first seen here; 0: never seen */
	uint32_t paths_up;            /* of the paths from here to it; for ourselves: 0 */
};

/* One path to one other node. */
struct yoke_snapshot_path {
	uint16_t node; /* the other end's number, 1.. */
	uint16_t path; /* the path's number, 1.. */
	char name[YOKE_NAME_SIZE];
	enum yoke_path_type type;
	enum yoke_path_role role;
	uint32_t interval_ms;           /* between two heartbeats that we send, at present */
	char local[64], remote[64];     /* "192.0.2.1:4747", "[fd00::1]:4747", or for a serial line
					   "/dev/ttyS0 at 9600 baud" */
	char interface[YOKE_NAME_SIZE]; /* empty: any */
	char multicast[64]; /* where we send to instead of `remote`, like it; empty: no */
	enum yoke_path_state state;
	int64_t changed_wall_ms; /* 0: never */
	uint64_t sent, received; /* frames since the engine started */
	uint64_t missed;         /* gaps in the peer's sequence: lost on the way to us */
	uint64_t refused_seal, refused_replay, refused_version, refused_length, refused_cluster,
		refused_sender, refused_key; /* frames refused, by cause */
	uint64_t delayed; /* frames that came later than late_ms after the one before */
	uint32_t rtt_us;  /* smoothed round trip; 0: not measured */
	uint32_t rtt_min_us, rtt_mean_us, rtt_max_us; /* in the last minute */
	uint32_t jitter_us;            /* smoothed difference of two round trips in a row */
	uint32_t loss_permille;        /* of the frames sent to us in the last minute */
	uint32_t loss_hour_permille;   /* and in the last hour */
	uint32_t flaps;                /* times it went from up to down */
	char reason[YOKE_REASON_SIZE]; /* why its end here is not open; empty: it is */
};

/* A group in the cluster. */
struct yoke_snapshot_group {
	char name[YOKE_NAME_SIZE];
	bool exclusive;
	bool parallel;      /* runs on each of its nodes; the owner is one of them */
	bool manual;        /* no fault moves it */
	bool maintenance;   /* itself, not its node or the cluster */
	bool pinned;        /* it is to stay with its owner, which is not its first node */
	uint32_t priority;  /* 0..100 */
	uint16_t owner;     /* node number; 0: none */
	uint16_t preferred; /* first of its nodes */
	uint64_t term;      /* highest known */
	enum yoke_group_state state;
	enum yoke_condition condition;
	int64_t changed_wall_ms;       /* last change of owner; 0: none since the engine started */
	uint32_t moves;                /* changes of owner seen since the engine started */
	char reason[YOKE_REASON_SIZE]; /* why it is where it is, or why it is nowhere */
};

/* A group on one node. */
struct yoke_snapshot_member {
	uint16_t group, node; /* numbers */
	uint16_t rank;        /* 1: preferred node */
	enum yoke_group_state state;
	bool ready;                    /* could take the group over now */
	char reason[YOKE_REASON_SIZE]; /* why it is not ready; empty when it is */
};

struct yoke_snapshot_resource {
	uint16_t group; /* number */
	char name[YOKE_NAME_SIZE];
	enum yoke_resource_type type;
	char text[80];                                  /* what it is: "192.0.2.10/24 on eth0" */
	enum yoke_resource_state state[YOKE_NODES_MAX]; /* [node - 1]; unknown: not told */
	bool usable;       /* could run here: its interface is there and has a carrier */
	uint32_t restores; /* times it was put back here since the engine started */
	char reason[YOKE_REASON_SIZE]; /* last failure here; empty: none */
};

/* An arbiter, as the node that answers sees it. */
struct yoke_snapshot_arbiter {
	char name[YOKE_NAME_SIZE];
	enum yoke_arbiter_type type;
	char text[80]; /* what it is: "fence_ipmilan, level 1", "/dev/disk/by-id/...", an address */
	enum yoke_arbiter_state state;
	uint16_t holder;               /* of a lock, node number; 0: nobody, or no lock */
	int64_t changed_wall_ms;       /* last change of state; 0: none */
	int64_t tested_wall_ms;        /* last answer, good or bad; 0: none */
	char reason[YOKE_REASON_SIZE]; /* of its last failure; empty when it works */
};

/* A reason why a failover would not succeed now. */
struct yoke_snapshot_unready {
	char reason[YOKE_REASON_SIZE];
};

struct yoke_snapshot_operation {
	uint32_t number; /* node number * 2^24 + count */
	enum yoke_verb verb;
	enum yoke_origin origin;
	uint16_t group, node; /* numbers; 0: none */
	enum yoke_operation_state state;
	int64_t started_wall_ms, ended_wall_ms; /* 0: not yet */
	char reason[YOKE_REASON_SIZE];          /* who and why asked; then the outcome */
};

/* One of the cluster's keys; what it is stays with the engine. */
struct yoke_snapshot_key {
	uint16_t id;
	int64_t made_wall_ms; /* the day on which it was made; 0: not known */
	bool shown;           /* the other node has shown that it has it, too */
	bool seals;           /* what we send is sealed with it */
	bool opens;           /* what the other node sends is, and it is in contact */
	bool arbiters;        /* a witness or a shared disk still goes by it */
};

struct yoke_snapshot {
	char cluster[YOKE_NAME_SIZE];
	char version[YOKE_NAME_SIZE];
	uint16_t self; /* number of the node that answers */
	enum yoke_condition condition;
	char text[YOKE_TEXT_SIZE]; /* the condition in a sentence */
	int64_t taken_wall_ms;     /* when the snapshot was taken */
	int64_t engine_started_wall_ms;
	uint64_t last_event; /* seq of the newest event; 0: none */
	uint32_t interval_ms, dead_ms, late_ms;
	bool snmp_set;                     /* SET is enabled */
	bool realtime;                     /* the engine has realtime priority and locked memory */
	uint32_t control_lock;             /* grows with each accepted operation */
	uint32_t lease_ms;                 /* 0: nothing here ends a lease */
	int64_t lease_left_ms;             /* until exclusive groups stop here; -1: no end */
	uint32_t watchdog_ms;              /* its timeout; 0: there is none */
	bool watchdog;                     /* it is open and fed */
	bool maintenance;                  /* the whole cluster's */
	uint32_t config_reads; /* times that the configuration was read again, or refused */
	char config_reason[YOKE_REASON_SIZE]; /* why it was refused the last time; empty: not */
	uint32_t key_reads;                /* times that the key file was read again, or refused */
	char key_reason[YOKE_REASON_SIZE]; /* why it was refused the last time; empty: it was not */
	uint32_t node_count, link_count, group_count, member_count, resource_count, operation_count;
	uint32_t arbiter_count, unready_count, key_count;
	struct yoke_snapshot_node node[YOKE_NODES_MAX];
	struct yoke_snapshot_path link[YOKE_NODES_MAX * YOKE_PATHS_MAX]; /* link_count rows, by
									    node, then path */
	struct yoke_snapshot_group group[YOKE_GROUPS_MAX];
	struct yoke_snapshot_member member[YOKE_GROUPS_MAX * YOKE_NODES_MAX]; /* by group, node */
	struct yoke_snapshot_resource resource[YOKE_RESOURCES_MAX];
	struct yoke_snapshot_arbiter arbiter[YOKE_ARBITERS_MAX];
	struct yoke_snapshot_unready unready[YOKE_UNREADY_MAX];
	struct yoke_snapshot_key key[YOKE_KEYS_MAX];                   /* oldest first */
	struct yoke_snapshot_operation operation[YOKE_OPERATIONS_MAX]; /* oldest first */
};

#endif
