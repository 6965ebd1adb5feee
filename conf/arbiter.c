#include "conf/arbiter.h"

#include <ctype.h>

const struct conf_scan_key conf_arbiter_victim_keys[] = {
	{"parameters", CONF_SCAN_LIST, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

const struct conf_scan_key conf_arbiter_keys[] = {
	{"type", CONF_SCAN_VALUE, NULL},
	{"agent", CONF_SCAN_VALUE, NULL},
	{"parameters", CONF_SCAN_LIST, NULL},
	{"secret_file", CONF_SCAN_VALUE, NULL},
	{"victim", CONF_SCAN_NAMED, conf_arbiter_victim_keys},
	{"level", CONF_SCAN_VALUE, NULL},
	{"delay_ms", CONF_SCAN_VALUE, NULL},
	{"retries", CONF_SCAN_VALUE, NULL},
	{"device", CONF_SCAN_VALUE, NULL},
	{"address", CONF_SCAN_VALUE, NULL},
	{"port", CONF_SCAN_VALUE, NULL},
	{"addresses", CONF_SCAN_LIST, NULL},
	{"timeout_ms", CONF_SCAN_VALUE, NULL},
	{"test_ms", CONF_SCAN_VALUE, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

#define AGENT_FOLDER "/usr/sbin/"

/* The type that a key belongs to; those that are not here belong to all. */
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

static void refuse_keys(const struct conf_values *values, const struct conf_arbiter *a,
			struct conf_problems *problems)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		const struct conf_value *v = conf_values_find(values, owners[i].key, NULL);

		if (v != NULL && owners[i].type != a->type)
			conf_problem(problems, v->line, false,
				     "%s is no key of type = %s: remove it from arbiter \"%s\"",
				     v->key, yoke_word_arbiter_type(a->type), a->name);
	}
}

static void read_number(const struct conf_values *values, const char *key, uint32_t min,
			uint32_t max, const char *unit, uint32_t *out,
			struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, key, NULL);

	if (v != NULL)
		conf_value_number(*v, min, max, unit, out, problems);
}

static void read_numbers(const struct conf_values *values, struct conf_arbiter *out,
			 struct conf_problems *problems)
{
	const struct conf_value *test = conf_values_find(values, "test_ms", NULL);
	bool fence = out->type == YOKE_ARBITER_TYPE_FENCE;

	out->timeout_ms = fence ? 30000 : 1000;
	out->test_ms = fence ? 600000 : out->type == YOKE_ARBITER_TYPE_PING ? 5000 : 60000;
	read_number(values, "timeout_ms", 100, 600000, "ms", &out->timeout_ms, problems);
	if (test != NULL && strcmp(test->text, "0") == 0)
		out->test_ms = 0;
	else
		read_number(values, "test_ms", 1000, 86400000, "ms", &out->test_ms, problems);
	if (!fence)
		return;
	out->level = 1;
	out->delay_ms = 5000;
	out->retries = 1;
	read_number(values, "level", 1, 9, "", &out->level, problems);
	read_number(values, "delay_ms", 0, 600000, "ms", &out->delay_ms, problems);
	read_number(values, "retries", 0, 100, "", &out->retries, problems);
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* By their names in Debian's fence agents: passwd, password, snmp_priv_passwd, apikey, token,
 * community, ...; one that names a file or a script tells nothing. */
static bool is_secret(const char *name)
{
	static const char *const parts[] = {"pass", "secret", "key", "token", "community"};

	if (ends_with(name, "_file") || ends_with(name, "_script"))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(name, parts[i]) != NULL)
			return true;
	}
	return false;
}

/* Is there a parameter of the same name before the word `end`? */
static bool is_named(const char *parameters, const char *end, const char *word, size_t name_size)
{
	const char *other = NULL;

	while ((other = conf_command_next(parameters, other)) != NULL && other != end) {
		if (strncmp(other, word, name_size + 1) == 0) /* with the '=' */
			return true;
	}
	return false;
}

/* One word "name=value".  The value is never repeated in a message: it may be the secret. */
static void check_parameter(struct conf_value v, struct conf_problems *problems)
{
	size_t size = strcspn(v.text, "=");
	char name[48];

	snprintf(name, sizeof(name), "%.*s", (int)size, v.text);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
	if (v.text[size] == '\0' || v.text[size + 1] == '\0' || size == 0 || size >= sizeof(name) ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
		conf_problem(problems, v.line, false,
			     "%s: a word is not name=value, as in \"ip=192.0.2.9\"", v.key);
	else if (strcmp(name, "action") == 0 || strcmp(name, "option") == 0)
		conf_problem(problems, v.line, false,
			     "%s: %s is what yoke says (off, status): remove it", v.key, name);
	else if (is_secret(name))
		conf_problem(problems, v.line, false,
			     "%s: %s is a secret: put it into secret_file, as a line %s=VALUE",
			     v.key, name, name);
}

/* common: the parameters of all victims, or NULL. */
static void read_parameters(const struct conf_values *values, const char *common,
			    char out[CONF_COMMAND_SIZE], struct conf_problems *problems)
{
	unsigned count, i = 0;
	const struct conf_value *first = conf_values_find(values, "parameters", &count);
	const char *word = NULL;

	if (first == NULL)
		return;
	if (first->text == NULL) {
		conf_problem(problems, first->line, false,
			     "parameters is an empty list: write \"name=value\" words, or leave it "
			     "out");
		return;
	}
	if (!conf_value_words(first, count, out, problems))
		return;
	while ((word = conf_command_next(out, word)) != NULL) {
		size_t size = strcspn(word, "=");

		check_parameter(first[i], problems);
		if (is_named(out, word, word, size) ||
		    (common != NULL && is_named(common, NULL, word, size)))
			conf_problem(problems, first[i].line, false,
				     "parameters: %.*s is given twice: keep one", (int)size, word);
		i++;
	}
}

/* "fence_apc" is where Debian and others put it; anything else is a path. */
static void read_agent(struct conf_value v, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	if (v.text[0] == '/') {
		conf_value_file(v, CONF_FILE_SIZE - 1, out->agent, problems);
		return;
	}
	if (strncmp(v.text, "fence_", 6) != 0 || v.text[strspn(v.text, letters)] != '\0' ||
	    strlen(AGENT_FOLDER) + strlen(v.text) >= CONF_FILE_SIZE) {
		conf_problem(problems, v.line, false,
			     "agent = \"%.40s\": write fence_NAME (it is in " AGENT_FOLDER
			     "), or an absolute path",
			     v.text);
		return;
	}
	snprintf(out->agent, CONF_FILE_SIZE, AGENT_FOLDER "%s", v.text);
}

static void read_fence(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	const struct conf_value *agent = conf_values_find(values, "agent", NULL);
	const struct conf_value *secret = conf_values_find(values, "secret_file", NULL);

	if (agent != NULL)
		read_agent(*agent, out, problems);
	else
		conf_problem(problems, out->line, false,
			     "arbiter \"%s\" has no agent: add agent = fence_NAME", out->name);
	if (secret != NULL)
		conf_value_file(*secret, CONF_FILE_SIZE - 1, out->secret_file, problems);
	read_parameters(values, NULL, out->parameters, problems);
}

static void read_disk(const struct conf_values *values, struct conf_arbiter *out,
		      struct conf_problems *problems)
{
	const struct conf_value *device = conf_values_find(values, "device", NULL);

	if (device != NULL)
		conf_value_file(*device, CONF_FILE_SIZE - 1, out->device, problems);
	else
		conf_problem(
			problems, out->line, false,
			"arbiter \"%s\" has no device: add device = /dev/disk/by-id/..., a small "
			"partition that both nodes see",
			out->name);
}

/* One address of a host that answers for itself. */
static void add_address(struct conf_value v, uint16_t port, struct conf_arbiter *out,
			struct conf_problems *problems)
{
	const struct sockaddr_in6 *six;
	struct conf_endpoint e;

	memset(&e, 0, sizeof(e)); /* padding, too: equal files make equal bytes */
	if (!conf_value_endpoint(v, port, &e, problems))
		return;
	six = (const struct sockaddr_in6 *)&e.address;
	if (e.address.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) {
		conf_problem(
			problems, v.line, false,
			"%s = \"%.50s\" is a link-local address, which needs an interface; use "
			"another of that host",
			v.key, v.text);
		return;
	}
	memcpy(&out->address[out->address_count], &e.address, sizeof(e.address));
	out->address_len[out->address_count] = e.address_len;
	out->address_count++;
}

static void read_witness(const struct conf_values *values, struct conf_arbiter *out,
			 struct conf_problems *problems)
{
	const struct conf_value *address = conf_values_find(values, "address", NULL);
	uint32_t port = CONF_WITNESS_PORT;

	read_number(values, "port", 1024, 65535, "", &port, problems);
	if (address != NULL)
		add_address(*address, (uint16_t)port, out, problems);
	else
		conf_problem(problems, out->line, false,
			     "arbiter \"%s\" has no address: add address = \"ADDRESS\" of the "
			     "third host",
			     out->name);
}

static void read_ping(const struct conf_values *values, struct conf_arbiter *out,
		      struct conf_problems *problems)
{
	unsigned count;
	const struct conf_value *v = conf_values_find(values, "addresses", &count);

	if (v == NULL || v->text == NULL) {
		conf_problem(problems, v == NULL ? out->line : v->line, false,
			     "arbiter \"%s\" has no addresses: add addresses = { \"ADDRESS\" }, "
			     "1..%d that always answer",
			     out->name, CONF_ADDRESSES_MAX);
		return;
	}
	if (count > CONF_ADDRESSES_MAX) {
		conf_problem(problems, v[CONF_ADDRESSES_MAX].line, false,
			     "arbiter \"%s\" has too many addresses: at most %d", out->name,
			     CONF_ADDRESSES_MAX);
		count = CONF_ADDRESSES_MAX;
	}
	for (unsigned i = 0; i < count; i++)
		add_address(v[i], 0, out, problems);
}

static enum yoke_arbiter_type type_of(const struct conf_value *type, const struct conf_arbiter *a,
				      struct conf_problems *problems)
{
	static const char advice[] = "write type = fence, disk, witness or ping";

	if (type == NULL) {
		conf_problem(problems, a->line, false, "arbiter \"%s\" has no type: %s", a->name,
			     advice);
		return YOKE_ARBITER_TYPE_UNKNOWN;
	}
	for (int i = YOKE_ARBITER_TYPE_FENCE; i <= YOKE_ARBITER_TYPE_PING; i++) {
		if (strcmp(type->text, yoke_word_arbiter_type(i)) == 0)
			return (enum yoke_arbiter_type)i;
	}
	conf_problem(problems, type->line, false, "type = \"%.40s\" is not known: %s", type->text,
		     advice);
	return YOKE_ARBITER_TYPE_UNKNOWN;
}

void conf_arbiter_read(const struct conf_values *values, struct conf_arbiter *out,
		       struct conf_problems *problems)
{
	out->type = type_of(conf_values_find(values, "type", NULL), out, problems);
	if (out->type == YOKE_ARBITER_TYPE_UNKNOWN)
		return;
	refuse_keys(values, out, problems);
	read_numbers(values, out, problems);
	if (out->type == YOKE_ARBITER_TYPE_FENCE)
		read_fence(values, out, problems);
	else if (out->type == YOKE_ARBITER_TYPE_DISK)
		read_disk(values, out, problems);
	else if (out->type == YOKE_ARBITER_TYPE_WITNESS)
		read_witness(values, out, problems);
	else
		read_ping(values, out, problems);
}

void conf_arbiter_read_victim(const struct conf_values *values, int line, unsigned node,
			      struct conf_arbiter *out, struct conf_problems *problems)
{
	if (out->type == YOKE_ARBITER_TYPE_UNKNOWN)
		return;
	if (out->type != YOKE_ARBITER_TYPE_FENCE) {
		conf_problem(problems, line, false,
			     "victim is no key of type = %s: remove it from arbiter \"%s\"",
			     yoke_word_arbiter_type(out->type), out->name);
		return;
	}
	out->node[node] = true;
	read_parameters(values, out->parameters, out->node_parameters[node], problems);
}
