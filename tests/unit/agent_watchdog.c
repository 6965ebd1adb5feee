/* agent/watchdog.h with FIFOs, which keep what a watchdog would be fed; and the words of
 * agent/shared.h that it goes by.  Time is not real. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/watchdog.h"

enum { TIMEOUT_MS = 5000, FEED_MS = 1000 };

static char dir[64], fifo[96], file[96];
static struct agent_shared *shared;
static struct agent_watchdog dog;
static int reader;

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	snprintf(dir, sizeof(dir), "/tmp/yoke-watchdog-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(file, sizeof(file), "%s/recorder", dir);
	shared = calloc(1, sizeof(*shared));
	agent_shared_lease(shared, (yoke_time){0}, false, false);
	if (mkfifo(fifo, 0600) < 0)
		return -1;
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	return reader < 0 || shared == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (dog.fd >= 0)
		close(dog.fd);
	if (reader >= 0)
		close(reader);
	free(shared);
	unlink(fifo);
	unlink(file);
	return rmdir(dir);
}

/* So many times fed since the last call, and nothing else. */
static void expect_fed(int times)
{
	char bytes[64];
	ssize_t got = read(reader, bytes, sizeof(bytes));

	assert_int_equal(got < 0 ? 0 : got, times);
	for (int i = 0; i < times; i++)
		assert_int_not_equal(bytes[i], 'V');
}

static void open_dog(void)
{
	agent_watchdog_open(&dog, fifo, TIMEOUT_MS, shared, 0);
	assert_true(dog.fd >= 0);
	expect_fed(1);
}

static void lease(int64_t until_ms, bool exclusive, bool reset)
{
	agent_shared_lease(shared, (yoke_time){until_ms * 1000}, exclusive, reset);
}

static void test_none(void **state)
{
	(void)state;
	agent_watchdog_open(&dog, "", TIMEOUT_MS, shared, 0);
	assert_int_equal(agent_watchdog_deadline_ms(&dog), INT64_MAX);
	agent_watchdog_tick(&dog, FEED_MS);
	agent_watchdog_close(&dog);
	assert_false(shared->watchdog_fed);
	assert_false(shared->watchdog_failed);
}

static void test_fed_five_times(void **state)
{
	(void)state;
	open_dog();
	assert_true(shared->watchdog_fed);
	assert_int_equal(agent_watchdog_deadline_ms(&dog), FEED_MS);
	for (int64_t now_ms = 1; now_ms <= TIMEOUT_MS; now_ms++)
		agent_watchdog_tick(&dog, now_ms);
	expect_fed(5);
	assert_int_equal(shared->watchdog_gap_ms, 0);
}

/* With nothing exclusive, a lease that ended long ago does not matter. */
static void test_fed_until_the_lease_ends(void **state)
{
	(void)state;
	open_dog();
	lease(1, false, false);
	agent_watchdog_tick(&dog, 1000);
	expect_fed(1);
	lease(2500, true, false);
	agent_watchdog_tick(&dog, 2000);
	expect_fed(1);
	agent_watchdog_tick(&dog, 3000);
	expect_fed(0);
	assert_false(shared->watchdog_fed);
	assert_int_equal(agent_watchdog_deadline_ms(&dog), 4000);
	lease(9000, true, false); /* renewed just in time */
	agent_watchdog_tick(&dog, 4000);
	expect_fed(1);
	assert_true(shared->watchdog_fed);
	lease(INT64_MAX / 1000, true, true);
	agent_watchdog_tick(&dog, 5000);
	expect_fed(0);
	lease(2500, false, false); /* what had to stop has stopped */
	agent_watchdog_tick(&dog, 6000);
	expect_fed(1);
}

static void test_lease_ends_between_two_looks(void **state)
{
	(void)state;
	open_dog();
	lease(1000, true, false);
	agent_watchdog_tick(&dog, 999);
	expect_fed(0);
	agent_watchdog_tick(&dog, 1000);
	expect_fed(0);
	agent_shared_lease(shared, YOKE_NEVER, true, false);
	agent_watchdog_tick(&dog, 2000);
	expect_fed(1);
}

static void test_near(void **state)
{
	(void)state;
	open_dog();
	agent_watchdog_tick(&dog, 3000);
	assert_int_equal(shared->watchdog_gap_ms, 0);
	agent_watchdog_tick(&dog, 7000);
	assert_int_equal(shared->watchdog_gap_ms, 4000);
	agent_watchdog_tick(&dog, 10500);
	assert_int_equal(shared->watchdog_gap_ms, 4000); /* the longest */
}

static void test_close(void **state)
{
	char byte = 0;

	(void)state;
	open_dog();
	agent_watchdog_close(&dog);
	assert_int_equal(read(reader, &byte, 1), 1);
	assert_int_equal(byte, 'V');
	open_dog();
	lease(9000, true, false);
	agent_watchdog_close(&dog);
	expect_fed(0);
	agent_watchdog_open(&dog, fifo, TIMEOUT_MS, shared, 0);
	lease(9000, false, true);
	expect_fed(1);
	agent_watchdog_close(&dog);
	expect_fed(0);
	/* A lease without end is one all the same. */
	lease(0, false, false);
	open_dog();
	agent_shared_lease(shared, YOKE_NEVER, true, false);
	agent_watchdog_close(&dog);
	expect_fed(0);
	assert_int_equal(dog.fd, -1);
	assert_false(shared->watchdog_fed);
}

static void test_cannot_be_opened(void **state)
{
	(void)state;
	agent_watchdog_open(&dog, "/nonexistent/watchdog", TIMEOUT_MS, shared, 0);
	assert_int_equal(dog.fd, -1);
	assert_true(shared->watchdog_failed);
	assert_string_equal(shared->watchdog_reason,
			    "/nonexistent/watchdog: No such file or directory");
	assert_false(shared->watchdog_fed);
	close(reader);
	reader = -1;
	agent_watchdog_open(&dog, fifo, TIMEOUT_MS, shared, 0);
	assert_int_equal(dog.fd, -1);
	assert_true(shared->watchdog_failed);
	assert_non_null(strstr(shared->watchdog_reason, "nobody reads it"));
}

static void test_failing_writes_are_told_once(void **state)
{
	(void)state;
	open_dog();
	close(reader);
	agent_watchdog_tick(&dog, 1000);
	assert_true(shared->watchdog_failed);
	assert_string_equal(shared->watchdog_reason, "it cannot be fed: Broken pipe");
	assert_false(shared->watchdog_fed);
	shared->watchdog_failed = false; /* the engine has read it */
	agent_watchdog_tick(&dog, 2000);
	assert_false(shared->watchdog_failed);
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	agent_watchdog_tick(&dog, 3000);
	expect_fed(1);
	assert_true(shared->watchdog_fed);
	close(reader);
	reader = -1;
	agent_watchdog_tick(&dog, 4000);
	assert_true(shared->watchdog_failed);
}

/* Who does not read makes nobody wait. */
static void test_full(void **state)
{
	int64_t now_ms = 0;

	(void)state;
	open_dog();
	while (!shared->watchdog_failed && now_ms < 100000000)
		agent_watchdog_tick(&dog, now_ms += FEED_MS);
	assert_string_equal(shared->watchdog_reason,
			    "it cannot be fed: Resource temporarily unavailable");
}

/* ---- the lease in shared memory ---- */

static void test_lease_is_of_one_boot(void **state)
{
	struct agent_shared *s;
	int fd = agent_shared_open(file, true, &s);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(s->lease_until_us, 0);
	assert_true(s->feed_until_us == YOKE_NEVER.us);
	agent_shared_lease(s, (yoke_time){77}, true, false);
	munmap(s, sizeof(*s));
	close(fd);
	fd = agent_shared_open(file, true, &s);
	assert_int_equal(s->lease_until_us, 77); /* another keeper, the same boot */
	assert_int_equal(s->feed_until_us, 77);
	assert_true(s->is_exclusive);
	s->boot[0] ^= 1;
	s->last_event = 5;
	munmap(s, sizeof(*s));
	close(fd);
	fd = agent_shared_open(file, true, &s);
	assert_int_equal(s->lease_until_us, 0);
	assert_true(s->feed_until_us == YOKE_NEVER.us);
	assert_false(s->is_exclusive);
	assert_int_equal(s->last_event, 5); /* the rest is kept */
	munmap(s, sizeof(*s));
	close(fd);
}

/* A newer version takes the lease over, or it would stop what runs by it, and leaves alone what the
 * engine of the older one may still have mapped. */
static void test_lease_is_kept_over_versions(void **state)
{
	struct agent_shared *old, *s;
	int old_fd = agent_shared_open(file, true, &old), fd;

	(void)state;
	assert_true(old_fd >= 0);
	agent_shared_lease(old, (yoke_time){77}, true, false);
	old->version[0] ^= 1;
	old->last_event = 5;
	fd = agent_shared_open(file, true, &s);
	assert_true(fd >= 0);
	assert_int_equal(s->lease_until_us, 77);
	assert_int_equal(s->feed_until_us, 77);
	assert_true(s->is_exclusive);
	assert_int_equal(s->last_event, 0);
	s->last_event = 6;
	assert_int_equal(old->last_event, 5);
	munmap(s, sizeof(*s));
	close(fd);
	munmap(old, sizeof(*old));
	close(old_fd);
}

/* What is no file of ours has no lease. */
static void test_lease_of_something_else(void **state)
{
	static const char text[300] = "something else";
	struct agent_shared *s;
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	close(fd);
	fd = agent_shared_open(file, true, &s);
	assert_true(fd >= 0);
	assert_int_equal(s->lease_until_us, 0);
	assert_true(s->feed_until_us == YOKE_NEVER.us);
	assert_false(s->is_exclusive);
	munmap(s, sizeof(*s));
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_fed_five_times),
		TEST(test_fed_until_the_lease_ends),
		TEST(test_lease_ends_between_two_looks),
		TEST(test_near),
		TEST(test_close),
		TEST(test_cannot_be_opened),
		TEST(test_failing_writes_are_told_once),
		TEST(test_full),
		TEST(test_lease_is_of_one_boot),
		TEST(test_lease_is_kept_over_versions),
		TEST(test_lease_of_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
