/* The rules over several keys.  Each function is one subject; none stops at its first finding. */
#include "conf/check.h"

enum {
	INTERVALS_MIN = CONF_CHECK_INTERVALS_MIN, /* one lost frame must not be a death */
	INTERVALS_GOOD = CONF_CHECK_INTERVALS_GOOD,
	NODES_MIN = 2,
	NODES_TESTED = 2,
	SUBNET_BITS_IPV4 = 24, /* the file has no prefix for a path; what most networks use */
	SUBNET_BITS_IPV6 = 64,
};

static void check_times(const struct conf *c, struct conf_problems *problems)
{
	int line = c->line.interval != 0 ? c->line.interval : c->line.dead;
	int late_line = c->line.late != 0 ? c->line.late : c->line.dead;

	if (c->dead_ms == 0 || c->interval_ms == 0)
		return;
	if (c->interval_ms * INTERVALS_MIN > c->dead_ms)
		conf_problem(
			problems, line, false,
			"interval_ms = %u is too long for dead_ms = %u: at most dead_ms/%d = %u ms",
			c->interval_ms, c->dead_ms, INTERVALS_MIN, c->dead_ms / INTERVALS_MIN);
	else if (c->dead_ms / c->interval_ms < INTERVALS_GOOD)
		conf_problem(
			problems, line, true,
			"interval_ms = %u leaves only %u heartbeats in dead_ms = %u: a few lost "
			"frames look like a death; at most %u ms is better",
			c->interval_ms, c->dead_ms / c->interval_ms, c->dead_ms,
			c->dead_ms / INTERVALS_GOOD);
	if (c->late_ms != 0 && (c->late_ms < c->interval_ms || c->late_ms > c->dead_ms))
		conf_problem(problems, late_line, false,
			     "late_ms = %u is out of range: interval_ms..dead_ms = %u..%u ms",
			     c->late_ms, c->interval_ms, c->dead_ms);
}

static size_t family_size(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* The bytes of an end's address, in network order. */
static const uint8_t *bytes_of(const struct conf_endpoint *e)
{
	if (e->address.ss_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)&e->address)->sin_addr;
	return (const uint8_t *)&((const struct sockaddr_in6 *)&e->address)->sin6_addr;
}

/* The same in its first `bits` bits? */
static bool same_network(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	return memcmp(a, b, bits / 8) == 0; /* our prefixes are whole bytes */
}

static bool is_usable(const struct conf_endpoint *e)
{
	return e->configured && e->address_len != 0;
}

static bool is_link_local(const struct conf_endpoint *e)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&e->address;

	return e->address.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr);
}

static uint16_t port_of(const struct conf_endpoint *e)
{
	return e->address.ss_family == AF_INET
		       ? ((const struct sockaddr_in *)&e->address)->sin_port
		       : ((const struct sockaddr_in6 *)&e->address)->sin6_port;
}

/* Would two sockets collide, or two nodes answer for one another? */
static bool same_place(const struct conf_endpoint *a, const struct conf_endpoint *b)
{
	if (a->address.ss_family != b->address.ss_family || port_of(a) != port_of(b))
		return false;
	/* A link-local address means another machine on each link. */
	if (is_link_local(a) && strcmp(a->interface, b->interface) != 0)
		return false;
	return memcmp(bytes_of(a), bytes_of(b), family_size(a->address.ss_family)) == 0;
}

/* One path over all nodes: everybody has it, in one family. */
static void check_path(const struct conf *c, unsigned path, struct conf_problems *problems)
{
	const struct conf_endpoint *first = NULL;
	const char *first_node = NULL;
	enum yoke_path_type type = YOKE_PATH_TYPE_UNKNOWN;

	for (unsigned i = 0; i < c->node_count; i++) {
		const struct conf_endpoint *e = &c->node[i].endpoint[path];

		if (!e->configured) {
			conf_problem(
				problems, c->node[i].line, false,
				"node \"%s\" has no path \"%s\", which another node has: add it "
				"here or remove it there",
				c->node[i].name, c->path[path]);
			continue;
		}
		if (type == YOKE_PATH_TYPE_UNKNOWN)
			type = e->type; /* one that was refused is said already */
		if (e->type != YOKE_PATH_TYPE_UNKNOWN && e->type != type)
			conf_problem(problems, e->line, false,
				     "path \"%s\" is of type %s here but not on another node: it "
				     "has one type",
				     c->path[path], yoke_word_path_type(e->type));
		if (!is_usable(e))
			continue;
		if (is_link_local(e) && e->interface[0] == '\0')
			conf_problem(problems, e->line, false,
				     "path \"%s\": a link-local address needs interface = \"NAME\"",
				     c->path[path]);
		if (first == NULL) {
			first = e;
			first_node = c->node[i].name;
		} else if (first->address.ss_family != e->address.ss_family) {
			conf_problem(
				problems, e->line, false,
				"path \"%s\" is %s here but not on node \"%s\": use IPv4 or IPv6 "
				"on both ends",
				c->path[path], e->address.ss_family == AF_INET ? "IPv4" : "IPv6",
				first_node);
		}
	}
}

/* Two paths of one node that would fail together. */
static void check_path_pair(const struct conf *c, unsigned node, unsigned a, unsigned b,
			    struct conf_problems *problems)
{
	const struct conf_endpoint *ea = &c->node[node].endpoint[a],
				   *eb = &c->node[node].endpoint[b];
	unsigned bits;

	if (!is_usable(ea) || !is_usable(eb))
		return;
	if (ea->interface[0] != '\0' && strcmp(ea->interface, eb->interface) == 0) {
		conf_problem(problems, eb->line, true,
			     "paths \"%s\" and \"%s\" of node \"%s\" share interface %s: one fault "
			     "ends both",
			     c->path[a], c->path[b], c->node[node].name, ea->interface);
		return;
	}
	if (ea->address.ss_family != eb->address.ss_family || is_link_local(ea))
		return;
	bits = ea->address.ss_family == AF_INET ? SUBNET_BITS_IPV4 : SUBNET_BITS_IPV6;
	if (same_network(bytes_of(ea), bytes_of(eb), bits))
		conf_problem(problems, eb->line, true,
			     "paths \"%s\" and \"%s\" of node \"%s\" are in the same /%u network: "
			     "give each path its own",
			     c->path[a], c->path[b], c->node[node].name, bits);
}

/* An address and port may be there once in the whole cluster. */
static void check_places(const struct conf *c, struct conf_problems *problems)
{
	const unsigned end = c->node_count * YOKE_PATHS_MAX;

	for (unsigned i = 0; i < end; i++) {
		const struct conf_endpoint *e =
			&c->node[i / YOKE_PATHS_MAX].endpoint[i % YOKE_PATHS_MAX];

		for (unsigned j = 0; j < i && is_usable(e); j++) {
			const struct conf_endpoint *other =
				&c->node[j / YOKE_PATHS_MAX].endpoint[j % YOKE_PATHS_MAX];

			if (!is_usable(other) || !same_place(e, other))
				continue;
			conf_problem(
				problems, e->line > other->line ? e->line : other->line, false,
				"the same address and port as in line %d: each end of each path "
				"needs its own",
				e->line > other->line ? other->line : e->line);
			break;
		}
	}
}

static void check_paths(const struct conf *c, struct conf_problems *problems)
{
	if (c->node_count > 0 && c->path_count == 0)
		conf_problem(
			problems, c->node[0].line, false,
			"there is no heartbeat path: add path \"NAME\" { address = \"...\" } to "
			"each node");
	if (c->path_count == 1)
		conf_problem(
			problems, c->node[0].line, true,
			"only one path: a single cable failure silences the peer; add a second");
	for (unsigned path = 0; path < c->path_count; path++)
		check_path(c, path, problems);
	check_places(c, problems);
	conf_check_lines(c, problems);
	conf_check_multicast(c, problems);
	conf_check_public(c, problems);
	for (unsigned node = 0; node < c->node_count; node++) {
		for (unsigned b = 1; b < c->path_count; b++) {
			for (unsigned a = 0; a < b; a++)
				check_path_pair(c, node, a, b, problems);
		}
	}
}

static void check_nodes(const struct conf *c, struct conf_problems *problems)
{
	if (c->node_count < NODES_MIN)
		conf_problem(problems, c->node_count > 0 ? c->node[0].line : 0, false,
			     "%u of at least %d nodes: add node \"NAME\" { ... }", c->node_count,
			     NODES_MIN);
	if (c->node_count > NODES_TESTED)
		conf_problem(problems, c->node[NODES_TESTED].line, true,
			     "%u nodes: this version is promised for %d", c->node_count,
			     NODES_TESTED);
	for (unsigned i = 0; i < c->node_count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (c->node[i].name[0] == '\0' ||
			    strcmp(c->node[i].name, c->node[j].name) != 0)
				continue;
			conf_problem(problems, c->node[i].line, false,
				     "node \"%s\" is given twice: the first is in line %d",
				     c->node[i].name, c->node[j].line);
			break;
		}
	}
}

static void check_group(const struct conf *c, unsigned index, struct conf_problems *problems)
{
	const struct conf_group *g = &c->group[index];

	for (unsigned j = 0; j < index && g->name[0] != '\0'; j++) {
		if (strcmp(g->name, c->group[j].name) != 0)
			continue;
		conf_problem(problems, g->line, false,
			     "group \"%s\" is given twice: the first is in line %d", g->name,
			     c->group[j].line);
		break;
	}
	if (g->resource_count == 0)
		conf_problem(problems, g->line, false,
			     "group \"%s\" has no resources: add resource \"NAME\" { ... }",
			     g->name);
	if (g->node_count == 1 && c->node_count > 1)
		conf_problem(problems, g->line, true,
			     "group \"%s\" may run on one node only: nobody can take it over",
			     g->name);
}

static bool same_address(const struct conf_resource *a, const struct conf_resource *b)
{
	return a->family != 0 && a->family == b->family &&
	       memcmp(a->address, b->address, family_size(a->family)) == 0;
}

/* A heartbeat's address must stay where it is. */
static void check_not_a_path(const struct conf *c, const struct conf_resource *r,
			     struct conf_problems *problems)
{
	for (unsigned i = 0; i < c->node_count * YOKE_PATHS_MAX && r->family != 0; i++) {
		const struct conf_endpoint *e =
			&c->node[i / YOKE_PATHS_MAX].endpoint[i % YOKE_PATHS_MAX];

		if (!is_usable(e) || e->address.ss_family != r->family ||
		    memcmp(bytes_of(e), r->address, family_size(r->family)) != 0)
			continue;
		conf_problem(problems, r->line, false,
			     "resource \"%s\" has the address of the path in line %d: a service "
			     "address must be no node's own",
			     r->name, e->line);
		return;
	}
}

static void check_resource(const struct conf *c, unsigned index, struct conf_problems *problems)
{
	const struct conf_resource *r = &c->resource[index];
	bool same_name = false, same = false;

	for (unsigned j = 0; j < index; j++) {
		const struct conf_resource *other = &c->resource[j];

		if (!same_name && r->name[0] != '\0' && strcmp(r->name, other->name) == 0) {
			same_name = true;
			conf_problem(problems, r->line, false,
				     "resource \"%s\" is given twice: the first is in line %d",
				     r->name, other->line);
		}
		if (!same && same_address(r, other)) {
			same = true;
			conf_problem(
				problems, r->line, false,
				"resource \"%s\" has the same address as \"%s\" in line %d: an "
				"address belongs to one group, once",
				r->name, other->name, other->line);
		}
	}
	check_not_a_path(c, r, problems);
}

void conf_check(const struct conf *conf, struct conf_problems *problems)
{
	if (conf->cluster[0] == '\0' && conf->line.name == 0)
		conf_problem(problems, conf->line.cluster, false,
			     "the cluster has no name: write cluster { name = \"NAME\" }");
	check_times(conf, problems);
	check_nodes(conf, problems);
	check_paths(conf, problems);
	if (conf->group_count == 0)
		conf_problem(problems, 0, true, "there is no group: nothing is kept alive");
	for (unsigned i = 0; i < conf->group_count; i++)
		check_group(conf, i, problems);
	for (unsigned i = 0; i < conf->resource_count; i++)
		check_resource(conf, i, problems);
	conf_check_arbiters(conf, problems);
}
