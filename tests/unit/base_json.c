/* The control socket's language: every field survives a round trip, and nothing that a stranger
 * sends does harm.  Records are filled by the same tables that json.c uses; covers() proves that
 * the tables leave no field of the structs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/base/json.h"
#include "agent/base/json_fields.h"

enum { MUTATIONS = 5000, FILL_WORDS = 4 };

static _Alignas(16) uint8_t arena_bytes[YOKE_JSON_ARENA_SIZE];
static struct yoke_snapshot full, back;
static struct yoke_answer answer, answer_back;
static char line[YOKE_LINE_SIZE];
static char mutant[YOKE_LINE_SIZE];
static char why[YOKE_REASON_SIZE];

static uint32_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}

/* A text that fills its place; `odd` puts in what JSON must escape. */
static void fill_text(char *place, size_t size, const char *pattern)
{
	size_t i, len = strlen(pattern);

	for (i = 0; i + 1 < size; i++)
		place[i] = pattern[i % len];
	place[size - 1] = '\0';
	yoke_json_tidy(place);
}

static void fill_row(const struct yoke_json_field *fields, uint8_t *row, const char *pattern)
{
	const struct yoke_json_field *f;
	unsigned i;

	for (f = fields; f->key != NULL; f++) {
		uint8_t *place = row + f->offset;
		uint64_t most = UINT64_MAX >> (64 - 8 * (f->size < 8 ? f->size : 8));

		switch (f->kind) {
		case YOKE_JSON_TEXT:
			fill_text((char *)place, f->size, pattern);
			break;
		case YOKE_JSON_BOOLEAN:
			*(bool *)place = true;
			break;
		case YOKE_JSON_UNSIGNED:
		case YOKE_JSON_SIGNED:
			yoke_json_store(place, f->size, most > INT64_MAX ? INT64_MAX : most);
			break;
		case YOKE_JSON_WORD:
			for (i = FILL_WORDS; strcmp(f->word((int)i), "?") == 0; i--)
				;
			yoke_json_store(place, f->size, i);
			break;
		case YOKE_JSON_SUBJECT:
			yoke_json_store(place, f->size, 1 + random_next() % FILL_WORDS);
			break;
		case YOKE_JSON_STATES:
			for (i = 0; i < YOKE_NODES_MAX; i++)
				yoke_json_store(place + i * sizeof(int), sizeof(int), 1 + i);
			break;
		default:
			yoke_json_store(place, f->size, 1 + random_next() % YOKE_NODES_MAX);
			break;
		}
	}
}

static void fill_table(const struct yoke_json_table *table, void *record, size_t count,
		       const char *pattern)
{
	uint8_t *base = record;
	size_t i;

	for (i = 0; i < count; i++)
		fill_row(table->fields, base + table->offset + i * table->row_size, pattern);
	yoke_json_store(base + table->count_offset, sizeof(uint32_t), count);
}

/* Everything at its limit. */
static void fill_all(const char *pattern)
{
	size_t i;

	memset(&full, 0, sizeof(full));
	memset(&answer, 0, sizeof(answer));
	fill_row(yoke_json_snapshot_fields, (uint8_t *)&full, pattern);
	for (i = 0; i < YOKE_JSON_SNAPSHOT_TABLES; i++) {
		const struct yoke_json_table *t = &yoke_json_snapshot_tables[i];

		fill_table(t, &full, t->size / t->row_size, pattern);
	}
	fill_table(&yoke_json_event_table, &answer, YOKE_PULL_EVENTS_MAX, pattern);
	answer.missed = 77;
}

static void names_at_limit(struct yoke_names *names, const char *pattern)
{
	unsigned i;

	memset(names, 0, sizeof(*names));
	names->node_count = YOKE_NODES_MAX;
	names->path_count = YOKE_PATHS_MAX;
	names->group_count = YOKE_GROUPS_MAX;
	names->resource_count = YOKE_RESOURCES_MAX;
	for (i = 0; i < YOKE_NODES_MAX; i++)
		fill_text(names->node[i], YOKE_NAME_SIZE, pattern);
	for (i = 0; i < YOKE_PATHS_MAX; i++)
		fill_text(names->path[i], YOKE_NAME_SIZE, pattern);
	for (i = 0; i < YOKE_GROUPS_MAX; i++)
		fill_text(names->group[i], YOKE_NAME_SIZE, pattern);
	for (i = 0; i < YOKE_RESOURCES_MAX; i++)
		fill_text(names->resource[i], YOKE_NAME_SIZE, pattern);
}

/* Bytes of the row that no field stands for must be too few for a field of the next one's size. */
static void covers(const struct yoke_json_field *fields, size_t row_size, size_t from)
{
	size_t at = from;

	while (at < row_size) {
		const struct yoke_json_field *f, *next = NULL;

		for (f = fields; f->key != NULL; f++)
			if (f->offset >= at && (next == NULL || f->offset < next->offset))
				next = f;
		if (next == NULL) {
			assert_true(row_size - at < 8);
			return;
		}
		if (next->offset - at >= (next->size <= 8 ? next->size : 4))
			fail_msg("a field before \"%s\" is missing", next->key);
		at = next->offset + next->size;
	}
}

static void test_tables_leave_nothing_out(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < YOKE_JSON_SNAPSHOT_TABLES; i++)
		covers(yoke_json_snapshot_tables[i].fields, yoke_json_snapshot_tables[i].row_size,
		       0);
	covers(yoke_json_event_table.fields, yoke_json_event_table.row_size, 0);
	covers(yoke_json_snapshot_fields, offsetof(struct yoke_snapshot, node_count), 0);
	assert_in_range(offsetof(struct yoke_snapshot, node) -
				offsetof(struct yoke_snapshot, node_count),
			YOKE_JSON_SNAPSHOT_TABLES * sizeof(uint32_t),
			YOKE_JSON_SNAPSHOT_TABLES * sizeof(uint32_t) + 4);
}

/* Write everything at its limit; returns the line's length. */
static int put_full(const char *pattern)
{
	static struct yoke_names names;
	int len;

	fill_all(pattern);
	names_at_limit(&names, pattern);
	len = yoke_json_put_answer(&answer, &full, &names, line, sizeof(line));
	if (len < 0)
		fail_msg("a full answer of '%s' does not fit", pattern);
	assert_int_equal(strlen(line), len);
	assert_int_equal(line[len - 1], '\n');
	assert_null(memchr(line, '\n', (size_t)len - 1));
	return len;
}

/* Returns how many events came through; all that came are equal. */
static unsigned round_trip(const char *pattern)
{
	int len = put_full(pattern);

	memset(&back, 0x5a, sizeof(back));
	if (yoke_json_get_answer(line, (size_t)len, &answer_back, &back, why) != 0)
		fail_msg("%s", why);
	assert_true(answer_back.has_snapshot);
	assert_memory_equal(&full, &back, sizeof(full));
	assert_int_equal(answer_back.missed, answer.missed);
	assert_memory_equal(answer.event, answer_back.event,
			    answer_back.event_count * sizeof(answer.event[0]));
	print_message("full answer of '%s': %d of %d bytes, %u events\n", pattern, len,
		      YOKE_LINE_SIZE, answer_back.event_count);
	return answer_back.event_count;
}

static void test_full_answer_round_trip(void **state)
{
	(void)state;
	assert_int_equal(round_trip("x"), YOKE_PULL_EVENTS_MAX);
	assert_int_equal(round_trip("\xc3\xa4."), YOKE_PULL_EVENTS_MAX);
}

/* Text that JSON must escape takes twice the place: the events that do not fit come later. */
static void test_events_are_left_for_later(void **state)
{
	(void)state;
	assert_in_range(round_trip("\""), 1, YOKE_PULL_EVENTS_MAX);
	assert_in_range(round_trip("\\"), 1, YOKE_PULL_EVENTS_MAX);
}

static void test_full_answer_fits_the_arena(void **state)
{
	(void)state;
	put_full("x");
	put_full("\"");
}

static void test_small_answers_round_trip(void **state)
{
	struct yoke_answer kick = {.is_kick = true, .kick_seq = 12};
	struct yoke_answer operation = {.operation = 1u << 24 | 3};
	struct yoke_answer refused = {.verdict = YOKE_E_NOT_READY};
	const struct yoke_answer *all[] = {&kick, &operation, &refused};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		int len = yoke_json_put_answer(all[i], NULL, NULL, line, sizeof(line));

		assert_true(len > 0);
		assert_int_equal(yoke_json_get_answer(line, (size_t)len, &answer_back, &back, why),
				 0);
		assert_false(answer_back.has_snapshot);
		assert_memory_equal(all[i], &answer_back, sizeof(answer_back));
	}
	assert_non_null(strstr(line, "\"error\":\"not-ready\""));
	assert_non_null(strstr(line, "\"advice\":\""));
}

/* The member "events" is there for a reader that asked for events, even when there are none. */
static void test_no_events(void **state)
{
	static const struct yoke_answer none;

	(void)state;
	assert_true(yoke_json_put_answer(&none, NULL, NULL, line, sizeof(line)) > 0);
	assert_string_equal(line, "{\"ok\":true,\"missed\":0,\"events\":[]}\n");
}

static void test_words_and_names_are_for_people(void **state)
{
	static struct yoke_names names;
	static struct yoke_answer one;

	(void)state;
	memset(&full, 0, sizeof(full));
	full.node_count = 2;
	full.group_count = 1;
	full.group[0].owner = 2;
	snprintf(full.node[1].name, YOKE_NAME_SIZE, "beta");
	full.node[1].state = YOKE_NODE_ONLINE;
	names.node_count = 1;
	snprintf(names.node[0], YOKE_NAME_SIZE, "alpha");
	one.event_count = 1;
	one.event[0].kind = YOKE_EVENT_PATH_UP;
	one.event[0].node = 1;
	one.event[0].path = 2;
	one.event[0].to = YOKE_PATH_ONE_WAY;
	assert_true(yoke_json_put_answer(&one, &full, &names, line, sizeof(line)) > 0);
	assert_non_null(strstr(line, "\"name\":\"beta\",\"state\":\"online\""));
	assert_non_null(strstr(line, "\"owner\":2,\"owner_name\":\"beta\""));
	assert_non_null(strstr(line, "\"kind\":\"path_up\""));
	assert_non_null(strstr(line, "\"node\":1,\"node_name\":\"alpha\""));
	assert_non_null(strstr(line, "\"path\":2,\"path_name\":\"-\""));
	assert_non_null(strstr(line, "\"to\":\"oneWay\""));
	assert_null(strstr(line, "\"resource\":"));
}

static void test_text_is_made_printable(void **state)
{
	static struct yoke_answer one;

	(void)state;
	one.event_count = 1;
	snprintf(one.event[0].text, YOKE_TEXT_SIZE,
		 "a\033[2J\nb\xc3|\xff|\xc2\x9b|\xed\xa0\x80.\xc3\xa4");
	assert_true(yoke_json_put_answer(&one, NULL, NULL, line, sizeof(line)) > 0);
	assert_non_null(strstr(line, "\"a?[2J?b?|?|?"
				     "?|?"
				     "?"
				     "?.\xc3\xa4\""));
	/* Coming in, too: the escape below is JSON's own. */
	snprintf(line, sizeof(line), "{\"do\":\"standby\",\"reason\":\"x\\u001b[2J\\ny\"}");
	{
		struct yoke_request request;

		assert_int_equal(yoke_json_get_request(line, strlen(line), &request, why), 0);
		assert_string_equal(request.reason, "x?[2J?y");
	}
}

static void test_requests_round_trip(void **state)
{
	static const struct yoke_request all[] = {
		{.kind = YOKE_REQUEST_STATUS},
		{.kind = YOKE_REQUEST_PULL, .after = 123456789012345},
		{.kind = YOKE_REQUEST_EVENTS, .after = 1},
		{.kind = YOKE_REQUEST_SUBSCRIBE},
		{.kind = YOKE_REQUEST_OPERATE,
		 .verb = YOKE_VERB_SWITCH,
		 .group = "web",
		 .node = "beta",
		 .by = "ann",
		 .reason = "kernel update"},
		{.kind = YOKE_REQUEST_PIECE, .node = "beta"},
		{.kind = YOKE_REQUEST_PIECE,
		 .node = "beta",
		 .piece_size = 5,
		 .piece = {0, 1, 0x7f, 0x80, 0xff}},
		{.kind = YOKE_REQUEST_OPERATE, .verb = YOKE_VERB_FAILBACK},
		{.kind = YOKE_REQUEST_OPERATE, .verb = YOKE_VERB_STANDBY, .node = "alpha"},
		{.kind = YOKE_REQUEST_OPERATE, .verb = YOKE_VERB_ONLINE, .node = "alpha"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct yoke_request request;
		int len = yoke_json_put_request(&all[i], line, YOKE_REQUEST_SIZE);

		assert_true(len > 0);
		assert_int_equal(yoke_json_get_request(line, (size_t)len, &request, why), 0);
		assert_memory_equal(&request, &all[i], sizeof(request));
	}
}

/* The longest request fits into YOKE_REQUEST_SIZE, whatever it is made of. */
static void test_longest_request_fits(void **state)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_OPERATE, .verb = YOKE_VERB_FAILBACK};

	(void)state;
	fill_text(request.group, sizeof(request.group), "\"");
	fill_text(request.node, sizeof(request.node), "\"");
	fill_text(request.by, sizeof(request.by), "\"");
	fill_text(request.reason, sizeof(request.reason), "\"");
	assert_true(yoke_json_put_request(&request, line, YOKE_REQUEST_SIZE) > 0);
	request = (struct yoke_request){.kind = YOKE_REQUEST_PIECE, .piece_size = YOKE_PIECE_SIZE};
	fill_text(request.node, sizeof(request.node), "n");
	assert_true(yoke_json_put_request(&request, line, YOKE_REQUEST_SIZE) > 0);
}

static void test_pieces_round_trip(void **state)
{
	static struct yoke_answer with = {
		.has_news = true,
		.news = {.way = 8, .room = YOKE_PIECE_SIZE, .turn_ms = 60000, .heard = UINT32_MAX},
	};
	int len;

	(void)state;
	with.news.size = YOKE_PIECE_SIZE;
	for (unsigned i = 0; i < YOKE_PIECE_SIZE; i++)
		with.news.bytes[i] = (uint8_t)(i * 7);
	for (unsigned i = 0; i < 2; i++) {
		len = yoke_json_put_answer(&with, NULL, NULL, line, sizeof(line));
		assert_true(len > 0);
		assert_int_equal(yoke_json_get_answer(line, (size_t)len, &answer_back, NULL, why),
				 0);
		assert_memory_equal(&answer_back, &with, sizeof(with));
		memset(&with.news, 0, sizeof(with.news)); /* there is no way, and nothing came */
	}
}

static void test_a_small_buffer_is_refused(void **state)
{
	int len, size;

	(void)state;
	fill_all("x");
	full.node_count = full.link_count = full.group_count = full.member_count = 1;
	full.resource_count = full.operation_count = 1;
	answer.event_count = 0;
	len = yoke_json_put_answer(&answer, &full, NULL, line, sizeof(line));
	assert_true(len > 0);
	for (size = 0; size <= len; size++)
		assert_int_equal(yoke_json_put_answer(&answer, &full, NULL, mutant, (size_t)size),
				 -1);
	assert_int_equal(yoke_json_put_answer(&answer, &full, NULL, mutant, (size_t)len + 1), len);
}

static void test_bad_requests_are_explained(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"", "not JSON"},
		{"\n", "not JSON"},
		{"hello", "not JSON"},
		{"[]", "not a JSON object"},
		{"{}", "\"do\" is missing"},
		{"{\"do\":7}", "\"do\" is missing"},
		{"{\"do\":\"status\"", "not JSON"},
		{"{\"do\":\"status\"} x", "not JSON"},
		{"{\"do\":\"status\",\"do\":\"pull\"}", "not JSON"},
		{"{\"do\":\"explode\"}", "there is no \"explode\""},
		{"{\"do\":\"unknown\"}", "there is no \"unknown\""},
		{"{\"do\":\"pull\",\"after\":-1}", "\"after\""},
		{"{\"do\":\"pull\",\"after\":\"1\"}", "\"after\""},
		{"{\"do\":\"pull\",\"after\":99999999999999999999}", "not JSON"},
		{"{\"do\":\"pull\",\"after\":1e999}", "not JSON"},
		{"{\"do\":\"switch\",\"group\":7}", "\"group\" must be a string"},
		{"{\"do\":\"switch\",\"group\":\"12345678901234567890123456789012\"}",
		 "\"group\" is longer than 31 bytes"},
		{"{\"do\":\"standby\",\"node\":\"\\u0000\"}", "not JSON"},
		{"{\"do\":\"piece\",\"piece\":\"00\"}", "\"node\" is missing"},
		{"{\"do\":\"piece\",\"node\":\"b\",\"piece\":\"0\"}", "\"piece\" is too long"},
		{"{\"do\":\"piece\",\"node\":\"b\",\"piece\":\"0G\"}", "hexadecimal"},
		{"{\"do\":\"standby\",\"node\":\"\xff\"}", "not JSON"},
	};
	struct yoke_request request;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_int_equal(
			yoke_json_get_request(bad[i].line, strlen(bad[i].line), &request, why), -1);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("%s: expected '%s', got '%s'", bad[i].line, bad[i].why, why);
	}
}

static void test_bad_answers_are_explained(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"{\"snapshot\":{}}", "\"ok\" is missing"},
		{"{\"ok\":1}", "\"ok\""},
		{"{\"kick\":\"x\"}", "\"kick\""},
		{"{\"ok\":true,\"operation\":4294967296}", "\"operation\""},
		{"{\"ok\":true,\"events\":{}}", "\"events\" must be an array"},
		{"{\"ok\":true,\"events\":[7]}", "events: \"events\" has a row"},
		{"{\"ok\":true,\"events\":[{\"seq\":-1}]}", "events: \"seq\" is out of range"},
		{"{\"ok\":true,\"events\":[{\"node\":5}]}", "refers to one that is not there"},
		{"{\"ok\":true,\"snapshot\":[]}", "\"snapshot\" must be an object"},
		{"{\"ok\":true,\"snapshot\":{\"self\":1}}", "\"self\" refers to one"},
		{"{\"ok\":true,\"snapshot\":{\"nodes\":[{},{},{},{},{}]}}", "more rows"},
		{"{\"ok\":true,\"snapshot\":{\"nodes\":[{}],\"groups\":[{\"owner\":2}]}}",
		 "groups: \"owner\" refers to one"},
		{"{\"ok\":true,\"snapshot\":{\"dead_ms\":4294967296}}", "out of range"},
		{"{\"ok\":true,\"snapshot\":{\"realtime\":1}}", "true or false"},
		{"{\"ok\":true,\"snapshot\":{\"nodes\":[{\"state\":3}]}}", "must be a word"},
		{"{\"ok\":true,\"snapshot\":{\"resources\":[{\"state\":\"up\"}]}}",
		 "an array with"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_int_equal(yoke_json_get_answer(bad[i].line, strlen(bad[i].line),
						      &answer_back, &back, why),
				 -1);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("%s: expected '%s', got '%s'", bad[i].line, bad[i].why, why);
	}
}

/* A newer engine may know more words and members than this reader. */
static void test_what_is_new_is_tolerated(void **state)
{
	const char *text = "{\"ok\":true,\"later\":[{}],\"snapshot\":{\"nodes\":[{\"name\":\"a\","
			   "\"state\":\"sleeping\",\"mood\":1}]},\"events\":[{\"kind\":\"moon\"}]}";

	(void)state;
	assert_int_equal(yoke_json_get_answer(text, strlen(text), &answer_back, &back, why), 0);
	assert_int_equal(back.node[0].state, YOKE_NODE_UNKNOWN);
	assert_int_equal(answer_back.event[0].kind, YOKE_EVENT_NONE);
	text = "{\"ok\":false,\"error\":\"tired\"}";
	assert_int_equal(yoke_json_get_answer(text, strlen(text), &answer_back, NULL, why), 0);
	assert_int_equal(answer_back.verdict, YOKE_E_REQUEST);
}

static void test_deep_and_huge_lines(void **state)
{
	static const char *const units[] = {"[", "{\"a\":", "{\"do\":\"", "\"", "9", "[0,", "\xff"};
	struct yoke_request request;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i]);

		for (at = 0; at + len <= sizeof(line); at += len)
			memcpy(line + at, units[i], len);
		assert_int_equal(yoke_json_get_request(line, at, &request, why), -1);
		assert_int_equal(yoke_json_get_request(line, YOKE_REQUEST_SIZE, &request, why), -1);
		assert_int_equal(yoke_json_get_answer(line, at, &answer_back, &back, why), -1);
	}
}

static void mutate(size_t *len)
{
	unsigned changes = 1 + random_next() % 4;
	size_t at, n;

	while (changes-- > 0 && *len > 2) {
		at = random_next() % (*len - 1);
		n = 1 + random_next() % 8;
		if (n > *len - at)
			n = *len - at;
		switch (random_next() % 5) {
		case 0:
			mutant[at] = (char)random_next();
			break;
		case 1:
			mutant[at] = "{}[]\",:0-\\"[random_next() % 10];
			break;
		case 2: /* cut a piece out */
			memmove(mutant + at, mutant + at + n, *len - at - n);
			*len -= n;
			break;
		case 3: /* repeat a piece elsewhere */
			memmove(mutant + random_next() % (*len - n + 1), mutant + at, n);
			break;
		default: /* half a line */
			if (random_next() % 8 == 0)
				*len = at + 1;
			break;
		}
	}
}

static void test_mutations(void **state)
{
	static const char request_line[] = "{\"do\":\"switch\",\"group\":\"web\",\"node\":\"beta\","
					   "\"by\":\"ann\",\"reason\":\"why not\"}";
	struct yoke_request request;
	unsigned accepted = 0;
	int i, answer_len;

	(void)state;
	random_state = 4711;
	fill_all("x");
	full.link_count = full.member_count = full.resource_count = 2;
	full.group_count = 4;
	full.operation_count = answer.event_count = 2;
	answer_len = yoke_json_put_answer(&answer, &full, NULL, line, sizeof(line));
	assert_true(answer_len > 0);
	for (i = 0; i < MUTATIONS; i++) {
		size_t len = sizeof(request_line) - 1;

		memcpy(mutant, request_line, len);
		mutate(&len);
		yoke_json_get_request(mutant, len, &request, why);
		len = (size_t)answer_len;
		memcpy(mutant, line, len);
		mutate(&len);
		accepted += yoke_json_get_answer(mutant, len, &answer_back, &back, why) == 0;
	}
	print_message("%u of %d mutated answers were still answers\n", accepted, MUTATIONS);
	assert_true(accepted > 0 && accepted < MUTATIONS);
}

/* The same again in the engine's fixed memory: the tests after this one never return to malloc. */
static void test_use_arena(void **state)
{
	(void)state;
	yoke_json_use_arena(arena_bytes, sizeof(arena_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_leave_nothing_out),
		cmocka_unit_test(test_full_answer_round_trip),
		cmocka_unit_test(test_events_are_left_for_later),
		cmocka_unit_test(test_small_answers_round_trip),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_words_and_names_are_for_people),
		cmocka_unit_test(test_text_is_made_printable),
		cmocka_unit_test(test_requests_round_trip),
		cmocka_unit_test(test_longest_request_fits),
		cmocka_unit_test(test_pieces_round_trip),
		cmocka_unit_test(test_a_small_buffer_is_refused),
		cmocka_unit_test(test_bad_requests_are_explained),
		cmocka_unit_test(test_bad_answers_are_explained),
		cmocka_unit_test(test_what_is_new_is_tolerated),
		cmocka_unit_test(test_deep_and_huge_lines),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_use_arena),
		cmocka_unit_test(test_full_answer_fits_the_arena),
		cmocka_unit_test(test_small_answers_round_trip),
		cmocka_unit_test(test_requests_round_trip),
		cmocka_unit_test(test_longest_request_fits),
		cmocka_unit_test(test_pieces_round_trip),
		cmocka_unit_test(test_bad_requests_are_explained),
		cmocka_unit_test(test_deep_and_huge_lines),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
