#include "tools/show.h"

#include <inttypes.h>
#include <string.h>

#include "tools/text.h"

static struct tool_table table;

static enum tool_colour condition_colour(enum yoke_condition condition)
{
	switch (condition) {
	case YOKE_CONDITION_OK:
		return TOOL_GOOD;
	case YOKE_CONDITION_CRITICAL:
		return TOOL_BAD;
	default:
		return TOOL_WARN;
	}
}

static enum tool_colour node_colour(enum yoke_node_state state)
{
	if (state == YOKE_NODE_ONLINE)
		return TOOL_PLAIN;
	return state == YOKE_NODE_LOST ? TOOL_BAD : TOOL_WARN;
}

static enum tool_colour path_colour(enum yoke_path_state state)
{
	if (state == YOKE_PATH_UP)
		return TOOL_PLAIN;
	return state == YOKE_PATH_DOWN ? TOOL_BAD : TOOL_WARN;
}

static enum tool_colour group_colour(enum yoke_group_state state)
{
	switch (state) {
	case YOKE_GROUP_STARTED:
	case YOKE_GROUP_STOPPED:
		return TOOL_PLAIN;
	case YOKE_GROUP_FAILED:
	case YOKE_GROUP_HELD:
		return TOOL_BAD;
	default:
		return TOOL_WARN;
	}
}

static enum tool_colour resource_colour(enum yoke_resource_state state)
{
	switch (state) {
	case YOKE_RESOURCE_STARTED:
	case YOKE_RESOURCE_STOPPED:
		return TOOL_PLAIN;
	case YOKE_RESOURCE_FAILED:
		return TOOL_BAD;
	default:
		return TOOL_WARN;
	}
}

static const char *node_name(const struct yoke_snapshot *s, unsigned number)
{
	return number >= 1 && number <= s->node_count ? s->node[number - 1].name : "-";
}

static const char *group_name(const struct yoke_snapshot *s, unsigned number)
{
	return number >= 1 && number <= s->group_count ? s->group[number - 1].name : "-";
}

static void cell(unsigned column, enum tool_colour colour, const char *text)
{
	tool_table_cell(&table, column, colour, text);
}

static void cell_number(unsigned column, uint64_t number)
{
	char text[TOOL_SPAN_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	cell(column, TOOL_PLAIN, text);
}

static void cell_age(const struct yoke_snapshot *s, unsigned column, int64_t wall_ms)
{
	char text[TOOL_SPAN_SIZE];

	tool_text_age(text, wall_ms, s->taken_wall_ms);
	cell(column, TOOL_PLAIN, text);
}

static void finish(bool colour, FILE *out)
{
	if (table.rows < 2)
		return;
	fputc('\n', out);
	tool_table_print(&table, colour, out);
}

static void show_head(const struct yoke_snapshot *s, bool colour, FILE *out)
{
	char age[TOOL_SPAN_SIZE];

	tool_text_age(age, s->engine_started_wall_ms, s->taken_wall_ms);
	fprintf(out, "cluster %s%s%s is %s%s%s%s%s\n", tool_text_colour(TOOL_BOLD, colour),
		s->cluster[0] != '\0' ? s->cluster : "-", tool_text_colour(TOOL_PLAIN, colour),
		tool_text_colour(condition_colour(s->condition), colour),
		yoke_word_condition(s->condition), tool_text_colour(TOOL_PLAIN, colour),
		s->text[0] != '\0' ? ": " : "", s->text);
	fprintf(out,
		"%sas %s sees it; engine %s, up %s; interval %u ms, late %u ms, dead %u ms%s\n",
		tool_text_colour(TOOL_DIM, colour), node_name(s, s->self), s->version, age,
		s->interval_ms, s->late_ms, s->dead_ms, tool_text_colour(TOOL_PLAIN, colour));
	if (!s->realtime)
		fprintf(out, "%sthe engine has no realtime priority or locked memory%s\n",
			tool_text_colour(TOOL_WARN, colour), tool_text_colour(TOOL_PLAIN, colour));
}

static void show_groups(const struct yoke_snapshot *s)
{
	char why[TOOL_CELL_SIZE];
	unsigned i;

	tool_table_start(&table, "GROUP|OWNER|STATE|CONDITION|TERM|SINCE|MOVES|WHY");
	for (i = 0; i < s->group_count; i++) {
		const struct yoke_snapshot_group *g = &s->group[i];

		tool_table_row(&table);
		cell(0, TOOL_BOLD, g->name);
		cell(1, g->owner == 0 ? TOOL_BAD : TOOL_PLAIN, node_name(s, g->owner));
		cell(2, group_colour(g->state), yoke_word_group_state(g->state));
		cell(3, condition_colour(g->condition), yoke_word_condition(g->condition));
		cell_number(4, g->term);
		cell_age(s, 5, g->changed_wall_ms);
		cell_number(6, g->moves);
		snprintf(why, sizeof(why), "%s%s%s%s", g->maintenance ? "in maintenance; " : "",
			 g->pinned ? "pinned; " : "", g->parallel ? "parallel; " : "", g->reason);
		cell(7, g->maintenance ? TOOL_WARN : TOOL_PLAIN, why);
	}
}

static unsigned paths_to(const struct yoke_snapshot *s, unsigned node)
{
	unsigned i, count = 0;

	for (i = 0; i < s->link_count; i++)
		count += s->link[i].node == node;
	return count;
}

static void node_note(const struct yoke_snapshot_node *n, char *text, size_t size)
{
	char protocol[64], differs[YOKE_REASON_SIZE + 32];
	const char *note[] = {
		n->protocol_max == 0 || n->protocol != 0 ? "" : protocol,
		n->standby ? "standby" : "",
		n->maintenance ? "in maintenance" : "",
		n->config_same || n->state == YOKE_NODE_UNKNOWN ? "" : differs,
	};
	size_t used = 0;

	snprintf(protocol, sizeof(protocol), "speaks protocol %u to %u, not ours", n->protocol_min,
		 n->protocol_max);
	snprintf(differs, sizeof(differs), "its configuration differs: %s", n->config_differs);
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(note) / sizeof(note[0]) && used < size; i++)
		if (note[i][0] != '\0')
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used > 0 ? ", " : "", note[i]);
}

static void show_nodes(const struct yoke_snapshot *s)
{
	char text[TOOL_CELL_SIZE];
	unsigned i, paths;

	tool_table_start(&table, "NODE|STATE|SINCE|PATHS UP|VERSION|NOTE");
	for (i = 0; i < s->node_count; i++) {
		const struct yoke_snapshot_node *n = &s->node[i];

		tool_table_row(&table);
		cell(0, TOOL_BOLD, n->name);
		cell(1, node_colour(n->state), yoke_word_node_state(n->state));
		cell_age(s, 2, n->changed_wall_ms);
		paths = paths_to(s, i + 1);
		snprintf(text, sizeof(text), "%u of %u", n->paths_up, paths);
		cell(3, n->paths_up < paths ? TOOL_WARN : TOOL_PLAIN, paths > 0 ? text : "-");
		cell(4, TOOL_PLAIN, n->version);
		node_note(n, text, sizeof(text));
		cell(5, TOOL_WARN, text);
		if (text[0] == '\0' && i + 1 == s->self)
			cell(5, TOOL_DIM, "this node");
	}
}

static uint64_t refused(const struct yoke_snapshot_path *p)
{
	return p->refused_seal + p->refused_replay + p->refused_version + p->refused_length +
	       p->refused_cluster + p->refused_sender + p->refused_key;
}

static void show_paths(const struct yoke_snapshot *s, bool wide)
{
	char text[TOOL_SPAN_SIZE];
	unsigned i;

	tool_table_start(&table,
			 wide ? "PATH|TYPE|TO|STATE|SINCE|RTT|LOSS|FLAPS|NOTE|REFUSED|LOCAL|"
				"REMOTE|INTERFACE|MULTICAST"
			      : "PATH|TYPE|TO|STATE|SINCE|RTT|LOSS|FLAPS|NOTE");
	for (i = 0; i < s->link_count; i++) {
		const struct yoke_snapshot_path *p = &s->link[i];

		tool_table_row(&table);
		cell(0, TOOL_PLAIN, p->name);
		cell(1, TOOL_PLAIN, yoke_word_path_type((int)p->type));
		cell(2, TOOL_PLAIN, node_name(s, p->node));
		cell(3, path_colour(p->state), yoke_word_path_state(p->state));
		cell_age(s, 4, p->changed_wall_ms);
		tool_text_rtt(text, p->rtt_us);
		cell(5, TOOL_PLAIN, text);
		tool_text_permille(text, p->loss_permille);
		cell(6, p->loss_permille > 10 ? TOOL_WARN : TOOL_PLAIN, text);
		cell_number(7, p->flaps);
		cell(8, TOOL_WARN, p->reason);
		cell_number(9, refused(p));
		cell(10, TOOL_PLAIN, p->local);
		cell(11, TOOL_PLAIN, p->remote);
		cell(12, TOOL_PLAIN, p->interface);
		cell(13, TOOL_PLAIN, p->multicast);
	}
}

/* How well each path works: what --wide has besides. */
static void show_quality(const struct yoke_snapshot *s)
{
	char text[TOOL_SPAN_SIZE];

	tool_table_start(&table,
			 "PATH|TO|ROLE|EACH|RTT MIN|MEAN|MAX|JITTER|LOSS IN 1 H|MISSED|DELAYED");
	for (unsigned i = 0; i < s->link_count; i++) {
		const struct yoke_snapshot_path *p = &s->link[i];
		const uint32_t times_us[] = {p->rtt_min_us, p->rtt_mean_us, p->rtt_max_us,
					     p->jitter_us};

		tool_table_row(&table);
		cell(0, TOOL_PLAIN, p->name);
		cell(1, TOOL_PLAIN, node_name(s, p->node));
		cell(2, TOOL_PLAIN, yoke_word_path_role((int)p->role));
		snprintf(text, sizeof(text), "%u ms", p->interval_ms);
		cell(3, TOOL_PLAIN, text);
		for (unsigned j = 0; j < sizeof(times_us) / sizeof(times_us[0]); j++) {
			tool_text_rtt(text, times_us[j]);
			cell(4 + j, TOOL_PLAIN, text);
		}
		tool_text_permille(text, p->loss_hour_permille);
		cell(8, p->loss_hour_permille > 10 ? TOOL_WARN : TOOL_PLAIN, text);
		cell_number(9, p->missed);
		cell_number(10, p->delayed);
	}
}

/* Who could take over: the members that do not own their group. */
static void show_members(const struct yoke_snapshot *s)
{
	unsigned i;

	tool_table_start(&table, "STANDBY FOR|NODE|STATE|READY|WHY NOT");
	for (i = 0; i < s->member_count; i++) {
		const struct yoke_snapshot_member *m = &s->member[i];

		if (m->group >= 1 && m->group <= s->group_count &&
		    s->group[m->group - 1].owner == m->node)
			continue;
		tool_table_row(&table);
		cell(0, TOOL_PLAIN, group_name(s, m->group));
		cell(1, TOOL_PLAIN, node_name(s, m->node));
		cell(2, group_colour(m->state), yoke_word_group_state(m->state));
		cell(3, m->ready ? TOOL_PLAIN : TOOL_WARN, m->ready ? "yes" : "no");
		cell(4, TOOL_PLAIN, m->ready ? "" : m->reason);
	}
}

static void show_resources(const struct yoke_snapshot *s)
{
	char heading[16 + YOKE_NODES_MAX * YOKE_NAME_SIZE + 16], note[TOOL_CELL_SIZE];
	size_t used;
	unsigned i, n;

	used = (size_t)snprintf(heading, sizeof(heading), "RESOURCE|GROUP|WHAT");
	for (n = 0; n < s->node_count; n++)
		used += (size_t)snprintf(heading + used, sizeof(heading) - used, "|%s",
					 s->node[n].name);
	snprintf(heading + used, sizeof(heading) - used, "|NOTE");
	tool_table_start(&table, heading);
	for (i = 0; i < s->resource_count; i++) {
		const struct yoke_snapshot_resource *r = &s->resource[i];

		tool_table_row(&table);
		cell(0, TOOL_PLAIN, r->name);
		cell(1, TOOL_PLAIN, group_name(s, r->group));
		cell(2, TOOL_PLAIN, r->text);
		for (n = 0; n < s->node_count; n++)
			cell(3 + n, resource_colour(r->state[n]),
			     yoke_word_resource_state(r->state[n]));
		if (!r->usable)
			snprintf(note, sizeof(note), "cannot run here%s%s",
				 r->reason[0] != '\0' ? ": " : "", r->reason);
		else if (r->restores > 0)
			snprintf(note, sizeof(note), "put back %u times here", r->restores);
		else
			snprintf(note, sizeof(note), "%s", r->reason);
		cell(3 + n, r->usable ? TOOL_PLAIN : TOOL_WARN, note);
	}
}

/* The running ones; wide: all that are remembered. */
static void show_operations(const struct yoke_snapshot *s, bool wide)
{
	unsigned i;

	tool_table_start(&table, "OPERATION|VERB|GROUP|NODE|BY|STATE|STARTED|REASON");
	for (i = 0; i < s->operation_count; i++) {
		const struct yoke_snapshot_operation *o = &s->operation[i];
		bool running = o->state == YOKE_OPERATION_RUNNING;

		if (!running && !wide)
			continue;
		tool_table_row(&table);
		cell_number(0, o->number);
		cell(1, TOOL_PLAIN, yoke_word_verb(o->verb));
		cell(2, TOOL_PLAIN, group_name(s, o->group));
		cell(3, TOOL_PLAIN, node_name(s, o->node));
		cell(4, TOOL_PLAIN, yoke_word_origin(o->origin));
		cell(5, running || o->state == YOKE_OPERATION_FAILED ? TOOL_WARN : TOOL_PLAIN,
		     yoke_word_operation_state(o->state));
		cell_age(s, 6, o->started_wall_ms);
		cell(7, TOOL_PLAIN, o->reason);
	}
}

static enum tool_colour arbiter_colour(enum yoke_arbiter_state state)
{
	if (state == YOKE_ARBITER_FAILED || state == YOKE_ARBITER_FENCING)
		return TOOL_BAD;
	return state == YOKE_ARBITER_READY ? TOOL_GOOD : TOOL_WARN;
}

static void show_arbiters(const struct yoke_snapshot *s)
{
	unsigned i;

	tool_table_start(&table, "ARBITER|TYPE|WHAT|STATE|HOLDER|TESTED|NOTE");
	for (i = 0; i < s->arbiter_count; i++) {
		const struct yoke_snapshot_arbiter *a = &s->arbiter[i];

		tool_table_row(&table);
		cell(0, TOOL_PLAIN, a->name);
		cell(1, TOOL_PLAIN, yoke_word_arbiter_type((int)a->type));
		cell(2, TOOL_PLAIN, a->text);
		cell(3, arbiter_colour(a->state), yoke_word_arbiter_state((int)a->state));
		cell(4, TOOL_PLAIN, a->holder != 0 ? node_name(s, a->holder) : "");
		cell_age(s, 5, a->tested_wall_ms);
		cell(6, TOOL_PLAIN, a->reason);
	}
}

/* Wide, or while they are exchanged. */
static void show_keys(const struct yoke_snapshot *s, bool wide)
{
	unsigned i;

	tool_table_start(&table, "KEY|AGE|SEALS HERE|OTHER NODE HAS IT|SEALS THERE|FOR ARBITERS");
	for (i = 0; i < s->key_count && (wide || s->key_count > 1); i++) {
		const struct yoke_snapshot_key *k = &s->key[i];

		tool_table_row(&table);
		cell_number(0, k->id);
		cell_age(s, 1, k->made_wall_ms);
		cell(2, TOOL_PLAIN, k->seals ? "yes" : "no");
		cell(3, TOOL_PLAIN, k->shown ? "yes" : "no");
		cell(4, TOOL_PLAIN, k->opens ? "yes" : "no");
		cell(5, TOOL_PLAIN, k->arbiters ? "yes" : "no");
	}
}

/* What is missing for a failover. */
static void show_readiness(const struct yoke_snapshot *s, bool colour, FILE *out)
{
	if (s->unready_count == 0)
		return;
	fprintf(out, "\n%sa failover would not succeed now:%s\n",
		tool_text_colour(TOOL_WARN, colour), tool_text_colour(TOOL_PLAIN, colour));
	for (unsigned i = 0; i < s->unready_count; i++)
		fprintf(out, "  %s\n", s->unready[i].reason);
}

/* Until when exclusive groups may run here, where that can end. */
static void show_lease(const struct yoke_snapshot *s, bool colour, FILE *out)
{
	const char *on = "", *off = tool_text_colour(TOOL_PLAIN, colour);

	if (s->lease_ms == 0 && s->watchdog_ms == 0)
		return;
	if (s->lease_left_ms == 0)
		on = tool_text_colour(TOOL_BAD, colour);
	if (s->lease_ms == 0 || s->lease_left_ms < 0)
		fprintf(out, "\nlease: no end");
	else if (s->lease_left_ms == 0)
		fprintf(out, "\nlease: %sexpired: nothing exclusive runs here%s", on, off);
	else
		fprintf(out,
			"\nlease: exclusive groups may run here for %lld ms more unless it is "
			"renewed",
			(long long)s->lease_left_ms);
	if (s->watchdog_ms == 0)
		fprintf(out, "; no watchdog\n");
	else
		fprintf(out, "; watchdog of %u ms %s\n", s->watchdog_ms,
			s->watchdog ? "is fed" : "is NOT fed");
}

void tool_show_status(const struct yoke_snapshot *s, bool wide, bool colour, FILE *out)
{
	show_head(s, colour, out);
	show_groups(s);
	finish(colour, out);
	show_nodes(s);
	finish(colour, out);
	show_paths(s, wide);
	finish(colour, out);
	if (wide) {
		show_quality(s);
		finish(colour, out);
	}
	show_members(s);
	finish(colour, out);
	show_resources(s);
	finish(colour, out);
	show_arbiters(s);
	finish(colour, out);
	show_keys(s, wide);
	finish(colour, out);
	show_lease(s, colour, out);
	show_readiness(s, colour, out);
	show_operations(s, wide);
	finish(colour, out);
}

void tool_show_event(const struct yoke_event *event, bool colour, FILE *out)
{
	enum tool_colour c = TOOL_PLAIN;
	char time[TOOL_TIME_SIZE];

	if (event->severity == YOKE_SEVERITY_WARNING)
		c = TOOL_WARN;
	if (event->severity == YOKE_SEVERITY_CRITICAL)
		c = TOOL_BAD;
	tool_text_time(time, event->wall_ms);
	fprintf(out, "%s%s%s  %s%-8s%s  %s\n", tool_text_colour(TOOL_DIM, colour), time,
		tool_text_colour(TOOL_PLAIN, colour), tool_text_colour(c, colour),
		yoke_word_severity(event->severity), tool_text_colour(TOOL_PLAIN, colour),
		event->text);
}
