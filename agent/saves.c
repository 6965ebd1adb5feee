#include "agent/saves.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool agent_saves_found(struct agent_saves *s, const struct agent_channel_message *record)
{
	if (s->found)
		return false;
	s->found = true;
	s->durable = *record;
	return true;
}

void agent_saves_not_found(struct agent_saves *s, const char *why)
{
	s->durable.kind = AGENT_CHANNEL_RECORD;
	snprintf(s->durable.u.record.reason, sizeof(s->durable.u.record.reason), "%s", why);
}

void agent_saves_drop(struct agent_saves *s)
{
	s->waiting.u.record.serial = 0;
}

void agent_saves_engine(struct agent_saves *s)
{
	agent_saves_drop(s);
	s->may_save = s->found;
	s->hears = false; /* versions are each engine's own */
}

bool agent_saves_saver_gone(struct agent_saves *s, uint32_t *version)
{
	bool waited = s->waiting.u.record.serial != 0;
	bool asked = waited || (s->at_disk.u.record.serial != 0 && s->hears);

	*version = waited ? s->waiting.u.record.version : s->at_disk.u.record.version;
	agent_saves_drop(s);
	s->at_disk.u.record.serial = 0;
	return asked;
}

bool agent_saves_ask(struct agent_saves *s, const struct agent_channel_message *save,
		     bool has_saver)
{
	if (!s->may_save || !has_saver)
		return false;
	s->waiting = *save;
	if (++s->last == 0)
		s->last = 1;
	s->waiting.u.record.serial = s->last;
	return true;
}

const struct agent_channel_message *agent_saves_next(const struct agent_saves *s)
{
	bool can = s->waiting.u.record.serial != 0 && s->at_disk.u.record.serial == 0;

	return can ? &s->waiting : NULL;
}

void agent_saves_sent(struct agent_saves *s)
{
	assert(agent_saves_next(s) != NULL);
	s->at_disk = s->waiting;
	s->hears = true;
	agent_saves_drop(s);
}

bool agent_saves_answered(struct agent_saves *s, const struct agent_channel_message *saved)
{
	uint32_t serial = s->at_disk.u.record.serial;

	if (serial == 0 || saved->u.saved.serial != serial)
		return false;
	if (saved->u.saved.ok) {
		s->durable = s->at_disk;
		s->durable.kind = AGENT_CHANNEL_RECORD;
		s->durable.u.record.reason[0] = '\0';
	}
	s->at_disk.u.record.serial = 0;
	return s->hears;
}
