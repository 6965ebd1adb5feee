/* Paths that have two ends and a rate of their own: serial lines and shared disks. */
#include "agent/base/baud.h"
#include "conf/check.h"

enum { ENDS = 2 };

static bool is_line(const struct conf_endpoint *e)
{
	return e->configured && e->type == YOKE_PATH_TYPE_SERIAL;
}

static bool is_disk(const struct conf_endpoint *e)
{
	return e->configured && e->type == YOKE_PATH_TYPE_DISK;
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

/* The only other path than this one; NULL: there is none, or more than one. */
static const char *only_other(const struct conf *c, unsigned path)
{
	return c->path_count == 2 ? c->path[1 - path] : NULL;
}

/* A disk's interval against dead_ms. */
static void check_interval(const struct conf *c, unsigned path, const struct conf_endpoint *e,
			   struct conf_problems *problems)
{
	uint32_t interval_ms = conf_path_interval_ms(c, path);
	bool is_refused = interval_ms * CONF_CHECK_INTERVALS_MIN > c->dead_ms;
	uint32_t beats = is_refused ? CONF_CHECK_INTERVALS_MIN : CONF_CHECK_INTERVALS_GOOD;
	const char *other = only_other(c, path);
	char lower[48] = "", cost[160] = "";

	if (c->dead_ms == 0 || e->interval_ms == 0 || interval_ms == c->interval_ms ||
	    interval_ms * beats <= c->dead_ms)
		return;
	if (c->dead_ms / beats >= CONF_DISK_MS_MIN)
		snprintf(lower, sizeof(lower), "lower interval_ms to %u, or ", c->dead_ms / beats);
	if (!is_refused && other != NULL)
		snprintf(cost, sizeof(cost),
			 "; it is all that is left without path \"%s\", and a node's end is seen "
			 "on it up to %u ms later",
			 other, conf_path_look_ms(c, path));
	conf_problem(
		problems, e->line, !is_refused,
		"path \"%s\": there is a heartbeat on the disk each %u ms, and %u of them %s be "
		"in dead_ms = %u: %sraise dead_ms to %u%s",
		c->path[path], interval_ms, beats, is_refused ? "must" : "should", c->dead_ms,
		lower, interval_ms * beats, cost);
}

static bool is_alike(const struct conf_endpoint *a, const struct conf_endpoint *b)
{
	return a->type != b->type ||
	       (a->baud == b->baud && a->rtscts == b->rtscts && a->interval_ms == b->interval_ms);
}

static void check_ends(const struct conf *c, unsigned path, struct conf_problems *problems)
{
	const struct conf_endpoint *first = NULL;
	unsigned ends = 0;

	for (unsigned i = 0; i < c->node_count; i++) {
		const struct conf_endpoint *e = &c->node[i].endpoint[path];

		if (!(is_line(e) && e->baud != 0) && !(is_disk(e) && e->interval_ms != 0))
			continue;
		if (++ends == ENDS + 1)
			conf_problem(problems, e->line, false,
				     "path \"%s\": a path of type %s has two ends, and this is the "
				     "third",
				     c->path[path], yoke_word_path_type((int)e->type));
		if (first == NULL) {
			first = e;
			if (is_line(e))
				check_rate(c, path, e, problems);
			else
				check_interval(c, path, e, problems);
		} else if (!is_alike(first, e)) {
			conf_problem(problems, e->line, false,
				     "path \"%s\": %s must be as in line %d, at its other end",
				     c->path[path], is_line(e) ? "baud and rtscts" : "interval_ms",
				     first->line);
		}
	}
}

/* One tty or disk is one path. */
static void check_devices(const struct conf *c, const struct conf_node *node,
			  struct conf_problems *problems)
{
	for (unsigned b = 0; b < c->path_count; b++)
		for (unsigned a = 0; a < b && node->endpoint[b].device[0] != '\0'; a++)
			if (node->endpoint[a].configured &&
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
