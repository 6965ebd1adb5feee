#include "agent/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/channel.h"
#include "agent/core/core.h"
#include "agent/keys.h"
#include "agent/privilege.h"
#include "agent/role.h"
#include "conf/conf.h"
#include "hb/device.h"
#include "hb/disk.h"

struct disk {
	const char *device;
	uint16_t node, node_count;
	int fd; /* -1: not open */
	struct hb_disk format;
	bool is_ours; /* the header is still the one that we know */
	char why[YOKE_REASON_SIZE];
};

static uint8_t blocks[HB_DISK_SLOTS][HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));

static bool fail(struct disk *d, const char *what)
{
	snprintf(d->why, sizeof(d->why), "%s: %s", what, strerror(errno));
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	return false;
}

static bool read_all(struct disk *d)
{
	ssize_t got = pread(d->fd, blocks, sizeof(blocks), 0);

	if (got == (ssize_t)sizeof(blocks))
		return true;
	if (got >= 0)
		errno = ENOSPC;
	return fail(d, "it cannot be read");
}

static bool open_disk(struct disk *d)
{
	const char *trouble;

	if (d->fd >= 0)
		return true;
	d->fd = hb_device_open(d->device, O_RDWR);
	if (d->fd < 0)
		return fail(d, "it cannot be opened");
	if (!read_all(d))
		return false;
	if (hb_disk_get_header(&d->format, blocks[0]))
		return true;
	trouble = hb_disk_look(&d->format, blocks[0]);
	fail(d, "its header");
	snprintf(d->why, sizeof(d->why), "%s",
		 trouble != NULL ? trouble
				 : "it has none of this cluster's keys: 'yoke disk init'");
	return false;
}

static bool write_own(struct disk *d, const struct core_slot *from)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));
	struct hb_disk_slot slot = {from->state, from->round, from->sequence, 0};

	errno = EIO;
	if (!hb_disk_put_slot(&d->format, d->node, &slot, block) ||
	    pwrite(d->fd, block, sizeof(block), (off_t)d->node * HB_DISK_BLOCK_SIZE) !=
		    (ssize_t)sizeof(block))
		return fail(d, "it cannot be written");
	return true;
}

/* Read all; which key does the header have by now?  The other node may have changed it.  Of a disk
 * that was made anew meanwhile nothing is taken over: its slots are read as damaged. */
static bool read_disk(struct disk *d)
{
	struct hb_disk now = d->format;

	if (!read_all(d))
		return false;
	d->is_ours = hb_disk_get_header(&now, blocks[0]) &&
		     memcmp(now.id, d->format.id, sizeof(now.id)) == 0;
	if (d->is_ours)
		d->format.key = now.key;
	return true;
}

/* The other node can read what has the newest key: the header, which both nodes would write alike,
 * and our own slot go over to it. */
static bool use_newest(struct disk *d)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));
	unsigned newest = d->format.keys.count - 1;
	struct hb_disk_slot slot;

	if (d->format.key != newest) {
		d->format.key = newest;
		errno = EIO;
		if (!hb_disk_put_header(&d->format, block) ||
		    pwrite(d->fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
			return fail(d, "it cannot be written");
	}
	if (hb_disk_get_slot(&d->format, d->node, blocks[d->node], &slot) && slot.key != newest) {
		struct core_slot same = {.state = (enum core_slot_state)slot.state,
					 .round = slot.round,
					 .sequence = slot.sequence};

		return write_own(d, &same) && read_disk(d);
	}
	return read_disk(d);
}

static void take_slots(const struct disk *d, struct agent_channel_message *m)
{
	unsigned oldest = d->format.key;

	for (uint16_t n = 1; n <= d->node_count; n++) {
		struct core_slot *to = &m->u.answer.slot[n - 1];
		struct hb_disk_slot slot;
		bool good = hb_disk_get_slot(&d->format, n, blocks[n], &slot);

		to->state = good && slot.state <= CORE_SLOT_HELD ? (enum core_slot_state)slot.state
								 : CORE_SLOT_BAD;
		to->round = slot.round;
		to->sequence = slot.sequence;
		if (good && slot.key < oldest)
			oldest = slot.key;
	}
	m->u.answer.key = d->format.keys.key[oldest].id;
}

static void answer(struct disk *d, const struct agent_channel_message *ask)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_ANSWER};
	bool ok = open_disk(d) && read_disk(d);

	if (ok && d->is_ours &&
	    ask->u.ask.newest_key == d->format.keys.key[d->format.keys.count - 1].id)
		ok = use_newest(d);
	if (ok && ask->u.ask.kind == CORE_ASK_WRITE)
		ok = write_own(d, &ask->u.ask.slot);
	ok = ok && read_all(d);
	m.u.answer.id = ask->u.ask.id;
	m.u.answer.arbiter = ask->u.ask.arbiter;
	m.u.answer.result = ok ? CORE_RESULT_DONE : CORE_RESULT_FAILED;
	if (ok)
		take_slots(d, &m);
	else
		memcpy(m.u.answer.reason, d->why, sizeof(m.u.answer.reason));
	agent_channel_send_patiently(AGENT_ROLE_FD_CHANNEL, &m);
}

int agent_disk_run(const char *node, unsigned arbiter, pid_t keeper)
{
	static struct conf conf;
	static struct agent_channel_message m;
	struct disk d = {.fd = -1};
	struct conf_keys keys;
	char why[YOKE_REASON_SIZE];
	int self;

	prctl(PR_SET_DUMPABLE, 0); /* the key is in here */
	if (agent_privilege_bind(keeper) < 0 ||
	    agent_role_read_conf(AGENT_ROLE_FD_CONF, &conf) < 0 || arbiter < 1 ||
	    arbiter > conf.arbiter_count)
		return 1;
	self = conf_self(&conf, node, why);
	if (self < 0 || agent_keys_take(AGENT_ROLE_FD_KEY, &keys) < 0)
		return 1;
	agent_keys_hb(&keys, &d.format.keys);
	explicit_bzero(&keys, sizeof(keys));
	d.device = conf.arbiter[arbiter - 1].device;
	d.node = (uint16_t)(self + 1);
	d.node_count = conf.node_count;
	conf_cluster_id(&conf, d.format.cluster_id);
	for (;;) {
		int got = agent_channel_wait(AGENT_ROLE_FD_CHANNEL, &m, -1);

		if (got < 0)
			break;
		if (got > 0 && m.kind == AGENT_CHANNEL_ASK)
			answer(&d, &m);
	}
	hb_seal_wipe(&d.format, sizeof(d.format));
	return 0;
}
