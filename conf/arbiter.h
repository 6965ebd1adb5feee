/* conf/arbiter.h - the keys of one arbiter: which its type has, and what they may be.
 *
 * Layer: conf, pure (no I/O, no clock).  May include: agent/base.
 * Memory: nothing is allocated or kept.  Example: tests/unit/conf_arbiter.c.
 */
#ifndef CONF_ARBITER_H
#define CONF_ARBITER_H

#include "conf/conf.h"
#include "conf/scan.h"
#include "conf/value.h"

/* All keys of all types; and of a victim in it. */
extern const struct conf_scan_key conf_arbiter_keys[];
extern const struct conf_scan_key conf_victim_keys[];

/* Fill in an arbiter whose name and line are set, without its victims.  Adds to problems. */
void conf_arbiter_read(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems);

/* The key "parameters" as words name=value, no secrets among them.  *words: empty when bad. */
void conf_arbiter_parameters(const struct conf_values *values, const struct conf_arbiter *arbiter,
			     char words[CONF_COMMAND_SIZE], struct conf_problems *problems);

#endif
