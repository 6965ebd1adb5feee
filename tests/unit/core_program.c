/* Many groups of a program each: what waits for a place does not fail for it, and what must stop
 * does so within the bound.  Here the keeper is a table, and programs take what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/core/core.h"

enum {
	GROUPS = 40,
	HANGING = 2 * YOKE_LOOKS_MAX, /* groups whose monitor never ends, in one test */
	START_MS = 3000,
	STOP_MS = 1000,
	MONITOR_MS = 2000,
	INTERVAL_MS = 1000,
	LEASE_MS = 6000,
	NEVER_MS = 1000000, /* a program that takes so long is ended as late */
	KINDS = CORE_RUN_MONITOR + 1,
};

struct program {
	uint32_t id; /* 0: none is out */
	enum core_run_kind kind;
	enum core_result result;
	yoke_time told_at, gone_at;
};

static struct core_conf conf;
static struct core core;
static struct core_actions out;
static yoke_time now;
static struct program program[GROUPS];
static int64_t takes_ms[GROUPS][KINDS];
static bool on[GROUPS];
static unsigned most[KINDS], monitors[GROUPS], failures;
static uint32_t not_saved;

/* The keeper: one program of a resource at a time, with its time-out from when it begins. */
static void begin(const struct core_action *a)
{
	unsigned i = a->u.run.resource - 1u, count = 0;
	struct program *p = &program[i];
	yoke_time begins = yoke_time_max(now, p->gone_at);
	bool late = takes_ms[i][a->u.run.kind] > a->u.run.timeout_ms;
	bool look = a->u.run.kind == CORE_RUN_PROBE || a->u.run.kind == CORE_RUN_MONITOR;

	assert_int_equal(p->id, 0);
	p->id = a->u.run.id;
	p->kind = a->u.run.kind;
	monitors[i] += p->kind == CORE_RUN_MONITOR;
	p->told_at =
		yoke_time_add_ms(begins, late ? a->u.run.timeout_ms : takes_ms[i][a->u.run.kind]);
	p->gone_at = yoke_time_add_ms(p->told_at, late && !look ? YOKE_GONE_MS - 1 : 0);
	p->result = late    ? CORE_RESULT_FAILED
		    : !look ? CORE_RESULT_DONE
		    : on[i] ? CORE_RESULT_RUNNING
			    : CORE_RESULT_STOPPED;
	if (late && p->kind == CORE_RUN_MONITOR)
		p->result = CORE_RESULT_LATE;
	for (unsigned r = 0; r < GROUPS; r++)
		count += program[r].id != 0 && program[r].kind == p->kind;
	if (count > most[p->kind])
		most[p->kind] = count;
}

static void give(struct core_event *ev)
{
	ev->now = now;
	core_step(&core, ev, &out);
	assert_null(core_check(&core));
	for (unsigned i = 0; i < out.count; i++) {
		const struct core_action *a = &out.action[i];

		if (a->type == CORE_RUN)
			begin(a);
		if (a->type == CORE_SAVE)
			not_saved = a->u.save.version;
		if (a->type == CORE_EVENT)
			failures += a->u.event.kind == YOKE_EVENT_RESOURCE_FAILED;
		for (unsigned r = 0; a->type == CORE_CANCEL && r < GROUPS; r++)
			if (program[r].id == a->u.cancel.id)
				program[r].id = 0;
	}
}

static void timer(void)
{
	give(&(struct core_event){.type = CORE_TIMER});
}

static void end(unsigned i)
{
	struct core_event ev = {.type = CORE_RESULT};

	ev.u.result.id = program[i].id;
	ev.u.result.result = program[i].result;
	if (program[i].result == CORE_RESULT_FAILED)
		memcpy(ev.u.result.reason, "late", 5);
	if (program[i].result == CORE_RESULT_DONE)
		on[i] = program[i].kind == CORE_RUN_START;
	program[i].id = 0;
	give(&ev);
}

static void save(void)
{
	struct core_event ev = {.type = CORE_SAVED};

	ev.u.saved.version = not_saved;
	ev.u.saved.ok = true;
	not_saved = 0;
	give(&ev);
}

/* What comes first: the end of a program, or the core's deadline.  Returns false when that is later
 * than `until`. */
static bool go_on(yoke_time until)
{
	yoke_time first = core_deadline(&core);
	int which = -1;

	for (unsigned i = 0; i < GROUPS; i++)
		if (program[i].id != 0 && yoke_time_before(program[i].told_at, first)) {
			first = program[i].told_at;
			which = (int)i;
		}
	if (yoke_time_before(until, first))
		return false;
	now = yoke_time_max(now, first);
	if (which >= 0)
		end((unsigned)which);
	else
		timer();
	while (not_saved != 0)
		save();
	return true;
}

static void pass(int64_t span_ms)
{
	yoke_time until = yoke_time_add_ms(now, span_ms);

	while (go_on(until))
		;
	now = until;
}

static unsigned groups_in(enum yoke_group_state state)
{
	unsigned count = 0;

	for (unsigned g = 0; g < GROUPS; g++)
		count += core.group[g].state == state;
	return count;
}

/* Milliseconds until all groups are in a state. */
static int64_t until_all_are(enum yoke_group_state state)
{
	yoke_time since = now;

	while (groups_in(state) < GROUPS)
		assert_true(go_on(yoke_time_add_ms(since, NEVER_MS)));
	return yoke_time_span_us(since, now) / 1000;
}

static void configure(void)
{
	memset(&conf, 0, sizeof(conf));
	memset(program, 0, sizeof(program));
	memset(most, 0, sizeof(most));
	memset(monitors, 0, sizeof(monitors));
	memset(on, 0, sizeof(on));
	failures = not_saved = 0;
	now = (yoke_time){1000000};
	conf.self = conf.node_count = conf.path_count = 1;
	conf.group_count = conf.resource_count = GROUPS;
	conf.dead_ms = 1000;
	conf.late_ms = 500;
	conf.interval_ms = 100;
	conf.startup_ms = 3000;
	conf.operation_ms = 30000;
	conf.retry_ms = 60000;
	conf.incarnation = 1;
	conf.protocol_min = CORE_PROTOCOL_MIN;
	conf.protocol_max = CORE_PROTOCOL_MAX;
	for (uint16_t i = 0; i < GROUPS; i++) {
		conf.group[i] = (struct core_group_conf){
			.node = {1, 2}, .node_count = 1, .resource_first = i, .resource_count = 1};
		conf.resource[i] = (struct core_resource_conf){.group = (uint16_t)(i + 1),
							       .start_ms = START_MS,
							       .stop_ms = STOP_MS,
							       .monitor_ms = MONITOR_MS,
							       .monitor_interval_ms = INTERVAL_MS,
							       .monitor_failures = 2,
							       .restarts = 1,
							       .restart_window_ms = NEVER_MS};
		takes_ms[i][CORE_RUN_START] = START_MS - 1;
		takes_ms[i][CORE_RUN_STOP] = STOP_MS - 1;
		takes_ms[i][CORE_RUN_PROBE] = takes_ms[i][CORE_RUN_MONITOR] = 1;
	}
}

static void start_engine(void)
{
	struct core_event ev = {.type = CORE_RESOURCE};

	core_init(&core, &conf, NULL, 0, NULL, now);
	timer();
	ev.u.resource.news = CORE_NEWS_USABLE;
	for (uint16_t i = 1; i <= GROUPS; i++) {
		ev.u.resource.resource = i;
		give(&ev);
	}
}

static void all_start_and_none_fails(void **state)
{
	int64_t took_ms;

	(void)state;
	configure();
	start_engine();
	took_ms = until_all_are(YOKE_GROUP_STARTED);
	assert_int_equal(failures, 0);
	assert_int_equal(most[CORE_RUN_START], YOKE_STARTS_MAX);
	/* In three rounds, and what others start never adds more than their share of the places. */
	assert_in_range(took_ms, 2 * START_MS, 3 * START_MS);
	assert_true(took_ms <= START_MS + (GROUPS - 1) * START_MS / YOKE_STARTS_MAX);
}

static void none_waits_for_what_failed(void **state)
{
	(void)state;
	configure();
	for (unsigned i = 0; i < YOKE_STARTS_MAX; i++)
		takes_ms[i][CORE_RUN_START] = NEVER_MS;
	start_engine();
	pass(4 * START_MS);
	assert_int_equal(groups_in(YOKE_GROUP_STARTED), GROUPS - YOKE_STARTS_MAX);
	assert_int_equal(failures, YOKE_STARTS_MAX);
}

static void addresses_wait_for_no_program(void **state)
{
	(void)state;
	configure();
	conf.resource[GROUPS - 1].has_address = true;
	takes_ms[GROUPS - 1][CORE_RUN_START] = 1;
	start_engine();
	pass(START_MS + 100);
	assert_int_equal(core.group[GROUPS - 1].state, YOKE_GROUP_STARTED);
	assert_int_equal(groups_in(YOKE_GROUP_STARTED), YOKE_STARTS_MAX + 1);
}

static void a_stop_waits_for_no_other(void **state)
{
	(void)state;
	configure();
	start_engine();
	until_all_are(YOKE_GROUP_STARTED);
	give(&(struct core_event){.type = CORE_LEAVE});
	assert_true(until_all_are(YOKE_GROUP_STOPPED) <= STOP_MS);
	assert_int_equal(most[CORE_RUN_STOP], GROUPS);
	assert_int_equal(failures, 0);
}

/* An engine that starts on what runs. */
static void all_are_found_and_none_fails(void **state)
{
	(void)state;
	configure();
	memset(on, true, sizeof(on));
	for (unsigned i = 0; i < GROUPS; i++)
		takes_ms[i][CORE_RUN_PROBE] = MONITOR_MS - 1;
	start_engine();
	until_all_are(YOKE_GROUP_STARTED);
	assert_int_equal(failures, 0);
	assert_int_equal(most[CORE_RUN_PROBE], YOKE_LOOKS_MAX);
	assert_int_equal(most[CORE_RUN_STOP] + most[CORE_RUN_START], 0);
}

/* What the engine before it began still runs, and takes all the time that it has. */
static void what_waits_for_an_elder_does_not_fail(void **state)
{
	(void)state;
	configure();
	memset(on, true, sizeof(on));
	for (unsigned i = 0; i < GROUPS; i++) {
		program[i].gone_at = yoke_time_add_ms(now, START_MS + YOKE_GONE_MS - 1);
		takes_ms[i][CORE_RUN_PROBE] = MONITOR_MS - 1;
	}
	start_engine();
	until_all_are(YOKE_GROUP_STARTED);
	assert_int_equal(failures, 0);
}

static void an_elder_keeps_no_others_from_being_found(void **state)
{
	(void)state;
	configure();
	memset(on, true, sizeof(on));
	for (unsigned i = 0; i < 2 * YOKE_LOOKS_MAX; i++)
		program[i].gone_at = yoke_time_add_ms(now, START_MS + YOKE_GONE_MS - 1);
	start_engine();
	pass(2 * MONITOR_MS + 100);
	assert_int_equal(groups_in(YOKE_GROUP_STARTED), GROUPS - 2 * YOKE_LOOKS_MAX);
	until_all_are(YOKE_GROUP_STARTED);
	assert_int_equal(failures, 0);
}

/* The monitors of some hang, again and again: the others are asked all the same, and fail not. */
static void hanging_monitors_make_no_others_fail(void **state)
{
	(void)state;
	configure();
	memset(on, true, sizeof(on));
	start_engine();
	until_all_are(YOKE_GROUP_STARTED);
	for (unsigned i = 0; i < GROUPS; i++) {
		takes_ms[i][CORE_RUN_MONITOR] = i < HANGING ? NEVER_MS : 1;
		conf.resource[i].monitor_failures = core.conf.resource[i].monitor_failures = 100;
	}
	memset(monitors, 0, sizeof(monitors));
	most[CORE_RUN_MONITOR] = 0;
	pass(100 * INTERVAL_MS);
	for (unsigned i = 0; i < GROUPS; i++) {
		/* A round is that of the hanging ones: the time-out in HANGING / LOOKS turns. */
		assert_true(monitors[i] >= 100 * INTERVAL_MS / (4 * MONITOR_MS + INTERVAL_MS));
		assert_int_equal(core.resource[i].monitor_row != 0, i < HANGING);
	}
	assert_int_equal(most[CORE_RUN_MONITOR], YOKE_LOOKS_MAX);
	assert_int_equal(failures, 0);
}

/* The lease ends while one is being started again: that is late, does not go at once, and is
 * stopped then. */
static void all_stop_within_the_bound(void **state)
{
	int64_t took_ms;

	(void)state;
	configure();
	conf.node_count = 2;
	conf.arbiter_count = 1;
	conf.arbiter[0] =
		(struct core_arbiter_conf){.type = YOKE_ARBITER_TYPE_DISK, .timeout_ms = 100};
	conf.lease_ms = LEASE_MS;
	conf.ran_exclusive = true;
	conf.lease = yoke_time_add_ms(now, LEASE_MS);
	for (unsigned i = 0; i < GROUPS; i++) {
		conf.group[i].exclusive = true;
		conf.group[i].node_count = 2;
	}
	memset(on, true, sizeof(on));
	takes_ms[0][CORE_RUN_START] = NEVER_MS;
	start_engine();
	until_all_are(YOKE_GROUP_STARTED);
	pass(LEASE_MS - STOP_MS - INTERVAL_MS - 100);
	on[0] = false;
	pass(yoke_time_span_us(now, conf.lease) / 1000 - 1);
	assert_int_equal(core.group[0].state, YOKE_GROUP_STARTING);
	assert_int_equal(groups_in(YOKE_GROUP_STARTED), GROUPS - 1);
	failures = 0;
	pass(1);
	took_ms = until_all_are(YOKE_GROUP_HELD); /* stopped, and nobody is to have it yet */
	assert_int_equal(failures, 1);            /* of the start */
	assert_true(took_ms > YOKE_GONE_MS + STOP_MS);
	assert_true(took_ms <= core_stop_bound_ms(&conf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_start_and_none_fails),
		cmocka_unit_test(none_waits_for_what_failed),
		cmocka_unit_test(addresses_wait_for_no_program),
		cmocka_unit_test(a_stop_waits_for_no_other),
		cmocka_unit_test(all_are_found_and_none_fails),
		cmocka_unit_test(what_waits_for_an_elder_does_not_fail),
		cmocka_unit_test(an_elder_keeps_no_others_from_being_found),
		cmocka_unit_test(hanging_monitors_make_no_others_fail),
		cmocka_unit_test(all_stop_within_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
