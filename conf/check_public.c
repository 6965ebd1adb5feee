/* Paths over a network that others use, too. */
#include "conf/check.h"

enum { ANSWERS_MIN = 2 }; /* heartbeats between late and dead: one of them may be lost */

static void check_ends(const struct conf *c, unsigned path, struct conf_problems *problems)
{
	const struct conf_endpoint *first = NULL;

	for (unsigned i = 0; i < c->node_count; i++) {
		const struct conf_endpoint *e = &c->node[i].endpoint[path];

		if (!e->configured || e->role == YOKE_PATH_ROLE_UNKNOWN)
			continue;
		if (first == NULL)
			first = e;
		else if (first->type == e->type && first->role != e->role)
			conf_problem(problems, e->line, false,
				     "path \"%s\" is %s here but %s in line %d: it has one role",
				     c->path[path], yoke_word_path_role((int)e->role),
				     yoke_word_path_role((int)first->role), first->line);
	}
}

/* A node is asked on its public paths from late_ms on, and must have answered at dead_ms. */
static void check_times(const struct conf *c, struct conf_problems *problems)
{
	int line = c->line.late != 0       ? c->line.late
		   : c->line.interval != 0 ? c->line.interval
					   : c->line.dead;

	if (c->interval_ms == 0 || c->interval_ms * CONF_CHECK_INTERVALS_MIN > c->dead_ms ||
	    c->late_ms == 0 || c->late_ms > c->dead_ms ||
	    c->late_ms + ANSWERS_MIN * c->interval_ms <= c->dead_ms)
		return; /* well, or refused for another reason */
	conf_problem(
		problems, line, false,
		"late_ms = %u leaves too little time for a public path: at least %d heartbeats "
		"before dead_ms, so at most %u ms, or a shorter interval_ms",
		c->late_ms, ANSWERS_MIN, c->dead_ms - ANSWERS_MIN * c->interval_ms);
}

void conf_check_public(const struct conf *c, struct conf_problems *problems)
{
	unsigned private_count = 0;
	int line = 0;

	for (unsigned path = 0; path < c->path_count; path++) {
		check_ends(c, path, problems);
		if (conf_path_type(c, path) != YOKE_PATH_TYPE_UDP)
			continue;
		private_count += conf_path_role(c, path) != YOKE_PATH_ROLE_PUBLIC;
		for (unsigned i = 0; i < c->node_count && line == 0; i++)
			if (c->node[i].endpoint[path].role == YOKE_PATH_ROLE_PUBLIC)
				line = c->node[i].endpoint[path].line;
	}
	if (line == 0)
		return;
	check_times(c, problems);
	if (private_count == 0)
		conf_problem(
			problems, line, true,
			"no path of type udp is private: public ones beat at full rate always");
}
