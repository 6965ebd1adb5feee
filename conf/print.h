/* conf/print.h - the canonical text of parts of a configuration.
 *
 * Layer: conf.  May include: agent/base.  Memory: nothing is kept.
 * Example: tests/unit/conf_print.c.
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "conf/conf.h"

/* The sections node, arbiter and group, as conf_print() writes them: a function of what was given
 * in them and of their order alone. */
void conf_print_members(const struct conf *conf, FILE *out);
/* Parts of that. */
void conf_print_nodes(const struct conf *conf, FILE *out);
void conf_print_arbiters(const struct conf *conf, FILE *out);
void conf_print_group(const struct conf *conf, const struct conf_group *group, FILE *out);

#endif
