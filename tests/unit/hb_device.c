/* hb/device.c: a shared disk is read and written past the cache, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "hb/device.h"

static void past_the_cache(void **state)
{
	char name[] = "/var/tmp/yoke-device-XXXXXX"; /* /tmp may be in memory */
	int made = mkstemp(name), fd;
	struct statfs fs;

	(void)state;
	assert_true(made >= 0 && fstatfs(made, &fs) == 0);
	fd = hb_device_open(name, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_SYNC, O_SYNC);
	if (fs.f_type != TMPFS_MAGIC)
		assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, O_DIRECT);
	close(fd);
	close(made);
	unlink(name);
}

/* What the kernel makes up has no disk below it. */
static void not_through_it(void **state)
{
	static const char *const made_up[] = {"/proc/self/status", "/dev/zero"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hb_device_open(made_up[i], O_RDONLY), -1);
		assert_int_equal(errno, EOPNOTSUPP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(past_the_cache),
		cmocka_unit_test(not_through_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
