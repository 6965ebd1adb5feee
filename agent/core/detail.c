/* The rest of the state message: what a yoke without details does not know.
 *
 * Sections until the message ends, each u8 tag, u16 bytes that follow, content; one with a tag that
 * we do not know is skipped, so that a newer yoke can say more.
 *
 * 1 groups       for each that has something to say {u32 name hash, u8 cause, u8 unsteady}
 * 2 maintenance  for each that was ever set {u8 kind 0 cluster 1 node 2 group, u32 node number or
 *                name hash, u32 version, u8 on}
 * 3 operation    as in the state message: one with a verb that is not in it
 * 4 sections     of the configuration: u8 count, for each u32 digest, then for each group u32
 *                digest; left out when there is no room
 * 5 doubts       in the saved record only: for each node whose lease does not count {u8 number}
 * 6 own          in the saved record only: u32 digest of what leases depend on
 * 7 pins         for each group that an operator switched here {u32 name hash}
 * 8 trouble      u8 1 cannot save + 2 its watchdog does not work, then for each arbiter that does
 *                not work for it {u32 name hash}
 * 9 unwatched    in the saved record only: for each node whose watchdog does not work {u8 number}
 * 10 failures    in the saved record only: for each group that failed here lately {u32 name hash,
 *                u8 times}
 * 11 started     for each group that ran here {u32 name hash, u64 term}: by another node's file
 *                only people may move it
 *
 * The message's own group and operation fields only have values that have always been known: a
 * cause that is not is told there as "failed".
 */
#include "agent/core/parts.h"

enum {
	TAG_GROUPS = 1,
	TAG_REST = 2,
	TAG_OPERATION = 3,
	TAG_SECTIONS = 4,
	TAG_DOUBTS = 5,
	TAG_OWN = 6,
	TAG_PINS = 7,
	TAG_TROUBLE = 8,
	TAG_UNWATCHED = 9,
	TAG_FAILURES = 10,
	TAG_STARTED = 11
};
enum { KIND_CLUSTER, KIND_NODE, KIND_GROUP };
enum { TROUBLE_SAVE = 1, TROUBLE_WATCHDOG = 2 };
enum { HEAD_SIZE = 3, LENGTH_SIZE = 2 };

bool core_detail_is_old_verb(enum yoke_verb verb)
{
	return verb <= YOKE_VERB_CONFIRM_DOWN;
}

enum core_cause core_detail_old_cause(enum core_cause cause)
{
	return cause <= CORE_CAUSE_DEAF ? cause : CORE_CAUSE_FAILED;
}

/* ---- put ---- */

static size_t begin(struct yoke_buf *b, uint8_t tag)
{
	yoke_buf_put_u8(b, tag);
	yoke_buf_put_u16(b, 0);
	return b->used;
}

static void end(struct yoke_buf *b, size_t content)
{
	struct yoke_buf length;

	if (!yoke_buf_ok(b))
		return;
	yoke_buf_init(&length, b->bytes + content - LENGTH_SIZE, LENGTH_SIZE);
	yoke_buf_put_u16(&length, (uint16_t)(b->used - content));
}

static void put_groups(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_GROUPS);

	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		const struct core_claim *claim = &core_node_const(c, c->conf.self)->claim[g];

		if (core_detail_old_cause(claim->cause) == claim->cause && !claim->unsteady)
			continue;
		yoke_buf_put_u32(b, core_wire_hash(c->conf.group[g].name));
		yoke_buf_put_u8(b, (uint8_t)claim->cause);
		yoke_buf_put_u8(b, claim->unsteady);
	}
	end(b, content);
}

void core_detail_put_rests(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_REST);

	for (unsigned i = 0; i < core_maintenance_count(c); i++) {
		if (c->rest[i].version == 0)
			continue;
		yoke_buf_put_u8(b, i == CORE_REST_CLUSTER ? KIND_CLUSTER
				   : i < CORE_REST_GROUPS ? KIND_NODE
							  : KIND_GROUP);
		yoke_buf_put_u32(
			b, i == CORE_REST_CLUSTER ? 0
			   : i < CORE_REST_GROUPS
				   ? i - CORE_REST_NODES + 1
				   : core_wire_hash(c->conf.group[i - CORE_REST_GROUPS].name));
		yoke_buf_put_u32(b, c->rest[i].version);
		yoke_buf_put_u8(b, c->rest[i].on);
	}
	end(b, content);
}

static void put_sections(const struct core *c, struct yoke_buf *b)
{
	size_t size = 1 + sizeof(uint32_t) * (CORE_SECTIONS + c->conf.group_count), content;

	if (yoke_buf_left(b) < HEAD_SIZE + size)
		return;
	content = begin(b, TAG_SECTIONS);
	yoke_buf_put_u8(b, CORE_SECTIONS);
	for (unsigned s = 0; s < CORE_SECTIONS; s++)
		yoke_buf_put_u32(b, c->conf.section[s]);
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		yoke_buf_put_u32(b, c->conf.group[g].digest);
	end(b, content);
}

void core_detail_put_pins(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_PINS);

	for (uint16_t g = 0; g < c->conf.group_count; g++)
		if (c->group[g].pinned)
			yoke_buf_put_u32(b, core_wire_hash(c->conf.group[g].name));
	end(b, content);
}

void core_detail_put_started(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_STARTED);

	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		if (c->group[g].started_term == 0)
			continue;
		yoke_buf_put_u32(b, core_wire_hash(c->conf.group[g].name));
		yoke_buf_put_u64(b, c->group[g].started_term);
	}
	end(b, content);
}

static void put_trouble(const struct core *c, struct yoke_buf *b)
{
	const struct core_trouble *trouble = &core_node_const(c, c->conf.self)->trouble;
	size_t content = begin(b, TAG_TROUBLE);

	yoke_buf_put_u8(b, (uint8_t)((trouble->save ? TROUBLE_SAVE : 0) |
				     (trouble->watchdog ? TROUBLE_WATCHDOG : 0)));
	for (uint16_t a = 0; a < c->conf.arbiter_count; a++)
		if (trouble->arbiter[a])
			yoke_buf_put_u32(b, core_wire_hash(c->conf.arbiter[a].name));
	end(b, content);
}

void core_detail_put_failures(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_FAILURES);

	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		if (c->group[g].failures == 0)
			continue;
		yoke_buf_put_u32(b, core_wire_hash(c->conf.group[g].name));
		yoke_buf_put_u8(b, c->group[g].failures);
	}
	end(b, content);
}

void core_detail_put_unwatched(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_UNWATCHED);

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && core_node_const(c, n)->trouble.watchdog)
			yoke_buf_put_u8(b, (uint8_t)n);
	end(b, content);
}

void core_detail_put_doubts(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_DOUBTS);

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		if (n != c->conf.self && !core_config_lease_counts(c, n))
			yoke_buf_put_u8(b, (uint8_t)n);
	end(b, content);
}

void core_detail_put_own(const struct core *c, struct yoke_buf *b)
{
	size_t content = begin(b, TAG_OWN);

	yoke_buf_put_u32(b, core_config_lease_digest(c));
	end(b, content);
}

static void put_operation(struct yoke_buf *b, const struct core_operation *op)
{
	size_t content = begin(b, TAG_OPERATION);

	core_wire_put_operation(b, op);
	end(b, content);
}

void core_detail_put(const struct core *c, struct yoke_buf *b, const struct core_operation *op)
{
	put_groups(c, b);
	core_detail_put_rests(c, b);
	core_detail_put_pins(c, b);
	core_detail_put_started(c, b);
	put_trouble(c, b);
	if (!core_detail_is_old_verb(op->verb))
		put_operation(b, op);
	put_sections(c, b);
}

/* ---- get ---- */

static int group_of_hash(const struct core *c, uint32_t hash)
{
	for (int g = 0; g < c->conf.group_count; g++)
		if (core_wire_hash(c->conf.group[g].name) == hash)
			return g;
	return -1;
}

static void get_groups(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		int g = group_of_hash(c, yoke_buf_get_u32(b));
		unsigned cause = yoke_buf_get_u8(b);
		bool unsteady = yoke_buf_get_u8(b) != 0;

		if (g < 0 || !yoke_buf_ok(b))
			continue;
		/* One that we do not know is a reason not to run it there all the same. */
		detail->cause[g] =
			cause < CORE_CAUSES_END ? (enum core_cause)cause : CORE_CAUSE_FAILED;
		detail->unsteady[g] = unsteady;
	}
}

/* Index in core.rest; CORE_RESTS: not ours. */
static unsigned rest_index(const struct core *c, unsigned kind, uint32_t what)
{
	int g = kind == KIND_GROUP ? group_of_hash(c, what) : -1;

	if (kind == KIND_CLUSTER)
		return CORE_REST_CLUSTER;
	if (kind == KIND_NODE && what >= 1 && what <= c->conf.node_count)
		return CORE_REST_NODES + what - 1;
	return g >= 0 ? CORE_REST_GROUPS + (unsigned)g : CORE_RESTS;
}

static void get_rests(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		unsigned kind = yoke_buf_get_u8(b), i = rest_index(c, kind, yoke_buf_get_u32(b));
		struct core_rest rest;

		rest.version = yoke_buf_get_u32(b);
		rest.on = yoke_buf_get_u8(b) != 0;
		if (i < CORE_RESTS && yoke_buf_ok(b))
			detail->rest[i] = rest;
	}
}

static void get_pins(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	detail->tells_pins = true;
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		int g = group_of_hash(c, yoke_buf_get_u32(b));

		if (g >= 0 && yoke_buf_ok(b))
			detail->pinned[g] = true;
	}
}

static void get_started(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	detail->tells_started = true;
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		int g = group_of_hash(c, yoke_buf_get_u32(b));
		uint64_t term = yoke_buf_get_u64(b);

		if (g >= 0 && yoke_buf_ok(b))
			detail->started_term[g] = term;
	}
}

static void get_failures(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		int g = group_of_hash(c, yoke_buf_get_u32(b));
		uint8_t failures = yoke_buf_get_u8(b);

		if (g >= 0 && yoke_buf_ok(b))
			detail->failures[g] = failures;
	}
}

static void get_trouble(const struct core *c, struct yoke_buf *b, struct core_trouble *trouble)
{
	uint8_t flags = yoke_buf_get_u8(b);

	trouble->save = (flags & TROUBLE_SAVE) != 0;
	trouble->watchdog = (flags & TROUBLE_WATCHDOG) != 0;
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		uint32_t hash = yoke_buf_get_u32(b);

		for (uint16_t a = 0; a < c->conf.arbiter_count && yoke_buf_ok(b); a++)
			if (core_wire_hash(c->conf.arbiter[a].name) == hash)
				trouble->arbiter[a] = true;
	}
}

static void get_nodes(const struct core *c, struct yoke_buf *b, bool is_one[YOKE_NODES_MAX])
{
	while (yoke_buf_left(b) > 0) {
		uint8_t node = yoke_buf_get_u8(b);

		if (node >= 1 && node <= c->conf.node_count)
			is_one[node - 1] = true;
	}
}

/* By another configuration we did not know of a lock that this one has, and nor may the others. */
static void get_own(const struct core *c, struct yoke_buf *b, struct core_detail *detail)
{
	uint32_t digest = yoke_buf_get_u32(b);

	for (uint16_t n = 1; n <= c->conf.node_count && digest != core_config_lease_digest(c); n++)
		detail->doubted[n - 1] = true;
}

/* Sections that we do not know come after ours. */
static void get_sections(struct yoke_buf *b, struct core_sections *sections)
{
	uint8_t count = yoke_buf_get_u8(b);

	for (uint8_t s = 0; s < count && yoke_buf_ok(b); s++) {
		uint32_t digest = yoke_buf_get_u32(b);

		if (s < CORE_SECTIONS)
			sections->section[s] = digest;
	}
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b) && sections->group_count < YOKE_GROUPS_MAX)
		sections->group[sections->group_count++] = yoke_buf_get_u32(b);
	sections->known = yoke_buf_ok(b) && count >= CORE_SECTIONS;
}

bool core_detail_get(const struct core *c, struct yoke_buf *b, uint16_t from,
		     struct core_detail *detail)
{
	detail->known = yoke_buf_left(b) > 0;
	while (yoke_buf_left(b) > 0 && yoke_buf_ok(b)) {
		uint8_t tag = yoke_buf_get_u8(b);
		uint16_t size = yoke_buf_get_u16(b);
		struct yoke_buf section;
		bool good = true;

		if (!yoke_buf_ok(b) || size > yoke_buf_left(b))
			return false;
		yoke_buf_init_read(&section, b->bytes + b->used, size);
		b->used += size;
		if (tag == TAG_GROUPS)
			get_groups(c, &section, detail);
		else if (tag == TAG_REST)
			get_rests(c, &section, detail);
		else if (tag == TAG_PINS)
			get_pins(c, &section, detail);
		else if (tag == TAG_STARTED)
			get_started(c, &section, detail);
		else if (tag == TAG_DOUBTS)
			get_nodes(c, &section, detail->doubted);
		else if (tag == TAG_UNWATCHED)
			get_nodes(c, &section, detail->unwatched);
		else if (tag == TAG_FAILURES)
			get_failures(c, &section, detail);
		else if (tag == TAG_TROUBLE)
			get_trouble(c, &section, &detail->trouble);
		else if (tag == TAG_OWN)
			get_own(c, &section, detail);
		else if (tag == TAG_SECTIONS)
			get_sections(&section, &detail->sections);
		else if (tag == TAG_OPERATION)
			good = core_wire_get_operation(c, &section, from, &detail->operation);
		if (!good || !yoke_buf_ok(&section))
			return false;
	}
	return yoke_buf_ok(b);
}
