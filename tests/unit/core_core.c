/* The step as a whole: pure, repeatable, and what its helpers promise. */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

static struct pair pair;

static void the_same_events_give_the_same_actions(void **state)
{
	static struct core a, b;
	static struct core_actions out_a, out_b;
	struct core_event ev = {.type = CORE_TIMER, .now = {5}};

	(void)state;
	pair_init(&pair);
	core_init(&a, &pair.conf[0], NULL, 0, NULL, (yoke_time){5});
	memset(&b, 0x55, sizeof(b));
	core_init(&b, &pair.conf[0], NULL, 0, NULL, (yoke_time){5});
	for (unsigned i = 0; i < 5; i++) {
		core_step(&a, &ev, &out_a);
		core_step(&b, &ev, &out_b);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(out_a.count, out_b.count);
		assert_memory_equal(out_a.action, out_b.action,
				    out_a.count * sizeof(out_a.action[0]));
		ev.now = core_deadline(&a);
	}
}

static void a_core_may_be_copied(void **state)
{
	static struct core copy;
	static struct core_actions out;
	struct core_event ev = {.type = CORE_TIMER};

	(void)state;
	pair_form(&pair);
	copy = *pair_core(&pair, ALPHA);
	ev.now = yoke_time_add_ms(pair.now, 1);
	core_step(&copy, &ev, &out);
	pair_run(&pair, 1);
	pair_timer(&pair, ALPHA);
	assert_memory_equal(&copy, pair_core(&pair, ALPHA), sizeof(copy));
}

static void a_timer_too_often_is_harmless(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_run(&pair, 2000);
	for (unsigned i = 0; i < 100; i++) {
		pair_timer(&pair, ALPHA);
		assert_int_equal(pair.out.count, 0);
	}
}

static void the_meaningful_part_of_an_event(void **state)
{
	struct core_event ev = {.type = CORE_TIMER};

	(void)state;
	assert_int_equal(core_event_size(&ev), offsetof(struct core_event, u));
	ev.type = CORE_MESSAGE;
	ev.u.message.size = 10;
	assert_int_equal(core_event_size(&ev), offsetof(struct core_event, u.message.bytes) + 10);
	ev.u.message.size = YOKE_MESSAGE_SIZE;
	assert_true(core_event_size(&ev) <= sizeof(ev));
	ev.type = CORE_OPERATE;
	assert_true(core_event_size(&ev) >=
		    offsetof(struct core_event, u.operate.reason) + sizeof(ev.u.operate.reason));
	ev.type = CORE_RESULT;
	assert_true(core_event_size(&ev) >=
		    offsetof(struct core_event, u.result.reason) + sizeof(ev.u.result.reason));
}

static void texts_are_cut_and_numbers_printed(void **state)
{
	char text[8], number[21];

	(void)state;
	core_text(text, sizeof(text), "abc", "defgh", "i", (char *)NULL);
	assert_string_equal(text, "abcdefg");
	core_text(text, sizeof(text), (char *)NULL);
	assert_string_equal(text, "");
	assert_string_equal(core_number(0, number), "0");
	assert_string_equal(core_number(UINT64_MAX, number), "18446744073709551615");
}

/* Each thing that core_check() forbids is noticed. */
static void a_broken_core_is_noticed(void **state)
{
	struct core broken;

	(void)state;
	pair_form(&pair);
	broken = *pair_core(&pair, ALPHA);
	broken.group[0].term = broken.group[0].reserved + 1;
	assert_non_null(core_check(&broken));
	broken = *pair_core(&pair, ALPHA);
	broken.resource[0].run = 5;
	assert_non_null(core_check(&broken));
	broken = *pair_core(&pair, ALPHA);
	broken.save.retry_at = broken.now;
	assert_non_null(core_check(&broken));
	broken = *pair_core(&pair, ALPHA);
	broken.save.asked = broken.save.durable;
	assert_non_null(core_check(&broken));
	broken = *pair_core(&pair, BETA);
	broken.resource[1].state = YOKE_RESOURCE_STARTED;
	assert_non_null(core_check(&broken));
	broken = *pair_core(&pair, BETA);
	broken.group[0].conflict = ALPHA;
	assert_non_null(core_check(&broken));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_events_give_the_same_actions),
		cmocka_unit_test(a_core_may_be_copied),
		cmocka_unit_test(a_timer_too_often_is_harmless),
		cmocka_unit_test(the_meaningful_part_of_an_event),
		cmocka_unit_test(texts_are_cut_and_numbers_printed),
		cmocka_unit_test(a_broken_core_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
