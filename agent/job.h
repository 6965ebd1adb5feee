/* agent/job.h - programs of resources and fence agents, run by the keeper as root.
 *
 * A job is one command of a `type = script` resource: probe, start, stop or monitor; or a fence
 * agent that is to switch a node off, or to say whether it is off.  It is a process group of its
 * own with an environment from scratch; an agent's parameters, the secret ones among them, come on
 * its standard input only.  It is over when its first process
 * is, not when its output is: a daemon may hold the pipe for ever.  What a job that ended in time
 * left behind is never touched.  One that takes too long has failed: that is told at once, and its
 * whole process group gets SIGTERM, two seconds later SIGKILL.  What the kernel does not let go
 * five seconds later hangs: all that its resource is asked for fails until it is gone.
 *
 *   waiting -> running -> ended: told
 *                      -> late: told -> TERM -> KILL -> hung
 *
 * One job runs for a resource; one more may wait, the newest.  At most AGENT_JOBS_MAX run, of them
 * AGENT_JOB_LOOKS_MAX probes and monitors, so that a start or stop never waits behind those; one
 * that runs for the same resource is killed for it.  A fence agent waits for nothing.  Jobs belong
 * to the engine that asked: they outlive it, but what waits is dropped, and results are not told to
 * another.
 *
 * The engine names a resource and what to do; the command comes from the keeper's configuration.
 *
 * Reading order: job.c (the states), job_child.c (processes), job_verdict.c (what an exit means).
 *
 * Layer: agent; its user waits in poll(2).  Nothing here waits.  Times are milliseconds of the
 * caller's clock.  Memory: fixed, in the caller's struct, which must not move.
 */
#ifndef AGENT_JOB_H
#define AGENT_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/channel.h"
#include "agent/core/core.h"
#include "conf/conf.h"

enum {
	AGENT_JOBS_MAX = 16,          /* that run */
	AGENT_JOB_LOOKS_MAX = 8,      /* of them probes and monitors */
	AGENT_JOB_OUTPUT_SIZE = 4096, /* bytes of output that are kept: the last ones */
	AGENT_JOB_TERM_MS = 2000,     /* between SIGTERM and SIGKILL */
	AGENT_JOB_HUNG_MS = 5000,     /* after SIGKILL */
	AGENT_JOB_REST_MS = 20,       /* output is read once in this time, so that none takes all */
	AGENT_JOB_SUBJECTS_MAX = YOKE_RESOURCES_MAX + YOKE_ARBITERS_MAX,
	AGENT_JOB_FDS_MAX = 2 * AGENT_JOB_SUBJECTS_MAX,
};

struct agent_job_output {
	unsigned size;
	char bytes[AGENT_JOB_OUTPUT_SIZE];
};

enum agent_job_state {
	AGENT_JOB_NONE = 0,
	AGENT_JOB_RUNNING,
	AGENT_JOB_TERMINATED, /* was sent SIGTERM */
	AGENT_JOB_KILLED,     /* was sent SIGKILL */
	AGENT_JOB_HUNG,       /* and did not go */
};

struct agent_job_request {
	bool is_set;
	uint32_t id;
	enum core_run_kind kind; /* of a resource; 0: of a fence arbiter */
	enum core_ask_kind ask;  /* of a fence arbiter: OFF or STATUS */
	uint16_t node;           /* and whom */
	uint32_t timeout_ms;
	int64_t asked_ms;
};

/* What the jobs of one resource, or of one fence arbiter, are. */
struct agent_job {
	enum agent_job_state state;
	struct agent_job_request request; /* what runs */
	uint32_t engine;                  /* which engine asked for it */
	pid_t pid;                        /* and process group */
	int64_t until_ms;                 /* end of the state's patience */
	int output_fd;                    /* -1: none */
	int left_fd; /* of a start that ended: what it left may still write; -1: none */
	struct agent_job_output output;
	struct agent_job_request waiting;
	bool done; /* a result is to be told */
	uint32_t done_id;
	enum core_result done_result;
	char done_reason[YOKE_REASON_SIZE];
};

struct agent_job_set {
	const struct conf *conf;
	const char *node;
	uint32_t engine;         /* number of the present one */
	unsigned count;          /* of resources, then arbiters */
	unsigned running, looks; /* without those that hang, and without fence agents */
	int64_t rest_until_ms;   /* no output is read before */
	struct agent_job job[AGENT_JOB_SUBJECTS_MAX]; /* resources, then arbiters */
};

/* ---- job.c ---- */

/* conf and node are kept. */
void agent_job_init(struct agent_job_set *set, const struct conf *conf, const char *node);
/* Another engine was started: what its elders wait for is dropped. */
void agent_job_engine(struct agent_job_set *set);
/* The engine asks.  What is no request for a script resource is ignored. */
void agent_job_ask(struct agent_job_set *set, const struct agent_channel_message *m,
		   int64_t now_ms);
/* The engine asks a fence arbiter; and does not want the answer any more: its agent is killed.
 * What is no question to one is ignored. */
void agent_job_ask_fence(struct agent_job_set *set, const struct agent_channel_message *m,
			 int64_t now_ms);
void agent_job_cancel(struct agent_job_set *set, uint32_t id, int64_t now_ms);
/* Before `pid`, which has ended, is reaped: while its number cannot be another's. */
void agent_job_ending(struct agent_job_set *set, pid_t pid);
/* It is reaped.  Returns false when it was no job. */
bool agent_job_ended(struct agent_job_set *set, pid_t pid, int status);
/* Start what waits, end what is late. */
void agent_job_tick(struct agent_job_set *set, int64_t now_ms);
/* When to tick again; INT64_MAX: when something happens. */
int64_t agent_job_deadline_ms(const struct agent_job_set *set, int64_t now_ms);
/* Fill in what to poll; returns how many.  Afterwards give the same to agent_job_read(). */
unsigned agent_job_fds(const struct agent_job_set *set, int64_t now_ms,
		       struct pollfd fds[AGENT_JOB_FDS_MAX]);
void agent_job_read(struct agent_job_set *set, const struct pollfd *fds, unsigned count,
		    int64_t now_ms);
/* Send results to the engine.  Returns true when its channel is full and some still wait. */
bool agent_job_tell(struct agent_job_set *set, int channel_fd);
/* The keeper ends: starts and stops go on by themselves, probes and monitors are killed. */
void agent_job_leave(struct agent_job_set *set);

/* ---- job_child.c ---- */

/* Start the command of a request; subject: index in set->job.  Returns the process, its output in
 * *output_fd (not blocking); -1 with errno. */
pid_t agent_job_spawn(const struct agent_job_set *set, unsigned subject,
		      const struct agent_job_request *request, int *output_fd);
/* The command of a kind of run; a monitor without one of its own is the status. */
const char *agent_job_command(const struct conf_resource *r, enum core_run_kind kind);

/* ---- job_verdict.c, PURE ---- */

/* What a status of waitpid() means, with the reason (empty when all is well).  plugin: a monitor
 * with a command of its own. */
enum core_result agent_job_verdict(enum core_run_kind kind, bool plugin, int status,
				   const struct agent_job_output *output,
				   char reason[YOKE_REASON_SIZE]);
/* The same of a fence agent: 0 is done, or on; 2 is off. */
enum core_result agent_job_fence_verdict(enum core_ask_kind kind, int status,
					 const struct agent_job_output *output,
					 char reason[YOKE_REASON_SIZE]);
/* Keep the last bytes of what was and what is new. */
void agent_job_append(struct agent_job_output *output, const char *bytes, size_t size);
/* The last line that is not blank, printable ASCII, cut; empty: there is none. */
void agent_job_last_line(const struct agent_job_output *output, char line[YOKE_REASON_SIZE]);

#endif
