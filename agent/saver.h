/* agent/saver.h - the process that may wait for the disk.
 *
 * Keeps in state_dir: `record` (the core's record, replaced as a whole), `record.old` (what was
 * there before this start) and `events` (a ring of fixed slots, so that history survives a reboot;
 * what a full disk does not take is lost).  Root, no network.
 *
 * A full disk is what ends services, so just then a record must be saved.  `record.new` is a spare
 * with room for the largest record (YOKE_RECORD_SIZE), taken from the disk ahead of time:
 *
 *   1. the spare is written over in place, cut to the record's size, fsync
 *   2. spare and record are exchanged (renameat2), fsync of the folder: either is whole at any time
 *   3. the former record is the next spare
 *
 * The first save of a start gives the spare to record.old before step 2, exchanges that with the
 * record, and the former record.old is the next spare.  What has two names is never written over.
 * An empty folder in the place of one of these files is removed.
 *
 * Where nothing can be exchanged, or there is no record yet, the spare is renamed, and the next one
 * made anew: that needs room, as it does without a record.old, and on a file system that never
 * writes in place (btrfs).
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
