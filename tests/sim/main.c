/* tests/sim/main.c - runs histories from seeds, or scenarios from files.
 *
 *   sim [SEED] [RUNS]                  RUNS histories from seed SEED on; TRACE=1 in the environment
 *                                      shows what happens in each, TRACE=hash its trace as a number
 *   sim --scenarios FOLDER [--rewrite] every scenario in the folder
 *   sim --ways [COMBINATION]           every combination of paths that are cut, see ways.h
 *
 * A history: nodes start, faults happen for a while, everything heals, and all must come to rest
 * and stay there.  Then one node is gone, and what it had must be taken over in time.  Every 20th
 * seed runs twice and must end with the same trace.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/faults.h"
#include "tests/sim/scenario.h"
#include "tests/sim/ways.h"

enum {
	TWICE_EVERY = 20,
	CALM_STEP_US = 50000,
	RUNS_DEFAULT = 1000,
	SPAN_S_MIN = 300, /* of the faults */
	SPAN_S_MAX = 600,
	LEASE_MS_MIN = 100,
	RATE_PPM = 4000,
	TOLD_US = 11000000,
	MORE_ARBITERS = 0x2545f491, /* draws of its own, so that others stay as they are */
};

static struct sim_world world;
static uint64_t seed_now;
static const char *program; /* the sanitized one has another name */

static int64_t one_of(struct sim_random *r, const int64_t *values, size_t count)
{
	return values[sim_random_in(r, 0, (int64_t)count - 1)];
}

static void draw_services(struct sim_setup *s, struct sim_random *r)
{
	static const int64_t interval_ms[] = {200, 1000, 3000, 10000};
	static const int64_t window_ms[] = {1000, 10000, 60000};

	s->service_count = (uint16_t)sim_random_in(r, 1, 2);
	s->resource_count += s->service_count;
	s->monitor_interval_ms = (uint32_t)one_of(r, interval_ms, 4);
	s->monitor_ms = (uint32_t)sim_random_in(r, 500, 3000);
	s->monitor_failures = (uint16_t)sim_random_in(r, 1, 3);
	if (sim_random_permille(r, 300))
		s->monitor_window = (uint16_t)(s->monitor_failures + sim_random_in(r, 1, 5));
	s->restarts = (uint16_t)sim_random_in(r, 0, 3);
	s->restart_window_ms = (uint32_t)one_of(r, window_ms, 3);
}

/* A lock only with a watchdog: else a lease proves nothing of a machine that stands still. */
static void draw_arbiters(struct sim_setup *s, struct sim_random *r)
{
	static const int64_t test_ms[] = {1000, 2000, 5000};

	if (sim_random_permille(r, 350))
		s->arbiter[s->arbiter_count++] = YOKE_ARBITER_TYPE_WITNESS;
	if (sim_random_permille(r, 350))
		s->arbiter[s->arbiter_count++] = YOKE_ARBITER_TYPE_DISK;
	if (sim_random_permille(r, 350))
		s->arbiter[s->arbiter_count++] = YOKE_ARBITER_TYPE_FENCE;
	s->other_has_no_arbiter = sim_random_permille(r, 400);
	s->test_ms = (uint32_t)one_of(r, test_ms, 3);
	s->lease_ms = s->dead_ms * (uint32_t)sim_random_in(r, 15, 40) / 10;
	if (s->lease_ms < LEASE_MS_MIN)
		s->lease_ms = LEASE_MS_MIN;
	s->watchdog_ms = (uint32_t)sim_random_in(r, 500, 3000);
	s->delay_ms = (uint32_t)sim_random_in(r, 0, 5000);
	s->fence_us = (uint32_t)sim_random_in(r, 1000, 500000);
	for (unsigned n = 0; n < YOKE_NODES_MAX; n++)
		s->rate_ppm[n] = (int32_t)sim_random_in(r, -RATE_PPM, RATE_PPM);
}

static void add_arbiter(struct sim_setup *s, enum yoke_arbiter_type type)
{
	s->arbiter[s->arbiter_count++] = type;
}

/* Reference addresses, alone or with what there is. */
static void draw_pings(struct sim_setup *s, struct sim_random *r)
{
	static const int64_t test_ms[] = {1000, 2000, 5000};

	if (!sim_random_permille(r, 250))
		return;
	if (s->test_ms == 0)
		s->test_ms = (uint32_t)one_of(r, test_ms, 3);
	add_arbiter(s, YOKE_ARBITER_TYPE_PING);
	if (sim_random_permille(r, 200))
		add_arbiter(s, YOKE_ARBITER_TYPE_PING);
}

/* More of what there is: a second fence device, of either level, and a majority of three locks. */
static void draw_more_arbiters(struct sim_setup *s, struct sim_random *r)
{
	unsigned count = s->arbiter_count, locks = 0;

	s->more_retries = sim_random_permille(r, 300) ? (uint16_t)sim_random_in(r, 1, 2) : 0;
	for (unsigned a = 0; a < count; a++) {
		bool is_fence = s->arbiter[a] == YOKE_ARBITER_TYPE_FENCE;

		locks += !is_fence;
		if (!is_fence || !sim_random_permille(r, 300))
			continue;
		s->is_second[sim_random_permille(r, 500) ? a : s->arbiter_count] =
			sim_random_permille(r, 700);
		add_arbiter(s, YOKE_ARBITER_TYPE_FENCE);
	}
	if (locks == 0 || !sim_random_permille(r, 200))
		return;
	for (; locks < 3; locks++)
		add_arbiter(s, sim_random_permille(r, 500) ? YOKE_ARBITER_TYPE_DISK
							   : YOKE_ARBITER_TYPE_WITNESS);
}

/* Some groups beside those that must never be on two nodes. */
static void draw_lax(struct sim_setup *s, struct sim_random *r)
{
	bool shared = sim_random_permille(r, 250), unproven = sim_random_permille(r, 150);

	for (unsigned g = 0; g < s->group_count; g++) {
		s->shared[g] = shared && sim_random_permille(r, 400);
		s->unproven[g] = unproven && sim_random_permille(r, 500);
	}
}

static void draw_policy(struct sim_setup *s, struct sim_random *r, uint16_t group)
{
	struct sim_policy *p = &s->policy[group - 1];

	p->parallel = s->service_count > 0 && sim_random_permille(r, 200);
	p->priority = (uint16_t)sim_random_in(r, 0, 2);
	if (group > 1 && sim_random_permille(r, 350))
		p->after = (uint16_t)sim_random_in(r, 1, group - 1);
	if (p->parallel)
		return;
	p->manual = sim_random_permille(r, 150);
	p->failback = !p->manual && sim_random_permille(r, 250);
	p->failback_ms = s->dead_ms * (uint32_t)sim_random_in(r, 0, 20);
	if (sim_random_permille(r, 500)) {
		p->failback_from = (uint16_t)sim_random_in(r, 0, 1439);
		p->failback_to = (uint16_t)sim_random_in(r, 0, 1439);
	}
	/* What others come after must not make room for them: the configuration refuses it. */
	p->yields = p->after == 0 && sim_random_permille(r, 300);
}

static void draw_policies(struct sim_setup *s, struct sim_random *r)
{
	s->policies = true;
	for (uint16_t g = 1; g <= s->group_count; g++)
		draw_policy(s, r, g);
	for (uint16_t g = 1; g <= s->group_count; g++)
		if (s->policy[g - 1].after != 0)
			s->policy[s->policy[g - 1].after - 1].yields = false;
}

static void draw_setup(struct sim_setup *s, struct sim_random *r)
{
	/* Fast ones cost most time, and have most faults. */
	static const int64_t dead_ms[] = {30, 200, 1000, 1000, 1000, 1000, 5000, 5000, 5000, 5000};
	static const int64_t conflict_ms[] = {0, 20, 200, 200, 200};
	static const int64_t startup_ms[] = {0, 100, 3000};

	memset(s, 0, sizeof(*s));
	s->node_count = 2;
	s->path_count = (uint16_t)sim_random_in(r, 1, SIM_PATHS_MAX);
	s->group_count = (uint16_t)sim_random_in(r, 1, 3);
	s->resource_count = (uint16_t)sim_random_in(r, 1, 2);
	s->dead_ms = (uint32_t)one_of(r, dead_ms, 10);
	if (s->dead_ms == dead_ms[0] && sim_random_permille(r, 500))
		s->dead_ms *= 10;
	s->interval_ms = s->dead_ms / (uint32_t)sim_random_in(r, 5, 10);
	s->late_ms = (uint32_t)sim_random_in(r, s->dead_ms / 2, s->dead_ms * 3 / 4);
	s->startup_ms = (uint32_t)one_of(r, startup_ms, 3) + s->dead_ms * 3;
	s->conflict_ms = (uint32_t)one_of(r, conflict_ms, 5);
	s->operation_ms = (uint32_t)sim_random_in(r, 2000, 10000);
	s->retry_ms = (uint32_t)sim_random_in(r, 1000, 10000);
	s->latency_us = (uint32_t)sim_random_in(r, 20, 1500);
	s->jitter_us = (uint32_t)sim_random_in(r, 1, 500);
	s->lag_us = (uint32_t)sim_random_in(r, 0, 300);
	s->job_us = (uint32_t)sim_random_in(r, 100, 4000);
	s->save_us = (uint32_t)sim_random_in(r, 100, 20000);
	if (sim_random_permille(r, 500))
		draw_services(s, r);
	s->exclusive = sim_random_permille(r, 600);
	if (s->exclusive)
		draw_arbiters(s, r);
	if (sim_random_permille(r, 400))
		draw_policies(s, r);
}

/* Failed operations are tried again, each at most so late; two rounds of everything. */
static int64_t rest_us(const struct sim_world *w)
{
	const struct sim_setup *s = &w->setup;

	int64_t back_ms = 0;

	for (unsigned g = 0; g < s->group_count; g++)
		if (s->policy[g].failback && s->policy[g].failback_ms > back_ms)
			back_ms = s->policy[g].failback_ms;
	return (back_ms + s->startup_ms + s->dead_ms * 6 + 2 * (int64_t)s->retry_ms +
		3 * (int64_t)s->operation_ms + 20000) *
		       1000 +
	       2 * sim_world_monitor_us(w);
}

/* Something would fail again, or is not gone back to, until an operator says that it is repaired.
 */
static bool is_fatal(const struct core *core)
{
	for (uint16_t g = 0; g < core->conf.group_count; g++)
		if (core->group[g].failures > 1 ||
		    (core->conf.group[g].failback && core->group[g].failures > 0))
			return true;
	for (uint16_t r = 0; r < core->conf.resource_count; r++)
		if (core->resource[r].fatal)
			return true;
	return false;
}

static bool has_fatal(const struct sim_world *w)
{
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (w->node[n - 1].engine && is_fatal(&w->node[n - 1].core))
			return true;
	return false;
}

/* Ask for every node to be online again, until all are. */
static void ask_online(struct sim_world *w)
{
	uint16_t at = (uint16_t)sim_random_in(&w->random, 1, w->setup.node_count);

	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		if (w->node[n - 1].engine &&
		    (is_fatal(&w->node[n - 1].core) || w->node[n - 1].core.intent[n - 1].standby ||
		     w->node[at - 1].core.intent[n - 1].standby)) {
			(void)sim_node_operate(w, at, YOKE_VERB_ONLINE, 0, n);
			return;
		}
}

static void come_to_rest(struct sim_world *w)
{
	yoke_time end;
	bool online = sim_random_permille(&w->random, 700) || has_fatal(w);
	const char *wrong = "nothing was looked at";
	unsigned good = 0;

	/* Until then a monitor or a question of before may still count. */
	sim_world_run(w, yoke_time_add_us(w->now, sim_world_monitor_us(w) +
							  100 * (int64_t)w->setup.fence_us));
	/* A fence agent of before may have switched one off in that time. */
	for (uint16_t n = 1; n <= w->setup.node_count; n++)
		sim_node_power_on(w, n);
	end = yoke_time_add_us(w->now, rest_us(w));
	while (w->failure[0] == '\0' && good < 10 && yoke_time_before(w->now, end)) {
		if (online)
			ask_online(w);
		sim_world_run(
			w, yoke_time_add_us(w->now,
					    CALM_STEP_US + (int64_t)w->setup.interval_ms * 1000));
		wrong = sim_check_converged(w);
		good = wrong == NULL ? good + 1 : 0;
	}
	if (good < 10)
		sim_world_fail(w, "no rest after healing: %s", wrong);
}

/* A healthy pair has nothing to say. */
static void stay_at_rest(struct sim_world *w)
{
	uint64_t events;

	/* That a node in standby could not take over is told after a while. */
	sim_world_run(w, yoke_time_add_us(w->now, TOLD_US));
	events = w->check.events;
	sim_world_run(w, yoke_time_add_us(w->now, (int64_t)w->setup.dead_ms * 20000));
	if (w->check.events != events)
		sim_world_fail(w, "something happened in a healthy pair: %s", w->check.last_event);
	if (w->failure[0] == '\0' && sim_check_converged(w) != NULL)
		sim_world_fail(w, "a healthy pair changed: %s", sim_check_converged(w));
}

/* What a node has when it is gone is taken over in time. */
static void lose_one(struct sim_world *w)
{
	int64_t settled_us = (int64_t)w->setup.operation_ms * 1000 + 2 * sim_check_settle_us(w) + 1;

	sim_world_run(w, yoke_time_add_us(w->now, settled_us));
	if (w->failure[0] == '\0')
		sim_faults_break(w);
	if (w->failure[0] != '\0')
		return;
	sim_faults_last(w);
	sim_world_run(w, yoke_time_add_us(w->now, sim_check_settle_us(w)));
}

static void show_policies(struct sim_world *w)
{
	for (uint16_t g = 1; g <= w->setup.group_count; g++) {
		const struct sim_policy *p = sim_world_policy(w, g);

		sim_trace_line(&w->trace, w->now, "world",
			       "group%u:%s%s%s%s priority %u after %u, back in %u ms %u-%u", g,
			       sim_world_is_exclusive(w, g)  ? " exclusive"
			       : sim_world_is_unproven(w, g) ? " unproven"
							     : "",
			       p->parallel ? " parallel" : "", p->manual ? " manual" : "",
			       p->yields ? " yields" : "", p->priority, p->after,
			       p->failback ? p->failback_ms : 0, p->failback_from, p->failback_to);
	}
}

static void run_history(struct sim_world *w, uint64_t seed, bool show)
{
	struct sim_random random = {seed * 2 + 1}, of_arbiters = {seed * 2 + MORE_ARBITERS};
	struct sim_setup setup;
	struct sim_faults faults;
	bool fault_free;
	yoke_time end;

	draw_setup(&setup, &random);
	draw_more_arbiters(&setup, &of_arbiters);
	draw_pings(&setup, &of_arbiters);
	draw_lax(&setup, &of_arbiters);
	sim_world_init(w, &setup, sim_random_next(&random));
	w->trace.show = show;
	show_policies(w);
	fault_free = sim_random_permille(&random, 150);
	w->check.never_both = fault_free && setup.conflict_ms > 0;
	for (uint16_t n = 1; n <= setup.node_count; n++) {
		w->node[n - 1].old =
			sim_random_permille(&random, 150)
				? (unsigned)sim_random_in(&random, 1, setup.policies ? 1 : 2)
				: 0;
		struct sim_item item = {.what = SIM_POWER, .node = n, .epoch = 1};

		sim_world_push(w, &item, sim_random_in(&random, 0, setup.dead_ms * 4000));
	}
	sim_faults_draw(&faults, w, fault_free);
	end = (yoke_time){sim_random_in(&random, SPAN_S_MIN, SPAN_S_MAX) * 1000000};
	w->heal_at = end;
	while (w->failure[0] == '\0' && yoke_time_before(w->now, end)) {
		sim_world_run(w, yoke_time_min(faults.next_at, end));
		if (yoke_time_due(faults.next_at, w->now))
			sim_faults_do(&faults, w);
	}
	sim_faults_heal(w);
	come_to_rest(w);
	stay_at_rest(w);
	lose_one(w);
}

/* An assertion of the core, or a crash: say which seed it was. */
static void on_signal(int number)
{
	char text[256];
	int size = snprintf(
		text, sizeof(text), "FAIL seed=%llu: signal %d\nTRACE=1 %.160s %llu 1\n",
		(unsigned long long)seed_now, number, program, (unsigned long long)seed_now);

	if (write(STDERR_FILENO, text, (size_t)size) < 0)
		_exit(2);
	signal(number, SIG_DFL);
	raise(number);
}

static bool run_seed(uint64_t seed, bool show, bool show_hash, int64_t *simulated_us)
{
	uint64_t hash;

	seed_now = seed;
	run_history(&world, seed, show);
	*simulated_us += world.now.us;
	hash = world.trace.hash;
	if (show_hash)
		printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)hash);
	if (world.failure[0] == '\0' && seed % TWICE_EVERY == 0) {
		run_history(&world, seed, false);
		if (world.trace.hash != hash)
			sim_world_fail(&world, "the same seed gave another history");
	}
	if (world.failure[0] == '\0')
		return true;
	printf("FAIL seed=%llu: %s\nTRACE=1 %s %llu 1\n", (unsigned long long)seed, world.failure,
	       program, (unsigned long long)seed);
	return false;
}

static int run_seeds(uint64_t first, uint64_t runs)
{
	const char *trace = getenv("TRACE");
	bool show_hash = trace != NULL && strcmp(trace, "hash") == 0;
	bool show = trace != NULL && trace[0] != '\0' && strcmp(trace, "0") != 0 && !show_hash;
	uint64_t passed = 0, takeovers = 0, conflicts = 0, restarted = 0;
	int64_t simulated_us = 0;

	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (uint64_t i = 0; i < runs; i++) {
		passed += run_seed(first + i, show, show_hash, &simulated_us);
		takeovers += world.check.takeovers;
		conflicts += world.check.conflicts;
		restarted += world.check.restarted;
	}
	printf("sim: %llu histories, %.1f simulated hours (%llu timed takeovers, %llu conflicts, "
	       "%llu local restarts), %llu passed, %llu failed\n",
	       (unsigned long long)runs, (double)simulated_us / 3.6e9,
	       (unsigned long long)takeovers, (unsigned long long)conflicts,
	       (unsigned long long)restarted, (unsigned long long)passed,
	       (unsigned long long)(runs - passed));
	return passed == runs ? 0 : 1;
}

int main(int argc, char **argv)
{
	bool rewrite = argc > 3 && strcmp(argv[3], "--rewrite") == 0;

	program = argv[0];
	if (argc > 2 && strcmp(argv[1], "--scenarios") == 0)
		return sim_scenarios(argv[2], rewrite, &world) ? 0 : 1;
	if (argc > 1 && strcmp(argv[1], "--ways") == 0)
		return sim_ways(argc > 2 ? argv[2] : NULL) ? 0 : 1;
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "usage: sim [SEED] [RUNS] | sim --scenarios FOLDER [--rewrite] | "
				"sim --ways [COMBINATION]\n");
		return 2;
	}
	return run_seeds(argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
			 argc > 2 ? strtoull(argv[2], NULL, 10) : RUNS_DEFAULT);
}
