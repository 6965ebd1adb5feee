/* Fuzz what hb does with a block of a shared disk.  The seeds in tests/fuzz/hb_disk have an
 * authentic header, slots of both nodes, and one that is torn.  The first byte says what the rest
 * is:
 *   bit 0  set: the block, or its beginning and zeros.  What is taken must be what would have been
 *          written: written again it is the same, up to where the zeros begin
 *          else: a slot that is written, and what becomes of the block: it comes back as it was;
 *          changed in one byte, or torn between two writes, it is refused, and by the fingerprint
 *          the change is seen; and a header, with the first fields as its id
 *   bit 1  (with bit 0 clear) a post instead: the fields, and the rest as its content, which is
 *          also taken apart into frames
 *   bit 2  (with bit 0 set) the sum of a post is made good: what lies behind it is reached */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "hb/disk.h"
#include "hb/frame.h"
#include "hb/post.h"

enum {
	FIELDS_SIZE = 2 + 4 + 8 + 8 + 2 + 1 + 2,
	USED_SIZE = 52, /* of a block, from its beginning */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hb_disk ours = {
	.layout = 2, .cluster_id = {1, 2, 3}, .id = {9, 8, 7}, .keys = {1, {{1, {42}}}}};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Every frame lies in what was read, and there is an end. */
static void take_frames(const uint8_t *bytes, size_t size)
{
	static struct hb_post post;
	uint8_t frame[HB_FRAME_SIZE_MAX];
	size_t sum = 0;
	int got;

	hb_post_init(&post, true, (yoke_time){0});
	memcpy(post.in + 1, bytes, size);
	post.in_at = 1;
	post.in_size = (uint16_t)(1 + size);
	while ((got = hb_post_receive(&post, frame, sizeof(frame))) != HB_POST_NOTHING) {
		expect(got >= 0 && got <= (int)sizeof(frame));
		expect(got == 0 || memmem(bytes, size, frame, (size_t)got) != NULL);
		sum += 1 + (size_t)got;
	}
	expect(sum <= size);
}

static void repair_sum(uint8_t block[HB_DISK_BLOCK_SIZE])
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < HB_DISK_BLOCK_SIZE - sizeof(h); i++)
		h = (h ^ block[i]) * 1099511628211u;
	for (size_t i = 0; i < sizeof(h); i++)
		block[HB_DISK_BLOCK_SIZE - 1 - i] = (uint8_t)(h >> 8 * i);
}

static void take_raw(const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	static uint8_t again[HB_DISK_BLOCK_SIZE];
	struct hb_disk disk = ours;
	struct hb_disk_slot slot;
	const uint8_t *post;
	size_t post_size;
	unsigned taken = 0;

	if (hb_disk_get_header(&disk, block)) {
		expect(hb_disk_put_header(&disk, again));
		expect(memcmp(again, block, 32) == 0);
		taken++;
	}
	disk = ours;
	disk.layout = block[4]; /* the seeds are of layout 1, too */
	for (uint16_t node = 0; node <= YOKE_NODES_MAX + 1; node++) {
		if (!hb_disk_get_slot(&disk, node, block, &slot)) {
			expect(slot.state == 0 && slot.round == 0);
			continue;
		}
		expect(hb_disk_put_slot(&disk, node, &slot, again));
		expect(memcmp(again, block, USED_SIZE) == 0);
		taken++;
	}
	for (uint16_t node = 0; node <= YOKE_NODES_MAX + 1; node++) {
		post = hb_disk_get_post(&disk, node, block, &post_size);
		if (post == NULL)
			continue;
		take_frames(post, post_size);
		hb_disk_put_post(&disk, node, post, post_size, again);
		expect(memcmp(again, block, 34 + post_size) == 0);
		taken++;
	}
	expect(taken <= 1); /* a block is one thing only */
}

/* What is posted comes back; changed in a byte, torn, or of another node or disk, it does not. */
static void take_post(const uint8_t fields[FIELDS_SIZE], const uint8_t *bytes, size_t size)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE], torn[HB_DISK_BLOCK_SIZE];
	uint16_t node = (uint16_t)(fields[0] << 8 | fields[1]);
	size_t at = (size_t)(fields[2] << 8 | fields[3]) % HB_DISK_BLOCK_SIZE, got_size;
	struct hb_disk other = ours;
	const uint8_t *got;

	size = size < HB_DISK_POST_SIZE ? size : HB_DISK_POST_SIZE;
	take_frames(bytes, size);
	hb_disk_put_post(&ours, node, bytes, size, block);
	got = hb_disk_get_post(&ours, node, block, &got_size);
	expect((got != NULL) == (size > 0));
	expect(got == NULL || (got_size == size && memcmp(got, bytes, size) == 0));
	expect(hb_disk_get_post(&ours, node ^ 1, block, &got_size) == NULL);
	other.id[at % HB_DISK_ID_SIZE] ^= 1;
	expect(hb_disk_get_post(&other, node, block, &got_size) == NULL);
	hb_disk_put_post(&ours, node, fields, FIELDS_SIZE, torn);
	memcpy(torn, block, at);
	if (memcmp(torn, block, sizeof(torn)) != 0 && at > 34)
		expect(hb_disk_get_post(&ours, node, torn, &got_size) == NULL);
	block[at] ^= 1;
	expect(hb_disk_get_post(&ours, node, block, &got_size) == NULL);
}

/* Not as it was written; returns the fingerprint. */
static uint64_t refuse(uint16_t node, const uint8_t block[HB_DISK_BLOCK_SIZE])
{
	struct hb_disk_slot got;

	expect(!hb_disk_get_slot(&ours, node, block, &got));
	expect(got.state == 0 && got.round == 0);
	return got.sequence;
}

static void change(uint16_t node, uint8_t block[HB_DISK_BLOCK_SIZE], size_t at, uint8_t by)
{
	size_t other = (at + 1) % HB_DISK_BLOCK_SIZE;
	uint64_t before;

	block[at] ^= by;
	before = refuse(node, block);
	expect(refuse(node, block) == before);
	block[other] ^= 1;
	expect(refuse(node, block) != before);
	block[other] ^= 1;
	block[at] ^= by;
}

/* The new one's beginning, the old one's end. */
static void tear(uint16_t node, const struct hb_disk_slot *slot,
		 const uint8_t block[HB_DISK_BLOCK_SIZE], size_t torn_at)
{
	static uint8_t whole[HB_DISK_BLOCK_SIZE], torn[HB_DISK_BLOCK_SIZE];
	struct hb_disk_slot next = *slot;

	next.sequence++;
	expect(hb_disk_put_slot(&ours, node, &next, whole));
	memcpy(torn, whole, torn_at);
	memcpy(torn + torn_at, block + torn_at, HB_DISK_BLOCK_SIZE - torn_at);
	if (memcmp(torn, block, sizeof(torn)) != 0 && memcmp(torn, whole, sizeof(torn)) != 0)
		(void)refuse(node, torn);
}

/* Of a disk with an id of its own; who reads it does not know that before. */
static void take_header(const uint8_t id[HB_DISK_ID_SIZE], size_t at, uint8_t by)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE];
	struct hb_disk written = ours, got = ours;
	struct hb_disk_slot slot;

	memcpy(written.id, id, HB_DISK_ID_SIZE);
	expect(hb_disk_put_header(&written, block));
	expect(hb_disk_get_header(&got, block));
	expect(memcmp(got.id, id, HB_DISK_ID_SIZE) == 0);
	expect(!hb_disk_get_slot(&got, 0, block, &slot));
	block[at] ^= by;
	expect(by == 0 || !hb_disk_get_header(&got, block));
}

static void take_written(const uint8_t fields[FIELDS_SIZE])
{
	static uint8_t block[HB_DISK_BLOCK_SIZE];
	struct hb_disk_slot slot = {0}, got;
	struct hb_disk other = ours;
	uint16_t node, at, torn_at;
	struct yoke_buf b;
	uint8_t by;

	yoke_buf_init_read(&b, fields, FIELDS_SIZE);
	node = yoke_buf_get_u16(&b);
	slot.state = yoke_buf_get_u32(&b);
	slot.round = yoke_buf_get_u64(&b);
	slot.sequence = yoke_buf_get_u64(&b);
	at = yoke_buf_get_u16(&b) % HB_DISK_BLOCK_SIZE;
	by = yoke_buf_get_u8(&b);
	torn_at = yoke_buf_get_u16(&b) % HB_DISK_BLOCK_SIZE;
	expect(hb_disk_put_slot(&ours, node, &slot, block));
	expect(hb_disk_get_slot(&ours, node, block, &got));
	expect(got.state == slot.state && got.round == slot.round && got.sequence == slot.sequence);
	(void)refuse(node ^ 1, block);
	other.id[at % HB_DISK_ID_SIZE] ^= 1;
	expect(!hb_disk_get_slot(&other, node, block, &got));
	expect(!hb_disk_get_header(&other, block));
	take_header(fields, at, by);
	if (by != 0)
		change(node, block, at, by);
	tear(node, &slot, block, torn_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE];
	uint8_t fields[FIELDS_SIZE] = {0};

	if (size == 0)
		return 0;
	size--;
	if ((data[0] & 1) != 0) {
		memset(block, 0, sizeof(block));
		memcpy(block, data + 1, size < sizeof(block) ? size : sizeof(block));
		if ((data[0] & 4) != 0)
			repair_sum(block);
		take_raw(block);
		return 0;
	}
	memcpy(fields, data + 1, size < sizeof(fields) ? size : sizeof(fields));
	if ((data[0] & 2) != 0)
		take_post(fields, data + 1, size);
	else
		take_written(fields);
	return 0;
}
