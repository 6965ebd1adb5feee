/* conf/path.h - the keys of one end of a path: which its type has, and what they may be.
 *
 * conf/parse.c collects them from libconfuse; here they are only text with lines.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_path.c.
 */
#ifndef CONF_PATH_H
#define CONF_PATH_H

#include "conf/conf.h"
#include "conf/scan.h"
#include "conf/value.h"

extern const struct conf_scan_key conf_path_keys[]; /* of all types */

/* Fill in an end whose line is set.  name: the path's.  type: unknown when bad, and nothing else is
 * read then.  Adds to problems. */
void conf_path_read(const struct conf_values *values, const char *name, struct conf_endpoint *out,
		    struct conf_problems *problems);

#endif
