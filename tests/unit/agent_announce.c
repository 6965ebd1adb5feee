/* Frames byte by byte, claims read from good and bad frames, the times of a burst. */
#include "agent/announce.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t mac[6] = {2, 0, 0, 0xaa, 0xbb, 0xcc};
static const uint8_t other[6] = {2, 0, 0, 0x11, 0x22, 0x33};
static const uint8_t v4[16] = {192, 0, 2, 10};
static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56};
static const uint8_t to_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void assert_frame(const struct agent_announce_frame *frame, const uint8_t *want, size_t size)
{
	assert_int_equal(frame->size, size);
	assert_memory_equal(frame->bytes, want, size);
}

static void arp_frames(void **state)
{
	static const uint8_t request[] = {0,   1, 8, 0,  6, 4, 0, 1, 2, 0, 0,   0xaa, 0xbb, 0xcc,
					  192, 0, 2, 10, 0, 0, 0, 0, 0, 0, 192, 0,    2,    10};
	static const uint8_t reply[] = {0, 1,    8,    0,    6,   4, 0, 2,  2, 0,
					0, 0xaa, 0xbb, 0xcc, 192, 0, 2, 10, 2, 0,
					0, 0xaa, 0xbb, 0xcc, 192, 0, 2, 10};
	static const uint8_t probe[] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0xaa, 0xbb, 0xcc,
					0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0,    2,    10};
	struct agent_announce_frame frame;

	(void)state;
	agent_announce_arp_request(&frame, mac, v4);
	assert_frame(&frame, request, sizeof(request));
	assert_memory_equal(frame.destination, to_all, 6);
	agent_announce_arp_reply(&frame, mac, v4);
	assert_frame(&frame, reply, sizeof(reply));
	assert_memory_equal(frame.destination, to_all, 6);
	agent_announce_arp_probe(&frame, mac, v4);
	assert_frame(&frame, probe, sizeof(probe));
	assert_memory_equal(frame.destination, to_all, 6);
}

/* The checksums come from a second implementation; tests/lab/test_address.py has a kernel check
 * them. */
static void nd_frames(void **state)
{
	static const uint8_t advertisement[] = {
		0x60, 0, 0,    0,    0,    32,   58,   255, /* header */
		0x20, 1, 0x0d, 0xb8, 0,    0,    0,    0,
		0,    0, 0,    0,    0,    0x12, 0x34, 0x56, /* from */
		0xff, 2, 0,    0,    0,    0,    0,    0,
		0,    0, 0,    0,    0,    0,    0,    1, /* to */
		136,  0, 0xd3, 0xe6, 0x20, 0,    0,    0, /* type, code, checksum, flags */
		0x20, 1, 0x0d, 0xb8, 0,    0,    0,    0,
		0,    0, 0,    0,    0,    0x12, 0x34, 0x56, /* target */
		2,    1, 2,    0,    0,    0xaa, 0xbb, 0xcc, /* option */
	};
	static const uint8_t probe[] = {
		0x60, 0, 0,    0,    0,    24,   58,   255, /* header */
		0,    0, 0,    0,    0,    0,    0,    0,
		0,    0, 0,    0,    0,    0,    0,    0, /* from */
		0xff, 2, 0,    0,    0,    0,    0,    0,
		0,    0, 0,    1,    0xff, 0x12, 0x34, 0x56, /* to */
		135,  0, 0xe4, 0x1e, 0,    0,    0,    0,    /* type, code, checksum, reserved */
		0x20, 1, 0x0d, 0xb8, 0,    0,    0,    0,
		0,    0, 0,    0,    0,    0x12, 0x34, 0x56, /* target */
	};
	static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t group[6] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56};
	struct agent_announce_frame frame;
	uint8_t joined[6];

	(void)state;
	agent_announce_nd_advertisement(&frame, mac, v6, false);
	assert_frame(&frame, advertisement, sizeof(advertisement));
	assert_memory_equal(frame.destination, all_nodes, 6);
	agent_announce_nd_advertisement(&frame, mac, v6, true);
	assert_int_equal(frame.bytes[44], 0xa0);
	agent_announce_nd_probe(&frame, v6);
	assert_frame(&frame, probe, sizeof(probe));
	assert_memory_equal(frame.destination, group, 6);
	agent_announce_nd_group(v6, joined);
	assert_memory_equal(joined, group, 6);
}

static void arp_claims(void **state)
{
	struct agent_announce_frame frame;
	struct agent_announce_claim claim;

	(void)state;
	agent_announce_arp_reply(&frame, other, v4);
	assert_true(agent_announce_read_arp(frame.bytes, frame.size, &claim));
	assert_memory_equal(claim.address, v4, 16);
	assert_memory_equal(claim.hwaddr, other, 6);
	/* an ordinary question claims the asker's address, not the one that is asked for */
	agent_announce_arp_request(&frame, other, v4);
	frame.bytes[27] = 99;
	assert_true(agent_announce_read_arp(frame.bytes, frame.size, &claim));
	assert_memory_equal(claim.address, v4, 16);
	/* a probe is about the address that is asked for */
	agent_announce_arp_probe(&frame, other, v4);
	assert_true(agent_announce_read_arp(frame.bytes, frame.size, &claim));
	assert_memory_equal(claim.address, v4, 16);
	assert_memory_equal(claim.hwaddr, other, 6);
	/* Ethernet pads to 46 bytes */
	assert_true(agent_announce_read_arp(frame.bytes, 46, &claim));
}

static void arp_garbage(void **state)
{
	static const struct {
		uint8_t at, value;
	} spoils[] = {{1, 6}, {2, 0x86}, {4, 8}, {5, 16}, {7, 3}, {7, 0}};
	struct agent_announce_frame frame;
	struct agent_announce_claim claim;

	(void)state;
	agent_announce_arp_request(&frame, other, v4);
	for (size_t size = 0; size < 28; size++)
		assert_false(agent_announce_read_arp(frame.bytes, size, &claim));
	for (size_t n = 0; n < sizeof(spoils) / sizeof(spoils[0]); n++) {
		agent_announce_arp_request(&frame, other, v4);
		frame.bytes[spoils[n].at] = spoils[n].value;
		assert_false(agent_announce_read_arp(frame.bytes, frame.size, &claim));
	}
	/* a reply from nobody claims nothing */
	agent_announce_arp_probe(&frame, other, v4);
	frame.bytes[7] = 2;
	assert_false(agent_announce_read_arp(frame.bytes, frame.size, &claim));
}

/* Put the right checksum back after a change, by the receiver's rule: try until it is taken. */
static bool read_repaired(struct agent_announce_frame *frame, struct agent_announce_claim *claim)
{
	for (unsigned sum = 0; sum <= 0xffff; sum++) {
		frame->bytes[42] = (uint8_t)(sum >> 8);
		frame->bytes[43] = (uint8_t)sum;
		if (agent_announce_read_nd(frame->bytes, frame->size, mac, claim))
			return true;
	}
	return false;
}

static void nd_claims(void **state)
{
	struct agent_announce_frame frame;
	struct agent_announce_claim claim;

	(void)state;
	agent_announce_nd_advertisement(&frame, other, v6, false);
	assert_true(agent_announce_read_nd(frame.bytes, frame.size, mac, &claim));
	assert_memory_equal(claim.address, v6, 16);
	assert_memory_equal(claim.hwaddr, other, 6);
	agent_announce_nd_probe(&frame, v6);
	assert_true(agent_announce_read_nd(frame.bytes, frame.size, other, &claim));
	assert_memory_equal(claim.address, v6, 16);
	assert_memory_equal(claim.hwaddr, other, 6);
	/* a solicitation that has a source claims the source */
	memcpy(frame.bytes + 8, v6, 16);
	frame.bytes[63] ^= 1;
	assert_true(read_repaired(&frame, &claim));
	assert_memory_equal(claim.address, v6, 16);
	/* an advertisement without an option: the Ethernet header has the address */
	agent_announce_nd_advertisement(&frame, other, v6, false);
	frame.bytes[5] = 24;
	assert_true(read_repaired(&frame, &claim));
	assert_memory_equal(claim.hwaddr, mac, 6);
}

static void nd_garbage(void **state)
{
	static const struct {
		uint8_t at, value;
	} spoils[] = {
		{0, 0x40},  /* IPv4 */
		{4, 1},     /* longer than what came */
		{5, 23},    /* shorter than an advertisement */
		{5, 33},    /* half an option */
		{6, 17},    /* UDP */
		{7, 254},   /* was forwarded */
		{40, 128},  /* echo */
		{41, 1},    /* code */
		{48, 0xff}, /* multicast target */
		{65, 0},    /* option of length 0: must not loop */
		{65, 2},    /* option longer than the message */
	};
	struct agent_announce_frame frame;
	struct agent_announce_claim claim;

	(void)state;
	agent_announce_nd_advertisement(&frame, other, v6, false);
	for (size_t size = 0; size < 72; size++)
		assert_false(agent_announce_read_nd(frame.bytes, size, mac, &claim));
	for (size_t n = 0; n < 72; n++) { /* any flipped bit is a wrong checksum or a wrong field */
		agent_announce_nd_advertisement(&frame, other, v6, false);
		frame.bytes[n] ^= n >= 1 && n <= 3 ? 0 : 0x10;
		assert_int_equal(agent_announce_read_nd(frame.bytes, frame.size, mac, &claim),
				 n >= 1 && n <= 3);
	}
	for (size_t n = 0; n < sizeof(spoils) / sizeof(spoils[0]); n++) {
		agent_announce_nd_advertisement(&frame, other, v6, false);
		frame.bytes[spoils[n].at] = spoils[n].value;
		assert_false(read_repaired(&frame, &claim));
	}
	/* a probe must go to the solicited-node group (RFC 4861 §7.1.1) */
	agent_announce_nd_probe(&frame, v6);
	frame.bytes[36] = 0;
	assert_false(read_repaired(&frame, &claim));
}

static void burst_times(void **state)
{
	(void)state;
	assert_int_equal(agent_announce_step_ms(0), 0);
	for (unsigned step = 1; step < AGENT_ANNOUNCE_STEPS; step++)
		assert_true(agent_announce_step_ms(step) > agent_announce_step_ms(step - 1));
	assert_int_equal(agent_announce_step_ms(AGENT_ANNOUNCE_STEPS - 1), 5000);
	assert_int_equal(agent_announce_step_ms(AGENT_ANNOUNCE_STEPS), -1);
	assert_int_equal(agent_announce_step_ms(0xffff), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_frames),  cmocka_unit_test(nd_frames),
		cmocka_unit_test(arp_claims),  cmocka_unit_test(arp_garbage),
		cmocka_unit_test(nd_claims),   cmocka_unit_test(nd_garbage),
		cmocka_unit_test(burst_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
