/* Configurations that differ in parts: what differs is blocked and named, and the rest goes on.
 *
 * Two groups, web and db, that both run on alpha.
 */
#include "agent/core/parts.h"
#include "tests/unit/core_pair.h"

enum { WEB = 1, DB = 2 };

static struct pair pair;
static struct yoke_snapshot view;

static int setup(void **state)
{
	(void)state;
	pair_init(&pair);
	pair_two_groups(&pair, "web", "db");
	for (unsigned n = 0; n < 2; n++) {
		struct core_conf *c = &pair.conf[n];

		c->group[0].digest = 0x11111111;
		c->group[1].digest = 0x22222222;
		for (unsigned s = 0; s < CORE_SECTIONS; s++)
			c->section[s] = 0x1000 + s;
	}
	return 0;
}

static void group_differs(uint16_t node, uint16_t group)
{
	pair.conf[node - 1].group[group - 1].digest ^= 1;
	pair.conf[node - 1].digest[0] ^= 1;
}

static void section_differs(uint16_t node, enum core_section section)
{
	pair.conf[node - 1].section[section] ^= 1;
	pair.conf[node - 1].digest[0] ^= 2;
}

static void run_both(void)
{
	pair_meet(&pair);
	pair_run(&pair, 2000);
}

static const char *differs(uint16_t at, uint16_t node)
{
	core_view(pair_core(&pair, at), &view);
	return view.node[node - 1].config_differs;
}

static void equal_ones_are_equal(void **state)
{
	(void)state;
	run_both();
	assert_string_equal(differs(ALPHA, BETA), "");
	assert_true(view.node[BETA - 1].config_same);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_CONFIG_SAME), 0);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_CONFIG_DIFFERS), 0);
}

static void what_differs_is_named(void **state)
{
	(void)state;
	group_differs(BETA, DB);
	section_differs(BETA, CORE_SECTION_PATHS);
	run_both();
	assert_string_equal(differs(ALPHA, BETA), "paths, group db");
	assert_string_equal(differs(BETA, ALPHA), "paths, group db");
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_CONFIG_DIFFERS)->reason,
			    "paths, group db");
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_CONFIG_DIFFERS), 1);
	pair_run(&pair, 20000);
	assert_non_null(strstr(pair_last(&pair, ALPHA, YOKE_EVENT_NOT_READY)->reason,
			       "node beta has another configuration: paths, group db"));
}

static void another_difference_is_told_again_and_its_end(void **state)
{
	(void)state;
	group_differs(BETA, DB);
	run_both();
	pair_power_off(&pair, BETA);
	group_differs(BETA, DB);
	group_differs(BETA, WEB);
	pair.conf[BETA - 1].digest[0] = 1;
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_string_equal(pair_last(&pair, ALPHA, YOKE_EVENT_CONFIG_DIFFERS)->reason,
			    "group web");
	pair_power_off(&pair, BETA);
	group_differs(BETA, WEB);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_int_equal(pair_told(&pair, ALPHA, YOKE_EVENT_CONFIG_SAME), 1);
}

static void a_group_that_differs_is_not_switched_and_the_other_is(void **state)
{
	(void)state;
	group_differs(BETA, DB);
	run_both();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, DB, BETA), YOKE_E_DIFFERS);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_E_DIFFERS);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

static void a_group_that_differs_is_not_taken_over_and_the_other_is(void **state)
{
	(void)state;
	group_differs(BETA, DB);
	run_both();
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	pair_power_off(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
	core_view(pair_core(&pair, BETA), &view);
	for (unsigned i = 0; i < view.member_count; i++)
		if (view.member[i].group == DB && view.member[i].node == BETA)
			assert_string_equal(view.member[i].reason,
					    "its configuration of the group differs");
}

/* Neither goes first by having it: one of them starts it, and always the same one. */
static void one_that_runs_nowhere_is_started_by_the_first_node(void **state)
{
	(void)state;
	group_differs(BETA, DB);
	for (unsigned n = 0; n < 2; n++) {
		pair.conf[n].group[1].node[n] = BETA;
		pair.conf[n].group[1].node[1 - n] = ALPHA;
	}
	run_both();
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
}

/* Alpha's second group is beta's first: an operation is of the group that was named. */
static void an_operation_is_of_the_group_that_was_named(void **state)
{
	struct core_conf *c = &pair.conf[BETA - 1];
	struct core_group_conf web = c->group[0];

	(void)state;
	c->group[0] = c->group[1];
	c->group[1] = web;
	c->group[0].resource_first = 0;
	c->group[1].resource_first = 1;
	run_both();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 2), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, 1), YOKE_GROUP_STOPPED);
}

/* It is alpha's third, and beta has two: what else alpha says is heard all the same. */
static void an_operation_of_a_group_that_we_do_not_have_is_none(void **state)
{
	struct core_conf *c = &pair.conf[ALPHA - 1];

	(void)state;
	c->group_count = 3;
	c->group[2] = c->group[1];
	snprintf(c->group[2].name, YOKE_NAME_SIZE, "new");
	c->group[2].resource_count = 0;
	run_both();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_MAINTENANCE, 3, 0), YOKE_OK);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

/* Started apart, at the same term, and each is the first in its own list. */
static void of_two_that_run_it_one_goes_on(void **state)
{
	(void)state;
	group_differs(BETA, WEB);
	pair.conf[BETA - 1].group[0].node[0] = BETA;
	pair.conf[BETA - 1].group[0].node[1] = ALPHA;
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_core(&pair, ALPHA)->group[0].term,
			 pair_core(&pair, BETA)->group[0].term);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, WEB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STOPPED);
}

/* ---- who had it last ---- */

/* Beta runs db, and alpha comes back with another file for it. */
static void form_last(void)
{
	run_both();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	group_differs(ALPHA, DB);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

static void fail_on_beta(void)
{
	pair.by_hand[CORE_RUN_START] = true;
	pair.address[BETA - 1][1] = false;
	pair_news(&pair, BETA, 2, CORE_NEWS_LOST);
	pair.by_hand[CORE_RUN_START] = false;
	pair_result(&pair, BETA, 2, CORE_RESULT_FAILED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_FAILED);
}

static void expect_on_beta_only(void)
{
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	pair_run(&pair, 50000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_FAILED);
	pair_run(&pair, 20000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

static void who_had_it_last_has_it_again(void **state)
{
	(void)state;
	form_last();
	fail_on_beta();
	expect_on_beta_only();
}

/* Alpha, which would go first by its number, is not there for it. */
static void a_first_node_in_standby_keeps_nobody_from_it(void **state)
{
	(void)state;
	form_last();
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_STANDBY, 0, ALPHA), YOKE_OK);
	fail_on_beta();
	pair_core(&pair, BETA)->group[1].owner = 0; /* of an engine that has not seen it */
	expect_on_beta_only();
}

/* What is told of alpha is another cause: it is no word on who goes first. */
static void nor_does_one_that_cannot_run_it(void **state)
{
	(void)state;
	form_last();
	pair_news(&pair, ALPHA, 2, CORE_NEWS_UNUSABLE);
	fail_on_beta();
	expect_on_beta_only();
	pair_news(&pair, ALPHA, 2, CORE_NEWS_USABLE);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* Its engine has not seen that it ran here: alpha says so. */
static void who_had_it_last_is_told(void **state)
{
	(void)state;
	form_last();
	fail_on_beta();
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* Only beta knows: then both go by their numbers. */
static void who_had_it_last_is_not_known_to_all(void **state)
{
	(void)state;
	form_last();
	fail_on_beta();
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	pair_run(&pair, 90000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
}

static void let_people_move_db(void)
{
	for (uint16_t n = ALPHA; n <= BETA; n++)
		pair.conf[n - 1].group[DB - 1].manual = true;
}

/* What only people move starts where it ran, also when no engine has seen that: by its own word. */
static void who_had_it_last_says_so_of_what_people_move(void **state)
{
	(void)state;
	let_people_move_db();
	form_last();
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* Alpha saw beta fail to start it; it ran on alpha all the same, and beta knows. */
static void who_only_failed_to_start_it_did_not_have_it(void **state)
{
	(void)state;
	let_people_move_db();
	group_differs(BETA, DB);
	run_both();
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	pair_power_off(&pair, ALPHA);
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	pair_core(&pair, ALPHA)->group[DB - 1].owner = BETA;
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
}

/* People take it from there. */
static void who_had_it_last_and_is_in_standby_is_not_waited_for(void **state)
{
	(void)state;
	form_last();
	fail_on_beta();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_STANDBY, 0, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_ONLINE, 0, BETA), YOKE_OK);
	pair_run(&pair, 90000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
}

/* ---- a node that runs what our file does not have there ---- */

/* Beta runs db.  Then comes a file for alpha in which only alpha has it. */
static void take_beta_out(void)
{
	pair.conf[ALPHA - 1].group[1].exclusive = pair.conf[BETA - 1].group[1].exclusive = true;
	run_both();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, DB, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	pair.conf[ALPHA - 1].group[1].node_count = 1;
	group_differs(ALPHA, DB);
}

static void one_that_is_no_member_runs_it_alone(void **state)
{
	(void)state;
	take_beta_out();
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_core(&pair, ALPHA)->group[1].grant_to = 0; /* it has it by other means */
	pair_run(&pair, 500);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 20000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	/* Its engine restarts: it has said nothing yet, and then that it does not know. */
	pair.by_hand[CORE_RUN_PROBE] = true;
	pair.wire = false;
	pair_start(&pair, BETA);
	pair_message(&pair, ALPHA, pair.conf[BETA - 1].incarnation, pair.beat[BETA - 1],
		     pair.beat_size[BETA - 1]);
	pair_run(&pair, 2000);
	assert_int_equal(pair_node(&pair, ALPHA, BETA), YOKE_NODE_JOINING);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 2000);
	assert_int_equal(pair_core(&pair, ALPHA)->node[BETA - 1].claim[1].state,
			 YOKE_GROUP_UNKNOWN);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	/* And dies. */
	pair_power_off(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 20000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
}

/* What it was granted is known to an engine that never heard it. */
static void what_one_that_is_no_member_was_granted_needs_proof(void **state)
{
	(void)state;
	take_beta_out();
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	pair_run(&pair, 20000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_HELD);
	assert_int_equal(pair_ask(&pair, ALPHA, YOKE_VERB_CONFIRM_DOWN, 0, BETA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
}

/* Its last word was that it asks for it: it may have it by now.  It is never granted: exclusive by
 * alpha's file only. */
static void what_was_asked_for_is_not_taken_over(void **state)
{
	(void)state;
	pair.conf[ALPHA - 1].group[1].exclusive = true;
	group_differs(BETA, DB);
	run_both();
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_true(pair_core(&pair, BETA)->node[ALPHA - 1].claim[1].request != 0);
	pair_power_off(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 10000);
	assert_int_equal(pair_node(&pair, BETA, ALPHA), YOKE_NODE_LOST);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, WEB), YOKE_GROUP_STARTED);
}

static void one_that_never_had_it_is_not_waited_for(void **state)
{
	(void)state;
	pair.conf[ALPHA - 1].group[1].exclusive = true;
	pair.conf[ALPHA - 1].group[1].node_count = 1;
	pair_start(&pair, ALPHA);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
}

static void of_two_that_run_it_the_higher_term_goes_on(void **state)
{
	struct core_group *theirs = &pair_core(&pair, BETA)->group[1];

	(void)state;
	pair.conf[ALPHA - 1].group[1].node_count = 1;
	group_differs(ALPHA, DB);
	pair.wire = false;
	pair_start(&pair, ALPHA);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_DOWN);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	theirs->term = theirs->reserved = theirs->term + 5;
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 5000);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
}

/* By the other's file it must not run on two. */
static void one_that_is_parallel_here_only_is_not_started_beside_it(void **state)
{
	(void)state;
	pair.conf[ALPHA - 1].group[1].parallel = true;
	pair.conf[BETA - 1].group[1].exclusive = true;
	group_differs(ALPHA, DB);
	pair_start(&pair, BETA);
	pair_run(&pair, 10000);
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_CONFIRM_DOWN, 0, ALPHA), YOKE_OK);
	pair_run(&pair, 2000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	pair_start(&pair, ALPHA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 10000);
	assert_int_equal(pair_group(&pair, BETA, DB), YOKE_GROUP_STARTED);
	assert_int_equal(pair_group(&pair, ALPHA, DB), YOKE_GROUP_STOPPED);
}

static void other_nodes_block_every_group(void **state)
{
	(void)state;
	section_differs(BETA, CORE_SECTION_NODES);
	run_both();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_E_DIFFERS);
}

static void other_paths_block_nothing(void **state)
{
	(void)state;
	section_differs(BETA, CORE_SECTION_PATHS);
	run_both();
	assert_int_equal(pair_ask(&pair, BETA, YOKE_VERB_SWITCH, WEB, BETA), YOKE_OK);
}

/* An older yoke tells the whole only: nothing is blocked that was not. */
static void what_is_not_told_by_section_blocks_no_group(void **state)
{
	struct core_sections none = {.known = false};
	static const uint8_t other[CORE_DIGEST_SIZE] = {9};
	struct core *alpha;

	(void)state;
	run_both();
	alpha = pair_core(&pair, ALPHA);
	memset(&pair.out, 0, sizeof(pair.out));
	core_config_told(alpha, &pair.out, BETA, other, &none);
	assert_string_equal(differs(ALPHA, BETA), "its sections are not known");
	assert_false(core_config_blocks(alpha, WEB));
	assert_false(core_config_group_same(alpha, BETA, WEB));
	assert_false(core_config_lease_counts(alpha, BETA));
}

static void leases_count_when_what_they_hang_on_is_the_same(void **state)
{
	static const bool counts[CORE_SECTIONS] = {[CORE_SECTION_PATHS] = true};

	for (unsigned s = 0; s < CORE_SECTIONS; s++) {
		setup(state);
		section_differs(BETA, (enum core_section)s);
		group_differs(BETA, DB);
		run_both();
		assert_int_equal(core_config_lease_counts(pair_core(&pair, ALPHA), BETA),
				 counts[s]);
	}
}

/* What the other has is not known to an engine that has not heard it. */
static void a_lease_that_did_not_count_does_not_after_a_restart(void **state)
{
	(void)state;
	section_differs(BETA, CORE_SECTION_CLUSTER);
	run_both();
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	assert_false(core_config_lease_counts(pair_core(&pair, ALPHA), BETA));
	pair_run(&pair, 10000);
	pair_start(&pair, ALPHA);
	assert_false(core_config_lease_counts(pair_core(&pair, ALPHA), BETA));
	section_differs(BETA, CORE_SECTION_CLUSTER);
	pair_start(&pair, BETA);
	pair_paths(&pair, YOKE_PATH_UP);
	pair_run(&pair, 1000);
	assert_true(core_config_lease_counts(pair_core(&pair, ALPHA), BETA));
	pair_power_off(&pair, BETA);
	pair_start(&pair, ALPHA);
	assert_true(core_config_lease_counts(pair_core(&pair, ALPHA), BETA));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_ones_are_equal, setup),
		cmocka_unit_test_setup(what_differs_is_named, setup),
		cmocka_unit_test_setup(another_difference_is_told_again_and_its_end, setup),
		cmocka_unit_test_setup(a_group_that_differs_is_not_switched_and_the_other_is,
				       setup),
		cmocka_unit_test_setup(a_group_that_differs_is_not_taken_over_and_the_other_is,
				       setup),
		cmocka_unit_test_setup(one_that_runs_nowhere_is_started_by_the_first_node, setup),
		cmocka_unit_test_setup(who_had_it_last_has_it_again, setup),
		cmocka_unit_test_setup(a_first_node_in_standby_keeps_nobody_from_it, setup),
		cmocka_unit_test_setup(nor_does_one_that_cannot_run_it, setup),
		cmocka_unit_test_setup(who_had_it_last_is_told, setup),
		cmocka_unit_test_setup(who_had_it_last_is_not_known_to_all, setup),
		cmocka_unit_test_setup(who_had_it_last_says_so_of_what_people_move, setup),
		cmocka_unit_test_setup(who_only_failed_to_start_it_did_not_have_it, setup),
		cmocka_unit_test_setup(who_had_it_last_and_is_in_standby_is_not_waited_for, setup),
		cmocka_unit_test_setup(an_operation_is_of_the_group_that_was_named, setup),
		cmocka_unit_test_setup(an_operation_of_a_group_that_we_do_not_have_is_none, setup),
		cmocka_unit_test_setup(of_two_that_run_it_one_goes_on, setup),
		cmocka_unit_test_setup(one_that_is_no_member_runs_it_alone, setup),
		cmocka_unit_test_setup(what_one_that_is_no_member_was_granted_needs_proof, setup),
		cmocka_unit_test_setup(what_was_asked_for_is_not_taken_over, setup),
		cmocka_unit_test_setup(one_that_never_had_it_is_not_waited_for, setup),
		cmocka_unit_test_setup(of_two_that_run_it_the_higher_term_goes_on, setup),
		cmocka_unit_test_setup(one_that_is_parallel_here_only_is_not_started_beside_it,
				       setup),
		cmocka_unit_test_setup(other_nodes_block_every_group, setup),
		cmocka_unit_test_setup(other_paths_block_nothing, setup),
		cmocka_unit_test_setup(what_is_not_told_by_section_blocks_no_group, setup),
		cmocka_unit_test_setup(leases_count_when_what_they_hang_on_is_the_same, setup),
		cmocka_unit_test_setup(a_lease_that_did_not_count_does_not_after_a_restart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
