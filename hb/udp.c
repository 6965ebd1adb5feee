#include "hb/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	TRAFFIC_CLASS = IPTOS_CLASS_CS6, /* network control, RFC 4594 section 3.2 */
	MULTICAST_HOPS = 1,
	PRIORITY = 6, /* the highest that needs no capability: the fast band */
};

void hb_udp_init(struct hb_udp *udp, const struct sockaddr_storage *address, socklen_t address_len,
		 const char *interface)
{
	memset(udp, 0, sizeof(*udp));
	udp->address = *address;
	udp->address_len = address_len;
	snprintf(udp->interface, sizeof(udp->interface), "%s", interface);
	udp->fd = udp->last_fd = -1;
}

void hb_udp_set_multicast(struct hb_udp *udp, const struct sockaddr_storage *multicast)
{
	udp->multicast = *multicast;
	udp->is_multicast = true;
}

static void close_socket(struct hb_udp *udp)
{
	if (udp->fd >= 0) {
		close(udp->fd);
		udp->last_fd = udp->fd;
	}
	udp->fd = -1;
	udp->failing = false;
}

void hb_udp_fini(struct hb_udp *udp)
{
	close_socket(udp);
	udp->retry_at = YOKE_NEVER;
}

static void set(int fd, int level, int option, int value)
{
	/* Each of these makes a path better, none makes it work: a refusal changes nothing. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void tune(int fd, int family)
{
	int size = HB_UDP_RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		set(fd, SOL_SOCKET, SO_RCVBUF, size);
	if (family == AF_INET)
		set(fd, IPPROTO_IP, IP_TOS, TRAFFIC_CLASS);
	else
		set(fd, IPPROTO_IPV6, IPV6_TCLASS, TRAFFIC_CLASS);
	set(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY); /* after IP_TOS, which sets it, too */
}

static bool bind_socket(const struct hb_udp *udp, int fd)
{
	int yes = 1;

	if (udp->address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
		return false;
	if (udp->interface[0] != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, udp->interface,
						    (socklen_t)strlen(udp->interface)) != 0)
		return false;
	return bind(fd,
		    (const struct sockaddr *)(udp->is_multicast ? &udp->multicast : &udp->address),
		    udp->address_len) == 0;
}

/* The address finds the interface, and must be that of the one that we are bound to; it is the
 * source from now on. */
static bool join_ipv4(const struct hb_udp *udp, int fd)
{
	const struct sockaddr_in *own = (const struct sockaddr_in *)&udp->address;
	const struct sockaddr_in *multicast = (const struct sockaddr_in *)&udp->multicast;
	const struct ip_mreqn member = {.imr_multiaddr = multicast->sin_addr,
					.imr_address = own->sin_addr};

	/* Not what came over another interface, where somebody else is a member. */
	set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	set(fd, IPPROTO_IP, IP_MULTICAST_TTL, MULTICAST_HOPS);
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof(member)) == 0 &&
	       setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member)) == 0;
}

static bool join_ipv6(const struct hb_udp *udp, int fd)
{
	const struct sockaddr_in6 *multicast = (const struct sockaddr_in6 *)&udp->multicast;
	struct ipv6_mreq member = {.ipv6mr_multiaddr = multicast->sin6_addr};
	socklen_t size = sizeof(member.ipv6mr_interface);

	set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, MULTICAST_HOPS);
	return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &member.ipv6mr_interface, &size) == 0 &&
	       setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &member.ipv6mr_interface, size) ==
		       0 &&
	       setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &member, sizeof(member)) == 0;
}

static bool join(const struct hb_udp *udp, int fd)
{
	if (!udp->is_multicast)
		return true;
	return udp->address.ss_family == AF_INET ? join_ipv4(udp, fd) : join_ipv6(udp, fd);
}

static void open_socket(struct hb_udp *udp)
{
	int fd = socket(udp->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && fd == udp->last_fd) {
		int other = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);

		close(fd);
		fd = other;
	}
	if (fd < 0)
		return;
	if (!bind_socket(udp, fd) || !join(udp, fd)) {
		close(fd);
		return;
	}
	tune(fd, udp->address.ss_family);
	udp->fd = fd;
}

void hb_udp_maintain(struct hb_udp *udp, yoke_time now)
{
	if (!yoke_time_due(hb_udp_deadline(udp), now))
		return;
	udp->retry_at = yoke_time_add_us(now, HB_UDP_RETRY_US);
	close_socket(udp);
	open_socket(udp);
}

yoke_time hb_udp_deadline(const struct hb_udp *udp)
{
	return udp->fd < 0 || udp->failing ? udp->retry_at : YOKE_NEVER;
}

int hb_udp_receive(struct hb_udp *udp, uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (udp->fd < 0)
		return -1;
	n = recv(udp->fd, bytes, size, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		udp->failing = true;
	return n < 0 ? -1 : (int)n;
}

/* Does this error say that a new socket may do better?  A full queue, a packet filter and a peer
 * that is not there say no such thing. */
static bool is_lasting(int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
	case EPERM:
	case EACCES:
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case EMSGSIZE:
		return false;
	default:
		return true;
	}
}

/* Name the source: a socket that is bound to a multicast address has none of its own with IPv6. */
static void put_source(const struct hb_udp *udp, struct msghdr *message, struct cmsghdr *control)
{
	const struct sockaddr_in6 *own = (const struct sockaddr_in6 *)&udp->address;
	const struct in6_pktinfo source = {.ipi6_addr = own->sin6_addr};

	control->cmsg_level = IPPROTO_IPV6;
	control->cmsg_type = IPV6_PKTINFO;
	control->cmsg_len = CMSG_LEN(sizeof(source));
	memcpy(CMSG_DATA(control), &source, sizeof(source));
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(source));
}

bool hb_udp_send(struct hb_udp *udp, const struct sockaddr_storage *to, socklen_t to_len,
		 const uint8_t *bytes, size_t size, bool is_heard)
{
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (is_heard ? MSG_CONFIRM : 0);
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = {0};
	/* Neither is written to; msghdr is for receiving, too. */
	struct iovec data = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
				 .msg_namelen = to_len,
				 .msg_iov = &data,
				 .msg_iovlen = 1};

	if (udp->fd < 0)
		return false;
	if (udp->is_multicast && udp->address.ss_family == AF_INET6)
		put_source(udp, &message, &control.header);
	if (sendmsg(udp->fd, &message, flags) < 0 && is_lasting(errno))
		udp->failing = true;
	return true;
}
