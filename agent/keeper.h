/* agent/keeper.h - the root process: tiny, starts the others, and looks after them.
 *
 * An engine that dies is started again at once; one that is stopped (SIGSTOP) or shows no sign of
 * life for agent_role_hang_ms() is killed and started again: the new one adopts what runs.  The
 * configuration that the keeper checked at its start is what every engine gets, so that a file
 * edited badly meanwhile cannot prevent a restart.  If the keeper dies, the kernel ends the others
 * with it, whoever started the keeper starts it again, and addresses and services stay where they
 * are.
 *
 * For an upgrade, and when the configuration is read again, the keeper becomes the new program
 * (exec: the same process), which starts a new engine in place of the old one.
 *
 * Layer: agent.  Its loop waits in poll(2) only.
 */
#ifndef AGENT_KEEPER_H
#define AGENT_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/channel.h"
#include "agent/job.h"
#include "agent/saves.h"
#include "agent/shared.h"
#include "agent/watchdog.h"
#include "conf/change.h"
#include "conf/conf.h"

struct agent_keeper_child {
	const char *name;
	pid_t pid;           /* 0: does not run */
	int64_t started_ms;  /* monotonic */
	int64_t start_at_ms; /* when to start it (again); INT64_MAX: not wanted */
	unsigned quick_ends; /* in a row, each within a second of its start */
};

/* The process of a disk arbiter, of a serial line or of a path over a disk, which may wait. */
struct agent_keeper_helper {
	struct agent_keeper_child child;
	int fd;          /* channel; -1: closed */
	uint32_t asked;  /* id of the question that it is at; 0: none */
	uint32_t engine; /* which engine asked */
};

/* Whether the programs of scripts are there is looked at by a process, which may wait. */
struct agent_keeper_programs {
	pid_t pid;                      /* 0: none looks */
	int64_t look_at_ms;             /* INT64_MAX: there are none */
	struct agent_keeper_seen *seen; /* [resource number - 1]; NULL: as above */
	int told[YOKE_RESOURCES_MAX];   /* errno that this engine was told; 0: all can be run */
};

/* How far the exchange of the program is. */
enum agent_keeper_renewal {
	AGENT_RENEW_NOT = 0,
	AGENT_RENEW_TRIED,    /* the new program is asked whether it could */
	AGENT_RENEW_RETIRING, /* until what another configuration does not have is stopped */
	AGENT_RENEW_WAITS,    /* until no job changes anything */
	AGENT_RENEW_ENDING,   /* until what writes to disks has ended; the engine is not heard */
};

/* How far what the courier put in place is. */
enum agent_keeper_push {
	AGENT_PUSH_NOT = 0,
	AGENT_PUSH_WAITS,   /* until nothing else is under way */
	AGENT_PUSH_TRIED,   /* the reload that is under way is for it */
	AGENT_PUSH_REFUSED, /* until its channel takes that */
};

struct agent_keeper {
	struct conf conf;
	const char *program, *conf_file; /* as given */
	char file[CONF_FILE_SIZE];       /* of the program; empty: not known */
	enum agent_keeper_renewal renewal;
	pid_t trial; /* process; 0: none */
	int64_t renew_until_ms;
	int next_fd;               /* the configuration to go on with; -1: the present one */
	struct conf next;          /* the same */
	struct conf_change change; /* from the present one to that */
	pid_t elder;               /* the engine of the program before us, which runs on; 0: none */
	int elder_fd;              /* its channel, not read; -1: none */
	char node[YOKE_NAME_SIZE];
	int self;       /* the node's index */
	int new_key_fd; /* read, and not taken by the engine yet; -1: none */
	int conf_fd, key_fd, shared_fd, control_fd, lock_fd, signal_fd;
	int engine_fd, saver_fd; /* channels; -1: closed */
	struct agent_shared *shared;
	uid_t uid, snmp_uid;
	gid_t gid, snmp_gid;
	struct agent_keeper_child engine, saver, snmp;
	struct agent_keeper_helper disk[YOKE_ARBITERS_MAX]; /* [arbiter number - 1] */
	struct agent_keeper_helper line[YOKE_PATHS_MAX];    /* [path number - 1] */
	struct agent_keeper_helper courier;
	struct agent_keeper_programs programs;
	enum agent_keeper_push push;
	char push_reason[YOKE_REASON_SIZE]; /* why it is refused */
	struct agent_saves saves;
	struct agent_job_set jobs;
	struct agent_watchdog watchdog;
	bool results_wait;                /* the engine's channel was full */
	int64_t judge_at_ms;              /* no engine is judged before: we did not run ourselves */
	pid_t killed;                     /* an engine that hung: said and done once */
	bool missing[YOKE_RESOURCES_MAX]; /* [number - 1]: need not run though its group does */
	uint32_t retire_serial;           /* of the last RETIRE to this engine; 0: none */
	bool retire_waits;                /* the channel was full: to be sent again */
	int reloads_left; /* the program before us reloads, after so many times; -1: it does not */
	bool leaving;
	bool leaving_died; /* an engine died while leaving: it gets one more */
	int64_t leave_until_ms;
	int status; /* exit status once `done` */
	bool done;
};

/* keeper_start.c: everything before the loop.  Returns 0; -1 after it said what is wrong.
 * renewed: what the program before us left us; NULL: it is a start. */
int agent_keeper_prepare(struct agent_keeper *k, const char *program, const char *conf_file,
			 const char *node, const char *renewed);

/* ---- keeper_renew.c: another program, while everything runs ---- */

/* SIGUSR2: the program's file may be another one now.  The configuration stays. */
void agent_keeper_renew(struct agent_keeper *k);
/* Is one under way, or another configuration, or the one before not over yet? */
bool agent_keeper_renew_is_busy(const struct agent_keeper *k);
/* Start a trial of what is to come, which has so long; gives up when it cannot be started. */
void agent_keeper_renew_try(struct agent_keeper *k, int64_t within_ms);
/* Was that the trial?  Then its status says whether to go on. */
bool agent_keeper_renew_ended(struct agent_keeper *k, pid_t pid, int status);
/* Each turn.  Does not return when all is ready. */
void agent_keeper_renew_look(struct agent_keeper *k, int64_t now);
int64_t agent_keeper_renew_deadline_ms(const struct agent_keeper *k);
/* It is not to be, and everything stays as it is. */
void agent_keeper_renew_give_up(struct agent_keeper *k, const char *why);
/* In the new program: take what was left.  Returns 0; -1: it is nonsense. */
int agent_keeper_renew_take(struct agent_keeper *k, const char *renewed);

/* ---- keeper_reload.c: another configuration, while everything runs ---- */

/* SIGHUP: read the file again, and become the program that is installed now with it. */
void agent_keeper_reload(struct agent_keeper *k);
/* The trial has ended. */
void agent_keeper_reload_tried(struct agent_keeper *k, int status);
/* An engine was started, which has to be told. */
void agent_keeper_reload_engine(struct agent_keeper *k);
/* The engine says that what is to go has stopped. */
void agent_keeper_reload_retired(struct agent_keeper *k, const struct agent_channel_message *m);
/* Each turn: what the engine has not been told for want of room. */
void agent_keeper_reload_look(struct agent_keeper *k);
/* What the engine says may be missing. */
void agent_keeper_reload_missing(struct agent_keeper *k, const struct agent_channel_message *m);
/* The same by the configuration that the next program goes on with: as hexadecimal digits. */
enum { AGENT_KEEPER_MISSING_SIZE = YOKE_RESOURCES_MAX / 4 + 1 }; /* bytes with NUL */
void agent_keeper_reload_leave(const struct agent_keeper *k, char text[AGENT_KEEPER_MISSING_SIZE]);
/* And back; returns 0; -1: it is nonsense. */
int agent_keeper_reload_take(struct agent_keeper *k, const char *text);
/* It is given up, if there was one. */
void agent_keeper_reload_ended(struct agent_keeper *k, const char *why);

/* The saver's channel is closed, if it was open; the engine hears what that had not saved. */
void agent_keeper_lose_saver(struct agent_keeper *k);
/* How long the slowest group may take to stop; at least an operation. */
int64_t agent_keeper_stop_ms(const struct conf *conf);

/* keeper_child.c: processes. */
void agent_keeper_start_engine(struct agent_keeper *k);
void agent_keeper_start_saver(struct agent_keeper *k);
void agent_keeper_start_snmp(struct agent_keeper *k);
/* arbiter: index */
void agent_keeper_start_disk(struct agent_keeper *k, unsigned arbiter);
/* path: index */
void agent_keeper_start_line(struct agent_keeper *k, unsigned path);
void agent_keeper_start_courier(struct agent_keeper *k);
/* Ask the program's file whether it could go on from here.  Returns its process; -1 with errno. */
pid_t agent_keeper_start_trial(const struct agent_keeper *k);

/* keeper_line.c: the processes of serial lines and of paths over a disk.  The engine asks for one
 * to be opened, its process answers. */
void agent_keeper_line_init(struct agent_keeper *k);
void agent_keeper_line_ask(struct agent_keeper *k, const struct agent_channel_message *m);
void agent_keeper_line_answer(struct agent_keeper *k, unsigned path);

/* keeper_programs.c: are the programs of scripts there, also where none of them runs now?  A file
 * system may hang: a process of its own looks, each time another one, and nobody waits for it. The
 * engine is told what has changed. */
void agent_keeper_programs_init(struct agent_keeper *k);
/* An engine was started, which knows nothing. */
void agent_keeper_programs_engine(struct agent_keeper *k);
/* Each turn. */
void agent_keeper_programs_look(struct agent_keeper *k, int64_t now);
/* Was that the process? */
bool agent_keeper_programs_ended(struct agent_keeper *k, pid_t pid);

/* keeper_keys.c: the key file is read again, see agent/keys.h.  engine asks; saver answers; engine
 * takes. */
void agent_keeper_keys_ask(struct agent_keeper *k);
void agent_keeper_keys_read(struct agent_keeper *k, const struct agent_channel_message *m, int fd);
void agent_keeper_keys_taken(struct agent_keeper *k);

/* keeper_courier.c: what the other node's root asks for, see agent/courier.h. */
void agent_keeper_courier_ask(struct agent_keeper *k, const struct agent_channel_message *m);
void agent_keeper_courier_answer(struct agent_keeper *k);
/* Each turn: the reload that it waits for, and what it has not been told. */
void agent_keeper_courier_look(struct agent_keeper *k);
/* A reload is refused; it is told if it was for what it put in place. */
void agent_keeper_courier_refused(struct agent_keeper *k, const char *why);
void agent_keeper_courier_ended(struct agent_keeper *k);

/* Milliseconds of the clock that all of yoke goes by: CLOCK_BOOTTIME, which a suspend does not
 * stop, so that who slept knows it. */
int64_t agent_keeper_now_ms(void);

#endif
