/* tools/diff.h - how two texts differ, as diff(1) says it.
 *
 * The texts are given to it as memory of ours, so that nothing of them gets onto a disk.  What
 * another node says goes to a terminal: control characters become '?'.
 *
 * Layer: tools.  May include: agent/base.  Starts a program, which reads no configuration.
 */
#ifndef TOOLS_DIFF_H
#define TOOLS_DIFF_H

#include <stddef.h>

struct tool_diff_side {
	const char *name; /* for its heading */
	const char *text;
	size_t size;
};

/* The unified difference into *text (to be freed; empty: they are the same).  Returns 0; -1 with
 * why[YOKE_REASON_SIZE]. */
int tool_diff(const struct tool_diff_side *from, const struct tool_diff_side *to, char **text,
	      char *why);

#endif
