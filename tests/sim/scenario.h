/* tests/sim/scenario.h - a history written by hand, with the trace that it must give.
 *
 * A file holds blocks: command lines, a line "----", the expected trace, an empty line.  All blocks
 * of a file go on in the same world.  '#' starts a comment line.  Before the first other command
 *
 *   set KEY NUMBER        dead_ms late_ms interval_ms startup_ms conflict_ms operation_ms retry_ms
 *                         latency_us paths groups resources services (how many of a group's
 *                         resources) monitor_ms monitor_interval_ms monitor_failures restarts
 *                         restart_window_ms exclusive lease_ms watchdog_ms delay_ms test_ms
 *                         job_us fence_us
 *   arbiter TYPE [second] fence, disk, witness or ping; second: of level 2.  Several are possible,
 *                         the second of one type is called fence2, and so on
 *   group NUMBER WISH     parallel, manual, yields, priority N, after N, failback_ms N, from N and
 *                         to N (minutes of the day): as in the configuration; of two nodes first N
 *                         (begins its list) and only N (is all of it)
 *
 * and then, with nodes alpha and beta, paths path1.., groups group1.., resources address1.. and
 * service1..:
 *
 *   power on|off NODE     crash NODE          start NODE         leave NODE
 *   run MS                go on for that long
 *   pause NODE MS [ROOM]  its engine's process stands still; time goes on with "run".  So many
 *                         frames wait for it, others are lost
 *   cut PATH|all [FROM]   cut a path, or only what FROM sends on it
 *   public cut|mend       whether a node's conflict probe reaches the other
 *   carrier NODE lost|back          remove NODE RESOURCE        stranger RESOURCE comes|goes
 *   starts NODE fail|work           stops NODE fail|work        saves NODE fail|work
 *   remove NODE SERVICE   it dies         service NODE SERVICE unwell|well
 *   monitors NODE hang|answer       of all its services: no answer
 *   record NODE damage|lost         unreadable, or not there, at its next start
 *   loss PERMILLE [states NODE]     on all paths; of the states only that NODE sends
 *   mend                  all paths, losses and the public network
 *   switch GROUP NODE at NODE       failback GROUP|all at NODE
 *   confirm-down NODE at NODE
 *   standby NODE at NODE            online NODE at NODE
 *   maintenance|resume [group NAME | node NAME] at NODE
 *   arbiter TYPE down|fails|lies|works      arbiter TYPE cut NODE
 *                         a fence device that fails does not switch off and says that it did, its
 *                         status is honest; one that lies says off of everything
 *   clock NODE MINUTE     its wall clock  conf NODE other|same   from its next start on
 *   old NODE yes|no       its yoke is two versions older
 *
 * With rewrite the expected traces are replaced by what happened: read the difference before you
 * keep it.
 *
 * Layer: tests.  Memory: the world is the caller's.
 */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>

struct sim_world;

/* Run every *.txt of the folder; true when all gave the expected trace. */
bool sim_scenarios(const char *folder, bool rewrite, struct sim_world *w);

#endif
