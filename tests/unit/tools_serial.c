/* What a UART saw itself during a test of its cable.  No pty counts that: ioctl() here does, and
 * pulls the adapter when it is asked first, so that the test is over at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/serial.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/tool.h"

static int cable;
static unsigned asked;
static bool is_uart;

int ioctl(int fd, unsigned long request, ...)
{
	static const struct serial_icounter_struct count[] = {
		{.frame = 100, .overrun = 200, .buf_overrun = 300, .brk = 400},
		{.frame = 101, .overrun = 210, .buf_overrun = 303, .brk = 440},
	};
	struct serial_icounter_struct *counted;
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (request != TIOCGICOUNT)
		return (int)syscall(SYS_ioctl, fd, request, argument);
	if (cable >= 0)
		close(cable);
	cable = -1;
	if (!is_uart)
		return -1;
	counted = argument;
	*counted = count[asked++];
	return 0;
}

/* What `yoke serial-test` says of a line that is pulled at once. */
static const char *said(bool counts)
{
	static char text[4096];
	const struct tool_options options = {.timeout_s = 60};
	char device[64], *argv[] = {device, NULL};
	FILE *kept = stdout;
	int fd, result;

	asked = 0;
	is_uart = counts;
	assert_int_equal(openpty(&cable, &fd, device, NULL, NULL), 0);
	close(fd);
	stdout = fmemopen(text, sizeof(text), "w");
	assert_non_null(stdout);
	result = tool_serial_test(&options, 1, argv);
	fclose(stdout);
	stdout = kept;
	assert_int_equal(result, TOOL_FAILED);
	assert_non_null(strstr(text, "the line hung up"));
	return text;
}

static void what_came_meanwhile_is_told(void **state)
{
	(void)state;
	assert_non_null(
		strstr(said(true), "the port saw: 1 framing errors, 13 overruns, 40 breaks\n"));
}

static void a_line_that_counts_nothing_says_nothing_of_it(void **state)
{
	(void)state;
	assert_null(strstr(said(false), "the port saw"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_meanwhile_is_told),
		cmocka_unit_test(a_line_that_counts_nothing_says_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
