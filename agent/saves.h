/* agent/saves.h - which record is at the disk, which waits, and which the next engine begins from.
 *
 *   engine --ask--> waits --next, sent--> at the disk --answered--> durable --> the next engine
 *
 * What an engine hears to be saved, it acts upon: the next one must begin from no older record.  So
 * one save at a time is at the disk, and the answer to exactly that one makes it durable, before
 * the engine hears of it.  A disk may take longer than an engine waits, which asks again, then with
 * the same version: only the newest waits, however often it asks.
 *
 * An engine that dies leaves nothing waiting, but what is at the disk goes on to be written: it is
 * newer than what was durable, and becomes that, also when its engine does not hear of it any more.
 *
 * Layer: agent, pure (no I/O, no clock).
 * Memory: the caller owns struct agent_saves, which is zero at the start; messages are copied.
 * Example: tests/unit/agent_saves.c.
 */
#ifndef AGENT_SAVES_H
#define AGENT_SAVES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/channel.h"

struct agent_saves {
	struct agent_channel_message durable; /* RECORD: what the next engine begins from */
	struct agent_channel_message at_disk; /* SAVE that the saver has; serial 0: none */
	struct agent_channel_message waiting; /* SAVE, the newest asked since; serial 0: none */
	uint32_t last;                        /* serial of the newest asked; 0: none yet */
	bool found;                           /* the saver has told what is on the disk */
	bool may_save; /* the engine began from that: nothing is saved over it before */
	bool hears;    /* the engine that runs has asked for what is at the disk */
};

/* The saver tells what is on the disk (RECORD).  False: it has told before, and this changes
 * nothing: ours is as new. */
bool agent_saves_found(struct agent_saves *s, const struct agent_channel_message *record);
/* It does not tell, why: engines begin without a record, and save nothing. */
void agent_saves_not_found(struct agent_saves *s, const char *why);

/* Another engine begins now, from s->durable. */
void agent_saves_engine(struct agent_saves *s);
/* What waits is given up. */
void agent_saves_drop(struct agent_saves *s);
/* The saver has ended, or its channel has: what it had may be lost, and what waits is given up.
 * True: the engine is to hear that *version was not saved. */
bool agent_saves_saver_gone(struct agent_saves *s, uint32_t *version);

/* The engine asks for this one (SAVE) instead of any that waits.  has_saver: somebody could be sent
 * it.  False: it is refused, and is not waiting. */
bool agent_saves_ask(struct agent_saves *s, const struct agent_channel_message *save,
		     bool has_saver);
/* What is to be sent to the saver; NULL: nothing waits, or one is at the disk.  Valid until the
 * next call. */
const struct agent_channel_message *agent_saves_next(const struct agent_saves *s);
/* That was sent; there must have been one. */
void agent_saves_sent(struct agent_saves *s);
/* The saver answers (SAVED); what it does not have counts for nothing.  True: the engine is to hear
 * it. */
bool agent_saves_answered(struct agent_saves *s, const struct agent_channel_message *saved);

#endif
