#include "tests/sim/scenario.h"
bool sim_scenarios(const char *folder, bool rewrite, struct sim_world *w)
{
	(void)folder;(void)rewrite;(void)w;
	return true;
}
