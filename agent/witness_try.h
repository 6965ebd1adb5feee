/* agent/witness_try.h - can a witness save who has a lock?
 *
 * What could not be saved when a lock is asked for is found while nobody needs one: a file is
 * written as a lock's is, by a process of its own, which may wait for the disk while the witness
 * answers.  What came of it is believed for AGENT_WITNESS_TRY_MS, so that any number of clusters
 * costs one write in that time.
 *
 * Layer: agent.  Never waits, but for agent_witness_try_write().  SIGCHLD must be ignored: nobody
 * waits for the process.  Memory: the caller's struct, plain values and a descriptor.
 * Example: tests/unit/agent_witness.c.
 */
#ifndef AGENT_WITNESS_TRY_H
#define AGENT_WITNESS_TRY_H

#include <stdbool.h>

#include "agent/base/time.h"

enum {
	AGENT_WITNESS_TRY_MS = 5000,
	AGENT_WITNESS_TRY_HANGS_MS = 1000, /* then the disk does not answer */
};

struct agent_witness_try {
	int dir_fd;
	int fd;          /* what its process says comes here; -1: there is none */
	yoke_time began; /* it */
	yoke_time until; /* so long the last outcome is believed; 0: there is none */
	int error;       /* that outcome: 0, or an errno */
};

enum agent_witness_can {
	AGENT_WITNESS_CAN_SAVE,
	AGENT_WITNESS_CANNOT_SAVE,
	AGENT_WITNESS_IS_TRYING, /* try->fd will be readable */
};

/* dir_fd: the state directory; kept. */
void agent_witness_try_init(struct agent_witness_try *t, int dir_fd);

/* Replace a file of the directory: durably, or not at all.  Returns 0; -1 with errno. */
int agent_witness_try_write(int dir_fd, const char *name, const char *text);

/* Can it save?  Begins to find out when that is not known.  *error: why not; 0: the disk does not
 * answer. */
enum agent_witness_can agent_witness_try_ask(struct agent_witness_try *t, yoke_time now,
					     int *error);

/* try->fd is readable: take what came of it. */
void agent_witness_try_end(struct agent_witness_try *t, yoke_time now);

/* So it went with a lock: that is an outcome, too.  error: 0 or an errno. */
void agent_witness_try_note(struct agent_witness_try *t, yoke_time now, int error);

#endif
