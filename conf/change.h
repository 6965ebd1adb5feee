/* conf/change.h - from one configuration to the next on a running node: what has to stop first, and
 * what cannot be done while it runs.
 *
 * Groups, resources and paths may come, go and change, and so may times, the log and SNMP.  What
 * the node's identity, its leases and its files hang on may not.
 *
 * Layer: conf, pure.  May include: agent/base.  Memory: nothing is kept.
 * Example: tests/unit/conf_change.c.
 */
#ifndef CONF_CHANGE_H
#define CONF_CHANGE_H

#include "conf/conf.h"

enum { CONF_CHANGE_REFUSALS_MAX = 16 };

struct conf_change {
	/* What needs a restart, each a sentence that says so; none: it can be done live. */
	char refusal[CONF_CHANGE_REFUSALS_MAX][CONF_PROBLEM_SIZE];
	unsigned refusal_count;
	/* By the old one's indexes: what this node is not to run any more, or not like this. */
	bool group_ends[YOKE_GROUPS_MAX];
	bool resource_ends[YOKE_RESOURCES_MAX]; /* of groups that stay */
	unsigned ends;                          /* how many of both */
	/* By the new one's: it stays, and has resources that it did not have like this. */
	bool group_grows[YOKE_GROUPS_MAX];
	/* By the new one's: index + 1 in the old one, in the same group; 0: it comes. */
	uint16_t was[YOKE_RESOURCES_MAX];
	uint32_t paths_stay; /* bit n - 1: path number n is the same */
	bool any;            /* they are not the same */
};

/* What is it for node `self` (index, of both) to go from the old one to the new one?  A refusal
 * ends the search for what ends. */
void conf_change(const struct conf *old, const struct conf *next, unsigned self,
		 struct conf_change *change);

/* Would the other node hear us no more, for all paths that are up now (bits, as paths_stay) go? */
bool conf_change_cuts(const struct conf_change *change, uint32_t paths_up);
/* What to say then. */
extern const char conf_change_cuts_text[];

#endif
