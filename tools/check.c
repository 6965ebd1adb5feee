#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "hb/device.h"
#include "hb/disk.h"
#include "hb/tty.h"
#include "tools/hardware.h"
#include "tools/text.h"
#include "tools/tool.h"

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

/* With its port, when it has one. */
static void address_text(const struct sockaddr_storage *from, char *text, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	bool is_v4 = from->ss_family == AF_INET;
	unsigned port = ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(from->ss_family, is_v4 ? (const void *)&v4->sin_addr : &v6->sin6_addr, address,
		  sizeof(address));
	if (port == 0)
		snprintf(text, size, "%s", address);
	else
		snprintf(text, size, is_v4 ? "%s:%u" : "[%s]:%u", address, port);
}

static void endpoint_text(const struct conf_endpoint *endpoint, char *text, size_t size)
{
	if (!endpoint->configured) {
		snprintf(text, size, "-");
		return;
	}
	if (endpoint->type == YOKE_PATH_TYPE_SERIAL) {
		snprintf(text, size, "%s at %u baud", endpoint->device, endpoint->baud);
		return;
	}
	if (endpoint->type == YOKE_PATH_TYPE_DISK) {
		snprintf(text, size, "%s", endpoint->device);
		return;
	}
	address_text(&endpoint->address, text, size);
	if (endpoint->is_multicast) {
		snprintf(text + strlen(text), size - strlen(text), " to ");
		address_text(&endpoint->multicast, text + strlen(text), size - strlen(text));
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

static void print_fence(const struct conf_arbiter *a)
{
	bool first = true;

	printf("%s, level %u, switches off", a->agent, a->level);
	for (unsigned i = 0; i < conf.node_count; i++) {
		if (!a->node[i])
			continue;
		printf("%s %s", first ? "" : ",", conf.node[i].name);
		first = false;
	}
}

static void print_arbiters(void)
{
	char text[INET6_ADDRSTRLEN + 16];

	for (unsigned i = 0; i < conf.arbiter_count; i++) {
		const struct conf_arbiter *a = &conf.arbiter[i];

		printf("%sarbiter %s (%s): ", i == 0 ? "\n" : "", a->name,
		       yoke_word_arbiter_type(a->type));
		if (a->type == YOKE_ARBITER_TYPE_FENCE)
			print_fence(a);
		else if (a->type == YOKE_ARBITER_TYPE_DISK)
			printf("%s", a->device);
		for (unsigned j = 0; j < a->address_count; j++) {
			address_text(&a->address[j], text, sizeof(text));
			printf("%s%s", j == 0 ? "" : ", ", text);
		}
		printf("\n");
	}
}

/* One part of a bound, in tenths of a second, rounded up.  Returns it. */
static uint32_t print_part(uint32_t part_ms, const char *what, bool print)
{
	uint32_t tenths = (part_ms + 99) / 100;

	if (print && part_ms > 0)
		printf(" + %u.%u %s", tenths / 10, tenths % 10, what);
	return tenths;
}

static uint32_t print_parts(const struct conf_bound *b, bool print)
{
	return print_part(b->delay_ms, "delay", print) + print_part(b->fence_ms, "fence", print) +
	       print_part(b->lease_ms, "lease", print) + print_part(b->stop_ms, "stop", print) +
	       print_part(b->probe_ms, "probe", print) + print_part(b->wait_ms, "wait", print) +
	       print_part(b->start_ms, "start", print);
}

/* The sum is the sum of what is printed. */
static void print_bound(const char *before, struct conf_bound b, const char *after)
{
	uint32_t detect = (b.detect_ms + 99) / 100, sum = detect + print_parts(&b, false);

	printf("  %s within %u.%u s: %u.%u detect", before, sum / 10, sum % 10, detect / 10,
	       detect % 10);
	print_parts(&b, true);
	printf("%s\n", after);
}

/* How long clients wait when the owner of an exclusive group dies. */
static void print_bounds(const struct conf_group *g)
{
	bool fence = conf_arbiters_of(&conf, YOKE_ARBITER_TYPE_FENCE) > 0;
	bool locks = conf_locks(&conf) > 0;

	if (g->node_count < 2) {
		printf("  a dead owner is not replaced: no other node may run it\n");
	} else if (g->unproven) {
		print_bound("a dead owner is replaced", conf_bound_silence(&conf, g),
			    ", on silence alone");
	} else {
		if (locks)
			print_bound("a dead owner is replaced", conf_bound_lease(&conf, g), "");
		if (fence)
			print_bound(locks ? "or by fencing" : "a dead owner is replaced",
				    conf_bound_fence(&conf, g), " (when no fence arbiter fails)");
		if (!locks && !fence)
			printf("  a dead owner waits for a person: yoke confirm-down\n");
	}
}

static void print_command(const char *what, const char *command)
{
	const char *word = NULL;

	printf("    %s:", what);
	while ((word = conf_command_next(command, word)) != NULL)
		printf(" %s", word);
	printf("\n");
}

static void print_script(const struct conf_group *g, const struct conf_resource *r)
{
	printf("  %s %s: %u restarts within %u s, then the group %s\n",
	       yoke_word_resource_type(r->type), r->name, r->restarts,
	       (r->restart_window_ms + 999) / 1000, g->parallel ? "stops here" : "moves");
	print_command("start", r->start);
	print_command("stop", r->stop);
	print_command("status", r->status);
	print_command("monitor", r->monitor[0] != '\0' ? r->monitor : r->status);
	printf("    start within %u ms, stop within %u ms, ", r->start_timeout_ms,
	       r->stop_timeout_ms);
	if (r->monitor_interval_ms == 0)
		printf("not monitored\n");
	else
		printf("monitored every %u ms: %u failure%s in a row count", r->monitor_interval_ms,
		       r->monitor_failures, r->monitor_failures == 1 ? "" : "s");
	if (r->monitor_interval_ms != 0 && r->monitor_window != 0)
		printf(", or of the last %u", r->monitor_window);
	if (r->monitor_interval_ms != 0)
		putchar('\n');
}

static void print_resource(const struct conf_group *g, const struct conf_resource *r)
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (r->type == YOKE_RESOURCE_TYPE_SCRIPT) {
		print_script(g, r);
		return;
	}
	inet_ntop(r->family, r->address, address, sizeof(address));
	printf("  %s %s: %s/%u on %s\n", yoke_word_resource_type(r->type), r->name, address,
	       r->prefix_len, r->interface);
}

static void print_policy(const struct conf_group *g)
{
	const unsigned hour = 60;

	if (g->after != 0)
		printf("  starts after group %s\n", g->after_name);
	if (g->yields)
		printf("  makes room for groups of a higher priority than %u\n", g->priority);
	if (g->manual)
		printf("  no fault moves it: a person does, with yoke switch\n");
	if (!g->failback)
		return;
	printf("  goes back to %s by itself, when that was fit for it for %u ms",
	       conf.node[g->node[0]].name, g->failback_ms);
	if (g->failback_from != g->failback_to)
		printf(", between %02u:%02u and %02u:%02u", g->failback_from / hour,
		       g->failback_from % hour, g->failback_to / hour, g->failback_to % hour);
	printf("\n");
}

static void print_groups(void)
{
	unsigned i, j;

	for (i = 0; i < conf.group_count; i++) {
		const struct conf_group *g = &conf.group[i];

		printf("\ngroup %s (%s) runs on", g->name,
		       g->parallel    ? "parallel"
		       : g->exclusive ? "exclusive"
				      : "not exclusive: taken over on silence alone");
		for (j = 0; j < g->node_count; j++)
			printf("%s %s",
			       j == 0        ? ""
			       : g->parallel ? " and on"
					     : ", else",
			       conf.node[g->node[j]].name);
		printf("\n");
		print_policy(g);
		if (g->exclusive && !g->manual)
			print_bounds(g);
		for (j = 0; j < g->resource_count; j++)
			print_resource(g, &conf.resource[g->resource_first + j]);
	}
}

/* A line's rate says how often there is a heartbeat on it. */
static void print_line(unsigned path)
{
	uint32_t interval_ms = conf_path_interval_ms(&conf, path);
	uint32_t baud = 0;

	for (unsigned i = 0; i < conf.node_count; i++)
		if (conf.node[i].endpoint[path].configured)
			baud = conf.node[i].endpoint[path].baud;
	printf("path %s, %u baud: heartbeat every %u ms%s, late after %u ms;\n"
	       "  when it is the only path that is up, every %u ms while a change is told on it\n",
	       conf.path[path], baud, interval_ms,
	       interval_ms > conf.interval_ms ? ", as a quarter of its rate carries" : "",
	       conf_path_late_ms(&conf, path), 2 * interval_ms);
}

/* Its heartbeats wait there until they are read. */
static void print_disk(unsigned path)
{
	printf("path %s, on a disk: heartbeat every %u ms, read every %u ms, late after %u ms;\n"
	       "  so a node's end is seen on it up to %u ms later than on a path of type udp\n",
	       conf.path[path], conf_path_interval_ms(&conf, path), conf_path_look_ms(&conf, path),
	       conf_path_late_ms(&conf, path), conf_path_look_ms(&conf, path));
}

static void print_public(unsigned path)
{
	printf("path %s, public: heartbeat every %u ms while a private path of type udp is up\n",
	       conf.path[path], conf_slow_ms(&conf));
}

static void print_beats(void)
{
	unsigned others = 0;

	for (unsigned i = 0; i < conf.path_count; i++)
		others += conf_path_type(&conf, i) != YOKE_PATH_TYPE_UDP;
	printf("\nheartbeat every %u ms on each path%s; late after %u ms, dead after %u ms of "
	       "silence\n",
	       conf.interval_ms, others > 0 ? " of type udp" : "", conf.late_ms, conf.dead_ms);
	for (unsigned i = 0; i < conf.path_count; i++)
		if (conf_path_type(&conf, i) == YOKE_PATH_TYPE_SERIAL)
			print_line(i);
		else if (conf_path_type(&conf, i) == YOKE_PATH_TYPE_DISK)
			print_disk(i);
		else if (conf_path_role(&conf, i) == YOKE_PATH_ROLE_PUBLIC)
			print_public(i);
}

/* What a lock needs one for is a warning; this is what it costs else. */
static void print_no_watchdog(void)
{
	bool fence = conf_arbiters_of(&conf, YOKE_ARBITER_TYPE_FENCE) > 0;
	unsigned bound = 0;

	for (unsigned i = 0; i < conf.group_count; i++)
		bound += conf.group[i].exclusive && !conf.group[i].unproven &&
			 conf.group[i].node_count > 1;
	if (bound == 0 || conf_locks(&conf) > 0)
		return;
	printf("watchdog: none: a stop of an exclusive group that hangs is tried until it stops, "
	       "and the\ngroup starts nowhere else before; a node that stands still is %s\n",
	       fence ? "switched off by the\nother one"
		     : "reset by nothing:\nswitch it off before 'yoke confirm-down'");
}

/* The conflict probe runs between late_ms and dead_ms and does not add to the takeover. */
static void print_timing(void)
{
	unsigned exclusive = 0, silent = 0;

	for (unsigned i = 0; i < conf.group_count; i++) {
		const struct conf_group *g = &conf.group[i];

		exclusive += g->exclusive;
		silent += !g->exclusive && !g->parallel && !g->manual;
	}
	print_beats();
	if (silent > 0)
		printf("a lost node's groups that are not exclusive are taken over\n"
		       "at most %u ms after its last heartbeat, plus the time that their resources "
		       "take\n"
		       "to start (an address: a few ms, a script: as long as its program takes)\n",
		       conf_detect_ms(&conf));
	if (exclusive > 0)
		printf("of exclusive groups see above: each step counts with its whole time-out, "
		       "which\nit seldom takes\n");
	if (conf_locks(&conf) > 0)
		printf("lease: %u ms without renewal, then a node stops its exclusive groups, "
		       "within %u ms\n",
		       conf.lease_ms, conf_stop_bound_ms(&conf));
	if (conf.watchdog[0] != '\0')
		printf("watchdog: %s resets the machine after %u ms\n", conf.watchdog,
		       conf.watchdog_ms);
	else
		print_no_watchdog();
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

static void print_programs(const char *file)
{
	for (unsigned i = 0; i < conf.resource_count; i++) {
		const struct conf_resource *r = &conf.resource[i];
		const char *programs[CONF_PROGRAMS];

		conf_programs(r, programs);
		for (unsigned j = 0; j < CONF_PROGRAMS; j++) {
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

/* Why a file of secrets is no good; NULL: all is well, or we may not see. */
static const char *doubt_secret(const char *file)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return errno == EACCES ? NULL : "is not there";
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	if (st.st_uid != 0)
		return "does not belong to root: chown root it";
	if ((st.st_mode & 07777 & ~0600) != 0)
		return "may be read by others than root: chmod 600 it";
	return NULL;
}

static const char *doubt_disk(const char *device)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return errno == EACCES ? NULL : "is not there";
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return "is neither a disk nor a file";
	return NULL;
}

static const char *doubt_watchdog(const char *device)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return errno == EACCES ? NULL : "is not there (modprobe softdog, if need be)";
	if (!S_ISCHR(st.st_mode))
		return "is no device";
	return NULL;
}

/* Why a serial line will not be opened on this node; NULL: all is well, as far as can be seen while
 * the engine may have it. */
static const char *doubt_tty(const char *device)
{
	static char why[YOKE_REASON_SIZE];
	struct stat st;

	if (stat(device, &st) < 0)
		return errno == EACCES ? NULL : "is not there";
	if (!S_ISCHR(st.st_mode))
		return "is no terminal";
	return hb_tty_is_console(st.st_rdev, why) ? why : NULL;
}

/* Why a shared disk carries no heartbeats on this node. */
static const char *doubt_header(const char *device)
{
	static uint8_t block[HB_DISK_BLOCK_SIZE] __attribute__((aligned(4096)));
	const char *doubt = doubt_disk(device);
	struct hb_disk disk;
	ssize_t got;
	int fd;

	if (doubt != NULL)
		return doubt;
	fd = hb_device_open(device, O_RDONLY);
	if (fd < 0)
		return errno == EACCES ? NULL : "cannot be opened";
	got = pread(fd, block, sizeof(block), 0);
	close(fd);
	if (got != (ssize_t)sizeof(block))
		return "cannot be read";
	conf_cluster_id(&conf, disk.cluster_id);
	doubt = hb_disk_look(&disk, block);
	return doubt != NULL ? doubt : hb_disk_lacks_posts(&disk);
}

static const char *doubt_end(const struct conf_endpoint *e)
{
	if (e->device[0] == '\0')
		return NULL;
	return e->type == YOKE_PATH_TYPE_DISK ? doubt_header(e->device) : doubt_tty(e->device);
}

static void print_ends(const char *file, const struct conf_node *node)
{
	for (unsigned i = 0; i < conf.path_count; i++) {
		const struct conf_endpoint *e = &node->endpoint[i];
		const char *doubt = doubt_end(e);

		if (doubt != NULL)
			printf("%s:%d: warning: path \"%s\": %s: %s\n", file, e->line, conf.path[i],
			       e->device, doubt);
	}
}

/* The interface that has a path's address here. */
static void interface_of(const struct conf_endpoint *e, char interface[IF_NAMESIZE])
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i != NULL; i = i->ifa_next) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&e->address;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&e->address;
		const struct sockaddr *a = i->ifa_addr;

		if (a == NULL || a->sa_family != e->address.ss_family ||
		    (a->sa_family == AF_INET
			     ? memcmp(&((const struct sockaddr_in *)a)->sin_addr, &v4->sin_addr, 4)
			     : memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &v6->sin6_addr,
				      16)) != 0)
			continue;
		snprintf(interface, IF_NAMESIZE, "%s", i->ifa_name);
	}
	freeifaddrs(all);
}

static void look_below(const struct conf_endpoint *e, struct tool_hardware *hardware)
{
	char interface[IF_NAMESIZE] = "";
	struct stat st;

	hardware->count = 0;
	if (e->type == YOKE_PATH_TYPE_DISK)
		return; /* what it hangs on is not to be seen from here */
	if (e->type == YOKE_PATH_TYPE_SERIAL) {
		if (stat(e->device, &st) == 0 && S_ISCHR(st.st_mode))
			tool_hardware_of_tty("/sys", st.st_rdev, hardware);
		return;
	}
	if (e->interface[0] != '\0')
		snprintf(interface, sizeof(interface), "%.15s", e->interface);
	else
		interface_of(e, interface);
	if (interface[0] != '\0')
		tool_hardware_of_interface("/sys", interface, hardware);
}

/* Paths that fail together, though the file does not show it. */
static void print_shared(const char *file, const struct conf_node *node)
{
	static struct tool_hardware hardware[YOKE_PATHS_MAX];

	for (unsigned i = 0; i < conf.path_count; i++) {
		look_below(&node->endpoint[i], &hardware[i]);
		for (unsigned j = 0; j < i; j++) {
			const struct conf_endpoint *a = &node->endpoint[j], *b = &node->endpoint[i];
			const char *shared = tool_hardware_shared(&hardware[j], &hardware[i]);
			bool is_one = tool_hardware_is_one(a->device, b->device);

			if (is_one)
				printf("%s:%d: warning: paths \"%s\" and \"%s\": %s and %s are one "
				       "device: each needs its own\n",
				       file, b->line, conf.path[j], conf.path[i], a->device,
				       b->device);
			if (is_one || shared == NULL ||
			    (b->interface[0] != '\0' && strcmp(a->interface, b->interface) == 0))
				continue; /* the latter is said already */
			printf("%s:%d: warning: paths \"%s\" and \"%s\" both go over %s: one fault "
			       "ends both\n",
			       file, b->line, conf.path[j], conf.path[i], shared);
		}
	}
}

static void print_devices(const char *file)
{
	for (unsigned i = 0; i < conf.arbiter_count; i++) {
		const struct conf_arbiter *a = &conf.arbiter[i];
		const struct {
			const char *name, *doubt;
		} used[] = {
			{a->agent, a->agent[0] != '\0' ? doubt_program(a->agent) : NULL},
			{a->secret_file,
			 a->secret_file[0] != '\0' ? doubt_secret(a->secret_file) : NULL},
			{a->device, a->device[0] != '\0' ? doubt_disk(a->device) : NULL},
		};

		for (unsigned j = 0; j < sizeof(used) / sizeof(used[0]); j++)
			if (used[j].doubt != NULL)
				printf("%s:%d: warning: arbiter \"%s\": %s %s\n", file, a->line,
				       a->name, used[j].name, used[j].doubt);
	}
	if (conf.watchdog[0] != '\0' && doubt_watchdog(conf.watchdog) != NULL)
		printf("%s:%d: warning: watchdog: %s %s\n", file, conf.line.cluster, conf.watchdog,
		       doubt_watchdog(conf.watchdog));
}

/* What holds only on a node of this cluster is a warning: the file may be checked elsewhere. */
static void print_local(const char *file)
{
	struct conf_keys keys;
	char why[CONF_PROBLEM_SIZE], who[YOKE_REASON_SIZE];
	int fd = open(conf.key_file, O_RDONLY | O_CLOEXEC), self;

	if (fd < 0)
		printf("%s: warning: cannot read the key file %s: make it on one node with 'yoke "
		       "key generate' and copy it to the other\n",
		       file, conf.key_file);
	else if (conf_keys_read(fd, conf.key_file, &keys, why) != 0)
		printf("%s: warning: %s\n", file, why);
	if (fd >= 0)
		close(fd);
	explicit_bzero(&keys, sizeof(keys));
	print_programs(file);
	print_devices(file);
	self = conf_self(&conf, NULL, who);
	if (self < 0) {
		printf("%s: warning: %s\n", file, who);
		return;
	}
	print_ends(file, &conf.node[self]);
	print_shared(file, &conf.node[self]);
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
	print_arbiters();
	print_groups();
	print_timing();
	return TOOL_OK;
}
