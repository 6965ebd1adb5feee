/* agent/disk.h - the process of a disk arbiter: writes this node's slot and reads all of them.
 *
 * One question at a time, asked by the keeper over the channel (AGENT_CHANNEL_ASK): a write is on
 * the disk before the slots are read.  It may wait in the kernel for as long as the disk does not
 * answer; the keeper does not wait for it, and starts another one only when it is gone.
 *
 * The disk is read and written past the cache (hb/device.h).  The header is checked at each
 * opening.
 *
 * Layer: agent; a process of its own (agent/role.h).
 */
#ifndef AGENT_DISK_H
#define AGENT_DISK_H

#include <sys/types.h>

/* arbiter: number.  Returns the exit status. */
int agent_disk_run(const char *node, unsigned arbiter, pid_t keeper);

#endif
