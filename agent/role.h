/* agent/role.h - the processes that yoked is made of, and what they inherit.
 *
 * yoked starts itself again for each role, so that every process has a fresh address space and only
 * the descriptors and rights that it needs.
 *
 *   keeper   root; starts and restarts the others, relays, watches the engine's sign of life
 *   engine   user `user` with four capabilities, realtime; everything that must not wait
 *   saver    root; everything that waits for the disk, also reading the key file again
 *   disk     root; one for each shared disk (agent/disk.h)
 *   serial   root; one for each serial line, opens it (agent/serial.h)
 *   post     root, realtime; one for each path over a shared disk (agent/post.h)
 *   trial    root; a new program, asked before an upgrade whether it could be the keeper
 *   reload   root; the same with the configuration's file, which it reads again
 *   courier  root; gives the other node our configuration, and takes one (agent/courier.h)
 *   and yoke-snmp, a program of its own, user `snmp_user`, no rights
 *
 * Layer: agent.
 */
#ifndef AGENT_ROLE_H
#define AGENT_ROLE_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"

/* Descriptors that the keeper's children find open. */
enum {
	AGENT_ROLE_FD_CHANNEL = 3, /* to the keeper */
	AGENT_ROLE_FD_CONF = 4,    /* engine, disk, post, courier: the configuration, as checked */
	AGENT_ROLE_FD_KEY = 5,     /* engine, disk: agent/keys.h */
	AGENT_ROLE_FD_SHARED = 6,  /* engine: struct agent_shared */
	AGENT_ROLE_FD_CONTROL = 7, /* engine: the listening control socket */
	AGENT_ROLE_FD_END = 8,
};

/* Priorities of SCHED_RR: the keeper above the engine, so that it can end one that spins. */
enum { AGENT_ROLE_PRIORITY_ENGINE = 50, AGENT_ROLE_PRIORITY_KEEPER = 51 };

/* The longest silence of a living engine: shorter than the peer's patience, never below what a busy
 * machine's scheduler can cause. */
uint32_t agent_role_hang_ms(uint32_t dead_ms);

/* Read the configuration that the keeper checked from `fd`; says in the log what is wrong.  Returns
 * 0; -1 when it is not good for this program.  Allocates. */
int agent_role_read_conf(int fd, struct conf *conf);

/* Run the keeper of the configuration in conf_file as node `node` (NULL: by host name).  program:
 * how yoked was called.  renewed: what the program left that we replace; NULL: it is a start.
 * Returns the exit status: 0 after a clean leave, 1 after an error. */
int agent_keeper_run(const char *program, const char *conf_file, const char *node,
		     const char *renewed);

/* Could this program go on with what the running one has, whose configuration is in
 * AGENT_ROLE_FD_CONF?  Returns the exit status: 0 if so, else 1 after it said why not. */
int agent_keeper_trial(const char *node);

/* Could it go on with the file's?  Checks the file, leaves its canonical text, or the reason why
 * not, in AGENT_ROLE_FD_CHANNEL, which is memory here.  Returns the exit status as above. */
int agent_keeper_reload_trial(const char *conf_file, const char *node);

/* Run the engine.  snmp_uid: the subagent's user, who may change the cluster
 * when SNMP SET is enabled; -1: none.
 * Returns the exit status: 0 after a clean leave. */
int agent_engine_run(const char *node, pid_t keeper, int64_t snmp_uid);

#endif
