/* agent/engine.h - the engine: one loop that turns what happens into events for the core, and does
 * the actions that the core answers with.
 *
 * Reading order: loop.c (the turn: the only place that waits), feed.c (event to core to actions),
 * keys.h (exchanging keys), history.c (events that were recorded), refused.h (frames that are an
 * alarm), control.c (the socket), view.c (snapshots).
 *
 *   libevent callback -> agent_engine_feed(event) -> core_step() -> actions, each done at once
 *   after every turn: heartbeats and addresses that are due, one timer armed, sign of life
 *
 * Nothing in this process waits but the loop itself, and nothing is allocated while nothing
 * changes: openssl allocates when a peer's engine is new, libevent when it polls a descriptor for
 * the first time.
 *
 * Layer: agent; libevent appears in loop.c and control.c.
 */
#ifndef AGENT_ENGINE_H
#define AGENT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/address.h"
#include "agent/ask.h"
#include "agent/base/json.h"
#include "agent/base/snapshot.h"
#include "agent/channel.h"
#include "agent/keys.h"
#include "agent/core/core.h"
#include "agent/refused.h"
#include "agent/shared.h"
#include "conf/conf.h"
#include "hb/hb.h"

enum {
	AGENT_RESULTS_MAX = 4 * YOKE_RESOURCES_MAX, /* results that wait for their turn */
	AGENT_TURN_LONG_MS = 50,                    /* a turn that took longer is an event */
};

/* A result that came while an action was being done: fed to the core after the others. */
struct agent_result {
	enum core_event_type type; /* CORE_RESULT, CORE_ANSWER; CORE_SAVED: id is its version */
	uint32_t id;
	enum core_result result;
	char reason[YOKE_REASON_SIZE];
};

struct agent_control;

struct agent_engine {
	struct conf conf;
	uint16_t self;    /* node number */
	int64_t snmp_uid; /* the subagent's: may operate when SET is enabled; -1: none */
	struct core_conf core_conf;
	struct core core;
	struct core_actions actions; /* of the present step */
	struct core_event event;     /* scratch for the event at hand */
	struct hb hb;
	struct hb_received received; /* scratch */
	struct hb_changes changes;   /* scratch */
	struct agent_address_set addresses;
	uint16_t address[YOKE_RESOURCES_MAX]; /* [resource number - 1]: index in addresses */
	struct agent_address_notes notes;     /* scratch */
	struct agent_ask_set asks;
	struct agent_result result[AGENT_RESULTS_MAX]; /* ring */
	unsigned result_first, result_count;
	struct agent_channel_message message; /* scratch */
	struct agent_shared *shared;
	struct yoke_names names;
	struct {
		uint32_t request;
		enum yoke_verdict verdict;
		uint32_t operation;
	} reply; /* of the last CORE_OPERATE */
	uint32_t request_last;
	int64_t started_wall_ms;
	yoke_time refused_at; /* last event of a refused looker; others are counted until a second
				 later */
	uint64_t refused_count;
	bool realtime;
	bool exiting;
	bool kick_due; /* something was recorded that subscribers have not been told */
	int64_t path_changed_ms[YOKE_NODES_MAX][YOKE_PATHS_MAX]; /* wall clock; 0: never */
	struct agent_refused refused;
	uint64_t log_dropped_told;
	char open_reason[YOKE_PATHS_MAX][YOKE_REASON_SIZE]; /* [path - 1]: why a line or disk is not
							       open, or does not answer */
	bool is_open[YOKE_PATHS_MAX];                       /* was given to hb */
	int64_t key_made_s[CONF_KEYS_MAX];   /* of the keys that hb has; 0: not known */
	uint8_t disk_key[YOKE_ARBITERS_MAX]; /* id of the oldest one that is on the disk; 0: none */
	bool retiring;                       /* the keeper waits until something is retired */
	uint32_t retire_serial, missing_serial; /* of the last RETIRE; the last MISSING had this */
	bool missing[YOKE_RESOURCES_MAX];   /* as told to the keeper, or by it: core_may_miss() */
	uint32_t reloads_told;              /* already in an event */
	uint32_t key_reads;                 /* times that the key file was read again, or not */
	char key_reason[YOKE_REASON_SIZE];  /* why not, the last time; empty: it was */
	struct {
		uint32_t number; /* of the transfer that is asked for here; 0: none */
		uint16_t node, size;
		uint32_t heard; /* answers, over all transfers; the last one: */
		uint8_t bytes[YOKE_PIECE_SIZE];
	} bulk;
	struct yoke_snapshot snapshot; /* scratch */
	struct agent_control *control;
};

/* ---- loop.c ---- */

yoke_time agent_engine_now(void);
int64_t agent_engine_wall_ms(void);
/* Turn until the core says that the leave is complete.  Returns the exit status. */
int agent_loop_run(struct agent_engine *e);

/* ---- setup.c: configuration to core and heartbeat ---- */

void agent_setup_core(const struct conf *conf, uint16_t self, uint64_t incarnation,
		      struct core_conf *core);
/* The engine before this one ran until a moment ago: the network is up and a living peer is heard
 * within the dead time, so startup_ms, which is for a booting machine, need not be waited for. */
void agent_setup_restarted(struct core_conf *core);
void agent_setup_hb(const struct conf *conf, uint16_t self, uint64_t incarnation,
		    const struct hb_keys *keys, struct hb_conf *hb);
void agent_setup_names(const struct conf *conf, struct yoke_names *names);
/* Fill in all addresses, and where each resource's is.  Returns how many. */
unsigned agent_setup_addresses(const struct conf *conf, struct agent_address_conf *addresses,
			       uint16_t index[YOKE_RESOURCES_MAX]);

/* ---- feed.c ---- */

/* Give the core an event and do what it answers; then the results of that, until there are none. */
void agent_engine_feed(struct agent_engine *e, const struct core_event *event);
/* Feed what heartbeats and addresses reported. */
void agent_engine_feed_changes(struct agent_engine *e, yoke_time now);
void agent_engine_feed_received(struct agent_engine *e, yoke_time now);
/* The keeper's answer to a job, in e->message. */
void agent_engine_feed_done(struct agent_engine *e, yoke_time now);
/* And to an ask. */
void agent_engine_feed_answer(struct agent_engine *e, yoke_time now);
/* What it sees of the programs of a script. */
void agent_engine_feed_program(struct agent_engine *e, yoke_time now);
/* Answers of witnesses and reference addresses. */
void agent_engine_feed_asks(struct agent_engine *e, yoke_time now);
/* The minute of the day, if a group's window asks for it; to be called once a minute. */
void agent_engine_feed_clock(struct agent_engine *e, yoke_time now);
/* Whether the watchdog works, when the core has not been told so. */
void agent_engine_feed_watchdog(struct agent_engine *e, yoke_time now);
/* At the start: a script can run everywhere, until the keeper says that its program is gone. */
void agent_engine_feed_scripts(struct agent_engine *e, yoke_time now);
void agent_engine_feed_notes(struct agent_engine *e, yoke_time now);

/* ---- history.c ---- */

/* Number, time and text for an event; keep it, log it, have it saved. */
void agent_history_add(struct agent_engine *e, const struct yoke_event *event);
/* The same for one of the shell's own. */
void agent_history_note(struct agent_engine *e, enum yoke_event_kind kind, uint64_t value,
			const char *reason);
/* Copy events with seq > after, oldest first, at most `max`; *missed: how many are forgotten. */
unsigned agent_history_after(const struct agent_engine *e, uint64_t after,
			     struct yoke_event *events, unsigned max, uint64_t *missed);
/* What the keeper says of the watchdog. */
void agent_history_watchdog(struct agent_engine *e);
/* What became of a configuration that was read again. */
void agent_history_reload(struct agent_engine *e);
/* Once a minute: what only counters know. */
void agent_history_minute(struct agent_engine *e);

/* ---- line.c: serial lines and shared disks, which another process opens ---- */

/* Ask for those that hb wants, and see which disks do not answer. */
void agent_line_look(struct agent_engine *e);
/* The answer, in e->message; fd: of the line, or to the disk's process, which is ours; -1: it could
 * not be opened. */
void agent_line_opened(struct agent_engine *e, int fd, yoke_time now);

/* ---- bulk.c: pieces of configurations, on their way ---- */

/* Root here asks a node (number, another one). */
void agent_bulk_ask(struct agent_engine *e, const struct yoke_request *request, uint16_t node,
		    struct yoke_answer *answer);
/* One came, in e->received. */
void agent_bulk_received(struct agent_engine *e);
/* The keeper's answer to one, in e->message. */
void agent_bulk_answer(struct agent_engine *e, yoke_time now);

/* ---- view.c ---- */

void agent_view(struct agent_engine *e, struct yoke_snapshot *snapshot);

#endif
