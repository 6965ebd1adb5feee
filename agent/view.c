#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/engine.h"

/* Of a point on the monotonic clock in microseconds; 0 stays 0. */
static int64_t wall_of(int64_t mono_us, int64_t now_us, int64_t now_wall_ms)
{
	return mono_us == 0 ? 0 : now_wall_ms - (now_us - mono_us) / 1000;
}

static void address_text(const struct sockaddr_storage *from, char *text, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	char address[INET6_ADDRSTRLEN] = "?";

	if (from->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
		snprintf(text, size, "[%s]:%u", address, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
		snprintf(text, size, "%s:%u", address, ntohs(in->sin_port));
	}
}

static void endpoint_text(const struct conf_endpoint *ep, char *text, size_t size)
{
	if (ep->type == YOKE_PATH_TYPE_SERIAL) {
		snprintf(text, size, "%.44s at %u baud", ep->device, ep->baud);
	} else if (ep->type == YOKE_PATH_TYPE_DISK) {
		snprintf(text, size, "%.63s", ep->device);
	} else {
		address_text(&ep->address, text, size);
	}
}

static void view_link(const struct agent_engine *e, uint16_t node, uint16_t path, yoke_time now,
		      struct yoke_snapshot_path *v)
{
	const struct hb_path *p = hb_path_of(&e->hb, node, path);
	struct hb_quality_view quality = hb_quality_look(&p->quality, now);
	const struct conf_endpoint *local = &e->conf.node[e->self - 1].endpoint[path - 1];

	memset(v, 0, sizeof(*v));
	v->node = node;
	v->path = path;
	memcpy(v->name, e->conf.path[path - 1], sizeof(v->name));
	memcpy(v->interface, local->interface, sizeof(v->interface));
	endpoint_text(local, v->local, sizeof(v->local));
	endpoint_text(&e->conf.node[node - 1].endpoint[path - 1], v->remote, sizeof(v->remote));
	if (local->is_multicast)
		address_text(&local->multicast, v->multicast, sizeof(v->multicast));
	v->type = local->type;
	v->role = local->role;
	v->interval_ms = hb_public_is_slow(&e->hb, node, path, now)
				 ? conf_slow_ms(&e->conf)
				 : conf_path_interval_ms(&e->conf, path - 1u);
	memcpy(v->reason, e->open_reason[path - 1], sizeof(v->reason));
	v->state = p->state;
	v->changed_wall_ms = e->path_changed_ms[node - 1][path - 1];
	v->sent = p->sent;
	v->received = p->received;
	v->missed = p->missed;
	v->refused_seal = p->refused[HB_REFUSED_SEAL];
	v->refused_replay = p->refused[HB_REFUSED_REPLAY];
	v->refused_version = p->refused[HB_REFUSED_VERSION];
	v->refused_length = p->refused[HB_REFUSED_LENGTH];
	v->refused_cluster = p->refused[HB_REFUSED_CLUSTER];
	v->refused_sender = p->refused[HB_REFUSED_SENDER];
	v->refused_key = p->refused[HB_REFUSED_KEY];
	v->rtt_us = p->rtt_us;
	v->rtt_min_us = quality.rtt_min_us;
	v->rtt_mean_us = quality.rtt_mean_us;
	v->rtt_max_us = quality.rtt_max_us;
	v->jitter_us = quality.jitter_us;
	v->loss_permille = quality.loss_minute_permille;
	v->loss_hour_permille = quality.loss_hour_permille;
	v->delayed = p->delayed;
	v->flaps = p->flaps;
}

static void view_resources(const struct agent_engine *e, struct yoke_snapshot *s)
{
	for (uint16_t i = 0; i < e->conf.resource_count; i++) {
		const struct conf_resource *r = &e->conf.resource[i];
		char address[INET6_ADDRSTRLEN] = "?";

		memcpy(s->resource[i].name, r->name, YOKE_NAME_SIZE);
		s->resource[i].type = r->type;
		if (r->type == YOKE_RESOURCE_TYPE_SCRIPT) {
			snprintf(s->resource[i].text, sizeof(s->resource[i].text), "%.63s",
				 r->start);
			continue;
		}
		inet_ntop(r->family, r->address, address, sizeof(address));
		snprintf(s->resource[i].text, sizeof(s->resource[i].text), "%s/%u on %.15s",
			 address, r->prefix_len, r->interface);
	}
}

static void place_text(const struct conf_arbiter *a, unsigned i, char text[80])
{
	struct conf_endpoint end = {.address = a->address[i], .address_len = a->address_len[i]};

	endpoint_text(&end, text, 80);
}

static void view_arbiters(const struct agent_engine *e, struct yoke_snapshot *s)
{
	for (uint16_t i = 0; i < e->conf.arbiter_count; i++) {
		const struct conf_arbiter *a = &e->conf.arbiter[i];
		char *text = s->arbiter[i].text;
		const char *name = strrchr(a->agent, '/');

		if (a->type == YOKE_ARBITER_TYPE_FENCE)
			snprintf(text, 80, "%.60s, level %u", name != NULL ? name + 1 : a->agent,
				 a->level);
		else if (a->type == YOKE_ARBITER_TYPE_DISK)
			snprintf(text, 80, "%.79s", a->device);
		else if (a->address_count > 0)
			place_text(a, 0, text);
	}
}

static void turn_times(struct yoke_snapshot *s, int64_t now_us, int64_t wall)
{
	for (uint32_t i = 0; i < s->node_count; i++) {
		s->node[i].changed_wall_ms = wall_of(s->node[i].changed_wall_ms, now_us, wall);
		s->node[i].started_wall_ms = wall_of(s->node[i].started_wall_ms, now_us, wall);
	}
	for (uint32_t i = 0; i < s->group_count; i++)
		s->group[i].changed_wall_ms = wall_of(s->group[i].changed_wall_ms, now_us, wall);
	for (uint32_t i = 0; i < s->arbiter_count; i++) {
		s->arbiter[i].changed_wall_ms =
			wall_of(s->arbiter[i].changed_wall_ms, now_us, wall);
		s->arbiter[i].tested_wall_ms = wall_of(s->arbiter[i].tested_wall_ms, now_us, wall);
	}
	for (uint32_t i = 0; i < s->operation_count; i++) {
		s->operation[i].started_wall_ms =
			wall_of(s->operation[i].started_wall_ms, now_us, wall);
		s->operation[i].ended_wall_ms =
			wall_of(s->operation[i].ended_wall_ms, now_us, wall);
	}
}

void agent_view(struct agent_engine *e, struct yoke_snapshot *s)
{
	yoke_time now = agent_engine_now();
	int64_t wall = agent_engine_wall_ms();

	memset(s, 0, sizeof(*s));
	core_view(&e->core, s);
	turn_times(s, now.us, wall);
	memcpy(s->cluster, e->conf.cluster, sizeof(s->cluster));
	snprintf(s->version, sizeof(s->version), "%s", YOKE_VERSION);
	s->taken_wall_ms = wall;
	s->engine_started_wall_ms = e->started_wall_ms;
	s->last_event = e->shared->last_event;
	s->snmp_set = e->conf.snmp && e->conf.snmp_set;
	s->realtime = e->realtime;
	for (uint16_t n = 1; n <= e->conf.node_count; n++)
		for (uint16_t p = 1; p <= e->conf.path_count; p++)
			if (n != e->self && e->conf.node[n - 1].endpoint[p - 1].configured)
				view_link(e, n, p, now, &s->link[s->link_count++]);
	view_resources(e, s);
	view_arbiters(e, s);
	agent_keys_view(e, s);
	s->config_reads = atomic_load(&e->shared->reloads);
	memcpy(s->config_reason, e->shared->reload_reason, sizeof(s->config_reason));
	s->watchdog_ms = e->core_conf.watchdog_ms;
	s->watchdog = atomic_load(&e->shared->watchdog_fed);
}
