/* agent/saves.h: what an engine hears to be saved is what the next one begins from, however late
 * the disk answers and whoever dies meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/saves.h"

static struct agent_saves saves;
static struct agent_channel_message m;
static uint32_t version;

/* An engine that began from the record "old". */
static int setup(void **state)
{
	(void)state;
	memset(&saves, 0, sizeof(saves));
	memset(&m, 0, sizeof(m));
	m.kind = AGENT_CHANNEL_RECORD;
	m.u.record.size = sizeof("old");
	memcpy(m.u.record.bytes, "old", sizeof("old"));
	assert_true(agent_saves_found(&saves, &m));
	agent_saves_engine(&saves);
	return 0;
}

static bool ask_if(uint32_t asked, const char *text, bool has_saver)
{
	memset(&m, 0, sizeof(m));
	m.kind = AGENT_CHANNEL_SAVE;
	m.u.record.version = asked;
	m.u.record.size = (uint32_t)strlen(text) + 1;
	memcpy(m.u.record.bytes, text, strlen(text) + 1);
	return agent_saves_ask(&saves, &m, has_saver);
}

static void ask(uint32_t asked, const char *text)
{
	assert_true(ask_if(asked, text, true));
}

/* What goes to the saver now; returns its serial. */
static uint32_t to_disk(const char *text)
{
	const struct agent_channel_message *next = agent_saves_next(&saves);
	uint32_t serial;

	assert_non_null(next);
	assert_int_equal(next->kind, AGENT_CHANNEL_SAVE);
	assert_string_equal((const char *)next->u.record.bytes, text);
	serial = next->u.record.serial;
	assert_int_not_equal(serial, 0);
	agent_saves_sent(&saves);
	assert_null(agent_saves_next(&saves));
	return serial;
}

/* The saver answers; does the engine hear it? */
static bool answer(uint32_t serial, uint32_t asked, bool ok)
{
	memset(&m, 0, sizeof(m));
	m.kind = AGENT_CHANNEL_SAVED;
	m.u.saved.serial = serial;
	m.u.saved.version = asked;
	m.u.saved.ok = ok;
	return agent_saves_answered(&saves, &m);
}

static void check_durable(const char *text)
{
	assert_int_equal(saves.durable.kind, AGENT_CHANNEL_RECORD);
	assert_string_equal(saves.durable.u.record.reason, "");
	assert_int_equal(saves.durable.u.record.size, strlen(text) + 1);
	assert_string_equal((const char *)saves.durable.u.record.bytes, text);
}

static void check_idle(void)
{
	assert_null(agent_saves_next(&saves));
	assert_false(agent_saves_saver_gone(&saves, &version));
}

static void each_answer_makes_its_record_durable(void **state)
{
	(void)state;
	check_durable("old");
	ask(1, "one");
	check_durable("old");
	assert_true(answer(to_disk("one"), 1, true));
	check_durable("one");
	ask(2, "two");
	assert_true(answer(to_disk("two"), 2, false));
	check_durable("one");
	ask(2, "two");
	assert_true(answer(to_disk("two"), 2, true));
	check_durable("two");
	check_idle();
}

/* The engine waited no longer and asked again, and takes the answer for that of both. */
static void late_answer_to_the_first_of_two_with_the_same_version(void **state)
{
	uint32_t first;

	(void)state;
	ask(5, "once");
	first = to_disk("once");
	ask(5, "again");
	assert_null(agent_saves_next(&saves));
	assert_true(answer(first, 5, true));
	check_durable("once");
	assert_true(answer(to_disk("again"), 5, true));
	check_durable("again");
	check_idle();
}

/* A disk that is always later than an engine waits: each answer counts, and no save is left
 * behind that was asked for long ago. */
static void only_the_newest_waits_for_a_slow_disk(void **state)
{
	uint32_t at_disk;

	(void)state;
	ask(1, "1");
	at_disk = to_disk("1");
	ask(1, "1 again");
	ask(2, "2");
	ask(3, "3");
	assert_null(agent_saves_next(&saves));
	assert_true(answer(at_disk, 1, true));
	check_durable("1");
	at_disk = to_disk("3");
	ask(4, "4");
	assert_true(answer(at_disk, 3, true));
	check_durable("3");
	assert_true(answer(to_disk("4"), 4, true));
	check_durable("4");
	check_idle();
}

/* It has no room: the same, or a newer one, is to be sent then. */
static void what_could_not_be_sent_waits(void **state)
{
	(void)state;
	ask(1, "one");
	assert_non_null(agent_saves_next(&saves));
	assert_non_null(agent_saves_next(&saves));
	ask(2, "two");
	assert_true(answer(to_disk("two"), 2, true));
	check_idle();
	ask(3, "three");
	agent_saves_drop(&saves);
	check_idle();
	check_durable("two");
}

static void answers_to_what_is_not_at_the_disk_count_for_nothing(void **state)
{
	uint32_t serial;

	(void)state;
	assert_false(answer(0, 0, true));
	assert_false(answer(1, 1, true));
	ask(1, "one");
	assert_false(answer(0, 1, true));
	assert_false(answer(1, 1, true));
	serial = to_disk("one");
	ask(2, "two");
	assert_false(answer(serial - 1, 1, true));
	assert_false(answer(serial + 1, 2, true));
	check_durable("old");
	assert_true(answer(serial, 1, true));
	assert_false(answer(serial, 1, true));
	check_durable("one");
	to_disk("two");
}

static void what_is_refused_does_not_wait(void **state)
{
	(void)state;
	assert_false(ask_if(1, "one", false));
	check_idle();
	memset(&saves, 0, sizeof(saves));
	agent_saves_not_found(&saves, "the disk does not answer");
	assert_int_equal(saves.durable.kind, AGENT_CHANNEL_RECORD);
	assert_int_equal(saves.durable.u.record.size, 0);
	assert_string_equal(saves.durable.u.record.reason, "the disk does not answer");
	agent_saves_engine(&saves);
	assert_false(ask_if(1, "one", true));
	check_idle();
}

/* What it has to save knows nothing of that record, and it may have asked before it is ended. */
static void who_began_before_the_record_was_read_saves_nothing(void **state)
{
	(void)state;
	memset(&saves, 0, sizeof(saves));
	agent_saves_not_found(&saves, "the disk does not answer");
	agent_saves_engine(&saves);
	m.kind = AGENT_CHANNEL_RECORD;
	m.u.record.size = sizeof("late");
	m.u.record.reason[0] = '\0';
	memcpy(m.u.record.bytes, "late", sizeof("late"));
	assert_true(agent_saves_found(&saves, &m));
	assert_false(ask_if(1, "ignorant", true));
	check_idle();
	check_durable("late");
	agent_saves_engine(&saves);
	ask(1, "one");
	assert_true(answer(to_disk("one"), 1, true));
	check_durable("one");
	/* A saver that is started again tells what it finds. */
	m.kind = AGENT_CHANNEL_RECORD;
	assert_false(agent_saves_found(&saves, &m));
	check_durable("one");
}

static void saver_dies(void **state)
{
	uint32_t serial;

	(void)state;
	ask(1, "one");
	serial = to_disk("one");
	ask(2, "two");
	assert_true(agent_saves_saver_gone(&saves, &version));
	assert_int_equal(version, 2);
	check_idle();
	/* The next one has nothing of it. */
	assert_false(answer(serial, 1, true));
	check_durable("old");
	ask(2, "two");
	serial = to_disk("two");
	assert_true(agent_saves_saver_gone(&saves, &version));
	assert_int_equal(version, 2);
	check_idle();
	ask(2, "two");
	assert_true(answer(to_disk("two"), 2, true));
	check_durable("two");
}

static void engine_dies(void **state)
{
	uint32_t serial;

	(void)state;
	ask(1, "one");
	serial = to_disk("one");
	ask(2, "two");
	agent_saves_engine(&saves);
	assert_null(agent_saves_next(&saves));
	/* The next one has a version 1, too, which is not that one. */
	ask(1, "its own");
	assert_null(agent_saves_next(&saves));
	assert_false(answer(serial, 1, true));
	check_durable("one");
	assert_true(answer(to_disk("its own"), 1, true));
	check_durable("its own");
	check_idle();
}

/* Of what a dead engine asked for nobody is told. */
static void engine_and_saver_die(void **state)
{
	(void)state;
	ask(1, "one");
	to_disk("one");
	ask(2, "two");
	agent_saves_engine(&saves);
	check_idle();
	ask(1, "one");
	to_disk("one");
	agent_saves_engine(&saves);
	ask(7, "its own");
	assert_true(agent_saves_saver_gone(&saves, &version));
	assert_int_equal(version, 7);
	check_idle();
	check_durable("old");
}

/* None is no serial. */
static void serials_go_round(void **state)
{
	(void)state;
	saves.last = UINT32_MAX - 1;
	for (uint32_t i = 1; i <= 3; i++) {
		uint32_t serial;

		ask(i, "one");
		serial = to_disk("one");
		ask(i, "two");
		assert_true(answer(serial, i, true));
		check_durable("one");
		assert_true(answer(to_disk("two"), i, true));
		check_durable("two");
	}
	check_idle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_answer_makes_its_record_durable, setup),
		cmocka_unit_test_setup(late_answer_to_the_first_of_two_with_the_same_version,
				       setup),
		cmocka_unit_test_setup(only_the_newest_waits_for_a_slow_disk, setup),
		cmocka_unit_test_setup(what_could_not_be_sent_waits, setup),
		cmocka_unit_test_setup(answers_to_what_is_not_at_the_disk_count_for_nothing, setup),
		cmocka_unit_test_setup(what_is_refused_does_not_wait, setup),
		cmocka_unit_test_setup(who_began_before_the_record_was_read_saves_nothing, setup),
		cmocka_unit_test_setup(saver_dies, setup),
		cmocka_unit_test_setup(engine_dies, setup),
		cmocka_unit_test_setup(engine_and_saver_die, setup),
		cmocka_unit_test_setup(serials_go_round, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
