/* tools/text.h - words, times and tables for people.
 *
 * Layer: tools, pure: only a table is written, to the FILE that is given.  Units are in the names.
 * Memory: struct tool_table is the caller's and large (static).
 * Example: tests/unit/tools_text.c.
 */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum tool_colour { TOOL_PLAIN, TOOL_DIM, TOOL_BOLD, TOOL_GOOD, TOOL_WARN, TOOL_BAD };

enum {
	TOOL_SPAN_SIZE = 24, /* bytes that hold any span, time or rate below */
	TOOL_TIME_SIZE = 32,
	TOOL_COLUMNS_MAX = 14,
	TOOL_ROWS_MAX = 260,
	TOOL_CELL_SIZE = 128,
};

/* A span in its largest useful unit: "0 s", "59 s", "3 min", "5 h", "12 d"; "-" when negative. */
void tool_text_span(char *text, int64_t span_ms);
/* How long ago: "-" when wall_ms is 0 (never). */
void tool_text_age(char *text, int64_t wall_ms, int64_t now_wall_ms);
/* "-" for 0, "85 us", "1.2 ms", "140 ms". */
void tool_text_rtt(char *text, uint32_t rtt_us);
/* "0 %", "0.3 %", "30 %". */
void tool_text_permille(char *text, uint32_t permille);
/* Local time with milliseconds, "2026-01-31 23:59:59.123"; TOOL_TIME_SIZE bytes. */
void tool_text_time(char *text, int64_t wall_ms);

/* Columns that a text takes on a terminal (UTF-8, one column a character). */
size_t tool_text_width(const char *text);

/* The name that was probably meant: at most two letters off; NULL when none is near. */
const char *tool_text_nearest(const char *name, const char *const *names, size_t count);

/* The sequence that begins a colour, and with TOOL_PLAIN ends it; "" unless `enabled`. */
const char *tool_text_colour(enum tool_colour colour, bool enabled);

struct tool_table {
	unsigned columns, rows; /* the first row is the heading */
	struct {
		char text[TOOL_CELL_SIZE];
		enum tool_colour colour;
	} cell[TOOL_ROWS_MAX][TOOL_COLUMNS_MAX];
};

/* Begin with a heading, its words divided by '|'. */
void tool_table_start(struct tool_table *table, const char *heading);
/* Begin a row.  When the table is full the last row is used again. */
void tool_table_row(struct tool_table *table);
/* Fill a cell of the last row; longer texts are cut. */
void tool_table_cell(struct tool_table *table, unsigned column, enum tool_colour colour,
		     const char *text);
/* Aligned columns, two blanks between them, nothing behind the last.  Columns that are empty in all
 * rows are left out; nothing is printed without rows. */
void tool_table_print(const struct tool_table *table, bool colour, FILE *out);

#endif
