/* agent/job_cgroup.h - a control group for each job, so that a late one is ended with all that it
 * started.
 *
 * Where cgroup v2 can be written, a job runs in a cgroup of its own below the keeper's:
 *
 *   the keeper's own cgroup/yoke-PID-NUMBER     PID: the keeper's; NUMBER: of the job, from 1
 *
 * A process cannot leave it as it leaves its process group, by setsid(2).  What a job has left in
 * it when the job is over lives on there and is never killed: a daemon that was started is one.
 * The kernel does not remove a cgroup that has processes, so it stays until they are gone: each
 * new job tries to remove those that stayed, and a new keeper those of keepers that are gone.
 *
 * Nothing but these folders is made, killed or removed, and one that is there already is never
 * taken over.  Where there is no cgroup v2 that can be written (an old kernel, a container), or no
 * cgroup.kill (before Linux 5.14), a job is its process group only: said once in the log.  With
 * systemd the unit has Delegate=yes, so that systemd leaves them alone.
 *
 * Layer: agent; part of agent/job.h.  Nothing waits for a disk or a process: these are files of the
 * kernel.  Memory: the caller's, fixed.  Example: tests/unit/agent_job_cgroup.c.
 */
#ifndef AGENT_JOB_CGROUP_H
#define AGENT_JOB_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

enum { AGENT_JOB_CGROUPS_LEFT_MAX = 128 };

struct agent_job_cgroups {
	int dir_fd;    /* the keeper's own cgroup; -1: none that can be written */
	pid_t keeper;  /* whose name they have */
	unsigned last; /* number of the newest */
	bool is_told;  /* that none could be made for a job */
	unsigned left_count;
	unsigned left[AGENT_JOB_CGROUPS_LEFT_MAX]; /* of jobs that are over; the oldest first */
};

/* Jobs have none, until it is opened. */
void agent_job_cgroup_init(struct agent_job_cgroups *groups);
/* Find the cgroup of this process, and remove there what keepers that are gone have left empty. */
void agent_job_cgroup_open(struct agent_job_cgroups *groups);
/* No more jobs: remove what is empty by now. */
void agent_job_cgroup_close(struct agent_job_cgroups *groups);
/* Make one for a new job.  Returns its number; 0: the job has none. */
unsigned agent_job_cgroup_make(struct agent_job_cgroups *groups);
/* In the job's new process: into it.  May take some milliseconds. */
void agent_job_cgroup_enter(const struct agent_job_cgroups *groups, unsigned number);
/* SIGKILL to all that is in it. */
void agent_job_cgroup_kill(const struct agent_job_cgroups *groups, unsigned number);
/* Its job is over: remove it, now or when nothing is in it any more. */
void agent_job_cgroup_end(struct agent_job_cgroups *groups, unsigned number);

#endif
