#include "agent/base/event.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name; /* as in events.def */
	enum yoke_severity severity;
	const char *notification;
	const char *text;
} kinds[] = {
#define YOKE_EVENT_ROW(kind, name, severity, notification, text)                                   \
	[YOKE_EVENT_##kind] = {name, YOKE_SEVERITY_##severity, notification, text},
	YOKE_EVENTS(YOKE_EVENT_ROW)};

static bool known(int kind)
{
	return kind > YOKE_EVENT_NONE && kind < YOKE_EVENT_KINDS_END;
}

const char *yoke_event_name(int kind)
{
	return known(kind) ? kinds[kind].name : "?";
}

enum yoke_severity yoke_event_severity(int kind)
{
	return known(kind) ? kinds[kind].severity : YOKE_SEVERITY_UNKNOWN;
}

const char *yoke_event_notification(int kind)
{
	return known(kind) ? kinds[kind].notification : "";
}

const char *yoke_name_of(const char (*names)[YOKE_NAME_SIZE], unsigned count, unsigned n)
{
	return n >= 1 && n <= count ? names[n - 1] : "-";
}

/* States are numbered within the enumeration of the event's subject. */
static const char *state_word(const struct yoke_event *ev, int number)
{
	if (ev->resource != 0)
		return yoke_word_resource_state(number);
	if (ev->group != 0)
		return yoke_word_group_state(number);
	if (ev->path != 0)
		return yoke_word_path_state(number);
	return yoke_word_node_state(number);
}

static const char *field(const struct yoke_event *ev, const struct yoke_names *names,
			 const char *key, size_t len, char number[24])
{
#define IS(word) (len == sizeof(word) - 1 && memcmp(key, word, len) == 0)
	if (IS("node"))
		return yoke_name_of(names->node, names->node_count, ev->node);
	if (IS("peer"))
		return yoke_name_of(names->node, names->node_count, ev->peer);
	if (IS("path"))
		return yoke_name_of(names->path, names->path_count, ev->path);
	if (IS("group"))
		return yoke_name_of(names->group, names->group_count, ev->group);
	if (IS("resource"))
		return yoke_name_of(names->resource, names->resource_count, ev->resource);
	if (IS("arbiter"))
		return yoke_name_of(names->arbiter, names->arbiter_count, ev->arbiter);
	if (IS("verb"))
		return yoke_word_verb(ev->verb);
	if (IS("origin"))
		return yoke_word_origin(ev->origin);
	if (IS("from"))
		return state_word(ev, ev->from);
	if (IS("to"))
		return state_word(ev, ev->to);
	if (IS("reason"))
		return ev->reason[0] != '\0' ? ev->reason : "no reason given";
	if (IS("value")) {
		snprintf(number, 24, "%llu", (unsigned long long)ev->value);
		return number;
	}
	return "?";
#undef IS
}

void yoke_event_render(struct yoke_event *ev, const struct yoke_names *names)
{
	const char *p = known(ev->kind) ? kinds[ev->kind].text : "unknown event";
	size_t used = 0;

	ev->severity = (uint16_t)yoke_event_severity(ev->kind);
	while (*p != '\0' && used < sizeof(ev->text) - 1) {
		const char *close = *p == '{' ? strchr(p, '}') : NULL;
		char number[24];
		const char *text;
		size_t len;

		if (close == NULL) {
			ev->text[used++] = *p++;
			continue;
		}
		text = field(ev, names, p + 1, (size_t)(close - p - 1), number);
		len = strlen(text);
		if (len > sizeof(ev->text) - 1 - used)
			len = sizeof(ev->text) - 1 - used;
		memcpy(ev->text + used, text, len);
		used += len;
		p = close + 1;
	}
	ev->text[used] = '\0';
}
