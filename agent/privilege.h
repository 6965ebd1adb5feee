/* agent/privilege.h - who runs as whom, with what rights.
 *
 * Layer: agent; the only user of libcap.  For the start of a process; looks up users (NSS), so it
 * may block then.
 */
#ifndef AGENT_PRIVILEGE_H
#define AGENT_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

/* Look up a user by name.  Returns 0; -1 with why[YOKE_REASON_SIZE], which says how to make it. */
int agent_privilege_user(const char *name, uid_t *uid, gid_t *gid, char *why);

/* Become that user for good.  keep: with CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_NICE and CAP_IPC_LOCK,
 * also over the next exec; else with no rights at all.  Returns 0; -1 with errno. */
int agent_privilege_become(uid_t uid, gid_t gid, bool keep);

/* End with the parent: when `parent` is not our parent any more, at once.  Returns 0; -1: it is
 * gone already. */
int agent_privilege_bind(pid_t parent);

/* Realtime priority (SCHED_RR, reset on fork) and locked memory.  on_fault: lock pages as they are
 * touched, not all that is mapped.  Returns 0; -1 with why[YOKE_REASON_SIZE]: goes on without. */
int agent_privilege_realtime(int priority, bool on_fault, char *why);

#endif
