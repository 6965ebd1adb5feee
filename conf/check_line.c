/* Paths that are serial lines. */
#include "agent/base/baud.h"
#include "conf/check.h"

enum { LINE_ENDS = 2 };

static bool is_line(const struct conf_endpoint *e)
{
	return e->configured && e->type == YOKE_PATH_TYPE_SERIAL;
}

/* The slowest rate that carries `beats` heartbeats in dead_ms; 0: none does. */
static uint32_t least_baud(const struct conf *c, uint32_t beats)
{
	uint64_t bits = (uint64_t)YOKE_SERIAL_BEAT_SIZE * YOKE_SERIAL_BITS * YOKE_SERIAL_SHARE;

#define ENOUGH(rate)                                                                               \
	if (bits * beats * 1000 <= (uint64_t)c->dead_ms * rate)                                    \
		return rate;
	YOKE_BAUDS(ENOUGH)
	return 0;
}

/* The rate against dead_ms. */
static void check_rate(const struct conf *c, unsigned path, const struct conf_endpoint *e,
		       struct conf_problems *problems)
{
	uint32_t interval_ms = conf_path_interval_ms(c, path);
	bool is_refused = interval_ms * CONF_CHECK_INTERVALS_MIN > c->dead_ms;
	uint32_t beats = is_refused ? CONF_CHECK_INTERVALS_MIN : CONF_CHECK_INTERVALS_GOOD;
	uint32_t better = least_baud(c, beats);
	char advice[48] = "";

	if (c->dead_ms == 0 || e->baud == 0 || interval_ms == c->interval_ms ||
	    interval_ms * beats <= c->dead_ms)
		return;
	if (better != 0)
		snprintf(advice, sizeof(advice), ", or baud to %u", better);
	conf_problem(problems, e->line, !is_refused,
		     "path \"%s\": %u baud carries a heartbeat each %u ms at most, and %u of them "
		     "%s be in dead_ms = %u: raise dead_ms to %u%s",
		     c->path[path], e->baud, interval_ms, beats, is_refused ? "must" : "should",
		     c->dead_ms, interval_ms * beats, advice);
}

static void check_ends(const struct conf *c, unsigned path, struct conf_problems *problems)
{
	const struct conf_endpoint *first = NULL;
	unsigned ends = 0;

	for (unsigned i = 0; i < c->node_count; i++) {
		const struct conf_endpoint *e = &c->node[i].endpoint[path];

		if (!is_line(e) || e->baud == 0)
			continue;
		if (++ends == LINE_ENDS + 1)
			conf_problem(
				problems, e->line, false,
				"path \"%s\": a serial line has two ends, and this is the third",
				c->path[path]);
		if (first == NULL) {
			first = e;
			check_rate(c, path, e, problems);
		} else if (first->baud != e->baud || first->rtscts != e->rtscts) {
			conf_problem(problems, e->line, false,
				     "path \"%s\": baud and rtscts must be as in line %d, at the "
				     "line's other end",
				     c->path[path], first->line);
		}
	}
}

/* One tty is one path. */
static void check_devices(const struct conf *c, const struct conf_node *node,
			  struct conf_problems *problems)
{
	for (unsigned b = 0; b < c->path_count; b++)
		for (unsigned a = 0; a < b && is_line(&node->endpoint[b]); a++)
			if (is_line(&node->endpoint[a]) && node->endpoint[b].device[0] != '\0' &&
			    strcmp(node->endpoint[a].device, node->endpoint[b].device) == 0)
				conf_problem(problems, node->endpoint[b].line, false,
					     "the same device as path \"%s\" in line %d",
					     c->path[a], node->endpoint[a].line);
}

void conf_check_lines(const struct conf *c, struct conf_problems *problems)
{
	for (unsigned path = 0; path < c->path_count; path++)
		check_ends(c, path, problems);
	for (unsigned i = 0; i < c->node_count; i++)
		check_devices(c, &c->node[i], problems);
}
