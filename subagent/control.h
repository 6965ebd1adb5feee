/* subagent/control.h - what may be written, and what a SET asks the engine for.
 *
 * All writable objects are under yokeControl.  One SET may carry the spin lock, a reason and one
 * request; more than one request is refused, because the engine cannot take an accepted one back.
 *
 * Layer: subagent, pure.  May include: agent/base.
 * Memory: plain values, nothing is owned.
 * Example: tests/snmp/walk.c.
 */
#ifndef SUBAGENT_CONTROL_H
#define SUBAGENT_CONTROL_H

#include "agent/base/json.h"
#include "subagent/tree.h"

/* error-status of RFC 3416, section 3. */
enum subagent_error {
	SUBAGENT_NO_ERROR = 0,
	SUBAGENT_GENERAL_ERROR = 5,
	SUBAGENT_WRONG_TYPE = 7,
	SUBAGENT_WRONG_LENGTH = 8,
	SUBAGENT_WRONG_VALUE = 10,
	SUBAGENT_NO_CREATION = 11,
	SUBAGENT_INCONSISTENT_VALUE = 12,
	SUBAGENT_RESOURCE_UNAVAILABLE = 13,
	SUBAGENT_UNDO_FAILED = 15,
	SUBAGENT_AUTHORIZATION_ERROR = 16,
	SUBAGENT_NOT_WRITABLE = 17,
};

enum { SUBAGENT_REASON_MAX = 63 }; /* octets of yokeControlReason */

/* What one SET asks for, gathered varbind by varbind. */
struct subagent_wish {
	bool has_lock;
	int32_t lock;
	bool has_request;
	struct yoke_request request;
	const char *fault;   /* of the varbind refused last: for the log */
	bool engine_refuses; /* the request is one that the engine refuses too: tell it, so that the
				refusal is recorded as an event */
};

void subagent_wish_init(struct subagent_wish *wish);

/* Take one varbind, name[len] below yokeObjects: its type, length and value are checked, whether
 * there is such an instance, and whether SET is enabled at all. */
enum subagent_error subagent_wish_add(struct subagent_wish *wish, const struct subagent_view *view,
				      const uint32_t *name, size_t len,
				      const struct subagent_value *value);

/* The SNMP error for the engine's verdict. */
enum subagent_error subagent_control_error(enum yoke_verdict verdict);

#endif
