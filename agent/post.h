/* agent/post.h - the process of a path over a shared disk: writes what this node posts there, and
 * reads what the other one does.
 *
 * The engine asks for it through the keeper (AGENT_CHANNEL_OPEN): the disk is then opened and
 * looked at, a post without a frame is written, so that one which cannot be written is not taken
 * for good, and the engine gets a socket, by which they talk from then on (hb/post.h).  When the
 * disk fails, or is made ready anew, the socket is closed: the engine asks again and learns why.
 *
 * It may wait in the kernel for as long as the disk does not answer.  The keeper does not wait for
 * it, and the engine sees that what it posts is not written.  It has realtime priority as the
 * engine has: this is a heartbeat.  It has no key; a post is sealed, and who made the header does
 * not matter.
 *
 * In an upgrade it goes on for the engine of the program before, until that one ends; its last
 * write may come after the first of its successor, and is then a heartbeat that nobody takes.
 *
 * Layer: agent; a process of its own (agent/role.h).
 */
#ifndef AGENT_POST_H
#define AGENT_POST_H

#include <sys/types.h>

/* path: number.  Returns the exit status. */
int agent_post_run(const char *node, unsigned path, pid_t keeper);

#endif
