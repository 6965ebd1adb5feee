/* conf/key.c: what a key file may look like, and that a generated one is read back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

#define DIGITS "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

static char directory[64], file[128];
static struct conf_keys keys;
static const uint8_t *const key = keys.key[0].bytes;
static char why[CONF_PROBLEM_SIZE];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/conf_key.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/cluster.key", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(directory); /* fails when a temporary file was left behind */
}

/* Read the key from a file with this text and mode. */
static int read_text(const char *text, size_t size, mode_t mode)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), (ssize_t)size);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	memset(&keys, 0x5a, sizeof(keys));
	why[0] = '\0';
	result = conf_keys_read(fd, file, &keys, why);
	close(fd);
	return result;
}

static void expect_refused(const char *text, mode_t mode, const char *part)
{
	assert_int_equal(read_text(text, strlen(text), mode), -1);
	if (strstr(why, part) == NULL)
		fail_msg("%s: not in: %s", part, why);
}

static int read_file(void)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), result;

	assert_true(fd >= 0);
	result = conf_keys_read(fd, file, &keys, why);
	close(fd);
	return result;
}

static void test_read(void **state)
{
	static const char *const texts[] = {DIGITS, DIGITS "\n", DIGITS "\r\n"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_text(texts[i], strlen(texts[i]), 0600), 0);
		assert_int_equal(key[0], 0x00);
		assert_int_equal(key[1], 0x11);
		assert_int_equal(key[15], 0xff);
		assert_int_equal(key[16], 0xff);
		assert_int_equal(key[17], 0xee);
		assert_int_equal(key[31], 0x00);
	}
	assert_int_equal(read_text(DIGITS "\n", sizeof(DIGITS), 0400), 0);
	assert_int_equal(keys.count, 1);
	assert_int_equal(keys.key[0].id, 1);
	assert_int_equal(keys.key[0].made_s, 0);
}

static void test_refuse_text(void **state)
{
	static const struct conf_keys zero;

	(void)state;
	expect_refused(
		"", 0600,
		"is not one or two lines of a number, 64 hexadecimal digits and a date: write it");
	expect_refused("\n", 0600, "64 hexadecimal");
	expect_refused(&DIGITS[1], 0600, "64 hexadecimal");
	expect_refused(DIGITS "0", 0600, "64 hexadecimal");
	expect_refused(DIGITS "\n\n", 0600, "64 hexadecimal");
	expect_refused(DIGITS "\r\n\n", 0600, "64 hexadecimal");
	expect_refused(" " DIGITS, 0600, "64 hexadecimal");
	expect_refused(DIGITS "\n" DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("g" DIGITS, 0600, "64 hexadecimal");
	expect_refused("00112233445566778899aabbccddeeffFFEEDDCCBBAA9988776655443322110x", 0600,
		       "64 hexadecimal");
	/* Nothing of a bad key is left to be used by mistake. */
	assert_memory_equal(&keys, &zero, sizeof(keys));
	assert_int_equal(read_text("\0" DIGITS, 64, 0600), -1);
}

static void test_refuse_access(void **state)
{
	(void)state;
	expect_refused(DIGITS "\n", 0640, "(mode 0640) is open to others: chmod 600 ");
	expect_refused(DIGITS "\n", 0604, "chmod 600 ");
	expect_refused(DIGITS "\n", 0620, "chmod 600 ");
	expect_refused(DIGITS "\n", 0602, "chmod 600 ");
}

static void test_refuse_owner(void **state)
{
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(read_text(DIGITS "\n", sizeof(DIGITS), 0600), 0);
	assert_int_equal(chown(file, 12345, 0), 0);
	assert_int_equal(read_file(), -1);
	assert_non_null(strstr(why, "belongs to user 12345: chown root:root "));
	assert_int_equal(chown(file, 0, 0), 0);
	fd = open(directory, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(conf_keys_read(fd, directory, &keys, why), -1);
	assert_non_null(strstr(why, "is not a regular file"));
	close(fd);
}

static void test_two(void **state)
{
	static const char text[] = "7 " DIGITS " 2026-02-28\n255 " DIGITS "\r\n";

	(void)state;
	assert_int_equal(read_text(text, sizeof(text) - 1, 0600), 0);
	assert_int_equal(keys.count, 2);
	assert_int_equal(keys.key[0].id, 7);
	assert_int_equal(keys.key[0].made_s, 1772236800);
	assert_int_equal(keys.key[1].id, 255);
	assert_int_equal(keys.key[1].made_s, 0);
	assert_int_equal(keys.key[1].bytes[1], 0x11);
}

static void test_refuse_lines(void **state)
{
	(void)state;
	expect_refused("0 " DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("256 " DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("-1 " DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("1  " DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS " \n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS " 2026-02-29\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS " 2026-2-9\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS " 2026-02-09 \n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS "\n1 " DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS "\n" DIGITS "\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS "\n\n", 0600, "64 hexadecimal");
	expect_refused("1 " DIGITS "\n2 " DIGITS "\n3 " DIGITS "\n", 0600, "64 hexadecimal");
}

static void test_write(void **state)
{
	struct conf_keys mine = {.count = 0};
	struct stat status;

	(void)state;
	unlink(file);
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(mine.key[0].id, 1);
	assert_int_equal(conf_keys_write(file, &mine, false, why), 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(read_file(), 0);
	assert_memory_equal(&keys.key[0], &mine.key[0], sizeof(mine.key[0]));

	assert_int_equal(conf_keys_write(file, &mine, false, why), -1);
	assert_non_null(strstr(why, "exists: a new key parts this node"));
	assert_non_null(strstr(why, "--force"));

	mine.key[0].id = 255;
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(mine.key[1].id, 1);
	assert_memory_not_equal(mine.key[0].bytes, mine.key[1].bytes, CONF_KEY_SIZE);
	assert_int_equal(conf_keys_write(file, &mine, true, why), 0);
	assert_int_equal(read_file(), 0);
	assert_int_equal(keys.count, 2);
	assert_memory_equal(keys.key, mine.key, sizeof(mine.key));
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_add_and_drop(void **state)
{
	struct conf_keys mine = {.count = 0};
	struct conf_key second;

	(void)state;
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(conf_keys_add(&mine, why), 0);
	second = mine.key[1];
	assert_int_equal(conf_keys_add(&mine, why), -1);
	assert_non_null(strstr(why, "there are 2 keys already: 'yoke key retire'"));
	assert_int_equal(mine.count, 2);
	conf_keys_drop(&mine);
	assert_int_equal(mine.count, 1);
	assert_memory_equal(&mine.key[0], &second, sizeof(second));
	assert_int_equal(mine.key[1].id, 0);
}

static void test_write_nowhere(void **state)
{
	struct conf_keys mine = {.count = 0};

	(void)state;
	assert_int_equal(conf_keys_add(&mine, why), 0);
	assert_int_equal(conf_keys_write("/nonexistent/cluster.key", &mine, false, why), -1);
	assert_non_null(strstr(why, "cannot create /nonexistent/cluster.key: No such file"));
	assert_int_equal(conf_keys_write(directory, &mine, true, why), -1);
	assert_non_null(strstr(why, "cannot write "));
	assert_int_equal(conf_keys_load("/nonexistent/cluster.key", &keys, why), -1);
	assert_non_null(strstr(why, "'yoke key generate'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),          cmocka_unit_test(test_refuse_text),
		cmocka_unit_test(test_refuse_access), cmocka_unit_test(test_refuse_owner),
		cmocka_unit_test(test_two),           cmocka_unit_test(test_refuse_lines),
		cmocka_unit_test(test_write),         cmocka_unit_test(test_add_and_drop),
		cmocka_unit_test(test_write_nowhere),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
