/* Every move of an attacker who sits on the links and has no key: record, inject, replay, swap
 * paths, reflect, redirect, delay.  And a million frames of noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hb/send.h"
#include "tests/unit/hb_pair.h"

enum { NOISE_FRAMES = 1000000 };

struct recording {
	uint16_t path;
	int size; /* -1: nothing */
	uint8_t bytes[HB_FRAME_SIZE_MAX + 1];
};

static struct pair pair;
static struct hb_received received;
static struct hb_changes changes;

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_run(&pair, 10 * PAIR_INTERVAL_US + PAIR_INTERVAL_US / 2);
	return pair_all_up(&pair) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	pair_fini(&pair);
	return 0;
}

/* Have node 2 send a message, and take its frame on path 1 off the wire. */
static struct recording record(const char *text)
{
	struct recording r = {.path = 1};

	hb_send(&pair.node[1], 1, (const uint8_t *)text, strlen(text), pair.now);
	r.size = pair_steal(&pair, 1, 1, r.bytes);
	assert_true(r.size >= HB_FRAME_SIZE_MIN);
	(void)pair_drop(&pair, 1, 2);
	return r;
}

/* Node 1 gets a recorded frame. */
static int give(const struct recording *r)
{
	changes.count = 0;
	return hb_take(&pair.node[0], r->path, r->bytes, (size_t)r->size, pair.now, &received,
		       &changes);
}

static void expect_refused(const struct recording *r, enum hb_refusal cause)
{
	uint64_t before = pair_refused(&pair, 1, r->path, cause);
	yoke_time heard_at = hb_path_of(&pair.node[0], 2, r->path)->heard_at;

	assert_int_equal(give(r), 0);
	assert_int_equal(changes.count, 0);
	assert_int_equal(pair_refused(&pair, 1, r->path, cause), before + 1);
	assert_int_equal(hb_path_of(&pair.node[0], 2, r->path)->heard_at.us, heard_at.us);
}

static void an_untouched_frame_is_taken(void **state)
{
	struct recording r = record("go");

	(void)state;
	assert_int_equal(give(&r), 1);
	assert_int_equal(received.size, 2);
	assert_memory_equal(received.bytes, "go", 2);
}

static void nothing_of_the_payload_can_be_read_on_the_wire(void **state)
{
	struct recording r = record("a rather long secret");

	(void)state;
	assert_null(memmem(r.bytes, (size_t)r.size, "a rather", 8));
}

static void refuses_a_frame_given_twice(void **state)
{
	struct recording r = record("go");

	(void)state;
	assert_int_equal(give(&r), 1);
	expect_refused(&r, HB_REFUSED_REPLAY);
	pair_run(&pair, 5 * PAIR_INTERVAL_US);
	expect_refused(&r, HB_REFUSED_REPLAY);
}

static void a_frame_that_was_overtaken_is_taken(void **state)
{
	struct recording first = record("1"), second = record("2");
	uint64_t sequence;

	(void)state;
	assert_int_equal(give(&second), 1);
	sequence = pair.node[0].peer[1].echo[0].sequence;
	assert_int_equal(give(&first), 1);
	assert_int_equal(pair.node[0].peer[1].echo[0].sequence, sequence);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->missed, 1);
	expect_refused(&first, HB_REFUSED_REPLAY);
}

/* It echoes a frame whose time of sending is forgotten; how old it is cannot be known any more. */
static void a_frame_older_than_memory_is_not_fresh(void **state)
{
	struct recording r = record("old");

	(void)state;
	for (unsigned i = 0; i <= HB_SENT_MAX / PAIR_PATHS; i++) {
		hb_send(&pair.node[0], 2, (const uint8_t *)"x", 1, pair.now);
		(void)pair_drop(&pair, 2, 1);
		(void)pair_drop(&pair, 2, 2);
	}
	assert_int_equal(give(&r), 0);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->stale, 1);
}

static void refuses_a_frame_on_another_path(void **state)
{
	struct recording r = record("go");

	(void)state;
	r.path = 2;
	expect_refused(&r, HB_REFUSED_REPLAY);
	r.path = 1;
	assert_int_equal(give(&r), 1);
}

static void refuses_its_own_frame_reflected(void **state)
{
	struct recording r = {.path = 1};

	(void)state;
	hb_send(&pair.node[0], 2, (const uint8_t *)"go", 2, pair.now);
	r.size = pair_steal(&pair, 2, 1, r.bytes);
	expect_refused(&r, HB_REFUSED_SENDER);
}

/* A third node exists, node 2 tells it something, and the attacker brings it to node 1. */
static struct recording record_for_a_third(struct pair *other)
{
	struct recording r = {.path = 1};

	pair_init(other);
	for (unsigned i = 0; i < 2; i++) {
		other->node[i].conf.node_count = 3;
		other->node[i].conf.endpoint[2][0] = other->conf.endpoint[0][0];
	}
	hb_send(&other->node[1], 3, (const uint8_t *)"go", 2, other->now);
	(void)pair_drop(other, 1, 2);
	while (r.size >= 0 && r.size != HB_FRAME_SIZE_MIN + 2)
		r.size = pair_steal(other, 1, 1, r.bytes);
	assert_true(r.size > 0);
	return r;
}

static void refuses_a_frame_for_another_node(void **state)
{
	static struct pair other;
	struct recording r = record_for_a_third(&other);
	uint64_t before = pair_refused(&other, 1, 1, HB_REFUSED_REPLAY);

	(void)state;
	assert_int_equal(
		hb_take(&other.node[0], 1, r.bytes, (size_t)r.size, other.now, &received, &changes),
		0);
	assert_int_equal(pair_refused(&other, 1, 1, HB_REFUSED_REPLAY), before + 1);
	pair_fini(&other);
}

static uint64_t refused_in_all(const struct hb *hb)
{
	uint64_t sum = 0;

	for (uint16_t path = 1; path <= PAIR_PATHS; path++)
		for (unsigned cause = 0; cause < HB_REFUSALS; cause++)
			sum += hb_path_of(hb, 2, path)->refused[cause];
	return sum;
}

static void a_frame_for_another_node_is_no_attack_when_it_is_multicast(void **state)
{
	static struct pair other;
	struct recording r = record_for_a_third(&other);
	struct hb *hb = &other.node[0];
	uint64_t before = refused_in_all(hb);

	(void)state;
	hb->conf.endpoint[0][0].is_multicast = true;
	assert_int_equal(hb_take(hb, 1, r.bytes, (size_t)r.size, other.now, &received, &changes),
			 0);
	assert_int_equal(refused_in_all(hb), before);
	assert_true(yoke_time_is_never(hb_path_of(hb, 2, 1)->heard_at));
	pair_fini(&other);
}

static void its_own_frame_is_no_attack_when_it_is_multicast(void **state)
{
	struct hb *hb = &pair.node[0];
	struct recording r = {.path = 1};
	uint64_t before = refused_in_all(hb);

	(void)state;
	hb_send(hb, 2, (const uint8_t *)"go", 2, pair.now);
	r.size = pair_steal(&pair, 2, 1, r.bytes);
	hb->conf.endpoint[0][0].is_multicast = true;
	assert_int_equal(give(&r), 0);
	assert_int_equal(refused_in_all(hb), before);
	hb->conf.incarnation++; /* then it is of another machine that has our name */
	expect_refused(&r, HB_REFUSED_SENDER);
}

static void refuses_what_is_not_a_frame_by_cause(void **state)
{
	static const struct {
		unsigned offset;
		enum hb_refusal cause;
	} change[] = {
		{0, HB_REFUSED_CLUSTER},    {3, HB_REFUSED_CLUSTER},  {4, HB_REFUSED_SEAL},
		{5, HB_REFUSED_KEY},        {6, HB_REFUSED_SENDER},   {7, HB_REFUSED_SENDER},
		{8, HB_REFUSED_CLUSTER},    {15, HB_REFUSED_CLUSTER}, {16, HB_REFUSED_SEAL},
		{23, HB_REFUSED_SEAL},      {25, HB_REFUSED_SEAL},    {32, HB_REFUSED_SEAL},
		{59, HB_REFUSED_SEAL},      {60, HB_REFUSED_SEAL},    {62, HB_REFUSED_SEAL},
		{62 + 15, HB_REFUSED_SEAL},
	};
	struct recording r = record("go");
	int size = r.size;

	(void)state;
	for (unsigned i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		r.bytes[change[i].offset] ^= 0x10;
		expect_refused(&r, change[i].cause);
		r.bytes[change[i].offset] ^= 0x10;
	}
	for (r.size = 0; r.size < HB_FRAME_SIZE_MIN; r.size++)
		expect_refused(&r, HB_REFUSED_LENGTH);
	for (; r.size < size; r.size++)
		expect_refused(&r, HB_REFUSED_SEAL);
	r.size = HB_FRAME_SIZE_MAX + 1;
	expect_refused(&r, HB_REFUSED_LENGTH);
	r.size = size;
	assert_int_equal(give(&r), 1);
}

/* What a yoke of protocol 1 sealed, and the bytes that we seal for it: the same. */
static void a_frame_of_protocol_1_opens_and_is_what_we_send(void **state)
{
	static const uint8_t old_frame[] = {
		0x59, 0x4f, 0x4b, 0x45, 0x01, 0x03, 0x00, 0x02, 0x63, 0x6c, 0x75, 0x73, 0x74, 0x65,
		0x72, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb1, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x20, 0x38, 0x3e, 0x54, 0x6c, 0x91, 0x5b, 0x97, 0x17, 0x13,
		0x50, 0xd8, 0x8b, 0x0b, 0xc0, 0xc8, 0xf7, 0x12, 0xe6, 0xe2, 0x83, 0xed, 0xeb, 0x3b,
		0x9d, 0x1f, 0xce, 0x9f, 0x42, 0xbf, 0x2c, 0x47, 0xcc, 0xce, 0xf3, 0x0d, 0xa3, 0x5c,
		0x89, 0x4d, 0x28, 0x35, 0x9a, 0xba, 0x0b, 0x29, 0x01, 0x02, 0x34, 0xda,
	};
	uint8_t bytes[HB_FRAME_SIZE_MAX];
	struct pair other;

	(void)state;
	pair_init(&other);
	assert_int_equal(hb_take(&other.node[0], 1, old_frame, sizeof(old_frame), other.now,
				 &received, &changes),
			 0); /* it proves nothing yet, but it opened */
	assert_int_equal(other.node[0].peer[1].candidate, 0xb1);
	hb_send(&other.node[1], 1, (const uint8_t *)"hello", 5, other.now);
	assert_int_equal(pair_steal(&other, 1, 1, bytes), sizeof(old_frame));
	assert_memory_equal(bytes, old_frame, sizeof(old_frame));
	pair_fini(&other);
}

/* One that reads ours and newer ones is taken at its word when the seal holds; one that does not is
 * told, when its node is silent, once a second. */
static void a_frame_of_other_protocols_is_told_when_its_node_is_silent(void **state)
{
	struct recording r = record("go");

	(void)state;
	r.bytes[4] = 0x13; /* 3 to 4 */
	expect_refused(&r, HB_REFUSED_VERSION);
	memset(pair.cut, true, sizeof(pair.cut));
	pair_run(&pair, 2 * PAIR_DEAD_US);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(hb_take(&pair.node[0], 1, r.bytes, (size_t)r.size, pair.now,
					 &received, &changes),
				 i == 0);
		if (i > 0)
			continue;
		assert_int_equal(received.kind, HB_FOREIGN);
		assert_int_equal(received.node, 2);
		assert_int_equal(received.protocol_min, 3);
		assert_int_equal(received.protocol_max, 4);
	}
	r.bytes[8] ^= 1; /* another cluster's */
	pair.now = yoke_time_add_us(pair.now, HB_FOREIGN_US);
	assert_int_equal(
		hb_take(&pair.node[0], 1, r.bytes, (size_t)r.size, pair.now, &received, &changes),
		0);
}

/* A kind that a newer yoke brought: it lives, and what it says is not ours to read. */
static void a_frame_of_an_unknown_kind_is_life_and_no_payload(void **state)
{
	enum { NEWER = 200 };
	struct recording r = {.path = 1};
	uint64_t heard = hb_path_of(&pair.node[0], 2, 1)->received;

	(void)state;
	hb_send_frame(&pair.node[1], 1, 1, (enum hb_kind)NEWER, (const uint8_t *)"go", 2, pair.now);
	r.size = pair_steal(&pair, 1, 1, r.bytes);
	assert_int_equal(give(&r), 0);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->received, heard + 1);
	assert_int_equal(pair_refused(&pair, 1, 1, HB_REFUSED_VERSION), 0);
}

static void refuses_a_node_with_another_key(void **state)
{
	uint64_t before = pair_refused(&pair, 1, 1, HB_REFUSED_SEAL);

	(void)state;
	hb_fini(&pair.node[1]);
	pair.conf.keys.key[0].bytes[0] ^= 1;
	pair_start(&pair, 2, 0xb2);
	pair_run(&pair, 3 * PAIR_DEAD_US);
	assert_true(pair_refused(&pair, 1, 1, HB_REFUSED_SEAL) > before + 10);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_DOWN);
	assert_int_equal(pair_state(&pair, 2, 1), YOKE_PATH_NO_PEER);
}

static void a_frame_held_back_is_no_life_and_gives_no_payload(void **state)
{
	struct recording r = record("granted");
	yoke_time proven_at;

	(void)state;
	memset(pair.cut, true, sizeof(pair.cut)); /* node 2 dies; its last frame is on the shelf */
	pair_run(&pair, PAIR_DEAD_US + PAIR_INTERVAL_US);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_DOWN);
	proven_at = hb_path_of(&pair.node[0], 2, 1)->proven_at;
	assert_int_equal(give(&r), 0);
	assert_int_equal(changes.count, 0);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->proven_at.us, proven_at.us);
	assert_int_equal(hb_path_of(&pair.node[0], 2, 1)->stale, 1);
	pair_run(&pair, PAIR_INTERVAL_US);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_DOWN);
}

/* Each is let through when it is worth the most: what they prolong ends one dead time later. */
static void frames_held_back_prolong_a_life_by_one_dead_time_at_most(void **state)
{
	struct recording first = record("1"), last = record("2"), more = record("3");
	const struct hb_path *p = hb_path_of(&pair.node[0], 2, 1);

	(void)state;
	memset(pair.cut, true, sizeof(pair.cut)); /* node 2 dies */
	pair_run(&pair, PAIR_DEAD_US / 2);
	assert_int_equal(give(&first), 1);
	pair_run(&pair, PAIR_DEAD_US / 2);
	assert_int_equal(give(&last), 1);
	assert_int_equal(p->state, YOKE_PATH_UP);
	pair_run(&pair, 1);
	assert_int_equal(give(&more), 0);
	assert_int_equal(p->stale, 1);
	pair_run(&pair, PAIR_DEAD_US - 2);
	assert_int_equal(p->state, YOKE_PATH_LATE);
	assert_int_equal(p->flaps, 0);
	pair_run(&pair, 1);
	assert_int_equal(p->state, YOKE_PATH_ONE_WAY); /* what came too late was heard, no more */
	pair_run(&pair, 1);
	assert_int_equal(p->state, YOKE_PATH_DOWN);
}

/* Frames of an incarnation that was in two-way contact with us, after its successor has come. */
static void a_recording_of_the_incarnation_before_changes_nothing(void **state)
{
	struct recording r = record("old");

	(void)state;
	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb2);
	pair_run(&pair, PAIR_INTERVAL_US);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb2);
	expect_refused(&r, HB_REFUSED_REPLAY); /* it is fresh, even */
	pair_run(&pair, 10 * PAIR_DEAD_US);
	expect_refused(&r, HB_REFUSED_REPLAY);
	memset(pair.cut, true, sizeof(pair.cut));
	pair_run(&pair, 10 * PAIR_DEAD_US);
	expect_refused(&r, HB_REFUSED_REPLAY);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb2);
}

/* Frames of an incarnation that lived so shortly that we never took it over, held back until its
 * successor has come: they are fresh, and they echo us. */
static void a_recording_of_a_short_life_does_not_push_out_its_successor(void **state)
{
	struct recording r;

	(void)state;
	memset(pair.cut[0], true, sizeof(pair.cut[0]));
	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb2);
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	r = record("old");
	memset(pair.cut[0], false, sizeof(pair.cut[0]));
	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb3);
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb3);
	expect_refused(&r, HB_REFUSED_REPLAY);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb3);
	pair_run(&pair, 2 * PAIR_DEAD_US);
	assert_true(pair_all_up(&pair));
}

/* Frames from long ago, recorded when both of us were other incarnations. */
static struct recording record_long_ago(void)
{
	struct recording r;

	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb0);
	hb_set_beat(&pair.node[1], (const uint8_t *)"old", 3, pair.now);
	pair_run(&pair, PAIR_INTERVAL_US);
	r = record("old");
	pair_fini(&pair);
	pair_start(&pair, 1, 0xa2);
	pair_start(&pair, 2, 0xb2);
	hb_set_beat(&pair.node[1], (const uint8_t *)"new", 3, pair.now);
	return r;
}

static void a_recording_from_long_ago_does_not_disturb_a_pair(void **state)
{
	struct recording r = record_long_ago();

	(void)state;
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	expect_refused(&r, HB_REFUSED_REPLAY);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb2);
	assert_int_equal(pair.node[0].peer[1].candidate, 0);
}

/* The very first frame of an incarnation, when it had heard nobody. */
static struct recording record_first(uint64_t incarnation)
{
	struct recording r = {.path = 1};

	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, incarnation);
	hb_set_beat(&pair.node[1], (const uint8_t *)"first", 5, pair.now);
	r.size = pair_steal(&pair, 1, 1, r.bytes);
	assert_true(r.size > 0);
	(void)pair_drop(&pair, 1, 2);
	return r;
}

static void a_recorded_first_frame_is_answered_once_and_does_not_disturb_a_pair(void **state)
{
	struct recording one = record_first(0xb8), two = record_first(0xb9);
	const struct hb_path *p = hb_path_of(&pair.node[0], 2, 1);
	uint64_t sent;
	unsigned before;

	(void)state;
	hb_fini(&pair.node[1]);
	pair_start(&pair, 2, 0xb2);
	pair_run(&pair, 2 * PAIR_INTERVAL_US + PAIR_INTERVAL_US / 2);
	assert_true(pair_all_up(&pair));
	sent = p->sent;
	assert_int_equal(give(&one), 0);
	assert_int_equal(p->sent, sent + 1);
	assert_int_equal(give(&two), 0);
	assert_int_equal(p->sent, sent + 1);
	assert_int_equal(pair.node[0].peer[1].candidate, 0xb9);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb2);
	expect_refused(&two, HB_REFUSED_REPLAY);
	/* What we send still proves us to the peer that is there. */
	pair_settle(&pair);
	before = pair.received[1];
	hb_send(&pair.node[0], 2, (const uint8_t *)"go", 2, pair.now);
	pair_settle(&pair);
	assert_int_equal(pair.received[1], before + PAIR_PATHS);
}

static void a_recording_from_long_ago_is_never_the_peer(void **state)
{
	struct recording r = record_long_ago();

	(void)state;
	hb_fini(&pair.node[1]); /* dead before we started; all that comes is the recording */
	assert_int_equal(give(&r), 0);
	assert_int_equal(changes.count, 0);
	assert_int_equal(pair.node[0].peer[1].incarnation, 0);
	assert_int_equal(pair.node[0].peer[1].candidate, 0xb0);
	assert_int_equal(pair_state(&pair, 1, 1), YOKE_PATH_NO_PEER);
	expect_refused(&r, HB_REFUSED_REPLAY);
	pair_start(&pair, 2, 0xb3);
	hb_set_beat(&pair.node[1], (const uint8_t *)"new", 3, pair.now);
	pair_run(&pair, PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb3);
	assert_memory_equal(pair.last[0].bytes, "new", 3);
}

/* Both ends have been talked into a candidate while they were cut from each other. */
static void recordings_given_to_both_ends_do_not_keep_them_apart(void **state)
{
	struct recording to_one, to_two = {.path = 1};

	(void)state;
	hb_send(&pair.node[0], 2, (const uint8_t *)"old", 3, pair.now);
	to_two.size = pair_steal(&pair, 2, 1, to_two.bytes);
	(void)pair_drop(&pair, 2, 2);
	to_one = record_long_ago();
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	memset(pair.cut, true, sizeof(pair.cut));
	pair_run(&pair, 2 * PAIR_DEAD_US);
	assert_int_equal(give(&to_one), 0);
	assert_int_equal(hb_take(&pair.node[1], 1, to_two.bytes, (size_t)to_two.size, pair.now,
				 &received, &changes),
			 0);
	assert_int_equal(pair.node[0].peer[1].candidate, 0xb0);
	assert_int_equal(pair.node[1].peer[0].candidate, 0xa1);
	memset(pair.cut, false, sizeof(pair.cut));
	pair_run(&pair, 2 * PAIR_INTERVAL_US);
	assert_true(pair_all_up(&pair));
	assert_int_equal(pair.node[0].peer[1].incarnation, 0xb2);
}

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Half of it has a good header as far as anybody could know it, so that it reaches the seal. */
static void make_noise(struct recording *r, const struct recording *valid, uint64_t *seed)
{
	r->path = (uint16_t)(1 + draw(seed) % PAIR_PATHS);
	if (draw(seed) % 2 == 0) {
		r->size = (int)(draw(seed) % 16 == 0 ? draw(seed) % sizeof(r->bytes)
						     : draw(seed) % 128);
		for (int i = 0; i < r->size; i++)
			r->bytes[i] = (uint8_t)draw(seed);
		return;
	}
	r->size = valid->size;
	memcpy(r->bytes, valid->bytes, (size_t)valid->size);
	if (draw(seed) % 8 == 0)
		r->size -= 1 + (int)(draw(seed) % 20);
	else if (draw(seed) % 8 == 0)
		r->size += 1 + (int)(draw(seed) % 20);
	for (unsigned i = 0; i <= draw(seed) % 3; i++) /* all but the first may undo each other */
		r->bytes[draw(seed) % (unsigned)r->size] ^= (uint8_t)(1 << draw(seed) % 8);
	if (r->size == valid->size && memcmp(r->bytes, valid->bytes, (size_t)r->size) == 0)
		r->bytes[0] ^= 1;
}

static void a_million_frames_of_noise_are_counted_and_change_nothing(void **state)
{
	static struct hb before;
	static struct recording noise;
	struct recording valid = record("go");
	struct hb *hb = &pair.node[0];
	uint64_t seed = 88172645463325252u;

	(void)state;
	before = *hb;
	for (unsigned i = 0; i < NOISE_FRAMES; i++) {
		changes.count = 0;
		make_noise(&noise, &valid, &seed);
		if (give(&noise) != 0 || changes.count != 0)
			fail_msg("frame %u of the noise was taken", i);
	}
	assert_int_equal(refused_in_all(hb) - refused_in_all(&before), NOISE_FRAMES);
	for (unsigned cause = 0; cause < HB_REFUSALS; cause++)
		assert_true(hb_path_of(hb, 2, 1)->refused[cause] > 1000);
	for (unsigned path = 0; path < PAIR_PATHS; path++)
		memcpy(before.peer[1].path[path].refused, hb->peer[1].path[path].refused,
		       sizeof(before.peer[1].path[path].refused));
	assert_memory_equal(&before, hb, sizeof(before));
	assert_int_equal(give(&valid), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_untouched_frame_is_taken),
		TEST(nothing_of_the_payload_can_be_read_on_the_wire),
		TEST(refuses_a_frame_given_twice),
		TEST(a_frame_that_was_overtaken_is_taken),
		TEST(a_frame_older_than_memory_is_not_fresh),
		TEST(refuses_a_frame_on_another_path),
		TEST(refuses_its_own_frame_reflected),
		TEST(refuses_a_frame_for_another_node),
		TEST(a_frame_for_another_node_is_no_attack_when_it_is_multicast),
		TEST(its_own_frame_is_no_attack_when_it_is_multicast),
		TEST(refuses_what_is_not_a_frame_by_cause),
		TEST(a_frame_of_protocol_1_opens_and_is_what_we_send),
		TEST(a_frame_of_other_protocols_is_told_when_its_node_is_silent),
		TEST(a_frame_of_an_unknown_kind_is_life_and_no_payload),
		TEST(refuses_a_node_with_another_key),
		TEST(a_frame_held_back_is_no_life_and_gives_no_payload),
		TEST(frames_held_back_prolong_a_life_by_one_dead_time_at_most),
		TEST(a_recording_of_the_incarnation_before_changes_nothing),
		TEST(a_recording_of_a_short_life_does_not_push_out_its_successor),
		TEST(a_recording_from_long_ago_does_not_disturb_a_pair),
		TEST(a_recorded_first_frame_is_answered_once_and_does_not_disturb_a_pair),
		TEST(a_recording_from_long_ago_is_never_the_peer),
		TEST(recordings_given_to_both_ends_do_not_keep_them_apart),
		TEST(a_million_frames_of_noise_are_counted_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
