#include "hb/disk.h"

#include <string.h>

#include "agent/base/buf.h"

enum {
	MAGIC = 0x594f4b44,
	LAYOUT = 1,
	KIND_HEADER = 0,
	KIND_SLOT = 1,
	ID_AT = 16,
	SLOT_AT = 32,
	MAC_AT = HB_DISK_BLOCK_SIZE - HB_MAC_SIZE,
};

static const char label[] = "yoke disk 1";

static void put_head(const struct hb_disk *disk, uint8_t kind, uint16_t node, struct yoke_buf *b)
{
	yoke_buf_put_u32(b, MAGIC);
	yoke_buf_put_u8(b, LAYOUT);
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

/* Is the block of this cluster and disk, that kind and node, and whole?  *key: index of the one. */
static bool is_authentic(const struct hb_disk *disk, uint8_t kind, uint16_t node,
			 const uint8_t block[HB_DISK_BLOCK_SIZE], unsigned *key)
{
	uint8_t head[SLOT_AT], mac[HB_MAC_SIZE];
	struct yoke_buf b;

	yoke_buf_init(&b, head, sizeof(head));
	put_head(disk, kind, node, &b);
	if (memcmp(head, block, sizeof(head)) != 0)
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

	memcpy(disk->id, block + ID_AT, sizeof(disk->id));
	if (!is_authentic(disk, KIND_HEADER, 0, block, &key))
		return false;
	disk->key = key;
	return true;
}

/* FNV-1a: it need not be secret, and a change that it does not see is one in 2^64. */
static uint64_t fingerprint(const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < HB_DISK_BLOCK_SIZE; i++)
		h = (h ^ block[i]) * 1099511628211u;
	return h;
}

bool hb_disk_get_slot(const struct hb_disk *disk, uint16_t node,
		      const uint8_t block[HB_DISK_BLOCK_SIZE], struct hb_disk_slot *slot)
{
	struct yoke_buf b;

	memset(slot, 0, sizeof(*slot));
	if (!is_authentic(disk, KIND_SLOT, node, block, &slot->key)) {
		slot->sequence = fingerprint(block);
		return false;
	}
	yoke_buf_init_read(&b, block + SLOT_AT, HB_DISK_BLOCK_SIZE - SLOT_AT);
	slot->state = yoke_buf_get_u32(&b);
	slot->round = yoke_buf_get_u64(&b);
	slot->sequence = yoke_buf_get_u64(&b);
	return true;
}
