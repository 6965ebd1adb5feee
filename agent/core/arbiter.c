#include "agent/core/parts.h"

void core_arbiter_on_answer(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	(void)c;
	(void)out;
	(void)ev;
}
