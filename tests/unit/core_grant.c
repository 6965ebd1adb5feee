/* agent/core/grant.c, permit.c: exclusive groups, and a person's word. */
#include "tests/unit/core_pair.h"

static struct pair pair;

static void start_both(void)
{
	pair_init(&pair);
	pair.conf[0].group[0].exclusive = pair.conf[1].group[0].exclusive = true;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
}

static void form(void)
{
	start_both();
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

static const struct core_claim *word_of(uint16_t at, uint16_t node)
{
	return &pair_core(&pair, at)->node[node - 1].claim[0];
}

static void a_start_waits_for_the_grant_on_the_others_disk(void **state)
{
	(void)state;
	start_both();
	pair.saves_by_hand = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_saved(&pair, ALPHA, true); /* its term is reserved: it may ask */
	pair_run(&pair, 1000);
	assert_int_not_equal(word_of(BETA, ALPHA)->request, 0);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(word_of(ALPHA, BETA)->grant_to, 0);
	pair_saved(&pair, BETA, true); /* its own reservation, and then the grant */
	pair_saved(&pair, BETA, true);
	pair_run(&pair, 300);
	assert_int_equal(word_of(ALPHA, BETA)->grant_to, ALPHA);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

/* The word that it gives cannot be saved: it is not moved, and the operator is told why. */
static void a_full_disk_is_said_to_who_moves_it(void **state)
{
	const struct yoke_event *failed;

	(void)state;
	form();
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	for (int i = 0; i < 60; i++) {
		pair_saved(&pair, ALPHA, false);
		pair_run(&pair, 1100);
	}
	failed = pair_last(&pair, ALPHA, YOKE_EVENT_OPERATION_FAILED);
	assert_non_null(strstr(failed->reason, "cannot be saved"));
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
}

static void who_grants_gives_up_its_own_term(void **state)
{
	(void)state;
	form();
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term, 1);
	assert_int_equal(pair_core(&pair, BETA)->group[0].given_up, 1);
	assert_true(pair_core(&pair, BETA)->group[0].reserved > 1);
	assert_int_equal(pair_core(&pair, BETA)->group[0].grant_to, ALPHA);
}

static void a_grant_survives_the_granter(void **state)
{
	(void)state;
	form();
	assert_int_equal(pair_core(&pair, BETA)->group[0].grant_to, ALPHA);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	pair_start(&pair, BETA);
	assert_int_equal(pair_core(&pair, BETA)->group[0].grant_to, ALPHA);
	assert_int_equal(pair_core(&pair, BETA)->group[0].grant_term,
			 pair_core(&pair, ALPHA)->group[0].term);
}

static void silence_waits_for_a_person(void **state)
{
	const struct yoke_event *held;

	(void)state;
	form();
	pair_power_off(&pair, ALPHA);
	pair_silence(&pair, BETA);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_GROUP_HELD), 1);
	held = pair_last(&pair, BETA, YOKE_EVENT_GROUP_HELD);
	assert_int_equal(held->peer, ALPHA);
	assert_non_null(strstr(held->reason, "yoke confirm-down alpha"));
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_E_NOT_READY);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_told(&pair, BETA, YOKE_EVENT_NODE_CONFIRMED_DOWN), 1);
	assert_true(pair_core(&pair, BETA)->group[0].term > pair_core(&pair, ALPHA)->group[0].term);
}

static void a_node_that_is_heard_is_not_down(void **state)
{
	(void)state;
	form();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA),
			 YOKE_E_IN_CONTACT);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, BETA), YOKE_E_IN_CONTACT);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, 9), YOKE_E_NO_NODE);
	assert_false(pair_core(&pair, BETA)->node[ALPHA - 1].proven_dead);
}

/* He spoke of the silence that he saw: the next one is another. */
static void the_word_ends_with_the_silence(void **state)
{
	(void)state;
	form();
	pair_cut(&pair);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_mend(&pair);
	pair_run(&pair, 2000);
	assert_false(pair_core(&pair, BETA)->node[ALPHA - 1].proven_dead);
}

static void an_owner_cut_off_keeps_its_group(void **state)
{
	(void)state;
	form();
	pair_cut(&pair);
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	pair_mend(&pair);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

static void nobody_starts_alone_after_a_boot(void **state)
{
	(void)state;
	start_both();
	pair_run(&pair, 60000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_HELD);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_HELD);
	pair_mend(&pair);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

/* The owner's grant is on its disk before it stops, and told only then. */
static void a_switchover_has_the_grant_on_disk_first(void **state)
{
	(void)state;
	form();
	pair.saves_by_hand = true;
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, 1, BETA), YOKE_OK);
	pair_saved(&pair, BETA, true);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	assert_int_equal(word_of(BETA, ALPHA)->grant_to, 0);
	pair_saved(&pair, ALPHA, true);
	pair_saved(&pair, ALPHA, true);
	pair_run(&pair, 300);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
}

static void a_clean_leave_needs_no_grant(void **state)
{
	struct core_event leave = {.type = CORE_LEAVE};

	(void)state;
	form();
	pair_give(&pair, BETA, &leave);
	pair_run(&pair, 1000);
	pair_power_off(&pair, BETA);
	pair_silence(&pair, ALPHA);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_E_NOWHERE);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STARTED);
	pair_give(&pair, ALPHA, &leave);
	pair_run(&pair, 1000);
	assert_int_equal(pair_group(&pair, ALPHA, 1), YOKE_GROUP_STOPPED);
}

/* Our file does not have it on that node, and it runs there. */
static void what_runs_elsewhere_by_another_file_is_not_started(void **state)
{
	(void)state;
	pair_init(&pair);
	pair.conf[0].group[0].exclusive = pair.conf[1].group[0].exclusive = true;
	pair.conf[0].group[0].node_count = 1;
	pair.address[BETA - 1][0] = pair.address[BETA - 1][1] = true;
	pair_start(&pair, BETA);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STARTED);
	pair.by_hand[CORE_RUN_PREPARE] = true; /* so that it has heard of beta by then */
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	for (uint16_t r = 1; r <= PAIR_RESOURCES; r++)
		pair_result(&pair, ALPHA, r, CORE_RESULT_DONE);
	pair_run(&pair, 10000);
	assert_int_equal(pair.runs[ALPHA - 1][CORE_RUN_START], 0);
}

/* Somebody may run it by hand, and who asks, an older yoke, knows of no maintenance. */
static void nothing_is_granted_in_maintenance(void **state)
{
	struct core *beta = pair_core(&pair, BETA);
	struct core_claim *alphas = &beta->node[ALPHA - 1].claim[0];

	(void)state;
	start_both();
	pair_news(&pair, ALPHA, 1, CORE_NEWS_UNUSABLE);
	pair_news(&pair, BETA, 1, CORE_NEWS_UNUSABLE);
	pair_paths(&pair, YOKE_PATH_UP);
	pair.wire = false;
	alphas->request = 50;
	beta->rest[CORE_REST_GROUPS].on = true;
	pair_timer(&pair, BETA);
	assert_int_equal(beta->group[0].grant_to, 0);
	beta->rest[CORE_REST_GROUPS].on = false;
	pair_timer(&pair, BETA);
	assert_int_equal(beta->group[0].grant_to, ALPHA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_waits_for_the_grant_on_the_others_disk),
		cmocka_unit_test(a_full_disk_is_said_to_who_moves_it),
		cmocka_unit_test(who_grants_gives_up_its_own_term),
		cmocka_unit_test(a_grant_survives_the_granter),
		cmocka_unit_test(silence_waits_for_a_person),
		cmocka_unit_test(a_node_that_is_heard_is_not_down),
		cmocka_unit_test(the_word_ends_with_the_silence),
		cmocka_unit_test(an_owner_cut_off_keeps_its_group),
		cmocka_unit_test(nobody_starts_alone_after_a_boot),
		cmocka_unit_test(a_switchover_has_the_grant_on_disk_first),
		cmocka_unit_test(a_clean_leave_needs_no_grant),
		cmocka_unit_test(what_runs_elsewhere_by_another_file_is_not_started),
		cmocka_unit_test(nothing_is_granted_in_maintenance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
