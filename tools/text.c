#include "tools/text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { NAME_MAX_LEN = 32, NEAR_MAX = 2 };

void tool_text_span(char *text, int64_t span_ms)
{
	static const struct {
		int64_t ms, below;
		const char *unit;
	} units[] = {{1000, 100, "s"},
		     {60 * 1000, 100, "min"},
		     {60 * 60 * 1000, 48, "h"},
		     {24 * 60 * 60 * 1000, INT64_MAX, "d"}};
	size_t i = 0;

	if (span_ms < 0) {
		snprintf(text, TOOL_SPAN_SIZE, "-");
		return;
	}
	while (span_ms / units[i].ms >= units[i].below)
		i++;
	snprintf(text, TOOL_SPAN_SIZE, "%" PRId64 " %s", span_ms / units[i].ms, units[i].unit);
}

void tool_text_age(char *text, int64_t wall_ms, int64_t now_wall_ms)
{
	if (wall_ms <= 0)
		snprintf(text, TOOL_SPAN_SIZE, "-");
	else /* a step of the wall clock may put it into the future */
		tool_text_span(text, now_wall_ms > wall_ms ? now_wall_ms - wall_ms : 0);
}

void tool_text_rtt(char *text, uint32_t rtt_us)
{
	if (rtt_us == 0)
		snprintf(text, TOOL_SPAN_SIZE, "-");
	else if (rtt_us < 1000)
		snprintf(text, TOOL_SPAN_SIZE, "%u us", rtt_us);
	else if (rtt_us < 10000)
		snprintf(text, TOOL_SPAN_SIZE, "%u.%u ms", rtt_us / 1000, rtt_us / 100 % 10);
	else
		snprintf(text, TOOL_SPAN_SIZE, "%u ms", rtt_us / 1000);
}

void tool_text_permille(char *text, uint32_t permille)
{
	if (permille % 10 == 0)
		snprintf(text, TOOL_SPAN_SIZE, "%u %%", permille / 10);
	else
		snprintf(text, TOOL_SPAN_SIZE, "%u.%u %%", permille / 10, permille % 10);
}

void tool_text_time(char *text, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm parts;
	size_t used = 0;

	if (wall_ms >= 0 && localtime_r(&seconds, &parts) != NULL)
		used = strftime(text, TOOL_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
	if (used == 0)
		snprintf(text, TOOL_TIME_SIZE, "-");
	else
		snprintf(text + used, TOOL_TIME_SIZE - used, ".%03d", (int)(wall_ms % 1000));
}

size_t tool_text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Edit distance (insert, delete, replace), two rows at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t a_len = strlen(a), b_len = strlen(b), i, j;

	if (a_len > NAME_MAX_LEN || b_len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (j = 0; j <= b_len; j++)
		row[j] = j;
	for (i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *tool_text_nearest(const char *name, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t i, best = NEAR_MAX + 1;

	for (i = 0; i < count; i++) {
		size_t d = distance(name, names[i]);

		if (d < best && d < strlen(names[i])) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

const char *tool_text_colour(enum tool_colour colour, bool enabled)
{
	static const char *const sequences[] = {
		[TOOL_PLAIN] = "\033[0m", [TOOL_DIM] = "\033[2m",     [TOOL_BOLD] = "\033[1m",
		[TOOL_GOOD] = "\033[32m", [TOOL_WARN] = "\033[1;33m", [TOOL_BAD] = "\033[1;31m",
	};

	return enabled ? sequences[colour] : "";
}

void tool_table_start(struct tool_table *table, const char *heading)
{
	const char *word = heading;
	char text[TOOL_CELL_SIZE];

	table->rows = 0;
	table->columns = TOOL_COLUMNS_MAX;
	tool_table_row(table);
	for (table->columns = 0; table->columns < TOOL_COLUMNS_MAX; word++) {
		size_t len = strcspn(word, "|");

		snprintf(text, sizeof(text), "%.*s", (int)len, word);
		tool_table_cell(table, table->columns++, TOOL_DIM, text);
		word += len;
		if (*word == '\0')
			break;
	}
}

void tool_table_row(struct tool_table *table)
{
	if (table->rows < TOOL_ROWS_MAX)
		table->rows++;
	memset(table->cell[table->rows - 1], 0, sizeof(table->cell[0]));
}

void tool_table_cell(struct tool_table *table, unsigned column, enum tool_colour colour,
		     const char *text)
{
	if (column >= TOOL_COLUMNS_MAX)
		return;
	snprintf(table->cell[table->rows - 1][column].text, TOOL_CELL_SIZE, "%s", text);
	table->cell[table->rows - 1][column].colour = colour;
}

/* The widest cell; 0 when only the heading has text. */
static size_t column_width(const struct tool_table *table, unsigned column)
{
	size_t width = 0, heading = tool_text_width(table->cell[0][column].text);
	unsigned row;

	for (row = 1; row < table->rows; row++) {
		size_t cell = tool_text_width(table->cell[row][column].text);

		if (cell > width)
			width = cell;
	}
	return width > 0 && heading > width ? heading : width;
}

void tool_table_print(const struct tool_table *table, bool colour, FILE *out)
{
	size_t width[TOOL_COLUMNS_MAX];
	unsigned row, column;

	if (table->rows < 2)
		return;
	for (column = 0; column < table->columns; column++)
		width[column] = column_width(table, column);
	for (row = 0; row < table->rows; row++) {
		size_t blanks = 0; /* owed before the next text */

		for (column = 0; column < table->columns; column++) {
			const char *text = table->cell[row][column].text;
			enum tool_colour c = table->cell[row][column].colour;

			if (width[column] == 0)
				continue;
			if (text[0] != '\0') {
				fprintf(out, "%*s%s%s%s", (int)blanks, "",
					c == TOOL_PLAIN ? "" : tool_text_colour(c, colour), text,
					c == TOOL_PLAIN ? ""
							: tool_text_colour(TOOL_PLAIN, colour));
				blanks = 0;
			}
			blanks += width[column] - tool_text_width(text) + 2;
		}
		fputc('\n', out);
	}
}
