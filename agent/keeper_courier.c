/* The courier (agent/courier.h) is started when the other node asks for something, and ends by
 * itself when nobody asks any more. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/keeper.h"

void agent_keeper_courier_ask(struct agent_keeper *k, const struct agent_channel_message *m)
{
	struct agent_keeper_helper *c = &k->courier;

	if (k->renewal == AGENT_RENEW_ENDING || k->leaving)
		return; /* it is asked again, and by then there is another keeper, or none */
	if (c->child.pid == 0)
		agent_keeper_start_courier(k);
	/* One that does not read now is asked again, too. */
	if (c->fd >= 0)
		agent_channel_send(c->fd, m);
}

void agent_keeper_courier_refused(struct agent_keeper *k, const char *why)
{
	if (k->push != AGENT_PUSH_TRIED)
		return; /* somebody else's reload */
	snprintf(k->push_reason, sizeof(k->push_reason), "%s", why);
	k->push = AGENT_PUSH_REFUSED;
}

static void send_refused(struct agent_keeper *k)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_REFUSED};

	snprintf(m.u.refused.reason, sizeof(m.u.refused.reason), "%s", k->push_reason);
	if (k->courier.fd >= 0 && agent_channel_send(k->courier.fd, &m) == 0)
		k->push = AGENT_PUSH_NOT;
}

/* It has put another file in place, and waits until this keeper gives way to one that goes by it,
 * or says why not.  What is under way may have begun by the old file: when it becomes an exec, what
 * the next keeper goes by is seen by who asked; when not, the new file is tried. */
void agent_keeper_courier_look(struct agent_keeper *k)
{
	if (k->push == AGENT_PUSH_WAITS && (k->leaving || !agent_keeper_renew_is_busy(k))) {
		k->push = AGENT_PUSH_TRIED;
		agent_keeper_reload(k);
		if (k->renewal == AGENT_RENEW_NOT)
			agent_keeper_courier_refused(k, k->leaving ? "this node is leaving"
								   : "it cannot be tried");
	}
	if (k->push == AGENT_PUSH_REFUSED)
		send_refused(k);
}

void agent_keeper_courier_answer(struct agent_keeper *k)
{
	static struct agent_channel_message m;
	int got;

	while ((got = agent_channel_receive(k->courier.fd, &m)) > 0) {
		if (m.kind == AGENT_CHANNEL_BULK && k->engine_fd >= 0)
			agent_channel_send(k->engine_fd, &m);
		else if (m.kind == AGENT_CHANNEL_RELOAD)
			k->push = AGENT_PUSH_WAITS;
	}
	if (got < 0) {
		close(k->courier.fd); /* its end is reaped */
		k->courier.fd = -1;
	}
}

void agent_keeper_courier_ended(struct agent_keeper *k)
{
	k->courier.child.pid = 0;
	k->push = AGENT_PUSH_NOT;
	if (k->courier.fd >= 0)
		close(k->courier.fd);
	k->courier.fd = -1;
}
