/* agent/job.h - programs of resources and fence agents, run by the keeper as root.
 *
 * A job is one command of a `type = script` resource: probe, start, stop or monitor; or a run of a
 * fence arbiter's agent: off or status.  It is a process group of its own, in a cgroup of its own
 * where that can be (agent/job_cgroup.h), with an environment from scratch.  It is over when its
 * first process is, not when its output is: a daemon may hold the pipe for ever.  What a job that
 * ended in time left behind is never touched.  One that takes too long has failed: that is told at
 * once, and its whole process group gets SIGTERM; when its first process has ended of it, at the
 * latest two seconds later, the group and all in the cgroup get SIGKILL.  What the kernel does not
 * let go five seconds later hangs: all that its resource or arbiter is asked for fails until it is
 * gone.
 *
 *   waiting -> running -> ended: told
 *                      -> late: told -> TERM -> KILL -> hung
 *
 * One job runs for a resource or arbiter; one more may wait until that is gone, the newest.  A
 * probe, monitor or status is killed for what changes something, and one of an engine that ended
 * for any.  Nothing else is waited for: how many run at once the core decides, and a stop or a
 * fence agent never waits for another resource's.  A job has its time-out from when it begins.
 * Only a fence agent has it from when it was asked for: it must not begin when nobody counts on it
 * any more.
 *
 * Jobs belong to the engine that asked: they outlive it, but what waits is dropped.  The next one
 * probes, which waits for the job and tells what came of it: why its start or stop failed is the
 * probe's reason, whether the resource is found running or not.
 *
 * The engine names a resource or arbiter and what to do; the command comes from the keeper's
 * configuration.  A fence agent reads its parameters from its standard input, as name=value lines:
 * those for all nodes, the victim's, those of secret_file, then the action.  Secrets are in no
 * argument, environment or log; what the agent says of them is shown as "***".
 *
 * Reading order: job.c (the states), job_child.c (processes), job_fence.c (what a fence agent
 * reads), job_cgroup.c (what else a job has started), job_verdict.c (what an exit means, and what
 * is shown of the output).
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
#include "agent/job_cgroup.h"
#include "conf/conf.h"

enum {
	AGENT_JOB_BURST_MAX = 16,     /* begun in one go: the keeper looks at all else between */
	AGENT_JOB_OUTPUT_SIZE = 4096, /* bytes of output that are kept: the last ones */
	AGENT_JOB_LEFT_MAX = 1 << 20, /* bytes that what a start left may write while no keeper
					  reads: then it waits for the next one */
	AGENT_JOB_TERM_MS = 2000,     /* between SIGTERM and SIGKILL */
	AGENT_JOB_HUNG_MS = 5000,     /* after SIGKILL */
	AGENT_JOB_REST_MS = 20,       /* output is read once in this time, so that none takes all */
	AGENT_JOB_SLOTS_MAX = YOKE_RESOURCES_MAX + YOKE_ARBITERS_MAX,
	AGENT_JOB_FDS_MAX = 2 * AGENT_JOB_SLOTS_MAX,
	AGENT_JOB_SECRET_SIZE = 4096, /* bytes of a secret_file, at most */
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
	enum core_run_kind kind; /* of a resource; 0: of an arbiter */
	enum core_ask_kind ask;  /* of an arbiter: OFF or STATUS; 0: of a resource */
	uint16_t node;           /* whom, number */
	uint32_t timeout_ms;
	int64_t asked_ms;
};

/* What one resource's or arbiter's jobs are. */
struct agent_job {
	enum agent_job_state state;
	struct agent_job_request request; /* what runs */
	uint32_t engine;                  /* which engine waits for its result; 0: none */
	pid_t pid;                        /* and process group */
	unsigned cgroup;                  /* its number; 0: none */
	int64_t until_ms;                 /* end of the state's patience */
	int output_fd;                    /* -1: none */
	int left_fd; /* of a start that ended, also of a keeper before us: what it left may still
			write; -1: none */
	struct agent_job_output output;
	struct agent_job_request waiting;
	char elder_reason[YOKE_REASON_SIZE]; /* why a start or stop failed that an engine before
						the present one had asked for; else empty */
	bool done;                           /* a result is to be told */
	uint32_t done_id;
	enum core_result done_result;
	char done_reason[YOKE_REASON_SIZE];
};

/* The values of a secret_file, told by the child that read it: what its output must not show. */
struct agent_job_secret {
	unsigned size; /* bytes of values, each with NUL */
	char bytes[AGENT_JOB_SECRET_SIZE];
};

struct agent_job_set {
	const struct conf *conf;
	const char *node;
	uint32_t engine;       /* number of the present one, from 1 */
	int64_t rest_until_ms; /* no output is read before */
	struct agent_job_cgroups cgroups;
	struct agent_job_secret *secret; /* [arbiter index], shared with children until they exec;
					    NULL: no fence agent ran yet */
	struct agent_job job[AGENT_JOB_SLOTS_MAX]; /* resources, then arbiters */
};

/* ---- job.c ---- */

/* conf and node are kept.  Jobs have no cgroups before agent_job_cgroup_open(&set->cgroups). */
void agent_job_init(struct agent_job_set *set, const struct conf *conf, const char *node);
/* Another engine was started: what its elders wait for is dropped. */
void agent_job_engine(struct agent_job_set *set);
/* The engine asks.  What is no request for a script resource is ignored. */
void agent_job_ask(struct agent_job_set *set, const struct agent_channel_message *m,
		   int64_t now_ms);
/* The same for a fence arbiter: u.ask. */
void agent_job_ask_fence(struct agent_job_set *set, const struct agent_channel_message *m,
			 int64_t now_ms);
/* The engine does not wait for this ask any more: a fence agent that has not begun never does. */
void agent_job_cancel(struct agent_job_set *set, uint32_t id);
/* Before `pid`, which has ended, is reaped: while its number cannot be another's. */
void agent_job_ending(struct agent_job_set *set, pid_t pid);
/* It is reaped.  Returns false when it was no job. */
bool agent_job_ended(struct agent_job_set *set, pid_t pid, int status);
/* Start what waits, end what is late. */
void agent_job_tick(struct agent_job_set *set, int64_t now_ms);
/* Does one run, or wait, that changes something, or is its result not told yet? */
bool agent_job_is_busy(const struct agent_job_set *set);
/* When to tick again; INT64_MAX: when something happens. */
int64_t agent_job_deadline_ms(const struct agent_job_set *set, int64_t now_ms);
/* Fill in what to poll; returns how many.  Afterwards give the same to agent_job_read(). */
unsigned agent_job_fds(const struct agent_job_set *set, int64_t now_ms,
		       struct pollfd fds[AGENT_JOB_FDS_MAX]);
void agent_job_read(struct agent_job_set *set, const struct pollfd *fds, unsigned count,
		    int64_t now_ms);
/* Send results to the engine.  Returns true when its channel is full and some still wait. */
bool agent_job_tell(struct agent_job_set *set, int channel_fd);
/* The keeper ends: starts, stops and what switches a node off go on by themselves, the others are
 * killed. */
void agent_job_leave(struct agent_job_set *set);

/* ---- job_child.c ---- */

/* Read on what those write who were started by a keeper before us: what a start leaves writes to a
 * FIFO in run_dir. */
void agent_job_find_left(struct agent_job_set *set);

/* Start what a job's waiting request asks for.  Returns the process, its output in *output_fd (not
 * blocking); -1 with errno. */
pid_t agent_job_spawn(const struct agent_job_set *set, const struct agent_job *job, int *output_fd);
/* The command of a kind of run; a monitor without one of its own is the status. */
const char *agent_job_command(const struct conf_resource *r, enum core_run_kind kind);

/* ---- job_fence.c ---- */

/* In the new process: become the fence agent.  Reads secret_file, so it may wait for a disk. */
void agent_job_fence(const struct conf_arbiter *arbiter, const struct agent_job_request *request,
		     struct agent_job_secret *secret, char *const *environment)
	__attribute__((noreturn));

/* ---- job_verdict.c, PURE ---- */

/* What our own child writes first when the program itself could not be started. */
#define AGENT_JOB_NOT_EXECUTED "yoke: "

/* What a status of waitpid() means, with the reason (empty when all is well).  plugin: a monitor
 * with a command of its own. */
enum core_result agent_job_verdict(enum core_run_kind kind, bool plugin, int status,
				   const struct agent_job_output *output,
				   char reason[YOKE_REASON_SIZE]);
/* The same for a fence agent, which has a convention of its own. */
enum core_result agent_job_fence_verdict(enum core_ask_kind ask, int status,
					 const struct agent_job_output *output,
					 char reason[YOKE_REASON_SIZE]);
/* Replace what is secret.  ended: more output does not follow.  A secret that was cut would not be
 * recognised, so lines that are not whole are dropped. */
void agent_job_mask(struct agent_job_output *output, const struct agent_job_secret *secret,
		    bool ended);
/* Keep the last bytes of what was and what is new. */
void agent_job_append(struct agent_job_output *output, const char *bytes, size_t size);
/* The last line that is not blank, printable ASCII, cut; empty: there is none. */
void agent_job_last_line(const struct agent_job_output *output, char line[YOKE_REASON_SIZE]);

#endif
