/* The program is exchanged while everything runs: an upgrade.
 *
 *   NOT --SIGUSR2--> TRIED --it could--> WAITS --nothing changes--> ENDING --all ended--> exec
 *    ^                 | it could not                                 | one does not end
 *    +-----------------+----------------------------------------------+
 *
 * The new program is tried first: one that is broken, or does not understand the configuration,
 * changes nothing.  What writes to a disk ends before, so that no write of its comes after one of
 * its successor's; not so the heartbeats on a shared disk, which must not end (agent/post.h).
 * The engine beats on through all of it, by its own old program, until the new keeper is ready to
 * start the next: what the other node notices is an engine's restart.
 *
 * The keeper stays the same process: its children stay its own, and for who started it nothing
 * happened.  What the engine says meanwhile is heard by nobody; the next one begins from what runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keeper.h"
#include "agent/role.h"

enum {
	TRIAL_MS = 5000,
	ENDING_MS = 2000,
	LEFT_SIZE = AGENT_KEEPER_MISSING_SIZE + 96, /* bytes of what the new program is given */
};

/* What is left to the new program, in the order of the text. */
enum {
	LEFT_ELDER,
	LEFT_ENGINE_FD,
	LEFT_CONF_FD,
	LEFT_KEY_FD,
	LEFT_LOCK_FD,
	LEFT_CONTROL_FD,
	LEFT_FDS_END,
	LEFT_RELOADS = LEFT_FDS_END,
	LEFT,
};

void agent_keeper_renew_give_up(struct agent_keeper *k, const char *why)
{
	yoke_log(YOKE_LOG_WARNING, "the %s: %s",
		 k->next_fd < 0 ? "program is not exchanged" : "new configuration is not taken",
		 why);
	k->renewal = AGENT_RENEW_NOT;
	agent_keeper_reload_ended(k, why);
}

/* ---- the old program ---- */

bool agent_keeper_renew_is_busy(const struct agent_keeper *k)
{
	return k->renewal != AGENT_RENEW_NOT || k->elder != 0 || k->trial != 0;
}

void agent_keeper_renew_try(struct agent_keeper *k, int64_t within_ms)
{
	k->trial = agent_keeper_start_trial(k);
	if (k->trial < 0) {
		k->trial = 0;
		agent_keeper_renew_give_up(k, strerror(errno));
		return;
	}
	k->renewal = AGENT_RENEW_TRIED;
	k->renew_until_ms = agent_keeper_now_ms() + within_ms;
}

void agent_keeper_renew(struct agent_keeper *k)
{
	if (k->leaving || agent_keeper_renew_is_busy(k)) {
		yoke_log(YOKE_LOG_WARNING, "the program is not exchanged now: %s",
			 k->leaving ? "this node is leaving" : "that is under way");
		return;
	}
	agent_keeper_renew_try(k, TRIAL_MS);
}

bool agent_keeper_renew_ended(struct agent_keeper *k, pid_t pid, int status)
{
	if (pid != k->trial)
		return false;
	k->trial = 0;
	if (k->renewal != AGENT_RENEW_TRIED)
		return true;
	if (k->next_fd >= 0)
		agent_keeper_reload_tried(k, status);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		k->renewal = AGENT_RENEW_WAITS;
	else
		agent_keeper_renew_give_up(k, "the one that is installed now refuses");
	return true;
}

/* They read to the end of what they were sent, and end.  Who opens serial lines writes nothing, and
 * ends when the exec closes its channel. */
static void end_others(struct agent_keeper *k, int64_t now)
{
	agent_saves_drop(&k->saves); /* the engine is not heard: it asks for nothing again */
	if (k->saver_fd >= 0)
		shutdown(k->saver_fd, SHUT_WR);
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].fd >= 0)
			shutdown(k->disk[i].fd, SHUT_WR);
	if (k->snmp.pid != 0)
		kill(k->snmp.pid, SIGKILL);
	k->renewal = AGENT_RENEW_ENDING;
	k->renew_until_ms = now + ENDING_MS;
}

/* Who has not ended; NULL: all have. */
static const char *not_ended(const struct agent_keeper *k)
{
	for (unsigned i = 0; i < k->conf.arbiter_count; i++)
		if (k->disk[i].child.pid != 0)
			return "a shared disk does not answer";
	if (k->saver.pid != 0)
		return "the disk does not answer";
	return k->snmp.pid != 0 ? "yoke-snmp does not end" : NULL;
}

/* They are started again as soon as they end. */
static void go_on(struct agent_keeper *k, const char *why)
{
	agent_keeper_renew_give_up(k, why);
	agent_keeper_lose_saver(k);
	for (unsigned i = 0; i < k->conf.arbiter_count; i++) {
		if (k->disk[i].fd >= 0)
			close(k->disk[i].fd);
		k->disk[i].fd = -1;
	}
	/* Of what the engine waits for something may be lost: the next one knows. */
	if (k->engine.pid != 0)
		kill(k->engine.pid, SIGKILL);
}

static void keep_open(const int number[LEFT], bool open)
{
	for (int i = LEFT_ENGINE_FD; i < LEFT_FDS_END; i++)
		if (number[i] >= 0)
			fcntl(number[i], F_SETFD, open ? 0 : FD_CLOEXEC);
}

static void become(struct agent_keeper *k)
{
	int number[LEFT] = {[LEFT_ELDER] = (int)k->engine.pid,
			    [LEFT_ENGINE_FD] = k->engine_fd,
			    [LEFT_CONF_FD] = k->next_fd >= 0 ? k->next_fd : k->conf_fd,
			    [LEFT_KEY_FD] = k->key_fd,
			    [LEFT_LOCK_FD] = k->lock_fd,
			    [LEFT_CONTROL_FD] = k->control_fd,
			    [LEFT_RELOADS] = -1};
	char text[LEFT_SIZE], missing[AGENT_KEEPER_MISSING_SIZE];

	if (k->next_fd >= 0)
		number[LEFT_RELOADS] = (int)(atomic_load(&k->shared->reloads) & INT32_MAX);
	agent_keeper_reload_leave(k, missing);
	snprintf(text, sizeof(text), "%d %d %d %d %d %d %d %s", number[0], number[1], number[2],
		 number[3], number[4], number[5], number[6], missing);
	agent_job_leave(&k->jobs);
	keep_open(number, true);
	execl(k->file, k->program, "--config", k->conf_file, "--node", k->node, "--renewed", text,
	      (char *)NULL);
	keep_open(number, false);
	go_on(k, strerror(errno));
}

void agent_keeper_renew_look(struct agent_keeper *k, int64_t now)
{
	agent_keeper_reload_look(k);
	switch (k->renewal) {
	case AGENT_RENEW_NOT:
		break;
	case AGENT_RENEW_TRIED:
		if (now >= k->renew_until_ms) {
			kill(k->trial, SIGKILL);
			agent_keeper_renew_give_up(k,
						   "the one that is installed now does not answer");
		}
		break;
	case AGENT_RENEW_RETIRING:
		if (now >= k->renew_until_ms)
			agent_keeper_renew_give_up(k, "what it does not have does not stop here");
		break;
	case AGENT_RENEW_WAITS:
		if (!agent_job_is_busy(&k->jobs) && agent_saves_next(&k->saves) == NULL &&
		    k->engine.pid != 0)
			end_others(k, now);
		break;
	case AGENT_RENEW_ENDING:
		if (not_ended(k) == NULL)
			become(k);
		else if (now >= k->renew_until_ms)
			go_on(k, not_ended(k));
		break;
	}
}

int64_t agent_keeper_renew_deadline_ms(const struct agent_keeper *k)
{
	return k->renewal == AGENT_RENEW_TRIED || k->renewal == AGENT_RENEW_RETIRING ||
			       k->renewal == AGENT_RENEW_ENDING
		       ? k->renew_until_ms
		       : INT64_MAX;
}

/* ---- the new program ---- */

static int not_for_people(void)
{
	yoke_log(YOKE_LOG_ERROR, "--renewed is not for people");
	return -1;
}

int agent_keeper_renew_take(struct agent_keeper *k, const char *renewed)
{
	int number[LEFT] = {[LEFT_RELOADS] = -1};
	const char *at = renewed;
	siginfo_t info;

	/* An earlier version leaves the descriptors alone. */
	for (int i = 0; i < LEFT && (i < LEFT_FDS_END || *at != '\0'); i++) {
		char *end;
		long value = strtol(at, &end, 10);

		if (end == at || value < -1 || value > INT32_MAX)
			return not_for_people();
		number[i] = (int)value;
		at = end;
	}
	if (*at != '\0' && (*at != ' ' || agent_keeper_reload_take(k, at + 1) < 0))
		return not_for_people();
	keep_open(number, false);
	k->conf_fd = number[LEFT_CONF_FD];
	k->key_fd = number[LEFT_KEY_FD];
	k->lock_fd = number[LEFT_LOCK_FD];
	k->control_fd = number[LEFT_CONTROL_FD];
	/* Ours until we reap it: nobody else can have its number. */
	if (number[LEFT_ELDER] > 0 &&
	    waitid(P_PID, (id_t)number[LEFT_ELDER], &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		k->elder = number[LEFT_ELDER];
	k->reloads_left = number[LEFT_RELOADS];
	if (k->elder != 0)
		k->elder_fd = number[LEFT_ENGINE_FD];
	else if (number[LEFT_ENGINE_FD] >= 0)
		close(number[LEFT_ENGINE_FD]);
	return agent_role_read_conf(k->conf_fd, &k->conf);
}

int agent_keeper_trial(const char *node)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	char why[YOKE_REASON_SIZE];
	int rc = conf == NULL ? -1 : agent_role_read_conf(AGENT_ROLE_FD_CONF, conf);

	if (rc == 0 && conf_self(conf, node, why) < 0) {
		yoke_log(YOKE_LOG_ERROR, "%s", why);
		rc = -1;
	}
	free(conf);
	return rc == 0 ? 0 : 1;
}
