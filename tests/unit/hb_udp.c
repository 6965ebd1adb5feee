/* A socket whose interface and address come and go: in a network namespace of its own. */
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
#include <sched.h>
#include <sys/ioctl.h>
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

	assert_true(hb_udp_send(&udp, address, len, (const uint8_t *)"hello", 5));
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
	assert_false(hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), (const uint8_t *)"x", 1));
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
	assert_true(hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), (const uint8_t *)"x", 1));
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
					(const uint8_t *)"x", 1));
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
		assert_true(hb_udp_send(&udp, &four, sizeof(struct sockaddr_in), bytes, 1400));
	assert_false(udp.failing);
	while (hb_udp_receive(&udp, bytes, sizeof(bytes)) > 0)
		count++;
	assert_in_range(count, 200, 4999);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
