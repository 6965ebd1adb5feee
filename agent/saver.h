/* agent/saver.h - the process that may wait for the disk.
 *
 * Keeps two files in state_dir: `record` (the core's record, replaced as a whole: written aside,
 * fsync, rename, fsync of the folder) and `events` (a ring of fixed slots, so that history survives
 * a reboot).  Root, no network, no rights that matter but the files.
 *
 * Layer: agent.  A process of its own: it blocks as long as the disk likes.
 */
#ifndef AGENT_SAVER_H
#define AGENT_SAVER_H

#include "agent/shared.h"

/* The process: tells the record as AGENT_CHANNEL_RECORD, then serves AGENT_CHANNEL_SAVE and _EVENT
 * until the channel closes.  Returns the exit status. */
int agent_saver_run(int channel_fd, const char *state_dir);

/* Read the remembered events into an empty ring; what is missing or damaged is left out. */
void agent_saver_load_events(const char *state_dir, struct agent_shared *shared);

#endif
