/* agent/history.c: events are numbered without a gap, and who reads too late is told how many it
 * missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/log.h"
#include "agent/engine.h"
#include "agent/role.h"

enum { LATE = 20, ALL = YOKE_EVENTS_MAX + LATE }; /* more than are remembered */

static struct agent_engine e;
static struct agent_shared shared;
static struct agent_channel_message saved;
static struct yoke_event got[YOKE_PULL_EVENTS_MAX];
static uint64_t missed;
static int keeper; /* its end of the channel */

static int setup(void **state)
{
	int pair[2];

	(void)state;
	yoke_log_open("agent_history", YOKE_LOG_STDERR, YOKE_LOG_ERROR);
	memset(&shared, 0, sizeof(shared));
	memset(&e, 0, sizeof(e));
	e.shared = &shared;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(dup2(pair[0], AGENT_ROLE_FD_CHANNEL), AGENT_ROLE_FD_CHANNEL);
	if (pair[0] != AGENT_ROLE_FD_CHANNEL)
		close(pair[0]);
	keeper = pair[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(AGENT_ROLE_FD_CHANNEL);
	close(keeper);
	return 0;
}

/* It is told to the keeper, too, by its number. */
static void add(uint64_t number)
{
	agent_history_note(&e, YOKE_EVENT_CONFIG_TAKEN, 0, "");
	assert_int_equal(shared.last_event, number);
	assert_int_equal(agent_channel_receive(keeper, &saved), 1);
	assert_int_equal(saved.kind, AGENT_CHANNEL_EVENT);
	assert_int_equal(saved.u.event.seq, number);
}

static unsigned read_after(uint64_t after)
{
	return agent_history_after(&e, after, got, YOKE_PULL_EVENTS_MAX, &missed);
}

static void numbers_follow_each_other_over_engines(void **state)
{
	(void)state;
	assert_int_equal(read_after(0), 0);
	add(1);
	add(2);
	memset(&e, 0, sizeof(e));
	e.shared = &shared;
	add(3);
	assert_int_equal(read_after(0), 3);
	assert_int_equal(missed, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(got[i].seq, i + 1);
	assert_int_equal(read_after(2), 1);
	assert_int_equal(got[0].seq, 3);
	/* One who has read all of them, or those of a record that was removed. */
	assert_int_equal(read_after(3), 0);
	assert_int_equal(read_after(100), 0);
	assert_int_equal(missed, 0);
}

static void who_reads_too_late_is_told_how_many_it_missed(void **state)
{
	uint64_t last = 0, forgotten = 0;
	unsigned count;

	(void)state;
	for (unsigned i = 1; i <= ALL; i++)
		add(i);
	while ((count = read_after(last)) > 0) {
		assert_int_equal(got[0].seq, last + missed + 1);
		for (unsigned i = 1; i < count; i++)
			assert_int_equal(got[i].seq, got[i - 1].seq + 1);
		last = got[count - 1].seq;
		forgotten += missed;
	}
	assert_int_equal(last, ALL);
	assert_int_equal(forgotten, LATE);
	(void)read_after(LATE);
	assert_int_equal(missed, 0);
	(void)read_after(LATE - 1);
	assert_int_equal(missed, 1);
}

/* The disk did not keep up before a boot: some of those that are read back are not there. */
static void what_the_disk_does_not_have_is_missed(void **state)
{
	struct yoke_event old = {.kind = YOKE_EVENT_CONFIG_TAKEN};

	(void)state;
	for (old.seq = 1; old.seq <= 5; old.seq += old.seq == 2 ? 3 : 1)
		agent_shared_remember(&shared, &old);
	add(6);
	assert_int_equal(read_after(0), 4);
	assert_int_equal(missed, 2);
	assert_int_equal(got[2].seq, 5);
	assert_int_equal(read_after(2), 2);
	assert_int_equal(missed, 2);
	/* Those behind a full answer are told with the next one. */
	assert_int_equal(agent_history_after(&e, 0, got, 2, &missed), 2);
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_follow_each_other_over_engines, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_reads_too_late_is_told_how_many_it_missed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_disk_does_not_have_is_missed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
