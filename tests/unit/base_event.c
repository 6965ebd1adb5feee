/* Events as text: every kind, and numbers that name nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/base/event.h"

static struct yoke_names names = {
	.cluster = "c",
	.node = {"alpha", "beta"},
	.path = {"blue"},
	.group = {"web"},
	.resource = {"vip"},
	.node_count = 2,
	.path_count = 1,
	.group_count = 1,
	.resource_count = 1,
};

static void numbers_become_names(void **state)
{
	struct yoke_event ev = {
		.kind = YOKE_EVENT_GROUP_STARTED, .node = 2, .group = 1, .value = 7};

	(void)state;
	snprintf(ev.reason, sizeof(ev.reason), "because");
	yoke_event_render(&ev, &names);
	assert_string_equal(ev.text, "group web runs on beta at term 7: because");
	assert_int_equal(ev.severity, YOKE_SEVERITY_INFO);
}

static void numbers_that_name_nothing(void **state)
{
	struct yoke_event ev = {.kind = YOKE_EVENT_GROUP_CONFLICT, .node = 9, .group = 65535};

	(void)state;
	yoke_event_render(&ev, &names);
	assert_string_equal(ev.text, "group - runs on - and on -: no reason given");
	ev.kind = 9999;
	yoke_event_render(&ev, &names);
	assert_string_equal(ev.text, "unknown event");
	assert_string_equal(yoke_event_name(9999), "?");
	assert_string_equal(yoke_event_name(-1), "?");
	assert_string_equal(yoke_event_notification(0), "");
	assert_int_equal(yoke_event_severity(9999), YOKE_SEVERITY_UNKNOWN);
}

static void every_kind_is_whole(void **state)
{
	(void)state;
	for (int kind = 1; kind < YOKE_EVENT_KINDS_END; kind++) {
		struct yoke_event ev = {.kind = (uint16_t)kind,
					.node = 1,
					.peer = 2,
					.path = 1,
					.group = 1,
					.resource = 1,
					.verb = YOKE_VERB_SWITCH,
					.origin = YOKE_ORIGIN_CLI};
		const char *name = yoke_event_name(kind);

		snprintf(ev.reason, sizeof(ev.reason), "why");
		yoke_event_render(&ev, &names);
		assert_true(strlen(ev.text) > 10);
		assert_null(strchr(ev.text, '{'));
		assert_null(strchr(ev.text, '?'));
		assert_in_range(yoke_event_severity(kind), YOKE_SEVERITY_INFO,
				YOKE_SEVERITY_CRITICAL);
		assert_true(strlen(name) > 3);
		for (const char *p = name; *p != '\0'; p++)
			assert_true((*p >= 'a' && *p <= 'z') || *p == '_');
	}
}

static void the_longest_text_is_cut(void **state)
{
	struct yoke_event ev = {.kind = YOKE_EVENT_GROUP_HELD, .node = 1, .peer = 2, .group = 1};
	struct yoke_names longest = names;

	(void)state;
	memset(longest.group[0], 'g', YOKE_NAME_SIZE - 1);
	memset(longest.node[1], 'n', YOKE_NAME_SIZE - 1);
	memset(ev.reason, 'r', sizeof(ev.reason) - 1);
	yoke_event_render(&ev, &longest);
	assert_true(strlen(ev.text) < sizeof(ev.text));
}

static void names_by_number(void **state)
{
	(void)state;
	assert_string_equal(yoke_name_of(names.node, 2, 1), "alpha");
	assert_string_equal(yoke_name_of(names.node, 2, 2), "beta");
	assert_string_equal(yoke_name_of(names.node, 2, 0), "-");
	assert_string_equal(yoke_name_of(names.node, 2, 3), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_become_names), cmocka_unit_test(numbers_that_name_nothing),
		cmocka_unit_test(every_kind_is_whole),  cmocka_unit_test(the_longest_text_is_cut),
		cmocka_unit_test(names_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
