/* A simulated node: its engine's process around the real core. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/faults.h"
#include "tests/sim/skew.h"
#include "tests/sim/world.h"

enum { BOOT_NEWS_US = 20000 }; /* until a new engine has heard of its interfaces */

/* other: what somebody wrote into the file of one node only. */
static void configure_policy(const struct sim_policy *policy, bool other,
			     struct core_group_conf *group)
{
	group->parallel = policy->parallel;
	group->manual = policy->manual != (other && !policy->parallel && !policy->failback);
	group->failback = policy->failback && !other;
	group->yields = policy->yields && !other;
	group->after = policy->after;
	group->priority = policy->priority;
	group->failback_ms = policy->failback_ms;
	group->failback_from = policy->failback_from;
	group->failback_to = policy->failback_to;
}

static void configure(struct sim_world *w, uint16_t number, struct core_conf *conf)
{
	const struct sim_setup *s = &w->setup;

	memset(conf, 0, sizeof(*conf));
	conf->self = number;
	conf->node_count = s->node_count;
	conf->path_count = s->path_count;
	conf->group_count = s->group_count;
	conf->resource_count = (uint16_t)w->names.resource_count;
	memcpy(conf->node_name, w->names.node, sizeof(conf->node_name));
	for (uint16_t g = 0; g < s->group_count; g++) {
		struct core_group_conf *group = &conf->group[g];

		memcpy(group->name, w->names.group[g], sizeof(group->name));
		group->unproven = sim_world_is_unproven(w, (uint16_t)(g + 1));
		group->exclusive = group->unproven || sim_world_is_exclusive(w, (uint16_t)(g + 1));
		configure_policy(&s->policy[g], w->node[number - 1].other_conf, group);
		group->node_count = s->node_count;
		for (uint16_t i = 0; i < s->node_count; i++)
			group->node[i] = (uint16_t)((g + i) % s->node_count + 1);
		if (s->policy[g].first != 0) {
			group->node[0] = s->policy[g].first;
			group->node[1] = (uint16_t)(3 - s->policy[g].first);
		}
		if (s->policy[g].only != 0) {
			group->node[0] = s->policy[g].only;
			group->node_count = 1;
		}
		group->resource_first = (uint16_t)(g * s->resource_count);
		group->resource_count = s->resource_count;
	}
	for (uint16_t r = 0; r < conf->resource_count; r++) {
		struct core_resource_conf *resource = &conf->resource[r];

		resource->group = (uint16_t)(r / s->resource_count + 1);
		resource->has_address = !sim_world_is_service(w, (uint16_t)(r + 1));
		if (resource->has_address)
			continue;
		resource->monitor_ms = s->monitor_ms;
		resource->monitor_interval_ms = s->monitor_interval_ms;
		resource->monitor_failures = s->monitor_failures;
		resource->monitor_window = s->monitor_window;
		resource->restarts = s->restarts;
		resource->restart_window_ms = s->restart_window_ms;
	}
	conf->dead_ms = s->dead_ms;
	conf->late_ms = s->late_ms;
	conf->interval_ms = s->interval_ms;
	conf->startup_ms = s->startup_ms;
	conf->conflict_ms = s->conflict_ms;
	conf->operation_ms = s->operation_ms;
	conf->retry_ms = s->retry_ms;
	sim_arbiter_configure(w, conf);
	if (w->node[number - 1].other_conf && s->other_has_no_arbiter)
		conf->arbiter_count = 0;
	/* Of every other group, too: those are not taken over from one that has another one. */
	conf->section[CORE_SECTION_CLUSTER] = w->node[number - 1].other_conf;
	for (uint16_t g = 0; g < s->group_count; g++)
		conf->group[g].digest = 2u * g + (g % 2 == 0 && w->node[number - 1].other_conf);
	memcpy(conf->digest, w->node[number - 1].other_conf ? "anothers" : "sameconf",
	       CORE_DIGEST_SIZE);
	snprintf(conf->version, sizeof(conf->version), "sim");
	conf->protocol_min = CORE_PROTOCOL_MIN;
	conf->protocol_max = CORE_PROTOCOL_MAX;
}

yoke_time sim_node_now(const struct sim_world *w, uint16_t node)
{
	int64_t ppm = w->setup.rate_ppm[node - 1];

	return ppm == 0 ? w->now : (yoke_time){w->now.us + w->now.us * ppm / 1000000};
}

yoke_time sim_node_world(const struct sim_world *w, uint16_t node, yoke_time at)
{
	int64_t ppm = w->setup.rate_ppm[node - 1];

	if (ppm == 0 || yoke_time_is_never(at))
		return at;
	return (yoke_time){at.us * 1000000 / (1000000 + ppm) + 2};
}

void sim_node_init(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	n->number = node;
	n->wake = n->due_at = n->due = YOKE_NEVER;
	n->epoch = 1;
	configure(w, node, &n->conf);
}

/* ---- actions ---- */

static void show_event(struct sim_world *w, uint16_t node, const struct yoke_event *event)
{
	struct yoke_event ev = *event;

	yoke_event_render(&ev, &w->names);
	if (ev.kind == YOKE_EVENT_NODE_ONLINE)
		w->node[ev.node - 1].confirmed = false;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "%s", ev.text);
	sim_check_event(w, node, &ev);
}

static void show_run(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	static const char *const kinds[] = {"", "probe", "prepare", "start", "stop"};

	if (a->u.run.kind == CORE_RUN_MONITOR)
		return; /* too many: kernel.c shows those that do not end well */
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  > %s %s",
		       kinds[a->u.run.kind], w->names.resource[a->u.run.resource - 1]);
}

static void perform(struct sim_world *w, uint16_t node, const struct core_action *a)
{
	struct sim_node *n = &w->node[node - 1];
	const struct core_actions *all = &w->actions;
	const char *name = sim_world_name(w, node);

	switch (a->type) {
	case CORE_BEAT:
		sim_beat_set(&n->beat, all->beat, all->beat_size, sim_node_now(w, node));
		break;
	case CORE_SEND:
		sim_beat_send(&n->beat, a->u.send.node, all->message, all->message_size,
			      sim_node_now(w, node));
		break;
	case CORE_RUN:
		show_run(w, node, a);
		sim_check_run(w, node, a);
		sim_kernel_run(w, node, a);
		break;
	case CORE_CANCEL:
		sim_check_cancel(w, node, a->u.cancel.id);
		sim_kernel_cancel(w, node, a->u.cancel.id);
		sim_arbiter_cancel(w, node, a->u.cancel.id);
		break;
	case CORE_ANNOUNCE:
		sim_trace_line(&w->trace, w->now, name, "  > announce %s",
			       w->names.resource[a->u.announce.resource - 1]);
		sim_check_announce(w, node, a->u.announce.resource);
		break;
	case CORE_SAVE:
		sim_trace_mix(&w->trace, a->u.save.version);
		sim_kernel_save(w, node, a->u.save.version, all->record, all->record_size);
		break;
	case CORE_REPLY:
		sim_trace_line(&w->trace, w->now, name, "  > reply: %s",
			       yoke_word_verdict((int)a->u.reply.verdict));
		sim_check_reply(w, a->u.reply.verdict);
		break;
	case CORE_EVENT:
		show_event(w, node, &a->u.event);
		break;
	case CORE_ASK:
		sim_arbiter_ask(w, node, a);
		break;
	case CORE_LEASE:
		sim_arbiter_lease(w, node, a);
		break;
	case CORE_EXIT:
		n->exiting = true;
		break;
	}
}

/* The keeper finishes, or does not, what it was writing. */
static void finish_save(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (n->is_saving && sim_random_permille(&w->random, 500)) {
		memcpy(n->record, n->saving, n->saving_size);
		n->record_size = n->saving_size;
		sim_check_disk(w, node);
	}
	n->is_saving = false;
	n->next_version = 0;
}

static void end_engine(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (n->core.save.durable != n->core.save.version)
		sim_check_policy_forget(w, node); /* a pin may not be saved yet */
	if (n->engine)
		n->conf.before = sim_node_now(w, node);
	finish_save(w, node);
	sim_kernel_leave(w, node);
	n->engine = false;
	n->exiting = false;
	w->check.changed = true;
	n->wake = YOKE_NEVER;
	n->epoch++;
	memset(n->job, 0, sizeof(n->job));
}

void sim_node_rest(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];
	yoke_time first;

	if (n->exiting) {
		n->conf.legacy = (struct core_legacy){0}; /* its keeper ends with it */
		sim_check_keeper(w, node);
		sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  engine ends");
		end_engine(w, node);
	}
	if (!n->engine || n->ticking)
		return;
	n->beat_at = sim_beat_deadline(&n->beat);
	first = yoke_time_min(n->beat_at, n->core_at);
	if (first.us != n->due_at.us) { /* else it is known: the division is dear */
		n->due_at = first;
		n->due = yoke_time_add_us(sim_node_world(w, node, first), w->setup.lag_us);
	}
	n->wake = n->due;
	/* Who stood still reads what came meanwhile before it judges. */
	n->wake = yoke_time_max(n->wake, yoke_time_add_us(n->paused_until, 1));
}

void sim_node_pause(struct sim_world *w, uint16_t node, yoke_time until, uint32_t room)
{
	struct sim_node *n = &w->node[node - 1];

	n->paused_until = until;
	n->paused_room = room;
	sim_node_rest(w, node);
}

void sim_node_step(struct sim_world *w, uint16_t node, struct core_event *ev)
{
	struct sim_node *n = &w->node[node - 1];

	if (!n->engine || n->exiting)
		return;
	ev->now = sim_node_now(w, node);
	sim_check_before(w, node, ev);
	core_step(&n->core, ev, &w->actions);
	sim_trace_mix(&w->trace, (uint64_t)w->now.us ^ ((uint64_t)ev->type << 56) ^
					 ((uint64_t)w->actions.count << 40));
	n->core_at = core_deadline(&n->core);
	sim_check_after(w, node);
	for (unsigned i = 0; i < w->actions.count && n->engine && w->failure[0] == '\0'; i++) {
		perform(w, node, &w->actions.action[i]);
		if (w->actions.action[i].type != CORE_BEAT)
			sim_faults_moment(w, node);
	}
	sim_faults_step(w, node);
	sim_node_rest(w, node);
}

/* ---- what wakes it ---- */

static void tell_paths(struct sim_world *w, uint16_t node, const struct hb_changes *changes)
{
	for (unsigned i = 0; i < changes->count; i++) {
		struct core_event ev = {.type = CORE_PATH};

		ev.u.path.node = changes->change[i].node;
		ev.u.path.path = changes->change[i].path;
		ev.u.path.state = changes->change[i].to;
		sim_node_step(w, node, &ev);
	}
}

static void tell_stall(struct sim_world *w, uint16_t node, uint32_t stall_ms)
{
	struct core_event ev = {.type = CORE_STALL};

	ev.u.stall.stall_ms = stall_ms;
	sim_node_step(w, node, &ev);
}

static void tell_time(struct sim_world *w, uint16_t node)
{
	struct core_event ev;

	ev.type = CORE_TIMER; /* and nothing else is looked at, see core_event_size() */
	sim_node_step(w, node, &ev);
}

void sim_node_wake(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];
	struct hb_changes changes;
	uint32_t stall_ms = 0;
	yoke_time now = sim_node_now(w, node);

	n->ticking = true;
	changes.count = 0;
	if (yoke_time_due(n->beat_at, now))
		stall_ms = sim_beat_tick(&n->beat, now, &changes);
	if (stall_ms > 0)
		tell_stall(w, node, stall_ms);
	tell_paths(w, node, &changes);
	if (n->engine && !n->exiting && yoke_time_due(n->core_at, now))
		tell_time(w, node);
	n->ticking = false;
	sim_node_rest(w, node);
}

static void give_message(struct sim_world *w, const struct sim_frame *frame, yoke_time echoed)
{
	struct core_event ev;

	ev.type = CORE_MESSAGE; /* not cleared: a message is long, most are short */
	ev.u.message.node = frame->from;
	ev.u.message.path = frame->path;
	ev.u.message.incarnation = frame->incarnation;
	ev.u.message.echoed = echoed;
	ev.u.message.size = frame->size;
	memcpy(ev.u.message.bytes, frame->bytes, frame->size);
	sim_node_step(w, frame->to, &ev);
}

void sim_node_frame(struct sim_world *w, struct sim_frame *frame)
{
	struct sim_node *n = &w->node[frame->to - 1];
	struct hb_changes changes;
	bool repeated = false, taken;
	unsigned older = n->old;
	yoke_time now = sim_node_now(w, frame->to), echoed;

	if (w->node[frame->from - 1].old > older)
		older = w->node[frame->from - 1].old;
	if (older > 0)
		frame->size = sim_skew_cut(frame->bytes, frame->size, older);
	n->ticking = true;
	echoed = sim_beat_echoed(&n->beat, frame);
	taken = sim_beat_take(&n->beat, frame, now, &repeated, &changes);
	tell_paths(w, frame->to, &changes);
	if (taken && n->engine && repeated)
		taken = core_wants_beat(&n->core, frame->from, echoed);
	if (taken)
		give_message(w, frame, echoed);
	n->ticking = false;
	sim_node_rest(w, frame->to);
}

/* ---- life and death ---- */

void sim_node_start(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];
	struct core_event ev = {.type = CORE_TIMER};

	if (!n->powered || n->engine)
		return;
	n->engine = true;
	if (n->old > 0 && !sim_random_permille(&w->random, 700))
		n->old--; /* it was upgraded */
	n->paused_until = w->now;
	n->conf.incarnation = ++w->incarnation_last;
	n->beat.self = node;
	n->beat.node_count = w->setup.node_count;
	n->beat.path_count = w->setup.path_count;
	n->beat.interval_us = w->setup.interval_ms * 1000;
	n->beat.late_us = w->setup.late_ms * 1000;
	n->beat.dead_us = w->setup.dead_ms * 1000;
	n->beat.incarnation = n->conf.incarnation;
	sim_beat_init(&n->beat, sim_node_now(w, node));
	n->conf.ran_exclusive = n->lease_exclusive;
	n->conf.lease = n->lease_exclusive ? n->lease_until : (yoke_time){0};
	/* Shorter each time: two damages must not undo each other. */
	if (n->disk_broken && n->disk_empty)
		n->record_size = 0;
	else if (n->disk_broken && n->record_size > 0)
		n->record[n->record_size-- / 2] += (uint8_t)sim_random_in(&w->random, 1, 200);
	sim_check_start(w, node);
	n->disk_broken = n->disk_empty = false;
	sim_faults_start(w, node);
	core_init(&n->core, &n->conf, n->record, n->record_size, NULL, sim_node_now(w, node));
	for (uint16_t r = 0; r < n->conf.resource_count; r++)
		n->conf.resource[r].added = false;
	sim_node_step(w, node, &ev);
	sim_node_clock(w, node, n->minute);
	sim_kernel_tell_usable(w, node, sim_world_span(w, BOOT_NEWS_US));
}

void sim_node_crash(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (!n->engine)
		return;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  engine killed");
	for (uint16_t r = 1; r <= n->conf.resource_count; r++)
		n->conf.resource[r - 1].added = core_may_miss(&n->core, r);
	end_engine(w, node);
}

static bool is_to_retire(const struct core *core)
{
	for (uint16_t r = 0; r < core->conf.resource_count; r++)
		if (core->resource[r].retired)
			return true;
	for (uint16_t g = 0; g < core->conf.group_count; g++)
		if (core->group[g].retired)
			return true;
	return false;
}

void sim_node_reload(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];
	struct core_event call_off = {.type = CORE_RETIRE};

	if (!n->engine || n->exiting || !is_to_retire(&n->core))
		return;
	if (!core_retired(&n->core)) {
		sim_node_step(w, node, &call_off);
		return;
	}
	sim_node_crash(w, node);
	sim_node_start(w, node);
}

void sim_node_power_off(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (!n->powered)
		return;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  power cut");
	end_engine(w, node);
	n->powered = false;
	for (uint16_t r = 0; r < n->conf.resource_count; r++)
		n->conf.resource[r].added = false;
	n->lease_exclusive = n->lease_reset = false;
	n->conf.legacy = (struct core_legacy){0};
	memset(n->left, 0, sizeof(n->left));
	memset(n->busy_until, 0, sizeof(n->busy_until));
	sim_arbiter_power_off(w, node);
	for (uint16_t r = 1; r <= w->names.resource_count; r++)
		sim_kernel_set_address(w, node, r, false);
}

void sim_node_power_on(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	if (n->powered)
		return;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  power on");
	n->powered = true;
	sim_check_power_on(w, node);
	sim_check_keeper(w, node);
	sim_node_start(w, node);
}

void sim_node_clock(struct sim_world *w, uint16_t node, uint16_t minute)
{
	struct core_event ev = {.type = CORE_CLOCK};

	if (sim_world_in_force(w, w->node[node - 1].paused_until))
		return;
	w->node[node - 1].minute = minute;
	ev.u.clock.minute = minute;
	sim_node_step(w, node, &ev);
}

void sim_node_configure(struct sim_world *w, uint16_t node, bool other)
{
	struct sim_node *n = &w->node[node - 1];

	n->other_conf = other;
	w->check.changed = true;
	for (uint16_t i = 1; i <= w->setup.node_count; i++)
		sim_check_policy_forget(w, i);
	configure(w, node, &n->conf);
}

void sim_node_leave(struct sim_world *w, uint16_t node)
{
	struct core_event ev = {.type = CORE_LEAVE};

	sim_node_step(w, node, &ev);
}

uint32_t sim_node_operate(struct sim_world *w, uint16_t node, enum yoke_verb verb, uint16_t group,
			  uint16_t target)
{
	struct sim_node *n = &w->node[node - 1];
	struct core_event ev = {.type = CORE_OPERATE};

	if (!n->engine || sim_world_in_force(w, n->paused_until))
		return 0;
	ev.u.operate.request = ++n->request_last;
	ev.u.operate.verb = verb;
	ev.u.operate.origin = YOKE_ORIGIN_CLI;
	ev.u.operate.group = group;
	ev.u.operate.node = target;
	snprintf(ev.u.operate.reason, sizeof(ev.u.operate.reason), "sim: because");
	sim_check_operate(w, verb, target);
	sim_node_step(w, node, &ev);
	return n->request_last;
}
