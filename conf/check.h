/* conf/check.h - the rules of conf_check() that have a file of their own.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is kept.  Example: tests/unit/conf_arbiter.c.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/conf.h"

/* The arbiters among each other and with the nodes, the lease, and what exclusive groups get from
 * them. */
void conf_check_arbiters(const struct conf *conf, struct conf_problems *problems);

/* Paths that are serial lines or shared disks: what both ends must share, and whether the rate is
 * enough. */
void conf_check_lines(const struct conf *conf, struct conf_problems *problems);

/* Multicast paths: one address and port for all ends, in the ends' family, of which no other path
 * of a node takes the frames away; IPv6 needs an interface. */
void conf_check_multicast(const struct conf *conf, struct conf_problems *problems);

/* Public paths: one role at both ends, private ones beside them, and time to be asked. */
void conf_check_public(const struct conf *conf, struct conf_problems *problems);

/* So many heartbeats must be in one dead time, or the file is refused; else there is a warning. */
enum { CONF_CHECK_INTERVALS_MIN = 3, CONF_CHECK_INTERVALS_GOOD = 5 };

#endif
