#include "hb/key.h"

#include <string.h>

static const char label[] = "yoke key print 1";

enum { ROW_SIZE = 1 + HB_KEY_PRINT_SIZE };

int hb_key_find(const struct hb_keys *keys, uint8_t id)
{
	for (unsigned i = 0; i < keys->count; i++)
		if (keys->key[i].id == id)
			return (int)i;
	return -1;
}

void hb_key_map(const struct hb_keys *keys, const struct hb_keys *old, int from[HB_KEYS_MAX])
{
	for (unsigned i = 0; i < HB_KEYS_MAX; i++) {
		int at = i < keys->count ? hb_key_find(old, keys->key[i].id) : -1;

		if (at >= 0 && !hb_seal_same(keys->key[i].bytes, old->key[at].bytes, HB_KEY_SIZE))
			at = -1;
		from[i] = at;
	}
}

bool hb_key_print(const struct hb_key *key, uint8_t print[HB_KEY_PRINT_SIZE])
{
	uint8_t mac[HB_MAC_SIZE];
	bool ok = hb_seal_mac(key->bytes, label, &key->id, 1, mac);

	memcpy(print, mac, HB_KEY_PRINT_SIZE);
	return ok;
}

size_t hb_key_put_prints(const struct hb_keys *keys, uint8_t bytes[HB_KEY_PRINTS_SIZE])
{
	size_t used = 0;

	for (unsigned i = 0; i < keys->count; i++, used += ROW_SIZE) {
		bytes[used] = keys->key[i].id;
		if (!hb_key_print(&keys->key[i], bytes + used + 1))
			return 0;
	}
	return used;
}

uint8_t hb_key_common(const uint8_t *ours, size_t ours_size, const uint8_t *theirs, size_t size)
{
	uint8_t bits = 0;

	for (size_t i = 0; i + ROW_SIZE <= ours_size; i += ROW_SIZE)
		for (size_t j = 0; j + ROW_SIZE <= size; j += ROW_SIZE)
			if (memcmp(ours + i, theirs + j, ROW_SIZE) == 0)
				bits |= (uint8_t)(1u << i / ROW_SIZE);
	return bits;
}

int hb_key_ring_init(struct hb_key_ring *ring)
{
	int failed = 0;

	for (unsigned i = 0; i < HB_KEYS_MAX; i++) {
		ring->derived[i] = false;
		failed |= hb_seal_init(&ring->seal[i]);
	}
	return failed != 0 ? -1 : 0;
}

void hb_key_ring_fini(struct hb_key_ring *ring)
{
	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		hb_seal_fini(&ring->seal[i]);
}

static void forget(struct hb_key_ring *ring, unsigned i)
{
	if (ring->derived[i])
		hb_seal_forget(&ring->seal[i]);
	ring->derived[i] = false;
}

void hb_key_ring_forget(struct hb_key_ring *ring)
{
	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		forget(ring, i);
}

void hb_key_ring_move(struct hb_key_ring *ring, const int from[HB_KEYS_MAX])
{
	struct hb_key_ring old = *ring;

	/* Of two places one that moves leaves the other for what does not. */
	if (from[0] == 1 || from[1] == 0)
		for (unsigned i = 0; i < HB_KEYS_MAX; i++) {
			ring->seal[i] = old.seal[1 - i];
			ring->derived[i] = old.derived[1 - i];
		}
	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		if (from[i] < 0)
			forget(ring, i);
}

uint8_t hb_key_move_bits(uint8_t bits, const int from[HB_KEYS_MAX])
{
	uint8_t moved = 0;

	for (unsigned i = 0; i < HB_KEYS_MAX; i++)
		if (from[i] >= 0 && (bits >> from[i] & 1) != 0)
			moved |= (uint8_t)(1u << i);
	return moved;
}
