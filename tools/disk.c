/* yoke disk: the shared disk of a disk arbiter, and of a path of type disk. */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/core.h"
#include "conf/conf.h"
#include "hb/device.h"
#include "hb/disk.h"
#include "tools/tool.h"

/* What blkid_do_safeprobe() returns. */
enum { FOUND_ONE = 0, FOUND_NOTHING = 1, FOUND_ERROR = -1, FOUND_MANY = -2 };

enum { LOOK_AGAIN_MS = 50 };

static struct conf conf;
static struct conf_problems problems;
static uint8_t blocks[HB_DISK_BLOCKS][HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));

static int complain(const char *device, const char *why)
{
	fprintf(stderr, "yoke: %s: %s\n", device, why);
	return TOOL_FAILED;
}

/* Whose disk it is to be: from the configuration and the key. */
static int read_cluster(struct hb_disk *disk)
{
	const char *file = getenv("YOKE_CONF") != NULL ? getenv("YOKE_CONF") : TOOL_CONF;
	char why[CONF_PROBLEM_SIZE];
	struct conf_keys keys;

	if (conf_load(file, &conf, &problems) != 0)
		return complain(file, "has errors: 'yoke check' lists them");
	if (conf_keys_load(conf.key_file, &keys, why) != 0)
		return complain(conf.key_file, why);
	disk->keys.count = keys.count;
	for (unsigned i = 0; i < keys.count; i++) {
		disk->keys.key[i].id = keys.key[i].id;
		memcpy(disk->keys.key[i].bytes, keys.key[i].bytes, HB_KEY_SIZE);
	}
	explicit_bzero(&keys, sizeof(keys));
	conf_cluster_id(&conf, disk->cluster_id);
	return TOOL_OK;
}

/* What is on the device that somebody may miss; empty: nothing that is known.  What cannot be told
 * may be missed, too. */
static void find_signature(const char *device, char what[64])
{
	blkid_probe probe = blkid_new_probe_from_filename(device);
	const char *name = "something that cannot be read";
	int found = FOUND_ERROR;

	if (probe != NULL) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_enable_partitions(probe, 1);
		found = blkid_do_safeprobe(probe);
	}
	if (found == FOUND_MANY)
		name = "more than one thing ('wipefs' lists them)";
	else if (found == FOUND_ONE && blkid_probe_lookup_value(probe, "TYPE", &name, NULL) != 0)
		(void)blkid_probe_lookup_value(probe, "PTTYPE", &name, NULL);
	snprintf(what, 64, "%.60s", found == FOUND_NOTHING ? "" : name);
	blkid_free_probe(probe);
}

static bool fill(struct hb_disk *disk)
{
	static const struct hb_disk_slot empty = {.state = CORE_SLOT_FREE};

	disk->layout = HB_DISK_LAYOUT;
	if (getrandom(disk->id, sizeof(disk->id), 0) != (ssize_t)sizeof(disk->id) ||
	    !hb_disk_put_header(disk, blocks[0]))
		return false;
	for (uint16_t n = 1; n <= YOKE_NODES_MAX; n++) {
		if (!hb_disk_put_slot(disk, n, &empty, blocks[n]))
			return false;
		hb_disk_put_post(disk, n, NULL, 0, blocks[hb_disk_post_at(n)]);
	}
	return true;
}

/* A node whose slot is not free and other than in `before`, if that is given; 0: none. */
static uint16_t claimed_by(int fd, struct hb_disk *disk, const struct hb_disk_slot *before,
			   struct hb_disk_slot slot[YOKE_NODES_MAX])
{
	if (pread(fd, blocks, sizeof(blocks), 0) != (ssize_t)sizeof(blocks) ||
	    !hb_disk_get_header(disk, blocks[0]))
		return 0;
	for (uint16_t n = 1; n <= conf.node_count; n++)
		if (hb_disk_get_slot(disk, n, blocks[n], &slot[n - 1]) &&
		    slot[n - 1].state != CORE_SLOT_FREE &&
		    (before == NULL || before[n - 1].sequence != slot[n - 1].sequence))
			return n;
	return 0;
}

/* The node that has the lock now, or is about to; 0: none.  Who has it renews it well within the
 * lease, so that what does not change for so long is of a node that died: this waits as long. */
static uint16_t locked_by(const char *device, int fd, const struct hb_disk *fresh)
{
	struct hb_disk_slot before[YOKE_NODES_MAX] = {0}, now[YOKE_NODES_MAX];
	struct hb_disk disk = *fresh;
	uint16_t had = claimed_by(fd, &disk, NULL, before), has = 0;

	if (had != 0)
		fprintf(stderr,
			"yoke: %s: %s had the lock on it: looking for %u ms whether it "
			"still has\n",
			device, conf.node[had - 1].name, conf.lease_ms);
	for (uint32_t ms = 0; had != 0 && has == 0 && ms <= conf.lease_ms; ms += LOOK_AGAIN_MS) {
		poll(NULL, 0, LOOK_AGAIN_MS);
		has = claimed_by(fd, &disk, before, now);
	}
	hb_seal_wipe(&disk, sizeof(disk));
	return has;
}

static int init(const char *device, struct hb_disk *disk, bool force)
{
	char what[64], why[128];
	uint16_t node;
	int fd = hb_device_open(device, O_RDWR);

	if (fd < 0)
		return complain(device, strerror(errno));
	if (pread(fd, blocks, sizeof(blocks), 0) != (ssize_t)sizeof(blocks)) {
		close(fd);
		return complain(device, "is too small: 36864 bytes are needed");
	}
	find_signature(device, what);
	if (what[0] != '\0' && !force) {
		close(fd);
		snprintf(why, sizeof(why), "holds %s: --force overwrites it", what);
		return complain(device, why);
	}
	if (memcmp(blocks[0], "YOKD", 4) == 0 && !force) {
		close(fd);
		return complain(device, "is a disk of a cluster already: --force makes it anew, "
					"while no node runs");
	}
	node = locked_by(device, fd, disk);
	if (node != 0) {
		close(fd);
		snprintf(why, sizeof(why),
			 "%s holds the lock on it now, and would have none: stop its yoked first",
			 conf.node[node - 1].name);
		return complain(device, why);
	}
	if (!fill(disk) || pwrite(fd, blocks, sizeof(blocks), 0) != (ssize_t)sizeof(blocks) ||
	    fsync(fd) != 0) {
		close(fd);
		return complain(device, strerror(errno));
	}
	close(fd);
	printf("%s is a disk of cluster %s now: name it as device in both nodes' yoke.conf\n",
	       device, conf.cluster);
	return TOOL_OK;
}

static const char *state_word(uint32_t state)
{
	return state == CORE_SLOT_FREE ? "free" : state == CORE_SLOT_CLAIM ? "claims" : "holds it";
}

static int show(const char *device, struct hb_disk *disk)
{
	int fd = hb_device_open(device, O_RDWR);

	if (fd < 0)
		return complain(device, strerror(errno));
	if (pread(fd, blocks, sizeof(blocks), 0) < (ssize_t)HB_DISK_SLOTS * HB_DISK_BLOCK_SIZE) {
		close(fd);
		return complain(device, "cannot be read");
	}
	close(fd);
	if (!hb_disk_get_header(disk, blocks[0]))
		return complain(device,
				"is not a disk of this cluster: 'yoke disk init' makes it one");
	printf("%s: a disk of cluster %s, layout %u\n", device, conf.cluster, disk->layout);
	for (uint16_t n = 1; n <= conf.node_count; n++) {
		struct hb_disk_slot slot;

		if (!hb_disk_get_slot(disk, n, blocks[n], &slot))
			printf("  %s: damaged\n", conf.node[n - 1].name);
		else
			printf("  %s: %s, round %llu, sequence %llu\n", conf.node[n - 1].name,
			       state_word(slot.state), (unsigned long long)slot.round,
			       (unsigned long long)slot.sequence);
	}
	return TOOL_OK;
}

int tool_disk(const struct tool_options *options, int argc, char **argv)
{
	static struct hb_disk disk;
	int result;

	(void)argc;
	if (strcmp(argv[0], "init") != 0 && strcmp(argv[0], "show") != 0) {
		fprintf(stderr, "yoke: there is no 'disk %s'; did you mean 'yoke disk init'?\n",
			argv[0]);
		return TOOL_USAGE;
	}
	result = read_cluster(&disk);
	if (result == TOOL_OK)
		result = strcmp(argv[0], "init") == 0 ? init(argv[1], &disk, options->force)
						      : show(argv[1], &disk);
	hb_seal_wipe(&disk, sizeof(disk));
	return result;
}
