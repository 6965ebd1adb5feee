#include "tests/sim/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 512, HEAD_SIZE = 64 };

void sim_trace_init(struct sim_trace *t)
{
	memset(t, 0, sizeof(*t));
	t->hash = 14695981039346656037u;
}

/* FNV-1a, a word at a time. */
void sim_trace_mix(struct sim_trace *t, uint64_t word)
{
	t->hash = (t->hash ^ word) * 1099511628211u;
}

static void mix_text(struct sim_trace *t, const char *text)
{
	size_t size = strlen(text);

	sim_trace_mix(t, size);
	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t word = 0;

		memcpy(&word, text + i, size - i < sizeof(word) ? size - i : sizeof(word));
		sim_trace_mix(t, word);
	}
}

void sim_trace_line(struct sim_trace *t, yoke_time now, const char *who, const char *format, ...)
{
	char line[LINE_SIZE], head[HEAD_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	sim_trace_mix(t, (uint64_t)now.us);
	mix_text(t, who);
	mix_text(t, line);
	if (!t->show && t->text == NULL)
		return;
	snprintf(head, sizeof(head), "[%10.4f] %-6s ", (double)now.us / 1e6, who);
	if (t->show)
		printf("%s%s\n", head, line);
	if (t->text == NULL || t->used + strlen(head) + strlen(line) + 2 > t->size)
		return;
	t->used += (size_t)snprintf(t->text + t->used, t->size - t->used, "%s%s\n", head, line);
}
