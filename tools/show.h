/* tools/show.h - a snapshot and events as text for people.
 *
 * Layer: tools, pure but for the FILE.  Memory: nothing is kept; one table is static.
 * Example: tests/unit/tools_show.c.
 */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/base/snapshot.h"

/* The whole cluster.  Ages are counted from snapshot->taken_wall_ms.  wide: more columns. */
void tool_show_status(const struct yoke_snapshot *snapshot, bool wide, bool colour, FILE *out);

/* One line. */
void tool_show_event(const struct yoke_event *event, bool colour, FILE *out);

#endif
