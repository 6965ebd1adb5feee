/* tests/sim/random.h - the one source of chance: the same seed draws the same history.
 *
 * splitmix64 (https://prng.di.unimi.it/splitmix64.c, public domain algorithm): one word of state,
 * good enough to choose faults with.
 *
 * Layer: tests.  Memory: one word, the caller's.
 */
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
	uint64_t state;
};

static inline uint64_t sim_random_next(struct sim_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* lowest..highest, both included. */
static inline int64_t sim_random_in(struct sim_random *r, int64_t lowest, int64_t highest)
{
	return lowest + (int64_t)(sim_random_next(r) % (uint64_t)(highest - lowest + 1));
}

static inline bool sim_random_permille(struct sim_random *r, uint32_t permille)
{
	return sim_random_next(r) % 1000 < permille;
}

#endif
