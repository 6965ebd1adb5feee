/* agent/keeper_reload.c: what the keeper and an engine say to each other of what is to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/keeper.h"

static const char text[] =
	"cluster { name = c }\n"
	"node a { path p { address = 10.1.0.1 } }\n"
	"node b { path p { address = 10.1.0.2 } }\n"
	"group g { exclusive = no\n"
	"  resource ip { type = address address = '10.3.0.1/24' interface = e0 }\n";
static const char more[] =
	"  resource more { type = address address = '10.3.0.2/24' interface = e0 }\n";

static struct agent_keeper k;
static struct agent_shared shared;
static struct conf_problems problems;
static struct agent_channel_message message;
static int engine;

static int setup(void **state)
{
	char running[sizeof(text) + sizeof(more) + 8];
	int pair[2];

	(void)state;
	memset(&k, 0, sizeof(k));
	k.shared = &shared;
	k.next_fd = -1;
	snprintf(running, sizeof(running), "%s%s}\n", text, more);
	assert_int_equal(conf_parse(running, "t", &k.conf, &problems), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	k.engine_fd = pair[0];
	engine = pair[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(k.engine_fd);
	close(engine);
	if (k.next_fd >= 0)
		close(k.next_fd);
	return 0;
}

/* The trial agreed to the same without `more`. */
static void tried(void)
{
	char next[sizeof(text) + 8];
	int size = snprintf(next, sizeof(next), "%s}\n", text);

	k.next_fd = memfd_create("next", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(k.next_fd, next, (size_t)size), size);
	agent_keeper_reload_tried(&k, 0);
	assert_int_equal(k.renewal, AGENT_RENEW_RETIRING);
}

/* Is resource `more` to go?  The serial with which the engine was told. */
static uint32_t told(bool goes)
{
	assert_int_equal(agent_channel_receive(engine, &message), 1);
	assert_int_equal(message.kind, AGENT_CHANNEL_RETIRE);
	assert_false(message.u.retire.resource[0]);
	assert_int_equal(message.u.retire.resource[1], goes);
	return message.u.retire.serial;
}

static void answer(uint32_t serial)
{
	message.kind = AGENT_CHANNEL_RETIRED;
	message.u.retired.serial = serial;
	agent_keeper_reload_retired(&k, &message);
}

static void the_answer_to_another_question_is_none(void **state)
{
	uint32_t called_off;

	(void)state;
	tried();
	(void)told(true);
	agent_keeper_renew_give_up(&k, "not in time");
	called_off = told(false);
	tried();
	answer(called_off);
	assert_int_equal(k.renewal, AGENT_RENEW_RETIRING);
	answer(told(true));
	assert_int_equal(k.renewal, AGENT_RENEW_WAITS);
}

static void a_call_off_is_sent_until_it_is_taken(void **state)
{
	static const struct agent_channel_message leave = {.kind = AGENT_CHANNEL_LEAVE};

	(void)state;
	tried();
	(void)told(true);
	while (agent_channel_send(k.engine_fd, &leave) == 0)
		;
	agent_keeper_renew_give_up(&k, "not in time");
	agent_keeper_renew_look(&k, 0);
	while (agent_channel_receive(engine, &message) == 1)
		assert_int_equal(message.kind, AGENT_CHANNEL_LEAVE);
	agent_keeper_renew_look(&k, 0);
	(void)told(false);
	agent_keeper_renew_look(&k, 0);
	assert_int_equal(agent_channel_receive(engine, &message), 0);
}

static void say_missing(uint32_t serial, bool missing)
{
	memset(&message, 0, sizeof(message));
	message.kind = AGENT_CHANNEL_MISSING;
	message.u.missing.serial = serial;
	message.u.missing.resource[1] = missing;
	agent_keeper_reload_missing(&k, &message);
}

/* An engine that has not read of it yet knows nothing of what it will stop. */
static void what_is_to_go_may_be_missing(void **state)
{
	(void)state;
	tried();
	say_missing(0, false);
	assert_true(k.missing[1]);
	say_missing(told(true), true);
	assert_true(k.missing[1]);
	agent_keeper_renew_give_up(&k, "not in time");
	assert_true(k.missing[1]);
	say_missing(told(false), false);
	assert_false(k.missing[1]);
}

static void what_may_be_missing_is_left_to_the_next_program(void **state)
{
	char left[AGENT_KEEPER_MISSING_SIZE];

	(void)state;
	k.missing[1] = k.missing[6] = k.missing[YOKE_RESOURCES_MAX - 1] = true;
	agent_keeper_reload_leave(&k, left);
	assert_int_equal(strlen(left), YOKE_RESOURCES_MAX / 4);
	assert_int_equal(strspn(left, "24"), 2);
	assert_int_equal(strspn(left + 2, "0"), strlen(left) - 3);
	assert_string_equal(left + strlen(left) - 1, "8");
	memset(k.missing, 0, sizeof(k.missing));
	assert_int_equal(agent_keeper_reload_take(&k, left), 0);
	assert_true(k.missing[1] && k.missing[6] && k.missing[YOKE_RESOURCES_MAX - 1]);
	assert_false(k.missing[0]);
	left[9] = 'x';
	assert_int_equal(agent_keeper_reload_take(&k, left), -1);
	assert_int_equal(agent_keeper_reload_take(&k, ""), -1);
}

static void another_version_may_know_of_fewer_or_more_resources(void **state)
{
	char longer[AGENT_KEEPER_MISSING_SIZE + 1];

	(void)state;
	assert_int_equal(agent_keeper_reload_take(&k, "24"), 0);
	assert_true(k.missing[1] && k.missing[6]);
	memset(longer, '0', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[0] = '1';
	assert_int_equal(agent_keeper_reload_take(&k, longer), 0);
	assert_true(k.missing[0]);
	assert_false(k.missing[YOKE_RESOURCES_MAX - 1]);
}

/* Only a path that goes is heard. */
static void the_last_path_that_works_stays(void **state)
{
	(void)state;
	atomic_store(&shared.paths_up, 2);
	k.next_fd = memfd_create("next", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(k.next_fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(write(k.next_fd, "}", 1), 1);
	agent_keeper_reload_tried(&k, 0);
	atomic_store(&shared.paths_up, 0);
	assert_int_equal(k.renewal, AGENT_RENEW_NOT);
	assert_int_equal(k.next_fd, -1);
	assert_int_equal(agent_channel_receive(engine, &message), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_answer_to_another_question_is_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_call_off_is_sent_until_it_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_to_go_may_be_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_path_that_works_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_be_missing_is_left_to_the_next_program,
						setup, teardown),
		cmocka_unit_test_setup_teardown(another_version_may_know_of_fewer_or_more_resources,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
