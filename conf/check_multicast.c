/* Paths whose frames are sent to a multicast address. */
#include "conf/check.h"

static bool is_multicast(const struct conf_endpoint *e)
{
	return e->configured && e->multicast.ss_family != 0;
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *four_a = (const struct sockaddr_in *)a,
				 *four_b = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *six_a = (const struct sockaddr_in6 *)a,
				  *six_b = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return four_a->sin_addr.s_addr == four_b->sin_addr.s_addr &&
		       four_a->sin_port == four_b->sin_port;
	return IN6_ARE_ADDR_EQUAL(&six_a->sin6_addr, &six_b->sin6_addr) &&
	       six_a->sin6_port == six_b->sin6_port;
}

/* That the ends are of one family among themselves is looked at elsewhere. */
static void check_family(const char *path, const struct conf_endpoint *e,
			 struct conf_problems *problems)
{
	bool is_ipv4 = e->multicast.ss_family == AF_INET;

	if (e->address_len != 0 && e->address.ss_family != e->multicast.ss_family)
		conf_problem(problems, e->line, false,
			     "path \"%s\": multicast is %s but address is %s: use one of them for "
			     "both",
			     path, is_ipv4 ? "IPv4" : "IPv6", is_ipv4 ? "IPv6" : "IPv4");
}

static void check_interface(const char *path, const struct conf_endpoint *e,
			    struct conf_problems *problems)
{
	if (e->multicast.ss_family == AF_INET6 && e->interface[0] == '\0')
		conf_problem(problems, e->line, false,
			     "path \"%s\": an IPv6 multicast address needs interface = \"NAME\"",
			     path);
}

/* All ends of a path, among each other. */
static void check_ends(const struct conf *c, unsigned path, struct conf_problems *problems)
{
	const struct conf_endpoint *first = NULL;

	for (unsigned i = 0; i < c->node_count; i++) {
		const struct conf_endpoint *e = &c->node[i].endpoint[path];

		if (!e->configured || e->type != YOKE_PATH_TYPE_UDP ||
		    is_multicast(e) != e->is_multicast)
			continue; /* refused already */
		check_interface(c->path[path], e, problems);
		if (first == NULL && e->is_multicast)
			check_family(c->path[path], e, problems);
		if (first == NULL)
			first = e;
		else if (first->is_multicast != e->is_multicast ||
			 (e->is_multicast && !same_address(&first->multicast, &e->multicast)))
			conf_problem(problems, e->line, false,
				     "path \"%s\": multicast and its port must be as in line %d, "
				     "at its other end",
				     c->path[path], first->line);
	}
}

/* Two paths of a node, one socket would take the other one's frames. */
static void check_pair(const struct conf *c, const struct conf_node *node, unsigned a, unsigned b,
		       struct conf_problems *problems)
{
	const struct conf_endpoint *ea = &node->endpoint[a], *eb = &node->endpoint[b];

	if (!is_multicast(ea) || !is_multicast(eb) || !same_address(&ea->multicast, &eb->multicast))
		return;
	if (ea->interface[0] != '\0' && eb->interface[0] != '\0' &&
	    strcmp(ea->interface, eb->interface) != 0)
		return;
	conf_problem(problems, eb->line, false,
		     "path \"%s\": the same multicast address and port as path \"%s\" in line %d: "
		     "give each its own, or its own interface",
		     c->path[b], c->path[a], ea->line);
}

void conf_check_multicast(const struct conf *c, struct conf_problems *problems)
{
	for (unsigned path = 0; path < c->path_count; path++)
		check_ends(c, path, problems);
	for (unsigned i = 0; i < c->node_count; i++)
		for (unsigned b = 1; b < c->path_count; b++)
			for (unsigned a = 0; a < b; a++)
				check_pair(c, &c->node[i], a, b, problems);
}
