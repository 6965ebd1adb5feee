#include "conf/resource.h"

#include <stddef.h>

const struct conf_scan_key conf_resource_keys[] = {
	{"type", CONF_SCAN_VALUE, NULL},
	{"address", CONF_SCAN_VALUE, NULL},
	{"interface", CONF_SCAN_VALUE, NULL},
	{"program", CONF_SCAN_VALUE, NULL},
	{"start", CONF_SCAN_LIST, NULL},
	{"stop", CONF_SCAN_LIST, NULL},
	{"status", CONF_SCAN_LIST, NULL},
	{"monitor", CONF_SCAN_LIST, NULL},
	{"start_timeout_ms", CONF_SCAN_VALUE, NULL},
	{"stop_timeout_ms", CONF_SCAN_VALUE, NULL},
	{"monitor_timeout_ms", CONF_SCAN_VALUE, NULL},
	{"monitor_interval_ms", CONF_SCAN_VALUE, NULL},
	{"monitor_failures", CONF_SCAN_VALUE, NULL},
	{"monitor_window", CONF_SCAN_VALUE, NULL},
	{"restarts", CONF_SCAN_VALUE, NULL},
	{"restart_window_ms", CONF_SCAN_VALUE, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

enum {
	OF_ADDRESS = 1, /* types that have a key */
	OF_SCRIPT = 2,
};

/* Which types a key belongs to; those that are not here belong to all. */
static const struct {
	const char *key;
	unsigned types;
} owners[] = {
	{"address", OF_ADDRESS},
	{"interface", OF_ADDRESS},
	{"program", OF_SCRIPT},
	{"start", OF_SCRIPT},
	{"stop", OF_SCRIPT},
	{"status", OF_SCRIPT},
	{"monitor", OF_SCRIPT},
	{"start_timeout_ms", OF_SCRIPT},
	{"stop_timeout_ms", OF_SCRIPT},
	{"monitor_timeout_ms", OF_SCRIPT},
	{"monitor_interval_ms", OF_SCRIPT},
	{"monitor_failures", OF_SCRIPT},
	{"monitor_window", OF_SCRIPT},
};

struct number {
	const char *key;
	bool or_zero;
	uint32_t min, max;
	const char *unit;
	size_t offset;            /* in struct conf_resource */
	uint32_t script, address; /* defaults */
};

static const struct number numbers[] = {
	{"start_timeout_ms", false, 100, 3600000, "ms",
	 offsetof(struct conf_resource, start_timeout_ms), 60000, 0},
	{"stop_timeout_ms", false, 100, 3600000, "ms",
	 offsetof(struct conf_resource, stop_timeout_ms), 60000, 0},
	{"monitor_timeout_ms", false, 100, 3600000, "ms",
	 offsetof(struct conf_resource, monitor_timeout_ms), 20000, 0},
	{"monitor_interval_ms", true, 100, 3600000, "ms",
	 offsetof(struct conf_resource, monitor_interval_ms), 10000, 0},
	{"monitor_failures", false, 1, 100, "", offsetof(struct conf_resource, monitor_failures), 2,
	 0},
	{"monitor_window", true, 2, 32, "", offsetof(struct conf_resource, monitor_window), 0, 0},
	{"restarts", false, 0, 16, "", offsetof(struct conf_resource, restarts), 3, 3},
	{"restart_window_ms", false, 1000, 86400000, "ms",
	 offsetof(struct conf_resource, restart_window_ms), 3600000, 3600000},
};

static const struct conf_value *find(const struct conf_values *values, const char *key)
{
	return conf_values_find(values, key, NULL);
}

static void refuse_keys(const struct conf_values *values, unsigned type,
			const struct conf_resource *r, struct conf_problems *problems)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		const struct conf_value *v = find(values, owners[i].key);

		if (v != NULL && (owners[i].types & type) == 0)
			conf_problem(problems, v->line, false,
				     "%s is no key of type = %s: remove it from resource \"%s\"",
				     v->key, yoke_word_resource_type(r->type), r->name);
	}
}

static void read_numbers(const struct conf_values *values, unsigned type, struct conf_resource *out,
			 struct conf_problems *problems)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number *n = &numbers[i];
		const struct conf_value *v = find(values, n->key);
		uint32_t value = type == OF_SCRIPT ? n->script : n->address;

		if (v != NULL && n->or_zero && strcmp(v->text, "0") == 0)
			value = 0;
		else if (v != NULL)
			conf_value_number(*v, n->min, n->max, n->unit, &value, problems);
		memcpy((char *)out + n->offset, &value, sizeof(value));
	}
}

static void read_address(const struct conf_values *values, struct conf_resource *out,
			 struct conf_problems *problems)
{
	const struct conf_value *address = find(values, "address");
	const struct conf_value *interface = find(values, "interface");

	if (address != NULL)
		conf_value_service(*address, out, problems);
	else
		conf_problem(problems, out->line, false,
			     "resource \"%s\" has no address: add address = \"ADDRESS/PREFIX\"",
			     out->name);
	if (interface != NULL)
		conf_value_interface(*interface, out->interface, problems);
	else
		conf_problem(problems, out->line, false,
			     "resource \"%s\" has no interface: add interface = \"NAME\"",
			     out->name);
}

/* A list of words: the program and its arguments. */
static void read_command(const struct conf_values *values, const char *key, char *out,
			 struct conf_problems *problems)
{
	unsigned count;
	const struct conf_value *first = conf_values_find(values, key, &count);

	if (first->text == NULL)
		conf_problem(problems, first->line, false,
			     "%s is an empty list: write the program's path and its arguments",
			     key);
	else
		conf_value_command(first, count, out, problems);
}

/* PROGRAM and one word, as an LSB program takes it. */
static void from_program(const struct conf_value *program, const char *word, char *out,
			 struct conf_problems *problems)
{
	struct conf_value words[] = {*program, *program};

	words[1].text = word;
	conf_value_command(words, 2, out, problems);
}

static void read_script(const struct conf_values *values, struct conf_resource *out,
			struct conf_problems *problems)
{
	const struct {
		const char *key;
		char *command;
	} commands[] = {{"start", out->start}, {"stop", out->stop}, {"status", out->status}};
	const struct conf_value *program = find(values, "program");
	bool bad = program != NULL && !conf_value_program(*program, problems);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (find(values, commands[i].key) != NULL)
			read_command(values, commands[i].key, commands[i].command, problems);
		else if (program == NULL)
			conf_problem(problems, out->line, false,
				     "resource \"%s\" has no %s: add program = \"/PATH\" or "
				     "%s = { \"/PATH\", \"ARGUMENT\" }",
				     out->name, commands[i].key, commands[i].key);
		else if (!bad)
			from_program(program, commands[i].key, commands[i].command, problems);
	}
	if (find(values, "monitor") != NULL)
		read_command(values, "monitor", out->monitor, problems);
}

static void check_window(const struct conf_values *values, const struct conf_resource *r,
			 struct conf_problems *problems)
{
	const struct conf_value *window = find(values, "monitor_window");

	if (window != NULL && r->monitor_window != 0 && r->monitor_window <= r->monitor_failures)
		conf_problem(problems, window->line, false,
			     "monitor_window = %u: make it more than monitor_failures (%u)",
			     r->monitor_window, r->monitor_failures);
}

void conf_resource_read(const struct conf_values *values, struct conf_resource *out,
			struct conf_problems *problems)
{
	const struct conf_value *type = find(values, "type");
	const char *script = yoke_word_resource_type(YOKE_RESOURCE_TYPE_SCRIPT);
	const char *address = yoke_word_resource_type(YOKE_RESOURCE_TYPE_ADDRESS);

	out->type = YOKE_RESOURCE_TYPE_ADDRESS;
	if (type == NULL)
		conf_problem(problems, out->line, false,
			     "resource \"%s\" has no type: write type = address or type = script",
			     out->name);
	else if (strcmp(type->text, script) == 0)
		out->type = YOKE_RESOURCE_TYPE_SCRIPT;
	else if (strcmp(type->text, address) != 0)
		conf_problem(problems, type->line, false,
			     "type = \"%.40s\" is not known: write type = address or type = script",
			     type->text);
	if (out->type == YOKE_RESOURCE_TYPE_SCRIPT) {
		refuse_keys(values, OF_SCRIPT, out, problems);
		read_script(values, out, problems);
		read_numbers(values, OF_SCRIPT, out, problems);
		check_window(values, out, problems);
	} else {
		refuse_keys(values, OF_ADDRESS, out, problems);
		read_address(values, out, problems);
		read_numbers(values, OF_ADDRESS, out, problems);
	}
}

void conf_programs(const struct conf_resource *r, const char *programs[CONF_PROGRAMS])
{
	programs[0] = r->start;
	programs[1] = r->stop;
	programs[2] = r->status;
	programs[3] = r->monitor;
}
