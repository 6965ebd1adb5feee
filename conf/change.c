#include "conf/change.h"

#include "conf/check.h"
#include "conf/print.h"

static void refuse(struct conf_change *change, const char *what)
{
	if (change->refusal_count < CONF_CHANGE_REFUSALS_MAX)
		snprintf(change->refusal[change->refusal_count++], CONF_PROBLEM_SIZE,
			 "%s cannot change while yoked runs: 'systemctl restart yoked' does it",
			 what);
}

static void compare_text(struct conf_change *change, const char *old, const char *next,
			 const char *what)
{
	if (strcmp(old, next) != 0)
		refuse(change, what);
}

static bool same_nodes(const struct conf *old, const struct conf *next)
{
	bool same = old->node_count == next->node_count;

	for (unsigned i = 0; same && i < old->node_count; i++)
		same = strcmp(old->node[i].name, next->node[i].name) == 0;
	return same;
}

static bool same_text(void (*print)(const struct conf *conf, FILE *out), const struct conf *old,
		      const struct conf *next)
{
	const struct conf *conf[2] = {old, next};
	char *text[2] = {NULL, NULL};
	size_t size[2] = {0, 0};
	bool same = true;

	for (unsigned i = 0; i < 2; i++) {
		FILE *out = open_memstream(&text[i], &size[i]);

		same = same && out != NULL;
		if (out == NULL)
			continue;
		print(conf[i], out);
		same = fclose(out) == 0 && same;
	}
	same = same && size[0] == size[1] && memcmp(text[0], text[1], size[0]) == 0;
	free(text[0]);
	free(text[1]);
	return same;
}

static bool same_endpoint(const struct conf_endpoint *a, const struct conf_endpoint *b)
{
	return a->configured == b->configured && a->type == b->type && a->role == b->role &&
	       memcmp(&a->address, &b->address, sizeof(a->address)) == 0 &&
	       strcmp(a->interface, b->interface) == 0 && a->is_multicast == b->is_multicast &&
	       memcmp(&a->multicast, &b->multicast, sizeof(a->multicast)) == 0 &&
	       strcmp(a->device, b->device) == 0 && a->baud == b->baud && a->rtscts == b->rtscts &&
	       a->interval_ms == b->interval_ms;
}

/* A frame names its path by the number: another one's is not ours. */
static uint32_t paths_that_stay(const struct conf *old, const struct conf *next)
{
	uint32_t stay = 0;

	for (unsigned p = 0; p < old->path_count && p < next->path_count; p++) {
		bool same = strcmp(old->path[p], next->path[p]) == 0;

		for (unsigned n = 0; same && n < old->node_count; n++)
			same = same_endpoint(&old->node[n].endpoint[p], &next->node[n].endpoint[p]);
		stay |= (uint32_t)same << p;
	}
	return stay;
}

const char conf_change_cuts_text[] =
	"no path that stays as it is works now: mend one first, or change the paths that do not "
	"work; a path that is removed changes those after it";

bool conf_change_cuts(const struct conf_change *change, uint32_t paths_up)
{
	return paths_up != 0 && (paths_up & change->paths_stay) == 0;
}

/* Until the other node has changed, too, each goes by its own. */
static void compare_beats(struct conf_change *change, uint32_t old_interval_ms,
			  uint32_t next_interval_ms, const struct conf *old,
			  const struct conf *next)
{
	if (change->refusal_count == CONF_CHANGE_REFUSALS_MAX)
		return;
	if (next_interval_ms * CONF_CHECK_INTERVALS_MIN > old->dead_ms)
		snprintf(change->refusal[change->refusal_count++], CONF_PROBLEM_SIZE,
			 "a heartbeat each %u ms is too rare for the other node as long as that "
			 "has dead_ms = %u: change dead_ms first, on both nodes, then how often "
			 "there is one",
			 next_interval_ms, old->dead_ms);
	else if (old_interval_ms * CONF_CHECK_INTERVALS_MIN > next->dead_ms)
		snprintf(change->refusal[change->refusal_count++], CONF_PROBLEM_SIZE,
			 "dead_ms = %u is too short as long as the other node has a heartbeat each "
			 "%u ms: change first, on both nodes, how often there is one, then dead_ms",
			 next->dead_ms, old_interval_ms);
}

static void compare_times(struct conf_change *change, const struct conf *old,
			  const struct conf *next)
{
	compare_beats(change, old->interval_ms, next->interval_ms, old, next);
	for (unsigned p = 0; p < old->path_count && p < next->path_count; p++) {
		uint32_t old_ms = conf_path_interval_ms(old, p);
		uint32_t next_ms = conf_path_interval_ms(next, p);

		if (old_ms != old->interval_ms || next_ms != next->interval_ms)
			compare_beats(change, old_ms, next_ms, old, next);
	}
}

static void look_for_refusals(const struct conf *old, const struct conf *next,
			      struct conf_change *change)
{
	compare_text(change, old->cluster, next->cluster, "the cluster's name");
	compare_text(change, old->key_file, next->key_file, "key_file");
	compare_text(change, old->state_dir, next->state_dir, "state_dir");
	compare_text(change, old->run_dir, next->run_dir, "run_dir");
	compare_text(change, old->user, next->user, "user");
	compare_text(change, old->snmp_user, next->snmp_user, "user of snmp");
	compare_text(change, old->watchdog, next->watchdog, "watchdog");
	if (old->watchdog_ms != next->watchdog_ms)
		refuse(change, "watchdog_ms");
	/* The other node reckons with them from what it was told, which is a moment later. */
	if (old->lease_ms != next->lease_ms)
		refuse(change, "lease_ms (twice dead_ms when it is not given)");
	if (old->node_count > 1)
		compare_times(change, old, next);
	if (!same_nodes(old, next))
		refuse(change, "the nodes' names and their order");
	else
		change->paths_stay = paths_that_stay(old, next);
	/* Something must go on over the change, or the other node takes us for dead. */
	if (old->node_count > 1 && same_nodes(old, next) && change->paths_stay == 0)
		refuse(change, "every path at once (change one after the other; one that is "
			       "removed changes those after it); that");
	if (!same_text(conf_print_arbiters, old, next))
		refuse(change, "what the arbiters are");
}

/* ---- groups and resources ---- */

static const struct conf_group *group_of_name(const struct conf *conf, const char *name)
{
	for (unsigned g = 0; g < conf->group_count; g++)
		if (strcmp(conf->group[g].name, name) == 0)
			return &conf->group[g];
	return NULL;
}

static bool is_member(const struct conf_group *group, unsigned self)
{
	for (unsigned i = 0; i < group->node_count; i++)
		if (group->node[i] == self)
			return true;
	return false;
}

static bool same_command(const char *a, const char *b)
{
	const char *word_a = NULL, *word_b = NULL;

	do {
		word_a = conf_command_next(a, word_a);
		word_b = conf_command_next(b, word_b);
		if (word_a == NULL || word_b == NULL)
			return word_a == word_b;
	} while (strcmp(word_a, word_b) == 0);
	return false;
}

/* Could the one be taken for the other, running? */
static bool same_thing(const struct conf_resource *a, const struct conf_resource *b)
{
	if (strcmp(a->name, b->name) != 0 || a->type != b->type)
		return false;
	if (a->type == YOKE_RESOURCE_TYPE_ADDRESS)
		return a->family == b->family && a->prefix_len == b->prefix_len &&
		       memcmp(a->address, b->address, sizeof(a->address)) == 0 &&
		       strcmp(a->interface, b->interface) == 0;
	return same_command(a->start, b->start) && same_command(a->stop, b->stop) &&
	       same_command(a->status, b->status);
}

/* Its index + 1; 0: the group does not have it. */
static unsigned find(const struct conf *conf, const struct conf_group *group,
		     const struct conf_resource *resource)
{
	for (unsigned i = 0; i < group->resource_count; i++)
		if (same_thing(&conf->resource[group->resource_first + i], resource))
			return group->resource_first + i + 1u;
	return 0;
}

static void compare_group(const struct conf *old, const struct conf_group *was,
			  const struct conf *next, unsigned self, struct conf_change *change)
{
	const struct conf_group *is = group_of_name(next, was->name);

	if (!is_member(was, self))
		return;
	if (is == NULL || !is_member(is, self) || is->parallel != was->parallel) {
		change->group_ends[was - old->group] = true;
		change->ends++;
		return;
	}
	for (unsigned i = 0; i < was->resource_count; i++) {
		unsigned at = was->resource_first + i;

		if (find(next, is, &old->resource[at]) != 0)
			continue;
		change->resource_ends[at] = true;
		change->ends++;
	}
	for (unsigned i = 0; i < is->resource_count; i++) {
		unsigned at = is->resource_first + i;

		change->was[at] = (uint16_t)find(old, was, &next->resource[at]);
		if (change->was[at] == 0)
			change->group_grows[is - next->group] = true;
	}
}

/* What runs now has no lease that the next engine could go on by: it would stop it. */
static void look_for_bound(const struct conf *old, const struct conf *next,
			   const struct conf_group *is, struct conf_change *change)
{
	const struct conf_group *was = group_of_name(old, is->name);
	char what[CONF_PROBLEM_SIZE / 2];

	if (was == NULL || conf_locks(next) == 0 || !is->exclusive || is->unproven ||
	    (was->exclusive && !was->unproven))
		return;
	snprintf(what, sizeof(what), "exclusive of group %s, where there is a lock,", is->name);
	refuse(change, what);
}

/* Could the one stand in the way of the other, on the other node? */
static bool collides(const struct conf_resource *a, const struct conf_resource *b)
{
	if (a->type == YOKE_RESOURCE_TYPE_ADDRESS && b->type == a->type)
		return a->family == b->family &&
		       memcmp(a->address, b->address, sizeof(a->address)) == 0;
	return same_thing(a, b);
}

/* What goes to another group would be started in that by the node that has changed while the other
 * node runs it in the old one. */
static void look_for_moved(const struct conf *old, const struct conf *next,
			   const struct conf_group *is, struct conf_change *change)
{
	for (unsigned i = 0; i < old->resource_count * is->resource_count; i++) {
		const struct conf_resource *from = &old->resource[i / is->resource_count];
		const struct conf_resource *to =
			&next->resource[is->resource_first + i % is->resource_count];
		const struct conf_group *was = group_of_name(old, is->name);

		if (!collides(from, to) || (was != NULL && find(old, was, to) != 0) ||
		    strcmp(old->group[from->group].name, is->name) == 0 ||
		    change->refusal_count == CONF_CHANGE_REFUSALS_MAX)
			continue;
		snprintf(change->refusal[change->refusal_count++], CONF_PROBLEM_SIZE,
			 "resource %s goes from group %s to group %s: take it out first, with "
			 "'yoke reload' on both nodes, then add it",
			 to->name, old->group[from->group].name, is->name);
	}
}

void conf_change(const struct conf *old, const struct conf *next, unsigned self,
		 struct conf_change *change)
{
	memset(change, 0, sizeof(*change));
	change->any = !same_text(conf_print, old, next);
	look_for_refusals(old, next, change);
	for (unsigned g = 0; g < next->group_count; g++) {
		look_for_bound(old, next, &next->group[g], change);
		look_for_moved(old, next, &next->group[g], change);
	}
	if (change->refusal_count > 0)
		return;
	for (unsigned g = 0; g < old->group_count; g++)
		compare_group(old, &old->group[g], next, self, change);
}
