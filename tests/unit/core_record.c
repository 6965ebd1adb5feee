/* What survives a restart, and what a damaged record leads to. */
#include "tests/unit/core_pair.h"

static struct pair pair;

static void a_damaged_record_means_standby(uint8_t *record, uint16_t size)
{
	pair_init(&pair);
	memcpy(pair.record[ALPHA - 1], record, size);
	pair.record_size[ALPHA - 1] = size;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_STATE_UNREADABLE), 1);
	assert_true(pair_core(&pair, ALPHA)->intent[ALPHA - 1].standby);
}

static void every_damaged_byte_is_noticed(void **state)
{
	uint8_t record[YOKE_RECORD_SIZE];
	uint16_t size;

	(void)state;
	pair_form(&pair);
	size = pair.record_size[ALPHA - 1];
	memcpy(record, pair.record[ALPHA - 1], size);
	for (uint16_t i = 0; i < size; i++) {
		record[i] ^= 0x10;
		a_damaged_record_means_standby(record, size);
		record[i] ^= 0x10;
	}
	for (uint16_t cut = 1; cut < size; cut++)
		a_damaged_record_means_standby(record, cut);
}

static void terms_and_intent_come_back(void **state)
{
	(void)state;
	pair_form(&pair);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 500);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 500);
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	assert_true(pair_core(&pair, ALPHA)->intent[ALPHA - 1].standby);
	assert_true(pair_core(&pair, ALPHA)->group[0].term >= 3);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	assert_int_equal(pair_core(&pair, ALPHA)->history[0].number & 0xffffff, 3);
}

/* The term on disk may have been used before the power cut: it is never used again. */
static void a_term_is_never_used_twice(void **state)
{
	uint64_t last = 0;

	(void)state;
	pair_init(&pair);
	for (unsigned i = 0; i < 5; i++) {
		pair_start(&pair, ALPHA);
		pair_run(&pair, 4000);
		assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
		assert_true(pair_core(&pair, ALPHA)->group[0].term > last);
		last = pair_core(&pair, ALPHA)->group[0].term;
		pair_power_off(&pair, ALPHA);
	}
}

static void a_held_node_owns_nothing_until_it_is_told(void **state)
{
	(void)state;
	pair_form(&pair);
	/* The others remember a younger time: alpha was in standby and is online again. */
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 500);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 500);
	pair_power_off(&pair, ALPHA);
	pair.record[ALPHA - 1][5] ^= 1;
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_power_off(&pair, ALPHA);
	/* Its record is good again before it has met anybody. */
	pair.wire = true;
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 500);
	assert_true(pair_core(&pair, ALPHA)->intent[ALPHA - 1].standby);
	assert_true(pair_core(&pair, BETA)->intent[ALPHA - 1].standby);
	/* Also after another restart, now with a good record. */
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 500);
	assert_false(pair_core(&pair, ALPHA)->intent[ALPHA - 1].standby);
	assert_int_equal(pair_core(&pair, ALPHA)->hold[0], '\0');
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void a_held_node_stops_what_it_finds_running(void **state)
{
	(void)state;
	pair_form(&pair);
	pair_start_held(&pair, ALPHA, "permission denied");
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_STATE_UNREADABLE)->reason,
			    "permission denied");
	assert_false(pair.address[ALPHA - 1][0]);
}

static void a_disk_that_does_not_answer_is_a_failure(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.saves_by_hand = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 9000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_FAILED), 0);
	pair_run(&pair, 2000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_FAILED), 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	pair_run(&pair, 1100);
	assert_int_equal(pair.saves[ALPHA - 1], 2);
	pair_saved(&pair, ALPHA, true);
	pair_run(&pair, 1100);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_WORKS), 1);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void an_answer_about_another_record_is_ignored(void **state)
{
	struct core_event ev = {.type = CORE_SAVED};

	(void)state;
	pair_init(&pair);
	pair.saves_by_hand = true;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 4000);
	ev.u.saved.version = pair.save_version[ALPHA - 1] + 1;
	ev.u.saved.ok = true;
	pair_give(&pair, ALPHA, &ev);
	ev.u.saved.version = 0;
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].reserved, 0);
	assert_int_equal(pair.saves[ALPHA - 1], 1);
	ev.u.saved.version = pair.save_version[ALPHA - 1];
	pair_saved(&pair, ALPHA, true);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].reserved, 1);
	ev.u.saved.ok = false; /* twice: the second one is late */
	pair_give(&pair, ALPHA, &ev);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_FAILED), 0);
}

/* It may be on the disk all the same: the next one must not have a lower term, whatever the other
 * node says by then. */
static void a_term_does_not_fall_when_a_save_fails(void **state)
{
	struct core *beta = pair_core(&pair, BETA);

	(void)state;
	pair_form(&pair);
	pair.saves_by_hand = true;
	pair.wire = false;
	beta->node[ALPHA - 1].claim[0].term = 50;
	pair_timer(&pair, BETA);
	assert_int_equal(beta->group[0].reserving, 51);
	beta->node[ALPHA - 1].claim[0].term = 1;
	pair_saved(&pair, BETA, false);
	pair_run(&pair, 1100);
	assert_true(beta->save.asked != 0);
	pair_saved(&pair, BETA, true);
	assert_int_equal(beta->group[0].reserved, 51);
}

/* What follows from it is looked at in the same step. */
static void a_disk_that_does_not_answer_is_told_at_once(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.saves_by_hand = true;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair_core(&pair, ALPHA)->node[0].claim[0].cause, CORE_CAUSE_NONE);
	while (pair_told(&pair, ALPHA, YOKE_EVENT_SAVE_FAILED) == 0)
		pair_run(&pair, 10);
	assert_int_equal(pair_core(&pair, ALPHA)->node[0].claim[0].cause, CORE_CAUSE_UNSAVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_damaged_byte_is_noticed),
		cmocka_unit_test(terms_and_intent_come_back),
		cmocka_unit_test(a_term_is_never_used_twice),
		cmocka_unit_test(a_held_node_owns_nothing_until_it_is_told),
		cmocka_unit_test(a_held_node_stops_what_it_finds_running),
		cmocka_unit_test(a_disk_that_does_not_answer_is_a_failure),
		cmocka_unit_test(an_answer_about_another_record_is_ignored),
		cmocka_unit_test(a_term_does_not_fall_when_a_save_fails),
		cmocka_unit_test(a_disk_that_does_not_answer_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
