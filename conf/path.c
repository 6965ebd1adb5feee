#include "conf/path.h"

#include "agent/base/baud.h"

enum {
	DEFAULT_BAUD = 9600,
	DISK_MS = 200, /* five a second are nothing to a disk, and enough for dead_ms = 1000 */
	DISK_MS_MAX = 20000,
};

const struct conf_scan_key conf_path_keys[] = {
	{"type", CONF_SCAN_VALUE, NULL},        {"address", CONF_SCAN_VALUE, NULL},
	{"port", CONF_SCAN_VALUE, NULL},        {"interface", CONF_SCAN_VALUE, NULL},
	{"role", CONF_SCAN_VALUE, NULL},        {"device", CONF_SCAN_VALUE, NULL},
	{"baud", CONF_SCAN_VALUE, NULL},        {"rtscts", CONF_SCAN_VALUE, NULL},
	{"interval_ms", CONF_SCAN_VALUE, NULL}, {"multicast", CONF_SCAN_VALUE, NULL},
	{NULL, CONF_SCAN_VALUE, NULL},
};

/* The types that a key belongs to. */
static const struct {
	const char *key;
	enum yoke_path_type type;
} owners[] = {
	{"address", YOKE_PATH_TYPE_UDP},      {"port", YOKE_PATH_TYPE_UDP},
	{"interface", YOKE_PATH_TYPE_UDP},    {"role", YOKE_PATH_TYPE_UDP},
	{"device", YOKE_PATH_TYPE_SERIAL},    {"baud", YOKE_PATH_TYPE_SERIAL},
	{"rtscts", YOKE_PATH_TYPE_SERIAL},    {"device", YOKE_PATH_TYPE_DISK},
	{"interval_ms", YOKE_PATH_TYPE_DISK}, {"type", YOKE_PATH_TYPE_UDP},
	{"type", YOKE_PATH_TYPE_SERIAL},      {"type", YOKE_PATH_TYPE_DISK},
	{"multicast", YOKE_PATH_TYPE_UDP},
};

static bool is_key_of(enum yoke_path_type type, const char *key)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		if (owners[i].type == type && strcmp(owners[i].key, key) == 0)
			return true;
	return false;
}

static void refuse_keys(const struct conf_values *values, const char *name,
			const struct conf_endpoint *e, struct conf_problems *problems)
{
	for (const struct conf_scan_key *k = conf_path_keys; k->name != NULL; k++) {
		const struct conf_value *v = conf_values_find(values, k->name, NULL);

		if (v != NULL && !is_key_of(e->type, k->name))
			conf_problem(problems, v->line, false,
				     "%s is no key of type = %s: remove it from path \"%s\"",
				     v->key, yoke_word_path_type(e->type), name);
	}
}

static bool read_type(const struct conf_values *values, struct conf_endpoint *out,
		      struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "type", NULL);

	out->type = YOKE_PATH_TYPE_UNKNOWN;
	if (v == NULL || strcmp(v->text, "udp") == 0)
		out->type = YOKE_PATH_TYPE_UDP;
	else if (strcmp(v->text, "serial") == 0)
		out->type = YOKE_PATH_TYPE_SERIAL;
	else if (strcmp(v->text, "disk") == 0)
		out->type = YOKE_PATH_TYPE_DISK;
	else
		conf_problem(problems, v->line, false,
			     "type = \"%.40s\": write udp, serial or disk", v->text);
	return out->type != YOKE_PATH_TYPE_UNKNOWN;
}

static void read_role(const struct conf_values *values, struct conf_endpoint *out,
		      struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "role", NULL);

	out->role = YOKE_PATH_ROLE_UNKNOWN;
	if (v == NULL || strcmp(v->text, "private") == 0)
		out->role = YOKE_PATH_ROLE_PRIVATE;
	else if (strcmp(v->text, "public") == 0)
		out->role = YOKE_PATH_ROLE_PUBLIC;
	else
		conf_problem(problems, v->line, false, "role = \"%.40s\": write private or public",
			     v->text);
}

static void read_udp(const struct conf_values *values, const char *name, struct conf_endpoint *out,
		     struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "port", NULL);
	uint32_t port = CONF_PORT;

	if (v != NULL)
		conf_value_number(*v, 1024, 65535, "", &port, problems);
	read_role(values, out, problems);
	v = conf_values_find(values, "interface", NULL);
	if (v != NULL)
		conf_value_interface(*v, out->interface, problems);
	v = conf_values_find(values, "address", NULL);
	if (v != NULL)
		conf_value_endpoint(*v, (uint16_t)port, out, problems);
	else
		conf_problem(problems, out->line, false, "path \"%s\" has no address: add it",
			     name);
	v = conf_values_find(values, "multicast", NULL);
	out->is_multicast = v != NULL;
	if (v != NULL)
		conf_value_multicast(*v, (uint16_t)port, &out->multicast, problems);
}

static uint32_t known_rate(const char *text)
{
#define COMPARE(rate)                                                                              \
	if (strcmp(text, #rate) == 0)                                                              \
		return rate;
	YOKE_BAUDS(COMPARE)
	return 0;
}

static void read_device(const struct conf_values *values, const char *name, const char *example,
			struct conf_endpoint *out, struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "device", NULL);

	if (v != NULL)
		conf_value_file(*v, CONF_FILE_SIZE - 1, out->device, problems);
	else
		conf_problem(problems, out->line, false,
			     "path \"%s\" has no device: add it, as in device = \"%s\"", name,
			     example);
}

static void read_serial(const struct conf_values *values, const char *name,
			struct conf_endpoint *out, struct conf_problems *problems)
{
#define NAME(rate) " " #rate
	const struct conf_value *v = conf_values_find(values, "baud", NULL);

	out->role = YOKE_PATH_ROLE_PRIVATE;
	out->baud = v == NULL ? DEFAULT_BAUD : known_rate(v->text);
	if (out->baud == 0)
		conf_problem(problems, v->line, false, "baud = \"%.40s\": write one of%s", v->text,
			     YOKE_BAUDS(NAME));
	v = conf_values_find(values, "rtscts", NULL);
	if (v != NULL)
		conf_value_boolean(*v, &out->rtscts, problems);
	read_device(values, name, "/dev/ttyS0", out, problems);
}

static void read_disk(const struct conf_values *values, const char *name, struct conf_endpoint *out,
		      struct conf_problems *problems)
{
	const struct conf_value *v = conf_values_find(values, "interval_ms", NULL);

	out->role = YOKE_PATH_ROLE_PRIVATE;
	out->interval_ms = DISK_MS;
	if (v != NULL)
		conf_value_number(*v, CONF_DISK_MS_MIN, DISK_MS_MAX, "ms", &out->interval_ms,
				  problems);
	read_device(values, name, "/dev/disk/by-id/...", out, problems);
}

void conf_path_read(const struct conf_values *values, const char *name, struct conf_endpoint *out,
		    struct conf_problems *problems)
{
	if (!read_type(values, out, problems))
		return;
	refuse_keys(values, name, out, problems);
	if (out->type == YOKE_PATH_TYPE_UDP)
		read_udp(values, name, out, problems);
	else if (out->type == YOKE_PATH_TYPE_DISK)
		read_disk(values, name, out, problems);
	else
		read_serial(values, name, out, problems);
}
