/* subagent/cursor.h - the one number that outlives the subagent: which event was delivered last.
 *
 * The file holds the number as decimal text.  It is replaced as a whole (write, fsync, rename), so
 * a crash leaves the old or the new number.  May block on the disk: the subagent may.
 *
 * Layer: subagent.  May include: agent/base.
 */
#ifndef SUBAGENT_CURSOR_H
#define SUBAGENT_CURSOR_H

#include <stdint.h>

/* Read the number; 0 when there is no such file.  Returns 0; -1 when the file cannot be read or
 * does not hold a number (*seq is 0 then), with a log line. */
int subagent_cursor_load(const char *file, uint64_t *seq);

/* Returns 0; -1 with errno set: the number is not durable. */
int subagent_cursor_save(const char *file, uint64_t seq);

#endif
