/* The conflict probe of a group: does anybody answer for its addresses already?
 *
 *   NONE --begin--> RUNNING --silence on every resource--> CLEAR
 *                      +-----somebody answers------------> NODE or STRANGER
 *   CLEAR --begin, it is old--> RUNNING, and still counts as CLEAR for who makes room
 *   any --drop--> NONE
 *
 * It is run before every start, and ahead of time while an owner is late: so a takeover need not
 * wait for it, and an owner whose engine is dead but whose machine lives is found out.
 */
#include <string.h>

#include "agent/core/parts.h"

enum { AGAIN_MS = 100 };

static uint32_t prepare_ms(const struct core *c)
{
	uint32_t window_ms = c->conf.dead_ms - c->conf.late_ms;

	/* Over when the dead time is: a takeover must not wait for it. */
	if (window_ms > 1)
		window_ms--;
	return c->conf.conflict_ms < window_ms ? c->conf.conflict_ms : window_ms;
}

void core_prepare_drop(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];

	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (core_resource_of(c, group, i)->run != 0 &&
		    core_resource_of(c, group, i)->run_kind == CORE_RUN_PREPARE)
			core_resource_cancel(c, out, core_resource_at(c, group, i));
	g->prepare = CORE_PREPARE_NONE;
	g->prepare_by = 0;
	g->prepared_at = YOKE_NEVER;
}

static bool prepare_out(struct core *c, uint16_t group)
{
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (core_resource_of(c, group, i)->run != 0 &&
		    core_resource_of(c, group, i)->run_kind == CORE_RUN_PREPARE)
			return true;
	return false;
}

static void clear(const struct core *c, struct core_group *g)
{
	g->prepare = CORE_PREPARE_CLEAR;
	g->prepared_at = c->now;
}

void core_prepare_begin(struct core *c, struct core_actions *out, uint16_t group)
{
	struct core_group *g = &c->group[group - 1];

	g->prepare_by = 0;
	if (c->conf.conflict_ms == 0) {
		clear(c, g);
		return;
	}
	g->prepare = CORE_PREPARE_RUNNING;
	for (uint16_t i = 0; i < core_resource_count(c, group); i++)
		if (core_resource_of(c, group, i)->run == 0 &&
		    c->conf.resource[core_resource_at(c, group, i) - 1].has_address)
			core_resource_run(c, out, core_resource_at(c, group, i), CORE_RUN_PREPARE,
					  prepare_ms(c));
	if (!prepare_out(c, group))
		clear(c, g); /* it has no address that could collide */
}

static uint16_t node_of_hwaddr(const struct core *c, const uint8_t *hwaddr)
{
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);

		for (uint16_t i = 0; i < node->hwaddr_count; i++)
			if (memcmp(node->hwaddr[i], hwaddr, CORE_HWADDR_SIZE) == 0)
				return n;
	}
	return 0;
}

/* A node in contact answers for what it says not to run: it has just started it and its word is on
 * the way to us, or something was left behind there.  Not a reason to start it, too. */
static void look_again(struct core *c, uint16_t group, uint16_t by)
{
	struct core_group *g = &c->group[group - 1];

	g->prepare_at = yoke_time_add_ms(c->now, AGAIN_MS);
	core_text(g->reason, sizeof(g->reason), c->conf.node_name[by - 1],
		  " answers for its address and says that it is stopped there", (char *)NULL);
}

void core_prepare_on_result(struct core *c, struct core_actions *out, uint16_t group,
			    const struct core_event *ev)
{
	struct core_group *g = &c->group[group - 1];
	uint16_t by;

	if (g->prepare != CORE_PREPARE_RUNNING)
		return;
	if (ev->u.result.result != CORE_RESULT_ANSWERED) {
		if (!prepare_out(c, group))
			clear(c, g);
		return;
	}
	by = node_of_hwaddr(c, ev->u.result.hwaddr);
	core_prepare_drop(c, out, group);
	if (by != 0 && by != core_owner(c, group) && core_node_alive(core_node_const(c, by))) {
		look_again(c, group, by);
		return;
	}
	g->prepare = by != 0 ? CORE_PREPARE_NODE : CORE_PREPARE_STRANGER;
	g->prepare_by = by;
	memcpy(g->stranger, ev->u.result.hwaddr, CORE_HWADDR_SIZE);
}

void core_prepare_hwaddr_text(const uint8_t *hwaddr, char text[18])
{
	static const char hex[16] = "0123456789abcdef";

	for (size_t i = 0; i < CORE_HWADDR_SIZE; i++) {
		text[3 * i] = hex[hwaddr[i] >> 4];
		text[3 * i + 1] = hex[hwaddr[i] & 15];
		text[3 * i + 2] = i + 1 < CORE_HWADDR_SIZE ? ':' : '\0';
	}
}
