/* How long it takes: between two heartbeats of a path, and until an exclusive group runs again
 * whose owner died: what `yoke check` tells, and what a survivor waits before it believes that the
 * other stopped. */
#include "agent/base/baud.h"
#include "agent/base/bound.h"
#include "conf/conf.h"

enum {
	ASKED_TWICE = 2, /* off, and then status */
	SLOW_INTERVALS = 10,
	SLOW_MS_MAX = 1000, /* so that the loss in a minute means something */
	LOOKS = 3, /* at a disk in one interval: news are written after half of one (hb/post.h) */
	CLOCK_PART = 100, /* two clocks differ by less than 1 % */
};

static const struct conf_endpoint *first_end(const struct conf *conf, unsigned path)
{
	for (unsigned i = 0; i < conf->node_count; i++)
		if (conf->node[i].endpoint[path].configured)
			return &conf->node[i].endpoint[path];
	return NULL;
}

enum yoke_path_type conf_path_type(const struct conf *conf, unsigned path)
{
	const struct conf_endpoint *e = first_end(conf, path);

	return e != NULL ? e->type : YOKE_PATH_TYPE_UNKNOWN;
}

enum yoke_path_role conf_path_role(const struct conf *conf, unsigned path)
{
	const struct conf_endpoint *e = first_end(conf, path);

	return e != NULL ? e->role : YOKE_PATH_ROLE_UNKNOWN;
}

uint32_t conf_slow_ms(const struct conf *conf)
{
	uint32_t slow_ms = conf->interval_ms * SLOW_INTERVALS;

	if (slow_ms > SLOW_MS_MAX)
		slow_ms = SLOW_MS_MAX;
	return slow_ms > conf->interval_ms ? slow_ms : conf->interval_ms;
}

uint32_t conf_path_interval_ms(const struct conf *conf, unsigned path)
{
	const struct conf_endpoint *e = first_end(conf, path);
	uint32_t own_ms = 0;

	if (e != NULL && e->type == YOKE_PATH_TYPE_SERIAL && e->baud != 0)
		own_ms = (YOKE_SERIAL_BEAT_SIZE * YOKE_SERIAL_BITS * YOKE_SERIAL_SHARE * 1000u +
			  e->baud - 1) /
			 e->baud;
	if (e != NULL && e->type == YOKE_PATH_TYPE_DISK)
		own_ms = e->interval_ms;
	return own_ms > conf->interval_ms ? own_ms : conf->interval_ms;
}

uint32_t conf_path_look_ms(const struct conf *conf, unsigned path)
{
	if (conf_path_type(conf, path) != YOKE_PATH_TYPE_DISK)
		return 0;
	return conf_path_interval_ms(conf, path) / LOOKS;
}

uint32_t conf_detect_ms(const struct conf *conf)
{
	uint32_t look_ms = 0;

	for (unsigned path = 0; path < conf->path_count; path++)
		if (conf_path_look_ms(conf, path) > look_ms)
			look_ms = conf_path_look_ms(conf, path);
	return conf->dead_ms + look_ms;
}

uint32_t conf_path_late_ms(const struct conf *conf, unsigned path)
{
	/* While a line carries a message too, there is a heartbeat every two intervals (hb/pace.h);
	 * half of one more, because one that is a little late is none that is missing. */
	uint32_t least_ms = conf_path_interval_ms(conf, path) * 5 / 2;

	if (conf_path_interval_ms(conf, path) == conf->interval_ms || least_ms < conf->late_ms)
		return conf->late_ms;
	return least_ms < conf->dead_ms ? least_ms : conf->dead_ms;
}

unsigned conf_arbiters_of(const struct conf *conf, enum yoke_arbiter_type type)
{
	unsigned count = 0;

	for (unsigned i = 0; i < conf->arbiter_count; i++)
		count += conf->arbiter[i].type == type;
	return count;
}

unsigned conf_locks(const struct conf *conf)
{
	return conf_arbiters_of(conf, YOKE_ARBITER_TYPE_DISK) +
	       conf_arbiters_of(conf, YOKE_ARBITER_TYPE_WITNESS);
}

static uint32_t one_start_ms(const struct conf_resource *r)
{
	return r->type == YOKE_RESOURCE_TYPE_SCRIPT ? r->start_timeout_ms : CONF_ADDRESS_MS;
}

static uint32_t one_stop_ms(const struct conf_resource *r)
{
	return r->type == YOKE_RESOURCE_TYPE_SCRIPT ? r->stop_timeout_ms : CONF_ADDRESS_MS;
}

uint32_t conf_stop_bound_ms(const struct conf *conf)
{
	uint32_t longest_ms = 0;

	if (conf->watchdog[0] != '\0')
		return conf->watchdog_ms;
	for (unsigned i = 0; i < conf->group_count; i++) {
		const struct conf_group *g = &conf->group[i];
		struct yoke_stop_bound bound = {0};

		for (unsigned j = 0; j < g->resource_count && g->exclusive; j++) {
			const struct conf_resource *r = &conf->resource[g->resource_first + j];

			yoke_stop_bound_add(&bound, r->type == YOKE_RESOURCE_TYPE_SCRIPT,
					    one_start_ms(r), one_stop_ms(r));
		}
		if (yoke_stop_bound_ms(&bound) > longest_ms)
			longest_ms = yoke_stop_bound_ms(&bound);
	}
	return longest_ms;
}

static uint32_t start_ms(const struct conf *conf, const struct conf_group *group)
{
	uint32_t sum_ms = 0;

	for (unsigned i = 0; i < group->resource_count; i++)
		sum_ms += one_start_ms(&conf->resource[group->resource_first + i]);
	return sum_ms;
}

/* The time-outs of the programs that start a group. */
static uint32_t programs_ms(const struct conf *conf, const struct conf_group *group)
{
	uint32_t sum_ms = 0;

	for (unsigned i = 0; i < group->resource_count; i++) {
		const struct conf_resource *r = &conf->resource[group->resource_first + i];

		if (r->type == YOKE_RESOURCE_TYPE_SCRIPT)
			sum_ms += r->start_timeout_ms;
	}
	return sum_ms;
}

static uint32_t wait_ms(const struct conf *conf, const struct conf_group *group)
{
	unsigned others = 0;
	uint64_t others_ms = 0;

	if (programs_ms(conf, group) == 0)
		return 0;
	for (unsigned i = 0; i < conf->group_count; i++) {
		if (&conf->group[i] == group)
			continue;
		others += programs_ms(conf, &conf->group[i]) > 0;
		others_ms += programs_ms(conf, &conf->group[i]);
	}
	return yoke_wait_bound_ms(others, others_ms);
}

struct conf_bound conf_bound_silence(const struct conf *conf, const struct conf_group *group)
{
	struct conf_bound b = {.detect_ms = conf_detect_ms(conf),
			       .wait_ms = wait_ms(conf, group),
			       .start_ms = start_ms(conf, group)};

	b.total_ms = b.detect_ms + b.wait_ms + b.start_ms;
	return b;
}

/* After a proof it is asked once more whether anybody has the addresses, as agent/core/prepare.c
 * does. */
static uint32_t probe_ms(const struct conf *conf, const struct conf_group *group)
{
	uint32_t window_ms = conf->dead_ms - conf->late_ms;
	bool has_address = false;

	for (unsigned i = 0; i < group->resource_count; i++)
		has_address = has_address || conf->resource[group->resource_first + i].type ==
						     YOKE_RESOURCE_TYPE_ADDRESS;
	if (!has_address)
		return 0;
	return conf->conflict_ms < window_ms ? conf->conflict_ms : window_ms;
}

/* All levels that can switch one node off, one after the other. */
static void add_levels(const struct conf *conf, unsigned node, struct conf_bound *b)
{
	uint32_t delay_ms[10] = {0}; /* [level 1..9]: the longest of it */

	for (unsigned i = 0; i < conf->arbiter_count; i++) {
		const struct conf_arbiter *a = &conf->arbiter[i];

		if (a->type != YOKE_ARBITER_TYPE_FENCE || !a->node[node])
			continue;
		b->fence_ms += ASKED_TWICE * a->timeout_ms;
		if (a->delay_ms > delay_ms[a->level])
			delay_ms[a->level] = a->delay_ms;
	}
	for (unsigned i = 0; i < sizeof(delay_ms) / sizeof(delay_ms[0]); i++)
		b->delay_ms += delay_ms[i];
}

struct conf_bound conf_bound_fence(const struct conf *conf, const struct conf_group *group)
{
	struct conf_bound worst = {0};

	for (unsigned i = 0; i < group->node_count; i++) {
		struct conf_bound b = conf_bound_silence(conf, group);

		add_levels(conf, group->node[i], &b);
		b.probe_ms = probe_ms(conf, group);
		b.total_ms += b.delay_ms + b.fence_ms + b.probe_ms;
		if (b.total_ms > worst.total_ms)
			worst = b;
	}
	return worst;
}

static uint32_t with_margin_ms(uint32_t ms)
{
	return ms + ms / CLOCK_PART + 1;
}

struct conf_bound conf_bound_lease(const struct conf *conf, const struct conf_group *group)
{
	struct conf_bound b = conf_bound_silence(conf, group);

	b.lease_ms = with_margin_ms(conf->lease_ms);
	b.stop_ms = with_margin_ms(conf_stop_bound_ms(conf));
	b.probe_ms = probe_ms(conf, group);
	b.total_ms += b.lease_ms + b.stop_ms + b.probe_ms;
	return b;
}
