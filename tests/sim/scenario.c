#include "tests/sim/scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

enum {
	FILE_SIZE_MAX = 1 << 20,
	WORDS_MAX = 6,
	WORD_SIZE = 32,
	NAME_SIZE = 256,
};

struct scenario {
	struct sim_world *w;
	struct sim_setup setup;
	bool begun;        /* the world is made: no "set" any more */
	int line;          /* in the file, from 1 */
	const char *wrong; /* with the command; NULL: nothing */
	char word[WORDS_MAX][WORD_SIZE];
	unsigned words;
};

static char text_in[FILE_SIZE_MAX], text_out[FILE_SIZE_MAX], trace_text[FILE_SIZE_MAX];

/* ---- words ---- */

static bool is(const struct scenario *s, unsigned i, const char *word)
{
	return i < s->words && strcmp(s->word[i], word) == 0;
}

static uint16_t number_of(struct scenario *s, unsigned i, const char (*names)[YOKE_NAME_SIZE],
			  unsigned count, const char *wrong)
{
	for (unsigned n = 0; i < s->words && n < count; n++)
		if (strcmp(names[n], s->word[i]) == 0)
			return (uint16_t)(n + 1);
	s->wrong = wrong;
	return 1;
}

static uint16_t node_at(struct scenario *s, unsigned i)
{
	return number_of(s, i, s->w->names.node, s->w->names.node_count, "no such node");
}

static uint16_t group_at(struct scenario *s, unsigned i)
{
	return number_of(s, i, s->w->names.group, s->w->names.group_count, "no such group");
}

static uint16_t resource_at(struct scenario *s, unsigned i)
{
	return number_of(s, i, s->w->names.resource, s->w->names.resource_count,
			 "no such resource");
}

static uint32_t count_at(struct scenario *s, unsigned i)
{
	char *end = NULL;
	unsigned long value = i < s->words ? strtoul(s->word[i], &end, 10) : 0;

	if (end == NULL || *end != '\0')
		s->wrong = "a number is missing";
	return (uint32_t)value;
}

/* One of two words: true for the first one. */
static bool either(struct scenario *s, unsigned i, const char *yes, const char *no)
{
	if (!is(s, i, yes) && !is(s, i, no))
		s->wrong = "neither of the two words that may stand here";
	return is(s, i, yes);
}

static void split(struct scenario *s, const char *line)
{
	memset(s->word, 0, sizeof(s->word));
	s->words = 0;
	while (s->words < WORDS_MAX) {
		unsigned size = 0;

		line += strspn(line, " \t");
		if (*line == '\0')
			return;
		while (*line != '\0' && *line != ' ' && *line != '\t') {
			if (size + 1 < WORD_SIZE)
				s->word[s->words][size++] = *line;
			line++;
		}
		s->words++;
	}
}

/* ---- commands ---- */

static void do_set(struct scenario *s)
{
	struct sim_setup *u = &s->setup;
	uint32_t value = count_at(s, 2);
	struct {
		const char *key;
		uint32_t *place;
	} keys[] = {
		{"dead_ms", &u->dead_ms},
		{"late_ms", &u->late_ms},
		{"interval_ms", &u->interval_ms},
		{"startup_ms", &u->startup_ms},
		{"conflict_ms", &u->conflict_ms},
		{"operation_ms", &u->operation_ms},
		{"retry_ms", &u->retry_ms},
		{"latency_us", &u->latency_us},
		{"monitor_ms", &u->monitor_ms},
		{"monitor_interval_ms", &u->monitor_interval_ms},
		{"restart_window_ms", &u->restart_window_ms},
		{"lease_ms", &u->lease_ms},
		{"watchdog_ms", &u->watchdog_ms},
		{"delay_ms", &u->delay_ms},
		{"test_ms", &u->test_ms},
		{"job_us", &u->job_us},
		{"fence_us", &u->fence_us},
	};

	if (s->begun)
		s->wrong = "'set' comes before everything else";
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (is(s, 1, keys[i].key)) {
			*keys[i].place = value;
			return;
		}
	if (is(s, 1, "exclusive"))
		u->exclusive = value != 0;
	else if (is(s, 1, "paths") && value >= 1 && value <= SIM_PATHS_MAX)
		u->path_count = (uint16_t)value;
	else if (is(s, 1, "groups") && value >= 1 && value <= SIM_GROUPS_MAX)
		u->group_count = (uint16_t)value;
	else if (is(s, 1, "resources") && value >= 1 && value <= SIM_RESOURCES_MAX / SIM_GROUPS_MAX)
		u->resource_count = (uint16_t)value;
	else if (is(s, 1, "services") && value < SIM_RESOURCES_MAX / SIM_GROUPS_MAX)
		u->service_count = (uint16_t)value;
	else if (is(s, 1, "monitor_failures") && value >= 1 && value <= UINT16_MAX)
		u->monitor_failures = (uint16_t)value;
	else if (is(s, 1, "restarts") && value <= UINT16_MAX)
		u->restarts = (uint16_t)value;
	else
		s->wrong = "no such key, or out of range";
}

/* "arbiter TYPE [second]": the cluster has one. */
static void do_add_arbiter(struct scenario *s)
{
	struct sim_setup *u = &s->setup;

	for (int type = YOKE_ARBITER_TYPE_FENCE; type <= YOKE_ARBITER_TYPE_PING; type++)
		if (is(s, 1, yoke_word_arbiter_type(type)) &&
		    u->arbiter_count < YOKE_ARBITERS_MAX) {
			u->is_second[u->arbiter_count] = is(s, 2, "second");
			u->arbiter[u->arbiter_count++] = (enum yoke_arbiter_type)type;
			return;
		}
	s->wrong = "no such type of arbiter";
}

/* "group NUMBER WISH [VALUE]": how people want it run. */
static void do_policy(struct scenario *s)
{
	uint32_t group = count_at(s, 1), value = s->words > 3 ? count_at(s, 3) : 1;
	struct sim_policy *p =
		&s->setup.policy[group >= 1 && group <= SIM_GROUPS_MAX ? group - 1 : 0];

	s->setup.policies = true;
	if (s->begun || group < 1 || group > SIM_GROUPS_MAX)
		s->wrong = "'group NUMBER' comes before everything else";
	else if (is(s, 2, "parallel"))
		p->parallel = true;
	else if (is(s, 2, "manual"))
		p->manual = true;
	else if (is(s, 2, "yields"))
		p->yields = true;
	else if (is(s, 2, "priority"))
		p->priority = (uint16_t)value;
	else if (is(s, 2, "after"))
		p->after = (uint16_t)value;
	else if (is(s, 2, "first") && value <= 2)
		p->first = (uint16_t)value;
	else if (is(s, 2, "only") && value <= 2)
		p->only = (uint16_t)value;
	else if (is(s, 2, "from"))
		p->failback_from = (uint16_t)value;
	else if (is(s, 2, "to"))
		p->failback_to = (uint16_t)value;
	else if (is(s, 2, "failback_ms")) {
		p->failback = true;
		p->failback_ms = value;
	} else
		s->wrong = "no such wish";
}

static void do_cut(struct scenario *s)
{
	uint16_t only = is(s, 1, "all") ? 0
					: number_of(s, 1, s->w->names.path, s->w->names.path_count,
						    "no such path");
	uint16_t from = s->words > 2 ? node_at(s, 2) : 0;

	for (uint16_t a = 1; a <= s->w->setup.node_count; a++)
		for (uint16_t b = 1; b <= s->w->setup.node_count; b++)
			for (uint16_t p = 1; p <= s->w->setup.path_count; p++)
				if ((only == 0 || p == only) && (from == 0 || a == from))
					s->w->link[a - 1][b - 1][p - 1].cut_until = YOKE_NEVER;
}

static void do_loss(struct scenario *s)
{
	struct sim_link worse = {.worse_until = YOKE_NEVER, .loss_permille = count_at(s, 1)};
	uint16_t from = s->words > 2 ? node_at(s, 3) : 0;

	worse.loses = from != 0 ? SIM_LOSES_STATES : SIM_LOSES_ANY;
	for (unsigned a = 0; a < YOKE_NODES_MAX; a++)
		for (unsigned b = 0; b < YOKE_NODES_MAX; b++)
			for (unsigned p = 0; p < SIM_PATHS_MAX; p++)
				if (from == 0 || a + 1 == from)
					s->w->link[a][b][p] = worse;
}

static void do_power(struct scenario *s)
{
	uint16_t node = node_at(s, 2);

	if (either(s, 1, "on", "off"))
		sim_node_power_on(s->w, node);
	else
		sim_node_power_off(s->w, node);
	sim_node_rest(s->w, node);
}

static void do_operator(struct scenario *s, enum yoke_verb verb)
{
	bool moves = verb == YOKE_VERB_SWITCH || verb == YOKE_VERB_FAILBACK;
	uint16_t group = moves && !is(s, 1, "all") ? group_at(s, 1) : 0;
	uint16_t target =
		verb == YOKE_VERB_FAILBACK ? 0 : node_at(s, verb == YOKE_VERB_SWITCH ? 2 : 1);
	unsigned at = verb == YOKE_VERB_SWITCH ? 3 : 2;

	if (!is(s, at, "at"))
		s->wrong = "'at NODE' is missing";
	else if (s->wrong == NULL &&
		 sim_node_operate(s->w, node_at(s, at + 1), verb, group, target) == 0)
		s->wrong = "that engine does not run";
}

/* "maintenance [group NAME | node NAME] at NODE" */
static void do_rest(struct scenario *s, enum yoke_verb verb)
{
	uint16_t group = is(s, 1, "group") ? group_at(s, 2) : 0;
	uint16_t node = is(s, 1, "node") ? node_at(s, 2) : 0;
	unsigned at = group != 0 || node != 0 ? 3 : 1;

	if (!is(s, at, "at"))
		s->wrong = "'at NODE' is missing";
	else if (s->wrong == NULL &&
		 sim_node_operate(s->w, node_at(s, at + 1), verb, group, node) == 0)
		s->wrong = "that engine does not run";
}

/* "arbiter TYPE down | fails | lies | works", "arbiter TYPE cut NODE" */
static void do_arbiter(struct scenario *s)
{
	struct sim_arbiter *a =
		&s->w->arbiter[number_of(s, 1, s->w->names.arbiter, s->w->names.arbiter_count,
					 "no such arbiter") -
			       1];

	if (is(s, 2, "down"))
		a->down_until = YOKE_NEVER;
	else if (is(s, 2, "fails"))
		a->fails_until = YOKE_NEVER;
	else if (is(s, 2, "lies"))
		a->lies_until = YOKE_NEVER;
	else if (is(s, 2, "cut"))
		a->cut_until[node_at(s, 3) - 1] = YOKE_NEVER;
	else if (is(s, 2, "works")) {
		a->down_until = a->fails_until = a->lies_until = s->w->now;
		memset(a->cut_until, 0, sizeof(a->cut_until));
	} else
		s->wrong = "nothing that can happen to an arbiter";
}

static void do_pause(struct scenario *s)
{
	sim_node_pause(s->w, node_at(s, 1), yoke_time_add_ms(s->w->now, count_at(s, 2)),
		       s->words > 3 ? count_at(s, 3) : UINT32_MAX);
}

static void do_carrier(struct scenario *s)
{
	uint16_t node = node_at(s, 1);

	s->w->node[node - 1].carrier_lost_until =
		either(s, 2, "lost", "back") ? YOKE_NEVER : s->w->now;
	sim_kernel_tell_usable(s->w, node, 1);
}

static void do_record(struct scenario *s)
{
	struct sim_node *n = &s->w->node[node_at(s, 1) - 1];

	n->disk_empty = either(s, 2, "lost", "damage");
	n->disk_broken = true;
}

/* Faults of a node or of what surrounds it; false: no such command. */
static bool do_fault(struct scenario *s)
{
	struct sim_node *n = &s->w->node[0];

	if (is(s, 0, "carrier")) {
		do_carrier(s);
	} else if (is(s, 0, "pause")) {
		do_pause(s);
	} else if (is(s, 0, "remove")) {
		sim_kernel_remove(s->w, node_at(s, 1), resource_at(s, 2));
	} else if (is(s, 0, "stranger")) {
		s->w->stranger_until[resource_at(s, 1) - 1] =
			either(s, 2, "comes", "goes") ? YOKE_NEVER : s->w->now;
	} else if (is(s, 0, "public")) {
		s->w->public_cut_until = either(s, 1, "cut", "mend") ? YOKE_NEVER : s->w->now;
	} else if (is(s, 0, "starts") || is(s, 0, "stops") || is(s, 0, "saves")) {
		yoke_time until = either(s, 2, "fail", "work") ? YOKE_NEVER : s->w->now;

		n = &s->w->node[node_at(s, 1) - 1];
		if (is(s, 0, "starts"))
			n->start_fails_until = until;
		else if (is(s, 0, "stops"))
			n->stop_fails_until = until;
		else
			n->save_fails_until = until;
	} else if (is(s, 0, "monitors")) {
		s->w->node[node_at(s, 1) - 1].mute_until =
			either(s, 2, "hang", "answer") ? YOKE_NEVER : s->w->now;
	} else if (is(s, 0, "service")) {
		n = &s->w->node[node_at(s, 1) - 1];
		n->unwell_until[resource_at(s, 2) - 1] =
			either(s, 3, "unwell", "well") ? YOKE_NEVER : s->w->now;
	} else if (is(s, 0, "arbiter")) {
		do_arbiter(s);
	} else if (is(s, 0, "clock")) {
		sim_node_clock(s->w, node_at(s, 1), (uint16_t)count_at(s, 2));
	} else if (is(s, 0, "old")) {
		s->w->node[node_at(s, 1) - 1].old = either(s, 2, "yes", "no") ? 2 : 0;
	} else if (is(s, 0, "conf")) {
		sim_node_configure(s->w, node_at(s, 1), either(s, 2, "other", "same"));
	} else if (is(s, 0, "record")) {
		do_record(s);
	} else {
		return false;
	}
	return true;
}

static void do_command(struct scenario *s)
{
	if (is(s, 0, "set")) {
		do_set(s);
		return;
	}
	if (is(s, 0, "group")) {
		do_policy(s);
		return;
	}
	if (is(s, 0, "arbiter") && !s->begun) {
		do_add_arbiter(s);
		return;
	}
	if (!s->begun) {
		sim_world_init(s->w, &s->setup, 1);
		s->w->trace.text = trace_text;
		s->w->trace.size = sizeof(trace_text);
		s->begun = true;
	}
	sim_check_disturb(s->w, YOKE_NEVER);
	if (is(s, 0, "run"))
		sim_world_run(s->w, yoke_time_add_ms(s->w->now, count_at(s, 1)));
	else if (is(s, 0, "power"))
		do_power(s);
	else if (is(s, 0, "crash"))
		sim_node_crash(s->w, node_at(s, 1));
	else if (is(s, 0, "start"))
		sim_node_start(s->w, node_at(s, 1));
	else if (is(s, 0, "leave"))
		sim_node_leave(s->w, node_at(s, 1));
	else if (is(s, 0, "cut"))
		do_cut(s);
	else if (is(s, 0, "loss"))
		do_loss(s);
	else if (is(s, 0, "mend")) {
		memset(s->w->link, 0, sizeof(s->w->link));
		s->w->public_cut_until = s->w->now;
	} else if (is(s, 0, "switch"))
		do_operator(s, YOKE_VERB_SWITCH);
	else if (is(s, 0, "failback"))
		do_operator(s, YOKE_VERB_FAILBACK);
	else if (is(s, 0, "standby"))
		do_operator(s, YOKE_VERB_STANDBY);
	else if (is(s, 0, "online"))
		do_operator(s, YOKE_VERB_ONLINE);
	else if (is(s, 0, "confirm-down"))
		do_operator(s, YOKE_VERB_CONFIRM_DOWN);
	else if (is(s, 0, "maintenance"))
		do_rest(s, YOKE_VERB_MAINTENANCE);
	else if (is(s, 0, "resume"))
		do_rest(s, YOKE_VERB_RESUME);
	else if (!do_fault(s))
		s->wrong = "no such command";
}

/* ---- files ---- */

static bool read_file(const char *name)
{
	FILE *f = fopen(name, "re");
	size_t size;

	if (f == NULL)
		return false;
	size = fread(text_in, 1, sizeof(text_in) - 1, f);
	text_in[size] = '\0';
	fclose(f);
	return size < sizeof(text_in) - 1;
}

static bool write_file(const char *name)
{
	FILE *f = fopen(name, "we");

	if (f == NULL)
		return false;
	if (fputs(text_out, f) < 0) {
		fclose(f);
		return false;
	}
	return fclose(f) == 0;
}

static void put_out(const char *text)
{
	size_t used = strlen(text_out);

	snprintf(text_out + used, sizeof(text_out) - used, "%s", text);
}

static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (end == NULL) {
		*rest = line + strlen(line);
	} else {
		*end = '\0';
		*rest = end + 1;
	}
	return line;
}

/* Leave out the expected trace, put what happened. */
static void end_block(struct scenario *s, char **rest)
{
	put_out("----\n");
	while (**rest != '\0' && next_line(rest)[0] != '\0')
		s->line++;
	s->line++;
	put_out(trace_text);
	if (**rest != '\0')
		put_out("\n");
	s->w->trace.used = 0;
	trace_text[0] = '\0';
}

static void play(struct scenario *s, char *rest)
{
	s->setup = (struct sim_setup){.node_count = 2,
				      .path_count = 2,
				      .group_count = 1,
				      .resource_count = 1,
				      .dead_ms = 1000,
				      .late_ms = 500,
				      .interval_ms = 100,
				      .startup_ms = 3000,
				      .conflict_ms = 200,
				      .operation_ms = 30000,
				      .retry_ms = 60000,
				      .latency_us = 200,
				      .job_us = 1000,
				      .save_us = 5000,
				      .monitor_ms = 2000,
				      .monitor_interval_ms = 1000,
				      .monitor_failures = 2,
				      .restarts = 2,
				      .restart_window_ms = 60000,
				      .lease_ms = 2000,
				      .watchdog_ms = 5000,
				      .test_ms = 60000,
				      .fence_us = 200000,
				      .exact = true};
	text_out[0] = trace_text[0] = '\0';
	while (*rest != '\0' && s->wrong == NULL) {
		char *line = next_line(&rest);

		s->line++;
		if (strcmp(line, "----") == 0) {
			end_block(s, &rest);
			continue;
		}
		put_out(line);
		put_out("\n");
		split(s, line);
		if (s->words == 0 || s->word[0][0] == '#')
			continue;
		do_command(s);
		if (s->begun && s->w->failure[0] != '\0')
			s->wrong = s->w->failure;
	}
}

static void show_difference(const char *name, const char *expected, const char *got)
{
	int line = 1;

	while (*expected != '\0' && *expected == *got) {
		line += *expected == '\n';
		expected++;
		got++;
	}
	while (expected[-1] != '\n' && line > 1) {
		expected--;
		got--;
	}
	printf("FAIL %s:%d:\n  expected: %.*s\n  got:      %.*s\n", name, line,
	       (int)strcspn(expected, "\n"), expected, (int)strcspn(got, "\n"), got);
}

static bool run_file(const char *name, bool rewrite, struct sim_world *w)
{
	static char copy[FILE_SIZE_MAX];
	struct scenario s = {.w = w};

	if (!read_file(name)) {
		printf("FAIL %s: cannot be read, or is too long\n", name);
		return false;
	}
	memcpy(copy, text_in, strlen(text_in) + 1);
	play(&s, copy);
	if (s.wrong != NULL) {
		printf("FAIL %s:%d: %s\n", name, s.line, s.wrong);
		return false;
	}
	if (strcmp(text_in, text_out) == 0)
		return true;
	if (rewrite && write_file(name)) {
		printf("rewrote %s\n", name);
		return true;
	}
	show_difference(name, text_in, text_out);
	return false;
}

static int is_scenario(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".txt") == 0;
}

bool sim_scenarios(const char *folder, bool rewrite, struct sim_world *w)
{
	struct dirent **entries;
	int found = scandir(folder, &entries, is_scenario, alphasort);
	unsigned count = found > 0 ? (unsigned)found : 0, passed = 0;
	char name[2 * NAME_SIZE];

	if (found < 0) {
		printf("FAIL %s: cannot be opened\n", folder);
		return false;
	}
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, entries[i]->d_name);
		passed += run_file(name, rewrite, w);
		free(entries[i]);
	}
	free(entries);
	printf("scenarios: %u, %u passed, %u failed\n", count, passed, count - passed);
	return count > 0 && passed == count;
}
