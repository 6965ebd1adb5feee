#include "agent/core/parts.h"

bool core_wants_beat(const struct core *c, uint16_t node, yoke_time echoed)
{
	(void)c;
	(void)node;
	(void)echoed;
	return false;
}
