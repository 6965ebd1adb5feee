#include <stdio.h>
#include <string.h>

#include "agent/engine.h"

enum { RESTARTED_DEAD_TIMES = 2 }; /* one to be heard in, one for the proof of both directions */

static void setup_resource(const struct conf *conf, const struct conf_resource *from,
			   struct core_resource_conf *to)
{
	bool is_script = from->type == YOKE_RESOURCE_TYPE_SCRIPT;
	uint32_t address_ms =
		conf->operation_ms < CONF_ADDRESS_MS ? conf->operation_ms : CONF_ADDRESS_MS;

	to->group = (uint16_t)(from->group + 1);
	to->has_address = !is_script;
	to->start_ms = is_script ? from->start_timeout_ms : address_ms;
	to->stop_ms = is_script ? from->stop_timeout_ms : address_ms;
	to->monitor_ms = is_script ? from->monitor_timeout_ms : conf->operation_ms;
	to->monitor_interval_ms = from->monitor_interval_ms;
	to->monitor_failures = (uint16_t)(is_script ? from->monitor_failures : 1);
	to->monitor_window = (uint16_t)from->monitor_window;
	to->restarts = (uint16_t)from->restarts;
	to->restart_window_ms = from->restart_window_ms;
}

static void setup_policy(const struct conf_group *from, struct core_group_conf *to)
{
	to->parallel = from->parallel;
	to->manual = from->manual;
	to->after = from->after;
	to->priority = (uint16_t)from->priority;
	to->yields = from->yields;
	to->failback = from->failback;
	to->failback_ms = from->failback_ms;
	to->failback_from = from->failback_from;
	to->failback_to = from->failback_to;
}

static void setup_arbiter(const struct conf_arbiter *from, struct core_arbiter_conf *to)
{
	memcpy(to->name, from->name, YOKE_NAME_SIZE);
	to->type = from->type;
	to->timeout_ms = from->timeout_ms;
	to->test_ms = from->test_ms;
	memcpy(to->node, from->node, sizeof(to->node));
	to->level = (uint16_t)from->level;
	to->delay_ms = from->delay_ms;
	to->retries = (uint16_t)from->retries;
}

void agent_setup_core(const struct conf *conf, uint16_t self, uint64_t incarnation,
		      struct core_conf *core)
{
	memset(core, 0, sizeof(*core));
	core->self = self;
	core->node_count = conf->node_count;
	core->path_count = conf->path_count;
	core->group_count = conf->group_count;
	core->resource_count = conf->resource_count;
	core->arbiter_count = conf->arbiter_count;
	core->lease_ms = conf->lease_ms;
	core->watchdog_ms = conf->watchdog[0] != '\0' ? conf->watchdog_ms : 0;
	core->dead_ms = conf->dead_ms;
	core->late_ms = conf->late_ms;
	core->interval_ms = conf->interval_ms;
	core->startup_ms = conf->startup_ms;
	core->conflict_ms = conf->conflict_ms;
	core->operation_ms = conf->operation_ms;
	core->retry_ms = conf->retry_ms;
	core->incarnation = incarnation;
	memcpy(core->digest, conf->digest, sizeof(core->digest));
	core->section[CORE_SECTION_CLUSTER] = conf->cluster_digest;
	core->section[CORE_SECTION_NODES] = conf->nodes_digest;
	core->section[CORE_SECTION_PATHS] = conf->paths_digest;
	core->section[CORE_SECTION_ARBITERS] = conf->arbiters_digest;
	core->protocol_min = CORE_PROTOCOL_MIN;
	core->protocol_max = CORE_PROTOCOL_MAX;
	snprintf(core->version, sizeof(core->version), "%s", YOKE_VERSION);
	for (uint16_t p = 0; p < conf->path_count; p++)
		core->path_public[p] = conf_path_role(conf, p) == YOKE_PATH_ROLE_PUBLIC;
	for (uint16_t n = 0; n < conf->node_count; n++)
		memcpy(core->node_name[n], conf->node[n].name, YOKE_NAME_SIZE);
	for (uint16_t g = 0; g < conf->group_count; g++) {
		const struct conf_group *from = &conf->group[g];
		struct core_group_conf *to = &core->group[g];

		memcpy(to->name, from->name, YOKE_NAME_SIZE);
		to->exclusive = from->exclusive;
		to->unproven = from->unproven;
		to->node_count = from->node_count;
		for (uint16_t n = 0; n < from->node_count; n++)
			to->node[n] = (uint16_t)(from->node[n] + 1);
		setup_policy(from, to);
		to->digest = conf->group_digest[g];
		to->resource_first = from->resource_first;
		to->resource_count = from->resource_count;
	}
	for (uint16_t r = 0; r < conf->resource_count; r++)
		setup_resource(conf, &conf->resource[r], &core->resource[r]);
	for (uint16_t a = 0; a < conf->arbiter_count; a++)
		setup_arbiter(&conf->arbiter[a], &core->arbiter[a]);
}

void agent_setup_restarted(struct core_conf *core)
{
	if (core->startup_ms > RESTARTED_DEAD_TIMES * core->dead_ms)
		core->startup_ms = RESTARTED_DEAD_TIMES * core->dead_ms;
}

static void setup_line(const struct conf *conf, uint16_t path, struct hb_line_conf *line)
{
	for (uint16_t n = 0; n < conf->node_count; n++)
		if (conf->node[n].endpoint[path].type == YOKE_PATH_TYPE_SERIAL)
			line->baud = conf->node[n].endpoint[path].baud;
	line->interval_us = conf_path_interval_ms(conf, path) * 1000;
	line->late_us = conf_path_late_ms(conf, path) * 1000;
}

static void setup_post(const struct conf *conf, uint16_t path, struct hb_post_conf *post)
{
	if (conf_path_type(conf, path) != YOKE_PATH_TYPE_DISK)
		return;
	post->interval_us = conf_path_interval_ms(conf, path) * 1000;
	post->late_us = conf_path_late_ms(conf, path) * 1000;
}

void agent_setup_hb(const struct conf *conf, uint16_t self, uint64_t incarnation,
		    const struct hb_keys *keys, struct hb_conf *hb)
{
	memset(hb, 0, sizeof(*hb));
	hb->self = self;
	hb->node_count = conf->node_count;
	hb->path_count = conf->path_count;
	hb->interval_us = conf->interval_ms * 1000;
	hb->late_us = conf->late_ms * 1000;
	hb->dead_us = conf->dead_ms * 1000;
	hb->keys = *keys;
	hb->slow_us = conf_slow_ms(conf) * 1000;
	hb->incarnation = incarnation;
	conf_cluster_id(conf, hb->cluster_id);
	for (uint16_t p = 0; p < conf->path_count; p++) {
		setup_line(conf, p, &hb->line[p]);
		setup_post(conf, p, &hb->post[p]);
		hb->is_public[p] = conf_path_role(conf, p) == YOKE_PATH_ROLE_PUBLIC;
	}
	for (uint16_t n = 0; n < conf->node_count; n++)
		for (uint16_t p = 0; p < conf->path_count; p++) {
			const struct conf_endpoint *from = &conf->node[n].endpoint[p];
			struct hb_endpoint *to = &hb->endpoint[n][p];

			to->configured = from->configured;
			to->address = from->address;
			to->address_len = from->address_len;
			memcpy(to->interface, from->interface, YOKE_NAME_SIZE);
			to->is_multicast = from->is_multicast;
			to->multicast = from->multicast;
		}
}

void agent_setup_names(const struct conf *conf, struct yoke_names *names)
{
	memset(names, 0, sizeof(*names));
	names->node_count = conf->node_count;
	names->path_count = conf->path_count;
	names->group_count = conf->group_count;
	names->resource_count = conf->resource_count;
	names->arbiter_count = conf->arbiter_count;
	memcpy(names->cluster, conf->cluster, YOKE_NAME_SIZE);
	for (uint16_t i = 0; i < conf->node_count; i++)
		memcpy(names->node[i], conf->node[i].name, YOKE_NAME_SIZE);
	for (uint16_t i = 0; i < conf->path_count; i++)
		memcpy(names->path[i], conf->path[i], YOKE_NAME_SIZE);
	for (uint16_t i = 0; i < conf->group_count; i++)
		memcpy(names->group[i], conf->group[i].name, YOKE_NAME_SIZE);
	for (uint16_t i = 0; i < conf->resource_count; i++)
		memcpy(names->resource[i], conf->resource[i].name, YOKE_NAME_SIZE);
	for (uint16_t i = 0; i < conf->arbiter_count; i++)
		memcpy(names->arbiter[i], conf->arbiter[i].name, YOKE_NAME_SIZE);
}

unsigned agent_setup_addresses(const struct conf *conf, struct agent_address_conf *addresses,
			       uint16_t index[YOKE_RESOURCES_MAX])
{
	unsigned count = 0;

	for (uint16_t i = 0; i < conf->resource_count; i++) {
		const struct conf_resource *from = &conf->resource[i];
		struct agent_address_conf *to = &addresses[count];

		if (from->type != YOKE_RESOURCE_TYPE_ADDRESS)
			continue;
		index[i] = (uint16_t)count++;
		memset(to, 0, sizeof(*to));
		to->resource = (uint16_t)(i + 1);
		to->family = from->family;
		to->prefix_len = from->prefix_len;
		memcpy(to->address, from->address, sizeof(to->address));
		memcpy(to->interface, from->interface, YOKE_NAME_SIZE);
	}
	return count;
}
