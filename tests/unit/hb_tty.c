/* Which lines are refused, and what a line is set to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent/base/baud.h"
#include "hb/tty.h"

static int cable;
static char device[64];
static pid_t child;

static int setup(void **state)
{
	int fd;

	(void)state;
	if (openpty(&cable, &fd, device, NULL, NULL) != 0)
		return -1;
	close(fd);
	fcntl(cable, F_SETFD, FD_CLOEXEC);
	child = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	close(cable);
	return 0;
}

static int open_at(uint32_t baud, bool rtscts, char *why)
{
	const struct hb_tty tty = {.device = device, .baud = baud, .rtscts = rtscts};

	return hb_tty_open(&tty, why);
}

static void opens_raw_and_without_waiting(void **state)
{
	char why[YOKE_REASON_SIZE] = "";
	struct termios t;
	int fd = open_at(9600, false, why);

	(void)state;
	assert_string_equal(why, "");
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(tcgetattr(fd, &t), 0);
	assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG), 0);
	assert_int_equal(t.c_iflag & (IXON | ICRNL | ISTRIP), 0);
	assert_int_equal(t.c_oflag & OPOST, 0);
	assert_int_equal(t.c_cflag & CSIZE, CS8);
	assert_int_equal(t.c_cflag & (PARENB | CSTOPB | CRTSCTS), 0);
	assert_int_equal(cfgetospeed(&t), B9600);
	close(fd);
	fd = open_at(921600, true, why);
	assert_int_equal(tcgetattr(fd, &t), 0);
	assert_int_equal(cfgetispeed(&t), B921600);
	assert_true(t.c_cflag & CRTSCTS);
	close(fd);
}

static void knows_every_rate(void **state)
{
	static const uint32_t rates[] = {
#define RATE(rate) rate,
		YOKE_BAUDS(RATE)};
	char why[YOKE_REASON_SIZE] = "";

	(void)state;
	for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		int fd = open_at(rates[i], false, why);

		assert_string_equal(why, "");
		assert_true(fd >= 0);
		close(fd);
	}
}

static void says_what_is_not_there_or_no_terminal(void **state)
{
	struct hb_tty tty = {.device = "/dev/ttyNONE", .baud = 9600};
	char why[YOKE_REASON_SIZE];

	(void)state;
	assert_int_equal(hb_tty_open(&tty, why), -1);
	assert_string_equal(why, "it cannot be opened: No such file or directory");
	tty.device = "/dev/full"; /* not /dev/null: others have that open */
	assert_int_equal(hb_tty_open(&tty, why), -1);
	assert_string_equal(why, "it is no terminal");
	tty.device = "/etc/passwd";
	assert_int_equal(hb_tty_open(&tty, why), -1);
	assert_string_equal(why, "it is no terminal");
}

/* Someone who has it open, or as his controlling terminal only. */
static void start_user(bool controlling)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int fd;

		setsid();
		fd = open(device, O_RDWR | (controlling ? 0 : O_NOCTTY));
		if (controlling)
			close(fd);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
}

static void refuses_what_another_has_open_and_says_who(void **state)
{
	char why[YOKE_REASON_SIZE], number[32];

	(void)state;
	start_user(false);
	snprintf(number, sizeof(number), "(process %d)", (int)child);
	assert_int_equal(open_at(9600, false, why), -1);
	assert_non_null(strstr(why, number));
	assert_non_null(strstr(why, "hb_tty"));
	assert_non_null(strstr(why, "uses it"));
}

static void refuses_where_somebody_is_logged_in(void **state)
{
	char why[YOKE_REASON_SIZE], number[32];

	(void)state;
	start_user(true);
	snprintf(number, sizeof(number), "(process %d)", (int)child);
	assert_int_equal(open_at(9600, false, why), -1);
	assert_non_null(strstr(why, number));
}

/* Whatever console this machine has, by the kernel's own list. */
static void refuses_the_console(void **state)
{
	unsigned major_number, minor_number;
	char why[YOKE_REASON_SIZE] = "", line[256];
	FILE *in = fopen("/proc/consoles", "re");

	(void)state;
	assert_true(hb_tty_is_console(makedev(5, 1), why));
	assert_non_null(strstr(why, "console"));
	assert_false(hb_tty_is_console(makedev(136, 1048575), why));
	if (in == NULL || fgets(line, sizeof(line), in) == NULL)
		skip();
	fclose(in);
	assert_non_null(strrchr(line, ' '));
	assert_int_equal(sscanf(strrchr(line, ' '), "%u:%u", &major_number, &minor_number), 2);
	assert_true(hb_tty_is_console(makedev(major_number, minor_number), why));
}

static void keeps_others_away(void **state)
{
	char why[YOKE_REASON_SIZE];
	int fd = open_at(9600, false, why), exclusive = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TIOCGEXCL, &exclusive), 0);
	assert_int_equal(exclusive, 1);
	close(fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_raw_and_without_waiting),
		TEST(knows_every_rate),
		TEST(says_what_is_not_there_or_no_terminal),
		TEST(refuses_what_another_has_open_and_says_who),
		TEST(refuses_where_somebody_is_logged_in),
		TEST(refuses_the_console),
		TEST(keeps_others_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
