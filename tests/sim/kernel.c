/* What is outside of a simulated engine on its node: addresses, operations on them, the disk. */
#include <string.h>

#include "tests/sim/world.h"

enum {
	ANSWER_US = 1000, /* how long another host takes to answer a conflict probe at most */
	SLOW_FACTOR = 50, /* of a slow operation, to what is usual */
	SAVE_SLOW_US = 400000,
	SAVE_LOOK_US = 100000,   /* while it hangs */
	REMOVED_US = 2000,       /* until the engine hears that an address was removed */
	STOP_RETRY_US = 7000000, /* a failed stop is tried again within this time */
	TERM_US = 2000000,       /* one that is late is killed then, see agent/job.h */
	HUNG_US = 5000000,       /* and hangs when it is not gone by then */
	SHELL_US = 1000000,      /* is told to the core by then */
};

bool sim_kernel_has_carrier(const struct sim_world *w, uint16_t node)
{
	return !sim_world_in_force(w, w->node[node - 1].carrier_lost_until);
}

void sim_kernel_set_address(struct sim_world *w, uint16_t node, uint16_t resource, bool present)
{
	if (w->node[node - 1].address[resource - 1] == present)
		return;
	w->node[node - 1].address[resource - 1] = present;
	if (sim_world_is_service(w, resource))
		sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  machine: %s %s",
			       w->names.resource[resource - 1], present ? "runs" : "ended");
	else
		sim_trace_line(&w->trace, w->now, sim_world_name(w, node), "  kernel: %s %s",
			       w->names.resource[resource - 1], present ? "added" : "removed");
	sim_check_address(w, node, resource);
}

void sim_kernel_remove(struct sim_world *w, uint16_t node, uint16_t resource)
{
	struct sim_item item = {.what = SIM_NEWS,
				.node = node,
				.epoch = w->node[node - 1].epoch,
				.resource = resource,
				.news = CORE_NEWS_LOST};

	if (!w->node[node - 1].address[resource - 1])
		return;
	sim_kernel_set_address(w, node, resource, false);
	if (!sim_world_is_service(w, resource))
		sim_world_push(w, &item, sim_world_span(w, REMOVED_US));
}

void sim_kernel_tell_usable(struct sim_world *w, uint16_t node, int64_t in_us)
{
	struct sim_item item = {.what = SIM_CARRIER, .node = node};

	sim_world_push(w, &item, in_us);
}

void sim_kernel_carrier(struct sim_world *w, uint16_t node)
{
	struct sim_item item = {.what = SIM_NEWS, .node = node, .epoch = w->node[node - 1].epoch};
	bool carrier = sim_kernel_has_carrier(w, node);

	for (uint16_t r = 1; r <= w->names.resource_count; r++) {
		item.resource = r;
		if (sim_world_is_service(w, r)) {
			item.news = CORE_NEWS_USABLE;
			sim_world_push(w, &item, 1);
			continue;
		}
		item.news = carrier ? CORE_NEWS_USABLE : CORE_NEWS_UNUSABLE;
		sim_world_push(w, &item, 1);
		item.news = CORE_NEWS_DOUBT;
		if (carrier)
			sim_world_push(w, &item, 1);
	}
}

/* ---- operations ---- */

/* Who has the address, as seen from a node on the service's network; 0: nobody. */
static uint16_t who_answers(const struct sim_world *w, uint16_t node, uint16_t resource)
{
	if (!sim_kernel_has_carrier(w, node))
		return 0;
	if (sim_world_in_force(w, w->stranger_until[resource - 1]))
		return SIM_STRANGER;
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (n != node && w->node[n - 1].powered && w->node[n - 1].address[resource - 1] &&
		    sim_kernel_has_carrier(w, n) && !sim_world_in_force(w, w->public_cut_until))
			return n;
	return 0;
}

/* A probe is out: it is answered soon after its start or at half time, or ends unanswered. */
static void run_prepare(struct sim_world *w, struct sim_item *item, uint32_t timeout_ms)
{
	sim_world_push(w, item, sim_world_span(w, ANSWER_US));
	if (timeout_ms > 2)
		sim_world_push(w, item, (int64_t)timeout_ms * 500);
	item->what = SIM_RESULT;
	item->result = CORE_RESULT_DONE;
	sim_world_push(w, item, (int64_t)timeout_ms * 1000);
}

static bool job_fails(const struct sim_world *w, struct sim_node *n,
		      const struct core_action *action)
{
	uint32_t *to_fail = &n->starts_to_fail[action->u.run.resource - 1];

	if (action->u.run.kind == CORE_RUN_STOP)
		return sim_world_in_force(w, n->stop_fails_until);
	if (action->u.run.kind != CORE_RUN_START)
		return false;
	if (n->fatal[action->u.run.resource - 1])
		return true;
	if (*to_fail > 0) {
		--*to_fail;
		return true;
	}
	return sim_world_in_force(w, n->start_fails_until);
}

bool sim_kernel_is_program(const struct sim_world *w, const struct sim_item *item)
{
	return item->what == SIM_EFFECT && sim_world_is_service(w, item->resource) &&
	       (item->kind == CORE_RUN_START || item->kind == CORE_RUN_STOP);
}

void sim_kernel_leave(struct sim_world *w, uint16_t node)
{
	struct sim_node *n = &w->node[node - 1];

	for (uint16_t r = 1; r <= w->names.resource_count; r++) {
		if (n->job[r - 1] == 0 || !sim_world_is_service(w, r) ||
		    yoke_time_before(w->now, n->job_begins[r - 1]) ||
		    yoke_time_due(n->job_over[r - 1], w->now))
			continue;
		n->left[r - 1] = n->job[r - 1];
		n->left_epoch[r - 1] = n->epoch;
		n->left_over[r - 1] = n->job_over[r - 1];
	}
}

void sim_kernel_left(struct sim_world *w, const struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];

	if (!sim_kernel_is_program(w, item) || n->left[item->resource - 1] != item->id ||
	    n->left_epoch[item->resource - 1] != item->epoch)
		return;
	n->left[item->resource - 1] = 0;
	if (item->ok)
		sim_kernel_set_address(w, item->node, item->resource, item->kind == CORE_RUN_START);
}

/* A program may take all the time that it has. */
static uint32_t slow_us(const struct sim_world *w, const struct sim_item *item)
{
	return sim_kernel_is_program(w, item) ? w->setup.operation_ms * 950
					      : w->setup.job_us * SLOW_FACTOR;
}

/* ---- programs that hang ---- */

static bool can_hang(struct sim_world *w, const struct sim_item *item)
{
	return sim_world_in_force(w, w->node[item->node - 1].hangs_until) &&
	       sim_world_is_service(w, item->resource) && item->kind != CORE_RUN_PROBE &&
	       sim_random_permille(&w->random, 500);
}

/* It does what it does, or not, and then nothing more until it is ended at its time-out. */
static void hang(struct sim_world *w, struct sim_item *item, uint32_t timeout_ms)
{
	struct sim_node *n = &w->node[item->node - 1];
	unsigned r = item->resource - 1u;
	yoke_time over = yoke_time_add_ms(n->job_begins[r], timeout_ms);

	n->job_over[r] = over;
	n->busy_until[r] = yoke_time_add_us(over, sim_world_span(w, TERM_US));
	n->hung_from[r] = YOKE_NEVER;
	if (n->hung_us > 0) {
		n->hung_from[r] = yoke_time_add_us(over, TERM_US + HUNG_US);
		n->busy_until[r] = yoke_time_add_us(n->hung_from[r], n->hung_us);
	}
	n->look_hangs[r] = item->kind == CORE_RUN_MONITOR;
	item->ok = sim_random_permille(&w->random, 400);
	item->hangs = true;
	sim_trace_line(&w->trace, w->now, sim_world_name(w, item->node), "  %s hangs%s",
		       w->names.resource[r], n->hung_us > 0 ? ", and cannot be killed" : "");
	sim_check_disturb(w, yoke_time_add_us(n->busy_until[r], STOP_RETRY_US));
	sim_world_push(w, item, yoke_time_span_us(w->now, over));
}

/* A look is killed for what changes something. */
static void end_look(struct sim_world *w, struct sim_node *n, unsigned r)
{
	n->look_hangs[r] = false;
	if (n->hung_us == 0)
		n->busy_until[r] = w->now;
	else
		n->hung_from[r] = yoke_time_min(n->hung_from[r], yoke_time_add_us(w->now, HUNG_US));
}

/* Returns false when what cannot be killed is in its way: then
 * it fails at once, or when that is known. */
static bool gets_its_turn(struct sim_world *w, struct sim_item *item, yoke_time *begins)
{
	struct sim_node *n = &w->node[item->node - 1];
	unsigned r = item->resource - 1u;

	if (sim_world_in_force(w, n->busy_until[r]) && n->look_hangs[r] &&
	    item->kind != CORE_RUN_MONITOR && item->kind != CORE_RUN_PROBE)
		end_look(w, n, r);
	if (!sim_world_in_force(w, n->busy_until[r]))
		return true;
	sim_check_disturb(w, yoke_time_add_us(n->busy_until[r], STOP_RETRY_US));
	if (yoke_time_is_never(n->hung_from[r])) {
		*begins = yoke_time_max(*begins, n->busy_until[r]);
		return true;
	}
	item->what = SIM_RESULT;
	item->result = CORE_RESULT_FAILED;
	sim_world_push(w, item,
		       sim_world_in_force(w, n->hung_from[r])
			       ? yoke_time_span_us(w->now, n->hung_from[r])
			       : 1);
	return false;
}

void sim_kernel_run(struct sim_world *w, uint16_t node, const struct core_action *action)
{
	struct sim_node *n = &w->node[node - 1];
	yoke_time *begins = &n->job_begins[action->u.run.resource - 1];
	yoke_time *over = &n->job_over[action->u.run.resource - 1];
	uint32_t job_us = w->setup.job_us;
	bool fails = job_fails(w, n, action);
	struct sim_item item = {.what = SIM_EFFECT,
				.node = node,
				.epoch = n->epoch,
				.id = action->u.run.id,
				.resource = action->u.run.resource,
				.kind = action->u.run.kind,
				.ok = !fails};

	n->job[item.resource - 1] = item.id;
	if (item.kind == CORE_RUN_PREPARE) {
		run_prepare(w, &item, action->u.run.timeout_ms);
		return;
	}
	if (sim_world_in_force(w, n->slow_until))
		job_us = slow_us(w, &item);
	*begins = n->left[item.resource - 1] == 0
			  ? w->now
			  : yoke_time_max(w->now, n->left_over[item.resource - 1]);
	if (sim_world_is_service(w, item.resource) && !gets_its_turn(w, &item, begins))
		return;
	if (can_hang(w, &item)) {
		hang(w, &item, action->u.run.timeout_ms);
		return;
	}
	*over = yoke_time_add_us(*begins, sim_world_span(w, job_us));
	sim_world_push(w, &item, yoke_time_span_us(w->now, *over));
	if (fails || sim_world_in_force(w, n->slow_until))
		sim_check_disturb(w, yoke_time_add_us(w->now, job_us + STOP_RETRY_US));
}

void sim_kernel_cancel(struct sim_world *w, uint16_t node, uint32_t id)
{
	for (uint16_t r = 0; r < w->names.resource_count; r++)
		if (w->node[node - 1].job[r] == id)
			w->node[node - 1].job[r] = 0;
}

/* One that never comes: the core waits for what may run before it, for it, and for the shell. */
static void disturb_answer(struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;
	int64_t longest_ms = s->operation_ms > s->monitor_ms ? s->operation_ms : s->monitor_ms;
	int64_t wait_us = 2 * longest_ms * 1000 + TERM_US + HUNG_US + SHELL_US;

	sim_check_disturb(w, yoke_time_add_us(w->now, wait_us + STOP_RETRY_US));
}

/* Tell how it ended: in odd times late, twice, or never. */
static void tell_result(struct sim_world *w, struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];

	item->what = SIM_RESULT;
	if (!sim_world_in_force(w, n->odd_until)) {
		sim_world_push(w, item, 1);
		return;
	}
	if (sim_random_permille(&w->random, 900))
		sim_world_push(w, item, sim_world_span(w, w->setup.job_us * SLOW_FACTOR));
	if (sim_random_permille(&w->random, 300))
		sim_world_push(w, item, sim_world_span(w, w->setup.operation_ms * 2000));
	disturb_answer(w);
}

/* A service is asked how it is.  Returns false when no answer ever comes. */
static bool look_at_service(struct sim_world *w, struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];
	bool runs = n->address[item->resource - 1];
	bool well = !sim_world_in_force(w, n->unwell_until[item->resource - 1]);
	bool hangs = sim_world_in_force(w, n->mute_until);

	item->what = SIM_RESULT;
	item->result = !runs  ? CORE_RESULT_STOPPED
		       : well ? CORE_RESULT_RUNNING
			      : CORE_RESULT_FAILED;
	if (item->kind == CORE_RUN_MONITOR && (hangs || !(runs && well)))
		sim_trace_line(&w->trace, w->now, sim_world_name(w, item->node),
			       "  > monitor %s: %s", w->names.resource[item->resource - 1],
			       hangs  ? "no answer"
			       : runs ? "not well"
				      : "not running");
	if (!hangs)
		return true;
	/* Monitors go on beside it. */
	if (item->kind == CORE_RUN_PROBE)
		disturb_answer(w);
	if (!w->setup.exact && sim_random_permille(&w->random, 500))
		sim_world_push(w, item, sim_world_span(w, w->setup.monitor_ms * 2000));
	return false;
}

void sim_kernel_effect(struct sim_world *w, const struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];
	struct sim_item done = *item;
	bool has = n->address[item->resource - 1];

	if (n->job[item->resource - 1] != item->id)
		return;
	if (item->kind == CORE_RUN_PREPARE) {
		done.by = who_answers(w, item->node, item->resource);
		if (done.by == 0)
			return;
		done.result = CORE_RESULT_ANSWERED;
		done.what = SIM_RESULT;
		sim_world_push(w, &done, 1);
		return;
	}
	n->job[item->resource - 1] = 0;
	done.result = item->ok ? CORE_RESULT_DONE : CORE_RESULT_FAILED;
	if (!item->ok && item->kind == CORE_RUN_START && n->fatal[item->resource - 1])
		done.result = CORE_RESULT_FATAL;
	if (item->hangs) {
		done.result =
			item->kind == CORE_RUN_MONITOR ? CORE_RESULT_LATE : CORE_RESULT_FAILED;
		if (item->ok && item->kind != CORE_RUN_MONITOR)
			sim_kernel_set_address(w, item->node, item->resource,
					       item->kind == CORE_RUN_START);
		tell_result(w, &done);
		return;
	}
	if (sim_world_is_service(w, item->resource) &&
	    (item->kind == CORE_RUN_PROBE || item->kind == CORE_RUN_MONITOR)) {
		if (!look_at_service(w, &done))
			return;
	} else if (item->kind == CORE_RUN_PROBE)
		done.result = has ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
	else if (item->ok)
		sim_kernel_set_address(w, item->node, item->resource, item->kind == CORE_RUN_START);
	if (item->ok && item->kind == CORE_RUN_START && !sim_world_is_service(w, item->resource))
		sim_check_announce(w, item->node, item->resource);
	if (!item->ok && item->kind == CORE_RUN_START && sim_random_permille(&w->random, 300))
		sim_kernel_set_address(w, item->node, item->resource, true);
	if (sim_world_in_force(w, n->odd_until) && sim_random_permille(&w->random, 100))
		sim_kernel_remove(w, item->node, item->resource);
	tell_result(w, &done);
}

/* ---- the disk ---- */

static void begin_save(struct sim_world *w, uint16_t node, uint32_t version)
{
	struct sim_node *n = &w->node[node - 1];
	uint32_t save_us = w->setup.save_us;
	struct sim_item item = {.what = SIM_SAVED, .node = node, .epoch = n->epoch, .id = version};

	if (sim_world_in_force(w, n->save_slow_until))
		save_us += SAVE_SLOW_US;
	item.ok = !sim_world_in_force(w, n->save_fails_until);
	n->is_saving = true;
	sim_world_push(w, &item, sim_world_span(w, save_us));
}

void sim_kernel_save(struct sim_world *w, uint16_t node, uint32_t version, const uint8_t *bytes,
		     uint16_t size)
{
	struct sim_node *n = &w->node[node - 1];

	if (n->is_saving) {
		n->next_version = version;
		n->next_size = size;
		memcpy(n->next, bytes, size);
		return;
	}
	n->saving_size = size;
	memcpy(n->saving, bytes, size);
	begin_save(w, node, version);
}

void sim_kernel_saved(struct sim_world *w, const struct sim_item *item)
{
	struct sim_node *n = &w->node[item->node - 1];
	struct core_event ev = {.type = CORE_SAVED};

	if (sim_world_in_force(w, n->save_hangs_until)) {
		sim_world_push(w, item, SAVE_LOOK_US);
		return;
	}
	if (item->ok) {
		memcpy(n->record, n->saving, n->saving_size);
		n->record_size = n->saving_size;
		sim_check_disk(w, item->node);
	}
	n->is_saving = false;
	if (n->next_version != 0) {
		n->saving_size = n->next_size;
		memcpy(n->saving, n->next, n->next_size);
		begin_save(w, item->node, n->next_version);
		n->next_version = 0;
	}
	ev.u.saved.version = item->id;
	ev.u.saved.ok = item->ok;
	if (!item->ok)
		memcpy(ev.u.saved.reason, "no space left on device", 24);
	sim_node_step(w, item->node, &ev);
}
