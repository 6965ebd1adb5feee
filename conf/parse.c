/* The cleaned text (conf/scan.h) by libconfuse into struct conf.
 *
 * Every value is a CFGT_PTR that keeps its text and its line, so that libconfuse can refuse none:
 * it would stop there.  All that may be wrong with a value is said by conf/value.c instead.
 */
#include "conf/conf.h"

#include <confuse.h>
#include <stddef.h>

#include "conf/arbiter.h"
#include "conf/group.h"
#include "conf/path.h"
#include "conf/resource.h"
#include "conf/scan.h"
#include "conf/value.h"

static const struct conf_scan_key cluster_keys[] = {
	{"name", CONF_SCAN_VALUE, NULL},       {"key_file", CONF_SCAN_VALUE, NULL},
	{"state_dir", CONF_SCAN_VALUE, NULL},  {"run_dir", CONF_SCAN_VALUE, NULL},
	{"user", CONF_SCAN_VALUE, NULL},       {"interval_ms", CONF_SCAN_VALUE, NULL},
	{"dead_ms", CONF_SCAN_VALUE, NULL},    {"late_ms", CONF_SCAN_VALUE, NULL},
	{"startup_ms", CONF_SCAN_VALUE, NULL}, {"conflict_ms", CONF_SCAN_VALUE, NULL},
	{"refresh_ms", CONF_SCAN_VALUE, NULL}, {"operation_ms", CONF_SCAN_VALUE, NULL},
	{"retry_ms", CONF_SCAN_VALUE, NULL},   {"lease_ms", CONF_SCAN_VALUE, NULL},
	{"watchdog", CONF_SCAN_VALUE, NULL},   {"watchdog_ms", CONF_SCAN_VALUE, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};
static const struct conf_scan_key node_keys[] = {
	{"path", CONF_SCAN_NAMED, conf_path_keys},
	{NULL, CONF_SCAN_VALUE, NULL},
};
static const struct conf_scan_key log_keys[] = {
	{"target", CONF_SCAN_VALUE, NULL},
	{"debug", CONF_SCAN_VALUE, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};
static const struct conf_scan_key snmp_keys[] = {
	{"enable", CONF_SCAN_VALUE, NULL},  {"set", CONF_SCAN_VALUE, NULL},
	{"user", CONF_SCAN_VALUE, NULL},    {"agentx", CONF_SCAN_VALUE, NULL},
	{"program", CONF_SCAN_VALUE, NULL}, {NULL, CONF_SCAN_VALUE, NULL},
};
static const struct conf_scan_key file_keys[] = {
	{"cluster", CONF_SCAN_SECTION, cluster_keys},
	{"node", CONF_SCAN_NAMED, node_keys},
	{"arbiter", CONF_SCAN_NAMED, conf_arbiter_keys},
	{"group", CONF_SCAN_NAMED, conf_group_keys},
	{"log", CONF_SCAN_SECTION, log_keys},
	{"snmp", CONF_SCAN_SECTION, snmp_keys},
	{NULL, CONF_SCAN_VALUE, NULL},
};

enum { OPTIONS_MAX = CONF_SCAN_KEYS_MAX + 3 }; /* with line, title and end */

/* One level of keys in libconfuse's form. */
struct options {
	cfg_opt_t option[OPTIONS_MAX];
};

struct kept {
	int line;
	char text[];
};

struct reader {
	struct conf *conf;
	struct conf_problems *problems;
};

/* libconfuse hands no pointer of ours to its error function, and is not reentrant anyway. */
static struct conf_problems *collecting;

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *section, const char *format,
							   va_list arguments)
{
	char text[CONF_PROBLEM_SIZE];

	vsnprintf(text, sizeof(text), format, arguments);
	conf_problem(collecting, section->line, false, "%.250s", text);
}

static int keep(cfg_t *section, cfg_opt_t *option, const char *text, void *result)
{
	size_t size = strlen(text) + 1;
	struct kept *kept = malloc(sizeof(*kept) + size);

	(void)option;
	if (kept == NULL)
		return -1;
	kept->line = section->line;
	memcpy(kept->text, text, size);
	*(void **)result = kept;
	return 0;
}

/* sections: the options of the sections among the keys, in their order. */
static void make_options(const struct conf_scan_key *keys, struct options *out,
			 struct options *const *sections)
{
	cfg_opt_t *o = out->option;

	*o++ = (cfg_opt_t)CFG_PTR_CB(CONF_SCAN_LINE, NULL, CFGF_NODEFAULT, keep, free);
	*o++ = (cfg_opt_t)CFG_PTR_CB(CONF_SCAN_TITLE, NULL, CFGF_NODEFAULT, keep, free);
	for (; keys->name != NULL; keys++, o++) {
		if (keys->kind == CONF_SCAN_VALUE)
			*o = (cfg_opt_t)CFG_PTR_CB(keys->name, NULL, CFGF_NODEFAULT, keep, free);
		else if (keys->kind == CONF_SCAN_LIST)
			*o = (cfg_opt_t)CFG_PTR_LIST_CB(keys->name, NULL, CFGF_NODEFAULT, keep,
							free);
		else
			*o = (cfg_opt_t)CFG_SEC(keys->name, (*sections++)->option, CFGF_MULTI);
	}
	*o = (cfg_opt_t)CFG_END();
}

/* The value of a key as it was given; false: it was not. */
static bool given(cfg_t *section, const char *key, struct conf_value *v)
{
	cfg_opt_t *option = cfg_getopt(section, key);
	const struct kept *kept;

	if (option == NULL || option->nvalues == 0)
		return false;
	kept = option->values[0]->ptr;
	*v = (struct conf_value){.key = key, .line = kept->line, .text = kept->text};
	return true;
}

/* Where a section began. */
static int line_of(cfg_t *section)
{
	struct conf_value v;
	int line = 0;

	if (!given(section, CONF_SCAN_LINE, &v))
		return 0;
	for (const char *p = v.text; *p != '\0'; p++)
		line = 10 * line + (*p - '0');
	return line;
}

/* A section's name, without a problem when it has none: the scanner said so. */
static void read_title(struct reader *r, cfg_t *section, const char *kind,
		       char name[YOKE_NAME_SIZE])
{
	struct conf_value v;

	name[0] = '\0';
	if (!given(section, CONF_SCAN_TITLE, &v))
		return;
	v.key = kind;
	v.line = line_of(section);
	conf_value_name(v, name, r->problems);
}

/* One more of an array of `max`?  Says once that it is full. */
static bool has_room(struct reader *r, unsigned count, unsigned max, int line, const char *what,
		     bool *said)
{
	if (count < max)
		return true;
	if (!*said)
		conf_problem(r->problems, line, false,
			     "more than %u %s: this version is built for %u at most", max, what,
			     max);
	*said = true;
	return false;
}

/* memset and not an initializer: padding, too, so that equal files make equal bytes. */
static void set_defaults(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	snprintf(conf->key_file, sizeof(conf->key_file), "/etc/yoke/cluster.key");
	snprintf(conf->state_dir, sizeof(conf->state_dir), "/var/lib/yoke");
	snprintf(conf->run_dir, sizeof(conf->run_dir), "/run/yoke");
	snprintf(conf->user, sizeof(conf->user), "yoke");
	snprintf(conf->snmp_user, sizeof(conf->snmp_user), "yoke-snmp");
	snprintf(conf->snmp_agentx, sizeof(conf->snmp_agentx), "/var/agentx/master");
	conf->dead_ms = 1000;
	conf->conflict_ms = 200;
	conf->refresh_ms = 60000;
	conf->operation_ms = 30000;
	conf->retry_ms = 60000;
	conf->watchdog_ms = 5000;
	conf->log_syslog = true;
	conf->snmp = true;
}

/* The times, those first that others take their default from. */
static void read_times(struct reader *r, cfg_t *cluster)
{
	struct conf *c = r->conf;
	const struct {
		const char *key;
		uint32_t min, max;
		uint32_t *out;
		int *line;
	} times[] = {
		{"dead_ms", 20, 60000, &c->dead_ms, &c->line.dead},
		{"interval_ms", 1, 20000, &c->interval_ms, &c->line.interval},
		{"late_ms", 1, 60000, &c->late_ms, &c->line.late},
		{"startup_ms", 0, 600000, &c->startup_ms, NULL},
		{"conflict_ms", 0, 5000, &c->conflict_ms, NULL},
		{"refresh_ms", 0, 3600000, &c->refresh_ms, NULL},
		{"operation_ms", 1000, 600000, &c->operation_ms, NULL},
		{"retry_ms", 1000, 86400000, &c->retry_ms, NULL},
		{"lease_ms", 30, 600000, &c->lease_ms, &c->line.lease},
		{"watchdog_ms", 1000, 255000, &c->watchdog_ms, NULL},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct conf_value v;

		if (!given(cluster, times[i].key, &v))
			continue;
		conf_value_number(v, times[i].min, times[i].max, "ms", times[i].out, r->problems);
		if (times[i].line != NULL)
			*times[i].line = v.line;
	}
}

/* What dead_ms decides when it is not given itself. */
static void derive_times(struct conf *c, bool startup_given)
{
	if (c->line.interval == 0)
		c->interval_ms = c->dead_ms >= 10 ? c->dead_ms / 10 : 1;
	if (c->line.late == 0)
		c->late_ms = c->dead_ms / 2;
	if (!startup_given)
		c->startup_ms = c->dead_ms > 1000 ? 3 * c->dead_ms : 3000;
	if (c->line.lease == 0)
		c->lease_ms = c->dead_ms > 500 ? 2 * c->dead_ms : 1000;
}

static void read_cluster(struct reader *r, cfg_t *cluster)
{
	static const char socket_name[] = "/yoke.sock"; /* has to fit behind run_dir */
	struct conf *c = r->conf;
	struct conf_value v;

	c->line.cluster = line_of(cluster);
	if (given(cluster, "name", &v)) {
		v.key = "cluster";
		c->line.name = v.line;
		conf_value_name(v, c->cluster, r->problems);
	}
	if (given(cluster, "key_file", &v))
		conf_value_file(v, CONF_FILE_SIZE - 1, c->key_file, r->problems);
	if (given(cluster, "state_dir", &v))
		conf_value_file(v, CONF_FILE_SIZE - 1, c->state_dir, r->problems);
	if (given(cluster, "run_dir", &v))
		conf_value_file(v, CONF_FILE_SIZE - sizeof(socket_name), c->run_dir, r->problems);
	if (given(cluster, "user", &v))
		conf_value_name(v, c->user, r->problems);
	if (given(cluster, "watchdog", &v))
		conf_value_file(v, CONF_FILE_SIZE - 1, c->watchdog, r->problems);
	read_times(r, cluster);
	derive_times(c, given(cluster, "startup_ms", &v));
}

static void read_log(struct reader *r, cfg_t *log)
{
	struct conf_value v;

	if (given(log, "target", &v)) {
		r->conf->log_syslog = strcmp(v.text, "syslog") == 0;
		if (!r->conf->log_syslog && strcmp(v.text, "stderr") != 0)
			conf_problem(r->problems, v.line, false,
				     "target = \"%.40s\": write syslog or stderr", v.text);
	}
	if (given(log, "debug", &v))
		conf_value_boolean(v, &r->conf->log_debug, r->problems);
}

static void read_snmp(struct reader *r, cfg_t *snmp)
{
	struct conf *c = r->conf;
	struct conf_value v;

	if (given(snmp, "enable", &v))
		conf_value_boolean(v, &c->snmp, r->problems);
	if (given(snmp, "set", &v))
		conf_value_boolean(v, &c->snmp_set, r->problems);
	if (given(snmp, "user", &v))
		conf_value_name(v, c->snmp_user, r->problems);
	if (given(snmp, "agentx", &v))
		conf_value_agentx(v, c->snmp_agentx, r->problems);
	if (given(snmp, "program", &v))
		conf_value_file(v, CONF_FILE_SIZE - 1, c->snmp_program, r->problems);
}

/* What was given of a key. */
static void collect(cfg_t *section, const struct conf_scan_key *key, struct conf_values *values)
{
	cfg_opt_t *option = cfg_getopt(section, key->name);

	if (key->kind != CONF_SCAN_VALUE && key->kind != CONF_SCAN_LIST)
		return;
	if (key->kind == CONF_SCAN_LIST && option->nvalues == 0 &&
	    (option->flags & CFGF_MODIFIED) != 0)
		values->value[values->count++] =
			(struct conf_value){.key = key->name, .line = line_of(section)};
	for (unsigned i = 0; i < option->nvalues && i <= CONF_WORDS_MAX; i++) {
		const struct kept *kept = option->values[i]->ptr;

		values->value[values->count++] = (struct conf_value){
			.key = key->name, .line = kept->line, .text = kept->text};
	}
}

static void collect_all(cfg_t *section, const struct conf_scan_key *keys,
			struct conf_values *values)
{
	values->count = 0;
	for (; keys->name != NULL; keys++)
		collect(section, keys, values);
}

/* The index of a path's name, which may be new; -1: no room. */
static int path_index(struct reader *r, const char *name, int line, bool *said)
{
	struct conf *c = r->conf;

	for (unsigned i = 0; i < c->path_count; i++) {
		if (strcmp(c->path[i], name) == 0)
			return (int)i;
	}
	if (!has_room(r, c->path_count, YOKE_PATHS_MAX, line, "paths", said))
		return -1;
	snprintf(c->path[c->path_count], YOKE_NAME_SIZE, "%s", name);
	return c->path_count++;
}

static void read_path(struct reader *r, cfg_t *section, struct conf_node *node, bool *said)
{
	struct conf_endpoint *e, scratch = {0};
	struct conf_values values;
	char name[YOKE_NAME_SIZE];
	int line = line_of(section), index;

	read_title(r, section, "path", name);
	index = path_index(r, name, line, said);
	e = index < 0 ? &scratch : &node->endpoint[index];
	if (e->configured) {
		conf_problem(r->problems, line, false,
			     "path \"%s\" is given twice on this node: the first is in line %d",
			     name, e->line);
		e = &scratch;
	}
	e->configured = true;
	e->line = line;
	collect_all(section, conf_path_keys, &values);
	conf_path_read(&values, name, e, r->problems);
}

static void read_nodes(struct reader *r, cfg_t *file)
{
	struct conf *c = r->conf;
	struct conf_node scratch;
	bool nodes_said = false, paths_said = false;

	for (unsigned i = 0; i < cfg_size(file, "node"); i++) {
		cfg_t *section = cfg_getnsec(file, "node", i);
		struct conf_node *node = &scratch;

		if (has_room(r, c->node_count, YOKE_NODES_MAX, line_of(section), "nodes",
			     &nodes_said))
			node = &c->node[c->node_count++];
		*node = (struct conf_node){.line = line_of(section)};
		read_title(r, section, "node", node->name);
		for (unsigned j = 0; j < cfg_size(section, "path"); j++)
			read_path(r, cfg_getnsec(section, "path", j), node, &paths_said);
	}
}

/* The index of a node; -1: there is none of that name.  (One that is too long was cut.) */
static int node_index(const struct conf *c, const char *name)
{
	for (int i = 0; i < c->node_count; i++) {
		if (strncmp(c->node[i].name, name, YOKE_NAME_SIZE - 1) == 0)
			return i;
	}
	return -1;
}

/* A name in a group's list of nodes. */
static void read_group_node(struct reader *r, struct conf_group *group, const struct kept *kept)
{
	int index = node_index(r->conf, kept->text);

	if (index < 0) {
		conf_problem(r->problems, kept->line, false,
			     "group \"%s\": there is no node \"%.40s\"", group->name, kept->text);
		return;
	}
	for (unsigned j = 0; j < group->node_count; j++) {
		if (group->node[j] == index) {
			conf_problem(r->problems, kept->line, false,
				     "node \"%s\" is twice in the list of group \"%s\"",
				     r->conf->node[index].name, group->name);
			return;
		}
	}
	group->node[group->node_count++] = (uint16_t)index;
}

static void read_group_nodes(struct reader *r, cfg_t *section, struct conf_group *group)
{
	cfg_opt_t *option = cfg_getopt(section, "nodes");

	if ((option->flags & CFGF_MODIFIED) == 0) {
		for (; group->node_count < r->conf->node_count; group->node_count++)
			group->node[group->node_count] = group->node_count;
		return;
	}
	if (option->nvalues == 0)
		conf_problem(
			r->problems, line_of(section), false,
			"group \"%s\" has an empty list of nodes: name them, or leave 'nodes' out "
			"for all",
			group->name);
	for (unsigned i = 0; i < option->nvalues; i++)
		read_group_node(r, group, option->values[i]->ptr);
}

static void read_victim(struct reader *r, cfg_t *section, struct conf_arbiter *arbiter)
{
	struct conf_values values;
	char name[YOKE_NAME_SIZE];
	int line = line_of(section), node;

	read_title(r, section, "victim", name);
	if (name[0] == '\0')
		return;
	node = node_index(r->conf, name);
	if (node < 0) {
		conf_problem(r->problems, line, false,
			     "arbiter \"%s\": there is no node \"%s\" to be its victim",
			     arbiter->name, name);
		return;
	}
	if (arbiter->node[node]) {
		conf_problem(r->problems, line, false,
			     "arbiter \"%s\" has victim \"%s\" twice: keep one", arbiter->name,
			     name);
		return;
	}
	collect_all(section, conf_arbiter_victim_keys, &values);
	conf_arbiter_read_victim(&values, line, (unsigned)node, arbiter, r->problems);
}

static void read_arbiters(struct reader *r, cfg_t *file)
{
	struct conf *c = r->conf;
	struct conf_values values;
	bool said = false;

	for (unsigned i = 0; i < cfg_size(file, "arbiter"); i++) {
		cfg_t *section = cfg_getnsec(file, "arbiter", i);
		struct conf_arbiter *arbiter = &c->arbiter[c->arbiter_count];

		if (!has_room(r, c->arbiter_count, YOKE_ARBITERS_MAX, line_of(section), "arbiters",
			      &said))
			return;
		c->arbiter_count++;
		arbiter->line = line_of(section);
		read_title(r, section, "arbiter", arbiter->name);
		collect_all(section, conf_arbiter_keys, &values);
		conf_arbiter_read(&values, arbiter, r->problems);
		for (unsigned j = 0; j < cfg_size(section, "victim"); j++)
			read_victim(r, cfg_getnsec(section, "victim", j), arbiter);
	}
}

static void read_resource(struct reader *r, cfg_t *section, struct conf_resource *out)
{
	struct conf_values values;

	out->line = line_of(section);
	read_title(r, section, "resource", out->name);
	collect_all(section, conf_resource_keys, &values);
	conf_resource_read(&values, out, r->problems);
}

static void read_group_resources(struct reader *r, cfg_t *section, struct conf_group *group,
				 bool *said)
{
	struct conf *c = r->conf;
	uint16_t index = (uint16_t)(group - c->group);
	bool group_said = false;

	group->resource_first = c->resource_count;
	for (unsigned i = 0; i < cfg_size(section, "resource"); i++) {
		cfg_t *inner = cfg_getnsec(section, "resource", i);
		struct conf_resource scratch, *resource = &scratch;

		if (has_room(r, group->resource_count, CONF_GROUP_RESOURCES_MAX, line_of(inner),
			     "resources in one group", &group_said) &&
		    has_room(r, c->resource_count, YOKE_RESOURCES_MAX, line_of(inner), "resources",
			     said)) {
			resource = &c->resource[c->resource_count++];
			group->resource_count++;
		}
		memset(resource, 0, sizeof(*resource));
		resource->group = index;
		read_resource(r, inner, resource);
	}
}

static void read_groups(struct reader *r, cfg_t *file)
{
	struct conf *c = r->conf;
	struct conf_values values;
	bool groups_said = false, resources_said = false;

	for (unsigned i = 0; i < cfg_size(file, "group"); i++) {
		cfg_t *section = cfg_getnsec(file, "group", i);
		struct conf_group *group = &c->group[c->group_count];

		if (!has_room(r, c->group_count, YOKE_GROUPS_MAX, line_of(section), "groups",
			      &groups_said))
			return;
		c->group_count++;
		group->line = line_of(section);
		read_title(r, section, "group", group->name);
		collect_all(section, conf_group_keys, &values);
		conf_group_read(&values, group, r->problems);
		read_group_nodes(r, section, group);
		read_group_resources(r, section, group, &resources_said);
	}
	conf_group_link(c, r->problems);
}

static void read_file(struct reader *r, cfg_t *file)
{
	derive_times(r->conf, false);
	for (unsigned i = 0; i < cfg_size(file, "cluster"); i++)
		read_cluster(r, cfg_getnsec(file, "cluster", i));
	read_nodes(r, file);
	read_arbiters(r, file);
	read_groups(r, file);
	for (unsigned i = 0; i < cfg_size(file, "log"); i++)
		read_log(r, cfg_getnsec(file, "log", i));
	for (unsigned i = 0; i < cfg_size(file, "snmp"); i++)
		read_snmp(r, cfg_getnsec(file, "snmp", i));
}

/* Give the cleaned text to libconfuse, and read what it made of it.  false: it made nothing. */
static bool parse_cleaned(struct reader *r, const char *cleaned)
{
	struct options file, cluster, node, path, arbiter, victim, group, resource, log, snmp;
	cfg_t *parsed;
	bool ok;

	make_options(conf_path_keys, &path, NULL);
	make_options(conf_resource_keys, &resource, NULL);
	make_options(cluster_keys, &cluster, NULL);
	make_options(node_keys, &node, (struct options *const[]){&path});
	make_options(conf_group_keys, &group, (struct options *const[]){&resource});
	make_options(conf_arbiter_victim_keys, &victim, NULL);
	make_options(conf_arbiter_keys, &arbiter, (struct options *const[]){&victim});
	make_options(log_keys, &log, NULL);
	make_options(snmp_keys, &snmp, NULL);
	make_options(file_keys, &file,
		     (struct options *const[]){&cluster, &node, &arbiter, &group, &log, &snmp});
	parsed = cfg_init(file.option, CFGF_NONE);
	if (parsed == NULL) {
		conf_problem(r->problems, 0, false, "out of memory");
		return false;
	}
	collecting = r->problems;
	cfg_set_error_function(parsed, on_error);
	ok = cfg_parse_buf(parsed, cleaned) == CFG_SUCCESS;
	if (ok)
		read_file(r, parsed);
	else
		conf_problem(r->problems, 0, false, "the file could not be read to its end");
	cfg_free(parsed);
	collecting = NULL;
	return ok;
}

int conf_parse(const char *text, const char *file_name, struct conf *conf,
	       struct conf_problems *problems)
{
	struct reader reader = {.conf = conf, .problems = problems};
	char *cleaned;

	*problems = (struct conf_problems){0};
	set_defaults(conf);
	if (strnlen(text, CONF_TEXT_MAX + 1) > CONF_TEXT_MAX) {
		conf_problem(problems, 0, false,
			     "%.100s is longer than %d bytes: is it the right file?", file_name,
			     CONF_TEXT_MAX);
		return -1;
	}
	cleaned = conf_scan(text, file_keys, problems);
	if (cleaned == NULL)
		return -1;
	/* Of half a file the rules would only say what follows from that. */
	if (parse_cleaned(&reader, cleaned))
		conf_check(conf, problems);
	free(cleaned);
	return problems->errors == 0 ? 0 : -1;
}
