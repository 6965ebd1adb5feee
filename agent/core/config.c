/* Is the others' configuration ours?
 *
 * Each state message has the digest of the whole and, behind it, those of its sections and of every
 * group (detail.c).  A difference is an alarm, and blocks what differs and nothing else:
 *
 *   a group     a node whose section of it is not that of the node that runs it, or may, or did
 *               when it fell silent, does not take it over.  Where it runs nowhere, the living
 *               node that had it last may start it, or the first one that can, when the others
 *               have not seen who that was, or it is in standby, in maintenance, leaves, or
 *               cannot run it.  One that each node runs is none the less not started beside such
 *               a node: by its file it may be exclusive.
 *   cluster, arbiters     no lease is counted for the other's: it may be longer than ours; an
 *               engine that starts again goes on with that until it is told otherwise, and begins
 *               with it when our own configuration is another one than before
 *   nodes       their numbers do not mean the same: blocks every group, and leases
 *   paths       nothing: what can be heard is heard
 *
 * An older yoke tells the digest of the whole only, as does one with more groups than a message has
 * room for: then no group is blocked, and no lease is counted.
 */
#include <string.h>

#include "agent/core/parts.h"

static const char *const section_name[CORE_SECTIONS] = {
	[CORE_SECTION_CLUSTER] = "cluster",
	[CORE_SECTION_NODES] = "nodes",
	[CORE_SECTION_PATHS] = "paths",
	[CORE_SECTION_ARBITERS] = "arbiters",
};

static bool has_group(const struct core_sections *told, uint32_t digest)
{
	for (uint16_t g = 0; g < told->group_count; g++)
		if (told->group[g] == digest)
			return true;
	return false;
}

void core_config_told(struct core *c, struct core_actions *out, uint16_t node,
		      const uint8_t digest[CORE_DIGEST_SIZE], const struct core_sections *told)
{
	struct core_node *n = core_node(c, node);
	bool was_same = n->config.same, counted = core_config_lease_counts(c, node);
	char before[YOKE_REASON_SIZE], reason[YOKE_REASON_SIZE];

	core_config_text(c, node, before);
	n->config.same = memcmp(digest, c->conf.digest, CORE_DIGEST_SIZE) == 0;
	n->config.by_section = told->known;
	n->config.doubted = false;
	for (unsigned s = 0; s < CORE_SECTIONS; s++)
		n->config.section_differs[s] =
			told->known && told->section[s] != c->conf.section[s];
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		n->config.group_differs[g] =
			told->known && !has_group(told, c->conf.group[g].digest);
	if (counted != core_config_lease_counts(c, node))
		core_record_touch(c);
	core_config_text(c, node, reason);
	if (was_same == n->config.same && strcmp(before, reason) == 0)
		return;
	core_event(c, out, n->config.same ? YOKE_EVENT_CONFIG_SAME : YOKE_EVENT_CONFIG_DIFFERS,
		   reason)
		->node = node;
}

bool core_config_lease_counts(const struct core *c, uint16_t node)
{
	const struct core_config *config = &core_node_const(c, node)->config;

	if (config->doubted || core_version_is_strange(c, node))
		return false;
	return config->same ||
	       (config->by_section && !config->section_differs[CORE_SECTION_CLUSTER] &&
		!config->section_differs[CORE_SECTION_NODES] &&
		!config->section_differs[CORE_SECTION_ARBITERS]);
}

uint32_t core_config_lease_digest(const struct core *c)
{
	static const enum core_section of[] = {CORE_SECTION_CLUSTER, CORE_SECTION_NODES,
					       CORE_SECTION_ARBITERS};
	uint32_t digest = 0;

	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		digest = digest * 31 + c->conf.section[of[i]];
	return digest;
}

bool core_config_group_same(const struct core *c, uint16_t node, uint16_t group)
{
	const struct core_config *config = &core_node_const(c, node)->config;

	return config->same ||
	       (config->by_section && !config->section_differs[CORE_SECTION_NODES] &&
		!config->group_differs[group - 1]);
}

bool core_config_may_run(const struct core *c, uint16_t node, uint16_t group)
{
	const struct core_node *n = core_node_const(c, node);
	const struct core_claim *claim = &n->claim[group - 1];

	return core_claim_runs(claim) || (claim->state == YOKE_GROUP_UNKNOWN && n->seen) ||
	       c->group[group - 1].grant_to == node;
}

/* Does it do without the group, whatever the other does?  core_cause_self() judges these before
 * DIFFERS: else each of two would step back because of the other, in turns. */
static bool is_out(enum core_cause cause)
{
	return core_is_sent_away(cause) || cause == CORE_CAUSE_RESTS || cause == CORE_CAUSE_FATAL ||
	       cause == CORE_CAUSE_YIELDS;
}

/* The group runs on neither.  Of two nodes the lower one decides, by what it has seen, and tells by
 * its cause whether it leaves the group to the other, which goes by that word: what each has seen
 * may not be the same, and an engine that was started since has seen nothing.  So they never both
 * go first, and as the lower one does not go by the other's word, they never both wait. */
static bool goes_first_idle(const struct core *c, uint16_t node, uint16_t group)
{
	enum core_cause cause = core_node_const(c, node)->claim[group - 1].cause;
	bool had_it = core_policy_was_at(c, group, node);

	if (is_out(cause))
		return false;
	if (node > c->conf.self)
		return had_it;
	/* Of one that is unfit the cause does not say whether it would step back. */
	return cause != CORE_CAUSE_DIFFERS && (had_it || core_is_fit(cause));
}

/* Has it more of a right to the group than we have? */
static bool goes_first(const struct core *c, uint16_t node, uint16_t group)
{
	const struct core_node *n = core_node_const(c, node);

	if (n->state == YOKE_NODE_LEFT)
		return false;
	if (core_config_may_run(c, node, group))
		return true;
	/* Who asked for it may have got it since. */
	if (n->state == YOKE_NODE_LOST)
		return n->claim[group - 1].request != 0;
	/* Where each node runs it there is no first one. */
	return !c->conf.group[group - 1].parallel && goes_first_idle(c, node, group);
}

bool core_config_group_differs(const struct core *c, uint16_t node, uint16_t group)
{
	return core_node_const(c, node)->config.by_section &&
	       !core_config_group_same(c, node, group);
}

bool core_config_blocks(const struct core *c, uint16_t group)
{
	struct core_claim mine = {.state = c->group[group - 1].state};

	if (core_claim_runs(&mine))
		return false;
	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_config_group_differs(c, n, group) &&
		    goes_first(c, n, group))
			return true;
	return false;
}

void core_config_text(const struct core *c, uint16_t node, char text[YOKE_REASON_SIZE])
{
	const struct core_config *config = &core_node_const(c, node)->config;
	char before[YOKE_REASON_SIZE];

	text[0] = '\0';
	if (config->same)
		return;
	for (unsigned s = 0; s < CORE_SECTIONS; s++) {
		memcpy(before, text, sizeof(before));
		if (config->section_differs[s])
			core_text(text, YOKE_REASON_SIZE, before, before[0] != '\0' ? ", " : "",
				  section_name[s], (char *)NULL);
	}
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		memcpy(before, text, sizeof(before));
		if (config->group_differs[g])
			core_text(text, YOKE_REASON_SIZE, before, before[0] != '\0' ? ", " : "",
				  "group ", c->conf.group[g].name, (char *)NULL);
	}
	/* What only the other has, and what is not told section by section. */
	if (text[0] == '\0')
		core_text(text, YOKE_REASON_SIZE,
			  config->by_section ? "a group that only it has"
					     : "its sections are not known",
			  (char *)NULL);
}
