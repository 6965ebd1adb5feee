/* tools/running.h - what yoked of this node goes by, the file that it came from, and what another
 * one would change.
 *
 * Layer: tools.  May include: agent/base, and conf (see tool.h).
 */
#ifndef TOOLS_RUNNING_H
#define TOOLS_RUNNING_H

#include "conf/change.h"
#include "tools/tool.h"

enum { TOOL_RUNNING_FILE_SIZE = CONF_FILE_SIZE + 4 };

/* Read what yoked keeps beside its socket: its configuration, and its file's name.  Returns
 * TOOL_OK, or an exit code after it said why not. */
int tool_running_read(const char *socket_path, struct conf *running,
		      char file[TOOL_RUNNING_FILE_SIZE]);

/* Read and check the file, or its text, and say all problems.  Returns as above. */
int tool_running_load(const char *file, struct conf *next);
int tool_running_check(const char *file, const char *text, struct conf *next);

/* Print what of groups and resources ends and begins. */
void tool_running_print(const struct conf *old, const struct conf *next,
			const struct conf_change *change);

/* Ask at the terminal, or go by --yes; else says that nothing was changed, and what --yes does. */
bool tool_running_agreed(const struct tool_options *options, const char *question,
			 const char *what_yes_says);

#endif
