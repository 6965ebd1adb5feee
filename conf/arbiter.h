/* conf/arbiter.h - the keys of one arbiter: which its type has, and what they may be.
 *
 * conf/parse.c collects them from libconfuse; here they are only text with lines.  A fence agent's
 * secrets are refused: the configuration is readable by many, is printed and is copied around; they
 * belong into the arbiter's secret_file.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_arbiter.c.
 */
#ifndef CONF_ARBITER_H
#define CONF_ARBITER_H

#include "conf/conf.h"
#include "conf/scan.h"
#include "conf/value.h"

/* All keys of all types, and of the victims of a fence arbiter. */
extern const struct conf_scan_key conf_arbiter_keys[];
extern const struct conf_scan_key conf_arbiter_victim_keys[];

/* Fill in an arbiter whose name and line are set.  type: unknown when bad, and nothing else is read
 * then.  Adds to problems. */
void conf_arbiter_read(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems);

/* Make the node with this index a victim of an arbiter that was read.  line: of the section. */
void conf_arbiter_read_victim(const struct conf_values *values, int line, unsigned node,
			      struct conf_arbiter *out, struct conf_problems *problems);

#endif
