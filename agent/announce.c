#include "agent/announce.h"

#include "agent/base/buf.h"

enum {
	ARP_SIZE = 28,
	ARP_HARDWARE_ETHERNET = 1,
	ARP_PROTOCOL_IPV4 = 0x0800,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	IPV4_SIZE = 4,
	IPV6_SIZE = AGENT_ANNOUNCE_ADDRESS_SIZE,
	HWADDR_SIZE = AGENT_ANNOUNCE_HWADDR_SIZE,
	ND_SIZE = 24,     /* ICMPv6 header, flags and target, without options */
	ND_CHECKSUM = 42, /* offset in the frame */
	ND_FLAG_ROUTER = 1 << 7,
	ND_FLAG_OVERRIDE = 1 << 5,
	ND_OPTION_SOURCE = 1,
	ND_OPTION_TARGET = 2,
	ND_OPTION_UNIT = 8, /* bytes: options are multiples of it, RFC 4861 §4.6 */
};

static const uint8_t nobody[IPV6_SIZE];
static const uint8_t broadcast[HWADDR_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes[IPV6_SIZE] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t solicited[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

static const int32_t steps_ms[AGENT_ANNOUNCE_STEPS] = {0, 10, 50, 200, 500, 1000, 2000, 3500, 5000};

static void put_arp(struct agent_announce_frame *frame, uint16_t operation, const uint8_t *sender,
		    const uint8_t *sender_address, const uint8_t *target,
		    const uint8_t *target_address)
{
	struct yoke_buf b;

	yoke_buf_init(&b, frame->bytes, sizeof(frame->bytes));
	yoke_buf_put_u16(&b, ARP_HARDWARE_ETHERNET);
	yoke_buf_put_u16(&b, ARP_PROTOCOL_IPV4);
	yoke_buf_put_u8(&b, HWADDR_SIZE);
	yoke_buf_put_u8(&b, IPV4_SIZE);
	yoke_buf_put_u16(&b, operation);
	yoke_buf_put(&b, sender, HWADDR_SIZE);
	yoke_buf_put(&b, sender_address, IPV4_SIZE);
	yoke_buf_put(&b, target, HWADDR_SIZE);
	yoke_buf_put(&b, target_address, IPV4_SIZE);
	frame->size = (uint16_t)b.used;
	memcpy(frame->destination, broadcast, HWADDR_SIZE);
}

void agent_announce_arp_request(struct agent_announce_frame *frame, const uint8_t *hwaddr,
				const uint8_t *address)
{
	put_arp(frame, ARP_REQUEST, hwaddr, address, nobody, address);
}

void agent_announce_arp_reply(struct agent_announce_frame *frame, const uint8_t *hwaddr,
			      const uint8_t *address)
{
	put_arp(frame, ARP_REPLY, hwaddr, address, hwaddr, address);
}

void agent_announce_arp_probe(struct agent_announce_frame *frame, const uint8_t *hwaddr,
			      const uint8_t *address)
{
	put_arp(frame, ARP_REQUEST, hwaddr, nobody, nobody, address);
}

static uint32_t sum16(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (i % 2) == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	return sum;
}

/* The Internet checksum over the IPv6 pseudo header (RFC 8200 §8.1) and the ICMPv6 message; 0 when
 * the message carries its right checksum.  size: of the message, bytes, below 64 KiB. */
static uint16_t checksum(const uint8_t *frame, size_t size)
{
	uint32_t sum = sum16(frame + 8, 2 * IPV6_SIZE) + (uint32_t)size +
		       AGENT_ANNOUNCE_PROTOCOL_ICMPV6 +
		       sum16(frame + AGENT_ANNOUNCE_ND_OFFSET, size);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* option_hwaddr: NULL: without an option. */
static void put_nd(struct agent_announce_frame *frame, uint8_t type, uint8_t flags,
		   const uint8_t *source, const uint8_t *destination, const uint8_t *target,
		   const uint8_t *option_hwaddr)
{
	uint16_t size = option_hwaddr ? ND_SIZE + ND_OPTION_UNIT : ND_SIZE;
	struct yoke_buf b;

	yoke_buf_init(&b, frame->bytes, sizeof(frame->bytes));
	yoke_buf_put_u32(&b, UINT32_C(6) << 28);
	yoke_buf_put_u16(&b, size);
	yoke_buf_put_u8(&b, AGENT_ANNOUNCE_PROTOCOL_ICMPV6);
	yoke_buf_put_u8(&b, AGENT_ANNOUNCE_HOP_LIMIT);
	yoke_buf_put(&b, source, IPV6_SIZE);
	yoke_buf_put(&b, destination, IPV6_SIZE);
	yoke_buf_put_u8(&b, type);
	yoke_buf_put_u8(&b, 0);
	yoke_buf_put_u16(&b, 0);
	yoke_buf_put_u32(&b, (uint32_t)flags << 24);
	yoke_buf_put(&b, target, IPV6_SIZE);
	if (option_hwaddr) {
		yoke_buf_put_u8(&b, ND_OPTION_TARGET);
		yoke_buf_put_u8(&b, 1);
		yoke_buf_put(&b, option_hwaddr, HWADDR_SIZE);
	}
	frame->size = (uint16_t)b.used;
	uint16_t sum = checksum(frame->bytes, size);
	frame->bytes[ND_CHECKSUM] = (uint8_t)(sum >> 8);
	frame->bytes[ND_CHECKSUM + 1] = (uint8_t)sum;
	/* RFC 2464 §7: 33:33 and the last four bytes of the group */
	frame->destination[0] = frame->destination[1] = 0x33;
	memcpy(frame->destination + 2, destination + 12, 4);
}

void agent_announce_nd_advertisement(struct agent_announce_frame *frame, const uint8_t *hwaddr,
				     const uint8_t *address, bool is_router)
{
	uint8_t flags = ND_FLAG_OVERRIDE | (is_router ? ND_FLAG_ROUTER : 0);

	put_nd(frame, AGENT_ANNOUNCE_ND_ADVERTISEMENT, flags, address, all_nodes, address, hwaddr);
}

/* The solicited-node multicast address, RFC 4291 §2.7.1. */
static void solicited_node(const uint8_t *address, uint8_t group[IPV6_SIZE])
{
	memcpy(group, solicited, sizeof(solicited));
	memcpy(group + sizeof(solicited), address + sizeof(solicited), 3);
}

void agent_announce_nd_probe(struct agent_announce_frame *frame, const uint8_t *address)
{
	uint8_t group[IPV6_SIZE];

	solicited_node(address, group);
	put_nd(frame, AGENT_ANNOUNCE_ND_SOLICITATION, 0, nobody, group, address, NULL);
}

void agent_announce_nd_group(const uint8_t *address, uint8_t group[AGENT_ANNOUNCE_HWADDR_SIZE])
{
	uint8_t multicast[IPV6_SIZE];

	solicited_node(address, multicast);
	group[0] = group[1] = 0x33;
	memcpy(group + 2, multicast + 12, 4);
}

bool agent_announce_read_arp(const uint8_t *bytes, size_t size, struct agent_announce_claim *claim)
{
	uint8_t sender[IPV4_SIZE], target[IPV4_SIZE], ignored[HWADDR_SIZE];
	struct yoke_buf b;

	memset(claim, 0, sizeof(*claim));
	if (size < ARP_SIZE)
		return false;
	yoke_buf_init_read(&b, bytes, size);
	if (yoke_buf_get_u16(&b) != ARP_HARDWARE_ETHERNET ||
	    yoke_buf_get_u16(&b) != ARP_PROTOCOL_IPV4 || yoke_buf_get_u8(&b) != HWADDR_SIZE ||
	    yoke_buf_get_u8(&b) != IPV4_SIZE)
		return false;
	uint16_t operation = yoke_buf_get_u16(&b);
	if (operation != ARP_REQUEST && operation != ARP_REPLY)
		return false;
	yoke_buf_get(&b, claim->hwaddr, HWADDR_SIZE);
	yoke_buf_get(&b, sender, IPV4_SIZE);
	yoke_buf_get(&b, ignored, HWADDR_SIZE);
	yoke_buf_get(&b, target, IPV4_SIZE);
	bool is_probe = memcmp(sender, nobody, IPV4_SIZE) == 0;
	if (is_probe && operation != ARP_REQUEST)
		return false;
	memcpy(claim->address, is_probe ? target : sender, IPV4_SIZE);
	return true;
}

/* Walk the options of an ND message.  Returns false when one is malformed; *found points to the
 * link-layer address of the wanted type or stays NULL. */
static bool read_options(const uint8_t *options, size_t size, uint8_t wanted, const uint8_t **found)
{
	for (size_t at = 0; at < size;) {
		size_t left = size - at;

		if (left < ND_OPTION_UNIT || options[at + 1] == 0)
			return false;
		size_t option_size = (size_t)options[at + 1] * ND_OPTION_UNIT;
		if (option_size > left)
			return false;
		if (options[at] == wanted)
			*found = options + at + 2;
		at += option_size;
	}
	return true;
}

bool agent_announce_read_nd(const uint8_t *bytes, size_t size, const uint8_t *source,
			    struct agent_announce_claim *claim)
{
	memset(claim, 0, sizeof(*claim));
	if (size < AGENT_ANNOUNCE_ND_OFFSET + ND_SIZE || bytes[0] >> 4 != 6)
		return false;
	size_t message_size = (size_t)bytes[4] << 8 | bytes[5];
	if (bytes[6] != AGENT_ANNOUNCE_PROTOCOL_ICMPV6 || bytes[7] != AGENT_ANNOUNCE_HOP_LIMIT ||
	    message_size < ND_SIZE || message_size > size - AGENT_ANNOUNCE_ND_OFFSET)
		return false;
	const uint8_t *from = bytes + 8, *to = bytes + 24;
	const uint8_t *message = bytes + AGENT_ANNOUNCE_ND_OFFSET, *target = message + 8;
	bool is_advertisement = message[0] == AGENT_ANNOUNCE_ND_ADVERTISEMENT;
	const uint8_t *hwaddr = NULL;

	if ((!is_advertisement && message[0] != AGENT_ANNOUNCE_ND_SOLICITATION) ||
	    message[1] != 0 || target[0] == 0xff || checksum(bytes, message_size) != 0 ||
	    !read_options(message + ND_SIZE, message_size - ND_SIZE,
			  is_advertisement ? ND_OPTION_TARGET : ND_OPTION_SOURCE, &hwaddr))
		return false;
	bool is_probe = !is_advertisement && memcmp(from, nobody, IPV6_SIZE) == 0;
	if (is_probe && (hwaddr || memcmp(to, solicited, sizeof(solicited)) != 0))
		return false;
	memcpy(claim->address, is_advertisement || is_probe ? target : from, IPV6_SIZE);
	memcpy(claim->hwaddr, hwaddr ? hwaddr : source, HWADDR_SIZE);
	return true;
}

int32_t agent_announce_step_ms(unsigned step)
{
	return step < AGENT_ANNOUNCE_STEPS ? steps_ms[step] : -1;
}
