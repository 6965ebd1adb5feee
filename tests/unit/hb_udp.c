/* A socket whose interface and address come and go: in a network namespace of its own.  Multicast
 * goes between two, each with an end of a cable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hb/udp.h"

static struct hb_udp udp;
static struct sockaddr_storage four, six;
static yoke_time now;
static bool has_namespace;

static int setup(void **state)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&four;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&six;

	(void)state;
	*in = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_port = htons(4747),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				     .sin6_port = htons(4747),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	now = (yoke_time){5000000};
	has_namespace = unshare(CLONE_NEWNET) == 0; /* lo exists there, and is down */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hb_udp_fini(&udp);
	return 0;
}

static void set_lo_up(bool up)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	if (up)
		request.ifr_flags |= IFF_UP;
	else
		request.ifr_flags &= (short)~IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static void need_namespace(void)
{
	if (!has_namespace)
		skip();
}

static void send_and_receive(const struct sockaddr_storage *address, socklen_t len)
{
	uint8_t bytes[8];

	assert_true(hb_udp_send(&udp, address, len, (const uint8_t *)"hello", 5, false));
	assert_int_equal(hb_udp_receive(&udp, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(hb_udp_receive(&udp, bytes, sizeof(bytes)), -1);
}

static void moves_datagrams_over_both_families(void **state)
{
	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "lo");
	hb_udp_maintain(&udp, now);
	send_and_receive(&four, sizeof(struct sockaddr_in));
	hb_udp_fini(&udp);
	hb_udp_init(&udp, &six, sizeof(struct sockaddr_in6), "lo");
	hb_udp_maintain(&udp, now);
	send_and_receive(&six, sizeof(struct sockaddr_in6));
}

static void is_not_inherited_and_does_not_block(void **state)
{
	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "lo");
	hb_udp_maintain(&udp, now);
	assert_true(fcntl(udp.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(udp.fd, F_GETFL) & O_NONBLOCK);
}

static void waits_for_an_interface_that_is_not_there(void **state)
{
	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "none0");
	assert_true(yoke_time_due(hb_udp_deadline(&udp), now));
	hb_udp_maintain(&udp, now);
	assert_int_equal(udp.fd, -1);
	assert_false(hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), (const uint8_t *)"x", 1,
				 false));
	assert_int_equal(hb_udp_receive(&udp, (uint8_t[1]){0}, 1), -1);
	assert_int_equal(hb_udp_deadline(&udp).us, now.us + HB_UDP_RETRY_US);
	snprintf(udp.interface, sizeof(udp.interface), "lo"); /* it comes */
	hb_udp_maintain(&udp, yoke_time_add_us(now, HB_UDP_RETRY_US - 1));
	assert_int_equal(udp.fd, -1);
	hb_udp_maintain(&udp, yoke_time_add_us(now, HB_UDP_RETRY_US));
	assert_true(udp.fd >= 0);
	assert_true(yoke_time_is_never(hb_udp_deadline(&udp)));
	send_and_receive(&four, sizeof(struct sockaddr_in));
}

static void opens_another_socket_when_its_network_went_away(void **state)
{
	int before;

	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "lo");
	hb_udp_maintain(&udp, now);
	before = udp.fd;
	set_lo_up(false);
	assert_true(hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), (const uint8_t *)"x", 1,
				false));
	assert_true(udp.failing);
	hb_udp_maintain(&udp, now);
	assert_int_equal(udp.fd, before); /* not twice within a second */
	now = yoke_time_add_us(now, HB_UDP_RETRY_US);
	hb_udp_maintain(&udp, now);
	assert_int_not_equal(udp.fd, before);
	set_lo_up(true);
	now = yoke_time_add_us(now, HB_UDP_RETRY_US);
	hb_udp_maintain(&udp, now);
	send_and_receive(&four, sizeof(struct sockaddr_in));
}

static void a_send_to_nobody_is_no_failure(void **state)
{
	struct sockaddr_storage nobody = four;

	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "");
	hb_udp_maintain(&udp, now);
	((struct sockaddr_in *)&nobody)->sin_port = htons(4748);
	for (unsigned i = 0; i < 3; i++)
		assert_true(hb_udp_send(&udp, &nobody, sizeof(struct sockaddr_in),
					(const uint8_t *)"x", 1, false));
	assert_int_equal(hb_udp_receive(&udp, (uint8_t[1]){0}, 1), -1);
	assert_false(udp.failing);
}

static void a_full_receiver_costs_frames_and_no_time(void **state)
{
	static uint8_t bytes[1400];
	unsigned count = 0;

	(void)state;
	need_namespace();
	set_lo_up(true);
	hb_udp_init(&udp, &four, sizeof(struct sockaddr_in), "lo");
	hb_udp_maintain(&udp, now);
	for (unsigned i = 0; i < 5000; i++)
		assert_true(
			hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), bytes, 1400, false));
	assert_false(udp.failing);
	while (hb_udp_receive(&udp, bytes, sizeof(bytes)) > 0)
		count++;
	assert_in_range(count, 200, 4999);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[768];
	va_list arguments;
	int status = -1;
	pid_t pid;

	va_start(arguments, format);
	assert_in_range(vsnprintf(command, sizeof(command), format, arguments), 0,
			sizeof(command) - 1);
	va_end(arguments);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		fail_msg("failed: %s", command);
}

/* Lay a cable from "here" to "there", which is in the namespace `space`, and wait until the kernel
 * has seen it at both ends: before, what is sent is lost or has no route. */
static void lay_cable(int space)
{
	static const char seen[] = "until ip -o link show $0 | grep -q \"state UP\" && "
				   "ip -6 route show table local dev $0 | grep -q ff00; do :; done";
	const int pid = (int)getpid();

	run("ip link add here type veth peer name there netns /proc/%d/fd/%d && "
	    "ip address add 10.1.0.1/24 dev here && ip address add 10.1.0.3/24 dev here && "
	    "ip address add fd01::1/64 dev here nodad && "
	    "ip address add fd01::3/64 dev here nodad && ip link set here up && "
	    "nsenter --net=/proc/%d/fd/%d sh -c '"
	    "ip address add 10.1.0.2/24 dev there && ip address add fd01::2/64 dev there nodad && "
	    "ip link set there up'",
	    pid, space, pid, space);
	run("timeout 10 sh -c '%s' here", seen);
	run("timeout 10 nsenter --net=/proc/%d/fd/%d sh -c '%s' there", pid, space, seen);
}

/* A second namespace; we are in the first one again afterwards. */
static int make_space(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), space;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	space = open("/proc/self/ns/net", O_RDONLY);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return space;
}

static void maintain_in(int space, struct hb_udp *u)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_int_equal(setns(space, CLONE_NEWNET), 0);
	hb_udp_maintain(u, now);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
}

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	in->sin_port = htons(4747); /* at the same place in both */
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
		in->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	return address;
}

/* What came, and from where; the wire of a veth has no delay but the other end's softirq. */
static void expect_datagram(const struct hb_udp *u, const char *source)
{
	struct sockaddr_storage from, wanted = address_of(source);
	socklen_t len = sizeof(from);
	struct pollfd wait = {.fd = u->fd, .events = POLLIN};
	char text[INET6_ADDRSTRLEN], bytes[8];

	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_int_equal(
		recvfrom(u->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len),
		5);
	assert_int_equal(from.ss_family, wanted.ss_family);
	(void)inet_ntop(from.ss_family,
			from.ss_family == AF_INET
				? (void *)&((struct sockaddr_in *)&from)->sin_addr
				: (void *)&((struct sockaddr_in6 *)&from)->sin6_addr,
			text, sizeof(text));
	assert_string_equal(text, source);
}

/* own: not the first of its interface's, so that the kernel would choose another one. */
static void meets_by_multicast(const char *own, const char *other, const char *multicast)
{
	struct sockaddr_storage a = address_of(own), b = address_of(other);
	struct sockaddr_storage to = address_of(multicast);
	socklen_t len =
		a.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct hb_udp far;
	int space = make_space();

	lay_cable(space);
	hb_udp_init(&udp, &a, len, "here");
	hb_udp_set_multicast(&udp, &to);
	hb_udp_maintain(&udp, now);
	hb_udp_init(&far, &b, len, "there");
	hb_udp_set_multicast(&far, &to);
	maintain_in(space, &far);
	assert_true(udp.fd >= 0 && far.fd >= 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(hb_udp_send(&udp, &to, len, (const uint8_t *)"hello", 5, false));
		expect_datagram(&far, own);
		assert_true(hb_udp_send(&far, &to, len, (const uint8_t *)"hello", 5, false));
		expect_datagram(&udp, other);
		/* Its own did not come back. */
		assert_int_equal(hb_udp_receive(&udp, (uint8_t[8]){0}, 8), -1);
		assert_false(udp.failing || far.failing);
		if (i == 1)
			break;
		run("ip link del here");
		(void)hb_udp_send(&udp, &to, len, (const uint8_t *)"x", 1, false);
		(void)hb_udp_send(&far, &to, len, (const uint8_t *)"x", 1, false);
		assert_true(udp.failing && far.failing);
		now = yoke_time_add_us(now, HB_UDP_RETRY_US);
		hb_udp_maintain(&udp, now);
		maintain_in(space, &far);
		assert_true(udp.fd < 0 && far.fd < 0);
		lay_cable(space);
		now = yoke_time_add_us(now, HB_UDP_RETRY_US);
		hb_udp_maintain(&udp, now);
		maintain_in(space, &far);
	}
	hb_udp_fini(&far);
	hb_udp_fini(&udp);
	run("ip link del here"); /* before it goes with the other end's namespace */
	close(space);
}

static void meets_by_multicast_and_again_when_its_interface_comes_back(void **state)
{
	(void)state;
	need_namespace();
	meets_by_multicast("10.1.0.3", "10.1.0.2", "239.0.0.7");
	meets_by_multicast("fd01::3", "fd01::2", "ff15::7");
	meets_by_multicast("fd01::3", "fd01::2", "ff02::4747");
}

/* Not over the interface only: a member without its own address would be heard from another. */
static void needs_its_own_address_for_multicast(void **state)
{
	static const char *const multicast[] = {"239.0.0.7", "ff15::7"};
	static const char *const own[] = {"10.1.0.9", "fd01::9"};
	int space;

	(void)state;
	need_namespace();
	space = make_space();
	lay_cable(space);
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_storage a = address_of(own[i]), to = address_of(multicast[i]);
		socklen_t len = i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		hb_udp_init(&udp, &a, len, "here");
		hb_udp_set_multicast(&udp, &to);
		hb_udp_maintain(&udp, now);
		(void)hb_udp_send(&udp, &to, len, (const uint8_t *)"x", 1, false);
		assert_int_equal(hb_udp_deadline(&udp).us, now.us + HB_UDP_RETRY_US);
		run("ip address add %s dev here %s", i == 0 ? "10.1.0.9/24" : "fd01::9/64",
		    i == 0 ? "" : "nodad");
		now = yoke_time_add_us(now, HB_UDP_RETRY_US);
		hb_udp_maintain(&udp, now);
		assert_true(hb_udp_send(&udp, &to, len, (const uint8_t *)"x", 1, false));
		assert_true(yoke_time_is_never(hb_udp_deadline(&udp)));
		hb_udp_fini(&udp);
	}
	close(space);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(moves_datagrams_over_both_families),
		TEST(is_not_inherited_and_does_not_block),
		TEST(waits_for_an_interface_that_is_not_there),
		TEST(opens_another_socket_when_its_network_went_away),
		TEST(a_send_to_nobody_is_no_failure),
		TEST(a_full_receiver_costs_frames_and_no_time),
		TEST(meets_by_multicast_and_again_when_its_interface_comes_back),
		TEST(needs_its_own_address_for_multicast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
