#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/keeper.h"

static void refuse(struct agent_keeper *k, const char *why)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_KEYS_READ};

	snprintf(m.u.keys_read.reason, sizeof(m.u.keys_read.reason), "%s", why);
	if (k->engine_fd >= 0)
		agent_channel_send(k->engine_fd, &m);
}

void agent_keeper_keys_ask(struct agent_keeper *k)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_KEYS};

	snprintf(m.u.keys.file, sizeof(m.u.keys.file), "%s", k->conf.key_file);
	if (k->saver_fd < 0 || agent_channel_send(k->saver_fd, &m) < 0)
		refuse(k, "the disk does not answer");
}

void agent_keeper_keys_read(struct agent_keeper *k, const struct agent_channel_message *m, int fd)
{
	if (k->new_key_fd >= 0)
		close(k->new_key_fd);
	k->new_key_fd = fd;
	if (k->engine_fd >= 0)
		agent_channel_send_fd(k->engine_fd, m, fd);
}

/* Who writes to disks reads to the end of what it was sent, ends, and is started with the new keys.
 */
void agent_keeper_keys_taken(struct agent_keeper *k)
{
	if (k->new_key_fd < 0)
		return;
	close(k->key_fd);
	k->key_fd = k->new_key_fd;
	k->new_key_fd = -1;
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].fd >= 0)
			shutdown(k->disk[i].fd, SHUT_WR);
}
