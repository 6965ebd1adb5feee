/* agent/keys.c: keys go from their file to a process whole, or not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/keys.h"

static char file[64];
static char why[CONF_PROBLEM_SIZE];

static int memory_of(const void *bytes, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static void what_is_in_the_file_arrives(void **state)
{
	struct conf_keys mine = {.count = 0}, taken;
	struct hb_keys hb;
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "/tmp/agent_keys.XXXXXX");
	fd = mkstemp(file);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(conf_keys_write(file, &mine, true, why), 0);
	fd = agent_keys_share(file, why);
	assert_true(fd >= 0);
	/* Nobody changes it on the way. */
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(agent_keys_take(fd, &taken), 0);
	assert_memory_equal(taken.key, mine.key, sizeof(mine.key));
	agent_keys_hb(&taken, &hb);
	assert_int_equal(hb.count, 2);
	assert_int_equal(hb.key[1].id, 2);
	assert_memory_equal(hb.key[1].bytes, mine.key[1].bytes, HB_KEY_SIZE);
	close(fd);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(agent_keys_share(file, why), -1);
	assert_non_null(strstr(why, "chmod 600"));
	unlink(file);
	assert_int_equal(agent_keys_share(file, why), -1);
}

/* The program before this one, which is exchanged while everything runs, shared one key's bytes. */
static void an_older_programs_key_is_number_one(void **state)
{
	struct conf_keys taken;
	uint8_t bytes[CONF_KEY_SIZE];
	int fd;

	(void)state;
	memset(bytes, 0x42, sizeof(bytes));
	fd = memory_of(bytes, sizeof(bytes));
	assert_int_equal(agent_keys_take(fd, &taken), 0);
	assert_int_equal(taken.count, 1);
	assert_int_equal(taken.key[0].id, 1);
	assert_memory_equal(taken.key[0].bytes, bytes, sizeof(bytes));
	close(fd);
}

static void anything_else_is_refused(void **state)
{
	struct conf_keys keys = {.count = 3};
	int fd = memory_of(&keys, sizeof(keys));

	(void)state;
	assert_int_equal(agent_keys_take(fd, &keys), -1);
	close(fd);
	fd = memory_of(&keys, CONF_KEY_SIZE + 1);
	assert_int_equal(agent_keys_take(fd, &keys), -1);
	close(fd);
	fd = memory_of("", 0);
	assert_int_equal(agent_keys_take(fd, &keys), -1);
	close(fd);
	assert_int_equal(agent_keys_take(-1, &keys), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_the_file_arrives),
		cmocka_unit_test(an_older_programs_key_is_number_one),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
