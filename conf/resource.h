/* conf/resource.h - the keys of one resource: which its type has, and what they may be.
 *
 * conf/parse.c collects them from libconfuse; here they are only text with lines.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_resource.c.
 */
#ifndef CONF_RESOURCE_H
#define CONF_RESOURCE_H

#include "conf/conf.h"
#include "conf/scan.h"
#include "conf/value.h"

/* All keys of all types. */
extern const struct conf_scan_key conf_resource_keys[];

/* Fill in a resource whose name, group and line are set.  Adds to problems. */
void conf_resource_read(const struct conf_values *values, struct conf_resource *out,
			struct conf_problems *problems);

#endif
