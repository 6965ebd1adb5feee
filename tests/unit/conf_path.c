/* conf/path.c, check_line.c, check_multicast.c, check_public.c and the times of a path: serial
 * lines, shared disks, multicast, roles. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "agent/base/baud.h"
#include "conf/conf.h"

static struct conf conf;
static struct conf_problems problems;

#define GROUP                                                                                      \
	"group g { exclusive = no resource r { type = address interface = e address = "            \
	"'192.0.2.1/24' } }\n"
#define UDP(number) "path p { address = 10.1.0." number " }\n"
#define LINE(keys) "path s { type = serial " keys " }\n"
#define DISK(keys) "path s { type = disk " keys " }\n"
/* Node a's line begins in line 4, node b's in line 8. */
#define TEXT(cluster, a, b)                                                                        \
	"cluster { name = c " cluster " }\nnode a {\n" UDP("1") a "}\nnode b {\n" UDP("2") b       \
		"}\n" GROUP

static void good(const char *text)
{
	if (conf_parse(text, "t", &conf, &problems) != 0 || problems.count != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
}

static void expect(const char *text, bool warning, int line, const char *part)
{
	int result = conf_parse(text, "t", &conf, &problems);

	if (problems.count != 1 || problems.problem[0].line != line ||
	    problems.problem[0].warning != warning || result != (warning ? 0 : -1) ||
	    strstr(problems.problem[0].text, part) == NULL) {
		for (unsigned i = 0; i < problems.count; i++)
			print_error("%d: %s\n", problems.problem[i].line, problems.problem[i].text);
		fail_msg("wanted line %d: %s\nin: %s", line, part, text);
	}
}

static void test_keys(void **state)
{
	const struct conf_endpoint *e = &conf.node[1].endpoint[1];

	(void)state;
	good(TEXT("dead_ms = 3000", LINE("device = /dev/ttyS0"), LINE("device = /dev/ttyS1")));
	assert_int_equal(conf_path_type(&conf, 0), YOKE_PATH_TYPE_UDP);
	assert_int_equal(conf_path_type(&conf, 1), YOKE_PATH_TYPE_SERIAL);
	assert_string_equal(e->device, "/dev/ttyS1");
	assert_int_equal(e->baud, 9600);
	assert_false(e->rtscts);
	assert_int_equal(e->address_len, 0);
	good(TEXT("", LINE("device = /dev/a baud = 115200 rtscts = yes"),
		  LINE("device = /dev/b baud = 115200 rtscts = yes")));
	assert_int_equal(e->baud, 115200);
	assert_true(e->rtscts);
}

static void test_bad_keys(void **state)
{
	(void)state;
	expect(TEXT("", "path s { type = modem }", "path s { type = udp address = 10.2.0.2 }"),
	       false, 4, "type = \"modem\": write udp, serial or disk");
	expect(TEXT("dead_ms = 3000", LINE(""), LINE("device = /dev/b")), false, 4,
	       "path \"s\" has no device: add it, as in device = \"/dev/ttyS0\"");
	expect(TEXT("dead_ms = 3000", LINE("device = ttyS0"), LINE("device = /dev/b")), false, 4,
	       "device = \"ttyS0\"");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a port = 4747"), LINE("device = /dev/b")),
	       false, 4, "port is no key of type = serial: remove it from path \"s\"");
	expect(TEXT("", "path s { address = 10.2.0.1 baud = 9600 }",
		    "path s { address = 10.2.0.2 }"),
	       false, 4, "baud is no key of type = udp: remove it from path \"s\"");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a baud = 14400"),
		    LINE("device = /dev/b")),
	       false, 4, "write one of 9600 19200 38400 57600 115200 230400 460800 921600");
}

static void test_ends(void **state)
{
	(void)state;
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a"), "path s { address = 10.2.0.2 }"),
	       false, 8, "path \"s\" is of type udp here but not on another node");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a"),
		    LINE("device = /dev/b baud = 19200")),
	       false, 8, "baud and rtscts must be as in line 4");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a rtscts = yes"),
		    LINE("device = /dev/b")),
	       false, 8, "baud and rtscts must be as in line 4");
	expect(TEXT("dead_ms = 3000",
		    LINE("device = /dev/a") "path t { type = serial device = /dev/a }",
		    LINE("device = /dev/b") "path t { type = serial device = /dev/c }"),
	       false, 5, "the same device as path \"s\" in line 4");
}

static void test_rate(void **state)
{
	(void)state;
	expect(TEXT("", LINE("device = /dev/a"), LINE("device = /dev/b")), false, 4,
	       "path \"s\": 9600 baud carries a heartbeat each 400 ms at most, and 3 of them must "
	       "be in dead_ms = 1000: raise dead_ms to 1200, or baud to 19200");
	expect(TEXT("dead_ms = 1200", LINE("device = /dev/a"), LINE("device = /dev/b")), true, 4,
	       "and 5 of them should be in dead_ms = 1200: raise dead_ms to 2000, or baud to "
	       "19200");
	good(TEXT("dead_ms = 2000", LINE("device = /dev/a"), LINE("device = /dev/b")));
	expect(TEXT("dead_ms = 20 interval_ms = 2", LINE("device = /dev/a baud = 921600"),
		    LINE("device = /dev/b baud = 921600")),
	       true, 4, "and 5 of them should be in dead_ms = 20: raise dead_ms to 25");
	good(TEXT("dead_ms = 30", LINE("device = /dev/a baud = 921600"),
		  LINE("device = /dev/b baud = 921600")));
}

static void test_disk_keys(void **state)
{
	const struct conf_endpoint *e = &conf.node[1].endpoint[1];

	(void)state;
	good(TEXT("", DISK("device = /dev/q"), DISK("device = /dev/r")));
	assert_int_equal(conf_path_type(&conf, 1), YOKE_PATH_TYPE_DISK);
	assert_int_equal(conf_path_role(&conf, 1), YOKE_PATH_ROLE_PRIVATE);
	assert_string_equal(e->device, "/dev/r");
	assert_int_equal(e->interval_ms, 200);
	good(TEXT("", DISK("device = /dev/q interval_ms = 100"),
		  DISK("device = /dev/r interval_ms = 100")));
	assert_int_equal(e->interval_ms, 100);
	expect(TEXT("", DISK("device = /d interval_ms = 99"), DISK("device = /d")), false, 4,
	       "interval_ms = 99");
	expect(TEXT("", DISK(""), DISK("device = /d")), false, 4,
	       "path \"s\" has no device: add it, as in device = \"/dev/disk/by-id/...\"");
	expect(TEXT("", DISK("device = /d baud = 9600"), DISK("device = /d")), false, 4,
	       "baud is no key of type = disk: remove it from path \"s\"");
	expect(TEXT("", "path s { address = 10.2.0.1 interval_ms = 200 }",
		    "path s { address = 10.2.0.2 }"),
	       false, 4, "interval_ms is no key of type = udp: remove it from path \"s\"");
	expect(TEXT("", DISK("device = /d interval_ms = 150"), DISK("device = /d")), false, 8,
	       "path \"s\": interval_ms must be as in line 4, at its other end");
	expect(TEXT("", DISK("device = /d") "path t { type = disk device = /d }",
		    DISK("device = /d") "path t { type = disk device = /e }"),
	       false, 5, "the same device as path \"s\" in line 4");
}

static void test_disk_times(void **state)
{
#define DISKS(cluster, keys) TEXT(cluster, DISK("device = /d " keys), DISK("device = /d " keys))

	(void)state;
	expect(DISKS("dead_ms = 500", ""), false, 4,
	       "path \"s\": there is a heartbeat on the disk each 200 ms, and 3 of them must be in "
	       "dead_ms = 500: lower interval_ms to 166, or raise dead_ms to 600");
	expect(DISKS("dead_ms = 200", ""), false, 4, "in dead_ms = 200: raise dead_ms to 600");
	expect(DISKS("", "interval_ms = 333"), true, 4,
	       "and 5 of them should be in dead_ms = 1000: lower interval_ms to 200, or raise "
	       "dead_ms "
	       "to 1665; it is all that is left without path \"p\", and a node's end is seen on it "
	       "up to 111 ms later");
	good(DISKS("", ""));
	assert_int_equal(conf_path_interval_ms(&conf, 1), 200);
	assert_int_equal(conf_path_late_ms(&conf, 1), 500);
	assert_int_equal(conf_path_look_ms(&conf, 0), 0);
	assert_int_equal(conf_path_look_ms(&conf, 1), 66);
	assert_int_equal(conf_detect_ms(&conf), 1066);
	assert_int_equal(conf_bound_silence(&conf, &conf.group[0]).detect_ms, 1066);
	good(DISKS("dead_ms = 5000 interval_ms = 500 late_ms = 600", ""));
	assert_int_equal(conf_path_interval_ms(&conf, 1), 500);
	assert_int_equal(conf_path_late_ms(&conf, 1), 600);
	good(TEXT("", "path s { address = 10.2.0.1 }", "path s { address = 10.2.0.2 }"));
	assert_int_equal(conf_detect_ms(&conf), 1000);
}

#define CAST(address, keys) "path s { address = '" address "' " keys " }"
#define CASTS(a, b) TEXT("", CAST("10.2.0.1", a), CAST("10.2.0.2", b))
#define CASTS_IPV6(a, b) TEXT("", CAST("fd02::1", a), CAST("fd02::2", b))

static void test_multicast(void **state)
{
	const struct conf_endpoint *e = &conf.node[1].endpoint[1];
	const struct sockaddr_in *four = (const struct sockaddr_in *)&e->multicast;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&e->multicast;
	struct in6_addr wanted;

	(void)state;
	good(CASTS("multicast = 239.0.0.7 port = 5000", "port = 5000 multicast = 239.0.0.7"));
	assert_true(e->is_multicast);
	assert_false(conf.node[1].endpoint[0].is_multicast);
	assert_int_equal(four->sin_family, AF_INET);
	assert_int_equal(ntohs(four->sin_port), 5000);
	assert_int_equal(ntohl(four->sin_addr.s_addr), 0xef000007);
	good(CASTS_IPV6("multicast = 'ff15::7' interface = e",
			"interface = f multicast = 'ff15::7'"));
	assert_int_equal(inet_pton(AF_INET6, "ff15::7", &wanted), 1);
	assert_memory_equal(&six->sin6_addr, &wanted, sizeof(wanted));
	assert_int_equal(ntohs(six->sin6_port), 4747);
	/* One for two paths, over two interfaces. */
	good(TEXT(
		"",
		CAST("10.2.0.1", "multicast = 239.0.0.7 interface = e") " path t { address = "
									"10.3.0.1 multicast = "
									"239.0.0.7 interface = f }",
		CAST("10.2.0.2",
		     "multicast = 239.0.0.7 interface = e") " path t { address = "
							    "10.3.0.2 multicast = 239.0.0.7 "
							    "interface = f }"));
}

static void test_bad_multicast(void **state)
{
	(void)state;
	expect(CASTS("multicast = 10.9.0.7", "multicast = 239.0.0.7"), false, 4,
	       "multicast = \"10.9.0.7\" is no multicast address; use one as 239.0.0.7");
	expect(CASTS("multicast = 255.255.255.255", "multicast = 239.0.0.7"), false, 4,
	       "is no multicast address");
	expect(CASTS_IPV6("multicast = 'fd00::7'", "interface = e multicast = 'ff15::7'"), false, 4,
	       "multicast = \"fd00::7\" is no multicast address; use one as ff15::4747");
	expect(CASTS_IPV6("multicast = 'ff11::7'", "interface = e multicast = 'ff15::7'"), false, 4,
	       "is of a scope that does not reach the other node; use one as ff15::4747");
	expect(CASTS_IPV6("multicast = 'ff02::7%e'", "interface = e multicast = 'ff15::7'"), false,
	       4, "write the interface as interface = ");
	expect(CASTS("multicast = nodes", "multicast = 239.0.0.7"), false, 4,
	       "multicast = \"nodes\" is not an IPv4 or IPv6 address");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a multicast = 239.0.0.7"),
		    LINE("device = /dev/b")),
	       false, 4, "multicast is no key of type = serial: remove it from path \"s\"");
}

static void test_multicast_ends(void **state)
{
	(void)state;
	expect(CASTS("multicast = 239.0.0.7", ""), false, 7,
	       "path \"s\": multicast and its port must be as in line 4, at its other end");
	expect(CASTS("multicast = 239.0.0.7", "multicast = 239.0.0.8"), false, 7, "as in line 4");
	expect(CASTS("multicast = 239.0.0.7", "multicast = 239.0.0.7 port = 4748"), false, 7,
	       "as in line 4");
	expect(CASTS("multicast = 'ff15::7' interface = e", "multicast = 'ff15::7' interface = e"),
	       false, 4,
	       "path \"s\": multicast is IPv6 but address is IPv4: use one of them for both");
	expect(CASTS_IPV6("interface = e multicast = 'ff15::7'", "multicast = 'ff15::7'"), false, 7,
	       "path \"s\": an IPv6 multicast address needs interface = \"NAME\"");
	expect(TEXT("",
		    CAST("10.2.0.1", "multicast = 239.0.0.7") " path t { address = 10.3.0.1 "
							      "multicast = 239.0.0.7 }",
		    CAST("10.2.0.2",
			 "interface = e multicast = 239.0.0.7") " path t { address = "
								"10.3.0.2 interface = f multicast "
								"= 239.0.0.7 }"),
	       false, 4, "path \"t\": the same multicast address and port as path \"s\" in line 4");
	/* There is a warning about the one interface, too. */
	assert_int_equal(
		conf_parse(TEXT("",
				CAST("10.2.0.1",
				     "multicast = 239.0.0.7 interface = e") " path t { address = "
									    "10.3.0.1 multicast = "
									    "239.0.0.7 interface = "
									    "e }",
				CAST("10.2.0.2",
				     "multicast = 239.0.0.7 interface = e") " path t { address = "
									    "10.3.0.2 multicast = "
									    "239.0.0.7 interface = "
									    "f }"),
			   "t", &conf, &problems),
		-1);
}

static void test_role(void **state)
{
	(void)state;
	good(TEXT("", "path s { address = 10.2.0.1 role = public }",
		  "path s { address = 10.2.0.2 role = public }"));
	assert_int_equal(conf_path_role(&conf, 0), YOKE_PATH_ROLE_PRIVATE);
	assert_int_equal(conf_path_role(&conf, 1), YOKE_PATH_ROLE_PUBLIC);
	expect(TEXT("", "path s { address = 10.2.0.1 role = secret }",
		    "path s { address = 10.2.0.2 }"),
	       false, 4, "role = \"secret\": write private or public");
	expect(TEXT("", "path s { address = 10.2.0.1 role = public }",
		    "path s { address = 10.2.0.2 }"),
	       false, 7, "path \"s\" is private here but public in line 4: it has one role");
	expect(TEXT("dead_ms = 3000", LINE("device = /dev/a role = public"),
		    LINE("device = /dev/b")),
	       false, 4, "role is no key of type = serial: remove it from path \"s\"");
	expect("cluster { name = c }\nnode a { path s { address = 10.2.0.1 role = public }\n"
	       "path t { address = 10.3.0.1 role = public } }\n"
	       "node b { path s { address = 10.2.0.2 role = public }\n"
	       "path t { address = 10.3.0.2 role = public } }\n" GROUP,
	       true, 2, "no path of type udp is private: public ones beat at full rate always");
}

/* From late_ms to dead_ms a public path is asked. */
static void test_role_times(void **state)
{
#define PUBLIC(cluster)                                                                            \
	TEXT(cluster, "path s { address = 10.2.0.1 role = public }",                               \
	     "path s { address = 10.2.0.2 role = public }")

	(void)state;
	good(PUBLIC("dead_ms = 1000 interval_ms = 200 late_ms = 600"));
	expect(PUBLIC("dead_ms = 1000 interval_ms = 200 late_ms = 601"), false, 1,
	       "late_ms = 601 leaves too little time for a public path: at least 2 heartbeats "
	       "before dead_ms, so at most 600 ms");
	good(TEXT("dead_ms = 1000 interval_ms = 200 late_ms = 601", "path s { address = 10.2.0.1 }",
		  "path s { address = 10.2.0.2 }"));
	good(PUBLIC("dead_ms = 30 interval_ms = 3"));
	assert_int_equal(conf_slow_ms(&conf), 30);
	good(PUBLIC("dead_ms = 1000"));
	assert_int_equal(conf_slow_ms(&conf), 1000);
	good(PUBLIC("dead_ms = 5000"));
	assert_int_equal(conf_slow_ms(&conf), 1000);
	good(PUBLIC("dead_ms = 60000"));
	assert_int_equal(conf_slow_ms(&conf), 6000);
}

static void test_times(void **state)
{
	(void)state;
	good(TEXT("dead_ms = 2000", LINE("device = /dev/a"), LINE("device = /dev/b")));
	assert_int_equal(conf_path_interval_ms(&conf, 0), 200);
	assert_int_equal(conf_path_late_ms(&conf, 0), 1000);
	assert_int_equal(conf_path_interval_ms(&conf, 1), 400);
	assert_int_equal(conf_path_late_ms(&conf, 1), 1000);
	good(TEXT("dead_ms = 2000 late_ms = 300", LINE("device = /dev/a"),
		  LINE("device = /dev/b")));
	assert_int_equal(conf_path_late_ms(&conf, 0), 300);
	assert_int_equal(conf_path_late_ms(&conf, 1), 1000);
	good(TEXT("", LINE("device = /dev/a baud = 115200"),
		  LINE("device = /dev/b baud = 115200")));
	assert_int_equal(conf_path_interval_ms(&conf, 1), 100);
	assert_int_equal(conf_path_late_ms(&conf, 1), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),          cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_ends),          cmocka_unit_test(test_rate),
		cmocka_unit_test(test_disk_keys),     cmocka_unit_test(test_disk_times),
		cmocka_unit_test(test_role),          cmocka_unit_test(test_role_times),
		cmocka_unit_test(test_times),         cmocka_unit_test(test_multicast),
		cmocka_unit_test(test_bad_multicast), cmocka_unit_test(test_multicast_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
