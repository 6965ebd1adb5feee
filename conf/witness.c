#include "conf/witness.h"

#include <confuse.h>
#include <errno.h>

#include "conf/value.h"

/* libconfuse hands no pointer of ours to its error function. */
static struct conf_problems *collecting;

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *section, const char *format,
							   va_list arguments)
{
	char text[CONF_PROBLEM_SIZE];

	vsnprintf(text, sizeof(text), format, arguments);
	conf_problem(collecting, section->line, false, "%.250s", text);
}

static struct conf_value value_of(cfg_t *section, const char *key)
{
	return (struct conf_value){
		.key = key, .line = section->line, .text = cfg_getstr(section, key)};
}

static void read_place(cfg_t *section, struct conf_witness *w, struct conf_problems *problems)
{
	long port = cfg_getint(section, "port");
	struct conf_endpoint end = {.address_len = 0};

	if (port < 1024 || port > 65535) {
		conf_problem(problems, section->line, false,
			     "port = %ld is out of range: 1024..65535", port);
		return;
	}
	if (cfg_getstr(section, "address") == NULL) {
		struct sockaddr_in6 *any = (struct sockaddr_in6 *)&w->address;

		any->sin6_family = AF_INET6;
		any->sin6_port = htons((uint16_t)port);
		w->address_len = sizeof(*any);
		return;
	}
	conf_value_endpoint(value_of(section, "address"), (uint16_t)port, &end, problems);
	w->address = end.address;
	w->address_len = end.address_len;
}

static void read_cluster(cfg_t *section, struct conf_witness *w, struct conf_problems *problems)
{
	struct conf_value name = {
		.key = "cluster", .line = section->line, .text = cfg_title(section)};
	unsigned i = w->cluster_count;

	if (i == CONF_CLUSTERS_MAX) {
		conf_problem(problems, section->line, false, "more than %d clusters",
			     CONF_CLUSTERS_MAX);
		return;
	}
	w->cluster_count++;
	conf_value_name(name, w->cluster[i].name, problems);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(w->cluster[j].name, w->cluster[i].name) == 0)
			conf_problem(problems, section->line, false,
				     "cluster \"%s\" is given twice", w->cluster[i].name);
	if (cfg_getstr(section, "key_file") == NULL)
		conf_problem(problems, section->line, false,
			     "cluster \"%s\" has no key_file: copy the cluster's key to this host",
			     w->cluster[i].name);
	else
		conf_value_file(value_of(section, "key_file"), CONF_FILE_SIZE - 1,
				w->cluster[i].key_file, problems);
}

static void read_all(cfg_t *file, struct conf_witness *w, struct conf_problems *problems)
{
	cfg_t *section = cfg_getsec(file, "witness");

	read_place(section, w, problems);
	conf_value_file(value_of(section, "state_dir"), CONF_FILE_SIZE - 32, w->state_dir,
			problems);
	conf_value_name(value_of(section, "user"), w->user, problems);
	for (unsigned i = 0; i < cfg_size(file, "cluster"); i++)
		read_cluster(cfg_getnsec(file, "cluster", i), w, problems);
	if (w->cluster_count == 0)
		conf_problem(problems, 0, false,
			     "there is no cluster: add cluster \"NAME\" { key_file = \"...\" }");
}

int conf_witness_load(const char *file_name, struct conf_witness *w, struct conf_problems *problems)
{
	cfg_opt_t cluster[] = {CFG_STR("key_file", NULL, CFGF_NONE), CFG_END()};
	cfg_opt_t witness[] = {
		CFG_STR("address", NULL, CFGF_NONE),
		CFG_INT("port", CONF_WITNESS_PORT, CFGF_NONE),
		CFG_STR("state_dir", "/var/lib/yoke-witness", CFGF_NONE),
		CFG_STR("user", "yoke-witness", CFGF_NONE),
		CFG_END(),
	};
	cfg_opt_t options[] = {
		CFG_SEC("witness", witness, CFGF_NONE),
		CFG_SEC("cluster", cluster, CFGF_MULTI | CFGF_TITLE),
		CFG_END(),
	};
	cfg_t *file;
	int rc;

	memset(w, 0, sizeof(*w));
	*problems = (struct conf_problems){0};
	file = cfg_init(options, CFGF_NONE);
	if (file == NULL) {
		conf_problem(problems, 0, false, "out of memory");
		return -1;
	}
	collecting = problems;
	cfg_set_error_function(file, on_error);
	rc = cfg_parse(file, file_name);
	if (rc == CFG_FILE_ERROR)
		conf_problem(problems, 0, false, "%.100s: %s", file_name, strerror(errno));
	else if (rc == CFG_SUCCESS)
		read_all(file, w, problems);
	cfg_free(file);
	collecting = NULL;
	return problems->errors == 0 && rc == CFG_SUCCESS ? 0 : -1;
}
