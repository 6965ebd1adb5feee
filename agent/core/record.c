/* What survives a restart: terms, operators' intent and pins, how often groups failed, and whose
 * lease or watchdog does not count.
 *
 * Record: u32 magic, u8 version 2,
 *         u8 nodes, for each {text name, u32 intent version, u8 standby},
 *         (standby 2: because an earlier record was unreadable, and nobody said "online" since)
 *         u32 operations counted so far, u16 groups, for each {text name, u64 reserved term,
 *                               u8 node that it is granted to, u64 at which term},
 *         u8 1: we left, and go by no lock before we were in contact (an older yoke has no such
 *         byte), then details of the state message (detail.c; an older yoke reads none),
 *         u64 FNV-1a of all bytes before it
 *
 * A term is durable before it is used.  So that a failover does not wait for a disk, a node that
 * does not run a group reserves the next term as soon as it knows the present one: the record names
 * the highest term that this node may ever have used, not the one that it uses.
 *
 * One record is saved at a time; what changes meanwhile goes into the next one.  One that does not
 * change is saved again now and then: that it cannot be is an alarm before it is needed.
 */
#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/core/parts.h"

enum { RECORD_MAGIC = 0x796f6b65, RECORD_VERSION = 2, RECORD_SUM_SIZE = 8 };
enum { STANDBY = 1, STANDBY_HELD = 2 };
enum { SAVE_RETRY_MS = 1000, SAVE_TIMEOUT_MS = 10000, SAVE_TEST_MS = 60000 };

static uint64_t checksum(const uint8_t *bytes, size_t size)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * 1099511628211u;
	return h;
}

static int node_of_name(const struct core *c, const char *name)
{
	for (int n = 0; n < c->conf.node_count; n++)
		if (strcmp(c->conf.node_name[n], name) == 0)
			return n;
	return -1;
}

static int group_of_name(const struct core *c, const char *name)
{
	for (int g = 0; g < c->conf.group_count; g++)
		if (strcmp(c->conf.group[g].name, name) == 0)
			return g;
	return -1;
}

static bool sum_is_right(const uint8_t *bytes, size_t size)
{
	struct yoke_buf b;

	if (size < RECORD_SUM_SIZE || size > YOKE_RECORD_SIZE)
		return false;
	yoke_buf_init_read(&b, bytes + size - RECORD_SUM_SIZE, RECORD_SUM_SIZE);
	return yoke_buf_get_u64(&b) == checksum(bytes, size - RECORD_SUM_SIZE);
}

static bool get_details(struct core *c, struct yoke_buf *b)
{
	struct core_detail detail = {.known = false};

	if (!core_detail_get(c, b, c->conf.self, &detail))
		return false;
	for (unsigned i = 0; i < core_maintenance_count(c); i++)
		core_maintenance_set(c, NULL, i, detail.rest[i], "");
	for (uint16_t n = 0; n < c->conf.node_count; n++) {
		c->node[n].config.doubted = detail.doubted[n];
		c->node[n].trouble.watchdog = detail.unwatched[n];
	}
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		c->group[g].pinned = detail.pinned[g];
		c->group[g].started_term = detail.started_term[g];
		c->group[g].failures = detail.failures[g];
		c->group[g].failed_at = c->now;
	}
	return true;
}

bool core_record_get(struct core *c, const uint8_t *bytes, size_t size)
{
	struct yoke_buf b;
	char name[YOKE_NAME_SIZE];
	unsigned count;

	if (!sum_is_right(bytes, size))
		return false;
	yoke_buf_init_read(&b, bytes, size - RECORD_SUM_SIZE);
	if (yoke_buf_get_u32(&b) != RECORD_MAGIC || yoke_buf_get_u8(&b) != RECORD_VERSION)
		return false;
	count = yoke_buf_get_u8(&b);
	for (unsigned i = 0; i < count && yoke_buf_ok(&b); i++) {
		struct core_intent intent;
		uint8_t standby;
		int n;

		yoke_buf_get_text(&b, name, sizeof(name));
		intent.version = yoke_buf_get_u32(&b);
		standby = yoke_buf_get_u8(&b);
		intent.standby = standby != 0;
		n = node_of_name(c, name);
		if (n >= 0)
			c->intent[n] = intent;
		if (n + 1 == c->conf.self && standby == STANDBY_HELD)
			core_text(c->hold, sizeof(c->hold), "an earlier one was damaged",
				  (char *)NULL);
	}
	c->operation_count = yoke_buf_get_u32(&b);
	count = yoke_buf_get_u16(&b);
	for (unsigned i = 0; i < count && yoke_buf_ok(&b); i++) {
		uint64_t reserved, grant_term;
		uint8_t grant_to;
		int g;

		yoke_buf_get_text(&b, name, sizeof(name));
		reserved = yoke_buf_get_u64(&b);
		grant_to = yoke_buf_get_u8(&b);
		grant_term = yoke_buf_get_u64(&b);
		g = group_of_name(c, name);
		if (g < 0)
			continue;
		/* It may have been used: the next start needs a higher one. */
		c->group[g].term = c->group[g].reserved = reserved;
		if (grant_to <= c->conf.node_count && grant_to != c->conf.self) {
			c->group[g].grant_to = grant_to;
			c->group[g].grant_term = grant_term;
		}
	}
	if (yoke_buf_left(&b) > 0)
		c->promised = yoke_buf_get_u8(&b) != 0;
	return yoke_buf_ok(&b) && get_details(c, &b);
}

static uint8_t standby_byte(const struct core *c, uint16_t n)
{
	if (!c->intent[n].standby)
		return 0;
	return n + 1 == c->conf.self && c->hold[0] != '\0' ? STANDBY_HELD : STANDBY;
}

static void put(const struct core *c, struct core_actions *out)
{
	struct yoke_buf b;

	yoke_buf_init(&b, out->record, sizeof(out->record));
	yoke_buf_put_u32(&b, RECORD_MAGIC);
	yoke_buf_put_u8(&b, RECORD_VERSION);
	yoke_buf_put_u8(&b, (uint8_t)c->conf.node_count);
	for (uint16_t n = 0; n < c->conf.node_count; n++) {
		yoke_buf_put_text(&b, c->conf.node_name[n]);
		yoke_buf_put_u32(&b, c->intent[n].version);
		yoke_buf_put_u8(&b, standby_byte(c, n));
	}
	yoke_buf_put_u32(&b, c->operation_count);
	yoke_buf_put_u16(&b, c->conf.group_count);
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		const struct core_group *group = &c->group[g];

		yoke_buf_put_text(&b, c->conf.group[g].name);
		yoke_buf_put_u64(&b, group->reserving > group->reserved ? group->reserving
									: group->reserved);
		yoke_buf_put_u8(&b, (uint8_t)group->grant_to);
		yoke_buf_put_u64(&b, group->grant_term);
	}
	yoke_buf_put_u8(&b, c->promised);
	core_detail_put_rests(c, &b);
	core_detail_put_pins(c, &b);
	core_detail_put_started(c, &b);
	core_detail_put_failures(c, &b);
	core_detail_put_unwatched(c, &b);
	core_detail_put_doubts(c, &b);
	core_detail_put_own(c, &b);
	yoke_buf_put_u64(&b, checksum(out->record, b.used));
	assert(yoke_buf_ok(&b));
	out->record_size = (uint16_t)b.used;
}

void core_record_touch(struct core *c)
{
	c->save.version++;
}

/* The next term of every group that does not run here, when the present reservation is used up. */
static void reserve(struct core *c)
{
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		struct core_group *group = &c->group[g - 1];
		uint64_t next;

		if (!core_is_member(c, g, c->conf.self) || group->state == YOKE_GROUP_UNKNOWN ||
		    core_claim_runs(&(struct core_claim){.state = group->state}))
			continue;
		next = core_term_highest(c, g) + 1;
		if (next <= group->given_up)
			next = group->given_up + 1;
		if (group->reserved >= next || group->reserving >= next)
			continue;
		group->reserving = next;
		core_record_touch(c);
	}
}

void core_record_look(struct core *c, struct core_actions *out)
{
	struct core_action *a;

	if (c->save.asked != 0)
		return;
	reserve(c);
	if (yoke_time_due(c->save.test_at, c->now)) {
		c->save.test_at = YOKE_NEVER;
		core_record_touch(c);
	}
	if (c->save.version == c->save.durable)
		return;
	if (!yoke_time_is_never(c->save.retry_at) && !yoke_time_due(c->save.retry_at, c->now))
		return;
	c->save.asked = c->save.version;
	c->save.retry_at = yoke_time_add_ms(c->now, SAVE_TIMEOUT_MS);
	put(c, out);
	a = core_act(out, CORE_SAVE);
	a->u.save.version = c->save.asked;
}

static void time_out(struct core *c, struct core_actions *out)
{
	struct core_event late = {.type = CORE_SAVED, .now = c->now};

	late.u.saved.version = c->save.asked;
	core_text(late.u.saved.reason, sizeof(late.u.saved.reason), "the disk does not answer",
		  (char *)NULL);
	core_record_on_saved(c, out, &late);
}

void core_record_expire(struct core *c, struct core_actions *out)
{
	if (c->save.asked != 0 && core_is_over(c, &c->save.retry_at))
		time_out(c, out);
}

static void take_reserved(struct core *c)
{
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		struct core_group *group = &c->group[g];

		if (group->reserving > group->reserved)
			group->reserved = group->reserving;
		group->reserving = 0;
	}
}

void core_record_on_saved(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	if (c->save.asked == 0 || ev->u.saved.version != c->save.asked)
		return;
	c->save.retry_at = YOKE_NEVER;
	if (ev->u.saved.ok) {
		take_reserved(c);
		c->save.durable = c->save.asked;
		c->save.test_at = yoke_time_add_ms(c->now, SAVE_TEST_MS);
	} else {
		c->save.retry_at = yoke_time_add_ms(c->now, SAVE_RETRY_MS);
	}
	c->save.asked = 0;
	if (ev->u.saved.ok == !c->save.failing)
		return;
	c->save.failing = !ev->u.saved.ok;
	core_event(c, out, c->save.failing ? YOKE_EVENT_SAVE_FAILED : YOKE_EVENT_SAVE_WORKS,
		   ev->u.saved.reason);
}
