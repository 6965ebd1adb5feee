/* agent/courier.h - the process that gives the other node our configuration's file, and takes one.
 *
 *   yoke config (root, there) -> engine there ==BULK==> engine here -> keeper -> courier (root)
 *
 * The keeper starts it when something is asked; it ends when nothing is for a while, or with the
 * keeper.  Texts come and go in pieces (agent/base/piece.h).  Of both it does:
 *
 *   GET   the file as it is, its name behind all links, whether yoked goes by it, and a number of
 *         its own, made for each GET and good for an hour
 *   PUT   another file: judged as `yoke reload` would, word for word; then it takes the present
 *         one's place at once, as a whole and durable, the old one is kept as FILE.old, and the
 *         keeper reads it again.  If that is refused the old one is put back, unless somebody
 *         has changed the file meanwhile.  The file that is there already is only read again.
 *
 * Engines carry pieces, and have the cluster's key, but must not be able to give root a file: it
 * says what root runs.  So a PUT is sealed by a key that only root's processes have, which is made
 * once (`yoke key generate`) and copied to both nodes: push.key, beside the cluster's.  The seal is
 * over the number of the last GET, this node's name and the file that the GET gave as well
 * (conf/push.h): none can be said twice, nor to another node, nor by whom was shown another file
 * than the one that is to be replaced; and what has changed since that GET is not replaced.
 *
 * Layer: agent; a process of its own (agent/role.h), which may wait for the disk.
 */
#ifndef AGENT_COURIER_H
#define AGENT_COURIER_H

#include <sys/types.h>

/* Returns the exit status. */
int agent_courier_run(const char *conf_file, const char *node, pid_t keeper);

#endif
