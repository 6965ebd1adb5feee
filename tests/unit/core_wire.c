/* What travels: nothing that is damaged is applied, and nothing crashes. */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

enum {
	EMPTY_SECTION = 3,                                   /* bytes: tag and size */
	DIGESTS = EMPTY_SECTION + 1 + 4 * CORE_SECTIONS + 4, /* the last section, of one group */
	TROUBLE = EMPTY_SECTION + 1 + DIGESTS,               /* of a node that has none */
};

static struct pair pair;
static struct core before;

/* Nothing of beta as alpha knows it changed but what every authentic payload may change. */
static bool is_untouched(void)
{
	struct core_node *now = &pair_core(&pair, ALPHA)->node[BETA - 1];
	struct core_node *was = &before.node[BETA - 1];

	return now->told == was->told && memcmp(now->claim, was->claim, sizeof(now->claim)) == 0 &&
	       memcmp(pair_core(&pair, ALPHA)->intent, before.intent, sizeof(before.intent)) == 0;
}

/* Beta's state, newer than what alpha has. */
static size_t newer_state(uint8_t *bytes)
{
	pair_form(&pair);
	pair.wire = false;
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	memcpy(bytes, pair.message[BETA - 1], pair.message_size[BETA - 1]);
	before = *pair_core(&pair, ALPHA);
	return pair.message_size[BETA - 1];
}

static void give(const uint8_t *bytes, size_t size)
{
	pair_message(&pair, ALPHA, pair.conf[BETA - 1].incarnation, bytes, size);
}

static void the_whole_state_arrives(void **state)
{
	uint8_t bytes[YOKE_MESSAGE_SIZE];
	size_t size;

	(void)state;
	size = newer_state(bytes);
	give(bytes, size);
	assert_false(is_untouched());
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[0].cause,
			 CORE_CAUSE_UNUSABLE);
	assert_string_equal(pair_core(&pair, ALPHA)->node[BETA - 1].version, "1.2.3");
}

static void a_cut_message_is_not_applied(void **state)
{
	uint8_t bytes[YOKE_MESSAGE_SIZE];
	size_t size;

	(void)state;
	size = newer_state(bytes);
	/* An older yoke sends no details: where a section would begin the message may end. */
	for (size_t cut = 0; cut < size; cut++) {
		if (cut == size - DIGESTS || cut == size - TROUBLE ||
		    cut == size - TROUBLE - EMPTY_SECTION ||
		    cut == size - TROUBLE - 2 * EMPTY_SECTION ||
		    cut == size - TROUBLE - 3 * EMPTY_SECTION ||
		    cut == size - TROUBLE - 4 * EMPTY_SECTION)
			continue;
		give(bytes, cut);
		assert_true(is_untouched());
	}
}

static void an_old_message_is_not_applied(void **state)
{
	uint8_t bytes[YOKE_MESSAGE_SIZE];
	size_t size;
	uint32_t told;

	(void)state;
	size = newer_state(bytes);
	pair.wire = true;
	pair_news(&pair, BETA, 1, CORE_NEWS_USABLE);
	told = pair_core(&pair, ALPHA)->node[BETA - 1].told;
	pair.wire = false; /* beta would tell it again at once */
	give(bytes, size);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].told, told);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[0].cause, CORE_CAUSE_NONE);
}

/* Every byte changed to a few values: whatever is applied, the core stays whole. */
static void mutated_messages_do_no_harm(void **state)
{
	static const uint8_t changes[] = {1, 0x80, 0xff, 0x7f, 3};
	uint8_t bytes[YOKE_MESSAGE_SIZE];
	size_t size;

	(void)state;
	size = newer_state(bytes);
	pair.by_hand[CORE_RUN_START] = pair.by_hand[CORE_RUN_STOP] = true;
	pair.by_hand[CORE_RUN_PREPARE] = true;
	for (size_t i = 0; i < size; i++)
		for (size_t k = 0; k < sizeof(changes); k++) {
			uint8_t kept = bytes[i];

			bytes[i] = (uint8_t)(kept ^ changes[k]);
			*pair_core(&pair, ALPHA) = before;
			pair.events[ALPHA - 1] = 0;
			give(bytes, size);
			bytes[i] = kept;
		}
}

static void noise_is_ignored(void **state)
{
	uint8_t bytes[YOKE_MESSAGE_SIZE];
	uint64_t random = 88172645463325252u;

	(void)state;
	(void)newer_state(bytes);
	for (unsigned n = 0; n < 20000; n++) {
		size_t size;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		size = random % 200;
		for (size_t i = 0; i < size; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = (uint8_t)(random >> 56);
		}
		if (size > 0 && n % 2 == 0)
			bytes[0] = (uint8_t)(1 + n / 2 % 2);
		give(bytes, size);
		assert_true(is_untouched());
	}
}

static void groups_go_by_name_not_by_place(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_two_groups(&pair, "web", "mail");
	snprintf(pair_group_conf(&pair, BETA, 1)->name, YOKE_NAME_SIZE, "mail");
	snprintf(pair_group_conf(&pair, BETA, 2)->name, YOKE_NAME_SIZE, "web");
	pair.conf[BETA - 1].digest[0] = 1;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE); /* beta's first one is mail */
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_CONFIG_DIFFERS), 1);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[0].cause, CORE_CAUSE_NONE);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[1].cause,
			 CORE_CAUSE_UNUSABLE);
}

static void what_a_node_does_not_have_it_does_not_run(void **state)
{
	(void)state;
	pair_init(&pair);
	snprintf(pair.conf[BETA - 1].group[0].name, YOKE_NAME_SIZE, "other");
	pair_meet(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[0].cause,
			 CORE_CAUSE_STRANGER);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void a_state_is_repeated_until_it_is_acknowledged(void **state)
{
	unsigned sent = 0;

	(void)state;
	pair_form(&pair);
	pair_run(&pair, 1000);
	assert_true(yoke_time_is_never(pair_core(&pair, ALPHA)->resend_at));
	pair.wire = false;
	pair_news(&pair, ALPHA, 1, CORE_NEWS_DOUBT);
	pair_news(&pair, ALPHA, 1, CORE_NEWS_USABLE);
	for (unsigned i = 0; i < 5; i++) {
		pair.message_size[ALPHA - 1] = 0;
		pair_run(&pair, 100);
		sent += pair.message_size[ALPHA - 1] > 0;
	}
	assert_int_equal(sent, 5);
	pair.wire = true;
	pair_run(&pair, 200);
	assert_true(yoke_time_is_never(pair_core(&pair, ALPHA)->resend_at));
}

/* Nobody to tell: nothing is sent again. */
static void alone_it_is_quiet(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 10000);
	pair.message_size[ALPHA - 1] = 0;
	pair_run(&pair, 10000);
	assert_int_equal(pair.message_size[ALPHA - 1], 0);
	assert_true(core_deadline(pair_core(&pair, ALPHA)).us ==
		    pair_core(&pair, ALPHA)->save.test_at.us);
}

/* Many changes at once are told in one message, when that is a long one. */
static void a_long_state_is_not_told_at_each_change(void **state)
{
	struct core *c = pair_core(&pair, ALPHA);

	(void)state;
	pair_form(&pair);
	pair_run(&pair, 1000);
	c->state_size = YOKE_PAYLOAD_SIZE + 1;
	c->state_told_at = pair.now;
	pair.message_size[ALPHA - 1] = 0;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	assert_int_equal(pair.message_size[ALPHA - 1], 0);
	pair_run(&pair, pair.conf[ALPHA - 1].interval_ms / 4);
	assert_int_not_equal(pair.message_size[ALPHA - 1], 0);
	assert_true(pair_core(&pair, BETA)->intent[BETA - 1].standby);
}

/* Each group asks and grants, has a cause that needs words, and is in maintenance. */
static void say_much(struct core *c)
{
	for (unsigned g = 0; g < YOKE_GROUPS_MAX; g++) {
		struct core_claim *claim = &c->node[ALPHA - 1].claim[g];

		claim->request = claim->grant_term = 1;
		claim->grant_to = BETA;
		claim->cause = CORE_CAUSE_YIELDS;
	}
	for (unsigned i = 0; i < CORE_RESTS; i++)
		c->rest[i] = (struct core_rest){1, true};
}

static void form_the_largest(void)
{
	char name[YOKE_NAME_SIZE];

	pair_init(&pair);
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &pair.conf[n];

		c->group_count = YOKE_GROUPS_MAX;
		c->resource_count = YOKE_RESOURCES_MAX;
		for (unsigned g = 0; g < YOKE_GROUPS_MAX; g++) {
			c->group[g] = c->group[0];
			snprintf(name, sizeof(name), "a-long-name-of-a-group-num%03u", g % 1000);
			memcpy(c->group[g].name, name, sizeof(name));
			c->group[g].exclusive = true;
			c->group[g].resource_first = (uint16_t)(2 * g);
			c->group[g].resource_count = 2;
			c->resource[2 * g].group = c->resource[2 * g + 1].group = (uint16_t)(g + 1);
		}
		snprintf(c->version, sizeof(c->version), "a-version-of-thirty-one-letters");
	}
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair.running[ALPHA - 1] = true;
	core_init(pair_core(&pair, ALPHA), &pair.conf[ALPHA - 1], NULL, 0, NULL, pair.now);
}

/* A heartbeat says nothing of groups. */
static void a_beat_has_one_size_whatever_the_configuration(void **state)
{
	uint16_t small;

	(void)state;
	pair_init(&pair);
	pair_start(&pair, ALPHA);
	core_wire_put_beat(pair_core(&pair, ALPHA), &pair.out);
	small = pair.out.beat_size;
	form_the_largest();
	say_much(pair_core(&pair, ALPHA));
	core_wire_put_beat(pair_core(&pair, ALPHA), &pair.out);
	assert_int_equal(pair.out.beat_size, small);
}

static void the_largest_state_and_record_have_room(void **state)
{
	struct core_event ev = {.type = CORE_TIMER};
	struct core *c;

	(void)state;
	form_the_largest();
	c = pair_core(&pair, ALPHA);
	say_much(c);
	memset(&pair.out, 0, sizeof(pair.out));
	core_wire_put_state(c, &pair.out);
	assert_in_range(pair.out.message_size, YOKE_PAYLOAD_SIZE, YOKE_MESSAGE_SIZE / 2);
	ev.now = pair.now;
	core_record_touch(c);
	core_step(c, &ev, &pair.out);
	assert_true(pair.out.count < CORE_ACTIONS_MAX);
	assert_in_range(pair.out.record_size, 3000, YOKE_RECORD_SIZE / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_state_arrives),
		cmocka_unit_test(a_cut_message_is_not_applied),
		cmocka_unit_test(an_old_message_is_not_applied),
		cmocka_unit_test(mutated_messages_do_no_harm),
		cmocka_unit_test(noise_is_ignored),
		cmocka_unit_test(groups_go_by_name_not_by_place),
		cmocka_unit_test(what_a_node_does_not_have_it_does_not_run),
		cmocka_unit_test(a_state_is_repeated_until_it_is_acknowledged),
		cmocka_unit_test(alone_it_is_quiet),
		cmocka_unit_test(a_long_state_is_not_told_at_each_change),
		cmocka_unit_test(a_beat_has_one_size_whatever_the_configuration),
		cmocka_unit_test(the_largest_state_and_record_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
