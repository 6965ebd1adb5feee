/* What travels between cores: the BEAT's payload and the state message.
 *
 * Beat:   u8 1, acks, u8 nodes whose lease it renews, bit number - 1 (a yoke of before leases does
 *         not send it: it renews none), u8 oldest and u8 newest protocol that it speaks (version.c)
 * State:  u8 2, acks, u32 version of this state, u8 flags, digest[8], text yoke version,
 *         u8 nodes, for each {u32 intent version, u8 standby},
 *         operation {u32 number, u8 verb, u8 origin, u8 state, u16 group, u16 node, text reason},
 *         u8 hardware addresses, each 6 bytes,
 *         u16 groups, for each {u32 name hash, u8 state | asks << 6 | grants << 7,
 *                               u8 cause | ready << 7, u64 term, if it asks {u64 term},
 *                               if it grants {u8 node, u64 term}, u8 resources, each u8 state}
 *         then details: detail.c
 * acks:   u8 count, for each {u8 node, u64 incarnation, u32 version of its state applied}
 *
 * A state message is the sender's whole state: the last one is enough, none needs to be in order.
 * It is sent again each interval until everybody in contact has acknowledged its version.  Groups
 * go by the hash of their name, so that a configuration that differs cannot mistake one for
 * another. Everything is parsed before anything is applied.
 */
#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/core/parts.h"

enum { WIRE_BEAT = 1, WIRE_STATE = 2 };
enum { FLAG_LEFT = 1 };
enum { READY_BIT = 0x80, ASKS_BIT = 0x40, GRANTS_BIT = 0x80, STATE_MASK = 0x3f };

struct state {
	uint32_t version;
	uint8_t flags;
	uint8_t digest[CORE_DIGEST_SIZE];
	char yoke_version[YOKE_NAME_SIZE];
	uint8_t node_count;
	struct core_intent intent[YOKE_NODES_MAX];
	struct core_operation operation;
	uint8_t hwaddr_count;
	uint8_t hwaddr[YOKE_HWADDRS_MAX][CORE_HWADDR_SIZE];
	uint16_t group[YOKE_GROUPS_MAX];          /* by its numbering: ours; 0: we do not have it */
	struct core_claim claim[YOKE_GROUPS_MAX]; /* by our numbering; UNKNOWN: not told */
	enum yoke_resource_state resource[YOKE_RESOURCES_MAX];
	struct core_detail detail;
};

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
uint32_t core_wire_hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

/* ---- put ---- */

static void put_acks(const struct core *c, struct yoke_buf *b)
{
	uint8_t count = 0;

	for (uint16_t n = 1; n <= c->conf.node_count; n++)
		count = (uint8_t)(count + (core_node_const(c, n)->incarnation != 0));
	yoke_buf_put_u8(b, count);
	for (uint16_t n = 1; n <= c->conf.node_count; n++) {
		const struct core_node *node = core_node_const(c, n);

		if (node->incarnation == 0)
			continue;
		yoke_buf_put_u8(b, (uint8_t)n);
		yoke_buf_put_u64(b, node->incarnation);
		yoke_buf_put_u32(b, node->told);
	}
}

void core_wire_put_beat(const struct core *c, struct core_actions *out)
{
	struct yoke_buf b;

	yoke_buf_init(&b, out->beat, sizeof(out->beat));
	yoke_buf_put_u8(&b, WIRE_BEAT);
	put_acks(c, &b);
	yoke_buf_put_u8(&b, c->support);
	yoke_buf_put_u8(&b, c->conf.protocol_min);
	yoke_buf_put_u8(&b, c->conf.protocol_max);
	out->beat_size = (uint16_t)b.used;
	core_act(out, CORE_BEAT);
}

void core_wire_put_operation(struct yoke_buf *b, const struct core_operation *op)
{
	yoke_buf_put_u32(b, op->number);
	yoke_buf_put_u8(b, (uint8_t)op->verb);
	yoke_buf_put_u8(b, (uint8_t)op->origin);
	yoke_buf_put_u8(b, (uint8_t)op->state);
	yoke_buf_put_u16(b, op->group);
	yoke_buf_put_u16(b, op->node);
	yoke_buf_put_text(b, op->reason);
}

/* Ours that runs, else the newest of ours that has ended. */
static const struct core_operation *operation_to_tell(const struct core *c)
{
	const struct core_operation *op = &core_node_const(c, c->conf.self)->operation;

	if (op->number != 0)
		return op;
	for (uint32_t i = c->history_count;
	     i-- > 0 && i + YOKE_OPERATIONS_MAX >= c->history_count;) {
		const struct core_operation *past = &c->history[i % YOKE_OPERATIONS_MAX];

		if (past->number >> 24 == c->conf.self)
			return past;
	}
	return op;
}

static void put_hwaddrs(const struct core *c, struct yoke_buf *b)
{
	static const uint8_t none[CORE_HWADDR_SIZE];
	const uint8_t *told[YOKE_HWADDRS_MAX];
	uint8_t count = 0;

	for (uint16_t r = 0; r < c->conf.resource_count && count < YOKE_HWADDRS_MAX; r++) {
		const struct core_resource *res = &c->resource[r];
		/* Also of an interface that is not usable now: it may answer again at any time. */
		bool known = memcmp(res->hwaddr, none, CORE_HWADDR_SIZE) == 0;

		for (uint8_t i = 0; i < count; i++)
			known = known || memcmp(told[i], res->hwaddr, CORE_HWADDR_SIZE) == 0;
		if (!known)
			told[count++] = res->hwaddr;
	}
	yoke_buf_put_u8(b, count);
	for (uint8_t i = 0; i < count; i++)
		yoke_buf_put(b, told[i], CORE_HWADDR_SIZE);
}

static void put_groups(const struct core *c, struct yoke_buf *b)
{
	const struct core_node *self = core_node_const(c, c->conf.self);

	yoke_buf_put_u16(b, c->conf.group_count);
	for (uint16_t g = 0; g < c->conf.group_count; g++) {
		const struct core_claim *claim = &self->claim[g];
		const struct core_group_conf *conf = &c->conf.group[g];

		yoke_buf_put_u32(b, core_wire_hash(conf->name));
		yoke_buf_put_u8(b, (uint8_t)((unsigned)claim->state |
					     (claim->request != 0 ? (unsigned)ASKS_BIT : 0u) |
					     (claim->grant_to != 0 ? (unsigned)GRANTS_BIT : 0u)));
		yoke_buf_put_u8(b, (uint8_t)((unsigned)core_detail_old_cause(claim->cause) |
					     (claim->ready ? (unsigned)READY_BIT : 0u)));
		yoke_buf_put_u64(b, claim->term);
		if (claim->request != 0)
			yoke_buf_put_u64(b, claim->request);
		if (claim->grant_to != 0) {
			yoke_buf_put_u8(b, (uint8_t)claim->grant_to);
			yoke_buf_put_u64(b, claim->grant_term);
		}
		yoke_buf_put_u8(b, (uint8_t)conf->resource_count);
		for (uint16_t r = 0; r < conf->resource_count; r++)
			yoke_buf_put_u8(b, (uint8_t)self->resource[conf->resource_first + r]);
	}
}

void core_wire_put_state(const struct core *c, struct core_actions *out)
{
	static const struct core_operation none = {.verb = YOKE_VERB_UNKNOWN};
	const struct core_operation *op = operation_to_tell(c);
	struct yoke_buf b;

	yoke_buf_init(&b, out->message, sizeof(out->message));
	yoke_buf_put_u8(&b, WIRE_STATE);
	put_acks(c, &b);
	yoke_buf_put_u32(&b, c->version);
	yoke_buf_put_u8(&b, c->left ? FLAG_LEFT : 0);
	yoke_buf_put(&b, c->conf.digest, CORE_DIGEST_SIZE);
	yoke_buf_put_text(&b, c->conf.version);
	yoke_buf_put_u8(&b, (uint8_t)c->conf.node_count);
	for (uint16_t n = 0; n < c->conf.node_count; n++) {
		yoke_buf_put_u32(&b, c->intent[n].version);
		yoke_buf_put_u8(&b, c->intent[n].standby);
	}
	core_wire_put_operation(&b, core_detail_is_old_verb(op->verb) ? op : &none);
	put_hwaddrs(c, &b);
	put_groups(c, &b);
	core_detail_put(c, &b, op);
	assert(yoke_buf_ok(&b)); /* the largest one that the limits allow has room */
	out->message_size = (uint16_t)b.used;
	core_act(out, CORE_SEND);
}

/* ---- get ---- */

static bool in_range(unsigned value, unsigned lowest, unsigned highest)
{
	return value >= lowest && value <= highest;
}

/* Sets *acked when one of the acknowledgements is for us. */
static bool get_acks(const struct core *c, struct yoke_buf *b, bool *is_ours, uint32_t *acked)
{
	uint8_t count = yoke_buf_get_u8(b);

	*is_ours = false;
	for (uint8_t i = 0; i < count && yoke_buf_ok(b); i++) {
		uint8_t node = yoke_buf_get_u8(b);
		uint64_t incarnation = yoke_buf_get_u64(b);
		uint32_t version = yoke_buf_get_u32(b);

		if (node == c->conf.self && incarnation == c->conf.incarnation) {
			*is_ours = true;
			*acked = version;
		}
	}
	return yoke_buf_ok(b) && count <= YOKE_NODES_MAX;
}

bool core_wire_get_operation(const struct core *c, struct yoke_buf *b, uint16_t from,
			     struct core_operation *op)
{
	unsigned verb, origin, state;
	bool known;

	op->number = yoke_buf_get_u32(b);
	verb = yoke_buf_get_u8(b);
	origin = yoke_buf_get_u8(b);
	state = yoke_buf_get_u8(b);
	op->group = yoke_buf_get_u16(b);
	op->node = yoke_buf_get_u16(b);
	yoke_buf_get_text(b, op->reason, sizeof(op->reason));
	op->started = op->ended = c->now;
	op->deadline = YOKE_NEVER;
	op->verb = (enum yoke_verb)verb;
	op->origin = (enum yoke_origin)origin;
	op->state = (enum yoke_operation_state)state;
	if (op->number == 0)
		return yoke_buf_ok(b);
	/* Those of a newer yoke are no operations to us. */
	known = in_range(verb, YOKE_VERB_SWITCH, YOKE_VERB_RESUME) &&
		in_range(origin, YOKE_ORIGIN_UNKNOWN, YOKE_ORIGIN_SNMP) &&
		in_range(state, YOKE_OPERATION_RUNNING, YOKE_OPERATION_REFUSED);
	if (!known)
		op->number = 0;
	return yoke_buf_ok(b) &&
	       (!known || (op->number >> 24 == from && op->group <= YOKE_GROUPS_MAX &&
			   op->node <= c->conf.node_count &&
			   (op->verb != YOKE_VERB_SWITCH || (op->group != 0 && op->node != 0)) &&
			   (op->verb == YOKE_VERB_FAILBACK || op->verb == YOKE_VERB_MAINTENANCE ||
			    op->verb == YOKE_VERB_RESUME || op->node != 0)));
}

static int group_of_hash(const struct core *c, uint32_t hash)
{
	for (int g = 0; g < c->conf.group_count; g++)
		if (core_wire_hash(c->conf.group[g].name) == hash)
			return g;
	return -1;
}

static bool get_claim(const struct core *c, struct yoke_buf *b, struct core_claim *claim)
{
	unsigned state = yoke_buf_get_u8(b), cause = yoke_buf_get_u8(b);

	claim->state = (enum yoke_group_state)(state & STATE_MASK);
	claim->cause = (enum core_cause)(cause & ~(unsigned)READY_BIT);
	claim->ready = (cause & READY_BIT) != 0;
	claim->term = yoke_buf_get_u64(b);
	claim->request = (state & ASKS_BIT) != 0 ? yoke_buf_get_u64(b) : 0;
	claim->grant_to = (state & GRANTS_BIT) != 0 ? yoke_buf_get_u8(b) : 0;
	claim->grant_term = claim->grant_to != 0 ? yoke_buf_get_u64(b) : 0;
	return yoke_buf_ok(b) && claim->grant_to <= c->conf.node_count &&
	       in_range(state & STATE_MASK, YOKE_GROUP_UNKNOWN, YOKE_GROUP_HELD) &&
	       in_range(claim->cause, CORE_CAUSE_NONE, CORE_CAUSES_END - 1);
}

static bool get_group(const struct core *c, struct yoke_buf *b, struct state *s, uint16_t theirs)
{
	int g = group_of_hash(c, yoke_buf_get_u32(b));
	struct core_claim claim;
	unsigned count;

	s->group[theirs] = (uint16_t)(g + 1);
	if (!get_claim(c, b, &claim))
		return false;
	count = yoke_buf_get_u8(b);
	for (unsigned r = 0; r < count && yoke_buf_ok(b); r++) {
		unsigned res = yoke_buf_get_u8(b);

		if (!in_range(res, YOKE_RESOURCE_UNKNOWN, YOKE_RESOURCE_FAILED))
			return false;
		if (g >= 0 && r < c->conf.group[g].resource_count)
			s->resource[c->conf.group[g].resource_first + r] =
				(enum yoke_resource_state)res;
	}
	if (yoke_buf_ok(b) && g >= 0)
		s->claim[g] = claim;
	return yoke_buf_ok(b);
}

/* Files that differ may number groups otherwise.  Of one that we do not have it is none to us. */
static void renumber(const struct state *s, struct core_operation *op)
{
	if (op->number == 0 || op->group == 0)
		return;
	op->group = s->group[op->group - 1];
	if (op->group == 0)
		op->number = 0;
}

static bool get_state(const struct core *c, struct yoke_buf *b, uint16_t from, struct state *s)
{
	uint16_t groups;

	memset(s, 0, sizeof(*s));
	for (uint16_t g = 0; g < c->conf.group_count; g++)
		s->claim[g] = (struct core_claim){.state = YOKE_GROUP_STOPPED,
						  .cause = CORE_CAUSE_STRANGER};
	for (uint16_t r = 0; r < c->conf.resource_count; r++)
		s->resource[r] = YOKE_RESOURCE_UNKNOWN;
	s->version = yoke_buf_get_u32(b);
	s->flags = yoke_buf_get_u8(b);
	yoke_buf_get(b, s->digest, sizeof(s->digest));
	yoke_buf_get_text(b, s->yoke_version, sizeof(s->yoke_version));
	s->node_count = yoke_buf_get_u8(b);
	if (!yoke_buf_ok(b) || s->node_count > YOKE_NODES_MAX)
		return false;
	for (uint8_t n = 0; n < s->node_count; n++) {
		s->intent[n].version = yoke_buf_get_u32(b);
		s->intent[n].standby = yoke_buf_get_u8(b) != 0;
	}
	if (!core_wire_get_operation(c, b, from, &s->operation))
		return false;
	s->hwaddr_count = yoke_buf_get_u8(b);
	if (!yoke_buf_ok(b) || s->hwaddr_count > YOKE_HWADDRS_MAX)
		return false;
	for (uint8_t i = 0; i < s->hwaddr_count; i++)
		yoke_buf_get(b, s->hwaddr[i], CORE_HWADDR_SIZE);
	groups = yoke_buf_get_u16(b);
	if (!yoke_buf_ok(b) || groups > YOKE_GROUPS_MAX)
		return false;
	for (uint16_t g = 0; g < groups; g++)
		if (!get_group(c, b, s, g))
			return false;
	if (!core_detail_get(c, b, from, &s->detail))
		return false;
	renumber(s, &s->operation);
	renumber(s, &s->detail.operation);
	return yoke_buf_ok(b) && s->version != 0;
}

/* ---- apply ---- */

static void apply_detail(struct core *c, struct core_actions *out, uint16_t from,
			 const struct state *s)
{
	struct core_node *n = core_node(c, from);

	n->extended = s->detail.known;
	n->tells_pins = s->detail.tells_pins;
	n->tells_started = s->detail.tells_started;
	if (n->trouble.watchdog != s->detail.trouble.watchdog)
		core_record_touch(c);
	n->trouble = s->detail.trouble;
	for (uint16_t g = 1; g <= c->conf.group_count; g++) {
		struct core_claim *claim = &n->claim[g - 1];

		if (s->detail.cause[g - 1] != CORE_CAUSE_NONE)
			claim->cause = s->detail.cause[g - 1];
		claim->unsteady = s->detail.unsteady[g - 1];
		claim->pinned = s->detail.pinned[g - 1];
		claim->started_term = s->detail.started_term[g - 1];
		core_node_fit(c, from, g, claim);
	}
	for (unsigned i = 0; i < core_maintenance_count(c); i++)
		if (s->detail.rest[i].version != 0)
			core_maintenance_set(c, out, i, s->detail.rest[i],
					     "by an operator on another node");
}

/* It began when we heard of it first. */
static void apply_operation(struct core *c, struct core_node *n, const struct core_operation *op)
{
	yoke_time started = n->operation.started;
	bool is_known = op->number == n->operation.number;

	n->operation = *op;
	if (is_known)
		n->operation.started = started;
	if (op->number != 0)
		core_oper_told(c, &n->operation);
}

static void apply_state(struct core *c, struct core_actions *out, uint16_t from,
			const struct state *s)
{
	struct core_node *n = core_node(c, from);

	n->told = s->version;
	n->left = (s->flags & FLAG_LEFT) != 0;
	memcpy(n->version, s->yoke_version, sizeof(n->version));
	memcpy(n->claim, s->claim, c->conf.group_count * sizeof(n->claim[0]));
	apply_detail(c, out, from, s);
	memcpy(n->resource, s->resource, c->conf.resource_count * sizeof(n->resource[0]));
	/* A new engine does not know its own yet; its machine is the same. */
	if (s->hwaddr_count > 0) {
		memcpy(n->hwaddr, s->hwaddr, sizeof(n->hwaddr));
		n->hwaddr_count = s->hwaddr_count;
	}
	apply_operation(c, n, s->operation.number != 0 ? &s->operation : &s->detail.operation);
	for (uint16_t i = 1; i <= s->node_count && i <= c->conf.node_count; i++)
		core_node_intent(c, out, i, s->intent[i - 1], "by an operator on another node");
	core_config_told(c, out, from, s->digest, &s->detail.sections);
	c->beat_dirty = true;
}

/* What follows the acknowledgements.  An older yoke's beat ends earlier: what is missing is 0. */
static void take_beat(struct core *c, struct core_actions *out, const struct core_event *ev,
		      struct yoke_buf *b)
{
	uint8_t support = yoke_buf_get_u8(b), min, max;

	if (yoke_buf_ok(b) && (support >> (c->conf.self - 1) & 1) != 0)
		core_lease_renewed(c, ev->u.message.node, ev->u.message.echoed);
	min = yoke_buf_get_u8(b);
	max = yoke_buf_get_u8(b);
	core_version_told(c, out, ev->u.message.node, yoke_buf_ok(b) ? min : 0, max);
}

void core_wire_on_message(struct core *c, struct core_actions *out, const struct core_event *ev)
{
	uint16_t from = ev->u.message.node;
	struct yoke_buf b;
	struct state s;
	bool is_ours;
	uint32_t acked = 0;
	uint8_t tag;

	yoke_buf_init_read(&b, ev->u.message.bytes, ev->u.message.size);
	tag = yoke_buf_get_u8(&b);
	if ((tag != WIRE_BEAT && tag != WIRE_STATE) || !get_acks(c, &b, &is_ours, &acked))
		return;
	if (tag == WIRE_STATE && !get_state(c, &b, from, &s))
		return;
	core_node_heard(c, from, ev->u.message.incarnation);
	core_version_heard(c, out, from);
	if (is_ours)
		core_node(c, from)->acked = acked;
	if (tag == WIRE_BEAT)
		take_beat(c, out, ev, &b);
	else if (!core_version_is_strange(c, from) && s.version > core_node(c, from)->told &&
		 !yoke_time_before(ev->u.message.echoed, core_node(c, from)->forgot_at))
		apply_state(c, out, from, &s);
}
