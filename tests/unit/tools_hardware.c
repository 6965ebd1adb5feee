/* tools/hardware.c, on a sysfs made of files: what two paths have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <ftw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/hardware.h"

static char sys[] = "/tmp/yoke-sys-XXXXXX";

/* A folder below sys, with all above it. */
static void make(const char *place)
{
	char path[512];

	for (const char *end = place; end != NULL; end = strchr(end + 1, '/')) {
		snprintf(path, sizeof(path), "%s/%.*s", sys, (int)(end - place), place);
		(void)mkdir(path, 0700);
	}
	snprintf(path, sizeof(path), "%s/%s", sys, place);
	(void)mkdir(path, 0700);
}

static void point(const char *place, const char *link, const char *target)
{
	char from[512], to[512];

	make(place);
	make(target);
	snprintf(from, sizeof(from), "%s/%s/%s", sys, place, link);
	snprintf(to, sizeof(to), "%s/%s", sys, target);
	assert_int_equal(symlink(to, from), 0);
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(sys) == NULL)
		return -1;
	make("class/net/alone");
	point("class/net/eth0", "device", "devices/pci0000:00/0000:00:1c.0/0000:01:00.0");
	point("class/net/eth1", "device", "devices/pci0000:00/0000:00:1c.0/0000:01:00.1");
	point("class/net/eth2", "device", "devices/pci0000:00/0000:00:1c.0/0000:02:00.0");
	point("class/net/virt", "device", "devices/pci0000:00/0000:00:03.0/virtio2");
	point("class/net/bond0", "lower_eth0", "class/net/eth0");
	point("class/net/bond0", "lower_eth2", "class/net/eth2");
	point("class/net/bond0.5", "lower_bond0", "class/net/bond0");
	point("class/net/bond0.6", "lower_bond0", "class/net/bond0");
	point("dev/char/4:64", "device", "devices/pnp0/00:00/00:00:0/00:00:0.0");
	point("dev/char/4:65", "device", "devices/pnp0/00:01/00:01:0/00:01:0.0");
	point("dev/char/4:68", "device",
	      "devices/pci0000:00/0000:03:00.0/0000:03:00.0:0/0000:03:00.0:0.0");
	point("dev/char/4:69", "device",
	      "devices/pci0000:00/0000:03:00.0/0000:03:00.0:0/0000:03:00.0:0.1");
	point("dev/char/4:80", "device", "devices/platform/serial8250/serial8250:0");
	point("dev/char/4:81", "device", "devices/platform/serial8250/serial8250:1");
	point("dev/char/188:0", "device",
	      "devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2/1-4.2:1.0/ttyUSB0");
	point("dev/char/188:1", "device",
	      "devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2/1-4.2:1.1/ttyUSB1");
	point("dev/char/188:2", "device",
	      "devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.3/1-4.3:1.0/ttyUSB2");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(sys, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* What both have, by the end of its name; NULL: nothing. */
static void expect_shared(const struct tool_hardware *a, const struct tool_hardware *b,
			  const char *end)
{
	const char *shared = tool_hardware_shared(a, b);
	size_t len = end == NULL ? 0 : strlen(end);

	assert_int_equal(shared == NULL, end == NULL);
	if (shared != NULL && (strlen(shared) < len || strcmp(shared + strlen(shared) - len, end)))
		fail_msg("%s instead of %s", shared, end);
}

static void expect(const char *a, const char *b, const char *end)
{
	static struct tool_hardware ha, hb;

	tool_hardware_of_interface(sys, a, &ha);
	tool_hardware_of_interface(sys, b, &hb);
	expect_shared(&ha, &hb, end);
}

static void expect_ttys(dev_t a, dev_t b, const char *end)
{
	static struct tool_hardware ha, hb;

	tool_hardware_of_tty(sys, a, &ha);
	tool_hardware_of_tty(sys, b, &hb);
	expect_shared(&ha, &hb, end);
}

static void interfaces_below_interfaces(void **state)
{
	(void)state;
	expect("alone", "eth0", NULL);
	expect("alone", "alone", "alone");
	expect("missing", "eth0", NULL);
	expect("bond0.5", "bond0.6", "bond0");
	expect("bond0.5", "eth2", "eth2");
	expect("bond0.5", "virt", NULL);
}

static void cards(void **state)
{
	(void)state;
	expect("eth0", "eth1", "/0000:01:00");
	expect("eth0", "eth2", NULL);
	expect("eth1", "bond0", "/0000:01:00");
	expect("virt", "eth0", NULL);
}

static void uarts(void **state)
{
	(void)state;
	expect_ttys(makedev(4, 64), makedev(4, 65), NULL);
	expect_ttys(makedev(4, 68), makedev(4, 69), "/0000:03:00");
	expect_ttys(makedev(4, 80), makedev(4, 81), NULL);
	expect_ttys(makedev(188, 0), makedev(188, 1), "/1-4.2");
	expect_ttys(makedev(188, 0), makedev(188, 2), NULL);
	expect_ttys(makedev(136, 0), makedev(136, 0), NULL);
}

static void two_names(void **state)
{
	char file[512], link[512];
	FILE *made;

	(void)state;
	make("names");
	snprintf(file, sizeof(file), "%s/names/file", sys);
	snprintf(link, sizeof(link), "%s/names/link", sys);
	assert_false(tool_hardware_is_one(file, link));
	assert_false(tool_hardware_is_one("", ""));
	made = fopen(file, "w");
	assert_non_null(made);
	fclose(made);
	assert_int_equal(symlink(file, link), 0);
	assert_true(tool_hardware_is_one(file, link));
	assert_false(tool_hardware_is_one(file, "/dev/null"));
	assert_false(tool_hardware_is_one("/dev/zero", "/dev/null"));
	unlink(link);
	assert_int_equal(symlink("/dev/null", link), 0);
	assert_true(tool_hardware_is_one("/dev/null", link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_below_interfaces),
		cmocka_unit_test(cards),
		cmocka_unit_test(uarts),
		cmocka_unit_test(two_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
