#include "agent/address_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	WAITING_MAX = 4096, /* frames thrown away at most; the kernel keeps far fewer */
	READ_SIZE = 1500,   /* bytes: a longer frame is none that we understand */
};

static const struct sock_filter nothing[] = {
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static const struct sock_filter everything[] = {
	BPF_STMT(BPF_RET | BPF_K, READ_SIZE),
};

/* Offsets count from the IPv6 header. */
static const struct sock_filter discovery[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGENT_ANNOUNCE_PROTOCOL_ICMPV6, 0, 5),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AGENT_ANNOUNCE_ND_OFFSET),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGENT_ANNOUNCE_ND_SOLICITATION, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGENT_ANNOUNCE_ND_ADVERTISEMENT, 0, 2),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 7),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AGENT_ANNOUNCE_HOP_LIMIT, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, READ_SIZE),
};

static uint16_t protocol(int family)
{
	return htons(family == AF_INET ? ETH_P_ARP : ETH_P_IPV6);
}

static int set_filter(int fd, const struct sock_filter *filter, size_t count)
{
	/* The kernel only reads the program, but its interface has no const. */
	struct sock_fprog program = {.len = (unsigned short)count,
				     .filter = (struct sock_filter *)(uintptr_t)filter};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int agent_address_socket_open(struct agent_address_socket *s, int family, char *why)
{
	struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = protocol(family)};

	s->family = family;
	s->listening = false;
	/* Protocol 0 until the filter is there: nothing may slip in before. */
	s->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0) {
		snprintf(why, YOKE_REASON_SIZE, "cannot open a packet socket (CAP_NET_RAW): %s",
			 strerror(errno));
		return -1;
	}
	if (set_filter(s->fd, nothing, sizeof(nothing) / sizeof(nothing[0])) < 0 ||
	    bind(s->fd, (struct sockaddr *)&any, sizeof(any)) < 0) {
		snprintf(why, YOKE_REASON_SIZE, "cannot set up a packet socket: %s",
			 strerror(errno));
		agent_address_socket_close(s);
		return -1;
	}
	return 0;
}

void agent_address_socket_close(struct agent_address_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int agent_address_socket_send(const struct agent_address_socket *s, unsigned index,
			      const struct agent_announce_frame *frame)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = protocol(s->family),
				 .sll_ifindex = (int)index,
				 .sll_halen = sizeof(frame->destination)};

	memcpy(to.sll_addr, frame->destination, sizeof(frame->destination));
	if (sendto(s->fd, frame->bytes, frame->size, MSG_DONTWAIT, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}

static void discard_waiting(int fd)
{
	uint8_t byte;

	for (unsigned n = 0; n < WAITING_MAX; n++) {
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno == EAGAIN)
			return;
	}
}

void agent_address_socket_listen(struct agent_address_socket *s, bool on)
{
	int error;

	if (s->listening == on)
		return;
	if (on)
		discard_waiting(s->fd);
	if (!on)
		error = set_filter(s->fd, nothing, sizeof(nothing) / sizeof(nothing[0]));
	else if (s->family == AF_INET)
		error = set_filter(s->fd, everything, sizeof(everything) / sizeof(everything[0]));
	else
		error = set_filter(s->fd, discovery, sizeof(discovery) / sizeof(discovery[0]));
	/* The kernel may be short of memory: hear everything rather than miss an answer. */
	if (error < 0 && on)
		setsockopt(s->fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int));
	s->listening = on;
}

void agent_address_socket_join(const struct agent_address_socket *s, unsigned index,
			       const uint8_t *address, bool on)
{
	struct packet_mreq group = {.mr_ifindex = (int)index,
				    .mr_type = PACKET_MR_MULTICAST,
				    .mr_alen = AGENT_ANNOUNCE_HWADDR_SIZE};

	agent_announce_nd_group(address, group.mr_address);
	/* Fails when the interface has just gone, and then nothing can be heard there anyway. */
	setsockopt(s->fd, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &group,
		   sizeof(group));
}

int agent_address_socket_read(const struct agent_address_socket *s,
			      struct agent_announce_claim *claim, unsigned *index)
{
	struct sockaddr_ll from = {0};
	socklen_t from_len = sizeof(from);
	uint8_t bytes[READ_SIZE];
	ssize_t size = recvfrom(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from,
				&from_len);

	/* Other errors (the interface went down) are told once and are not a frame. */
	if (size < 0)
		return errno == EAGAIN || errno == EBADF ? -1 : 0;
	if (from.sll_pkttype == PACKET_OUTGOING || from.sll_pkttype == PACKET_LOOPBACK)
		return 0;
	*index = (unsigned)from.sll_ifindex;
	if (s->family == AF_INET)
		return agent_announce_read_arp(bytes, (size_t)size, claim);
	return from.sll_halen == AGENT_ANNOUNCE_HWADDR_SIZE &&
	       agent_announce_read_nd(bytes, (size_t)size, from.sll_addr, claim);
}
