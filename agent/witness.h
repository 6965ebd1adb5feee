/* agent/witness.h - yoked --witness: a third host that keeps one lock for each cluster.
 *
 * One process, one socket; it may wait for the disk, because who holds a lock is on disk before it
 * is told: agent/witness_lock.h has the rules, hb/witness.h the bytes.  It does not know which
 * nodes a cluster has: who has its key and answers its challenge is one.
 *
 * Reading order: witness_lock.h, this, witness.c.
 * Layer: agent.
 */
#ifndef AGENT_WITNESS_H
#define AGENT_WITNESS_H

/* Run with the configuration in conf_file.  Returns the exit status: 0 after SIGTERM or SIGINT, 1
 * after an error that it has told. */
int agent_witness_run(const char *conf_file);

#endif
