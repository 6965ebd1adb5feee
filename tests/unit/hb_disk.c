/* hb/disk.h: what is written is read back, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "hb/disk.h"

static struct hb_disk disk = {
	.layout = 2, .cluster_id = {1, 2, 3}, .id = {9, 8, 7}, .keys = {1, {{1, {42}}}}};
static uint8_t block[HB_DISK_BLOCK_SIZE], other[HB_DISK_BLOCK_SIZE];

static void header_comes_back(void **state)
{
	struct hb_disk read = {.cluster_id = {1, 2, 3}, .keys = {1, {{1, {42}}}}};

	(void)state;
	assert_true(hb_disk_put_header(&disk, block));
	assert_true(hb_disk_get_header(&read, block));
	assert_memory_equal(read.id, disk.id, sizeof(disk.id));
	read.cluster_id[0] = 9;
	assert_false(hb_disk_get_header(&read, block));
	read.cluster_id[0] = 1;
	read.keys.key[0].bytes[0] = 43;
	assert_false(hb_disk_get_header(&read, block));
	memset(block, 0, sizeof(block));
	assert_false(hb_disk_get_header(&read, block));
}

static void slot_comes_back(void **state)
{
	struct hb_disk_slot slot = {2, 1ull << 40, 77, 0}, read;

	(void)state;
	assert_true(hb_disk_put_slot(&disk, 2, &slot, block));
	assert_true(hb_disk_get_slot(&disk, 2, block, &read));
	assert_int_equal(read.state, slot.state);
	assert_int_equal(read.round, slot.round);
	assert_int_equal(read.sequence, slot.sequence);
	assert_false(hb_disk_get_slot(&disk, 1, block, &read));
	disk.id[0]++;
	assert_false(hb_disk_get_slot(&disk, 2, block, &read));
	disk.id[0]--;
}

/* While keys are exchanged both are read, and what is read says by which. */
static void either_key_is_read(void **state)
{
	struct hb_disk both = disk;
	struct hb_disk_slot slot = {2, 5, 77, 0}, read;

	(void)state;
	both.keys.count = 2;
	both.keys.key[1] = (struct hb_key){2, {43}};
	both.key = 1;
	assert_true(hb_disk_put_header(&disk, block));
	assert_true(hb_disk_get_header(&both, block));
	assert_int_equal(both.key, 0);
	both.key = 1;
	assert_true(hb_disk_put_header(&both, block));
	assert_false(hb_disk_get_header(&disk, block));
	both.key = 0;
	assert_true(hb_disk_get_header(&both, block));
	assert_int_equal(both.key, 1);
	assert_true(hb_disk_put_slot(&disk, 2, &slot, block));
	assert_true(hb_disk_get_slot(&both, 2, block, &read));
	assert_int_equal(read.key, 0);
	assert_true(hb_disk_put_slot(&both, 2, &slot, block));
	assert_true(hb_disk_get_slot(&both, 2, block, &read));
	assert_int_equal(read.key, 1);
	assert_false(hb_disk_get_slot(&disk, 2, block, &read));
}

/* A block that was written in part: the new one's beginning, the old one's end. */
static void torn_slot_is_damaged_and_its_change_is_seen(void **state)
{
	struct hb_disk_slot slot = {2, 5, 77, 0}, first, second;

	(void)state;
	assert_true(hb_disk_put_slot(&disk, 1, &slot, block));
	slot.sequence++;
	assert_true(hb_disk_put_slot(&disk, 1, &slot, other));
	memcpy(block, other, 512);
	assert_false(hb_disk_get_slot(&disk, 1, block, &first));
	assert_false(hb_disk_get_slot(&disk, 1, block, &second));
	assert_int_equal(first.sequence, second.sequence);
	block[4000]++;
	assert_false(hb_disk_get_slot(&disk, 1, block, &second));
	assert_int_not_equal(first.sequence, second.sequence);
}

/* One that an older yoke made ready stays a disk of locks, also for that one. */
static void older_layout_is_kept_and_has_no_posts(void **state)
{
	struct hb_disk old = disk, read = disk;
	struct hb_disk_slot slot = {2, 5, 77, 0}, got;

	(void)state;
	old.layout = 1;
	assert_true(hb_disk_put_header(&old, block));
	assert_true(hb_disk_get_header(&read, block));
	assert_int_equal(read.layout, 1);
	assert_non_null(strstr(hb_disk_lacks_posts(&read), "'yoke disk init --force'"));
	assert_null(hb_disk_lacks_posts(&disk));
	assert_true(hb_disk_put_slot(&read, 1, &slot, block));
	assert_int_equal(block[4], 1);
	assert_true(hb_disk_get_slot(&old, 1, block, &got));
	assert_false(hb_disk_get_slot(&disk, 1, block, &got));
	old.layout = 3;
	assert_true(hb_disk_put_header(&old, block));
	assert_false(hb_disk_get_header(&read, block));
}

static void without_a_key_a_disk_is_told_from_others(void **state)
{
	struct hb_disk read = {.cluster_id = {1, 2, 3}};

	(void)state;
	memset(block, 0, sizeof(block));
	assert_non_null(strstr(hb_disk_look(&read, block), "not made ready"));
	assert_true(hb_disk_put_header(&disk, block));
	assert_null(hb_disk_look(&read, block));
	assert_int_equal(read.layout, 2);
	assert_memory_equal(read.id, disk.id, sizeof(disk.id));
	block[4] = 3;
	assert_non_null(strstr(hb_disk_look(&read, block), "newer"));
	block[4] = 0;
	assert_non_null(strstr(hb_disk_look(&read, block), "newer"));
	block[4] = 2;
	block[5] = 1;
	assert_non_null(strstr(hb_disk_look(&read, block), "damaged"));
	block[5] = 0;
	read.cluster_id[0] = 9;
	assert_non_null(strstr(hb_disk_look(&read, block), "another cluster's"));
}

static void post_comes_back(void **state)
{
	uint8_t bytes[HB_DISK_POST_SIZE];
	const uint8_t *got;
	size_t size;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t put = 1; put <= sizeof(bytes); put += 3071) {
		hb_disk_put_post(&disk, 2, bytes, put, block);
		got = hb_disk_get_post(&disk, 2, block, &size);
		assert_non_null(got);
		assert_int_equal(size, put);
		assert_memory_equal(got, bytes, size);
	}
	assert_null(hb_disk_get_post(&disk, 1, block, &size));
	disk.id[0]++;
	assert_null(hb_disk_get_post(&disk, 2, block, &size));
	disk.id[0]--;
	hb_disk_put_post(&disk, 2, NULL, 0, block);
	assert_null(hb_disk_get_post(&disk, 2, block, &size));
	assert_in_range(hb_disk_post_at(1), HB_DISK_SLOTS, HB_DISK_SLOTS);
	assert_int_equal(hb_disk_post_at(YOKE_NODES_MAX), HB_DISK_BLOCKS - 1);
}

static void torn_post_is_no_post(void **state)
{
	const uint8_t old[] = "what stood there before", new[] = "what was to stand there";
	size_t size;

	(void)state;
	hb_disk_put_post(&disk, 1, old, sizeof(old), block);
	hb_disk_put_post(&disk, 1, new, sizeof(new), other);
	memcpy(block, other, 512);
	assert_null(hb_disk_get_post(&disk, 1, block, &size));
	memcpy(block, other, sizeof(block));
	assert_non_null(hb_disk_get_post(&disk, 1, block, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_comes_back),
		cmocka_unit_test(slot_comes_back),
		cmocka_unit_test(either_key_is_read),
		cmocka_unit_test(torn_slot_is_damaged_and_its_change_is_seen),
		cmocka_unit_test(older_layout_is_kept_and_has_no_posts),
		cmocka_unit_test(without_a_key_a_disk_is_told_from_others),
		cmocka_unit_test(post_comes_back),
		cmocka_unit_test(torn_post_is_no_post),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
