/* Which protocols the nodes speak.
 *
 * Each beat names the oldest and the newest protocol that its sender speaks; a yoke of before that
 * does not, and speaks 1.  The newest one that both speak is the common one, and what a protocol
 * brought is used from then on that both have it:
 *
 *   1  beats and state messages as they always were
 *   2  the same, and the sender tells which ones it speaks
 *
 * What older ones skip is no new protocol: sections (detail.c) and kinds of frames (hb/take.c).  In
 * every protocol a beat begins as wire.c says, and who changes the meaning of the rest gives it
 * another tag.  So two that have none in common know that, and what the other speaks: an alarm.
 * They hear each other live, which renews leases, and neither takes anything over; what each runs
 * goes on.  That one of them falls silent changes nothing of it: what it runs, and for how long, it
 * has not told, so that only proof of its death counts.
 *
 * A frame that is no longer laid out as ours (hb/frame.h) says the same in its header; that one
 * cannot be opened, so anybody may have sent it: it is an alarm, and changes nothing else.
 */
#include "agent/core/parts.h"

enum { BEFORE_IT_WAS_TOLD = 1 };

uint8_t core_version_common(const struct core *c, uint16_t node)
{
	const struct core_node *n = core_node_const(c, node);
	uint8_t newest =
		n->protocol_max < c->conf.protocol_max ? n->protocol_max : c->conf.protocol_max;

	return newest >= n->protocol_min && newest >= c->conf.protocol_min ? newest : 0;
}

bool core_version_is_strange(const struct core *c, uint16_t node)
{
	return core_node_const(c, node)->protocol_max != 0 && core_version_common(c, node) == 0;
}

bool core_version_is_alarm(const struct core *c, uint16_t node)
{
	return core_version_is_strange(c, node) || core_node_const(c, node)->foreign_max != 0;
}

static void range_text(uint8_t min, uint8_t max, char text[48])
{
	char from[21], to[21];

	core_text(text, 48, core_number(min, from), min == max ? "" : " to ",
		  min == max ? "" : core_number(max, to), (char *)NULL);
}

void core_version_text(const struct core *c, uint16_t node, char reason[YOKE_REASON_SIZE])
{
	const struct core_node *n = core_node_const(c, node);
	char theirs[48], ours[48];

	if (n->foreign_max != 0)
		range_text(n->foreign_min, n->foreign_max, theirs);
	else
		range_text(n->protocol_min, n->protocol_max, theirs);
	range_text(c->conf.protocol_min, c->conf.protocol_max, ours);
	core_text(reason, YOKE_REASON_SIZE, "it speaks protocol ", theirs, ", we ", ours,
		  (char *)NULL);
}

static void tell(struct core *c, struct core_actions *out, uint16_t node, bool was)
{
	bool is = core_version_is_alarm(c, node);
	char reason[YOKE_REASON_SIZE];

	if (is == was)
		return;
	core_version_text(c, node, reason);
	core_event(c, out, is ? YOKE_EVENT_PROTOCOL_MISMATCH : YOKE_EVENT_PROTOCOL_AGREED, reason)
		->node = node;
}

void core_version_told(struct core *c, struct core_actions *out, uint16_t node, uint8_t min,
		       uint8_t max)
{
	struct core_node *n = core_node(c, node);
	bool was = core_version_is_alarm(c, node), counted = core_config_lease_counts(c, node);

	if (min == 0 || max < min)
		min = max = BEFORE_IT_WAS_TOLD;
	n->protocol_min = min;
	n->protocol_max = max;
	if (counted != core_config_lease_counts(c, node))
		core_record_touch(c);
	tell(c, out, node, was);
}

void core_version_foreign(struct core *c, struct core_actions *out, uint16_t node, uint8_t min,
			  uint8_t max)
{
	struct core_node *n = core_node(c, node);
	bool was = core_version_is_alarm(c, node);

	if (core_node_alive(n))
		return;
	n->foreign_min = min;
	n->foreign_max = max;
	tell(c, out, node, was);
}

void core_version_heard(struct core *c, struct core_actions *out, uint16_t node)
{
	struct core_node *n = core_node(c, node);
	bool was = core_version_is_alarm(c, node);

	n->foreign_min = n->foreign_max = 0;
	tell(c, out, node, was);
}
