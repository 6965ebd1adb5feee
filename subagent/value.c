#include "subagent/value.h"

#include <string.h>
#include <time.h>

enum { DATE_AND_TIME_SIZE = 11 };

void subagent_value_integer(struct subagent_value *v, int32_t integer)
{
	v->type = SUBAGENT_INTEGER;
	v->integer = integer;
}

static void set_number(struct subagent_value *v, enum subagent_type type, uint64_t number)
{
	v->type = type;
	v->number = number;
}

void subagent_value_unsigned(struct subagent_value *v, uint32_t number)
{
	set_number(v, SUBAGENT_UNSIGNED, number);
}

void subagent_value_counter32(struct subagent_value *v, uint32_t number)
{
	set_number(v, SUBAGENT_COUNTER32, number);
}

void subagent_value_counter64(struct subagent_value *v, uint64_t number)
{
	set_number(v, SUBAGENT_COUNTER64, number);
}

void subagent_value_octets(struct subagent_value *v, const void *bytes, size_t len)
{
	v->type = SUBAGENT_OCTETS;
	v->len = len < sizeof(v->octets) ? len : sizeof(v->octets);
	memcpy(v->octets, bytes, v->len);
}

void subagent_value_text(struct subagent_value *v, const char *text)
{
	subagent_value_octets(v, text, strlen(text));
}

void subagent_value_truth(struct subagent_value *v, bool truth)
{
	subagent_value_integer(v, truth ? 1 : 2);
}

void subagent_value_word(struct subagent_value *v, int number)
{
	subagent_value_integer(v, number > 0 ? number : 1);
}

void subagent_value_when(struct subagent_value *v, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	uint8_t when[DATE_AND_TIME_SIZE] = {0};
	struct tm tm;

	when[8] = '+';
	if (wall_ms > 0 && gmtime_r(&seconds, &tm) != NULL) {
		unsigned year = (unsigned)tm.tm_year + 1900;

		when[0] = (uint8_t)(year >> 8);
		when[1] = (uint8_t)year;
		when[2] = (uint8_t)(tm.tm_mon + 1);
		when[3] = (uint8_t)tm.tm_mday;
		when[4] = (uint8_t)tm.tm_hour;
		when[5] = (uint8_t)tm.tm_min;
		when[6] = (uint8_t)tm.tm_sec;
		when[7] = (uint8_t)(wall_ms % 1000 / 100);
	}
	subagent_value_octets(v, when, sizeof(when));
}
