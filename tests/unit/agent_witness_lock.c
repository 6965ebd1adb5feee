/* agent/witness_lock.h: one holder, whatever is asked in whatever order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/witness_lock.h"

enum { LEASE_MS = 1000, OVER_US = (LEASE_MS + LEASE_MS / 100 + 1) * 1000, ROUNDS = 200000 };

static struct agent_witness_lock lock;
static bool save;

static enum hb_witness_result ask(uint16_t node, enum hb_witness_kind kind, int64_t at_us)
{
	return agent_witness_lock_ask(&lock, node, kind, LEASE_MS, (yoke_time){at_us}, &save);
}

static void claims_and_releases(void **state)
{
	(void)state;
	lock = (struct agent_witness_lock){0};
	assert_int_equal(ask(1, HB_WITNESS_CLAIM, 0), HB_WITNESS_YES);
	assert_true(save);
	assert_int_equal(ask(2, HB_WITNESS_CLAIM, 1), HB_WITNESS_NO);
	assert_false(save);
	assert_int_equal(ask(2, HB_WITNESS_LOOK, 2), HB_WITNESS_NO);
	assert_int_equal(ask(2, HB_WITNESS_RELEASE, 3), HB_WITNESS_NO);
	assert_int_equal(lock.holder, 1);
	assert_int_equal(ask(1, HB_WITNESS_CLAIM, 4), HB_WITNESS_YES);
	assert_false(save); /* renewed: not written */
	assert_int_equal(ask(1, HB_WITNESS_RELEASE, 5), HB_WITNESS_YES);
	assert_true(save);
	assert_int_equal(ask(2, HB_WITNESS_CLAIM, 6), HB_WITNESS_YES);
}

static void expires_with_margin(void **state)
{
	(void)state;
	lock = (struct agent_witness_lock){0};
	ask(1, HB_WITNESS_CLAIM, 500);
	assert_int_equal(ask(2, HB_WITNESS_CLAIM, 500 + OVER_US - 1), HB_WITNESS_NO);
	assert_int_equal(ask(2, HB_WITNESS_CLAIM, 500 + OVER_US), HB_WITNESS_YES);
	assert_true(save);
	assert_int_equal(ask(1, HB_WITNESS_CLAIM, 501 + OVER_US), HB_WITNESS_NO);
}

/* Two clients that go by leases of their own, counted from before they asked. */
static void never_two(void **state)
{
	int64_t held_until[3] = {0}, now = 0;
	uint32_t random = 1;

	(void)state;
	lock = (struct agent_witness_lock){0};
	for (int i = 0; i < ROUNDS; i++) {
		uint16_t node;
		int64_t asked;

		random = random * 1664525u + 1013904223u;
		node = (uint16_t)(1 + (random >> 30) % 2);
		now += (random >> 8) % 400000;
		asked = now;
		now += (random >> 4) % 5000;
		if ((random >> 16) % 20 == 0) {
			held_until[node] = 0;
			ask(node, HB_WITNESS_RELEASE, now);
		} else if (ask(node, HB_WITNESS_CLAIM, now) == HB_WITNESS_YES) {
			held_until[node] = asked + LEASE_MS * 1000;
		}
		assert_false(held_until[1] > now && held_until[2] > now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_and_releases),
		cmocka_unit_test(expires_with_margin),
		cmocka_unit_test(never_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
