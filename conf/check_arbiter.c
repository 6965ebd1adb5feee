#include "conf/check.h"

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

/* Is it the address of a resource? */
static bool is_service(const struct sockaddr_storage *a, const struct conf_resource *r)
{
	if (a->ss_family != r->family)
		return false;
	if (r->family == AF_INET)
		return memcmp(&((const struct sockaddr_in *)a)->sin_addr, r->address, 4) == 0;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, r->address, 16) == 0;
}

/* Whoever is asked must not be one of those who ask. */
static void check_host(const struct conf *c, const struct conf_arbiter *a,
		       const struct sockaddr_storage *address, struct conf_problems *problems)
{
	for (unsigned i = 0; i < c->node_count * YOKE_PATHS_MAX; i++) {
		const struct conf_endpoint *e =
			&c->node[i / YOKE_PATHS_MAX].endpoint[i % YOKE_PATHS_MAX];

		if (!e->configured || e->address_len == 0 || !same_host(&e->address, address))
			continue;
		conf_problem(problems, a->line, false,
			     "arbiter \"%s\" has the address of the path in line %d: it must be "
			     "none of the cluster's nodes",
			     a->name, e->line);
		return;
	}
	for (unsigned i = 0; i < c->resource_count; i++) {
		if (!is_service(address, &c->resource[i]))
			continue;
		conf_problem(problems, a->line, false,
			     "arbiter \"%s\" has the address of resource \"%s\": it must be none "
			     "that the nodes give to each other",
			     a->name, c->resource[i].name);
		return;
	}
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port
				       : ((const struct sockaddr_in6 *)a)->sin6_port;
}

/* Two locks that are one would count twice. */
static bool same_lock(const struct conf_arbiter *a, const struct conf_arbiter *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == YOKE_ARBITER_TYPE_DISK)
		return a->device[0] != '\0' && strcmp(a->device, b->device) == 0;
	return a->type == YOKE_ARBITER_TYPE_WITNESS && a->address_count > 0 &&
	       b->address_count > 0 && same_host(&a->address[0], &b->address[0]) &&
	       port_of(&a->address[0]) == port_of(&b->address[0]);
}

static void check_arbiter(const struct conf *c, unsigned index, struct conf_problems *problems)
{
	const struct conf_arbiter *a = &c->arbiter[index];
	bool victims = false;

	for (unsigned i = 0; i < index; i++) {
		const struct conf_arbiter *other = &c->arbiter[i];

		if (a->name[0] != '\0' && strcmp(a->name, other->name) == 0)
			conf_problem(problems, a->line, false,
				     "arbiter \"%s\" is given twice: the first is in line %d",
				     a->name, other->line);
		if (same_lock(a, other))
			conf_problem(problems, a->line, false,
				     "arbiter \"%s\" is the same %s as \"%s\" in line %d: a lock "
				     "counts once",
				     a->name, yoke_word_arbiter_type(a->type), other->name,
				     other->line);
	}
	for (unsigned i = 0; i < a->address_count; i++)
		check_host(c, a, &a->address[i], problems);
	for (unsigned i = 0; i < c->node_count; i++)
		victims |= a->node[i];
	if (a->type == YOKE_ARBITER_TYPE_FENCE && !victims)
		conf_problem(problems, a->line, false,
			     "arbiter \"%s\" has no victim: add victim \"NODE\" { ... } for each "
			     "node that it can switch off",
			     a->name);
}

/* Half of a fence is none: the node that nobody can switch off is the one that hangs. */
static void check_victims(const struct conf *c, struct conf_problems *problems)
{
	const struct conf_arbiter *fence = NULL;
	bool is_victim[YOKE_NODES_MAX] = {false}, any = false;

	for (unsigned i = 0; i < c->arbiter_count; i++) {
		if (c->arbiter[i].type != YOKE_ARBITER_TYPE_FENCE)
			continue;
		fence = &c->arbiter[i];
		for (unsigned n = 0; n < c->node_count; n++) {
			is_victim[n] |= fence->node[n];
			any |= fence->node[n];
		}
	}
	for (unsigned n = 0; n < c->node_count && any; n++) {
		if (!is_victim[n] && c->node[n].name[0] != '\0')
			conf_problem(
				problems, fence->line, false,
				"no fence arbiter can switch node \"%s\" off: add victim \"%s\" { "
				"... } to one of them",
				c->node[n].name, c->node[n].name);
	}
}

static void check_lease(const struct conf *c, struct conf_problems *problems)
{
	int line = c->line.lease != 0 ? c->line.lease : c->line.dead;

	if (c->dead_ms == 0 || c->lease_ms == 0 || c->lease_ms * 2 >= c->dead_ms * 3)
		return;
	conf_problem(problems, line, false,
		     "lease_ms = %u is too short for dead_ms = %u: at least dead_ms*3/2 = %u ms",
		     c->lease_ms, c->dead_ms, (c->dead_ms * 3 + 1) / 2);
}

/* An even number of locks is worse than one less. */
static void check_majority(const struct conf *c, struct conf_problems *problems)
{
	unsigned locks = conf_locks(c), seen = 0;

	for (unsigned i = 0; i < c->arbiter_count && locks > 0 && locks % 2 == 0; i++) {
		const struct conf_arbiter *a = &c->arbiter[i];

		seen += a->type == YOKE_ARBITER_TYPE_DISK || a->type == YOKE_ARBITER_TYPE_WITNESS;
		if (seen < locks)
			continue;
		conf_problem(problems, a->line, true,
			     "%u locks (disk, witness): a node needs %u of them to go on alone, so "
			     "they bear no more failures than %u would: use %u or %u",
			     locks, locks / 2 + 1, locks - 1, locks - 1, locks + 1);
		return;
	}
}

/* What an exclusive group is promised when its owner falls silent. */
static void check_group(const struct conf_group *g, bool proof, struct conf_problems *problems)
{
	if (!g->exclusive)
		return;
	if (g->unproven)
		conf_problem(
			problems, g->takeover_line, true,
			"group \"%s\": takeover = unproven: when the nodes do not hear each other "
			"both run it; write proven and add a fence, disk or witness arbiter if "
			"that does harm",
			g->name);
	else if (!proof)
		conf_problem(
			problems, g->exclusive_line, true,
			"group \"%s\": exclusive = yes (the default), and nothing can prove that a "
			"silent node is dead: a failover waits for 'yoke confirm-down'; add a "
			"fence, disk or witness arbiter, or write exclusive = no if two owners do "
			"no harm",
			g->name);
}

static void check_watchdog(const struct conf *c, struct conf_problems *problems)
{
	if (c->watchdog[0] != '\0' || conf_locks(c) == 0)
		return;
	for (unsigned i = 0; i < c->group_count; i++) {
		if (!c->group[i].exclusive || c->group[i].unproven)
			continue;
		conf_problem(
			problems, c->line.cluster, true,
			"a lock but no watchdog: a node whose stop hangs, or a machine that pauses "
			"longer than its lease, may still run a group when the other takes it "
			"over; add watchdog = \"/dev/watchdog\"");
		return;
	}
}

void conf_check_arbiters(const struct conf *conf, struct conf_problems *problems)
{
	/* Of one whose type was refused we do not know. */
	bool proof = conf_locks(conf) > 0 || conf_arbiters_of(conf, YOKE_ARBITER_TYPE_FENCE) > 0 ||
		     conf_arbiters_of(conf, YOKE_ARBITER_TYPE_UNKNOWN) > 0;

	check_lease(conf, problems);
	for (unsigned i = 0; i < conf->arbiter_count; i++)
		check_arbiter(conf, i, problems);
	check_victims(conf, problems);
	check_majority(conf, problems);
	for (unsigned i = 0; i < conf->group_count; i++)
		check_group(&conf->group[i], proof, problems);
	check_watchdog(conf, problems);
}
