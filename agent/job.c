#include "agent/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/log.h"

enum {
	TIMEOUT_MS_MAX = 3600000,
	READS_MAX = 16, /* of one pipe in one go: as much as a pipe holds */
};

static const char hung[] = "hung in the kernel: the process before it cannot be killed";

_Static_assert(AGENT_JOB_TERM_MS + AGENT_JOB_HUNG_MS == YOKE_GONE_MS, "as the core counts");

static unsigned slots(const struct agent_job_set *set)
{
	return set->conf->resource_count + set->conf->arbiter_count;
}

static bool is_look(enum core_run_kind kind)
{
	return kind == CORE_RUN_PROBE || kind == CORE_RUN_MONITOR;
}

/* It changes nothing, so it may be killed. */
static bool is_harmless(const struct agent_job_request *request)
{
	return is_look(request->kind) || request->ask == CORE_ASK_STATUS;
}

static bool is_fence(const struct agent_job_request *request)
{
	return request->ask != 0;
}

/* Index of the arbiter that a job is of; -1: it is of a resource. */
static int arbiter_of(const struct agent_job_set *set, const struct agent_job *job)
{
	int i = (int)(job - set->job) - set->conf->resource_count;

	return i >= 0 ? i : -1;
}

static const char *name_of(const struct agent_job_set *set, const struct agent_job *job)
{
	int arbiter = arbiter_of(set, job);

	return arbiter >= 0 ? set->conf->arbiter[arbiter].name
			    : set->conf->resource[job - set->job].name;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void agent_job_init(struct agent_job_set *set, const struct conf *conf, const char *node)
{
	set->conf = conf;
	set->node = node;
	agent_job_cgroup_init(&set->cgroups);
	for (unsigned i = 0; i < AGENT_JOB_SLOTS_MAX; i++)
		set->job[i].output_fd = set->job[i].left_fd = -1;
}

/* ---- results ---- */

static void tell(struct agent_job *job, uint32_t id, enum core_result result, const char *reason)
{
	job->done = true;
	job->done_id = id;
	job->done_result = result;
	snprintf(job->done_reason, sizeof(job->done_reason), "%s", reason);
}

/* Nobody else would learn of it. */
static void note_elders(struct agent_job *job, enum core_result result, const char *reason)
{
	if (!is_fence(&job->request) && !is_look(job->request.kind) && result != CORE_RESULT_DONE)
		snprintf(job->elder_reason, sizeof(job->elder_reason), "%s", reason);
}

/* Told once: why it does not run, or that it runs although it should have been stopped. */
static void take_elders(struct agent_job *job, enum core_result result,
			char reason[YOKE_REASON_SIZE])
{
	if (result == CORE_RESULT_STOPPED || result == CORE_RESULT_RUNNING)
		snprintf(reason, YOKE_REASON_SIZE, "%s", job->elder_reason);
	job->elder_reason[0] = '\0';
}

/* What runs has this result: for the engine that asked, or for the next one's probe. */
static void tell_running(const struct agent_job_set *set, struct agent_job *job,
			 enum core_result result, const char *reason)
{
	if (job->engine == set->engine)
		tell(job, job->request.id, result, reason);
	else
		note_elders(job, result, reason);
}

static void refuse_waiting(struct agent_job *job, const char *reason)
{
	job->waiting.is_set = false;
	tell(job, job->waiting.id, CORE_RESULT_FAILED, reason);
}

static void result_of(const struct agent_job_set *set, const struct agent_job *job,
		      struct agent_channel_message *m)
{
	memset(m, 0, sizeof(*m));
	if (arbiter_of(set, job) >= 0) {
		m->kind = AGENT_CHANNEL_ANSWER;
		m->u.answer.id = job->done_id;
		m->u.answer.result = job->done_result;
		memcpy(m->u.answer.reason, job->done_reason, sizeof(m->u.answer.reason));
	} else {
		m->kind = AGENT_CHANNEL_DONE;
		m->u.done.id = job->done_id;
		m->u.done.result = job->done_result;
		memcpy(m->u.done.reason, job->done_reason, sizeof(m->u.done.reason));
	}
}

bool agent_job_tell(struct agent_job_set *set, int channel_fd)
{
	struct agent_channel_message m;

	for (unsigned i = 0; i < slots(set); i++) {
		struct agent_job *job = &set->job[i];

		if (!job->done)
			continue;
		result_of(set, job, &m);
		if (agent_channel_send(channel_fd, &m) < 0)
			return errno == EAGAIN;
		job->done = false;
	}
	return false;
}

/* ---- requests ---- */

void agent_job_engine(struct agent_job_set *set)
{
	set->engine++;
	for (unsigned i = 0; i < slots(set); i++) {
		struct agent_job *job = &set->job[i];

		if (job->done && job->done_id == job->request.id)
			note_elders(job, job->done_result, job->done_reason);
		job->waiting.is_set = job->done = false;
	}
}

/* A job that did not run yet has no group of its own. */
static void kill_group(const struct agent_job *job, int number)
{
	if (kill(-job->pid, number) < 0)
		kill(job->pid, number);
}

/* The group that is killed is the job's own until the job is reaped.  Not all that it started has
 * to be in it any more. */
static void kill_all(const struct agent_job_set *set, const struct agent_job *job)
{
	kill_group(job, SIGKILL);
	agent_job_cgroup_kill(&set->cgroups, job->cgroup);
}

static void kill_for_good(const struct agent_job_set *set, struct agent_job *job, int64_t now_ms)
{
	kill_all(set, job);
	job->state = AGENT_JOB_KILLED;
	job->until_ms = now_ms + AGENT_JOB_HUNG_MS;
}

/* May what runs be killed for it?  A look of an engine that ended nobody waits for. */
static bool makes_room(const struct agent_job_set *set, const struct agent_job *job,
		       const struct agent_job_request *request)
{
	return (job->state == AGENT_JOB_RUNNING || job->state == AGENT_JOB_TERMINATED) &&
	       is_harmless(&job->request) && (!is_harmless(request) || job->engine != set->engine);
}

/* It waits, instead of what waited, until what runs of the same resource or arbiter is gone. */
static void wait_for_turn(const struct agent_job_set *set, struct agent_job *job,
			  const struct agent_job_request *request, int64_t now_ms)
{
	job->waiting = *request;
	job->waiting.is_set = true;
	job->waiting.asked_ms = now_ms;
	if (job->waiting.timeout_ms > TIMEOUT_MS_MAX)
		job->waiting.timeout_ms = TIMEOUT_MS_MAX;
	if (job->state == AGENT_JOB_HUNG)
		refuse_waiting(job, hung);
	else if (makes_room(set, job, request))
		kill_for_good(set, job, now_ms); /* and not told: nobody waits for it any more */
}

void agent_job_ask(struct agent_job_set *set, const struct agent_channel_message *m, int64_t now_ms)
{
	uint16_t number = m->u.job.resource;
	enum core_run_kind kind = (enum core_run_kind)m->u.job.kind;
	struct agent_job_request request = {
		.id = m->u.job.id, .kind = kind, .timeout_ms = m->u.job.timeout_ms};

	if (number < 1 || number > set->conf->resource_count ||
	    set->conf->resource[number - 1].type != YOKE_RESOURCE_TYPE_SCRIPT ||
	    (!is_look(kind) && kind != CORE_RUN_START && kind != CORE_RUN_STOP))
		return;
	wait_for_turn(set, &set->job[number - 1], &request, now_ms);
}

void agent_job_ask_fence(struct agent_job_set *set, const struct agent_channel_message *m,
			 int64_t now_ms)
{
	uint16_t number = m->u.ask.arbiter, node = m->u.ask.node;
	enum core_ask_kind ask = (enum core_ask_kind)m->u.ask.kind;
	struct agent_job_request request = {
		.id = m->u.ask.id, .ask = ask, .node = node, .timeout_ms = m->u.ask.timeout_ms};
	const struct conf_arbiter *arbiter;

	if (number < 1 || number > set->conf->arbiter_count || node < 1 ||
	    node > set->conf->node_count || (ask != CORE_ASK_OFF && ask != CORE_ASK_STATUS))
		return;
	arbiter = &set->conf->arbiter[number - 1];
	if (arbiter->type == YOKE_ARBITER_TYPE_FENCE && arbiter->node[node - 1])
		wait_for_turn(set, &set->job[set->conf->resource_count + number - 1u], &request,
			      now_ms);
}

void agent_job_cancel(struct agent_job_set *set, uint32_t id)
{
	for (unsigned i = set->conf->resource_count; i < slots(set); i++) {
		struct agent_job *job = &set->job[i];

		if (job->waiting.id == id)
			job->waiting.is_set = false;
		if (job->done_id == id)
			job->done = false;
		if (job->request.id == id)
			job->engine = 0;
	}
}

/* ---- output ---- */

/* Take what a pipe holds.  keep: NULL for what nobody wants any more.  Returns false at its end. */
static bool drain(int fd, struct agent_job_output *keep)
{
	char bytes[AGENT_JOB_OUTPUT_SIZE];

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (got < 0)
			return true;
		if (keep != NULL)
			agent_job_append(keep, bytes, (size_t)got);
	}
	return true;
}

unsigned agent_job_fds(const struct agent_job_set *set, int64_t now_ms,
		       struct pollfd fds[AGENT_JOB_FDS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < slots(set) && now_ms >= set->rest_until_ms; i++) {
		const struct agent_job *job = &set->job[i];

		if (job->output_fd >= 0)
			fds[count++] = (struct pollfd){.fd = job->output_fd, .events = POLLIN};
		if (job->left_fd >= 0)
			fds[count++] = (struct pollfd){.fd = job->left_fd, .events = POLLIN};
	}
	return count;
}

static void read_one(struct agent_job_set *set, int fd)
{
	for (unsigned i = 0; i < slots(set); i++) {
		struct agent_job *job = &set->job[i];

		if (job->output_fd == fd && !drain(fd, &job->output))
			close_fd(&job->output_fd);
		else if (job->left_fd == fd && !drain(fd, NULL))
			close_fd(&job->left_fd);
	}
}

void agent_job_read(struct agent_job_set *set, const struct pollfd *fds, unsigned count,
		    int64_t now_ms)
{
	for (unsigned i = 0; i < count; i++) {
		if (fds[i].revents == 0)
			continue;
		read_one(set, fds[i].fd);
		set->rest_until_ms = now_ms + AGENT_JOB_REST_MS;
	}
}

/* ---- the end of a job ---- */

static struct agent_job *find(struct agent_job_set *set, pid_t pid)
{
	for (unsigned i = 0; i < slots(set); i++)
		if (set->job[i].state != AGENT_JOB_NONE && set->job[i].pid == pid)
			return &set->job[i];
	return NULL;
}

void agent_job_ending(struct agent_job_set *set, pid_t pid)
{
	struct agent_job *job = find(set, pid);

	if (job != NULL && job->state != AGENT_JOB_RUNNING)
		kill_all(set, job); /* those that did not heed SIGTERM */
}

static void take_output(const struct agent_job_set *set, struct agent_job *job, bool ended)
{
	if (job->output_fd >= 0 && !drain(job->output_fd, &job->output))
		close_fd(&job->output_fd);
	if (is_fence(&job->request))
		agent_job_mask(&job->output, &set->secret[arbiter_of(set, job)], ended);
}

static enum core_result verdict_of(const struct agent_job_set *set, const struct agent_job *job,
				   int status, char reason[YOKE_REASON_SIZE])
{
	enum core_run_kind kind = job->request.kind;
	bool plugin;

	if (is_fence(&job->request))
		return agent_job_fence_verdict(job->request.ask, status, &job->output, reason);
	plugin = kind == CORE_RUN_MONITOR && set->conf->resource[job - set->job].monitor[0] != '\0';
	return agent_job_verdict(kind, plugin, status, &job->output, reason);
}

/* Told at once: what the engine asks for next waits until the job is gone. */
static void tell_timeout(const struct agent_job_set *set, struct agent_job *job)
{
	char line[YOKE_REASON_SIZE], reason[YOKE_REASON_SIZE];

	take_output(set, job, false);
	agent_job_last_line(&job->output, line);
	snprintf(reason, YOKE_REASON_SIZE, "timed out after %u ms%s%.60s", job->request.timeout_ms,
		 line[0] == '\0' ? "" : ": ", line);
	tell_running(set, job,
		     !is_fence(&job->request) && job->request.kind == CORE_RUN_MONITOR
			     ? CORE_RESULT_LATE
			     : CORE_RESULT_FAILED,
		     reason);
}

bool agent_job_ended(struct agent_job_set *set, pid_t pid, int status)
{
	struct agent_job *job = find(set, pid);
	char reason[YOKE_REASON_SIZE];
	enum core_result result;

	if (job == NULL)
		return false;
	take_output(set, job, true);
	if (is_fence(&job->request))
		explicit_bzero(&set->secret[arbiter_of(set, job)], sizeof(*set->secret));
	if (job->state == AGENT_JOB_RUNNING) {
		result = verdict_of(set, job, status, reason);
		if (job->request.kind == CORE_RUN_PROBE && job->engine == set->engine)
			take_elders(job, result, reason);
		tell_running(set, job, result, reason);
	}
	/* A daemon that was just started would wait when it writes to what nobody reads. */
	if (job->request.kind == CORE_RUN_START && job->state == AGENT_JOB_RUNNING &&
	    job->output_fd >= 0) {
		close_fd(&job->left_fd);
		job->left_fd = job->output_fd;
		job->output_fd = -1;
	}
	close_fd(&job->output_fd);
	agent_job_cgroup_end(&set->cgroups, job->cgroup);
	job->state = AGENT_JOB_NONE;
	return true;
}

/* ---- time ---- */

/* Where the children of fence jobs tell what is secret. */
static bool has_room_for_secrets(struct agent_job_set *set)
{
	void *p;

	if (set->secret != NULL)
		return true;
	p = mmap(NULL, YOKE_ARBITERS_MAX * sizeof(*set->secret), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return false;
	set->secret = p;
	return true;
}

static void start(struct agent_job_set *set, struct agent_job *job, int64_t now_ms)
{
	char reason[YOKE_REASON_SIZE];

	if (job->waiting.kind == CORE_RUN_START && job->left_fd >= 0) {
		drain(job->left_fd, NULL); /* what was left before writes to the same FIFO */
		close_fd(&job->left_fd);
	}
	job->output.size = 0;
	job->cgroup = agent_job_cgroup_make(&set->cgroups);
	job->pid = is_fence(&job->waiting) && !has_room_for_secrets(set)
			   ? -1
			   : agent_job_spawn(set, job, &job->output_fd);
	if (job->pid < 0) {
		snprintf(reason, sizeof(reason), "cannot be executed: %s", strerror(errno));
		agent_job_cgroup_end(&set->cgroups, job->cgroup);
		refuse_waiting(job, reason);
		return;
	}
	job->request = job->waiting;
	job->waiting.is_set = false;
	job->engine = set->engine;
	job->state = AGENT_JOB_RUNNING;
	job->until_ms = now_ms + job->request.timeout_ms;
}

/* The state's patience is over. */
static void press(struct agent_job_set *set, struct agent_job *job, int64_t now_ms)
{
	switch (job->state) {
	case AGENT_JOB_RUNNING:
		tell_timeout(set, job);
		kill_group(job, SIGTERM);
		kill_group(job, SIGCONT);
		job->state = AGENT_JOB_TERMINATED;
		job->until_ms = now_ms + AGENT_JOB_TERM_MS;
		break;
	case AGENT_JOB_TERMINATED:
		kill_for_good(set, job, now_ms);
		break;
	case AGENT_JOB_KILLED:
		yoke_log(YOKE_LOG_WARNING, "%s: process %d hangs in the kernel", name_of(set, job),
			 (int)job->pid);
		job->state = AGENT_JOB_HUNG;
		job->until_ms = INT64_MAX;
		if (job->waiting.is_set)
			refuse_waiting(job, hung);
		break;
	case AGENT_JOB_HUNG:
	case AGENT_JOB_NONE:
		break;
	}
}

/* A fence agent that had to wait must not begin when nobody counts on it any more. */
static bool waits_too_long(const struct agent_job *job, int64_t now_ms)
{
	return job->waiting.is_set && is_fence(&job->waiting) &&
	       now_ms >= job->waiting.asked_ms + job->waiting.timeout_ms;
}

static bool may_begin(const struct agent_job *job)
{
	return job->waiting.is_set && job->state == AGENT_JOB_NONE && !job->done;
}

void agent_job_tick(struct agent_job_set *set, int64_t now_ms)
{
	unsigned begun = 0;
	char reason[YOKE_REASON_SIZE];

	/* From the end: what switches a node off begins first. */
	for (unsigned i = slots(set); i-- > 0;) {
		struct agent_job *job = &set->job[i];

		if (job->state != AGENT_JOB_NONE && now_ms >= job->until_ms)
			press(set, job, now_ms);
		if (waits_too_long(job, now_ms)) {
			snprintf(reason, sizeof(reason), "had to wait for %u ms, and did not run",
				 job->waiting.timeout_ms);
			refuse_waiting(job, reason);
		}
		if (may_begin(job) && begun++ < AGENT_JOB_BURST_MAX)
			start(set, job, now_ms);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t agent_job_deadline_ms(const struct agent_job_set *set, int64_t now_ms)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < slots(set); i++) {
		const struct agent_job *job = &set->job[i];

		if (job->state != AGENT_JOB_NONE)
			at = earlier(at, job->until_ms);
		if (may_begin(job))
			at = earlier(at, now_ms);
		if (job->waiting.is_set && is_fence(&job->waiting))
			at = earlier(at, job->waiting.asked_ms + job->waiting.timeout_ms);
		if ((job->output_fd >= 0 || job->left_fd >= 0) && now_ms < set->rest_until_ms)
			at = earlier(at, set->rest_until_ms);
	}
	return at;
}

/* What hangs for good has been told. */
bool agent_job_is_busy(const struct agent_job_set *set)
{
	for (unsigned i = 0; i < slots(set); i++) {
		const struct agent_job *job = &set->job[i];

		if ((job->state != AGENT_JOB_NONE && job->state != AGENT_JOB_HUNG &&
		     !is_harmless(&job->request)) ||
		    (job->waiting.is_set && !is_harmless(&job->waiting)) || job->done)
			return true;
	}
	return false;
}

void agent_job_leave(struct agent_job_set *set)
{
	for (unsigned i = 0; i < slots(set); i++)
		if (set->job[i].state != AGENT_JOB_NONE && is_harmless(&set->job[i].request))
			kill_all(set, &set->job[i]);
}
