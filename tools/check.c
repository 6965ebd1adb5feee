#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "tools/text.h"
#include "tools/tool.h"

enum { ADDRESS_MS = 1000 }; /* what the engine allows for one */

static struct conf conf;
static struct conf_problems problems;

static void print_problems(const char *file)
{
	unsigned i;

	for (i = 0; i < problems.count; i++) {
		const struct conf_problem *p = &problems.problem[i];

		if (p->line > 0)
			printf("%s:%d: ", file, p->line);
		else
			printf("%s: ", file);
		printf("%s: %s\n", p->warning ? "warning" : "error", p->text);
	}
	if (problems.count == CONF_PROBLEMS_MAX)
		printf("%s: more problems may follow when these are solved\n", file);
}

static void endpoint_text(const struct conf_endpoint *endpoint, char *text, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&endpoint->address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&endpoint->address;
	char address[INET6_ADDRSTRLEN] = "?";

	if (!endpoint->configured) {
		snprintf(text, size, "-");
		return;
	}
	if (endpoint->address.ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
		snprintf(text, size, "%s:%u", address, ntohs(v4->sin_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
		snprintf(text, size, "[%s]:%u", address, ntohs(v6->sin6_port));
	}
	if (endpoint->interface[0] != '\0')
		snprintf(text + strlen(text), size - strlen(text), " on %s", endpoint->interface);
}

static void print_nodes(void)
{
	static struct tool_table table;
	char heading[16 + YOKE_PATHS_MAX * YOKE_NAME_SIZE], text[TOOL_CELL_SIZE];
	size_t used = (size_t)snprintf(heading, sizeof(heading), "NODE");
	unsigned node, path;

	for (path = 0; path < conf.path_count; path++)
		used += (size_t)snprintf(heading + used, sizeof(heading) - used, "|PATH %s",
					 conf.path[path]);
	tool_table_start(&table, heading);
	for (node = 0; node < conf.node_count; node++) {
		tool_table_row(&table);
		tool_table_cell(&table, 0, TOOL_PLAIN, conf.node[node].name);
		for (path = 0; path < conf.path_count; path++) {
			endpoint_text(&conf.node[node].endpoint[path], text, sizeof(text));
			tool_table_cell(&table, 1 + path, TOOL_PLAIN, text);
		}
	}
	tool_table_print(&table, false, stdout);
}

static void print_command(const char *what, const char *command)
{
	const char *word = NULL;

	printf("    %s:", what);
	while ((word = conf_command_next(command, word)) != NULL)
		printf(" %s", word);
	printf("\n");
}

static void print_script(const struct conf_resource *r)
{
	printf("  %s %s: %u restarts within %u s, then the group moves\n",
	       yoke_word_resource_type(r->type), r->name, r->restarts,
	       (r->restart_window_ms + 999) / 1000);
	print_command("start", r->start);
	print_command("stop", r->stop);
	print_command("status", r->status);
	print_command("monitor", r->monitor[0] != '\0' ? r->monitor : r->status);
	printf("    start within %u ms, stop within %u ms, ", r->start_timeout_ms,
	       r->stop_timeout_ms);
	if (r->monitor_interval_ms == 0)
		printf("not monitored\n");
	else
		printf("monitored every %u ms: %u failure%s in a row count\n",
		       r->monitor_interval_ms, r->monitor_failures,
		       r->monitor_failures == 1 ? "" : "s");
}

static void print_resource(const struct conf_resource *r)
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (r->type == YOKE_RESOURCE_TYPE_SCRIPT) {
		print_script(r);
		return;
	}
	inet_ntop(r->family, r->address, address, sizeof(address));
	printf("  %s %s: %s/%u on %s\n", yoke_word_resource_type(r->type), r->name, address,
	       r->prefix_len, r->interface);
}

static void print_groups(void)
{
	unsigned i, j;

	for (i = 0; i < conf.group_count; i++) {
		const struct conf_group *g = &conf.group[i];

		printf("\ngroup %s (%s) runs on", g->name,
		       !g->exclusive ? "not exclusive: taken over on silence alone"
		       : g->unproven ? "exclusive, but taken over on silence alone"
				     : "exclusive");
		for (j = 0; j < g->node_count; j++)
			printf("%s %s", j == 0 ? "" : ", else", conf.node[g->node[j]].name);
		printf("\n");
		for (j = 0; j < g->resource_count; j++)
			print_resource(&conf.resource[g->resource_first + j]);
	}
}

/* What one group's resources may take; an address is a matter of milliseconds. */
static uint32_t sum_ms(const struct conf_group *g, bool stop)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < g->resource_count; i++) {
		const struct conf_resource *r = &conf.resource[g->resource_first + i];

		if (r->type == YOKE_RESOURCE_TYPE_SCRIPT)
			sum += stop ? r->stop_timeout_ms + r->start_timeout_ms
				    : r->start_timeout_ms;
		else
			sum += stop ? 2 * ADDRESS_MS : 0;
	}
	return sum;
}

/* As core_stop_bound_ms(): how long a node whose lease has run out may still run something. */
static uint32_t stop_bound_ms(void)
{
	uint32_t most = 0;

	if (conf.watchdog[0] != '\0')
		return conf.watchdog_ms;
	for (unsigned i = 0; i < conf.group_count; i++)
		if (conf.group[i].exclusive && sum_ms(&conf.group[i], true) > most)
			most = sum_ms(&conf.group[i], true);
	return most;
}

static double seconds(uint32_t ms)
{
	return (double)ms / 1000;
}

static void print_fence_bound(void)
{
	uint32_t delay = 0, ask = 0;

	for (unsigned i = 0; i < conf.arbiter_count; i++) {
		const struct conf_arbiter *a = &conf.arbiter[i];

		if (a->type != YOKE_ARBITER_TYPE_FENCE || a->level != 1)
			continue;
		if (a->delay_ms > delay)
			delay = a->delay_ms;
		ask += 2 * a->timeout_ms;
	}
	printf("by fencing: replaced within %.1f s: %.1f detect + %.1f delay + at most %.1f for "
	       "the "
	       "agents, plus its start\n",
	       seconds(conf.dead_ms + delay + ask), seconds(conf.dead_ms), seconds(delay),
	       seconds(ask));
}

/* What the configuration promises for exclusive groups. */
static void print_bounds(void)
{
	uint32_t lease = conf.lease_ms + conf.lease_ms / 100 + 1;
	uint32_t stop = stop_bound_ms() + stop_bound_ms() / 100 + 1;
	bool fence = conf_has_arbiter(&conf, YOKE_ARBITER_TYPE_FENCE);

	printf("\na dead owner of an exclusive group is\n");
	if (fence)
		print_fence_bound();
	if (conf_has_lock(&conf))
		printf("by its lease: replaced within %.1f s: %.1f detect + %.1f lease + %.1f "
		       "until "
		       "its %s + %.1f probe, plus its start\n",
		       seconds(conf.dead_ms + lease + stop + conf.conflict_ms),
		       seconds(conf.dead_ms), seconds(lease), seconds(stop),
		       conf.watchdog[0] != '\0' ? "watchdog has reset it" : "stop has ended",
		       seconds(conf.conflict_ms));
	if (!fence && !conf_has_lock(&conf))
		printf("replaced when a person says 'yoke confirm-down'\n");
}

/* The conflict probe runs between late_ms and dead_ms and does not add to the takeover. */
static void print_timing(void)
{
	printf("\nheartbeat every %u ms on each path; late after %u ms, dead after %u ms of "
	       "silence\n"
	       "a lost node's groups are taken over at most %u ms after its last heartbeat,\n"
	       "plus the time that their resources take to start (an address: a few ms, a\n"
	       "script: as long as its program takes)\n",
	       conf.interval_ms, conf.late_ms, conf.dead_ms, conf.dead_ms);
	printf("SNMP: %s\n", !conf.snmp      ? "off"
			     : conf.snmp_set ? "on, SET may change the cluster"
					     : "on, read only");
}

/* Why root should not run a program; NULL: all is well. */
static const char *doubt_program(const char *program)
{
	struct stat st;

	if (stat(program, &st) < 0)
		return "is not there";
	if (!S_ISREG(st.st_mode) || access(program, X_OK) < 0)
		return "cannot be executed";
	if (st.st_uid != 0 || (st.st_mode & S_IWOTH) != 0 ||
	    ((st.st_mode & S_IWGRP) != 0 && st.st_gid != 0))
		return "can be changed by others than root, who runs it";
	return NULL;
}

/* What an arbiter needs on a node. */
static void print_arbiters(const char *file)
{
	struct stat st;

	for (unsigned i = 0; i < conf.arbiter_count; i++) {
		const struct conf_arbiter *a = &conf.arbiter[i];
		const char *doubt = a->agent[0] != '\0' ? doubt_program(a->agent) : NULL;

		if (doubt != NULL)
			printf("%s:%d: warning: arbiter \"%s\": %s %s\n", file, a->line, a->name,
			       a->agent, doubt);
		if (a->device[0] != '\0' && stat(a->device, &st) < 0)
			printf("%s:%d: warning: arbiter \"%s\": %s is not there\n", file, a->line,
			       a->name, a->device);
		if (a->secret_file[0] != '\0' &&
		    (stat(a->secret_file, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
		     (st.st_mode & 077) != 0))
			printf("%s:%d: warning: arbiter \"%s\": %s must be there, root's, and of "
			       "mode 0600\n",
			       file, a->line, a->name, a->secret_file);
	}
}

static void print_programs(const char *file)
{
	for (unsigned i = 0; i < conf.resource_count; i++) {
		const struct conf_resource *r = &conf.resource[i];
		const char *programs[] = {r->start, r->stop, r->status, r->monitor};

		for (unsigned j = 0; j < sizeof(programs) / sizeof(programs[0]); j++) {
			const char *doubt = NULL;
			bool told = false;

			for (unsigned k = 0; k < j; k++)
				told |= strcmp(programs[k], programs[j]) == 0;
			if (programs[j][0] != '\0' && !told)
				doubt = doubt_program(programs[j]);
			if (doubt != NULL)
				printf("%s:%d: warning: resource \"%s\": %s %s\n", file, r->line,
				       r->name, programs[j], doubt);
		}
	}
}

/* What holds only on a node of this cluster is a warning: the file may be checked elsewhere. */
static void print_local(const char *file)
{
	uint8_t key[CONF_KEY_SIZE];
	char why[CONF_PROBLEM_SIZE], who[YOKE_REASON_SIZE];
	int fd = open(conf.key_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		printf("%s: warning: cannot read the key file %s: make it on one node with 'yoke "
		       "key generate' and copy it to the other\n",
		       file, conf.key_file);
	else if (conf_key_read(fd, conf.key_file, key, why) != 0)
		printf("%s: warning: %s\n", file, why);
	if (fd >= 0)
		close(fd);
	explicit_bzero(key, sizeof(key));
	print_programs(file);
	print_arbiters(file);
	if (conf_self(&conf, NULL, who) < 0)
		printf("%s: warning: %s\n", file, who);
}

int tool_check(const struct tool_options *options, int argc, char **argv)
{
	const char *file = argc > 0 ? argv[0] : TOOL_CONF;

	(void)options;
	if (conf_load(file, &conf, &problems) != 0) {
		print_problems(file);
		printf("%u error%s: the cluster will not start with this file\n", problems.errors,
		       problems.errors == 1 ? "" : "s");
		return TOOL_FAILED;
	}
	print_problems(file);
	print_local(file);
	printf("%s: no errors\n\ncluster %s\n", file, conf.cluster);
	print_nodes();
	print_groups();
	print_timing();
	for (unsigned i = 0; i < conf.group_count; i++)
		if (conf.group[i].exclusive && !conf.group[i].unproven) {
			print_bounds();
			break;
		}
	return TOOL_OK;
}

int tool_key(const struct tool_options *options, int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] : TOOL_KEY;
	char why[CONF_PROBLEM_SIZE];

	if (strcmp(argv[0], "generate") != 0) {
		fprintf(stderr, "yoke: there is no 'key %s'; did you mean 'yoke key generate'?\n",
			argv[0]);
		return TOOL_USAGE;
	}
	if (conf_key_generate(file, options->force, why) != 0) {
		fprintf(stderr, "yoke: %s\n", why);
		return TOOL_FAILED;
	}
	printf("wrote a new key to %s: copy it to the other node, for instance with scp -p\n",
	       file);
	return TOOL_OK;
}
