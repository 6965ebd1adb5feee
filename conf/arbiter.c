#include "conf/arbiter.h"

#include <stddef.h>

const struct conf_scan_key conf_victim_keys[] = {
	{"parameters", CONF_SCAN_LIST, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

const struct conf_scan_key conf_arbiter_keys[] = {
	{"type", CONF_SCAN_VALUE, NULL},      {"timeout_ms", CONF_SCAN_VALUE, NULL},
	{"test_ms", CONF_SCAN_VALUE, NULL},   {"agent", CONF_SCAN_VALUE, NULL},
	{"parameters", CONF_SCAN_LIST, NULL}, {"secret_file", CONF_SCAN_VALUE, NULL},
	{"level", CONF_SCAN_VALUE, NULL},     {"delay_ms", CONF_SCAN_VALUE, NULL},
	{"retries", CONF_SCAN_VALUE, NULL},   {"victim", CONF_SCAN_NAMED, conf_victim_keys},
	{"device", CONF_SCAN_VALUE, NULL},    {"address", CONF_SCAN_VALUE, NULL},
	{"port", CONF_SCAN_VALUE, NULL},      {"addresses", CONF_SCAN_LIST, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

/* The one type that a key belongs to; those that are not here belong to all. */
static const struct {
	const char *key;
	enum yoke_arbiter_type type;
} owners[] = {
	{"agent", YOKE_ARBITER_TYPE_FENCE},       {"parameters", YOKE_ARBITER_TYPE_FENCE},
	{"secret_file", YOKE_ARBITER_TYPE_FENCE}, {"level", YOKE_ARBITER_TYPE_FENCE},
	{"delay_ms", YOKE_ARBITER_TYPE_FENCE},    {"retries", YOKE_ARBITER_TYPE_FENCE},
	{"device", YOKE_ARBITER_TYPE_DISK},       {"address", YOKE_ARBITER_TYPE_WITNESS},
	{"port", YOKE_ARBITER_TYPE_WITNESS},      {"addresses", YOKE_ARBITER_TYPE_PING},
};

/* What an agent must not be told in a file that everybody may read. */
static bool is_secret(const char *name, size_t size)
{
	static const char *const parts[] = {"pass", "secret", "key"};
	static const char *const harmless[] = {"_file", "_script"};

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		size_t length = strlen(harmless[i]);

		if (size > length && memcmp(name + size - length, harmless[i], length) == 0)
			return false;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (memmem(name, size, parts[i], strlen(parts[i])) != NULL)
			return true;
	return false;
}

static bool good_parameter(const struct conf_value *v, const struct conf_arbiter *arbiter,
			   struct conf_problems *problems)
{
	const char *equals = strchr(v->text, '=');
	size_t size = equals != NULL ? (size_t)(equals - v->text) : 0;

	if (size == 0)
		conf_problem(problems, v->line, false,
			     "arbiter \"%s\": \"%.40s\" is no parameter: write \"NAME=VALUE\"",
			     arbiter->name, v->text);
	else if (size == strlen("action") && memcmp(v->text, "action", size) == 0)
		conf_problem(problems, v->line, false,
			     "arbiter \"%s\": remove action, yoke says what is to be done",
			     arbiter->name);
	else if (strncmp(v->text, "verbose", 7) == 0 || strncmp(v->text, "debug", 5) == 0)
		conf_problem(problems, v->line, false,
			     "arbiter \"%s\": remove %.*s: an agent would then print its secrets",
			     arbiter->name, (int)size, v->text);
	else if (is_secret(v->text, size))
		conf_problem(problems, v->line, false,
			     "arbiter \"%s\": %.*s is a secret: put the line into a file of mode "
			     "0600 and name that as secret_file",
			     arbiter->name, (int)size, v->text);
	else
		return true;
	return false;
}

void conf_arbiter_parameters(const struct conf_values *values, const struct conf_arbiter *arbiter,
			     char words[CONF_COMMAND_SIZE], struct conf_problems *problems)
{
	const struct conf_value *first = conf_values_find(values, "parameters");
	unsigned count;

	memset(words, 0, CONF_COMMAND_SIZE);
	if (first == NULL || first->text == NULL)
		return;
	count = conf_values_count(values, first);
	for (unsigned i = 0; i < count; i++)
		if (!good_parameter(&first[i], arbiter, problems))
			return;
	conf_value_words(first, count, words, problems);
}

static void read_agent(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "agent");

	if (v == NULL)
		conf_problem(problems, out->line, false,
			     "arbiter \"%s\" has no agent: add agent = fence_NAME, one of the "
			     "package fence-agents",
			     out->name);
	else if (strncmp(v->text, "fence_", 6) == 0 && strchr(v->text, '/') == NULL)
		snprintf(out->agent, sizeof(out->agent), "/usr/sbin/%.90s", v->text);
	else
		conf_value_file(*v, CONF_FILE_SIZE - 1, out->agent, problems);
	v = conf_values_find(values, "secret_file");
	if (v != NULL)
		conf_value_file(*v, CONF_FILE_SIZE - 1, out->secret_file, problems);
	conf_arbiter_parameters(values, out, out->parameters, problems);
}

static void read_place(struct conf_value v, uint16_t port, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	struct conf_endpoint end = {.address_len = 0};

	if (!conf_value_endpoint(v, port, &end, problems))
		return;
	out->address[out->address_count] = end.address;
	out->address_len[out->address_count++] = end.address_len;
}

static void read_witness(const struct conf_values *values, struct conf_arbiter *out,
			 struct conf_problems *problems)
{
	const struct conf_value *address = conf_values_find(values, "address");
	const struct conf_value *port = conf_values_find(values, "port");
	uint32_t number = CONF_WITNESS_PORT;

	if (port != NULL)
		conf_value_number(*port, 1024, 65535, "", &number, problems);
	if (address != NULL)
		read_place(*address, (uint16_t)number, out, problems);
	else
		conf_problem(problems, out->line, false,
			     "arbiter \"%s\" has no address: add that of the host where 'yoked "
			     "--witness' runs",
			     out->name);
}

static void read_ping(const struct conf_values *values, struct conf_arbiter *out,
		      struct conf_problems *problems)
{
	const struct conf_value *first = conf_values_find(values, "addresses");
	unsigned count =
		first != NULL && first->text != NULL ? conf_values_count(values, first) : 0;

	if (count == 0 || count > CONF_ADDRESSES_MAX)
		conf_problem(problems, first != NULL ? first->line : out->line, false,
			     "arbiter \"%s\" needs 1..%d addresses: addresses = { \"192.0.2.1\" }",
			     out->name, CONF_ADDRESSES_MAX);
	for (unsigned i = 0; i < count && i < CONF_ADDRESSES_MAX; i++)
		read_place(first[i], 0, out, problems);
}

static void read_numbers(const struct conf_values *values, struct conf_arbiter *out,
			 struct conf_problems *problems)
{
	bool fence = out->type == YOKE_ARBITER_TYPE_FENCE;
	const struct {
		const char *key;
		bool or_zero;
		uint32_t min, max, standard;
		uint32_t *out;
	} numbers[] = {
		{"timeout_ms", false, 100, 600000, fence ? 30000 : 1000, &out->timeout_ms},
		{"test_ms", true, 1000, 86400000,
		 fence                                 ? 600000
		 : out->type == YOKE_ARBITER_TYPE_PING ? 5000
						       : 60000,
		 &out->test_ms},
		{"level", false, 1, 9, 1, &out->level},
		{"delay_ms", false, 0, 600000, 5000, &out->delay_ms},
		{"retries", false, 0, 100, 1, &out->retries},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct conf_value *v = conf_values_find(values, numbers[i].key);

		*numbers[i].out = numbers[i].standard;
		if (v != NULL && numbers[i].or_zero && strcmp(v->text, "0") == 0)
			*numbers[i].out = 0;
		else if (v != NULL)
			conf_value_number(*v, numbers[i].min, numbers[i].max, "", numbers[i].out,
					  problems);
	}
}

static void refuse_keys(const struct conf_values *values, const struct conf_arbiter *a,
			struct conf_problems *problems)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		const struct conf_value *v = conf_values_find(values, owners[i].key);

		if (v != NULL && owners[i].type != a->type)
			conf_problem(problems, v->line, false,
				     "%s is no key of type = %s: remove it from arbiter \"%s\"",
				     v->key, yoke_word_arbiter_type((int)a->type), a->name);
	}
}

static enum yoke_arbiter_type type_of(const struct conf_value *v)
{
	for (int type = YOKE_ARBITER_TYPE_FENCE; v != NULL && type <= YOKE_ARBITER_TYPE_PING;
	     type++)
		if (strcmp(v->text, yoke_word_arbiter_type(type)) == 0)
			return (enum yoke_arbiter_type)type;
	return YOKE_ARBITER_TYPE_UNKNOWN;
}

void conf_arbiter_read(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	const struct conf_value *type = conf_values_find(values, "type"), *device;

	out->type = type_of(type);
	switch (out->type) {
	case YOKE_ARBITER_TYPE_UNKNOWN:
		conf_problem(problems, type != NULL ? type->line : out->line, false,
			     "arbiter \"%s\": write type = fence, disk, witness or ping",
			     out->name);
		return;
	case YOKE_ARBITER_TYPE_FENCE:
		read_agent(values, out, problems);
		break;
	case YOKE_ARBITER_TYPE_DISK:
		device = conf_values_find(values, "device");
		if (device != NULL)
			conf_value_file(*device, CONF_FILE_SIZE - 1, out->device, problems);
		else
			conf_problem(problems, out->line, false,
				     "arbiter \"%s\" has no device: add device = "
				     "\"/dev/disk/by-id/...\"",
				     out->name);
		break;
	case YOKE_ARBITER_TYPE_WITNESS:
		read_witness(values, out, problems);
		break;
	case YOKE_ARBITER_TYPE_PING:
		read_ping(values, out, problems);
		break;
	}
	refuse_keys(values, out, problems);
	read_numbers(values, out, problems);
}
