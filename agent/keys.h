/* agent/keys.h - the cluster's keys, from their file to the processes that need them.
 *
 * They travel as a sealed memory of our own (memfd), so that a file that is edited meanwhile
 * reaches nobody.  At the start the keeper reads the file; later, when it is asked to, the saver
 * does, which may wait for the disk:
 *
 *   yoke key ... -> engine --KEYS--> keeper --KEYS--> saver: reads
 *                   engine <--KEYS_READ-- keeper <--KEYS_READ--   with the memory
 *                   engine --KEYS_TAKEN--> keeper: the next engine, and who writes to disks, get it
 *
 * The engine refuses keys without which it could not open what the other node sends.
 *
 * Layer: agent.  Memory: struct conf_keys is the caller's, who wipes it.
 */
#ifndef AGENT_KEYS_H
#define AGENT_KEYS_H

#include "agent/base/snapshot.h"
#include "agent/base/time.h"
#include "conf/conf.h"
#include "hb/key.h"

struct agent_engine;

/* Read the file of keys into memory.  Blocks on the disk.  Returns a descriptor; -1 with
 * why[CONF_PROBLEM_SIZE]. */
int agent_keys_share(const char *file_name, char *why);

/* What agent_keys_share(), of this program or of an older one that knew one key only, has shared.
 * Returns 0; -1: it is neither. */
int agent_keys_take(int fd, struct conf_keys *keys);

/* For heartbeats: the same without dates. */
void agent_keys_hb(const struct conf_keys *keys, struct hb_keys *hb);

/* ---- engine ---- */

/* Somebody asks to have the file read again. */
void agent_keys_ask(struct agent_engine *e);
/* The keeper's answer, in e->message; fd: the memory, which is ours; -1: there is none. */
void agent_keys_read(struct agent_engine *e, int fd, yoke_time now);
/* The id of the newest of two keys when every other node has shown that it has it; else 0. */
uint8_t agent_keys_common(const struct agent_engine *e);
/* What is known of the keys. */
void agent_keys_view(const struct agent_engine *e, struct yoke_snapshot *s);

#endif
