/* tools/tool.h - the operator's command line: its verbs, options and exit codes.
 *
 * yoke speaks to the engine of its own node over the control socket (agent/base/json.h) and to
 * nobody else; `check`, `key` and `replay` work without an engine.  Reading order: this, main.c
 * (the table of verbs), client.h (one connection), follow.h (events as they come), show.h (text),
 * then a file for each family of verbs: status.c, watch.c, operate.c, check.c, key.c, disk.c,
 * simulate.c, reload.c, config.c (and running.h, transfer.h, diff.h), serial.c (and cable.h),
 * replay.c.
 *
 * Every wait has an end.  No program is started but diff(1).  What comes from the engine is checked
 * by yoke_json_get_answer() and holds no control characters.
 *
 * Layer: tools.  May include: agent/base; check.c also conf/conf.h and hb/tty.h, key.c
 * conf/conf.h, running.h conf/change.h, config.c conf/push.h and hb/seal.h, disk.c conf/conf.h
 * and hb/disk.h, serial.c hb/tty.h, cable.h hb/cobs.h, replay.c agent/core/core.h, and simulate.c
 * and model.c the core, its setup and conf/conf.h, because they are those libraries' front ends.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>

enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,    /* refused, failed, or the file has errors */
	TOOL_USAGE = 2,     /* the command line is wrong */
	TOOL_NO_ENGINE = 3, /* no engine, or no permission to speak to it */
	TOOL_TIMED_OUT = 4, /* no answer, or no outcome, in time */
	TOOL_DEGRADED = 10, /* status --exit-code: redundancy is missing */
	TOOL_CRITICAL = 11, /* status --exit-code: something that should run does not */
};

#define TOOL_SOCKET "/run/yoke/yoke.sock"
#define TOOL_CONF "/etc/yoke/yoke.conf"
#define TOOL_KEY "/etc/yoke/cluster.key"

struct tool_options {
	const char *socket_path; /* --socket, else $YOKE_SOCKET, else TOOL_SOCKET */
	const char *reason;      /* --reason; NULL: none */
	const char *by, *ticket; /* --by, --ticket; NULL: not given */
	uint32_t timeout_s;      /* --timeout, 1..3600, default 60 */
	uint32_t count;          /* -n, 1..512, default 20 */
	uint32_t baud;           /* --baud; 0: not given */
	bool json, wide, follow, no_wait, exit_code, force, fail, rtscts, yes;
	bool colour; /* standard output is a terminal, and NO_COLOR is not set */
	bool is_tty; /* standard output is a terminal */
};

struct tool_verb {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *summary;   /* one line */
	const char *help;      /* what --help adds; "" for nothing */
	const char *options;   /* letters of the options it takes, see options.c */
	int arguments_min, arguments_max;
	/* argc counts the arguments alone, argv[0] is the first.  Returns an exit code. */
	int (*run)(const struct tool_options *options, int argc, char **argv);
};

/* Read the options of one verb.  argv[0] is the verb; the arguments that are not options are moved
 * to the end, the first at *first.  Returns -1 to go on, or the exit code when --help was given or
 * the command line is wrong (it is explained then). */
int tool_options_read(const struct tool_verb *verb, int argc, char **argv,
		      struct tool_options *options, int *first);

/* The usage, help and options of a verb, to standard output. */
void tool_options_help(const struct tool_verb *verb);

int tool_status(const struct tool_options *options, int argc, char **argv);
int tool_history(const struct tool_options *options, int argc, char **argv);
int tool_watch(const struct tool_options *options, int argc, char **argv);
int tool_switch(const struct tool_options *options, int argc, char **argv);
int tool_failback(const struct tool_options *options, int argc, char **argv);
int tool_standby(const struct tool_options *options, int argc, char **argv);
int tool_online(const struct tool_options *options, int argc, char **argv);
int tool_maintenance(const struct tool_options *options, int argc, char **argv);
int tool_resume(const struct tool_options *options, int argc, char **argv);
int tool_confirm_down(const struct tool_options *options, int argc, char **argv);
int tool_simulate(const struct tool_options *options, int argc, char **argv);
int tool_serial_test(const struct tool_options *options, int argc, char **argv);
int tool_disk(const struct tool_options *options, int argc, char **argv);
int tool_check(const struct tool_options *options, int argc, char **argv);
int tool_reload(const struct tool_options *options, int argc, char **argv);
int tool_config(const struct tool_options *options, int argc, char **argv);
int tool_key(const struct tool_options *options, int argc, char **argv);

/* Run a flight recorder file through the core and print the trace.  argv[0] is "replay", argv[1]
 * the file. */
int tool_replay(int argc, char **argv);

#endif
