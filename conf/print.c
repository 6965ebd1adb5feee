#include "conf/print.h"

#include <arpa/inet.h>

static const char *yes_or_no(bool value)
{
	return value ? "yes" : "no";
}

/* Returns its port; 0: none. */
static unsigned address_text(const struct sockaddr_storage *address, char text[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, text, INET6_ADDRSTRLEN);
		return ntohs(four->sin_port);
	}
	inet_ntop(AF_INET6, &six->sin6_addr, text, INET6_ADDRSTRLEN);
	return ntohs(six->sin6_port);
}

static void print_endpoint(const char *path, const struct conf_endpoint *e, FILE *out)
{
	char text[INET6_ADDRSTRLEN] = "";
	unsigned port;

	if (e->type == YOKE_PATH_TYPE_SERIAL) {
		fprintf(out, "\tpath \"%s\" {\n\t\ttype = serial\n\t\tdevice = \"%s\"\n", path,
			e->device);
		fprintf(out, "\t\tbaud = %u\n\t\trtscts = %s\n\t}\n", e->baud,
			yes_or_no(e->rtscts));
		return;
	}
	if (e->type == YOKE_PATH_TYPE_DISK) {
		fprintf(out, "\tpath \"%s\" {\n\t\ttype = disk\n\t\tdevice = \"%s\"\n", path,
			e->device);
		fprintf(out, "\t\tinterval_ms = %u\n\t}\n", e->interval_ms);
		return;
	}
	/* Without type = udp and role = private: the digest of a file without lines and public
	 * paths is what it always was. */
	port = address_text(&e->address, text);
	fprintf(out, "\tpath \"%s\" {\n\t\taddress = \"%s\"\n\t\tport = %u\n", path, text, port);
	if (e->interface[0] != '\0')
		fprintf(out, "\t\tinterface = \"%s\"\n", e->interface);
	if (e->is_multicast) {
		address_text(&e->multicast, text);
		fprintf(out, "\t\tmulticast = \"%s\"\n", text);
	}
	if (e->role == YOKE_PATH_ROLE_PUBLIC)
		fputs("\t\trole = public\n", out);
	fputs("\t}\n", out);
}

/* key: with what stands before it on its line. */
static void print_command(const char *key, const char *command, FILE *out)
{
	const char *word = NULL;

	fprintf(out, "%s = {", key);
	while ((word = conf_command_next(command, word)) != NULL)
		fprintf(out, "%s \"%s\"", word == command ? "" : ",", word);
	fputs(" }\n", out);
}

static void print_script(const struct conf_resource *r, FILE *out)
{
	print_command("\t\tstart", r->start, out);
	print_command("\t\tstop", r->stop, out);
	print_command("\t\tstatus", r->status, out);
	if (r->monitor[0] != '\0')
		print_command("\t\tmonitor", r->monitor, out);
	fprintf(out, "\t\tstart_timeout_ms = %u\n\t\tstop_timeout_ms = %u\n", r->start_timeout_ms,
		r->stop_timeout_ms);
	fprintf(out, "\t\tmonitor_timeout_ms = %u\n\t\tmonitor_interval_ms = %u\n",
		r->monitor_timeout_ms, r->monitor_interval_ms);
	fprintf(out, "\t\tmonitor_failures = %u\n", r->monitor_failures);
	if (r->monitor_window != 0)
		fprintf(out, "\t\tmonitor_window = %u\n", r->monitor_window);
}

static void print_resource(const struct conf_resource *r, FILE *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	fprintf(out, "\tresource \"%s\" {\n\t\ttype = %s\n", r->name,
		yoke_word_resource_type(r->type));
	if (r->type == YOKE_RESOURCE_TYPE_SCRIPT) {
		print_script(r, out);
	} else {
		inet_ntop(r->family, r->address, text, sizeof(text));
		fprintf(out, "\t\taddress = \"%s/%u\"\n\t\tinterface = \"%s\"\n", text,
			r->prefix_len, r->interface);
	}
	fprintf(out, "\t\trestarts = %u\n\t\trestart_window_ms = %u\n\t}\n", r->restarts,
		r->restart_window_ms);
}

static void print_fence(const struct conf *c, const struct conf_arbiter *a, FILE *out)
{
	fprintf(out, "\tagent = \"%s\"\n", a->agent);
	if (a->parameters[0] != '\0')
		print_command("\tparameters", a->parameters, out);
	if (a->secret_file[0] != '\0')
		fprintf(out, "\tsecret_file = \"%s\"\n", a->secret_file);
	fprintf(out, "\tlevel = %u\n\tdelay_ms = %u\n\tretries = %u\n", a->level, a->delay_ms,
		a->retries);
	for (unsigned i = 0; i < c->node_count; i++) {
		if (!a->node[i])
			continue;
		fprintf(out, "\tvictim \"%s\" {\n", c->node[i].name);
		if (a->node_parameters[i][0] != '\0')
			print_command("\t\tparameters", a->node_parameters[i], out);
		fputs("\t}\n", out);
	}
}

static void print_arbiter(const struct conf *c, const struct conf_arbiter *a, FILE *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	fprintf(out, "\narbiter \"%s\" {\n\ttype = %s\n", a->name, yoke_word_arbiter_type(a->type));
	if (a->type == YOKE_ARBITER_TYPE_FENCE) {
		print_fence(c, a, out);
	} else if (a->type == YOKE_ARBITER_TYPE_DISK) {
		fprintf(out, "\tdevice = \"%s\"\n", a->device);
	} else if (a->type == YOKE_ARBITER_TYPE_WITNESS) {
		unsigned port = address_text(&a->address[0], text);

		fprintf(out, "\taddress = \"%s\"\n\tport = %u\n", text, port);
	} else {
		fputs("\taddresses = {", out);
		for (unsigned i = 0; i < a->address_count; i++) {
			address_text(&a->address[i], text);
			fprintf(out, "%s \"%s\"", i == 0 ? "" : ",", text);
		}
		fputs(" }\n", out);
	}
	fprintf(out, "\ttimeout_ms = %u\n\ttest_ms = %u\n}\n", a->timeout_ms, a->test_ms);
}

/* What is not given is not printed: an older yoke has no word for it. */
static void print_policy(const struct conf_group *g, FILE *out)
{
	if (g->parallel)
		fputs("\tmode = parallel\n", out);
	if (g->manual)
		fputs("\tfailover = manual\n", out);
	if (g->failback)
		fprintf(out, "\tfailback = auto\n\tfailback_ms = %u\n", g->failback_ms);
	if (g->failback_from != g->failback_to)
		fprintf(out, "\tfailback_window = \"%02u:%02u-%02u:%02u\"\n",
			g->failback_from / 60u, g->failback_from % 60u, g->failback_to / 60u,
			g->failback_to % 60u);
	if (g->after != 0)
		fprintf(out, "\tafter = \"%s\"\n", g->after_name);
	if (g->priority != 0)
		fprintf(out, "\tpriority = %u\n", g->priority);
	if (g->yields)
		fputs("\tyields = yes\n", out);
}

void conf_print_group(const struct conf *c, const struct conf_group *g, FILE *out)
{
	fprintf(out, "\ngroup \"%s\" {\n", g->name);
	if (!g->parallel)
		fprintf(out, "\texclusive = %s\n", yes_or_no(g->exclusive));
	if (g->exclusive)
		fprintf(out, "\ttakeover = %s\n", g->unproven ? "unproven" : "proven");
	print_policy(g, out);
	fputs("\tnodes = { ", out);
	for (unsigned i = 0; i < g->node_count; i++)
		fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", c->node[g->node[i]].name);
	fputs(" }\n", out);
	for (unsigned i = 0; i < g->resource_count; i++)
		print_resource(&c->resource[g->resource_first + i], out);
	fputs("}\n", out);
}

void conf_print_arbiters(const struct conf *conf, FILE *out)
{
	for (unsigned i = 0; i < conf->arbiter_count; i++)
		print_arbiter(conf, &conf->arbiter[i], out);
}

void conf_print_nodes(const struct conf *conf, FILE *out)
{
	for (unsigned i = 0; i < conf->node_count; i++) {
		const struct conf_node *n = &conf->node[i];

		fprintf(out, "\nnode \"%s\" {\n", n->name);
		for (unsigned path = 0; path < conf->path_count; path++) {
			if (n->endpoint[path].configured)
				print_endpoint(conf->path[path], &n->endpoint[path], out);
		}
		fputs("}\n", out);
	}
}

void conf_print_members(const struct conf *conf, FILE *out)
{
	conf_print_nodes(conf, out);
	conf_print_arbiters(conf, out);
	for (unsigned i = 0; i < conf->group_count; i++)
		conf_print_group(conf, &conf->group[i], out);
}

void conf_print(const struct conf *conf, FILE *out)
{
	fprintf(out, "cluster {\n\tname = \"%s\"\n\tkey_file = \"%s\"\n", conf->cluster,
		conf->key_file);
	fprintf(out, "\tstate_dir = \"%s\"\n\trun_dir = \"%s\"\n\tuser = \"%s\"\n", conf->state_dir,
		conf->run_dir, conf->user);
	fprintf(out, "\tinterval_ms = %u\n\tlate_ms = %u\n\tdead_ms = %u\n", conf->interval_ms,
		conf->late_ms, conf->dead_ms);
	fprintf(out, "\tstartup_ms = %u\n\tconflict_ms = %u\n\trefresh_ms = %u\n", conf->startup_ms,
		conf->conflict_ms, conf->refresh_ms);
	fprintf(out, "\toperation_ms = %u\n\tretry_ms = %u\n\tlease_ms = %u\n", conf->operation_ms,
		conf->retry_ms, conf->lease_ms);
	if (conf->watchdog[0] != '\0')
		fprintf(out, "\twatchdog = \"%s\"\n", conf->watchdog);
	fprintf(out, "\twatchdog_ms = %u\n}\n", conf->watchdog_ms);
	conf_print_members(conf, out);
	fprintf(out, "\nlog {\n\ttarget = %s\n\tdebug = %s\n}\n",
		conf->log_syslog ? "syslog" : "stderr", yes_or_no(conf->log_debug));
	fprintf(out, "\nsnmp {\n\tenable = %s\n\tset = %s\n\tuser = \"%s\"\n\tagentx = \"%s\"\n",
		yes_or_no(conf->snmp), yes_or_no(conf->snmp_set), conf->snmp_user,
		conf->snmp_agentx);
	if (conf->snmp_program[0] != '\0')
		fprintf(out, "\tprogram = \"%s\"\n", conf->snmp_program);
	fputs("}\n", out);
}
