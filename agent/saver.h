/* agent/saver.h - the process that may wait for the disk.
 *
 * Keeps two files in state_dir: `record` (the core's record, replaced as a whole: written aside,
 * fsync, rename, fsync of the folder; what was there before this start stays as `record.old`) and
 * `events` (a ring of fixed slots, so that history survives a reboot).  Root, no network.
 *
 * Layer: agent.  A process of its own: it blocks as long as the disk likes.
 */
#ifndef AGENT_SAVER_H
#define AGENT_SAVER_H

/* The process: tells the events of earlier boots (AGENT_CHANNEL_EVENT) and then the record
 * (AGENT_CHANNEL_RECORD), then serves AGENT_CHANNEL_SAVE and _EVENT until the channel closes.
 * Returns the exit status. */
int agent_saver_run(int channel_fd, const char *state_dir);

#endif
