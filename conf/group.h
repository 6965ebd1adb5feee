/* conf/group.h - the keys of one group beside its nodes and resources: how people want it run.
 *
 * conf/parse.c collects them from libconfuse; here they are only text with lines.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_group.c.
 */
#ifndef CONF_GROUP_H
#define CONF_GROUP_H

#include "conf/conf.h"
#include "conf/scan.h"
#include "conf/value.h"

/* All keys and sections of a group. */
extern const struct conf_scan_key conf_group_keys[];

/* Fill in a group whose name and line are set.  Adds to problems. */
void conf_group_read(const struct conf_values *values, struct conf_group *out,
		     struct conf_problems *problems);

/* The rules between groups: the names after `after`, what a parallel group may have, priorities.
 * Sets conf_group.after.  Adds to problems. */
void conf_group_link(struct conf *conf, struct conf_problems *problems);

#endif
