#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/event.h"
#include "agent/base/json.h"
#include "agent/base/json_fields.h"

static void explain(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void explain(char *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, YOKE_REASON_SIZE, format, arguments);
	va_end(arguments);
	yoke_json_tidy(why);
}

struct in {
	const struct yoke_snapshot *known; /* what numbers may refer to; NULL: anything possible */
	const char *where;                 /* for messages: the table, "" outside of one */
	char *why;                         /* YOKE_REASON_SIZE bytes */
};

/* The highest number of the kind that a reader may look up. */
static uint64_t highest(const struct in *in, enum yoke_json_kind kind)
{
	switch (kind) {
	case YOKE_JSON_NODE:
		return in->known != NULL ? in->known->node_count : YOKE_NODES_MAX;
	case YOKE_JSON_GROUP:
		return in->known != NULL ? in->known->group_count : YOKE_GROUPS_MAX;
	case YOKE_JSON_PATH:
		return YOKE_PATHS_MAX;
	case YOKE_JSON_RESOURCE:
		return YOKE_RESOURCES_MAX;
	case YOKE_JSON_ARBITER:
		return YOKE_ARBITERS_MAX;
	default:
		return UINT64_MAX;
	}
}

static int wrong(const struct in *in, const char *key, const char *what)
{
	explain(in->why, "%s%s\"%s\" %s", in->where, in->where[0] != '\0' ? ": " : "", key, what);
	return -1;
}

static int get_text(const struct in *in, const struct yoke_json_field *f, const json_t *value,
		    char *place)
{
	char what[YOKE_REASON_SIZE];

	if (!json_is_string(value))
		return wrong(in, f->key, "must be a string");
	if (json_string_length(value) >= f->size) {
		snprintf(what, sizeof(what), "is longer than %zu bytes", f->size - 1);
		return wrong(in, f->key, what);
	}
	memcpy(place, json_string_value(value), json_string_length(value) + 1);
	yoke_json_tidy(place);
	return 0;
}

static int get_number(const struct in *in, const struct yoke_json_field *f, const json_t *value,
		      uint8_t *place)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return wrong(in, f->key, "must be a whole number");
	if (f->kind == YOKE_JSON_SIGNED)
		return yoke_json_store(place, f->size, (uint64_t)number) ? 0 : -1;
	if (number < 0 || !yoke_json_store(place, f->size, (uint64_t)number))
		return wrong(in, f->key, "is out of range");
	if ((uint64_t)number > highest(in, f->kind))
		return wrong(in, f->key, "refers to one that is not there");
	return 0;
}

static int get_word(const struct in *in, const struct yoke_json_field *f, const json_t *value,
		    const char *(*word)(int), uint8_t *place)
{
	if (!json_is_string(value))
		return wrong(in, f->key, "must be a word");
	yoke_json_store(place, f->size,
			(uint64_t)yoke_json_number_of(word, json_string_value(value)));
	return 0;
}

static int get_states(const struct in *in, const struct yoke_json_field *f, const json_t *value,
		      uint8_t *place)
{
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > YOKE_NODES_MAX)
		return wrong(in, f->key, "must be an array with a word for each node");
	for (i = 0; i < json_array_size(value); i++) {
		struct yoke_json_field one = *f;

		one.size = sizeof(enum yoke_resource_state);
		if (get_word(in, &one, json_array_get(value, i), yoke_word_resource_state,
			     place + i * one.size) != 0)
			return -1;
	}
	return 0;
}

static int get_field(const struct in *in, const struct yoke_json_field *f, const json_t *value,
		     uint8_t *row)
{
	uint8_t *place = row + f->offset;

	switch (f->kind) {
	case YOKE_JSON_TEXT:
		return get_text(in, f, value, (char *)place);
	case YOKE_JSON_BOOLEAN:
		if (!json_is_boolean(value))
			return wrong(in, f->key, "must be true or false");
		*(bool *)place = json_is_true(value);
		return 0;
	case YOKE_JSON_WORD:
		return get_word(in, f, value, f->word, place);
	case YOKE_JSON_SUBJECT:
		return get_word(in, f, value, yoke_json_subject_words((const void *)row), place);
	case YOKE_JSON_STATES:
		return get_states(in, f, value, place);
	default:
		return get_number(in, f, value, place);
	}
}

/* Members that are missing leave 0, so *row must be zero. */
static int get_row(const struct in *in, const struct yoke_json_field *fields, const json_t *object,
		   void *row)
{
	const struct yoke_json_field *f;

	for (f = fields; f->key != NULL; f++) {
		const json_t *value = json_object_get(object, f->key);

		if (value != NULL && get_field(in, f, value, row) != 0)
			return -1;
	}
	return 0;
}

static int get_table(struct in *in, const struct yoke_json_table *table, const json_t *object,
		     void *record)
{
	const json_t *rows = json_object_get(object, table->key);
	uint8_t *base = record;
	size_t i;

	if (rows == NULL)
		return 0;
	in->where = "";
	if (!json_is_array(rows))
		return wrong(in, table->key, "must be an array");
	if (json_array_size(rows) > table->size / table->row_size)
		return wrong(in, table->key, "has more rows than are possible");
	in->where = table->key;
	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!json_is_object(row))
			return wrong(in, table->key, "has a row that is not an object");
		if (get_row(in, table->fields, row, base + table->offset + i * table->row_size) !=
		    0)
			return -1;
	}
	yoke_json_store(base + table->count_offset, sizeof(uint32_t), i);
	in->where = "";
	return 0;
}

static int get_snapshot(struct in *in, const json_t *object, struct yoke_snapshot *snapshot)
{
	size_t i;

	if (!json_is_object(object))
		return wrong(in, "snapshot", "must be an object");
	in->known = snapshot;
	for (i = 0; i < YOKE_JSON_SNAPSHOT_TABLES; i++)
		if (get_table(in, &yoke_json_snapshot_tables[i], object, snapshot) != 0)
			return -1;
	return get_row(in, yoke_json_snapshot_fields, object, snapshot);
}

/* Returns NULL with why[] when the line is not one JSON object. */
static json_t *parse(const char *line, size_t len, char *why)
{
	json_error_t error;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL) {
		yoke_json_forget(NULL); /* what was read until there */
		explain(why, "not JSON at byte %d: %.60s", error.position, error.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		explain(why, "not a JSON object");
		yoke_json_forget(root);
		return NULL;
	}
	return root;
}

static int get_counter(const struct in *in, const json_t *root, const char *key, uint64_t most,
		       uint64_t *counter)
{
	const json_t *value = json_object_get(root, key);

	*counter = 0;
	if (value == NULL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > most)
		return wrong(in, key, "must be a whole number, 0 or more");
	*counter = (uint64_t)json_integer_value(value);
	return 0;
}

static int get_verdict(const struct in *in, const json_t *root, struct yoke_answer *answer)
{
	const json_t *ok = json_object_get(root, "ok");
	const char *error = json_string_value(json_object_get(root, "error"));
	int verdict;

	if (!json_is_boolean(ok))
		return wrong(in, "ok", "is missing or not true or false");
	if (json_is_true(ok)) {
		answer->verdict = YOKE_OK;
		return 0;
	}
	verdict = error != NULL ? yoke_verdict_of_word(error) : -1;
	answer->verdict = verdict > YOKE_OK ? (enum yoke_verdict)verdict : YOKE_E_REQUEST;
	return 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int get_hex(const struct in *in, const json_t *root, const char *key, uint8_t *bytes,
		   uint16_t *size)
{
	const char *text = json_string_value(json_object_get(root, key));
	size_t len = text == NULL ? 0 : strlen(text);

	*size = 0;
	if (len % 2 != 0 || len > 2 * YOKE_PIECE_SIZE)
		return wrong(in, key, "is too long or half a byte");
	for (size_t i = 0; i < len; i += 2) {
		int high = digit_of(text[i]), low = digit_of(text[i + 1]);

		if (high < 0 || low < 0)
			return wrong(in, key, "must be hexadecimal, in small letters");
		bytes[(*size)++] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int get_news(const struct in *in, const json_t *root, struct yoke_piece_news *news)
{
	uint64_t way, room, turn_ms, heard;

	if (get_counter(in, root, "way", YOKE_PATHS_MAX, &way) != 0 ||
	    get_counter(in, root, "room", YOKE_PIECE_SIZE, &room) != 0 ||
	    get_counter(in, root, "turn_ms", UINT32_MAX, &turn_ms) != 0 ||
	    get_counter(in, root, "heard", UINT32_MAX, &heard) != 0)
		return -1;
	news->way = (uint16_t)way;
	news->room = (uint32_t)room;
	news->turn_ms = (uint32_t)turn_ms;
	news->heard = (uint32_t)heard;
	return get_hex(in, root, "piece", news->bytes, &news->size);
}

static int get_answer(const json_t *root, struct yoke_answer *answer,
		      struct yoke_snapshot *snapshot, char *why)
{
	struct in in = {NULL, "", why};
	const json_t *snapshot_value = json_object_get(root, "snapshot");
	uint64_t operation;

	if (json_object_get(root, "kick") != NULL) {
		answer->is_kick = true;
		return get_counter(&in, root, "kick", UINT64_MAX, &answer->kick_seq);
	}
	if (get_verdict(&in, root, answer) != 0 ||
	    get_counter(&in, root, "operation", UINT32_MAX, &operation) != 0 ||
	    get_counter(&in, root, "missed", UINT64_MAX, &answer->missed) != 0)
		return -1;
	answer->operation = (uint32_t)operation;
	answer->has_news = json_object_get(root, "way") != NULL;
	if (answer->has_news && get_news(&in, root, &answer->news) != 0)
		return -1;
	if (get_table(&in, &yoke_json_event_table, root, answer) != 0)
		return -1;
	if (snapshot_value == NULL || snapshot == NULL)
		return 0;
	memset(snapshot, 0, sizeof(*snapshot));
	answer->has_snapshot = true;
	return get_snapshot(&in, snapshot_value, snapshot);
}

int yoke_json_get_answer(const char *line, size_t len, struct yoke_answer *answer,
			 struct yoke_snapshot *snapshot, char *why)
{
	json_t *root = parse(line, len, why);
	int result;

	memset(answer, 0, sizeof(*answer));
	if (root == NULL)
		return -1;
	result = get_answer(root, answer, snapshot, why);
	yoke_json_forget(root);
	return result;
}

static int get_request(const json_t *root, struct yoke_request *request, char *why)
{
	struct in in = {NULL, "", why};
	const char *what = json_string_value(json_object_get(root, "do"));
	int verb;

	if (what == NULL)
		return wrong(&in, "do", "is missing or not a word, try {\"do\":\"status\"}");
	if (strcmp(what, "status") == 0) {
		request->kind = YOKE_REQUEST_STATUS;
		return 0;
	}
	if (strcmp(what, "keys") == 0) {
		request->kind = YOKE_REQUEST_KEYS;
		return 0;
	}
	if (strcmp(what, "piece") == 0) {
		const char *node = json_string_value(json_object_get(root, "node"));

		if (node == NULL || strlen(node) >= sizeof(request->node))
			return wrong(&in, "node", "is missing or not a name");
		request->kind = YOKE_REQUEST_PIECE;
		memcpy(request->node, node, strlen(node) + 1);
		return get_hex(&in, root, "piece", request->piece, &request->piece_size);
	}
	if (strcmp(what, "subscribe") == 0) {
		request->kind = YOKE_REQUEST_SUBSCRIBE;
		return 0;
	}
	if (strcmp(what, "pull") == 0 || strcmp(what, "events") == 0) {
		request->kind = what[0] == 'p' ? YOKE_REQUEST_PULL : YOKE_REQUEST_EVENTS;
		return get_counter(&in, root, "after", UINT64_MAX, &request->after);
	}
	verb = yoke_verb_of_word(what);
	if (verb <= YOKE_VERB_UNKNOWN) {
		explain(why, "\"do\": there is no \"%.40s\"", what);
		return -1;
	}
	request->kind = YOKE_REQUEST_OPERATE;
	return get_row(&in, yoke_json_request_fields, root, request);
}

int yoke_json_get_request(const char *line, size_t len, struct yoke_request *request, char *why)
{
	json_t *root = parse(line, len, why);
	int result;

	memset(request, 0, sizeof(*request));
	if (root == NULL)
		return -1;
	result = get_request(root, request, why);
	yoke_json_forget(root);
	return result;
}
