#include "agent/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

enum {
	PARTS_MAX = 16384,     /* datagrams of one answer: far above any real dump */
	INTERRUPTED_MAX = 5,   /* dumps that changed under our hands before we take one as it is */
	LIFETIME_FOREVER = -1, /* as uint32_t: INFINITY_LIFE_TIME of the kernel */
};

typedef void message_fn(void *context, const struct nlmsghdr *h);

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : AGENT_NETLINK_ADDRESS_SIZE;
}

static struct nlmsghdr *request(struct agent_netlink *netlink, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(netlink->message);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++netlink->sequence;
	return h;
}

/* The kernel's explanation in an error message (NETLINK_EXT_ACK), or errno's. */
static void explain(const struct nlmsghdr *h, int error, char *why)
{
	const size_t fixed = sizeof(struct nlmsgerr);
	const struct nlattr *attr;

	snprintf(why, YOKE_REASON_SIZE, "%s", strerror(error));
	if (!h || !(h->nlmsg_flags & NLM_F_ACK_TLVS) || !(h->nlmsg_flags & NLM_F_CAPPED))
		return;
	mnl_attr_for_each(attr, h, fixed)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(why, YOKE_REASON_SIZE, "%s (%s)", strerror(error),
				 mnl_attr_get_str(attr));
	}
}

/* The error number that ends an answer, or 1 when this message does not end it. */
static int ending(const struct nlmsghdr *h, char *why)
{
	int error = 0;

	if (h->nlmsg_type != NLMSG_ERROR && h->nlmsg_type != NLMSG_DONE)
		return 1;
	if (mnl_nlmsg_get_payload_len(h) >= sizeof(int))
		memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(int));
	if (error < 0)
		explain(h->nlmsg_type == NLMSG_ERROR ? h : NULL, -error, why);
	return error < 0 ? error : 0;
}

/* Send a request and hand each message of the answer to `seen` (NULL: only the end counts).
 * -EINTR: a dump that changed while it was read. */
static int ask(struct agent_netlink *netlink, const struct nlmsghdr *h, message_fn *seen,
	       void *context, char *why)
{
	bool interrupted = false;

	if (mnl_socket_sendto(netlink->request, h, h->nlmsg_len) < 0)
		goto failed;
	for (unsigned part = 0; part < PARTS_MAX; part++) {
		ssize_t size = mnl_socket_recvfrom(netlink->request, netlink->answer,
						   sizeof(netlink->answer));
		if (size < 0)
			goto failed;
		int left = (int)size;
		const struct nlmsghdr *m = (const void *)netlink->answer;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_seq != h->nlmsg_seq)
				continue; /* of an answer that was given up */
			interrupted = interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR);
			int end = ending(m, why);
			if (end == 0 && interrupted) {
				snprintf(why, YOKE_REASON_SIZE, "it changed while it was read");
				return -EINTR;
			}
			if (end <= 0)
				return end;
			if (seen)
				seen(context, m);
		}
	}
	errno = EMSGSIZE;
failed:;
	int error = errno;
	snprintf(why, YOKE_REASON_SIZE, "netlink: %s", strerror(error));
	return -error;
}

static struct mnl_socket *open_socket(unsigned groups)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (s && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

int agent_netlink_open(struct agent_netlink *netlink, char *why)
{
	int yes = 1, size = AGENT_NETLINK_EVENT_BUFFER;

	memset(netlink, 0, sizeof(*netlink));
	netlink->request = open_socket(0);
	netlink->event = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
	if (!netlink->request || !netlink->event) {
		snprintf(why, YOKE_REASON_SIZE, "cannot open netlink: %s", strerror(errno));
		agent_netlink_close(netlink);
		return -1;
	}
	/* Each of these is a help, not a need: an old kernel may refuse. */
	mnl_socket_setsockopt(netlink->request, NETLINK_EXT_ACK, &yes, sizeof(yes));
	mnl_socket_setsockopt(netlink->request, NETLINK_CAP_ACK, &yes, sizeof(yes));
	mnl_socket_setsockopt(netlink->request, NETLINK_GET_STRICT_CHK, &yes, sizeof(yes));
	int fd = mnl_socket_get_fd(netlink->event);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

void agent_netlink_close(struct agent_netlink *netlink)
{
	if (netlink->request)
		mnl_socket_close(netlink->request);
	if (netlink->event)
		mnl_socket_close(netlink->event);
	netlink->request = netlink->event = NULL;
}

int agent_netlink_fd(const struct agent_netlink *netlink)
{
	return mnl_socket_get_fd(netlink->event);
}

/* One number of an array of 32-bit settings; false when the kernel's array is shorter. */
static bool setting(const struct nlattr *array, unsigned at)
{
	uint32_t value;

	if (mnl_attr_get_payload_len(array) < (at + 1) * sizeof(value))
		return false;
	memcpy(&value, (const uint8_t *)mnl_attr_get_payload(array) + at * sizeof(value),
	       sizeof(value));
	return value != 0;
}

static void parse_settings(const struct nlattr *families, struct agent_netlink_link *link)
{
	const struct nlattr *family, *array;

	mnl_attr_for_each_nested(family, families)
	{
		unsigned type = mnl_attr_get_type(family);

		mnl_attr_for_each_nested(array, family)
		{
			if (type == AF_INET && mnl_attr_get_type(array) == IFLA_INET_CONF)
				link->promotes =
					setting(array, IPV4_DEVCONF_PROMOTE_SECONDARIES - 1);
			if (type == AF_INET6 && mnl_attr_get_type(array) == IFLA_INET6_CONF)
				link->is_router = setting(array, DEVCONF_FORWARDING);
		}
	}
}

/* name: IFNAMSIZ bytes; NULL: not wanted. */
static void parse_link(const struct nlmsghdr *h, struct agent_netlink_link *link, char *name)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	memset(link, 0, sizeof(*link));
	link->index = (unsigned)info->ifi_index;
	link->is_up = info->ifi_flags & IFF_UP;
	link->has_carrier = (info->ifi_flags & IFF_RUNNING) && (info->ifi_flags & IFF_LOWER_UP);
	mnl_attr_for_each(attr, h, sizeof(*info))
	{
		unsigned type = mnl_attr_get_type(attr);

		if (type == IFLA_IFNAME && name && mnl_attr_validate(attr, MNL_TYPE_STRING) >= 0)
			snprintf(name, IFNAMSIZ, "%.*s", (int)mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
		if (type == IFLA_AF_SPEC && info->ifi_family == AF_UNSPEC)
			parse_settings(attr, link);
		if (type == IFLA_CARRIER_CHANGES && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			link->carrier_changes = mnl_attr_get_u32(attr);
		if (type == IFLA_ADDRESS && info->ifi_type == ARPHRD_ETHER &&
		    !(info->ifi_flags & IFF_NOARP) &&
		    mnl_attr_get_payload_len(attr) == sizeof(link->hwaddr)) {
			link->has_hwaddr = true;
			memcpy(link->hwaddr, mnl_attr_get_payload(attr), sizeof(link->hwaddr));
		}
	}
}

/* Returns false when the message has no address that we understand. */
static bool parse_address(const struct nlmsghdr *h, struct agent_netlink_address *address)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
	uint32_t flags = info->ifa_flags;
	bool has_local = false, found = false;
	const struct nlattr *attr;

	memset(address, 0, sizeof(*address));
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return false;
	address->family = info->ifa_family;
	address->index = info->ifa_index;
	address->prefix_len = info->ifa_prefixlen;
	mnl_attr_for_each(attr, h, sizeof(*info))
	{
		unsigned type = mnl_attr_get_type(attr);

		if (type == IFA_FLAGS && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			flags = mnl_attr_get_u32(attr);
		/* With a peer (point to point) IFA_ADDRESS is the other end: IFA_LOCAL wins. */
		if ((type == IFA_LOCAL || (type == IFA_ADDRESS && !has_local)) &&
		    mnl_attr_get_payload_len(attr) == address_size(address->family)) {
			has_local = type == IFA_LOCAL;
			found = true;
			memcpy(address->address, mnl_attr_get_payload(attr),
			       address_size(address->family));
		}
	}
	address->is_tentative = address->family == AF_INET6 &&
				(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) &&
				!(flags & IFA_F_OPTIMISTIC);
	return found;
}

static void see_event(const struct nlmsghdr *h, agent_netlink_event_fn *seen, void *context)
{
	struct agent_netlink_event event = {0};

	if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK) {
		const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);

		/* AF_BRIDGE: an interface joined or left a bridge, which is not its own life. */
		if (mnl_nlmsg_get_payload_len(h) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
			return;
		event.type = AGENT_NETLINK_LINK;
		event.is_gone = h->nlmsg_type == RTM_DELLINK;
		parse_link(h, &event.link, event.name);
	} else if (h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR) {
		event.type = AGENT_NETLINK_ADDRESS;
		event.is_gone = h->nlmsg_type == RTM_DELADDR;
		if (mnl_nlmsg_get_payload_len(h) < sizeof(struct ifaddrmsg) ||
		    !parse_address(h, &event.address))
			return;
	} else {
		return;
	}
	seen(context, &event);
}

void agent_netlink_read(struct agent_netlink *netlink, agent_netlink_event_fn *seen, void *context)
{
	static const struct agent_netlink_event overrun = {.type = AGENT_NETLINK_OVERRUN};

	for (unsigned n = 0; n < AGENT_NETLINK_EVENTS_PER_READ; n++) {
		ssize_t size = mnl_socket_recvfrom(netlink->event, netlink->answer,
						   sizeof(netlink->answer));
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
			seen(context, &overrun); /* ENOSPC: longer than our buffer */
			continue;
		}
		if (size < 0)
			return;
		int left = (int)size;
		const struct nlmsghdr *h = (const void *)netlink->answer;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			see_event(h, seen, context);
	}
}

static void take_link(void *context, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWLINK &&
	    mnl_nlmsg_get_payload_len(h) >= sizeof(struct ifinfomsg))
		parse_link(h, context, NULL);
}

int agent_netlink_link(struct agent_netlink *netlink, const char *name,
		       struct agent_netlink_link *link, char *why)
{
	struct nlmsghdr *h = request(netlink, RTM_GETLINK, NLM_F_ACK);

	memset(link, 0, sizeof(*link));
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int error = ask(netlink, h, take_link, link, why);
	return error == -ENODEV ? 0 : error;
}

struct search {
	const uint8_t *hwaddr;
	bool found;
};

static void look_for_hwaddr(void *context, const struct nlmsghdr *h)
{
	struct search *search = context;
	struct agent_netlink_link link = {0};

	take_link(&link, h);
	if (link.has_hwaddr && memcmp(link.hwaddr, search->hwaddr, sizeof(link.hwaddr)) == 0)
		search->found = true;
}

int agent_netlink_is_ours(struct agent_netlink *netlink, const uint8_t *hwaddr, bool *is_ours,
			  char *why)
{
	struct search search = {.hwaddr = hwaddr};
	int error = -EINTR;

	for (unsigned n = 0; n < INTERRUPTED_MAX && error == -EINTR; n++) {
		struct nlmsghdr *h = request(netlink, RTM_GETLINK, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
		mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		error = ask(netlink, h, look_for_hwaddr, &search, why);
	}
	*is_ours = search.found;
	return error == -EINTR ? 0 : error;
}

struct listing {
	agent_netlink_address_fn *found;
	void *context;
	int family;
	unsigned index;
};

static void list_address(void *context, const struct nlmsghdr *h)
{
	const struct listing *listing = context;
	struct agent_netlink_address address;

	/* Without strict checking the kernel lists the addresses of all interfaces. */
	if (h->nlmsg_type == RTM_NEWADDR &&
	    mnl_nlmsg_get_payload_len(h) >= sizeof(struct ifaddrmsg) &&
	    parse_address(h, &address) && address.family == listing->family &&
	    address.index == listing->index)
		listing->found(listing->context, &address);
}

int agent_netlink_addresses(struct agent_netlink *netlink, int family, unsigned index,
			    agent_netlink_address_fn *found, void *context, char *why)
{
	struct listing listing = {found, context, family, index};
	int error = -EINTR;

	for (unsigned n = 0; n < INTERRUPTED_MAX && error == -EINTR; n++) {
		struct nlmsghdr *h = request(netlink, RTM_GETADDR, NLM_F_DUMP);
		struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

		info->ifa_family = (uint8_t)family;
		info->ifa_index = index;
		error = ask(netlink, h, list_address, &listing, why);
	}
	if (error == -ENODEV) /* the interface has just gone: no addresses */
		return 0;
	return error == -EINTR ? 0 : error;
}

static struct nlmsghdr *address_request(struct agent_netlink *netlink, uint16_t type,
					uint16_t flags, const struct agent_netlink_address *address)
{
	struct nlmsghdr *h = request(netlink, type, (uint16_t)(NLM_F_ACK | flags));
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	size_t size = address_size(address->family);

	info->ifa_family = (uint8_t)address->family;
	info->ifa_prefixlen = address->prefix_len;
	info->ifa_index = address->index;
	mnl_attr_put(h, IFA_LOCAL, size, address->address);
	mnl_attr_put(h, IFA_ADDRESS, size, address->address);
	return h;
}

int agent_netlink_add(struct agent_netlink *netlink, const struct agent_netlink_address *address,
		      char *why)
{
	struct nlmsghdr *h =
		address_request(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address);

	if (address->family == AF_INET6) {
		struct ifa_cacheinfo lifetime = {.ifa_prefered = 0,
						 .ifa_valid = (uint32_t)LIFETIME_FOREVER};

		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
		mnl_attr_put(h, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
	}
	return ask(netlink, h, NULL, NULL, why);
}

int agent_netlink_remove(struct agent_netlink *netlink, const struct agent_netlink_address *address,
			 char *why)
{
	int error =
		ask(netlink, address_request(netlink, RTM_DELADDR, 0, address), NULL, NULL, why);

	return error == -EADDRNOTAVAIL || error == -ENODEV ? 0 : error;
}

int agent_netlink_promote(struct agent_netlink *netlink, unsigned index, char *why)
{
	struct nlmsghdr *h = request(netlink, RTM_SETLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof(*info));

	info->ifi_index = (int)index;
	struct nlattr *families = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *family = mnl_attr_nest_start(h, AF_INET);
	struct nlattr *settings = mnl_attr_nest_start(h, IFLA_INET_CONF);
	mnl_attr_put_u32(h, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
	mnl_attr_nest_end(h, settings);
	mnl_attr_nest_end(h, family);
	mnl_attr_nest_end(h, families);
	return ask(netlink, h, NULL, NULL, why);
}
