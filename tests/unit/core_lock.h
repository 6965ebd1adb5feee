/* tests/unit/core_lock.h - a pair with one exclusive group and an arbiter.
 *
 * Alpha is the first node of the group.  Arbiters answer by hand: pair_answer(), or lock_hold().
 *
 * Layer: tests.  Static functions, because each unit test is its own program.
 */
#ifndef TESTS_UNIT_CORE_LOCK_H
#define TESTS_UNIT_CORE_LOCK_H

#include "tests/unit/core_pair.h"

enum {
	LEASE_MS = 2000,
	WATCHDOG_MS = 3000,
	OVER_MS = LEASE_MS + LEASE_MS / 100 + 1 + WATCHDOG_MS + WATCHDOG_MS / 100 + 1,
	LOCK = 1, /* the arbiter's number */
};

static inline void lock_init(struct pair *p, enum yoke_arbiter_type type)
{
	pair_init(p);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &p->conf[n];

		c->group[0].exclusive = true;
		c->lease_ms = LEASE_MS;
		c->watchdog_ms = WATCHDOG_MS;
		c->arbiter_count = 1;
		snprintf(c->arbiter[0].name, YOKE_NAME_SIZE, "judge");
		c->arbiter[0].type = type;
		c->arbiter[0].timeout_ms = 1000;
		c->arbiter[0].level = 1;
		c->arbiter[0].node[0] = c->arbiter[0].node[1] = true;
		c->arbiter[0].delay_ms = 5000;
	}
}

/* Alpha owns the group, both are in contact, beats flow. */
static inline void lock_form(struct pair *p)
{
	pair_meet(p);
	pair_beat(p, 1000);
	assert_int_equal(pair_group(p, ALPHA, 1), YOKE_GROUP_STARTED);
}

static inline void lock_silence(struct pair *p, uint16_t at)
{
	pair_path(p, at, 1, YOKE_PATH_DOWN);
	pair_path(p, at, 2, YOKE_PATH_DOWN);
}

static inline void lock_late(struct pair *p, uint16_t at)
{
	pair_path(p, at, 1, YOKE_PATH_LATE);
	pair_path(p, at, 2, YOKE_PATH_LATE);
}

/* All paths are cut; half a dead time, then the verdict, on all that run. */
static inline void lock_cut(struct pair *p)
{
	p->wire = false;
	for (uint16_t n = ALPHA; n <= BETA; n++)
		lock_late(p, n);
	pair_run(p, PAIR_DEAD_MS / 2);
	for (uint16_t n = ALPHA; n <= BETA; n++)
		lock_silence(p, n);
}

/* Beta keeps the lock until span_ms have passed. */
static inline void lock_hold(struct pair *p, int64_t span_ms)
{
	for (; span_ms > 0; span_ms -= 50) {
		if (pair_asked(p, BETA, LOCK) == CORE_ASK_CLAIM)
			pair_answer(p, BETA, LOCK, CORE_RESULT_DONE, 0);
		pair_run(p, span_ms < 50 ? span_ms : 50);
	}
}

#endif
