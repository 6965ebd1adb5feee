/* agent/core/jeopardy.c: an alarm when one path is left, or public ones only; once, and its end. */
#include "tests/unit/core_pair.h"

enum { AFTER_MS = 3000 };

static struct pair pair;

static int form(void **state)
{
	(void)state;
	pair_form(&pair);
	return 0;
}

static void expect(unsigned told, unsigned over)
{
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_JEOPARDY), told);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_JEOPARDY_OVER), over);
}

static void lose(uint16_t path)
{
	pair_path(&pair, ALPHA, path, YOKE_PATH_LATE);
	pair_path(&pair, ALPHA, path, YOKE_PATH_DOWN);
}

/* Of two paths the second one is public; beta knows nothing of that, and need not. */
static void second_is_public(void)
{
	pair.core[ALPHA - 1].conf.path_public[1] = true;
}

static void one_path_is_left(void **state)
{
	const struct yoke_event *ev;

	(void)state;
	pair_run(&pair, 2 * AFTER_MS);
	expect(0, 0);
	lose(1);
	pair_run(&pair, AFTER_MS - 1);
	expect(0, 0);
	pair_run(&pair, 2);
	expect(1, 0);
	ev = pair_last(&pair, ALPHA, YOKE_EVENT_JEOPARDY);
	assert_int_equal(ev->node, BETA);
	assert_int_equal(ev->path, 2);
	assert_string_equal(ev->reason, "one path is left");
	pair_run(&pair, 100 * AFTER_MS);
	expect(1, 0);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	expect(1, 1);
	pair_run(&pair, AFTER_MS);
	expect(1, 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void what_is_over_soon_was_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		lose(1);
		pair_run(&pair, AFTER_MS - 1);
		pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
		pair_run(&pair, 1);
	}
	pair_path(&pair, ALPHA, 1, YOKE_PATH_LATE);
	pair_run(&pair, 2 * AFTER_MS);
	expect(0, 0);
}

/* Its paths go down one after the other. */
static void a_dead_node_is_not_in_jeopardy(void **state)
{
	(void)state;
	lose(1);
	pair_run(&pair, 10);
	lose(2);
	pair_run(&pair, 2 * AFTER_MS);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_LOST);
	expect(0, 0);
}

static void an_alarm_of_a_lost_node_ends_when_it_is_back(void **state)
{
	(void)state;
	lose(1);
	pair_run(&pair, AFTER_MS + 1);
	expect(1, 0);
	lose(2);
	pair_run(&pair, 2 * AFTER_MS);
	expect(1, 0);
	pair_path(&pair, ALPHA, 2, YOKE_PATH_UP);
	pair_run(&pair, AFTER_MS - 1);
	expect(1, 0);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	pair_run(&pair, AFTER_MS);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	expect(1, 1);
}

static void a_public_path_is_the_last(void **state)
{
	(void)state;
	second_is_public();
	lose(1);
	pair_run(&pair, AFTER_MS + 1);
	expect(1, 0);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_JEOPARDY)->reason,
			    "one path is left, and it is public");
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	expect(1, 1);
	lose(2);
	pair_run(&pair, AFTER_MS + 1);
	expect(2, 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_JEOPARDY)->reason,
			    "one path is left");
}

/* It is worse than before: said again. */
static void public_ones_are_left_and_then_one(void **state)
{
	struct core *c = &pair.core[ALPHA - 1];

	(void)state;
	second_is_public();
	c->conf.path_count = 3;
	c->conf.path_public[2] = true;
	pair_path(&pair, ALPHA, 3, YOKE_PATH_UP);
	lose(1);
	pair_run(&pair, AFTER_MS + 1);
	expect(1, 0);
	assert_int_equal(pair_last(&pair, ALPHA, YOKE_EVENT_JEOPARDY)->path, 0);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_JEOPARDY)->reason,
			       "no private path is left"));
	lose(3);
	pair_run(&pair, AFTER_MS + 1);
	expect(2, 0);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	expect(2, 1);
}

/* One path is all there ever was, and all public is what was wished. */
static void what_is_configured_so_is_no_alarm(void **state)
{
	struct core *c = &pair.core[ALPHA - 1];

	(void)state;
	second_is_public();
	c->conf.path_public[0] = true;
	pair_run(&pair, 2 * AFTER_MS);
	expect(0, 0);
	c->conf.path_count = 1;
	pair_path(&pair, ALPHA, 1, YOKE_PATH_LATE);
	pair_path(&pair, ALPHA, 1, YOKE_PATH_UP);
	pair_run(&pair, 2 * AFTER_MS);
	expect(0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, form)
	const struct CMUnitTest tests[] = {
		TEST(one_path_is_left),
		TEST(what_is_over_soon_was_nothing),
		TEST(a_dead_node_is_not_in_jeopardy),
		TEST(an_alarm_of_a_lost_node_ends_when_it_is_back),
		TEST(a_public_path_is_the_last),
		TEST(public_ones_are_left_and_then_one),
		TEST(what_is_configured_so_is_no_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
