#include "tests/sim/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 512 };

void sim_trace_init(struct sim_trace *t)
{
	memset(t, 0, sizeof(*t));
	t->hash = 14695981039346656037u;
}

/* FNV-1a. */
static void mix_bytes(struct sim_trace *t, const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < size; i++)
		t->hash = (t->hash ^ b[i]) * 1099511628211u;
}

void sim_trace_mix(struct sim_trace *t, uint64_t word)
{
	t->hash = (t->hash ^ word) * 1099511628211u;
}

void sim_trace_line(struct sim_trace *t, yoke_time now, const char *who, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	int used;

	used = snprintf(line, sizeof(line), "[%10.4f] %-6s ", (double)now.us / 1e6, who);
	va_start(arguments, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
	va_end(arguments);
	mix_bytes(t, line, strlen(line));
	if (t->show)
		puts(line);
	if (t->text == NULL || t->used + strlen(line) + 2 > t->size)
		return;
	t->used += (size_t)snprintf(t->text + t->used, t->size - t->used, "%s\n", line);
}
