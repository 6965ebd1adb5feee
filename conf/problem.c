#include "conf/conf.h"

#include <stdarg.h>

/* Make room for one more: 0 when there is none. */
static bool make_room(struct conf_problems *problems, bool warning)
{
	if (problems->count < CONF_PROBLEMS_MAX)
		return true;
	if (warning)
		return false;
	for (unsigned i = problems->count; i-- > 0;) {
		struct conf_problem *p = &problems->problem[i];

		if (p->warning) {
			memmove(p, p + 1, (problems->count - i - 1) * sizeof(*p));
			problems->count--;
			return true;
		}
	}
	return false;
}

void conf_problem(struct conf_problems *problems, int line, bool warning, const char *format, ...)
{
	struct conf_problem *place;
	unsigned at;
	va_list arguments;

	if (!warning)
		problems->errors++;
	if (!make_room(problems, warning))
		return;
	at = problems->count;
	while (at > 0 && problems->problem[at - 1].line > line)
		at--;
	place = &problems->problem[at];
	memmove(place + 1, place, (problems->count - at) * sizeof(*place));
	problems->count++;
	place->line = line;
	place->warning = warning;
	va_start(arguments, format);
	vsnprintf(place->text, sizeof(place->text), format, arguments);
	va_end(arguments);
}
