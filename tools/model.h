/* tools/model.h - the nodes of a configuration, each with the real core, in made-up time.
 *
 * For `yoke simulate`: what would the cluster do?  The cores are those that the engines run; what
 * is around them is ideal: messages take MODEL_LATENCY_MS, whatever is started, stopped, asked or
 * saved is done at once unless it was said to fail, and nothing else goes wrong.  A path is late
 * and down by the times of the configuration, counted from the last beat.
 *
 * Layer: tools.  May include: agent/base, agent/core, agent/engine.h (its setup), conf.
 * Memory: one struct tool_model, about 2 MB, from the caller; nothing is allocated.  Blocks never.
 */
#ifndef TOOLS_MODEL_H
#define TOOLS_MODEL_H

#include "agent/core/core.h"
#include "conf/conf.h"

enum { TOOL_MODEL_QUEUE_MAX = 512, TOOL_MODEL_LATENCY_MS = 1 };

struct tool_model;

/* An event of a node; text is rendered. */
typedef void (*tool_model_event)(struct tool_model *m, uint16_t node,
				 const struct yoke_event *event);

struct tool_model_item {
	yoke_time at;
	uint16_t node;
	struct core_event event;
};

/* What a node is and has: set by the caller before it is started, and when something fails. */
struct tool_model_node {
	bool on;
	bool runs[YOKE_RESOURCES_MAX];     /* [number - 1]: the resource is there */
	bool broken[YOKE_RESOURCES_MAX];   /* cannot be started, and is found not well */
	bool unusable[YOKE_RESOURCES_MAX]; /* has no interface or no carrier */
	/* the model's own */
	struct core_conf conf;
	struct core core;
	uint8_t beat[YOKE_MESSAGE_SIZE];
	uint16_t beat_size;
	enum yoke_path_state path[YOKE_NODES_MAX][YOKE_PATHS_MAX]; /* [other - 1][path - 1] */
	yoke_time heard_at[YOKE_NODES_MAX][YOKE_PATHS_MAX];
};

/* A lock as its arbiter has it. */
struct tool_model_lock {
	uint16_t holder; /* witness; 0: nobody */
	yoke_time until;
	struct core_slot slot[YOKE_NODES_MAX]; /* disk */
};

struct tool_model {
	yoke_time now;
	struct yoke_names names;
	struct tool_model_node node[YOKE_NODES_MAX]; /* [number - 1] */
	bool cut[YOKE_PATHS_MAX];                    /* [path - 1], both ways */
	bool fails[YOKE_ARBITERS_MAX];               /* [number - 1] */
	tool_model_event on_event;
	enum yoke_verdict verdict; /* of the last request */
	/* the model's own */
	struct tool_model_lock lock[YOKE_ARBITERS_MAX];
	yoke_time beat_at;
	struct tool_model_item queue[TOOL_MODEL_QUEUE_MAX]; /* by time */
	unsigned queued;
	struct core_actions actions;
};

/* Nobody runs, nothing is broken. */
void tool_model_init(struct tool_model *m, const struct conf *conf, tool_model_event on_event);
/* An engine starts, and finds what its node has. */
void tool_model_start(struct tool_model *m, uint16_t node);
/* Without power, and with nothing that it ran. */
void tool_model_power_off(struct tool_model *m, uint16_t node);
/* It hands over and says goodbye, as far as it can within the operation time. */
void tool_model_leave(struct tool_model *m, uint16_t node);
/* The time of day, in minutes, for all that are on. */
void tool_model_clock(struct tool_model *m, uint16_t minute);
/* The shell's news of a resource. */
void tool_model_news(struct tool_model *m, uint16_t node, struct core_event *news);
void tool_model_ask(struct tool_model *m, uint16_t at, enum yoke_verb verb, uint16_t group,
		    uint16_t node);
/* Let time pass. */
void tool_model_run(struct tool_model *m, int64_t span_ms);
/* The node that runs the group, by the word of those that are on; 0: none. */
uint16_t tool_model_owner(const struct tool_model *m, uint16_t group);

/* model_arbiter.c: put the question to the arbiter; *answer is what it says at once. */
void tool_model_arbiter(struct tool_model *m, uint16_t node, const struct core_action *ask,
			struct core_event *answer);

#endif
