/* agent/base/json_fields.h - what json.c (writing) and json_read.c (reading) share.
 *
 * One table of members for each record serves both directions, so that nothing can be written that
 * is not read.  Private to these files.
 *
 * Layer: base.  Memory: constant tables.
 * Example: agent/base/json.c.
 */
#ifndef AGENT_BASE_JSON_FIELDS_H
#define AGENT_BASE_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/event.h"

struct json_t;

enum yoke_json_kind {
	YOKE_JSON_TEXT,
	YOKE_JSON_BOOLEAN,
	YOKE_JSON_UNSIGNED, /* 16, 32 or 64 bits */
	YOKE_JSON_SIGNED,   /* 64 bits */
	YOKE_JSON_WORD,     /* an enumeration, as its word */
	YOKE_JSON_SUBJECT,  /* a state of an event's subject, as its word */
	YOKE_JSON_STATES,   /* a resource's state on each node, as words */
	YOKE_JSON_NODE,     /* numbers; written with a second member KEY_name, which is not read */
	YOKE_JSON_PATH,
	YOKE_JSON_GROUP,
	YOKE_JSON_RESOURCE,
	YOKE_JSON_ARBITER,
};

struct yoke_json_field {
	const char *key;
	enum yoke_json_kind kind;
	size_t offset, size;
	const char *(*word)(int number);
	bool optional; /* not written when it is 0 or empty */
};

/* A record's tables.  Nodes and groups come first: the others refer to them by number. */
struct yoke_json_table {
	const char *key;
	const struct yoke_json_field *fields;
	size_t offset, size; /* of the rows */
	size_t row_size;
	size_t count_offset;
};

enum { YOKE_JSON_SNAPSHOT_TABLES = 9 };

extern const struct yoke_json_field yoke_json_snapshot_fields[];
extern const struct yoke_json_field yoke_json_request_fields[];
extern const struct yoke_json_table yoke_json_snapshot_tables[YOKE_JSON_SNAPSHOT_TABLES];
extern const struct yoke_json_table yoke_json_event_table; /* of struct yoke_answer */

/* An unsigned number of 2, 4 or 8 bytes at `place`. */
uint64_t yoke_json_load(const void *place, size_t size);
/* Returns false when it does not fit into `size` bytes. */
bool yoke_json_store(void *place, size_t size, uint64_t value);

/* The number of a word of the enumeration that word() prints.  "?" is 0, nothing; a word that this
 * version does not know is unknown(1), an event kind then is YOKE_EVENT_NONE. */
int yoke_json_number_of(const char *(*word)(int number), const char *text);

/* The enumeration that an event's from and to belong to: its subject's. */
const char *(*yoke_json_subject_words(const struct yoke_event *event))(int number);

/* Replace by '?' what is not UTF-8 (a text cut within a character) and what a terminal or a log
 * would obey instead of show. */
void yoke_json_tidy(char *text);

/* Give back everything that jansson allocated: by reference count, and the arena as a whole. */
void yoke_json_forget(struct json_t *root);

#endif
