#include "agent/base/json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/event.h"
#include "agent/base/json_fields.h"

/* A line is written row by row, each row a small jansson object: the arena need not hold
 * the whole answer, only the largest row. */

enum {
	KEY_SIZE = 32,
	ARENA_ALIGN = 16,
};

static struct {
	uint8_t *bytes;
	size_t size, used;
} arena;

static void *arena_take(size_t size)
{
	size_t rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	void *taken;

	if (rounded < size || rounded > arena.size - arena.used)
		return NULL;
	taken = arena.bytes + arena.used;
	arena.used += rounded;
	return taken;
}

static void arena_keep(void *pointer)
{
	(void)pointer;
}

/* Everything that jansson allocated is given back: by reference count, and the arena as a whole. */
void yoke_json_forget(json_t *root)
{
	json_decref(root);
	arena.used = 0;
}

void yoke_json_use_arena(void *bytes, size_t size)
{
	arena.bytes = bytes;
	arena.size = size;
	arena.used = 0;
	json_set_alloc_funcs(arena_take, arena_keep);
	json_object_seed(0); /* reads /dev/urandom: now, not in the running loop */
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629); 0: none. */
static size_t sequence_len(const unsigned char *p)
{
	size_t len, i;
	uint32_t rune;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	rune = p[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (p[i] & 0x3fu);
	}
	if ((len == 3 && rune < 0x800) || (len == 4 && rune < 0x10000) || rune > 0x10ffff)
		return 0;
	return rune >= 0xd800 && rune <= 0xdfff ? 0 : len;
}

/* Replace what is not UTF-8 (a text cut within a character) and what a terminal or a log would obey
 * instead of show.  text: NUL-terminated. */
void yoke_json_tidy(char *text)
{
	unsigned char *p = (unsigned char *)text;

	while (*p != '\0') {
		size_t len = sequence_len(p);

		if (len == 0 || *p < 0x20 || *p == 0x7f) {
			*p++ = '?';
		} else if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0) {
			*p++ = '?';
			*p++ = '?';
		} else {
			p += len;
		}
	}
}

struct out {
	char *line;
	size_t size, used;
	bool failed;
};

static void put_raw(struct out *out, const char *text)
{
	size_t len = strlen(text);

	if (out->failed || len >= out->size - out->used) {
		out->failed = true;
		return;
	}
	memcpy(out->line + out->used, text, len + 1);
	out->used += len;
}

/* JSON's integers are signed in jansson: a counter beyond 2^63-1 stays there. */
static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

/* size: of the text's place, with NUL; at most YOKE_TEXT_SIZE. */
static json_t *text_value(const char *place, size_t size)
{
	char text[YOKE_TEXT_SIZE];

	snprintf(text, sizeof(text), "%.*s", (int)size - 1, place);
	yoke_json_tidy(text);
	return json_string(text);
}

static const char *name_of(enum yoke_json_kind kind, const struct yoke_names *names, unsigned n)
{
	switch (kind) {
	case YOKE_JSON_NODE:
		return yoke_name_of(names->node, names->node_count, n);
	case YOKE_JSON_PATH:
		return yoke_name_of(names->path, names->path_count, n);
	case YOKE_JSON_GROUP:
		return yoke_name_of(names->group, names->group_count, n);
	case YOKE_JSON_ARBITER:
		return yoke_name_of(names->arbiter, names->arbiter_count, n);
	default:
		return yoke_name_of(names->resource, names->resource_count, n);
	}
}

static void put_name(json_t *object, const struct yoke_json_field *f,
		     const struct yoke_names *names, uint64_t number)
{
	const char *name = name_of(f->kind, names, (unsigned)number);
	char key[KEY_SIZE];

	if (number == 0)
		name = "";
	snprintf(key, sizeof(key), "%s_name", f->key);
	json_object_set_new(object, key, text_value(name, YOKE_NAME_SIZE));
}

static json_t *states_value(const uint8_t *place, unsigned node_count)
{
	json_t *states = json_array();
	unsigned i;

	for (i = 0; i < node_count && i < YOKE_NODES_MAX; i++) {
		int state = (int)yoke_json_load(place + i * sizeof(int), sizeof(int));

		json_array_append_new(states, json_string(yoke_word_resource_state(state)));
	}
	return states;
}

static json_t *field_value(const struct yoke_json_field *f, const uint8_t *row,
			   const struct yoke_names *names)
{
	const uint8_t *place = row + f->offset;

	switch (f->kind) {
	case YOKE_JSON_TEXT:
		return text_value((const char *)place, f->size);
	case YOKE_JSON_BOOLEAN:
		return json_boolean(*(const bool *)place);
	case YOKE_JSON_SIGNED:
		return json_integer((json_int_t)yoke_json_load(place, f->size));
	case YOKE_JSON_WORD:
		return json_string(f->word((int)yoke_json_load(place, f->size)));
	case YOKE_JSON_SUBJECT:
		return json_string(yoke_json_subject_words((const void *)row)(
			(int)yoke_json_load(place, f->size)));
	case YOKE_JSON_STATES:
		return states_value(place, names->node_count);
	default:
		return integer(yoke_json_load(place, f->size));
	}
}

static bool is_empty(const struct yoke_json_field *f, const uint8_t *place)
{
	return f->kind == YOKE_JSON_TEXT ? *place == '\0' : yoke_json_load(place, f->size) == 0;
}

/* flags: JSON_EMBED leaves the braces out. */
static void put_row(struct out *out, const struct yoke_json_field *fields, const void *row,
		    const struct yoke_names *names, size_t flags)
{
	json_t *object = json_object();
	const struct yoke_json_field *f;
	size_t len;

	for (f = fields; f->key != NULL; f++) {
		const uint8_t *place = (const uint8_t *)row + f->offset;

		if (f->optional && is_empty(f, place))
			continue;
		if (json_object_set_new(object, f->key, field_value(f, row, names)) != 0)
			out->failed = true;
		if (f->kind >= YOKE_JSON_NODE)
			put_name(object, f, names, yoke_json_load(place, f->size));
	}
	len = out->failed ? 0
			  : json_dumpb(object, out->line + out->used, out->size - out->used,
				       JSON_COMPACT | flags);
	yoke_json_forget(object);
	if (len == 0 || len >= out->size - out->used) {
		out->failed = true;
		return;
	}
	out->used += len;
	out->line[out->used] = '\0';
}

/* Returns how many rows were written: all, or those that fit when `may_stop`. */
static unsigned put_table(struct out *out, const struct yoke_json_table *table, const void *record,
			  const struct yoke_names *names, bool may_stop)
{
	const uint8_t *base = record;
	uint64_t count = yoke_json_load(base + table->count_offset, sizeof(uint32_t));
	struct out before;
	unsigned i;

	put_raw(out, "\"");
	put_raw(out, table->key);
	put_raw(out, "\":[");
	for (i = 0; i < count && i < table->size / table->row_size && !out->failed; i++) {
		before = *out;
		put_raw(out, i == 0 ? "" : ",");
		put_row(out, table->fields, base + table->offset + i * table->row_size, names, 0);
		if (may_stop && (out->failed || out->size - out->used < sizeof("]}\n"))) {
			*out = before;
			break;
		}
	}
	put_raw(out, "]");
	return i;
}

static void names_of(const struct yoke_snapshot *snapshot, struct yoke_names *names)
{
	unsigned i;

	memset(names, 0, sizeof(*names));
	for (i = 0; i < snapshot->node_count && i < YOKE_NODES_MAX; i++)
		memcpy(names->node[i], snapshot->node[i].name, YOKE_NAME_SIZE);
	names->node_count = i;
	for (i = 0; i < snapshot->group_count && i < YOKE_GROUPS_MAX; i++)
		memcpy(names->group[i], snapshot->group[i].name, YOKE_NAME_SIZE);
	names->group_count = i;
	names->path_count = YOKE_PATHS_MAX;
	for (i = 0; i < snapshot->link_count && i < YOKE_NODES_MAX * YOKE_PATHS_MAX; i++) {
		unsigned path = snapshot->link[i].path;

		if (path >= 1 && path <= YOKE_PATHS_MAX)
			memcpy(names->path[path - 1], snapshot->link[i].name, YOKE_NAME_SIZE);
	}
}

static void put_snapshot(struct out *out, const struct yoke_snapshot *snapshot)
{
	struct yoke_names names;
	size_t i;

	names_of(snapshot, &names);
	put_raw(out, ",\"snapshot\":{");
	put_row(out, yoke_json_snapshot_fields, snapshot, &names, JSON_EMBED);
	for (i = 0; i < YOKE_JSON_SNAPSHOT_TABLES; i++) {
		put_raw(out, ",");
		put_table(out, &yoke_json_snapshot_tables[i], snapshot, &names, false);
	}
	put_raw(out, "}");
}

static void put_format(struct out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_format(struct out *out, const char *format, ...)
{
	char text[YOKE_TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_raw(out, text);
}

static const struct yoke_names nameless;

static int put_end(struct out *out)
{
	put_raw(out, "}\n");
	return out->failed ? -1 : (int)out->used;
}

static void put_hex(struct out *out, const char *key, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * YOKE_PIECE_SIZE + 1];

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	put_format(out, ",\"%s\":\"", key);
	put_raw(out, text);
	put_raw(out, "\"");
}

static void put_news(struct out *out, const struct yoke_piece_news *news)
{
	put_format(out, ",\"way\":%u,\"room\":%u,\"turn_ms\":%u,\"heard\":%u", news->way,
		   news->room, news->turn_ms, news->heard);
	put_hex(out, "piece", news->bytes, news->size);
}

int yoke_json_put_answer(const struct yoke_answer *answer, const struct yoke_snapshot *snapshot,
			 const struct yoke_names *names, char *line, size_t size)
{
	struct out out = {line, size, 0, size == 0};

	if (answer->is_kick) {
		put_format(&out, "{\"kick\":%llu", (unsigned long long)answer->kick_seq);
		return put_end(&out);
	}
	if (answer->verdict != YOKE_OK) {
		put_format(&out, "{\"ok\":false,\"error\":\"%s\",\"advice\":\"%s\"",
			   yoke_word_verdict(answer->verdict),
			   yoke_verdict_advice(answer->verdict));
		return put_end(&out);
	}
	put_raw(&out, "{\"ok\":true");
	if (answer->operation != 0)
		put_format(&out, ",\"operation\":%u", answer->operation);
	if (snapshot != NULL)
		put_snapshot(&out, snapshot);
	if (answer->has_news)
		put_news(&out, &answer->news);
	if (answer->event_count > 0 || answer->missed > 0 ||
	    (snapshot == NULL && answer->operation == 0 && !answer->has_news)) {
		put_format(&out, ",\"missed\":%llu,", (unsigned long long)answer->missed);
		if (put_table(&out, &yoke_json_event_table, answer,
			      names != NULL ? names : &nameless, true) == 0 &&
		    answer->event_count > 0 && snapshot == NULL)
			out.failed = true;
	}
	return put_end(&out);
}

int yoke_json_put_request(const struct yoke_request *request, char *line, size_t size)
{
	static const char *const words[] = {[YOKE_REQUEST_STATUS] = "status",
					    [YOKE_REQUEST_PULL] = "pull",
					    [YOKE_REQUEST_EVENTS] = "events",
					    [YOKE_REQUEST_SUBSCRIBE] = "subscribe",
					    [YOKE_REQUEST_KEYS] = "keys",
					    [YOKE_REQUEST_PIECE] = "piece"};
	struct out out = {line, size, 0, size == 0};

	if (request->kind == YOKE_REQUEST_OPERATE) {
		put_raw(&out, "{");
		put_row(&out, yoke_json_request_fields, request, &nameless, JSON_EMBED);
	} else {
		put_format(&out, "{\"do\":\"%s\"", words[request->kind]);
		if (request->kind == YOKE_REQUEST_PULL || request->kind == YOKE_REQUEST_EVENTS)
			put_format(&out, ",\"after\":%llu", (unsigned long long)request->after);
		if (request->kind == YOKE_REQUEST_PIECE) {
			put_format(&out, ",\"node\":\"%s\"", request->node);
			put_hex(&out, "piece", request->piece, request->piece_size);
		}
	}
	return put_end(&out);
}
