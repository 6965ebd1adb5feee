/* From the kernel's events to notes: mark what may have changed, ask what is so, tell the
 * difference. */
#include "agent/address.h"

#include <sys/socket.h>

#include "agent/base/log.h"

enum agent_address_trouble agent_address_trouble(const struct agent_address_link *link)
{
	if (link->now.index == 0)
		return AGENT_ADDRESS_TROUBLE_ABSENT;
	if (!link->now.is_up)
		return AGENT_ADDRESS_TROUBLE_DOWN;
	return link->now.has_carrier ? AGENT_ADDRESS_TROUBLE_NONE
				     : AGENT_ADDRESS_TROUBLE_NO_CARRIER;
}

void agent_address_trouble_text(const struct agent_address_link *link, char *why)
{
	static const char *const words[] = {
		[AGENT_ADDRESS_TROUBLE_NONE] = "is usable",
		[AGENT_ADDRESS_TROUBLE_ABSENT] = "does not exist",
		[AGENT_ADDRESS_TROUBLE_DOWN] = "is down",
		[AGENT_ADDRESS_TROUBLE_NO_CARRIER] = "has no carrier",
	};

	snprintf(why, YOKE_REASON_SIZE, "interface %s %s", link->name,
		 words[agent_address_trouble(link)]);
}

struct agent_address_note *agent_address_note(struct agent_address_set *set, unsigned i,
					      enum agent_address_note_type type,
					      struct agent_address_notes *notes)
{
	/* An address has at most four notes in one call, so this never overwrites; if a caller did
	 * not empty the notes, the last one is the least harm. */
	unsigned at = notes->count < AGENT_ADDRESS_NOTES_MAX ? notes->count++
							     : AGENT_ADDRESS_NOTES_MAX - 1;
	struct agent_address_note *note = &notes->note[at];

	memset(note, 0, sizeof(*note));
	note->type = type;
	note->resource = set->address[i].conf.resource;
	return note;
}

/* ---- events: hints --------------------------------------------------------------------------- */

static void see_link(struct agent_address_set *set, const struct agent_netlink_event *event)
{
	bool usable = !event->is_gone && event->link.is_up && event->link.has_carrier;

	for (unsigned n = 0; n < set->link_count; n++) {
		struct agent_address_link *link = &set->link[n];

		/* By index, too: it may just have been given another name. */
		if (strcmp(link->name, event->name) != 0 &&
		    (link->now.index == 0 || link->now.index != event->link.index))
			continue;
		link->stale = true;
		link->flapped = link->flapped || !usable;
	}
}

static void see_address(struct agent_address_set *set, const struct agent_netlink_event *event)
{
	bool present = !event->is_gone && !event->address.is_tentative;

	for (unsigned i = 0; i < set->count; i++) {
		const struct agent_address *a = &set->address[i];
		struct agent_address_link *link = &set->link[a->link];

		/* Most events are the echo of what we did ourselves and know. */
		if (a->is_present == present && a->conf.prefix_len == event->address.prefix_len)
			continue;
		if (a->conf.family == event->address.family &&
		    link->now.index == event->address.index &&
		    memcmp(a->conf.address, event->address.address, sizeof(a->conf.address)) == 0)
			link->stale = true;
	}
}

static void see_event(void *context, const struct agent_netlink_event *event)
{
	struct agent_address_set *set = context;

	switch (event->type) {
	case AGENT_NETLINK_LINK:
		see_link(set, event);
		break;
	case AGENT_NETLINK_ADDRESS:
		see_address(set, event);
		break;
	case AGENT_NETLINK_OVERRUN:
		for (unsigned n = 0; n < set->link_count; n++)
			set->link[n].stale = true;
		break;
	}
}

/* ---- asking: the truth ----------------------------------------------------------------------- */

struct look {
	struct agent_address_set *set;
	unsigned link_index;
};

static void take_address(void *context, const struct agent_netlink_address *found)
{
	const struct look *look = context;

	for (unsigned i = 0; i < look->set->count; i++) {
		struct agent_address *a = &look->set->address[i];

		if (a->link != look->link_index || a->conf.family != found->family ||
		    memcmp(a->conf.address, found->address, sizeof(a->conf.address)) != 0)
			continue;
		a->is_present = a->is_present || !found->is_tentative;
		a->is_blocked = a->is_blocked || found->is_tentative;
		a->on_index = found->index;
	}
}

int agent_address_look(struct agent_address_set *set, unsigned link_index, char *why)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct agent_address_link *link = &set->link[link_index];
	struct look look = {set, link_index};
	struct agent_netlink_link now;

	if (agent_netlink_link(&set->netlink, link->name, &now, why) < 0)
		return -1;
	/* Carrier can go and come back before the kernel gets to tell; the counter remembers. */
	if (link->told && link->now.index == now.index &&
	    link->now.carrier_changes != now.carrier_changes)
		link->flapped = true;
	link->now = now;
	for (unsigned f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		bool wanted = false;

		for (unsigned i = 0; i < set->count; i++) {
			struct agent_address *a = &set->address[i];

			if (a->link != link_index || a->conf.family != families[f])
				continue;
			a->is_present = a->is_blocked = false;
			wanted = true;
		}
		if (wanted && now.index != 0 &&
		    agent_netlink_addresses(&set->netlink, families[f], now.index, take_address,
					    &look, why) < 0)
			return -1;
	}
	link->stale = false;
	return 0;
}

/* ---- telling the difference ------------------------------------------------------------------ */

static void tell_address(struct agent_address_set *set, unsigned i, bool changed, bool doubt,
			 struct agent_address_notes *notes)
{
	struct agent_address *a = &set->address[i];
	const struct agent_address_link *link = &set->link[a->link];
	bool usable = agent_address_trouble(link) == AGENT_ADDRESS_TROUBLE_NONE;

	if (changed && usable)
		memcpy(agent_address_note(set, i, AGENT_ADDRESS_USABLE, notes)->hwaddr,
		       link->now.hwaddr, sizeof(link->now.hwaddr));
	if (changed && !usable)
		agent_address_trouble_text(
			link, agent_address_note(set, i, AGENT_ADDRESS_UNUSABLE, notes)->reason);
	if (!a->is_started || !usable)
		return;
	if (a->is_present) {
		a->told_lost = false;
		if (doubt)
			agent_address_note(set, i, AGENT_ADDRESS_DOUBT, notes);
	} else if (!a->told_lost) {
		a->told_lost = true;
		agent_address_note(set, i, AGENT_ADDRESS_LOST, notes);
	}
}

static void tell_link(struct agent_address_set *set, unsigned link_index,
		      struct agent_address_notes *notes)
{
	struct agent_address_link *link = &set->link[link_index];
	enum agent_address_trouble trouble = agent_address_trouble(link);
	bool usable = trouble == AGENT_ADDRESS_TROUBLE_NONE;
	bool changed = !link->told || trouble != link->told_trouble ||
		       (usable && memcmp(link->now.hwaddr, link->told_hwaddr,
					 sizeof(link->told_hwaddr)) != 0);
	bool doubt = usable && link->told && (changed || link->flapped);

	for (unsigned i = 0; i < set->count; i++) {
		if (set->address[i].link == link_index)
			tell_address(set, i, changed, doubt, notes);
	}
	link->told = true;
	link->told_trouble = trouble;
	link->flapped = false;
	if (usable)
		memcpy(link->told_hwaddr, link->now.hwaddr, sizeof(link->told_hwaddr));
}

void agent_address_watch(struct agent_address_set *set, bool has_events, yoke_time now,
			 struct agent_address_notes *notes)
{
	char why[YOKE_REASON_SIZE];

	if (has_events)
		agent_netlink_read(&set->netlink, see_event, set);
	set->retry_at = YOKE_NEVER;
	for (unsigned n = 0; n < set->link_count; n++) {
		if (!set->link[n].stale)
			continue;
		if (agent_address_look(set, n, why) == 0) {
			tell_link(set, n, notes);
			continue;
		}
		yoke_log(YOKE_LOG_WARNING, "cannot look at interface %s, will again: %s",
			 set->link[n].name, why);
		set->link[n].stale = true;
		set->retry_at = yoke_time_add_ms(now, AGENT_ADDRESS_RETRY_MS);
	}
}
