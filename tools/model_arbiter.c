/* Arbiters as they are meant to be: each does what it is asked, at once. */
#include <stdio.h>
#include <string.h>

#include "tools/model.h"

static void at_fence(struct tool_model *m, const struct core_action *ask, struct core_event *answer)
{
	bool is_on = m->node[ask->u.ask.node - 1].on;

	if (ask->u.ask.kind == CORE_ASK_STATUS) {
		answer->u.answer.result = is_on ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
		return;
	}
	answer->u.answer.result = CORE_RESULT_DONE;
	tool_model_power_off(m, ask->u.ask.node);
}

static void at_disk(struct tool_model *m, uint16_t node, const struct core_action *ask,
		    struct core_event *answer)
{
	struct tool_model_lock *lock = &m->lock[ask->u.ask.arbiter - 1];

	if (ask->u.ask.kind == CORE_ASK_WRITE)
		lock->slot[node - 1] = ask->u.ask.slot;
	memcpy(answer->u.answer.slot, lock->slot, sizeof(answer->u.answer.slot));
	answer->u.answer.result = CORE_RESULT_DONE;
}

/* As agent/witness.c: a lock ends one percent after its lease, by another clock. */
static void at_witness(struct tool_model *m, uint16_t node, const struct core_action *ask,
		       struct core_event *answer)
{
	struct tool_model_lock *lock = &m->lock[ask->u.ask.arbiter - 1];
	int64_t lease_ms = ask->u.ask.lease_ms;

	answer->u.answer.result = CORE_RESULT_DONE;
	if (lock->holder != 0 && lock->holder != node && !yoke_time_due(lock->until, m->now)) {
		answer->u.answer.result = CORE_RESULT_ANSWERED;
		answer->u.answer.node = lock->holder;
	} else if (ask->u.ask.kind == CORE_ASK_CLAIM) {
		lock->holder = node;
		lock->until = yoke_time_add_ms(m->now, lease_ms + lease_ms / 100 + 1);
	} else if (ask->u.ask.kind == CORE_ASK_RELEASE) {
		lock->holder = 0;
	}
}

void tool_model_arbiter(struct tool_model *m, uint16_t node, const struct core_action *ask,
			struct core_event *answer)
{
	unsigned arbiter = ask->u.ask.arbiter - 1u;

	answer->u.answer.id = ask->u.ask.id;
	answer->u.answer.result = CORE_RESULT_DONE;
	if (m->fails[arbiter]) {
		answer->u.answer.result = CORE_RESULT_FAILED;
		snprintf(answer->u.answer.reason, sizeof(answer->u.answer.reason), "as it is now");
		return;
	}
	switch (m->node[node - 1].conf.arbiter[arbiter].type) {
	case YOKE_ARBITER_TYPE_FENCE:
		at_fence(m, ask, answer);
		break;
	case YOKE_ARBITER_TYPE_DISK:
		at_disk(m, node, ask, answer);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
		at_witness(m, node, ask, answer);
		break;
	case YOKE_ARBITER_TYPE_PING:
	case YOKE_ARBITER_TYPE_UNKNOWN:
		break;
	}
}
