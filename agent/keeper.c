#include "agent/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/privilege.h"
#include "agent/role.h"

enum {
	HANG_MS_MIN = 100,
	HANG_MS_MAX = 500,
	START_MS = 3000,    /* an engine may take this long to show its first sign of life */
	QUICK_MS = 1000,    /* a life shorter than this is quick */
	QUICK_ENDS_MAX = 5, /* so many in a row are restarted at once, then with a pause */
	PAUSE_MS = 1000,
	LEAVE_GRACE_MS = 5000, /* after operation_ms, before a leaving engine is killed */
};

uint32_t agent_role_hang_ms(uint32_t dead_ms)
{
	uint32_t hang_ms = dead_ms / 2;

	if (hang_ms < HANG_MS_MIN)
		hang_ms = HANG_MS_MIN;
	return hang_ms > HANG_MS_MAX ? HANG_MS_MAX : hang_ms;
}

/* ---- children ---- */

static void ended(struct agent_keeper_child *child, int status, bool at_once)
{
	int64_t now = agent_keeper_now_ms();

	if (WIFSIGNALED(status))
		yoke_log(YOKE_LOG_WARNING, "%s was killed by signal %d after %lld ms", child->name,
			 WTERMSIG(status), (long long)(now - child->started_ms));
	else if (WEXITSTATUS(status) != 0)
		yoke_log(YOKE_LOG_WARNING, "%s ended with status %d after %lld ms", child->name,
			 WEXITSTATUS(status), (long long)(now - child->started_ms));
	child->quick_ends = now - child->started_ms < QUICK_MS ? child->quick_ends + 1 : 0;
	child->pid = 0;
	child->start_at_ms = at_once && child->quick_ends <= QUICK_ENDS_MAX ? now : now + PAUSE_MS;
}

static void elder_ended(struct agent_keeper *k)
{
	close(k->elder_fd);
	k->elder_fd = -1;
	k->elder = k->engine.pid = 0;
	k->engine.start_at_ms = agent_keeper_now_ms();
}

static void engine_ended(struct agent_keeper *k, int status)
{
	bool said_goodbye = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (k->engine.pid == k->elder) {
		elder_ended(k);
		return;
	}
	ended(&k->engine, status, true);
	if (said_goodbye || (k->leaving && k->leaving_died)) {
		k->done = true;
		k->status = said_goodbye ? 0 : 1;
	}
	k->leaving_died = k->leaving;
}

/* Its successor is started when it is gone for good: so no write of its comes after one of theirs.
 */
static bool helper_ended(struct agent_keeper *k, pid_t pid, int status)
{
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].child.pid == pid) {
			ended(&k->disk[i].child, status, true);
			return true;
		}
	for (unsigned i = 0; i < k->conf.path_count; i++)
		if (k->line[i].child.pid == pid) {
			ended(&k->line[i].child, status, true);
			return true;
		}
	return false;
}

/* Besides our own: jobs, and what they left behind, whose parents are gone. */
static void reap(struct agent_keeper *k)
{
	siginfo_t info = {0};
	int status;
	pid_t pid;

	/* Looked at before it is reaped: until then nobody else can have its number. */
	while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0) {
		pid = info.si_pid;
		if (info.si_code != CLD_STOPPED)
			agent_job_ending(&k->jobs, pid);
		if (waitpid(pid, &status, WNOHANG | WUNTRACED) != pid)
			break;
		if (WIFSTOPPED(status)) {
			/* A stopped one is of no use: the next one goes on where it was. */
			if (pid == k->engine.pid || pid == k->saver.pid)
				kill(pid, SIGKILL);
			continue;
		}
		if (pid == k->engine.pid)
			engine_ended(k, status);
		else if (pid == k->saver.pid)
			ended(&k->saver, status, true);
		else if (pid == k->snmp.pid)
			ended(&k->snmp, status, false);
		else if (pid == k->courier.child.pid)
			agent_keeper_courier_ended(k);
		else if (agent_keeper_programs_ended(k, pid))
			continue;
		else if (!helper_ended(k, pid, status) && !agent_keeper_renew_ended(k, pid, status))
			agent_job_ended(&k->jobs, pid, status);
	}
}

static int64_t hang_at_ms(const struct agent_keeper *k)
{
	int64_t alive_us = atomic_load(&k->shared->alive_us), at;

	if (k->engine.pid == 0 || k->engine.pid == k->killed)
		return INT64_MAX;
	at = alive_us == 0 ? k->engine.started_ms + START_MS
			   : alive_us / 1000 + agent_role_hang_ms(k->conf.dead_ms);
	return at > k->judge_at_ms ? at : k->judge_at_ms;
}

static void look(struct agent_keeper *k, int64_t now)
{
	if (k->engine.pid != k->killed && now > hang_at_ms(k)) {
		yoke_log(YOKE_LOG_WARNING, "the engine shows no sign of life: killed");
		kill(k->engine.pid, SIGKILL);
		k->killed = k->engine.pid; /* in the kernel's hands until it is reaped */
	}
	if (k->leaving && now > k->leave_until_ms) {
		k->done = true; /* finish() ends what is left */
		k->status = 1;
		return;
	}
	agent_keeper_programs_look(k, now);
	if (k->renewal == AGENT_RENEW_ENDING)
		return; /* the new program starts them */
	if (k->engine.pid == 0 && k->engine.start_at_ms <= now) {
		agent_saves_engine(&k->saves);
		agent_job_engine(&k->jobs);
		agent_keeper_start_engine(k);
		agent_keeper_reload_engine(k);
		agent_keeper_programs_engine(k);
	}
	if (k->saver.pid == 0 && k->saver.start_at_ms <= now) {
		agent_keeper_lose_saver(k);
		agent_keeper_start_saver(k);
	}
	if (k->snmp.pid == 0 && k->snmp.start_at_ms <= now)
		agent_keeper_start_snmp(k);
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].child.pid == 0 && k->disk[i].child.start_at_ms <= now)
			agent_keeper_start_disk(k, i);
	for (unsigned i = 0; i < k->conf.path_count; i++)
		if (k->line[i].child.pid == 0 && k->line[i].child.start_at_ms <= now)
			agent_keeper_start_line(k, i);
}

static int poll_ms(const struct agent_keeper *k, int64_t now)
{
	int64_t at = hang_at_ms(k), job_at = agent_job_deadline_ms(&k->jobs, now);

	if (job_at < at)
		at = job_at;
	if (agent_watchdog_deadline_ms(&k->watchdog) < at)
		at = agent_watchdog_deadline_ms(&k->watchdog);
	if (k->leaving && k->leave_until_ms < at)
		at = k->leave_until_ms;
	if (agent_keeper_renew_deadline_ms(k) < at)
		at = agent_keeper_renew_deadline_ms(k);
	if (k->engine.pid == 0 && k->engine.start_at_ms < at)
		at = k->engine.start_at_ms;
	if (k->saver.pid == 0 && k->saver.start_at_ms < at)
		at = k->saver.start_at_ms;
	if (k->snmp.pid == 0 && k->snmp.start_at_ms < at)
		at = k->snmp.start_at_ms;
	if (k->programs.look_at_ms < at)
		at = k->programs.look_at_ms;
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].child.pid == 0 && k->disk[i].child.start_at_ms < at)
			at = k->disk[i].child.start_at_ms;
	for (unsigned i = 0; i < k->conf.path_count; i++)
		if (k->line[i].child.pid == 0 && k->line[i].child.start_at_ms < at)
			at = k->line[i].child.start_at_ms;
	if (at == INT64_MAX)
		return -1;
	return at <= now ? 1 : (int)(at - now + 1 < 60000 ? at - now + 1 : 60000);
}

/* ---- relaying ---- */

static void refuse_save(struct agent_keeper *k, uint32_t version)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_SAVED};

	m.u.saved.version = version;
	snprintf(m.u.saved.reason, sizeof(m.u.saved.reason), "the disk does not answer");
	if (k->engine_fd >= 0)
		agent_channel_send(k->engine_fd, &m);
}

static void to_saver(struct agent_keeper *k)
{
	const struct agent_channel_message *m = agent_saves_next(&k->saves);

	if (m != NULL && agent_channel_send(k->saver_fd, m) == 0)
		agent_saves_sent(&k->saves);
}

static void save(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (agent_saves_ask(&k->saves, m, k->saver_fd >= 0))
		to_saver(k);
	else
		refuse_save(k, m->u.record.version);
}

void agent_keeper_lose_saver(struct agent_keeper *k)
{
	uint32_t version;

	if (k->saver_fd < 0)
		return;
	close(k->saver_fd);
	k->saver_fd = -1;
	if (agent_saves_saver_gone(&k->saves, &version) && k->renewal != AGENT_RENEW_ENDING)
		refuse_save(k, version); /* the engine asks again */
}

/* Events may be lost when the disk does not keep up: the room is a record's that waits for it. */
static void pass_event(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (k->saver_fd >= 0 && agent_saves_next(&k->saves) == NULL)
		agent_channel_send(k->saver_fd, m);
}

/* A disk that is still at the question before does not answer: that is said at once. */
static void ask_disk(struct agent_keeper *k, struct agent_keeper_helper *d,
		     const struct agent_channel_message *m)
{
	struct agent_channel_message no = {.kind = AGENT_CHANNEL_ANSWER};

	if (d->fd >= 0 && d->asked == 0 && agent_channel_send(d->fd, m) == 0) {
		d->asked = m->u.ask.id;
		d->engine = k->jobs.engine;
		return;
	}
	no.u.answer.id = m->u.ask.id;
	no.u.answer.result = CORE_RESULT_FAILED;
	snprintf(no.u.answer.reason, sizeof(no.u.answer.reason), "the disk does not answer");
	agent_channel_send(k->engine_fd, &no);
}

static void ask(struct agent_keeper *k, const struct agent_channel_message *m)
{
	uint16_t arbiter = m->u.ask.arbiter;

	if (arbiter >= 1 && arbiter <= k->conf.arbiter_count &&
	    k->conf.arbiter[arbiter - 1].type == YOKE_ARBITER_TYPE_DISK)
		ask_disk(k, &k->disk[arbiter - 1], m);
	else
		agent_job_ask_fence(&k->jobs, m, agent_keeper_now_ms());
}

static void from_disk(struct agent_keeper *k, struct agent_keeper_helper *d)
{
	static struct agent_channel_message m;
	int got;

	while ((got = agent_channel_receive(d->fd, &m)) > 0) {
		if (m.kind == AGENT_CHANNEL_ANSWER && d->engine == k->jobs.engine &&
		    k->engine_fd >= 0)
			agent_channel_send(k->engine_fd, &m);
		d->asked = 0;
	}
	if (got < 0) {
		close(d->fd); /* its end is reaped */
		d->fd = -1;
	}
}

static void from_engine(struct agent_keeper *k)
{
	static struct agent_channel_message m;
	int got;

	while ((got = agent_channel_receive(k->engine_fd, &m)) > 0) {
		if (m.kind == AGENT_CHANNEL_SAVE)
			save(k, &m);
		else if (m.kind == AGENT_CHANNEL_EVENT)
			pass_event(k, &m);
		else if (m.kind == AGENT_CHANNEL_JOB)
			agent_job_ask(&k->jobs, &m, agent_keeper_now_ms());
		else if (m.kind == AGENT_CHANNEL_ASK)
			ask(k, &m);
		else if (m.kind == AGENT_CHANNEL_CANCEL)
			agent_job_cancel(&k->jobs, m.u.cancel.id);
		else if (m.kind == AGENT_CHANNEL_OPEN)
			agent_keeper_line_ask(k, &m);
		else if (m.kind == AGENT_CHANNEL_BULK)
			agent_keeper_courier_ask(k, &m);
		else if (m.kind == AGENT_CHANNEL_RETIRED)
			agent_keeper_reload_retired(k, &m);
		else if (m.kind == AGENT_CHANNEL_MISSING)
			agent_keeper_reload_missing(k, &m);
		else if (m.kind == AGENT_CHANNEL_KEYS)
			agent_keeper_keys_ask(k);
		else if (m.kind == AGENT_CHANNEL_KEYS_TAKEN)
			agent_keeper_keys_taken(k);
	}
	if (got < 0) {
		close(k->engine_fd); /* its end is reaped */
		k->engine_fd = -1;
	}
}

/* The disk answers at last, after an engine was started without its record: begin again with it. */
static void late_record(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (!agent_saves_found(&k->saves, m))
		return;
	yoke_log(YOKE_LOG_WARNING, "the saved state was read late: the engine is started again");
	if (k->engine.pid != 0)
		kill(k->engine.pid, SIGKILL);
}

static void saved(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (agent_saves_answered(&k->saves, m) && k->engine_fd >= 0)
		agent_channel_send(k->engine_fd, m);
}

static void from_saver(struct agent_keeper *k)
{
	static struct agent_channel_message m;
	int got, passed;

	while ((got = agent_channel_receive_fd(k->saver_fd, &m, &passed)) > 0) {
		if (m.kind == AGENT_CHANNEL_KEYS_READ)
			agent_keeper_keys_read(k, &m, passed);
		else if (m.kind == AGENT_CHANNEL_RECORD)
			late_record(k, &m);
		else if (m.kind == AGENT_CHANNEL_SAVED)
			saved(k, &m);
	}
	if (got < 0)
		agent_keeper_lose_saver(k);
}

int64_t agent_keeper_stop_ms(const struct conf *conf)
{
	int64_t longest_ms = conf->operation_ms, group_ms[YOKE_GROUPS_MAX] = {0};

	for (unsigned i = 0; i < conf->resource_count; i++) {
		int64_t *sum_ms = &group_ms[conf->resource[i].group];

		*sum_ms += conf->resource[i].stop_timeout_ms;
		if (*sum_ms > longest_ms)
			longest_ms = *sum_ms;
	}
	return longest_ms;
}

/* An engine that is between two lives is told to leave when it starts. */
static void leave(struct agent_keeper *k)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_LEAVE};

	if (k->leaving)
		return;
	k->leaving = true;
	k->renewal = AGENT_RENEW_NOT;
	agent_keeper_reload_ended(k, "this node is leaving");
	k->leave_until_ms = agent_keeper_now_ms() + agent_keeper_stop_ms(&k->conf) + LEAVE_GRACE_MS;
	if (k->engine.pid == 0)
		k->engine.start_at_ms = agent_keeper_now_ms();
	else if (k->engine_fd >= 0)
		agent_channel_send(k->engine_fd, &m);
}

static void from_signals(struct agent_keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(k);
		else if (info.ssi_signo == SIGUSR2)
			agent_keeper_renew(k);
		else if (info.ssi_signo == SIGHUP)
			agent_keeper_reload(k);
		else
			leave(k);
	}
	reap(k);
}

/* ---- the loop ---- */

enum {
	POLL_SIGNAL,
	POLL_ENGINE,
	POLL_SAVER,
	POLL_COURIER,
	POLL_DISKS,
	POLL_LINES = POLL_DISKS + YOKE_ARBITERS_MAX,
	POLL_JOBS = POLL_LINES + YOKE_PATHS_MAX,
};

static short poll_events(bool waits)
{
	return waits ? POLLIN | POLLOUT : POLLIN;
}

static void turn_jobs(struct agent_keeper *k)
{
	agent_job_tick(&k->jobs, agent_keeper_now_ms());
	k->results_wait = k->engine_fd >= 0 && agent_job_tell(&k->jobs, k->engine_fd);
}

static void turn(struct agent_keeper *k)
{
	struct pollfd p[POLL_JOBS + AGENT_JOB_FDS_MAX] = {
		{.fd = k->signal_fd, .events = POLLIN},
		{.fd = k->renewal == AGENT_RENEW_ENDING ? -1 : k->engine_fd,
		 .events = poll_events(k->results_wait)},
		{.fd = k->saver_fd, .events = poll_events(agent_saves_next(&k->saves) != NULL)},
		{.fd = k->courier.fd, .events = POLLIN},
	};
	int64_t hang_ms = agent_role_hang_ms(k->conf.dead_ms), before = agent_keeper_now_ms();
	unsigned outputs = agent_job_fds(&k->jobs, before, p + POLL_JOBS);
	int wait_ms = poll_ms(k, before);

	for (unsigned i = 0; i < YOKE_ARBITERS_MAX; i++)
		p[POLL_DISKS + i] = (struct pollfd){.fd = k->disk[i].fd, .events = POLLIN};
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		p[POLL_LINES + i] = (struct pollfd){.fd = k->line[i].fd, .events = POLLIN};
	poll(p, POLL_JOBS + outputs, wait_ms);
	agent_watchdog_tick(&k->watchdog, agent_keeper_now_ms());
	/* Who slept himself (a paused machine) cannot say that the engine did not run. */
	if (wait_ms >= 0 && agent_keeper_now_ms() > before + wait_ms + hang_ms / 2)
		k->judge_at_ms = agent_keeper_now_ms() + hang_ms;
	agent_job_read(&k->jobs, p + POLL_JOBS, outputs, agent_keeper_now_ms());
	if (p[POLL_SIGNAL].revents != 0)
		from_signals(k);
	if (p[POLL_ENGINE].revents != 0 && k->engine_fd >= 0)
		from_engine(k);
	if (p[POLL_SAVER].revents != 0 && k->saver_fd >= 0)
		from_saver(k);
	for (unsigned i = 0; i < YOKE_ARBITERS_MAX; i++)
		if (p[POLL_DISKS + i].revents != 0 && k->disk[i].fd >= 0)
			from_disk(k, &k->disk[i]);
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++)
		if (p[POLL_LINES + i].revents != 0 && k->line[i].fd >= 0)
			agent_keeper_line_answer(k, i);
	if (p[POLL_COURIER].revents != 0 && k->courier.fd >= 0)
		agent_keeper_courier_answer(k);
	if (k->saver_fd >= 0)
		to_saver(k);
	if (k->done)
		return;
	look(k, agent_keeper_now_ms());
	turn_jobs(k);
	agent_keeper_renew_look(k, agent_keeper_now_ms());
	agent_keeper_courier_look(k);
}

/* Let the saver finish what it has, and end the rest. */
static void finish(struct agent_keeper *k)
{
	if (k->engine.pid != 0)
		kill(k->engine.pid, SIGKILL);
	agent_watchdog_close(&k->watchdog);
	/* Who has left has no lease, however soon it comes back. */
	if (!atomic_load(&k->shared->is_exclusive))
		agent_shared_lease(k->shared, (yoke_time){0}, false, false);
	agent_job_leave(&k->jobs);
	agent_job_cgroup_close(&k->jobs.cgroups);
	if (k->snmp.pid != 0)
		kill(k->snmp.pid, SIGTERM);
	if (k->saver_fd >= 0)
		close(k->saver_fd);
	for (int i = 0; i < 20 && (k->saver.pid != 0 || k->snmp.pid != 0); i++) {
		struct pollfd p = {.fd = k->signal_fd, .events = POLLIN};

		poll(&p, 1, 100);
		from_signals(k);
	}
}

/* The program before us left an engine, which beat on meanwhile: the next one is ready to start. */
static void end_elder(struct agent_keeper *k)
{
	if (k->elder == 0)
		return;
	k->engine.pid = k->killed = k->elder;
	kill(k->elder, SIGKILL);
}

int agent_keeper_run(const char *program, const char *conf_file, const char *node,
		     const char *renewed)
{
	/* Not static: the engine, which is the same program, locks all that is. */
	struct agent_keeper *k = calloc(1, sizeof(*k));
	char why[YOKE_REASON_SIZE];
	int status;

	if (k == NULL || agent_keeper_prepare(k, program, conf_file, node, renewed) < 0) {
		free(k);
		return 1;
	}
	if (agent_privilege_realtime(AGENT_ROLE_PRIORITY_KEEPER, true, why) < 0)
		yoke_log(YOKE_LOG_WARNING, "the keeper runs without realtime priority: %s", why);
	yoke_log(YOKE_LOG_INFO, "yoked " YOKE_VERSION ", node %s, cluster %s%s", k->node,
		 k->conf.cluster, renewed == NULL ? "" : ": goes on with what runs");
	end_elder(k);
	while (!k->done)
		turn(k);
	finish(k);
	status = k->status;
	free(k);
	return status;
}
