/* Protocols: what a yoke of protocol 1 sent is read, what we send it reads, and two that have none
 * in common say so and touch nothing.
 *
 * The bytes below were sent by the last yoke that spoke protocol 1 only; they are never made anew.
 */
#include "agent/core/parts.h"
#include "tests/sim/skew.h"
#include "tests/unit/core_pair.h"

/* From beta, incarnation 112, to alpha, incarnation 111: it has the group and rests. */
static const uint8_t old_beat[] = {
	0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x6f, 0x00, 0x00, 0x00, 0x0d, 0x01,
};

static const uint8_t old_state[] = {
	0x02, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6f, 0x00, 0x00, 0x00, 0x0c,
	0x00, 0x00, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x31,
	0x2e, 0x32, 0x2e, 0x33, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x0f, 0xd9, 0xbc, 0x91, 0x04, 0x04, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x04, 0x04, 0x01, 0x00, 0x06, 0x0f, 0xd9, 0xbc, 0x91,
	0x0b, 0x00, 0x02, 0x00, 0x0a, 0x02, 0x0f, 0xd9, 0xbc, 0x91, 0x00, 0x00, 0x00, 0x01, 0x01,
	0x03, 0x00, 0x1b, 0x02, 0x00, 0x00, 0x02, 0x07, 0x03, 0x03, 0x00, 0x01, 0x00, 0x00, 0x0f,
	0x64, 0x6f, 0x6e, 0x65, 0x20, 0x61, 0x66, 0x74, 0x65, 0x72, 0x20, 0x30, 0x20, 0x6d, 0x73,
};

static const uint64_t old_incarnation = 112;

static struct pair pair;
static struct yoke_snapshot view;

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	return 0;
}

static const struct core_node *beta_at_alpha(void)
{
	return &pair_core(&pair, ALPHA)->node[BETA - 1];
}

static uint32_t common(uint16_t at, uint16_t node)
{
	core_view(pair_core(&pair, at), &view);
	return view.node[node - 1].protocol;
}

/* ---- the version before this one ---- */

static void what_protocol_1_sent_is_read(void **state)
{
	(void)state;
	pair_start(&pair, ALPHA);
	assert_int_equal(pair.conf[ALPHA - 1].incarnation, 111);
	pair_message(&pair, ALPHA, old_incarnation, old_beat, sizeof(old_beat));
	pair_message(&pair, ALPHA, old_incarnation, old_state, sizeof(old_state));
	pair_paths(&pair, YOKE_PATH_UP);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(beta_at_alpha()->claim[0].state, YOKE_GROUP_STARTED);
	assert_int_equal(beta_at_alpha()->claim[0].term, 2);
	assert_int_equal(beta_at_alpha()->claim[0].cause, CORE_CAUSE_RESTS);
	assert_int_equal(beta_at_alpha()->acked, 12);
	assert_true(pair_core(&pair, ALPHA)->rest[CORE_REST_GROUPS].on);
	assert_int_equal(beta_at_alpha()->protocol_min, 1);
	assert_int_equal(common(ALPHA, BETA), 1);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH), 0);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* What protocol 1 reads of our bytes is what it would have sent in our place, byte for byte. */
static void what_we_send_protocol_1_reads(void **state)
{
	uint8_t bytes[YOKE_MESSAGE_SIZE];

	(void)state;
	pair_meet(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_MAINTENANCE, 1, 0), YOKE_OK);
	pair_run(&pair, 1000);
	memcpy(bytes, pair.beat[BETA - 1], pair.beat_size[BETA - 1]);
	assert_int_equal(sim_skew_cut(bytes, pair.beat_size[BETA - 1], 1), sizeof(old_beat));
	assert_memory_equal(bytes, old_beat, sizeof(old_beat));
	memcpy(bytes, pair.message[BETA - 1], pair.message_size[BETA - 1]);
	assert_int_equal(sim_skew_cut(bytes, pair.message_size[BETA - 1], 1), sizeof(old_state));
	assert_memory_equal(bytes, old_state, sizeof(old_state));
}

/* ---- no protocol in common ---- */

static void speaks(uint16_t node, uint8_t min, uint8_t max)
{
	pair.conf[node - 1].protocol_min = min;
	pair.conf[node - 1].protocol_max = max;
}

/* Alpha has the group; then beta's yoke is exchanged for one that speaks 3 to 4. */
static void form_and_exchange(void)
{
	pair_form(&pair);
	pair_power_off(&pair, BETA);
	speaks(BETA, CORE_PROTOCOL_MAX + 1, CORE_PROTOCOL_MAX + 2);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 60000);
}

static void two_that_have_one_in_common_use_the_newest(void **state)
{
	(void)state;
	speaks(BETA, CORE_PROTOCOL_MAX, CORE_PROTOCOL_MAX + 1);
	pair_meet(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(common(ALPHA, BETA), CORE_PROTOCOL_MAX);
	assert_int_equal(common(BETA, ALPHA), CORE_PROTOCOL_MAX);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH), 0);
}

static void none_in_common_is_an_alarm_on_both_with_both_versions(void **state)
{
	(void)state;
	form_and_exchange();
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH)->reason,
			    "it speaks protocol 3 to 4, we 1 to 2");
	assert_string_equal(pair_last(&pair, BETA, YOKE_EVENT_PROTOCOL_MISMATCH)->reason,
			    "it speaks protocol 1 to 2, we 3 to 4");
	assert_int_equal(common(ALPHA, BETA), 0);
	assert_int_equal(view.node[BETA - 1].protocol_min, 3);
	assert_int_equal(view.node[BETA - 1].protocol_max, 4);
	assert_int_equal(view.condition, YOKE_CONDITION_DEGRADED);
}

/* Neither takes anything over, and what runs goes on. */
static void none_in_common_moves_nothing(void **state)
{
	(void)state;
	form_and_exchange();
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_JOINING);
	assert_int_not_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* It would never be acknowledged. */
static void nothing_is_told_again_and_again(void **state)
{
	(void)state;
	form_and_exchange();
	pair_beat(&pair, 1000);
	pair.message_size[ALPHA - 1] = pair.message_size[BETA - 1] = 0;
	pair_beat(&pair, 2000);
	assert_int_equal(pair.message_size[ALPHA - 1], 0);
	assert_int_equal(pair.message_size[BETA - 1], 0);
}

/* Nor when the one that runs it falls silent, before somebody vouches for it. */
static void none_in_common_moves_nothing_on_silence(void **state)
{
	(void)state;
	pair_form(&pair);
	speaks(ALPHA, CORE_PROTOCOL_MAX + 1, CORE_PROTOCOL_MAX + 2);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, 10000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_JOINING);
	assert_false(core_config_lease_counts(pair_core(&pair, BETA), ALPHA));
	pair_power_off(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	/* An engine that has not heard it since knows the same of its lease. */
	pair_start(&pair, BETA);
	assert_false(core_config_lease_counts(pair_core(&pair, BETA), ALPHA));
}

static void it_ends_when_one_is_exchanged_again(void **state)
{
	(void)state;
	form_and_exchange();
	pair_power_off(&pair, BETA);
	speaks(BETA, CORE_PROTOCOL_MIN, CORE_PROTOCOL_MAX);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_AGREED), 1);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(common(ALPHA, BETA), CORE_PROTOCOL_MAX);
}

/* ---- frames that cannot be opened ---- */

static void foreign(uint8_t min, uint8_t max)
{
	struct core_event ev = {.type = CORE_FOREIGN};

	ev.u.foreign.node = BETA;
	ev.u.foreign.min = min;
	ev.u.foreign.max = max;
	pair_give(&pair, ALPHA, &ev);
}

static void foreign_frames_of_a_silent_node_are_an_alarm(void **state)
{
	(void)state;
	pair_form(&pair);
	foreign(7, 9);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH), 0);
	pair_cut(&pair);
	for (unsigned i = 0; i < 5; i++)
		foreign(7, 9);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH), 1);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_PROTOCOL_MISMATCH)->reason,
			    "it speaks protocol 7 to 9, we 1 to 2");
	pair_mend(&pair);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_PROTOCOL_AGREED), 1);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_ONLINE);
	assert_int_equal(common(ALPHA, BETA), CORE_PROTOCOL_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_protocol_1_sent_is_read, setup),
		cmocka_unit_test_setup(what_we_send_protocol_1_reads, setup),
		cmocka_unit_test_setup(two_that_have_one_in_common_use_the_newest, setup),
		cmocka_unit_test_setup(none_in_common_is_an_alarm_on_both_with_both_versions,
				       setup),
		cmocka_unit_test_setup(none_in_common_moves_nothing, setup),
		cmocka_unit_test_setup(nothing_is_told_again_and_again, setup),
		cmocka_unit_test_setup(none_in_common_moves_nothing_on_silence, setup),
		cmocka_unit_test_setup(it_ends_when_one_is_exchanged_again, setup),
		cmocka_unit_test_setup(foreign_frames_of_a_silent_node_are_an_alarm, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
