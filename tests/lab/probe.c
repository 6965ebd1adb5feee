/* tests/lab/probe.c - what the lab measures with: one small program, six jobs.
 *
 *   probe serve PORT NAME                        UDP echo on every address, answering with NAME
 *   probe ask ADDRESS PORT INTERVAL_US FILE      asks all the time, a line for each answer
 *   probe owners ADDRESS FILE NAME=NETNS...      a line when a namespace gets or loses ADDRESS
 *   probe frames INTERFACE udp:PORT|ip:PROTOCOL FILE
 *                                                a line when a frame came in through INTERFACE
 *   probe stalls CPU FILE                        a line when the processor did not run in time
 *   probe spray FROM TO PORT COUNT               COUNT random datagrams with a forged source
 *
 * All times are microseconds of the monotonic clock, which every process of the machine shares.
 * Lines:  ask     "sent_us received_us number name"
 *         owners  "time_us name 1|0"
 *         frames  "time_us"
 *         stalls  "from_us to_us", the first one empty: from now on
 * Files are flushed every 20 ms while something happens.  Each job ends on SIGTERM or SIGINT and
 * writes what it still has; ask then prints its longest gap.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME_SIZE = 32,
	NAMESPACES_MAX = 4,
	FLUSH_US = 20000,
	SPRAY_SIZE_MAX = 1400,
	STALLS_EVERY_US = 2000,
	STALL_US = 10000,
};

struct question {
	uint64_t number;
	int64_t sent_us;
};

struct answer {
	struct question question;
	char name[NAME_SIZE];
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "probe: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

static FILE *open_output(const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		fail("cannot write %s: %s", path, strerror(errno));
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	return out;
}

static void flush_sometimes(FILE *out)
{
	static int64_t flushed_us;
	int64_t now = now_us(CLOCK_MONOTONIC);

	if (now - flushed_us < FLUSH_US)
		return;
	fflush(out);
	flushed_us = now;
}

/* An IPv6 socket that also speaks IPv4, so that one server answers on every address. */
static int open_server(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1, off = 0;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		fail("bind to port %u: %s", port, strerror(errno));
	return fd;
}

static int serve(uint16_t port, const char *name)
{
	int fd = open_server(port);
	struct answer answer = {0};

	snprintf(answer.name, sizeof(answer.name), "%s", name);
	while (!ended) {
		struct sockaddr_in6 from;
		char control[256];
		struct iovec part = {&answer.question, sizeof(answer.question)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};

		if (recvmsg(fd, &message, 0) != sizeof(answer.question))
			continue;
		/* The control data that came (the address asked) goes back as it is: the answer
		 * leaves from that address or not at all. */
		part.iov_base = &answer;
		part.iov_len = sizeof(answer);
		sendmsg(fd, &message, 0);
	}
	return 0;
}

static struct sockaddr_storage parse_address(const char *text, uint16_t port, socklen_t *len)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *four = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		*len = sizeof(*four);
	} else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		*len = sizeof(*six);
	} else {
		fail("'%s' is not an address", text);
	}
	return storage;
}

struct asker {
	FILE *out;
	int fd;
	uint64_t asked, answered;
	int64_t received_us, gap_us, gap_from_us;
};

static void take_answers(struct asker *a)
{
	struct answer answer;

	while (recv(a->fd, &answer, sizeof(answer), MSG_DONTWAIT) == sizeof(answer)) {
		int64_t now = now_us(CLOCK_MONOTONIC);

		answer.name[NAME_SIZE - 1] = '\0';
		if (a->received_us && now - a->received_us > a->gap_us) {
			a->gap_us = now - a->received_us;
			a->gap_from_us = a->received_us;
		}
		a->received_us = now;
		a->answered++;
		fprintf(a->out, "%lld %lld %llu %s\n", (long long)answer.question.sent_us,
			(long long)now, (unsigned long long)answer.question.number, answer.name);
	}
}

static int ask(const char *address, uint16_t port, int64_t interval_us, const char *file)
{
	socklen_t len;
	struct sockaddr_storage to = parse_address(address, port, &len);
	struct asker a = {.out = open_output(file)};
	int64_t next_us = now_us(CLOCK_MONOTONIC);

	a.fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a.fd < 0)
		fail("socket: %s", strerror(errno));
	while (!ended) {
		int64_t now = now_us(CLOCK_MONOTONIC);

		if (now >= next_us) {
			struct question question = {a.asked++, now};

			/* Not connected: an ICMP error of one question must not cost the next. */
			sendto(a.fd, &question, sizeof(question), MSG_DONTWAIT,
			       (struct sockaddr *)&to, len);
			next_us += interval_us;
			if (next_us < now)
				next_us = now + interval_us;
		}
		now = now_us(CLOCK_MONOTONIC);
		if (next_us > now) {
			struct timespec wait = {0, (next_us - now) * 1000};
			struct pollfd p = {.fd = a.fd, .events = POLLIN};

			ppoll(&p, 1, &wait, NULL);
		}
		take_answers(&a);
		flush_sometimes(a.out);
	}
	fclose(a.out);
	printf("asked %llu answered %llu longest gap %.1f ms from %lld us\n",
	       (unsigned long long)a.asked, (unsigned long long)a.answered, (double)a.gap_us / 1000,
	       (long long)a.gap_from_us);
	return 0;
}

struct watched {
	const char *name;
	int fd;
	bool has;
};

/* A socket belongs to the namespace that its maker was in. */
static void open_watched(struct watched *w, char *argument, int family)
{
	struct sockaddr_nl group = {.nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg message;
	} dump = {.header = {.nlmsg_len = sizeof(dump),
			     .nlmsg_type = RTM_GETADDR,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		  .message = {.ifa_family = (unsigned char)family}};
	char *equals = strchr(argument, '=');
	int space;

	if (!equals)
		fail("'%s' is not NAME=NETNS", argument);
	*equals = '\0';
	w->name = argument;
	space = open(equals + 1, O_RDONLY | O_CLOEXEC);
	if (space < 0 || setns(space, CLONE_NEWNET) < 0)
		fail("cannot enter %s: %s", equals + 1, strerror(errno));
	close(space);
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (w->fd < 0 || bind(w->fd, (struct sockaddr *)&group, sizeof(group)) < 0)
		fail("netlink: %s", strerror(errno));
	send(w->fd, &dump, sizeof(dump), 0);
}

static bool is_address(const struct nlmsghdr *header, const void *address, size_t size)
{
	const struct ifaddrmsg *message = NLMSG_DATA(header);
	const struct rtattr *part = IFA_RTA(message);
	unsigned left = IFA_PAYLOAD(header);

	for (; RTA_OK(part, left); part = RTA_NEXT(part, left)) {
		bool is_it = part->rta_type == IFA_LOCAL ||
			     (part->rta_type == IFA_ADDRESS && message->ifa_family == AF_INET6);

		if (is_it && RTA_PAYLOAD(part) == size && !memcmp(RTA_DATA(part), address, size))
			return true;
	}
	return false;
}

static void take_changes(struct watched *w, FILE *out, const void *address, size_t size)
{
	static char bytes[65536] __attribute__((aligned(8)));
	ssize_t got = recv(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int64_t now = now_us(CLOCK_MONOTONIC);

	if (got < 0)
		return;
	for (struct nlmsghdr *header = (struct nlmsghdr *)bytes; NLMSG_OK(header, (unsigned)got);
	     header = NLMSG_NEXT(header, got)) {
		bool adds = header->nlmsg_type == RTM_NEWADDR;

		if (!adds && header->nlmsg_type != RTM_DELADDR)
			continue;
		if (!is_address(header, address, size) || w->has == adds)
			continue;
		w->has = adds;
		fprintf(out, "%lld %s %d\n", (long long)now, w->name, adds);
		fflush(out);
	}
}

static int owners(const char *address, const char *file, char **names, int count)
{
	struct watched watched[NAMESPACES_MAX] = {0};
	struct pollfd p[NAMESPACES_MAX];
	uint8_t wanted[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	FILE *out = open_output(file);

	if (inet_pton(family, address, wanted) != 1 || count > NAMESPACES_MAX)
		fail("'%s' is not an address, or too many namespaces", address);
	for (int i = 0; i < count; i++) {
		open_watched(&watched[i], names[i], family);
		p[i] = (struct pollfd){.fd = watched[i].fd, .events = POLLIN};
	}
	fprintf(out, "%lld - 0\n", (long long)now_us(CLOCK_MONOTONIC));
	fflush(out);
	while (!ended) {
		if (poll(p, (nfds_t)count, -1) <= 0)
			continue;
		for (int i = 0; i < count; i++)
			if (p[i].revents)
				take_changes(&watched[i], out, wanted, family == AF_INET ? 4 : 16);
	}
	fclose(out);
	return 0;
}

/* what: "udp:PORT" or "ip:PROTOCOL". */
static bool is_wanted(const uint8_t *packet, size_t size, bool is_udp, unsigned number)
{
	const struct ip *header = (const struct ip *)packet;
	struct udphdr udp;
	size_t header_size;

	if (size < sizeof(*header) || header->ip_v != 4)
		return false;
	if (!is_udp)
		return header->ip_p == number;
	header_size = header->ip_hl * 4U;
	if (header->ip_p != IPPROTO_UDP || size < header_size + sizeof(udp))
		return false;
	memcpy(&udp, packet + header_size, sizeof(udp));
	return ntohs(udp.uh_dport) == number;
}

/* ETH_P_ALL: a bridge takes the frames of its ports before a tap for one protocol sees them. */
static int open_frames(const char *interface)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int on = 1, size = 4 << 20;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));

	at.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		fail("cannot listen on %s: %s", interface, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	return fd;
}

/* The kernel's stamp of a frame is wall time; the offset of the two clocks is taken now. */
static int64_t stamp_us(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct timespec t;

	if (!c || c->cmsg_type != SO_TIMESTAMPNS)
		return now_us(CLOCK_MONOTONIC);
	memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 -
	       (now_us(CLOCK_REALTIME) - now_us(CLOCK_MONOTONIC));
}

static int frames(const char *interface, const char *what, const char *file)
{
	bool is_udp = !strncmp(what, "udp:", 4);
	unsigned number =
		(unsigned)strtoul(strchr(what, ':') ? strchr(what, ':') + 1 : "0", NULL, 10);
	FILE *out = open_output(file);
	int fd = open_frames(interface);

	while (!ended) {
		uint8_t packet[2048];
		char control[256];
		struct sockaddr_ll from;
		struct iovec part = {packet, sizeof(packet)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got = poll(&p, 1, 20) > 0 ? recvmsg(fd, &message, MSG_DONTWAIT) : -1;

		if (got > 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    is_wanted(packet, (size_t)got, is_udp, number))
			fprintf(out, "%lld\n", (long long)stamp_us(&message));
		flush_sometimes(out);
	}
	fclose(out);
	return 0;
}

static int spray(const char *from, const char *to, uint16_t port, long count)
{
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(port)};
	uint8_t packet[sizeof(struct ip) + sizeof(struct udphdr) + SPRAY_SIZE_MAX];
	uint8_t *payload = packet + sizeof(struct ip) + sizeof(struct udphdr);
	uint64_t random = 0x9e3779b97f4a7c15;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		fail("raw socket: %s", strerror(errno));
	for (long i = 0; i < count && !ended; i++) {
		struct ip ip = {.ip_v = 4, .ip_hl = 5, .ip_ttl = 64, .ip_p = IPPROTO_UDP};
		struct udphdr udp = {.uh_sport = htons(port), .uh_dport = htons(port)};
		size_t size;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* Mostly short ones: headers are where parsing goes wrong. */
		size = random % 16 ? random % 128 : random % SPRAY_SIZE_MAX;
		for (size_t j = 0; j < size; j += 8) {
			uint64_t mixed = random * (j + 0x2545f4914f6cdd1d);

			memcpy(payload + j, &mixed, size - j < 8 ? size - j : 8);
		}
		udp.uh_ulen = htons((uint16_t)(sizeof(udp) + size));
		inet_pton(AF_INET, from, &ip.ip_src);
		inet_pton(AF_INET, to, &ip.ip_dst);
		target.sin_addr = ip.ip_dst;
		memcpy(packet, &ip, sizeof(ip));
		memcpy(packet + sizeof(ip), &udp, sizeof(udp));
		size += sizeof(ip) + sizeof(udp);
		if (sendto(fd, packet, size, 0, (struct sockaddr *)&target, sizeof(target)) < 0 &&
		    errno != ENOBUFS)
			fail("send: %s", strerror(errno));
	}
	return 0;
}

/* What nothing of this machine can cause: it goes before every program, and before yoke. */
static int stalls(int cpu, const char *file)
{
	struct sched_param first = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
	FILE *out = open_output(file);
	int64_t due = now_us(CLOCK_MONOTONIC);
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET((size_t)cpu, &only);
	if (sched_setaffinity(0, sizeof(only), &only) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		fail("stalls on processor %d: %s", cpu, strerror(errno));
	fprintf(out, "%lld %lld\n", (long long)due, (long long)due);
	fflush(out);
	while (!ended) {
		int64_t late;

		due += STALLS_EVERY_US;
		usleep(STALLS_EVERY_US);
		late = now_us(CLOCK_MONOTONIC) - due;
		if (late >= STALL_US) {
			fprintf(out, "%lld %lld\n", (long long)due, (long long)(due + late));
			fflush(out);
		}
		due += late;
	}
	fclose(out);
	return 0;
}

/* Be on time: a probe that waits for a core measures the machine. */
static void be_quick(void)
{
	struct sched_param priority = {.sched_priority = 1};

	mlockall(MCL_CURRENT | MCL_FUTURE);
	sched_setscheduler(0, SCHED_RR, &priority);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	const char *job = argc > 1 ? argv[1] : "";

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (!strcmp(job, "spray") && argc == 6)
		return spray(argv[2], argv[3], (uint16_t)strtoul(argv[4], NULL, 10),
			     strtol(argv[5], NULL, 10));
	be_quick();
	if (!strcmp(job, "serve") && argc == 4)
		return serve((uint16_t)strtoul(argv[2], NULL, 10), argv[3]);
	if (!strcmp(job, "ask") && argc == 6)
		return ask(argv[2], (uint16_t)strtoul(argv[3], NULL, 10), strtol(argv[4], NULL, 10),
			   argv[5]);
	if (!strcmp(job, "owners") && argc >= 5)
		return owners(argv[2], argv[3], argv + 4, argc - 4);
	if (!strcmp(job, "frames") && argc == 5)
		return frames(argv[2], argv[3], argv[4]);
	if (!strcmp(job, "stalls") && argc == 4)
		return stalls((int)strtol(argv[2], NULL, 10), argv[3]);
	fail("usage: see the top of tests/lab/probe.c");
}
