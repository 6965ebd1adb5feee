/* What is done with service addresses: start, stop, announce, ask, and the clock of these. */
#include "agent/address.h"

#include <arpa/inet.h>
#include <errno.h>

#include "agent/base/log.h"

enum {
	LEFTOVERS_MAX = 16, /* prefix lengths that one address is there with */
};

static struct agent_address_link *link_of(struct agent_address_set *set, unsigned i)
{
	return &set->link[set->address[i].link];
}

/* ---- init ------------------------------------------------------------------------------------ */

static int add_address(struct agent_address_set *set, const struct agent_address_conf *conf,
		       char *why)
{
	struct agent_address *a = &set->address[set->count];
	unsigned n = 0;

	if (conf->family != AF_INET && conf->family != AF_INET6) {
		snprintf(why, YOKE_REASON_SIZE, "an address is neither IPv4 nor IPv6");
		return -1;
	}
	if (conf->interface[0] == '\0' || strlen(conf->interface) >= IFNAMSIZ) {
		snprintf(why, YOKE_REASON_SIZE, "'%s' is no interface name: 1 to %d characters",
			 conf->interface, IFNAMSIZ - 1);
		return -1;
	}
	while (n < set->link_count && strcmp(set->link[n].name, conf->interface) != 0)
		n++;
	if (n == set->link_count) {
		snprintf(set->link[n].name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, conf->interface);
		set->link_count++;
	}
	a->conf = *conf;
	if (conf->family == AF_INET)
		memset(a->conf.address + 4, 0, sizeof(a->conf.address) - 4);
	a->link = (uint16_t)n;
	a->burst_at = a->announce_at = YOKE_NEVER;
	a->prepare_at = a->prepare_until = a->probe_at = YOKE_NEVER;
	set->count++;
	return 0;
}

int agent_address_init(struct agent_address_set *set, const struct agent_address_conf *confs,
		       unsigned count, uint32_t refresh_ms, yoke_time now,
		       struct agent_address_notes *notes, char *why)
{
	memset(set, 0, sizeof(*set));
	set->arp.fd = set->nd.fd = -1;
	set->refresh_ms = refresh_ms;
	set->retry_at = YOKE_NEVER;
	if (count > YOKE_RESOURCES_MAX) {
		snprintf(why, YOKE_REASON_SIZE, "%u addresses are more than %d", count,
			 YOKE_RESOURCES_MAX);
		return -1;
	}
	for (unsigned i = 0; i < count; i++) {
		if (add_address(set, &confs[i], why) < 0)
			return -1;
	}
	/* Events first, so that nothing that happens after the look is missed. */
	if (agent_netlink_open(&set->netlink, why) < 0 ||
	    agent_address_socket_open(&set->arp, AF_INET, why) < 0 ||
	    agent_address_socket_open(&set->nd, AF_INET6, why) < 0) {
		agent_address_fini(set);
		return -1;
	}
	for (unsigned n = 0; n < set->link_count; n++)
		set->link[n].stale = true;
	agent_address_watch(set, false, now, notes);
	return 0;
}

void agent_address_fini(struct agent_address_set *set)
{
	agent_netlink_close(&set->netlink);
	agent_address_socket_close(&set->arp);
	agent_address_socket_close(&set->nd);
}

void agent_address_fds(const struct agent_address_set *set, int fds[AGENT_ADDRESS_FDS])
{
	fds[0] = agent_netlink_fd(&set->netlink);
	fds[1] = set->arp.fd;
	fds[2] = set->nd.fd;
}

/* ---- announcements --------------------------------------------------------------------------- */

static void send_announcement(struct agent_address_set *set, unsigned i)
{
	const struct agent_address *a = &set->address[i];
	const struct agent_netlink_link *link = &link_of(set, i)->now;
	struct agent_announce_frame frame;

	if (agent_address_trouble(link_of(set, i)) != AGENT_ADDRESS_TROUBLE_NONE ||
	    !link->has_hwaddr)
		return; /* when the carrier is back the core hears of it and asks again */
	if (a->conf.family == AF_INET) {
		agent_announce_arp_request(&frame, link->hwaddr, a->conf.address);
		agent_address_socket_send(&set->arp, link->index, &frame);
		agent_announce_arp_reply(&frame, link->hwaddr, a->conf.address);
		agent_address_socket_send(&set->arp, link->index, &frame);
	} else {
		agent_announce_nd_advertisement(&frame, link->hwaddr, a->conf.address,
						link->is_router);
		agent_address_socket_send(&set->nd, link->index, &frame);
	}
}

/* Send one announcement and set the time of the next.  Steps that a late call has missed are not
 * made up for: the one that is sent now stands for them. */
static void announce_step(struct agent_address_set *set, unsigned i, yoke_time now)
{
	struct agent_address *a = &set->address[i];

	send_announcement(set, i);
	while (a->step < AGENT_ANNOUNCE_STEPS) {
		a->announce_at = yoke_time_add_ms(a->burst_at, agent_announce_step_ms(a->step));
		if (yoke_time_before(now, a->announce_at))
			return;
		a->step++;
	}
	a->announce_at = set->refresh_ms ? yoke_time_add_ms(now, set->refresh_ms) : YOKE_NEVER;
}

static void end_announcements(struct agent_address *a)
{
	a->announce_at = a->burst_at = YOKE_NEVER;
}

void agent_address_announce(struct agent_address_set *set, unsigned i, yoke_time now)
{
	struct agent_address *a = &set->address[i];

	if (!a->is_started)
		return;
	a->burst_at = now;
	a->step = 0;
	announce_step(set, i, now);
}

/* ---- probe, start, stop ---------------------------------------------------------------------- */

bool agent_address_probe(struct agent_address_set *set, unsigned i)
{
	struct agent_address *a = &set->address[i];

	a->is_started = a->is_started || a->is_present;
	return a->is_present;
}

static struct agent_netlink_address at(const struct agent_address *a, unsigned index)
{
	struct agent_netlink_address address = {
		.family = a->conf.family, .index = index, .prefix_len = a->conf.prefix_len};

	memcpy(address.address, a->conf.address, sizeof(address.address));
	return address;
}

static void explain_failure(struct agent_address_set *set, unsigned i, const char *doing,
			    const char *cause, char *why)
{
	const struct agent_address_conf *conf = &set->address[i].conf;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(conf->family, conf->address, text, sizeof(text));
	/* Long causes are cut; what failed comes first. */
	if (snprintf(why, YOKE_REASON_SIZE, "cannot %s %s/%u on %s: %s", doing, text,
		     conf->prefix_len, conf->interface, cause) < 0)
		why[0] = '\0';
}

/* Make sure that the link can be used, by a new look when it seems that it cannot. */
static int need_link(struct agent_address_set *set, unsigned i, yoke_time now, char *why)
{
	struct agent_address_link *link = link_of(set, i);

	if (agent_address_trouble(link) == AGENT_ADDRESS_TROUBLE_NONE)
		return 0;
	int error = agent_address_look(set, set->address[i].link, why);
	/* Nobody was told what this look found: the next tick does. */
	link->stale = true;
	set->retry_at = now;
	if (error < 0)
		return -1;
	if (agent_address_trouble(link) == AGENT_ADDRESS_TROUBLE_NONE)
		return 0;
	agent_address_trouble_text(link, why);
	return -1;
}

/* See the facts in address.h.  A failure is no reason to fail a start or stop. */
static void promote_secondaries(struct agent_address_set *set, unsigned i)
{
	struct agent_address_link *link = link_of(set, i);
	char why[YOKE_REASON_SIZE];

	if (set->address[i].conf.family != AF_INET || link->now.promotes || link->now.index == 0)
		return;
	if (agent_netlink_promote(&set->netlink, link->now.index, why) < 0) {
		yoke_log(YOKE_LOG_WARNING,
			 "cannot set promote_secondaries on %s: removing an address may remove "
			 "others of its subnet: %s",
			 link->name, why);
		return;
	}
	link->now.promotes = true;
	yoke_log(YOKE_LOG_INFO, "set promote_secondaries on %s", link->name);
}

static int put_on(struct agent_address_set *set, unsigned i, char *why)
{
	struct agent_address *a = &set->address[i];
	struct agent_netlink_address address = at(a, link_of(set, i)->now.index);
	char ignored[YOKE_REASON_SIZE];

	/* Somebody gave its interface another name; it must not answer from two. */
	if (a->on_index != 0 && a->on_index != address.index) {
		struct agent_netlink_address old = at(a, a->on_index);
		agent_netlink_remove(&set->netlink, &old, ignored);
	}
	/* An IPv6 address that failed the kernel's duplicate detection can only be made anew. */
	if (a->is_blocked)
		agent_netlink_remove(&set->netlink, &address, ignored);
	return agent_netlink_add(&set->netlink, &address, why);
}

int agent_address_start(struct agent_address_set *set, unsigned i, bool announce, yoke_time now,
			char *why)
{
	struct agent_address *a = &set->address[i];
	char cause[YOKE_REASON_SIZE];

	if (need_link(set, i, now, why) < 0)
		goto failed;
	int error = put_on(set, i, cause);
	if (error == -ENODEV) { /* made anew in between, with another index */
		link_of(set, i)->now.index = 0;
		if (need_link(set, i, now, why) < 0)
			goto failed;
		error = put_on(set, i, cause);
	}
	if (error < 0) {
		explain_failure(set, i, "add", cause, why);
		goto failed;
	}
	a->is_started = a->is_present = true;
	a->is_blocked = a->told_lost = false;
	a->on_index = link_of(set, i)->now.index;
	if (announce)
		agent_address_announce(set, i, now);
	promote_secondaries(set, i);
	return 0;
failed:
	a->is_started = false;
	end_announcements(a);
	return -1;
}

struct leftovers {
	const struct agent_address *a;
	unsigned count;
	uint8_t prefix_len[LEFTOVERS_MAX];
};

static void take_leftover(void *context, const struct agent_netlink_address *found)
{
	struct leftovers *left = context;

	if (left->count < LEFTOVERS_MAX &&
	    memcmp(left->a->conf.address, found->address, sizeof(found->address)) == 0)
		left->prefix_len[left->count++] = found->prefix_len;
}

/* Take the address off one interface, then see that it is gone. */
static int take_off(struct agent_address_set *set, unsigned i, unsigned index, char *cause)
{
	const struct agent_address *a = &set->address[i];
	struct agent_netlink_address address = at(a, index);
	struct leftovers left = {.a = a};

	if (agent_netlink_remove(&set->netlink, &address, cause) < 0 ||
	    agent_netlink_addresses(&set->netlink, a->conf.family, index, take_leftover, &left,
				    cause) < 0)
		return -1;
	for (unsigned n = 0; n < left.count; n++) {
		address.prefix_len = left.prefix_len[n];
		if (agent_netlink_remove(&set->netlink, &address, cause) < 0)
			return -1;
	}
	return 0;
}

int agent_address_stop(struct agent_address_set *set, unsigned i, char *why)
{
	struct agent_address *a = &set->address[i];
	unsigned index = link_of(set, i)->now.index, old = a->on_index;
	char cause[YOKE_REASON_SIZE];

	a->is_started = a->told_lost = false;
	end_announcements(a);
	promote_secondaries(set, i);
	if ((old != 0 && old != index && take_off(set, i, old, cause) < 0) ||
	    (index != 0 && take_off(set, i, index, cause) < 0)) {
		explain_failure(set, i, "remove", cause, why);
		return -1;
	}
	a->is_present = a->is_blocked = false;
	a->on_index = 0;
	return 0;
}

/* ---- conflict probes ------------------------------------------------------------------------- */

static struct agent_address_socket *socket_of(struct agent_address_set *set, unsigned i)
{
	return set->address[i].conf.family == AF_INET ? &set->arp : &set->nd;
}

static int send_probe(struct agent_address_set *set, unsigned i)
{
	struct agent_address *a = &set->address[i];
	const struct agent_netlink_link *link = &link_of(set, i)->now;
	struct agent_announce_frame frame;
	int64_t span_us = yoke_time_span_us(a->prepare_at, a->prepare_until);

	a->probes_sent++;
	a->probe_at = a->probes_sent < AGENT_ADDRESS_PROBES
			      ? yoke_time_add_us(a->prepare_at,
						 span_us * a->probes_sent / AGENT_ADDRESS_PROBES)
			      : YOKE_NEVER;
	if (!link->has_hwaddr)
		return 0; /* no Ethernet: nobody else can have it on this link */
	if (a->conf.family == AF_INET)
		agent_announce_arp_probe(&frame, link->hwaddr, a->conf.address);
	else
		agent_announce_nd_probe(&frame, a->conf.address);
	return agent_address_socket_send(socket_of(set, i), link->index, &frame);
}

static void end_prepare(struct agent_address_set *set, unsigned i)
{
	struct agent_address *a = &set->address[i];
	bool others = false;

	if (a->joined_index != 0)
		agent_address_socket_join(&set->nd, a->joined_index, a->conf.address, false);
	a->joined_index = 0;
	a->prepare_id = 0;
	a->prepare_at = a->prepare_until = a->probe_at = YOKE_NEVER;
	for (unsigned n = 0; n < set->count; n++)
		others = others || (set->address[n].prepare_id != 0 &&
				    set->address[n].conf.family == a->conf.family);
	if (!others)
		agent_address_socket_listen(socket_of(set, i), false);
}

int agent_address_prepare(struct agent_address_set *set, unsigned i, uint32_t id,
			  uint32_t timeout_ms, yoke_time now, char *why)
{
	struct agent_address *a = &set->address[i];

	if (a->prepare_id != 0)
		end_prepare(set, i);
	if (need_link(set, i, now, why) < 0)
		return -1;
	a->prepare_id = id;
	a->prepare_at = now;
	a->prepare_until = yoke_time_add_ms(now, timeout_ms);
	a->probes_sent = 0;
	agent_address_socket_listen(socket_of(set, i), true);
	if (a->conf.family == AF_INET6) {
		a->joined_index = link_of(set, i)->now.index;
		agent_address_socket_join(&set->nd, a->joined_index, a->conf.address, true);
	}
	int error = send_probe(set, i);
	if (error < 0) {
		explain_failure(set, i, "ask for", strerror(-error), why);
		end_prepare(set, i);
		return -1;
	}
	return 0;
}

void agent_address_cancel(struct agent_address_set *set, uint32_t id)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (id != 0 && set->address[i].prepare_id == id)
			end_prepare(set, i);
	}
}

static bool is_ours(struct agent_address_set *set, unsigned i, const uint8_t *hwaddr)
{
	char why[YOKE_REASON_SIZE];
	bool ours = false;

	if (memcmp(hwaddr, link_of(set, i)->now.hwaddr, AGENT_ANNOUNCE_HWADDR_SIZE) == 0)
		return true;
	if (agent_netlink_is_ours(&set->netlink, hwaddr, &ours, why) < 0)
		yoke_log(YOKE_LOG_WARNING, "cannot list our hardware addresses: %s", why);
	return ours;
}

static void take_claim(struct agent_address_set *set, int family, unsigned index,
		       const struct agent_announce_claim *claim, struct agent_address_notes *notes)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct agent_address *a = &set->address[i];

		if (a->prepare_id == 0 || a->conf.family != family ||
		    link_of(set, i)->now.index != index ||
		    memcmp(a->conf.address, claim->address, sizeof(claim->address)) != 0)
			continue;
		if (is_ours(set, i, claim->hwaddr))
			return;
		struct agent_address_note *note =
			agent_address_note(set, i, AGENT_ADDRESS_ANSWERED, notes);
		note->id = a->prepare_id;
		memcpy(note->hwaddr, claim->hwaddr, sizeof(note->hwaddr));
		end_prepare(set, i);
	}
}

static void read_claims(struct agent_address_set *set, const struct agent_address_socket *s,
			struct agent_address_notes *notes)
{
	struct agent_announce_claim claim;
	unsigned index = 0;

	for (unsigned n = 0; n < AGENT_ADDRESS_FRAMES_MAX; n++) {
		int got = agent_address_socket_read(s, &claim, &index);

		if (got < 0)
			return;
		if (got > 0)
			take_claim(set, s->family, index, &claim, notes);
	}
}

/* ---- the clock ------------------------------------------------------------------------------- */

void agent_address_read(struct agent_address_set *set, int fd, yoke_time now,
			struct agent_address_notes *notes)
{
	if (fd == agent_netlink_fd(&set->netlink))
		agent_address_watch(set, true, now, notes);
	else if (fd == set->arp.fd)
		read_claims(set, &set->arp, notes);
	else if (fd == set->nd.fd)
		read_claims(set, &set->nd, notes);
}

yoke_time agent_address_deadline(const struct agent_address_set *set)
{
	yoke_time first = set->retry_at;

	for (unsigned i = 0; i < set->count; i++) {
		const struct agent_address *a = &set->address[i];

		first = yoke_time_min(first, a->announce_at);
		first = yoke_time_min(first, yoke_time_min(a->probe_at, a->prepare_until));
	}
	return first;
}

void agent_address_tick(struct agent_address_set *set, yoke_time now,
			struct agent_address_notes *notes)
{
	bool over = false;

	if (yoke_time_due(set->retry_at, now))
		agent_address_watch(set, false, now, notes);
	for (unsigned i = 0; i < set->count; i++) {
		struct agent_address *a = &set->address[i];

		if (yoke_time_due(a->announce_at, now))
			announce_step(set, i, now);
		over = over || yoke_time_due(a->prepare_until, now);
		/* Past the end there is no time left for an answer. */
		if (yoke_time_due(a->probe_at, now) && !yoke_time_due(a->prepare_until, now))
			send_probe(set, i);
	}
	if (!over)
		return;
	read_claims(set, &set->arp, notes);
	read_claims(set, &set->nd, notes);
	for (unsigned i = 0; i < set->count; i++) {
		if (!yoke_time_due(set->address[i].prepare_until, now))
			continue;
		agent_address_note(set, i, AGENT_ADDRESS_DONE, notes)->id =
			set->address[i].prepare_id;
		end_prepare(set, i);
	}
}
