#include "hb/disk.h"

#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"

enum {
	MAGIC = 0x594f4b44,
	LAYOUT_WITHOUT_POSTS = 1,
	KIND_HEADER = 0,
	KIND_SLOT = 1,
	KIND_POST = 2,
	LAYOUT_AT = 4,
	CLUSTER_AT = 8,
	ID_AT = 16,
	SLOT_AT = 32,
	POST_AT = 34,
	MAC_AT = HB_DISK_BLOCK_SIZE - HB_MAC_SIZE,
	SUM_AT = HB_DISK_BLOCK_SIZE - 8,
};

static const char label[] = "yoke disk 1";

static void put_head(const struct hb_disk *disk, uint8_t kind, uint16_t node, struct yoke_buf *b)
{
	yoke_buf_put_u32(b, MAGIC);
	yoke_buf_put_u8(b, disk->layout);
	yoke_buf_put_u8(b, kind);
	yoke_buf_put_u16(b, node);
	yoke_buf_put(b, disk->cluster_id, HB_DISK_CLUSTER_SIZE);
	yoke_buf_put(b, disk->id, HB_DISK_ID_SIZE);
}

static bool finish(const struct hb_disk *disk, uint8_t block[HB_DISK_BLOCK_SIZE])
{
	return hb_seal_mac(disk->keys.key[disk->key].bytes, label, block, MAC_AT, block + MAC_AT);
}

bool hb_disk_put_header(const struct hb_disk *disk, uint8_t block[HB_DISK_BLOCK_SIZE])
{
	struct yoke_buf b;

	memset(block, 0, HB_DISK_BLOCK_SIZE);
	yoke_buf_init(&b, block, MAC_AT);
	put_head(disk, KIND_HEADER, 0, &b);
	return finish(disk, block);
}

bool hb_disk_put_slot(const struct hb_disk *disk, uint16_t node, const struct hb_disk_slot *slot,
		      uint8_t block[HB_DISK_BLOCK_SIZE])
{
	struct yoke_buf b;

	memset(block, 0, HB_DISK_BLOCK_SIZE);
	yoke_buf_init(&b, block, MAC_AT);
	put_head(disk, KIND_SLOT, node, &b);
	yoke_buf_put_u32(&b, slot->state);
	yoke_buf_put_u64(&b, slot->round);
	yoke_buf_put_u64(&b, slot->sequence);
	return finish(disk, block);
}

static bool has_head(const struct hb_disk *disk, uint8_t kind, uint16_t node,
		     const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	uint8_t head[SLOT_AT];
	struct yoke_buf b;

	yoke_buf_init(&b, head, sizeof(head));
	put_head(disk, kind, node, &b);
	return memcmp(head, block, sizeof(head)) == 0;
}

/* Is the block of this cluster and disk, that kind and node, and whole?  *key: index of the one. */
static bool is_authentic(const struct hb_disk *disk, uint8_t kind, uint16_t node,
			 const uint8_t block[HB_DISK_BLOCK_SIZE], unsigned *key)
{
	uint8_t mac[HB_MAC_SIZE];

	if (!has_head(disk, kind, node, block))
		return false;
	for (*key = 0; *key < disk->keys.count; (*key)++)
		if (hb_seal_mac(disk->keys.key[*key].bytes, label, block, MAC_AT, mac) &&
		    hb_seal_same(mac, block + MAC_AT, sizeof(mac)))
			return true;
	return false;
}

bool hb_disk_get_header(struct hb_disk *disk, const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	unsigned key;

	if (hb_disk_look(disk, block) != NULL || !is_authentic(disk, KIND_HEADER, 0, block, &key))
		return false;
	disk->key = key;
	return true;
}

/* FNV-1a: it need not be secret, and a change that it does not see is one in 2^64. */
static uint64_t fingerprint(const uint8_t *block, size_t size)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ block[i]) * 1099511628211u;
	return h;
}

bool hb_disk_get_slot(const struct hb_disk *disk, uint16_t node,
		      const uint8_t block[HB_DISK_BLOCK_SIZE], struct hb_disk_slot *slot)
{
	struct yoke_buf b;

	memset(slot, 0, sizeof(*slot));
	if (!is_authentic(disk, KIND_SLOT, node, block, &slot->key)) {
		slot->sequence = fingerprint(block, HB_DISK_BLOCK_SIZE);
		return false;
	}
	yoke_buf_init_read(&b, block + SLOT_AT, HB_DISK_BLOCK_SIZE - SLOT_AT);
	slot->state = yoke_buf_get_u32(&b);
	slot->round = yoke_buf_get_u64(&b);
	slot->sequence = yoke_buf_get_u64(&b);
	return true;
}

const char *hb_disk_look(struct hb_disk *disk, const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	struct yoke_buf b;

	yoke_buf_init_read(&b, block, HB_DISK_BLOCK_SIZE);
	if (yoke_buf_get_u32(&b) != MAGIC)
		return "it is not made ready: 'yoke disk init' does that";
	disk->layout = block[LAYOUT_AT];
	memcpy(disk->id, block + ID_AT, sizeof(disk->id));
	if (memcmp(block + CLUSTER_AT, disk->cluster_id, HB_DISK_CLUSTER_SIZE) != 0)
		return "it is another cluster's: name another one, or 'yoke disk init --force'";
	if (disk->layout < LAYOUT_WITHOUT_POSTS || disk->layout > HB_DISK_LAYOUT)
		return "a newer yoke made it ready: upgrade this one";
	return has_head(disk, KIND_HEADER, 0, block) ? NULL
						     : "its header is damaged: 'yoke disk init'";
}

const char *hb_disk_lacks_posts(const struct hb_disk *disk)
{
	return disk->layout > LAYOUT_WITHOUT_POSTS
		       ? NULL
		       : "an older yoke made it ready, for no heartbeats: 'yoke disk init --force'";
}

void hb_disk_put_post(const struct hb_disk *disk, uint16_t node, const uint8_t *bytes, size_t size,
		      uint8_t block[HB_DISK_BLOCK_SIZE])
{
	struct yoke_buf b;

	assert(size <= HB_DISK_POST_SIZE);
	memset(block, 0, HB_DISK_BLOCK_SIZE);
	yoke_buf_init(&b, block, SUM_AT);
	put_head(disk, KIND_POST, node, &b);
	yoke_buf_put_u16(&b, (uint16_t)size);
	yoke_buf_put(&b, bytes, size);
	yoke_buf_init(&b, block + SUM_AT, HB_DISK_BLOCK_SIZE - SUM_AT);
	yoke_buf_put_u64(&b, fingerprint(block, SUM_AT));
}

const uint8_t *hb_disk_get_post(const struct hb_disk *disk, uint16_t node,
				const uint8_t block[HB_DISK_BLOCK_SIZE], size_t *size)
{
	struct yoke_buf b;

	if (!has_head(disk, KIND_POST, node, block))
		return NULL;
	yoke_buf_init_read(&b, block + SUM_AT, HB_DISK_BLOCK_SIZE - SUM_AT);
	if (yoke_buf_get_u64(&b) != fingerprint(block, SUM_AT))
		return NULL;
	yoke_buf_init_read(&b, block + SLOT_AT, HB_DISK_BLOCK_SIZE - SLOT_AT);
	*size = yoke_buf_get_u16(&b);
	return *size >= 1 && *size <= HB_DISK_POST_SIZE ? block + POST_AT : NULL;
}

unsigned hb_disk_post_at(uint16_t node)
{
	return HB_DISK_SLOTS + node - 1u;
}
